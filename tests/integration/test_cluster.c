/* The shared clusters, plain and with TLS: every slot, batches over nodes, groups, replicas, and
 * what is refused. */
#include <stdlib.h>

#include "support/check.h"
#include "support/servers.h"

#define SLOTS 16384

static tendon_client *cluster_of(const char *name, const char *more)
{
    char path[64];
    snprintf(path, sizeof path, "%s.nodes.0.port", name);
    bool tls = name[0] == 't';
    return open_client("host=localhost port=%d command_timeout_ms=10000 %s%s %s",
                       server_number(path), tls ? "tls=yes tls_ca_file=" : "mode=cluster",
                       tls ? server_text("ca_file") : "", more);
}

/* One key per slot: a hash tag that counts until every slot has been met. */
static char (*key_per_slot(void))[24]
{
    static char keys[SLOTS][24];
    static int found; /* the second caller finds them made */
    for (unsigned i = 0; found < SLOTS; i++) {
        char tag[16];
        int size = snprintf(tag, sizeof tag, "%u", i);
        uint32_t slot = tendon_key_slot((tendon_bytes){tag, (size_t)size});
        if (keys[slot][0])
            continue;
        snprintf(keys[slot], sizeof keys[slot], "%s", tag);
        found++;
    }
    return keys;
}

/* SET (with the slot as value) or GET of one key in every slot, by one batch. */
static void every_slot(tendon_client *client, char (*tags)[24], bool set)
{
    tendon_request *requests = calloc(SLOTS, sizeof *requests);
    tendon_outcome *outcomes = calloc(SLOTS, sizeof *outcomes);
    tendon_bytes(*words)[5] = calloc(SLOTS, sizeof *words);
    char(*keys)[64] = calloc(SLOTS, sizeof *keys);
    char(*values)[8] = calloc(SLOTS, sizeof *values);
    for (size_t i = 0; i < SLOTS; i++) {
        int size = snprintf(keys[i], sizeof keys[i], "%s{%s}", key_of("slot"), tags[i]);
        int value = snprintf(values[i], sizeof values[i], "%zu", i);
        words[i][0] = (tendon_bytes){set ? "SET" : "GET", 3};
        words[i][1] = (tendon_bytes){keys[i], (size_t)size};
        words[i][2] = (tendon_bytes){values[i], (size_t)value};
        words[i][3] = (tendon_bytes){"EX", 2};
        words[i][4] = (tendon_bytes){"60", 2};
        requests[i] = (tendon_request){
            .struct_size = sizeof *requests, .args = words[i], .arg_count = set ? 5 : 2};
    }
    CHECK(tendon_call_batch(client, requests, sizeof *requests, SLOTS, outcomes) == TENDON_OK,
          "a batch");
    int wrong = 0;
    for (size_t i = 0; i < SLOTS; i++) {
        struct answer answer = answer_of(outcomes[i].reply, outcomes[i].error);
        if (strcmp(answer.text, set ? "OK" : values[i]) && !wrong++)
            CHECK(false, "slot %zu: %s %s", i, answer.text, answer.fault.message);
        forget(&answer);
    }
    CHECK(!wrong, "%d of %d slots", wrong, SLOTS);
    free(requests), free(outcomes), free(words), free(keys), free(values);
}

static void all_slots_of(const char *name, const char *more)
{
    char(*tags)[24] = key_per_slot();
    tendon_client *client = cluster_of(name, more);
    every_slot(client, tags, true);
    every_slot(client, tags, false);
    tendon_stats stats = stats_of(client);
    CHECK(stats.moved == 0 && stats.refreshes >= 1, "moved %lu refreshes %lu", stats.moved,
          stats.refreshes);
    CHECK(stats.nodes >= 6, "nodes %u", stats.nodes);
    tendon_client_destroy(client);
}

static void all_slots_plain(void)
{
    all_slots_of("cluster", "");
}

static void all_slots_secure(void)
{
    all_slots_of("tls_cluster", "");
}

static void all_slots_with_resp2_and_lanes(void)
{
    all_slots_of("cluster", "protocol=2 lanes=3");
}

