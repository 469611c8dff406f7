/*
 * The addon's side of the event loop: drives each client when its descriptor is readable, hands
 * completions to JavaScript in bulk, and sends what JavaScript asks for meanwhile. It starts no
 * thread and never sleeps; where that pays it looks again for a moment before the loop does
 * (pace.c).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "addon.h"

#include <stdlib.h>
#include <string.h>

/* Outcomes of one turn, or nearly. */
#define TURN_MAX ((size_t)TENDON__NODE_ROUNDS_MAX * TENDON__NODE_DELIVER_MAX)

static napi_value number_value(napi_env env, double number)
{
    napi_value value = NULL;
    return napi_create_double(env, number, &value) == napi_ok ? value : NULL;
}

/* {delay, node, failure} of an event; lib/native.js knows the client by the id in `slots`. */
static napi_value event_value(tendon__node_env *state, const tendon_completion *completion)
{
    napi_env env = state->napi;
    napi_value object = NULL;
    napi_value node = NULL;
    napi_value failure = NULL;
    if (napi_create_object(env, &object) != napi_ok)
        return NULL;
    napi_value delay = number_value(env, completion->delay_ms);
    if (delay != NULL)
        (void)napi_set_named_property(env, object, "delay", delay);
    const tendon_node *root = completion->nodes;
    if (root != NULL && root->type == TENDON_NODE_STATUS)
        node = tendon__node_value_of_text(env, completion->data + root->value.offset, root->size);
    if (node != NULL)
        (void)napi_set_named_property(env, object, "node", node);
    if (completion->error != NULL)
        failure = tendon__node_failure_of_error(env, completion->error);
    if (failure != NULL)
        (void)napi_set_named_property(env, object, "failure", failure);
    return object;
}

/* An exception out of the deliver function is a bug of a listener: it goes where any uncaught one
 * goes. */
static void report_exception(napi_env env)
{
    bool pending = false;
    napi_value thrown = NULL;
    if (napi_is_exception_pending(env, &pending) == napi_ok && pending &&
        napi_get_and_clear_last_exception(env, &thrown) == napi_ok)
        (void)napi_fatal_exception(env, thrown);
}

/* One call into JavaScript; its end runs the promises' continuations, which issue the next
 * commands: drain sends them. */
static void deliver(tendon__node_env *state, size_t count, const napi_value *values)
{
    napi_env env = state->napi;
    napi_value function = NULL;
    napi_value receiver = NULL;
    napi_value resource = NULL;
    napi_value args[TENDON__NODE_DELIVER_MAX + 1];
    *state->flush_is_due = 1;
    args[0] = number_value(env, (double)count);
    memcpy(args + 1, values, count * sizeof values[0]);
    if (args[0] == NULL || napi_get_reference_value(env, state->deliver, &function) != napi_ok ||
        napi_get_reference_value(env, state->resource, &resource) != napi_ok ||
        napi_get_undefined(env, &receiver) != napi_ok)
        return;
    napi_status status =
        napi_make_callback(env, state->context, resource, function, count + 1, args, NULL);
    if (status != napi_ok)
        report_exception(env);
}

static napi_value convert_completion(tendon__node_env *state, const tendon_completion *completion,
                                     size_t position)
{
    napi_value value = NULL;
    state->slots[position] = (uint32_t)completion->tag;
    if (completion->kind == TENDON_COMPLETION_EVENT) {
        state->kinds[position] = (uint8_t)(TENDON__NODE_KIND_EVENT + completion->event);
        value = completion->event == TENDON_EVENT_MESSAGE
                    ? tendon__node_value_of_message(state, completion)
                    : event_value(state, completion);
    } else {
        value = tendon__node_value_of_completion(state, completion, &state->kinds[position]);
    }
    if (value == NULL)
        (void)napi_get_undefined(state->napi, &value);
    return value;
}

static void deliver_completions(tendon__node_env *state, size_t count)
{
    napi_handle_scope scope = NULL;
    napi_value values[TENDON__NODE_DELIVER_MAX];
    bool open = napi_open_handle_scope(state->napi, &scope) == napi_ok;
    for (size_t i = 0; i < count; i++) {
        if (open)
            values[i] = convert_completion(state, &state->completions[i], i);
        tendon__node_pace_count(&state->pace, &state->completions[i]);
        tendon_reply_destroy(state->completions[i].reply);
        tendon_error_destroy(state->completions[i].error);
    }
    if (!open)
        return;
    deliver(state, count, values);
    (void)napi_close_handle_scope(state->napi, scope);
}

