/* A cluster of the test's own: slots that move under load, failovers, and primaries that die. */
#include <pthread.h>
#include <stdlib.h>

#include "support/check.h"
#include "support/host.h"
#include "support/servers.h"

#define WRITERS  4
#define KEYS     40
#define LOG_ROOM 20000

static struct host_cluster cluster;
static bool formed;

static tendon_client *to_cluster(const char *more)
{
    if (!formed)
        formed = cluster_start(&cluster);
    return open_client("endpoints=127.0.0.1:%d,127.0.0.1:%d mode=cluster %s", cluster.hosts[0].port,
                       cluster.hosts[5].port, more);
}

/*
 * Writers append op ids to lists, each key by one writer, and note what they were told. Afterwards
 * every op told OK must be there once, every op told "not executed" must not, and an unknown one at
 * most once.
 */
struct load {
    tendon_client *client;
    double began_ms;
    bool stop; /* atomic */
    int64_t timeout_ms;
    struct writer {
        struct load *load;
        pthread_t thread;
        int number;
        int count;
        double worst_ms;
        int said[LOG_ROOM]; /* 0 acknowledged, else TENDON_EXECUTED_* */
        int mixed;          /* reads that gave another's value */
    } writers[WRITERS];
};

static void key_of_op(char *out, size_t size, int writer, int op)
{
    snprintf(out, size, "load:%hd:%hd", (short)writer, (short)(op % KEYS));
}

static void *write_and_read(void *argument)
{
    struct writer *writer = argument;
    struct load *load = writer->load;
    while (!__atomic_load_n(&load->stop, __ATOMIC_ACQUIRE) && writer->count < LOG_ROOM) {
        char key[32], op[48];
        key_of_op(key, sizeof key, writer->number, writer->count);
        snprintf(op, sizeof op, "%s/%d", key, writer->count);
        struct manner manner = {.timeout_ms = load->timeout_ms};
        struct answer answer = ask_by(load->client, manner, "RPUSH", key, op, NULL);
        bool refused = answer.status == TENDON_OK && answer.view.nodes[0].type == TENDON_NODE_ERROR;
        writer->said[writer->count++] = answer.status == TENDON_OK
                                            ? refused ? TENDON_EXECUTED_NO : 0
                                            : (int)answer.fault.executed;
        if (answer.ms > writer->worst_ms)
            writer->worst_ms = answer.ms;
        forget(&answer);
        answer = ask_by(load->client, manner, "LINDEX", key, "-1", NULL);
        size_t prefix = strlen(key);
        bool mine = answer.status == TENDON_OK && answer.view.nodes[0].type == TENDON_NODE_STRING;
        writer->mixed += mine && (strncmp(answer.text, key, prefix) || answer.text[prefix] != '/');
        forget(&answer);
        sleep_ms(1);
    }
    return NULL;
}

static struct load *load_begin(const char *options, int64_t timeout_ms)
{
    struct load *load = calloc(1, sizeof *load);
    load->client = to_cluster(options);
    load->timeout_ms = timeout_ms;
    load->began_ms = now_ms();
    for (int i = 0; i < WRITERS; i++) {
        for (int k = 0; k < KEYS; k++) {
            char key[32];
            key_of_op(key, sizeof key, i, k);
            struct answer answer = ask(load->client, "DEL", key, NULL);
            CHECK(answer.status == TENDON_OK, "%s", answer.fault.message);
            forget(&answer);
        }
        load->writers[i].load = load;
        load->writers[i].number = i;
    }
    for (int i = 0; i < WRITERS; i++)
        CHECK(!pthread_create(&load->writers[i].thread, NULL, write_and_read, &load->writers[i]),
              "a thread");
    return load;
}

