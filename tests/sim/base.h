/* Time, chance, coverage and the trace of the simulated world; what every other part of it uses. */
#ifndef TENDON_TEST_SIM_BASE_H
#define TENDON_TEST_SIM_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_SERVERS   10
#define SIM_TAGS      6
#define SIM_TYPES     4 /* of keys: two strings, a counter, a list */
#define SIM_KEYS      (SIM_TAGS * SIM_TYPES)
#define SIM_NO_KEY    255
#define SIM_NOBODY    255 /* owner of a slot, primary of a replica */
#define SIM_BUNDLED   16  /* commands of one bundle */
#define SIM_QUEUED    12  /* commands of one MULTI */
#define SIM_ARGS      16
#define SIM_REPLIES   8 /* of one command, over its attempts; the oldest are forgotten */
#define SIM_ADDRESSES 4 /* of one name */
#define SIM_CALLERS   8
#define SIM_LISTENERS 3
#define SIM_SHOWN     160
#define SIM_MS        INT64_C(1000000)
#define SIM_NEVER     INT64_MAX
#define SIM_DIALS_PER_SECOND                                                                       \
    300 /* of one node: successful ones follow losses and bursts of leases */
#define SIM_TICK_NS                                                                                \
    (2 * SIM_MS) /* what an outcome may be late: the driver wakes by milliseconds                  \
                  */

struct sim;
typedef void sim_action(struct sim *sim, uint32_t a, uint32_t b);

/* ---- event.c: time, chance and bytes ---- */

struct sim_event {
    int64_t when_ns;
    uint64_t order;
    sim_action *action;
    uint32_t a;
    uint32_t b;
};

struct sim_bytes {
    char *data;
    size_t size;
    size_t room;
};

void sim_later(struct sim *sim, int64_t when_ns, sim_action *action, uint32_t a, uint32_t b);
/* Runs what is due first and returns true; false when nothing is due by `until_ns`. */
bool sim_next_event(struct sim *sim, int64_t until_ns);
int64_t sim_event_time(const struct sim *sim);
uint32_t sim_below(struct sim *sim, uint32_t bound);
bool sim_chance(struct sim *sim, uint32_t percent);
/* Mostly near `low`, seldom near `high`. */
int64_t sim_between(struct sim *sim, int64_t low, int64_t high);
void *sim_grow(void *list, uint32_t count, uint32_t *room, size_t size);
void sim_bytes_add(struct sim_bytes *bytes, const void *data, size_t size);
void sim_bytes_cut(struct sim_bytes *bytes, size_t size);
void sim_bytes_free(struct sim_bytes *bytes);
uint64_t sim_hash(uint64_t hash, const void *data, size_t size);

/* ---- coverage: what happened, so that a simulation that stops covering is noticed ---- */

enum sim_cover {
#define SIM_COVER(name) SIM_COVER_##name,
#include "coverage.def"
#undef SIM_COVER
    SIM_COVERS
};

/* ---- trace.c ---- */

#define SIM_TRACE_LINES 120

#define SIM_TRACE(sim, ...)                                                                        \
    do {                                                                                           \
        if ((sim)->tracing)                                                                        \
            sim_trace(sim, __VA_ARGS__);                                                           \
    } while (0)

void sim_trace(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* An invariant does not hold: remembers the sentence and leaves the world. */
void sim_fail(struct sim *sim, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));
void sim_trace_show(const struct sim *sim);
void sim_cover(struct sim *sim, enum sim_cover what);
const char *sim_cover_name(uint32_t what);

#endif
