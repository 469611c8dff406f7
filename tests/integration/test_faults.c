/* Servers that pause, freeze, die and lie: deadlines hold, nothing is executed twice, no reply goes
 * to another. */
#include <pthread.h>
#include <stdlib.h>

#include "support/check.h"
#include "support/host.h"
#include "support/peer.h"
#include "support/servers.h"

static struct host host;

static tendon_client *to_host(const char *more)
{
    return open_client("host=127.0.0.1 port=%d mode=standalone %s", host.port, more);
}

static tendon_client *to_peer(const struct peer *peer, const char *more)
{
    return open_client("host=127.0.0.1 port=%d mode=standalone %s", peer->port, more);
}

/* Replies must match what was asked: every answer of ECHO is checked against a nonce. */
static void expect_echo(tendon_client *client, int number)
{
    char nonce[32];
    snprintf(nonce, sizeof nonce, "nonce-%d", number);
    expect_text(ask(client, "ECHO", nonce, NULL), nonce);
}

static void a_paused_server_times_out_in_time(void)
{
    tendon_client *client = to_host("");
    expect_text(ask(client, "PING", NULL), "PONG");
    host_say(host.port, "CLIENT PAUSE 2000 ALL");
    struct answer answer = ask_by(client, (struct manner){.timeout_ms = 200}, "GET", "key", NULL);
    expect_time(&answer, 200, 200);
    expect_executed(&answer, TENDON_EXECUTED_UNKNOWN);
    expect_fault(answer, TENDON_ERROR_TIMEOUT, "200 ms");
    for (int i = 0; i < 20; i++)
        expect_echo(client, i);
    CHECK(stats_of(client).timeouts == 1 && stats_of(client).unknown == 1,
          "timeouts %lu unknown %lu", stats_of(client).timeouts, stats_of(client).unknown);
    tendon_client_destroy(client);
}

static void a_frozen_server_times_out_in_time(void)
{
    static const char *const options[] = {"", "connect_timeout_ms=300", "protocol=2 lanes=2"};
    for (size_t i = 0; i < 3; i++) {
        tendon_client *client = to_host(options[i]);
        if (i)
            expect_text(ask(client, "PING", NULL), "PONG");
        host_freeze(&host);
        struct answer answer =
            ask_by(client, (struct manner){.timeout_ms = 400}, "INCR", key_of("frozen"), NULL);
        expect_time(&answer, 400, 400);
        expect_executed(&answer, i ? TENDON_EXECUTED_UNKNOWN : TENDON_EXECUTED_NO);
        expect_fault(answer, TENDON_ERROR_TIMEOUT, "400 ms");
        host_thaw(&host);
        for (int n = 0; n < 20; n++)
            expect_echo(client, n);
        tendon_client_destroy(client);
    }
}

static void a_busy_server_never_mixes_late_replies(void)
{
    tendon_client *client = to_host("command_timeout_ms=60");
    char key[64], value[64];
    for (int i = 0; i < 50; i++) {
        snprintf(key, sizeof key, "late:%d", i);
        snprintf(value, sizeof value, "late:%d:%d", i, i * 7);
        host_say(host.port, "SET %s %s", key, value);
    }
    int late = 0;
    for (int i = 0; i < 150; i++) {
        if (i % 15 == 0)
            host_say(host.port, "CLIENT PAUSE 100 ALL");
        snprintf(key, sizeof key, "late:%d", i % 50);
        snprintf(value, sizeof value, "late:%d:%d", i % 50, i % 50 * 7);
        struct answer answer = ask(client, "GET", key, NULL);
        if (answer.status == TENDON_OK)
            CHECK(!strcmp(answer.text, value), "%s answers %s instead of %s", key, answer.text,
                  value);
        else
            late += CHECK(answer.status == TENDON_ERROR_TIMEOUT, "%s", answer.fault.message);
        forget(&answer);
    }
    CHECK(late >= 5, "%d of 150 were late", late);
    tendon_client_destroy(client);
}

