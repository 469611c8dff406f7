/* The two pipes of a link: bytes on their way, and everything that can happen to them there. */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define CHUNKS_MAX 48 /* one piece of data is torn into at most so many */

static struct sim_pipe *pipe_of(struct sim_link *link, bool up)
{
    return up ? &link->up : &link->down;
}

static void reader_wakes(struct sim *sim, struct sim_link *link, bool up)
{
    if (up)
        sim_server_read(sim, link);
    else
        sim_link_ready(sim, link);
}

/* Some bytes, or the end behind them, may be readable now. */
static void arrive(struct sim *sim, uint32_t index, uint32_t up)
{
    struct sim_link *link = sim->links[index];
    struct sim_pipe *pipe = pipe_of(link, up);
    if (pipe->held)
        return;
    while (pipe->chunk_count && pipe->chunks[pipe->chunk_first].arrive_ns <= sim->now_ns) {
        pipe->arrived += pipe->chunks[pipe->chunk_first].size;
        pipe->chunk_first++;
        pipe->chunk_count--;
    }
    if (!pipe->chunk_count)
        pipe->chunk_first = 0;
    reader_wakes(sim, link, up);
}

static void add_chunk(struct sim *sim, struct sim_link *link, bool up, size_t size,
                      int64_t delay_ns)
{
    struct sim_pipe *pipe = pipe_of(link, up);
    int64_t at_ns = sim->now_ns + delay_ns;
    if (at_ns < pipe->last_ns)
        at_ns = pipe->last_ns;
    pipe->last_ns = at_ns;
    pipe->chunks = sim_grow(pipe->chunks, pipe->chunk_first + pipe->chunk_count, &pipe->chunk_room,
                            sizeof *pipe->chunks);
    pipe->chunks[pipe->chunk_first + pipe->chunk_count++] = (struct sim_chunk){size, at_ns};
    sim_later(sim, at_ns, arrive, link->index, up);
}

void sim_pipe_send(struct sim *sim, struct sim_link *link, bool up, const void *data, size_t size)
{
    struct sim_pipe *pipe = pipe_of(link, up);
    if (pipe->ended)
        return; /* nothing gets through any more */
    sim_bytes_add(&pipe->bytes, data, size);
    int64_t delay_ns = sim_between(sim, sim->latency_ns / 2, sim->latency_ns * 2);
    if (link->drips && size > 1) {
        size_t piece = size / CHUNKS_MAX + 1 + sim_below(sim, 8);
        sim_cover(sim, SIM_COVER_slow_drip);
        for (; size > piece; size -= piece) {
            add_chunk(sim, link, up, piece, delay_ns);
            delay_ns += sim_between(sim, 1000, 3 * SIM_MS);
        }
    } else if (size > 1 && sim_chance(sim, 10)) {
        size_t piece = 1 + sim_below(sim, (uint32_t)size - 1);
        add_chunk(sim, link, up, piece, delay_ns);
        size -= piece;
        delay_ns += sim_between(sim, 0, sim->latency_ns * 8);
    }
    add_chunk(sim, link, up, size, delay_ns);
}

/* Of what is under way only a random part still arrives, and then the end. */
static void tear(struct sim *sim, struct sim_link *link, bool up, bool polite)
{
    struct sim_pipe *pipe = pipe_of(link, up);
    size_t under_way = pipe->bytes.size - pipe->arrived;
    size_t kept = polite ? under_way : sim_below(sim, (uint32_t)under_way + 1);
    if (pipe->held && !polite)
        kept = 0;
    if (kept < under_way)
        sim_cover(sim, up ? SIM_COVER_cut_in_command : SIM_COVER_cut_in_reply);
    pipe->bytes.size -= under_way - kept;
    pipe->ended = true;
    if (!polite) {
        pipe->chunk_first = pipe->chunk_count = 0;
        pipe->arrived += kept;
    }
    sim_later(sim, pipe->last_ns > sim->now_ns && polite ? pipe->last_ns : sim->now_ns, arrive,
              link->index, up);
}

