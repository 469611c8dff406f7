/*
 * Questions, answers and the helper threads between them. The owner's side may be called by one
 * thread at a time; the shared side is all a helper thread touches, is allocated by the system's
 * allocator and is counted, so that a thread stuck in a look-up can outlive the resolver and the
 * client's allocator.
 */
#include "net/resolver.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/list.h"
#include "base/random.h"
#include "net/lookup.h"

/* Names waiting for a thread: more than the nodes of the largest cluster we accept by default. */
#define QUESTIONS_MAX 4096
/* Long enough to serve a burst of reconnects, short enough that an idle client has no threads. */
#define IDLE_S 3
/* getaddrinfo loads modules of the system that keep large buffers on the stack. */
#define STACK_BYTES (512u * 1024u)

enum job_state {
    JOB_QUEUED,  /* in shared.queue */
    JOB_RUNNING, /* a thread is looking it up; in no list */
    JOB_READY,   /* in shared.ready until its last waiter has taken it */
};

/* One look-up, shared by all who ask for the same name and family while it is under way. */
struct job {
    struct tendon__link link;  /* in queue or ready */
    struct tendon__link known; /* in shared.jobs, all there are */
    struct tendon__link waiters;
    enum job_state state;
    int family;
    struct tendon__answers *answers; /* from READY on; NULL when memory ran out */
    char host[TENDON__HOST_MAX + 1];
};

/* One helper thread. One that waits for work is joined at the end; one inside a look-up is left. */
struct helper {
    struct shared *shared;
    pthread_t thread;
    bool is_live;
    bool is_looking;
    bool is_joined; /* by destroy; else it detaches itself */
};

struct shared {
    struct helper helpers[TENDON__RESOLVER_THREADS];
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct tendon__link queue;
    struct tendon__link ready;
    struct tendon__link jobs;
    uint32_t queue_count;
    uint32_t thread_count;
    uint32_t idle_count;
    bool is_closed;
    void (*wake)(void *context);
    void *context;
};

struct waiter {
    struct tendon__link link; /* in job.waiters */
    struct tendon__link own;  /* in resolver.waiters, which no helper thread ever touches */
    struct job *job;
    uint64_t token;
    uint16_t port;
};

struct tendon__resolver {
    struct tendon__memory *memory;
    struct shared *shared;
    struct tendon__link waiters;
    struct tendon__random random;
    pid_t pid;
};

static void job_free(struct job *job)
{
    struct tendon__memory *system = tendon__memory_system();
    tendon__list_remove(&job->link);
    tendon__list_remove(&job->known);
    tendon__memory_free(system, job->answers);
    tendon__memory_free(system, job);
}

static void shared_free(struct shared *shared)
{
    while (!tendon__list_empty(&shared->jobs))
        job_free(TENDON__OWNER(shared->jobs.next, struct job, known));
    pthread_cond_destroy(&shared->work);
    pthread_mutex_destroy(&shared->lock);
    tendon__memory_free(tendon__memory_system(), shared);
}

static struct shared *shared_create(void (*wake)(void *context), void *context)
{
    struct tendon__memory *system = tendon__memory_system();
    struct shared *shared = tendon__memory_make(system, sizeof *shared);
    if (!shared)
        return NULL;
    tendon__list_init(&shared->queue);
    tendon__list_init(&shared->ready);
    tendon__list_init(&shared->jobs);
    shared->wake = wake;
    shared->context = context;
    pthread_condattr_t attributes;
    if (pthread_mutex_init(&shared->lock, NULL) != 0)
        goto failed_lock;
    if (pthread_condattr_init(&attributes) != 0)
        goto failed_work;
    /* An idle time that a changed wall clock cannot stretch. */
    int error = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    if (error == 0)
        error = pthread_cond_init(&shared->work, &attributes);
    pthread_condattr_destroy(&attributes);
    if (error == 0)
        return shared;
failed_work:
    pthread_mutex_destroy(&shared->lock);
failed_lock:
    tendon__memory_free(system, shared);
    return NULL;
}

/* The next job, waiting for one while that makes sense; NULL when the thread shall end. Called with
 * the lock held. */
