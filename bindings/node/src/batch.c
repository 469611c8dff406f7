/*
 * Commands on their way to the core: JavaScript arguments are written into one block per client,
 * and one tendon_submit sends what one tick of JavaScript asked for. It never waits and never looks
 * inside a command.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "addon.h"

#include <stdlib.h>
#include <string.h>

/* Blocks above this are given back after a flush, so that one large value does not stay for ever.
 */
#define KEEP_BYTES_MAX (1u << 20)
/* Commands from here on are flushed at once: the block would only be copied around. */
#define FLUSH_BYTES_MIN (1u << 20)
#define FIRST_BYTES     4096
#define FIRST_ITEMS     64

/* `meta` of a push: the reply's mode in bits 0-7, TENDON_REQUEST_* from bit 8. */
#define META_MODE_MASK   0xffu
#define META_FLAGS_SHIFT 8

static bool reserve(void **block, size_t *size, size_t needed, size_t item_bytes, size_t first)
{
    if (needed <= *size)
        return true;
    size_t grown = *size == 0 ? first : *size;
    while (grown < needed)
        grown *= 2;
    void *moved = realloc(*block, grown * item_bytes);
    if (moved == NULL)
        return false;
    *block = moved;
    *size = grown;
    return true;
}

static bool reserve_bytes(tendon__node_batch *batch, size_t more)
{
    void *block = batch->bytes;
    bool done = reserve(&block, &batch->bytes_size, batch->bytes_used + more, 1, FIRST_BYTES);
    batch->bytes = block;
    return done;
}

static bool append_size(tendon__node_batch *batch, size_t size)
{
    void *block = batch->sizes;
    bool done = size <= UINT32_MAX && reserve(&block, &batch->sizes_size, batch->sizes_used + 1,
                                              sizeof batch->sizes[0], FIRST_ITEMS);
    batch->sizes = block;
    if (done)
        batch->sizes[batch->sizes_used++] = (uint32_t)size;
    return done;
}

static bool append_string(napi_env env, tendon__node_batch *batch, napi_value value)
{
    /* Most strings fit the room that is left, so the length is asked for only when they did not. */
    size_t room = batch->bytes_size - batch->bytes_used;
    size_t written = 0;
    if (room > 4) {
        char *target = (char *)batch->bytes + batch->bytes_used;
        if (napi_get_value_string_utf8(env, value, target, room, &written) != napi_ok)
            return false;
        /* Four bytes short of the end nothing can have been cut, not even within a character. */
        if (written + 4 < room) {
            batch->bytes_used += written;
            return append_size(batch, written);
        }
    }
    if (napi_get_value_string_utf8(env, value, NULL, 0, &written) != napi_ok ||
        !reserve_bytes(batch, written + 1))
        return false;
    if (napi_get_value_string_utf8(env, value, (char *)batch->bytes + batch->bytes_used,
                                   written + 1, &written) != napi_ok)
        return false;
    batch->bytes_used += written;
    return append_size(batch, written);
}

static bool append_buffer(napi_env env, tendon__node_batch *batch, napi_value value)
{
    void *data = NULL;
    size_t size = 0;
    bool is_buffer = false;
    /* napi_get_buffer_info aborts the process on anything else. */
    if (napi_is_buffer(env, value, &is_buffer) != napi_ok || !is_buffer)
        return false;
    if (napi_get_buffer_info(env, value, &data, &size) != napi_ok || !reserve_bytes(batch, size))
        return false;
    if (size > 0)
        memcpy(batch->bytes + batch->bytes_used, data, size);
    batch->bytes_used += size;
    return append_size(batch, size);
}

static bool append_argument(napi_env env, tendon__node_batch *batch, napi_value value)
{
    napi_valuetype type = napi_undefined;
    return napi_typeof(env, value, &type) == napi_ok && type == napi_string
               ? append_string(env, batch, value)
               : append_buffer(env, batch, value);
}

