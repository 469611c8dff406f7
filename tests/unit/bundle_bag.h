/* Who hands commands over in bundles, and takes their outcomes. */
#ifndef TENDON_TESTS_BUNDLE_BAG_H
#define TENDON_TESTS_BUNDLE_BAG_H

#include <stdio.h>
#include <string.h>

#include "client/bundle.h"
#include "engine_expect.h"
#include "resp/reply.h"

#define COMMANDS 6

/* Who waits for the outcomes of one call. */
struct bag {
    struct tendon__sink sink;
    struct world *world;
    struct tendon__request *request; /* kept by the test */
    uint32_t weight;                 /* still to be told */
    uint32_t runs;                   /* told before the end */
    uint32_t outcomes[COMMANDS];
    tendon_status status[COMMANDS];
    uint32_t executed[COMMANDS];
    char reply[COMMANDS][WORLD_SHOWN];
};

static inline void note(struct bag *bag, uint32_t index, tendon_reply *reply, tendon_status status,
                        uint32_t executed)
{
    bag->world->completed++;
    bag->outcomes[index]++;
    bag->status[index] = status;
    bag->executed[index] = executed;
    if (reply && reply->nodes[0].type == TENDON_NODE_INTEGER)
        snprintf(bag->reply[index], WORLD_SHOWN, ":%lld", (long long)reply->nodes[0].value.integer);
    else if (reply)
        snprintf(bag->reply[index], WORLD_SHOWN, "%.*s", (int)reply->nodes[0].size,
                 (const char *)reply->data + reply->nodes[0].value.offset);
}

static inline void take(struct bag *bag, struct tendon__request *request, uint32_t at, uint32_t end)
{
    for (; tendon__bundle_next(request->bundle, &at, end); at++) {
        tendon_error *error = NULL;
        tendon_status status;
        tendon_error_view view = {.struct_size = sizeof view};
        tendon_reply *reply = tendon__bundle_take(request, at, &error, &status);
        if (error)
            cr_assert_eq(tendon_error_look(error, &view), TENDON_OK);
        note(bag, (uint32_t)tendon__place_in_call(request, at, 0), reply, status, view.executed);
        tendon__reply_free(reply);
        tendon_error_destroy(error);
    }
}

static inline void complete_all(struct tendon__sink *sink, struct tendon__link *items,
                                uint32_t weight)
{
    struct bag *bag = TENDON__OWNER(sink, struct bag, sink);
    struct tendon__link *link;
    while ((link = tendon__list_shift(items))) {
        struct tendon__item *item = TENDON__OWNER(link, struct tendon__item, link);
        if (item->is_run) {
            struct tendon__run *run = TENDON__OWNER(item, struct tendon__run, item);
            bag->runs++;
            take(bag, run->request, run->at, run->end);
            tendon__run_free(run);
            continue;
        }
        struct tendon__request *request = TENDON__OWNER(item, struct tendon__request, item);
        if (request->bundle)
            take(bag, request, request->delivered, request->command_count);
        else
            note(bag, (uint32_t)request->tag, request->replies[0], request->status,
                 request->status ? request->executed : 0);
        tendon__request_unref(request);
    }
    cr_assert_geq(bag->weight, weight);
    bag->weight -= weight;
}

static inline void expect_each_told(const struct bag *bag, uint32_t count)
{
    cr_assert_eq(bag->weight, 0);
    for (uint32_t i = 0; i < count; i++)
        cr_assert_eq(bag->outcomes[i], 1, "command %u has %u outcomes", i, bag->outcomes[i]);
}

/* The same of a bundle whose request the test has kept. */
static inline void expect_one_each(struct bag *bag, uint32_t count)
{
    expect_each_told(bag, count);
    tendon__request_unref(bag->request);
}

#endif
