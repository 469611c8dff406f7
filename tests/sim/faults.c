/* What goes wrong in a storm, and how everything heals. Each fault undoes itself after a while. */
#include <string.h>

#include "sim.h"

static int64_t while_ns(struct sim *sim, int64_t low_ms, int64_t high_ms)
{
    return sim->now_ns + sim_between(sim, low_ms * SIM_MS, high_ms * SIM_MS);
}

/* A server that exists, any of them. */
static uint32_t any_server(struct sim *sim)
{
    uint32_t chosen = 0, seen = 0;
    for (uint32_t i = 0; i < SIM_SERVERS; i++)
        if (sim->servers[i].exists && !sim->servers[i].retired && !sim_below(sim, ++seen))
            chosen = i;
    return chosen;
}

static uint32_t any_primary(struct sim *sim)
{
    uint32_t chosen = 0, seen = 0;
    for (uint32_t i = 0; i < SIM_SERVERS; i++)
        if (sim->truth.member[i] && sim->truth.primary[i] == SIM_NOBODY && !sim_below(sim, ++seen))
            chosen = i;
    return chosen;
}

static struct sim_link *any_link(struct sim *sim)
{
    struct sim_link *chosen = NULL;
    uint32_t seen = 0;
    for (uint32_t i = sim->first_live; i < sim->link_count; i++)
        if (sim->links[i]->state == SIM_OPEN && !sim_below(sim, ++seen))
            chosen = sim->links[i];
    return chosen;
}

static void crash(struct sim *sim)
{
    uint32_t server = any_server(sim);
    sim_crash(sim, server);
    sim_later(sim, while_ns(sim, 20, 4000), sim_restart, server, 0);
}

static void thaw(struct sim *sim, uint32_t server, uint32_t unused)
{
    (void)unused;
    if (!sim->servers[server].frozen)
        return;
    SIM_TRACE(sim, "server %u: thaws", server);
    sim->servers[server].frozen = false;
    sim_server_serve_all(sim, server);
    sim_rejoin(sim, server);
}

static void freeze(struct sim *sim)
{
    uint32_t server = any_server(sim);
    if (sim->servers[server].down)
        return;
    SIM_TRACE(sim, "server %u: freezes", server);
    sim_cover(sim, SIM_COVER_server_frozen);
    sim->servers[server].frozen = true;
    sim_later(sim, while_ns(sim, 50, 6000), thaw, server, 0);
}

void sim_set_dark(struct sim *sim, uint32_t server, bool dark)
{
    if (sim->servers[server].dark == dark)
        return;
    SIM_TRACE(sim, "server %u: %s", server, dark ? "cannot be reached" : "can be reached again");
    sim->servers[server].dark = dark;
    for (uint32_t i = sim->first_live; i < sim->link_count; i++) {
        struct sim_link *link = sim->links[i];
        if (link->server != server || (link->state != SIM_OPEN && !link->accepted))
            continue;
        if (dark)
            sim_link_hold(sim, link);
        else
            sim_link_release(sim, link);
    }
    if (!dark)
        sim_rejoin(sim, server);
}

static void light(struct sim *sim, uint32_t server, uint32_t unused)
{
    (void)unused;
    sim_set_dark(sim, server, false);
}

static void darken(struct sim *sim)
{
    uint32_t server = any_server(sim);
    sim_cover(sim, SIM_COVER_server_dark);
    sim_set_dark(sim, server, true);
    sim_later(sim, while_ns(sim, 50, 20000), light, server, 0);
}

static void cut(struct sim *sim)
{
    struct sim_link *link = any_link(sim);
    if (link)
        sim_link_cut(sim, link, sim_chance(sim, 30));
}

/* Bytes that are no RESP: whatever is behind them cannot be trusted. */
static void babble(struct sim *sim)
{
    struct sim_link *link = any_link(sim);
    if (!link || !link->accepted)
        return;
    SIM_TRACE(sim, "link %u: garbage", link->index);
    sim_cover(sim, SIM_COVER_garbage);
    sim_pipe_send(sim, link, false, "?\x01garbage\r\n", 11);
}

