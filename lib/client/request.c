/* A request's ends: its deadline, its outcome and its memory. Building one is in request_build.c.
 */
#include <stdatomic.h>
#include <string.h>

#include "base/recycle.h"
#include "client/bundle.h"
#include "client/error.h"
#include "client/subscription.h"

void tendon__request_blame(struct tendon__request *request, const struct tendon__fault *fault)
{
    request->status = fault->status;
    request->executed = fault->executed;
    if (!request->cause)
        request->cause = tendon__memory_take(request->memory, sizeof *request->cause);
    if (request->cause)
        *request->cause = *fault;
}

void tendon__request_fault(const struct tendon__request *request, struct tendon__fault *out)
{
    if (request->cause)
        *out = *request->cause;
    else
        tendon__fault_set(out, request->status, "%s", "");
    out->status = request->status;
    out->executed = request->executed;
}

tendon_error *tendon__request_error(const struct tendon__request *request)
{
    struct tendon__fault said;
    tendon__request_fault(request, &said);
    return tendon__error_make(tendon__memory_system(), &said, request->attempts,
                              (uint64_t)(request->elapsed_ns / 1000));
}

void tendon__request_ref(struct tendon__request *request)
{
    __atomic_add_fetch(&request->refs, 1, __ATOMIC_RELAXED);
}

void tendon__request_forget_replies(struct tendon__request *request)
{
    for (uint32_t i = 0; i < request->command_count; i++) {
        tendon__reply_free(request->replies[i]);
        request->replies[i] = NULL;
    }
    request->reply_count = 0;
}

void tendon__request_unref(struct tendon__request *request)
{
    /* Who holds the only reference need not make sure of it. */
    if (__atomic_load_n(&request->refs, __ATOMIC_ACQUIRE) != 1 &&
        __atomic_sub_fetch(&request->refs, 1, __ATOMIC_ACQ_REL))
        return;
    if (request->bundle)
        tendon__bundle_free(request);
    else
        tendon__request_forget_replies(request);
    if (request->lease)
        tendon__lease_unref(request->lease);
    if (request->subscription)
        tendon__subscription_unref(request->subscription);
    struct tendon__memory *memory = request->memory;
    if (request->replies != &request->reply_one) {
        /* Only a group has these; a single command's form is in the request itself. */
        tendon__memory_free(memory, request->replies);
        tendon__memory_free(memory, request->tags);
        tendon__memory_free(memory, request->forms);
    }
    if (request->node_name || request->cause || request->group_redirect) {
        tendon__memory_free(memory, request->node_name);
        tendon__memory_free(memory, request->cause);
        tendon__memory_free(memory, request->group_redirect);
    }
    tendon__recycle_free(memory, request, request->block_bytes);
}

static void forget_id(struct tendon__engine *engine, struct tendon__request *request)
{
    if (!request->id)
        return;
    struct tendon__request **at = &engine->ids[request->id & (engine->id_room - 1)];
    while (*at && *at != request)
        at = &(*at)->hash_next;
    if (!*at)
        return;
    *at = request->hash_next;
    engine->id_count--;
}

static void count_outcome(struct tendon__engine *engine, const struct tendon__request *request)
{
    if (request->flags & (TENDON__REQUEST_INTERNAL | TENDON__REQUEST_PART))
        return;
    engine->live_count--;
    /* Who waits may call again as soon as it knows, and is not to be counted twice. */
    uint32_t weight = tendon__pending_weight(request);
    if (request->sink->complete)
        __atomic_sub_fetch(&engine->pending, weight, __ATOMIC_RELAXED);
    else
        engine->ended_count += weight;
    tendon_stats *stats = &engine->stats;
    uint32_t replies = request->status == TENDON_OK ? request->command_count : 0;
    uint32_t errors = request->command_count - replies;
    if (request->bundle) {
        replies = request->bundle->replied_count;
        errors = weight + request->bundle->told_count - replies;
    }
    stats->replies += replies;
    stats->errors += errors;
    if (request->status == TENDON_OK)
        return;
    uint32_t calls = request->bundle ? errors : 1;
    if (request->status == TENDON_ERROR_TIMEOUT)
        stats->timeouts += calls;
    if (request->executed == TENDON_EXECUTED_UNKNOWN)
        stats->unknown += calls;
}

enum tendon__progress tendon__request_progress(const struct tendon__request *request,
                                               const struct tendon__channel *channel)
{
    enum tendon__progress progress = tendon__conn_progress(&channel->conn, &request->exchange);
    bool parts = request->command_count > 1 && !(request->flags & TENDON__REQUEST_TRANSACTION);
    return progress == TENDON__PROGRESS_PARTIAL && parts ? TENDON__PROGRESS_SENT : progress;
}

