/* What must hold inside the engine between turns: counts agree with the connections there are. */
#include <stdio.h>

#include "../unit/pool_check.h"
#include "sim.h"

struct counts {
    uint32_t lanes;
    uint32_t unready;
    uint32_t states[TENDON__MEMBER_TESTING + 1];
};

static uint32_t length(const struct tendon__link *list)
{
    uint32_t count = 0;
    for (const struct tendon__link *link = list->next; link != list; link = link->next) {
        if (link->next->prev != link)
            return UINT32_MAX;
        count++;
    }
    return count;
}

static bool count_channels(const struct tendon__engine *engine, const struct tendon__node *node,
                           struct counts *counts)
{
    const struct tendon__link *list = &engine->channels;
    for (const struct tendon__link *link = list->next; link != list; link = link->next) {
        const struct tendon__channel *channel = TENDON__OWNER(link, struct tendon__channel, link);
        if (channel->state == TENDON__CHANNEL_CLOSED)
            return false;
        if (channel->node != node)
            continue;
        counts->unready += channel->state != TENDON__CHANNEL_READY;
        if (channel->is_lane)
            counts->lanes++;
        else
            counts->states[channel->member.state]++;
    }
    return true;
}

static const char *check_node(const struct tendon__engine *engine, const struct tendon__node *node)
{
    const struct tendon__pool *pool = &node->pool;
    struct counts counts = {0};
    const char *complaint = pool_check(pool, true);
    if (complaint)
        return complaint;
    if (!count_channels(engine, node, &counts))
        return "a closed connection is still listed";
    if (pool->reserved_count != counts.lanes)
        return "reserved places and lanes differ";
    if (pool->dialing_count != counts.states[TENDON__MEMBER_DIALING] ||
        pool->idle_count != counts.states[TENDON__MEMBER_IDLE] ||
        pool->leased_count != counts.states[TENDON__MEMBER_LEASED] ||
        pool->busy_count !=
            counts.states[TENDON__MEMBER_RESETTING] + counts.states[TENDON__MEMBER_TESTING])
        return "the pool counts connections that are not there";
    if (counts.states[TENDON__MEMBER_NONE])
        return "a connection belongs to nobody";
    if (node->dials != counts.unready)
        return "dials counted and dials under way differ";
    if (node->waiting_count != length(&node->waiting))
        return "waiting requests and their count differ";
    for (uint32_t i = 0; i < TENDON__LANES_MAX; i++)
        if (node->lanes[i] && node->lanes[i]->state == TENDON__CHANNEL_CLOSED)
            return "a lane is closed";
    return NULL;
}

const char *sim_check_engine(const struct tendon__engine *engine, char out[SIM_SHOWN])
{
    uint32_t nodes = 0;
    const struct tendon__link *list = &engine->nodes;
    for (const struct tendon__link *link = list->next; link != list; link = link->next, nodes++) {
        const struct tendon__node *node = TENDON__OWNER(link, struct tendon__node, link);
        const char *complaint = check_node(engine, node);
        if (complaint) {
            snprintf(out, SIM_SHOWN, "%.80s: %.70s", node->name, complaint);
            return out;
        }
    }
    if (nodes != engine->node_count)
        return "nodes and their count differ";
    if (length(&engine->channels) != engine->channel_count)
        return "connections and their count differ";
    uint32_t opening = 0, owed = 0;
    list = &engine->channels;
    for (const struct tendon__link *link = list->next; link != list; link = link->next) {
        const struct tendon__channel *channel = TENDON__OWNER(link, struct tendon__channel, link);
        opening += channel->state != TENDON__CHANNEL_READY;
        owed += channel->conn.fifo_count;
    }
    if (opening != engine->opening_count || owed != engine->owed_count)
        return "what connections owe and its count differ";
    return NULL;
}
