/*
 * The engine: nodes, channels, requests and leases, and every decision about them. Sans-IO and
 * single-threaded: whoever drives it hands in events with `now_ns`, and it asks for connections,
 * bytes to be flushed and outcomes to be delivered through `world`. The driver (driver.c) is the
 * real world; tests may be another one.
 */
#ifndef TENDON_CLIENT_ENGINE_H
#define TENDON_CLIENT_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include <tendon/lease.h>
#include <tendon/queue.h>
#include <tendon/request.h>
#include <tendon/stats.h>
#include <tendon/version.h>

#include "base/fault.h"
#include "base/list.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/timers.h"
#include "cluster/owners.h"
#include "cluster/redirect.h"
#include "cluster/refresh.h"
#include "cluster/topology.h"
#include "conn/conn.h"
#include "generated/options.h"
#include "pool/pool.h"

#define TENDON__LANES_MAX 32               /* upper ends of options `lanes` and `direct_lanes` */
#define TENDON__SEEDS_MAX 64               /* of the option `endpoints` */
#define TENDON__MS        INT64_C(1000000) /* nanoseconds */
#define TENDON__NO_SLOT   UINT32_MAX

struct tendon__engine;
struct tendon__node;
struct tendon__channel;
struct tendon__request;
struct tendon__queued_forms;
struct tendon__spread_call;
struct tendon__learned;
struct tendon__bundle;

enum tendon__request_state {
    TENDON__REQUEST_NEW,
    TENDON__REQUEST_PARKED,      /* waits for the cluster map */
    TENDON__REQUEST_WAITING,     /* waits at a node for its lane */
    TENDON__REQUEST_BORROWING,   /* waits for a connection of its own, or for its lease */
    TENDON__REQUEST_DELAYED,     /* waits for its next try */
    TENDON__REQUEST_SPREAD,      /* waits for the outcomes of its parts */
    TENDON__REQUEST_SUBSCRIBING, /* waits for its turn in its subscription, or has it */
    TENDON__REQUEST_ON_WIRE,
    TENDON__REQUEST_DONE, /* the outcome is delivered; may still be owed replies on a connection */
};

/* Something that travels between threads: in the client's inbox or in a completion queue. */
struct tendon__item {
    struct tendon__link link;
    bool is_event;
    bool is_run;          /* outcomes of a bundle, told before its end */
    bool is_lease;        /* a lease that was given back */
    bool is_subscription; /* a subscription that was closed */
};

/* Who learns the outcome: one function per kind of caller, called exactly once per request. */
struct tendon__sink {
    /* At once; NULL in a sink that takes many at a time. */
    void (*complete)(struct tendon__sink *sink, struct tendon__request *request);
    /* By tendon__engine_tell: requests linked by item.link, which weigh `count` (bundle.h). */
    void (*complete_all)(struct tendon__sink *sink, struct tendon__link *items, uint32_t count);
    /* Takes the outcomes of a bundle as they come, in runs among its items; else all at its end. */
    bool hears;
};

/* One call: one command, or a group of commands that travel together. Counted: engine and caller
 * hold a reference. */
