/* What the simulated world (tests/sim) found wrong in the engine, as scripts that stay. */
#include <stdlib.h>

#include "engine_expect.h"

Test(engine_found, multi_sent_before_unwatch_was_answered_is_cleaned)
{
    struct world world;
    begin(&world, NULL);
    struct world_call *lease = world_lease(&world, NULL, 0);
    world_run(&world);
    struct world_how how = {.lease = lease->lease};
    world_submit_as(&world, "UNWATCH", how);
    struct world_call *multi = world_submit_as(&world, "MULTI", how);
    world_run(&world);
    expect_reply(multi, "+OK");
    world_lease_close(lease, false);
    world_run(&world);
    cr_assert_eq(world.cleanings, 1, "the connection went back with MULTI open");
    world_stop(&world);
}

Test(engine_found, a_lanes_failed_dial_does_not_let_a_borrower_dial_at_once)
{
    struct world world;
    begin(&world, OPTIONS("retry_jitter=no", "reconnect_backoff_min_ms=100", "max_retries=-1",
                          "pool_max=1"));
    world.servers[0].down = true;
    world_cut_server(&world, 0, false);
    uint32_t before = world.wire_serial;
    world_submit(&world, "GET a");
    struct world_call *lease = world_lease(&world, NULL, 0);
    world_run(&world);
    world_advance(&world, 90);
    cr_assert_eq(world.wire_serial - before, 1, "%u dials", world.wire_serial - before);
    world_lease_close(lease, false);
    world_stop(&world);
}

Test(engine_found, a_lane_that_retires_goes_with_the_last_it_has_not_sent)
{
    struct world world;
    begin(&world, OPTIONS("pool_max=1", "max_retries=0"));
    world_budget(&world, 0, 0);
    struct world_call *get =
        world_submit_as(&world, "GET a", (struct world_how){.timeout_ms = 100});
    world_run(&world);
    struct world_call *lease = world_lease(&world, NULL, 0);
    world_advance(&world, 1000);
    expect_failure(get, TENDON_ERROR_TIMEOUT, TENDON_EXECUTED_NO);
    expect_reply(lease, "+localhost:6379");
    world_stop(&world);
}

Test(engine_found, a_group_half_sent_outlives_its_read_timeout)
{
    struct world world;
    char *command = malloc(50000);
    cr_assert_not_null(command);
    memset(command, 'x', 50000);
    memcpy(command, "SET big ", 8);
    memcpy(command + 40000, "|SET more y", 12);
    begin(&world, OPTIONS("read_timeout_ms=100", "max_retries=0", "retry_on_timeout=yes"));
    world_budget(&world, 0, 1000);
    struct world_call *group = world_do(&world, command);
    world_advance(&world, 500);
    cr_assert_eq(group->outcomes, 0, "given up while it was being sent: %s", group->fault.text);
    world_budget(&world, 0, SIZE_MAX);
    world_run(&world);
    expect_reply(group, "+OK");
    world_stop(&world);
    free(command);
}

Test(engine_found, a_node_that_left_does_not_keep_idle_connections)
{
    struct world world;
    begin_cluster_with(
        &world, 0, OPTIONS("cluster_refresh_interval_ms=0", "pool_min_idle=1", "retry_jitter=no"));
    cr_assert_not_null(node_at(&world, "n2"));
    world_own(&world, 0, TENDON__SLOT_COUNT - 1, 0);
    expect_reply(world_do(&world, "GET foo"), "$v:foo");
    world_advance(&world, 5000);
    cr_assert_null(node_at(&world, "n2"), "it is still kept");
    world_stop(&world);
}

Test(engine_found, the_map_is_asked_for_without_seeds_and_connections)
{
    struct world world;
    begin_cluster_with(&world, 0, OPTIONS("cluster_refresh_interval_ms=10000"));
    world_own(&world, 0, 8191, 1);
    world_advance(&world, 15000);
    world.servers[0].down = true; /* the seed, for ever */
    tendon__engine_disconnect(world.engine, world.now_ns);
    world_run(&world);
    uint32_t asked = world.slots_asked;
    world_advance(&world, 60000);
    cr_assert_gt(world.slots_asked, asked, "nobody is asked any more");
    world_stop(&world);
}

Test(engine_found, a_refusal_does_not_hide_an_earlier_attempt)
{
    struct world world;
    begin(&world, OPTIONS("max_retries=2", "retry_jitter=no"));
    world_rule(&world, -1, "SET", WORLD_CLOSE_AFTER, NULL, 1);
    world_rule(&world, -1, "SET", WORLD_ANSWER, "-LOADING Redis is loading the dataset in memory",
               9);
    struct world_call *set = world_do(&world, "SET a b");
    world_advance(&world, 2500);
    expect_failure(set, TENDON_ERROR_SERVER, TENDON_EXECUTED_UNKNOWN);
    world_stop(&world);
}

Test(engine_found, a_name_that_leads_to_the_old_machine_is_no_storm_of_connections)
{
    struct world world;
    begin_cluster(&world);
    world_rule(&world, 2, "GET", WORLD_ANSWER, "-MOVED 12182 n2:6379", 100000);
    uint32_t before = world.wire_serial;
    struct world_call *calls[20];
    for (uint32_t i = 0; i < 20; i++)
        calls[i] = world_submit(&world, "GET foo");
    world_advance(&world, 1000);
    cr_assert_leq(world.wire_serial - before, 8, "%u connections", world.wire_serial - before);
    world.rules[0].times = 0; /* the name leads to the new machine */
    world_advance(&world, 1000);
    for (uint32_t i = 0; i < 20; i++)
        expect_reply(calls[i], "$v:foo");
    world_stop(&world);
}

Test(engine_found, a_server_that_drops_each_connection_is_dialled_with_backoff)
{
    struct world world;
    begin(&world, OPTIONS("max_retries=-1", "retry_backoff_max_ms=8"));
    world_rule(&world, 0, "SET", WORLD_CLOSE, NULL, 200);
    uint32_t before = world.wire_serial;
    for (uint32_t i = 0; i < 20; i++) {
        world_submit(&world, "SET a b");
        world_advance(&world, 50);
    }
    cr_assert_leq(world.wire_serial - before, 14, "%u connections", world.wire_serial - before);
    world_stop(&world);
}

Test(engine_found, a_request_that_ends_while_it_begins_to_wait)
{
    struct world world;
    begin(&world, OPTIONS("max_retries=0"));
    world_cut_server(&world, 0, false);
    world.open_refusals = 1; /* no descriptor is left */
    struct world_call *call = world_submit(&world, "GET a");
    expect_failure(call, TENDON_ERROR_SYSTEM, TENDON_EXECUTED_NO);
    world_advance(&world, 5000); /* a timer of its memory would be due by now */
    expect_reply(world_do(&world, "GET b"), "$v:b");
    world_stop(&world);
}

Test(engine_found, a_silent_lane_is_given_up_although_every_deadline_is_short)
{
    struct world world;
    begin(&world, OPTIONS("command_timeout_ms=500", "max_in_flight=1"));
    world_rule(&world, 0, "GET", WORLD_SWALLOW, NULL, 1); /* and all later replies with it */
    struct world_call *call = NULL;
    for (uint32_t i = 0; i < 6; i++) {
        call = world_do(&world, "GET a");
        world_advance(&world, 510);
    }
    expect_reply(call, "$v:a");
    world_stop(&world);
}
