/* The client's end of a link, driven in turns as lib/client/io.c drives a socket. */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define READS_PER_EVENT  16 /* as in lib/client/io.c */
#define WRITES_PER_FLUSH 64

void sim_link_ready(struct sim *sim, struct sim_link *link)
{
    if (link->state == SIM_CLOSED || link->ready)
        return;
    sim->ready = sim_grow(sim->ready, sim->ready_count, &sim->ready_room, sizeof *sim->ready);
    link->ready = true;
    sim->ready[sim->ready_count++] = link->index;
    sim_want_turn(sim, sim->now_ns + sim_between(sim, 0, 200000));
}

/* The client's end is gone. The server finds out, and may execute what had been sent. */
static void close_link(void *world, struct tendon__channel *channel)
{
    struct sim *sim = world;
    struct sim_link *link = channel->io;
    if (!link)
        sim_fail(sim, "the engine closed a connection twice");
    SIM_TRACE(sim, "link %u: closed by the engine", link->index);
    if (!link->was_ready && !link->greeting && !sim->closed)
        sim_note_dial(sim, channel->node->name, false);
    sim_listener_lost_link(sim, link);
    channel->io = NULL;
    link->channel = NULL;
    bool was_open = link->state == SIM_OPEN;
    link->state = SIM_CLOSED;
    if (!was_open || !link->accepted)
        return;
    if (link->down.bytes.size)
        sim_cover(sim, SIM_COVER_client_closed_unread);
    sim_link_cut(sim, link, sim_chance(sim, 60));
}

/* reconnect=host: the host program decides when, or gives up. */
static void host_decides(struct sim *sim, uint32_t delay_ms, uint32_t gives_up)
{
    if (sim->closed)
        return;
    sim_cover(sim, SIM_COVER_reconnect_by_host);
    SIM_TRACE(sim, "the host %s", gives_up ? "gives up" : "lets the client reconnect");
    tendon__engine_reconnect(sim->engine, gives_up ? -1 : delay_ms * SIM_MS, sim->now_ns);
    sim_want_turn(sim, sim->now_ns);
}

static void note_event(void *world, uint32_t event, const struct tendon__node *node,
                       uint32_t delay_ms, const struct tendon__fault *fault, tendon_reply *push)
{
    struct sim *sim = world;
    (void)delay_ms;
    (void)fault;
    if (event == TENDON_EVENT_PUSH)
        sim_cover(sim, SIM_COVER_push);
    if (event == TENDON_EVENT_WAITING) {
        SIM_TRACE(sim, "event: %s waits for the host to reconnect", node->name);
        sim_later(sim, sim->now_ns + sim_between(sim, 0, 100 * SIM_MS), host_decides,
                  sim_below(sim, 2) * sim_below(sim, 200), !sim->healed && sim_chance(sim, 15));
    }
    tendon__reply_free(push);
}

const struct tendon__world_ops sim_world_ops = {.open = sim_dial_open,
                                                .close = close_link,
                                                .event = note_event,
                                                .tell = sim_tell,
                                                .pause = sim_pause};

static void lose(struct sim *sim, struct sim_link *link, const char *why)
{
    struct tendon__fault fault;
    tendon__fault_set(&fault, TENDON_ERROR_DISCONNECTED, "%s: %s", link->channel->node->name, why);
    SIM_TRACE(sim, "link %u: lost: %s", link->index, why);
    tendon__engine_lost(sim->engine, link->channel, &fault, sim->now_ns);
}

/* Hands bytes to the engine, and finds out what became of the handshake if they were part of it. */
static void receive(struct sim *sim, struct sim_link *link, size_t size)
{
    struct tendon__node *node = link->channel->node;
    bool greets = link->channel->state == TENDON__CHANNEL_HANDSHAKE;
    sim->greeting = greets ? node->name : NULL;
    sim->created = sim->engine->stats.created;
    link->greeting = greets;
    tendon__engine_received(sim->engine, link->channel, size, sim->now_ns);
    link->greeting = false;
    sim_check_greeting(sim);
    bool failed = greets && sim->greeting && link->state == SIM_CLOSED;
    link->was_ready |= greets && !sim->greeting;
    if (failed)
        sim_note_dial(sim, sim->greeting, false);
    sim->greeting = NULL;
}

