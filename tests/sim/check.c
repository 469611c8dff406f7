/* What must hold after every turn, of dials and refreshes, at rest, and at the end of a world. */
#include <stdio.h>
#include <string.h>

#include "client/spread.h"
#include "client/subscription.h"
#include "sim.h"

/* A node that has left the map is forgotten, and its backoff with it. */
static void forget_nodes(struct sim *sim)
{
    const struct tendon__link *list = &sim->engine->nodes;
    for (uint32_t i = 0; i < sim->dialled_count; i++) {
        bool known = !sim->dialled[i].failures;
        for (const struct tendon__link *link = list->next; link != list && !known;
             link = link->next)
            known =
                !strcmp(TENDON__OWNER(link, struct tendon__node, link)->name, sim->dialled[i].name);
        if (!known)
            sim->dialled[i].failures = 0;
    }
}

/* Between turns every request stands in what its state names, or nobody would ever serve it. */
static bool is_lost(const struct tendon__request *request)
{
    bool own = request->flags & (TENDON_REQUEST_BLOCKING | TENDON__REQUEST_OPEN_LEASE);
    switch (request->state) {
    case TENDON__REQUEST_PARKED:
    case TENDON__REQUEST_WAITING:
    case TENDON__REQUEST_DELAYED:
        return !tendon__list_linked(&request->link);
    case TENDON__REQUEST_BORROWING:
        /* Others stand in the list of the lease that is being opened for them. */
        return own && !tendon__list_linked(&request->link) && !request->waiter.waiting;
    case TENDON__REQUEST_ON_WIRE:
        return !tendon__list_linked(&request->exchange.link);
    case TENDON__REQUEST_SPREAD:
        for (uint32_t i = 0; i < request->call->count; i++) {
            const struct tendon__request *part = request->call->parts[i].request;
            if (part->state != TENDON__REQUEST_DONE && is_lost(part))
                return true;
        }
        return !request->call->open;
    case TENDON__REQUEST_SUBSCRIBING:
        return !tendon__list_linked(&request->link) && request->subscription->command != request;
    case TENDON__REQUEST_NEW:
    case TENDON__REQUEST_DONE:
        break;
    }
    return true;
}

static void check_open_calls(struct sim *sim)
{
    for (const struct tendon__link *link = sim->open_calls.next; link != &sim->open_calls;
         link = link->next) {
        const struct sim_call *call = TENDON__OWNER(link, struct sim_call, open);
        if (call->deadline_ns != TENDON__NO_TIME && sim->now_ns > call->deadline_ns + SIM_TICK_NS)
            sim_fail(sim, "call %u (#%u) has outlived its deadline by %.3f ms in state %d",
                     call->index, call->first_token,
                     (double)(sim->now_ns - call->deadline_ns) / 1e6, call->request->state);
        if (!sim_has_left_bundle(call) && is_lost(call->request))
            sim_fail(sim, "call %u (#%u) is in state %d, but stands nowhere", call->index,
                     call->first_token, call->request->state);
    }
}

/* What two servers say within such a time may be heard in any order. */
#define SAID_TOGETHER_NS (50 * SIM_MS)

/* A MOVED for a slot of the shard that was said later, which all of the shard follow, or at the
 * same time: two that contradict each other leave the answer as it is. */
static bool is_led_elsewhere(const struct sim *sim, const struct sim_known *known, const char *name)
{
    for (uint32_t tag = 0; tag < SIM_TAGS; tag++)
        if (&sim->known[tag] != known &&
            sim->known[tag].led_ns >= known->led_ns - SAID_TOGETHER_NS &&
            !strcmp(sim->known[tag].led, name))
            return true;
    return false;
}

/* What a MOVED taught is newer than the answer to a question that was asked before it. */
static void check_map(struct sim *sim)
{
    const struct tendon__engine *engine = sim->engine;
    bool completed = engine->stats.refreshes != sim->map_refreshes;
    bool moved = engine->stats.moved != sim->map_moved;
    /* The question was under way before this turn and still is. */
    bool asked = sim->refresh_seen && engine->refresh.running &&
                 engine->stats.refreshes + engine->stats.refresh_failures == sim->refresh_rounds;
    for (uint32_t tag = 0; engine->kind == TENDON__KIND_CLUSTER && tag < SIM_TAGS; tag++) {
        struct sim_known *known = &sim->known[tag];
        const struct tendon__topology_node *owner =
            tendon__topology_primary(engine->map, sim->slot_of_tag[tag]);
        char name[SIM_NAME];
        snprintf(name, sizeof name, "%.20s:%u", owner ? owner->host : "", owner ? owner->port : 0);
        if (completed && !moved && known->moved_ns >= sim->question_ns &&
            strcmp(name, known->now) && !strcmp(name, known->before) && !sim->starved &&
            !is_led_elsewhere(sim, known, name))
            sim_fail(sim, "MOVED led slot %u to %s, and an older answer led it back to %s",
                     sim->slot_of_tag[tag], known->now, name);
        /* Other slots may follow one of their shard, wherever a MOVED of their own has led them
         * before; an answer knows better about those. */
        if (strcmp(name, known->now) && asked && !strcmp(name, known->said)) {
            memcpy(known->before, known->now, sizeof known->before);
            known->moved_ns = sim->now_ns;
        }
        if (strcmp(name, known->now))
            known->said[0] = '\0';
        if (!asked)
            known->before[0] = '\0';
        memcpy(known->now, name, sizeof known->now);
    }
    /* A node that did not answer is followed by another one, which is asked later. */
    sim->question_ns = engine->refreshing ? engine->refreshing->started_ns : SIM_NEVER;
    sim->map_refreshes = engine->stats.refreshes;
    sim->map_moved = engine->stats.moved;
}

