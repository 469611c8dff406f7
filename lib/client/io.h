/*
 * The sockets under the engine's channels, for the files that make up its world: io.c reads and
 * writes, io_dial.c resolves and dials, io_lend.c lends sockets to a host.
 *
 *     RESOLVING --> DIALED --> OPEN --> CLOSED      any state may end in CLOSED
 */
#ifndef TENDON_CLIENT_IO_H
#define TENDON_CLIENT_IO_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "client/client.h"

enum tendon__io_state {
    TENDON__IO_IS_RESOLVING,
    TENDON__IO_IS_DIALED,
    TENDON__IO_IS_OPEN,
    TENDON__IO_IS_CLOSED,
};

/* A channel's socket. Outlives the channel until the end of the turn, because epoll may still name
 * it. */
struct tendon__io {
    struct tendon__link link; /* client->ios while not open or with bytes left, then dead_ios */
    struct tendon_client *client;
    struct tendon__channel *channel;
    enum tendon__io_state state;
    struct tendon__dial *dial;
    struct tendon__transport transport;
    uint64_t token;
    int64_t deadline_ns;
    int watched_fd;
    uint32_t watched;
    bool write_blocked;
    bool has_reader;    /* a caller waits in the socket, without the token; nobody else reads */
    atomic_uint saying; /* enum saying: how far the reader is with his own request */
    bool missed_edge;   /* something came that was left to the reader */
    bool is_ending;     /* the peer's end has been announced; there will be no edge behind it */
    bool paused;        /* nothing is read until the engine says so */
    uint64_t lent;      /* its name for a host that watches its socket itself; 0: none does */
    bool was_lent;      /* a host may still have a duplicate of its socket, which keeps it open */
};

/* Says to epoll what is waited for; nothing happens when it knows. */
void tendon__io_watch(struct tendon__io *io, int fd, uint32_t events);
/* What is there already counts as new once more. */
void tendon__io_watch_anew(struct tendon__io *io);
uint32_t tendon__io_open_events(const struct tendon__io *io);
void tendon__io_forget_fd(struct tendon_client *client, int fd);

/* io_dial.c */
void tendon__io_report_failure(struct tendon__io *io, const struct tendon__fault *fault,
                               int64_t now_ns);
void tendon__io_step_dial(struct tendon__io *io, int64_t now_ns);
void tendon__io_start_unix(struct tendon__io *io, int64_t now_ns);
void tendon__io_end_dial(struct tendon__io *io);

/* io_lend.c */
/* The stream ends: who watches its socket is told by that. */
void tendon__io_end_loan(struct tendon__io *io);
/* Who watches it learns of that when it reads. The caller sees to it that epoll tells again. */
void tendon__io_forget_loan(struct tendon__io *io);

#endif
