/*
 * The engine in a world of accidents, by seed: random requests, cancels, server errors, lost
 * connections at any byte, blocked sockets, frozen servers, moving slots and jumps in time. What
 * must hold whatever happens is in judge() below and in engine_check.c. A failing seed replays
 * exactly: TENDON_TEST_SEED=<n> runs one.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine_world.h"

#define SEEDS  60
#define STEPS  1500
#define LEASES 4

struct run {
    struct world world;
    struct tendon__random random;
    struct world_call *leases[LEASES];
    uint64_t seed;
    uint32_t unique;
};

static uint32_t below(struct run *run, uint32_t bound)
{
    return (uint32_t)tendon__random_below(&run->random, bound);
}

static const char *const standalone_options[][8] = {
    {"command_timeout_ms=1500"},
    {"command_timeout_ms=3000", "lanes=3", "max_in_flight=4", "pool_max=5"},
    {"command_timeout_ms=2000", "read_timeout_ms=300", "retry_on_timeout=yes", "pool_max=2"},
    {"command_timeout_ms=2500", "write_timeout_ms=200", "read_timeout_ms=400", "max_retries=-1"},
    {"command_timeout_ms=900", "max_retries=0", "pool_test_on_borrow=yes",
     "pool_test_on_return=yes", "pool_max=1"},
    {"command_timeout_ms=4000", "health_check_interval_ms=700", "pool_lifetime_ms=5000",
     "pool_idle_timeout_ms=900", "pool_min_idle=1"},
};

static const char *const cluster_options[][8] = {
    {"command_timeout_ms=1500"},
    {"command_timeout_ms=3000", "lanes=2", "read_from=any", "cluster_refresh_interval_ms=1000"},
    {"command_timeout_ms=2000", "read_timeout_ms=300", "retry_on_timeout=yes", "pool_max=3",
     "max_redirects=2"},
    {"command_timeout_ms=2500", "read_from=replica", "max_retries=-1",
     "cluster_refresh_min_gap_ms=50"},
    {"command_timeout_ms=2500", "max_retries=0", "health_check_interval_ms=700",
     "pool_lifetime_ms=5000"},
};

static void start(struct run *run)
{
    struct world *world = &run->world;
    world_init(world);
    if (below(run, 2)) {
        world_make_cluster(world, 3, below(run, 4));
        world_start(world,
                    cluster_options[below(run, sizeof cluster_options / sizeof cluster_options[0])],
                    run->seed);
    } else {
        world->servers[0].no_hello = !below(run, 4);
        world_start(world,
                    standalone_options[below(run, sizeof standalone_options /
                                                      sizeof standalone_options[0])],
                    run->seed);
    }
}

/* '#' becomes the hash tag, '@' the number nobody else has. */
static void write_form(char *out, size_t room, const char *form, uint32_t tag, uint32_t unique)
{
    size_t used = 0;
    for (; *form && used + 1 < room; form++) {
        if (*form == '#')
            used += (size_t)snprintf(out + used, room - used, "{%u}", tag);
        else if (*form == '@')
            used += (size_t)snprintf(out + used, room - used, "%u", unique);
        else
            out[used++] = *form;
    }
    out[used] = '\0';
}

/* One of the requests whose keys nobody else uses, so that replies and executions can be told
 * apart. */
static void submit_one(struct run *run)
{
    static const char *const forms[] = {
        "GET #g@",           "INCR #c@",    "INCR #c@", "MULTI|INCR #t@|EXEC",
        "INCR #p@|INCR #p@", "BLPOP #b@ 1",
    };
    char command[128];
    uint32_t tag = below(run, 30);
    uint32_t unique = ++run->unique;
    struct world_how how = {0};
    uint32_t form = below(run, sizeof forms / sizeof forms[0]);
    struct world_call *lease = run->leases[below(run, LEASES)];
    if (lease && !below(run, 3))
        how.lease = lease->lease;
    if (!below(run, 20))
        how.flags |= TENDON_REQUEST_NO_RETRY;
    if (!below(run, 10))
        how.timeout_ms = 1 + below(run, 800);
    write_form(command, sizeof command, forms[form], tag, unique);
    world_submit_as(&run->world, command, how);
}

