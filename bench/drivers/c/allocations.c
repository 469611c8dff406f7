/*
 * Preloaded into a driver: counts what it allocates. The drivers ask for the count when measuring
 * begins and ends (job.c), so that start-up and warm-up are left out.
 */
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

uint64_t bench_allocation_count(void);

static _Atomic uint64_t allocations;

static void count(void)
{
    atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed);
}

uint64_t bench_allocation_count(void)
{
    return atomic_load(&allocations);
}

void *malloc(size_t size)
{
    count();
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size)
{
    count();
    return __libc_calloc(number, size);
}

void *realloc(void *old, size_t size)
{
    count();
    return __libc_realloc(old, size);
}
