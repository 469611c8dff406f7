/* What must hold of a call when its outcome comes. */
#include <string.h>

#include "resp/reply.h"
#include "sim.h"

static bool was_replied(const struct sim_token *token, uint64_t hash, uint32_t link)
{
    uint32_t count = token->reply_count < SIM_REPLIES ? token->reply_count : SIM_REPLIES;
    /* The reply of one part may be older than the last ones of another that was tried on. */
    if (sim_is_split(&token->command) && token->reply_count > SIM_REPLIES)
        return true;
    for (uint32_t i = 0; i < count; i++)
        if (token->replies[i].hash == hash &&
            (token->replies[i].link == link || link == UINT32_MAX))
            return true;
    return false;
}

/* The answers of two servers in one: as many values as were asked for, or the sum. */
static bool is_merged(const struct sim_call *call, const struct sim_token *token,
                      const tendon_reply *reply)
{
    const tendon_node *root = &reply->nodes[0];
    int64_t least = (int64_t)(call->first_token) * 20;
    if (call->count != 1 || !sim_is_split(&token->command) || token->reply_count < 2)
        return false;
    if (token->command.verb == SIM_MGET)
        return root->type == TENDON_NODE_ARRAY && root->size == 4;
    return root->type == TENDON_NODE_INTEGER && root->value.integer >= least &&
           root->value.integer <= least + 2;
}

/* Every reply was made for its command, and those of a group came over one link. */
static void check_replies(struct sim *sim, struct sim_call *call,
                          const struct tendon__request *request)
{
    uint64_t hashes[SIM_QUEUED];
    char text[SIM_SHOWN];
    for (uint32_t i = 0; i < call->count; i++) {
        if (!request->replies[i])
            sim_fail(sim, "call %u succeeded without reply %u of %u", call->index, i, call->count);
        sim_show_reply(request->replies[i], text, &hashes[i]);
        if (is_merged(call, &sim->tokens[call->first_token], request->replies[i])) {
            sim_cover(sim, SIM_COVER_split);
            memcpy(call->reply, text, sizeof call->reply);
            return;
        }
        if (!was_replied(&sim->tokens[call->first_token + i], hashes[i], UINT32_MAX))
            sim_fail(sim, "call %u got for %s #%u a reply that no server made for it: %s",
                     call->index, sim_verb_name(sim->tokens[call->first_token + i].command.verb),
                     call->first_token + i, text);
    }
    memcpy(call->reply, text, sizeof call->reply);
    call->final_error = text[0] == '-';
    const struct sim_token *first = &sim->tokens[call->first_token];
    uint32_t known = first->reply_count < SIM_REPLIES ? first->reply_count : SIM_REPLIES;
    for (uint32_t r = 0; r < known; r++) {
        bool all = true;
        for (uint32_t i = 0; i < call->count && all; i++)
            all =
                was_replied(&sim->tokens[call->first_token + i], hashes[i], first->replies[r].link);
        if (all)
            return;
    }
    sim_fail(sim, "the replies of call %u come from different connections", call->index);
}

static bool is_executed(const struct sim *sim, const struct sim_call *call)
{
    for (uint32_t i = 0; i < call->count; i++)
        if (sim->tokens[call->first_token + i].executions)
            return true;
    return false;
}

/* BLPOP that found nothing in time leaves no trace in the log, nor does what MULTI on a lease
 * queued. */
static bool must_show_execution(const struct sim *sim, const struct sim_call *call)
{
    enum sim_verb verb = sim->tokens[call->first_token].command.verb;
    return sim_verb_is_data(verb) && verb != SIM_BLPOP && !call->lease;
}

/* What was said about execution is true at this moment; check_end looks again at the end. */
static void check_executed(struct sim *sim, const struct sim_call *call)
{
    bool executed = is_executed(sim, call);
    switch (call->executed) {
    case TENDON_EXECUTED_NO:
        sim_cover(sim, SIM_COVER_executed_no);
        if (executed)
            sim_fail(sim, "call %u (#%u) says executed: no, but it was: %s", call->index,
                     call->first_token, call->text);
        break;
    case TENDON_EXECUTED_YES:
        sim_cover(sim, SIM_COVER_executed_yes);
        if (!executed && call->count == 1 && must_show_execution(sim, call))
            sim_fail(sim, "call %u (#%u) says executed: yes, but it was not: %s", call->index,
                     call->first_token, call->text);
        break;
    case TENDON_EXECUTED_UNKNOWN:
        sim_cover(sim, SIM_COVER_executed_unknown);
        break;
    default:
        sim_fail(sim, "call %u failed with status %d and says nothing about execution: %s",
                 call->index, call->status, call->text);
    }
}

/* An error reply says that the command was not executed, at no attempt. */
static void check_error_reply(struct sim *sim, const struct sim_call *call)
{
    const struct sim_token *token = &sim->tokens[call->first_token];
    if (call->count == 1 && call->final_error && token->executions && token->writes)
        sim_fail(sim, "call %u (#%u) was executed, but the caller got %s", call->index,
                 call->first_token, call->reply);
    if (call->count == 1 && !call->final_error && !call->lease &&
        sim_verb_is_data(token->command.verb) && !token->executions && call->reply[0] != '_')
        sim_fail(sim, "call %u (#%u) succeeded without having been executed", call->index,
                 call->first_token);
}

