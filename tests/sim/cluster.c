/* The cluster: which node has which slot in truth, what each node believes, and how slots move. */
#include <stdio.h>
#include <string.h>

#include "sim.h"

#define FIRST_PORT 7000 /* of nodes that share a host */

uint8_t sim_true_owner(const struct sim *sim, uint8_t key)
{
    return sim->truth.owner[sim->slot_of_tag[key / SIM_TYPES]];
}

static void name_server(struct sim *sim, uint32_t index)
{
    struct sim_server *server = &sim->servers[index];
    uint8_t address = (uint8_t)index;
    server->port = (uint16_t)(sim->one_host ? FIRST_PORT + index : 6379);
    if (sim->one_host)
        snprintf(server->host, sizeof server->host, "c");
    else
        snprintf(server->host, sizeof server->host, "n%u", index);
    if (!sim_name_find(sim, server->host))
        sim_name_add(sim, server->host, &address, 1);
}

void sim_cluster_make(struct sim *sim, uint32_t primaries, uint32_t replicas)
{
    sim->cluster = true;
    sim->server_count = SIM_SERVERS;
    for (uint32_t i = 0; i < primaries + replicas; i++) {
        struct sim_server *server = &sim->servers[i];
        name_server(sim, i);
        server->exists = true;
        server->primary = i < primaries ? SIM_NOBODY : (uint8_t)((i - primaries) % primaries);
        server->epoch = server->primary == SIM_NOBODY ? i + 1 : server->primary + 1u;
        sim->truth.primary[i] = server->primary;
        sim->truth.member[i] = true;
    }
    for (uint32_t slot = 0; slot < TENDON__SLOT_COUNT; slot++)
        sim->truth.owner[slot] = (uint8_t)(slot * primaries / TENDON__SLOT_COUNT);
    for (uint32_t i = 0; i < SIM_SERVERS; i++)
        sim->views[i] = sim->truth;
}

static void say_node(struct sim *sim, uint32_t index, bool resp3, struct sim_reply *reply)
{
    const struct sim_server *server = &sim->servers[index];
    char id[24];
    sim_say_head(reply, '*', 3);
    if (sim->one_host)
        sim_say_null(reply, resp3);
    else
        sim_say_string(reply, server->host, 0);
    sim_say_integer(reply, server->port);
    snprintf(id, sizeof id, "id%u", index);
    sim_say_string(reply, id, 0);
}

static uint32_t list_replicas(const struct sim *sim, const struct sim_view *view, uint8_t primary,
                              uint32_t out[SIM_SERVERS])
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < SIM_SERVERS; i++)
        if (view->member[i] && view->primary[i] == primary && !sim->servers[i].down)
            out[count++] = i;
    return count;
}

void sim_cluster_say_slots(struct sim *sim, struct sim_link *link, struct sim_reply *reply)
{
    const struct sim_view *view = &sim->views[link->server];
    uint32_t replicas[SIM_SERVERS];
    uint32_t ranges = 0;
    if (!sim->cluster) {
        sim_say_error(reply, "ERR This instance has cluster support disabled");
        return;
    }
    sim_check_slots_asked(sim);
    for (uint32_t slot = 0; slot < TENDON__SLOT_COUNT; slot++)
        ranges += (!slot || view->owner[slot] != view->owner[slot - 1]) &&
                  view->owner[slot] != SIM_NOBODY;
    sim_say_head(reply, '*', ranges);
    for (uint32_t first = 0, next; first < TENDON__SLOT_COUNT; first = next) {
        uint8_t owner = view->owner[first];
        for (next = first + 1; next < TENDON__SLOT_COUNT && view->owner[next] == owner;)
            next++;
        if (owner == SIM_NOBODY)
            continue;
        uint32_t count = list_replicas(sim, view, owner, replicas);
        sim_say_head(reply, '*', 3 + count);
        sim_say_integer(reply, first);
        sim_say_integer(reply, next - 1);
        say_node(sim, owner, link->session.resp3, reply);
        for (uint32_t i = 0; i < count; i++)
            say_node(sim, replicas[i], link->session.resp3, reply);
    }
}

void sim_say_moved(struct sim *sim, const struct sim_link *link, uint32_t slot, uint8_t owner,
                   struct sim_reply *reply)
{
    const struct sim_server *to = &sim->servers[owner];
    const struct sim_server *here = &sim->servers[link->server];
    sim_cover(sim, SIM_COVER_moved);
    if (!strcmp(to->host, here->host) && to->port == here->port)
        sim_cover(sim, SIM_COVER_moved_to_same_name);
    if (sim->one_host)
        sim_cover(sim, SIM_COVER_moved_empty_host);
    const char *host = sim->one_host ? "" : to->host;
    if (!sim->healed && sim_chance(sim, 2)) {
        sim_cover(sim, SIM_COVER_moved_unknown_host);
        host = "?"; /* it has not learned the other's name yet */
    }
    for (uint32_t tag = 0; tag < SIM_TAGS && *host != '?'; tag++) {
        struct sim_known *known = &sim->known[tag];
        if (sim->slot_of_tag[tag] != slot)
            continue;
        snprintf(known->said, SIM_NAME, "%.20s:%u", *host ? host : here->host, to->port);
        memcpy(known->led, known->said, sizeof known->led);
        known->led_ns = sim->now_ns;
    }
    sim_say_error(reply, "MOVED %u %s:%u", slot, host, to->port);
}

