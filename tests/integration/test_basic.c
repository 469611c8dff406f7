/* Calls, batches, groups and limits of the C ABI against real servers. */
#include <dirent.h>
#include <stdlib.h>

#include "support/check.h"
#include "support/servers.h"

#define BATCH_COUNT 10000

static tendon_client *standalone(const char *more)
{
    return open_client("host=localhost port=%d %s", server_number("standalone.port"), more);
}

static void calls_carry_every_kind_of_reply(void)
{
    tendon_client *client = standalone("");
    const char *key = key_of("kinds");
    expect_text(ask(client, "SET", key, "value", "EX", "60", NULL), "OK");
    expect_text(ask(client, "GET", key, NULL), "value");
    expect_text(ask(client, "GET", key_of("missing"), NULL), "(null)");
    expect_text(ask(client, "DEL", key, NULL), "1");
    expect_text(ask(client, "RPUSH", key, "a", "b", "c", NULL), "3");
    expect_text(ask(client, "LRANGE", key, "0", "-1", NULL), "(array 3)");
    expect_text(ask(client, "EXPIRE", key, "60", NULL), "1");
    struct answer answer = ask(client, "GET", key, NULL);
    CHECK(answer.status == TENDON_OK && answer.view.nodes[0].type == TENDON_NODE_ERROR &&
              !strncmp(answer.text, "WRONGTYPE", 9),
          "a server's error is a reply: %s %s", answer.text, answer.fault.message);
    forget(&answer);
    answer = ask(client, "NOSUCHCOMMAND", "x", NULL);
    CHECK(answer.status == TENDON_OK && strstr(answer.text, "unknown command"), "%s", answer.text);
    forget(&answer);
    tendon_client_destroy(client);
}

static void a_lease_less_client_keeps_one_connection(void)
{
    tendon_client *client = standalone("");
    for (int i = 0; i < 100; i++)
        expect_text(ask(client, "PING", NULL), "PONG");
    tendon_stats stats = stats_of(client);
    CHECK(stats.created == 1 && stats.open == 1 && stats.lanes == 1, "created %lu open %u lanes %u",
          stats.created, stats.open, stats.lanes);
    CHECK(stats.requests == 100 && stats.replies >= 100 && stats.pending == 0,
          "requests %lu replies %lu", stats.requests, stats.replies);
    CHECK(stats.bytes_sent > 1000 && stats.bytes_received > 500, "bytes %lu %lu", stats.bytes_sent,
          stats.bytes_received);
    tendon_client_destroy(client);
}

static void urls_reach_what_they_name(void)
{
    tendon_client *client = open_client("redis://localhost:%d/3?client_name=c-it-url",
                                        server_number("standalone.port"));
    struct answer answer = ask(client, "CLIENT", "INFO", NULL);
    CHECK(strstr(answer.text, "db=3") && strstr(answer.text, "name=c-it-url"), "%s", answer.text);
    forget(&answer);
    tendon_client_destroy(client);
    client = open_client("unix://%s?db=2", server_text("unix_socket"));
    answer = ask(client, "CLIENT", "INFO", NULL);
    CHECK(strstr(answer.text, "db=2") && strstr(answer.text, server_text("unix_socket")), "%s %s",
          answer.text, answer.fault.message);
    forget(&answer);
    tendon_client_destroy(client);
    client = open_client("rediss://localhost:%d?tls_ca_file=%s", server_number("tls.port"),
                         server_text("tls.ca_file"));
    expect_text(ask(client, "PING", NULL), "PONG");
    tendon_client_destroy(client);
    client = open_client("redis://app:%s@localhost:%d", server_text("acl.password"),
                         server_number("acl.port"));
    expect_text(ask(client, "ACL", "WHOAMI", NULL), "app");
    tendon_client_destroy(client);
}

