/* Callers: random programs of single commands, groups, transactions and blocking commands, with
 * deadlines and cancels at any moment. Those that lease connections are in lease.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/request_build.h"
#include "sim.h"

uint8_t sim_key(uint32_t tag, char type)
{
    static const char types[] = "sucl";
    const char *at = strchr(types, type);
    return tag < SIM_TAGS && at ? (uint8_t)(tag * SIM_TYPES + (uint32_t)(at - types)) : 0;
}

void sim_key_name(uint8_t key, char out[16])
{
    snprintf(out, 16, "{t%u}%c", key / SIM_TYPES, "sucl"[key % SIM_TYPES]);
}

static char *add_word(struct sim_words *words)
{
    return words->words[words->count++];
}

void sim_write_words(struct sim_words *words, const struct sim_command *command)
{
    memset(words, 0, sizeof *words);
    snprintf(add_word(words), SIM_WORD_MAX, "%s", sim_verb_name(command->verb));
    /* Where any argument is a key, the token is written as one of the same slot. */
    bool keyed = command->verb == SIM_MGET || command->verb == SIM_DEL ||
                 command->verb == SIM_BLPOP || command->verb == SIM_WATCH;
    for (uint32_t i = 0; i < command->key_count; i++)
        sim_key_name(command->keys[i], add_word(words));
    if (command->verb == SIM_SELECT)
        snprintf(add_word(words), SIM_WORD_MAX, "%u", command->number);
    if (keyed)
        snprintf(add_word(words), SIM_WORD_MAX, "{t%u}#%u", command->keys[0] / SIM_TYPES,
                 command->token);
    /* Keys of two slots make two commands of it, and each has the token. */
    if (sim_is_split(command))
        snprintf(add_word(words), SIM_WORD_MAX, "{t%u}#%u", command->keys[1] / SIM_TYPES,
                 command->token);
    if (!keyed)
        snprintf(add_word(words), SIM_WORD_MAX, "#%u", command->token);
    if (command->verb == SIM_BLPOP)
        snprintf(add_word(words), SIM_WORD_MAX, "%.3f", (double)command->timeout_ns / 1e9);
    for (uint32_t i = 0; i < words->count; i++)
        words->args[i] = (tendon_bytes){words->words[i], strlen(words->words[i])};
    if (command->verb != SIM_SET && command->verb != SIM_APPEND && command->verb != SIM_LPUSH)
        return;
    size_t size = command->payload > 2 ? command->payload : 3;
    words->payload = malloc(size);
    if (!words->payload)
        abort();
    memset(words->payload, 'v', size);
    memcpy(words->payload, "v:", 2);
    words->args[words->count++] = (tendon_bytes){words->payload, size};
}

static bool is_repeatable(enum sim_verb verb)
{
    return verb != SIM_INCR && verb != SIM_APPEND && verb != SIM_LPUSH && verb != SIM_BLPOP;
}

static bool share_a_key(const struct sim_command *one, const struct sim_command *other)
{
    for (uint32_t i = 0; i < one->key_count; i++)
        if (memchr(other->keys, one->keys[i], other->key_count))
            return true;
    return false;
}

/* Whether a second execution could see what the first has written. */
static bool build_on_each_other(const struct sim_ask *ask)
{
    for (uint32_t i = 0; i < ask->count; i++)
        for (uint32_t j = 0; j < ask->count; j++)
            if (i != j && sim_verb_writes(ask->commands[i].verb) &&
                share_a_key(&ask->commands[i], &ask->commands[j]))
                return true;
    return false;
}

void sim_add_tokens(struct sim *sim, struct sim_call *call, struct sim_ask *ask)
{
    bool repeatable = !build_on_each_other(ask);
    for (uint32_t i = 0; i < ask->count; i++)
        repeatable &= is_repeatable(ask->commands[i].verb);
    call->first_token = sim->token_count;
    for (uint32_t i = 0; i < ask->count; i++) {
        sim->tokens =
            sim_grow(sim->tokens, sim->token_count, &sim->token_room, sizeof *sim->tokens);
        ask->commands[i].token = sim->token_count;
        sim->tokens[sim->token_count++] = (struct sim_token){
            .call = call->index,
            .command = ask->commands[i],
            .writes = sim_verb_writes(ask->commands[i].verb),
            .repeatable = repeatable || ask->flags & TENDON_REQUEST_IDEMPOTENT,
            .on_lease = ask->lease != 0,
        };
    }
}

