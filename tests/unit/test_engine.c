/* The engine against one fake server: finding out what it is, deadlines, cancelling and closing. */
#include "engine_expect.h"

Test(engine, auto_mode_finds_a_standalone_server)
{
    struct world world;
    world_init(&world);
    world_start(&world, NULL, 1);
    struct world_call *get = world_submit(&world, "GET a");
    struct world_call *incr = world_submit(&world, "INCR c17");
    world_run(&world);
    expect_reply(get, "$v:a");
    expect_reply(incr, ":17");
    cr_assert_eq(world.engine->kind, TENDON__KIND_STANDALONE);
    cr_assert_eq(world_wire_count(&world), 1);
    cr_assert_eq(world.slots_asked, 0, "HELLO told already");
    world_stop(&world);
}

Test(engine, auto_mode_asks_an_old_server)
{
    struct world world;
    world_init(&world);
    world.servers[0].no_hello = true;
    world_start(&world, NULL, 1);
    expect_reply(world_do(&world, "GET a"), "$v:a");
    cr_assert_eq(world.engine->kind, TENDON__KIND_STANDALONE);
    world_stop(&world);
}

Test(engine, every_split_of_reads_and_writes)
{
    for (size_t chunk = 1; chunk < 60; chunk++) {
        struct world world;
        world_init(&world);
        world.read_chunk = chunk;
        world.write_chunk = 61 - chunk;
        world_start(&world, NULL, chunk);
        struct world_call *calls[3] = {world_submit(&world, "GET a"),
                                       world_submit(&world, "INCR c5"),
                                       world_submit(&world, "MULTI|INCR c6|EXEC")};
        world_run(&world);
        expect_reply(calls[0], "$v:a");
        expect_reply(calls[1], ":5");
        cr_assert_str_eq(calls[2]->last, "*1");
        world_stop(&world);
    }
}

Test(engine, deadline_while_the_mode_is_unknown)
{
    struct world world;
    world_init(&world);
    world.servers[0].dark = true;
    world_start(&world, OPTIONS("command_timeout_ms=700", "connect_timeout_ms=60000"), 1);
    struct world_call *call = world_do(&world, "INCR c1");
    world_advance(&world, 699);
    cr_assert_eq(call->outcomes, 0);
    world_advance(&world, 1);
    expect_failure(call, TENDON_ERROR_TIMEOUT, TENDON_EXECUTED_NO);
    world_stop(&world);
}

Test(engine, deadline_while_waiting_for_a_lane)
{
    struct world world;
    world_init(&world);
    world.servers[0].dark = true;
    world_start(&world,
                OPTIONS("mode=standalone", "command_timeout_ms=700", "connect_timeout_ms=60000"),
                1);
    struct world_call *call = world_do(&world, "INCR c1");
    world_advance(&world, 700);
    expect_failure(call, TENDON_ERROR_TIMEOUT, TENDON_EXECUTED_NO);
    world_stop(&world);
}

Test(engine, deadline_on_the_wire_is_unknown_and_the_late_reply_reaches_nobody)
{
    struct world world;
    begin(&world, OPTIONS("command_timeout_ms=700"));
    world_rule(&world, 0, "INCR", WORLD_SWALLOW, NULL, 1);
    struct world_call *late = world_do(&world, "INCR c1");
    world_advance(&world, 700);
    expect_failure(late, TENDON_ERROR_TIMEOUT, TENDON_EXECUTED_UNKNOWN);
    struct world_call *next = world_submit(&world, "INCR c2");
    world_release(&world);
    world_run(&world);
    expect_reply(next, ":2");
    cr_assert_eq(world_wire_count(&world), 1, "the connection was worth keeping");
    world_stop(&world);
}

Test(engine, deadline_while_delayed_tells_the_last_cause)
{
    struct world world;
    begin(&world, OPTIONS("command_timeout_ms=700", "retry_backoff_min_ms=600",
                          "retry_backoff_max_ms=600", "retry_jitter=no"));
    world_rule(&world, 0, "INCR", WORLD_ANSWER, "-LOADING Redis is loading the dataset in memory",
               9);
    struct world_call *call = world_do(&world, "INCR c1");
    world_advance(&world, 700);
    expect_failure(call, TENDON_ERROR_TIMEOUT, TENDON_EXECUTED_NO);
    cr_assert_str_eq(call->fault.prefix, "LOADING");
    cr_assert_eq(world_executed(&world, "c1"), 0);
    world_stop(&world);
}

