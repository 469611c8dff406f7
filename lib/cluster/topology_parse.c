/*
 * A CLUSTER SLOTS reply to a map. The reply is an array of rows [first, last, primary, replica...]
 * whose nodes are [endpoint, port, id, metadata]; docs/cluster.md lists what servers really send.
 * One odd row must not cost the others, so rows and nodes that make no sense are skipped; only the
 * whole reply is refused.
 */
#include <string.h>

#include "cluster/topology_draft.h"

/* Of the index by endpoint: short chains up to the default cluster_max_nodes. */
#define BUCKET_COUNT 1024
#define NO_NODE      TENDON__NODES_MAX /* behind the last index a draft can have */

struct parser {
    const struct tendon__tape *tape;
    const struct tendon__topology_origin *origin;
    struct tendon__topology_draft *draft;
    uint32_t row_count;
    uint32_t slot_sum; /* of all ranges taken, overlaps counted again */
    uint16_t buckets[BUCKET_COUNT];
    uint16_t *chain; /* by node index: the next node of the same bucket */
    uint32_t chain_room;
};

static bool is_array(const struct tendon__tape *tape, uint32_t index, uint32_t size_min)
{
    return tendon__tape_is_aggregate(tape, index) && tape->nodes[index].type == TENDON_NODE_ARRAY &&
           tape->nodes[index].size >= size_min;
}

/* --- One node: endpoint, port, id, metadata --- */

static bool is_address(const char *host)
{
    return strchr(host, ':') || host[strspn(host, "0123456789.")] == '\0';
}

/* A text under `key` in the metadata; an empty one is absent (ElastiCache sends hostname: ""). */
static bool copy_metadata(const struct tendon__tape *tape, uint32_t metadata, const char *key,
                          char out[TENDON__HOST_MAX + 1])
{
    uint32_t index = metadata ? tendon__tape_lookup(tape, metadata, key) : 0;
    if (index == 0 || !tendon__tape_is_text(tape, index))
        return false;
    tendon_bytes text = tendon__tape_text(tape, index);
    return tendon__host_copy(out, text.data, text.size);
}

static bool read_port(const struct parser *parser, uint32_t index, uint16_t *out)
{
    int64_t port;
    if (!tendon__tape_integer(parser->tape, index, &port) || port < 0 || port > UINT16_MAX)
        return false;
    *out = port ? (uint16_t)port : parser->origin->port;
    return *out != 0;
}

/* The announced endpoint stands at `index`, the metadata, if any, at `metadata`. */
static bool read_host(const struct parser *parser, uint32_t index, uint32_t metadata,
                      struct tendon__topology_node *out)
{
    const struct tendon__tape *tape = parser->tape;
    char name[TENDON__HOST_MAX + 1] = "";
    char address[TENDON__HOST_MAX + 1] = "";
    bool has_name = copy_metadata(tape, metadata, "hostname", name);
    bool has_address = copy_metadata(tape, metadata, "ip", address) && is_address(address) &&
                       strlen(address) <= TENDON__ADDRESS_MAX;
    bool is_null = tape->nodes[index].type == TENDON_NODE_NULL;
    if (!is_null && !tendon__tape_is_text(tape, index))
        return false;
    tendon_bytes endpoint = tendon__tape_text(tape, index);
    if (endpoint.size == 0) {
        /* NULL or "": where this reply came from. The server does not know how it is reached from
         * here. */
        const char *host = parser->origin->host;
        if (!tendon__host_copy(out->host, host, strlen(host)))
            return false;
    } else if (!tendon__host_copy(out->host, endpoint.data, endpoint.size)) {
        /* "?" is some other node whose name is not known yet, never the one that answered. */
        if (!has_name && !has_address)
            return false;
        bool by_name = has_name && (parser->origin->tls || !has_address);
        memcpy(out->host, by_name ? name : address, sizeof out->host);
    } else if (parser->origin->tls && has_name && is_address(out->host)) {
        /* Certificates name hosts, not addresses: an announced address yields to the name beside
         * it. */
        if (strlen(out->host) <= TENDON__ADDRESS_MAX) {
            memcpy(address, out->host, sizeof address);
            has_address = true;
        }
        memcpy(out->host, name, sizeof out->host);
    }
    if (has_address && !is_address(out->host))
        memcpy(out->address, address, strlen(address) + 1);
    return true;
}

