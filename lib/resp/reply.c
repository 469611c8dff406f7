/* The reply handle: one allocation for handle and tape, and the bytes either behind it or adopted.
 */
#include "resp/reply.h"

#include <string.h>

#include "base/large.h"
#include "base/recycle.h"

/* Room for handle and tape with `extra` bytes behind; the tape is copied in. */
static tendon_reply *make_reply(struct tendon__memory *memory, const tendon_node *nodes,
                                uint32_t node_count, size_t extra)
{
    size_t head = sizeof(tendon_reply);
    if (node_count > (SIZE_MAX - head) / sizeof *nodes)
        return NULL;
    head += node_count * sizeof *nodes;
    if (extra > SIZE_MAX - head)
        return NULL;
    tendon_reply *reply = tendon__recycle_take(memory, head + extra);
    if (!reply)
        return NULL;
    tendon_node *tape = (tendon_node *)(void *)(reply + 1);
    if (node_count)
        memcpy(tape, nodes, node_count * sizeof *nodes);
    *reply = (tendon_reply){.memory = memory, .nodes = tape, .node_count = node_count};
    return reply;
}

tendon_reply *tendon__reply_short(struct tendon__memory *memory, tendon_node node,
                                  const uint8_t *data, size_t data_bytes)
{
    tendon_reply *reply =
        tendon__recycle_take_one_of_many(memory, sizeof *reply + sizeof node + data_bytes);
    if (!reply)
        return NULL;
    tendon_node *tape = (tendon_node *)(void *)(reply + 1);
    uint8_t *copy = (uint8_t *)(tape + 1);
    *tape = node;
    memcpy(copy, data, data_bytes);
    reply->memory = memory;
    reply->nodes = tape;
    reply->node_count = 1;
    reply->data = copy;
    reply->data_bytes = data_bytes;
    reply->block = NULL;
    return reply;
}

tendon_reply *tendon__reply_copy(struct tendon__memory *memory, const tendon_node *nodes,
                                 uint32_t node_count, const uint8_t *data, size_t data_bytes)
{
    if (node_count == 1 && data && data_bytes <= TENDON__RECYCLE_MAX)
        return tendon__reply_short(memory, *nodes, data, data_bytes);
    tendon_reply *reply = make_reply(memory, nodes, node_count, data_bytes);
    if (!reply)
        return NULL;
    uint8_t *copy = (uint8_t *)(reply + 1) + node_count * sizeof *nodes;
    if (data_bytes)
        memcpy(copy, data, data_bytes);
    reply->data = copy;
    reply->data_bytes = data_bytes;
    return reply;
}

tendon_reply *tendon__reply_adopt(struct tendon__memory *memory, const tendon_node *nodes,
                                  uint32_t node_count, void *block, size_t block_bytes,
                                  const uint8_t *data, size_t data_bytes)
{
    tendon_reply *reply = make_reply(memory, nodes, node_count, 0);
    if (!reply)
        return NULL;
    reply->block = block;
    reply->block_bytes = block_bytes;
    reply->data = data;
    reply->data_bytes = data_bytes;
    return reply;
}

tendon_reply *tendon__reply_text(struct tendon__memory *memory, uint8_t type, const void *text,
                                 size_t size)
{
    if (size > UINT32_MAX)
        return NULL;
    tendon_node node = {.type = type, .size = (uint32_t)size};
    return tendon__reply_copy(memory, &node, 1, text, size);
}

void tendon__reply_free(tendon_reply *reply)
{
    if (!reply)
        return;
    struct tendon__memory *memory = reply->memory;
    size_t size = sizeof *reply + reply->node_count * sizeof *reply->nodes;
    if (reply->block)
        tendon__large_free(memory, reply->block, reply->block_bytes);
    else
        size += reply->data_bytes;
    tendon__recycle_free(memory, reply, size);
}
