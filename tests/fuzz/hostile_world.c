/* The hostile world of fuzz_engine: it does what the driver does, and checks after every step. */
#include "hostile_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/pool_check.h"
#include "client/error.h"
#include "client/options.h"
#include "client/request_build.h"
#include "generated/status_table.h"

#define ROUNDS_MAX 4000 /* of one settling: more is an engine that never rests */
#define ARGS_MAX   8
#define GROUP_MAX  4

static void must(int condition)
{
    if (!condition)
        abort();
}

static void *resize(struct tendon__memory *memory, void *old, size_t size)
{
    struct fuzz_world *world = (struct fuzz_world *)(void *)memory;
    if (size == 0) {
        world->blocks -= old != NULL;
        free(old);
        return NULL;
    }
    must(size < (64u << 20)); /* the input is small: a promise of the peer must not be believed */
    if (world->refuse_in && --world->refuse_in == 0)
        return NULL;
    if (world->refuse_count && world->refuse_count--)
        return NULL;
    void *block = realloc(old, size);
    must(block != NULL);
    world->blocks += old == NULL;
    return block;
}

static tendon_status open_wire(void *context, struct tendon__channel *channel)
{
    struct fuzz_world *world = context;
    if (world->alive >= FUZZ_ALIVE)
        return TENDON_ERROR_SYSTEM; /* as when descriptors run out */
    struct fuzz_wire *wire = calloc(1, sizeof *wire);
    must(wire != NULL);
    wire->world = world;
    wire->channel = channel;
    channel->io = wire;
    world->alive++;
    tendon__list_push(&world->wires, &wire->link);
    return TENDON_OK;
}

static void close_wire(void *context, struct tendon__channel *channel)
{
    struct fuzz_world *world = context;
    struct fuzz_wire *wire = channel->io;
    must(wire && wire->channel == channel);
    wire->channel = NULL;
    channel->io = NULL;
    world->alive--;
}

static void check_fault(const struct fuzz_world *world, const struct tendon__fault *fault)
{
    must(memchr(fault->text, '\0', sizeof fault->text) != NULL);
    must(memchr(fault->node, '\0', sizeof fault->node) != NULL);
    must(world->tells_secret || !strstr(fault->text, FUZZ_SECRET));
}

/* One line, whatever the servers said. */
static void check_line(const struct fuzz_world *world, const tendon_reply *line)
{
    must(line->node_count == 1 && line->nodes->type == TENDON_NODE_STRING && line->nodes->size);
    for (uint32_t i = 0; i < line->nodes->size; i++)
        must(line->data[i] >= ' ' && line->data[i] != 127);
    must(world->tells_secret ||
         !memmem(line->data, line->nodes->size, FUZZ_SECRET, strlen(FUZZ_SECRET)));
}

static void note_event(void *context, uint32_t event, const struct tendon__node *node,
                       uint32_t delay_ms, const struct tendon__fault *fault, tendon_reply *reply)
{
    (void)node;
    (void)delay_ms;
    must(event > 0 && event <= TENDON_EVENT_LOG);
    must((reply != NULL) == (event == TENDON_EVENT_PUSH || event == TENDON_EVENT_LOG));
    if (event == TENDON_EVENT_LOG)
        check_line(context, reply);
    if (fault)
        check_fault(context, fault);
    tendon__reply_free(reply);
}

static const struct tendon__world_ops ops = {
    .open = open_wire, .close = close_wire, .event = note_event};

static void set(struct fuzz_world *world, const char *name, const char *value)
{
    struct tendon__fault fault;
    must(tendon__options_set(&world->options, &world->memory, (tendon_bytes){name, strlen(name)},
                             (tendon_bytes){value, strlen(value)}, &fault) == TENDON_OK);
}

