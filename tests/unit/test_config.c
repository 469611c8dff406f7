/* Options by name: every row of the table, every refusal, every contradiction, every failing
 * allocation. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "client/endpoint.h"
#include "client/options.h"
#include "counting_memory.h"

#define BYTES(text) ((tendon_bytes){text, sizeof text - 1})

struct world {
    struct counting_memory counting;
    struct tendon__options options;
    struct tendon__fault fault;
};

static void open_world(struct world *world)
{
    *world = (struct world){.counting = counting_memory_make()};
    tendon__options_init(&world->options);
}

static void close_world(struct world *world)
{
    tendon__options_free(&world->options, &world->counting.memory);
    cr_assert_eq(world->counting.blocks, 0);
}

static tendon_status set(struct world *world, const char *name, const char *value)
{
    return tendon__options_set(&world->options, &world->counting.memory,
                               (tendon_bytes){name, strlen(name)},
                               (tendon_bytes){value, strlen(value)}, &world->fault);
}

static const char *show(struct world *world, const char *name)
{
    static char scratch[32];
    return tendon__options_show(&world->options, name, scratch, sizeof scratch);
}

Test(config, begins_with_the_defaults)
{
    struct world world;
    open_world(&world);
    for (size_t i = 0; i < TENDON__OPTION_COUNT; i++) {
        const struct tendon__option_row *row = &tendon__option_table[i];
        cr_assert_str_eq(show(&world, row->name), row->secret ? "***" : row->initial, "%s",
                         row->name);
    }
    cr_assert_eq(world.options.port, 6379);
    cr_assert_str_eq(world.options.host, "localhost");
    cr_assert_eq(world.options.max_reply_bytes, 1073741824);
    cr_assert_eq(world.options.pool_max_idle, -1);
    cr_assert(world.options.tcp_keepalive && !world.options.tls);
    cr_assert_eq(world.options.tls_min_version, TENDON__TLS_MIN_VERSION_1_2);
    cr_assert(world.options.password && world.options.password_size == 0);
    cr_assert_eq(tendon__options_check(&world.options, &world.fault), TENDON_OK, "%s",
                 world.fault.text);
    cr_assert_eq(world.counting.requests, 0);
    close_world(&world);
}

Test(config, keeps_integers_in_their_range)
{
    struct world world;
    open_world(&world);
    for (size_t i = 0; i < TENDON__OPTION_COUNT; i++) {
        const struct tendon__option_row *row = &tendon__option_table[i];
        const int64_t tried[] = {row->min, row->max, row->min - 1, row->max + 1};
        for (int t = 0; t < 4 && row->type == TENDON__OPTION_INT; t++) {
            char text[32];
            snprintf(text, sizeof text, "%lld", (long long)tried[t]);
            cr_assert_eq(set(&world, row->name, text), t < 2 ? TENDON_OK : TENDON_ERROR_CONFIG,
                         "%s", row->name);
            cr_assert_eq(strcmp(show(&world, row->name), text) == 0, t < 2);
        }
    }
    close_world(&world);
}

Test(config, refuses_values_of_the_wrong_type)
{
    static const struct {
        const char *name, *value, *text;
    } cases[] = {
        {"port", "abc", "option 'port' wants an integer from 1 to 65535, got 'abc'"},
        {"port", "", "option 'port' wants an integer from 1 to 65535, got ''"},
        {"port", "-", "option 'port' wants an integer from 1 to 65535, got '-'"},
        {"port", "6379 ", "option 'port' wants an integer from 1 to 65535, got '6379 '"},
        {"port", "+1", "option 'port' wants an integer from 1 to 65535, got '+1'"},
        {"port", "99999999999999999999",
         "option 'port' wants an integer from 1 to 65535, got '99999999999999999999'"},
        {"port", "1\n2", "option 'port' wants an integer from 1 to 65535, got '1?2'"},
        {"port", "12345678901234567890123456789012345678901",
         "option 'port' wants an integer from 1 to 65535, got "
         "'1234567890123456789012345678901234567890...'"},
        {"tls", "on", "option 'tls' wants yes or no, got 'on'"},
        {"mode", "clutser", "option 'mode' wants one of auto, standalone, cluster, got 'clutser'"},
        {"pool_maxx", "1", "unknown option 'pool_maxx'; did you mean 'pool_max'?"},
        {"Port", "1", "unknown option 'Port'; did you mean 'port'?"},
        {"poolmax", "1", "unknown option 'poolmax'; did you mean 'pool_max'?"},
        {"connect_timeout", "1",
         "unknown option 'connect_timeout'; did you mean 'connect_timeout_ms'?"},
        {"xyzzyxyzzy", "1", "unknown option 'xyzzyxyzzy'; docs/options.md lists every option"},
        {"", "1", "unknown option ''; docs/options.md lists every option"},
        {"a_name_that_is_longer_than_every_option_there_is", "1",
         "unknown option 'a_name_that_is_longer_than_every_option_...'; docs/options.md lists "
         "every option"},
    };
    struct world world;
    open_world(&world);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cr_assert_eq(set(&world, cases[i].name, cases[i].value), TENDON_ERROR_CONFIG, "%s",
                     cases[i].name);
        cr_assert_str_eq(world.fault.text, cases[i].text);
    }
    cr_assert(world.options.port == 6379 && !world.options.tls);
    close_world(&world);
}

Test(config, accepts_every_spelling_of_a_boolean)
{
    struct world world;
    open_world(&world);
    static const char *const yes[] = {"yes", "true", "1", "True", "YES"};
    static const char *const no[] = {"no", "false", "0", "False", "No"};
    for (int i = 0; i < 5; i++) {
        cr_assert(set(&world, "tls", yes[i]) == TENDON_OK && world.options.tls);
        cr_assert(set(&world, "tls", no[i]) == TENDON_OK && !world.options.tls);
    }
    cr_assert_eq(set(&world, "protocol", "3"), TENDON_OK);
    cr_assert_eq(world.options.protocol, TENDON__PROTOCOL_3);
    cr_assert_str_eq(show(&world, "protocol"), "3");
    close_world(&world);
}

Test(config, keeps_bytes_where_they_may_be)
{
    struct world world;
    struct tendon__memory *memory = &world.counting.memory;
    open_world(&world);
    cr_assert_eq(
        tendon__options_set(&world.options, memory, BYTES("password"), BYTES("a\0b"), &world.fault),
        TENDON_OK);
    cr_assert_eq(world.options.password_size, 3);
    cr_assert_eq(memcmp(world.options.password, "a\0b", 4), 0);
    cr_assert_str_eq(show(&world, "password"), "***");
    cr_assert_eq(set(&world, "tls_key_pem", "geheim"), TENDON_OK);
    cr_assert_str_eq(show(&world, "tls_key_pem"), "***");
    cr_assert_eq(
        tendon__options_set(&world.options, memory, BYTES("host"), BYTES("a\0b"), &world.fault),
        TENDON_ERROR_CONFIG);
    cr_assert_str_eq(world.fault.text, "option 'host' wants text without NUL bytes");
    cr_assert_eq(tendon__options_set(&world.options, memory, BYTES("password"), (tendon_bytes){0},
                                     &world.fault),
                 TENDON_OK);
    cr_assert_eq(world.options.password_size, 0);
    char *large = calloc(1, TENDON__OPTION_TEXT_MAX + 1);
    memset(large, 's', TENDON__OPTION_TEXT_MAX + 1);
    tendon_bytes too_large = {large, TENDON__OPTION_TEXT_MAX + 1};
    cr_assert_eq(
        tendon__options_set(&world.options, memory, BYTES("password"), too_large, &world.fault),
        TENDON_ERROR_CONFIG);
    cr_assert_null(strstr(world.fault.text, "sss"));
    too_large.size--;
    cr_assert_eq(
        tendon__options_set(&world.options, memory, BYTES("tls_ca_pem"), too_large, &world.fault),
        TENDON_OK);
    free(large);
    close_world(&world);
}

Test(config, finds_contradictions)
{
    static const char *const cases[][5] = {
        {"mode", "cluster", "db", "1", "'db'"},
        {"unix_socket", "/s", "tls", "yes", "'unix_socket'"},
        {"tls_cert_file", "c", NULL, NULL, "'tls_key_file'"},
        {"tls_key_file", "c", NULL, NULL, "'tls_cert_file'"},
        {"tls_cert_pem", "c", NULL, NULL, "'tls_cert_pem' is set without 'tls_key_file' or"},
        {"tls_key_pem", "k", NULL, NULL, "'tls_key_pem' is set without 'tls_cert_file' or"},
        {"tls_cert_file", "c", "tls_cert_pem", "c", "'tls_cert_file' and 'tls_cert_pem' exclude"},
        {"tls_key_file", "k", "tls_key_pem", "k", "'tls_key_file' and 'tls_key_pem' exclude"},
        {"pool_min_idle", "9", "pool_max", "8", "'pool_min_idle'"},
        {"lanes", "3", "pool_max", "2", "'lanes'"},
        {"retry_backoff_min_ms", "600", NULL, NULL, "'retry_backoff_max_ms'"},
        {"reconnect_backoff_max_ms", "1", NULL, NULL, "'reconnect_backoff_min_ms'"},
        {"client_name", "a b", NULL, NULL, "'client_name'"},
        {"host", "", NULL, NULL, "'host'"},
        {"host", "a b", NULL, NULL, "'host'"},
        {"endpoints", "a:1,b:x", NULL, NULL, "endpoint 2"},
        {"cluster_address_map", "a:1=b:2,c:3", NULL, NULL, "pair 2 wants announced=reached"},
        {"cluster_address_map", "a:1=b", NULL, NULL, "pair 1 wants a port on either side"},
        {"cluster_address_map", "a:1=b:0", NULL, NULL, "pair 1 wants a port"},
        {"cluster_address_map", ",", NULL, NULL, "pair 1"},
        /* Allowed: */
        {"username", "u", NULL, NULL, NULL},
        {"lanes", "2", "pool_max", "2", NULL},
        {"tls_cert_file", "c", "tls_key_file", "k", NULL},
        {"tls_cert_pem", "c", "tls_key_pem", "k", NULL},
        {"tls_cert_pem", "c", "tls_key_file", "k", NULL},
        {"tls_cert_file", "c", "tls_key_pem", "k", NULL},
        {"unix_socket", "/s", "host", "", NULL},
        {"endpoints", "a, [::1]:2", NULL, NULL, NULL},
        {"cluster_address_map", "a:1=b:2,[::1]:3=[fe80::1]:4", NULL, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world world;
        open_world(&world);
        cr_assert_eq(set(&world, cases[i][0], cases[i][1]), TENDON_OK);
        if (cases[i][2])
            cr_assert_eq(set(&world, cases[i][2], cases[i][3]), TENDON_OK);
        tendon_status status = tendon__options_check(&world.options, &world.fault);
        cr_assert_eq(status, cases[i][4] ? TENDON_ERROR_CONFIG : TENDON_OK, "%s", cases[i][0]);
        if (cases[i][4])
            cr_assert_not_null(strstr(world.fault.text, cases[i][4]), "%s", world.fault.text);
        close_world(&world);
    }
}

