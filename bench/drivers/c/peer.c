/*
 * hiredis or libvalkey (see peer.h) as their manuals show them: a connection per thread, batches by
 * append and get, and a window of commands in flight kept by hand. peer_async.c has their
 * callbacks, peer_connect.c connections and messages, peer_cluster.c clusters.
 */
#include "peer_driver.h"

#include <stdlib.h>
#include <string.h>

peer_tls *tls;

peer_context *dial(const struct job *job)
{
    peer_context *context =
        *job->socket ? peer_connect_unix(job->socket) : peer_connect(job->host, job->port);
    if (!context || context->err)
        job_die("connect", context ? context->errstr : "no memory");
    if (tls && peer_tls_begin(context, tls))
        job_die("TLS", context->errstr);
    return context;
}

struct words words_of(const struct job *job, uint32_t key, bool write)
{
    return (struct words){
        {write ? "SET" : "GET", job->key_text[key], (const char *)job->values + key},
        {3, KEY_BYTES, job->value_bytes},
        write ? 3 : 2};
}

void take(const struct job *job, struct tally *tally, uint32_t key, bool write,
          const peer_reply *reply)
{
    if (!reply)
        job_error(tally, "no reply");
    else if (write)
        job_stored(tally, reply->type == PEER_STATUS);
    else
        job_value(job, tally, key, reply->type == PEER_STRING ? reply->str : NULL, reply->len);
}

static void blocking(const struct job *job, void *unused, struct tally *tally, uint32_t index)
{
    peer_context *context = dial(job);
    (void)unused;
    (void)index;
    while (job_phase(tally) != PHASE_END) {
        uint32_t key = job_next_key(job, tally);
        bool write = job_writes(job, tally);
        struct words words = words_of(job, key, write);
        int64_t begin_ns = now_ns();
        peer_reply *reply = peer_command_argv(context, words.count, words.list, words.sizes);
        job_latency(tally, now_ns() - begin_ns);
        take(job, tally, key, write, reply);
        peer_free_reply(reply);
    }
    peer_free(context);
}

static void append(const struct job *job, peer_context *context, uint32_t key, bool write)
{
    struct words words = words_of(job, key, write);
    if (peer_append_argv(context, words.count, words.list, words.sizes))
        job_die("append", context->errstr);
}

static void read_one(const struct job *job, peer_context *context, struct tally *tally,
                     uint32_t key, bool write)
{
    void *reply = NULL;
    if (peer_get_reply(context, &reply))
        job_die("get reply", context->errstr);
    take(job, tally, key, write, reply);
    peer_free_reply(reply);
}

static void batches(const struct job *job, void *unused, struct tally *tally, uint32_t index)
{
    peer_context *context = dial(job);
    (void)unused;
    (void)index;
    while (job_phase(tally) != PHASE_END) {
        uint32_t first = tally->turn % job->keys;
        bool write = job_writes(job, tally);
        int64_t begin_ns = now_ns();
        for (uint32_t i = 0; i < job->batch; i++)
            append(job, context, job_next_key(job, tally), write);
        for (uint32_t i = 0; i < job->batch; i++)
            read_one(job, context, tally, (first + i) % job->keys, write);
        job_latency(tally, now_ns() - begin_ns);
    }
    peer_free(context);
}

static void mget(const struct job *job, void *unused, struct tally *tally, uint32_t index)
{
    peer_context *context = dial(job);
    const char **list = calloc(job->batch + 1, sizeof *list);
    size_t *sizes = calloc(job->batch + 1, sizeof *sizes);
    (void)unused;
    (void)index;
    list[0] = "MGET";
    sizes[0] = 4;
    while (job_phase(tally) != PHASE_END) {
        uint32_t first = tally->turn % job->keys;
        for (uint32_t i = 1; i <= job->batch; i++) {
            list[i] = job->key_text[job_next_key(job, tally)];
            sizes[i] = KEY_BYTES;
        }
        int64_t begin_ns = now_ns();
        peer_reply *reply = peer_command_argv(context, (int)job->batch + 1, list, sizes);
        job_latency(tally, now_ns() - begin_ns);
        if (!reply || reply->type != PEER_ARRAY || reply->elements != job->batch)
            job_error(tally, "MGET answered another number of values");
        for (uint32_t i = 0; reply && i < reply->elements; i++)
            take(job, tally, (first + i) % job->keys, false, reply->element[i]);
        peer_free_reply(reply);
    }
    free(list);
    free(sizes);
    peer_free(context);
}

