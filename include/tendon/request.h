/**
 * Requests: one command with its arguments, its deadline and its routing.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TENDON_REQUEST_H
#define TENDON_REQUEST_H

#include <tendon/types.h>

/* Bits of `tendon_request.flags`. What the command table knows is added; these only add to it. */
#define TENDON_REQUEST_READ_ONLY                                                                   \
    1u /* changes nothing: may be retried after it was sent, may go to a replica */
#define TENDON_REQUEST_IDEMPOTENT                                                                  \
    2u /* executing it twice is harmless: may be retried after it was sent */
#define TENDON_REQUEST_NO_RETRY 4u /* never retried, not even when provably not executed */
#define TENDON_REQUEST_BLOCKING                                                                    \
    8u /* the server may hold the reply: runs on a connection of its own */
#define TENDON_REQUEST_ATOMIC     16u /* member of a group, see below */
#define TENDON_REQUEST_ATOMIC_END 32u /* last member of a group; set together with ATOMIC */
#define TENDON_REQUEST_CONNECT                                                                     \
    64u /* no arguments: completes with status +OK when a connection is ready */

#define TENDON_REQUEST_WIRE_REPLY                                                                  \
    128u /* the reply as the server sent it, as with option reply_form=wire. Since 0.1. */

/* Values of `tendon_request.route`. AUTO: by the command's keys, or as the server's tips say; else
 * any primary. */
#define TENDON_ROUTE_AUTO   0
#define TENDON_ROUTE_SLOT   1 /* the owner of `slot` */
#define TENDON_ROUTE_NODE   2 /* the node whose "host:port" is `node`, which must be known */
#define TENDON_ROUTE_RANDOM 3 /* any primary, whatever the keys */
/* Every primary, or every node with the replicas, at the same time: the reply is a MAP from
 * "host:port" to what that node answered, errors included. Not on a lease or in a group. */
#define TENDON_ROUTE_ALL_PRIMARIES 4 /* Since 0.1. */
#define TENDON_ROUTE_ALL_NODES     5 /* Since 0.1. */

/** `timeout_ms` that means: no deadline. Only a lost connection, cancel or close ends the call. */
#define TENDON_TIMEOUT_NONE (-1)

/**
 * One command. Zero the struct, set `struct_size` and what you need. Everything it points to is
 * borrowed for the call it is passed to.
 *
 * Arguments come in one of two forms. Either `args` holds `arg_count` byte strings; or `args` is
 * NULL, `packed` holds all arguments one after the other without separators and `packed_sizes`
 * their lengths. Argument 0 is the command name. Any bytes are allowed; a name of two words is two
 * arguments.
 *
 * Group: consecutive requests of one call that carry TENDON_REQUEST_ATOMIC, the last with
 * ATOMIC_END, are written one directly after the other on one connection, to the node of the
 * group's first key, and are retried only as a whole. Wrap them in MULTI and EXEC requests to make
 * a transaction. All keys of a group must map to one slot in a cluster. A group is idempotent if
 * each of its commands is and no two of them name the same key (of SREM k x, SADD k x a second
 * execution would remove what the first has added, and say so), or if all of them carry
 * TENDON_REQUEST_IDEMPOTENT. Of one with 32 keys or more only the flags say that it is.
 */
typedef struct tendon_request {
    uint32_t struct_size; /* sizeof(tendon_request) */
    uint32_t flags;       /* TENDON_REQUEST_* */
    const tendon_bytes *args;
    const void *packed;
    const uint32_t *packed_sizes;
    uint32_t arg_count;
    uint32_t route;      /* TENDON_ROUTE_* */
    uint64_t tag;        /* yours; comes back in the completion */
    int64_t timeout_ms;  /* 0: option command_timeout_ms; > 0: this; TENDON_TIMEOUT_NONE: none */
    tendon_lease *lease; /* NULL: the client chooses a connection; else this leased one */
    tendon_bytes node;   /* with TENDON_ROUTE_NODE */
    uint32_t slot;       /* with TENDON_ROUTE_SLOT, 0-16383 */
    uint32_t reserved;   /* 0 */
} tendon_request;

#endif
