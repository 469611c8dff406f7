/* The FIFO of one connection: order, progress, ghosts, groups, ASKING, big frames and big replies,
 * failing memory. */
#include <stdlib.h>

#include "base/random.h"
#include "conn_dialogue.h"

#define GET_A           "*2\r\n$3\r\nGET\r\n$1\r\na\r\n"
#define GET_B           "*2\r\n$3\r\nGET\r\n$1\r\nb\r\n"
#define ASKING          "*1\r\n$6\r\nASKING\r\n"
#define LEN(s)          (sizeof(s) - 1)
#define BIG             200000
#define SAY(talk, text) cr_assert(dialogue_say(talk, text, LEN(text)))

static const struct tendon__session plain = {0};

static void begin(struct dialogue *talk)
{
    dialogue_begin(talk, &plain);
    dialogue_expect(talk, "*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n",
                    LEN("*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n"), SIZE_MAX);
    SAY(talk, "%1\r\n+proto\r\n:3\r\n");
    cr_assert_eq(talk->ready, 1);
    talk->log[0] = '\0';
}

Test(conn_fifo, replies_come_to_their_requests_at_every_split)
{
    static const char answers[] =
        "$1\r\nx\r\n>2\r\n+m\r\n:1\r\n-ERR no\r\n+OK\r\n+QUEUED\r\n*1\r\n:7\r\n";
    for (size_t first = 0; first <= LEN(answers); first++) {
        for (size_t second = first; second <= LEN(answers); second++) {
            struct dialogue talk;
            begin(&talk);
            dialogue_send(&talk, GET_A, LEN(GET_A), 1);
            dialogue_send(&talk, GET_B, LEN(GET_B), 1);
            dialogue_send(&talk, GET_A GET_B GET_A, 3 * LEN(GET_A), 3);
            dialogue_expect(&talk, GET_A GET_B GET_A GET_B GET_A, 5 * LEN(GET_A), first + 1);
            cr_assert(dialogue_say(&talk, answers, first));
            cr_assert(dialogue_say(&talk, answers + first, second - first));
            cr_assert(dialogue_say(&talk, answers + second, LEN(answers) - second));
            cr_assert_str_eq(talk.log, "0.0=x;push;1.0=ERR no;2.0=OK;2.1=QUEUED;2.2=;");
            cr_assert_eq(talk.conn.fifo_count, 0);
            dialogue_end(&talk);
        }
    }
}

Test(conn_fifo, progress_at_every_byte)
{
    struct dialogue talk;
    begin(&talk);
    struct tendon__exchange *one = dialogue_send(&talk, GET_A, LEN(GET_A), 1);
    struct tendon__exchange *two = dialogue_send(&talk, GET_B, LEN(GET_B), 1);
    two->asking = true;
    const uint8_t *out;
    cr_assert_eq(tendon__conn_progress(&talk.conn, one), TENDON__PROGRESS_QUEUED);
    cr_assert_eq(tendon__conn_peek_out(&talk.conn, &out), LEN(GET_A ASKING GET_B));
    for (size_t sent = 0; sent <= LEN(GET_A ASKING GET_B); sent++) {
        enum tendon__progress first = !sent               ? TENDON__PROGRESS_QUEUED
                                      : sent < LEN(GET_A) ? TENDON__PROGRESS_PARTIAL
                                                          : TENDON__PROGRESS_SENT;
        enum tendon__progress second = sent <= LEN(GET_A)               ? TENDON__PROGRESS_QUEUED
                                       : sent < LEN(GET_A ASKING GET_B) ? TENDON__PROGRESS_PARTIAL
                                                                        : TENDON__PROGRESS_SENT;
        cr_assert_eq(tendon__conn_progress(&talk.conn, one), first, "after %zu bytes", sent);
        cr_assert_eq(tendon__conn_progress(&talk.conn, two), second, "after %zu bytes", sent);
        if (tendon__conn_peek_out(&talk.conn, &out))
            tendon__conn_sent(&talk.conn, 1);
    }
    dialogue_end(&talk);
}

