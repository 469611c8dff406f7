/* Reading a tape, and the reply handle that owns one. */
#include <criterion/criterion.h>
#include <string.h>

#include "counting_memory.h"
#include "resp/decoder.h"
#include "resp/reply.h"
#include "resp/tape.h"
#include "tape_text.h"

static const struct tendon__decode_limits limits = {
    .bytes_max = 1 << 20, .nodes_max = 1 << 16, .depth_max = 32};

struct decoded {
    struct counting_memory memory;
    struct tendon__decoder decoder;
    uint8_t bytes[4096];
    struct tendon__tape tape;
};

static void decode(struct decoded *decoded, const char *text)
{
    decoded->memory = counting_memory_make();
    tendon__decoder_init(&decoded->decoder, &limits, &decoded->memory.memory);
    size_t size = strlen(text);
    cr_assert_lt(size, sizeof decoded->bytes);
    memcpy(decoded->bytes, text, size);
    cr_assert_eq(tendon__decoder_feed(&decoded->decoder, decoded->bytes, size),
                 TENDON__DECODE_DONE);
    decoded->tape = (struct tendon__tape){
        .nodes = decoded->decoder.nodes,
        .node_count = decoded->decoder.node_count,
        .data = decoded->bytes,
    };
}

static void release(struct decoded *decoded)
{
    tendon__decoder_deinit(&decoded->decoder);
    cr_assert_eq(decoded->memory.blocks, 0);
}

Test(tape, skips_whole_subtrees)
{
    struct decoded d;
    decode(&d, "*3\r\n*2\r\n:1\r\n*1\r\n:2\r\n*0\r\n$1\r\nx\r\n");
    cr_assert_eq(tendon__tape_skip(&d.tape, 0), 7);
    cr_assert_eq(tendon__tape_skip(&d.tape, 1), 5);
    cr_assert_eq(tendon__tape_skip(&d.tape, 2), 3);
    cr_assert_eq(tendon__tape_skip(&d.tape, 5), 6);
    cr_assert_eq(tendon__tape_skip(&d.tape, 6), 7);
    cr_assert_eq(tendon__tape_skip(&d.tape, 7), 7);
    cr_assert_eq(tendon__tape_skip(&d.tape, UINT32_MAX), 7);
    cr_assert(tendon__tape_is_aggregate(&d.tape, 5));
    cr_assert_not(tendon__tape_is_aggregate(&d.tape, 6));
    cr_assert_not(tendon__tape_is_aggregate(&d.tape, 7));
    release(&d);
}

Test(tape, reads_text_of_every_text_type)
{
    struct decoded d;
    decode(&d,
           "*8\r\n+OK\r\n-ERR no\r\n$2\r\nab\r\n(123\r\n=6\r\ntxt:hi\r\n!3\r\nbad\r\n:5\r\n_\r\n");
    static const char *const want[] = {"OK", "ERR no", "ab", "123", "hi", "bad"};
    for (uint32_t i = 0; i < 6; i++) {
        cr_assert(tendon__tape_is_text(&d.tape, i + 1));
        cr_assert(tendon__tape_text_is(&d.tape, i + 1, want[i]));
        cr_assert_eq(tendon__tape_text(&d.tape, i + 1).size, strlen(want[i]));
    }
    cr_assert_eq(memcmp((const char *)tendon__tape_text(&d.tape, 5).data - 4, "txt:", 4), 0);
    for (uint32_t i = 7; i < 12; i++) {
        cr_assert_not(tendon__tape_is_text(&d.tape, i));
        cr_assert_eq(tendon__tape_text(&d.tape, i).size, 0);
        cr_assert_not(tendon__tape_text_is(&d.tape, i, ""));
    }
    cr_assert_not(tendon__tape_text_is(&d.tape, 1, "OKAY"));
    cr_assert_not(tendon__tape_text_is(&d.tape, 1, "O"));
    release(&d);
}

static void expect_integer(const char *text, bool valid, int64_t want)
{
    struct decoded d;
    char reply[128];
    snprintf(reply, sizeof reply, "$%zu\r\n%s\r\n", strlen(text), text);
    decode(&d, reply);
    int64_t value = 77;
    cr_assert_eq(tendon__tape_integer(&d.tape, 0, &value), valid, "%s", text);
    cr_assert_eq(value, valid ? want : 77, "%s", text);
    release(&d);
}

Test(tape, reads_integers_from_numbers_and_text)
{
    struct decoded d;
    decode(&d, ":-42\r\n");
    int64_t value = 0;
    cr_assert(tendon__tape_integer(&d.tape, 0, &value));
    cr_assert_eq(value, -42);
    cr_assert_not(tendon__tape_integer(&d.tape, 1, &value));
    release(&d);
    expect_integer("0", true, 0);
    expect_integer("16383", true, 16383);
    expect_integer("9223372036854775807", true, INT64_MAX);
    expect_integer("-9223372036854775808", true, INT64_MIN);
    expect_integer("9223372036854775808", false, 0);
    expect_integer("-9223372036854775809", false, 0);
    expect_integer("92233720368547758070", false, 0);
    expect_integer("", false, 0);
    expect_integer("-", false, 0);
    expect_integer("12a", false, 0);
    expect_integer(" 12", false, 0);
    decode(&d, "*1\r\n_\r\n");
    cr_assert_not(tendon__tape_integer(&d.tape, 0, &value));
    cr_assert_not(tendon__tape_integer(&d.tape, 1, &value));
    release(&d);
}

