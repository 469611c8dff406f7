/*
 * The client handle: an engine, the token of whoever drives it, the inbox of everybody else, and a
 * thread that drives when nobody does. A blocking caller that finds the token free does its own
 * I/O; under contention the thread, or another caller, does it for all.
 */
#ifndef TENDON_CLIENT_CLIENT_H
#define TENDON_CLIENT_CLIENT_H

#include <pthread.h>
#include <stdatomic.h>

#include <tendon/client.h>

#include "client/engine.h"
#include "client/queue.h"
#include "client/wait.h"
#include "net/resolver.h"
#include "net/transport.h"

/* How many descriptors a forked child can close without walking structures another thread may have
 * been changing. */
#define TENDON__FD_TABLE 4096
/* How many sockets a host may watch itself. */
#define TENDON__LENT_MAX 4
/* How long a caller waits in a socket before it looks at its deadline; later ones do not. */
#define TENDON__DIRECT_SLICE_MS 50
/* A caller with so much time does not look at all: the system's timer for that is 0.25 us of
 * the 9.4 of a call. At his deadline the engine, which would give a connection up after such a
 * silence anyway, ends the stream. */
#define TENDON__DIRECT_PATIENT_MS 1800

struct tendon__io;

struct tendon_client {
    struct tendon__memory *memory;
    struct tendon__options options;
    struct tendon__engine *engine;
    /* The driver's token and what only its holder touches. */
    pthread_mutex_t drive;
    int epoll_fd;
    struct tendon__link ios;      /* being resolved or dialled */
    struct tendon__link dead_ios; /* freed at the end of the turn */
    struct tendon__tls_context *tls;
    struct tendon__tcp_options tcp;
    struct tendon__resolver *resolver;
    int timer_fd;      /* with drive=host: makes epoll_fd readable at the next deadline; else -1 */
    int64_t armed_ns;  /* what it is set to */
    int64_t turned_ns; /* when somebody last looked at every socket */
    struct tendon__io *usual; /* drive=host: the connection that alone had news in the last turns */
    uint32_t usual_turns;     /* how many, at most USUAL_TURNS */
    uint32_t usual_reads;     /* turns since then that looked at nothing else */
    uint64_t next_token;
    struct tendon_queue *watcher;
    uint64_t watch_tag;
    uint32_t watch_mask;
    /* The inbox. */
    pthread_mutex_t inbox_lock;
    struct tendon__link inbox; /* requests and leases given back, in order */
    atomic_bool mail;
    int wake_fd;
    atomic_bool sleeping; /* the driver is in epoll_wait */
    atomic_uint guests;   /* threads that want the token for a moment */
    /* The thread. */
    pthread_t thread;
    pthread_mutex_t park_lock;
    pthread_cond_t park;
    bool thread_started;
    bool kicked;
    atomic_bool stop;
    _Atomic int64_t parked_until_ns; /* when the thread wakes by itself; 0 while it is awake */
    /* Queues or events are in use: the thread goes on driving until then. */
    _Atomic int64_t async_until_ns;
    struct tendon__link subscriptions; /* opened and not closed; under inbox_lock */
    struct tendon__link held;          /* events of subscriptions, not yet in their queue */
    struct tendon_queue *held_for;     /* which is this; they keep it alive */
    /* Life. */
    atomic_bool closed;
    atomic_uint inside;       /* calls that have not returned */
    struct tendon__room room; /* where callers sleep that leave all to the thread */
    atomic_uint callers;      /* of them, those that wait for an outcome */
    atomic_bool crowd;        /* they are so many that the thread drives for all */
    _Atomic uint64_t next_id;
    uint8_t *fork_page; /* first byte is 1, in a child 0 */
    _Atomic int *fds;   /* sockets, for a forked child; -1 is free */
    /* With drive=host; here, so that what threads contend for keeps its cache lines. */
    bool unsure; /* this turn may have left something over that epoll knows of */
    struct tendon__io *lent[TENDON__LENT_MAX]; /* the host watches their sockets */
};