static void release(struct sim *sim, uint32_t link, uint32_t unused)
{
    (void)unused;
    if (!sim->servers[sim->links[link]->server].dark)
        sim_link_release(sim, sim->links[link]);
}

/* Half-open: nothing arrives and nobody says so. */
static void hold(struct sim *sim)
{
    struct sim_link *link = any_link(sim);
    if (!link)
        return;
    sim_link_hold(sim, link);
    if (sim_chance(sim, 40))
        sim_later(sim, while_ns(sim, 10, 8000), release, link->index, 0);
}

static void hand_over(struct sim *sim)
{
    sim_failover(sim, any_primary(sim), true);
}

static void split(struct sim *sim)
{
    sim_failover(sim, any_primary(sim), false);
}

static void elect(struct sim *sim, uint32_t primary, uint32_t unused)
{
    const struct sim_server *old = &sim->servers[primary];
    (void)unused;
    if (old->down || old->dark || old->frozen)
        sim_failover(sim, primary, false);
}

/* The primary dies or is cut off, and a replica takes over when that has been noticed. */
static void lose_primary(struct sim *sim)
{
    uint32_t primary = any_primary(sim);
    uint32_t how = sim_below(sim, 3);
    if (how == 0)
        sim_crash(sim, primary);
    else if (how == 1)
        sim_set_dark(sim, primary, true);
    else
        sim->servers[primary].frozen = true;
    sim_later(sim, while_ns(sim, 100, 2500), elect, primary, 0);
    sim_later(sim, while_ns(sim, 2500, 9000),
              how == 0   ? sim_restart
              : how == 1 ? light
                         : thaw,
              primary, 0);
}

static void migrate(struct sim *sim)
{
    sim_migrate(sim, sim_below(sim, SIM_TAGS), (uint8_t)any_primary(sim));
}

static void move_slots(struct sim *sim)
{
    uint32_t first = sim_below(sim, TENDON__SLOT_COUNT);
    uint32_t last = first + sim_below(sim, TENDON__SLOT_COUNT - first);
    sim_move_slots(sim, first, last, (uint8_t)any_primary(sim));
}

static void replace(struct sim *sim)
{
    sim_replace_node(sim, (uint8_t)any_primary(sim));
}

static void load(struct sim *sim)
{
    sim->servers[any_server(sim)].loading_until_ns = while_ns(sim, 20, 3000);
}

static void keep_busy(struct sim *sim)
{
    sim->servers[any_server(sim)].busy_until_ns = while_ns(sim, 20, 2000);
}

static void room_for_clients(struct sim *sim, uint32_t server, uint32_t unused)
{
    (void)unused;
    sim->servers[server].max_clients = UINT32_MAX;
}

/* Somebody else takes all the connections the server has. */
static void fill_up(struct sim *sim)
{
    uint32_t server = any_server(sim);
    sim->servers[server].max_clients = sim_below(sim, 3);
    sim_later(sim, while_ns(sim, 50, 3000), room_for_clients, server, 0);
    cut(sim);
}

static void quorum(struct sim *sim, uint32_t server, uint32_t unused)
{
    (void)unused;
    sim->servers[server].minority = false;
}

static void lose_quorum(struct sim *sim)
{
    uint32_t server = any_server(sim);
    sim->servers[server].minority = true;
    sim_later(sim, while_ns(sim, 50, 3000), quorum, server, 0);
}

static void cover_slot(struct sim *sim, uint32_t unused, uint32_t also_unused)
{
    (void)unused;
    (void)also_unused;
    if (sim->uncovered_owner == SIM_NOBODY)
        return;
    sim->truth.owner[sim->uncovered_slot] = sim->uncovered_owner;
    sim->uncovered_owner = SIM_NOBODY;
    sim_gossip(sim, 300 * SIM_MS);
}