static bool append_request(tendon__node_client *client, tendon_lease *lease, uint32_t slot,
                           uint32_t meta, size_t bytes_at, size_t sizes_at)
{
    tendon__node_batch *batch = &client->batch;
    void *block = batch->requests;
    bool done = reserve(&block, &batch->requests_size, batch->requests_used + 1,
                        sizeof batch->requests[0], FIRST_ITEMS);
    batch->requests = block;
    if (!done)
        return false;
    batch->requests[batch->requests_used++] = (tendon_request){
        .struct_size = sizeof(tendon_request),
        .flags = meta >> META_FLAGS_SHIFT,
        .packed = (const void *)(uintptr_t)bytes_at,
        .packed_sizes = (const uint32_t *)(uintptr_t)sizes_at,
        .arg_count = (uint32_t)(batch->sizes_used - sizes_at),
        .tag = slot | (uint64_t)(meta & META_MODE_MASK) << TENDON__NODE_TAG_MODE_SHIFT,
        .timeout_ms = client->timeout_ms,
        .lease = lease,
    };
    batch->cancellable |= (meta & TENDON__NODE_MODE_CANCELLABLE) != 0;
    return true;
}

static void mark_dirty(tendon__node_client *client)
{
    if (client->dirty)
        return;
    client->dirty = true;
    client->next_dirty = client->env->dirty;
    client->env->dirty = client;
}

/* The offsets become pointers only now, when the blocks no longer move. */
static void resolve_pointers(tendon__node_batch *batch)
{
    for (size_t i = 0; i < batch->requests_used; i++) {
        tendon_request *request = &batch->requests[i];
        request->packed = batch->bytes + (uintptr_t)request->packed;
        request->packed_sizes = batch->sizes + (uintptr_t)request->packed_sizes;
    }
}

/* Refusals wait for the loop: a push may be inside JavaScript that expects no callback. */
static void refuse(tendon__node_client *client, const tendon_request *requests, size_t count,
                   tendon_status status)
{
    tendon__node_env *state = client->env;
    void *block = state->refused;
    bool done = reserve(&block, &state->refused_size, state->refused_used + count,
                        sizeof state->refused[0], FIRST_ITEMS);
    state->refused = block;
    if (!done)
        return;
    for (size_t i = 0; i < count; i++)
        state->refused[state->refused_used++] =
            (tendon__node_refusal){.slot = (uint32_t)requests[i].tag, .status = status};
}

/* Room for the id of each request, or NULL when none of them may be cancelled. */
static uint64_t *room_for_ids(tendon__node_batch *batch)
{
    return batch->cancellable ? calloc(batch->requests_used, sizeof(uint64_t)) : NULL;
}

/* A request without an id cannot be cancelled, and must not be taken for the one before it. */
static void keep_ids(tendon__node_env *state, const tendon_request *requests, size_t count,
                     const uint64_t *ids)
{
    const uint64_t cancellable = (uint64_t)TENDON__NODE_MODE_CANCELLABLE
                                 << TENDON__NODE_TAG_MODE_SHIFT;
    for (size_t i = 0; i < count; i++) {
        uint32_t slot = (uint32_t)requests[i].tag;
        if ((requests[i].tag & cancellable) == 0)
            continue;
        void *block = state->ids;
        bool done =
            reserve(&block, &state->ids_size, (size_t)slot + 1, sizeof(uint64_t), FIRST_ITEMS);
        state->ids = block;
        if (done)
            state->ids[slot] = ids != NULL ? ids[i] : 0;
    }
}

/* How many requests from `start` belong together: a whole atomic group, else one. */
static size_t group_size(const tendon_request *requests, size_t start, size_t count)
{
    size_t size = 0;
    while (start + size < count && (requests[start + size].flags & TENDON_REQUEST_ATOMIC) != 0) {
        size++;
        if ((requests[start + size - 1].flags & TENDON_REQUEST_ATOMIC_END) != 0)
            break;
    }
    return size > 0 ? size : 1;
}

