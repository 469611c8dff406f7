/* Makes the error handle out of a fault, and looks statuses up. Decides nothing. */
#include "client/error.h"

#include <string.h>

#include "generated/status_table.h"

/* Two of them, because even without memory `executed` stays honest. Nothing ever writes to them. */
static const tendon_error no_memory[] = {
    [TENDON_EXECUTED_NO] = {.status = TENDON_ERROR_NO_MEMORY,
                            .error_class = TENDON_CLASS_SYSTEM,
                            .executed = TENDON_EXECUTED_NO,
                            .message = "memory ran out; the command was not executed",
                            .prefix = "",
                            .node = ""},
    [TENDON_EXECUTED_YES] = {.status = TENDON_ERROR_NO_MEMORY,
                             .error_class = TENDON_CLASS_SYSTEM,
                             .executed = TENDON_EXECUTED_YES,
                             .message = "memory ran out after the command was executed",
                             .prefix = "",
                             .node = ""},
    [TENDON_EXECUTED_UNKNOWN] = {.status = TENDON_ERROR_NO_MEMORY,
                                 .error_class = TENDON_CLASS_SYSTEM,
                                 .executed = TENDON_EXECUTED_UNKNOWN,
                                 .message = "memory ran out; the command may have been executed",
                                 .prefix = "",
                                 .node = ""},
};

const struct tendon__status_row *tendon__status_find(tendon_status status)
{
    for (size_t i = 0; i < tendon__status_count; i++)
        if (tendon__status_table[i].status == status)
            return &tendon__status_table[i];
    return NULL;
}

/* Appends a NUL-terminated copy at *end and moves it on. */
static const char *keep(char **end, const char *text)
{
    char *copy = *end;
    size_t size = strlen(text) + 1;
    memcpy(copy, text, size);
    *end += size;
    return copy;
}

static uint32_t executed_of(const struct tendon__fault *fault)
{
    if (fault->executed == TENDON_EXECUTED_YES || fault->executed == TENDON_EXECUTED_UNKNOWN)
        return fault->executed;
    return TENDON_EXECUTED_NO;
}

tendon_error *tendon__error_make(struct tendon__memory *memory, const struct tendon__fault *fault,
                                 uint32_t attempts, uint64_t elapsed_us)
{
    const struct tendon__status_row *row = tendon__status_find(fault->status);
    const char *text = fault->text[0] || !row ? fault->text : row->text;
    size_t texts = strlen(text) + strlen(fault->prefix) + strlen(fault->node) + 3;
    tendon_error *error = tendon__memory_make(memory, sizeof *error + texts);
    if (!error) /* the handle is opaque and never written to, so the cast is safe */
        return (tendon_error *)(uintptr_t)&no_memory[executed_of(fault)];
    char *end = (char *)(error + 1);
    error->memory = memory;
    error->status = fault->status;
    error->error_class = row ? row->error_class : TENDON_CLASS_ARGUMENT;
    error->executed = executed_of(fault);
    error->attempts = attempts;
    error->elapsed_us = elapsed_us;
    error->message = keep(&end, text);
    error->prefix = keep(&end, fault->prefix);
    error->node = keep(&end, fault->node);
    return error;
}

void tendon__error_free(tendon_error *error)
{
    if (error && error->memory)
        tendon__memory_free(error->memory, error);
}
