/*
 * How a link comes to be: the name, then its addresses one after the other, each with its share of
 * the connect deadline. The same rules as lib/client/io.c and lib/net/dial.c, without sockets.
 */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define SHARE_NS_MIN (250 * SIM_MS) /* as in lib/net/dial.c */

static void wake(struct sim *sim, uint32_t index, uint32_t unused)
{
    (void)unused;
    if (sim->links[index]->state == SIM_RESOLVING || sim->links[index]->state == SIM_CONNECTING)
        sim_link_ready(sim, sim->links[index]);
}

tendon_status sim_dial_open(void *world, struct tendon__channel *channel)
{
    struct sim *sim = world;
    sim_check_dial(sim, channel->node);
    if (sim->open_refusals) {
        sim->open_refusals--;
        sim_cover(sim, SIM_COVER_open_refused);
        return TENDON_ERROR_SYSTEM;
    }
    struct sim_link *link = calloc(1, sizeof *link);
    if (!link)
        abort();
    sim->links = sim_grow(sim->links, sim->link_count, &sim->link_room, sizeof(struct sim_link *));
    sim->links[sim->link_count] = link;
    link->index = sim->link_count++;
    link->channel = channel;
    link->window = sim_chance(sim, 20) ? 20 + sim_below(sim, 2000) : 65536;
    link->held_ns = link->unacked_ns = SIM_NEVER;
    link->drips = sim_chance(sim, sim->drip_percent);
    link->deadline_ns = channel->opened_ns + sim->options.connect_timeout_ms * SIM_MS;
    channel->io = link;
    SIM_TRACE(sim, "link %u: %s %s", link->index, channel->is_lane ? "lane to" : "member for",
              channel->node->name);
    sim_resolve(sim, link, channel->node->host);
    sim_later(sim, link->deadline_ns, wake, link->index, 0);
    return TENDON_OK;
}

/* Nodes of one host have one address and differ in their ports. */
static uint32_t server_at(const struct sim *sim, const struct sim_link *link)
{
    uint32_t port = link->channel->node->port;
    if (sim->one_host && port >= 7000 && port < 7000 + SIM_SERVERS)
        return port - 7000;
    return link->addresses[link->address_index];
}

/* The SYN has been answered, if it is. */
static void connected(struct sim *sim, uint32_t index, uint32_t attempt)
{
    struct sim_link *link = sim->links[index];
    if (link->state != SIM_CONNECTING || link->attempt != attempt || link->connect_result)
        return;
    const struct sim_server *server = &sim->servers[server_at(sim, link)];
    if (server->dark) {
        /* Sent again until it gets through or the attempt is over. */
        sim_later(sim, sim->now_ns + 200 * SIM_MS, connected, index, attempt);
        return;
    }
    bool listens = server->exists && !server->down && server->port == link->channel->node->port;
    link->connect_result = listens ? 1 : -1;
    if (!listens)
        sim_cover(sim, SIM_COVER_connect_refused);
    sim_link_ready(sim, link);
}

static void begin_attempt(struct sim *sim, struct sim_link *link)
{
    int64_t left_ns = link->deadline_ns - sim->now_ns;
    uint32_t others = link->address_count - link->address_index - 1;
    int64_t share_ns = left_ns / (others + 1);
    if (share_ns < SHARE_NS_MIN)
        share_ns = SHARE_NS_MIN;
    if (others == 0 || share_ns > left_ns)
        share_ns = left_ns;
    link->attempt++;
    link->connect_result = 0;
    link->attempt_end_ns = sim->now_ns + share_ns;
    sim_later(sim, link->attempt_end_ns, wake, link->index, 0);
    sim_later(sim, sim->now_ns + sim_between(sim, sim->latency_ns, sim->latency_ns * 4), connected,
              link->index, link->attempt);
}

static void fail_dial(struct sim *sim, struct sim_link *link, tendon_status status, const char *why)
{
    struct tendon__fault fault;
    tendon__fault_set(&fault, status, "%s: %s", link->channel->node->name, why);
    SIM_TRACE(sim, "link %u: could not be opened: %s", link->index, fault.text);
    tendon__engine_open_failed(sim->engine, link->channel, &fault, sim->now_ns);
}

static void next_address(struct sim *sim, struct sim_link *link, bool timed_out)
{
    sim_cover(sim, timed_out ? SIM_COVER_connect_timeout : SIM_COVER_dns_dead_address);
    if (link->address_index + 1 >= link->address_count || sim->now_ns >= link->deadline_ns) {
        fail_dial(sim, link, timed_out ? TENDON_ERROR_CONNECT_TIMEOUT : TENDON_ERROR_CONNECT,
                  timed_out ? "no answer to the connect" : "connection refused");
        return;
    }
    link->address_index++;
    begin_attempt(sim, link);
}

static void open_link(struct sim *sim, struct sim_link *link)
{
    link->state = SIM_OPEN;
    link->server = server_at(sim, link);
    SIM_TRACE(sim, "link %u: connected to server %u", link->index, link->server);
    if (sim->servers[link->server].frozen)
        sim_cover(sim, SIM_COVER_frozen_accepts);
    sim_server_accept(sim, link);
    tendon__engine_opened(sim->engine, link->channel, false, sim->now_ns);
}

void sim_dial_step(struct sim *sim, struct sim_link *link)
{
    if (link->state == SIM_RESOLVING && link->resolved) {
        if (link->resolve_failed) {
            fail_dial(sim, link, TENDON_ERROR_RESOLVE, "the name could not be resolved");
            return;
        }
        link->state = SIM_CONNECTING;
        begin_attempt(sim, link);
    } else if (link->state == SIM_RESOLVING && sim->now_ns >= link->deadline_ns) {
        fail_dial(sim, link, TENDON_ERROR_CONNECT_TIMEOUT, "resolving took too long");
    } else if (link->state == SIM_CONNECTING && link->connect_result > 0) {
        open_link(sim, link);
    } else if (link->state == SIM_CONNECTING &&
               (link->connect_result < 0 || sim->now_ns >= link->attempt_end_ns)) {
        next_address(sim, link, link->connect_result == 0);
    }
}
