/**
 * The client: one connection core for a server, a primary with replicas, or a cluster.
 *
 * A client never connects while it is created. It opens connections when the first command needs
 * one, or as option pool_min_idle asks. All functions may be called from any thread at once, except
 * destroy.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TENDON_CLIENT_H
#define TENDON_CLIENT_H

#include <tendon/config.h>
#include <tendon/error.h>
#include <tendon/queue.h>
#include <tendon/reply.h>
#include <tendon/request.h>
#include <tendon/types.h>

/** One outcome of tendon_call_batch: exactly one of `reply` and `error` is set, and belongs to the
 * caller. */
typedef struct tendon_outcome {
    tendon_reply *reply;
    tendon_error *error;
} tendon_outcome;

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Makes a client from a copy of `config`. Checks everything that can be checked without the
 * network: options that exclude each other, certificate files that cannot be read or parsed.
 * Returns TENDON_OK, TENDON_ERROR_CONFIG, TENDON_ERROR_TLS_CONFIG, TENDON_ERROR_UNSUPPORTED (a
 * feature this build lacks), TENDON_ERROR_NO_MEMORY, TENDON_ERROR_SYSTEM. `out_error` may be NULL.
 * Does not connect. Since 0.1.
 */
TENDON_API TENDON_MUST_USE tendon_status tendon_client_create(const tendon_config *config,
                                                              tendon_client **out_client,
                                                              tendon_error **out_error);

/**
 * Closes every connection and frees the client. Requests under way complete with
 * TENDON_ERROR_CLOSED; callers blocked in this client return with it. Leases not closed yet lose
 * their connection; tendon_lease_close still ends them. No other call on this client may start
 * after it. NULL is accepted. In a forked child it closes the child's descriptors and sends
 * nothing. Blocks until the client's own thread has ended, which takes milliseconds. Since 0.1.
 */
TENDON_API void tendon_client_destroy(tendon_client *client);

/**
 * Stops the client: as destroy, but the handle stays valid and every later call returns
 * TENDON_ERROR_CLOSED. May be called while other threads are inside calls. Idempotent. Since 0.1.
 */
TENDON_API void tendon_client_close(tendon_client *client);

/**
 * Sends one command and waits for its outcome. Returns TENDON_OK with `*out_reply` (a server's
 * error reply included), or a failure with `*out_error`; the other output is untouched. Blocks
 * until the deadline of the request at the latest. Retries as docs/architecture.md describes; the
 * error's `executed` says what is known. `out_error` may be NULL. Since 0.1.
 *
 * Returns beside TENDON_OK: TENDON_ERROR_ARGUMENT, _CLOSED, _FORKED, _LIMIT before anything was
 * sent; _RESOLVE, _CONNECT, _CONNECT_TIMEOUT, _TLS*, _AUTH, _HANDSHAKE when no connection could be
 * made; _POOL_TIMEOUT, _POOL_EXHAUSTED; _TIMEOUT, _DISCONNECTED, _PROTOCOL after; _NO_NODE,
 * _TOPOLOGY, _REDIRECTS, _CROSSSLOT, _SERVER from routing; _STATE with option drive=host.
 */
TENDON_API tendon_status tendon_call(tendon_client *client, const tendon_request *request,
                                     tendon_reply **out_reply, tendon_error **out_error);

/**
 * Sends `count` commands together and waits for all outcomes, `out_outcomes[i]` for `requests[i]`.
 * In a cluster the commands travel to their nodes side by side; commands of one key keep their
 * order. Each command has its own deadline, retries and outcome; a group (see request.h) shares
 * one. `request_size` is sizeof(tendon_request) as the caller knows it. Returns TENDON_OK when
 * every outcome has been filled, also with errors; TENDON_ERROR_ARGUMENT, _NO_MEMORY, _CLOSED or
 * _FORKED when nothing was sent. Since 0.1.
 */
TENDON_API tendon_status tendon_call_batch(tendon_client *client, const tendon_request *requests,
                                           size_t request_size, size_t count,
                                           tendon_outcome *out_outcomes);

/**
 * Hands `count` commands to the client and returns at once. Each accepted request leads to exactly
 * one completion in `queue`. Commands submitted by one thread to one node are sent in order; those
 * that are sent again after a lost connection keep it among themselves, but come after what was
 * submitted meanwhile.
 * `out_ids`, when not NULL, receives one id each for tendon_cancel. Returns TENDON_OK when all were
 * accepted; otherwise none was: TENDON_ERROR_ARGUMENT, _CLOSED, _FORKED, _NO_MEMORY, _QUEUE_FULL
 * (option max_pending). What a command is refused for on its own account (_LIMIT, _STATE,
 * _UNSUPPORTED) comes as its completion, with the reason. Never blocks on the network; with option
 * drive=host nothing is written before tendon_client_process or tendon_client_flush. Since 0.1.
 */
TENDON_API tendon_status tendon_submit(tendon_client *client, tendon_queue *queue,
                                       const tendon_request *requests, size_t request_size,
                                       size_t count, uint64_t *out_ids);

