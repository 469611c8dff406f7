/*
 * Deadlines whose entries live in their owners. Times are monotonic nanoseconds.
 *
 * Timers of which there are many are mostly set in the order in which they will be due, because
 * most calls have the same timeout: those stand in runs, lists that are sorted because each new
 * entry is not before the last. All others, and what fits no run, stand in a binary heap.
 */
#ifndef TENDON_BASE_TIMERS_H
#define TENDON_BASE_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tendon/status.h>

#include "base/list.h"
#include "base/memory.h"

#define TENDON__NO_TIME    INT64_MAX
#define TENDON__TIMER_RUNS 4u /* different timeouts in use at the same time that cost no search */

struct tendon__timer {
    struct tendon__link run; /* linked while in a run */
    int64_t when_ns;
    uint32_t place;      /* 1-based position in the heap; 0 when not there */
    uint16_t kind;       /* the owner's, to know what it is a member of */
    bool is_one_of_many; /* the owner's choice: may stand in a run */
};

struct tendon__timers {
    struct tendon__memory *memory;
    struct tendon__link runs[TENDON__TIMER_RUNS];
    uint32_t last_run; /* the run that was added to last */
    struct tendon__timer **heap;
    size_t count; /* in the heap */
    size_t room;
};

void tendon__timers_init(struct tendon__timers *timers, struct tendon__memory *memory);
void tendon__timers_deinit(struct tendon__timers *timers);
/* Makes room for one more timer, so that set cannot fail for it. TENDON_OK or _NO_MEMORY. */
int tendon__timers_reserve(struct tendon__timers *timers, size_t count);
/* Sets or moves; TENDON__NO_TIME unsets. Room must have been reserved for every timer that can be
 * set. */
void tendon__timer_set(struct tendon__timers *timers, struct tendon__timer *timer, int64_t when_ns);
/* The earliest timer, NULL when none is set. */
struct tendon__timer *tendon__timers_first(const struct tendon__timers *timers);

#endif
