/*
 * Subscriptions inside the engine. A subscription owns names (names.h) and feeds; a feed is one
 * connection, leased from the pool of its node, that carries some of the names. Commands of the
 * program are done one after the other (subscription.c); feeds open, ask, listen, are lost and open
 * again by themselves (feed.c). Sans-IO like the rest of the engine.
 */
#ifndef TENDON_CLIENT_SUBSCRIPTION_H
#define TENDON_CLIENT_SUBSCRIPTION_H

#include <tendon/subscription.h>

#include "client/engine.h"
#include "client/names.h"

/* Counted: the program, the engine while it knows it, each request and each undelivered event. */
struct tendon_subscription {
    struct tendon__link link;        /* engine->subscriptions */
    struct tendon__link client_link; /* client->subscriptions, from open to close */
    struct tendon__item item;        /* on its way to the engine to be closed */
    struct tendon__memory *memory;
    tendon_client *client;         /* NULL once that is destroyed */
    struct tendon__engine *engine; /* NULL before the first command, and after the engine's end */
    struct tendon_queue *queue;
    uint64_t tag;
    uint32_t refs; /* atomic */
    /* Where the main feed goes. */
    uint32_t route;
    uint32_t slot;
    bool has_slot;
    char *node_name;
    /* Commands. */
    struct tendon__link commands;    /* requests that wait for their turn */
    struct tendon__request *command; /* under way; NULL also when its caller gave up */
    uint32_t turn;                   /* its number; what waited for an earlier one waits no more */
    uint32_t owed;                   /* confirmations until it is done */
    tendon_reply *refusal;           /* the first one of it */
    bool pings;                      /* it is PING */
    bool ping_sent;
    /* What is wanted, and where. */
    struct tendon__names names;
    struct tendon__link homeless; /* names without a feed, which wait for the cluster's map */
    struct tendon__link feeds;
    struct tendon__feed *main;
    struct tendon__timer timer; /* to look for homes again */
    uint32_t searches;          /* for homes the map does not name, in a row */
    int64_t search_ns;          /* when the next one counts */
    uint32_t node_failures;     /* of feeds of nodes, in a row */
    uint32_t missed;            /* names that were heard when a connection was lost */
    int64_t lost_ns;            /* when the first of them was */
    uint32_t gap_ms;            /* of a gap that could not be told, for want of memory */
    bool owes_gap;
    bool ended;
    /* Messages that nobody has collected. */
    uint64_t pending_bytes; /* atomic */
};

enum tendon__feed_state {
    TENDON__FEED_IDLE,    /* nothing has been wanted of it yet */
    TENDON__FEED_OPENING, /* its lease is being opened */
    TENDON__FEED_LIVE,
    TENDON__FEED_WAITING, /* lost or not to be had: for the next attempt */
    TENDON__FEED_DEAD,    /* freed at the end of the turn */
};

struct tendon__feed {
    struct tendon__link link; /* subscription->feeds, or engine->dead_feeds */
    struct tendon__timer timer;
    struct tendon__sink sink; /* of the request that opens the lease */
    struct tendon_subscription *subscription;
    struct tendon__engine *engine;
    enum tendon__feed_state state;
    char node_name[TENDON__FAULT_NODE_MAX]; /* empty: where the subscription says */
    struct tendon_lease *lease;
    struct tendon__channel *channel; /* while LIVE */
    struct tendon__link wanting;     /* names to ask for or to give up */
    struct tendon__link asked;       /* in the order in which they were asked */
    struct tendon__exchange exchange;
    uint8_t *frame;
    uint32_t name_count; /* names whose feed it is */
    int64_t emptied_ns;  /* when the last of them went */
    uint32_t batch;      /* of the last command sent */
    uint32_t failures;   /* in a row */
    int64_t spoke_ns;    /* when the exchange was sent */
    bool speaking;       /* it is on the wire: confirmations or a PONG are owed */
    bool pinging;        /* that is a PING */
    bool for_command;    /* and that of the command under way */
    bool is_unsure; /* the last one given up here may have been sent away by the server before */
    uint32_t unsure_exchange; /* in which that was */
    int64_t unsure_ns;        /* when */
    uint32_t exchanges;       /* so many were sent */
    bool one_by_one;          /* a name of several was refused: ask for each alone, to know which */
    bool paused;
};

/* subscription_command.c */
/* The next command is under way, as `command`, or has failed. */
void tendon__subscription_begin(struct tendon_subscription *subscription,
                                struct tendon__request *request);
/* The command under way has all it waited for, or there is none. */
void tendon__subscription_finish(struct tendon_subscription *subscription);
/* WANTED or UNWANTED from now on, waiting at its feed. */
void tendon__name_want(struct tendon__name *name, enum tendon__name_state state);
/* What was asked of it was asked in vain: it waits at its feed to be asked once more. */
void tendon__name_ask_again(struct tendon__name *name);

/* subscription.c */
/* A command of the program; takes the engine's reference to the request. */
void tendon__subscription_submit(struct tendon__engine *engine, struct tendon__request *request);
/* Its caller has the outcome already: it is not waited for any more. */
void tendon__subscription_forget(struct tendon__request *request);
/* Ends everything: commands with `fault`. The engine keeps its reference. */
void tendon__subscription_end(struct tendon_subscription *subscription,
                              const struct tendon__fault *fault);
