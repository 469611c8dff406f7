/* Who gets which connection: the queue, the events of members, and how many to dial. No clock, no
 * I/O. */
#include "pool/pool.h"

#include <string.h>

#include "pool/pool_members.h"

void tendon__pool_init(struct tendon__pool *pool, const struct tendon__pool_options *options,
                       const struct tendon__pool_ops *ops, void *context, uint64_t seed)
{
    memset(pool, 0, sizeof *pool);
    pool->options = *options;
    pool->ops = ops;
    pool->context = context;
    if (pool->options.jitter_percent > 100)
        pool->options.jitter_percent = 100;
    /* Keeping more ready than may be kept would dial and close for ever. */
    if (pool->options.min_idle > pool->options.max_idle)
        pool->options.min_idle = pool->options.max_idle;
    tendon__random_init(&pool->random, seed);
    tendon__list_init(&pool->dialing);
    tendon__list_init(&pool->idle);
    tendon__list_init(&pool->leased);
    tendon__list_init(&pool->busy);
    tendon__list_init(&pool->waiters);
    pool->waiter_due_ns = TENDON__NEVER;
    pool->retire_due_ns = TENDON__NEVER;
    pool->member_due_ns = pool->options.min_idle ? 0 : TENDON__NEVER;
}

bool tendon__pool_reserve(struct tendon__pool *pool)
{
    if (pool->closed || tendon__pool_total(pool) >= pool->options.max)
        return false;
    pool->reserved_count++;
    return true;
}

bool tendon__pool_reserve_or_evict(struct tendon__pool *pool)
{
    if (tendon__pool_reserve(pool))
        return true;
    if (pool->closed || tendon__list_empty(&pool->idle) ||
        tendon__pool_total(pool) > pool->options.max)
        return false;
    /* The place is taken before the owner hears of the closing, and nothing is dialled in between.
     */
    struct tendon__member *member = TENDON__OWNER(pool->idle.prev, struct tendon__member, link);
    pool->reserved_count++;
    tendon__member_close(pool, member, TENDON__CLOSE_IDLE);
    return true;
}

void tendon__pool_unreserve(struct tendon__pool *pool, int64_t now_ns)
{
    if (!pool->reserved_count)
        return;
    pool->reserved_count--;
    tendon__pool_serve(pool, now_ns);
}

void tendon__pool_unqueue(struct tendon__pool *pool, struct tendon__waiter *waiter)
{
    tendon__list_remove(&waiter->link);
    waiter->waiting = false;
    pool->waiting_count--;
}

struct tendon__waiter *tendon__pool_shift(struct tendon__pool *pool)
{
    if (tendon__list_empty(&pool->waiters))
        return NULL;
    struct tendon__waiter *waiter = TENDON__OWNER(pool->waiters.next, struct tendon__waiter, link);
    tendon__pool_unqueue(pool, waiter);
    return waiter;
}

void tendon__pool_grant(struct tendon__pool *pool, struct tendon__waiter *waiter,
                        struct tendon__member *member, int64_t now_ns)
{
    tendon__member_move(pool, member, TENDON__MEMBER_LEASED);
    member->ever_leased = true;
    pool->counters.wait_ns += (uint64_t)(now_ns - waiter->since_ns);
    pool->ops->grant(pool->context, waiter, member);
}

struct tendon__member *tendon__pool_pick(struct tendon__pool *pool, int64_t now_ns)
{
    while (!tendon__list_empty(&pool->idle)) {
        struct tendon__member *member = TENDON__OWNER(pool->idle.next, struct tendon__member, link);
        enum tendon__close_reason reason;
        if (!tendon__member_is_over(pool, member, now_ns, &reason))
            return member;
        tendon__member_close(pool, member, reason);
    }
    return NULL;
}

/*
 * Connections still to be dialled: one per waiter beyond what is being dialled or tested to be
 * lent, and what min_idle lacks. Members being reset or tested return by themselves, so they count
 * as idle.
 */
