/* What the engine sends again, how often, and what it says about the rest. */
#include "engine_expect.h"

Test(engine_retry, lost_before_it_was_sent_is_tried_again)
{
    struct world world;
    begin(&world, FIXED);
    world_budget(&world, 0, 0);
    struct world_call *call = world_do(&world, "INCR c1");
    world_cut_server(&world, 0, true);
    world_advance(&world, 100);
    expect_reply(call, ":1");
    cr_assert_eq(call->attempts, 1);
    cr_assert_eq(world_executed(&world, "c1"), 1);
    world_stop(&world);
}

Test(engine_retry, lost_half_sent_is_tried_again)
{
    for (size_t sent = 1; sent < strlen("*2\r\n$4\r\nINCR\r\n$2\r\nc1\r\n"); sent++) {
        struct world world;
        begin(&world, FIXED);
        world_budget(&world, 0, sent);
        struct world_call *call = world_do(&world, "INCR c1");
        world_cut_server(&world, 0, true);
        world_advance(&world, 100);
        expect_reply(call, ":1");
        cr_assert_eq(world_executed(&world, "c1"), 1);
        world_stop(&world);
    }
}

Test(engine_retry, lost_after_it_was_sent_is_unknown)
{
    struct world world;
    begin(&world, FIXED);
    world_rule(&world, 0, "INCR", WORLD_CLOSE_AFTER, NULL, 9);
    struct world_call *call = world_do(&world, "INCR c1");
    world_advance(&world, 1000);
    expect_failure(call, TENDON_ERROR_DISCONNECTED, TENDON_EXECUTED_UNKNOWN);
    cr_assert_eq(world_executed(&world, "c1"), 1);
    world_stop(&world);
}

Test(engine_retry, a_read_is_repeated_after_a_loss)
{
    struct world world;
    begin(&world, FIXED);
    world_rule(&world, 0, "GET", WORLD_CLOSE_AFTER, NULL, 1);
    struct world_call *call = world_do(&world, "GET a");
    world_advance(&world, 1000);
    expect_reply(call, "$v:a");
    cr_assert_eq(call->attempts, 1);
    world_stop(&world);
}

Test(engine_retry, what_was_lost_together_is_tried_again_in_order)
{
    struct world world;
    begin(&world, OPTIONS("retry_jitter=yes", "max_retries=3"));
    world_rule(&world, 0, "GET", WORLD_SWALLOW, NULL, 9);
    struct world_call *calls[9];
    for (uint32_t i = 0; i < 9; i++)
        calls[i] = world_do(&world, "GET a");
    world_cut_server(&world, 0, true);
    world_advance(&world, 2900);
    for (uint32_t i = 0; i < 9; i++) {
        expect_reply(calls[i], "$v:a");
        cr_assert_eq(calls[i]->attempts, 1);
        cr_assert_eq(calls[i]->done_place, calls[0]->done_place + i);
    }
    world_stop(&world);
}

Test(engine_retry, the_number_of_retries_is_a_limit)
{
    struct world world;
    begin(&world, OPTIONS("retry_jitter=no", "max_retries=2"));
    world_rule(&world, 0, "GET", WORLD_CLOSE_AFTER, NULL, 99);
    struct world_call *call = world_do(&world, "GET a");
    world_advance(&world, 2900);
    expect_failure(call, TENDON_ERROR_DISCONNECTED, TENDON_EXECUTED_UNKNOWN);
    cr_assert_eq(world_executed(&world, "a"), 3);
    cr_assert_eq(call->attempts, 3);
    world_stop(&world);
}

Test(engine_retry, no_retry_is_obeyed_even_when_nothing_was_sent)
{
    struct world world;
    begin(&world, FIXED);
    world_budget(&world, 0, 0);
    struct world_call *call =
        world_submit_as(&world, "GET a", (struct world_how){.flags = TENDON_REQUEST_NO_RETRY});
    world_run(&world);
    world_cut_server(&world, 0, false);
    world_run(&world);
    expect_failure(call, TENDON_ERROR_DISCONNECTED, TENDON_EXECUTED_NO);
    world_stop(&world);
}

Test(engine_retry, an_error_that_proves_no_execution_is_tried_again_even_for_a_write)
{
    struct world world;
    begin(&world, FIXED);
    world_rule(&world, 0, "INCR", WORLD_ANSWER, "-LOADING Redis is loading the dataset in memory",
               2);
    struct world_call *call = world_do(&world, "INCR c1");
    world_advance(&world, 1000);
    expect_reply(call, ":1");
    cr_assert_eq(call->attempts, 2);
    world_stop(&world);
}

Test(engine_retry, after_the_last_try_the_servers_error_is_the_outcome)
{
    struct world world;
    begin(&world, OPTIONS("retry_jitter=no", "max_retries=1"));
    world_rule(&world, 0, "INCR", WORLD_ANSWER, "-BUSY Redis is busy running a script", 9);
    struct world_call *call = world_do(&world, "INCR c1");
    world_advance(&world, 1000);
    cr_assert_eq(call->status, TENDON_OK);
    cr_assert_str_eq(call->reply, "-BUSY Redis is busy running a script");
    world_stop(&world);
}

