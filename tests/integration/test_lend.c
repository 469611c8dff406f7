/* Option drive=host: sockets that the host watches itself, in a loop that is told of changes. */
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "support/check.h"
#include "support/host.h"
#include "support/peer.h"
#include "support/servers.h"

#define LOANS     4
#define BIG_BYTES (3 << 20)

/* A host's loop: epoll, edge-triggered, over the client's descriptor and what it lends. */
struct loop {
    tendon_client *client;
    tendon_queue *queue;
    int epoll_fd;
    uint64_t loans[LOANS];
    int fds[LOANS];
    unsigned lent;      /* loans so far */
    unsigned ended;     /* and those that ended */
    unsigned own_turns; /* turns that the client's descriptor asked for */
    unsigned lent_turns;
};

static struct loop open_loop(int port, const char *more)
{
    struct loop loop = {.epoll_fd = epoll_create1(EPOLL_CLOEXEC)};
    loop.client = open_client("host=localhost port=%d drive=host %s", port, more);
    CHECK(loop.client && tendon_queue_create(&loop.queue) == TENDON_OK, "a client and a queue");
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u64 = 0};
    CHECK(epoll_ctl(loop.epoll_fd, EPOLL_CTL_ADD, tendon_client_fd(loop.client), &event) == 0,
          "watched");
    for (int i = 0; i < LOANS; i++)
        loop.fds[i] = -1;
    return loop;
}

static void end_loop(struct loop *loop)
{
    tendon_client_destroy(loop->client);
    tendon_queue_destroy(loop->queue);
    for (int i = 0; i < LOANS; i++)
        if (loop->fds[i] >= 0)
            close(loop->fds[i]);
    close(loop->epoll_fd);
}

static void submit(struct loop *loop, uint64_t tag, const char *a, const char *b)
{
    tendon_bytes words[] = {{a, strlen(a)}, {b, b ? strlen(b) : 0}};
    tendon_request request = {
        .struct_size = sizeof request, .args = words, .arg_count = b ? 2 : 1, .tag = tag};
    CHECK(tendon_submit(loop->client, loop->queue, &request, sizeof request, 1, NULL) == TENDON_OK,
          "submit");
}

static void borrow(struct loop *loop)
{
    uint64_t loan = 0;
    int fd = tendon_client_lend(loop->client, &loan);
    for (int i = 0; fd >= 0 && i < LOANS; i++) {
        if (loop->fds[i] >= 0)
            continue;
        struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u64 = loan};
        CHECK(epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0, "the loan is watched");
        loop->loans[i] = loan;
        loop->fds[i] = fd;
        loop->lent++;
        return;
    }
    CHECK(fd < 0, "more loans than there may be");
}

static void end_loan(struct loop *loop, uint64_t loan)
{
    for (int i = 0; i < LOANS; i++) {
        if (loop->fds[i] < 0 || loop->loans[i] != loan)
            continue;
        /* Closing is not enough where the connection goes on. */
        epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, loop->fds[i], NULL);
        close(loop->fds[i]);
        loop->fds[i] = -1;
        loop->ended++;
    }
}

/* What a host does that was told of a change. */
static void turn(struct loop *loop, uint64_t loan)
{
    int64_t next_ms = 0;
    for (int rounds = 0; next_ms == 0; rounds++) {
        next_ms = -1;
        tendon_status status = loan ? tendon_client_read(loop->client, loan, &next_ms)
                                    : tendon_client_process(loop->client, 0, &next_ms);
        CHECK(status == TENDON_OK || (loan && status == TENDON_ERROR_DISCONNECTED) ||
                  status == TENDON_ERROR_CLOSED,
              "status %d", status);
        if (loan && status != TENDON_OK)
            end_loan(loop, loan);
        if (!CHECK(rounds < 100000, "there is always something left over"))
            return;
    }
    loop->own_turns += loan == 0;
    loop->lent_turns += loan != 0;
    if (!loan)
        borrow(loop);
}

/* Runs until so many outcomes have come, which go to `out`; how many did. */
static size_t run(struct loop *loop, tendon_completion *out, size_t wanted, double limit_ms)
{
    size_t got = 0;
    double limit = now_ms() + limit_ms;
    CHECK(tendon_client_flush(loop->client) == TENDON_OK, "flush");
    while (got < wanted && now_ms() < limit) {
        struct epoll_event events[1 + LOANS];
        int count = epoll_wait(loop->epoll_fd, events, 1 + LOANS, (int)(limit - now_ms()) + 1);
        for (int i = 0; i < count; i++)
            turn(loop, events[i].data.u64);
        got += tendon_queue_poll(loop->queue, out + got, sizeof *out, wanted - got, 0);
    }
    return got;
}

