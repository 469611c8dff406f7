/*
 * Fuzz target: hostile bytes into a connection with exchanges under way. Whatever the peer says,
 * replies come in order and never too many, nothing is told after the failure, and memory is
 * balanced.
 *
 * The first byte chooses the session and whether the handshake is answered properly first; the
 * second seeds the sizes of reads and writes and what the owner does meanwhile; the rest is what
 * the peer says.
 */
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "conn/conn.h"

#define EXCHANGES 24
#define FRAME     "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"
#define BIG_FRAME (TENDON__TX_DIRECT_BYTES + 5)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct owner {
    struct tendon__memory memory; /* first: the table is the struct */
    long blocks;
    uint32_t refuse_in; /* allocations until one fails; 0 never */
    struct tendon__conn conn;
    struct tendon__exchange exchanges[EXCHANGES];
    uint32_t count;  /* handed over */
    uint32_t oldest; /* the next one to be answered, ghosts and those taken back aside */
    struct tendon__random random;
    bool greeted;
    uint32_t failed;
};

static void must(int condition)
{
    if (!condition)
        abort();
}

static void *resize(struct tendon__memory *memory, void *old, size_t size)
{
    struct owner *owner = (struct owner *)(void *)memory;
    if (size == 0) {
        owner->blocks -= old != NULL;
        free(old);
        return NULL;
    }
    must(size < (64u << 20)); /* the input is small: a promise of the peer must not be believed */
    if (owner->refuse_in && --owner->refuse_in == 0)
        return NULL;
    void *block = realloc(old, size);
    owner->blocks += block != NULL && old == NULL;
    return block;
}

static void maybe_take(struct owner *owner, struct tendon__conn *conn)
{
    if (!tendon__random_below(&owner->random, 2))
        return;
    tendon_reply *reply = tendon__conn_take_reply(conn);
    must(!reply || reply->node_count >= 1);
    tendon__reply_free(reply);
}

static void on_ready(void *context, struct tendon__conn *conn)
{
    struct owner *owner = context;
    must(conn->state == TENDON__CONN_READY && !owner->failed);
    owner->greeted = true;
    must(conn->facts.protocol == 2 || conn->facts.protocol == 3);
    must(strnlen(conn->facts.version, sizeof conn->facts.version) < sizeof conn->facts.version);
}

static void on_reply(void *context, struct tendon__conn *conn, struct tendon__exchange *exchange)
{
    struct owner *owner = context;
    must(conn->state == TENDON__CONN_READY && !owner->failed);
    must(exchange->reply_index < exchange->reply_count);
    must(tendon__conn_progress(conn, exchange) != TENDON__PROGRESS_QUEUED);
    bool last = ++exchange->reply_index == exchange->reply_count;
    must(tendon__list_linked(&exchange->link) == !last);
    uint32_t index = (uint32_t)(exchange - owner->exchanges);
    must(index >= owner->oldest);
    owner->oldest = index;
    maybe_take(owner, conn);
    if (!tendon__random_below(&owner->random, 200))
        tendon__conn_abandon(conn);
}

static void on_push(void *context, struct tendon__conn *conn)
{
    struct owner *owner = context;
    must(!owner->failed && conn->tape.nodes[0].type == TENDON_NODE_PUSH);
    maybe_take(owner, conn);
}

static void on_failed(void *context, struct tendon__conn *conn, const struct tendon__fault *fault)
{
    struct owner *owner = context;
    must(conn->state == TENDON__CONN_FAILED && fault->status != TENDON_OK && !owner->failed++);
    must(strnlen(fault->text, sizeof fault->text) < sizeof fault->text);
    must(owner->greeted || !conn->session.password_size || !strstr(fault->text, "hunter2"));
}

static const struct tendon__conn_ops ops = {
    .ready = on_ready, .reply = on_reply, .push = on_push, .failed = on_failed};

static void write_some(struct owner *owner)
{
    const uint8_t *bytes;
    size_t room = tendon__conn_peek_out(&owner->conn, &bytes);
    if (!room)
        return;
    size_t size =
        1 + (size_t)tendon__random_below(&owner->random, room < 200 ? room : room + room / 2);
    tendon__conn_sent(&owner->conn, size < room ? size : room);
}

