/* The members of a pool: states, lists, limits, what becomes of one nobody uses, and ending them
 * all. */
#include "pool/pool_members.h"

#include <assert.h>

struct place {
    struct tendon__link *list;
    uint32_t *count;
};

/* Where members of a state are kept; nowhere for NONE. */
static struct place place_of(struct tendon__pool *pool, enum tendon__member_state state)
{
    switch (state) {
    case TENDON__MEMBER_DIALING:
        return (struct place){&pool->dialing, &pool->dialing_count};
    case TENDON__MEMBER_IDLE:
        return (struct place){&pool->idle, &pool->idle_count};
    case TENDON__MEMBER_LEASED:
        return (struct place){&pool->leased, &pool->leased_count};
    case TENDON__MEMBER_RESETTING:
    case TENDON__MEMBER_TESTING:
        return (struct place){&pool->busy, &pool->busy_count};
    case TENDON__MEMBER_NONE:
        break;
    }
    return (struct place){NULL, NULL};
}

#define BIT(state) (1u << TENDON__MEMBER_##state)

/* From each state, those that may follow. Only our own code moves members, so a breach is a bug. */
static const uint32_t followers[] = {
    [TENDON__MEMBER_NONE] = BIT(DIALING),
    [TENDON__MEMBER_DIALING] = BIT(NONE) | BIT(IDLE) | BIT(LEASED),
    [TENDON__MEMBER_IDLE] = BIT(NONE) | BIT(LEASED) | BIT(TESTING),
    [TENDON__MEMBER_LEASED] = BIT(NONE) | BIT(IDLE) | BIT(LEASED) | BIT(RESETTING) | BIT(TESTING),
    [TENDON__MEMBER_RESETTING] = BIT(NONE) | BIT(IDLE) | BIT(LEASED),
    [TENDON__MEMBER_TESTING] = BIT(NONE) | BIT(IDLE) | BIT(LEASED),
};

void tendon__member_move(struct tendon__pool *pool, struct tendon__member *member,
                         enum tendon__member_state state)
{
    assert(followers[member->state] & (1u << state));
    (void)followers; /* releases are built without assertions */
    struct place old = place_of(pool, member->state);
    if (old.count) {
        tendon__list_remove(&member->link);
        --*old.count;
    }
    if (member->counted)
        --*(member->state == TENDON__MEMBER_DIALING ? &pool->coming_count : &pool->lending_count);
    member->counted = false;
    member->on_borrow = false;
    member->state = state;
    struct place new = place_of(pool, state);
    if (new.count) {
        tendon__list_push_front(new.list, &member->link);
        ++*new.count;
    }
}

void tendon__member_close(struct tendon__pool *pool, struct tendon__member *member,
                          enum tendon__close_reason reason)
{
    tendon__member_move(pool, member, TENDON__MEMBER_NONE);
    pool->counters.closed[reason]++;
    pool->ops->close(pool->context, member, reason);
}

bool tendon__member_is_over(const struct tendon__pool *pool, const struct tendon__member *member,
                            int64_t now_ns, enum tendon__close_reason *out_reason)
{
    if (pool->closed)
        *out_reason = TENDON__CLOSE_SHUTDOWN;
    else if (member->stale)
        *out_reason = TENDON__CLOSE_STALE;
    else if (now_ns >= member->lifetime_limit_ns)
        *out_reason = TENDON__CLOSE_LIFETIME;
    else
        return false;
    return true;
}

int64_t tendon__pool_jittered(struct tendon__pool *pool, int64_t now_ns, int64_t span_ns)
{
    if (span_ns <= 0)
        return TENDON__NEVER;
    uint64_t share_ns = (uint64_t)span_ns / 100 * pool->options.jitter_percent;
    return now_ns + span_ns - (int64_t)tendon__random_below(&pool->random, share_ns + 1);
}

void tendon__member_rest(struct tendon__pool *pool, struct tendon__member *member, int64_t now_ns)
{
    member->quiet_ns = now_ns;
    member->idle_ns = now_ns;
    member->idle_limit_ns = tendon__pool_jittered(pool, now_ns, pool->options.idle_timeout_ns);
}

