/*
 * Instructions of one GET: encode it with a 16-byte key, decode its reply of 100 bytes, make that a
 * reply of its own as a call hands out, and free it. The count per operation is the difference of
 * two run lengths, so that start-up cancels out:
 *
 *   for n in 10000 20000; do
 *     valgrind --tool=callgrind --callgrind-out-file=/dev/null build/bench/instructions $n 2>&1 |
 *       grep Collected
 *   done
 *
 * (second - first) / 10000, to be at most 500. drivers/c/encode_parse.c does the same with hiredis
 * and libvalkey.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resp/decoder.h"
#include "resp/encoder.h"
#include "resp/reply.h"

#define VALUE_BYTES 100

static int run(struct tendon__decoder *decoder, uint8_t *reply, size_t reply_bytes, long count)
{
    const tendon_bytes args[] = {{"GET", 3}, {"key:000000000001", 16}};
    uint8_t request[64];
    for (long i = 0; i < count; i++) {
        size_t size = tendon__encode_size(args, 2);
        if (size > sizeof request || tendon__encode(request, args, 2) != request + size)
            return 1;
        if (tendon__decoder_feed(decoder, reply, reply_bytes) != TENDON__DECODE_DONE)
            return 1;
        tendon_reply *owned = tendon__reply_copy(tendon__memory_system(), decoder->nodes,
                                                 decoder->node_count, reply, decoder->consumed);
        tendon__decoder_next(decoder);
        if (!owned || owned->nodes[0].size != VALUE_BYTES || owned->data_bytes != reply_bytes)
            return 1;
        tendon__reply_free(owned);
    }
    return 0;
}

int main(int argc, char **argv)
{
    long count = argc > 1 ? strtol(argv[1], NULL, 10) : 10000;
    uint8_t reply[VALUE_BYTES + 16];
    size_t head = (size_t)snprintf((char *)reply, sizeof reply, "$%d\r\n", VALUE_BYTES);
    memset(reply + head, 'x', VALUE_BYTES);
    reply[head + VALUE_BYTES] = '\r';
    reply[head + VALUE_BYTES + 1] = '\n';
    const struct tendon__decode_limits limits = {
        .bytes_max = 1 << 20, .nodes_max = 1 << 10, .depth_max = 8};
    struct tendon__decoder decoder;
    tendon__decoder_init(&decoder, &limits, tendon__memory_system());
    int failed = run(&decoder, reply, head + VALUE_BYTES + 2, count);
    tendon__decoder_deinit(&decoder);
    return failed;
}