static void any_node_is_a_seed(void)
{
    for (int i = 0; i < 6; i++) {
        char path[64];
        snprintf(path, sizeof path, "cluster.nodes.%d.port", i);
        tendon_client *client =
            open_client("host=localhost port=%d", server_number(path)); /* mode=auto */
        const char *key = key_of("seed");
        expect_text(ask(client, "SET", key, "x", "EX", "60", NULL), "OK");
        expect_text(ask(client, "DEL", key, NULL), "1");
        tendon_client_destroy(client);
    }
    tendon_client *client = open_client("endpoints=127.0.0.1:1,localhost:%d mode=cluster",
                                        server_number("cluster.nodes.2.port"));
    expect_text(ask(client, "GET", key_of("seed"), NULL), "(null)");
    tendon_client_destroy(client);
}

static void auto_knows_a_standalone(void)
{
    tendon_client *client =
        open_client("host=localhost port=%d mode=auto", server_number("standalone.port"));
    expect_text(ask(client, "MGET", "{a}x", "{b}y", NULL),
                "(array 2)"); /* different slots, no cluster */
    tendon_client_destroy(client);
}

static void nodes_are_listed(void)
{
    tendon_client *client = cluster_of("cluster", "");
    expect_text(ask(client, "GET", key_of("nodes"), NULL), "(null)");
    tendon_reply *reply = NULL;
    tendon_error *error = NULL;
    CHECK(tendon_client_nodes(client, &reply, &error) == TENDON_OK, "nodes");
    struct answer answer = answer_of(reply, error);
    int primaries = 0, replicas = 0, lines = 0;
    char *rest = answer.text;
    for (char *line; (line = strsep(&rest, "\n"));) {
        char node[64], role[16], ranges[256] = "";
        if (sscanf(line, "%63s %15s %255s", node, role, ranges) < 2)
            continue;
        lines++;
        primaries += !strcmp(role, "primary") && strchr(ranges, '-');
        replicas += !strcmp(role, "replica");
    }
    CHECK(primaries == 3 && replicas == 3, "%d primaries, %d replicas, %d lines: %s", primaries,
          replicas, lines, answer.view.data);
    forget(&answer);
    tendon_client_destroy(client);
}

/* The nodes announce 127.0.0.1 and are reached as localhost, also when a redirect names them. */
static void announced_addresses_are_mapped(void)
{
    char option[1024] = "cluster_address_map=";
    for (int i = 0; i < 6; i++) {
        char path[64];
        snprintf(path, sizeof path, "cluster.nodes.%d.port", i);
        int port = server_number(path);
        size_t size = strlen(option);
        snprintf(option + size, sizeof option - size, "%s127.0.0.1:%d=localhost:%d", i ? "," : "",
                 port, port);
    }
    all_slots_of("cluster", option);
    tendon_client *client = cluster_of("cluster", option);
    for (int i = 0; i < 6; i++) {
        char path[64], node[64];
        snprintf(path, sizeof path, "cluster.nodes.%d.port", i);
        snprintf(node, sizeof node, "localhost:%d", server_number(path));
        struct manner manner = {.route = TENDON_ROUTE_NODE, .node = node};
        if (i == 0)
            expect_text(ask(client, "GET", key_of("mapped"), NULL), "(null)");
        expect_text(ask_by(client, manner, "GET", key_of("mapped"), NULL), "(null)");
    }
    tendon_stats stats = stats_of(client);
    CHECK(stats.moved == 5 && stats.nodes == 6, "%lu redirects, %u nodes", stats.moved,
          stats.nodes);
    tendon_client_destroy(client);
}

static void keys_of_two_slots_are_refused(void)
{
    tendon_client *client = cluster_of("cluster", "");
    struct answer answer = ask(client, "SUNION", "{a}x", "{b}x", NULL);
    expect_executed(&answer, TENDON_EXECUTED_NO);
    expect_fault(answer, TENDON_ERROR_CROSSSLOT, "hash tag");
    answer = ask(client, "MSETNX", "{a}x", "1", "{c}x", "2", NULL);
    expect_fault(answer, TENDON_ERROR_CROSSSLOT, "hash tag");
    char first[128], second[128];
    snprintf(first, sizeof first, "%s{tag}1", key_of("cross"));
    snprintf(second, sizeof second, "%s{tag}2", key_of("cross"));
    expect_text(ask(client, "MSET", first, "1", second, "2", NULL), "OK");
    expect_text(ask(client, "MGET", first, second, NULL), "(array 2)");
    expect_text(ask(client, "DEL", first, second, NULL), "2");
    answer = ask(client, "GET", "", NULL);
    CHECK(answer.status == TENDON_OK, "an empty key: %s", answer.fault.message);
    forget(&answer);
    tendon_client_destroy(client);
}