Test(config, survives_every_failing_allocation)
{
    struct world world;
    struct tendon__options copy;
    open_world(&world);
    set(&world, "host", "h");
    set(&world, "password", "secret");
    set(&world, "tls_ca_pem", "pem");
    set(&world, "endpoints", "a:1,b:2");
    for (long nth = 1; nth <= 5; nth++) {
        world.counting.requests = 0;
        world.counting.refuse_from = nth;
        tendon_status status = tendon__options_copy(&copy, &world.options, &world.counting.memory);
        cr_assert_eq(status, nth <= 4 ? TENDON_ERROR_NO_MEMORY : TENDON_OK);
        cr_assert_str_eq(copy.host, nth <= 4 ? "localhost" : "h");
        tendon__options_free(&copy, &world.counting.memory);
        cr_assert_eq(world.counting.blocks, 4);
    }
    world.counting.refuse_from = 1;
    cr_assert_eq(set(&world, "host", "other"), TENDON_ERROR_NO_MEMORY);
    cr_assert_str_eq(world.options.host, "h");
    cr_assert_eq(world.fault.status, TENDON_ERROR_NO_MEMORY);
    world.counting.refuse_from = 0;
    close_world(&world);
}

/* Remembers what a freed block held. */
static char last_freed[8];

static void *spying_resize(struct tendon__memory *memory, void *old, size_t size)
{
    (void)memory;
    if (size == 0 && old)
        memcpy(last_freed, old, 7);
    if (size)
        return realloc(old, size < 8 ? 8 : size);
    free(old);
    return NULL;
}

