/*
 * When to ask for the cluster map again: one at a time, at once after a quiet time, then no more
 * often than the gap, with one follow-up for triggers that came meanwhile, and periodically with
 * jitter. While commands wait for a primary that is gone, a shorter gap holds for a bounded number
 * of times. Sans-IO.
 */
#ifndef TENDON_CLUSTER_REFRESH_H
#define TENDON_CLUSTER_REFRESH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/random.h"

struct tendon__refresh {
    int64_t interval_ns; /* 0: never by time */
    int64_t gap_ns;
    int64_t last_ns;   /* end of the last one; INT64_MIN if none */
    int64_t due_ns;    /* when the next should start; INT64_MAX if never */
    int64_t ready_ns;  /* none starts before: the end of the last one plus gap and backoff */
    int64_t urgent_ns; /* the same for one that is urgent, and never later */
    int64_t rested_ns; /* from here on urgent ones are as many as at first */
    bool running;
    bool again;        /* triggered while running */
    bool again_urgent; /* and somebody waits for a primary */
    uint32_t hurried;  /* urgent ones since the last quiet time */
    uint32_t failures; /* in a row: backoff doubles the gap up to 16 times */
    struct tendon__random random;
};

void tendon__refresh_init(struct tendon__refresh *refresh, int64_t interval_ns, int64_t gap_ns,
                          uint64_t seed, int64_t now_ns);
/* Something says the map is stale. */
void tendon__refresh_trigger(struct tendon__refresh *refresh, int64_t now_ns);
/* Something says the map is stale, and commands wait for a primary that is gone: a failover takes a
 * second or two, and who asks every gap learns of its end up to a gap too late. */
void tendon__refresh_urge(struct tendon__refresh *refresh, int64_t now_ns);
/* True when one should start now; the caller must then end it with done, whatever happens. */
bool tendon__refresh_begin(struct tendon__refresh *refresh, int64_t now_ns);
void tendon__refresh_done(struct tendon__refresh *refresh, bool succeeded, int64_t now_ns);
/* When begin is worth calling. */
int64_t tendon__refresh_deadline(const struct tendon__refresh *refresh);

#endif
