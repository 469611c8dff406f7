/* Public requests to the engine's own. Runs on the caller's thread and needs nothing but the
 * options. */
#include "client/request_build.h"

#include <string.h>

#include "base/recycle.h"
#include "client/command.h"
#include "client/group_keys.h"
#include "client/subscription.h"
#include "resp/encoder.h"

#define ARGS_ON_STACK 16

/* One public request with its arguments in one form. */
struct args {
    const tendon_bytes *list;
    uint32_t count;
    tendon_bytes some[ARGS_ON_STACK];
    tendon_bytes *many;
};

size_t tendon__request_span(const tendon_request *first, size_t request_size, size_t count)
{
    if (!(first->flags & TENDON_REQUEST_ATOMIC))
        return 1;
    for (size_t i = 0; i < count && i < TENDON__GROUP_MAX; i++) {
        uint32_t flags = tendon__request_at(first, request_size, i)->flags;
        if (!(flags & TENDON_REQUEST_ATOMIC))
            return 0;
        if (flags & TENDON_REQUEST_ATOMIC_END)
            return i + 1;
    }
    return 0;
}

static tendon_status unpack(struct tendon__memory *memory, const tendon_request *request,
                            struct args *args, struct tendon__fault *fault)
{
    args->many = NULL;
    args->count = request->arg_count;
    args->list = request->args;
    if (request->arg_count > TENDON__ARGS_MAX)
        return tendon__fault_set(fault, TENDON_ERROR_LIMIT, "a command has at most %u arguments",
                                 TENDON__ARGS_MAX);
    if (request->args || !request->arg_count)
        return TENDON_OK;
    if (!request->packed_sizes)
        return tendon__fault_set(fault, TENDON_ERROR_ARGUMENT,
                                 "neither args nor packed_sizes are set");
    tendon_bytes *list = args->some;
    if (request->arg_count > ARGS_ON_STACK) {
        list = args->many = tendon__memory_take(memory, request->arg_count * sizeof *list);
        if (!list)
            return tendon__fault_set(fault, TENDON_ERROR_NO_MEMORY, "no memory for the arguments");
    }
    const char *at = request->packed;
    for (uint32_t i = 0; i < request->arg_count; i++) {
        list[i] = (tendon_bytes){at, request->packed_sizes[i]};
        at = at ? at + request->packed_sizes[i] : at;
    }
    args->list = list;
    return TENDON_OK;
}

static tendon_status check_args(const struct tendon__options *options, const struct args *args,
                                struct tendon__fault *fault)
{
    for (uint32_t i = 0; i < args->count; i++) {
        if (args->list[i].size && !args->list[i].data)
            return tendon__fault_set(fault, TENDON_ERROR_ARGUMENT,
                                     "argument %u has a size but no bytes", i);
        if (args->list[i].size > (uint64_t)options->max_request_bytes)
            return tendon__fault_set(
                fault, TENDON_ERROR_LIMIT,
                "argument %u of %.*s has %zu bytes, more than option max_request_bytes (%lld); "
                "nothing was sent",
                i, (int)(args->list[0].size < 32 ? args->list[0].size : 32),
                (const char *)args->list[0].data, args->list[i].size,
                (long long)options->max_request_bytes);
    }
    if (!args->count || !args->list[0].size)
        return tendon__fault_set(fault, TENDON_ERROR_ARGUMENT, "a command needs a name");
    return TENDON_OK;
}

static tendon_status refuse_state(struct tendon__fault *fault, const struct args *args,
                                  const char *why)
{
    int length = (int)(args->list[0].size < 32 ? args->list[0].size : 32);
    return tendon__fault_set(fault, TENDON_ERROR_STATE, "%.*s %s", length,
                             (const char *)args->list[0].data, why);
}

/* What is known of a request while its commands are walked through. */
struct walk {
    bool by_slot;
    bool forms; /* replies are brought into the one form */
    bool grouped;
    uint32_t index;
    uint32_t count;
    bool in_multi;
    bool begins_multi;
    uint32_t shared;  /* flags that every command has so far */
    uint32_t asked;   /* those that every command was asked with */
    int64_t block_ms; /* how long the server may hold the answer; -1 for ever */
    struct tendon__group_keys *keys;
};