/* A refused batch accepted nothing, perhaps for one of many: each gets its own chance and its own
 * cause. */
static void submit_one_by_one(tendon__node_client *client, const tendon_request *requests,
                              size_t count, uint64_t *ids)
{
    for (size_t i = 0; i < count;) {
        size_t size = group_size(requests, i, count);
        tendon_status status = tendon_submit(client->core, client->env->queue, requests + i,
                                             sizeof requests[0], size, ids ? ids + i : NULL);
        if (status == TENDON_OK)
            client->env->pace.in_flight += size;
        else
            refuse(client, requests + i, size, status);
        i += size;
    }
}

void tendon__node_batch_deinit(tendon__node_batch *batch)
{
    free(batch->bytes);
    free(batch->sizes);
    free(batch->requests);
    *batch = (tendon__node_batch){0};
}

void tendon__node_batch_flush(tendon__node_client *client)
{
    tendon__node_batch *batch = &client->batch;
    if (batch->requests_used == 0)
        return;
    resolve_pointers(batch);
    uint64_t *ids = room_for_ids(batch);
    tendon_status status = tendon_submit(client->core, client->env->queue, batch->requests,
                                         sizeof batch->requests[0], batch->requests_used, ids);
    if (status == TENDON_OK)
        client->env->pace.in_flight += batch->requests_used;
    else
        submit_one_by_one(client, batch->requests, batch->requests_used, ids);
    if (batch->cancellable)
        keep_ids(client->env, batch->requests, batch->requests_used, ids);
    free(ids);
    (void)tendon_client_flush(client->core);
    batch->bytes_used = batch->sizes_used = batch->requests_used = 0;
    batch->cancellable = false;
    if (batch->bytes_size > KEEP_BYTES_MAX)
        tendon__node_batch_deinit(batch);
}

void tendon__node_batch_flush_all(tendon__node_env *state)
{
    while (state->dirty != NULL) {
        tendon__node_client *client = state->dirty;
        state->dirty = client->next_dirty;
        client->next_dirty = NULL;
        client->dirty = false;
        tendon__node_batch_flush(client);
    }
    *state->flush_is_due = 0;
}

/* flush(): what this tick asked for leaves now. Outcomes come from the loop, never from in here. */
napi_value tendon__node_flush(napi_env env, napi_callback_info info)
{
    (void)info;
    tendon__node_env *state = tendon__node_env_get(env);
    if (state != NULL && !state->ending)
        tendon__node_batch_flush_all(state);
    return NULL;
}

/* cancel(client, slot): ends the request of a slot that is still taken; its outcome comes soon. */
napi_value tendon__node_cancel(napi_env env, napi_callback_info info)
{
    tendon__node_env *state = tendon__node_env_get(env);
    napi_value args[2];
    size_t count = 2;
    uint32_t id = 0;
    uint32_t slot = 0;
    if (state == NULL || napi_get_cb_info(env, info, &count, args, NULL, NULL) != napi_ok ||
        count != 2 || napi_get_value_uint32(env, args[0], &id) != napi_ok ||
        napi_get_value_uint32(env, args[1], &slot) != napi_ok)
        return tendon__node_throw(env, "ERR_INVALID_ARG_TYPE", "cancel(client, slot)");
    tendon__node_client *client = tendon__node_client_find(state, id);
    if (client == NULL || client->core == NULL)
        return NULL;
    tendon__node_batch_flush(client);
    if (slot < state->ids_size && state->ids[slot] != 0)
        (void)tendon_cancel(client->core, state->ids[slot]);
    return NULL;
}