static void echo(struct loop *loop, unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        tendon_completion done;
        submit(loop, i, "ECHO", "word");
        if (!CHECK(run(loop, &done, 1, PATIENCE_MS) == 1 && done.tag == i, "answer %u", i))
            return;
        expect_text(answer_of(done.reply, done.error), "word");
    }
}

static void what_has_all_the_news_is_lent(void)
{
    struct loop loop = open_loop(server_number("standalone.port"), "");
    echo(&loop, 50);
    CHECK(loop.lent == 1, "%u loans", loop.lent);
    CHECK(loop.lent_turns >= 25, "only %u turns for the loan", loop.lent_turns);
    unsigned own_turns = loop.own_turns;
    echo(&loop, 50);
    CHECK(loop.own_turns <= own_turns + 10, "the client's descriptor told %u times more",
          loop.own_turns - own_turns);
    end_loop(&loop);
}

static void a_loan_over_tls(void)
{
    char more[600];
    snprintf(more, sizeof more, "tls=yes tls_ca_file=%s", server_text("tls.ca_file"));
    struct loop loop = open_loop(server_number("tls.port"), more);
    echo(&loop, 100);
    CHECK(loop.lent == 1 && loop.lent_turns >= 50, "%u loans, %u turns", loop.lent,
          loop.lent_turns);
    tendon_completion done[64];
    for (uint64_t i = 0; i < 64; i++)
        submit(&loop, i, "ECHO", "word");
    CHECK(run(&loop, done, 64, PATIENCE_MS) == 64, "many at once");
    for (int i = 0; i < 64; i++)
        expect_text(answer_of(done[i].reply, done[i].error), "word");
    end_loop(&loop);
}

/* A reply that takes many reads, whose rest no change announces. */
static void nothing_is_left_over(void)
{
    struct loop loop = open_loop(server_number("standalone.port"), "");
    char *value = malloc(BIG_BYTES);
    memset(value, 'v', BIG_BYTES);
    echo(&loop, 10);
    const char *key = key_of("big");
    tendon_bytes words[] = {{"SET", 3}, {key, strlen(key)}, {value, BIG_BYTES}};
    tendon_request request = {.struct_size = sizeof request, .args = words, .arg_count = 3};
    tendon_completion done;
    CHECK(tendon_submit(loop.client, loop.queue, &request, sizeof request, 1, NULL) == TENDON_OK,
          "submit");
    if (CHECK(run(&loop, &done, 1, PATIENCE_MS) == 1, "set"))
        expect_text(answer_of(done.reply, done.error), "OK");
    for (int i = 0; i < 20; i++) {
        submit(&loop, 1, "GET", key);
        if (!CHECK(run(&loop, &done, 1, PATIENCE_MS) == 1, "an answer in round %d", i))
            break;
        struct answer answer = answer_of(done.reply, done.error);
        CHECK(answer.status == TENDON_OK && answer.view.nodes[0].size == BIG_BYTES,
              "the whole value in round %d", i);
        forget(&answer);
    }
    CHECK(loop.lent == 1, "%u loans", loop.lent);
    submit(&loop, 1, "DEL", key);
    if (CHECK(run(&loop, &done, 1, PATIENCE_MS) == 1, "del"))
        forget(&(struct answer){.reply = done.reply, .error = done.error});
    free(value);
    end_loop(&loop);
}

static void it_ends_with_its_connection(void)
{
    struct host host = {0};
    if (!CHECK(host_start(&host, ""), "a server"))
        return;
    struct loop loop = open_loop(host.port, "");
    echo(&loop, 20);
    CHECK(loop.lent == 1 && loop.ended == 0, "lent %u, ended %u", loop.lent, loop.ended);
    for (unsigned round = 1; round <= 5; round++) {
        host_say(host.port, "CLIENT KILL TYPE normal SKIPME yes");
        tendon_completion none;
        for (double limit = now_ms() + PATIENCE_MS; loop.ended < round && now_ms() < limit;)
            run(&loop, &none, 1, 5);
        CHECK(loop.ended == round, "ended %u in round %u", loop.ended, round);
        echo(&loop, 20);
        CHECK(loop.lent == round + 1, "lent %u in round %u", loop.lent, round);
    }
    end_loop(&loop);
    host_end(&host);
}

