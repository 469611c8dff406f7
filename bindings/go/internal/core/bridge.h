/*
 * The C side of the cgo crossing: each function builds one public request struct on the C stack out
 * of flat Go memory, so that no Go pointer is ever stored in C and no Go struct with pointers is
 * ever passed.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TENDON_GO_BRIDGE_H
#define TENDON_GO_BRIDGE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include <tendon/tendon.h>

/* Requests up to this many are laid out on the stack; a longer submission takes one allocation. */
#define TENDON_GO_STACK_REQUESTS 128

/* This many completions are taken per crossing: enough to make its cost vanish, few enough to keep
 * the array in the first-level cache. */
#define TENDON_GO_TURN 256

/*
 * A client, its queue, and where its completions are put: in C memory, which cgo need not search
 * for Go pointers. Any thread may submit; who holds the client's token turns and flushes; one at a
 * time takes completions.
 */
typedef struct tendon_go_host {
    tendon_client *client;
    tendon_queue *queue;
    int fd;        /* readable when the client has something to do */
    bool open;     /* what the last turn was for is still there: the client, or the loan */
    bool more;     /* and it may have left something over */
    int lent_fd;   /* a socket that was lent in the last turn, or -1 */
    uint64_t loan; /* and its name */
    size_t count;  /* completions handed out and not ended yet */
    tendon_completion completions[TENDON_GO_TURN];
} tendon_go_host;

/* What all requests of one submission share, as plain numbers. */
typedef struct tendon_go_target {
    uint64_t tag;       /* of the first request; the next ones count up */
    int64_t timeout_ms; /* as in tendon_request */
    uint64_t lease;     /* a tendon_lease, or 0 */
    uint32_t route;     /* TENDON_ROUTE_* */
    uint32_t flush;     /* not 0: write at once; else somebody calls tendon_go_flush later */
} tendon_go_target;

/* What each request has of its own. */
typedef struct tendon_go_shape {
    uint32_t arg_count;
    uint32_t flags; /* TENDON_REQUEST_* */
} tendon_go_shape;

static inline tendon_go_host *tendon_go_host_of(uintptr_t handle)
{
    return (tendon_go_host *)handle; /* see handleOf */
}

/* Makes the host of a client, which it owns from now on; NULL when memory or descriptors ran out.
 */
static inline tendon_go_host *tendon_go_host_create(tendon_client *client)
{
    tendon_go_host *host = calloc(1, sizeof *host);
    if (host == NULL || tendon_queue_create(&host->queue) != TENDON_OK) {
        free(host);
        tendon_client_destroy(client);
        return NULL;
    }
    host->client = client;
    host->fd = tendon_client_fd(client);
    return host;
}

/* Ends what the completions handed out last still own. An entry whose reply Go keeps for later has
 * been set to NULL by Go. */
static inline void tendon_go_end_completions(tendon_go_host *host)
{
    for (size_t i = 0; i < host->count; i++) {
        tendon_reply_destroy(host->completions[i].reply);
        tendon_error_destroy(host->completions[i].error);
    }
    host->count = 0;
}

/* Nobody may be inside any call with the host. */
static inline void tendon_go_host_destroy(tendon_go_host *host)
{
    tendon_go_end_completions(host);
    tendon_client_destroy(host->client);
    tendon_queue_destroy(host->queue);
    free(host);
}

static inline int64_t tendon_go_take(tendon_go_host *host)
{
    tendon_go_end_completions(host);
    host->count = tendon_queue_poll(host->queue, host->completions, sizeof *host->completions,
                                    TENDON_GO_TURN, 0);
    return (int64_t)host->count;
}

/* Takes completions without driving the client. */
static inline int64_t tendon_go_collect(uintptr_t handle)
{
    return tendon_go_take(tendon_go_host_of(handle));
}

/*
 * One turn of who waits for the client's descriptor, `loan` 0, or for a socket that was lent: does
 * what there is to do and takes completions; how many. Go's poller tells of a change and not of
 * what was left over (more than fits a turn, a step of TLS), so who waits calls until `more` is
 * false.
 */
