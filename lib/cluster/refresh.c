/* When to ask for the cluster map again. Knows only times; who is asked, and how, is the engine's.
 */
#include "cluster/refresh.h"

/* 16 times the gap: long enough to spare a sick cluster, short enough to see it heal. */
#define BACKOFF_SHIFT_MAX 4
/* A gap of 0 must not turn a failing refresh into a busy loop. */
#define FAILED_GAP_NS_MIN INT64_C(100000000)

static int64_t add(int64_t a, int64_t b)
{
    return a > INT64_MAX - b ? INT64_MAX : a + b;
}

/* A random time from 80 % to 120 % of the interval, so that a fleet started together does not ask
 * together. */
static int64_t periodic(struct tendon__refresh *refresh, int64_t now_ns)
{
    if (refresh->interval_ns == 0)
        return INT64_MAX;
    int64_t fifth = refresh->interval_ns / 5;
    int64_t spread = (int64_t)tendon__random_below(&refresh->random, (uint64_t)fifth * 2 + 1);
    return add(now_ns, refresh->interval_ns - fifth + spread);
}

/* Before this time no refresh starts, whatever asks for one. */
static int64_t earliest(struct tendon__refresh *refresh, int64_t now_ns)
{
    if (refresh->failures == 0)
        return add(now_ns, refresh->gap_ns);
    int64_t gap_ns = refresh->gap_ns > FAILED_GAP_NS_MIN ? refresh->gap_ns : FAILED_GAP_NS_MIN;
    uint32_t shift = refresh->failures < BACKOFF_SHIFT_MAX ? refresh->failures : BACKOFF_SHIFT_MAX;
    if (gap_ns > INT64_MAX >> (BACKOFF_SHIFT_MAX + 1))
        return INT64_MAX;
    /* The jitter only lengthens: the gap is a promise. */
    int64_t wait_ns = gap_ns << shift;
    return add(now_ns, wait_ns + (int64_t)tendon__random_below(&refresh->random,
                                                               (uint64_t)wait_ns / 4 + 1));
}

void tendon__refresh_init(struct tendon__refresh *refresh, int64_t interval_ns, int64_t gap_ns,
                          uint64_t seed, int64_t now_ns)
{
    *refresh = (struct tendon__refresh){
        .interval_ns = interval_ns > 0 ? interval_ns : 0,
        .gap_ns = gap_ns > 0 ? gap_ns : 0,
        .last_ns = INT64_MIN,
        .ready_ns = INT64_MIN,
    };
    tendon__random_init(&refresh->random, seed);
    refresh->due_ns = periodic(refresh, now_ns);
}

void tendon__refresh_trigger(struct tendon__refresh *refresh, int64_t now_ns)
{
    if (refresh->running) {
        /* What triggered may be newer than the answer under way: one more afterwards, however many
         * ask. */
        refresh->again = true;
        return;
    }
    int64_t start_ns = now_ns > refresh->ready_ns ? now_ns : refresh->ready_ns;
    if (start_ns < refresh->due_ns)
        refresh->due_ns = start_ns;
}

bool tendon__refresh_begin(struct tendon__refresh *refresh, int64_t now_ns)
{
    if (refresh->running || now_ns < refresh->due_ns)
        return false;
    refresh->running = true;
    refresh->again = false;
    return true;
}

void tendon__refresh_done(struct tendon__refresh *refresh, bool succeeded, int64_t now_ns)
{
    if (!refresh->running)
        return;
    refresh->running = false;
    refresh->last_ns = now_ns;
    if (succeeded)
        refresh->failures = 0;
    else if (refresh->failures < UINT32_MAX)
        refresh->failures++;
    refresh->ready_ns = earliest(refresh, now_ns);
    refresh->due_ns = periodic(refresh, now_ns);
    /* A failure leaves unanswered whatever asked for the map, so it asks again by itself. */
    if (refresh->again || !succeeded || refresh->due_ns < refresh->ready_ns)
        refresh->due_ns = refresh->ready_ns;
    refresh->again = false;
}

int64_t tendon__refresh_deadline(const struct tendon__refresh *refresh)
{
    return refresh->running ? INT64_MAX : refresh->due_ns;
}
