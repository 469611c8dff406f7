/* Completion queues: submit, poll, cancel, watch, wake, and reconnecting by the host program. */
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>

#include "support/check.h"
#include "support/host.h"
#include "support/servers.h"

#define ALL_EVENTS UINT32_C(0x3fe)

static tendon_queue *queue_of(void)
{
    tendon_queue *queue = NULL;
    CHECK(tendon_queue_create(&queue) == TENDON_OK, "a queue");
    return queue;
}

static tendon_client *standalone(const char *more)
{
    return open_client("host=localhost port=%d mode=standalone %s",
                       server_number("standalone.port"), more);
}

static tendon_status submit_words(tendon_client *client, tendon_queue *queue, uint64_t tag,
                                  int64_t timeout_ms, uint64_t *out_id, const char *a,
                                  const char *b, const char *c)
{
    tendon_bytes words[] = {{a, strlen(a)}, {b, b ? strlen(b) : 0}, {c, c ? strlen(c) : 0}};
    tendon_request request = {.struct_size = sizeof request,
                              .args = words,
                              .arg_count = c   ? 3
                                           : b ? 2
                                               : 1,
                              .tag = tag,
                              .timeout_ms = timeout_ms};
    return tendon_submit(client, queue, &request, sizeof request, 1, out_id);
}

/* The next completion of a request, events left out. */
static bool next_outcome(tendon_queue *queue, tendon_completion *out)
{
    double limit = now_ms() + PATIENCE_MS;
    while (now_ms() < limit) {
        if (tendon_queue_poll(queue, out, sizeof *out, 1, 100) != 1)
            continue;
        if (out->kind != TENDON_COMPLETION_EVENT)
            return true;
        tendon_reply_destroy(out->reply);
        tendon_error_destroy(out->error);
    }
    return CHECK(false, "no completion came");
}

static void a_submitted_request_completes_once(void)
{
    tendon_client *client = standalone("");
    tendon_queue *queue = queue_of();
    uint64_t id = 0;
    CHECK(submit_words(client, queue, 77, 0, &id, "ECHO", "hello", NULL) == TENDON_OK && id,
          "submit");
    tendon_completion done;
    if (next_outcome(queue, &done)) {
        CHECK(done.id == id && done.tag == 77 && done.kind == TENDON_COMPLETION_REPLY &&
                  done.status == TENDON_OK,
              "id %lu tag %lu kind %u", done.id, done.tag, done.kind);
        CHECK(done.node_count == 1 && done.nodes && done.nodes->type == TENDON_NODE_STRING &&
                  !memcmp(done.data + done.nodes->value.offset, "hello", 5),
              "the tape is in the completion");
        expect_text(answer_of(done.reply, done.error), "hello");
    }
    CHECK(tendon_queue_poll(queue, &done, sizeof done, 1, 50) == 0, "exactly one completion");
    tendon_client_destroy(client);
    tendon_queue_destroy(queue);
}

static void the_descriptor_follows_the_queue(void)
{
    tendon_client *client = standalone("");
    tendon_queue *queue = queue_of();
    struct pollfd polled = {tendon_queue_fd(queue), POLLIN, 0};
    CHECK(polled.fd >= 0 && poll(&polled, 1, 0) == 0, "an empty queue is not readable");
    for (int i = 0; i < 3; i++)
        CHECK(submit_words(client, queue, 0, 0, NULL, "PING", NULL, NULL) == TENDON_OK, "submit");
    CHECK(poll(&polled, 1, PATIENCE_MS) == 1, "readable once something is there");
    tendon_completion done[8];
    for (size_t got = 0; got < 3;) {
        size_t count = tendon_queue_poll(queue, done, sizeof *done, 8, PATIENCE_MS);
        for (size_t i = 0; i < count; i++)
            expect_text(answer_of(done[i].reply, done[i].error), "PONG");
        got += count ? count : 3;
    }
    CHECK(poll(&polled, 1, 0) == 0, "not readable once it is empty again");
    tendon_client_destroy(client);
    tendon_queue_destroy(queue);
}

