/*
 * Fuzz target: a stream of replies decoded at once and in pieces must come out the same, within
 * bounds: a length that is only promised costs no memory.
 *
 * The first byte chooses the splits and the limits, the rest is what the peer sends.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "resp/decoder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int condition)
{
    if (!condition)
        abort();
}

static size_t memory_max; /* of one allocation */

static void *bounded_resize(struct tendon__memory *memory, void *old, size_t size)
{
    (void)memory;
    must(size <= memory_max);
    if (size)
        return realloc(old, size);
    free(old);
    return NULL;
}

static uint8_t *copy_of(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    must(copy != NULL);
    if (size)
        memcpy(copy, bytes, size);
    return copy;
}

static int is_text(uint8_t type)
{
    return type == TENDON_NODE_STATUS || type == TENDON_NODE_ERROR || type == TENDON_NODE_STRING ||
           type == TENDON_NODE_BIG_NUMBER || type == TENDON_NODE_VERBATIM;
}

/* Spans nest, strings lie inside the reply, nothing is left over. */
static void check_tape(const struct tendon__decoder *decoder)
{
    must(decoder->node_count >= 1 && decoder->node_count <= decoder->limits.nodes_max);
    for (uint32_t i = 0; i < decoder->node_count; i++) {
        const tendon_node *node = &decoder->nodes[i];
        if (is_text(node->type)) {
            must(node->value.offset + node->size <= decoder->consumed);
        } else if (node->type == TENDON_NODE_ARRAY || node->type >= TENDON_NODE_MAP) {
            must(node->value.span >= 1 && node->value.span <= decoder->node_count - i);
            uint64_t at = i + 1;
            for (uint32_t child = 0; child < node->size; child++) {
                must(at < i + node->value.span);
                const tendon_node *inner = &decoder->nodes[at];
                int deep = inner->type == TENDON_NODE_ARRAY || inner->type >= TENDON_NODE_MAP;
                at += deep ? inner->value.span : 1;
            }
            must(at == i + node->value.span);
        }
    }
}

static void check_same(const struct tendon__decoder *one, const uint8_t *one_bytes,
                       const struct tendon__decoder *two, const uint8_t *two_bytes)
{
    must(one->consumed == two->consumed && one->node_count == two->node_count);
    for (uint32_t i = 0; i < one->node_count; i++) {
        const tendon_node *a = &one->nodes[i];
        const tendon_node *b = &two->nodes[i];
        must(memcmp(a, b, sizeof *a) == 0);
        if (is_text(a->type))
            must(memcmp(one_bytes + a->value.offset, two_bytes + b->value.offset, a->size) == 0);
    }
}

/* Feeds growing prefixes, each in memory of its own and of exactly its size. */
static int feed_in_pieces(struct tendon__decoder *decoder, const uint8_t *bytes, size_t size,
                          struct tendon__random *random, uint8_t **out_bytes)
{
    size_t shown = 0;
    uint8_t *memory = copy_of(bytes, 0);
    int result;
    do {
        size_t step = (size_t)tendon__random_below(random, 2)
                          ? 1
                          : 1 + (size_t)tendon__random_below(random, 40);
        size_t next = step < size - shown ? shown + step : size;
        uint8_t *moved = copy_of(bytes, next);
        if (shown)
            memcpy(moved, memory, shown); /* the decoder may have compacted what it saw */
        free(memory);
        memory = moved;
        shown = next;
        result = tendon__decoder_feed(decoder, memory, shown);
        if (result == TENDON__DECODE_MORE)
            must(decoder->wanted > shown);
    } while (result == TENDON__DECODE_MORE && shown < size);
    *out_bytes = memory;
    return result;
}

/* Small ones, middling ones, and those of the options' defaults. */
static struct tendon__decode_limits choose_limits(uint8_t choice)
{
    if (choice & 1)
        return (struct tendon__decode_limits){.bytes_max = 40, .nodes_max = 9, .depth_max = 3};
    if (choice & 2)
        return (struct tendon__decode_limits){
            .bytes_max = 1 << 30, .nodes_max = 1 << 24, .depth_max = 64};
    return (struct tendon__decode_limits){
        .bytes_max = 1 << 16, .nodes_max = 1 << 12, .depth_max = 40};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct tendon__memory memory = {.resize = bounded_resize};
    struct tendon__random random;
    tendon__random_init(&random, data[0]);
    const struct tendon__decode_limits limits = choose_limits(data[0]);
    memory_max = 8192 + size * 4 * sizeof(tendon_node);
    data++;
    size--;
    struct tendon__decoder whole;
    struct tendon__decoder pieces;
    tendon__decoder_init(&whole, &limits, &memory);
    tendon__decoder_init(&pieces, &limits, &memory);
    for (int result = TENDON__DECODE_DONE; result == TENDON__DECODE_DONE;) {
        uint8_t *one = copy_of(data, size);
        uint8_t *two;
        result = tendon__decoder_feed(&whole, one, size);
        must(feed_in_pieces(&pieces, data, size, &random, &two) == result);
        must(result >= 0 || whole.complaint == pieces.complaint);
        must(result >= 0 || whole.complaint != NULL);
        if (result == TENDON__DECODE_DONE) {
            check_tape(&whole);
            check_same(&whole, one, &pieces, two);
            data += whole.consumed;
            size -= whole.consumed;
            tendon__decoder_next(&whole);
            tendon__decoder_next(&pieces);
        }
        free(one);
        free(two);
    }
    tendon__decoder_deinit(&whole);
    tendon__decoder_deinit(&pieces);
    return 0;
}
