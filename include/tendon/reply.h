/**
 * Replies: one tape of nodes per reply, read without calling back into the library.
 *
 * A reply is a flat array of `tendon_node` in depth-first order plus one block of bytes the string
 * nodes point into. Node 0 is the root. A scalar is one node. An aggregate is one node followed by
 * its children, each of which may be an aggregate; `value.span` of an aggregate is the number of
 * nodes of its whole subtree, itself included, so that `index + span` is the next sibling. RESP2
 * and RESP3 produce the same node types where both can express a value (null bulk and null array
 * are both TENDON_NODE_NULL). Attributes of RESP3 are read and dropped.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TENDON_REPLY_H
#define TENDON_REPLY_H

#include <tendon/types.h>

/** Layout number of `tendon_node`, stored in `tendon_reply_view.tape_version`. */
#define TENDON_TAPE_VERSION 1

/* Node types; the comment names the RESP type bytes that make them. */
#define TENDON_NODE_NULL       1 /* `_`, `$-1`, `*-1` */
#define TENDON_NODE_STATUS     2 /* `+`   offset, size */
#define TENDON_NODE_ERROR      3 /* `-`, `!`  offset, size; a server's error is a value */
#define TENDON_NODE_INTEGER    4 /* `:`   integer */
#define TENDON_NODE_STRING     5 /* `$`   offset, size */
#define TENDON_NODE_ARRAY      6 /* `*`   span, size */
#define TENDON_NODE_DOUBLE     7 /* `,`   number; `size` is 0 */
#define TENDON_NODE_BOOLEAN    8 /* `#`   integer 0 or 1 */
#define TENDON_NODE_BIG_NUMBER 9 /* `(`   offset, size: decimal digits */
#define TENDON_NODE_VERBATIM                                                                       \
    10                      /* `=`   offset, size of the text; its 3-byte format is at offset - 4 */
#define TENDON_NODE_MAP  11 /* `%`   span, size: twice the number of pairs, key then value */
#define TENDON_NODE_SET  12 /* `~`   span, size */
#define TENDON_NODE_PUSH 13 /* `>`   span, size */

/** Set in `tendon_node.flags` of a null that the server sent as a null array (`*-1`). */
#define TENDON_NODE_FLAG_NULL_ARRAY 1

/** 16 bytes, the same on every platform. */
typedef struct tendon_node {
    uint8_t type;      /* TENDON_NODE_* */
    uint8_t flags;     /* TENDON_NODE_FLAG_* */
    uint16_t reserved; /* 0 */
    uint32_t size;     /* strings: bytes; aggregates: number of direct children */
    union {
        int64_t integer; /* INTEGER, BOOLEAN */
        double number;   /* DOUBLE; may be infinite or NaN */
        uint64_t offset; /* strings: position of the first byte in `data` */
        uint64_t span;   /* aggregates: nodes of the subtree, this one included */
    } value;
} tendon_node;

/** A borrowed look at a reply. Valid until the reply is destroyed. */
typedef struct tendon_reply_view {
    uint32_t struct_size;  /* in: sizeof(tendon_reply_view) */
    uint32_t tape_version; /* TENDON_TAPE_VERSION */
    const tendon_node *nodes;
    size_t node_count; /* at least 1 */
    const uint8_t *data;
    size_t data_bytes;
} tendon_reply_view;

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Fills `out_view` with pointers into `reply`. Returns TENDON_OK, or TENDON_ERROR_ARGUMENT when a
 * pointer is NULL or `struct_size` is unknown. Never blocks; any thread, a reply never changes.
 * Since 0.1.
 */
TENDON_API tendon_status tendon_reply_look(const tendon_reply *reply, tendon_reply_view *out_view);

/** Frees a reply handed out by any call. NULL is accepted. Any thread, also in a forked child.
 * Since 0.1. */
TENDON_API void tendon_reply_destroy(tendon_reply *reply);

#ifdef __cplusplus
}
#endif

#endif
