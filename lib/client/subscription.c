/* The life of a subscription: which feed carries which name, and when its next command begins. */
#include "client/subscription.h"

#include <string.h>

#include "cluster/slots.h"

#define SEARCH_MIN_MS 10 /* between two looks at the cluster's map for names without a node */
#define SEARCH_MAX_MS 1000

bool tendon__subscription_tell(struct tendon_subscription *subscription, uint32_t event,
                               uint32_t delay_ms, const struct tendon__fault *fault,
                               tendon_reply *reply)
{
    struct tendon__engine *engine = subscription->engine;
    return engine->ops->tell(engine->world, subscription, event, delay_ms, fault, reply);
}

static void stir_feeds(struct tendon_subscription *subscription)
{
    struct tendon__link *feeds = &subscription->feeds;
    for (struct tendon__link *link = feeds->next, *next; link != feeds; link = next) {
        struct tendon__feed *feed = TENDON__OWNER(link, struct tendon__feed, link);
        next = link->next;
        if (!tendon__list_empty(&feed->wanting))
            tendon__feed_stir(feed);
    }
}

/* The feed that carries everything but the sharded channels of a cluster. */
static struct tendon__feed *main_feed(struct tendon_subscription *subscription)
{
    if (!subscription->main)
        subscription->main = tendon__feed_make(subscription, "");
    return subscription->main;
}

static void send_ping(struct tendon_subscription *subscription)
{
    struct tendon__feed *feed = main_feed(subscription);
    if (!feed || subscription->ping_sent || !subscription->command)
        return;
    subscription->ping_sent = tendon__feed_ping(feed, subscription->command);
    if (!subscription->ping_sent)
        tendon__feed_stir(feed);
}

void tendon__subscription_advance(struct tendon_subscription *subscription)
{
    if (subscription->ended)
        return;
    for (;;) {
        tendon__subscription_place(subscription);
        stir_feeds(subscription);
        if (subscription->pings)
            send_ping(subscription);
        if (subscription->owed)
            return;
        tendon__subscription_finish(subscription);
        if (tendon__list_empty(&subscription->commands))
            return;
        struct tendon__link *link = tendon__list_shift(&subscription->commands);
        tendon__subscription_begin(subscription, TENDON__OWNER(link, struct tendon__request, link));
    }
}

/* Sharded channels of a cluster live on the primary of their slot. */
static bool has_own_node(const struct tendon__engine *engine, const struct tendon__name *name)
{
    return name->kind == TENDON__NAME_SHARDED && engine->kind != TENDON__KIND_STANDALONE;
}

static struct tendon__feed *feed_to(struct tendon_subscription *subscription, const char *node)
{
    struct tendon__link *feeds = &subscription->feeds;
    for (struct tendon__link *link = feeds->next; link != feeds; link = link->next) {
        struct tendon__feed *feed = TENDON__OWNER(link, struct tendon__feed, link);
        if (!strcmp(feed->node_name, node))
            return feed;
    }
    return tendon__feed_make(subscription, node);
}

/* NULL while the map does not say. */
static struct tendon__feed *sharded_feed(struct tendon_subscription *subscription,
                                         const struct tendon__name *name)
{
    struct tendon__engine *engine = subscription->engine;
    uint32_t slot = tendon__key_slot(name->text, name->size);
    if (engine->kind == TENDON__KIND_UNKNOWN) {
        tendon__map_need(engine);
        return NULL;
    }
    struct tendon__node *node = tendon__route_primary(engine, slot);
    if (!node)
        tendon__map_trigger(engine);
    return node ? feed_to(subscription, node->name) : NULL;
}

static void aim_main(struct tendon_subscription *subscription, const struct tendon__name *name)
{
    if (subscription->has_slot || subscription->route != TENDON_ROUTE_AUTO ||
        name->kind == TENDON__NAME_MONITOR)
        return;
    subscription->slot = tendon__key_slot(name->text, name->size);
    subscription->has_slot = true;
}

