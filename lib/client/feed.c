/* One connection of a subscription: opened, lost, and opened again. */
#include "client/subscription.h"

#include <stdio.h>
#include <string.h>

#include "client/request_build.h"

/* For what the server answers at once, if read_timeout_ms is less. */
#define ANSWER_TIMEOUT_MS 5000
#define BACKLOG_MS        60000 /* an answer behind many messages, while they keep coming */
#define PAUSE_LOOK_MS     5     /* how often a connection that is not read looks for room */
#define EMPTY_MS          1000 /* a node's connection without names waits so long for another one */

static void opened(struct tendon__sink *sink, struct tendon__request *request);

struct tendon__feed *tendon__feed_make(struct tendon_subscription *subscription,
                                       const char *node_name)
{
    struct tendon__engine *engine = subscription->engine;
    struct tendon__feed *feed = tendon__memory_make(engine->memory, sizeof *feed);
    if (!feed)
        return NULL;
    engine->feed_count++;
    if (tendon__engine_reserve_timers(engine) != TENDON_OK) {
        engine->feed_count--;
        tendon__memory_free(engine->memory, feed);
        return NULL;
    }
    feed->subscription = subscription;
    feed->engine = engine;
    feed->timer.kind = TENDON__TIMER_FEED;
    feed->sink.complete = opened;
    snprintf(feed->node_name, sizeof feed->node_name, "%s", node_name);
    tendon__list_init(&feed->wanting);
    tendon__list_init(&feed->asked);
    tendon__list_push(&subscription->feeds, &feed->link);
    return feed;
}

/* A node's feed whose names have all moved or been given up takes a place in the pool for nothing.
 * The main one stays: it is the subscription's own. */
static bool is_empty(const struct tendon__feed *feed)
{
    return feed->node_name[0] && !feed->name_count && !feed->speaking;
}

void tendon__feed_arm(struct tendon__feed *feed)
{
    struct tendon__engine *engine = feed->engine;
    const struct tendon__options *options = engine->options;
    int64_t when_ns = TENDON__NO_TIME;
    int64_t answer_ms =
        options->read_timeout_ms > ANSWER_TIMEOUT_MS ? options->read_timeout_ms : ANSWER_TIMEOUT_MS;
    if (feed->paused)
        when_ns = engine->now_ns + PAUSE_LOOK_MS * TENDON__MS;
    else if (feed->speaking)
        when_ns = feed->spoke_ns + answer_ms * TENDON__MS > engine->now_ns
                      ? feed->spoke_ns + answer_ms * TENDON__MS
                      : engine->now_ns + ANSWER_TIMEOUT_MS * TENDON__MS;
    else if (options->health_check_interval_ms)
        when_ns = engine->now_ns + options->health_check_interval_ms * TENDON__MS;
    int64_t end_ns = feed->emptied_ns + EMPTY_MS * TENDON__MS;
    if (is_empty(feed) && !feed->paused && end_ns < when_ns)
        when_ns = end_ns;
    tendon__timer_set(&engine->timers, &feed->timer, when_ns);
}

void tendon__feed_adopt(struct tendon__feed *feed, struct tendon__name *name)
{
    struct tendon__feed *before = name->feed;
    if (before == feed)
        return;
    name->feed = feed;
    if (feed)
        feed->name_count++;
    if (!before || --before->name_count)
        return;
    before->emptied_ns = before->engine->now_ns;
    if (before->state == TENDON__FEED_LIVE)
        tendon__feed_arm(before);
}

static void drop_lease(struct tendon__feed *feed)
{
    struct tendon_lease *lease = feed->lease;
    if (!lease)
        return;
    feed->lease = NULL;
    lease->feed = NULL;
    lease->discard = true;
    tendon__lease_end(feed->engine, lease);
    tendon__lease_unref(lease);
}

