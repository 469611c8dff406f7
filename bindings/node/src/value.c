/*
 * Reply tapes as JavaScript values: one walk over the nodes, no call back into the library. The
 * shapes are those of RESP2 clients: maps and sets are flat arrays, doubles are text, booleans are
 * 0 and 1; with TENDON__NODE_MODE_NESTED maps are objects, doubles numbers and booleans booleans.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "addon.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Above this a number loses digits, so it travels as text. Number.MAX_SAFE_INTEGER. */
#define SAFE_INTEGER_MAX INT64_C(9007199254740991)
/* Arrays longer than this convert each child in a scope of its own, so that handles do not pile up.
 */
#define SCOPED_CHILDREN_MIN 256

/* The longest text JavaScript makes of a double, with room to spare. */
#define DOUBLE_TEXT_MAX 40

typedef struct tape_walk {
    tendon__node_env *state;
    const tendon_node *nodes;
    const uint8_t *data;
    unsigned mode;
} tape_walk;

static napi_value convert(const tape_walk *walk, uint64_t index);

static bool is_ascii(const uint8_t *bytes, size_t size)
{
    size_t i = 0;
    for (; i + 8 <= size; i += 8) {
        uint64_t word;
        memcpy(&word, bytes + i, sizeof word);
        if ((word & UINT64_C(0x8080808080808080)) != 0)
            return false;
    }
    for (; i < size; i++) {
        if (bytes[i] >= 0x80)
            return false;
    }
    return true;
}

/* One byte per character is a third faster to make than UTF-8, and nearly all replies are ASCII. */
napi_value tendon__node_value_of_text(napi_env env, const void *data, size_t size)
{
    napi_value value = NULL;
    const char *text = size > 0 ? data : "";
    napi_status status = is_ascii((const uint8_t *)text, size)
                             ? napi_create_string_latin1(env, text, size, &value)
                             : napi_create_string_utf8(env, text, size, &value);
    return status == napi_ok ? value : NULL;
}

static bool wants_text(const tape_walk *walk, const void *bytes, size_t size)
{
    if ((walk->mode & TENDON__NODE_MODE_EITHER) != 0)
        return size <= TENDON__NODE_BYTES_MAX && is_ascii(bytes, size);
    return (walk->mode & TENDON__NODE_MODE_BUFFER) == 0;
}

static napi_value text_or_buffer(const tape_walk *walk, const void *bytes, size_t size)
{
    if (wants_text(walk, bytes, size))
        return tendon__node_value_of_text(walk->state->napi, bytes, size);
    napi_value value = NULL;
    (void)napi_create_buffer_copy(walk->state->napi, size, bytes, NULL, &value);
    return value;
}

static napi_value convert_bytes(const tape_walk *walk, const tendon_node *node)
{
    return text_or_buffer(walk, walk->data + node->value.offset, node->size);
}

static napi_value convert_integer(const tape_walk *walk, int64_t number)
{
    napi_env env = walk->state->napi;
    napi_value value = NULL;
    bool safe = number >= -SAFE_INTEGER_MAX && number <= SAFE_INTEGER_MAX;
    if (safe && (walk->mode & TENDON__NODE_MODE_NUMBERS_AS_TEXT) == 0) {
        (void)napi_create_int64(env, number, &value);
        return value;
    }
    char text[24];
    int length = snprintf(text, sizeof text, "%" PRId64, number);
    (void)napi_create_string_latin1(env, text, (size_t)length, &value);
    return value;
}

