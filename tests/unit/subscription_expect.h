/* How the tests of subscriptions begin and end, and what they expect to have heard. */
#ifndef TENDON_TEST_SUBSCRIPTION_EXPECT_H
#define TENDON_TEST_SUBSCRIPTION_EXPECT_H

#include "client/subscription.h"
#include "engine_expect.h"

static inline struct tendon_subscription *listen_to(struct world *world, const char *const *options)
{
    world_init(world);
    world_start(world, options, 3);
    return world_listen(world);
}

static inline struct tendon_subscription *listen_cluster(struct world *world)
{
    begin_cluster(world);
    return world_listen(world);
}

static inline void end(struct world *world, struct tendon_subscription *subscription)
{
    if (subscription)
        world_deafen(world, subscription);
    world_run(world);
    world_stop(world);
}

/* Everything heard since, after time enough for any backoff, ends like this. */
static inline void expect_end(struct world *world, const char *text)
{
    size_t size = strlen(text);
    size_t heard = strlen(world->heard);
    cr_assert(heard >= size && !strcmp(world->heard + heard - size, text),
              "\"%s\" does not end in \"%s\"", world->heard, text);
    world->heard[0] = '\0';
}

#endif
