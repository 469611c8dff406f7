/* Dialling, reading, writing and closing plain streams against peers in this process. TLS is
 * test_tls.c. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/transport.h"
#include "net_peer.h"

#define MS INT64_C(1000000)

static struct counting counting;
static struct tendon__dial dial;
static struct tendon__fault fault;
static int fds;

static void begin(void)
{
    counting_init(&counting);
    memset(&fault, 0, sizeof fault);
    fds = fd_count();
}

static void end(void)
{
    cr_assert(counting.blocks == 0, "%d blocks leaked", counting.blocks);
    cr_assert(fd_count() == fds, "%d descriptors leaked", fd_count() - fds);
}

static void check_text(const char *part)
{
    cr_assert(strstr(dial.fault.text, part), "'%s' lacks '%s'", dial.fault.text, part);
    cr_assert(dial.fault.executed == TENDON_EXECUTED_NO);
}

static void serve_echo(int fd, void *context)
{
    char bytes[65536];
    ssize_t count;
    (void)context;
    while ((count = read(fd, bytes, sizeof bytes)) > 0)
        for (ssize_t done = 0; done < count;)
            done += send(fd, bytes + done, (size_t)(count - done), MSG_NOSIGNAL);
    close(fd);
}

static void serve_close(int fd, void *context)
{
    (void)context;
    close(fd);
}

static void serve_reset(int fd, void *context)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    (void)context;
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    close(fd);
}

/* A listener whose backlog is full, so that a further connect gets no answer. Returns how many
 * `out_fillers` are open. */
static int black_hole(struct tendon__address *address, uint16_t *port, int out_fillers[8])
{
    out_fillers[0] = listen_on(AF_INET, 0, address, port);
    int count = 1;
    while (count < 8) {
        out_fillers[count] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)connect(out_fillers[count++], (struct sockaddr *)&address->storage, address->size);
    }
    usleep(50000);
    return count;
}

static void close_all(const int *list, int count)
{
    for (int i = 0; i < count; i++)
        close(list[i]);
}

static int option_of(int fd, int level, int name)
{
    int value = 0;
    socklen_t size = sizeof value;
    cr_assert(getsockopt(fd, level, name, &value, &size) == 0);
    return value;
}

Test(transport, echoes_and_tunes)
{
    begin();
    struct peer peer;
    peer_start(&peer, 1, serve_echo, NULL);
    struct tendon__tcp_options tcp = {true, 11, 6, 4, 9000};
    int64_t now = clock_ns();
    tendon__dial_start(&dial, &counting.memory, "127.0.0.1", peer.port, &peer.address, 1, NULL,
                       &tcp, now, now + 2000 * MS);
    cr_assert(drive(&dial) == TENDON__DIAL_DONE);
    int fd = dial.transport.fd;
    cr_assert(option_of(fd, IPPROTO_TCP, TCP_NODELAY) && option_of(fd, SOL_SOCKET, SO_KEEPALIVE));
    cr_assert(option_of(fd, IPPROTO_TCP, TCP_KEEPIDLE) == 11);
    cr_assert(option_of(fd, IPPROTO_TCP, TCP_KEEPINTVL) == 6);
    cr_assert(option_of(fd, IPPROTO_TCP, TCP_KEEPCNT) == 4);
    cr_assert(option_of(fd, IPPROTO_TCP, TCP_USER_TIMEOUT) == 9000);
    cr_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    cr_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
    char bytes[8];
    cr_assert(tendon__transport_read(&dial.transport, bytes, 8, &fault) == TENDON__IO_AGAIN);
    cr_assert(dial.transport.want == TENDON__WANT_READ);
    cr_assert(write_all(&dial.transport, "hello", 5, &fault) == 5);
    cr_assert(read_all(&dial.transport, bytes, 5, &fault) == 5 && memcmp(bytes, "hello", 5) == 0);
    cr_assert(!tendon__transport_buffered(&dial.transport));
    tendon__dial_abort(&dial);
    cr_assert(dial.transport.fd == fd, "after DONE the transport is not the dial's");
    tendon__transport_close(&dial.transport, false);
    cr_assert(dial.transport.fd == -1 && fcntl(fd, F_GETFD) == -1);
    peer_stop(&peer);
    end();
}

