/* The engine against a fake cluster: routes, redirects, transactions and replicas. */
#include <stdio.h>

#include "engine_expect.h"

Test(engine_cluster, keys_decide_where_a_command_goes)
{
    struct world world;
    begin_cluster(&world);
    cr_assert_eq(world.engine->kind, TENDON__KIND_CLUSTER);
    cr_assert_eq(world.slots_asked, 1);
    cr_assert_eq(world.engine->stats.moved, 0);
    cr_assert_eq(world.servers[0].accepted, 1);
    cr_assert_eq(world.servers[1].accepted, 0, "nobody asked for a slot of n1");
    cr_assert_eq(world.servers[2].accepted, 1);
    world_stop(&world);
}

Test(engine_cluster, keys_of_two_slots_are_refused_before_anything_is_sent)
{
    struct world world;
    begin_cluster(&world);
    struct world_call *call = world_do(&world, "SUNION foo bar");
    expect_failure(call, TENDON_ERROR_CROSSSLOT, TENDON_EXECUTED_NO);
    expect_failure(world_do(&world, "MULTI|INCR foo|INCR bar|EXEC"), TENDON_ERROR_CROSSSLOT,
                   TENDON_EXECUTED_NO);
    world_stop(&world);
}

Test(engine_cluster, moved_is_followed_and_remembered)
{
    struct world world;
    begin_cluster(&world);
    world_own(&world, SLOT_FOO, SLOT_FOO, 1);
    struct world_call *call = world_do(&world, "INCR foo");
    expect_reply(call, ":1");
    cr_assert_eq(call->redirects, 1);
    cr_assert_eq(world.askings, 0, "ASKING belongs to ASK");
    cr_assert_eq(call->attempts, 0, "a redirect is no failed attempt");
    expect_reply(world_do(&world, "INCR foo"), ":1");
    cr_assert_eq(world.engine->stats.moved, 1, "the map did not learn");
    world_advance(&world, 5000);
    cr_assert_eq(world.slots_asked, 2, "one refresh, not %u", world.slots_asked - 1);
    expect_reply(world_do(&world, "INCR foo"), ":1");
    cr_assert_eq(world.engine->stats.moved, 1);
    world_stop(&world);
}

Test(engine_cluster, a_thousand_moved_make_at_most_two_refreshes)
{
    struct world world;
    begin_cluster(&world);
    world_own(&world, 10923, TENDON__SLOT_COUNT - 1, 1);
    struct world_call *calls[1000];
    char command[32];
    for (int i = 0; i < 1000; i++) {
        snprintf(command, sizeof command, "GET {foo}%d", i);
        calls[i] = world_submit(&world, command);
    }
    world_advance(&world, 900);
    for (int i = 0; i < 1000; i++)
        cr_assert_eq(calls[i]->status, TENDON_OK);
    cr_assert_leq(world.slots_asked, 3);
    world_advance(&world, 1500);
    cr_assert_leq(world.slots_asked, 3);
    world_stop(&world);
}

Test(engine_cluster, moved_to_the_node_that_said_it_makes_a_new_connection)
{
    struct world world;
    begin_cluster(&world);
    char moved[64];
    snprintf(moved, sizeof moved, "-MOVED %d n2:6379", SLOT_FOO);
    world_rule(&world, 2, "INCR", WORLD_ANSWER, moved, 1);
    struct world_call *call = world_do(&world, "INCR foo");
    world_advance(&world, 200);
    expect_reply(call, ":1");
    cr_assert_eq(world.servers[2].accepted, 2, "the stale connection was kept");
    world_stop(&world);
}

Test(engine_cluster, moved_without_a_host_means_the_host_that_answered)
{
    struct world world;
    begin_cluster(&world);
    char moved[64];
    snprintf(moved, sizeof moved, "-MOVED %d :6379", SLOT_FOO);
    world_rule(&world, 2, "INCR", WORLD_ANSWER, moved, 1);
    struct world_call *call = world_do(&world, "INCR foo");
    world_advance(&world, 200);
    expect_reply(call, ":1");
    world_stop(&world);
}

Test(engine_cluster, redirects_without_end_are_ended)
{
    struct world world;
    begin_cluster_with(&world, 0, OPTIONS("max_redirects=4"));
    char moved[64];
    snprintf(moved, sizeof moved, "-MOVED %d n1:6379", SLOT_FOO);
    world_rule(&world, 2, "INCR", WORLD_ANSWER, moved, 99);
    snprintf(moved, sizeof moved, "-MOVED %d n2:6379", SLOT_FOO);
    world_rule(&world, 1, "INCR", WORLD_ANSWER, moved, 99);
    struct world_call *call = world_do(&world, "INCR foo");
    expect_failure(call, TENDON_ERROR_REDIRECTS, TENDON_EXECUTED_NO);
    cr_assert_eq(call->redirects, 5);
    world_stop(&world);
}