void sim_link_cut(struct sim *sim, struct sim_link *link, bool polite)
{
    if (link->state != SIM_OPEN && !link->accepted)
        return;
    sim_cover(sim, SIM_COVER_link_cut);
    SIM_TRACE(sim, "link %u: cut%s", link->index, polite ? " after what is under way" : "");
    tear(sim, link, true, polite);
    if (!polite && link->accepted)
        sim_server_read(sim, link); /* what it has got it executes */
    tear(sim, link, false, polite);
}

void sim_server_hang_up(struct sim *sim, struct sim_link *link)
{
    if (!link->accepted)
        return;
    sim_server_dropped(sim, link);
    link->down.ended = true;
    sim_later(sim, link->down.last_ns, arrive, link->index, false);
}

/* What the kernel does about a peer that does not answer: TCP_USER_TIMEOUT and keepalive. */
static void kernel_looks(struct sim *sim, uint32_t index, uint32_t unused)
{
    struct sim_link *link = sim->links[index];
    const struct tendon__options *options = &sim->options;
    (void)unused;
    if (link->state != SIM_OPEN || link->held_ns == SIM_NEVER || link->broken)
        return;
    if (link->unacked_ns == SIM_NEVER && (link->up.bytes.size || link->up.chunk_count))
        link->unacked_ns = sim->now_ns;
    int64_t write_ns = link->unacked_ns == SIM_NEVER || !options->tcp_user_timeout_ms
                           ? SIM_NEVER
                           : link->unacked_ns + options->tcp_user_timeout_ms * SIM_MS;
    int64_t idle_s = options->tcp_keepalive_idle_s +
                     options->tcp_keepalive_interval_s * options->tcp_keepalive_count;
    int64_t idle_ns = link->held_ns + idle_s * 1000 * SIM_MS;
    if (!options->tcp_keepalive)
        idle_ns = SIM_NEVER;
    int64_t due_ns = write_ns != SIM_NEVER ? write_ns : idle_ns;
    if (sim->now_ns < due_ns) {
        sim_later(sim, due_ns, kernel_looks, index, 0);
        return;
    }
    sim_cover(sim, write_ns != SIM_NEVER ? SIM_COVER_half_open_write : SIM_COVER_half_open_idle);
    link->broken = "connection timed out";
    SIM_TRACE(sim, "link %u: the kernel gives the peer up", index);
    sim_link_ready(sim, link);
}

void sim_link_hold(struct sim *sim, struct sim_link *link)
{
    if (link->up.held || (link->state != SIM_OPEN && !link->accepted))
        return;
    SIM_TRACE(sim, "link %u: nothing gets through", link->index);
    link->up.held = link->down.held = true;
    link->held_ns = sim->now_ns;
    link->unacked_ns = link->up.chunk_count ? sim->now_ns : SIM_NEVER;
    kernel_looks(sim, link->index, 0);
}

static void release_pipe(struct sim *sim, struct sim_link *link, bool up)
{
    struct sim_pipe *pipe = pipe_of(link, up);
    pipe->held = false;
    int64_t at_ns = sim->now_ns;
    for (uint32_t i = 0; i < pipe->chunk_count; i++) {
        struct sim_chunk *chunk = &pipe->chunks[pipe->chunk_first + i];
        if (chunk->arrive_ns < at_ns)
            chunk->arrive_ns = at_ns;
        at_ns = chunk->arrive_ns;
        sim_later(sim, at_ns, arrive, link->index, up);
    }
    pipe->last_ns = at_ns;
    sim_later(sim, at_ns, arrive, link->index, up);
}

void sim_link_release(struct sim *sim, struct sim_link *link)
{
    if (!link->up.held)
        return;
    SIM_TRACE(sim, "link %u: gets through again", link->index);
    sim_cover(sim, SIM_COVER_link_healed);
    link->held_ns = link->unacked_ns = SIM_NEVER;
    release_pipe(sim, link, true);
    release_pipe(sim, link, false);
}

void sim_pipe_written(struct sim *sim, struct sim_link *link)
{
    if (link->held_ns == SIM_NEVER || link->unacked_ns != SIM_NEVER)
        return;
    link->unacked_ns = sim->now_ns;
    kernel_looks(sim, link->index, 0);
}
