/* A caller that waits for the outcome of one or more requests. Lives on its stack. */
#ifndef TENDON_CLIENT_WAIT_H
#define TENDON_CLIENT_WAIT_H

#include <pthread.h>
#include <stdatomic.h>

#include "client/engine.h"

struct tendon__wait {
    struct tendon__sink sink;
    atomic_uint remaining;
    bool sleeps; /* under lock: the caller is in the condition */
    pthread_mutex_t lock;
    pthread_cond_t done;
};

void tendon__wait_init(struct tendon__wait *wait, uint32_t count);
void tendon__wait_deinit(struct tendon__wait *wait);
/* Blocks until nothing remains. */
void tendon__wait_sleep(struct tendon__wait *wait);

#endif
