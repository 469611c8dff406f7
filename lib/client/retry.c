/*
 * What a reply or a loss means for a request: hand it out, follow a redirect, wait and try again,
 * or give up. The rule everything hangs on: only what was provably not executed, or may be executed
 * twice, is sent again.
 */
#include <stdio.h>
#include <string.h>

#include "client/endpoint.h"
#include "client/engine.h"
#include "client/subscription.h"

/* A cluster that rearranges itself needs tens of milliseconds at least. */
#define CLUSTER_BACKOFF_MIN_MS 20
#define CLUSTER_BACKOFF_MAX_MS 500
#define AVOID_MS               1000 /* a replica that is not ready now will not be in a few tries */
/* A name that still leads to the old server must not become a storm of connections. */
#define REPLACE_GAP_MS 200

bool tendon__fault_is_permanent(const struct tendon__fault *fault)
{
    switch (fault->status) {
    case TENDON_ERROR_AUTH:
    case TENDON_ERROR_TLS_CERTIFICATE:
    case TENDON_ERROR_TLS_HOSTNAME:
    case TENDON_ERROR_TLS_CONFIG:
    case TENDON_ERROR_HANDSHAKE:
    case TENDON_ERROR_PROTOCOL:
    case TENDON_ERROR_LIMIT:
    case TENDON_ERROR_UNSUPPORTED:
        return true;
    default:
        return false;
    }
}

int64_t tendon__backoff_ns(struct tendon__engine *engine, uint32_t strategy, int64_t min_ms,
                           int64_t max_ms, uint32_t failures, bool jitter)
{
    int64_t wait_ms = min_ms;
    uint32_t steps = failures ? failures - 1 : 0;
    switch (strategy) {
    case TENDON__RETRY_STRATEGY_NONE:
        return 0;
    case TENDON__RETRY_STRATEGY_LINEAR:
        wait_ms = min_ms * (int64_t)(steps + 1);
        break;
    case TENDON__RETRY_STRATEGY_EXPONENTIAL:
        wait_ms = steps < 24 ? min_ms << steps : max_ms;
        break;
    default:
        break;
    }
    if (wait_ms > max_ms)
        wait_ms = max_ms;
    int64_t wait_ns = wait_ms * TENDON__MS;
    return jitter ? (int64_t)tendon__random_below(&engine->random, (uint64_t)wait_ns + 1) : wait_ns;
}

void tendon__retry_later(struct tendon__engine *engine, struct tendon__request *request,
                         int64_t wait_ns)
{
    request->state = TENDON__REQUEST_DELAYED;
    tendon__list_push(&engine->delayed, &request->link);
    int64_t when_ns = engine->now_ns + wait_ns;
    if (request->deadline_ns < when_ns)
        when_ns = request->deadline_ns;
    request->timer.kind = TENDON__TIMER_REQUEST;
    tendon__timer_set(&engine->timers, &request->timer, when_ns);
}

/* Off the connection it was on; a connection of its own goes back or is closed. */
static void detach(struct tendon__request *request)
{
    struct tendon__channel *channel = request->channel;
    request->channel = NULL;
    if (request->owns_channel && channel) {
        request->owns_channel = false;
        channel->owner = NULL;
        if (channel->state != TENDON__CHANNEL_CLOSED)
            tendon__give_back(channel, false);
    }
    tendon__request_forget_replies(request);
    request->node = NULL; /* it may be gone by the next try */
    request->asking = false;
    request->group_ran = false;
    request->group_reaction = TENDON__REACT_SURFACE;
    request->state = TENDON__REQUEST_NEW;
}

static bool may_repeat(const struct tendon__engine *engine, const struct tendon__request *request,
                       enum tendon__progress progress, const struct tendon__fault *fault)
{
    if (request->flags & (TENDON_REQUEST_NO_RETRY | TENDON__REQUEST_INTERNAL) || request->lease ||
        engine->closed)
        return false;
    if (progress != TENDON__PROGRESS_SENT)
        return true;
    if (fault->status == TENDON_ERROR_TIMEOUT && !engine->options->retry_on_timeout)
        return false;
    return engine->options->retry_unsafe ||
           request->flags & (TENDON_REQUEST_READ_ONLY | TENDON_REQUEST_IDEMPOTENT);
}

/* Counts a failed attempt. A cluster that lost a node heals itself: until the deadline it costs no
 * attempt. */
static bool budget_left(const struct tendon__engine *engine, struct tendon__request *request,
                        bool cluster_heals)
{
    int64_t retries = engine->options->max_retries;
    request->attempts++;
    if (retries < 0)
        return true;
    if (cluster_heals && engine->kind == TENDON__KIND_CLUSTER && retries > 0 &&
        request->deadline_ns != TENDON__NO_TIME)
        return true;
    return request->attempts <= (uint32_t)retries;
}

