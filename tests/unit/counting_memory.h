/* An allocator for tests: counts what is out, and can refuse the n-th request. */
#ifndef TENDON_TEST_COUNTING_MEMORY_H
#define TENDON_TEST_COUNTING_MEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/memory.h"

struct counting_memory {
    struct tendon__memory memory; /* first: the table is the struct */
    long blocks;                  /* allocated and not freed */
    long requests;                /* that asked for memory */
    long refuse_from;             /* this request and all later ones fail; 0 never */
    size_t largest;               /* most bytes asked for at once */
};

static void *counting_resize(struct tendon__memory *memory, void *old, size_t size)
{
    struct counting_memory *counting = (struct counting_memory *)(void *)memory;
    if (size == 0) {
        counting->blocks -= old != NULL;
        free(old);
        return NULL;
    }
    counting->requests++;
    if (size > counting->largest)
        counting->largest = size;
    if (counting->refuse_from && counting->requests >= counting->refuse_from)
        return NULL;
    void *block = realloc(old, size);
    counting->blocks += block != NULL && old == NULL;
    return block;
}

static inline struct counting_memory counting_memory_make(void)
{
    return (struct counting_memory){.memory = {.resize = counting_resize}};
}

#endif
