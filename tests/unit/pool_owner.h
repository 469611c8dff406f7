/* An owner of a pool that writes down what it is asked, and the verbs its tests are told in. */
#ifndef TENDON_TEST_POOL_OWNER_H
#define TENDON_TEST_POOL_OWNER_H

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "pool/pool.h"
#include "pool_check.h"

#define MEMBERS 64

/* An owner that writes down what it is asked. Waiters and members go by their index. */
struct owner {
    struct tendon__pool pool;
    struct tendon__member members[MEMBERS];
    struct tendon__waiter waiters[MEMBERS];
    uint32_t dialled;
    bool refuses_dials;
    bool was_refused;    /* the last dial asked for */
    uint64_t takes_away; /* by bit: waiters that end when a dial fails */
    char log[2048];
};

static inline void note(struct owner *owner, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static inline void note(struct owner *owner, const char *format, ...)
{
    size_t used = strlen(owner->log);
    va_list values;
    va_start(values, format);
    vsnprintf(owner->log + used, sizeof owner->log - used, format, values);
    va_end(values);
}

static inline int member_index(struct owner *owner, struct tendon__member *member)
{
    return (int)(member - owner->members);
}

static inline int waiter_index(struct owner *owner, struct tendon__waiter *waiter)
{
    return (int)(waiter - owner->waiters);
}

static inline bool on_dial(void *context)
{
    struct owner *owner = context;
    owner->was_refused = owner->refuses_dials;
    if (owner->refuses_dials)
        return false;
    cr_assert_lt(owner->dialled, MEMBERS);
    note(owner, "dial%u ", owner->dialled);
    tendon__pool_dialing(&owner->pool, &owner->members[owner->dialled++]);
    return true;
}

static inline void on_close(void *context, struct tendon__member *member,
                            enum tendon__close_reason reason)
{
    static const char *const names[] = {"idle",      "lifetime", "peer",  "dirty",
                                        "unhealthy", "stale",    "error", "shutdown"};
    struct owner *owner = context;
    cr_assert_eq(member->state, TENDON__MEMBER_NONE);
    note(owner, "close%d:%s ", member_index(owner, member), names[reason]);
}

static inline void on_test(void *context, struct tendon__member *member)
{
    struct owner *owner = context;
    note(owner, "test%d ", member_index(owner, member));
}

static inline void on_reset(void *context, struct tendon__member *member)
{
    struct owner *owner = context;
    note(owner, "reset%d ", member_index(owner, member));
}

static inline void on_grant(void *context, struct tendon__waiter *waiter,
                            struct tendon__member *member)
{
    struct owner *owner = context;
    cr_assert_eq(member->state, TENDON__MEMBER_LEASED);
    cr_assert_not(waiter->waiting);
    note(owner, "%c=%d ", 'a' + waiter_index(owner, waiter), member_index(owner, member));
}

static inline void on_refuse(void *context, struct tendon__waiter *waiter, tendon_status status)
{
    struct owner *owner = context;
    cr_assert_not(waiter->waiting);
    const char *why = status == TENDON_ERROR_POOL_TIMEOUT     ? "timeout"
                      : status == TENDON_ERROR_POOL_EXHAUSTED ? "exhausted"
                      : status == TENDON_ERROR_CLOSED         ? "closed"
                                                              : "?";
    note(owner, "%c:%s ", 'a' + waiter_index(owner, waiter), why);
}

static inline bool on_dial_failed(void *context, struct tendon__waiter *waiter)
{
    struct owner *owner = context;
    int index = waiter_index(owner, waiter);
    bool keep = !(owner->takes_away >> index & 1);
    if (!keep)
        memset(waiter, 0x5a, sizeof *waiter); /* freed, for all the pool may know */
    note(owner, "%c?%s ", 'a' + index, keep ? "keep" : "gone");
    return keep;
}

static const struct tendon__pool_ops ops = {.dial = on_dial,
                                            .close = on_close,
                                            .test = on_test,
                                            .reset = on_reset,
                                            .grant = on_grant,
                                            .refuse = on_refuse,
                                            .dial_failed = on_dial_failed};

static const struct tendon__pool_options plain = {
    .max = 4, .max_idle = 4, .max_waiting = 100, .dial_concurrency = 4, .wait_ns = -1};

static inline void open_pool(struct owner *owner, const struct tendon__pool_options *options)
{
    memset(owner, 0, sizeof *owner);
    tendon__pool_init(&owner->pool, options, &ops, owner, 7);
}

/* The owner was asked exactly this since the last time. */
static inline void expect(struct owner *owner, const char *want)
{
    cr_assert_str_eq(owner->log, want);
    owner->log[0] = '\0';
    const char *broken = pool_check(&owner->pool, owner->was_refused);
    cr_assert_null(broken, "%s", broken);
}

static inline struct tendon__waiter *waiter_of(struct owner *owner, char name)
{
    return &owner->waiters[name - 'a'];
}

static inline void borrow_until(struct owner *owner, char name, int64_t now_ns, int64_t deadline_ns)
{
    struct tendon__waiter *waiter = waiter_of(owner, name);
    memset(waiter, 0, sizeof *waiter);
    waiter->deadline_ns = deadline_ns;
    tendon__pool_borrow(&owner->pool, waiter, now_ns);
}

static inline void borrow(struct owner *owner, char name, int64_t now_ns)
{
    borrow_until(owner, name, now_ns, TENDON__NEVER);
}

static inline void connected(struct owner *owner, int index, int64_t now_ns)
{
    tendon__pool_connected(&owner->pool, &owner->members[index], now_ns);
}

static inline void give_back(struct owner *owner, int index, int64_t now_ns)
{
    tendon__pool_give_back(&owner->pool, &owner->members[index], TENDON__CONDITION_CLEAN, now_ns);
}

static inline void tested(struct owner *owner, int index, bool healthy, int64_t now_ns)
{
    tendon__pool_tested(&owner->pool, &owner->members[index], healthy, now_ns);
}

static inline void cancel(struct owner *owner, char name, int64_t now_ns)
{
    tendon__pool_cancel(&owner->pool, waiter_of(owner, name), now_ns);
}

static inline void tick(struct owner *owner, int64_t now_ns)
{
    tendon__pool_tick(&owner->pool, now_ns);
}

/* Fills the pool with `count` idle members, member 0 used last. */
static inline void fill(struct owner *owner, int count, int64_t now_ns)
{
    for (int i = 0; i < count; i++)
        borrow(owner, (char)('a' + i), now_ns);
    for (int i = 0; i < count; i++)
        connected(owner, i, now_ns);
    for (int i = count - 1; i >= 0; i--)
        give_back(owner, i, now_ns);
    owner->log[0] = '\0';
    cr_assert_eq(owner->pool.idle_count, (uint32_t)count);
}

#endif
