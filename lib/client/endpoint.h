/* Lists of seeds, "host:port,[::1]:port,host", and of addresses that stand for others. */
#ifndef TENDON_CLIENT_ENDPOINT_H
#define TENDON_CLIENT_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"

#define TENDON__ENDPOINTS_MAX     64  /* seeds only find the cluster; its map names the rest */
#define TENDON__ENDPOINT_HOST_MAX 253 /* octets of a DNS name */

struct tendon__endpoint {
    char host[TENDON__ENDPOINT_HOST_MAX + 1]; /* without brackets */
    uint16_t port;
};

/*
 * Parses a comma-separated list into `out`, which has room for TENDON__ENDPOINTS_MAX; blanks around
 * the commas are allowed. A member without a port gets `default_port`. TENDON_OK with at least one,
 * else TENDON_ERROR_CONFIG, with `out` undefined.
 */
tendon_status tendon__endpoints_parse(const char *text, size_t size, uint16_t default_port,
                                      struct tendon__endpoint *out, uint32_t *out_count,
                                      struct tendon__fault *fault);

/* Whether the text is a list of pairs "host:port=host:port", or empty. TENDON_OK or _CONFIG. */
tendon_status tendon__address_map_check(const char *map, struct tendon__fault *fault);

/* Puts the right side of the first pair with host:port on its left in their place; leaves them
 * alone when there is none. `host` has room for TENDON__ENDPOINT_HOST_MAX and a NUL. */
void tendon__address_map_apply(const char *map, char *host, uint16_t *port);

/* What can stand in a host name or address. Underscores occur in container networks. */
bool tendon__host_valid(const char *host, size_t size);

#endif
