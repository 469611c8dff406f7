/* TLS: where trust comes from, whom the certificate names, versions, resumption, and every way it
 * may fail. */
#include <pthread.h>
#include <stdlib.h>

#include "support/check.h"
#include "support/servers.h"

static tendon_client *secure(const char *where, const char *more)
{
    char path[64];
    snprintf(path, sizeof path, "%s.port", where);
    return open_client("host=localhost port=%d mode=standalone tls=yes command_timeout_ms=2000 %s",
                       server_number(path), more);
}

static const char *option(const char *name, const char *path)
{
    static char text[4][600];
    static unsigned next;
    char *room = text[next++ % 4];
    snprintf(room, sizeof text[0], "%s=%s", name, server_text(path));
    return room;
}

static void works(const char *where, const char *more)
{
    tendon_client *client = secure(where, more);
    expect_text(ask(client, "PING", NULL), "PONG");
    tendon_client_destroy(client);
}

static void fails(const char *where, const char *more, tendon_status status, const char *word)
{
    tendon_client *client = secure(where, more);
    struct answer answer = ask(client, "PING", NULL);
    expect_time(&answer, 0, 2000);
    expect_executed(&answer, TENDON_EXECUTED_NO);
    expect_fault(answer, status, word);
    tendon_client_destroy(client);
}

static void trust_comes_from_file_directory_or_bytes(void)
{
    works("tls", option("tls_ca_file", "tls.ca_file"));
    works("tls", option("tls_ca_dir", "tls.ca_dir"));
    static char pem[16384];
    FILE *file = fopen(server_text("tls.ca_file"), "r");
    size_t size = file ? fread(pem, 1, sizeof pem - 1, file) : 0;
    if (file)
        fclose(file);
    tendon_config *config = NULL;
    tendon_client *client = NULL;
    char port[16];
    snprintf(port, sizeof port, "%d", server_number("tls.port"));
    CHECK(size && tendon_config_create(&config) == TENDON_OK &&
              tendon_config_set(config, "port", port, NULL) == TENDON_OK &&
              tendon_config_set(config, "tls", "yes", NULL) == TENDON_OK &&
              tendon_config_set_bytes(config, "tls_ca_pem", (tendon_bytes){pem, size}, NULL) ==
                  TENDON_OK &&
              tendon_client_create(config, &client, NULL) == TENDON_OK,
          "a client with PEM bytes");
    tendon_config_destroy(config);
    expect_text(ask(client, "PING", NULL), "PONG");
    tendon_client_destroy(client);
}

static void a_client_certificate_is_shown(void)
{
    char more[2048];
    snprintf(more, sizeof more, "tls_ca_file=%s tls_cert_file=%s tls_key_file=%s",
             server_text("mtls.ca_file"), server_text("mtls.cert_file"),
             server_text("mtls.key_file"));
    works("mtls", more);
    tendon_client *client = secure("mtls", option("tls_ca_file", "mtls.ca_file"));
    struct answer answer = ask(client, "PING", NULL);
    expect_time(&answer, 0, 2000);
    expect_fault(answer, TENDON_ERROR_TLS, "tls_cert_file");
    tendon_client_destroy(client);
}

static void the_name_is_verified(void)
{
    char more[1024];
    fails("wrong_cert", option("tls_ca_file", "ca_file"), TENDON_ERROR_TLS_HOSTNAME,
          "tls_server_name");
    fails("wrong_cert", option("tls_ca_file", "ca_file"), TENDON_ERROR_TLS_HOSTNAME,
          "other.tendon.test");
    snprintf(more, sizeof more, "tls_ca_file=%s tls_server_name=other.tendon.test",
             server_text("ca_file"));
    works("wrong_cert", more);
    snprintf(more, sizeof more, "tls_ca_file=%s tls_insecure_skip_hostname=yes",
             server_text("ca_file"));
    works("wrong_cert", more);
    snprintf(more, sizeof more, "tls_ca_file=%s tls_server_name=example.org",
             server_text("ca_file"));
    fails("tls", more, TENDON_ERROR_TLS_HOSTNAME, "example.org");
    tendon_client *client = open_client("host=127.0.0.1 port=%d tls=yes tls_ca_file=%s",
                                        server_number("tls.port"), server_text("ca_file"));
    expect_text(ask(client, "PING", NULL), "PONG"); /* the address is in the certificate */
    tendon_client_destroy(client);
}

static void the_issuer_is_verified(void)
{
    fails("tls", option("tls_ca_file", "other_ca_file"), TENDON_ERROR_TLS_CERTIFICATE,
          "tls_ca_file");
    fails("tls", "", TENDON_ERROR_TLS_CERTIFICATE, "tls_ca_file");
    char more[1024];
    snprintf(more, sizeof more, "tls_ca_file=%s tls_insecure_skip_hostname=yes",
             server_text("other_ca_file"));
    fails("tls", more, TENDON_ERROR_TLS_CERTIFICATE, "tls_ca_file");
    works("tls", "tls_insecure_skip_verify=yes");
}