/* These are few, and each is answered by itself. */
static void submit_to_subscription(tendon__node_client *entry)
{
    tendon__node_batch *batch = &entry->batch;
    resolve_pointers(batch);
    tendon_status status = tendon__node_subscription_submit(entry, batch->requests);
    if (status == TENDON_OK)
        entry->env->pace.in_flight++;
    else
        refuse(entry, batch->requests, 1, status);
    batch->bytes_used = batch->sizes_used = batch->requests_used = 0;
}

/* Writes one command; a failing one leaves the batch as it was and throws. */
static napi_value push(napi_env env, tendon__node_env *state, const napi_value *ids,
                       const napi_value *args, uint32_t arg_count, napi_value array)
{
    uint32_t id = 0;
    uint32_t slot = 0;
    uint32_t meta = 0;
    if (napi_get_value_uint32(env, ids[0], &id) != napi_ok ||
        napi_get_value_uint32(env, ids[1], &slot) != napi_ok ||
        napi_get_value_uint32(env, ids[2], &meta) != napi_ok)
        return tendon__node_throw(env, "ERR_INVALID_ARG_TYPE", "push needs client, slot and meta");
    tendon__node_client *entry = tendon__node_client_find(state, id);
    tendon__node_client *client = entry != NULL && entry->lease != NULL ? entry->parent : entry;
    if (client == NULL || (client->core == NULL && client->subscription == NULL))
        return tendon__node_throw(env, "ERR_TENDON_CLOSED", "Connection is closed.");
    tendon__node_batch *batch = &client->batch;
    size_t bytes_at = batch->bytes_used;
    size_t sizes_at = batch->sizes_used;
    bool done = true;
    for (uint32_t i = 0; done && i < arg_count; i++) {
        napi_value value = array == NULL ? args[i] : NULL;
        done = (array == NULL || napi_get_element(env, array, i, &value) == napi_ok) &&
               append_argument(env, batch, value);
    }
    if (!done || !append_request(client, entry->lease, slot, meta, bytes_at, sizes_at)) {
        batch->bytes_used = bytes_at;
        batch->sizes_used = sizes_at;
        return tendon__node_throw(env, "ERR_INVALID_ARG_TYPE",
                                  "An argument is neither string nor Buffer, or memory ran out");
    }
    if (client->subscription != NULL)
        submit_to_subscription(client);
    else
        mark_dirty(client);
    bool in_group = (meta >> META_FLAGS_SHIFT & TENDON_REQUEST_ATOMIC) != 0 &&
                    (meta >> META_FLAGS_SHIFT & TENDON_REQUEST_ATOMIC_END) == 0;
    if (client->core != NULL && batch->bytes_used >= FLUSH_BYTES_MIN && !in_group)
        tendon__node_batch_flush(client);
    return NULL;
}

/* push(client, slot, meta, ...args): arguments side by side are twice as fast as an array of them.
 */
napi_value tendon__node_push(napi_env env, napi_callback_info info)
{
    napi_value args[TENDON__NODE_PUSH_MAX + 3];
    size_t count = TENDON__NODE_PUSH_MAX + 3;
    void *state = NULL;
    if (napi_get_cb_info(env, info, &count, args, NULL, &state) != napi_ok || count < 3 ||
        count > TENDON__NODE_PUSH_MAX + 3)
        return tendon__node_throw(env, "ERR_INVALID_ARG_TYPE", "push takes 3 to 16 arguments");
    return push(env, state, args, args + 3, (uint32_t)(count - 3), NULL);
}

/* pushArray(client, slot, meta, args): for commands of any length. */
napi_value tendon__node_push_array(napi_env env, napi_callback_info info)
{
    napi_value args[4];
    size_t count = 4;
    uint32_t length = 0;
    void *state = NULL;
    if (napi_get_cb_info(env, info, &count, args, NULL, &state) != napi_ok || count != 4 ||
        napi_get_array_length(env, args[3], &length) != napi_ok)
        return tendon__node_throw(env, "ERR_INVALID_ARG_TYPE", "pushArray takes an array");
    return push(env, state, args, NULL, length, args[3]);
}
