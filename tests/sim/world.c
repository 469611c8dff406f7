/* One world from its seed to its end: storm, calm, rest, and nothing left. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/options.h"
#include "sim.h"

#define STORM_MS_MAX  30000
#define SETTLE_MS     40000 /* the kernel needs 25 s to give up what is half-open and idle */
#define ROUND_MS      2500
#define STRICT_ROUNDS 2

static void start(struct sim *sim)
{
    struct tendon__fault fault;
    char key[16];
    tendon__random_init(&sim->random, sim->seed * 2654435761u + 7);
    sim->memory = counting_memory_make();
    sim->now_ns = 1000000 * SIM_MS;
    sim->turn_ns = SIM_NEVER;
    tendon__list_init(&sim->open_calls);
    sim->uncovered_owner = SIM_NOBODY;
    memset(sim->truth.primary, SIM_NOBODY, sizeof sim->truth.primary);
    for (uint32_t tag = 0; tag < SIM_TAGS; tag++) {
        sim_key_name(sim_key(tag, 's'), key);
        sim->slot_of_tag[tag] = tendon__key_slot(key, strlen(key));
    }
    sim->tokens = sim_grow(NULL, 0, &sim->token_room, sizeof *sim->tokens);
    sim->tokens[sim->token_count++] = (struct sim_token){0};
    sim_choose_options(sim);
    if (tendon__engine_create(&sim->memory.memory, &sim->options, &sim_world_ops, sim, sim->seed,
                              sim->now_ns, &sim->engine, &fault) != TENDON_OK)
        sim_fail(sim, "the engine could not be created: %s", fault.text);
}

static void next_fault(struct sim *sim, uint32_t unused, uint32_t also_unused)
{
    (void)unused;
    (void)also_unused;
    if (!sim->storm)
        return;
    sim_fault(sim);
    sim_later(sim, sim->now_ns + sim_between(sim, 0, sim->fault_gap_ns * 2), next_fault, 0, 0);
}

void sim_storm(struct sim *sim)
{
    sim->storm = true;
    if (sim_chance(sim, 30))
        tendon__engine_warm(sim->engine, sim->now_ns);
    for (uint32_t i = 0; i < sim->caller_count; i++)
        sim_caller_goes_on(sim, (int)i);
    sim_listeners_begin(sim);
    sim_later(sim, sim->now_ns + sim_between(sim, 0, 1000 * SIM_MS), next_fault, 0, 0);
    int64_t end_ns = sim->now_ns + STORM_MS_MAX * SIM_MS;
    bool breaks_off = sim_chance(sim, 12);
    while (sim->now_ns < end_ns && (sim->calls_left || sim_chance(sim, 90))) {
        sim_until(sim, sim->now_ns + 100 * SIM_MS);
        if (breaks_off && sim_chance(sim, 2)) {
            sim_cover(sim, SIM_COVER_closed_in_storm);
            sim->closed = true;
            break;
        }
    }
    sim->storm = false;
    for (uint32_t i = 0; i < sim->caller_count; i++) {
        sim->callers[i].stopped = true;
        if (sim->callers[i].lease && !sim->closed)
            sim_lease_close(sim, sim->callers[i].lease, false);
    }
}

static void ask_one(struct sim *sim, enum sim_verb verb, uint32_t tag, char type)
{
    struct sim_ask ask = {.count = 1, .caller = -1, .must_succeed = sim->strict};
    ask.commands[0] = (struct sim_command){
        .verb = verb, .key_count = 1, .keys = {sim_key(tag, type)}, .payload = 3};
    if (verb == SIM_BLPOP)
        ask.commands[0].timeout_ns = 2000 * SIM_MS;
    sim_submit(sim, &ask);
}

static void ask_transaction(struct sim *sim, uint32_t tag)
{
    struct sim_ask ask = {.count = 3, .caller = -1, .must_succeed = sim->strict};
    ask.commands[0].verb = SIM_MULTI;
    ask.commands[1] =
        (struct sim_command){.verb = SIM_INCR, .key_count = 1, .keys = {sim_key(tag, 'c')}};
    ask.commands[2].verb = SIM_EXEC;
    sim_submit(sim, &ask);
}

static void lease_once(struct sim *sim, uint32_t tag)
{
    uint32_t lease = sim_lease_open(sim, tag, -1, 0, sim->strict);
    if (!lease)
        return;
    const struct sim_call *opening = sim->calls[sim->leases[lease - 1].opening];
    while (!opening->outcomes)
        sim_until(sim, sim->now_ns + 50 * SIM_MS);
    sim_lease_close(sim, lease, false);
}

