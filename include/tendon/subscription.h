/**
 * Subscriptions: messages of channels, patterns and sharded channels, and MONITOR.
 *
 * A subscription is a stream of its own beside the client's commands: one connection, or with
 * sharded channels of a cluster one per node, lent by the pools and opened by the first command.
 * It remembers what was subscribed and does so again, by itself, whenever a connection was lost or
 * a slot has moved; TENDON_EVENT_GAP then says that messages may have been missed.
 *
 * Everything arrives in the queue given to tendon_subscription_open, with its tag. A message is an
 * event:
 *
 *     kind = TENDON_COMPLETION_EVENT, event = TENDON_EVENT_MESSAGE, reply = a PUSH node of
 *         ["message", channel, payload]
 *         ["pmessage", pattern, channel, payload]
 *         ["smessage", channel, payload]
 *         ["subscribe" | "psubscribe" | "ssubscribe" | "unsubscribe" | ..., name, count]
 *     or, of MONITOR, a STATUS node: one line as the server wrote it.
 *
 * the same whether the connection speaks RESP2 or RESP3. `delay_ms` is 1 in a confirmation that
 * nobody asked for: one repeated after a reconnect. The name is null where everything of a kind was
 * given up and there was nothing. Other events with the tag: CLOSED (a connection was lost; `error`
 * says why), RECONNECTING (the next attempt follows in `delay_ms`), FAILED (an attempt failed, or a
 * name was refused when it was subscribed again), GAP. Their order is the order in which things
 * happened.
 *
 * A message that may have been missed is announced by a GAP, always: once all is subscribed again
 * that still is wanted. What was lost while it was being given up counts as well, because it may
 * have missed messages from before; its GAP comes in front of its confirmation, or, when a slot
 * moved at the same time, soon behind it. So a GAP may come where nothing was missed, but never
 * the other way round. A channel that was given up brings no message any more after its
 * confirmation, whatever the server goes on to send. What nobody knows of is told when it is known:
 * a server that is cut off from the others and lives on hears of no message, and confirms what it
 * is asked; the GAP comes when its connection ends, if anything is subscribed on it then.
 *
 * Nothing of this is dropped. When the messages nobody has collected take more than option
 * subscription_buffer_bytes, the connection is not read until half of them have been; the server
 * then keeps them, and at its own limit (client-output-buffer-limit pubsub) closes the connection,
 * which GAP tells.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TENDON_SUBSCRIPTION_H
#define TENDON_SUBSCRIPTION_H

#include <tendon/error.h>
#include <tendon/queue.h>
#include <tendon/request.h>
#include <tendon/types.h>

/** Where the connection goes. NULL or a zeroed struct with `struct_size` set means: in a cluster
 * the node of the first name, else the server. Sharded channels of a cluster always go to the
 * primary of their slot. */
typedef struct tendon_subscription_options {
    uint32_t struct_size; /* sizeof(tendon_subscription_options) */
    uint32_t route;       /* TENDON_ROUTE_*; with AUTO the node of `key`, if that is set */
    tendon_bytes key;
    tendon_bytes node; /* with TENDON_ROUTE_NODE */
    uint32_t slot;     /* with TENDON_ROUTE_SLOT */
    uint32_t reserved; /* 0 */
} tendon_subscription_options;

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Makes a subscription, without connecting. Returns TENDON_OK with `*out_subscription`,
 * TENDON_ERROR_ARGUMENT, TENDON_ERROR_NO_MEMORY, TENDON_ERROR_CLOSED or TENDON_ERROR_FORKED. Never
 * blocks. The queue must live until the subscription is closed. Since 0.1.
 */
TENDON_API TENDON_MUST_USE tendon_status tendon_subscription_open(
    tendon_client *client, tendon_queue *queue, const tendon_subscription_options *options,
    uint64_t tag, tendon_subscription **out_subscription);

/**
 * Submits one command of the subscription: SUBSCRIBE, UNSUBSCRIBE, PSUBSCRIBE, PUNSUBSCRIBE,
 * SSUBSCRIBE, SUNSUBSCRIBE, PING or MONITOR; anything else is TENDON_ERROR_UNSUPPORTED. It
 * completes exactly once in the subscription's queue, with the tag of the request:
 *
 *   - with a reply when the server has confirmed all of it, after the events that say so: an
 *     INTEGER, the number of names that are subscribed now (of (S)UNSUBSCRIBE of sharded channels:
 *     those alone; else channels and patterns together); the answer of PING; +OK of MONITOR;
 *   - with a reply that is an ERROR node when the server refused it; what it refused is not kept;
 *   - with an error at its deadline, after cancel or close, or when there is no connection to be
 * had for a reason that stays (a wrong password). What was to be subscribed by then is kept and
 *     tried on (`executed` is unknown or no); unsubscribe it to give it up. The next command does
 *     not wait for it.
 *
 * Commands are done one after the other, in the order of submission. tendon_cancel ends the wait
 * for one. Of the request only arguments, tag and timeout_ms are read. UNSUBSCRIBE without names
 * gives up all of its kind. Never blocks; any thread. Returns TENDON_OK with `*out_id` (NULL is
 * accepted), or what tendon_submit returns. Since 0.1.
 */
TENDON_API TENDON_MUST_USE tendon_status tendon_subscription_submit(
    tendon_subscription *subscription, const tendon_request *request, uint64_t *out_id);

/**
 * Closes its connections and frees it. Commands still under way complete with
 * TENDON_ERROR_CANCELLED; messages in the queue stay there. Nothing of it arrives once those have
 * completed. NULL is accepted. Never blocks; allowed after tendon_client_close and
 * tendon_client_destroy, not while that runs. Since 0.1.
 */
TENDON_API void tendon_subscription_close(tendon_subscription *subscription);

#ifdef __cplusplus
}
#endif

#endif
