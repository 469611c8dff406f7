/* The values of one line or one body: strings, numbers, booleans, nulls. Knows no nesting. */
#include <string.h>

#include "resp/decoder_step.h"
#include "resp/number.h"

/* A finished bulk of any kind: `offset` and `length` are checked to lie inside the bytes. */
static inline int append_bulk(struct tendon__decoder *decoder, const uint8_t *start, uint8_t type,
                              size_t offset, size_t length)
{
    if (type == TENDON_NODE_VERBATIM) {
        if (length < 4 || start[offset + 3] != ':')
            return step_protocol(decoder, "a verbatim string lacks its format");
        offset += 4;
        length -= 4;
    }
    return step_append(
        decoder, (tendon_node){.type = type, .size = (uint32_t)length, .value.offset = offset});
}

/*
 * The body of `length` bytes at `offset` with its CRLF. STEP_ON when it is all there, with the
 * position behind it.
 */
static inline int take_body(struct tendon__decoder *decoder, const uint8_t *start, size_t size,
                            size_t offset, int64_t length)
{
    if (length > UINT32_MAX || (uint64_t)length + 2 + offset > decoder->limits.bytes_max)
        return step_fail(decoder, TENDON_ERROR_LIMIT, "a string of the reply is too long");
    size_t end = offset + (size_t)length;
    if (size < end + 2) {
        decoder->wanted = end + 2;
        return TENDON__DECODE_MORE;
    }
    if (start[end] != '\r' || start[end + 1] != '\n')
        return step_protocol(decoder, "a string is longer than announced");
    decoder->position = end + 2;
    return STEP_ON;
}

int tendon__decode_length(struct tendon__decoder *decoder, const uint8_t *start, size_t size,
                          size_t *offset, int64_t *length)
{
    const uint8_t *at = start + decoder->position + 1;
    int result = tendon__number_length(&at, start + size, length);
    if (result == TENDON__DECODE_MORE)
        return result;
    if (result < 0)
        return step_protocol(decoder, "a length is not a number with CRLF behind it");
    *offset = (size_t)(at - start);
    return STEP_ON;
}

int tendon__decode_null_at(struct tendon__decoder *decoder, size_t position, uint8_t flags)
{
    decoder->position = position;
    return step_append(decoder, (tendon_node){.type = TENDON_NODE_NULL, .flags = flags});
}

int tendon__decode_bulk(struct tendon__decoder *decoder, const uint8_t *start, size_t size,
                        uint8_t type)
{
    size_t offset;
    int64_t length;
    int step = tendon__decode_length(decoder, start, size, &offset, &length);
    if (step != STEP_ON)
        return step;
    if (length < 0) {
        if (type != TENDON_NODE_STRING)
            return step_protocol(decoder, "only strings and arrays can be null or streamed");
        if (length == TENDON__LENGTH_NULL)
            return tendon__decode_null_at(decoder, offset, 0);
        decoder->position = offset;
        decoder->chunked = true;
        step = append_bulk(decoder, start, type, offset, 0);
        return step < 0 ? step : STEP_ON;
    }
    step = take_body(decoder, start, size, offset, length);
    return step == STEP_ON ? append_bulk(decoder, start, type, offset, (size_t)length) : step;
}

/* One `;` chunk of a streamed string, moved up to the end of the ones before. */
int tendon__decode_chunk(struct tendon__decoder *decoder, uint8_t *start, size_t size)
{
    if (start[decoder->position] != ';')
        return step_protocol(decoder, "a streamed string is interrupted");
    size_t offset;
    int64_t length;
    int step = tendon__decode_length(decoder, start, size, &offset, &length);
    if (step != STEP_ON)
        return step;
    if (length < 0)
        return step_protocol(decoder, "a chunk of a streamed string has no length");
    if (length == 0) {
        decoder->position = offset;
        decoder->chunked = false;
        return STEP_VALUE;
    }
    step = take_body(decoder, start, size, offset, length);
    if (step != STEP_ON)
        return step;
    tendon_node *node = &decoder->nodes[decoder->node_count - 1];
    if ((uint64_t)node->size + (uint64_t)length > UINT32_MAX)
        return step_fail(decoder, TENDON_ERROR_LIMIT, "a string of the reply is too long");
    if (node->size == 0)
        node->value.offset = offset;
    else
        memmove(start + node->value.offset + node->size, start + offset, (size_t)length);
    node->size += (uint32_t)length;
    return STEP_ON;
}

