/* A tape as text, so that tests can say what they expect on one line: `*2[$GET :5]`. */
#ifndef TENDON_TEST_TAPE_TEXT_H
#define TENDON_TEST_TAPE_TEXT_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <tendon/reply.h>

struct tape_text {
    char text[8192];
    size_t size;
};

static void tape_text_add(struct tape_text *out, const char *bytes, size_t size)
{
    size_t room = sizeof out->text - 1 - out->size;
    if (size > room)
        size = room;
    memcpy(out->text + out->size, bytes, size);
    out->size += size;
    out->text[out->size] = '\0';
}

static uint64_t tape_text_node(struct tape_text *out, const tendon_node *nodes, uint64_t count,
                               const uint8_t *data, uint64_t index)
{
    static const char marks[] = "?_+-:$*,#(=%~>"; /* by TENDON_NODE_* */
    const tendon_node *node = &nodes[index];
    char head[64];
    if (index >= count || node->type >= sizeof marks - 1 || node->reserved) {
        tape_text_add(out, "BROKEN", 6);
        return count;
    }
    tape_text_add(out, &marks[node->type], 1);
    switch (node->type) {
    case TENDON_NODE_NULL:
        tape_text_add(out, "*", node->flags & TENDON_NODE_FLAG_NULL_ARRAY ? 1 : 0);
        return index + 1;
    case TENDON_NODE_INTEGER:
    case TENDON_NODE_BOOLEAN:
        snprintf(head, sizeof head, "%lld", (long long)node->value.integer);
        tape_text_add(out, head, strlen(head));
        return index + 1;
    case TENDON_NODE_DOUBLE:
        snprintf(head, sizeof head, "%.17g", node->value.number);
        tape_text_add(out, head, strlen(head));
        return index + 1;
    case TENDON_NODE_ARRAY:
    case TENDON_NODE_MAP:
    case TENDON_NODE_SET:
    case TENDON_NODE_PUSH: {
        snprintf(head, sizeof head, "%u[", node->size);
        tape_text_add(out, head, strlen(head));
        uint64_t at = index + 1;
        for (uint32_t i = 0; i < node->size && at < count; i++) {
            tape_text_add(out, " ", i ? 1 : 0);
            at = tape_text_node(out, nodes, count, data, at);
        }
        if (at != index + node->value.span)
            tape_text_add(out, "BADSPAN", 7);
        tape_text_add(out, "]", 1);
        return at;
    }
    default:
        tape_text_add(out, (const char *)data + node->value.offset, node->size);
        return index + 1;
    }
}

static inline const char *tape_text(struct tape_text *out, const tendon_node *nodes, uint64_t count,
                                    const uint8_t *data)
{
    out->size = 0;
    out->text[0] = '\0';
    if (tape_text_node(out, nodes, count, data, 0) != count)
        tape_text_add(out, "LEFTOVER", 8);
    return out->text;
}

#endif
