/* What the simulated world (tests/sim) found wrong in subscriptions, as scripts that stay. */
#include "subscription_expect.h"

#define SLOT_OF_OTHER 11361 /* of the name other: the last of three primaries has it too */

Test(subscription_found, what_was_missed_before_it_was_given_up_is_told)
{
    struct world world;
    struct tendon_subscription *some = listen_to(&world, FIXED);
    world_say(&world, some, "SUBSCRIBE a b c");
    world.heard[0] = '\0';
    world_rule(&world, -1, "UNSUBSCRIBE", WORLD_CLOSE, NULL, 1);
    world_say(&world, some, "UNSUBSCRIBE");
    world_expect(&world, "closed;unsubscribe a 2;unsubscribe b 1;gap;unsubscribe c 0;=:0");
    end(&world, some);
}

Test(subscription_found, what_was_sent_away_before_it_was_given_up_is_told)
{
    struct world world;
    struct tendon_subscription *some = listen_cluster(&world);
    world_say(&world, some, "SSUBSCRIBE foo");
    world.heard[0] = '\0';
    world_say_as(&world, some, "SUNSUBSCRIBE foo", TENDON_TIMEOUT_NONE);
    world_move(&world, "foo", 0);
    world_run(&world);
    /* The first words may be the answer; that they were not, shows the MOVED behind them. */
    world_expect(&world, "sunsubscribe foo 0;=:0;gap");
    world_advance(&world, 5000);
    world_expect(&world, "");
    end(&world, some);
}

Test(subscription_found, what_was_given_up_in_peace_is_no_gap)
{
    struct world world;
    struct tendon_subscription *some = listen_cluster(&world);
    world_say(&world, some, "SSUBSCRIBE foo other");
    world.heard[0] = '\0';
    world_say(&world, some, "SUNSUBSCRIBE foo");
    world_advance(&world, 100);
    world_expect(&world, "sunsubscribe foo 1;=:1");
    world_say(&world, some, "SUNSUBSCRIBE other");
    world_cut_server(&world, 2, false);
    world_advance(&world, 5000);
    cr_assert_eq(world.gaps, 0, "%s", world.heard);
    end(&world, some);
}

Test(subscription_found, the_end_of_a_connection_leaves_open_who_gave_it_up)
{
    struct world world;
    struct tendon_subscription *some = listen_cluster(&world);
    world_say(&world, some, "SSUBSCRIBE foo");
    world.heard[0] = '\0';
    world_rule(&world, 2, "SUNSUBSCRIBE", WORLD_CLOSE_AFTER, NULL, 1);
    world_say_as(&world, some, "SUNSUBSCRIBE foo", TENDON_TIMEOUT_NONE);
    world_move(&world, "foo", 0);
    world_run(&world);
    expect_end(&world, "closed;gap");
    end(&world, some);
}

Test(subscription_found, a_moved_that_comes_late_is_about_no_other_name)
{
    struct world world;
    struct tendon_subscription *some = listen_cluster(&world);
    world_say(&world, some, "SSUBSCRIBE foo");
    world.heard[0] = '\0';
    cr_assert_eq(tendon__key_slot("other", 5), SLOT_OF_OTHER);
    world_rule(&world, 2, "SSUBSCRIBE", WORLD_SWALLOW, NULL, 1);
    world_say(&world, some, "SSUBSCRIBE other");
    world_push(&world, world_feed(&world), "-MOVED 12182 n0:6379\r\n");
    world_expect(&world, "");
    const struct tendon__name *other =
        tendon__names_find(&some->names, TENDON__NAME_SHARDED, (tendon_bytes){"other", 5});
    cr_assert(other && other->state == TENDON__NAME_ASKED);
    world_release(&world);
    world_run(&world);
    world_expect(&world, "ssubscribe other 2;=:2");
    world_publish(&world, "other", "x");
    world_expect(&world, "smessage other x");
    end(&world, some);
}

