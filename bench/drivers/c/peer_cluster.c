/* libvalkey's cluster client; hiredis has none. */
#include "peer_driver.h"

#ifdef PEER_LIBVALKEY

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <valkey/cluster.h>

#include "peer_loop.h"
#include "trouble.h"

#define ADDRESS_BYTES 64

static const char *address_of(const struct job *job, char text[ADDRESS_BYTES])
{
    snprintf(text, ADDRESS_BYTES, "%s:%d", job->host, job->port);
    return text;
}

static valkeyClusterContext *dial_cluster(const struct job *job)
{
    char text[ADDRESS_BYTES];
    valkeyClusterContext *cluster = valkeyClusterConnect(address_of(job, text));
    if (!cluster || cluster->err)
        job_die("connect", cluster ? cluster->errstr : "no memory");
    return cluster;
}

static void blocking(const struct job *job, void *unused, struct tally *tally, uint32_t index)
{
    valkeyClusterContext *cluster = dial_cluster(job);
    (void)unused;
    (void)index;
    while (job_phase(tally) != PHASE_END) {
        uint32_t key = job_next_key(job, tally);
        bool write = job_writes(job, tally);
        struct words words = words_of(job, key, write);
        int64_t begin_ns = now_ns();
        peer_reply *reply = valkeyClusterCommandArgv(cluster, words.count, words.list, words.sizes);
        job_latency(tally, now_ns() - begin_ns);
        take(job, tally, key, write, reply);
        peer_free_reply(reply);
    }
    valkeyClusterFree(cluster);
}

static void append(const struct job *job, valkeyClusterContext *cluster, uint32_t key, bool write)
{
    struct words words = words_of(job, key, write);
    if (valkeyClusterAppendCommandArgv(cluster, words.count, words.list, words.sizes))
        job_die("append", cluster->errstr);
}

static void batches(const struct job *job, void *unused, struct tally *tally, uint32_t index)
{
    valkeyClusterContext *cluster = dial_cluster(job);
    (void)unused;
    (void)index;
    while (job_phase(tally) != PHASE_END) {
        uint32_t first = tally->turn % job->keys;
        bool write = job_writes(job, tally);
        int64_t begin_ns = now_ns();
        for (uint32_t i = 0; i < job->batch; i++)
            append(job, cluster, job_next_key(job, tally), write);
        for (uint32_t i = 0; i < job->batch; i++) {
            void *reply = NULL;
            if (valkeyClusterGetReply(cluster, &reply))
                job_die("get reply", cluster->errstr);
            take(job, tally, (first + i) % job->keys, write, reply);
            peer_free_reply(reply);
        }
        job_latency(tally, now_ns() - begin_ns);
    }
    valkeyClusterFree(cluster);
}

struct flights;

struct flight {
    struct flights *all;
    uint32_t place;
    uint32_t key;
    bool write;
    int64_t begin_ns; /* 0: not timed */
};

struct flights {
    const struct job *job;
    struct tally *tally;
    valkeyClusterAsyncContext *cluster;
    struct flight *flights;
    bool may_fail; /* failures are counted, and the caller waits */
    struct patience patience;
};

static const char *error_name(const valkeyClusterAsyncContext *cluster, const peer_reply *reply)
{
    static const struct {
        int number;
        const char *name;
    } names[] = {{VALKEY_ERR_IO, "IO"},
                 {VALKEY_ERR_EOF, "EOF"},
                 {VALKEY_ERR_PROTOCOL, "PROTOCOL"},
                 {VALKEY_ERR_OOM, "OOM"},
                 {VALKEY_ERR_TIMEOUT, "TIMEOUT"}};
    if (reply)
        return trouble_first_word(reply->str, reply->len);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].number == cluster->err)
            return names[i].name;
    return "OTHER";
}

static void failed(struct flight *flight, const peer_reply *reply)
{
    struct flights *all = flight->all;
    if (!all->may_fail)
        job_die("command", reply ? reply->str : all->cluster->errstr);
    trouble_note(all->tally, flight->begin_ns, now_ns(), error_name(all->cluster, reply));
    patience_add(&all->patience, flight->place);
}

static void launch(struct flight *flight);

static void landed(valkeyClusterAsyncContext *cluster, void *reply, void *data)
{
    struct flight *flight = data;
    struct flights *all = flight->all;
    const peer_reply *told = reply;
    (void)cluster;
    if (all->tally->phase == PHASE_END)
        return;
    if (!told || told->type == PEER_ERROR) {
        failed(flight, told);
        return;
    }
    take(all->job, all->tally, flight->key, flight->write, told);
    if (flight->begin_ns) {
        int64_t end_ns = now_ns();
        job_latency(all->tally, end_ns - flight->begin_ns);
        if (all->may_fail)
            trouble_note(all->tally, flight->begin_ns, end_ns, NULL);
    }
    launch(flight);
}

static void launch(struct flight *flight)
{
    struct flights *all = flight->all;
    flight->key = job_next_key(all->job, all->tally);
    flight->write = job_writes(all->job, all->tally);
    flight->begin_ns = all->may_fail || all->tally->turn % TIMED_EVERY == 0 ? now_ns() : 0;
    struct words words = words_of(all->job, flight->key, flight->write);
    if (valkeyClusterAsyncCommandArgv(all->cluster, landed, flight, words.count, words.list,
                                      words.sizes))
        failed(flight, NULL);
}

static void in_flight(const struct job *job, struct tally *tally, bool may_fail)
{
    char text[ADDRESS_BYTES];
    struct peer_loop *loop = peer_loop_create();
    valkeyClusterOptions options = {.initial_nodes = address_of(job, text),
                                    .options = VALKEY_OPT_BLOCKING_INITIAL_UPDATE,
                                    .attach_fn = peer_loop_attach,
                                    .attach_data = loop};
    struct flights all = {.job = job, .tally = tally, .may_fail = may_fail};
    all.flights = calloc(job->concurrency, sizeof *all.flights);
    all.cluster = valkeyClusterAsyncConnectWithOptions(&options);
    if (!loop || !all.flights || !all.cluster || all.cluster->err)
        job_die("connect", all.cluster ? all.cluster->errstr : "no memory");
    patience_init(&all.patience, job->concurrency);
    for (uint32_t i = 0; i < job->concurrency; i++) {
        all.flights[i] = (struct flight){.all = &all, .place = i};
        launch(&all.flights[i]);
    }
    while (job_phase(tally) != PHASE_END) {
        uint32_t place;
        peer_loop_turn(loop, patience_left_ms(&all.patience));
        while (patience_take(&all.patience, now_ns(), &place))
            launch(&all.flights[place]);
    }
    valkeyClusterAsyncFree(all.cluster); /* calls back for what is in flight */
    patience_deinit(&all.patience);
    peer_loop_destroy(loop);
    free(all.flights);
}

static void async(const struct job *job, void *unused, struct tally *tally, uint32_t index)
{
    (void)unused;
    (void)index;
    in_flight(job, tally, false);
}

static void failover(const struct job *job, void *unused, struct tally *tally, uint32_t index)
{
    (void)unused;
    (void)index;
    in_flight(job, tally, true);
}

job_work *cluster_work(const struct job *job)
{
    static const struct {
        const char *name;
        job_work *work;
    } modes[] = {{"blocking", blocking},
                 {"batch", batches},
                 {"async", async},
                 {"async-callbacks", async},
                 {"failover", failover}};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (!strcmp(modes[i].name, job->mode))
            return modes[i].work;
    return NULL;
}

#else

job_work *cluster_work(const struct job *job)
{
    (void)job;
    return NULL;
}

#endif