/* RESP2 servers send scores as text; a RESP3 double is put back into the same words. */
static napi_value convert_double(const tape_walk *walk, double number)
{
    napi_env env = walk->state->napi;
    napi_value value = NULL;
    napi_value text = NULL;
    if ((walk->mode & TENDON__NODE_MODE_NESTED) != 0)
        return napi_create_double(env, number, &value) == napi_ok ? value : NULL;
    if (isnan(number) || isinf(number)) {
        const char *word = isnan(number) ? "nan" : number > 0 ? "inf" : "-inf";
        return text_or_buffer(walk, word, strlen(word));
    }
    char digits[DOUBLE_TEXT_MAX];
    size_t size = 0;
    if (napi_create_double(env, number, &value) != napi_ok ||
        napi_coerce_to_string(env, value, &text) != napi_ok)
        return NULL;
    if ((walk->mode & TENDON__NODE_MODE_BUFFER) == 0)
        return text;
    return napi_get_value_string_latin1(env, text, digits, sizeof digits, &size) == napi_ok
               ? text_or_buffer(walk, digits, size)
               : NULL;
}

static napi_value convert_boolean(const tape_walk *walk, int64_t number)
{
    napi_value value = NULL;
    if ((walk->mode & TENDON__NODE_MODE_NESTED) == 0)
        return convert_integer(walk, number);
    return napi_get_boolean(walk->state->napi, number != 0, &value) == napi_ok ? value : NULL;
}

static napi_value convert_nested_error(const tape_walk *walk, const tendon_node *node)
{
    napi_env env = walk->state->napi;
    napi_value make = NULL;
    napi_value receiver = NULL;
    napi_value error = NULL;
    napi_value text = tendon__node_value_of_text(env, walk->data + node->value.offset, node->size);
    if (text != NULL && napi_get_reference_value(env, walk->state->reply_error, &make) == napi_ok &&
        napi_get_undefined(env, &receiver) == napi_ok)
        (void)napi_call_function(env, receiver, make, 1, &text, &error);
    return error;
}

/* Keeps one child alive past its own scope by storing it in the array before the scope closes. */
static bool store_child(const tape_walk *walk, napi_value array, uint32_t position, uint64_t index)
{
    napi_value child = convert(walk, index);
    return child != NULL && napi_set_element(walk->state->napi, array, position, child) == napi_ok;
}

/* The index of the node after the one at `index` and all that is in it. */
static uint64_t next_index(const tape_walk *walk, uint64_t index)
{
    const tendon_node *node = &walk->nodes[index];
    bool has_children = node->type >= TENDON_NODE_MAP || node->type == TENDON_NODE_ARRAY;
    return index + (has_children ? node->value.span : 1);
}

/* Defined, not assigned: a field named __proto__ is a field. */
static bool define_field(const tape_walk *walk, napi_value object, uint64_t index)
{
    napi_env env = walk->state->napi;
    tape_walk as_text = *walk;
    as_text.mode &= ~TENDON__NODE_MODE_BUFFER;
    napi_value name = convert(&as_text, index);
    napi_property_descriptor field = {.attributes = napi_default_jsproperty};
    field.value = convert(walk, next_index(walk, index));
    return name != NULL && field.value != NULL &&
           napi_coerce_to_string(env, name, &field.name) == napi_ok &&
           napi_define_properties(env, object, 1, &field) == napi_ok;
}

static napi_value convert_map(const tape_walk *walk, uint64_t index)
{
    napi_env env = walk->state->napi;
    napi_value object = NULL;
    if (napi_create_object(env, &object) != napi_ok)
        return NULL;
    uint64_t name = index + 1;
    for (uint32_t i = 0; i + 1 < walk->nodes[index].size; i += 2) {
        napi_handle_scope scope = NULL;
        if (napi_open_handle_scope(env, &scope) != napi_ok)
            return NULL;
        bool defined = define_field(walk, object, name);
        (void)napi_close_handle_scope(env, scope);
        if (!defined)
            return NULL;
        name = next_index(walk, next_index(walk, name));
    }
    return object;
}

/* Depth is bounded by option max_reply_depth (at most 1024), so the recursion is too. */
static napi_value convert_children(const tape_walk *walk, uint64_t index)
{
    napi_env env = walk->state->napi;
    const tendon_node *parent = &walk->nodes[index];
    napi_value array = NULL;
    if (napi_create_array_with_length(env, parent->size, &array) != napi_ok)
        return NULL;
    bool scoped = parent->size >= SCOPED_CHILDREN_MIN;
    uint64_t child = index + 1;
    for (uint32_t i = 0; i < parent->size; i++) {
        napi_handle_scope scope = NULL;
        if (scoped && napi_open_handle_scope(env, &scope) != napi_ok)
            return NULL;
        bool stored = store_child(walk, array, i, child);
        if (scoped)
            (void)napi_close_handle_scope(env, scope);
        if (!stored)
            return NULL;
        child = next_index(walk, child);
    }
    return array;
}

