/* Where the engine learns the map of a cluster: bootstrap, refresh, failover, nodes that come and
 * go. */
#include <stdio.h>

#include "engine_expect.h"

Test(engine_map, a_failover_is_survived)
{
    struct world world;
    begin_cluster_with(&world, 3,
                       OPTIONS("command_timeout_ms=9000", "cluster_refresh_interval_ms=0"));
    world.servers[2].down = true;
    world_cut_server(&world, 2, true);
    struct world_call *during = world_do(&world, "INCR foo");
    world_advance(&world, 500);
    cr_assert_eq(during->outcomes, 0);
    world.servers[5].replica_of = -1;
    world.servers[2].replica_of = 5;
    world_own(&world, 10923, TENDON__SLOT_COUNT - 1, 5);
    world_advance(&world, 8000);
    expect_reply(during, ":1");
    cr_assert_eq(world_executed(&world, "foo"), 2, "GET and one INCR");
    world_stop(&world);
}

Test(engine_map, the_end_of_a_failover_is_noticed_soon)
{
    for (uint64_t seed = 1; seed <= 30; seed++) {
        struct world world;
        world_init(&world);
        world_make_cluster(&world, 3, 3);
        world_start(&world, OPTIONS("command_timeout_ms=9000", "cluster_refresh_interval_ms=0"),
                    seed);
        expect_reply(world_do(&world, "GET foo"), "$v:foo");
        world_advance(&world, 5000);
        uint32_t asked = world.slots_asked;
        world.servers[2].down = true;
        world_cut_server(&world, 2, true);
        struct world_call *during = world_do(&world, "INCR foo");
        world_advance(&world, 1300 + (int64_t)seed * 10);
        cr_assert_eq(during->outcomes, 0);
        world.servers[5].replica_of = -1;
        world.servers[2].replica_of = 5;
        world_own(&world, 10923, TENDON__SLOT_COUNT - 1, 5);
        world_advance(&world, 300);
        cr_assert_eq(during->outcomes, 1, "seed %d", (int)seed);
        expect_reply(during, ":1");
        cr_assert_leq(world.slots_asked - asked, 14, "%u", world.slots_asked - asked);
        world_stop(&world);
    }
}

Test(engine_map, a_lost_primary_nobody_waits_for_is_not_asked_about_in_a_hurry)
{
    struct world world;
    begin_cluster(&world);
    world_advance(&world, 5000);
    uint32_t asked = world.slots_asked;
    world.servers[2].down = true;
    world_cut_server(&world, 2, true);
    world_advance(&world, 10000);
    cr_assert_leq(world.slots_asked - asked, 12, "%u", world.slots_asked - asked);
    world_stop(&world);
}

Test(engine_map, a_demoted_node_is_not_written_to_again)
{
    struct world world;
    begin_cluster_with(&world, 3, OPTIONS("cluster_refresh_interval_ms=0"));
    world_rule(&world, 2, "INCR", WORLD_ANSWER,
               "-READONLY You can't write against a read only replica.", 1);
    world.servers[5].replica_of = -1;
    world.servers[2].replica_of = 5;
    world_own(&world, 10923, TENDON__SLOT_COUNT - 1, 5);
    struct world_call *call = world_do(&world, "INCR foo");
    world_advance(&world, 2500);
    expect_reply(call, ":1");
    world_stop(&world);
}

Test(engine_map, losing_a_connection_asks_for_the_map)
{
    struct world world;
    begin_cluster(&world);
    world_advance(&world, 5000);
    uint32_t before = world.slots_asked;
    world_cut_server(&world, 2, false);
    world_advance(&world, 1500);
    cr_assert_eq(world.slots_asked, before + 1);
    world_stop(&world);
}

Test(engine_map, one_refresh_at_a_time_and_it_moves_on_from_a_hung_node)
{
    struct world world;
    begin_cluster(&world);
    world_advance(&world, 5000);
    world_rule(&world, -1, "CLUSTER", WORLD_SWALLOW, NULL, 1);
    uint32_t before = world.slots_asked;
    tendon__map_trigger(world.engine);
    world_advance(&world, 100);
    for (int i = 0; i < 50; i++)
        tendon__map_trigger(world.engine);
    world_advance(&world, 500);
    cr_assert_eq(world.slots_asked, before + 1, "two questions at the same time");
    world_advance(&world, 3000);
    cr_assert_geq(world.slots_asked, before + 2, "the hung node stopped all refreshes");
    world_release(&world);
    world_advance(&world, 3000);
    cr_assert_leq(world.slots_asked, before + 4);
    cr_assert_not(world.engine->refresh.running);
    expect_reply(world_do(&world, "INCR foo"), ":1");
    world_stop(&world);
}

Test(engine_map, a_failed_refresh_keeps_the_map)
{
    struct world world;
    begin_cluster(&world);
    world_rule(&world, -1, "CLUSTER", WORLD_ANSWER, "-NOPERM this user has no permissions", 50);
    tendon__map_trigger(world.engine);
    world_advance(&world, 3000);
    cr_assert_geq(world.engine->stats.refresh_failures, 1);
    expect_reply(world_do(&world, "INCR foo"), ":1");
    expect_reply(world_do(&world, "INCR bar"), ":1");
    world_stop(&world);
}

