/* The bytes that go out: small frames gathered into one write, big ones sent from where they are.
 */
#include <string.h>

#include "conn/conn.h"

static const uint8_t asking_frame[] = "*1\r\n$6\r\nASKING\r\n";
#define ASKING_BYTES (sizeof asking_frame - 1)

void tendon__conn_send_before(struct tendon__conn *conn, struct tendon__exchange *exchange,
                              struct tendon__exchange *before, int64_t now_ns)
{
    exchange->placed = false;
    exchange->reply_index = 0;
    exchange->asking_answered = false;
    exchange->queued_ns = now_ns;
    struct tendon__link *behind = before ? &before->link : &conn->fifo;
    tendon__list_push(behind, &exchange->link);
    if (conn->unplaced == behind)
        conn->unplaced = &exchange->link;
    conn->fifo_count++;
    conn->fifo_commands += 1 + exchange->more;
    ++*conn->owed_count;
    conn->fifo_bytes += exchange->frame_bytes;
}

void tendon__conn_send(struct tendon__conn *conn, struct tendon__exchange *exchange, int64_t now_ns)
{
    tendon__conn_send_before(conn, exchange, NULL, now_ns);
}

bool tendon__conn_take_back(struct tendon__conn *conn, struct tendon__exchange *exchange)
{
    if (exchange->placed)
        return false;
    if (conn->unplaced == &exchange->link)
        conn->unplaced = exchange->link.next;
    tendon__list_remove(&exchange->link);
    conn->fifo_count--;
    conn->fifo_commands -= 1 + exchange->more;
    --*conn->owed_count;
    conn->fifo_bytes -= exchange->frame_bytes;
    return true;
}

void tendon__conn_replace(struct tendon__conn *conn, struct tendon__exchange *exchange,
                          struct tendon__exchange *ghost)
{
    *ghost = *exchange;
    ghost->ghost = true;
    ghost->frame = NULL;
    ghost->link.next = ghost->link.prev = NULL;
    tendon__list_insert(&exchange->link, &ghost->link);
    if (conn->unplaced == &exchange->link)
        conn->unplaced = &ghost->link;
    tendon__list_remove(&exchange->link);
}

enum tendon__progress tendon__conn_progress(const struct tendon__conn *conn,
                                            const struct tendon__exchange *exchange)
{
    if (!exchange->placed || conn->tx_sent <= exchange->tx_start)
        return TENDON__PROGRESS_QUEUED;
    return conn->tx_sent >= exchange->tx_end ? TENDON__PROGRESS_SENT : TENDON__PROGRESS_PARTIAL;
}

/* Bytes that are being written must not move; behind them nothing is written that does not fit. */
static bool grow(struct tendon__conn *conn, size_t wanted)
{
    if (wanted > TENDON__TX_BYTES || conn->tx_room == TENDON__TX_BYTES || conn->tx_head)
        return false;
    uint8_t *tx = tendon__memory_resize(conn->memory, conn->tx, TENDON__TX_BYTES);
    if (!tx)
        return false;
    conn->tx = tx;
    conn->tx_room = TENDON__TX_BYTES;
    return true;
}

/* Copies one exchange behind the gathered bytes, or makes its frame the direct one. False when it
 * does not fit. */
static bool place(struct tendon__conn *conn, struct tendon__exchange *exchange)
{
    size_t prefix = exchange->asking ? ASKING_BYTES : 0;
    bool direct = exchange->frame_bytes >= TENDON__TX_DIRECT_BYTES;
    size_t copied = prefix + (direct ? 0 : exchange->frame_bytes);
    if (copied > conn->tx_room - conn->tx_size && !grow(conn, conn->tx_size + copied))
        return false;
    if (prefix)
        memcpy(conn->tx + conn->tx_size, asking_frame, prefix);
    if (direct) {
        conn->direct = exchange->frame;
        conn->direct_bytes = exchange->frame_bytes;
    } else {
        memcpy(conn->tx + conn->tx_size + prefix, exchange->frame, exchange->frame_bytes);
    }
    conn->tx_size += copied;
    exchange->placed = true;
    exchange->tx_start = conn->tx_placed;
    conn->tx_placed += prefix + exchange->frame_bytes;
    exchange->tx_end = conn->tx_placed;
    return true;
}

static void gather(struct tendon__conn *conn)
{
    while (conn->unplaced != &conn->fifo && !conn->direct) {
        if (!place(conn, TENDON__OWNER(conn->unplaced, struct tendon__exchange, link)))
            return;
        conn->unplaced = conn->unplaced->next;
    }
}

size_t tendon__conn_peek_out(struct tendon__conn *conn, const uint8_t **out_bytes)
{
    if (conn->tx_head == conn->tx_size)
        conn->tx_head = conn->tx_size = 0;
    /* While a write is half done its bytes must not move, so new ones only go behind them. */
    if (conn->state == TENDON__CONN_READY)
        gather(conn);
    if (conn->tx_head < conn->tx_size) {
        *out_bytes = conn->tx + conn->tx_head;
        return conn->tx_size - conn->tx_head;
    }
    *out_bytes = conn->direct;
    return conn->direct ? conn->direct_bytes : 0;
}

void tendon__conn_unsent(struct tendon__conn *conn)
{
    if (tendon__list_empty(&conn->fifo))
        return;
    struct tendon__exchange *first = TENDON__OWNER(conn->fifo.next, struct tendon__exchange, link);
    if (first->placed && conn->tx_sent == first->tx_end)
        conn->tx_sent = first->tx_start;
}

void tendon__conn_sent(struct tendon__conn *conn, size_t size)
{
    conn->tx_sent += size;
    if (conn->tx_head < conn->tx_size) {
        conn->tx_head += size;
        return;
    }
    conn->direct += size;
    conn->direct_bytes -= size;
    if (!conn->direct_bytes)
        conn->direct = NULL;
}
