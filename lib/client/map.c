/*
 * Where the map of servers comes from: the first connection tells standalone from cluster, CLUSTER
 * SLOTS gives the cluster's map, and whatever smells of change asks for it again, one question at a
 * time. A failed refresh never discards a usable map.
 */
#include <stdio.h>
#include <string.h>

#include "client/endpoint.h"
#include "client/engine.h"
#include "client/request_build.h"
#include "client/subscription.h"

#define REFRESH_TRIES_MAX 5 /* nodes asked in one refresh before it counts as failed */
#define WAKE_GAP_MS       100
#define SILENT_MS         300
/* MOVED remembered while a refresh is under way; later ones only trigger another. */
#define MOVES_MAX 512

static void start_refresh(struct tendon__engine *engine);

/* Nodes by their place in the map, so that a command finds its node without comparing names. */
static void index_nodes(struct tendon__engine *engine, const struct tendon__topology *map)
{
    tendon__memory_free(engine->memory, engine->map_nodes);
    engine->map_nodes =
        tendon__memory_make(engine->memory, map->node_count * sizeof(struct tendon__node *));
    for (uint32_t i = 0; i < map->node_count; i++) {
        struct tendon__node *node =
            tendon__node_get(engine, map->nodes[i].host, map->nodes[i].port);
        if (engine->map_nodes)
            engine->map_nodes[i] = node;
        if (!node)
            continue;
        node->in_map = true;
        node->replica = !map->nodes[i].primary;
    }
}

/* Callers that hand over many commands want to know which of them go together. Without memory for
 * the table they go one by one. */
static void tell_owners(struct tendon__engine *engine, const struct tendon__topology *map)
{
    struct tendon__owners *owners = engine->owners;
    if (!owners)
        owners = tendon__memory_make(engine->memory, sizeof *owners);
    if (!owners)
        return;
    tendon__owners_set(owners, map);
    __atomic_store_n(&engine->owners, owners, __ATOMIC_RELEASE);
}

static void adopt(struct tendon__engine *engine, struct tendon__topology *map,
                  enum tendon__engine_kind kind)
{
    if (engine->map)
        tendon__topology_unref(engine->map);
    engine->map = map;
    if (kind == TENDON__KIND_CLUSTER)
        tell_owners(engine, map);
    __atomic_store_n(&engine->kind, kind, __ATOMIC_RELAXED);
    for (struct tendon__link *link = engine->nodes.next; link != &engine->nodes; link = link->next)
        TENDON__OWNER(link, struct tendon__node, link)->in_map = false;
    index_nodes(engine, map);
    tendon__route_all(engine, &engine->parked);
    tendon__subscriptions_look(engine);
}

/* Those who wait for a connection of their own. */
static void take_borrowers(struct tendon__engine *engine, struct tendon__node *node,
                           struct tendon__link *out)
{
    struct tendon__link *waiters = &node->pool.waiters;
    while (!tendon__list_empty(waiters)) {
        struct tendon__waiter *waiter = TENDON__OWNER(waiters->next, struct tendon__waiter, link);
        struct tendon__request *request = TENDON__OWNER(waiter, struct tendon__request, waiter);
        tendon__request_withdraw(engine, request, request->state);
        tendon__list_push(out, &request->link);
    }
}

/* Everybody who waits at the node for a connection looks again where to go. */
static void reroute_waiting(struct tendon__engine *engine, struct tendon__node *node)
{
    struct tendon__link waiting;
    tendon__list_init(&waiting);
    struct tendon__link *first;
    while ((first = tendon__list_shift(&node->waiting)))
        tendon__list_push(&waiting, first);
    node->waiting_count = 0;
    take_borrowers(engine, node, &waiting);
    tendon__route_all(engine, &waiting);
}

/*
 * Another node serves what a lost one did: those who wait for the lost one, and those whose next
 * try is up to half a second away, go there now. What merely flaps between two nodes must not turn
 * the waits between tries into none, so this happens once per WAKE_GAP_MS at most.
 */
