/*
 * Clients as JavaScript holds them: small numbers, looked up in the environment, so that a late
 * call on a destroyed client is an error and never a dangling pointer.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "addon.h"

#include <stdlib.h>
#include <string.h>

/* Option names are ours and short; a longer one is a mistake of lib/options.js. */
#define OPTION_NAME_BYTES 64

tendon__node_client *tendon__node_client_find(tendon__node_env *state, uint32_t id)
{
    return id < state->client_count ? state->clients[id] : NULL;
}

/* The client named by the first argument, or NULL after throwing what callers of a closed one
 * expect. */
static tendon__node_client *client_of_call(napi_env env, napi_callback_info info, napi_value *args,
                                           size_t arg_count)
{
    tendon__node_env *state = tendon__node_env_get(env);
    size_t count = arg_count;
    uint32_t id = 0;
    tendon__node_client *client = NULL;
    if (state != NULL && napi_get_cb_info(env, info, &count, args, NULL, NULL) == napi_ok &&
        count == arg_count && napi_get_value_uint32(env, args[0], &id) == napi_ok)
        client = tendon__node_client_find(state, id);
    if (client != NULL && client->core != NULL)
        return client;
    (void)tendon__node_throw(env, "ERR_TENDON_CLOSED", "Connection is closed.");
    return NULL;
}

static bool set_option(napi_env env, tendon_config *config, napi_value pair,
                       tendon_error **out_error)
{
    napi_value name_value = NULL;
    napi_value value = NULL;
    char name[OPTION_NAME_BYTES];
    size_t name_size = 0;
    void *data = NULL;
    size_t size = 0;
    bool is_buffer = false;
    if (napi_get_element(env, pair, 0, &name_value) != napi_ok ||
        napi_get_value_string_utf8(env, name_value, name, sizeof name, &name_size) != napi_ok ||
        napi_get_element(env, pair, 1, &value) != napi_ok ||
        napi_is_buffer(env, value, &is_buffer) != napi_ok || !is_buffer ||
        napi_get_buffer_info(env, value, &data, &size) != napi_ok)
        return false;
    tendon_bytes bytes = {.data = data, .size = size};
    return tendon_config_set_bytes(config, name, bytes, out_error) == TENDON_OK;
}

/* Makes a core client of [[name, Buffer], ...]; NULL after throwing. */
static tendon_client *create_core(napi_env env, napi_value options)
{
    tendon_config *config = NULL;
    tendon_client *client = NULL;
    tendon_error *error = NULL;
    uint32_t count = 0;
    tendon_status status = tendon_config_create(&config);
    bool done = status == TENDON_OK && napi_get_array_length(env, options, &count) == napi_ok;
    for (uint32_t i = 0; done && i < count; i++) {
        napi_value pair = NULL;
        done = napi_get_element(env, options, i, &pair) == napi_ok &&
               set_option(env, config, pair, &error);
        if (!done)
            status = TENDON_ERROR_CONFIG;
    }
    if (done)
        status = tendon_config_set(config, "drive", "host", &error);
    if (done && status == TENDON_OK)
        status = tendon_client_create(config, &client, &error);
    tendon_config_destroy(config);
    if (status != TENDON_OK)
        (void)tendon__node_failure_throw(env, status, error);
    return client;
}

/* check(options): throws what create would throw. A lazy client makes nothing until it connects. */
napi_value tendon__node_client_check(napi_env env, napi_callback_info info)
{
    napi_value options = NULL;
    size_t count = 1;
    if (napi_get_cb_info(env, info, &count, &options, NULL, NULL) != napi_ok || count != 1)
        return tendon__node_throw(env, "ERR_INVALID_ARG_TYPE", "check(options)");
    tendon_client_destroy(create_core(env, options));
    return NULL;
}

bool tendon__node_client_number(tendon__node_env *state, tendon__node_client *client)
{
    for (uint32_t i = 0; i < state->client_count; i++) {
        if (state->clients[i] == NULL) {
            state->clients[i] = client;
            client->id = i;
            return true;
        }
    }
    void *grown = realloc(state->clients, (state->client_count + 1) * sizeof state->clients[0]);
    if (grown == NULL)
        return false;
    state->clients = grown;
    client->id = state->client_count;
    state->clients[state->client_count++] = client;
    return true;
}

