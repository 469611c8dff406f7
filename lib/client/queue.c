/* The completion queue. Pushing cannot fail: items bring their own links. */
#include "client/queue.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/recycle.h"
#include "client/bundle.h"
#include "client/error.h"
#include "client/subscription.h"

static void raise_signal(struct tendon_queue *queue)
{
    const uint64_t one = 1;
    if (queue->signalled || queue->fd < 0)
        return;
    queue->signalled = write(queue->fd, &one, sizeof one) == (ssize_t)sizeof one;
}

static void clear_signal(struct tendon_queue *queue)
{
    uint64_t count;
    if (!queue->signalled || !tendon__list_empty(&queue->items))
        return;
    queue->signalled = read(queue->fd, &count, sizeof count) < 0 && errno != EAGAIN;
}

struct tendon__event *tendon__event_make(struct tendon__memory *memory, uint32_t kind, uint64_t tag)
{
    struct tendon__event *event = tendon__recycle_take(memory, sizeof *event);
    if (!event)
        return NULL;
    memset(event, 0, sizeof *event);
    event->item.is_event = true;
    event->memory = memory;
    event->kind = kind;
    event->tag = tag;
    return event;
}

void tendon__event_charge(struct tendon__event *event, struct tendon_subscription *subscription)
{
    event->subscription = subscription;
    event->charged_bytes = sizeof *event;
    if (event->reply)
        event->charged_bytes +=
            event->reply->data_bytes + event->reply->node_count * sizeof(tendon_node);
    __atomic_add_fetch(&subscription->refs, 1, __ATOMIC_RELAXED);
    __atomic_add_fetch(&subscription->pending_bytes, event->charged_bytes, __ATOMIC_RELAXED);
}

void tendon__event_free(struct tendon__event *event)
{
    struct tendon_subscription *subscription = event->subscription;
    if (subscription) {
        __atomic_sub_fetch(&subscription->pending_bytes, event->charged_bytes, __ATOMIC_RELAXED);
        tendon__subscription_unref(subscription);
    }
    tendon__reply_free(event->reply);
    tendon__error_free(event->error);
    tendon__recycle_free(event->memory, event, sizeof *event);
}

static void drop(struct tendon__item *item)
{
    if (item->is_event)
        tendon__event_free(TENDON__OWNER(item, struct tendon__event, item));
    else if (item->is_run)
        tendon__run_free(TENDON__OWNER(item, struct tendon__run, item));
    else
        tendon__request_unref(TENDON__OWNER(item, struct tendon__request, item));
}

static void drop_oldest_event(struct tendon_queue *queue)
{
    struct tendon__event *oldest =
        TENDON__OWNER(tendon__list_shift(&queue->events), struct tendon__event, age);
    tendon__list_remove(&oldest->item.link);
    queue->event_count--;
    queue->dropped += queue->dropped < UINT32_MAX;
    tendon__event_free(oldest);
}

static void note_event(struct tendon_queue *queue, struct tendon__item *item)
{
    struct tendon__event *event = TENDON__OWNER(item, struct tendon__event, item);
    if (event->subscription)
        return; /* none of those is dropped: their connections are not read meanwhile */
    if (queue->event_count >= TENDON__EVENTS_MAX)
        drop_oldest_event(queue);
    queue->event_count++;
    tendon__list_push(&queue->events, &event->age);
}

static void forget_event(struct tendon_queue *queue, struct tendon__event *event)
{
    if (event->subscription)
        return;
    queue->event_count--;
    tendon__list_remove(&event->age);
}

void tendon__queue_push(struct tendon_queue *queue, struct tendon__item *item)
{
    pthread_mutex_lock(&queue->lock);
    if (queue->abandoned) {
        pthread_mutex_unlock(&queue->lock);
        drop(item);
        return;
    }
    if (item->is_event)
        note_event(queue, item);
    bool was_empty = tendon__list_empty(&queue->items);
    tendon__list_push(&queue->items, &item->link);
    if (was_empty)
        raise_signal(queue);
    if (queue->waiting)
        pthread_cond_signal(&queue->filled);
    pthread_mutex_unlock(&queue->lock);
}

