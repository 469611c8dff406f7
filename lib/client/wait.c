/* A caller that waits for outcomes. Unless it sleeps, the count of the last outcome is the last
 * thing that touches the struct. */
#include "client/wait.h"

#define SLEEPS  1u
#define OUTCOME 2u

static void complete(struct tendon__sink *sink, struct tendon__request *request)
{
    struct tendon__wait *wait = TENDON__OWNER(sink, struct tendon__wait, sink);
    (void)request; /* the caller holds it and reads it afterwards */
    if (atomic_fetch_sub(&wait->word, OUTCOME) != (OUTCOME | SLEEPS))
        return;
    pthread_mutex_lock(&wait->lock);
    wait->woken = true;
    pthread_cond_signal(&wait->done);
    pthread_mutex_unlock(&wait->lock);
}

void tendon__wait_init(struct tendon__wait *wait, uint32_t count)
{
    wait->sink = (struct tendon__sink){.complete = complete};
    atomic_init(&wait->word, (unsigned long long)count * OUTCOME);
}

void tendon__wait_sleep(struct tendon__wait *wait)
{
    wait->woken = false;
    pthread_mutex_init(&wait->lock, NULL);
    pthread_cond_init(&wait->done, NULL);
    if (atomic_fetch_or(&wait->word, SLEEPS) != 0) {
        pthread_mutex_lock(&wait->lock);
        while (!wait->woken)
            pthread_cond_wait(&wait->done, &wait->lock);
        pthread_mutex_unlock(&wait->lock);
    }
    pthread_cond_destroy(&wait->done);
    pthread_mutex_destroy(&wait->lock);
}
