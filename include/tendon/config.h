/**
 * Configuration: named options as text, from key/value pairs or a URL.
 *
 * Every option, its type, unit, default and range is listed in docs/options.md, generated from
 * spec/options. A config is a plain bag: a client copies it at create, so one config may make many
 * clients and may be changed or destroyed at any time after. One config is used by one thread at a
 * time.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TENDON_CONFIG_H
#define TENDON_CONFIG_H

#include <tendon/error.h>
#include <tendon/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Makes a config with every option at its default. Returns TENDON_OK or TENDON_ERROR_NO_MEMORY.
 * The caller owns `*out_config` and ends it with tendon_config_destroy. Since 0.1.
 */
TENDON_API TENDON_MUST_USE tendon_status tendon_config_create(tendon_config **out_config);

/** Frees a config. NULL is accepted. Secrets are overwritten first. Since 0.1. */
TENDON_API void tendon_config_destroy(tendon_config *config);

/**
 * Sets one option. `name` and `value` are NUL-terminated text; numbers are decimal, booleans are
 * "yes" or "no" ("true"/"false"/"1"/"0" are accepted). Use tendon_config_set_bytes for a value with
 * NUL bytes. Returns TENDON_OK; TENDON_ERROR_CONFIG for an unknown name (the error names the
 * nearest one), a value of the wrong type or out of range; TENDON_ERROR_ARGUMENT for NULL;
 * TENDON_ERROR_NO_MEMORY. `out_error` may be NULL. On failure the config is unchanged. Since 0.1.
 */
TENDON_API tendon_status tendon_config_set(tendon_config *config, const char *name,
                                           const char *value, tendon_error **out_error);

/** As tendon_config_set, with a value of any bytes (passwords, certificates). Since 0.1. */
TENDON_API tendon_status tendon_config_set_bytes(tendon_config *config, const char *name,
                                                 tendon_bytes value, tendon_error **out_error);

/**
 * Sets what a URL says: `redis://[[user]:password@]host[:port][/db][?option=value&…]`, `rediss://`
 * for TLS, `unix://[[user]:password@]/path/to/socket[?db=n]`. User, password and path are
 * percent-decoded once. Query names are option names. Other schemes, bad percent escapes, unknown
 * options and bad values are TENDON_ERROR_URL; the error quotes the URL without its password. On
 * failure the config is unchanged. Since 0.1.
 */
TENDON_API tendon_status tendon_config_set_url(tendon_config *config, const char *url,
                                               tendon_error **out_error);

/**
 * Reads one option back as text into `*out_value`, borrowed until the next call on this config. The
 * value of a secret option reads "***". Returns TENDON_OK, TENDON_ERROR_CONFIG for an unknown name,
 * or TENDON_ERROR_ARGUMENT. Since 0.1.
 */
TENDON_API tendon_status tendon_config_get(tendon_config *config, const char *name,
                                           const char **out_value);

#ifdef __cplusplus
}
#endif

#endif
