/* What a feed hears: messages, confirmations, refusals and PONG. */
#include <stdio.h>
#include <string.h>

#include "client/subscription.h"
#include "cluster/redirect.h"
#include "cluster/slots.h"

#define SOON_MS 5 /* after a slot has moved, the map is asked for its new home */

/* The exchange may be over now. May end the feed. */
static void look_if_done(struct tendon__feed *feed)
{
    struct tendon_subscription *subscription = feed->subscription;
    if (feed->speaking && !feed->pinging && tendon__list_empty(&feed->asked) &&
        !tendon__feed_finish(feed)) {
        tendon__feed_fail_stream(feed, "a confirmation nobody asked for", (tendon_bytes){NULL, 0});
        return;
    }
    if (!feed->speaking)
        tendon__subscription_advance(subscription);
    if (feed->is_unsure && feed->state == TENDON__FEED_LIVE && !feed->speaking)
        tendon__feed_reassure(feed);
}

/* What is lost must be told: the connection ends. */
static void fail_memory(struct tendon__feed *feed)
{
    struct tendon__fault fault;
    tendon__fault_set(&fault, TENDON_ERROR_NO_MEMORY, "no memory for a message");
    tendon__feed_give_up(feed, TENDON__CLOSE_ERROR, &fault);
}

/* Takes the value that has come as a message of its own. NULL when memory ran out. */
static tendon_reply *take(struct tendon__feed *feed)
{
    tendon_reply *reply = tendon__conn_take_reply(&feed->channel->conn);
    if (!reply) {
        fail_memory(feed);
        return NULL;
    }
    tendon_node *root = (tendon_node *)(uintptr_t)reply->nodes;
    if (root->type == TENDON_NODE_ARRAY)
        root->type = TENDON_NODE_PUSH;
    return reply;
}

static void pause_if_full(struct tendon__feed *feed)
{
    struct tendon__engine *engine = feed->engine;
    uint64_t pending = __atomic_load_n(&feed->subscription->pending_bytes, __ATOMIC_RELAXED);
    if (pending <= (uint64_t)engine->options->subscription_buffer_bytes || feed->paused)
        return;
    feed->paused = true;
    engine->ops->pause(engine->world, feed->channel, true);
    tendon__feed_arm(feed);
}

/* Whether the program has been told that the name is subscribed, and to be heard here. A server
 * that has sent a channel away or lost its slot may go on with its messages. */
static bool is_heard_here(const struct tendon__feed *feed, tendon_bytes text)
{
    const struct tendon__name *name =
        tendon__names_find(&feed->subscription->names, TENDON__NAME_SHARDED, text);
    return name && name->feed == feed && name->is_heard;
}

static void pass_on(struct tendon__feed *feed)
{
    tendon_reply *reply = take(feed);
    if (!reply)
        return;
    if (tendon__subscription_tell(feed->subscription, TENDON_EVENT_MESSAGE, 0, NULL, reply))
        pause_if_full(feed);
    else
        fail_memory(feed);
}

/* A slot has moved: the server gives up its sharded channels by itself. What it was asked meanwhile
 * it answers with MOVED. */
static void evicted(struct tendon__feed *feed, struct tendon__name *name)
{
    struct tendon_subscription *subscription = feed->subscription;
    tendon__map_trigger(feed->engine);
    tendon__name_missed(subscription, name);
    if (name->state == TENDON__NAME_UNWANTED) {
        tendon__subscription_drop(subscription, name);
        if (!feed->speaking)
            tendon__subscription_advance(subscription);
        return;
    }
    if (name->state != TENDON__NAME_ASKED && name->state != TENDON__NAME_LEAVING)
        tendon__name_unhouse(subscription, name, SOON_MS * TENDON__MS);
}

/*
 * A node's words that a name is given up may be the answer to what was asked, or its own: then the
 * answer follows, as MOVED or as the same words once more. It may have sent the name away before
 * that was asked, and messages may have been missed since.
 */
