/* CLUSTER SLOTS replies of every shape to maps, and what can be asked of a map. */
#include "slots_reply.h"

static const struct tendon__topology_origin plain = {
    .host = "seed.example", .port = 6379, .tls = false, .nodes_max = 100};
static const struct tendon__topology_origin secure = {
    .host = "seed.example", .port = 6379, .tls = true, .nodes_max = 100};

/* Whatever the peer sent, a map that was handed out holds these. */
static void check_map(const struct tendon__topology *map)
{
    uint32_t covered = 0;
    uint32_t next_shard = 0;
    cr_assert_gt(map->node_count, 0);
    for (uint32_t slot = 0; slot < TENDON__SLOT_COUNT; slot++) {
        uint16_t shard = map->slot_shard[slot];
        if (shard == TENDON__NO_SHARD)
            continue;
        covered++;
        cr_assert_leq(shard, next_shard, "shards are not numbered by their first slot");
        next_shard += shard == next_shard;
    }
    cr_assert_eq(covered, map->covered);
    cr_assert_eq(next_shard, map->shard_count);
    uint32_t at = 0;
    for (uint32_t i = 0; i < map->shard_count; i++) {
        const struct tendon__topology_shard *shard = &map->shards[i];
        if (shard->primary != TENDON__NO_SHARD)
            cr_assert_eq(shard->primary, at++);
        if (shard->replica_count)
            cr_assert_eq(shard->first_replica, at);
        at += shard->replica_count;
    }
    cr_assert_eq(at, map->node_count);
    for (uint32_t i = 0; i < map->node_count; i++) {
        const struct tendon__topology_node *node = &map->nodes[i];
        cr_assert(node->shard < map->shard_count && node->port && node->host[0]);
        cr_assert_eq(node->primary, map->shards[node->shard].primary == i);
        cr_assert_str_neq(node->host, "?");
    }
}

/* The map of a reply that has one, from its RESP2 form; the RESP3 form must give an equal one. */
static struct tendon__topology *parse(const char *notation,
                                      const struct tendon__topology_origin *origin)
{
    struct slots_reply old;
    struct slots_reply new;
    struct tendon__topology *map = NULL;
    struct tendon__topology *other = NULL;
    cr_assert(
        slots_reply_encode(&old, notation, (struct encoding){.protocol = 2, .poison_at = -1}));
    cr_assert(
        slots_reply_encode(&new, notation, (struct encoding){.protocol = 3, .poison_at = -1}));
    cr_assert_eq(tendon__topology_parse(tendon__memory_system(), &old.tape, origin, &map, NULL),
                 TENDON_OK);
    cr_assert_eq(tendon__topology_parse(&new.memory.memory, &new.tape, origin, &other, NULL),
                 TENDON_OK);
    check_map(map);
    check_map(other);
    cr_assert(tendon__topology_equal(map, other));
    tendon__topology_unref(other);
    slots_reply_free(&old);
    slots_reply_free(&new);
    return map;
}

static tendon_status refuse(const char *notation, const struct tendon__topology_origin *origin,
                            struct tendon__fault *fault)
{
    tendon_status status = TENDON_OK;
    for (int protocol = 2; protocol <= 3; protocol++) {
        struct slots_reply reply;
        struct tendon__topology *map = NULL;
        cr_assert(slots_reply_encode(&reply, notation,
                                     (struct encoding){.protocol = protocol, .poison_at = -1}));
        status = tendon__topology_parse(&reply.memory.memory, &reply.tape, origin, &map, fault);
        cr_assert_neq(status, TENDON_OK, "%s", notation);
        cr_assert_eq(status, fault->status);
        cr_assert_neq(fault->text[0], '\0');
        cr_assert_null(map);
        slots_reply_free(&reply);
    }
    return status;
}

static void expect_primary(const struct tendon__topology *map, uint32_t slot, const char *host,
                           uint16_t port)
{
    const struct tendon__topology_node *node = tendon__topology_primary(map, slot);
    cr_assert_not_null(node, "slot %u has no primary", slot);
    cr_assert_str_eq(node->host, host);
    cr_assert_eq(node->port, port);
}

