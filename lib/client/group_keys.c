/* The keys of a group's commands, compared with each other. */
#include "client/group_keys.h"

#include <string.h>

static bool is_among(const struct tendon__group_keys *group, uint32_t count, tendon_bytes key)
{
    for (uint32_t i = 0; i < count; i++)
        if (group->keys[i].size == key.size &&
            (!key.size || !memcmp(group->keys[i].data, key.data, key.size)))
            return true;
    return false;
}

void tendon__group_keys_add(struct tendon__group_keys *group, const tendon_bytes *args,
                            uint32_t count, const struct tendon__command *command)
{
    uint32_t places[TENDON__GROUP_KEYS_MAX];
    uint32_t before = group->count;
    if (group->meet)
        return;
    uint32_t found = tendon__command_keys(args, count, command, places, TENDON__GROUP_KEYS_MAX);
    group->commands++;
    group->keyless |= !found;
    group->meet |= group->keyless && group->commands > 1;
    /* As many as there is room for may not be all. */
    if (found >= TENDON__GROUP_KEYS_MAX - before) {
        group->meet = true;
        return;
    }
    for (uint32_t i = 0; i < found; i++) {
        group->meet |= is_among(group, before, args[places[i]]);
        group->keys[group->count++] = args[places[i]];
    }
}
