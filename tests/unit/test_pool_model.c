/*
 * The pool against a small model: 20,000 random steps per seed, everything checked after each. The
 * model keeps what the owner could know by itself: who waits in which order, and what each
 * connection is doing.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "pool/pool.h"
#include "pool_check.h"

#define STEPS   20000
#define SEEDS   24
#define MEMBERS 64
#define WAITERS 256

enum doing { GONE, DIALING, FREE, LENT, RESETTING, TESTING };

struct connection {
    struct tendon__member member; /* first: a member is its connection */
    enum doing doing;
    bool proven; /* has answered since it was last lent: lending it needs no test */
    bool old;    /* of a generation that was drained */
    int64_t born_ns;
};

struct borrower {
    struct tendon__waiter waiter; /* first: a waiter is its borrower */
    bool pending;                 /* borrowed and not ended */
    int64_t must_end_ns;          /* its own deadline, or that of the pool's wait */
    uint64_t ticket;
};

struct world {
    struct tendon__pool pool;
    struct tendon__random random;
    struct connection connections[MEMBERS];
    struct borrower borrowers[WAITERS];
    uint64_t tickets_begun;
    uint64_t tickets_ended;
    uint64_t tickets_served; /* the newest that was granted: grants go up */
    int64_t now_ns;
    bool refuses_dials;
    bool was_refused;
    bool closed;
    uint32_t reserved;
    uint64_t grants;
    uint64_t seed;
    int step;
};

#define must(world, truth)                                                                         \
    cr_assert(truth, "seed %llu, step %d", (unsigned long long)(world)->seed, (world)->step)

static uint64_t below(struct world *world, uint64_t bound)
{
    return tendon__random_below(&world->random, bound);
}

/* One more dial must serve a waiter no other dial or test serves, or fill up to min_idle. */
static bool is_wanted(const struct tendon__pool *pool)
{
    uint32_t coming = pool->coming_count + pool->lending_count;
    uint32_t idle = pool->idle_count + pool->busy_count - pool->lending_count;
    return pool->waiting_count > coming ||
           idle + coming - pool->waiting_count < pool->options.min_idle;
}

static bool on_dial(void *context)
{
    struct world *world = context;
    must(world, !world->closed && is_wanted(&world->pool));
    world->was_refused = world->refuses_dials;
    if (world->refuses_dials)
        return false;
    for (int i = 0; i < MEMBERS; i++) {
        struct connection *connection = &world->connections[i];
        if (connection->doing != GONE)
            continue;
        memset(connection, 0, sizeof *connection);
        connection->doing = DIALING;
        tendon__pool_dialing(&world->pool, &connection->member);
        return true;
    }
    must(world, false);
    return false;
}

static void on_close(void *context, struct tendon__member *member, enum tendon__close_reason reason)
{
    struct world *world = context;
    struct connection *connection = (struct connection *)(void *)member;
    const struct tendon__pool_options *options = &world->pool.options;
    must(world, connection->doing != GONE && connection->doing != DIALING);
    must(world, member->state == TENDON__MEMBER_NONE);
    if (reason == TENDON__CLOSE_LIFETIME)
        must(world,
             world->now_ns - connection->born_ns >=
                 options->lifetime_ns - options->lifetime_ns / 100 * options->jitter_percent);
    if (reason == TENDON__CLOSE_STALE)
        must(world, connection->old);
    if (reason == TENDON__CLOSE_SHUTDOWN)
        must(world, world->closed);
    memset(connection, 0, sizeof *connection);
}

static void on_test(void *context, struct tendon__member *member)
{
    struct world *world = context;
    struct connection *connection = (struct connection *)(void *)member;
    must(world, connection->doing == FREE);
    connection->doing = TESTING;
}

static void on_reset(void *context, struct tendon__member *member)
{
    struct world *world = context;
    struct connection *connection = (struct connection *)(void *)member;
    must(world, connection->doing == FREE && !connection->proven);
    connection->doing = RESETTING;
}

static void end(struct world *world, struct borrower *borrower)
{
    must(world, borrower->pending);
    borrower->pending = false;
    world->tickets_ended++;
}

static void on_grant(void *context, struct tendon__waiter *waiter, struct tendon__member *member)
{
    struct world *world = context;
    struct connection *connection = (struct connection *)(void *)member;
    struct borrower *borrower = (struct borrower *)(void *)waiter;
    must(world, connection->doing == FREE && !connection->old && !world->closed);
    must(world, !world->pool.options.test_on_borrow || connection->proven);
    must(world, world->now_ns < member->lifetime_limit_ns);
    end(world, borrower);
    must(world, borrower->ticket > world->tickets_served);
    world->tickets_served = borrower->ticket;
    for (int i = 0; i < WAITERS; i++) /* nobody who came earlier still waits */
        must(world, !world->borrowers[i].pending || world->borrowers[i].ticket > borrower->ticket);
    connection->doing = LENT;
    connection->proven = false;
    world->grants++;
}

