/*
 * Option drive=host: the program's own loop drives the engine, and the client has no thread. What
 * is submitted goes straight into the engine where the token is free; it is sent when the host
 * calls process or flush. One descriptor tells the host that there is something to do: sockets,
 * results of the resolver and the next deadline all make it readable.
 */
#define _GNU_SOURCE /* pthread_mutex_clocklock */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "client/client.h"

tendon_status tendon__host_init(struct tendon_client *client, struct tendon__fault *fault)
{
    if (client->options.drive != TENDON__DRIVE_HOST)
        return TENDON_OK;
    client->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    client->armed_ns = TENDON__NO_TIME;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &client->timer_fd};
    if (client->timer_fd < 0 ||
        epoll_ctl(client->epoll_fd, EPOLL_CTL_ADD, client->timer_fd, &event) != 0)
        return tendon__fault_set(fault, TENDON_ERROR_SYSTEM, "the system refused a descriptor: %s",
                                 strerror(errno));
    return TENDON_OK;
}

void tendon__host_timer_fired(struct tendon_client *client)
{
    uint64_t count;
    ssize_t got = read(client->timer_fd, &count, sizeof count);
    (void)got;
    client->armed_ns = TENDON__NO_TIME;
}

/*
 * The timer only ever moves forward in time by firing: deadlines of requests come and go by the
 * thousand, and one that went costs a turn without work instead of a system call for each.
 */
static void arm(struct tendon_client *client)
{
    int64_t when_ns = tendon__driver_deadline(client);
    if (when_ns >= client->armed_ns)
        return;
    int64_t at_ns = when_ns > 0 ? when_ns : 1; /* zero would switch it off */
    struct itimerspec spec = {
        .it_value = {.tv_sec = at_ns / 1000000000, .tv_nsec = at_ns % 1000000000}};
    if (timerfd_settime(client->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL) == 0)
        client->armed_ns = when_ns;
}

/*
 * Gives the token up. Who found it taken has left requests in the inbox, or only the wish to be
 * sent, possibly after the last look into it.
 */
void tendon__host_leave(struct tendon_client *client)
{
    do {
        if (atomic_load(&client->mail)) {
            tendon__driver_drain(client);
            tendon__io_flush(client);
        }
        tendon__driver_tell(client);
        arm(client);
        pthread_mutex_unlock(&client->drive);
        atomic_thread_fence(memory_order_seq_cst);
    } while (atomic_load(&client->mail) && pthread_mutex_trylock(&client->drive) == 0);
}

bool tendon__host_take(struct tendon_client *client)
{
    if (pthread_mutex_trylock(&client->drive) == 0)
        return true;
    atomic_store(&client->mail, true);
    tendon__driver_wake(client);
    return pthread_mutex_trylock(&client->drive) == 0;
}

void tendon__host_post(struct tendon_client *client, struct tendon__link *requests)
{
    if (pthread_mutex_trylock(&client->drive) != 0) {
        tendon__inbox_put(client, requests);
        tendon__driver_wake(client);
        if (pthread_mutex_trylock(&client->drive) == 0)
            tendon__host_leave(client);
        return;
    }
    tendon__driver_drain(client);
    tendon__driver_submit(client, requests, tendon__now_ns());
    tendon__host_leave(client);
}

tendon_status tendon__host_refuses_waiting(const struct tendon_client *client,
                                           struct tendon__fault *fault)
{
    if (client->options.drive != TENDON__DRIVE_HOST)
        return TENDON_OK;
    return tendon__fault_set(fault, TENDON_ERROR_STATE,
                             "a client with drive=host has no thread to wait for; use "
                             "tendon_submit and tendon_client_process, or drive=thread");
}

tendon_status tendon__host_enter(struct tendon_client *client)
{
    tendon_status status = tendon__client_enter(client, NULL);
    if (status != TENDON_OK || client->options.drive == TENDON__DRIVE_HOST)
        return status;
    tendon__client_leave(client);
    return TENDON_ERROR_STATE;
}

/* Rounded up, so that it is due then. */
int64_t tendon__host_next_ms(const struct tendon_client *client)
{
    if (client->unsure)
        return 0;
    int64_t when_ns = tendon__driver_deadline(client);
    if (when_ns == TENDON__NO_TIME)
        return -1;
    int64_t left_ns = when_ns - tendon__now_ns();
    return left_ns > 0 ? (left_ns + TENDON__MS - 1) / TENDON__MS : 0;
}

/* The token for a call that may wait: until it is free, or for as long as the call may take. Who
 * wants it for a moment goes first. */
static bool wait_for_token(struct tendon_client *client, int64_t timeout_ms)
{
    while (atomic_load(&client->guests))
        sched_yield();
    if (timeout_ms < 0)
        return pthread_mutex_lock(&client->drive) == 0;
    int64_t bounded_ms = timeout_ms > 86400000 ? 86400000 : timeout_ms;
    int64_t until_ns = tendon__now_ns() + bounded_ms * TENDON__MS;
    struct timespec until = {.tv_sec = until_ns / 1000000000, .tv_nsec = until_ns % 1000000000};
    return pthread_mutex_clocklock(&client->drive, CLOCK_MONOTONIC, &until) == 0;
}

tendon_status tendon_client_process(tendon_client *client, int64_t timeout_ms, int64_t *out_next_ms)
{
    tendon_status status = tendon__host_enter(client);
    if (status != TENDON_OK)
        return status;
    int64_t due_ms = 0;
    bool driving = timeout_ms ? wait_for_token(client, timeout_ms) : tendon__host_take(client);
    if (driving) {
        tendon__driver_drain(client);
        if (timeout_ms || out_next_ms || !tendon__driver_read_usual(client))
            /* Nothing happens to a closed client any more that could end a wait. */
            tendon__driver_turn(client, atomic_load(&client->closed) ? 0 : timeout_ms);
        due_ms = out_next_ms ? tendon__host_next_ms(client) : 0;
        tendon__host_leave(client);
    }
    if (out_next_ms)
        *out_next_ms = due_ms;
    tendon__client_leave(client);
    return TENDON_OK;
}

tendon_status tendon_client_flush(tendon_client *client)
{
    tendon_status status = tendon__host_enter(client);
    if (status != TENDON_OK)
        return status;
    if (tendon__host_take(client)) {
        tendon__driver_drain(client);
        client->engine->now_ns = tendon__now_ns();
        tendon__io_flush(client);
        tendon__host_leave(client);
    }
    tendon__client_leave(client);
    return TENDON_OK;
}

int tendon_client_fd(tendon_client *client)
{
    return client && client->options.drive == TENDON__DRIVE_HOST ? client->epoll_fd : -1;
}