static bool read_node(const struct parser *parser, uint32_t index,
                      struct tendon__topology_node *out)
{
    const struct tendon__tape *tape = parser->tape;
    memset(out, 0, sizeof *out);
    if (!is_array(tape, index, 2))
        return false;
    const tendon_node *node = &tape->nodes[index];
    uint32_t endpoint = index + 1;
    uint32_t port = tendon__tape_skip(tape, endpoint);
    uint32_t id = node->size > 2 ? tendon__tape_skip(tape, port) : 0;
    uint32_t metadata = node->size > 3 ? tendon__tape_skip(tape, id) : 0;
    if (metadata && !tendon__tape_is_aggregate(tape, metadata))
        metadata = 0;
    if (id && tendon__tape_is_text(tape, id)) {
        tendon_bytes text = tendon__tape_text(tape, id);
        char copy[TENDON__HOST_MAX + 1];
        if (text.size <= TENDON__NODE_ID_MAX && tendon__host_copy(copy, text.data, text.size))
            memcpy(out->id, copy, text.size + 1);
    }
    if (!read_port(parser, port, &out->port) || !read_host(parser, endpoint, metadata, out))
        return false;
    if (parser->origin->reach)
        parser->origin->reach(parser->origin->reach_context, out->host, &out->port);
    return true;
}

/* --- Every node once --- */

static uint32_t bucket_of(const struct tendon__topology_node *node)
{
    uint32_t hash = 2166136261u ^ node->port;
    for (const char *at = node->host; *at; at++)
        hash = (hash ^ (uint8_t)*at) * 16777619u;
    return (hash ^ hash >> 16) % BUCKET_COUNT;
}

static uint16_t find_node(const struct parser *parser, const struct tendon__topology_node *node)
{
    uint16_t index = parser->buckets[bucket_of(node)];
    for (; index != NO_NODE; index = parser->chain[index]) {
        const struct tendon__topology_node *known = &parser->draft->nodes[index];
        if (known->port == node->port && strcmp(known->host, node->host) == 0)
            break;
    }
    return index;
}

static tendon_status add_node(struct parser *parser, const struct tendon__topology_node *node)
{
    struct tendon__topology_draft *draft = parser->draft;
    uint16_t index = (uint16_t)draft->node_count;
    tendon_status status = tendon__draft_add(draft, node);
    if (status != TENDON_OK)
        return status;
    if (parser->chain_room < draft->node_room) {
        void *grown = tendon__memory_resize(draft->memory, parser->chain,
                                            draft->node_room * sizeof *parser->chain);
        if (!grown)
            return TENDON_ERROR_NO_MEMORY;
        parser->chain = grown;
        parser->chain_room = draft->node_room;
    }
    uint32_t bucket = bucket_of(node);
    parser->chain[index] = parser->buckets[bucket];
    parser->buckets[bucket] = index;
    return TENDON_OK;
}

/* --- One row: a range of slots and the nodes of its shard --- */

/*
 * Which shard the row speaks of. Rows with the same primary are one shard. A row whose primary
 * cannot be told joins the shard of the first replica that is known already. Only a row without any
 * usable node has none.
 */
static tendon_status find_shard(struct parser *parser, uint32_t row, uint16_t *out_shard)
{
    const struct tendon__tape *tape = parser->tape;
    struct tendon__topology_draft *draft = parser->draft;
    struct tendon__topology_node node;
    bool usable = false;
    uint32_t index = row + 3; /* behind the array and its two integers */
    *out_shard = TENDON__NO_SHARD;
    for (uint32_t i = 2; i < tape->nodes[row].size && index < tape->node_count;
         i++, index = tendon__tape_skip(tape, index)) {
        if (!read_node(parser, index, &node))
            continue;
        usable = true;
        uint16_t known = find_node(parser, &node);
        if (known != NO_NODE && (i > 2 || draft->nodes[known].primary)) {
            *out_shard = draft->nodes[known].shard;
            return TENDON_OK;
        }
        if (i > 2)
            continue;
        *out_shard = node.shard = (uint16_t)draft->shard_count++;
        node.primary = true;
        if (known == NO_NODE)
            return add_node(parser, &node);
        /* Another row called it a replica. Being named the owner of slots weighs more. */
        draft->nodes[known].shard = node.shard;
        draft->nodes[known].primary = true;
        return TENDON_OK;
    }
    if (usable)
        *out_shard = (uint16_t)draft->shard_count++;
    return TENDON_OK;
}

static tendon_status add_replicas(struct parser *parser, uint32_t row, uint16_t shard)
{
    const struct tendon__tape *tape = parser->tape;
    struct tendon__topology_node node;
    uint32_t index = tendon__tape_skip(tape, row + 3);
    for (uint32_t i = 3; i < tape->nodes[row].size && index < tape->node_count;
         i++, index = tendon__tape_skip(tape, index)) {
        if (!read_node(parser, index, &node) || find_node(parser, &node) != NO_NODE)
            continue;
        node.shard = shard;
        tendon_status status = add_node(parser, &node);
        if (status != TENDON_OK)
            return status;
    }
    return TENDON_OK;
}

