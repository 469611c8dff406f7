/* Time, chance and bytes of the simulated world: one heap of events, one random stream. */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

void *sim_grow(void *list, uint32_t count, uint32_t *room, size_t size)
{
    if (count < *room)
        return list;
    *room = *room ? *room * 2 : 64;
    list = realloc(list, *room * size);
    if (!list)
        abort();
    return list;
}

static bool is_before(const struct sim_event *a, const struct sim_event *b)
{
    return a->when_ns != b->when_ns ? a->when_ns < b->when_ns : a->order < b->order;
}

void sim_later(struct sim *sim, int64_t when_ns, sim_action *action, uint32_t a, uint32_t b)
{
    if (when_ns == SIM_NEVER)
        return;
    sim->events = sim_grow(sim->events, sim->event_count, &sim->event_room, sizeof *sim->events);
    struct sim_event event = {when_ns > sim->now_ns ? when_ns : sim->now_ns, ++sim->event_order,
                              action, a, b};
    uint32_t place = sim->event_count++;
    while (place && is_before(&event, &sim->events[(place - 1) / 2])) {
        sim->events[place] = sim->events[(place - 1) / 2];
        place = (place - 1) / 2;
    }
    sim->events[place] = event;
}

static struct sim_event take_first(struct sim *sim)
{
    struct sim_event first = sim->events[0];
    struct sim_event last = sim->events[--sim->event_count];
    uint32_t place = 0;
    for (;;) {
        uint32_t child = place * 2 + 1;
        if (child >= sim->event_count)
            break;
        if (child + 1 < sim->event_count && is_before(&sim->events[child + 1], &sim->events[child]))
            child++;
        if (!is_before(&sim->events[child], &last))
            break;
        sim->events[place] = sim->events[child];
        place = child;
    }
    if (sim->event_count)
        sim->events[place] = last;
    return first;
}

int64_t sim_event_time(const struct sim *sim)
{
    return sim->event_count ? sim->events[0].when_ns : SIM_NEVER;
}

bool sim_next_event(struct sim *sim, int64_t until_ns)
{
    if (!sim->event_count || sim->events[0].when_ns > until_ns)
        return false;
    struct sim_event event = take_first(sim);
    if (event.when_ns > sim->now_ns)
        sim->now_ns = event.when_ns;
    event.action(sim, event.a, event.b);
    return true;
}

uint32_t sim_below(struct sim *sim, uint32_t bound)
{
    return (uint32_t)tendon__random_below(&sim->random, bound);
}

bool sim_chance(struct sim *sim, uint32_t percent)
{
    return sim_below(sim, 100) < percent;
}

int64_t sim_between(struct sim *sim, int64_t low, int64_t high)
{
    uint64_t spread = (uint64_t)(high - low) >> sim_below(sim, 5);
    return low + (int64_t)tendon__random_below(&sim->random, spread + 1);
}

void sim_bytes_add(struct sim_bytes *bytes, const void *data, size_t size)
{
    if (bytes->size + size > bytes->room) {
        bytes->room = (bytes->size + size) * 2;
        bytes->data = realloc(bytes->data, bytes->room);
        if (!bytes->data)
            abort();
    }
    if (size)
        memcpy(bytes->data + bytes->size, data, size);
    bytes->size += size;
}

void sim_bytes_cut(struct sim_bytes *bytes, size_t size)
{
    bytes->size -= size;
    if (bytes->size && size)
        memmove(bytes->data, bytes->data + size, bytes->size);
}

void sim_bytes_free(struct sim_bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct sim_bytes){0};
}

uint64_t sim_hash(uint64_t hash, const void *data, size_t size)
{
    const uint8_t *at = data;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ at[i]) * 0x100000001b3u;
    return hash;
}