/* What is not sent makes room for who waits for the lane, and may be the last thing that kept one
 * that retires. */
static bool take_back(struct tendon__request *request, struct tendon__channel *channel)
{
    if (!tendon__conn_take_back(&channel->conn, &request->exchange))
        return false;
    if (channel->is_lane && channel->node->waiting_count)
        tendon__node_serve(channel->node);
    tendon__channel_settle(channel);
    return true;
}

/*
 * Leaves whatever the request waits in. On the wire its exchange stays in the connection until
 * answered, unless no byte of it was handed out; a connection of its own that still owes an answer
 * is closed when it is given back.
 */
void tendon__request_withdraw(struct tendon__engine *engine, struct tendon__request *request,
                              enum tendon__request_state from)
{
    struct tendon__channel *channel = request->channel;
    switch (from) {
    case TENDON__REQUEST_ON_WIRE:
        if (tendon__list_linked(&request->exchange.link) && !take_back(request, channel))
            tendon__request_ref(
                request); /* the connection's, until the reply has come or it ends */
        break;
    case TENDON__REQUEST_WAITING:
        tendon__list_remove(&request->link);
        request->node->waiting_count--;
        break;
    case TENDON__REQUEST_BORROWING:
        if (request->waiter.waiting)
            tendon__pool_cancel(&request->node->pool, &request->waiter, engine->now_ns);
        tendon__list_remove(&request->link);
        break;
    case TENDON__REQUEST_PARKED:
    case TENDON__REQUEST_DELAYED:
        tendon__list_remove(&request->link);
        break;
    case TENDON__REQUEST_SUBSCRIBING:
        tendon__subscription_forget(request);
        break;
    case TENDON__REQUEST_NEW:
    case TENDON__REQUEST_SPREAD:
    case TENDON__REQUEST_DONE:
        break;
    }
    if (request->owns_channel && channel) {
        request->owns_channel = false;
        channel->owner = NULL;
        tendon__give_back(channel, false);
    }
}

/* The last words of a request that failed: what is known by now is added. */
static void settle_failure(struct tendon__request *request)
{
    if (!request->executed)
        request->executed = request->was_sent ? TENDON_EXECUTED_UNKNOWN : TENDON_EXECUTED_NO;
    if (request->cause && !request->cause->node[0] && request->node)
        memcpy(request->cause->node, request->node->name, sizeof request->cause->node);
    if (!request->bundle)
        tendon__request_forget_replies(request);
}

/* An opened lease that failed is lost with the same words. */
static void lose_opening(struct tendon__request *request)
{
    struct tendon__fault said;
    tendon__request_fault(request, &said);
    if (request->lease->opening == request)
        tendon__lease_lost(request->lease, &said);
}

/* All commands of a bundle were told, or are requests of their own: there is nothing to hand on. */
static bool was_told(const struct tendon__request *request)
{
    return request->bundle && request->sink->hears && request->delivered == request->command_count;
}

static void forget_told(struct tendon__request *request)
{
    struct tendon__link none;
    tendon__list_init(&none);
    request->sink->complete_all(request->sink, &none, tendon__sink_weight(request));
    tendon__request_unref(request);
    tendon__request_unref(request);
}

/* The engine's reference ends here; the sink's goes with the request. */
static void deliver(struct tendon__engine *engine, struct tendon__request *request)
{
    if (was_told(request)) {
        forget_told(request);
        return;
    }
    if (request->sink->complete_all) {
        /* Nobody else has seen the request yet, so nobody else counts; of a bundle some runs may be
         * in a queue. */
        if (request->bundle)
            __atomic_sub_fetch(&request->refs, 1, __ATOMIC_ACQ_REL);
        else
            request->refs--;
        tendon__list_push(&engine->told, &request->item.link);
        return;
    }
    request->sink->complete(request->sink, request);
    tendon__request_unref(request);
}

