/* From loose nodes and slots to the canonical snapshot. */
#include "cluster/topology_draft.h"

#include <stdlib.h>
#include <string.h>

#define NODE_ROOM_FIRST 16 /* the six nodes of the usual small cluster without growing */

struct tendon__topology_draft *tendon__draft_create(struct tendon__memory *memory,
                                                    uint32_t nodes_max)
{
    struct tendon__topology_draft *draft = tendon__memory_make(memory, sizeof *draft);
    if (!draft)
        return NULL;
    draft->memory = memory;
    draft->nodes_max = nodes_max < TENDON__NODES_MAX ? nodes_max : TENDON__NODES_MAX;
    for (uint32_t slot = 0; slot < TENDON__SLOT_COUNT; slot++)
        draft->slot_shard[slot] = TENDON__NO_SHARD;
    return draft;
}

void tendon__draft_destroy(struct tendon__topology_draft *draft)
{
    if (!draft)
        return;
    tendon__memory_free(draft->memory, draft->nodes);
    tendon__memory_free(draft->memory, draft);
}

tendon_status tendon__draft_add(struct tendon__topology_draft *draft,
                                const struct tendon__topology_node *node)
{
    if (draft->node_count >= draft->nodes_max)
        return TENDON_ERROR_LIMIT;
    if (draft->node_count == draft->node_room) {
        uint32_t room = draft->node_room ? draft->node_room * 2 : NODE_ROOM_FIRST;
        void *grown =
            tendon__memory_resize(draft->memory, draft->nodes, room * sizeof *draft->nodes);
        if (!grown)
            return TENDON_ERROR_NO_MEMORY;
        draft->nodes = grown;
        draft->node_room = room;
    }
    draft->nodes[draft->node_count++] = *node;
    return TENDON_OK;
}

/*
 * Numbers the shards that have both a node and a slot by their first slot, rewrites the slots and
 * returns the count. Shards can lose all slots to a later overlapping range or to MOVED, and all
 * nodes to another shard.
 */
static uint32_t renumber(struct tendon__topology_draft *draft, uint32_t *out_covered)
{
    const uint16_t inhabited = TENDON__NO_SHARD - 1; /* has a node, has no number yet */
    uint32_t count = 0;
    uint32_t covered = 0;
    for (uint32_t shard = 0; shard < draft->shard_count; shard++)
        draft->shard_final[shard] = TENDON__NO_SHARD;
    for (uint32_t i = 0; i < draft->node_count; i++)
        draft->shard_final[draft->nodes[i].shard] = inhabited;
    for (uint32_t slot = 0; slot < TENDON__SLOT_COUNT; slot++) {
        uint16_t shard = draft->slot_shard[slot];
        if (shard == TENDON__NO_SHARD)
            continue;
        if (draft->shard_final[shard] == inhabited)
            draft->shard_final[shard] = (uint16_t)count++;
        draft->slot_shard[slot] = draft->shard_final[shard];
        covered += draft->slot_shard[slot] != TENDON__NO_SHARD;
    }
    for (uint32_t shard = 0; shard < draft->shard_count; shard++)
        if (draft->shard_final[shard] == inhabited)
            draft->shard_final[shard] = TENDON__NO_SHARD;
    *out_covered = covered;
    return count;
}

static int compare_nodes(const void *left, const void *right)
{
    const struct tendon__topology_node *a = left;
    const struct tendon__topology_node *b = right;
    if (a->shard != b->shard)
        return a->shard < b->shard ? -1 : 1;
    if (a->primary != b->primary)
        return a->primary ? -1 : 1;
    int order = strcmp(a->host, b->host);
    if (order != 0)
        return order;
    return (a->port > b->port) - (a->port < b->port);
}

/* Drops the nodes of shards that are gone and brings the rest into their final order. */
static void order_nodes(struct tendon__topology_draft *draft)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < draft->node_count; i++) {
        struct tendon__topology_node *node = &draft->nodes[i];
        node->shard = draft->shard_final[node->shard];
        if (node->shard == TENDON__NO_SHARD)
            continue;
        if (kept != i)
            draft->nodes[kept] = *node;
        kept++;
    }
    draft->node_count = kept;
    if (kept > 1)
        qsort(draft->nodes, kept, sizeof *draft->nodes, compare_nodes);
}

static void fill_shards(struct tendon__topology *topology)
{
    for (uint32_t i = 0; i < topology->shard_count; i++)
        topology->shards[i] = (struct tendon__topology_shard){.primary = TENDON__NO_SHARD};
    for (uint32_t i = 0; i < topology->node_count; i++) {
        struct tendon__topology_shard *shard = &topology->shards[topology->nodes[i].shard];
        if (topology->nodes[i].primary)
            shard->primary = (uint16_t)i;
        else if (shard->replica_count++ == 0)
            shard->first_replica = (uint16_t)i;
    }
}

tendon_status tendon__draft_finish(struct tendon__topology_draft *draft,
                                   struct tendon__topology **out)
{
    uint32_t covered;
    uint32_t shard_count = renumber(draft, &covered);
    order_nodes(draft);
    size_t nodes_bytes = draft->node_count * sizeof *draft->nodes;
    size_t shards_bytes = shard_count * sizeof(struct tendon__topology_shard);
    /* One block: nodes and shards stand behind the struct, whose alignment is at least theirs. */
    struct tendon__topology *topology =
        tendon__memory_take(draft->memory, sizeof *topology + nodes_bytes + shards_bytes);
    if (!topology)
        return TENDON_ERROR_NO_MEMORY;
    topology->memory = draft->memory;
    topology->refs = 1;
    topology->node_count = draft->node_count;
    topology->shard_count = shard_count;
    topology->nodes_max = draft->nodes_max;
    topology->covered = covered;
    topology->overlapping = draft->overlapping;
    topology->nodes = (struct tendon__topology_node *)(topology + 1);
    topology->shards = (struct tendon__topology_shard *)(topology->nodes + draft->node_count);
    if (nodes_bytes)
        memcpy(topology->nodes, draft->nodes, nodes_bytes);
    memcpy(topology->slot_shard, draft->slot_shard, sizeof topology->slot_shard);
    fill_shards(topology);
    *out = topology;
    return TENDON_OK;
}
