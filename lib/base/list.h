/* A doubly linked list whose links live in its members. Removing is O(1) and safe to repeat. */
#ifndef TENDON_BASE_LIST_H
#define TENDON_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct tendon__link {
    struct tendon__link *next;
    struct tendon__link *prev;
};

/* The struct that holds `link` as its member. */
#define TENDON__OWNER(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

static inline void tendon__list_init(struct tendon__link *list)
{
    list->next = list->prev = list;
}

static inline bool tendon__list_empty(const struct tendon__link *list)
{
    return list->next == list;
}

/* A zeroed or removed link is not linked. */
static inline bool tendon__list_linked(const struct tendon__link *link)
{
    return link->next != NULL && link->next != link;
}

static inline void tendon__list_insert(struct tendon__link *after, struct tendon__link *link)
{
    link->prev = after;
    link->next = after->next;
    after->next->prev = link;
    after->next = link;
}

static inline void tendon__list_push(struct tendon__link *list, struct tendon__link *link)
{
    tendon__list_insert(list->prev, link);
}

static inline void tendon__list_push_front(struct tendon__link *list, struct tendon__link *link)
{
    tendon__list_insert(list, link);
}

static inline void tendon__list_remove(struct tendon__link *link)
{
    if (!link->next)
        return;
    link->prev->next = link->next;
    link->next->prev = link->prev;
    link->next = link->prev = NULL;
}

/* Moves all links of `from` behind those of `list`. */
static inline void tendon__list_splice(struct tendon__link *list, struct tendon__link *from)
{
    if (tendon__list_empty(from))
        return;
    from->next->prev = list->prev;
    list->prev->next = from->next;
    from->prev->next = list;
    list->prev = from->prev;
    tendon__list_init(from);
}

/* Removes and returns the first link, NULL when empty. */
static inline struct tendon__link *tendon__list_shift(struct tendon__link *list)
{
    if (tendon__list_empty(list))
        return NULL;
    struct tendon__link *first = list->next;
    tendon__list_remove(first);
    return first;
}

#endif
