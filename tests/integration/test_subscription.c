/* Subscriptions: what is said, in which form, what survives a lost connection, and what is bounded.
 */
#include <stdlib.h>

#include "support/check.h"
#include "support/host.h"
#include "support/listener.h"
#include "support/peer.h"
#include "support/servers.h"

static void say_it_all(const char *options)
{
    struct listener listener = listen_with(options);
    tendon_client *publisher =
        open_client("host=localhost port=%d", server_number("standalone.port"));
    say(&listener, 1, 0, "SUBSCRIBE it:a it:b");
    expect(&listener, "subscribe it:a 1");
    expect(&listener, "subscribe it:b 2");
    expect(&listener, "1: 2");
    say(&listener, 2, 0, "psubscribe it:*");
    expect(&listener, "psubscribe it:* 3");
    expect(&listener, "2: 3");
    say(&listener, 3, 0, "SSUBSCRIBE it:s");
    expect(&listener, "ssubscribe it:s 1");
    expect(&listener, "3: 1");
    publish(publisher, "it:a", "hello", 2);
    expect(&listener, "message it:a hello");
    expect(&listener, "pmessage it:* it:a hello");
    expect_text(ask(publisher, "SPUBLISH", "it:s", "sharded", NULL), "1");
    expect(&listener, "smessage it:s sharded");
    say(&listener, 4, 0, "PING");
    expect(&listener, "4: PONG");
    say(&listener, 5, 0, "PING word");
    expect(&listener, "5: word");
    say(&listener, 6, 0, "UNSUBSCRIBE it:a it:none");
    const char *first = next_within(&listener, WAIT_MS);
    bool ours_first = !strcmp(first, "unsubscribe it:none 3");
    CHECK(ours_first || !strcmp(first, "unsubscribe it:a 2"), "\"%s\"", first);
    expect(&listener, ours_first ? "unsubscribe it:a 2" : "unsubscribe it:none 2");
    expect(&listener, "6: 2");
    publish(publisher, "it:a", "again", 1);
    expect(&listener, "pmessage it:* it:a again");
    say(&listener, 7, 0, "PUNSUBSCRIBE");
    expect(&listener, "punsubscribe it:* 1");
    expect(&listener, "7: 1");
    say(&listener, 8, 0, "PUNSUBSCRIBE");
    expect(&listener, "punsubscribe null 1");
    expect(&listener, "8: 1");
    say(&listener, 9, 0, "SUNSUBSCRIBE");
    expect(&listener, "sunsubscribe it:s 0");
    expect(&listener, "9: 0");
    say(&listener, 10, 0, "SUBSCRIBE it:b");
    expect(&listener, "subscribe it:b 1");
    expect(&listener, "10: 1");
    say(&listener, 11, 0, "UNSUBSCRIBE");
    expect(&listener, "unsubscribe it:b 0");
    expect(&listener, "11: 0");
    publish(publisher, "it:b", "nobody", 0);
    say(&listener, 12, 0, "SUBSCRIBE it:b");
    expect(&listener, "subscribe it:b 1");
    expect(&listener, "12: 1");
    end_listener(&listener);
    tendon_client_destroy(publisher);
}

static void resp3_says_it_all(void)
{
    say_it_all(standalone("protocol=3"));
}

static void resp2_says_the_same(void)
{
    say_it_all(standalone("protocol=2"));
}

static void a_loop_hears_the_same(void)
{
    say_it_all(standalone("drive=host"));
}

static void other_commands_are_refused(void)
{
    struct listener listener = listen_with(standalone(""));
    static const char *const lines[] = {"GET it:a", "SUBSCRIBE", "PING a b", "MONITOR x"};
    for (uint64_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        say(&listener, i, 0, lines[i]);
        char start[8];
        snprintf(start, sizeof start, "%lu: ", (unsigned long)i);
        const char *got = next_within(&listener, WAIT_MS);
        CHECK(!strncmp(got, start, strlen(start)) && strstr(got, "(no)"), "%s: \"%s\"", lines[i],
              got);
    }
    expect_fault(ask(listener.client, "SUBSCRIBE", "it:a", NULL), TENDON_ERROR_UNSUPPORTED,
                 "SUBSCRIBE");
    say(&listener, 9, 0, "SUBSCRIBE it:a");
    expect(&listener, "subscribe it:a 1");
    expect(&listener, "9: 1");
    say(&listener, 10, 0, "MONITOR");
    CHECK(strstr(next_within(&listener, WAIT_MS), "a subscription each"), "MONITOR is refused");
    end_listener(&listener);
}

