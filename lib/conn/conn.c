/* One connection: its life and the bytes that come in. Must not know sockets, time sources or
 * retries. */
#include "conn/conn.h"

#include <string.h>

#include "base/large.h"

static const char *state_name(enum tendon__conn_state state)
{
    static const char *const names[] = {"NEW", "HANDSHAKE", "READY", "FAILED"};
    return names[state];
}

/* The one place that changes the state; an impossible step is a bug and fails the connection. */
static void set_state(struct tendon__conn *conn, enum tendon__conn_state to)
{
    static const bool allowed[4][4] = {
        [TENDON__CONN_NEW] = {[TENDON__CONN_HANDSHAKE] = true, [TENDON__CONN_FAILED] = true},
        [TENDON__CONN_HANDSHAKE] = {[TENDON__CONN_READY] = true, [TENDON__CONN_FAILED] = true},
        [TENDON__CONN_READY] = {[TENDON__CONN_FAILED] = true},
    };
    if (!allowed[conn->state][to]) {
        tendon__fault_set(&conn->handshake_fault, TENDON_ERROR_STATE,
                          "connection cannot go from %s to %s", state_name(conn->state),
                          state_name(to));
        to = TENDON__CONN_FAILED;
    }
    conn->state = to;
}

tendon_status tendon__conn_init(struct tendon__conn *conn, struct tendon__memory *memory,
                                const struct tendon__decode_limits *limits,
                                const struct tendon__session *session,
                                const struct tendon__conn_ops *ops, void *context)
{
    memset(conn, 0, sizeof *conn);
    conn->memory = memory;
    conn->ops = ops;
    conn->context = context;
    conn->session = *session;
    tendon__list_init(&conn->fifo);
    conn->unplaced = &conn->fifo;
    conn->owed_count = &conn->own_count;
    tendon__decoder_init(&conn->decoder, limits, memory);
    conn->rx = tendon__memory_take(memory, TENDON__FIRST_BYTES);
    conn->tx = tendon__memory_take(memory, TENDON__FIRST_BYTES);
    conn->rx_room = conn->rx ? TENDON__FIRST_BYTES : 0;
    conn->tx_room = conn->tx ? TENDON__FIRST_BYTES : 0;
    return conn->rx && conn->tx ? TENDON_OK : TENDON_ERROR_NO_MEMORY;
}

void tendon__conn_deinit(struct tendon__conn *conn)
{
    tendon__decoder_deinit(&conn->decoder);
    tendon__memory_free(conn->memory, conn->greeting);
    tendon__large_free(conn->memory, conn->rx, conn->rx_room);
    tendon__memory_free(conn->memory, conn->tx);
    conn->greeting = conn->rx = conn->tx = NULL;
}

tendon_status tendon__conn_opened(struct tendon__conn *conn, int64_t now_ns)
{
    conn->rx_ns = now_ns;
    set_state(conn, TENDON__CONN_HANDSHAKE);
    return tendon__conn_greet(conn);
}

void tendon__conn_greeted(struct tendon__conn *conn)
{
    set_state(conn, TENDON__CONN_READY);
    conn->ops->ready(conn->context, conn);
}

void tendon__conn_fail(struct tendon__conn *conn, const struct tendon__fault *fault)
{
    if (conn->state == TENDON__CONN_FAILED)
        return;
    set_state(conn, TENDON__CONN_FAILED);
    conn->ops->failed(conn->context, conn, fault);
}

void tendon__conn_abandon(struct tendon__conn *conn)
{
    if (conn->state != TENDON__CONN_FAILED)
        set_state(conn, TENDON__CONN_FAILED);
}

struct tendon__exchange *tendon__conn_shift(struct tendon__conn *conn)
{
    struct tendon__link *link = conn->fifo.next;
    if (link == &conn->fifo)
        return NULL;
    if (conn->unplaced == link)
        conn->unplaced = link->next;
    tendon__list_remove(link);
    struct tendon__exchange *exchange = TENDON__OWNER(link, struct tendon__exchange, link);
    conn->fifo_count--;
    conn->fifo_commands -= 1 + exchange->more;
    --*conn->owed_count;
    conn->fifo_bytes -= exchange->frame_bytes;
    return exchange;
}

void tendon__conn_rest(struct tendon__conn *conn)
{
    tendon__large_rest();
    if (conn->rx_size == 0 && conn->rx_room > TENDON__FIRST_BYTES) {
        tendon__memory_free(conn->memory, conn->rx);
        conn->rx = NULL;
        conn->rx_room = 0;
        conn->rx_filled = false;
    }
    if (conn->tx_head == conn->tx_size && conn->tx_room > TENDON__FIRST_BYTES) {
        uint8_t *tx = tendon__memory_resize(conn->memory, conn->tx, TENDON__FIRST_BYTES);
        if (!tx)
            return;
        conn->tx = tx;
        conn->tx_room = TENDON__FIRST_BYTES;
        conn->tx_head = conn->tx_size = 0;
    }
}

