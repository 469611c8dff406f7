/* The engine's life: submitting, cancelling, time and closing. Decisions live in the files beside
 * it. */
#include "client/engine.h"

#include <string.h>

#include "client/bundle.h"
#include "client/spread.h"
#include "client/subscription.h"

#define ID_BUCKETS 256u /* of the hash of cancellable requests at first; doubles when full */

static void read_session(struct tendon__engine *engine)
{
    const struct tendon__options *options = engine->options;
    engine->session = (struct tendon__session){
        .resp2 = options->protocol == TENDON__PROTOCOL_2,
        .username = options->username,
        .password = options->password,
        .password_size = options->password_size,
        .client_name = options->client_name,
        .lib_name = options->lib_name,
        .lib_version = options->lib_version[0] ? options->lib_version : TENDON_VERSION,
        .db = (uint32_t)options->db,
    };
    engine->limits = (struct tendon__decode_limits){
        .bytes_max = (uint64_t)options->max_reply_bytes,
        .nodes_max = (uint32_t)options->max_reply_elements,
        .depth_max = (uint32_t)options->max_reply_depth,
    };
}

tendon_status tendon__engine_create(struct tendon__memory *memory,
                                    const struct tendon__options *options,
                                    const struct tendon__world_ops *ops, void *world, uint64_t seed,
                                    int64_t now_ns, struct tendon__engine **out,
                                    struct tendon__fault *fault)
{
    struct tendon__engine *engine = tendon__memory_make(memory, sizeof *engine);
    if (!engine)
        return tendon__fault_set(fault, TENDON_ERROR_NO_MEMORY, "no memory for a client");
    engine->memory = memory;
    engine->options = options;
    engine->ops = ops;
    engine->world = world;
    engine->now_ns = now_ns;
    tendon__random_init(&engine->random, seed);
    tendon__timers_init(&engine->timers, memory);
    struct tendon__link *const lists[] = {
        &engine->nodes,      &engine->channels,      &engine->graveyard, &engine->flush,
        &engine->parked,     &engine->delayed,       &engine->leases,    &engine->told,
        &engine->dead_feeds, &engine->subscriptions, &engine->bundles,   &engine->unheard};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        tendon__list_init(lists[i]);
    read_session(engine);
    engine->ids = tendon__memory_make(memory, ID_BUCKETS * sizeof(struct tendon__request *));
    engine->id_room = ID_BUCKETS;
    if (!engine->ids || tendon__timers_reserve(&engine->timers, 64) != TENDON_OK) {
        tendon__engine_destroy(engine);
        return tendon__fault_set(fault, TENDON_ERROR_NO_MEMORY, "no memory for a client");
    }
    tendon__map_start(engine);
    if (tendon__list_empty(&engine->nodes)) {
        tendon__engine_destroy(engine);
        return tendon__fault_set(fault, TENDON_ERROR_CONFIG,
                                 "no usable endpoint in options host and endpoints");
    }
    *out = engine;
    return TENDON_OK;
}

void tendon__engine_destroy(struct tendon__engine *engine)
{
    if (!engine)
        return;
    tendon__engine_sweep(engine);
    struct tendon__link *link;
    while ((link = engine->nodes.next) != &engine->nodes)
        tendon__node_free(engine, TENDON__OWNER(link, struct tendon__node, link));
    tendon__map_deinit(engine);
    tendon__timers_deinit(&engine->timers);
    tendon__memory_free(engine->memory, engine->learned);
    tendon__memory_free(engine->memory, engine->ids);
    tendon__memory_free(engine->memory, engine);
}

tendon_status tendon__engine_reserve_timers(struct tendon__engine *engine)
{
    /* Every request, channel and node has one timer, then there is the refresh and its question. A
     * bundle keeps its own until its replies came, also when nobody waits for them any more. */
    size_t count = (size_t)__atomic_load_n(&engine->pending, __ATOMIC_RELAXED) +
                   engine->live_count + engine->channel_count + engine->node_count +
                   engine->feed_count + engine->subscription_count + engine->part_count + 16;
    return tendon__timers_reserve(&engine->timers, count);
}

