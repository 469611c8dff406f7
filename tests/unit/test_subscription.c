/* Subscriptions in the engine's small world: what is told in which order, what survives, and what a
 * hostile server can do. */
#include <stdio.h>

#include "base/random.h"
#include "subscription_expect.h"

static const char *feed_names(struct world *world)
{
    static char text[WORLD_NAMES * (WORLD_KEY_MAX + 2)];
    const struct world_wire *wire = world_feed(world);
    text[0] = '\0';
    for (uint32_t i = 0; wire && i < wire->name_count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? " " : "",
                 wire->names[i]);
    return text;
}

Test(subscription, says_what_happens_in_order)
{
    struct world world;
    struct tendon_subscription *some = listen_to(&world, FIXED);
    world_say(&world, some, "SUBSCRIBE a b");
    world_expect(&world, "subscribe a 1;subscribe b 2;=:2");
    world_publish(&world, "b", "x");
    world_say(&world, some, "UNSUBSCRIBE b none");
    world_expect(&world, "message b x;unsubscribe none 2;unsubscribe b 1;=:1");
    world_say(&world, some, "PING");
    world_expect(&world, "=+PONG");
    end(&world, some);
}

Test(subscription, unsubscribe_ends_what_a_timeout_has_left)
{
    struct world world;
    struct tendon_subscription *some = listen_to(&world, FIXED);
    world.servers[0].down = true;
    world_say_as(&world, some, "SUBSCRIBE a", 200);
    world_advance(&world, 300);
    expect_end(&world, "=error -31");
    world_say_as(&world, some, "UNSUBSCRIBE a", 200);
    world_run(&world);
    world_expect(&world, "unsubscribe a 0;=:0");
    world.servers[0].down = false;
    world_advance(&world, 20000);
    cr_assert_str_eq(feed_names(&world), "");
    end(&world, some);
}

Test(subscription, what_a_timeout_has_left_is_refused_by_an_event)
{
    struct world world;
    struct tendon_subscription *some = listen_to(&world, FIXED);
    world.servers[0].down = true;
    world_say_as(&world, some, "SUBSCRIBE a", 200);
    world_advance(&world, 300);
    world_say_as(&world, some, "SUBSCRIBE b", TENDON_TIMEOUT_NONE);
    world.heard[0] = '\0';
    world_rule(&world, -1, "SUBSCRIBE", WORLD_ANSWER, "-NOPERM no", 3);
    world.servers[0].down = false;
    world_advance(&world, 20000);
    cr_assert(strstr(world.heard, "failed"), "%s", world.heard);
    cr_assert(strstr(world.heard, "=-NOPERM no"), "%s", world.heard);
    cr_assert_eq(some->names.counts[TENDON__NAME_CHANNEL], 0);
    end(&world, some);
}

Test(subscription, leaving_ends_with_the_connection)
{
    struct world world;
    struct tendon_subscription *some = listen_to(&world, FIXED);
    world_say(&world, some, "SUBSCRIBE a b");
    world.heard[0] = '\0';
    world_rule(&world, -1, "UNSUBSCRIBE", WORLD_SWALLOW, NULL, 1);
    world_say(&world, some, "UNSUBSCRIBE b");
    world.servers[0].down = true;
    world_cut(&world, world_feed(&world), false);
    world_run(&world);
    world_expect(&world, "closed;unsubscribe b 1;reconnecting;=:1");
    world_say(&world, some, "UNSUBSCRIBE a");
    world_expect(&world, "gap;unsubscribe a 0;=:0");
    end(&world, some);
}

Test(subscription, nothing_is_dialled_for_nobody)
{
    struct world world;
    struct tendon_subscription *some = listen_to(&world, FIXED);
    world_say(&world, some, "SUBSCRIBE a");
    world_rule(&world, -1, "UNSUBSCRIBE", WORLD_CLOSE, NULL, 1);
    world_say(&world, some, "UNSUBSCRIBE a");
    world_expect(&world, "subscribe a 1;=:1;closed;gap;unsubscribe a 0;=:0");
    uint32_t accepted = world.servers[0].accepted;
    world_advance(&world, 20000);
    cr_assert_eq(world.servers[0].accepted, accepted);
    world_say(&world, some, "SUBSCRIBE c");
    world_expect(&world, "subscribe c 1;=:1");
    end(&world, some);
}