Test(engine_map, a_user_that_may_not_see_the_map_learns_why)
{
    struct world world;
    world_init(&world);
    world_make_cluster(&world, 3, 0);
    world_rule(&world, -1, "CLUSTER", WORLD_ANSWER, "-NOPERM this user has no permissions", 50);
    world_start(&world, OPTIONS("max_retries=2"), 1);
    struct world_call *call = world_do(&world, "INCR foo");
    world_advance(&world, 3000);
    cr_assert_eq(call->outcomes, 1);
    cr_assert(call->status == TENDON_ERROR_TOPOLOGY || call->status == TENDON_ERROR_TIMEOUT);
    cr_assert_not_null(strstr(call->fault.text, "NOPERM"), "%s", call->fault.text);
    cr_assert_eq(call->executed, TENDON_EXECUTED_NO);
    world_stop(&world);
}

Test(engine_map, no_map_and_no_retries_is_an_error_not_an_empty_success)
{
    struct world world;
    world_init(&world);
    world_make_cluster(&world, 3, 0);
    world_rule(&world, -1, "CLUSTER", WORLD_ANSWER, "-NOPERM this user has no permissions", 50);
    world_start(&world, OPTIONS("max_retries=0"), 1);
    for (int i = 0; i < 3; i++) {
        struct world_call *call = world_do(&world, "INCR foo");
        world_advance(&world, 10);
        expect_failure(call, TENDON_ERROR_TOPOLOGY, TENDON_EXECUTED_NO);
        cr_assert_not_null(strstr(call->fault.text, "NOPERM"), "%s", call->fault.text);
    }
    world_stop(&world);
}

static void move_while_the_answer_is_on_its_way(uint64_t seed)
{
    struct world world;
    world_init(&world);
    world_make_cluster(&world, 3, 0);
    world_start(&world, OPTIONS("cluster_refresh_interval_ms=0"), seed);
    expect_reply(world_do(&world, "GET foo"), "$v:foo");
    world_do(&world, "GET bar");
    world_advance(&world, 5000);
    uint32_t asked = world.slots_asked;
    world.read_chunk = 1;
    tendon__map_trigger(world.engine);
    for (int i = 0; i < 50 && world.slots_asked == asked; i++)
        world_step(&world);
    cr_assert(world.engine->refresh.running);
    world_own(&world, SLOT_FOO, SLOT_FOO, 1);
    struct world_call *call = world_submit(&world, "INCR foo");
    for (int i = 0; i < 60; i++)
        world_step(&world);
    world_rule(&world, -1, "CLUSTER", WORLD_CLOSE, NULL, 99); /* no newer answer */
    world_run(&world);
    expect_reply(call, ":1");
    cr_assert_str_eq(tendon__topology_primary(world.engine->map, SLOT_FOO)->host, "n1", "seed %llu",
                     (unsigned long long)seed);
    world_own(&world, SLOT_FOO, SLOT_FOO, 2);
    world.rules[0].times = 0;
    world.read_chunk = SIZE_MAX;
    world_advance(&world, 60000);
    tendon__map_trigger(world.engine);
    world_advance(&world, 5000);
    cr_assert_str_eq(tendon__topology_primary(world.engine->map, SLOT_FOO)->host, "n2",
                     "seed %llu: an old redirect outlived a newer answer",
                     (unsigned long long)seed);
    world_stop(&world);
}

/* The question goes to a node at random: sometimes the answer comes before the redirect, sometimes
 * behind it. */
Test(engine_map, moved_that_came_after_the_question_outlives_the_older_answer)
{
    for (uint64_t seed = 1; seed <= 20; seed++)
        move_while_the_answer_is_on_its_way(seed);
}

/* After a failover somebody who does not know of it yet redirects to the former primary, while the
 * question is under way. The answer knows of the failover, and so does another redirect. */
Test(engine_map, an_older_redirect_does_not_undo_a_failover_that_the_answer_tells)
{
    struct world world;
    begin_cluster_with(&world, 3, OPTIONS("cluster_refresh_interval_ms=0"));
    world_advance(&world, 5000);
    world_rule(&world, -1, "CLUSTER", WORLD_SWALLOW, NULL, 1);
    world.servers[5].replica_of = -1;
    world.servers[2].replica_of = 5;
    world_own(&world, 10923, TENDON__SLOT_COUNT - 1, 5);
    tendon__map_trigger(world.engine);
    world_advance(&world, 100);
    cr_assert(world.engine->refresh.running);
    expect_reply(world_do(&world, "INCR foo"), ":1");
    world_rule(&world, 5, "GET", WORLD_ANSWER, "-MOVED 15495 n2:6379", 1);
    world_rule(&world, 2, "GET", WORLD_ANSWER, "+old", 1);
    expect_reply(world_do(&world, "GET a"), "+old");
    cr_assert(world.engine->refresh.running);
    world_release(&world);
    world_run(&world);
    cr_assert_not(world.engine->refresh.running);
    cr_assert_str_eq(tendon__topology_primary(world.engine->map, SLOT_FOO)->host, "n5");
    world_stop(&world);
}