static void monitor_tells_lines(void)
{
    struct host host = {0};
    if (!CHECK(host_start(&host, ""), "a server"))
        return;
    struct listener listener = listen_to(host.port, "");
    say(&listener, 1, 0, "MONITOR");
    expect(&listener, "1: OK");
    host_say(host.port, "SET it:m 1");
    const char *line = next_within(&listener, WAIT_MS);
    CHECK(!strncmp(line, "line ", 5) && strstr(line, "\"SET\" \"it:m\" \"1\""), "\"%s\"", line);
    host_kill(&host);
    CHECK(host_restart(&host), "a server again");
    expect_after(&listener, "closed reconnecting failed", "gap");
    host_say(host.port, "SET it:m 2");
    line = next_within(&listener, WAIT_MS);
    while (*line && !strstr(line, "it:m"))
        line = next_within(&listener, WAIT_MS);
    CHECK(strstr(line, "\"SET\" \"it:m\" \"2\""), "\"%s\"", line);
    end_listener(&listener);
    host_end(&host);
}

static void it_comes_back_with_a_notice(void)
{
    struct host host = {0};
    if (!CHECK(host_start(&host, ""), "a server"))
        return;
    struct listener listener = listen_to(host.port, "");
    tendon_client *publisher = open_client("host=localhost port=%d", host.port);
    say(&listener, 1, 0, "SUBSCRIBE a b");
    expect(&listener, "subscribe a 1");
    expect(&listener, "subscribe b 2");
    expect(&listener, "1: 2");
    say(&listener, 2, 0, "PSUBSCRIBE p*");
    expect(&listener, "psubscribe p* 3");
    expect(&listener, "2: 3");
    for (int round = 0; round < 3; round++) {
        if (round == 0)
            host_say(host.port, "CLIENT KILL TYPE pubsub");
        else
            host_kill(&host);
        expect(&listener, "closed");
        if (round == 2)
            say(&listener, 3, 0, "UNSUBSCRIBE b"); /* while there is no connection */
        if (round)
            CHECK(host_restart(&host), "a server again");
        bool gone = round == 2;
        expect_after(&listener, "reconnecting failed unsubscribe b 2 3: 2", "subscribe a 1 again");
        if (!gone)
            expect(&listener, "subscribe b 2 again");
        expect(&listener, gone ? "psubscribe p* 2 again" : "psubscribe p* 3 again");
        expect(&listener, "gap");
        publish(publisher, "a", "after", 1);
        expect(&listener, "message a after");
        publish(publisher, "b", "b", gone ? 0 : 1);
        if (!gone)
            expect(&listener, "message b b");
        publish(publisher, "p1", "x", 1);
        expect(&listener, "pmessage p* p1 x");
    }
    end_listener(&listener);
    tendon_client_destroy(publisher);
    host_end(&host);
}

static void a_command_outlives_its_connection(void)
{
    struct host host = {0};
    struct peer peer = {0};
    if (!CHECK(host_start(&host, "") && peer_start(&peer, PEER_PASSES, host.port), "servers"))
        return;
    struct listener listener = listen_to(peer.port, "");
    tendon_client *publisher = open_client("host=localhost port=%d", host.port);
    say(&listener, 1, 0, "SUBSCRIBE a");
    expect(&listener, "subscribe a 1");
    expect(&listener, "1: 1");
    peer_become(&peer, PEER_SWALLOWS);
    say(&listener, 2, 8000, "SUBSCRIBE b");
    expect(&listener, "closed");
    peer_become(&peer, PEER_PASSES);
    expect_after(&listener, "reconnecting failed closed", "subscribe a 1 again");
    expect(&listener, "gap");
    expect(&listener, "subscribe b 2");
    expect(&listener, "2: 2");
    peer_become(&peer, PEER_STALLS);
    say(&listener, 3, 200, "SUBSCRIBE c");
    const char *got = next_within(&listener, WAIT_MS);
    CHECK(!strncmp(got, "3: no outcome within 200 ms", 27) && !strstr(got, "(no)"), "\"%s\"", got);
    peer_become(&peer, PEER_PASSES);
    expect_after(&listener, "closed reconnecting subscribe a 1 again subscribe b 2 again gap",
                 "subscribe c 3");
    publish(publisher, "c", "wanted all the same", 1);
    expect_after(&listener, "gap", "message c wanted all the same");
    end_listener(&listener);
    tendon_client_destroy(publisher);
    peer_end(&peer);
    host_end(&host);
}

