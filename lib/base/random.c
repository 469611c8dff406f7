/* Small random numbers for jitter and choice (xorshift64*, after splitmix64 of the seed). */
#include "base/random.h"

void tendon__random_init(struct tendon__random *random, uint64_t seed)
{
    seed += 0x9e3779b97f4a7c15u;
    seed = (seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9u;
    seed = (seed ^ (seed >> 27)) * 0x94d049bb133111ebu;
    random->state = (seed ^ (seed >> 31)) | 1;
}

uint64_t tendon__random_next(struct tendon__random *random)
{
    uint64_t x = random->state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    random->state = x;
    return x * 0x2545f4914f6cdd1du;
}

uint64_t tendon__random_below(struct tendon__random *random, uint64_t bound)
{
    return bound ? tendon__random_next(random) % bound : 0;
}
