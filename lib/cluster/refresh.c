/* When to ask for the cluster map again. Knows only times; who is asked, and how, is the engine's.
 */
#include "cluster/refresh.h"

/* 16 times the gap: long enough to spare a sick cluster, short enough to see it heal. */
#define BACKOFF_SHIFT_MAX 4
/* A gap of 0 must not turn a failing refresh into a busy loop. */
#define FAILED_GAP_NS_MIN INT64_C(100000000)

/* Short beside a failover, long beside the answer of a node: the servers' own heartbeat is 100 ms.
 */
#define URGENT_GAP_NS INT64_C(150000000)
/* As many urgent ones last for about five seconds, within which a cluster promotes a replica or
 * does not for long. Then the gap holds again, until a quiet time of RESTED gaps. */
#define URGENT_MAX 32
#define RESTED     16

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

/* Before this time no refresh starts, whatever asks for one with this gap. */
static int64_t earliest(struct tendon__refresh *refresh, int64_t gap_ns, int64_t now_ns)
{
    if (refresh->failures == 0)
        return add(now_ns, gap_ns);
    gap_ns = gap_ns > FAILED_GAP_NS_MIN ? gap_ns : FAILED_GAP_NS_MIN;
    uint32_t shift = refresh->failures < BACKOFF_SHIFT_MAX ? refresh->failures : BACKOFF_SHIFT_MAX;
    if (gap_ns > INT64_MAX >> (BACKOFF_SHIFT_MAX + 1))
        return INT64_MAX;
    /* The jitter only lengthens: the gap is a promise. */
    int64_t wait_ns = gap_ns << shift;
    return add(now_ns, wait_ns + (int64_t)tendon__random_below(&refresh->random,
                                                               (uint64_t)wait_ns / 4 + 1));
}

/* From one to one and a third of the gap, so that a fleet that lost the same primary does not go on
 * asking together. */
static int64_t earliest_urgent(struct tendon__refresh *refresh, int64_t now_ns)
{
    if (refresh->gap_ns <= URGENT_GAP_NS || refresh->hurried >= URGENT_MAX)
        return refresh->ready_ns;
    int64_t spread_ns =
        (int64_t)tendon__random_below(&refresh->random, (uint64_t)URGENT_GAP_NS / 3 + 1);
    int64_t when_ns = add(earliest(refresh, URGENT_GAP_NS, now_ns), spread_ns);
    return when_ns < refresh->ready_ns ? when_ns : refresh->ready_ns;
}

void tendon__refresh_init(struct tendon__refresh *refresh, int64_t interval_ns, int64_t gap_ns,
                          uint64_t seed, int64_t now_ns)
{
    *refresh = (struct tendon__refresh){
        .interval_ns = interval_ns > 0 ? interval_ns : 0,
        .gap_ns = gap_ns > 0 ? gap_ns : 0,
        .last_ns = INT64_MIN,
        .ready_ns = INT64_MIN,
        .urgent_ns = INT64_MIN,
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

void tendon__refresh_urge(struct tendon__refresh *refresh, int64_t now_ns)
{
    tendon__refresh_trigger(refresh, now_ns);
    if (refresh->running) {
        refresh->again_urgent = true;
        return;
    }
    int64_t start_ns = now_ns > refresh->urgent_ns ? now_ns : refresh->urgent_ns;
    if (start_ns < refresh->due_ns)
        refresh->due_ns = start_ns;
}

bool tendon__refresh_begin(struct tendon__refresh *refresh, int64_t now_ns)
{
    if (refresh->running || now_ns < refresh->due_ns)
        return false;
    if (now_ns < refresh->ready_ns)
        refresh->hurried++;
    else if (now_ns >= refresh->rested_ns)
        refresh->hurried = 0;
    refresh->running = true;
    refresh->again = false;
    refresh->again_urgent = false;
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
    refresh->ready_ns = earliest(refresh, refresh->gap_ns, now_ns);
    refresh->urgent_ns = earliest_urgent(refresh, now_ns);
    refresh->rested_ns =
        refresh->gap_ns > INT64_MAX / RESTED ? INT64_MAX : add(now_ns, refresh->gap_ns * RESTED);
    refresh->due_ns = periodic(refresh, now_ns);
    /* A failure leaves unanswered whatever asked for the map, so it asks again by itself. */
    if (refresh->again || !succeeded || refresh->due_ns < refresh->ready_ns)
        refresh->due_ns = refresh->ready_ns;
    if (refresh->again_urgent)
        refresh->due_ns = refresh->urgent_ns;
    refresh->again = false;
    refresh->again_urgent = false;
}

int64_t tendon__refresh_deadline(const struct tendon__refresh *refresh)
{
    return refresh->running ? INT64_MAX : refresh->due_ns;
}
