/* Deadlines in a binary heap whose entries live in their owners. Times are monotonic nanoseconds.
 */
#ifndef TENDON_BASE_TIMERS_H
#define TENDON_BASE_TIMERS_H

#include <stddef.h>
#include <stdint.h>

#include <tendon/status.h>

#include "base/memory.h"

#define TENDON__NO_TIME INT64_MAX

struct tendon__timer {
    int64_t when_ns;
    size_t place;  /* 1-based position in the heap; 0 when not set */
    uint32_t kind; /* the owner's, to know what it is a member of */
};

struct tendon__timers {
    struct tendon__memory *memory;
    struct tendon__timer **heap;
    size_t count;
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