static tendon_status refuse_on_lane(struct tendon__fault *fault, const struct args *args)
{
    return refuse_state(fault, args,
                        "would change the connection of every caller; use a lease (for SELECT: "
                        "option db; for MULTI: an atomic group from MULTI to EXEC)");
}

/* On a lane a group may be a transaction from its first to its last command, and nothing else. */
static tendon_status judge_on_lane(const struct args *args, enum tendon__command_state state,
                                   struct walk *walk, struct tendon__fault *fault)
{
    bool first = walk->grouped && walk->index == 0 && walk->count > 1;
    bool last = walk->grouped && walk->index + 1 == walk->count;
    if (state == TENDON__STATE_SETTING)
        return TENDON_OK;
    if (state == TENDON__STATE_MULTI && first) {
        walk->in_multi = true;
        return TENDON_OK;
    }
    if ((state == TENDON__STATE_EXEC || state == TENDON__STATE_DISCARD) && walk->in_multi && last) {
        walk->in_multi = false;
        return TENDON_OK;
    }
    return refuse_on_lane(fault, args);
}

/* On a lease everything is the borrower's; what has to be undone afterwards is noted. */
static void note_dirt(struct tendon__request *request, enum tendon__command_state state,
                      struct walk *walk)
{
    request->ends = TENDON__ENDS_NOTHING;
    switch (state) {
    case TENDON__STATE_MULTI:
    case TENDON__STATE_WATCH:
        walk->in_multi |= state == TENDON__STATE_MULTI;
        request->dirt |= TENDON__DIRT_TRANSACTION;
        break;
    case TENDON__STATE_EXEC:
    case TENDON__STATE_DISCARD:
        walk->in_multi = false;
        request->ends = TENDON__ENDS_TRANSACTION;
        break;
    case TENDON__STATE_UNWATCH:
        request->ends = TENDON__ENDS_WATCH;
        break;
    case TENDON__STATE_SELECT:
        request->dirt |= TENDON__DIRT_DATABASE;
        break;
    default:
        request->dirt |= TENDON__DIRT_FOREVER;
        break;
    }
}

/* What the command would leave on its connection, and what is done about it. */
static tendon_status judge_state(struct tendon__request *request, const struct args *args,
                                 enum tendon__command_state state, struct walk *walk,
                                 struct tendon__fault *fault)
{
    request->ends = TENDON__ENDS_NOTHING;
    if (state == TENDON__STATE_NONE)
        return TENDON_OK;
    if (state == TENDON__STATE_SUBSCRIBE || state == TENDON__STATE_MONITOR ||
        state == TENDON__STATE_REPLY) {
        refuse_state(fault, args,
                     "is answered by a stream or not at all; see tendon_subscription_open for "
                     "SUBSCRIBE and MONITOR");
        if (fault)
            fault->status = TENDON_ERROR_UNSUPPORTED;
        return TENDON_ERROR_UNSUPPORTED;
    }
    if (!request->lease)
        return judge_on_lane(args, state, walk, fault);
    note_dirt(request, state, walk);
    return TENDON_OK;
}

static void note_slot(struct tendon__request *request, const struct args *args,
                      const struct tendon__command *command)
{
    uint32_t slot = 0;
    switch (tendon__command_slot(args->list, args->count, command, &slot)) {
    case TENDON__SLOT_NO_KEY:
        break;
    case TENDON__SLOT_CROSS:
        request->flags |= TENDON__REQUEST_CROSS_SLOT;
        break;
    case TENDON__SLOT_ONE:
        if (request->slot != TENDON__NO_SLOT && request->slot != slot)
            request->flags |= TENDON__REQUEST_CROSS_SLOT;
        request->slot = slot;
        break;
    }
}