/* Hands one value made outside the queue to JavaScript. */
static void deliver_one(tendon__node_env *state, uint32_t slot, uint8_t kind, napi_value value)
{
    if (value == NULL || state->ending)
        return;
    state->slots[0] = slot;
    state->kinds[0] = kind;
    deliver(state, 1, &value);
}

/* What the core did not accept at all. */
static void deliver_refusals(tendon__node_env *state)
{
    tendon__node_refusal *refused = state->refused;
    size_t count = state->refused_used;
    state->refused = NULL;
    state->refused_used = state->refused_size = 0;
    for (size_t i = 0; i < count; i++) {
        napi_handle_scope scope = NULL;
        if (napi_open_handle_scope(state->napi, &scope) != napi_ok)
            break;
        deliver_one(
            state, refused[i].slot, TENDON__NODE_KIND_FAILURE,
            tendon__node_failure_of_status(state->napi, refused[i].status, TENDON_EXECUTED_NO));
        (void)napi_close_handle_scope(state->napi, scope);
    }
    free(refused);
}

/* With the queue empty every command of a closed client is settled: now it may be said to have
 * ended. */
static void deliver_ends(tendon__node_env *state)
{
    while (state->closed != NULL && !state->ending) {
        tendon__node_client *client = state->closed;
        uint32_t id = client->id;
        napi_handle_scope scope = NULL;
        napi_value nothing = NULL;
        state->closed = client->next_closed;
        if (napi_open_handle_scope(state->napi, &scope) != napi_ok)
            return;
        if (napi_get_null(state->napi, &nothing) == napi_ok)
            deliver_one(state, id, TENDON__NODE_KIND_ENDED, nothing);
        (void)napi_close_handle_scope(state->napi, scope);
        tendon__node_client_release(client);
    }
}

static void stay_awake(uv_idle_t *idle)
{
    (void)idle;
}

/* One step of drain: hands out up to `most` outcomes, or sends what continuations asked for. How
 * much that was, or 0 when there is nothing of either. */
static size_t drain_some(tendon__node_env *state, size_t most)
{
    if (state->refused_used > 0) {
        size_t count = state->refused_used;
        deliver_refusals(state);
        return count;
    }
    size_t count =
        tendon_queue_poll(state->queue, state->completions, sizeof state->completions[0], most, 0);
    if (count > 0)
        deliver_completions(state, count);
    else if (state->closed != NULL)
        deliver_ends(state);
    else if (state->dirty != NULL)
        tendon__node_batch_flush_all(state);
    else
        return 0;
    return count > 0 ? count : 1;
}

/*
 * Delivers what is in the queue, up to a limit, because continuations may ask for more for ever.
 * What is left keeps the loop from sleeping, since nobody signals this queue. How much it delivered
 * or sent, or 0 when something is left.
 */
static size_t drain(tendon__node_env *state)
{
    size_t part = tendon__node_pace_part(&state->pace);
    size_t most = part < TENDON__NODE_DELIVER_MAX ? part : TENDON__NODE_DELIVER_MAX;
    size_t unsent = 0;
    size_t total = 0;
    bool more = true;
    for (unsigned i = 0; more && i < TENDON__NODE_ROUNDS_MAX && !state->ending; i++) {
        size_t count = drain_some(state, most);
        more = count > 0;
        total += count;
        unsent += count;
        if (unsent < part)
            continue;
        tendon__node_batch_flush_all(state);
        unsent = 0;
    }
    if (state->ending)
        return 0;
    tendon__node_batch_flush_all(state);
    if (more)
        (void)uv_idle_start(&state->idle, stay_awake);
    else
        (void)uv_idle_stop(&state->idle);
    return more ? 0 : total;
}

/* Before the loop sleeps: what the server answers meanwhile comes without a wake-up. After as much
 * as one turn may deliver, timers and other sockets have theirs; `total` was delivered already. */
