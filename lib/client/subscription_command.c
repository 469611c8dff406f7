/* The commands of a subscription: what they want of which names, and how they end. */
#include <string.h>

#include "client/command.h"
#include "client/subscription.h"
#include "resp/encoder.h"

#define MEMORY_MS 100 /* until memory is asked for again */

struct verb {
    const char *word;
    enum tendon__name_kind kind;
    bool joins;
};

static const struct verb verbs[] = {
    {"SUBSCRIBE", TENDON__NAME_CHANNEL, true},  {"UNSUBSCRIBE", TENDON__NAME_CHANNEL, false},
    {"PSUBSCRIBE", TENDON__NAME_PATTERN, true}, {"PUNSUBSCRIBE", TENDON__NAME_PATTERN, false},
    {"SSUBSCRIBE", TENDON__NAME_SHARDED, true}, {"SUNSUBSCRIBE", TENDON__NAME_SHARDED, false},
    {"MONITOR", TENDON__NAME_MONITOR, true},
};

/* NULL for PING. */
static const struct verb *find_verb(tendon_bytes word)
{
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (tendon__word_is(word, verbs[i].word))
            return &verbs[i];
    return NULL;
}

/* What is left of a command's arguments. */
struct words {
    const uint8_t *at;
    uint32_t left;
};

/* False behind the last. */
static bool next_word(struct words *words, tendon_bytes *out)
{
    if (!words->left)
        return false;
    words->left--;
    *out = tendon__encoded_next(&words->at);
    return true;
}

static struct words words_of(const struct tendon__request *request)
{
    struct words words = {.at = request->frame};
    words.left = tendon__encoded_begin(&words.at);
    return words;
}

/* As the server counts: sharded channels alone, channels and patterns together. */
static uint32_t count_of(const struct tendon__names *names, enum tendon__name_kind kind)
{
    if (kind == TENDON__NAME_CHANNEL || kind == TENDON__NAME_PATTERN)
        return names->counts[TENDON__NAME_CHANNEL] + names->counts[TENDON__NAME_PATTERN];
    return names->counts[kind];
}

/* [word, name or null, count] */
static tendon_reply *say(struct tendon__memory *memory, const char *word, tendon_bytes name,
                         int64_t count)
{
    size_t size = strlen(word);
    uint8_t *bytes = tendon__memory_take(memory, size + name.size);
    if (!bytes)
        return NULL;
    memcpy(bytes, word, size);
    if (name.size)
        memcpy(bytes + size, name.data, name.size);
    tendon_node nodes[] = {
        {.type = TENDON_NODE_PUSH, .size = 3, .value.span = 4},
        {.type = TENDON_NODE_STRING, .size = (uint32_t)size, .value.offset = 0},
        {.type = TENDON_NODE_NULL},
        {.type = TENDON_NODE_INTEGER, .value.integer = count},
    };
    if (name.data)
        nodes[2] = (tendon_node){
            .type = TENDON_NODE_STRING, .size = (uint32_t)name.size, .value.offset = size};
    tendon_reply *reply = tendon__reply_copy(memory, nodes, 4, bytes, size + name.size);
    tendon__memory_free(memory, bytes);
    return reply;
}

/* Of what was not subscribed. False when that could not be told. */
static bool tell_left(struct tendon_subscription *subscription, enum tendon__name_kind kind,
                      tendon_bytes name)
{
    tendon_reply *reply = say(subscription->memory, tendon__leave_words[kind], name,
                              count_of(&subscription->names, kind));
    return reply && tendon__subscription_tell(subscription, TENDON_EVENT_MESSAGE, 0, NULL, reply);
}

static bool is_awaited(const struct tendon_subscription *subscription,
                       const struct tendon__name *name)
{
    return name->turn && name->turn == subscription->turn && subscription->command;
}

/* It need not be waited for any longer. */
static void settle(struct tendon_subscription *subscription, struct tendon__name *name)
{
    if (is_awaited(subscription, name))
        subscription->owed--;
    name->turn = 0;
}

void tendon__subscription_gap_begins(struct tendon_subscription *subscription, int64_t since_ns)
{
    /* One that could not be told is told with this one. */
    bool goes_on = subscription->missed || subscription->owes_gap;
    if (!goes_on || subscription->lost_ns > since_ns)
        subscription->lost_ns = since_ns;
    subscription->owes_gap = false;
    subscription->missed++;
}