Test(tape, looks_up_keys_in_maps_and_flat_arrays)
{
    static const char *const replies[] = {
        "%3\r\n+role\r\n*1\r\n+master\r\n:1\r\n:2\r\n$4\r\nname\r\n+x\r\n",
        "*6\r\n+role\r\n*1\r\n+master\r\n:1\r\n:2\r\n$4\r\nname\r\n+x\r\n",
        "*7\r\n+role\r\n*1\r\n+master\r\n:1\r\n:2\r\n$4\r\nname\r\n+x\r\n+odd\r\n",
    };
    for (size_t i = 0; i < 3; i++) {
        struct decoded d;
        decode(&d, replies[i]);
        cr_assert_eq(tendon__tape_lookup(&d.tape, 0, "role"), 2);
        cr_assert_eq(tendon__tape_lookup(&d.tape, 0, "name"), 7);
        cr_assert_eq(tendon__tape_lookup(&d.tape, 0, "master"), 0);
        cr_assert_eq(tendon__tape_lookup(&d.tape, 0, "x"), 0);
        cr_assert_eq(tendon__tape_lookup(&d.tape, 0, "odd"), 0);
        cr_assert_eq(tendon__tape_lookup(&d.tape, 1, "role"), 0);
        cr_assert_eq(tendon__tape_lookup(&d.tape, 99, "role"), 0);
        release(&d);
    }
    struct decoded d;
    decode(&d, "~2\r\n+role\r\n+x\r\n");
    cr_assert_eq(tendon__tape_lookup(&d.tape, 0, "role"), 0);
    release(&d);
    decode(&d, "*0\r\n");
    cr_assert_eq(tendon__tape_lookup(&d.tape, 0, "role"), 0);
    release(&d);
}

Test(tape, a_reply_owns_a_copy)
{
    struct decoded d;
    decode(&d, "*2\r\n+one\r\n$3\r\ntwo\r\n");
    tendon_reply *reply = tendon__reply_copy(&d.memory.memory, d.tape.nodes, d.tape.node_count,
                                             d.bytes, d.decoder.consumed);
    cr_assert_not_null(reply);
    memset(d.bytes, 0, sizeof d.bytes);
    memset(d.decoder.nodes, 0, d.decoder.node_count * sizeof(tendon_node));
    struct tape_text text;
    cr_assert_str_eq(tape_text(&text, reply->nodes, reply->node_count, reply->data),
                     "*2[+one $two]");
    cr_assert_eq(reply->data_bytes, 19);
    tendon__reply_free(reply);
    tendon__reply_free(NULL);
    release(&d);
}

Test(tape, a_reply_adopts_a_block_only_on_success)
{
    struct counting_memory memory = counting_memory_make();
    char *block = tendon__memory_take(&memory.memory, 64);
    memcpy(block, "..$2\r\nhi\r\n", 10);
    const tendon_node node = {.type = TENDON_NODE_STRING, .size = 2, .value.offset = 4};
    memory.refuse_from = memory.requests + 1;
    const uint8_t *data = (const uint8_t *)block + 2;
    cr_assert_null(tendon__reply_adopt(&memory.memory, &node, 1, block, 64, data, 8));
    cr_assert_eq(memory.blocks, 1);
    memory.refuse_from = 0;
    tendon_reply *reply = tendon__reply_adopt(&memory.memory, &node, 1, block, 64, data, 8);
    cr_assert_not_null(reply);
    cr_assert_eq(reply->data, data);
    cr_assert_eq(memcmp(reply->data + reply->nodes[0].value.offset, "hi", 2), 0);
    tendon__reply_free(reply);
    cr_assert_eq(memory.blocks, 0);
}

Test(tape, a_reply_of_text)
{
    struct counting_memory memory = counting_memory_make();
    tendon_reply *reply = tendon__reply_text(&memory.memory, TENDON_NODE_STATUS, "PONG", 4);
    cr_assert_not_null(reply);
    struct tape_text text;
    cr_assert_str_eq(tape_text(&text, reply->nodes, reply->node_count, reply->data), "+PONG");
    tendon__reply_free(reply);
    reply = tendon__reply_text(&memory.memory, TENDON_NODE_STRING, NULL, 0);
    cr_assert_str_eq(tape_text(&text, reply->nodes, reply->node_count, reply->data), "$");
    tendon__reply_free(reply);
    memory.refuse_from = memory.requests + 1;
    cr_assert_null(tendon__reply_text(&memory.memory, TENDON_NODE_STATUS, "PONG", 4));
    cr_assert_null(tendon__reply_copy(&memory.memory, NULL, 0, NULL, SIZE_MAX));
    cr_assert_eq(memory.blocks, 0);
}