/* The fake server forgets ASKING after one command, so another request in between would end in
 * MOVED. */
Test(engine_cluster, ask_is_followed_with_asking_directly_before_the_command)
{
    struct world world;
    begin_cluster(&world);
    char ask[64];
    snprintf(ask, sizeof ask, "-ASK %d n1:6379", SLOT_FOO);
    world_rule(&world, 2, "INCR", WORLD_ANSWER, ask, 20);
    struct world_call *calls[40];
    for (int i = 0; i < 40; i++)
        calls[i] = world_submit(&world, i % 2 ? "INCR foo" : "PING");
    world_run(&world);
    for (int i = 0; i < 40; i++)
        expect_reply(calls[i], i % 2 ? ":1" : "+PONG");
    cr_assert_eq(world.engine->stats.moved, 0);
    cr_assert_eq(world.engine->stats.ask, 20);
    expect_reply(world_do(&world, "INCR foo"), ":1");
    cr_assert_eq(world.engine->stats.ask, 20, "ASK must not change the map");
    cr_assert_str_eq(tendon__topology_primary(world.engine->map, SLOT_FOO)->host, "n2");
    world_stop(&world);
}

Test(engine_cluster, try_again_waits_a_little_and_stays)
{
    struct world world;
    begin_cluster(&world);
    world_rule(&world, 2, "INCR", WORLD_ANSWER,
               "-TRYAGAIN Multiple keys request during rehashing of slot", 3);
    struct world_call *call = world_do(&world, "INCR foo");
    cr_assert_eq(call->outcomes, 0);
    world_advance(&world, 2000);
    expect_reply(call, ":1");
    cr_assert_eq(world.engine->stats.moved, 0);
    world_stop(&world);
}

Test(engine_cluster, a_cluster_that_is_down_is_waited_for_until_the_deadline)
{
    struct world world;
    begin_cluster_with(&world, 0, OPTIONS("max_retries=1", "command_timeout_ms=2000"));
    world_rule(&world, -1, "INCR", WORLD_ANSWER, "-CLUSTERDOWN The cluster is down", 9999);
    struct world_call *call = world_do(&world, "INCR foo");
    world_advance(&world, 1990);
    cr_assert_eq(call->outcomes, 0);
    cr_assert_leq(world.wire_serial, 4, "waiting is no reason to connect");
    world_advance(&world, 20);
    expect_failure(call, TENDON_ERROR_TIMEOUT, TENDON_EXECUTED_NO);
    cr_assert_str_eq(call->fault.prefix, "CLUSTERDOWN");
    world_stop(&world);
}

Test(engine_cluster, a_cluster_that_heals_answers)
{
    struct world world;
    begin_cluster_with(&world, 0, OPTIONS("max_retries=1", "command_timeout_ms=2000"));
    world_rule(&world, -1, "INCR", WORLD_ANSWER, "-CLUSTERDOWN The cluster is down", 3);
    struct world_call *call = world_do(&world, "INCR foo");
    world_advance(&world, 1900);
    expect_reply(call, ":1");
    world_stop(&world);
}

Test(engine_cluster, a_transaction_on_the_wrong_node_is_repeated_as_a_whole)
{
    struct world world;
    begin_cluster(&world);
    world_own(&world, SLOT_FOO, SLOT_FOO, 1);
    struct world_call *call = world_do(&world, "MULTI|INCR foo|INCR {foo}c2|EXEC");
    cr_assert_eq(call->status, TENDON_OK, "%s", call->fault.text);
    cr_assert_str_eq(call->last, "*2");
    cr_assert_str_eq(call->reply, "+OK");
    cr_assert_eq(call->reply_count, 4);
    cr_assert_eq(world_executed(&world, "{foo}c2"), 1);
    world_stop(&world);
}

Test(engine_cluster, a_transaction_that_is_asked_away_goes_with_asking_before_multi)
{
    struct world world;
    begin_cluster(&world);
    char ask[64];
    snprintf(ask, sizeof ask, "-ASK %d n1:6379", SLOT_FOO);
    world_submit(&world, "PING");
    struct world_call *call = world_submit(&world, "MULTI|INCR foo|EXEC");
    world_rule(&world, 2, "EXEC", WORLD_ANSWER, ask, 1);
    world_run(&world);
    cr_assert_eq(call->status, TENDON_OK, "%s", call->fault.text);
    cr_assert_str_eq(call->last, "*1", "%s", call->last);
    cr_assert_eq(world_executed(&world, "foo"), 2, "GET and one INCR");
    world_stop(&world);
}

