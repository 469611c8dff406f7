/*
 * What the files of the addon share: the state of one JavaScript environment and the functions
 * between them. It must not know commands, options or retry rules: those live in libtendon and in
 * lib/.
 *
 * One environment is one JavaScript thread (the main one or a worker). All functions below run on
 * it, except where their comment says otherwise, so that nothing here needs a lock.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TENDON_NODE_ADDON_H
#define TENDON_NODE_ADDON_H

#define NAPI_VERSION 8

#include <node_api.h>
#include <stdbool.h>
#include <tendon/tendon.h>
#include <uv.h>

/* Completions handed to JavaScript in one call; more would let one batch hold the loop for too
 * long. */
#define TENDON__NODE_DELIVER_MAX 64
/* Batches per turn of the loop: after these it gets to run timers and other sockets. */
#define TENDON__NODE_ROUNDS_MAX 32
/* Arguments of one native push; longer commands pass an array. Three more carry ids. */
#define TENDON__NODE_PUSH_MAX 13

/* What lib/native.js finds in `kinds`; events are TENDON__NODE_KIND_EVENT + TENDON_EVENT_x. */
#define TENDON__NODE_KIND_VALUE        0 /* the value of a reply */
#define TENDON__NODE_KIND_SERVER_ERROR 1 /* text of the server's error reply */
#define TENDON__NODE_KIND_FAILURE      2 /* an object made of a tendon_error */
#define TENDON__NODE_KIND_BYTES        3 /* a Buffer to be, as a string of its bytes */
#define TENDON__NODE_KIND_ENDED        4 /* the client is destroyed; nothing more comes for it */
#define TENDON__NODE_KIND_EVENT        16

/* Making a Buffer of its own costs more than a string and a slice of Node's pool, up to this size.
 */
#define TENDON__NODE_BYTES_MAX 2048

/* How a reply becomes a value; bits 32-39 of a request's tag. */
#define TENDON__NODE_MODE_BUFFER          1u /* strings become Buffers */
#define TENDON__NODE_MODE_NUMBERS_AS_TEXT 2u /* integers become decimal strings */
#define TENDON__NODE_MODE_CANCELLABLE     4u /* cancel() may be called for its slot */
#define TENDON__NODE_MODE_NESTED          8u /* the shapes of RESP3 instead of RESP2's */
/* Short ASCII strings become text, others Buffers: both are cheap to make, and JavaScript makes the
 * one it needs of the other. Never in a tag. */
#define TENDON__NODE_MODE_EITHER 16u

/* Bit 63 of a tag tells an event of client `tag & 0xffffffff` from a reply for slot `tag &
 * 0xffffffff`. */
#define TENDON__NODE_TAG_EVENT      (UINT64_C(1) << 63)
#define TENDON__NODE_TAG_MODE_SHIFT 32

/* Commands of one client gathered since the last flush. Offsets, because the blocks move as they
 * grow. */
typedef struct tendon__node_batch {
    uint8_t *bytes;
    size_t bytes_used;
    size_t bytes_size;
    uint32_t *sizes;
    size_t sizes_used;
    size_t sizes_size;
    tendon_request *requests; /* `packed` and `packed_sizes` hold offsets until the flush */
    size_t requests_used;
    size_t requests_size;
    bool cancellable; /* one of them may be cancelled, so the core is asked for ids */
} tendon__node_batch;

/* A request the core did not accept, on its way to its promise. */
typedef struct tendon__node_refusal {
    uint32_t slot;
    tendon_status status;
} tendon__node_refusal;

/* How eagerly the loop works; see pace.c. */
typedef struct tendon__node_pace {
    size_t in_flight;  /* commands the core has, or whose outcome JavaScript does not have yet */
    uint64_t until_ns; /* the end of the look under way, or of the rest */
    uint64_t rest_ns;  /* the next rest */
    long evictions;    /* of this thread from its core, at the last look */
    uint8_t trust;     /* in looks; 0: a rest */
    bool found;        /* something, by the look under way */
} tendon__node_pace;

typedef struct tendon__node_env tendon__node_env;
typedef struct tendon__node_loan tendon__node_loan;

/* One core client with option drive=host: this thread's loop does its input and output. Or a lease
 * or a subscription of one, which ends before it; those have no core and no handle of the loop. */
typedef struct tendon__node_client {
    tendon__node_env *env;
    tendon_client *core;                /* NULL once it is closed */
    struct tendon__node_client *parent; /* of a lease or subscription; else NULL */
    tendon_lease *lease;
    tendon_subscription *subscription;
    tendon__node_batch batch;
    struct tendon__node_client *next_dirty;  /* in env->dirty while the batch is not empty */
    struct tendon__node_client *next_closed; /* in env->closed until JavaScript is told */
    uv_poll_t poll;                          /* of tendon_client_fd */
    tendon__node_loan *loans;                /* sockets that the loop watches itself */
    int64_t timeout_ms;                      /* deadline of each command, or TENDON_TIMEOUT_NONE */
    uint32_t id;                             /* index in env->clients */
    uint8_t owners; /* the handles of the loop and JavaScript, until each has let go */
    bool dirty;
} tendon__node_client;