static void on_refuse(void *context, struct tendon__waiter *waiter, tendon_status status)
{
    struct world *world = context;
    struct borrower *borrower = (struct borrower *)(void *)waiter;
    if (status == TENDON_ERROR_POOL_TIMEOUT)
        must(world, world->now_ns >= borrower->must_end_ns);
    else if (status == TENDON_ERROR_POOL_EXHAUSTED)
        must(world, world->pool.idle_count == 0 || world->pool.waiting_count > 0);
    else
        must(world, status == TENDON_ERROR_CLOSED && world->closed);
    end(world, borrower);
}

static bool on_dial_failed(void *context, struct tendon__waiter *waiter)
{
    struct world *world = context;
    struct borrower *borrower = (struct borrower *)(void *)waiter;
    must(world, borrower->pending);
    if (below(world, 4))
        return true;
    end(world, borrower);
    return false;
}

static const struct tendon__pool_ops ops = {.dial = on_dial,
                                            .close = on_close,
                                            .test = on_test,
                                            .reset = on_reset,
                                            .grant = on_grant,
                                            .refuse = on_refuse,
                                            .dial_failed = on_dial_failed};

/* Any connection that is doing this, chosen fairly; NULL when there is none. */
static struct connection *any(struct world *world, enum doing doing)
{
    struct connection *found = NULL;
    uint64_t seen = 0;
    for (int i = 0; i < MEMBERS; i++)
        if (world->connections[i].doing == doing && below(world, ++seen) == 0)
            found = &world->connections[i];
    return found;
}

static void step_borrow(struct world *world)
{
    for (int i = 0; i < WAITERS; i++) {
        struct borrower *borrower = &world->borrowers[i];
        if (borrower->pending)
            continue;
        memset(borrower, 0, sizeof *borrower);
        borrower->pending = true;
        borrower->ticket = ++world->tickets_begun;
        borrower->waiter.deadline_ns =
            below(world, 3) ? world->now_ns + (int64_t)below(world, 400) : TENDON__NEVER;
        borrower->must_end_ns = borrower->waiter.deadline_ns;
        int64_t wait_ns = world->pool.options.wait_ns;
        if (wait_ns > 0 && world->now_ns + wait_ns < borrower->must_end_ns)
            borrower->must_end_ns = world->now_ns + wait_ns;
        tendon__pool_borrow(&world->pool, &borrower->waiter, world->now_ns);
        return;
    }
}

static void step_cancel(struct world *world)
{
    struct borrower *borrower = &world->borrowers[below(world, WAITERS)];
    if (!borrower->pending)
        return;
    tendon__pool_cancel(&world->pool, &borrower->waiter, world->now_ns);
    end(world, borrower);
}

static void step_give_back(struct world *world)
{
    struct connection *connection = any(world, LENT);
    if (!connection)
        return;
    uint64_t chance = below(world, 10);
    connection->doing = FREE;
    connection->proven = false;
    tendon__pool_give_back(&world->pool, &connection->member,
                           chance == 0  ? TENDON__CONDITION_BROKEN
                           : chance < 3 ? TENDON__CONDITION_DIRTY
                                        : TENDON__CONDITION_CLEAN,
                           world->now_ns);
}

static void step_dialled(struct world *world)
{
    struct connection *connection = any(world, DIALING);
    if (!connection)
        return;
    bool works = below(world, 5) > 0;
    connection->doing = works ? FREE : GONE;
    connection->proven = true;
    connection->born_ns = world->now_ns;
    if (works)
        tendon__pool_connected(&world->pool, &connection->member, world->now_ns);
    else
        tendon__pool_dial_failed(&world->pool, &connection->member, world->now_ns);
}

static void step_answered(struct world *world, enum doing doing)
{
    struct connection *connection = any(world, doing);
    if (!connection)
        return;
    bool good = below(world, 6) > 0;
    connection->doing = FREE;
    connection->proven = good;
    if (doing == TESTING)
        tendon__pool_tested(&world->pool, &connection->member, good, world->now_ns);
    else
        tendon__pool_was_reset(&world->pool, &connection->member, good, world->now_ns);
}

static void step_lost(struct world *world)
{
    enum doing doing = FREE + (enum doing)below(world, 4);
    struct connection *connection = any(world, doing);
    if (!connection)
        return;
    connection->doing = GONE;
    tendon__pool_lost(&world->pool, &connection->member, TENDON__CLOSE_PEER, world->now_ns);
}

/* Nothing may be due later than the pool says, and nothing is left due after a tick. */
static void step_time(struct world *world)
{
    int64_t due_ns = tendon__pool_deadline(&world->pool);
    for (int i = 0; i < WAITERS; i++)
        if (world->borrowers[i].pending)
            must(world, due_ns <= world->borrowers[i].must_end_ns);
    for (int i = 0; i < MEMBERS; i++)
        if (world->connections[i].doing == FREE)
            must(world, due_ns <= world->connections[i].member.lifetime_limit_ns);
    if (below(world, 2) && due_ns > world->now_ns && due_ns < world->now_ns + 1000)
        world->now_ns = due_ns;
    else
        world->now_ns += (int64_t)below(world, 60);
    tendon__pool_tick(&world->pool, world->now_ns);
    must(world, tendon__pool_deadline(&world->pool) > world->now_ns);
    for (int i = 0; i < WAITERS; i++)
        must(world,
             !world->borrowers[i].pending || world->borrowers[i].must_end_ns > world->now_ns);
}

