/*
 * One outcome from those of several nodes, by the response policy of the command. A failure says
 * how many of the parts failed and which node was the first; `executed` is unknown as soon as one
 * of them was executed or may have been.
 */
#include <string.h>

#include "client/spread.h"

/* The parts by what became of them, with the first of each kind. */
struct tally {
    uint32_t failed;
    uint32_t errors;
    uint32_t good;
    uint32_t first_failed;
    uint32_t first_error;
    uint32_t first_good;
    bool may_have_run; /* a part that failed may have been executed */
};

/* A reply in the making. */
struct builder {
    tendon_node *nodes;
    uint32_t count;
    uint8_t *data;
    size_t data_bytes;
};

static const tendon_reply *reply_of(const struct tendon__spread_call *call, uint32_t index)
{
    return call->parts[index].request->replies[0];
}

static struct tally count_parts(const struct tendon__spread_call *call)
{
    struct tally tally = {0};
    for (uint32_t i = call->count; i-- > 0;) {
        const struct tendon__request *part = call->parts[i].request;
        if (part->attempts > call->whole->attempts)
            call->whole->attempts = part->attempts;
        if (part->status != TENDON_OK) {
            tally.failed++;
            tally.first_failed = i;
            tally.may_have_run |= part->executed != TENDON_EXECUTED_NO;
        } else if (reply_of(call, i)->nodes[0].type == TENDON_NODE_ERROR) {
            tally.errors++;
            tally.first_error = i;
        } else {
            tally.good++;
            tally.first_good = i;
        }
    }
    return tally;
}

/* The reply of one part is that of the whole. */
static bool take(struct tendon__spread_call *call, uint32_t index)
{
    struct tendon__request *part = call->parts[index].request;
    call->whole->replies[0] = part->replies[0];
    call->whole->reply_count = 1;
    part->replies[0] = NULL;
    part->reply_count = 0;
    return true;
}

/* Says of whom and of how many the fault is. */
static bool blame(const struct tendon__spread_call *call, uint32_t index, uint32_t failed,
                  struct tendon__fault *fault)
{
    struct tendon__fault said = *fault;
    const char *node = call->parts[index].node;
    tendon__fault_set(fault, said.status, "%u of %u parts failed, the first%s%.100s: %.250s",
                      failed, call->count, node[0] ? " at " : "", node, said.text);
    fault->executed = said.executed;
    memcpy(fault->prefix, said.prefix, sizeof fault->prefix);
    memcpy(fault->node, node, sizeof fault->node);
    return false;
}

static bool fail(const struct tendon__spread_call *call, const struct tally *tally,
                 struct tendon__fault *fault)
{
    tendon__request_fault(call->parts[tally->first_failed].request, fault);
    if (tally->good || tally->may_have_run)
        fault->executed = TENDON_EXECUTED_UNKNOWN;
    return blame(call, tally->first_failed, tally->failed + tally->errors, fault);
}

/* Errors of servers. Where nothing was changed the first one is the reply, as from one server. */
static bool refuse(struct tendon__spread_call *call, const struct tally *tally,
                   struct tendon__fault *fault)
{
    if (!tally->good || call->whole->flags & TENDON_REQUEST_READ_ONLY)
        return take(call, tally->first_error);
    const tendon_reply *reply = reply_of(call, tally->first_error);
    const struct tendon__tape tape = {reply->nodes, (uint32_t)reply->node_count, reply->data};
    tendon_bytes text = tendon__tape_text(&tape, 0);
    tendon__fault_server(fault, TENDON_ERROR_SERVER, text.data, text.size);
    fault->executed = TENDON_EXECUTED_UNKNOWN;
    return blame(call, tally->first_error, tally->errors, fault);
}

static bool puzzle(const struct tendon__spread_call *call, uint32_t index,
                   struct tendon__fault *fault)
{
    tendon__fault_set(fault, TENDON_ERROR_PROTOCOL, "its answer cannot be put beside the others");
    fault->executed = TENDON_EXECUTED_YES;
    return blame(call, index, 1, fault);
}

static int64_t combine(uint8_t merge, int64_t a, int64_t b)
{
    switch ((enum tendon__merge)merge) {
    case TENDON__MERGE_SUM:
        return (int64_t)((uint64_t)a + (uint64_t)b);
    case TENDON__MERGE_MIN:
        return a < b ? a : b;
    case TENDON__MERGE_MAX:
        return a > b ? a : b;
    case TENDON__MERGE_AND:
        return a && b;
    default:
        return a || b;
    }
}

/* A number, or an array of as many numbers as the others have. */
static bool is_like(const tendon_reply *one, const tendon_reply *other)
{
    if (one->node_count != other->node_count)
        return false;
    for (uint64_t i = 0; i < one->node_count; i++) {
        uint8_t type = one->nodes[i].type;
        bool head = i == 0 && type == TENDON_NODE_ARRAY && one->node_count > 1;
        if (type != other->nodes[i].type || (type != TENDON_NODE_INTEGER && !head))
            return false;
    }
    return true;
}

