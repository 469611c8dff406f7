/* Bad input: each mistake gives its own error that names cause and remedy, in time; NULL never
 * crashes. */
#include "support/check.h"
#include "support/host.h"
#include "support/peer.h"
#include "support/servers.h"

static void refused(const char *words, tendon_status wanted, const char *named)
{
    tendon_client *client;
    struct answer answer;
    tendon_status status = try_client(&client, &answer, "%s", words);
    CHECK(status == wanted && !client, "%s instead of %s for %s: %s", tendon_status_name(status),
          tendon_status_name(wanted), words, answer.fault.message);
    CHECK(strcasestr(answer.fault.message, named), "\"%s\" does not name \"%s\"",
          answer.fault.message, named);
    forget(&answer);
    tendon_client_destroy(client);
}

static void options_are_checked(void)
{
    refused("pool_maximum=5", TENDON_ERROR_CONFIG, "pool_max");
    refused("hots=localhost", TENDON_ERROR_CONFIG, "host");
    refused("port=0", TENDON_ERROR_CONFIG, "65535");
    refused("port=65536", TENDON_ERROR_CONFIG, "65535");
    refused("port=abc", TENDON_ERROR_CONFIG, "port");
    refused("port=", TENDON_ERROR_CONFIG, "port");
    refused("port=6379x", TENDON_ERROR_CONFIG, "6379x");
    refused("tls=maybe", TENDON_ERROR_CONFIG, "yes");
    refused("mode=sentinel", TENDON_ERROR_CONFIG, "standalone");
    refused("pool_max=99999999999999999999", TENDON_ERROR_CONFIG, "pool_max");
    refused("command_timeout_ms=-1", TENDON_ERROR_CONFIG, "command_timeout_ms");
    refused("pool_max=2 pool_min_idle=3", TENDON_ERROR_CONFIG, "pool_min_idle");
    refused("mode=cluster db=1", TENDON_ERROR_CONFIG, "db");
    refused("endpoints=a:1,b:x", TENDON_ERROR_CONFIG, "endpoint 2");
    refused("client_name=a\tb", TENDON_ERROR_CONFIG, "client_name");
}

static void urls_are_checked(void)
{
    refused("http://localhost", TENDON_ERROR_URL, "redis://");
    refused("redis://localhost:port", TENDON_ERROR_URL, "port");
    refused("redis://localhost:99999", TENDON_ERROR_URL, "65535");
    refused("redis://localhost/notanumber", TENDON_ERROR_URL, "db");
    refused("redis://localhost/0?pool_maximum=3", TENDON_ERROR_URL, "pool_max");
    refused("redis://localhost/0?pool_max=many", TENDON_ERROR_URL, "pool_max");
    refused("redis://us%zzer@localhost", TENDON_ERROR_URL, "%");
    refused("redis://[::1", TENDON_ERROR_URL, "bracket");
    refused("unix://", TENDON_ERROR_URL, "path");
    tendon_client *client;
    struct answer answer;
    CHECK(try_client(&client, &answer, "redis://user:geheim@localhost:99999") == TENDON_ERROR_URL,
          "a port");
    CHECK(!strstr(answer.fault.message, "geheim"), "the password is in \"%s\"",
          answer.fault.message);
    forget(&answer);
}

static void a_failed_option_changes_nothing(void)
{
    tendon_config *config = NULL;
    const char *value = NULL;
    CHECK(tendon_config_create(&config) == TENDON_OK, "a config");
    CHECK(tendon_config_set(config, "port", "1234", NULL) == TENDON_OK, "a port");
    CHECK(tendon_config_set(config, "port", "nonsense", NULL) == TENDON_ERROR_CONFIG, "no port");
    CHECK(tendon_config_set_url(config, "redis://other:77/x", NULL) == TENDON_ERROR_URL, "no URL");
    CHECK(tendon_config_get(config, "port", &value) == TENDON_OK && !strcmp(value, "1234"), "%s",
          value);
    CHECK(tendon_config_get(config, "host", &value) == TENDON_OK && !strcmp(value, "localhost"),
          "%s", value);
    CHECK(tendon_config_set(config, "password", "geheim", NULL) == TENDON_OK, "a password");
    CHECK(tendon_config_get(config, "password", &value) == TENDON_OK && !strcmp(value, "***"), "%s",
          value);
    CHECK(tendon_config_get(config, "nothing", &value) == TENDON_ERROR_CONFIG, "no option");
    tendon_config_destroy(config);
}

