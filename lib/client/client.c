/* The client's life: made from options, entered by calls, closed, destroyed, and left alone in a
 * forked child. */
#include "client/client.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/large.h"
#include "client/error.h"
#include "client/options.h"
#include "client/subscription.h"

#define FORK_PAGE_BYTES 4096

static void wake_for_result(void *context)
{
    struct tendon_client *client = context;
    const uint64_t one = 1;
    ssize_t written = write(client->wake_fd, &one, sizeof one);
    (void)written;
    /* A parked thread does not watch the descriptor. */
    tendon__client_kick(client);
}

static struct tendon__tls_options tls_options(const struct tendon__options *options)
{
    bool own_ca = options->tls_ca_file[0] || options->tls_ca_dir[0] || options->tls_ca_pem[0];
    return (struct tendon__tls_options){
        .ca_file = options->tls_ca_file,
        .ca_dir = options->tls_ca_dir,
        .ca_pem = options->tls_ca_pem,
        .system_ca = options->tls_system_ca == TENDON__TLS_SYSTEM_CA_YES ||
                     (options->tls_system_ca == TENDON__TLS_SYSTEM_CA_AUTO && !own_ca),
        .cert_file = options->tls_cert_file,
        .cert_pem = options->tls_cert_pem,
        .key_file = options->tls_key_file,
        .key_pem = options->tls_key_pem,
        .key_password = options->tls_key_password,
        .server_name = options->tls_server_name,
        .ciphers = options->tls_ciphers,
        .min_version_13 = options->tls_min_version == TENDON__TLS_MIN_VERSION_1_3,
        .resumption = options->tls_resumption,
        .insecure_skip_verify = options->tls_insecure_skip_verify,
        .insecure_skip_hostname = options->tls_insecure_skip_hostname,
    };
}

static tendon_status make_tls(struct tendon_client *client, struct tendon__fault *fault)
{
    if (!client->options.tls)
        return TENDON_OK;
    const struct tendon__tls_backend *backend = tendon__tls_backend();
    if (!backend)
        return tendon__fault_set(fault, TENDON_ERROR_UNSUPPORTED,
                                 "this build has no TLS (meson option tls=none)");
    struct tendon__tls_options options = tls_options(&client->options);
    return backend->context_create(client->memory, &options, &client->tls, fault);
}

static void init_threads(struct tendon_client *client)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&client->park, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&client->drive, NULL);
    pthread_mutex_init(&client->inbox_lock, NULL);
    pthread_mutex_init(&client->park_lock, NULL);
    tendon__list_init(&client->inbox);
    tendon__list_init(&client->subscriptions);
    tendon__list_init(&client->held);
    tendon__list_init(&client->ios);
    tendon__list_init(&client->dead_ios);
}

