/* Commands that travel together: each has one outcome of its own, whatever happens to the others.
 */
#include <stdio.h>

#include "bundle_bag.h"
#include "client/request_build.h"

/* Hands over the command for the keys c0, c1 and so on. */
static void hand_over(struct world *world, struct bag *bag, const char *verb, uint32_t count,
                      bool hears)
{
    tendon_request asked[COMMANDS] = {{0}};
    tendon_bytes args[COMMANDS][2];
    char keys[COMMANDS][8];
    size_t taken = 0;
    memset(bag, 0, sizeof *bag);
    bag->world = world;
    bag->sink.complete_all = complete_all;
    bag->sink.hears = hears;
    for (uint32_t i = 0; i < count; i++) {
        snprintf(keys[i], sizeof keys[i], "c%u", i);
        args[i][0] = (tendon_bytes){verb, strlen(verb)};
        args[i][1] = (tendon_bytes){keys[i], strlen(keys[i])};
        asked[i] = (tendon_request){
            .struct_size = sizeof asked[i], .args = args[i], .arg_count = 2, .tag = i};
    }
    bag->request = tendon__bundle_build(&world->memory.memory, &world->options, asked,
                                        sizeof *asked, count, &bag->sink, &taken);
    cr_assert_not_null(bag->request);
    cr_assert_eq(taken, count);
    bag->request->bundle->first_id = 1000;
    bag->weight = tendon__sink_weight(bag->request);
    tendon__request_stamp(bag->request, world->now_ns);
    world->accepted += count;
    world->engine->pending += count;
    tendon__request_ref(bag->request);
    tendon__engine_submit(world->engine, bag->request, world->now_ns);
}

/* The servers of these tests count INCR of c5 as 5. */
static void expect_number(const struct bag *bag, uint32_t index)
{
    char wanted[8];
    snprintf(wanted, sizeof wanted, ":%u", index);
    cr_assert_eq(bag->status[index], TENDON_OK);
    cr_assert_str_eq(bag->reply[index], wanted);
}

Test(engine_bundle, each_command_has_its_reply)
{
    for (int hears = 0; hears < 2; hears++) {
        struct world world;
        struct bag bag;
        begin(&world, FIXED);
        hand_over(&world, &bag, "GET", COMMANDS, hears);
        world_advance(&world, 100);
        expect_one_each(&bag, COMMANDS);
        for (uint32_t i = 0; i < COMMANDS; i++) {
            char wanted[8];
            snprintf(wanted, sizeof wanted, "v:c%u", i);
            cr_assert_str_eq(bag.reply[i], wanted);
        }
        world_stop(&world);
    }
}

Test(engine_bundle, without_a_connection_each_goes_its_own_way)
{
    for (int hears = 0; hears < 2; hears++) {
        struct world world;
        struct bag bag;
        begin(&world, FIXED);
        world_cut_server(&world, 0, false);
        hand_over(&world, &bag, "INCR", COMMANDS, hears);
        cr_assert_eq(bag.request->state, TENDON__REQUEST_DONE);
        world_advance(&world, 500);
        expect_one_each(&bag, COMMANDS);
        for (uint32_t i = 0; i < COMMANDS; i++)
            expect_number(&bag, i);
        world_stop(&world);
    }
}

Test(engine_bundle, lost_at_every_byte)
{
    size_t each = strlen("*2\r\n$4\r\nINCR\r\n$2\r\nc1\r\n");
    for (size_t sent = 1; sent <= each * COMMANDS; sent++) {
        struct world world;
        struct bag bag;
        begin(&world, FIXED);
        world_rule(&world, 0, "INCR", WORLD_SWALLOW, NULL, 99);
        world_budget(&world, 0, sent);
        hand_over(&world, &bag, "INCR", COMMANDS, sent % 2);
        world_run(&world);
        world_cut_server(&world, 0, true);
        memset(world.rules, 0, sizeof world.rules);
        world_advance(&world, 1000);
        expect_one_each(&bag, COMMANDS);
        for (uint32_t i = 0; i < COMMANDS; i++) {
            char key[8];
            snprintf(key, sizeof key, "c%u", i);
            bool whole = sent >= each * (i + 1);
            cr_assert_eq(bag.status[i], whole ? TENDON_ERROR_DISCONNECTED : TENDON_OK);
            if (whole)
                cr_assert_eq(bag.executed[i], TENDON_EXECUTED_UNKNOWN);
            cr_assert_eq(world_executed(&world, key), 1);
        }
        world_stop(&world);
    }
}

