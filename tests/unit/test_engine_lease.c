/* The engine's leases and connections of a request's own: grant, wait, give back, cleaning, losing,
 * closing. */
#include "engine_expect.h"

static struct world_call *open_lease(struct world *world)
{
    struct world_call *lease = world_lease(world, NULL, 0);
    world_run(world);
    expect_reply(lease, "+localhost:6379");
    return lease;
}

static struct world_call *on(struct world *world, struct world_call *lease, const char *command)
{
    struct world_call *call =
        world_submit_as(world, command, (struct world_how){.lease = lease->lease});
    world_run(world);
    return call;
}

static struct tendon__pool *pool_of(struct world *world)
{
    return &tendon__node_find(world->engine, "localhost", 6379)->pool;
}

Test(engine_lease, grant_use_and_return)
{
    struct world world;
    begin(&world, NULL);
    struct world_call *lease = open_lease(&world);
    cr_assert_eq(pool_of(&world)->leased_count, 1);
    expect_reply(on(&world, lease, "INCR c4"), ":4");
    world_lease_close(lease, false);
    world_run(&world);
    cr_assert_eq(pool_of(&world)->idle_count, 1);
    cr_assert_eq(world.cleanings, 0, "a clean connection needs no cleaning");
    lease = open_lease(&world);
    cr_assert_eq(world.servers[0].accepted, 2, "the idle connection was not used");
    world_stop(&world);
}

Test(engine_lease, requests_before_the_grant_keep_their_order)
{
    struct world world;
    world_init(&world);
    world_start(&world, NULL, 1);
    struct world_call *lease = world_lease(&world, NULL, 0);
    struct world_call *calls[3];
    calls[0] = world_submit_as(&world, "MULTI", (struct world_how){.lease = lease->lease});
    calls[1] = world_submit_as(&world, "INCR c9", (struct world_how){.lease = lease->lease});
    calls[2] = world_submit_as(&world, "EXEC", (struct world_how){.lease = lease->lease});
    world_run(&world);
    expect_reply(calls[0], "+OK");
    expect_reply(calls[1], "+QUEUED");
    expect_reply(calls[2], "*1");
    world_stop(&world);
}

Test(engine_lease, waiters_are_served_in_order)
{
    struct world world;
    begin(&world, OPTIONS("pool_max=2"));
    struct world_call *first = open_lease(&world);
    struct world_call *second = world_lease(&world, NULL, 0);
    struct world_call *third = world_lease(&world, NULL, 0);
    world_run(&world);
    cr_assert_eq(third->outcomes, 0);
    world_lease_close(first, false);
    world_run(&world);
    expect_reply(second, "+localhost:6379");
    world_lease_close(second, false);
    world_run(&world);
    expect_reply(third, "+localhost:6379");
    world_stop(&world);
}

Test(engine_lease, waiting_has_an_end_and_takes_its_requests_along)
{
    struct world world;
    begin(&world, OPTIONS("pool_max=2", "pool_wait_ms=300"));
    struct world_call *first = open_lease(&world);
    struct world_call *taken = open_lease(&world);
    struct world_call *waiting = world_lease(&world, NULL, 0);
    struct world_call *request = world_submit_as(
        &world, "INCR c1",
        (struct world_how){.lease = waiting->lease, .timeout_ms = TENDON_TIMEOUT_NONE});
    world_advance(&world, 299);
    cr_assert_eq(waiting->outcomes, 0);
    world_advance(&world, 1);
    expect_failure(waiting, TENDON_ERROR_POOL_TIMEOUT, TENDON_EXECUTED_NO);
    cr_assert_not_null(strstr(waiting->fault.text, "pool_max"));
    cr_assert_eq(request->outcomes, 1, "it waits for a lease that failed");
    cr_assert_eq(request->executed, TENDON_EXECUTED_NO);
    struct world_call *after = on(&world, waiting, "INCR c2");
    cr_assert_eq(after->outcomes, 1);
    cr_assert_neq(after->status, TENDON_OK);
    world_lease_close(waiting, false);
    world_lease_close(first, false);
    world_lease_close(taken, true);
    world_run(&world);
    world_stop(&world);
}

