/* Reading a decoded tape inside the core. An index beyond the tape reads as nothing, never as
 * memory. */
#include "resp/tape.h"

#include <string.h>

#include "resp/number.h"

bool tendon__tape_is_aggregate(const struct tendon__tape *tape, uint32_t index)
{
    if (index >= tape->node_count)
        return false;
    switch (tape->nodes[index].type) {
    case TENDON_NODE_ARRAY:
    case TENDON_NODE_MAP:
    case TENDON_NODE_SET:
    case TENDON_NODE_PUSH:
        return true;
    default:
        return false;
    }
}

uint32_t tendon__tape_skip(const struct tendon__tape *tape, uint32_t index)
{
    if (index >= tape->node_count)
        return tape->node_count;
    if (!tendon__tape_is_aggregate(tape, index))
        return index + 1;
    uint64_t span = tape->nodes[index].value.span;
    return span < tape->node_count - index ? index + (uint32_t)span : tape->node_count;
}

bool tendon__tape_is_text(const struct tendon__tape *tape, uint32_t index)
{
    if (index >= tape->node_count)
        return false;
    switch (tape->nodes[index].type) {
    case TENDON_NODE_STATUS:
    case TENDON_NODE_ERROR:
    case TENDON_NODE_STRING:
    case TENDON_NODE_BIG_NUMBER:
    case TENDON_NODE_VERBATIM:
        return true;
    default:
        return false;
    }
}

tendon_bytes tendon__tape_text(const struct tendon__tape *tape, uint32_t index)
{
    if (!tendon__tape_is_text(tape, index))
        return (tendon_bytes){.data = "", .size = 0};
    const tendon_node *node = &tape->nodes[index];
    return (tendon_bytes){.data = tape->data + node->value.offset, .size = node->size};
}

bool tendon__tape_text_is(const struct tendon__tape *tape, uint32_t index, const char *text)
{
    if (!tendon__tape_is_text(tape, index))
        return false;
    tendon_bytes bytes = tendon__tape_text(tape, index);
    return bytes.size == strlen(text) && memcmp(bytes.data, text, bytes.size) == 0;
}

bool tendon__tape_integer(const struct tendon__tape *tape, uint32_t index, int64_t *out)
{
    if (index >= tape->node_count)
        return false;
    if (tape->nodes[index].type == TENDON_NODE_INTEGER) {
        *out = tape->nodes[index].value.integer;
        return true;
    }
    if (!tendon__tape_is_text(tape, index))
        return false;
    tendon_bytes text = tendon__tape_text(tape, index);
    return tendon__number_parse_integer(text.data, text.size, out);
}

uint32_t tendon__tape_lookup(const struct tendon__tape *tape, uint32_t index, const char *key)
{
    if (!tendon__tape_is_aggregate(tape, index))
        return 0;
    const tendon_node *node = &tape->nodes[index];
    if (node->type != TENDON_NODE_MAP && node->type != TENDON_NODE_ARRAY)
        return 0;
    uint32_t end = tendon__tape_skip(tape, index);
    uint32_t at = index + 1;
    while (at < end) {
        uint32_t value = tendon__tape_skip(tape, at);
        if (value >= end)
            return 0;
        if (tendon__tape_text_is(tape, at, key))
            return value;
        at = tendon__tape_skip(tape, value);
    }
    return 0;
}
