/*
 * Counts of those inside, and handlers that let fork wait for zero. Whoever enters counts itself
 * and then looks for forks; whoever forks announces itself and then looks at the count: one of the
 * two sees the other. Nothing is locked while the process forks, because handlers of others run
 * then, which may wait for a thread that waits here.
 */
#define _GNU_SOURCE /* pthread_cond_clockwait */
#include "net/fork_gate.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

/* The locks are held for microseconds, on a busy machine for some turns of the scheduler; who waits
 * for a name server mostly holds none of them. */
#define WAIT_NS 500000000L

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* around `changed` */
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static atomic_uint inside[TENDON__FORK_GATES];
static atomic_uint forking[TENDON__FORK_GATES]; /* threads; two may fork at once */

/* Called with the lock held, which it gives up while it waits. */
static void wait_for_zero(atomic_uint *count)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += WAIT_NS;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    while (atomic_load(count) &&
           pthread_cond_clockwait(&changed, &lock, CLOCK_MONOTONIC, &until) != ETIMEDOUT)
        continue;
}

/* One gate after the other: while a look-up is waited for, TLS goes on. */
static void before_fork(void)
{
    pthread_mutex_lock(&lock);
    for (int gate = 0; gate < TENDON__FORK_GATES; gate++) {
        atomic_fetch_add(&forking[gate], 1);
        wait_for_zero(&inside[gate]);
    }
    pthread_mutex_unlock(&lock);
}

static void in_parent(void)
{
    pthread_mutex_lock(&lock);
    for (int gate = 0; gate < TENDON__FORK_GATES; gate++)
        atomic_fetch_sub(&forking[gate], 1);
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

/* Whoever was inside, or waited, or held the lock, is not here. */
static void in_child(void)
{
    lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    changed = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    for (int gate = 0; gate < TENDON__FORK_GATES; gate++) {
        atomic_store(&forking[gate], 0);
        atomic_store(&inside[gate], 0);
    }
}

/* Handlers run before a fork in the order opposite to their registration. Registered when the
 * library is loaded, these run behind those of the program, whose locks may be waited for inside.
 * Without memory for them everything is as it would be without this gate. */
__attribute__((constructor)) static void watch_forks(void)
{
    (void)pthread_atfork(before_fork, in_parent, in_child);
}

/* Lets those pass who fork. */
static void step_aside(enum tendon__fork_gate gate)
{
    pthread_mutex_lock(&lock);
    atomic_fetch_sub(&inside[gate], 1);
    pthread_cond_broadcast(&changed);
    wait_for_zero(&forking[gate]);
    atomic_fetch_add(&inside[gate], 1);
    pthread_mutex_unlock(&lock);
}

void tendon__fork_gate_enter(enum tendon__fork_gate gate)
{
    atomic_fetch_add(&inside[gate], 1);
    if (atomic_load(&forking[gate]))
        step_aside(gate);
}

void tendon__fork_gate_leave(enum tendon__fork_gate gate)
{
    atomic_fetch_sub(&inside[gate], 1);
    if (!atomic_load(&forking[gate]))
        return;
    pthread_mutex_lock(&lock);
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}
