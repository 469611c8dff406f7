/*
 * How eagerly one turn of the loop works. Where the server runs beside this thread, on another core
 * of the same machine, gathering every command of a turn lets each side sleep while the other
 * works, and to fall asleep and be woken costs either of them more than ten small commands. So
 * there commands leave in parts of what is under way, and the loop looks for answers a little
 * longer before it sleeps. Where the server is far away, or needs this very core, nothing
 * comes while one looks, or only because this thread was made to leave its core. Then everything is
 * gathered, and only now and then it is tried again.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _GNU_SOURCE /* RUSAGE_THREAD */
#include "addon.h"

#include <sys/resource.h>

/* A look ends when nothing has come for so long: less than it costs to sleep and be woken. */
#define LOOK_NS 20000
/* Looks that paid count up to here, the others down; at 0 there is a rest. */
#define TRUST_MAX   8
#define TRUST_FIRST 4
/* Rests get longer, so that looks in vain cost next to nothing. */
#define REST_MIN_NS 4000000
#define REST_MAX_NS 64000000
/* Parts in which commands leave. A part costs a write and a read on each side, as much as ten small
 * commands. Few commands need several, because the other side has to wake up first; of many, two
 * keep both sides busy. */
#define PARTS      4
#define PARTS_MANY 2
#define MANY       64
#define PART_MIN   3
#define PART_MAX   ((size_t)4 * TENDON__NODE_DELIVER_MAX)
/* So many keep both sides busy without a look, which would make turns of the loop longer. */
#define LOOK_MAX (PARTS_MANY * PART_MAX)

void tendon__node_pace_init(tendon__node_pace *pace)
{
    *pace = (tendon__node_pace){.trust = TRUST_FIRST, .rest_ns = REST_MIN_NS};
}

void tendon__node_pace_count(tendon__node_pace *pace, const tendon_completion *completion)
{
    if (completion->kind != TENDON_COMPLETION_EVENT)
        pace->in_flight--;
}

size_t tendon__node_pace_part(const tendon__node_pace *pace)
{
    size_t parts = pace->in_flight < MANY ? PARTS : PARTS_MANY;
    size_t part = pace->trust > 0 ? (pace->in_flight + parts - 1) / parts : PART_MAX;
    return part < PART_MIN ? PART_MIN : part > PART_MAX ? PART_MAX : part;
}

/* How often this thread had to leave its core to others. */
static long count_evictions(void)
{
    struct rusage usage = {0};
    (void)getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nivcsw;
}

bool tendon__node_pace_may_look(tendon__node_pace *pace)
{
    if (pace->in_flight <= PART_MIN || pace->in_flight >= LOOK_MAX)
        return false;
    uint64_t now_ns = uv_hrtime();
    if (pace->trust == 0) {
        /* The next turn sends in parts, and what comes of that is looked for. */
        if (now_ns >= pace->until_ns)
            pace->trust = TRUST_FIRST;
        return false;
    }
    pace->until_ns = now_ns + LOOK_NS;
    pace->found = false;
    return true;
}

bool tendon__node_pace_looks_on(tendon__node_pace *pace, bool found)
{
    uint64_t now_ns = uv_hrtime();
    if (found) {
        pace->found = true;
        pace->until_ns = now_ns + LOOK_NS;
    }
    return pace->in_flight > 0 && now_ns < pace->until_ns;
}

void tendon__node_pace_looked(tendon__node_pace *pace)
{
    long evictions = count_evictions();
    bool alone = evictions == pace->evictions;
    pace->evictions = evictions;
    if (pace->found && alone) {
        pace->rest_ns = REST_MIN_NS;
        if (pace->trust < TRUST_MAX)
            pace->trust++;
        return;
    }
    if (--pace->trust > 0)
        return;
    pace->until_ns = uv_hrtime() + pace->rest_ns;
    if (pace->rest_ns < REST_MAX_NS)
        pace->rest_ns *= 2;
}