/* How often each op of one list is there; checks against what the writer was told. */
static void audit_list(struct load *load, struct writer *writer, int k, int *lost, int counts[4])
{
    char key[32];
    key_of_op(key, sizeof key, writer->number, k);
    struct answer answer = ask_by(load->client, (struct manner){.timeout_ms = PATIENCE_MS},
                                  "LRANGE", key, "0", "-1", NULL);
    if (!CHECK(answer.status == TENDON_OK, "%s", answer.fault.message)) {
        forget(&answer);
        return;
    }
    static uint8_t there[LOG_ROOM];
    memset(there, 0, sizeof there);
    for (size_t i = 1; i < answer.view.node_count; i++) {
        char op[64];
        int number = -1;
        snprintf(op, sizeof op, "%.*s", (int)answer.view.nodes[i].size,
                 (const char *)answer.view.data + answer.view.nodes[i].value.offset);
        sscanf(strrchr(op, '/') ? strrchr(op, '/') : "", "/%d", &number);
        if (CHECK(number >= 0 && number < writer->count && number % KEYS == k, "%s in %s", op, key))
            there[number]++;
    }
    for (int op = k; op < writer->count; op += KEYS) {
        int said = writer->said[op];
        counts[said & 3]++;
        *lost += said == 0 && !there[op];
        CHECK(there[op] <= 1, "op %d of %s is there %d times", op, key, there[op]);
        CHECK(said != TENDON_EXECUTED_NO || !there[op], "op %d of %s was said not to be executed",
              op, key);
    }
    forget(&answer);
}

/* Ends the writers and audits. Returns how many acknowledged ops are gone; `out_failed` counts what
 * was not OK, `out_slack_ms` is how much later than on an idle machine a write may end. */
static int load_end(struct load *load, int *out_failed, double *out_worst_ms, double *out_slack_ms)
{
    int lost = 0, counts[4] = {0}, mixed = 0;
    double worst_ms = 0;
    __atomic_store_n(&load->stop, true, __ATOMIC_RELEASE);
    for (int i = 0; i < WRITERS; i++) {
        pthread_join(load->writers[i].thread, NULL);
        worst_ms = load->writers[i].worst_ms > worst_ms ? load->writers[i].worst_ms : worst_ms;
        mixed += load->writers[i].mixed;
    }
    for (int i = 0; i < WRITERS; i++) {
        for (int k = 0; k < KEYS; k++)
            audit_list(load, &load->writers[i], k, &lost, counts);
    }
    *out_slack_ms = slack_ms(now_ms() - load->began_ms);
    CHECK(mixed == 0, "%d replies belonged to another key", mixed);
    tendon_stats stats = stats_of(load->client);
    printf("# %d acknowledged, %d not executed, %d unknown, %d lost, worst %.0f ms; moved %lu ask "
           "%lu refreshes %lu "
           "retries %lu created %lu\n",
           counts[0], counts[TENDON_EXECUTED_NO], counts[TENDON_EXECUTED_UNKNOWN], lost, worst_ms,
           (unsigned long)stats.moved, (unsigned long)stats.ask, (unsigned long)stats.refreshes,
           (unsigned long)stats.retries, (unsigned long)stats.created);
    *out_failed = counts[1] + counts[2] + counts[3];
    *out_worst_ms = worst_ms;
    CHECK(counts[0] > 50, "%d writes is no load", counts[0]);
    tendon_client_destroy(load->client);
    free(load);
    return lost;
}

/* What may be lost with a primary is what its replica had not read yet: four writes of each writer,
 * or as many as a writer makes, one per millisecond, while the replica waits for a processor. */
static int lost_most(double slack)
{
    return WRITERS * (4 + (int)(slack - SLACK_MS));
}

static unsigned slot_of_load(int writer, int op)
{
    char key[32];
    key_of_op(key, sizeof key, writer, op);
    return tendon_key_slot((tendon_bytes){key, strlen(key)});
}

/* Until the load has been sent on once more by ASK, which it is when it comes to a key that moved.
 */
static void until_asked(const struct load *load, uint64_t asked)
{
    double limit = now_ms() + PATIENCE_MS;
    while (stats_of(load->client).ask == asked && now_ms() < limit)
        sleep_ms(5);
}

