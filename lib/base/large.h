/*
 * Large blocks that are kept for their next use. An allocator gives the pages of a block of a
 * megabyte back to the system when it is freed, and a call that receives one pays for 256 page
 * faults again: more than reading it costs. All threads share a few blocks, and what is kept is
 * bounded.
 */
#ifndef TENDON_BASE_LARGE_H
#define TENDON_BASE_LARGE_H

#include <stddef.h>

#include "base/memory.h"

#define TENDON__LARGE_MIN 65536u     /* blocks from this size on are kept here */
#define TENDON__LARGE_MAX (4u << 20) /* and not above this one */

/* The bytes that a block for `size` bytes has: at most a quarter more, so that blocks of similar
 * sizes fit each other; `size` itself outside of the limits above. */
size_t tendon__large_room(size_t size);

/*
 * As tendon__memory_take, of a `room` from tendon__large_room. Only blocks of the system's
 * allocator are kept. Goes back by tendon__large_free with the same room, or through the allocator.
 */
void *tendon__large_take(struct tendon__memory *memory, size_t room);
/* The same, but NULL when no such block is kept. */
void *tendon__large_reuse(struct tendon__memory *memory, size_t room);
/* NULL is accepted. Any thread. */
void tendon__large_free(struct tendon__memory *memory, void *block, size_t room);

/* A connection has nothing to do: gives back what is kept if nobody has used it for a second. */
void tendon__large_rest(void);

/* A client begins, or has ended: with the last of them all goes back, and nothing is kept of what
 * is freed later. */
void tendon__large_open(void);
void tendon__large_close(void);

#endif
