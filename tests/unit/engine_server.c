/* The fake servers of the engine's small world: sessions, slots, transactions, and rules that
 * override an answer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/command.h"
#include "engine_world.h"

void world_bytes_add(struct world_bytes *bytes, const void *data, size_t size)
{
    if (bytes->size + size > bytes->room) {
        bytes->room = (bytes->size + size) * 2;
        bytes->data = realloc(bytes->data, bytes->room);
        if (!bytes->data)
            abort();
    }
    if (size)
        memcpy(bytes->data + bytes->size, data, size);
    bytes->size += size;
}

void world_bytes_cut(struct world_bytes *bytes, size_t size)
{
    bytes->size -= size;
    if (bytes->size)
        memmove(bytes->data, bytes->data + size, bytes->size);
}

void world_bytes_free(struct world_bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct world_bytes){0};
}

void world_wire_free(struct world_wire *wire)
{
    world_bytes_free(&wire->in);
    world_bytes_free(&wire->out);
    world_bytes_free(&wire->held);
    for (uint32_t i = 0; i < WORLD_QUEUED; i++)
        world_bytes_free(&wire->queued[i]);
    tendon__list_remove(&wire->link);
    free(wire);
}

static void say(struct world_wire *wire, const char *text)
{
    world_bytes_add(wire->holding ? &wire->held : &wire->out, text, strlen(text));
}

static bool read_length(const char **at, const char *end, char mark, size_t *out)
{
    const char *line_end = *at < end ? memchr(*at, '\n', (size_t)(end - *at)) : NULL;
    if (!line_end)
        return false;
    if (**at != mark)
        abort(); /* the engine wrote something that is not a command */
    *out = strtoul(*at + 1, NULL, 10);
    *at = line_end + 1;
    return true;
}

/* Bytes of the first command in `bytes`, 0 when it is not complete. */
static size_t parse(const struct world_bytes *bytes, struct world_args *args)
{
    const char *at = bytes->data;
    const char *end = bytes->data + bytes->size;
    size_t count;
    args->count = 0;
    if (!bytes->size || !read_length(&at, end, '*', &count))
        return 0;
    for (size_t i = 0; i < count; i++) {
        size_t size;
        if (!read_length(&at, end, '$', &size) || (size_t)(end - at) < size + 2)
            return 0;
        if (args->count < WORLD_ARGS)
            args->list[args->count++] = (tendon_bytes){at, size};
        at += size + 2;
    }
    return (size_t)(at - bytes->data);
}

static bool is(const struct world_args *args, const char *word)
{
    return args->count && tendon__word_is(args->list[0], word);
}

/* The entry of a key, or the free one where it belongs. */
static struct world_key *find_key(const struct world *world, const char *key, size_t size)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (uint8_t)key[i]) * 16777619u;
    for (uint32_t i = 0; i < WORLD_KEYS; i++) {
        struct world_key *slot = &world->keys[(hash + i) % WORLD_KEYS];
        if (!slot->key[0] || (strlen(slot->key) == size && !memcmp(slot->key, key, size)))
            return slot;
    }
    abort();
}

static void count_execution(struct world *world, tendon_bytes key)
{
    size_t size = key.size < WORLD_KEY_MAX ? key.size : WORLD_KEY_MAX;
    struct world_key *slot = find_key(world, key.data, size);
    memcpy(slot->key, key.data, size);
    slot->executed++;
}

uint32_t world_executed(const struct world *world, const char *key)
{
    return find_key(world, key, strlen(key))->executed;
}

/* GET tells its key, INCR the number in its key: a reply that reached another request is seen. */
static void answer_execution(struct world_wire *wire, const struct world_args *args,
                             struct world_bytes *out)
{
    char text[WORLD_SHOWN];
    tendon_bytes key = args->count > 1 ? args->list[1] : (tendon_bytes){"", 0};
    if (args->count > 1)
        count_execution(wire->world, key);
    if (is(args, "GET") || is(args, "BLPOP")) {
        snprintf(text, sizeof text, "$%zu\r\nv:%.*s\r\n", key.size + 2, (int)key.size,
                 (const char *)key.data);
    } else if (is(args, "INCR")) {
        size_t at = key.size;
        while (at && ((const char *)key.data)[at - 1] >= '0' &&
               ((const char *)key.data)[at - 1] <= '9')
            at--;
        snprintf(text, sizeof text, ":%ld\r\n",
                 key.size > at ? strtol((const char *)key.data + at, NULL, 10) : 1L);
    } else {
        snprintf(text, sizeof text, is(args, "PING") ? "+PONG\r\n" : "+OK\r\n");
    }
    world_bytes_add(out, text, strlen(text));
}

