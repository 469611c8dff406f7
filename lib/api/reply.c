/* The exported functions of <tendon/reply.h>. */
#include <tendon/reply.h>

#include <tendon/status.h>

#include "resp/reply.h"

#define REPLY_VIEW_BYTES sizeof(tendon_reply_view) /* of ABI 1.0; smaller structs never existed */

tendon_status tendon_reply_look(const tendon_reply *reply, tendon_reply_view *out_view)
{
    if (!reply || !out_view || out_view->struct_size < REPLY_VIEW_BYTES)
        return TENDON_ERROR_ARGUMENT;
    /* Field by field: a caller built against a later header has a larger struct whose end is not
     * ours. */
    out_view->tape_version = TENDON_TAPE_VERSION;
    out_view->nodes = reply->nodes;
    out_view->node_count = reply->node_count;
    out_view->data = reply->data;
    out_view->data_bytes = reply->data_bytes;
    return TENDON_OK;
}

void tendon_reply_destroy(tendon_reply *reply)
{
    if (reply)
        tendon__reply_free(reply);
}
