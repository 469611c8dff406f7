/* Which keys the commands of a group name, to say whether the group as a whole is idempotent. */
#ifndef TENDON_CLIENT_GROUP_KEYS_H
#define TENDON_CLIENT_GROUP_KEYS_H

#include "client/command.h"

/* Of groups with more keys nothing is said: comparing all of them costs their square. */
#define TENDON__GROUP_KEYS_MAX 32u

/*
 * Commands of which each is idempotent are together only if none of them sees what another did: of
 * SREM k x, SADD k x a second execution removes what the first has added and says so, and PFMERGE
 * d s, PFADD s x leaves other data. What a command without keys sees is not known: CONFIG GET a,
 * CONFIG SET a 2.
 */
struct tendon__group_keys {
    tendon_bytes keys[TENDON__GROUP_KEYS_MAX]; /* borrowed from the caller's requests */
    uint32_t count;
    uint32_t commands;
    bool keyless; /* one of them names no key */
    bool meet;    /* two commands name one key, or there are too many keys to know */
};

/* Leaves the room for keys as it is: most requests are no group. */
static inline void tendon__group_keys_init(struct tendon__group_keys *group)
{
    group->count = group->commands = 0;
    group->keyless = group->meet = false;
}

/* Adds the keys of one command. */
void tendon__group_keys_add(struct tendon__group_keys *group, const tendon_bytes *args,
                            uint32_t count, const struct tendon__command *command);

#endif
