/* What the tests of the engine expect of a call, and how they begin. */
#ifndef TENDON_TEST_ENGINE_EXPECT_H
#define TENDON_TEST_ENGINE_EXPECT_H

#include <criterion/criterion.h>
#include <string.h>

#include "engine_world.h"

#define OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define FIXED        OPTIONS("retry_jitter=no")
#define SLOT_FOO                                                                                   \
    12182 /* of the key foo: the last of three primaries has it, bar's is the first's */

static inline void expect_reply(const struct world_call *call, const char *reply)
{
    cr_assert_eq(call->outcomes, 1, "no outcome");
    cr_assert_eq(call->status, TENDON_OK, "status %d: %s", call->status, call->fault.text);
    cr_assert_str_eq(call->reply, reply);
}

static inline void expect_failure(const struct world_call *call, tendon_status status,
                                  uint32_t executed)
{
    cr_assert_eq(call->outcomes, 1, "no outcome");
    cr_assert_eq(call->status, status, "status %d: %s %s", call->status, call->fault.text,
                 call->reply);
    cr_assert_eq(call->executed, executed, "executed %u: %s", call->executed, call->fault.text);
}

/* One standalone server and one request that has been answered, so that the lane is there. */
static inline void begin(struct world *world, const char *const *options)
{
    world_init(world);
    world_start(world, options, 1);
    expect_reply(world_do(world, "PING"), "+PONG");
}

/* Three primaries and so many replicas; lanes to the first and the last. */
static inline void begin_cluster_with(struct world *world, uint32_t replicas,
                                      const char *const *options)
{
    world_init(world);
    world_make_cluster(world, 3, replicas);
    world_start(world, options, 7);
    expect_reply(world_do(world, "GET foo"), "$v:foo");
    expect_reply(world_do(world, "GET bar"), "$v:bar");
}

static inline void begin_cluster(struct world *world)
{
    begin_cluster_with(world, 0, OPTIONS("cluster_refresh_interval_ms=0"));
}

static inline struct tendon__node *node_at(struct world *world, const char *host)
{
    return tendon__node_find(world->engine, host, 6379);
}

#endif
