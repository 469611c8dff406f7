/*
 * Bytes to a tape of nodes. An explicit stack of frames instead of recursion: a peer must not
 * choose how deep our own stack goes. Every element is read whole or not at all, so that stopping
 * costs nothing.
 */
#include "resp/decoder_step.h"

#include <string.h>

#include "resp/number.h"

#define ROOM_FIRST 8 /* nodes, and frames: enough for most replies without growing again */

struct tendon__decode_frame {
    uint32_t node; /* the aggregate's index on the tape */
    uint32_t left; /* children to come; not used when streamed */
    bool streamed;
    bool attribute;
};

void tendon__decoder_init(struct tendon__decoder *decoder,
                          const struct tendon__decode_limits *limits, struct tendon__memory *memory)
{
    *decoder = (struct tendon__decoder){.memory = memory, .limits = *limits};
    if (decoder->limits.depth_max > TENDON__DEPTH_MAX)
        decoder->limits.depth_max = TENDON__DEPTH_MAX;
    if (decoder->limits.bytes_max > SIZE_MAX / 2)
        decoder->limits.bytes_max = SIZE_MAX / 2; /* so that sums of two sizes cannot wrap */
}

void tendon__decoder_deinit(struct tendon__decoder *decoder)
{
    tendon__memory_free(decoder->memory, decoder->nodes);
    tendon__memory_free(decoder->memory, decoder->frames);
    decoder->nodes = NULL;
    decoder->frames = NULL;
    decoder->node_count = decoder->node_room = 0;
    decoder->frame_count = decoder->frame_room = 0;
}

void tendon__decoder_next(struct tendon__decoder *decoder)
{
    if (decoder->node_room > TENDON__TAPE_ROOM_KEPT) {
        tendon__memory_free(decoder->memory, decoder->nodes);
        decoder->nodes = NULL;
        decoder->node_room = 0;
    }
    decoder->node_count = 0;
    decoder->position = 0;
    decoder->scanned = 0;
}

static int fail_memory(struct tendon__decoder *decoder)
{
    return step_fail(decoder, TENDON_ERROR_NO_MEMORY, "memory for the reply ran out");
}

/* Twice the room, ROOM_FIRST to begin with, never above `max`. Returns 0 when there is no more to
 * have. */
static uint32_t grown_room(uint32_t room, uint32_t max)
{
    uint32_t next = room == 0 ? ROOM_FIRST : room > UINT32_MAX / 2 ? UINT32_MAX : room * 2;
    if (next > max)
        next = max;
    return next > room ? next : 0;
}

int tendon__decoder_grow(struct tendon__decoder *decoder)
{
    uint32_t room = grown_room(decoder->node_room, decoder->limits.nodes_max);
    if (!room)
        return step_fail(decoder, TENDON_ERROR_LIMIT, "the reply has too many elements");
    size_t bytes;
    if (__builtin_mul_overflow(room, sizeof *decoder->nodes, &bytes))
        return fail_memory(decoder);
    void *nodes = tendon__memory_resize(decoder->memory, decoder->nodes, bytes);
    if (!nodes)
        return fail_memory(decoder);
    decoder->nodes = nodes;
    decoder->node_room = room;
    return STEP_ON;
}

static int push_frame(struct tendon__decoder *decoder, struct tendon__decode_frame frame)
{
    if (decoder->frame_count == decoder->frame_room) {
        uint32_t room = grown_room(decoder->frame_room, TENDON__DEPTH_MAX);
        void *frames =
            room ? tendon__memory_resize(decoder->memory, decoder->frames, room * sizeof frame)
                 : NULL;
        if (!frames)
            return fail_memory(decoder);
        decoder->frames = frames;
        decoder->frame_room = room;
    }
    decoder->frames[decoder->frame_count++] = frame;
    decoder->value_owed = false; /* the aggregate is the value; inside it starts anew */
    return STEP_ON;
}

/* The innermost aggregate has all its children. An attribute vanishes, anything else is now a
 * value. */
static int close_frame(struct tendon__decoder *decoder)
{
    struct tendon__decode_frame *frame = &decoder->frames[--decoder->frame_count];
    if (frame->attribute) {
        decoder->node_count = frame->node;
        decoder->value_owed = true;
        return STEP_ON;
    }
    decoder->nodes[frame->node].value.span = decoder->node_count - frame->node;
    return STEP_VALUE;
}

