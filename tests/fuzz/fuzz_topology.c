/*
 * Any bytes through the decoder into a cluster map: no crash, no leak, and what holds for every map
 * holds. The first byte chooses TLS or not; then MOVED is applied with what the bytes happen to
 * name.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/topology.h"
#include "resp/decoder.h"

/* As assert, but also in builds without assertions. */
#define REQUIRE(condition) ((condition) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_map(const struct tendon__topology *map)
{
    uint32_t covered = 0;
    uint32_t numbered = 0;
    uint32_t at = 0;
    REQUIRE(map->node_count > 0 && map->node_count <= map->nodes_max);
    for (uint32_t slot = 0; slot < TENDON__SLOT_COUNT; slot++) {
        uint16_t shard = map->slot_shard[slot];
        covered += shard != TENDON__NO_SHARD;
        REQUIRE(shard == TENDON__NO_SHARD || shard <= numbered);
        numbered += shard == numbered;
    }
    REQUIRE(covered == map->covered && numbered == map->shard_count);
    for (uint32_t i = 0; i < map->shard_count; i++) {
        const struct tendon__topology_shard *shard = &map->shards[i];
        REQUIRE(shard->primary == TENDON__NO_SHARD || shard->primary == at++);
        REQUIRE(shard->replica_count == 0 || shard->first_replica == at);
        at += shard->replica_count;
    }
    REQUIRE(at == map->node_count);
    for (uint32_t i = 0; i < map->node_count; i++) {
        const struct tendon__topology_node *node = &map->nodes[i];
        REQUIRE(node->port && node->host[0] && strlen(node->host) <= TENDON__HOST_MAX);
        REQUIRE(node->shard < map->shard_count);
        REQUIRE(node->primary == (map->shards[node->shard].primary == i));
        REQUIRE(tendon__topology_find(map, node->host, node->port) == node);
    }
    REQUIRE(tendon__topology_equal(map, map));
}

static void apply_moved(const struct tendon__topology *map, uint32_t seed)
{
    struct tendon__topology *moved = NULL;
    const struct tendon__topology_node *to = &map->nodes[seed % map->node_count];
    uint32_t slot = seed % TENDON__SLOT_COUNT;
    tendon_status status = tendon__topology_moved(map, slot, to->host, to->port, &moved);
    REQUIRE(status == TENDON_OK);
    check_map(moved);
    REQUIRE(strcmp(tendon__topology_primary(moved, slot)->host, to->host) == 0);
    tendon__topology_unref(moved);
    status = tendon__topology_moved(map, slot, "stranger", 1, &moved);
    REQUIRE(status == TENDON_OK ||
            (status == TENDON_ERROR_LIMIT && map->node_count == map->nodes_max));
    if (status == TENDON_OK) {
        check_map(moved);
        tendon__topology_unref(moved);
    }
}

static void parse(const struct tendon__decoder *decoder, const uint8_t *data, bool tls)
{
    struct tendon__tape tape = {decoder->nodes, decoder->node_count, data};
    struct tendon__topology_origin origin = {
        .host = "seed", .port = 6379, .tls = tls, .nodes_max = 40};
    struct tendon__topology *map = NULL;
    struct tendon__fault fault;
    tendon_status status =
        tendon__topology_parse(tendon__memory_system(), &tape, &origin, &map, &fault);
    if (status != TENDON_OK) {
        REQUIRE(status == TENDON_ERROR_TOPOLOGY || status == TENDON_ERROR_LIMIT);
        REQUIRE(!map && fault.status == status);
        return;
    }
    check_map(map);
    apply_moved(map, data[decoder->consumed / 2] * 257u + decoder->node_count);
    tendon__topology_unref(map);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const struct tendon__decode_limits limits = {
        .bytes_max = 1 << 20, .nodes_max = 1 << 16, .depth_max = 32};
    struct tendon__decoder decoder;
    if (size < 2)
        return 0;
    uint8_t *copy = malloc(size - 1);
    REQUIRE(copy);
    memcpy(copy, bytes + 1, size - 1);
    tendon__decoder_init(&decoder, &limits, tendon__memory_system());
    if (tendon__decoder_feed(&decoder, copy, size - 1) == TENDON__DECODE_DONE)
        parse(&decoder, copy, bytes[0] & 1);
    tendon__decoder_deinit(&decoder);
    free(copy);
    return 0;
}
