/* URLs to options. Works on a copy of the options, so that a bad URL leaves everything as it was.
 */
#include "client/url.h"

#include <stdio.h>
#include <string.h>

#include "client/command.h"
#include "client/endpoint.h"

#define DEFAULT_PORT 6379
#define SHOWN_MAX    160 /* bytes of a URL that an error quotes */

/* A part of the URL, borrowed; size 0 when it is missing. */
struct part {
    const char *text;
    size_t size;
};

struct parts {
    struct part scheme;
    struct part user;
    struct part password;
    struct part hosts;
    struct part path;  /* with its first slash */
    struct part query; /* without the question mark */
    bool misplaced;    /* an @ far behind: a user name or password probably holds a raw separator */
};

struct setter {
    struct tendon__options *options;
    struct tendon__memory *memory;
    struct tendon__fault *fault;
    char *scratch; /* as long as the URL: decoded text is never longer */
};

static struct part slice(const char *from, const char *to)
{
    return (struct part){from, (size_t)(to - from)};
}

static const char *find_byte(struct part part, char byte)
{
    return part.size ? memchr(part.text, byte, part.size) : NULL;
}

static const char *last_byte(struct part part, char byte)
{
    for (size_t i = part.size; i > 0; i--)
        if (part.text[i - 1] == byte)
            return part.text + i - 1;
    return NULL;
}

/* Cuts the URL at its separators; false without a scheme. */
static bool split(const char *url, struct parts *out)
{
    const char *end = url + strlen(url);
    const char *mark = strstr(url, "://");
    *out = (struct parts){0};
    if (!mark)
        return false;
    out->scheme = slice(url, mark);
    const char *start = mark + 3;
    const char *stop = start + strcspn(start, "/?#");
    struct part authority = slice(start, stop);
    const char *at = last_byte(authority, '@');
    const char *question = find_byte(slice(stop, end), '?');
    out->hosts = at ? slice(at + 1, stop) : authority;
    out->path = slice(stop, question ? question : end);
    out->query = slice(question ? question + 1 : end, end);
    out->misplaced = !at && find_byte(slice(stop, end), '@');
    if (at) {
        const char *colon = find_byte(slice(start, at), ':');
        out->user = slice(start, colon ? colon : at);
        if (colon)
            out->password = slice(colon + 1, at);
    }
    return true;
}

/* Appends to a text of `room` bytes, cutting at its end and hiding bytes that would disturb a log.
 */
static void append(char *out, size_t room, struct part part)
{
    size_t used = strlen(out);
    for (size_t i = 0; i < part.size && used + 1 < room; i++)
        out[used++] = part.text[i] > ' ' && part.text[i] < 127 ? part.text[i] : '?';
    out[used] = '\0';
}

static void append_text(char *out, size_t room, const char *text)
{
    append(out, room, slice(text, text + strlen(text)));
}

/* Query values are shown only for options known to hold no secret. */
static void append_query(char *out, size_t room, struct part query)
{
    const char *end = query.text + query.size;
    const char *at = query.text;
    while (at < end) {
        const char *stop = find_byte(slice(at, end), '&');
        stop = stop ? stop : end;
        const char *equals = find_byte(slice(at, stop), '=');
        const struct tendon__option_row *row =
            equals ? tendon__option_find(at, (size_t)(equals - at)) : NULL;
        append_text(out, room, at == query.text ? "?" : "&");
        if (row && !row->size_offset)
            append(out, room, slice(at, stop));
        else if (row)
            append(out, room, slice(at, equals + 1));
        if (!row || row->size_offset)
            append_text(out, room, "***");
        at = stop < end ? stop + 1 : end;
    }
}

/* What is no list of hosts is probably a password whose @host is missing. */
static bool looks_secret(struct part hosts)
{
    struct tendon__endpoint endpoints[TENDON__ENDPOINTS_MAX];
    uint32_t count = 0;
    return hosts.size && tendon__endpoints_parse(hosts.text, hosts.size, DEFAULT_PORT, endpoints,
                                                 &count, NULL) != TENDON_OK;
}

/* Letters and underscores: a scheme or the name of an option, not half a password. */
static bool is_name(struct part name)
{
    for (size_t i = 0; i < name.size; i++) {
        char letter = (char)(name.text[i] | 32);
        if ((letter < 'a' || letter > 'z') && name.text[i] != '_')
            return false;
    }
    return name.size > 0;
}

