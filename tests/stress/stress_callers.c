/*
 * As many callers as change the way a call waits: alone, few in their own sockets, a crowd, and in
 * between; beside submits, signals and disconnects. And with drive=host several threads that drive,
 * in the middle of which the client is closed or destroyed.
 */
#include <signal.h>
#include <stdlib.h>

#include "crew.h"
#include "support/servers.h"

#define ROUND_MS 150

struct round {
    struct crew crew;
    tendon_client *client;
    tendon_queue *queue;
    uint64_t calls;     /* atomic */
    uint64_t accepted;  /* atomic */
    uint64_t completed; /* atomic */
    unsigned inside;    /* atomic: threads that use the client */
};

static void *call_on(void *argument)
{
    struct round *round = argument;
    unsigned seed = some_number();
    for (unsigned n = 0; !n || !crew_stopping(&round->crew); n++) {
        char nonce[48];
        snprintf(nonce, sizeof nonce, "caller %u.%u", seed, n);
        struct answer answer = ask(round->client, "ECHO", nonce, NULL);
        crew_judge(&round->crew, "call", &answer, nonce);
        __atomic_add_fetch(&round->calls, 1, __ATOMIC_RELAXED);
        if (n % 64 == 0)
            sleep_ms(1);
    }
    return NULL;
}

static void *submit_on(void *argument)
{
    struct round *round = argument;
    while (!crew_stopping(&round->crew)) {
        if (submit_words(round->client, round->queue, NULL, 0, 0, NULL, "ECHO", "submitted",
                         NULL) == TENDON_OK)
            __atomic_add_fetch(&round->accepted, 1, __ATOMIC_RELAXED);
        unsigned got = collect(&round->crew, round->queue, 5, "submitted");
        __atomic_add_fetch(&round->completed, got, __ATOMIC_RELAXED);
        sleep_ms(some_number() % 3);
    }
    return NULL;
}

static void *disturb(void *argument)
{
    struct round *round = argument;
    for (unsigned n = 0; !crew_stopping(&round->crew); n++) {
        for (unsigned i = 0; i < round->inside; i++)
            pthread_kill(round->crew.threads[i], SIGUSR1);
        if (n % 8 == 0)
            (void)tendon_client_disconnect(round->client);
        sleep_ms(2);
    }
    return NULL;
}

static void callers(const char *options, unsigned count, bool submits)
{
    struct round round = {.client = open_client("%s " PATIENT, options), .inside = count};
    watch_over(60, options);
    if (!round.client || !CHECK(tendon_queue_create(&round.queue) == TENDON_OK, "a queue"))
        return;
    crew_add(&round.crew, count, call_on, &round);
    if (submits)
        crew_add(&round.crew, 1, submit_on, &round);
    crew_add(&round.crew, 1, disturb, &round);
    sleep_ms(ROUND_MS);
    crew_join(&round.crew);
    tendon_client_destroy(round.client);
    for (unsigned got = 1; got;)
        round.completed += got = collect(&round.crew, round.queue, 0, "submitted");
    CHECK(round.completed == round.accepted, "%lu completions of %lu requests",
          (unsigned long)round.completed, (unsigned long)round.accepted);
    CHECK(round.crew.failures == 0 && round.calls, "%s, %u callers: %d failures of %lu", options,
          count, round.crew.failures, (unsigned long)round.calls);
    tendon_queue_destroy(round.queue);
}

static void every_number(const char *more, const char *port)
{
    static const unsigned counts[] = {1, 2, 3, 8, 9, 10, 40};
    for (unsigned i = 0; i < sizeof counts / sizeof *counts; i++) {
        char options[256];
        snprintf(options, sizeof options, "host=localhost port=%d %s", server_number(port), more);
        callers(options, counts[i], i % 2);
    }
}

static void standalone(void)
{
    every_number("", "standalone.port");
}

static void no_lanes_of_their_own(void)
{
    every_number("direct_lanes=0", "standalone.port");
}

static void one_lane_of_their_own(void)
{
    every_number("direct_lanes=1 lanes=4", "standalone.port");
}

static void one_connection(void)
{
    every_number("pool_max=1", "standalone.port");
}

static void cluster(void)
{
    every_number("mode=cluster", "cluster.nodes.0.port");
}

/* Waits in process without limit, until the client is closed. */
static void *drive_on(void *argument)
{
    struct round *round = argument;
    while (tendon_client_process(round->client, -1, NULL) == TENDON_OK) {
        unsigned got = collect(&round->crew, round->queue, 0, "submitted");
        __atomic_add_fetch(&round->completed, got, __ATOMIC_RELAXED);
    }
    __atomic_sub_fetch(&round->inside, 1, __ATOMIC_ACQ_REL);
    return NULL;
}

static void *submit_until_closed(void *argument)
{
    struct round *round = argument;
    tendon_status status;
    do {
        status =
            submit_words(round->client, round->queue, NULL, 0, 0, NULL, "ECHO", "submitted", NULL);
        if (status == TENDON_OK)
            __atomic_add_fetch(&round->accepted, 1, __ATOMIC_RELAXED);
        (void)tendon_client_flush(round->client);
        if (some_number() % 4 == 0)
            sleep_ms(0.3);
    } while (status != TENDON_ERROR_CLOSED);
    __atomic_sub_fetch(&round->inside, 1, __ATOMIC_ACQ_REL);
    return NULL;
}

/* The drivers sleep, work or are about to: none of them may sleep on. */
static void a_close_ends_every_process(void)
{
    for (int i = 0; i < 60; i++) {
        struct round round = {.client = open_client("host=localhost port=%d drive=host " PATIENT,
                                                    server_number("standalone.port")),
                              .inside = 4};
        watch_over(60, "closing a client that others drive");
        if (!round.client || !CHECK(tendon_queue_create(&round.queue) == TENDON_OK, "a queue"))
            return;
        crew_add(&round.crew, 2, drive_on, &round);
        crew_add(&round.crew, 2, submit_until_closed, &round);
        sleep_ms(some_number() % 12);
        tendon_client_close(round.client);
        while (__atomic_load_n(&round.inside, __ATOMIC_ACQUIRE))
            sleep_ms(1); /* the watchdog counts */
        crew_join(&round.crew);
        tendon_client_destroy(round.client);
        for (unsigned got = 1; got;)
            round.completed += got = collect(&round.crew, round.queue, 0, "submitted");
        CHECK(round.completed == round.accepted && !round.crew.failures, "%lu of %lu, %d failures",
              (unsigned long)round.completed, (unsigned long)round.accepted, round.crew.failures);
        tendon_queue_destroy(round.queue);
    }
}

static void take_signal(int number)
{
    (void)number;
}

int main(void)
{
    if (!servers_load())
        return 77;
    struct sigaction action = {.sa_handler = take_signal}; /* without SA_RESTART */
    sigaction(SIGUSR1, &action, NULL);
    run_test("every number of callers", standalone);
    run_test("without lanes of their own", no_lanes_of_their_own);
    run_test("one lane of their own, four shared", one_lane_of_their_own);
    run_test("one connection", one_connection);
    run_test("a cluster", cluster);
    run_test("a close ends every process", a_close_ends_every_process);
    return finish_tests();
}