static int64_t draw_wait(struct tendon__engine *engine, const struct tendon__request *request)
{
    const struct tendon__options *options = engine->options;
    if (engine->kind == TENDON__KIND_CLUSTER)
        return CLUSTER_BACKOFF_MIN_MS * TENDON__MS / 2 +
               tendon__backoff_ns(engine, TENDON__RETRY_STRATEGY_EXPONENTIAL,
                                  CLUSTER_BACKOFF_MIN_MS, CLUSTER_BACKOFF_MAX_MS, request->attempts,
                                  true);
    return tendon__backoff_ns(engine, options->retry_strategy, options->retry_backoff_min_ms,
                              options->retry_backoff_max_ms, request->attempts,
                              options->retry_jitter);
}

/* Requests that failed at the same moment are tried again in the order in which they failed, which
 * is the order in which they were sent: a nanosecond keeps them apart. */
static int64_t retry_wait(struct tendon__engine *engine, const struct tendon__request *request)
{
    if (engine->together.drawn_ns == engine->now_ns &&
        engine->together.attempts == request->attempts)
        return ++engine->together.wait_ns;
    engine->together.drawn_ns = engine->now_ns;
    engine->together.attempts = request->attempts;
    return engine->together.wait_ns = draw_wait(engine, request);
}

void tendon__attempt_failed(struct tendon__engine *engine, struct tendon__request *request,
                            const struct tendon__fault *fault, enum tendon__progress progress)
{
    if (progress == TENDON__PROGRESS_SENT)
        request->was_sent = true;
    tendon__request_blame(request, fault);
    if (!may_repeat(engine, request, progress, fault) ||
        !budget_left(engine, request, progress != TENDON__PROGRESS_SENT)) {
        tendon__request_fail(engine, request, fault);
        return;
    }
    engine->stats.retries++;
    /* What is sent again under our own judgement is no longer of unknown outcome if it then fails
     * unsent. */
    detach(request);
    tendon__retry_later(engine, request, retry_wait(engine, request));
}

bool tendon__dial_counts(struct tendon__engine *engine, struct tendon__request *request,
                         const struct tendon__fault *fault)
{
    if (!tendon__fault_is_permanent(fault) && !(request->flags & TENDON_REQUEST_NO_RETRY) &&
        budget_left(engine, request, true)) {
        tendon__request_blame(request, fault);
        if (engine->kind != TENDON__KIND_CLUSTER)
            return true;
        /* The slot may have another owner by the time of the next try. */
        tendon__request_withdraw(engine, request, request->state);
        detach(request);
        tendon__retry_later(engine, request, retry_wait(engine, request));
        return false;
    }
    struct tendon__fault said = *fault;
    tendon__request_fail(engine, request, &said);
    return false;
}

static void remember_error(struct tendon__request *request, const struct tendon__tape *tape)
{
    struct tendon__fault fault;
    tendon_bytes text = tendon__tape_text(tape, 0);
    tendon__fault_server(&fault, TENDON_ERROR_SERVER, text.data, text.size);
    tendon__request_blame(request, &fault);
}

/* The node the redirect names; "" is the host that answered. */
static struct tendon__node *redirect_node(struct tendon__engine *engine,
                                          const struct tendon__channel *channel,
                                          struct tendon__redirect *redirect)
{
    if (!redirect->host[0])
        snprintf(redirect->host, sizeof redirect->host, "%s", channel->node->host);
    if (!redirect->reached)
        tendon__address_map_apply(engine->options->cluster_address_map, redirect->host,
                                  &redirect->port);
    redirect->reached = true;
    /* A TLS map knows the node by its name; a redirect may give its address, which no certificate
     * names. */
    const struct tendon__topology_node *known =
        tendon__topology_find(engine->map, redirect->host, redirect->port);
    if (known)
        snprintf(redirect->host, sizeof redirect->host, "%s", known->host);
    return tendon__node_get(engine, redirect->host, redirect->port);
}

/* Its connections lead to the wrong server, or are no longer welcome there: they go, and the name
 * is resolved anew. False: that has just been done. */
static bool replace_connections(struct tendon__node *node)
{
    int64_t now_ns = node->engine->now_ns;
    if (node->replaced_ns && now_ns - node->replaced_ns < REPLACE_GAP_MS * TENDON__MS)
        return false;
    node->replaced_ns = now_ns;
    tendon__node_drain(node, TENDON__CLOSE_STALE);
    tendon__subscriptions_look(node->engine);
    return true;
}

