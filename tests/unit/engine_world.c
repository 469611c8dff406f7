/* The engine's small world: connections, the clock, calls and the checks between steps. */
#include "engine_world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/error.h"
#include "client/options.h"
#include "client/request_build.h"
#include "generated/status_table.h"
#include "pool_check.h"

#define ROUNDS_MAX 20000 /* of one world_run: more is an endless loop of the engine */

static struct world_server *server_of(struct world *world, const struct tendon__node *node)
{
    for (uint32_t i = 0; i < world->server_count; i++)
        if (!strcmp(world->servers[i].host, node->host) && world->servers[i].port == node->port)
            return &world->servers[i];
    return NULL;
}

static tendon_status open_wire(void *context, struct tendon__channel *channel)
{
    struct world *world = context;
    if (world->open_refusals) {
        world->open_refusals--;
        return TENDON_ERROR_SYSTEM;
    }
    struct world_wire *wire = calloc(1, sizeof *wire);
    cr_assert_not_null(wire);
    struct world_server *server = server_of(world, channel->node);
    wire->world = world;
    wire->channel = channel;
    wire->server = server ? (uint32_t)(server - world->servers) : UINT32_MAX;
    wire->serial = ++world->wire_serial;
    wire->budget = SIZE_MAX;
    channel->io = wire;
    tendon__list_push(&world->wires, &wire->link);
    return TENDON_OK;
}

static void close_wire(void *context, struct tendon__channel *channel)
{
    struct world_wire *wire = channel->io;
    (void)context;
    cr_assert_not_null(wire, "a connection is closed twice");
    wire->channel = NULL;
    channel->io = NULL;
}

static void note_event(void *context, uint32_t event, const struct tendon__node *node,
                       uint32_t delay_ms, const struct tendon__fault *fault, tendon_reply *reply)
{
    struct world *world = context;
    size_t used = strlen(world->lines);
    (void)node;
    (void)fault;
    world->events[event]++;
    if (event == TENDON_EVENT_PUSH)
        world->has_told_before_push = !tendon__list_empty(&world->engine->unheard);
    if (event == TENDON_EVENT_LOG) {
        world->level = delay_ms;
        snprintf(world->lines + used, sizeof world->lines - used, "%.*s\n", (int)reply->nodes->size,
                 (const char *)reply->data);
    }
    tendon__reply_free(reply);
}

static const struct tendon__world_ops world_ops = {.open = open_wire,
                                                   .close = close_wire,
                                                   .event = note_event,
                                                   .tell = world_tell,
                                                   .pause = world_pause};

void world_init(struct world *world)
{
    memset(world, 0, sizeof *world);
    world->memory = counting_memory_make();
    world->now_ns = 1000 * TENDON__MS;
    world->read_chunk = world->write_chunk = SIZE_MAX;
    tendon__list_init(&world->wires);
    world->keys = calloc(WORLD_KEYS, sizeof *world->keys);
    cr_assert_not_null(world->keys);
    world->server_count = 1;
    world->servers[0] = (struct world_server){.host = "localhost", .port = 6379, .replica_of = -1};
}

void world_own(struct world *world, uint32_t first, uint32_t last, uint32_t server)
{
    for (uint32_t slot = first; slot <= last; slot++)
        world->owner[slot] = (uint8_t)server;
}

void world_make_cluster(struct world *world, uint32_t primaries, uint32_t replicas)
{
    world->cluster = true;
    world->server_count = primaries + replicas;
    cr_assert_leq(world->server_count, WORLD_SERVERS);
    for (uint32_t i = 0; i < world->server_count; i++) {
        struct world_server *server = &world->servers[i];
        *server = (struct world_server){.port = 6379,
                                        .replica_of = i < primaries ? -1 : (int)(i - primaries)};
        snprintf(server->host, sizeof server->host, "n%u", i);
    }
    for (uint32_t slot = 0; slot < TENDON__SLOT_COUNT; slot++)
        world->owner[slot] = (uint8_t)(slot * primaries / TENDON__SLOT_COUNT);
}

static tendon_bytes bytes_of(const char *text, size_t size)
{
    return (tendon_bytes){text, size};
}

