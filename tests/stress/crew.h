/* What the thread programs share: a crew of threads that work until told to stop, and a watchdog
 * that makes a hang a failure with a stack of every thread of the program. */
#ifndef STRESS_CREW_H
#define STRESS_CREW_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "support/check.h"

#define CREW_MAX 96
/* Deadlines that only something that hangs misses, however loaded the machine is. */
#define PATIENT     "connect_timeout_ms=20000 command_timeout_ms=20000"
#define PATIENT_URL "connect_timeout_ms=20000&command_timeout_ms=20000"

struct crew {
    pthread_t threads[CREW_MAX];
    unsigned count;
    bool stop;    /* atomic */
    int failures; /* atomic */
};

/* The program is aborted unless it ends, or comes here again, within `seconds`. `doing` names what
 * hung. */
void watch_over(double seconds, const char *doing);

/* Begins `count` threads of one job. False, after a failed CHECK, when the system refuses. */
bool crew_add(struct crew *crew, unsigned count, void *(*job)(void *), void *context);
void crew_stop(struct crew *crew);
void crew_join(struct crew *crew);
bool crew_stopping(struct crew *crew);

/* Counts a failure and tells of the first few. */
void crew_failed(struct crew *crew, const char *what, const struct answer *answer);
/* What may happen to a request while others disconnect, cancel and close; takes the answer. */
void crew_judge(struct crew *crew, const char *what, struct answer *answer, const char *wanted);

/* A small number of its own for each call; any thread. */
unsigned some_number(void);
/* Submits words with a tag. */
tendon_status submit_words(tendon_client *client, tendon_queue *queue, tendon_lease *lease,
                           uint64_t tag, int64_t timeout_ms, uint64_t *out_id, const char *a,
                           const char *b, const char *c);
/* Collects up to 32 completions; returns those of requests. Judges a reply by its text. */
unsigned collect(struct crew *crew, tendon_queue *queue, int64_t timeout_ms, const char *wanted);

#endif