/* Counts a whole value in the aggregates it completes. STEP_VALUE when that was the reply. */
static inline int count_value(struct tendon__decoder *decoder)
{
    decoder->value_owed = false;
    while (decoder->frame_count) {
        struct tendon__decode_frame *frame = &decoder->frames[decoder->frame_count - 1];
        if (frame->streamed) {
            decoder->nodes[frame->node].size++;
            return STEP_ON;
        }
        if (--frame->left)
            return STEP_ON;
        if (close_frame(decoder) == STEP_ON)
            return STEP_ON;
    }
    return STEP_VALUE;
}

/* The header of `*`, `%`, `~`, `>` or `|`. `type` is the node to make, `arity` the children per
 * count. */
static int open_aggregate(struct tendon__decoder *decoder, const uint8_t *start, size_t size,
                          uint8_t type, uint32_t arity)
{
    bool attribute = start[decoder->position] == '|';
    size_t offset;
    int64_t count;
    int step = tendon__decode_length(decoder, start, size, &offset, &count);
    if (step != STEP_ON)
        return step;
    if (count == TENDON__LENGTH_NULL) {
        if (type != TENDON_NODE_ARRAY)
            return step_protocol(decoder, "only strings and arrays can be null");
        return tendon__decode_null_at(decoder, offset, TENDON_NODE_FLAG_NULL_ARRAY);
    }
    bool streamed = count == TENDON__LENGTH_STREAMED;
    /* Refused at once: what was announced could never be finished within the limit. */
    if (!streamed && (uint64_t)count * arity >= decoder->limits.nodes_max - decoder->node_count)
        return step_fail(decoder, TENDON_ERROR_LIMIT, "the reply has too many elements");
    if (decoder->frame_count >= decoder->limits.depth_max)
        return step_fail(decoder, TENDON_ERROR_LIMIT, "the reply is nested too deeply");
    uint32_t left = streamed ? 0 : (uint32_t)count * arity;
    step = step_append(decoder, (tendon_node){.type = type, .size = left});
    if (step < 0)
        return step;
    decoder->position = offset;
    step = push_frame(decoder, (struct tendon__decode_frame){.node = decoder->node_count - 1,
                                                             .left = left,
                                                             .streamed = streamed,
                                                             .attribute = attribute});
    return step == STEP_ON && !streamed && left == 0 ? close_frame(decoder) : step;
}

/* The `.` behind the last child of a streamed aggregate. */
static int read_end(struct tendon__decoder *decoder, const uint8_t *start, size_t size)
{
    if (!decoder->frame_count || !decoder->frames[decoder->frame_count - 1].streamed)
        return step_protocol(decoder, "an end mark outside of a streamed aggregate");
    if (decoder->value_owed)
        return step_protocol(decoder, "an attribute without a value");
    size_t at = decoder->position + 1;
    if ((at < size && start[at] != '\r') || (at + 1 < size && start[at + 1] != '\n'))
        return step_protocol(decoder, "an end mark without CRLF");
    if (at + 2 > size)
        return TENDON__DECODE_MORE;
    struct tendon__decode_frame *frame = &decoder->frames[decoder->frame_count - 1];
    const tendon_node *node = &decoder->nodes[frame->node];
    if (node->type == TENDON_NODE_MAP && node->size % 2)
        return step_protocol(decoder, "a streamed map ends behind a key");
    decoder->position = at + 2;
    return close_frame(decoder);
}

/*
 * The short cut for most of what servers send: a string that is all here, with room on the tape.
 * False when it is anything else, and nothing has changed. `size` is within the limit of bytes, so
 * the string is.
 */
static inline bool take_whole_string(struct tendon__decoder *decoder, const uint8_t *start,
                                     size_t size)
{
    const uint8_t *mark = start + decoder->position;
    if (size - decoder->position < SHORT_LINE_ROOM || *mark != '$' || decoder->chunked)
        return false;
    uint32_t length;
    const uint8_t *body = step_short_length(mark, &length);
    if (!body || (size_t)(start + size - body) < (size_t)length + 2)
        return false;
    if (body[length] != '\r' || body[length + 1] != '\n' ||
        decoder->node_count == decoder->node_room)
        return false;
    size_t offset = (size_t)(body - start);
    decoder->nodes[decoder->node_count++] =
        (tendon_node){.type = TENDON_NODE_STRING, .size = length, .value.offset = offset};
    decoder->position = offset + length + 2;
    return true;
}

