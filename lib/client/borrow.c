/* Connections for one borrower: leases, and commands that need a connection of their own. */
#include <string.h>

#include "client/engine.h"
#include "client/subscription.h"

void tendon__pool_exhausted(const struct tendon__node *node, struct tendon__fault *fault)
{
    tendon__fault_set(fault, TENDON_ERROR_POOL_EXHAUSTED,
                      "all %lld connections of %s are leased; raise pool_max or pool_wait_ms",
                      (long long)node->engine->options->pool_max, node->name);
}

void tendon__pool_timeout(const struct tendon__node *node, int64_t waited_ns,
                          struct tendon__fault *fault)
{
    tendon__fault_set(fault, TENDON_ERROR_POOL_TIMEOUT,
                      "no connection of %s became free within %lld ms; raise pool_max (%lld) or "
                      "return leases sooner",
                      node->name, (long long)(waited_ns / TENDON__MS),
                      (long long)node->engine->options->pool_max);
}

void tendon__borrow(struct tendon__engine *engine, struct tendon__request *request,
                    struct tendon__node *node)
{
    request->state = TENDON__REQUEST_BORROWING;
    request->waiter.deadline_ns = request->deadline_ns;
    tendon__pool_borrow(&node->pool, &request->waiter, engine->now_ns);
    if (node->pool.waiting_count)
        tendon__node_yield_lane(node);
    tendon__node_arm(node);
}

struct tendon_lease *tendon__lease_make(struct tendon__engine *engine)
{
    struct tendon_lease *lease = tendon__memory_make(engine->memory, sizeof *lease);
    if (!lease)
        return NULL;
    lease->memory = engine->memory;
    lease->engine = engine;
    lease->refs = 2; /* the borrower's and the engine's */
    tendon__list_init(&lease->requests);
    return lease;
}

void tendon__lease_granted(struct tendon__engine *engine, struct tendon__request *request,
                           struct tendon__channel *channel)
{
    struct tendon_lease *lease = request->lease;
    lease->channel = channel;
    lease->opening = NULL;
    channel->lease = lease;
    struct tendon__link waiting;
    tendon__list_init(&waiting);
    struct tendon__link *link;
    while ((link = tendon__list_shift(&lease->requests)))
        tendon__list_push(&waiting, link);
    const char *name = channel->node->name;
    tendon__request_answer(
        engine, request,
        tendon__reply_text(engine->memory, TENDON_NODE_STATUS, name, strlen(name)));
    while ((link = tendon__list_shift(&waiting))) {
        struct tendon__request *next = TENDON__OWNER(link, struct tendon__request, link);
        next->state = TENDON__REQUEST_NEW;
        tendon__lease_submit(engine, next);
    }
}

void tendon__lease_lost(struct tendon_lease *lease, const struct tendon__fault *fault)
{
    bool had_one = lease->channel != NULL;
    if (had_one)
        lease->channel->lease = NULL;
    lease->channel = NULL;
    lease->opening = NULL;
    lease->fault = *fault;
    struct tendon__link *link;
    while ((link = lease->requests.next) != &lease->requests)
        tendon__request_fail(lease->engine, TENDON__OWNER(link, struct tendon__request, link),
                             fault);
    if (had_one && lease->feed)
        tendon__feed_lost(lease->feed, fault);
}

void tendon__lease_submit(struct tendon__engine *engine, struct tendon__request *request)
{
    struct tendon_lease *lease = request->lease;
    struct tendon__fault fault;
    if (lease->closed) {
        tendon__fault_set(&fault, TENDON_ERROR_CLOSED, "the lease has been closed");
        tendon__request_fail(engine, request, &fault);
    } else if (lease->channel && lease->channel->state == TENDON__CHANNEL_READY) {
        tendon__send_on(engine, request, lease->channel);
    } else if (lease->opening) {
        request->state = TENDON__REQUEST_BORROWING;
        tendon__list_push(&lease->requests, &request->link);
    } else {
        fault = lease->fault;
        if (!fault.status)
            tendon__fault_set(&fault, TENDON_ERROR_DISCONNECTED,
                              "the leased connection is gone; open a new lease");
        fault.executed = 0;
        tendon__request_fail(engine, request, &fault);
    }
}

static void cancel_exchanges(struct tendon__channel *channel, const struct tendon__fault *fault)
{
    struct tendon__link *fifo = &channel->conn.fifo;
    for (struct tendon__link *link = fifo->next, *next; link != fifo; link = next) {
        struct tendon__exchange *exchange = TENDON__OWNER(link, struct tendon__exchange, link);
        next = link->next;
        if (exchange != &channel->probe && !exchange->ghost)
            tendon__request_fail(channel->engine,
                                 TENDON__OWNER(exchange, struct tendon__request, exchange), fault);
    }
}

void tendon__lease_end(struct tendon__engine *engine, struct tendon_lease *lease)
{
    struct tendon__fault fault;
    tendon__fault_set(&fault, TENDON_ERROR_CANCELLED,
                      "the lease was closed while the command was under way");
    lease->closed = true;
    struct tendon__channel *channel = lease->channel;
    struct tendon__request *opening = lease->opening;
    lease->channel = NULL;
    lease->opening = NULL;
    if (opening)
        tendon__request_fail(engine, opening, &fault);
    if (channel) {
        channel->lease = NULL;
        cancel_exchanges(channel, &fault);
        tendon__give_back(channel, lease->discard);
    }
    tendon__lease_lost(lease, &fault);
    tendon__list_remove(&lease->link);
    tendon__lease_unref(lease);
}

void tendon__lease_unref(struct tendon_lease *lease)
{
    if (__atomic_sub_fetch(&lease->refs, 1, __ATOMIC_ACQ_REL))
        return;
    tendon__memory_free(lease->memory, lease);
}

void tendon__give_back(struct tendon__channel *channel, bool discard)
{
    if (channel->state != TENDON__CHANNEL_READY)
        return;
    struct tendon__engine *engine = channel->engine;
    enum tendon__condition condition = TENDON__CONDITION_CLEAN;
    if (discard || channel->conn.fifo_count || channel->dirt & TENDON__DIRT_FOREVER)
        condition = TENDON__CONDITION_BROKEN;
    else if (channel->dirt)
        condition = TENDON__CONDITION_DIRTY;
    if (tendon__node_lane_is_next(channel->node))
        tendon__node_swap_for_lane(channel->node, &channel->member);
    else
        tendon__pool_give_back(&channel->node->pool, &channel->member, condition, engine->now_ns);
    tendon__node_settle(channel->node);
}
