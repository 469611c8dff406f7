/* The engine against a fake cluster: the map, redirects, failover, refresh, replicas and nodes that
 * leave. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "cluster/slots.h"
#include "engine_world.h"

#define OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define SLOT_FOO     12182 /* of the key foo: owned by the last of three primaries */
#define SLOT_BAR     5061  /* of the key bar: owned by the first */

static void expect_reply(const struct world_call *call, const char *reply)
{
    cr_assert_eq(call->outcomes, 1, "no outcome");
    cr_assert_eq(call->status, TENDON_OK, "status %d: %s", call->status, call->fault.text);
    cr_assert_str_eq(call->reply, reply);
}

static void expect_failure(const struct world_call *call, tendon_status status, uint32_t executed)
{
    cr_assert_eq(call->outcomes, 1, "no outcome");
    cr_assert_eq(call->status, status, "status %d: %s %s", call->status, call->fault.text,
                 call->reply);
    cr_assert_eq(call->executed, executed, "executed %u: %s", call->executed, call->fault.text);
}

static void begin_with(struct world *world, uint32_t replicas, const char *const *options)
{
    world_init(world);
    world_make_cluster(world, 3, replicas);
    world_start(world, options, 7);
    expect_reply(world_do(world, "GET foo"), "$v:foo");
    expect_reply(world_do(world, "GET bar"), "$v:bar");
}

static void begin(struct world *world)
{
    begin_with(world, 0, OPTIONS("cluster_refresh_interval_ms=0"));
}

static struct tendon__node *node_at(struct world *world, const char *host)
{
    return tendon__node_find(world->engine, host, 6379);
}

Test(engine_cluster, keys_decide_where_a_command_goes)
{
    struct world world;
    begin(&world);
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
    begin(&world);
    struct world_call *call = world_do(&world, "MGET foo bar");
    expect_failure(call, TENDON_ERROR_CROSSSLOT, TENDON_EXECUTED_NO);
    expect_failure(world_do(&world, "MULTI|INCR foo|INCR bar|EXEC"), TENDON_ERROR_CROSSSLOT,
                   TENDON_EXECUTED_NO);
    world_stop(&world);
}

Test(engine_cluster, moved_is_followed_and_remembered)
{
    struct world world;
    begin(&world);
    world_own(&world, SLOT_FOO, SLOT_FOO, 1);
    struct world_call *call = world_do(&world, "INCR foo");
    expect_reply(call, ":1");
    cr_assert_eq(call->redirects, 1);
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
    begin(&world);
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
    begin(&world);
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
    begin(&world);
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
    begin_with(&world, 0, OPTIONS("max_redirects=4"));
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
    begin(&world);
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
    begin(&world);
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
    begin_with(&world, 0, OPTIONS("max_retries=1", "command_timeout_ms=2000"));
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
    begin_with(&world, 0, OPTIONS("max_retries=1", "command_timeout_ms=2000"));
    world_rule(&world, -1, "INCR", WORLD_ANSWER, "-CLUSTERDOWN The cluster is down", 3);
    struct world_call *call = world_do(&world, "INCR foo");
    world_advance(&world, 1900);
    expect_reply(call, ":1");
    world_stop(&world);
}

