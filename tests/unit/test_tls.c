/* TLS sessions against a server in this process: what is resumed, verified and moved, and what is
 * said on failure. */
#include <criterion/criterion.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tls_fixture.h"

#define MS INT64_C(1000000)

static void check_resumption(int version)
{
    begin();
    use(&(struct tendon__tls_options){.ca_file = ca_file, .resumption = true});
    tls_server_start(&server, folder, "server", version, false, SERVE_ECHO, 7);
    cr_assert(!visit("cache.test", false));
    cr_assert(server.version == version && strcmp(server.sni, "cache.test") == 0);
    cr_assert(visit("cache.test", true));
    cr_assert(visit("cache.test", false));
    cr_assert(visit("Cache.Test.", false));
    cr_assert(!visit("a.nodes.test", false), "a ticket belongs to one name");
    cr_assert(visit("a.nodes.test", false));
    use(&(struct tendon__tls_options){.ca_file = ca_file, .resumption = true});
    cr_assert(!visit("cache.test", false), "a ticket belongs to one context");
    tls_server_stop(&server);
    cr_assert(server.handshakes == 7 && server.resumptions == 4);
    cr_assert(server.goodbyes == 6, "an abrupt close says nothing, the others take leave");
    end();
}

Test(tls, resumes_1_2)
{
    check_resumption(TLS1_2_VERSION);
}

Test(tls, resumes_1_3)
{
    check_resumption(TLS1_3_VERSION);
}

Test(tls, keeps_a_bounded_number_of_tickets)
{
    begin();
    char host[32];
    use(&(struct tendon__tls_options){.ca_file = ca_file, .resumption = true});
    int blocks = counting.blocks;
    tls_server_start(&server, folder, "server", TLS1_2_VERSION, false, SERVE_ECHO, 1024 + 4);
    for (int i = 0; i <= 1024; i++) {
        snprintf(host, sizeof host, "n%d.nodes.test", i);
        cr_assert(!visit(host, false));
    }
    cr_assert(counting.blocks == blocks + 1024);
    cr_assert(visit("n1024.nodes.test", false) && visit("n1.nodes.test", false));
    cr_assert(!visit("n0.nodes.test", false), "the one unused for longest made room");
    tls_server_stop(&server);
    end();
}

Test(tls, resumes_only_when_told)
{
    begin();
    use(&(struct tendon__tls_options){.ca_file = ca_file});
    tls_server_start(&server, folder, "server", 0, false, SERVE_ECHO, 2);
    cr_assert(!visit("cache.test", false));
    cr_assert(!visit("cache.test", false));
    tls_server_stop(&server);
    cr_assert(strncmp(tendon__tls_backend()->version(), "OpenSSL ", 8) == 0);
    end();
}

Test(tls, resumes_again_after_the_server_forgot)
{
    begin();
    use(&(struct tendon__tls_options){.ca_file = ca_file, .resumption = true});
    tls_server_start(&server, folder, "server", 0, false, SERVE_ECHO, 2);
    cr_assert(!visit("cache.test", false));
    unsigned char keys[80] = {1};
    SSL_CTX_set_tlsext_ticket_keys(server.ssl_ctx, keys, sizeof keys);
    cr_assert(!visit("cache.test", false),
              "a ticket nobody can read means a full handshake, not a failure");
    tls_server_stop(&server);
    end();
}