static napi_value convert(const tape_walk *walk, uint64_t index)
{
    const tendon_node *node = &walk->nodes[index];
    napi_value value = NULL;
    switch (node->type) {
    case TENDON_NODE_STATUS:
    case TENDON_NODE_STRING:
    case TENDON_NODE_VERBATIM:
    case TENDON_NODE_BIG_NUMBER:
        return convert_bytes(walk, node);
    case TENDON_NODE_BOOLEAN:
        return convert_boolean(walk, node->value.integer);
    case TENDON_NODE_INTEGER:
        return convert_integer(walk, node->value.integer);
    case TENDON_NODE_DOUBLE:
        return convert_double(walk, node->value.number);
    case TENDON_NODE_ERROR:
        return convert_nested_error(walk, node);
    case TENDON_NODE_MAP:
        return (walk->mode & TENDON__NODE_MODE_NESTED) != 0 ? convert_map(walk, index)
                                                            : convert_children(walk, index);
    case TENDON_NODE_ARRAY:
    case TENDON_NODE_SET:
    case TENDON_NODE_PUSH:
        return convert_children(walk, index);
    default:
        (void)napi_get_null(walk->state->napi, &value);
        return value;
    }
}

napi_value tendon__node_value_of_message(tendon__node_env *state,
                                         const tendon_completion *completion)
{
    tape_walk walk = {
        .state = state,
        .nodes = completion->nodes,
        .data = completion->data,
        .mode = TENDON__NODE_MODE_EITHER,
    };
    return convert(&walk, 0);
}

napi_value tendon__node_value_of_completion(tendon__node_env *state,
                                            const tendon_completion *completion, uint8_t *out_kind)
{
    napi_env env = state->napi;
    if (completion->kind == TENDON_COMPLETION_ERROR) {
        *out_kind = TENDON__NODE_KIND_FAILURE;
        return tendon__node_failure_of_error(env, completion->error);
    }
    tape_walk walk = {
        .state = state,
        .nodes = completion->nodes,
        .data = completion->data,
        .mode = (unsigned)(completion->tag >> TENDON__NODE_TAG_MODE_SHIFT) & 0xffu,
    };
    const tendon_node *root = &completion->nodes[0];
    if (root->type == TENDON_NODE_ERROR) {
        *out_kind = TENDON__NODE_KIND_SERVER_ERROR;
        return tendon__node_value_of_text(env, walk.data + root->value.offset, root->size);
    }
    napi_value value = NULL;
    if (root->type == TENDON_NODE_STRING && (walk.mode & TENDON__NODE_MODE_BUFFER) != 0 &&
        root->size <= TENDON__NODE_BYTES_MAX) {
        *out_kind = TENDON__NODE_KIND_BYTES;
        const char *bytes = root->size > 0 ? (const char *)walk.data + root->value.offset : "";
        (void)napi_create_string_latin1(env, bytes, root->size, &value);
        return value;
    }
    *out_kind = TENDON__NODE_KIND_VALUE;
    value = convert(&walk, 0);
    if (value != NULL)
        return value;
    /* V8 refuses strings above 512 MiB and Buffers above 4 GiB: the reply was read, but fits no
     * value. */
    bool pending = false;
    napi_value thrown = NULL;
    if (napi_is_exception_pending(env, &pending) == napi_ok && pending)
        (void)napi_get_and_clear_last_exception(env, &thrown);
    *out_kind = TENDON__NODE_KIND_FAILURE;
    return tendon__node_failure_of_status(env, TENDON_ERROR_LIMIT, TENDON_EXECUTED_YES);
}
