/* The driver: turns of the engine as lib/client/driver.c takes them, and the passing of time. */
#include <stdlib.h>

#include "client/subscription.h"
#include "sim.h"

#define SAME_TIME_MAX                                                                              \
    20000 /* turns without time passing: more is an endless loop of the engine                     \
           */

void sim_want_turn(struct sim *sim, int64_t when_ns)
{
    if (when_ns < sim->turn_ns)
        sim->turn_ns = when_ns;
}

static void flush(struct sim *sim)
{
    struct tendon__link *link;
    while ((link = tendon__list_shift(&sim->engine->flush))) {
        struct sim_link *io = TENDON__OWNER(link, struct tendon__channel, flush)->io;
        if (io && io->state == SIM_OPEN && !io->write_blocked)
            sim_link_write(sim, io);
    }
}

/* What has happened to connections, in any order, as epoll tells it. */
static void take_events(struct sim *sim)
{
    uint32_t count = sim->ready_count;
    uint32_t *taken = sim->ready;
    sim->ready = NULL;
    sim->ready_count = sim->ready_room = 0;
    for (uint32_t i = count; i > 1; i--) {
        uint32_t other = sim_below(sim, i);
        uint32_t kept = taken[i - 1];
        taken[i - 1] = taken[other];
        taken[other] = kept;
    }
    for (uint32_t i = 0; i < count; i++)
        sim_link_step(sim, sim->links[taken[i]]);
    free(taken);
}

void sim_turn(struct sim *sim)
{
    sim->turn_ns = SIM_NEVER;
    sim->in_turn = true;
    sim->engine->now_ns = sim->now_ns;
    flush(sim);
    take_events(sim);
    tendon__engine_tick(sim->engine, sim->now_ns);
    tendon__feed_sweep(sim->engine);
    flush(sim);
    tendon__engine_tell(sim->engine);
    tendon__engine_sweep(sim->engine);
    sim->in_turn = false;
    sim_check_turn(sim);
    while (sim->first_live < sim->link_count && sim->links[sim->first_live]->state == SIM_CLOSED &&
           !sim->links[sim->first_live]->accepted)
        sim->first_live++;
}

static int64_t next_turn(const struct sim *sim)
{
    int64_t when_ns = tendon__engine_deadline(sim->engine);
    if (when_ns != SIM_NEVER)
        when_ns = when_ns + sim->wake_late_ns;
    if (sim->turn_ns < when_ns)
        when_ns = sim->turn_ns;
    return when_ns < sim->paused_until_ns ? sim->paused_until_ns : when_ns;
}

void sim_until(struct sim *sim, int64_t until_ns)
{
    uint32_t same = 0;
    int64_t before_ns = sim->now_ns;
    for (;;) {
        int64_t turn_ns = next_turn(sim);
        int64_t event_ns = sim_event_time(sim);
        if (event_ns <= turn_ns && event_ns <= until_ns) {
            sim_next_event(sim, until_ns);
        } else if (turn_ns <= until_ns) {
            if (turn_ns > sim->now_ns)
                sim->now_ns = turn_ns;
            sim_turn(sim);
            same = sim->now_ns == before_ns ? same + 1 : 0;
            before_ns = sim->now_ns;
            if (same > SAME_TIME_MAX)
                sim_fail(sim, "the engine asks to be called again and again");
        } else {
            break;
        }
    }
    if (until_ns > sim->now_ns)
        sim->now_ns = until_ns;
}
