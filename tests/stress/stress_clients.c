/*
 * Clients come and go in many threads at once; some are destroyed with callers blocked inside them,
 * some are driven by a loop. Each call ends, each client ends, and nothing is shared between them.
 */
#include <poll.h>
#include <stdlib.h>

#include "crew.h"
#include "support/servers.h"

#define BLOCKED 6

static char options_of[4][1024];

/* Short lives: made, used or not, closed or not, destroyed. */
static void *liver(void *argument)
{
    struct crew *crew = argument;
    while (!crew_stopping(crew)) {
        unsigned number = some_number();
        tendon_client *client = open_client("%s %s " PATIENT, options_of[number % 4],
                                            number % 5 ? "" : "pool_min_idle=2");
        if (!client)
            break;
        if (number % 3) {
            struct answer answer = ask(client, "ECHO", "alive", NULL);
            crew_judge(crew, "a call", &answer, "alive");
        }
        if (number % 2)
            tendon_client_close(client);
        tendon_client_destroy(client);
    }
    return NULL;
}

struct blocked {
    struct crew crew;
    tendon_client *client;
};

static void *block(void *argument)
{
    struct blocked *blocked = argument;
    struct answer answer =
        ask_by(blocked->client, (struct manner){.timeout_ms = TENDON_TIMEOUT_NONE}, "BLPOP",
               "stress:none", "0", NULL);
    if (answer.status != TENDON_ERROR_CLOSED)
        crew_failed(&blocked->crew, "blocked", &answer);
    forget(&answer);
    return NULL;
}

/* Callers that are inside when their client is destroyed return with CLOSED. */
static void *destroyer(void *argument)
{
    struct crew *crew = argument;
    while (!crew_stopping(crew)) {
        struct blocked blocked = {.client =
                                      open_client("%s " PATIENT, options_of[some_number() % 4])};
        if (!blocked.client)
            break;
        crew_add(&blocked.crew, BLOCKED, block, &blocked);
        while (stats_of(blocked.client).pending < BLOCKED)
            sleep_ms(1); /* the watchdog counts */
        tendon_client_destroy(blocked.client);
        crew_join(&blocked.crew);
        if (blocked.crew.failures)
            __atomic_add_fetch(&crew->failures, blocked.crew.failures, __ATOMIC_RELAXED);
    }
    return NULL;
}

/* Whatever is there: nothing tells a loop a second time. */
static unsigned collect_all(struct crew *crew, tendon_queue *queue)
{
    unsigned all = 0;
    for (unsigned some = 1; some; all += some)
        some = collect(crew, queue, 0, "looped");
    return all;
}

/* A loop of its own in each thread. */
static void *looper(void *argument)
{
    struct crew *crew = argument;
    while (!crew_stopping(crew)) {
        tendon_client *client =
            open_client("%s drive=host " PATIENT, options_of[some_number() % 4]);
        tendon_queue *queue = NULL;
        if (!client || tendon_queue_create(&queue) != TENDON_OK)
            break;
        unsigned sent = 1 + some_number() % 50, got = 0;
        for (unsigned i = 0; i < sent; i++)
            if (submit_words(client, queue, NULL, i, 0, NULL, "ECHO", "looped", NULL))
                crew_failed(crew, "submit", &(struct answer){.fault.message = ""});
        struct pollfd polled = {tendon_client_fd(client), POLLIN, 0};
        (void)tendon_client_flush(client);
        while (got < sent) { /* the watchdog counts */
            (void)poll(&polled, 1, 1000);
            (void)tendon_client_process(client, 0, NULL);
            got += collect_all(crew, queue);
        }
        tendon_client_destroy(client);
        tendon_queue_destroy(queue);
    }
    return NULL;
}

struct shared_loop {
    struct crew crew;
    tendon_client *client;
    tendon_queue *queue;
    uint64_t accepted; /* atomic */
    uint64_t collected;
};

static void *loop_submitter(void *argument)
{
    struct shared_loop *loop = argument;
    while (!crew_stopping(&loop->crew)) {
        uint64_t id = 0;
        if (submit_words(loop->client, loop->queue, NULL, 0, 0, &id, "ECHO", "looped", NULL) ==
            TENDON_OK)
            __atomic_add_fetch(&loop->accepted, 1, __ATOMIC_RELAXED);
        if (some_number() % 8 == 0)
            (void)tendon_cancel(loop->client, id);
        if (some_number() % 4 == 0)
            (void)tendon_client_flush(loop->client);
        if (some_number() % 16 == 0)
            sleep_ms(0.5);
    }
    return NULL;
}

/* One loop, and several threads that submit, cancel and flush beside it. */
static void a_loop_serves_threads(void)
{
    struct shared_loop loop = {.client = open_client("%s drive=host " PATIENT, options_of[0])};
    watch_over(60, "driving for several threads");
    if (!loop.client || !CHECK(tendon_queue_create(&loop.queue) == TENDON_OK, "a queue"))
        return;
    struct crew judge = {0};
    struct pollfd polled = {tendon_client_fd(loop.client), POLLIN, 0};
    crew_add(&loop.crew, 3, loop_submitter, &loop);
    double limit = now_ms() + 500;
    while (now_ms() < limit || loop.collected < __atomic_load_n(&loop.accepted, __ATOMIC_RELAXED)) {
        if (now_ms() >= limit)
            crew_join(&loop.crew);
        (void)poll(&polled, 1, 200);
        (void)tendon_client_process(loop.client, 0, NULL);
        loop.collected += collect_all(&judge, loop.queue);
    }
    crew_join(&loop.crew);
    while (loop.collected < loop.accepted) {
        (void)tendon_client_process(loop.client, 0, NULL);
        loop.collected += collect_all(&judge, loop.queue);
    }
    CHECK(loop.collected == loop.accepted && judge.failures == 0, "%lu of %lu, %d failures",
          (unsigned long)loop.collected, (unsigned long)loop.accepted, judge.failures);
    printf("# %lu submitted\n", (unsigned long)loop.accepted);
    tendon_client_destroy(loop.client);
    tendon_queue_destroy(loop.queue);
}

static void for_a_while(unsigned count, void *(*job)(void *), const char *doing)
{
    struct crew crew = {0};
    watch_over(60, doing);
    crew_add(&crew, count, job, &crew);
    sleep_ms(700);
    crew_join(&crew);
    CHECK(crew.failures == 0, "%d failures", crew.failures);
}

static void short_lives(void)
{
    for_a_while(6, liver, "making and destroying clients");
}

static void destroyed_with_callers_inside(void)
{
    for_a_while(3, destroyer, "destroying clients with callers inside");
}

static void loops_of_their_own(void)
{
    for_a_while(3, looper, "driving clients by loops");
}

int main(void)
{
    if (!servers_load())
        return 77;
    snprintf(options_of[0], sizeof options_of[0], "host=localhost port=%d mode=standalone",
             server_number("standalone.port"));
    snprintf(options_of[1], sizeof options_of[1], "host=localhost port=%d mode=cluster",
             server_number("cluster.nodes.0.port"));
    snprintf(options_of[2], sizeof options_of[2],
             "host=localhost port=%d tls=yes tls_ca_file=%s tls_system_ca=yes",
             server_number("tls.port"), server_text("ca_file"));
    snprintf(options_of[3], sizeof options_of[3], "unix_socket=%s", server_text("unix_socket"));
    run_test("clients come and go", short_lives);
    run_test("clients are destroyed with callers inside", destroyed_with_callers_inside);
    run_test("loops drive clients of their own", loops_of_their_own);
    run_test("a loop drives for several threads", a_loop_serves_threads);
    return finish_tests();
}
