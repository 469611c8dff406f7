/* Servers: their lanes, when they are dialled, and what happens to those who wait when a dial
 * fails. */
#include <stdio.h>
#include <string.h>

#include "client/engine.h"

#define LANE_BUSY_COUNT 8 /* commands in flight on every lane that make another lane worthwhile */
/* A wrong password does not become right by asking more often. */
#define PERMANENT_BACKOFF_MS 1000

static struct tendon__pool_options pool_options(const struct tendon__options *options)
{
    uint32_t max = (uint32_t)options->pool_max;
    return (struct tendon__pool_options){
        .max = max,
        .min_idle = (uint32_t)options->pool_min_idle,
        .max_idle = options->pool_max_idle < 0 ? max : (uint32_t)options->pool_max_idle,
        .max_waiting = (uint32_t)options->pool_max_waiting,
        .dial_concurrency = (uint32_t)options->dial_concurrency,
        .wait_ns =
            options->pool_wait_ms > 0 ? options->pool_wait_ms * TENDON__MS : options->pool_wait_ms,
        .health_interval_ns = options->health_check_interval_ms * TENDON__MS,
        .idle_timeout_ns = options->pool_idle_timeout_ms * TENDON__MS,
        .lifetime_ns = options->pool_lifetime_ms * TENDON__MS,
        .jitter_percent = (uint32_t)options->pool_jitter_percent,
        .test_on_borrow = options->pool_test_on_borrow,
        .test_on_return = options->pool_test_on_return,
        .test_while_idle = options->pool_test_while_idle,
    };
}

struct tendon__node *tendon__node_find(struct tendon__engine *engine, const char *host,
                                       uint16_t port)
{
    for (struct tendon__link *link = engine->nodes.next; link != &engine->nodes;
         link = link->next) {
        struct tendon__node *node = TENDON__OWNER(link, struct tendon__node, link);
        if (node->port == port && !strcmp(node->host, host))
            return node;
    }
    return NULL;
}

static struct tendon__node *make_node(struct tendon__engine *engine, const char *host,
                                      uint16_t port)
{
    if (engine->node_count >= (uint32_t)engine->options->cluster_max_nodes + TENDON__SEEDS_MAX)
        return NULL;
    struct tendon__node *node = tendon__memory_make(engine->memory, sizeof *node);
    if (!node)
        return NULL;
    node->engine = engine;
    node->port = port;
    snprintf(node->host, sizeof node->host, "%s", host);
    if (engine->options->unix_socket[0])
        snprintf(node->name, sizeof node->name, "unix:%.200s", engine->options->unix_socket);
    else
        snprintf(node->name, sizeof node->name, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host,
                 port);
    tendon__list_init(&node->waiting);
    struct tendon__pool_options options = pool_options(engine->options);
    tendon__pool_init(&node->pool, &options, &tendon__node_pool_ops, node,
                      tendon__random_next(&engine->random));
    node->timer.kind = TENDON__TIMER_NODE;
    tendon__list_push(&engine->nodes, &node->link);
    engine->node_count++;
    return node;
}

struct tendon__node *tendon__node_get(struct tendon__engine *engine, const char *host,
                                      uint16_t port)
{
    struct tendon__node *node = tendon__node_find(engine, host, port);
    if (!node && tendon__engine_reserve_timers(engine) == TENDON_OK)
        node = make_node(engine, host, port);
    if (node)
        node->retired = false;
    return node;
}

void tendon__node_free(struct tendon__engine *engine, struct tendon__node *node)
{
    tendon__timer_set(&engine->timers, &node->timer, TENDON__NO_TIME);
    tendon__list_remove(&node->link);
    engine->node_count--;
    tendon__memory_free(engine->memory, node);
}

static bool may_dial(const struct tendon__node *node)
{
    const struct tendon__engine *engine = node->engine;
    return !engine->closed && !node->held && engine->now_ns >= node->next_dial_ns &&
           node->dials < (uint32_t)engine->options->dial_concurrency;
}

