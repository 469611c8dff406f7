/* Callers that lease a connection: WATCH, MULTI and SELECT over several calls, and giving it back
 * in any state. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/request_build.h"
#include "sim.h"

#define LEASES_MAX (sizeof((struct sim *)NULL)->leases / sizeof(struct sim_lease))

uint32_t sim_lease_open(struct sim *sim, uint32_t tag, int caller, int64_t timeout_ms,
                        bool must_succeed)
{
    struct tendon__memory *memory = &sim->memory.memory;
    char key[16];
    sim_key_name(sim_key(tag, 's'), key);
    tendon_lease_options options = {
        .struct_size = sizeof options, .timeout_ms = timeout_ms, .key = {key, strlen(key)}};
    struct tendon_lease *made =
        sim->lease_count < LEASES_MAX ? tendon__memory_make(memory, sizeof *made) : NULL;
    if (!made)
        return 0;
    made->memory = memory;
    made->engine = sim->engine;
    made->refs = 2;
    tendon__list_init(&made->requests);
    struct sim_call *call = sim_make_call(sim, caller);
    made->opening = tendon__request_open_lease(memory, &sim->options, made, &options, &call->sink);
    if (!made->opening) {
        call->outcomes = 1;
        tendon__memory_free(memory, made);
        return 0;
    }
    sim->leases[sim->lease_count] =
        (struct sim_lease){.lease = made, .opening = call->index, .tag = tag};
    call->lease = ++sim->lease_count;
    call->opens_lease = true;
    call->must_succeed = must_succeed;
    SIM_TRACE(sim, "call %u: opens lease %u", call->index, call->lease);
    sim_hand_over(call, made->opening);
    return call->lease;
}

static void cover_close(struct sim *sim, const struct sim_lease *lease, bool discard)
{
    if (discard)
        sim_cover(sim, SIM_COVER_lease_discarded);
    else if (lease->pending)
        sim_cover(sim, SIM_COVER_lease_reply_left);
    else if (lease->in_multi)
        sim_cover(sim, SIM_COVER_lease_multi_left);
    else if (lease->watch_ok)
        sim_cover(sim, SIM_COVER_lease_watch_left);
    else if (lease->selected)
        sim_cover(sim, SIM_COVER_lease_select_left);
}

void sim_lease_close(struct sim *sim, uint32_t index, bool discard)
{
    struct sim_lease *lease = &sim->leases[index - 1];
    struct tendon_lease *made = lease->lease;
    if (!made)
        return;
    SIM_TRACE(sim, "lease %u: given back%s", index, discard ? " to be closed" : "");
    if (lease->granted)
        cover_close(sim, lease, discard);
    lease->lease = NULL;
    made->discard = discard;
    sim->engine->now_ns = sim->now_ns;
    tendon__lease_end(sim->engine, made);
    tendon__lease_unref(made);
    sim_step_out(sim);
}

/* What the outcome of a call on a lease tells about the lease. */
void sim_lease_outcome(struct sim *sim, const struct sim_call *call)
{
    struct sim_lease *lease = &sim->leases[call->lease - 1];
    if (call->opens_lease) {
        lease->granted = call->status == TENDON_OK;
        return;
    }
    lease->pending--;
    bool good = call->status == TENDON_OK && !call->final_error;
    /* What failed may still be executed later: from then on WATCH is not judged. */
    lease->unsure |= call->status != TENDON_OK;
    if (call->status == TENDON_ERROR_DISCONNECTED)
        sim_cover(sim, SIM_COVER_lease_lost);
    switch (sim->tokens[call->first_token].command.verb) {
    case SIM_WATCH:
        lease->watch_ok |= good;
        break;
    case SIM_UNWATCH:
        lease->watch_ok = lease->watch_ok && (!good || lease->in_multi);
        break;
    case SIM_MULTI:
        lease->in_multi |= good;
        break;
    case SIM_EXEC:
    case SIM_DISCARD:
        if (good && lease->watch_ok && !lease->unsure && call->reply[0] == '*' &&
            !sim->tokens[call->first_token].watched)
            sim_fail(sim, "EXEC #%u succeeded on lease %u, whose WATCH was not in force",
                     call->first_token, call->lease);
        if (good && call->reply[0] == '*' && lease->watch_ok)
            sim_cover(sim, SIM_COVER_watch_kept);
        if (call->status == TENDON_OK)
            lease->in_multi = lease->watch_ok = false;
        break;
    case SIM_SELECT:
        lease->selected |= good;
        break;
    default:
        break;
    }
}

static struct sim_command choose(struct sim *sim, const struct sim_lease *lease)
{
    static const enum sim_verb verbs[] = {SIM_WATCH,   SIM_MULTI,   SIM_MULTI,  SIM_EXEC, SIM_EXEC,
                                          SIM_DISCARD, SIM_UNWATCH, SIM_SELECT, SIM_SET,  SIM_GET,
                                          SIM_INCR,    SIM_LPUSH,   SIM_PING,   SIM_BLPOP};
    struct sim_command command = {.verb = verbs[sim_below(sim, sizeof verbs / sizeof *verbs)]};
    if (command.verb == SIM_BLPOP && (lease->in_multi || lease->pending))
        command.verb = SIM_GET;
    if (command.verb == SIM_SELECT)
        command.number = sim->cluster ? 0 : sim_below(sim, 3);
    char type = command.verb == SIM_INCR                                 ? 'c'
                : command.verb == SIM_LPUSH || command.verb == SIM_BLPOP ? 'l'
                                                                         : 's';
    if (sim_verb_is_data(command.verb) || command.verb == SIM_WATCH) {
        command.keys[0] = sim_key(lease->tag, type);
        command.key_count = 1;
        command.payload = 3;
    }
    if (command.verb == SIM_BLPOP)
        command.timeout_ns = sim_between(sim, 20, 500) * SIM_MS;
    return command;
}

void sim_caller_lease_step(struct sim *sim, uint32_t caller)
{
    struct sim_caller *at = &sim->callers[caller];
    if (!at->lease) {
        at->steps = 1 + sim_below(sim, 10);
        at->lease = sim_lease_open(sim, sim_below(sim, SIM_TAGS), (int)caller,
                                   sim_chance(sim, 40) ? 1 + sim_below(sim, 1500) : 0, false);
        if (!at->lease)
            sim_caller_goes_on(sim, (int)caller);
        return;
    }
    struct sim_lease *lease = &sim->leases[at->lease - 1];
    if (!at->steps-- || sim_chance(sim, 4)) {
        sim_lease_close(sim, at->lease, sim_chance(sim, 12));
        at->lease = 0;
        sim_caller_goes_on(sim, (int)caller);
        return;
    }
    struct sim_ask ask = {.count = 1, .lease = at->lease, .caller = (int)caller};
    ask.commands[0] = choose(sim, lease);
    if (sim_chance(sim, 10))
        ask.timeout_ms = 1 + sim_below(sim, 300);
    bool waits = !sim_chance(sim, 25);
    if (!waits)
        ask.caller = -1;
    struct sim_call *call = sim_submit(sim, &ask);
    if (!call->outcomes && sim_chance(sim, 6))
        sim_later(sim, sim->now_ns + sim_between(sim, 0, 100 * SIM_MS), sim_cancel, call->index, 0);
    if (!waits)
        sim_caller_goes_on(sim, (int)caller);
}