Test(engine_lease, a_pool_that_may_not_wait_refuses)
{
    struct world world;
    begin(&world, OPTIONS("pool_max=2", "pool_wait_ms=0"));
    open_lease(&world);
    open_lease(&world);
    struct world_call *third = world_lease(&world, NULL, 0);
    expect_failure(third, TENDON_ERROR_POOL_EXHAUSTED, TENDON_EXECUTED_NO);
    world_stop(&world);
}

Test(engine_lease, opening_can_be_cancelled_and_closed)
{
    struct world world;
    begin(&world, OPTIONS("pool_max=2"));
    world.servers[0].dark = true;
    struct world_call *cancelled = world_lease(&world, NULL, 0);
    struct world_call *closed = world_lease(&world, NULL, 0);
    world_run(&world);
    world_cancel(&world, cancelled);
    expect_failure(cancelled, TENDON_ERROR_CANCELLED, TENDON_EXECUTED_NO);
    world_lease_close(closed, false);
    expect_failure(closed, TENDON_ERROR_CANCELLED, TENDON_EXECUTED_NO);
    world_lease_close(cancelled, false);
    world.servers[0].dark = false;
    world_advance(&world, 200);
    open_lease(&world);
    world_stop(&world);
}

Test(engine_lease, what_was_left_behind_is_cleaned)
{
    const char *const left[][3] = {{"MULTI"},
                                   {"WATCH k"},
                                   {"SELECT 3"},
                                   {"MULTI", "UNWATCH"},
                                   {"WATCH k", "DISCARD"},
                                   {"WATCH k", "EXEC"},
                                   {"MULTI", "INCR c1", "WATCH k"}};
    for (size_t i = 0; i < sizeof left / sizeof left[0]; i++) {
        struct world world;
        begin(&world, NULL);
        struct world_call *lease = open_lease(&world);
        for (size_t j = 0; j < 3 && left[i][j]; j++)
            on(&world, lease, left[i][j]);
        world_lease_close(lease, false);
        world_run(&world);
        cr_assert_eq(pool_of(&world)->idle_count, 1, "case %zu", i);
        struct world_wire *wire = world_wire_at(&world, 1);
        cr_assert(!wire->multi && !wire->watching, "case %zu: given back with state", i);
        cr_assert_str_eq(world.last_log, "SELECT 0", "case %zu", i);
        world_stop(&world);
    }
}

Test(engine_lease, what_was_ended_needs_no_cleaning)
{
    struct world world;
    begin(&world, NULL);
    struct world_call *lease = open_lease(&world);
    on(&world, lease, "WATCH k");
    on(&world, lease, "MULTI");
    on(&world, lease, "INCR c1");
    expect_reply(on(&world, lease, "EXEC"), "*1");
    world_lease_close(lease, false);
    world_run(&world);
    cr_assert_eq(world.cleanings, 0);
    cr_assert_eq(pool_of(&world)->idle_count, 1);
    world_stop(&world);
}

Test(engine_lease, what_cannot_be_cleaned_is_closed)
{
    struct world world;
    begin(&world, NULL);
    struct world_call *lease = open_lease(&world);
    on(&world, lease, "AUTH other secret");
    world_lease_close(lease, false);
    world_run(&world);
    cr_assert_eq(world_wire_count(&world), 1, "only the lane is left");

    lease = open_lease(&world);
    on(&world, lease, "MULTI");
    world_rule(&world, 0, "UNWATCH", WORLD_ANSWER, "-ERR no", 1);
    world_lease_close(lease, false);
    world_run(&world);
    cr_assert_eq(world_wire_count(&world), 1);
    cr_assert_eq(world.engine->stats.closed_dirty, 1);

    lease = open_lease(&world);
    on(&world, lease, "MULTI");
    world.servers[0].frozen = true;
    world_lease_close(lease, false);
    world_advance(&world, 3000);
    cr_assert_eq(pool_of(&world)->idle_count + pool_of(&world)->busy_count, 0,
                 "cleaning never ended");
    world.servers[0].frozen = false;
    world_stop(&world);
}

