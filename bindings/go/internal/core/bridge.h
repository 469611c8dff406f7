/*
 * The C side of the cgo crossing: each function builds one public request struct on the C stack out
 * of flat Go memory, so that no Go pointer is ever stored in C and no Go struct with pointers is
 * ever passed.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TENDON_GO_BRIDGE_H
#define TENDON_GO_BRIDGE_H

#include <stdint.h>
#include <stdlib.h>

#include <tendon/tendon.h>

/* Requests up to this many are laid out on the stack; a longer submission takes one allocation. */
#define TENDON_GO_STACK_REQUESTS 32

/* What all requests of one submission share, as plain numbers. Mirrored by core.target in Go. */
typedef struct tendon_go_target {
    uint64_t tag;       /* of the first request; the next ones count up */
    int64_t timeout_ms; /* as in tendon_request */
    uint32_t route;     /* TENDON_ROUTE_* */
    uint32_t reserved;
} tendon_go_target;

static inline void tendon_go_fill(tendon_request *request, const tendon_go_target *target,
                                  tendon_lease *lease, const uint8_t *node, size_t node_size)
{
    *request = (tendon_request){.struct_size = sizeof *request,
                                .route = target->route,
                                .tag = target->tag,
                                .timeout_ms = target->timeout_ms,
                                .lease = lease,
                                .node = {node, node_size}};
}

/* One command: the crossing nearly every call of a program takes. */
static inline int32_t tendon_go_submit_one(tendon_client *client, tendon_queue *queue,
                                           tendon_lease *lease, const uint8_t *packed,
                                           const uint32_t *sizes, uint32_t arg_count,
                                           uint32_t flags, const tendon_go_target *target,
                                           const uint8_t *node, size_t node_size, uint64_t *out_id)
{
    tendon_request request;
    tendon_go_fill(&request, target, lease, node, node_size);
    request.flags = flags;
    request.packed = packed;
    request.packed_sizes = sizes;
    request.arg_count = arg_count;
    return tendon_submit(client, queue, &request, sizeof request, 1, out_id);
}

/*
 * One command with a value too large to copy into the packed bytes: argument `large_index` is read
 * from `large`, all others from `packed`. TENDON_ERROR_NO_MEMORY when the argument list does not
 * fit in memory.
 */
static inline int32_t tendon_go_submit_large(tendon_client *client, tendon_queue *queue,
                                             tendon_lease *lease, const uint8_t *packed,
                                             const uint32_t *sizes, uint32_t arg_count,
                                             uint32_t flags, const tendon_go_target *target,
                                             const uint8_t *node, size_t node_size,
                                             const uint8_t *large, size_t large_size,
                                             uint32_t large_index, uint64_t *out_id)
{
    tendon_bytes *args = malloc(arg_count * sizeof *args);
    if (args == NULL)
        return TENDON_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < arg_count; i++) {
        args[i] =
            i == large_index ? (tendon_bytes){large, large_size} : (tendon_bytes){packed, sizes[i]};
        if (i != large_index)
            packed += sizes[i];
    }
    tendon_request request;
    tendon_go_fill(&request, target, lease, node, node_size);
    request.flags = flags;
    request.args = args;
    request.arg_count = arg_count;
    int32_t status = tendon_submit(client, queue, &request, sizeof request, 1, out_id);
    free(args);
    return status;
}

/* Several commands at once: `arg_counts` and `flags` have one entry per command, `out_ids` one id.
 */
static inline int32_t tendon_go_submit_many(tendon_client *client, tendon_queue *queue,
                                            tendon_lease *lease, const uint8_t *packed,
                                            const uint32_t *sizes, const uint32_t *arg_counts,
                                            const uint32_t *flags, uint32_t count,
                                            const tendon_go_target *target, const uint8_t *node,
                                            size_t node_size, uint64_t *out_ids)
{
    tendon_request on_stack[TENDON_GO_STACK_REQUESTS];
    tendon_request *requests = on_stack;
    if (count > TENDON_GO_STACK_REQUESTS)
        requests = malloc(count * sizeof *requests);
    if (requests == NULL)
        return TENDON_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < count; i++) {
        tendon_go_fill(&requests[i], target, lease, node, node_size);
        requests[i].tag += i;
        requests[i].flags = flags[i];
        requests[i].packed = packed;
        requests[i].packed_sizes = sizes;
        requests[i].arg_count = arg_counts[i];
        for (uint32_t k = 0; k < arg_counts[i]; k++)
            packed += sizes[k];
        sizes += arg_counts[i];
    }
    int32_t status = tendon_submit(client, queue, requests, sizeof *requests, count, out_ids);
    if (requests != on_stack)
        free(requests);
    return status;
}

/*
 * One turn of the reader: frees what the last `done` completions still own, then takes new ones
 * without waiting. An entry whose reply Go keeps for later has been set to NULL by Go.
 */
static inline size_t tendon_go_turn(tendon_queue *queue, tendon_completion *completions,
                                    size_t done, size_t max)
{
    for (size_t i = 0; i < done; i++) {
        tendon_reply_destroy(completions[i].reply);
        tendon_error_destroy(completions[i].error);
    }
    return tendon_queue_poll(queue, completions, sizeof *completions, max, 0);
}

/* A lease on the node of `key`, or on any primary when `key` is empty. */
static inline int32_t tendon_go_lease(tendon_client *client, tendon_queue *queue,
                                      const uint8_t *key, size_t key_size, const uint8_t *node,
                                      size_t node_size, int64_t timeout_ms, uint64_t tag,
                                      tendon_lease **out_lease, uint64_t *out_id)
{
    tendon_lease_options options = {.struct_size = sizeof options,
                                    .route = node_size > 0 ? TENDON_ROUTE_NODE : TENDON_ROUTE_AUTO,
                                    .key = {key, key_size},
                                    .node = {node, node_size},
                                    .timeout_ms = timeout_ms};
    return tendon_lease_submit(client, queue, &options, tag, out_lease, out_id);
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