static void a_transaction_travels_to_its_slot(void)
{
    for (unsigned i = 0; i < 20; i++) {
        tendon_client *client = cluster_of(i % 2 ? "cluster" : "tls_cluster", "");
        char key[64];
        int size = snprintf(key, sizeof key, "%s:%u", key_of("transaction"), i);
        tendon_bytes multi[] = {{"MULTI", 5}}, exec[] = {{"EXEC", 4}};
        tendon_bytes incr[] = {{"INCR", 4}, {key, (size_t)size}},
                     expire[] = {{"EXPIRE", 6}, {key, (size_t)size}, {"60", 2}};
        tendon_request requests[4] = {{.args = multi, .arg_count = 1},
                                      {.args = incr, .arg_count = 2},
                                      {.args = expire, .arg_count = 3},
                                      {.args = exec, .arg_count = 1}};
        for (int n = 0; n < 4; n++) {
            requests[n].struct_size = sizeof *requests;
            requests[n].flags = TENDON_REQUEST_ATOMIC | (n == 3 ? TENDON_REQUEST_ATOMIC_END : 0);
        }
        tendon_outcome outcomes[4];
        CHECK(tendon_call_batch(client, requests, sizeof *requests, 4, outcomes) == TENDON_OK,
              "a group");
        static const char *const wanted[] = {"OK", "QUEUED", "QUEUED", "(array 2)"};
        for (int n = 0; n < 4; n++)
            expect_text(answer_of(outcomes[n].reply, outcomes[n].error), wanted[n]);
        tendon_client_destroy(client);
    }
}

static void leases_go_to_the_node_asked_for(void)
{
    tendon_client *client = cluster_of("cluster", "");
    for (unsigned i = 0; i < 12; i++) {
        char key[64];
        int size = snprintf(key, sizeof key, "%s:%u", key_of("lease"), i);
        tendon_lease_options options = {.struct_size = sizeof options, .key = {key, (size_t)size}};
        tendon_lease *lease = NULL;
        CHECK(tendon_lease_open(client, &options, &lease, NULL) == TENDON_OK, "a lease");
        struct manner leased = {.lease = lease};
        expect_text(ask_by(client, leased, "WATCH", key, NULL), "OK");
        expect_text(ask_by(client, leased, "MULTI", NULL), "OK");
        expect_text(ask_by(client, leased, "SETEX", key, "60", "x", NULL), "QUEUED");
        expect_text(ask_by(client, leased, "EXEC", NULL), "(array 1)");
        tendon_lease_close(lease);
        options = (tendon_lease_options){.struct_size = sizeof options, .route = TENDON_ROUTE_SLOT};
        options.slot = tendon_key_slot((tendon_bytes){key, (size_t)size});
        CHECK(tendon_lease_open(client, &options, &lease, NULL) == TENDON_OK, "a lease by slot");
        expect_text(ask_by(client, (struct manner){.lease = lease}, "GET", key, NULL), "x");
        tendon_lease_close(lease);
    }
    tendon_client_destroy(client);
}

static bool reads(tendon_client *client, const char *key, const char *value)
{
    struct answer answer = ask(client, "GET", key, NULL);
    bool same = answer.status == TENDON_OK && !strcmp(answer.text, value);
    forget(&answer);
    return same;
}