struct tendon__request {
    struct tendon__link link; /* in the list its state names */
    struct tendon__item item; /* on its way to the engine, later in the completion queue */
    struct tendon__timer timer;
    struct tendon__exchange exchange;
    struct tendon__waiter waiter; /* at a pool, for a connection of its own */
    struct tendon__request *hash_next;
    struct tendon__memory *memory;
    struct tendon__sink *sink;
    uint32_t refs;
    enum tendon__request_state state;
    /* What is asked. */
    uint64_t id;
    uint64_t tag;   /* of the first command */
    uint32_t flags; /* TENDON_REQUEST_* with what the command table adds */
    uint32_t route;
    uint32_t slot; /* TENDON__NO_SLOT when no key */
    uint32_t dirt; /* TENDON__DIRT_* the commands leave on a connection */
    uint32_t turn; /* of this request among all that were sent on its channel */
    uint8_t ends;  /* enum tendon__ends */
    /* enum tendon__spread and tendon__merge: to several nodes, and one outcome of theirs. */
    uint8_t spread : 3, merge : 4;
    uint16_t form_one;
    uint32_t command_count;
    struct tendon__bundle *bundle; /* of its commands, which have an outcome each; else NULL */
    uint32_t delivered;            /* members of a group already taken from the completion queue */
    char *node_name;               /* with TENDON_ROUTE_NODE */
    struct tendon_lease *lease;
    struct tendon_subscription *subscription;
    int64_t timeout_ns; /* as resolved from the caller and the options; TENDON__NO_TIME for none */
    int64_t started_ns;
    int64_t deadline_ns; /* absolute, of the whole call */
    int64_t room_ns; /* how long it may wait for a lane because the pool is full; 0 if it is not */
    int64_t attempt_ns; /* when this attempt was handed to a connection */
    uint64_t *tags;     /* of a group's commands, NULL for one command */
    uint16_t *forms;    /* of the replies, TENDON__FORM_*; NULL when all are left as they come */
    /* What happened. */
    struct tendon__node *node; /* where it waits or was sent */
    union {
        struct tendon__node *target;      /* ASK or MOVED names it; used for the next try only */
        struct tendon__spread_call *call; /* in state SPREAD */
    };
    struct tendon__channel *channel; /* on the wire, or its own connection */
    bool owns_channel;
    bool asking;
    bool was_sent;  /* some attempt was fully sent and never answered */
    bool group_ran; /* a member of the transaction was executed at once instead of queued */
    enum tendon__reaction group_reaction;
    uint32_t attempts;
    uint32_t redirects;
    struct tendon__redirect *group_redirect; /* of a group that is redirected, else NULL */
    tendon_reply **replies;                  /* command_count of them */
    tendon_reply *reply_one;
    uint32_t reply_count;
    /* Of the outcome, before it of the last failed attempt. TENDON_OK: replies hold the outcome. */
    tendon_status status;
    uint32_t executed;           /* TENDON_EXECUTED_*; 0 until known */
    struct tendon__fault *cause; /* the words for status; NULL when there are none, or no memory */
    int64_t elapsed_ns;
    size_t block_bytes; /* of this struct with the frame behind it */
    size_t frame_bytes;
    uint8_t *frame;
};

/* What a command leaves on its connection. */
#define TENDON__DIRT_TRANSACTION 1u /* MULTI, WATCH: undone by DISCARD and UNWATCH */
#define TENDON__DIRT_DATABASE    2u /* SELECT: undone by SELECT */
/* AUTH, HELLO, tracking and the like: the connection is closed afterwards. */
#define TENDON__DIRT_FOREVER 4u

/* What the last command of a request on a lease ends, if its reply says that it did. */
enum tendon__ends {
    TENDON__ENDS_NOTHING,
    TENDON__ENDS_TRANSACTION, /* EXEC, DISCARD: unless answered by an error other than EXECABORT */
    TENDON__ENDS_WATCH,       /* UNWATCH: inside MULTI it is only queued */
};

enum tendon__channel_state {
    TENDON__CHANNEL_OPENING, /* the world is dialling */
    TENDON__CHANNEL_HANDSHAKE,
    TENDON__CHANNEL_READY,
    TENDON__CHANNEL_CLOSED, /* waits in the graveyard for the end of the turn */
};

/* A connection with its place in the engine: a lane of its node, or a member of the node's pool. */
struct tendon__channel {
    struct tendon__link link;   /* engine->channels or engine->graveyard */
    struct tendon__link flush;  /* engine->flush: has bytes to send */
    struct tendon__timer timer; /* connect deadline, then the probe's */
    struct tendon__engine *engine;
    struct tendon__node *node;
    struct tendon__conn conn;
    struct tendon__member member;
    struct tendon__exchange probe; /* PING, or the commands that clean */
    uint8_t probe_frame[96];
    enum tendon__channel_state state;
    bool is_lane;
    bool probing;
    bool resetting;
    bool retiring; /* a lane that takes no more requests and closes when it owes nothing */
    bool direct;   /* a caller waits in the socket itself for the one reply that is owed */
    /* The request whose caller does, when only the end of the stream can tell him of its deadline.
     */
    struct tendon__request *awaited;
    bool told_connected;
    bool probe_clean;
    uint32_t lane_index;
    uint32_t dirt;
    uint32_t turns;                            /* requests sent so far */
    uint32_t dirty_turn;                       /* the last one that began MULTI or WATCH */
    struct tendon__queued_forms *queued_forms; /* RESP2, between MULTI and EXEC */
    int64_t opened_ns;
    int64_t used_ns;  /* when something was last sent */
    int64_t asked_ns; /* when a request was */
    int64_t lifetime_ns;
    struct tendon__request *owner; /* a request with a connection of its own */
    struct tendon_lease *lease;
    struct tendon__feed *feed; /* a subscription listens to it */
    void *io;                  /* the world's */
};

