/* Primaries that die, hand over or are cut off, and who follows them. */
#include <stdio.h>
#include <string.h>

#include "sim.h"

bool sim_is_primary(const struct sim *sim, uint32_t server)
{
    return sim->servers[server].primary == SIM_NOBODY;
}

uint32_t sim_new_epoch(struct sim *sim)
{
    return ++sim->epochs + 100;
}

int sim_pick_replica(struct sim *sim, uint32_t primary)
{
    int chosen = -1;
    uint32_t seen = 0;
    for (uint32_t i = 0; i < SIM_SERVERS; i++) {
        const struct sim_server *server = &sim->servers[i];
        if (!server->exists || server->down || server->dark || server->frozen ||
            server->link_down || server->primary != primary)
            continue;
        if (!sim_below(sim, ++seen))
            chosen = (int)i;
    }
    return chosen;
}

/* Copies what the replica lacks, as a primary does that waits for it before it hands over. */
void sim_catch_up(struct sim *sim, uint32_t replica)
{
    sim_resync(sim, replica, sim->servers[replica].primary);
}

void sim_demote(struct sim *sim, uint32_t server, uint32_t primary)
{
    SIM_TRACE(sim, "server %u: is now a replica of server %u", server, primary);
    bool was_primary = sim_is_primary(sim, server);
    sim->servers[server].primary = (uint8_t)primary;
    sim_resync(sim, server, primary);
    if (was_primary)
        sim_unblock_all(sim, server);
}

static void promote(struct sim *sim, uint32_t primary, uint32_t replica)
{
    struct sim_server *server = &sim->servers[replica];
    SIM_TRACE(sim, "server %u: is now the primary in place of server %u", replica, primary);
    server->primary = SIM_NOBODY;
    server->link_down = false;
    server->epoch = sim_new_epoch(sim);
    for (uint32_t slot = 0; slot < TENDON__SLOT_COUNT; slot++)
        if (sim->truth.owner[slot] == primary)
            sim->truth.owner[slot] = (uint8_t)replica;
    if (sim->uncovered_owner == primary)
        sim->uncovered_owner = (uint8_t)replica;
    sim->truth.primary[replica] = SIM_NOBODY;
    for (uint32_t i = 0; i < SIM_SERVERS; i++)
        if (i != replica && sim->truth.member[i] &&
            (i == primary || sim->truth.primary[i] == primary))
            sim->truth.primary[i] = (uint8_t)replica;
    sim->views[replica] = sim->truth;
    sim_pubsub_evict(sim, replica, false);
}

/* The other replicas follow the new primary: in a cluster by learning that it has the slots, both
 * at once. */
static void follow(struct sim *sim, uint32_t primary, uint32_t replica)
{
    for (uint32_t i = 0; i < SIM_SERVERS; i++) {
        struct sim_server *server = &sim->servers[i];
        if (i == replica || !server->exists || server->primary != primary)
            continue;
        bool hears = !server->down && !server->dark && !server->frozen;
        if (!sim->cluster)
            server->primary = (uint8_t)replica;
        if (!hears)
            server->link_down = true;
        else if (sim->cluster)
            sim_learn(sim, i, 0);
        else
            sim_resync(sim, i, replica);
    }
}

static void old_learns(struct sim *sim, uint32_t server, uint32_t unused)
{
    struct sim_server *old = &sim->servers[server];
    (void)unused;
    if (old->down || old->dark || old->frozen)
        return; /* when it is back */
    if (sim->cluster)
        sim_learn(sim, server, 0);
    else if (sim->truth.primary[server] != old->primary)
        sim_demote(sim, server, sim->truth.primary[server]);
}

void sim_failover(struct sim *sim, uint32_t primary, bool planned)
{
    const struct sim_server *old = &sim->servers[primary];
    if (sim->truth.primary[primary] != SIM_NOBODY || old->retired ||
        (planned && (old->down || old->frozen)))
        return;
    int found = sim_pick_replica(sim, primary);
    if (found < 0)
        return;
    uint8_t replica = (uint8_t)found;
    sim_finish_migration(sim);
    sim_cover(sim, planned                    ? SIM_COVER_failover_planned
                   : old->down || old->frozen ? SIM_COVER_failover_crash
                                              : SIM_COVER_failover_split);
    if (planned)
        sim_catch_up(sim, replica);
    promote(sim, primary, replica);
    follow(sim, primary, replica);
    if (planned)
        old_learns(sim, primary, 0);
    else
        sim_later(sim, sim->now_ns + sim_between(sim, 20 * SIM_MS, 3000 * SIM_MS), old_learns,
                  primary, 0);
    if (sim->cluster)
        sim_gossip(sim, 1000 * SIM_MS);
    else
        sim_name_point(sim, "primary", &replica, 1, sim_between(sim, 0, 5000 * SIM_MS),
                       sim_between(sim, 0, 2000 * SIM_MS));
}

void sim_crash(struct sim *sim, uint32_t server)
{
    struct sim_server *at = &sim->servers[server];
    if (!at->exists || at->down)
        return;
    if (sim->migration.active && (sim->migration.from == server || sim->migration.to == server))
        sim_finish_migration(sim);
    sim_cover(sim, SIM_COVER_server_crash);
    SIM_TRACE(sim, "server %u: crashes", server);
    for (uint32_t i = sim->first_live; i < sim->link_count; i++)
        if (sim->links[i]->accepted && sim->links[i]->server == server) {
            sim_link_cut(sim, sim->links[i], false);
            sim_server_dropped(sim, sim->links[i]);
        }
    at->down = true;
    at->frozen = false;
}

/* It comes back with its data, and as what the others say it is. */
void sim_restart(struct sim *sim, uint32_t server, uint32_t unused)
{
    struct sim_server *at = &sim->servers[server];
    (void)unused;
    if (!at->down || at->retired)
        return;
    SIM_TRACE(sim, "server %u: runs again", server);
    at->down = false;
    if (sim_chance(sim, 50))
        at->loading_until_ns = sim->now_ns + sim_between(sim, 0, 1500 * SIM_MS);
    sim_rejoin(sim, server);
}

void sim_rejoin(struct sim *sim, uint32_t server)
{
    struct sim_server *at = &sim->servers[server];
    old_learns(sim, server, 0);
    if (at->primary != SIM_NOBODY && !sim->servers[at->primary].dark &&
        !sim->servers[at->primary].down)
        sim_resync(sim, server, at->primary);
}
