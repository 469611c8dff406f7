/* A caller that waits for outcomes. The last completion is the last thing that touches the struct.
 */
#include "client/wait.h"

static void complete(struct tendon__sink *sink, struct tendon__request *request)
{
    struct tendon__wait *wait = TENDON__OWNER(sink, struct tendon__wait, sink);
    (void)request; /* the caller holds it and reads it afterwards */
    pthread_mutex_lock(&wait->lock);
    if (atomic_fetch_sub(&wait->remaining, 1) == 1 && wait->sleeps)
        pthread_cond_signal(&wait->done);
    pthread_mutex_unlock(&wait->lock);
}

void tendon__wait_init(struct tendon__wait *wait, uint32_t count)
{
    wait->sink.complete = complete;
    wait->sleeps = false;
    atomic_init(&wait->remaining, count);
    pthread_mutex_init(&wait->lock, NULL);
    pthread_cond_init(&wait->done, NULL);
}

void tendon__wait_deinit(struct tendon__wait *wait)
{
    /* The completing thread may still be about to unlock. */
    pthread_mutex_lock(&wait->lock);
    pthread_mutex_unlock(&wait->lock);
    pthread_cond_destroy(&wait->done);
    pthread_mutex_destroy(&wait->lock);
}

void tendon__wait_sleep(struct tendon__wait *wait)
{
    pthread_mutex_lock(&wait->lock);
    wait->sleeps = true;
    while (atomic_load(&wait->remaining))
        pthread_cond_wait(&wait->done, &wait->lock);
    pthread_mutex_unlock(&wait->lock);
}