/* Goes on in another receive block; false leaves everything as it is. */
static bool move_block(struct tendon__conn *conn, uint8_t *rx, size_t room)
{
    if (!rx)
        return false;
    if (conn->rx_size)
        memcpy(rx, conn->rx, conn->rx_size);
    tendon__large_free(conn->memory, conn->rx, conn->rx_room);
    conn->rx = rx;
    conn->rx_room = room;
    return true;
}

/*
 * A receive block of `room`. An announced bulk is believed only a megabyte ahead of the bytes that
 * really came, unless a block for all of it is at hand.
 */
static void grow(struct tendon__conn *conn, size_t room, size_t held)
{
    size_t believed = held * 2 + (1u << 20);
    size_t whole = tendon__large_room(room);
    if (move_block(conn, tendon__large_reuse(conn->memory, whole), whole))
        return;
    if (room > believed)
        whole = tendon__large_room(believed);
    if (conn->rx && whole <= conn->rx_room)
        return;
    uint8_t *rx = tendon__memory_resize(conn->memory, conn->rx, whole);
    if (!rx)
        return;
    conn->rx = rx;
    conn->rx_room = whole;
}

/* Room behind the bytes of the unfinished reply: moved to the front first, grown to what the
 * decoder wants, and once a read has filled it. */
static bool make_space(struct tendon__conn *conn)
{
    size_t held = conn->rx_size - conn->rx_head;
    if (conn->rx_head && conn->rx_room - conn->rx_size < conn->rx_room / 4) {
        memmove(conn->rx, conn->rx + conn->rx_head, held);
        conn->rx_head = 0;
        conn->rx_size = held;
    }
    size_t room = conn->rx_filled ? TENDON__RX_BYTES : TENDON__FIRST_BYTES;
    size_t wanted = held ? conn->decoder.wanted : 0;
    if (wanted > room)
        room = wanted > TENDON__RX_BYTES ? wanted : TENDON__RX_BYTES;
    if (room < held * 2 && held > room / 2)
        room = held * 2;
    if (!conn->rx || room > conn->rx_room)
        grow(conn, room, held);
    return conn->rx && conn->rx_size < conn->rx_room;
}

size_t tendon__conn_space(struct tendon__conn *conn, uint8_t **out_space)
{
    if (!make_space(conn))
        return 0;
    *out_space = conn->rx + conn->rx_size;
    return conn->rx_room - conn->rx_size;
}

static void fail_decoding(struct tendon__conn *conn, tendon_status status)
{
    struct tendon__fault fault;
    const char *complaint = conn->decoder.complaint ? conn->decoder.complaint : "memory ran out";
    const char *remedy = "";
    if (status == TENDON_ERROR_PROTOCOL)
        remedy = "; does the port belong to Redis or Valkey?";
    else if (status == TENDON_ERROR_LIMIT)
        remedy = "; see options max_reply_bytes, max_reply_elements and max_reply_depth";
    tendon__fault_set(&fault, status, "%s: %s%s",
                      status == TENDON_ERROR_LIMIT ? "the reply crosses a limit"
                                                   : "the server's bytes cannot be read",
                      complaint, remedy);
    tendon__conn_fail(conn, &fault);
}

/* False for a reply that has to be told. */
static bool keep_reply(struct tendon__conn *conn, struct tendon__exchange *exchange)
{
    tendon_reply *reply =
        conn->tape.nodes[0].type == TENDON_NODE_ERROR ? NULL : tendon__conn_take_reply(conn);
    if (reply)
        exchange->kept[exchange->reply_index++] = reply;
    return reply != NULL;
}

static void deliver_reply(struct tendon__conn *conn)
{
    struct tendon__link *link = conn->fifo.next;
    struct tendon__exchange *exchange = TENDON__OWNER(link, struct tendon__exchange, link);
    if (link == &conn->fifo || !exchange->placed ||
        tendon__conn_progress(conn, exchange) == TENDON__PROGRESS_QUEUED) {
        struct tendon__fault fault;
        tendon_bytes text = tendon__tape_text(&conn->tape, 0);
        tendon__fault_set(&fault, TENDON_ERROR_PROTOCOL,
                          "the server sent a reply nobody asked for%s%.*s", text.size ? ": " : "",
                          (int)(text.size < 80 ? text.size : 80),
                          text.size ? (const char *)text.data : "");
        tendon__conn_fail(conn, &fault);
        return;
    }
    if (exchange->asking && !exchange->asking_answered) {
        exchange->asking_answered = true;
        return;
    }
    bool is_last = exchange->reply_index + 1 == exchange->reply_count;
    if (exchange->kept && !is_last && keep_reply(conn, exchange))
        return;
    if (is_last)
        tendon__conn_shift(conn);
    conn->ops->reply(conn->context, conn, exchange);
}

static void deliver(struct tendon__conn *conn)
{
    if (conn->tape.nodes[0].type == TENDON_NODE_PUSH || conn->streams)
        conn->ops->push(conn->context, conn);
    else if (conn->state == TENDON__CONN_HANDSHAKE)
        tendon__conn_step_greeting(conn);
    else
        deliver_reply(conn);
}