int tendon__decode_integer(struct tendon__decoder *decoder, const uint8_t *start, size_t size)
{
    const uint8_t *at = start + decoder->position + 1;
    int64_t value;
    int result = tendon__number_integer(&at, start + size, &value);
    if (result == TENDON__DECODE_MORE)
        return result;
    if (result < 0)
        return step_protocol(decoder, "an integer is malformed or beyond 64 bits");
    decoder->position = (size_t)(at - start);
    return step_append(decoder, (tendon_node){.type = TENDON_NODE_INTEGER, .value.integer = value});
}

/*
 * The text up to CRLF, of `length_max` bytes at most. STEP_ON with its place when complete. What
 * was searched is not searched again, or a long line in small pieces would cost its length squared.
 */
static int take_line(struct tendon__decoder *decoder, const uint8_t *start, size_t size,
                     size_t length_max, size_t *offset, size_t *length)
{
    *offset = decoder->position + 1;
    size_t at = decoder->scanned > *offset ? decoder->scanned : *offset;
    while (at < size && start[at] != '\r' && start[at] != '\n')
        at++;
    decoder->scanned = at;
    *length = at - *offset;
    if (*length > length_max)
        return step_fail(decoder,
                         length_max == UINT32_MAX ? TENDON_ERROR_LIMIT : TENDON_ERROR_PROTOCOL,
                         "a line of the reply is too long");
    if (at == size || (start[at] == '\r' && at + 1 == size))
        return TENDON__DECODE_MORE;
    if (start[at] != '\r' || start[at + 1] != '\n')
        return step_protocol(decoder, "a line does not end with CRLF");
    decoder->position = at + 2;
    return STEP_ON;
}

int tendon__decode_line(struct tendon__decoder *decoder, const uint8_t *start, size_t size,
                        uint8_t type)
{
    size_t offset;
    size_t length;
    int step = take_line(decoder, start, size, UINT32_MAX, &offset, &length);
    if (step != STEP_ON)
        return step;
    if (type == TENDON_NODE_BIG_NUMBER && !tendon__number_is_big(start + offset, length))
        return step_protocol(decoder, "a big number is not decimal");
    return step_append(
        decoder, (tendon_node){.type = type, .size = (uint32_t)length, .value.offset = offset});
}

int tendon__decode_double(struct tendon__decoder *decoder, const uint8_t *start, size_t size)
{
    size_t offset;
    size_t length;
    int step = take_line(decoder, start, size, TENDON__DOUBLE_TEXT_MAX, &offset, &length);
    if (step != STEP_ON)
        return step;
    double value;
    if (!tendon__number_parse_double(start + offset, length, &value))
        return step_protocol(decoder, "a double is malformed");
    return step_append(decoder, (tendon_node){.type = TENDON_NODE_DOUBLE, .value.number = value});
}

int tendon__decode_boolean(struct tendon__decoder *decoder, const uint8_t *start, size_t size)
{
    size_t offset;
    size_t length;
    int step = take_line(decoder, start, size, 1, &offset, &length);
    if (step != STEP_ON)
        return step;
    if (length != 1 || (start[offset] != 't' && start[offset] != 'f'))
        return step_protocol(decoder, "a boolean is neither t nor f");
    return step_append(
        decoder, (tendon_node){.type = TENDON_NODE_BOOLEAN, .value.integer = start[offset] == 't'});
}

int tendon__decode_null(struct tendon__decoder *decoder, const uint8_t *start, size_t size)
{
    size_t offset;
    size_t length;
    int step = take_line(decoder, start, size, 0, &offset, &length);
    return step == STEP_ON ? tendon__decode_null_at(decoder, decoder->position, 0) : step;
}