/* One server. */
struct tendon__node {
    struct tendon__link link;
    struct tendon__timer timer; /* backoff's end, pool's deadline */
    struct tendon__engine *engine;
    char host[TENDON__HOST_MAX + 1];
    uint16_t port;
    char name[TENDON__FAULT_NODE_MAX];
    bool is_seed;
    bool in_map;
    bool replica;
    bool retired;
    bool wanted; /* connected without a request: min idle, watch, refresh */
    /* First the shared ones, then those of direct_lanes. */
    struct tendon__channel *lanes[TENDON__LANES_MAX];
    struct tendon__pool pool;
    struct tendon__link waiting; /* requests for a lane */
    uint32_t waiting_count;
    bool serving; /* inside tendon__node_serve, which must not nest */
    uint32_t dials;
    uint32_t failures; /* in a row */
    int64_t next_dial_ns;
    int64_t avoid_until_ns; /* a replica that is loading or has lost its primary is left alone */
    uint32_t short_lived;   /* connections in a row that ended soon after they were made */
    int64_t short_lived_ns; /* when the last of them ended */
    int64_t replaced_ns;    /* when its connections were last given up as stale; 0 never */
    bool lost;              /* a connection ended or was refused, and none was made since */
    bool held;              /* reconnect=host: waits for tendon_client_reconnect */
    struct tendon__fault fault; /* of the last failed dial */
};

/* A connection lent to one borrower. Counted: the caller and the engine hold a reference each. */
struct tendon_lease {
    struct tendon__link link;     /* engine->leases while the engine knows it */
    struct tendon__item item;     /* on its way back to the engine */
    struct tendon__link requests; /* submitted before the connection was there */
    struct tendon__memory *memory;
    tendon_client *client;
    struct tendon__engine *engine;
    struct tendon__channel *channel; /* NULL before the grant and after the end */
    struct tendon__request *opening; /* completes when the connection is there, or cannot be */
    struct tendon__feed *feed;       /* the borrower is a subscription, which learns of its end */
    uint32_t refs;                   /* atomic */
    bool closed;                     /* by its borrower */
    bool discard;
    struct tendon__fault fault; /* why there is no connection any more */
};

enum tendon__engine_kind {
    TENDON__KIND_UNKNOWN, /* mode=auto before the first connection, cluster before its first map */
    TENDON__KIND_STANDALONE,
    TENDON__KIND_CLUSTER,
};

/* What the engine asks of whoever drives it. */
struct tendon__world_ops {
    /* Begin to open a connection to channel->node; ends with engine_opened or engine_open_failed.
     */
    tendon_status (*open)(void *world, struct tendon__channel *channel);
    /* Close it now, in whatever state; `channel` is freed at the end of the turn. */
    void (*close)(void *world, struct tendon__channel *channel);
    /* An event for the watcher, if any. The fault may be NULL. `reply` is the message of PUSH and
     * the line of LOG, else NULL; it passes to the world. */
    void (*event)(void *world, uint32_t event, const struct tendon__node *node, uint32_t delay_ms,
                  const struct tendon__fault *fault, tendon_reply *reply);
    /* The same for the queue of a subscription. False when memory ran out. */
    bool (*tell)(void *world, struct tendon_subscription *subscription, uint32_t event,
                 uint32_t delay_ms, const struct tendon__fault *fault, tendon_reply *reply);
    /* Stop reading from it, or go on. */
    void (*pause)(void *world, struct tendon__channel *channel, bool paused);
};

