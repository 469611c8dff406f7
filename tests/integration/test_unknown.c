/*
 * Commands that the table does not know, in a cluster of real servers. Renamed ones are such: the
 * server reports them under their new names, with movable keys where the old ones have them.
 */
#include <stdlib.h>

#include "support/check.h"
#include "support/host.h"

#define HOSTS 2
#define KEYS  40

static struct host hosts[HOSTS];

static bool in_step(void)
{
    for (int i = 0; i < HOSTS; i++) {
        const char *said = host_say(hosts[i].port, "CLUSTER INFO");
        if (!strstr(said, "cluster_state:ok") || !strstr(said, "cluster_slots_ok:16384"))
            return false;
    }
    return true;
}

static bool start(void)
{
    for (int i = 0; i < HOSTS; i++)
        if (!host_start(&hosts[i],
                        "--cluster-enabled yes --cluster-config-file nodes.conf "
                        "--rename-command EVAL my.eval --rename-command ZUNION my.zunion "
                        "--rename-command XREAD my.xread --rename-command INCR my.incr"))
            return false;
    host_say(hosts[0].port, "CLUSTER ADDSLOTSRANGE 0 8191");
    host_say(hosts[1].port, "CLUSTER ADDSLOTSRANGE 8192 16383");
    host_say(hosts[1].port, "CLUSTER SET-CONFIG-EPOCH 2");
    host_say(hosts[0].port, "CLUSTER MEET 127.0.0.1 %d", hosts[1].port);
    UNTIL(in_step());
    return in_step();
}

static tendon_client *to_cluster(const char *more)
{
    return open_client("endpoints=127.0.0.1:%d mode=cluster command_timeout_ms=%d %s",
                       hosts[0].port, PATIENCE_MS, more);
}

static void reach_their_node(const char *more)
{
    tendon_client *client = to_cluster(more);
    for (int i = 0; client && i < KEYS; i++) {
        char key[32], other[32], value[16], entry[48];
        snprintf(key, sizeof key, "{k%d}one", i);
        snprintf(other, sizeof other, "{k%d}two", i);
        snprintf(value, sizeof value, "%d", i);
        snprintf(entry, sizeof entry, "value %d", i);
        expect_text(ask(client, "MY.EVAL", "return redis.call('SET', KEYS[1], ARGV[1])", "1", key,
                        value, NULL),
                    "OK");
        snprintf(value, sizeof value, "%d", i + 1);
        expect_text(ask(client, "my.incr", key, NULL), value);
        expect_text(ask(client, "DEL", key, NULL), "1");
        expect_text(ask(client, "ZADD", key, "1", "a", NULL), "1");
        expect_text(ask(client, "ZADD", other, "1", "b", NULL), "1");
        expect_text(ask(client, "my.zunion", "2", key, other, NULL), "(array 2)");
        expect_text(ask(client, "my.xread", "COUNT", "1", "STREAMS", entry, "0", NULL), "(null)");
        expect_text(ask(client, "DEL", key, other, NULL), "2");
    }
    CHECK(stats_of(client).moved == 0, "%lu redirects", stats_of(client).moved);
    tendon_client_destroy(client);
}

static void movable_keys_reach_their_node(void)
{
    reach_their_node("");
    reach_their_node("protocol=2");
}

static void without_keys_they_go_anywhere(void)
{
    tendon_client *client = to_cluster("");
    for (int i = 0; i < 4; i++)
        expect_text(ask(client, "my.eval", "return 7", "0", NULL), "7");
    /* Arguments that make no sense are the server's to refuse, as of the command itself. */
    struct answer answer = ask(client, "my.zunion", "9", "a", NULL);
    CHECK(answer.reply && answer.view.nodes[0].type == TENDON_NODE_ERROR, "%s%s", answer.text,
          answer.fault.message);
    forget(&answer);
    tendon_client_destroy(client);
}

static void keys_of_two_slots_are_refused(void)
{
    tendon_client *client = to_cluster("");
    struct answer answer = ask(client, "my.zunion", "2", "{a}x", "{b}y", NULL);
    expect_executed(&answer, TENDON_EXECUTED_NO);
    expect_fault(answer, TENDON_ERROR_CROSSSLOT, "hash tag");
    tendon_client_destroy(client);
}

/* The servers stop between the first question, once per name, and that of the call. */
static void what_cannot_be_known_is_not_sent(void)
{
    tendon_client *client = to_cluster("");
    expect_text(ask(client, "my.eval", "return 7", "1", "k", NULL), "7");
    for (int i = 0; i < HOSTS; i++)
        host_freeze(&hosts[i]);
    struct answer answer = ask_by(client, (struct manner){.timeout_ms = 300}, "my.eval",
                                  "return redis.call('SET', KEYS[1], 'x')", "1", "unsent", NULL);
    for (int i = 0; i < HOSTS; i++)
        host_thaw(&hosts[i]);
    expect_time(&answer, 290, 300);
    expect_executed(&answer, TENDON_EXECUTED_NO);
    expect_fault(answer, TENDON_ERROR_TIMEOUT, "where its keys are");
    expect_text(ask(client, "EXISTS", "unsent", NULL), "0");
    tendon_client_destroy(client);
}

int main(void)
{
    host_ports(15680);
    if (!start())
        return 1;
    run_test("movable keys reach their node", movable_keys_reach_their_node);
    run_test("without keys they go anywhere", without_keys_they_go_anywhere);
    run_test("keys of two slots are refused", keys_of_two_slots_are_refused);
    run_test("what cannot be known is not sent", what_cannot_be_known_is_not_sent);
    for (int i = 0; i < HOSTS; i++)
        host_end(&hosts[i]);
    return finish_tests();
}