static void choose_options(struct fuzz_world *world, uint8_t kind)
{
    static const char *const tight[] = {
        "pool_max",           "2",  "lanes",           "2",   "max_reply_bytes",     "1024",
        "max_reply_elements", "16", "max_reply_depth", "4",   "cluster_max_nodes",   "3",
        "max_in_flight",      "2",  "pool_wait_ms",    "100", "pool_test_on_borrow", "yes"};
    static const char *const daring[] = {"retry_unsafe",     "yes", "retry_on_timeout", "yes",
                                         "read_timeout_ms",  "20",  "write_timeout_ms", "10",
                                         "pool_lifetime_ms", "900", "max_retries",      "-1"};
    static const char *const secret[] = {"password", FUZZ_SECRET, "read_from",
                                         "any",      "protocol",  "2"};
    tendon__options_init(&world->options);
    set(world, "host", "n0");
    if (kind & (WORLD_CLUSTER | WORLD_STANDALONE))
        set(world, "mode", kind & WORLD_CLUSTER ? "cluster" : "standalone");
    for (size_t i = 0; kind & WORLD_TIGHT && i < sizeof tight / sizeof tight[0]; i += 2)
        set(world, tight[i], tight[i + 1]);
    for (size_t i = 0; kind & WORLD_DARING && i < sizeof daring / sizeof daring[0]; i += 2)
        set(world, daring[i], daring[i + 1]);
    for (size_t i = 0; kind & WORLD_SECRET && i < sizeof secret / sizeof secret[0]; i += 2)
        set(world, secret[i], secret[i + 1]);
}

static void complete_all(struct tendon__sink *sink, struct tendon__link *items, uint32_t count);

struct fuzz_world *fuzz_world_make(uint8_t kind, uint8_t seed)
{
    struct tendon__fault fault;
    struct fuzz_world *world = calloc(1, sizeof *world);
    must(world != NULL);
    world->memory.resize = resize;
    world->kind = kind;
    world->now_ns = 1000 * TENDON__MS;
    world->queue.complete_all = complete_all;
    tendon__list_init(&world->wires);
    tendon__random_init(&world->random, seed + 1u);
    choose_options(world, kind);
    must(tendon__options_check(&world->options, &fault) == TENDON_OK);
    must(tendon__engine_create(&world->memory, &world->options, &ops, world, seed, world->now_ns,
                               &world->engine, &fault) == TENDON_OK);
    world->engine->logs = seed % 2;
    return world;
}

static void take_outcome(struct fuzz_call *call, struct tendon__request *request)
{
    struct tendon__fault fault;
    must(++call->outcomes == 1);
    call->world->completed++;
    if (request->status == TENDON_OK) {
        for (uint32_t i = 0; i < request->command_count; i++)
            must(request->replies[i] && request->replies[i]->node_count >= 1);
    } else {
        const struct tendon__status_row *row = tendon__status_find(request->status);
        must(row && row->executed >> request->executed & 1);
        tendon__request_fault(request, &fault);
        must(fault.status == request->status); /* the words may have found no memory */
        check_fault(call->world, &fault);
    }
    tendon__request_unref(request);
}

/* As a caller that waits is told, */
static void complete(struct tendon__sink *sink, struct tendon__request *request)
{
    take_outcome(TENDON__OWNER(sink, struct fuzz_call, sink), request);
}

/* and as a queue is. */
static void complete_all(struct tendon__sink *sink, struct tendon__link *items, uint32_t count)
{
    struct fuzz_world *world = TENDON__OWNER(sink, struct fuzz_world, queue);
    struct tendon__link *link;
    for (; (link = tendon__list_shift(items)); count--) {
        struct tendon__item *item = TENDON__OWNER(link, struct tendon__item, link);
        struct tendon__request *request = TENDON__OWNER(item, struct tendon__request, item);
        take_outcome(&world->calls[request->id - 1], request);
    }
    must(count == 0);
}

static struct tendon__sink *sink_of(struct fuzz_call *call)
{
    return call->world->call_count % 2 ? &call->world->queue : &call->sink;
}

