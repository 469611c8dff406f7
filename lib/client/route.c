/* Which node a request goes to, and which connection of it. */
#include <string.h>

#include "client/engine.h"
#include "client/spread.h"

static void fail(struct tendon__engine *engine, struct tendon__request *request,
                 tendon_status status, const char *text)
{
    struct tendon__fault fault;
    tendon__fault_set(&fault, status, "%s", text);
    tendon__request_fail(engine, request, &fault);
}

/* While a node is known to be down, a request that may not outlast the wait is told at once. */
static bool fails_fast(struct tendon__engine *engine, struct tendon__request *request,
                       struct tendon__node *node)
{
    if (!node->failures || engine->now_ns >= node->next_dial_ns || node->held)
        return false;
    bool no_budget = engine->options->max_retries == 0 || request->flags & TENDON_REQUEST_NO_RETRY;
    if (!tendon__fault_is_permanent(&node->fault) && !no_budget)
        return false;
    struct tendon__fault said = node->fault;
    said.executed = 0;
    tendon__request_fail(engine, request, &said);
    return true;
}

/* The seed all others are as bad as: every seed is waiting for its next dial. NULL when one may be
 * tried. */
static struct tendon__node *last_seed(struct tendon__engine *engine)
{
    struct tendon__node *seed = NULL;
    for (struct tendon__link *link = engine->nodes.next; link != &engine->nodes;
         link = link->next) {
        struct tendon__node *node = TENDON__OWNER(link, struct tendon__node, link);
        if (!node->is_seed)
            continue;
        if (!node->failures || engine->now_ns >= node->next_dial_ns || node->dials)
            return NULL;
        seed = node;
    }
    return seed;
}

static void park(struct tendon__engine *engine, struct tendon__request *request)
{
    struct tendon__node *seed = last_seed(engine);
    if (seed && fails_fast(engine, request, seed))
        return;
    request->state = TENDON__REQUEST_PARKED;
    tendon__list_push(&engine->parked, &request->link);
    tendon__map_need(engine);
}

static bool reads_replicas(const struct tendon__engine *engine,
                           const struct tendon__request *request)
{
    return engine->options->read_from != TENDON__READ_FROM_PRIMARY &&
           request->flags & TENDON__REQUEST_REPLICA_SAFE && !request->lease &&
           !(request->flags & (TENDON_REQUEST_BLOCKING | TENDON_REQUEST_CONNECT));
}

static struct tendon__node *node_of(struct tendon__engine *engine,
                                    const struct tendon__topology_node *from)
{
    if (!from)
        return NULL;
    struct tendon__node *known =
        engine->map_nodes ? engine->map_nodes[from - engine->map->nodes] : NULL;
    return known ? known : tendon__node_get(engine, from->host, from->port);
}

/* A replica that is not known to be failing, starting at a random one; NULL when there is none. */
static struct tendon__node *pick_replica(struct tendon__engine *engine, uint32_t slot)
{
    uint32_t count = 0;
    const struct tendon__topology_node *replicas =
        tendon__topology_replicas(engine->map, slot, &count);
    uint32_t start = (uint32_t)tendon__random_below(&engine->random, count);
    for (uint32_t i = 0; i < count; i++) {
        struct tendon__node *node = node_of(engine, &replicas[(start + i) % count]);
        if (node && !node->failures && engine->now_ns >= node->avoid_until_ns)
            return node;
    }
    return NULL;
}

struct tendon__node *tendon__route_primary(struct tendon__engine *engine, uint32_t slot)
{
    return engine->map ? node_of(engine, tendon__topology_primary(engine->map, slot)) : NULL;
}

static struct tendon__node *pick_for_slot(struct tendon__engine *engine,
                                          const struct tendon__request *request, uint32_t slot)
{
    struct tendon__node *primary = node_of(engine, tendon__topology_primary(engine->map, slot));
    if (!reads_replicas(engine, request))
        return primary;
    uint32_t count = 0;
    tendon__topology_replicas(engine->map, slot, &count);
    if (engine->options->read_from == TENDON__READ_FROM_ANY &&
        !tendon__random_below(&engine->random, (uint64_t)count + 1) && primary &&
        !primary->failures)
        return primary;
    struct tendon__node *replica = pick_replica(engine, slot);
    if (replica || engine->options->read_from == TENDON__READ_FROM_REPLICA_ONLY)
        return replica;
    return primary;
}

/* For commands without keys: any shard, preferring primaries that answer. */
static struct tendon__node *pick_any(struct tendon__engine *engine)
{
    const struct tendon__topology *map = engine->map;
    uint32_t start = map->shard_count > 1
                         ? (uint32_t)tendon__random_below(&engine->random, map->shard_count)
                         : 0;
    struct tendon__node *fallback = NULL;
    for (uint32_t i = 0; i < map->shard_count; i++) {
        uint16_t primary = map->shards[(start + i) % map->shard_count].primary;
        if (primary == TENDON__NO_SHARD)
            continue;
        struct tendon__node *node = node_of(engine, &map->nodes[primary]);
        if (node && !node->failures)
            return node;
        fallback = node ? node : fallback;
    }
    return fallback;
}

static struct tendon__node *find_named(struct tendon__engine *engine, const char *name)
{
    for (struct tendon__link *link = engine->nodes.next; link != &engine->nodes;
         link = link->next) {
        struct tendon__node *node = TENDON__OWNER(link, struct tendon__node, link);
        if (!strcmp(node->name, name))
            return node;
    }
    return NULL;
}

