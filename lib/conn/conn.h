/*
 * One connection, sans-IO: handshake, a FIFO of exchanges, bytes out and bytes in. It is told what
 * was sent and received with `now_ns` and answers through `ops`. It never decides about retries and
 * never opens or closes anything: on `failed` its owner closes it.
 */
#ifndef TENDON_CONN_CONN_H
#define TENDON_CONN_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tendon/types.h>

#include "base/fault.h"
#include "base/list.h"
#include "base/memory.h"
#include "resp/decoder.h"
#include "resp/reply.h"
#include "resp/tape.h"

#define TENDON__FIRST_BYTES 4096  /* of either block: enough while little is asked at a time */
#define TENDON__RX_BYTES    65536 /* one read of a full pipeline; grows for one big reply */
/* A larger receive block is given back after the big reply. */
#define TENDON__RX_BYTES_MAX_IDLE 262144
#define TENDON__TX_BYTES          65536 /* small frames are gathered into one write of this size */
#define TENDON__TX_DIRECT_BYTES   16384 /* frames from this size on are sent from where they are */
/* Replies from this size on keep the receive block instead of a copy. */
#define TENDON__REPLY_ADOPT_BYTES 65536
#define TENDON__HANDSHAKE_STEPS   8

enum tendon__conn_state {
    TENDON__CONN_NEW,       /* not opened */
    TENDON__CONN_HANDSHAKE, /* HELLO and its companions are under way */
    TENDON__CONN_READY,     /* exchanges flow */
    TENDON__CONN_FAILED,    /* the stream is unusable; the owner closes it */
};

/* What a new connection tells the server. Texts are borrowed for the life of the connection. */
struct tendon__session {
    bool resp2; /* option protocol=2 */
    const char *username;
    const char *password;
    size_t password_size;
    const char *client_name;
    const char *lib_name;
    const char *lib_version;
    uint32_t db;
    bool read_only; /* send READONLY: a cluster node that may serve replica reads */
};

/* What the server told about itself. */
struct tendon__conn_facts {
    uint32_t protocol; /* 2 or 3 */
    bool hello;        /* the server knows HELLO, so `cluster` and `replica` are meant */
    bool cluster;
    bool replica;
    char version[24];
};

/* How far the bytes of an exchange have come; decides whether its command may be repeated. */
enum tendon__progress {
    TENDON__PROGRESS_QUEUED,  /* no byte handed out */
    TENDON__PROGRESS_PARTIAL, /* some, not the last: the server cannot have executed it */
    TENDON__PROGRESS_SENT,
};

/* One request on the wire: a frame of one or more commands and the replies it is owed. Lives in its
 * owner. */
struct tendon__exchange {
    struct tendon__link link;
    const uint8_t *frame;
    size_t frame_bytes;
    uint32_t reply_count; /* commands in the frame */
    uint32_t reply_index; /* replies delivered so far */
    uint32_t more;        /* commands it counts as, besides the first one */
    bool asking;          /* preceded by ASKING, whose reply is swallowed */
    bool asking_answered;
    bool ghost;  /* nobody waits any more: its replies are read and dropped */
    bool placed; /* in the transmit stream; tx_start and tx_end are meant */
    uint64_t tx_start;
    uint64_t tx_end;
    int64_t queued_ns;
    /* Where replies are put, by their index, without a word: all but the last one, errors, and what
     * memory was not enough for. NULL: each is told by ops->reply. */
    tendon_reply **kept;
};

struct tendon__conn;

struct tendon__conn_ops {
    /* The handshake succeeded; facts are known. */
    void (*ready)(void *context, struct tendon__conn *conn);
    /* conn->tape is reply number exchange->reply_index of this exchange; the last one has already
     * been unlinked. */
    void (*reply)(void *context, struct tendon__conn *conn, struct tendon__exchange *exchange);
    /* conn->tape is an out-of-band message. */
    void (*push)(void *context, struct tendon__conn *conn);
    /* The handshake was refused or the stream is broken. The state is FAILED. */
    void (*failed)(void *context, struct tendon__conn *conn, const struct tendon__fault *fault);
};

