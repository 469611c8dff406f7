/**
 * Completion queues: submit without waiting, collect outcomes in bulk.
 *
 * Every accepted request leads to exactly one completion in its queue: a reply, or an error, also
 * after tendon_cancel and tendon_client_destroy. A queue may serve many clients; completions carry
 * the caller's `tag`. The library never calls back: hosts with an event loop watch tendon_queue_fd,
 * others block in tendon_queue_poll. With option drive=host the loop drives the client as well, see
 * tendon_client_process: completions are in the queue when that returns, and nothing is signalled.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TENDON_QUEUE_H
#define TENDON_QUEUE_H

#include <tendon/error.h>
#include <tendon/reply.h>
#include <tendon/request.h>
#include <tendon/types.h>

/* Kinds of completion. */
#define TENDON_COMPLETION_REPLY 1 /* `reply` is set; a server's error reply is a reply too */
#define TENDON_COMPLETION_ERROR 2 /* `error` is set */
#define TENDON_COMPLETION_EVENT 3 /* `event` is set; no request ended */

/*
 * Events, delivered to the queues given to tendon_client_watch. `reply` is a status node with the
 * node's "host:port" (PUSH and LOG: see there); `error` is set where there is a cause. Those about
 * connections tell of the shared ones (lanes); connections of the pool come and go in silence.
 *
 * When nobody collects: a queue keeps at most 1024 undelivered events of all its clients together.
 * Each further one drops the oldest; outcomes of requests are never dropped and do not count. The
 * gap is told by DROPPED.
 */
#define TENDON_EVENT_CONNECTING   1 /* a connection to `node` is being opened */
#define TENDON_EVENT_CONNECTED    2 /* transport and TLS are up, the handshake begins */
#define TENDON_EVENT_READY        3 /* the handshake is done, commands may be sent */
#define TENDON_EVENT_CLOSED       4 /* a connection that was CONNECTED ended */
#define TENDON_EVENT_FAILED       5 /* a connection could not be opened; `error` says why */
#define TENDON_EVENT_RECONNECTING 6 /* another attempt follows in `delay_ms` */
/* Option reconnect=host: nothing happens until tendon_client_reconnect. */
#define TENDON_EVENT_WAITING 7
/* The cluster map changed; `delay_ms` holds the number of nodes. */
#define TENDON_EVENT_TOPOLOGY 8
#define TENDON_EVENT_PUSH     9 /* an out-of-band message; `reply` holds it */
/*
 * A line for a person about something worth knowing: a connection that failed or was given up, a
 * server that refuses, a map that could not be refreshed, a late reply that was thrown away.
 * `reply` is a string node with the text, `delay_ms` holds its TENDON_LOG_* level, `error` the
 * cause if there is one. The text names nodes, numbers and options; it holds no secret and no
 * argument of a command, may change in any release, and is written only while somebody watches for
 * it. Since 0.1.
 */
#define TENDON_EVENT_LOG 10
/*
 * Events are missing here, because nobody collected them in time; `delay_ms` holds how many, of
 * whatever kind and client. It comes once per gap, directly before the first event after it, with
 * that event's tag, if that event's client is watched for it. Whoever keeps a cache by PUSH must
 * take it for lost. Since 0.1.
 */
#define TENDON_EVENT_DROPPED 11
/* What a subscription received; only in its own queue, see <tendon/subscription.h>. Since 0.1. */
#define TENDON_EVENT_MESSAGE 12
/* All that is still wanted is subscribed again; what was published in between may be lost.
 * `delay_ms` holds how long that took. Only in a subscription's queue. Since 0.1. */
#define TENDON_EVENT_GAP 13

/* Levels of TENDON_EVENT_LOG. */
#define TENDON_LOG_INFO    1 /* as it should be: a node left the cluster, RESP2 is used */
#define TENDON_LOG_WARNING 2 /* the client copes, somebody should look if it goes on */
#define TENDON_LOG_ERROR   3 /* it cannot be coped with: wrong password, wrong certificate */

/** One outcome or event. */
typedef struct tendon_completion {
    uint64_t id;              /* of tendon_submit; 0 for events */
    uint64_t tag;             /* of the request, or of tendon_client_watch for events */
    uint32_t kind;            /* TENDON_COMPLETION_* */
    int32_t status;           /* TENDON_OK with a reply; else the error's status */
    uint32_t event;           /* TENDON_EVENT_*, or 0 */
    uint32_t delay_ms;        /* the number that the event's text names, or 0 */
    tendon_reply *reply;      /* yours: end it with tendon_reply_destroy. NULL if none */
    tendon_error *error;      /* yours: end it with tendon_error_destroy. NULL if none */
    const tendon_node *nodes; /* the reply's tape, as tendon_reply_look gives it */
    const uint8_t *data;
    uint64_t node_count;
    uint64_t data_bytes;
} tendon_completion;

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Makes a queue. Returns TENDON_OK, TENDON_ERROR_ARGUMENT or TENDON_ERROR_NO_MEMORY. The caller
 * owns it; clients that were given requests for it keep it alive until the last of them has
 * completed. Since 0.1.
 */
TENDON_API TENDON_MUST_USE tendon_status tendon_queue_create(tendon_queue **out_queue);

/**
 * Gives up the queue. Completions not yet collected are freed with their replies; later ones of
 * requests still under way are dropped. No other thread may be inside tendon_queue_poll. NULL is
 * accepted. Since 0.1.
 */
TENDON_API void tendon_queue_destroy(tendon_queue *queue);

/**
 * A descriptor that is readable while the queue is not empty. Watch it with poll, epoll or a host's
 * loop; never read from it, never close it. It is made at the first call and stays for the life of
 * the queue; a queue nobody asks for it costs no signal. -1 when the system has no descriptor left.
 * Since 0.1.
 */
TENDON_API int tendon_queue_fd(tendon_queue *queue);

/**
 * Takes up to `max` completions in the order they happened. Waits up to `timeout_ms` for the first
 * one: 0 returns at once, -1 waits without limit. Returns how many were stored in `out`, 0 when
 * none came. `completion_size` is sizeof(tendon_completion) as the caller knows it. Several threads
 * may poll one queue; each completion is given once. A signal does not end the wait. Since 0.1.
 */
TENDON_API size_t tendon_queue_poll(tendon_queue *queue, tendon_completion *out,
                                    size_t completion_size, size_t max, int64_t timeout_ms);

/** Makes one waiting tendon_queue_poll return 0 before its timeout. Any thread. Since 0.1. */
TENDON_API void tendon_queue_wake(tendon_queue *queue);

#ifdef __cplusplus
}
#endif

#endif