static void doubt(struct tendon__feed *feed)
{
    if (!feed->node_name[0] || feed->engine->kind != TENDON__KIND_CLUSTER)
        return;
    if (!feed->is_unsure)
        feed->unsure_ns = feed->engine->now_ns;
    feed->is_unsure = true;
    feed->unsure_exchange = feed->exchanges;
}

static void answered_twice(struct tendon__feed *feed)
{
    if (!feed->is_unsure)
        return;
    feed->is_unsure = false;
    tendon__subscription_gap_begins(feed->subscription, feed->unsure_ns);
    tendon__subscription_gap_ends(feed->subscription);
}

static void confirmed(struct tendon__feed *feed, enum tendon__name_kind kind, bool joins,
                      tendon_bytes text)
{
    struct tendon_subscription *subscription = feed->subscription;
    struct tendon__name *name = NULL;
    if (!tendon__list_empty(&feed->asked))
        name = TENDON__OWNER(feed->asked.next, struct tendon__name, queue);
    bool expected = name && name->kind == kind && joins == (name->state == TENDON__NAME_ASKED) &&
                    name->size == text.size &&
                    (!text.size || memcmp(name->text, text.data, text.size) == 0);
    if (expected) {
        tendon_reply *reply = take(feed);
        if (!joins && name->is_heard)
            doubt(feed);
        if (reply && !tendon__subscription_confirm(subscription, name, reply))
            fail_memory(feed);
        else if (reply)
            look_if_done(feed);
        return;
    }
    name = tendon__names_find(&subscription->names, kind, text);
    if (!joins && name && name->feed == feed && name->is_heard)
        evicted(feed, name);
    else if (!joins)
        answered_twice(feed);
}

/* The node does not have it: neither to be subscribed nor to be given up. With `wait_ns` it has,
 * but cannot say so now. */
static void ask_elsewhere(struct tendon__feed *feed, struct tendon__name *name, int64_t wait_ns)
{
    struct tendon_subscription *subscription = feed->subscription;
    if (wait_ns && name->turns && name->is_heard) {
        tendon__name_want(name, TENDON__NAME_UNWANTED); /* it was asked for once more, in vain */
        return;
    }
    if (name->state == TENDON__NAME_LEAVING || name->turns) {
        tendon__subscription_drop(subscription, name);
        return;
    }
    if (name->is_heard && !wait_ns)
        tendon__name_missed(subscription, name);
    tendon__name_unhouse(subscription, name, wait_ns);
}

/* Puts names of the batch back: there, or where the map says then. */
static void ask_later(struct tendon__feed *feed, uint32_t batch, bool elsewhere, int64_t wait_ns)
{
    while (!tendon__list_empty(&feed->asked)) {
        struct tendon__link *link = feed->asked.next;
        struct tendon__name *name = TENDON__OWNER(link, struct tendon__name, queue);
        if (name->batch != batch)
            break;
        if (elsewhere)
            ask_elsewhere(feed, name, wait_ns);
        else
            tendon__name_ask_again(name);
    }
}

/* True when the batch that was refused holds more than one name, none of a command under way. */
static bool is_crowd(const struct tendon__feed *feed, uint32_t batch)
{
    const struct tendon_subscription *subscription = feed->subscription;
    uint32_t count = 0;
    for (const struct tendon__link *link = feed->asked.next; link != &feed->asked;
         link = link->next) {
        const struct tendon__name *name = TENDON__OWNER(link, struct tendon__name, queue);
        if (name->batch != batch)
            break;
        if (subscription->command && name->turn == subscription->turn)
            return false;
        count++;
    }
    return count > 1;
}

static void refuse_batch(struct tendon__feed *feed, uint32_t batch)
{
    while (!tendon__list_empty(&feed->asked)) {
        struct tendon__name *name = TENDON__OWNER(feed->asked.next, struct tendon__name, queue);
        if (name->batch != batch)
            break;
        tendon_reply *reply =
            tendon__reply_copy(feed->engine->memory, feed->channel->conn.tape.nodes, 1,
                               feed->channel->conn.tape.data, feed->channel->conn.decoder.consumed);
        tendon__subscription_refuse(feed->subscription, name, reply);
    }
}

