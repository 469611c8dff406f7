/* The fake servers' SUBSCRIBE family, and subscriptions as a test sees them: one line of text of
 * everything that was told. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/command.h"
#include "client/queue.h"
#include "client/request_build.h"
#include "client/subscription.h"
#include "cluster/slots.h"
#include "engine_world.h"

static const char *const marks = "cps"; /* of channels, patterns and sharded channels */

static void hear(struct world *world, const char *text, size_t size)
{
    size_t used = strlen(world->heard);
    snprintf(world->heard + used, sizeof world->heard - used, "%s%.*s", used ? ";" : "", (int)size,
             text);
}

static void write_node(const tendon_reply *reply, const tendon_node *node, char *text, size_t room)
{
    size_t used = strlen(text);
    const char *blank = used ? " " : "";
    if (node->type == TENDON_NODE_INTEGER)
        snprintf(text + used, room - used, "%s%lld", blank, (long long)node->value.integer);
    else if (node->type == TENDON_NODE_NULL)
        snprintf(text + used, room - used, "%snull", blank);
    else
        snprintf(text + used, room - used, "%s%.*s", blank, (int)node->size,
                 (const char *)reply->data + node->value.offset);
}

bool world_tell(void *context, struct tendon_subscription *subscription, uint32_t event,
                uint32_t delay_ms, const struct tendon__fault *fault, tendon_reply *reply)
{
    struct world *world = context;
    char text[256] = "";
    static const char *const words[] = {[TENDON_EVENT_CLOSED] = "closed",
                                        [TENDON_EVENT_FAILED] = "failed",
                                        [TENDON_EVENT_RECONNECTING] = "reconnecting",
                                        [TENDON_EVENT_GAP] = "gap"};
    if (fault && getenv("WORLD_TRACE"))
        fprintf(stderr, "%s\n", fault->text);
    if (world->deaf) {
        world->deaf--;
        tendon__reply_free(reply);
        return false;
    }
    if (event != TENDON_EVENT_MESSAGE) {
        snprintf(text, sizeof text, "%s", words[event]);
        world->gaps += event == TENDON_EVENT_GAP;
    } else {
        uint64_t first = reply->nodes->type == TENDON_NODE_PUSH;
        for (uint64_t i = first; i < reply->node_count; i++)
            write_node(reply, &reply->nodes[i], text, sizeof text);
        if (delay_ms)
            snprintf(text + strlen(text), sizeof text - strlen(text), " again");
        if (world->charges)
            subscription->pending_bytes += 100;
        tendon__reply_free(reply);
    }
    hear(world, text, strlen(text));
    return true;
}

void world_pause(void *context, struct tendon__channel *channel, bool paused)
{
    struct world_wire *wire = channel->io;
    (void)context;
    wire->paused = paused;
}

void world_outcome(struct world *world, const struct world_call *call)
{
    char text[WORLD_SHOWN + 16];
    if (call->status == TENDON_OK)
        snprintf(text, sizeof text, "=%s", call->reply);
    else
        snprintf(text, sizeof text, "=error %d", call->status);
    hear(world, text, strlen(text));
}

struct tendon_subscription *world_listen(struct world *world)
{
    struct tendon__memory *memory = &world->memory.memory;
    struct tendon_subscription *subscription = tendon__memory_make(memory, sizeof *subscription);
    cr_assert_not_null(subscription);
    subscription->memory = memory;
    subscription->refs = 1;
    tendon__names_init(&subscription->names, memory);
    tendon__list_init(&subscription->commands);
    tendon__list_init(&subscription->homeless);
    tendon__list_init(&subscription->feeds);
    return subscription;
}

void world_deafen(struct world *world, struct tendon_subscription *subscription)
{
    world->engine->now_ns = world->now_ns;
    tendon__subscription_closed(world->engine, subscription);
}

void world_expect(struct world *world, const char *text)
{
    cr_assert_str_eq(world->heard, text);
    world->heard[0] = '\0';
}

struct world_wire *world_feed(struct world *world)
{
    for (struct tendon__link *link = world->wires.next; link != &world->wires; link = link->next) {
        struct world_wire *wire = TENDON__OWNER(link, struct world_wire, link);
        if (wire->channel && wire->channel->feed)
            return wire;
    }
    return NULL;
}

void world_push(struct world *world, struct world_wire *wire, const char *raw)
{
    world_bytes_add(&wire->out, raw, strlen(raw));
    world_run(world);
}

static void say(struct world_wire *wire, const char *text)
{
    world_bytes_add(wire->holding ? &wire->held : &wire->out, text, strlen(text));
}

static void say_push(struct world_wire *wire, const char *word, const char *name, size_t size,
                     const char *rest)
{
    char text[256];
    snprintf(text, sizeof text, "%s3\r\n$%zu\r\n%s\r\n$%zu\r\n%.*s\r\n%s\r\n",
             wire->resp3 ? ">" : "*", strlen(word), word, size, (int)size, name, rest);
    say(wire, text);
}

