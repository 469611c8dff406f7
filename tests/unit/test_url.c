/* URLs: what they set, what is refused, that no message holds a password, and every failing
 * allocation. */
#include <criterion/criterion.h>
#include <string.h>

#include "client/url.h"
#include "counting_memory.h"

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

static tendon_status set_url(struct world *world, const char *url)
{
    return tendon__options_set_url(&world->options, &world->counting.memory, url, &world->fault);
}

struct good {
    const char *url, *host;
    int64_t port;
    const char *endpoints, *username, *password;
    int64_t db;
    bool tls;
    const char *unix_socket;
};

static const struct good goods[] = {
    {"redis://h", "h", 6379, "", "", "", 0, false, ""},
    {"redis://h:7000", "h", 7000, "", "", "", 0, false, ""},
    {"REDIS://h:7000/3", "h", 7000, "", "", "", 3, false, ""},
    {"rediss://h/", "h", 6379, "", "", "", 0, true, ""},
    {"valkey://h", "h", 6379, "", "", "", 0, false, ""},
    {"valkeys://h", "h", 6379, "", "", "", 0, true, ""},
    {"redis://:pw@h", "h", 6379, "", "", "pw", 0, false, ""},
    {"redis://user:pw@h", "h", 6379, "", "user", "pw", 0, false, ""},
    {"redis://user@h", "h", 6379, "", "user", "", 0, false, ""},
    {"redis://user:@h", "h", 6379, "", "user", "", 0, false, ""},
    {"redis://@h", "h", 6379, "", "", "", 0, false, ""},
    {"redis://u%40x:p%3A%2F%25@h", "h", 6379, "", "u@x", "p:/%", 0, false, ""},
    {"redis://:%2541@h", "h", 6379, "", "", "%41", 0, false, ""},
    {"redis://:a@b:c@h", "h", 6379, "", "", "a@b:c", 0, false, ""},
    {"redis://:p+w@h", "h", 6379, "", "", "p+w", 0, false, ""},
    {"redis://[::1]", "::1", 6379, "", "", "", 0, false, ""},
    {"redis://:pw@[fe80::1%eth0]:7/2", "fe80::1%eth0", 7, "", "", "pw", 2, false, ""},
    {"redis:///5", "localhost", 6379, "", "", "", 5, false, ""},
    {"redis://", "localhost", 6379, "", "", "", 0, false, ""},
    {"redis://:pw@/1", "localhost", 6379, "", "", "pw", 1, false, ""},
    {"redis://a:1,b:2", "localhost", 6379, "a:1,b:2", "", "", 0, false, ""},
    {"rediss://u:p@a:1,[::1]:2,c/0", "localhost", 6379, "a:1,[::1]:2,c", "u", "p", 0, true, ""},
    {"redis://h?db=4", "h", 6379, "", "", "", 4, false, ""},
    {"redis://h/1?db=4&", "h", 6379, "", "", "", 4, false, ""},
    {"redis://h/?password=a%26b&username=u", "h", 6379, "", "u", "a&b", 0, false, ""},
    {"redis://h?tls=yes", "h", 6379, "", "", "", 0, true, ""},
    {"redis://h?client_name=a@b", "h", 6379, "", "", "", 0, false, ""},
    {"unix:///run/redis.sock", "localhost", 6379, "", "", "", 0, false, "/run/redis.sock"},
    {"unix://u:p@/run/my%20redis?db=2", "localhost", 6379, "", "u", "p", 2, false, "/run/my redis"},
};

Test(url, sets_what_it_says)
{
    for (size_t i = 0; i < sizeof goods / sizeof goods[0]; i++) {
        const struct good *good = &goods[i];
        struct world world;
        open_world(&world);
        cr_assert_eq(set_url(&world, good->url), TENDON_OK, "%s: %s", good->url, world.fault.text);
        cr_assert_str_eq(world.options.host, good->host, "%s", good->url);
        cr_assert_eq(world.options.port, good->port, "%s", good->url);
        cr_assert_str_eq(world.options.endpoints, good->endpoints);
        cr_assert_str_eq(world.options.username, good->username, "%s", good->url);
        cr_assert_str_eq(world.options.password, good->password, "%s", good->url);
        cr_assert_eq(world.options.password_size, strlen(good->password));
        cr_assert_eq(world.options.db, good->db, "%s", good->url);
        cr_assert_eq(world.options.tls, good->tls);
        cr_assert_str_eq(world.options.unix_socket, good->unix_socket);
        close_world(&world);
    }
}

Test(url, replaces_what_was_dialled_before_and_keeps_the_rest)
{
    struct world world;
    open_world(&world);
    cr_assert_eq(set_url(&world, "rediss://u:p@a:1,b:2?pool_max=9"), TENDON_OK);
    cr_assert_eq(set_url(&world, "redis://c:3"), TENDON_OK);
    cr_assert_str_eq(world.options.endpoints, "");
    cr_assert_str_eq(world.options.host, "c");
    cr_assert(world.options.port == 3 && world.options.pool_max == 9);
    cr_assert_str_eq(world.options.password, "p");
    cr_assert(world.options.tls, "redis:// must not take TLS away");
    cr_assert_eq(set_url(&world, "unix:///s"), TENDON_OK);
    cr_assert_eq(set_url(&world, "redis://h"), TENDON_OK);
    cr_assert_str_eq(world.options.unix_socket, "");
    cr_assert_eq(set_url(&world, "redis://:a%00b@h"), TENDON_OK);
    cr_assert_eq(world.options.password_size, 3);
    close_world(&world);
}