static void what_the_server_refuses_is_not_kept(void)
{
    struct host host = {0};
    if (!CHECK(host_start(&host, ""), "a server"))
        return;
    host_say(host.port, "ACL SETUSER some on >pw resetchannels &ok* +@all");
    struct listener listener = listen_to(host.port, "username=some password=pw");
    say(&listener, 1, 0, "SUBSCRIBE ok1 secret");
    CHECK(!strncmp(next_within(&listener, WAIT_MS), "1: NOPERM", 9), "refused");
    say(&listener, 2, 0, "SUBSCRIBE ok1 ok2");
    expect(&listener, "subscribe ok1 1");
    expect(&listener, "subscribe ok2 2");
    expect(&listener, "2: 2");
    /* The server drops who may no longer listen; of the names the one that is refused goes. */
    host_say(host.port, "ACL SETUSER some resetchannels &ok2");
    expect(&listener, "closed");
    expect_after(&listener, "reconnecting", "failed");
    expect(&listener, "subscribe ok2 1 again");
    expect(&listener, "gap");
    say(&listener, 3, 0, "UNSUBSCRIBE");
    expect(&listener, "unsubscribe ok2 0");
    expect(&listener, "3: 0");
    end_listener(&listener);
    host_end(&host);
}

static void a_wrong_password_is_told_at_once(void)
{
    struct host host = {0};
    if (!CHECK(host_start(&host, ""), "a server"))
        return;
    host_say(host.port, "ACL SETUSER some on >right &* +@all");
    struct listener listener = listen_to(host.port, "username=some password=wrong");
    double start = now_ms();
    say(&listener, 1, 30000, "SUBSCRIBE a");
    say(&listener, 2, 30000, "SUBSCRIBE b");
    int told = 0;
    while (told < 2 && now_ms() - start < WAIT_MS) {
        const char *got = next_within(&listener, WAIT_MS);
        told += strstr(got, "WRONGPASS") && (*got == '1' || *got == '2');
    }
    CHECK(told == 2, "%d of 2 were told", told);
    end_listener(&listener);
    host_end(&host);
}

static int shared_cluster_port(void)
{
    return server_number("cluster.nodes.0.port");
}

static void a_cluster_carries_sharded_channels(void)
{
    struct listener listener = listen_to(shared_cluster_port(), "mode=cluster");
    tendon_client *publisher =
        open_client("host=localhost port=%d mode=cluster", shared_cluster_port());
    /* Of three nodes: every one of them owns some of these. */
    say(&listener, 1, 0, "SSUBSCRIBE it:s1 it:s2 it:s3 it:s4 it:s5 it:s6");
    int confirmed = 0;
    const char *got = next_within(&listener, WAIT_MS);
    while (!strncmp(got, "ssubscribe it:s", 15)) {
        confirmed++;
        got = next_within(&listener, WAIT_MS);
    }
    CHECK(confirmed == 6 && !strcmp(got, "1: 6"), "%d, then \"%s\"", confirmed, got);
    for (int i = 1; i <= 6; i++) {
        char channel[16];
        char wanted[64];
        snprintf(channel, sizeof channel, "it:s%d", i);
        snprintf(wanted, sizeof wanted, "smessage %s hello", channel);
        expect_text(ask(publisher, "SPUBLISH", channel, "hello", NULL), "1");
        expect(&listener, wanted);
    }
    say(&listener, 2, 0, "SUBSCRIBE it:plain");
    expect(&listener, "subscribe it:plain 1");
    expect(&listener, "2: 1");
    struct answer answer = ask(publisher, "PUBLISH", "it:plain", "everywhere", NULL);
    forget(&answer);
    expect(&listener, "message it:plain everywhere");
    end_listener(&listener);
    tendon_client_destroy(publisher);
}

