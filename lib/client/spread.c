/* Makes the parts of a command that goes to several nodes, and waits for the last of them. */
#include "client/spread.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/request_build.h"
#include "resp/encoder.h"

/* A key with its place among the command's keys. */
struct placed_key {
    uint32_t slot;
    uint32_t index;
};

static bool by_keys(const struct tendon__request *request)
{
    return request->spread == TENDON__SPREAD_SLOTS || request->spread == TENDON__SPREAD_PAIRS;
}

/* Arguments per key. */
static uint32_t key_step(const struct tendon__request *request)
{
    return request->spread == TENDON__SPREAD_PAIRS ? 2 : 1;
}

static void release(struct tendon__spread_call *call)
{
    struct tendon__memory *memory = call->engine->memory;
    for (uint32_t i = 0; i < call->count; i++)
        tendon__request_unref(call->parts[i].request);
    tendon__memory_free(memory, call->order);
    tendon__memory_free(memory, call);
}

/* The question where the keys are has its outcome, and the caller's request goes on, or ends. */
static void go_on(struct tendon__spread_call *call)
{
    struct tendon__engine *engine = call->engine;
    struct tendon__request *whole = call->whole;
    struct tendon__request *question = call->parts[0].request;
    struct tendon__fault fault;
    bool answered = question->status == TENDON_OK;
    if (answered)
        tendon__unknown_answered(whole, question->replies[0]);
    else
        tendon__request_fault(question, &fault);
    engine->part_count -= call->count;
    whole->call = NULL;
    whole->state = TENDON__REQUEST_NEW;
    release(call);
    if (answered) {
        tendon__request_arm(engine, whole);
        tendon__route(engine, whole);
        return;
    }
    char cause[sizeof fault.text];
    memcpy(cause, fault.text, sizeof cause);
    snprintf(fault.text, sizeof fault.text, "not sent; asking where its keys are: %.320s", cause);
    tendon__request_fail(engine, whole, &fault);
}

static void finish(struct tendon__spread_call *call)
{
    struct tendon__fault fault;
    struct tendon__request *whole = call->whole;
    if (call->asks) {
        go_on(call);
        return;
    }
    bool succeeded = tendon__merge(call, &fault);
    struct tendon__engine *engine = call->engine;
    engine->part_count -= call->count;
    whole->call = NULL;
    release(call);
    tendon__request_complete(engine, whole, succeeded ? NULL : &fault);
}

static void part_done(struct tendon__sink *sink, struct tendon__request *request)
{
    struct tendon__spread_call *call = TENDON__OWNER(sink, struct tendon__spread_call, sink);
    struct tendon__part *part = &call->parts[request->tag];
    if (request->node)
        memcpy(part->node, request->node->name, sizeof part->node);
    call->open--;
    if (!call->open && !call->held)
        finish(call);
}

static struct tendon__spread_call *make_call(struct tendon__engine *engine,
                                             struct tendon__request *whole, uint32_t room)
{
    struct tendon__spread_call *call = tendon__memory_make(
        engine->memory, sizeof *call + (size_t)room * sizeof(struct tendon__part));
    if (!call)
        return NULL;
    call->sink.complete = part_done;
    call->engine = engine;
    call->whole = whole;
    call->room = room;
    return call;
}

/* Its frame is still to be written. */
static struct tendon__request *add_part(struct tendon__spread_call *call, size_t frame_bytes)
{
    struct tendon__request *request = tendon__request_part(call->whole, frame_bytes, &call->sink);
    if (!request)
        return NULL;
    request->tag = call->count;
    call->parts[call->count++].request = request;
    return request;
}

static bool add_copy(struct tendon__spread_call *call, const struct tendon__topology_node *node,
                     uint32_t slot)
{
    struct tendon__request *whole = call->whole;
    struct tendon__request *request = add_part(call, whole->frame_bytes);
    if (!request)
        return false;
    memcpy(request->frame, whole->frame, whole->frame_bytes);
    struct tendon__node *known = tendon__node_get(call->engine, node->host, node->port);
    if (!known)
        return false;
    memcpy(call->parts[request->tag].node, known->name, sizeof known->name);
    request->route = TENDON_ROUTE_SLOT;
    request->slot = slot;
    if (slot != TENDON__NO_SLOT)
        return true;
    /* A replica, or a primary asked as a node: the next try goes to it as well. */
    request->route = TENDON_ROUTE_NODE;
    request->node_name = tendon__memory_text(request->memory, known->name, strlen(known->name));
    return request->node_name != NULL;
}