static uint32_t missing_count(const struct tendon__pool *pool)
{
    int64_t spare = (int64_t)pool->coming_count + pool->lending_count - pool->waiting_count;
    int64_t for_waiters = spare < 0 ? -spare : 0;
    int64_t ready = (int64_t)pool->idle_count + pool->busy_count - pool->lending_count;
    ready += spare > 0 ? spare : 0;
    int64_t for_idle = (int64_t)pool->options.min_idle - ready;
    int64_t missing = for_waiters + (for_idle > 0 ? for_idle : 0);
    return missing < UINT32_MAX ? (uint32_t)missing : UINT32_MAX;
}

static void dial_missing(struct tendon__pool *pool)
{
    const struct tendon__pool_options *options = &pool->options;
    while (!pool->closed && missing_count(pool) > 0 && tendon__pool_total(pool) < options->max &&
           pool->dialing_count < options->dial_concurrency) {
        uint32_t before = pool->dialing_count;
        if (!pool->ops->dial(pool->context) || pool->dialing_count == before)
            return;
    }
}

void tendon__pool_serve(struct tendon__pool *pool, int64_t now_ns)
{
    while (pool->waiting_count > pool->lending_count) {
        struct tendon__member *member = tendon__pool_pick(pool, now_ns);
        if (!member)
            break;
        if (pool->options.test_on_borrow)
            tendon__member_test(pool, member, true);
        else
            tendon__pool_grant(pool, tendon__pool_shift(pool), member, now_ns);
    }
    dial_missing(pool);
}

/* Whether one more waiter would stand behind all connections there can be, and too many others too.
 */
static bool is_queue_full(const struct tendon__pool *pool)
{
    uint64_t taken = (uint64_t)pool->leased_count + pool->reserved_count;
    uint64_t within_reach = pool->options.max > taken ? pool->options.max - taken : 0;
    uint64_t allowed = pool->options.wait_ns == 0 ? 0 : pool->options.max_waiting;
    return pool->waiting_count >= within_reach + allowed;
}

void tendon__pool_borrow(struct tendon__pool *pool, struct tendon__waiter *waiter, int64_t now_ns)
{
    waiter->since_ns = now_ns;
    waiter->waiting = false;
    pool->counters.borrows++;
    if (pool->closed) {
        pool->ops->refuse(pool->context, waiter, TENDON_ERROR_CLOSED);
        return;
    }
    if (!pool->options.test_on_borrow && pool->waiting_count == 0) {
        struct tendon__member *member = tendon__pool_pick(pool, now_ns);
        if (member) {
            tendon__pool_grant(pool, waiter, member, now_ns);
            dial_missing(pool);
            return;
        }
    }
    if (is_queue_full(pool)) {
        pool->ops->refuse(pool->context, waiter, TENDON_ERROR_POOL_EXHAUSTED);
        return;
    }
    if (pool->options.wait_ns > 0)
        waiter->deadline_ns = earlier(waiter->deadline_ns, now_ns + pool->options.wait_ns);
    waiter->waiting = true;
    tendon__list_push(&pool->waiters, &waiter->link);
    pool->waiting_count++;
    pool->counters.waits++;
    pool->waiter_due_ns = earlier(pool->waiter_due_ns, waiter->deadline_ns);
    tendon__pool_serve(pool, now_ns);
}

void tendon__pool_cancel(struct tendon__pool *pool, struct tendon__waiter *waiter, int64_t now_ns)
{
    if (!waiter->waiting)
        return;
    /* Dials and tests begun for it go on: what they bring serves the next waiter or becomes idle.
     */
    tendon__pool_unqueue(pool, waiter);
    pool->counters.wait_ns += (uint64_t)(now_ns - waiter->since_ns);
}

