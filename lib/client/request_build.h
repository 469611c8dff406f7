/* Public requests to the engine's own: checked, encoded and described once, on the caller's thread.
 */
#ifndef TENDON_CLIENT_REQUEST_BUILD_H
#define TENDON_CLIENT_REQUEST_BUILD_H

#include "client/engine.h"

#define TENDON__ARGS_MAX  1048576u /* arguments of one command; the servers' own limit */
#define TENDON__GROUP_MAX 1048576u /* commands of one group */

/* The request number `index` of an array whose elements have `request_size` bytes. */
static inline const tendon_request *tendon__request_at(const tendon_request *first,
                                                       size_t request_size, size_t index)
{
    return (const tendon_request *)(const void *)((const char *)first + request_size * index);
}

/* How many requests from `first` on belong together: a group, or one. 0 when a group has no end. */
size_t tendon__request_span(const tendon_request *first, size_t request_size, size_t count);

/*
 * Makes one engine request of `count` public ones with two references: the engine's and the sink's.
 * `by_slot` false leaves the slot of the keys out, where it is known that nothing is routed by it.
 * TENDON_OK; TENDON_ERROR_ARGUMENT, _LIMIT, _STATE, _UNSUPPORTED, _CROSSSLOT, _NO_MEMORY with the
 * fault filled.
 */
tendon_status tendon__request_build(struct tendon__memory *memory,
                                    const struct tendon__options *options, bool by_slot,
                                    const tendon_request *first, size_t request_size, size_t count,
                                    struct tendon__sink *sink, struct tendon__request **out,
                                    struct tendon__fault *fault);

/* An empty one with room for its frame and two references. NULL when memory ran out. */
struct tendon__request *tendon__request_allocate(struct tendon__memory *memory, size_t frame_bytes,
                                                 uint32_t commands, struct tendon__sink *sink);

/*
 * A request that completes with `fault` as soon as the engine sees it: what cannot be sent is told
 * in the same way as what failed later. NULL when memory ran out.
 */
struct tendon__request *tendon__request_refused(struct tendon__memory *memory,
                                                const tendon_request *first, size_t request_size,
                                                size_t count, struct tendon__sink *sink,
                                                const struct tendon__fault *fault);

/* request_time.c: what the call may take; TENDON__NO_TIME for ever. The server may hold the answer
 * of one that is `blocking` for block_ms, -1 for ever. */
int64_t tendon__request_timeout(const struct tendon__options *options, const tendon_request *asked,
                                bool blocking, int64_t block_ms);
/* The same of one that names no time and does not block. */
int64_t tendon__request_default_timeout(const struct tendon__options *options);

/* A request of the engine's own: no retry, one reference for the sink and one for the
 * engine. */
struct tendon__request *tendon__request_internal(struct tendon__memory *memory,
                                                 const tendon_bytes *args, uint32_t count,
                                                 struct tendon__sink *sink);

/* A command of a subscription, as asked: only its arguments, tag and timeout count. */
tendon_status tendon__request_subscribe(struct tendon__memory *memory,
                                        const struct tendon__options *options,
                                        const tendon_request *asked,
                                        struct tendon_subscription *subscription,
                                        struct tendon__sink *sink, struct tendon__request **out,
                                        struct tendon__fault *fault);

struct tendon__command;

struct tendon__note {
    uint32_t index;   /* of the command in its request */
    bool alone;       /* neither in a group nor on a lease */
    bool by_slot;     /* a cluster may be meant */
    bool forms;       /* option reply_form */
    bool as_it_comes; /* flag TENDON_REQUEST_WIRE_REPLY */
};

/* Notes what few commands have: a form of their reply, several nodes to go to, or an unknown name.
 * TENDON_OK or _NO_MEMORY. */
tendon_status tendon__request_note(struct tendon__request *request, const tendon_bytes *args,
                                   uint32_t count, const struct tendon__command *command,
                                   const struct tendon__note *how, struct tendon__fault *fault);

/* A part of a request to several nodes, with room for its frame: its flags, deadline and form are
 * those of the whole. NULL when memory ran out. */
struct tendon__request *tendon__request_part(const struct tendon__request *whole,
                                             size_t frame_bytes, struct tendon__sink *sink);

/* A request that opens `lease`. */
struct tendon__request *tendon__request_open_lease(struct tendon__memory *memory,
                                                   const struct tendon__options *options,
                                                   tendon_lease *lease,
                                                   const tendon_lease_options *wanted,
                                                   struct tendon__sink *sink);

/* The call begins now. */
static inline void tendon__request_stamp(struct tendon__request *request, int64_t now_ns)
{
    request->started_ns = now_ns;
    request->deadline_ns =
        request->timeout_ns == TENDON__NO_TIME ? TENDON__NO_TIME : now_ns + request->timeout_ns;
}

#endif
