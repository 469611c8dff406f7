/* Maps after they were parsed: MOVED, one node for all, sharing, finding, comparing. */
#include "slots_reply.h"

static const struct tendon__topology_origin origin = {
    .host = "seed", .port = 6379, .tls = true, .nodes_max = 8};

static struct tendon__topology *parse(struct counting_memory *memory, const char *notation)
{
    struct slots_reply reply;
    struct tendon__topology *map = NULL;
    cr_assert(
        slots_reply_encode(&reply, notation, (struct encoding){.protocol = 3, .poison_at = -1}));
    cr_assert_eq(tendon__topology_parse(&memory->memory, &reply.tape, &origin, &map, NULL),
                 TENDON_OK);
    slots_reply_free(&reply);
    return map;
}

/* Two shards: a with replicas b and c has 0-99 and 200-299, d without replicas has 100-199. */
static struct tendon__topology *two_shards(struct counting_memory *memory)
{
    return parse(memory,
                 "[[0, 99, [\"a\", 1, \"ida\", {\"ip\": \"10.0.0.1\"}], [\"b\", 1], [\"c\", 1]],"
                 " [100, 199, [\"d\", 1]], [200, 299, [\"a\", 1], [\"b\", 1], [\"c\", 1]]]");
}

static const char *primary_of(const struct tendon__topology *map, uint32_t slot)
{
    const struct tendon__topology_node *node = tendon__topology_primary(map, slot);
    return node ? node->host : "none";
}

static uint32_t replicas_of(const struct tendon__topology *map, uint32_t slot)
{
    uint32_t count;
    const struct tendon__topology_node *replicas = tendon__topology_replicas(map, slot, &count);
    cr_assert_eq(replicas == NULL, count == 0);
    for (uint32_t i = 0; i < count; i++) {
        cr_assert_eq(replicas[i].shard, map->slot_shard[slot]);
        cr_assert_not(replicas[i].primary);
    }
    return count;
}

static struct tendon__topology *move(const struct tendon__topology *map, uint32_t slot,
                                     const char *host)
{
    struct tendon__topology *moved = NULL;
    cr_assert_eq(tendon__topology_moved(map, slot, host, 1, &moved), TENDON_OK);
    cr_assert_str_eq(primary_of(moved, slot), host);
    return moved;
}

Test(topology_map, moved_to_a_known_primary)
{
    struct counting_memory memory = counting_memory_make();
    struct tendon__topology *map = two_shards(&memory);
    struct tendon__topology *moved = move(map, 50, "d");
    cr_assert_str_eq(primary_of(moved, 49), "a");
    cr_assert_str_eq(primary_of(moved, 150), "d");
    cr_assert_eq(moved->node_count, 4);
    cr_assert_eq(replicas_of(moved, 50), 0);
    cr_assert_eq(replicas_of(moved, 49), 2);
    cr_assert_str_eq(primary_of(map, 50), "a", "the old snapshot must not change");
    tendon__topology_unref(moved);
    tendon__topology_unref(map);
    cr_assert_eq(memory.blocks, 0);
}

Test(topology_map, moved_to_a_replica_of_the_shard_is_a_failover)
{
    struct counting_memory memory = counting_memory_make();
    struct tendon__topology *map = two_shards(&memory);
    struct tendon__topology *moved = move(map, 50, "c");
    cr_assert_str_eq(primary_of(moved, 0), "c");
    cr_assert_str_eq(primary_of(moved, 299), "c");
    cr_assert_str_eq(primary_of(moved, 150), "d");
    cr_assert_eq(replicas_of(moved, 0), 2, "the former primary is a replica now");
    cr_assert_eq(moved->node_count, 4);
    struct tendon__topology *back = move(moved, 299, "a");
    cr_assert(tendon__topology_equal(map, back));
    tendon__topology_unref(back);
    tendon__topology_unref(moved);
    tendon__topology_unref(map);
    cr_assert_eq(memory.blocks, 0);
}

Test(topology_map, moved_to_a_replica_of_another_shard)
{
    struct counting_memory memory = counting_memory_make();
    struct tendon__topology *map = two_shards(&memory);
    struct tendon__topology *moved = move(map, 150, "b");
    cr_assert_str_eq(primary_of(moved, 0), "a");
    cr_assert_str_eq(primary_of(moved, 151), "d");
    cr_assert_eq(replicas_of(moved, 0), 1);
    cr_assert_eq(replicas_of(moved, 150), 0);
    cr_assert_eq(moved->shard_count, 3);
    cr_assert_eq(moved->node_count, 4);
    tendon__topology_unref(moved);
    tendon__topology_unref(map);
    cr_assert_eq(memory.blocks, 0);
}