static struct job *next_job(struct shared *shared)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += IDLE_S;
    int error = 0;
    shared->idle_count++;
    while (!shared->is_closed && tendon__list_empty(&shared->queue) && error != ETIMEDOUT)
        error = pthread_cond_timedwait(&shared->work, &shared->lock, &until);
    shared->idle_count--;
    struct tendon__link *link = shared->is_closed ? NULL : tendon__list_shift(&shared->queue);
    if (!link)
        return NULL;
    shared->queue_count--;
    struct job *job = TENDON__OWNER(link, struct job, link);
    job->state = JOB_RUNNING;
    return job;
}

/* Called with the lock held, so that no wake can begin after destroy has returned. */
static void job_done(struct shared *shared, struct job *job, struct tendon__answers *answers)
{
    job->answers = answers;
    job->state = JOB_READY;
    if (shared->is_closed || tendon__list_empty(&job->waiters)) {
        job_free(job);
        return;
    }
    tendon__list_push(&shared->ready, &job->link);
    shared->wake(shared->context);
}

static void *helper_main(void *argument)
{
    struct helper *helper = argument;
    struct shared *shared = helper->shared;
    struct tendon__memory *system = tendon__memory_system();
    struct job *job;
    pthread_mutex_lock(&shared->lock);
    while ((job = next_job(shared)) != NULL) {
        helper->is_looking = true;
        pthread_mutex_unlock(&shared->lock);
        struct tendon__answers *answers = tendon__memory_take(system, sizeof *answers);
        if (answers)
            tendon__lookup_name(job->host, job->family, answers);
        pthread_mutex_lock(&shared->lock);
        helper->is_looking = false;
        job_done(shared, job, answers);
    }
    helper->is_live = false;
    if (!helper->is_joined)
        pthread_detach(pthread_self());
    bool is_last = --shared->thread_count == 0 && shared->is_closed;
    pthread_mutex_unlock(&shared->lock);
    if (is_last)
        shared_free(shared);
    tendon__lookup_thread_ends();
    return NULL;
}

static struct helper *free_helper(struct shared *shared)
{
    for (int i = 0; i < TENDON__RESOLVER_THREADS; i++)
        if (!shared->helpers[i].is_live)
            return &shared->helpers[i];
    return NULL;
}

/* Starts one more thread where there is work for it. Called with the lock held. */
static tendon_status start_thread(struct shared *shared)
{
    struct helper *helper = free_helper(shared);
    if (shared->idle_count >= shared->queue_count || !helper)
        return TENDON_OK;
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0)
        return shared->thread_count ? TENDON_OK : TENDON_ERROR_SYSTEM;
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    /* A signal of the host program must not be delivered to a thread that it does not know of. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    *helper = (struct helper){.shared = shared};
    int error = pthread_create(&helper->thread, &attributes, helper_main, helper);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    helper->is_live = error == 0;
    if (error == 0)
        shared->thread_count++;
    /* Without this thread the question waits for one of the others. */
    return shared->thread_count ? TENDON_OK : TENDON_ERROR_SYSTEM;
}

static uint64_t seed(const void *salt)
{
    uint64_t value = 0;
    if (getrandom(&value, sizeof value, GRND_NONBLOCK) == (ssize_t)sizeof value)
        return value;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_nsec ^ (uint64_t)(uintptr_t)salt;
}

tendon_status tendon__resolver_create(struct tendon__memory *memory, void (*wake)(void *context),
                                      void *context, struct tendon__resolver **out)
{
    struct tendon__resolver *resolver = tendon__memory_make(memory, sizeof *resolver);
    if (!resolver)
        return TENDON_ERROR_NO_MEMORY;
    resolver->shared = shared_create(wake, context);
    if (!resolver->shared) {
        tendon__memory_free(memory, resolver);
        return TENDON_ERROR_NO_MEMORY;
    }
    resolver->memory = memory;
    resolver->pid = getpid();
    tendon__list_init(&resolver->waiters);
    tendon__random_init(&resolver->random, seed(resolver));
    *out = resolver;
    return TENDON_OK;
}

/* In a child none of the threads exists, but one may have held the lock when the parent forked. */
static void destroy_in_child(struct shared *shared)
{
    if (pthread_mutex_trylock(&shared->lock) != 0)
        return;
    pthread_mutex_unlock(&shared->lock);
    while (!tendon__list_empty(&shared->jobs))
        job_free(TENDON__OWNER(shared->jobs.next, struct job, known));
    /* Not pthread_cond_destroy: it would wait for the parent's threads to leave. */
    tendon__memory_free(tendon__memory_system(), shared);
}

