/* What the two halves of the decoder share: results of a step, and putting a node on the tape. */
#ifndef TENDON_RESP_DECODER_STEP_H
#define TENDON_RESP_DECODER_STEP_H

#include "resp/decoder.h"

/* Results of one step besides TENDON__DECODE_MORE and the failures. */
#define STEP_VALUE TENDON__DECODE_DONE /* a whole value is on the tape */
#define STEP_ON    2                   /* something else was read: go on with the next element */

static inline int step_fail(struct tendon__decoder *decoder, int status, const char *complaint)
{
    decoder->complaint = complaint;
    return status;
}

static inline int step_protocol(struct tendon__decoder *decoder, const char *complaint)
{
    return step_fail(decoder, TENDON_ERROR_PROTOCOL, complaint);
}

/* Makes room for at least one more node; STEP_ON or a failure. */
int tendon__decoder_grow(struct tendon__decoder *decoder);

/* Puts one node on the tape; STEP_VALUE or a failure. */
static inline int step_append(struct tendon__decoder *decoder, tendon_node node)
{
    if (decoder->node_count == decoder->node_room) {
        int step = tendon__decoder_grow(decoder);
        if (step < 0)
            return step;
    }
    decoder->nodes[decoder->node_count++] = node;
    return STEP_VALUE;
}

#define SHORT_DIGITS_MAX 9 /* digits that cannot overflow uint32_t */
/* Bytes from the type byte on that let a short line be read unchecked. */
#define SHORT_LINE_ROOM 16

/*
 * A short number with its CRLF behind the type byte at `mark`, where SHORT_LINE_ROOM bytes are
 * readable. Returns what follows the line, or NULL when it is anything else, which is not an error.
 */
static inline const uint8_t *step_short_length(const uint8_t *mark, uint32_t *length)
{
    const uint8_t *at = mark + 1;
    uint32_t value = 0;
    for (uint32_t digit; (digit = (uint32_t)*at - '0') <= 9 && at <= mark + SHORT_DIGITS_MAX; at++)
        value = value * 10 + digit;
    if (at == mark + 1 || at[0] != '\r' || at[1] != '\n')
        return NULL;
    *length = value;
    return at + 2;
}

/*
 * Reads the length behind the type byte; on STEP_ON *offset is what follows its line and *length is
 * at least 0 or one of the marks of number.h.
 */
int tendon__decode_length(struct tendon__decoder *decoder, const uint8_t *start, size_t size,
                          size_t *offset, int64_t *length);
/* Puts a null on the tape that ends at `position`. */
int tendon__decode_null_at(struct tendon__decoder *decoder, size_t position, uint8_t flags);

/*
 * Each reads one element of its type at decoder->position: STEP_VALUE, STEP_ON, MORE or a failure.
 * `type` is the node to make.
 */
int tendon__decode_bulk(struct tendon__decoder *decoder, const uint8_t *start, size_t size,
                        uint8_t type);
int tendon__decode_chunk(struct tendon__decoder *decoder, uint8_t *start, size_t size);
int tendon__decode_integer(struct tendon__decoder *decoder, const uint8_t *start, size_t size);
int tendon__decode_line(struct tendon__decoder *decoder, const uint8_t *start, size_t size,
                        uint8_t type);
int tendon__decode_double(struct tendon__decoder *decoder, const uint8_t *start, size_t size);
int tendon__decode_boolean(struct tendon__decoder *decoder, const uint8_t *start, size_t size);
int tendon__decode_null(struct tendon__decoder *decoder, const uint8_t *start, size_t size);

#endif