struct tendon__engine {
    struct tendon__memory *memory;
    const struct tendon__options *options;
    const struct tendon__world_ops *ops;
    void *world;
    struct tendon__random random;
    /* The wait before the next try that was drawn last: who failed together waits together. */
    struct {
        int64_t drawn_ns; /* when */
        int64_t wait_ns;
        uint32_t attempts;
    } together;
    struct tendon__timers timers;
    struct tendon__link nodes;
    uint32_t node_count;
    struct tendon__link channels;
    uint32_t channel_count;
    uint32_t opening_count; /* of them, those that are not ready yet */
    uint32_t owed_count;    /* exchanges of them all that wait for their answers */
    struct tendon__link graveyard;
    struct tendon__link flush;
    struct tendon__link parked;
    struct tendon__link delayed;
    struct tendon__link leases;
    struct tendon__link subscriptions;
    struct tendon__link dead_feeds;
    struct tendon__link bundles; /* on the wire */
    struct tendon__link unheard; /* of them, those with outcomes to be told in this turn */
    uint32_t subscription_count;
    uint32_t feed_count;             /* the dead ones included */
    struct tendon__link told;        /* completed, for sinks that take many at a time */
    uint32_t ended_count;            /* completed and still counted in pending */
    uint32_t live_count;             /* submitted and not completed, the engine's own left out */
    uint32_t direct_count;           /* of them, those a caller waits for in the socket himself */
    struct tendon__learned *learned; /* unknown.c: names that a server was asked about */
    uint32_t learned_next;
    uint32_t part_count; /* of requests to several nodes, those that are complete included */
    struct tendon__request **ids; /* hash of requests that can be cancelled */
    size_t id_room;
    size_t id_count;
    uint32_t
        pending; /* requests accepted and not DONE; counted up by who accepts them, atomically */
    bool closed;
    bool logs;                     /* somebody watches for TENDON_EVENT_LOG */
    enum tendon__engine_kind kind; /* atomic: callers read it while they build requests */
    struct tendon__topology *map;
    struct tendon__node **map_nodes; /* of map->nodes, in its order; NULL without memory for it */
    struct tendon__owners *owners;   /* atomic: of the map of a cluster, for callers; may be NULL */
    struct tendon__refresh refresh;
    struct tendon__request *refreshing; /* the CLUSTER SLOTS under way */
    struct tendon__node *refresh_node;
    uint32_t refresh_tries;
    int64_t woken_ns; /* when those who wait for their next try were last sent off early */
    struct tendon__sink refresh_sink;
    struct tendon__redirect
        *moves; /* MOVED seen while a refresh was under way; applied again to its map */
    uint32_t move_count;
    uint32_t seed_next;
    uint32_t seed_failures; /* in a row, while the mode is unknown */
    struct tendon__timer refresh_timer;
    struct tendon__session session;
    struct tendon__decode_limits limits;
    int64_t now_ns;
    tendon_stats stats;
};

/* Kinds of timer, to find the owner again. */
enum tendon__timer_kind {
    TENDON__TIMER_REQUEST,
    TENDON__TIMER_CHANNEL,
    TENDON__TIMER_NODE,
    TENDON__TIMER_REFRESH,
    TENDON__TIMER_FEED,
    TENDON__TIMER_SUBSCRIPTION,
};

/* Internal flag of a request: it opens `lease` instead of sending anything. */
#define TENDON__REQUEST_OPEN_LEASE (1u << 31)
/* Internal flag of a request: MULTI ... EXEC, so that EXECABORT proves that nothing was executed.
 */
#define TENDON__REQUEST_TRANSACTION (1u << 30)
/* Internal flag of a request: the engine's own, not counted and not cancelled. */
#define TENDON__REQUEST_INTERNAL (1u << 29)
/* Internal flag of a request: a replica may answer it. */
#define TENDON__REQUEST_REPLICA_SAFE (1u << 28)
/* Internal flag of a request: its caller waits, wants a connection to himself, and watches its
 * deadline. */
#define TENDON__REQUEST_DIRECT (1u << 26)
/* Internal flag of a request: the table does not know its command. */
#define TENDON__REQUEST_UNKNOWN (1u << 24)
/* Internal flag of a request: it is a part of one to several nodes; not counted. */
#define TENDON__REQUEST_PART (1u << 25)
/* Internal flag of a request: its keys map to different slots. */
#define TENDON__REQUEST_CROSS_SLOT (1u << 27)

/* engine.c: life, submitting, time. */
tendon_status tendon__engine_create(struct tendon__memory *memory,
                                    const struct tendon__options *options,
                                    const struct tendon__world_ops *ops, void *world, uint64_t seed,
                                    int64_t now_ns, struct tendon__engine **out,
                                    struct tendon__fault *fault);