Test(topology_map, moved_to_a_stranger_and_into_a_hole)
{
    struct counting_memory memory = counting_memory_make();
    struct tendon__topology *map = two_shards(&memory);
    struct tendon__topology *moved = move(map, 50, "new");
    cr_assert_eq(moved->node_count, 5);
    cr_assert_str_eq(primary_of(moved, 51), "a");
    struct tendon__topology *hole = move(moved, 16383, "newer");
    cr_assert_eq(hole->covered, map->covered + 1);
    cr_assert_str_eq(primary_of(hole, 16382), "none");
    struct tendon__topology *into_known = move(hole, 16382, "b");
    cr_assert_eq(replicas_of(into_known, 0), 1);
    tendon__topology_unref(into_known);
    tendon__topology_unref(hole);
    tendon__topology_unref(moved);
    tendon__topology_unref(map);
    cr_assert_eq(memory.blocks, 0);
}

Test(topology_map, moved_drops_a_shard_with_its_last_slot)
{
    struct counting_memory memory = counting_memory_make();
    struct tendon__topology *map =
        parse(&memory, "[[0, 0, [\"a\", 1], [\"b\", 1]], [1, 1, [\"c\", 1]]]");
    struct tendon__topology *moved = move(map, 0, "c");
    cr_assert_eq(moved->shard_count, 1);
    cr_assert_eq(moved->node_count, 1);
    tendon__topology_unref(moved);
    tendon__topology_unref(map);
    cr_assert_eq(memory.blocks, 0);
}

Test(topology_map, moved_gives_a_shard_without_primary_one)
{
    struct counting_memory memory = counting_memory_make();
    struct tendon__topology *map = parse(&memory, "[[0, 9, [\"?\", 1], [\"a\", 1], [\"b\", 1]]]");
    struct tendon__topology *moved = move(map, 5, "b");
    cr_assert_str_eq(primary_of(moved, 0), "b");
    cr_assert_eq(replicas_of(moved, 0), 1);
    tendon__topology_unref(moved);
    tendon__topology_unref(map);
    cr_assert_eq(memory.blocks, 0);
}

/* A redirect names a TLS node by its address although the map knows it by name: one node, not two.
 */
Test(topology_map, moved_finds_a_node_by_its_address)
{
    struct counting_memory memory = counting_memory_make();
    struct tendon__topology *map = two_shards(&memory);
    struct tendon__topology *moved = NULL;
    cr_assert_eq(tendon__topology_moved(map, 150, "10.0.0.1", 1, &moved), TENDON_OK);
    cr_assert_str_eq(primary_of(moved, 150), "a");
    cr_assert_eq(moved->node_count, 4);
    tendon__topology_unref(moved);
    tendon__topology_unref(map);
    cr_assert_eq(memory.blocks, 0);
}

/* A peer that redirects every slot to another stranger grows the map to its limit, no further. */
Test(topology_map, moved_is_bounded)
{
    struct counting_memory memory = counting_memory_make();
    struct tendon__topology *map = two_shards(&memory);
    struct tendon__topology *moved;
    uint32_t accepted = 0;
    for (uint16_t slot = 0; slot < 99; slot++) {
        char host[16];
        snprintf(host, sizeof host, "stranger%u", (unsigned)slot);
        tendon_status status = tendon__topology_moved(map, slot, host, 1, &moved);
        if (status != TENDON_OK) {
            cr_assert_eq(status, TENDON_ERROR_LIMIT);
            continue;
        }
        accepted++;
        tendon__topology_unref(map);
        map = moved;
    }
    cr_assert_eq(accepted, 4);
    cr_assert_eq(map->node_count, origin.nodes_max);
    tendon__topology_unref(map);
    cr_assert_eq(memory.blocks, 0);
}

