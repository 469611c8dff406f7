/*
 * Who drives the engine. The token is a mutex: its holder alone touches the engine and the sockets.
 * A caller that gets it at once works for itself; the others leave their requests in the inbox,
 * where whoever holds the token finds them; and the client's thread takes it when work is left and
 * nobody waits for it.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "client/client.h"
#include "client/subscription.h"
#include "client/wait.h"

#define EVENTS_PER_TURN 64
#define ASYNC_LINGER_MS 1000 /* the thread goes on driving this long after the last submit */
#define CROWD_LINGER_MS 5    /* how long the thread waits for the next of a crowd of callers */
#define USUAL_TURNS     4
#define USUAL_READS_MAX 16
#define SLEEP_MS_MAX    3600000 /* epoll takes an int; an hour early is no harm */

int64_t tendon__now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Only the first who finds the driver asleep has to wake it. */
void tendon__driver_wake(struct tendon_client *client)
{
    const uint64_t one = 1;
    if (!atomic_load(&client->sleeping) || !atomic_exchange(&client->sleeping, false))
        return;
    ssize_t written = write(client->wake_fd, &one, sizeof one);
    (void)written; /* a full counter wakes as well */
}

int64_t tendon__driver_deadline(const struct tendon_client *client)
{
    int64_t engine_ns = tendon__engine_deadline(client->engine);
    int64_t io_ns = tendon__io_deadline(client);
    return io_ns < engine_ns ? io_ns : engine_ns;
}

void tendon__driver_submit(struct tendon_client *client, struct tendon__link *requests,
                           int64_t now_ns)
{
    struct tendon__link *link;
    client->engine->now_ns = now_ns;
    while ((link = tendon__list_shift(requests))) {
        struct tendon__item *item = TENDON__OWNER(link, struct tendon__item, link);
        if (item->is_lease)
            tendon__lease_end(client->engine, TENDON__OWNER(item, struct tendon_lease, item));
        else if (item->is_subscription)
            tendon__subscription_closed(client->engine,
                                        TENDON__OWNER(item, struct tendon_subscription, item));
        else
            tendon__engine_submit(client->engine, TENDON__OWNER(item, struct tendon__request, item),
                                  now_ns);
    }
}

void tendon__driver_drain(struct tendon_client *client)
{
    if (!atomic_load(&client->mail))
        return;
    struct tendon__link mail;
    tendon__list_init(&mail);
    pthread_mutex_lock(&client->inbox_lock);
    tendon__list_splice(&mail, &client->inbox);
    atomic_store(&client->mail, false);
    pthread_mutex_unlock(&client->inbox_lock);
    tendon__driver_submit(client, &mail, tendon__now_ns());
}

static int sleep_ms(const struct tendon_client *client, int64_t now_ns)
{
    int64_t when_ns = tendon__driver_deadline(client);
    int64_t async_ns = atomic_load(&client->async_until_ns);
    if (async_ns > now_ns && async_ns < when_ns)
        when_ns = async_ns;
    if (when_ns <= now_ns)
        return 0;
    if (when_ns == TENDON__NO_TIME)
        return SLEEP_MS_MAX;
    int64_t ms = (when_ns - now_ns + TENDON__MS - 1) / TENDON__MS;
    return ms > SLEEP_MS_MAX ? SLEEP_MS_MAX : (int)ms;
}

static int wait_for_events(struct tendon_client *client, struct epoll_event *events,
                           int64_t limit_ms)
{
    int timeout_ms = limit_ms ? sleep_ms(client, tendon__now_ns()) : 0;
    if (limit_ms >= 0 && limit_ms < timeout_ms)
        timeout_ms = (int)limit_ms;
    if (timeout_ms) {
        atomic_store(&client->sleeping, true);
        if (atomic_load(&client->mail) || atomic_load(&client->guests) || client->stop)
            timeout_ms = 0;
    }
    int count = epoll_wait(client->epoll_fd, events, EVENTS_PER_TURN, timeout_ms);
    atomic_store(&client->sleeping, false);
    return count;
}

void tendon__driver_tell(struct tendon_client *client)
{
    tendon__tell_held(client);
    tendon__engine_tell(client->engine);
    if (client->room.any_due)
        tendon__room_wake(&client->room);
}

void tendon__driver_settle(struct tendon_client *client)
{
    tendon__feed_sweep(client->engine); /* frees connections, for which others may wait */
    tendon__io_flush(client);
    tendon__driver_tell(client);
    tendon__engine_sweep(client->engine);
    tendon__io_bury(client);
}

static void note_usual(struct tendon_client *client, const struct epoll_event *events, int count)
{
    if (count <= 0)
        return;
    bool alone = count == 1 && events->events == EPOLLIN && events->data.ptr &&
                 events->data.ptr != &client->timer_fd;
    if (!alone || events->data.ptr != client->usual)
        client->usual_turns = 0;
    client->usual = alone ? events->data.ptr : NULL;
    client->usual_turns += alone && client->usual_turns < USUAL_TURNS;
}

