/* The exported calls: check, build the requests, run or post them, hand out the outcomes. */
#include <string.h>

#include "client/bundle.h"
#include "client/client.h"
#include "client/error.h"
#include "client/request_build.h"
#include "client/wait.h"

#define FEW_REQUESTS 64 /* of a batch that is kept in mind without an allocation */

static void hand_out_error(tendon_error **out_error, const struct tendon__fault *fault)
{
    if (out_error)
        *out_error = tendon__error_make(tendon__memory_system(), fault, 0, 0);
}

/* Once a server is known to stand alone it stays so. */
static bool by_slot(const struct tendon_client *client)
{
    return __atomic_load_n(&client->engine->kind, __ATOMIC_RELAXED) != TENDON__KIND_STANDALONE;
}

static void drop_list(struct tendon__link *requests)
{
    struct tendon__link *link;
    while ((link = tendon__list_shift(requests))) {
        struct tendon__request *request = TENDON__OWNER(link, struct tendon__request, item.link);
        request->refs = 1;
        tendon__request_unref(request);
    }
}

static void run_one(struct tendon_client *client, struct tendon__request *request,
                    struct tendon__wait *wait)
{
    struct tendon__link list;
    tendon__list_init(&list);
    tendon__request_stamp(request, tendon__now_ns());
    tendon__list_push(&list, &request->item.link);
    tendon__client_run(client, &list, wait);
}

tendon_status tendon_call(tendon_client *client, const tendon_request *request,
                          tendon_reply **out_reply, tendon_error **out_error)
{
    struct tendon__fault fault;
    struct tendon__request *made = NULL;
    tendon_status status = tendon__client_enter(client, &fault);
    if (status != TENDON_OK) {
        hand_out_error(out_error, &fault);
        return status;
    }
    struct tendon__wait wait;
    tendon__wait_init(&wait, 1);
    status = tendon__host_refuses_waiting(client, &fault);
    if (status == TENDON_OK)
        status = request && out_reply && !(request->flags & TENDON_REQUEST_ATOMIC)
                     ? tendon__request_build(client->memory, &client->options, by_slot(client),
                                             request, sizeof *request, 1, &wait.sink, &made, &fault)
                     : tendon__fault_set(
                           &fault, TENDON_ERROR_ARGUMENT,
                           "tendon_call needs a request outside a group and a place for its reply");
    if (status == TENDON_OK)
        status = tendon__client_admit(client, 1, &fault);
    if (status != TENDON_OK) {
        if (made) {
            made->refs = 1;
            tendon__request_unref(made);
        }
        hand_out_error(out_error, &fault);
    } else {
        run_one(client, made, &wait);
        status = made->status;
        if (status == TENDON_OK) {
            *out_reply = made->replies[0];
            made->replies[0] = NULL;
        } else if (out_error) {
            *out_error = tendon__request_error(made);
        }
        tendon__request_unref(made);
    }
    tendon__client_leave(client);
    return status;
}

struct batch {
    struct tendon__link requests;
    uint32_t made;
    uint32_t pending; /* what they count for max_pending, */
    uint32_t weight;  /* and for their sink */
    bool tells; /* a request that cannot be sent is made into one that completes with its error */
};

static void add(struct batch *batch, struct tendon__request *request, int64_t now_ns)
{
    tendon__request_stamp(request, now_ns);
    tendon__list_push(&batch->requests, &request->item.link);
    batch->made++;
    batch->pending += tendon__pending_weight(request);
    batch->weight += tendon__sink_weight(request);
}

/* What of the next commands may go together, as bundles in `out`. Returns how many commands they
 * have; 0 when the first is to be a request of its own. */
static size_t build_bundles(struct tendon_client *client, const tendon_request *first,
                            size_t request_size, size_t count, size_t place,
                            struct tendon__sink *sink, struct tendon__link *out)
{
    size_t taken = 0;
    if (count < 2)
        return 0;
    if (by_slot(client)) {
        const struct tendon__owners *owners =
            __atomic_load_n(&client->engine->owners, __ATOMIC_ACQUIRE);
        return owners ? tendon__bundle_split(client->memory, &client->options, owners, first,
                                             request_size, count, (uint32_t)place, sink, out)
                      : 0;
    }
    struct tendon__request *request = tendon__bundle_build(client->memory, &client->options, first,
                                                           request_size, count, sink, &taken);
    if (request)
        tendon__list_push(out, &request->item.link);
    return request ? taken : 0;
}