static void order_is_kept_for_one_thread(void)
{
    enum { COUNT = 20000 };
    tendon_client *client = standalone("");
    tendon_queue *queue = queue_of();
    const char *key = key_of("order");
    for (int i = 0; i < COUNT; i++)
        CHECK(submit_words(client, queue, (uint64_t)i, 30000, NULL, "INCR", key, NULL) == TENDON_OK,
              "submit %d", i);
    tendon_completion done[64];
    uint64_t next = 0;
    for (double limit = now_ms() + PATIENCE_MS; next < COUNT && now_ms() < limit;) {
        size_t count = tendon_queue_poll(queue, done, sizeof *done, 64, 1000);
        for (size_t i = 0; i < count; i++, next++) {
            CHECK(done[i].tag == next && done[i].nodes &&
                      done[i].nodes->value.integer == (int64_t)next + 1,
                  "tag %lu at place %lu", done[i].tag, next);
            tendon_reply_destroy(done[i].reply);
            tendon_error_destroy(done[i].error);
        }
    }
    CHECK(next == COUNT, "%lu of %d", next, COUNT);
    expect_text(ask(client, "DEL", key, NULL), "1");
    tendon_client_destroy(client);
    tendon_queue_destroy(queue);
}

static void cancel_ends_what_waits(void)
{
    tendon_client *client = standalone("client_name=c-it-cancel");
    tendon_queue *queue = queue_of();
    uint64_t id = 0;
    CHECK(submit_words(client, queue, 1, TENDON_TIMEOUT_NONE, &id, "BLPOP", key_of("cancel"),
                       "0") == TENDON_OK,
          "submit");
    UNTIL(server_holds(client, "c-it-cancel", 1));
    double began = now_ms();
    CHECK(tendon_cancel(client, id) == TENDON_OK, "cancel");
    tendon_completion done;
    if (next_outcome(queue, &done)) {
        double took = now_ms() - began;
        CHECK(done.id == id && took < slack_ms(took), "after %.0f ms", took);
        struct answer answer = answer_of(done.reply, done.error);
        expect_executed(&answer, TENDON_EXECUTED_UNKNOWN);
        expect_fault(answer, TENDON_ERROR_CANCELLED, "");
    }
    CHECK(tendon_cancel(client, id) == TENDON_OK && tendon_cancel(client, 123456789) == TENDON_OK,
          "an id that is over is left alone");
    expect_text(ask(client, "PING", NULL), "PONG");
    CHECK(tendon_queue_poll(queue, &done, sizeof done, 1, 50) == 0, "exactly one completion");
    tendon_client_destroy(client);
    tendon_queue_destroy(queue);
}

static void close_completes_everything(void)
{
    tendon_client *client = standalone("client_name=c-it-close");
    tendon_queue *queue = queue_of();
    for (uint64_t i = 0; i < 5; i++)
        CHECK(submit_words(client, queue, i, TENDON_TIMEOUT_NONE, NULL, "BLPOP", key_of("close"),
                           "0") == TENDON_OK,
              "submit");
    UNTIL(server_holds(client, "c-it-close", 5));
    tendon_client_close(client);
    tendon_client_close(client);
    for (int i = 0; i < 5; i++) {
        tendon_completion done;
        if (next_outcome(queue, &done))
            expect_fault(answer_of(done.reply, done.error), TENDON_ERROR_CLOSED, "closed");
    }
    expect_fault(ask(client, "PING", NULL), TENDON_ERROR_CLOSED, "closed");
    CHECK(submit_words(client, queue, 0, 0, NULL, "PING", NULL, NULL) == TENDON_ERROR_CLOSED,
          "submit after close");
    tendon_client_destroy(client);
    tendon_queue_destroy(queue);
}

