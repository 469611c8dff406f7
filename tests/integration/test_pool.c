/* Leases and the pool behind them: limits, waiting, order, tests, retirement, cleaning, statistics.
 */
#include <pthread.h>
#include <stdlib.h>

#include "support/check.h"
#include "support/host.h"
#include "support/servers.h"

#define WAITERS 6

static tendon_client *pooled(const char *options)
{
    return open_client("host=localhost port=%d mode=standalone %s",
                       server_number("standalone.port"), options);
}

/* Opens a lease; NULL with the failure in `out`. */
static tendon_lease *lease_of(tendon_client *client, int64_t timeout_ms, struct answer *out)
{
    tendon_lease_options options = {.struct_size = sizeof options, .timeout_ms = timeout_ms};
    tendon_lease *lease = NULL;
    tendon_error *error = NULL;
    double began = now_ms();
    tendon_status status = tendon_lease_open(client, &options, &lease, &error);
    double took = now_ms() - began;
    struct answer answer = answer_of(NULL, error);
    answer.status = status;
    answer.ms = took;
    CHECK((status == TENDON_OK) == (lease != NULL) && (status == TENDON_OK) == (error == NULL),
          "%s", tendon_status_name(status));
    if (out)
        *out = answer;
    else
        CHECK(status == TENDON_OK, "%s: %s", tendon_status_name(status), answer.fault.message);
    if (!out)
        forget(&answer);
    return lease;
}

static struct answer ask_on(tendon_client *client, tendon_lease *lease, const char *a,
                            const char *b)
{
    return ask_by(client, (struct manner){.lease = lease}, a, b, NULL);
}

static void until_idle(tendon_client *client, uint32_t idle)
{
    double limit = now_ms() + PATIENCE_MS;
    tendon_stats stats = stats_of(client);
    while (stats.idle != idle && now_ms() < limit) {
        sleep_ms(5);
        stats = stats_of(client);
    }
    CHECK(stats.idle == idle, "%u idle instead of %u, open %u leased %u lanes %u connecting %u",
          stats.idle, idle, stats.open, stats.leased, stats.lanes, stats.connecting);
}

/* Gauges and counters have to agree with each other. */
static void expect_sums(tendon_client *client)
{
    tendon_stats s = stats_of(client);
    uint64_t closed = s.closed_idle + s.closed_lifetime + s.closed_peer + s.closed_dirty +
                      s.closed_unhealthy + s.closed_stale + s.closed_error + s.closed_shutdown;
    CHECK(s.open == s.idle + s.leased + s.lanes + s.connecting,
          "open %u = idle %u + leased %u + lanes %u + %u", s.open, s.idle, s.leased, s.lanes,
          s.connecting);
    CHECK(s.created == closed + s.open - s.connecting, "created %lu = closed %lu + open %u",
          s.created, closed, s.open);
}

static void a_lease_is_one_connection(void)
{
    tendon_client *client = pooled("");
    tendon_lease *lease = lease_of(client, 0, NULL);
    struct answer first = ask_on(client, lease, "CLIENT", "ID"),
                  second = ask_on(client, lease, "CLIENT", "ID");
    struct answer other = ask(client, "CLIENT", "ID", NULL);
    CHECK(!strcmp(first.text, second.text) && strcmp(first.text, other.text), "%s %s %s",
          first.text, second.text, other.text);
    CHECK(stats_of(client).leased == 1, "leased %u", stats_of(client).leased);
    tendon_lease_close(lease);
    until_idle(client, 1);
    lease = lease_of(client, 0, NULL);
    expect_text(ask_on(client, lease, "CLIENT", "ID"), first.text);
    tendon_lease_discard(lease);
    until_idle(client, 0);
    expect_sums(client);
    forget(&first), forget(&second), forget(&other);
    tendon_client_destroy(client);
}