Test(tls, checks_names)
{
    begin();
    certificate_make(folder, "plain", "ca", "DNS:cache.test", 2);
    use(&(struct tendon__tls_options){.ca_file = ca_file});
    tls_server_start(&server, folder, "server", 0, false, SERVE_ECHO, 4);
    dial_server("other.test");
    check_failed(TENDON_ERROR_TLS_HOSTNAME,
                 "is not for 'other.test' but for cache.test, *.nodes.test, address 127.0.0.1");
    dial_server("a.b.nodes.test");
    check_failed(TENDON_ERROR_TLS_HOSTNAME, "tls_server_name");
    visit("127.0.0.1", false);
    cr_assert_str_empty(server.sni, "no SNI for an address");
    dial_server("127.0.0.2");
    check_failed(TENDON_ERROR_TLS_HOSTNAME, "'127.0.0.2'");
    tls_server_stop(&server);
    tls_server_start(&server, folder, "plain", 0, false, SERVE_ECHO, 2);
    dial_server("127.0.0.1");
    check_failed(TENDON_ERROR_TLS_HOSTNAME, "not for '127.0.0.1' but for cache.test");
    use(&(struct tendon__tls_options){.ca_file = ca_file, .server_name = "cache.test"});
    visit("127.0.0.1", false);
    cr_assert_str_eq(server.sni, "cache.test");
    tls_server_stop(&server);
    end();
}

Test(tls, opts_out_only_where_told)
{
    begin();
    authority_make(folder, "other");
    tls_server_start(&server, folder, "server", 0, false, SERVE_ECHO, 2);
    use(&(struct tendon__tls_options){.ca_file = ca_file, .insecure_skip_hostname = true});
    visit("other.test", false);
    use(&(struct tendon__tls_options){.insecure_skip_verify = true});
    visit("other.test", false);
    tls_server_stop(&server);
    tls_server_start(&server, folder, "other", 0, false, SERVE_ECHO, 1);
    use(&(struct tendon__tls_options){.ca_file = ca_file, .insecure_skip_hostname = true});
    dial_server("cache.test");
    check_failed(TENDON_ERROR_TLS_CERTIFICATE, "not trusted");
    tls_server_stop(&server);
    end();
}

/* What a plain peer sends before it waits, or how it ends, and what must be said about it. */
struct plain {
    const char *answer; /* NULL: end at once */
    bool is_reset;
    atomic_bool is_released;
};

static void serve_plain(int fd, void *argument)
{
    struct plain *plain = argument;
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    struct pollfd item = {.fd = fd, .events = POLLIN};
    poll(&item, 1, 2000);
    char bytes[4096];
    cr_assert(plain->is_reset || recv(fd, bytes, sizeof bytes, 0) > 0);
    if (plain->answer)
        send(fd, plain->answer, strlen(plain->answer), MSG_NOSIGNAL);
    while (plain->answer && !plain->is_released)
        usleep(1000);
    if (plain->is_reset)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    close(fd);
}

static void dial_plain(const char *answer, bool is_reset, tendon_status status, const char *part)
{
    struct plain plain = {.answer = answer, .is_reset = is_reset};
    struct peer peer;
    peer_start(&peer, 1, serve_plain, &plain);
    /* Only what never answers may take until the deadline. */
    int timeout_ms = status == TENDON_ERROR_CONNECT_TIMEOUT ? 300 : 20000;
    int64_t start = clock_ns();
    dial_to(&dial, &counting, "127.0.0.1", peer.port, &peer.address, 1, context, timeout_ms);
    int64_t took = clock_ns() - start;
    plain.is_released = true;
    peer_stop(&peer);
    check_failed(status, part);
    if (status == TENDON_ERROR_CONNECT_TIMEOUT)
        cr_assert(took >= 300 * MS && took < 10000 * MS);
    else
        cr_assert(took < 10000 * MS, "at once, not at the deadline");
}

