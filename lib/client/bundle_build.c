/* Public requests to a bundle, on the caller's thread: what may go together is found first, so that
 * all of it is one block. */
#include <string.h>

#include "base/recycle.h"
#include "client/bundle.h"
#include "client/command.h"
#include "client/request_build.h"
#include "resp/encoder.h"

/* Flags that a command may have in a bundle. */
#define PLAIN_FLAGS                                                                                \
    (TENDON_REQUEST_READ_ONLY | TENDON_REQUEST_IDEMPOTENT | TENDON_REQUEST_NO_RETRY |              \
     TENDON_REQUEST_WIRE_REPLY)
/* What a command may not be: its name is not all of it, or it wants a connection of its own. */
#define OTHER_COMMANDS (TENDON__COMMAND_CONTAINER | TENDON__COMMAND_BLOCKING)
#define LENGTH_BYTES   16u /* of the header and the end of an argument, at most, and some */
#define ARGS_FEW       64u /* of a command whose arguments are kept on the stack */

/* What is known of the run of commands that is looked at. */
struct run {
    const struct tendon__options *options;
    const tendon_request *first;
    size_t request_size;
    uint32_t count;
    size_t frame_bytes;
    bool has_forms;
    /* The name of the last command, and what it is: most follow their like. */
    const void *name;
    size_t name_size;
    struct tendon__command command;
    const struct tendon__owners *owners; /* of a cluster, else NULL */
    struct placed *placed;               /* and where its commands go */
};

/* A command of a run that is for a cluster. */
struct placed {
    uint32_t bytes;
    uint16_t shard;
    uint16_t index; /* in the run */
};

static const tendon_request *asked_at(const struct run *run, size_t index)
{
    return tendon__request_at(run->first, run->request_size, index);
}

/* Whether a command of this name may be in a bundle; the arguments have no say in that. */
static bool may_join(struct run *run, const void *name, size_t size)
{
    if (size && size == run->name_size && (name == run->name || !memcmp(name, run->name, size)))
        return true;
    const struct tendon__command *command = &run->command;
    const tendon_bytes text = {name, size};
    run->name_size = 0;
    if (!size || !name || !tendon__command_look(&text, 1, &run->command) ||
        command->state != TENDON__STATE_NONE || command->row->flags & OTHER_COMMANDS)
        return false;
    run->has_forms |= command->row->forms != 0;
    run->name = name;
    run->name_size = size;
    return true;
}

static bool is_like_first(const tendon_request *asked, const tendon_request *first)
{
    return asked->struct_size >= sizeof *asked && asked->flags == first->flags &&
           asked->route == TENDON_ROUTE_AUTO && asked->timeout_ms == first->timeout_ms &&
           !asked->lease && !asked->reserved && asked->arg_count &&
           asked->arg_count <= TENDON__ARGS_MAX;
}

/* The frame of the command without the digits of its lengths; 0 when something about its arguments
 * is for others to judge. */
static size_t measure(const struct run *run, const tendon_request *asked)
{
    size_t max = (size_t)run->options->max_request_bytes;
    size_t bytes = 0;
    if (asked->args) {
        for (uint32_t i = 0; i < asked->arg_count; i++) {
            if (asked->args[i].size > max || (asked->args[i].size && !asked->args[i].data))
                return 0;
            bytes += asked->args[i].size;
        }
    } else {
        if (!asked->packed_sizes || !asked->packed)
            return 0;
        for (uint32_t i = 0; i < asked->arg_count; i++) {
            if (asked->packed_sizes[i] > max)
                return 0;
            bytes += asked->packed_sizes[i];
        }
    }
    return bytes + ((size_t)asked->arg_count + 1) * LENGTH_BYTES;
}

/* Which shard all keys of the command belong to; TENDON__NO_SHARD when that cannot be said. The
 * command of the run is this one's. */
static uint16_t shard_of(const struct run *run, const tendon_request *asked)
{
    tendon_bytes few[ARGS_FEW];
    const tendon_bytes *args = asked->args;
    uint32_t slot = 0;
    if (!args) {
        if (asked->arg_count > ARGS_FEW)
            return TENDON__NO_SHARD;
        const char *at = asked->packed;
        for (uint32_t i = 0; i < asked->arg_count; at += asked->packed_sizes[i++])
            few[i] = (tendon_bytes){at, asked->packed_sizes[i]};
        args = few;
    }
    if (tendon__command_slot(args, asked->arg_count, &run->command, &slot) != TENDON__SLOT_ONE)
        return TENDON__NO_SHARD;
    return tendon__owners_shard(run->owners, slot);
}

