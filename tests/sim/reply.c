/* Replies of the servers, as bytes and as a text that equals the one of what the client read. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resp/reply.h"
#include "sim.h"

#define HASH_BEGIN 0xcbf29ce484222325u

static void add_text(char text[SIM_SHOWN], const char *mark, const void *bytes, size_t size)
{
    size_t used = strlen(text);
    int shown = (int)(size < 60 ? size : 60);
    snprintf(text + used, SIM_SHOWN - used, "%s%s%.*s", used ? " " : "", mark, shown,
             (const char *)bytes);
}

/* The hash covers every byte, the text only the first ones. */
static void note(char text[SIM_SHOWN], uint64_t *hash, const char *mark, const void *bytes,
                 size_t size)
{
    add_text(text, mark, bytes, size);
    *hash = sim_hash(sim_hash(*hash, mark, 1), bytes, size);
}

void sim_say_reset(struct sim_reply *reply)
{
    reply->raw.size = 0;
    reply->text[0] = '\0';
    reply->hash = HASH_BEGIN;
    reply->is_error = false;
}

static void say_line(struct sim_reply *reply, const char *mark, const char *line)
{
    sim_bytes_add(&reply->raw, mark, 1);
    sim_bytes_add(&reply->raw, line, strlen(line));
    sim_bytes_add(&reply->raw, "\r\n", 2);
    note(reply->text, &reply->hash, mark, line, strlen(line));
}

void sim_say_status(struct sim_reply *reply, const char *format, ...)
{
    char line[SIM_SHOWN];
    va_list list;
    va_start(list, format);
    vsnprintf(line, sizeof line, format, list);
    va_end(list);
    say_line(reply, "+", line);
}

void sim_say_error(struct sim_reply *reply, const char *format, ...)
{
    char line[SIM_SHOWN];
    va_list list;
    va_start(list, format);
    vsnprintf(line, sizeof line, format, list);
    va_end(list);
    say_line(reply, "-", line);
    reply->is_error = true;
}

void sim_say_integer(struct sim_reply *reply, int64_t value)
{
    char line[32];
    snprintf(line, sizeof line, "%lld", (long long)value);
    say_line(reply, ":", line);
}

void sim_say_string(struct sim_reply *reply, const char *text, uint32_t padding)
{
    char head[32];
    size_t size = strlen(text) + padding;
    char *whole = malloc(size + 1);
    if (!whole)
        abort();
    memcpy(whole, text, strlen(text));
    memset(whole + strlen(text), 'x', padding);
    snprintf(head, sizeof head, "$%zu\r\n", size);
    sim_bytes_add(&reply->raw, head, strlen(head));
    sim_bytes_add(&reply->raw, whole, size);
    sim_bytes_add(&reply->raw, "\r\n", 2);
    note(reply->text, &reply->hash, "$", whole, size);
    free(whole);
}

void sim_say_null(struct sim_reply *reply, bool resp3)
{
    const char *raw = resp3 ? "_\r\n" : "$-1\r\n";
    sim_bytes_add(&reply->raw, raw, strlen(raw));
    note(reply->text, &reply->hash, "_", "", 0);
}

void sim_say_head(struct sim_reply *reply, char mark, uint32_t count)
{
    char line[32];
    snprintf(line, sizeof line, "%c%u\r\n", mark, count);
    sim_bytes_add(&reply->raw, line, strlen(line));
    note(reply->text, &reply->hash, "*", line + 1, strlen(line) - 3);
}

static void show_node(const tendon_reply *reply, const tendon_node *node, char text[SIM_SHOWN],
                      uint64_t *hash)
{
    static const char *const marks[] = {
        [TENDON_NODE_STATUS] = "+", [TENDON_NODE_ERROR] = "-", [TENDON_NODE_STRING] = "$"};
    char number[32] = "";
    switch (node->type) {
    case TENDON_NODE_STATUS:
    case TENDON_NODE_ERROR:
    case TENDON_NODE_STRING:
        note(text, hash, marks[node->type], reply->data + node->value.offset, node->size);
        return;
    case TENDON_NODE_NULL:
        note(text, hash, "_", "", 0);
        return;
    case TENDON_NODE_INTEGER:
        snprintf(number, sizeof number, "%lld", (long long)node->value.integer);
        note(text, hash, ":", number, strlen(number));
        return;
    default:
        snprintf(number, sizeof number, "%u", node->size);
        note(text, hash, "*", number, strlen(number));
        return;
    }
}

void sim_show_reply(const tendon_reply *reply, char text[SIM_SHOWN], uint64_t *hash)
{
    text[0] = '\0';
    *hash = HASH_BEGIN;
    for (uint64_t i = 0; i < reply->node_count; i++)
        show_node(reply, &reply->nodes[i], text, hash);
}
