/*
 * The ways of a call that waits. A caller among few does its own input and output: it takes the
 * token to hand its request to the engine, writes and waits for the reply in the socket itself,
 * without the token, and takes it again to hand over what came. Where that cannot be (a connection
 * that owes something already, a short deadline, a slow server) it drives the engine until its
 * outcome is there. A crowd of callers leaves everything to the client's thread, which sends and
 * receives for many at once.
 */
#include <sched.h>

#include "client/client.h"
#include "client/wait.h"

#define CALM_TURNS 64u /* turns of the thread with few callers until they work for themselves */

/*
 * For a caller that drives for its own outcome: lets those who want the token for a moment go
 * first. False when another has become the driver meanwhile: queueing for the token behind one that
 * sleeps in it would sleep past the outcome.
 */
static bool step_aside(struct tendon_client *client)
{
    if (!atomic_load(&client->guests))
        return true;
    pthread_mutex_unlock(&client->drive);
    while (atomic_load(&client->guests))
        sched_yield();
    return pthread_mutex_trylock(&client->drive) == 0;
}

/* With the token: whether the outcomes are there. */
static bool is_over(struct tendon_client *client, const struct tendon__wait *wait)
{
    tendon__driver_tell(client);
    return tendon__wait_is_over(wait);
}

/* With the token, which is given up: until the outcomes are there, or somebody else drives. */
static void drive_until_over(struct tendon_client *client, struct tendon__wait *wait)
{
    while (!is_over(client, wait)) {
        tendon__driver_turn(client, -1);
        if (!step_aside(client)) {
            tendon__driver_wake(client);
            tendon__wait_sleep(wait);
            return;
        }
        tendon__driver_drain(client);
    }
    tendon__client_unlock(client);
}

/*
 * Takes the token and says since when. A clock is read only where time may have passed since the
 * request was stamped.
 */
static int64_t take_token(struct tendon_client *client, const struct tendon__request *lone)
{
    if (pthread_mutex_trylock(&client->drive) != 0) {
        tendon__client_lock(client);
        return client->engine->now_ns;
    }
    if (lone && lone->started_ns >= client->engine->now_ns)
        return lone->started_ns;
    return tendon__now_ns();
}

/* What happened while nobody drove, for example a server that closed an idle connection, and what
 * others have left come before new work. */
static int64_t catch_up(struct tendon_client *client, int64_t now_ns)
{
    if (now_ns - client->turned_ns > TENDON__MS)
        tendon__driver_turn(client, 0);
    tendon__driver_drain(client);
    return client->engine->now_ns > now_ns ? client->engine->now_ns : now_ns;
}

/* No deadline falls into the time a caller may spend in the socket, and nothing but its reply is
 * due there. */
static bool may_wait_in_socket(const struct tendon_client *client,
                               const struct tendon__request *request, int64_t *out_slice_ms)
{
    int64_t left_ns = request->deadline_ns - client->engine->now_ns;
    int64_t read_ns = client->options.read_timeout_ms * TENDON__MS;
    if (read_ns && read_ns < left_ns)
        left_ns = read_ns;
    *out_slice_ms = left_ns > TENDON__DIRECT_PATIENT_MS * TENDON__MS ? 0 : TENDON__DIRECT_SLICE_MS;
    return request->state == TENDON__REQUEST_ON_WIRE && request->channel->conn.fifo_count == 1 &&
           request->frame_bytes <= TENDON__DIRECT_FRAME &&
           left_ns > 2 * TENDON__DIRECT_SLICE_MS * TENDON__MS;
}

/* True when the outcome is there and the token given up; false with the token in hand. */
static bool wait_in_socket(struct tendon_client *client, struct tendon__request *request,
                           struct tendon__wait *wait)
{
    struct tendon__direct direct;
    struct tendon__io *io = may_wait_in_socket(client, request, &direct.slice_ms)
                                ? tendon__io_begin_direct(request->channel, &direct)
                                : NULL;
    if (!io)
        return false;
    if (!direct.slice_ms) {
        request->channel->awaited = request;
        tendon__request_leave_socket(client->engine, request); /* others watch its deadline */
    }
    tendon__client_unlock(client);
    direct.result =
        tendon__transport_say(direct.fd, direct.words, direct.words_bytes, &direct.fault);
    if (direct.result > 0 && !tendon__io_said(io)) {
        tendon__client_lock(client);
        tendon__io_send_held(io);
        tendon__client_unlock(client);
    }
    if (direct.result > 0)
        direct.result =
            tendon__transport_wait(direct.fd, direct.bytes, sizeof direct.bytes, &direct.fault);
    if (pthread_mutex_trylock(&client->drive) == 0)
        client->engine->now_ns = tendon__now_ns();
    else
        tendon__client_lock(client);
    tendon__io_end_direct(io, &direct);
    if (!is_over(client, wait))
        return false;
    tendon__client_unlock(client);
    return true;
}

static void run_alone(struct tendon_client *client, struct tendon__link *requests,
                      struct tendon__wait *wait)
{
    struct tendon__request *lone = NULL;
    if (requests->next == requests->prev) {
        struct tendon__item *item = TENDON__OWNER(requests->next, struct tendon__item, link);
        lone = TENDON__OWNER(item, struct tendon__request, item);
        lone->flags |= TENDON__REQUEST_DIRECT;
    }
    int64_t now_ns = take_token(client, lone);
    tendon__driver_submit(client, requests, catch_up(client, now_ns));
    if (lone && wait_in_socket(client, lone, wait))
        return;
    if (lone)
        tendon__request_leave_socket(client->engine, lone);
    drive_until_over(client, wait);
}

void tendon__client_run(struct tendon_client *client, struct tendon__link *requests,
                        struct tendon__wait *wait)
{
    uint32_t few = (uint32_t)client->options.direct_lanes + 1;
    if (atomic_fetch_add(&client->callers, 1) >= few)
        atomic_store(&client->crowd, true);
    if (atomic_load(&client->crowd) || tendon__driver_serves_queues(client)) {
        tendon__wait_join(wait, &client->room);
        tendon__client_post_waiting(client, requests);
        tendon__wait_sleep(wait);
    } else {
        run_alone(client, requests, wait);
    }
    atomic_fetch_sub(&client->callers, 1);
}

void tendon__crowd_watch(struct tendon_client *client, uint32_t *calm_turns)
{
    if (!atomic_load(&client->crowd))
        return;
    uint32_t callers = atomic_load(&client->callers);
    if (callers > (uint32_t)client->options.direct_lanes + 1)
        *calm_turns = 0;
    else if (++*calm_turns >= CALM_TURNS || !callers)
        atomic_store(&client->crowd, false);
}
