/*
 * Commands that the table does not know: those of modules, of newer servers, and renamed ones. In
 * a cluster the server is asked once per name where the first key is and whether the command only
 * reads; requests of that name wait behind the question, with their own deadlines. Where keys have
 * no fixed place, each call asks once more, with its arguments. What the server will not say goes
 * to any primary, and a redirect brings it to its node.
 */
#include <string.h>

#include "client/command.h"
#include "client/engine.h"
#include "client/request_build.h"
#include "client/spread.h"
#include "resp/encoder.h"

#define LEARNED_MAX   64u /* names; another one beyond takes the place of the oldest */
#define NAME_MAX_SIZE 47u /* of a longer name nothing is learned */
#define ASK_NS        (2000 * TENDON__MS)
#define KEY_AT_MAX    15u /* no command known to us has its first key further behind */

enum learned_state {
    LEARNED_NOTHING, /* free */
    LEARNED_ASKING,
    LEARNED_KNOWN,
};

struct tendon__learned {
    struct tendon__sink sink; /* of the question */
    struct tendon__engine *engine;
    struct tendon__link waiting; /* requests */
    enum learned_state state;
    uint8_t key_at; /* argument with the first key, 0: none, or not told */
    bool reads;
    bool movable; /* where keys are depends on the arguments */
    uint8_t name_size;
    char name[NAME_MAX_SIZE + 1];
};

static bool make_room(struct tendon__engine *engine)
{
    if (engine->learned)
        return true;
    engine->learned = tendon__memory_make(engine->memory, LEARNED_MAX * sizeof *engine->learned);
    for (uint32_t i = 0; engine->learned && i < LEARNED_MAX; i++)
        tendon__list_init(&engine->learned[i].waiting);
    return engine->learned != NULL;
}

/* The entry of a name, or a free one; NULL when all others are being asked for. */
static struct tendon__learned *find(struct tendon__engine *engine, tendon_bytes name)
{
    for (uint32_t i = 0; i < LEARNED_MAX; i++) {
        struct tendon__learned *learned = &engine->learned[i];
        if (learned->state != LEARNED_NOTHING && learned->name_size == name.size &&
            tendon__word_is(name, learned->name))
            return learned;
    }
    for (uint32_t i = 0; i < LEARNED_MAX; i++) {
        struct tendon__learned *learned = &engine->learned[engine->learned_next++ % LEARNED_MAX];
        if (learned->state != LEARNED_ASKING) {
            learned->state = LEARNED_NOTHING;
            return learned;
        }
    }
    return NULL;
}

static void apply(const struct tendon__learned *learned, struct tendon__request *request)
{
    tendon_bytes args[KEY_AT_MAX + 1];
    uint32_t count = tendon__encoded_count(request->frame);
    if (learned->reads)
        request->flags |= TENDON_REQUEST_READ_ONLY;
    if (!learned->key_at || learned->key_at >= count)
        return;
    tendon__encoded_args(request->frame, args, learned->key_at + 1u);
    request->slot = tendon__key_slot(args[learned->key_at].data, args[learned->key_at].size);
}

/* [[name, arity, flags, first key, ...]]; anything else teaches nothing. */
static void read_answer(struct tendon__learned *learned, const tendon_reply *reply)
{
    const struct tendon__tape tape = {reply->nodes, (uint32_t)reply->node_count, reply->data};
    int64_t first = 0;
    uint32_t flags = 4;
    if (!tendon__tape_is_aggregate(&tape, 0) || !tendon__tape_is_aggregate(&tape, 1) ||
        tape.nodes[1].size < 6 || !tendon__tape_is_aggregate(&tape, flags))
        return;
    for (uint32_t i = 0; i < tape.nodes[flags].size; i++) {
        learned->reads |= tendon__tape_text_is(&tape, flags + 1 + i, "readonly");
        learned->movable |= tendon__tape_text_is(&tape, flags + 1 + i, "movablekeys");
    }
    uint32_t first_at = tendon__tape_skip(&tape, flags);
    if (tendon__tape_integer(&tape, first_at, &first) && first > 0 && first <= KEY_AT_MAX)
        learned->key_at = (uint8_t)first;
}

