/* The exported functions of leases. */
#include <tendon/lease.h>

#include "client/client.h"
#include "client/error.h"
#include "client/request_build.h"
#include "client/wait.h"

static tendon_status check_options(const tendon_lease_options *options, struct tendon__fault *fault)
{
    if (options &&
        (options->struct_size < sizeof *options || options->route > TENDON_ROUTE_RANDOM ||
         (options->route == TENDON_ROUTE_SLOT && options->slot >= TENDON__SLOT_COUNT)))
        return tendon__fault_set(fault, TENDON_ERROR_ARGUMENT,
                                 "struct_size, route or slot of the lease options");
    return TENDON_OK;
}

static tendon_status prepare(struct tendon_client *client, const tendon_lease_options *options,
                             struct tendon__sink *sink, tendon_lease **out_lease,
                             struct tendon__request **out, struct tendon__fault *fault)
{
    tendon_status status = check_options(options, fault);
    if (status != TENDON_OK)
        return status;
    struct tendon_lease *lease = tendon__lease_make(client->engine);
    struct tendon__request *request =
        lease ? tendon__request_open_lease(client->memory, &client->options, lease, options, sink)
              : NULL;
    if (!request) {
        tendon__memory_free(client->memory, lease);
        return tendon__fault_set(fault, TENDON_ERROR_NO_MEMORY, "no memory for a lease");
    }
    lease->client = client;
    lease->opening = request;
    tendon__request_stamp(request, tendon__now_ns());
    __atomic_add_fetch(&client->engine->pending, 1, __ATOMIC_RELAXED);
    *out_lease = lease;
    *out = request;
    return TENDON_OK;
}

tendon_status tendon_lease_open(tendon_client *client, const tendon_lease_options *options,
                                tendon_lease **out_lease, tendon_error **out_error)
{
    struct tendon__fault fault;
    struct tendon__request *request = NULL;
    tendon_lease *lease = NULL;
    tendon_status status = out_lease ? tendon__client_enter(client, &fault) : TENDON_ERROR_ARGUMENT;
    if (status != TENDON_OK) {
        if (out_error && out_lease)
            *out_error = tendon__error_make(tendon__memory_system(), &fault, 0, 0);
        return status;
    }
    struct tendon__wait wait;
    tendon__wait_init(&wait, 1);
    status = tendon__host_refuses_waiting(client, &fault);
    if (status == TENDON_OK)
        status = prepare(client, options, &wait.sink, &lease, &request, &fault);
    if (status == TENDON_OK) {
        struct tendon__link list;
        tendon__list_init(&list);
        tendon__list_push(&list, &request->item.link);
        tendon__client_run(client, &list, &wait);
        status = request->status;
        if (status == TENDON_OK)
            *out_lease = lease;
        else
            tendon_lease_close(lease);
        if (status != TENDON_OK && out_error)
            *out_error = tendon__request_error(request);
        tendon__request_unref(request);
    } else if (out_error) {
        *out_error = tendon__error_make(tendon__memory_system(), &fault, 0, 0);
    }
    tendon__client_leave(client);
    return status;
}

tendon_status tendon_lease_submit(tendon_client *client, tendon_queue *queue,
                                  const tendon_lease_options *options, uint64_t tag,
                                  tendon_lease **out_lease, uint64_t *out_id)
{
    struct tendon__request *request = NULL;
    if (!queue || !out_lease)
        return TENDON_ERROR_ARGUMENT;
    tendon_status status = tendon__client_enter(client, NULL);
    if (status != TENDON_OK)
        return status;
    status = prepare(client, options, &queue->sink, out_lease, &request, NULL);
    if (status == TENDON_OK) {
        struct tendon__link list;
        tendon__list_init(&list);
        request->tag = tag;
        request->id = atomic_fetch_add(&client->next_id, 1) + 1;
        if (out_id)
            *out_id = request->id;
        tendon__queue_ref(queue, 1);
        tendon__list_push(&list, &request->item.link);
        tendon__client_post(client, &list);
    }
    tendon__client_leave(client);
    return status;
}

static void end(tendon_lease *lease, bool discard)
{
    if (!lease)
        return;
    struct tendon_client *client = lease->client;
    if (client && *client->fork_page == 1) {
        lease->discard = discard;
        lease->item.is_lease = true;
        tendon__client_post_end(client, &lease->item);
    }
    tendon__lease_unref(lease);
}

void tendon_lease_close(tendon_lease *lease)
{
    end(lease, false);
}

void tendon_lease_discard(tendon_lease *lease)
{
    end(lease, true);
}
