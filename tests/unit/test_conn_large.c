/* Replies of every large size, one after the other, through the blocks that are kept for their next
 * use: with the system's memory, because only its blocks are. */
#include <stdlib.h>

#include "base/large.h"
#include "conn_dialogue.h"

#define GET_A     "*2\r\n$3\r\nGET\r\n$1\r\na\r\n"
#define LEN(s)    (sizeof(s) - 1)
#define SIZE_MOST ((size_t)5000000)

static const size_t sizes[] = {70000, 300000, 1200000, 4000000, SIZE_MOST, 70000, 1300000, 290000};

static char letter(size_t size, size_t at)
{
    return (char)('a' + (size + at / 7) % 26);
}

/* A short reply, which leaves the large one at an odd place, the large one, and the begin of a
 * third.
 */
static size_t write_replies(char *wire, size_t size)
{
    size_t used = (size_t)sprintf(wire, "+first\r\n$%zu\r\n", size);
    for (size_t i = 0; i < size; i++)
        wire[used++] = letter(size, i);
    return used + (size_t)sprintf(wire + used, "\r\n$5\r\nth");
}

static void begin(struct dialogue *talk, bool keep)
{
    static const struct tendon__session plain = {0};
    static const char ready[] = "%1\r\n+proto\r\n:3\r\n";
    const uint8_t *out;
    memset(talk, 0, sizeof *talk);
    talk->keep = keep;
    cr_assert_eq(tendon__conn_init(&talk->conn, tendon__memory_system(), &dialogue_limits, &plain,
                                   &dialogue_ops, talk),
                 TENDON_OK);
    cr_assert_eq(tendon__conn_opened(&talk->conn, 1), TENDON_OK);
    tendon__conn_sent(&talk->conn, tendon__conn_peek_out(&talk->conn, &out));
    cr_assert(dialogue_say(talk, ready, LEN(ready)));
    cr_assert_eq(talk->ready, 1);
}

static void expect_value(const tendon_reply *reply, size_t size)
{
    cr_assert_not_null(reply);
    cr_assert_eq(reply->nodes[0].size, size);
    const uint8_t *data = reply->data + reply->nodes[0].value.offset;
    for (size_t i = 0; i < size; i++)
        cr_assert(data[i] == (uint8_t)letter(size, i), "byte %zu of %zu", i, size);
}

static void exchange_one(struct dialogue *talk, const char *wire, size_t total, size_t chunk,
                         size_t size)
{
    const uint8_t *out;
    talk->count = 0;
    talk->log[0] = '\0';
    for (int i = 0; i < 3; i++)
        dialogue_send(talk, GET_A, LEN(GET_A), 1);
    tendon__conn_sent(&talk->conn, tendon__conn_peek_out(&talk->conn, &out));
    for (size_t at = 0; at < total; at += chunk) {
        cr_assert(dialogue_say(talk, wire + at, chunk < total - at ? chunk : total - at));
        size_t room = talk->conn.rx_room;
        cr_assert_eq(tendon__large_room(room), room, "a block of no size that is kept: %zu", room);
    }
    if (talk->keep)
        expect_value(talk->kept, size);
    cr_assert(dialogue_say(talk, "ird\r\n", 5));
    cr_assert_not_null(strstr(talk->log, "0.0=first;1.0="), "%s", talk->log);
    cr_assert_not_null(strstr(talk->log, ";2.0=third;"), "%s", talk->log);
}

Test(conn_large, every_large_reply_is_whole_in_a_block_that_was_used_before)
{
    static const size_t chunks[] = {65536, 1u << 20, SIZE_MOST + 100};
    char *wire = malloc(SIZE_MOST + 100);
    cr_assert_not_null(wire);
    tendon__large_open();
    for (size_t run = 0; run < 4 * (sizeof chunks / sizeof chunks[0]); run++) {
        struct dialogue talk;
        begin(&talk, run % 2);
        for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
            size_t total = write_replies(wire, sizes[s]);
            exchange_one(&talk, wire, total, chunks[run / 4], sizes[s]);
        }
        dialogue_end(&talk);
    }
    tendon__large_close();
    free(wire);
}