/* All requests of a call, or none. */
static tendon_status build_all(struct tendon_client *client, const tendon_request *requests,
                               size_t request_size, size_t count, struct tendon__sink *sink,
                               struct batch *batch, struct tendon__fault *fault)
{
    size_t done = 0;
    int64_t now_ns = tendon__now_ns();
    tendon__list_init(&batch->requests);
    while (done < count) {
        const tendon_request *at = tendon__request_at(requests, request_size, done);
        struct tendon__request *request = NULL;
        struct tendon__link bundles, *link;
        tendon__list_init(&bundles);
        size_t taken = build_bundles(client, at, request_size, count - done, done, sink, &bundles);
        while ((link = tendon__list_shift(&bundles)))
            add(batch, TENDON__OWNER(link, struct tendon__request, item.link), now_ns);
        done += taken;
        if (taken)
            continue;
        size_t span = tendon__request_span(at, request_size, count - done);
        tendon_status status =
            span ? tendon__request_build(client->memory, &client->options, by_slot(client), at,
                                         request_size, span, sink, &request, fault)
                 : tendon__fault_set(fault, TENDON_ERROR_ARGUMENT,
                                     "a group has no end (TENDON_REQUEST_ATOMIC_END)");
        if (status != TENDON_OK && batch->tells && status != TENDON_ERROR_ARGUMENT &&
            status != TENDON_ERROR_NO_MEMORY) {
            request = tendon__request_refused(client->memory, at, request_size, span, sink, fault);
            status = request ? TENDON_OK : TENDON_ERROR_NO_MEMORY;
        }
        if (status != TENDON_OK) {
            drop_list(&batch->requests);
            return status;
        }
        add(batch, request, now_ns);
        done += span;
    }
    return TENDON_OK;
}

/* Commands that cannot be sent at all fail the batch before anything was sent: the caller learns
 * which way. */
static tendon_status refuse_batch(const struct tendon__fault *fault, size_t count,
                                  tendon_outcome *out_outcomes)
{
    for (size_t i = 0; i < count; i++) {
        out_outcomes[i].reply = NULL;
        out_outcomes[i].error = tendon__error_make(tendon__memory_system(), fault, 0, 0);
    }
    return TENDON_OK;
}

static void take_outcomes(struct tendon__request *request, tendon_outcome *out)
{
    for (uint32_t i = 0; i < request->command_count; i++) {
        bool succeeded = request->status == TENDON_OK;
        out[i].reply = succeeded ? request->replies[i] : NULL;
        out[i].error = succeeded ? NULL : tendon__request_error(request);
        request->replies[i] = NULL;
    }
}

/* Those that have gone their own way have told their outcomes by now, too. `at` commands of the
 * call are in requests before this one. */
static void take_bundled(struct tendon__request *request, size_t at, tendon_outcome *outcomes)
{
    struct tendon__bundle *bundle = request->bundle;
    tendon_status status;
    if (tendon__bundle_take_all(request)) {
        for (uint32_t i = 0; i < request->command_count; i++)
            outcomes[bundle->places ? bundle->places[i] : at + i] =
                (tendon_outcome){.reply = bundle->replies[i]};
        return;
    }
    for (uint32_t i = 0; i < request->command_count; i++) {
        tendon_outcome *out = outcomes + tendon__place_in_call(request, i, at);
        struct tendon__request *member = bundle->members ? bundle->members[i] : NULL;
        if (member) {
            take_outcomes(member, out);
            tendon__request_unref(member);
        } else {
            out->error = NULL;
            out->reply = tendon__bundle_take(request, i, &out->error, &status);
        }
    }
}