Test(engine_cluster, the_callers_own_mistake_in_a_transaction_is_his)
{
    struct world world;
    begin_cluster(&world);
    world_rule(&world, 2, "EXEC", WORLD_ANSWER,
               "-EXECABORT Transaction discarded because of previous errors.", 1);
    struct world_call *call = world_do(&world, "MULTI|INCR foo|EXEC");
    cr_assert_eq(call->status, TENDON_OK);
    cr_assert_eq(strncmp(call->last, "-EXECABORT", 10), 0);
    world_stop(&world);
}

Test(engine_cluster, a_group_that_is_no_transaction_teaches_the_map)
{
    struct world world;
    begin_cluster(&world);
    world_own(&world, SLOT_FOO, SLOT_FOO, 1);
    struct world_call *call = world_do(&world, "INCR foo|INCR {foo}2");
    world_advance(&world, 100);
    cr_assert_eq(call->outcomes, 1);
    expect_reply(world_do(&world, "INCR foo|INCR {foo}2"), ":1");
    cr_assert_str_eq(tendon__topology_primary(world.engine->map, SLOT_FOO)->host, "n1");
    world_stop(&world);
}

Test(engine_cluster, reads_go_to_replicas_when_asked_for)
{
    struct world world;
    begin_cluster_with(&world, 3, OPTIONS("read_from=replica"));
    expect_reply(world_do(&world, "GET foo"), "$v:foo");
    expect_reply(world_do(&world, "INCR foo"), ":1");
    cr_assert_eq(world.servers[5].accepted, 1);
    cr_assert_eq(world.engine->stats.moved, 0, "READONLY was not said");
    world.servers[5].down = true;
    world_cut_server(&world, 5, true);
    struct world_call *fallback = world_do(&world, "GET foo");
    world_advance(&world, 500);
    expect_reply(fallback, "$v:foo");
    world_stop(&world);
}

Test(engine_cluster, replica_only_fails_without_replicas)
{
    struct world world;
    world_init(&world);
    world_make_cluster(&world, 3, 0);
    world_start(&world, OPTIONS("read_from=replica_only", "command_timeout_ms=500"), 3);
    struct world_call *call = world_do(&world, "GET foo");
    world_advance(&world, 600);
    cr_assert_eq(call->outcomes, 1);
    cr_assert_neq(call->status, TENDON_OK);
    cr_assert_eq(call->executed, TENDON_EXECUTED_NO);
    world_stop(&world);
}

Test(engine_cluster, a_replica_that_loads_is_left_for_another)
{
    struct world world;
    begin_cluster_with(&world, 3, OPTIONS("read_from=replica", "command_timeout_ms=1500"));
    world_rule(&world, 5, "GET", WORLD_ANSWER, "-LOADING Redis is loading the dataset in memory",
               9999);
    struct world_call *call = world_do(&world, "GET foo");
    world_advance(&world, 1400);
    expect_reply(call, "$v:foo");
    world_stop(&world);
}

Test(engine_cluster, blocking_commands_follow_redirects_too)
{
    struct world world;
    begin_cluster(&world);
    char moved[64];
    snprintf(moved, sizeof moved, "-MOVED %d n1:6379", SLOT_FOO);
    world_own(&world, SLOT_FOO, SLOT_FOO, 1);
    world_rule(&world, 2, "BLPOP", WORLD_ANSWER, moved, 1);
    world_rule(&world, 1, "BLPOP", WORLD_ANSWER, "*2\r\n$3\r\nfoo\r\n$1\r\nx", 1);
    struct world_call *call = world_do(&world, "BLPOP foo 1");
    expect_reply(call, "*2");
    cr_assert_eq(node_at(&world, "n2")->pool.leased_count, 0);
    cr_assert_eq(node_at(&world, "n1")->pool.leased_count, 0);
    world_stop(&world);
}

Test(engine_cluster, a_named_node_is_asked_and_an_unknown_one_is_refused)
{
    struct world world;
    begin_cluster(&world);
    struct world_call *call = world_submit_as(
        &world, "PING", (struct world_how){.route = TENDON_ROUTE_NODE, .node = "n1:6379"});
    world_run(&world);
    expect_reply(call, "+PONG");
    cr_assert_eq(world.servers[1].accepted, 1);
    call = world_submit_as(&world, "PING",
                           (struct world_how){.route = TENDON_ROUTE_NODE, .node = "n9:6379"});
    world_run(&world);
    expect_failure(call, TENDON_ERROR_NO_NODE, TENDON_EXECUTED_NO);
    world_stop(&world);
}