/* Ends the helpers. Those that wait for work are gone when it returns; a stuck look-up goes on. */
static void dismiss(struct shared *shared)
{
    pthread_t idle[TENDON__RESOLVER_THREADS];
    int idle_count = 0;
    pthread_mutex_lock(&shared->lock);
    shared->is_closed = true;
    bool is_last = shared->thread_count == 0;
    for (int i = 0; i < TENDON__RESOLVER_THREADS; i++) {
        struct helper *helper = &shared->helpers[i];
        helper->is_joined = helper->is_live && !helper->is_looking;
        if (helper->is_joined)
            idle[idle_count++] = helper->thread;
    }
    pthread_cond_broadcast(&shared->work);
    pthread_mutex_unlock(&shared->lock);
    while (idle_count)
        pthread_join(idle[--idle_count], NULL);
    if (is_last)
        shared_free(shared);
}

void tendon__resolver_destroy(struct tendon__resolver *resolver)
{
    if (!resolver)
        return;
    struct shared *shared = resolver->shared;
    struct tendon__link *link;
    if (getpid() != resolver->pid) {
        destroy_in_child(shared);
    } else {
        dismiss(shared);
    }
    while ((link = tendon__list_shift(&resolver->waiters)) != NULL)
        tendon__memory_free(resolver->memory, TENDON__OWNER(link, struct waiter, own));
    tendon__memory_free(resolver->memory, resolver);
}

/* A look-up of the same question whose answer is still to come. */
static struct job *find_job(struct shared *shared, const char *host, int family)
{
    for (struct tendon__link *link = shared->jobs.next; link != &shared->jobs; link = link->next) {
        struct job *job = TENDON__OWNER(link, struct job, known);
        if (job->state != JOB_READY && job->family == family && strcasecmp(job->host, host) == 0)
            return job;
    }
    return NULL;
}

static struct job *job_create(struct shared *shared, const char *host, int family)
{
    struct job *job = tendon__memory_make(tendon__memory_system(), sizeof *job);
    if (!job)
        return NULL;
    tendon__list_init(&job->waiters);
    tendon__list_push(&shared->jobs, &job->known);
    job->family = family;
    memcpy(job->host, host, strlen(host) + 1);
    return job;
}

/* A new job in the queue or, for a literal address, already answered. Called with the lock held. */
static tendon_status job_begin(struct shared *shared, const char *host, int family,
                               struct tendon__answers **literal, struct job **out)
{
    if (!*literal && shared->queue_count >= QUESTIONS_MAX)
        return TENDON_ERROR_RESOLVE;
    struct job *job = job_create(shared, host, family);
    if (!job)
        return TENDON_ERROR_NO_MEMORY;
    *out = job;
    if (*literal) {
        job->answers = *literal;
        *literal = NULL;
        job->state = JOB_READY;
        tendon__list_push(&shared->ready, &job->link);
        return TENDON_OK;
    }
    tendon__list_push(&shared->queue, &job->link);
    shared->queue_count++;
    tendon_status status = start_thread(shared);
    if (status != TENDON_OK) {
        shared->queue_count--;
        job_free(job);
        return status;
    }
    pthread_cond_signal(&shared->work);
    return TENDON_OK;
}

static void waiter_free(struct tendon__resolver *resolver, struct waiter *waiter)
{
    struct job *job = waiter->job;
    tendon__list_remove(&waiter->link);
    tendon__list_remove(&waiter->own);
    tendon__memory_free(resolver->memory, waiter);
    /* A running job belongs to its thread, which frees it when it finds no waiter. */
    if (!tendon__list_empty(&job->waiters) || job->state == JOB_RUNNING)
        return;
    if (job->state == JOB_QUEUED)
        resolver->shared->queue_count--;
    job_free(job);
}

/* Answers of a literal address, by the system's allocator; NULL for a name, or with *status set. */
static struct tendon__answers *answer_literal(const char *host, int family, tendon_status *status)
{
    struct tendon__memory *system = tendon__memory_system();
    struct tendon__answers *answers = tendon__memory_take(system, sizeof *answers);
    if (!answers) {
        *status = TENDON_ERROR_NO_MEMORY;
        return NULL;
    }
    if (tendon__lookup_literal(host, family, answers))
        return answers;
    tendon__memory_free(system, answers);
    return NULL;
}

