/*
 * The simulated world that proves the engine: network, servers, DNS, callers and a clock, from one
 * seed, in one process, without real time. `sim --seed N` replays a world exactly.
 *
 * The model. Time is a number; everything that happens is an event in one heap (event.c). A link
 * (dial.c, link.c, pipe.c) is one TCP connection: two pipes whose bytes arrive later, in pieces,
 * slowly or never. Names are resolved by dns.c to addresses, which are servers. A server (server.c,
 * serve.c, session.c) reads RESP from its links and executes commands on its own data (data.c);
 * replicas follow with a lag; a cluster (cluster.c, migrate.c, failover.c) has a true configuration
 * that its nodes learn at different times. Storms (faults.c) break things, callers (program.c,
 * callers.c, lease.c) use the engine, and the engine is driven in turns (turn.c) as
 * lib/client/driver.c and io.c do it.
 *
 * Every command carries a token of its own as an argument "#<n>", which the servers put into their
 * replies where the protocol leaves room. So an execution, a reply and a call can be matched.
 *
 * What must hold, whatever happens (check.c):
 *   replies     a call gets only replies that a server made for its own commands, all of a group
 *               from one connection
 *   outcomes    exactly one per call, by its deadline plus a tick
 *   executed    what is reported "no" is never executed, also not later; what is reported "yes" was
 *   twice       what is not idempotent is executed at most once
 *   lost        what was acknowledged is in the data at the end, unless the servers lost it
 *   leases      no command finds MULTI, WATCH or another database left by somebody else; ASKING is
 *               followed by the command it was for
 *   budgets     dials of a failing node keep their backoff; refreshes of the map keep their gap
 *   messages    what a server tells a connection arrives in order, once, until it is lost; nothing
 *               of a name that is not subscribed; a gap is told of what was missed, when all names
 *               are there again, and of nothing else
 *   structure   counts of pools, lanes and dials agree with the connections there are (engine.c)
 *   recovery    when the world has healed every new call succeeds
 *   baseline    at rest nothing is pending, waiting, leased or owed; after destroy no memory is
 * left
 */
#ifndef TENDON_TEST_SIM_H
#define TENDON_TEST_SIM_H

#include <setjmp.h>

#include "../unit/counting_memory.h"
#include "client/engine.h"
#include "servers.h"

/* ---- callers.c, lease.c ---- */

struct sim_call {
    struct tendon__sink sink;
    struct sim *sim;
    struct tendon__request *request; /* NULL after the outcome */
    struct tendon__link open;        /* sim->open_calls */
    uint32_t index;
    uint64_t id;
    uint32_t first_token;
    uint32_t count;
    uint32_t lease; /* 1 + index of the lease it is on or opens */
    bool opens_lease;
    bool must_succeed;
    bool is_transaction;
    bool is_bundled;   /* `request` is its bundle, as long as it is in it */
    int caller;        /* who goes on after it; -1 nobody */
    uint32_t listener; /* 1 + index of the one whose it is */
    uint32_t names;    /* it is about, a bit each; none: PING */
    bool joins;
    uint32_t outcomes;
    tendon_status status;
    uint32_t executed;
    uint32_t attempts;
    bool final_error; /* the last reply is an error */
    int64_t submit_ns;
    int64_t deadline_ns;
    int64_t done_ns;
    enum tendon__request_state seen; /* state at the end of the last turn */
    char reply[SIM_SHOWN];           /* the last one */
    char text[SIM_SHOWN];            /* of the fault */
};

struct sim_lease {
    struct tendon_lease *lease; /* NULL when it has been given back */
    uint32_t opening;           /* call */
    uint32_t tag;
    bool granted;
    bool in_multi;
    bool watch_ok;
    bool unsure;
    bool selected;
    uint32_t pending;
};

enum sim_habit { SIM_HABIT_MIXED, SIM_HABIT_WRITER, SIM_HABIT_LEASE, SIM_HABIT_BURST, SIM_HABITS };

struct sim_caller {
    enum sim_habit habit;
    uint32_t lease; /* 1 + index, 0 none */
    uint32_t steps; /* of the program on the lease */
    int64_t think_ns;
    bool stopped;
};

/* One command to be written: "verb key", made of parts. */
struct sim_ask {
    struct sim_command commands[SIM_QUEUED];
    uint32_t count;
    uint32_t flags;
    uint32_t route;
    int64_t timeout_ms;
    uint32_t lease; /* 1 + index */
    char node[24];  /* with TENDON_ROUTE_NODE */
    bool must_succeed;
    int caller;
};

#define SIM_WORD_MAX 40

/* The words of one command; texts live in `words`. */
struct sim_words {
    char words[SIM_ARGS][SIM_WORD_MAX];
    tendon_bytes args[SIM_ARGS];
    uint32_t count;
    char *payload; /* to be freed */
};