static void use_leases(struct run *run)
{
    static const char *const commands[] = {"MULTI",   "EXEC",     "DISCARD", "WATCH k",
                                           "UNWATCH", "SELECT 0", "PING"};
    struct world_call **lease = &run->leases[below(run, LEASES)];
    if (!*lease) {
        char key[16];
        snprintf(key, sizeof key, "{%u}", below(run, 30));
        *lease = world_lease(&run->world, key, below(run, 2) ? 1 + below(run, 1000) : 0);
    } else if (below(run, 3)) {
        world_submit_as(&run->world, commands[below(run, sizeof commands / sizeof commands[0])],
                        (struct world_how){.lease = (*lease)->lease});
    } else {
        world_lease_close(*lease, !below(run, 4));
        *lease = NULL;
    }
}

static void cancel_one(struct run *run)
{
    struct world *world = &run->world;
    size_t open = world->call_count - world->settled;
    if (open)
        world_cancel(world, world->calls[world->settled + below(run, (uint32_t)open)]);
}

static void add_rule(struct run *run)
{
    static const char *const commands[] = {"GET",     "INCR",  "EXEC", "BLPOP",
                                           "CLUSTER", "HELLO", "PING"};
    static const char *const errors[] = {
        "-LOADING Redis is loading the dataset in memory",
        "-TRYAGAIN Multiple keys request during rehashing of slot",
        "-CLUSTERDOWN The cluster is down",
        "-READONLY You can't write against a read only replica.",
        "-BUSY Redis is busy running a script",
        "-ERR max number of clients reached",
        "-NOAUTH Authentication required.",
        "-MASTERDOWN Link with MASTER is down",
        "-MOVED 100 n1:6379",
        "-ASK 100 n2:6379",
        "-MOVED 100 :6379",
        "-MOVED 100 elsewhere:1",
        "-WRONGTYPE Operation against a key holding the wrong kind of value",
        "-ERR Protocol error: invalid bulk length",
        "?garbage",
    };
    struct world *world = &run->world;
    uint32_t used = 0;
    for (uint32_t i = 0; i < world->rule_count; i++)
        used += world->rules[i].times != 0;
    if (used >= WORLD_RULES / 2)
        return;
    uint32_t act = below(run, 6);
    world_rule(world, (int)below(run, world->server_count + 1) - 1,
               commands[below(run, sizeof commands / sizeof commands[0])],
               act < 3 ? WORLD_ANSWER : (enum world_act)(act - 2),
               errors[below(run, sizeof errors / sizeof errors[0])], 1 + below(run, 3));
}

static void hurt_server(struct run *run)
{
    struct world *world = &run->world;
    uint32_t which = below(run, world->server_count);
    struct world_server *server = &world->servers[which];
    switch (below(run, 8)) {
    case 6:
    case 7:
        world_doom(world, which, 1 + below(run, 150));
        break;
    case 0:
        server->down = !server->down;
        break;
    case 1:
        server->dark = !server->dark;
        break;
    case 2:
        server->frozen = !server->frozen;
        break;
    case 3:
        world_cut_server(world, which, below(run, 2));
        break;
    case 4:
        world_budget(world, which, below(run, 200));
        break;
    default:
        world_budget(world, which, SIZE_MAX);
        break;
    }
}

static void cut_one(struct run *run)
{
    uint32_t count = world_wire_count(&run->world);
    struct world_wire *wire = count ? world_wire_at(&run->world, below(run, count)) : NULL;
    if (wire)
        world_cut(&run->world, wire, below(run, 2));
}

static void move_slots(struct run *run)
{
    struct world *world = &run->world;
    if (!world->cluster)
        return;
    uint32_t first = below(run, TENDON__SLOT_COUNT);
    uint32_t last = first + below(run, TENDON__SLOT_COUNT - first);
    world_own(world, first, last, below(run, 20) ? below(run, 3) : WORLD_EXTERNAL);
}

static void let_time_pass(struct run *run)
{
    uint32_t kind = below(run, 40);
    if (kind < 20)
        world_advance(&run->world, below(run, 20));
    else if (kind < 38)
        world_advance(&run->world, below(run, 400));
    else
        world_advance(&run->world, below(run, 40000));
}

/* Some allocations fail while the engine works. */
static void starve(struct run *run)
{
    struct world *world = &run->world;
    world->memory.refuse_from = world->memory.requests + 1 + below(run, 12);
    for (uint32_t steps = below(run, 4); steps; steps--)
        world_step(world);
    world->memory.refuse_from = 0;
}

