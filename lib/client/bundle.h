/*
 * A bundle: many commands of one call, encoded one behind the other, that travel as one exchange
 * and have an outcome each. It is the cheap way of what nearly always happens, and knows nothing
 * else: as soon as something else happens to one of its commands, that command leaves the bundle
 * and goes on as a request of its own, with the deadline it had and all the rules of retry.c.
 *
 *   request NEW -> ON_WIRE -> DONE     a bundle never waits: if it cannot be sent at once, or not
 * as it is, all its commands leave
 *
 *   fate of a command                  leaves it
 *   OPEN      not answered             by its reply, or by one of those below
 *   REPLIED   replies[i] is it         (NULL once it was handed out)
 *   GONE      a request of its own     never; that request tells its outcome to the same sink
 *   REFUSED*  memory ran out for it    never; told as NO_MEMORY with what is known of execution
 *   ENDED     failed with the bundle   never; status, executed and cause are those of the request
 *
 * What holds:
 *   - Replies belong to commands by their place. The connection keeps them in replies[] up to
 *     exchange.reply_index; fates below `settled` have taken note of it, and are not OPEN. Above
 *     reply_index there are only OPEN commands, and GONE ones, whose reply is thrown away.
 *   - DONE: no command is OPEN. The exchange may still be owed replies (after its deadline), for
 *     which the connection keeps a reference, as for any request.
 *   - The sink counts one for the bundle and one for each command; a command that is gone takes its
 *     one along, so that the last outcome is never told before the bundle is.
 *   - `pending` counts commands, each once: in its bundle until it was told, or as a request.
 *   - Ids follow each other from first_id on, so a command is found without being in the hash.
 *   - Without the engine's token nothing is read of a command but its fate, reply and tag, and only
 *     after it was told.
 *
 * What goes into a bundle is decided while it is built (bundle_build.c): ordinary commands without
 * a lease, with the same flags and time, to one server. That is a server that is known to stand
 * alone, or the primary of a shard: then all keys of each command are in one of its slots, as the
 * caller has read in engine->owners. The engine sends the bundle only if its map is still the one
 * that was read; else all its commands leave, and are routed one by one. So are commands that a
 * replica might answer. Replies in the one form are made for RESP2 from requests; there, commands
 * that have a form leave.
 *
 * Consecutive commands of a call that may be in bundles make a run, which is split by shard. Those
 * to one shard keep their order; what is not in the run is handed over before or behind all of it.
 * So commands leave on each lane in the order they would have as requests of their own.
 */
#ifndef TENDON_CLIENT_BUNDLE_H
#define TENDON_CLIENT_BUNDLE_H

#include "client/engine.h"

#define TENDON__BUNDLE_MAX 1024u /* commands */
#define TENDON__BUNDLE_BYTES                                                                       \
    262144u /* of its frame until the last command, and of each command                            \
             */

enum tendon__fate {
    TENDON__FATE_OPEN,
    TENDON__FATE_REPLIED,
    TENDON__FATE_GONE,
    TENDON__FATE_REFUSED_NO, /* with TENDON_EXECUTED_NO, and so on */
    TENDON__FATE_REFUSED_YES,
    TENDON__FATE_REFUSED_UNKNOWN,
    TENDON__FATE_ENDED,
};

struct tendon__bundle {
    struct tendon__link link;    /* engine->bundles while on the wire */
    struct tendon__link unheard; /* engine->unheard: has replies to be told before its end */
    uint64_t first_id;           /* 0: cannot be cancelled */
    uint32_t asked_flags;        /* of each command */
    int64_t asked_timeout_ms;
    bool has_forms;      /* some reply has a form of its own over RESP2 */
    uint16_t shard;      /* of the map whose turn this was */
    uint64_t map_turn;   /* engine->owners->turn; 0: for a server that stands alone */
    uint32_t told;       /* commands below this were handed to the sink, */
    uint32_t told_count; /* of them, those that had their outcome here */
    uint32_t settled;    /* below this fates are known; replies that were kept are not looked at */
    uint32_t replied_count; /* commands with that fate */
    uint32_t gone_count;
    tendon_reply **replies;
    uint64_t *tags;
    uint32_t *ends;   /* of the frames of the commands, from the first one's begin */
    uint32_t *places; /* of the commands in their call; NULL: one behind the other */
    uint8_t *fates;   /* enum tendon__fate */
    struct tendon__request **members; /* those that are gone, for a caller that waits; else NULL */
};

/* Outcomes of a bundle that is not done, on their way into a queue. Holds a reference. */
struct tendon__run {
    struct tendon__item item;
    struct tendon__request *request;
    uint32_t at; /* the next one, and where they end */
    uint32_t end;
};

