/* Commands to bytes: exact text, exact size, and sizes that cannot be. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resp/encoder.h"

/* Encodes into a block of exactly the announced size, so that a sanitizer sees any byte beyond. */
static void expect(const tendon_bytes *args, uint32_t count, const char *want, size_t want_bytes)
{
    size_t size = tendon__encode_size(args, count);
    cr_assert_eq(size, want_bytes, "size %zu, want %zu", size, want_bytes);
    uint8_t *out = malloc(size);
    cr_assert_not_null(out);
    cr_assert_eq(tendon__encode(out, args, count), out + size);
    cr_assert_eq(memcmp(out, want, size), 0);
    free(out);
}

Test(encoder, writes_an_array_of_bulk_strings)
{
    const tendon_bytes args[] = {{"SET", 3}, {"key", 3}, {"a\0\r\n", 4}};
    static const char want[] = "*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$4\r\na\0\r\n\r\n";
    expect(args, 3, want, sizeof want - 1);
}

Test(encoder, takes_empty_and_null_arguments)
{
    const tendon_bytes args[] = {{"ECHO", 4}, {NULL, 0}};
    static const char want[] = "*2\r\n$4\r\nECHO\r\n$0\r\n\r\n";
    expect(args, 2, want, sizeof want - 1);
    expect(NULL, 0, "*0\r\n", 4);
}

Test(encoder, writes_lengths_of_any_digit_count)
{
    static const size_t lengths[] = {0,   1,    9,    10,    11,    99,     100,   101,
                                     999, 1000, 9999, 10000, 99999, 100000, 999999};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        size_t length = lengths[i];
        char *body = malloc(length + 1);
        char *want = malloc(length + 64);
        memset(body, 'v', length);
        size_t head = (size_t)sprintf(want, "*1\r\n$%zu\r\n", length);
        memcpy(want + head, body, length);
        memcpy(want + head + length, "\r\n", 2);
        expect(&(tendon_bytes){body, length}, 1, want, head + length + 2);
        free(body);
        free(want);
    }
}

Test(encoder, writes_many_arguments)
{
    enum { COUNT = 1234 };
    static tendon_bytes args[COUNT];
    static char want[COUNT * 7 + 16];
    size_t size = (size_t)sprintf(want, "*%d\r\n", COUNT);
    for (int i = 0; i < COUNT; i++) {
        args[i] = (tendon_bytes){"x", 1};
        memcpy(want + size, "$1\r\nx\r\n", 7);
        size += 7;
    }
    expect(args, COUNT, want, size);
}

Test(encoder, refuses_what_does_not_fit_a_size)
{
    const tendon_bytes one[] = {{"x", SIZE_MAX}};
    const tendon_bytes near[] = {{"x", SIZE_MAX - 20}};
    const tendon_bytes sum[] = {{"x", SIZE_MAX / 2}, {"x", SIZE_MAX / 2}};
    cr_assert_eq(tendon__encode_size(one, 1), 0);
    cr_assert_eq(tendon__encode_size(near, 1), 0);
    cr_assert_eq(tendon__encode_size(sum, 2), 0);
    const tendon_bytes fits[] = {
        {"x", SIZE_MAX - 29}}; /* `*1` and CRLF, `$`, 20 digits, two CRLF: 29 */
    cr_assert_eq(tendon__encode_size(fits, 1), SIZE_MAX);
}
