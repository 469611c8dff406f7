/* Lines for a person: what they tell of, that they are one line each, and that nobody pays for them
 * who does not read them. */
#include "engine_expect.h"

static void expect_line(const struct world *world, const char *words)
{
    cr_assert(strstr(world->lines, words) != NULL, "\"%s\" is not in:\n%s", words, world->lines);
}

Test(engine_log, a_failed_dial_with_its_reason)
{
    struct world world;
    world_init(&world);
    world.servers[0].down = true;
    world_start(&world, OPTIONS("max_retries=0"), 1);
    world_do(&world, "PING");
    expect_line(&world, "cannot connect to localhost:6379 (failure 1 in a row): refused\n");
    cr_assert_eq(world.level, TENDON_LOG_WARNING);
    world_stop(&world);
}

Test(engine_log, a_wrong_password_is_an_error_and_not_told)
{
    struct world world;
    world_init(&world);
    world.servers[0].password = "right";
    world_start(&world, OPTIONS("password=hunter2", "max_retries=0"), 1);
    world_do(&world, "PING");
    expect_line(&world, "WRONGPASS");
    cr_assert_eq(world.level, TENDON_LOG_ERROR);
    cr_assert_null(strstr(world.lines, "hunter2"));
    world_stop(&world);
}

Test(engine_log, an_old_server)
{
    struct world world;
    world_init(&world);
    world.servers[0].no_hello = true;
    world_start(&world, OPTIONS("mode=standalone"), 1);
    world_do(&world, "PING");
    cr_assert_str_eq(world.lines, "localhost:6379 does not know HELLO; RESP2 is used\n");
    cr_assert_eq(world.level, TENDON_LOG_INFO);
    world_stop(&world);
}

Test(engine_log, a_late_reply)
{
    struct world world;
    begin(&world, OPTIONS("mode=standalone", "command_timeout_ms=100"));
    world_rule(&world, -1, "GET", WORLD_SWALLOW, NULL, 1);
    world_do(&world, "GET k");
    world_advance(&world, 200);
    cr_assert_str_eq(world.lines, "");
    world_release(&world);
    world_run(&world);
    expect_line(&world, "dropped a reply of localhost:6379");
    world_stop(&world);
}

Test(engine_log, a_lost_connection)
{
    struct world world;
    begin(&world, OPTIONS("mode=standalone"));
    world_cut_server(&world, 0, false);
    expect_line(&world, "shared connection to localhost:6379 lost: the test cut the connection\n");
    world_stop(&world);
}

Test(engine_log, a_server_that_does_not_answer_a_health_check)
{
    struct world world;
    begin(&world, OPTIONS("mode=standalone", "health_check_interval_ms=1000"));
    world.servers[0].frozen = true;
    world_advance(&world, 5000);
    expect_line(&world, "shared connection to localhost:6379 retired as unhealthy: ");
    world_stop(&world);
}

Test(engine_log, a_demotion)
{
    struct world world;
    begin(&world, OPTIONS("mode=standalone"));
    world_rule(&world, -1, "SET", WORLD_ANSWER, "-READONLY You can't write", 1);
    world_do(&world, "SET k v");
    expect_line(&world, "localhost:6379 refuses writes: it is a replica now\n");
    world_stop(&world);
}

Test(engine_log, a_map_that_cannot_be_read_and_one_with_less_nodes)
{
    struct world world;
    begin_cluster(&world);
    world_rule(&world, -1, "CLUSTER", WORLD_ANSWER, "-LOADING not yet", 5);
    world_cut_server(&world, 0, false);
    world_advance(&world, 10000);
    expect_line(&world, "the cluster's map could not be read; the old one stays in use: ");
    world_own(&world, 0, TENDON__SLOT_COUNT - 1, 0);
    world.server_count = 1;
    world_cut_server(&world, 0, false);
    world_do(&world, "GET foo");
    world_advance(&world, 10000);
    expect_line(&world, "n1:6379 is not in the cluster's map any more\n");
    world_stop(&world);
}

Test(engine_log, the_words_of_a_server_stay_in_one_line)
{
    struct world world;
    begin(&world, OPTIONS("mode=standalone"));
    world_rule(&world, -1, "GET", WORLD_ANSWER, "$1\r\nx\r\n+\x1b[2Jnothing\tto see", 1);
    world_do(&world, "GET k");
    world_advance(&world, 100);
    expect_line(&world, "the server sent a reply nobody asked for: ?[2Jnothing?to see\n");
    world_stop(&world);
}

Test(engine_log, nobody_reads_nothing_is_written)
{
    struct world world;
    begin(&world, OPTIONS("mode=standalone"));
    world.engine->logs = false;
    world_cut_server(&world, 0, false);
    cr_assert_str_eq(world.lines, "");
    cr_assert_eq(world.events[TENDON_EVENT_LOG], 0);
    world_stop(&world);
}
