/* Keys to slots: the vectors of the specification and a bitwise CRC as second opinion. */
#include <criterion/criterion.h>

#include <string.h>

#include "cluster/slots.h"

static uint32_t slot_of(const char *key)
{
    return tendon__key_slot(key, strlen(key));
}

static uint32_t bitwise_slot(const uint8_t *bytes, size_t size)
{
    uint32_t crc = 0;
    for (size_t i = 0; i < size; i++) {
        crc ^= (uint32_t)bytes[i] << 8;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc & 0x8000) ? (crc << 1 ^ 0x1021) & 0xffff : crc << 1 & 0xffff;
    }
    return crc % TENDON__SLOT_COUNT;
}

Test(slots, known_vectors)
{
    cr_assert_eq(slot_of("123456789"), 0x31c3);
    cr_assert_eq(slot_of("foo"), 12182);
    cr_assert_eq(slot_of("foo{}{bar}"), 8363);
    cr_assert_eq(slot_of("foo{{bar}}zap"), slot_of("{bar"));
    cr_assert_neq(slot_of("foo{{bar}}zap"), slot_of("bar"));
}

Test(slots, only_the_first_tag_counts)
{
    cr_assert_eq(slot_of("{user1000}.following"), slot_of("user1000"));
    cr_assert_eq(slot_of("{user1000}.following"), slot_of("{user1000}.followers"));
    cr_assert_eq(slot_of("foo{bar}{zap}"), slot_of("bar"));
    cr_assert_eq(slot_of("}{a}"), slot_of("a"));
    cr_assert_eq(slot_of("}a{b}"), slot_of("b"));
}

Test(slots, an_open_or_empty_tag_hashes_the_whole_key)
{
    static const char *const keys[] = {"{", "}", "{}", "a{", "a{b", "a}b{", "{}a", "{}{a}", "a}{"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        cr_assert_eq(slot_of(keys[i]), bitwise_slot((const uint8_t *)keys[i], strlen(keys[i])),
                     "%s", keys[i]);
}

Test(slots, empty_and_binary_keys)
{
    static const uint8_t zeros[3] = {0};
    static const uint8_t tagged[] = {0, '{', 0, 0xff, '}', 0};
    cr_assert_eq(tendon__key_slot(NULL, 0), 0);
    cr_assert_eq(tendon__key_slot("", 0), 0);
    cr_assert_eq(tendon__key_slot(zeros, 3), bitwise_slot(zeros, 3));
    cr_assert_eq(tendon__key_slot(tagged, sizeof tagged), bitwise_slot(tagged + 2, 2));
}

/* The brace just behind the key is not the key's. */
Test(slots, never_reads_beyond_the_size)
{
    cr_assert_eq(tendon__key_slot("a{b}", 3), bitwise_slot((const uint8_t *)"a{b", 3));
    cr_assert_eq(tendon__key_slot("{}x}", 2), bitwise_slot((const uint8_t *)"{}", 2));
    cr_assert_eq(tendon__key_slot("{", 1), bitwise_slot((const uint8_t *)"{", 1));
}

Test(slots, agrees_with_a_bitwise_crc_for_every_byte)
{
    uint8_t key[5] = {7, 0, 9, 0, 1};
    for (unsigned a = 0; a < 256; a++)
        for (unsigned b = 0; b < 256; b += 5) {
            key[1] = (uint8_t)a;
            key[3] = (uint8_t)b;
            if (a != '{' && b != '{')
                cr_assert_eq(tendon__key_slot(key, 5), bitwise_slot(key, 5), "%u %u", a, b);
        }
}