/* Notes what one command of the request means. */
static tendon_status describe(struct tendon__request *request, const struct args *args,
                              uint32_t asked_flags, struct walk *walk, struct tendon__fault *fault)
{
    struct tendon__command command;
    tendon__command_look(args->list, args->count, &command);
    tendon_status status = judge_state(request, args, command.state, walk, fault);
    if (status != TENDON_OK)
        return status;
    uint32_t flags = asked_flags & (TENDON_REQUEST_READ_ONLY | TENDON_REQUEST_IDEMPOTENT);
    if (command.flags & TENDON__COMMAND_READ_ONLY)
        flags |= TENDON_REQUEST_READ_ONLY;
    if (command.flags & TENDON__COMMAND_IDEMPOTENT)
        flags |= TENDON_REQUEST_IDEMPOTENT;
    if (command.flags & TENDON__COMMAND_REPLICA_SAFE || asked_flags & TENDON_REQUEST_READ_ONLY)
        flags |= TENDON__REQUEST_REPLICA_SAFE;
    bool frame_word = walk->grouped &&
                      (command.state == TENDON__STATE_MULTI || command.state == TENDON__STATE_EXEC);
    if (!frame_word) {
        walk->shared &= flags;
        walk->asked &= asked_flags;
    }
    if (walk->grouped && !frame_word && walk->shared & TENDON_REQUEST_IDEMPOTENT)
        tendon__group_keys_add(walk->keys, args->list, args->count, &command);
    if (command.flags & TENDON__COMMAND_NO_RETRY)
        request->flags |= TENDON_REQUEST_NO_RETRY;
    /* Inside MULTI nothing blocks. */
    if (!walk->in_multi && command.flags & TENDON__COMMAND_BLOCKING) {
        int64_t block_ms = 0;
        request->flags |= TENDON_REQUEST_BLOCKING;
        if (!tendon__command_block_ms(args->list, args->count, &command, &block_ms) || block_ms < 0)
            walk->block_ms = -1;
        else if (walk->block_ms >= 0)
            walk->block_ms +=
                block_ms < INT64_MAX / TENDON__MS / 8 ? block_ms : INT64_MAX / TENDON__MS / 8;
    }
    if (walk->by_slot)
        note_slot(request, args, &command);
    const struct tendon__command_row *row = command.row;
    if (row && !(row->spread | row->forms | row->state) &&
        request->route < TENDON_ROUTE_ALL_PRIMARIES)
        return TENDON_OK;
    const struct tendon__note how = {
        .index = walk->index,
        .alone = !walk->grouped && !request->lease,
        .by_slot = walk->by_slot,
        .forms = walk->forms,
        .as_it_comes = asked_flags & TENDON_REQUEST_WIRE_REPLY,
    };
    return tendon__request_note(request, args->list, args->count, &command, &how, fault);
}

static tendon_status check_shape(const tendon_request *request, struct tendon__fault *fault)
{
    if (request->struct_size < sizeof(tendon_request))
        return tendon__fault_set(fault, TENDON_ERROR_ARGUMENT,
                                 "tendon_request.struct_size is %u, not %zu", request->struct_size,
                                 sizeof(tendon_request));
    if (request->route >= TENDON_ROUTE_ALL_PRIMARIES &&
        (request->lease || request->flags & (TENDON_REQUEST_ATOMIC | TENDON_REQUEST_CONNECT)))
        return tendon__fault_set(fault, TENDON_ERROR_ARGUMENT,
                                 "a lease or a group is on one node, not on all");
    if (request->route > TENDON_ROUTE_ALL_NODES || request->reserved || request->flags >> 8)
        return tendon__fault_set(fault, TENDON_ERROR_ARGUMENT,
                                 "unknown route or flags in a request");
    if (request->timeout_ms < TENDON_TIMEOUT_NONE)
        return tendon__fault_set(fault, TENDON_ERROR_ARGUMENT,
                                 "timeout_ms is %lld; it is 0, above 0, or TENDON_TIMEOUT_NONE",
                                 (long long)request->timeout_ms);
    if (request->route == TENDON_ROUTE_SLOT && request->slot >= TENDON__SLOT_COUNT)
        return tendon__fault_set(fault, TENDON_ERROR_ARGUMENT, "slot %u is not below 16384",
                                 request->slot);
    return TENDON_OK;
}

