/* Option drive=host: the program's own loop drives the client, watching one descriptor. */
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/check.h"
#include "support/host.h"
#include "support/peer.h"
#include "support/servers.h"

struct driven {
    tendon_client *client;
    tendon_queue *queue;
};

static struct driven open_driven(int port, const char *more)
{
    struct driven driven = {0};
    driven.client = open_client("host=localhost port=%d drive=host %s", port, more);
    CHECK(tendon_queue_create(&driven.queue) == TENDON_OK, "a queue");
    return driven;
}

static void end_driven(struct driven *driven)
{
    tendon_client_destroy(driven->client);
    tendon_queue_destroy(driven->queue);
}

static tendon_status submit_word(struct driven *driven, uint64_t tag, int64_t timeout_ms,
                                 uint64_t *out_id, const char *a, const char *b)
{
    tendon_bytes words[] = {{a, strlen(a)}, {b, b ? strlen(b) : 0}};
    tendon_request request = {.struct_size = sizeof request,
                              .args = words,
                              .arg_count = b ? 2 : 1,
                              .tag = tag,
                              .timeout_ms = timeout_ms};
    return tendon_submit(driven->client, driven->queue, &request, sizeof request, 1, out_id);
}

/* A loop as a host has it: sleeps in poll alone, processes when told to, collects. */
static size_t loop(struct driven *driven, tendon_completion *out, size_t wanted, double limit_ms)
{
    size_t got = 0;
    double limit = now_ms() + limit_ms;
    struct pollfd polled = {tendon_client_fd(driven->client), POLLIN, 0};
    CHECK(tendon_client_flush(driven->client) == TENDON_OK, "flush");
    while (got < wanted && now_ms() < limit) {
        if (poll(&polled, 1, (int)(limit - now_ms()) + 1) < 1)
            break;
        CHECK(tendon_client_process(driven->client, 0, NULL) == TENDON_OK, "process");
        got += tendon_queue_poll(driven->queue, out + got, sizeof *out, wanted - got, 0);
    }
    return got;
}

static void the_descriptor_is_all_a_loop_needs(void)
{
    struct driven driven = open_driven(server_number("standalone.port"), "");
    tendon_completion done[8];
    CHECK(tendon_client_fd(driven.client) >= 0, "a descriptor");
    for (int round = 0; round < 3; round++) {
        for (uint64_t i = 0; i < 8; i++)
            CHECK(submit_word(&driven, i, 0, NULL, "ECHO", "word") == TENDON_OK, "submit");
        CHECK(tendon_queue_poll(driven.queue, done, sizeof *done, 8, 0) == 0,
              "nothing happens before process");
        size_t got = loop(&driven, done, 8, PATIENCE_MS);
        CHECK(got == 8, "%zu of 8", got);
        for (size_t i = 0; i < got; i++) {
            CHECK(done[i].tag == i, "tag %lu at %zu", done[i].tag, i);
            expect_text(answer_of(done[i].reply, done[i].error), "word");
        }
    }
    end_driven(&driven);
}

static void deadlines_make_it_readable(void)
{
    struct peer peer = {0};
    if (!CHECK(peer_start(&peer, PEER_SILENT, 0), "a silent server"))
        return;
    struct driven driven = open_driven(peer.port, "mode=standalone connect_timeout_ms=10000");
    tendon_completion done[3];
    double start = now_ms();
    CHECK(submit_word(&driven, 1, 120, NULL, "PING", NULL) == TENDON_OK, "submit");
    CHECK(submit_word(&driven, 2, 60, NULL, "PING", NULL) == TENDON_OK, "submit");
    CHECK(submit_word(&driven, 3, 180, NULL, "PING", NULL) == TENDON_OK, "submit");
    size_t got = loop(&driven, done, 3, PATIENCE_MS);
    double took_ms = now_ms() - start;
    CHECK(got == 3 && took_ms >= 180 && took_ms < 180 + slack_ms(took_ms), "%zu after %.0f ms", got,
          took_ms);
    for (size_t i = 0; i < got; i++)
        expect_fault(answer_of(done[i].reply, done[i].error), TENDON_ERROR_TIMEOUT, "");
    CHECK(got == 3 && done[0].tag == 2 && done[1].tag == 1 && done[2].tag == 3,
          "in the order of their deadlines");
    end_driven(&driven);
    peer_end(&peer);
}

