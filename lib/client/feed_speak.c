/* What a feed asks its server: names to be subscribed or given up, and PING. */
#include <string.h>

#include "client/subscription.h"
#include "resp/encoder.h"

#define NAMES_PER_COMMAND 1000u
#define NAMES_PER_FRAME   10000u

/* Names that go into one command: of one kind and one direction. */
static uint32_t run_length(const struct tendon__feed *feed, const struct tendon__link *first)
{
    const struct tendon__name *name = TENDON__OWNER(first, struct tendon__name, queue);
    bool alone = feed->one_by_one || feed->node_name[0] || name->kind == TENDON__NAME_MONITOR;
    uint32_t count = 0;
    const struct tendon__link *link = first;
    for (; link != &feed->wanting && count < NAMES_PER_COMMAND; link = link->next, count++) {
        const struct tendon__name *next = TENDON__OWNER(link, struct tendon__name, queue);
        if (next->kind != name->kind || next->state != name->state || (alone && count))
            break;
    }
    return count;
}

/* args[0] is the command's word, behind it the names of the run from `first` on. */
static uint32_t fill_args(tendon_bytes *args, const struct tendon__link *first, uint32_t count)
{
    const struct tendon__name *name = TENDON__OWNER(first, struct tendon__name, queue);
    const char *word = name->state == TENDON__NAME_WANTED ? tendon__join_words[name->kind]
                                                          : tendon__leave_words[name->kind];
    args[0] = (tendon_bytes){word, strlen(word)};
    if (name->kind == TENDON__NAME_MONITOR)
        return 1;
    for (uint32_t i = 0; i < count; i++, first = first->next) {
        name = TENDON__OWNER(first, struct tendon__name, queue);
        args[i + 1] = (tendon_bytes){name->text, name->size};
    }
    return count + 1;
}

/* The commands for the first names that wait, as one frame. NULL when memory ran out. */
static uint8_t *encode_wants(const struct tendon__feed *feed, tendon_bytes *args, size_t *out_bytes)
{
    size_t bytes = 0;
    uint32_t names = 0;
    const struct tendon__link *link = feed->wanting.next;
    while (link != &feed->wanting && names < NAMES_PER_FRAME) {
        uint32_t run = run_length(feed, link);
        bytes += tendon__encode_size(args, fill_args(args, link, run));
        for (names += run; run; run--)
            link = link->next;
    }
    uint8_t *frame = tendon__memory_take(feed->engine->memory, bytes);
    uint8_t *end = frame;
    for (const struct tendon__link *at = feed->wanting.next; frame && at != link;) {
        uint32_t run = run_length(feed, at);
        end = tendon__encode(end, args, fill_args(args, at, run));
        for (; run; run--)
            at = at->next;
    }
    *out_bytes = bytes;
    return frame;
}

/* The names of the frame are asked for; each command of it is a batch. */
static void mark_asked(struct tendon__feed *feed)
{
    uint32_t names = 0;
    while (!tendon__list_empty(&feed->wanting) && names < NAMES_PER_FRAME) {
        uint32_t run = run_length(feed, feed->wanting.next);
        feed->batch++;
        for (names += run; run; run--) {
            struct tendon__link *link = tendon__list_shift(&feed->wanting);
            struct tendon__name *name = TENDON__OWNER(link, struct tendon__name, queue);
            name->batch = feed->batch;
            name->state =
                name->state == TENDON__NAME_WANTED ? TENDON__NAME_ASKED : TENDON__NAME_LEAVING;
            tendon__list_push(&feed->asked, link);
        }
    }
}

/* Sends `frame`, which passes to the feed. */
static void speak(struct tendon__feed *feed, uint8_t *frame, size_t bytes)
{
    struct tendon__engine *engine = feed->engine;
    struct tendon__channel *channel = feed->channel;
    feed->frame = frame;
    feed->exchange =
        (struct tendon__exchange){.frame = frame, .frame_bytes = bytes, .reply_count = UINT32_MAX};
    feed->speaking = true;
    feed->exchanges++;
    feed->spoke_ns = channel->used_ns = engine->now_ns;
    tendon__conn_send(&channel->conn, &feed->exchange, engine->now_ns);
    tendon__channel_flush(channel);
    if (feed->subscription->command)
        feed->subscription->command->was_sent = true;
    tendon__feed_arm(feed);
}

void tendon__feed_give_up(struct tendon__feed *feed, enum tendon__close_reason reason,
                          const struct tendon__fault *fault)
{
    tendon__channel_close(feed->channel, reason, fault);
}

void tendon__feed_ask(struct tendon__feed *feed)
{
    struct tendon__memory *memory = feed->engine->memory;
    tendon_bytes *args = tendon__memory_take(memory, (NAMES_PER_COMMAND + 1) * sizeof *args);
    size_t bytes = 0;
    uint8_t *frame = args ? encode_wants(feed, args, &bytes) : NULL;
    tendon__memory_free(memory, args);
    if (!frame) {
        struct tendon__fault fault;
        tendon__fault_set(&fault, TENDON_ERROR_NO_MEMORY, "no memory to subscribe");
        tendon__feed_give_up(feed, TENDON__CLOSE_ERROR, &fault);
        return;
    }
    mark_asked(feed);
    speak(feed, frame, bytes);
}

bool tendon__feed_say_ping(struct tendon__feed *feed, const void *frame, size_t bytes)
{
    uint8_t *copy = tendon__memory_take(feed->engine->memory, bytes);
    if (!copy)
        return false;
    memcpy(copy, frame, bytes);
    feed->pinging = true;
    speak(feed, copy, bytes);
    return true;
}

void tendon__feed_reassure(struct tendon__feed *feed)
{
    static const char ping[] = "*1\r\n$4\r\nPING\r\n";
    if (!tendon__feed_say_ping(feed, ping, sizeof ping - 1))
        tendon__feed_arm(feed);
}

bool tendon__feed_ping(struct tendon__feed *feed, const struct tendon__request *request)
{
    if (feed->state != TENDON__FEED_LIVE || feed->speaking)
        return false;
    feed->for_command = tendon__feed_say_ping(feed, request->frame, request->frame_bytes);
    return feed->for_command;
}

/* What was asked is answered. False when the server answered before it was asked. */
bool tendon__feed_finish(struct tendon__feed *feed)
{
    struct tendon__conn *conn = &feed->channel->conn;
    if (tendon__conn_progress(conn, &feed->exchange) != TENDON__PROGRESS_SENT)
        return false;
    tendon__conn_shift(conn);
    tendon__memory_free(feed->engine->memory, feed->frame);
    feed->frame = NULL;
    feed->speaking = feed->pinging = feed->for_command = false;
    feed->failures = 0;
    /* Another answer to what was asked before would have come by now. */
    feed->is_unsure = feed->is_unsure && feed->unsure_exchange == feed->exchanges;
    feed->one_by_one = feed->one_by_one && !tendon__list_empty(&feed->wanting);
    tendon__feed_arm(feed);
    return true;
}

void tendon__feed_fail_stream(struct tendon__feed *feed, const char *what, tendon_bytes text)
{
    struct tendon__fault fault;
    tendon__fault_set(&fault, TENDON_ERROR_PROTOCOL, "%s sent %s%s%.*s", feed->channel->node->name,
                      what, text.size ? ": " : "", (int)(text.size < 80 ? text.size : 80),
                      text.size ? (const char *)text.data : "");
    tendon__feed_give_up(feed, TENDON__CLOSE_ERROR, &fault);
}
