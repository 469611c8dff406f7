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

/* A renamed EVAL, for example: where its keys are depends on its arguments. */
#define MOVABLE                                                                                    \
    "*1\r\n*6\r\n$8\r\nnew.eval\r\n:-3\r\n*2\r\n+noscript\r\n+movablekeys\r\n:0\r\n:0\r\n:0"

static void begin_movable(struct world *world, const char *keys, uint32_t times)
{
    begin_cluster_with(world, 0,
                       OPTIONS("command_timeout_ms=300", "cluster_refresh_interval_ms=0"));
    world_rule(world, -1, "COMMAND", WORLD_ANSWER, MOVABLE, 1);
    world_rule(world, -1, "COMMAND", WORLD_ANSWER, keys, times);
    world_rule(world, 2, "NEW.EVAL", WORLD_ANSWER, "+n2", 20);
    world_rule(world, 0, "NEW.EVAL", WORLD_ANSWER, "+n0", 20);
    world_rule(world, 1, "NEW.EVAL", WORLD_ANSWER, "+n1", 20);
}

Test(engine_unknown, movable_keys_are_asked_for_with_the_arguments_of_each_call)
{
    struct world world;
    begin_movable(&world, "*2\r\n$3\r\nfoo\r\n$3\r\nfoo", 2);
    struct world_call *first = world_submit(&world, "NEW.EVAL x 2 foo foo");
    expect_reply(world_do(&world, "NEW.EVAL y 2 foo foo"), "+n2");
    expect_reply(first, "+n2");
    world_rule(&world, -1, "COMMAND", WORLD_ANSWER, "*1\r\n$3\r\nbar", 1);
    expect_reply(world_do(&world, "new.eval x 1 bar"), "+n0");
    cr_assert_eq(world.engine->stats.moved, 0);
    cr_assert_eq(world.engine->part_count, 0);
    world_stop(&world);
}

Test(engine_unknown, movable_keys_of_two_slots_are_refused)
{
    struct world world;
    begin_movable(&world, "*2\r\n$3\r\nfoo\r\n$3\r\nbar", 1);
    expect_failure(world_do(&world, "NEW.EVAL x 2 foo bar"), TENDON_ERROR_CROSSSLOT,
                   TENDON_EXECUTED_NO);
    world_stop(&world);
}

Test(engine_unknown, without_keys_it_goes_anywhere)
{
    struct world world;
    begin_movable(&world, "-ERR The command has no key arguments", 1);
    cr_assert_eq(world_do(&world, "NEW.EVAL x 0")->reply[1], 'n');
    world_rule(&world, -1, "COMMAND", WORLD_ANSWER, "*0", 1);
    cr_assert_eq(world_do(&world, "NEW.EVAL x 0")->reply[1], 'n');
    world_stop(&world);
}

Test(engine_unknown, who_may_not_ask_is_redirected)
{
    struct world world;
    begin_movable(&world, "-NOPERM no", 1);
    for (uint32_t i = 3; i < 5; i++) /* of the servers that do not have the key */
        snprintf(world.rules[i].reply, sizeof world.rules[i].reply, "-MOVED %d n2:6379\r\n",
                 SLOT_FOO);
    expect_reply(world_do(&world, "NEW.EVAL x 1 foo"), "+n2");
    world_stop(&world);
}

Test(engine_unknown, a_question_without_an_answer_is_asked_again)
{
    struct world world;
    begin_movable(&world, "*1\r\n$3\r\nfoo", 1);
    world.rules[1].act = WORLD_CLOSE; /* of GETKEYS: the connection ends instead */
    world_rule(&world, -1, "COMMAND", WORLD_ANSWER, "*1\r\n$3\r\nfoo", 1);
    struct world_call *call = world_submit(&world, "NEW.EVAL x 1 foo");
    world_advance(&world, 250);
    expect_reply(call, "+n2");
    world_stop(&world);
}

Test(engine_unknown, what_cannot_be_known_is_not_sent)
{
    struct world world;
    begin_movable(&world, "*1\r\n$3\r\nfoo", 1);
    expect_reply(world_do(&world, "NEW.EVAL x 1 foo"), "+n2");
    for (int i = 0; i < 3; i++)
        world.servers[i].frozen = true;
    struct world_call *call = world_do(&world, "NEW.EVAL x 1 foo");
    struct world_call *other = world_do(&world, "NEW.EVAL x 1 foo");
    cr_assert_eq(call->outcomes, 0);
    world_cancel(&world, other);
    expect_failure(other, TENDON_ERROR_CANCELLED, TENDON_EXECUTED_NO);
    world_advance(&world, 310);
    expect_failure(call, TENDON_ERROR_TIMEOUT, TENDON_EXECUTED_NO);
    cr_assert(strstr(call->fault.text, "where its keys are"), "%s", call->fault.text);
    cr_assert_leq(call->done_ns - call->deadline_ns, 10 * TENDON__MS);
    world_submit(&world, "NEW.EVAL x 1 foo"); /* the end of the world finds it waiting */
    world_stop(&world);
}

Test(engine_unknown, memory_that_runs_out_while_asking_for_keys_ends_the_call)
{
    for (long nth = 1; nth < 40; nth++) {
        struct world world;
        begin_movable(&world, "*1\r\n$3\r\nfoo", 9);
        expect_reply(world_do(&world, "NEW.EVAL x 1 foo"), "+n2");
        struct world_call *call = world_submit(&world, "NEW.EVAL x 1 foo");
        world.memory.refuse_from = world.memory.requests + nth;
        world_run(&world);
        world.memory.refuse_from = 0;
        world_advance(&world, 5000);
        cr_assert_eq(call->outcomes, 1, "allocation %ld", nth);
        world_stop(&world);
    }
}