Test(engine_retry, backoff_grows_between_tries)
{
    struct world world;
    begin(&world, OPTIONS("retry_jitter=no", "max_retries=3", "retry_backoff_min_ms=10",
                          "command_timeout_ms=60000"));
    world_rule(&world, 0, "INCR", WORLD_ANSWER, "-LOADING", 3);
    struct world_call *call = world_do(&world, "INCR c1");
    int64_t begun_ns = world.now_ns;
    world_advance(&world, 1000);
    expect_reply(call, ":1");
    cr_assert_eq((call->done_ns - begun_ns) / TENDON__MS, 10 + 20 + 40);
    world_stop(&world);
}

Test(engine_retry, read_timeout_leaves_a_ghost_and_tries_again_when_allowed)
{
    struct world world;
    begin(&world, OPTIONS("retry_jitter=no", "read_timeout_ms=300", "command_timeout_ms=0",
                          "retry_on_timeout=yes"));
    world_rule(&world, 0, "GET", WORLD_SWALLOW, NULL, 1);
    struct world_call *call = world_do(&world, "GET a");
    world_advance(&world, 305);
    cr_assert_eq(call->outcomes, 0);
    struct world_call *other = world_submit(&world, "GET b");
    world_release(&world);
    world_advance(&world, 100);
    expect_reply(call, "$v:a");
    expect_reply(other, "$v:b");
    cr_assert_eq(world_executed(&world, "a"), 2);
    world_stop(&world);
}

Test(engine_retry, read_timeout_is_final_without_permission)
{
    struct world world;
    begin(&world, OPTIONS("read_timeout_ms=300", "command_timeout_ms=0"));
    world_rule(&world, 0, "GET", WORLD_SWALLOW, NULL, 1);
    struct world_call *call = world_do(&world, "GET a");
    world_advance(&world, 300);
    expect_failure(call, TENDON_ERROR_TIMEOUT, TENDON_EXECUTED_UNKNOWN);
    struct world_call *other = world_submit(&world, "GET b");
    world_release(&world);
    world_run(&world);
    expect_reply(other, "$v:b");
    world_stop(&world);
}

Test(engine_retry, a_retried_timeout_does_not_return_to_a_dead_connection)
{
    struct world world;
    begin(&world, OPTIONS("retry_jitter=no", "read_timeout_ms=2500", "command_timeout_ms=0",
                          "retry_on_timeout=yes"));
    world.servers[0].frozen = true;
    struct world_call *call = world_do(&world, "GET a");
    world_advance(&world, 2501);
    cr_assert_eq(call->outcomes, 0);
    world_advance(&world, 50);
    cr_assert_eq(world.servers[0].accepted, 2,
                 "2.5 s of silence, and the next try went to the same connection");
    world.servers[0].frozen = false;
    world_advance(&world, 3000);
    expect_reply(call, "$v:a");
    world_stop(&world);
}

/* The bytes are in the stream and will be executed: only "unknown" is honest. */
Test(engine_retry, what_stays_in_the_stream_is_never_reported_as_not_executed)
{
    for (size_t taken = 0; taken < 20; taken += 19) {
        for (int cancel = 0; cancel < 2; cancel++) {
            struct world world;
            begin(&world, OPTIONS("command_timeout_ms=700"));
            world_budget(&world, 0, 4);
            struct world_call *first = world_do(&world, "GET a");
            world_budget(&world, 0, taken);
            struct world_call *call = world_do(&world, "INCR c1");
            if (cancel)
                world_cancel(&world, call);
            world_advance(&world, 700);
            cr_assert_eq(call->outcomes, 1);
            cr_assert_eq(first->outcomes, 1);
            world_budget(&world, 0, SIZE_MAX);
            world_run(&world);
            cr_assert(call->executed != TENDON_EXECUTED_NO || !world_executed(&world, "c1"),
                      "executed=no was reported, and then the server executed it");
            world_stop(&world);
        }
    }
}

Test(engine_retry, refused_connections_use_up_the_retries)
{
    struct world world;
    world_init(&world);
    world.servers[0].down = true;
    world_start(&world, OPTIONS("mode=standalone", "max_retries=2", "command_timeout_ms=60000"), 1);
    struct world_call *call = world_do(&world, "INCR c1");
    world_advance(&world, 50000);
    expect_failure(call, TENDON_ERROR_CONNECT, TENDON_EXECUTED_NO);
    cr_assert_eq(call->attempts, 3);
    world_stop(&world);
}

Test(engine_retry, a_reply_above_the_limit_is_not_asked_for_again)
{
    struct world world;
    begin(&world, OPTIONS("max_reply_bytes=1024", "retry_jitter=no"));
    world_rule(&world, 0, "GET", WORLD_ANSWER, "$5000", 9);
    struct world_call *call = world_do(&world, "GET a");
    world_advance(&world, 2000);
    cr_assert_eq(call->outcomes, 1);
    cr_assert_eq(call->status, TENDON_ERROR_LIMIT);
    cr_assert_eq(call->attempts, 0, "tried %u times", call->attempts);
    world_stop(&world);
}