void tendon__refusal_learn(struct tendon__engine *engine, struct tendon__channel *channel,
                           enum tendon__reaction reaction, struct tendon__redirect *redirect)
{
    bool cluster = engine->kind == TENDON__KIND_CLUSTER;
    struct tendon__node *node;
    switch (reaction) {
    case TENDON__REACT_MOVED:
        engine->stats.moved++;
        node = cluster ? redirect_node(engine, channel, redirect) : NULL;
        /* A node that redirects to itself is another server under the same name: connect anew. */
        if (node == channel->node && replace_connections(node))
            tendon__log(engine, TENDON_LOG_WARNING, NULL,
                        "%s redirects to itself: another server has its name, connecting anew",
                        node->name);
        if (node)
            tendon__map_moved(engine, redirect);
        break;
    case TENDON__REACT_ASK:
        engine->stats.ask++;
        break;
    case TENDON__REACT_READ_ONLY:
        /*
         * A primary that became a replica keeps its connections alive and would refuse writes on
         * them for ever: they all go, and the name is resolved anew, whoever the write belonged to.
         */
        tendon__log(engine, TENDON_LOG_WARNING, NULL, "%s refuses writes: it is a replica now",
                    channel->node->name);
        tendon__map_trigger(engine);
        if (!cluster)
            replace_connections(channel->node);
        break;
    case TENDON__REACT_DOWN:
        tendon__map_urge(engine);
        channel->node->avoid_until_ns = engine->now_ns + AVOID_MS * TENDON__MS;
        break;
    case TENDON__REACT_LOADING:
        channel->node->avoid_until_ns = engine->now_ns + AVOID_MS * TENDON__MS;
        break;
    case TENDON__REACT_REFUSED:
    case TENDON__REACT_UNAUTHENTICATED:
        if (replace_connections(channel->node))
            tendon__log(engine, TENDON_LOG_WARNING, NULL,
                        "%s refuses commands, connecting anew: %s", channel->node->name,
                        reaction == TENDON__REACT_REFUSED ? "it has too many clients"
                                                          : "the login is gone");
        break;
    default:
        break;
    }
}

/* The server's error is the outcome, unless it would hide that an earlier attempt may have been
 * executed. */
static void end_with_refusal(struct tendon__engine *engine, struct tendon__request *request)
{
    struct tendon__fault said;
    if (!request->was_sent || request->flags & TENDON_REQUEST_READ_ONLY) {
        tendon__request_complete(engine, request, NULL);
        return;
    }
    tendon__request_fault(request, &said);
    tendon__request_fail(engine, request, &said);
}

static void try_again(struct tendon__engine *engine, struct tendon__request *request,
                      bool cluster_heals)
{
    if (!budget_left(engine, request, cluster_heals)) {
        end_with_refusal(engine, request);
        return;
    }
    engine->stats.retries++;
    detach(request);
    tendon__retry_later(engine, request, retry_wait(engine, request));
}

static void follow(struct tendon__engine *engine, struct tendon__channel *channel,
                   struct tendon__request *request, enum tendon__reaction reaction,
                   struct tendon__redirect redirect)
{
    struct tendon__node *node = redirect_node(engine, channel, &redirect);
    /* It leads to the same server although the name has just been resolved: the name needs time. */
    bool is_replaced = channel->retiring || channel->member.stale;
    if (node == channel->node && !is_replaced && engine->options->max_retries) {
        try_again(engine, request, true);
        return;
    }
    if (!node || ++request->redirects > (uint64_t)engine->options->max_redirects) {
        struct tendon__fault fault;
        tendon__fault_set(
            &fault, node ? TENDON_ERROR_REDIRECTS : TENDON_ERROR_NO_MEMORY,
            "redirected %u times, last from %s to %s:%u for slot %u; the nodes disagree",
            request->redirects, channel->node->name, redirect.host, redirect.port, redirect.slot);
        tendon__map_trigger(engine);
        tendon__request_fail(engine, request, &fault);
        return;
    }
    detach(request);
    request->target = node;
    request->asking = reaction == TENDON__REACT_ASK;
    tendon__route(engine, request);
}

/* The server refused for now: an error that proves that nothing was executed. */
static void react(struct tendon__engine *engine, struct tendon__channel *channel,
                  struct tendon__request *request, enum tendon__reaction reaction,
                  const struct tendon__redirect *redirect)
{
    bool redirects = reaction == TENDON__REACT_MOVED || reaction == TENDON__REACT_ASK;
    if (reaction == TENDON__REACT_CLOSE || (redirects && engine->kind != TENDON__KIND_CLUSTER))
        tendon__request_complete(engine, request, NULL);
    else if (redirects)
        follow(engine, channel, request, reaction, *redirect);
    else
        try_again(engine, request, reaction != TENDON__REACT_BUSY);
}

/* Only an error whose reply a new try can better is not the outcome at once. */
static bool is_final(const struct tendon__request *request, enum tendon__reaction reaction)
{
    return reaction == TENDON__REACT_SURFACE || request->lease ||
           request->flags & (TENDON_REQUEST_NO_RETRY | TENDON__REQUEST_INTERNAL);
}

