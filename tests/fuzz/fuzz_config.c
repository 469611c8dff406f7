/*
 * Fuzz target: hostile configuration. Options are set by name, by number and by URL, read back,
 * copied into clients that are refused or made and destroyed. A refusal changes nothing, tells no
 * secret and says why; what can be read back can be set again; nothing leaks; nothing connects.
 *
 * The input is lines. One with "://" is a URL; `name=value` sets; a byte above 127 is the number of
 * an option and the rest its value; a name alone is read; an empty line makes a client. A carriage
 * return stands for a newline inside a value.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tendon/tendon.h>

#include "client/options.h"

#define SECRET      "hunter2"
#define CLIENTS_MAX 2 /* of one input: they cost descriptors, and TLS ones milliseconds */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int condition)
{
    if (!condition)
        abort();
}

/* Takes over the error of a failed call. */
static void check_error(tendon_error *error, tendon_status status, bool secret)
{
    tendon_error_view view = {.struct_size = sizeof view};
    must(error && tendon_error_look(error, &view) == TENDON_OK && view.status == status);
    must(view.message[0] && view.executed == TENDON_EXECUTED_NO);
    must(!secret || !strstr(view.message, SECRET));
    tendon_error_destroy(error);
}

/* What reads back can be set again and reads the same. */
static void check_round_trip(tendon_config *config, const struct tendon__option_row *row)
{
    const char *shown = NULL;
    must(tendon_config_get(config, row->name, &shown) == TENDON_OK && shown);
    if (row->secret) {
        must(!strcmp(shown, "***"));
        return;
    }
    char *kept = strdup(shown);
    must(kept && tendon_config_set(config, row->name, kept, NULL) == TENDON_OK);
    must(tendon_config_get(config, row->name, &shown) == TENDON_OK && !strcmp(shown, kept));
    free(kept);
}

static void set(tendon_config *config, const char *name, const char *value, size_t size)
{
    const struct tendon__option_row *row = tendon__option_find(name, strlen(name));
    struct tendon__options before = config->options;
    tendon_error *error = NULL;
    bool text = strlen(value) == size && size % 2;
    tendon_status status =
        text ? tendon_config_set(config, name, value, &error)
             : tendon_config_set_bytes(config, name, (tendon_bytes){value, size}, &error);
    if (status != TENDON_OK) {
        must(status == TENDON_ERROR_CONFIG);
        must(memcmp(&before, &config->options, sizeof before) == 0);
        check_error(error, status, row && row->secret);
        return;
    }
    must(row && !error);
    check_round_trip(config, row);
}

static void set_url(tendon_config *config, const char *url)
{
    struct tendon__options before = config->options;
    tendon_error *error = NULL;
    tendon_status status = tendon_config_set_url(config, url, &error);
    if (status == TENDON_OK) {
        must(!error);
        return;
    }
    must(status == TENDON_ERROR_URL && memcmp(&before, &config->options, sizeof before) == 0);
    check_error(error, status, false); /* the secret may stand where a host is; see fuzz_url */
}

static void check_copy(const tendon_config *config)
{
    struct tendon__options copy;
    char one[32], two[32];
    must(tendon__options_copy(&copy, &config->options, config->memory) == TENDON_OK);
    for (size_t i = 0; i < TENDON__OPTION_COUNT; i++) {
        const char *name = tendon__option_table[i].name;
        must(!strcmp(tendon__options_show(&config->options, name, one, sizeof one),
                     tendon__options_show(&copy, name, two, sizeof two)));
    }
    tendon__options_free(&copy, config->memory);
}

/* Files named by the input could be devices; what they hold is covered by the options ending in
 * _pem. The system's certificates take long to read. */
static void tame(tendon_config *config)
{
    static const char *const tamed[] = {"pool_min_idle", "0", "tls_system_ca", "no",
                                        "tls_ca_file",   "",  "tls_ca_dir",    "",
                                        "tls_cert_file", "",  "tls_key_file",  ""};
    for (size_t i = 0; i < sizeof tamed / sizeof tamed[0]; i += 2)
        must(tendon_config_set(config, tamed[i], tamed[i + 1], NULL) == TENDON_OK);
}

static void make_client(tendon_config *config)
{
    tendon_client *client = NULL;
    tendon_error *error = NULL;
    check_copy(config);
    tame(config);
    tendon_status status = tendon_client_create(config, &client, &error);
    if (status != TENDON_OK) {
        must(status == TENDON_ERROR_CONFIG || status == TENDON_ERROR_TLS_CONFIG ||
             status == TENDON_ERROR_UNSUPPORTED);
        must(!client);
        check_error(error, status, false);
        return;
    }
    must(client && !error);
    tendon_stats stats = {.struct_size = sizeof stats};
    must(tendon_client_stats(client, &stats) == TENDON_OK && stats.open == 0);
    if (config->options.db % 2)
        tendon_client_close(client);
    tendon_client_destroy(client);
}

/* `line` is NUL-terminated at `size`, and may hold others. */
static void read_line(tendon_config *config, char *line, size_t size)
{
    unsigned char first = (unsigned char)line[0];
    char *equals = memchr(line, '=', size);
    if (size && first > 127) {
        set(config, tendon__option_table[(first & 127) % TENDON__OPTION_COUNT].name, line + 1,
            size - 1);
    } else if (strstr(line, "://")) {
        set_url(config, line);
    } else if (equals) {
        *equals = '\0';
        set(config, line, equals + 1, size - (size_t)(equals + 1 - line));
    } else {
        const char *shown = NULL;
        tendon_status status = tendon_config_get(config, line, &shown);
        must(status == TENDON_OK ? shown != NULL : status == TENDON_ERROR_CONFIG);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tendon_config *config = NULL;
    int clients = 0;
    must(tendon_config_create(&config) == TENDON_OK);
    while (size) {
        const uint8_t *end = memchr(data, '\n', size);
        size_t length = end ? (size_t)(end - data) : size;
        if (length) {
            char *line = malloc(length + 1); /* of its own, so that reading past it is seen */
            must(line != NULL);
            memcpy(line, data, length);
            line[length] = '\0';
            for (char *at = line; (at = memchr(at, '\r', length - (size_t)(at - line)));)
                *at = '\n';
            read_line(config, line, length);
            free(line);
        } else if (clients++ < CLIENTS_MAX) {
            make_client(config);
        }
        data += length + (end != NULL);
        size -= length + (end != NULL);
    }
    make_client(config);
    tendon_config_destroy(config);
    return 0;
}