static void reads_reach_replicas(const char *name)
{
    static const char *const policies[] = {"replica", "any", "replica_only"};
    tendon_client *behind = cluster_of(name, "read_from=replica_only");
    for (size_t p = 0; p < 3; p++) {
        char more[64];
        snprintf(more, sizeof more, "read_from=%s", policies[p]);
        tendon_client *client = cluster_of(name, more);
        const char *key = key_of("replica");
        expect_text(ask(client, "SET", key, "value", "EX", "60", NULL), "OK");
        UNTIL(reads(behind, key, "value")); /* the only replica of its shard has it */
        for (int i = 0; i < 30; i++)
            expect_text(ask(client, "GET", key, NULL), "value");
        tendon_stats stats = stats_of(client);
        CHECK(stats.created >= 2 && stats.moved == 0, "%s: %lu connections, %lu moved", policies[p],
              stats.created, stats.moved);
        expect_text(ask(client, "DEL", key, NULL), "1");
        UNTIL(reads(behind, key, "(null)"));
        tendon_client_destroy(client);
    }
    tendon_client_destroy(behind);
}

static void replicas_answer_reads(void)
{
    reads_reach_replicas("cluster");
    reads_reach_replicas("tls_cluster");
}

static void routes_are_obeyed(void)
{
    tendon_client *client = cluster_of("cluster", "");
    expect_text(ask(client, "GET", key_of("routes"), NULL), "(null)");
    char node[64];
    snprintf(node, sizeof node, "127.0.0.1:%d", server_number("cluster.nodes.4.port"));
    struct answer answer = ask_by(client, (struct manner){.route = TENDON_ROUTE_NODE, .node = node},
                                  "CONFIG", "GET", "port", NULL);
    char wanted[16];
    snprintf(wanted, sizeof wanted, "%d", server_number("cluster.nodes.4.port"));
    CHECK(answer.status == TENDON_OK && answer.view.node_count == 3 &&
              !memcmp(answer.view.data + answer.view.nodes[2].value.offset, wanted, strlen(wanted)),
          "%s %s", answer.text, answer.fault.message);
    forget(&answer);
    expect_fault(ask_by(client, (struct manner){.route = TENDON_ROUTE_NODE, .node = "127.0.0.1:9"},
                        "PING", NULL),
                 TENDON_ERROR_NO_NODE, "127.0.0.1:9");
    for (int i = 0; i < 10; i++)
        expect_text(ask_by(client, (struct manner){.route = TENDON_ROUTE_RANDOM}, "PING", NULL),
                    "PONG");
    tendon_client_destroy(client);
}

/* What tips say of PING, DBSIZE, KEYS, SCRIPT and the like, on keys of every node. */
static void commands_for_every_node(void)
{
    tendon_client *client = cluster_of("cluster", "");
    char keys[9][128];
    char pattern[128];
    for (int i = 0; i < 9; i++) {
        snprintf(keys[i], sizeof keys[i], "%s%d", key_of("every"), i);
        expect_text(ask(client, "SET", keys[i], "v", NULL), "OK");
    }
    snprintf(pattern, sizeof pattern, "%s*", key_of("every"));
    expect_text(ask(client, "PING", NULL), "PONG");
    expect_text(ask(client, "KEYS", pattern, NULL), "(array 9)");
    struct answer answer = ask(client, "DBSIZE", NULL);
    CHECK(answer.reply && answer.view.nodes[0].type == TENDON_NODE_INTEGER &&
              answer.view.nodes[0].value.integer >= 9,
          "%s", answer.text);
    forget(&answer);
    static const char digest[] = "e0e1f9fabfc9d4800c877a703b823ac0578ff8db"; /* of return 1 */
    expect_text(ask(client, "SCRIPT", "LOAD", "return 1", NULL), digest);
    answer = ask(client, "SCRIPT", "EXISTS", digest, "nothing", NULL);
    CHECK(answer.reply && answer.view.node_count == 3 && answer.view.nodes[1].value.integer == 1 &&
              answer.view.nodes[2].value.integer == 0,
          "%s", answer.text);
    forget(&answer);
    for (int i = 0; i < 3; i++)
        expect_text(ask(client, "EVALSHA", digest, "1", keys[i], NULL), "1");
    answer = ask(client, "RANDOMKEY", NULL);
    CHECK(answer.reply && answer.view.nodes[0].type == TENDON_NODE_STRING, "%s", answer.text);
    forget(&answer);
    /* Unknown to the table and to the servers. */
    for (int i = 0; i < 2; i++) {
        answer = ask(client, "NOSUCH.COMMAND", keys[0], NULL);
        CHECK(answer.reply && !strncmp(answer.text, "ERR unknown command", 19), "%s", answer.text);
        forget(&answer);
    }
    expect_text(ask_by(client, (struct manner){.route = TENDON_ROUTE_ALL_PRIMARIES}, "PING", NULL),
                "(map 6)");
    expect_text(ask_by(client, (struct manner){.route = TENDON_ROUTE_ALL_NODES}, "ROLE", NULL),
                "(map 12)");
    for (int i = 0; i < 9; i++)
        expect_text(ask(client, "DEL", keys[i], NULL), "1");
    tendon_client_destroy(client);
}