static void an_exhausted_pool_fails_at_once(void)
{
    tendon_client *client = pooled("pool_max=2 pool_wait_ms=0");
    tendon_lease *one = lease_of(client, 0, NULL), *two = lease_of(client, 0, NULL);
    struct answer answer;
    CHECK(!lease_of(client, 0, &answer), "a third of two");
    expect_time(&answer, 0, 0);
    expect_executed(&answer, TENDON_EXECUTED_NO);
    expect_fault(answer, TENDON_ERROR_POOL_EXHAUSTED, "pool_max");
    tendon_lease_close(two);
    until_idle(client, 1);
    two = lease_of(client, 0, NULL);
    tendon_lease_close(one);
    tendon_lease_close(two);
    tendon_client_destroy(client);
}

static void a_borrower_waits_as_long_as_it_may(void)
{
    tendon_client *client = pooled("pool_max=1 pool_wait_ms=300");
    tendon_lease *one = lease_of(client, 0, NULL);
    struct answer answer;
    CHECK(!lease_of(client, 0, &answer), "a second of one");
    expect_time(&answer, 300, 300);
    expect_fault(answer, TENDON_ERROR_POOL_TIMEOUT, "pool_max");
    CHECK(!lease_of(client, 120, &answer), "a second of one, with a time of its own");
    expect_time(&answer, 120, 120);
    expect_fault(answer, TENDON_ERROR_POOL_TIMEOUT, "pool_max");
    tendon_stats stats = stats_of(client);
    CHECK(stats.waits >= 2 && stats.wait_timeouts == 2 && stats.waiting == 0 &&
              stats.wait_us >= 400000,
          "waits %lu timeouts %lu waiting %u us %lu", stats.waits, stats.wait_timeouts,
          stats.waiting, stats.wait_us);
    tendon_lease_close(one);
    one = lease_of(client, 0, NULL);
    tendon_lease_close(one);
    tendon_client_destroy(client);
}

struct waiter {
    tendon_client *client;
    pthread_t thread;
    int number;
    int *served; /* in which order; atomic counter behind */
    int order;
};

static void *wait_in_line(void *argument)
{
    struct waiter *waiter = argument;
    tendon_lease *lease = lease_of(waiter->client, PATIENCE_MS, NULL);
    waiter->order = __atomic_fetch_add(waiter->served, 1, __ATOMIC_ACQ_REL);
    expect_text(ask_on(waiter->client, lease, "ECHO", "mine"), "mine");
    tendon_lease_close(lease);
    return NULL;
}

static void waiters_are_served_in_order(void)
{
    tendon_client *client = pooled("pool_max=1 lanes=1");
    tendon_lease *lease = lease_of(client, 0, NULL);
    struct waiter waiters[WAITERS];
    int served = 0;
    for (int i = 0; i < WAITERS; i++) {
        waiters[i] = (struct waiter){.client = client, .number = i, .served = &served};
        CHECK(!pthread_create(&waiters[i].thread, NULL, wait_in_line, &waiters[i]), "a thread");
        double limit = now_ms() + PATIENCE_MS;
        while (stats_of(client).waiting != (uint32_t)i + 1 && now_ms() < limit)
            sleep_ms(1);
    }
    CHECK(stats_of(client).waiting == WAITERS, "waiting %u", stats_of(client).waiting);
    tendon_lease_close(lease);
    for (int i = 0; i < WAITERS; i++) {
        pthread_join(waiters[i].thread, NULL);
        CHECK(waiters[i].order == i, "waiter %d was served as number %d", i, waiters[i].order);
    }
    expect_sums(client);
    tendon_client_destroy(client);
}

static void one_connection_serves_lane_and_leases(void)
{
    tendon_client *client = pooled("pool_max=1");
    for (int i = 0; i < 5; i++) {
        expect_text(ask(client, "PING", NULL), "PONG");
        tendon_lease *lease = lease_of(client, PATIENCE_MS, NULL);
        if (!lease)
            break;
        expect_text(ask_on(client, lease, "ECHO", "leased"), "leased");
        tendon_lease_close(lease);
    }
    tendon_client_destroy(client);
}

