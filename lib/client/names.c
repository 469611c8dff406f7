/* The table of names. They come from the program itself, so the hash needs no secret. */
#include "client/names.h"

#include <string.h>

#define ROOM_MIN   16u
#define HASH_BASIS UINT64_C(0xcbf29ce484222325)
#define HASH_PRIME UINT64_C(0x100000001b3)

const char *const tendon__join_words[TENDON__NAME_KINDS] = {"subscribe", "psubscribe", "ssubscribe",
                                                            "monitor"};
const char *const tendon__leave_words[TENDON__NAME_KINDS] = {"unsubscribe", "punsubscribe",
                                                             "sunsubscribe", ""};

static uint64_t hash(enum tendon__name_kind kind, tendon_bytes text)
{
    const unsigned char *bytes = text.data;
    uint64_t value = (HASH_BASIS ^ (uint64_t)kind) * HASH_PRIME;
    for (size_t i = 0; i < text.size; i++)
        value = (value ^ bytes[i]) * HASH_PRIME;
    return value ^ value >> 32;
}

static uint32_t total(const struct tendon__names *names)
{
    uint32_t count = 0;
    for (int i = 0; i < TENDON__NAME_KINDS; i++)
        count += names->counts[i];
    return count;
}

void tendon__names_init(struct tendon__names *names, struct tendon__memory *memory)
{
    memset(names, 0, sizeof *names);
    names->memory = memory;
    tendon__list_init(&names->all);
}

void tendon__names_deinit(struct tendon__names *names)
{
    struct tendon__link *link;
    while ((link = tendon__list_shift(&names->all)))
        tendon__memory_free(names->memory, TENDON__OWNER(link, struct tendon__name, link));
    tendon__memory_free(names->memory, names->buckets);
    names->buckets = NULL;
}

static struct tendon__name **bucket(const struct tendon__names *names, enum tendon__name_kind kind,
                                    tendon_bytes text)
{
    return &names->buckets[hash(kind, text) & (names->room - 1)];
}

static tendon_bytes text_of(const struct tendon__name *name)
{
    return (tendon_bytes){name->text, name->size};
}

struct tendon__name *tendon__names_find(const struct tendon__names *names,
                                        enum tendon__name_kind kind, tendon_bytes text)
{
    if (!names->room)
        return NULL;
    struct tendon__name *name = *bucket(names, kind, text);
    while (name && (name->kind != kind || name->size != text.size ||
                    (text.size && memcmp(name->text, text.data, text.size) != 0)))
        name = name->next;
    return name;
}

/* On failure the chains get longer, nothing else; false only without any bucket. */
static bool grow(struct tendon__names *names)
{
    if (total(names) < names->room)
        return true;
    uint32_t room = names->room ? names->room * 2 : ROOM_MIN;
    struct tendon__name **buckets =
        tendon__memory_make(names->memory, room * sizeof(struct tendon__name *));
    if (!buckets)
        return names->room > 0;
    tendon__memory_free(names->memory, names->buckets);
    names->buckets = buckets;
    names->room = room;
    for (struct tendon__link *link = names->all.next; link != &names->all; link = link->next) {
        struct tendon__name *name = TENDON__OWNER(link, struct tendon__name, link);
        struct tendon__name **place =
            bucket(names, (enum tendon__name_kind)name->kind, text_of(name));
        name->next = *place;
        *place = name;
    }
    return true;
}

struct tendon__name *tendon__names_add(struct tendon__names *names, enum tendon__name_kind kind,
                                       tendon_bytes text)
{
    if (text.size > UINT32_MAX - sizeof(struct tendon__name) || !grow(names))
        return NULL;
    struct tendon__name *name = tendon__memory_take(names->memory, sizeof *name + text.size);
    if (!name)
        return NULL;
    memset(name, 0, sizeof *name);
    name->kind = (uint8_t)kind;
    name->size = (uint32_t)text.size;
    if (text.size)
        memcpy(name->text, text.data, text.size);
    struct tendon__name **place = bucket(names, kind, text);
    name->next = *place;
    *place = name;
    tendon__list_push(&names->all, &name->link);
    names->counts[kind]++;
    return name;
}

void tendon__names_remove(struct tendon__names *names, struct tendon__name *name)
{
    struct tendon__name **at = bucket(names, (enum tendon__name_kind)name->kind, text_of(name));
    while (*at != name)
        at = &(*at)->next;
    *at = name->next;
    tendon__list_remove(&name->link);
    tendon__list_remove(&name->queue);
    names->counts[name->kind]--;
    tendon__memory_free(names->memory, name);
}