/* No node serves the slot now: a cluster that heals may give one before the deadline. */
static void wait_for_owner(struct tendon__engine *engine, struct tendon__request *request)
{
    struct tendon__fault fault;
    tendon__fault_set(&fault, TENDON_ERROR_NO_NODE, "no reachable node serves slot %u",
                      request->slot);
    tendon__map_urge(engine);
    tendon__attempt_failed(engine, request, &fault, TENDON__PROGRESS_QUEUED);
}

void tendon__route(struct tendon__engine *engine, struct tendon__request *request)
{
    if (engine->kind == TENDON__KIND_UNKNOWN) {
        park(engine, request);
        return;
    }
    if (request->spread && tendon__spread(engine, request))
        return;
    if (request->flags & (TENDON__REQUEST_CROSS_SLOT | TENDON__REQUEST_UNKNOWN) &&
        engine->kind == TENDON__KIND_CLUSTER) {
        if (request->flags & TENDON__REQUEST_UNKNOWN) {
            if (!tendon__unknown_waits(engine, request))
                tendon__route(engine, request);
            return;
        }
        fail(engine, request, TENDON_ERROR_CROSSSLOT,
             "the keys map to different slots; give them one hash tag");
        return;
    }
    struct tendon__node *node = request->target;
    request->target = NULL;
    /* One server, as most clients have, is found without looking at the map. */
    if (!node && engine->kind == TENDON__KIND_STANDALONE && engine->map_nodes &&
        request->route != TENDON_ROUTE_NODE)
        node = engine->map_nodes[0];
    if (node) {
        tendon__route_to(engine, request, node);
        return;
    }
    if (request->route == TENDON_ROUTE_NODE) {
        node = find_named(engine, request->node_name);
        if (!node) {
            struct tendon__fault fault;
            tendon__fault_set(&fault, TENDON_ERROR_NO_NODE,
                              "no node is known as '%.200s'; tendon_client_nodes lists them",
                              request->node_name);
            tendon__request_fail(engine, request, &fault);
            return;
        }
    } else if (request->slot == TENDON__NO_SLOT || request->route == TENDON_ROUTE_RANDOM) {
        node = pick_any(engine);
    } else {
        node = pick_for_slot(engine, request, request->slot);
    }
    bool covered =
        !engine->options->cluster_full_coverage || engine->map->covered == TENDON__SLOT_COUNT;
    if (!node || !covered)
        wait_for_owner(engine, request);
    else
        tendon__route_to(engine, request, node);
}

void tendon__route_all(struct tendon__engine *engine, struct tendon__link *requests)
{
    struct tendon__link taken;
    tendon__list_init(&taken);
    struct tendon__link *link;
    while ((link = tendon__list_shift(requests)))
        tendon__list_push(&taken, link);
    while ((link = tendon__list_shift(&taken))) {
        struct tendon__request *request = TENDON__OWNER(link, struct tendon__request, link);
        request->state = TENDON__REQUEST_NEW;
        tendon__route(engine, request);
    }
}

void tendon__route_to(struct tendon__engine *engine, struct tendon__request *request,
                      struct tendon__node *node)
{
    request->node = node;
    if (request->flags & (TENDON_REQUEST_BLOCKING | TENDON__REQUEST_OPEN_LEASE)) {
        if (!node->pool.idle_count && fails_fast(engine, request, node))
            return;
        tendon__borrow(engine, request, node);
        return;
    }
    struct tendon__channel *lane = NULL;
    if (!node->waiting_count && request->flags & TENDON__REQUEST_DIRECT)
        lane = tendon__node_free_lane(node);
    if (!node->waiting_count && !lane)
        lane = tendon__node_lane(node);
    if (lane) {
        tendon__send_on(engine, request, lane);
        return;
    }
    if (fails_fast(engine, request, node))
        return;
    if (tendon__node_is_lent(node)) {
        if (engine->options->pool_wait_ms == 0) {
            struct tendon__fault fault;
            tendon__pool_exhausted(node, &fault);
            tendon__request_fail(engine, request, &fault);
            return;
        }
        if (engine->options->pool_wait_ms > 0)
            request->room_ns = engine->now_ns + engine->options->pool_wait_ms * TENDON__MS;
    }
    tendon__node_wait(node, request);
}

void tendon__send_before(struct tendon__engine *engine, struct tendon__request *request,
                         struct tendon__channel *channel, struct tendon__exchange *before)
{
    request->node = channel->node;
    if (request->flags & TENDON_REQUEST_CONNECT) {
        tendon__request_answer(engine, request,
                               tendon__reply_text(engine->memory, TENDON_NODE_STATUS, "OK", 2));
        return;
    }
    request->channel = channel;
    request->room_ns = 0;
    request->state = TENDON__REQUEST_ON_WIRE;
    request->attempt_ns = engine->now_ns;
    request->reply_count = 0;
    request->exchange.frame = request->frame;
    request->exchange.frame_bytes = request->frame_bytes;
    request->exchange.reply_count = request->command_count;
    request->exchange.asking = request->asking;
    channel->dirt |= request->dirt;
    request->turn = ++channel->turns;
    if (request->dirt & TENDON__DIRT_TRANSACTION)
        channel->dirty_turn = request->turn;
    channel->used_ns = channel->asked_ns = engine->now_ns;
    tendon__conn_send_before(&channel->conn, &request->exchange, before, engine->now_ns);
    tendon__channel_flush(channel);
    tendon__request_arm(engine, request);
}

void tendon__send_on(struct tendon__engine *engine, struct tendon__request *request,
                     struct tendon__channel *channel)
{
    tendon__send_before(engine, request, channel, NULL);
}
