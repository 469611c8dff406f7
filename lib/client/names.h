/* What a subscription has subscribed to: names by kind, found by hash, kept in order of arrival. */
#ifndef TENDON_CLIENT_NAMES_H
#define TENDON_CLIENT_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include <tendon/types.h>

#include "base/list.h"
#include "base/memory.h"

struct tendon__feed;

enum tendon__name_kind {
    TENDON__NAME_CHANNEL,
    TENDON__NAME_PATTERN,
    TENDON__NAME_SHARDED,
    TENDON__NAME_MONITOR, /* the one empty name of MONITOR */
    TENDON__NAME_KINDS,
};

/* The words that ask for a kind and give it up, which are also those of the server's answers. */
extern const char *const tendon__join_words[TENDON__NAME_KINDS];
extern const char *const tendon__leave_words[TENDON__NAME_KINDS];

/*
 * WANTED -> ASKED -> ACTIVE -> UNWANTED -> LEAVING -> gone. A lost connection takes ASKED and
 * ACTIVE back to WANTED, UNWANTED and LEAVING to gone.
 */
enum tendon__name_state {
    TENDON__NAME_WANTED,   /* to be subscribed: waits at its feed, or for one */
    TENDON__NAME_ASKED,    /* the server has been asked */
    TENDON__NAME_ACTIVE,   /* confirmed */
    TENDON__NAME_UNWANTED, /* to be given up: waits at its feed */
    TENDON__NAME_LEAVING,  /* the server has been asked */
};

struct tendon__name {
    struct tendon__link link;  /* names->all */
    struct tendon__link queue; /* of those that wait at a feed, were asked there, or have none */
    struct tendon__name *next; /* of the same hash */
    struct tendon__feed *feed;
    int64_t not_before_ns; /* when a node may be looked for again */
    uint32_t batch;        /* the command that asked for it, of its feed */
    uint32_t turn;         /* of the program's command that waits for it; 0 when none does */
    uint8_t kind;          /* enum tendon__name_kind */
    uint8_t state;         /* enum tendon__name_state */
    uint8_t redirects;     /* in a row: nodes that did not want it */
    bool turns;            /* the opposite was wanted while the server was being asked */
    bool is_heard;         /* confirmed on this connection, and not yet given up there */
    bool is_missed;        /* was heard, and is not yet again since its connection was lost */
    uint32_t size;
    char text[];
};

struct tendon__names {
    struct tendon__memory *memory;
    struct tendon__link all;
    struct tendon__name **buckets;
    uint32_t room; /* a power of two, or 0 */
    uint32_t counts[TENDON__NAME_KINDS];
};

void tendon__names_init(struct tendon__names *names, struct tendon__memory *memory);
void tendon__names_deinit(struct tendon__names *names);
/* NULL when there is none. */
struct tendon__name *tendon__names_find(const struct tendon__names *names,
                                        enum tendon__name_kind kind, tendon_bytes text);
/* A new one, WANTED and nowhere; NULL when memory ran out. */
struct tendon__name *tendon__names_add(struct tendon__names *names, enum tendon__name_kind kind,
                                       tendon_bytes text);
void tendon__names_remove(struct tendon__names *names, struct tendon__name *name);

#endif
