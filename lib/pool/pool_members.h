/* What the files of the pool share: moving members between lists, and serving waiters. */
#ifndef TENDON_POOL_POOL_MEMBERS_H
#define TENDON_POOL_POOL_MEMBERS_H

#include "pool/pool.h"

static inline int64_t earlier(int64_t one_ns, int64_t other_ns)
{
    return one_ns < other_ns ? one_ns : other_ns;
}

/* Members and reservations together, what options.max bounds. */
static inline uint32_t tendon__pool_total(const struct tendon__pool *pool)
{
    return pool->dialing_count + pool->idle_count + pool->leased_count + pool->busy_count +
           pool->reserved_count;
}

/* The one place a member changes its state, its list and the counts. NONE takes it out of the pool.
 */
void tendon__member_move(struct tendon__pool *pool, struct tendon__member *member,
                         enum tendon__member_state state);
/* Takes it out, counts the reason and tells the owner to close it. */
void tendon__member_close(struct tendon__pool *pool, struct tendon__member *member,
                          enum tendon__close_reason reason);
/* True, with the reason, when it may not be lent again: stale, the pool closed, or too old. */
bool tendon__member_is_over(const struct tendon__pool *pool, const struct tendon__member *member,
                            int64_t now_ns, enum tendon__close_reason *out_reason);
/* The end of `span_ns` from now, shortened by a random share so that members do not end together.
 */
int64_t tendon__pool_jittered(struct tendon__pool *pool, int64_t now_ns, int64_t span_ns);
/* A connection begins to be unused: its idle limit runs from here. */
void tendon__member_rest(struct tendon__pool *pool, struct tendon__member *member, int64_t now_ns);
/* Into the idle list, by the time since when it is unused. */
void tendon__member_idle(struct tendon__pool *pool, struct tendon__member *member);
void tendon__member_test(struct tendon__pool *pool, struct tendon__member *member, bool on_borrow);
/*
 * Decides what becomes of a clean connection that nobody uses: closed, lent, tested to be lent, or
 * idle. `proven` means it has just answered. Does not serve others: the caller does.
 */
void tendon__member_settle(struct tendon__pool *pool, struct tendon__member *member, bool proven,
                           int64_t now_ns);

/* Lends what is idle to those who wait, and dials what is still missing. Ends every event. */
void tendon__pool_serve(struct tendon__pool *pool, int64_t now_ns);
/* The member goes to the waiter, which has left the queue. */
void tendon__pool_grant(struct tendon__pool *pool, struct tendon__waiter *waiter,
                        struct tendon__member *member, int64_t now_ns);
/* Takes the first waiter out of the queue; NULL when empty. */
struct tendon__waiter *tendon__pool_shift(struct tendon__pool *pool);
void tendon__pool_unqueue(struct tendon__pool *pool, struct tendon__waiter *waiter);
/* The idle member to lend, the most recently used; closes those that are over on the way. */
struct tendon__member *tendon__pool_pick(struct tendon__pool *pool, int64_t now_ns);

#endif
