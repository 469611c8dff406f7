/* A server's error reply to a reaction. Reads text a peer chose: every look is bounded by the size
 * given. */
#include "cluster/redirect.h"

#include <stddef.h>
#include <string.h>

struct span {
    const char *at;
    size_t size;
};

static bool starts_with(struct span text, const char *start)
{
    size_t length = strlen(start);
    return text.size >= length && memcmp(text.at, start, length) == 0;
}

static bool contains(struct span text, const char *phrase)
{
    for (; text.size >= strlen(phrase); text.at++, text.size--)
        if (starts_with(text, phrase))
            return true;
    return false;
}

/* Cuts `text` at its first blank and returns what stood before; all of it when there is none. */
static struct span take_word(struct span *text)
{
    struct span word = *text;
    const char *blank = text->size ? memchr(text->at, ' ', text->size) : NULL;
    if (!blank) {
        *text = (struct span){text->at + text->size, 0};
        return word;
    }
    word.size = (size_t)(blank - text->at);
    *text = (struct span){blank + 1, text->size - word.size - 1};
    return word;
}

/* At most five digits, so no overflow and no sign, blank or base to be lenient about. */
static bool parse_number(struct span text, uint32_t max, uint32_t *out)
{
    uint32_t value = 0;
    if (text.size == 0 || text.size > 5)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
        value = value * 10 + (uint32_t)(text.at[i] - '0');
    }
    if (value > max)
        return false;
    *out = value;
    return true;
}

/*
 * "<slot> <host>:<port>". The last colon parts host from port, because IPv6 addresses come without
 * brackets.
 * "?" says that the server does not know the name of the node it points to (ElastiCache and Valkey
 * while a host name is not announced yet): well-formed, nowhere to go, and the next map may tell
 * more.
 */
static enum tendon__reaction parse_redirect(enum tendon__reaction reaction, struct span text,
                                            struct tendon__redirect *out)
{
    struct tendon__redirect redirect = {0};
    uint32_t port;
    if (!parse_number(take_word(&text), TENDON__SLOT_COUNT - 1, &redirect.slot))
        return TENDON__REACT_SURFACE;
    size_t colon = text.size;
    while (colon > 0 && text.at[colon - 1] != ':')
        colon--;
    if (colon == 0)
        return TENDON__REACT_SURFACE;
    struct span host = {text.at, colon - 1};
    if (!parse_number((struct span){text.at + colon, text.size - colon}, UINT16_MAX, &port) ||
        port == 0)
        return TENDON__REACT_SURFACE;
    if (host.size == 1 && host.at[0] == '?')
        return TENDON__REACT_DOWN;
    if (host.size > 0 && !tendon__host_copy(redirect.host, host.at, host.size))
        return TENDON__REACT_SURFACE;
    redirect.port = (uint16_t)port;
    *out = redirect;
    return reaction;
}

/* The generic prefix: only the sentence behind it tells. */
static enum tendon__reaction react_to_err(struct span text)
{
    /* Engines before 7 wrap what a command inside a script was told; a demoted primary hides in
     * there. */
    if (starts_with(text, "Error running script") &&
        contains(text, "-READONLY You can't write against a read only"))
        return TENDON__REACT_READ_ONLY;
    /* Also "max number of clients + cluster connections reached", told by cluster nodes since 7. */
    if (starts_with(text, "max number of clients"))
        return TENDON__REACT_REFUSED;
    if (starts_with(text, "Protocol error"))
        return TENDON__REACT_CLOSE;
    return TENDON__REACT_SURFACE;
}

/* Whole words, so that BUSYGROUP and BUSYKEY, which are the caller's, are not taken for BUSY. */
static const struct {
    const char *word;
    enum tendon__reaction reaction;
} reactions[] = {
    {"MOVED", TENDON__REACT_MOVED},         {"ASK", TENDON__REACT_ASK},
    {"TRYAGAIN", TENDON__REACT_TRY_AGAIN},  {"CLUSTERDOWN", TENDON__REACT_DOWN},
    {"MASTERDOWN", TENDON__REACT_DOWN},     {"READONLY", TENDON__REACT_READ_ONLY},
    {"LOADING", TENDON__REACT_LOADING},     {"BUSY", TENDON__REACT_BUSY},
    {"NOREPLICAS", TENDON__REACT_BUSY},     {"NOAUTH", TENDON__REACT_UNAUTHENTICATED},
    {"UNBLOCKED", TENDON__REACT_UNBLOCKED},
};

static enum tendon__reaction react_to_word(struct span word)
{
    for (size_t i = 0; i < sizeof reactions / sizeof reactions[0]; i++)
        if (word.size == strlen(reactions[i].word) && starts_with(word, reactions[i].word))
            return reactions[i].reaction;
    return TENDON__REACT_SURFACE;
}

enum tendon__reaction tendon__react(const void *error, size_t size,
                                    struct tendon__redirect *out_redirect)
{
    if (size == 0)
        return TENDON__REACT_SURFACE;
    struct span text = {error, size};
    struct span word = take_word(&text);
    if (word.size == 3 && starts_with(word, "ERR"))
        return react_to_err(text);
    /* The node was demoted with the transaction open: nothing of it was executed, and every
     * connection to the node has to go. */
    if (starts_with(word, "EXECABORT") && contains(text, "because of: READONLY"))
        return TENDON__REACT_READ_ONLY;
    enum tendon__reaction reaction = react_to_word(word);
    if (reaction == TENDON__REACT_MOVED || reaction == TENDON__REACT_ASK)
        return parse_redirect(reaction, text, out_redirect);
    /* CLIENT UNBLOCK by another client uses the same prefix and is an answer for the caller. */
    if (reaction == TENDON__REACT_UNBLOCKED && !contains(text, "instance state changed"))
        return TENDON__REACT_SURFACE;
    return reaction;
}
