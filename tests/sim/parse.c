/* What a client wrote, read as a server reads it: RESP arrays of words into commands. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

static const struct {
    const char *name;
    bool data; /* touches keys */
    bool writes;
} verbs[SIM_VERBS] = {
    [SIM_GET] = {"GET", true, false},
    [SIM_SET] = {"SET", true, true},
    [SIM_INCR] = {"INCR", true, true},
    [SIM_APPEND] = {"APPEND", true, true},
    [SIM_MGET] = {"MGET", true, false},
    [SIM_DEL] = {"DEL", true, true},
    [SIM_LPUSH] = {"LPUSH", true, true},
    [SIM_BLPOP] = {"BLPOP", true, true},
    [SIM_PING] = {"PING", false, false},
    [SIM_MULTI] = {"MULTI", false, false},
    [SIM_EXEC] = {"EXEC", false, false},
    [SIM_DISCARD] = {"DISCARD", false, false},
    [SIM_WATCH] = {"WATCH", false, false},
    [SIM_UNWATCH] = {"UNWATCH", false, false},
    [SIM_SELECT] = {"SELECT", false, false},
    [SIM_HELLO] = {"HELLO", false, false},
    [SIM_AUTH] = {"AUTH", false, false},
    [SIM_CLIENT] = {"CLIENT", false, false},
    [SIM_READONLY] = {"READONLY", false, false},
    [SIM_ASKING] = {"ASKING", false, false},
    [SIM_CLUSTER] = {"CLUSTER", false, false},
    [SIM_SUBSCRIBE] = {"subscribe", false, false},
    [SIM_UNSUBSCRIBE] = {"unsubscribe", false, false},
    [SIM_PSUBSCRIBE] = {"psubscribe", false, false},
    [SIM_PUNSUBSCRIBE] = {"punsubscribe", false, false},
    [SIM_SSUBSCRIBE] = {"ssubscribe", false, false},
    [SIM_SUNSUBSCRIBE] = {"sunsubscribe", false, false},
};

const char *sim_verb_name(enum sim_verb verb)
{
    return verbs[verb].name;
}

bool sim_verb_writes(enum sim_verb verb)
{
    return verbs[verb].writes;
}

bool sim_verb_is_data(enum sim_verb verb)
{
    return verbs[verb].data;
}

bool sim_is_split(const struct sim_command *command)
{
    return (command->verb == SIM_MGET || command->verb == SIM_DEL) && command->key_count == 2 &&
           command->keys[0] / SIM_TYPES != command->keys[1] / SIM_TYPES;
}

static bool read_length(const char **at, const char *end, char mark, size_t *out, bool *corrupt)
{
    const char *line_end = *at < end ? memchr(*at, '\n', (size_t)(end - *at)) : NULL;
    if (*at < end && **at != mark)
        *corrupt = true;
    if (!line_end || *corrupt)
        return false;
    *out = strtoul(*at + 1, NULL, 10);
    *at = line_end + 1;
    return true;
}

/* Bytes of the first command, 0 while it is not complete. */
static size_t split(const struct sim_bytes *bytes, tendon_bytes *args, uint32_t *arg_count,
                    bool *corrupt)
{
    const char *at = bytes->data;
    const char *end = bytes->data + bytes->size;
    size_t count;
    *arg_count = 0;
    if (!bytes->size || !read_length(&at, end, '*', &count, corrupt))
        return 0;
    for (size_t i = 0; i < count; i++) {
        size_t size;
        if (!read_length(&at, end, '$', &size, corrupt) || (size_t)(end - at) < size + 2)
            return 0;
        if (*arg_count < SIM_ARGS)
            args[(*arg_count)++] = (tendon_bytes){at, size};
        at += size + 2;
    }
    return (size_t)(at - bytes->data);
}

static enum sim_verb find_verb(tendon_bytes word)
{
    for (uint32_t i = 0; i < SIM_VERBS; i++)
        if (word.size == strlen(verbs[i].name) && !memcmp(word.data, verbs[i].name, word.size))
            return (enum sim_verb)i;
    return SIM_VERBS;
}

/* "{t<tag>}<type>", or "{t<tag>}#<token>", which is no key. */
static void read_argument(struct sim_command *command, tendon_bytes arg)
{
    const char *text = arg.data;
    const char *mark = memchr(text, '#', arg.size < 24 ? arg.size : 24);
    if (mark) {
        command->token = (uint32_t)strtoul(mark + 1, NULL, 10);
        return;
    }
    if (arg.size == 5 && text[0] == '{' && text[1] == 't' && command->key_count < 8) {
        command->keys[command->key_count++] = sim_key((uint32_t)(text[2] - '0'), text[4]);
        return;
    }
    if (arg.size > 2 && !memcmp(text, "v:", 2))
        command->payload = (uint32_t)arg.size;
    else if (command->verb == SIM_SELECT || command->verb == SIM_HELLO)
        command->number = (uint32_t)strtoul(text, NULL, 10);
    else if (command->verb == SIM_BLPOP)
        command->timeout_ns = (int64_t)(strtod(text, NULL) * 1e9);
    else if (command->verb == SIM_PING && arg.size > 1 && text[0] == 'p')
        command->number = (uint32_t)strtoul(text + 1, NULL, 10);
}

/* Whether HELLO or AUTH carries the server's password. */
static bool has_password(const struct sim_server *server, const tendon_bytes *args, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++)
        if (args[i].size == strlen(server->password) && args[i].size &&
            !memcmp(args[i].data, server->password, args[i].size))
            return true;
    return false;
}

static bool has_word(const tendon_bytes *args, uint32_t count, const char *word)
{
    for (uint32_t i = 1; i < count; i++)
        if (args[i].size == strlen(word) && !memcmp(args[i].data, word, args[i].size))
            return true;
    return false;
}

bool sim_parse_command(struct sim *sim, struct sim_link *link, struct sim_command *out)
{
    tendon_bytes args[SIM_ARGS];
    uint32_t count;
    bool corrupt = false;
    size_t size = split(&link->query, args, &count, &corrupt);
    if (corrupt)
        sim_fail(sim, "link %u carries something that is not a command: %.40s", link->index,
                 link->query.data);
    if (!size)
        return false;
    *out = (struct sim_command){.verb = find_verb(args[0])};
    if (out->verb == SIM_VERBS)
        sim_fail(sim, "link %u carries a command nobody asked for: %.*s", link->index,
                 (int)args[0].size, (const char *)args[0].data);
    for (uint32_t i = 1; i < count; i++)
        read_argument(out, args[i]);
    if (out->verb == SIM_HELLO || out->verb == SIM_AUTH) {
        const struct sim_server *server = &sim->servers[link->server];
        bool tried = out->verb == SIM_AUTH || has_word(args, count, "AUTH");
        out->key_count = 0;
        out->payload = !tried ? 0 : has_password(server, args, count) ? 1 : 2;
    }
    if (out->token >= sim->token_count)
        sim_fail(sim, "link %u carries token #%u, which no call has", link->index, out->token);
    sim_bytes_cut(&link->query, size);
    return true;
}
