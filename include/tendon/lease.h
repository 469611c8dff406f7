/**
 * Leases: one connection of the pool, for one borrower, until it is given back.
 *
 * For commands that leave state on a connection (WATCH, MULTI over several calls, SELECT) and
 * for interfaces that promise a connection per borrower. Pass the lease in
 * `tendon_request.lease` to tendon_call, tendon_call_batch or tendon_submit. Commands on a lease
 * are never redirected to another node; after a lost connection each call fails with
 * TENDON_ERROR_DISCONNECTED until the lease is closed. A lease is used by one thread at a time.
 * Commands that are answered by a stream (SUBSCRIBE, MONITOR) are TENDON_ERROR_UNSUPPORTED here;
 * they have <tendon/subscription.h>.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TENDON_LEASE_H
#define TENDON_LEASE_H

#include <tendon/error.h>
#include <tendon/types.h>

/** Which connection to lease. NULL or a zeroed struct with `struct_size` set means: any primary,
 * default wait. */
typedef struct tendon_lease_options {
    uint32_t struct_size; /* sizeof(tendon_lease_options) */
    uint32_t
        route; /* TENDON_ROUTE_AUTO: the node of `key` if given, else any primary; _SLOT; _NODE */
    tendon_bytes key;
    tendon_bytes node;
    uint32_t slot;
    uint32_t reserved;
    int64_t
        timeout_ms; /* 0: option pool_wait_ms, and connect_timeout_ms for dialling; > 0: in all */
} tendon_lease_options;

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Borrows a connection: an idle one (tested first with option pool_test_on_borrow), a new one while
 * the pool is below pool_max, or the next one given back, in order of arrival. Returns TENDON_OK
 * with `*out_lease`; TENDON_ERROR_POOL_TIMEOUT after waiting, TENDON_ERROR_POOL_EXHAUSTED with
 * pool_wait_ms=0, the errors of connecting, TENDON_ERROR_CLOSED, TENDON_ERROR_FORKED. Blocks. Since
 * 0.1.
 */
TENDON_API TENDON_MUST_USE tendon_status tendon_lease_open(tendon_client *client,
                                                           const tendon_lease_options *options,
                                                           tendon_lease **out_lease,
                                                           tendon_error **out_error);

/**
 * As tendon_lease_open without waiting: the completion with `tag` comes to `queue`, and
 * `*out_lease` may be used for requests at once; they wait with it. `*out_id` is for tendon_cancel.
 * After an error completion the lease must still be closed. Never blocks. Since 0.1.
 */
TENDON_API TENDON_MUST_USE tendon_status tendon_lease_submit(tendon_client *client,
                                                             tendon_queue *queue,
                                                             const tendon_lease_options *options,
                                                             uint64_t tag, tendon_lease **out_lease,
                                                             uint64_t *out_id);

/**
 * Gives the connection back and frees the lease. State the borrower left (MULTI, WATCH, SELECT,
 * subscriptions, unread replies) is reset in the background before anybody else gets the
 * connection, or the connection is closed. Requests still under way complete with
 * TENDON_ERROR_CANCELLED. NULL is accepted. Never blocks; allowed after tendon_client_close
 * and after tendon_client_destroy, not while that runs. Since 0.1.
 */
TENDON_API void tendon_lease_close(tendon_lease *lease);

/** As tendon_lease_close, but the connection is closed instead of pooled. Since 0.1. */
TENDON_API void tendon_lease_discard(tendon_lease *lease);

#ifdef __cplusplus
}
#endif

#endif