Test(engine_bundle, a_refusal_is_tried_again_alone)
{
    struct world world;
    struct bag bag;
    begin(&world, FIXED);
    world_rule(&world, 0, "INCR", WORLD_ANSWER, "-LOADING Redis is loading", 1);
    hand_over(&world, &bag, "INCR", COMMANDS, true);
    world_advance(&world, 500);
    expect_one_each(&bag, COMMANDS);
    for (uint32_t i = 0; i < COMMANDS; i++)
        expect_number(&bag, i);
    world_stop(&world);
}

Test(engine_bundle, an_error_is_the_outcome_of_its_command)
{
    struct world world;
    struct bag bag;
    begin(&world, FIXED);
    world_rule(&world, 0, "INCR", WORLD_ANSWER, "-WRONGTYPE no", 1);
    hand_over(&world, &bag, "INCR", COMMANDS, true);
    world_advance(&world, 500);
    expect_one_each(&bag, COMMANDS);
    cr_assert_str_eq(bag.reply[0], "WRONGTYPE no");
    expect_number(&bag, 1);
    world_stop(&world);
}

Test(engine_bundle, the_deadline_leaves_the_replies_that_came)
{
    struct world world;
    struct bag bag;
    begin(&world, FIXED);
    hand_over(&world, &bag, "GET", 2, true);
    world_run(&world);
    expect_one_each(&bag, 2);
    world_rule(&world, 0, "INCR", WORLD_SWALLOW, NULL, 99);
    hand_over(&world, &bag, "INCR", COMMANDS, true);
    world_advance(&world, 5000);
    expect_one_each(&bag, COMMANDS);
    for (uint32_t i = 0; i < COMMANDS; i++) {
        cr_assert_eq(bag.status[i], TENDON_ERROR_TIMEOUT);
        cr_assert_eq(bag.executed[i], TENDON_EXECUTED_UNKNOWN);
    }
    world_stop(&world);
}

Test(engine_bundle, read_timeout_ends_each_alone_and_late_replies_are_nobodys)
{
    for (int hears = 0; hears < 2; hears++) {
        struct world world;
        struct bag bag;
        begin(&world, OPTIONS("retry_jitter=no", "read_timeout_ms=300", "command_timeout_ms=0",
                              "max_retries=0"));
        world_rule(&world, 0, "INCR", WORLD_SWALLOW, NULL, COMMANDS);
        hand_over(&world, &bag, "INCR", COMMANDS, hears);
        world_advance(&world, 299);
        cr_assert_eq(bag.outcomes[0], 0);
        world_advance(&world, 2);
        for (uint32_t i = 0; i < COMMANDS; i++) {
            cr_assert_eq(bag.status[i], TENDON_ERROR_TIMEOUT);
            cr_assert_eq(bag.executed[i], TENDON_EXECUTED_UNKNOWN);
        }
        struct world_call *other = world_submit(&world, "GET b");
        world_release(&world);
        world_advance(&world, 100);
        expect_one_each(&bag, COMMANDS);
        expect_reply(other, "$v:b");
        world_stop(&world);
    }
}

Test(engine_bundle, after_read_timeout_each_is_tried_again_when_allowed)
{
    struct world world;
    struct bag bag;
    begin(&world, OPTIONS("retry_jitter=no", "read_timeout_ms=300", "command_timeout_ms=0",
                          "retry_on_timeout=yes"));
    world_rule(&world, 0, "GET", WORLD_SWALLOW, NULL, COMMANDS);
    hand_over(&world, &bag, "GET", COMMANDS, true);
    world_advance(&world, 305);
    cr_assert_eq(bag.outcomes[0], 0);
    world_release(&world);
    world_advance(&world, 100);
    expect_one_each(&bag, COMMANDS);
    for (uint32_t i = 0; i < COMMANDS; i++) {
        cr_assert_eq(bag.status[i], TENDON_OK);
        cr_assert_eq(bag.reply[i][3], (char)('0' + i));
    }
    cr_assert_eq(world_executed(&world, "c1"), 2);
    world_stop(&world);
}

