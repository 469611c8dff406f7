/*
 * Calls, batches, leases, submits, cancels, disconnects and statistics at the same time, and then a
 * close in the middle of it all: each request has exactly one outcome, each reply belongs to its
 * request, nothing leaks.
 */
#include <pthread.h>
#include <stdlib.h>

#include "support/check.h"
#include "support/servers.h"

#define CALLERS    6
#define SUBMITTERS 3
#define ROUND_MS   700

struct ring {
    tendon_client *client;
    tendon_queue *queue;
    bool stop;          /* atomic */
    uint64_t accepted;  /* atomic: submitted requests */
    uint64_t completed; /* atomic: their completions */
    uint64_t last_id;   /* atomic: something to cancel */
    int failures;       /* atomic */
    unsigned seeds;     /* atomic */
};

static bool stopping(struct ring *ring)
{
    return __atomic_load_n(&ring->stop, __ATOMIC_ACQUIRE);
}

static void fail(struct ring *ring, const char *what, const struct answer *answer)
{
    if (__atomic_add_fetch(&ring->failures, 1, __ATOMIC_RELAXED) < 10)
        CHECK(false, "%s: %s %s%s", what, tendon_status_name(answer->status), answer->text,
              answer->fault.message);
}

/* What may happen to a request while others disconnect, cancel and close. */
static bool is_fair(tendon_status status)
{
    return status == TENDON_ERROR_CLOSED || status == TENDON_ERROR_CANCELLED ||
           status == TENDON_ERROR_DISCONNECTED || status == TENDON_ERROR_POOL_TIMEOUT ||
           status == TENDON_ERROR_TIMEOUT;
}

static void judge(struct ring *ring, const char *what, struct answer *answer, const char *wanted)
{
    if (answer->status == TENDON_OK ? strcmp(answer->text, wanted) != 0 : !is_fair(answer->status))
        fail(ring, what, answer);
    forget(answer);
}

static void *call_on(void *argument)
{
    struct ring *ring = argument;
    unsigned seed = __atomic_add_fetch(&ring->seeds, 1, __ATOMIC_RELAXED);
    for (unsigned n = 0; !stopping(ring); n++) {
        char nonce[48];
        snprintf(nonce, sizeof nonce, "call %u.%u", seed, n);
        struct manner manner = {.timeout_ms = n % 5 ? 0 : 1 + n % 3};
        struct answer answer = ask_by(ring->client, manner, "ECHO", nonce, NULL);
        judge(ring, "call", &answer, nonce);
        if (n % 11 == 0) {
            answer = ask_by(ring->client, (struct manner){.timeout_ms = 20}, "BLPOP", "stress:none",
                            "0.005", NULL);
            judge(ring, "blocking", &answer, "(null)");
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
            if (!is_fair(answer.status))
                fail(ring, "lease", &answer);
            forget(&answer);
            continue;
        }
        struct manner manner = {.lease = lease};
        struct answer answer = ask_by(ring->client, manner, n % 3 ? "MULTI" : "UNWATCH", NULL);
        judge(ring, "on a lease", &answer, "OK");
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
                                           .args = words[i == 2 && n % 8 == 0],
                                           .arg_count = i == 2 && n % 8 == 0 ? 3 : 2,
                                           .timeout_ms = n % 3 ? 0 : 2};
        tendon_status status =
            tendon_submit(ring->client, ring->queue, requests, sizeof *requests, 3, ids);
        if (status == TENDON_OK) {
            __atomic_add_fetch(&ring->accepted, 3, __ATOMIC_RELAXED);
            __atomic_store_n(&ring->last_id, ids[n % 3], __ATOMIC_RELAXED);
        } else if (status != TENDON_ERROR_CLOSED && status != TENDON_ERROR_QUEUE_FULL) {
            __atomic_add_fetch(&ring->failures, 1, __ATOMIC_RELAXED);
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
            __atomic_add_fetch(&ring->failures, 1, __ATOMIC_RELAXED);
        if (n % 200 == 0)
            (void)tendon_client_disconnect(ring->client);
        if (n % 50 == 0)
            (void)tendon_client_watch(ring->client, n % 100 ? ring->queue : NULL, 9, 0x3fe);
        tendon_stats stats = {.struct_size = sizeof stats};
        (void)tendon_client_stats(ring->client, &stats);
        sleep_ms(0.3);
    }
    return NULL;
}

static void take(struct ring *ring, int64_t timeout_ms)
{
    tendon_completion done[32];
    size_t count = tendon_queue_poll(ring->queue, done, sizeof *done, 32, timeout_ms);
    for (size_t i = 0; i < count; i++) {
        struct answer answer = answer_of(done[i].reply, done[i].error);
        if (done[i].kind != TENDON_COMPLETION_EVENT) {
            __atomic_add_fetch(&ring->completed, 1, __ATOMIC_RELAXED);
            judge(ring, "submitted", &answer, answer.text[0] == '(' ? "(null)" : "submitted");
        }
        forget(&answer);
    }
}

static void *poll_on(void *argument)
{
    struct ring *ring = argument;
    while (!stopping(ring))
        take(ring, 50);
    return NULL;
}

/* One round: everybody at once, then a close or destroy in the middle. */
static int failed_round(const char *options, bool close_early)
{
    struct ring ring = {.client = open_client("%s pool_max=8 command_timeout_ms=5000", options)};
    if (!ring.client || tendon_queue_create(&ring.queue) != TENDON_OK)
        return 1;
    void *(*const jobs[])(void *) = {disturb, poll_on, poll_on, lease_on, lease_on};
    enum { JOBS = sizeof jobs / sizeof *jobs, ALL = CALLERS + SUBMITTERS + JOBS };
    pthread_t threads[ALL];
    for (int i = 0; i < ALL; i++) {
        void *(*job)(void *) = i < CALLERS                ? call_on
                               : i < CALLERS + SUBMITTERS ? submit_on
                                                          : jobs[i - CALLERS - SUBMITTERS];
        if (pthread_create(&threads[i], NULL, job, &ring) != 0)
            return 1;
    }
    sleep_ms(ROUND_MS);
    if (close_early) {
        tendon_client_close(ring.client);
        sleep_ms(20);
    }
    __atomic_store_n(&ring.stop, true, __ATOMIC_RELEASE);
    for (int i = 0; i < ALL; i++)
        pthread_join(threads[i], NULL);
    tendon_client_destroy(ring.client);
    for (double limit = now_ms() + 5000; ring.completed < ring.accepted && now_ms() < limit;)
        take(&ring, 100);
    ring.failures += !CHECK(ring.completed == ring.accepted, "%lu completions of %lu requests",
                            (unsigned long)ring.completed, (unsigned long)ring.accepted);
    printf("# %s: %d failures, %lu submitted\n", options, ring.failures,
           (unsigned long)ring.accepted);
    tendon_queue_destroy(ring.queue);
    return ring.failures;
}

int main(void)
{
    if (!servers_load())
        return 77;
    char options[3][1024];
    snprintf(options[0], sizeof options[0], "host=localhost port=%d",
             server_number("standalone.port"));
    snprintf(options[1], sizeof options[1], "host=localhost port=%d mode=cluster",
             server_number("cluster.nodes.0.port"));
    snprintf(options[2], sizeof options[2], "host=localhost port=%d tls=yes lanes=2 tls_ca_file=%s",
             server_number("tls.port"), server_text("ca_file"));
    int failures = 0;
    for (int i = 0; i < 6; i++)
        failures += failed_round(options[i % 3], i >= 3);
    return failures ? 1 : 0;
}