void tendon__queue_push_all(struct tendon_queue *queue, struct tendon__link *items)
{
    struct tendon__link *link;
    pthread_mutex_lock(&queue->lock);
    if (!queue->abandoned) {
        bool was_empty = tendon__list_empty(&queue->items);
        bool are_many = items->next != items->prev;
        tendon__list_splice(&queue->items, items);
        if (was_empty)
            raise_signal(queue);
        if (queue->waiting && are_many)
            pthread_cond_broadcast(&queue->filled);
        else if (queue->waiting)
            pthread_cond_signal(&queue->filled);
    }
    pthread_mutex_unlock(&queue->lock);
    while ((link = tendon__list_shift(items)))
        drop(TENDON__OWNER(link, struct tendon__item, link));
}

static void unref(struct tendon_queue *queue, uint32_t count)
{
    if (__atomic_sub_fetch(&queue->refs, count, __ATOMIC_ACQ_REL))
        return;
    if (queue->fd >= 0)
        close(queue->fd);
    pthread_cond_destroy(&queue->filled);
    pthread_mutex_destroy(&queue->lock);
    tendon__memory_free(queue->memory, queue);
}

/* Requests ended: their references as the sink's pass to the queue, and the queue loses theirs. */
static void complete_all(struct tendon__sink *sink, struct tendon__link *items, uint32_t count)
{
    struct tendon_queue *queue = TENDON__OWNER(sink, struct tendon_queue, sink);
    if (!tendon__list_empty(items))
        tendon__queue_push_all(queue, items);
    unref(queue, count);
}

tendon_status tendon_queue_create(tendon_queue **out_queue)
{
    if (!out_queue)
        return TENDON_ERROR_ARGUMENT;
    struct tendon__memory *memory = tendon__memory_system();
    struct tendon_queue *queue = tendon__memory_make(memory, sizeof *queue);
    if (!queue)
        return TENDON_ERROR_NO_MEMORY;
    queue->fd = -1;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&queue->filled, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&queue->lock, NULL);
    queue->memory = memory;
    queue->sink.complete_all = complete_all;
    queue->sink.hears = true;
    queue->refs = 1;
    tendon__list_init(&queue->items);
    tendon__list_init(&queue->events);
    *out_queue = queue;
    return TENDON_OK;
}

void tendon__queue_ref(struct tendon_queue *queue, uint32_t count)
{
    __atomic_add_fetch(&queue->refs, count, __ATOMIC_RELAXED);
}

void tendon__queue_unref(struct tendon_queue *queue)
{
    unref(queue, 1);
}

void tendon_queue_destroy(tendon_queue *queue)
{
    if (!queue)
        return;
    struct tendon__link items;
    tendon__list_init(&items);
    pthread_mutex_lock(&queue->lock);
    queue->abandoned = true;
    struct tendon__link *link;
    while ((link = tendon__list_shift(&queue->items)))
        tendon__list_push(&items, link);
    pthread_mutex_unlock(&queue->lock);
    while ((link = tendon__list_shift(&items)))
        drop(TENDON__OWNER(link, struct tendon__item, link));
    tendon__queue_unref(queue);
}

/* Made when it is first asked for: who polls without it pays nothing for its signal. */
int tendon_queue_fd(tendon_queue *queue)
{
    if (!queue)
        return -1;
    pthread_mutex_lock(&queue->lock);
    if (queue->fd < 0) {
        queue->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (!tendon__list_empty(&queue->items))
            raise_signal(queue);
    }
    int fd = queue->fd;
    pthread_mutex_unlock(&queue->lock);
    return fd;
}

static void fill_event(tendon_completion *out, struct tendon__event *event)
{
    out->kind = TENDON_COMPLETION_EVENT;
    out->tag = event->tag;
    out->event = event->kind;
    out->delay_ms = event->delay_ms;
    out->reply = event->reply;
    out->error = event->error;
    tendon_error_view view = {.struct_size = sizeof view};
    if (event->error && tendon_error_look(event->error, &view) == TENDON_OK)
        out->status = view.status;
    event->reply = NULL;
    event->error = NULL;
}

/* One outcome of a bundle; true when there are more before `end`. */
static bool fill_one_of(tendon_completion *out, struct tendon__request *request, uint32_t *at,
                        uint32_t end)
{
    const struct tendon__bundle *bundle = request->bundle;
    uint32_t index = (*at)++;
    out->id = bundle->first_id ? bundle->first_id + index : 0;
    out->tag = bundle->tags[index];
    out->reply = tendon__bundle_take(request, index, &out->error, &out->status);
    out->kind = out->reply ? TENDON_COMPLETION_REPLY : TENDON_COMPLETION_ERROR;
    return tendon__bundle_next(bundle, at, end);
}