static void both_protocols_give_the_same_nodes(void)
{
    static const char *const protocols[] = {"2", "3", "auto"};
    for (size_t i = 0; i < 3; i++) {
        char option[32];
        snprintf(option, sizeof option, "protocol=%s", protocols[i]);
        tendon_client *client = standalone(option);
        const char *key = key_of("protocol");
        expect_text(ask(client, "DEL", key, NULL), "0");
        expect_text(ask(client, "GET", key, NULL), "(null)");
        expect_text(ask(client, "HSET", key, "field", "value", NULL), "1");
        expect_text(ask(client, "HGETALL", key, NULL), "(map 2)");
        struct answer answer = ask(client, "BLPOP", key_of("none"), "0.05", NULL);
        CHECK(answer.status == TENDON_OK && answer.view.nodes[0].type == TENDON_NODE_NULL, "%s",
              answer.text);
        forget(&answer);
        struct answer info = ask(client, "CLIENT", "INFO", NULL);
        CHECK(strstr(info.text, i == 0 ? "resp=2" : "resp=3"), "%s", info.text);
        forget(&info);
        expect_text(ask(client, "DEL", key, NULL), "1");
        tendon_client_destroy(client);
    }
}

static void keys_and_values_hold_any_byte(void)
{
    tendon_client *client = standalone("");
    char key[64], value[256];
    int size = snprintf(key, sizeof key, "%s", key_of("bytes"));
    memcpy(key + size, "\0\r\n$5\r\n\0", 8);
    for (int i = 0; i < 256; i++)
        value[i] = (char)i;
    tendon_bytes words[] = {
        {"SET", 3}, {key, (size_t)size + 8}, {value, sizeof value}, {"EX", 2}, {"60", 2}};
    expect_text(ask_bytes(client, (struct manner){0}, words, 5), "OK");
    words[0].data = "GET";
    struct answer answer = ask_bytes(client, (struct manner){0}, words, 2);
    CHECK(answer.status == TENDON_OK && answer.view.nodes[0].size == sizeof value &&
              !memcmp(answer.view.data + answer.view.nodes[0].value.offset, value, sizeof value),
          "256 bytes come back as they went: %s", answer.fault.message);
    forget(&answer);
    expect_text(ask(client, "EXISTS", key, NULL), "0"); /* the key up to its NUL is another one */
    words[2] = (tendon_bytes){NULL, 0};
    words[0].data = "SET";
    expect_text(ask_bytes(client, (struct manner){0}, words, 3), "OK");
    words[0].data = "GET";
    expect_text(ask_bytes(client, (struct manner){0}, words, 2), "");
    words[0].data = "DEL";
    expect_text(ask_bytes(client, (struct manner){0}, words, 2), "1");
    tendon_client_destroy(client);
}

static void packed_arguments_are_the_same(void)
{
    tendon_client *client = standalone("");
    const char *key = key_of("packed");
    char packed[128];
    int size = snprintf(packed, sizeof packed, "SETEX%s60value", key);
    uint32_t sizes[] = {5, (uint32_t)strlen(key), 2, 5};
    CHECK((uint32_t)size == sizes[0] + sizes[1] + sizes[2] + sizes[3], "%d", size);
    tendon_request request = {
        .struct_size = sizeof request, .packed = packed, .packed_sizes = sizes, .arg_count = 4};
    tendon_reply *reply = NULL;
    CHECK(tendon_call(client, &request, &reply, NULL) == TENDON_OK, "packed");
    expect_text(answer_of(reply, NULL), "OK");
    expect_text(ask(client, "GET", key, NULL), "value");
    expect_text(ask(client, "DEL", key, NULL), "1");
    tendon_client_destroy(client);
}

static void a_large_value_makes_the_round_trip(void)
{
    static const size_t SIZE = 100000000;
    tendon_client *client = standalone("command_timeout_ms=60000");
    char *value = malloc(SIZE);
    if (!CHECK(value, "100 MB"))
        return;
    for (size_t i = 0; i < SIZE; i += 8)
        memcpy(value + i, &i, SIZE - i < 8 ? SIZE - i : 8);
    tendon_bytes words[] = {{"SET", 3}, {key_of("large"), 0}, {value, SIZE}, {"EX", 2}, {"60", 2}};
    words[1].size = strlen(words[1].data);
    expect_text(ask_bytes(client, (struct manner){0}, words, 5), "OK");
    words[0].data = "GET";
    struct answer answer = ask_bytes(client, (struct manner){0}, words, 2);
    CHECK(answer.status == TENDON_OK && answer.view.nodes[0].size == SIZE &&
              !memcmp(answer.view.data + answer.view.nodes[0].value.offset, value, SIZE),
          "100 MB come back as they went: %s", answer.fault.message);
    forget(&answer);
    words[0].data = "DEL";
    expect_text(ask_bytes(client, (struct manner){0}, words, 2), "1");
    free(value);
    tendon_client_destroy(client);
}

