/* Commands for several nodes: their parts, and the one outcome made of theirs. */
#include <stdio.h>

#include "engine_expect.h"

#define EVERY "*1\r\n$1\r\nv"

Test(engine_spread, keys_of_two_slots_make_two_commands)
{
    struct world world;
    begin_cluster(&world);
    world_rule(&world, 0, "MGET", WORLD_ANSWER, EVERY, 1);
    world_rule(&world, 2, "MGET", WORLD_ANSWER, EVERY, 1);
    expect_reply(world_do(&world, "MGET foo bar"), "*2");
    world_rule(&world, 0, "DEL", WORLD_ANSWER, ":1", 1);
    world_rule(&world, 2, "DEL", WORLD_ANSWER, ":2", 1);
    expect_reply(world_do(&world, "DEL foo bar {foo}2"), ":3");
    expect_reply(world_do(&world, "MSET foo 1 bar 2"), "+OK");
    world_stop(&world);
}

Test(engine_spread, what_makes_no_pairs_is_refused)
{
    struct world world;
    begin_cluster(&world);
    expect_failure(world_do(&world, "MSET foo 1 bar"), TENDON_ERROR_CROSSSLOT, TENDON_EXECUTED_NO);
    world_stop(&world);
}

Test(engine_spread, a_part_follows_its_redirect)
{
    struct world world;
    begin_cluster(&world);
    world_own(&world, SLOT_FOO, SLOT_FOO, 1);
    world_rule(&world, 0, "DEL", WORLD_ANSWER, ":1", 1);
    world_rule(&world, 1, "DEL", WORLD_ANSWER, ":1", 1);
    char moved[64];
    snprintf(moved, sizeof moved, "-MOVED %d n1:6379", SLOT_FOO);
    world_rule(&world, 2, "DEL", WORLD_ANSWER, moved, 1);
    expect_reply(world_do(&world, "DEL foo bar"), ":2");
    world_stop(&world);
}

Test(engine_spread, numbers_of_all_primaries_become_one)
{
    struct world world;
    begin_cluster_with(&world, 3, OPTIONS("cluster_refresh_interval_ms=0"));
    for (int i = 0; i < 3; i++) {
        const char *const size[] = {":10", ":5", ":7"};
        world_rule(&world, i, "DBSIZE", WORLD_ANSWER, size[i], 1);
        world_rule(&world, i, "SCRIPT", WORLD_ANSWER, i ? "*2\r\n:1\r\n:1" : "*2\r\n:1\r\n:0", 1);
    }
    expect_reply(world_do(&world, "DBSIZE"), ":22");
    expect_reply(world_do(&world, "SCRIPT EXISTS a b"), "*2");
    world_stop(&world);
}

Test(engine_spread, a_ping_asks_one_node_that_answers)
{
    struct world world;
    begin_cluster(&world);
    world_rule(&world, -1, "PING", WORLD_ANSWER, "+one", 1);
    expect_reply(world_do(&world, "PING"), "+one");
    world.servers[0].down = world.servers[1].down = true;
    world_cut_server(&world, 0, false);
    for (int i = 0; i < 20; i++) {
        struct world_call *call = world_submit(&world, "PING");
        world_advance(&world, 200);
        expect_reply(call, "+PONG");
    }
    world_stop(&world);
}

Test(engine_spread, one_success_may_be_enough)
{
    struct world world;
    begin_cluster(&world);
    world_rule(&world, 0, "SCRIPT", WORLD_ANSWER, "-NOTBUSY no", 1);
    world_rule(&world, 1, "SCRIPT", WORLD_ANSWER, "+OK", 1);
    world_rule(&world, 2, "SCRIPT", WORLD_ANSWER, "-NOTBUSY no", 1);
    expect_reply(world_do(&world, "SCRIPT KILL"), "+OK");
    world_rule(&world, -1, "SCRIPT", WORLD_ANSWER, "-NOTBUSY no", 3);
    expect_reply(world_do(&world, "SCRIPT KILL"), "-NOTBUSY no");
    world_stop(&world);
}

