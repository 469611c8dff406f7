/* Subscriptions: what is bounded and costs nothing while nobody collects, many names, and the end
 * of the handles in any order. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/host.h"
#include "support/listener.h"
#include "support/servers.h"

static double cpu_ms(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec * 1e3 + (double)used.tv_nsec / 1e6;
}

/* Who does not collect keeps the connection from being read, and gets everything in the end. */
static void nothing_is_dropped_by(const char *options, const char *plain, int messages)
{
    struct listener listener = listen_with(options);
    tendon_client *publisher = open_client("%s", plain);
    char payload[1025];
    memset(payload, 'x', 1024);
    payload[1024] = 0;
    say(&listener, 1, 0, "SUBSCRIBE it:flood");
    expect(&listener, "subscribe it:flood 1");
    expect(&listener, "1: 1");
    for (int i = 0; i < messages; i++) {
        char numbered[1100];
        snprintf(numbered, sizeof numbered, "%d:%s", i, payload);
        publish(publisher, "it:flood", numbered, 1);
    }
    double before = cpu_ms();
    sleep_ms(500);
    double used = cpu_ms() - before;
    CHECK(listener.is_driven || used < 250, "%.0f ms of work in 500 ms of waiting", used);
    for (int i = 0; i < messages; i++) {
        char wanted[64];
        snprintf(wanted, sizeof wanted, "message it:flood %d:", i);
        const char *got = next_within(&listener, WAIT_MS);
        if (!CHECK(!strncmp(got, wanted, strlen(wanted)), "%d: %.60s", i, got))
            break;
    }
    say(&listener, 2, 0, "PING");
    expect(&listener, "2: PONG");
    end_listener(&listener);
    tendon_client_destroy(publisher);
}

static void nothing_is_dropped_when_nobody_collects(void)
{
    char plain[64];
    snprintf(plain, sizeof plain, "host=localhost port=%d", server_number("standalone.port"));
    nothing_is_dropped_by(standalone("subscription_buffer_bytes=65536"), plain, 3000);
}

static void nothing_is_dropped_by_a_loop(void)
{
    char plain[64];
    snprintf(plain, sizeof plain, "host=localhost port=%d", server_number("standalone.port"));
    nothing_is_dropped_by(standalone("subscription_buffer_bytes=65536 drive=host"), plain, 3000);
}

/* Messages that the TLS library holds already make no socket readable. A smaller buffer than one
 * record stops in the middle of it. */
static void nothing_is_dropped_by_tls(void)
{
    char plain[400];
    char options[512];
    snprintf(plain, sizeof plain, "host=localhost port=%d tls=yes tls_ca_file=%s",
             server_number("tls.port"), server_text("tls.ca_file"));
    static const int buffers[] = {2048, 65536};
    for (int i = 0; i < 2; i++) {
        snprintf(options, sizeof options, "%s subscription_buffer_bytes=%d", plain, buffers[i]);
        nothing_is_dropped_by(options, plain, i ? 2000 : 200);
    }
}

/* Here all that is left is in the TLS library when reading stops, and the socket is empty. */
static void what_tls_holds_is_found(void)
{
    char plain[400];
    char options[512];
    snprintf(plain, sizeof plain, "host=localhost port=%d tls=yes tls_ca_file=%s",
             server_number("tls.port"), server_text("tls.ca_file"));
    snprintf(options, sizeof options, "%s subscription_buffer_bytes=1024", plain);
    struct listener listener = listen_with(options);
    tendon_client *publisher = open_client("%s", plain);
    say(&listener, 1, 0, "SUBSCRIBE it:burst");
    expect(&listener, "subscribe it:burst 1");
    expect(&listener, "1: 1");
    for (int round = 0; round < 5; round++) {
        struct answer answer = ask(
            publisher, "EVAL",
            "for i = 1, 13 do redis.call('PUBLISH', 'it:burst', i .. string.rep('x', 1000)) end",
            "0", NULL);
        forget(&answer);
        sleep_ms(50);
        for (int i = 1; i <= 13; i++) {
            char wanted[32];
            snprintf(wanted, sizeof wanted, "message it:burst %dx", i);
            const char *got = next_within(&listener, WAIT_MS);
            if (!CHECK(!strncmp(got, wanted, strlen(wanted)), "%d: %.60s", i, got))
                break;
        }
    }
    end_listener(&listener);
    tendon_client_destroy(publisher);
}

/* What was sent before the end is still told, and the end costs no work until then. */
static void the_end_is_found_when_it_is_read_again(void)
{
    struct host host = {0};
    if (!CHECK(host_start(&host, ""), "a server"))
        return;
    struct listener listener = listen_to(host.port, "subscription_buffer_bytes=1024");
    tendon_client *publisher = open_client("host=localhost port=%d", host.port);
    char payload[201];
    memset(payload, 'x', 200);
    payload[200] = 0;
    say(&listener, 1, 0, "SUBSCRIBE a");
    expect(&listener, "subscribe a 1");
    expect(&listener, "1: 1");
    for (int i = 0; i < 100; i++)
        publish(publisher, "a", payload, 1);
    sleep_ms(50);
    host_kill(&host);
    double before = cpu_ms();
    sleep_ms(500);
    double used = cpu_ms() - before;
    CHECK(used < 250, "%.0f ms of work in 500 ms of waiting", used);
    int got = 0;
    const char *text = next_within(&listener, WAIT_MS);
    for (; !strncmp(text, "message a x", 11); got++)
        text = next_within(&listener, WAIT_MS);
    CHECK(got == 100 && !strcmp(text, "closed"), "%d messages, then \"%s\"", got, text);
    end_listener(&listener);
    tendon_client_destroy(publisher);
    host_end(&host);
}

