/*
 * The cluster map: an immutable snapshot built from one CLUSTER SLOTS reply, shared by reference. Knows
 * which node serves a slot; knows nothing of connections. Quirks of the reply are listed in
 * docs/architecture.md with the field failure that taught each.
 */
#ifndef TENDON_CLUSTER_TOPOLOGY_H
#define TENDON_CLUSTER_TOPOLOGY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/memory.h"
#include "cluster/slots.h"
#include "resp/tape.h"

#define TENDON__HOST_MAX 253 /* octets of a DNS name */
#define TENDON__NODE_ID_MAX 40
#define TENDON__NO_SHARD UINT16_MAX

struct tendon__topology_node {
    char host[TENDON__HOST_MAX + 1]; /* logical name: connected to, verified and sent as SNI */
    char id[TENDON__NODE_ID_MAX + 1]; /* "" when the server told none */
    char address[64]; /* IP from the metadata when host is a name, else "" */
    uint16_t port;
    uint16_t shard; /* index into shards */
    bool primary;
};

struct tendon__topology_shard {
    uint16_t primary; /* index into nodes; TENDON__NO_SHARD when its endpoint is unknown */
    uint16_t first_replica; /* replicas are nodes[first_replica .. + replica_count) */
    uint16_t replica_count;
};

struct tendon__topology {
    struct tendon__memory *memory;
    uint32_t refs;
    uint32_t node_count;
    uint32_t shard_count;
    uint32_t covered; /* slots that have a shard */
    bool overlapping; /* two ranges named one slot; the later won */
    struct tendon__topology_node *nodes;
    struct tendon__topology_shard *shards;
    uint16_t slot_shard[TENDON__SLOT_COUNT];
};

/* Whom the reply came from: fills in what it leaves out (NULL or "" endpoint, port 0). */
struct tendon__topology_origin {
    const char *host;
    uint16_t port;
    bool tls;           /* prefer metadata host names, for verification */
    uint32_t nodes_max; /* more is TENDON_ERROR_LIMIT */
};

/*
 * TENDON_OK with one reference in *out; TENDON_ERROR_TOPOLOGY when the reply is not a slot map or names no
 * usable node, _LIMIT, _NO_MEMORY. The reply may be RESP2 or RESP3.
 */
tendon_status tendon__topology_parse(struct tendon__memory *memory, const struct tendon__tape *tape,
                                     const struct tendon__topology_origin *origin,
                                     struct tendon__topology **out, struct tendon__fault *fault);

/* A map of one primary without replicas that serves every slot: a standalone server. */
tendon_status tendon__topology_single(struct tendon__memory *memory, const char *host, uint16_t port,
                                      struct tendon__topology **out);

/*
 * A copy in which `slot` belongs to host:port (MOVED). If that node is a known replica of the slot's shard
 * this is a failover: the whole shard gets it as primary. An unknown node is added with a shard of its own.
 */
tendon_status tendon__topology_moved(const struct tendon__topology *topology, uint32_t slot, const char *host,
                                     uint16_t port, struct tendon__topology **out);

struct tendon__topology *tendon__topology_ref(struct tendon__topology *topology);
void tendon__topology_unref(struct tendon__topology *topology);

/* NULL when the slot has none. */
const struct tendon__topology_node *tendon__topology_primary(const struct tendon__topology *topology,
                                                             uint32_t slot);
/* The replicas of the slot's shard; count 0 and NULL when it has none. */
const struct tendon__topology_node *tendon__topology_replicas(const struct tendon__topology *topology,
                                                              uint32_t slot, uint32_t *out_count);
bool tendon__topology_equal(const struct tendon__topology *a, const struct tendon__topology *b);

#endif
