/* What a caller does next: which command, with which flags and deadline, and how long it thinks. */
#include <stdio.h>
#include <string.h>

#include "sim.h"

static void wake(struct sim *sim, uint32_t caller, uint32_t unused)
{
    sim_caller_step(sim, caller, unused);
}

void sim_caller_goes_on(struct sim *sim, int caller)
{
    if (caller < 0 || sim->callers[caller].stopped)
        return;
    int64_t think_ns = sim_between(sim, 0, sim->callers[caller].think_ns);
    sim_later(sim, sim->now_ns + think_ns, wake, (uint32_t)caller, 0);
}

static struct sim_command single(enum sim_verb verb, uint32_t tag, char type)
{
    return (struct sim_command){
        .verb = verb, .key_count = 1, .keys = {sim_key(tag, type)}, .payload = 3};
}

static struct sim_command several(struct sim *sim, enum sim_verb verb, uint32_t tag)
{
    struct sim_command many = single(verb, tag, 's');
    many.keys[many.key_count++] =
        sim_key(sim_chance(sim, 10) ? sim_below(sim, SIM_TAGS) : tag, 'u');
    return many;
}

static struct sim_command choose_command(struct sim *sim, uint32_t tag, bool writer)
{
    uint32_t dice = sim_below(sim, 100);
    if (writer)
        dice = 22 + dice / 2;
    if (dice < 20)
        return single(SIM_GET, tag, sim_chance(sim, 50) ? 's' : 'u');
    if (dice < 38) {
        struct sim_command set = single(SIM_SET, tag, sim_chance(sim, 50) ? 's' : 'u');
        if (sim_chance(sim, 6)) {
            set.payload = (uint32_t)sim_between(sim, 1000, 100000);
            sim_cover(sim, SIM_COVER_big_value);
        }
        return set;
    }
    if (dice < 56)
        return single(SIM_INCR, tag, 'c');
    if (dice < 64)
        return single(SIM_APPEND, tag, 'u');
    if (dice < 74)
        return single(SIM_LPUSH, tag, 'l');
    if (dice < 86)
        return several(sim, dice < 80 ? SIM_MGET : SIM_DEL, tag);
    if (dice < 94)
        return (struct sim_command){.verb = SIM_PING};
    return single(SIM_INCR, tag, 'l'); /* the wrong type */
}

static void ask_group(struct sim *sim, struct sim_ask *ask, uint32_t tag)
{
    bool transaction = sim_chance(sim, 60);
    uint32_t members = 1 + sim_below(sim, 4) + !transaction;
    if (transaction)
        ask->commands[ask->count++] = (struct sim_command){.verb = SIM_MULTI};
    bool big = sim_chance(sim, 10);
    bool removes = sim_chance(sim, 10); /* each may be sent again, and all of them may not */
    for (uint32_t i = 0; i < members; i++) {
        struct sim_command *command = &ask->commands[ask->count++];
        if (removes) {
            *command = several(sim, SIM_DEL, tag);
            continue;
        }
        /* Now and then the keys of a group are of two slots, which is refused. */
        *command = choose_command(sim, sim_chance(sim, 2) ? sim_below(sim, SIM_TAGS) : tag, true);
        if (big && command->verb == SIM_SET)
            command->payload = 20000 + sim_below(sim, 60000);
    }
    if (transaction)
        ask->commands[ask->count++] = (struct sim_command){.verb = SIM_EXEC};
}

static void ask_blocking(struct sim *sim, struct sim_ask *ask, uint32_t tag)
{
    ask->commands[0] = single(SIM_BLPOP, tag, 'l');
    ask->commands[0].timeout_ns = sim_chance(sim, 10) ? 0 : sim_between(sim, 50, 2000) * SIM_MS;
    ask->count = 1;
    if (!ask->commands[0].timeout_ns && !ask->timeout_ms)
        ask->timeout_ms = 500 + sim_below(sim, 4000);
}

