/**
 * Statistics: counters of one client since it was created, and gauges of this moment.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TENDON_STATS_H
#define TENDON_STATS_H

#include <tendon/types.h>

/** Sums over all nodes. Counters never decrease. */
typedef struct tendon_stats {
    uint32_t struct_size; /* in: sizeof(tendon_stats) */
    uint32_t nodes;       /* gauge: nodes known */
    /* Connections, gauges. open = idle + leased + lanes + connecting. */
    uint32_t open;
    uint32_t idle;   /* nobody holds them; those being tested or cleaned are among them */
    uint32_t leased; /* held by a borrower that has not closed its lease */
    uint32_t lanes;
    uint32_t connecting;
    uint32_t waiting; /* borrowers waiting for a connection */
    uint32_t pending; /* requests accepted and not completed */
    uint32_t reserved;
    /* Connections, counters. */
    uint64_t created;          /* handshakes completed */
    uint64_t connect_failures; /* attempts that failed */
    uint64_t tls_resumed;      /* TLS handshakes that resumed a session */
    uint64_t closed_idle;      /* idle too long, or above pool_max_idle */
    uint64_t closed_lifetime;  /* older than pool_lifetime_ms */
    uint64_t closed_peer;      /* ended by the server or the network */
    uint64_t closed_dirty;     /* could not be cleaned */
    uint64_t closed_unhealthy; /* failed a test */
    uint64_t closed_stale;     /* node gone, demoted or replaced */
    uint64_t closed_error;     /* protocol error or timeout that made the stream unusable */
    uint64_t closed_shutdown;  /* closed with the client */
    /* Pool. */
    uint64_t borrows;
    uint64_t waits; /* borrows that had to wait */
    uint64_t wait_timeouts;
    uint64_t wait_us; /* total time waited */
    /* Commands. */
    uint64_t requests;
    uint64_t replies;
    uint64_t errors; /* completed with a tendon_error */
    uint64_t timeouts;
    uint64_t retries;
    uint64_t unknown; /* errors whose executed is unknown */
    uint64_t moved;
    uint64_t ask;
    uint64_t refreshes; /* cluster map refreshes completed */
    uint64_t refresh_failures;
    uint64_t bytes_sent;
    uint64_t bytes_received;
} tendon_stats;

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Fills `out_stats`. Returns TENDON_OK, TENDON_ERROR_ARGUMENT for NULL or an unknown `struct_size`,
 * TENDON_ERROR_FORKED. Any thread; waits for at most the time of one event loop turn. Since 0.1.
 */
TENDON_API tendon_status tendon_client_stats(tendon_client *client, tendon_stats *out_stats);

#ifdef __cplusplus
}
#endif

#endif