static void fill_outcome(tendon_completion *out, struct tendon__request *request)
{
    uint32_t index = request->delivered++;
    out->id = request->id;
    out->tag = request->tags ? request->tags[index] : request->tag;
    out->status = request->status;
    if (request->status == TENDON_OK) {
        out->kind = TENDON_COMPLETION_REPLY;
        out->reply = request->replies[index];
        request->replies[index] = NULL;
        return;
    }
    out->kind = TENDON_COMPLETION_ERROR;
    out->error = tendon__request_error(request);
}

/*
 * Those dropped were the oldest, so the gap lies before the next event. True when `out` tells of
 * it; the event itself is still to come.
 */
static bool fill_gap(struct tendon_queue *queue, tendon_completion *out,
                     const struct tendon__item *item)
{
    if (!item->is_event || !queue->dropped)
        return false;
    const struct tendon__event *event = TENDON__OWNER(item, struct tendon__event, item);
    if (event->subscription)
        return false;
    uint32_t dropped = queue->dropped;
    queue->dropped = 0;
    if (!event->tells_gap)
        return false;
    out->kind = TENDON_COMPLETION_EVENT;
    out->tag = event->tag;
    out->event = TENDON_EVENT_DROPPED;
    out->delay_ms = dropped;
    return true;
}

/* Fills one completion from the oldest item; true when the item is used up and must be dropped. */
static bool take(tendon_completion *out, struct tendon__item *item)
{
    bool used_up = true;
    if (item->is_event) {
        fill_event(out, TENDON__OWNER(item, struct tendon__event, item));
    } else if (item->is_run) {
        struct tendon__run *run = TENDON__OWNER(item, struct tendon__run, item);
        used_up = !fill_one_of(out, run->request, &run->at, run->end);
    } else if (TENDON__OWNER(item, struct tendon__request, item)->bundle) {
        struct tendon__request *request = TENDON__OWNER(item, struct tendon__request, item);
        used_up = !fill_one_of(out, request, &request->delivered, request->command_count);
    } else {
        struct tendon__request *request = TENDON__OWNER(item, struct tendon__request, item);
        fill_outcome(out, request);
        used_up = request->delivered == request->command_count;
    }
    if (out->reply) {
        out->nodes = out->reply->nodes;
        out->node_count = out->reply->node_count;
        out->data = out->reply->data;
        out->data_bytes = out->reply->data_bytes;
    }
    return used_up;
}

static void wait_for_items(struct tendon_queue *queue, int64_t timeout_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t bounded_ms = timeout_ms > 86400000 ? 86400000 : timeout_ms;
    until.tv_sec += bounded_ms / 1000;
    until.tv_nsec += bounded_ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    queue->waiting++;
    int result = 0;
    while (tendon__list_empty(&queue->items) && !queue->wakes && !queue->abandoned &&
           result != ETIMEDOUT)
        result = timeout_ms < 0 ? pthread_cond_wait(&queue->filled, &queue->lock)
                                : pthread_cond_timedwait(&queue->filled, &queue->lock, &until);
    queue->waiting--;
    if (queue->wakes)
        queue->wakes--;
}

size_t tendon_queue_poll(tendon_queue *queue, tendon_completion *out, size_t completion_size,
                         size_t max, int64_t timeout_ms)
{
    if (!queue || !out || completion_size < sizeof *out)
        return 0;
    size_t count = 0;
    pthread_mutex_lock(&queue->lock);
    if (tendon__list_empty(&queue->items) && timeout_ms != 0)
        wait_for_items(queue, timeout_ms);
    while (count < max && !tendon__list_empty(&queue->items)) {
        struct tendon__link *link = queue->items.next;
        struct tendon__item *item = TENDON__OWNER(link, struct tendon__item, link);
        void *place = (char *)out + completion_size * count++;
        memset(place, 0, completion_size);
        if (fill_gap(queue, place, item) || !take(place, item))
            continue;
        tendon__list_remove(link);
        if (item->is_event)
            forget_event(queue, TENDON__OWNER(item, struct tendon__event, item));
        drop(item);
    }
    clear_signal(queue);
    pthread_mutex_unlock(&queue->lock);
    return count;
}

void tendon_queue_wake(tendon_queue *queue)
{
    if (!queue)
        return;
    pthread_mutex_lock(&queue->lock);
    if (queue->waiting > queue->wakes)
        queue->wakes++;
    pthread_cond_signal(&queue->filled);
    pthread_mutex_unlock(&queue->lock);
}