/* How a call begins: the handle is usable, and counted as being inside until tendon__client_leave.
 */
tendon_status tendon__client_enter(struct tendon_client *client, struct tendon__fault *fault);
void tendon__client_leave(struct tendon_client *client);
/* They are more than max_pending: takes `count` back. */
tendon_status tendon__client_full(struct tendon_client *client, uint32_t count,
                                  struct tendon__fault *fault);

/* Counts requests against max_pending; the engine counts them down as they complete. */
static inline tendon_status tendon__client_admit(struct tendon_client *client, uint32_t count,
                                                 struct tendon__fault *fault)
{
    uint32_t now = __atomic_add_fetch(&client->engine->pending, count, __ATOMIC_RELAXED);
    return now <= (uint64_t)client->options.max_pending ? TENDON_OK
                                                        : tendon__client_full(client, count, fault);
}

/* The driver's token for a moment, from any thread. */
void tendon__client_lock(struct tendon_client *client);
void tendon__client_unlock(struct tendon_client *client);

/* Hands requests (linked by item.link) to the engine without waiting. */
void tendon__client_post(struct tendon_client *client, struct tendon__link *requests);
/* As post, for callers that wait themselves: the thread need not stay awake after their outcome. */
void tendon__client_post_waiting(struct tendon_client *client, struct tendon__link *requests);
/* A lease that is given back, or a subscription that is closed. */
void tendon__client_post_end(struct tendon_client *client, struct tendon__item *item);

/* Starts the client's thread once; TENDON_ERROR_SYSTEM when it cannot be started. */
tendon_status tendon__client_start(struct tendon_client *client, struct tendon__fault *fault);
void tendon__client_stop(struct tendon_client *client);
void tendon__client_kick(struct tendon_client *client);

/* One turn of the loop, for the holder of the token. Sleeps until something happens, for at most
 * `limit_ms`; 0 does not sleep, -1 sets no limit. */
void tendon__driver_turn(struct tendon_client *client, int64_t limit_ms);
/* Turns that read from one connection and look at no other: from the one with that loan, if it is
 * still there, or from the usual one. The latter may not have been worth its while, false. */
void tendon__driver_read_lent(struct tendon_client *client, uint64_t loan);
bool tendon__driver_read_usual(struct tendon_client *client);
/* The connection that had all the news lately, which ends being it; NULL when there is none. */
struct tendon__io *tendon__driver_take_usual(struct tendon_client *client);
/* Outcomes go to those who wait for them; before whoever drives sleeps or goes. */
void tendon__driver_tell(struct tendon_client *client);
/* Ends a visit to the engine: what it has to say is sent and told, what it has closed is freed. */
void tendon__driver_settle(struct tendon_client *client);
/* When the next turn is due though nothing happens; TENDON__NO_TIME for never. */
int64_t tendon__driver_deadline(const struct tendon_client *client);
/* Ends the sleep of whoever drives. */
void tendon__driver_wake(struct tendon_client *client);

/* Hands requests, and leases given back, to the engine. `now_ns` may be a little old, but not older
 * than the holder's token. */
void tendon__driver_submit(struct tendon_client *client, struct tendon__link *requests,
                           int64_t now_ns);
/* True while completion queues are in use, so that the thread drives. */
bool tendon__driver_serves_queues(const struct tendon_client *client);
/* Leaves requests for whoever drives. */
void tendon__inbox_put(struct tendon_client *client, struct tendon__link *requests);
/* Takes what the inbox holds. */
void tendon__driver_drain(struct tendon_client *client);

/* tell.c: events into queues. */
void tendon__tell_event(void *world, uint32_t event, const struct tendon__node *node,
                        uint32_t delay_ms, const struct tendon__fault *fault, tendon_reply *reply);