static void a_destroyed_queue_drops_what_comes(void)
{
    tendon_client *client = standalone("");
    tendon_queue *queue = queue_of();
    for (int i = 0; i < 100; i++)
        CHECK(submit_words(client, queue, 0, 0, NULL, "ECHO", "dropped", NULL) == TENDON_OK,
              "submit");
    tendon_queue_destroy(queue);
    expect_text(ask(client, "PING", NULL), "PONG");
    tendon_client_destroy(client);
}

static void a_full_queue_refuses(void)
{
    tendon_client *client = standalone("max_pending=10");
    tendon_queue *queue = queue_of();
    for (int i = 0; i < 10; i++)
        CHECK(submit_words(client, queue, 0, PATIENCE_MS, NULL, "BLPOP", key_of("full"), "2") ==
                  TENDON_OK,
              "%d", i);
    CHECK(submit_words(client, queue, 0, 0, NULL, "PING", NULL, NULL) == TENDON_ERROR_QUEUE_FULL,
          "the eleventh");
    expect_fault(ask(client, "PING", NULL), TENDON_ERROR_QUEUE_FULL, "max_pending");
    for (int i = 0; i < 10; i++) {
        tendon_completion done;
        if (next_outcome(queue, &done)) {
            tendon_reply_destroy(done.reply);
            tendon_error_destroy(done.error);
        }
    }
    expect_text(ask(client, "PING", NULL), "PONG");
    tendon_client_destroy(client);
    tendon_queue_destroy(queue);
}

static void *wake_later(void *queue)
{
    sleep_ms(100);
    tendon_queue_wake(queue);
    return NULL;
}

static void a_wake_ends_a_poll(void)
{
    tendon_queue *queue = queue_of();
    pthread_t thread;
    tendon_completion done;
    CHECK(!pthread_create(&thread, NULL, wake_later, queue), "a thread");
    double began = now_ms();
    CHECK(tendon_queue_poll(queue, &done, sizeof done, 1, -1) == 0, "nothing came");
    double took = now_ms() - began;
    CHECK(took >= 90 && took < 100 + slack_ms(took), "%.0f ms", took);
    pthread_join(thread, NULL);
    began = now_ms();
    CHECK(tendon_queue_poll(queue, &done, sizeof done, 1, 60) == 0 && now_ms() - began >= 58,
          "a wake is used once");
    tendon_queue_destroy(queue);
}

/* Collects events until `wanted` came; its delay or 0. */
static bool await_event(tendon_queue *queue, uint32_t wanted, char *node, size_t node_bytes)
{
    for (double limit = now_ms() + PATIENCE_MS; now_ms() < limit;) {
        tendon_completion done;
        if (tendon_queue_poll(queue, &done, sizeof done, 1, 100) != 1)
            continue;
        struct answer answer = answer_of(done.reply, done.error);
        uint32_t event = done.event;
        CHECK(done.kind == TENDON_COMPLETION_EVENT && done.tag == 5 && done.id == 0,
              "kind %u tag %lu", done.kind, done.tag);
        if (event == wanted && node)
            snprintf(node, node_bytes, "%.63s", answer.text);
        forget(&answer);
        if (event == wanted)
            return true;
    }
    return CHECK(false, "event %u did not come", wanted);
}

static void events_tell_of_connections(void)
{
    struct host host;
    if (!host_start(&host, ""))
        return;
    tendon_client *client = open_client(
        "host=127.0.0.1 port=%d mode=standalone reconnect_backoff_max_ms=50", host.port);
    tendon_queue *queue = queue_of();
    CHECK(tendon_client_watch(client, queue, 5, ALL_EVENTS) == TENDON_OK, "watch");
    expect_text(ask(client, "PING", NULL), "PONG");
    char node[64] = "", wanted[64];
    snprintf(wanted, sizeof wanted, "127.0.0.1:%d", host.port);
    await_event(queue, TENDON_EVENT_CONNECTING, node, sizeof node);
    CHECK(!strcmp(node, wanted), "%s instead of %s", node, wanted);
    await_event(queue, TENDON_EVENT_CONNECTED, NULL, 0);
    await_event(queue, TENDON_EVENT_READY, NULL, 0);
    host_kill(&host);
    await_event(queue, TENDON_EVENT_CLOSED, NULL, 0);
    struct answer answer = ask(client, "PING", NULL);
    CHECK(answer.status != TENDON_OK, "the server is gone");
    forget(&answer);
    await_event(queue, TENDON_EVENT_FAILED, NULL, 0);
    await_event(queue, TENDON_EVENT_RECONNECTING, NULL, 0);
    host_restart(&host);
    expect_text(ask(client, "PING", NULL), "PONG");
    await_event(queue, TENDON_EVENT_READY, NULL, 0);
    CHECK(tendon_client_watch(client, NULL, 0, 0) == TENDON_OK, "watch no more");
    tendon_client_destroy(client);
    tendon_queue_destroy(queue);
    host_end(&host);
}

