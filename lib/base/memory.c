/* Allocation through one small table per client; holds no state and no policy. */
#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void *system_resize(struct tendon__memory *memory, void *old, size_t size)
{
    (void)memory;
    if (size == 0) {
        free(old);
        return NULL;
    }
    return realloc(old, size);
}

struct tendon__memory tendon__system_memory = {.resize = system_resize};

void *tendon__memory_take(struct tendon__memory *memory, size_t size)
{
    return memory->resize(memory, NULL, size ? size : 1);
}

void *tendon__memory_make(struct tendon__memory *memory, size_t size)
{
    void *block = tendon__memory_take(memory, size);
    if (block)
        memset(block, 0, size ? size : 1);
    return block;
}

void *tendon__memory_resize(struct tendon__memory *memory, void *old, size_t size)
{
    return memory->resize(memory, old, size ? size : 1);
}

void tendon__memory_free(struct tendon__memory *memory, void *block)
{
    if (block)
        memory->resize(memory, block, 0);
}

char *tendon__memory_text(struct tendon__memory *memory, const void *bytes, size_t size)
{
    if (size == SIZE_MAX)
        return NULL;
    char *copy = tendon__memory_take(memory, size + 1);
    if (!copy)
        return NULL;
    if (size)
        memcpy(copy, bytes, size);
    copy[size] = '\0';
    return copy;
}

void tendon__memory_wipe(void *block, size_t size)
{
    volatile unsigned char *bytes = block;
    while (size--)
        *bytes++ = 0;
}