Test(subscription, a_gap_is_told_of_what_was_being_asked_once_more)
{
    struct world world;
    struct tendon_subscription *some = listen_to(&world, FIXED);
    world_say(&world, some, "SUBSCRIBE a");
    world_rule(&world, -1, "SUBSCRIBE", WORLD_CLOSE, NULL, 1);
    world_say(&world, some, "SUBSCRIBE a");
    world_advance(&world, 5000);
    world_expect(&world, "subscribe a 1;=:1;closed;reconnecting;subscribe a 1;gap;=:1");
    end(&world, some);
}

Test(subscription, a_name_to_be_asked_once_more_is_given_up_at_the_server)
{
    struct world world;
    struct tendon_subscription *some = listen_to(&world, FIXED);
    world_say(&world, some, "SUBSCRIBE a");
    world_rule(&world, -1, "SUBSCRIBE", WORLD_SWALLOW, NULL, 1);
    world_cancel(&world, world_say(&world, some, "SUBSCRIBE b"));
    world_cancel(&world, world_say(&world, some, "SUBSCRIBE a"));
    world_say(&world, some, "UNSUBSCRIBE a");
    world_release(&world);
    world_run(&world);
    cr_assert_str_eq(feed_names(&world), "cb");
    expect_end(&world, "subscribe b 2;unsubscribe a 1;=:1");
    end(&world, some);
}

Test(subscription, each_ping_has_its_own_answer)
{
    struct world world;
    struct tendon_subscription *some = listen_to(&world, FIXED);
    world_say(&world, some, "SUBSCRIBE a");
    world_rule(&world, -1, "PING", WORLD_ANSWER, "$5\r\nfirst", 1);
    world_rule(&world, -1, "PING", WORLD_ANSWER, "$6\r\nsecond", 1);
    world.heard[0] = '\0';
    struct world_call *first = world_say_as(&world, some, "PING first", TENDON_TIMEOUT_NONE);
    world_say_as(&world, some, "PING second", TENDON_TIMEOUT_NONE);
    world_cancel(&world, first);
    world_run(&world);
    world_expect(&world, "=error -34;=$second");
    end(&world, some);
}

Test(subscription, what_the_server_does_not_give_up_goes_on)
{
    struct world world;
    struct tendon_subscription *some = listen_to(&world, FIXED);
    world_say(&world, some, "SUBSCRIBE a");
    world_rule(&world, -1, "UNSUBSCRIBE", WORLD_ANSWER, "-NOPERM no", 1);
    world_say(&world, some, "UNSUBSCRIBE a");
    world_publish(&world, "a", "x");
    world_say(&world, some, "UNSUBSCRIBE a");
    world_expect(&world, "subscribe a 1;=:1;=-NOPERM no;message a x;unsubscribe a 0;=:0");
    end(&world, some);
}

Test(subscription, one_refusal_does_not_part_names_for_ever)
{
    struct world world;
    struct tendon_subscription *some = listen_to(&world, FIXED);
    world_say(&world, some, "SUBSCRIBE a b c");
    world_rule(&world, -1, "SUBSCRIBE", WORLD_ANSWER, "-NOPERM no", 2);
    world_cut(&world, world_feed(&world), false);
    world_advance(&world, 5000);
    expect_end(&world, "reconnecting;failed;subscribe b 1 again;subscribe c 2 again;gap");
    world_cut(&world, world_feed(&world), false);
    world_advance(&world, 5000);
    cr_assert_str_eq(world.last_log, "subscribe b c");
    end(&world, some);
}

Test(subscription, moved_without_a_cluster_is_a_refusal)
{
    struct world world;
    struct tendon_subscription *some = listen_to(&world, FIXED);
    world_rule(&world, -1, "SSUBSCRIBE", WORLD_ANSWER, "-MOVED 5 n1:6379", 100);
    world_say(&world, some, "SSUBSCRIBE a");
    world_expect(&world, "=-MOVED 5 n1:6379");
    end(&world, some);
}

Test(subscription, a_slot_that_moves_is_followed)
{
    struct world world;
    struct tendon_subscription *some = listen_cluster(&world);
    world_say(&world, some, "SSUBSCRIBE foo");
    world_move(&world, "foo", 0);
    world_advance(&world, 1000);
    world_publish(&world, "foo", "x");
    world_expect(&world, "ssubscribe foo 1;=:1;ssubscribe foo 1 again;gap;smessage foo x");
    cr_assert_eq(world.events[TENDON_EVENT_CLOSED], 0);
    end(&world, some);
}

