/* Large blocks kept for their next use, the longest unused first to go. */
#include "base/large.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#define KEPT_BLOCKS 16u
#define KEPT_BYTES  (8u << 20) /* by all of them */
#define REST_MS     1000       /* without a use, until blocks go back at a rest */

struct kept {
    void *block;
    size_t room;
};

/*
 * The last one was put there last. The lock is only ever tried: in the child of a fork it may stay
 * taken for ever, and then the allocator serves instead.
 */
static struct {
    pthread_mutex_t lock;
    struct kept blocks[KEPT_BLOCKS];
    uint32_t count;
    size_t bytes;
    int64_t used_ms;
} store = {.lock = PTHREAD_MUTEX_INITIALIZER};

static atomic_uint clients;

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool is_kept(const struct tendon__memory *memory, size_t room)
{
    return room >= TENDON__LARGE_MIN && room <= TENDON__LARGE_MAX &&
           memory == tendon__memory_system();
}

size_t tendon__large_room(size_t size)
{
    if (size < TENDON__LARGE_MIN || size > TENDON__LARGE_MAX)
        return size;
    /* Four sizes between one power of two and the next. */
    unsigned power = 63u - (unsigned)__builtin_clzll(size);
    size_t step = (size_t)1 << (power - 2);
    return (size + step - 1) & ~(step - 1);
}

/* With the lock. */
static struct kept take_out(uint32_t index)
{
    struct kept found = store.blocks[index];
    store.count--;
    store.bytes -= found.room;
    memmove(&store.blocks[index], &store.blocks[index + 1],
            (store.count - index) * sizeof store.blocks[0]);
    return found;
}

void *tendon__large_reuse(struct tendon__memory *memory, size_t room)
{
    void *block = NULL;
    if (is_kept(memory, room) && pthread_mutex_trylock(&store.lock) == 0) {
        for (uint32_t i = store.count; i-- > 0 && !block;)
            if (store.blocks[i].room == room)
                block = take_out(i).block;
        store.used_ms = now_ms();
        pthread_mutex_unlock(&store.lock);
    }
    return block;
}

void *tendon__large_take(struct tendon__memory *memory, size_t room)
{
    void *block = tendon__large_reuse(memory, room);
    return block ? block : tendon__memory_take(memory, room);
}

void tendon__large_free(struct tendon__memory *memory, void *block, size_t room)
{
    void *old[KEPT_BLOCKS];
    uint32_t old_count = 0;
    if (!block || !is_kept(memory, room) || pthread_mutex_trylock(&store.lock) != 0) {
        tendon__memory_free(memory, block);
        return;
    }
    if (atomic_load(&clients)) {
        while (store.count == KEPT_BLOCKS || (store.count && store.bytes + room > KEPT_BYTES))
            old[old_count++] = take_out(0).block;
        store.blocks[store.count++] = (struct kept){block, room};
        store.bytes += room;
        store.used_ms = now_ms();
        block = NULL;
    }
    pthread_mutex_unlock(&store.lock);
    tendon__memory_free(memory, block);
    while (old_count)
        tendon__memory_free(memory, old[--old_count]);
}

/* With the lock, which it gives back. */
static void empty(void)
{
    void *old[KEPT_BLOCKS];
    uint32_t old_count = 0;
    while (store.count)
        old[old_count++] = take_out(store.count - 1).block;
    pthread_mutex_unlock(&store.lock);
    while (old_count)
        tendon__memory_free(tendon__memory_system(), old[--old_count]);
}

void tendon__large_rest(void)
{
    if (pthread_mutex_trylock(&store.lock) != 0)
        return;
    if (now_ms() - store.used_ms >= REST_MS)
        empty();
    else
        pthread_mutex_unlock(&store.lock);
}

void tendon__large_open(void)
{
    atomic_fetch_add(&clients, 1);
}

void tendon__large_close(void)
{
    if (atomic_fetch_sub(&clients, 1) == 1 && pthread_mutex_trylock(&store.lock) == 0)
        empty();
}
