/* Subscriptions as servers have them: names of a connection, messages to those who listen, and
 * names given up because their slot went elsewhere. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/subscription.h"
#include "sim.h"

static const char *const joins[SIM_KINDS] = {"subscribe", "psubscribe", "ssubscribe"};
static const char *const leaves[SIM_KINDS] = {"unsubscribe", "punsubscribe", "sunsubscribe"};
static const char *const messages[SIM_KINDS] = {"message", "pmessage", "smessage"};

uint32_t sim_kind_mask(enum sim_kind kind)
{
    return ((1u << SIM_TAGS) - 1) << kind * SIM_TAGS;
}

struct tendon_subscription *sim_heard_by(const struct sim_link *link)
{
    const struct tendon__feed *feed = link->channel ? link->channel->feed : NULL;
    return feed ? feed->subscription : NULL;
}

static void say_head(const struct sim_session *session, struct sim_reply *reply, uint32_t count)
{
    sim_say_head(reply, session->resp3 ? '>' : '*', count);
}

static void say_name(struct sim_reply *reply, uint32_t tag)
{
    char name[16];
    sim_key_name(sim_key(tag, 's'), name);
    sim_say_string(reply, name, 0);
}

static void confirm(const struct sim_session *session, struct sim_reply *reply, const char *word,
                    uint32_t name)
{
    uint32_t kind = name / SIM_TAGS;
    uint32_t mask = kind == SIM_SHARDED ? sim_kind_mask(SIM_SHARDED)
                                        : sim_kind_mask(SIM_CHANNELS) | sim_kind_mask(SIM_PATTERNS);
    say_head(session, reply, 3);
    sim_say_string(reply, word, 0);
    say_name(reply, name % SIM_TAGS);
    sim_say_integer(reply, __builtin_popcount(session->names & mask));
}

static bool is_pong(struct sim_link *link, const struct sim_command *command,
                    struct sim_reply *reply)
{
    char text[16] = "";
    struct sim_session *session = &link->session;
    if (command->verb != SIM_PING || command->token)
        return false;
    if (command->number)
        snprintf(text, sizeof text, "p%u", command->number);
    if (!session->resp3 && session->names) {
        sim_say_head(reply, '*', 2);
        sim_say_string(reply, "pong", 0);
        sim_say_string(reply, text, 0);
    } else if (command->number) {
        sim_say_string(reply, text, 0);
    } else {
        return false;
    }
    return true;
}

/* Replicas take sharded channels without READONLY, and a slot that is moving does not matter. */
static bool serves(struct sim *sim, struct sim_link *link, const struct sim_command *command,
                   struct sim_reply *reply)
{
    const struct sim_server *at = &sim->servers[link->server];
    uint32_t slot = sim->slot_of_tag[command->keys[0] / SIM_TYPES];
    uint8_t owner = sim->views[link->server].owner[slot];
    if (at->minority || owner == SIM_NOBODY) {
        sim_say_error(reply, "CLUSTERDOWN The cluster is down");
        return false;
    }
    if (owner == link->server || owner == at->primary)
        return true;
    sim_say_moved(sim, link, slot, owner, reply);
    return false;
}

bool sim_serve_pubsub(struct sim *sim, struct sim_link *link, const struct sim_command *command,
                      struct sim_reply *reply)
{
    struct sim_session *session = &link->session;
    if (is_pong(link, command, reply))
        return true;
    if (command->verb < SIM_SUBSCRIBE || command->verb > SIM_SUNSUBSCRIBE) {
        if (!session->resp3 && session->names && command->verb != SIM_PING)
            sim_fail(sim, "%s is sent on link %u, which has subscribed and speaks RESP2",
                     sim_verb_name(command->verb), link->index);
        return false;
    }
    uint32_t kind = (command->verb - SIM_SUBSCRIBE) / 2;
    bool leave = (command->verb - SIM_SUBSCRIBE) % 2;
    if (kind == SIM_SHARDED && sim->cluster && !serves(sim, link, command, reply))
        return true;
    if (sim->now_ns < sim->servers[link->server].loading_until_ns) {
        sim_cover(sim, SIM_COVER_loading);
        sim_say_error(reply, "LOADING Redis is loading the dataset in memory");
        return true;
    }
    for (uint32_t i = 0; i < command->key_count; i++) {
        uint32_t name = kind * SIM_TAGS + command->keys[i] / SIM_TYPES;
        session->names = leave ? session->names & ~(1u << name) : session->names | 1u << name;
        confirm(session, reply, leave ? leaves[kind] : joins[kind], name);
    }
    sim_cover(sim, leave ? SIM_COVER_unsubscribed : SIM_COVER_subscribed);
    return true;
}