/* The arguments of one command, checked, and the size of its frame. args->many is to be freed. */
static tendon_status measure_one(struct tendon__memory *memory,
                                 const struct tendon__options *options, const tendon_request *asked,
                                 struct args *args, size_t *out_size, struct tendon__fault *fault)
{
    tendon_status status = unpack(memory, asked, args, fault);
    if (status == TENDON_OK)
        status = check_args(options, args, fault);
    if (status != TENDON_OK)
        return status;
    *out_size = tendon__encode_size(args->list, args->count);
    if (!*out_size)
        return tendon__fault_set(fault, TENDON_ERROR_LIMIT, "the command does not fit memory");
    return TENDON_OK;
}

/* First pass: checks and the size of the frame. */
static tendon_status measure(struct tendon__memory *memory, const struct tendon__options *options,
                             const tendon_request *first, size_t request_size, size_t count,
                             size_t *out_size, struct tendon__fault *fault)
{
    *out_size = 0;
    for (size_t i = 0; i < count; i++) {
        const tendon_request *asked = tendon__request_at(first, request_size, i);
        struct args args = {.many = NULL};
        size_t size = 0;
        tendon_status status = check_shape(asked, fault);
        if (status == TENDON_OK && asked->flags & TENDON_REQUEST_CONNECT)
            continue;
        if (status == TENDON_OK)
            status = measure_one(memory, options, asked, &args, &size, fault);
        tendon__memory_free(memory, args.many);
        if (status != TENDON_OK)
            return status;
        if (size > SIZE_MAX / 4 - *out_size)
            return tendon__fault_set(fault, TENDON_ERROR_LIMIT, "the command does not fit memory");
        *out_size += size;
    }
    return TENDON_OK;
}

struct tendon__request *tendon__request_allocate(struct tendon__memory *memory, size_t frame_bytes,
                                                 uint32_t commands, struct tendon__sink *sink)
{
    size_t size = sizeof(struct tendon__request) + frame_bytes;
    struct tendon__request *request = tendon__recycle_take(memory, size);
    if (!request)
        return NULL;
    memset(request, 0, sizeof *request);
    request->block_bytes = size;
    request->memory = memory;
    request->sink = sink;
    request->refs = 2;
    request->slot = TENDON__NO_SLOT;
    request->command_count = commands;
    request->frame = (uint8_t *)(request + 1);
    request->replies = &request->reply_one;
    if (commands > 1) {
        request->replies = tendon__memory_make(memory, commands * sizeof(tendon_reply *));
        request->tags = tendon__memory_make(memory, commands * sizeof(uint64_t));
        if (!request->replies || !request->tags) {
            tendon__memory_free(memory, request->replies);
            tendon__memory_free(memory, request->tags);
            tendon__recycle_free(memory, request, size);
            return NULL;
        }
    }
    return request;
}

static void release(struct tendon__request *request)
{
    request->refs = 1;
    tendon__request_unref(request);
}

static tendon_status set_route(struct tendon__request *request, uint32_t route, uint32_t slot,
                               tendon_bytes node, struct tendon__fault *fault)
{
    request->route = route;
    if (route == TENDON_ROUTE_SLOT)
        request->slot = slot;
    if (route != TENDON_ROUTE_NODE)
        return TENDON_OK;
    if (!node.size || !node.data)
        return tendon__fault_set(fault, TENDON_ERROR_ARGUMENT, "TENDON_ROUTE_NODE needs a node");
    request->node_name = tendon__memory_text(request->memory, node.data, node.size);
    return request->node_name
               ? TENDON_OK
               : tendon__fault_set(fault, TENDON_ERROR_NO_MEMORY, "no memory for the node's name");
}

/* One command into the request: encodes and describes it. Returns its end in the frame. */
static tendon_status fill_one(struct tendon__request *request, const tendon_request *asked,
                              const struct args *args, struct walk *walk, uint8_t **end,
                              struct tendon__fault *fault)
{
    *end = tendon__encode(*end, args->list, args->count);
    tendon_status status = describe(request, args, asked->flags, walk, fault);
    walk->begins_multi |= walk->index == 0 && walk->in_multi;
    return status;
}

static struct walk begin_walk(const struct tendon__request *request,
                              const struct tendon__options *options, bool by_slot, uint32_t flags)
{
    return (struct walk){
        .by_slot = by_slot,
        .forms = options->reply_form == TENDON__REPLY_FORM_RESP3,
        .grouped = flags & TENDON_REQUEST_ATOMIC,
        .count = request->command_count,
        .shared =
            TENDON_REQUEST_READ_ONLY | TENDON_REQUEST_IDEMPOTENT | TENDON__REQUEST_REPLICA_SAFE,
        .asked = TENDON_REQUEST_IDEMPOTENT,
    };
}

