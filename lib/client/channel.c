/* Connections as the engine sees them: opening, what arrives, probes, and the end with everybody
 * who was on it. */
#include "client/channel.h"

#include <string.h>

#include "client/bundle.h"
#include "client/subscription.h"
#include "resp/encoder.h"

/* A server that cannot answer PING this long is not worth a caller's deadline. */
#define PROBE_TIMEOUT_MS 2000

#define SHORT_LIFE_MS 1000 /* a connection that ends sooner was not worth its handshake */

static const struct tendon__conn_ops conn_ops;

/* Events tell of the connections that everybody shares; those of the pool come and go with their
 * borrowers. */
static void tell(const struct tendon__channel *channel, uint32_t event,
                 const struct tendon__fault *fault)
{
    struct tendon__engine *engine = channel->engine;
    if (channel->is_lane)
        engine->ops->event(engine->world, event, channel->node, 0, fault, NULL);
}

static struct tendon__channel *make_channel(struct tendon__node *node)
{
    struct tendon__engine *engine = node->engine;
    struct tendon__channel *channel = tendon__memory_make(engine->memory, sizeof *channel);
    if (!channel)
        return NULL;
    struct tendon__session session = engine->session;
    session.read_only = engine->options->read_from != TENDON__READ_FROM_PRIMARY &&
                        engine->kind != TENDON__KIND_STANDALONE;
    if (tendon__engine_reserve_timers(engine) != TENDON_OK ||
        tendon__conn_init(&channel->conn, engine->memory, &engine->limits, &session, &conn_ops,
                          channel) != TENDON_OK) {
        tendon__conn_deinit(&channel->conn);
        tendon__memory_free(engine->memory, channel);
        return NULL;
    }
    channel->engine = engine;
    channel->node = node;
    channel->timer.kind = TENDON__TIMER_CHANNEL;
    return channel;
}

struct tendon__channel *tendon__channel_open(struct tendon__node *node, bool is_lane,
                                             uint32_t lane_index, struct tendon__fault *fault)
{
    struct tendon__engine *engine = node->engine;
    struct tendon__channel *channel = make_channel(node);
    if (!channel) {
        tendon__fault_set(fault, TENDON_ERROR_NO_MEMORY, "no memory for a connection");
        return NULL;
    }
    channel->is_lane = is_lane;
    channel->lane_index = lane_index;
    channel->state = TENDON__CHANNEL_OPENING;
    channel->opened_ns = engine->now_ns;
    tendon_status status = engine->ops->open(engine->world, channel);
    if (status != TENDON_OK) {
        tendon__fault_set(fault, status, "no descriptor or memory for a connection to %s",
                          node->name);
        tendon__conn_deinit(&channel->conn);
        tendon__memory_free(engine->memory, channel);
        return NULL;
    }
    tendon__list_push(&engine->channels, &channel->link);
    engine->channel_count++;
    engine->opening_count++;
    channel->conn.owed_count = &engine->owed_count;
    node->dials++;
    if (is_lane)
        node->lanes[lane_index] = channel;
    else
        tendon__pool_dialing(&node->pool, &channel->member);
    tendon__channel_arm(channel);
    tell(channel, TENDON_EVENT_CONNECTING, NULL);
    return channel;
}

void tendon__channel_free(struct tendon__channel *channel)
{
    tendon__conn_deinit(&channel->conn);
    tendon__form_forget(channel);
    tendon__memory_free(channel->engine->memory, channel);
}

void tendon__channel_flush(struct tendon__channel *channel)
{
    if (!tendon__list_linked(&channel->flush))
        tendon__list_push(&channel->engine->flush, &channel->flush);
}

static void count_close(struct tendon_stats *stats, enum tendon__close_reason reason)
{
    uint64_t *const counters[TENDON__CLOSE_REASONS] = {
        [TENDON__CLOSE_IDLE] = &stats->closed_idle,
        [TENDON__CLOSE_LIFETIME] = &stats->closed_lifetime,
        [TENDON__CLOSE_PEER] = &stats->closed_peer,
        [TENDON__CLOSE_DIRTY] = &stats->closed_dirty,
        [TENDON__CLOSE_UNHEALTHY] = &stats->closed_unhealthy,
        [TENDON__CLOSE_STALE] = &stats->closed_stale,
        [TENDON__CLOSE_ERROR] = &stats->closed_error,
        [TENDON__CLOSE_SHUTDOWN] = &stats->closed_shutdown,
    };
    ++*counters[reason];
}