static void a_write_without_answer_is_not_repeated(void)
{
    struct peer peer = {0};
    if (!peer_start(&peer, PEER_PASSES, host.port))
        return;
    tendon_client *client = to_peer(&peer, "");
    expect_text(ask(client, "SET", "counter", "0", NULL), "OK");
    for (int i = 1; i <= 10; i++) {
        peer_become(&peer, PEER_SWALLOWS);
        struct answer answer = ask(client, "INCR", "counter", NULL);
        expect_executed(&answer, TENDON_EXECUTED_UNKNOWN);
        expect_fault(answer, TENDON_ERROR_DISCONNECTED, "");
        peer_become(&peer, PEER_PASSES);
        char wanted[16];
        snprintf(wanted, sizeof wanted, "%d", i);
        expect_text(ask(client, "GET", "counter", NULL), wanted);
    }
    tendon_client_destroy(client);
    peer_end(&peer);
}

static void *heal_later(void *peer)
{
    sleep_ms(150);
    peer_become(peer, PEER_PASSES);
    return NULL;
}

static void a_read_without_answer_is_repeated(void)
{
    struct peer peer = {0};
    pthread_t thread;
    if (!peer_start(&peer, PEER_PASSES, host.port))
        return;
    tendon_client *client = to_peer(&peer, "max_retries=-1");
    expect_text(ask(client, "SET", "read", "value", NULL), "OK");
    peer_become(&peer, PEER_SWALLOWS);
    CHECK(!pthread_create(&thread, NULL, heal_later, &peer), "a thread");
    expect_text(ask(client, "GET", "read", NULL), "value");
    pthread_join(thread, NULL);
    CHECK(stats_of(client).retries >= 1, "retries %lu", stats_of(client).retries);
    peer_become(&peer, PEER_SWALLOWS);
    CHECK(!pthread_create(&thread, NULL, heal_later, &peer), "a thread");
    struct manner harmless = {.flags = TENDON_REQUEST_IDEMPOTENT};
    expect_text(ask_by(client, harmless, "HSET", "hash", "field", "value", NULL), "0");
    pthread_join(thread, NULL);
    tendon_client_destroy(client);
    peer_end(&peer);
}

static void no_retry_is_obeyed(void)
{
    struct peer peer = {0};
    if (!peer_start(&peer, PEER_PASSES, host.port))
        return;
    tendon_client *client = to_peer(&peer, "");
    expect_text(ask(client, "PING", NULL), "PONG");
    peer_become(&peer, PEER_SWALLOWS);
    struct answer answer =
        ask_by(client, (struct manner){.flags = TENDON_REQUEST_NO_RETRY}, "GET", "x", NULL);
    CHECK(answer.fault.attempts <= 1, "attempts %u", answer.fault.attempts);
    expect_fault(answer, TENDON_ERROR_DISCONNECTED, "");
    CHECK(stats_of(client).retries == 0, "retries %lu", stats_of(client).retries);
    tendon_client_destroy(client);
    peer_end(&peer);
}

static void a_reply_that_breaks_off_is_no_value(void)
{
    struct peer peer = {0};
    if (!peer_start(&peer, PEER_PASSES, host.port))
        return;
    char value[1001];
    memset(value, 'v', 1000);
    value[1000] = '\0';
    host_say(host.port, "SET broken %s", value);
    for (long cut = 0; cut < 1009; cut += cut < 10 || cut > 1000 ? 1 : 97) {
        tendon_client *client = to_peer(&peer, "max_retries=0");
        expect_text(ask(client, "PING", NULL), "PONG");
        __atomic_store_n(&peer.limit, cut, __ATOMIC_RELEASE);
        peer_become(&peer, PEER_CUTS);
        struct answer answer = ask(client, "GET", "broken", NULL);
        expect_executed(&answer, TENDON_EXECUTED_UNKNOWN);
        expect_fault(answer, TENDON_ERROR_DISCONNECTED, "");
        peer_become(&peer, PEER_PASSES);
        expect_text(ask(client, "STRLEN", "broken", NULL), "1000");
        tendon_client_destroy(client);
    }
    peer_end(&peer);
}