static void the_host_program_decides_when_to_reconnect(void)
{
    struct host host;
    if (!host_start(&host, ""))
        return;
    tendon_client *client =
        open_client("host=127.0.0.1 port=%d mode=standalone reconnect=host max_retries=-1 "
                    "command_timeout_ms=60000",
                    host.port);
    tendon_queue *queue = queue_of(), *outcomes = queue_of();
    CHECK(tendon_client_watch(client, queue, 5, ALL_EVENTS) == TENDON_OK, "watch");
    expect_text(ask(client, "PING", NULL), "PONG");
    host_kill(&host);
    await_event(queue, TENDON_EVENT_CLOSED, NULL, 0);
    await_event(queue, TENDON_EVENT_WAITING, NULL, 0);
    CHECK(submit_words(client, outcomes, 0, 0, NULL, "PING", NULL, NULL) == TENDON_OK,
          "submit while waiting");
    CHECK(tendon_client_reconnect(client, 10) == TENDON_OK, "try while the server is down");
    await_event(queue, TENDON_EVENT_FAILED, NULL, 0);
    await_event(queue, TENDON_EVENT_WAITING, NULL, 0);
    host_restart(&host);
    CHECK(tendon_client_reconnect(client, 20) == TENDON_OK, "try again");
    await_event(queue, TENDON_EVENT_READY, NULL, 0);
    tendon_completion done;
    if (next_outcome(outcomes, &done))
        expect_text(answer_of(done.reply, done.error), "PONG");
    host_kill(&host);
    await_event(queue, TENDON_EVENT_WAITING, NULL, 0);
    CHECK(submit_words(client, outcomes, 0, 0, NULL, "PING", NULL, NULL) == TENDON_OK,
          "submit while waiting");
    CHECK(tendon_client_reconnect(client, -1) == TENDON_OK, "give up");
    if (next_outcome(outcomes, &done)) {
        struct answer answer = answer_of(done.reply, done.error);
        CHECK(answer.status != TENDON_OK && answer.status != TENDON_ERROR_TIMEOUT, "%s %s",
              tendon_status_name(answer.status), answer.fault.message);
        forget(&answer);
    }
    tendon_client_destroy(client);
    tendon_queue_destroy(queue);
    tendon_queue_destroy(outcomes);
    host_end(&host);
}

static void pushes_arrive_as_events(void)
{
    tendon_client *client = standalone("protocol=3");
    tendon_queue *queue = queue_of();
    CHECK(tendon_client_watch(client, queue, 5, 1u << TENDON_EVENT_PUSH) == TENDON_OK, "watch");
    tendon_lease *lease = NULL;
    CHECK(tendon_lease_open(client, NULL, &lease, NULL) == TENDON_OK, "a lease");
    const char *key = key_of("tracked");
    struct manner leased = {.lease = lease};
    expect_fault(ask_by(client, leased, "SUBSCRIBE", key, NULL), TENDON_ERROR_UNSUPPORTED,
                 "SUBSCRIBE");
    expect_text(ask_by(client, leased, "CLIENT", "TRACKING", "ON", NULL), "OK");
    expect_text(ask_by(client, leased, "GET", key, NULL), "(null)");
    expect_text(ask(client, "SET", key, "news", "EX", "60", NULL), "OK");
    char text[64] = "";
    await_event(queue, TENDON_EVENT_PUSH, text, sizeof text);
    CHECK(!strcmp(text, "(push 2)"), "%s", text);
    tendon_lease_close(lease);
    tendon_client_destroy(client);
    tendon_queue_destroy(queue);
}