/* Keeps the times of the next tick no later than this idle member needs. */
static void note_idle(struct tendon__pool *pool, const struct tendon__member *member)
{
    const struct tendon__pool_options *options = &pool->options;
    pool->member_due_ns = earlier(pool->member_due_ns, member->lifetime_limit_ns);
    if (options->test_while_idle && options->health_interval_ns > 0)
        pool->member_due_ns =
            earlier(pool->member_due_ns, member->quiet_ns + options->health_interval_ns);
    pool->retire_due_ns = earlier(pool->retire_due_ns, member->idle_limit_ns);
}

void tendon__member_idle(struct tendon__pool *pool, struct tendon__member *member)
{
    tendon__member_move(pool, member, TENDON__MEMBER_IDLE);
    note_idle(pool, member);
    /* One that was only tested is no more recently used than before: it returns to its place,
       mostly near the end. One just used is the newest and stays in front, where move put it. */
    struct tendon__link *next = member->link.next;
    if (next == &pool->idle ||
        TENDON__OWNER(next, struct tendon__member, link)->idle_ns <= member->idle_ns)
        return;
    tendon__list_remove(&member->link);
    struct tendon__link *after = pool->idle.prev;
    while (after != &pool->idle &&
           TENDON__OWNER(after, struct tendon__member, link)->idle_ns < member->idle_ns)
        after = after->prev;
    tendon__list_insert(after, &member->link);
}

void tendon__member_test(struct tendon__pool *pool, struct tendon__member *member, bool on_borrow)
{
    tendon__member_move(pool, member, TENDON__MEMBER_TESTING);
    member->on_borrow = on_borrow;
    if (on_borrow) {
        member->counted = true;
        pool->lending_count++;
    }
    pool->ops->test(pool->context, member);
}

void tendon__member_settle(struct tendon__pool *pool, struct tendon__member *member, bool proven,
                           int64_t now_ns)
{
    enum tendon__close_reason reason;
    if (tendon__member_is_over(pool, member, now_ns, &reason)) {
        tendon__member_close(pool, member, reason);
    } else if (pool->waiting_count > 0 && (proven || !pool->options.test_on_borrow)) {
        tendon__pool_grant(pool, tendon__pool_shift(pool), member, now_ns);
    } else if (pool->waiting_count > pool->lending_count) {
        tendon__member_test(pool, member, true);
    } else if (pool->idle_count >= pool->options.max_idle) {
        tendon__member_close(pool, member, TENDON__CLOSE_IDLE);
    } else {
        tendon__member_idle(pool, member);
    }
}

static void mark_stale(struct tendon__pool *pool, struct tendon__link *list)
{
    for (struct tendon__link *link = list->next; link != list; link = link->next) {
        struct tendon__member *member = TENDON__OWNER(link, struct tendon__member, link);
        member->stale = true;
        if (member->counted)
            --*(list == &pool->dialing ? &pool->coming_count : &pool->lending_count);
        member->counted = false;
    }
}

/* Marks before closing, so that nothing of the old generation can be lent in between. */
static void empty_out(struct tendon__pool *pool, enum tendon__close_reason reason)
{
    mark_stale(pool, &pool->dialing);
    mark_stale(pool, &pool->leased);
    mark_stale(pool, &pool->busy);
    mark_stale(pool, &pool->idle);
    while (!tendon__list_empty(&pool->idle))
        tendon__member_close(pool, TENDON__OWNER(pool->idle.prev, struct tendon__member, link),
                             reason);
}

void tendon__pool_drain(struct tendon__pool *pool, enum tendon__close_reason reason, int64_t now_ns)
{
    empty_out(pool, reason);
    tendon__pool_serve(pool, now_ns);
}

void tendon__pool_close(struct tendon__pool *pool, int64_t now_ns)
{
    pool->closed = true;
    empty_out(pool, TENDON__CLOSE_SHUTDOWN);
    struct tendon__waiter *waiter;
    while ((waiter = tendon__pool_shift(pool)) != NULL) {
        pool->counters.wait_ns += (uint64_t)(now_ns - waiter->since_ns);
        pool->ops->refuse(pool->context, waiter, TENDON_ERROR_CLOSED);
    }
}
