/*
 * Servers of a test's own, to be frozen, killed and restarted: single ones and a cluster of three
 * primaries with a replica each. They listen on loopback ports of 15650-15799 and end with the
 * test, whatever happens to it.
 */
#ifndef SUPPORT_HOST_H
#define SUPPORT_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define CLUSTER_HOSTS 6

struct host {
    pid_t pid; /* 0 when it does not run */
    int port;
    char folder[64];
    char more[512]; /* arguments beyond the common ones */
};

struct host_cluster {
    struct host hosts[CLUSTER_HOSTS]; /* 0-2 begin as primaries, 3-5 as their replicas */
};

/* Each program takes ports from a range of its own, so that programs may run side by side. */
void host_ports(int first);
/* A free port of that range, also for a peer; 0 when there is none. */
int host_take_port(void);
/* Starts a server with extra arguments ("--maxclients 10") and waits until it answers. */
bool host_start(struct host *host, const char *more);
/* Starts a stopped or killed server again on its port. */
bool host_restart(struct host *host);
/* kill -9 and wait for the end. */
void host_kill(struct host *host);
/* Kills it and removes its folder. */
void host_end(struct host *host);
void host_freeze(struct host *host);
void host_thaw(struct host *host);

/* Says one line of words to a plain server over a connection of its own. Returns the root of the
 * reply as text, "" when there was none. Static, until the next call of the same thread. */
const char *host_say(int port, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The number after `field:` in INFO; -1 when there is none. */
long host_info(int port, const char *field);

bool cluster_start(struct host_cluster *cluster);
void cluster_end(struct host_cluster *cluster);
/* The index of the host that now serves `slot` as primary, as seen by any live host; -1 for none.
 */
int cluster_owner(struct host_cluster *cluster, unsigned slot);
/* The index of a live replica of the primary with this index, or -1. */
int cluster_replica_of(struct host_cluster *cluster, int primary);
/* True once every live node says that all slots are served and sees `replicas` replicas that are in
 * step. */
bool cluster_wait(struct host_cluster *cluster, int replicas, double limit_ms);

#endif