static bool combine_numbers(struct tendon__spread_call *call, struct tendon__fault *fault)
{
    const tendon_reply *sum = reply_of(call, 0);
    tendon_node *nodes = (tendon_node *)(uintptr_t)sum->nodes; /* ours until it is handed out */
    for (uint32_t part = 0; part < call->count; part++) {
        const tendon_reply *reply = reply_of(call, part);
        if (!is_like(sum, reply))
            return puzzle(call, part, fault);
        for (uint64_t i = 0; part && i < sum->node_count; i++)
            if (nodes[i].type == TENDON_NODE_INTEGER)
                nodes[i].value.integer = combine(call->whole->merge, nodes[i].value.integer,
                                                 reply->nodes[i].value.integer);
    }
    return take(call, 0);
}

/* One that is not null, at random, so that no node is preferred. */
static bool take_any_value(struct tendon__spread_call *call)
{
    uint32_t start = (uint32_t)tendon__random_below(&call->engine->random, call->count);
    for (uint32_t i = 0; i < call->count; i++) {
        uint32_t part = (start + i) % call->count;
        if (reply_of(call, part)->nodes[0].type != TENDON_NODE_NULL)
            return take(call, part);
    }
    return take(call, start);
}

/* Room for all replies, and `extra` bytes and a node for each part. */
static bool provide(const struct tendon__spread_call *call, struct builder *builder, size_t extra,
                    struct tendon__fault *fault)
{
    uint64_t nodes = 1;
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < call->count; i++) {
        nodes += reply_of(call, i)->node_count + 1;
        bytes += reply_of(call, i)->data_bytes + extra;
    }
    const struct tendon__decode_limits *limits = &call->engine->limits;
    *builder = (struct builder){0};
    if (nodes > (uint64_t)limits->nodes_max + call->count + 1 ||
        bytes > limits->bytes_max + extra * call->count) {
        tendon__fault_set(fault, TENDON_ERROR_LIMIT,
                          "the answers of all nodes together cross a limit; see options "
                          "max_reply_bytes and max_reply_elements");
        fault->executed = TENDON_EXECUTED_YES;
        return false;
    }
    builder->nodes = tendon__memory_take(call->engine->memory, nodes * sizeof(tendon_node));
    builder->data = tendon__memory_take(call->engine->memory, bytes + 1);
    if (builder->nodes && builder->data)
        return true;
    tendon__fault_set(fault, TENDON_ERROR_NO_MEMORY, "no memory for the answers of all nodes");
    fault->executed = TENDON_EXECUTED_YES;
    return false;
}

static size_t add_data(struct builder *builder, const void *bytes, size_t size)
{
    size_t base = builder->data_bytes;
    if (size)
        memcpy(builder->data + base, bytes, size);
    builder->data_bytes += size;
    return base;
}

/* Nodes from `first` on whose texts are `base` bytes further in our data. */
static void add_nodes(struct builder *builder, const tendon_reply *reply, uint32_t first,
                      uint32_t count, size_t base)
{
    const struct tendon__tape tape = {reply->nodes, (uint32_t)reply->node_count, reply->data};
    for (uint32_t i = first; i < first + count; i++) {
        tendon_node *node = &builder->nodes[builder->count++];
        *node = reply->nodes[i];
        if (tendon__tape_is_text(&tape, i))
            node->value.offset += base;
    }
}

static bool hand_out(struct tendon__spread_call *call, struct builder *builder, uint8_t type,
                     uint32_t size, struct tendon__fault *fault)
{
    builder->nodes[0] = (tendon_node){.type = type, .size = size, .value.span = builder->count};
    tendon_reply *reply = tendon__reply_copy(call->whole->memory, builder->nodes, builder->count,
                                             builder->data, builder->data_bytes);
    call->whole->replies[0] = reply;
    call->whole->reply_count = reply != NULL;
    if (!reply) {
        tendon__fault_set(fault, TENDON_ERROR_NO_MEMORY, "no memory for the answers of all nodes");
        fault->executed = TENDON_EXECUTED_YES;
    }
    return reply != NULL;
}

static bool is_list(const tendon_node *node, uint8_t type)
{
    return node->type == type && (type == TENDON_NODE_ARRAY || type == TENDON_NODE_SET);
}

/* All elements in one array. */
static bool join(struct tendon__spread_call *call, struct builder *builder,
                 struct tendon__fault *fault)
{
    uint8_t type = reply_of(call, 0)->nodes[0].type;
    uint32_t size = 0;
    builder->count = 1;
    for (uint32_t i = 0; i < call->count; i++) {
        const tendon_reply *reply = reply_of(call, i);
        if (!is_list(&reply->nodes[0], type))
            return puzzle(call, i, fault);
        size_t base = add_data(builder, reply->data, reply->data_bytes);
        add_nodes(builder, reply, 1, (uint32_t)reply->node_count - 1, base);
        size += reply->nodes[0].size;
    }
    return hand_out(call, builder, type, size, fault);
}

