/* The snapshot itself: sharing, asking, comparing, and the copies made by MOVED. */
#include "cluster/topology.h"

#include <string.h>

#include "cluster/topology_draft.h"

struct tendon__topology *tendon__topology_ref(struct tendon__topology *topology)
{
    topology->refs++;
    return topology;
}

void tendon__topology_unref(struct tendon__topology *topology)
{
    if (topology && --topology->refs == 0)
        tendon__memory_free(topology->memory, topology);
}

static const struct tendon__topology_shard *shard_of(const struct tendon__topology *topology,
                                                     uint32_t slot)
{
    if (slot >= TENDON__SLOT_COUNT || topology->slot_shard[slot] == TENDON__NO_SHARD)
        return NULL;
    return &topology->shards[topology->slot_shard[slot]];
}

const struct tendon__topology_node *
tendon__topology_primary(const struct tendon__topology *topology, uint32_t slot)
{
    const struct tendon__topology_shard *shard = shard_of(topology, slot);
    return shard && shard->primary != TENDON__NO_SHARD ? &topology->nodes[shard->primary] : NULL;
}

const struct tendon__topology_node *
tendon__topology_replicas(const struct tendon__topology *topology, uint32_t slot,
                          uint32_t *out_count)
{
    const struct tendon__topology_shard *shard = shard_of(topology, slot);
    *out_count = shard ? shard->replica_count : 0;
    return *out_count ? &topology->nodes[shard->first_replica] : NULL;
}

const struct tendon__topology_node *tendon__topology_find(const struct tendon__topology *topology,
                                                          const char *host, uint16_t port)
{
    const struct tendon__topology_node *by_address = NULL;
    for (uint32_t i = 0; i < topology->node_count; i++) {
        const struct tendon__topology_node *node = &topology->nodes[i];
        if (node->port != port)
            continue;
        if (strcmp(node->host, host) == 0)
            return node;
        if (!by_address && node->address[0] != '\0' && strcmp(node->address, host) == 0)
            by_address = node;
    }
    return by_address;
}

static bool same_node(const struct tendon__topology_node *a, const struct tendon__topology_node *b)
{
    return a->port == b->port && a->shard == b->shard && a->primary == b->primary &&
           strcmp(a->host, b->host) == 0 && strcmp(a->id, b->id) == 0 &&
           strcmp(a->address, b->address) == 0;
}

bool tendon__topology_equal(const struct tendon__topology *a, const struct tendon__topology *b)
{
    if (a == b)
        return true;
    if (a->node_count != b->node_count || a->shard_count != b->shard_count ||
        memcmp(a->slot_shard, b->slot_shard, sizeof a->slot_shard) != 0)
        return false;
    /* Nodes carry their shard and role and stand in canonical order, so the shards need no look. */
    for (uint32_t i = 0; i < a->node_count; i++)
        if (!same_node(&a->nodes[i], &b->nodes[i]))
            return false;
    return true;
}

bool tendon__host_copy(char out[TENDON__HOST_MAX + 1], const void *text, size_t size)
{
    const uint8_t *bytes = text;
    if (size == 0 || size > TENDON__HOST_MAX || (size == 1 && bytes[0] == '?'))
        return false;
    for (size_t i = 0; i < size; i++)
        if (bytes[i] <= ' ' || bytes[i] > '~')
            return false;
    memcpy(out, bytes, size);
    out[size] = '\0';
    return true;
}

tendon_status tendon__topology_single(struct tendon__memory *memory, const char *host,
                                      uint16_t port, struct tendon__topology **out)
{
    size_t length = strlen(host);
    if (length > TENDON__HOST_MAX)
        return TENDON_ERROR_ARGUMENT;
    /* By hand: every client makes one, and a draft is a pass over all slots. Zero is the index of
     * the only node and of its shard. */
    struct tendon__topology *topology = tendon__memory_make(
        memory, sizeof *topology + sizeof *topology->nodes + sizeof *topology->shards);
    if (!topology)
        return TENDON_ERROR_NO_MEMORY;
    topology->memory = memory;
    topology->refs = 1;
    topology->node_count = topology->shard_count = 1;
    topology->nodes_max = TENDON__NODES_MAX;
    topology->covered = TENDON__SLOT_COUNT;
    topology->nodes = (struct tendon__topology_node *)(topology + 1);
    topology->shards = (struct tendon__topology_shard *)(topology->nodes + 1);
    memcpy(topology->nodes->host, host, length + 1);
    topology->nodes->port = port;
    topology->nodes->primary = true;
    *out = topology;
    return TENDON_OK;
}

/* Makes `nodes[index]` the owner of the slot, as it is or as a shard of its own. */
static void give_slot(struct tendon__topology_draft *draft, uint32_t slot, uint32_t index)
{
    struct tendon__topology_node *node = &draft->nodes[index];
    uint16_t shard = draft->slot_shard[slot];
    if (!node->primary && node->shard == shard && shard != TENDON__NO_SHARD) {
        /* A replica of this very shard was promoted: the other slots went with this one. */
        for (uint32_t i = 0; i < draft->node_count; i++)
            if (draft->nodes[i].shard == shard)
                draft->nodes[i].primary = false;
    } else if (!node->primary) {
        node->shard = (uint16_t)draft->shard_count++;
    }
    node->primary = true;
    draft->slot_shard[slot] = node->shard;
}

static tendon_status fill_moved(struct tendon__topology_draft *draft,
                                const struct tendon__topology *topology, uint32_t slot,
                                const char *host, uint16_t port)
{
    const struct tendon__topology_node *known = tendon__topology_find(topology, host, port);
    uint32_t index = known ? (uint32_t)(known - topology->nodes) : topology->node_count;
    draft->shard_count = topology->shard_count;
    draft->overlapping = topology->overlapping;
    memcpy(draft->slot_shard, topology->slot_shard, sizeof draft->slot_shard);
    for (uint32_t i = 0; i < topology->node_count; i++) {
        tendon_status status = tendon__draft_add(draft, &topology->nodes[i]);
        if (status != TENDON_OK)
            return status;
    }
    if (!known) {
        struct tendon__topology_node node = {.port = port, .shard = TENDON__NO_SHARD};
        memcpy(node.host, host, strlen(host) + 1);
        tendon_status status = tendon__draft_add(draft, &node);
        if (status != TENDON_OK)
            return status;
    }
    give_slot(draft, slot, index);
    return TENDON_OK;
}

tendon_status tendon__topology_moved(const struct tendon__topology *topology, uint32_t slot,
                                     const char *host, uint16_t port, struct tendon__topology **out)
{
    size_t length = strlen(host);
    if (slot >= TENDON__SLOT_COUNT || length == 0 || length > TENDON__HOST_MAX || port == 0)
        return TENDON_ERROR_ARGUMENT;
    struct tendon__topology_draft *draft =
        tendon__draft_create(topology->memory, topology->nodes_max);
    if (!draft)
        return TENDON_ERROR_NO_MEMORY;
    tendon_status status = fill_moved(draft, topology, slot, host, port);
    if (status == TENDON_OK)
        status = tendon__draft_finish(draft, out);
    tendon__draft_destroy(draft);
    return status;
}