void sim_check_turn(struct sim *sim)
{
    char text[SIM_SHOWN];
    const char *complaint = sim_check_engine(sim->engine, text);
    if (complaint)
        sim_fail(sim, "inside the engine: %s", complaint);
    if (sim->engine->pending != sim->accepted - sim->completed)
        sim_fail(sim, "the engine counts %u pending calls, there are %llu", sim->engine->pending,
                 (unsigned long long)(sim->accepted - sim->completed));
    check_open_calls(sim);
    check_map(sim);
    forget_nodes(sim);
    sim_check_refresh(sim);
}

static struct sim_dialled *dialled(struct sim *sim, const char *name)
{
    for (uint32_t i = 0; i < sim->dialled_count; i++)
        if (!strcmp(sim->dialled[i].name, name))
            return &sim->dialled[i];
    if (sim->dialled_count == sizeof sim->dialled / sizeof *sim->dialled)
        sim_fail(sim, "the engine connects to more names than there are, the last %s", name);
    struct sim_dialled *added = &sim->dialled[sim->dialled_count++];
    *added = (struct sim_dialled){.window_ns = sim->now_ns};
    snprintf(added->name, sizeof added->name, "%s", name);
    return added;
}

/* What the options promise between the n-th failed dial in a row and the next one. */
static int64_t backoff_ns(const struct tendon__options *options, uint32_t failures)
{
    int64_t wait_ms = options->reconnect_backoff_min_ms;
    for (uint32_t i = 1; i < failures && wait_ms < options->reconnect_backoff_max_ms; i++)
        wait_ms *= 2;
    if (wait_ms > options->reconnect_backoff_max_ms)
        wait_ms = options->reconnect_backoff_max_ms;
    return wait_ms * SIM_MS / (options->retry_jitter ? 2 : 1);
}

void sim_check_greeting(struct sim *sim)
{
    if (!sim->greeting || sim->engine->stats.created == sim->created)
        return;
    sim_note_dial(sim, sim->greeting, true);
    sim->greeting = NULL;
}

void sim_check_dial(struct sim *sim, const struct tendon__node *node)
{
    sim_check_greeting(sim);
    struct sim_dialled *at = dialled(sim, node->name);
    int64_t since_ns = sim->now_ns - at->failed_ns;
    if (at->failures && sim->options.reconnect == TENDON__RECONNECT_AUTO &&
        since_ns < backoff_ns(&sim->options, at->failures))
        sim_fail(sim,
                 "%s is dialled %.3f ms after failed dial %u in a row, but backoff is at "
                 "least %.3f ms",
                 node->name, (double)since_ns / 1e6, at->failures,
                 (double)backoff_ns(&sim->options, at->failures) / 1e6);
    if (sim->now_ns - at->window_ns >= 1000 * SIM_MS) {
        at->window_ns = sim->now_ns;
        at->window_count = 0;
    }
    bool hammers = sim->options.retry_strategy == TENDON__RETRY_STRATEGY_NONE;
    if (++at->window_count > SIM_DIALS_PER_SECOND && !hammers)
        sim_fail(sim, "%s is dialled %u times within a second", node->name, at->window_count);
}

void sim_note_dial(struct sim *sim, const char *name, bool succeeded)
{
    struct sim_dialled *at = dialled(sim, name);
    at->failures = succeeded ? 0 : at->failures + 1;
    at->failed_ns = sim->now_ns;
}

/* An urgent round may begin sooner than the gap, in which commands wait for a primary that is gone,
 * but never as if there were no gap, and not for ever: as many as this since the last that waited
 * for it without a quiet time. */
#define URGENT_GAP_MS 150
#define URGENT_MAX    32