static struct fuzz_call *next_call(struct fuzz_world *world)
{
    if (world->call_count == FUZZ_CALLS)
        return NULL;
    struct fuzz_call *call = &world->calls[world->call_count];
    call->sink.complete = complete;
    call->world = world;
    return call;
}

static void submit(struct fuzz_call *call, struct tendon__request *request)
{
    struct fuzz_world *world = call->world;
    request->id = ++world->call_count;
    request->started_ns = world->now_ns;
    call->deadline_ns = request->deadline_ns = request->timeout_ns == TENDON__NO_TIME
                                                   ? TENDON__NO_TIME
                                                   : world->now_ns + request->timeout_ns;
    world->engine->pending++;
    tendon__engine_submit(world->engine, request, world->now_ns);
}

/* Splits words into the arguments of one command; returns where the next one begins, NULL after the
 * last. */
static const char *split(const char *at, tendon_bytes *args, uint32_t *count)
{
    *count = 0;
    while (*at && *at != '|') {
        size_t size = strcspn(at, " |");
        args[(*count)++] = (tendon_bytes){at, size};
        at += size + (at[size] == ' ');
    }
    return *at ? at + 1 : NULL;
}

void fuzz_ask(struct fuzz_world *world, const char *command, struct tendon_lease *lease)
{
    tendon_bytes args[GROUP_MAX][ARGS_MAX];
    tendon_request parts[GROUP_MAX] = {{0}};
    struct fuzz_call *call = next_call(world);
    struct tendon__request *request;
    struct tendon__fault fault;
    uint32_t count = 0;
    for (const char *at = command; at; count++) {
        at = split(at, args[count], &parts[count].arg_count);
        parts[count].struct_size = sizeof parts[0];
        parts[count].args = args[count];
        parts[count].lease = lease;
        parts[count].flags = (count || at ? TENDON_REQUEST_ATOMIC : 0u) |
                             (count && !at ? TENDON_REQUEST_ATOMIC_END : 0u);
    }
    bool by_slot = world->engine->kind != TENDON__KIND_STANDALONE;
    if (call &&
        tendon__request_build(&world->memory, &world->options, by_slot, parts, sizeof parts[0],
                              count, sink_of(call), &request, &fault) == TENDON_OK)
        submit(call, request);
}

void fuzz_lease(struct fuzz_world *world)
{
    static const tendon_lease_options options = {.struct_size = sizeof options};
    struct fuzz_call *call = next_call(world);
    uint32_t place = 0;
    while (place < FUZZ_LEASES && world->leases[place])
        place++;
    if (!call || place == FUZZ_LEASES)
        return;
    struct tendon_lease *lease = tendon__memory_make(&world->memory, sizeof *lease);
    if (!lease)
        return;
    lease->memory = &world->memory;
    lease->engine = world->engine;
    lease->refs = 2;
    tendon__list_init(&lease->requests);
    lease->opening =
        tendon__request_open_lease(&world->memory, &world->options, lease, &options, sink_of(call));
    if (!lease->opening) {
        tendon__memory_free(&world->memory, lease);
        return;
    }
    world->leases[place] = lease;
    submit(call, lease->opening);
}

struct tendon_lease *fuzz_lease_at(struct fuzz_world *world, uint32_t index)
{
    return world->leases[index];
}

void fuzz_lease_close(struct fuzz_world *world, uint32_t index, bool discard)
{
    struct tendon_lease *lease = world->leases[index];
    if (!lease)
        return;
    world->leases[index] = NULL;
    lease->discard = discard;
    world->engine->now_ns = world->now_ns;
    tendon__lease_end(world->engine, lease);
    tendon__lease_unref(lease);
}