/* create(options, timeoutMs, eventMask) -> id. Nothing connects yet. */
napi_value tendon__node_client_create(napi_env env, napi_callback_info info)
{
    tendon__node_env *state = tendon__node_env_get(env);
    napi_value args[3];
    size_t count = 3;
    int64_t timeout_ms = 0;
    uint32_t event_mask = 0;
    napi_value result = NULL;
    if (state == NULL || state->queue == NULL ||
        napi_get_cb_info(env, info, &count, args, NULL, NULL) != napi_ok || count != 3 ||
        napi_get_value_int64(env, args[1], &timeout_ms) != napi_ok ||
        napi_get_value_uint32(env, args[2], &event_mask) != napi_ok)
        return tendon__node_throw(env, "ERR_INVALID_ARG_TYPE",
                                  "create(options, timeoutMs, eventMask)");
    tendon_client *core = create_core(env, args[0]);
    if (core == NULL)
        return NULL;
    tendon__node_client *client = calloc(1, sizeof *client);
    if (client == NULL || !tendon__node_client_number(state, client)) {
        free(client);
        tendon_client_destroy(core);
        return tendon__node_failure_throw(env, TENDON_ERROR_NO_MEMORY, NULL);
    }
    client->env = state;
    client->core = core;
    client->timeout_ms = timeout_ms;
    client->owners = 2;
    uint64_t tag = TENDON__NODE_TAG_EVENT | client->id;
    tendon_status status = tendon_client_watch(core, state->queue, tag, event_mask);
    if (status == TENDON_OK && !tendon__node_loop_watch(client))
        status = TENDON_ERROR_SYSTEM;
    if (status != TENDON_OK) {
        state->clients[client->id] = NULL;
        free(client);
        tendon_client_destroy(core);
        return tendon__node_failure_throw(env, status, NULL);
    }
    (void)napi_create_uint32(env, client->id, &result);
    return result;
}

static void unlink_dirty(tendon__node_client *client)
{
    tendon__node_client **link = &client->env->dirty;
    while (*link != NULL && *link != client)
        link = &(*link)->next_dirty;
    if (*link == client)
        *link = client->next_dirty;
}

void tendon__node_client_release(tendon__node_client *client)
{
    if (--client->owners > 0)
        return;
    client->env->clients[client->id] = NULL;
    free(client);
}

/* Every request under way has its completion in the queue when this returns. */
static void close_core(tendon__node_client *client)
{
    tendon__node_batch_flush(client);
    unlink_dirty(client);
    tendon__node_batch_deinit(&client->batch);
    tendon__node_loop_unwatch(client);
    tendon_client_destroy(client->core);
    client->core = NULL;
}

/* close(client): pending commands fail, then ENDED is delivered. The number is free after that. */
napi_value tendon__node_client_close(napi_env env, napi_callback_info info)
{
    napi_value arg = NULL;
    tendon__node_client *client = client_of_call(env, info, &arg, 1);
    if (client == NULL)
        return NULL;
    close_core(client);
    client->next_closed = client->env->closed;
    client->env->closed = client;
    return NULL;
}

void tendon__node_client_destroy_all(tendon__node_env *state)
{
    for (uint32_t i = 0; i < state->client_count; i++) {
        tendon__node_client *entry = state->clients[i];
        if (entry != NULL && entry->subscription != NULL)
            tendon__node_subscription_close(entry);
        else if (entry != NULL && entry->lease != NULL)
            tendon__node_lease_close(entry);
    }
    for (uint32_t i = 0; i < state->client_count; i++) {
        tendon__node_client *client = state->clients[i];
        if (client == NULL || client->core == NULL)
            continue;
        close_core(client);
        tendon__node_client_release(client);
    }
    while (state->closed != NULL) {
        tendon__node_client *client = state->closed;
        state->closed = client->next_closed;
        tendon__node_client_release(client);
    }
}

