/* hiredis' and libvalkey's asynchronous calls: a callback for each command that is in flight. */
#include <stdlib.h>

#include "peer_driver.h"
#include "peer_loop.h"

struct flights;

struct flight {
    struct flights *all;
    uint32_t key;
    bool write;
    int64_t begin_ns; /* 0: not timed */
};

struct flights {
    const struct job *job;
    struct tally *tally;
    peer_async *connection;
};

static void launch(struct flight *flight);

static void landed(peer_async *connection, void *reply, void *data)
{
    struct flight *flight = data;
    struct flights *all = flight->all;
    if (!reply)
        job_die("callback", connection->errstr);
    take(all->job, all->tally, flight->key, flight->write, reply);
    if (flight->begin_ns)
        job_latency(all->tally, now_ns() - flight->begin_ns);
    launch(flight);
}

static void launch(struct flight *flight)
{
    const struct flights *all = flight->all;
    flight->key = job_next_key(all->job, all->tally);
    flight->write = job_writes(all->job, all->tally);
    flight->begin_ns = all->tally->turn % TIMED_EVERY ? 0 : now_ns();
    struct words words = words_of(all->job, flight->key, flight->write);
    if (peer_async_argv(all->connection, landed, flight, words.count, words.list, words.sizes))
        job_die("command", all->connection->errstr);
}

static peer_async *dial_async(const struct job *job, struct peer_loop *loop)
{
    peer_async *connection =
        *job->socket ? peer_async_unix(job->socket) : peer_async_connect(job->host, job->port);
    if (!connection || connection->err)
        job_die("connect", connection ? connection->errstr : "no memory");
    if (tls && peer_tls_begin(&connection->c, tls))
        job_die("TLS", connection->c.errstr);
    if (peer_loop_attach(connection, loop))
        job_die("connect", "cannot be watched");
    return connection;
}

/* Ends with the process: callbacks would be called for what is still in flight. */
void async_callbacks(const struct job *job, void *unused, struct tally *tally, uint32_t index)
{
    struct peer_loop *loop = peer_loop_create();
    struct flight *flights = calloc(job->concurrency, sizeof *flights);
    (void)unused;
    (void)index;
    if (!loop || !flights)
        job_die("memory", "none left");
    struct flights all = {job, tally, dial_async(job, loop)};
    for (uint32_t i = 0; i < job->concurrency; i++) {
        flights[i].all = &all;
        launch(&flights[i]);
    }
    while (job_phase(tally) != PHASE_END)
        peer_loop_turn(loop, -1);
}
