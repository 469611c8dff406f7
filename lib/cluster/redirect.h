/* A server's error reply to what it means: executed or not, and what a client should do
 * (elasticache table). */
#ifndef TENDON_CLUSTER_REDIRECT_H
#define TENDON_CLUSTER_REDIRECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tendon/types.h>

#include "cluster/topology.h"

enum tendon__reaction {
    TENDON__REACT_SURFACE,   /* the caller's: hand it out as a reply */
    TENDON__REACT_MOVED,     /* patch the map, resend to host:port at once, refresh */
    TENDON__REACT_ASK,       /* ASKING + command to host:port, keep the map */
    TENDON__REACT_TRY_AGAIN, /* same node after a short backoff */
    TENDON__REACT_DOWN,      /* refresh, backoff, again: CLUSTERDOWN, MASTERDOWN */
    TENDON__REACT_READ_ONLY, /* the node was demoted: drop its connections, resolve again, refresh,
                                again */
    TENDON__REACT_LOADING,   /* not ready yet: another replica or backoff */
    TENDON__REACT_BUSY,      /* backoff, then surface at the deadline: BUSY, NOREPLICAS */
    TENDON__REACT_REFUSED,   /* ERR max number of clients reached: treat as a failed connection */
    TENDON__REACT_UNAUTHENTICATED, /* NOAUTH: the connection lost its login: replace it once */
    TENDON__REACT_UNBLOCKED, /* UNBLOCKED because the instance changed role: the connection ends,
                                re-issue */
    TENDON__REACT_CLOSE,     /* ERR Protocol error: our stream is corrupt, close the connection */
};

struct tendon__redirect {
    uint32_t slot;
    uint16_t port;
    char host[TENDON__HOST_MAX + 1]; /* "" means the host that answered */
    bool reached;                    /* by the engine: host and port are those to connect to */
};

/*
 * What to do about an error reply. Every reaction but SURFACE and CLOSE proves that the command was
 * not executed. A redirect whose slot, host or port is malformed is SURFACE; one to the host "?"
 * (the server does not know its name) is DOWN. `out_redirect` is filled for MOVED and ASK,
 * untouched otherwise, and never NULL.
 */
enum tendon__reaction tendon__react(const void *error, size_t size,
                                    struct tendon__redirect *out_redirect);

#endif