void sim_write_words(struct sim_words *words, const struct sim_command *command);
void sim_add_tokens(struct sim *sim, struct sim_call *call, struct sim_ask *ask);
struct sim_call *sim_submit(struct sim *sim, struct sim_ask *ask);
/* The outcome of a call; `request` is the caller's. */
void sim_ended(struct sim_call *call, struct tendon__request *request);
void sim_begin_call(struct sim_call *call, struct tendon__request *request);
/* bundle.c: commands of one call, each with an outcome of its own. Without a caller. */
void sim_submit_bundle(struct sim *sim, struct sim_ask *asks, uint32_t count);
/* Whether it has left its bundle, or has been answered there. */
bool sim_has_left_bundle(const struct sim_call *call);
struct sim_call *sim_make_call(struct sim *sim, int caller);
void sim_hand_over(struct sim_call *call, struct tendon__request *request);
void sim_step_out(struct sim *sim);
void sim_cancel(struct sim *sim, uint32_t call, uint32_t unused);
void sim_caller_step(struct sim *sim, uint32_t caller, uint32_t unused);
void sim_caller_lease_step(struct sim *sim, uint32_t caller);
void sim_caller_goes_on(struct sim *sim, int caller);
/* A call that opened or used a lease has ended. */
void sim_lease_outcome(struct sim *sim, const struct sim_call *call);
uint32_t sim_lease_open(struct sim *sim, uint32_t tag, int caller, int64_t timeout_ms,
                        bool must_succeed);
void sim_lease_close(struct sim *sim, uint32_t lease, bool discard);
uint8_t sim_key(uint32_t tag, char type);
void sim_key_name(uint8_t key, char out[16]);

/* ---- listen.c ---- */

struct sim_listener {
    struct tendon_subscription *subscription; /* NULL when closed */
    uint32_t wanted;   /* names, a bit each: by the last command that was about it */
    uint32_t told;     /* confirmed, and not given up */
    uint32_t steady;   /* wanted and told, and no command about it is under way */
    uint32_t messages; /* names of which one was heard */
    uint32_t losses;   /* that a gap may be told of */
    uint32_t last[SIM_KINDS * SIM_TAGS]; /* the last call about it */
    bool owed_a_gap;                     /* a message was missed since the last one */
    uint32_t cut_off; /* names of which one was missed by a server that was cut off: a gap is owed
                       * as long as they are subscribed, when its connection ends */
    bool collects;
};

bool sim_tell(void *world, struct tendon_subscription *subscription, uint32_t event,
              uint32_t delay_ms, const struct tendon__fault *fault, tendon_reply *reply);
void sim_pause(void *world, struct tendon__channel *channel, bool paused);
/* Something happened that a gap will be told of. */
void sim_listener_loses(struct sim *sim, const struct tendon_subscription *subscription);
void sim_listener_crosses(struct sim *sim, const struct tendon_subscription *subscription,
                          uint32_t tag);
/* The engine is closing it. */
void sim_listener_lost_link(struct sim *sim, const struct sim_link *link);
/* A message of this name was published, and reached these listeners; others could not know that
 * their server is `cut_off`. */
void sim_listeners_missed(struct sim *sim, uint32_t name, uint32_t reached, uint32_t cut_off);
void sim_listener_outcome(struct sim *sim, struct sim_call *call,
                          const struct tendon__request *request);
void sim_listeners_begin(struct sim *sim);
void sim_listeners_check(struct sim *sim);
void sim_listeners_end(struct sim *sim);

/* ---- outcome.c, check.c, engine.c ---- */

void sim_check_outcome(struct sim *sim, struct sim_call *call, struct tendon__request *request);
void sim_check_turn(struct sim *sim);
void sim_check_end(struct sim *sim);
void sim_check_rest(struct sim *sim);
void sim_check_dial(struct sim *sim, const struct tendon__node *node);
/* A dial of this node ended: its handshake was done, or it failed. */
void sim_note_dial(struct sim *sim, const char *name, bool succeeded);
/* Whether the connection that is reading its handshake has just become ready. */
void sim_check_greeting(struct sim *sim);
void sim_check_refresh(struct sim *sim);
void sim_check_slots_asked(struct sim *sim);
/* What is wrong between the engine, its pools and its connections; NULL when nothing is. */
const char *sim_check_engine(const struct tendon__engine *engine, char out[SIM_SHOWN]);

/* What the checks remember of one node of the engine, by name. */
struct sim_dialled {
    char name[TENDON__FAULT_NODE_MAX];
    uint32_t failures; /* in a row */
    int64_t failed_ns; /* the last one */
    int64_t window_ns;
    uint32_t window_count;
};