/* The URL as an error may show it: without user, password and other secrets. */
static void redact(const struct parts *parts, char *out, size_t room)
{
    out[0] = '\0';
    append(out, room, is_name(parts->scheme) ? parts->scheme : (struct part){"***", 3});
    append_text(out, room, "://");
    if (parts->misplaced || looks_secret(parts->hosts)) {
        append_text(out, room, "***");
        return;
    }
    if (parts->user.text)
        append_text(out, room, "***@");
    append(out, room, parts->hosts);
    append(out, room, parts->path);
    append_query(out, room, parts->query);
}

static int hex(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

/* Percent-decodes into the scratch once; false on a bad escape. */
static bool decode(struct part part, char *scratch, size_t *out_size)
{
    size_t size = 0;
    for (size_t i = 0; i < part.size; i++) {
        if (part.text[i] != '%') {
            scratch[size++] = part.text[i];
            continue;
        }
        if (part.size - i < 3 || hex(part.text[i + 1]) < 0 || hex(part.text[i + 2]) < 0)
            return false;
        scratch[size++] = (char)(hex(part.text[i + 1]) * 16 + hex(part.text[i + 2]));
        i += 2;
    }
    *out_size = size;
    return true;
}

static tendon_status set_raw(struct setter *setter, const char *name, struct part value)
{
    return tendon__options_set(setter->options, setter->memory, (tendon_bytes){name, strlen(name)},
                               (tendon_bytes){value.text, value.size}, setter->fault);
}

static tendon_status set_text(struct setter *setter, const char *name, const char *value)
{
    return set_raw(setter, name, slice(value, value + strlen(value)));
}

static tendon_status set_decoded(struct setter *setter, const char *name, struct part value)
{
    size_t size = 0;
    if (!decode(value, setter->scratch, &size))
        return tendon__fault_set(
            setter->fault, TENDON_ERROR_URL,
            "bad percent escape in the value of '%s'; write %%25 for a percent sign", name);
    return set_raw(setter, name, (struct part){setter->scratch, size});
}

static tendon_status set_login(struct setter *setter, const struct parts *parts)
{
    tendon_status status = TENDON_OK;
    if (parts->user.size)
        status = set_decoded(setter, "username", parts->user);
    if (status == TENDON_OK && parts->password.size)
        status = set_decoded(setter, "password", parts->password);
    return status;
}

/* Several hosts become endpoints, one becomes host and port; either replaces what was dialled
 * before. */
static tendon_status set_hosts(struct setter *setter, struct part hosts)
{
    struct tendon__endpoint endpoints[TENDON__ENDPOINTS_MAX];
    uint32_t count = 0;
    char port[8];
    if (hosts.size == 0)
        return TENDON_OK;
    tendon_status status = tendon__endpoints_parse(hosts.text, hosts.size, DEFAULT_PORT, endpoints,
                                                   &count, setter->fault);
    if (status != TENDON_OK)
        return status;
    snprintf(port, sizeof port, "%u", count == 1 ? endpoints[0].port : DEFAULT_PORT);
    status = set_text(setter, "port", port);
    if (status == TENDON_OK && count == 1)
        status = set_text(setter, "host", endpoints[0].host);
    if (status == TENDON_OK)
        status = set_raw(setter, "endpoints", count == 1 ? (struct part){"", 0} : hosts);
    if (status == TENDON_OK)
        status = set_text(setter, "unix_socket", "");
    return status;
}

static tendon_status set_server(struct setter *setter, const struct parts *parts)
{
    struct part db = parts->path;
    tendon_status status = set_hosts(setter, parts->hosts);
    if (status != TENDON_OK || db.size <= 1)
        return status;
    return set_raw(setter, "db", (struct part){db.text + 1, db.size - 1});
}

static tendon_status set_socket(struct setter *setter, const struct parts *parts)
{
    if (parts->hosts.size || parts->path.size < 2)
        return tendon__fault_set(setter->fault, TENDON_ERROR_URL,
                                 "unix:// wants an absolute path, as in unix:///run/redis.sock");
    return set_decoded(setter, "unix_socket", parts->path);
}

static tendon_status set_query(struct setter *setter, struct part query)
{
    const char *end = query.text + query.size;
    const char *at = query.text;
    while (at < end) {
        const char *stop = find_byte(slice(at, end), '&');
        stop = stop ? stop : end;
        const char *equals = find_byte(slice(at, stop), '=');
        struct part name = slice(at, equals ? equals : stop);
        size_t size = 0;
        if (stop > at) {
            if (!equals || !is_name(name)) /* not quoted: it may be half a password */
                return tendon__fault_set(setter->fault, TENDON_ERROR_URL,
                                         "behind '?' come options as name=value, joined by '&'");
            if (!decode(slice(equals + 1, stop), setter->scratch, &size))
                return tendon__fault_set(
                    setter->fault, TENDON_ERROR_URL,
                    "bad percent escape behind '?'; write %%25 for a percent sign");
            tendon_status status = tendon__options_set(
                setter->options, setter->memory, (tendon_bytes){name.text, name.size},
                (tendon_bytes){setter->scratch, size}, setter->fault);
            if (status != TENDON_OK)
                return status;
        }
        at = stop < end ? stop + 1 : end;
    }
    return TENDON_OK;
}

static bool scheme_is(const struct parts *parts, const char *word)
{
    return tendon__word_is((tendon_bytes){parts->scheme.text, parts->scheme.size}, word);
}

static tendon_status set_all(struct setter *setter, const struct parts *parts)
{
    bool plain = scheme_is(parts, "REDIS") || scheme_is(parts, "VALKEY");
    bool tls = scheme_is(parts, "REDISS") || scheme_is(parts, "VALKEYS");
    bool socket = scheme_is(parts, "UNIX");
    if (!plain && !tls && !socket)
        return tendon__fault_set(setter->fault, TENDON_ERROR_URL,
                                 "unknown scheme; use redis://, rediss:// for TLS, or unix://");
    if (find_byte(parts->path, '#') || find_byte(parts->query, '#'))
        return tendon__fault_set(setter->fault, TENDON_ERROR_URL, "unexpected '#'; write %%23");
    tendon_status status = set_login(setter, parts);
    if (status == TENDON_OK && tls)
        status = set_text(setter, "tls", "yes");
    if (status == TENDON_OK)
        status = socket ? set_socket(setter, parts) : set_server(setter, parts);
    /* The query comes last, so that it wins over the parts before it. */
    return status == TENDON_OK ? set_query(setter, parts->query) : status;
}

/* What is wrong with the URL as a whole, or NULL. */
static const char *complain(const char *url, struct parts *out)
{
    size_t size = strnlen(url, TENDON__URL_MAX + 1);
    if (size > TENDON__URL_MAX)
        return "the URL is longer than 65536 bytes";
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)url[i] <= ' ' || url[i] == 127)
            return "the URL holds a blank or control character; trim it or write it as %20";
    return split(url, out) ? NULL : "the URL has no scheme; write redis://host:port/db";
}

