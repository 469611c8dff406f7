/* The exported functions of <tendon/config.h>: check the handle, call, hand out the error. */
#include <tendon/config.h>

#include <string.h>

#include "client/error.h"
#include "client/options.h"
#include "client/url.h"

tendon_status tendon_config_create(tendon_config **out_config)
{
    struct tendon__memory *memory = tendon__memory_system();
    if (!out_config)
        return TENDON_ERROR_ARGUMENT;
    tendon_config *config = tendon__memory_make(memory, sizeof *config);
    if (!config)
        return TENDON_ERROR_NO_MEMORY;
    config->memory = memory;
    tendon__options_init(&config->options);
    *out_config = config;
    return TENDON_OK;
}

void tendon_config_destroy(tendon_config *config)
{
    if (!config)
        return;
    tendon__options_free(&config->options, config->memory);
    tendon__memory_free(config->memory, config);
}

static tendon_status finish(const tendon_config *config, tendon_status status,
                            const struct tendon__fault *fault, tendon_error **out_error)
{
    if (status != TENDON_OK && out_error)
        *out_error = tendon__error_make(config->memory, fault, 0, 0);
    return status;
}

/* A refused argument has no config to allocate from, or names none. */
static tendon_status refuse(const char *what, tendon_error **out_error)
{
    struct tendon__fault fault;
    tendon__fault_set(&fault, TENDON_ERROR_ARGUMENT, "%s is NULL", what);
    if (out_error)
        *out_error = tendon__error_make(tendon__memory_system(), &fault, 0, 0);
    return TENDON_ERROR_ARGUMENT;
}

tendon_status tendon_config_set_bytes(tendon_config *config, const char *name, tendon_bytes value,
                                      tendon_error **out_error)
{
    struct tendon__fault fault = {0};
    if (!config || !name)
        return refuse(config ? "name" : "config", out_error);
    if (!value.data && value.size)
        return refuse("value", out_error);
    tendon_bytes name_bytes = {name, strlen(name)};
    tendon_status status =
        tendon__options_set(&config->options, config->memory, name_bytes, value, &fault);
    return finish(config, status, &fault, out_error);
}

tendon_status tendon_config_set(tendon_config *config, const char *name, const char *value,
                                tendon_error **out_error)
{
    if (!value)
        return refuse("value", out_error);
    return tendon_config_set_bytes(config, name, (tendon_bytes){value, strlen(value)}, out_error);
}

tendon_status tendon_config_set_url(tendon_config *config, const char *url,
                                    tendon_error **out_error)
{
    struct tendon__fault fault = {0};
    if (!config || !url)
        return refuse(config ? "url" : "config", out_error);
    tendon_status status = tendon__options_set_url(&config->options, config->memory, url, &fault);
    return finish(config, status, &fault, out_error);
}

tendon_status tendon_config_get(tendon_config *config, const char *name, const char **out_value)
{
    if (!config || !name || !out_value)
        return TENDON_ERROR_ARGUMENT;
    const char *value =
        tendon__options_show(&config->options, name, config->shown, sizeof config->shown);
    if (!value)
        return TENDON_ERROR_CONFIG;
    *out_value = value;
    return TENDON_OK;
}
