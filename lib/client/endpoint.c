/* Lists of hosts and ports. Resolves nothing. */
#include "client/endpoint.h"

#include <string.h>

bool tendon__host_valid(const char *host, size_t size)
{
    if (size == 0 || size > TENDON__ENDPOINT_HOST_MAX)
        return false;
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)host[i];
        bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte >= 128;
        /* Colons are IPv6, a percent sign begins its zone. */
        if (!letter && !(byte >= '0' && byte <= '9') && (!byte || !strchr("-._:%", byte)))
            return false;
    }
    return true;
}

static bool parse_port(const char *text, size_t size, uint16_t *out)
{
    uint32_t port = 0;
    if (size == 0 || size > 5)
        return false;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        port = port * 10 + (uint32_t)(text[i] - '0');
    }
    *out = (uint16_t)port;
    return port >= 1 && port <= UINT16_MAX;
}

/* One member of the list, without blanks. Returns what is wrong with it, or NULL. */
static const char *parse_one(const char *text, size_t size, struct tendon__endpoint *out)
{
    const char *end = text + size;
    const char *host = text;
    const char *host_end;
    const char *rest;
    if (size && *text == '[') {
        host = text + 1;
        host_end = memchr(text, ']', size);
        if (!host_end)
            return "lacks the closing bracket";
        rest = host_end + 1;
    } else {
        const char *colon = memchr(text, ':', size);
        if (colon && memchr(colon + 1, ':', (size_t)(end - colon - 1)))
            return "has several colons; write an IPv6 address in brackets";
        host_end = rest = colon ? colon : end;
    }
    if (!tendon__host_valid(host, (size_t)(host_end - host)))
        return "wants a host name or address";
    if (rest < end && (*rest != ':' || !parse_port(rest + 1, (size_t)(end - rest - 1), &out->port)))
        return "wants a port from 1 to 65535 after the host";
    memcpy(out->host, host, (size_t)(host_end - host));
    out->host[host_end - host] = '\0';
    return NULL;
}

tendon_status tendon__endpoints_parse(const char *text, size_t size, uint16_t default_port,
                                      struct tendon__endpoint *out, uint32_t *out_count,
                                      struct tendon__fault *fault)
{
    const char *end = text + size;
    uint32_t count = 0;
    for (const char *at = text;; at++) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        const char *stop = comma ? comma : end;
        const char *last = stop;
        if (count == TENDON__ENDPOINTS_MAX)
            return tendon__fault_set(fault, TENDON_ERROR_CONFIG,
                                     "more than %d endpoints; a few seeds are enough",
                                     TENDON__ENDPOINTS_MAX);
        while (at < last && *at == ' ')
            at++;
        while (last > at && last[-1] == ' ')
            last--;
        out[count].port = default_port;
        const char *complaint = parse_one(at, (size_t)(last - at), &out[count]);
        if (complaint) /* by its number: a URL's password must never be quoted by accident */
            return tendon__fault_set(fault, TENDON_ERROR_CONFIG, "endpoint %u %s", count + 1,
                                     complaint);
        count++;
        if (!comma)
            break;
        at = comma;
    }
    *out_count = count;
    return TENDON_OK;
}

/* The pair at *at, which moves behind it. Returns what is wrong with it, or NULL. */
static const char *parse_pair(const char **at, struct tendon__endpoint *left,
                              struct tendon__endpoint *right)
{
    const char *begin = *at;
    const char *end = begin + strcspn(begin, ",");
    const char *equals = memchr(begin, '=', (size_t)(end - begin));
    *at = *end ? end + 1 : end;
    if (!equals)
        return "wants announced=reached";
    left->port = right->port = 0;
    const char *complaint = parse_one(begin, (size_t)(equals - begin), left);
    if (!complaint)
        complaint = parse_one(equals + 1, (size_t)(end - equals - 1), right);
    if (!complaint && (!left->port || !right->port))
        return "wants a port on either side";
    return complaint;
}

tendon_status tendon__address_map_check(const char *map, struct tendon__fault *fault)
{
    struct tendon__endpoint left;
    struct tendon__endpoint right;
    for (uint32_t number = 1; *map; number++) {
        const char *complaint = parse_pair(&map, &left, &right);
        if (complaint)
            return tendon__fault_set(fault, TENDON_ERROR_CONFIG,
                                     "option 'cluster_address_map': pair %u %s", number, complaint);
    }
    return TENDON_OK;
}

void tendon__address_map_apply(const char *map, char *host, uint16_t *port)
{
    struct tendon__endpoint left;
    struct tendon__endpoint right;
    while (*map) {
        if (parse_pair(&map, &left, &right) || left.port != *port || strcmp(left.host, host) != 0)
            continue;
        memcpy(host, right.host, sizeof right.host);
        *port = right.port;
        return;
    }
}