void tendon__subscription_gap_ends(struct tendon_subscription *subscription)
{
    if (--subscription->missed)
        return;
    int64_t gap_ns = subscription->engine->now_ns - subscription->lost_ns;
    tendon__subscription_tell(subscription, TENDON_EVENT_GAP, (uint32_t)(gap_ns / TENDON__MS), NULL,
                              NULL);
}

void tendon__name_missed(struct tendon_subscription *subscription, struct tendon__name *name)
{
    name->is_heard = false;
    if (name->is_missed)
        return;
    name->is_missed = true;
    tendon__subscription_gap_begins(subscription, subscription->engine->now_ns);
}

static void found_again(struct tendon_subscription *subscription, struct tendon__name *name)
{
    if (!name->is_missed)
        return;
    name->is_missed = false;
    tendon__subscription_gap_ends(subscription);
}

static void remove_name(struct tendon_subscription *subscription, struct tendon__name *name)
{
    settle(subscription, name);
    tendon__feed_adopt(NULL, name);
    tendon__names_remove(&subscription->names, name);
}

void tendon__name_want(struct tendon__name *name, enum tendon__name_state state)
{
    name->state = (uint8_t)state;
    name->turns = false;
    tendon__list_remove(&name->queue);
    tendon__list_push(&name->feed->wanting, &name->queue);
}

void tendon__name_ask_again(struct tendon__name *name)
{
    name->state = name->state == TENDON__NAME_ASKED ? TENDON__NAME_WANTED : TENDON__NAME_UNWANTED;
    tendon__list_remove(&name->queue);
    tendon__list_push(&name->feed->wanting, &name->queue);
}

static bool confirm_joined(struct tendon_subscription *subscription, struct tendon__name *name,
                           tendon_reply *reply)
{
    bool was_asked_for = name->turn && !name->turns;
    bool told = true;
    tendon__list_remove(&name->queue);
    name->state = TENDON__NAME_ACTIVE;
    name->is_heard = true;
    if (name->kind == TENDON__NAME_MONITOR)
        tendon__reply_free(reply);
    else if (reply)
        told = tendon__subscription_tell(subscription, TENDON_EVENT_MESSAGE, !was_asked_for, NULL,
                                         reply);
    if (!told)
        return false; /* its connection ends, and it is confirmed once more */
    found_again(subscription, name);
    if (name->turns)
        tendon__name_want(name, TENDON__NAME_UNWANTED);
    else
        settle(subscription, name);
    return true;
}

/* It is nowhere any more, but nobody has been told: it stays, and so does who waits for it. */
static void tell_later(struct tendon_subscription *subscription, struct tendon__name *name)
{
    name->state = TENDON__NAME_UNWANTED;
    tendon__feed_adopt(NULL, name);
    name->not_before_ns = subscription->engine->now_ns + MEMORY_MS * TENDON__MS;
    tendon__list_remove(&name->queue);
    tendon__list_push(&subscription->homeless, &name->queue);
    tendon__subscription_wake(subscription, name->not_before_ns);
}

static void confirm_left(struct tendon_subscription *subscription, struct tendon__name *name,
                         tendon_reply *reply)
{
    enum tendon__name_kind kind = (enum tendon__name_kind)name->kind;
    uint32_t count = count_of(&subscription->names, kind) - 1;
    name->is_heard = false;
    if (!name->turns)
        found_again(subscription, name); /* what was missed is told while it is still subscribed */
    if (!reply)
        reply = say(subscription->memory, tendon__leave_words[kind],
                    (tendon_bytes){name->text, name->size}, count);
    bool told =
        reply && tendon__subscription_tell(subscription, TENDON_EVENT_MESSAGE, 0, NULL, reply);
    if (name->turns)
        tendon__name_want(name, TENDON__NAME_WANTED);
    else if (told)
        remove_name(subscription, name);
    else
        tell_later(subscription, name);
}

bool tendon__subscription_confirm(struct tendon_subscription *subscription,
                                  struct tendon__name *name, tendon_reply *reply)
{
    if (name->state == TENDON__NAME_ASKED)
        return confirm_joined(subscription, name, reply);
    confirm_left(subscription, name, reply);
    return true;
}