static void one_byte_at_a_time_is_enough(void)
{
    struct peer peer = {0};
    if (!peer_start(&peer, PEER_DRIPS, host.port))
        return;
    tendon_client *client = to_peer(&peer, "");
    for (int i = 0; i < 20; i++)
        expect_echo(client, i);
    expect_text(ask(client, "RPUSH", "drip", "a", "b", NULL), "2");
    expect_text(ask(client, "LRANGE", "drip", "0", "-1", NULL), "(array 2)");
    expect_text(ask(client, "DEL", "drip", NULL), "1");
    tendon_client_destroy(client);
    peer_end(&peer);
}

static void cancel_at_any_moment_gives_one_outcome(void)
{
    enum { COUNT = 2000 };
    tendon_client *client = to_host("");
    tendon_queue *queue = NULL;
    CHECK(tendon_queue_create(&queue) == TENDON_OK, "a queue");
    unsigned random = 12345, cancelled = 0, seen = 0;
    static uint8_t outcomes[COUNT];
    memset(outcomes, 0, sizeof outcomes);
    for (uint64_t i = 0; i < COUNT; i++) {
        char nonce[32];
        uint64_t id = 0;
        int size = snprintf(nonce, sizeof nonce, "cancel-%lu", (unsigned long)i);
        tendon_bytes words[] = {{"ECHO", 4}, {nonce, (size_t)size}};
        tendon_request request = {
            .struct_size = sizeof request, .args = words, .arg_count = 2, .tag = i};
        CHECK(tendon_submit(client, queue, &request, sizeof request, 1, &id) == TENDON_OK,
              "submit");
        random = random * 1103515245 + 12345;
        for (volatile unsigned spin = 0; spin < (random >> 16) % 20000; spin++)
            continue;
        if (random >> 8 & 1)
            CHECK(tendon_cancel(client, id) == TENDON_OK, "cancel");
    }
    tendon_completion done[64];
    for (double limit = now_ms() + PATIENCE_MS; seen < COUNT && now_ms() < limit;) {
        size_t count = tendon_queue_poll(queue, done, sizeof *done, 64, 500);
        for (size_t i = 0; i < count; i++, seen++) {
            struct answer answer = answer_of(done[i].reply, done[i].error);
            char nonce[32];
            snprintf(nonce, sizeof nonce, "cancel-%lu", (unsigned long)done[i].tag);
            CHECK(answer.status == TENDON_ERROR_CANCELLED || !strcmp(answer.text, nonce),
                  "tag %lu got %s%s", (unsigned long)done[i].tag, answer.text,
                  answer.fault.message);
            cancelled += answer.status == TENDON_ERROR_CANCELLED;
            CHECK(done[i].tag < COUNT && !outcomes[done[i].tag]++, "tag %lu again",
                  (unsigned long)done[i].tag);
            forget(&answer);
        }
    }
    CHECK(seen == COUNT && cancelled > 0 && cancelled < COUNT, "%u outcomes, %u cancelled", seen,
          cancelled);
    tendon_client_destroy(client);
    tendon_queue_destroy(queue);
}