Test(engine_lease, an_unread_reply_closes_the_connection)
{
    struct world world;
    begin(&world, NULL);
    struct world_call *lease = open_lease(&world);
    world_rule(&world, 0, "INCR", WORLD_SWALLOW, NULL, 1);
    struct world_call *call = on(&world, lease, "INCR c1");
    world_lease_close(lease, false);
    expect_failure(call, TENDON_ERROR_CANCELLED, TENDON_EXECUTED_UNKNOWN);
    world_run(&world);
    cr_assert_eq(world_wire_count(&world), 1);
    world_stop(&world);
}

Test(engine_lease, a_discarded_lease_is_closed)
{
    struct world world;
    begin(&world, NULL);
    struct world_call *lease = open_lease(&world);
    world_lease_close(lease, true);
    world_run(&world);
    cr_assert_eq(world_wire_count(&world), 1);
    world_stop(&world);
}

Test(engine_lease, a_lost_lease_fails_everything_until_it_is_closed)
{
    struct world world;
    begin(&world, NULL);
    struct world_call *lease = open_lease(&world);
    on(&world, lease, "WATCH k");
    world_rule(&world, 0, "GET", WORLD_CLOSE_AFTER, NULL, 1);
    struct world_call *sent = on(&world, lease, "GET a");
    expect_failure(sent, TENDON_ERROR_DISCONNECTED, TENDON_EXECUTED_UNKNOWN);
    expect_failure(on(&world, lease, "MULTI"), TENDON_ERROR_DISCONNECTED, TENDON_EXECUTED_NO);
    expect_failure(on(&world, lease, "EXEC"), TENDON_ERROR_DISCONNECTED, TENDON_EXECUTED_NO);
    cr_assert_eq(pool_of(&world)->leased_count, 0);
    world_lease_close(lease, false);
    world_run(&world);
    world_stop(&world);
}

Test(engine_lease, commands_on_a_lease_are_never_redirected_or_repeated)
{
    struct world world;
    begin(&world, NULL);
    struct world_call *lease = open_lease(&world);
    world_rule(&world, 0, "INCR", WORLD_ANSWER, "-LOADING Redis is loading", 1);
    expect_reply(on(&world, lease, "INCR c1"), "-LOADING Redis is loading");
    world_rule(&world, 0, "INCR", WORLD_ANSWER, "-MOVED 1 other:1", 1);
    expect_reply(on(&world, lease, "INCR c1"), "-MOVED 1 other:1");
    world_stop(&world);
}

Test(engine_lease, a_timeout_on_a_lease_keeps_the_order_of_replies)
{
    struct world world;
    begin(&world, OPTIONS("read_timeout_ms=200", "command_timeout_ms=0"));
    struct world_call *lease = open_lease(&world);
    world_rule(&world, 0, "GET", WORLD_SWALLOW, NULL, 1);
    struct world_call *late = on(&world, lease, "GET a");
    world_advance(&world, 200);
    expect_failure(late, TENDON_ERROR_TIMEOUT, TENDON_EXECUTED_UNKNOWN);
    struct world_call *next = on(&world, lease, "GET b");
    world_release(&world);
    world_run(&world);
    expect_reply(next, "$v:b");
    world_stop(&world);
}

Test(engine_lease, a_demoted_connection_is_not_pooled)
{
    struct world world;
    begin(&world, NULL);
    struct world_call *lease = open_lease(&world);
    world_rule(&world, 0, "INCR", WORLD_ANSWER,
               "-READONLY You can't write against a read only replica.", 1);
    on(&world, lease, "INCR c1");
    world_lease_close(lease, false);
    world_run(&world);
    cr_assert_eq(pool_of(&world)->idle_count, 0);
    world_stop(&world);
}

