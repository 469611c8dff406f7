/* The numbers of RESP lines: lengths, integers, doubles, big numbers. Pure functions over bytes. */
#ifndef TENDON_RESP_NUMBER_H
#define TENDON_RESP_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TENDON__LENGTH_NULL     (-1) /* `-1`: the null bulk and the null array of RESP2 */
#define TENDON__LENGTH_STREAMED (-2) /* `?`: the end is marked instead of announced */

/* The digits of INT64_MAX; that many cannot overflow uint64_t. */
#define TENDON__INTEGER_DIGITS_MAX 19
/* The longest double in plain notation has about 330 characters. */
#define TENDON__DOUBLE_TEXT_MAX 512

/*
 * Both read a line up to and with its CRLF. Return TENDON__DECODE_DONE, with *cursor behind the
 * line, TENDON__DECODE_MORE when the line is valid so far but not complete, or
 * TENDON_ERROR_PROTOCOL. They keep no state: a line has at most 23 bytes, so starting again is
 * cheap. A length is at least 0, or one of the two marks above.
 */
int tendon__number_length(const uint8_t **cursor, const uint8_t *end, int64_t *out);
int tendon__number_integer(const uint8_t **cursor, const uint8_t *end, int64_t *out);

/* An optional sign and 1 to 19 digits that fit int64_t, nothing else. False leaves *out untouched.
 */
bool tendon__number_parse_integer(const uint8_t *text, size_t size, int64_t *out);
/* As RESP3 writes doubles, with inf, -inf and nan. Independent of the host's locale. */
bool tendon__number_parse_double(const uint8_t *text, size_t size, double *out);
/* An optional sign and digits, any number of them. */
bool tendon__number_is_big(const uint8_t *text, size_t size);

#endif