static void wake(struct tendon__engine *engine)
{
    if (engine->woken_ns && engine->now_ns - engine->woken_ns < WAKE_GAP_MS * TENDON__MS)
        return;
    engine->woken_ns = engine->now_ns;
    for (struct tendon__link *link = engine->nodes.next; link != &engine->nodes;
         link = link->next) {
        struct tendon__node *node = TENDON__OWNER(link, struct tendon__node, link);
        if (node->lost && node->replica && node->in_map)
            reroute_waiting(engine, node);
    }
    for (struct tendon__link *link = engine->delayed.next; link != &engine->delayed;
         link = link->next) {
        struct tendon__request *request = TENDON__OWNER(link, struct tendon__request, link);
        request->state = TENDON__REQUEST_NEW;
        tendon__timer_set(&engine->timers, &request->timer, TENDON__NO_TIME);
        tendon__request_arm(engine, request);
    }
    tendon__route_all(engine, &engine->delayed);
}

/* Nodes that left the cluster finish what they have and close. */
static void retire_strangers(struct tendon__engine *engine)
{
    for (struct tendon__link *link = engine->nodes.next; link != &engine->nodes;
         link = link->next) {
        struct tendon__node *node = TENDON__OWNER(link, struct tendon__node, link);
        if (node->in_map || node->retired)
            continue;
        node->retired = true;
        tendon__log(engine, TENDON_LOG_INFO, NULL, "%s is not in the cluster's map%s", node->name,
                    node->is_seed ? "; it is only asked for the map" : " any more");
        tendon__node_drain(node, TENDON__CLOSE_STALE);
        reroute_waiting(engine, node);
    }
}

static void become_standalone(struct tendon__engine *engine, struct tendon__node *node)
{
    struct tendon__topology *map = NULL;
    if (tendon__topology_single(engine->memory, node->host, node->port, &map) == TENDON_OK)
        adopt(engine, map, TENDON__KIND_STANDALONE);
}

static void arm_refresh(struct tendon__engine *engine)
{
    int64_t when_ns = engine->kind == TENDON__KIND_CLUSTER && !engine->closed
                          ? tendon__refresh_deadline(&engine->refresh)
                          : TENDON__NO_TIME;
    tendon__timer_set(&engine->timers, &engine->refresh_timer, when_ns);
}

static void refresh_ended(struct tendon__sink *sink, struct tendon__request *request);

void tendon__map_start(struct tendon__engine *engine)
{
    const struct tendon__options *options = engine->options;
    struct tendon__endpoint endpoints[TENDON__ENDPOINTS_MAX];
    uint32_t count = 0;
    engine->refresh_sink.complete = refresh_ended;
    engine->refresh_timer.kind = TENDON__TIMER_REFRESH;
    tendon__refresh_init(&engine->refresh, options->cluster_refresh_interval_ms * TENDON__MS,
                         options->cluster_refresh_min_gap_ms * TENDON__MS,
                         tendon__random_next(&engine->random), engine->now_ns);
    const char *list = options->unix_socket[0] ? "localhost" : options->endpoints;
    if (!list[0] || tendon__endpoints_parse(list, strlen(list), (uint16_t)options->port, endpoints,
                                            &count, NULL) != TENDON_OK) {
        snprintf(endpoints[0].host, sizeof endpoints[0].host, "%s", options->host);
        endpoints[0].port = (uint16_t)options->port;
        count = 1;
    }
    struct tendon__node *first = NULL;
    for (uint32_t i = 0; i < count; i++) {
        struct tendon__node *node = tendon__node_get(engine, endpoints[i].host, endpoints[i].port);
        if (node)
            node->is_seed = true;
        first = first ? first : node;
    }
    if (first && options->mode == TENDON__MODE_STANDALONE)
        become_standalone(engine, first);
}

void tendon__map_deinit(struct tendon__engine *engine)
{
    if (engine->map)
        tendon__topology_unref(engine->map);
    engine->map = NULL;
    tendon__memory_free(engine->memory, engine->map_nodes);
    engine->map_nodes = NULL;
    tendon__memory_free(engine->memory, engine->owners);
    engine->owners = NULL;
    tendon__memory_free(engine->memory, engine->moves);
    engine->moves = NULL;
}