Test(topology_map, moved_refuses_what_is_out_of_range)
{
    struct counting_memory memory = counting_memory_make();
    struct tendon__topology *map = two_shards(&memory);
    struct tendon__topology *moved = NULL;
    char host[TENDON__HOST_MAX + 2];
    memset(host, 'h', sizeof host - 1);
    host[sizeof host - 1] = '\0';
    cr_assert_eq(tendon__topology_moved(map, TENDON__SLOT_COUNT, "a", 1, &moved),
                 TENDON_ERROR_ARGUMENT);
    cr_assert_eq(tendon__topology_moved(map, 0, "", 1, &moved), TENDON_ERROR_ARGUMENT);
    cr_assert_eq(tendon__topology_moved(map, 0, "a", 0, &moved), TENDON_ERROR_ARGUMENT);
    cr_assert_eq(tendon__topology_moved(map, 0, host, 1, &moved), TENDON_ERROR_ARGUMENT);
    cr_assert_eq(tendon__topology_single(&memory.memory, host, 1, &moved), TENDON_ERROR_ARGUMENT);
    cr_assert_null(moved);
    tendon__topology_unref(map);
    cr_assert_eq(memory.blocks, 0);
}

Test(topology_map, single)
{
    struct counting_memory memory = counting_memory_make();
    struct tendon__topology *map = NULL;
    cr_assert_eq(tendon__topology_single(&memory.memory, "/run/redis.sock", 0, &map), TENDON_OK);
    cr_assert_eq(map->covered, TENDON__SLOT_COUNT);
    cr_assert_eq(map->node_count, 1);
    cr_assert_str_eq(primary_of(map, 0), "/run/redis.sock");
    cr_assert_str_eq(primary_of(map, 16383), "/run/redis.sock");
    cr_assert_eq(replicas_of(map, 7), 0);
    tendon__topology_unref(map);
    cr_assert_eq(memory.blocks, 0);
}

Test(topology_map, references)
{
    struct counting_memory memory = counting_memory_make();
    struct tendon__topology *map = two_shards(&memory);
    cr_assert_eq(tendon__topology_ref(map), map);
    tendon__topology_unref(map);
    cr_assert_eq(memory.blocks, 1);
    tendon__topology_unref(map);
    cr_assert_eq(memory.blocks, 0);
    tendon__topology_unref(NULL);
}

Test(topology_map, find)
{
    struct counting_memory memory = counting_memory_make();
    struct tendon__topology *map = two_shards(&memory);
    cr_assert_str_eq(tendon__topology_find(map, "c", 1)->host, "c");
    cr_assert_str_eq(tendon__topology_find(map, "10.0.0.1", 1)->host, "a");
    cr_assert_null(tendon__topology_find(map, "c", 2));
    cr_assert_null(tendon__topology_find(map, "", 1));
    cr_assert_null(tendon__topology_find(map, "z", 1));
    tendon__topology_unref(map);
    cr_assert_eq(memory.blocks, 0);
}

Test(topology_map, equal_whatever_the_order)
{
    /* Another id, another port, no replica, the replica of another, other roles, another owner, a
     * hole, another address. */
    static const char *const others[] = {
        "[[0, 9, [\"a\", 1, \"x\"], [\"b\", 1]], [10, 19, [\"c\", 1]]]",
        "[[0, 9, [\"a\", 2], [\"b\", 1]], [10, 19, [\"c\", 1]]]",
        "[[0, 9, [\"a\", 1]], [10, 19, [\"c\", 1]]]",
        "[[0, 9, [\"a\", 1]], [10, 19, [\"c\", 1], [\"b\", 1]]]",
        "[[0, 9, [\"b\", 1], [\"a\", 1]], [10, 19, [\"c\", 1]]]",
        "[[0, 8, [\"a\", 1], [\"b\", 1]], [9, 19, [\"c\", 1]]]",
        "[[0, 9, [\"a\", 1], [\"b\", 1]], [10, 18, [\"c\", 1]]]",
        "[[0, 9, [\"a\", 1, \"\", {\"ip\": \"::1\"}], [\"b\", 1]], [10, 19, [\"c\", 1]]]",
    };
    struct counting_memory memory = counting_memory_make();
    struct tendon__topology *map =
        parse(&memory, "[[0, 9, [\"a\", 1], [\"b\", 1]], [10, 19, [\"c\", 1]]]");
    struct tendon__topology *same = parse(
        &memory, "[[10, 19, [\"c\", 1]], [5, 9, [\"a\", 1]], [0, 4, [\"a\", 1], [\"b\", 1]]]");
    cr_assert(tendon__topology_equal(map, map));
    cr_assert(tendon__topology_equal(map, same));
    tendon__topology_unref(same);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct tendon__topology *other = parse(&memory, others[i]);
        cr_assert_not(tendon__topology_equal(map, other), "%s", others[i]);
        cr_assert_not(tendon__topology_equal(other, map), "%s", others[i]);
        tendon__topology_unref(other);
    }
    tendon__topology_unref(map);
    cr_assert_eq(memory.blocks, 0);
}