static void a_cancelled_write_says_what_is_true(void)
{
    tendon_client *client = to_host("");
    tendon_queue *queue = NULL;
    CHECK(tendon_queue_create(&queue) == TENDON_OK, "a queue");
    int no = 0, yes = 0, unknown = 0;
    for (int i = 0; i < 300; i++) {
        char key[64];
        uint64_t id = 0;
        int size = snprintf(key, sizeof key, "cancelled:%d", i);
        tendon_bytes words[] = {{"INCR", 4}, {key, (size_t)size}};
        tendon_request request = {.struct_size = sizeof request, .args = words, .arg_count = 2};
        CHECK(tendon_submit(client, queue, &request, sizeof request, 1, &id) == TENDON_OK,
              "submit");
        for (volatile int spin = 0; spin < i * 100; spin++)
            continue;
        tendon_cancel(client, id);
        tendon_completion done;
        if (!CHECK(tendon_queue_poll(queue, &done, sizeof done, 1, PATIENCE_MS) == 1, "an outcome"))
            break;
        struct answer answer = answer_of(done.reply, done.error);
        sleep_ms(1);
        bool there = !strcmp(host_say(host.port, "GET %s", key), "1");
        if (answer.status == TENDON_OK)
            yes += CHECK(there, "acknowledged and lost");
        else if (answer.fault.executed == TENDON_EXECUTED_NO)
            no += CHECK(!there, "said not to be executed, but it was");
        else
            unknown++;
        forget(&answer);
    }
    printf("# of 300 cancelled writes: %d not executed, %d unknown, %d acknowledged\n", no, unknown,
           yes);
    tendon_client_destroy(client);
    tendon_queue_destroy(queue);
}

static double closed_ms;

static void *close_later(void *client)
{
    UNTIL(host_info(host.port, "blocked_clients") == 1);
    closed_ms = now_ms();
    tendon_client_close(client);
    return NULL;
}

static void close_ends_calls_under_way(void)
{
    tendon_client *client = to_host("");
    pthread_t thread;
    CHECK(!pthread_create(&thread, NULL, close_later, client), "a thread");
    struct answer answer = ask_by(client, (struct manner){.timeout_ms = TENDON_TIMEOUT_NONE},
                                  "BLPOP", "none", "0", NULL);
    double ended_ms = now_ms();
    pthread_join(thread, NULL);
    CHECK(ended_ms - closed_ms < slack_ms(now_ms() - closed_ms), "%.0f ms after close",
          ended_ms - closed_ms);
    expect_executed(&answer, TENDON_EXECUTED_UNKNOWN);
    expect_fault(answer, TENDON_ERROR_CLOSED, "closed");
    expect_fault(ask(client, "PING", NULL), TENDON_ERROR_CLOSED, "closed");
    tendon_client_destroy(client);
}

static void a_killed_server_is_found_again(void)
{
    tendon_client *client =
        to_host("command_timeout_ms=30000 reconnect_backoff_max_ms=200 max_retries=-1");
    expect_text(ask(client, "SET", "before", "x", NULL), "OK");
    host_kill(&host);
    struct answer answer =
        ask_by(client, (struct manner){.timeout_ms = 2000}, "SET", "during", "x", NULL);
    expect_time(&answer, 0, 2000);
    expect_executed(&answer, TENDON_EXECUTED_NO);
    CHECK(strstr(answer.fault.message, "refused"), "\"%s\" does not name the cause",
          answer.fault.message);
    forget(&answer);
    host_restart(&host);
    expect_text(ask(client, "SET", "after", "x", NULL), "OK");
    expect_text(ask(client, "GET", "before", NULL), "(null)");
    tendon_client_destroy(client);
}

static void read_timeout_ends_an_attempt(void)
{
    tendon_client *client =
        to_host("read_timeout_ms=150 command_timeout_ms=30000 retry_on_timeout=yes max_retries=-1 "
                "retry_backoff_max_ms=10");
    expect_text(ask(client, "SET", "slow", "value", NULL), "OK");
    host_say(host.port, "CLIENT PAUSE 1500 ALL");
    struct answer answer = ask(client, "GET", "slow", NULL);
    expect_time(&answer, 150, 1900);
    expect_text(answer, "value");
    CHECK(stats_of(client).retries >= 1, "retries %lu", stats_of(client).retries);
    tendon_client_destroy(client);
    client = to_host("read_timeout_ms=150 command_timeout_ms=30000");
    expect_text(ask(client, "PING", NULL), "PONG");
    host_say(host.port, "CLIENT PAUSE 1500 ALL");
    answer = ask(client, "INCR", "slow-counter", NULL);
    expect_time(&answer, 150, 150);
    expect_executed(&answer, TENDON_EXECUTED_UNKNOWN);
    expect_fault(answer, TENDON_ERROR_TIMEOUT, "read_timeout_ms");
    tendon_client_destroy(client);
}

