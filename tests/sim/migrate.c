/* Slots on the move: key by key with ASK, all at once, or with their node to a new machine. */
#include <stdio.h>
#include <string.h>

#include "sim.h"

static void move_keys(struct sim *sim, uint32_t tag, uint8_t from, uint8_t to)
{
    for (uint32_t type = 0; type < SIM_TYPES; type++)
        sim_move_key(sim, from, to, (uint8_t)(tag * SIM_TYPES + type));
}

static void move_keys_left(struct sim *sim)
{
    struct sim_migration *migration = &sim->migration;
    for (uint32_t type = 0; type < SIM_TYPES; type++)
        if (!(migration->moved & 1u << type))
            sim_move_key(sim, migration->from, migration->to,
                         (uint8_t)(migration->tag * SIM_TYPES + type));
}

/* The source has learned it too: nobody asks any more. */
static void forget_migration(struct sim *sim, uint32_t serial, uint32_t unused)
{
    struct sim_migration *migration = &sim->migration;
    (void)unused;
    if (!migration->active || migration->serial != serial)
        return;
    uint8_t from = migration->from;
    migration->active = false;
    sim_learn(sim, from, 0);
    sim_gossip(sim, 800 * SIM_MS);
}

static void finish_migration(struct sim *sim, uint32_t serial, uint32_t unused)
{
    struct sim_migration *migration = &sim->migration;
    (void)unused;
    if (!migration->active || migration->serial != serial || migration->finished)
        return;
    uint32_t slot = sim->slot_of_tag[migration->tag];
    sim_cover(sim, SIM_COVER_slot_migrated);
    SIM_TRACE(sim, "cluster: slot %u now belongs to server %u", slot, migration->to);
    migration->finished = true;
    move_keys_left(sim);
    sim->truth.owner[slot] = migration->to;
    sim->views[migration->to].owner[slot] = migration->to;
    sim_later(sim, sim->now_ns + sim_between(sim, 0, 60 * SIM_MS), forget_migration, serial, 0);
}

static void move_one(struct sim *sim, uint32_t serial, uint32_t type)
{
    struct sim_migration *migration = &sim->migration;
    if (!migration->active || migration->serial != serial || migration->finished ||
        migration->moved & 1u << type)
        return;
    migration->moved |= 1u << type;
    sim_move_key(sim, migration->from, migration->to, (uint8_t)(migration->tag * SIM_TYPES + type));
}

static void source_learns(struct sim *sim, uint32_t serial, uint32_t unused)
{
    (void)unused;
    if (sim->migration.active && sim->migration.serial == serial)
        sim->migration.source_knows = true;
}

void sim_migrate(struct sim *sim, uint32_t tag, uint8_t to)
{
    struct sim_migration *migration = &sim->migration;
    uint8_t from = sim->truth.owner[sim->slot_of_tag[tag]];
    if (migration->active || from == to || from == SIM_NOBODY)
        return;
    uint32_t serial = migration->serial + 1;
    *migration = (struct sim_migration){
        .active = true, .target_knows = true, .tag = tag, .from = from, .to = to, .serial = serial};
    SIM_TRACE(sim, "cluster: slot %u begins to move from server %u to %u", sim->slot_of_tag[tag],
              from, to);
    int64_t begin_ns = sim->now_ns + sim_between(sim, 0, 20 * SIM_MS);
    int64_t end_ns = begin_ns + sim_between(sim, 50 * SIM_MS, 4000 * SIM_MS);
    sim_later(sim, begin_ns, source_learns, serial, 0);
    for (uint32_t type = 0; type < SIM_TYPES; type++)
        sim_later(sim, begin_ns + sim_between(sim, 0, end_ns - begin_ns), move_one, serial, type);
    sim_later(sim, end_ns, finish_migration, serial, 0);
}

/* A node of it goes away: what is under way is finished first. */
void sim_finish_migration(struct sim *sim)
{
    if (!sim->migration.active)
        return;
    finish_migration(sim, sim->migration.serial, 0);
    forget_migration(sim, sim->migration.serial, 0);
}