static void a_value_beyond_the_limit_is_refused_at_once(void)
{
    static const size_t SIZE = 600000000;
    tendon_client *client = standalone("");
    char *value = calloc(1, SIZE); /* never touched: refusing it must not read it */
    if (!CHECK(value, "600 MB"))
        return;
    const char *key = key_of("too-large");
    tendon_bytes words[] = {{"SET", 3}, {key, strlen(key)}, {value, SIZE}};
    struct answer answer = ask_bytes(client, (struct manner){0}, words, 3);
    expect_executed(&answer, TENDON_EXECUTED_NO);
    expect_time(&answer, 0, 0);
    expect_fault(answer, TENDON_ERROR_LIMIT, "max_request_bytes");
    free(value);
    expect_text(ask(client, "EXISTS", key, NULL), "0");
    tendon_client_destroy(client);
}

static void a_reply_beyond_the_limit_is_refused(void)
{
    tendon_client *client = standalone("max_reply_bytes=10000");
    const char *key = key_of("reply");
    char value[20001];
    memset(value, 'x', sizeof value);
    value[20000] = '\0';
    expect_text(ask(client, "SET", key, value, "EX", "60", NULL), "OK");
    expect_fault(ask(client, "GET", key, NULL), TENDON_ERROR_LIMIT, "max_reply_bytes");
    expect_text(ask(client, "STRLEN", key, NULL), "20000");
    expect_text(ask(client, "DEL", key, NULL), "1");
    tendon_client_destroy(client);
}

/* Fills `outcomes` with SET or GET of `count` keys whose values name them. */
static void batch_of(tendon_client *client, bool set, size_t count, const char *prefix,
                     tendon_outcome *outcomes)
{
    tendon_request *requests = calloc(count, sizeof *requests);
    char(*keys)[64] = calloc(count, sizeof *keys);
    tendon_bytes(*words)[5] = calloc(count, sizeof *words);
    for (size_t i = 0; i < count; i++) {
        int size = snprintf(keys[i], sizeof keys[i], "%s:%zu", prefix, i);
        words[i][0] = (tendon_bytes){set ? "SET" : "GET", 3};
        words[i][1] = words[i][2] = (tendon_bytes){keys[i], (size_t)size};
        words[i][3] = (tendon_bytes){"EX", 2};
        words[i][4] = (tendon_bytes){"60", 2};
        requests[i] = (tendon_request){.struct_size = sizeof *requests,
                                       .args = words[i],
                                       .arg_count = set ? 5 : 2,
                                       .timeout_ms = 30000};
    }
    CHECK(tendon_call_batch(client, requests, sizeof *requests, count, outcomes) == TENDON_OK,
          "a batch of %zu", count);
    free(words);
    free(keys);
    free(requests);
}

static void ten_thousand_commands_keep_their_order(void)
{
    tendon_client *client = standalone("");
    tendon_outcome *outcomes = calloc(BATCH_COUNT, sizeof *outcomes);
    const char *prefix = key_of("batch");
    batch_of(client, true, BATCH_COUNT, prefix, outcomes);
    for (size_t i = 0; i < BATCH_COUNT; i++)
        expect_text(answer_of(outcomes[i].reply, outcomes[i].error), "OK");
    batch_of(client, false, BATCH_COUNT, prefix, outcomes);
    for (size_t i = 0; i < BATCH_COUNT; i++) {
        char wanted[64];
        snprintf(wanted, sizeof wanted, "%s:%zu", prefix, i);
        if (!expect_text(answer_of(outcomes[i].reply, outcomes[i].error), wanted))
            break;
    }
    free(outcomes);
    CHECK(stats_of(client).created == 1, "one connection carries a batch");
    tendon_client_destroy(client);
}

