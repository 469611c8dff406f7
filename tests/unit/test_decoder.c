/* Bytes to a tape: every message at every split, every refusal, every limit, every failing
 * allocation. */
#include <criterion/criterion.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "counting_memory.h"
#include "resp/decoder.h"
#include "tape_text.h"

struct message {
    const char *bytes; /* without NUL inside */
    const char *want;  /* as tape_text.h writes it */
};

static const struct message messages[] = {
    {"+OK\r\n", "+OK"},
    {"+\r\n", "+"},
    {"-ERR unknown command 'x'\r\n", "-ERR unknown command 'x'"},
    {":0\r\n", ":0"},
    {":+17\r\n", ":17"},
    {":-9223372036854775808\r\n", ":-9223372036854775808"},
    {":9223372036854775807\r\n", ":9223372036854775807"},
    {"$5\r\nhello\r\n", "$hello"},
    {"$0\r\n\r\n", "$"},
    {"$6\r\na\r\nb\r\n\r\n", "$a\r\nb\r\n"},
    {"$26\r\nabcdefghijklmnopqrstuvwxyz\r\n", "$abcdefghijklmnopqrstuvwxyz"},
    {"$-1\r\n", "_"},
    {"*-1\r\n", "_*"},
    {"_\r\n", "_"},
    {"*0\r\n", "*0[]"},
    {"*2\r\n$3\r\nfoo\r\n$3\r\nbar\r\n", "*2[$foo $bar]"},
    {"*3\r\n*2\r\n:1\r\n*0\r\n*-1\r\n+x\r\n", "*3[*2[:1 *0[]] _* +x]"},
    {"*1\r\n*1\r\n*1\r\n*1\r\n$-1\r\n", "*1[*1[*1[*1[_]]]]"},
    {"%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n:2\r\n", "%4[+a :1 +b *1[:2]]"},
    {"%0\r\n", "%0[]"},
    {"~3\r\n:1\r\n#t\r\n#f\r\n", "~3[:1 #1 #0]"},
    {">3\r\n+message\r\n+ch\r\n$2\r\nhi\r\n", ">3[+message +ch $hi]"},
    {"*1\r\n>3\r\n+subscribe\r\n+c\r\n:1\r\n", "*1[>3[+subscribe +c :1]]"},
    {",3.25\r\n", ",3.25"},
    {",-10\r\n", ",-10"},
    {",1e3\r\n", ",1000"},
    {",+1.5E-2\r\n", ",0.014999999999999999"},
    {",3.1415926535897931\r\n", ",3.1415926535897931"},
    {",inf\r\n", ",inf"},
    {",-inf\r\n", ",-inf"},
    {",nan\r\n", ",nan"},
    {"(3492890328409238509324850943850943825024385\r\n",
     "(3492890328409238509324850943850943825024385"},
    {"(-1\r\n", "(-1"},
    {"!21\r\nSYNTAX invalid syntax\r\n", "-SYNTAX invalid syntax"},
    {"=15\r\ntxt:Some string\r\n", "=Some string"},
    {"=4\r\nmkd:\r\n", "="},
    {"|1\r\n+ttl\r\n:3600\r\n+OK\r\n", "+OK"},
    {"|0\r\n+OK\r\n", "+OK"},
    {"|1\r\n+a\r\n*2\r\n:1\r\n:2\r\n|1\r\n+b\r\n:2\r\n*1\r\n:5\r\n", "*1[:5]"},
    {"*3\r\n:1\r\n|1\r\n+ttl\r\n:3600\r\n:2\r\n:3\r\n", "*3[:1 :2 :3]"},
    {"*1\r\n|1\r\n+k\r\n|1\r\n+in\r\n:9\r\n%1\r\n+x\r\n+y\r\n*0\r\n", "*1[*0[]]"},
    {"*2\r\n|?\r\n+k\r\n$?\r\n;2\r\nab\r\n;0\r\n.\r\n:1\r\n:2\r\n", "*2[:1 :2]"},
    {"*?\r\n|1\r\n+k\r\n:1\r\n:5\r\n.\r\n", "*1[:5]"},
    {"%1\r\n|?\r\n.\r\n+k\r\n|1\r\n+a\r\n*?\r\n.\r\n+v\r\n", "%2[+k +v]"},
    {"$?\r\n;4\r\nHell\r\n;5\r\no wor\r\n;1\r\nd\r\n;0\r\n", "$Hello word"},
    {"$?\r\n;20\r\nabcdefghijklmnopqrst\r\n;20\r\nABCDEFGHIJKLMNOPQRST\r\n;0\r\n",
     "$abcdefghijklmnopqrstABCDEFGHIJKLMNOPQRST"},
    {"$?\r\n;0\r\n", "$"},
    {"*3\r\n$?\r\n;2\r\n\r\n\r\n;2\r\n;0\r\n;0\r\n:1\r\n$?\r\n;1\r\nz\r\n;0\r\n",
     "*3[$\r\n;0 :1 $z]"},
    {"*?\r\n:1\r\n:2\r\n:3\r\n.\r\n", "*3[:1 :2 :3]"},
    {"*?\r\n.\r\n", "*0[]"},
    {"%?\r\n+a\r\n:1\r\n+b\r\n*?\r\n:2\r\n.\r\n.\r\n", "%4[+a :1 +b *1[:2]]"},
    {"~?\r\n+x\r\n.\r\n", "~1[+x]"},
    {">?\r\n+x\r\n*2\r\n:1\r\n:2\r\n.\r\n", ">2[+x *2[:1 :2]]"},
    {"*2\r\n*?\r\n$1\r\na\r\n.\r\n$?\r\n;1\r\nb\r\n;0\r\n", "*2[*1[$a] $b]"},
    {"*9\r\n:1\r\n:2\r\n:3\r\n:4\r\n:5\r\n:6\r\n:7\r\n:8\r\n:9\r\n",
     "*9[:1 :2 :3 :4 :5 :6 :7 :8 :9]"},
};