Test(engine, no_reply_and_no_deadline_does_not_spin, .timeout = 10)
{
    struct world world;
    begin(&world,
          OPTIONS("command_timeout_ms=0", "read_timeout_ms=0", "health_check_interval_ms=5000"));
    world_rule(&world, 0, "INCR", WORLD_SWALLOW, NULL, 1);
    struct world_call *call = world_do(&world, "INCR c1");
    world_advance(&world, 60000);
    cr_assert_eq(call->outcomes, 0, "status %d: %s", call->status, call->fault.text);
    world_release(&world);
    world_run(&world);
    expect_reply(call, ":1");
    world_stop(&world);
}

Test(engine, idle_lane_is_tested_and_replaced_when_dead)
{
    struct world world;
    begin(&world, OPTIONS("health_check_interval_ms=5000"));
    world_advance(&world, 6000);
    cr_assert_str_eq(world.last_log, "PING");
    cr_assert_eq(world_wire_count(&world), 1);
    world.servers[0].frozen = true;
    world_advance(&world, 9000);
    cr_assert_eq(world_wire_count(&world), 0);
    cr_assert_eq(world.engine->stats.closed_unhealthy, 1);
    world.servers[0].frozen = false;
    expect_reply(world_do(&world, "GET a"), "$v:a");
    world_stop(&world);
}

Test(engine, cancel_in_every_state)
{
    struct world world;
    world_init(&world);
    world.servers[0].dark = true;
    world_start(&world, FIXED, 1);
    struct world_call *parked = world_do(&world, "INCR c1");
    world_cancel(&world, parked);
    expect_failure(parked, TENDON_ERROR_CANCELLED, TENDON_EXECUTED_NO);
    world.servers[0].dark = false;
    expect_reply(world_do(&world, "INCR c2"), ":2");

    world_rule(&world, 0, "INCR", WORLD_ANSWER, "-LOADING", 1);
    struct world_call *delayed = world_do(&world, "INCR c3");
    cr_assert_eq(delayed->request->state, TENDON__REQUEST_DELAYED);
    world_cancel(&world, delayed);
    expect_failure(delayed, TENDON_ERROR_CANCELLED, TENDON_EXECUTED_NO);

    world_rule(&world, 0, "INCR", WORLD_SWALLOW, NULL, 1);
    struct world_call *sent = world_do(&world, "INCR c4");
    world_cancel(&world, sent);
    expect_failure(sent, TENDON_ERROR_CANCELLED, TENDON_EXECUTED_UNKNOWN);
    world_cancel(&world, sent);

    struct world_call *queued = world_submit(&world, "INCR c5");
    world_cancel(&world, queued);
    expect_failure(queued, TENDON_ERROR_CANCELLED, TENDON_EXECUTED_NO);
    world_release(&world);
    expect_reply(world_do(&world, "INCR c6"), ":6");
    cr_assert_eq(world_executed(&world, "c5"), 0);
    world_stop(&world);
}

Test(engine, cancel_while_waiting_for_a_lane)
{
    struct world world;
    world_init(&world);
    world.servers[0].dark = true;
    world_start(&world, OPTIONS("mode=standalone"), 1);
    struct world_call *call = world_do(&world, "INCR c1");
    cr_assert_eq(call->request->state, TENDON__REQUEST_WAITING);
    world_cancel(&world, call);
    expect_failure(call, TENDON_ERROR_CANCELLED, TENDON_EXECUTED_NO);
    world_stop(&world);
}