static void versions_are_bounded(void)
{
    char more[1024];
    snprintf(more, sizeof more, "tls_ca_file=%s tls_min_version=1.3", server_text("ca_file"));
    works("tls", more);
    snprintf(more, sizeof more, "tls_ca_file=%s tls_min_version=1.2", server_text("ca_file"));
    works("tls", more);
    tendon_client *client;
    struct answer answer;
    tendon_status status = try_client(&client, &answer, "tls=yes tls_min_version=1.1");
    CHECK(status == TENDON_ERROR_CONFIG && strstr(answer.fault.message, "1.2"), "%s",
          answer.fault.message);
    forget(&answer);
    tendon_client_destroy(client);
}

static void sessions_are_resumed(void)
{
    char more[1024];
    snprintf(more, sizeof more, "tls_ca_file=%s tls_resumption=yes", server_text("ca_file"));
    tendon_client *client = secure("tls", more);
    for (int i = 0; i < 5; i++) {
        expect_text(ask(client, "PING", NULL), "PONG");
        CHECK(tendon_client_disconnect(client) == TENDON_OK, "disconnect");
    }
    CHECK(stats_of(client).created == 5 && stats_of(client).tls_resumed >= 3, "resumed %lu of %lu",
          stats_of(client).tls_resumed, stats_of(client).created);
    tendon_client_destroy(client);
    snprintf(more, sizeof more, "tls_ca_file=%s tls_resumption=no", server_text("ca_file"));
    client = secure("tls", more);
    for (int i = 0; i < 3; i++) {
        expect_text(ask(client, "PING", NULL), "PONG");
        CHECK(tendon_client_disconnect(client) == TENDON_OK, "disconnect");
    }
    CHECK(stats_of(client).tls_resumed == 0, "resumed %lu", stats_of(client).tls_resumed);
    tendon_client_destroy(client);
}

static void bad_files(const char *words, const char *named)
{
    tendon_client *client;
    struct answer answer;
    tendon_status status = try_client(&client, &answer, "tls=yes %s", words);
    CHECK(status == TENDON_ERROR_TLS_CONFIG && !client, "%s for %s: %s", tendon_status_name(status),
          words, answer.fault.message);
    CHECK(strstr(answer.fault.message, named), "\"%s\" does not name \"%s\"", answer.fault.message,
          named);
    forget(&answer);
    tendon_client_destroy(client);
}

static void missing_and_broken_files_are_told_at_create(void)
{
    char more[2048];
    bad_files("tls_ca_file=/no/such/ca.pem", "/no/such/ca.pem");
    bad_files("tls_ca_file=/etc/passwd", "/etc/passwd");
    bad_files("tls_ca_dir=/no/such/folder", "/no/such/folder");
    bad_files("tls_ca_pem=nonsense", "tls_ca_pem");
    snprintf(more, sizeof more, "tls_cert_file=%s tls_key_file=/no/such/key.pem",
             server_text("mtls.cert_file"));
    bad_files(more, "/no/such/key.pem");
    snprintf(more, sizeof more, "tls_cert_file=/no/such/cert.pem tls_key_file=%s",
             server_text("mtls.key_file"));
    bad_files(more, "/no/such/cert.pem");
    snprintf(more, sizeof more, "tls_cert_file=%s tls_key_file=%s", server_text("ca_file"),
             server_text("mtls.key_file"));
    bad_files(more, "tls_key_file");
}

static void plain_and_secure_ports_are_told_apart(void)
{
    /* TLS to a plain port: Redis waits for the end of what it takes for a line. */
    fails("standalone", option("tls_ca_file", "ca_file"), TENDON_ERROR_TIMEOUT,
          "may not speak TLS");
    char once[1024];
    snprintf(once, sizeof once, "%s max_retries=0 connect_timeout_ms=300",
             option("tls_ca_file", "ca_file"));
    fails("standalone", once, TENDON_ERROR_CONNECT_TIMEOUT, "may not speak TLS");
    /* Plain to a TLS port: the server sends an alert, or closes. */
    tendon_client *client =
        open_client("host=localhost port=%d command_timeout_ms=2000", server_number("tls.port"));
    struct answer answer = ask(client, "PING", NULL);
    expect_time(&answer, 0, 2000);
    expect_executed(&answer, TENDON_EXECUTED_NO);
    CHECK(answer.status == TENDON_ERROR_PROTOCOL || answer.status == TENDON_ERROR_DISCONNECTED ||
              answer.status == TENDON_ERROR_CONNECT,
          "%s", tendon_status_name(answer.status));
    CHECK(strcasestr(answer.fault.message, "tls"), "\"%s\" does not name TLS",
          answer.fault.message);
    forget(&answer);
    tendon_client_destroy(client);
}