struct tendon__node_env {
    napi_env napi;
    napi_ref deliver;     /* function (count, ...values) of lib/native.js */
    napi_ref reply_error; /* function (text) making the error of a server's error inside an array */
    napi_ref resource;    /* the object async hooks see */
    napi_async_context context;
    napi_async_cleanup_hook_handle cleanup;
    tendon_queue *queue; /* of all clients; nobody is signalled, see tendon__node_loop_drain */
    uv_prepare_t prepare;
    uv_idle_t idle;        /* active while completions are left for the next turn */
    uint32_t *slots;       /* shared with JavaScript: one slot or client id per delivered value */
    uint8_t *kinds;        /* shared with JavaScript: one TENDON__NODE_KIND_* per delivered value */
    uint8_t *flush_is_due; /* shared with JavaScript: 1 when a flush is certain to follow */
    tendon__node_client **clients;
    tendon__node_client *dirty;
    tendon__node_client *closed;
    tendon__node_refusal *refused;
    size_t refused_used;
    size_t refused_size;
    uint64_t *ids; /* by slot: what the core calls a cancellable request */
    size_t ids_size;
    uint32_t client_count;
    tendon__node_pace pace;
    uint32_t hold_count;   /* clients that keep the process alive */
    uint32_t handle_count; /* loop handles not closed yet */
    bool ending;
    tendon_completion completions[TENDON__NODE_DELIVER_MAX];
};

/* addon.c */
napi_value tendon__node_throw(napi_env env, const char *code, const char *message);
tendon__node_env *tendon__node_env_get(napi_env env);

/* loop.c */
bool tendon__node_loop_start(tendon__node_env *state);
void tendon__node_loop_stop(tendon__node_env *state);
void tendon__node_loop_hold(tendon__node_env *state, bool hold);
bool tendon__node_loop_watch(tendon__node_client *client);
/* The descriptor may be closed after this; the loop lets go of `client` later. */
void tendon__node_loop_unwatch(tendon__node_client *client);
/* Delivers what a turn of the core has brought, and looks for more: through the descriptor, or
 * with a loan in its socket. */
void tendon__node_loop_deliver(tendon__node_client *client, uint64_t loan);
void tendon__node_loop_handle_closed(tendon__node_env *state);

/* loan.c */
/* After a turn: watches the socket that has all the news, if there is one. */
void tendon__node_loan_ask(tendon__node_client *client);
void tendon__node_loan_end_all(tendon__node_client *client);

/* pace.c */
void tendon__node_pace_init(tendon__node_pace *pace);
/* For each completion: a command less is under way, if it is of one. */
void tendon__node_pace_count(tendon__node_pace *pace, const tendon_completion *completion);
/* After how many outcomes handed to JavaScript what it asked for meanwhile is to be sent. */
size_t tendon__node_pace_part(const tendon__node_pace *pace);
/* At the end of a turn: whether to look for more before the loop sleeps. Then looks_on says after
 * each try whether there is to be another, and looked is called in the end. */
bool tendon__node_pace_may_look(tendon__node_pace *pace);
bool tendon__node_pace_looks_on(tendon__node_pace *pace, bool found);
void tendon__node_pace_looked(tendon__node_pace *pace);

/* client.c */
napi_value tendon__node_client_create(napi_env env, napi_callback_info info);
napi_value tendon__node_client_check(napi_env env, napi_callback_info info);
napi_value tendon__node_client_close(napi_env env, napi_callback_info info);
napi_value tendon__node_client_hold(napi_env env, napi_callback_info info);
napi_value tendon__node_client_reconnect(napi_env env, napi_callback_info info);
napi_value tendon__node_client_disconnect(napi_env env, napi_callback_info info);
napi_value tendon__node_client_nodes(napi_env env, napi_callback_info info);
napi_value tendon__node_client_stats(napi_env env, napi_callback_info info);
tendon__node_client *tendon__node_client_find(tendon__node_env *state, uint32_t id);
/* Gives `client` a number of its own; false when memory ran out. */
bool tendon__node_client_number(tendon__node_env *state, tendon__node_client *client);
void tendon__node_client_release(tendon__node_client *client);
void tendon__node_client_destroy_all(tendon__node_env *state);

/* lease.c */
napi_value tendon__node_lease(napi_env env, napi_callback_info info);
napi_value tendon__node_lease_end(napi_env env, napi_callback_info info);
napi_value tendon__node_key_slot(napi_env env, napi_callback_info info);
void tendon__node_lease_close(tendon__node_client *lease);

/* subscription.c */
napi_value tendon__node_subscription(napi_env env, napi_callback_info info);
napi_value tendon__node_subscription_end(napi_env env, napi_callback_info info);
tendon_status tendon__node_subscription_submit(tendon__node_client *entry,
                                               const tendon_request *request);
/* The number stays taken until nothing of it is in the queue any more. */
void tendon__node_subscription_close(tendon__node_client *entry);

/* batch.c */
napi_value tendon__node_push(napi_env env, napi_callback_info info);
napi_value tendon__node_push_array(napi_env env, napi_callback_info info);
napi_value tendon__node_flush(napi_env env, napi_callback_info info);
napi_value tendon__node_cancel(napi_env env, napi_callback_info info);
void tendon__node_batch_flush(tendon__node_client *client);
/* Submits and writes what was gathered; calls no JavaScript. */
void tendon__node_batch_flush_all(tendon__node_env *state);
void tendon__node_batch_deinit(tendon__node_batch *batch);

/* value.c */
napi_value tendon__node_value_of_completion(tendon__node_env *state,
                                            const tendon_completion *completion, uint8_t *out_kind);
/* A message of a subscription: its parts, or a line of MONITOR; each short ASCII one is a string,
 * any other a Buffer. */
napi_value tendon__node_value_of_message(tendon__node_env *state,
                                         const tendon_completion *completion);
napi_value tendon__node_value_of_text(napi_env env, const void *data, size_t size);

/* failure.c */
napi_value tendon__node_failure_of_error(napi_env env, const tendon_error *error);
napi_value tendon__node_failure_of_status(napi_env env, tendon_status status, uint32_t executed);
/* Throws a JavaScript error that carries the fields of `error`, and destroys `error`. */
napi_value tendon__node_failure_throw(napi_env env, tendon_status status, tendon_error *error);

#endif