Test(transport, moves_megabytes_in_both_directions)
{
    begin();
    struct peer peer;
    size_t size = 24u << 20, sent = 0, received = 0;
    char *out = malloc(size), *in = malloc(size);
    for (size_t i = 0; i < size; i++)
        out[i] = (char)(i * 31 >> 5);
    peer_start(&peer, 1, serve_echo, NULL);
    cr_assert(dial_to(&dial, &counting, "127.0.0.1", peer.port, &peer.address, 1, NULL, 2000) ==
              TENDON__DIAL_DONE);
    int small = 32768;
    setsockopt(dial.transport.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    setsockopt(dial.transport.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    /* The peer stops reading when nobody reads what it echoes: more than all buffers hold. */
    ssize_t count;
    while ((count = tendon__transport_write(&dial.transport, out + sent, size - sent, &fault)) > 0)
        sent += (size_t)count;
    cr_assert(count == 0 && sent < size && dial.transport.want == TENDON__WANT_WRITE);
    while (received < size) {
        count = tendon__transport_write(&dial.transport, out + sent, size - sent, &fault);
        cr_assert(count >= 0);
        sent += (size_t)count;
        count = tendon__transport_read(&dial.transport, in + received, size - received, &fault);
        cr_assert(count >= 0);
        received += (size_t)count;
    }
    cr_assert(memcmp(in, out, size) == 0);
    tendon__transport_close(&dial.transport, false);
    peer_stop(&peer);
    free(out);
    free(in);
    end();
}

Test(transport, says_refused)
{
    begin();
    struct tendon__address address;
    uint16_t port;
    char text[64];
    refused_address(&address, &port);
    cr_assert(dial_to(&dial, &counting, "cache.test", port, &address, 1, NULL, 2000) ==
              TENDON__DIAL_FAILED);
    cr_assert(dial.fault.status == TENDON_ERROR_CONNECT);
    snprintf(text, sizeof text, "connection refused by 127.0.0.1:%u (cache.test); is", port);
    check_text(text);
    snprintf(text, sizeof text, "cache.test:%u", port);
    cr_assert_str_eq(dial.fault.node, text);
    end();
}

Test(transport, tries_every_address)
{
    begin();
    struct peer peer;
    struct tendon__address addresses[3];
    uint16_t port;
    refused_address(&addresses[0], &port);
    refused_address(&addresses[1], &port);
    peer_start(&peer, 1, serve_echo, NULL);
    addresses[2] = peer.address;
    cr_assert(dial_to(&dial, &counting, "localhost", peer.port, addresses, 3, NULL, 2000) ==
              TENDON__DIAL_DONE);
    cr_assert(dial.address_index == 2);
    tendon__transport_close(&dial.transport, false);
    peer_stop(&peer);
    cr_assert(dial_to(&dial, &counting, "localhost", port, addresses, 2, NULL, 2000) ==
              TENDON__DIAL_FAILED);
    check_text("(2 of 2 addresses tried)");
    cr_assert(dial_to(&dial, &counting, "localhost", port, addresses, 0, NULL, 2000) ==
              TENDON__DIAL_FAILED);
    cr_assert(dial.fault.status == TENDON_ERROR_CONNECT);
    check_text("no address");
    end();
}

Test(transport, gives_a_silent_address_its_share_only)
{
    begin();
    struct peer peer;
    struct tendon__address addresses[2];
    uint16_t port;
    int fillers[8];
    int count = black_hole(&addresses[0], &port, fillers);
    peer_start(&peer, 1, serve_echo, NULL);
    addresses[1] = peer.address;
    int64_t start = clock_ns();
    cr_assert(dial_to(&dial, &counting, "localhost", peer.port, addresses, 2, NULL, 5000) ==
              TENDON__DIAL_DONE);
    int64_t took = clock_ns() - start;
    cr_assert(took >= 2490 * MS && took < 4800 * MS, "%lld ms", (long long)(took / MS));
    tendon__transport_close(&dial.transport, false);
    peer_stop(&peer);
    close_all(fillers, count);
    end();
}

Test(transport, ends_at_the_deadline)
{
    begin();
    struct tendon__address addresses[2];
    uint16_t port;
    int fillers[8];
    int count = black_hole(&addresses[0], &port, fillers);
    addresses[1] = addresses[0];
    int64_t start = clock_ns();
    cr_assert(dial_to(&dial, &counting, "127.0.0.1", port, addresses, 2, NULL, 600) ==
              TENDON__DIAL_FAILED);
    int64_t took = clock_ns() - start;
    cr_assert(took >= 600 * MS && took < 5000 * MS, "%lld ms", (long long)(took / MS));
    cr_assert(dial.fault.status == TENDON_ERROR_CONNECT_TIMEOUT);
    check_text("no answer from 127.0.0.1:");
    check_text("security group");
    refused_address(&addresses[1], &port);
    cr_assert(dial_to(&dial, &counting, "127.0.0.1", port, addresses, 2, NULL, 600) ==
              TENDON__DIAL_FAILED);
    cr_assert(dial.fault.status == TENDON_ERROR_CONNECT_TIMEOUT,
              "the timeout tells more than the refusal");
    close_all(fillers, count);
    end();
}

Test(transport, early_steps_and_abort_are_harmless)
{
    begin();
    struct tendon__address address;
    uint16_t port;
    int fillers[8];
    int count = black_hole(&address, &port, fillers);
    int64_t now = clock_ns();
    tendon__dial_start(&dial, &counting.memory, "127.0.0.1", port, &address, 1, NULL, NULL, now,
                       now + 5000 * MS);
    for (int i = 0; i < 100; i++)
        cr_assert(tendon__dial_step(&dial, clock_ns()) == TENDON__DIAL_CONNECTING);
    cr_assert(dial.transport.want == TENDON__WANT_WRITE && dial.step_ns == dial.deadline_ns);
    tendon__dial_abort(&dial);
    cr_assert(dial.transport.fd == -1 && dial.state == TENDON__DIAL_FAILED);
    tendon__dial_abort(&dial);
    close_all(fillers, count);
    end();
}

Test(transport, speaks_ipv6)
{
    begin();
    struct tendon__address address;
    uint16_t port;
    close(listen_on(AF_INET6, 1, &address, &port));
    cr_assert(dial_to(&dial, &counting, "::1", port, &address, 1, NULL, 2000) ==
              TENDON__DIAL_FAILED);
    check_text("refused by [::1]:");
    cr_assert(strncmp(dial.fault.node, "[::1]:", 6) == 0);
    end();
}

Test(transport, says_unreachable)
{
    begin();
    struct tendon__address address;
    uint16_t port;
    refused_address(&address, &port);
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)&address.storage;
    v4->sin_addr.s_addr = htonl(INADDR_BROADCAST);
    cr_assert(dial_to(&dial, &counting, "255.255.255.255", port, &address, 1, NULL, 500) ==
              TENDON__DIAL_FAILED);
    cr_assert(dial.fault.status == TENDON_ERROR_CONNECT);
    check_text("to 255.255.255.255:");
    end();
}

static int listen_unix(const char *path, int backlog, struct tendon__address *address)
{
    cr_assert(tendon__address_unix(address, path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert(bind(fd, (struct sockaddr *)&address->storage, address->size) == 0, "%s",
              strerror(errno));
    cr_assert(listen(fd, backlog) == 0);
    return fd;
}

Test(transport, speaks_unix)
{
    begin();
    char folder[] = "/tmp/tendon-net-XXXXXX", path[64], bytes[4];
    struct tendon__address address;
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/socket", folder);
    int listener = listen_unix(path, 4, &address);
    cr_assert(dial_to(&dial, &counting, path, 0, &address, 1, NULL, 2000) == TENDON__DIAL_DONE);
    cr_assert(dial.transport.is_unix);
    int fd = accept(listener, NULL, NULL);
    cr_assert(write_all(&dial.transport, "ping", 4, &fault) == 4);
    cr_assert(read(fd, bytes, 4) == 4 && write(fd, bytes, 4) == 4);
    cr_assert(read_all(&dial.transport, bytes, 4, &fault) == 4 && memcmp(bytes, "ping", 4) == 0);
    tendon__transport_close(&dial.transport, false);
    close(fd);
    close(listener);
    cr_assert(dial_to(&dial, &counting, path, 0, &address, 1, NULL, 2000) == TENDON__DIAL_FAILED);
    check_text("connection refused by Unix socket /tmp/");
    cr_assert_str_eq(dial.fault.node, path);
    unlink(path);
    cr_assert(dial_to(&dial, &counting, path, 0, &address, 1, NULL, 2000) == TENDON__DIAL_FAILED);
    cr_assert(dial.fault.status == TENDON_ERROR_CONNECT);
    check_text("no Unix socket at /tmp/");
    rmdir(folder);
    end();
}

Test(transport, waits_for_room_in_a_unix_backlog)
{
    begin();
    char folder[] = "/tmp/tendon-net-XXXXXX", path[64];
    struct tendon__address address;
    struct tendon__dial dials[8];
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/socket", folder);
    int listener = listen_unix(path, 0, &address);
    int open = 0, waiting = -1, accepted[8];
    int64_t now = clock_ns();
    for (; open < 8 && waiting < 0; open++) {
        tendon__dial_start(&dials[open], &counting.memory, path, 0, &address, 1, NULL, NULL, now,
                           now + 5000 * MS);
        if (dials[open].state == TENDON__DIAL_CONNECTING)
            waiting = open;
    }
    cr_assert(waiting > 0 && dials[waiting].step_ns < now + 100 * MS);
    cr_assert(tendon__dial_step(&dials[waiting], clock_ns()) == TENDON__DIAL_CONNECTING);
    accepted[0] = accept(listener, NULL, NULL);
    cr_assert(drive(&dials[waiting]) == TENDON__DIAL_DONE);
    cr_assert(dial_to(&dial, &counting, path, 0, &address, 1, NULL, 60) == TENDON__DIAL_FAILED);
    cr_assert(dial.fault.status == TENDON_ERROR_CONNECT_TIMEOUT);
    for (int i = 0; i < open; i++)
        tendon__transport_close(&dials[i].transport, false);
    close(accepted[0]);
    close(listener);
    unlink(path);
    rmdir(folder);
    end();
}

Test(transport, refuses_long_unix_paths)
{
    struct tendon__address address;
    char path[200];
    memset(path, 'a', sizeof path);
    path[108] = '\0';
    cr_assert(!tendon__address_unix(&address, path));
    cr_assert(!tendon__address_unix(&address, ""));
    path[107] = '\0';
    cr_assert(tendon__address_unix(&address, path));
}

Test(transport, tells_end_from_reset)
{
    begin();
    struct peer peer;
    char byte;
    peer_start(&peer, 1, serve_close, NULL);
    cr_assert(dial_to(&dial, &counting, "127.0.0.1", peer.port, &peer.address, 1, NULL, 2000) ==
              TENDON__DIAL_DONE);
    peer_stop(&peer);
    cr_assert(read_all(&dial.transport, &byte, 1, &fault) == TENDON__IO_CLOSED);
    tendon__transport_close(&dial.transport, false);
    int listener = listen_on(AF_INET, 4, &peer.address, &peer.port);
    cr_assert(dial_to(&dial, &counting, "127.0.0.1", peer.port, &peer.address, 1, NULL, 2000) ==
              TENDON__DIAL_DONE);
    serve_reset(accept(listener, NULL, NULL), NULL);
    cr_assert(read_all(&dial.transport, &byte, 1, &fault) == TENDON__IO_FAILED);
    cr_assert(fault.status == TENDON_ERROR_DISCONNECTED && strstr(fault.text, "reset"));
    tendon__transport_close(&dial.transport, true);
    close(listener);
    end();
}

/* SIGPIPE keeps its default here: raising it would end the test. */
Test(transport, raises_no_sigpipe)
{
    begin();
    struct peer peer;
    int listener = listen_on(AF_INET, 4, &peer.address, &peer.port);
    cr_assert(dial_to(&dial, &counting, "127.0.0.1", peer.port, &peer.address, 1, NULL, 2000) ==
              TENDON__DIAL_DONE);
    serve_reset(accept(listener, NULL, NULL), NULL);
    close(listener);
    ssize_t result = 0;
    for (int i = 0; i < 100 && result >= 0; i++) {
        result = tendon__transport_write(&dial.transport, "PING\r\n", 6, &fault);
        usleep(1000);
    }
    cr_assert(result == TENDON__IO_FAILED && fault.status == TENDON_ERROR_DISCONNECTED);
    cr_assert(tendon__transport_write(&dial.transport, "PING\r\n", 6, &fault) == TENDON__IO_FAILED);
    tendon__transport_close(&dial.transport, false);
    end();
}

Test(transport, names_the_limit_of_descriptors)
{
    begin();
    struct tendon__address address;
    uint16_t port;
    struct rlimit limit;
    refused_address(&address, &port);
    int next = dup(0);
    close(next);
    cr_assert(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    struct rlimit low = {.rlim_cur = (rlim_t)next, .rlim_max = limit.rlim_max};
    cr_assert(setrlimit(RLIMIT_NOFILE, &low) == 0);
    dial_to(&dial, &counting, "127.0.0.1", port, &address, 1, NULL, 500);
    cr_assert(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    cr_assert(dial.state == TENDON__DIAL_FAILED && dial.fault.status == TENDON_ERROR_SYSTEM);
    check_text("ulimit -n");
    end();
}
