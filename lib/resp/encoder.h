/* Commands to bytes: an array of bulk strings, the one request form of RESP2 and RESP3. */
#ifndef TENDON_RESP_ENCODER_H
#define TENDON_RESP_ENCODER_H

#include <stddef.h>
#include <stdint.h>

#include <tendon/types.h>

/* Exact size of the encoded command; 0 when it would not fit size_t. */
size_t tendon__encode_size(const tendon_bytes *args, uint32_t arg_count);

/* Writes the command at `out`, which has tendon__encode_size bytes, and returns the end. */
uint8_t *tendon__encode(uint8_t *out, const tendon_bytes *args, uint32_t arg_count);

/* The same of arguments that lie one behind the other. */
uint8_t *tendon__encode_packed(uint8_t *out, const void *packed, const uint32_t *sizes,
                               uint32_t arg_count);

/* The same read back from bytes that tendon__encode has written: how many arguments there are, with
 * *at behind their number, then one after the other. */
uint32_t tendon__encoded_begin(const uint8_t **at);
tendon_bytes tendon__encoded_next(const uint8_t **at);
/* The same at once. */
uint32_t tendon__encoded_count(const uint8_t *frame);
void tendon__encoded_args(const uint8_t *frame, tendon_bytes *out_args, uint32_t arg_count);

#endif