/* Where the value of a key is. */
struct value_place {
    uint32_t part;
    uint32_t node;
    size_t base;
};

static bool place_values(struct tendon__spread_call *call, struct builder *builder,
                         struct value_place *places, struct tendon__fault *fault)
{
    for (uint32_t i = 0; i < call->count; i++) {
        const struct tendon__part *part = &call->parts[i];
        const tendon_reply *reply = reply_of(call, i);
        const struct tendon__tape tape = {reply->nodes, (uint32_t)reply->node_count, reply->data};
        if (reply->nodes[0].type != TENDON_NODE_ARRAY || reply->nodes[0].size != part->count)
            return puzzle(call, i, fault);
        size_t base = add_data(builder, reply->data, reply->data_bytes);
        uint32_t node = 1;
        for (uint32_t j = 0; j < part->count; j++) {
            places[call->order[part->first + j]] = (struct value_place){i, node, base};
            node = tendon__tape_skip(&tape, node);
        }
    }
    return true;
}

/* One value for each key, in the order of the keys. */
static bool restore_order(struct tendon__spread_call *call, struct builder *builder,
                          struct tendon__fault *fault)
{
    struct value_place *places =
        tendon__memory_take(call->engine->memory, call->key_count * sizeof *places);
    if (!places) {
        tendon__fault_set(fault, TENDON_ERROR_NO_MEMORY, "no memory for the answers of all nodes");
        fault->executed = TENDON_EXECUTED_YES;
        return false;
    }
    bool placed = place_values(call, builder, places, fault);
    builder->count = 1;
    for (uint32_t i = 0; placed && i < call->key_count; i++) {
        const tendon_reply *reply = reply_of(call, places[i].part);
        const struct tendon__tape tape = {reply->nodes, (uint32_t)reply->node_count, reply->data};
        uint32_t count = tendon__tape_skip(&tape, places[i].node) - places[i].node;
        add_nodes(builder, reply, places[i].node, count, places[i].base);
    }
    tendon__memory_free(call->engine->memory, places);
    return placed && hand_out(call, builder, TENDON_NODE_ARRAY, call->key_count, fault);
}

/* What each node answered, by its name. */
static bool map_nodes(struct tendon__spread_call *call, struct builder *builder,
                      struct tendon__fault *fault)
{
    builder->count = 1;
    for (uint32_t i = 0; i < call->count; i++) {
        const tendon_reply *reply = reply_of(call, i);
        const char *name = call->parts[i].node;
        size_t size = strlen(name);
        size_t at = add_data(builder, name, size);
        builder->nodes[builder->count++] =
            (tendon_node){.type = TENDON_NODE_STRING, .size = (uint32_t)size, .value.offset = at};
        size_t base = add_data(builder, reply->data, reply->data_bytes);
        add_nodes(builder, reply, 0, (uint32_t)reply->node_count, base);
    }
    return hand_out(call, builder, TENDON_NODE_MAP, call->count * 2, fault);
}

static bool build(struct tendon__spread_call *call, struct tendon__fault *fault)
{
    struct builder builder;
    bool done = provide(call, &builder, TENDON__FAULT_NODE_MAX, fault);
    if (done && call->whole->merge == TENDON__MERGE_JOINED)
        done = join(call, &builder, fault);
    else if (done && call->whole->merge == TENDON__MERGE_ORDERED)
        done = restore_order(call, &builder, fault);
    else if (done)
        done = map_nodes(call, &builder, fault);
    tendon__memory_free(call->engine->memory, builder.nodes);
    tendon__memory_free(call->engine->memory, builder.data);
    return done;
}

bool tendon__merge(struct tendon__spread_call *call, struct tendon__fault *fault)
{
    struct tally tally = count_parts(call);
    uint8_t merge = call->whole->merge;
    if (merge == TENDON__MERGE_ONE_SUCCEEDED && tally.good)
        return take(call, tally.first_good);
    if (tally.failed)
        return fail(call, &tally, fault);
    if (tally.errors && merge != TENDON__MERGE_NODES)
        return refuse(call, &tally, fault);
    switch ((enum tendon__merge)merge) {
    case TENDON__MERGE_SUM:
    case TENDON__MERGE_MIN:
    case TENDON__MERGE_MAX:
    case TENDON__MERGE_AND:
    case TENDON__MERGE_OR:
        return combine_numbers(call, fault);
    case TENDON__MERGE_JOINED:
    case TENDON__MERGE_ORDERED:
    case TENDON__MERGE_NODES:
        return build(call, fault);
    case TENDON__MERGE_ANY_VALUE:
        return take_any_value(call);
    default:
        return take(call, tally.first_good);
    }
}