static void lines_tell_what_went_wrong(void)
{
    tendon_client *client = open_client("host=127.0.0.1 port=%d password=hunter2 max_retries=0 "
                                        "reconnect_backoff_min_ms=1 reconnect_backoff_max_ms=1",
                                        host_take_port());
    tendon_queue *queue = queue_of();
    tendon_completion done = {0};
    struct answer answer = ask(client, "PING", NULL);
    CHECK(answer.status == TENDON_ERROR_CONNECT, "%s", tendon_status_name(answer.status));
    forget(&answer);
    CHECK(tendon_queue_poll(queue, &done, sizeof done, 1, 0) == 0, "nobody watched");
    CHECK(tendon_client_watch(client, queue, 5, 1u << TENDON_EVENT_LOG) == TENDON_OK, "watch");
    size_t lines = 0;
    for (double limit = now_ms() + PATIENCE_MS; !lines && now_ms() < limit;) {
        answer = ask(client, "PING", NULL); /* the first may come too early for another dial */
        forget(&answer);
        lines = tendon_queue_poll(queue, &done, sizeof done, 1, 20);
    }
    if (CHECK(lines == 1, "a line")) {
        answer = answer_of(done.reply, done.error);
        CHECK(done.kind == TENDON_COMPLETION_EVENT && done.event == TENDON_EVENT_LOG &&
                  done.tag == 5 && done.id == 0 && done.delay_ms == TENDON_LOG_WARNING,
              "kind %u event %u level %u", done.kind, done.event, done.delay_ms);
        CHECK(answer.view.nodes->type == TENDON_NODE_STRING && strstr(answer.text, "127.0.0.1:") &&
                  strstr(answer.text, "refused") && !strstr(answer.text, "hunter2"),
              "%s", answer.text);
        CHECK(done.status == TENDON_ERROR_CONNECT && answer.status == done.status, "%s",
              tendon_status_name(done.status));
        forget(&answer);
    }
    tendon_client_destroy(client);
    tendon_queue_destroy(queue);
}

/* So many invalidations at once that the oldest are dropped; returns how many came, and hands out
 * how many a DROPPED in front of them told of. */
static uint32_t flood(uint32_t event_mask, uint32_t pushes, uint32_t *out_dropped)
{
    tendon_client *client = standalone("protocol=3");
    tendon_queue *queue = queue_of();
    tendon_lease *lease = NULL;
    tendon_bytes *words = calloc(pushes + 1, sizeof *words);
    char(*keys)[64] = calloc(pushes, sizeof *keys);
    CHECK(tendon_client_watch(client, queue, 5, event_mask) == TENDON_OK, "watch");
    CHECK(tendon_lease_open(client, NULL, &lease, NULL) == TENDON_OK, "a lease");
    struct manner leased = {.lease = lease};
    for (uint32_t i = 0; i < pushes; i++) {
        int size = snprintf(keys[i], sizeof keys[i], "%.40s:%u", key_of("flood"), i);
        words[i + 1] = (tendon_bytes){keys[i], (size_t)size};
    }
    expect_text(ask_by(client, leased, "CLIENT", "TRACKING", "ON", NULL), "OK");
    words[0] = (tendon_bytes){"MGET", 4};
    struct answer answer = ask_bytes(client, leased, words, pushes + 1);
    forget(&answer);
    for (uint32_t i = 0; i < pushes; i++)
        expect_text(ask(client, "SET", keys[i], "new", "EX", "60", NULL), "OK");
    expect_text(ask_by(client, leased, "PING", NULL), "PONG"); /* behind all of them */
    uint32_t count = 0;
    tendon_completion done;
    *out_dropped = 0;
    while (tendon_queue_poll(queue, &done, sizeof done, 1, 0) == 1) {
        CHECK(done.kind == TENDON_COMPLETION_EVENT && done.tag == 5, "kind %u", done.kind);
        if (done.event == TENDON_EVENT_DROPPED) {
            CHECK(count == 0 && !done.reply && !done.error, "the gap is at the front");
            *out_dropped += done.delay_ms;
        } else {
            count++;
        }
        tendon_reply_destroy(done.reply);
        tendon_error_destroy(done.error);
    }
    tendon_lease_close(lease);
    tendon_client_destroy(client);
    tendon_queue_destroy(queue);
    free(words);
    free(keys);
    return count;
}

