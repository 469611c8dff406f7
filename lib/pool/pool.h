/*
 * The pool of one node: who gets which connection, when to open and close one. Sans-IO: it knows no
 * socket and no clock, is told what happened with `now_ns`, answers through `ops`, and says when it
 * wants to be called next. Not thread-safe; its owner serialises calls. Ops may be called from
 * inside any function below and must not call back into the pool.
 */
#ifndef TENDON_POOL_POOL_H
#define TENDON_POOL_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include <tendon/status.h>
#include <tendon/types.h>

#include "base/list.h"
#include "base/random.h"

#define TENDON__NEVER INT64_MAX /* a deadline that does not come */

struct tendon__pool_options {
    uint32_t max;         /* members and reservations together */
    uint32_t min_idle;    /* kept ready: dialled in the background, never retired for idleness */
    uint32_t max_idle;    /* more idle ones are closed when given back */
    uint32_t max_waiting; /* borrowers queued at most */
    uint32_t dial_concurrency;  /* members DIALING at the same time at most */
    int64_t wait_ns;            /* 0: refuse at once; -1: until the waiter's own deadline */
    int64_t health_interval_ns; /* silence before an idle member is tested; 0 never */
    int64_t idle_timeout_ns;    /* 0: never */
    int64_t lifetime_ns;        /* 0: never */
    uint32_t
        jitter_percent; /* each member's idle and lifetime limits are shortened by 0..this share */
    bool test_on_borrow;
    bool test_on_return;
    bool test_while_idle;
};

enum tendon__member_state {
    TENDON__MEMBER_NONE,
    TENDON__MEMBER_DIALING,
    TENDON__MEMBER_IDLE, /* LIFO: the most recently used is lent first */
    TENDON__MEMBER_LEASED,
    TENDON__MEMBER_RESETTING, /* given back dirty; ops->reset is under way */
    TENDON__MEMBER_TESTING,   /* ops->test is under way */
};

enum tendon__close_reason {
    TENDON__CLOSE_IDLE,
    TENDON__CLOSE_LIFETIME,
    TENDON__CLOSE_PEER,
    TENDON__CLOSE_DIRTY,
    TENDON__CLOSE_UNHEALTHY,
    TENDON__CLOSE_STALE,
    TENDON__CLOSE_ERROR,
    TENDON__CLOSE_SHUTDOWN,
    TENDON__CLOSE_REASONS
};

enum tendon__condition {
    TENDON__CONDITION_CLEAN,  /* nothing left behind: straight back to idle (or tested) */
    TENDON__CONDITION_DIRTY,  /* state left behind, nothing unanswered: reset it first */
    TENDON__CONDITION_BROKEN, /* unread reply, error, closed: close it */
};

/* Embedded in a connection; the pool links it and never frees it. Zero it first. */
struct tendon__member {
    struct tendon__link link;
    enum tendon__member_state state;
    bool stale; /* belongs to an older generation: closed instead of lent again */
    bool ever_leased;
    int64_t created_ns;        /* handshake done */
    int64_t quiet_ns;          /* since when nothing has been sent or received while idle */
    int64_t idle_ns;           /* since when idle */
    int64_t idle_limit_ns;     /* absolute; NEVER if none */
    int64_t lifetime_limit_ns; /* absolute; NEVER if none */
    bool on_borrow;            /* TESTING for whoever is first in the queue when the test ends */
    bool counted; /* in the pool's coming_count while DIALING, in lending_count while TESTING */
};

/* Embedded in a lease; the pool links it and never frees it. Zero it first. */
struct tendon__waiter {
    struct tendon__link link;
    int64_t deadline_ns; /* in: the caller's own; the pool lowers it to now + wait_ns */
    int64_t since_ns;
    bool waiting; /* queued; also while a test on borrow is under way for it */
};

/* What the pool asks of its owner. `context` is the owner's. */
struct tendon__pool_ops {
    /* Open one more connection; a new member is handed in by tendon__pool_dialing before returning
       true. False: not now (backoff, shutdown); tendon__pool_kick is called when it may succeed
       again. */
    bool (*dial)(void *context);
    /* The member has left the pool: close it now. */
    void (*close)(void *context, struct tendon__member *member, enum tendon__close_reason reason);
    /* Send PING; the answer comes by tendon__pool_tested. */
    void (*test)(void *context, struct tendon__member *member);
    /* Clean the connection; the answer comes by tendon__pool_was_reset. */
    void (*reset)(void *context, struct tendon__member *member);
    /* The waiter has its connection; member is LEASED. */
    void (*grant)(void *context, struct tendon__waiter *waiter, struct tendon__member *member);
    /* The waiter has left the queue without one: TENDON_ERROR_POOL_TIMEOUT or _POOL_EXHAUSTED. */
    void (*refuse)(void *context, struct tendon__waiter *waiter, tendon_status status);
    /* A dial failed while the waiter was queued: true keeps it in its place, false means the owner
       has taken it away (refuse is not called). It is unlinked, and `waiting` false, while the
       owner is asked. */
    bool (*dial_failed)(void *context, struct tendon__waiter *waiter);
};

