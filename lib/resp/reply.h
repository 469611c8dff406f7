/* The reply handle: a tape and its bytes with one owner. */
#ifndef TENDON_RESP_REPLY_H
#define TENDON_RESP_REPLY_H

#include <tendon/reply.h>

#include "base/memory.h"

struct tendon_reply {
    struct tendon__memory *memory;
    const tendon_node *nodes;
    uint64_t node_count;
    const uint8_t *data;
    uint64_t data_bytes;
    void *block; /* an adopted receive block, or NULL */
    uint64_t block_bytes;
};

/* Copies tape and bytes into one allocation. NULL when memory ran out. */
tendon_reply *tendon__reply_copy(struct tendon__memory *memory, const tendon_node *nodes,
                                 uint32_t node_count, const uint8_t *data, size_t data_bytes);

/* The same of one node and so few bytes that no sum overflows, as most replies are. */
tendon_reply *tendon__reply_short(struct tendon__memory *memory, tendon_node node,
                                  const uint8_t *data, size_t data_bytes);

/*
 * As copy, but takes over `block` (from tendon__large_take with that many bytes), which holds the
 * bytes at `data`: for big replies. On NULL the block stays the caller's.
 */
tendon_reply *tendon__reply_adopt(struct tendon__memory *memory, const tendon_node *nodes,
                                  uint32_t node_count, void *block, size_t block_bytes,
                                  const uint8_t *data, size_t data_bytes);

/* A reply of one STATUS or STRING node holding `text`. */
tendon_reply *tendon__reply_text(struct tendon__memory *memory, uint8_t type, const void *text,
                                 size_t size);

void tendon__reply_free(tendon_reply *reply);

#endif