static void min_idle_is_kept_and_max_idle_too(void)
{
    tendon_client *client = pooled("pool_min_idle=3 pool_max_idle=4 pool_max=10");
    expect_text(ask(client, "PING", NULL), "PONG");
    until_idle(client, 3);
    tendon_lease *leases[8];
    for (int i = 0; i < 8; i++)
        leases[i] = lease_of(client, 0, NULL);
    for (int i = 0; i < 8; i++)
        tendon_lease_close(leases[i]);
    until_idle(client, 4);
    CHECK(stats_of(client).closed_idle >= 4, "closed above pool_max_idle: %lu",
          stats_of(client).closed_idle);
    expect_sums(client);
    tendon_client_destroy(client);
}

static void min_idle_begins_without_a_command(void)
{
    tendon_client *client = pooled("pool_min_idle=2");
    until_idle(client, 2);
    tendon_client_destroy(client);
}

static void a_killed_idle_connection_is_found_on_borrow(const char *options)
{
    tendon_client *client = pooled(options);
    tendon_lease *lease = lease_of(client, 0, NULL);
    struct answer id = ask_on(client, lease, "CLIENT", "ID");
    tendon_lease_close(lease);
    until_idle(client, 1);
    expect_text(ask(client, "CLIENT", "KILL", "ID", id.text, NULL), "1");
    lease = lease_of(client, 0, NULL);
    struct answer again = ask_on(client, lease, "CLIENT", "ID");
    CHECK(again.status == TENDON_OK && strcmp(again.text, id.text), "%s then %s: %s", id.text,
          again.text, again.fault.message);
    tendon_lease_close(lease);
    forget(&id), forget(&again);
    expect_sums(client);
    tendon_client_destroy(client);
}

static void killed_idle_connections(void)
{
    a_killed_idle_connection_is_found_on_borrow("pool_test_on_borrow=yes");
    a_killed_idle_connection_is_found_on_borrow("pool_test_on_return=yes");
    a_killed_idle_connection_is_found_on_borrow("");
}

static void a_killed_lease_says_so_until_it_is_closed(void)
{
    tendon_client *client = pooled("");
    tendon_lease *lease = lease_of(client, 0, NULL);
    struct answer id = ask_on(client, lease, "CLIENT", "ID");
    expect_text(ask(client, "CLIENT", "KILL", "ID", id.text, NULL), "1");
    expect_fault(ask_on(client, lease, "ECHO", "one"), TENDON_ERROR_DISCONNECTED, "");
    struct answer answer = ask_on(client, lease, "ECHO", "two");
    expect_executed(&answer, TENDON_EXECUTED_NO);
    expect_fault(answer, TENDON_ERROR_DISCONNECTED, "");
    tendon_lease_close(lease);
    expect_text(ask(client, "PING", NULL), "PONG");
    forget(&id);
    tendon_client_destroy(client);
}

/* What the next borrower finds after a dirty lease: the same connection cleaned, or another one. */
static void dirt(const char *const *words, size_t count)
{
    tendon_client *client = pooled("db=1");
    tendon_lease *lease = lease_of(client, 0, NULL);
    for (size_t i = 0; i < count; i++) {
        struct answer answer = ask_on(client, lease, words[2 * i], words[2 * i + 1]);
        CHECK(answer.status == TENDON_OK, "%s: %s", words[2 * i], answer.fault.message);
        forget(&answer);
    }
    tendon_lease_close(lease);
    for (int i = 0; i < 3; i++) {
        lease = lease_of(client, 0, NULL);
        expect_text(ask_on(client, lease, "SET", NULL),
                    "ERR wrong number of arguments for 'set' command");
        struct answer answer = ask_on(client, lease, "CLIENT", "INFO");
        CHECK(strstr(answer.text, " db=1 ") && strstr(answer.text, " multi=-1 ") &&
                  strstr(answer.text, " sub=0 "),
              "after %s: %s%s", words[0], answer.text, answer.fault.message);
        forget(&answer);
        tendon_lease_close(lease);
    }
    expect_sums(client);
    tendon_client_destroy(client);
}

