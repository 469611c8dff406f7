/* What the passing of time asks of a pool: waiters that give up, connections too old, idle or
 * silent. */
#include "pool/pool_members.h"

/* Refuses the waiters whose time is up and finds out when the next one's is. */
static void expire_waiters(struct tendon__pool *pool, int64_t now_ns)
{
    if (now_ns < pool->waiter_due_ns)
        return;
    pool->waiter_due_ns = TENDON__NEVER;
    struct tendon__link seen; /* the owner may call cancel for another while one is refused */
    tendon__list_init(&seen);
    while (!tendon__list_empty(&pool->waiters))
        tendon__list_push(&seen, tendon__list_shift(&pool->waiters));
    while (!tendon__list_empty(&seen)) {
        struct tendon__waiter *waiter = TENDON__OWNER(seen.next, struct tendon__waiter, link);
        if (now_ns < waiter->deadline_ns) {
            pool->waiter_due_ns = earlier(pool->waiter_due_ns, waiter->deadline_ns);
            tendon__list_remove(&waiter->link);
            tendon__list_push(&pool->waiters, &waiter->link);
            continue;
        }
        tendon__pool_unqueue(pool, waiter);
        pool->counters.wait_timeouts++;
        pool->counters.wait_ns += (uint64_t)(now_ns - waiter->since_ns);
        pool->ops->refuse(pool->context, waiter, TENDON_ERROR_POOL_TIMEOUT);
    }
}

/* The moment an idle member has been silent for too long. */
static int64_t silence_end(const struct tendon__pool *pool, const struct tendon__member *member)
{
    const struct tendon__pool_options *options = &pool->options;
    if (!options->test_while_idle || options->health_interval_ns <= 0)
        return TENDON__NEVER;
    return member->quiet_ns + options->health_interval_ns;
}

/* Closes or tests one idle member if its time has come; true when it is idle no more. */
static bool look_after(struct tendon__pool *pool, struct tendon__member *member, int64_t now_ns)
{
    enum tendon__close_reason reason;
    if (tendon__member_is_over(pool, member, now_ns, &reason)) {
        tendon__member_close(pool, member, reason);
        return true;
    }
    if (now_ns >= member->idle_limit_ns && pool->idle_count > pool->options.min_idle) {
        tendon__member_close(pool, member, TENDON__CLOSE_IDLE);
        return true;
    }
    if (now_ns < silence_end(pool, member))
        return false;
    tendon__member_test(pool, member, false);
    return true;
}

/* Goes through the idle members, the longest unused first, so that those are retired. */
static void look_after_idle(struct tendon__pool *pool, int64_t now_ns)
{
    bool retire = pool->idle_count > pool->options.min_idle && now_ns >= pool->retire_due_ns;
    if (now_ns < pool->member_due_ns && !retire)
        return;
    pool->member_due_ns = TENDON__NEVER;
    pool->retire_due_ns = TENDON__NEVER;
    struct tendon__link seen; /* stays whole whatever the owner's answer does to other members */
    tendon__list_init(&seen);
    while (!tendon__list_empty(&pool->idle))
        tendon__list_push(&seen, tendon__list_shift(&pool->idle));
    while (!tendon__list_empty(&seen)) {
        struct tendon__member *member = TENDON__OWNER(seen.prev, struct tendon__member, link);
        tendon__list_remove(&member->link);
        tendon__list_push_front(&pool->idle, &member->link);
        if (look_after(pool, member, now_ns))
            continue;
        pool->member_due_ns = earlier(pool->member_due_ns, member->lifetime_limit_ns);
        pool->member_due_ns = earlier(pool->member_due_ns, silence_end(pool, member));
        pool->retire_due_ns = earlier(pool->retire_due_ns, member->idle_limit_ns);
    }
}

void tendon__pool_tick(struct tendon__pool *pool, int64_t now_ns)
{
    expire_waiters(pool, now_ns);
    look_after_idle(pool, now_ns);
    tendon__pool_serve(pool, now_ns);
}

int64_t tendon__pool_deadline(const struct tendon__pool *pool)
{
    if (pool->closed)
        return TENDON__NEVER;
    int64_t due_ns = pool->member_due_ns;
    if (pool->waiting_count)
        due_ns = earlier(due_ns, pool->waiter_due_ns);
    if (pool->idle_count > pool->options.min_idle)
        due_ns = earlier(due_ns, pool->retire_due_ns);
    return due_ns;
}