Test(engine_lease, a_leased_connection_that_dies_idle_is_lost_to_the_pool)
{
    struct world world;
    begin(&world, NULL);
    struct world_call *lease = open_lease(&world);
    world_lease_close(lease, false);
    world_run(&world);
    world_cut_server(&world, 0, false);
    world_run(&world);
    cr_assert_eq(pool_of(&world)->idle_count, 0);
    open_lease(&world);
    world_stop(&world);
}

Test(engine_lease, blocking_commands_have_a_connection_of_their_own)
{
    struct world world;
    begin(&world, NULL);
    struct world_call *blocked = world_do(&world, "BLPOP q 0");
    expect_reply(world_do(&world, "GET a"), "$v:a");
    cr_assert_eq(blocked->outcomes, 0);
    struct world_wire *wire = world_wire_at(&world, 1);
    const char reply[] = "*2\r\n$1\r\nq\r\n$1\r\nx\r\n";
    world_bytes_add(&wire->out, reply, strlen(reply));
    world_run(&world);
    expect_reply(blocked, "*2");
    cr_assert_eq(pool_of(&world)->idle_count, 1);
    world_stop(&world);
}

Test(engine_lease, a_blocking_command_that_ends_early_costs_its_connection)
{
    for (int cancel = 0; cancel < 2; cancel++) {
        struct world world;
        begin(&world, OPTIONS("command_timeout_ms=500", "blocking_grace_ms=500"));
        struct world_call *blocked = world_do(&world, "BLPOP q 1");
        if (cancel)
            world_cancel(&world, blocked);
        else
            world_advance(&world, 2000);
        expect_failure(blocked, cancel ? TENDON_ERROR_CANCELLED : TENDON_ERROR_TIMEOUT,
                       TENDON_EXECUTED_UNKNOWN);
        world_run(&world);
        cr_assert_eq(world_wire_count(&world), 1);
        world_stop(&world);
    }
}

Test(engine_lease, a_blocking_command_whose_connection_is_lost_is_unknown)
{
    struct world world;
    begin(&world, NULL);
    struct world_call *blocked = world_do(&world, "BLPOP q 0");
    world_cut(&world, world_wire_at(&world, 1), false);
    world_advance(&world, 100);
    expect_failure(blocked, TENDON_ERROR_DISCONNECTED, TENDON_EXECUTED_UNKNOWN);
    world_stop(&world);
}

Test(engine_lease, a_demoted_node_unblocks_and_the_command_is_issued_again)
{
    struct world world;
    begin(&world, NULL);
    world_rule(&world, 0, "BLPOP", WORLD_ANSWER,
               "-UNBLOCKED force unblock from blocking operation, instance state changed (master "
               "-> replica?)",
               1);
    struct world_call *blocked = world_do(&world, "BLPOP q 0");
    world_advance(&world, 100);
    cr_assert_eq(blocked->outcomes, 0, "%s", blocked->reply);
    world_stop(&world);
}

Test(engine_lease, a_pool_of_one_serves_everybody_in_turn)
{
    struct world world;
    begin(&world, OPTIONS("pool_max=1"));
    struct world_call *lease = open_lease(&world);
    struct world_call *get = world_do(&world, "GET a");
    cr_assert_eq(get->outcomes, 0);
    world_lease_close(lease, false);
    world_run(&world);
    expect_reply(get, "$v:a");
    struct world_call *blocked = world_do(&world, "BLPOP q 1");
    cr_assert_eq(world_wire_count(&world), 1);
    struct world_wire *wire = world_wire_at(&world, 0);
    world_bytes_add(&wire->out, "_\r\n", 3);
    world_run(&world);
    expect_reply(blocked, "_");
    expect_reply(world_do(&world, "GET b"), "$v:b");
    world_stop(&world);
}

Test(engine_lease, a_lane_that_becomes_idle_makes_room_for_who_waits)
{
    struct world world;
    begin(&world, OPTIONS("pool_max=2"));
    open_lease(&world);
    world_rule(&world, 0, "GET", WORLD_SWALLOW, NULL, 1);
    struct world_call *get = world_do(&world, "GET a");
    struct world_call *second = world_lease(&world, NULL, 0);
    world_run(&world);
    cr_assert_eq(second->outcomes, 0);
    world_release(&world);
    world_run(&world);
    expect_reply(get, "$v:a");
    expect_reply(second, "+localhost:6379");
    world_stop(&world);
}