static inline int64_t tendon_go_turn(uintptr_t handle, uint64_t loan)
{
    tendon_go_host *host = tendon_go_host_of(handle);
    host->lent_fd = -1;
    host->open = host->more = true;
    if (host->count == TENDON_GO_TURN && tendon_go_take(host) > 0)
        return (int64_t)host->count;
    tendon_go_end_completions(host);
    int64_t next_ms = -1;
    tendon_status status = loan ? tendon_client_read(host->client, loan, &next_ms)
                                : tendon_client_process(host->client, 0, &next_ms);
    host->open = status == TENDON_OK;
    if (!loan && host->open)
        host->lent_fd = tendon_client_lend(host->client, &host->loan);
    tendon_go_take(host);
    host->more = next_ms == 0 || host->count == TENDON_GO_TURN;
    return (int64_t)host->count;
}

/* A socket that was lent cannot be waited for. */
static inline void tendon_go_take_back(uintptr_t handle, uint64_t loan)
{
    tendon_client_take_back(tendon_go_host_of(handle)->client, loan);
}

/*
 * Writes what was submitted. What completes outside of a turn, such as a request that was refused
 * or whose connection broke while it was written, makes no descriptor readable: `out_stray` gets
 * the first of it. The caller delivers it and collects the rest. It is zeroed before, has the bytes
 * of a tendon_completion and the alignment.
 */
static inline void tendon_go_flush(uintptr_t handle, uint8_t *out_stray)
{
    tendon_go_host *host = tendon_go_host_of(handle);
    tendon_client_flush(host->client);
    tendon_queue_poll(host->queue, (tendon_completion *)(void *)out_stray,
                      sizeof(tendon_completion), 1, 0);
}

static inline void tendon_go_fill(tendon_request *request, const tendon_go_target *target,
                                  const tendon_go_shape *shape, const uint8_t *node,
                                  size_t node_size)
{
    *request = (tendon_request){.struct_size = sizeof *request,
                                .flags = shape->flags,
                                .arg_count = shape->arg_count,
                                .route = target->route,
                                .tag = target->tag,
                                .timeout_ms = target->timeout_ms,
                                .lease = (tendon_lease *)(uintptr_t)target->lease,
                                .node = {node, node_size}};
}

static inline int32_t tendon_go_submit(uintptr_t handle, const tendon_go_target *target,
                                       const tendon_request *requests, size_t count,
                                       uint64_t *out_ids, uint8_t *out_stray)
{
    tendon_go_host *host = tendon_go_host_of(handle);
    int32_t status =
        tendon_submit(host->client, host->queue, requests, sizeof *requests, count, out_ids);
    if (status == TENDON_OK && target->flush)
        tendon_go_flush(handle, out_stray);
    return status;
}

/* One command: the crossing nearly every call of a program takes. */
static inline int32_t tendon_go_submit_one(uintptr_t handle, const tendon_go_target *target,
                                           const uint8_t *packed, const uint32_t *sizes,
                                           const tendon_go_shape *shape, const uint8_t *node,
                                           size_t node_size, uint64_t *out_id, uint8_t *out_stray)
{
    tendon_request request;
    tendon_go_fill(&request, target, shape, node, node_size);
    request.packed = packed;
    request.packed_sizes = sizes;
    return tendon_go_submit(handle, target, &request, 1, out_id, out_stray);
}

/*
 * One command with a value too large to copy into the packed bytes: argument `large_index` is read
 * from `large`, all others from `packed`. TENDON_ERROR_NO_MEMORY when the argument list does not
 * fit in memory.
 */
static inline int32_t tendon_go_submit_large(uintptr_t handle, const tendon_go_target *target,
                                             const uint8_t *packed, const uint32_t *sizes,
                                             const tendon_go_shape *shape, const uint8_t *node,
                                             size_t node_size, const uint8_t *large,
                                             size_t large_size, uint32_t large_index,
                                             uint64_t *out_id, uint8_t *out_stray)
{
    tendon_bytes *args = malloc(shape->arg_count * sizeof *args);
    if (args == NULL)
        return TENDON_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < shape->arg_count; i++) {
        args[i] =
            i == large_index ? (tendon_bytes){large, large_size} : (tendon_bytes){packed, sizes[i]};
        if (i != large_index)
            packed += sizes[i];
    }
    tendon_request request;
    tendon_go_fill(&request, target, shape, node, node_size);
    request.args = args;
    int32_t status = tendon_go_submit(handle, target, &request, 1, out_id, out_stray);
    free(args);
    return status;
}

