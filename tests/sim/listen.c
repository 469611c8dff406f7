/* Subscribers: what they ask for, what they hear, and what must hold of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/request_build.h"
#include "client/subscription.h"
#include "sim.h"

#define CHARGE_BYTES 150 /* of one event against the buffer, until it is collected */

static struct sim_listener *listener_of(struct sim *sim,
                                        const struct tendon_subscription *subscription)
{
    return &sim->listeners[subscription->tag];
}

static void open_listener(struct sim *sim, uint32_t index)
{
    struct tendon__memory *memory = &sim->memory.memory;
    struct tendon_subscription *made = tendon__memory_make(memory, sizeof *made);
    sim->listeners[index] = (struct sim_listener){0};
    if (!made)
        return;
    made->memory = memory;
    made->refs = 1;
    made->tag = index;
    tendon__names_init(&made->names, memory);
    tendon__list_init(&made->commands);
    tendon__list_init(&made->homeless);
    tendon__list_init(&made->feeds);
    sim->listeners[index].subscription = made;
}

static void close_listener(struct sim *sim, uint32_t index)
{
    struct tendon_subscription *subscription = sim->listeners[index].subscription;
    if (!subscription)
        return;
    SIM_TRACE(sim, "listener %u: closed", index);
    sim->listeners[index].subscription = NULL;
    sim->engine->now_ns = sim->now_ns;
    tendon__subscription_closed(sim->engine, subscription);
    if (!sim->closed)
        sim_step_out(sim);
}

static uint32_t name_of(struct sim *sim, const tendon_reply *reply, uint32_t kind, uint64_t node)
{
    const tendon_node *at = &reply->nodes[node];
    if (at->type == TENDON_NODE_NULL)
        return UINT32_MAX;
    if (at->size != 5)
        sim_fail(sim, "a name of %u bytes was heard", at->size);
    return kind * SIM_TAGS + (uint32_t)(reply->data[at->value.offset + 2] - '0');
}

static bool is_word(const tendon_reply *reply, const char *word)
{
    const tendon_node *node = &reply->nodes[1];
    return node->size == strlen(word) &&
           !memcmp(reply->data + node->value.offset, word, node->size);
}

/* "<link>:<number>": of one connection every message comes, in order, once. */
static void hear_message(struct sim *sim, struct sim_listener *listener, uint32_t name,
                         const tendon_reply *reply)
{
    char text[32];
    const tendon_node *node = &reply->nodes[reply->node_count - 1];
    snprintf(text, sizeof text, "%.*s", (int)(node->size < 24 ? node->size : 24),
             (const char *)reply->data + node->value.offset);
    uint32_t number = 0;
    uint32_t index = (uint32_t)strtoul(text, NULL, 10);
    const char *colon = strchr(text, ':');
    if (colon)
        number = (uint32_t)strtoul(colon + 1, NULL, 10);
    if (index >= sim->link_count || !number || number > sim->links[index]->told_count)
        sim_fail(sim, "listener %zu hears what nobody published: %s",
                 (size_t)(listener - sim->listeners), text);
    struct sim_link *link = sim->links[index];
    if (number != link->heard + 1 || link->told[number - 1] != name)
        sim_fail(sim, "listener %zu hears message %u of link %u after message %u",
                 (size_t)(listener - sim->listeners), number, index, link->heard);
    link->heard = number;
    if (!(listener->told & 1u << name))
        sim_fail(sim, "listener %zu hears a message of name %u, which is not subscribed",
                 (size_t)(listener - sim->listeners), name);
    listener->messages |= 1u << name;
    sim_cover(sim, SIM_COVER_message_heard);
}

static void hear(struct sim *sim, struct sim_listener *listener, const tendon_reply *reply)
{
    static const char *const joins[] = {"subscribe", "psubscribe", "ssubscribe"};
    static const char *const leaves[] = {"unsubscribe", "punsubscribe", "sunsubscribe"};
    static const char *const messages[] = {"message", "pmessage", "smessage"};
    for (uint32_t kind = 0; kind < SIM_KINDS; kind++) {
        uint32_t name = name_of(sim, reply, kind, 2);
        if (is_word(reply, messages[kind]))
            hear_message(sim, listener, name, reply);
        else if (is_word(reply, joins[kind]))
            listener->told |= 1u << name;
        else if (is_word(reply, leaves[kind]) && name != UINT32_MAX) {
            listener->told &= ~(1u << name);
            listener->cut_off &= ~(1u << name);
        }
    }
}