/* Every request has been completed by tendon__engine_close before. */
void tendon__engine_destroy(struct tendon__engine *engine);
/* Takes the engine's reference to the request. */
void tendon__engine_submit(struct tendon__engine *engine, struct tendon__request *request,
                           int64_t now_ns);
/* A command that was counted with its bundle is a request of its own from now on. */
void tendon__engine_adopt(struct tendon__engine *engine, struct tendon__request *request);
void tendon__engine_cancel(struct tendon__engine *engine, uint64_t id, int64_t now_ns);
/* Completes everything with TENDON_ERROR_CLOSED and closes every connection. */
void tendon__engine_close(struct tendon__engine *engine, int64_t now_ns);
/* Closes connections, keeps requests. */
void tendon__engine_disconnect(struct tendon__engine *engine, int64_t now_ns);
void tendon__engine_reconnect(struct tendon__engine *engine, int64_t delay_ns, int64_t now_ns);
/* Begins to open what pool_min_idle asks for, without waiting for a command. */
void tendon__engine_warm(struct tendon__engine *engine, int64_t now_ns);
void tendon__engine_tick(struct tendon__engine *engine, int64_t now_ns);
int64_t tendon__engine_deadline(const struct tendon__engine *engine);
/* Makes room for the timers of everything there is and one more of each kind. TENDON_OK or
 * _NO_MEMORY. */
tendon_status tendon__engine_reserve_timers(struct tendon__engine *engine);
/* True while something is under way that needs a driver now, not only at the deadline. */
bool tendon__engine_busy(const struct tendon__engine *engine);
/* Delivers what was completed to sinks that take many at a time; before whoever drives sleeps or
 * goes. */
void tendon__engine_tell(struct tendon__engine *engine);
/* Frees closed channels; at the end of a turn, when no callback is on the stack. */
void tendon__engine_sweep(struct tendon__engine *engine);
void tendon__engine_stats(struct tendon__engine *engine, tendon_stats *out);

/* A caller begins, and ends, to wait in the socket for the one reply that the channel owes. Ends
 * `awaited` too. */
void tendon__engine_direct(struct tendon__engine *engine, struct tendon__channel *channel,
                           bool begins);

/* What the world reports about a channel. */
void tendon__engine_opened(struct tendon__engine *engine, struct tendon__channel *channel,
                           bool tls_resumed, int64_t now_ns);
void tendon__engine_open_failed(struct tendon__engine *engine, struct tendon__channel *channel,
                                const struct tendon__fault *fault, int64_t now_ns);
void tendon__engine_received(struct tendon__engine *engine, struct tendon__channel *channel,
                             size_t size, int64_t now_ns);
/* The stream ended or broke. */
void tendon__engine_lost(struct tendon__engine *engine, struct tendon__channel *channel,
                         const struct tendon__fault *fault, int64_t now_ns);

/* request.c: ends. */
void tendon__request_ref(struct tendon__request *request);
void tendon__request_unref(struct tendon__request *request);
/* Notes why it failed, for its outcome or for what may be said of it later. */
void tendon__request_blame(struct tendon__request *request, const struct tendon__fault *fault);
/* The failure as an error for the caller. */
tendon_error *tendon__request_error(const struct tendon__request *request);
/* The failure as a fault. */
void tendon__request_fault(const struct tendon__request *request, struct tendon__fault *out);
void tendon__request_forget_replies(struct tendon__request *request);
/* Its caller no longer waits in the socket: the engine watches its deadline. */
void tendon__request_leave_socket(struct tendon__engine *engine, struct tendon__request *request);
/* Delivers the outcome: `fault` NULL means the replies are it. */
void tendon__request_complete(struct tendon__engine *engine, struct tendon__request *request,
                              const struct tendon__fault *fault);
/* As complete, with the one reply, which passes to the request; NULL is one that memory was not
 * enough for. */
void tendon__request_answer(struct tendon__engine *engine, struct tendon__request *request,
                            tendon_reply *reply);
/* As complete, with executed decided by what is known of the attempts. */
void tendon__request_fail(struct tendon__engine *engine, struct tendon__request *request,
                          const struct tendon__fault *fault);
/* Leaves whatever it waits in or is on; the caller decides what comes next. */
void tendon__request_withdraw(struct tendon__engine *engine, struct tendon__request *request,
                              enum tendon__request_state from);