Test(engine_lease, a_dirty_return_to_a_full_pool_still_serves_the_lane)
{
    struct world world;
    begin(&world, OPTIONS("pool_max=1"));
    for (int discard = 0; discard < 2; discard++) {
        struct world_call *lease = open_lease(&world);
        on(&world, lease, "MULTI");
        struct world_call *get = world_do(&world, "GET a");
        world_lease_close(lease, discard);
        world_run(&world);
        expect_reply(get, "$v:a");
    }
    world_stop(&world);
}

Test(engine_lease, testing_on_borrow_finds_the_dead)
{
    struct world world;
    begin(&world, OPTIONS("pool_test_on_borrow=yes", "command_timeout_ms=9000"));
    struct world_call *lease = open_lease(&world);
    world_lease_close(lease, false);
    world_run(&world);
    lease = open_lease(&world);
    cr_assert_str_eq(world.last_log, "PING");
    world_lease_close(lease, false);
    world_run(&world);
    world.servers[0].frozen = true;
    lease = world_lease(&world, NULL, 0);
    world_advance(&world, 1000);
    cr_assert_eq(lease->outcomes, 0);
    world_advance(&world, 1500);
    world.servers[0].frozen = false;
    world_advance(&world, 1000);
    expect_reply(lease, "+localhost:6379");
    world_stop(&world);
}

Test(engine_lease, idle_connections_are_retired_and_kept_as_asked)
{
    struct world world;
    begin(&world, OPTIONS("pool_min_idle=2", "pool_idle_timeout_ms=1000", "pool_jitter_percent=0"));
    cr_assert_eq(pool_of(&world)->idle_count, 2);
    struct world_call *leases[4];
    for (int i = 0; i < 4; i++)
        leases[i] = open_lease(&world);
    for (int i = 0; i < 4; i++)
        world_lease_close(leases[i], false);
    world_run(&world);
    cr_assert_geq(pool_of(&world)->idle_count, 4);
    world_advance(&world, 2000);
    cr_assert_eq(pool_of(&world)->idle_count, 2);
    world_stop(&world);
}

Test(engine_lease, close_with_leases_everywhere)
{
    struct world world;
    begin(&world, OPTIONS("pool_max=3"));
    struct world_call *granted = open_lease(&world);
    struct world_call *second = open_lease(&world);
    struct world_call *waiting = world_lease(&world, NULL, 0);
    struct world_call *early =
        world_submit_as(&world, "GET a", (struct world_how){.lease = waiting->lease});
    world_rule(&world, 0, "GET", WORLD_SWALLOW, NULL, 1);
    struct world_call *sent = on(&world, granted, "GET a");
    on(&world, second, "MULTI");
    world_lease_close(second, false);
    tendon__engine_close(world.engine, world.now_ns);
    cr_assert_eq(early->outcomes, 1);
    cr_assert_eq(sent->outcomes, 1);
    cr_assert_eq(sent->executed, TENDON_EXECUTED_UNKNOWN);
    struct world_call *after = world_lease(&world, NULL, 0);
    expect_failure(after, TENDON_ERROR_CLOSED, TENDON_EXECUTED_NO);
    world_stop(&world);
}

Test(engine_lease, a_server_that_is_down_is_named_as_the_cause)
{
    struct world world;
    world_init(&world);
    world.servers[0].down = true;
    world_start(&world, OPTIONS("mode=standalone", "command_timeout_ms=300"), 1);
    struct world_call *lease = world_lease(&world, NULL, 300);
    world_advance(&world, 300);
    cr_assert_eq(lease->outcomes, 1);
    cr_assert_neq(lease->status, TENDON_ERROR_POOL_TIMEOUT, "%s", lease->fault.text);
    cr_assert_null(strstr(lease->fault.text, "pool_max"), "%s", lease->fault.text);
    world_stop(&world);
}