static void the_server_limit_of_clients_is_told(void)
{
    struct host full;
    if (!host_start(&full, "--maxclients 3"))
        return;
    tendon_client *first = open_client("host=127.0.0.1 port=%d mode=standalone", full.port);
    tendon_lease *leases[2] = {NULL, NULL};
    expect_text(ask(first, "PING", NULL), "PONG");
    for (int i = 0; i < 2; i++)
        CHECK(tendon_lease_open(first, NULL, &leases[i], NULL) == TENDON_OK, "a lease");
    tendon_client *second =
        open_client("host=127.0.0.1 port=%d mode=standalone command_timeout_ms=2000", full.port);
    struct answer answer = ask(second, "PING", NULL);
    expect_time(&answer, 0, 2000);
    CHECK(answer.status != TENDON_OK && strstr(answer.fault.message, "max number of clients"), "%s",
          answer.fault.message);
    forget(&answer);
    expect_text(ask(first, "PING", NULL), "PONG");
    tendon_lease_discard(leases[0]);
    tendon_lease_discard(leases[1]);
    expect_text(ask_by(second, (struct manner){.timeout_ms = PATIENCE_MS}, "PING", NULL), "PONG");
    tendon_client_destroy(first);
    tendon_client_destroy(second);
    host_end(&full);
}

static void a_stalled_write_ends_in_time(void)
{
    static const size_t SIZE = 50000000;
    tendon_client *client = to_host("");
    expect_text(ask(client, "PING", NULL), "PONG");
    char *value = calloc(1, SIZE);
    host_freeze(&host);
    tendon_bytes words[] = {{"APPEND", 6}, {"stalled", 7}, {value, SIZE}};
    struct answer answer = ask_bytes(client, (struct manner){.timeout_ms = 300}, words, 3);
    expect_time(&answer, 300, 2000); /* the copy of so long a value takes its time as well */
    bool said_no = answer.fault.executed == TENDON_EXECUTED_NO;
    expect_fault(answer, TENDON_ERROR_TIMEOUT, "300 ms");
    host_thaw(&host);
    sleep_ms(200);
    for (int i = 0; i < 5; i++)
        expect_echo(client, i);
    if (said_no)
        expect_text(ask(client, "EXISTS", "stalled", NULL), "0");
    free(value);
    tendon_client_destroy(client);
}

int main(void)
{
    if (!servers_load())
        return 77;
    host_ports(15760);
    if (host_start(&host, "")) {
        host_say(host.port, "HSET hash field value");
        run_test("a paused server", a_paused_server_times_out_in_time);
        run_test("a frozen server", a_frozen_server_times_out_in_time);
        run_test("late replies are never mixed", a_busy_server_never_mixes_late_replies);
        run_test("a write without answer is not repeated", a_write_without_answer_is_not_repeated);
        run_test("a read without answer is repeated", a_read_without_answer_is_repeated);
        run_test("TENDON_REQUEST_NO_RETRY", no_retry_is_obeyed);
        run_test("a reply that breaks off", a_reply_that_breaks_off_is_no_value);
        run_test("one byte at a time", one_byte_at_a_time_is_enough);
        run_test("cancel at any moment", cancel_at_any_moment_gives_one_outcome);
        run_test("a cancelled write says what is true", a_cancelled_write_says_what_is_true);
        run_test("close ends calls under way", close_ends_calls_under_way);
        run_test("read_timeout_ms", read_timeout_ends_an_attempt);
        run_test("maxclients", the_server_limit_of_clients_is_told);
        run_test("a stalled write", a_stalled_write_ends_in_time);
        run_test("a killed server is found again", a_killed_server_is_found_again);
    }
    host_end(&host);
    return finish_tests();
}
