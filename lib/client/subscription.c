/* The life of a subscription: which feed carries which name, and when its next command begins. */
#include "client/subscription.h"

#include <string.h>

#include "client/queue.h"
#include "cluster/slots.h"

#define SEARCH_MIN_MS 10 /* between two looks at the cluster's map for names without a node */
#define SEARCH_MAX_MS 1000
#define CALM_MS       1000 /* a name that stays this long is not sent away again and again */
#define MEMORY_MS     100  /* until memory is asked for again */

/* A gap that could not be told is told before anything else is. */
static bool tell_owed_gap(struct tendon_subscription *subscription)
{
    struct tendon__engine *engine = subscription->engine;
    if (subscription->owes_gap)
        subscription->owes_gap = !engine->ops->tell(engine->world, subscription, TENDON_EVENT_GAP,
                                                    subscription->gap_ms, NULL, NULL);
    if (subscription->owes_gap)
        tendon__subscription_wake(subscription, engine->now_ns + MEMORY_MS * TENDON__MS);
    return !subscription->owes_gap;
}

bool tendon__subscription_tell(struct tendon_subscription *subscription, uint32_t event,
                               uint32_t delay_ms, const struct tendon__fault *fault,
                               tendon_reply *reply)
{
    struct tendon__engine *engine = subscription->engine;
    if (event == TENDON_EVENT_GAP) {
        subscription->owes_gap = true;
        subscription->gap_ms = delay_ms;
    }
    if (subscription->owes_gap && !tell_owed_gap(subscription)) {
        tendon__reply_free(reply);
        return false;
    }
    return event == TENDON_EVENT_GAP ||
           engine->ops->tell(engine->world, subscription, event, delay_ms, fault, reply);
}

void tendon__subscription_wake(struct tendon_subscription *subscription, int64_t when_ns)
{
    struct tendon__timers *timers = &subscription->engine->timers;
    if (!subscription->ended && when_ns < subscription->timer.when_ns)
        tendon__timer_set(timers, &subscription->timer, when_ns);
}

