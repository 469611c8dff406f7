/*
 * What every C driver shares: the job it was given, the clock, latencies, the checks of what came
 * back, and the one line it answers with. bench/README.md describes the words of a job.
 */
#ifndef TENDON_BENCH_JOB_H
#define TENDON_BENCH_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEY_BYTES 16 /* "key:000000000042" */
/* One reply in so many is compared byte for byte; of all others the length. */
#define CONTENT_EVERY 1000

struct job {
    const char *host;
    int port;
    const char *socket; /* path of a Unix socket; empty: TCP */
    const char *ca;     /* file with the CA; empty: no TLS */
    bool cluster;       /* host and port are of one of its nodes */
    bool resumes;       /* TLS sessions, in mode connect */
    const char *mode;
    const char *op; /* get, set, mixed (one SET to four GETs), mget */
    uint32_t value_bytes;
    uint32_t concurrency;
    uint32_t batch;
    uint32_t keys;
    double warmup;
    double seconds;
    const uint8_t *values; /* value of key i begins at values[i] */
    char (*key_text)[KEY_BYTES];
};

/* Counts of nanoseconds, 64 steps to each power of two up to some minutes. */
#define HISTOGRAM_SIZE (34 * 64)

/* What one thread has done since the warm-up ended. */
struct tally {
    uint64_t ops;
    uint64_t errors;
    uint32_t turn; /* which key is next, which content is checked */
    uint32_t phase;
    uint32_t latency[HISTOGRAM_SIZE];
    char complaint[120]; /* the first error */
};

enum phase { PHASE_WARM_UP, PHASE_MEASURE, PHASE_END };

void job_read(struct job *job, int argc, char **argv);
int64_t now_ns(void);

/* When counting began. */
int64_t job_begin_ns(void);

/* The phase it is now. A driver asks once per round and passes its tally: counting starts at zero
 * with PHASE_MEASURE. */
enum phase job_phase(struct tally *tally);

/* Runs `work` in `count` threads, one alone in this thread, until job_phase says PHASE_END. Each
 * gets a tally of its own. Prints the answer and returns the exit code. */
typedef void job_work(const struct job *job, void *context, struct tally *tally, uint32_t index);
int job_run(const struct job *job, job_work *work, void *context, uint32_t count,
            const char *client, const char *version);

/* The name of a hash, KEY_BYTES and one more. */
#define HASHES     10
#define HASH_BYTES 17
void job_hash_text(uint32_t hash, char text[HASH_BYTES + 1]);

/* The key of the next operation, and whether it is a write. */
uint32_t job_next_key(const struct job *job, struct tally *tally);
bool job_writes(const struct job *job, const struct tally *tally);

/* Counts one reply: `data` is NULL when it was no string. */
void job_value(const struct job *job, struct tally *tally, uint32_t key, const void *data,
               size_t size);
/* One pair of HGETALL: whichever field of the hash `hash` it is. */
void job_field(const struct job *job, struct tally *tally, uint32_t hash, const char *field,
               size_t field_size, const void *data, size_t size);
void job_stored(struct tally *tally, bool ok);
void job_error(struct tally *tally, const char *text);
void job_latency(struct tally *tally, int64_t ns);

/* Ends the driver with exit code 3 and a reason the runner shows. */
void job_die(const char *what, const char *why) __attribute__((noreturn));
/* Says that this driver has no such mode: exit code 4. */
void job_refuse(const struct job *job) __attribute__((noreturn));

#endif