/* One row with one node, written by the test; its host must become `host`, its address `address`.
 */
static void expect_endpoint(const char *node, const struct tendon__topology_origin *origin,
                            const char *host, uint16_t port, const char *address)
{
    char notation[1024];
    snprintf(notation, sizeof notation, "[[0, 16383, %s]]", node);
    struct tendon__topology *map = parse(notation, origin);
    expect_primary(map, 0, host, port);
    cr_assert_str_eq(map->nodes[0].address, address);
    tendon__topology_unref(map);
}

static const char usual[] =
    "[[0, 5460, ['10.0.0.1', 6379, 'a', {}], ['10.0.0.4', 6379, 'd', {}]],"
    " [5461, 10922, ['10.0.0.2', 6379, 'b', {}], ['10.0.0.5', 6379, 'e', {}]],"
    " [10923, 16383, ['10.0.0.3', 6379, 'c', {}], ['10.0.0.6', 6379, 'f', {}],"
    "  ['10.0.0.7', 6379, 'g', {}]]]";

/* The notation with ' for ", readable inside C strings. */
static const char *quoted(const char *text)
{
    static char copy[8192];
    cr_assert_lt(strlen(text), sizeof copy);
    strcpy(copy, text);
    for (char *at = copy; *at; at++)
        if (*at == '\'')
            *at = '"';
    return copy;
}

static void reach_behind_the_gate(const void *context, char *host, uint16_t *port)
{
    cr_assert_eq(context, usual);
    if (strcmp(host, "10.0.0.1") != 0)
        return;
    strcpy(host, "gate");
    *port = (uint16_t)(*port + 1);
}

Test(topology, nodes_have_the_address_by_which_they_are_reached)
{
    struct tendon__topology_origin origin = plain;
    origin.reach = reach_behind_the_gate;
    origin.reach_context = usual;
    struct tendon__topology *map = parse(quoted(usual), &origin);
    expect_primary(map, 0, "gate", 6380);
    expect_primary(map, 5461, "10.0.0.2", 6379);
    cr_assert_null(tendon__topology_find(map, "10.0.0.1", 6379));
    tendon__topology_unref(map);
}

Test(topology, the_usual_reply)
{
    struct tendon__topology *map = parse(quoted(usual), &plain);
    uint32_t count;
    cr_assert_eq(map->node_count, 7);
    cr_assert_eq(map->shard_count, 3);
    cr_assert_eq(map->covered, TENDON__SLOT_COUNT);
    cr_assert_not(map->overlapping);
    expect_primary(map, 0, "10.0.0.1", 6379);
    expect_primary(map, 5460, "10.0.0.1", 6379);
    expect_primary(map, 5461, "10.0.0.2", 6379);
    expect_primary(map, 16383, "10.0.0.3", 6379);
    const struct tendon__topology_node *replicas = tendon__topology_replicas(map, 12182, &count);
    cr_assert_eq(count, 2);
    cr_assert_str_eq(replicas[0].id, "f");
    cr_assert_str_eq(replicas[1].host, "10.0.0.7");
    cr_assert_null(tendon__topology_primary(map, TENDON__SLOT_COUNT));
    cr_assert_null(tendon__topology_replicas(map, UINT32_MAX, &count));
    cr_assert_eq(count, 0);
    tendon__topology_unref(map);
}

Test(topology, endpoints_that_are_addresses_or_names)
{
    expect_endpoint("[\"10.0.0.1\", 7000]", &plain, "10.0.0.1", 7000, "");
    expect_endpoint("[\"2001:db8::1\", 7000, \"id\"]", &plain, "2001:db8::1", 7000, "");
    expect_endpoint("[\"n1.example\", 7000, \"id\", {\"ip\": \"10.0.0.1\"}]", &plain, "n1.example",
                    7000, "10.0.0.1");
    expect_endpoint("[\"n1.example\", 7000, \"id\", {\"ip\": \"\"}]", &plain, "n1.example", 7000,
                    "");
    expect_endpoint("[\"n1.example\", 7000, \"id\", {\"ip\": \"not-an-address\"}]", &plain,
                    "n1.example", 7000, "");
}