static tendon_status read_row(struct parser *parser, uint32_t row)
{
    const struct tendon__tape *tape = parser->tape;
    int64_t first;
    int64_t last;
    uint16_t shard;
    if (!is_array(tape, row, 3))
        return TENDON_OK;
    /* Integers and digits are one node each, so the range stands at fixed places. */
    if (!tendon__tape_integer(tape, row + 1, &first) ||
        !tendon__tape_integer(tape, row + 2, &last) || first < 0 || last < first ||
        last >= TENDON__SLOT_COUNT)
        return TENDON_OK;
    tendon_status status = find_shard(parser, row, &shard);
    if (status != TENDON_OK || shard == TENDON__NO_SHARD)
        return status;
    status = add_replicas(parser, row, shard);
    for (int64_t slot = first; slot <= last; slot++)
        parser->draft->slot_shard[slot] = shard;
    parser->slot_sum += (uint32_t)(last - first + 1);
    return status;
}

/* --- The whole reply --- */

static tendon_status check_root(const struct parser *parser, struct tendon__fault *fault)
{
    const struct tendon__topology_origin *origin = parser->origin;
    const tendon_node *root = parser->tape->nodes;
    if (parser->tape->node_count == 0)
        return tendon__fault_set(fault, TENDON_ERROR_TOPOLOGY, "empty reply to CLUSTER SLOTS");
    if (root->type == TENDON_NODE_ERROR) {
        tendon_bytes text = tendon__tape_text(parser->tape, 0);
        return tendon__fault_server(fault, TENDON_ERROR_TOPOLOGY, text.data, text.size);
    }
    if (root->type != TENDON_NODE_ARRAY)
        return tendon__fault_set(
            fault, TENDON_ERROR_TOPOLOGY,
            "%s:%u answered CLUSTER SLOTS with something that is not an array; "
            "check that it is a cluster node",
            origin->host, (unsigned)origin->port);
    /* More rows than slots cannot all say something, and each may cost a pass over its range. */
    if (root->size > TENDON__SLOT_COUNT)
        return tendon__fault_set(
            fault, TENDON_ERROR_LIMIT,
            "%s:%u answered CLUSTER SLOTS with %u rows, more than there are slots", origin->host,
            (unsigned)origin->port, (unsigned)root->size);
    return TENDON_OK;
}

static tendon_status read_rows(struct parser *parser)
{
    uint32_t row = 1;
    parser->row_count = parser->tape->nodes[0].size;
    for (uint32_t i = 0; i < parser->row_count && row < parser->tape->node_count; i++) {
        tendon_status status = read_row(parser, row);
        if (status != TENDON_OK)
            return status;
        row = tendon__tape_skip(parser->tape, row);
    }
    return parser->draft->node_count ? TENDON_OK : TENDON_ERROR_TOPOLOGY;
}

static tendon_status explain(const struct parser *parser, tendon_status status,
                             struct tendon__fault *fault)
{
    const struct tendon__topology_origin *origin = parser->origin;
    if (status == TENDON_ERROR_LIMIT)
        return tendon__fault_set(
            fault, status,
            "the cluster map of %s:%u names more than %u nodes; raise cluster_max_nodes "
            "if the cluster is that large",
            origin->host, (unsigned)origin->port, (unsigned)parser->draft->nodes_max);
    if (status == TENDON_ERROR_NO_MEMORY)
        return tendon__fault_set(fault, status, "no memory for the cluster map");
    return tendon__fault_set(
        fault, status,
        "the cluster map of %s:%u has %u rows and no usable node; check that slots are "
        "assigned and that the nodes announce an address or host name",
        origin->host, (unsigned)origin->port, (unsigned)parser->row_count);
}

tendon_status tendon__topology_parse(struct tendon__memory *memory, const struct tendon__tape *tape,
                                     const struct tendon__topology_origin *origin,
                                     struct tendon__topology **out, struct tendon__fault *fault)
{
    struct parser parser = {.tape = tape, .origin = origin};
    tendon_status status = check_root(&parser, fault);
    if (status != TENDON_OK)
        return status;
    for (uint32_t i = 0; i < BUCKET_COUNT; i++)
        parser.buckets[i] = NO_NODE;
    parser.draft = tendon__draft_create(memory, origin->nodes_max);
    if (!parser.draft)
        return tendon__fault_set(fault, TENDON_ERROR_NO_MEMORY, "no memory for the cluster map");
    status = read_rows(&parser);
    if (status == TENDON_OK) {
        uint32_t covered = 0;
        for (uint32_t slot = 0; slot < TENDON__SLOT_COUNT; slot++)
            covered += parser.draft->slot_shard[slot] != TENDON__NO_SHARD;
        parser.draft->overlapping = parser.slot_sum > covered;
        status = tendon__draft_finish(parser.draft, out);
    }
    if (status != TENDON_OK)
        status = explain(&parser, status, fault);
    tendon__memory_free(memory, parser.chain);
    tendon__draft_destroy(parser.draft);
    return status;
}