/* How far its bytes have come, as far as that proves anything: of several commands that are no
   transaction some may have been executed before the last byte was sent. */
enum tendon__progress tendon__request_progress(const struct tendon__request *request,
                                               const struct tendon__channel *channel);
void tendon__request_arm(struct tendon__engine *engine, struct tendon__request *request);
void tendon__request_expired(struct tendon__engine *engine, struct tendon__request *request);

/* route.c: which node, which connection. */
void tendon__route(struct tendon__engine *engine, struct tendon__request *request);
void tendon__route_all(struct tendon__engine *engine, struct tendon__link *requests);
/* The node of the slot's primary in a cluster; NULL when the map has none. */
struct tendon__node *tendon__route_primary(struct tendon__engine *engine, uint32_t slot);
void tendon__route_to(struct tendon__engine *engine, struct tendon__request *request,
                      struct tendon__node *node);
void tendon__send_on(struct tendon__engine *engine, struct tendon__request *request,
                     struct tendon__channel *channel);
/* As send_on, in front of one of which nothing was sent. */
void tendon__send_before(struct tendon__engine *engine, struct tendon__request *request,
                         struct tendon__channel *channel, struct tendon__exchange *before);

/* retry.c: what a reply or a loss means for a request. */
/* What a refusal teaches about the servers, whatever becomes of what was refused. The host of
 * `redirect` is then as the map names it. */
void tendon__refusal_learn(struct tendon__engine *engine, struct tendon__channel *channel,
                           enum tendon__reaction reaction, struct tendon__redirect *redirect);
void tendon__judge_reply(struct tendon__engine *engine, struct tendon__channel *channel,
                         struct tendon__request *request);
void tendon__attempt_failed(struct tendon__engine *engine, struct tendon__request *request,
                            const struct tendon__fault *fault, enum tendon__progress progress);
/* A connection could not be made while the request waited for it. True: it still waits there. */
bool tendon__dial_counts(struct tendon__engine *engine, struct tendon__request *request,
                         const struct tendon__fault *fault);
bool tendon__fault_is_permanent(const struct tendon__fault *fault);
void tendon__retry_later(struct tendon__engine *engine, struct tendon__request *request,
                         int64_t wait_ns);
int64_t tendon__backoff_ns(struct tendon__engine *engine, uint32_t strategy, int64_t min_ms,
                           int64_t max_ms, uint32_t failures, bool jitter);

/* node.c: servers, their lanes and dials. */
struct tendon__node *tendon__node_find(struct tendon__engine *engine, const char *host,
                                       uint16_t port);
struct tendon__node *tendon__node_get(struct tendon__engine *engine, const char *host,
                                      uint16_t port);
void tendon__node_free(struct tendon__engine *engine, struct tendon__node *node);
struct tendon__channel *tendon__node_lane(struct tendon__node *node);
/* A ready lane that owes nothing, for one caller; NULL when there is none yet. */
struct tendon__channel *tendon__node_free_lane(struct tendon__node *node);
void tendon__node_wait(struct tendon__node *node, struct tendon__request *request);
void tendon__node_serve(struct tendon__node *node);
/* Every connection there may be is lent, so that there can be no lane until one comes back. */
bool tendon__node_is_lent(const struct tendon__node *node);
/* A command has waited longer for a lane than the next borrower for a connection, and all are lent.
 */
bool tendon__node_lane_is_next(const struct tendon__node *node);
/* The connection that comes back is closed, and a lane takes its place. */
void tendon__node_swap_for_lane(struct tendon__node *node, struct tendon__member *member);
void tendon__node_want_lane(struct tendon__node *node);
void tendon__node_dial_failed(struct tendon__node *node, struct tendon__channel *channel,
                              const struct tendon__fault *fault);
void tendon__node_dial_succeeded(struct tendon__node *node);
void tendon__node_tick(struct tendon__node *node);
void tendon__node_arm(struct tendon__node *node);
/* Connections have changed hands: whoever can be served now is. */
void tendon__node_settle(struct tendon__node *node);
/* A borrower waits and the node may have no more connections: a lane that nobody needs makes room.
 */
void tendon__node_yield_lane(struct tendon__node *node);
/* Frees nodes that have left the map and that nothing refers to. */
void tendon__node_sweep(struct tendon__engine *engine);
/* Its connections are suspect: idle ones close now, lanes after their last reply. */
void tendon__node_drain(struct tendon__node *node, enum tendon__close_reason reason);