Test(conn_fifo, asking_is_adjacent_and_its_answer_is_swallowed)
{
    struct dialogue talk;
    begin(&talk);
    dialogue_send(&talk, GET_A, LEN(GET_A), 1);
    dialogue_send(&talk, GET_B, LEN(GET_B), 1)->asking = true;
    dialogue_send(&talk, GET_A, LEN(GET_A), 1);
    dialogue_expect(&talk, GET_A ASKING GET_B GET_A, LEN(GET_A ASKING GET_B GET_A), 1);
    SAY(&talk, "+1\r\n+OK\r\n+2\r\n+3\r\n");
    cr_assert_str_eq(talk.log, "0.0=1;1.0=2;2.0=3;");
    dialogue_end(&talk);
}

Test(conn_fifo, asking_that_is_refused_does_not_shift_the_replies)
{
    struct dialogue talk;
    begin(&talk);
    dialogue_send(&talk, GET_B, LEN(GET_B), 1)->asking = true;
    dialogue_send(&talk, GET_A, LEN(GET_A), 1);
    dialogue_expect(&talk, ASKING GET_B GET_A, LEN(ASKING GET_B GET_A), SIZE_MAX);
    SAY(&talk, "-ERR This instance has cluster support disabled\r\n+2\r\n+3\r\n");
    cr_assert_str_eq(talk.log, "0.0=2;1.0=3;");
    dialogue_end(&talk);
}

Test(conn_fifo, only_what_is_not_in_the_stream_can_be_taken_back)
{
    struct dialogue talk;
    const uint8_t *out;
    begin(&talk);
    struct tendon__exchange *all[4];
    for (int i = 0; i < 2; i++)
        all[i] = dialogue_send(&talk, GET_A, LEN(GET_A), 1);
    cr_assert_eq(tendon__conn_peek_out(&talk.conn, &out), 2 * LEN(GET_A));
    for (int i = 2; i < 4; i++)
        all[i] = dialogue_send(&talk, GET_B, LEN(GET_B), 1);
    cr_assert_not(tendon__conn_take_back(&talk.conn, all[0]));
    cr_assert(tendon__conn_take_back(&talk.conn, all[2]));
    cr_assert_eq(talk.conn.fifo_count, 3);
    dialogue_expect(&talk, GET_A GET_A GET_B, LEN(GET_A GET_A GET_B), SIZE_MAX);
    SAY(&talk, "+0\r\n+1\r\n+3\r\n");
    cr_assert_str_eq(talk.log, "0.0=0;1.0=1;3.0=3;");
    tendon__conn_send(&talk.conn, all[2], talk.now_ns);
    cr_assert(tendon__conn_take_back(&talk.conn, all[2]));
    cr_assert_eq(tendon__conn_peek_out(&talk.conn, &out), 0);
    dialogue_end(&talk);
}

Test(conn_fifo, a_ghost_takes_the_late_replies)
{
    struct dialogue talk;
    begin(&talk);
    struct tendon__exchange *group = dialogue_send(&talk, GET_A GET_B, LEN(GET_A GET_B), 2);
    dialogue_send(&talk, GET_B, LEN(GET_B), 1);
    dialogue_expect(&talk, GET_A GET_B GET_B, LEN(GET_A GET_B GET_B), SIZE_MAX);
    SAY(&talk, "+0\r\n");
    struct tendon__exchange *ghost = &talk.exchanges[DIALOGUE_EXCHANGES - 1];
    tendon__conn_replace(&talk.conn, group, ghost);
    cr_assert(ghost->ghost && !tendon__list_linked(&group->link));
    cr_assert_eq(talk.conn.fifo_count, 2);
    tendon__conn_send(&talk.conn, group,
                      talk.now_ns); /* free again, at the end of the same connection */
    dialogue_expect(&talk, GET_A GET_B, LEN(GET_A GET_B), SIZE_MAX);
    SAY(&talk, "+1\r\n+2\r\n+3\r\n+4\r\n");
    cr_assert_str_eq(talk.log, "0.0=0;15.1=1;1.0=2;0.0=3;0.1=4;");
    dialogue_end(&talk);
}

