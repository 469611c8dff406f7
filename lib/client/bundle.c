/* A bundle in the engine: sent, answered, and taken apart when anything unusual happens. */
#include "client/bundle.h"

#include "base/recycle.h"
#include "client/error.h"

/* How far the bytes of one command have come. */
static enum tendon__progress progress_of(const struct tendon__request *request,
                                         const struct tendon__channel *channel, uint32_t index)
{
    const struct tendon__exchange *exchange = &request->exchange;
    const uint32_t *ends = request->bundle->ends;
    uint64_t sent = channel->conn.tx_sent;
    if (!exchange->placed || sent <= exchange->tx_start + (index ? ends[index - 1] : 0))
        return TENDON__PROGRESS_QUEUED;
    return sent >= exchange->tx_start + ends[index] ? TENDON__PROGRESS_SENT
                                                    : TENDON__PROGRESS_PARTIAL;
}

/*
 * Command `index` leaves: a request that the engine knows, in state NEW, with both references. NULL
 * when memory ran out; `refused` is its fate then.
 */
static struct tendon__request *leave(struct tendon__engine *engine, struct tendon__request *request,
                                     uint32_t index, enum tendon__fate refused)
{
    struct tendon__bundle *bundle = request->bundle;
    struct tendon__request *member = NULL;
    if (!bundle->members && !request->sink->hears)
        bundle->members = tendon__memory_make(
            request->memory, request->command_count * sizeof(struct tendon__request *));
    if (bundle->members || request->sink->hears)
        member = tendon__bundle_member(request, index, engine->options);
    if (!member) {
        bundle->fates[index] = (uint8_t)refused;
        return NULL;
    }
    if (bundle->members)
        bundle->members[index] = member;
    bundle->fates[index] = TENDON__FATE_GONE;
    bundle->gone_count++;
    member->id = bundle->first_id ? bundle->first_id + index : 0;
    member->started_ns = request->started_ns;
    member->deadline_ns = request->deadline_ns;
    tendon__engine_adopt(engine, member);
    return member;
}

/* It is where the bundle is: on the wire, as far as it will be judged by that. */
static void stand_in(struct tendon__request *member, const struct tendon__request *request,
                     struct tendon__channel *channel)
{
    member->node = channel->node;
    member->channel = channel;
    member->state = TENDON__REQUEST_ON_WIRE;
    member->attempt_ns = request->attempt_ns;
    member->exchange.reply_count = 1;
    member->exchange.reply_index = 1;
}

/* Nothing of it was sent, and nothing will be: each command finds its own way. */
static void dissolve(struct tendon__engine *engine, struct tendon__request *request)
{
    struct tendon__bundle *bundle = request->bundle;
    tendon__request_ref(request);
    for (uint32_t i = 0; i < request->command_count; i++) {
        struct tendon__request *member = bundle->fates[i] == TENDON__FATE_OPEN
                                             ? leave(engine, request, i, TENDON__FATE_REFUSED_NO)
                                             : NULL;
        if (!member)
            continue;
        tendon__request_arm(engine, member);
        tendon__route(engine, member);
    }
    tendon__request_complete(engine, request, NULL);
    tendon__request_unref(request);
}

/* The one server all of it is for; NULL when the map says so no longer, or never did. */
static struct tendon__node *node_of(const struct tendon__engine *engine,
                                    const struct tendon__bundle *bundle)
{
    if (!engine->map_nodes)
        return NULL;
    if (!bundle->map_turn)
        return engine->kind == TENDON__KIND_STANDALONE ? engine->map_nodes[0] : NULL;
    const struct tendon__topology *map = engine->map;
    bool covered = !engine->options->cluster_full_coverage || map->covered == TENDON__SLOT_COUNT;
    if (engine->kind != TENDON__KIND_CLUSTER || bundle->map_turn != engine->owners->turn ||
        !covered)
        return NULL;
    uint16_t primary = map->shards[bundle->shard].primary;
    return primary == TENDON__NO_SHARD ? NULL : engine->map_nodes[primary];
}

