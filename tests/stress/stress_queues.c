/*
 * Several threads submit to one queue and several collect from it, while others cancel, wake and
 * disconnect; then the client is closed or destroyed with polls and requests in flight, or a queue
 * is given up before its requests have ended. Each accepted request has one completion, and no
 * thread waits for ever.
 */
#include <stdlib.h>

#include "crew.h"
#include "support/servers.h"

#define IDS 64

struct post {
    struct crew crew;
    struct crew collectors; /* they go on while the client ends */
    tendon_client *client;
    tendon_queue *queue;
    uint64_t ids[IDS];  /* atomic: something to cancel */
    uint64_t accepted;  /* atomic */
    uint64_t collected; /* atomic */
};

static void submit_one(struct post *post, tendon_queue *queue, bool counted)
{
    /* Few of them: a server that is idle looks at its blocked clients ten times a second only. */
    static const char *const blocking[] = {"BLPOP", "stress:none", "0.01"};
    unsigned number = some_number();
    uint64_t id = 0;
    tendon_status status = number % 128
                               ? submit_words(post->client, queue, NULL, number, number % 3 ? 0 : 3,
                                              &id, "ECHO", "submitted", NULL)
                               : submit_words(post->client, queue, NULL, number, 0, &id,
                                              blocking[0], blocking[1], blocking[2]);
    if (status == TENDON_OK) {
        __atomic_store_n(&post->ids[number % IDS], id, __ATOMIC_RELAXED);
        if (counted)
            __atomic_add_fetch(&post->accepted, 1, __ATOMIC_RELAXED);
    } else if (status != TENDON_ERROR_CLOSED) {
        crew_failed(&post->crew, "submit", &(struct answer){.status = status, .fault.message = ""});
    }
}

static void *submitter(void *argument)
{
    struct post *post = argument;
    while (!crew_stopping(&post->crew)) {
        if (__atomic_load_n(&post->accepted, __ATOMIC_RELAXED) -
                __atomic_load_n(&post->collected, __ATOMIC_RELAXED) >
            500) {
            sleep_ms(0.2);
            continue;
        }
        submit_one(post, post->queue, true);
    }
    return NULL;
}

/* Queues that are given up while their requests are in every possible state. */
static void *deserter(void *argument)
{
    struct post *post = argument;
    while (!crew_stopping(&post->crew)) {
        tendon_queue *queue = NULL;
        if (tendon_queue_create(&queue) != TENDON_OK)
            break;
        if (some_number() % 2)
            (void)tendon_queue_fd(queue);
        for (unsigned i = 1 + some_number() % 40; i; i--)
            submit_one(post, queue, false);
        if (some_number() % 2)
            (void)collect(&post->crew, queue, 1, "submitted");
        tendon_queue_destroy(queue);
    }
    return NULL;
}

static void *collector(void *argument)
{
    struct post *post = argument;
    while (!crew_stopping(&post->collectors))
        __atomic_add_fetch(&post->collected,
                           collect(&post->collectors, post->queue, -1, "submitted"),
                           __ATOMIC_RELAXED);
    return NULL;
}

static void *disturber(void *argument)
{
    struct post *post = argument;
    for (unsigned n = 1; !crew_stopping(&post->crew); n++) {
        uint64_t id = __atomic_load_n(&post->ids[some_number() % IDS], __ATOMIC_RELAXED);
        if (tendon_cancel(post->client, id) != TENDON_OK)
            crew_failed(&post->crew, "cancel", &(struct answer){.fault.message = ""});
        tendon_queue_wake(post->queue);
        if (n % 100 == 0)
            (void)tendon_client_disconnect(post->client);
        if (n % 10 == 0)
            (void)tendon_queue_fd(post->queue);
        sleep_ms(0.2);
    }
    return NULL;
}

/* Polls without limit end by wakes, of which each ends one. */
static void *waker(void *argument)
{
    struct post *post = argument;
    while (!crew_stopping(&post->crew)) {
        tendon_queue_wake(post->queue);
        sleep_ms(1);
    }
    return NULL;
}

static void round_of(const char *options, bool close_early, bool destroy_early)
{
    struct post post = {.client = open_client("%s " PATIENT, options)};
    watch_over(60, "submitting, collecting, cancelling and closing");
    if (!post.client || !CHECK(tendon_queue_create(&post.queue) == TENDON_OK, "a queue"))
        return;
    crew_add(&post.crew, 4, submitter, &post);
    crew_add(&post.crew, 2, deserter, &post);
    crew_add(&post.crew, 1, disturber, &post);
    crew_add(&post.collectors, 3, collector, &post);
    sleep_ms(500);
    if (close_early)
        tendon_client_close(post.client);
    crew_join(&post.crew);
    if (destroy_early) {
        tendon_client_destroy(post.client);
        post.client = NULL;
    }
    while (__atomic_load_n(&post.collected, __ATOMIC_RELAXED) < post.accepted)
        sleep_ms(2); /* the watchdog counts */
    sleep_ms(10);    /* a completion too many would come now */
    post.crew.stop = false;
    crew_add(&post.crew, 1, waker, &post);
    crew_join(&post.collectors);
    crew_join(&post.crew);
    CHECK(post.collected == post.accepted, "%lu completions of %lu requests",
          (unsigned long)post.collected, (unsigned long)post.accepted);
    CHECK(post.crew.failures + post.collectors.failures == 0, "%d failures",
          post.crew.failures + post.collectors.failures);
    printf("# %lu submitted\n", (unsigned long)post.accepted);
    tendon_client_destroy(post.client);
    tendon_queue_destroy(post.queue);
}

static void everybody(void)
{
    char options[256];
    snprintf(options, sizeof options, "host=localhost port=%d", server_number("standalone.port"));
    round_of(options, false, false);
}

static void closed_in_the_middle(void)
{
    char options[256];
    snprintf(options, sizeof options, "host=localhost port=%d mode=cluster pool_max=6",
             server_number("cluster.nodes.0.port"));
    round_of(options, true, false);
}

static void destroyed_with_requests_in_flight(void)
{
    char options[1024];
    snprintf(options, sizeof options, "host=localhost port=%d tls=yes tls_ca_file=%s",
             server_number("tls.port"), server_text("ca_file"));
    round_of(options, false, true);
}

int main(void)
{
    if (!servers_load())
        return 77;
    run_test("submit, collect, cancel and wake at once", everybody);
    run_test("a client is closed in the middle", closed_in_the_middle);
    run_test("a client is destroyed with requests in flight", destroyed_with_requests_in_flight);
    return finish_tests();
}
