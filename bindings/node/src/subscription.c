/*
 * Subscriptions as JavaScript holds them: numbers beside those of clients. A command pushed to one
 * is submitted at once; messages come to the owner of the number as events. What to subscribe, and
 * what to do with messages, is decided in lib/subscriber.js.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "addon.h"

#include <stdlib.h>

/* subscription(client) -> id. Nothing connects before the first command. */
napi_value tendon__node_subscription(napi_env env, napi_callback_info info)
{
    tendon__node_env *state = tendon__node_env_get(env);
    napi_value arg = NULL;
    napi_value result = NULL;
    size_t count = 1;
    uint32_t id = 0;
    if (state == NULL || napi_get_cb_info(env, info, &count, &arg, NULL, NULL) != napi_ok ||
        count != 1 || napi_get_value_uint32(env, arg, &id) != napi_ok)
        return tendon__node_throw(env, "ERR_INVALID_ARG_TYPE", "subscription(client)");
    tendon__node_client *parent = tendon__node_client_find(state, id);
    if (parent == NULL || parent->core == NULL)
        return tendon__node_throw(env, "ERR_TENDON_CLOSED", "Connection is closed.");
    tendon__node_client *entry = calloc(1, sizeof *entry);
    if (entry == NULL || !tendon__node_client_number(state, entry)) {
        free(entry);
        return tendon__node_failure_throw(env, TENDON_ERROR_NO_MEMORY, NULL);
    }
    entry->env = state;
    entry->parent = parent;
    entry->timeout_ms = parent->timeout_ms;
    entry->owners = 1;
    tendon_status status = tendon_subscription_open(
        parent->core, state->queue, NULL, TENDON__NODE_TAG_EVENT | entry->id, &entry->subscription);
    if (status != TENDON_OK) {
        tendon__node_client_release(entry);
        return tendon__node_failure_throw(env, status, NULL);
    }
    (void)napi_create_uint32(env, entry->id, &result);
    return result;
}

tendon_status tendon__node_subscription_submit(tendon__node_client *entry,
                                               const tendon_request *request)
{
    tendon_status status = tendon_subscription_submit(entry->subscription, request, NULL);
    if (entry->parent->core != NULL)
        (void)tendon_client_flush(entry->parent->core);
    return status;
}

void tendon__node_subscription_close(tendon__node_client *entry)
{
    tendon_subscription_close(entry->subscription);
    entry->subscription = NULL;
    tendon__node_batch_deinit(&entry->batch);
    entry->next_closed = entry->env->closed;
    entry->env->closed = entry;
}

/* endSubscription(subscription): its connections close, commands under way are cancelled. */
napi_value tendon__node_subscription_end(napi_env env, napi_callback_info info)
{
    tendon__node_env *state = tendon__node_env_get(env);
    napi_value arg = NULL;
    size_t count = 1;
    uint32_t id = 0;
    if (state == NULL || napi_get_cb_info(env, info, &count, &arg, NULL, NULL) != napi_ok ||
        count != 1 || napi_get_value_uint32(env, arg, &id) != napi_ok)
        return tendon__node_throw(env, "ERR_INVALID_ARG_TYPE", "endSubscription(subscription)");
    tendon__node_client *entry = tendon__node_client_find(state, id);
    if (entry != NULL && entry->subscription != NULL)
        tendon__node_subscription_close(entry);
    return NULL;
}