/* Whether somebody is told something now. */
static bool has_news(const struct tendon_client *client)
{
    return !tendon__list_empty(&client->engine->told) || !tendon__list_empty(&client->held);
}

/* How a turn begins. New mail is not taken here: what it completes may be what the caller waits
 * for, and must not be slept upon, nor must a connection that mail taken before has freed, or what
 * the flush completes, because a connection turns out to be lost: true then. */
static bool begin_turn(struct tendon_client *client)
{
    client->unsure = false;
    tendon__feed_sweep(client->engine);
    tendon__io_flush(client);
    bool news = has_news(client);
    tendon__driver_tell(client);
    return news;
}

static void end_turn(struct tendon_client *client)
{
    tendon__io_tick(client, client->turned_ns);
    tendon__engine_tick(client->engine, client->turned_ns);
    tendon__driver_settle(client);
}

static void look_at(struct tendon_client *client, const struct epoll_event *event)
{
    if (event->data.ptr == &client->timer_fd) {
        tendon__host_timer_fired(client);
    } else if (event->data.ptr) {
        tendon__io_event(client, event->data.ptr, event->events);
    } else {
        uint64_t wakes;
        ssize_t got = read(client->wake_fd, &wakes, sizeof wakes);
        (void)got;
        tendon__io_resolved(client);
    }
}

void tendon__driver_turn(struct tendon_client *client, int64_t limit_ms)
{
    struct epoll_event events[EVENTS_PER_TURN];
    bool news = begin_turn(client);
    int count = wait_for_events(client, events, news ? 0 : limit_ms);
    note_usual(client, events, count);
    client->engine->now_ns = client->turned_ns = tendon__now_ns();
    client->unsure = count == EVENTS_PER_TURN;
    for (int i = 0; i < count; i++)
        look_at(client, &events[i]);
    end_turn(client);
}

static void read_from(struct tendon_client *client, struct tendon__io *io)
{
    client->engine->now_ns = client->turned_ns = tendon__now_ns();
    if (io)
        tendon__io_event(client, io, EPOLLIN);
    end_turn(client);
}

void tendon__driver_read_lent(struct tendon_client *client, uint64_t loan)
{
    begin_turn(client);
    read_from(client, tendon__io_of_loan(client, loan));
}

/*
 * The program's loop has found out that something is there before it calls, and for a program with
 * one busy connection that is where. Reading from it at once saves asking which it is. What else is
 * there makes the loop call again, and is looked for after USUAL_READS_MAX turns at the latest.
 */
bool tendon__driver_read_usual(struct tendon_client *client)
{
    if (!client->usual || client->usual_turns < USUAL_TURNS ||
        client->usual_reads++ >= USUAL_READS_MAX) {
        client->usual_reads = 0;
        return false;
    }
    begin_turn(client);
    uint64_t before = client->engine->stats.bytes_received;
    read_from(client, client->usual);
    if (client->engine->stats.bytes_received != before)
        return true;
    client->usual_turns = 0;
    return false;
}

struct tendon__io *tendon__driver_take_usual(struct tendon_client *client)
{
    struct tendon__io *usual = client->usual_turns < USUAL_TURNS ? NULL : client->usual;
    if (usual) {
        client->usual = NULL;
        client->usual_turns = 0;
    }
    return usual;
}

/* Lets those who want the token for a moment go first. */
static void yield_to_guests(struct tendon_client *client)
{
    if (!atomic_load(&client->guests))
        return;
    pthread_mutex_unlock(&client->drive);
    while (atomic_load(&client->guests))
        sched_yield();
    pthread_mutex_lock(&client->drive);
}

void tendon__client_lock(struct tendon_client *client)
{
    atomic_fetch_add(&client->guests, 1);
    tendon__driver_wake(client);
    pthread_mutex_lock(&client->drive);
    atomic_fetch_sub(&client->guests, 1);
    client->engine->now_ns = tendon__now_ns();
}

static bool has_work(struct tendon_client *client)
{
    return atomic_load(&client->mail) || tendon__engine_busy(client->engine);
}

/* Gives the token up. What is left to do is the thread's from now on. */
void tendon__client_unlock(struct tendon_client *client)
{
    tendon__driver_settle(client);
    if (client->options.drive == TENDON__DRIVE_HOST) {
        tendon__host_leave(client);
        return;
    }
    bool kick = has_work(client) ||
                tendon__engine_deadline(client->engine) < atomic_load(&client->parked_until_ns);
    pthread_mutex_unlock(&client->drive);
    if (kick || atomic_load(&client->mail))
        tendon__client_kick(client);
}

void tendon__client_kick(struct tendon_client *client)
{
    pthread_mutex_lock(&client->park_lock);
    client->kicked = true;
    pthread_cond_signal(&client->park);
    pthread_mutex_unlock(&client->park_lock);
    tendon__driver_wake(client);
}