Test(engine, close_in_every_state)
{
    struct world world;
    begin(&world, FIXED);
    world_rule(&world, 0, "INCR", WORLD_ANSWER, "-LOADING", 1);
    struct world_call *delayed = world_do(&world, "INCR c1");
    world_rule(&world, 0, "INCR", WORLD_SWALLOW, NULL, 1);
    struct world_call *sent = world_do(&world, "INCR c2");
    struct world_call *borrowed = world_do(&world, "BLPOP q 0");
    world.servers[0].dark = true;
    struct world_call *borrowing = world_do(&world, "BLPOP q 0");
    struct world_call *queued = world_submit(&world, "INCR c3");
    tendon__engine_close(world.engine, world.now_ns);
    expect_failure(delayed, TENDON_ERROR_CLOSED, TENDON_EXECUTED_NO);
    expect_failure(sent, TENDON_ERROR_CLOSED, TENDON_EXECUTED_UNKNOWN);
    expect_failure(borrowed, TENDON_ERROR_CLOSED, TENDON_EXECUTED_UNKNOWN);
    expect_failure(borrowing, TENDON_ERROR_CLOSED, TENDON_EXECUTED_NO);
    expect_failure(queued, TENDON_ERROR_CLOSED, TENDON_EXECUTED_NO);
    struct world_call *after = world_do(&world, "INCR c4");
    expect_failure(after, TENDON_ERROR_CLOSED, TENDON_EXECUTED_NO);
    world_stop(&world);
}

Test(engine, close_while_parked)
{
    struct world world;
    world_init(&world);
    world.servers[0].dark = true;
    world_start(&world, NULL, 1);
    struct world_call *call = world_do(&world, "INCR c1");
    tendon__engine_close(world.engine, world.now_ns);
    expect_failure(call, TENDON_ERROR_CLOSED, TENDON_EXECUTED_NO);
    world_stop(&world);
}

Test(engine, a_server_that_comes_back_is_found)
{
    struct world world;
    world_init(&world);
    world.servers[0].down = true;
    world_start(&world, OPTIONS("max_retries=-1", "command_timeout_ms=60000"), 1);
    struct world_call *call = world_do(&world, "INCR c1");
    world_advance(&world, 3000);
    cr_assert_eq(call->outcomes, 0);
    world.servers[0].down = false;
    world_advance(&world, 6000);
    expect_reply(call, ":1");
    world_stop(&world);
}

Test(engine, without_retries_a_node_that_is_down_fails_fast)
{
    struct world world;
    world_init(&world);
    world.servers[0].down = true;
    world_start(&world, OPTIONS("mode=standalone", "max_retries=0", "reconnect_backoff_min_ms=500"),
                1);
    expect_failure(world_do(&world, "INCR c1"), TENDON_ERROR_CONNECT, TENDON_EXECUTED_NO);
    uint32_t dials = world.wire_serial;
    for (int i = 0; i < 50; i++)
        expect_failure(world_do(&world, "INCR c2"), TENDON_ERROR_CONNECT, TENDON_EXECUTED_NO);
    cr_assert_eq(world.wire_serial, dials, "every request dials although the backoff runs");
    world_stop(&world);
}

static void expect_auth_failure(const char *mode)
{
    struct world world;
    world_init(&world);
    world.servers[0].password = "right";
    world_start(&world, OPTIONS(mode, "password=wrong-hunter2"), 1);
    struct world_call *call = world_do(&world, "INCR c1");
    expect_failure(call, TENDON_ERROR_AUTH, TENDON_EXECUTED_NO);
    cr_assert_str_eq(call->fault.prefix, "WRONGPASS");
    cr_assert_not_null(strstr(call->fault.text, "password"));
    cr_assert_null(strstr(call->fault.text, "hunter2"));
    expect_failure(world_do(&world, "INCR c2"), TENDON_ERROR_AUTH, TENDON_EXECUTED_NO);
    world.servers[0].password = NULL;
    world_advance(&world, 1100);
    expect_reply(world_do(&world, "INCR c3"), ":3");
    world_stop(&world);
}

Test(engine, wrong_credentials_fail_fast_standalone)
{
    expect_auth_failure("mode=standalone");
}

Test(engine, wrong_credentials_fail_fast_in_auto_mode)
{
    expect_auth_failure("mode=auto");
}

Test(engine, read_only_server_is_replaced_by_what_the_name_means_now)
{
    struct world world;
    begin(&world, FIXED);
    world_rule(&world, 0, "INCR", WORLD_ANSWER,
               "-READONLY You can't write against a read only replica.", 1);
    struct world_call *call = world_do(&world, "INCR c1");
    cr_assert_eq(world_wire_count(&world), 0, "the old connection is still used");
    world_advance(&world, 1000);
    expect_reply(call, ":1");
    cr_assert_eq(world.servers[0].accepted, 2);
    world_stop(&world);
}