/* Notes where the last command of the run goes; false when it cannot be in the run. */
static bool place(struct run *run, const tendon_request *asked, size_t bytes)
{
    uint16_t shard = shard_of(run, asked);
    if (shard == TENDON__NO_SHARD)
        return false;
    run->placed[run->count] = (struct placed){(uint32_t)bytes, shard, (uint16_t)run->count};
    return true;
}

static void find_run(struct run *run, size_t count)
{
    size_t max = (size_t)run->options->max_in_flight;
    if (count > max)
        count = max;
    if (count > TENDON__BUNDLE_MAX)
        count = TENDON__BUNDLE_MAX;
    while (run->count < count && run->frame_bytes < TENDON__BUNDLE_BYTES) {
        const tendon_request *asked = asked_at(run, run->count);
        if (!is_like_first(asked, run->first))
            return;
        const void *name = asked->args ? asked->args[0].data : asked->packed;
        size_t bytes = measure(run, asked);
        size_t size = asked->args ? asked->args[0].size : asked->packed_sizes[0];
        if (!bytes || bytes > TENDON__BUNDLE_BYTES || !may_join(run, name, size))
            return;
        if (run->owners && !place(run, asked, bytes))
            return;
        run->frame_bytes += bytes;
        run->count++;
    }
}

/* One block for `count` commands of a run: the request, the bundle, what they hold of each command,
 * and the frame. */
static struct tendon__request *allocate(struct tendon__memory *memory, const struct run *run,
                                        uint32_t count, size_t frame_bytes,
                                        struct tendon__sink *sink)
{
    size_t each = sizeof(tendon_reply *) + sizeof(uint64_t) + sizeof(uint32_t) + sizeof(uint8_t) +
                  (run->owners ? sizeof(uint32_t) : 0);
    size_t fixed = sizeof(struct tendon__request) + sizeof(struct tendon__bundle);
    size_t size = fixed + count * each + frame_bytes;
    struct tendon__request *request = tendon__recycle_take(memory, size);
    if (!request)
        return NULL;
    memset(request, 0, fixed);
    struct tendon__bundle *bundle = (struct tendon__bundle *)(void *)(request + 1);
    request->bundle = bundle;
    request->block_bytes = size;
    request->memory = memory;
    request->sink = sink;
    request->refs = 2;
    request->slot = TENDON__NO_SLOT;
    request->command_count = count;
    request->replies = &request->reply_one;
    bundle->replies = (tendon_reply **)(void *)(bundle + 1);
    bundle->tags = (uint64_t *)(void *)(bundle->replies + count);
    bundle->ends = (uint32_t *)(void *)(bundle->tags + count);
    uint32_t *behind = bundle->ends + count;
    if (run->owners) {
        bundle->places = behind;
        behind += count;
    }
    bundle->fates = (uint8_t *)behind;
    memset(bundle->fates, TENDON__FATE_OPEN, count);
    request->frame = bundle->fates + count;
    request->timeout_ns = tendon__request_timeout(run->options, run->first, false, 0);
    bundle->asked_flags = run->first->flags;
    bundle->asked_timeout_ms = run->first->timeout_ms;
    bundle->has_forms = run->has_forms && run->options->reply_form == TENDON__REPLY_FORM_RESP3 &&
                        !(run->first->flags & TENDON_REQUEST_WIRE_REPLY);
    return request;
}

/* The next command of the bundle, number `index` there, to be written at `end`. Returns the new
 * end. */
static inline uint8_t *add(struct tendon__request *request, uint32_t index,
                           const tendon_request *asked, uint8_t *end)
{
    struct tendon__bundle *bundle = request->bundle;
    bundle->tags[index] = asked->tag;
    end = asked->args
              ? tendon__encode(end, asked->args, asked->arg_count)
              : tendon__encode_packed(end, asked->packed, asked->packed_sizes, asked->arg_count);
    bundle->ends[index] = (uint32_t)(end - request->frame);
    return end;
}

static bool may_begin(const tendon_request *first, size_t count)
{
    return count >= 2 && !(first->flags & ~PLAIN_FLAGS) && first->timeout_ms >= TENDON_TIMEOUT_NONE;
}