static void dirty_leases_are_cleaned(void)
{
    static const char *const multi[] = {"MULTI", NULL, "GET", "key"};
    static const char *const watch[] = {"WATCH", "key"};
    static const char *const select_other[] = {"SELECT", "5"};
    static const char *const unwatch_in_multi[] = {"MULTI", NULL, "UNWATCH", NULL};
    static const char *const discard_without[] = {"WATCH", "key", "DISCARD", NULL};
    static const char *const client_reply[] = {"CLIENT", "ID", "MULTI", NULL, "SELECT", "3"};
    dirt(multi, 2);
    dirt(watch, 1);
    dirt(select_other, 1);
    dirt(unwatch_in_multi, 2);
    dirt(discard_without, 2);
    dirt(client_reply, 3);
}

static void a_watch_does_not_outlive_its_lease(void)
{
    tendon_client *client = pooled("pool_max=2");
    const char *key = key_of("watched");
    tendon_lease *lease = lease_of(client, 0, NULL);
    expect_text(ask_on(client, lease, "WATCH", key), "OK");
    tendon_lease_close(lease);
    expect_text(ask(client, "SETEX", key, "60", "changed", NULL), "OK");
    lease = lease_of(client, 0, NULL);
    expect_text(ask_on(client, lease, "MULTI", NULL), "OK");
    expect_text(ask_on(client, lease, "GET", key), "QUEUED");
    expect_text(ask_on(client, lease, "EXEC", NULL), "(array 1)");
    tendon_lease_close(lease);
    tendon_client_destroy(client);
}

static void connections_are_retired(void)
{
    tendon_client *client = pooled("pool_idle_timeout_ms=1500 pool_jitter_percent=0");
    tendon_lease *lease = lease_of(client, 0, NULL);
    tendon_lease_close(lease);
    until_idle(client, 1);
    until_idle(client, 0);
    CHECK(stats_of(client).closed_idle == 1, "closed_idle %lu", stats_of(client).closed_idle);
    tendon_client_destroy(client);
    client = pooled("pool_lifetime_ms=200 pool_jitter_percent=0 pool_min_idle=1");
    expect_text(ask(client, "PING", NULL), "PONG");
    until_idle(client, 1);
    double limit = now_ms() + PATIENCE_MS;
    while (stats_of(client).closed_lifetime < 2 && now_ms() < limit)
        expect_text(ask(client, "PING", NULL), "PONG");
    CHECK(stats_of(client).closed_lifetime >= 2, "closed_lifetime %lu",
          stats_of(client).closed_lifetime);
    until_idle(client, 1);
    expect_sums(client);
    tendon_client_destroy(client);
}

static void idle_connections_are_tested(void)
{
    struct host host;
    if (!host_start(&host, "")) /* its own, so that the count of PINGs is ours */
        return;
    tendon_client *client = open_client(
        "host=127.0.0.1 port=%d mode=standalone health_check_interval_ms=50", host.port);
    tendon_lease *lease = lease_of(client, 0, NULL);
    tendon_lease_close(lease);
    until_idle(client, 1);
    long before = host_info(host.port, "total_commands_processed");
    double began = now_ms();
    long tests = 0;
    for (int asked = 1; tests < 4 && now_ms() - began < PATIENCE_MS; asked++) {
        sleep_ms(400);
        tests = host_info(host.port, "total_commands_processed") - before - asked;
    }
    double took = now_ms() - began;
    CHECK(tests >= 4 && (double)tests <= took / 50 + 4, "%ld tests in %.0f ms of idleness", tests,
          took);
    host_freeze(&host);
    double limit = now_ms() + PATIENCE_MS;
    while (stats_of(client).closed_unhealthy == 0 && now_ms() < limit)
        sleep_ms(10);
    CHECK(stats_of(client).closed_unhealthy >= 1, "a silent connection fails its test");
    host_thaw(&host);
    lease = lease_of(client, 0, NULL);
    expect_text(ask_on(client, lease, "ECHO", "back"), "back");
    tendon_lease_close(lease);
    tendon_client_destroy(client);
    host_end(&host);
}