/* One name of a lost feed: to be asked for again, or given up as was wanted anyway. */
static void lose_name(struct tendon__feed *feed, struct tendon__name *name, int64_t not_before_ns)
{
    struct tendon_subscription *subscription = feed->subscription;
    bool joins = name->state == TENDON__NAME_WANTED || name->state == TENDON__NAME_ACTIVE ||
                 (name->state == TENDON__NAME_ASKED && !name->turns) ||
                 (name->state == TENDON__NAME_LEAVING && name->turns);
    tendon__list_remove(&name->queue);
    name->turns = false;
    if (!joins) {
        name->state = TENDON__NAME_LEAVING;
        tendon__subscription_confirm(subscription, name, NULL);
        return;
    }
    name->state = TENDON__NAME_WANTED;
    if (feed->node_name[0]) {
        tendon__feed_adopt(NULL, name);
        name->not_before_ns = not_before_ns;
        tendon__list_push(&subscription->homeless, &name->queue);
    } else {
        tendon__list_push(&feed->wanting, &name->queue);
    }
}

/* Also of what was to be given up messages may have been missed, from before that was wanted; there
 * is one gap for all that is lost here. */
static void lose_names(struct tendon__feed *feed, int64_t not_before_ns)
{
    struct tendon_subscription *subscription = feed->subscription;
    struct tendon__link *all = &subscription->names.all;
    bool is_unsure = feed->is_unsure;
    feed->is_unsure = false;
    if (is_unsure)
        tendon__subscription_gap_begins(subscription, feed->unsure_ns);
    for (struct tendon__link *link = all->next; link != all; link = link->next) {
        struct tendon__name *name = TENDON__OWNER(link, struct tendon__name, link);
        if (name->feed == feed && name->is_heard)
            tendon__name_missed(subscription, name);
    }
    for (struct tendon__link *link = all->next, *next; link != all; link = next) {
        struct tendon__name *name = TENDON__OWNER(link, struct tendon__name, link);
        next = link->next;
        if (name->feed == feed)
            lose_name(feed, name, not_before_ns);
    }
    if (is_unsure)
        tendon__subscription_gap_ends(subscription);
}

/* Its memory stays until the end of the turn: it may be on the stack. */
static void die(struct tendon__feed *feed)
{
    feed->state = TENDON__FEED_DEAD;
    tendon__list_remove(&feed->link);
    tendon__list_push(&feed->engine->dead_feeds, &feed->link);
}

/*
 * The next attempt follows: of the main feed by itself; the names of a node's feed look for a home
 * again, because the map may say otherwise by then.
 */
static void try_later(struct tendon__feed *feed)
{
    struct tendon__engine *engine = feed->engine;
    struct tendon_subscription *subscription = feed->subscription;
    const struct tendon__options *options = engine->options;
    if (engine->closed)
        return;
    bool of_node = feed->node_name[0];
    uint32_t failures = of_node ? ++subscription->node_failures : ++feed->failures;
    int64_t wait_ns = tendon__backoff_ns(
        engine, TENDON__RETRY_STRATEGY_EXPONENTIAL, options->reconnect_backoff_min_ms,
        options->reconnect_backoff_max_ms, failures, options->retry_jitter);
    int64_t when_ns = engine->now_ns + wait_ns;
    feed->state = TENDON__FEED_WAITING;
    lose_names(feed, when_ns);
    bool is_wanted = subscription->pings || !tendon__list_empty(&subscription->names.all);
    if (of_node) {
        die(feed);
        tendon__subscription_wake(subscription, when_ns);
    } else if (is_wanted) {
        tendon__timer_set(&engine->timers, &feed->timer, when_ns);
    } else {
        feed->state = TENDON__FEED_IDLE;
    }
    if (is_wanted)
        tendon__subscription_tell(subscription, TENDON_EVENT_RECONNECTING,
                                  (uint32_t)(wait_ns / TENDON__MS), NULL, NULL);
    /* What was to be given up is gone, which may be all a command has waited for. */
    tendon__subscription_wake(subscription, engine->now_ns);
}