void world_start(struct world *world, const char *const *options, uint64_t seed)
{
    struct tendon__fault fault;
    tendon__options_init(&world->options);
    if (world->cluster)
        cr_assert_eq(tendon__options_set(&world->options, &world->memory.memory,
                                         bytes_of("host", 4), bytes_of("n0", 2), &fault),
                     TENDON_OK);
    for (; options && *options; options++) {
        const char *equals = strchr(*options, '=');
        tendon_status status = tendon__options_set(
            &world->options, &world->memory.memory, bytes_of(*options, (size_t)(equals - *options)),
            bytes_of(equals + 1, strlen(equals + 1)), &fault);
        cr_assert_eq(status, TENDON_OK, "%s: %s", *options, fault.text);
    }
    cr_assert_eq(tendon__options_check(&world->options, &fault), TENDON_OK, "%s", fault.text);
    cr_assert_eq(tendon__engine_create(&world->memory.memory, &world->options, &world_ops, world,
                                       seed, world->now_ns, &world->engine, &fault),
                 TENDON_OK, "%s", fault.text);
    world->engine->logs = true;
}

static void free_dead_wires(struct world *world)
{
    for (struct tendon__link *link = world->wires.next, *next; link != &world->wires; link = next) {
        struct world_wire *wire = TENDON__OWNER(link, struct world_wire, link);
        next = link->next;
        if (!wire->channel)
            world_wire_free(wire);
    }
}

void world_stop(struct world *world)
{
    tendon__engine_close(world->engine, world->now_ns);
    tendon__engine_tell(world->engine);
    tendon__engine_sweep(world->engine);
    for (size_t i = 0; i < world->call_count; i++) {
        struct world_call *call = world->calls[i];
        if (call->lease)
            world_lease_close(call, false);
        cr_assert_eq(call->outcomes, 1, "call %zu on %s had %u outcomes", i, call->key,
                     call->outcomes);
    }
    tendon__engine_tell(world->engine);
    tendon__engine_sweep(world->engine);
    world_check(world);
    cr_assert_eq(world->engine->channel_count, 0);
    tendon__engine_destroy(world->engine);
    tendon__options_free(&world->options, &world->memory.memory);
    free_dead_wires(world);
    cr_assert(tendon__list_empty(&world->wires), "a connection was never closed");
    for (size_t i = 0; i < world->call_count; i++)
        free(world->calls[i]);
    free(world->calls);
    free(world->keys);
    cr_assert_eq(world->memory.blocks, 0, "%ld blocks are lost", world->memory.blocks);
}

static void show(const tendon_reply *reply, char out[WORLD_SHOWN])
{
    const tendon_node *root = &reply->nodes[0];
    static const char marks[] = {
        [TENDON_NODE_STATUS] = '+', [TENDON_NODE_ERROR] = '-', [TENDON_NODE_STRING] = '$'};
    if (root->type == TENDON_NODE_INTEGER)
        snprintf(out, WORLD_SHOWN, ":%lld", (long long)root->value.integer);
    else if (root->type == TENDON_NODE_NULL)
        snprintf(out, WORLD_SHOWN, "_");
    else if (root->type < sizeof marks && marks[root->type])
        snprintf(out, WORLD_SHOWN, "%c%.*s", marks[root->type],
                 (int)(root->size < 120 ? root->size : 120),
                 (const char *)reply->data + root->value.offset);
    else
        snprintf(out, WORLD_SHOWN, "*%u", root->size);
}

static void complete(struct tendon__sink *sink, struct tendon__request *request)
{
    struct world_call *call = TENDON__OWNER(sink, struct world_call, sink);
    struct world *world = call->world;
    world->completed++;
    if (call->outcomes++)
        return; /* a second outcome is a defect that world_check reports; the reference was given up
                   at the first */
    call->done_ns = world->now_ns;
    call->done_place = world->done_count++;
    tendon__request_fault(request, &call->fault);
    call->status = request->status;
    call->executed = request->status ? request->executed : 0;
    const struct tendon__status_row *row = tendon__status_find(call->status);
    cr_assert(!call->status || (row && row->executed >> call->executed & 1),
              "spec/errors knows no status %d with executed %u", call->status, call->executed);
    call->attempts = request->attempts;
    call->redirects = request->redirects;
    call->reply_count = request->reply_count;
    if (request->status == TENDON_OK) {
        for (uint32_t i = 0; i < request->command_count; i++)
            cr_assert_not_null(
                request->replies[i],
                "%s succeeded without reply %u of %u; state of the node: %u failures", call->key, i,
                request->command_count, request->node ? request->node->failures : 0);
        show(request->replies[0], call->reply);
        show(request->replies[request->command_count - 1], call->last);
    }
    if (request->subscription)
        world_outcome(world, call);
    call->request = NULL;
    tendon__request_unref(request);
}