Test(conn_fifo, a_reply_nobody_asked_for_fails_the_connection)
{
    struct dialogue talk;
    begin(&talk);
    SAY(&talk, "+surprise\r\n");
    cr_assert_str_eq(talk.log, "failed;");
    cr_assert_eq(talk.fault.status, TENDON_ERROR_PROTOCOL);
    cr_assert_not_null(strstr(talk.fault.text, "surprise"));
    dialogue_end(&talk);

    begin(&talk);
    dialogue_send(&talk, GET_A, LEN(GET_A), 1); /* not sent yet */
    SAY(&talk, "+early\r\n");
    cr_assert_str_eq(talk.log, "failed;");
    dialogue_end(&talk);
}

Test(conn_fifo, what_remains_is_handed_back_in_order)
{
    struct dialogue talk;
    begin(&talk);
    struct tendon__exchange *all[3];
    for (int i = 0; i < 3; i++)
        all[i] = dialogue_send(&talk, GET_A, LEN(GET_A), 1);
    const uint8_t *out;
    cr_assert_gt(tendon__conn_peek_out(&talk.conn, &out), 0);
    tendon__conn_sent(&talk.conn, LEN(GET_A) + 1);
    tendon__conn_abandon(&talk.conn);
    static const enum tendon__progress expected[] = {
        TENDON__PROGRESS_SENT, TENDON__PROGRESS_PARTIAL, TENDON__PROGRESS_QUEUED};
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(tendon__conn_shift(&talk.conn), all[i]);
        cr_assert_eq(tendon__conn_progress(&talk.conn, all[i]), expected[i]);
    }
    cr_assert_null(tendon__conn_shift(&talk.conn));
    cr_assert_eq(talk.failed, 0, "the owner ended it and need not be told");
    dialogue_end(&talk);
}

static char *make_frame(size_t size, char fill)
{
    char *frame = malloc(size);
    cr_assert_not_null(frame);
    memset(frame, fill, size);
    return frame;
}

Test(conn_fifo, frames_of_every_size_keep_their_order)
{
    static const size_t sizes[] = {1,
                                   TENDON__TX_DIRECT_BYTES - 1,
                                   TENDON__TX_DIRECT_BYTES,
                                   TENDON__TX_BYTES,
                                   BIG,
                                   7,
                                   TENDON__TX_DIRECT_BYTES - 1,
                                   TENDON__TX_DIRECT_BYTES - 1,
                                   TENDON__TX_BYTES + 1,
                                   TENDON__TX_DIRECT_BYTES - 1,
                                   TENDON__TX_DIRECT_BYTES - 1,
                                   3};
    static const size_t steps[] = {1000, 16383, 65536, SIZE_MAX};
    for (size_t s = 0; s < sizeof steps / sizeof steps[0]; s++) {
        struct dialogue talk;
        char *frames[12];
        char *all = malloc(1 << 20);
        size_t total = 0;
        cr_assert_not_null(all);
        begin(&talk);
        for (size_t i = 0; i < 12; i++) {
            frames[i] = make_frame(sizes[i], (char)('a' + i));
            if (i % 3 == 0) {
                memcpy(all + total, ASKING, LEN(ASKING));
                total += LEN(ASKING);
            }
            memcpy(all + total, frames[i], sizes[i]);
            total += sizes[i];
            dialogue_send(&talk, frames[i], sizes[i], 1)->asking = i % 3 == 0;
        }
        dialogue_expect(&talk, all, total, steps[s]);
        for (size_t i = 0; i < 12; i++)
            cr_assert_eq(tendon__conn_progress(&talk.conn, &talk.exchanges[i]),
                         TENDON__PROGRESS_SENT);
        dialogue_end(&talk);
        for (size_t i = 0; i < 12; i++)
            free(frames[i]);
        free(all);
    }
}

/* The bytes of a half done write may be asked for again by TLS, so they stay where they are and
 * only grow. */
Test(conn_fifo, bytes_offered_once_stay_in_place)
{
    struct dialogue talk;
    const uint8_t *before, *after;
    begin(&talk);
    dialogue_send(&talk, GET_A, LEN(GET_A), 1);
    size_t size = tendon__conn_peek_out(&talk.conn, &before);
    char copy[LEN(GET_A)];
    memcpy(copy, before, size);
    for (int i = 0; i < 10; i++)
        dialogue_send(&talk, GET_B, LEN(GET_B), 1);
    cr_assert_geq(tendon__conn_peek_out(&talk.conn, &after), size);
    cr_assert_eq(before, after);
    cr_assert_eq(memcmp(after, copy, size), 0);
    dialogue_end(&talk);
}