/* The server closes although the client has a duplicate of the socket. */
static void the_server_sees_the_end(void)
{
    struct host host = {0};
    if (!CHECK(host_start(&host, ""), "a server"))
        return;
    struct loop loop = open_loop(host.port, "");
    echo(&loop, 20);
    CHECK(loop.lent == 1, "lent");
    long before = host_info(host.port, "connected_clients");
    CHECK(tendon_client_disconnect(loop.client) == TENDON_OK, "disconnect");
    UNTIL(host_info(host.port, "connected_clients") < before);
    echo(&loop, 20);
    CHECK(loop.lent == 2 && loop.ended == 1, "lent %u, ended %u", loop.lent, loop.ended);
    before = host_info(host.port, "connected_clients");
    tendon_client_close(loop.client);
    UNTIL(host_info(host.port, "connected_clients") < before);
    struct pollfd polled = {loop.fds[0] >= 0 ? loop.fds[0] : loop.fds[1], POLLIN, 0};
    CHECK(poll(&polled, 1, PATIENCE_MS) == 1, "the loan tells of its end");
    turn(&loop, loop.fds[0] >= 0 ? loop.loans[0] : loop.loans[1]);
    CHECK(loop.ended == 2, "%u ended", loop.ended);
    end_loop(&loop);
    host_end(&host);
}

static void a_silent_server_is_given_up(void)
{
    struct peer peer = {0};
    if (!CHECK(peer_start(&peer, PEER_PASSES, server_number("standalone.port")), "a proxy"))
        return;
    struct loop loop = open_loop(peer.port, "mode=standalone");
    echo(&loop, 20);
    CHECK(loop.lent == 1, "lent");
    peer_become(&peer, PEER_STALLS);
    tendon_bytes word = {"PING", 4};
    tendon_request request = {.struct_size = sizeof request,
                              .args = &word,
                              .arg_count = 1,
                              .flags = TENDON_REQUEST_NO_RETRY,
                              .timeout_ms = 150};
    double start = now_ms();
    CHECK(tendon_submit(loop.client, loop.queue, &request, sizeof request, 1, NULL) == TENDON_OK,
          "submit");
    tendon_completion done;
    if (CHECK(run(&loop, &done, 1, PATIENCE_MS) == 1, "an outcome"))
        expect_fault(answer_of(done.reply, done.error), TENDON_ERROR_TIMEOUT, "");
    CHECK(now_ms() - start < 150 + slack_ms(now_ms() - start), "%.0f ms", now_ms() - start);
    peer_become(&peer, PEER_PASSES);
    echo(&loop, 20);
    end_loop(&loop);
    peer_end(&peer);
}

static void taken_back(void)
{
    struct loop loop = open_loop(server_number("standalone.port"), "");
    echo(&loop, 20);
    /* Its answer is there before the client's descriptor is to tell of it. */
    submit(&loop, 7, "ECHO", "again");
    if (CHECK(loop.lent == 1, "lent")) {
        struct pollfd polled = {loop.fds[0], POLLIN, 0};
        CHECK(tendon_client_flush(loop.client) == TENDON_OK, "flush");
        CHECK(poll(&polled, 1, PATIENCE_MS) == 1, "an answer");
        CHECK(epoll_ctl(loop.epoll_fd, EPOLL_CTL_DEL, loop.fds[0], NULL) == 0, "unwatched");
        close(loop.fds[0]);
        loop.fds[0] = -1;
        CHECK(tendon_client_take_back(loop.client, loop.loans[0]) == TENDON_OK, "taken back");
        CHECK(tendon_client_take_back(loop.client, loop.loans[0]) == TENDON_OK, "twice");
        CHECK(tendon_client_read(loop.client, loop.loans[0], NULL) == TENDON_ERROR_DISCONNECTED,
              "the loan is over");
    }
    unsigned turns = loop.own_turns;
    tendon_completion done;
    if (CHECK(run(&loop, &done, 1, PATIENCE_MS) == 1, "the client's descriptor tells"))
        expect_text(answer_of(done.reply, done.error), "again");
    CHECK(loop.own_turns > turns, "it was that descriptor");
    echo(&loop, 20);
    CHECK(loop.lent == 2, "lent anew: %u", loop.lent);
    end_loop(&loop);
}

