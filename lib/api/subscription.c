/* The exported functions of subscriptions. */
#include <tendon/subscription.h>

#include "client/client.h"
#include "client/error.h"
#include "client/queue.h"
#include "client/request_build.h"
#include "client/subscription.h"
#include "cluster/slots.h"

static bool is_sound(const tendon_subscription_options *options)
{
    return !options ||
           (options->struct_size >= sizeof *options && options->route <= TENDON_ROUTE_RANDOM &&
            !options->reserved &&
            (options->route != TENDON_ROUTE_SLOT || options->slot < TENDON__SLOT_COUNT) &&
            (options->route != TENDON_ROUTE_NODE || options->node.size));
}

static tendon_status aim(struct tendon_subscription *subscription,
                         const tendon_subscription_options *options)
{
    if (!options)
        return TENDON_OK;
    subscription->route = options->route;
    subscription->slot = options->slot;
    if (options->route == TENDON_ROUTE_AUTO && options->key.size) {
        subscription->slot = tendon__key_slot(options->key.data, options->key.size);
        subscription->has_slot = true;
    }
    if (options->route != TENDON_ROUTE_NODE)
        return TENDON_OK;
    subscription->node_name =
        tendon__memory_text(subscription->memory, options->node.data, options->node.size);
    return subscription->node_name ? TENDON_OK : TENDON_ERROR_NO_MEMORY;
}

static tendon_status make(tendon_client *client, tendon_queue *queue,
                          const tendon_subscription_options *options, uint64_t tag,
                          tendon_subscription **out)
{
    struct tendon_subscription *subscription =
        tendon__memory_make(client->memory, sizeof *subscription);
    if (!subscription)
        return TENDON_ERROR_NO_MEMORY;
    subscription->memory = client->memory;
    subscription->client = client;
    subscription->queue = queue;
    subscription->tag = tag;
    subscription->refs = 1;
    tendon__queue_ref(queue, 1);
    tendon__names_init(&subscription->names, client->memory);
    tendon__list_init(&subscription->commands);
    tendon__list_init(&subscription->homeless);
    tendon__list_init(&subscription->feeds);
    tendon_status status = aim(subscription, options);
    if (status != TENDON_OK) {
        tendon__subscription_unref(subscription);
        return status;
    }
    *out = subscription;
    return TENDON_OK;
}

tendon_status tendon_subscription_open(tendon_client *client, tendon_queue *queue,
                                       const tendon_subscription_options *options, uint64_t tag,
                                       tendon_subscription **out_subscription)
{
    if (!queue || !out_subscription || !is_sound(options))
        return TENDON_ERROR_ARGUMENT;
    tendon_status status = tendon__client_enter(client, NULL);
    if (status != TENDON_OK)
        return status;
    status = make(client, queue, options, tag, out_subscription);
    if (status == TENDON_OK) {
        pthread_mutex_lock(&client->inbox_lock);
        tendon__list_push(&client->subscriptions, &(*out_subscription)->client_link);
        pthread_mutex_unlock(&client->inbox_lock);
        /* Messages must come without a call that drives. */
        atomic_store(&client->async_until_ns, TENDON__NO_TIME);
    }
    tendon__client_leave(client);
    return status;
}

static tendon_status build(struct tendon_client *client, tendon_subscription *subscription,
                           const tendon_request *asked, struct tendon__request **out)
{
    struct tendon__fault fault;
    struct tendon__sink *sink = &subscription->queue->sink;
    tendon_status status = tendon__request_subscribe(client->memory, &client->options, asked,
                                                     subscription, sink, out, &fault);
    if (status == TENDON_OK || status == TENDON_ERROR_NO_MEMORY)
        return status;
    /* Told in the queue, like what tendon_submit cannot send. */
    *out = tendon__request_refused(client->memory, asked, sizeof *asked, 1, sink, &fault);
    return *out ? TENDON_OK : TENDON_ERROR_NO_MEMORY;
}

tendon_status tendon_subscription_submit(tendon_subscription *subscription,
                                         const tendon_request *request, uint64_t *out_id)
{
    struct tendon__request *made = NULL;
    if (!subscription || !request || request->struct_size < sizeof *request)
        return TENDON_ERROR_ARGUMENT;
    struct tendon_client *client = subscription->client;
    if (!client)
        return TENDON_ERROR_CLOSED;
    tendon_status status = tendon__client_enter(client, NULL);
    if (status != TENDON_OK)
        return status;
    status = build(client, subscription, request, &made);
    if (status == TENDON_OK)
        status = tendon__client_admit(client, 1, NULL);
    if (status != TENDON_OK && made) {
        made->refs = 1;
        tendon__request_unref(made);
    }
    if (status == TENDON_OK) {
        struct tendon__link list;
        tendon__list_init(&list);
        made->id = atomic_fetch_add(&client->next_id, 1) + 1;
        if (out_id)
            *out_id = made->id;
        tendon__request_stamp(made, tendon__now_ns());
        tendon__queue_ref(subscription->queue, 1);
        tendon__list_push(&list, &made->item.link);
        tendon__client_post(client, &list);
    }
    tendon__client_leave(client);
    return status;
}

void tendon_subscription_close(tendon_subscription *subscription)
{
    if (!subscription)
        return;
    struct tendon_client *client = subscription->client;
    if (!client || *client->fork_page != 1) {
        tendon__subscription_unref(subscription);
        return;
    }
    pthread_mutex_lock(&client->inbox_lock);
    tendon__list_remove(&subscription->client_link);
    pthread_mutex_unlock(&client->inbox_lock);
    subscription->item.is_subscription = true;
    tendon__client_post_end(client, &subscription->item);
}