static bool has_room(const struct tendon__engine *engine, const struct tendon__conn *conn)
{
    return conn->fifo_commands < (uint32_t)engine->options->max_in_flight &&
           (conn->fifo_bytes < (uint64_t)engine->options->max_in_flight_bytes || !conn->fifo_count);
}

/* The ready lane with the least to do; NULL when none has room. */
struct tendon__channel *tendon__node_lane(struct tendon__node *node)
{
    struct tendon__channel *best = NULL;
    uint32_t lanes = (uint32_t)node->engine->options->lanes;
    for (uint32_t i = 0; i < lanes; i++) {
        struct tendon__channel *lane = node->lanes[i];
        if (!lane || lane->state != TENDON__CHANNEL_READY || lane->retiring)
            continue;
        if (!best || lane->conn.fifo_commands < best->conn.fifo_commands)
            best = lane;
    }
    if (!best || (lanes > 1 && best->conn.fifo_commands >= LANE_BUSY_COUNT))
        tendon__node_want_lane(node);
    return best && has_room(node->engine, &best->conn) ? best : NULL;
}

bool tendon__node_is_lent(const struct tendon__node *node)
{
    const struct tendon__pool *pool = &node->pool;
    return !pool->reserved_count && pool->leased_count + pool->busy_count >= pool->options.max;
}

void tendon__node_wait(struct tendon__node *node, struct tendon__request *request)
{
    request->state = TENDON__REQUEST_WAITING;
    tendon__list_push(&node->waiting, &request->link);
    node->waiting_count++;
    tendon__request_arm(node->engine, request);
    tendon__node_want_lane(node); /* may end the request, when no connection can be opened */
}

void tendon__node_serve(struct tendon__node *node)
{
    if (node->serving)
        return; /* making room for a lane may close connections, which comes back here */
    node->serving = true;
    while (node->waiting_count) {
        struct tendon__channel *lane = tendon__node_lane(node);
        if (!lane || !node->waiting_count)
            break;
        struct tendon__link *link = tendon__list_shift(&node->waiting);
        node->waiting_count--;
        struct tendon__request *request = TENDON__OWNER(link, struct tendon__request, link);
        request->state = TENDON__REQUEST_NEW;
        tendon__send_on(node->engine, request, lane);
    }
    node->serving = false;
}

/* On a place that has been reserved. `open` lanes are there already. */
static void open_lane(struct tendon__node *node, uint32_t index, uint32_t open)
{
    struct tendon__fault fault;
    if (tendon__channel_open(node, true, index, &fault))
        return;
    if (!open)
        tendon__node_dial_failed(node, NULL, &fault);
    tendon__pool_unreserve(&node->pool, node->engine->now_ns);
}

/* Opens one more of the lanes with index `first` to `end`, unless one is being opened or none is
 * missing. */
static void want_one_of(struct tendon__node *node, uint32_t first, uint32_t end)
{
    uint32_t open = 0, free_lane = end;
    for (uint32_t i = 0; i < end; i++) {
        open += node->lanes[i] != NULL;
        if (node->lanes[i] && node->lanes[i]->state != TENDON__CHANNEL_READY)
            return; /* one at a time */
        if (i >= first && !node->lanes[i] && free_lane == end)
            free_lane = i;
    }
    if (free_lane == end)
        return;
    /* Only the first lane is worth an idle connection of the pool. */
    bool room = may_dial(node) && (open ? tendon__pool_reserve(&node->pool)
                                        : tendon__pool_reserve_or_evict(&node->pool));
    if (!room) {
        tendon__node_arm(node);
        return;
    }
    open_lane(node, free_lane, open);
}

void tendon__node_want_lane(struct tendon__node *node)
{
    want_one_of(node, 0, (uint32_t)node->engine->options->lanes);
}

struct tendon__channel *tendon__node_free_lane(struct tendon__node *node)
{
    uint32_t shared = (uint32_t)node->engine->options->lanes;
    uint32_t end = shared + (uint32_t)node->engine->options->direct_lanes;
    bool any = false;
    for (uint32_t i = 0; i < end; i++) {
        struct tendon__channel *lane = node->lanes[i];
        if (!lane || lane->state != TENDON__CHANNEL_READY || lane->retiring)
            continue;
        if (!lane->conn.fifo_count)
            return lane;
        any = true;
    }
    if (any)
        want_one_of(node, shared, end);
    return NULL;
}