/* The place of a name with its mark in front, or of the end. */
static uint32_t find(const struct world_wire *wire, const char *name)
{
    uint32_t i = 0;
    while (i < wire->name_count && strcmp(wire->names[i], name) != 0)
        i++;
    return i;
}

static uint32_t count(const struct world_wire *wire, bool sharded)
{
    uint32_t number = 0;
    for (uint32_t i = 0; i < wire->name_count; i++)
        number += (wire->names[i][0] == 's') == sharded;
    return number;
}

static void confirm(struct world_wire *wire, const char *word, const char *name)
{
    char text[16];
    snprintf(text, sizeof text, ":%u", count(wire, name[0] == 's'));
    say_push(wire, word, name + 1, strlen(name + 1), text);
}

static void forget(struct world_wire *wire, uint32_t at)
{
    for (; at + 1 < wire->name_count; at++)
        memcpy(wire->names[at], wire->names[at + 1], sizeof wire->names[at]);
    wire->name_count -= at < wire->name_count;
}

bool world_serve_pubsub(struct world_wire *wire, const struct world_args *args)
{
    static const char *const words[] = {"SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE"};
    static const char *const leaves[] = {"UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE"};
    for (int kind = 0; kind < 3; kind++) {
        bool joins = tendon__word_is(args->list[0], words[kind]);
        if (!joins && !tendon__word_is(args->list[0], leaves[kind]))
            continue;
        for (uint32_t i = 1; i < args->count; i++) {
            char name[WORLD_KEY_MAX + 1];
            snprintf(name, sizeof name, "%c%.*s", marks[kind], (int)args->list[i].size,
                     (const char *)args->list[i].data);
            uint32_t at = find(wire, name);
            if (joins && at == wire->name_count) {
                cr_assert_lt(wire->name_count, WORLD_NAMES);
                snprintf(wire->names[wire->name_count++], WORLD_KEY_MAX + 1, "%s", name);
            } else if (!joins) {
                forget(wire, at);
            }
            confirm(wire, joins ? tendon__join_words[kind] : tendon__leave_words[kind], name);
        }
        return true;
    }
    if (tendon__word_is(args->list[0], "PING") && !wire->resp3 && wire->name_count) {
        say(wire, "*2\r\n$4\r\npong\r\n$0\r\n\r\n");
        return true;
    }
    return false;
}

void world_publish(struct world *world, const char *channel, const char *payload)
{
    char rest[128];
    snprintf(rest, sizeof rest, "$%zu\r\n%s", strlen(payload), payload);
    for (struct tendon__link *link = world->wires.next; link != &world->wires; link = link->next) {
        struct world_wire *wire = TENDON__OWNER(link, struct world_wire, link);
        for (uint32_t i = 0; wire->channel && i < wire->name_count; i++)
            if (wire->names[i][0] != 'p' && !strcmp(wire->names[i] + 1, channel))
                say_push(wire, wire->names[i][0] == 's' ? "smessage" : "message", channel,
                         strlen(channel), rest);
    }
    world_run(world);
}

void world_move(struct world *world, const char *key, uint32_t server)
{
    uint32_t slot = tendon__key_slot(key, strlen(key));
    world_own(world, slot, slot, server);
    for (struct tendon__link *link = world->wires.next; link != &world->wires; link = link->next) {
        struct world_wire *wire = TENDON__OWNER(link, struct world_wire, link);
        for (uint32_t i = 0; i < wire->name_count;) {
            char name[WORLD_KEY_MAX + 1];
            memcpy(name, wire->names[i], sizeof name);
            if (name[0] != 's' || wire->server == server ||
                tendon__key_slot(name + 1, strlen(name + 1)) != slot) {
                i++;
                continue;
            }
            forget(wire, i);
            confirm(wire, "sunsubscribe", name);
        }
    }
}

struct world_call *world_say_as(struct world *world, struct tendon_subscription *subscription,
                                const char *command, int64_t timeout_ms)
{
    struct world_args args;
    struct world_call *call = world_call_make(world);
    struct tendon__request *request;
    struct tendon__fault fault;
    world_split(command, &args);
    tendon_request asked = {.struct_size = sizeof asked,
                            .args = args.list,
                            .arg_count = args.count,
                            .timeout_ms = timeout_ms};
    snprintf(call->key, sizeof call->key, "%s", command);
    tendon_status status = tendon__request_subscribe(&world->memory.memory, &world->options, &asked,
                                                     subscription, &call->sink, &request, &fault);
    cr_assert_eq(status, TENDON_OK, "%s: %s", command, fault.text);
    world_hand_over(call, request);
    return call;
}

struct world_call *world_say(struct world *world, struct tendon_subscription *subscription,
                             const char *command)
{
    struct world_call *call = world_say_as(world, subscription, command, TENDON_TIMEOUT_NONE);
    world_run(world);
    return call;
}