/* Not there, or not now: the names look for a home again. The feed of a node that stays keeps its
 * other names. */
static void sent_away(struct tendon__feed *feed, struct tendon__redirect *redirect,
                      enum tendon__reaction reaction, uint32_t batch)
{
    struct tendon__engine *engine = feed->engine;
    const struct tendon__node *node = feed->channel->node;
    bool moved = reaction == TENDON__REACT_MOVED;
    ask_later(feed, batch, true, moved ? 0 : engine->options->retry_backoff_min_ms * TENDON__MS);
    tendon__refusal_learn(engine, feed->channel, reaction, redirect);
    tendon__map_trigger(engine);
    if (!moved || redirect->port != node->port || strcmp(redirect->host, node->host) != 0)
        return;
    struct tendon__fault fault;
    tendon__fault_set(&fault, TENDON_ERROR_DISCONNECTED, "another server has the name %s now",
                      node->name);
    tendon__feed_give_up(feed, TENDON__CLOSE_STALE, &fault);
}

/* Whether another node, or this one later, may take what was refused. */
static bool is_for_others(const struct tendon__feed *feed, const struct tendon__name *name,
                          enum tendon__reaction reaction)
{
    if (!feed->node_name[0] || feed->engine->kind != TENDON__KIND_CLUSTER)
        return false;
    /* What cannot be given up now is given up with the connection, or messages would go on. */
    return reaction == TENDON__REACT_MOVED ||
           (name->state == TENDON__NAME_ASKED &&
            (reaction == TENDON__REACT_ASK || reaction == TENDON__REACT_TRY_AGAIN ||
             reaction == TENDON__REACT_DOWN));
}

/* A MOVED that is not about the name whose answer is due: behind the server's own SUNSUBSCRIBE,
 * which was taken for the answer, comes the answer. */
static bool is_late(const struct tendon__feed *feed, uint32_t slot)
{
    if (!feed->node_name[0])
        return false;
    if (tendon__list_empty(&feed->asked))
        return true;
    const struct tendon__name *first = TENDON__OWNER(feed->asked.next, struct tendon__name, queue);
    return tendon__key_slot(first->text, first->size) != slot;
}

static void refused(struct tendon__feed *feed, tendon_bytes text)
{
    struct tendon__redirect redirect;
    struct tendon__fault fault;
    enum tendon__reaction reaction = tendon__react(text.data, text.size, &redirect);
    if (reaction == TENDON__REACT_MOVED && is_late(feed, redirect.slot)) {
        answered_twice(feed);
        return;
    }
    if (feed->pinging && tendon__list_empty(&feed->asked)) {
        bool for_command = feed->for_command;
        if (!tendon__feed_finish(feed))
            tendon__feed_fail_stream(feed, "an answer nobody asked for", text);
        else if (for_command)
            tendon__subscription_ponged(feed->subscription,
                                        tendon__conn_take_reply(&feed->channel->conn));
        if (feed->state == TENDON__FEED_LIVE)
            tendon__subscription_advance(feed->subscription);
        return;
    }
    if (tendon__list_empty(&feed->asked)) {
        tendon__feed_fail_stream(feed, "an error nobody asked for", text);
        return;
    }
    const struct tendon__name *first = TENDON__OWNER(feed->asked.next, struct tendon__name, queue);
    uint32_t batch = first->batch;
    bool is_misled = reaction == TENDON__REACT_MOVED && !feed->node_name[0];
    if (is_for_others(feed, first, reaction)) {
        tendon__fault_server(&fault, TENDON_ERROR_SERVER, text.data, text.size);
        tendon__subscription_blame(feed->subscription, &fault, false);
        sent_away(feed, &redirect, reaction, batch);
    } else if (reaction != TENDON__REACT_SURFACE && !is_misled) {
        tendon__fault_server(&fault, TENDON_ERROR_SERVER, text.data, text.size);
        tendon__feed_give_up(feed, TENDON__CLOSE_ERROR, &fault);
        return;
    } else if (is_crowd(feed, batch)) {
        feed->one_by_one = true;
        ask_later(feed, batch, false, 0);
    } else {
        refuse_batch(feed, batch);
    }
    look_if_done(feed);
}

