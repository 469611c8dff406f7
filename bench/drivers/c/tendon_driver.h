/* What the parts of the tendon driver share. */
#ifndef TENDON_BENCH_TENDON_DRIVER_H
#define TENDON_BENCH_TENDON_DRIVER_H

#include <tendon/tendon.h>

#include "job.h"

#define POLL_MAX 1024

_Noreturn void die(const char *what, tendon_error *error);

/* A client of the job's server with the default options. */
tendon_client *make_client(const struct job *job);

/* One command with its arguments; `args` must stay where it is until the command is handed over. */
void fill(const struct job *job, tendon_request *request, tendon_bytes *args, uint32_t key,
          bool write);
/* Counts and checks its reply. */
void take(const struct job *job, struct tally *tally, uint32_t key, bool write,
          const tendon_node *node, const uint8_t *data);

job_work async, async_single, async_host, failover; /* tendon_flight.c */
job_work connect_anew, connect_again, subscribe;    /* tendon_connect.c */

#endif