Test(engine_cluster, a_failover_is_survived)
{
    struct world world;
    begin_with(&world, 3, OPTIONS("command_timeout_ms=9000", "cluster_refresh_interval_ms=0"));
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

Test(engine_cluster, a_demoted_node_is_not_written_to_again)
{
    struct world world;
    begin_with(&world, 3, OPTIONS("cluster_refresh_interval_ms=0"));
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

Test(engine_cluster, losing_a_connection_asks_for_the_map)
{
    struct world world;
    begin(&world);
    world_advance(&world, 5000);
    uint32_t before = world.slots_asked;
    world_cut_server(&world, 2, false);
    world_advance(&world, 1500);
    cr_assert_eq(world.slots_asked, before + 1);
    world_stop(&world);
}

Test(engine_cluster, one_refresh_at_a_time_and_it_moves_on_from_a_hung_node)
{
    struct world world;
    begin(&world);
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

Test(engine_cluster, a_failed_refresh_keeps_the_map)
{
    struct world world;
    begin(&world);
    world_rule(&world, -1, "CLUSTER", WORLD_ANSWER, "-NOPERM this user has no permissions", 50);
    tendon__map_trigger(world.engine);
    world_advance(&world, 3000);
    cr_assert_geq(world.engine->stats.refresh_failures, 1);
    expect_reply(world_do(&world, "INCR foo"), ":1");
    expect_reply(world_do(&world, "INCR bar"), ":1");
    world_stop(&world);
}

Test(engine_cluster, a_user_that_may_not_see_the_map_learns_why)
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

Test(engine_cluster, no_map_and_no_retries_is_an_error_not_an_empty_success)
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

Test(engine_cluster, moved_that_came_after_the_question_outlives_the_older_answer)
{
    struct world world;
    begin(&world);
    world_advance(&world, 5000);
    world.read_chunk = 1;
    tendon__map_trigger(world.engine);
    for (int i = 0; i < 3; i++)
        world_step(&world); /* the old map is on its way */
    cr_assert(world.engine->refresh.running);
    world_own(&world, SLOT_FOO, SLOT_FOO, 1);
    struct world_call *call = world_submit(&world, "INCR foo");
    for (int i = 0; i < 60 && !call->outcomes; i++)
        world_step(&world);
    world_rule(&world, -1, "CLUSTER", WORLD_CLOSE, NULL, 99);
    world_run(&world);
    expect_reply(call, ":1");
    cr_assert_str_eq(tendon__topology_primary(world.engine->map, SLOT_FOO)->host, "n1");
    world_stop(&world);
}

Test(engine_cluster, a_transaction_on_the_wrong_node_is_repeated_as_a_whole)
{
    struct world world;
    begin(&world);
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
    begin(&world);
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
    begin(&world);
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
    begin(&world);
    world_own(&world, SLOT_FOO, SLOT_FOO, 1);
    struct world_call *call = world_do(&world, "INCR foo|INCR {foo}2");
    world_advance(&world, 100);
    cr_assert_eq(call->outcomes, 1);
    expect_reply(world_do(&world, "INCR foo|INCR {foo}2"), ":1");
    cr_assert_str_eq(tendon__topology_primary(world.engine->map, SLOT_FOO)->host, "n1");
    world_stop(&world);
}

Test(engine_cluster, a_node_that_left_is_closed_and_forgotten)
{
    struct world world;
    begin(&world);
    world_own(&world, 10923, TENDON__SLOT_COUNT - 1, 1);
    tendon__map_trigger(world.engine);
    world_advance(&world, 3000);
    cr_assert_null(node_at(&world, "n2"));
    cr_assert_eq(world.events[TENDON_EVENT_TOPOLOGY], 2);
    expect_reply(world_do(&world, "INCR foo"), ":1");
    world_stop(&world);
}

Test(engine_cluster, a_node_that_left_finishes_what_it_has)
{
    struct world world;
    begin(&world);
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

Test(engine_cluster, two_hundred_generations_of_nodes_are_no_problem)
{
    struct world world;
    begin_with(&world, 0, OPTIONS("cluster_refresh_interval_ms=0", "cluster_max_nodes=4"));
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

Test(engine_cluster, uncovered_slots_fail_alone_and_are_served_when_they_come_back)
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

Test(engine_cluster, reads_go_to_replicas_when_asked_for)
{
    struct world world;
    begin_with(&world, 3, OPTIONS("read_from=replica"));
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
    begin_with(&world, 3, OPTIONS("read_from=replica", "command_timeout_ms=1500"));
    world_rule(&world, 5, "GET", WORLD_ANSWER, "-LOADING Redis is loading the dataset in memory",
               9999);
    struct world_call *call = world_do(&world, "GET foo");
    world_advance(&world, 1400);
    expect_reply(call, "$v:foo");
    world_stop(&world);
}

Test(engine_cluster, seeds_that_are_down_are_passed_over)
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

Test(engine_cluster, all_nodes_replaced_are_found_again_through_the_seed)
{
    struct world world;
    begin(&world);
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

Test(engine_cluster, close_while_refreshing)
{
    struct world world;
    begin(&world);
    world_rule(&world, -1, "CLUSTER", WORLD_SWALLOW, NULL, 1);
    world_advance(&world, 3000);
    tendon__map_trigger(world.engine);
    world_advance(&world, 100);
    cr_assert(world.engine->refresh.running);
    world_stop(&world);
}

Test(engine_cluster, blocking_commands_follow_redirects_too)
{
    struct world world;
    begin(&world);
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
    begin(&world);
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

Test(engine_cluster, memory_failing_at_every_allocation, .timeout = 60)
{
    for (long n = 1; n < 80; n++) {
        struct world world;
        begin(&world);
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