void tendon__request_complete(struct tendon__engine *engine, struct tendon__request *request,
                              const struct tendon__fault *fault)
{
    if (request->state == TENDON__REQUEST_DONE)
        return;
    request->status = TENDON_OK;
    if (fault)
        tendon__request_blame(request, fault);
    if (fault && fault->status == TENDON_OK)
        request->status = TENDON_ERROR_STATE; /* a failure without a cause is a bug, not a reply */
    /* DONE first: giving a connection back may close it, and that must not find this request alive.
     */
    enum tendon__request_state from = request->state;
    request->state = TENDON__REQUEST_DONE;
    tendon__request_withdraw(engine, request, from);
    tendon__timer_set(&engine->timers, &request->timer, TENDON__NO_TIME);
    forget_id(engine, request);
    if (request->status != TENDON_OK)
        settle_failure(request);
    if (request->bundle)
        tendon__bundle_end(request);
    count_outcome(engine, request);
    request->elapsed_ns = engine->now_ns - request->started_ns;
    if (request->flags & TENDON__REQUEST_OPEN_LEASE && request->status != TENDON_OK)
        lose_opening(request);
    deliver(engine, request);
}

void tendon__request_answer(struct tendon__engine *engine, struct tendon__request *request,
                            tendon_reply *reply)
{
    struct tendon__fault fault;
    tendon__fault_set(&fault, TENDON_ERROR_NO_MEMORY, "no memory for the reply");
    request->replies[0] = reply;
    request->reply_count = reply ? 1 : 0;
    tendon__request_complete(engine, request, reply ? NULL : &fault);
}

void tendon__request_fail(struct tendon__engine *engine, struct tendon__request *request,
                          const struct tendon__fault *fault)
{
    if (request->state == TENDON__REQUEST_DONE)
        return;
    struct tendon__fault said = *fault;
    /* What is in the transmit stream of a living connection will be sent, whether anybody waits or
     * not. */
    if (request->state == TENDON__REQUEST_ON_WIRE && tendon__list_linked(&request->exchange.link) &&
        request->exchange.placed)
        request->was_sent = true;
    /* A group of which some members were answered was at least partly executed. */
    if (request->reply_count && request->command_count > 1 &&
        !(request->flags & TENDON__REQUEST_TRANSACTION))
        request->was_sent = true;
    said.executed = request->was_sent ? TENDON_EXECUTED_UNKNOWN : TENDON_EXECUTED_NO;
    tendon__request_complete(engine, request, &said);
}

/* When this attempt has to be looked at: written by write_timeout_ms, answered by read_timeout_ms.
 */
static int64_t attempt_limit(const struct tendon__engine *engine,
                             const struct tendon__request *request)
{
    int64_t limit = TENDON__NO_TIME;
    if (request->state != TENDON__REQUEST_ON_WIRE || request->flags & TENDON_REQUEST_BLOCKING)
        return limit;
    int64_t read_ns = engine->options->read_timeout_ms * TENDON__MS;
    int64_t write_ns = engine->options->write_timeout_ms * TENDON__MS;
    int64_t now_ns = engine->now_ns;
    if (read_ns && request->attempt_ns + read_ns > now_ns)
        limit = request->attempt_ns + read_ns;
    if (write_ns && request->attempt_ns + write_ns > now_ns &&
        request->attempt_ns + write_ns < limit)
        limit = request->attempt_ns + write_ns;
    return limit;
}

void tendon__request_arm(struct tendon__engine *engine, struct tendon__request *request)
{
    /* Of a request to several nodes its parts watch the deadline. */
    if (request->flags & TENDON__REQUEST_DIRECT || request->state == TENDON__REQUEST_SPREAD)
        return;
    int64_t when_ns = attempt_limit(engine, request);
    if (request->deadline_ns < when_ns)
        when_ns = request->deadline_ns;
    if (request->state == TENDON__REQUEST_WAITING && request->room_ns && request->room_ns < when_ns)
        when_ns = request->room_ns;
    request->timer.kind = TENDON__TIMER_REQUEST;
    request->timer.is_one_of_many = true;
    tendon__timer_set(&engine->timers, &request->timer, when_ns);
}

void tendon__request_leave_socket(struct tendon__engine *engine, struct tendon__request *request)
{
    request->flags &= ~TENDON__REQUEST_DIRECT;
    /* One that waits for its next try has a timer for that. */
    if (request->state != TENDON__REQUEST_DONE && request->state != TENDON__REQUEST_DELAYED)
        tendon__request_arm(engine, request);
}

static const char *waiting_for(const struct tendon__request *request)
{
    switch (request->state) {
    case TENDON__REQUEST_PARKED:
        return "while waiting for the server or the cluster map";
    case TENDON__REQUEST_WAITING:
        return "while waiting for a connection to be opened";
    case TENDON__REQUEST_BORROWING:
        return "while waiting for a connection of the pool";
    case TENDON__REQUEST_DELAYED:
        return "while waiting to try again";
    case TENDON__REQUEST_SUBSCRIBING:
        return "while waiting for the server to confirm it";
    case TENDON__REQUEST_ON_WIRE:
        return "while waiting for the reply";
    case TENDON__REQUEST_NEW:
    case TENDON__REQUEST_SPREAD:
    case TENDON__REQUEST_DONE:
        break;
    }
    return "before it began";
}