void sim_pubsub_evict(struct sim *sim, uint32_t server, bool follows)
{
    const struct sim_view *view = &sim->views[server];
    for (uint32_t i = sim->first_live; sim->cluster && i < sim->link_count; i++) {
        struct sim_link *link = sim->links[i];
        struct sim_session *session = &link->session;
        for (uint32_t tag = 0; link->accepted && link->server == server && tag < SIM_TAGS; tag++) {
            uint32_t name = SIM_SHARDED * SIM_TAGS + tag;
            struct sim_reply reply = {0};
            uint8_t owner = view->owner[sim->slot_of_tag[tag]];
            if (!(session->names & 1u << name) || owner == server ||
                (owner != SIM_NOBODY && owner == sim->servers[server].primary && !follows))
                continue;
            sim_cover(sim, SIM_COVER_evicted);
            sim_listener_loses(sim, sim_heard_by(link));
            sim_listener_crosses(sim, sim_heard_by(link), tag);
            session->names &= ~(1u << name);
            sim_say_reset(&reply);
            confirm(session, &reply, leaves[SIM_SHARDED], name);
            sim_reply_send(sim, link, &reply, 0);
            sim_bytes_free(&reply.raw);
        }
    }
}

static void deliver(struct sim *sim, struct sim_link *link, uint32_t name)
{
    struct sim_reply reply = {0};
    char payload[24];
    uint32_t kind = name / SIM_TAGS;
    link->told = sim_grow(link->told, link->told_count, &link->told_room, 1);
    link->told[link->told_count++] = (uint8_t)name;
    snprintf(payload, sizeof payload, "%u:%u", link->index, link->told_count);
    sim_say_reset(&reply);
    say_head(&link->session, &reply, kind == SIM_PATTERNS ? 4 : 3);
    sim_say_string(&reply, messages[kind], 0);
    if (kind == SIM_PATTERNS)
        say_name(&reply, name % SIM_TAGS);
    say_name(&reply, name % SIM_TAGS);
    sim_say_string(&reply, payload, sim_chance(sim, 3) ? sim_below(sim, 30000) : 0);
    sim_reply_send(sim, link, &reply, 0);
    sim_bytes_free(&reply.raw);
}

/* Sharded messages go through who believes to own the slot, and its replicas; others everywhere. A
 * slot that is taken away and given back before its server has learned it is nothing it can tell.
 */
static bool hears(const struct sim *sim, uint32_t server, uint32_t name)
{
    const struct sim_server *at = &sim->servers[server];
    if (!at->exists || at->down || at->retired)
        return false;
    uint8_t owner = sim->views[server].owner[sim->slot_of_tag[name % SIM_TAGS]];
    return name / SIM_TAGS != SIM_SHARDED || !sim->cluster || owner == server ||
           (owner != SIM_NOBODY && owner == at->primary);
}

void sim_publish(struct sim *sim, uint32_t name)
{
    uint32_t reached = 0; /* listeners, a bit each */
    uint32_t cut_off = 0; /* those that listen to a server outside of the cluster */
    for (uint32_t i = sim->first_live; i < sim->link_count; i++) {
        struct sim_link *link = sim->links[i];
        const struct tendon_subscription *subscription = sim_heard_by(link);
        if (!link->accepted || !(link->session.names & 1u << name))
            continue;
        if (!hears(sim, link->server, name)) {
            if (subscription && sim->servers[link->server].retired)
                cut_off |= 1u << subscription->tag;
            continue;
        }
        if (subscription)
            reached |= 1u << subscription->tag;
        if (!sim->servers[link->server].frozen)
            deliver(sim, link, name); /* else nothing was published there */
    }
    sim_cover(sim, SIM_COVER_published);
    sim_listeners_missed(sim, name, reached, cut_off);
}
