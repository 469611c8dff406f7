/* Sixty-four threads share one client by blocking calls; no thread may ever see another's value. */
#include <pthread.h>
#include <stdlib.h>

#include "crew.h"
#include "support/servers.h"

#define THREADS  64
#define ROUNDS   150
#define IN_BATCH 8

struct worker {
    tendon_client *client;
    pthread_t thread;
    unsigned number;
    unsigned random;
    int failures;
};

static unsigned next_random(struct worker *worker)
{
    worker->random = worker->random * 1103515245 + 12345;
    return worker->random >> 16;
}

static void name_of(char *out, size_t size, const struct worker *worker, unsigned n)
{
    snprintf(out, size, "stress:%u:%u", worker->number, n);
}

static void wrong(struct worker *worker, const char *what, const struct answer *answer,
                  const char *wanted)
{
    worker->failures++;
    CHECK(false, "%s: %s%s instead of %s", what, answer->text, answer->fault.message, wanted);
}

static void one_call(struct worker *worker, unsigned round)
{
    char key[48], value[64];
    name_of(key, sizeof key, worker, round % 5);
    snprintf(value, sizeof value, "%s=%u", key, round);
    struct answer answer = ask(worker->client, "SET", key, value, "EX", "120", NULL);
    if (strcmp(answer.text, "OK"))
        wrong(worker, "SET", &answer, "OK");
    forget(&answer);
    answer = ask(worker->client, "GET", key, NULL);
    if (strcmp(answer.text, value))
        wrong(worker, "GET", &answer, value);
    forget(&answer);
}

static void one_batch(struct worker *worker, unsigned round)
{
    char nonces[IN_BATCH][64];
    tendon_bytes words[IN_BATCH][2];
    tendon_request requests[IN_BATCH];
    tendon_outcome outcomes[IN_BATCH];
    for (unsigned i = 0; i < IN_BATCH; i++) {
        int size = snprintf(nonces[i], sizeof nonces[i], "%u.%u.%u", worker->number, round, i);
        words[i][0] = (tendon_bytes){"ECHO", 4};
        words[i][1] = (tendon_bytes){nonces[i], (size_t)size};
        requests[i] =
            (tendon_request){.struct_size = sizeof *requests, .args = words[i], .arg_count = 2};
    }
    if (!CHECK(tendon_call_batch(worker->client, requests, sizeof *requests, IN_BATCH, outcomes) ==
                   TENDON_OK,
               "a batch"))
        return;
    for (unsigned i = 0; i < IN_BATCH; i++) {
        struct answer answer = answer_of(outcomes[i].reply, outcomes[i].error);
        if (strcmp(answer.text, nonces[i]))
            wrong(worker, "batch", &answer, nonces[i]);
        forget(&answer);
    }
}

static void one_lease(struct worker *worker, unsigned round)
{
    char nonce[64];
    tendon_lease *lease = NULL;
    tendon_error *error = NULL;
    snprintf(nonce, sizeof nonce, "lease %u.%u", worker->number, round);
    if (tendon_lease_open(worker->client, NULL, &lease, &error) != TENDON_OK) {
        struct answer answer = answer_of(NULL, error);
        wrong(worker, "lease", &answer, "a lease");
        forget(&answer);
        return;
    }
    struct answer answer =
        ask_by(worker->client, (struct manner){.lease = lease}, "ECHO", nonce, NULL);
    if (strcmp(answer.text, nonce))
        wrong(worker, "lease", &answer, nonce);
    forget(&answer);
    if (round % 7)
        tendon_lease_close(lease);
    else
        tendon_lease_discard(lease);
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    for (unsigned round = 0; round < ROUNDS && worker->failures < 5; round++) {
        unsigned choice = next_random(worker) % 10;
        if (choice == 0)
            one_lease(worker, round);
        else if (choice < 3)
            one_batch(worker, round);
        else
            one_call(worker, round);
    }
    return NULL;
}

static void all_threads(const char *options)
{
    static struct worker workers[THREADS];
    double began = now_ms();
    watch_over(90, "calling, batching and borrowing");
    tendon_client *client = open_client("%s " PATIENT, options);
    if (!client)
        return;
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.client = client, .number = i, .random = i * 7919 + 1};
        if (!CHECK(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0, "a thread"))
            return;
    }
    int failures = 0;
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        failures += workers[i].failures;
    }
    tendon_stats stats = stats_of(client);
    failures += !CHECK(stats.pending == 0 && stats.leased == 0 && stats.waiting == 0,
                       "pending %u leased %u waiting %u at the end", stats.pending, stats.leased,
                       stats.waiting);
    printf("# %s: %d failures, %lu requests over %lu connections in %.0f ms\n", options, failures,
           (unsigned long)stats.requests, (unsigned long)stats.created, now_ms() - began);
    CHECK(failures == 0, "%d failures", failures);
    tendon_client_destroy(client);
}

static void standalone(void)
{
    char options[256];
    snprintf(options, sizeof options, "host=localhost port=%d", server_number("standalone.port"));
    all_threads(options);
}

static void a_small_pool(void)
{
    char options[256];
    snprintf(options, sizeof options, "host=localhost port=%d lanes=4 pool_max=6",
             server_number("standalone.port"));
    all_threads(options);
}

static void cluster(void)
{
    char options[256];
    snprintf(options, sizeof options, "host=localhost port=%d mode=cluster",
             server_number("cluster.nodes.0.port"));
    all_threads(options);
}

static void secure(void)
{
    char options[1024];
    snprintf(options, sizeof options, "host=localhost port=%d tls=yes tls_ca_file=%s",
             server_number("tls.port"), server_text("ca_file"));
    all_threads(options);
}

int main(void)
{
    if (!servers_load())
        return 77;
    run_test("sixty-four threads, a standalone server", standalone);
    run_test("sixty-four threads, few connections", a_small_pool);
    run_test("sixty-four threads, a cluster", cluster);
    run_test("sixty-four threads, TLS", secure);
    return finish_tests();
}
