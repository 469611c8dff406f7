/* Servers in the test's own process, on loopback ports the system picks, and a dial driven to its
 * end. */
#ifndef TENDON_TESTS_NET_PEER_H
#define TENDON_TESTS_NET_PEER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "net/transport.h"

/* Counts live blocks; refuses the allocation with number `fail_at` (from 1) when that is not 0. */
struct counting {
    struct tendon__memory memory;
    atomic_int blocks;
    atomic_int calls;
    int fail_at;
};

void counting_init(struct counting *counting);

int64_t clock_ns(void);
/* Open descriptors of this process. */
int fd_count(void);

/* A listening socket on an ephemeral port of 127.0.0.1 or ::1. */
int listen_on(int family, int backlog, struct tendon__address *out_address, uint16_t *out_port);
/* A port nobody listens on. */
void refused_address(struct tendon__address *out_address, uint16_t *out_port);

/* A thread that accepts `rounds` connections one after the other and calls `serve` for each. */
struct peer {
    int listener;
    int rounds;
    void (*serve)(int fd, void *context);
    void *context;
    uint16_t port;
    struct tendon__address address;
    pthread_t thread;
};

void peer_start(struct peer *peer, int rounds, void (*serve)(int fd, void *context), void *context);
/* Waits for the thread. */
void peer_stop(struct peer *peer);

/* Polls and steps until DONE or FAILED. */
enum tendon__dial_state drive(struct tendon__dial *dial);
/* Starts and drives a dial to `count` addresses with `timeout_ms` for everything. */
enum tendon__dial_state dial_to(struct tendon__dial *dial, struct counting *counting,
                                const char *host, uint16_t port,
                                const struct tendon__address *addresses, uint32_t count,
                                struct tendon__tls_context *tls, int timeout_ms);
/* Exactly `size` bytes, or what read or write returned last. */
ssize_t read_all(struct tendon__transport *transport, void *out, size_t size,
                 struct tendon__fault *fault);
ssize_t write_all(struct tendon__transport *transport, const void *bytes, size_t size,
                  struct tendon__fault *fault);

#endif