/* One read; false when there is nothing more for now. */
static bool read_once(struct sim *sim, struct sim_link *link)
{
    uint8_t *space;
    struct sim_pipe *pipe = &link->down;
    if (link->state != SIM_OPEN || !pipe->arrived || link->paused)
        return false;
    size_t room = tendon__conn_space(&link->channel->conn, &space);
    if (!room) {
        lose(sim, link, "no memory to receive into");
        return false;
    }
    size_t size = pipe->arrived < room ? pipe->arrived : room;
    if (sim_chance(sim, 5))
        size = 1 + sim_below(sim, (uint32_t)size);
    memcpy(space, pipe->bytes.data, size);
    sim_bytes_cut(&pipe->bytes, size);
    pipe->arrived -= size;
    receive(sim, link, size);
    return link->state == SIM_OPEN && size == room;
}

static void read_some(struct sim *sim, struct sim_link *link)
{
    for (int reads = 0; reads < READS_PER_EVENT; reads++)
        if (!read_once(sim, link))
            break;
    if (link->paused)
        return; /* who goes on reading finds the rest, and the end */
    if (link->state == SIM_OPEN && link->down.arrived)
        sim_link_ready(sim, link);
    else if (link->state == SIM_OPEN && link->down.ended && !link->down.bytes.size &&
             !link->down.held)
        lose(sim, link, "closed by the server");
}

static void room_again(struct sim *sim, uint32_t index, uint32_t unused)
{
    struct sim_link *link = sim->links[index];
    (void)unused;
    link->write_wakes = true;
    sim_link_ready(sim, link);
}

void sim_link_drained(struct sim *sim, struct sim_link *link)
{
    if (link->state == SIM_OPEN && link->write_blocked)
        room_again(sim, link->index, 0);
}

void sim_link_write(struct sim *sim, struct sim_link *link)
{
    link->write_blocked = link->write_wakes = false;
    for (int writes = 0; writes < WRITES_PER_FLUSH && link->state == SIM_OPEN; writes++) {
        const uint8_t *bytes;
        size_t size = tendon__conn_peek_out(&link->channel->conn, &bytes);
        if (!size)
            return;
        if (link->up.ended) {
            /* The server's last words may explain it. */
            read_some(sim, link);
            if (link->state == SIM_OPEN && !link->down.held)
                lose(sim, link, "broken pipe");
            return;
        }
        size_t used = link->up.bytes.size;
        size_t taken = used < link->window ? link->window - used : 0;
        taken = taken < size ? taken : size;
        bool partial = taken && sim_chance(sim, sim->partial_percent);
        if (partial)
            taken = 1 + sim_below(sim, (uint32_t)taken);
        if (taken) {
            sim_pipe_send(sim, link, true, bytes, taken);
            sim_pipe_written(sim, link);
            tendon__conn_sent(&link->channel->conn, taken);
        }
        if (taken < size) {
            sim_cover(sim, taken ? SIM_COVER_partial_write : SIM_COVER_write_blocked);
            link->write_blocked = true;
            if (partial)
                sim_later(sim, sim->now_ns + sim_between(sim, 0, 30 * SIM_MS), room_again,
                          link->index, 0);
            return;
        }
    }
    room_again(sim, link->index, 0);
}

void sim_link_step(struct sim *sim, struct sim_link *link)
{
    link->ready = false;
    if (link->state == SIM_RESOLVING || link->state == SIM_CONNECTING) {
        sim_dial_step(sim, link);
        return;
    }
    if (link->state == SIM_OPEN && link->broken) {
        lose(sim, link, link->broken);
        return;
    }
    if (link->state == SIM_OPEN)
        read_some(sim, link);
    if (link->state == SIM_OPEN && link->write_blocked && link->write_wakes)
        sim_link_write(sim, link);
}

bool sim_link_is_idle(const struct sim_link *link)
{
    return !link->up.bytes.size && !link->down.bytes.size && !link->query.size;
}

void sim_link_free(struct sim_link *link)
{
    sim_bytes_free(&link->up.bytes);
    sim_bytes_free(&link->down.bytes);
    sim_bytes_free(&link->query);
    free(link->told);
    free(link->up.chunks);
    free(link->down.chunks);
    free(link);
}
