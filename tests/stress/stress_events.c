/*
 * Events flow while the watcher is set, replaced and taken away, queues are given up, connections
 * end, and statistics and nodes are read: no event is lost or doubled in memory, none comes to a
 * queue that is no longer watched for ever, and calls go on.
 */
#include <stdlib.h>

#include "crew.h"
#include "support/servers.h"

#define ALL_EVENTS UINT32_C(0xffe)

struct watch {
    struct crew crew;
    tendon_client *client;
    tendon_queue *queue;
    uint64_t seen; /* atomic */
};

static void *caller(void *argument)
{
    struct watch *watch = argument;
    while (!crew_stopping(&watch->crew)) {
        struct answer answer = ask(watch->client, "ECHO", "called", NULL);
        crew_judge(&watch->crew, "a call", &answer, "called");
    }
    return NULL;
}

/* Ends connections, from both sides: that is what events tell of. */
static void *breaker(void *argument)
{
    struct watch *watch = argument;
    while (!crew_stopping(&watch->crew)) {
        struct answer id = ask(watch->client, "CLIENT", "ID", NULL);
        struct answer answer = {.fault.message = ""};
        if (id.status == TENDON_OK && some_number() % 2)
            answer = ask(watch->client, "CLIENT", "KILL", "ID", id.text, NULL);
        else
            (void)tendon_client_disconnect(watch->client);
        forget(&answer);
        forget(&id);
        sleep_ms(2);
    }
    return NULL;
}

/* Out-of-band messages. */
static void *tracker(void *argument)
{
    struct watch *watch = argument;
    while (!crew_stopping(&watch->crew)) {
        tendon_lease *lease = NULL;
        if (tendon_lease_open(watch->client, NULL, &lease, NULL) != TENDON_OK)
            continue;
        const char *key = key_of("watched");
        struct manner leased = {.lease = lease};
        struct answer answer = ask_by(watch->client, leased, "CLIENT", "TRACKING", "ON", NULL);
        crew_judge(&watch->crew, "tracking", &answer, "OK");
        for (int i = 0; i < 20 && !crew_stopping(&watch->crew); i++) {
            answer = ask_by(watch->client, leased, "GET", key, NULL);
            forget(&answer);
            answer = ask(watch->client, "SET", key, "news", "EX", "60", NULL);
            crew_judge(&watch->crew, "a change", &answer, "OK");
        }
        tendon_lease_close(lease);
    }
    return NULL;
}

static void *changer(void *argument)
{
    struct watch *watch = argument;
    while (!crew_stopping(&watch->crew)) {
        unsigned number = some_number();
        tendon_queue *own = NULL;
        if (number % 4 == 0 && tendon_queue_create(&own) == TENDON_OK) {
            (void)tendon_client_watch(watch->client, own, 1, ALL_EVENTS);
            sleep_ms(1);
            tendon_queue_destroy(own); /* while it is watched */
        } else {
            (void)tendon_client_watch(watch->client, number % 4 == 1 ? NULL : watch->queue, 9,
                                      number % 8 == 2 ? 1u << TENDON_EVENT_LOG : ALL_EVENTS);
        }
        sleep_ms(0.5);
    }
    return NULL;
}

static void *reader(void *argument)
{
    struct watch *watch = argument;
    while (!crew_stopping(&watch->crew)) {
        tendon_stats stats = {.struct_size = sizeof stats};
        tendon_reply *nodes = NULL;
        (void)tendon_client_stats(watch->client, &stats);
        if (tendon_client_nodes(watch->client, &nodes, NULL) == TENDON_OK)
            tendon_reply_destroy(nodes);
        sleep_ms(0.5);
    }
    return NULL;
}

static void *collector(void *argument)
{
    struct watch *watch = argument;
    tendon_completion done[16];
    while (!crew_stopping(&watch->crew)) {
        size_t count = tendon_queue_poll(watch->queue, done, sizeof *done, 16, 10);
        for (size_t i = 0; i < count; i++) {
            if (done[i].kind != TENDON_COMPLETION_EVENT || done[i].tag != 9 || !done[i].event)
                crew_failed(&watch->crew, "an event", &(struct answer){.fault.message = ""});
            tendon_reply_destroy(done[i].reply);
            tendon_error_destroy(done[i].error);
        }
        __atomic_add_fetch(&watch->seen, count, __ATOMIC_RELAXED);
    }
    return NULL;
}

static void round_of(const char *options, bool close_early)
{
    struct watch *watch = calloc(1, sizeof *watch);
    struct crew *crew = &watch->crew;
    watch_over(60, "watching, changing the watcher and closing");
    watch->client =
        open_client("%s protocol=3 pool_max=12 reconnect_backoff_max_ms=50 " PATIENT, options);
    if (!watch->client || !CHECK(tendon_queue_create(&watch->queue) == TENDON_OK, "a queue"))
        return;
    crew_add(crew, 4, caller, watch);
    crew_add(crew, 2, changer, watch);
    crew_add(crew, 2, tracker, watch);
    crew_add(crew, 1, breaker, watch);
    crew_add(crew, 2, reader, watch);
    crew_add(crew, 2, collector, watch);
    sleep_ms(700);
    for (double limit = now_ms() + 20000;
         __atomic_load_n(&watch->seen, __ATOMIC_RELAXED) <= 10 && now_ms() < limit;)
        sleep_ms(5);
    if (close_early)
        tendon_client_close(watch->client);
    sleep_ms(close_early ? 20 : 0);
    crew_join(crew);
    CHECK(crew->failures == 0, "%d failures", crew->failures);
    CHECK(watch->seen > 10, "%lu events", (unsigned long)watch->seen);
    printf("# %lu events\n", (unsigned long)watch->seen);
    tendon_client_destroy(watch->client);
    tendon_queue_destroy(watch->queue);
    free(watch);
}

static void standalone(void)
{
    char options[256];
    snprintf(options, sizeof options, "host=localhost port=%d", server_number("standalone.port"));
    round_of(options, false);
}

static void cluster(void)
{
    char options[256];
    snprintf(options, sizeof options, "host=localhost port=%d mode=cluster",
             server_number("cluster.nodes.0.port"));
    round_of(options, true);
}

int main(void)
{
    if (!servers_load())
        return 77;
    run_test("the watcher changes while events flow", standalone);
    run_test("and the client of a cluster is closed", cluster);
    return finish_tests();
}
