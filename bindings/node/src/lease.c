/*
 * Leases as JavaScript holds them: numbers beside those of clients, so that a command is pushed to
 * a lease as it is to a client. Which commands belong on one is decided in lib/session.js.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "addon.h"

#include <stdlib.h>

/* lease(client, slot, key) -> id. The outcome for `slot` tells when it is there; commands wait with
 * it. In a cluster it is a connection to the node of `key`, a Buffer. */
napi_value tendon__node_lease(napi_env env, napi_callback_info info)
{
    tendon__node_env *state = tendon__node_env_get(env);
    napi_value args[3];
    size_t count = 3;
    uint32_t id = 0;
    uint32_t slot = 0;
    void *key = NULL;
    size_t key_size = 0;
    if (state == NULL || napi_get_cb_info(env, info, &count, args, NULL, NULL) != napi_ok ||
        count != 3 || napi_get_value_uint32(env, args[0], &id) != napi_ok ||
        napi_get_value_uint32(env, args[1], &slot) != napi_ok ||
        napi_get_buffer_info(env, args[2], &key, &key_size) != napi_ok)
        return tendon__node_throw(env, "ERR_INVALID_ARG_TYPE", "lease(client, slot, key)");
    tendon__node_client *parent = tendon__node_client_find(state, id);
    if (parent == NULL || parent->core == NULL)
        return tendon__node_throw(env, "ERR_TENDON_CLOSED", "Connection is closed.");
    tendon__node_client *lease = calloc(1, sizeof *lease);
    if (lease == NULL || !tendon__node_client_number(state, lease)) {
        free(lease);
        return tendon__node_failure_throw(env, TENDON_ERROR_NO_MEMORY, NULL);
    }
    lease->env = state;
    lease->parent = parent;
    lease->owners = 1;
    tendon_lease_options options = {.struct_size = sizeof options,
                                    .key = {.data = key, .size = key_size}};
    /* What was asked for before it is sent before it. */
    tendon__node_batch_flush(parent);
    tendon_status status =
        tendon_lease_submit(parent->core, state->queue, &options, slot, &lease->lease, NULL);
    napi_value result = NULL;
    if (status != TENDON_OK) {
        tendon__node_client_release(lease);
        return tendon__node_failure_throw(env, status, NULL);
    }
    state->pace.in_flight++;
    (void)napi_create_uint32(env, lease->id, &result);
    return result;
}

/* What was pushed to it is handed to the core first: it is cancelled there, and settled once. */
void tendon__node_lease_close(tendon__node_client *lease)
{
    if (lease->parent->core != NULL)
        tendon__node_batch_flush(lease->parent);
    tendon_lease_close(lease->lease);
    tendon__node_client_release(lease);
}

/* endLease(lease): the connection goes back, cleaned; commands still under way are cancelled. */
napi_value tendon__node_lease_end(napi_env env, napi_callback_info info)
{
    tendon__node_env *state = tendon__node_env_get(env);
    napi_value arg = NULL;
    size_t count = 1;
    uint32_t id = 0;
    if (state == NULL || napi_get_cb_info(env, info, &count, &arg, NULL, NULL) != napi_ok ||
        count != 1 || napi_get_value_uint32(env, arg, &id) != napi_ok)
        return tendon__node_throw(env, "ERR_INVALID_ARG_TYPE", "endLease(lease)");
    tendon__node_client *lease = tendon__node_client_find(state, id);
    if (lease != NULL && lease->lease != NULL)
        tendon__node_lease_close(lease);
    return NULL;
}

/* keySlot(key): the slot of a Buffer. */
napi_value tendon__node_key_slot(napi_env env, napi_callback_info info)
{
    napi_value arg = NULL;
    napi_value result = NULL;
    size_t count = 1;
    void *data = NULL;
    size_t size = 0;
    if (napi_get_cb_info(env, info, &count, &arg, NULL, NULL) != napi_ok || count != 1 ||
        napi_get_buffer_info(env, arg, &data, &size) != napi_ok)
        return tendon__node_throw(env, "ERR_INVALID_ARG_TYPE", "keySlot(key)");
    tendon_bytes key = {.data = data, .size = size};
    return napi_create_uint32(env, tendon_key_slot(key), &result) == napi_ok ? result : NULL;
}
