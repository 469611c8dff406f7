/* Which options contradict each other. Each refusal names both and says what to change. */
#include <inttypes.h>
#include <string.h>

#include "client/endpoint.h"
#include "client/options.h"

static tendon_status check_server(const struct tendon__options *options,
                                  struct tendon__fault *fault)
{
    struct tendon__endpoint endpoints[TENDON__ENDPOINTS_MAX];
    uint32_t count = 0;
    if (options->db != 0 && options->mode == TENDON__MODE_CLUSTER)
        return tendon__fault_set(fault, TENDON_ERROR_CONFIG,
                                 "option 'db' is %" PRId64 " but mode=cluster has only database 0",
                                 options->db);
    if (options->unix_socket[0] && options->tls)
        return tendon__fault_set(
            fault, TENDON_ERROR_CONFIG,
            "options 'unix_socket' and 'tls' exclude each other; a Unix socket "
            "never leaves the machine");
    if (options->unix_socket[0])
        return TENDON_OK;
    if (options->endpoints[0])
        return tendon__endpoints_parse(options->endpoints, strlen(options->endpoints),
                                       (uint16_t)options->port, endpoints, &count, fault);
    if (!tendon__host_valid(options->host, strlen(options->host)))
        return tendon__fault_set(fault, TENDON_ERROR_CONFIG,
                                 "option 'host' wants a host name or address of at most %d bytes",
                                 TENDON__ENDPOINT_HOST_MAX);
    return TENDON_OK;
}

/* A blank or newline would be refused by the server, on every connection, at the worst time. */
static tendon_status check_name(const struct tendon__options *options, struct tendon__fault *fault)
{
    for (const char *at = options->client_name; *at; at++)
        if (*at <= ' ' || *at > '~')
            return tendon__fault_set(fault, TENDON_ERROR_CONFIG,
                                     "option 'client_name' wants printable ASCII without blanks");
    return TENDON_OK;
}

static tendon_status check_pool(const struct tendon__options *options, struct tendon__fault *fault)
{
    if (options->pool_min_idle > options->pool_max)
        return tendon__fault_set(fault, TENDON_ERROR_CONFIG,
                                 "option 'pool_min_idle' (%" PRId64
                                 ") is above 'pool_max' (%" PRId64 ")",
                                 options->pool_min_idle, options->pool_max);
    if (options->lanes > options->pool_max)
        return tendon__fault_set(fault, TENDON_ERROR_CONFIG,
                                 "option 'lanes' (%" PRId64 ") is above 'pool_max' (%" PRId64
                                 "), which counts them",
                                 options->lanes, options->pool_max);
    return TENDON_OK;
}

static tendon_status check_backoff(const struct tendon__options *options,
                                   struct tendon__fault *fault)
{
    if (options->retry_backoff_min_ms > options->retry_backoff_max_ms)
        return tendon__fault_set(fault, TENDON_ERROR_CONFIG,
                                 "option 'retry_backoff_min_ms' (%" PRId64
                                 ") is above 'retry_backoff_max_ms' (%" PRId64 ")",
                                 options->retry_backoff_min_ms, options->retry_backoff_max_ms);
    if (options->reconnect_backoff_min_ms > options->reconnect_backoff_max_ms)
        return tendon__fault_set(fault, TENDON_ERROR_CONFIG,
                                 "option 'reconnect_backoff_min_ms' (%" PRId64
                                 ") is above 'reconnect_backoff_max_ms' (%" PRId64 ")",
                                 options->reconnect_backoff_min_ms,
                                 options->reconnect_backoff_max_ms);
    return TENDON_OK;
}

/* The one of two spellings that is set, or NULL. */
static const char *either(const char *first, const char *first_name, const char *second,
                          const char *second_name)
{
    if (first[0])
        return first_name;
    return second[0] ? second_name : NULL;
}

static tendon_status check_tls(const struct tendon__options *options, struct tendon__fault *fault)
{
    const char *certificate =
        either(options->tls_cert_file, "tls_cert_file", options->tls_cert_pem, "tls_cert_pem");
    const char *key =
        either(options->tls_key_file, "tls_key_file", options->tls_key_pem, "tls_key_pem");
    if (options->tls_cert_file[0] && options->tls_cert_pem[0])
        return tendon__fault_set(fault, TENDON_ERROR_CONFIG,
                                 "options 'tls_cert_file' and 'tls_cert_pem' exclude each other");
    if (options->tls_key_file[0] && options->tls_key_pem[0])
        return tendon__fault_set(fault, TENDON_ERROR_CONFIG,
                                 "options 'tls_key_file' and 'tls_key_pem' exclude each other");
    if (certificate && !key)
        return tendon__fault_set(
            fault, TENDON_ERROR_CONFIG,
            "option '%s' is set without 'tls_key_file' or 'tls_key_pem'; when one file or text "
            "holds both, give it twice",
            certificate);
    if (key && !certificate)
        return tendon__fault_set(fault, TENDON_ERROR_CONFIG,
                                 "option '%s' is set without 'tls_cert_file' or 'tls_cert_pem'",
                                 key);
    return TENDON_OK;
}

static tendon_status check_cluster(const struct tendon__options *options,
                                   struct tendon__fault *fault)
{
    return tendon__address_map_check(options->cluster_address_map, fault);
}

tendon_status tendon__options_check(const struct tendon__options *options,
                                    struct tendon__fault *fault)
{
    tendon_status (*const checks[])(const struct tendon__options *, struct tendon__fault *) = {
        check_server, check_name, check_pool, check_backoff, check_tls, check_cluster};
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        tendon_status status = checks[i](options, fault);
        if (status != TENDON_OK)
            return status;
    }
    return TENDON_OK;
}