void tendon__subscription_drop(struct tendon_subscription *subscription, struct tendon__name *name)
{
    if (name->is_heard)
        tendon__name_missed(subscription, name);
    if (name->state == TENDON__NAME_ASKED)
        name->turns = false; /* it was to be given up as soon as it was there */
    name->state = TENDON__NAME_LEAVING;
    confirm_left(subscription, name, NULL);
}

/* Without the server's words the command would look done. */
static void fail_command(struct tendon_subscription *subscription)
{
    struct tendon__fault fault;
    tendon__fault_set(&fault, TENDON_ERROR_NO_MEMORY, "no memory for the server's refusal");
    tendon__request_fail(subscription->engine, subscription->command, &fault);
}

void tendon__subscription_refuse(struct tendon_subscription *subscription,
                                 struct tendon__name *name, tendon_reply *reply)
{
    struct tendon__fault fault;
    bool gives_up = name->state == TENDON__NAME_ASKED && name->turns && !name->is_heard;
    if (gives_up) {
        tendon__reply_free(reply);
        tendon__subscription_drop(subscription, name);
        return;
    }
    bool awaited = is_awaited(subscription, name);
    if (!awaited) {
        const tendon_node *node = reply ? reply->nodes : NULL;
        tendon__fault_server(&fault, TENDON_ERROR_SERVER,
                             node ? reply->data + node->value.offset : NULL, node ? node->size : 0);
        if (!tendon__subscription_tell(subscription, TENDON_EVENT_FAILED, 0, &fault, NULL)) {
            tendon__reply_free(reply);
            tendon__name_ask_again(name); /* what nobody is told of is not dropped */
            return;
        }
    }
    if (awaited && !reply) {
        fail_command(subscription);
    } else if (awaited && !subscription->refusal) {
        subscription->refusal = reply;
    } else {
        tendon__reply_free(reply);
    }
    if (!name->is_heard) {
        found_again(subscription, name);
        remove_name(subscription, name);
        return;
    }
    /* It stays what it is: messages go on coming. */
    settle(subscription, name);
    tendon__list_remove(&name->queue);
    name->state = TENDON__NAME_ACTIVE;
    name->turns = false;
}

void tendon__subscription_ponged(struct tendon_subscription *subscription, tendon_reply *reply)
{
    struct tendon__request *command = subscription->command;
    subscription->owed = 0;
    subscription->pings = subscription->ping_sent = false;
    if (!command) {
        tendon__reply_free(reply);
        return;
    }
    subscription->command = NULL;
    tendon__request_answer(subscription->engine, command, reply);
}

/* The command under way has all it waited for. */
void tendon__subscription_finish(struct tendon_subscription *subscription)
{
    struct tendon__request *command = subscription->command;
    struct tendon__memory *memory = subscription->memory;
    tendon_reply *reply = subscription->refusal;
    subscription->command = NULL;
    subscription->refusal = NULL;
    if (!command) {
        tendon__reply_free(reply);
        return;
    }
    struct words words = words_of(command);
    tendon_bytes word;
    next_word(&words, &word);
    const struct verb *verb = find_verb(word);
    if (!reply && verb && verb->kind == TENDON__NAME_MONITOR)
        reply = tendon__reply_text(memory, TENDON_NODE_STATUS, "OK", 2);
    else if (!reply) {
        tendon_node node = {.type = TENDON_NODE_INTEGER};
        node.value.integer =
            count_of(&subscription->names, verb ? verb->kind : TENDON__NAME_CHANNEL);
        reply = tendon__reply_copy(memory, &node, 1, NULL, 0);
    }
    tendon__request_answer(subscription->engine, command, reply);
}

static void note(struct tendon_subscription *subscription, struct tendon__name *name)
{
    if (!is_awaited(subscription, name))
        subscription->owed++;
    name->turn = subscription->turn;
}

/* False when memory ran out. */
static bool join(struct tendon_subscription *subscription, enum tendon__name_kind kind,
                 tendon_bytes text)
{
    struct tendon__name *name = tendon__names_find(&subscription->names, kind, text);
    if (!name) {
        name = tendon__names_add(&subscription->names, kind, text);
        if (!name)
            return false;
        tendon__list_push(&subscription->homeless, &name->queue);
    } else if (name->state == TENDON__NAME_UNWANTED && !name->feed) {
        name->state = TENDON__NAME_WANTED; /* nobody has heard yet that it was given up */
    } else if (name->state == TENDON__NAME_ACTIVE || name->state == TENDON__NAME_UNWANTED) {
        tendon__name_want(name, TENDON__NAME_WANTED); /* the server confirms it once more */
    } else {
        name->turns = name->state == TENDON__NAME_LEAVING;
    }
    note(subscription, name);
    return true;
}