struct world_call *world_call_make(struct world *world)
{
    struct world_call *call = calloc(1, sizeof *call);
    cr_assert_not_null(call);
    if (world->call_count == world->call_room) {
        world->call_room = world->call_room ? world->call_room * 2 : 64;
        world->calls = realloc(world->calls, world->call_room * sizeof(struct world_call *));
        cr_assert_not_null(world->calls);
    }
    world->calls[world->call_count++] = call;
    call->sink.complete = complete;
    call->world = world;
    call->id = ++world->next_id;
    return call;
}

void world_hand_over(struct world_call *call, struct tendon__request *request)
{
    struct world *world = call->world;
    call->request = request;
    request->id = call->id;
    request->started_ns = world->now_ns;
    request->deadline_ns = request->timeout_ns == TENDON__NO_TIME
                               ? TENDON__NO_TIME
                               : world->now_ns + request->timeout_ns;
    call->deadline_ns = request->deadline_ns;
    world->accepted++;
    world->engine->pending++;
    tendon__engine_submit(world->engine, request, world->now_ns);
}

/* Splits words into the arguments of one command; returns where the next one begins, NULL after the
 * last. */
const char *world_split(const char *at, struct world_args *args)
{
    args->count = 0;
    while (*at && *at != '|') {
        size_t size = strcspn(at, " |");
        cr_assert_lt(args->count, WORLD_ARGS);
        if (size)
            args->list[args->count++] = bytes_of(at, size);
        at += size + (at[size] == ' ');
    }
    return *at ? at + 1 : NULL;
}

struct world_call *world_submit_as(struct world *world, const char *command, struct world_how how)
{
    tendon_request asked[WORLD_QUEUED] = {{0}};
    struct world_args args[WORLD_QUEUED];
    struct world_call *call = world_call_make(world);
    call->on_lease = how.lease != NULL;
    uint32_t count = 0;
    for (const char *at = command; at; count++) {
        cr_assert_lt(count, WORLD_QUEUED);
        at = world_split(at, &args[count]);
        asked[count] = (tendon_request){
            .struct_size = sizeof asked[0],
            .flags = how.flags | (count || at ? TENDON_REQUEST_ATOMIC : 0) |
                     (count && !at ? TENDON_REQUEST_ATOMIC_END : 0),
            .args = args[count].list,
            .arg_count = args[count].count,
            .timeout_ms = how.timeout_ms,
            .lease = how.lease,
            .route = how.route,
            .node = {how.node, how.node ? strlen(how.node) : 0},
        };
        if (args[count].count > 1)
            snprintf(call->key, sizeof call->key, "%.*s", (int)args[count].list[1].size,
                     (const char *)args[count].list[1].data);
    }
    struct tendon__request *request;
    struct tendon__fault fault;
    tendon_status status =
        tendon__request_build(&world->memory.memory, &world->options, true, asked, sizeof asked[0],
                              count, &call->sink, &request, &fault);
    cr_assert_eq(status, TENDON_OK, "%s: %s", command, fault.text);
    world_hand_over(call, request);
    return call;
}

struct world_call *world_submit(struct world *world, const char *command)
{
    return world_submit_as(world, command, (struct world_how){0});
}

struct world_call *world_do(struct world *world, const char *command)
{
    struct world_call *call = world_submit(world, command);
    world_run(world);
    return call;
}

