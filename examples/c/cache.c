/*
 * The article's cache in C: users are kept in Redis for an hour, many are stored in one round trip,
 * and when the server is gone the application goes on with its database alone, slower.
 *
 *     cache URL [visits]
 *
 * Any option may follow in the URL: `?command_timeout_ms=200`. `visits` is how many more users are
 * asked for at the end, one every 50 ms: time to stop the server and watch.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <tendon/tendon.h>

enum { USER_BYTES = 128, KEY_BYTES = 32, BATCH = 100 };

/* Prints why something failed, and frees the error. The text names cause and remedy. */
static void report(const char *what, tendon_error *error)
{
    tendon_error_view view = {.struct_size = sizeof view};
    if (tendon_error_look(error, &view) == TENDON_OK)
        fprintf(stderr, "%s: %s\n", what, view.message);
    tendon_error_destroy(error);
}

/* One client serves the whole application and all its threads: it holds the pool. */
static tendon_client *connect_cache(const char *url)
{
    /* The application has better things to do than to wait for a cache. */
    static const char *const defaults[][2] = {{"pool_max", "50"},
                                              {"connect_timeout_ms", "2000"},
                                              {"command_timeout_ms", "500"},
                                              {"client_name", "cache-example"}};
    tendon_config *config = NULL;
    tendon_client *client = NULL;
    tendon_error *error = NULL;
    tendon_status status = tendon_config_create(&config);
    for (size_t i = 0; status == TENDON_OK && i < sizeof defaults / sizeof *defaults; i++)
        status = tendon_config_set(config, defaults[i][0], defaults[i][1], &error);
    if (status == TENDON_OK)
        status = tendon_config_set_url(config, url, &error);
    if (status == TENDON_OK)
        status = tendon_client_create(config, &client, &error);
    if (status != TENDON_OK)
        report("configuration", error);
    tendon_config_destroy(config);
    return client;
}

static tendon_bytes text(const char *words)
{
    return (tendon_bytes){words, strlen(words)};
}

/* Stores a user for an hour. An unreachable cache is no failure of the application. */
static void cache_user(tendon_client *cache, const char *key, const char *user)
{
    tendon_bytes args[] = {text("SETEX"), text(key), text("3600"), text(user)};
    tendon_request request = {.struct_size = sizeof request, .args = args, .arg_count = 4};
    tendon_reply *reply = NULL;
    tendon_error *error = NULL;
    if (tendon_call(cache, &request, &reply, &error) != TENDON_OK)
        report("cache, writing", error);
    tendon_reply_destroy(reply);
}

/* Copies a cached user into `out`. False when there is none, or no cache. */
static bool get_cached_user(tendon_client *cache, const char *key, char *out, size_t size)
{
    tendon_bytes args[] = {text("GET"), text(key)};
    tendon_request request = {.struct_size = sizeof request, .args = args, .arg_count = 2};
    tendon_reply *reply = NULL;
    tendon_error *error = NULL;
    if (tendon_call(cache, &request, &reply, &error) != TENDON_OK) {
        report("cache, reading", error);
        return false;
    }
    tendon_reply_view view = {.struct_size = sizeof view};
    bool found =
        tendon_reply_look(reply, &view) == TENDON_OK && view.nodes[0].type == TENDON_NODE_STRING;
    if (found)
        snprintf(out, size, "%.*s", (int)view.nodes[0].size,
                 (const char *)view.data + view.nodes[0].value.offset);
    tendon_reply_destroy(reply);
    return found;
}

/* A database that takes its time. */
static void fetch_from_database(int id, char *out, size_t size)
{
    const struct timespec slow = {0, 5000000};
    nanosleep(&slow, NULL);
    snprintf(out, size, "{\"id\": %d, \"name\": \"User %d\"}", id, id);
}

/* Cache-aside: the cache first, then the database, whose answer is cached for the next time. */
static bool get_user(tendon_client *cache, int id, char *out, size_t size)
{
    char key[KEY_BYTES];
    snprintf(key, sizeof key, "c-example:user:%d", id);
    if (get_cached_user(cache, key, out, size))
        return true;
    fetch_from_database(id, out, size);
    cache_user(cache, key, out);
    return false;
}

/* Stores many users in one round trip; in a cluster, in one per node and side by side. */
static size_t cache_many(tendon_client *cache, int first)
{
    static char keys[BATCH][KEY_BYTES], users[BATCH][USER_BYTES];
    static tendon_bytes args[BATCH][4];
    tendon_request requests[BATCH];
    tendon_outcome outcomes[BATCH];
    for (int i = 0; i < BATCH; i++) {
        snprintf(keys[i], sizeof keys[i], "c-example:user:%d", first + i);
        snprintf(users[i], sizeof users[i], "{\"id\": %d, \"name\": \"User %d\"}", first + i,
                 first + i);
        args[i][0] = text("SETEX");
        args[i][1] = text(keys[i]);
        args[i][2] = text("3600");
        args[i][3] = text(users[i]);
        requests[i] =
            (tendon_request){.struct_size = sizeof *requests, .args = args[i], .arg_count = 4};
    }
    if (tendon_call_batch(cache, requests, sizeof *requests, BATCH, outcomes) != TENDON_OK)
        return 0;
    size_t stored = 0;
    for (int i = 0; i < BATCH; i++) { /* each has an outcome of its own */
        if (outcomes[i].error)
            report("pipeline", outcomes[i].error);
        stored += outcomes[i].reply != NULL;
        tendon_reply_destroy(outcomes[i].reply);
    }
    return stored;
}

static void visit(tendon_client *cache, int visits)
{
    const struct timespec pause = {0, 50000000};
    char user[USER_BYTES];
    int cached = 0;
    for (int i = 0; i < visits; i++) {
        cached += get_user(cache, 1000 + i % 10, user, sizeof user);
        printf("visit %d: %s\n", i + 1, user);
        fflush(stdout);
        nanosleep(&pause, NULL);
    }
    printf("%d visits answered, %d from the cache, %d from the database\n", visits, cached,
           visits - cached);
}

static void show_statistics(tendon_client *cache)
{
    tendon_stats stats = {.struct_size = sizeof stats};
    if (tendon_client_stats(cache, &stats) == TENDON_OK)
        printf("%" PRIu64 " commands over %u connections to %u nodes\n", stats.requests, stats.open,
               stats.nodes);
}

int main(int count, char **words)
{
    if (count < 2) {
        fprintf(stderr, "usage: %s redis://host:port | rediss://host | unix://path [visits]\n",
                words[0]);
        return 2;
    }
    char user[USER_BYTES];
    tendon_client *cache = connect_cache(words[1]);
    if (!cache)
        return 1;
    bool again = get_user(cache, 42, user, sizeof user),
         cached = get_user(cache, 42, user, sizeof user);
    printf("user 42 is %s\n", user);
    printf("first from the %s, then from the %s\n", again ? "cache" : "database",
           cached ? "cache" : "database");
    size_t stored = cache_many(cache, 1000);
    printf("%zu of %d users stored in one batch\n", stored, BATCH);
    if (count > 2)
        visit(cache, atoi(words[2]));
    show_statistics(cache);
    tendon_client_destroy(cache);
    return cached && stored == BATCH ? 0 : 1;
}