/* One command for each slot, and the values in the order of the keys. */
static void commands_of_many_keys(void)
{
    tendon_client *client = cluster_of("cluster", "");
    enum { COUNT = 200 };
    static char texts[COUNT][128];
    static char values[COUNT][16];
    static tendon_bytes words[2 * COUNT + 1];
    words[0] = (tendon_bytes){"MSET", 4};
    for (int i = 0; i < COUNT; i++) {
        snprintf(texts[i], sizeof texts[i], "%s%d", key_of("many"), i);
        snprintf(values[i], sizeof values[i], "value%d", i);
        words[1 + 2 * i] = (tendon_bytes){texts[i], strlen(texts[i])};
        words[2 + 2 * i] = (tendon_bytes){values[i], strlen(values[i])};
    }
    expect_text(ask_bytes(client, (struct manner){0}, words, 2 * COUNT + 1), "OK");
    words[0] = (tendon_bytes){"MGET", 4};
    for (int i = 0; i < COUNT; i++)
        words[1 + i] = (tendon_bytes){texts[i], strlen(texts[i])};
    struct answer answer = ask_bytes(client, (struct manner){0}, words, COUNT + 1);
    bool right = CHECK(answer.reply && answer.view.node_count == COUNT + 1, "%s", answer.text);
    for (int i = 0; right && i < COUNT; i++) {
        const tendon_node *node = &answer.view.nodes[1 + i];
        right = node->type == TENDON_NODE_STRING && node->size == strlen(values[i]) &&
                !memcmp(answer.view.data + node->value.offset, values[i], node->size);
        CHECK(right, "value %d is another", i);
    }
    forget(&answer);
    static const char *const sums[] = {"EXISTS", "TOUCH", "UNLINK", "DEL"};
    for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++) {
        words[0] = (tendon_bytes){sums[i], strlen(sums[i])};
        expect_text(ask_bytes(client, (struct manner){0}, words, COUNT + 1), i < 3 ? "200" : "0");
    }
    tendon_client_destroy(client);
}

static void blocking_commands_reach_their_node(void)
{
    tendon_client *client = cluster_of("cluster", "");
    struct answer answer = ask(client, "BLPOP", key_of("blocking"), "0.2", NULL);
    expect_time(&answer, 200, 200);
    expect_text(answer, "(null)");
    tendon_client_destroy(client);
}

int main(void)
{
    if (!servers_load())
        return 77;
    run_test("all slots", all_slots_plain);
    run_test("all slots with TLS", all_slots_secure);
    run_test("all slots with RESP2 and three lanes", all_slots_with_resp2_and_lanes);
    run_test("any node is a seed", any_node_is_a_seed);
    run_test("mode=auto knows a standalone", auto_knows_a_standalone);
    run_test("nodes are listed", nodes_are_listed);
    run_test("announced addresses are mapped", announced_addresses_are_mapped);
    run_test("keys of two slots", keys_of_two_slots_are_refused);
    run_test("a transaction travels to its slot", a_transaction_travels_to_its_slot);
    run_test("leases go to the node asked for", leases_go_to_the_node_asked_for);
    run_test("replicas answer reads", replicas_answer_reads);
    run_test("routes are obeyed", routes_are_obeyed);
    run_test("commands for every node", commands_for_every_node);
    run_test("commands of many keys", commands_of_many_keys);
    run_test("blocking commands", blocking_commands_reach_their_node);
    return finish_tests();
}