Test(topology, null_or_empty_endpoint_is_the_origin)
{
    expect_endpoint("[null, 7000, \"id\"]", &plain, "seed.example", 7000, "");
    expect_endpoint("[\"\", 7000, \"id\"]", &plain, "seed.example", 7000, "");
    expect_endpoint("[null, 0, \"id\"]", &plain, "seed.example", 6379, "");
    expect_endpoint("[null, 7000, \"id\", {\"ip\": \"10.0.0.1\", \"hostname\": \"inside\"}]",
                    &secure, "seed.example", 7000, "10.0.0.1");
}

Test(topology, unknown_endpoint_is_looked_up_in_the_metadata)
{
    expect_endpoint("[\"?\", 7000, \"id\", {\"ip\": \"10.0.0.1\"}]", &plain, "10.0.0.1", 7000, "");
    expect_endpoint("[\"?\", 7000, \"id\", {\"hostname\": \"n1.example\"}]", &plain, "n1.example",
                    7000, "");
    expect_endpoint("[\"?\", 7000, \"id\", {\"hostname\": \"n1.example\", \"ip\": \"10.0.0.1\"}]",
                    &plain, "10.0.0.1", 7000, "");
    expect_endpoint("[\"?\", 7000, \"id\", {\"hostname\": \"n1.example\", \"ip\": \"10.0.0.1\"}]",
                    &secure, "n1.example", 7000, "10.0.0.1");
}

Test(topology, tls_prefers_names_and_an_empty_name_is_absent)
{
    expect_endpoint("[\"10.0.0.1\", 7000, \"id\", {\"hostname\": \"n1.example\"}]", &secure,
                    "n1.example", 7000, "10.0.0.1");
    expect_endpoint("[\"10.0.0.1\", 7000, \"id\", {\"hostname\": \"n1.example\"}]", &plain,
                    "10.0.0.1", 7000, "");
    expect_endpoint("[\"10.0.0.1\", 7000, \"id\", {\"hostname\": \"\"}]", &secure, "10.0.0.1", 7000,
                    "");
    expect_endpoint("[\"10.0.0.1\", 7000, \"id\", {\"hostname\": \"\"}]", &plain, "10.0.0.1", 7000,
                    "");
    expect_endpoint("[\"10.0.0.1\", 7000, \"id\", {\"hostname\": \"?\"}]", &secure, "10.0.0.1",
                    7000, "");
    expect_endpoint("[\"n1.example\", 7000, \"id\", {\"hostname\": \"other\", \"ip\": \"::1\"}]",
                    &secure, "n1.example", 7000, "::1");
}

Test(topology, metadata_is_an_array_or_odd)
{
    expect_endpoint("[\"10.0.0.1\", 7000, \"id\", [\"hostname\", \"n1.example\"]]", &secure,
                    "n1.example", 7000, "10.0.0.1");
    expect_endpoint("[\"10.0.0.1\", 7000, \"id\", [\"hostname\"]]", &secure, "10.0.0.1", 7000, "");
    expect_endpoint("[\"10.0.0.1\", 7000, \"id\", [\"zone\", 3, 4, [], \"hostname\", 5]]", &secure,
                    "10.0.0.1", 7000, "");
    expect_endpoint("[\"10.0.0.1\", 7000, \"id\", \"hostname\", 9]", &secure, "10.0.0.1", 7000, "");
    expect_endpoint("[\"10.0.0.1\", 7000, null, null, null]", &secure, "10.0.0.1", 7000, "");
}