static void move_slot(struct host_cluster *cluster, unsigned slot, int from, int to)
{
    char target[64];
    snprintf(target, sizeof target, "%.40s", host_say(cluster->hosts[to].port, "CLUSTER MYID"));
    for (int i = 0; i < CLUSTER_HOSTS; i++) {
        int first = i == 0 ? to : i == to ? 0 : i; /* who gets it learns it first */
        if (first == from || first == to || first < 3)
            host_say(cluster->hosts[first].port, "CLUSTER SETSLOT %u NODE %s", slot, target);
    }
}

static void a_moved_slot_is_followed(void)
{
    struct host_cluster cluster = {0};
    if (!CHECK(cluster_start(&cluster) && cluster_wait(&cluster, 3, 60000), "a cluster"))
        return;
    struct listener listener = listen_to(cluster.hosts[0].port, "mode=cluster");
    tendon_client *publisher =
        open_client("host=localhost port=%d mode=cluster", cluster.hosts[0].port);
    say(&listener, 1, 0, "SSUBSCRIBE {a}1 {a}2");
    expect(&listener, "ssubscribe {a}1 1");
    expect(&listener, "ssubscribe {a}2 2");
    expect(&listener, "1: 2");
    unsigned slot = (unsigned)atoi(host_say(cluster.hosts[0].port, "CLUSTER KEYSLOT {a}1"));
    int from = cluster_owner(&cluster, slot);
    int to = from == 0 ? 1 : 0;
    move_slot(&cluster, slot, from, to);
    expect_after(&listener,
                 "ssubscribe {a}1 1 again ssubscribe {a}2 2 again closed reconnecting "
                 "ssubscribe {a}2 1 again ssubscribe {a}1 2 again",
                 "gap");
    expect_text(ask(publisher, "SPUBLISH", "{a}1", "moved", NULL), "1");
    expect(&listener, "smessage {a}1 moved");
    end_listener(&listener);
    tendon_client_destroy(publisher);
    cluster_end(&cluster);
}

static void a_failover_is_followed(void)
{
    struct host_cluster cluster = {0};
    if (!CHECK(cluster_start(&cluster) && cluster_wait(&cluster, 3, 60000), "a cluster"))
        return;
    struct listener listener = listen_to(cluster.hosts[0].port, "mode=cluster");
    tendon_client *publisher =
        open_client("host=localhost port=%d mode=cluster", cluster.hosts[0].port);
    say(&listener, 1, 0, "SSUBSCRIBE {a}1");
    expect(&listener, "ssubscribe {a}1 1");
    expect(&listener, "1: 1");
    say(&listener, 2, 0, "SUBSCRIBE {a}plain");
    expect(&listener, "subscribe {a}plain 1");
    expect(&listener, "2: 1");
    unsigned slot = (unsigned)atoi(host_say(cluster.hosts[0].port, "CLUSTER KEYSLOT {a}1"));
    host_kill(&cluster.hosts[cluster_owner(&cluster, slot)]);
    const char *got = next_within(&listener, 60000);
    while (*got && strcmp(got, "gap"))
        got = next_within(&listener, 60000);
    CHECK(*got, "a gap after the failover");
    struct manner patient = {.timeout_ms = 30000};
    expect_text(ask_by(publisher, patient, "SPUBLISH", "{a}1", "over", NULL), "1");
    expect(&listener, "smessage {a}1 over");
    struct answer answer = ask_by(publisher, patient, "PUBLISH", "{a}plain", "over", NULL);
    forget(&answer);
    expect(&listener, "message {a}plain over");
    end_listener(&listener);
    tendon_client_destroy(publisher);
    cluster_end(&cluster);
}

int main(void)
{
    if (!servers_load())
        return 77;
    host_ports(15660);
    run_test("RESP3 says it all", resp3_says_it_all);
    run_test("RESP2 says the same", resp2_says_the_same);
    run_test("a loop hears the same", a_loop_hears_the_same);
    run_test("other commands are refused", other_commands_are_refused);
    run_test("MONITOR tells lines", monitor_tells_lines);
    run_test("it comes back with a notice", it_comes_back_with_a_notice);
    run_test("a command outlives its connection", a_command_outlives_its_connection);
    run_test("what the server refuses is not kept", what_the_server_refuses_is_not_kept);
    run_test("a wrong password is told at once", a_wrong_password_is_told_at_once);
    run_test("a cluster carries sharded channels", a_cluster_carries_sharded_channels);
    run_test("a moved slot is followed", a_moved_slot_is_followed);
    run_test("a failover is followed", a_failover_is_followed);
    return finish_tests();
}
