/* The numbers of RESP lines. Refuses what does not fit instead of rounding or wrapping it. */
#include "resp/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tendon/status.h>

#include "resp/decoder.h"

#define EXPONENT_MAX 100000 /* beyond it every double is zero or infinite whatever its digits */

static bool is_digit(uint8_t byte)
{
    return (uint8_t)(byte - '0') <= 9;
}

/* Digits from *cursor on. False when there are too many; none at all is the caller's to judge. */
static inline bool take_digits(const uint8_t **cursor, const uint8_t *end, uint64_t *out)
{
    const uint8_t *at = *cursor;
    const uint8_t *limit =
        end - at > TENDON__INTEGER_DIGITS_MAX ? at + TENDON__INTEGER_DIGITS_MAX : end;
    uint64_t value = 0;
    while (at < limit && is_digit(*at))
        value = value * 10 + (uint64_t)(*at++ - '0');
    *cursor = at;
    *out = value;
    return at == end || !is_digit(*at);
}

static inline int take_line_end(const uint8_t **cursor, const uint8_t *end)
{
    const uint8_t *at = *cursor;
    if (end - at >= 2) {
        *cursor = at + 2;
        return at[0] == '\r' && at[1] == '\n' ? TENDON__DECODE_DONE : TENDON_ERROR_PROTOCOL;
    }
    return at == end || *at == '\r' ? TENDON__DECODE_MORE : TENDON_ERROR_PROTOCOL;
}

/* `?` and `-1`, the two lengths that are no count. */
static int take_length_mark(const uint8_t **cursor, const uint8_t *end, int64_t *out)
{
    const uint8_t *at = *cursor;
    if (*at++ == '?') {
        *out = TENDON__LENGTH_STREAMED;
    } else {
        if (at == end)
            return TENDON__DECODE_MORE;
        if (*at++ != '1')
            return TENDON_ERROR_PROTOCOL;
        *out = TENDON__LENGTH_NULL;
    }
    *cursor = at;
    return take_line_end(cursor, end);
}

int tendon__number_length(const uint8_t **cursor, const uint8_t *end, int64_t *out)
{
    const uint8_t *first = *cursor;
    if (first == end)
        return TENDON__DECODE_MORE;
    if (*first == '?' || *first == '-')
        return take_length_mark(cursor, end, out);
    uint64_t value;
    if (!take_digits(cursor, end, &value) || *cursor == first || value > INT64_MAX)
        return TENDON_ERROR_PROTOCOL;
    *out = (int64_t)value;
    return take_line_end(cursor, end);
}

/* Puts a sign before a magnitude. False when the result does not fit. */
static bool put_sign(uint64_t value, bool negative, int64_t *out)
{
    if (value > (uint64_t)INT64_MAX + negative)
        return false;
    *out = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

int tendon__number_integer(const uint8_t **cursor, const uint8_t *end, int64_t *out)
{
    if (*cursor == end)
        return TENDON__DECODE_MORE;
    bool negative = **cursor == '-';
    *cursor += negative || **cursor == '+';
    const uint8_t *first = *cursor;
    if (first == end)
        return TENDON__DECODE_MORE;
    uint64_t value;
    if (!take_digits(cursor, end, &value) || *cursor == first || !put_sign(value, negative, out))
        return TENDON_ERROR_PROTOCOL;
    return take_line_end(cursor, end);
}

bool tendon__number_parse_integer(const uint8_t *text, size_t size, int64_t *out)
{
    if (size == 0)
        return false;
    const uint8_t *at = text;
    const uint8_t *end = text + size;
    bool negative = *at == '-';
    at += negative || *at == '+';
    const uint8_t *first = at;
    uint64_t value;
    return take_digits(&at, end, &value) && at == end && at != first &&
           put_sign(value, negative, out);
}

bool tendon__number_is_big(const uint8_t *text, size_t size)
{
    size_t at = size && (*text == '-' || *text == '+');
    if (at == size)
        return false;
    while (at < size && is_digit(text[at]))
        at++;
    return at == size;
}

static bool text_is(const uint8_t *text, size_t size, const char *word)
{
    return size == strlen(word) && memcmp(text, word, size) == 0;
}

/* Servers before 7.2 print with the C library, whose NaN may carry a sign. */
static bool parse_special(const uint8_t *text, size_t size, double *out)
{
    if (text_is(text, size, "inf") || text_is(text, size, "+inf"))
        *out = (double)INFINITY;
    else if (text_is(text, size, "-inf"))
        *out = -(double)INFINITY;
    else if (text_is(text, size, "nan") || text_is(text, size, "-nan"))
        *out = (double)NAN;
    else
        return false;
    return true;
}

/* A signed exponent at the end of the text, `e` already behind us. */
static bool parse_exponent(const uint8_t *at, const uint8_t *end, int32_t *out)
{
    bool negative = at < end && *at == '-';
    at += at < end && (*at == '-' || *at == '+');
    if (at == end)
        return false;
    int32_t value = 0;
    for (; at < end && is_digit(*at); at++)
        if (value < EXPONENT_MAX)
            value = value * 10 + (*at - '0');
    *out = negative ? -value : value;
    return at == end;
}

/* Copies digits to *to. False when there are none. */
static bool copy_digits(const uint8_t **at, const uint8_t *end, char **to)
{
    const uint8_t *first = *at;
    while (*at < end && is_digit(**at))
        *(*to)++ = (char)*(*at)++;
    return *at != first;
}

/*
 * strtod rounds correctly but expects the decimal point of the process's locale, which is not ours
 * to know. So the point is taken out and the exponent corrected: "-12.5e3" becomes "-125e2".
 */
bool tendon__number_parse_double(const uint8_t *text, size_t size, double *out)
{
    if (parse_special(text, size, out))
        return true;
    if (size == 0 || size > TENDON__DOUBLE_TEXT_MAX)
        return false;
    char plain[TENDON__DOUBLE_TEXT_MAX + 16]; /* the digits, `e`, a sign, an exponent, the NUL */
    char *to = plain;
    const uint8_t *at = text;
    const uint8_t *end = text + size;
    if (*at == '-')
        *to++ = '-';
    at += *at == '-' || *at == '+';
    if (!copy_digits(&at, end, &to))
        return false;
    int32_t exponent = 0;
    int32_t fraction_count = 0;
    if (at < end && *at == '.') {
        const uint8_t *fraction = ++at;
        if (!copy_digits(&at, end, &to))
            return false;
        fraction_count = (int32_t)(at - fraction);
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        if (!parse_exponent(at + 1, end, &exponent))
            return false;
        at = end;
    }
    if (at != end)
        return false;
    snprintf(to, (size_t)(plain + sizeof plain - to), "e%d", (int)(exponent - fraction_count));
    *out = strtod(plain, NULL);
    return true;
}