struct world_call *world_lease(struct world *world, const char *key, int64_t timeout_ms)
{
    struct tendon__memory *memory = &world->memory.memory;
    struct world_call *call = world_call_make(world);
    tendon_lease_options options = {.struct_size = sizeof options, .timeout_ms = timeout_ms};
    if (key)
        options.key = bytes_of(key, strlen(key));
    struct tendon_lease *lease = tendon__memory_make(memory, sizeof *lease);
    cr_assert_not_null(lease);
    lease->memory = memory;
    lease->engine = world->engine;
    lease->refs = 2;
    tendon__list_init(&lease->requests);
    call->lease = lease;
    lease->opening =
        tendon__request_open_lease(memory, &world->options, lease, &options, &call->sink);
    cr_assert_not_null(lease->opening);
    world_hand_over(call, lease->opening);
    return call;
}

void world_lease_close(struct world_call *call, bool discard)
{
    struct tendon_lease *lease = call->lease;
    call->lease = NULL;
    lease->discard = discard;
    call->world->engine->now_ns = call->world->now_ns;
    tendon__lease_end(call->world->engine, lease);
    tendon__lease_unref(lease);
}

void world_cancel(struct world *world, struct world_call *call)
{
    tendon__engine_cancel(world->engine, call->id, world->now_ns);
}

void world_rule(struct world *world, int server, const char *command, enum world_act act,
                const char *reply, uint32_t times)
{
    uint32_t at = 0;
    while (at < world->rule_count && world->rules[at].times)
        at++;
    cr_assert_lt(at, WORLD_RULES);
    world->rule_count += at == world->rule_count;
    struct world_rule *rule = &world->rules[at];
    *rule = (struct world_rule){.server = server, .act = act, .times = times};
    snprintf(rule->command, sizeof rule->command, "%s", command);
    snprintf(rule->reply, sizeof rule->reply, "%s\r\n", reply ? reply : "+OK");
}

void world_release(struct world *world)
{
    for (struct tendon__link *link = world->wires.next; link != &world->wires; link = link->next) {
        struct world_wire *wire = TENDON__OWNER(link, struct world_wire, link);
        world_bytes_add(&wire->out, wire->held.data, wire->held.size);
        wire->held.size = 0;
        wire->holding = false;
    }
}

static bool is_frozen(const struct world_wire *wire)
{
    return wire->server < wire->world->server_count && wire->world->servers[wire->server].frozen;
}

void world_cut(struct world *world, struct world_wire *wire, bool execute)
{
    struct tendon__fault fault;
    if (!wire->channel)
        return;
    if (execute && wire->open)
        world_serve(wire);
    tendon__fault_set(&fault, TENDON_ERROR_DISCONNECTED, "the test cut the connection");
    if (wire->open)
        tendon__engine_lost(world->engine, wire->channel, &fault, world->now_ns);
    else
        tendon__engine_open_failed(world->engine, wire->channel, &fault, world->now_ns);
}

void world_cut_server(struct world *world, uint32_t server, bool execute)
{
    struct world_wire *wires[256];
    uint32_t count = 0;
    for (struct tendon__link *link = world->wires.next; link != &world->wires && count < 256;
         link = link->next)
        wires[count++] = TENDON__OWNER(link, struct world_wire, link);
    for (uint32_t i = 0; i < count; i++)
        if (wires[i]->server == server && wires[i]->open)
            world_cut(world, wires[i], execute);
}

void world_budget(struct world *world, uint32_t server, size_t bytes)
{
    for (struct tendon__link *link = world->wires.next; link != &world->wires; link = link->next) {
        struct world_wire *wire = TENDON__OWNER(link, struct world_wire, link);
        if (wire->server != server || !wire->channel)
            continue;
        wire->budget = bytes;
        if (wire->open)
            tendon__channel_flush(wire->channel);
    }
}

void world_doom(struct world *world, uint32_t server, size_t bytes)
{
    world_budget(world, server, bytes);
    for (struct tendon__link *link = world->wires.next; link != &world->wires; link = link->next) {
        struct world_wire *wire = TENDON__OWNER(link, struct world_wire, link);
        wire->doomed |= wire->server == server && wire->open;
    }
}

struct world_wire *world_wire_at(struct world *world, uint32_t index)
{
    for (struct tendon__link *link = world->wires.next; link != &world->wires; link = link->next) {
        struct world_wire *wire = TENDON__OWNER(link, struct world_wire, link);
        if (wire->channel && !index--)
            return wire;
    }
    return NULL;
}