static uint32_t seed_count(const struct tendon__engine *engine)
{
    uint32_t count = 0;
    for (struct tendon__link *link = engine->nodes.next; link != &engine->nodes; link = link->next)
        count += TENDON__OWNER(link, struct tendon__node, link)->is_seed;
    return count;
}

static struct tendon__node *seed_at(struct tendon__engine *engine, uint32_t index)
{
    for (struct tendon__link *link = engine->nodes.next; link != &engine->nodes;
         link = link->next) {
        struct tendon__node *node = TENDON__OWNER(link, struct tendon__node, link);
        if (node->is_seed && !index--)
            return node;
    }
    return NULL;
}

/* Somebody waits to learn what the server is: connect to the next seed that may be dialled. */
void tendon__map_need(struct tendon__engine *engine)
{
    uint32_t count = seed_count(engine);
    struct tendon__node *soonest = NULL;
    if (engine->kind != TENDON__KIND_UNKNOWN || engine->refreshing || engine->closed)
        return;
    for (uint32_t i = 0; i < count; i++) {
        struct tendon__node *node = seed_at(engine, (engine->seed_next + i) % count);
        if (node->dials)
            return;
        struct tendon__channel *lane = tendon__node_lane(node);
        if (lane) {
            tendon__map_learned(engine, node, &lane->conn.facts);
            return;
        }
        if (node->dials || engine->kind != TENDON__KIND_UNKNOWN)
            return;
        if (!soonest || node->next_dial_ns < soonest->next_dial_ns)
            soonest = node;
    }
    if (soonest) {
        soonest->wanted = true;
        tendon__node_arm(soonest);
    }
}

void tendon__map_learned(struct tendon__engine *engine, struct tendon__node *node,
                         const struct tendon__conn_facts *facts)
{
    if (engine->kind != TENDON__KIND_UNKNOWN || engine->refreshing)
        return;
    engine->seed_failures = 0;
    bool pinned = engine->options->mode == TENDON__MODE_CLUSTER;
    if (!pinned && facts->hello && !facts->cluster) {
        become_standalone(engine, node);
        return;
    }
    engine->refresh_node = node;
    engine->refresh_tries = 0;
    tendon__refresh_trigger(&engine->refresh, engine->now_ns);
    if (!tendon__refresh_begin(&engine->refresh, engine->now_ns))
        engine->refresh.running =
            true; /* a server is there now; the gap is for repeated questions */
    start_refresh(engine);
}

void tendon__map_trigger(struct tendon__engine *engine)
{
    if (engine->kind != TENDON__KIND_CLUSTER || engine->closed)
        return;
    tendon__refresh_trigger(&engine->refresh, engine->now_ns);
    arm_refresh(engine);
}

/* Of all nodes, as a promotion may be told by any of them. */
static bool somebody_waits(const struct tendon__engine *engine)
{
    if (!tendon__list_empty(&engine->delayed))
        return true;
    for (struct tendon__link *link = engine->nodes.next; link != &engine->nodes;
         link = link->next) {
        const struct tendon__node *node = TENDON__OWNER(link, struct tendon__node, link);
        if (node->lost && (node->waiting_count || node->pool.waiting_count))
            return true;
    }
    return false;
}

static bool misses_primary(const struct tendon__engine *engine)
{
    for (struct tendon__link *link = engine->nodes.next; link != &engine->nodes;
         link = link->next) {
        const struct tendon__node *node = TENDON__OWNER(link, struct tendon__node, link);
        if (node->lost && node->in_map && !node->replica && !node->held &&
            !tendon__fault_is_permanent(&node->fault))
            return true;
    }
    return false;
}

void tendon__map_urge(struct tendon__engine *engine)
{
    if (engine->kind != TENDON__KIND_CLUSTER || engine->closed)
        return;
    tendon__refresh_urge(&engine->refresh, engine->now_ns);
    arm_refresh(engine);
}