#define MESSAGE_COUNT (sizeof messages / sizeof *messages)

static const struct tendon__decode_limits roomy = {
    .bytes_max = 1 << 20, .nodes_max = 1 << 16, .depth_max = 64};

/* A receive buffer that moves to new memory of the exact size whenever bytes arrive. */
struct feeder {
    struct counting_memory memory;
    struct tendon__decoder decoder;
    uint8_t *bytes;
    size_t size;
};

static void feeder_open(struct feeder *feeder, const struct tendon__decode_limits *limits)
{
    *feeder = (struct feeder){.memory = counting_memory_make()};
    tendon__decoder_init(&feeder->decoder, limits, &feeder->memory.memory);
}

static int feeder_feed(struct feeder *feeder, const char *more, size_t count)
{
    uint8_t *moved = malloc(feeder->size + count + 1);
    cr_assert_not_null(moved);
    if (feeder->size)
        memcpy(moved, feeder->bytes, feeder->size);
    memcpy(moved + feeder->size, more, count);
    /* Without the spare byte: reading beyond the fed bytes must be seen by a sanitizer. */
    uint8_t *exact = malloc(feeder->size + count ? feeder->size + count : 1);
    memcpy(exact, moved, feeder->size + count);
    free(moved);
    free(feeder->bytes);
    feeder->bytes = exact;
    feeder->size += count;
    return tendon__decoder_feed(&feeder->decoder, feeder->bytes, feeder->size);
}

static void feeder_close(struct feeder *feeder)
{
    tendon__decoder_deinit(&feeder->decoder);
    free(feeder->bytes);
    cr_assert_eq(feeder->memory.blocks, 0);
}

static void feeder_expect(struct feeder *feeder, const struct message *message, size_t consumed)
{
    struct tape_text text;
    cr_assert_str_eq(
        tape_text(&text, feeder->decoder.nodes, feeder->decoder.node_count, feeder->bytes),
        message->want);
    cr_assert_eq(feeder->decoder.consumed, consumed, "%s", message->bytes);
}

static void feeder_expect_more(struct feeder *feeder, int result, size_t total)
{
    cr_assert_eq(result, TENDON__DECODE_MORE);
    cr_assert_gt(feeder->decoder.wanted, feeder->size);
    cr_assert_leq(feeder->decoder.wanted, total);
}