bool tendon__node_lane_is_next(const struct tendon__node *node)
{
    const struct tendon__pool *pool = &node->pool;
    if (!node->waiting_count || !tendon__node_is_lent(node) || !may_dial(node) ||
        tendon__list_empty(&pool->waiters))
        return false;
    const struct tendon__request *request =
        TENDON__OWNER(node->waiting.next, struct tendon__request, link);
    const struct tendon__waiter *waiter =
        TENDON__OWNER(pool->waiters.next, struct tendon__waiter, link);
    return request->started_ns < waiter->since_ns;
}

void tendon__node_swap_for_lane(struct tendon__node *node, struct tendon__member *member)
{
    /* The place is taken before it is free, so that no borrower's dial slips in between. */
    node->pool.reserved_count++;
    tendon__pool_give_back(&node->pool, member, TENDON__CONDITION_BROKEN, node->engine->now_ns);
    open_lane(node, 0, 0);
}

static void fail_waiting(struct tendon__node *node, const struct tendon__fault *fault)
{
    struct tendon__link *link = node->waiting.next;
    while (link != &node->waiting) {
        struct tendon__link *next = link->next;
        tendon__dial_counts(node->engine, TENDON__OWNER(link, struct tendon__request, link), fault);
        link = next;
    }
}

static void set_backoff(struct tendon__node *node, bool pooled, const struct tendon__fault *fault)
{
    struct tendon__engine *engine = node->engine;
    const struct tendon__options *options = engine->options;
    int64_t min_ms = options->reconnect_backoff_min_ms;
    if (tendon__fault_is_permanent(fault) && min_ms < PERMANENT_BACKOFF_MS)
        min_ms = PERMANENT_BACKOFF_MS < options->reconnect_backoff_max_ms
                     ? PERMANENT_BACKOFF_MS
                     : options->reconnect_backoff_max_ms;
    int64_t full_ns = tendon__backoff_ns(engine, TENDON__RETRY_STRATEGY_EXPONENTIAL, min_ms,
                                         options->reconnect_backoff_max_ms, node->failures, false);
    int64_t wait_ns = full_ns;
    if (options->retry_jitter)
        wait_ns =
            full_ns / 2 + (int64_t)tendon__random_below(&engine->random, (uint64_t)full_ns / 2 + 1);
    node->next_dial_ns = engine->now_ns + wait_ns;
    tendon__log(engine, tendon__fault_is_permanent(fault) ? TENDON_LOG_ERROR : TENDON_LOG_WARNING,
                fault, "cannot connect to %s (failure %u in a row): %s", node->name, node->failures,
                fault->text);
    if (pooled)
        return;
    if (options->reconnect == TENDON__RECONNECT_HOST) {
        node->held = true;
        node->next_dial_ns = TENDON__NO_TIME;
        engine->ops->event(engine->world, TENDON_EVENT_WAITING, node, 0, fault, NULL);
    } else {
        engine->ops->event(engine->world, TENDON_EVENT_RECONNECTING, node,
                           (uint32_t)(wait_ns / TENDON__MS), NULL, NULL);
    }
}

void tendon__node_dial_failed(struct tendon__node *node, struct tendon__channel *channel,
                              const struct tendon__fault *fault)
{
    struct tendon__engine *engine = node->engine;
    struct tendon__fault said = *fault;
    if (!said.node[0])
        memcpy(said.node, node->name, sizeof said.node);
    node->failures++;
    node->lost = true;
    node->fault = said;
    engine->stats.connect_failures++;
    bool pooled = channel && !channel->is_lane;
    if (!pooled)
        engine->ops->event(engine->world, TENDON_EVENT_FAILED, node, 0, &said, NULL);
    set_backoff(node, pooled, &said);
    if (pooled)
        tendon__pool_dial_failed(&node->pool, &channel->member, engine->now_ns);
    else if (channel)
        tendon__pool_unreserve(&node->pool, engine->now_ns);
    fail_waiting(node, &said);
    if (engine->kind != TENDON__KIND_STANDALONE)
        tendon__map_seed_failed(engine, node, &said);
    tendon__node_arm(node);
}