/* A dial that nobody answers takes seconds to fail, so what is asked again is not left to it. */
static void urge_if_missed(struct tendon__engine *engine)
{
    if (misses_primary(engine) && somebody_waits(engine))
        tendon__map_urge(engine);
}

/* Every seed failed once more: that is one failed attempt for everybody who waits. */
static void count_round(struct tendon__engine *engine, const struct tendon__fault *fault)
{
    struct tendon__link *link = engine->parked.next;
    while (link != &engine->parked) {
        struct tendon__link *next = link->next;
        tendon__dial_counts(engine, TENDON__OWNER(link, struct tendon__request, link), fault);
        link = next;
    }
}

void tendon__map_seed_failed(struct tendon__engine *engine, struct tendon__node *node,
                             const struct tendon__fault *fault)
{
    if (engine->kind == TENDON__KIND_CLUSTER) {
        tendon__map_trigger(engine);
        urge_if_missed(engine);
        return;
    }
    if (!node->is_seed)
        return;
    uint32_t count = seed_count(engine);
    engine->seed_next = (engine->seed_next + 1) % count;
    if (++engine->seed_failures % count == 0)
        count_round(engine, fault);
    if (!tendon__list_empty(&engine->parked))
        tendon__map_need(engine);
}

/* A node of the map, whether connected or not: the seeds may all be gone. */
static struct tendon__node *pick_known(struct tendon__engine *engine)
{
    struct tendon__node *chosen = NULL;
    uint64_t seen = 0;
    for (struct tendon__link *link = engine->nodes.next; link != &engine->nodes;
         link = link->next) {
        struct tendon__node *node = TENDON__OWNER(link, struct tendon__node, link);
        if (node->in_map && !node->failures && node != engine->refresh_node &&
            !tendon__random_below(&engine->random, ++seen))
            chosen = node;
    }
    return chosen;
}

/* It owes answers and sent nothing for a while: who has stopped answers no question about the map
 * either. */
static bool is_silent(const struct tendon__engine *engine, const struct tendon__channel *lane)
{
    return lane->conn.fifo_count && lane->asked_ns > lane->conn.rx_ns &&
           engine->now_ns - lane->conn.rx_ns > SILENT_MS * TENDON__MS;
}

/* A ready node other than the one that failed last, at random; else in turn a seed, whose name is
 * resolved anew, and any node of the map. */
static struct tendon__node *pick_source(struct tendon__engine *engine)
{
    struct tendon__node *chosen = NULL;
    uint64_t seen = 0;
    for (struct tendon__link *link = engine->nodes.next; link != &engine->nodes;
         link = link->next) {
        struct tendon__node *node = TENDON__OWNER(link, struct tendon__node, link);
        bool ready = node->lanes[0] && node->lanes[0]->state == TENDON__CHANNEL_READY &&
                     !node->failures && !is_silent(engine, node->lanes[0]);
        if (ready && node != engine->refresh_node && !tendon__random_below(&engine->random, ++seen))
            chosen = node;
    }
    if (chosen && engine->refresh_tries < REFRESH_TRIES_MAX / 2 + 1)
        return chosen;
    chosen = engine->refresh_tries % 2 ? pick_known(engine) : NULL;
    return chosen ? chosen : seed_at(engine, engine->seed_next++ % seed_count(engine));
}

static void end_refresh(struct tendon__engine *engine, bool succeeded)
{
    if (succeeded)
        engine->stats.refreshes++;
    else
        engine->stats.refresh_failures++;
    tendon__refresh_done(&engine->refresh, succeeded, engine->now_ns);
    engine->refresh_node = NULL;
    engine->move_count = 0;
    arm_refresh(engine);
    urge_if_missed(engine);
}