static bool is_dialled(const struct sim *sim, const struct tendon__node *node,
                       enum tendon__channel_state state)
{
    const struct tendon__link *list = &sim->engine->channels;
    for (const struct tendon__link *link = list->next; link != list; link = link->next) {
        const struct tendon__channel *channel = TENDON__OWNER(link, struct tendon__channel, link);
        if (channel->node == node && channel->state == state)
            return true;
    }
    return false;
}

static void cover_deadline(struct sim *sim, const struct sim_call *call,
                           const struct tendon__request *request)
{
    if (strstr(call->text, "for the server or the cluster map"))
        sim_cover(sim, SIM_COVER_deadline_parked);
    else if (strstr(call->text, "connection of the pool"))
        sim_cover(sim, SIM_COVER_deadline_borrowing);
    else if (strstr(call->text, "waiting to try again"))
        sim_cover(sim, SIM_COVER_deadline_delayed);
    else if (strstr(call->text, "waiting for the reply"))
        sim_cover(sim, SIM_COVER_deadline_sent);
    if (!strstr(call->text, "connection to be opened") || !request->node)
        return;
    if (is_dialled(sim, request->node, TENDON__CHANNEL_HANDSHAKE))
        sim_cover(sim, SIM_COVER_deadline_handshake);
    else if (is_dialled(sim, request->node, TENDON__CHANNEL_OPENING))
        sim_cover(sim, SIM_COVER_deadline_dialling);
    else
        sim_cover(sim, SIM_COVER_deadline_queued);
}

static void check_time(struct sim *sim, const struct sim_call *call)
{
    int64_t limit_ns = call->deadline_ns;
    if (limit_ns == TENDON__NO_TIME)
        return;
    /* Nobody can keep a deadline while the process is stopped. */
    if (limit_ns < sim->paused_until_ns && limit_ns + SIM_TICK_NS >= sim->paused_ns)
        limit_ns = sim->paused_until_ns;
    if (sim->now_ns > limit_ns + SIM_TICK_NS)
        sim_fail(sim, "call %u ended %.3f ms after its deadline", call->index,
                 (double)(sim->now_ns - call->deadline_ns) / 1e6);
}

static void trace_outcome(struct sim *sim, const struct sim_call *call,
                          const struct tendon__request *request)
{
    static const char *const said[] = {"?", "no", "yes", "unknown"};
    if (!sim->tracing)
        return;
    if (call->status == TENDON_OK)
        sim_trace(sim, "call %u: ended after %u attempts and %u redirects: %s", call->index,
                  request->attempts, request->redirects, call->reply);
    else
        sim_trace(sim, "call %u: status %d, executed: %s: %s", call->index, call->status,
                  said[call->executed < 4 ? call->executed : 0], call->text);
}

/* Who asked not to wait for a place in the pool may be told that there is none. */
static bool is_impatient(const struct sim *sim, const struct sim_call *call)
{
    if (call->status != TENDON_ERROR_POOL_EXHAUSTED && call->status != TENDON_ERROR_POOL_TIMEOUT)
        return false;
    return sim->options.pool_wait_ms >= 0 || sim->options.pool_max_waiting < 100;
}

/* Without any retry the first word of a demoted primary is the outcome; it ends the connection. */
static bool is_told_at_once(const struct sim *sim, const struct sim_call *call)
{
    return call->status == TENDON_OK && !sim->options.max_retries &&
           !strncmp(call->reply, "-READONLY", 9);
}

void sim_check_outcome(struct sim *sim, struct sim_call *call, struct tendon__request *request)
{
    if (call->status == TENDON_OK && !call->opens_lease)
        check_replies(sim, call, request);
    trace_outcome(sim, call, request);
    check_time(sim, call);
    if (call->status != TENDON_OK)
        check_executed(sim, call);
    else if (!call->opens_lease)
        check_error_reply(sim, call);
    if (call->must_succeed && !is_impatient(sim, call) && !is_told_at_once(sim, call) &&
        (call->status != TENDON_OK || call->final_error))
        sim_fail(sim, "the world has healed, but call %u failed: status %d, %s%s", call->index,
                 call->status, call->text, call->status ? "" : call->reply);
    if (request->attempts)
        sim_cover(sim, SIM_COVER_retried);
    if (request->redirects)
        sim_cover(sim, SIM_COVER_redirected);
    if (call->status == TENDON_ERROR_POOL_TIMEOUT)
        sim_cover(sim, SIM_COVER_pool_timeout);
    if (call->status == TENDON_ERROR_CROSSSLOT)
        sim_cover(sim, SIM_COVER_crossslot);
    if (call->status == TENDON_ERROR_POOL_EXHAUSTED)
        sim_cover(sim, SIM_COVER_pool_exhausted);
    if (call->status == TENDON_ERROR_CONNECT_TIMEOUT && strstr(call->text, "handshake"))
        sim_cover(sim, SIM_COVER_handshake_timeout);
    if (call->status == TENDON_ERROR_TIMEOUT)
        cover_deadline(sim, call, request);
}