/* Rounds of questions for the map keep their gap: one more per gap, however many reasons. */
void sim_check_refresh(struct sim *sim)
{
    const struct tendon__engine *engine = sim->engine;
    uint64_t rounds = engine->stats.refreshes + engine->stats.refresh_failures;
    if (engine->kind != TENDON__KIND_CLUSTER)
        sim->refresh_ns = -SIM_NEVER; /* the first map is asked for as often as connections come */
    bool ended = rounds != sim->refresh_rounds;
    /* One that nobody could be asked in has begun and ended since the last look. */
    bool began = !sim->refresh_seen && (engine->refresh.running || ended);
    int64_t gap_ns = sim->options.cluster_refresh_min_gap_ms * SIM_MS;
    int64_t urgent_ns = URGENT_GAP_MS * SIM_MS < gap_ns ? URGENT_GAP_MS * SIM_MS : gap_ns;
    bool early = began && sim->refresh_ns > 0 && sim->now_ns - sim->refresh_ns < gap_ns;
    /* A sum, because a difference to -SIM_NEVER is out of range. */
    if (began && sim->now_ns >= sim->refresh_ns + gap_ns * 16)
        sim->urgent_rounds = 0;
    sim->urgent_rounds += early;
    if (sim->urgent_rounds > URGENT_MAX)
        sim_fail(sim, "%u refreshes of the map did not wait for the gap", sim->urgent_rounds);
    if (early && sim->now_ns - sim->refresh_ns < urgent_ns)
        sim_fail(sim, "a refresh of the map begins %.3f ms after the last one; the gap is %lld ms",
                 (double)(sim->now_ns - sim->refresh_ns) / 1e6, (long long)(urgent_ns / SIM_MS));
    sim->refresh_seen = engine->refresh.running;
    if (ended && engine->kind == TENDON__KIND_CLUSTER)
        sim->refresh_ns = sim->now_ns;
    sim->refresh_rounds = rounds;
}

/* A server is asked for the map. What was held up may come at once, so the window is generous. */
void sim_check_slots_asked(struct sim *sim)
{
    int64_t gap_ms = sim->options.cluster_refresh_min_gap_ms;
    uint32_t per_round = 6;
    if (sim->now_ns - sim->slots_window_ns >= 10000 * SIM_MS) {
        sim->slots_window_ns = sim->now_ns;
        sim->slots_in_window = 0;
    }
    uint32_t allowed = (uint32_t)(per_round * (2 + URGENT_MAX + 20000 / (gap_ms + 50))) + 60;
    if (++sim->slots_in_window > allowed)
        sim_fail(sim, "the map is asked for %u times within ten seconds", sim->slots_in_window);
}

static const char *what_is_left(const struct sim *sim)
{
    const struct tendon__engine *engine = sim->engine;
    const struct tendon__link *list = &engine->nodes;
    if (engine->pending)
        return "requests are pending";
    if (!tendon__list_empty(&engine->parked) || !tendon__list_empty(&engine->delayed) ||
        engine->id_count)
        return "requests wait";
    if (!tendon__list_empty(&engine->leases))
        return "leases are known";
    for (const struct tendon__link *link = list->next; link != list; link = link->next) {
        const struct tendon__node *node = TENDON__OWNER(link, struct tendon__node, link);
        if (node->waiting_count || node->pool.waiting_count)
            return "somebody waits at a node";
        if (node->pool.leased_count)
            return "a connection is lent";
    }
    list = &engine->channels;
    for (const struct tendon__link *link = list->next; link != list; link = link->next) {
        const struct tendon__channel *channel = TENDON__OWNER(link, struct tendon__channel, link);
        if (channel->conn.fifo_count && !channel->probing && !engine->refreshing)
            return "a connection owes a reply";
    }
    return NULL;
}

void sim_check_rest(struct sim *sim)
{
    const char *left = what_is_left(sim);
    if (left)
        sim_fail(sim, "everything has ended, but %s", left);
    uint32_t strangers = 0;
    const struct tendon__link *list = &sim->engine->nodes;
    for (const struct tendon__link *link = list->next; link != list; link = link->next) {
        const struct tendon__node *node = TENDON__OWNER(link, struct tendon__node, link);
        if (!node->is_seed && !node->in_map && node->retired)
            sim_fail(sim, "the engine keeps %s, which has left the map", node->name);
        strangers += !node->is_seed && !node->in_map;
    }
    /* A redirect may have named one; the next map decides about it. */
    if (strangers > 3)
        sim_fail(sim, "the engine keeps %u nodes that are neither seeds nor in the map", strangers);
}

static void check_lost(struct sim *sim, uint32_t index)
{
    const struct sim_token *token = &sim->tokens[index];
    const struct sim_call *call = sim->calls[token->call];
    if (!token->writes || token->lost || !token->executions || call->status != TENDON_OK ||
        call->final_error || call->count > 1 || token->on_lease)
        return;
    if (!sim_is_kept(sim, index))
        sim_fail(sim,
                 "#%u was acknowledged to call %u and no server has lost it, but it is not in "
                 "the data of server %u",
                 index, call->index, sim_true_owner(sim, token->command.keys[0]));
}

void sim_check_end(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->call_count; i++) {
        const struct sim_call *call = sim->calls[i];
        if (call->outcomes != 1)
            sim_fail(sim, "call %u (#%u) has %u outcomes at the end", i, call->first_token,
                     call->outcomes);
    }
    /* What a server took that was no longer the owner, and has not learned that yet. */
    for (uint32_t i = 0; i < SIM_SERVERS; i++)
        sim_mark_lost(sim, i);
    for (uint32_t i = 1; i < sim->token_count; i++)
        check_lost(sim, i);
}
