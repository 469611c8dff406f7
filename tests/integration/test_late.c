/* Replies that come late or just at the deadline: each request has one outcome, and it is its own.
 */
#include <stdlib.h>

#include "support/check.h"
#include "support/host.h"
#include "support/servers.h"

#define MANY 1000

static struct host host;

static void submit_echo(tendon_client *client, tendon_queue *queue, uint64_t tag,
                        int64_t timeout_ms)
{
    char nonce[32];
    int size = snprintf(nonce, sizeof nonce, "late-%lu", (unsigned long)tag);
    tendon_bytes words[] = {{"ECHO", 4}, {nonce, (size_t)size}};
    tendon_request request = {.struct_size = sizeof request,
                              .args = words,
                              .arg_count = 2,
                              .tag = tag,
                              .timeout_ms = timeout_ms};
    CHECK(tendon_submit(client, queue, &request, sizeof request, 1, NULL) == TENDON_OK, "submit");
}

/* Takes `count` outcomes; returns how many were replies, or -1. Late ones are checked for their
 * time. */
static int take(tendon_queue *queue, int count, const char *what)
{
    int replies = 0, seen = 0;
    tendon_completion done[64];
    for (double limit = now_ms() + PATIENCE_MS; seen < count && now_ms() < limit;) {
        size_t got = tendon_queue_poll(queue, done, sizeof *done, 64, 1000);
        for (size_t i = 0; i < got; i++, seen++) {
            char nonce[32];
            struct answer answer = answer_of(done[i].reply, done[i].error);
            snprintf(nonce, sizeof nonce, "late-%lu", (unsigned long)done[i].tag);
            CHECK(answer.status == TENDON_ERROR_TIMEOUT || !strcmp(answer.text, nonce),
                  "%s: %s got %s%s", what, nonce, answer.text, answer.fault.message);
            replies += answer.status == TENDON_OK;
            forget(&answer);
        }
    }
    CHECK(seen == count, "%s: %d outcomes of %d", what, seen, count);
    return replies;
}

static void a_sleeping_server_with_a_thousand_requests(void)
{
    tendon_client *client = open_client("host=127.0.0.1 port=%d mode=standalone", host.port);
    tendon_queue *queue = NULL;
    CHECK(tendon_queue_create(&queue) == TENDON_OK, "a queue");
    expect_text(ask(client, "PING", NULL), "PONG");
    host_freeze(&host);
    double began = now_ms();
    for (uint64_t i = 0; i < MANY; i++)
        submit_echo(client, queue, i, 500);
    CHECK(take(queue, MANY, "asleep") == 0, "nobody answers while asleep");
    double took = now_ms() - began;
    CHECK(took < 500 + slack_ms(took), "all were told after %.0f ms", took);
    host_thaw(&host);
    for (uint64_t i = 0; i < MANY; i++)
        submit_echo(client, queue, MANY + i, PATIENCE_MS);
    CHECK(take(queue, MANY, "awake") == MANY, "everybody is answered afterwards");
    tendon_stats stats = stats_of(client);
    CHECK(stats.created <= 3 && stats.timeouts == MANY, "%lu connections, %lu timeouts",
          (unsigned long)stats.created, (unsigned long)stats.timeouts);
    tendon_client_destroy(client);
    tendon_queue_destroy(queue);
}

static void replies_at_the_deadline_have_one_outcome(void)
{
    tendon_client *client = open_client("host=127.0.0.1 port=%d mode=standalone", host.port);
    tendon_queue *queue = NULL;
    CHECK(tendon_queue_create(&queue) == TENDON_OK, "a queue");
    int replies = 0, count = 0;
    double limit = now_ms() + PATIENCE_MS;
    for (int round = 0; round < 60 || ((!replies || replies == count) && now_ms() < limit);
         round++) {
        /* The pause ends about when the deadlines pass; on a busy machine, later rounds hit that.
         */
        int64_t spread_ms = 8 + round / 60;
        host_say(host.port, "CLIENT PAUSE 8 ALL");
        for (uint64_t i = 0; i < 50; i++, count++)
            submit_echo(client, queue, (uint64_t)count, 4 + (int64_t)i % spread_ms);
        replies += take(queue, 50, "at the deadline");
    }
    CHECK(replies > 0 && replies < count, "%d replies of %d", replies, count);
    printf("# %d of %d replies came in time\n", replies, count);
    tendon_client_destroy(client);
    tendon_queue_destroy(queue);
}