static void look_for_more(tendon__node_client *client, uint64_t loan, size_t total)
{
    tendon__node_pace *pace = &client->env->pace;
    if (!tendon__node_pace_may_look(pace))
        return;
    for (unsigned rounds = 0; rounds < TENDON__NODE_ROUNDS_MAX && total < TURN_MAX;) {
        if (client->core == NULL)
            break;
        if (loan)
            (void)tendon_client_read(client->core, loan, NULL);
        else
            (void)tendon_client_process(client->core, 0, NULL);
        size_t count = drain(client->env);
        if (!tendon__node_pace_looks_on(pace, count > 0))
            break;
        rounds += count > 0;
        total += count;
    }
    /* Timers that were set meanwhile count from now, not from before the look. */
    uv_update_time(client->env->prepare.loop);
    tendon__node_pace_looked(pace);
}

void tendon__node_loop_deliver(tendon__node_client *client, uint64_t loan)
{
    size_t count = drain(client->env);
    if (count > 0)
        look_for_more(client, loan, count);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    tendon__node_client *client = poll->data;
    (void)tendon_client_process(client->core, 0, NULL);
    tendon__node_loan_ask(client);
    tendon__node_loop_deliver(client, 0);
}

/*
 * Runs right before the loop waits. What was asked for has normally been flushed by its own tick;
 * outcomes known without the network, such as those of cancel and close, leave from here.
 */
static void on_prepare(uv_prepare_t *prepare)
{
    tendon__node_env *state = prepare->data;
    tendon__node_batch_flush_all(state);
    (void)drain(state);
}

bool tendon__node_loop_start(tendon__node_env *state)
{
    uv_loop_t *loop = NULL;
    if (napi_get_uv_event_loop(state->napi, &loop) != napi_ok ||
        tendon_queue_create(&state->queue) != TENDON_OK)
        return false;
    tendon__node_pace_init(&state->pace);
    state->prepare.data = state;
    state->idle.data = state;
    /* None of these three can fail. */
    (void)uv_prepare_init(loop, &state->prepare);
    (void)uv_idle_init(loop, &state->idle);
    (void)uv_prepare_start(&state->prepare, on_prepare);
    state->handle_count = 2;
    uv_unref((uv_handle_t *)&state->prepare);
    uv_unref((uv_handle_t *)&state->idle);
    return true;
}

void tendon__node_loop_hold(tendon__node_env *state, bool hold)
{
    if (hold)
        uv_ref((uv_handle_t *)&state->prepare);
    else
        uv_unref((uv_handle_t *)&state->prepare);
}

/* The last of the handles lets the environment end. */
static void finish_when_idle(tendon__node_env *state)
{
    if (state->handle_count > 0 || !state->ending)
        return;
    tendon_queue_destroy(state->queue);
    free(state->clients);
    free(state->refused);
    free(state->ids);
    napi_async_cleanup_hook_handle cleanup = state->cleanup;
    free(state);
    (void)napi_remove_async_cleanup_hook(cleanup);
}

void tendon__node_loop_handle_closed(tendon__node_env *state)
{
    state->handle_count--;
    finish_when_idle(state);
}

static void on_handle_closed(uv_handle_t *handle)
{
    tendon__node_loop_handle_closed(handle->data);
}

static void on_poll_closed(uv_handle_t *handle)
{
    tendon__node_client *client = handle->data;
    tendon__node_env *state = client->env;
    tendon__node_client_release(client);
    tendon__node_loop_handle_closed(state);
}

bool tendon__node_loop_watch(tendon__node_client *client)
{
    tendon__node_env *state = client->env;
    uv_loop_t *loop = NULL;
    int fd = tendon_client_fd(client->core);
    client->poll.data = client;
    if (napi_get_uv_event_loop(state->napi, &loop) != napi_ok ||
        uv_poll_init(loop, &client->poll, fd) != 0)
        return false;
    state->handle_count++;
    /* Cannot fail on a handle just made. */
    (void)uv_poll_start(&client->poll, UV_READABLE, on_readable);
    uv_unref((uv_handle_t *)&client->poll);
    return true;
}

void tendon__node_loop_unwatch(tendon__node_client *client)
{
    tendon__node_loan_end_all(client);
    (void)uv_poll_stop(&client->poll);
    uv_close((uv_handle_t *)&client->poll, on_poll_closed);
}

/* The environment ends (exit, worker.terminate): no JavaScript runs from here on. */
void tendon__node_loop_stop(tendon__node_env *state)
{
    state->ending = true;
    tendon__node_client_destroy_all(state);
    if (state->handle_count == 0) {
        finish_when_idle(state);
        return;
    }
    uv_close((uv_handle_t *)&state->idle, on_handle_closed);
    uv_close((uv_handle_t *)&state->prepare, on_handle_closed);
}
