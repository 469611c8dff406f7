/* For builds with AddressSanitizer: every block goes back to the allocator, so that its uses are
 * seen.
 */
#include "base/large.h"
#include "base/recycle.h"

void *tendon__recycle_take(struct tendon__memory *memory, size_t size)
{
    return tendon__memory_take(memory, size);
}

void *tendon__recycle_take_one_of_many(struct tendon__memory *memory, size_t size)
{
    return tendon__memory_take(memory, size);
}

void tendon__recycle_free(struct tendon__memory *memory, void *block, size_t size)
{
    tendon__large_free(memory, block, size); /* which looks at the size */
}
