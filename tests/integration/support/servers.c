/* A reader of JSON as far as servers.json needs it: values by their path, texts without escapes. */
#include "servers.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX (1 << 20)

static char file_text[FILE_BYTES_MAX];

bool servers_load(void)
{
    const char *path = getenv("TENDON_SERVERS");
    FILE *file = path && *path ? fopen(path, "r") : NULL;
    if (!file) {
        fprintf(stderr, "TENDON_SERVERS names no readable file; run `./dev servers start` and "
                        "`eval \"$(./dev env)\"`\n");
        return false;
    }
    size_t size = fread(file_text, 1, sizeof file_text - 1, file);
    file_text[size] = '\0';
    fclose(file);
    return size > 0;
}

static const char *skip_blanks(const char *at)
{
    while (*at && (isspace((unsigned char)*at) || *at == ',' || *at == ':'))
        at++;
    return at;
}

static const char *skip_text(const char *at)
{
    for (at++; *at && *at != '"'; at++)
        at += *at == '\\' && at[1];
    return *at ? at + 1 : at;
}

static const char *skip_value(const char *at)
{
    int depth = 0;
    do {
        at = skip_blanks(at);
        if (*at == '"') {
            at = skip_text(at);
        } else if (*at == '{' || *at == '[') {
            depth++;
            at++;
        } else if (*at == '}' || *at == ']') {
            depth--;
            at++;
        } else {
            while (*at && !strchr(",]} \n", *at))
                at++;
        }
    } while (depth > 0 && *at);
    return at;
}

/* The value of one step of a path inside the object or array at `at`, or NULL. */
static const char *step_into(const char *at, const char *name, size_t size)
{
    bool is_array = *at == '[';
    long index = is_array ? strtol(name, NULL, 10) : 0;
    if (!is_array && *at != '{')
        return NULL;
    for (at = skip_blanks(at + 1); *at && *at != '}' && *at != ']';
         at = skip_blanks(skip_value(at))) {
        if (is_array && index-- == 0)
            return at;
        if (is_array)
            continue;
        const char *end = skip_text(at);
        bool found = (size_t)(end - at) == size + 2 && memcmp(at + 1, name, size) == 0;
        at = skip_blanks(end);
        if (found)
            return at;
    }
    return NULL;
}

static const char *find(const char *path)
{
    const char *at = skip_blanks(file_text);
    while (at && *path) {
        size_t size = strcspn(path, ".");
        at = step_into(at, path, size);
        path += size + (path[size] == '.');
    }
    return at;
}

const char *server_text(const char *path)
{
    static char room[32][512];
    static unsigned next;
    const char *at = find(path);
    if (!at || *at != '"')
        return "";
    char *text = room[next++ % 32];
    snprintf(text, sizeof room[0], "%.*s", (int)(skip_text(at) - at - 2), at + 1);
    return text;
}

int server_number(const char *path)
{
    const char *at = find(path);
    return at ? atoi(at) : 0;
}