static void hash(const struct job *job, void *unused, struct tally *tally, uint32_t index)
{
    peer_context *context = dial(job);
    char name[HASH_BYTES + 1];
    const char *list[] = {"HGETALL", name};
    const size_t sizes[] = {7, HASH_BYTES};
    (void)unused;
    (void)index;
    while (job_phase(tally) != PHASE_END) {
        uint32_t which = tally->turn++ % HASHES;
        job_hash_text(which, name);
        int64_t begin_ns = now_ns();
        peer_reply *reply = peer_command_argv(context, 2, list, sizes);
        job_latency(tally, now_ns() - begin_ns);
        if (!reply || reply->type != PEER_ARRAY || reply->elements != 2 * (size_t)job->batch)
            job_error(tally, "HGETALL answered another number of fields");
        for (uint32_t i = 0; reply && i + 1 < reply->elements; i += 2) {
            const peer_reply *field = reply->element[i], *value = reply->element[i + 1];
            job_field(job, tally, which, field->str, field->len, value->str, value->len);
        }
        peer_free_reply(reply);
    }
    peer_free(context);
}

struct flight {
    uint32_t key;
    bool write;
    int64_t begin_ns; /* 0: not timed */
};

static void launch(const struct job *job, peer_context *context, struct tally *tally,
                   struct flight *flight)
{
    flight->key = job_next_key(job, tally);
    flight->write = job_writes(job, tally);
    flight->begin_ns = tally->turn % TIMED_EVERY ? 0 : now_ns();
    append(job, context, flight->key, flight->write);
}

/* The library writes what was appended when no complete reply is left in its buffer, so commands
 * gather by themselves. */
static void in_flight(const struct job *job, void *unused, struct tally *tally, uint32_t index)
{
    peer_context *context = dial(job);
    struct flight *flights = calloc(job->concurrency, sizeof *flights);
    (void)unused;
    (void)index;
    for (uint32_t i = 0; i < job->concurrency; i++)
        launch(job, context, tally, &flights[i]);
    for (uint32_t at = 0; at % 16 || job_phase(tally) != PHASE_END; at++) {
        struct flight *flight = &flights[at % job->concurrency];
        read_one(job, context, tally, flight->key, flight->write);
        if (flight->begin_ns)
            job_latency(tally, now_ns() - flight->begin_ns);
        launch(job, context, tally, flight);
    }
    free(flights);
    peer_free(context);
}

static job_work *work_of(const struct job *job, bool *out_threads)
{
    static const struct {
        const char *name;
        job_work *work;
    } modes[] = {
        {"blocking", blocking},    {"mget", mget},          {"hash", hash},
        {"batch", batches},        {"async", in_flight},    {"async-callbacks", async_callbacks},
        {"connect", connect_anew}, {"subscribe", subscribe}};
    *out_threads = !strcmp(job->mode, "blocking");
    if (job->cluster)
        return cluster_work(job);
    if (job->resumes)
        return connect_again;
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (!strcmp(modes[i].name, job->mode))
            return modes[i].work;
    return NULL;
}

int main(int argc, char **argv)
{
    struct job job;
    bool threads;
    job_read(&job, argc, argv);
    if (*job.ca) {
        peer_tls_init();
        tls = peer_tls_create(job.ca, NULL);
        if (!tls)
            job_die("TLS", "cannot use the CA file");
    }
    job_work *work = work_of(&job, &threads);
    if (!work)
        job_refuse(&job);
    return job_run(&job, work, NULL, threads ? job.concurrency : 1, PEER_NAME, PEER_VERSION);
}