Test(engine_map, a_node_that_left_is_closed_and_forgotten)
{
    struct world world;
    begin_cluster(&world);
    world_own(&world, 10923, TENDON__SLOT_COUNT - 1, 1);
    tendon__map_trigger(world.engine);
    world_advance(&world, 3000);
    cr_assert_null(node_at(&world, "n2"));
    cr_assert_eq(world.events[TENDON_EVENT_TOPOLOGY], 2);
    expect_reply(world_do(&world, "INCR foo"), ":1");
    world_stop(&world);
}

Test(engine_map, a_node_that_left_finishes_what_it_has)
{
    struct world world;
    begin_cluster(&world);
    world_advance(&world, 3000);
    world_rule(&world, 2, "GET", WORLD_SWALLOW, NULL, 1);
    struct world_call *call = world_do(&world, "GET foo");
    world_own(&world, 10923, TENDON__SLOT_COUNT - 1, 1);
    tendon__map_trigger(world.engine);
    world_advance(&world, 1000);
    cr_assert_eq(call->outcomes, 0);
    world_release(&world);
    world_run(&world);
    expect_reply(call, "$v:foo");
    cr_assert_null(node_at(&world, "n2"));
    world_stop(&world);
}

Test(engine_map, two_hundred_generations_of_nodes_are_no_problem)
{
    struct world world;
    begin_cluster_with(&world, 0, OPTIONS("cluster_refresh_interval_ms=0", "cluster_max_nodes=4"));
    for (int i = 0; i < 200; i++) {
        snprintf(world.servers[2].host, sizeof world.servers[2].host, "gen%d", i);
        world_cut_server(&world, 2, true);
        tendon__map_trigger(world.engine);
        world_advance(&world, 2500);
        expect_reply(world_do(&world, "INCR foo"), ":1");
    }
    cr_assert_leq(world.engine->node_count, 5);
    world_stop(&world);
}

Test(engine_map, uncovered_slots_fail_alone_and_are_served_when_they_come_back)
{
    struct world world;
    world_init(&world);
    world_make_cluster(&world, 3, 0);
    world_own(&world, 10923, TENDON__SLOT_COUNT - 1, WORLD_EXTERNAL);
    world_start(&world, OPTIONS("command_timeout_ms=4000"), 3);
    struct world_call *uncovered = world_do(&world, "INCR foo");
    expect_reply(world_do(&world, "INCR bar"), ":1");
    world_advance(&world, 500);
    cr_assert_eq(uncovered->outcomes, 0);
    world_own(&world, 10923, TENDON__SLOT_COUNT - 1, 2);
    world_advance(&world, 3000);
    expect_reply(uncovered, ":1");
    world_stop(&world);
}

Test(engine_map, seeds_that_are_down_are_passed_over)
{
    struct world world;
    world_init(&world);
    world_make_cluster(&world, 3, 0);
    world.servers[0].down = world.servers[1].down = true;
    world_start(&world, OPTIONS("endpoints=n0:6379,n1:6379,n2:6379"), 3);
    struct world_call *call = world_do(&world, "GET foo");
    world_advance(&world, 500);
    expect_reply(call, "$v:foo");
    world_stop(&world);
}

Test(engine_map, all_nodes_replaced_are_found_again_through_the_seed)
{
    struct world world;
    begin_cluster(&world);
    for (uint32_t i = 1; i < 3; i++) {
        snprintf(world.servers[i].host, sizeof world.servers[i].host, "new%u", i);
        world_cut_server(&world, i, true);
    }
    world_cut_server(&world, 0, true);
    struct world_call *call = world_do(&world, "GET foo");
    world_advance(&world, 2900);
    expect_reply(call, "$v:foo");
    world_stop(&world);
}

Test(engine_map, close_while_refreshing)
{
    struct world world;
    begin_cluster(&world);
    world_rule(&world, -1, "CLUSTER", WORLD_SWALLOW, NULL, 1);
    world_advance(&world, 3000);
    tendon__map_trigger(world.engine);
    world_advance(&world, 100);
    cr_assert(world.engine->refresh.running);
    world_stop(&world);
}

Test(engine_map, memory_failing_at_every_allocation, .timeout = 60)
{
    for (long n = 1; n < 80; n++) {
        struct world world;
        begin_cluster(&world);
        world_own(&world, SLOT_FOO, SLOT_FOO, 1);
        struct world_call *calls[] = {
            world_submit(&world, "GET foo"), world_submit(&world, "MULTI|INCR foo|EXEC"),
            world_submit(&world, "BLPOP foo 1"), world_lease(&world, "foo", 0)};
        world.memory.refuse_from = world.memory.requests + n;
        world_run(&world);
        world_advance(&world, 200);
        world.memory.refuse_from = 0;
        world_advance(&world, 6000);
        for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
            cr_assert_eq(calls[i]->outcomes, 1, "allocation %ld, call %zu", n, i);
        expect_reply(world_do(&world, "GET foo"), "$v:foo");
        world_stop(&world);
    }
}