Test(decoder, reads_every_message_at_once_and_leaves_what_follows)
{
    for (size_t i = 0; i < MESSAGE_COUNT; i++) {
        struct feeder feeder;
        feeder_open(&feeder, &roomy);
        size_t size = strlen(messages[i].bytes);
        cr_assert_eq(feeder_feed(&feeder, messages[i].bytes, size), TENDON__DECODE_DONE, "%s: %s",
                     messages[i].bytes, feeder.decoder.complaint);
        feeder_expect(&feeder, &messages[i], size);
        feeder_close(&feeder);
        feeder_open(&feeder, &roomy);
        char *tail = malloc(size + 64);
        memcpy(tail, messages[i].bytes, size);
        memset(tail + size, '?', 64); /* garbage behind the reply is the next reply's affair */
        cr_assert_eq(feeder_feed(&feeder, tail, size + 64), TENDON__DECODE_DONE);
        feeder_expect(&feeder, &messages[i], size);
        free(tail);
        feeder_close(&feeder);
    }
}

Test(decoder, resumes_at_every_pair_of_splits)
{
    for (size_t i = 0; i < MESSAGE_COUNT; i++) {
        size_t size = strlen(messages[i].bytes);
        for (size_t first = 0; first < size; first++) {
            for (size_t second = first; second < size; second++) {
                struct feeder feeder;
                feeder_open(&feeder, &roomy);
                feeder_expect_more(&feeder, feeder_feed(&feeder, messages[i].bytes, first), size);
                feeder_expect_more(
                    &feeder, feeder_feed(&feeder, messages[i].bytes + first, second - first), size);
                cr_assert_eq(feeder_feed(&feeder, messages[i].bytes + second, size - second),
                             TENDON__DECODE_DONE, "%s at %zu, %zu", messages[i].bytes, first,
                             second);
                feeder_expect(&feeder, &messages[i], size);
                feeder_close(&feeder);
            }
        }
    }
}

Test(decoder, resumes_byte_by_byte)
{
    for (size_t i = 0; i < MESSAGE_COUNT; i++) {
        struct feeder feeder;
        feeder_open(&feeder, &roomy);
        size_t size = strlen(messages[i].bytes);
        for (size_t at = 0; at + 1 < size; at++)
            feeder_expect_more(&feeder, feeder_feed(&feeder, messages[i].bytes + at, 1), size);
        cr_assert_eq(feeder_feed(&feeder, messages[i].bytes + size - 1, 1), TENDON__DECODE_DONE);
        feeder_expect(&feeder, &messages[i], size);
        feeder_close(&feeder);
    }
}

Test(decoder, one_decoder_reads_all_messages_in_a_row)
{
    struct counting_memory memory = counting_memory_make();
    struct tendon__decoder decoder;
    tendon__decoder_init(&decoder, &roomy, &memory.memory);
    long requests = 0;
    for (int round = 0; round < 2; round++) {
        requests = memory.requests;
        for (size_t i = 0; i < MESSAGE_COUNT; i++) {
            size_t size = strlen(messages[i].bytes);
            uint8_t *bytes = malloc(size);
            memcpy(bytes, messages[i].bytes, size);
            cr_assert_eq(tendon__decoder_feed(&decoder, bytes, size), TENDON__DECODE_DONE);
            struct tape_text text;
            cr_assert_str_eq(tape_text(&text, decoder.nodes, decoder.node_count, bytes),
                             messages[i].want);
            tendon__decoder_next(&decoder);
            free(bytes);
        }
    }
    cr_assert_eq(memory.requests, requests, "a warm decoder needs no memory");
    tendon__decoder_deinit(&decoder);
    cr_assert_eq(memory.blocks, 0);
}

static void expect_failure(const char *bytes, const struct tendon__decode_limits *limits,
                           int status)
{
    size_t size = strlen(bytes);
    struct feeder feeder;
    feeder_open(&feeder, limits);
    int result = feeder_feed(&feeder, bytes, size);
    cr_assert_eq(result, status, "%s: %d", bytes, result);
    cr_assert_not_null(feeder.decoder.complaint);
    feeder_close(&feeder);
    feeder_open(&feeder, limits);
    result = TENDON__DECODE_MORE;
    for (size_t at = 0; at < size && result == TENDON__DECODE_MORE; at++)
        result = feeder_feed(&feeder, bytes + at, 1);
    cr_assert_eq(result, status, "%s byte by byte: %d", bytes, result);
    cr_assert_not_null(feeder.decoder.complaint);
    feeder_close(&feeder);
}