#define SIM_NAME 32

/* The owner of a tag's slot as the engine's map has it, and before a MOVED that came while the map
 * was being asked for. */
struct sim_known {
    char now[SIM_NAME];
    char before[SIM_NAME];
    int64_t moved_ns;    /* when it was led away from there */
    char said[SIM_NAME]; /* where the last MOVED for it led, since it changed last */
    char led[SIM_NAME];  /* where the last one led at all, and when it was said */
    int64_t led_ns;
};

/* ---- world.c, turn.c ---- */

struct sim {
    uint64_t seed;
    struct tendon__random random;
    struct counting_memory memory;
    struct tendon__options options;
    struct tendon__engine *engine;
    int64_t now_ns;
    int64_t turn_ns; /* when the driver wakes */
    int64_t paused_until_ns;
    int64_t paused_ns; /* beginning of the last pause */
    bool in_turn;
    bool healed;
    bool closed;
    bool cluster;
    bool one_host; /* nodes differ in their port only */
    bool storm;
    bool by_queue;     /* outcomes are told together at the end of a turn */
    bool strict;       /* calls of the calm have to succeed */
    bool seed_is_gone; /* the configuration endpoint never heals */
    struct sim_event *events;
    uint32_t event_count;
    uint32_t event_room;
    uint64_t event_order;
    struct sim_link **links;
    uint32_t link_count;
    uint32_t link_room;
    uint32_t first_live; /* links before it are closed on both ends */
    uint32_t *ready;
    uint32_t ready_count;
    uint32_t ready_room;
    struct sim_server servers[SIM_SERVERS];
    uint32_t server_count;
    struct sim_view truth;
    struct sim_view views[SIM_SERVERS];
    struct sim_migration migration;
    uint32_t epochs;
    uint32_t uncovered_slot; /* nobody serves it for a while */
    uint8_t uncovered_owner; /* who has its data; SIM_NOBODY: there is no such slot */
    uint32_t slot_of_tag[SIM_TAGS];
    struct sim_name names[SIM_SERVERS + 4];
    uint32_t name_count;
    struct sim_write *writes;
    uint32_t write_count;
    uint32_t write_room;
    struct sim_token *tokens;
    uint32_t token_count;
    uint32_t token_room;
    struct sim_call **calls;
    uint32_t call_count;
    uint32_t call_room;
    struct tendon__link open_calls;
    uint64_t accepted;
    uint64_t completed;
    struct sim_lease leases[512];
    uint32_t lease_count;
    struct sim_caller callers[SIM_CALLERS];
    uint32_t caller_count;
    uint32_t calls_left;
    struct sim_listener listeners[SIM_LISTENERS];
    uint32_t listener_count;
    bool crowded;     /* the pools may be too small for the listeners */
    uint32_t weather; /* which faults may happen, a bit each */
    int64_t fault_gap_ns;
    int64_t latency_ns;
    int64_t lag_ns;       /* of replicas, at most */
    int64_t wake_late_ns; /* how late the driver wakes for a deadline */
    uint32_t partial_percent;
    uint32_t drip_percent;
    uint32_t close_on_readonly; /* as ElastiCache: a write on a replica ends the connection */
    uint32_t push_percent;
    bool memory_refusing;
    bool starved; /* memory was refused at some time */
    struct sim_known known[SIM_TAGS];
    uint64_t map_refreshes;
    int64_t question_ns; /* when the node was asked for the map that is asked now */
    uint64_t map_moved;
    uint32_t open_refusals;
    struct sim_dialled dialled[SIM_SERVERS + 8];
    uint32_t dialled_count;
    const char *greeting; /* node of the connection that reads its handshake */
    uint64_t created;     /* connections before that */
    int64_t refresh_ns;   /* when the last round of questions ended */
    uint64_t refresh_rounds;
    uint32_t urgent_rounds; /* that did not wait for the gap */
    bool refresh_seen;
    int64_t slots_window_ns;
    uint32_t slots_in_window;
    /* Telling. */
    bool tracing;
    bool printing;
    uint64_t trace_hash;
    char (*trace)[SIM_SHOWN + 64];
    uint32_t trace_count;
    jmp_buf *escape;
    char complaint[512];
    uint32_t *cover;
    const char *extra_options; /* of the command line */
};

/* Runs one world. False: `sim->complaint` says what did not hold. */
bool sim_run(struct sim *sim, uint64_t seed);
void sim_turn(struct sim *sim);
void sim_want_turn(struct sim *sim, int64_t when_ns);
/* Until then everything that happens, happens. */
void sim_until(struct sim *sim, int64_t until_ns);
void sim_choose_options(struct sim *sim);
void sim_storm(struct sim *sim);
void sim_calm(struct sim *sim);

#endif