struct tendon__conn {
    struct tendon__memory *memory;
    const struct tendon__conn_ops *ops;
    void *context;
    enum tendon__conn_state state;
    struct tendon__session session;
    struct tendon__conn_facts facts;
    /* Exchanges in order; the first `placed` ones are in the transmit stream. */
    struct tendon__link fifo;
    struct tendon__link *unplaced; /* first exchange not placed, or &fifo */
    uint32_t fifo_count;
    uint32_t fifo_commands; /* of them all, where a group counts as one */
    uint32_t *owed_count;   /* of all connections of an owner who points it there; else its own */
    uint32_t own_count;
    uint64_t fifo_bytes; /* of their frames */
    /* Transmit: gathered bytes, then possibly one direct frame. */
    uint8_t *tx;
    size_t tx_room;
    size_t tx_head;
    size_t tx_size;
    const uint8_t *direct;
    size_t direct_bytes;
    uint64_t tx_placed; /* stream position after everything placed */
    uint64_t tx_sent;   /* stream position the transport has taken */
    /* Receive. */
    uint8_t *rx;
    size_t rx_room;
    size_t rx_head; /* first byte of the reply being decoded */
    size_t rx_size; /* bytes valid from 0 */
    uint64_t rx_total;
    int64_t rx_ns; /* when bytes last came */
    struct tendon__decoder decoder;
    struct tendon__tape tape;
    bool rx_adopted; /* the current reply took the block */
    bool rx_filled;  /* a read took all the room there was: more is worth having */
    /* Set by its owner: everything that comes is told by ops->push, and no exchange is answered. */
    bool streams;
    /* Handshake. */
    uint8_t steps[TENDON__HANDSHAKE_STEPS];
    uint32_t step_count;
    uint32_t step_index;
    bool hello_refused;
    uint8_t *greeting;
    struct tendon__fault handshake_fault;
};

/* TENDON_OK or TENDON_ERROR_NO_MEMORY; deinit is allowed either way. */
tendon_status tendon__conn_init(struct tendon__conn *conn, struct tendon__memory *memory,
                                const struct tendon__decode_limits *limits,
                                const struct tendon__session *session,
                                const struct tendon__conn_ops *ops, void *context);
/* The FIFO must have been emptied by tendon__conn_shift. */
void tendon__conn_deinit(struct tendon__conn *conn);

/* The bytes last told as sent, those of the first exchange, have not left after all. The stream is
 * of no use any more; the exchange counts as never sent. */
void tendon__conn_unsent(struct tendon__conn *conn);
/* Gives back what a busy time has made it hold, on a connection that has nothing to do. */
void tendon__conn_rest(struct tendon__conn *conn);
/* The transport is open: the handshake begins. TENDON_OK or TENDON_ERROR_NO_MEMORY. */
tendon_status tendon__conn_opened(struct tendon__conn *conn, int64_t now_ns);

/* Appends an exchange; only when READY. Its frame must stay until it has left the connection. */
void tendon__conn_send(struct tendon__conn *conn, struct tendon__exchange *exchange,
                       int64_t now_ns);
/* The same in front of one that is not placed yet; NULL: behind them all. */
void tendon__conn_send_before(struct tendon__conn *conn, struct tendon__exchange *exchange,
                              struct tendon__exchange *before, int64_t now_ns);
/* Takes back an exchange of which no byte was handed out. False when it is too late: it must stay
 * until answered. */
bool tendon__conn_take_back(struct tendon__conn *conn, struct tendon__exchange *exchange);
/* `ghost` takes the place of a fully sent exchange, which is free again; late replies go to the
 * ghost. */
void tendon__conn_replace(struct tendon__conn *conn, struct tendon__exchange *exchange,
                          struct tendon__exchange *ghost);
enum tendon__progress tendon__conn_progress(const struct tendon__conn *conn,
                                            const struct tendon__exchange *exchange);
/* Removes the oldest exchange from a connection that ended; NULL when none is left. */
struct tendon__exchange *tendon__conn_shift(struct tendon__conn *conn);

/* Bytes to send now; 0 when there are none. The same bytes come again until tendon__conn_sent took
 * them. */
size_t tendon__conn_peek_out(struct tendon__conn *conn, const uint8_t **out_bytes);
void tendon__conn_sent(struct tendon__conn *conn, size_t size);

/* Where to receive into; 0 bytes when memory ran out. */
size_t tendon__conn_space(struct tendon__conn *conn, uint8_t **out_space);
/* `size` bytes were put there: decodes and calls ops. Stops early when the state becomes FAILED. */
void tendon__conn_received(struct tendon__conn *conn, size_t size, int64_t now_ns);

/* Inside ops->reply or ops->push: the current tape as a reply of its own. NULL when memory ran out.
 */
tendon_reply *tendon__conn_take_reply(struct tendon__conn *conn);

/* The owner closes it: FAILED without a word; nothing more is delivered. */
void tendon__conn_abandon(struct tendon__conn *conn);

/* Used inside the module. */
tendon_status tendon__conn_greet(struct tendon__conn *conn);
void tendon__conn_step_greeting(struct tendon__conn *conn);
void tendon__conn_greeted(struct tendon__conn *conn);
void tendon__conn_fail(struct tendon__conn *conn, const struct tendon__fault *fault);

#endif
