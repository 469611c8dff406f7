/* The table of slots that callers read while they build requests. */
#include "cluster/owners.h"

void tendon__owners_set(struct tendon__owners *owners, const struct tendon__topology *map)
{
    for (uint32_t slot = 0; slot < TENDON__SLOT_COUNT; slot++)
        if (owners->shards[slot] != map->slot_shard[slot])
            __atomic_store_n(&owners->shards[slot], map->slot_shard[slot], __ATOMIC_RELAXED);
    /* Whoever reads this turn also reads what was written before it, or something newer: then the
     * next turn shows that it is not of this map. */
    __atomic_store_n(&owners->turn, owners->turn + 1, __ATOMIC_RELEASE);
}
