/* Links, names, servers and the cluster they form. */
#ifndef TENDON_TEST_SIM_SERVERS_H
#define TENDON_TEST_SIM_SERVERS_H

#include "base.h"
#include "client/engine.h"

/* ---- server.c, execute.c: what servers understand ---- */

enum sim_verb {
    SIM_GET,
    SIM_SET,
    SIM_INCR,
    SIM_APPEND,
    SIM_MGET,
    SIM_DEL,
    SIM_LPUSH,
    SIM_BLPOP,
    SIM_PING,
    SIM_MULTI,
    SIM_EXEC,
    SIM_DISCARD,
    SIM_WATCH,
    SIM_UNWATCH,
    SIM_SELECT,
    SIM_HELLO,
    SIM_AUTH,
    SIM_CLIENT,
    SIM_READONLY,
    SIM_ASKING,
    SIM_CLUSTER,
    SIM_SUBSCRIBE, /* these in the order of enum sim_kind, each with its opposite */
    SIM_UNSUBSCRIBE,
    SIM_PSUBSCRIBE,
    SIM_PUNSUBSCRIBE,
    SIM_SSUBSCRIBE,
    SIM_SUNSUBSCRIBE,
    SIM_VERBS
};

/* Names to subscribe to are numbers: kind * SIM_TAGS + tag. */
enum sim_kind { SIM_CHANNELS, SIM_PATTERNS, SIM_SHARDED, SIM_KINDS };

struct sim_command {
    enum sim_verb verb;
    uint32_t token;     /* 0: one of the engine's own */
    uint32_t number;    /* SELECT's database */
    uint32_t payload;   /* bytes of a value */
    int64_t timeout_ns; /* of BLPOP */
    uint8_t key_count;
    uint8_t keys[8];
};

/* A reply as bytes and as one canonical text, equal to that of the tape a client reads. */
struct sim_reply {
    struct sim_bytes raw;
    char text[SIM_SHOWN];
    uint64_t hash;
    bool is_error;
};