/* Adds the redacted URL to the cause, which never holds a secret. */
static tendon_status refuse(const struct parts *parts, struct tendon__fault *fault)
{
    char shown[SHOWN_MAX];
    char cause[TENDON__FAULT_TEXT_MAX - SHOWN_MAX - 16];
    if (fault->status == TENDON_ERROR_NO_MEMORY)
        return TENDON_ERROR_NO_MEMORY;
    redact(parts, shown, sizeof shown);
    snprintf(cause, sizeof cause, "%.*s", (int)sizeof cause - 1, fault->text);
    if (parts->misplaced)
        snprintf(cause, sizeof cause,
                 "the URL is malformed; in a user name or password write / as %%2F, ? as %%3F, # "
                 "as %%23");
    return tendon__fault_set(fault, TENDON_ERROR_URL, "%s (in %s)", cause, shown);
}

tendon_status tendon__options_set_url(struct tendon__options *options,
                                      struct tendon__memory *memory, const char *url,
                                      struct tendon__fault *fault)
{
    struct parts parts;
    struct tendon__fault cause = {
        0}; /* refuse reads it, so it must exist when the caller wants none */
    struct tendon__options draft;
    const char *complaint = complain(url, &parts);
    if (complaint)
        return tendon__fault_set(fault, TENDON_ERROR_URL, "%s", complaint);
    size_t size = strlen(url) + 1;
    char *scratch = tendon__memory_take(memory, size);
    tendon_status status = TENDON_ERROR_NO_MEMORY;
    if (!scratch || tendon__options_copy(&draft, options, memory) != TENDON_OK) {
        tendon__fault_set(&cause, status, "memory ran out while reading the URL");
        goto cleanup;
    }
    struct setter setter = {&draft, memory, &cause, scratch};
    status = set_all(&setter, &parts);
    if (status == TENDON_OK) {
        struct tendon__options old = *options;
        *options = draft;
        draft = old;
    } else {
        status = refuse(&parts, &cause);
    }
    tendon__options_free(&draft, memory);
cleanup:
    if (scratch)
        tendon__memory_wipe(scratch, size);
    tendon__memory_free(memory, scratch);
    if (status != TENDON_OK && fault)
        *fault = cause;
    return status;
}