/* Several commands at once: one shape and one id each. */
static inline int32_t tendon_go_submit_many(uintptr_t handle, const tendon_go_target *target,
                                            const uint8_t *packed, const uint32_t *sizes,
                                            const tendon_go_shape *shapes, uint32_t count,
                                            const uint8_t *node, size_t node_size,
                                            uint64_t *out_ids, uint8_t *out_stray)
{
    tendon_request on_stack[TENDON_GO_STACK_REQUESTS];
    tendon_request *requests = on_stack;
    if (count > TENDON_GO_STACK_REQUESTS)
        requests = malloc(count * sizeof *requests);
    if (requests == NULL)
        return TENDON_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < count; i++) {
        tendon_go_fill(&requests[i], target, &shapes[i], node, node_size);
        requests[i].tag += i;
        requests[i].packed = packed;
        requests[i].packed_sizes = sizes;
        for (uint32_t k = 0; k < shapes[i].arg_count; k++)
            packed += sizes[k];
        sizes += shapes[i].arg_count;
    }
    int32_t status = tendon_go_submit(handle, target, requests, count, out_ids, out_stray);
    if (requests != on_stack)
        free(requests);
    return status;
}

/* One request that goes with those of other goroutines. */
typedef struct tendon_go_head {
    int64_t timeout_ms;
    tendon_go_shape shape;
    int32_t status; /* out: not TENDON_OK when this one was not taken */
} tendon_go_head;

/* They are taken together, or else one by one, so that one that cannot be taken costs no other. */
static inline void tendon_go_submit_each(tendon_go_host *host, const tendon_request *requests,
                                         tendon_go_head *heads, size_t count, uint64_t *out_ids)
{
    if (tendon_submit(host->client, host->queue, requests, sizeof *requests, count, out_ids) ==
        TENDON_OK)
        return;
    for (size_t i = 0; i < count; i++) {
        if (out_ids)
            out_ids[i] = 0;
        heads[i].status = tendon_submit(host->client, host->queue, &requests[i], sizeof *requests,
                                        1, out_ids ? &out_ids[i] : NULL);
    }
}

/* Small requests of many callers, in portions that fit the stack, and writes them. Their tags count
 * up from `tag`. */
static inline void tendon_go_submit_gathered(uintptr_t handle, uint64_t tag, const uint8_t *packed,
                                             const uint32_t *sizes, tendon_go_head *heads,
                                             uint32_t count, uint64_t *out_ids, uint8_t *out_stray)
{
    static const tendon_go_target anywhere = {.route = TENDON_ROUTE_AUTO};
    tendon_request requests[TENDON_GO_STACK_REQUESTS];
    for (uint32_t done = 0, filled = 0; done < count; done += filled) {
        for (filled = 0; filled < TENDON_GO_STACK_REQUESTS && done + filled < count; filled++) {
            const tendon_go_head *head = &heads[done + filled];
            tendon_request *request = &requests[filled];
            tendon_go_fill(request, &anywhere, &head->shape, NULL, 0);
            request->tag = tag++;
            request->timeout_ms = head->timeout_ms;
            request->packed = packed;
            request->packed_sizes = sizes;
            for (uint32_t k = 0; k < head->shape.arg_count; k++)
                packed += sizes[k];
            sizes += head->shape.arg_count;
        }
        tendon_go_submit_each(tendon_go_host_of(handle), requests, heads + done, filled,
                              out_ids ? out_ids + done : NULL);
    }
    tendon_go_flush(handle, out_stray);
}

/* Cancels requests. Their completions are in the queue when it returns. */
static inline void tendon_go_cancel(uintptr_t handle, const uint64_t *ids, size_t count)
{
    for (size_t i = 0; i < count; i++)
        tendon_cancel(tendon_go_host_of(handle)->client, ids[i]);
}