Test(topology, ports)
{
    struct tendon__fault fault;
    expect_endpoint("[\"10.0.0.1\", 0]", &plain, "10.0.0.1", 6379, "");
    expect_endpoint("[\"10.0.0.1\", 65535]", &plain, "10.0.0.1", 65535, "");
    expect_endpoint("[\"10.0.0.1\", \"7000\"]", &plain, "10.0.0.1", 7000, "");
    cr_assert_eq(refuse("[[0, 1, [\"10.0.0.1\", 65536]]]", &plain, &fault), TENDON_ERROR_TOPOLOGY);
    cr_assert_eq(refuse("[[0, 1, [\"10.0.0.1\", -1]]]", &plain, &fault), TENDON_ERROR_TOPOLOGY);
    cr_assert_eq(refuse("[[0, 1, [\"10.0.0.1\", null]]]", &plain, &fault), TENDON_ERROR_TOPOLOGY);
    struct tendon__topology_origin unix_socket = {.host = "", .port = 0, .nodes_max = 100};
    cr_assert_eq(refuse("[[0, 1, [\"10.0.0.1\", 0]]]", &unix_socket, &fault),
                 TENDON_ERROR_TOPOLOGY);
    cr_assert_eq(refuse("[[0, 1, [null, 7000]]]", &unix_socket, &fault), TENDON_ERROR_TOPOLOGY);
}

Test(topology, a_shard_without_known_primary_keeps_its_replicas)
{
    struct tendon__topology *map = parse(
        quoted("[[0, 99, ['?', 7000, 'a', {'hostname': ''}], ['10.0.0.2', 7000, 'b']],"
               " [200, 299, ['?', 7000, 'a'], ['10.0.0.2', 7000, 'b'], ['10.0.0.3', 7000, 'c']],"
               " [300, 399, ['?', 7000, 'z']]]"),
        &plain);
    uint32_t count;
    cr_assert_null(tendon__topology_primary(map, 0));
    cr_assert_str_eq(tendon__topology_replicas(map, 99, &count)->host, "10.0.0.2");
    cr_assert_eq(count, 2);
    cr_assert_eq(map->shard_count, 1, "rows that share a replica are one shard");
    cr_assert_eq(map->covered, 200, "a row without usable node covers nothing");
    cr_assert_null(tendon__topology_primary(map, 300));
    cr_assert_null(tendon__topology_replicas(map, 300, &count));
    cr_assert_eq(count, 0);
    tendon__topology_unref(map);
}

Test(topology, rows_of_one_primary_are_one_shard)
{
    struct tendon__topology *map =
        parse(quoted("[[0, 99, ['10.0.0.1', 7000, 'a'], ['10.0.0.2', 7000, 'b']],"
                     " [100, 199, ['10.0.0.1', 7001, 'c']],"
                     " [200, 299, ['10.0.0.1', 7000, 'a'], ['10.0.0.3', 7000, 'd'], ['10.0.0.2', "
                     "7000, 'b']]]"),
              &plain);
    uint32_t count;
    cr_assert_eq(map->shard_count, 2);
    cr_assert_eq(map->node_count, 4);
    cr_assert_eq(map->slot_shard[0], map->slot_shard[250]);
    cr_assert_neq(map->slot_shard[0], map->slot_shard[150]);
    tendon__topology_replicas(map, 0, &count);
    cr_assert_eq(count, 2);
    cr_assert_eq(map->covered, 300);
    tendon__topology_unref(map);
}

Test(topology, a_node_has_one_role)
{
    /* Named as replica first and as primary later, and the other way round. */
    struct tendon__topology *map =
        parse(quoted("[[0, 9, ['h1', 1], ['h2', 1], ['h1', 1]], [10, 19, ['h2', 1], ['h1', 1]]]"),
              &plain);
    uint32_t count;
    expect_primary(map, 0, "h1", 1);
    expect_primary(map, 10, "h2", 1);
    cr_assert_eq(map->node_count, 2);
    cr_assert_null(tendon__topology_replicas(map, 0, &count));
    tendon__topology_unref(map);

    /* The first row's only node turns out to be the primary of another shard. */
    map = parse(
        quoted("[[0, 9, ['?', 1], ['h2', 1]], [10, 19, ['h2', 1]], [20, 29, ['?', 1], ['h2', 1]]]"),
        &plain);
    cr_assert_eq(map->covered, 20);
    cr_assert_null(tendon__topology_primary(map, 0));
    expect_primary(map, 20, "h2", 1);
    tendon__topology_unref(map);
}