static bool grow_ids(struct tendon__engine *engine)
{
    size_t room = engine->id_room * 2;
    struct tendon__request **ids =
        tendon__memory_make(engine->memory, room * sizeof(struct tendon__request *));
    if (!ids)
        return false;
    for (size_t i = 0; i < engine->id_room; i++) {
        struct tendon__request *request = engine->ids[i];
        while (request) {
            struct tendon__request *next = request->hash_next;
            request->hash_next = ids[request->id & (room - 1)];
            ids[request->id & (room - 1)] = request;
            request = next;
        }
    }
    tendon__memory_free(engine->memory, engine->ids);
    engine->ids = ids;
    engine->id_room = room;
    return true;
}

static void remember_id(struct tendon__engine *engine, struct tendon__request *request)
{
    if (!request->id)
        return;
    if (engine->id_count >= engine->id_room)
        grow_ids(engine); /* on failure the chains get longer, nothing else */
    struct tendon__request **bucket = &engine->ids[request->id & (engine->id_room - 1)];
    request->hash_next = *bucket;
    *bucket = request;
    engine->id_count++;
}

void tendon__engine_adopt(struct tendon__engine *engine, struct tendon__request *request)
{
    engine->live_count++;
    remember_id(engine, request);
}

void tendon__engine_submit(struct tendon__engine *engine, struct tendon__request *request,
                           int64_t now_ns)
{
    struct tendon__fault fault;
    engine->now_ns = now_ns;
    if (!(request->flags & TENDON__REQUEST_INTERNAL)) {
        engine->stats.requests += request->command_count;
        engine->live_count++;
    }
    remember_id(engine, request);
    if (request->flags & TENDON__REQUEST_OPEN_LEASE)
        tendon__list_push(&engine->leases, &request->lease->link);
    if (request->status != TENDON_OK) {
        /* Refused while it was built; its queue is told like of any other. */
        tendon__request_fault(request, &fault);
        tendon__request_complete(engine, request, &fault);
        return;
    }
    if (engine->closed) {
        tendon__fault_set(&fault, TENDON_ERROR_CLOSED, "the client is closed; make a new one");
        tendon__request_complete(engine, request, &fault);
        return;
    }
    if (tendon__engine_reserve_timers(engine) != TENDON_OK) {
        tendon__fault_set(&fault, TENDON_ERROR_NO_MEMORY,
                          "no memory for the deadline of a request");
        tendon__request_complete(engine, request, &fault);
        return;
    }
    if (request->bundle) {
        tendon__bundle_submit(engine, request);
        return;
    }
    tendon__request_arm(engine, request);
    if (request->lease && !(request->flags & TENDON__REQUEST_OPEN_LEASE))
        tendon__lease_submit(engine, request);
    else if (request->subscription)
        tendon__subscription_submit(engine, request);
    else
        tendon__route(engine, request);
}

static struct tendon__request *find_id(const struct tendon__engine *engine, uint64_t id)
{
    struct tendon__request *request = engine->ids[id & (engine->id_room - 1)];
    while (request && request->id != id)
        request = request->hash_next;
    return request;
}

void tendon__engine_cancel(struct tendon__engine *engine, uint64_t id, int64_t now_ns)
{
    struct tendon__fault fault;
    engine->now_ns = now_ns;
    tendon__fault_set(&fault, TENDON_ERROR_CANCELLED, "the caller cancelled the request");
    struct tendon__request *request = find_id(engine, id);
    if (!request && !tendon__bundle_cancel(engine, id, &fault))
        request = find_id(engine, id); /* one that has just left its bundle */
    if (!request)
        return;
    if (request->state == TENDON__REQUEST_SPREAD)
        tendon__spread_fail(engine, request, &fault);
    else
        tendon__request_fail(engine, request, &fault);
}

static void fail_list(struct tendon__engine *engine, struct tendon__link *list,
                      const struct tendon__fault *fault)
{
    while (!tendon__list_empty(list))
        tendon__request_fail(engine, TENDON__OWNER(list->next, struct tendon__request, link),
                             fault);
}

static void fail_borrowers(struct tendon__engine *engine, struct tendon__node *node,
                           const struct tendon__fault *fault)
{
    struct tendon__link *waiters = &node->pool.waiters;
    while (!tendon__list_empty(waiters)) {
        struct tendon__waiter *waiter = TENDON__OWNER(waiters->next, struct tendon__waiter, link);
        tendon__request_fail(engine, TENDON__OWNER(waiter, struct tendon__request, waiter), fault);
    }
}

