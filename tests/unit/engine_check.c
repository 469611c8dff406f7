/* What must hold in the engine's small world between steps. */
#include <criterion/criterion.h>

#include "engine_world.h"
#include "pool_check.h"

struct counts {
    uint32_t lanes;
    uint32_t unready;
    uint32_t states[TENDON__MEMBER_TESTING + 1];
};

static uint32_t length(const struct tendon__link *list)
{
    uint32_t count = 0;
    for (const struct tendon__link *link = list->next; link != list; link = link->next) {
        cr_assert_eq(link->next->prev, link, "a list is broken");
        count++;
    }
    return count;
}

static struct counts count_channels(const struct tendon__engine *engine,
                                    const struct tendon__node *node)
{
    struct counts counts = {0};
    const struct tendon__link *list = &engine->channels;
    for (const struct tendon__link *link = list->next; link != list; link = link->next) {
        const struct tendon__channel *channel = TENDON__OWNER(link, struct tendon__channel, link);
        cr_assert_neq(channel->state, TENDON__CHANNEL_CLOSED,
                      "a closed connection is still listed");
        if (channel->node != node)
            continue;
        counts.unready += channel->state != TENDON__CHANNEL_READY;
        if (channel->is_lane)
            counts.lanes++;
        else
            counts.states[channel->member.state]++;
    }
    return counts;
}

static void check_node(const struct tendon__engine *engine, const struct tendon__node *node)
{
    const struct tendon__pool *pool = &node->pool;
    struct counts counts = count_channels(engine, node);
    const char *complaint = pool_check(pool, true);
    cr_assert_null(complaint, "%s: %s", node->name, complaint);
    cr_assert_eq(pool->reserved_count, counts.lanes, "%s: %u reserved, %u lanes", node->name,
                 pool->reserved_count, counts.lanes);
    cr_assert_eq(pool->dialing_count, counts.states[TENDON__MEMBER_DIALING]);
    cr_assert_eq(pool->idle_count, counts.states[TENDON__MEMBER_IDLE]);
    cr_assert_eq(pool->leased_count, counts.states[TENDON__MEMBER_LEASED]);
    cr_assert_eq(pool->busy_count,
                 counts.states[TENDON__MEMBER_RESETTING] + counts.states[TENDON__MEMBER_TESTING]);
    cr_assert_eq(counts.states[TENDON__MEMBER_NONE], 0, "%s: a connection belongs to nobody",
                 node->name);
    cr_assert_eq(node->dials, counts.unready, "%s: %u dials counted, %u under way", node->name,
                 node->dials, counts.unready);
    cr_assert_eq(node->waiting_count, length(&node->waiting));
    for (uint32_t i = 0; i < TENDON__LANES_MAX; i++)
        cr_assert(!node->lanes[i] || node->lanes[i]->state != TENDON__CHANNEL_CLOSED,
                  "%s: a lane is closed", node->name);
}

static void check_calls(struct world *world)
{
    while (world->settled < world->call_count && world->calls[world->settled]->outcomes == 1)
        world->settled++;
    for (size_t i = world->settled; i < world->call_count; i++) {
        const struct world_call *call = world->calls[i];
        cr_assert_leq(call->outcomes, 1, "call %zu (%s) has %u outcomes", i, call->key,
                      call->outcomes);
        cr_assert(call->outcomes || call->deadline_ns > world->now_ns,
                  "call %zu (%s) outlived its deadline", i, call->key);
    }
}

void world_check(struct world *world)
{
    const struct tendon__engine *engine = world->engine;
    uint32_t nodes = 0;
    const struct tendon__link *list = &engine->nodes;
    for (const struct tendon__link *link = list->next; link != list; link = link->next, nodes++)
        check_node(engine, TENDON__OWNER(link, struct tendon__node, link));
    cr_assert_eq(nodes, engine->node_count);
    cr_assert_eq(length(&engine->channels), engine->channel_count);
    cr_assert_eq(engine->pending - engine->ended_count, world->accepted - world->completed,
                 "%u pending, %u ended, %llu open calls", engine->pending, engine->ended_count,
                 (unsigned long long)(world->accepted - world->completed));
    check_calls(world);
}