/* A ready lane of the server with room for all of it, on which nobody waits to be sent before. */
static struct tendon__channel *find_lane(struct tendon__engine *engine,
                                         const struct tendon__request *request)
{
    struct tendon__node *node = node_of(engine, request->bundle);
    struct tendon__channel *lane = NULL;
    if (!node || node->waiting_count)
        return NULL;
    if (request->flags & TENDON__REQUEST_DIRECT)
        lane = tendon__node_free_lane(node);
    if (!lane)
        lane = tendon__node_lane(node);
    if (!lane || (request->bundle->has_forms && lane->conn.facts.protocol == 2))
        return NULL;
    uint64_t commands = (uint64_t)lane->conn.fifo_commands + request->command_count;
    return commands <= (uint64_t)engine->options->max_in_flight ? lane : NULL;
}

void tendon__bundle_submit(struct tendon__engine *engine, struct tendon__request *request)
{
    struct tendon__channel *lane = find_lane(engine, request);
    if (!lane) {
        dissolve(engine, request);
        return;
    }
    tendon__list_push(&engine->bundles, &request->bundle->link);
    request->exchange.kept = request->bundle->replies;
    request->exchange.more = request->command_count - 1;
    tendon__send_on(engine, request, lane);
}

/* Its reply is an error that a new try may better, or that teaches something: it is judged like
 * that of any request. Without memory for that the error is the outcome. */
static bool judge(struct tendon__engine *engine, struct tendon__channel *channel,
                  struct tendon__request *request, uint32_t index)
{
    struct tendon__redirect redirect;
    tendon_bytes text = tendon__tape_text(&channel->conn.tape, 0);
    if (tendon__react(text.data, text.size, &redirect) == TENDON__REACT_SURFACE)
        return false;
    struct tendon__request *member = leave(engine, request, index, TENDON__FATE_OPEN);
    if (!member)
        return false;
    stand_in(member, request, channel);
    tendon__judge_reply(engine, channel, member);
    return true;
}

/* Takes note of the replies that the connection has kept. */
static void settle(struct tendon__request *request, uint32_t end)
{
    struct tendon__bundle *bundle = request->bundle;
    for (; bundle->settled < end; bundle->settled++) {
        if (bundle->fates[bundle->settled] != TENDON__FATE_OPEN)
            continue;
        bundle->fates[bundle->settled] = TENDON__FATE_REPLIED;
        bundle->replied_count++;
    }
}

/* The current reply is the outcome of a command. */
static void keep(struct tendon__channel *channel, struct tendon__bundle *bundle, uint32_t index,
                 bool is_error)
{
    tendon_reply *reply = tendon__conn_take_reply(&channel->conn);
    bundle->replies[index] = reply;
    bundle->replied_count += reply != NULL;
    bundle->fates[index] = reply      ? TENDON__FATE_REPLIED
                           : is_error ? TENDON__FATE_REFUSED_NO
                                      : TENDON__FATE_REFUSED_YES;
}

/* Behind each reply: the bundle is complete, or somebody may want to hear of it before it is. */
static void note_reply(struct tendon__engine *engine, struct tendon__request *request)
{
    struct tendon__bundle *bundle = request->bundle;
    if (request->exchange.reply_index == request->command_count)
        tendon__request_complete(engine, request, NULL);
    else if (request->sink->hears && !tendon__list_linked(&bundle->unheard))
        tendon__list_push(&engine->unheard, &bundle->unheard);
}

/* An error may teach something that closes the connection, and ends the bundle with it. */
static void take_error(struct tendon__engine *engine, struct tendon__channel *channel,
                       struct tendon__request *request, uint32_t index)
{
    tendon__request_ref(request);
    if (!judge(engine, channel, request, index))
        keep(channel, request->bundle, index, true);
    if (request->state != TENDON__REQUEST_DONE)
        note_reply(engine, request);
    tendon__request_unref(request);
}

void tendon__bundle_reply(struct tendon__engine *engine, struct tendon__channel *channel,
                          struct tendon__request *request)
{
    uint32_t index = request->exchange.reply_index - 1;
    settle(request, index);
    bool is_open = request->bundle->fates[index] == TENDON__FATE_OPEN;
    if (is_open && channel->conn.tape.nodes[0].type == TENDON_NODE_ERROR) {
        take_error(engine, channel, request, index);
        return;
    }
    if (is_open)
        keep(channel, request->bundle, index, false);
    note_reply(engine, request);
}

void tendon__bundle_received(struct tendon__engine *engine, struct tendon__channel *channel)
{
    struct tendon__link *first = channel->conn.fifo.next;
    struct tendon__exchange *exchange = TENDON__OWNER(first, struct tendon__exchange, link);
    if (first != &channel->conn.fifo && exchange->kept && exchange->reply_index)
        note_reply(engine, TENDON__OWNER(exchange, struct tendon__request, exchange));
}