/* SECRET stands where a password is, or may be, and may not occur in the message. */
static const struct {
    const char *url, *text;
} bads[] = {
    {"", "no scheme"},
    {"localhost:6379", "no scheme"},
    {"user:SECRET@h", "no scheme"},
    {"http://u:SECRET@h", "unknown scheme"},
    {"://h", "unknown scheme"},
    {"redis://h:x/0", "port from 1 to 65535"},
    {"redis://h:0", "port from 1 to 65535"},
    {"redis://h:65536", "port from 1 to 65535"},
    {"redis://u:SECRET@h:x", "(in redis://***)"},
    {"redis://u:SECRET@h/x", "(in redis://***@h/x)"},
    {"redis://u:SECRET@h/-1", "'db' wants an integer"},
    {"redis://u:SECRET@h/0/1", "'db' wants an integer"},
    {"redis://u:SECRET@h/1x", "'db' wants an integer"},
    {"redis://u:SECRET%2@h", "bad percent escape in the value of 'password'"},
    {"redis://u:SECRET%zz@h", "bad percent escape"},
    {"redis://u%:SECRET@h", "bad percent escape in the value of 'username'"},
    {"redis://u%00:SECRET@h", "NUL"},
    {"redis://u:SEC/SECRET@h", "write / as %2F"},
    {"redis://u:SEC?SECRET@h", "write / as %2F"},
    {"redis://u:SEC#SECRET@h", "write / as %2F"},
    {"redis://:123/SECRET@h", "write / as %2F"},
    {"redis://:123?SECRET=1@h", "write / as %2F"},
    {"redis://:SECRET", "(in redis://***)"},
    {"redis://u:SECRET", "(in redis://***)"},
    {"redis://u:SECRET/0", "(in redis://***)"},
    {"redis://:p@h?password=SECRET&pool_max=x", "?password=***&pool_max=x)"},
    {"redis://:p@h?passwrod=SECRET",
     "unknown option 'passwrod'; did you mean 'password'? (in redis://***@h?***)"},
    {"redis://h?SECRET", "name=value"},
    {"redis://h?=SECRET", "name=value"},
    {"redis://h?pool_max=1&SECRET", "name=value"},
    {"redis://h?client_name=%4", "bad percent escape"},
    {"redis://h#frag", "unexpected '#'"},
    {"redis://h?db=1#x", "unexpected '#'"},
    {"redis://h ", "blank or control"},
    {"redis://h\n", "blank or control"},
    {"redis://h1,,h2", "endpoint 2"},
    {"redis://::1", "brackets"},
    {"redis://[::1", "closing bracket"},
    {"unix://", "absolute path"},
    {"unix:///", "absolute path"},
    {"unix://run/redis.sock", "absolute path"},
    {"unix:///a%00b", "NUL"},
};

Test(url, refuses_without_telling_secrets)
{
    for (size_t i = 0; i < sizeof bads / sizeof bads[0]; i++) {
        struct world world;
        open_world(&world);
        cr_assert_eq(set_url(&world, "redis://old:1/2?pool_max=9"), TENDON_OK);
        struct tendon__options before = world.options;
        cr_assert_eq(set_url(&world, bads[i].url), TENDON_ERROR_URL, "%s", bads[i].url);
        cr_assert_eq(world.fault.status, TENDON_ERROR_URL);
        cr_assert_not_null(strstr(world.fault.text, bads[i].text), "%s: %s", bads[i].url,
                           world.fault.text);
        cr_assert_null(strstr(world.fault.text, "SEC"), "%s: %s", bads[i].url, world.fault.text);
        cr_assert_eq(memcmp(&before, &world.options, sizeof before), 0);
        close_world(&world);
    }
}

Test(url, bounds_its_length)
{
    struct world world;
    open_world(&world);
    char *url = malloc(TENDON__URL_MAX + 2);
    memset(url, 'a', TENDON__URL_MAX + 1);
    memcpy(url, "redis://h?username=", 19);
    url[TENDON__URL_MAX] = '\0';
    cr_assert_eq(set_url(&world, url), TENDON_OK);
    url[TENDON__URL_MAX] = 'a';
    url[TENDON__URL_MAX + 1] = '\0';
    cr_assert_eq(set_url(&world, url), TENDON_ERROR_URL);
    cr_assert_not_null(strstr(world.fault.text, "65536"));
    free(url);
    close_world(&world);
}

Test(url, survives_every_failing_allocation)
{
    bool done = false;
    for (long nth = 1; !done; nth++) {
        struct world world;
        open_world(&world);
        cr_assert_eq(set_url(&world, "redis://:old@old:1"), TENDON_OK);
        struct tendon__options before = world.options;
        world.counting.requests = 0;
        world.counting.refuse_from = nth;
        tendon_status status = set_url(&world, "rediss://u:p@a:1,b:2/0?tls_ca_file=f");
        done = status == TENDON_OK;
        if (!done) {
            cr_assert_eq(status, TENDON_ERROR_NO_MEMORY);
            cr_assert_eq(world.fault.status, TENDON_ERROR_NO_MEMORY);
            cr_assert_eq(memcmp(&before, &world.options, sizeof before), 0);
        }
        cr_assert(done == (nth > 12) || nth < 20);
        close_world(&world);
    }
}