static void credentials(const char *words, const char *named)
{
    char line[512];
    snprintf(line, sizeof line, "host=localhost port=%d command_timeout_ms=30000 %s",
             server_number("acl.port"), words);
    static const char *const modes[] = {"mode=standalone", "mode=auto",
                                        "mode=standalone protocol=2"};
    for (size_t i = 0; i < 3; i++) {
        tendon_client *client = open_client("%s %s", line, modes[i]);
        struct answer answer = ask(client, "PING", NULL);
        expect_time(&answer, 0, 1000);
        expect_executed(&answer, TENDON_EXECUTED_NO);
        CHECK(answer.fault.error_class == TENDON_CLASS_AUTH, "class %u", answer.fault.error_class);
        CHECK(!strstr(answer.fault.message, "wrong-secret"), "a secret in \"%s\"",
              answer.fault.message);
        expect_fault(answer, TENDON_ERROR_AUTH, named);
        answer = ask(client, "PING", NULL);
        expect_time(&answer, 0, 1000);
        expect_fault(answer, TENDON_ERROR_AUTH, named);
        tendon_client_destroy(client);
    }
}

static void wrong_passwords_are_told_at_once(void)
{
    credentials("password=wrong-secret", "password");
    credentials("username=app password=wrong-secret", "password");
    credentials("username=nobody password=wrong-secret", "username");
    credentials("", "password");
}

static void right_passwords_work(void)
{
    tendon_client *client =
        open_client("host=localhost port=%d password=%s", server_number("acl.port"),
                    server_text("acl.default_password"));
    expect_text(ask(client, "ACL", "WHOAMI", NULL), "default");
    tendon_client_destroy(client);
    client = open_client("host=localhost port=%d protocol=2 username=app password=%s",
                         server_number("acl.port"), server_text("acl.password"));
    expect_text(ask(client, "ACL", "WHOAMI", NULL), "app");
    tendon_client_destroy(client);
    client =
        open_client("host=localhost port=%d username=%s password=%s", server_number("acl.port"),
                    server_text("acl.readonly_username"), server_text("acl.readonly_password"));
    struct answer answer = ask(client, "SET", "app:x", "y", NULL);
    CHECK(answer.status == TENDON_OK && !strncmp(answer.text, "NOPERM", 6), "%s %s", answer.text,
          answer.fault.message);
    forget(&answer);
    expect_text(ask(client, "GET", "app:nothing", NULL), "(null)");
    tendon_client_destroy(client);
}

static void unreachable(const char *words, double limit_ms, tendon_status wanted, const char *named)
{
    static const char *const modes[] = {"standalone", "auto", "cluster"};
    for (size_t i = 0; i < 3; i++) {
        tendon_client *client = open_client("mode=%s %s", modes[i], words);
        struct answer answer = ask(client, "GET", "key", NULL);
        expect_time(&answer, 0, limit_ms);
        expect_executed(&answer, TENDON_EXECUTED_NO);
        /* A dial that times out is tried again; what runs out then is the call's own time. */
        bool out_of_time =
            wanted == TENDON_ERROR_CONNECT_TIMEOUT && answer.status == TENDON_ERROR_TIMEOUT;
        CHECK(answer.status == wanted || out_of_time ||
                  (i == 2 && answer.status == TENDON_ERROR_TOPOLOGY),
              "%s instead of %s: %s", tendon_status_name(answer.status), tendon_status_name(wanted),
              answer.fault.message);
        CHECK(strcasestr(answer.fault.message, named), "\"%s\" does not name \"%s\" (mode %s)",
              answer.fault.message, named, modes[i]);
        forget(&answer);
        tendon_client_destroy(client);
    }
}

static void unreachable_hosts_are_told_in_time(void)
{
    char words[256];
    snprintf(words, sizeof words, "host=127.0.0.1 port=%d command_timeout_ms=20000",
             host_take_port());
    unreachable(words, 2000, TENDON_ERROR_CONNECT, "refused");
    /* Two dots in a row are no name, so no name server is asked, who may be slow or away. */
    unreachable("host=no..such.invalid command_timeout_ms=20000", 2000, TENDON_ERROR_RESOLVE,
                "no..such.invalid");
    unreachable("unix_socket=/no/such/socket command_timeout_ms=20000", 2000, TENDON_ERROR_CONNECT,
                "/no/such/socket");
}

