/* The completion queue: outcomes and events in order, one descriptor that is readable while there
 * are any. */
#ifndef TENDON_CLIENT_QUEUE_H
#define TENDON_CLIENT_QUEUE_H

#include <pthread.h>

#include "client/engine.h"

#define TENDON__EVENTS_MAX 1024 /* undelivered events of one queue; the oldest are dropped */

struct tendon__event {
    struct tendon__item item;
    struct tendon__link age; /* among the events of its queue */
    struct tendon__memory *memory;
    uint64_t tag;
    uint32_t kind;
    uint32_t delay_ms;
    bool tells_gap; /* TENDON_EVENT_DROPPED is wanted */
    tendon_reply *reply;
    tendon_error *error;
    struct tendon_subscription *subscription; /* it counts against its buffer, or NULL */
    uint64_t charged_bytes;
};

struct tendon_queue {
    struct tendon__sink sink; /* first: a request's sink is its queue */
    struct tendon__memory *memory;
    pthread_mutex_t lock;
    pthread_cond_t filled;
    struct tendon__link items;
    struct tendon__link events; /* of items, by age, so that the oldest is found among any */
    uint32_t event_count;
    uint32_t dropped; /* events since the last one that was delivered */
    uint32_t waiting; /* threads inside poll */
    uint32_t wakes;
    uint32_t refs;
    bool abandoned; /* its owner has destroyed it: what still comes is dropped */
    bool signalled; /* the descriptor is readable */
    int fd;         /* -1 until somebody asks for it */
};

void tendon__queue_ref(struct tendon_queue *queue, uint32_t count);
void tendon__queue_unref(struct tendon_queue *queue);
void tendon__queue_push(struct tendon_queue *queue, struct tendon__item *item);
/* Many at once, linked by item.link: outcomes, or events of subscriptions, which do not count. */
void tendon__queue_push_all(struct tendon_queue *queue, struct tendon__link *items);
/* NULL when memory ran out. */
struct tendon__event *tendon__event_make(struct tendon__memory *memory, uint32_t kind,
                                         uint64_t tag);
/* Until it is collected it counts as a message of the subscription that waits. */
void tendon__event_charge(struct tendon__event *event, struct tendon_subscription *subscription);
void tendon__event_free(struct tendon__event *event);

#endif
