/* Bytes to a tape of nodes: incremental, resumable at any byte, without copying strings. */
#ifndef TENDON_RESP_DECODER_H
#define TENDON_RESP_DECODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tendon/reply.h>
#include <tendon/status.h>

#include "base/memory.h"

/* Hard bound of the option max_reply_depth; sizes the frame stack. */
#define TENDON__DEPTH_MAX 1024

/* What a peer may make us hold. Crossing one is TENDON_ERROR_LIMIT. */
struct tendon__decode_limits {
    uint64_t bytes_max; /* of one reply on the wire; also of one string */
    /* Of one reply, open attributes included; the tape grows only as bytes arrive, never by
     * announced counts. */
    uint32_t nodes_max;
    uint32_t depth_max; /* <= TENDON__DEPTH_MAX */
};

/* A tape (16 bytes per node) that grew beyond this is not kept for the next reply. */
#define TENDON__TAPE_ROOM_KEPT 4096

#define TENDON__DECODE_MORE 0 /* the reply is not complete */
#define TENDON__DECODE_DONE 1 /* one reply is on the tape */

struct tendon__decode_frame; /* one open aggregate */

/*
 * Feed it the bytes of one reply from its first byte; on MORE, feed the same start again with more
 * bytes behind (the memory may have moved). On DONE the tape is in nodes/node_count, strings are
 * offsets from that start, and `consumed` bytes belonged to the reply: call tendon__decoder_next
 * before the next one. The chunks of streamed strings are moved together inside the caller's bytes,
 * so those must be kept as they are between feeds. A push inside another reply is an element like
 * any other: EXEC answers SUBSCRIBE so.
 */
struct tendon__decoder {
    struct tendon__memory *memory;
    struct tendon__decode_limits limits;
    tendon_node *nodes;
    uint32_t node_count;
    uint32_t node_room;
    size_t consumed; /* on DONE: bytes of the reply */
    size_t wanted;   /* on MORE: the reply cannot complete before this many bytes from its start; a
                        hint */
    /* Internal: */
    size_t position; /* the first byte of the element to read next */
    size_t scanned;  /* a text line under way has no end before this position */
    struct tendon__decode_frame *frames;
    uint32_t frame_count;
    uint32_t frame_room;
    bool chunked;          /* the last node is a streamed string that still grows */
    bool value_owed;       /* an attribute has ended, its value must follow */
    const char *complaint; /* on failure: what was wrong, a static text */
};

void tendon__decoder_init(struct tendon__decoder *decoder,
                          const struct tendon__decode_limits *limits,
                          struct tendon__memory *memory);
void tendon__decoder_deinit(struct tendon__decoder *decoder);

/* DONE, MORE, or TENDON_ERROR_PROTOCOL, _LIMIT, _NO_MEMORY; after a failure only deinit is allowed.
 */
int tendon__decoder_feed(struct tendon__decoder *decoder, uint8_t *start, size_t size);

/*
 * What most servers send most of the time, read without a decoder: a whole string, `+OK` or a short
 * number at `start`. The node is all of its tape and *out_size its bytes; 0 says nothing about the
 * bytes. `bytes_max` as in the limits. The node stays in registers: written to memory in parts and
 * read as a whole it would hold the processor up.
 */
tendon_node tendon__decode_plain(const uint8_t *start, size_t size, uint64_t bytes_max,
                                 size_t *out_size);

/* Forgets the finished reply and gives back an oversized tape. */
void tendon__decoder_next(struct tendon__decoder *decoder);

#endif