static void migrate_slot(const struct load *load, unsigned slot, int from, int to)
{
    uint64_t asked = stats_of(load->client).ask;
    char source[64], target[64];
    snprintf(source, sizeof source, "%s", host_say(cluster.hosts[from].port, "CLUSTER MYID"));
    snprintf(target, sizeof target, "%s", host_say(cluster.hosts[to].port, "CLUSTER MYID"));
    host_say(cluster.hosts[to].port, "CLUSTER SETSLOT %u IMPORTING %s", slot, source);
    host_say(cluster.hosts[from].port, "CLUSTER SETSLOT %u MIGRATING %s", slot, target);
    sleep_ms(30); /* the load meets keys that are still here */
    for (int i = 0; i < WRITERS; i++) {
        for (int k = 0; k < KEYS; k++) {
            char key[32];
            key_of_op(key, sizeof key, i, k);
            if (tendon_key_slot((tendon_bytes){key, strlen(key)}) == slot)
                host_say(cluster.hosts[from].port, "MIGRATE 127.0.0.1 %d %s 0 5000",
                         cluster.hosts[to].port, key);
        }
    }
    until_asked(load, asked); /* and keys that are already there */
    host_say(cluster.hosts[to].port, "CLUSTER SETSLOT %u NODE %s", slot, target);
    host_say(cluster.hosts[from].port, "CLUSTER SETSLOT %u NODE %s", slot, target);
}

static void slots_move_under_load(void)
{
    struct load *load = load_begin("", PATIENCE_MS);
    for (int i = 0; i < 12; i++) {
        unsigned slot = slot_of_load(i % WRITERS, i * 3);
        int from = cluster_owner(&cluster, slot), to = (from + 1) % 3;
        if (!CHECK(from >= 0, "an owner of slot %u", slot))
            break;
        migrate_slot(load, slot, from, to);
    }
    tendon_stats stats = stats_of(load->client);
    CHECK(stats.ask > 0 && stats.moved > 0, "ask %lu moved %lu", (unsigned long)stats.ask,
          (unsigned long)stats.moved);
    int failed;
    double worst_ms, slack;
    CHECK(load_end(load, &failed, &worst_ms, &slack) == 0, "acknowledged writes are gone");
    CHECK(failed == 0, "%d writes failed", failed);
    CHECK(worst_ms < 1000 + slack, "worst %.0f ms, slack %.0f ms", worst_ms, slack);
}

static void a_graceful_failover_is_not_noticed(void)
{
    struct load *load = load_begin("", PATIENCE_MS);
    sleep_ms(200);
    int primary = cluster_owner(&cluster, slot_of_load(0, 0));
    int replica = cluster_replica_of(&cluster, primary);
    if (CHECK(replica >= 0, "a replica of %d", primary))
        CHECK(!strcmp(host_say(cluster.hosts[replica].port, "CLUSTER FAILOVER"), "OK"), "failover");
    double limit = now_ms() + PATIENCE_MS;
    while (cluster_owner(&cluster, slot_of_load(0, 0)) != replica && now_ms() < limit)
        sleep_ms(20);
    sleep_ms(500);
    int failed;
    double worst_ms, slack;
    CHECK(load_end(load, &failed, &worst_ms, &slack) == 0, "acknowledged writes are gone");
    CHECK(failed == 0, "%d writes failed", failed);
    CHECK(worst_ms < 1000 + slack, "worst %.0f ms, slack %.0f ms", worst_ms, slack);
    CHECK(cluster_wait(&cluster, 3, 2 * PATIENCE_MS), "the cluster is whole again");
}

static void a_killed_primary_is_replaced(void)
{
    struct load *load = load_begin("", PATIENCE_MS);
    sleep_ms(300);
    int primary = cluster_owner(&cluster, slot_of_load(0, 0));
    host_kill(&cluster.hosts[primary]);
    double limit = now_ms() + PATIENCE_MS;
    int now_owner = primary;
    while ((now_owner == primary || now_owner < 0) && now_ms() < limit) {
        sleep_ms(20);
        now_owner = cluster_owner(&cluster, slot_of_load(0, 0));
    }
    CHECK(now_owner >= 0 && now_owner != primary, "a new primary");
    sleep_ms(1000);
    int failed;
    double worst_ms, slack;
    /* Replication is asynchronous: what the dead one acknowledged last may be gone with it. */
    int lost = load_end(load, &failed, &worst_ms, &slack);
    CHECK(lost <= lost_most(slack), "%d acknowledged writes are gone", lost);
    CHECK(failed <= WRITERS, "%d writes failed; only what was on its way to the dead primary may",
          failed);
    CHECK(worst_ms < 6000 + slack, "worst %.0f ms, slack %.0f ms", worst_ms, slack);
    host_restart(&cluster.hosts[primary]);
    CHECK(cluster_wait(&cluster, 3, 2 * PATIENCE_MS), "the cluster is whole again");
}