static void hear_gap(struct sim *sim, struct sim_listener *listener)
{
    const struct tendon__names *names = &listener->subscription->names;
    sim_cover(sim, SIM_COVER_gap_told);
    if (!listener->losses)
        sim_fail(sim, "listener %zu is told of a gap, but nothing was lost",
                 (size_t)(listener - sim->listeners));
    listener->losses--;
    listener->owed_a_gap = false;
    listener->cut_off = 0;
    for (uint32_t name = 0; name < SIM_KINDS * SIM_TAGS; name++) {
        char text[16];
        sim_key_name(sim_key(name % SIM_TAGS, 's'), text);
        const struct tendon__name *at = tendon__names_find(
            names, (enum tendon__name_kind)(name / SIM_TAGS), (tendon_bytes){text, 5});
        if (listener->steady & 1u << name && at && !at->is_heard)
            sim_fail(sim, "listener %zu is told of a gap's end, but name %u is not there again",
                     (size_t)(listener - sim->listeners), name);
    }
}

static void collect(struct sim *sim, uint32_t index, uint32_t unused)
{
    (void)unused;
    struct sim_listener *listener = &sim->listeners[index];
    if (listener->subscription)
        listener->subscription->pending_bytes = 0;
    listener->collects = false;
}

bool sim_tell(void *world, struct tendon_subscription *subscription, uint32_t event,
              uint32_t delay_ms, const struct tendon__fault *fault, tendon_reply *reply)
{
    struct sim *sim = world;
    struct sim_listener *listener = listener_of(sim, subscription);
    void *room = tendon__memory_take(subscription->memory, 1);
    if (!room || listener->subscription != subscription) {
        tendon__memory_free(subscription->memory, room);
        tendon__reply_free(reply);
        return false;
    }
    tendon__memory_free(subscription->memory, room);
    tendon__engine_tell(sim->engine); /* what was completed before comes before */
    char shown[SIM_SHOWN] = "";
    uint64_t hash;
    if (reply && sim->tracing)
        sim_show_reply(reply, shown, &hash);
    SIM_TRACE(sim, "listener %zu: event %u %s%s", (size_t)(listener - sim->listeners), event, shown,
              fault ? fault->text : "");
    (void)delay_ms;
    if (event == TENDON_EVENT_MESSAGE) {
        hear(sim, listener, reply);
        subscription->pending_bytes += CHARGE_BYTES;
        if (!listener->collects)
            sim_later(sim, sim->now_ns + sim_between(sim, 0, 60 * SIM_MS), collect,
                      (uint32_t)subscription->tag, 0);
        listener->collects = true;
    } else if (event == TENDON_EVENT_GAP) {
        hear_gap(sim, listener);
    } else if (event == TENDON_EVENT_FAILED && fault && fault->status == TENDON_ERROR_SERVER) {
        listener->steady = 0; /* some name was refused when it was subscribed again */
        listener->owed_a_gap = false;
        listener->cut_off = 0;
    }
    tendon__reply_free(reply);
    return true;
}

void sim_pause(void *world, struct tendon__channel *channel, bool paused)
{
    struct sim *sim = world;
    struct sim_link *link = channel->io;
    link->paused = paused;
    if (paused)
        sim_cover(sim, SIM_COVER_reading_paused);
    else
        sim_link_ready(sim, link);
}

void sim_listener_loses(struct sim *sim, const struct tendon_subscription *subscription)
{
    if (subscription)
        listener_of(sim, subscription)->losses++;
}

static void owe_gap(struct sim *sim, struct sim_listener *listener, uint32_t name, const char *why)
{
    SIM_TRACE(sim, "listener %zu: misses a message of name %u, for %s",
              (size_t)(listener - sim->listeners), name, why);
    listener->owed_a_gap = true;
}

/* What the server has said there and nobody has heard is missed. */
void sim_listener_lost_link(struct sim *sim, const struct sim_link *link)
{
    const struct tendon_subscription *subscription = sim_heard_by(link);
    struct sim_listener *listener = subscription ? listener_of(sim, subscription) : NULL;
    if (!listener || listener->subscription != subscription)
        return;
    listener->losses++;
    for (uint32_t i = link->heard; i < link->told_count; i++)
        if (listener->steady >> link->told[i] & 1)
            owe_gap(sim, listener, link->told[i], "its connection is lost");
}

void sim_listeners_missed(struct sim *sim, uint32_t name, uint32_t reached, uint32_t cut_off)
{
    for (uint32_t i = 0; i < SIM_LISTENERS; i++) {
        struct sim_listener *listener = &sim->listeners[i];
        if (!listener->subscription || !(listener->steady & 1u << name) || reached & 1u << i)
            continue;
        if (cut_off & 1u << i)
            listener->cut_off |= 1u << name;
        else
            owe_gap(sim, listener, name, "no connection of it has the name");
    }
}