static void a_gap_in_the_events_is_told(void)
{
    uint32_t dropped;
    const uint32_t pushes = 1u << TENDON_EVENT_PUSH;
    uint32_t came = flood(pushes | 1u << TENDON_EVENT_DROPPED, 1100, &dropped);
    CHECK(came == 1024 && dropped == 76, "%u came, %u dropped", came, dropped);
    came = flood(pushes, 1100, &dropped);
    CHECK(came == 1024 && dropped == 0, "%u came, %u told though nobody asked", came, dropped);
    came = flood(pushes | 1u << TENDON_EVENT_DROPPED, 1024, &dropped);
    CHECK(came == 1024 && dropped == 0, "%u came, %u dropped", came, dropped);
}

static void a_lease_may_be_submitted(void)
{
    tendon_client *client = standalone("pool_max=1");
    tendon_queue *queue = queue_of();
    tendon_lease *first = NULL, *second = NULL;
    uint64_t id = 0;
    CHECK(tendon_lease_submit(client, queue, NULL, 1, &first, &id) == TENDON_OK && id, "a lease");
    struct answer echoed = ask_by(client, (struct manner){.lease = first}, "ECHO", "early", NULL);
    expect_text(echoed, "early");
    tendon_completion done;
    if (next_outcome(queue, &done)) {
        CHECK(done.tag == 1 && done.status == TENDON_OK, "%s", tendon_status_name(done.status));
        tendon_reply_destroy(done.reply);
        tendon_error_destroy(done.error);
    }
    CHECK(tendon_lease_submit(client, queue, NULL, 2, &second, &id) == TENDON_OK,
          "a lease that waits");
    CHECK(tendon_cancel(client, id) == TENDON_OK, "cancel");
    if (next_outcome(queue, &done))
        expect_fault(answer_of(done.reply, done.error), TENDON_ERROR_CANCELLED, "");
    struct answer answer = ask_by(client, (struct manner){.lease = second}, "PING", NULL);
    CHECK(answer.status != TENDON_OK && answer.ms < slack_ms(answer.ms),
          "a lease that never came fails at once: %s", tendon_status_name(answer.status));
    forget(&answer);
    tendon_lease_close(second);
    tendon_lease_close(first);
    tendon_client_destroy(client);
    tendon_queue_destroy(queue);
}

int main(void)
{
    if (!servers_load())
        return 77;
    host_ports(15715);
    run_test("a submitted request completes once", a_submitted_request_completes_once);
    run_test("the descriptor follows the queue", the_descriptor_follows_the_queue);
    run_test("order is kept", order_is_kept_for_one_thread);
    run_test("cancel ends what waits", cancel_ends_what_waits);
    run_test("close completes everything", close_completes_everything);
    run_test("a destroyed queue drops what comes", a_destroyed_queue_drops_what_comes);
    run_test("max_pending", a_full_queue_refuses);
    run_test("wake", a_wake_ends_a_poll);
    run_test("events tell of connections", events_tell_of_connections);
    run_test("reconnect=host", the_host_program_decides_when_to_reconnect);
    run_test("pushes arrive as events", pushes_arrive_as_events);
    run_test("lines tell what went wrong", lines_tell_what_went_wrong);
    run_test("a gap in the events is told", a_gap_in_the_events_is_told);
    run_test("a lease may be submitted", a_lease_may_be_submitted);
    return finish_tests();
}