static void send_one(struct owner *owner)
{
    static uint8_t big[BIG_FRAME];
    if (owner->count == EXCHANGES || owner->conn.state != TENDON__CONN_READY)
        return;
    struct tendon__exchange *exchange = &owner->exchanges[owner->count++];
    bool direct = !tendon__random_below(&owner->random, 4);
    exchange->frame = direct ? big : (const uint8_t *)FRAME;
    exchange->frame_bytes = direct ? sizeof big : sizeof FRAME - 1;
    exchange->reply_count = 1 + (uint32_t)tendon__random_below(&owner->random, 3);
    exchange->asking = !tendon__random_below(&owner->random, 4);
    tendon__conn_send(&owner->conn, exchange, 1);
    if (!tendon__random_below(&owner->random, 6))
        tendon__conn_take_back(&owner->conn, exchange);
}

/* What the owner does between two reads. */
static void act(struct owner *owner)
{
    switch (tendon__random_below(&owner->random, 4)) {
    case 0:
        send_one(owner);
        break;
    case 1:
    case 2:
        write_some(owner);
        break;
    default:
        break;
    }
}

static void say(struct owner *owner, const uint8_t *bytes, size_t size)
{
    while (size && owner->conn.state != TENDON__CONN_FAILED) {
        uint8_t *space = NULL;
        size_t room = tendon__conn_space(&owner->conn, &space);
        if (!room)
            return;
        size_t step = 1 + (size_t)tendon__random_below(
                              &owner->random, tendon__random_below(&owner->random, 3) ? 8 : 4096);
        step = step < size ? step : size;
        step = step < room ? step : room;
        memcpy(space, bytes, step);
        tendon__conn_received(&owner->conn, step, 1);
        bytes += step;
        size -= step;
        act(owner);
    }
}

static void begin(struct owner *owner, uint8_t choice, struct tendon__session *session)
{
    const struct tendon__decode_limits limits = {
        .bytes_max = 1 << 20, .nodes_max = 1 << 12, .depth_max = 40};
    *session =
        (struct tendon__session){.resp2 = choice & 1, .read_only = choice & 2, .db = choice & 4};
    if (choice & 8) {
        session->password = "hunter2";
        session->password_size = 7;
        session->client_name = session->lib_name = session->lib_version = "fuzz";
    }
    tendon_status status =
        tendon__conn_init(&owner->conn, &owner->memory, &limits, session, &ops, owner);
    if (status != TENDON_OK || tendon__conn_opened(&owner->conn, 1) != TENDON_OK) {
        tendon__conn_abandon(&owner->conn);
        return;
    }
    const uint8_t *bytes;
    size_t size = tendon__conn_peek_out(&owner->conn, &bytes);
    tendon__conn_sent(&owner->conn, choice & 16 ? size : size / 2);
    if (!(choice & 32))
        return;
    static const char facts[] = "%2\r\n+proto\r\n:3\r\n+version\r\n+7.0.15\r\n";
    say(owner, (const uint8_t *)facts, sizeof facts - 1);
    for (int i = 0; i < 8 && owner->conn.state == TENDON__CONN_HANDSHAKE; i++)
        say(owner, (const uint8_t *)"+OK\r\n", 5);
    for (int i = 0; i < 6; i++)
        send_one(owner);
    while ((choice & 64) && (size = tendon__conn_peek_out(&owner->conn, &bytes)))
        tendon__conn_sent(&owner->conn, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct owner *owner = calloc(1, sizeof *owner);
    struct tendon__session session;
    must(owner != NULL);
    owner->memory.resize = resize;
    tendon__random_init(&owner->random, data[1] + 1u);
    if (data[0] & 128)
        owner->refuse_in = 1 + data[1] % 32;
    begin(owner, data[0], &session);
    say(owner, data + 2, size - 2);
    tendon__conn_abandon(&owner->conn);
    uint32_t left = 0;
    while (tendon__conn_shift(&owner->conn))
        left++;
    must(left <= owner->count && owner->conn.fifo_count == 0);
    tendon__conn_deinit(&owner->conn);
    must(owner->blocks == 0);
    free(owner);
    return 0;
}