Test(config, wipes_secrets)
{
    struct tendon__memory memory = {.resize = spying_resize};
    struct tendon__options options;
    tendon__options_init(&options);
    cr_assert_eq(tendon__options_set(&options, &memory, BYTES("password"), BYTES("hunter2"), NULL),
                 TENDON_OK);
    strcpy(last_freed, "before");
    cr_assert_eq(tendon__options_set(&options, &memory, BYTES("password"), BYTES("hunter3"), NULL),
                 TENDON_OK);
    cr_assert_eq(memcmp(last_freed, "\0\0\0\0\0\0\0", 7), 0);
    strcpy(last_freed, "before");
    tendon__options_free(&options, &memory);
    cr_assert_eq(memcmp(last_freed, "\0\0\0\0\0\0\0", 7), 0);
}

Test(config, parses_endpoints)
{
    static const struct {
        const char *text;
        uint32_t count; /* 0: refused */
        const char *host;
        uint16_t port; /* of the last */
    } cases[] = {{"h", 1, "h", 7000},
                 {"h:1", 1, "h", 1},
                 {"a:1,b:2", 2, "b", 2},
                 {"[::1]:9", 1, "::1", 9},
                 {"[::1]", 1, "::1", 7000},
                 {" a:1 , b ", 2, "b", 7000},
                 {"[fe80::1%eth0]:2", 1, "fe80::1%eth0", 2},
                 {"h:65535", 1, "h", 65535},
                 {"", 0, "", 0},
                 {",", 0, "", 0},
                 {"a,", 0, "", 0},
                 {"a,,b", 0, "", 0},
                 {"::1", 0, "", 0},
                 {"a:1:2", 0, "", 0},
                 {"a:", 0, "", 0},
                 {"a:0", 0, "", 0},
                 {"a:65536", 0, "", 0},
                 {"a:-1", 0, "", 0},
                 {"a:1x", 0, "", 0},
                 {"[::1", 0, "", 0},
                 {"[]:1", 0, "", 0},
                 {"[::1]x", 0, "", 0},
                 {":1", 0, "", 0},
                 {"a b", 0, "", 0},
                 {"a@b", 0, "", 0},
                 {"a/b", 0, "", 0}};
    struct tendon__endpoint out[TENDON__ENDPOINTS_MAX];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t count = 0;
        size_t size = strlen(cases[i].text);
        tendon_status status =
            tendon__endpoints_parse(cases[i].text, size, 7000, out, &count, NULL);
        cr_assert_eq(status, cases[i].count ? TENDON_OK : TENDON_ERROR_CONFIG, "%s", cases[i].text);
        cr_assert_eq(count, cases[i].count);
        if (count) {
            cr_assert_str_eq(out[count - 1].host, cases[i].host);
            cr_assert_eq(out[count - 1].port, cases[i].port);
        }
    }
    char many[2 * TENDON__ENDPOINTS_MAX + 2] = "";
    for (int i = 0; i < TENDON__ENDPOINTS_MAX; i++)
        strcat(many, i ? ",h" : "h");
    uint32_t count = 0;
    cr_assert_eq(tendon__endpoints_parse(many, strlen(many), 1, out, &count, NULL), TENDON_OK);
    cr_assert_eq(count, TENDON__ENDPOINTS_MAX);
    strcat(many, ",h");
    cr_assert_eq(tendon__endpoints_parse(many, strlen(many), 1, out, &count, NULL),
                 TENDON_ERROR_CONFIG);
}

