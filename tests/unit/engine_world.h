/*
 * A small world for the engine: fake servers, connections and a clock, driven step by step from one
 * thread. The engine is called as the driver calls it; after every step the world checks what must
 * hold between the engine, its pools and its connections. The servers and what they answer are in
 * engine_server.c.
 */
#ifndef TENDON_TEST_ENGINE_WORLD_H
#define TENDON_TEST_ENGINE_WORLD_H

#include "client/engine.h"
#include "counting_memory.h"

#define WORLD_SERVERS  8
#define WORLD_RULES    32
#define WORLD_EVENTS   16
#define WORLD_KEYS     65536 /* different keys whose executions are counted, at most half of it */
#define WORLD_KEY_MAX  23
#define WORLD_QUEUED   16 /* commands of one MULTI */
#define WORLD_ARGS     16
#define WORLD_EXTERNAL 255 /* as the owner of a slot: nobody */
#define WORLD_SHOWN    128
#define WORLD_NAMES    64 /* subscribed on one connection */

struct world;

struct world_bytes {
    char *data;
    size_t size;
    size_t room;
};

struct world_args {
    tendon_bytes list[WORLD_ARGS];
    uint32_t count;
};

struct world_server {
    char host[32];
    uint16_t port;
    int replica_of; /* -1: a primary */
    bool down;      /* refuses connections */
    bool dark;      /* connecting hangs */
    bool frozen;    /* takes bytes and does nothing with them */
    bool no_hello;  /* an old server: RESP2 only */
    const char *password;
    uint32_t accepted;
};

/* What a rule makes of a command it matches. */
enum world_act {
    WORLD_ANSWER,      /* `reply` instead of executing it */
    WORLD_SWALLOW,     /* executed, its reply is kept back until world_release */
    WORLD_CLOSE,       /* not executed, the connection ends */
    WORLD_CLOSE_AFTER, /* executed, the connection ends without an answer */
};

struct world_rule {
    int server; /* -1: any */
    char command[16];
    enum world_act act;
    char reply[200];
    uint32_t times; /* left */
};

/* One connection: the server's end and the engine's. */
struct world_wire {
    struct tendon__link link;
    struct world *world;
    struct tendon__channel *channel; /* NULL when the engine has closed it */
    uint32_t server;
    uint32_t serial;
    bool open;
    bool broken;   /* ended by the server; what it said before is still delivered */
    size_t budget; /* bytes the socket still takes */
    bool doomed;   /* lost when the budget is used up; what was taken is executed */
    struct world_bytes in;
    struct world_bytes out;
    struct world_bytes held; /* replies kept back, and all later ones */
    bool holding;
    /* Session. */
    bool resp3;
    bool authenticated;
    bool asking;
    bool read_only;
    bool watching;
    bool blocked; /* in a BLPOP without an element */
    bool multi;
    bool multi_asking;
    bool aborted;
    uint32_t queued_count;
    struct world_bytes queued[WORLD_QUEUED];
    /* Subscriptions: a mark of the kind, and the name. */
    char names[WORLD_NAMES][WORLD_KEY_MAX + 1];
    uint32_t name_count;
    bool paused; /* the engine does not want to read */
};

/* One request of a test and what became of it. */
struct world_call {
    struct tendon__sink sink;
    struct world *world;
    struct tendon__request *request; /* NULL after the outcome */
    struct tendon_lease *lease;      /* of world_lease */
    uint64_t id;
    bool on_lease; /* sent on a lease */
    uint32_t outcomes;
    tendon_status status;
    uint32_t executed;
    uint32_t attempts;
    uint32_t redirects;
    uint32_t reply_count;
    char reply[WORLD_SHOWN]; /* the first, as "+OK", "-ERR x", ":1", "$text", "_", "*3" */
    char last[WORLD_SHOWN];  /* the last of a group */
    char key[WORLD_KEY_MAX + 1];
    struct tendon__fault fault;
    int64_t deadline_ns;
    int64_t done_ns;
    uint32_t done_place; /* how many calls were done before it */
};

struct world_key {
    char key[WORLD_KEY_MAX + 1];
    uint32_t executed;
};

struct world {
    struct counting_memory memory;
    struct tendon__options options;
    struct tendon__engine *engine;
    int64_t now_ns;
    uint32_t done_count;
    bool cluster;
    bool serve_unknown_slots; /* servers do not check who owns a slot */
    struct world_server servers[WORLD_SERVERS];
    uint32_t server_count;
    uint8_t owner[TENDON__SLOT_COUNT];
    struct world_rule rules[WORLD_RULES];
    uint32_t rule_count;
    struct tendon__link wires;
    uint32_t wire_serial;
    size_t read_chunk;      /* bytes delivered at once */
    size_t write_chunk;     /* bytes taken at once */
    uint32_t open_refusals; /* calls of ops->open that fail before one succeeds */
    struct world_call **calls;
    size_t call_count;
    size_t call_room;
    size_t settled; /* calls at the front that have had their outcome */
    uint64_t next_id;
    uint64_t accepted; /* calls the engine has to complete */
    uint64_t completed;
    uint32_t events[WORLD_EVENTS];
    bool has_told_before_push; /* outcomes that came before the last push were to be told first */
    char lines[4096];          /* of TENDON_EVENT_LOG, a newline after each; later ones are cut */
    uint32_t level;            /* of the last */
    uint32_t slots_asked;      /* CLUSTER SLOTS answered */
    uint32_t cleanings;        /* DISCARD seen */
    uint32_t askings;
    char last_log[64]; /* the last command a server saw */
    struct world_key *keys;
    /* Of subscriptions. */
    char heard[8192]; /* what was told, in order, ';' between */
    uint32_t deaf;    /* that many times telling fails for want of memory */
    uint32_t gaps;
    bool charges; /* every message told counts 100 bytes against the buffer, until taken back */
};