static void the_pool_bounds_blocking_commands(void)
{
    tendon_client *client = pooled("pool_max=3 pool_wait_ms=1000");
    tendon_queue *queue = NULL;
    CHECK(tendon_queue_create(&queue) == TENDON_OK, "a queue");
    const char *key = key_of("bounded");
    tendon_bytes words[] = {{"BLPOP", 5}, {key, strlen(key)}, {"4", 1}};
    tendon_request requests[5];
    for (int i = 0; i < 5; i++)
        requests[i] =
            (tendon_request){.struct_size = sizeof *requests, .args = words, .arg_count = 3};
    CHECK(tendon_submit(client, queue, requests, sizeof *requests, 5, NULL) == TENDON_OK, "five");
    int timeouts = 0, nulls = 0;
    for (int got = 0; got < 5;) {
        tendon_completion done;
        size_t count = tendon_queue_poll(queue, &done, sizeof done, 1, PATIENCE_MS);
        if (!CHECK(count == 1, "completion %d of 5", got + 1))
            break;
        struct answer answer = answer_of(done.reply, done.error);
        timeouts += done.status == TENDON_ERROR_POOL_TIMEOUT;
        nulls += done.status == TENDON_OK;
        CHECK(stats_of(client).open <= 3, "open %u", stats_of(client).open);
        forget(&answer);
        got++;
    }
    CHECK(timeouts == 2 && nulls == 3, "%d timeouts, %d replies", timeouts, nulls);
    expect_sums(client);
    tendon_client_destroy(client);
    tendon_queue_destroy(queue);
}

static tendon_client *waiting_client;

static void *wait_on_lease(void *argument)
{
    tendon_lease *lease = argument;
    struct answer answer =
        ask_by(waiting_client, (struct manner){.timeout_ms = TENDON_TIMEOUT_NONE, .lease = lease},
               "BLPOP", key_of("closed-lease"), "0", NULL);
    expect_fault(answer, TENDON_ERROR_CANCELLED, "lease");
    return NULL;
}

/* Its caller waits in the socket without a limit. */
static void a_lease_that_is_closed_ends_a_wait(void)
{
    pthread_t thread;
    waiting_client = pooled("client_name=c-it-closed");
    tendon_lease *lease = lease_of(waiting_client, PATIENCE_MS, NULL);
    if (!lease)
        return;
    pthread_create(&thread, NULL, wait_on_lease, lease);
    UNTIL(server_holds(waiting_client, "c-it-closed", 1));
    tendon_lease_close(lease);
    pthread_join(thread, NULL);
    tendon_client_destroy(waiting_client);
}

int main(void)
{
    if (!servers_load())
        return 77;
    host_ports(15700);
    run_test("a lease is one connection", a_lease_is_one_connection);
    run_test("an exhausted pool fails at once", an_exhausted_pool_fails_at_once);
    run_test("a borrower waits as long as it may", a_borrower_waits_as_long_as_it_may);
    run_test("waiters are served in order", waiters_are_served_in_order);
    run_test("one connection serves lane and leases", one_connection_serves_lane_and_leases);
    run_test("min idle and max idle", min_idle_is_kept_and_max_idle_too);
    run_test("min idle begins without a command", min_idle_begins_without_a_command);
    run_test("a killed idle connection is found", killed_idle_connections);
    run_test("a killed lease says so", a_killed_lease_says_so_until_it_is_closed);
    run_test("dirty leases are cleaned", dirty_leases_are_cleaned);
    run_test("a WATCH does not outlive its lease", a_watch_does_not_outlive_its_lease);
    run_test("idle time and lifetime retire connections", connections_are_retired);
    run_test("idle connections are tested", idle_connections_are_tested);
    run_test("the pool bounds blocking commands", the_pool_bounds_blocking_commands);
    run_test("a lease that is closed ends a wait", a_lease_that_is_closed_ends_a_wait);
    return finish_tests();
}