struct fuzz_wire *fuzz_wire_at(struct fuzz_world *world, uint32_t index)
{
    index = world->alive ? index % world->alive : 0;
    for (struct tendon__link *link = world->wires.next; link != &world->wires; link = link->next) {
        struct fuzz_wire *wire = TENDON__OWNER(link, struct fuzz_wire, link);
        if (wire->channel && !index--)
            return wire;
    }
    return NULL;
}

void fuzz_dialled(struct fuzz_wire *wire, bool succeeded)
{
    struct fuzz_world *world = wire->world;
    struct tendon__fault fault;
    if (wire->open)
        return;
    if (succeeded) {
        wire->open = true;
        tendon__engine_opened(world->engine, wire->channel, false, world->now_ns);
        return;
    }
    tendon__fault_set(&fault, TENDON_ERROR_CONNECT, "refused");
    tendon__engine_open_failed(world->engine, wire->channel, &fault, world->now_ns);
}

void fuzz_cut(struct fuzz_wire *wire)
{
    struct fuzz_world *world = wire->world;
    struct tendon__fault fault;
    if (!wire->open) {
        fuzz_dialled(wire, false);
        return;
    }
    tendon__fault_set(&fault, TENDON_ERROR_DISCONNECTED, "the server went away");
    tendon__engine_lost(world->engine, wire->channel, &fault, world->now_ns);
}

static void write_some(struct fuzz_wire *wire)
{
    struct fuzz_world *world = wire->world;
    const uint8_t *bytes;
    size_t size;
    while (world->writing != 2 && wire->channel && wire->open &&
           (size = tendon__conn_peek_out(&wire->channel->conn, &bytes))) {
        if (world->writing == 1)
            size = 1 + (size_t)tendon__random_below(&world->random, size);
        tendon__conn_sent(&wire->channel->conn, size);
        if (world->writing == 1)
            return;
    }
}

void fuzz_say(struct fuzz_wire *wire, const uint8_t *bytes, size_t size)
{
    struct fuzz_world *world = wire->world;
    while (size && wire->channel && wire->open) {
        uint8_t *space = NULL;
        size_t room = tendon__conn_space(&wire->channel->conn, &space);
        if (!room) {
            fuzz_cut(wire);
            return;
        }
        uint64_t most = tendon__random_below(&world->random, 3) ? 12 : 4096;
        size_t step = 1 + (size_t)tendon__random_below(&world->random, most);
        step = step < size ? step : size;
        step = step < room ? step : room;
        memcpy(space, bytes, step);
        tendon__engine_received(world->engine, wire->channel, step, world->now_ns);
        bytes += step;
        size -= step;
        write_some(wire);
    }
}

static void say(struct fuzz_wire *wire, const char *text)
{
    fuzz_say(wire, (const uint8_t *)text, strlen(text));
}

/* A dial that succeeds, and a handshake as a server of this world answers it. */
static void be_polite(struct fuzz_wire *wire)
{
    const struct fuzz_world *world = wire->world;
    fuzz_dialled(wire, true);
    for (int i = 0; i < 8 && wire->channel && wire->channel->state == TENDON__CHANNEL_HANDSHAKE;
         i++) {
        write_some(wire);
        if (i)
            say(wire, "+OK\r\n");
        else if (world->kind & WORLD_SECRET) /* RESP2: its first command is AUTH */
            say(wire, "+OK\r\n");
        else if (world->kind & WORLD_STANDALONE)
            say(wire, "%2\r\n+proto\r\n:3\r\n+mode\r\n+standalone\r\n");
        else
            say(wire, "%2\r\n+proto\r\n:3\r\n+mode\r\n+cluster\r\n");
    }
}

/* True when the wire did something of its own accord. */
static bool step_wire(struct fuzz_wire *wire)
{
    struct fuzz_world *world = wire->world;
    const struct tendon__request *question = world->engine->refreshing;
    if (!wire->channel)
        return false;
    if (!wire->open && world->kind & WORLD_POLITE) {
        be_polite(wire);
        return true;
    }
    write_some(wire);
    if (world->kind & WORLD_MAPPED && !world->engine->map && question &&
        question->channel == wire->channel && question->state == TENDON__REQUEST_ON_WIRE &&
        tendon__conn_progress(&wire->channel->conn, &question->exchange) == TENDON__PROGRESS_SENT) {
        say(wire, FUZZ_MAP);
        return true;
    }
    return false;
}