/* A peer that misbehaves in the handshake or after it. */
static void from_peer(struct peer *peer, tendon_status wanted, const char *named)
{
    static const char *const modes[] = {"standalone", "auto", "cluster"};
    for (size_t i = 0; i < 3; i++) {
        bool silent = wanted == TENDON_ERROR_CONNECT_TIMEOUT;
        tendon_client *client =
            open_client("host=127.0.0.1 port=%d mode=%s connect_timeout_ms=%d "
                        "command_timeout_ms=%d",
                        peer->port, modes[i], silent ? 400 : 10000, silent ? 1500 : 20000);
        int before = __atomic_load_n(&peer->accepted, __ATOMIC_ACQUIRE);
        struct answer answer = ask(client, "GET", "key", NULL);
        expect_time(&answer, 0, 1500);
        expect_executed(&answer, TENDON_EXECUTED_NO);
        /* A dial that times out is tried again; what runs out then is the call's own time. */
        bool out_of_time = silent && answer.status == TENDON_ERROR_TIMEOUT;
        CHECK(answer.status == wanted || out_of_time ||
                  (i == 2 && answer.status == TENDON_ERROR_TOPOLOGY),
              "%s instead of %s: %s", tendon_status_name(answer.status), tendon_status_name(wanted),
              answer.fault.message);
        CHECK(strcasestr(answer.fault.message, named), "\"%s\" does not name \"%s\" (mode %s)",
              answer.fault.message, named, modes[i]);
        int dials = __atomic_load_n(&peer->accepted, __ATOMIC_ACQUIRE) - before;
        CHECK(dials <= 25, "%d connections in %.0f ms", dials, answer.ms);
        forget(&answer);
        tendon_client_destroy(client);
    }
}

static void garbage_is_named(void)
{
    static const struct {
        const char *text;
        size_t size;
    } says[] = {{"HTTP/1.1 400 Bad Request\r\n\r\n", 28},
                {"\x15\x03\x03\x00\x02\x02\x28", 7},
                {"SSH-2.0-OpenSSH_9.2\r\n", 21},
                {"*1000000000\r\n", 13},
                {"$99999999999999\r\n", 17},
                {"$-5\r\n", 5},
                {"*-7\r\n", 5},
                {":12x\r\n", 6},
                {"%1\r\n+a\r\n", 8},
                {"\0\0\0\0\r\n", 6}};
    for (size_t i = 0; i < sizeof says / sizeof *says; i++) {
        struct peer peer = {.say = says[i].text, .say_bytes = says[i].size};
        bool cut = i == 8; /* a map that never ends is a silent server */
        if (!peer_start(&peer, PEER_SAYS, 0))
            return;
        bool limit = i == 3 || i == 4;
        from_peer(&peer,
                  cut     ? TENDON_ERROR_CONNECT_TIMEOUT
                  : limit ? TENDON_ERROR_LIMIT
                          : TENDON_ERROR_PROTOCOL,
                  cut     ? "connect_timeout_ms"
                  : limit ? "max_reply"
                          : "port");
        peer_end(&peer);
    }
}

static void silent_and_closing_servers_are_named(void)
{
    struct peer peer = {0};
    if (!peer_start(&peer, PEER_SILENT, 0))
        return;
    from_peer(&peer, TENDON_ERROR_CONNECT_TIMEOUT, "handshake");
    peer_end(&peer);
    peer = (struct peer){0};
    if (!peer_start(&peer, PEER_CLOSES, 0))
        return;
    from_peer(&peer, TENDON_ERROR_CONNECT, "ended the connection");
    peer_end(&peer);
}

