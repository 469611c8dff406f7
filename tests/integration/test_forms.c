/*
 * Every command's reply has the same form over RESP2 as over RESP3: the calls of
 * spec/commands/replies.json, each on a connection of its own, by clients of either protocol.
 */
#include <stdlib.h>

#include "reply_calls.h"
#include "support/check.h"
#include "support/host.h"

#define WORDS_MAX   64
#define FIXTURE_MAX 64

static struct host alone;
static struct host in_cluster; /* one node with all slots */
static char node_id[64];
static char words[4096]; /* of the command being said */

/* The next command of a text, from `*at` on; 0 words at its end. */
static uint32_t next_command(const char **at, tendon_bytes *args)
{
    uint32_t count = 0;
    char *to = words;
    while (**at && **at != '\n' && count < WORDS_MAX) {
        char *begin = to;
        for (; **at != '\n'; ++*at)
            *to++ = **at == '\v' ? '\n' : **at;
        ++*at;
        size_t size = (size_t)(to - begin);
        bool is_id = size == 4 && !memcmp(begin, "{id}", 4);
        args[count++] =
            is_id ? (tendon_bytes){node_id, strlen(node_id)} : (tendon_bytes){begin, size};
    }
    *at += **at != 0;
    return count;
}

/* The data that the calls find, in one round trip. */
static void make_fixture(tendon_client *client)
{
    static char texts[FIXTURE_MAX][sizeof words];
    static tendon_bytes args[FIXTURE_MAX][WORDS_MAX];
    tendon_request requests[FIXTURE_MAX];
    tendon_outcome outcomes[FIXTURE_MAX];
    const char *text = reply_fixture;
    uint32_t count = 0;
    memset(requests, 0, sizeof requests);
    for (; *text && count < FIXTURE_MAX; count++) {
        requests[count].struct_size = sizeof requests[count];
        requests[count].args = args[count];
        requests[count].arg_count = next_command(&text, args[count]);
        memcpy(texts[count], words, sizeof words);
        for (uint32_t i = 0; i < requests[count].arg_count; i++)
            args[count][i].data = texts[count] + ((const char *)args[count][i].data - words);
    }
    tendon_status status = tendon_call_batch(client, requests, sizeof requests[0], count, outcomes);
    CHECK(status == TENDON_OK, "fixture: %d", status);
    for (uint32_t i = 0; i < count && status == TENDON_OK; i++) {
        struct answer answer = answer_of(outcomes[i].reply, outcomes[i].error);
        CHECK(answer.reply && answer.view.nodes[0].type != TENDON_NODE_ERROR, "fixture: %s",
              answer.text);
        forget(&answer);
    }
}

static void say_all(tendon_client *client, struct manner manner, const char *text)
{
    tendon_bytes args[WORDS_MAX];
    uint32_t count;
    while ((count = next_command(&text, args)) != 0) {
        struct answer answer = ask_bytes(client, manner, args, count);
        forget(&answer);
    }
}

static size_t add(char *out, size_t at, size_t room, const char *text)
{
    int size = snprintf(out + at, room - at, "%s", text);
    return at + (size_t)size < room ? at + (size_t)size : room - 1;
}

/* How often something comes may differ from call to call: what repeats is written once. */
static size_t write_form(const tendon_reply_view *view, size_t node, char *out, size_t at,
                         size_t room, size_t *out_next)
{
    static const char *const names[] = {"?",        "null", "status", "error",   "integer",
                                        "string",   "[",    "double", "boolean", "big",
                                        "verbatim", "{",    "set<",   "push<"};
    const tendon_node *from = &view->nodes[node];
    at = add(out, at, room, names[from->type]);
    bool deep = from->type == TENDON_NODE_ARRAY || from->type >= TENDON_NODE_MAP;
    *out_next = node + (deep ? (size_t)from->value.span : 1);
    if (!deep)
        return at;
    size_t group = from->type == TENDON_NODE_MAP ? 2 : 1;
    size_t last = at;
    size_t child = node + 1;
    for (uint32_t i = 0; i < from->size; i += (uint32_t)group) {
        size_t begin = at;
        for (size_t j = 0; j < group; j++) {
            at = write_form(view, child, out, at, room, &child);
            at = add(out, at, room, " ");
        }
        if (begin > last && begin - last == at - begin &&
            !memcmp(out + last, out + begin, at - begin))
            at = begin;
        else
            last = begin;
    }
    return add(out, at, room, "]");
}

