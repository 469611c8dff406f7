/* Events on their way into queues. Those of subscriptions are held until the end of a read, so that
 * a burst takes the queue's lock once. */
#include <string.h>

#include "client/client.h"
#include "client/error.h"
#include "client/subscription.h"

void tendon__tell_event(void *world, uint32_t event, const struct tendon__node *node,
                        uint32_t delay_ms, const struct tendon__fault *fault, tendon_reply *reply)
{
    struct tendon_client *client = world;
    struct tendon__memory *memory = client->memory;
    struct tendon__event *item = NULL;
    if (client->watcher && client->watch_mask & 1u << event)
        item = tendon__event_make(memory, event, client->watch_tag);
    if (!item) {
        tendon__reply_free(reply);
        return;
    }
    item->delay_ms = delay_ms;
    item->tells_gap = client->watch_mask & 1u << TENDON_EVENT_DROPPED;
    item->reply = reply;
    if (!reply && node)
        item->reply =
            tendon__reply_text(memory, TENDON_NODE_STATUS, node->name, strlen(node->name));
    if (fault && fault->status != TENDON_OK)
        item->error = tendon__error_make(memory, fault, 0, 0);
    tendon__driver_tell(client); /* what was completed before comes before */
    tendon__queue_push(client->watcher, &item->item);
}

bool tendon__tell_subscription(void *world, struct tendon_subscription *subscription,
                               uint32_t event, uint32_t delay_ms, const struct tendon__fault *fault,
                               tendon_reply *reply)
{
    struct tendon_client *client = world;
    struct tendon__event *item = tendon__event_make(client->memory, event, subscription->tag);
    if (!item) {
        tendon__reply_free(reply);
        return false;
    }
    item->delay_ms = delay_ms;
    item->reply = reply;
    if (fault)
        item->error = tendon__error_make(client->memory, fault, 0, 0);
    tendon__event_charge(item, subscription);
    /* What was completed before comes before; what is completed behind it is told behind it,
     * because telling begins with those that are held. */
    if (!tendon__list_empty(&client->engine->told) || client->held_for != subscription->queue)
        tendon__driver_tell(client);
    client->held_for = subscription->queue;
    tendon__list_push(&client->held, &item->item.link);
    return true;
}

void tendon__tell_held(struct tendon_client *client)
{
    if (!tendon__list_empty(&client->held))
        tendon__queue_push_all(client->held_for, &client->held);
    client->held_for = NULL;
}