static void say_hello(struct world_wire *wire, const struct world_args *args)
{
    struct world_server *server = &wire->world->servers[wire->server];
    char text[256];
    if (server->no_hello) {
        say(wire, "-ERR unknown command 'HELLO', with args beginning with: '3' \r\n");
        return;
    }
    for (uint32_t i = 2; server->password && i + 2 < args->count; i++)
        if (tendon__word_is(args->list[i], "AUTH"))
            wire->authenticated =
                args->list[i + 2].size == strlen(server->password) &&
                !memcmp(args->list[i + 2].data, server->password, args->list[i + 2].size);
    if (server->password && !wire->authenticated) {
        say(wire, args->count > 2
                      ? "-WRONGPASS invalid username-password pair or user is disabled.\r\n"
                      : "-NOAUTH HELLO must be called with the client already authenticated\r\n");
        return;
    }
    wire->resp3 = args->count > 1 && tendon__word_is(args->list[1], "3");
    snprintf(text, sizeof text,
             "%s\r\n+server\r\n+redis\r\n+version\r\n+7.0.15\r\n+proto\r\n:%d\r\n+mode\r\n+%s\r\n+"
             "role\r\n+%s\r\n",
             wire->resp3 ? "%5" : "*10", wire->resp3 ? 3 : 2,
             wire->world->cluster ? "cluster" : "standalone",
             server->replica_of < 0 ? "master" : "replica");
    say(wire, text);
}

static void add_node(const struct world_server *server, char *text, size_t room)
{
    size_t used = strlen(text);
    snprintf(text + used, room - used, "*2\r\n$%zu\r\n%s\r\n:%u\r\n", strlen(server->host),
             server->host, server->port);
}

static void add_range(const struct world *world, uint32_t first, uint32_t last,
                      struct world_bytes *out)
{
    char text[1024];
    uint32_t owner = world->owner[first];
    uint32_t replicas = 0;
    for (uint32_t i = 0; i < world->server_count; i++)
        replicas += world->servers[i].replica_of == (int)owner;
    snprintf(text, sizeof text, "*%u\r\n:%u\r\n:%u\r\n", 3 + replicas, first, last);
    add_node(&world->servers[owner], text, sizeof text);
    for (uint32_t i = 0; i < world->server_count; i++)
        if (world->servers[i].replica_of == (int)owner)
            add_node(&world->servers[i], text, sizeof text);
    world_bytes_add(out, text, strlen(text));
}

static void say_slots(struct world_wire *wire)
{
    struct world *world = wire->world;
    struct world_bytes body = {0};
    char head[32];
    uint32_t ranges = 0;
    if (!world->cluster) {
        say(wire, "-ERR This instance has cluster support disabled\r\n");
        return;
    }
    for (uint32_t first = 0, next; first < TENDON__SLOT_COUNT; first = next) {
        for (next = first + 1;
             next < TENDON__SLOT_COUNT && world->owner[next] == world->owner[first];)
            next++;
        if (world->owner[first] == WORLD_EXTERNAL)
            continue;
        add_range(world, first, next - 1, &body);
        ranges++;
    }
    snprintf(head, sizeof head, "*%u\r\n", ranges);
    say(wire, head);
    world_bytes_add(wire->holding ? &wire->held : &wire->out, body.data, body.size);
    world_bytes_free(&body);
    world->slots_asked++;
}

/* False when this server does not serve the key; the redirect has been said. */
static bool owns(struct world_wire *wire, const struct world_args *args, bool asking)
{
    struct world *world = wire->world;
    struct tendon__command command;
    uint32_t slot;
    char text[128];
    tendon__command_look(args->list, args->count, &command);
    if (!world->cluster || world->serve_unknown_slots ||
        tendon__command_slot(args->list, args->count, &command, &slot) != TENDON__SLOT_ONE)
        return true;
    uint32_t owner = world->owner[slot];
    if (owner == WORLD_EXTERNAL) {
        say(wire, "-CLUSTERDOWN Hash slot not served\r\n");
        return false;
    }
    bool reads = wire->read_only && world->servers[wire->server].replica_of == (int)owner &&
                 command.flags & TENDON__COMMAND_READ_ONLY;
    if (owner == wire->server || asking || reads)
        return true;
    snprintf(text, sizeof text, "-MOVED %u %s:%u\r\n", slot, world->servers[owner].host,
             world->servers[owner].port);
    say(wire, text);
    return false;
}

/* The first rule that matches is used up once. */
static struct world_rule *match(struct world_wire *wire, const struct world_args *args)
{
    struct world *world = wire->world;
    for (uint32_t i = 0; i < world->rule_count; i++) {
        struct world_rule *rule = &world->rules[i];
        if (!rule->times || (rule->server >= 0 && (uint32_t)rule->server != wire->server) ||
            !is(args, rule->command))
            continue;
        rule->times--;
        return rule;
    }
    return NULL;
}

static void end_transaction(struct world_wire *wire)
{
    for (uint32_t i = 0; i < wire->queued_count; i++)
        world_bytes_free(&wire->queued[i]);
    wire->queued_count = 0;
    wire->multi = wire->multi_asking = wire->aborted = wire->watching = false;
}