Test(subscription, moved_does_not_bring_back_what_is_given_up)
{
    struct world world;
    struct tendon_subscription *some = listen_cluster(&world);
    world_say(&world, some, "SSUBSCRIBE foo");
    world_rule(&world, -1, "SUNSUBSCRIBE", WORLD_ANSWER, "-MOVED 12182 n0:6379", 1);
    world_say(&world, some, "SUNSUBSCRIBE foo");
    world_advance(&world, 5000);
    world_expect(&world, "ssubscribe foo 1;=:1;gap;sunsubscribe foo 0;=:0");
    cr_assert_eq(some->names.counts[TENDON__NAME_SHARDED], 0);
    end(&world, some);
}

Test(subscription, giving_up_may_cross_a_move)
{
    struct world world;
    struct tendon_subscription *some = listen_cluster(&world);
    world_say(&world, some, "SSUBSCRIBE {foo}1 {foo}2 {foo}3");
    world_say_as(&world, some, "SUNSUBSCRIBE {foo}2 {foo}1", TENDON_TIMEOUT_NONE);
    world_move(&world, "{foo}1", 0);
    world_advance(&world, 5000);
    cr_assert_eq(some->names.counts[TENDON__NAME_SHARDED], 1);
    cr_assert_null(strstr(world.heard, "closed"), "%s", world.heard);
    cr_assert(strstr(world.heard, "=:1"), "%s", world.heard);
    expect_end(&world, "gap");
    world_publish(&world, "{foo}3", "x");
    world_publish(&world, "{foo}1", "x");
    world_expect(&world, "smessage {foo}3 x");
    end(&world, some);
}

Test(subscription, nodes_that_do_not_agree_are_asked_less_and_less)
{
    struct world world;
    struct tendon_subscription *some = listen_cluster(&world);
    world_rule(&world, 2, "SSUBSCRIBE", WORLD_ANSWER, "-MOVED 12182 n0:6379", 1000000);
    world_rule(&world, 0, "SSUBSCRIBE", WORLD_ANSWER, "-MOVED 12182 n2:6379", 1000000);
    struct world_call *call = world_say_as(&world, some, "SSUBSCRIBE foo", 2000);
    world_advance(&world, 10000);
    expect_failure(call, TENDON_ERROR_TIMEOUT, TENDON_EXECUTED_UNKNOWN);
    cr_assert(strstr(call->fault.text, "MOVED"), "%s", call->fault.text);
    uint32_t asked = 2000000 - world.rules[0].times - world.rules[1].times;
    cr_assert_lt(asked, 60, "asked %u times in ten seconds", asked);
    world.rules[0].times = world.rules[1].times = 0;
    world_advance(&world, 5000);
    expect_end(&world, "ssubscribe foo 1");
    end(&world, some);
}

Test(subscription, a_server_that_gives_up_by_itself_is_asked_less_and_less)
{
    struct world world;
    struct tendon_subscription *some = listen_cluster(&world);
    world_say(&world, some, "SSUBSCRIBE foo");
    uint32_t rounds = 0;
    int64_t until_ns = world.now_ns + 10000 * TENDON__MS;
    while (world.now_ns < until_ns) {
        struct world_wire *wire = world_feed(&world);
        if (wire && strstr(world.heard, "ssubscribe foo 1")) {
            rounds++;
            world.heard[0] = '\0';
            world_push(&world, wire, ">3\r\n$12\r\nsunsubscribe\r\n$3\r\nfoo\r\n:0\r\n");
        }
        world_advance(&world, 5);
    }
    cr_assert_lt(rounds, 60, "%u rounds in ten seconds", rounds);
    end(&world, some);
}

Test(subscription, a_cluster_that_is_down_costs_no_other_name)
{
    struct world world;
    struct tendon_subscription *some = listen_cluster(&world);
    world_say(&world, some, "SSUBSCRIBE {foo}1");
    world_rule(&world, -1, "SSUBSCRIBE", WORLD_ANSWER, "-CLUSTERDOWN Hash slot not served", 3);
    world_say(&world, some, "SSUBSCRIBE {foo}2");
    world_advance(&world, 5000);
    world_expect(&world, "ssubscribe {foo}1 1;=:1;ssubscribe {foo}2 2;=:2");
    end(&world, some);
}