static void leave(struct tendon_subscription *subscription, struct tendon__name *name)
{
    note(subscription, name);
    switch ((enum tendon__name_state)name->state) {
    case TENDON__NAME_WANTED:
        name->turns = false;
        if (!name->is_heard) {
            tendon__subscription_confirm(subscription, name, NULL);
            return;
        }
        tendon__name_want(name, TENDON__NAME_UNWANTED); /* it was to be subscribed once more */
        break;
    case TENDON__NAME_ASKED:
        name->turns = true;
        break;
    case TENDON__NAME_ACTIVE:
        tendon__name_want(name, TENDON__NAME_UNWANTED);
        break;
    case TENDON__NAME_UNWANTED:
    case TENDON__NAME_LEAVING:
        name->turns = false;
        break;
    }
}

/* Both: false when memory ran out. */
static bool leave_all(struct tendon_subscription *subscription, enum tendon__name_kind kind)
{
    struct tendon__link *all = &subscription->names.all;
    if (!subscription->names.counts[kind])
        return tell_left(subscription, kind, (tendon_bytes){NULL, 0});
    for (struct tendon__link *link = all->next, *next; link != all; link = next) {
        struct tendon__name *name = TENDON__OWNER(link, struct tendon__name, link);
        next = link->next;
        if (name->kind == kind)
            leave(subscription, name);
    }
    return true;
}

static bool leave_some(struct tendon_subscription *subscription, enum tendon__name_kind kind,
                       struct words words)
{
    tendon_bytes text;
    while (next_word(&words, &text)) {
        struct tendon__name *name = tendon__names_find(&subscription->names, kind, text);
        if (name)
            leave(subscription, name);
        else if (!tell_left(subscription, kind, text))
            return false;
    }
    return true;
}

static bool join_some(struct tendon_subscription *subscription, enum tendon__name_kind kind,
                      struct words words)
{
    tendon_bytes text;
    if (kind == TENDON__NAME_MONITOR)
        return join(subscription, kind, (tendon_bytes){"", 0});
    while (next_word(&words, &text))
        if (!join(subscription, kind, text))
            return false;
    return true;
}

static tendon_status check(const struct tendon_subscription *subscription, const struct verb *verb,
                           struct tendon__fault *fault)
{
    const struct tendon__names *names = &subscription->names;
    uint32_t others = names->counts[TENDON__NAME_CHANNEL] + names->counts[TENDON__NAME_PATTERN] +
                      names->counts[TENDON__NAME_SHARDED];
    bool monitors = names->counts[TENDON__NAME_MONITOR];
    if (verb && (verb->kind == TENDON__NAME_MONITOR ? others > 0 : monitors))
        return tendon__fault_set(fault, TENDON_ERROR_STATE,
                                 "MONITOR and channels need a subscription each");
    return TENDON_OK;
}

void tendon__subscription_begin(struct tendon_subscription *subscription,
                                struct tendon__request *request)
{
    struct tendon__engine *engine = subscription->engine;
    struct tendon__fault fault;
    struct words words = words_of(request);
    struct words behind;
    tendon_bytes word;
    next_word(&words, &word);
    behind = words;
    const struct verb *verb = find_verb(word);
    tendon_status status = check(subscription, verb, &fault);
    subscription->command = request;
    if (!++subscription->turn)
        subscription->turn++;
    if (status != TENDON_OK) {
        subscription->command = NULL;
    } else if (!verb) {
        subscription->pings = true;
        subscription->owed = 1;
    } else {
        bool some = next_word(&behind, &word);
        bool done = verb->joins ? join_some(subscription, verb->kind, words)
                    : some      ? leave_some(subscription, verb->kind, words)
                                : leave_all(subscription, verb->kind);
        if (!done)
            status = tendon__fault_set(&fault, TENDON_ERROR_NO_MEMORY, "no memory for a name");
    }
    if (status != TENDON_OK)
        tendon__request_fail(engine, request, &fault);
}