/*
 * Since when a connection owes an answer. On a lane the oldest exchange counts, whether anybody
 * still waits for it or not: with short deadlines no call alone waits long enough to tell. Any
 * other connection may be silent because the server holds the answer of a blocking command.
 */
static int64_t owes_since(const struct tendon__channel *channel, int64_t attempt_ns)
{
    const struct tendon__link *oldest = channel->conn.fifo.next;
    if (!channel->is_lane || oldest == &channel->conn.fifo)
        return attempt_ns;
    return TENDON__OWNER(oldest, struct tendon__exchange, link)->queued_ns;
}

static void give_up(struct tendon__engine *engine, struct tendon__channel *channel)
{
    struct tendon__fault silent;
    int64_t silent_ns = engine->now_ns - channel->conn.rx_ns;
    tendon__fault_set(&silent, TENDON_ERROR_TIMEOUT,
                      "no byte came from %s for %lld ms; the connection was given up",
                      channel->node->name, (long long)(silent_ns / TENDON__MS));
    tendon__channel_close(channel, TENDON__CLOSE_ERROR, &silent);
}

/* A connection that has been silent since the command was sent, and for long, is not worth keeping.
 */
static void suspect_connection(struct tendon__engine *engine, struct tendon__channel *channel,
                               int64_t attempt_ns)
{
    int64_t patience_ns = 2000 * TENDON__MS;
    if (engine->options->read_timeout_ms * TENDON__MS > patience_ns)
        patience_ns = engine->options->read_timeout_ms * TENDON__MS;
    int64_t silent_ns = engine->now_ns - channel->conn.rx_ns;
    int64_t since_ns = owes_since(channel, attempt_ns);
    if ((channel->conn.rx_ns > since_ns && !channel->is_lane) || silent_ns < patience_ns ||
        engine->now_ns - since_ns < patience_ns * 9 / 10)
        return;
    give_up(engine, channel);
}

/* Who waited for a lane in vain may have waited for one that is full of what is never answered. */
static void suspect_lanes(struct tendon__engine *engine, struct tendon__node *node)
{
    for (uint32_t i = 0; i < TENDON__LANES_MAX; i++) {
        struct tendon__channel *lane = node->lanes[i];
        if (lane && lane->state == TENDON__CHANNEL_READY && lane->conn.fifo_count)
            suspect_connection(engine, lane, engine->now_ns);
    }
}

static void expire_call(struct tendon__engine *engine, struct tendon__request *request)
{
    struct tendon__fault fault;
    int64_t attempt_ns = request->attempt_ns;
    struct tendon__channel *channel =
        request->state == TENDON__REQUEST_ON_WIRE ? request->channel : NULL;
    struct tendon__node *waited = request->state == TENDON__REQUEST_WAITING ? request->node : NULL;
    bool borrows = request->state == TENDON__REQUEST_BORROWING && request->waiter.waiting;
    bool down = request->node && request->node->failures &&
                (borrows || request->state == TENDON__REQUEST_WAITING);
    bool pool = borrows && !down;
    const struct tendon__fault *last = request->status ? request->cause : NULL;
    if (!last && down)
        last = &request->node->fault;
    tendon__fault_set(&fault, pool ? TENDON_ERROR_POOL_TIMEOUT : TENDON_ERROR_TIMEOUT,
                      "no outcome within %lld ms, %s%s%.200s",
                      (long long)((request->deadline_ns - request->started_ns) / TENDON__MS),
                      waiting_for(request), last ? "; last cause: " : "", last ? last->text : "");
    if (pool) {
        tendon__pool_timeout(request->node, engine->now_ns - request->waiter.since_ns, &fault);
        request->node->pool.counters.wait_timeouts++;
    }
    if (last)
        memcpy(fault.prefix, last->prefix, sizeof fault.prefix);
    bool is_awaited = channel && channel->awaited == request;
    tendon__request_ref(request);
    tendon__request_fail(engine, request, &fault);
    if (is_awaited && channel->state == TENDON__CHANNEL_READY)
        give_up(engine, channel);
    else if (channel && channel->state == TENDON__CHANNEL_READY)
        suspect_connection(engine, channel, attempt_ns);
    else if (waited)
        suspect_lanes(engine, waited);
    tendon__request_unref(request);
}