Test(subscription, what_cannot_be_given_up_now_goes_with_the_connection)
{
    struct world world;
    struct tendon_subscription *some = listen_cluster(&world);
    world_say(&world, some, "SSUBSCRIBE {foo}1 {foo}2");
    world_rule(&world, -1, "SUNSUBSCRIBE", WORLD_ANSWER, "-CLUSTERDOWN Hash slot not served", 1);
    world.heard[0] = '\0';
    world_say(&world, some, "SUNSUBSCRIBE {foo}1");
    world_advance(&world, 5000);
    world_publish(&world, "{foo}1", "x");
    world_publish(&world, "{foo}2", "x");
    world_expect(&world, "closed;sunsubscribe {foo}1 1;reconnecting;=:1;ssubscribe {foo}2 1 "
                         "again;gap;smessage {foo}2 x");
    end(&world, some);
}

Test(subscription, a_refusal_for_now_costs_nothing_that_is_heard)
{
    struct world world;
    struct tendon_subscription *some = listen_cluster(&world);
    world_say(&world, some, "SSUBSCRIBE foo");
    world_rule(&world, -1, "SSUBSCRIBE", WORLD_ANSWER, "-CLUSTERDOWN Hash slot not served", 3);
    world_say(&world, some, "SSUBSCRIBE foo");
    world_publish(&world, "foo", "x");
    world_advance(&world, 5000);
    world_expect(&world, "ssubscribe foo 1;=:1;smessage foo x;ssubscribe foo 1;=:1");
    end(&world, some);
}

Test(subscription, another_server_with_the_name_is_found)
{
    struct world world;
    struct tendon_subscription *some = listen_cluster(&world);
    world_say(&world, some, "SSUBSCRIBE {foo}1");
    world_rule(&world, 2, "SSUBSCRIBE", WORLD_ANSWER, "-MOVED 12182 n2:6379", 1);
    uint32_t accepted = world.servers[2].accepted;
    world.heard[0] = '\0';
    world_say(&world, some, "SSUBSCRIBE {foo}2");
    world_advance(&world, 5000);
    cr_assert_gt(world.servers[2].accepted, accepted, "the connection to the old server was kept");
    cr_assert_eq(strncmp(world.heard, "closed;reconnecting;", 20), 0, "%s", world.heard);
    cr_assert(strstr(world.heard, "=:2"), "%s", world.heard);
    expect_end(&world, "gap");
    end(&world, some);
}

Test(subscription, the_first_thing_may_be_a_sharded_channel)
{
    struct world world;
    world_init(&world);
    world_make_cluster(&world, 3, 0);
    world_start(&world, OPTIONS("retry_jitter=no"), 3);
    struct tendon_subscription *some = world_listen(&world);
    int64_t start_ns = world.now_ns;
    struct world_call *call = world_say(&world, some, "SSUBSCRIBE foo");
    world_advance(&world, 1000);
    expect_reply(call, ":1");
    cr_assert_leq(call->done_ns - start_ns, 20 * TENDON__MS);
    end(&world, some);
}

Test(subscription, without_a_cluster_the_first_thing_may_be_one_too)
{
    struct world world;
    struct tendon_subscription *some = listen_to(&world, OPTIONS("mode=auto", "retry_jitter=no"));
    struct world_call *call = world_say(&world, some, "SSUBSCRIBE foo");
    world_advance(&world, 1000);
    expect_reply(call, ":1");
    end(&world, some);
}

Test(subscription, a_node_that_left_the_cluster_is_left)
{
    struct world world;
    struct tendon_subscription *some = listen_cluster(&world);
    world_say(&world, some, "SUBSCRIBE foo");
    world_expect(&world, "subscribe foo 1;=:1");
    cr_assert_eq(world_feed(&world)->server, 2);
    world_own(&world, 0, TENDON__SLOT_COUNT - 1, 0);
    tendon__map_trigger(world.engine);
    world_advance(&world, 5000);
    cr_assert_eq(world_feed(&world)->server, 0);
    world_expect(&world, "closed;reconnecting;subscribe foo 1 again;gap");
    end(&world, some);
}