Test(engine, open_that_fails_at_once_is_a_failed_dial)
{
    struct world world;
    world_init(&world);
    world.open_refusals = 2;
    world_start(&world, FIXED, 1);
    struct world_call *call = world_do(&world, "INCR c1");
    world_advance(&world, 1000);
    expect_reply(call, ":1");
    world.open_refusals = 1;
    struct world_call *lease = world_lease(&world, NULL, 2000);
    world_advance(&world, 1900);
    cr_assert_eq(lease->status, TENDON_OK, "%s", lease->fault.text);
    cr_assert_eq(lease->outcomes, 1);
    world_stop(&world);
}

Test(engine, many_requests_share_one_lane)
{
    struct world world;
    begin(&world, OPTIONS("max_in_flight=10"));
    struct world_call *calls[100];
    for (int i = 0; i < 100; i++)
        calls[i] = world_submit(&world, "GET a");
    world_run(&world);
    for (int i = 0; i < 100; i++)
        expect_reply(calls[i], "$v:a");
    cr_assert_eq(world_wire_count(&world), 1);
    world_stop(&world);
}

Test(engine, a_lane_takes_bytes_up_to_its_limit)
{
    struct world world;
    begin(&world, OPTIONS("max_in_flight_bytes=1024"));
    world_do(&world, "GET first");
    world_rule(&world, 0, "SET", WORLD_SWALLOW, NULL, 1);
    char big[1200];
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    memcpy(big, "SET a ", 6);
    struct world_call *over = world_submit(&world, big);
    struct world_call *behind = world_submit(&world, "GET b");
    world_run(&world);
    const struct tendon__channel *lane = node_at(&world, world.servers[0].host)->lanes[0];
    cr_assert_eq(lane->conn.fifo_count, 1, "one request is always let through, and no more");
    cr_assert_gt(lane->conn.fifo_bytes, 1024);
    cr_assert_eq(behind->outcomes, 0);
    world_release(&world);
    world_run(&world);
    expect_reply(over, "+OK");
    expect_reply(behind, "$v:b");
    cr_assert_eq(lane->conn.fifo_bytes, 0);
    world_stop(&world);
}

Test(engine, lane_retires_at_the_end_of_its_life)
{
    struct world world;
    begin(&world, OPTIONS("pool_lifetime_ms=10000", "pool_jitter_percent=0"));
    world_rule(&world, 0, "GET", WORLD_SWALLOW, NULL, 1);
    world_advance(&world, 9000);
    struct world_call *old = world_do(&world, "GET a");
    world_advance(&world, 2000);
    struct world_call *new = world_do(&world, "GET b");
    expect_reply(new, "$v:b");
    cr_assert_eq(old->outcomes, 0);
    world_release(&world);
    world_run(&world);
    expect_reply(old, "$v:a");
    cr_assert_eq(world_wire_count(&world), 1);
    world_stop(&world);
}

Test(engine, connect_request_completes_when_a_lane_is_ready)
{
    struct world world;
    world_init(&world);
    world_start(&world, NULL, 1);
    struct world_call *call =
        world_submit_as(&world, "", (struct world_how){.flags = TENDON_REQUEST_CONNECT});
    world_run(&world);
    expect_reply(call, "+OK");
    world_stop(&world);
}

/* Whatever allocation fails, each request has its outcome and nothing is lost. */
Test(engine, memory_failing_at_every_allocation, .timeout = 60)
{
    for (long n = 1; n < 90; n++) {
        struct world world;
        world_init(&world);
        world_start(&world, OPTIONS("command_timeout_ms=500"), 1);
        struct world_call *calls[] = {
            world_submit(&world, "GET a"), world_submit(&world, "MULTI|INCR c1|EXEC"),
            world_submit(&world, "BLPOP q 1"), world_lease(&world, NULL, 0)};
        world.memory.refuse_from = world.memory.requests + n;
        world_run(&world);
        world_advance(&world, 200);
        world.memory.refuse_from = 0;
        world_advance(&world, 5000);
        for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
            cr_assert_eq(calls[i]->outcomes, 1, "allocation %ld, call %zu", n, i);
        world_stop(&world);
    }
}
