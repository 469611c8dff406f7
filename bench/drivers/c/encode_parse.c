/*
 * What bench/instructions.c does, with hiredis or libvalkey: encodes GET with a 16-byte key and
 * parses its reply of 100 bytes into a reply of its own, so many times. Prints nothing; callgrind
 * counts, and the difference of two run lengths leaves out start-up.
 *
 *   encode-parse-hiredis TURNS
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"

#define VALUE_BYTES 100

static int turn(peer_reader *reader, const char *bytes, size_t size)
{
    const char *words[] = {"GET", "key:000000000001"};
    const size_t sizes[] = {3, 16};
    char *request;
    void *found = NULL;
    if (peer_format_argv(&request, 2, words, sizes) <= 0)
        return 1;
    peer_free_command(request);
    if (peer_reader_feed(reader, bytes, size) || peer_reader_get(reader, &found) || !found)
        return 1;
    int failed = ((peer_reply *)found)->len != VALUE_BYTES;
    peer_free_reply(found);
    return failed;
}

int main(int argc, char **argv)
{
    char reply[VALUE_BYTES + 16];
    long turns = argc > 1 ? strtol(argv[1], NULL, 10) : 10000;
    int size = snprintf(reply, sizeof reply, "$%d\r\n%0*d\r\n", VALUE_BYTES, VALUE_BYTES, 0);
    peer_reader *reader = peer_reader_create();
    while (reader && turns-- > 0)
        if (turn(reader, reply, (size_t)size))
            return 1;
    peer_reader_free(reader);
    return reader == NULL;
}