Test(subscription, a_full_pool_is_told_and_gets_better)
{
    struct world world;
    struct tendon_subscription *some = listen_to(&world, OPTIONS("pool_max=1", "retry_jitter=no"));
    world_say(&world, some, "SUBSCRIBE a");
    struct tendon_subscription *other = world_listen(&world);
    struct world_call *call = world_say_as(&world, other, "SUBSCRIBE b", 3000);
    world_advance(&world, 20000);
    expect_failure(call, TENDON_ERROR_TIMEOUT, TENDON_EXECUTED_NO);
    world_deafen(&world, some);
    world_advance(&world, 20000);
    cr_assert_str_eq(feed_names(&world), "cb");
    end(&world, other);
}

Test(subscription, a_thousand_at_once)
{
    static struct tendon_subscription *all[1000];
    struct world world;
    world_init(&world);
    world_start(&world, OPTIONS("pool_max=2000", "retry_jitter=no"), 3);
    for (int i = 0; i < 1000; i++) {
        all[i] = world_listen(&world);
        world_say_as(&world, all[i], "SUBSCRIBE a", TENDON_TIMEOUT_NONE);
    }
    world_run(&world);
    cr_assert_eq(world.completed, 1000);
    for (int i = 0; i < 10; i++) { /* as many as are cut at once */
        world_cut_server(&world, 0, false);
        world_step(&world);
    }
    world_advance(&world, 30000);
    cr_assert_eq(world.gaps, 1000, "%u gaps", world.gaps);
    for (int i = 0; i < 1000; i++)
        world_deafen(&world, all[i]);
    end(&world, NULL);
}

Test(subscription, nobody_who_collects_stops_the_reading)
{
    struct world world;
    struct tendon_subscription *some =
        listen_to(&world, OPTIONS("retry_jitter=no", "subscription_buffer_bytes=1024"));
    world_say(&world, some, "SUBSCRIBE a");
    world.heard[0] = '\0';
    world.charges = true;
    world.read_chunk = 40;
    for (int i = 0; i < 20; i++)
        world_publish(&world, "a", "x");
    cr_assert_eq(some->feeds.next->next, &some->feeds);
    cr_assert(world_feed(&world)->paused);
    cr_assert_lt(strlen(world.heard), 13 * 12);
    world_advance(&world, 60000); /* nobody gives the connection up */
    world_feed(&world)->broken = true;
    world.servers[0].down = true;
    some->pending_bytes = 0;
    world.charges = false;
    world_advance(&world, 10);
    char wanted[512] = "";
    for (int i = 0; i < 20; i++)
        strcat(wanted, "message a x;");
    strcat(wanted, "closed;");
    cr_assert_eq(strncmp(world.heard, wanted, strlen(wanted)), 0, "%s", world.heard);
    end(&world, some);
}

Test(subscription, a_gap_is_not_lost_for_want_of_memory)
{
    struct world world;
    struct tendon_subscription *some = listen_to(&world, FIXED);
    world_say(&world, some, "SUBSCRIBE a");
    for (uint32_t deaf = 1; deaf < 8; deaf++) {
        world.heard[0] = '\0';
        world.gaps = 0;
        world_cut(&world, world_feed(&world), false);
        world.deaf = deaf;
        world_advance(&world, 20000);
        world.deaf = 0;
        world_publish(&world, "a", "x");
        cr_assert_geq(world.gaps, 1, "%u: %s", deaf, world.heard);
        const char *message = strstr(world.heard, "message a x");
        const char *gap = strstr(world.heard, "gap");
        cr_assert(message && gap && gap < message, "%u: %s", deaf, world.heard);
        world.heard[0] = '\0';
    }
    end(&world, some);
}

/* Everything fails from the n-th allocation on, and then there is memory again. */
Test(subscription, memory_may_run_out_anywhere)
{
    for (long refuse = 1; refuse < 400; refuse++) {
        struct world world;
        struct tendon_subscription *some = listen_to(&world, FIXED);
        /* Requests are made by the program's thread, which is told at once. */
        world_say_as(&world, some, "SUBSCRIBE a b", 5000);
        world_say_as(&world, some, "PSUBSCRIBE p", 5000);
        world_say_as(&world, some, "PING x", 5000);
        world.memory.refuse_from = world.memory.requests + refuse;
        world_run(&world);
        world_publish(&world, "a", "x");
        world_cut_server(&world, 0, false);
        world_advance(&world, 3000);
        world.memory.refuse_from = 0;
        world_advance(&world, 60000);
        world_say_as(&world, some, "SUBSCRIBE a b", 5000);
        world_advance(&world, 6000);
        world.heard[0] = '\0';
        world_publish(&world, "a", "y");
        world_expect(&world, "message a y");
        end(&world, some);
    }
}