static void answered(struct tendon__sink *sink, struct tendon__request *question)
{
    struct tendon__learned *learned = TENDON__OWNER(sink, struct tendon__learned, sink);
    struct tendon__engine *engine = learned->engine;
    bool known = question->status == TENDON_OK && question->replies[0] &&
                 question->replies[0]->nodes[0].type != TENDON_NODE_ERROR;
    if (known)
        read_answer(learned, question->replies[0]);
    /* Who may not ask, or has lost the connection, asks again with the next command of the name. */
    learned->state = known ? LEARNED_KNOWN : LEARNED_NOTHING;
    engine->part_count--;
    tendon__request_unref(question);
    for (struct tendon__link *link = learned->waiting.next; !known && link != &learned->waiting;
         link = link->next)
        TENDON__OWNER(link, struct tendon__request, link)->flags &= ~TENDON__REQUEST_UNKNOWN;
    tendon__route_all(engine, &learned->waiting);
}

/* False when it cannot be asked now. */
static bool ask(struct tendon__engine *engine, struct tendon__learned *learned, tendon_bytes name)
{
    memcpy(learned->name, name.data, name.size);
    for (size_t i = 0; i < name.size; i++)
        if (learned->name[i] >= 'a' && learned->name[i] <= 'z')
            learned->name[i] = (char)(learned->name[i] - 32);
    learned->name[name.size] = '\0';
    learned->name_size = (uint8_t)name.size;
    learned->key_at = 0;
    learned->reads = learned->movable = false;
    learned->engine = engine;
    learned->sink.complete = answered;
    const tendon_bytes words[] = {{"COMMAND", 7}, {"INFO", 4}, name};
    struct tendon__request *question =
        tendon__request_internal(engine->memory, words, 3, &learned->sink);
    if (!question)
        return false;
    engine->part_count++;
    if (tendon__engine_reserve_timers(engine) != TENDON_OK) {
        engine->part_count--;
        question->refs = 1;
        tendon__request_unref(question);
        return false;
    }
    learned->state = LEARNED_ASKING;
    question->started_ns = engine->now_ns;
    question->deadline_ns = engine->now_ns + ASK_NS;
    tendon__request_arm(engine, question);
    tendon__route(engine, question);
    return true;
}

bool tendon__unknown_waits(struct tendon__engine *engine, struct tendon__request *request)
{
    tendon_bytes name;
    tendon__encoded_args(request->frame, &name, 1);
    struct tendon__learned *learned = NULL;
    if (name.size <= NAME_MAX_SIZE && make_room(engine))
        learned = find(engine, name);
    if (!learned || learned->state == LEARNED_KNOWN) {
        request->flags &= ~TENDON__REQUEST_UNKNOWN;
        if (learned)
            apply(learned, request);
        if (learned && learned->movable)
            tendon__spread_ask_keys(engine, request);
        return learned && learned->movable;
    }
    /* It stands in line before the question is asked, which may be answered at once. */
    request->state = TENDON__REQUEST_PARKED;
    tendon__list_push(&learned->waiting, &request->link);
    if (learned->state == LEARNED_NOTHING && !ask(engine, learned, name)) {
        request->flags &= ~TENDON__REQUEST_UNKNOWN;
        tendon__route_all(engine, &learned->waiting);
    }
    return true;
}

/* An array of keys. An error says that there are none, or is better said of the command itself. */
void tendon__unknown_answered(struct tendon__request *request, const tendon_reply *reply)
{
    const struct tendon__tape tape = {reply->nodes, (uint32_t)reply->node_count, reply->data};
    request->slot = TENDON__NO_SLOT;
    if (!tendon__tape_is_aggregate(&tape, 0))
        return;
    uint32_t node = 1;
    for (uint32_t i = 0; i < tape.nodes[0].size; i++, node = tendon__tape_skip(&tape, node)) {
        if (!tendon__tape_is_text(&tape, node))
            continue;
        tendon_bytes key = tendon__tape_text(&tape, node);
        uint32_t slot = tendon__key_slot(key.data, key.size);
        if (request->slot != TENDON__NO_SLOT && request->slot != slot)
            request->flags |= TENDON__REQUEST_CROSS_SLOT;
        request->slot = slot;
    }
}

void tendon__unknown_close(struct tendon__engine *engine, const struct tendon__fault *fault)
{
    for (uint32_t i = 0; engine->learned && i < LEARNED_MAX; i++) {
        struct tendon__link *waiting = &engine->learned[i].waiting;
        while (!tendon__list_empty(waiting))
            tendon__request_fail(engine, TENDON__OWNER(waiting->next, struct tendon__request, link),
                                 fault);
    }
}
