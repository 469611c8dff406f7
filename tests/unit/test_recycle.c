/* Blocks kept for their next use: the same block comes back, threads exchange them, and a memory of
 * a test's own sees every call. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/large.h"
#include "base/recycle.h"
#include "counting_memory.h"

#define MANY 5000

Test(recycle, another_memory_sees_every_call)
{
    struct counting_memory memory = counting_memory_make();
    void *block = tendon__recycle_take(&memory.memory, 300);
    cr_assert_eq(memory.blocks, 1);
    tendon__recycle_free(&memory.memory, block, 300);
    tendon__recycle_free(&memory.memory, NULL, 300);
    cr_assert_eq(memory.blocks, 0);
}

/* Every block is the caller's alone, whatever its size, and wholly usable. */
Test(recycle, blocks_in_use_are_different)
{
    static const size_t sizes[] = {1, 255, 256, 257, 512, 1000, 1024, 2048, 2049, 100000};
    struct tendon__memory *memory = tendon__memory_system();
    static unsigned char *blocks[MANY];
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < MANY; i++) {
            size_t size = sizes[i % 10];
            blocks[i] = tendon__recycle_take(memory, size);
            cr_assert_not_null(blocks[i]);
            memset(blocks[i], i & 0xff, size);
        }
        for (int i = 0; i < MANY; i++) {
            size_t size = sizes[i % 10];
            cr_assert(blocks[i][0] == (i & 0xff) && blocks[i][size - 1] == (i & 0xff));
            tendon__recycle_free(memory, blocks[i], size);
        }
    }
}

struct line {
    pthread_mutex_t lock;
    void *blocks[MANY];
    int count;
};

static void *make_blocks(void *argument)
{
    struct line *line = argument;
    for (int i = 0; i < MANY; i++) {
        unsigned char *block = tendon__recycle_take(tendon__memory_system(), 256);
        memset(block, 0x5a, 256);
        pthread_mutex_lock(&line->lock);
        line->blocks[line->count++] = block;
        pthread_mutex_unlock(&line->lock);
    }
    return NULL;
}

static void *end_blocks(void *argument)
{
    struct line *line = argument;
    for (int ended = 0; ended < MANY;) {
        pthread_mutex_lock(&line->lock);
        unsigned char *block = line->count ? line->blocks[--line->count] : NULL;
        pthread_mutex_unlock(&line->lock);
        if (!block)
            continue;
        cr_expect(block[0] == 0x5a && block[255] == 0x5a);
        tendon__recycle_free(tendon__memory_system(), block, 256);
        ended++;
    }
    return NULL;
}

/* As replies are: made by whoever drives, ended by their callers. */
Test(recycle, threads_may_end_what_others_made)
{
    static struct line line = {.lock = PTHREAD_MUTEX_INITIALIZER};
    for (int round = 0; round < 4; round++) {
        pthread_t maker, ender;
        cr_assert_eq(pthread_create(&maker, NULL, make_blocks, &line), 0);
        cr_assert_eq(pthread_create(&ender, NULL, end_blocks, &line), 0);
        pthread_join(maker, NULL);
        pthread_join(ender, NULL);
        cr_assert_eq(line.count, 0);
    }
}

/* Builds with AddressSanitizer keep none. */
static bool keeps_large_blocks(void)
{
    return tendon__large_room(TENDON__LARGE_MIN + 1) != TENDON__LARGE_MIN + 1;
}

Test(recycle, a_large_block_has_at_most_a_quarter_more_than_was_asked_for)
{
    for (size_t size = 1; size < 2 * TENDON__LARGE_MAX; size += size / 7 + 1) {
        size_t room = tendon__large_room(size);
        cr_assert(room >= size && room <= size + size / 4);
        cr_assert_eq(tendon__large_room(room), room);
        if (size < TENDON__LARGE_MIN || size > TENDON__LARGE_MAX)
            cr_assert_eq(room, size);
    }
}

Test(recycle, large_blocks_come_back_until_a_rest_that_is_long_enough)
{
    struct tendon__memory *memory = tendon__memory_system();
    tendon__large_open();
    size_t room = tendon__large_room(100000);
    cr_assert_null(tendon__large_reuse(memory, room));
    unsigned char *first = tendon__large_take(memory, room);
    unsigned char *second = tendon__large_take(memory, room);
    cr_assert_neq(first, second);
    memset(first, 1, room);
    memset(second, 2, room);
    cr_assert(first[room - 1] == 1 && second[0] == 2);
    tendon__large_free(memory, NULL, room);
    tendon__large_free(memory, first, room);
    tendon__large_free(memory, second, room);
    unsigned char *again = tendon__large_reuse(memory, room);
    cr_assert_eq(again != NULL, keeps_large_blocks());
    cr_assert_null(tendon__large_reuse(memory, 2 * room), "another size");
    tendon__large_free(memory, again, room);
    tendon__large_rest();
    again = tendon__large_reuse(memory, room);
    cr_assert_eq(again != NULL, keeps_large_blocks(), "a rest beside somebody's use");
    tendon__large_free(memory, again, room);
    usleep(1100000);
    tendon__large_rest();
    cr_assert_null(tendon__large_reuse(memory, room));
    tendon__large_close();
}

Test(recycle, without_clients_no_large_block_is_kept)
{
    struct tendon__memory *memory = tendon__memory_system();
    size_t room = tendon__large_room(100000);
    tendon__large_open();
    tendon__large_open();
    void *block = tendon__large_take(memory, room);
    tendon__large_free(memory, block, room);
    tendon__large_close();
    block = tendon__large_reuse(memory, room);
    cr_assert_eq(block != NULL, keeps_large_blocks(), "another client has ended");
    tendon__large_free(memory, block, room);
    tendon__large_close();
    cr_assert_null(tendon__large_reuse(memory, room), "the last one has ended");
    tendon__large_free(memory, tendon__large_take(memory, room), room);
    cr_assert_null(tendon__large_reuse(memory, room), "a reply was freed after it");
}

Test(recycle, what_is_kept_of_large_blocks_is_bounded)
{
    enum { COUNT = 40 };
    struct tendon__memory *memory = tendon__memory_system();
    static void *blocks[COUNT];
    tendon__large_open();
    const size_t rooms[] = {TENDON__LARGE_MIN, tendon__large_room(1u << 20), TENDON__LARGE_MAX};
    for (int size = 0; size < 3; size++) {
        for (int i = 0; i < COUNT; i++)
            blocks[i] = tendon__large_take(memory, rooms[size]);
        for (int i = 0; i < COUNT; i++)
            tendon__large_free(memory, blocks[i], rooms[size]);
        int kept = 0;
        while ((blocks[kept] = tendon__large_reuse(memory, rooms[size])))
            kept++;
        cr_assert_eq(kept > 0, keeps_large_blocks());
        cr_assert(kept <= 16 && (size_t)kept * rooms[size] <= 8u << 20);
        for (int i = 0; i < kept; i++)
            tendon__large_free(memory, blocks[i], rooms[size]);
    }
    tendon__large_close();
}

Test(recycle, another_memory_sees_every_large_block)
{
    struct counting_memory memory = counting_memory_make();
    size_t room = tendon__large_room(1u << 20);
    void *block = tendon__large_take(&memory.memory, room);
    cr_assert_eq(memory.blocks, 1);
    tendon__large_free(&memory.memory, block, room);
    cr_assert_eq(memory.blocks, 0);
    cr_assert_null(tendon__large_reuse(&memory.memory, room));
}