/* Of a bundle that is stuck only what has left completely waits for an answer. */
Test(engine_bundle, half_sent_its_commands_are_judged_by_what_was_sent_of_them)
{
    struct world world;
    struct bag bag;
    begin(&world, OPTIONS("retry_jitter=no", "read_timeout_ms=100", "write_timeout_ms=400",
                          "command_timeout_ms=0", "max_retries=3"));
    world_budget(&world, 0, 50); /* two commands and a part of the third */
    world_rule(&world, 0, "INCR", WORLD_SWALLOW, NULL, 2);
    hand_over(&world, &bag, "INCR", COMMANDS, true);
    world_advance(&world, 110);
    cr_assert_eq(bag.status[0], TENDON_ERROR_TIMEOUT);
    cr_assert_eq(bag.outcomes[1], 1);
    cr_assert_eq(bag.outcomes[2], 0);
    world_budget(&world, 0, SIZE_MAX);
    world_run(&world);
    world_release(&world);
    world_advance(&world, 100);
    expect_one_each(&bag, COMMANDS);
    for (uint32_t i = 2; i < COMMANDS; i++)
        cr_assert_eq(bag.status[i], TENDON_OK, "%u", i);
    world_stop(&world);
}

Test(engine_bundle, write_timeout_closes_a_connection_that_is_stuck)
{
    struct world world;
    struct bag bag;
    begin(&world, OPTIONS("retry_jitter=no", "write_timeout_ms=200", "command_timeout_ms=0",
                          "max_retries=3"));
    world_budget(&world, 0, 50);
    world_rule(&world, 0, "INCR", WORLD_SWALLOW, NULL, 2);
    hand_over(&world, &bag, "INCR", COMMANDS, true);
    world_advance(&world, 199);
    cr_assert_eq(bag.outcomes[0], 0);
    world_advance(&world, 500);
    expect_one_each(&bag, COMMANDS);
    for (uint32_t i = 0; i < COMMANDS; i++)
        cr_assert_eq(bag.status[i] == TENDON_OK, bag.executed[i] != TENDON_EXECUTED_UNKNOWN);
    cr_assert_eq(bag.status[COMMANDS - 1], TENDON_OK);
    world_stop(&world);
}

Test(engine_bundle, a_cancelled_command_leaves_the_others_their_replies)
{
    struct world world;
    struct bag bag;
    begin(&world, FIXED);
    world_rule(&world, 0, "GET", WORLD_SWALLOW, NULL, COMMANDS);
    hand_over(&world, &bag, "GET", COMMANDS, true);
    world_run(&world);
    tendon__engine_cancel(world.engine, 1002, world.now_ns);
    world_run(&world);
    cr_assert_eq(bag.outcomes[2], 1);
    cr_assert_eq(bag.status[2], TENDON_ERROR_CANCELLED);
    cr_assert_eq(bag.executed[2], TENDON_EXECUTED_UNKNOWN);
    world_release(&world);
    world_advance(&world, 100);
    expect_one_each(&bag, COMMANDS);
    cr_assert_str_eq(bag.reply[1], "v:c1");
    cr_assert_str_eq(bag.reply[3], "v:c3");
    world_stop(&world);
}

Test(engine_bundle, cancelled_before_it_is_sent_a_command_is_never_sent)
{
    struct world world;
    struct bag bag;
    begin(&world, FIXED);
    hand_over(&world, &bag, "INCR", COMMANDS, true);
    tendon__engine_cancel(world.engine, 1002, world.now_ns);
    world_advance(&world, 100);
    expect_one_each(&bag, COMMANDS);
    cr_assert_eq(bag.status[2], TENDON_ERROR_CANCELLED);
    cr_assert_eq(bag.executed[2], TENDON_EXECUTED_NO);
    cr_assert_eq(world_executed(&world, "c2"), 0);
    cr_assert_eq(world_executed(&world, "c3"), 1);
    world_stop(&world);
}