void tendon__inbox_put(struct tendon_client *client, struct tendon__link *requests)
{
    pthread_mutex_lock(&client->inbox_lock);
    tendon__list_splice(&client->inbox, requests);
    atomic_store(&client->mail, true);
    pthread_mutex_unlock(&client->inbox_lock);
}

void tendon__client_post_waiting(struct tendon_client *client, struct tendon__link *requests)
{
    tendon__inbox_put(client, requests);
    if (atomic_load(&client->parked_until_ns))
        tendon__client_kick(client);
    else
        tendon__driver_wake(client);
}

void tendon__client_post(struct tendon_client *client, struct tendon__link *requests)
{
    if (client->options.drive == TENDON__DRIVE_HOST) {
        tendon__host_post(client, requests);
        return;
    }
    if (atomic_load(&client->async_until_ns) != TENDON__NO_TIME)
        atomic_store(&client->async_until_ns, tendon__now_ns() + ASYNC_LINGER_MS * TENDON__MS);
    tendon__client_post_waiting(client, requests);
}

void tendon__client_post_end(struct tendon_client *client, struct tendon__item *item)
{
    pthread_mutex_lock(&client->inbox_lock);
    tendon__list_push(&client->inbox, &item->link);
    atomic_store(&client->mail, true);
    pthread_mutex_unlock(&client->inbox_lock);
    /* Alone, the caller puts it back itself; else whoever drives finds it. */
    if (pthread_mutex_trylock(&client->drive) == 0) {
        tendon__driver_drain(client);
        tendon__client_unlock(client);
    } else {
        tendon__client_kick(client);
    }
}

static void park(struct tendon_client *client, int64_t until_ns)
{
    struct timespec until = {.tv_sec = until_ns / 1000000000, .tv_nsec = until_ns % 1000000000};
    pthread_mutex_lock(&client->park_lock);
    int result = 0;
    while (!client->kicked && !client->stop && result != ETIMEDOUT)
        result = until_ns == TENDON__NO_TIME
                     ? pthread_cond_wait(&client->park, &client->park_lock)
                     : pthread_cond_timedwait(&client->park, &client->park_lock, &until);
    client->kicked = false;
    pthread_mutex_unlock(&client->park_lock);
}

static bool stopping(struct tendon_client *client)
{
    pthread_mutex_lock(&client->park_lock);
    bool stop = client->stop;
    pthread_mutex_unlock(&client->park_lock);
    return stop;
}

bool tendon__driver_serves_queues(const struct tendon_client *client)
{
    int64_t until_ns = atomic_load(&client->async_until_ns);
    return until_ns == TENDON__NO_TIME || (until_ns && tendon__now_ns() < until_ns);
}

static void *drive_for_all(void *argument)
{
    struct tendon_client *client = argument;
    while (!stopping(client)) {
        pthread_mutex_lock(&client->drive);
        atomic_store(&client->parked_until_ns, 0);
        tendon__driver_turn(client, 0);
        uint32_t calm_turns = 0;
        while (!stopping(client) && (tendon__driver_serves_queues(client) || has_work(client) ||
                                     atomic_load(&client->crowd))) {
            tendon__driver_drain(client);
            tendon__driver_turn(client, atomic_load(&client->crowd) ? CROWD_LINGER_MS : -1);
            yield_to_guests(client);
            tendon__crowd_watch(client, &calm_turns);
        }
        int64_t until_ns = tendon__engine_deadline(client->engine);
        atomic_store(&client->parked_until_ns, until_ns);
        pthread_mutex_unlock(&client->drive);
        if (!atomic_load(&client->mail))
            park(client, until_ns);
    }
    if (client->tls)
        tendon__tls_thread_ends();
    return NULL;
}

tendon_status tendon__client_start(struct tendon_client *client, struct tendon__fault *fault)
{
    if (__atomic_load_n(&client->thread_started, __ATOMIC_ACQUIRE) ||
        client->options.drive == TENDON__DRIVE_HOST)
        return TENDON_OK;
    pthread_mutex_lock(&client->park_lock);
    int failed = 0;
    if (!client->thread_started && !client->stop) {
        sigset_t all, before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        failed = pthread_create(&client->thread, NULL, drive_for_all, client);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        __atomic_store_n(&client->thread_started, !failed, __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&client->park_lock);
    if (failed)
        return tendon__fault_set(fault, TENDON_ERROR_SYSTEM, "the system refused a thread: %s",
                                 strerror(failed));
    return TENDON_OK;
}

void tendon__client_stop(struct tendon_client *client)
{
    pthread_mutex_lock(&client->park_lock);
    bool join = client->thread_started && !client->stop;
    client->stop = true;
    pthread_cond_broadcast(&client->park);
    pthread_mutex_unlock(&client->park_lock);
    const uint64_t one = 1;
    ssize_t written = write(client->wake_fd, &one, sizeof one);
    (void)written;
    if (join)
        pthread_join(client->thread, NULL);
}
