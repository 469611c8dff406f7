/*
 * Any reply in any form: no crash, no node beyond the room, spans that nest, texts inside the
 * bytes. The first two bytes choose the form, the rest is the reply.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "resp/decoder.h"
#include "resp/form.h"

/* As assert, but also in builds without assertions. */
#define REQUIRE(condition) ((condition) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_nodes(const tendon_node *nodes, uint32_t count, size_t size)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct tendon__tape tape = {nodes, count, NULL};
        if (tendon__tape_is_text(&tape, i)) {
            REQUIRE(nodes[i].value.offset + nodes[i].size <= size);
            continue;
        }
        if (!tendon__tape_is_aggregate(&tape, i))
            continue;
        uint32_t child = i + 1;
        REQUIRE(nodes[i].value.span <= count - i);
        for (uint32_t j = 0; j < nodes[i].size; j++) {
            REQUIRE(child < i + nodes[i].value.span);
            child = tendon__tape_skip(&tape, child);
        }
        REQUIRE(child == i + nodes[i].value.span);
        REQUIRE(nodes[i].type != TENDON_NODE_MAP || nodes[i].size % 2 == 0);
    }
}

static void form(struct tendon__decoder *decoder, uint16_t number, uint8_t *copy, size_t size)
{
    const struct tendon__tape tape = {decoder->nodes, decoder->node_count, copy};
    size_t room = tendon__form_room(tape.node_count);
    tendon_node *nodes = malloc(room * sizeof *nodes);
    REQUIRE(nodes != NULL);
    uint32_t count = tendon__form_apply(number, &tape, copy, nodes);
    REQUIRE(count >= 1 && count <= room);
    check_nodes(nodes, count, size);
    const uint16_t each[] = {number, 0, number};
    count = tendon__form_apply_each(each, 3, &tape, copy, nodes);
    REQUIRE(count >= 1 && count <= room);
    check_nodes(nodes, count, size);
    free(nodes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const struct tendon__decode_limits limits = {
        .bytes_max = 1 << 20, .nodes_max = 1 << 12, .depth_max = 100};
    if (size < 3)
        return 0;
    uint16_t number = (uint16_t)((bytes[0] | bytes[1] << 8) % TENDON__FORM_COUNT);
    size -= 2;
    uint8_t *copy = malloc(size);
    REQUIRE(copy != NULL);
    memcpy(copy, bytes + 2, size);
    struct tendon__decoder decoder;
    tendon__decoder_init(&decoder, &limits, tendon__memory_system());
    if (tendon__decoder_feed(&decoder, copy, size) == TENDON__DECODE_DONE)
        form(&decoder, number, copy, size);
    tendon__decoder_deinit(&decoder);
    free(copy);
    return 0;
}