void tendon__bundle_lost(struct tendon__engine *engine, struct tendon__channel *channel,
                         struct tendon__request *request, const struct tendon__fault *fault,
                         bool too_big)
{
    static const enum tendon__fate refused[] = {
        [TENDON__PROGRESS_QUEUED] = TENDON__FATE_REFUSED_NO,
        [TENDON__PROGRESS_PARTIAL] = TENDON__FATE_REFUSED_NO,
        [TENDON__PROGRESS_SENT] = TENDON__FATE_REFUSED_UNKNOWN,
    };
    tendon__request_ref(request);
    settle(request, request->exchange.reply_index);
    for (uint32_t i = request->exchange.reply_index; i < request->command_count; i++) {
        if (request->bundle->fates[i] != TENDON__FATE_OPEN)
            continue;
        bool is_too_big = too_big && i == request->exchange.reply_index;
        enum tendon__progress progress = progress_of(request, channel, i);
        struct tendon__request *member =
            leave(engine, request, i, is_too_big ? TENDON__FATE_REFUSED_YES : refused[progress]);
        if (!member)
            continue;
        stand_in(member, request, channel);
        if (is_too_big) {
            struct tendon__fault said = *fault;
            said.executed = TENDON_EXECUTED_YES;
            tendon__request_complete(engine, member, &said);
        } else {
            tendon__attempt_failed(engine, member, fault, progress);
        }
    }
    tendon__request_complete(engine, request, NULL);
    tendon__request_unref(request);
}

bool tendon__bundle_overdue(struct tendon__engine *engine, struct tendon__request *request,
                            const struct tendon__fault *fault)
{
    struct tendon__bundle *bundle = request->bundle;
    struct tendon__channel *channel = request->channel;
    uint32_t i = request->exchange.reply_index;
    bool found = false;
    tendon__request_ref(request);
    settle(request, i);
    for (; i < request->command_count; i++) {
        if (bundle->fates[i] != TENDON__FATE_OPEN)
            continue;
        if (progress_of(request, channel, i) != TENDON__PROGRESS_SENT)
            break;
        found = true;
        request->exchange.kept = NULL; /* each reply is looked at: those that left are nobody's */
        struct tendon__request *member = leave(engine, request, i, TENDON__FATE_REFUSED_UNKNOWN);
        if (!member)
            continue;
        stand_in(member, request, channel);
        tendon__attempt_failed(engine, member, fault, TENDON__PROGRESS_SENT);
    }
    if (i < request->command_count)
        tendon__request_arm(engine, request);
    else
        tendon__request_complete(engine, request, NULL);
    tendon__request_unref(request);
    return found;
}

/* Takes the bundle's place among what the connection has not yet begun to send. */
static void scatter(struct tendon__engine *engine, struct tendon__request *request)
{
    struct tendon__channel *channel = request->channel;
    tendon__request_ref(request);
    for (uint32_t i = 0; i < request->command_count; i++) {
        struct tendon__request *member = leave(engine, request, i, TENDON__FATE_REFUSED_NO);
        if (!member)
            continue;
        tendon__send_before(engine, member, channel, &request->exchange);
    }
    tendon__request_complete(engine, request, NULL); /* takes itself back */
    tendon__request_unref(request);
}

static struct tendon__request *owner_of(const struct tendon__engine *engine, uint64_t id)
{
    for (struct tendon__link *link = engine->bundles.next; link != &engine->bundles;
         link = link->next) {
        struct tendon__bundle *bundle = TENDON__OWNER(link, struct tendon__bundle, link);
        struct tendon__request *request = tendon__bundle_request(bundle);
        if (bundle->first_id && id - bundle->first_id < request->command_count)
            return request;
    }
    return NULL;
}

bool tendon__bundle_cancel(struct tendon__engine *engine, uint64_t id,
                           const struct tendon__fault *fault)
{
    struct tendon__request *request = owner_of(engine, id);
    if (!request)
        return false;
    if (!request->exchange.placed) {
        scatter(engine, request);
        return false; /* by now it is a request of its own */
    }
    uint32_t index = (uint32_t)(id - request->bundle->first_id);
    settle(request, request->exchange.reply_index);
    if (request->bundle->fates[index] != TENDON__FATE_OPEN)
        return true;
    struct tendon__request *member =
        leave(engine, request, index, TENDON__FATE_OPEN /* it goes on, as if nobody had asked */);
    if (!member)
        return true;
    request->exchange.kept = NULL; /* each reply is looked at: this one is nobody's */
    stand_in(member, request, request->channel);
    member->was_sent = true; /* or will be */
    tendon__request_fail(engine, member, fault);
    return true;
}

