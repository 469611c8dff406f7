/* Testing and cleaning connections, and what the pool of a node asks of the engine. */
#include <stdio.h>
#include <string.h>

#include "client/channel.h"
#include "resp/encoder.h"

static size_t write_ping(uint8_t *out)
{
    const tendon_bytes ping[] = {{"PING", 4}};
    return (size_t)(tendon__encode(out, ping, 1) - out);
}

/* DISCARD is refused outside MULTI, which is as good as accepted; UNWATCH and SELECT must succeed.
 */
static size_t write_cleaning(uint8_t *out, uint32_t db)
{
    char number[16];
    int digits = snprintf(number, sizeof number, "%u", db);
    const tendon_bytes discard[] = {{"DISCARD", 7}};
    const tendon_bytes unwatch[] = {{"UNWATCH", 7}};
    const tendon_bytes select[] = {{"SELECT", 6}, {number, (size_t)digits}};
    uint8_t *end = tendon__encode(out, discard, 1);
    end = tendon__encode(end, unwatch, 1);
    end = tendon__encode(end, select, 2);
    return (size_t)(end - out);
}

void tendon__channel_probe(struct tendon__channel *channel, bool clean)
{
    struct tendon__engine *engine = channel->engine;
    channel->probing = true;
    channel->resetting = clean;
    channel->probe_clean = true;
    memset(&channel->probe, 0, sizeof channel->probe);
    channel->probe.frame = channel->probe_frame;
    channel->probe.frame_bytes =
        clean ? write_cleaning(channel->probe_frame, channel->conn.session.db)
              : write_ping(channel->probe_frame);
    channel->probe.reply_count = clean ? 3 : 1;
    channel->used_ns = engine->now_ns;
    tendon__conn_rest(&channel->conn);
    tendon__conn_send(&channel->conn, &channel->probe, engine->now_ns);
    tendon__channel_flush(channel);
    tendon__channel_arm(channel);
}

void tendon__channel_probed(struct tendon__channel *channel, struct tendon__conn *conn, bool last)
{
    struct tendon__engine *engine = channel->engine;
    bool is_error = conn->tape.nodes[0].type == TENDON_NODE_ERROR;
    bool optional = channel->resetting && channel->probe.reply_index == 1;
    /* LOADING and the like are answers too: the connection lives. A lost login is none. */
    bool refused = is_error && (channel->resetting || tendon__tape_text(&conn->tape, 0).size == 0 ||
                                !strncmp(tendon__tape_text(&conn->tape, 0).data, "NOAUTH", 6));
    if (refused && !optional)
        channel->probe_clean = false;
    if (!last)
        return;
    channel->probing = false;
    tendon__channel_arm(channel);
    struct tendon__pool *pool = &channel->node->pool;
    if (channel->is_lane) {
        if (!channel->probe_clean)
            tendon__channel_close(channel, TENDON__CLOSE_UNHEALTHY, NULL);
    } else if (channel->resetting) {
        channel->dirt = 0;
        tendon__pool_was_reset(pool, &channel->member, channel->probe_clean, engine->now_ns);
    } else {
        tendon__pool_tested(pool, &channel->member, channel->probe_clean, engine->now_ns);
    }
    tendon__node_settle(channel->node);
}

static struct tendon__channel *channel_of(struct tendon__member *member)
{
    return TENDON__OWNER(member, struct tendon__channel, member);
}

static struct tendon__request *request_of(struct tendon__waiter *waiter)
{
    return TENDON__OWNER(waiter, struct tendon__request, waiter);
}

static bool pool_dial(void *context)
{
    struct tendon__node *node = context;
    struct tendon__engine *engine = node->engine;
    struct tendon__fault fault;
    if (engine->closed || node->held || engine->now_ns < node->next_dial_ns)
        return false;
    if (node->retired && !node->pool.waiting_count)
        return false; /* it has left the map: min_idle is kept no longer */
    if (tendon__channel_open(node, false, 0, &fault))
        return true;
    /* No memory or descriptor now: as a failed dial, soon again. */
    node->fault = fault;
    node->next_dial_ns =
        engine->now_ns + (engine->options->reconnect_backoff_min_ms + 1) * TENDON__MS;
    return false;
}

static void pool_close(void *context, struct tendon__member *member,
                       enum tendon__close_reason reason)
{
    (void)context;
    tendon__channel_close(channel_of(member), reason, NULL);
}

static void pool_test(void *context, struct tendon__member *member)
{
    (void)context;
    tendon__channel_probe(channel_of(member), false);
}

static void pool_reset(void *context, struct tendon__member *member)
{
    (void)context;
    tendon__channel_probe(channel_of(member), true);
}

static void pool_grant(void *context, struct tendon__waiter *waiter, struct tendon__member *member)
{
    struct tendon__node *node = context;
    struct tendon__request *request = request_of(waiter);
    struct tendon__channel *channel = channel_of(member);
    if (request->flags & TENDON__REQUEST_OPEN_LEASE) {
        tendon__lease_granted(node->engine, request, channel);
        return;
    }
    request->owns_channel = true;
    channel->owner = request;
    tendon__send_on(node->engine, request, channel);
}

static void pool_refuse(void *context, struct tendon__waiter *waiter, tendon_status status)
{
    struct tendon__node *node = context;
    struct tendon__request *request = request_of(waiter);
    struct tendon__fault fault;
    if (status == TENDON_ERROR_POOL_TIMEOUT && node->failures)
        fault = node->fault;
    else if (status == TENDON_ERROR_POOL_TIMEOUT)
        tendon__pool_timeout(node, node->engine->now_ns - waiter->since_ns, &fault);
    else if (status == TENDON_ERROR_POOL_EXHAUSTED)
        tendon__pool_exhausted(node, &fault);
    else
        tendon__fault_set(&fault, status, "the client is closed");
    tendon__request_fail(node->engine, request, &fault);
}

static bool pool_dial_failed(void *context, struct tendon__waiter *waiter)
{
    struct tendon__node *node = context;
    return tendon__dial_counts(node->engine, request_of(waiter), &node->fault);
}

const struct tendon__pool_ops tendon__node_pool_ops = {
    .dial = pool_dial,
    .close = pool_close,
    .test = pool_test,
    .reset = pool_reset,
    .grant = pool_grant,
    .refuse = pool_refuse,
    .dial_failed = pool_dial_failed,
};