static tendon_status run_batch(struct tendon_client *client, const tendon_request *requests,
                               size_t request_size, size_t count, tendon_outcome *out_outcomes)
{
    struct tendon__fault fault;
    struct tendon__wait wait;
    struct batch batch = {.tells = false};
    tendon__wait_init(&wait, 0);
    struct tendon__request *few[FEW_REQUESTS];
    struct tendon__request **kept =
        count <= FEW_REQUESTS
            ? few
            : tendon__memory_take(client->memory, count * sizeof(struct tendon__request *));
    tendon_status status =
        kept ? build_all(client, requests, request_size, count, &wait.sink, &batch, &fault)
             : TENDON_ERROR_NO_MEMORY;
    if (kept && status == TENDON_OK) {
        status = tendon__client_admit(client, batch.pending, &fault);
        if (status != TENDON_OK)
            drop_list(&batch.requests);
    }
    if (kept && status != TENDON_OK) {
        status = refuse_batch(&fault, count, out_outcomes);
    } else if (kept) {
        uint32_t index = 0;
        for (struct tendon__link *link = batch.requests.next; link != &batch.requests;
             link = link->next)
            kept[index++] = TENDON__OWNER(link, struct tendon__request, item.link);
        tendon__wait_init(&wait, batch.weight);
        tendon__client_run(client, &batch.requests, &wait);
        size_t filled = 0;
        for (uint32_t i = 0; i < batch.made; i++) {
            if (kept[i]->bundle)
                take_bundled(kept[i], filled, out_outcomes);
            else
                take_outcomes(kept[i], out_outcomes + filled);
            filled += kept[i]->command_count;
            tendon__request_unref(kept[i]);
        }
    }
    if (kept != few)
        tendon__memory_free(client->memory, kept);
    return status;
}

tendon_status tendon_call_batch(tendon_client *client, const tendon_request *requests,
                                size_t request_size, size_t count, tendon_outcome *out_outcomes)
{
    tendon_status status = tendon__client_enter(client, NULL);
    if (status != TENDON_OK)
        return status;
    if (!requests || !out_outcomes || request_size < sizeof *requests || count > UINT32_MAX)
        status = TENDON_ERROR_ARGUMENT;
    else
        status = tendon__host_refuses_waiting(client, NULL);
    if (status == TENDON_OK && count)
        status = run_batch(client, requests, request_size, count, out_outcomes);
    tendon__client_leave(client);
    return status;
}

static void give_ids(struct tendon_client *client, struct batch *batch, tendon_queue *queue,
                     uint64_t *out_ids)
{
    uint64_t id = atomic_fetch_add(&client->next_id, batch->pending);
    size_t at = 0;
    tendon__queue_ref(queue, batch->weight);
    for (struct tendon__link *link = batch->requests.next; link != &batch->requests;
         link = link->next) {
        struct tendon__request *request = TENDON__OWNER(link, struct tendon__request, item.link);
        bool bundled = request->bundle != NULL;
        if (bundled)
            request->bundle->first_id = id + 1;
        else
            request->id = id + 1;
        for (uint32_t i = 0; out_ids && i < request->command_count; i++)
            out_ids[tendon__place_in_call(request, i, at)] = id + 1 + (bundled ? i : 0);
        at += request->command_count;
        id += tendon__pending_weight(request);
    }
}

tendon_status tendon_submit(tendon_client *client, tendon_queue *queue,
                            const tendon_request *requests, size_t request_size, size_t count,
                            uint64_t *out_ids)
{
    struct tendon__fault fault;
    struct batch batch = {.tells = true};
    tendon_status status = tendon__client_enter(client, NULL);
    if (status != TENDON_OK)
        return status;
    if (!queue || !requests || request_size < sizeof *requests || count > UINT32_MAX)
        status = TENDON_ERROR_ARGUMENT;
    if (status == TENDON_OK && count)
        status = build_all(client, requests, request_size, count, &queue->sink, &batch, &fault);
    if (status == TENDON_OK && count) {
        status = tendon__client_admit(client, batch.pending, NULL);
        if (status != TENDON_OK)
            drop_list(&batch.requests);
    }
    if (status == TENDON_OK && count) {
        give_ids(client, &batch, queue, out_ids);
        tendon__client_post(client, &batch.requests);
    }
    if (client)
        tendon__client_leave(client);
    return status;
}

tendon_status tendon_cancel(tendon_client *client, uint64_t id)
{
    tendon_status status = tendon__client_enter(client, NULL);
    if (status != TENDON_OK)
        return status == TENDON_ERROR_CLOSED ? TENDON_OK : status;
    tendon__client_lock(client);
    tendon__driver_drain(client); /* the request itself may still be in the inbox */
    tendon__engine_cancel(client->engine, id, tendon__now_ns());
    tendon__client_unlock(client);
    tendon__client_leave(client);
    return TENDON_OK;
}