/* A command of a listener has ended. */
void sim_listener_outcome(struct sim *sim, struct sim_call *call,
                          const struct tendon__request *request)
{
    struct sim_listener *listener = &sim->listeners[call->listener - 1];
    bool is_current = listener->subscription && listener->subscription == request->subscription;
    if (call->status != TENDON_OK) {
        if (!call->executed)
            sim_fail(sim, "call %u failed and says nothing about execution: %s", call->index,
                     call->text);
        if (call->must_succeed)
            sim_fail(sim, "call %u of listener %u failed: %s", call->index, call->listener - 1,
                     call->text);
        return;
    }
    const tendon_node *root = request->replies[0]->nodes;
    uint64_t hash;
    sim_show_reply(request->replies[0], call->reply, &hash);
    if (call->must_succeed && root->type == TENDON_NODE_ERROR)
        sim_fail(sim, "call %u of listener %u was refused: %s", call->index, call->listener - 1,
                 call->reply);
    if (root->type == TENDON_NODE_ERROR || !is_current)
        return;
    if (!call->names) {
        char wanted[16];
        snprintf(wanted, sizeof wanted, "p%u", call->index + 1);
        if (!strstr(call->reply, wanted))
            sim_fail(sim, "PING %s of listener %u is answered by %s", wanted, call->listener - 1,
                     call->reply);
        return;
    }
    for (uint32_t name = 0; name < SIM_KINDS * SIM_TAGS; name++) {
        if (!(call->names & 1u << name) || listener->last[name] != call->index)
            continue;
        bool told = listener->told >> name & 1;
        if (told != call->joins)
            sim_fail(sim, "call %u of listener %u is done, but name %u is%s subscribed",
                     call->index, call->listener - 1, name, told ? "" : " not");
        if (call->joins)
            listener->steady |= 1u << name;
    }
}

static void say(struct sim *sim, uint32_t index, uint32_t kind, uint32_t tags, bool joins,
                int64_t timeout_ms)
{
    static const char *const words[SIM_KINDS][2] = {{"UNSUBSCRIBE", "SUBSCRIBE"},
                                                    {"PUNSUBSCRIBE", "PSUBSCRIBE"},
                                                    {"SUNSUBSCRIBE", "SSUBSCRIBE"}};
    struct sim_listener *listener = &sim->listeners[index];
    tendon_bytes args[SIM_TAGS + 2];
    char texts[SIM_TAGS][16];
    char ping[16];
    uint32_t count = 1;
    struct sim_call *call = sim_make_call(sim, -1);
    args[0] = (tendon_bytes){tags ? words[kind][joins] : "PING", 0};
    args[0].size = strlen(args[0].data);
    for (uint32_t i = 0, first = sim_below(sim, SIM_TAGS); i < SIM_TAGS; i++) {
        uint32_t tag = (first + i) % SIM_TAGS;
        if (!(tags >> tag & 1))
            continue;
        sim_key_name(sim_key(tag, 's'), texts[tag]);
        args[count++] = (tendon_bytes){texts[tag], strlen(texts[tag])};
        listener->last[kind * SIM_TAGS + tag] = call->index;
    }
    snprintf(ping, sizeof ping, "p%u", call->index + 1);
    if (!tags)
        args[count++] = (tendon_bytes){ping, strlen(ping)};
    call->listener = index + 1;
    call->names = tags << kind * SIM_TAGS;
    call->joins = joins;
    call->must_succeed = sim->strict;
    listener->steady &= ~call->names;
    listener->wanted = joins ? listener->wanted | call->names : listener->wanted & ~call->names;
    tendon_request asked = {
        .struct_size = sizeof asked, .args = args, .arg_count = count, .timeout_ms = timeout_ms};
    struct tendon__request *request;
    struct tendon__fault fault;
    SIM_TRACE(sim, "call %u: listener %u %s %02x timeout %lld", call->index, index,
              (const char *)args[0].data, tags, (long long)timeout_ms);
    tendon_status status =
        tendon__request_subscribe(&sim->memory.memory, &sim->options, &asked,
                                  listener->subscription, &call->sink, &request, &fault);
    if (status != TENDON_OK) {
        call->outcomes = 1;
        call->status = status;
        call->executed = TENDON_EXECUTED_NO;
        return;
    }
    sim_hand_over(call, request);
    if (!sim->strict && !call->outcomes && sim_chance(sim, 10))
        sim_later(sim, sim->now_ns + sim_between(sim, 0, 300 * SIM_MS), sim_cancel, call->index, 0);
}

static void step(struct sim *sim, uint32_t index, uint32_t unused)
{
    struct sim_listener *listener = &sim->listeners[index];
    (void)unused;
    if (!sim->storm || sim->closed)
        return;
    if (sim->now_ns >= sim->paused_until_ns) {
        if (!listener->subscription || sim_chance(sim, 2)) {
            close_listener(sim, index);
            open_listener(sim, index);
        }
        uint32_t kind = sim_below(sim, SIM_KINDS);
        uint32_t tags = sim_chance(sim, 8) ? 0 : 1 + sim_below(sim, (1u << SIM_TAGS) - 1);
        int64_t timeout_ms = sim_chance(sim, 30) ? 1 + sim_between(sim, 0, 1000) : 0;
        if (listener->subscription)
            say(sim, index, kind, tags, sim_chance(sim, 70), timeout_ms);
    }
    sim_later(sim, sim->now_ns + sim_between(sim, 0, 1500 * SIM_MS), step, index, 0);
}