void tendon__engine_close(struct tendon__engine *engine, int64_t now_ns)
{
    if (engine->closed)
        return;
    engine->now_ns = now_ns;
    engine->closed = true;
    struct tendon__fault fault;
    tendon__fault_set(&fault, TENDON_ERROR_CLOSED,
                      "the client was closed while the command was under way");
    for (struct tendon__link *link = engine->subscriptions.next; link != &engine->subscriptions;
         link = link->next) {
        struct tendon_subscription *subscription =
            TENDON__OWNER(link, struct tendon_subscription, link);
        tendon__subscription_end(subscription, &fault);
        tendon__subscription_tell(subscription, TENDON_EVENT_CLOSED, 0, &fault, NULL);
    }
    tendon__unknown_close(engine, &fault);
    fail_list(engine, &engine->parked, &fault);
    fail_list(engine, &engine->delayed, &fault);
    for (struct tendon__link *link = engine->nodes.next; link != &engine->nodes;
         link = link->next) {
        struct tendon__node *node = TENDON__OWNER(link, struct tendon__node, link);
        fail_list(engine, &node->waiting, &fault);
        tendon__pool_close(&node->pool, now_ns);
    }
    while (!tendon__list_empty(&engine->channels))
        tendon__channel_close(TENDON__OWNER(engine->channels.next, struct tendon__channel, link),
                              TENDON__CLOSE_SHUTDOWN, &fault);
    for (struct tendon__link *link = engine->leases.next; link != &engine->leases;
         link = link->next)
        tendon__lease_lost(TENDON__OWNER(link, struct tendon_lease, link), &fault);
    tendon__timer_set(&engine->timers, &engine->refresh_timer, TENDON__NO_TIME);
}

void tendon__engine_disconnect(struct tendon__engine *engine, int64_t now_ns)
{
    engine->now_ns = now_ns;
    for (struct tendon__link *link = engine->nodes.next; link != &engine->nodes; link = link->next)
        tendon__node_drain(TENDON__OWNER(link, struct tendon__node, link), TENDON__CLOSE_SHUTDOWN);
}

void tendon__engine_reconnect(struct tendon__engine *engine, int64_t delay_ns, int64_t now_ns)
{
    engine->now_ns = now_ns;
    for (struct tendon__link *link = engine->nodes.next; link != &engine->nodes;
         link = link->next) {
        struct tendon__node *node = TENDON__OWNER(link, struct tendon__node, link);
        if (!node->held)
            continue;
        if (delay_ns >= 0) {
            node->held = false;
            node->wanted = true;
            node->next_dial_ns = now_ns + delay_ns;
            if (delay_ns)
                tendon__node_arm(node);
            else
                tendon__node_tick(node);
            continue;
        }
        node->held = node->wanted = false;
        node->next_dial_ns = 0;
        struct tendon__fault fault = node->fault;
        if (!fault.status)
            tendon__fault_set(&fault, TENDON_ERROR_DISCONNECTED, "the connection to %s is closed",
                              node->name);
        fault.executed = 0;
        fail_list(engine, &node->waiting, &fault);
        fail_borrowers(engine, node, &fault);
        fail_list(engine, &engine->parked, &fault);
        fail_list(engine, &engine->delayed, &fault);
    }
}

void tendon__engine_warm(struct tendon__engine *engine, int64_t now_ns)
{
    engine->now_ns = now_ns;
    for (struct tendon__link *link = engine->nodes.next; link != &engine->nodes;
         link = link->next) {
        struct tendon__node *node = TENDON__OWNER(link, struct tendon__node, link);
        if (engine->kind == TENDON__KIND_STANDALONE && node->in_map)
            tendon__node_arm(node);
    }
    if (engine->kind == TENDON__KIND_UNKNOWN)
        tendon__map_need(engine);
}

static void fire(struct tendon__engine *engine, struct tendon__timer *timer)
{
    tendon__timer_set(&engine->timers, timer, TENDON__NO_TIME);
    switch ((enum tendon__timer_kind)timer->kind) {
    case TENDON__TIMER_REQUEST:
        tendon__request_expired(engine, TENDON__OWNER(timer, struct tendon__request, timer));
        break;
    case TENDON__TIMER_CHANNEL:
        tendon__channel_expired(TENDON__OWNER(timer, struct tendon__channel, timer));
        break;
    case TENDON__TIMER_NODE:
        tendon__node_tick(TENDON__OWNER(timer, struct tendon__node, timer));
        break;
    case TENDON__TIMER_REFRESH:
        tendon__map_tick(engine);
        break;
    case TENDON__TIMER_FEED:
        tendon__feed_expired(TENDON__OWNER(timer, struct tendon__feed, timer));
        break;
    case TENDON__TIMER_SUBSCRIPTION:
        tendon__subscription_expired(TENDON__OWNER(timer, struct tendon_subscription, timer));
        break;
    }
}