static void a_frozen_primary_is_left(void)
{
    struct load *load = load_begin("", 6000);
    sleep_ms(300);
    int primary = cluster_owner(&cluster, slot_of_load(1, 1));
    host_freeze(&cluster.hosts[primary]);
    double limit = now_ms() + PATIENCE_MS;
    int now_owner = primary;
    while (now_ms() < limit && (now_owner == primary || now_owner < 0)) {
        sleep_ms(50);
        pid_t pid = cluster.hosts[primary].pid;
        cluster.hosts[primary].pid = 0; /* do not ask the frozen one */
        now_owner = cluster_owner(&cluster, slot_of_load(1, 1));
        cluster.hosts[primary].pid = pid;
    }
    CHECK(now_owner >= 0 && now_owner != primary, "a new primary");
    sleep_ms(1500);
    host_thaw(&cluster.hosts[primary]);
    sleep_ms(1000);
    int failed;
    double worst_ms, slack;
    /* A frozen primary answers what it found in its buffers before it learns that it is none: lost,
     * though acknowledged. */
    int lost = load_end(load, &failed, &worst_ms, &slack);
    CHECK(lost <= lost_most(slack), "%d acknowledged writes are gone", lost);
    CHECK(failed <= WRITERS * 3, "%d writes failed", failed);
    CHECK(worst_ms < 6000 + slack, "worst %.0f ms, slack %.0f ms", worst_ms, slack);
    CHECK(cluster_wait(&cluster, 3, 2 * PATIENCE_MS), "the cluster is whole again");
}

static void a_shard_without_nodes_fails_alone(void)
{
    tendon_client *client = to_cluster("");
    int primary = cluster_owner(&cluster, 0);
    int replica = cluster_replica_of(&cluster, primary);
    char dead[32] = "", alive[32] = "";
    for (int i = 0; !*dead || !*alive; i++) {
        char key[32];
        int size = snprintf(key, sizeof key, "shard:%d", i);
        bool there =
            cluster_owner(&cluster, tendon_key_slot((tendon_bytes){key, (size_t)size})) == primary;
        snprintf(there ? dead : alive, sizeof dead, "%s", key);
    }
    expect_text(ask(client, "SET", dead, "x", NULL), "OK");
    expect_text(ask(client, "SET", alive, "x", NULL), "OK");
    host_kill(&cluster.hosts[replica]);
    host_kill(&cluster.hosts[primary]);
    for (int i = 0; i < 3; i++) {
        struct answer answer =
            ask_by(client, (struct manner){.timeout_ms = 1000}, "SET", dead, "y", NULL);
        expect_time(&answer, 0, 1000);
        CHECK(answer.status != TENDON_OK ? answer.fault.executed == TENDON_EXECUTED_NO
                                         : !strncmp(answer.text, "CLUSTERDOWN", 11),
              "%s %s", answer.text, answer.fault.message);
        forget(&answer);
        answer = ask_by(client, (struct manner){.timeout_ms = PATIENCE_MS}, "GET", alive, NULL);
        expect_time(&answer, 0, 100);
        expect_text(answer, "x");
        for (int j = 0; j < 10; j++)
            expect_text(ask_by(client, (struct manner){.timeout_ms = PATIENCE_MS}, "PING", NULL),
                        "PONG");
    }
    host_restart(&cluster.hosts[primary]);
    host_restart(&cluster.hosts[replica]);
    CHECK(cluster_wait(&cluster, 3, 2 * PATIENCE_MS), "the cluster is whole again");
    expect_text(ask(client, "SET", dead, "z", NULL), "OK");
    tendon_client_destroy(client);
}

int main(void)
{
    if (!servers_load())
        return 77;
    host_ports(15780);
    run_test("slots move under load", slots_move_under_load);
    run_test("CLUSTER FAILOVER under load", a_graceful_failover_is_not_noticed);
    run_test("kill -9 of a primary under load", a_killed_primary_is_replaced);
    run_test("a frozen primary under load", a_frozen_primary_is_left);
    run_test("a shard without nodes fails alone", a_shard_without_nodes_fails_alone);
    cluster_end(&cluster);
    return finish_tests();
}
