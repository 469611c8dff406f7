/* One blocking look-up of a host name, as values; the threads around it are resolver.c. */
#ifndef TENDON_NET_LOOKUP_H
#define TENDON_NET_LOOKUP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "net/resolver.h"

#define TENDON__HOST_MAX 253 /* characters of a DNS name; more cannot be encoded in a question */

struct tendon__answers {
    struct tendon__fault fault;
    uint32_t count;
    struct tendon__address
        addresses[TENDON__ADDRESSES_MAX]; /* in the system's order, ports are 0 */
};

/* Answers a literal address without asking anybody; false when `host` is a name. */
bool tendon__lookup_literal(const char *host, int family, struct tendon__answers *out);
/* Asks the system; blocks for as long as the system likes. */
void tendon__lookup_name(const char *host, int family, struct tendon__answers *out);
/* The last call of a thread that looked names up, without which a fork at its end could leave the
 * child unable to. */
void tendon__lookup_thread_ends(void);

#endif