void tendon__node_dial_succeeded(struct tendon__node *node)
{
    /* The wait that connections which ended too soon have earned is not over with the next one. */
    if (node->failures || node->held)
        node->next_dial_ns = 0;
    node->failures = 0;
    node->lost = false;
    node->held = false;
    node->fault.status = TENDON_OK;
}

void tendon__node_arm(struct tendon__node *node)
{
    struct tendon__engine *engine = node->engine;
    int64_t when_ns = tendon__pool_deadline(&node->pool);
    bool dials = node->waiting_count || node->wanted || node->pool.waiting_count;
    if (dials && node->next_dial_ns > engine->now_ns && node->next_dial_ns < when_ns)
        when_ns = node->next_dial_ns;
    if (engine->closed)
        when_ns = TENDON__NO_TIME;
    tendon__timer_set(&engine->timers, &node->timer, when_ns);
}

void tendon__node_tick(struct tendon__node *node)
{
    struct tendon__engine *engine = node->engine;
    tendon__pool_tick(&node->pool, engine->now_ns);
    if (may_dial(node)) {
        bool lane = node->waiting_count || node->wanted;
        node->wanted = false;
        if (lane)
            tendon__node_lane(node);
        tendon__pool_kick(&node->pool, engine->now_ns);
    }
    tendon__node_arm(node);
}

void tendon__node_settle(struct tendon__node *node)
{
    if (node->waiting_count)
        tendon__node_serve(node);
    if (node->pool.waiting_count)
        tendon__node_yield_lane(node);
    tendon__node_arm(node);
}

void tendon__node_yield_lane(struct tendon__node *node)
{
    const struct tendon__pool *pool = &node->pool;
    uint32_t members =
        pool->dialing_count + pool->idle_count + pool->leased_count + pool->busy_count;
    if (members + pool->reserved_count < pool->options.max || (node->waiting_count && members))
        return;
    for (uint32_t i = 0; i < TENDON__LANES_MAX; i++) {
        struct tendon__channel *lane = node->lanes[i];
        if (!lane || lane->state != TENDON__CHANNEL_READY || lane->retiring)
            continue;
        /* A busy lane goes only when no borrower can ever give anything back. */
        if (lane->conn.fifo_count && members)
            continue;
        lane->retiring = true;
        node->lanes[i] = NULL;
        tendon__channel_settle(lane);
        return;
    }
}

static bool is_forgotten(const struct tendon__engine *engine, const struct tendon__node *node)
{
    const struct tendon__pool *pool = &node->pool;
    if (!node->retired || node->is_seed || node->in_map || node == engine->refresh_node ||
        node->waiting_count || node->dials || pool->waiting_count || pool->reserved_count)
        return false;
    return !(pool->dialing_count + pool->idle_count + pool->leased_count + pool->busy_count);
}

void tendon__node_sweep(struct tendon__engine *engine)
{
    if (!engine->map || engine->node_count <= engine->map->node_count)
        return;
    for (struct tendon__link *link = engine->nodes.next, *next; link != &engine->nodes;
         link = next) {
        struct tendon__node *node = TENDON__OWNER(link, struct tendon__node, link);
        next = link->next;
        if (is_forgotten(engine, node))
            tendon__node_free(engine, node);
    }
}

void tendon__node_drain(struct tendon__node *node, enum tendon__close_reason reason)
{
    struct tendon__engine *engine = node->engine;
    tendon__pool_drain(&node->pool, reason, engine->now_ns);
    for (uint32_t i = 0; i < TENDON__LANES_MAX; i++) {
        struct tendon__channel *lane = node->lanes[i];
        if (!lane || lane->state != TENDON__CHANNEL_READY)
            continue;
        lane->retiring = true;
        node->lanes[i] = NULL; /* it counts against pool_max until it is closed */
        tendon__channel_settle(lane);
    }
    tendon__node_arm(node);
}