static void it_waits_when_asked_to(void)
{
    struct driven driven = open_driven(server_number("standalone.port"), "");
    tendon_completion done;
    int64_t next_ms = -7;
    double start = now_ms();
    CHECK(tendon_client_process(driven.client, 50, &next_ms) == TENDON_OK, "process");
    CHECK(now_ms() - start >= 45, "nothing to do: waited %.0f ms", now_ms() - start);
    CHECK(next_ms == -1, "and nothing is due: %ld", (long)next_ms);
    CHECK(submit_word(&driven, 1, 0, NULL, "PING", NULL) == TENDON_OK, "submit");
    size_t got = 0;
    for (double limit = now_ms() + PATIENCE_MS; !got && now_ms() < limit;) {
        CHECK(tendon_client_process(driven.client, -1, &next_ms) == TENDON_OK, "process");
        CHECK(next_ms >= -1, "next %ld", (long)next_ms);
        got = tendon_queue_poll(driven.queue, &done, sizeof done, 1, 0);
    }
    if (CHECK(got == 1, "an answer"))
        expect_text(answer_of(done.reply, done.error), "PONG");
    end_driven(&driven);
}

static void *process_long(void *argument)
{
    struct driven *driven = argument;
    CHECK(tendon_client_process(driven->client, PATIENCE_MS, NULL) == TENDON_OK, "process");
    return NULL;
}

/* Two threads wait in process: each for as long as it said. */
static void a_second_wait_keeps_its_own_time(void)
{
    struct driven driven = open_driven(server_number("standalone.port"), "");
    pthread_t thread;
    double start = now_ms();
    CHECK(pthread_create(&thread, NULL, process_long, &driven) == 0, "a thread");
    sleep_ms(50);
    double second = now_ms();
    CHECK(tendon_client_process(driven.client, 100, NULL) == TENDON_OK, "process");
    CHECK(now_ms() - second < PATIENCE_MS / 3.0, "the second waited %.0f ms", now_ms() - second);
    tendon_client_close(driven.client);
    pthread_join(thread, NULL);
    CHECK(now_ms() - start < PATIENCE_MS / 1.5, "close ended the first after %.0f ms",
          now_ms() - start);
    end_driven(&driven);
}

static void calls_that_wait_are_refused(void)
{
    struct driven driven = open_driven(server_number("standalone.port"), "");
    expect_fault(ask(driven.client, "PING", NULL), TENDON_ERROR_STATE, "tendon_submit");
    tendon_lease *lease = NULL;
    tendon_error *error = NULL;
    CHECK(tendon_lease_open(driven.client, NULL, &lease, &error) == TENDON_ERROR_STATE, "lease");
    tendon_error_destroy(error);
    tendon_client *other = open_client("host=localhost port=%d", server_number("standalone.port"));
    CHECK(tendon_client_process(other, 0, NULL) == TENDON_ERROR_STATE, "without drive=host");
    CHECK(tendon_client_flush(other) == TENDON_ERROR_STATE && tendon_client_fd(other) == -1,
          "without drive=host");
    CHECK(tendon_client_process(NULL, 0, NULL) == TENDON_ERROR_ARGUMENT, "NULL");
    CHECK(tendon_client_fd(NULL) == -1, "NULL");
    tendon_client_destroy(other);
    end_driven(&driven);
}

static void cancel_and_close_complete_everything(void)
{
    struct driven driven = open_driven(server_number("standalone.port"), "");
    tendon_completion done[3] = {0};
    uint64_t id = 0;
    CHECK(submit_word(&driven, 1, 0, &id, "BLPOP", key_of("none")) == TENDON_OK, "submit");
    CHECK(tendon_cancel(driven.client, id) == TENDON_OK, "cancel before it was sent");
    CHECK(tendon_queue_poll(driven.queue, done, sizeof *done, 1, 0) == 1, "completed by cancel");
    expect_fault(answer_of(done[0].reply, done[0].error), TENDON_ERROR_CANCELLED, "");
    for (uint64_t i = 0; i < 3; i++)
        CHECK(submit_word(&driven, i, 0, NULL, "PING", NULL) == TENDON_OK, "submit");
    tendon_client_close(driven.client);
    CHECK(tendon_queue_poll(driven.queue, done, sizeof *done, 3, 0) == 3, "completed by close");
    for (int i = 0; i < 3; i++)
        expect_fault(answer_of(done[i].reply, done[i].error), TENDON_ERROR_CLOSED, "");
    CHECK(tendon_client_process(driven.client, 0, NULL) == TENDON_ERROR_CLOSED, "closed");
    end_driven(&driven);
}

