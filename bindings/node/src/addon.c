/*
 * The entry point of the addon: makes the state of one environment and exports the functions. It
 * holds no static state, so that every worker thread, and every
 * further load in one, gets its own queue and clients.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "addon.h"

#include <stdlib.h>

napi_value tendon__node_throw(napi_env env, const char *code, const char *message)
{
    (void)napi_throw_error(env, code, message);
    return NULL;
}

tendon__node_env *tendon__node_env_get(napi_env env)
{
    void *data = NULL;
    if (napi_get_instance_data(env, &data) != napi_ok)
        return NULL;
    return data;
}

/* Memory JavaScript and C both see, so that a batch costs one call and not one call per number. */
static bool share_array(napi_env env, napi_value exports, const char *name, size_t length,
                        size_t element_bytes, void **out_data)
{
    napi_value buffer = NULL;
    napi_value array = NULL;
    napi_typedarray_type type = element_bytes == 1 ? napi_uint8_array : napi_uint32_array;
    if (napi_create_arraybuffer(env, element_bytes * length, out_data, &buffer) != napi_ok)
        return false;
    if (napi_create_typedarray(env, type, length, buffer, 0, &array) != napi_ok)
        return false;
    /* The reference is never dropped: the memory is written to for as long as the environment
     * lives. */
    napi_ref keep = NULL;
    return napi_create_reference(env, array, 1, &keep) == napi_ok &&
           napi_set_named_property(env, exports, name, array) == napi_ok;
}

/* start(deliver, replyError): joins the event loop. Called once, by lib/native.js. */
static napi_value start(napi_env env, napi_callback_info info)
{
    tendon__node_env *state = tendon__node_env_get(env);
    napi_value args[2];
    size_t count = 2;
    napi_value name = NULL;
    napi_value resource = NULL;
    if (state == NULL || state->deliver != NULL ||
        napi_get_cb_info(env, info, &count, args, NULL, NULL) != napi_ok || count != 2)
        return tendon__node_throw(env, "ERR_TENDON", "start(deliver, replyError) is called once");
    if (napi_create_reference(env, args[0], 1, &state->deliver) != napi_ok ||
        napi_create_reference(env, args[1], 1, &state->reply_error) != napi_ok ||
        napi_create_object(env, &resource) != napi_ok ||
        napi_create_reference(env, resource, 1, &state->resource) != napi_ok ||
        napi_create_string_utf8(env, "tendon", NAPI_AUTO_LENGTH, &name) != napi_ok ||
        napi_async_init(env, resource, name, &state->context) != napi_ok)
        return tendon__node_throw(env, "ERR_TENDON", "The environment is being torn down");
    if (!tendon__node_loop_start(state))
        return tendon__node_throw(env, "ERR_TENDON", "The event loop takes no more handles");
    return NULL;
}

static bool export_functions(napi_env env, napi_value exports, tendon__node_env *state)
{
    static const struct {
        const char *name;
        napi_callback callback;
    } functions[] = {
        {"start", start},
        {"create", tendon__node_client_create},
        {"check", tendon__node_client_check},
        {"close", tendon__node_client_close},
        {"hold", tendon__node_client_hold},
        {"reconnect", tendon__node_client_reconnect},
        {"disconnect", tendon__node_client_disconnect},
        {"nodes", tendon__node_client_nodes},
        {"stats", tendon__node_client_stats},
        {"push", tendon__node_push},
        {"pushArray", tendon__node_push_array},
        {"flush", tendon__node_flush},
        {"cancel", tendon__node_cancel},
        {"lease", tendon__node_lease},
        {"endLease", tendon__node_lease_end},
        {"keySlot", tendon__node_key_slot},
        {"subscription", tendon__node_subscription},
        {"endSubscription", tendon__node_subscription_end},
    };
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        napi_value function = NULL;
        if (napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].callback,
                                 state, &function) != napi_ok ||
            napi_set_named_property(env, exports, functions[i].name, function) != napi_ok)
            return false;
    }
    return true;
}

static bool export_versions(napi_env env, napi_value exports)
{
    napi_value version = NULL;
    napi_value tls = NULL;
    return napi_create_string_utf8(env, tendon_version(), NAPI_AUTO_LENGTH, &version) == napi_ok &&
           napi_set_named_property(env, exports, "version", version) == napi_ok &&
           napi_create_string_utf8(env, tendon_tls_version(), NAPI_AUTO_LENGTH, &tls) == napi_ok &&
           napi_set_named_property(env, exports, "tlsVersion", tls) == napi_ok;
}

static void on_cleanup(napi_async_cleanup_hook_handle handle, void *data)
{
    (void)handle;
    tendon__node_loop_stop(data);
}

/* The macro defines this without declaring it, which -Wmissing-prototypes minds. */
NAPI_MODULE_EXPORT int32_t NODE_API_MODULE_GET_API_VERSION(void);

NAPI_MODULE_INIT()
{
    const uint32_t built_for = (uint32_t)TENDON_ABI_MAJOR << 16 | TENDON_ABI_MINOR;
    if (tendon_abi_version() >> 16 != TENDON_ABI_MAJOR || tendon_abi_version() < built_for)
        return tendon__node_throw(
            env, "ERR_TENDON_ABI",
            "libtendon has another ABI than the addon was built for; run bindings/node/build");
    tendon__node_env *state = calloc(1, sizeof *state);
    if (state == NULL)
        return tendon__node_throw(env, "ERR_MEMORY_ALLOCATION_FAILED", "Memory ran out");
    state->napi = env;
    void *slots = NULL;
    void *kinds = NULL;
    void *due = NULL;
    if (!share_array(env, exports, "slots", TENDON__NODE_DELIVER_MAX, sizeof(uint32_t), &slots) ||
        !share_array(env, exports, "kinds", TENDON__NODE_DELIVER_MAX, sizeof(uint8_t), &kinds) ||
        !share_array(env, exports, "flushIsDue", 1, sizeof(uint8_t), &due) ||
        !export_functions(env, exports, state) || !export_versions(env, exports) ||
        napi_set_instance_data(env, state, NULL, NULL) != napi_ok) {
        free(state);
        return tendon__node_throw(env, "ERR_TENDON", "The addon could not be set up");
    }
    state->slots = slots;
    state->kinds = kinds;
    state->flush_is_due = due;
    /* The hook frees `state` once the loop has let go of its handles, which no finalizer waits for.
     */
    (void)napi_add_async_cleanup_hook(env, on_cleanup, state, &state->cleanup);
    return exports;
}