Test(engine_retry, group_half_sent_is_not_repeated_when_a_member_may_have_been_executed)
{
    const size_t first = strlen("*2\r\n$4\r\nINCR\r\n$2\r\nc1\r\n");
    for (size_t sent = 1; sent < 2 * first; sent++) {
        struct world world;
        begin(&world, FIXED);
        world_budget(&world, 0, sent);
        struct world_call *call = world_do(&world, "INCR c1|INCR c2");
        world_cut_server(&world, 0, true);
        world_advance(&world, 1000);
        cr_assert_eq(call->outcomes, 1);
        cr_assert_leq(world_executed(&world, "c1"), 1, "executed twice after %zu bytes", sent);
        cr_assert(call->status == TENDON_OK || call->executed != TENDON_EXECUTED_NO ||
                      !world_executed(&world, "c1"),
                  "executed=no after %zu bytes, but the first member was", sent);
        world_stop(&world);
    }
}

Test(engine_retry, transaction_half_sent_is_repeated_as_a_whole)
{
    for (size_t sent = 1; sent < 40; sent++) {
        struct world world;
        begin(&world, FIXED);
        world_budget(&world, 0, sent);
        struct world_call *call = world_do(&world, "MULTI|INCR c1|EXEC");
        world_cut_server(&world, 0, true);
        world_advance(&world, 1000);
        cr_assert_eq(call->status, TENDON_OK, "%s", call->fault.text);
        cr_assert_str_eq(call->last, "*1");
        cr_assert_eq(world_executed(&world, "c1"), 1);
        world_stop(&world);
    }
}

Test(engine_retry, exec_without_an_answer_is_unknown)
{
    struct world world;
    begin(&world, FIXED);
    world_rule(&world, 0, "EXEC", WORLD_CLOSE_AFTER, NULL, 1);
    struct world_call *call = world_do(&world, "MULTI|INCR c1|EXEC");
    world_advance(&world, 1000);
    expect_failure(call, TENDON_ERROR_DISCONNECTED, TENDON_EXECUTED_UNKNOWN);
    cr_assert_eq(world_executed(&world, "c1"), 1);
    world_stop(&world);
}

/* Each of them is idempotent, and together they are if none of them sees what another did. */
Test(engine_retry, exec_without_an_answer_is_repeated_if_the_whole_transaction_is_idempotent)
{
    struct world world;
    begin(&world, FIXED);
    world_rule(&world, 0, "EXEC", WORLD_CLOSE_AFTER, NULL, 2);
    struct world_call *apart = world_do(&world, "MULTI|SADD k1 x|SET k2 v|EXEC");
    world_advance(&world, 1000);
    cr_assert_eq(apart->outcomes, 1);
    cr_assert_eq(apart->status, TENDON_OK, "%s", apart->fault.text);
    cr_assert_eq(world_executed(&world, "k1"), 3);
    world_rule(&world, 0, "EXEC", WORLD_CLOSE_AFTER, NULL, 1);
    struct world_call *together = world_do(&world, "MULTI|SREM k3 x|SADD k3 x|EXEC");
    world_advance(&world, 1000);
    expect_failure(together, TENDON_ERROR_DISCONNECTED, TENDON_EXECUTED_UNKNOWN);
    cr_assert_eq(world_executed(&world, "k3"), 2, "of two commands, each once");
    world_stop(&world);
}

/* Without its MULTI the rest was executed one by one. */
Test(engine_retry, a_transaction_whose_multi_was_refused_is_not_repeated)
{
    struct world world;
    begin(&world, FIXED);
    world_rule(&world, 0, "MULTI", WORLD_ANSWER, "-LOADING Redis is loading", 1);
    struct world_call *call = world_do(&world, "MULTI|INCR c1|EXEC");
    world_advance(&world, 1000);
    cr_assert_eq(call->outcomes, 1);
    cr_assert_eq(world_executed(&world, "c1"), 1);
    world_stop(&world);
}

/* Without a ghost to take the late reply, the request must not be sent again from the same place in
 * the FIFO. */
Test(engine_retry, a_timeout_without_memory_for_a_ghost_is_final)
{
    struct world world;
    begin(&world, OPTIONS("read_timeout_ms=300", "command_timeout_ms=0", "retry_on_timeout=yes"));
    world_rule(&world, 0, "GET", WORLD_SWALLOW, NULL, 1);
    struct world_call *late = world_do(&world, "GET a");
    world.memory.refuse_from = world.memory.requests + 1;
    world_advance(&world, 300);
    world.memory.refuse_from = 0;
    expect_failure(late, TENDON_ERROR_TIMEOUT, TENDON_EXECUTED_UNKNOWN);
    struct world_call *other = world_submit(&world, "GET b");
    world_release(&world);
    world_run(&world);
    expect_reply(other, "$v:b");
    world_stop(&world);
}