static const char *const refused[] = {
    "HTTP/1.1 400 Bad Request\r\n",
    "\r\n",
    "\x15\x03\x01",
    "OK\r\n",
    "+OK\n",
    "+O\nK\r\n",
    "+OK\rX",
    "-ERR\n",
    ":\r\n",
    ":-\r\n",
    ":1 \r\n",
    ":1\n",
    ":1\rx",
    ":--1\r\n",
    ":0x10\r\n",
    ":9223372036854775808\r\n",
    ":-9223372036854775809\r\n",
    ":18446744073709551616\r\n",
    ":99999999999999999999999\r\n",
    ":00000000000000000000001\r\n",
    "$\r\n",
    "$a\r\n",
    "$+5\r\nhello\r\n",
    "$-2\r\n",
    "$-0\r\n",
    "$-1x\r\n",
    "$-1\n",
    "$5\nhello\r\n",
    "$5\rxhello\r\n",
    "$3\r\nhello\r\n",
    "$5\r\nhelloX\n",
    "$5\r\nhello\rX",
    "$20\r\nabcdefghijklmnopqrstuv",
    "$?x\r\n",
    "$?\r\n+OK\r\n",
    "$?\r\n;-1\r\n",
    "$?\r\n;?\r\n",
    "$?\r\n;1\r\nab\r\n",
    "$?\r\n$1\r\na\r\n",
    "$?\r\n.\r\n",
    "$99999999999999999999\r\n",
    "*99999999999999999999\r\n",
    "*-2\r\n",
    "*1.5\r\n",
    "*\r\n",
    "%-1\r\n",
    "~-1\r\n",
    ">-1\r\n",
    "|-1\r\n",
    "!-1\r\n",
    "!?\r\n",
    "=?\r\n",
    "=-1\r\n",
    "=3\r\ntxt\r\n",
    "=7\r\ntxt-abc\r\n",
    "_x\r\n",
    "_\n",
    "#\r\n",
    "#x\r\n",
    "#true\r\n",
    "#T\r\n",
    ",\r\n",
    ",.5\r\n",
    ",5.\r\n",
    ",1e\r\n",
    ",1e+\r\n",
    ",--1\r\n",
    ",0x1p3\r\n",
    ",1,5\r\n",
    ",infinity\r\n",
    ",NaN(1)\r\n",
    ", 1\r\n",
    "(\r\n",
    "(-\r\n",
    "(12a\r\n",
    "(1.5\r\n",
    ".\r\n",
    ";1\r\na\r\n",
    "*1\r\n.\r\n",
    "*?\r\n.x\r\n",
    "*?\r\n.\rx",
    "*?\r\n:1\r\n*1\r\n.\r\n",
    "%?\r\n+a\r\n.\r\n",
    "|?\r\n+a\r\n.\r\n",
    "*?\r\n|1\r\n+a\r\n:1\r\n.\r\n",
};

Test(decoder, refuses_what_is_not_resp)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        expect_failure(refused[i], &roomy, TENDON_ERROR_PROTOCOL);
}

Test(decoder, refuses_a_double_of_endless_digits)
{
    char text[TENDON__DEPTH_MAX + 8] = ",";
    memset(text + 1, '1', 600);
    strcpy(text + 601, "\r\n");
    expect_failure(text, &roomy, TENDON_ERROR_PROTOCOL);
}

Test(decoder, limits_depth)
{
    const struct tendon__decode_limits limits = {
        .bytes_max = 1 << 20, .nodes_max = 1000, .depth_max = 3};
    expect_failure("*1\r\n*1\r\n*1\r\n*1\r\n", &limits, TENDON_ERROR_LIMIT);
    expect_failure("*1\r\n*1\r\n*1\r\n*0\r\n", &limits, TENDON_ERROR_LIMIT);
    expect_failure("*?\r\n~?\r\n%?\r\n>?\r\n", &limits, TENDON_ERROR_LIMIT);
    expect_failure("|1\r\n|1\r\n|1\r\n|1\r\n", &limits, TENDON_ERROR_LIMIT);
    struct feeder feeder;
    feeder_open(&feeder, &limits);
    const struct message deepest = {"*1\r\n*1\r\n*1\r\n$?\r\n;1\r\nx\r\n;0\r\n", "*1[*1[*1[$x]]]"};
    cr_assert_eq(feeder_feed(&feeder, deepest.bytes, strlen(deepest.bytes)), TENDON__DECODE_DONE);
    feeder_expect(&feeder, &deepest, strlen(deepest.bytes));
    feeder_close(&feeder);
}