Test(topology, serverless_is_one_node_with_a_read_port)
{
    struct tendon__topology *map = parse(quoted("[[0, 16383, ['c.serverless.example', 6379, 'a'], "
                                                "['c.serverless.example', 6380, 'b']]]"),
                                         &secure);
    uint32_t count;
    expect_primary(map, 5, "c.serverless.example", 6379);
    cr_assert_eq(tendon__topology_replicas(map, 5, &count)->port, 6380);
    cr_assert_eq(count, 1);
    tendon__topology_unref(map);
}

Test(topology, overlapping_ranges_the_later_wins)
{
    struct tendon__topology *map =
        parse(quoted("[[0, 100, ['h1', 1], ['r1', 1]], [50, 60, ['h2', 1]], [60, 60, ['h1', 1]]]"),
              &plain);
    cr_assert(map->overlapping);
    cr_assert_eq(map->covered, 101);
    expect_primary(map, 49, "h1", 1);
    expect_primary(map, 50, "h2", 1);
    expect_primary(map, 60, "h1", 1);
    tendon__topology_unref(map);
    map = parse(quoted("[[0, 100, ['h1', 1], ['r1', 1]], [0, 16383, ['h2', 1]]]"), &plain);
    cr_assert(map->overlapping);
    cr_assert_eq(map->node_count, 1,
                 "a shard that lost all its slots is gone, and so are its nodes");
    tendon__topology_unref(map);
}

Test(topology, odd_rows_do_not_cost_the_others)
{
    struct tendon__topology *map = parse(
        quoted("[[], [1], [1, 2], [1, 2, []], [1, 2, ['h']], 7, null, 'x', [-1, 5, ['h9', 1]],"
               " [5, 4, ['h9', 1]], [0, 16384, ['h9', 1]], [16384, 16384, ['h9', 1]],"
               " [null, 5, ['h9', 1]], [0, [], ['h9', 1]], [[0], 1, ['h9', 1]], [9, 9, ['h 9', 1]],"
               " [10, 12, ['h1', 1], 5, null, [], ['h2', 2], ['', 'x'], [7, 7]]]"),
        &plain);
    uint32_t count;
    cr_assert_eq(map->covered, 3);
    expect_primary(map, 11, "h1", 1);
    cr_assert_str_eq(tendon__topology_replicas(map, 11, &count)->host, "h2");
    cr_assert_eq(count, 1);
    cr_assert_eq(map->node_count, 2);
    tendon__topology_unref(map);
}

Test(topology, replies_that_are_no_map)
{
    static const char *const replies[] = {"[]", "7",    "null",     "\"x\"",
                                          "{}", "[[]]", "[[0, 1]]", "[[0, 1, [\"?\", 1]]]"};
    struct tendon__fault fault;
    for (size_t i = 0; i < sizeof replies / sizeof replies[0]; i++) {
        cr_assert_eq(refuse(replies[i], &plain, &fault), TENDON_ERROR_TOPOLOGY, "%s", replies[i]);
        cr_assert_not_null(strstr(fault.text, "seed.example:6379"), "%s", fault.text);
    }
}

Test(topology, an_error_reply_is_told_as_it_is)
{
    static const char text[] =
        "-NOPERM this user has no permissions to run the 'cluster|slots' command\r\n";
    struct slots_reply reply;
    struct tendon__topology *map = NULL;
    struct tendon__fault fault;
    cr_assert(slots_reply_decode(&reply, strdup(text), strlen(text)));
    cr_assert_eq(tendon__topology_parse(&reply.memory.memory, &reply.tape, &plain, &map, &fault),
                 TENDON_ERROR_TOPOLOGY);
    cr_assert_str_eq(fault.prefix, "NOPERM");
    cr_assert_not_null(strstr(fault.text, "cluster|slots"));
    slots_reply_free(&reply);
}

