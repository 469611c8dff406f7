/*
 * A caller that waits for outcomes: one word it sleeps on. Whoever takes the last outcome off the
 * word touches nothing of the struct any more, for it is gone as soon as its caller looks; the wake
 * that may follow names the address only, and a sleeper that is woken for nothing sleeps on.
 */
#include "client/wait.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SLEEPS  1u
#define OUTCOME 2u

/* The requests are their callers' as soon as the word says so. */
static void complete_all(struct tendon__sink *sink, struct tendon__link *items, uint32_t count)
{
    struct tendon__wait *wait = TENDON__OWNER(sink, struct tendon__wait, sink);
    atomic_uint *word = &wait->word;
    (void)items;
    if (atomic_fetch_sub(word, count * OUTCOME) == count * OUTCOME + SLEEPS)
        (void)syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

void tendon__wait_init(struct tendon__wait *wait, uint32_t count)
{
    wait->sink = (struct tendon__sink){.complete_all = complete_all};
    atomic_init(&wait->word, count * OUTCOME);
}

void tendon__wait_sleep(struct tendon__wait *wait)
{
    unsigned word = atomic_fetch_or(&wait->word, SLEEPS) | SLEEPS;
    while (word != SLEEPS) {
        (void)syscall(SYS_futex, &wait->word, FUTEX_WAIT_PRIVATE, word, NULL, NULL, 0);
        word = atomic_load(&wait->word);
    }
    atomic_store(&wait->word, 0);
}