struct tendon__pool_counters {
    uint64_t borrows;
    uint64_t waits;
    uint64_t wait_timeouts;
    uint64_t wait_ns;
    uint64_t closed[TENDON__CLOSE_REASONS];
};

struct tendon__pool {
    struct tendon__pool_options options;
    const struct tendon__pool_ops *ops;
    void *context;
    struct tendon__random random;
    struct tendon__link dialing;
    struct tendon__link idle; /* most recently used first */
    struct tendon__link leased;
    struct tendon__link busy;    /* RESETTING and TESTING */
    struct tendon__link waiters; /* first come, first served */
    uint32_t dialing_count;
    uint32_t idle_count;
    uint32_t leased_count;
    uint32_t busy_count;
    uint32_t waiting_count;
    uint32_t
        reserved_count; /* connections counted against max that the owner keeps to itself (lanes) */
    uint32_t coming_count;  /* dials whose connection will be lent: not stale */
    uint32_t lending_count; /* tests on borrow whose connection will be lent: not stale */
    bool closed;
    /* The earliest moments tick may have work for, exact after a tick and possibly early before it.
     */
    int64_t waiter_due_ns;
    int64_t member_due_ns; /* lifetimes and health, and the first filling up to min_idle */
    int64_t retire_due_ns; /* idle limits; counts only while more than min_idle are idle */
    struct tendon__pool_counters counters;
};

void tendon__pool_init(struct tendon__pool *pool, const struct tendon__pool_options *options,
                       const struct tendon__pool_ops *ops, void *context, uint64_t seed);

/* Counts one connection the owner keeps against max. False when the pool is full. */
bool tendon__pool_reserve(struct tendon__pool *pool);
/* As reserve, but when the pool is full the longest unused idle member is closed to make room. */
bool tendon__pool_reserve_or_evict(struct tendon__pool *pool);
void tendon__pool_unreserve(struct tendon__pool *pool, int64_t now_ns);

/*
 * Grants, queues or refuses; always answers through ops, possibly before returning. Waiters are
 * served strictly in their order, by whichever connection is ready first: a test or dial begun for
 * one may end up serving the one before. A borrower counts against max_waiting, and is refused by a
 * wait of 0, only when no free, idle or opening connection is left for it behind those who came
 * earlier.
 */
void tendon__pool_borrow(struct tendon__pool *pool, struct tendon__waiter *waiter, int64_t now_ns);
/* The waiter gives up; nothing is answered. A member under test for it goes to the next. */
void tendon__pool_cancel(struct tendon__pool *pool, struct tendon__waiter *waiter, int64_t now_ns);
/* A LEASED member comes back. Does nothing for one that was lost meanwhile. */
void tendon__pool_give_back(struct tendon__pool *pool, struct tendon__member *member,
                            enum tendon__condition condition, int64_t now_ns);

/* Life of a member: dialing -> connected -> ... -> lost. */
void tendon__pool_dialing(struct tendon__pool *pool, struct tendon__member *member);
void tendon__pool_connected(struct tendon__pool *pool, struct tendon__member *member,
                            int64_t now_ns);
/* The dial failed: asks ops->dial_failed of every waiter, then dials again if still wanted. */
void tendon__pool_dial_failed(struct tendon__pool *pool, struct tendon__member *member,
                              int64_t now_ns);
/* A connected member ended by itself in any state; counted under `reason`, ops->close is not
 * called. */
void tendon__pool_lost(struct tendon__pool *pool, struct tendon__member *member,
                       enum tendon__close_reason reason, int64_t now_ns);
void tendon__pool_tested(struct tendon__pool *pool, struct tendon__member *member, bool healthy,
                         int64_t now_ns);
void tendon__pool_was_reset(struct tendon__pool *pool, struct tendon__member *member, bool clean,
                            int64_t now_ns);

/* Does what time asks for: waiter deadlines, tests, retirement, min_idle. */
void tendon__pool_tick(struct tendon__pool *pool, int64_t now_ns);
/* When tick wants to be called next; TENDON__NEVER if not. */
int64_t tendon__pool_deadline(const struct tendon__pool *pool);
/* Dials may succeed again: serve waiters and min_idle. */
void tendon__pool_kick(struct tendon__pool *pool, int64_t now_ns);
/* Closes idle members and marks the others stale. Waiters stay. */
void tendon__pool_drain(struct tendon__pool *pool, enum tendon__close_reason reason,
                        int64_t now_ns);
/* As drain, and every later borrow and every waiter is refused with TENDON_ERROR_CLOSED. */
void tendon__pool_close(struct tendon__pool *pool, int64_t now_ns);

#endif
