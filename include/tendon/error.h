/**
 * Errors: what went wrong, whether the command was executed, and what to do next.
 *
 * A failing call hands out one `tendon_error` that belongs to the caller. There is no errno, no
 * thread-local and no global last error. An error reply of the server to a command is not a
 * `tendon_error`: it is a reply whose root node is TENDON_NODE_ERROR. It becomes a `tendon_error`
 * with status TENDON_ERROR_SERVER only where there is no reply to put it in (a handshake that was
 * refused, a retry budget that ran out on LOADING).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TENDON_ERROR_H
#define TENDON_ERROR_H

#include <tendon/status.h>
#include <tendon/types.h>

/* Was the command executed by a server? The honest answer, on every failure. */
#define TENDON_EXECUTED_NO      1 /* provably not: never fully sent, or refused by the server */
#define TENDON_EXECUTED_YES     2 /* it was; what failed came after */
#define TENDON_EXECUTED_UNKNOWN 3 /* fully sent, no answer seen */

/** Borrowed details of an error. Strings are NUL-terminated and never NULL. Valid until the error
 * is destroyed. */
typedef struct tendon_error_view {
    uint32_t struct_size; /* in: sizeof(tendon_error_view) */
    int32_t status;       /* TENDON_ERROR_* */
    uint32_t error_class; /* TENDON_CLASS_* */
    uint32_t executed;    /* TENDON_EXECUTED_* */
    uint32_t attempts;    /* how often the command was handed to a connection or waited for one that
                             failed */
    uint32_t reserved;
    uint64_t elapsed_us; /* from the call to the failure */
    const char
        *message; /* cause and remedy in one text; holds no secret and no argument of the command */
    const char *prefix; /* first word of the server's error ("LOADING", "WRONGPASS"), or "" */
    const char *node;   /* "host:port" the last attempt went to, or "" */
} tendon_error_view;

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Fills `out_view` with pointers into `error`. Returns TENDON_OK, or TENDON_ERROR_ARGUMENT when a
 * pointer is NULL or `struct_size` is unknown. Never blocks; any thread, an error never changes.
 * Since 0.1.
 */
TENDON_API tendon_status tendon_error_look(const tendon_error *error, tendon_error_view *out_view);

/** Frees an error handed out by any call. NULL is accepted. Any thread. Since 0.1. */
TENDON_API void tendon_error_destroy(tendon_error *error);

/** The name of a status, for example "TIMEOUT"; "UNKNOWN" for a number that is none. Static string.
 * Since 0.1. */
TENDON_API const char *tendon_status_name(tendon_status status);

/** One sentence on what a status means and what to do. Static string, never NULL. Since 0.1. */
TENDON_API const char *tendon_status_text(tendon_status status);

#ifdef __cplusplus
}
#endif

#endif
