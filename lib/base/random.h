/* Small random numbers for jitter and choice: xorshift with a seed, never for secrets. */
#ifndef TENDON_BASE_RANDOM_H
#define TENDON_BASE_RANDOM_H

#include <stdint.h>

struct tendon__random {
    uint64_t state; /* never 0 */
};

void tendon__random_init(struct tendon__random *random, uint64_t seed);
uint64_t tendon__random_next(struct tendon__random *random);
/* Uniform in [0, bound); 0 when bound is 0. */
uint64_t tendon__random_below(struct tendon__random *random, uint64_t bound);

#endif
