/* Lists of seeds: "host:port,[::1]:port,host" to hosts and ports. */
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

/* What can stand in a host name or address. Underscores occur in container networks. */
bool tendon__host_valid(const char *host, size_t size);

#endif
