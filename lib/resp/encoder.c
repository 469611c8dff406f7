/* Commands to bytes. Knows no limits and no state: the caller sizes the room first, then writes. */
#include "resp/encoder.h"

#include <string.h>

#define HEADER_EXTRA 3 /* the type byte and CRLF around the digits of a length */
#define BODY_EXTRA   2 /* CRLF behind the bytes of an argument */

/* Nearly all lengths have one or two digits; longer ones are kept out of line so that these stay
 * short. */
static __attribute__((noinline)) uint32_t long_digit_count(uint64_t value)
{
    uint32_t count = 2;
    for (; value >= 100; value /= 10)
        count++;
    return count;
}

static inline uint32_t digit_count(uint64_t value)
{
    if (value < 10)
        return 1;
    return value < 100 ? 2 : long_digit_count(value);
}

static __attribute__((noinline)) uint8_t *put_long_digits(uint8_t *out, uint64_t value)
{
    uint32_t count = long_digit_count(value);
    for (uint8_t *at = out + count; at > out; value /= 10)
        *--at = (uint8_t)('0' + value % 10);
    return out + count;
}

/* Writes the type byte, the number and CRLF. */
static inline uint8_t *put_header(uint8_t *out, uint8_t mark, uint64_t value)
{
    *out++ = mark;
    if (value < 10) {
        *out++ = (uint8_t)('0' + value);
    } else if (value < 100) {
        uint32_t tens = (uint32_t)value * 205u >> 11; /* a tenth, for numbers below 100 */
        *out++ = (uint8_t)('0' + tens);
        *out++ = (uint8_t)('0' + (uint32_t)value - tens * 10);
    } else {
        out = put_long_digits(out, value);
    }
    *out++ = '\r';
    *out++ = '\n';
    return out;
}

/* Most arguments are short, and two words that overlap take less time than a call. */
static inline void put_bytes(uint8_t *out, const uint8_t *bytes, size_t size)
{
    if (size > 16) {
        memcpy(out, bytes, size);
    } else if (size >= 8) {
        uint64_t first, last;
        memcpy(&first, bytes, 8);
        memcpy(&last, bytes + size - 8, 8);
        memcpy(out, &first, 8);
        memcpy(out + size - 8, &last, 8);
    } else if (size >= 4) {
        uint32_t first, last;
        memcpy(&first, bytes, 4);
        memcpy(&last, bytes + size - 4, 4);
        memcpy(out, &first, 4);
        memcpy(out + size - 4, &last, 4);
    } else if (size) {
        out[0] = bytes[0];
        out[size / 2] = bytes[size / 2];
        out[size - 1] = bytes[size - 1];
    }
}

static inline uint8_t *put_arg(uint8_t *out, const void *bytes, size_t size)
{
    out = put_header(out, '$', size);
    put_bytes(out, bytes, size);
    out += size;
    *out++ = '\r';
    *out++ = '\n';
    return out;
}

size_t tendon__encode_size(const tendon_bytes *args, uint32_t arg_count)
{
    size_t total = HEADER_EXTRA + digit_count(arg_count);
    for (uint32_t i = 0; i < arg_count; i++) {
        size_t extra = HEADER_EXTRA + BODY_EXTRA + digit_count(args[i].size);
        if (__builtin_add_overflow(total, args[i].size, &total) ||
            __builtin_add_overflow(total, extra, &total))
            return 0;
    }
    return total;
}

uint8_t *tendon__encode(uint8_t *out, const tendon_bytes *args, uint32_t arg_count)
{
    out = put_header(out, '*', arg_count);
    for (uint32_t i = 0; i < arg_count; i++)
        out = put_arg(out, args[i].data, args[i].size);
    return out;
}

uint8_t *tendon__encode_packed(uint8_t *out, const void *packed, const uint32_t *sizes,
                               uint32_t arg_count)
{
    const uint8_t *at = packed;
    out = put_header(out, '*', arg_count);
    for (uint32_t i = 0; i < arg_count; i++) {
        out = put_arg(out, at, sizes[i]);
        at += sizes[i];
    }
    return out;
}

/* The number of a header of ours, behind its type byte; *at moves behind its CRLF. */
static uint64_t take_header(const uint8_t **at)
{
    uint64_t value = 0;
    const uint8_t *digit = *at + 1;
    for (; *digit != '\r'; digit++)
        value = value * 10 + (uint64_t)(*digit - '0');
    *at = digit + 2;
    return value;
}

uint32_t tendon__encoded_begin(const uint8_t **at)
{
    return (uint32_t)take_header(at);
}

tendon_bytes tendon__encoded_next(const uint8_t **at)
{
    size_t size = (size_t)take_header(at);
    tendon_bytes arg = {*at, size};
    *at += size + BODY_EXTRA;
    return arg;
}

uint32_t tendon__encoded_count(const uint8_t *frame)
{
    return tendon__encoded_begin(&frame);
}

void tendon__encoded_args(const uint8_t *frame, tendon_bytes *out_args, uint32_t arg_count)
{
    tendon__encoded_begin(&frame);
    for (uint32_t i = 0; i < arg_count; i++)
        out_args[i] = tendon__encoded_next(&frame);
}