static tendon_request request_of(tendon_bytes *words, uint32_t count, uint32_t flags)
{
    return (tendon_request){
        .struct_size = sizeof(tendon_request), .flags = flags, .args = words, .arg_count = count};
}

static void a_group_is_a_transaction(void)
{
    tendon_client *client = standalone("");
    const char *key = key_of("group");
    tendon_bytes multi[] = {{"MULTI", 5}}, exec[] = {{"EXEC", 4}};
    tendon_bytes incr[] = {{"INCR", 4}, {key, strlen(key)}};
    const uint32_t in = TENDON_REQUEST_ATOMIC;
    tendon_request requests[] = {request_of(multi, 1, in), request_of(incr, 2, in),
                                 request_of(incr, 2, in),
                                 request_of(exec, 1, in | TENDON_REQUEST_ATOMIC_END)};
    tendon_outcome outcomes[4];
    CHECK(tendon_call_batch(client, requests, sizeof *requests, 4, outcomes) == TENDON_OK,
          "a group");
    static const char *const wanted[] = {"OK", "QUEUED", "QUEUED", "(array 2)"};
    for (int i = 0; i < 4; i++)
        expect_text(answer_of(outcomes[i].reply, outcomes[i].error), wanted[i]);
    expect_text(ask(client, "GET", key, NULL), "2");
    expect_text(ask(client, "DEL", key, NULL), "1");
    requests[3].flags = in;
    tendon_status status = tendon_call_batch(client, requests, sizeof *requests, 4, outcomes);
    for (int i = 0; status == TENDON_OK && i < 4; i++)
        expect_fault(answer_of(outcomes[i].reply, outcomes[i].error), TENDON_ERROR_ARGUMENT,
                     "ATOMIC_END");
    CHECK(status == TENDON_OK || status == TENDON_ERROR_ARGUMENT, "%s", tendon_status_name(status));
    expect_text(ask(client, "EXISTS", key, NULL), "0");
    tendon_client_destroy(client);
}

static void an_aborted_transaction_says_so(void)
{
    tendon_client *client = standalone("");
    tendon_bytes multi[] = {{"MULTI", 5}}, exec[] = {{"EXEC", 4}}, wrong[] = {{"GET", 3}};
    const uint32_t in = TENDON_REQUEST_ATOMIC;
    tendon_request requests[] = {request_of(multi, 1, in), request_of(wrong, 1, in),
                                 request_of(exec, 1, in | TENDON_REQUEST_ATOMIC_END)};
    tendon_outcome outcomes[3];
    CHECK(tendon_call_batch(client, requests, sizeof *requests, 3, outcomes) == TENDON_OK,
          "a group");
    struct answer answer = answer_of(outcomes[2].reply, outcomes[2].error);
    CHECK(!strncmp(answer.text, "EXECABORT", 9), "%s %s", answer.text, answer.fault.message);
    forget(&answer);
    for (int i = 0; i < 2; i++) {
        answer = answer_of(outcomes[i].reply, outcomes[i].error);
        forget(&answer);
    }
    expect_text(ask(client, "PING", NULL), "PONG");
    tendon_client_destroy(client);
}

static void an_empty_batch_is_no_mistake(void)
{
    tendon_client *client = standalone("");
    tendon_outcome outcome;
    tendon_request request = {.struct_size = sizeof request};
    CHECK(tendon_call_batch(client, &request, sizeof request, 0, &outcome) == TENDON_OK,
          "nothing to do");
    tendon_client_destroy(client);
}

static void a_connect_request_completes_when_ready(void)
{
    tendon_client *client = standalone("");
    struct answer answer =
        ask_bytes(client, (struct manner){.flags = TENDON_REQUEST_CONNECT}, NULL, 0);
    expect_text(answer, "OK");
    CHECK(stats_of(client).created == 1, "a connection is there");
    tendon_client_destroy(client);
}