static void start_refresh(struct tendon__engine *engine)
{
    struct tendon__node *node = engine->refresh_node;
    struct tendon__request *request = NULL;
    static const tendon_bytes question[] = {{"CLUSTER", 7}, {"SLOTS", 5}};
    if (node)
        request = tendon__request_internal(engine->memory, question, 2, &engine->refresh_sink);
    if (!request) {
        end_refresh(engine, false);
        return;
    }
    engine->refresh_tries++;
    engine->refreshing = request;
    request->started_ns = engine->now_ns;
    request->deadline_ns =
        engine->now_ns + engine->options->cluster_refresh_timeout_ms * TENDON__MS;
    tendon__request_arm(engine, request);
    tendon__route_to(engine, request, node);
}

void tendon__map_tick(struct tendon__engine *engine)
{
    if (engine->kind == TENDON__KIND_CLUSTER &&
        tendon__refresh_begin(&engine->refresh, engine->now_ns)) {
        engine->refresh_tries = 0;
        engine->move_count = 0;
        engine->refresh_node = NULL;
        engine->refresh_node = pick_source(engine);
        start_refresh(engine);
    }
    arm_refresh(engine);
}

static void reach(const void *context, char *host, uint16_t *port)
{
    const struct tendon__engine *engine = context;
    tendon__address_map_apply(engine->options->cluster_address_map, host, port);
}

static tendon_status parse_map(struct tendon__engine *engine, const struct tendon__request *request,
                               struct tendon__topology **out, struct tendon__fault *fault)
{
    const tendon_reply *reply = request->replies[0];
    const struct tendon__tape tape = {reply->nodes, (uint32_t)reply->node_count, reply->data};
    const struct tendon__topology_origin origin = {
        .host = request->node->host,
        .port = request->node->port,
        .tls = engine->options->tls,
        .nodes_max = (uint32_t)engine->options->cluster_max_nodes,
        .reach = engine->options->cluster_address_map[0] ? reach : NULL,
        .reach_context = engine,
    };
    return tendon__topology_parse(engine->memory, &tape, &origin, out, fault);
}

/*
 * Whether a redirect would give a shard back to a replica although another redirect of the same
 * time names the shard's primary: one of the two is older than the answer. The answer stands then,
 * and whoever is sent to the wrong node of the two is redirected once more.
 */
static bool is_contradicted(const struct tendon__engine *engine, const struct tendon__topology *map,
                            const struct tendon__redirect *move)
{
    const struct tendon__topology_node *target = tendon__topology_find(map, move->host, move->port);
    const struct tendon__topology_node *primary = tendon__topology_primary(map, move->slot);
    if (!target || !primary || target->primary || target->shard != primary->shard)
        return false;
    for (uint32_t i = 0; i < engine->move_count; i++) {
        const struct tendon__redirect *other = &engine->moves[i];
        if (map->slot_shard[other->slot] == primary->shard &&
            tendon__topology_find(map, other->host, other->port) == primary)
            return true;
    }
    return false;
}

/* MOVED that came after the question was asked knows better than the answer. */
static struct tendon__topology *apply_moves(struct tendon__engine *engine,
                                            struct tendon__topology *map)
{
    for (uint32_t i = 0; i < engine->move_count; i++) {
        const struct tendon__redirect *move = &engine->moves[i];
        struct tendon__topology *patched = NULL;
        if (is_contradicted(engine, map, move) ||
            tendon__topology_moved(map, move->slot, move->host, move->port, &patched) != TENDON_OK)
            continue;
        tendon__topology_unref(map);
        map = patched;
    }
    return map;
}

static void take_map(struct tendon__engine *engine, struct tendon__topology *map)
{
    bool changed = !engine->map || !tendon__topology_equal(engine->map, map);
    map = apply_moves(engine, map);
    uint32_t nodes = map->node_count;
    adopt(engine, map, TENDON__KIND_CLUSTER);
    retire_strangers(engine);
    if (changed)
        wake(engine);
    end_refresh(engine, true);
    if (changed)
        engine->ops->event(engine->world, TENDON_EVENT_TOPOLOGY, NULL, nodes, NULL, NULL);
}