/* Tells everybody who was on the connection. Requests that may be repeated find their next one by
 * themselves. */
static void lose_exchanges(struct tendon__channel *channel, const struct tendon__fault *fault)
{
    struct tendon__engine *engine = channel->engine;
    struct tendon__exchange *exchange;
    bool head = true;
    for (; (exchange = tendon__conn_shift(&channel->conn)); head = false) {
        if (exchange == &channel->probe)
            continue;
        if (exchange->ghost) {
            tendon__memory_free(engine->memory, exchange);
            continue;
        }
        struct tendon__request *request = TENDON__OWNER(exchange, struct tendon__request, exchange);
        if (request->state == TENDON__REQUEST_DONE) {
            tendon__request_unref(request);
        } else if (request->bundle) {
            tendon__bundle_lost(engine, channel, request, fault,
                                head && fault->status == TENDON_ERROR_LIMIT);
        } else if (head && fault->status == TENDON_ERROR_LIMIT) {
            /* Its reply was there and too big; asking again would bring it again. */
            struct tendon__fault said = *fault;
            said.executed = TENDON_EXECUTED_YES;
            tendon__request_complete(engine, request, &said);
        } else
            tendon__attempt_failed(engine, request, fault,
                                   tendon__request_progress(request, channel));
    }
}

static void leave_node(struct tendon__channel *channel, enum tendon__channel_state before,
                       enum tendon__close_reason reason)
{
    struct tendon__node *node = channel->node;
    struct tendon__engine *engine = channel->engine;
    if (before != TENDON__CHANNEL_READY)
        node->dials--;
    if (channel->is_lane) {
        if (node->lanes[channel->lane_index] == channel)
            node->lanes[channel->lane_index] = NULL;
        /* The place of a failed dial is free once the backoff is set (node_dial_failed). */
        if (before == TENDON__CHANNEL_READY || engine->closed)
            tendon__pool_unreserve(&node->pool, engine->now_ns);
    } else if (before == TENDON__CHANNEL_READY && channel->member.state != TENDON__MEMBER_NONE) {
        tendon__pool_lost(&node->pool, &channel->member, reason, engine->now_ns);
    } else if (channel->member.state == TENDON__MEMBER_DIALING && engine->closed) {
        tendon__pool_dial_failed(&node->pool, &channel->member, engine->now_ns);
    }
}

/*
 * A server that takes connections and drops them at the first command (a demoted primary that a
 * stale name still leads to) is dialled again with the backoff of one that refuses, from the second
 * time on.
 */
static void note_short_life(struct tendon__channel *channel)
{
    struct tendon__engine *engine = channel->engine;
    struct tendon__node *node = channel->node;
    const struct tendon__options *options = engine->options;
    int64_t now_ns = engine->now_ns;
    /* Those that were there together usually end together: that is one event. */
    if (now_ns - channel->opened_ns > SHORT_LIFE_MS * TENDON__MS ||
        channel->opened_ns <= node->short_lived_ns)
        return;
    if (now_ns - node->short_lived_ns > SHORT_LIFE_MS * 10 * TENDON__MS)
        node->short_lived = 0;
    node->short_lived_ns = now_ns;
    if (++node->short_lived < 2)
        return;
    int64_t wait_ns = tendon__backoff_ns(
        engine, TENDON__RETRY_STRATEGY_EXPONENTIAL, options->reconnect_backoff_min_ms,
        options->reconnect_backoff_max_ms, node->short_lived - 1, options->retry_jitter);
    if (node->next_dial_ns < now_ns + wait_ns)
        node->next_dial_ns = now_ns + wait_ns;
}

/* A connection that was in use ended by itself. */
static void after_loss(struct tendon__channel *channel, const struct tendon__fault *fault)
{
    struct tendon__engine *engine = channel->engine;
    struct tendon__node *node = channel->node;
    node->lost = node->lost || channel->is_lane;
    tendon__map_trigger(engine);
    note_short_life(channel);
    if (channel->is_lane && engine->options->reconnect == TENDON__RECONNECT_HOST && !node->held) {
        node->held = true;
        node->next_dial_ns = TENDON__NO_TIME;
        node->fault = *fault;
        engine->ops->event(engine->world, TENDON_EVENT_WAITING, node, 0, fault, NULL);
    }
}

