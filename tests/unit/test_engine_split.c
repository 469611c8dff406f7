/* Commands of one call to a cluster: those to one shard travel together, and each has one outcome
 * of its own in its own place. */
#include "bundle_bag.h"
#include "client/request_build.h"

#define SLOT_Y 12222

/* With the keys that are asked for: two on each of the three servers. */
static const char *const keys[COMMANDS] = {"y", "b", "c", "e", "f", "g"};

/* Hands the command over for all keys; returns in how many bundles. */
static uint32_t hand_over_as(struct world *world, struct bag *bag, const char *verb, bool hears,
                             uint64_t wrong_turn)
{
    tendon_request asked[COMMANDS] = {{0}};
    tendon_bytes args[COMMANDS][2];
    struct tendon__link bundles, *link;
    uint32_t count = 0;
    memset(bag, 0, sizeof *bag);
    bag->world = world;
    bag->sink.complete_all = complete_all;
    bag->sink.hears = hears;
    for (uint32_t i = 0; i < COMMANDS; i++) {
        args[i][0] = (tendon_bytes){verb, strlen(verb)};
        args[i][1] = (tendon_bytes){keys[i], strlen(keys[i])};
        asked[i] = (tendon_request){
            .struct_size = sizeof asked[i], .args = args[i], .arg_count = 2, .tag = i};
    }
    tendon__list_init(&bundles);
    size_t taken =
        tendon__bundle_split(&world->memory.memory, &world->options, world->engine->owners, asked,
                             sizeof *asked, COMMANDS, 0, &bag->sink, &bundles);
    cr_assert_eq(taken, COMMANDS);
    for (link = bundles.next; link != &bundles; link = link->next)
        bag->weight += tendon__sink_weight(TENDON__OWNER(link, struct tendon__request, item.link));
    world->accepted += COMMANDS;
    world->engine->pending += COMMANDS;
    while ((link = tendon__list_shift(&bundles))) {
        struct tendon__request *request = TENDON__OWNER(link, struct tendon__request, item.link);
        request->bundle->first_id = 1000 + 100 * count++;
        request->bundle->map_turn += wrong_turn;
        tendon__request_stamp(request, world->now_ns);
        tendon__engine_submit(world->engine, request, world->now_ns);
    }
    return count;
}

static uint32_t hand_over(struct world *world, struct bag *bag, const char *verb, bool hears)
{
    return hand_over_as(world, bag, verb, hears, 0);
}

/* Each key has been counted once, and each command knows it. */
static void expect_counted(struct world *world, struct bag *bag)
{
    expect_each_told(bag, COMMANDS);
    for (uint32_t i = 0; i < COMMANDS; i++) {
        cr_assert_eq(bag->status[i], TENDON_OK, "command %u", i);
        cr_assert_eq(world_executed(world, keys[i]), 1, "%s", keys[i]);
    }
}

/* Lanes to all three. */
static void begin_three(struct world *world)
{
    begin_cluster_with(world, 0, OPTIONS("cluster_refresh_interval_ms=0", "retry_jitter=no"));
    expect_reply(world_do(world, "GET z"), "$v:z");
}

Test(engine_split, each_shard_has_a_bundle_and_each_command_its_reply)
{
    for (int hears = 0; hears < 2; hears++) {
        struct world world;
        struct bag bag;
        begin_three(&world);
        cr_assert_eq(hand_over(&world, &bag, "GET", hears), 3);
        world_run(&world);
        expect_each_told(&bag, COMMANDS);
        for (uint32_t i = 0; i < COMMANDS; i++) {
            cr_assert_str_eq(bag.reply[i] + 2, keys[i]);
            cr_assert_eq(bag.status[i], TENDON_OK);
        }
        cr_assert_eq(world.engine->stats.moved, 0);
        world_stop(&world);
    }
}

Test(engine_split, moved_and_ask_lead_one_command_elsewhere)
{
    static const char *const words[] = {"MOVED", "ASK"};
    for (uint32_t i = 0; i < 2; i++) {
        struct world world;
        struct bag bag;
        char refusal[64];
        begin_three(&world);
        snprintf(refusal, sizeof refusal, "-%s %d n1:6379", words[i], SLOT_Y);
        world_rule(&world, 2, "INCR", WORLD_ANSWER, refusal, 1);
        if (!i)
            world_own(&world, SLOT_Y, SLOT_Y, 1);
        hand_over(&world, &bag, "INCR", true);
        world_run(&world);
        expect_counted(&world, &bag);
        cr_assert_eq(world.askings, i);
        cr_assert_eq(world.engine->stats.moved, 1 - i);
        world_stop(&world);
    }
}

/* What most of a cluster that rearranges itself says passes, and costs the others nothing. */
Test(engine_split, a_refusal_is_tried_again_alone)
{
    static const char *const words[] = {"-TRYAGAIN later", "-CLUSTERDOWN down", "-LOADING yet"};
    for (uint32_t i = 0; i < 3; i++) {
        struct world world;
        struct bag bag;
        begin_three(&world);
        world_rule(&world, 1, "INCR", WORLD_ANSWER, words[i], 1);
        hand_over(&world, &bag, "INCR", true);
        world_run(&world);
        for (uint32_t j = 0; j < COMMANDS; j++)
            cr_assert_eq(bag.outcomes[j], j != 2, "%s: command %u", words[i], j);
        world_advance(&world, 1000);
        expect_counted(&world, &bag);
        world_stop(&world);
    }
}