Test(topology, limits)
{
    struct tendon__fault fault;
    struct tendon__topology_origin origin = plain;
    origin.nodes_max = 6;
    cr_assert_eq(refuse(quoted(usual), &origin, &fault), TENDON_ERROR_LIMIT);
    cr_assert_not_null(strstr(fault.text, "cluster_max_nodes"));
    origin.nodes_max = 7;
    tendon__topology_unref(parse(quoted(usual), &origin));
    origin.nodes_max = UINT32_MAX;
    tendon__topology_unref(parse(quoted(usual), &origin));

    char host[300] = "";
    char notation[512];
    memset(host, 'h', TENDON__HOST_MAX);
    snprintf(notation, sizeof notation, "[\"%s\", 1]", host);
    expect_endpoint(notation, &plain, host, 1, "");
    snprintf(notation, sizeof notation, "[[0, 1, [\"%sh\", 1]]]", host);
    cr_assert_eq(refuse(notation, &plain, &fault), TENDON_ERROR_TOPOLOGY);
    snprintf(notation, sizeof notation, "[\"h\", 1, \"%s\", {\"ip\": \"%.*s\"}]", host, 70,
             "1111111111111111111111111111111111111111111111111111111111111111111111111");
    expect_endpoint(notation, &plain, "h", 1, "");
}

/* `count` rows of one slot, each with a node of its own. */
static char *many_rows(uint32_t count, size_t *size)
{
    char *bytes = NULL;
    FILE *out = open_memstream(&bytes, size);
    cr_assert_not_null(out);
    fprintf(out, "*%u\r\n", count);
    for (uint32_t i = 0; i < count; i++)
        fprintf(out, "*3\r\n:%u\r\n:%u\r\n*2\r\n+h\r\n:%u\r\n", i % TENDON__SLOT_COUNT,
                i % TENDON__SLOT_COUNT, i + 1);
    fclose(out);
    return bytes;
}

Test(topology, huge_replies_are_bounded)
{
    struct tendon__topology_origin origin = plain;
    struct tendon__topology *map = NULL;
    struct tendon__fault fault;
    struct slots_reply reply;
    size_t size;
    char *bytes = many_rows(TENDON__SLOT_COUNT, &size);
    origin.nodes_max = TENDON__SLOT_COUNT;
    cr_assert(slots_reply_decode(&reply, bytes, size));
    cr_assert_eq(tendon__topology_parse(&reply.memory.memory, &reply.tape, &origin, &map, &fault),
                 TENDON_OK);
    check_map(map);
    cr_assert_eq(map->shard_count, TENDON__SLOT_COUNT);
    struct tendon__topology *more = NULL;
    cr_assert_eq(tendon__topology_moved(map, 5, "new", 1, &more), TENDON_ERROR_LIMIT);
    cr_assert_eq(tendon__topology_moved(map, 5, "h", 1, &more), TENDON_OK);
    cr_assert_eq(more->shard_count, TENDON__SLOT_COUNT - 1);
    check_map(more);
    tendon__topology_unref(more);
    tendon__topology_unref(map);
    slots_reply_free(&reply);

    bytes = many_rows(TENDON__SLOT_COUNT + 1, &size);
    cr_assert(slots_reply_decode(&reply, bytes, size));
    cr_assert_eq(tendon__topology_parse(&reply.memory.memory, &reply.tape, &origin, &map, &fault),
                 TENDON_ERROR_LIMIT);
    slots_reply_free(&reply);
}