void tendon__channel_close(struct tendon__channel *channel, enum tendon__close_reason reason,
                           const struct tendon__fault *fault)
{
    struct tendon__engine *engine = channel->engine;
    enum tendon__channel_state before = channel->state;
    if (before == TENDON__CHANNEL_CLOSED)
        return;
    struct tendon__fault said;
    if (fault)
        said = *fault;
    else
        tendon__fault_set(&said, TENDON_ERROR_DISCONNECTED, "the connection to %s was closed",
                          channel->node->name);
    channel->state = TENDON__CHANNEL_CLOSED;
    tendon__conn_abandon(&channel->conn);
    tendon__list_remove(&channel->flush);
    tendon__timer_set(&engine->timers, &channel->timer, TENDON__NO_TIME);
    tendon__engine_direct(engine, channel, false);
    engine->ops->close(engine->world, channel);
    tendon__list_remove(&channel->link);
    tendon__list_push(&engine->graveyard, &channel->link);
    engine->channel_count--;
    engine->opening_count -= before != TENDON__CHANNEL_READY;
    if (before == TENDON__CHANNEL_READY) {
        count_close(&engine->stats, reason);
        tendon__log_close(channel, reason, &said);
    }
    if (channel->told_connected)
        tell(channel, TENDON_EVENT_CLOSED, &said);
    leave_node(channel, before, reason);
    bool ended_itself = reason == TENDON__CLOSE_PEER || reason == TENDON__CLOSE_ERROR ||
                        reason == TENDON__CLOSE_UNHEALTHY;
    if (before == TENDON__CHANNEL_READY && ended_itself && !engine->closed)
        after_loss(channel, &said);
    if (channel->owner) {
        channel->owner->owns_channel = false;
        channel->owner = NULL;
    }
    if (channel->lease)
        tendon__lease_lost(channel->lease, &said);
    lose_exchanges(channel, &said);
    if (before == TENDON__CHANNEL_READY && channel->node->waiting_count)
        tendon__node_serve(channel->node);
    tendon__node_arm(channel->node);
}

static void open_failed(struct tendon__channel *channel, const struct tendon__fault *fault)
{
    tendon__channel_close(channel, TENDON__CLOSE_ERROR, fault);
    if (!channel->engine->closed)
        tendon__node_dial_failed(channel->node, channel, fault);
}

void tendon__engine_opened(struct tendon__engine *engine, struct tendon__channel *channel,
                           bool tls_resumed, int64_t now_ns)
{
    engine->now_ns = now_ns;
    channel->state = TENDON__CHANNEL_HANDSHAKE;
    engine->stats.tls_resumed += tls_resumed;
    if (tendon__conn_opened(&channel->conn, now_ns) != TENDON_OK) {
        struct tendon__fault fault;
        tendon__fault_set(&fault, TENDON_ERROR_NO_MEMORY, "no memory for the handshake");
        open_failed(channel, &fault);
        return;
    }
    channel->told_connected = true;
    tell(channel, TENDON_EVENT_CONNECTED, NULL);
    tendon__channel_flush(channel);
    tendon__channel_arm(channel);
}

void tendon__engine_open_failed(struct tendon__engine *engine, struct tendon__channel *channel,
                                const struct tendon__fault *fault, int64_t now_ns)
{
    engine->now_ns = now_ns;
    open_failed(channel, fault);
}

void tendon__engine_received(struct tendon__engine *engine, struct tendon__channel *channel,
                             size_t size, int64_t now_ns)
{
    engine->now_ns = now_ns;
    engine->stats.bytes_received += size;
    tendon__conn_received(&channel->conn, size, now_ns);
    if (channel->state == TENDON__CHANNEL_HANDSHAKE)
        tendon__channel_flush(channel); /* a refused HELLO is followed by a second round */
    if (channel->state != TENDON__CHANNEL_READY)
        return;
    tendon__bundle_received(engine, channel);
    if (channel->is_lane && channel->node->waiting_count)
        tendon__node_serve(channel->node);
    else if (channel->is_lane && channel->node->pool.waiting_count)
        tendon__node_yield_lane(channel->node);
    tendon__channel_settle(channel);
}

void tendon__engine_lost(struct tendon__engine *engine, struct tendon__channel *channel,
                         const struct tendon__fault *fault, int64_t now_ns)
{
    engine->now_ns = now_ns;
    if (channel->state == TENDON__CHANNEL_HANDSHAKE || channel->state == TENDON__CHANNEL_OPENING) {
        bool tls = fault->status <= TENDON_ERROR_TLS && fault->status >= TENDON_ERROR_TLS_HOSTNAME;
        struct tendon__fault said;
        tendon__fault_set(&said, tls ? fault->status : TENDON_ERROR_CONNECT,
                          "%s ended the connection during the handshake: %.200s%s",
                          channel->node->name, fault->text,
                          engine->options->tls ? "" : "; does the port expect TLS? (option tls)");
        open_failed(channel, &said);
        return;
    }
    tendon__channel_close(channel, TENDON__CLOSE_PEER, fault);
}

