/* A caller that waits for the outcome of one or more requests. Lives on its stack. */
#ifndef TENDON_CLIENT_WAIT_H
#define TENDON_CLIENT_WAIT_H

#include <stdatomic.h>

#include "client/engine.h"

struct tendon__wait {
    struct tendon__sink sink;
    atomic_uint word; /* twice the outcomes that remain, plus 1 when the caller sleeps */
};

/* May be repeated with another count before the requests are handed over. */
void tendon__wait_init(struct tendon__wait *wait, uint32_t count);
/* Blocks until nothing remains. */
void tendon__wait_sleep(struct tendon__wait *wait);
/* True once every outcome is there and nobody else will touch the struct again. Outcomes come by
 * tendon__engine_tell. */
static inline bool tendon__wait_is_over(const struct tendon__wait *wait)
{
    return atomic_load_explicit(&wait->word, memory_order_acquire) == 0;
}

#endif