static void requests_are_checked(void)
{
    tendon_client *client = open_client("host=localhost port=%d", server_number("standalone.port"));
    tendon_bytes words[] = {{"GET", 3}, {NULL, 5}};
    expect_fault(ask_bytes(client, (struct manner){0}, words, 2), TENDON_ERROR_ARGUMENT,
                 "argument 1");
    expect_fault(ask_bytes(client, (struct manner){0}, words, 0), TENDON_ERROR_ARGUMENT, "");
    expect_fault(ask_bytes(client, (struct manner){0}, NULL, 2), TENDON_ERROR_ARGUMENT, "");
    expect_fault(ask_by(client, (struct manner){.route = 99}, "PING", NULL), TENDON_ERROR_ARGUMENT,
                 "route");
    expect_fault(
        ask_by(client, (struct manner){.route = TENDON_ROUTE_SLOT, .slot = 16384}, "PING", NULL),
        TENDON_ERROR_ARGUMENT, "slot");
    expect_fault(ask_by(client, (struct manner){.flags = TENDON_REQUEST_ATOMIC}, "PING", NULL),
                 TENDON_ERROR_ARGUMENT, "");
    expect_fault(ask_by(client, (struct manner){.timeout_ms = -7}, "PING", NULL),
                 TENDON_ERROR_ARGUMENT, "timeout");
    expect_fault(ask_by(client, (struct manner){.route = TENDON_ROUTE_NODE, .node = "localhost:1"},
                        "PING", NULL),
                 TENDON_ERROR_NO_NODE, "localhost:1");
    tendon_request request = {.struct_size = 8, .args = words, .arg_count = 1};
    tendon_reply *reply = NULL;
    tendon_error *error = NULL;
    CHECK(tendon_call(client, &request, &reply, &error) == TENDON_ERROR_ARGUMENT,
          "a struct_size of 8");
    expect_fault(answer_of(NULL, error), TENDON_ERROR_ARGUMENT, "struct_size");
    expect_text(ask(client, "PING", NULL), "PONG");
    tendon_client_destroy(client);
}

static void stateful_commands_are_refused_without_a_lease(void)
{
    static const char *const names[] = {"MULTI", "WATCH", "SELECT", "SUBSCRIBE", "MONITOR"};
    tendon_client *client = open_client("host=localhost port=%d", server_number("standalone.port"));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct answer answer =
            i && i < 4 ? ask(client, names[i], "1", NULL) : ask(client, names[i], NULL);
        CHECK(answer.status == TENDON_ERROR_STATE || answer.status == TENDON_ERROR_UNSUPPORTED ||
                  answer.status == TENDON_ERROR_ARGUMENT,
              "%s: %s %s %s", names[i], tendon_status_name(answer.status), answer.text,
              answer.fault.message);
        CHECK(strcasestr(answer.fault.message, "lease") ||
                  answer.status == TENDON_ERROR_UNSUPPORTED,
              "%s: %s", names[i], answer.fault.message);
        forget(&answer);
    }
    expect_text(ask(client, "GET", key_of("state"), NULL), "(null)");
    struct answer answer = ask(client, "CLIENT", "INFO", NULL);
    CHECK(strstr(answer.text, " db=0 ") && strstr(answer.text, " multi=-1 "), "%s", answer.text);
    forget(&answer);
    tendon_client_destroy(client);
}

static void null_handles_of_clients(void)
{
    tendon_request request = {.struct_size = sizeof request};
    tendon_outcome outcome;
    tendon_reply *reply = NULL;
    tendon_error *error = NULL;
    tendon_client *client = NULL;
    tendon_lease *lease = NULL;
    tendon_queue *queue = NULL;
    tendon_stats stats = {.struct_size = sizeof stats};
    tendon_completion done;
    const tendon_status wrong = TENDON_ERROR_ARGUMENT;
    CHECK(tendon_client_create(NULL, &client, &error) == wrong, "create");
    tendon_error_destroy(error);
    error = NULL;
    CHECK(tendon_call(NULL, &request, &reply, &error) == wrong, "call");
    expect_fault(answer_of(NULL, error), wrong, "NULL");
    CHECK(tendon_call(NULL, NULL, NULL, NULL) == wrong, "call with nothing");
    CHECK(tendon_call_batch(NULL, &request, sizeof request, 1, &outcome) == wrong, "batch");
    CHECK(tendon_submit(NULL, NULL, &request, sizeof request, 1, NULL) == wrong, "submit");
    CHECK(tendon_cancel(NULL, 1) == wrong, "cancel");
    CHECK(tendon_client_watch(NULL, NULL, 0, 0) == wrong, "watch");
    CHECK(tendon_client_reconnect(NULL, 0) == wrong, "reconnect");
    CHECK(tendon_client_disconnect(NULL) == wrong, "disconnect");
    CHECK(tendon_client_nodes(NULL, &reply, NULL) == wrong, "nodes");
    CHECK(tendon_client_stats(NULL, &stats) == wrong, "stats");
    CHECK(tendon_lease_open(NULL, NULL, &lease, NULL) == wrong, "lease");
    CHECK(tendon_lease_submit(NULL, NULL, NULL, 0, &lease, NULL) == wrong, "lease");
    CHECK(tendon_queue_create(NULL) == wrong, "queue");
    CHECK(tendon_queue_fd(queue) == -1, "no descriptor");
    CHECK(tendon_queue_poll(NULL, &done, sizeof done, 1, 0) == 0, "no completion");
    tendon_queue_wake(NULL);
    tendon_client_close(NULL);
    tendon_client_destroy(NULL);
    tendon_lease_close(NULL);
    tendon_lease_discard(NULL);
    tendon_queue_destroy(NULL);
    CHECK(tendon_key_slot((tendon_bytes){NULL, 0}) == 0, "the slot of nothing");
}

