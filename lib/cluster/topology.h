/*
 * The cluster map: an immutable snapshot built from one CLUSTER SLOTS reply, shared by reference.
 * Knows which node serves a slot; knows nothing of connections. Quirks of the reply are listed in
 * docs/cluster.md with the field failure that taught each.
 *
 * Maps are canonical: shards are numbered by their first slot, a shard without slot or node does
 * not exist, nodes stand by shard, the primary first, then the replicas by host and port. So the
 * order in which a server lists things never makes two maps differ; who picks a replica must not
 * always pick the first.
 */
#ifndef TENDON_CLUSTER_TOPOLOGY_H
#define TENDON_CLUSTER_TOPOLOGY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/memory.h"
#include "cluster/slots.h"
#include "resp/tape.h"

#define TENDON__HOST_MAX    253 /* octets of a DNS name */
#define TENDON__NODE_ID_MAX 40
#define TENDON__ADDRESS_MAX 63               /* an IPv6 address with a zone */
#define TENDON__NODES_MAX   (UINT16_MAX - 1) /* nodes and shards are named by 16 bits */
#define TENDON__NO_SHARD    UINT16_MAX

struct tendon__topology_node {
    char host[TENDON__HOST_MAX + 1];  /* logical name: connected to, verified and sent as SNI */
    char id[TENDON__NODE_ID_MAX + 1]; /* "" when the server told none */
    char address[TENDON__ADDRESS_MAX + 1]; /* IP from the metadata when host is a name, else "" */
    uint16_t port;
    uint16_t shard; /* index into shards */
    bool primary;
};

struct tendon__topology_shard {
    uint16_t primary;       /* index into nodes; TENDON__NO_SHARD when its endpoint is unknown */
    uint16_t first_replica; /* replicas are nodes[first_replica .. + replica_count) */
    uint16_t replica_count;
};

struct tendon__topology {
    struct tendon__memory *memory;
    uint32_t refs;
    uint32_t node_count;
    uint32_t shard_count;
    uint32_t nodes_max; /* as in the origin; a MOVED may not add more */
    uint32_t covered;   /* slots that have a shard */
    bool overlapping;   /* two ranges named one slot; the later won */
    struct tendon__topology_node *nodes;
    struct tendon__topology_shard *shards;
    uint16_t slot_shard[TENDON__SLOT_COUNT];
};

/* Whom the reply came from: fills in what it leaves out (NULL or "" endpoint, port 0). */
struct tendon__topology_origin {
    const char *host;
    uint16_t port;
    bool tls;           /* prefer metadata host names, for verification */
    uint32_t nodes_max; /* more is TENDON_ERROR_LIMIT; never above TENDON__NODES_MAX */
    /* Puts the address by which a node is reached in place of the one it announces; NULL: they are
     * the same. `host` has room for TENDON__HOST_MAX and a NUL. */
    void (*reach)(const void *context, char *host, uint16_t *port);
    const void *reach_context;
};

/*
 * TENDON_OK with one reference in *out; TENDON_ERROR_TOPOLOGY when the reply is not a slot map or
 * names no usable node, _LIMIT, _NO_MEMORY. The reply may be RESP2 or RESP3. An error reply is told
 * by its own text and prefix in `fault`, so that NOPERM is seen; `fault` may be NULL.
 */
tendon_status tendon__topology_parse(struct tendon__memory *memory, const struct tendon__tape *tape,
                                     const struct tendon__topology_origin *origin,
                                     struct tendon__topology **out, struct tendon__fault *fault);

/*
 * A map of one primary without replicas that serves every slot: a standalone server.
 * TENDON_ERROR_ARGUMENT when the host is longer than TENDON__HOST_MAX, _NO_MEMORY.
 */
tendon_status tendon__topology_single(struct tendon__memory *memory, const char *host,
                                      uint16_t port, struct tendon__topology **out);

/*
 * A copy in which `slot` belongs to host:port (MOVED). If that node is a known replica of the
 * slot's shard this is a failover: the whole shard gets it as primary, and the former primary
 * becomes a replica. An unknown node, or the replica of another shard, gets a shard of its own.
 * TENDON_ERROR_ARGUMENT when slot, host or port is out of range, _LIMIT when the node would be one
 * too many, _NO_MEMORY. Costs a copy: ask tendon__topology_primary first whether the slot is there
 * already.
 */
tendon_status tendon__topology_moved(const struct tendon__topology *topology, uint32_t slot,
                                     const char *host, uint16_t port,
                                     struct tendon__topology **out);

struct tendon__topology *tendon__topology_ref(struct tendon__topology *topology);
void tendon__topology_unref(struct tendon__topology *topology);

/* NULL when the slot has none. */
const struct tendon__topology_node *
tendon__topology_primary(const struct tendon__topology *topology, uint32_t slot);
/* The replicas of the slot's shard; count 0 and NULL when it has none. */
const struct tendon__topology_node *
tendon__topology_replicas(const struct tendon__topology *topology, uint32_t slot,
                          uint32_t *out_count);
/* The node known by this host, or by this address if its host is another name; NULL when none is.
 */
const struct tendon__topology_node *tendon__topology_find(const struct tendon__topology *topology,
                                                          const char *host, uint16_t port);
/* Same nodes with the same ids and addresses in the same roles for the same slots. */
bool tendon__topology_equal(const struct tendon__topology *a, const struct tendon__topology *b);

/*
 * Copies a host name or address that a peer told. False, and `out` untouched, when it is empty,
 * "?", longer than TENDON__HOST_MAX or holds anything but printable ASCII without blanks.
 */
bool tendon__host_copy(char out[TENDON__HOST_MAX + 1], const void *text, size_t size);

#endif
