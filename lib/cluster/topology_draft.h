/* A cluster map in the making: nodes and slots in any order, turned into the canonical snapshot at
 * the end. */
#ifndef TENDON_CLUSTER_TOPOLOGY_DRAFT_H
#define TENDON_CLUSTER_TOPOLOGY_DRAFT_H

#include "cluster/topology.h"

/* Each shard of a draft comes from a row with at least one slot, and MOVED adds one. */
#define TENDON__DRAFT_SHARDS_MAX (TENDON__SLOT_COUNT + 1)

struct tendon__topology_draft {
    struct tendon__memory *memory;
    struct tendon__topology_node
        *nodes; /* shard and primary are set; the shard numbers are the draft's */
    uint32_t node_count;
    uint32_t node_room;
    uint32_t nodes_max;
    uint32_t shard_count;
    bool overlapping;
    uint16_t slot_shard[TENDON__SLOT_COUNT];
    uint16_t shard_final[TENDON__DRAFT_SHARDS_MAX]; /* the draft's number to the snapshot's */
};

/* An empty draft whose slots have no shard; NULL when memory ran out. */
struct tendon__topology_draft *tendon__draft_create(struct tendon__memory *memory,
                                                    uint32_t nodes_max);
void tendon__draft_destroy(struct tendon__topology_draft *draft);

/* TENDON_ERROR_LIMIT when there are nodes_max already, _NO_MEMORY. */
tendon_status tendon__draft_add(struct tendon__topology_draft *draft,
                                const struct tendon__topology_node *node);

/* The snapshot, with one reference. Sorts and renumbers the draft, which is good only for destroy
 * then. */
tendon_status tendon__draft_finish(struct tendon__topology_draft *draft,
                                   struct tendon__topology **out);

#endif