tendon_status tendon__resolver_ask(struct tendon__resolver *resolver, uint64_t token,
                                   const char *host, uint16_t port, int family)
{
    size_t length = strlen(host);
    if (length == 0 || length > TENDON__HOST_MAX)
        return TENDON_ERROR_ARGUMENT;
    tendon_status status = TENDON_OK;
    struct tendon__answers *literal = answer_literal(host, family, &status);
    if (status != TENDON_OK)
        return status;
    struct waiter *waiter = tendon__memory_make(resolver->memory, sizeof *waiter);
    if (!waiter) {
        tendon__memory_free(tendon__memory_system(), literal);
        return TENDON_ERROR_NO_MEMORY;
    }
    struct shared *shared = resolver->shared;
    pthread_mutex_lock(&shared->lock);
    struct job *job = literal ? NULL : find_job(shared, host, family);
    if (!job)
        status = job_begin(shared, host, family, &literal, &job);
    if (status == TENDON_OK) {
        waiter->job = job;
        waiter->token = token;
        waiter->port = port;
        tendon__list_push(&job->waiters, &waiter->link);
        tendon__list_push(&resolver->waiters, &waiter->own);
        if (job->state == JOB_READY)
            shared->wake(shared->context);
    }
    pthread_mutex_unlock(&shared->lock);
    if (status != TENDON_OK) {
        tendon__memory_free(tendon__memory_system(), literal);
        tendon__memory_free(resolver->memory, waiter);
    }
    return status;
}

void tendon__resolver_forget(struct tendon__resolver *resolver, uint64_t token)
{
    pthread_mutex_lock(&resolver->shared->lock);
    struct tendon__link *link = resolver->waiters.next;
    while (link != &resolver->waiters) {
        struct waiter *waiter = TENDON__OWNER(link, struct waiter, own);
        link = link->next;
        if (waiter->token == token)
            waiter_free(resolver, waiter);
    }
    pthread_mutex_unlock(&resolver->shared->lock);
}

static void set_port(struct tendon__address *address, uint16_t port)
{
    void *storage = &address->storage;
    if (address->storage.ss_family == AF_INET)
        ((struct sockaddr_in *)storage)->sin_port = htons(port);
    else
        ((struct sockaddr_in6 *)storage)->sin6_port = htons(port);
}

/*
 * The family that the system put first stays first, because it knows the routes. Within a family
 * the order is random: the configuration endpoint of a cluster lists all nodes, and all clients
 * would meet at the first.
 */
static void arrange(struct tendon__random *random, const struct tendon__answers *answers,
                    uint16_t port, struct tendon__resolved *out)
{
    uint8_t order[2][TENDON__ADDRESSES_MAX];
    uint32_t counts[2] = {0, 0};
    uint32_t taken[2] = {0, 0};
    for (uint32_t i = 0; i < answers->count; i++) {
        int other =
            answers->addresses[i].storage.ss_family != answers->addresses[0].storage.ss_family;
        uint32_t at = (uint32_t)tendon__random_below(random, counts[other] + 1);
        order[other][counts[other]] = order[other][at];
        order[other][at] = (uint8_t)i;
        counts[other]++;
    }
    int side = 0;
    for (out->count = 0; out->count < answers->count; out->count++) {
        if (taken[side] == counts[side])
            side = !side;
        out->addresses[out->count] = answers->addresses[order[side][taken[side]++]];
        set_port(&out->addresses[out->count], port);
        side = !side;
    }
}

bool tendon__resolver_take(struct tendon__resolver *resolver, struct tendon__resolved *out)
{
    struct shared *shared = resolver->shared;
    pthread_mutex_lock(&shared->lock);
    bool found = !tendon__list_empty(&shared->ready);
    if (found) {
        struct job *job = TENDON__OWNER(shared->ready.next, struct job, link);
        struct waiter *waiter = TENDON__OWNER(job->waiters.next, struct waiter, link);
        out->token = waiter->token;
        out->count = 0;
        if (job->answers) {
            out->fault = job->answers->fault;
            arrange(&resolver->random, job->answers, waiter->port, out);
        } else {
            tendon__fault_set(&out->fault, TENDON_ERROR_RESOLVE,
                              "cannot resolve '%s': out of memory", job->host);
        }
        waiter_free(resolver, waiter);
    }
    pthread_mutex_unlock(&shared->lock);
    return found;
}