/* Several busy connections: those that lend no socket are told of by the client's descriptor. */
static void leases_are_lent_too(void)
{
    struct loop loop = open_loop(server_number("standalone.port"), "");
    enum { LEASES = LOANS + 2 };
    tendon_lease *leases[LEASES];
    tendon_completion done[LEASES];
    for (int i = 0; i < LEASES; i++)
        CHECK(tendon_lease_submit(loop.client, loop.queue, NULL, (uint64_t)i, &leases[i], NULL) ==
                  TENDON_OK,
              "a lease");
    CHECK(run(&loop, done, LEASES, PATIENCE_MS) == LEASES, "all of them");
    for (int i = 0; i < LEASES; i++)
        forget(&(struct answer){.reply = done[i].reply, .error = done[i].error});
    tendon_bytes words[] = {{"ECHO", 4}, {"mine", 4}};
    for (int round = 0; round < 30 * LEASES; round++) {
        tendon_request request = {.struct_size = sizeof request,
                                  .args = words,
                                  .arg_count = 2,
                                  .lease = leases[round / 30]};
        CHECK(tendon_submit(loop.client, loop.queue, &request, sizeof request, 1, NULL) ==
                  TENDON_OK,
              "submit");
        if (!CHECK(run(&loop, done, 1, PATIENCE_MS) == 1, "answer in round %d", round))
            break;
        expect_text(answer_of(done[0].reply, done[0].error), "mine");
    }
    CHECK(loop.lent == LOANS, "%u loans", loop.lent);
    for (int i = 0; i < LEASES; i++)
        tendon_lease_close(leases[i]);
    end_loop(&loop);
}

/* Sends more than one flush writes, into a socket that takes it all: no change announces that more
 * can be written. */
static void write_much(struct loop *loop, size_t bytes, size_t requests)
{
    char *value = malloc(bytes);
    memset(value, 'v', bytes);
    tendon_completion *done = calloc(requests, sizeof *done);
    const char *key = key_of("written");
    tendon_bytes words[] = {{"SET", 3}, {key, strlen(key)}, {value, bytes}};
    tendon_request request = {.struct_size = sizeof request,
                              .args = words,
                              .arg_count = 3,
                              .timeout_ms = PATIENCE_MS / 2};
    echo(loop, 10);
    CHECK(loop->lent > 0, "not lent");
    for (size_t i = 0; i < requests; i++)
        CHECK(tendon_submit(loop->client, loop->queue, &request, sizeof request, 1, NULL) ==
                  TENDON_OK,
              "submit");
    size_t good = 0, got = run(loop, done, requests, PATIENCE_MS);
    for (size_t i = 0; i < got; i++) {
        struct answer answer = answer_of(done[i].reply, done[i].error);
        good += answer.status == TENDON_OK;
        forget(&answer);
    }
    CHECK(good == requests, "%zu of %zu were written", good, requests);
    submit(loop, 1, "DEL", key);
    if (CHECK(run(loop, done, 1, PATIENCE_MS) == 1, "del"))
        forget(&(struct answer){.reply = done[0].reply, .error = done[0].error});
    free(value);
    free(done);
}

static void nothing_is_left_unwritten(void)
{
    struct loop loop = open_loop(server_number("standalone.port"), "");
    write_much(&loop, 17000, 400);
    write_much(&loop, 17000, 400);
    end_loop(&loop);
    char more[600];
    snprintf(more, sizeof more, "tls=yes tls_ca_file=%s", server_text("tls.ca_file"));
    loop = open_loop(server_number("tls.port"), more);
    write_much(&loop, BIG_BYTES, 1);
    write_much(&loop, BIG_BYTES, 2);
    end_loop(&loop);
}

static void turn_of_own(struct loop *loop, tendon_completion *out, size_t wanted)
{
    struct pollfd polled = {tendon_client_fd(loop->client), POLLIN, 0};
    size_t got = 0;
    for (double limit = now_ms() + PATIENCE_MS; got < wanted && now_ms() < limit;) {
        poll(&polled, 1, PATIENCE_MS);
        CHECK(tendon_client_process(loop->client, 0, NULL) == TENDON_OK, "process");
        got += tendon_queue_poll(loop->queue, out + got, sizeof *out, wanted - got, 0);
    }
    CHECK(got == wanted, "%zu of %zu came", got, wanted);
}