Test(engine_split, a_lost_shard_is_unknown_where_it_was_sent)
{
    struct world world;
    struct bag bag;
    begin_three(&world);
    world_rule(&world, 2, "INCR", WORLD_SWALLOW, NULL, 99);
    hand_over(&world, &bag, "INCR", true);
    world_run(&world);
    world_cut_server(&world, 2, true);
    world_advance(&world, 1000);
    expect_each_told(&bag, COMMANDS);
    for (uint32_t i = 0; i < COMMANDS; i++) {
        bool lost = i == 0 || i == 3;
        cr_assert_eq(bag.status[i], lost ? TENDON_ERROR_DISCONNECTED : TENDON_OK);
        cr_assert_eq(bag.executed[i], lost ? TENDON_EXECUTED_UNKNOWN : 0);
    }
    world_stop(&world);
}

/* The caller has read a map that the engine has replaced before it saw the bundles. */
Test(engine_split, with_another_map_each_is_routed_alone)
{
    for (int hears = 0; hears < 2; hears++) {
        struct world world;
        struct bag bag;
        begin_three(&world);
        hand_over_as(&world, &bag, "INCR", hears, 1);
        world_run(&world);
        expect_counted(&world, &bag);
        world_stop(&world);
    }
}

Test(engine_split, a_new_map_has_another_turn)
{
    struct world world;
    struct bag bag;
    begin_three(&world);
    uint64_t before = tendon__owners_turn(world.engine->owners);
    uint16_t shard = tendon__owners_shard(world.engine->owners, SLOT_Y);
    world_own(&world, SLOT_Y, SLOT_Y, 1);
    expect_reply(world_do(&world, "GET y"), "$v:y");
    cr_assert_neq(tendon__owners_turn(world.engine->owners), before);
    cr_assert_neq(tendon__owners_shard(world.engine->owners, SLOT_Y), shard);
    hand_over(&world, &bag, "GET", true);
    world_run(&world);
    expect_each_told(&bag, COMMANDS);
    cr_assert_eq(world.engine->stats.moved, 1, "it was sent by the old map");
    world_stop(&world);
}

Test(engine_split, cancelled_by_its_id_one_command_ends)
{
    struct world world;
    struct bag bag;
    begin_three(&world);
    world_rule(&world, 2, "INCR", WORLD_SWALLOW, NULL, 99);
    hand_over(&world, &bag, "INCR", true);
    world_run(&world);
    tendon__engine_cancel(world.engine, 1001, world.now_ns); /* e, the second to n2 */
    world_run(&world);
    cr_assert_eq(bag.status[3], TENDON_ERROR_CANCELLED);
    cr_assert_eq(bag.outcomes[0], 0);
    world_release(&world);
    world_advance(&world, 100);
    expect_each_told(&bag, COMMANDS);
    cr_assert_eq(bag.status[0], TENDON_OK);
    world_stop(&world);
}

Test(engine_split, without_memory_each_still_has_one_outcome)
{
    for (long n = 0; n < 40; n++) {
        struct world world;
        struct bag bag;
        begin_three(&world);
        world_rule(&world, 2, "INCR", WORLD_SWALLOW, NULL, 99);
        hand_over(&world, &bag, "INCR", n % 2);
        world_run(&world);
        world.memory.refuse_from = world.memory.requests + n + 1;
        world_cut_server(&world, 2, true);
        world_advance(&world, 100);
        world.memory.refuse_from = 0;
        world_advance(&world, 5000);
        expect_each_told(&bag, COMMANDS);
        world_stop(&world);
    }
}

/* How many of these commands would go together; a word of each in a line. */
static size_t run_of(struct world *world, const char *const *lines, uint32_t count)
{
    tendon_request asked[COMMANDS] = {{0}};
    struct world_args args[COMMANDS];
    struct tendon__link bundles, *link;
    struct bag bag = {.world = world};
    for (uint32_t i = 0; i < count; i++) {
        world_split(lines[i], &args[i]);
        asked[i] = (tendon_request){
            .struct_size = sizeof asked[i], .args = args[i].list, .arg_count = args[i].count};
    }
    tendon__list_init(&bundles);
    size_t taken =
        tendon__bundle_split(&world->memory.memory, &world->options, world->engine->owners, asked,
                             sizeof *asked, count, 0, &bag.sink, &bundles);
    while ((link = tendon__list_shift(&bundles))) {
        struct tendon__request *request = TENDON__OWNER(link, struct tendon__request, item.link);
        request->refs = 1;
        tendon__request_unref(request);
    }
    return taken;
}

Test(engine_split, what_is_not_for_one_shard_ends_the_run)
{
    struct world world;
    begin_three(&world);
#define RUN_OF(...)                                                                                \
    run_of(&world, (const char *const[]){__VA_ARGS__},                                             \
           sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))
    cr_assert_eq(RUN_OF("GET foo", "DEL bar", "SET c 1", "MGET foo foo"), 4);
    cr_assert_eq(RUN_OF("GET foo", "DEL bar", "DEL foo bar", "GET foo"), 2, "of two shards");
    cr_assert_eq(RUN_OF("GET foo", "GET bar", "PING", "GET foo"), 2, "without a key");
    cr_assert_eq(RUN_OF("GET foo", "GET bar", "NOSUCH foo"), 2, "not known");
    cr_assert_eq(RUN_OF("GET foo", "GET bar", "BLPOP foo 1"), 2, "blocks");
    cr_assert_eq(RUN_OF("GET foo", "PING", "GET foo"), 0, "only one");
    cr_assert_eq(RUN_OF("GET foo"), 0);
    world_stop(&world);
}

Test(engine_split, commands_a_replica_may_answer_go_alone)
{
    struct world world;
    begin_cluster_with(&world, 1, OPTIONS("read_from=replica"));
    cr_assert_eq(RUN_OF("GET foo", "GET bar", "GET c"), 0);
    world_stop(&world);
}