/* What is known of the request once all of its commands are. */
static tendon_status end_walk(struct tendon__request *request,
                              const struct tendon__options *options, const tendon_request *first,
                              const struct walk *walk, struct tendon__fault *fault)
{
    if (walk->in_multi && !request->lease)
        return tendon__fault_set(fault, TENDON_ERROR_STATE,
                                 "a group that begins with MULTI must end with EXEC");
    if (walk->begins_multi && !request->lease)
        request->flags |= TENDON__REQUEST_TRANSACTION;
    uint32_t shared = walk->shared;
    if (walk->keys->meet)
        shared &= ~TENDON_REQUEST_IDEMPOTENT | walk->asked;
    if (!(request->flags & TENDON_REQUEST_CONNECT))
        request->flags |= shared;
    if (first->route == TENDON_ROUTE_SLOT) {
        request->slot = first->slot;
        request->flags &= ~TENDON__REQUEST_CROSS_SLOT;
    }
    request->timeout_ns = tendon__request_timeout(
        options, first, request->flags & TENDON_REQUEST_BLOCKING, walk->block_ms);
    return TENDON_OK;
}

static void note_flags(struct tendon__request *request, uint32_t asked)
{
    request->flags |= asked & ~(TENDON_REQUEST_READ_ONLY | TENDON_REQUEST_IDEMPOTENT);
}

/* Second pass: encodes and describes each command. `ready` are the arguments of the only one, or
 * NULL. */
static tendon_status fill(struct tendon__request *request, const struct tendon__options *options,
                          bool by_slot, const tendon_request *first, size_t request_size,
                          const struct args *ready, struct tendon__fault *fault)
{
    struct walk walk = begin_walk(request, options, by_slot, first->flags);
    struct tendon__group_keys keys;
    tendon__group_keys_init(&keys);
    walk.keys = &keys;
    uint8_t *end = request->frame;
    tendon_status status = set_route(request, first->route, first->slot, first->node, fault);
    if (ready && status == TENDON_OK) {
        note_flags(request, first->flags);
        status = fill_one(request, first, ready, &walk, &end, fault);
    }
    for (; !ready && walk.index < walk.count && status == TENDON_OK; walk.index++) {
        const tendon_request *asked = tendon__request_at(first, request_size, walk.index);
        if (request->tags)
            request->tags[walk.index] = asked->tag;
        note_flags(request, asked->flags);
        if (asked->flags & TENDON_REQUEST_CONNECT)
            continue;
        struct args args;
        status = unpack(request->memory, asked, &args, fault);
        if (status == TENDON_OK)
            status = fill_one(request, asked, &args, &walk, &end, fault);
        tendon__memory_free(request->memory, args.many);
    }
    request->frame_bytes = (size_t)(end - request->frame);
    return status == TENDON_OK ? end_walk(request, options, first, &walk, fault) : status;
}

tendon_status tendon__request_build(struct tendon__memory *memory,
                                    const struct tendon__options *options, bool by_slot,
                                    const tendon_request *first, size_t request_size, size_t count,
                                    struct tendon__sink *sink, struct tendon__request **out,
                                    struct tendon__fault *fault)
{
    size_t frame_bytes = 0;
    struct args args;
    struct tendon__request *request = NULL;
    bool is_one = count == 1 && !(first->flags & TENDON_REQUEST_CONNECT);
    args.many = NULL;
    tendon_status status =
        is_one ? check_shape(first, fault)
               : measure(memory, options, first, request_size, count, &frame_bytes, fault);
    if (is_one && status == TENDON_OK)
        status = measure_one(memory, options, first, &args, &frame_bytes, fault);
    if (status == TENDON_OK &&
        !(request = tendon__request_allocate(memory, frame_bytes, (uint32_t)count, sink)))
        status = tendon__fault_set(fault, TENDON_ERROR_NO_MEMORY, "no memory for the request");
    if (status == TENDON_OK) {
        request->tag = first->tag;
        if (first->lease) {
            request->lease = first->lease;
            __atomic_add_fetch(&first->lease->refs, 1, __ATOMIC_RELAXED);
        }
        status = fill(request, options, by_slot, first, request_size, is_one ? &args : NULL, fault);
    }
    if (args.many)
        tendon__memory_free(memory, args.many);
    if (status == TENDON_OK)
        *out = request;
    else if (request)
        release(request);
    return status;
}