static int read_element(struct tendon__decoder *decoder, uint8_t *start, size_t size)
{
    if (decoder->position >= size)
        return TENDON__DECODE_MORE;
    if (take_whole_string(decoder, start, size))
        return STEP_VALUE;
    if (decoder->chunked)
        return tendon__decode_chunk(decoder, start, size);
    switch (start[decoder->position]) {
    case '$':
        return tendon__decode_bulk(decoder, start, size, TENDON_NODE_STRING);
    case '+':
        return tendon__decode_line(decoder, start, size, TENDON_NODE_STATUS);
    case '-':
        return tendon__decode_line(decoder, start, size, TENDON_NODE_ERROR);
    case ':':
        return tendon__decode_integer(decoder, start, size);
    case '*':
        return open_aggregate(decoder, start, size, TENDON_NODE_ARRAY, 1);
    case '_':
        return tendon__decode_null(decoder, start, size);
    case '#':
        return tendon__decode_boolean(decoder, start, size);
    case ',':
        return tendon__decode_double(decoder, start, size);
    case '(':
        return tendon__decode_line(decoder, start, size, TENDON_NODE_BIG_NUMBER);
    case '!':
        return tendon__decode_bulk(decoder, start, size, TENDON_NODE_ERROR);
    case '=':
        return tendon__decode_bulk(decoder, start, size, TENDON_NODE_VERBATIM);
    case '%':
        return open_aggregate(decoder, start, size, TENDON_NODE_MAP, 2);
    case '|': /* a map that close_frame forgets */
        return open_aggregate(decoder, start, size, TENDON_NODE_MAP, 2);
    case '~':
        return open_aggregate(decoder, start, size, TENDON_NODE_SET, 1);
    case '>':
        return open_aggregate(decoder, start, size, TENDON_NODE_PUSH, 1);
    case '.':
        return read_end(decoder, start, size);
    default:
        return step_protocol(decoder, "a reply begins with a byte that is no RESP type");
    }
}

static __attribute__((noinline)) int feed(struct tendon__decoder *decoder, uint8_t *start,
                                          size_t size)
{
    /* Bytes beyond the limit are never looked at, so the outcome does not depend on how they
     * arrive. */
    size_t seen = size < decoder->limits.bytes_max ? size : (size_t)decoder->limits.bytes_max;
    int step;
    decoder->wanted = 0;
    do {
        step = read_element(decoder, start, seen);
        if (step == STEP_VALUE)
            step = count_value(decoder);
    } while (step == STEP_ON);
    if (step == STEP_VALUE) {
        decoder->consumed = decoder->position;
        return TENDON__DECODE_DONE;
    }
    if (step == TENDON__DECODE_MORE) {
        if (size >= decoder->limits.bytes_max)
            return step_fail(decoder, TENDON_ERROR_LIMIT, "the reply has too many bytes");
        if (!decoder->wanted)
            decoder->wanted = size + 1;
    }
    return step;
}

int tendon__decoder_feed(struct tendon__decoder *decoder, uint8_t *start, size_t size)
{
    /* A lone string needs none of what follows. */
    if (decoder->position || size > decoder->limits.bytes_max ||
        !take_whole_string(decoder, start, size))
        return feed(decoder, start, size);
    decoder->wanted = 0;
    decoder->consumed = decoder->position;
    return TENDON__DECODE_DONE;
}

tendon_node tendon__decode_plain(const uint8_t *start, size_t size, uint64_t bytes_max,
                                 size_t *out_size)
{
    static const uint8_t ok[] = {'+', 'O', 'K', '\r', '\n'};
    const tendon_node nothing = {.type = TENDON_NODE_NULL};
    uint32_t number;
    const uint8_t *body = NULL;
    *out_size = 0;
    if (size < SHORT_LINE_ROOM || bytes_max < SHORT_LINE_ROOM)
        return nothing;
    if (*start == '$' || *start == ':')
        body = step_short_length(start, &number);
    if (body && *start == '$') {
        size_t offset = (size_t)(body - start);
        if (size - offset < (size_t)number + 2 || offset + number + 2 > bytes_max ||
            body[number] != '\r' || body[number + 1] != '\n')
            return nothing;
        *out_size = offset + number + 2;
        return (tendon_node){.type = TENDON_NODE_STRING, .size = number, .value.offset = offset};
    }
    if (body) {
        *out_size = (size_t)(body - start);
        return (tendon_node){.type = TENDON_NODE_INTEGER, .value.integer = number};
    }
    if (memcmp(start, ok, sizeof ok) != 0)
        return nothing;
    *out_size = sizeof ok;
    return (tendon_node){.type = TENDON_NODE_STATUS, .size = 2, .value.offset = 1};
}
