/* What the command table says of a request beyond its route and its flags: the form of its replies,
 * and whether it is for several nodes. */
#include "client/command.h"
#include "client/request_build.h"

/* What the reply of a command becomes over RESP2. Ends of a transaction are noted also where the
 * reply is to be left as it comes. */
static uint16_t form_of(const tendon_bytes *args, uint32_t count,
                        const struct tendon__command *command, bool as_it_comes)
{
    switch (command->state) {
    case TENDON__STATE_MULTI:
        return TENDON__FORM_BEGINS;
    case TENDON__STATE_EXEC:
        return as_it_comes ? TENDON__FORM_ENDS : TENDON__FORM_EXEC;
    case TENDON__STATE_DISCARD:
    case TENDON__STATE_RESET:
        return TENDON__FORM_ENDS;
    default:
        return as_it_comes ? 0 : tendon__command_form(args, count, command);
    }
}

static tendon_status note_form(struct tendon__request *request, const tendon_bytes *args,
                               uint32_t count, const struct tendon__command *command,
                               bool as_it_comes, uint32_t index, struct tendon__fault *fault)
{
    uint16_t form = form_of(args, count, command, as_it_comes);
    if (!form)
        return TENDON_OK;
    if (!request->forms)
        request->forms =
            request->command_count == 1
                ? &request->form_one
                : tendon__memory_make(request->memory, request->command_count * sizeof(uint16_t));
    if (!request->forms)
        return tendon__fault_set(fault, TENDON_ERROR_NO_MEMORY, "no memory for the request");
    request->forms[index] = form;
    return TENDON_OK;
}

/* Whether the command is for several nodes of a cluster. */
static void note_spread(struct tendon__request *request, const struct tendon__command *command)
{
    const struct tendon__command_row *row = command->row;
    if (request->route == TENDON_ROUTE_AUTO && row && row->spread) {
        request->spread = row->spread & 7u;
        request->merge = row->merge & 15u;
    } else if (request->route >= TENDON_ROUTE_ALL_PRIMARIES) {
        request->spread = request->route == TENDON_ROUTE_ALL_NODES ? TENDON__SPREAD_NODES
                                                                   : TENDON__SPREAD_PRIMARIES;
        request->merge = TENDON__MERGE_NODES;
    }
}

tendon_status tendon__request_note(struct tendon__request *request, const tendon_bytes *args,
                                   uint32_t count, const struct tendon__command *command,
                                   const struct tendon__note *how, struct tendon__fault *fault)
{
    struct tendon__command name;
    /* An unknown subcommand of a known command has no keys that anybody could tell. */
    if (!command->row && how->by_slot && how->alone && request->route == TENDON_ROUTE_AUTO &&
        !tendon__command_look(args, 1, &name))
        request->flags |= TENDON__REQUEST_UNKNOWN;
    if (how->alone)
        note_spread(request, command);
    if (!how->forms || !command->row)
        return TENDON_OK;
    return note_form(request, args, count, command, how->as_it_comes, how->index, fault);
}