Test(tls, recognises_ports_that_speak_something_else)
{
    begin();
    use(&(struct tendon__tls_options){.ca_file = ca_file, .resumption = true});
    dial_plain("", false, TENDON_ERROR_CONNECT_TIMEOUT, "the port may not speak TLS");
    dial_plain("-ERR unknown command\r\n", false, TENDON_ERROR_TLS,
               "answered \"-ERR unknown command??\"");
    dial_plain("HTTP/1.1 400 Bad Request\r\n\r\n", false, TENDON_ERROR_TLS,
               "the port does not speak TLS");
    dial_plain("OK", false, TENDON_ERROR_TLS, "the port does not speak TLS: 127.0.0.1:");
    dial_plain("\x16\x03\x03\x7f\xff garbage", false, TENDON_ERROR_TLS,
               "TLS handshake with 127.0.0.1:");
    dial_plain(NULL, false, TENDON_ERROR_TLS, "closed the connection during the TLS handshake");
    dial_plain(NULL, true, TENDON_ERROR_TLS, "reset the connection during the TLS handshake");
    end();
}

Test(tls, goes_on_to_the_next_address)
{
    begin();
    authority_make(folder, "other");
    use(&(struct tendon__tls_options){.ca_file = ca_file});
    struct plain plain = {.answer = ""};
    struct peer silent;
    struct tls_server stranger;
    struct tendon__address addresses[3];
    peer_start(&silent, 1, serve_plain, &plain);
    tls_server_start(&stranger, folder, "other", 0, false, SERVE_ECHO, 2);
    tls_server_start(&server, folder, "server", 0, false, SERVE_ECHO, 1);
    addresses[0] = stranger.peer.address;
    addresses[1] = silent.address;
    addresses[2] = server.peer.address;
    int64_t start = clock_ns();
    cr_assert(dial_to(&dial, &counting, "cache.test", 1, addresses, 3, context, 8000) ==
                  TENDON__DIAL_DONE,
              "%s", dial.fault.text);
    cr_assert(clock_ns() - start < 7500 * MS);
    check_echo();
    tendon__transport_close(&dial.transport, false);
    uint16_t port;
    refused_address(&addresses[1], &port);
    dial_to(&dial, &counting, "cache.test", 1, addresses, 2, context, 1000);
    check_failed(TENDON_ERROR_TLS_CERTIFICATE, "(2 of 2 addresses tried)");
    plain.is_released = true;
    peer_stop(&silent);
    tls_server_stop(&stranger);
    tls_server_stop(&server);
    end();
}

Test(tls, agrees_on_a_version)
{
    begin();
    use(&(struct tendon__tls_options){.ca_file = ca_file, .min_version_13 = true});
    tls_server_start(&server, folder, "server", TLS1_2_VERSION, false, SERVE_ECHO, 1);
    dial_server("cache.test");
    check_failed(TENDON_ERROR_TLS, "tls_min_version");
    tls_server_stop(&server);
    end();
}

struct met {
    bool full;    /* a write that took nothing */
    bool partial; /* a write that took a part */
};

/* Sends bytes to the echo and reads them back; what of writing was met on the way is added. */
static void move_there_and_back(const char *out, size_t size, struct met *met)
{
    size_t sent = 0, received = 0;
    char *in = malloc(size), *moved = malloc(size);
    while (received < size) {
        /* From another place each time: the library must not hold on to the address. */
        size_t part = size - sent < 100000 ? size - sent : 100000;
        const char *from = received & 1 ? moved : out + sent;
        memcpy(moved, out + sent, part);
        ssize_t count = tendon__transport_write(&dial.transport, from, part, &fault);
        cr_assert(count >= 0, "%s", fault.text);
        met->full = met->full || (count == 0 && part > 0);
        met->partial = met->partial || (count > 0 && (size_t)count < part);
        sent += (size_t)count;
        count = tendon__transport_read(&dial.transport, in + received, 7001, &fault);
        cr_assert(count >= 0, "%s", fault.text);
        received += (size_t)count;
    }
    cr_assert(memcmp(in, out, size) == 0);
    free(in);
    free(moved);
}

