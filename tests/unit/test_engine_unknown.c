/* Commands that the table does not know, in a cluster: asked about once, then routed. */
#include <stdio.h>

#include "engine_expect.h"

#define READS "*1\r\n*6\r\n$8\r\nnew.read\r\n:2\r\n*2\r\n+readonly\r\n+fast\r\n:1\r\n:1\r\n:1"

Test(engine_unknown, the_first_key_is_asked_for_once)
{
    struct world world;
    begin_cluster(&world);
    world_rule(&world, -1, "COMMAND", WORLD_ANSWER, READS, 1);
    world_rule(&world, 2, "NEW.READ", WORLD_ANSWER, "+n2", 20);
    world_rule(&world, 0, "NEW.READ", WORLD_ANSWER, "+n0", 20);
    world_rule(&world, 1, "NEW.READ", WORLD_ANSWER, "+n1", 20);
    struct world_call *calls[20];
    for (int i = 0; i < 20; i++)
        calls[i] = world_submit(&world, i % 2 ? "NEW.READ foo" : "new.read bar");
    world_run(&world);
    for (int i = 0; i < 20; i++)
        expect_reply(calls[i], i % 2 ? "+n2" : "+n0");
    /* The next question would be answered with +OK, and not routed. */
    expect_reply(world_do(&world, "NEW.READ foo"), "+n2");
    cr_assert_eq(world.engine->stats.moved, 0);
    world_stop(&world);
}

Test(engine_unknown, what_the_server_does_not_know_goes_anywhere)
{
    struct world world;
    begin_cluster(&world);
    world_rule(&world, -1, "COMMAND", WORLD_ANSWER, "*1\r\n*-1", 1);
    world_rule(&world, -1, "NEW.READ", WORLD_ANSWER, "-ERR unknown command", 2);
    expect_reply(world_do(&world, "NEW.READ foo"), "-ERR unknown command");
    expect_reply(world_do(&world, "NEW.READ foo"), "-ERR unknown command");
    world_stop(&world);
}

Test(engine_unknown, a_refused_question_is_asked_again_and_the_command_goes_on)
{
    struct world world;
    begin_cluster(&world);
    world_rule(&world, -1, "COMMAND", WORLD_ANSWER, "-NOPERM no", 1);
    world_rule(&world, -1, "NEW.READ", WORLD_ANSWER, "+any", 1);
    expect_reply(world_do(&world, "NEW.READ foo"), "+any");
    world_rule(&world, -1, "COMMAND", WORLD_ANSWER, READS, 1);
    world_rule(&world, 2, "NEW.READ", WORLD_ANSWER, "+n2", 1);
    expect_reply(world_do(&world, "NEW.READ foo"), "+n2");
    world_stop(&world);
}

Test(engine_unknown, who_waits_behind_the_question_keeps_his_deadline)
{
    struct world world;
    begin_cluster_with(&world, 0, OPTIONS("command_timeout_ms=300"));
    for (int i = 0; i < 3; i++)
        world.servers[i].frozen = true;
    struct world_call *call = world_do(&world, "NEW.READ foo");
    struct world_call *other = world_do(&world, "NEW.READ bar");
    world_cancel(&world, other);
    expect_failure(other, TENDON_ERROR_CANCELLED, TENDON_EXECUTED_NO);
    world_advance(&world, 400);
    expect_failure(call, TENDON_ERROR_TIMEOUT, TENDON_EXECUTED_NO);
    world_submit(&world, "NEW.READ foo"); /* the end of the world finds it waiting */
    world_stop(&world);
}

Test(engine_unknown, more_names_than_are_remembered)
{
    struct world world;
    begin_cluster(&world);
    char command[32];
    for (int i = 0; i < 150; i++) {
        snprintf(command, sizeof command, "NEW.%d foo", i);
        world_rule(&world, -1, "COMMAND", WORLD_ANSWER, "*1\r\n*-1", 1);
        struct world_call *call = world_do(&world, command);
        cr_assert_eq(call->outcomes, 1);
    }
    world_stop(&world);
}

Test(engine_unknown, memory_that_runs_out_ends_the_call)
{
    for (long nth = 1; nth < 40; nth++) {
        struct world world;
        begin_cluster(&world);
        world_rule(&world, -1, "COMMAND", WORLD_ANSWER, READS, 9);
        world_rule(&world, -1, "NEW.READ", WORLD_ANSWER, "+any", 9);
        struct world_call *call = world_submit(&world, "NEW.READ foo");
        world.memory.refuse_from = world.memory.requests + nth;
        world_run(&world);
        world.memory.refuse_from = 0;
        world_advance(&world, 5000);
        cr_assert_eq(call->outcomes, 1, "allocation %ld", nth);
        world_stop(&world);
    }
}
