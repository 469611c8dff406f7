/* What the parts of the driver of hiredis and libvalkey share. */
#ifndef TENDON_BENCH_PEER_DRIVER_H
#define TENDON_BENCH_PEER_DRIVER_H

#include "job.h"
#include "peer.h"

#define TIMED_EVERY 16 /* as the tendon driver does */

/* The arguments of one command; the memory stays the job's. */
struct words {
    const char *list[3];
    size_t sizes[3];
    int count;
};

struct words words_of(const struct job *job, uint32_t key, bool write);
/* Counts and checks its reply, which may be NULL. */
void take(const struct job *job, struct tally *tally, uint32_t key, bool write,
          const peer_reply *reply);

/* What the library needs for TLS, made once as its manual says; NULL without. */
extern peer_tls *tls;
/* A connection to the job's server, with TLS and all. */
peer_context *dial(const struct job *job);

job_work connect_anew, connect_again, subscribe; /* peer_connect.c */
job_work async_callbacks;                        /* peer_async.c */
/* peer_cluster.c: the work of the job's mode in a cluster, NULL if there is none. */
job_work *cluster_work(const struct job *job);

#endif
