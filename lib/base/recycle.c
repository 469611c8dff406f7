/* Blocks kept for their next use: a small stack per thread and size, and a depot behind them. */
#include "base/recycle.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/large.h"

#define CLASSES      4u /* 256, 512, 1024 and 2048 bytes */
#define SMALLEST     256u
#define CACHE_LINE   64u
#define SMALLEST_CLZ 56u            /* leading zeros of SMALLEST - 1 in 64 bits */
#define DEPOT_BYTES  (4u * 1048576) /* of one size by the depot, at most */
/* Of one size by one thread, at most: a thousand threads that free what another has allocated would
 * hoard megabytes, so that all of them share so much. */
#define KEPT_BYTES       32768u
#define KEPT_BYTES_LEAST 2048u
#define KEPT_BYTES_ALL   (2u * 1048576)

/* A free block. The first of a chain in the depot also names the next chain. */
struct spare {
    struct spare *next;
    struct spare *next_chain;
    uint32_t length; /* of this chain */
};

/* What one thread keeps. When `spares` has its share it becomes the chain set aside, and the one
 * that was there goes to the depot: a chain moves as a whole, nobody has to walk along it. */
struct shelf {
    struct spare *spares[CLASSES];
    struct spare *aside[CLASSES];
    uint32_t counts[CLASSES]; /* of spares */
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

static uint32_t shelf_count;
static uint32_t kept_bytes = KEPT_BYTES; /* as many threads as there are now may keep */

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

static size_t chain_bytes(const struct spare *chain, uint32_t class)
{
    return (size_t)chain->length * (SMALLEST << class);
}

static void give_chain(uint32_t class, struct spare *chain)
{
    if (chain && pthread_mutex_trylock(&depot.lock) == 0) {
        if (depot.bytes[class] < DEPOT_BYTES) {
            chain->next_chain = depot.chains[class];
            __atomic_store_n(&depot.chains[class], chain, __ATOMIC_RELAXED);
            depot.bytes[class] += chain_bytes(chain, class);
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
        depot.bytes[class] -= chain_bytes(chain, class);
    }
    pthread_mutex_unlock(&depot.lock);
    return chain;
}

/* A thread more or less keeps blocks. Two that do this at once may leave the share of either. */
static void share(uint32_t change)
{
    uint32_t count = __atomic_add_fetch(&shelf_count, change, __ATOMIC_RELAXED);
    uint32_t bytes = count ? KEPT_BYTES_ALL / count : KEPT_BYTES;
    if (bytes > KEPT_BYTES)
        bytes = KEPT_BYTES;
    if (bytes < KEPT_BYTES_LEAST)
        bytes = KEPT_BYTES_LEAST;
    __atomic_store_n(&kept_bytes, bytes, __ATOMIC_RELAXED);
}

/* How many blocks a chain of the size has before it is set aside; 1 at least. */
static inline uint32_t chain_max(uint32_t class)
{
    return (__atomic_load_n(&kept_bytes, __ATOMIC_RELAXED) / (2 * SMALLEST) >> class) | 1;
}

/* At the end of a thread. */
static void clear_shelf(void *kept)
{
    struct shelf *shelf = kept;
    own_shelf = NULL;
    share(UINT32_MAX); /* one less */
    for (uint32_t class = 0; class < CLASSES; class ++) {
        free_chain(shelf->spares[class]);
        free_chain(shelf->aside[class]);
    }
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
    if (shelf)
        share(1);
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
    struct spare *chain = NULL;
    if (shelf && shelf->aside[class]) {
        chain = shelf->aside[class];
        shelf->aside[class] = NULL;
    } else if (shelf || (shelf = make_shelf())) {
        chain = take_chain(class);
    }
    if (!chain)
        return tendon__memory_take(tendon__memory_system(), SMALLEST << class);
    shelf->spares[class] = chain->next;
    shelf->counts[class] = chain->length - 1;
    return chain;
}

/* Out of line, so that who takes a small block saves no registers for it. */
static __attribute__((noinline)) void *take_large(struct tendon__memory *memory, size_t size)
{
    return tendon__large_take(memory, tendon__large_room(size));
}

static inline void *take(struct tendon__memory *memory, size_t size, bool more_follow)
{
    if (size > TENDON__RECYCLE_MAX || memory != tendon__memory_system())
        return take_large(memory, size);
    uint32_t class = class_of(size);
    struct shelf *shelf = own_shelf;
    if (!shelf || !shelf->spares[class])
        return take_slowly(shelf, class);
    struct spare *spare = shelf->spares[class];
    const struct spare *next = shelf->spares[class] = spare->next;
    shelf->counts[class]--;
    for (size_t line = 0; next && more_follow && line < SMALLEST; line += CACHE_LINE)
        __builtin_prefetch((const char *)next + line, 1);
    return spare;
}

void *tendon__recycle_take(struct tendon__memory *memory, size_t size)
{
    return take(memory, size, false);
}

void *tendon__recycle_take_one_of_many(struct tendon__memory *memory, size_t size)
{
    return take(memory, size, true);
}

static __attribute__((noinline)) void set_aside(struct shelf *shelf, uint32_t class)
{
    struct spare *chain = shelf->spares[class];
    chain->length = shelf->counts[class];
    give_chain(class, shelf->aside[class]);
    shelf->aside[class] = chain;
    shelf->spares[class] = NULL;
    shelf->counts[class] = 0;
}

/* A large block, a memory of a test's own, or the first that this thread keeps. */
static __attribute__((noinline)) void free_slowly(struct tendon__memory *memory, void *block,
                                                  size_t size)
{
    if (block && size <= TENDON__RECYCLE_MAX && memory == tendon__memory_system() && !own_shelf &&
        make_shelf())
        tendon__recycle_free(memory, block, size);
    else
        tendon__large_free(memory, block, tendon__large_room(size));
}

void tendon__recycle_free(struct tendon__memory *memory, void *block, size_t size)
{
    struct shelf *shelf = own_shelf;
    if (!shelf || !block || size > TENDON__RECYCLE_MAX || memory != tendon__memory_system()) {
        free_slowly(memory, block, size);
        return;
    }
    uint32_t class = class_of(size);
    struct spare *spare = block;
    spare->next = shelf->spares[class];
    shelf->spares[class] = spare;
    if (++shelf->counts[class] >= chain_max(class))
        set_aside(shelf, class);
}
