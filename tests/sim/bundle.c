/* Callers that hand over many commands at once: they travel as a bundle, and each has an outcome of
 * its own, which may come before the others. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/bundle.h"
#include "client/request_build.h"
#include "sim.h"

/* Who waits for the commands of one call. */
struct sim_bundle {
    struct tendon__sink sink;
    struct sim *sim;
    struct sim_call *calls[SIM_BUNDLED];
    uint32_t weight; /* to be told */
};

static struct sim_call *call_of(const struct sim_bundle *waiter,
                                const struct tendon__request *request, uint32_t index)
{
    return waiter->calls[tendon__place_in_call(request, index, 0)];
}

/* The outcome of one command that stayed in the bundle, as if it had been a request of its own. */
static void ended_inside(struct sim_bundle *waiter, struct tendon__request *request, uint32_t index)
{
    struct tendon__request one = {.memory = request->memory, .command_count = 1};
    tendon_error *error = NULL;
    tendon_error_view view = {.struct_size = sizeof view};
    one.reply_one = tendon__bundle_take(request, index, &error, &one.status);
    one.replies = &one.reply_one;
    struct tendon__fault said = {.status = one.status};
    if (error && tendon_error_look(error, &view) == TENDON_OK) {
        one.executed = view.executed;
        one.cause = &said;
        snprintf(said.text, sizeof said.text, "%s", view.message);
    }
    sim_ended(call_of(waiter, request, index), &one);
    tendon__reply_free(one.reply_one);
    tendon_error_destroy(error);
}

static void take_run(struct sim_bundle *waiter, struct tendon__request *request, uint32_t at,
                     uint32_t end)
{
    for (; tendon__bundle_next(request->bundle, &at, end); at++)
        ended_inside(waiter, request, at);
}

static void take_item(struct sim_bundle *waiter, struct tendon__item *item)
{
    if (item->is_run) {
        struct tendon__run *run = TENDON__OWNER(item, struct tendon__run, item);
        sim_cover(waiter->sim, SIM_COVER_bundle_heard);
        take_run(waiter, run->request, run->at, run->end);
        tendon__run_free(run);
        return;
    }
    struct tendon__request *request = TENDON__OWNER(item, struct tendon__request, item);
    if (request->bundle) {
        take_run(waiter, request, request->delivered, request->command_count);
    } else {
        sim_cover(waiter->sim, SIM_COVER_bundle_left);
        sim_ended(waiter->calls[request->tag], request);
    }
    tendon__request_unref(request);
}

static void complete_all(struct tendon__sink *sink, struct tendon__link *items, uint32_t weight)
{
    struct sim_bundle *waiter = TENDON__OWNER(sink, struct sim_bundle, sink);
    struct tendon__link *link;
    while ((link = tendon__list_shift(items)))
        take_item(waiter, TENDON__OWNER(link, struct tendon__item, link));
    if (weight > waiter->weight)
        sim_fail(waiter->sim, "a bundle was told more often than it has commands");
    waiter->weight -= weight;
    if (!waiter->weight)
        free(waiter);
}

bool sim_has_left_bundle(const struct sim_call *call)
{
    if (!call->is_bundled)
        return false;
    const struct tendon__bundle *bundle = call->request->bundle;
    return bundle->fates[call->id - bundle->first_id] != TENDON__FATE_OPEN;
}