/* channel.c: connections. */
struct tendon__channel *tendon__channel_open(struct tendon__node *node, bool is_lane,
                                             uint32_t lane_index, struct tendon__fault *fault);
/* Ends it: its requests are judged as lost with `fault`. */
void tendon__channel_close(struct tendon__channel *channel, enum tendon__close_reason reason,
                           const struct tendon__fault *fault);
void tendon__channel_free(struct tendon__channel *channel);
void tendon__channel_expired(struct tendon__channel *channel);
void tendon__channel_flush(struct tendon__channel *channel);
void tendon__channel_arm(struct tendon__channel *channel);
void tendon__channel_settle(struct tendon__channel *channel);
extern const struct tendon__pool_ops tendon__node_pool_ops;

/* form.c: the one form of replies, for connections that speak RESP2. What MULTI, EXEC, and DISCARD
 * or RESET have in the place of a form: */
#define TENDON__FORM_BEGINS 0xfffdu
#define TENDON__FORM_EXEC   0xfffeu
#define TENDON__FORM_ENDS   0xffffu
/* The connection's current reply, to this request, in its form. NULL when memory ran out. */
tendon_reply *tendon__form_take(struct tendon__channel *channel,
                                const struct tendon__request *request);
/* A reply nobody waits for still says what a transaction queued. */
void tendon__form_note(struct tendon__channel *channel, const struct tendon__request *request);
void tendon__form_forget(struct tendon__channel *channel);

/* unknown.c: true when the request waits until a server has said what its command is. */
bool tendon__unknown_waits(struct tendon__engine *engine, struct tendon__request *request);
void tendon__unknown_close(struct tendon__engine *engine, const struct tendon__fault *fault);

/* log.c: lines for a person. `cause` may be NULL; nothing is written while nobody watches. */
void tendon__log(struct tendon__engine *engine, uint32_t level, const struct tendon__fault *cause,
                 const char *format, ...) __attribute__((format(printf, 4, 5)));
/* About the end of a connection that had been ready. */
void tendon__log_close(const struct tendon__channel *channel, enum tendon__close_reason reason,
                       const struct tendon__fault *fault);

/* map.c: the cluster map and where it comes from. */
void tendon__map_start(struct tendon__engine *engine);
void tendon__map_need(struct tendon__engine *engine);
void tendon__map_trigger(struct tendon__engine *engine);
/* The same, when a command waits for a shard whose primary is gone. */
void tendon__map_urge(struct tendon__engine *engine);
void tendon__map_learned(struct tendon__engine *engine, struct tendon__node *node,
                         const struct tendon__conn_facts *facts);
void tendon__map_seed_failed(struct tendon__engine *engine, struct tendon__node *node,
                             const struct tendon__fault *fault);
void tendon__map_moved(struct tendon__engine *engine, const struct tendon__redirect *redirect);
void tendon__map_tick(struct tendon__engine *engine);
void tendon__map_deinit(struct tendon__engine *engine);

/* borrow.c: leases and connections of a request's own. */
/* The fault of a borrower that waited too long. */
void tendon__pool_timeout(const struct tendon__node *node, int64_t waited_ns,
                          struct tendon__fault *fault);
/* The fault of somebody who may not wait at all. */
void tendon__pool_exhausted(const struct tendon__node *node, struct tendon__fault *fault);
void tendon__borrow(struct tendon__engine *engine, struct tendon__request *request,
                    struct tendon__node *node);
/* With a reference for its borrower and one for the engine. NULL when memory ran out. */
struct tendon_lease *tendon__lease_make(struct tendon__engine *engine);
void tendon__lease_granted(struct tendon__engine *engine, struct tendon__request *request,
                           struct tendon__channel *channel);
void tendon__lease_lost(struct tendon_lease *lease, const struct tendon__fault *fault);
void tendon__lease_submit(struct tendon__engine *engine, struct tendon__request *request);
/* The borrower gives it back; drops the engine's reference. */
void tendon__lease_end(struct tendon__engine *engine, struct tendon_lease *lease);
void tendon__give_back(struct tendon__channel *channel, bool discard);
void tendon__lease_unref(struct tendon_lease *lease);

#endif