/* A write on every tag; `full`: every kind of call. */
static void round_of_calls(struct sim *sim, bool full)
{
    for (uint32_t tag = 0; tag < SIM_TAGS; tag++) {
        ask_one(sim, SIM_SET, tag, 's');
        if (!full)
            continue;
        ask_one(sim, SIM_GET, tag, 's');
        ask_one(sim, SIM_LPUSH, tag, 'l');
        ask_transaction(sim, tag);
        sim_until(sim, sim->now_ns + 100 * SIM_MS);
        ask_one(sim, SIM_BLPOP, tag, 'l');
        lease_once(sim, tag);
    }
    sim_until(sim, sim->now_ns + ROUND_MS * SIM_MS);
}

/* A blocking call without end may keep the only connection for ever, and rightly so. */
static void end_endless(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->call_count; i++)
        if (!sim->calls[i]->outcomes && sim->calls[i]->deadline_ns == TENDON__NO_TIME)
            sim_cancel(sim, i, 0);
}

void sim_calm(struct sim *sim)
{
    if (sim->now_ns < sim->paused_until_ns)
        sim->paused_until_ns = sim->now_ns;
    sim_heal(sim);
    sim->healed = true;
    end_endless(sim);
    if (sim->crowded)
        sim_listeners_end(sim);
    int64_t settled_ns = sim->now_ns + SETTLE_MS * SIM_MS;
    while (sim->now_ns < settled_ns)
        round_of_calls(sim, sim->now_ns > settled_ns - 4 * ROUND_MS * SIM_MS);
    sim->strict = true;
    SIM_TRACE(sim, "from now on every call must succeed");
    if (!sim->crowded)
        sim_listeners_check(sim);
    for (uint32_t i = 0; i < STRICT_ROUNDS; i++)
        round_of_calls(sim, true);
    sim_until(sim, sim->now_ns + 5000 * SIM_MS);
    while (sim->engine->refreshing)
        sim_until(sim, sim->now_ns + 100 * SIM_MS);
    sim_listeners_end(sim);
    sim_until(sim, sim->now_ns + 100 * SIM_MS);
    while (sim->engine->refreshing)
        sim_until(sim, sim->now_ns + 100 * SIM_MS);
    sim_check_rest(sim);
    sim_cover(sim, SIM_COVER_calm);
}

static void close_all(struct sim *sim)
{
    sim->closed = true;
    sim->memory.refuse_from = 0;
    tendon__engine_close(sim->engine, sim->now_ns);
    tendon__engine_sweep(sim->engine);
    for (uint32_t i = 0; i < sim->lease_count; i++)
        sim_lease_close(sim, i + 1, false);
    sim_listeners_end(sim);
    tendon__engine_tell(sim->engine);
    tendon__engine_sweep(sim->engine);
    sim_check_turn(sim);
    sim_check_end(sim);
    if (sim->engine->channel_count)
        sim_fail(sim, "%u connections are left after close", sim->engine->channel_count);
    for (uint32_t i = 0; i < sim->link_count; i++)
        if (sim->links[i]->channel)
            sim_fail(sim, "link %u was never closed", i);
    tendon__engine_destroy(sim->engine);
    tendon__options_free(&sim->options, &sim->memory.memory);
    if (sim->memory.blocks)
        sim_fail(sim, "%ld blocks of memory are left at the end", sim->memory.blocks);
}

static void free_world(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->link_count; i++)
        sim_link_free(sim->links[i]);
    for (uint32_t i = 0; i < sim->call_count; i++)
        free(sim->calls[i]);
    for (uint32_t i = 0; i < SIM_SERVERS; i++)
        free(sim->servers[i].has);
    free(sim->links);
    free(sim->calls);
    free(sim->tokens);
    free(sim->writes);
    free(sim->ready);
    free(sim->events);
}

bool sim_run(struct sim *sim, uint64_t seed)
{
    jmp_buf escape;
    sim->seed = seed;
    sim->escape = &escape;
    if (setjmp(escape))
        return false; /* what the world held is lost with it */
    start(sim);
    sim_storm(sim);
    if (!sim->closed)
        sim_calm(sim);
    close_all(sim);
    free_world(sim);
    return true;
}