/* What a subscription understands; the names of MONITOR and PING are none. */
static tendon_status check_subscribing(const struct args *args, struct tendon__fault *fault)
{
    struct tendon__command command;
    tendon__command_look(args->list, args->count, &command);
    int length = (int)(args->list[0].size < 32 ? args->list[0].size : 32);
    const char *word = args->list[0].data;
    bool pings = tendon__word_is(args->list[0], "PING");
    bool monitors = tendon__word_is(args->list[0], "MONITOR");
    if (!pings && !monitors && command.state != TENDON__STATE_SUBSCRIBE) {
        tendon__fault_set(fault, TENDON_ERROR_UNSUPPORTED,
                          "%.*s is no command of a subscription; send it by tendon_call", length,
                          word);
        return TENDON_ERROR_UNSUPPORTED;
    }
    uint32_t least = command.row && command.row->arity < 0 ? (uint32_t)-command.row->arity : 1;
    bool too_many = (pings && args->count > 2) || (monitors && args->count > 1);
    if (too_many || args->count < least)
        return tendon__fault_set(fault, TENDON_ERROR_ARGUMENT, "wrong number of arguments for %.*s",
                                 length, word);
    return TENDON_OK;
}

tendon_status tendon__request_subscribe(struct tendon__memory *memory,
                                        const struct tendon__options *options,
                                        const tendon_request *asked,
                                        struct tendon_subscription *subscription,
                                        struct tendon__sink *sink, struct tendon__request **out,
                                        struct tendon__fault *fault)
{
    struct args args = {0};
    size_t frame_bytes = 0;
    tendon_status status = measure(memory, options, asked, sizeof *asked, 1, &frame_bytes, fault);
    if (status == TENDON_OK)
        status = unpack(memory, asked, &args, fault);
    if (status == TENDON_OK)
        status = check_subscribing(&args, fault);
    struct tendon__request *request =
        status == TENDON_OK ? tendon__request_allocate(memory, frame_bytes, 1, sink) : NULL;
    if (request) {
        request->tag = asked->tag;
        request->subscription = subscription;
        request->timeout_ns = tendon__request_timeout(options, asked, false, 0);
        request->frame_bytes =
            (size_t)(tendon__encode(request->frame, args.list, args.count) - request->frame);
        __atomic_add_fetch(&subscription->refs, 1, __ATOMIC_RELAXED);
        *out = request;
    } else if (status == TENDON_OK) {
        status = tendon__fault_set(fault, TENDON_ERROR_NO_MEMORY, "no memory for the request");
    }
    tendon__memory_free(memory, args.many);
    return status;
}

struct tendon__request *tendon__request_open_lease(struct tendon__memory *memory,
                                                   const struct tendon__options *options,
                                                   tendon_lease *lease,
                                                   const tendon_lease_options *wanted,
                                                   struct tendon__sink *sink)
{
    struct tendon__request *request = tendon__request_allocate(memory, 0, 1, sink);
    if (!request)
        return NULL;
    request->flags = TENDON__REQUEST_OPEN_LEASE;
    request->lease = lease;
    __atomic_add_fetch(&lease->refs, 1, __ATOMIC_RELAXED);
    int64_t timeout_ns = tendon__request_default_timeout(options);
    if (wanted &&
        set_route(request, wanted->route, wanted->slot, wanted->node, NULL) != TENDON_OK) {
        release(request);
        return NULL;
    }
    if (wanted && wanted->route == TENDON_ROUTE_AUTO && wanted->key.data)
        request->slot = tendon__key_slot(wanted->key.data, wanted->key.size);
    if (wanted && wanted->timeout_ms > 0)
        timeout_ns = wanted->timeout_ms * TENDON__MS;
    request->timeout_ns = timeout_ns;
    return request;
}