static void a_hiccup_costs_no_connection(void)
{
    tendon_client *client = open_client("host=127.0.0.1 port=%d mode=standalone", host.port);
    expect_text(ask(client, "PING", NULL), "PONG");
    for (int i = 0; i < 3; i++) {
        host_freeze(&host);
        struct answer answer =
            ask_by(client, (struct manner){.timeout_ms = 150}, "GET", "hiccup", NULL);
        expect_time(&answer, 150, 150);
        expect_fault(answer, TENDON_ERROR_TIMEOUT, "150 ms");
        sleep_ms(150);
        host_thaw(&host);
        expect_text(ask(client, "ECHO", "back", NULL), "back");
    }
    CHECK(stats_of(client).created <= 2, "%lu connections",
          (unsigned long)stats_of(client).created);
    tendon_client_destroy(client);
}

static void a_paused_writer_lets_readers_pass(void)
{
    tendon_client *client = open_client("host=127.0.0.1 port=%d mode=standalone", host.port);
    expect_text(ask(client, "SET", "paused", "1", NULL), "OK");
    host_say(host.port, "CLIENT PAUSE 500 WRITE");
    struct answer answer = ask(client, "GET", "paused", NULL);
    expect_time(&answer, 0, 50);
    expect_text(answer, "1");
    answer = ask(client, "INCR", "paused", NULL);
    expect_time(&answer, 100, 500);
    expect_text(answer, "2");
    tendon_client_destroy(client);
}

static void killed_connections_cost_reads_nothing(void)
{
    tendon_client *client =
        open_client("host=127.0.0.1 port=%d mode=standalone db=3 client_name=c-it-kill", host.port);
    expect_text(ask(client, "SET", "counter", "0", NULL), "OK");
    int acknowledged = 0, unknown = 0;
    for (int i = 0; i < 100; i++) {
        if (i % 4 == 0) {
            host_say(host.port, "CLIENT KILL TYPE normal");
            sleep_ms(3); /* a connection used within the last millisecond is not looked at before it
                            is used */
        }
        struct answer answer = ask(client, "INCR", "counter", NULL);
        acknowledged += answer.status == TENDON_OK;
        unknown += answer.status != TENDON_OK && answer.fault.executed == TENDON_EXECUTED_UNKNOWN;
        forget(&answer);
        answer = ask(client, "CLIENT", "GETNAME", NULL);
        if (answer.status == TENDON_OK)
            CHECK(!strcmp(answer.text, "c-it-kill"), "%s", answer.text);
        forget(&answer);
    }
    struct answer answer = ask(client, "GET", "counter", NULL);
    int counted = atoi(answer.text);
    CHECK(counted >= acknowledged && counted <= acknowledged + unknown,
          "%d counted, %d acknowledged, %d unknown", counted, acknowledged, unknown);
    CHECK(acknowledged == 100, "%d of 100; idle connections that died cost nothing", acknowledged);
    forget(&answer);
    tendon_client_destroy(client);
}

int main(void)
{
    if (!servers_load())
        return 77;
    host_ports(15730);
    if (host_start(&host, "--hz 500")) {
        run_test("a sleeping server with 1,000 requests",
                 a_sleeping_server_with_a_thousand_requests);
        run_test("replies at the deadline", replies_at_the_deadline_have_one_outcome);
        run_test("a hiccup", a_hiccup_costs_no_connection);
        run_test("CLIENT PAUSE WRITE", a_paused_writer_lets_readers_pass);
        run_test("CLIENT KILL again and again", killed_connections_cost_reads_nothing);
    }
    host_end(&host);
    return finish_tests();
}