static void ask_another(struct tendon__engine *engine, const struct tendon__fault *fault)
{
    uint32_t tries = engine->kind == TENDON__KIND_UNKNOWN ? 1 : REFRESH_TRIES_MAX;
    if (engine->refresh_tries < tries && !engine->closed) {
        engine->refresh_node = pick_source(engine);
        start_refresh(engine);
        return;
    }
    struct tendon__node *node = engine->refresh_node;
    if (!engine->closed)
        tendon__log(engine, TENDON_LOG_WARNING, fault, "the cluster's map could not be read%s: %s",
                    engine->map ? "; the old one stays in use" : "", fault->text);
    end_refresh(engine, false);
    if (engine->kind != TENDON__KIND_UNKNOWN || engine->closed || !node)
        return;
    struct tendon__fault said = *fault;
    if (said.status != TENDON_ERROR_DISCONNECTED && said.status != TENDON_ERROR_TIMEOUT)
        said.status = TENDON_ERROR_TOPOLOGY;
    tendon__node_drain(node, TENDON__CLOSE_STALE);
    node->failures++;
    node->fault = said;
    node->next_dial_ns = engine->now_ns + engine->options->reconnect_backoff_min_ms * TENDON__MS;
    tendon__map_seed_failed(engine, node, &said);
}

static void refresh_ended(struct tendon__sink *sink, struct tendon__request *request)
{
    struct tendon__engine *engine = TENDON__OWNER(sink, struct tendon__engine, refresh_sink);
    struct tendon__fault fault;
    tendon__request_fault(request, &fault);
    struct tendon__topology *map = NULL;
    engine->refreshing = NULL;
    if (request->status == TENDON_OK && parse_map(engine, request, &map, &fault) == TENDON_OK) {
        take_map(engine, map);
    } else if (request->status == TENDON_OK && engine->kind == TENDON__KIND_UNKNOWN &&
               engine->options->mode == TENDON__MODE_AUTO &&
               strstr(fault.text, "cluster support disabled")) {
        struct tendon__node *node = request->node;
        end_refresh(engine, true);
        become_standalone(engine, node);
    } else {
        ask_another(engine, &fault);
    }
    tendon__request_unref(request);
}

/* For the answer to a question that is under way. Of a slot only the newest counts, behind all that
 * came before it: a refusal that is repeated a thousand times must not take the place of others. */
static void remember_move(struct tendon__engine *engine, const struct tendon__redirect *redirect)
{
    if (!engine->moves)
        engine->moves = tendon__memory_take(engine->memory, MOVES_MAX * sizeof *engine->moves);
    if (!engine->moves)
        return;
    uint32_t at = engine->move_count;
    while (at && engine->moves[at - 1].slot != redirect->slot)
        at--;
    if (at) {
        memmove(&engine->moves[at - 1], &engine->moves[at],
                (engine->move_count - at) * sizeof *engine->moves);
        engine->move_count--;
    }
    if (engine->move_count < MOVES_MAX)
        engine->moves[engine->move_count++] = *redirect;
}

/* A replica of the map to which a redirect leads has been promoted, which ends the wait of all. */
static void take_moved(struct tendon__engine *engine, const struct tendon__redirect *redirect,
                       struct tendon__topology *patched)
{
    const struct tendon__topology_node *target =
        tendon__topology_find(engine->map, redirect->host, redirect->port);
    bool promoted = target && !target->primary;
    adopt(engine, patched, TENDON__KIND_CLUSTER);
    if (promoted)
        wake(engine);
}

void tendon__map_moved(struct tendon__engine *engine, const struct tendon__redirect *redirect)
{
    const struct tendon__topology_node *owner =
        tendon__topology_primary(engine->map, redirect->slot);
    tendon__map_trigger(engine);
    if (engine->refresh.running)
        remember_move(engine, redirect);
    if (owner && owner->port == redirect->port && !strcmp(owner->host, redirect->host))
        return;
    struct tendon__topology *patched = NULL;
    if (tendon__topology_moved(engine->map, redirect->slot, redirect->host, redirect->port,
                               &patched) == TENDON_OK)
        take_moved(engine, redirect, patched);
}
