/* Blocks kept for their next use: the same block comes back, threads exchange them, and a memory of
 * a test's own sees every call. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

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