static void free_wires(struct fuzz_world *world)
{
    for (struct tendon__link *link = world->wires.next, *next; link != &world->wires; link = next) {
        struct fuzz_wire *wire = TENDON__OWNER(link, struct fuzz_wire, link);
        next = link->next;
        if (wire->channel)
            continue;
        tendon__list_remove(&wire->link);
        free(wire);
    }
}

static void check(const struct fuzz_world *world)
{
    const struct tendon__engine *engine = world->engine;
    uint32_t nodes = 0;
    uint32_t channels = 0;
    for (const struct tendon__link *link = engine->nodes.next; link != &engine->nodes;
         link = link->next, nodes++)
        must(!pool_check(&TENDON__OWNER(link, struct tendon__node, link)->pool, true));
    for (const struct tendon__link *link = engine->channels.next; link != &engine->channels;
         link = link->next)
        channels++;
    must(nodes == engine->node_count && channels == engine->channel_count);
    must(nodes <= (uint32_t)world->options.cluster_max_nodes + TENDON__SEEDS_MAX);
    must(channels == world->alive);
    must(engine->ended_count == 0);
    must(engine->pending == world->call_count - world->completed);
    for (uint32_t i = 0; i < world->call_count; i++)
        must(world->calls[i].outcomes || world->calls[i].deadline_ns > world->now_ns);
}

void fuzz_settle(struct fuzz_world *world)
{
    bool busy = true;
    for (uint32_t round = 0; busy; round++) {
        must(round < ROUNDS_MAX);
        busy = false;
        struct tendon__link *link;
        while ((link = tendon__list_shift(&world->engine->flush)))
            continue; /* every wire is looked at anyway */
        for (link = world->wires.next; link != &world->wires; link = link->next)
            busy |= step_wire(TENDON__OWNER(link, struct fuzz_wire, link));
        busy |= tendon__engine_deadline(world->engine) <= world->now_ns;
        tendon__engine_tick(world->engine, world->now_ns);
        tendon__engine_tell(world->engine);
        tendon__engine_sweep(world->engine);
        free_wires(world);
    }
    check(world);
}

void fuzz_advance(struct fuzz_world *world, int64_t ms)
{
    int64_t until_ns = world->now_ns + ms * TENDON__MS;
    for (uint32_t round = 0;; round++) {
        int64_t when_ns = tendon__engine_deadline(world->engine);
        if (when_ns > until_ns)
            break;
        must(round < ROUNDS_MAX);
        if (when_ns > world->now_ns)
            world->now_ns = when_ns;
        fuzz_settle(world);
    }
    world->now_ns = until_ns;
    fuzz_settle(world);
}

void fuzz_world_end(struct fuzz_world *world)
{
    world->refuse_in = world->refuse_count = 0;
    if (world->kind & WORLD_PATIENT)
        fuzz_advance(world, 10000);
    for (uint32_t i = 0; i < FUZZ_LEASES; i++)
        fuzz_lease_close(world, i, false);
    fuzz_settle(world);
    tendon__engine_close(world->engine, world->now_ns);
    tendon__engine_tell(world->engine);
    tendon__engine_sweep(world->engine);
    for (uint32_t i = 0; i < world->call_count; i++)
        must(world->calls[i].outcomes == 1);
    must(world->engine->channel_count == 0 && world->alive == 0);
    tendon__engine_destroy(world->engine);
    tendon__options_free(&world->options, &world->memory);
    free_wires(world);
    must(tendon__list_empty(&world->wires) && world->blocks == 0);
    free(world);
}