/* Leaves a ghost on the connection for the reply that may still come, so that the request can be
 * sent again. What is never sent again stays itself, as after its deadline: on a lease the late
 * reply says what a transaction has queued. */
static bool haunt(struct tendon__request *request)
{
    struct tendon__exchange *ghost = NULL;
    if (!request->lease)
        ghost = tendon__memory_make(request->memory, sizeof *ghost);
    if (ghost)
        tendon__conn_replace(&request->channel->conn, &request->exchange, ghost);
    return ghost != NULL;
}

static bool has_lasted(const struct tendon__engine *engine, const struct tendon__request *request,
                       int64_t limit_ms)
{
    return limit_ms && engine->now_ns >= request->attempt_ns + limit_ms * TENDON__MS;
}

/* False when nothing of it had lasted too long after all. */
static bool end_attempt(struct tendon__engine *engine, struct tendon__request *request,
                        const struct tendon__fault *fault, enum tendon__progress progress,
                        bool sent)
{
    if (sent && request->bundle)
        return tendon__bundle_overdue(engine, request, fault);
    if (!sent && !take_back(request, request->channel)) {
        /* Half written: the stream cannot be used for anything else any more. */
        tendon__channel_close(request->channel, TENDON__CLOSE_ERROR, fault);
    } else if (request->bundle) {
        tendon__bundle_lost(engine, request->channel, request, fault, false);
    } else if (sent && !haunt(request)) {
        tendon__request_fail(engine, request, fault);
    } else {
        tendon__attempt_failed(engine, request, fault, progress);
    }
    return true;
}

static void expire_attempt(struct tendon__engine *engine, struct tendon__request *request)
{
    struct tendon__channel *channel = request->channel;
    const struct tendon__options *options = engine->options;
    int64_t attempt_ns = request->attempt_ns;
    enum tendon__progress progress = tendon__request_progress(request, channel);
    /* A ghost may only take the place of what has left completely: the connection still reads the
     * rest of a half-sent frame from the request. A bundle stays, whatever leaves it. */
    bool sent = tendon__conn_progress(&channel->conn, &request->exchange) == TENDON__PROGRESS_SENT;
    if (request->bundle && !sent && !has_lasted(engine, request, options->write_timeout_ms))
        sent = true; /* for those of its commands that were */
    int64_t limit_ms = sent ? options->read_timeout_ms : options->write_timeout_ms;
    if (!has_lasted(engine, request, limit_ms)) {
        tendon__request_arm(engine, request);
        return;
    }
    struct tendon__fault fault;
    tendon__fault_set(&fault, TENDON_ERROR_TIMEOUT, "%s %s within %lld ms (option %s)",
                      channel->node->name, sent ? "did not answer" : "did not take the command",
                      (long long)limit_ms, sent ? "read_timeout_ms" : "write_timeout_ms");
    bool is_awaited = channel->awaited == request;
    tendon__request_ref(request);
    if (!end_attempt(engine, request, &fault, progress, sent)) {
        tendon__request_unref(request);
        return;
    }
    if (is_awaited && channel->state == TENDON__CHANNEL_READY)
        give_up(engine, channel);
    else if (channel->state == TENDON__CHANNEL_READY)
        suspect_connection(engine, channel, attempt_ns);
    tendon__request_unref(request);
}

/* The pool stayed full. A node that has room by now is only slow to connect, and gets its time. */
static void expire_room(struct tendon__engine *engine, struct tendon__request *request)
{
    struct tendon__fault fault;
    request->room_ns = 0;
    if (!tendon__node_is_lent(request->node)) {
        tendon__request_arm(engine, request);
        return;
    }
    tendon__pool_timeout(request->node, engine->options->pool_wait_ms * TENDON__MS, &fault);
    request->node->pool.counters.wait_timeouts++;
    tendon__request_fail(engine, request, &fault);
}

void tendon__request_expired(struct tendon__engine *engine, struct tendon__request *request)
{
    if (engine->now_ns >= request->deadline_ns) {
        expire_call(engine, request);
        return;
    }
    if (request->state == TENDON__REQUEST_DELAYED) {
        tendon__list_remove(&request->link);
        request->state = TENDON__REQUEST_NEW;
        tendon__request_arm(engine, request);
        tendon__route(engine, request);
    } else if (request->state == TENDON__REQUEST_ON_WIRE) {
        expire_attempt(engine, request);
    } else if (request->state == TENDON__REQUEST_WAITING && request->room_ns &&
               engine->now_ns >= request->room_ns) {
        expire_room(engine, request);
    } else {
        tendon__request_arm(engine, request);
    }
}
