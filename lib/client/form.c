/*
 * The one form of replies, on connections that speak RESP2: taking a reply in the form of its
 * command, and remembering between MULTI and EXEC which forms the answers will have.
 */
#include <string.h>

#include "client/engine.h"
#include "client/request_build.h"
#include "resp/form.h"

#define QUEUED_FIRST 16u

/* The forms of the commands that a transaction of this connection has queued. */
struct tendon__queued_forms {
    uint32_t count;
    uint32_t room;
    uint16_t forms[];
};

/* Stands for forms that could not be remembered: the answer of EXEC is then one for which memory
 * ran out, rather than one in a form that nobody expects. */
static struct tendon__queued_forms lost;

void tendon__form_forget(struct tendon__channel *channel)
{
    if (channel->queued_forms != &lost)
        tendon__memory_free(channel->engine->memory, channel->queued_forms);
    channel->queued_forms = NULL;
}

static size_t queued_bytes(uint32_t room)
{
    return sizeof(struct tendon__queued_forms) + room * sizeof(uint16_t);
}

/* Room for `room` forms, with those that are known. */
static void provide(struct tendon__channel *channel, uint32_t room)
{
    struct tendon__queued_forms *old = channel->queued_forms;
    struct tendon__queued_forms *queued = NULL;
    if (room <= TENDON__GROUP_MAX)
        queued = tendon__memory_take(channel->engine->memory, queued_bytes(room));
    if (queued) {
        queued->count = old ? old->count : 0;
        queued->room = room;
        if (old)
            memcpy(queued->forms, old->forms, old->count * sizeof *old->forms);
    }
    tendon__form_forget(channel);
    channel->queued_forms = queued ? queued : &lost;
}

/* A command was queued. */
static void remember(struct tendon__channel *channel, uint16_t form)
{
    if (channel->queued_forms == &lost)
        return;
    if (channel->queued_forms->count == channel->queued_forms->room)
        provide(channel, channel->queued_forms->room * 2);
    struct tendon__queued_forms *queued = channel->queued_forms;
    if (queued != &lost)
        queued->forms[queued->count++] = form < TENDON__FORM_COUNT ? form : 0;
}

/* MULTI was accepted. */
static void begin(struct tendon__channel *channel)
{
    tendon__form_forget(channel);
    provide(channel, QUEUED_FIRST);
}

/* The form of the reply that has just come; it is no longer the exchange's next. */
static uint16_t form_of(const struct tendon__request *request)
{
    uint32_t index = request->exchange.reply_index - 1;
    return request->forms ? request->forms[index] : 0;
}

/* The current reply as `count` nodes at `nodes`. */
static tendon_reply *take(struct tendon__conn *conn, const tendon_node *nodes, uint32_t count)
{
    struct tendon__tape came = conn->tape;
    conn->tape.nodes = nodes;
    conn->tape.node_count = count;
    tendon_reply *reply = tendon__conn_take_reply(conn);
    conn->tape = came;
    return reply;
}

static tendon_reply *take_formed(struct tendon__channel *channel, uint16_t form,
                                 const struct tendon__queued_forms *queued)
{
    struct tendon__conn *conn = &channel->conn;
    size_t room = tendon__form_room(conn->tape.node_count);
    if (room > SIZE_MAX / sizeof(tendon_node))
        return NULL;
    tendon_node *nodes = tendon__memory_take(conn->memory, room * sizeof *nodes);
    if (!nodes)
        return NULL;
    uint8_t *data = conn->rx + (conn->tape.data - conn->rx);
    uint32_t count =
        queued ? tendon__form_apply_each(queued->forms, queued->count, &conn->tape, data, nodes)
               : tendon__form_apply(form, &conn->tape, data, nodes);
    tendon_reply *reply = take(conn, nodes, count);
    tendon__memory_free(conn->memory, nodes);
    return reply;
}

void tendon__form_note(struct tendon__channel *channel, const struct tendon__request *request)
{
    const struct tendon__tape *tape = &channel->conn.tape;
    uint16_t form = form_of(request);
    bool ok = tendon__tape_text_is(tape, 0, "OK");
    if (channel->queued_forms && tendon__tape_text_is(tape, 0, "QUEUED"))
        remember(channel, form);
    else if (form == TENDON__FORM_BEGINS && ok)
        begin(channel);
    else if (form == TENDON__FORM_EXEC || form == TENDON__FORM_ENDS)
        tendon__form_forget(channel);
}

tendon_reply *tendon__form_take(struct tendon__channel *channel,
                                const struct tendon__request *request)
{
    struct tendon__conn *conn = &channel->conn;
    tendon_reply *reply;
    uint16_t form = form_of(request);
    const struct tendon__queued_forms *queued =
        form == TENDON__FORM_EXEC ? channel->queued_forms : NULL;
    bool is_queued = channel->queued_forms && tendon__tape_text_is(&conn->tape, 0, "QUEUED");
    bool formed = form && form < TENDON__FORM_BEGINS && !is_queued;
    bool is_error = conn->tape.nodes[0].type == TENDON_NODE_ERROR;
    if (is_error || (!formed && !queued))
        reply = tendon__conn_take_reply(conn);
    else if (queued == &lost)
        reply = NULL;
    else
        reply = take_formed(channel, form, queued);
    tendon__form_note(channel, request);
    return reply;
}