Test(tls, moves_megabytes_in_both_directions)
{
    begin();
    use(&(struct tendon__tls_options){.ca_file = ca_file});
    tls_server_start(&server, folder, "server", 0, false, SERVE_ECHO, 1);
    cr_assert(dial_server("cache.test") == TENDON__DIAL_DONE);
    int small = 16384;
    setsockopt(dial.transport.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    size_t size = 4u << 20;
    char *out = malloc(size);
    for (size_t i = 0; i < size; i++)
        out[i] = (char)(i * 37 >> 6);
    struct met met = {0};
    /* A peer that keeps up leaves the socket room all the time: then it is tried again. */
    for (int round = 0; round < 50 && !(met.full && met.partial); round++)
        move_there_and_back(out, size, &met);
    cr_assert(met.full && met.partial);
    tendon__transport_close(&dial.transport, false);
    tls_server_stop(&server);
    free(out);
    end();
}

Test(tls, tells_what_it_holds_back)
{
    begin();
    use(&(struct tendon__tls_options){.ca_file = ca_file});
    tls_server_start(&server, folder, "server", 0, false, SERVE_ECHO, 1);
    cr_assert(dial_server("cache.test") == TENDON__DIAL_DONE);
    char bytes[16000] = "";
    cr_assert(write_all(&dial.transport, bytes, sizeof bytes, &fault) == sizeof bytes);
    cr_assert(read_all(&dial.transport, bytes, 10, &fault) == 10);
    cr_assert(tendon__transport_buffered(&dial.transport));
    cr_assert(read_all(&dial.transport, bytes, sizeof bytes - 10, &fault) == sizeof bytes - 10);
    cr_assert(tendon__transport_read(&dial.transport, bytes, 1, &fault) == TENDON__IO_AGAIN);
    cr_assert(dial.transport.want == TENDON__WANT_READ &&
              !tendon__transport_buffered(&dial.transport));
    tendon__transport_close(&dial.transport, false);
    tls_server_stop(&server);
    end();
}

Test(tls, does_not_count_half_a_record)
{
    begin();
    use(&(struct tendon__tls_options){.ca_file = ca_file});
    tls_server_start(&server, folder, "server", TLS1_2_VERSION, false, SERVE_HALVES, 1);
    cr_assert(dial_server("cache.test") == TENDON__DIAL_DONE);
    char bytes[5];
    struct pollfd item = {.fd = dial.transport.fd, .events = POLLIN};
    cr_assert(poll(&item, 1, 5000) == 1);
    cr_assert(tendon__transport_read(&dial.transport, bytes, 5, &fault) == TENDON__IO_AGAIN);
    cr_assert(!tendon__transport_buffered(&dial.transport), "an owner that believed it would spin");
    server.is_released = true;
    cr_assert(read_all(&dial.transport, bytes, 5, &fault) == 5 && memcmp(bytes, "hello", 5) == 0);
    tendon__transport_close(&dial.transport, false);
    tls_server_stop(&server);
    end();
}

static ssize_t read_from(enum serve_mode mode, size_t size)
{
    char bytes[8];
    tls_server_start(&server, folder, "server", 0, false, mode, 1);
    cr_assert(dial_server("cache.test") == TENDON__DIAL_DONE, "%s", dial.fault.text);
    tls_server_stop(&server);
    memset(&fault, 0, sizeof fault);
    cr_assert(size == 0 || read_all(&dial.transport, bytes, size, &fault) == (ssize_t)size);
    return read_all(&dial.transport, bytes, 1, &fault);
}

Test(tls, tells_end_from_truncation)
{
    begin();
    use(&(struct tendon__tls_options){.ca_file = ca_file});
    cr_assert(read_from(SERVE_GOODBYE, 0) == TENDON__IO_CLOSED);
    tendon__transport_close(&dial.transport, false);
    cr_assert(read_from(SERVE_TRUNCATE, 4) == TENDON__IO_FAILED);
    cr_assert(fault.status == TENDON_ERROR_DISCONNECTED && strstr(fault.text, "close_notify"));
    char byte = 0;
    cr_assert(tendon__transport_read(&dial.transport, &byte, 1, &fault) == TENDON__IO_FAILED);
    cr_assert(tendon__transport_write(&dial.transport, &byte, 1, &fault) == TENDON__IO_FAILED);
    cr_assert(!tendon__transport_buffered(&dial.transport));
    tendon__transport_close(&dial.transport, false);
    end();
}

/* SIGPIPE keeps its default in this thread: raising it would end the test. */
Test(tls, raises_no_sigpipe)
{
    begin();
    use(&(struct tendon__tls_options){.ca_file = ca_file});
    enum serve_mode modes[] = {SERVE_TRUNCATE, SERVE_RESET};
    for (int round = 0; round < 2; round++) {
        tls_server_start(&server, folder, "server", 0, false, modes[round], 1);
        cr_assert(dial_server("cache.test") == TENDON__DIAL_DONE);
        tls_server_stop(&server);
        ssize_t result = 0;
        /* After a FIN the first write provokes the RST, and the next one meets EPIPE. */
        for (int i = 0; i < 1000 && result >= 0; i++, usleep(1000))
            result = tendon__transport_write(&dial.transport, "PING\r\n", 6, &fault);
        cr_assert(result == TENDON__IO_FAILED && fault.status == TENDON_ERROR_DISCONNECTED);
        tendon__transport_close(&dial.transport, false);
    }
    tls_server_start(&server, folder, "server", 0, false, SERVE_RESET, 1);
    cr_assert(dial_server("cache.test") == TENDON__DIAL_DONE);
    tls_server_stop(&server);
    tendon__transport_close(&dial.transport, false);
    end();
}

Test(tls, sessions_outlive_their_context)
{
    begin();
    use(&(struct tendon__tls_options){.ca_file = ca_file, .resumption = true});
    tls_server_start(&server, folder, "server", 0, false, SERVE_ECHO, 1);
    cr_assert(dial_server("cache.test") == TENDON__DIAL_DONE);
    tendon__tls_backend()->context_destroy(context);
    context = NULL;
    check_echo();
    tendon__transport_close(&dial.transport, false);
    tls_server_stop(&server);
    end();
}

Test(tls, forked_child_leaves_the_connection_alone)
{
    begin();
    use(&(struct tendon__tls_options){.ca_file = ca_file, .resumption = true});
    tls_server_start(&server, folder, "server", 0, false, SERVE_ECHO, 1);
    cr_assert(dial_server("cache.test") == TENDON__DIAL_DONE);
    check_echo();
    pid_t child = fork();
    if (child == 0) {
        alarm(10);
        tendon__transport_close(&dial.transport, true);
        tendon__tls_backend()->context_destroy(context);
        _exit(counting.blocks == 0 ? 0 : 1);
    }
    int status = -1;
    cr_assert(waitpid(child, &status, 0) == child && status == 0);
    check_echo();
    tendon__transport_close(&dial.transport, false);
    tls_server_stop(&server);
    cr_assert(server.goodbyes == 1);
    end();
}

Test(tls, abort_in_a_handshake_frees_everything)
{
    begin();
    use(&(struct tendon__tls_options){.ca_file = ca_file});
    struct plain plain = {.answer = ""};
    struct peer peer;
    peer_start(&peer, 1, serve_plain, &plain);
    int64_t now = clock_ns();
    tendon__dial_start(&dial, &counting.memory, "127.0.0.1", peer.port, &peer.address, 1, context,
                       NULL, now, now + 5000 * MS);
    for (int i = 0; i < 100 && dial.state == TENDON__DIAL_CONNECTING; i++, usleep(1000))
        tendon__dial_step(&dial, clock_ns());
    cr_assert(tendon__dial_step(&dial, clock_ns()) == TENDON__DIAL_TLS);
    cr_assert(dial.transport.want == TENDON__WANT_READ);
    tendon__dial_abort(&dial);
    plain.is_released = true;
    peer_stop(&peer);
    end();
}