void sim_ended(struct sim_call *call, struct tendon__request *request)
{
    struct sim *sim = call->sim;
    sim->completed++;
    if (call->outcomes++)
        sim_fail(sim, "call %u has a second outcome: status %d", call->index, request->status);
    tendon__list_remove(&call->open);
    call->done_ns = sim->now_ns;
    call->status = request->status;
    call->executed = request->status ? request->executed : 0;
    call->attempts = request->attempts;
    struct tendon__fault fault;
    tendon__request_fault(request, &fault);
    if (request->status)
        snprintf(call->text, sizeof call->text, "%.159s", fault.text);
    if (call->listener)
        sim_listener_outcome(sim, call, request);
    else
        sim_check_outcome(sim, call, request);
    if (call->is_bundled)
        tendon__request_unref(call->request);
    call->request = NULL;
    if (call->lease)
        sim_lease_outcome(sim, call);
    sim_caller_goes_on(sim, call->caller);
}

static void complete(struct tendon__sink *sink, struct tendon__request *request)
{
    sim_ended(TENDON__OWNER(sink, struct sim_call, sink), request);
    tendon__request_unref(request);
}

/* As a completion queue takes them: all of a turn together. */
static void complete_all(struct tendon__sink *sink, struct tendon__link *items, uint32_t count)
{
    struct tendon__link *link;
    (void)sink;
    while ((link = tendon__list_shift(items))) {
        struct tendon__item *item = TENDON__OWNER(link, struct tendon__item, link);
        struct tendon__request *request = TENDON__OWNER(item, struct tendon__request, item);
        complete(request->sink, request);
        count--;
    }
    if (count)
        abort();
}

/* The caller goes back to what it does; whoever drives next finds the rest. */
void sim_step_out(struct sim *sim)
{
    if (!sim->in_turn)
        tendon__engine_tell(sim->engine);
    sim_want_turn(sim, sim->now_ns + sim_between(sim, 0, 100000));
}

struct sim_call *sim_make_call(struct sim *sim, int caller)
{
    struct sim_call *call = calloc(1, sizeof *call);
    if (!call)
        abort();
    sim->calls = sim_grow(sim->calls, sim->call_count, &sim->call_room, sizeof(struct sim_call *));
    sim->calls[sim->call_count] = call;
    call->index = sim->call_count++;
    call->id = call->index + 1;
    call->sim = sim;
    if (sim->by_queue)
        call->sink.complete_all = complete_all;
    else
        call->sink.complete = complete;
    call->caller = caller;
    return call;
}

void sim_begin_call(struct sim_call *call, struct tendon__request *request)
{
    struct sim *sim = call->sim;
    call->request = request;
    call->submit_ns = sim->now_ns;
    call->deadline_ns = request->deadline_ns;
    if (call->deadline_ns == TENDON__NO_TIME)
        sim_cover(sim, SIM_COVER_no_deadline);
    tendon__list_push(&sim->open_calls, &call->open);
    sim->accepted++;
    sim->engine->pending++;
}

void sim_hand_over(struct sim_call *call, struct tendon__request *request)
{
    struct sim *sim = call->sim;
    request->id = call->id;
    tendon__request_stamp(request, sim->now_ns);
    sim_begin_call(call, request);
    tendon__engine_submit(sim->engine, request, sim->now_ns);
    sim_step_out(sim);
}

