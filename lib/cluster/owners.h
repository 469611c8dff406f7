/*
 * Which shard of the map serves a slot, for threads that have no hold on the map: a table that its
 * one writer may change while others read it. The turn says what that was worth: if it is
 * still the same when the writer looks, all of it was of the writer's map.
 */
#ifndef TENDON_CLUSTER_OWNERS_H
#define TENDON_CLUSTER_OWNERS_H

#include "cluster/topology.h"

struct tendon__owners {
    uint64_t turn; /* of the map; 0 before the first */
    uint16_t shards[TENDON__SLOT_COUNT];
};

/* The writer: from now on the table is that of this map. */
void tendon__owners_set(struct tendon__owners *owners, const struct tendon__topology *map);

/* To be read before the shards it is to vouch for. */
static inline uint64_t tendon__owners_turn(const struct tendon__owners *owners)
{
    return __atomic_load_n(&owners->turn, __ATOMIC_ACQUIRE);
}

/* An index into the map's shards; TENDON__NO_SHARD when the slot has none. */
static inline uint16_t tendon__owners_shard(const struct tendon__owners *owners, uint32_t slot)
{
    return __atomic_load_n(&owners->shards[slot], __ATOMIC_RELAXED);
}

#endif
