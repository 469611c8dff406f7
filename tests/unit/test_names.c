/* The table of names. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "client/names.h"
#include "counting_memory.h"

static tendon_bytes text(const char *words)
{
    return (tendon_bytes){words, strlen(words)};
}

static void add_many(struct tendon__names *names, int count)
{
    char name[32];
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "name:%d", i);
        cr_assert_not_null(tendon__names_add(names, TENDON__NAME_CHANNEL, text(name)));
    }
}

Test(names, a_name_is_of_its_kind)
{
    struct counting_memory memory = counting_memory_make();
    struct tendon__names names;
    tendon__names_init(&names, &memory.memory);
    cr_assert_null(tendon__names_find(&names, TENDON__NAME_CHANNEL, text("a")));
    struct tendon__name *channel = tendon__names_add(&names, TENDON__NAME_CHANNEL, text("a"));
    struct tendon__name *pattern = tendon__names_add(&names, TENDON__NAME_PATTERN, text("a"));
    struct tendon__name *empty =
        tendon__names_add(&names, TENDON__NAME_CHANNEL, (tendon_bytes){NULL, 0});
    struct tendon__name *binary =
        tendon__names_add(&names, TENDON__NAME_CHANNEL, (tendon_bytes){"a\0b", 3});
    cr_assert_eq(tendon__names_find(&names, TENDON__NAME_CHANNEL, text("a")), channel);
    cr_assert_eq(tendon__names_find(&names, TENDON__NAME_PATTERN, text("a")), pattern);
    cr_assert_eq(tendon__names_find(&names, TENDON__NAME_CHANNEL, text("")), empty);
    cr_assert_eq(tendon__names_find(&names, TENDON__NAME_CHANNEL, (tendon_bytes){"a\0b", 3}),
                 binary);
    cr_assert_eq(names.counts[TENDON__NAME_CHANNEL], 3);
    tendon__names_remove(&names, channel);
    cr_assert_null(tendon__names_find(&names, TENDON__NAME_CHANNEL, text("a")));
    cr_assert_eq(tendon__names_find(&names, TENDON__NAME_PATTERN, text("a")), pattern);
    tendon__names_deinit(&names);
    cr_assert_eq(memory.blocks, 0);
}

Test(names, they_keep_the_order_of_arrival)
{
    struct counting_memory memory = counting_memory_make();
    struct tendon__names names;
    tendon__names_init(&names, &memory.memory);
    add_many(&names, 1000);
    int i = 0;
    for (struct tendon__link *link = names.all.next; link != &names.all; link = link->next, i++) {
        char name[32];
        struct tendon__name *at = TENDON__OWNER(link, struct tendon__name, link);
        snprintf(name, sizeof name, "name:%d", i);
        cr_assert_eq(at->size, strlen(name));
        cr_assert_eq(memcmp(at->text, name, at->size), 0);
    }
    cr_assert_eq(i, 1000);
    tendon__names_deinit(&names);
    cr_assert_eq(memory.blocks, 0);
}

Test(names, memory_may_run_out)
{
    for (long refuse = 1; refuse < 60; refuse++) {
        struct counting_memory memory = counting_memory_make();
        struct tendon__names names;
        char name[32];
        int added = 0;
        tendon__names_init(&names, &memory.memory);
        memory.refuse_from = refuse;
        for (int i = 0; i < 40; i++) {
            snprintf(name, sizeof name, "%d", i);
            added += tendon__names_add(&names, TENDON__NAME_SHARDED, text(name)) != NULL;
        }
        cr_assert_eq(names.counts[TENDON__NAME_SHARDED], (uint32_t)added);
        memory.refuse_from = 0;
        cr_assert_not_null(tendon__names_add(&names, TENDON__NAME_SHARDED, text("later")));
        tendon__names_deinit(&names);
        cr_assert_eq(memory.blocks, 0);
    }
}

/* Comparisons, not time: the chains stay short. */
Test(names, many_are_found_without_a_search)
{
    struct counting_memory memory = counting_memory_make();
    struct tendon__names names;
    uint32_t longest = 0;
    tendon__names_init(&names, &memory.memory);
    add_many(&names, 100000);
    for (uint32_t i = 0; i < names.room; i++) {
        uint32_t length = 0;
        for (struct tendon__name *name = names.buckets[i]; name; name = name->next)
            length++;
        longest = length > longest ? length : longest;
    }
    cr_assert_lt(longest, 16, "a chain of %u", longest);
    while (!tendon__list_empty(&names.all))
        tendon__names_remove(&names, TENDON__OWNER(names.all.next, struct tendon__name, link));
    cr_assert_eq(names.counts[TENDON__NAME_CHANNEL], 0);
    tendon__names_deinit(&names);
    cr_assert_eq(memory.blocks, 0);
}