uint32_t world_wire_count(const struct world *world)
{
    uint32_t count = 0;
    for (const struct tendon__link *link = world->wires.next; link != &world->wires;
         link = link->next)
        count += TENDON__OWNER(link, struct world_wire, link)->channel != NULL;
    return count;
}

static bool answer_dial(struct world_wire *wire)
{
    struct world *world = wire->world;
    struct world_server *server =
        wire->server < world->server_count ? &world->servers[wire->server] : NULL;
    struct tendon__fault fault;
    if (server && server->dark)
        return false;
    if (!server || server->down) {
        tendon__fault_set(&fault, TENDON_ERROR_CONNECT, "refused");
        tendon__engine_open_failed(world->engine, wire->channel, &fault, world->now_ns);
        return true;
    }
    wire->open = true;
    server->accepted++;
    tendon__engine_opened(world->engine, wire->channel, false, world->now_ns);
    return true;
}

static bool write_wire(struct world_wire *wire)
{
    const uint8_t *bytes;
    bool any = false;
    size_t size;
    while (wire->channel && wire->budget &&
           (size = tendon__conn_peek_out(&wire->channel->conn, &bytes))) {
        size = size < wire->world->write_chunk ? size : wire->world->write_chunk;
        size = size < wire->budget ? size : wire->budget;
        wire->budget -= wire->budget == SIZE_MAX ? 0 : size;
        world_bytes_add(&wire->in, bytes, size);
        tendon__conn_sent(&wire->channel->conn, size);
        any = true;
    }
    return any;
}

static bool read_wire(struct world_wire *wire)
{
    struct world *world = wire->world;
    uint8_t *space;
    if (!wire->channel || !wire->out.size || wire->paused)
        return false;
    size_t room = tendon__conn_space(&wire->channel->conn, &space);
    size_t size = wire->out.size < world->read_chunk ? wire->out.size : world->read_chunk;
    if (!room) {
        world_cut(world, wire, false);
        return true;
    }
    size = size < room ? size : room;
    memcpy(space, wire->out.data, size);
    world_bytes_cut(&wire->out, size);
    tendon__engine_received(world->engine, wire->channel, size, world->now_ns);
    return true;
}

static bool step_wire(struct world_wire *wire)
{
    if (!wire->channel)
        return false;
    if (!wire->open)
        return answer_dial(wire);
    bool any = write_wire(wire);
    if (!is_frozen(wire))
        world_serve(wire);
    if (wire->channel && wire->doomed && !wire->budget) {
        world_cut(wire->world, wire, true);
        return true;
    }
    any |= read_wire(wire);
    if (wire->channel && wire->broken && !wire->out.size && !wire->paused) {
        world_cut(wire->world, wire, false);
        any = true;
    }
    return any;
}

bool world_step(struct world *world)
{
    bool any = false;
    struct tendon__link *link;
    while ((link = tendon__list_shift(&world->engine->flush)))
        continue; /* every connection is looked at anyway */
    for (link = world->wires.next; link != &world->wires; link = link->next)
        any |= step_wire(TENDON__OWNER(link, struct world_wire, link));
    any |= tendon__engine_deadline(world->engine) <= world->now_ns;
    tendon__engine_tick(world->engine, world->now_ns);
    tendon__engine_tell(world->engine);
    tendon__engine_sweep(world->engine);
    free_dead_wires(world);
    world_check(world);
    return any;
}

void world_run(struct world *world)
{
    uint32_t rounds = 0;
    while (world_step(world))
        cr_assert_lt(++rounds, ROUNDS_MAX, "the engine does not come to rest");
}

void world_advance(struct world *world, int64_t ms)
{
    int64_t until_ns = world->now_ns + ms * TENDON__MS;
    uint32_t rounds = 0;
    world_run(world);
    for (;;) {
        int64_t when_ns = tendon__engine_deadline(world->engine);
        if (when_ns > until_ns)
            break;
        if (when_ns > world->now_ns)
            world->now_ns = when_ns;
        world_run(world);
        cr_assert_lt(++rounds, ROUNDS_MAX, "the engine asks to be called again and again");
    }
    world->now_ns = until_ns;
    world_run(world);
}