static void cross(struct sim *sim, uint32_t index, uint32_t tag)
{
    if (!sim->storm || sim->closed || sim->now_ns < sim->paused_until_ns ||
        !sim->listeners[index].subscription)
        return;
    uint32_t others = sim_chance(sim, 50) ? sim_below(sim, 1u << SIM_TAGS) : 0;
    say(sim, index, SIM_SHARDED, 1u << tag | others, sim_chance(sim, 30), 0);
}

/* A server sends one of its names away, of which it says something before it has heard that. */
void sim_listener_crosses(struct sim *sim, const struct tendon_subscription *subscription,
                          uint32_t tag)
{
    if (subscription && sim->storm && sim_chance(sim, 40))
        sim_later(sim, sim->now_ns + sim_between(sim, 0, 2 * sim->latency_ns), cross,
                  (uint32_t)subscription->tag, tag);
}

static void publish_some(struct sim *sim, uint32_t unused, uint32_t also_unused)
{
    (void)unused;
    (void)also_unused;
    if (sim->closed || !sim->listener_count)
        return;
    for (uint32_t burst = 1 + sim_below(sim, sim_chance(sim, 10) ? 30 : 3); burst; burst--)
        sim_publish(sim, sim_below(sim, SIM_KINDS * SIM_TAGS));
    sim_later(sim, sim->now_ns + sim_between(sim, 20 * SIM_MS, 1500 * SIM_MS), publish_some, 0, 0);
}

void sim_listeners_begin(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->listener_count; i++)
        sim_later(sim, sim->now_ns + sim_between(sim, 0, 500 * SIM_MS), step, i, 0);
    if (sim->listener_count)
        sim_later(sim, sim->now_ns, publish_some, 0, 0);
}

static bool is_there(const struct sim *sim, const struct tendon_subscription *subscription,
                     uint32_t name)
{
    for (uint32_t i = sim->first_live; i < sim->link_count; i++) {
        const struct sim_link *link = sim->links[i];
        if (link->accepted && sim_heard_by(link) == subscription &&
            link->session.names & 1u << name)
            return true;
    }
    return false;
}

/* By now everything has come back by itself. */
static void check_recovered(struct sim *sim, uint32_t index)
{
    const struct sim_listener *listener = &sim->listeners[index];
    for (uint32_t name = 0; name < SIM_KINDS * SIM_TAGS; name++)
        if (listener->steady & 1u << name && !is_there(sim, listener->subscription, name))
            sim_fail(sim, "listener %u: name %u has not come back although the world has healed",
                     index, name);
    if (listener->owed_a_gap || listener->cut_off)
        sim_fail(sim, "listener %u has missed a message and was told of no gap", index);
}

/* Settled: everything is there, asking for it again succeeds, and messages come. */
void sim_listeners_check(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->listener_count; i++) {
        if (!sim->listeners[i].subscription)
            continue;
        check_recovered(sim, i);
        for (uint32_t kind = 0; kind < SIM_KINDS; kind++)
            say(sim, i, kind, (1u << SIM_TAGS) - 1, true, 20000);
    }
    sim_until(sim, sim->now_ns + 3000 * SIM_MS);
    for (uint32_t i = 0; i < sim->listener_count; i++)
        sim->listeners[i].messages = 0;
    for (uint32_t name = 0; sim->listener_count && name < SIM_KINDS * SIM_TAGS; name++)
        sim_publish(sim, name);
    sim_until(sim, sim->now_ns + 3000 * SIM_MS);
    for (uint32_t i = 0; i < sim->listener_count; i++) {
        const struct sim_listener *listener = &sim->listeners[i];
        if (!listener->subscription)
            continue;
        if (listener->messages != (1u << SIM_KINDS * SIM_TAGS) - 1)
            sim_fail(sim, "listener %u heard of names %05x only", i, listener->messages);
        for (uint32_t kind = 0; kind < SIM_KINDS; kind++)
            say(sim, i, kind, (1u << SIM_TAGS) - 1, false, 20000);
        say(sim, i, 0, 0, false, 20000);
    }
    sim_until(sim, sim->now_ns + 3000 * SIM_MS);
    sim_cover(sim, SIM_COVER_listeners_recovered);
}

void sim_listeners_end(struct sim *sim)
{
    for (uint32_t i = 0; i < SIM_LISTENERS; i++)
        close_listener(sim, i);
}
