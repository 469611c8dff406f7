/* Servers in the test's own process and a dial driven to its end; nothing here is product code. */
#include "net_peer.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void *counting_resize(struct tendon__memory *memory, void *old, size_t size)
{
    struct counting *counting = (struct counting *)(void *)memory;
    if (size == 0) {
        if (old)
            counting->blocks--;
        free(old);
        return NULL;
    }
    if (++counting->calls == counting->fail_at)
        return NULL;
    void *block = realloc(old, size);
    if (block && !old)
        counting->blocks++;
    return block;
}

void counting_init(struct counting *counting)
{
    memset(counting, 0, sizeof *counting);
    counting->memory.resize = counting_resize;
}

int64_t clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

int fd_count(void)
{
    DIR *directory = opendir("/proc/self/fd");
    int count = 0;
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

int listen_on(int family, int backlog, struct tendon__address *out_address, uint16_t *out_port)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert(fd >= 0);
    memset(out_address, 0, sizeof *out_address);
    out_address->size = family == AF_INET ? sizeof v4 : sizeof v6;
    memcpy(&out_address->storage, family == AF_INET ? (void *)&v4 : (void *)&v6, out_address->size);
    struct sockaddr *address = (struct sockaddr *)&out_address->storage;
    cr_assert(bind(fd, address, out_address->size) == 0, "bind: %s", strerror(errno));
    cr_assert(listen(fd, backlog) == 0);
    cr_assert(getsockname(fd, address, &out_address->size) == 0);
    *out_port = ntohs(((struct sockaddr_in *)(void *)address)->sin_port); /* same place in v6 */
    return fd;
}

void refused_address(struct tendon__address *out_address, uint16_t *out_port)
{
    close(listen_on(AF_INET, 1, out_address, out_port));
}

static void *peer_main(void *argument)
{
    struct peer *peer = argument;
    for (int i = 0; i < peer->rounds; i++) {
        int fd = accept(peer->listener, NULL, NULL);
        if (fd < 0)
            break;
        peer->serve(fd, peer->context);
    }
    return NULL;
}

void peer_start(struct peer *peer, int rounds, void (*serve)(int fd, void *context), void *context)
{
    peer->rounds = rounds;
    peer->serve = serve;
    peer->context = context;
    peer->listener = listen_on(AF_INET, 16, &peer->address, &peer->port);
    cr_assert(pthread_create(&peer->thread, NULL, peer_main, peer) == 0);
}

void peer_stop(struct peer *peer)
{
    pthread_join(peer->thread, NULL);
    close(peer->listener);
}

static short events_of(uint32_t want)
{
    return (short)((want & TENDON__WANT_READ ? POLLIN : 0) |
                   (want & TENDON__WANT_WRITE ? POLLOUT : 0));
}

enum tendon__dial_state drive(struct tendon__dial *dial)
{
    while (dial->state == TENDON__DIAL_CONNECTING || dial->state == TENDON__DIAL_TLS) {
        struct pollfd item = {.fd = dial->transport.fd, .events = events_of(dial->transport.want)};
        int64_t left_ms = (dial->step_ns - clock_ns()) / 1000000 + 1;
        poll(&item, 1, left_ms < 0 ? 0 : (int)left_ms);
        tendon__dial_step(dial, clock_ns());
    }
    return dial->state;
}

enum tendon__dial_state dial_to(struct tendon__dial *dial, struct counting *counting,
                                const char *host, uint16_t port,
                                const struct tendon__address *addresses, uint32_t count,
                                struct tendon__tls_context *tls, int timeout_ms)
{
    int64_t now_ns = clock_ns();
    tendon__dial_start(dial, &counting->memory, host, port, addresses, count, tls, NULL, now_ns,
                       now_ns + timeout_ms * INT64_C(1000000));
    return drive(dial);
}

static void wait_for(const struct tendon__transport *transport)
{
    struct pollfd item = {.fd = transport->fd, .events = events_of(transport->want)};
    cr_assert(poll(&item, 1, 10000) == 1, "nothing happened for ten seconds");
}

ssize_t read_all(struct tendon__transport *transport, void *out, size_t size,
                 struct tendon__fault *fault)
{
    size_t done = 0;
    while (done < size) {
        ssize_t count = tendon__transport_read(transport, (char *)out + done, size - done, fault);
        if (count < 0)
            return count;
        if (count == TENDON__IO_AGAIN)
            wait_for(transport);
        done += (size_t)count;
    }
    return (ssize_t)done;
}

ssize_t write_all(struct tendon__transport *transport, const void *bytes, size_t size,
                  struct tendon__fault *fault)
{
    size_t done = 0;
    while (done < size) {
        ssize_t count =
            tendon__transport_write(transport, (const char *)bytes + done, size - done, fault);
        if (count < 0)
            return count;
        if (count == TENDON__IO_AGAIN)
            wait_for(transport);
        done += (size_t)count;
    }
    return (ssize_t)done;
}