/* A host that is told of states would be told of it without end: nobody collects from this
 * subscription, and the last turn has read so much that its connection is read no more. */
static void what_is_not_read_is_not_lent(void)
{
    int port = server_number("standalone.port");
    struct loop loop = open_loop(port, "subscription_buffer_bytes=1024");
    tendon_subscription *subscription = NULL;
    CHECK(tendon_subscription_open(loop.client, loop.queue, NULL, 7, &subscription) == TENDON_OK,
          "open");
    tendon_bytes words[] = {{"SUBSCRIBE", 9}, {"it:lent", 7}};
    tendon_request request = {.struct_size = sizeof request, .args = words, .arg_count = 2};
    CHECK(tendon_subscription_submit(subscription, &request, NULL) == TENDON_OK, "submit");
    tendon_completion done[2];
    turn_of_own(&loop, done, 2);
    for (int i = 0; i < 2; i++)
        forget(&(struct answer){.reply = done[i].reply, .error = done[i].error});
    for (int i = 0; i < 10; i++) {
        host_say(port, "PUBLISH it:lent word");
        turn_of_own(&loop, done, 1);
        forget(&(struct answer){.reply = done[0].reply, .error = done[0].error});
    }
    char many[3000];
    memset(many, 'x', sizeof many - 1);
    many[sizeof many - 1] = 0;
    host_say(port, "PUBLISH it:lent %s", many);
    struct pollfd polled = {tendon_client_fd(loop.client), POLLIN, 0};
    CHECK(poll(&polled, 1, PATIENCE_MS) == 1, "a large message");
    CHECK(tendon_client_process(loop.client, 0, NULL) == TENDON_OK, "process");
    uint64_t loan = 0;
    int fd = tendon_client_lend(loop.client, &loan);
    if (!CHECK(fd < 0, "lent although nobody reads it"))
        close(fd);
    tendon_subscription_close(subscription);
    end_loop(&loop);
}

static void wrong_uses(void)
{
    uint64_t loan = 0;
    CHECK(tendon_client_lend(NULL, &loan) == -1, "NULL");
    CHECK(tendon_client_read(NULL, 1, NULL) == TENDON_ERROR_ARGUMENT, "NULL");
    CHECK(tendon_client_take_back(NULL, 1) == TENDON_ERROR_ARGUMENT, "NULL");
    tendon_client *other = open_client("host=localhost port=%d", server_number("standalone.port"));
    CHECK(tendon_client_lend(other, &loan) == -1, "without drive=host");
    CHECK(tendon_client_read(other, 1, NULL) == TENDON_ERROR_STATE, "without drive=host");
    CHECK(tendon_client_take_back(other, 1) == TENDON_ERROR_STATE, "without drive=host");
    tendon_client_destroy(other);
    struct loop loop = open_loop(server_number("standalone.port"), "");
    CHECK(tendon_client_lend(loop.client, NULL) == -1, "nowhere to name it");
    CHECK(tendon_client_lend(loop.client, &loan) == -1, "nothing to lend yet");
    CHECK(tendon_client_read(loop.client, 0, NULL) == TENDON_ERROR_DISCONNECTED, "no loan");
    CHECK(tendon_client_read(loop.client, 99, NULL) == TENDON_ERROR_DISCONNECTED, "no loan");
    end_loop(&loop);
}

int main(void)
{
    if (!servers_load())
        return 77;
    host_ports(15692);
    run_test("the connection that has all the news is lent", what_has_all_the_news_is_lent);
    run_test("a loan over TLS", a_loan_over_tls);
    run_test("nothing is left over", nothing_is_left_over);
    run_test("a loan ends with its connection", it_ends_with_its_connection);
    run_test("the server sees the end", the_server_sees_the_end);
    run_test("a silent server is given up", a_silent_server_is_given_up);
    run_test("a loan is taken back", taken_back);
    run_test("leases are lent too, as many as may be", leases_are_lent_too);
    run_test("nothing is left unwritten", nothing_is_left_unwritten);
    run_test("what is not read is not lent", what_is_not_read_is_not_lent);
    run_test("wrong uses are refused", wrong_uses);
    return finish_tests();
}