/* Returns how many of the commands are in the bundles that are added to `out`. */
static size_t build(struct sim *sim, struct sim_bundle *waiter, struct sim_ask *asks,
                    uint32_t count, struct tendon__link *out)
{
    struct sim_words words[SIM_BUNDLED];
    tendon_request asked[SIM_BUNDLED] = {{0}};
    size_t taken = 0;
    for (uint32_t i = 0; i < count; i++) {
        sim_write_words(&words[i], &asks[i].commands[0]);
        asked[i] = (tendon_request){.struct_size = sizeof asked[0],
                                    .args = words[i].args,
                                    .arg_count = words[i].count,
                                    .timeout_ms = asks[i].timeout_ms,
                                    .tag = i};
    }
    if (sim->engine->owners) {
        taken = tendon__bundle_split(&sim->memory.memory, &sim->options, sim->engine->owners, asked,
                                     sizeof asked[0], count, 0, &waiter->sink, out);
    } else {
        struct tendon__request *request =
            tendon__bundle_build(&sim->memory.memory, &sim->options, asked, sizeof asked[0], count,
                                 &waiter->sink, &taken);
        if (request)
            tendon__list_push(out, &request->item.link);
    }
    for (uint32_t i = 0; i < count; i++)
        free(words[i].payload);
    return taken;
}

/* Its commands are calls that have begun, the first with the id `id`. */
static void begin_calls(struct sim_bundle *waiter, struct tendon__request *request, uint64_t id)
{
    request->bundle->first_id = id;
    tendon__request_stamp(request, waiter->sim->now_ns);
    waiter->weight += tendon__sink_weight(request);
    for (uint32_t i = 0; i < request->command_count; i++) {
        struct sim_call *call = call_of(waiter, request, i);
        call->id = id + i;
        sim_begin_call(call, request);
        call->is_bundled = true;
        tendon__request_ref(request);
    }
}

static void submit_all(struct sim *sim, struct tendon__link *bundles)
{
    struct tendon__link *link;
    while ((link = tendon__list_shift(bundles))) {
        struct tendon__request *request = TENDON__OWNER(link, struct tendon__request, item.link);
        tendon__request_ref(request);
        tendon__engine_submit(sim->engine, request, sim->now_ns);
        sim_cover(sim, SIM_COVER_bundle);
        if (request->state == TENDON__REQUEST_DONE)
            sim_cover(sim, SIM_COVER_bundle_dissolved);
        else if (request->bundle->map_turn)
            sim_cover(sim, SIM_COVER_bundle_to_shard);
        tendon__request_unref(request);
    }
}

void sim_submit_bundle(struct sim *sim, struct sim_ask *asks, uint32_t count)
{
    struct sim_bundle *waiter = calloc(1, sizeof *waiter);
    if (!waiter)
        abort();
    waiter->sim = sim;
    waiter->sink.complete_all = complete_all;
    waiter->sink.hears = sim_chance(sim, 60);
    /* The calls first: their tokens are words of the commands. */
    uint32_t first = sim->call_count;
    for (uint32_t i = 0; i < count; i++) {
        struct sim_call *call = waiter->calls[i] = sim_make_call(sim, -1);
        call->count = 1;
        sim_add_tokens(sim, call, &asks[i]);
    }
    struct tendon__link bundles;
    tendon__list_init(&bundles);
    uint32_t built = (uint32_t)build(sim, waiter, asks, count, &bundles);
    /* What is not in it was never asked. */
    for (uint32_t i = built; i < count; i++) {
        waiter->calls[i]->outcomes = 1;
        waiter->calls[i]->status = TENDON_ERROR_NO_MEMORY;
        waiter->calls[i]->executed = TENDON_EXECUTED_NO;
    }
    if (!built) {
        free(waiter);
        return;
    }
    uint64_t id = first + 1;
    for (struct tendon__link *link = bundles.next; link != &bundles; link = link->next) {
        struct tendon__request *request = TENDON__OWNER(link, struct tendon__request, item.link);
        begin_calls(waiter, request, id);
        id += request->command_count;
    }
    submit_all(sim, &bundles);
    /* Who waits for all of them is told of none before, and has nothing to cancel one by. */
    for (uint32_t i = 0; waiter->sink.hears && i < built; i++)
        if (!waiter->calls[i]->outcomes && sim_chance(sim, 6))
            sim_later(sim, sim->now_ns + sim_between(sim, 0, 900 * SIM_MS), sim_cancel,
                      waiter->calls[i]->index, 0);
    sim_step_out(sim);
}
