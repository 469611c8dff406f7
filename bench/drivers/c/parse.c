/*
 * Reading one reply, an array of 100 strings of 10 bytes: tendon's decoder, hiredis' reader or
 * libvalkey's, by how it is compiled. Prints nanoseconds of CPU per array; with a number as its
 * argument it reads the array so many times and prints nothing, for callgrind.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STRINGS      100
#define STRING_BYTES 10
#define TURNS        100
#define REPEATS      300 /* the best counts: short enough that some are not interrupted */

static uint8_t reply[STRINGS * 20 + 20];
static size_t reply_bytes;

#ifdef PARSE_TENDON

#include "resp/decoder.h"

#define READER "tendon"
static struct tendon__decoder decoder;

static int begin(void)
{
    const struct tendon__decode_limits limits = {
        .bytes_max = 1 << 20, .nodes_max = 1 << 16, .depth_max = 32};
    tendon__decoder_init(&decoder, &limits, tendon__memory_system());
    return 0;
}

static int read_array(void)
{
    if (tendon__decoder_feed(&decoder, reply, reply_bytes) != TENDON__DECODE_DONE ||
        decoder.node_count != STRINGS + 1)
        return 1;
    tendon__decoder_next(&decoder);
    return 0;
}

#else

#include "peer.h"

#define READER PEER_NAME
static peer_reader *reader;

static int begin(void)
{
    reader = peer_reader_create();
    return reader == NULL;
}

static int read_array(void)
{
    void *found = NULL;
    if (peer_reader_feed(reader, (const char *)reply, reply_bytes) ||
        peer_reader_get(reader, &found) || !found || ((peer_reply *)found)->elements != STRINGS)
        return 1;
    peer_free_reply(found);
    return 0;
}

#endif

static void make_reply(void)
{
    char *at = (char *)reply;
    at += sprintf(at, "*%d\r\n", STRINGS);
    for (int i = 0; i < STRINGS; i++)
        at += sprintf(at, "$%d\r\n%0*d\r\n", STRING_BYTES, STRING_BYTES, i);
    reply_bytes = (size_t)(at - (char *)reply);
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    double best = 0;
    make_reply();
    if (begin())
        return 1;
    if (argc > 1) {
        for (long left = strtol(argv[1], NULL, 10); left > 0; left--)
            if (read_array())
                return 1;
        return 0;
    }
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        double began = seconds();
        for (int turn = 0; turn < TURNS; turn++)
            if (read_array())
                return 1;
        double took = (seconds() - began) / TURNS * 1e9;
        best = repeat == 0 || took < best ? took : best;
    }
    printf("{\"reader\": \"%s\", \"ns\": %.1f}\n", READER, best);
    return 0;
}