/*
 * bundle_build.c, on the caller's thread: one request of as many of the `count` public ones as may
 * go together, *out_count. NULL when fewer than two may, or memory ran out: then the first one is
 * made into a request of its own, which also says what is wrong with it.
 */
struct tendon__request *tendon__bundle_build(struct tendon__memory *memory,
                                             const struct tendon__options *options,
                                             const tendon_request *first, size_t request_size,
                                             size_t count, struct tendon__sink *sink,
                                             size_t *out_count);
/*
 * The same for a cluster: the bundles of a run, linked by item.link, are added to `out` in the
 * order of their first commands, the first of which has the place `place` in its call. Returns how
 * many commands they have together; 0 where the first one has to be made into a request of its own.
 */
size_t tendon__bundle_split(struct tendon__memory *memory, const struct tendon__options *options,
                            const struct tendon__owners *owners, const tendon_request *first,
                            size_t request_size, size_t count, uint32_t place,
                            struct tendon__sink *sink, struct tendon__link *out);
/* Command `index` as a request of its own, outside of the engine. NULL when memory ran out. */
struct tendon__request *tendon__bundle_member(const struct tendon__request *request, uint32_t index,
                                              const struct tendon__options *options);

static inline struct tendon__request *tendon__bundle_request(struct tendon__bundle *bundle)
{
    return (struct tendon__request *)(void *)bundle - 1; /* they are one block */
}

/* The place in its call of command `index` of a request; `at` commands of the call are in requests
 * before it. */
static inline size_t tendon__place_in_call(const struct tendon__request *request, uint32_t index,
                                           size_t at)
{
    const struct tendon__bundle *bundle = request->bundle;
    return bundle && bundle->places ? bundle->places[index] : at + index;
}

/* What a sink counts for a request that is handed to the engine, and what for one that is told. */
static inline uint32_t tendon__sink_weight(const struct tendon__request *request)
{
    const struct tendon__bundle *bundle = request->bundle;
    return bundle ? request->command_count - bundle->gone_count + 1 : 1;
}

/* What it counts among pending requests: commands whose outcomes are still to be told. */
static inline uint32_t tendon__pending_weight(const struct tendon__request *request)
{
    const struct tendon__bundle *bundle = request->bundle;
    return bundle ? request->command_count - bundle->gone_count - bundle->told_count : 1;
}

/* bundle.c, with the token. */
void tendon__bundle_submit(struct tendon__engine *engine, struct tendon__request *request);
/* The connection's reply to command exchange.reply_index - 1. */
void tendon__bundle_reply(struct tendon__engine *engine, struct tendon__channel *channel,
                          struct tendon__request *request);
/* After replies have come: those of its first bundle are told in this turn. */
void tendon__bundle_received(struct tendon__engine *engine, struct tendon__channel *channel);
/* Its connection ended; `too_big`: its next reply was there and crossed a limit. */
void tendon__bundle_lost(struct tendon__engine *engine, struct tendon__channel *channel,
                         struct tendon__request *request, const struct tendon__fault *fault,
                         bool too_big);
/* read_timeout_ms has passed: what was sent and is not answered leaves, and is tried again or
 * fails. False when nothing had to leave. */
bool tendon__bundle_overdue(struct tendon__engine *engine, struct tendon__request *request,
                            const struct tendon__fault *fault);
/* True when `id` is a command of a bundle, which has ended it with the fault. */
bool tendon__bundle_cancel(struct tendon__engine *engine, uint64_t id,
                           const struct tendon__fault *fault);
/* The request is DONE: what is open fails with it, and it leaves the engine's lists. */
void tendon__bundle_end(struct tendon__request *request);
/* Hands replies of unfinished bundles to engine->told. */
void tendon__bundle_hear(struct tendon__engine *engine);

/* Without the token, after it was told. */
/* Moves on to the next command from *at that has its outcome here; false when there is none below
 * `end`. */
static inline bool tendon__bundle_next(const struct tendon__bundle *bundle, uint32_t *at,
                                       uint32_t end)
{
    while (*at < end && bundle->fates[*at] == TENDON__FATE_GONE)
        ++*at;
    return *at < end;
}

/* True when every command has a reply, which all pass to the caller. */
static inline bool tendon__bundle_take_all(struct tendon__request *request)
{
    if (request->bundle->replied_count != request->command_count)
        return false;
    request->bundle->replied_count = 0;
    return true;
}

/* The reply, which passes to the caller, or NULL with the error. */
tendon_reply *tendon__bundle_take(struct tendon__request *request, uint32_t index,
                                  tendon_error **out_error, tendon_status *out_status);
void tendon__bundle_free(struct tendon__request *request);
void tendon__run_free(struct tendon__run *run);

#endif