Test(conn_fifo, big_replies_are_whole_and_what_follows_them_is_too)
{
    static const size_t chunks[] = {1000, 4096, 65536, 70001, SIZE_MAX};
    for (size_t c = 0; c < sizeof chunks / sizeof chunks[0]; c++) {
        struct dialogue talk;
        char *wire = malloc(BIG + 64);
        cr_assert_not_null(wire);
        begin(&talk);
        talk.keep = true;
        dialogue_send(&talk, GET_A, LEN(GET_A), 1);
        dialogue_expect(&talk, GET_A, LEN(GET_A), SIZE_MAX);
        size_t head = (size_t)snprintf(wire, 32, "$%d\r\n", BIG);
        memset(wire + head, 'x', BIG);
        memcpy(wire + head + BIG, "\r\n", 2);
        size_t total = head + BIG + 2;
        for (size_t at = 0; at < total; at += chunks[c] < total - at ? chunks[c] : total - at)
            cr_assert(
                dialogue_say(&talk, wire + at, chunks[c] < total - at ? chunks[c] : total - at));
        cr_assert_not_null(talk.kept);
        cr_assert_eq(talk.kept->nodes[0].size, BIG);
        cr_assert_eq(talk.kept->data[talk.kept->nodes[0].value.offset + BIG - 1], 'x');
        dialogue_send(&talk, GET_B, LEN(GET_B), 1);
        dialogue_expect(&talk, GET_B, LEN(GET_B), SIZE_MAX);
        SAY(&talk, "+after\r\n");
        cr_assert_eq(memcmp(talk.kept->data + talk.kept->nodes[0].value.offset, "after", 5), 0);
        dialogue_end(&talk);
        free(wire);
    }
}

/* The reply fills the block it is adopted with, and bytes of later replies lie behind it. */
Test(conn_fifo, an_adopted_block_leaves_what_lies_behind_it)
{
    struct dialogue talk;
    char *wire = malloc(BIG * 2);
    uint8_t *space;
    cr_assert_not_null(wire);
    begin(&talk);
    talk.keep = true;
    for (int i = 0; i < 3; i++)
        dialogue_send(&talk, GET_A, LEN(GET_A), 1);
    dialogue_expect(&talk, GET_A GET_A GET_A, 3 * LEN(GET_A), SIZE_MAX);
    size_t head = (size_t)snprintf(wire, 32, "$%d\r\n", BIG);
    memset(wire + head, 'x', BIG);
    size_t total = head + BIG + (size_t)sprintf(wire + head + BIG, "\r\n+second\r\n$5\r\nthi");
    size_t at = 0;
    while (at < total) {
        size_t room = tendon__conn_space(&talk.conn, &space);
        room = room < total - at ? room : total - at;
        memcpy(space, wire + at, room);
        tendon__conn_received(&talk.conn, room, talk.now_ns);
        at += room;
    }
    SAY(&talk, "rd\r\n");
    cr_assert_not_null(strstr(talk.log, ";1.0=second;2.0=third;"));
    dialogue_end(&talk);
    free(wire);
}

/* A reply of many small elements: as few reads as its size asks for. */
Test(conn_fifo, a_big_array_does_not_arrive_byte_by_byte)
{
    struct dialogue talk;
    size_t count = 60000, total = 0, at = 0, reads = 0;
    char *wire = malloc(count * 8 + 32);
    uint8_t *space;
    cr_assert_not_null(wire);
    begin(&talk);
    dialogue_send(&talk, GET_A, LEN(GET_A), 1);
    dialogue_expect(&talk, GET_A, LEN(GET_A), SIZE_MAX);
    total = (size_t)sprintf(wire, "*%zu\r\n", count);
    for (size_t i = 0; i < count; i++)
        total += (size_t)sprintf(wire + total, ":%zu\r\n", i % 1000);
    long requests = talk.memory.requests;
    for (; at < total; reads++) {
        size_t room = tendon__conn_space(&talk.conn, &space);
        cr_assert_gt(room, 0);
        room = room < total - at ? room : total - at;
        memcpy(space, wire + at, room);
        tendon__conn_received(&talk.conn, room, talk.now_ns);
        at += room;
    }
    cr_assert_str_eq(talk.log, "0.0=;");
    cr_assert_lt(reads, 60, "%zu reads of %zu bytes", reads, total);
    cr_assert_lt(talk.memory.requests - requests, 60);
    dialogue_end(&talk);
    free(wire);
}