void sim_say_status(struct sim_reply *reply, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void sim_say_error(struct sim_reply *reply, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void sim_say_integer(struct sim_reply *reply, int64_t value);
void sim_say_string(struct sim_reply *reply, const char *text, uint32_t padding);
void sim_say_null(struct sim_reply *reply, bool resp3);
void sim_say_head(struct sim_reply *reply, char mark, uint32_t count);
void sim_say_reset(struct sim_reply *reply);
/* The same text and hash of what a client got. */
void sim_show_reply(const tendon_reply *reply, char text[SIM_SHOWN], uint64_t *hash);

struct sim_session {
    bool resp3;
    bool authenticated;
    bool asking;
    bool read_only;
    bool multi;
    bool multi_asking;
    bool aborted;
    bool blocked;
    bool watching;
    bool watch_lost;
    uint32_t db;
    uint32_t multi_owner; /* whose they are, see sim_owner; 0 nobody's */
    uint32_t watch_owner;
    uint32_t db_owner;
    uint32_t watch_count;
    struct {
        uint8_t key;
        uint32_t version;
    } watched[8];
    struct sim_command waiting; /* while blocked */
    uint32_t block_serial;
    uint32_t queued_count;
    struct sim_command queued[SIM_QUEUED];
    uint32_t names; /* subscribed, a bit each */
};

/* ---- pipe.c, link.c ---- */

struct sim_chunk {
    size_t size;
    int64_t arrive_ns;
};

struct sim_pipe {
    struct sim_bytes bytes; /* sent and not yet read */
    size_t arrived;         /* of them, how many can be read */
    struct sim_chunk *chunks;
    uint32_t chunk_first;
    uint32_t chunk_count;
    uint32_t chunk_room;
    int64_t last_ns; /* when the latest arrives */
    bool held;       /* nothing arrives for now */
    bool ended;      /* nothing comes behind these bytes */
};

enum sim_link_state { SIM_RESOLVING, SIM_CONNECTING, SIM_OPEN, SIM_CLOSED };

struct sim_link {
    uint32_t index;
    struct tendon__channel *channel; /* NULL when the engine has closed it */
    enum sim_link_state state;
    /* Dialling, as lib/net/dial.c does it. */
    bool resolved;
    bool resolve_failed;
    uint8_t addresses[SIM_ADDRESSES];
    uint32_t address_count;
    uint32_t address_index;
    uint32_t attempt;   /* counts, so that late answers of an earlier one are not taken */
    int connect_result; /* 0 nothing yet, 1 accepted, -1 refused */
    int64_t deadline_ns;
    int64_t attempt_end_ns;
    /* The client's end. */
    struct sim_pipe up;   /* to the server */
    struct sim_pipe down; /* to the client */
    size_t window;        /* bytes the way up takes */
    bool ready;           /* something for the next turn */
    bool write_blocked;
    bool write_wakes;   /* room has come, or the pause of a partial write is over */
    const char *broken; /* the kernel reports it */
    int64_t held_ns;    /* since when nothing arrives; SIM_NEVER */
    int64_t unacked_ns; /* since when something is on its way up in vain; SIM_NEVER */
    bool drips;
    bool was_ready; /* its handshake was done */
    bool greeting;  /* the engine is reading an answer to the handshake */
    bool paused;    /* the engine does not want to read */
    uint8_t *told;  /* the name of every message the server has sent on it */
    uint32_t told_count;
    uint32_t told_room;
    uint32_t heard; /* so many of them the listener has got */
    /* The server's end. */
    uint32_t server;
    bool accepted; /* the server's end is open */
    struct sim_bytes query;
    struct sim_session session;
    bool serving;
};

extern const struct tendon__world_ops sim_world_ops;
/* Bytes of a server towards its client, or of a client towards its server. */
void sim_pipe_send(struct sim *sim, struct sim_link *link, bool up, const void *data, size_t size);
/* Breaks it at some byte of each direction; `polite` keeps everything already sent. */
void sim_link_cut(struct sim *sim, struct sim_link *link, bool polite);
void sim_link_hold(struct sim *sim, struct sim_link *link);
void sim_link_release(struct sim *sim, struct sim_link *link);
/* Bytes were written into a link that may be held: the kernel begins to count. */
void sim_pipe_written(struct sim *sim, struct sim_link *link);
/* The server has taken bytes: there is room for more. */
void sim_link_drained(struct sim *sim, struct sim_link *link);
/* What a turn does with one link, and with one that has bytes to send. */
void sim_link_step(struct sim *sim, struct sim_link *link);
void sim_link_write(struct sim *sim, struct sim_link *link);
void sim_link_ready(struct sim *sim, struct sim_link *link);
void sim_link_free(struct sim_link *link);
bool sim_link_is_idle(const struct sim_link *link);
/* The server closes its end; what it has said still arrives. */
void sim_server_hang_up(struct sim *sim, struct sim_link *link);

/* ---- dial.c ---- */

tendon_status sim_dial_open(void *world, struct tendon__channel *channel);
void sim_dial_step(struct sim *sim, struct sim_link *link);

/* ---- dns.c ---- */

struct sim_name {
    char name[16];
    uint8_t addresses[SIM_ADDRESSES];
    uint32_t count;
    uint8_t old[SIM_ADDRESSES]; /* answered until fresh_ns, and sometimes until steady_ns */
    uint32_t old_count;
    int64_t fresh_ns;
    int64_t steady_ns;
    int64_t fails_until_ns;
    int64_t hangs_until_ns;
};

void sim_name_add(struct sim *sim, const char *name, const uint8_t *addresses, uint32_t count);
/* From some time on it is answered with these; `flaps`: for a while with either. */
void sim_name_point(struct sim *sim, const char *name, const uint8_t *addresses, uint32_t count,
                    int64_t delay_ns, int64_t flap_ns);
struct sim_name *sim_name_find(struct sim *sim, const char *name);
/* Starts the lookup for a link; its answer makes the link ready. */
void sim_resolve(struct sim *sim, struct sim_link *link, const char *name);

/* ---- data.c: data of a server, replication, and the log of executions ---- */

struct sim_value {
    bool exists;
    int64_t number;
    uint32_t last; /* token of the last write */
    uint32_t length;
    uint32_t padding;
    uint32_t version;
};

struct sim_write {
    uint32_t server;
    uint32_t epoch;
    struct sim_command command;
    uint8_t popped; /* BLPOP took this key */
};

/* One command of a call. */
struct sim_token {
    uint32_t call;
    struct sim_command command;
    bool writes;
    bool repeatable; /* twice is harmless */
    bool lost;       /* by the servers */
    bool asked;      /* ASK was answered: ASKING may follow */
    bool on_lease;
    bool watched; /* EXEC was executed with WATCH in force */
    uint32_t executions;
    uint32_t server; /* of the last execution */
    uint32_t reply_count;
    struct {
        uint64_t hash;
        uint32_t link;
        bool is_error;
    } replies[SIM_REPLIES];
};

void sim_execute(struct sim *sim, struct sim_link *link, const struct sim_command *command,
                 struct sim_reply *reply);
bool sim_list_has_element(const struct sim *sim, uint32_t server,
                          const struct sim_command *command);
void sim_note_reply(struct sim *sim, struct sim_link *link, uint32_t token,
                    const struct sim_reply *reply);
/* The data of `to` become those of `from`; what only `to` had is lost. */
void sim_resync(struct sim *sim, uint32_t to, uint32_t from);
void sim_move_key(struct sim *sim, uint32_t from, uint32_t to, uint8_t key);
/* A replica has caught up with everything its primary did. */
void sim_catch_up(struct sim *sim, uint32_t replica);
/* Marks as lost what this server has and the true owner of its key lacks. */
void sim_mark_lost(struct sim *sim, uint32_t server);
bool sim_is_kept(const struct sim *sim, uint32_t token);
bool sim_has_token(const struct sim *sim, uint32_t server, uint32_t token);
uint32_t sim_owner(const struct sim *sim, uint32_t token);

/* ---- server.c ---- */

struct sim_server {
    char host[16];
    uint16_t port;
    bool exists;
    bool down;   /* refuses connections */
    bool frozen; /* takes connections and bytes and does nothing with them */
    bool dark;   /* nothing from or to it arrives */
    bool no_hello;
    bool minority;  /* the cluster is down as it sees it */
    bool link_down; /* a replica that has lost its primary */
    bool retired;   /* replaced: no longer part of the cluster */
    int64_t loading_until_ns;
    int64_t busy_until_ns;
    int64_t slow_ns; /* per command */
    uint32_t max_clients;
    uint32_t clients;
    char password[16];
    uint8_t primary;       /* whose replica it is, SIM_NOBODY for a primary; standalone */
    uint32_t epoch;        /* of its data: replication from before is not applied */
    int64_t replicated_ns; /* when the latest write comes to it */
    struct sim_value values[SIM_KEYS];
    uint64_t *has; /* a bit per token that is in its data */
    uint32_t has_room;
};

void sim_server_accept(struct sim *sim, struct sim_link *link);
void sim_server_read(struct sim *sim, struct sim_link *link);
void sim_server_serve_all(struct sim *sim, uint32_t server);
/* The server's end is gone. */
void sim_server_dropped(struct sim *sim, struct sim_link *link);
bool sim_parse_command(struct sim *sim, struct sim_link *link, struct sim_command *out);
void sim_reply_send(struct sim *sim, struct sim_link *link, struct sim_reply *reply,
                    uint32_t token);
void sim_serve_command(struct sim *sim, struct sim_link *link, const struct sim_command *command);
void sim_wake_blocked(struct sim *sim, uint32_t server, uint8_t key);
/* It was demoted: blocked callers are told and dropped. */
void sim_unblock_all(struct sim *sim, uint32_t server);
bool sim_verb_writes(enum sim_verb verb);
bool sim_verb_is_data(enum sim_verb verb);
/* Whether a cluster takes it apart, because its keys are of two slots. */
bool sim_is_split(const struct sim_command *command);
const char *sim_verb_name(enum sim_verb verb);
/* session.c: what is about the connection and not about data. True: answered. */
bool sim_serve_session(struct sim *sim, struct sim_link *link, const struct sim_command *command,
                       struct sim_reply *reply);
void sim_serve_exec(struct sim *sim, struct sim_link *link, const struct sim_command *command,
                    struct sim_reply *reply);
void sim_end_transaction(struct sim_session *session);
/* False with the error said when this server does not serve the command now. */
bool sim_admit(struct sim *sim, struct sim_link *link, const struct sim_command *command,
               bool asking, struct sim_reply *reply);

/* ---- pubsub.c ---- */

uint32_t sim_kind_mask(enum sim_kind kind);
/* Whose connection it is; NULL when no subscription's. */
struct tendon_subscription *sim_heard_by(const struct sim_link *link);
bool sim_serve_pubsub(struct sim *sim, struct sim_link *link, const struct sim_command *command,
                      struct sim_reply *reply);
/* The server has learned who owns which slot: what is not its own it gives up, and all that its
 * former primary had when it `follows` another one. What redis 7.0 does, tried there. */
void sim_pubsub_evict(struct sim *sim, uint32_t server, bool follows);
void sim_publish(struct sim *sim, uint32_t name);

/* ---- cluster.c ---- */

struct sim_view {
    uint8_t owner[TENDON__SLOT_COUNT];
    uint8_t primary[SIM_SERVERS]; /* SIM_NOBODY: a primary, or not part of it */
    bool member[SIM_SERVERS];
};

struct sim_migration {
    bool active;
    bool target_knows;
    bool source_knows;
    bool finished;  /* only the source does not know yet */
    uint32_t moved; /* keys, a bit per type */
    uint32_t tag;
    uint32_t serial;
    uint8_t from;
    uint8_t to;
};

void sim_cluster_make(struct sim *sim, uint32_t primaries, uint32_t replicas);
void sim_say_moved(struct sim *sim, const struct sim_link *link, uint32_t slot, uint8_t owner,
                   struct sim_reply *reply);
void sim_cluster_say_slots(struct sim *sim, struct sim_link *link, struct sim_reply *reply);
/* As redis getNodeByQuery: true when the server serves the keys. */
bool sim_cluster_serves(struct sim *sim, struct sim_link *link, const struct sim_command *command,
                        bool asking, struct sim_reply *reply);
/* Every node learns the truth within a while; these at once. */
void sim_gossip(struct sim *sim, int64_t within_ns);
void sim_learn(struct sim *sim, uint32_t server, uint32_t unused);
void sim_migrate(struct sim *sim, uint32_t tag, uint8_t to);
void sim_finish_migration(struct sim *sim);
void sim_move_slots(struct sim *sim, uint32_t first, uint32_t last, uint8_t to);
void sim_replace_node(struct sim *sim, uint8_t old);
uint8_t sim_true_owner(const struct sim *sim, uint8_t key);
uint32_t sim_slots_of(const struct sim *sim, uint32_t server);
/* failover.c */
uint32_t sim_new_epoch(struct sim *sim);
/* It can be reached again: learns what it missed. */
void sim_rejoin(struct sim *sim, uint32_t server);
bool sim_is_primary(const struct sim *sim, uint32_t server);
int sim_pick_replica(struct sim *sim, uint32_t primary);
void sim_failover(struct sim *sim, uint32_t primary, bool planned);
void sim_demote(struct sim *sim, uint32_t server, uint32_t primary);
void sim_crash(struct sim *sim, uint32_t server);
void sim_restart(struct sim *sim, uint32_t server, uint32_t unused);

/* ---- faults.c ---- */

void sim_fault(struct sim *sim);
void sim_heal(struct sim *sim);
void sim_set_dark(struct sim *sim, uint32_t server, bool dark);

#endif