static void many_names_at_once(void)
{
    struct listener listener = listen_with(standalone(""));
    static char line[1 << 19];
    size_t used = (size_t)snprintf(line, sizeof line, "SUBSCRIBE");
    for (int i = 0; i < 25000; i++)
        used += (size_t)snprintf(line + used, sizeof line - used, " it:m%d", i);
    say(&listener, 1, 30000, line);
    for (int i = 0; i < 25000; i++) {
        char wanted[64];
        snprintf(wanted, sizeof wanted, "subscribe it:m%d %d", i, i + 1);
        const char *got = next_within(&listener, WAIT_MS);
        if (!CHECK(!strcmp(got, wanted), "\"%s\" instead of \"%s\"", got, wanted))
            break;
    }
    expect(&listener, "1: 25000");
    say(&listener, 2, 30000, "UNSUBSCRIBE");
    for (int i = 0; i < 25000; i++) {
        const char *got = next_within(&listener, WAIT_MS);
        if (!CHECK(!strncmp(got, "unsubscribe it:m", 16), "%d: \"%s\"", i, got))
            break;
    }
    expect(&listener, "2: 0");
    end_listener(&listener);
}

static void closing_ends_it(void)
{
    struct listener listener = listen_with(standalone(""));
    say(&listener, 1, 0, "SUBSCRIBE it:a");
    expect(&listener, "subscribe it:a 1");
    expect(&listener, "1: 1");
    tendon_client_close(listener.client);
    expect(&listener, "closed");
    tendon_request request = {.struct_size = sizeof request};
    CHECK(tendon_subscription_submit(listener.subscription, &request, NULL) == TENDON_ERROR_CLOSED,
          "closed");
    tendon_client_destroy(listener.client);
    tendon_subscription_close(listener.subscription);
    tendon_queue_destroy(listener.queue);
    /* Closed with messages in the queue, and with a command under way. */
    listener = listen_with(standalone(""));
    say(&listener, 1, 0, "SUBSCRIBE it:a it:b it:c");
    tendon_subscription_close(listener.subscription);
    listener.subscription = NULL;
    const char *got = next_within(&listener, WAIT_MS);
    while (*got && strncmp(got, "1: ", 3))
        got = next_within(&listener, WAIT_MS);
    CHECK(*got, "the command has an outcome");
    for (int i = 0; i < 200 && stats_of(listener.client).leased; i++)
        sleep_ms(10);
    CHECK(stats_of(listener.client).leased == 0, "its connection is given back");
    end_listener(&listener);
}

/* Handles may be given up in any order, and at once. */
static void handles_end_in_any_order(void)
{
    struct listener listener = listen_with(standalone(""));
    tendon_client_destroy(listener.client); /* no command has told the engine of it */
    tendon_subscription_close(listener.subscription);
    tendon_queue_destroy(listener.queue);
    tendon_client *publisher =
        open_client("host=localhost port=%d", server_number("standalone.port"));
    for (int i = 0; i < 30; i++) {
        listener = listen_with(standalone(""));
        say(&listener, 1, 0, "SUBSCRIBE it:end");
        expect(&listener, "subscribe it:end 1");
        expect(&listener, "1: 1");
        struct answer answers[20];
        for (int j = 0; j < 20; j++) {
            answers[j] = ask(publisher, "PUBLISH", "it:end", "x", NULL);
            forget(&answers[j]);
            if (j == i % 20) {
                tendon_subscription_close(listener.subscription);
                tendon_queue_destroy(listener.queue);
            }
        }
        tendon_client_destroy(listener.client);
    }
    tendon_client_destroy(publisher);
}

/* With a pool of one, what waits for the connection of a subscription has it when that ends,
 * although the client's thread was asleep. */
static void the_only_connection_is_passed_on(void)
{
    const tendon_bytes args[] = {{"GET", 3}, {"it:one", 6}};
    tendon_request get = {.struct_size = sizeof get,
                          .args = args,
                          .arg_count = 2,
                          .tag = 2,
                          .timeout_ms = 4 * (int64_t)PATIENCE_MS};
    bool good = true;
    for (int i = 0; i < 20 && good; i++) {
        struct listener listener = listen_with(standalone("pool_max=1"));
        say(&listener, 1, 0, "SUBSCRIBE it:one");
        expect(&listener, "subscribe it:one 1");
        expect(&listener, "1: 1");
        tendon_status status =
            tendon_submit(listener.client, listener.queue, &get, sizeof get, 1, NULL);
        CHECK(status == TENDON_OK, "GET is submitted");
        tendon_subscription_close(listener.subscription);
        listener.subscription = NULL;
        good = expect(&listener, "2: (null)");
        end_listener(&listener);
    }
}

int main(void)
{
    if (!servers_load())
        return 77;
    host_ports(15670);
    run_test("nothing is dropped when nobody collects", nothing_is_dropped_when_nobody_collects);
    run_test("nothing is dropped by a loop", nothing_is_dropped_by_a_loop);
    run_test("nothing is dropped by TLS", nothing_is_dropped_by_tls);
    run_test("what TLS holds is found", what_tls_holds_is_found);
    run_test("the end is found when it is read again", the_end_is_found_when_it_is_read_again);
    run_test("many names at once", many_names_at_once);
    run_test("closing ends it", closing_ends_it);
    run_test("the only connection is passed on", the_only_connection_is_passed_on);
    run_test("handles end in any order", handles_end_in_any_order);
    return finish_tests();
}
