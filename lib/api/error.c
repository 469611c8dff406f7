/* The exported functions of <tendon/error.h>. */
#include <tendon/error.h>

#include "client/error.h"
#include "generated/status_table.h"

#define ERROR_VIEW_BYTES sizeof(tendon_error_view) /* of ABI 1.0; smaller structs never existed */

tendon_status tendon_error_look(const tendon_error *error, tendon_error_view *out_view)
{
    if (!error || !out_view || out_view->struct_size < ERROR_VIEW_BYTES)
        return TENDON_ERROR_ARGUMENT;
    /* Field by field: a caller built against a later header has a larger struct whose end is not
     * ours. */
    out_view->status = error->status;
    out_view->error_class = error->error_class;
    out_view->executed = error->executed;
    out_view->attempts = error->attempts;
    out_view->reserved = 0;
    out_view->elapsed_us = error->elapsed_us;
    out_view->message = error->message;
    out_view->prefix = error->prefix;
    out_view->node = error->node;
    return TENDON_OK;
}

void tendon_error_destroy(tendon_error *error)
{
    tendon__error_free(error);
}

const char *tendon_status_name(tendon_status status)
{
    const struct tendon__status_row *row = tendon__status_find(status);
    if (status == TENDON_OK)
        return "OK";
    return row ? row->name : "UNKNOWN";
}

const char *tendon_status_text(tendon_status status)
{
    const struct tendon__status_row *row = tendon__status_find(status);
    if (status == TENDON_OK)
        return "Success.";
    return row ? row->text : "This number is no status of tendon.";
}
