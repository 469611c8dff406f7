/* Blocks kept for their next use: a small stack per thread and size, and a depot behind them. */
#include "base/recycle.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define CLASSES             4u /* 256, 512, 1024 and 2048 bytes */
#define SMALLEST            256u
#define SMALLEST_CLZ        56u            /* leading zeros of SMALLEST - 1 in 64 bits */
#define KEPT_BYTES          32768u         /* of one size by one thread, at most */
#define DEPOT_BYTES         (4u * 1048576) /* of one size by the depot, at most */
#define CHAIN_BYTES         (KEPT_BYTES / 2)
#define CHAIN_LENGTH(class) (CHAIN_BYTES / (SMALLEST << (class)))

/* A free block. The first of a chain in the depot also names the next chain. */
struct spare {
    struct spare *next;
    struct spare *next_chain;
};

/* What one thread keeps. */
struct shelf {
    struct spare *spares[CLASSES];
    uint32_t counts[CLASSES];
};

/*
 * The lock is only ever tried: in the child of a fork it may stay taken for ever, and then the
 * allocator serves instead.
 */
static struct {
    pthread_mutex_t lock;
    struct spare *chains[CLASSES];
    size_t bytes[CLASSES];
} depot = {.lock = PTHREAD_MUTEX_INITIALIZER};

static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static pthread_key_t shelf_key;
static bool has_key;

/* One pointer of static TLS, which every way of loading the library has room for. */
static __thread struct shelf *own_shelf __attribute__((tls_model("initial-exec")));

static void free_chain(struct spare *chain)
{
    while (chain) {
        struct spare *next = chain->next;
        tendon__memory_free(tendon__memory_system(), chain);
        chain = next;
    }
}

static void give_chain(uint32_t class, struct spare *chain)
{
    if (chain && pthread_mutex_trylock(&depot.lock) == 0) {
        if (depot.bytes[class] < DEPOT_BYTES) {
            chain->next_chain = depot.chains[class];
            __atomic_store_n(&depot.chains[class], chain, __ATOMIC_RELAXED);
            depot.bytes[class] += CHAIN_BYTES;
            chain = NULL;
        }
        pthread_mutex_unlock(&depot.lock);
    }
    free_chain(chain);
}

static struct spare *take_chain(uint32_t class)
{
    if (!__atomic_load_n(&depot.chains[class], __ATOMIC_RELAXED) ||
        pthread_mutex_trylock(&depot.lock) != 0)
        return NULL;
    struct spare *chain = depot.chains[class];
    if (chain) {
        __atomic_store_n(&depot.chains[class], chain->next_chain, __ATOMIC_RELAXED);
        depot.bytes[class] -= CHAIN_BYTES;
    }
    pthread_mutex_unlock(&depot.lock);
    return chain;
}

/* At the end of a thread. */
static void clear_shelf(void *kept)
{
    struct shelf *shelf = kept;
    own_shelf = NULL;
    for (uint32_t class = 0; class < CLASSES; class ++)
        free_chain(shelf->spares[class]);
    tendon__memory_free(tendon__memory_system(), shelf);
}

static void make_key(void)
{
    has_key = pthread_key_create(&shelf_key, clear_shelf) == 0;
}

static struct shelf *make_shelf(void)
{
    pthread_once(&key_once, make_key);
    struct shelf *shelf =
        has_key ? tendon__memory_make(tendon__memory_system(), sizeof *shelf) : NULL;
    if (shelf && pthread_setspecific(shelf_key, shelf) != 0) {
        tendon__memory_free(tendon__memory_system(), shelf);
        return NULL;
    }
    own_shelf = shelf;
    return shelf;
}

static inline uint32_t class_of(size_t size)
{
    uint32_t class = 0;
    while (size > SMALLEST << class)
        class ++;
    return class;
}

static __attribute__((noinline)) void *take_slowly(struct shelf *shelf, uint32_t class)
{
    struct spare *chain = shelf || (shelf = make_shelf()) ? take_chain(class) : NULL;
    if (!chain)
        return tendon__memory_take(tendon__memory_system(), SMALLEST << class);
    shelf->spares[class] = chain->next;
    shelf->counts[class] = CHAIN_LENGTH(class) - 1;
    return chain;
}

void *tendon__recycle_take(struct tendon__memory *memory, size_t size)
{
    if (size > TENDON__RECYCLE_MAX || memory != tendon__memory_system())
        return tendon__memory_take(memory, size);
    uint32_t class = class_of(size);
    struct shelf *shelf = own_shelf;
    if (!shelf || !shelf->spares[class])
        return take_slowly(shelf, class);
    struct spare *spare = shelf->spares[class];
    shelf->spares[class] = spare->next;
    shelf->counts[class]--;
    return spare;
}

/* The shelf is full: the half that lay there longest would do as well, but the upper one is at
 * hand. */
static __attribute__((noinline)) void make_room(struct shelf *shelf, uint32_t class)
{
    struct spare *chain = shelf->spares[class];
    struct spare *last = chain;
    for (uint32_t i = 1; i < CHAIN_LENGTH(class); i++)
        last = last->next;
    shelf->spares[class] = last->next;
    shelf->counts[class] -= CHAIN_LENGTH(class);
    last->next = NULL;
    give_chain(class, chain);
}

void tendon__recycle_free(struct tendon__memory *memory, void *block, size_t size)
{
    struct shelf *shelf = own_shelf;
    if (!block || size > TENDON__RECYCLE_MAX || memory != tendon__memory_system() ||
        !(shelf || (shelf = make_shelf()))) {
        tendon__memory_free(memory, block);
        return;
    }
    uint32_t class = class_of(size);
    struct spare *spare = block;
    spare->next = shelf->spares[class];
    shelf->spares[class] = spare;
    if (++shelf->counts[class] >= CHAIN_LENGTH(class) * 2)
        make_room(shelf, class);
}