void tendon__engine_tick(struct tendon__engine *engine, int64_t now_ns)
{
    engine->now_ns = now_ns;
    struct tendon__timer *first;
    while ((first = tendon__timers_first(&engine->timers)) && first->when_ns <= now_ns)
        fire(engine, first);
}

int64_t tendon__engine_deadline(const struct tendon__engine *engine)
{
    const struct tendon__timer *first = tendon__timers_first(&engine->timers);
    return first ? first->when_ns : TENDON__NO_TIME;
}

/* Whose outcome it is; *out_weight is what its sink counts for it. */
static struct tendon__sink *sink_of(struct tendon__link *link, uint32_t *out_weight)
{
    struct tendon__item *item = TENDON__OWNER(link, struct tendon__item, link);
    if (item->is_run) {
        *out_weight = 0;
        return TENDON__OWNER(item, struct tendon__run, item)->request->sink;
    }
    struct tendon__request *request = TENDON__OWNER(item, struct tendon__request, item);
    *out_weight = tendon__sink_weight(request);
    return request->sink;
}

void tendon__engine_tell(struct tendon__engine *engine)
{
    if (!tendon__list_empty(&engine->unheard))
        tendon__bundle_hear(engine);
    if (engine->ended_count) {
        __atomic_sub_fetch(&engine->pending, engine->ended_count, __ATOMIC_RELAXED);
        engine->ended_count = 0;
    }
    while (!tendon__list_empty(&engine->told)) {
        struct tendon__link items;
        uint32_t weight, count = 0;
        struct tendon__sink *sink = sink_of(engine->told.next, &weight);
        tendon__list_init(&items);
        do {
            tendon__list_push(&items, tendon__list_shift(&engine->told));
            count += weight;
        } while (!tendon__list_empty(&engine->told) && sink_of(engine->told.next, &weight) == sink);
        sink->complete_all(sink, &items, count);
    }
}

void tendon__engine_direct(struct tendon__engine *engine, struct tendon__channel *channel,
                           bool begins)
{
    channel->awaited = NULL;
    if (channel->direct == begins)
        return;
    channel->direct = begins;
    if (begins)
        engine->direct_count++;
    else
        engine->direct_count--;
}

bool tendon__engine_busy(const struct tendon__engine *engine)
{
    return engine->live_count > engine->direct_count || engine->refreshing ||
           engine->opening_count || engine->owed_count > engine->direct_count;
}

void tendon__engine_sweep(struct tendon__engine *engine)
{
    struct tendon__link *link;
    tendon__feed_sweep(engine);
    while ((link = tendon__list_shift(&engine->graveyard)))
        tendon__channel_free(TENDON__OWNER(link, struct tendon__channel, link));
    tendon__node_sweep(engine);
}

void tendon__engine_stats(struct tendon__engine *engine, tendon_stats *out)
{
    *out = engine->stats;
    out->nodes = engine->map ? engine->map->node_count : engine->node_count;
    out->pending = __atomic_load_n(&engine->pending, __ATOMIC_RELAXED);
    for (struct tendon__link *link = engine->nodes.next; link != &engine->nodes;
         link = link->next) {
        struct tendon__node *node = TENDON__OWNER(link, struct tendon__node, link);
        const struct tendon__pool *pool = &node->pool;
        /* Nobody holds a connection that is being tested or cleaned. */
        out->idle += pool->idle_count + pool->busy_count;
        out->leased += pool->leased_count;
        out->waiting += pool->waiting_count;
        out->borrows += pool->counters.borrows;
        out->waits += pool->counters.waits;
        out->wait_timeouts += pool->counters.wait_timeouts;
        out->wait_us += pool->counters.wait_ns / 1000;
    }
    for (struct tendon__link *link = engine->channels.next; link != &engine->channels;
         link = link->next) {
        struct tendon__channel *channel = TENDON__OWNER(link, struct tendon__channel, link);
        out->open++;
        if (channel->state != TENDON__CHANNEL_READY)
            out->connecting++;
        else if (channel->is_lane)
            out->lanes++;
    }
}