/* One part for each shard, to whoever is its primary by then; and with `replicas` one for each of
 * the other nodes. */
static bool add_nodes(struct tendon__spread_call *call, bool replicas)
{
    const struct tendon__topology *map = call->engine->map;
    uint32_t seen = 0;
    /* Shards are numbered in the order of their first slot. */
    for (uint32_t slot = 0; slot < TENDON__SLOT_COUNT && seen < map->shard_count; slot++) {
        if (map->slot_shard[slot] != seen)
            continue;
        uint16_t primary = map->shards[seen++].primary;
        if (primary != TENDON__NO_SHARD && !add_copy(call, &map->nodes[primary], slot))
            return false;
    }
    for (uint32_t i = 0; replicas && i < map->node_count; i++)
        if (!map->nodes[i].primary && !add_copy(call, &map->nodes[i], TENDON__NO_SLOT))
            return false;
    return call->count > 0;
}

static int by_slot(const void *left, const void *right)
{
    const struct placed_key *a = left;
    const struct placed_key *b = right;
    if (a->slot != b->slot)
        return a->slot < b->slot ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

/* The part for the keys from `first` on that share a slot. */
static bool add_slot(struct tendon__spread_call *call, const tendon_bytes *args,
                     const struct placed_key *keys, uint32_t first, tendon_bytes *some)
{
    uint32_t step = key_step(call->whole);
    uint32_t count = 1;
    some[0] = args[0];
    uint32_t index = first;
    for (; index < call->key_count && keys[index].slot == keys[first].slot; index++) {
        call->order[index] = keys[index].index;
        for (uint32_t i = 0; i < step; i++)
            some[count++] = args[1 + keys[index].index * step + i];
    }
    struct tendon__request *request = add_part(call, tendon__encode_size(some, count));
    if (!request)
        return false;
    tendon__encode(request->frame, some, count);
    request->slot = keys[first].slot;
    call->parts[request->tag].first = first;
    call->parts[request->tag].count = index - first;
    return true;
}

static bool add_slots(struct tendon__spread_call *call, const tendon_bytes *args,
                      struct placed_key *keys, tendon_bytes *some)
{
    uint32_t step = key_step(call->whole);
    for (uint32_t i = 0; i < call->key_count; i++) {
        tendon_bytes key = args[1 + i * step];
        keys[i] = (struct placed_key){tendon__key_slot(key.data, key.size), i};
    }
    qsort(keys, call->key_count, sizeof *keys, by_slot);
    for (uint32_t i = 0; i < call->key_count; i += call->parts[call->count - 1].count)
        if (!add_slot(call, args, keys, i, some))
            return false;
    return true;
}

/* NULL, or a call without its whole, when memory ran out. */
static struct tendon__spread_call *split(struct tendon__engine *engine,
                                         struct tendon__request *whole)
{
    uint32_t count = tendon__encoded_count(whole->frame);
    uint32_t key_count = (count - 1) / key_step(whole);
    uint32_t room = key_count < TENDON__SLOT_COUNT ? key_count : TENDON__SLOT_COUNT;
    struct tendon__memory *memory = engine->memory;
    struct tendon__spread_call *call = make_call(engine, whole, room);
    tendon_bytes *args = tendon__memory_take(memory, 2 * (size_t)count * sizeof *args);
    struct placed_key *keys = tendon__memory_take(memory, key_count * sizeof *keys);
    bool made = call && args && keys;
    if (made) {
        call->key_count = key_count;
        call->order = tendon__memory_take(memory, key_count * sizeof *call->order);
        tendon__encoded_args(whole->frame, args, count);
        made = call->order && add_slots(call, args, keys, args + count);
    }
    tendon__memory_free(memory, keys);
    tendon__memory_free(memory, args);
    if (!made && call)
        call->whole = NULL;
    return call;
}

static struct tendon__spread_call *copy(struct tendon__engine *engine,
                                        struct tendon__request *whole)
{
    struct tendon__spread_call *call = make_call(engine, whole, engine->map->node_count);
    if (call && !add_nodes(call, whole->spread == TENDON__SPREAD_NODES))
        call->whole = NULL;
    return call;
}

/* One part, which asks any primary where the keys among these arguments are. NULL, or a call
 * without its whole, when memory ran out. */
static struct tendon__spread_call *question(struct tendon__engine *engine,
                                            struct tendon__request *whole)
{
    uint32_t count = tendon__encoded_count(whole->frame);
    struct tendon__spread_call *call = make_call(engine, whole, 1);
    tendon_bytes *words = tendon__memory_take(engine->memory, (2 + (size_t)count) * sizeof *words);
    struct tendon__request *request = NULL;
    if (call && words) {
        words[0] = (tendon_bytes){"COMMAND", 7};
        words[1] = (tendon_bytes){"GETKEYS", 7};
        tendon__encoded_args(whole->frame, words + 2, count);
        request = add_part(call, tendon__encode_size(words, count + 2));
    }
    if (request) {
        tendon__encode(request->frame, words, count + 2);
        request->flags |= TENDON_REQUEST_READ_ONLY;
        request->flags &= ~TENDON_REQUEST_BLOCKING;
        request->forms = NULL;
        call->asks = true;
    } else if (call) {
        call->whole = NULL;
    }
    tendon__memory_free(engine->memory, words);
    return call;
}

/* The parts that were not handed to the engine have two references. */
static void abandon(struct tendon__spread_call *call)
{
    for (uint32_t i = 0; i < call->count; i++)
        call->parts[i].request->refs = 1;
    release(call);
}

static void send_parts(struct tendon__spread_call *call)
{
    struct tendon__engine *engine = call->engine;
    call->held = true;
    for (uint32_t i = 0; i < call->count; i++) {
        tendon__request_arm(engine, call->parts[i].request);
        tendon__route(engine, call->parts[i].request);
    }
    call->held = false;
    if (!call->open)
        finish(call);
}

/* Arguments that make no whole number of keys and values are the server's to refuse. */
static bool is_split(const struct tendon__request *request)
{
    return request->flags & TENDON__REQUEST_CROSS_SLOT &&
           (tendon__encoded_count(request->frame) - 1) % key_step(request) == 0;
}

/* `call` is NULL or has no whole when memory ran out. */
static void begin(struct tendon__engine *engine, struct tendon__request *request,
                  struct tendon__spread_call *call)
{
    bool made = call && call->whole;
    if (made) {
        engine->part_count += call->count;
        call->open = call->count;
        made = tendon__engine_reserve_timers(engine) == TENDON_OK;
        if (!made)
            engine->part_count -= call->count;
    }
    if (!made) {
        struct tendon__fault fault;
        tendon__fault_set(&fault, TENDON_ERROR_NO_MEMORY,
                          "no memory for the parts of a command to several nodes");
        if (call)
            abandon(call);
        tendon__request_complete(engine, request, &fault);
        return;
    }
    request->state = TENDON__REQUEST_SPREAD;
    request->call = call;
    tendon__timer_set(&engine->timers, &request->timer, TENDON__NO_TIME);
    send_parts(call);
}

bool tendon__spread(struct tendon__engine *engine, struct tendon__request *request)
{
    bool slots = by_keys(request);
    if (engine->kind != TENDON__KIND_CLUSTER && request->merge != TENDON__MERGE_NODES)
        return false;
    if (slots && !is_split(request))
        return false;
    begin(engine, request, slots ? split(engine, request) : copy(engine, request));
    return true;
}

void tendon__spread_ask_keys(struct tendon__engine *engine, struct tendon__request *request)
{
    begin(engine, request, question(engine, request));
}

void tendon__spread_fail(struct tendon__engine *engine, struct tendon__request *request,
                         const struct tendon__fault *fault)
{
    struct tendon__spread_call *call = request->call;
    call->held = true;
    for (uint32_t i = 0; i < call->count; i++)
        tendon__request_fail(engine, call->parts[i].request, fault);
    call->held = false;
    if (!call->open)
        finish(call);
}