void sim_move_slots(struct sim *sim, uint32_t first, uint32_t last, uint8_t to)
{
    sim_finish_migration(sim);
    sim_cover(sim, SIM_COVER_slots_moved_at_once);
    SIM_TRACE(sim, "cluster: slots %u to %u move to server %u at once", first, last, to);
    for (uint32_t tag = 0; tag < SIM_TAGS; tag++) {
        uint32_t slot = sim->slot_of_tag[tag];
        uint8_t from = sim->truth.owner[slot];
        if (slot >= first && slot <= last && from != to && from != SIM_NOBODY)
            move_keys(sim, tag, from, to);
    }
    for (uint32_t slot = first; slot <= last; slot++)
        if (sim->truth.owner[slot] != SIM_NOBODY)
            sim->truth.owner[slot] = to;
    /* Who had them knows at once, because it gave them away. */
    for (uint32_t i = 0; i < SIM_SERVERS; i++)
        if (sim->servers[i].exists && sim->servers[i].primary == SIM_NOBODY)
            memcpy(sim->views[i].owner + first, sim->truth.owner + first, last - first + 1);
    for (uint32_t i = 0; i < SIM_SERVERS; i++)
        if (!sim->servers[i].down)
            sim_pubsub_evict(sim, i, false);
    sim_gossip(sim, 800 * SIM_MS);
}

static void shut_down(struct sim *sim, uint32_t server, uint32_t unused)
{
    (void)unused;
    if (sim->servers[server].retired)
        sim_crash(sim, server);
}

/* A new machine takes name, slots and replicas; the old one lives on for a while under no name. */
void sim_replace_node(struct sim *sim, uint8_t old)
{
    uint8_t fresh = 0;
    while (fresh < SIM_SERVERS && sim->servers[fresh].host[0])
        fresh++;
    const struct sim_server *at = &sim->servers[old];
    if (at->down || at->dark || at->frozen)
        return;
    if (fresh == SIM_SERVERS || sim->one_host || sim->truth.primary[old] != SIM_NOBODY ||
        !sim_is_primary(sim, old))
        return;
    sim_finish_migration(sim);
    sim_cover(sim, SIM_COVER_node_replaced);
    SIM_TRACE(sim, "cluster: server %u takes the name %s and the slots of server %u", fresh,
              sim->servers[old].host, old);
    struct sim_server *server = &sim->servers[fresh];
    const struct sim_server *before = &sim->servers[old];
    memcpy(server->host, before->host, sizeof server->host);
    memcpy(server->password, before->password, sizeof server->password);
    server->port = before->port;
    server->no_hello = before->no_hello;
    server->max_clients = before->max_clients;
    server->primary = SIM_NOBODY;
    server->exists = true;
    for (uint32_t slot = 0; slot < TENDON__SLOT_COUNT; slot++)
        if (sim->truth.owner[slot] == old)
            sim->truth.owner[slot] = fresh;
    if (sim->uncovered_owner == old)
        sim->uncovered_owner = fresh;
    sim_resync(sim, fresh, old);
    server->epoch = sim_new_epoch(sim);
    sim->truth.member[old] = false;
    sim->truth.member[fresh] = true;
    sim->truth.primary[fresh] = SIM_NOBODY;
    for (uint32_t i = 0; i < SIM_SERVERS; i++)
        if (sim->truth.primary[i] == old)
            sim->truth.primary[i] = fresh;
    sim->servers[old].retired = true;
    sim_learn(sim, fresh, 0);
    sim_learn(sim, old, 0);
    sim_gossip(sim, 500 * SIM_MS);
    sim_name_point(sim, server->host, &fresh, 1, sim_between(sim, 0, 3000 * SIM_MS),
                   sim_between(sim, 0, 2000 * SIM_MS));
    sim_later(sim, sim->now_ns + sim_between(sim, 1000 * SIM_MS, 20000 * SIM_MS), shut_down, old,
              0);
}