static void trace_call(struct sim *sim, const struct sim_call *call, const struct sim_ask *ask)
{
    char key[16] = "";
    if (!sim->tracing)
        return;
    if (ask->commands[0].key_count)
        sim_key_name(ask->commands[0].keys[0], key);
    sim_trace(sim, "call %u: %s %s x%u #%u%s lease %u timeout %lld flags %u", call->index,
              sim_verb_name(ask->commands[0].verb), key, ask->count, call->first_token,
              ask->must_succeed ? " must succeed" : "", ask->lease, (long long)ask->timeout_ms,
              ask->flags);
}

struct sim_call *sim_submit(struct sim *sim, struct sim_ask *ask)
{
    tendon_request asked[SIM_QUEUED] = {{0}};
    struct sim_words words[SIM_QUEUED];
    struct sim_call *call = sim_make_call(sim, ask->caller);
    call->count = ask->count;
    call->lease = ask->lease;
    call->must_succeed = ask->must_succeed;
    call->is_transaction = ask->commands[0].verb == SIM_MULTI && ask->count > 1;
    sim_add_tokens(sim, call, ask);
    for (uint32_t i = 0; i < ask->count; i++) {
        sim_write_words(&words[i], &ask->commands[i]);
        bool last = i + 1 == ask->count;
        asked[i] = (tendon_request){
            .struct_size = sizeof asked[0],
            .flags = ask->flags | (ask->count > 1 ? TENDON_REQUEST_ATOMIC : 0) |
                     (ask->count > 1 && last ? TENDON_REQUEST_ATOMIC_END : 0),
            .args = words[i].args,
            .arg_count = words[i].count,
            .timeout_ms = ask->timeout_ms,
            .lease = ask->lease ? sim->leases[ask->lease - 1].lease : NULL,
            .route = ask->route,
            .node = {ask->node, strlen(ask->node)},
        };
    }
    struct tendon__request *request;
    struct tendon__fault fault;
    tendon_status status =
        tendon__request_build(&sim->memory.memory, &sim->options, true, asked, sizeof asked[0],
                              ask->count, &call->sink, &request, &fault);
    for (uint32_t i = 0; i < ask->count; i++)
        free(words[i].payload);
    trace_call(sim, call, ask);
    if (status != TENDON_OK && !sim->memory_refusing)
        sim_fail(sim, "call %u could not be built: %s", call->index, fault.text);
    if (status != TENDON_OK) {
        call->outcomes = 1;
        call->status = status;
        call->executed = TENDON_EXECUTED_NO;
        sim_caller_goes_on(sim, call->caller);
        return call;
    }
    if (ask->lease)
        sim->leases[ask->lease - 1].pending++;
    sim_hand_over(call, request);
    return call;
}

static void cover_cancel(struct sim *sim, enum tendon__request_state state)
{
    static const enum sim_cover covers[] = {
        [TENDON__REQUEST_PARKED] = SIM_COVER_cancel_parked,
        [TENDON__REQUEST_WAITING] = SIM_COVER_cancel_waiting,
        [TENDON__REQUEST_BORROWING] = SIM_COVER_cancel_borrowing,
        [TENDON__REQUEST_DELAYED] = SIM_COVER_cancel_delayed,
        [TENDON__REQUEST_ON_WIRE] = SIM_COVER_cancel_on_wire,
        [TENDON__REQUEST_SUBSCRIBING] = SIM_COVER_cancel_subscribing,
    };
    if (state != TENDON__REQUEST_NEW && state != TENDON__REQUEST_DONE)
        sim_cover(sim, covers[state]);
}

void sim_cancel(struct sim *sim, uint32_t index, uint32_t unused)
{
    struct sim_call *call = sim->calls[index];
    (void)unused;
    if (call->outcomes || sim->now_ns < sim->paused_until_ns)
        return;
    cover_cancel(sim, call->request->state);
    SIM_TRACE(sim, "call %u: cancelled", index);
    tendon__engine_cancel(sim->engine, call->id, sim->now_ns);
    sim_step_out(sim);
    /* Without memory to take it out of its bundle it stays there. */
    if (!call->outcomes && !(call->is_bundled && sim->memory_refusing))
        sim_fail(sim, "call %u has no outcome although it was cancelled", index);
}
