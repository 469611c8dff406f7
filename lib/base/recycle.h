/*
 * Blocks of a few sizes that are kept for their next use, so that a command and its reply cost no
 * allocation once a program is in its stride. Each thread keeps a handful of blocks for itself;
 * what it has too many of goes to a depot that all threads share, and comes from there.
 */
#ifndef TENDON_BASE_RECYCLE_H
#define TENDON_BASE_RECYCLE_H

#include <stddef.h>

#include "base/memory.h"

#define TENDON__RECYCLE_MAX 2048 /* larger blocks are the business of large.h and the allocator */

/*
 * As tendon__memory_take. Only blocks of the system's allocator are kept; another one, as in tests,
 * sees every call. Must be given back by tendon__recycle_free with the same size.
 */
void *tendon__recycle_take(struct tendon__memory *memory, size_t size);
/* The same where as many blocks of this size follow as there are replies: what was freed long ago
 * lies beyond the nearest cache, so that the next one is fetched while this one is filled. */
void *tendon__recycle_take_one_of_many(struct tendon__memory *memory, size_t size);
/* NULL is accepted. Any thread. */
void tendon__recycle_free(struct tendon__memory *memory, void *block, size_t size);

#endif