void tendon__channel_settle(struct tendon__channel *channel)
{
    if (channel->retiring && !channel->conn.fifo_count && channel->state == TENDON__CHANNEL_READY)
        tendon__channel_close(channel, TENDON__CLOSE_STALE, NULL);
}

static void on_ready(void *context, struct tendon__conn *conn)
{
    struct tendon__channel *channel = context;
    struct tendon__engine *engine = channel->engine;
    struct tendon__node *node = channel->node;
    channel->state = TENDON__CHANNEL_READY;
    channel->used_ns = channel->asked_ns = engine->now_ns;
    node->dials--;
    engine->opening_count--;
    engine->stats.created++;
    tendon__node_dial_succeeded(node);
    tell(channel, TENDON_EVENT_READY, NULL);
    if (conn->hello_refused)
        tendon__log(engine, TENDON_LOG_INFO, NULL, "%s does not know HELLO; RESP2 is used",
                    node->name);
    int64_t lifetime_ns = engine->options->pool_lifetime_ms * TENDON__MS;
    uint64_t spread = (uint64_t)lifetime_ns / 100 * (uint64_t)engine->options->pool_jitter_percent;
    channel->lifetime_ns = lifetime_ns
                               ? engine->now_ns + lifetime_ns -
                                     (int64_t)tendon__random_below(&engine->random, spread + 1)
                               : TENDON__NO_TIME;
    tendon__channel_arm(channel);
    if (!channel->is_lane)
        tendon__pool_connected(&node->pool, &channel->member, engine->now_ns);
    tendon__map_learned(engine, node, &conn->facts);
    tendon__node_serve(node);
    tendon__pool_kick(&node->pool,
                      engine->now_ns); /* the first connection of a node also starts min_idle */
    if (node->retired && !node->waiting_count && !node->pool.waiting_count)
        tendon__node_drain(node, TENDON__CLOSE_STALE); /* it left the map while this was dialled */
    tendon__node_arm(node);
}

static void tell_late(const struct tendon__channel *channel)
{
    tendon__log(channel->engine, TENDON_LOG_INFO, NULL,
                "dropped a reply of %s: its command has timed out or was cancelled",
                channel->node->name);
}

static void on_reply(void *context, struct tendon__conn *conn, struct tendon__exchange *exchange)
{
    struct tendon__channel *channel = context;
    struct tendon__engine *engine = channel->engine;
    bool last = exchange->reply_index + 1 == exchange->reply_count;
    exchange->reply_index++;
    if (exchange == &channel->probe) {
        tendon__channel_probed(channel, conn, last);
        return;
    }
    if (exchange->ghost) {
        if (last) {
            tell_late(channel);
            tendon__memory_free(engine->memory, exchange);
        }
        return;
    }
    struct tendon__request *request = TENDON__OWNER(exchange, struct tendon__request, exchange);
    if (request->state != TENDON__REQUEST_DONE) {
        if (request->bundle)
            tendon__bundle_reply(engine, channel, request);
        else
            tendon__judge_reply(engine, channel, request);
        return;
    }
    if (conn->facts.protocol == 2)
        tendon__form_note(channel, request);
    if (last) {
        tell_late(channel);
        tendon__request_unref(request);
    }
}

static void on_push(void *context, struct tendon__conn *conn)
{
    struct tendon__channel *channel = context;
    struct tendon__engine *engine = channel->engine;
    if (channel->feed) {
        tendon__feed_received(channel->feed);
        return;
    }
    if (conn->streams)
        return; /* of a subscription that was closed in this turn */
    tendon_reply *reply = tendon__conn_take_reply(conn);
    tendon__bundle_received(engine, channel); /* what came before is told before */
    if (reply)
        engine->ops->event(engine->world, TENDON_EVENT_PUSH, channel->node, 0, NULL, reply);
}

static void on_failed(void *context, struct tendon__conn *conn, const struct tendon__fault *fault)
{
    struct tendon__channel *channel = context;
    (void)conn;
    if (channel->state == TENDON__CHANNEL_READY)
        tendon__channel_close(channel, TENDON__CLOSE_ERROR, fault);
    else
        open_failed(channel, fault);
}