void tendon__subscription_place(struct tendon_subscription *subscription)
{
    struct tendon__engine *engine = subscription->engine;
    struct tendon__link *homeless = &subscription->homeless;
    for (struct tendon__link *link = homeless->next, *next; link != homeless; link = next) {
        struct tendon__name *name = TENDON__OWNER(link, struct tendon__name, queue);
        next = link->next;
        struct tendon__feed *feed;
        if (has_own_node(engine, name)) {
            feed = sharded_feed(subscription, name);
        } else {
            aim_main(subscription, name);
            feed = main_feed(subscription);
        }
        if (!feed)
            continue;
        name->feed = feed;
        tendon__name_want(name, TENDON__NAME_WANTED);
    }
    if (tendon__list_empty(homeless))
        return;
    int64_t wait_ns = tendon__backoff_ns(engine, TENDON__RETRY_STRATEGY_EXPONENTIAL, SEARCH_MIN_MS,
                                         SEARCH_MAX_MS, ++subscription->searches, false);
    tendon__timer_set(&engine->timers, &subscription->timer, engine->now_ns + wait_ns);
}

void tendon__subscription_blame(struct tendon_subscription *subscription,
                                const struct tendon__fault *fault, bool is_final)
{
    struct tendon__engine *engine = subscription->engine;
    struct tendon__link *commands = &subscription->commands;
    if (subscription->command)
        tendon__request_blame(subscription->command, fault);
    if (!is_final)
        return;
    if (subscription->command)
        tendon__request_fail(engine, subscription->command, fault);
    while (!tendon__list_empty(commands))
        tendon__request_fail(engine, TENDON__OWNER(commands->next, struct tendon__request, link),
                             fault);
}

void tendon__subscription_expired(struct tendon_subscription *subscription)
{
    tendon__subscription_advance(subscription);
}

void tendon__subscription_submit(struct tendon__engine *engine, struct tendon__request *request)
{
    struct tendon_subscription *subscription = request->subscription;
    struct tendon__fault fault;
    if (subscription->ended) {
        tendon__fault_set(&fault, TENDON_ERROR_CLOSED, "the subscription is closed");
        tendon__request_fail(engine, request, &fault);
        return;
    }
    if (!subscription->engine) {
        subscription->engine = engine;
        subscription->timer.kind = TENDON__TIMER_SUBSCRIPTION;
        __atomic_add_fetch(&subscription->refs, 1, __ATOMIC_RELAXED);
        tendon__list_push(&engine->subscriptions, &subscription->link);
        engine->subscription_count++;
        if (tendon__engine_reserve_timers(engine) != TENDON_OK) {
            tendon__fault_set(&fault, TENDON_ERROR_NO_MEMORY, "no memory for a subscription");
            tendon__request_fail(engine, request, &fault);
            return;
        }
    }
    request->state = TENDON__REQUEST_SUBSCRIBING;
    tendon__list_push(&subscription->commands, &request->link);
    tendon__subscription_advance(subscription);
}

void tendon__subscription_forget(struct tendon__request *request)
{
    struct tendon_subscription *subscription = request->subscription;
    tendon__list_remove(&request->link);
    if (subscription->command != request)
        return;
    subscription->command = NULL;
    if (subscription->pings && !subscription->ping_sent) {
        subscription->pings = false;
        subscription->owed = 0;
    }
}

void tendon__subscription_end(struct tendon_subscription *subscription,
                              const struct tendon__fault *fault)
{
    struct tendon__engine *engine = subscription->engine;
    if (subscription->ended)
        return;
    subscription->ended = true;
    if (!engine)
        return;
    struct tendon__link *link;
    while ((link = tendon__list_shift(&subscription->feeds)))
        tendon__feed_end(TENDON__OWNER(link, struct tendon__feed, link));
    subscription->main = NULL;
    tendon__timer_set(&engine->timers, &subscription->timer, TENDON__NO_TIME);
    tendon__subscription_blame(subscription, fault, true);
}

void tendon__subscription_closed(struct tendon__engine *engine,
                                 struct tendon_subscription *subscription)
{
    struct tendon__fault fault;
    tendon__fault_set(&fault, TENDON_ERROR_CANCELLED,
                      "the subscription was closed while the command was under way");
    tendon__subscription_end(subscription, &fault);
    if (tendon__list_linked(&subscription->link)) {
        tendon__list_remove(&subscription->link);
        engine->subscription_count--;
        tendon__subscription_unref(subscription);
    }
    tendon__subscription_unref(subscription);
}

void tendon__subscription_unref(struct tendon_subscription *subscription)
{
    if (__atomic_sub_fetch(&subscription->refs, 1, __ATOMIC_ACQ_REL))
        return;
    tendon__names_deinit(&subscription->names);
    tendon__reply_free(subscription->refusal);
    tendon__memory_free(subscription->memory, subscription->node_name);
    tendon__memory_free(subscription->memory, subscription);
}
