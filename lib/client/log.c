/* Lines for a person about what the engine met, as TENDON_EVENT_LOG. Must not decide anything. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "client/engine.h"

#define LINE_BYTES 640 /* a fault's text with a node's name and what we did about it */

/* A server's words must not be able to begin a line of their own, or to move a cursor. */
static void tame(char *line)
{
    for (char *at = line; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 127)
            *at = '?';
}

void tendon__log(struct tendon__engine *engine, uint32_t level, const struct tendon__fault *cause,
                 const char *format, ...)
{
    char line[LINE_BYTES];
    if (!engine->logs)
        return;
    va_list list;
    va_start(list, format);
    vsnprintf(line, sizeof line, format, list);
    va_end(list);
    tame(line);
    tendon_reply *text = tendon__reply_text(engine->memory, TENDON_NODE_STRING, line, strlen(line));
    if (text) /* without memory there is no line, and nothing else is lost */
        engine->ops->event(engine->world, TENDON_EVENT_LOG, NULL, level, cause, text);
}

void tendon__log_close(const struct tendon__channel *channel, enum tendon__close_reason reason,
                       const struct tendon__fault *fault)
{
    struct tendon__engine *engine = channel->engine;
    const char *name = channel->node->name;
    const char *kind = channel->is_lane ? "shared connection" : "connection of the pool";
    switch (reason) {
    case TENDON__CLOSE_UNHEALTHY:
        tendon__log(engine, TENDON_LOG_WARNING, fault, "%s to %s retired as unhealthy: %s", kind,
                    name, fault->text);
        break;
    case TENDON__CLOSE_ERROR:
        tendon__log(engine, TENDON_LOG_WARNING, fault, "%s to %s given up: %s", kind, name,
                    fault->text);
        break;
    case TENDON__CLOSE_PEER:
        tendon__log(engine, TENDON_LOG_WARNING, fault, "%s to %s lost: %s", kind, name,
                    fault->text);
        break;
    case TENDON__CLOSE_DIRTY:
        tendon__log(engine, TENDON_LOG_INFO, NULL,
                    "%s to %s closed: its borrower left it in a state that cannot be cleaned", kind,
                    name);
        break;
    default:
        break; /* as asked for: too long idle, too old, replaced, closed by the program */
    }
}