static void step_reserve(struct world *world)
{
    if (world->reserved && below(world, 2)) {
        world->reserved--;
        tendon__pool_unreserve(&world->pool, world->now_ns);
    } else if (below(world, 2)) {
        world->reserved += tendon__pool_reserve(&world->pool);
    } else {
        world->reserved += tendon__pool_reserve_or_evict(&world->pool);
    }
    must(world, world->reserved == world->pool.reserved_count);
}

static void step_drain(struct world *world)
{
    for (int i = 0; i < MEMBERS; i++)
        world->connections[i].old = world->connections[i].doing != GONE;
    tendon__pool_drain(&world->pool, TENDON__CLOSE_STALE, world->now_ns);
}

static void step_kick(struct world *world)
{
    world->refuses_dials = !world->refuses_dials && below(world, 2);
    if (!world->refuses_dials)
        world->was_refused = false;
    tendon__pool_kick(&world->pool, world->now_ns);
}

static void step(struct world *world)
{
    uint64_t chance = below(world, 1000);
    if (chance < 270)
        step_borrow(world);
    else if (chance < 480)
        step_give_back(world);
    else if (chance < 620)
        step_dialled(world);
    else if (chance < 740)
        step_answered(world, TESTING);
    else if (chance < 780)
        step_answered(world, RESETTING);
    else if (chance < 800)
        step_lost(world);
    else if (chance < 840)
        step_cancel(world);
    else if (chance < 960)
        step_time(world);
    else if (chance < 975)
        step_reserve(world);
    else if (chance < 996)
        step_kick(world);
    else
        step_drain(world);
}

static void check(struct world *world)
{
    /* A dial refused earlier need not be asked for again before a kick. */
    const char *broken = pool_check(&world->pool, world->was_refused);
    cr_assert_null(broken, "seed %llu, step %d: %s", (unsigned long long)world->seed, world->step,
                   broken);
    uint32_t pending = 0;
    for (int i = 0; i < WAITERS; i++)
        pending += world->borrowers[i].pending;
    must(world, pending == world->pool.waiting_count);
    must(world, world->tickets_begun - world->tickets_ended == pending);
    static const enum tendon__member_state states[] = {
        TENDON__MEMBER_NONE,   TENDON__MEMBER_DIALING,   TENDON__MEMBER_IDLE,
        TENDON__MEMBER_LEASED, TENDON__MEMBER_RESETTING, TENDON__MEMBER_TESTING};
    for (int i = 0; i < MEMBERS; i++)
        must(world, world->connections[i].member.state == states[world->connections[i].doing]);
}

static void shut_down(struct world *world)
{
    world->closed = true;
    tendon__pool_close(&world->pool, world->now_ns);
    check(world);
    for (enum doing doing = DIALING; doing <= TESTING; doing++)
        while (any(world, doing)) {
            must(world, doing != FREE);
            if (doing == DIALING)
                step_dialled(world);
            else if (doing == LENT)
                step_give_back(world);
            else
                step_answered(world, doing);
            check(world);
        }
    must(world, world->tickets_begun == world->tickets_ended);
    must(world, world->pool.counters.borrows == world->tickets_begun);
    must(world, world->grants > 100);
}

static struct tendon__pool_options random_options(struct world *world)
{
    static const int64_t waits[] = {-1, 0, 150};
    uint32_t max = 1 + (uint32_t)below(world, 12);
    return (struct tendon__pool_options){
        .max = max,
        .min_idle = (uint32_t)below(world, 4),
        .max_idle = (uint32_t)below(world, max + 2),
        .max_waiting = (uint32_t)below(world, 30),
        .dial_concurrency = 1 + (uint32_t)below(world, 4),
        .wait_ns = waits[below(world, 3)],
        .health_interval_ns = below(world, 2) ? 200 : 0,
        .idle_timeout_ns = below(world, 2) ? 500 : 0,
        .lifetime_ns = below(world, 2) ? 3000 : 0,
        .jitter_percent = (uint32_t)below(world, 40),
        .test_on_borrow = below(world, 2),
        .test_on_return = below(world, 2),
        .test_while_idle = below(world, 2),
    };
}

Test(pool_model, random_steps_keep_every_promise)
{
    static struct world world;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        memset(&world, 0, sizeof world);
        world.seed = seed;
        tendon__random_init(&world.random, seed);
        struct tendon__pool_options options = random_options(&world);
        tendon__pool_init(&world.pool, &options, &ops, &world, seed);
        tendon__pool_tick(&world.pool, 0);
        for (world.step = 0; world.step < STEPS; world.step++) {
            step(&world);
            check(&world);
        }
        shut_down(&world);
    }
}