static void null_handles_of_values(void)
{
    const tendon_status wrong = TENDON_ERROR_ARGUMENT;
    tendon_config *config = NULL;
    tendon_client *client = NULL;
    const char *value = NULL;
    tendon_error_view error_view = {.struct_size = sizeof error_view};
    tendon_reply_view reply_view = {.struct_size = sizeof reply_view};
    CHECK(tendon_config_create(NULL) == wrong, "config");
    CHECK(tendon_config_create(&config) == TENDON_OK, "config");
    CHECK(tendon_config_set(NULL, "port", "1", NULL) == wrong, "set");
    CHECK(tendon_config_set(config, NULL, "1", NULL) == wrong, "set");
    CHECK(tendon_config_set(config, "port", NULL, NULL) == wrong, "set");
    CHECK(tendon_config_set_bytes(config, "password", (tendon_bytes){NULL, 4}, NULL) == wrong,
          "set_bytes");
    CHECK(tendon_config_set_url(NULL, "redis://h", NULL) == wrong, "url");
    CHECK(tendon_config_set_url(config, NULL, NULL) == wrong, "url");
    CHECK(tendon_config_get(NULL, "port", &value) == wrong, "get");
    CHECK(tendon_config_get(config, NULL, &value) == wrong, "get");
    CHECK(tendon_config_get(config, "port", NULL) == wrong, "get");
    CHECK(tendon_client_create(config, NULL, NULL) == wrong, "create");
    CHECK(tendon_client_create(config, &client, NULL) == TENDON_OK, "create");
    CHECK(tendon_client_stats(client, NULL) == wrong, "stats");
    CHECK(tendon_client_nodes(client, NULL, NULL) == wrong, "nodes");
    CHECK(tendon_submit(client, NULL, NULL, sizeof(tendon_request), 1, NULL) == wrong, "submit");
    CHECK(tendon_call_batch(client, NULL, sizeof(tendon_request), 1, NULL) == wrong, "batch");
    CHECK(tendon_lease_open(client, NULL, NULL, NULL) == wrong, "lease");
    CHECK(tendon_error_look(NULL, &error_view) == wrong &&
              tendon_reply_look(NULL, &reply_view) == wrong,
          "look");
    tendon_error_destroy(NULL);
    tendon_reply_destroy(NULL);
    tendon_config_destroy(NULL);
    tendon_client_destroy(client);
    tendon_config_destroy(config);
    CHECK(!strcmp(tendon_status_name(12345), "UNKNOWN") && tendon_status_text(12345),
          "a number that is no status");
}

int main(void)
{
    if (!servers_load())
        return 77;
    host_ports(15745);
    run_test("options are checked", options_are_checked);
    run_test("URLs are checked", urls_are_checked);
    run_test("a failed option changes nothing", a_failed_option_changes_nothing);
    run_test("wrong passwords are told at once", wrong_passwords_are_told_at_once);
    run_test("right passwords work", right_passwords_work);
    run_test("unreachable hosts", unreachable_hosts_are_told_in_time);
    run_test("garbage", garbage_is_named);
    run_test("silent and closing servers", silent_and_closing_servers_are_named);
    run_test("requests are checked", requests_are_checked);
    run_test("stateful commands need a lease", stateful_commands_are_refused_without_a_lease);
    run_test("NULL clients, leases and queues", null_handles_of_clients);
    run_test("NULL configs, errors and replies", null_handles_of_values);
    return finish_tests();
}