Test(conn_fifo, an_announced_size_is_not_believed)
{
    struct dialogue talk;
    begin(&talk);
    dialogue_send(&talk, GET_A, LEN(GET_A), 1);
    dialogue_expect(&talk, GET_A, LEN(GET_A), SIZE_MAX);
    talk.memory.largest = 0;
    SAY(&talk, "$1000000000\r\nabc");
    uint8_t *space;
    cr_assert_gt(tendon__conn_space(&talk.conn, &space), 0);
    cr_assert_lt(talk.memory.largest, 4u << 20, "%zu bytes were allocated for a promise",
                 talk.memory.largest);
    dialogue_end(&talk);
}

Test(conn_fifo, a_block_grown_for_one_reply_is_given_back)
{
    struct dialogue talk;
    char *wire = make_frame(4 * BIG + 32, 'x');
    begin(&talk);
    dialogue_send(&talk, GET_A, LEN(GET_A), 1);
    dialogue_expect(&talk, GET_A, LEN(GET_A), SIZE_MAX);
    size_t head = (size_t)snprintf(wire, 32, "$%d\r", 4 * BIG);
    wire[head++] = '\n';
    memcpy(wire + head + 4 * BIG, "\r\n", 2);
    cr_assert(dialogue_say(&talk, wire, head + 4 * BIG + 2));
    cr_assert_leq(talk.conn.rx_room, TENDON__RX_BYTES_MAX_IDLE);
    dialogue_end(&talk);
    free(wire);
}

static void talk_without_memory(long n, bool *out_enough)
{
    struct dialogue talk;
    static char wire[3 * TENDON__RX_BYTES];
    memset(&talk, 0, sizeof talk);
    talk.memory = counting_memory_make();
    talk.memory.refuse_from = n;
    talk.keep = true;
    size_t size = (size_t)sprintf(wire, "%%1\r\n+proto\r\n:3\r\n");
    tendon_status status = tendon__conn_init(&talk.conn, &talk.memory.memory, &dialogue_limits,
                                             &plain, &dialogue_ops, &talk);
    const uint8_t *out;
    if (status == TENDON_OK && tendon__conn_opened(&talk.conn, 1) == TENDON_OK) {
        tendon__conn_sent(&talk.conn, tendon__conn_peek_out(&talk.conn, &out));
        bool more = dialogue_say(&talk, wire, size);
        if (more && talk.conn.state == TENDON__CONN_READY) {
            dialogue_send(&talk, GET_A, LEN(GET_A), 1);
            dialogue_send(&talk, GET_B, LEN(GET_B), 1);
            tendon__conn_sent(&talk.conn, tendon__conn_peek_out(&talk.conn, &out));
            size = (size_t)sprintf(wire, "$%d\r\n", 2 * TENDON__RX_BYTES);
            memset(wire + size, 'x', 2 * TENDON__RX_BYTES);
            size += 2 * TENDON__RX_BYTES;
            size += (size_t)sprintf(wire + size, "\r\n*3\r\n:1\r\n+a\r\n*1\r\n_\r\n");
            more = dialogue_say(&talk, wire, size);
        }
        cr_assert(!talk.failed || talk.fault.status == TENDON_ERROR_NO_MEMORY, "%s",
                  talk.fault.text);
    }
    *out_enough = talk.memory.requests < n;
    cr_assert(!*out_enough || talk.conn.fifo_count == 0, "with enough memory all is answered");
    dialogue_end(&talk);
}

Test(conn_fifo, memory_failing_at_every_allocation)
{
    bool enough = false;
    for (long n = 1; !enough; n++) {
        cr_assert_lt(n, 100);
        talk_without_memory(n, &enough);
    }
}