/**
 * Ends a submitted request early: its completion comes with TENDON_ERROR_CANCELLED and says whether
 * it was executed. A request that has already completed is left alone. The reply of a command that
 * was sent is read and dropped, never given to another. Returns TENDON_OK whether or not the id was
 * still under way; TENDON_ERROR_ARGUMENT, _FORKED. Since 0.1.
 */
TENDON_API tendon_status tendon_cancel(tendon_client *client, uint64_t id);

/**
 * With option drive=host: does everything that is due on the calling thread. Takes what has been
 * submitted, writes, reads, dials, notices deadlines; outcomes are in their queues when it returns.
 * `timeout_ms` 0 does not wait; above 0, or -1 without limit, waits until something happens first.
 * `out_next_ms`, unless NULL, receives in how many milliseconds it wants to be called again though
 * tendon_client_fd does not become readable: 0 at once, -1 never. Asked for, it also is 0 when
 * something may be left over, so that a loop that is told of changes only (EPOLLET) calls until it
 * is not 0 and then waits. Call it whenever that descriptor is readable and after tendon_submit (or
 * tendon_client_flush then). What completes outside of it (a refused request, a cancelled or closed
 * one, a write that fails in flush) makes nothing readable: whoever made that call polls its queue.
 * Any thread; one at a time drives, and a call without a wait that finds another driving leaves the
 * work to that and returns. Returns TENDON_OK; TENDON_ERROR_STATE without drive=host;
 * TENDON_ERROR_ARGUMENT, _CLOSED, _FORKED. Since 0.1.
 */
TENDON_API tendon_status tendon_client_process(tendon_client *client, int64_t timeout_ms,
                                               int64_t *out_next_ms);

/**
 * With option drive=host: writes what has been submitted and reads nothing, for a program that
 * waits for tendon_client_fd next. Never waits. Statuses as tendon_client_process. Since 0.1.
 */
TENDON_API tendon_status tendon_client_flush(tendon_client *client);

/**
 * With option drive=host: a descriptor that is readable when tendon_client_process has something to
 * do, deadlines included. Watch it with poll, epoll or a host's loop, level-triggered; never read
 * from it, never close it. The same for the life of the client. -1 for NULL and without drive=host.
 * Since 0.1.
 */
TENDON_API int tendon_client_fd(tendon_client *client);

/**
 * With option drive=host: lends the host a socket to watch by itself, which saves an epoll inside
 * its own for each thing that happens there. Returns a duplicate of the socket of the connection
 * that alone had news in the last turns, and its name in `*out_loan`; -1 when there is none, or
 * four are lent already: ask again after a turn. Watch it for reading and call tendon_client_read
 * when it is readable; never read from it. tendon_client_fd goes on telling of everything else. The
 * host takes the duplicate out of what watches it and closes it when tendon_client_read says that
 * the loan has ended, or that the client is closed. Since 0.1.
 */
TENDON_API int tendon_client_lend(tendon_client *client, uint64_t *out_loan);

/**
 * tendon_client_process for a socket that was lent: reads there and looks at no other. Never waits.
 * `*out_next_ms` as there. Returns TENDON_OK; TENDON_ERROR_DISCONNECTED when the loan has ended,
 * with everything done that there was to do; and what tendon_client_process returns. Since 0.1.
 */
TENDON_API tendon_status tendon_client_read(tendon_client *client, uint64_t loan,
                                            int64_t *out_next_ms);

/**
 * Ends a loan: tendon_client_fd tells of that socket again, also of what is there already. For a
 * host that cannot watch it after all, and watches it no more. Returns TENDON_OK also when it had
 * ended. Since 0.1.
 */
TENDON_API tendon_status tendon_client_take_back(tendon_client *client, uint64_t loan);

/**
 * Sends events of this client to `queue`, each with `tag`; NULL stops. `event_mask` has bit
 * `1 << TENDON_EVENT_x` set for each event wanted. One queue per client; a second call replaces the
 * first. At most 1024 undelivered events are kept, then the oldest are dropped, as described in
 * <tendon/queue.h>. Since 0.1.
 */
TENDON_API tendon_status tendon_client_watch(tendon_client *client, tendon_queue *queue,
                                             uint64_t tag, uint32_t event_mask);

/**
 * With option reconnect=host, after TENDON_EVENT_WAITING: tries again in `delay_ms`, or, when
 * `delay_ms` is negative, gives up: requests waiting for the connection fail with its last error.
 * Without effect otherwise. Since 0.1.
 */
TENDON_API tendon_status tendon_client_reconnect(tendon_client *client, int64_t delay_ms);

/**
 * Closes the connections without closing the client: idle ones at once, busy ones after their last
 * reply. The next command connects again. Since 0.1.
 */
TENDON_API tendon_status tendon_client_disconnect(tendon_client *client);

/** Nodes known to the client, as text, one "host:port role first-last,first-last\n" line each; role
 * is "primary", "replica" or "unknown". `*out_reply` is a TENDON_NODE_STRING reply to destroy.
 * Since 0.1. */
TENDON_API tendon_status tendon_client_nodes(tendon_client *client, tendon_reply **out_reply,
                                             tendon_error **out_error);

/** The cluster slot of a key, 0-16383: CRC16 of its hash tag. Pure. Since 0.1. */
TENDON_API uint32_t tendon_key_slot(tendon_bytes key);

#ifdef __cplusplus
}
#endif

#endif