void tendon__pool_give_back(struct tendon__pool *pool, struct tendon__member *member,
                            enum tendon__condition condition, int64_t now_ns)
{
    if (member->state != TENDON__MEMBER_LEASED)
        return;
    tendon__member_rest(pool, member, now_ns);
    enum tendon__close_reason reason;
    if (condition == TENDON__CONDITION_BROKEN) {
        tendon__member_close(pool, member, TENDON__CLOSE_ERROR);
    } else if (tendon__member_is_over(pool, member, now_ns, &reason)) {
        tendon__member_close(pool, member, reason);
    } else if (condition == TENDON__CONDITION_DIRTY) {
        tendon__member_move(pool, member, TENDON__MEMBER_RESETTING);
        pool->ops->reset(pool->context, member);
    } else if (pool->options.test_on_return) {
        tendon__member_test(pool, member, false);
    } else {
        tendon__member_settle(pool, member, false, now_ns);
    }
    tendon__pool_serve(pool, now_ns);
}

void tendon__pool_dialing(struct tendon__pool *pool, struct tendon__member *member)
{
    member->stale = false;
    member->ever_leased = false;
    member->lifetime_limit_ns = TENDON__NEVER;
    member->idle_limit_ns = TENDON__NEVER;
    tendon__member_move(pool, member, TENDON__MEMBER_DIALING);
    member->counted = true;
    pool->coming_count++;
}

void tendon__pool_connected(struct tendon__pool *pool, struct tendon__member *member,
                            int64_t now_ns)
{
    if (member->state != TENDON__MEMBER_DIALING)
        return;
    member->created_ns = now_ns;
    member->lifetime_limit_ns = tendon__pool_jittered(pool, now_ns, pool->options.lifetime_ns);
    tendon__member_rest(pool, member, now_ns);
    tendon__member_settle(pool, member, true, now_ns);
    tendon__pool_serve(pool, now_ns);
}

/* Asks about every waiter, each out of any list of ours while asked: the owner may free it. */
static void ask_waiters(struct tendon__pool *pool)
{
    struct tendon__link asked;
    tendon__list_init(&asked);
    while (!tendon__list_empty(&pool->waiters))
        tendon__list_push(&asked, tendon__list_shift(&pool->waiters));
    while (!tendon__list_empty(&asked)) {
        struct tendon__waiter *waiter = TENDON__OWNER(asked.next, struct tendon__waiter, link);
        tendon__pool_unqueue(pool, waiter);
        if (!pool->ops->dial_failed(pool->context, waiter))
            continue;
        waiter->waiting = true;
        tendon__list_push(&pool->waiters, &waiter->link);
        pool->waiting_count++;
    }
}

void tendon__pool_dial_failed(struct tendon__pool *pool, struct tendon__member *member,
                              int64_t now_ns)
{
    if (member->state != TENDON__MEMBER_DIALING)
        return;
    tendon__member_move(pool, member, TENDON__MEMBER_NONE);
    ask_waiters(pool);
    tendon__pool_serve(pool, now_ns);
}

void tendon__pool_lost(struct tendon__pool *pool, struct tendon__member *member,
                       enum tendon__close_reason reason, int64_t now_ns)
{
    if (member->state == TENDON__MEMBER_NONE)
        return;
    tendon__member_move(pool, member, TENDON__MEMBER_NONE);
    pool->counters.closed[reason]++;
    tendon__pool_serve(pool, now_ns);
}

void tendon__pool_tested(struct tendon__pool *pool, struct tendon__member *member, bool healthy,
                         int64_t now_ns)
{
    if (member->state != TENDON__MEMBER_TESTING)
        return;
    member->quiet_ns = now_ns;
    if (healthy)
        tendon__member_settle(pool, member, true, now_ns);
    else
        tendon__member_close(pool, member, TENDON__CLOSE_UNHEALTHY);
    tendon__pool_serve(pool, now_ns);
}

void tendon__pool_was_reset(struct tendon__pool *pool, struct tendon__member *member, bool clean,
                            int64_t now_ns)
{
    if (member->state != TENDON__MEMBER_RESETTING)
        return;
    member->quiet_ns = now_ns;
    if (clean) /* its answer is as good as a test */
        tendon__member_settle(pool, member, true, now_ns);
    else
        tendon__member_close(pool, member, TENDON__CLOSE_DIRTY);
    tendon__pool_serve(pool, now_ns);
}

void tendon__pool_kick(struct tendon__pool *pool, int64_t now_ns)
{
    tendon__pool_serve(pool, now_ns);
}