/* What fails at once may take other feeds with it, so that the list begins anew each time. */
static void stir_feeds(struct tendon_subscription *subscription)
{
    struct tendon__link *feeds = &subscription->feeds;
    struct tendon__link *link = feeds->next;
    while (link != feeds) {
        struct tendon__feed *feed = TENDON__OWNER(link, struct tendon__feed, link);
        bool stirred = !tendon__list_empty(&feed->wanting) && tendon__feed_stir(feed);
        link = stirred ? feeds->next : link->next;
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
    struct tendon__engine *engine = subscription->engine;
    if (subscription->ping_sent || !subscription->command)
        return;
    if (feed)
        subscription->ping_sent = tendon__feed_ping(feed, subscription->command);
    if (feed && !subscription->ping_sent)
        tendon__feed_stir(feed);
    if (!feed || (feed->state == TENDON__FEED_LIVE && !feed->speaking))
        tendon__subscription_wake(subscription, engine->now_ns + MEMORY_MS * TENDON__MS);
}

void tendon__subscription_advance(struct tendon_subscription *subscription)
{
    if (subscription->ended)
        return;
    if (subscription->owes_gap)
        tell_owed_gap(subscription);
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

/* False when there is none for it. */
static bool place_one(struct tendon_subscription *subscription, struct tendon__name *name)
{
    struct tendon__feed *feed = name->feed;
    if (name->state == TENDON__NAME_UNWANTED) {
        tendon__subscription_drop(subscription, name); /* nobody has been told of it yet */
        return true;
    }
    if (name->is_heard) {
        /* The server there has it still, and says so when it has not any more. */
    } else if (has_own_node(subscription->engine, name)) {
        feed = sharded_feed(subscription, name);
    } else {
        aim_main(subscription, name);
        feed = main_feed(subscription);
    }
    if (!feed)
        return false;
    tendon__feed_adopt(feed, name);
    tendon__name_want(name, TENDON__NAME_WANTED);
    return true;
}

void tendon__subscription_place(struct tendon_subscription *subscription)
{
    struct tendon__engine *engine = subscription->engine;
    struct tendon__link *homeless = &subscription->homeless;
    bool any_in_vain = false;
    for (struct tendon__link *link = homeless->next, *next; link != homeless; link = next) {
        struct tendon__name *name = TENDON__OWNER(link, struct tendon__name, queue);
        next = link->next;
        if (name->not_before_ns > engine->now_ns)
            tendon__subscription_wake(subscription, name->not_before_ns);
        else
            any_in_vain |= !place_one(subscription, name);
    }
    if (!any_in_vain) {
        subscription->searches = 0;
        return;
    }
    if (engine->now_ns >= subscription->search_ns)
        subscription->search_ns =
            engine->now_ns + tendon__backoff_ns(engine, TENDON__RETRY_STRATEGY_EXPONENTIAL,
                                                SEARCH_MIN_MS, SEARCH_MAX_MS,
                                                ++subscription->searches, false);
    tendon__subscription_wake(subscription, subscription->search_ns);
}

void tendon__name_unhouse(struct tendon_subscription *subscription, struct tendon__name *name,
                          int64_t wait_ns)
{
    struct tendon__engine *engine = subscription->engine;
    if (engine->now_ns - name->not_before_ns > CALM_MS * TENDON__MS)
        name->redirects = 0;
    name->redirects += name->redirects < UINT8_MAX;
    /* The first one or two are a slot that has moved; more are nodes that do not agree. */
    int64_t more_ns =
        name->redirects > 2
            ? tendon__backoff_ns(engine, TENDON__RETRY_STRATEGY_EXPONENTIAL, SEARCH_MIN_MS,
                                 SEARCH_MAX_MS, name->redirects - 2u, false)
            : 0;
    name->not_before_ns = engine->now_ns + (wait_ns > more_ns ? wait_ns : more_ns);
    name->state = TENDON__NAME_WANTED;
    name->turns = false;
    if (!name->is_heard)
        tendon__feed_adopt(NULL, name);
    tendon__list_remove(&name->queue);
    tendon__list_push(&subscription->homeless, &name->queue);
    tendon__subscription_wake(subscription, name->not_before_ns);
}

void tendon__subscriptions_look(struct tendon__engine *engine)
{
    for (struct tendon__link *link = engine->subscriptions.next; link != &engine->subscriptions;
         link = link->next)
        tendon__subscription_wake(TENDON__OWNER(link, struct tendon_subscription, link),
                                  engine->now_ns);
}

/* A node that has left the cluster, or lost its name to another server, may live on, and publish
 * nothing any more. */
static void leave_strangers(struct tendon_subscription *subscription)
{
    struct tendon__fault fault;
    struct tendon__link *feeds = &subscription->feeds;
    for (struct tendon__link *link = feeds->next; link != feeds; link = link->next) {
        struct tendon__feed *feed = TENDON__OWNER(link, struct tendon__feed, link);
        const struct tendon__node *node = feed->channel ? feed->channel->node : NULL;
        bool retired =
            node && node->retired && !(feed == subscription->main && subscription->node_name);
        if (!retired && (!node || feed->channel->opened_ns >= node->replaced_ns))
            continue;
        tendon__fault_set(&fault, TENDON_ERROR_DISCONNECTED,
                          retired ? "%s is not in the cluster any more"
                                  : "another server may have the name %s now",
                          node->name);
        tendon__feed_give_up(feed, TENDON__CLOSE_STALE, &fault);
        link = feeds; /* it has left the list, maybe with others */
    }
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
        tendon__request_fail(engine, subscription->command, fault); /* which forgets it */
    while (!tendon__list_empty(commands))
        tendon__request_fail(engine, TENDON__OWNER(commands->next, struct tendon__request, link),
                             fault);
}

void tendon__subscription_expired(struct tendon_subscription *subscription)
{
    if (!subscription->ended)
        leave_strangers(subscription);
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
        subscription->timer.when_ns = TENDON__NO_TIME;
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
    /* Its names are kept, but no command waits for them: what was refused is told as an event. */
    subscription->command = NULL;
    subscription->turn++;
    subscription->owed = 0;
    subscription->pings = subscription->ping_sent = false;
    if (subscription->main)
        subscription->main->for_command = false;
    tendon__reply_free(subscription->refusal);
    subscription->refusal = NULL;
    /* The next one begins soon, but not in the middle of what ended this one. */
    tendon__subscription_wake(subscription, subscription->engine->now_ns);
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
    if (subscription->queue)
        tendon__queue_unref(subscription->queue);
    tendon__memory_free(subscription->memory, subscription->node_name);
    tendon__memory_free(subscription->memory, subscription);
}