static void execute_transaction(struct world_wire *wire)
{
    struct world_bytes body = {0};
    char head[32];
    if (!wire->multi) {
        say(wire, "-ERR EXEC without MULTI\r\n");
        return;
    }
    if (wire->aborted) {
        say(wire, "-EXECABORT Transaction discarded because of previous errors.\r\n");
        end_transaction(wire);
        return;
    }
    for (uint32_t i = 0; i < wire->queued_count; i++) {
        struct world_args args;
        parse(&wire->queued[i], &args);
        answer_execution(wire, &args, &body);
    }
    snprintf(head, sizeof head, "*%u\r\n", wire->queued_count);
    say(wire, head);
    world_bytes_add(wire->holding ? &wire->held : &wire->out, body.data, body.size);
    world_bytes_free(&body);
    end_transaction(wire);
}

static void queue_command(struct world_wire *wire, const struct world_args *args, size_t size)
{
    if (!owns(wire, args, wire->multi_asking)) {
        wire->aborted = true;
        return;
    }
    if (wire->queued_count == WORLD_QUEUED)
        abort();
    world_bytes_add(&wire->queued[wire->queued_count++], wire->in.data, size);
    say(wire, "+QUEUED\r\n");
}

/* Lists whose name ends in an even digit have something to pop. */
static bool has_element(const struct world_args *args)
{
    tendon_bytes key = args->count > 1 ? args->list[1] : (tendon_bytes){"", 0};
    uint8_t last = key.size ? ((const uint8_t *)key.data)[key.size - 1] : 0;
    return last >= '0' && last <= '9' && last % 2 == 0;
}

/* Commands about the session and the connection. False: it is an ordinary one. */
static bool serve_session(struct world_wire *wire, const struct world_args *args)
{
    if (is(args, "HELLO"))
        say_hello(wire, args);
    else if (is(args, "CLUSTER"))
        say_slots(wire);
    else if (is(args, "AUTH"))
        say(wire, "+OK\r\n");
    else if (is(args, "READONLY") && !wire->world->cluster)
        say(wire, "-ERR This instance has cluster support disabled\r\n");
    else if (is(args, "READONLY") || is(args, "ASKING") || is(args, "WATCH") || is(args, "MULTI"))
        say(wire, "+OK\r\n");
    else if (is(args, "EXEC"))
        execute_transaction(wire);
    else if (is(args, "DISCARD") && !wire->multi)
        say(wire, "-ERR DISCARD without MULTI\r\n");
    else if (is(args, "DISCARD") || is(args, "UNWATCH"))
        say(wire, "+OK\r\n");
    else if (is(args, "BLPOP") && !has_element(args))
        wire->blocked = true; /* answered by nobody until a test does */
    else
        return false;
    wire->asking |= is(args, "ASKING");
    wire->read_only |= is(args, "READONLY");
    wire->watching = (wire->watching || is(args, "WATCH")) && !is(args, "UNWATCH");
    if (is(args, "MULTI")) {
        wire->multi = true;
        wire->multi_asking = wire->asking;
        wire->asking = false;
    }
    wire->world->askings += is(args, "ASKING");
    wire->world->cleanings += is(args, "DISCARD");
    if (is(args, "DISCARD"))
        end_transaction(wire);
    return true;
}

static void serve_one(struct world_wire *wire, const struct world_args *args, size_t size)
{
    bool ends = is(args, "EXEC") || is(args, "DISCARD") || is(args, "MULTI");
    if (wire->multi && !ends) {
        queue_command(wire, args, size);
        return;
    }
    if (serve_session(wire, args))
        return;
    bool asking = wire->asking;
    wire->asking = false;
    if (owns(wire, args, asking) && !world_serve_pubsub(wire, args))
        answer_execution(wire, args, wire->holding ? &wire->held : &wire->out);
}

static void note(struct world *world, const struct world_args *args)
{
    world->last_log[0] = '\0';
    for (uint32_t i = 0; i < args->count; i++) {
        size_t used = strlen(world->last_log);
        snprintf(world->last_log + used, sizeof world->last_log - used, "%s%.*s", i ? " " : "",
                 (int)args->list[i].size, (const char *)args->list[i].data);
    }
}

void world_serve(struct world_wire *wire)
{
    struct world_args args;
    size_t size;
    while (!wire->broken && !wire->blocked && (size = parse(&wire->in, &args))) {
        struct world_rule *rule = match(wire, &args);
        note(wire->world, &args);
        if (rule && rule->act == WORLD_SWALLOW)
            wire->holding = true;
        if (rule && rule->act == WORLD_ANSWER) {
            say(wire, rule->reply);
            wire->aborted |= wire->multi && rule->reply[0] == '-';
            wire->asking = false;
            if (is(&args, "EXEC"))
                end_transaction(wire);
        } else if (!rule || rule->act != WORLD_CLOSE) {
            if (rule && rule->act == WORLD_CLOSE_AFTER)
                wire->holding = true;
            serve_one(wire, &args, size);
        }
        if (rule && (rule->act == WORLD_CLOSE || rule->act == WORLD_CLOSE_AFTER))
            wire->broken = true;
        world_bytes_cut(&wire->in, size);
    }
}
