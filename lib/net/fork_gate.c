/*
 * A count of those inside, and handlers that let fork wait for zero. Whoever enters counts itself
 * and then looks for forks; whoever forks announces itself and then looks at the count: one of the
 * two sees the other.
 */
#define _GNU_SOURCE /* pthread_cond_clockwait */
#include "net/fork_gate.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

/* The locks are held for microseconds, on a busy machine for some turns of the scheduler; who waits
 * for a name server mostly holds none of them. */
#define FORK_WAIT_NS 500000000L

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* around `changed`, and while forking */
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static atomic_uint inside;
static atomic_uint forking; /* threads; two may wait at once */

static void before_fork(void)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += FORK_WAIT_NS;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&lock);
    atomic_fetch_add(&forking, 1);
    while (atomic_load(&inside) &&
           pthread_cond_clockwait(&changed, &lock, CLOCK_MONOTONIC, &until) != ETIMEDOUT)
        continue;
}

static void in_parent(void)
{
    atomic_fetch_sub(&forking, 1);
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

/* Whoever was inside, or waited, is not here. */
static void in_child(void)
{
    atomic_store(&forking, 0);
    atomic_store(&inside, 0);
    changed = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    pthread_mutex_unlock(&lock);
}

/* Without memory for the handlers everything is as it would be without this gate. */
static void watch_forks(void)
{
    (void)pthread_atfork(before_fork, in_parent, in_child);
}

/* Lets those pass who fork. */
static void step_aside(void)
{
    pthread_mutex_lock(&lock);
    atomic_fetch_sub(&inside, 1);
    pthread_cond_broadcast(&changed);
    while (atomic_load(&forking))
        pthread_cond_wait(&changed, &lock);
    atomic_fetch_add(&inside, 1);
    pthread_mutex_unlock(&lock);
}

void tendon__fork_gate_enter(void)
{
    pthread_once(&once, watch_forks);
    atomic_fetch_add(&inside, 1);
    if (atomic_load(&forking))
        step_aside();
}

void tendon__fork_gate_leave(void)
{
    atomic_fetch_sub(&inside, 1);
    if (!atomic_load(&forking))
        return;
    pthread_mutex_lock(&lock);
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}
