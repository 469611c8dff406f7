/* Callers that wait for the outcome of one or more requests. Each lives on its caller's stack. */
#ifndef TENDON_CLIENT_WAIT_H
#define TENDON_CLIENT_WAIT_H

#include <stdatomic.h>

#include "client/engine.h"

#define TENDON__ROOM_WORDS 8u
#define TENDON__ROOM_SEATS 32u /* callers on one word: bits of a futex wake */

/*
 * Where a crowd of callers sleeps: thirty-two share a word, and those of them whose outcomes a turn
 * has brought are woken by one system call instead of one for each.
 */
struct tendon__room {
    atomic_uint words[TENDON__ROOM_WORDS];
    atomic_uint arrivals;
    /* For the holder of the token: seats to be woken, and whether there are any. */
    uint32_t due[TENDON__ROOM_WORDS];
    bool any_due;
};

struct tendon__wait {
    struct tendon__sink sink;
    atomic_uint word;          /* twice the outcomes that remain, plus 1 when the caller sleeps */
    struct tendon__room *room; /* where it sleeps; NULL: on its own word */
    uint32_t seat;
};

/* May be repeated with another count before the requests are handed over. */
void tendon__wait_init(struct tendon__wait *wait, uint32_t count);
/* Will sleep among others; before the requests are handed over. */
void tendon__wait_join(struct tendon__wait *wait, struct tendon__room *room);
/* Blocks until nothing remains. */
void tendon__wait_sleep(struct tendon__wait *wait);
/* Wakes those who are due. */
void tendon__room_wake(struct tendon__room *room);
/* True once every outcome is there and nobody else will touch the struct again. Outcomes come by
 * tendon__engine_tell. */
static inline bool tendon__wait_is_over(const struct tendon__wait *wait)
{
    return atomic_load_explicit(&wait->word, memory_order_acquire) == 0;
}

#endif