void tendon__bundle_end(struct tendon__request *request)
{
    struct tendon__bundle *bundle = request->bundle;
    request->exchange.kept = NULL;
    settle(request, request->exchange.reply_index);
    tendon__list_remove(&bundle->link);
    tendon__list_remove(&bundle->unheard);
    request->delivered = bundle->told;
    tendon__bundle_next(bundle, &request->delivered, request->command_count);
    if (request->status == TENDON_OK)
        return;
    for (uint32_t i = 0; i < request->command_count; i++)
        if (bundle->fates[i] == TENDON__FATE_OPEN)
            bundle->fates[i] = TENDON__FATE_ENDED;
}

static uint32_t count_here(const struct tendon__bundle *bundle, uint32_t from, uint32_t end)
{
    uint32_t count = end - from;
    for (uint32_t i = from; bundle->gone_count && i < end; i++)
        count -= bundle->fates[i] == TENDON__FATE_GONE;
    return count;
}

void tendon__bundle_hear(struct tendon__engine *engine)
{
    struct tendon__link *link;
    while ((link = tendon__list_shift(&engine->unheard))) {
        struct tendon__bundle *bundle = TENDON__OWNER(link, struct tendon__bundle, unheard);
        struct tendon__request *request = tendon__bundle_request(bundle);
        uint32_t from = bundle->told;
        settle(request, request->exchange.reply_index);
        if (!tendon__bundle_next(bundle, &from, request->exchange.reply_index))
            continue;
        struct tendon__run *run = tendon__recycle_take(engine->memory, sizeof *run);
        if (!run)
            continue; /* they are told with those that come next, or at the end */
        tendon__request_ref(request);
        *run = (struct tendon__run){.item = {.is_run = true},
                                    .request = request,
                                    .at = from,
                                    .end = request->exchange.reply_index};
        uint32_t count = count_here(bundle, from, run->end);
        bundle->told = run->end;
        bundle->told_count += count;
        engine->ended_count += count;
        tendon__list_push(&engine->told, &run->item.link);
    }
}

static tendon_error *refusal(uint32_t executed)
{
    struct tendon__fault fault;
    tendon__fault_set(&fault, TENDON_ERROR_NO_MEMORY, "no memory for the command or its reply");
    fault.executed = executed;
    return tendon__error_make(tendon__memory_system(), &fault, 0, 0);
}

tendon_reply *tendon__bundle_take(struct tendon__request *request, uint32_t index,
                                  tendon_error **out_error, tendon_status *out_status)
{
    struct tendon__bundle *bundle = request->bundle;
    tendon_reply *reply = NULL;
    *out_status = TENDON_ERROR_NO_MEMORY;
    switch ((enum tendon__fate)bundle->fates[index]) {
    case TENDON__FATE_REPLIED:
        *out_status = TENDON_OK;
        reply = bundle->replies[index];
        bundle->replies[index] = NULL;
        return reply;
    case TENDON__FATE_REFUSED_NO:
        *out_error = refusal(TENDON_EXECUTED_NO);
        return NULL;
    case TENDON__FATE_REFUSED_YES:
        *out_error = refusal(TENDON_EXECUTED_YES);
        return NULL;
    case TENDON__FATE_REFUSED_UNKNOWN:
        *out_error = refusal(TENDON_EXECUTED_UNKNOWN);
        return NULL;
    case TENDON__FATE_GONE:
    case TENDON__FATE_OPEN:
    case TENDON__FATE_ENDED:
        break;
    }
    *out_status = request->status;
    *out_error = tendon__request_error(request);
    return NULL;
}

void tendon__bundle_free(struct tendon__request *request)
{
    struct tendon__bundle *bundle = request->bundle;
    for (uint32_t i = 0; bundle->replied_count && i < request->command_count; i++)
        if (bundle->fates[i] == TENDON__FATE_REPLIED)
            tendon__reply_free(bundle->replies[i]);
    tendon__memory_free(request->memory, bundle->members);
}

void tendon__run_free(struct tendon__run *run)
{
    struct tendon__memory *memory = run->request->memory;
    tendon__request_unref(run->request);
    tendon__recycle_free(memory, run, sizeof *run);
}