/* Decodes and delivers one reply; false when more bytes are needed or the connection failed. */
static bool step(struct tendon__conn *conn)
{
    uint8_t *block = conn->rx;
    size_t held = conn->rx_size - conn->rx_head;
    int result = tendon__decoder_feed(&conn->decoder, block + conn->rx_head, held);
    if (result == TENDON__DECODE_MORE)
        return false;
    if (result != TENDON__DECODE_DONE) {
        fail_decoding(conn, result);
        return false;
    }
    conn->tape = (struct tendon__tape){
        .nodes = conn->decoder.nodes,
        .node_count = conn->decoder.node_count,
        .data = block + conn->rx_head,
    };
    size_t behind = conn->rx_head + conn->decoder.consumed;
    deliver(conn);
    tendon__decoder_next(&conn->decoder);
    if (!conn->rx_adopted)
        conn->rx_head = behind;
    conn->rx_adopted = false;
    return conn->state != TENDON__CONN_FAILED && conn->rx_head < conn->rx_size;
}

/* The exchange at the front has all that its next reply may be asked for, and keeps what comes. */
static struct tendon__exchange *keeper(const struct tendon__conn *conn)
{
    struct tendon__link *link = conn->fifo.next;
    struct tendon__exchange *exchange = TENDON__OWNER(link, struct tendon__exchange, link);
    if (link == &conn->fifo || !exchange->kept || !exchange->placed || exchange->asking ||
        conn->streams || conn->state != TENDON__CONN_READY || conn->decoder.position ||
        tendon__conn_progress(conn, exchange) == TENDON__PROGRESS_QUEUED)
        return NULL;
    return exchange;
}

/* The short way of plain replies to their places; whatever else comes is left to `step`. */
static void keep_plain(struct tendon__conn *conn)
{
    struct tendon__exchange *exchange = keeper(conn);
    while (exchange && exchange->reply_index + 1 < exchange->reply_count) {
        const uint8_t *start = conn->rx + conn->rx_head;
        size_t size;
        tendon_node node = tendon__decode_plain(start, conn->rx_size - conn->rx_head,
                                                conn->decoder.limits.bytes_max, &size);
        if (!size || size >= TENDON__REPLY_ADOPT_BYTES)
            return;
        tendon_reply *reply = tendon__reply_short(conn->memory, node, start, size);
        if (!reply)
            return;
        exchange->kept[exchange->reply_index++] = reply;
        conn->rx_head += size;
    }
}

void tendon__conn_received(struct tendon__conn *conn, size_t size, int64_t now_ns)
{
    conn->rx_size += size;
    conn->rx_filled |= conn->rx_size == conn->rx_room;
    conn->rx_total += size;
    conn->rx_ns = now_ns;
    do
        keep_plain(conn);
    while (step(conn));
    if (conn->rx_head == conn->rx_size && conn->state != TENDON__CONN_FAILED) {
        conn->rx_head = conn->rx_size = 0;
        if (conn->rx_room > TENDON__RX_BYTES_MAX_IDLE) {
            tendon__large_free(conn->memory, conn->rx, conn->rx_room);
            conn->rx = NULL;
            conn->rx_room = 0;
        }
    }
}

/*
 * Gives the receive block to a reply of its own. The bytes behind the reply move into a new block
 * first, because the reply may be freed, and the block with it, before this turn is over.
 */
static tendon_reply *adopt_block(struct tendon__conn *conn, size_t size)
{
    size_t behind = conn->rx_head + size;
    size_t behind_size = conn->rx_size - behind;
    size_t room =
        tendon__large_room(behind_size > TENDON__RX_BYTES ? behind_size : TENDON__RX_BYTES);
    uint8_t *next = tendon__large_take(conn->memory, room);
    if (!next)
        return NULL;
    memcpy(next, conn->rx + behind, behind_size);
    tendon_reply *reply = tendon__reply_adopt(conn->memory, conn->tape.nodes, conn->tape.node_count,
                                              conn->rx, conn->rx_room, conn->tape.data, size);
    if (!reply) {
        tendon__large_free(conn->memory, next, room);
        return NULL;
    }
    conn->rx = next;
    conn->rx_room = room;
    conn->rx_head = 0;
    conn->rx_size = behind_size;
    conn->rx_adopted = true;
    return reply;
}

tendon_reply *tendon__conn_take_reply(struct tendon__conn *conn)
{
    size_t size = conn->decoder.consumed;
    /* Adopting is only worth it when the reply fills most of the block it keeps alive. */
    bool adopt =
        size >= TENDON__REPLY_ADOPT_BYTES && !conn->rx_adopted && size >= conn->rx_room / 2;
    tendon_reply *reply = adopt ? adopt_block(conn, size) : NULL;
    if (reply)
        return reply;
    return tendon__reply_copy(conn->memory, conn->tape.nodes, conn->tape.node_count,
                              conn->tape.data, size);
}