/* Whether a connection is another one after this command. */
static bool spoils(const char *call)
{
    static const char *const names[] = {"QUIT", "RESET", "HELLO", "AUTH", "CLIENT", "READ", "ASK"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (!strncmp(call, names[i], strlen(names[i])))
            return true;
    return false;
}

/* The form of what one call answers, or the word for what came instead. */
static void form_of_call(tendon_client *client, tendon_lease **lease, const struct reply_call *call,
                         char *out, size_t room)
{
    tendon_bytes args[WORDS_MAX];
    const char *text = call->words;
    out[0] = '\0';
    make_fixture(client);
    if (!*lease && !CHECK(tendon_lease_open(client, NULL, lease, NULL) == TENDON_OK, "no lease"))
        return;
    struct manner manner = {.lease = *lease, .timeout_ms = 20000};
    say_all(client, manner, call->before);
    struct answer answer = ask_bytes(client, manner, args, next_command(&text, args));
    size_t next;
    if (answer.status != TENDON_OK)
        snprintf(out, room, "failed %d", answer.status);
    else if (answer.view.nodes[0].type == TENDON_NODE_ERROR && !call->may_fail)
        snprintf(out, room, "error %s", answer.text);
    else
        write_form(&answer.view, 0, out, 0, room, &next);
    forget(&answer);
    say_all(client, manner, call->after);
    if (!spoils(call->words))
        return;
    tendon_lease_discard(*lease);
    *lease = NULL;
}

static void same_forms(struct host *host, bool cluster)
{
    static char two[65536];
    static char three[65536];
    tendon_client *old = open_client("redis://127.0.0.1:%d mode=standalone protocol=2", host->port);
    tendon_client *fresh =
        open_client("redis://127.0.0.1:%d mode=standalone protocol=3", host->port);
    tendon_lease *leases[2] = {NULL, NULL};
    for (size_t i = 0; old && fresh && i < sizeof reply_calls / sizeof reply_calls[0]; i++) {
        const struct reply_call *call = &reply_calls[i];
        if (call->in_cluster != cluster)
            continue;
        form_of_call(old, &leases[0], call, two, sizeof two);
        form_of_call(fresh, &leases[1], call, three, sizeof three);
        /* What runs in the background may still run since the other client asked for it. */
        if (strstr(two, "in progress") || strstr(three, "in progress"))
            continue;
        CHECK(strncmp(three, "error", 5) || call->may_fail, "%.40s: %s", call->words, three);
        CHECK(!strcmp(two, three), "%.60s: over RESP2 %.300s, over RESP3 %.300s", call->words, two,
              three);
    }
    tendon_lease_close(leases[0]);
    tendon_lease_close(leases[1]);
    tendon_client_destroy(old);
    tendon_client_destroy(fresh);
}

static void test_alone(void)
{
    same_forms(&alone, false);
}

static void test_in_cluster(void)
{
    same_forms(&in_cluster, true);
}

/* MULTI to EXEC as an atomic group, and word by word on a lease. */
static void test_transactions(void)
{
    tendon_client *client = open_client("redis://127.0.0.1:%d protocol=2", alone.port);
    static const tendon_bytes lines[][3] = {
        {{"MULTI", 5}},
        {{"HGETALL", 7}, {"{t}hash", 7}},
        {{"GET", 3}, {"{t}string", 9}},
        {{"ZSCORE", 6}, {"{t}zset", 7}, {"b", 1}},
        {{"EXEC", 4}},
    };
    static const uint32_t counts[] = {1, 2, 2, 3, 1};
    static const char *const want = "[{string string ] string double ]";
    char form[256];
    size_t next;
    tendon_request group[5];
    tendon_outcome outcomes[5];
    make_fixture(client);
    memset(group, 0, sizeof group);
    for (int i = 0; i < 5; i++)
        group[i] = (tendon_request){.struct_size = sizeof group[i],
                                    .args = lines[i],
                                    .arg_count = counts[i],
                                    .flags = TENDON_REQUEST_ATOMIC |
                                             (i == 4 ? TENDON_REQUEST_ATOMIC_END : 0u)};
    CHECK(tendon_call_batch(client, group, sizeof group[0], 5, outcomes) == TENDON_OK, "batch");
    for (int i = 0; i < 5; i++) {
        struct answer answer = answer_of(outcomes[i].reply, outcomes[i].error);
        if (i == 4 && CHECK(answer.reply != NULL, "EXEC: %s", answer.fault.message)) {
            write_form(&answer.view, 0, form, 0, sizeof form, &next);
            CHECK(!strcmp(form, want), "the group's EXEC is %s", form);
        }
        forget(&answer);
    }
    tendon_lease *lease = NULL;
    CHECK(tendon_lease_open(client, NULL, &lease, NULL) == TENDON_OK, "no lease");
    for (int round = 0; lease && round < 2; round++)
        for (int i = 0; i < 5; i++) {
            struct manner manner = {.lease = lease,
                                    .flags = round ? TENDON_REQUEST_WIRE_REPLY : 0u};
            struct answer answer = ask_bytes(client, manner, lines[i], counts[i]);
            if (i == 4 && CHECK(answer.reply != NULL, "EXEC: %s", answer.fault.message)) {
                write_form(&answer.view, 0, form, 0, sizeof form, &next);
                CHECK(!strcmp(form, round ? "[[string ] string ]" : want), "EXEC is %s", form);
            }
            forget(&answer);
        }
    tendon_lease_close(lease);
    tendon_client_destroy(client);
}

/* MULTI, HGETALL and EXEC on a lease, with a server that is frozen when the word at `late` is said.
 * False when the connection was lost on the way: the machine was too busy for this. */
static bool transaction_with_a_late_answer(tendon_client *client, int late, int64_t timeout_ms)
{
    static const tendon_bytes lines[][2] = {
        {{"MULTI", 5}}, {{"HGETALL", 7}, {"{t}hash", 7}}, {{"EXEC", 4}}};
    char form[256] = "";
    size_t next;
    bool done = false;
    tendon_lease *lease = NULL;
    if (!CHECK(tendon_lease_open(client, NULL, &lease, NULL) == TENDON_OK, "no lease"))
        return true;
    for (int i = 0; i < 3; i++) {
        struct manner manner = {.lease = lease, .timeout_ms = i == late ? timeout_ms : 0};
        if (i == late)
            host_freeze(&alone);
        struct answer answer = ask_bytes(client, manner, lines[i], i == 1 ? 2 : 1);
        if (i == late) {
            host_thaw(&alone);
            CHECK(answer.status == TENDON_ERROR_TIMEOUT, "%s %s", answer.text,
                  answer.fault.message);
        }
        done = answer.reply != NULL && answer.view.nodes[0].type != TENDON_NODE_ERROR;
        if (i == 2 && done) {
            write_form(&answer.view, 0, form, 0, sizeof form, &next);
            CHECK(!strcmp(form, "[{string string ] ]"), "EXEC is %s", form);
        }
        forget(&answer);
    }
    tendon_lease_close(lease);
    return done;
}

/* What a transaction has queued is known also when its answer came after the caller had gone. */
static void test_late_answers(void)
{
    tendon_client *client =
        open_client("redis://127.0.0.1:%d protocol=2 read_timeout_ms=1000", alone.port);
    make_fixture(client);
    for (int late = 0; late < 2; late++) {
        for (int by_call = 0; by_call < 2; by_call++) {
            bool done = false;
            for (int tries = 0; !done && tries < 10; tries++)
                done = transaction_with_a_late_answer(client, late, by_call ? 200 : 0);
            CHECK(done, "no transaction came to its end");
        }
    }
    tendon_client_destroy(client);
}

static void test_as_they_come(void)
{
    tendon_client *client =
        open_client("redis://127.0.0.1:%d protocol=2 reply_form=wire", alone.port);
    make_fixture(client);
    expect_text(ask(client, "HGETALL", "{t}hash", NULL), "(array 6)");
    expect_text(ask(client, "ZSCORE", "{t}zset", "b", NULL), "2.5");
    tendon_client_destroy(client);
    client = open_client("redis://127.0.0.1:%d protocol=2", alone.port);
    struct answer answer = ask_by(client, (struct manner){.flags = TENDON_REQUEST_WIRE_REPLY},
                                  "HGETALL", "{t}hash", NULL);
    expect_text(answer, "(array 6)");
    answer = ask(client, "HGETALL", "{t}hash", NULL);
    CHECK(answer.reply && answer.view.nodes[0].type == TENDON_NODE_MAP, "%s", answer.text);
    forget(&answer);
    tendon_client_destroy(client);
}

int main(void)
{
    host_ports(15788);
    if (!host_start(&alone, "") || !host_start(&in_cluster, "--cluster-enabled yes"))
        return 1;
    host_say(in_cluster.port, "CLUSTER ADDSLOTSRANGE 0 16383");
    for (int i = 0; i < 200 && strcmp(host_say(in_cluster.port, "SET ready yes"), "OK"); i++)
        sleep_ms(50);
    snprintf(node_id, sizeof node_id, "%s", host_say(in_cluster.port, "CLUSTER MYID"));
    run_test("every command alike over RESP2 and RESP3", test_alone);
    run_test("commands of a cluster alike over RESP2 and RESP3", test_in_cluster);
    run_test("answers inside EXEC", test_transactions);
    run_test("late answers inside MULTI", test_late_answers);
    run_test("as they come where that is wanted", test_as_they_come);
    host_end(&alone);
    host_end(&in_cluster);
    return finish_tests();
}