static void happen(struct run *run)
{
    struct world *world = &run->world;
    uint32_t dice = below(run, 100);
    if (dice < 45)
        submit_one(run);
    else if (dice < 55)
        use_leases(run);
    else if (dice < 60)
        cancel_one(run);
    else if (dice < 66)
        add_rule(run);
    else if (dice < 69)
        hurt_server(run);
    else if (dice < 72)
        cut_one(run);
    else if (dice < 73)
        move_slots(run);
    else if (dice < 76)
        world_release(world);
    else if (dice < 78)
        world->read_chunk = below(run, 2) ? SIZE_MAX : 1 + below(run, 30);
    else if (dice < 80)
        world->write_chunk = below(run, 2) ? SIZE_MAX : 1 + below(run, 30);
    else if (dice < 81)
        starve(run);
    else if (dice < 92)
        world_step(world);
    else
        let_time_pass(run);
    world_check(world);
}

/* Everything works again; every request has its outcome within its deadline. */
static void heal(struct run *run)
{
    struct world *world = &run->world;
    for (uint32_t i = 0; i < world->server_count; i++) {
        world->servers[i].down = world->servers[i].dark = world->servers[i].frozen = false;
        world_budget(world, i, SIZE_MAX);
    }
    for (uint32_t i = 0; i < world->rule_count; i++)
        world->rules[i].times = 0;
    for (uint32_t slot = 0; world->cluster && slot < TENDON__SLOT_COUNT; slot++)
        world->owner[slot] = (uint8_t)(slot * 3 / TENDON__SLOT_COUNT);
    for (uint32_t i = 0; i < LEASES; i++)
        if (run->leases[i])
            world_lease_close(run->leases[i], false);
    world_release(world);
    world_advance(world, 60000);
    for (size_t i = 0; i < world->call_count; i++)
        cr_assert_eq(world->calls[i]->outcomes, 1, "seed %llu: call %zu (%s) has no outcome",
                     (unsigned long long)run->seed, i, world->calls[i]->key);
    struct world_call *after = world_do(world, "GET after");
    world_advance(world, 900);
    cr_assert_str_eq(after->reply, "$v:after", "seed %llu: a healthy world does not answer: %s",
                     (unsigned long long)run->seed, after->fault.text);
}

/* What was answered, and what was said about it, must be true. */
static void judge(const struct run *run, const struct world_call *call)
{
    char kind = strchr(call->key, '}') ? strchr(call->key, '}')[1] : '\0';
    if (!kind)
        return;
    unsigned long long seed = run->seed;
    bool on_lease = call->on_lease;
    uint32_t executed = world_executed(&run->world, call->key);
    uint32_t once = kind == 'p' ? 2 : 1; /* the pair names its key twice */
    if (kind == 'c' || kind == 't' || kind == 'p')
        cr_assert_leq(executed, once, "seed %llu: %s was executed %u times", seed, call->key,
                      executed);
    if (call->status != TENDON_OK) {
        cr_assert(kind == 'g' || call->executed != TENDON_EXECUTED_NO || executed == 0,
                  "seed %llu: %s was executed, but \"%s\" says it was not", seed, call->key,
                  call->fault.text);
        return;
    }
    char expected[WORLD_SHOWN];
    const char *digits = strchr(call->key, '}') + 2;
    if (kind == 'g' || kind == 'b')
        snprintf(expected, sizeof expected, "$v:%s", call->key);
    else if (kind == 't')
        snprintf(expected, sizeof expected, "*1");
    else
        snprintf(expected, sizeof expected, ":%s", digits);
    bool error = call->last[0] == '-' || call->last[0] == '+';
    if (kind == 't' && on_lease)
        return; /* it may have ended a MULTI that was open already */
    cr_assert(error || !strcmp(call->last, expected), "seed %llu: %s was answered %s", seed,
              call->key, call->last);
    if ((kind == 'c' || kind == 't') && !on_lease)
        cr_assert_eq(executed, !error, "seed %llu: %s was answered %s and executed %u times", seed,
                     call->key, call->last, executed);
}

static void run_seed(uint64_t seed)
{
    struct run *run = calloc(1, sizeof *run);
    cr_assert_not_null(run);
    run->seed = seed;
    tendon__random_init(&run->random, seed * 2654435761u + 1);
    start(run);
    for (uint32_t step = 0; step < STEPS; step++)
        happen(run);
    heal(run);
    for (size_t i = 0; i < run->world.call_count; i++)
        judge(run, run->world.calls[i]);
    world_stop(&run->world);
    free(run);
}

Test(engine_random, accidents, .timeout = 300)
{
    const char *one = getenv("TENDON_TEST_SEED");
    const char *many = getenv("TENDON_TEST_SEEDS");
    uint64_t count = many ? strtoull(many, NULL, 10) : SEEDS;
    if (one)
        run_seed(strtoull(one, NULL, 10));
    for (uint64_t seed = 1; !one && seed <= count; seed++)
        run_seed(seed);
}