static void could_not_open(struct tendon__feed *feed, const struct tendon__fault *fault)
{
    struct tendon_subscription *subscription = feed->subscription;
    tendon__subscription_tell(subscription, TENDON_EVENT_FAILED, 0, fault, NULL);
    tendon__subscription_blame(subscription, fault, tendon__fault_is_permanent(fault));
    tendon__map_trigger(feed->engine);
    try_later(feed);
}

static void go_live(struct tendon__feed *feed)
{
    struct tendon__channel *channel = feed->lease->channel;
    feed->state = TENDON__FEED_LIVE;
    if (feed->node_name[0])
        feed->subscription->node_failures = 0;
    feed->channel = channel;
    channel->feed = feed;
    channel->conn.streams = true;
    tendon__feed_arm(feed);
    tendon__feed_stir(feed);
    tendon__subscription_advance(feed->subscription);
}

static void opened(struct tendon__sink *sink, struct tendon__request *request)
{
    struct tendon__feed *feed = TENDON__OWNER(sink, struct tendon__feed, sink);
    if (feed->state == TENDON__FEED_OPENING && request->status == TENDON_OK) {
        go_live(feed);
    } else if (feed->state == TENDON__FEED_OPENING) {
        struct tendon__fault fault;
        tendon__request_fault(request, &fault);
        could_not_open(feed, &fault);
    }
    tendon__request_unref(request);
}

static tendon_lease_options place_of(const struct tendon__feed *feed)
{
    const struct tendon_subscription *subscription = feed->subscription;
    tendon_lease_options options = {
        .struct_size = sizeof options, .route = subscription->route, .slot = subscription->slot};
    const char *node = feed->node_name[0] ? feed->node_name : subscription->node_name;
    if (node) {
        options.route = TENDON_ROUTE_NODE;
        options.node = (tendon_bytes){node, strlen(node)};
    } else if (subscription->has_slot && feed->engine->kind != TENDON__KIND_STANDALONE) {
        options.route = TENDON_ROUTE_SLOT;
    }
    options.timeout_ms = feed->engine->options->connect_timeout_ms * 2;
    return options;
}

static void open_feed(struct tendon__feed *feed)
{
    struct tendon__engine *engine = feed->engine;
    struct tendon__fault fault;
    drop_lease(feed);
    tendon_lease_options options = place_of(feed);
    struct tendon_lease *lease = tendon__lease_make(engine);
    struct tendon__request *request =
        lease ? tendon__request_open_lease(engine->memory, engine->options, lease, &options,
                                           &feed->sink)
              : NULL;
    if (!request) {
        tendon__memory_free(engine->memory, lease);
        tendon__fault_set(&fault, TENDON_ERROR_NO_MEMORY, "no memory for a connection");
        could_not_open(feed, &fault);
        return;
    }
    feed->lease = lease;
    feed->state = TENDON__FEED_OPENING;
    lease->feed = feed;
    lease->opening = request;
    request->flags |= TENDON__REQUEST_INTERNAL;
    tendon__request_stamp(request, engine->now_ns);
    tendon__engine_submit(engine, request, engine->now_ns);
}

bool tendon__feed_stir(struct tendon__feed *feed)
{
    bool opens = feed->state == TENDON__FEED_IDLE;
    bool asks =
        feed->state == TENDON__FEED_LIVE && !feed->speaking && !tendon__list_empty(&feed->wanting);
    if (feed->engine->closed || (!opens && !asks))
        return false;
    if (opens)
        open_feed(feed);
    else
        tendon__feed_ask(feed);
    return true;
}

/* The connection is no longer the feed's. */
static void let_go(struct tendon__feed *feed)
{
    struct tendon__channel *channel = feed->channel;
    feed->channel = NULL;
    feed->paused = feed->speaking = feed->pinging = feed->for_command = false;
    tendon__timer_set(&feed->engine->timers, &feed->timer, TENDON__NO_TIME);
    if (!channel)
        return;
    channel->feed = NULL;
    while (tendon__conn_shift(&channel->conn))
        continue;
}

