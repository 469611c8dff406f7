/*
 * The event loop behind the libraries' callbacks, which they leave to the program: poll, for a
 * handful of connections. It does less than the loops that they have adapters for.
 */
#ifndef TENDON_BENCH_PEER_LOOP_H
#define TENDON_BENCH_PEER_LOOP_H

#include "peer.h"

struct peer_loop;

struct peer_loop *peer_loop_create(void);
void peer_loop_destroy(struct peer_loop *loop);
/* As the attach function of a library's adapter: 0, or -1 when it cannot be watched. */
int peer_loop_attach(peer_async *connection, void *loop);
/* Writes what waits to be written, then waits for what comes and reads it. -1: without limit. */
void peer_loop_turn(struct peer_loop *loop, int timeout_ms);

#endif
