/* Deadlines in a binary heap; moving one costs a few comparisons, and nothing is allocated per
 * timer. */
#include "base/timers.h"

#include <stdint.h>

void tendon__timers_init(struct tendon__timers *timers, struct tendon__memory *memory)
{
    timers->memory = memory;
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
    timer->place = place;
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

void tendon__timer_set(struct tendon__timers *timers, struct tendon__timer *timer, int64_t when_ns)
{
    if (timer->place && timer->when_ns == when_ns)
        return;
    unset(timers, timer);
    timer->when_ns = when_ns;
    if (when_ns == TENDON__NO_TIME || timers->count == timers->room)
        return;
    timers->count++;
    rise(timers, timers->count, timer);
}

struct tendon__timer *tendon__timers_first(const struct tendon__timers *timers)
{
    return timers->count ? timers->heap[0] : NULL;
}
