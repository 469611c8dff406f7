/* Reading a decoded tape inside the core: a cursor-free view with checked helpers. */
#ifndef TENDON_RESP_TAPE_H
#define TENDON_RESP_TAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tendon/reply.h>
#include <tendon/types.h>

struct tendon__tape {
    const tendon_node *nodes;
    uint32_t node_count;
    const uint8_t *data;
};

/* Index of the node after the subtree at `index`. */
uint32_t tendon__tape_skip(const struct tendon__tape *tape, uint32_t index);
bool tendon__tape_is_aggregate(const struct tendon__tape *tape, uint32_t index);
/* STATUS, ERROR, STRING, BIG_NUMBER and VERBATIM. */
bool tendon__tape_is_text(const struct tendon__tape *tape, uint32_t index);
/* The bytes of a text node; size 0 for any other. */
tendon_bytes tendon__tape_text(const struct tendon__tape *tape, uint32_t index);
bool tendon__tape_text_is(const struct tendon__tape *tape, uint32_t index, const char *text);
/* An INTEGER node, or decimal digits in a text node. False leaves *out untouched. */
bool tendon__tape_integer(const struct tendon__tape *tape, uint32_t index, int64_t *out);
/*
 * The value under a text key in a MAP, or in an ARRAY of alternating keys and values (how RESP2
 * sends a map). Returns its index, or 0 when there is none.
 */
uint32_t tendon__tape_lookup(const struct tendon__tape *tape, uint32_t index, const char *key);

#endif