/* A slot that nobody serves for a while. */
static void uncover_slot(struct sim *sim)
{
    uint32_t slot = sim->slot_of_tag[sim_below(sim, SIM_TAGS)];
    uint8_t owner = sim->truth.owner[slot];
    if (sim->uncovered_owner != SIM_NOBODY || sim->migration.active)
        return;
    sim->uncovered_slot = slot;
    sim->uncovered_owner = owner;
    sim->truth.owner[slot] = SIM_NOBODY;
    sim_gossip(sim, 300 * SIM_MS);
    sim_later(sim, while_ns(sim, 50, 2000), cover_slot, 0, 0);
}

static void restore_password(struct sim *sim, uint32_t server, uint32_t unused)
{
    (void)unused;
    if (sim->servers[server].password[0])
        memcpy(sim->servers[server].password, "secret", 7);
}

static void change_password(struct sim *sim)
{
    uint32_t server = any_server(sim);
    if (!sim->servers[server].password[0])
        return;
    memcpy(sim->servers[server].password, "rotated", 8);
    for (uint32_t i = sim->first_live; i < sim->link_count; i++)
        if (sim->links[i]->accepted && sim->links[i]->server == server && sim_chance(sim, 50))
            sim->links[i]->session.authenticated = false;
    sim_later(sim, while_ns(sim, 20, 2500), restore_password, server, 0);
}

static void break_name(struct sim *sim)
{
    struct sim_name *name = &sim->names[sim_below(sim, sim->name_count)];
    if (sim_chance(sim, 50))
        name->fails_until_ns = while_ns(sim, 20, 3000);
    else
        name->hangs_until_ns = while_ns(sim, 20, 4000);
    cut(sim);
}

/* The resolver goes back to an address that is no longer right, or never was. */
static void stale_name(struct sim *sim)
{
    struct sim_name *name = &sim->names[sim_below(sim, sim->name_count)];
    if (sim->one_host || sim->now_ns < name->steady_ns)
        return;
    name->old[0] = (uint8_t)sim_below(sim, SIM_SERVERS);
    name->old_count = 1;
    name->fresh_ns = while_ns(sim, 20, 2000);
    name->steady_ns = name->fresh_ns + sim_between(sim, 0, 2000 * SIM_MS);
    cut(sim);
}

static void hurry(struct sim *sim, uint32_t server, uint32_t unused)
{
    (void)unused;
    sim->servers[server].slow_ns = 0;
}

static void slow_down(struct sim *sim)
{
    uint32_t server = any_server(sim);
    sim->servers[server].slow_ns = sim_between(sim, 1, 400) * SIM_MS;
    sim_later(sim, while_ns(sim, 100, 3000), hurry, server, 0);
}

static void pause_driver(struct sim *sim)
{
    if (sim->now_ns < sim->paused_until_ns)
        return;
    sim_turn(sim); /* what is due now is not late */
    sim->paused_ns = sim->now_ns;
    sim->paused_until_ns = while_ns(sim, 5, sim_chance(sim, 10) ? 40000 : 800);
    SIM_TRACE(sim, "the process stops for %lld ms",
              (long long)((sim->paused_until_ns - sim->now_ns) / SIM_MS));
    sim_cover(sim, SIM_COVER_driver_paused);
}

static void refuse_memory(struct sim *sim, uint32_t turns, uint32_t unused)
{
    (void)unused;
    sim->memory_refusing = turns != 0;
    sim->starved |= turns != 0;
    sim->memory.refuse_from = turns ? sim->memory.requests + 1 + sim_below(sim, 10) : 0;
    if (!turns)
        return;
    sim_cover(sim, SIM_COVER_memory_refused);
    sim_later(sim, while_ns(sim, 0, 30), refuse_memory, 0, 0);
}

static void starve(struct sim *sim)
{
    refuse_memory(sim, 1, 0);
}

static void refuse_open(struct sim *sim)
{
    sim->open_refusals = 1 + sim_below(sim, 4);
    cut(sim);
}

static void disconnect(struct sim *sim)
{
    sim_cover(sim, SIM_COVER_disconnected_by_host);
    SIM_TRACE(sim, "the host disconnects");
    tendon__engine_disconnect(sim->engine, sim->now_ns);
    sim_want_turn(sim, sim->now_ns);
}