/* How a request is made; zeroed: as the command table says, with the options' deadline. */
struct world_how {
    uint32_t flags;
    int64_t timeout_ms;
    struct tendon_lease *lease;
    uint32_t route;
    const char *node;
};

/* A world of one standalone server, "localhost:6379". Change servers, then start it. */
void world_init(struct world *world);
/* Servers "n0".."n<primaries - 1>" on 6379 with equal shares of the slots, then `replicas` more,
 * one each. */
void world_make_cluster(struct world *world, uint32_t primaries, uint32_t replicas);
/* Creates the engine with options "name=value", up to a NULL. */
void world_start(struct world *world, const char *const *options, uint64_t seed);
/* Closes and destroys everything, then checks that each call had one outcome and that memory is
 * balanced. */
void world_stop(struct world *world);

/* A command is written as words; those of a group are separated by '|'. */
struct world_call *world_submit(struct world *world, const char *command);
struct world_call *world_submit_as(struct world *world, const char *command, struct world_how how);
struct world_call *world_lease(struct world *world, const char *key, int64_t timeout_ms);
void world_lease_close(struct world_call *call, bool discard);
void world_cancel(struct world *world, struct world_call *call);

/* Everything that can happen now happens. */
void world_run(struct world *world);
/* One round of it: openings, writes, reads. True when anything happened. */
bool world_step(struct world *world);
/* Time passes, deadline by deadline. */
void world_advance(struct world *world, int64_t ms);
/* Submit and run. */
struct world_call *world_do(struct world *world, const char *command);

void world_rule(struct world *world, int server, const char *command, enum world_act act,
                const char *reply, uint32_t times);
/* Delivers what WORLD_SWALLOW kept back. */
void world_release(struct world *world);
/* Ends a connection or all of a server's; unread bytes are executed first if `execute`. */
void world_cut(struct world *world, struct world_wire *wire, bool execute);
void world_cut_server(struct world *world, uint32_t server, bool execute);
/* From now on each open connection of the server takes this many bytes. */
void world_budget(struct world *world, uint32_t server, size_t bytes);
/* As budget, and then they are lost. */
void world_doom(struct world *world, uint32_t server, size_t bytes);
uint32_t world_executed(const struct world *world, const char *key);
struct world_wire *world_wire_at(struct world *world, uint32_t index);
uint32_t world_wire_count(const struct world *world);
void world_own(struct world *world, uint32_t first, uint32_t last, uint32_t server);
/* Asserts what must hold between steps. */
void world_check(struct world *world);

/* engine_pubsub.c */
/* A subscription, which the test gives back by world_deafen. */
struct tendon_subscription *world_listen(struct world *world);
void world_deafen(struct world *world, struct tendon_subscription *subscription);
/* A command of it, without a deadline; runs. Its outcome is heard as "=:2" or "=error -3". */
struct world_call *world_say(struct world *world, struct tendon_subscription *subscription,
                             const char *command);
struct world_call *world_say_as(struct world *world, struct tendon_subscription *subscription,
                                const char *command, int64_t timeout_ms);
/* What was heard is exactly this; it is forgotten. */
void world_expect(struct world *world, const char *text);
/* The first connection that is a subscription's, NULL when there is none. */
struct world_wire *world_feed(struct world *world);
/* The server says this on it; runs. */
void world_push(struct world *world, struct world_wire *wire, const char *raw);
void world_publish(struct world *world, const char *channel, const char *payload);
/* The slot of the key moves; who owned it gives up its subscriptions. */
void world_move(struct world *world, const char *key, uint32_t server);
/* Used inside: the engine's operations, and what the servers do. */
bool world_tell(void *context, struct tendon_subscription *subscription, uint32_t event,
                uint32_t delay_ms, const struct tendon__fault *fault, tendon_reply *reply);
void world_pause(void *context, struct tendon__channel *channel, bool paused);
void world_outcome(struct world *world, const struct world_call *call);
bool world_serve_pubsub(struct world_wire *wire, const struct world_args *args);
struct world_call *world_call_make(struct world *world);
void world_hand_over(struct world_call *call, struct tendon__request *request);
const char *world_split(const char *at, struct world_args *args);

/* engine_server.c */
void world_bytes_add(struct world_bytes *bytes, const void *data, size_t size);
void world_bytes_cut(struct world_bytes *bytes, size_t size);
void world_bytes_free(struct world_bytes *bytes);
/* Executes every complete command that has come. */
void world_serve(struct world_wire *wire);
void world_wire_free(struct world_wire *wire);

#endif
