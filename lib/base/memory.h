/* Allocation through one small table per client, so that tests can count blocks and fail the n-th.
 */
#ifndef TENDON_BASE_MEMORY_H
#define TENDON_BASE_MEMORY_H

#include <stddef.h>

struct tendon__memory {
    /* As realloc: NULL old means allocate, size 0 frees and returns NULL. */
    void *(*resize)(struct tendon__memory *memory, void *old, size_t size);
};

/* The system's allocator; shared, without state. */
extern struct tendon__memory tendon__system_memory;

static inline struct tendon__memory *tendon__memory_system(void)
{
    return &tendon__system_memory;
}

/* NULL when memory ran out. The bytes are zero for `make`, undefined for `take` and grown parts. */
void *tendon__memory_make(struct tendon__memory *memory, size_t size);
void *tendon__memory_take(struct tendon__memory *memory, size_t size);
void *tendon__memory_resize(struct tendon__memory *memory, void *old, size_t size);
void tendon__memory_free(struct tendon__memory *memory, void *block);
/* A NUL-terminated copy of `size` bytes. */
char *tendon__memory_text(struct tendon__memory *memory, const void *bytes, size_t size);
/* Overwrites memory in a way the compiler keeps. */
void tendon__memory_wipe(void *block, size_t size);

#endif