static const struct tendon__conn_ops conn_ops = {
    .ready = on_ready,
    .reply = on_reply,
    .push = on_push,
    .failed = on_failed,
};

void tendon__channel_arm(struct tendon__channel *channel)
{
    struct tendon__engine *engine = channel->engine;
    const struct tendon__options *options = engine->options;
    int64_t when_ns = TENDON__NO_TIME;
    int64_t connect_ns = channel->opened_ns + options->connect_timeout_ms * TENDON__MS;
    if (channel->state == TENDON__CHANNEL_OPENING) {
        when_ns = connect_ns + 100 * TENDON__MS; /* the world knows the phase and reports first */
    } else if (channel->state == TENDON__CHANNEL_HANDSHAKE) {
        when_ns = connect_ns;
    } else if (channel->probing) {
        when_ns = channel->probe.queued_ns + PROBE_TIMEOUT_MS * TENDON__MS;
    } else if (channel->is_lane) {
        int64_t interval_ns = options->health_check_interval_ms * TENDON__MS;
        int64_t quiet_ns =
            channel->used_ns > channel->conn.rx_ns ? channel->used_ns : channel->conn.rx_ns;
        if (interval_ns && options->pool_test_while_idle)
            when_ns = quiet_ns + interval_ns;
        if (channel->lifetime_ns < when_ns)
            when_ns = channel->lifetime_ns;
    }
    tendon__timer_set(&engine->timers, &channel->timer, when_ns);
}

static void expire_lane(struct tendon__channel *channel)
{
    struct tendon__engine *engine = channel->engine;
    if (engine->now_ns >= channel->lifetime_ns) {
        struct tendon__node *node = channel->node;
        if (node->lanes[channel->lane_index] == channel)
            node->lanes[channel->lane_index] = NULL;
        channel->retiring = true;
        channel->lifetime_ns = TENDON__NO_TIME;
        if (!channel->conn.fifo_count)
            tendon__channel_close(channel, TENDON__CLOSE_LIFETIME, NULL);
        else
            tendon__channel_arm(channel);
        return;
    }
    int64_t idle_ns = engine->options->pool_idle_timeout_ms * TENDON__MS;
    bool for_callers = channel->lane_index >= (uint32_t)engine->options->lanes;
    if (for_callers && idle_ns && engine->now_ns - channel->asked_ns >= idle_ns &&
        !channel->conn.fifo_count) {
        tendon__channel_close(channel, TENDON__CLOSE_IDLE, NULL);
        return;
    }
    int64_t quiet_ns =
        channel->used_ns > channel->conn.rx_ns ? channel->used_ns : channel->conn.rx_ns;
    if (engine->now_ns - quiet_ns >= engine->options->health_check_interval_ms * TENDON__MS &&
        !channel->conn.fifo_count) {
        tendon__channel_probe(channel, false);
        return;
    }
    /* Something is owed: who waits for it has a deadline, and keepalive watches the peer. Look
     * again later. */
    tendon__channel_arm(channel);
    if (channel->timer.when_ns <= engine->now_ns)
        tendon__timer_set(&engine->timers, &channel->timer,
                          engine->now_ns + engine->options->health_check_interval_ms * TENDON__MS);
}

void tendon__channel_expired(struct tendon__channel *channel)
{
    struct tendon__engine *engine = channel->engine;
    struct tendon__fault fault;
    switch (channel->state) {
    case TENDON__CHANNEL_OPENING:
    case TENDON__CHANNEL_HANDSHAKE:
        tendon__fault_set(&fault, TENDON_ERROR_CONNECT_TIMEOUT,
                          "%s did not %s within %lld ms (option connect_timeout_ms)",
                          channel->node->name,
                          channel->state == TENDON__CHANNEL_OPENING ? "accept the connection"
                                                                    : "answer the handshake",
                          (long long)engine->options->connect_timeout_ms);
        open_failed(channel, &fault);
        break;
    case TENDON__CHANNEL_READY:
        if (channel->probing) {
            tendon__fault_set(&fault, TENDON_ERROR_TIMEOUT, "%s did not answer a health check",
                              channel->node->name);
            tendon__channel_close(channel, TENDON__CLOSE_UNHEALTHY, &fault);
        } else if (channel->is_lane) {
            expire_lane(channel);
        }
        break;
    case TENDON__CHANNEL_CLOSED:
        break;
    }
}
