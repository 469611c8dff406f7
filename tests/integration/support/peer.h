/*
 * A server that misbehaves on purpose, and a proxy before a real one that harms what passes. Both
 * run in threads of the test.
 */
#ifndef SUPPORT_PEER_H
#define SUPPORT_PEER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

enum peer_manner {
    PEER_SILENT,   /* accepts and never answers */
    PEER_CLOSES,   /* accepts and closes at once */
    PEER_SAYS,     /* sends `say` at once, then reads on */
    PEER_PASSES,   /* a proxy */
    PEER_SWALLOWS, /* a proxy that closes both sides instead of passing the next reply on */
    PEER_CUTS,     /* a proxy that passes the first `limit` bytes of replies on, then resets */
    PEER_STALLS,   /* a proxy that keeps replies back until the manner changes */
    PEER_DRIPS,    /* a proxy that passes one byte at a time */
};

struct peer {
    int port;
    int listener;
    int target_port; /* of the real server behind a proxy */
    const char *say;
    size_t say_bytes;
    long limit;   /* atomic */
    int manner;   /* atomic: enum peer_manner */
    int accepted; /* atomic: connections so far */
    int open;     /* atomic: connections now */
    bool stop;    /* atomic */
    pthread_t thread;
};

/* Listens on a free port of the program's range, see host_ports. `target_port` is 0 without a
 * server behind it. */
bool peer_start(struct peer *peer, enum peer_manner manner, int target_port);
void peer_become(struct peer *peer, enum peer_manner manner);
/* Closes its connections, the listener, and waits for its threads. */
void peer_end(struct peer *peer);

#endif
