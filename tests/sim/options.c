/* Which world it is: standalone or cluster, with which options, weather and callers. */
#include <stdio.h>
#include <string.h>

#include "client/options.h"
#include "sim.h"

static void set(struct sim *sim, const char *name, const char *value)
{
    struct tendon__fault fault;
    SIM_TRACE(sim, "option %s=%s", name, value);
    if (tendon__options_set(&sim->options, &sim->memory.memory, (tendon_bytes){name, strlen(name)},
                            (tendon_bytes){value, strlen(value)}, &fault) != TENDON_OK)
        sim_fail(sim, "option %s=%s: %s", name, value, fault.text);
}

static void set_one_of(struct sim *sim, const char *name, uint32_t percent, const char *values)
{
    char value[32];
    uint32_t count = 1;
    if (!sim_chance(sim, percent))
        return;
    for (const char *at = values; *at; at++)
        count += *at == ' ';
    for (uint32_t skip = sim_below(sim, count); skip; skip--)
        values = strchr(values, ' ') + 1;
    snprintf(value, sizeof value, "%.*s", (int)strcspn(values, " "), values);
    set(sim, name, value);
}

/* Each option of the table with some of its values, by chance. */
static void choose_values(struct sim *sim)
{
    static const struct {
        const char *name;
        uint32_t percent;
        const char *values;
    } rows[] = {
        {"command_timeout_ms", 100, "600 1000 1500 2500 3000 4000"},
        {"connect_timeout_ms", 50, "100 300 600 1500"},
        {"read_timeout_ms", 25, "100 300 800"},
        {"write_timeout_ms", 15, "100 400"},
        {"retry_on_timeout", 30, "yes"},
        {"retry_unsafe", 4, "yes"},
        {"max_retries", 50, "-1 0 1 3 10"},
        {"retry_strategy", 20, "linear constant none"},
        {"retry_jitter", 20, "no"},
        {"max_redirects", 30, "1 3 5 16"},
        {"reconnect_backoff_min_ms", 30, "5 20 200"},
        {"reconnect_backoff_max_ms", 30, "200 1000 2000"},
        {"lanes", 40, "2 3 4"},
        {"pool_max", 60, "1 2 3 5 8"},
        {"pool_min_idle", 20, "1 2"},
        {"pool_max_idle", 20, "0 1 3"},
        {"pool_wait_ms", 25, "0 50 500"},
        {"pool_max_waiting", 10, "1 3"},
        {"pool_test_on_borrow", 25, "yes"},
        {"pool_test_on_return", 25, "yes"},
        {"pool_test_while_idle", 15, "no"},
        {"health_check_interval_ms", 40, "100 700 3000"},
        {"pool_idle_timeout_ms", 30, "500 3000"},
        {"pool_lifetime_ms", 30, "400 3000 10000"},
        {"pool_jitter_percent", 20, "0 100"},
        {"dial_concurrency", 30, "1 2 8"},
        {"max_in_flight", 20, "1 2 8"},
        {"max_in_flight_bytes", 15, "1024 20000"},
        {"protocol", 20, "2 3"},
        {"tcp_user_timeout_ms", 20, "2000"},
        {"read_from", 50, "replica any replica"},
        {"cluster_refresh_interval_ms", 40, "0 500 5000"},
        {"cluster_refresh_min_gap_ms", 40, "10 100 400"},
        {"lib_name", 20, "other"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        set_one_of(sim, rows[i].name, rows[i].percent, rows[i].values);
    /* Contradictions are refused by options_check; the later word gives way. */
    if (sim->options.reconnect_backoff_min_ms > sim->options.reconnect_backoff_max_ms)
        set(sim, "reconnect_backoff_min_ms", "20");
    if (sim->options.lanes > sim->options.pool_max)
        set(sim, "lanes", "1");
    if (sim->options.pool_min_idle > sim->options.pool_max)
        set(sim, "pool_min_idle", "0");
}

static void make_standalone(struct sim *sim)
{
    uint8_t address = 0;
    sim->server_count = 1 + sim_below(sim, 3);
    for (uint32_t i = 0; i < sim->server_count; i++) {
        struct sim_server *server = &sim->servers[i];
        snprintf(server->host, sizeof server->host, "s%u", i);
        server->port = 6379;
        server->exists = true;
        server->primary = i ? 0 : SIM_NOBODY;
        server->epoch = 1;
        sim->truth.primary[i] = server->primary;
        sim->truth.member[i] = true;
    }
    sim->server_count = SIM_SERVERS;
    sim_name_add(sim, "primary", &address, 1);
    set(sim, "host", "primary");
    set_one_of(sim, "mode", 40, "standalone");
    set_one_of(sim, "db", 30, "1 2");
}

static void make_cluster(struct sim *sim)
{
    uint32_t primaries = 2 + sim_below(sim, 3);
    uint8_t addresses[] = {0, 1, 9, 8}; /* the last two are nobody's, at first */
    sim->one_host = sim_chance(sim, 15);
    sim_cluster_make(sim, primaries, sim_below(sim, 5));
    if (sim->one_host) {
        set(sim, "host", "c");
        set(sim, "port", "7000");
    } else {
        sim_name_add(sim, "cfg", addresses, 1 + sim_below(sim, 4));
        set(sim, "host", "cfg");
    }
    if (!sim->one_host && sim_chance(sim, 30))
        set(sim, "endpoints", "cfg,n0,n1");
    set_one_of(sim, "mode", 30, "cluster");
}

static void choose_weather(struct sim *sim)
{
    for (uint32_t i = 0; i < 32; i++)
        if (sim_chance(sim, 35))
            sim->weather |= 1u << i;
    sim->fault_gap_ns = (100 + sim_below(sim, 1200)) * SIM_MS;
    sim->latency_ns = (50 + sim_between(sim, 0, 3000)) * 1000;
    sim->lag_ns = sim_between(sim, 1, 400) * SIM_MS;
    sim->wake_late_ns = sim_chance(sim, 50) ? 0 : sim_below(sim, 1000000);
    sim->partial_percent = sim_chance(sim, 30) ? 1 + sim_below(sim, 30) : 0;
    sim->drip_percent = sim_chance(sim, 25) ? 1 + sim_below(sim, 60) : 0;
    sim->push_percent = sim_chance(sim, 20) ? 5 : 0;
    sim->close_on_readonly = sim_chance(sim, 50);
}

static void choose_callers(struct sim *sim)
{
    sim->caller_count = 2 + sim_below(sim, SIM_CALLERS - 1);
    sim->calls_left = 100 + sim_below(sim, 400);
    for (uint32_t i = 0; i < sim->caller_count; i++) {
        sim->callers[i].habit = (enum sim_habit)sim_below(sim, SIM_HABITS);
        sim->callers[i].think_ns = sim_between(sim, 1, 300) * SIM_MS;
        if (sim->callers[i].habit == SIM_HABIT_BURST)
            sim->callers[i].think_ns += 200 * SIM_MS;
    }
}

/* In most worlds everybody has room, so that what was subscribed must come back. */
static void choose_listeners(struct sim *sim)
{
    if (!sim_chance(sim, 40))
        return;
    sim->listener_count = 1 + sim_below(sim, SIM_LISTENERS);
    sim->crowded = sim_chance(sim, 25);
    if (!sim->crowded && sim->options.pool_max < 20)
        set(sim, "pool_max", "20");
    set_one_of(sim, "subscription_buffer_bytes", 50, "1024 3000");
}

void sim_choose_options(struct sim *sim)
{
    struct tendon__fault fault;
    bool password = sim_chance(sim, 30);
    bool old = sim_chance(sim, 8);
    tendon__options_init(&sim->options);
    choose_values(sim);
    if (sim_chance(sim, 65))
        make_cluster(sim);
    else
        make_standalone(sim);
    for (uint32_t i = 0; i < SIM_SERVERS; i++) {
        struct sim_server *server = &sim->servers[i];
        server->max_clients = UINT32_MAX;
        server->no_hello = old;
        if (password)
            memcpy(server->password, "secret", 7);
    }
    if (password)
        set(sim, "password", "secret");
    if (sim_chance(sim, 4))
        set(sim, "reconnect", "host");
    if (tendon__options_check(&sim->options, &fault) != TENDON_OK)
        sim_fail(sim, "the options contradict each other: %s", fault.text);
    choose_listeners(sim);
    sim->by_queue = sim_chance(sim, 50);
    sim->seed_is_gone = sim_chance(sim, 20);
    choose_weather(sim);
    choose_callers(sim);
}