Test(decoder, the_hard_bound_of_depth_holds)
{
    const struct tendon__decode_limits limits = {
        .bytes_max = 1 << 20, .nodes_max = 1 << 20, .depth_max = UINT32_MAX};
    struct feeder feeder;
    feeder_open(&feeder, &limits);
    enum { COUNT = TENDON__DEPTH_MAX };
    static char nested[(COUNT + 1) * 4];
    for (int i = 0; i <= COUNT; i++)
        memcpy(nested + i * 4, "*1\r\n", 4);
    cr_assert_eq(feeder_feed(&feeder, nested, COUNT * 4), TENDON__DECODE_MORE);
    cr_assert_eq(feeder_feed(&feeder, nested, 4), TENDON_ERROR_LIMIT);
    feeder_close(&feeder);
}

Test(decoder, limits_nodes)
{
    const struct tendon__decode_limits limits = {
        .bytes_max = 1 << 20, .nodes_max = 4, .depth_max = 9};
    expect_failure("*4\r\n", &limits, TENDON_ERROR_LIMIT);
    expect_failure("%2\r\n", &limits, TENDON_ERROR_LIMIT);
    expect_failure("*2\r\n*2\r\n:1\r\n:1\r\n:1\r\n", &limits, TENDON_ERROR_LIMIT);
    expect_failure("*?\r\n:1\r\n:2\r\n:3\r\n:4\r\n", &limits, TENDON_ERROR_LIMIT);
    expect_failure("*9223372036854775807\r\n", &limits, TENDON_ERROR_LIMIT);
    expect_failure("%9223372036854775807\r\n", &limits, TENDON_ERROR_LIMIT);
    struct feeder feeder;
    feeder_open(&feeder, &limits);
    cr_assert_eq(feeder_feed(&feeder, "*3\r\n:1\r\n:2\r\n:3\r\n", 16), TENDON__DECODE_DONE);
    feeder_close(&feeder);
}

Test(decoder, limits_bytes)
{
    const struct tendon__decode_limits limits = {.bytes_max = 20, .nodes_max = 64, .depth_max = 9};
    expect_failure("$21\r\n", &limits, TENDON_ERROR_LIMIT);
    expect_failure("$14\r\n", &limits, TENDON_ERROR_LIMIT); /* 5 + 14 + 2 is 21 */
    expect_failure("$9223372036854775807\r\n", &limits, TENDON_ERROR_LIMIT);
    expect_failure("+aaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n", &limits, TENDON_ERROR_LIMIT);
    expect_failure("*8\r\n:1\r\n:2\r\n:3\r\n:4\r\n:5\r\n", &limits, TENDON_ERROR_LIMIT);
    expect_failure("*1\r\n|1\r\n+a\r\n+b\r\n|1\r\n+a\r\n+b\r\n", &limits, TENDON_ERROR_LIMIT);
    expect_failure("$?\r\n;4\r\naaaa\r\n;4\r\naaaa\r\n", &limits, TENDON_ERROR_LIMIT);
    struct feeder feeder;
    feeder_open(&feeder, &limits);
    cr_assert_eq(feeder_feed(&feeder, "$13\r\naaaaaaaaaaaaa\r\n:1\r\n:1\r\n", 28),
                 TENDON__DECODE_DONE);
    cr_assert_eq(feeder.decoder.consumed, 20);
    feeder_close(&feeder);
}

Test(decoder, announced_counts_allocate_nothing)
{
    const struct tendon__decode_limits limits = {
        .bytes_max = UINT64_MAX, .nodes_max = UINT32_MAX, .depth_max = 64};
    static const char *const heads[] = {"*1000000000\r\n",
                                        "%1000000000\r\n",
                                        "~1000000000\r\n",
                                        ">1000000000\r\n",
                                        "|1000000000\r\n",
                                        "$1000000000\r\n",
                                        "*1000000000\r\n*1000000000\r\n*1000000000\r\n"};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        struct feeder feeder;
        feeder_open(&feeder, &limits);
        cr_assert_eq(feeder_feed(&feeder, heads[i], strlen(heads[i])), TENDON__DECODE_MORE);
        cr_assert_leq(feeder.memory.largest, 1024);
        feeder_close(&feeder);
    }
    expect_failure("$4294967296\r\n", &limits, TENDON_ERROR_LIMIT);
}

