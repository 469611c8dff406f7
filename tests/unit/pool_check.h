/* What must hold of a pool whenever none of its functions is running; says what does not. */
#ifndef TENDON_TEST_POOL_CHECK_H
#define TENDON_TEST_POOL_CHECK_H

#include <stdint.h>

#include "pool/pool.h"

/* Length of a well-linked list whose members are in one of two states; UINT32_MAX when it is
 * broken. */
static uint32_t pool_check_list(const struct tendon__link *list, enum tendon__member_state state,
                                enum tendon__member_state other)
{
    uint32_t count = 0;
    for (const struct tendon__link *link = list->next; link != list; link = link->next) {
        const struct tendon__member *member = TENDON__OWNER(link, struct tendon__member, link);
        if (link->next->prev != link || (member->state != state && member->state != other))
            return UINT32_MAX;
        count++;
    }
    return count;
}

static uint32_t pool_check_counted(const struct tendon__link *list)
{
    uint32_t count = 0;
    for (const struct tendon__link *link = list->next; link != list; link = link->next)
        count += TENDON__OWNER(link, struct tendon__member, link)->counted;
    return count;
}

/* Nobody waits while a connection could be lent, and no dial is missing that is allowed. */
static const char *pool_check_service(const struct tendon__pool *pool, uint32_t total,
                                      bool dial_refused)
{
    if (pool->idle_count && pool->waiting_count > pool->lending_count)
        return "somebody waits although a connection is idle";
    if (pool->closed || dial_refused || total >= pool->options.max ||
        pool->dialing_count >= pool->options.dial_concurrency)
        return NULL;
    if (pool->waiting_count > pool->lending_count + pool->coming_count)
        return "a waiter lacks its dial";
    uint32_t spare = pool->lending_count + pool->coming_count - pool->waiting_count;
    uint32_t ready = pool->idle_count + pool->busy_count - pool->lending_count + spare;
    return ready < pool->options.min_idle ? "min_idle lacks a dial" : NULL;
}

/* NULL when all is well. `dial_refused`: the last dial asked for was refused. */
static inline const char *pool_check(const struct tendon__pool *pool, bool dial_refused)
{
    if (pool_check_list(&pool->dialing, TENDON__MEMBER_DIALING, TENDON__MEMBER_DIALING) !=
        pool->dialing_count)
        return "dialing list and count differ";
    if (pool_check_list(&pool->idle, TENDON__MEMBER_IDLE, TENDON__MEMBER_IDLE) != pool->idle_count)
        return "idle list and count differ";
    if (pool_check_list(&pool->leased, TENDON__MEMBER_LEASED, TENDON__MEMBER_LEASED) !=
        pool->leased_count)
        return "leased list and count differ";
    if (pool_check_list(&pool->busy, TENDON__MEMBER_RESETTING, TENDON__MEMBER_TESTING) !=
        pool->busy_count)
        return "busy list and count differ";
    if (pool_check_counted(&pool->dialing) != pool->coming_count)
        return "coming_count is wrong";
    if (pool_check_counted(&pool->busy) != pool->lending_count)
        return "lending_count is wrong";
    uint32_t waiting = 0;
    for (const struct tendon__link *link = pool->waiters.next; link != &pool->waiters;
         link = link->next, waiting++) {
        if (waiting > pool->waiting_count)
            return "waiter list and count differ"; /* the list may have no end */
        if (!TENDON__OWNER(link, struct tendon__waiter, link)->waiting)
            return "a queued waiter is not waiting";
    }
    if (waiting != pool->waiting_count)
        return "waiter list and count differ";
    uint32_t total = pool->dialing_count + pool->idle_count + pool->leased_count +
                     pool->busy_count + pool->reserved_count;
    if (total > pool->options.max)
        return "more connections than max";
    if (pool->dialing_count > pool->options.dial_concurrency)
        return "more dials than dial_concurrency";
    if (pool->idle_count > pool->options.max_idle)
        return "more idle connections than max_idle";
    for (const struct tendon__link *link = pool->idle.next; link->next != &pool->idle;
         link = link->next)
        if (link != &pool->idle &&
            TENDON__OWNER(link, struct tendon__member, link)->idle_ns <
                TENDON__OWNER(link->next, struct tendon__member, link)->idle_ns)
            return "idle connections are not ordered by use";
    return pool_check_service(pool, total, dial_refused);
}

#endif