static void a_large_value_over_tls(void)
{
    static const size_t SIZE = 8000000;
    char more[1024];
    snprintf(more, sizeof more, "tls_ca_file=%s command_timeout_ms=30000", server_text("ca_file"));
    tendon_client *client = secure("tls", more);
    char *value = malloc(SIZE);
    for (size_t i = 0; i < SIZE; i++)
        value[i] = (char)(i * 31 >> 3);
    const char *key = key_of("tls-large");
    tendon_bytes words[] = {{"SET", 3}, {key, strlen(key)}, {value, SIZE}, {"EX", 2}, {"60", 2}};
    expect_text(ask_bytes(client, (struct manner){0}, words, 5), "OK");
    words[0].data = "GET";
    struct answer answer = ask_bytes(client, (struct manner){0}, words, 2);
    CHECK(answer.status == TENDON_OK && answer.view.nodes[0].size == SIZE &&
              !memcmp(answer.view.data + answer.view.nodes[0].value.offset, value, SIZE),
          "8 MB over TLS: %s", answer.fault.message);
    forget(&answer);
    free(value);
    tendon_client_destroy(client);
}

#define CALLERS 4
#define CALLS   150

struct caller {
    tendon_client *client;
    tendon_lease *lease;
    unsigned number;
};

/* Replies of many sizes, of a record's and of several records', each compared with its question. */
static void *call_in_sizes(void *argument)
{
    static const size_t sizes[] = {1, 100, 16300, 16384, 17500, 40000};
    struct caller *caller = argument;
    struct manner manner = {.timeout_ms = PATIENCE_MS, .lease = caller->lease};
    char *text = malloc(40000);
    for (unsigned i = 0; i < CALLS; i++) {
        size_t size = sizes[(i + caller->number) % (sizeof sizes / sizeof *sizes)];
        memset(text, (int)('a' + (i + caller->number) % 26), size);
        tendon_bytes words[] = {{"ECHO", 4}, {text, size}};
        struct answer answer = ask_bytes(caller->client, manner, words, 2);
        CHECK(answer.status == TENDON_OK && answer.view.nodes[0].size == size &&
                  !memcmp(answer.view.data + answer.view.nodes[0].value.offset, text, size),
              "call %u of caller %u: %s", i, caller->number, answer.fault.message);
        forget(&answer);
    }
    free(text);
    return NULL;
}

static void callers_side_by_side(void)
{
    char more[1024];
    pthread_t threads[CALLERS];
    struct caller callers[CALLERS];
    snprintf(more, sizeof more, "tls_ca_file=%s", server_text("ca_file"));
    tendon_client *client = secure("tls", more);
    for (unsigned i = 0; i < CALLERS; i++) {
        callers[i] = (struct caller){.client = client, .number = i};
        if (i == 0)
            CHECK(tendon_lease_open(client, NULL, &callers[i].lease, NULL) == TENDON_OK, "a lease");
        pthread_create(&threads[i], NULL, call_in_sizes, &callers[i]);
    }
    for (unsigned i = 0; i < CALLERS; i++)
        pthread_join(threads[i], NULL);
    tendon_lease_close(callers[0].lease);
    tendon_client_destroy(client);
}

/* A caller waits in the socket; its deadline, and another's close, find it there. */
static void *sleep_in_the_server(void *argument)
{
    struct answer answer = ask_by(argument, (struct manner){.timeout_ms = PATIENCE_MS}, "BLPOP",
                                  key_of("tls-never"), "30", NULL);
    CHECK(answer.ms < 20000, "closed only after %.0f ms", answer.ms);
    expect_fault(answer, TENDON_ERROR_CLOSED, "");
    return NULL;
}

static void waits_end_in_time(void)
{
    char more[1024];
    pthread_t thread;
    snprintf(more, sizeof more, "tls_ca_file=%s", server_text("ca_file"));
    tendon_client *client = secure("tls", more);
    expect_text(ask(client, "PING", NULL), "PONG");
    const char *key = key_of("tls-late");
    struct answer answer =
        ask_by(client, (struct manner){.timeout_ms = 400}, "BLPOP", key, "3", NULL);
    expect_time(&answer, 400, 2000);
    expect_fault(answer, TENDON_ERROR_TIMEOUT, "400 ms");
    expect_text(ask(client, "PING", NULL), "PONG");
    pthread_create(&thread, NULL, sleep_in_the_server, client);
    UNTIL(stats_of(client).leased > 0);
    tendon_client_close(client);
    pthread_join(thread, NULL);
    tendon_client_destroy(client);
}

int main(void)
{
    if (!servers_load())
        return 77;
    run_test("trust from file, directory and bytes", trust_comes_from_file_directory_or_bytes);
    run_test("client certificates", a_client_certificate_is_shown);
    run_test("the name is verified", the_name_is_verified);
    run_test("the issuer is verified", the_issuer_is_verified);
    run_test("versions are bounded", versions_are_bounded);
    run_test("sessions are resumed", sessions_are_resumed);
    run_test("missing and broken files", missing_and_broken_files_are_told_at_create);
    run_test("plain and secure ports", plain_and_secure_ports_are_told_apart);
    run_test("a large value over TLS", a_large_value_over_tls);
    run_test("callers side by side", callers_side_by_side);
    run_test("waits end in time", waits_end_in_time);
    return finish_tests();
}
