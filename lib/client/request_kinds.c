/* Requests that are made otherwise than as they were asked: refused, the engine's own, and parts.
 */
#include "client/request_build.h"
#include "client/spread.h"
#include "resp/encoder.h"

struct tendon__request *tendon__request_refused(struct tendon__memory *memory,
                                                const tendon_request *first, size_t request_size,
                                                size_t count, struct tendon__sink *sink,
                                                const struct tendon__fault *fault)
{
    struct tendon__request *request = tendon__request_allocate(memory, 0, (uint32_t)count, sink);
    if (!request)
        return NULL;
    request->tag = first->tag;
    request->timeout_ns = TENDON__NO_TIME;
    tendon__request_blame(request, fault);
    for (size_t i = 0; request->tags && i < count; i++)
        request->tags[i] = tendon__request_at(first, request_size, i)->tag;
    return request;
}

struct tendon__request *tendon__request_internal(struct tendon__memory *memory,
                                                 const tendon_bytes *args, uint32_t count,
                                                 struct tendon__sink *sink)
{
    size_t size = tendon__encode_size(args, count);
    struct tendon__request *request = tendon__request_allocate(memory, size, 1, sink);
    if (!request)
        return NULL;
    tendon__encode(request->frame, args, count);
    request->frame_bytes = size;
    request->flags = TENDON__REQUEST_INTERNAL | TENDON_REQUEST_NO_RETRY | TENDON_REQUEST_READ_ONLY;
    return request;
}

struct tendon__request *tendon__request_part(const struct tendon__request *whole,
                                             size_t frame_bytes, struct tendon__sink *sink)
{
    struct tendon__request *request = tendon__request_allocate(whole->memory, frame_bytes, 1, sink);
    if (!request)
        return NULL;
    uint32_t dropped = TENDON__REQUEST_DIRECT | TENDON__REQUEST_CROSS_SLOT;
    /* What every node is asked is not asked of another in its place. */
    if (whole->spread == TENDON__SPREAD_PRIMARIES || whole->spread == TENDON__SPREAD_NODES)
        dropped |= TENDON__REQUEST_REPLICA_SAFE;
    request->flags = (whole->flags & ~dropped) | TENDON__REQUEST_PART;
    request->frame_bytes = frame_bytes;
    request->timeout_ns = whole->timeout_ns;
    request->started_ns = whole->started_ns;
    request->deadline_ns = whole->deadline_ns;
    request->form_one = whole->form_one;
    request->forms = whole->forms ? &request->form_one : NULL;
    return request;
}