/* A server that says anything at any time. */
static const char *const lies[] = {
    "+OK\r\n",
    "-ERR no\r\n",
    "-MOVED 12182 n0:6379\r\n",
    "-MOVED 12182 n9:1\r\n",
    "-CLUSTERDOWN no\r\n",
    "-LOADING no\r\n",
    ":1\r\n",
    "$3\r\nabc\r\n",
    "_\r\n",
    "+PONG\r\n",
    ">2\r\n$4\r\npong\r\n$0\r\n\r\n",
    ">1\r\n$7\r\nmessage\r\n",
    "*0\r\n",
    ">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n",
    ">3\r\n$9\r\nsubscribe\r\n$1\r\nz\r\n:1\r\n",
    ">3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:0\r\n",
    ">3\r\n$11\r\nunsubscribe\r\n_\r\n:0\r\n",
    ">3\r\n$12\r\nsunsubscribe\r\n$3\r\nfoo\r\n:0\r\n",
    ">3\r\n$10\r\nssubscribe\r\n$3\r\nfoo\r\n:1\r\n",
    ">3\r\n:1\r\n:2\r\n:3\r\n",
    ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n",
    ">3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nx\r\n",
    "?what\r\n",
};
static const char *const words[] = {
    "SUBSCRIBE a b", "UNSUBSCRIBE a",    "UNSUBSCRIBE",   "SSUBSCRIBE foo bar",
    "SUNSUBSCRIBE",  "SUNSUBSCRIBE foo", "PING",          "PING x",
    "PSUBSCRIBE p",  "PUNSUBSCRIBE",     "SSUBSCRIBE foo"};

static void lie(struct world *world, struct tendon__random *random)
{
    for (struct tendon__link *link = world->wires.next; link != &world->wires; link = link->next) {
        struct world_wire *wire = TENDON__OWNER(link, struct world_wire, link);
        if (wire->channel && wire->channel->feed && !tendon__random_below(random, 3)) {
            const char *raw = lies[tendon__random_below(random, sizeof lies / sizeof *lies)];
            world_bytes_add(&wire->out, raw, strlen(raw));
        }
    }
}

Test(subscription, no_server_can_harm, .timeout = 100)
{
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct world world;
        struct tendon__random random;
        tendon__random_init(&random, seed);
        if (seed % 2)
            begin_cluster(&world);
        else
            begin(&world, OPTIONS("protocol=2"));
        struct tendon_subscription *some = world_listen(&world);
        world.read_chunk = 1 + tendon__random_below(&random, 30);
        world.write_chunk = 1 + tendon__random_below(&random, 30);
        for (int i = 0; i < 60; i++) {
            const char *word = words[tendon__random_below(&random, sizeof words / sizeof *words)];
            struct world_call *call =
                world_say_as(&world, some, word, 1 + (int64_t)tendon__random_below(&random, 3000));
            lie(&world, &random);
            for (uint64_t steps = tendon__random_below(&random, 8); steps; steps--)
                world_step(&world);
            if (!tendon__random_below(&random, 4))
                world_cancel(&world, call);
            if (!tendon__random_below(&random, 8))
                world_cut_server(&world, (uint32_t)(seed % 2 ? random.state % 3 : 0), true);
            if (!tendon__random_below(&random, 3))
                world_advance(&world, (int64_t)tendon__random_below(&random, 2000));
            world.heard[0] = '\0';
        }
        /* It becomes honest, and all is well again; what it has lied about ends with its
         * connections. */
        world.read_chunk = world.write_chunk = SIZE_MAX;
        for (uint32_t i = 0; i < world.server_count; i++)
            world_cut_server(&world, i, false);
        world_advance(&world, 60000);
        world_say_as(&world, some, "SUBSCRIBE a", 5000);
        world_say_as(&world, some, "SSUBSCRIBE foo", 5000);
        world_advance(&world, 6000);
        world.heard[0] = '\0';
        world_publish(&world, "a", "1");
        world_publish(&world, "foo", "2");
        world_expect(&world, "message a 1;smessage foo 2");
        end(&world, some);
    }
}