/* Without memory for it the group's error is the outcome. */
static void note_group_reaction(struct tendon__request *request, enum tendon__reaction reaction,
                                const struct tendon__redirect *redirect)
{
    if (!request->group_redirect)
        request->group_redirect =
            tendon__memory_take(request->memory, sizeof *request->group_redirect);
    if (!request->group_redirect)
        return;
    *request->group_redirect = *redirect;
    request->group_reaction = reaction;
}

static void judge_group(struct tendon__engine *engine, struct tendon__channel *channel,
                        struct tendon__request *request, enum tendon__reaction reaction,
                        const struct tendon__redirect *redirect, bool last_is_error)
{
    if (reaction != TENDON__REACT_SURFACE && request->group_reaction == TENDON__REACT_SURFACE)
        note_group_reaction(request, reaction, redirect);
    if (request->reply_count < request->command_count)
        return;
    /* A MULTI that was refused itself leaves its members to be executed one by one. */
    bool refused =
        request->flags & TENDON__REQUEST_TRANSACTION && last_is_error && !request->group_ran;
    if (refused && !is_final(request, request->group_reaction)) {
        struct tendon__redirect followed = *request->group_redirect;
        react(engine, channel, request, request->group_reaction, &followed);
    } else {
        tendon__request_complete(engine, request, NULL);
    }
}

/* Whether the reply to the last command on a lease says that MULTI or WATCH is over, and none was
 * begun behind it. */
static void note_end(struct tendon__channel *channel, const struct tendon__request *request,
                     const struct tendon__tape *tape)
{
    if (request->ends == TENDON__ENDS_NOTHING || request->reply_count + 1 < request->command_count)
        return;
    bool is_error = tape->nodes[0].type == TENDON_NODE_ERROR;
    tendon_bytes text = tendon__tape_text(tape, 0);
    bool aborted = is_error && text.size >= 9 && !memcmp(text.data, "EXECABORT", 9);
    bool ended = request->ends == TENDON__ENDS_TRANSACTION ? !is_error || aborted
                                                           : tendon__tape_text_is(tape, 0, "OK");
    if (ended && request->turn >= channel->dirty_turn)
        channel->dirt &= ~TENDON__DIRT_TRANSACTION;
}

void tendon__judge_reply(struct tendon__engine *engine, struct tendon__channel *channel,
                         struct tendon__request *request)
{
    struct tendon__conn *conn = &channel->conn;
    enum tendon__reaction reaction = TENDON__REACT_SURFACE;
    struct tendon__redirect redirect;
    bool is_error = conn->tape.nodes[0].type == TENDON_NODE_ERROR;
    redirect.host[0] = '\0';
    if (is_error) {
        tendon_bytes text = tendon__tape_text(&conn->tape, 0);
        reaction = tendon__react(text.data, text.size, &redirect);
        if (reaction != TENDON__REACT_SURFACE)
            remember_error(request, &conn->tape);
    }
    note_end(channel, request, &conn->tape);
    if (reaction != TENDON__REACT_SURFACE)
        tendon__refusal_learn(engine, channel, reaction, &redirect);
    tendon_reply *reply = conn->facts.protocol == 2 ? tendon__form_take(channel, request)
                                                    : tendon__conn_take_reply(conn);
    if (!reply) {
        struct tendon__fault fault;
        tendon__fault_set(&fault, TENDON_ERROR_NO_MEMORY, "no memory for the reply");
        /* Of a group others may have been executed, and of an earlier attempt this one. */
        bool alone = request->command_count == 1 && !request->was_sent;
        fault.executed = !is_error && request->command_count == 1 ? TENDON_EXECUTED_YES
                         : alone                                  ? TENDON_EXECUTED_NO
                                                                  : TENDON_EXECUTED_UNKNOWN;
        tendon__request_complete(engine, request, &fault);
        return;
    }
    if (request->reply_count && request->reply_count + 1 < request->command_count && !is_error &&
        !tendon__tape_text_is(&conn->tape, 0, "QUEUED"))
        request->group_ran = true;
    request->replies[request->reply_count++] = reply;
    if (request->command_count > 1)
        judge_group(engine, channel, request, reaction, &redirect, is_error);
    else if (is_final(request, reaction))
        tendon__request_complete(engine, request, NULL);
    else
        react(engine, channel, request, reaction, &redirect);
    if (reaction == TENDON__REACT_CLOSE && channel->state == TENDON__CHANNEL_READY) {
        struct tendon__fault fault;
        tendon__fault_set(&fault, TENDON_ERROR_PROTOCOL, "%s reported a protocol error",
                          channel->node->name);
        tendon__channel_close(channel, TENDON__CLOSE_ERROR, &fault);
    }
}