Test(engine_spread, an_error_of_one_node_says_which_and_that_others_ran)
{
    struct world world;
    begin_cluster(&world);
    world_rule(&world, 1, "FLUSHALL", WORLD_ANSWER, "-NOPERM no", 1);
    struct world_call *call = world_do(&world, "FLUSHALL");
    expect_failure(call, TENDON_ERROR_SERVER, TENDON_EXECUTED_UNKNOWN);
    cr_assert_str_eq(call->fault.prefix, "NOPERM");
    cr_assert_str_eq(call->fault.node, "n1:6379");
    cr_assert(strstr(call->fault.text, "1 of 3"), "%s", call->fault.text);
    world_rule(&world, -1, "FLUSHALL", WORLD_ANSWER, "-NOPERM no", 3);
    expect_reply(world_do(&world, "FLUSHALL"), "-NOPERM no");
    world_stop(&world);
}

Test(engine_spread, a_lost_part_fails_the_whole)
{
    struct world world;
    begin_cluster(&world);
    world_rule(&world, 1, "FLUSHALL", WORLD_CLOSE_AFTER, "", 1);
    struct world_call *call = world_do(&world, "FLUSHALL");
    expect_failure(call, TENDON_ERROR_DISCONNECTED, TENDON_EXECUTED_UNKNOWN);
    cr_assert_str_eq(call->fault.node, "n1:6379");
    world_stop(&world);
}

Test(engine_spread, answers_that_do_not_fit_are_no_answer)
{
    struct world world;
    begin_cluster(&world);
    world_rule(&world, 1, "DBSIZE", WORLD_ANSWER, "+many", 1);
    world_rule(&world, -1, "DBSIZE", WORLD_ANSWER, ":1", 2);
    expect_failure(world_do(&world, "DBSIZE"), TENDON_ERROR_PROTOCOL, TENDON_EXECUTED_YES);
    world_rule(&world, 0, "MGET", WORLD_ANSWER, "*0", 1);
    world_rule(&world, 2, "MGET", WORLD_ANSWER, EVERY, 1);
    expect_failure(world_do(&world, "MGET foo bar"), TENDON_ERROR_PROTOCOL, TENDON_EXECUTED_YES);
    world_stop(&world);
}

Test(engine_spread, every_node_is_asked_where_that_is_wanted)
{
    struct world world;
    begin_cluster_with(&world, 3, OPTIONS("cluster_refresh_interval_ms=0"));
    world_rule(&world, 1, "TIME", WORLD_ANSWER, "-ERR no clock", 1);
    struct world_call *call =
        world_submit_as(&world, "TIME", (struct world_how){.route = TENDON_ROUTE_ALL_PRIMARIES});
    world_run(&world);
    expect_reply(call, "*6");
    call = world_submit_as(&world, "PING", (struct world_how){.route = TENDON_ROUTE_ALL_NODES});
    world_run(&world);
    expect_reply(call, "*12");
    world_stop(&world);
}

Test(engine_spread, the_deadline_and_cancel_end_every_part)
{
    struct world world;
    begin_cluster_with(&world, 0, OPTIONS("command_timeout_ms=300", "retry_jitter=no"));
    world.servers[1].frozen = true;
    struct world_call *call = world_do(&world, "FLUSHALL");
    cr_assert_eq(call->outcomes, 0);
    world_advance(&world, 400);
    expect_failure(call, TENDON_ERROR_TIMEOUT, TENDON_EXECUTED_UNKNOWN);
    call = world_do(&world, "FLUSHALL");
    world_cancel(&world, call);
    expect_failure(call, TENDON_ERROR_CANCELLED, TENDON_EXECUTED_UNKNOWN);
    world_submit(&world, "DBSIZE"); /* the end of the world finds it under way */
    world_stop(&world);
}

Test(engine_spread, memory_that_runs_out_ends_the_call)
{
    for (long nth = 1; nth < 80; nth++) {
        struct world world;
        begin_cluster(&world);
        world_rule(&world, -1, "MGET", WORLD_ANSWER, EVERY, 99);
        struct world_call *call = world_submit(&world, "MGET foo bar");
        world.memory.refuse_from = world.memory.requests + nth;
        world_run(&world);
        world.memory.refuse_from = 0;
        world_advance(&world, 5000);
        cr_assert_eq(call->outcomes, 1, "allocation %ld", nth);
        world_stop(&world);
    }
}
