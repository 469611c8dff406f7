/* For builds with AddressSanitizer: every block goes back to the allocator, and has no byte more
 * than was asked for, so that its uses are seen. Who gives one back with another size, which would
 * hand it out too small elsewhere, is stopped. */
#include "base/large.h"

#include <malloc.h>
#include <stdlib.h>

size_t tendon__large_room(size_t size)
{
    return size;
}

void *tendon__large_take(struct tendon__memory *memory, size_t room)
{
    return tendon__memory_take(memory, room);
}

void *tendon__large_reuse(struct tendon__memory *memory, size_t room)
{
    (void)memory;
    (void)room;
    return NULL;
}

void tendon__large_free(struct tendon__memory *memory, void *block, size_t room)
{
    if (block && memory == tendon__memory_system() && malloc_usable_size(block) != room)
        abort();
    tendon__memory_free(memory, block);
}

void tendon__large_rest(void)
{
}

void tendon__large_open(void)
{
}

void tendon__large_close(void)
{
}