static void blocking_commands_leave_others_alone(void)
{
    tendon_client *client = standalone("");
    const char *key = key_of("blocking");
    struct answer answer = ask(client, "BLPOP", key, "0.3", NULL);
    expect_time(&answer, 300, 300);
    expect_text(answer, "(null)");
    /* Its own block time is beyond the deadline of ordinary commands. */
    struct manner manner = {.timeout_ms = 250};
    answer = ask_by(client, manner, "BLPOP", key, "0", NULL);
    expect_time(&answer, 250, 250);
    expect_fault(answer, TENDON_ERROR_TIMEOUT, "250 ms");
    expect_text(ask(client, "PING", NULL), "PONG");
    tendon_client_destroy(client);
}

static void disconnect_makes_the_next_command_connect(void)
{
    tendon_client *client = standalone("");
    expect_text(ask(client, "PING", NULL), "PONG");
    CHECK(tendon_client_disconnect(client) == TENDON_OK, "disconnect");
    expect_text(ask(client, "PING", NULL), "PONG");
    CHECK(stats_of(client).created == 2, "created %lu", stats_of(client).created);
    tendon_client_destroy(client);
}

static void the_client_says_who_it_is(void)
{
    tendon_client *client = standalone("client_name=c-it lib_name=integration");
    expect_text(ask(client, "CLIENT", "GETNAME", NULL), "c-it");
    tendon_client_destroy(client);
}

static int entries_of(const char *folder)
{
    DIR *open_folder = opendir(folder);
    int count = 0;
    while (open_folder && readdir(open_folder))
        count++;
    if (open_folder)
        closedir(open_folder);
    return count;
}

static void destroy_leaves_no_descriptor_and_no_thread(void)
{
    int descriptors = entries_of("/proc/self/fd"), threads = entries_of("/proc/self/task");
    for (int i = 0; i < 50; i++) {
        tendon_client *client = standalone("pool_min_idle=2");
        tendon_lease *lease = NULL;
        expect_text(ask(client, "PING", NULL), "PONG");
        CHECK(tendon_lease_open(client, NULL, &lease, NULL) == TENDON_OK, "a lease");
        if (i % 2)
            tendon_client_close(client); /* a lease may be closed after close, not after destroy */
        tendon_lease_close(lease);
        tendon_client_destroy(client);
    }
    double limit = now_ms() + PATIENCE_MS;
    while (entries_of("/proc/self/task") > threads && now_ms() < limit)
        sleep_ms(5);
    CHECK(entries_of("/proc/self/fd") <= descriptors, "%d descriptors became %d", descriptors,
          entries_of("/proc/self/fd"));
    CHECK(entries_of("/proc/self/task") <= threads, "%d threads became %d", threads,
          entries_of("/proc/self/task"));
}

int main(void)
{
    if (!servers_load())
        return 77;
    run_test("calls carry every kind of reply", calls_carry_every_kind_of_reply);
    run_test("calls share one connection", a_lease_less_client_keeps_one_connection);
    run_test("URLs reach what they name", urls_reach_what_they_name);
    run_test("RESP2 and RESP3 give the same nodes", both_protocols_give_the_same_nodes);
    run_test("keys and values hold any byte", keys_and_values_hold_any_byte);
    run_test("packed arguments", packed_arguments_are_the_same);
    run_test("a 100 MB value makes the round trip", a_large_value_makes_the_round_trip);
    run_test("a 600 MB value is refused at once", a_value_beyond_the_limit_is_refused_at_once);
    run_test("a reply beyond the limit is refused", a_reply_beyond_the_limit_is_refused);
    run_test("a batch of 10,000 commands", ten_thousand_commands_keep_their_order);
    run_test("a group is a transaction", a_group_is_a_transaction);
    run_test("an aborted transaction", an_aborted_transaction_says_so);
    run_test("an empty batch", an_empty_batch_is_no_mistake);
    run_test("a request that only connects", a_connect_request_completes_when_ready);
    run_test("blocking commands", blocking_commands_leave_others_alone);
    run_test("disconnect", disconnect_makes_the_next_command_connect);
    run_test("client name", the_client_says_who_it_is);
    run_test("destroy leaves nothing behind", destroy_leaves_no_descriptor_and_no_thread);
    return finish_tests();
}