static tendon_status open_system(struct tendon_client *client, struct tendon__fault *fault)
{
    client->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    client->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (client->epoll_fd < 0 || client->wake_fd < 0 ||
        epoll_ctl(client->epoll_fd, EPOLL_CTL_ADD, client->wake_fd, &event) != 0)
        return tendon__fault_set(fault, TENDON_ERROR_SYSTEM, "the system refused a descriptor: %s",
                                 strerror(errno));
    void *page =
        mmap(NULL, FORK_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return tendon__fault_set(fault, TENDON_ERROR_NO_MEMORY, "no memory for a client");
    client->fork_page = page;
    *client->fork_page = 1;
    if (madvise(page, FORK_PAGE_BYTES, MADV_WIPEONFORK) != 0)
        return tendon__fault_set(fault, TENDON_ERROR_SYSTEM,
                                 "the kernel cannot mark memory for fork (Linux 4.14)");
    client->fds = tendon__memory_take(client->memory, TENDON__FD_TABLE * sizeof *client->fds);
    if (!client->fds)
        return tendon__fault_set(fault, TENDON_ERROR_NO_MEMORY, "no memory for a client");
    for (int i = 0; i < TENDON__FD_TABLE; i++)
        atomic_init(&client->fds[i], -1);
    return tendon__resolver_create(client->memory, wake_for_result, client, &client->resolver);
}

static void release(struct tendon_client *client)
{
    tendon__engine_destroy(client->engine);
    tendon__io_bury(client);
    if (client->resolver)
        tendon__resolver_destroy(client->resolver);
    if (client->tls)
        tendon__tls_backend()->context_destroy(client->tls);
    if (client->watcher)
        tendon__queue_unref(client->watcher);
    if (client->epoll_fd >= 0)
        close(client->epoll_fd);
    if (client->wake_fd >= 0)
        close(client->wake_fd);
    if (client->timer_fd >= 0)
        close(client->timer_fd);
    if (client->fork_page)
        munmap(client->fork_page, FORK_PAGE_BYTES);
    tendon__memory_free(client->memory, (void *)client->fds);
    pthread_cond_destroy(&client->park);
    pthread_mutex_destroy(&client->park_lock);
    pthread_mutex_destroy(&client->inbox_lock);
    pthread_mutex_destroy(&client->drive);
    tendon__options_free(&client->options, client->memory);
    tendon__memory_free(client->memory, client);
    tendon__large_close();
}

static tendon_status build(struct tendon_client *client, struct tendon__fault *fault)
{
    const struct tendon__options *options = &client->options;
    client->tcp = (struct tendon__tcp_options){
        .keepalive = options->tcp_keepalive,
        .keepalive_idle_s = (uint32_t)options->tcp_keepalive_idle_s,
        .keepalive_interval_s = (uint32_t)options->tcp_keepalive_interval_s,
        .keepalive_count = (uint32_t)options->tcp_keepalive_count,
        .user_timeout_ms = (uint32_t)options->tcp_user_timeout_ms,
    };
    tendon_status status = tendon__options_check(options, fault);
    if (status == TENDON_OK)
        status = open_system(client, fault);
    if (status == TENDON_OK)
        status = tendon__host_init(client, fault);
    if (status == TENDON_OK)
        status = make_tls(client, fault);
    if (status != TENDON_OK)
        return status;
    int64_t now_ns = tendon__now_ns();
    uint64_t seed = (uint64_t)now_ns ^ (uint64_t)(uintptr_t)client ^ ((uint64_t)getpid() << 32);
    return tendon__engine_create(client->memory, options, &tendon__world_ops, client, seed, now_ns,
                                 &client->engine, fault);
}

/* The connections that are kept ready are opened by the client's thread, from now on. */
static tendon_status warm(struct tendon_client *client, struct tendon__fault *fault)
{
    tendon_status status = tendon__client_start(client, fault);
    if (status != TENDON_OK)
        return status;
    tendon__client_lock(client);
    tendon__engine_warm(client->engine, tendon__now_ns());
    tendon__client_unlock(client);
    tendon__client_kick(client);
    return TENDON_OK;
}

tendon_status tendon_client_create(const tendon_config *config, tendon_client **out_client,
                                   tendon_error **out_error)
{
    if (!config || !out_client)
        return TENDON_ERROR_ARGUMENT;
    struct tendon__memory *memory = tendon__memory_system();
    struct tendon__fault fault;
    struct tendon_client *client = tendon__memory_make(memory, sizeof *client);
    tendon_status status =
        client ? TENDON_OK : tendon__fault_set(&fault, TENDON_ERROR_NO_MEMORY, "no memory");
    if (client) {
        client->memory = memory;
        client->epoll_fd = client->wake_fd = client->timer_fd = -1;
        init_threads(client);
        tendon__large_open();
        status = tendon__options_copy(&client->options, &config->options, memory);
        if (status != TENDON_OK)
            tendon__fault_set(&fault, status, "no memory for the options");
        else
            status = build(client, &fault);
    }
    if (status == TENDON_OK && client->options.pool_min_idle)
        status = warm(client, &fault);
    if (status == TENDON_OK) {
        *out_client = client;
        return TENDON_OK;
    }
    if (out_error)
        *out_error = tendon__error_make(memory, &fault, 0, 0);
    if (client)
        release(client);
    return status;
}

tendon_status tendon__client_enter(struct tendon_client *client, struct tendon__fault *fault)
{
    if (!client)
        return tendon__fault_set(fault, TENDON_ERROR_ARGUMENT, "the client is NULL");
    if (*client->fork_page != 1)
        return tendon__fault_set(
            fault, TENDON_ERROR_FORKED,
            "the client belongs to the parent process; make a new one after fork");
    atomic_fetch_add(&client->inside, 1);
    if (!atomic_load(&client->closed)) {
        tendon_status status = tendon__client_start(client, fault);
        if (status == TENDON_OK)
            return TENDON_OK;
        atomic_fetch_sub(&client->inside, 1);
        return status;
    }
    atomic_fetch_sub(&client->inside, 1);
    return tendon__fault_set(fault, TENDON_ERROR_CLOSED, "the client is closed; make a new one");
}

void tendon__client_leave(struct tendon_client *client)
{
    atomic_fetch_sub(&client->inside, 1);
}

tendon_status tendon__client_full(struct tendon_client *client, uint32_t count,
                                  struct tendon__fault *fault)
{
    uint32_t left = __atomic_sub_fetch(&client->engine->pending, count, __ATOMIC_RELAXED);
    return tendon__fault_set(
        fault, TENDON_ERROR_QUEUE_FULL,
        "%u requests are pending, option max_pending is %lld; slow down or raise it", left,
        (long long)client->options.max_pending);
}

void tendon_client_close(tendon_client *client)
{
    if (!client || *client->fork_page != 1 || atomic_exchange(&client->closed, true))
        return;
    tendon__client_lock(client);
    tendon__driver_drain(client); /* what was posted before the close is completed by it */
    tendon__engine_close(client->engine, tendon__now_ns());
    tendon__client_unlock(client);
}

/* Calls that were counted before the close may still post to the inbox; they get their CLOSED here.
 */
static void wait_for_calls(struct tendon_client *client)
{
    while (atomic_load(&client->inside)) {
        if (pthread_mutex_trylock(&client->drive) == 0) {
            tendon__driver_drain(client);
            tendon__driver_turn(client, 0);
            pthread_mutex_unlock(&client->drive);
        }
        sched_yield();
    }
    pthread_mutex_lock(&client->drive);
    tendon__driver_drain(client);
    tendon__driver_turn(client, 0);
    pthread_mutex_unlock(&client->drive);
}

static void orphan_leases(struct tendon_client *client)
{
    struct tendon__link *link;
    while ((link = tendon__list_shift(&client->engine->leases))) {
        struct tendon_lease *lease = TENDON__OWNER(link, struct tendon_lease, link);
        lease->engine = NULL;
        lease->client = NULL;
        tendon__lease_unref(lease);
    }
}

static void orphan_subscriptions(struct tendon_client *client)
{
    struct tendon__link *link;
    while ((link = tendon__list_shift(&client->subscriptions)))
        TENDON__OWNER(link, struct tendon_subscription, client_link)->client = NULL;
    while ((link = tendon__list_shift(&client->engine->subscriptions))) {
        struct tendon_subscription *subscription =
            TENDON__OWNER(link, struct tendon_subscription, link);
        subscription->engine = NULL;
        tendon__subscription_unref(subscription);
    }
}

/*
 * The parent's threads are not here and may have held any lock, so nothing is walked: descriptors
 * are given back, memory is left as it is. The handle goes on answering TENDON_ERROR_FORKED, also
 * to leases that point to it.
 */
static void leave_to_parent(struct tendon_client *client)
{
    tendon__io_abandon_all(client);
    close(client->epoll_fd);
    close(client->wake_fd);
    if (client->timer_fd >= 0)
        close(client->timer_fd);
}

void tendon_client_destroy(tendon_client *client)
{
    if (!client)
        return;
    if (*client->fork_page != 1) {
        leave_to_parent(client);
        return;
    }
    tendon_client_close(client);
    tendon__client_stop(client);
    wait_for_calls(client);
    orphan_subscriptions(client);
    orphan_leases(client);
    release(client);
}
