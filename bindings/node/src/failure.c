/*
 * Failures as JavaScript sees them: the fields of a tendon_error as a plain object, which
 * lib/errors.js turns into an instance of the right class.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "addon.h"

static void set_text(napi_env env, napi_value object, const char *name, const char *text)
{
    napi_value value = NULL;
    if (napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &value) == napi_ok)
        (void)napi_set_named_property(env, object, name, value);
}

static void set_number(napi_env env, napi_value object, const char *name, double number)
{
    napi_value value = NULL;
    if (napi_create_double(env, number, &value) == napi_ok)
        (void)napi_set_named_property(env, object, name, value);
}

static const char *executed_name(uint32_t executed)
{
    switch (executed) {
    case TENDON_EXECUTED_NO:
        return "no";
    case TENDON_EXECUTED_YES:
        return "yes";
    default:
        return "unknown";
    }
}

static void fill_from_view(napi_env env, napi_value target, const tendon_error_view *view)
{
    set_text(env, target, "status", tendon_status_name(view->status));
    set_number(env, target, "errorClass", view->error_class);
    set_text(env, target, "executed", executed_name(view->executed));
    set_number(env, target, "attempts", view->attempts);
    set_number(env, target, "elapsedMs", (double)view->elapsed_us / 1000.0);
    set_text(env, target, "message", view->message);
    set_text(env, target, "prefix", view->prefix);
    set_text(env, target, "node", view->node);
}

napi_value tendon__node_failure_of_status(napi_env env, tendon_status status, uint32_t executed)
{
    napi_value target = NULL;
    if (napi_create_object(env, &target) != napi_ok)
        return NULL;
    tendon_error_view view = {
        .status = status,
        .executed = executed,
        .message = tendon_status_text(status),
        .prefix = "",
        .node = "",
    };
    fill_from_view(env, target, &view);
    return target;
}

napi_value tendon__node_failure_of_error(napi_env env, const tendon_error *error)
{
    tendon_error_view view = {.struct_size = sizeof view};
    napi_value target = NULL;
    if (tendon_error_look(error, &view) != TENDON_OK)
        return tendon__node_failure_of_status(env, TENDON_ERROR_SYSTEM, TENDON_EXECUTED_UNKNOWN);
    if (napi_create_object(env, &target) != napi_ok)
        return NULL;
    fill_from_view(env, target, &view);
    return target;
}

napi_value tendon__node_failure_throw(napi_env env, tendon_status status, tendon_error *error)
{
    napi_value fields = error != NULL
                            ? tendon__node_failure_of_error(env, error)
                            : tendon__node_failure_of_status(env, status, TENDON_EXECUTED_NO);
    tendon_error_destroy(error);
    if (fields != NULL)
        (void)napi_throw(env, fields);
    return NULL;
}