/* A lease on the node of `key`, or on any primary when `key` is empty. */
static inline int32_t tendon_go_lease(tendon_go_host *host, const uint8_t *key, size_t key_size,
                                      const uint8_t *node, size_t node_size, int64_t timeout_ms,
                                      uint64_t tag, tendon_lease **out_lease, uint64_t *out_id)
{
    tendon_lease_options options = {.struct_size = sizeof options,
                                    .route = node_size > 0 ? TENDON_ROUTE_NODE : TENDON_ROUTE_AUTO,
                                    .key = {key, key_size},
                                    .node = {node, node_size},
                                    .timeout_ms = timeout_ms};
    return tendon_lease_submit(host->client, host->queue, &options, tag, out_lease, out_id);
}

/* This many messages of a subscription are taken per crossing. */
#define TENDON_GO_STREAM_TURN 64

/* A subscription with a queue of its own, whose descriptor is watched by Go. One thread at a time
 * takes; any may submit. */
typedef struct tendon_go_stream {
    tendon_subscription *subscription;
    tendon_queue *queue;
    int fd;
    size_t count; /* completions handed out and not ended yet */
    tendon_completion completions[TENDON_GO_STREAM_TURN];
} tendon_go_stream;

static inline void tendon_go_stream_end(tendon_go_stream *stream)
{
    for (size_t i = 0; i < stream->count; i++) {
        tendon_reply_destroy(stream->completions[i].reply);
        tendon_error_destroy(stream->completions[i].error);
    }
    stream->count = 0;
}

/* Nobody may be inside any call with the stream. */
static inline void tendon_go_stream_close(tendon_go_stream *stream)
{
    tendon_subscription_close(stream->subscription);
    tendon_go_stream_end(stream);
    tendon_queue_destroy(stream->queue);
    free(stream);
}

/* A subscription that goes to `node`, or where its first name belongs when that is empty. */
static inline int32_t tendon_go_stream_open(tendon_go_host *host, const uint8_t *node,
                                            size_t node_size, tendon_go_stream **out_stream)
{
    tendon_subscription_options options = {.struct_size = sizeof options,
                                           .route = node_size > 0 ? TENDON_ROUTE_NODE
                                                                  : TENDON_ROUTE_AUTO,
                                           .node = {node, node_size}};
    tendon_go_stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL)
        return TENDON_ERROR_NO_MEMORY;
    int32_t status = tendon_queue_create(&stream->queue);
    if (status == TENDON_OK)
        status = tendon_subscription_open(host->client, stream->queue, &options, 0,
                                          &stream->subscription);
    stream->fd = status == TENDON_OK ? tendon_queue_fd(stream->queue) : -1;
    if (status == TENDON_OK && stream->fd < 0)
        status = TENDON_ERROR_SYSTEM;
    if (status == TENDON_OK)
        *out_stream = stream;
    else
        tendon_go_stream_close(stream);
    return status;
}

static inline int64_t tendon_go_stream_take(tendon_go_stream *stream)
{
    tendon_go_stream_end(stream);
    stream->count = tendon_queue_poll(stream->queue, stream->completions,
                                      sizeof *stream->completions, TENDON_GO_STREAM_TURN, 0);
    return (int64_t)stream->count;
}

static inline int32_t tendon_go_stream_submit(tendon_go_stream *stream, const uint8_t *packed,
                                              const uint32_t *sizes, uint32_t count,
                                              int64_t timeout_ms, uint64_t tag)
{
    tendon_request request = {.struct_size = sizeof request,
                              .packed = packed,
                              .packed_sizes = sizes,
                              .arg_count = count,
                              .tag = tag,
                              .timeout_ms = timeout_ms};
    return tendon_subscription_submit(stream->subscription, &request, NULL);
}

/* Sets one option from memory that need not end with a NUL byte. */
static inline int32_t tendon_go_set(tendon_config *config, const char *name, const uint8_t *value,
                                    size_t size, tendon_error **out_error)
{
    return tendon_config_set_bytes(config, name, (tendon_bytes){value, size}, out_error);
}

/* The cluster slot of a key. */
static inline uint32_t tendon_go_slot(const uint8_t *key, size_t size)
{
    return tendon_key_slot((tendon_bytes){key, size});
}

#endif