Test(subscription_found, a_node_without_names_gives_its_connection_back)
{
    struct world world;
    struct tendon_subscription *some = listen_cluster(&world);
    world_say(&world, some, "SSUBSCRIBE foo");
    world_say(&world, some, "SUNSUBSCRIBE foo");
    uint32_t accepted = world.servers[2].accepted;
    world_advance(&world, 500);
    world_say(&world, some, "SSUBSCRIBE foo"); /* it waits for a while */
    cr_assert_eq(world.servers[2].accepted, accepted);
    world_advance(&world, 5000);
    world_publish(&world, "foo", "x");
    expect_end(&world, "smessage foo x");
    world_say(&world, some, "SUNSUBSCRIBE foo");
    world_advance(&world, 2000);
    cr_assert_eq(node_at(&world, "n2")->pool.leased_count, 0);
    world_say(&world, some, "SSUBSCRIBE foo");
    world_move(&world, "foo", 0);
    world_advance(&world, 5000);
    cr_assert_eq(node_at(&world, "n2")->pool.leased_count, 0);
    cr_assert_eq(node_at(&world, "n0")->pool.leased_count, 1);
    world_expect(&world, "sunsubscribe foo 0;=:0;ssubscribe foo 1;=:1;ssubscribe foo 1 again;gap");
    end(&world, some);
}

Test(subscription_found, an_old_server_that_goes_on_is_not_heard)
{
    struct world world;
    struct tendon_subscription *some = listen_cluster(&world);
    world_say(&world, some, "SSUBSCRIBE foo other");
    world.heard[0] = '\0';
    /* The slot moves, but what was subscribed stays at the old server. */
    world_own(&world, SLOT_FOO, SLOT_FOO, 0);
    world_say(&world, some, "SSUBSCRIBE foo");
    world_advance(&world, 5000);
    world_expect(&world, "ssubscribe foo 1;gap;=:2");
    world_publish(&world, "foo", "x");
    world_expect(&world, "smessage foo x");
    world_say(&world, some, "SUNSUBSCRIBE foo");
    world_publish(&world, "foo", "x");
    world_publish(&world, "other", "x");
    world_expect(&world, "sunsubscribe foo 0;=:1;smessage other x");
    end(&world, some);
}

Test(subscription_found, what_is_given_up_is_told_when_there_is_memory_again)
{
    for (uint32_t deaf = 1; deaf < 4; deaf++) {
        struct world world;
        struct tendon_subscription *some = listen_to(&world, FIXED);
        world_say(&world, some, "SUBSCRIBE a b");
        world.heard[0] = '\0';
        world.deaf = deaf;
        world_say(&world, some, "UNSUBSCRIBE a b");
        cr_assert_null(strstr(world.heard, "=:0"), "%s", world.heard);
        world_advance(&world, 1000);
        expect_end(&world, "0;=:0");
        world.deaf = 1;
        world_say(&world, some, "UNSUBSCRIBE none");
        world_expect(&world, "=error -2");
        end(&world, some);
    }
}

Test(subscription_found, what_is_given_up_untold_may_be_wanted_again)
{
    struct world world;
    struct tendon_subscription *some = listen_to(&world, FIXED);
    world_say(&world, some, "SUBSCRIBE a");
    world.deaf = 1;
    world_cancel(&world, world_say(&world, some, "UNSUBSCRIBE a"));
    world.heard[0] = '\0';
    world_say(&world, some, "SUBSCRIBE a");
    world_advance(&world, 1000);
    world_expect(&world, "subscribe a 1;=:1");
    world_publish(&world, "a", "x");
    world_expect(&world, "message a x");
    end(&world, some);
}

Test(subscription_found, what_is_refused_untold_is_asked_for_again)
{
    struct world world;
    struct tendon_subscription *some = listen_to(&world, FIXED);
    world_say(&world, some, "SUBSCRIBE a");
    world_rule(&world, -1, "SUBSCRIBE", WORLD_ANSWER, "-NOPERM no", 2);
    world_cut(&world, world_feed(&world), false);
    world.heard[0] = '\0';
    world.deaf = 1;
    world_advance(&world, 5000);
    world_expect(&world, "failed;gap");
    cr_assert_eq(some->names.counts[TENDON__NAME_CHANNEL], 0);
    end(&world, some);
}