Test(decoder, says_how_much_a_big_string_wants)
{
    struct feeder feeder;
    feeder_open(&feeder, &roomy);
    cr_assert_eq(feeder_feed(&feeder, "*2\r\n$100000\r\nabc", 16), TENDON__DECODE_MORE);
    cr_assert_eq(feeder.decoder.wanted, 4 + 9 + 100000 + 2);
    cr_assert_eq(feeder_feed(&feeder, "def", 3), TENDON__DECODE_MORE);
    cr_assert_eq(feeder.decoder.wanted, 4 + 9 + 100000 + 2);
    feeder_close(&feeder);
}

Test(decoder, gives_back_an_oversized_tape)
{
    struct counting_memory memory = counting_memory_make();
    struct tendon__decoder decoder;
    tendon__decoder_init(&decoder, &roomy, &memory.memory);
    enum { COUNT = TENDON__TAPE_ROOM_KEPT * 2 };
    uint8_t *bytes = malloc(16 + COUNT * 4);
    size_t size = (size_t)sprintf((char *)bytes, "*%d\r\n", COUNT);
    for (int i = 0; i < COUNT; i++, size += 4)
        memcpy(bytes + size, ":7\r\n", 4);
    cr_assert_eq(tendon__decoder_feed(&decoder, bytes, size), TENDON__DECODE_DONE);
    cr_assert_eq(decoder.node_count, COUNT + 1);
    cr_assert_eq(decoder.nodes[0].value.span, COUNT + 1);
    tendon__decoder_next(&decoder);
    cr_assert_eq(decoder.node_room, 0);
    cr_assert_eq(tendon__decoder_feed(&decoder, bytes + size - 4, 4), TENDON__DECODE_DONE);
    tendon__decoder_deinit(&decoder);
    free(bytes);
    cr_assert_eq(memory.blocks, 0);
}

Test(decoder, every_failing_allocation_is_a_status)
{
    static const char bytes[] =
        "*12\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n"
        ":1\r\n:2\r\n:3\r\n:4\r\n:5\r\n:6\r\n:7\r\n:8\r\n:9\r\n:10\r\n:11\r\n";
    for (long n = 1;; n++) {
        struct feeder feeder;
        feeder_open(&feeder, &roomy);
        feeder.memory.refuse_from = n;
        int result = feeder_feed(&feeder, bytes, sizeof bytes - 1);
        bool untouched = feeder.memory.requests < n;
        cr_assert_eq(result, untouched ? TENDON__DECODE_DONE : TENDON_ERROR_NO_MEMORY);
        feeder_close(&feeder);
        if (untouched) {
            cr_assert_geq(n, 4, "nodes and frames both grow twice");
            break;
        }
    }
}

Test(decoder, doubles_do_not_depend_on_the_locale)
{
    static const char *const locales[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "C"};
    for (size_t i = 0; i < 3; i++) {
        setlocale(LC_ALL, locales[i]); /* those not installed leave the one before */
        struct feeder feeder;
        feeder_open(&feeder, &roomy);
        cr_assert_eq(feeder_feed(&feeder, ",-1234.5678e-2\r\n", 16), TENDON__DECODE_DONE);
        cr_assert_eq(feeder.decoder.nodes[0].value.number, -12.345678);
        feeder_close(&feeder);
    }
}

static double read_double(const char *line)
{
    struct feeder feeder;
    feeder_open(&feeder, &roomy);
    cr_assert_eq(feeder_feed(&feeder, line, strlen(line)), TENDON__DECODE_DONE, "%s", line);
    double value = feeder.decoder.nodes[0].value.number;
    feeder_close(&feeder);
    return value;
}

Test(decoder, doubles_are_rounded_correctly_at_the_edges)
{
    cr_assert_eq(read_double(",1.7976931348623157e308\r\n"), 1.7976931348623157e308);
    cr_assert_eq(read_double(",5e-324\r\n"), 5e-324);
    cr_assert_eq(read_double(",0.1\r\n"), 0.1);
    cr_assert_eq(read_double(",9007199254740993\r\n"), 9007199254740992.0);
    cr_assert_eq(read_double(",1e99999999999999999999\r\n"), (double)__builtin_inf());
    cr_assert_eq(read_double(",1e-99999999999999999999\r\n"), 0.0);
    cr_assert(__builtin_signbit(read_double(",-0\r\n")));
    cr_assert(__builtin_isnan(read_double(",-nan\r\n")));
}