Test(engine_bundle, closing_ends_what_is_open)
{
    struct world world;
    struct bag bag;
    begin(&world, FIXED);
    world_rule(&world, 0, "INCR", WORLD_SWALLOW, NULL, 99);
    hand_over(&world, &bag, "INCR", COMMANDS, false);
    world_run(&world);
    tendon__engine_close(world.engine, world.now_ns);
    tendon__engine_tell(world.engine);
    expect_one_each(&bag, COMMANDS);
    for (uint32_t i = 0; i < COMMANDS; i++)
        cr_assert_eq(bag.status[i], TENDON_ERROR_CLOSED);
    world_stop(&world);
}

Test(engine_bundle, without_memory_each_still_has_one_outcome)
{
    for (long n = 0; n < 40; n++) {
        struct world world;
        struct bag bag;
        begin(&world, FIXED);
        world_rule(&world, 0, "INCR", WORLD_SWALLOW, NULL, 99);
        hand_over(&world, &bag, "INCR", COMMANDS, n % 2);
        world_run(&world);
        world.memory.refuse_from = world.memory.requests + n + 1;
        world_cut_server(&world, 0, true);
        world_advance(&world, 100);
        world.memory.refuse_from = 0;
        world_advance(&world, 5000);
        expect_one_each(&bag, COMMANDS);
        world_stop(&world);
    }
}

#define STALE 100

/* Cancelled commands are not counted any more, but their bundles keep a deadline until the replies
 * have come. Deadlines that come earlier each time take the room that is made for timers. */
Test(engine_bundle, a_call_has_its_deadline_among_bundles_that_were_cancelled)
{
    static struct bag bags[STALE];
    struct world world;
    begin(&world, FIXED);
    world_rule(&world, 0, "INCR", WORLD_SWALLOW, NULL, 2 * STALE);
    for (uint32_t i = 0; i < STALE; i++) {
        world.options.command_timeout_ms = 30000 - 50 * i;
        hand_over(&world, &bags[i], "INCR", 2, true);
        world_run(&world);
        tendon__engine_cancel(world.engine, 1000, world.now_ns);
        tendon__engine_cancel(world.engine, 1001, world.now_ns);
        world_run(&world);
        cr_assert_eq(bags[i].outcomes[0] + bags[i].outcomes[1], 2);
        bags[i].request->bundle->first_id = 5000000 + 10 * i; /* the next has the same ids */
    }
    world_rule(&world, 0, "GET", WORLD_SWALLOW, NULL, 1);
    struct world_call *late =
        world_submit_as(&world, "GET x", (struct world_how){.timeout_ms = 500});
    world_advance(&world, 3000);
    cr_assert_eq(late->outcomes, 1);
    world_release(&world);
    world_advance(&world, 100);
    for (uint32_t i = 0; i < STALE; i++)
        tendon__request_unref(bags[i].request);
    world_stop(&world);
}

/* A program that keeps a cache must hear of a value before it hears that the value is stale. */
Test(engine_bundle, a_push_does_not_overtake_the_replies_before_it)
{
    struct world world;
    struct bag bag;
    begin(&world, FIXED);
    world_rule(&world, 0, "GET", WORLD_SWALLOW, NULL, 2);
    hand_over(&world, &bag, "GET", 2, true);
    world_run(&world);
    world_push(&world, world_wire_at(&world, 0),
               "$2\r\nv0\r\n>2\r\n$10\r\ninvalidate\r\n*1\r\n$2\r\nc0\r\n$2\r\nv1\r\n");
    world_advance(&world, 100);
    cr_assert_eq(world.events[TENDON_EVENT_PUSH], 1);
    cr_assert(world.has_told_before_push);
    expect_one_each(&bag, 2);
    cr_assert_str_eq(bag.reply[0], "v0");
    cr_assert_str_eq(bag.reply[1], "v1");
    world_stop(&world);
}
