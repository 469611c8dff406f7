/*
 * Calls, batches, leases, submits, cancels, disconnects and statistics at the same time, and then a
 * close in the middle of it all: each request has exactly one outcome, each reply belongs to its
 * request, nothing leaks.
 */
#include <stdlib.h>

#include "crew.h"
#include "support/servers.h"

#define ROUND_MS 700

struct ring {
    struct crew crew;
    tendon_client *client;
    tendon_queue *queue;
    uint64_t accepted;  /* atomic: submitted requests */
    uint64_t completed; /* atomic: their completions */
    uint64_t last_id;   /* atomic: something to cancel */
};

static bool stopping(struct ring *ring)
{
    return crew_stopping(&ring->crew);
}

static void *call_on(void *argument)
{
    struct ring *ring = argument;
    unsigned seed = some_number();
    for (unsigned n = 0; !stopping(ring); n++) {
        char nonce[48];
        snprintf(nonce, sizeof nonce, "call %u.%u", seed, n);
        struct manner manner = {.timeout_ms = n % 5 ? 0 : 1 + n % 3};
        struct answer answer = ask_by(ring->client, manner, "ECHO", nonce, NULL);
        if (answer.status == TENDON_ERROR_TIMEOUT && !manner.timeout_ms)
            crew_failed(&ring->crew, "a call starved", &answer);
        crew_judge(&ring->crew, "call", &answer, nonce);
        if (n % 11 == 0) {
            answer = ask_by(ring->client, (struct manner){.timeout_ms = 20}, "BLPOP", "stress:none",
                            "0.005", NULL);
            crew_judge(&ring->crew, "blocking", &answer, "(null)");
        }
    }
    return NULL;
}

static void *lease_on(void *argument)
{
    struct ring *ring = argument;
    for (unsigned n = 0; !stopping(ring); n++) {
        tendon_lease_options options = {.struct_size = sizeof options, .timeout_ms = 1 + n % 50};
        tendon_lease *lease = NULL;
        tendon_error *error = NULL;
        if (tendon_lease_open(ring->client, &options, &lease, &error) != TENDON_OK) {
            struct answer answer = answer_of(NULL, error);
            crew_judge(&ring->crew, "lease", &answer, "");
            continue;
        }
        struct manner manner = {.lease = lease};
        struct answer answer = ask_by(ring->client, manner, n % 3 ? "MULTI" : "UNWATCH", NULL);
        crew_judge(&ring->crew, "on a lease", &answer, "OK");
        if (n % 4)
            tendon_lease_close(lease);
        else
            tendon_lease_discard(lease);
    }
    return NULL;
}

static void *submit_on(void *argument)
{
    struct ring *ring = argument;
    for (unsigned n = 0; !stopping(ring); n++) {
        tendon_bytes words[2][3] = {{{"ECHO", 4}, {"submitted", 9}},
                                    {{"BLPOP", 5}, {"stress:none", 11}, {"0.002", 5}}};
        tendon_request requests[3];
        uint64_t ids[3];
        for (unsigned i = 0; i < 3; i++)
            requests[i] = (tendon_request){.struct_size = sizeof *requests,
                                           .args = words[i == 2 && n % 128 == 0],
                                           .arg_count = i == 2 && n % 128 == 0 ? 3 : 2,
                                           .timeout_ms = n % 3 ? 0 : 2};
        tendon_status status =
            tendon_submit(ring->client, ring->queue, requests, sizeof *requests, 3, ids);
        if (status == TENDON_OK) {
            __atomic_add_fetch(&ring->accepted, 3, __ATOMIC_RELAXED);
            __atomic_store_n(&ring->last_id, ids[n % 3], __ATOMIC_RELAXED);
        } else if (status != TENDON_ERROR_CLOSED && status != TENDON_ERROR_QUEUE_FULL) {
            crew_failed(&ring->crew, "a call",
                        &(struct answer){.status = status, .fault.message = ""});
        }
        if (__atomic_load_n(&ring->accepted, __ATOMIC_RELAXED) -
                __atomic_load_n(&ring->completed, __ATOMIC_RELAXED) >
            2000)
            sleep_ms(1);
    }
    return NULL;
}

static void *disturb(void *argument)
{
    struct ring *ring = argument;
    for (unsigned n = 0; !stopping(ring); n++) {
        tendon_status status =
            tendon_cancel(ring->client, __atomic_load_n(&ring->last_id, __ATOMIC_RELAXED));
        if (status != TENDON_OK)
            crew_failed(&ring->crew, "a call",
                        &(struct answer){.status = status, .fault.message = ""});
        if (n % 200 == 0)
            (void)tendon_client_disconnect(ring->client);
        if (n % 50 == 0)
            (void)tendon_client_watch(ring->client, n % 100 ? ring->queue : NULL, 9, 0xffe);
        tendon_stats stats = {.struct_size = sizeof stats};
        (void)tendon_client_stats(ring->client, &stats);
        sleep_ms(0.3);
    }
    return NULL;
}

static void *poll_on(void *argument)
{
    struct ring *ring = argument;
    while (!stopping(ring))
        __atomic_add_fetch(&ring->completed, collect(&ring->crew, ring->queue, 50, "submitted"),
                           __ATOMIC_RELAXED);
    return NULL;
}

/* One round: everybody at once, then a close or destroy in the middle. */
static void round_of(const char *options, bool close_early)
{
    struct ring ring = {.client = open_client("%s pool_max=8 " PATIENT, options)};
    watch_over(60, "doing everything at once");
    if (!ring.client || !CHECK(tendon_queue_create(&ring.queue) == TENDON_OK, "a queue"))
        return;
    crew_add(&ring.crew, 6, call_on, &ring);
    crew_add(&ring.crew, 3, submit_on, &ring);
    crew_add(&ring.crew, 2, lease_on, &ring);
    crew_add(&ring.crew, 2, poll_on, &ring);
    crew_add(&ring.crew, 1, disturb, &ring);
    sleep_ms(ROUND_MS);
    if (close_early) {
        tendon_client_close(ring.client);
        sleep_ms(20);
    }
    crew_join(&ring.crew);
    tendon_client_destroy(ring.client);
    for (unsigned got = 1; got;) /* after a destroy everything has ended */
        ring.completed += got = collect(&ring.crew, ring.queue, 0, "submitted");
    CHECK(ring.completed == ring.accepted, "%lu completions of %lu requests",
          (unsigned long)ring.completed, (unsigned long)ring.accepted);
    CHECK(ring.crew.failures == 0, "%d failures", ring.crew.failures);
    printf("# %lu submitted\n", (unsigned long)ring.accepted);
    tendon_queue_destroy(ring.queue);
}

static void standalone(void)
{
    char options[256];
    snprintf(options, sizeof options, "host=localhost port=%d", server_number("standalone.port"));
    round_of(options, false);
    round_of(options, true);
}

static void cluster(void)
{
    char options[256];
    snprintf(options, sizeof options, "host=localhost port=%d mode=cluster",
             server_number("cluster.nodes.0.port"));
    round_of(options, false);
    round_of(options, true);
}

static void secure(void)
{
    char options[1024];
    snprintf(options, sizeof options, "host=localhost port=%d tls=yes lanes=2 tls_ca_file=%s",
             server_number("tls.port"), server_text("ca_file"));
    round_of(options, false);
    round_of(options, true);
}

int main(void)
{
    if (!servers_load())
        return 77;
    run_test("everything at once, a standalone server", standalone);
    run_test("everything at once, a cluster", cluster);
    run_test("everything at once, TLS", secure);
    return finish_tests();
}
