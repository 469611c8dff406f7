/* Deadlines in sorted runs and a binary heap; nothing is allocated per timer. */
#include "base/timers.h"

#include <stdint.h>

#define CLOSE_NS INT64_C(10000000) /* entries of one run that are so close have one timeout */

void tendon__timers_init(struct tendon__timers *timers, struct tendon__memory *memory)
{
    timers->memory = memory;
    for (uint32_t i = 0; i < TENDON__TIMER_RUNS; i++)
        tendon__list_init(&timers->runs[i]);
    timers->last_run = 0;
    timers->heap = NULL;
    timers->count = 0;
    timers->room = 0;
}

void tendon__timers_deinit(struct tendon__timers *timers)
{
    tendon__memory_free(timers->memory, timers->heap);
    timers->heap = NULL;
    timers->count = timers->room = 0;
}

int tendon__timers_reserve(struct tendon__timers *timers, size_t count)
{
    if (count <= timers->room)
        return TENDON_OK;
    size_t room = timers->room ? timers->room * 2 : 64;
    if (room < count)
        room = count;
    void *heap = tendon__memory_resize(timers->memory, timers->heap, room * sizeof *timers->heap);
    if (!heap)
        return TENDON_ERROR_NO_MEMORY;
    timers->heap = heap;
    timers->room = room;
    return TENDON_OK;
}

static void put(struct tendon__timers *timers, size_t place, struct tendon__timer *timer)
{
    timers->heap[place - 1] = timer;
    timer->place = (uint32_t)place;
}

static void rise(struct tendon__timers *timers, size_t place, struct tendon__timer *timer)
{
    while (place > 1 && timers->heap[place / 2 - 1]->when_ns > timer->when_ns) {
        put(timers, place, timers->heap[place / 2 - 1]);
        place /= 2;
    }
    put(timers, place, timer);
}

static void sink(struct tendon__timers *timers, size_t place, struct tendon__timer *timer)
{
    for (;;) {
        size_t child = place * 2;
        if (child > timers->count)
            break;
        if (child < timers->count &&
            timers->heap[child]->when_ns < timers->heap[child - 1]->when_ns)
            child++;
        if (timers->heap[child - 1]->when_ns >= timer->when_ns)
            break;
        put(timers, place, timers->heap[child - 1]);
        place = child;
    }
    put(timers, place, timer);
}

static void unset(struct tendon__timers *timers, struct tendon__timer *timer)
{
    size_t place = timer->place;
    tendon__list_remove(&timer->run);
    if (!place)
        return;
    timer->place = 0;
    struct tendon__timer *last = timers->heap[--timers->count];
    if (last == timer)
        return;
    if (place > 1 && timers->heap[place / 2 - 1]->when_ns > last->when_ns)
        rise(timers, place, last);
    else
        sink(timers, place, last);
}

static struct tendon__timer *timer_of(struct tendon__link *link)
{
    return TENDON__OWNER(link, struct tendon__timer, run);
}

/*
 * The run whose last entry is the latest that is not after `when_ns`, so that long timeouts do not
 * spoil the runs of short ones; NULL when there is none. An empty run is as early as can be.
 */
static struct tendon__link *run_for(struct tendon__timers *timers, int64_t when_ns)
{
    struct tendon__link *last = &timers->runs[timers->last_run];
    if (!tendon__list_empty(last) && timer_of(last->prev)->when_ns <= when_ns &&
        when_ns - timer_of(last->prev)->when_ns < CLOSE_NS)
        return last;
    struct tendon__link *best = NULL;
    int64_t best_ns = INT64_MIN;
    for (uint32_t i = 0; i < TENDON__TIMER_RUNS; i++) {
        struct tendon__link *run = &timers->runs[i];
        int64_t last_ns = tendon__list_empty(run) ? INT64_MIN : timer_of(run->prev)->when_ns;
        if (last_ns > when_ns || (best && last_ns <= best_ns))
            continue;
        best = run;
        best_ns = last_ns;
        timers->last_run = i;
    }
    return best;
}

void tendon__timer_set(struct tendon__timers *timers, struct tendon__timer *timer, int64_t when_ns)
{
    bool is_set = timer->place || tendon__list_linked(&timer->run);
    if (is_set && timer->when_ns == when_ns)
        return;
    if (is_set)
        unset(timers, timer);
    timer->when_ns = when_ns;
    if (when_ns == TENDON__NO_TIME)
        return;
    struct tendon__link *run = timer->is_one_of_many ? run_for(timers, when_ns) : NULL;
    if (run) {
        tendon__list_push(run, &timer->run);
    } else if (timers->count < timers->room) {
        timers->count++;
        rise(timers, timers->count, timer);
    }
}

struct tendon__timer *tendon__timers_first(const struct tendon__timers *timers)
{
    struct tendon__timer *first = timers->count ? timers->heap[0] : NULL;
    for (uint32_t i = 0; i < TENDON__TIMER_RUNS; i++) {
        const struct tendon__link *run = &timers->runs[i];
        if (!tendon__list_empty(run) && (!first || timer_of(run->next)->when_ns < first->when_ns))
            first = timer_of(run->next);
    }
    return first;
}