void tendon__feed_lost(struct tendon__feed *feed, const struct tendon__fault *fault)
{
    struct tendon_subscription *subscription = feed->subscription;
    bool pinged = feed->for_command;
    let_go(feed);
    tendon__memory_free(feed->engine->memory, feed->frame);
    feed->frame = NULL;
    if (feed->state == TENDON__FEED_DEAD || subscription->ended)
        return;
    tendon__subscription_blame(subscription, fault, false);
    tendon__subscription_tell(subscription, TENDON_EVENT_CLOSED, 0, fault, NULL);
    if (pinged)
        subscription->ping_sent = false;
    try_later(feed);
}

void tendon__feed_end(struct tendon__feed *feed)
{
    let_go(feed);
    die(feed);
}

void tendon__feed_sweep_all(struct tendon__engine *engine)
{
    struct tendon__link *link;
    while ((link = tendon__list_shift(&engine->dead_feeds))) {
        struct tendon__feed *feed = TENDON__OWNER(link, struct tendon__feed, link);
        drop_lease(feed);
        tendon__memory_free(engine->memory, feed->frame);
        tendon__memory_free(engine->memory, feed);
        engine->feed_count--;
    }
}

static void look_for_room(struct tendon__feed *feed)
{
    struct tendon__engine *engine = feed->engine;
    uint64_t pending = __atomic_load_n(&feed->subscription->pending_bytes, __ATOMIC_RELAXED);
    if (pending <= (uint64_t)engine->options->subscription_buffer_bytes / 2) {
        feed->paused = false;
        feed->spoke_ns = engine->now_ns; /* the time it was not read does not count */
        engine->ops->pause(engine->world, feed->channel, false);
    }
    tendon__feed_arm(feed);
}

/* Many messages may stand before the answer. */
static bool is_alive(const struct tendon__feed *feed)
{
    int64_t now_ns = feed->engine->now_ns;
    return now_ns - feed->channel->conn.rx_ns < ANSWER_TIMEOUT_MS * TENDON__MS &&
           now_ns - feed->spoke_ns < BACKLOG_MS * TENDON__MS;
}

static void expire_live(struct tendon__feed *feed)
{
    struct tendon__engine *engine = feed->engine;
    struct tendon__channel *channel = feed->channel;
    struct tendon__fault fault;
    if (feed->paused) {
        look_for_room(feed);
        return;
    }
    if (feed->speaking && !is_alive(feed)) {
        tendon__fault_set(&fault, TENDON_ERROR_TIMEOUT, "%s did not answer %s in time",
                          channel->node->name, feed->pinging ? "PING" : "SUBSCRIBE");
        tendon__feed_give_up(feed, TENDON__CLOSE_UNHEALTHY, &fault);
        return;
    }
    bool is_over = is_empty(feed) && engine->now_ns >= feed->emptied_ns + EMPTY_MS * TENDON__MS;
    if (is_over && !feed->is_unsure) {
        tendon__feed_end(feed);
        return;
    }
    if (is_over) {
        feed->emptied_ns = engine->now_ns;
        tendon__feed_reassure(feed); /* there was no memory to ask before */
        return;
    }
    int64_t quiet_ns = engine->now_ns - channel->conn.rx_ns;
    if (feed->speaking || quiet_ns < engine->options->health_check_interval_ms * TENDON__MS)
        tendon__feed_arm(feed);
    else
        tendon__feed_reassure(feed);
}

void tendon__feed_expired(struct tendon__feed *feed)
{
    switch (feed->state) {
    case TENDON__FEED_WAITING:
        open_feed(feed);
        break;
    case TENDON__FEED_LIVE:
        expire_live(feed);
        break;
    case TENDON__FEED_IDLE:
    case TENDON__FEED_OPENING:
    case TENDON__FEED_DEAD:
        break;
    }
}