Test(config, is_reached_through_the_abi)
{
    tendon_config *config = NULL;
    tendon_error *error = NULL;
    const char *value = NULL;
    cr_assert_eq(tendon_config_create(NULL), TENDON_ERROR_ARGUMENT);
    cr_assert_eq(tendon_config_create(&config), TENDON_OK);
    cr_assert_eq(tendon_config_set(config, "pool_max", "64", NULL), TENDON_OK);
    cr_assert_eq(tendon_config_get(config, "pool_max", &value), TENDON_OK);
    cr_assert_str_eq(value, "64");
    cr_assert_eq(tendon_config_get(config, "nothing", &value), TENDON_ERROR_CONFIG);
    cr_assert_eq(tendon_config_set(config, "pool_max", "0", &error), TENDON_ERROR_CONFIG);
    tendon_error_view view = {.struct_size = sizeof view};
    cr_assert_eq(tendon_error_look(error, &view), TENDON_OK);
    cr_assert_eq(view.error_class, TENDON_CLASS_CONFIG);
    cr_assert_eq(view.executed, TENDON_EXECUTED_NO);
    cr_assert_str_eq(view.message, "option 'pool_max' wants an integer from 1 to 65000, got '0'");
    tendon_error_destroy(error);
    cr_assert_eq(tendon_config_set(NULL, "a", "b", &error), TENDON_ERROR_ARGUMENT);
    tendon_error_destroy(error);
    cr_assert_eq(tendon_config_set(config, "port", NULL, &error), TENDON_ERROR_ARGUMENT);
    tendon_error_destroy(error);
    cr_assert_eq(tendon_config_set(config, NULL, "b", NULL), TENDON_ERROR_ARGUMENT);
    cr_assert_eq(tendon_config_set_bytes(config, "host", (tendon_bytes){NULL, 3}, NULL),
                 TENDON_ERROR_ARGUMENT);
    cr_assert_eq(tendon_config_get(config, "host", NULL), TENDON_ERROR_ARGUMENT);
    tendon_config_destroy(config);
    tendon_config_destroy(NULL);
}

Test(config, maps_addresses)
{
    static const char map[] = "10.0.0.1:7000=a:1,[::1]:7000=b:2,10.0.0.1:7001=c:3,a:1=d:4";
    static const struct {
        const char *host;
        uint16_t port;
        const char *reached;
        uint16_t reached_port;
    } cases[] = {
        {"10.0.0.1", 7000, "a", 1},       {"::1", 7000, "b", 2}, {"10.0.0.1", 7001, "c", 3},
        {"10.0.0.1", 70, "10.0.0.1", 70}, {"a", 1, "d", 4},      {"b", 7000, "b", 7000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char host[TENDON__ENDPOINT_HOST_MAX + 1];
        uint16_t port = cases[i].port;
        snprintf(host, sizeof host, "%s", cases[i].host);
        tendon__address_map_apply(map, host, &port);
        cr_assert_str_eq(host, cases[i].reached);
        cr_assert_eq(port, cases[i].reached_port);
        tendon__address_map_apply("", host, &port);
        cr_assert_str_eq(host, cases[i].reached);
    }
}