bool tendon__tell_subscription(void *world, struct tendon_subscription *subscription,
                               uint32_t event, uint32_t delay_ms, const struct tendon__fault *fault,
                               tendon_reply *reply);
/* Those that are held go into their queue. */
void tendon__tell_held(struct tendon_client *client);

/* direct.c: the ways of a call that waits. */
/* As post, then waits until nothing remains, driving the engine where that is best. */
void tendon__client_run(struct tendon_client *client, struct tendon__link *requests,
                        struct tendon__wait *wait);
/* For the thread, after each turn: whether the crowd is still there. */
void tendon__crowd_watch(struct tendon_client *client, uint32_t *calm_turns);

/* host.c: option drive=host. */
tendon_status tendon__host_init(struct tendon_client *client, struct tendon__fault *fault);
void tendon__host_post(struct tendon_client *client, struct tendon__link *requests);
/* Gives the token up with everything sent that others have left meanwhile. */
void tendon__host_leave(struct tendon_client *client);
void tendon__host_timer_fired(struct tendon_client *client);
/* How a call of a host begins and ends: TENDON_ERROR_STATE without drive=host; and the token now,
 * or false and the promise that its holder does what there is to do. */
tendon_status tendon__host_enter(struct tendon_client *client);
bool tendon__host_take(struct tendon_client *client);
/* Milliseconds until something is due; 0 also when something may be left over. */
int64_t tendon__host_next_ms(const struct tendon_client *client);
/* Calls that wait have nobody to wait for: TENDON_ERROR_STATE with the remedy, or TENDON_OK. */
tendon_status tendon__host_refuses_waiting(const struct tendon_client *client,
                                           struct tendon__fault *fault);

/* io.c: the world of the engine. */
extern const struct tendon__world_ops tendon__world_ops;
void tendon__io_flush(struct tendon_client *client);
void tendon__io_event(struct tendon_client *client, void *io, uint32_t events);
void tendon__io_resolved(struct tendon_client *client);
void tendon__io_tick(struct tendon_client *client, int64_t now_ns);
int64_t tendon__io_deadline(const struct tendon_client *client);
void tendon__io_bury(struct tendon_client *client);
void tendon__io_abandon_all(struct tendon_client *client);
/* The socket that was lent under that name; NULL when it is not any more. */
struct tendon__io *tendon__io_of_loan(struct tendon_client *client, uint64_t loan);

/* Of a request a caller sends by himself: an idle connection's socket takes so much at once. */
#define TENDON__DIRECT_FRAME 16384
#define TENDON__DIRECT_BYTES (TENDON__DIRECT_FRAME + TENDON__TLS_SEAL_BYTES)

/* What a caller in the socket says and hears. */
struct tendon__direct {
    int fd;
    int64_t slice_ms;  /* to wait at a time; 0: until the end of the stream */
    const void *words; /* to be said: the request's frame, or its record in `bytes` */
    size_t words_bytes;
    ssize_t result; /* of saying, then of waiting; the fault is set when it is negative */
    struct tendon__fault fault;
    uint8_t bytes[TENDON__DIRECT_BYTES]; /* received; a longer reply is driven to its end */
};

/*
 * A caller whose request is the only one of a connection sends it and waits for the reply itself,
 * without the token, by tendon__transport_say and _wait. begin gives NULL where that cannot be;
 * end, with the token again, hands over what came (or did not).
 */
struct tendon__io;
struct tendon__io *tendon__io_begin_direct(struct tendon__channel *channel,
                                           struct tendon__direct *direct);
/* Without the token, once all of the request is written. False when others have something for the
 * stream that was held back meanwhile: then _send_held, with the token. */
bool tendon__io_said(struct tendon__io *io);
void tendon__io_send_held(struct tendon__io *io);
void tendon__io_end_direct(struct tendon__io *io, struct tendon__direct *direct);

int64_t tendon__now_ns(void);

#endif