static void ponged(struct tendon__feed *feed, tendon_bytes text)
{
    bool for_command = feed->for_command;
    tendon_reply *reply = NULL;
    if (for_command)
        reply =
            text.data && text.size
                ? tendon__reply_text(feed->engine->memory, TENDON_NODE_STRING, text.data, text.size)
                : tendon__reply_text(feed->engine->memory, TENDON_NODE_STATUS, "PONG", 4);
    if (!tendon__feed_finish(feed)) {
        tendon__reply_free(reply);
        tendon__feed_fail_stream(feed, "an answer nobody asked for", text);
        return;
    }
    if (for_command)
        tendon__subscription_ponged(feed->subscription, reply);
    tendon__subscription_advance(feed->subscription);
}

/* [word, ...]: a message, a confirmation, or what RESP2 makes of PONG. */
static void received_push(struct tendon__feed *feed, const struct tendon__tape *tape)
{
    tendon_bytes text = tape->node_count > 2 ? tendon__tape_text(tape, 2) : (tendon_bytes){0};
    if (tape->node_count < 2)
        return;
    bool is_sharded = tendon__tape_text_is(tape, 1, "smessage");
    if (is_sharded || tendon__tape_text_is(tape, 1, "message") ||
        tendon__tape_text_is(tape, 1, "pmessage")) {
        if (!is_sharded || !feed->node_name[0] || is_heard_here(feed, text))
            pass_on(feed);
        return;
    }
    if (tendon__tape_text_is(tape, 1, "pong")) {
        if (feed->pinging)
            ponged(feed, text);
        return;
    }
    for (int kind = 0; kind < TENDON__NAME_MONITOR; kind++) {
        bool joins = tendon__tape_text_is(tape, 1, tendon__join_words[kind]);
        if (joins || tendon__tape_text_is(tape, 1, tendon__leave_words[kind])) {
            confirmed(feed, (enum tendon__name_kind)kind, joins, text);
            return;
        }
    }
}

static void received_text(struct tendon__feed *feed, const struct tendon__tape *tape)
{
    tendon_bytes text = tendon__tape_text(tape, 0);
    struct tendon__name *first = NULL;
    if (!tendon__list_empty(&feed->asked))
        first = TENDON__OWNER(feed->asked.next, struct tendon__name, queue);
    if (first && first->kind == TENDON__NAME_MONITOR) {
        tendon__subscription_confirm(feed->subscription, first, NULL);
        look_if_done(feed);
    } else if (feed->pinging && (tape->nodes[0].type == TENDON_NODE_STRING ||
                                 tendon__tape_text_is(tape, 0, "PONG"))) {
        bool plain = tape->nodes[0].type == TENDON_NODE_STATUS;
        ponged(feed, plain ? (tendon_bytes){NULL, 0} : text);
    } else if (feed->subscription->names.counts[TENDON__NAME_MONITOR]) {
        pass_on(feed);
    } else {
        tendon__feed_fail_stream(feed, "an answer nobody asked for", text);
    }
}

void tendon__feed_received(struct tendon__feed *feed)
{
    const struct tendon__tape *tape = &feed->channel->conn.tape;
    switch (tape->nodes[0].type) {
    case TENDON_NODE_PUSH:
    case TENDON_NODE_ARRAY:
        received_push(feed, tape);
        break;
    case TENDON_NODE_ERROR:
        refused(feed, tendon__tape_text(tape, 0));
        break;
    case TENDON_NODE_STATUS:
    case TENDON_NODE_STRING:
        received_text(feed, tape);
        break;
    default:
        tendon__feed_fail_stream(feed, "a value that is no message", (tendon_bytes){NULL, 0});
        break;
    }
}
