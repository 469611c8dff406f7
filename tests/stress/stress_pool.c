/*
 * More threads than connections: leases are opened, used, closed, discarded and submitted by many
 * at once, also in the moment of a close, and given back after the client has ended. Nobody gets a
 * connection that another holds, and every connection comes back.
 */
#include <stdlib.h>

#include "crew.h"
#include "support/servers.h"

#define POOL_MAX 4

struct pool {
    struct crew crew;
    tendon_client *client;
    tendon_queue *queue;
    unsigned marks;    /* atomic: gives each borrower a name of its own */
    uint64_t accepted; /* atomic: lease_submit */
    uint64_t granted;  /* atomic */
};

/* A connection's name is the borrower's as long as nobody else uses the connection. */
static void use(struct pool *pool, tendon_lease *lease)
{
    char mark[32];
    snprintf(mark, sizeof mark, "mark-%u", __atomic_add_fetch(&pool->marks, 1, __ATOMIC_RELAXED));
    struct manner leased = {.lease = lease};
    struct answer answer = ask_by(pool->client, leased, "CLIENT", "SETNAME", mark, NULL);
    crew_judge(&pool->crew, "SETNAME", &answer, "OK");
    answer = ask_by(pool->client, leased, "CLIENT", "GETNAME", NULL);
    crew_judge(&pool->crew, "GETNAME", &answer, mark);
    if (some_number() % 3 == 0) { /* to be cleaned before the next borrower */
        answer = ask_by(pool->client, leased, "MULTI", NULL);
        crew_judge(&pool->crew, "MULTI", &answer, "OK");
    }
}

static void give_back(tendon_lease *lease)
{
    if (some_number() % 5)
        tendon_lease_close(lease);
    else
        tendon_lease_discard(lease);
}

static void *borrower(void *argument)
{
    struct pool *pool = argument;
    while (!crew_stopping(&pool->crew)) {
        tendon_lease_options options = {.struct_size = sizeof options,
                                        .timeout_ms =
                                            some_number() % 2 ? 0 : 1 + some_number() % 9};
        tendon_lease *lease = NULL;
        tendon_error *error = NULL;
        tendon_status status = tendon_lease_open(pool->client, &options, &lease, &error);
        struct answer answer = answer_of(NULL, error);
        crew_judge(&pool->crew, "a lease", &answer, "");
        if (status != TENDON_OK)
            continue;
        use(pool, lease);
        give_back(lease);
    }
    return NULL;
}

/* Leases that are cancelled, closed before they are granted, or used before they are. */
static void *submitter(void *argument)
{
    struct pool *pool = argument;
    while (!crew_stopping(&pool->crew)) {
        tendon_lease *lease = NULL;
        uint64_t id = 0;
        if (tendon_lease_submit(pool->client, pool->queue, NULL, 1, &lease, &id) != TENDON_OK)
            continue; /* closed */
        __atomic_add_fetch(&pool->accepted, 1, __ATOMIC_RELAXED);
        if (submit_words(pool->client, pool->queue, lease, 2, 0, NULL, "ECHO", "submitted", NULL) ==
            TENDON_OK)
            __atomic_add_fetch(&pool->accepted, 1, __ATOMIC_RELAXED);
        if (some_number() % 3 == 0)
            (void)tendon_cancel(pool->client, id);
        if (some_number() % 2)
            sleep_ms(0.3);
        tendon_lease_close(lease);
    }
    return NULL;
}

/* Blocking commands borrow by themselves, and lanes want connections as well. */
static void *caller(void *argument)
{
    struct pool *pool = argument;
    while (!crew_stopping(&pool->crew)) {
        struct answer answer = ask(pool->client, "ECHO", "called", NULL);
        crew_judge(&pool->crew, "a call", &answer, "called");
        answer = ask_by(pool->client, (struct manner){.timeout_ms = 200}, "BLPOP", "stress:none",
                        "0.002", NULL);
        crew_judge(&pool->crew, "a blocking call", &answer, "(null)");
    }
    return NULL;
}

