/* Misbehaving servers and proxies. */
#include "peer.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "host.h"

#define TURN_MS 5

struct line {
    struct peer *peer;
    int near, far; /* the client's socket; the real server's, or -1 */
};

static int manner_of(struct peer *peer)
{
    return __atomic_load_n(&peer->manner, __ATOMIC_ACQUIRE);
}

static bool stopping(struct peer *peer)
{
    return __atomic_load_n(&peer->stop, __ATOMIC_ACQUIRE);
}

static void reset(int fd)
{
    struct linger now = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

static bool send_all(int fd, const char *data, size_t size)
{
    while (size) {
        ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        data += sent;
        size -= (size_t)sent;
    }
    return true;
}

/* Passes a piece of a reply on as the manner asks. False ends the connection. */
static bool pass_reply(struct line *line, const char *data, size_t size)
{
    struct peer *peer = line->peer;
    switch (manner_of(peer)) {
    case PEER_SWALLOWS:
        return false;
    case PEER_CUTS: {
        long left = __atomic_load_n(&peer->limit, __ATOMIC_ACQUIRE);
        if ((long)size < left) {
            __atomic_sub_fetch(&peer->limit, (long)size, __ATOMIC_ACQ_REL);
            return send_all(line->near, data, size);
        }
        send_all(line->near, data, left > 0 ? (size_t)left : 0);
        reset(line->near);
        return false;
    }
    case PEER_DRIPS:
        for (size_t i = 0; i < size; i++) {
            if (!send_all(line->near, data + i, 1))
                return false;
            sleep_ms(0.2);
        }
        return true;
    default:
        return send_all(line->near, data, size);
    }
}

static bool turn(struct line *line)
{
    static const size_t ROOM = 65536;
    char *data = malloc(ROOM);
    bool stalled = manner_of(line->peer) == PEER_STALLS;
    struct pollfd polls[2] = {{line->near, POLLIN, 0}, {stalled ? -1 : line->far, POLLIN, 0}};
    bool good = true;
    poll(polls, 2, TURN_MS);
    if (polls[0].revents) {
        ssize_t got = recv(line->near, data, ROOM, 0);
        good = got > 0 && (line->far < 0 || send_all(line->far, data, (size_t)got));
    }
    if (good && polls[1].revents) {
        ssize_t got = recv(line->far, data, ROOM, 0);
        good = got > 0 && pass_reply(line, data, (size_t)got);
    }
    free(data);
    return good;
}

static int dial(int port)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&name, sizeof name) == 0)
        return fd;
    close(fd);
    return -1;
}

static void *serve(void *argument)
{
    struct line line = *(struct line *)argument;
    free(argument);
    struct peer *peer = line.peer;
    if (peer->say && manner_of(peer) == PEER_SAYS)
        send_all(line.near, peer->say, peer->say_bytes);
    while (!stopping(peer) && turn(&line))
        continue;
    close(line.near);
    if (line.far >= 0)
        close(line.far);
    __atomic_sub_fetch(&peer->open, 1, __ATOMIC_ACQ_REL);
    return NULL;
}

static void accept_one(struct peer *peer, int near)
{
    int far = peer->target_port ? dial(peer->target_port) : -1;
    __atomic_add_fetch(&peer->accepted, 1, __ATOMIC_ACQ_REL);
    struct line *line = malloc(sizeof *line);
    pthread_t thread;
    if (manner_of(peer) == PEER_CLOSES || (peer->target_port && far < 0)) {
        close(near);
        free(line);
        return;
    }
    *line = (struct line){peer, near, far};
    __atomic_add_fetch(&peer->open, 1, __ATOMIC_ACQ_REL);
    pthread_create(&thread, NULL, serve, line);
    pthread_detach(thread);
}

static void *listen_on(void *argument)
{
    struct peer *peer = argument;
    while (!stopping(peer)) {
        struct pollfd polled = {peer->listener, POLLIN, 0};
        int near = poll(&polled, 1, TURN_MS) > 0 ? accept(peer->listener, NULL, NULL) : -1;
        if (near >= 0)
            accept_one(peer, near);
    }
    return NULL;
}

bool peer_start(struct peer *peer, enum peer_manner manner, int target_port)
{
    int port = host_take_port(), one = 1;
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const char *say = peer->say;
    size_t say_bytes = peer->say_bytes;
    *peer = (struct peer){
        .manner = manner, .target_port = target_port, .say = say, .say_bytes = say_bytes};
    peer->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(peer->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (!CHECK(bind(peer->listener, (struct sockaddr *)&name, sizeof name) == 0 &&
                   listen(peer->listener, 64) == 0,
               "a listener on port %d", port))
        return false;
    peer->port = port;
    return CHECK(pthread_create(&peer->thread, NULL, listen_on, peer) == 0,
                 "a thread for the peer");
}

void peer_become(struct peer *peer, enum peer_manner manner)
{
    __atomic_store_n(&peer->manner, manner, __ATOMIC_RELEASE);
}

void peer_end(struct peer *peer)
{
    __atomic_store_n(&peer->stop, true, __ATOMIC_RELEASE);
    pthread_join(peer->thread, NULL);
    close(peer->listener);
    double limit = now_ms() + 2000;
    while (__atomic_load_n(&peer->open, __ATOMIC_ACQUIRE) > 0 && now_ms() < limit)
        sleep_ms(2);
}