/* Leases and transactions without a thread of the client. */
static void leases_come_through_the_queue(void)
{
    struct driven driven = open_driven(server_number("standalone.port"), "pool_min_idle=1");
    tendon_lease *lease = NULL;
    uint64_t id = 0;
    CHECK(tendon_lease_submit(driven.client, driven.queue, NULL, 9, &lease, &id) == TENDON_OK,
          "lease");
    tendon_bytes words[] = {{"CLIENT", 6}, {"ID", 2}};
    tendon_request request = {
        .struct_size = sizeof request, .args = words, .arg_count = 2, .tag = 10, .lease = lease};
    CHECK(tendon_submit(driven.client, driven.queue, &request, sizeof request, 1, NULL) ==
              TENDON_OK,
          "submit on the lease");
    tendon_completion done[2];
    if (CHECK(loop(&driven, done, 2, PATIENCE_MS) == 2, "lease and reply"))
        CHECK(done[0].tag == 9 && done[1].tag == 10 && done[1].kind == TENDON_COMPLETION_REPLY,
              "in order");
    for (int i = 0; i < 2; i++)
        forget(&(struct answer){.reply = done[i].reply, .error = done[i].error});
    tendon_lease_close(lease);
    CHECK(stats_of(driven.client).leased == 0, "given back");
    end_driven(&driven);
}

#define SUBMITTERS 3
#define EACH       4000

struct crowd {
    struct driven driven;
};

static void *submit_many(void *argument)
{
    struct crowd *crowd = argument;
    for (uint64_t i = 0; i < EACH; i++) {
        while (submit_word(&crowd->driven, i, 60000, NULL, "ECHO", "x") != TENDON_OK)
            sleep_ms(1);
        if (i % 16 == 15 || i + 1 == EACH)
            CHECK(tendon_client_flush(crowd->driven.client) == TENDON_OK, "flush");
    }
    return NULL;
}

/* Nothing that a thread has submitted and flushed is left lying, whoever holds the token then. */
static void threads_submit_while_one_drives(void)
{
    struct crowd crowd = {.driven = open_driven(server_number("standalone.port"), "")};
    pthread_t threads[SUBMITTERS];
    for (int i = 0; i < SUBMITTERS; i++)
        CHECK(pthread_create(&threads[i], NULL, submit_many, &crowd) == 0, "a thread");
    static tendon_completion done[64];
    size_t got = 0;
    struct pollfd polled = {tendon_client_fd(crowd.driven.client), POLLIN, 0};
    for (double limit = now_ms() + 2 * PATIENCE_MS; got < SUBMITTERS * EACH && now_ms() < limit;) {
        poll(&polled, 1, 10000);
        CHECK(tendon_client_process(crowd.driven.client, 0, NULL) == TENDON_OK, "process");
        size_t count;
        while ((count = tendon_queue_poll(crowd.driven.queue, done, sizeof *done, 64, 0))) {
            for (size_t i = 0; i < count; i++)
                expect_text(answer_of(done[i].reply, done[i].error), "x");
            got += count;
        }
    }
    for (int i = 0; i < SUBMITTERS; i++)
        pthread_join(threads[i], NULL);
    CHECK(got == SUBMITTERS * EACH, "%zu of %d", got, SUBMITTERS * EACH);
    end_driven(&crowd.driven);
}

static void a_child_is_refused(void)
{
    struct driven driven = open_driven(server_number("standalone.port"), "");
    pid_t pid = fork();
    if (pid == 0) {
        bool right = tendon_client_process(driven.client, 0, NULL) == TENDON_ERROR_FORKED &&
                     tendon_client_flush(driven.client) == TENDON_ERROR_FORKED;
        tendon_client_destroy(driven.client);
        _exit(right ? 0 : 1);
    }
    int status = 0;
    CHECK(waitpid(pid, &status, 0) == pid && status == 0, "the child said %d", status);
    tendon_completion done;
    CHECK(submit_word(&driven, 1, 0, NULL, "PING", NULL) == TENDON_OK, "the parent goes on");
    if (CHECK(loop(&driven, &done, 1, PATIENCE_MS) == 1, "an answer"))
        expect_text(answer_of(done.reply, done.error), "PONG");
    end_driven(&driven);
}

int main(void)
{
    if (!servers_load())
        return 77;
    host_ports(15790);
    run_test("the descriptor is all a loop needs", the_descriptor_is_all_a_loop_needs);
    run_test("deadlines make it readable", deadlines_make_it_readable);
    run_test("process waits when asked to", it_waits_when_asked_to);
    run_test("a second wait keeps its own time", a_second_wait_keeps_its_own_time);
    run_test("calls that wait are refused", calls_that_wait_are_refused);
    run_test("cancel and close complete everything", cancel_and_close_complete_everything);
    run_test("leases come through the queue", leases_come_through_the_queue);
    run_test("threads submit while one drives", threads_submit_while_one_drives);
    run_test("a forked child is refused", a_child_is_refused);
    return finish_tests();
}
