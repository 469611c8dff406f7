/* Dialogues with one connection: what it must send, what the server says, and what it told its
 * owner. */
#ifndef TENDON_TEST_CONN_DIALOGUE_H
#define TENDON_TEST_CONN_DIALOGUE_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "conn/conn.h"
#include "counting_memory.h"

#define DIALOGUE_LOG_MAX   4096
#define DIALOGUE_EXCHANGES 16

/* EXPECT: exactly these bytes are to be sent now. SEND: the server says these. */
enum line_kind { LINE_END, EXPECT, SEND };

struct line {
    enum line_kind kind;
    const char *text;
};

struct dialogue {
    struct counting_memory memory;
    struct tendon__conn conn;
    struct tendon__exchange exchanges[DIALOGUE_EXCHANGES];
    uint32_t count;
    int64_t now_ns;
    char log[DIALOGUE_LOG_MAX]; /* "ready;" "0.0=+OK;" (exchange.reply=value) "push;" "failed;" */
    uint32_t ready;
    uint32_t failed;
    struct tendon__fault fault;
    bool keep; /* takes every reply, into `kept` */
    tendon_reply *kept;
};

static void dialogue_log(struct dialogue *talk, const char *text, size_t size)
{
    size_t used = strlen(talk->log);
    cr_assert_lt(used + size, sizeof talk->log);
    memcpy(talk->log + used, text, size);
    talk->log[used + size] = '\0';
}

static void dialogue_ready(void *context, struct tendon__conn *conn)
{
    struct dialogue *talk = context;
    cr_assert_eq(conn->state, TENDON__CONN_READY);
    talk->ready++;
    dialogue_log(talk, "ready;", 6);
}

static void dialogue_take(struct dialogue *talk, struct tendon__conn *conn)
{
    if (!talk->keep)
        return;
    tendon__reply_free(talk->kept);
    talk->kept = tendon__conn_take_reply(conn);
}

static void dialogue_reply(void *context, struct tendon__conn *conn,
                           struct tendon__exchange *exchange)
{
    struct dialogue *talk = context;
    char text[64];
    const tendon_node *root = &conn->tape.nodes[0];
    tendon_bytes value = tendon__tape_text(&conn->tape, 0);
    int size = snprintf(text, sizeof text, "%ld.%u=", (long)(exchange - talk->exchanges),
                        exchange->reply_index);
    bool last = exchange->reply_index + 1 == exchange->reply_count;
    cr_assert_neq(tendon__list_linked(&exchange->link), last,
                  "the last reply unlinks, no other does");
    exchange->reply_index++;
    dialogue_log(talk, text, (size_t)size);
    if (root->type == TENDON_NODE_INTEGER)
        dialogue_log(talk, text,
                     (size_t)snprintf(text, sizeof text, "%lld", (long long)root->value.integer));
    else
        dialogue_log(talk, value.data, value.size < 40 ? value.size : 40);
    dialogue_log(talk, ";", 1);
    dialogue_take(talk, conn);
}

static void dialogue_push(void *context, struct tendon__conn *conn)
{
    dialogue_log(context, "push;", 5);
    dialogue_take(context, conn);
}

static void dialogue_failed(void *context, struct tendon__conn *conn,
                            const struct tendon__fault *fault)
{
    struct dialogue *talk = context;
    cr_assert_eq(conn->state, TENDON__CONN_FAILED);
    talk->failed++;
    talk->fault = *fault;
    dialogue_log(talk, "failed;", 7);
}

static const struct tendon__conn_ops dialogue_ops = {
    .ready = dialogue_ready,
    .reply = dialogue_reply,
    .push = dialogue_push,
    .failed = dialogue_failed,
};

static const struct tendon__decode_limits dialogue_limits = {
    .bytes_max = UINT64_C(1) << 30, .nodes_max = 1u << 20, .depth_max = 64};

static inline void dialogue_begin(struct dialogue *talk, const struct tendon__session *session)
{
    memset(talk, 0, sizeof *talk);
    talk->memory = counting_memory_make();
    talk->now_ns = 1000;
    cr_assert_eq(tendon__conn_init(&talk->conn, &talk->memory.memory, &dialogue_limits, session,
                                   &dialogue_ops, talk),
                 TENDON_OK);
    cr_assert_eq(tendon__conn_opened(&talk->conn, talk->now_ns), TENDON_OK);
}

static inline void dialogue_end(struct dialogue *talk)
{
    tendon__reply_free(talk->kept);
    tendon__conn_abandon(&talk->conn);
    while (tendon__conn_shift(&talk->conn))
        continue;
    cr_assert_eq(talk->conn.fifo_count, 0);
    tendon__conn_deinit(&talk->conn);
    cr_assert_eq(talk->memory.blocks, 0, "%ld blocks are lost", talk->memory.blocks);
}

/* Takes what is to be sent, `step` bytes at a time, and compares it. */
static inline void dialogue_expect(struct dialogue *talk, const char *bytes, size_t size,
                                   size_t step)
{
    const uint8_t *out;
    size_t got = 0, room;
    while ((room = tendon__conn_peek_out(&talk->conn, &out))) {
        room = room < step ? room : step;
        cr_assert_leq(got + room, size, "more is sent than expected: %.*s", (int)room,
                      (const char *)out);
        cr_assert_eq(memcmp(out, bytes + got, room), 0, "sent %.*s", (int)room, (const char *)out);
        tendon__conn_sent(&talk->conn, room);
        got += room;
    }
    cr_assert_eq(got, size, "%zu of %zu bytes were sent", got, size);
}

/* The server says something; false when there was no space to receive it. */
static inline bool dialogue_say(struct dialogue *talk, const char *bytes, size_t size)
{
    while (size && talk->conn.state != TENDON__CONN_FAILED) {
        uint8_t *space = NULL;
        size_t room = tendon__conn_space(&talk->conn, &space);
        if (!room)
            return false;
        room = room < size ? room : size;
        memcpy(space, bytes, room);
        tendon__conn_received(&talk->conn, room, ++talk->now_ns);
        bytes += room;
        size -= room;
    }
    return true;
}

/* Runs a script, each SEND cut at `split`, and byte by byte with split 0. */
static inline void dialogue_run(struct dialogue *talk, const struct line *lines, size_t split)
{
    for (; lines->kind != LINE_END; lines++) {
        size_t size = strlen(lines->text);
        if (lines->kind == EXPECT) {
            dialogue_expect(talk, lines->text, size, split ? SIZE_MAX : 1);
            continue;
        }
        size_t head = split < size ? split : size;
        for (size_t i = 0; !split && i < size; i++)
            cr_assert(dialogue_say(talk, lines->text + i, 1));
        if (split)
            cr_assert(dialogue_say(talk, lines->text, head) &&
                      dialogue_say(talk, lines->text + head, size - head));
    }
}

static inline struct tendon__exchange *dialogue_send(struct dialogue *talk, const char *frame,
                                                     size_t size, uint32_t replies)
{
    struct tendon__exchange *exchange = &talk->exchanges[talk->count++];
    exchange->frame = (const uint8_t *)frame;
    exchange->frame_bytes = size;
    exchange->reply_count = replies;
    tendon__conn_send(&talk->conn, exchange, talk->now_ns);
    return exchange;
}

#endif