/* Every element of two real shapes replaced by everything a peer can send instead. */
Test(topology, wrong_types_at_each_position)
{
    static const char *const poisons[] = {"$-1\r\n",
                                          "*-1\r\n",
                                          "_\r\n",
                                          ":-5\r\n",
                                          ":9223372036854775807\r\n",
                                          "$0\r\n\r\n",
                                          "*0\r\n",
                                          "%0\r\n",
                                          "~1\r\n:1\r\n",
                                          ">1\r\n:1\r\n",
                                          ",nan\r\n",
                                          "#t\r\n",
                                          "+x\r\n",
                                          "-ERR x\r\n",
                                          "(12345678901234567890\r\n",
                                          "=8\r\ntxt:abcd\r\n",
                                          "+0\r\n",
                                          "*1\r\n*1\r\n*0\r\n",
                                          "%1\r\n+ip\r\n*0\r\n",
                                          "%1\r\n+hostname\r\n$-1\r\n",
                                          "+?\r\n"};
    static const char two[] =
        "[[0, 5, ['10.0.0.1', 1, 'a', {'hostname': 'n1', 'ip': '10.0.0.1'}], ['n2', 2, 'b']],"
        " [6, 9, ['?', 3, 'c', {'ip': '::1', 'x': 'y'}]]]";
    uint32_t refused = 0;
    for (int protocol = 2; protocol <= 3; protocol++)
        for (size_t i = 0; i < sizeof poisons / sizeof poisons[0]; i++)
            for (long at = 0; at < 31; at++) {
                struct slots_reply reply;
                struct tendon__topology *map = NULL;
                struct tendon__fault fault;
                struct encoding encoding = {
                    .protocol = protocol, .poison_at = at, .poison = poisons[i]};
                if (slots_reply_encode(&reply, quoted(two), encoding)) {
                    tendon_status status = tendon__topology_parse(&reply.memory.memory, &reply.tape,
                                                                  &secure, &map, &fault);
                    if (status == TENDON_OK)
                        check_map(map);
                    else
                        cr_assert_eq(status, TENDON_ERROR_TOPOLOGY);
                    refused += status != TENDON_OK;
                    tendon__topology_unref(map);
                }
                slots_reply_free(&reply);
            }
    cr_assert_geq(refused, 2, "a root of the wrong type must be refused");
}

Test(topology, every_cut_of_the_tape)
{
    struct slots_reply reply;
    struct tendon__topology *map;
    cr_assert(slots_reply_encode(&reply, quoted(usual),
                                 (struct encoding){.protocol = 3, .poison_at = -1}));
    for (uint32_t count = 0; count <= reply.tape.node_count; count++) {
        /* In a block of its own size, so that a sanitizer sees the first node read behind it. */
        tendon_node *nodes = malloc(count ? count * sizeof *nodes : 1);
        memcpy(nodes, reply.tape.nodes, count * sizeof *nodes);
        struct tendon__tape cut = {.nodes = nodes, .node_count = count, .data = reply.tape.data};
        map = NULL;
        if (tendon__topology_parse(&reply.memory.memory, &cut, &plain, &map, NULL) == TENDON_OK)
            check_map(map);
        tendon__topology_unref(map);
        free(nodes);
    }
    slots_reply_free(&reply);
}

Test(topology, memory_running_out)
{
    struct slots_reply reply;
    struct tendon__topology *map = NULL;
    struct tendon__topology *moved = NULL;
    struct tendon__fault fault;
    char notation[4096] = "[[0, 5, ";
    for (int i = 0; i < 40; i++) /* more than the draft's first room */
        sprintf(notation + strlen(notation), "[\"h%d\", 1]", i);
    strcat(notation, "]]");
    cr_assert(
        slots_reply_encode(&reply, notation, (struct encoding){.protocol = 2, .poison_at = -1}));
    struct counting_memory *memory = &reply.memory;
    long failures = 0;
    for (memory->refuse_from = 1;; memory->refuse_from++, failures++) {
        memory->requests = 0;
        if (tendon__topology_parse(&memory->memory, &reply.tape, &plain, &map, &fault) == TENDON_OK)
            break;
        cr_assert_eq(fault.status, TENDON_ERROR_NO_MEMORY);
        cr_assert_null(map);
        cr_assert_eq(memory->blocks, 0);
    }
    cr_assert_geq(failures, 5);
    for (memory->refuse_from = 1, failures = 0;; memory->refuse_from++, failures++) {
        memory->requests = 0;
        tendon_status status = tendon__topology_moved(map, 9, "other", 2, &moved);
        if (status == TENDON_OK)
            break;
        cr_assert_eq(status, TENDON_ERROR_NO_MEMORY);
        cr_assert_eq(memory->blocks, 1);
    }
    cr_assert_geq(failures, 3);
    tendon__topology_unref(moved);
    tendon__topology_unref(map);
    for (memory->refuse_from = 1, failures = 0;; memory->refuse_from++, failures++) {
        memory->requests = 0;
        if (tendon__topology_single(&memory->memory, "h", 1, &map) == TENDON_OK)
            break;
        cr_assert_eq(memory->blocks, 0);
    }
    cr_assert_geq(failures, 1);
    tendon__topology_unref(map);
    slots_reply_free(&reply);
}