struct tendon__request *tendon__bundle_build(struct tendon__memory *memory,
                                             const struct tendon__options *options,
                                             const tendon_request *first, size_t request_size,
                                             size_t count, struct tendon__sink *sink,
                                             size_t *out_count)
{
    struct run run = {.options = options, .first = first, .request_size = request_size};
    if (!may_begin(first, count))
        return NULL;
    find_run(&run, count);
    struct tendon__request *request =
        run.count >= 2 ? allocate(memory, &run, run.count, run.frame_bytes, sink) : NULL;
    if (!request)
        return NULL;
    uint8_t *end = request->frame;
    for (uint32_t i = 0; i < run.count; i++)
        end = add(request, i, asked_at(&run, i), end);
    request->frame_bytes = (size_t)(end - request->frame);
    *out_count = run.count;
    return request;
}

/* The commands to the shard of the first that is left, as a bundle; the others, *left of them then,
 * move up. */
static struct tendon__request *take_shard(struct tendon__memory *memory, const struct run *run,
                                          uint32_t *left, uint32_t place_of_run,
                                          struct tendon__sink *sink)
{
    struct placed *placed = run->placed;
    uint16_t shard = placed[0].shard;
    uint32_t count = 0;
    uint32_t others = 0;
    size_t bytes = 0;
    for (uint32_t i = 0; i < *left; i++) {
        bool is_here = placed[i].shard == shard;
        count += is_here;
        bytes += is_here ? placed[i].bytes : 0;
    }
    struct tendon__request *request = allocate(memory, run, count, bytes, sink);
    if (!request)
        return NULL;
    struct tendon__bundle *bundle = request->bundle;
    bundle->shard = shard;
    uint8_t *end = request->frame;
    count = 0;
    for (uint32_t i = 0; i < *left; i++) {
        if (placed[i].shard != shard) {
            placed[others++] = placed[i];
            continue;
        }
        bundle->places[count] = place_of_run + placed[i].index;
        end = add(request, count++, asked_at(run, placed[i].index), end);
    }
    request->frame_bytes = (size_t)(end - request->frame);
    *left = others;
    return request;
}

static void drop(struct tendon__link *bundles)
{
    struct tendon__link *link;
    while ((link = tendon__list_shift(bundles))) {
        struct tendon__request *request = TENDON__OWNER(link, struct tendon__request, item.link);
        request->refs = 1;
        tendon__request_unref(request);
    }
}

size_t tendon__bundle_split(struct tendon__memory *memory, const struct tendon__options *options,
                            const struct tendon__owners *owners, const tendon_request *first,
                            size_t request_size, size_t count, uint32_t place,
                            struct tendon__sink *sink, struct tendon__link *out)
{
    struct placed placed[TENDON__BUNDLE_MAX];
    struct run run = {.options = options,
                      .first = first,
                      .request_size = request_size,
                      .owners = owners,
                      .placed = placed};
    struct tendon__link bundles;
    uint64_t map_turn = tendon__owners_turn(owners);
    if (!map_turn || options->read_from != TENDON__READ_FROM_PRIMARY || !may_begin(first, count))
        return 0;
    find_run(&run, count);
    if (run.count < 2)
        return 0;
    tendon__list_init(&bundles);
    for (uint32_t left = run.count; left;) {
        struct tendon__request *request = take_shard(memory, &run, &left, place, sink);
        if (!request) {
            drop(&bundles);
            return 0;
        }
        request->bundle->map_turn = map_turn;
        tendon__list_push(&bundles, &request->item.link);
    }
    tendon__list_splice(out, &bundles);
    return run.count;
}

struct tendon__request *tendon__bundle_member(const struct tendon__request *request, uint32_t index,
                                              const struct tendon__options *options)
{
    const struct tendon__bundle *bundle = request->bundle;
    const uint8_t *frame = request->frame + (index ? bundle->ends[index - 1] : 0);
    uint32_t count = tendon__encoded_count(frame);
    tendon_bytes few[ARGS_FEW];
    tendon_bytes *args =
        count <= ARGS_FEW ? few : tendon__memory_take(request->memory, count * sizeof *args);
    if (!args)
        return NULL;
    tendon__encoded_args(frame, args, count);
    const tendon_request asked = {.struct_size = sizeof asked,
                                  .flags = bundle->asked_flags,
                                  .args = args,
                                  .arg_count = count,
                                  .tag = bundle->tags[index],
                                  .timeout_ms = bundle->asked_timeout_ms};
    struct tendon__request *member = NULL;
    struct tendon__fault fault;
    /* What it says of a member that cannot be built can only be that memory ran out. */
    bool by_slot = bundle->map_turn != 0;
    if (tendon__request_build(request->memory, options, by_slot, &asked, sizeof asked, 1,
                              request->sink, &member, &fault) != TENDON_OK)
        member = NULL;
    if (args != few)
        tendon__memory_free(request->memory, args);
    return member;
}