/* hold(by): while the sum of all is above 0, the process stays alive for its connections. */
napi_value tendon__node_client_hold(napi_env env, napi_callback_info info)
{
    tendon__node_env *state = tendon__node_env_get(env);
    napi_value arg = NULL;
    size_t count = 1;
    int32_t by = 0;
    if (state == NULL || state->ending ||
        napi_get_cb_info(env, info, &count, &arg, NULL, NULL) != napi_ok ||
        napi_get_value_int32(env, arg, &by) != napi_ok)
        return NULL;
    state->hold_count += (uint32_t)by;
    tendon__node_loop_hold(state, state->hold_count > 0);
    return NULL;
}

/* reconnect(client, delayMs): the answer to WAITING; negative gives up. */
napi_value tendon__node_client_reconnect(napi_env env, napi_callback_info info)
{
    napi_value args[2];
    int64_t delay_ms = 0;
    tendon__node_client *client = client_of_call(env, info, args, 2);
    if (client == NULL || napi_get_value_int64(env, args[1], &delay_ms) != napi_ok)
        return NULL;
    tendon_status status = tendon_client_reconnect(client->core, delay_ms);
    return status == TENDON_OK ? NULL : tendon__node_failure_throw(env, status, NULL);
}

/* disconnect(client): drops the connections, keeps the client. */
napi_value tendon__node_client_disconnect(napi_env env, napi_callback_info info)
{
    napi_value arg = NULL;
    tendon__node_client *client = client_of_call(env, info, &arg, 1);
    if (client == NULL)
        return NULL;
    tendon_status status = tendon_client_disconnect(client->core);
    return status == TENDON_OK ? NULL : tendon__node_failure_throw(env, status, NULL);
}

/* nodes(client) -> text, one "host:port role slots" line per node. */
napi_value tendon__node_client_nodes(napi_env env, napi_callback_info info)
{
    napi_value arg = NULL;
    tendon_reply *reply = NULL;
    tendon_error *error = NULL;
    tendon_reply_view view = {.struct_size = sizeof view};
    tendon__node_client *client = client_of_call(env, info, &arg, 1);
    if (client == NULL)
        return NULL;
    tendon_status status = tendon_client_nodes(client->core, &reply, &error);
    if (status != TENDON_OK)
        return tendon__node_failure_throw(env, status, error);
    napi_value text = NULL;
    if (tendon_reply_look(reply, &view) == TENDON_OK && view.nodes[0].type == TENDON_NODE_STRING)
        text = tendon__node_value_of_text(env, view.data + view.nodes[0].value.offset,
                                          view.nodes[0].size);
    tendon_reply_destroy(reply);
    return text;
}

/* stats(client) -> {open, idle, ...}: the gauges and counters worth watching from JavaScript. */
napi_value tendon__node_client_stats(napi_env env, napi_callback_info info)
{
    napi_value arg = NULL;
    napi_value object = NULL;
    tendon_stats stats = {.struct_size = sizeof stats};
    tendon__node_client *client = client_of_call(env, info, &arg, 1);
    if (client == NULL || napi_create_object(env, &object) != napi_ok)
        return NULL;
    tendon_status status = tendon_client_stats(client->core, &stats);
    if (status != TENDON_OK)
        return tendon__node_failure_throw(env, status, NULL);
    const struct {
        const char *name;
        uint64_t value;
    } fields[] = {
        {"nodes", stats.nodes},
        {"open", stats.open},
        {"idle", stats.idle},
        {"leased", stats.leased},
        {"lanes", stats.lanes},
        {"connecting", stats.connecting},
        {"pending", stats.pending},
        {"created", stats.created},
        {"connectFailures", stats.connect_failures},
        {"requests", stats.requests},
        {"replies", stats.replies},
        {"errors", stats.errors},
        {"timeouts", stats.timeouts},
        {"retries", stats.retries},
        {"unknown", stats.unknown},
        {"moved", stats.moved},
        {"ask", stats.ask},
        {"tlsResumed", stats.tls_resumed},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        napi_value value = NULL;
        if (napi_create_double(env, (double)fields[i].value, &value) == napi_ok)
            (void)napi_set_named_property(env, object, fields[i].name, value);
    }
    return object;
}