/* The program closed it: ends it and drops the engine's reference. */
void tendon__subscription_closed(struct tendon__engine *engine,
                                 struct tendon_subscription *subscription);
void tendon__subscription_expired(struct tendon_subscription *subscription);
void tendon__subscription_unref(struct tendon_subscription *subscription);
/* Why the commands still wait; `is_final` ends them with it. */
void tendon__subscription_blame(struct tendon_subscription *subscription,
                                const struct tendon__fault *fault, bool is_final);
/* Finds a feed for every name that has none. */
void tendon__subscription_place(struct tendon_subscription *subscription);
/* To be looked at again, `when_ns` at the latest. */
void tendon__subscription_wake(struct tendon_subscription *subscription, int64_t when_ns);
/* The map has changed: names may have a home now, and feeds none any more. */
void tendon__subscriptions_look(struct tendon__engine *engine);
/* The server has confirmed the name, or there is nobody left to confirm it: tells so, and moves it
 * on. `reply` is what it said, NULL to say it ourselves. False when that could not be told. */
bool tendon__subscription_confirm(struct tendon_subscription *subscription,
                                  struct tendon__name *name, tendon_reply *reply);
/* The same for a name that is gone from the server without an answer, and whose messages may have
 * been missed since it was. */
void tendon__subscription_drop(struct tendon_subscription *subscription, struct tendon__name *name);
/* Messages may have been missed since then; a gap is told when as many have ended as began. */
void tendon__subscription_gap_begins(struct tendon_subscription *subscription, int64_t since_ns);
void tendon__subscription_gap_ends(struct tendon_subscription *subscription);
/* It is heard no more: messages are missed from now on, until it is there again or given up. */
void tendon__name_missed(struct tendon_subscription *subscription, struct tendon__name *name);
/* WANTED, and without a feed, but for one that it is still heard on, for at least `wait_ns`; longer
 * when it is sent away again and again.
 */
void tendon__name_unhouse(struct tendon_subscription *subscription, struct tendon__name *name,
                          int64_t wait_ns);
/* The server refused it for good. `reply` passes to the subscription. */
void tendon__subscription_refuse(struct tendon_subscription *subscription,
                                 struct tendon__name *name, tendon_reply *reply);
/* The answer of the PING under way. */
void tendon__subscription_ponged(struct tendon_subscription *subscription, tendon_reply *reply);
/* After any of those: the command under way may be done, and the next one begin. */
void tendon__subscription_advance(struct tendon_subscription *subscription);
/* False when memory ran out; `reply` passes to the world. */
bool tendon__subscription_tell(struct tendon_subscription *subscription, uint32_t event,
                               uint32_t delay_ms, const struct tendon__fault *fault,
                               tendon_reply *reply);

/* feed.c */
/* Adds one; NULL when memory ran out. */
struct tendon__feed *tendon__feed_make(struct tendon_subscription *subscription,
                                       const char *node_name);
/* Something is wanted of it: connects if needed, and asks if nothing is owed. */
bool tendon__feed_stir(struct tendon__feed *feed);
/* Asks for a PONG with the frame of `request`; false while it cannot. */
bool tendon__feed_ping(struct tendon__feed *feed, const struct tendon__request *request);
void tendon__feed_expired(struct tendon__feed *feed);
/* One value has come: channel->conn.tape. */
void tendon__feed_received(struct tendon__feed *feed);
/* Its connection has ended. */
void tendon__feed_lost(struct tendon__feed *feed, const struct tendon__fault *fault);
/* The name is its own from now on, or nobody's with NULL. */
void tendon__feed_adopt(struct tendon__feed *feed, struct tendon__name *name);
/* Gives its connection up, for good. Its names are nobody's. */
void tendon__feed_end(struct tendon__feed *feed);
/* Frees those that have ended; at the end of a turn. */
void tendon__feed_sweep_all(struct tendon__engine *engine);

static inline void tendon__feed_sweep(struct tendon__engine *engine)
{
    if (!tendon__list_empty(&engine->dead_feeds))
        tendon__feed_sweep_all(engine);
}

/* Among the files of feeds. feed_speak.c: */
void tendon__feed_ask(struct tendon__feed *feed);
/* A PING of these bytes; false when memory ran out. */
bool tendon__feed_say_ping(struct tendon__feed *feed, const void *frame, size_t bytes);
/* A PING of its own: behind its answer everything before it is answered. */
void tendon__feed_reassure(struct tendon__feed *feed);
/* What was asked is answered. False when the server answered before it was asked. */
bool tendon__feed_finish(struct tendon__feed *feed);
/* Closes the connection, which is lost by that. */
void tendon__feed_give_up(struct tendon__feed *feed, enum tendon__close_reason reason,
                          const struct tendon__fault *fault);
void tendon__feed_fail_stream(struct tendon__feed *feed, const char *what, tendon_bytes text);
/* feed.c: when to look at it again. */
void tendon__feed_arm(struct tendon__feed *feed);

#endif