static const struct {
    void (*happen)(struct sim *sim);
    bool cluster_only;
    uint8_t weight;
} faults[] = {
    {crash, false, 3},
    {freeze, false, 3},
    {darken, false, 3},
    {cut, false, 10},
    {hold, false, 4},
    {hand_over, false, 4},
    {split, false, 3},
    {lose_primary, false, 4},
    {migrate, true, 12},
    {move_slots, true, 4},
    {replace, true, 3},
    {load, false, 3},
    {keep_busy, false, 2},
    {fill_up, false, 3},
    {lose_quorum, true, 3},
    {uncover_slot, true, 2},
    {change_password, false, 3},
    {break_name, false, 3},
    {stale_name, false, 3},
    {slow_down, false, 4},
    {pause_driver, false, 2},
    {starve, false, 2},
    {babble, false, 2},
    {refuse_open, false, 1},
    {disconnect, false, 1},
};
#define FAULTS (sizeof faults / sizeof *faults)

void sim_fault(struct sim *sim)
{
    uint32_t total = 0;
    for (uint32_t i = 0; i < FAULTS; i++)
        if (sim->weather & 1u << i && (sim->cluster || !faults[i].cluster_only))
            total += faults[i].weight;
    uint32_t dice = sim_below(sim, total);
    for (uint32_t i = 0; i < FAULTS && total; i++) {
        if (!(sim->weather & 1u << i) || (!sim->cluster && faults[i].cluster_only))
            continue;
        if (dice < faults[i].weight) {
            faults[i].happen(sim);
            return;
        }
        dice -= faults[i].weight;
    }
}

static void heal_server(struct sim *sim, uint32_t index)
{
    struct sim_server *server = &sim->servers[index];
    sim_restart(sim, index, 0);
    thaw(sim, index, 0);
    sim_set_dark(sim, index, false);
    server->loading_until_ns = server->busy_until_ns = server->slow_ns = 0;
    server->max_clients = UINT32_MAX;
    server->minority = false;
    restore_password(sim, index, 0);
}

/* The configuration endpoint leads to nodes of the cluster again. */
static void heal_seed(struct sim *sim)
{
    struct sim_name *name = sim_name_find(sim, "cfg");
    if (!name)
        return;
    name->count = 0;
    for (uint8_t i = 0; i < SIM_SERVERS && name->count < SIM_ADDRESSES; i++)
        if (sim->truth.member[i])
            name->addresses[name->count++] = i;
}

void sim_heal(struct sim *sim)
{
    SIM_TRACE(sim, "the world heals");
    refuse_memory(sim, 0, 0);
    sim->open_refusals = 0;
    sim->drip_percent = sim->partial_percent = 0;
    sim_finish_migration(sim);
    for (uint32_t i = 0; i < SIM_SERVERS; i++)
        if (sim->servers[i].exists)
            heal_server(sim, i);
    cover_slot(sim, 0, 0);
    for (uint32_t i = 0; i < SIM_SERVERS; i++)
        if (sim->servers[i].exists)
            sim_rejoin(sim, i);
    sim_gossip(sim, 200 * SIM_MS);
    /* Who has never heard of the cluster can find it only there. */
    if (!sim->seed_is_gone || !sim->engine->stats.refreshes)
        heal_seed(sim);
    for (uint32_t i = 0; i < sim->name_count; i++) {
        struct sim_name *name = &sim->names[i];
        name->fails_until_ns = name->hangs_until_ns = 0;
        if (name->fresh_ns > sim->now_ns)
            name->fresh_ns = sim->now_ns;
        name->steady_ns = name->fresh_ns;
    }
    /* What a firewall has forgotten does not heal: the kernel finds out, or the engine. */
    for (uint32_t i = 0; i < 3; i++)
        if (sim_chance(sim, 25))
            hold(sim);
    for (uint32_t i = sim->first_live; i < sim->link_count; i++) {
        sim->links[i]->drips = false;
        if (sim_chance(sim, 50)) /* the others stay half-open until the kernel gives up */
            release(sim, i, 0);
    }
}
