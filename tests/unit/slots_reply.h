/*
 * CLUSTER SLOTS replies for tests, written as [[0, 5, ["host", 1, "id", {"ip": "::1"}]]] and
 * encoded as RESP2 or RESP3, and an allocator that counts blocks and fails on demand.
 */
#ifndef TENDON_TESTS_SLOTS_REPLY_H
#define TENDON_TESTS_SLOTS_REPLY_H

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "counting_memory.h"

#include "cluster/topology.h"
#include "resp/decoder.h"

struct slots_reply {
    struct counting_memory memory;
    struct tendon__decoder decoder;
    struct tendon__tape tape;
    char *bytes;
    size_t size;
};

/* How to encode: the protocol, and which element (depth first, from 0) is replaced by which bytes.
 */
struct encoding {
    int protocol;
    long poison_at; /* -1: none */
    const char *poison;
    long element; /* counts while encoding */
};

static inline const char *skip_blanks(const char *at)
{
    while (*at == ' ' || *at == ',' || *at == ':' || *at == '\n')
        at++;
    return at;
}

static inline const char *encode_element(const char *at, FILE *out, struct encoding *encoding);

static inline const char *encode_aggregate(const char *at, FILE *out, struct encoding *encoding)
{
    char closing = *at == '[' ? ']' : '}';
    char *bytes = NULL;
    size_t size = 0;
    int count = 0;
    FILE *inner = open_memstream(&bytes, &size);
    cr_assert_not_null(inner);
    for (at = skip_blanks(at + 1); *at != closing; at = skip_blanks(at), count++)
        at = encode_element(at, inner, encoding);
    fclose(inner);
    if (closing == '}' && encoding->protocol == 3)
        fprintf(out, "%%%d\r\n", count / 2);
    else
        fprintf(out, "*%d\r\n", count);
    fwrite(bytes, 1, size, out);
    free(bytes);
    return at + 1;
}

static inline const char *encode_element(const char *at, FILE *out, struct encoding *encoding)
{
    if (encoding->element++ == encoding->poison_at) {
        FILE *ignored = fopen("/dev/null", "w");
        fputs(encoding->poison, out);
        encoding->element--;
        encoding->poison_at = -1;
        at = encode_element(at, ignored, encoding);
        fclose(ignored);
        return at;
    }
    if (*at == '[' || *at == '{')
        return encode_aggregate(at, out, encoding);
    if (*at == '"') {
        size_t length = strcspn(at + 1, "\"");
        fprintf(out, "$%zu\r\n%.*s\r\n", length, (int)length, at + 1);
        return at + length + 2;
    }
    if (*at == 'n') {
        fputs(encoding->protocol == 3 ? "_\r\n" : "$-1\r\n", out);
        return at + strlen("null");
    }
    char *end;
    fprintf(out, ":%lld\r\n", strtoll(at, &end, 10));
    cr_assert_neq(end, at, "bad notation at %s", at);
    return end;
}

/* Decodes `bytes`, which becomes the reply's. Returns false when they are no whole reply. */
static inline bool slots_reply_decode(struct slots_reply *reply, char *bytes, size_t size)
{
    static const struct tendon__decode_limits limits = {
        .bytes_max = 1 << 28, .nodes_max = 1 << 24, .depth_max = 64};
    *reply = (struct slots_reply){.memory = counting_memory_make(), .bytes = bytes, .size = size};
    tendon__decoder_init(&reply->decoder, &limits, tendon__memory_system());
    int result = tendon__decoder_feed(&reply->decoder, (uint8_t *)bytes, size);
    reply->tape = (struct tendon__tape){.nodes = reply->decoder.nodes,
                                        .node_count = reply->decoder.node_count,
                                        .data = (const uint8_t *)bytes};
    return result == TENDON__DECODE_DONE && reply->decoder.consumed == size;
}

static inline bool slots_reply_encode(struct slots_reply *reply, const char *notation,
                                      struct encoding encoding)
{
    char *bytes = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&bytes, &size);
    cr_assert_not_null(out);
    encode_element(skip_blanks(notation), out, &encoding);
    fclose(out);
    return slots_reply_decode(reply, bytes, size);
}

/* Frees the reply and asserts that what was parsed from it has been freed. */
static inline void slots_reply_free(struct slots_reply *reply)
{
    tendon__decoder_deinit(&reply->decoder);
    free(reply->bytes);
    cr_assert_eq(reply->memory.blocks, 0, "%ld blocks leaked", reply->memory.blocks);
}

#endif
