/* What went wrong, as a value. Never holds arguments or secrets: callers pass causes, hosts and
 * remedies. */
#include "base/fault.h"

#include <stdio.h>
#include <string.h>

tendon_status tendon__fault_set(struct tendon__fault *fault, tendon_status status,
                                const char *format, ...)
{
    if (!fault)
        return status;
    fault->status = status;
    fault->executed = 0;
    fault->prefix[0] = '\0';
    fault->node[0] = '\0';
    va_list values;
    va_start(values, format);
    vsnprintf(fault->text, sizeof fault->text, format, values);
    va_end(values);
    return status;
}

static size_t prefix_length(const char *text, size_t size)
{
    size_t length = 0;
    while (length < size && ((text[length] >= 'A' && text[length] <= 'Z') || text[length] == '_' ||
                             (length && text[length] >= '0' && text[length] <= '9')))
        length++;
    return length == size || text[length] == ' ' || text[length] == ':' ? length : 0;
}

tendon_status tendon__fault_server(struct tendon__fault *fault, tendon_status status,
                                   const void *reply, size_t size)
{
    const char *text = reply;
    size_t shown = size < TENDON__FAULT_TEXT_MAX - 1 ? size : TENDON__FAULT_TEXT_MAX - 1;
    tendon__fault_set(fault, status, "%.*s", (int)shown, text);
    for (char *at = fault->text; *at; at++)
        if ((unsigned char)*at < ' ')
            *at = '?';
    size_t length = prefix_length(text, size);
    if (length < sizeof fault->prefix) {
        memcpy(fault->prefix, text, length);
        fault->prefix[length] = '\0';
    }
    return status;
}