/* Commands without keys may ask for a node, known or not, or for any. */
static void choose_route(struct sim *sim, struct sim_ask *ask)
{
    if (sim_chance(sim, 20)) {
        ask->route = TENDON_ROUTE_RANDOM;
        sim_cover(sim, SIM_COVER_routed_at_random);
    } else if (sim_chance(sim, 20)) {
        ask->route = TENDON_ROUTE_NODE;
        snprintf(ask->node, sizeof ask->node, sim->cluster ? "n%u:6379" : "primary:6379",
                 sim_below(sim, SIM_SERVERS));
        sim_cover(sim, SIM_COVER_routed_to_node);
    }
}

/* Ordinary commands with the same flags and time go together. */
static void ask_bundle(struct sim *sim)
{
    struct sim_ask asks[SIM_BUNDLED];
    uint32_t count = 2 + sim_below(sim, SIM_BUNDLED - 1);
    int64_t timeout_ms = sim_chance(sim, 15) ? 1 + (int64_t)sim_between(sim, 0, 1500) : 0;
    bool writes = sim_chance(sim, 50);
    for (uint32_t i = 0; i < count; i++) {
        asks[i] = (struct sim_ask){.caller = -1, .timeout_ms = timeout_ms, .count = 1};
        asks[i].commands[0] = choose_command(sim, sim_below(sim, SIM_TAGS), writes);
    }
    sim_submit_bundle(sim, asks, count);
}

static void ask_something(struct sim *sim, uint32_t caller)
{
    struct sim_ask ask = {.caller = (int)caller};
    enum sim_habit habit = sim->callers[caller].habit;
    uint32_t tag = sim_below(sim, SIM_TAGS);
    uint32_t dice = sim_below(sim, 100);
    if (sim_chance(sim, 15))
        ask.timeout_ms = 1 + (int64_t)sim_between(sim, 0, 1500);
    else if (sim_chance(sim, 2))
        ask.timeout_ms = TENDON_TIMEOUT_NONE;
    if (sim_chance(sim, 5))
        ask.flags |= TENDON_REQUEST_NO_RETRY;
    if (dice < 15)
        ask_group(sim, &ask, tag);
    else if (dice < 25)
        ask_blocking(sim, &ask, tag);
    else
        ask.commands[ask.count++] = choose_command(sim, tag, habit == SIM_HABIT_WRITER);
    if (ask.count == 1 && ask.commands[0].verb == SIM_PING)
        choose_route(sim, &ask);
    if (ask.count > 1)
        sim_cover(sim, ask.commands[0].verb == SIM_MULTI ? SIM_COVER_transaction : SIM_COVER_group);
    if (habit == SIM_HABIT_BURST)
        ask.caller = -1; /* does not wait for it */
    struct sim_call *call = sim_submit(sim, &ask);
    if (!call->outcomes && sim_chance(sim, 12))
        sim_later(sim, sim->now_ns + sim_between(sim, 0, 900 * SIM_MS), sim_cancel, call->index, 0);
}

void sim_caller_step(struct sim *sim, uint32_t caller, uint32_t unused)
{
    struct sim_caller *at = &sim->callers[caller];
    (void)unused;
    if (at->stopped || !sim->calls_left)
        return;
    if (sim->now_ns < sim->paused_until_ns) {
        sim_later(sim, sim->paused_until_ns + sim_between(sim, 0, SIM_MS), wake, caller, 0);
        return;
    }
    sim->calls_left--;
    if (at->habit != SIM_HABIT_LEASE && sim->engine->kind != TENDON__KIND_UNKNOWN &&
        sim_chance(sim, at->habit == SIM_HABIT_BURST ? 50 : 15)) {
        ask_bundle(sim);
        sim_caller_goes_on(sim, (int)caller);
        return;
    }
    if (at->habit == SIM_HABIT_LEASE) {
        sim_caller_lease_step(sim, caller);
        return;
    }
    if (at->habit != SIM_HABIT_BURST) {
        ask_something(sim, caller);
        return;
    }
    for (uint32_t burst = 1 + sim_below(sim, 30); burst && sim->calls_left; burst--) {
        ask_something(sim, caller);
        sim->calls_left--;
    }
    sim_caller_goes_on(sim, (int)caller);
}