static void say_ask(struct sim *sim, const struct sim_command *command, uint32_t slot,
                    struct sim_reply *reply)
{
    const struct sim_server *to = &sim->servers[sim->migration.to];
    sim_cover(sim, SIM_COVER_ask);
    if (command->token) {
        const struct sim_call *call = sim->calls[sim->tokens[command->token].call];
        for (uint32_t i = 0; i < call->count; i++)
            sim->tokens[call->first_token + i].asked = true;
    }
    sim_say_error(reply, "ASK %u %s:%u", slot, sim->one_host ? "" : to->host, to->port);
}

static uint32_t missing_keys(const struct sim *sim, uint32_t server,
                             const struct sim_command *command)
{
    uint32_t missing = 0;
    for (uint32_t i = 0; i < command->key_count; i++)
        missing += !sim->servers[server].values[command->keys[i]].exists;
    return missing;
}

static void say_try_again(struct sim *sim, struct sim_reply *reply)
{
    sim_cover(sim, SIM_COVER_tryagain);
    sim_say_error(reply, "TRYAGAIN Multiple keys request during rehashing of slot");
}

/* While its slot moves. True: decided, with `serves` the answer. */
static bool decide_moving(struct sim *sim, struct sim_link *link, const struct sim_command *command,
                          uint32_t slot, bool asking, struct sim_reply *reply, bool *serves)
{
    const struct sim_migration *migration = &sim->migration;
    uint8_t owner = sim->views[link->server].owner[slot];
    bool here = migration->active && sim->slot_of_tag[migration->tag] == slot;
    uint32_t missing = missing_keys(sim, link->server, command);
    *serves = false;
    if (here && migration->source_knows && migration->from == link->server &&
        owner == link->server && missing) {
        if (missing < command->key_count)
            say_try_again(sim, reply);
        else
            say_ask(sim, command, slot, reply);
        return true;
    }
    if (here && migration->target_knows && migration->to == link->server && owner != link->server &&
        asking) {
        *serves = command->key_count < 2 || !missing;
        if (!*serves)
            say_try_again(sim, reply);
        return true;
    }
    return false;
}

bool sim_cluster_serves(struct sim *sim, struct sim_link *link, const struct sim_command *command,
                        bool asking, struct sim_reply *reply)
{
    const struct sim_server *server = &sim->servers[link->server];
    uint32_t slot = sim->slot_of_tag[command->keys[0] / SIM_TYPES];
    uint8_t owner = sim->views[link->server].owner[slot];
    bool serves;
    for (uint32_t i = 1; i < command->key_count; i++)
        if (command->keys[i] / SIM_TYPES != command->keys[0] / SIM_TYPES)
            sim_fail(sim, "#%u reaches a server with keys of several slots", command->token);
    if (server->minority || owner == SIM_NOBODY) {
        sim_cover(sim, SIM_COVER_clusterdown);
        if (server->minority)
            sim_cover(sim, SIM_COVER_minority);
        sim_say_error(reply, "CLUSTERDOWN %s",
                      server->minority ? "The cluster is down" : "Hash slot not served");
        return false;
    }
    if (decide_moving(sim, link, command, slot, asking, reply, &serves))
        return serves;
    bool reads =
        link->session.read_only && server->primary == owner && !sim_verb_writes(command->verb);
    if (owner == link->server || reads)
        return true;
    sim_say_moved(sim, link, slot, owner, reply);
    return false;
}

/* Blocked callers whose slot went elsewhere are sent after it. */
static void redirect_blocked(struct sim *sim, uint32_t server)
{
    for (uint32_t i = sim->first_live; i < sim->link_count; i++) {
        struct sim_link *link = sim->links[i];
        struct sim_reply reply = {0};
        if (!link->accepted || link->server != server || !link->session.blocked)
            continue;
        sim_say_reset(&reply);
        if (!sim_cluster_serves(sim, link, &link->session.waiting, false, &reply)) {
            link->session.blocked = false;
            link->session.block_serial++;
            sim_reply_send(sim, link, &reply, link->session.waiting.token);
            sim_server_read(sim, link);
        }
        sim_bytes_free(&reply.raw);
    }
}

void sim_learn(struct sim *sim, uint32_t server, uint32_t unused)
{
    struct sim_server *at = &sim->servers[server];
    (void)unused;
    if (at->dark || at->down || !at->exists)
        return; /* it learns when it is back */
    SIM_TRACE(sim, "cluster: server %u learns the truth", server);
    sim->views[server] = sim->truth;
    uint8_t primary = sim->truth.primary[server];
    bool follows = sim->truth.member[server] && primary != at->primary && primary != SIM_NOBODY;
    if (sim->truth.member[server] && primary != at->primary) {
        if (primary == SIM_NOBODY)
            at->primary = primary;
        else
            sim_demote(sim, server, primary);
    }
    redirect_blocked(sim, server);
    sim_pubsub_evict(sim, server, follows);
}

void sim_gossip(struct sim *sim, int64_t within_ns)
{
    for (uint32_t i = 0; i < SIM_SERVERS; i++)
        if (sim->servers[i].exists)
            sim_later(sim, sim->now_ns + sim_between(sim, 0, within_ns), sim_learn, i, 0);
}

uint32_t sim_slots_of(const struct sim *sim, uint32_t server)
{
    uint32_t count = 0;
    for (uint32_t slot = 0; slot < TENDON__SLOT_COUNT; slot++)
        count += sim->truth.owner[slot] == server;
    return count;
}