static void *collector(void *argument)
{
    struct pool *pool = argument;
    tendon_completion done[16];
    while (!crew_stopping(&pool->crew)) {
        size_t count = tendon_queue_poll(pool->queue, done, sizeof *done, 16, 20);
        for (size_t i = 0; i < count; i++) {
            struct answer answer = answer_of(done[i].reply, done[i].error);
            if (done[i].tag != 1) /* the reply to opening is the name of a node */
                crew_judge(&pool->crew, "on a submitted lease", &answer, "submitted");
            forget(&answer);
        }
        __atomic_add_fetch(&pool->granted, count, __ATOMIC_RELAXED);
    }
    return NULL;
}

static void *watcher(void *argument)
{
    struct pool *pool = argument;
    while (!crew_stopping(&pool->crew)) {
        tendon_stats stats = {.struct_size = sizeof stats};
        if (tendon_client_stats(pool->client, &stats) == TENDON_OK && stats.open > POOL_MAX)
            crew_failed(&pool->crew, "more connections than pool_max",
                        &(struct answer){.fault.message = ""});
        sleep_ms(1);
    }
    return NULL;
}

static void round_of(const char *more, bool close_early)
{
    struct pool *pool = calloc(1, sizeof *pool);
    struct crew *crew = &pool->crew;
    watch_over(60, "borrowing, giving back and closing");
    pool->client = open_client("host=localhost port=%d mode=standalone pool_max=%d %s " PATIENT,
                               server_number("standalone.port"), POOL_MAX, more);
    if (!pool->client || !CHECK(tendon_queue_create(&pool->queue) == TENDON_OK, "a queue"))
        return;
    tendon_lease *late = NULL; /* one that stays lent until the end, or longer */
    CHECK(tendon_lease_open(pool->client, NULL, &late, NULL) == TENDON_OK, "a lease");
    crew_add(crew, 12, borrower, pool);
    crew_add(crew, 2, submitter, pool);
    crew_add(crew, 2, caller, pool);
    crew_add(crew, 1, watcher, pool);
    crew_add(crew, 1, collector, pool);
    sleep_ms(600);
    if (close_early) {
        tendon_client_close(pool->client);
        sleep_ms(30); /* everybody meets the closed client */
    }
    crew_join(crew);
    crew->stop = false;
    crew_add(crew, 1, collector, pool);
    while (__atomic_load_n(&pool->granted, __ATOMIC_RELAXED) < pool->accepted)
        sleep_ms(2); /* the watchdog counts */
    crew_join(crew);
    CHECK(pool->granted == pool->accepted, "%lu completions of %lu", (unsigned long)pool->granted,
          (unsigned long)pool->accepted);
    if (!close_early) {
        tendon_stats stats = stats_of(pool->client);
        CHECK(stats.leased == 1 && stats.waiting == 0 && stats.pending == 0,
              "leased %u waiting %u pending %u", stats.leased, stats.waiting, stats.pending);
    }
    printf("# %u uses\n", pool->marks);
    if (close_early)
        tendon_lease_close(late);
    tendon_client_destroy(pool->client);
    if (!close_early)
        tendon_lease_close(late); /* after the end of its client */
    tendon_queue_destroy(pool->queue);
    CHECK(crew->failures == 0, "%d failures", crew->failures);
    free(pool);
}

static void contention(void)
{
    round_of("", false);
}

static void tested_and_short_lived(void)
{
    round_of("pool_test_on_borrow=yes pool_test_on_return=yes pool_lifetime_ms=20 lanes=2", false);
}

static void closed_in_the_middle(void)
{
    round_of("pool_wait_ms=50", true);
}

int main(void)
{
    if (!servers_load())
        return 77;
    run_test("more borrowers than connections", contention);
    run_test("connections that are tested and live shortly", tested_and_short_lived);
    run_test("a client is closed while its connections are lent", closed_in_the_middle);
    return finish_tests();
}
