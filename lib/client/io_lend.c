/*
 * Option drive=host: sockets that the host watches itself. To be told of one socket through the
 * client's descriptor costs an epoll inside the host's own; for a connection that has all the news
 * the host asks for its socket and watches that. epoll goes on telling of its end, and of room to
 * write. The host has a duplicate of the descriptor, so that no other file gets the number it
 * watches; therefore the end of a loan is told by shutting the socket down.
 */
#define _GNU_SOURCE /* F_DUPFD_CLOEXEC */
#include <fcntl.h>

#include "client/io.h"

static struct tendon__io **place_of(struct tendon_client *client, const struct tendon__io *io)
{
    for (int i = 0; i < TENDON__LENT_MAX; i++)
        if (client->lent[i] == io)
            return &client->lent[i];
    return NULL;
}

struct tendon__io *tendon__io_of_loan(struct tendon_client *client, uint64_t loan)
{
    for (int i = 0; i < TENDON__LENT_MAX; i++)
        if (client->lent[i] && client->lent[i]->lent == loan)
            return client->lent[i];
    return NULL;
}

void tendon__io_forget_loan(struct tendon__io *io)
{
    struct tendon__io **place = place_of(io->client, io);
    if (place)
        *place = NULL;
    io->lent = 0;
}

void tendon__io_end_loan(struct tendon__io *io)
{
    tendon__io_forget_loan(io);
    tendon__transport_end_wait(&io->transport, !io->write_blocked);
}

/* A duplicate of its socket, which epoll does not tell of any more; -1 when it stays. */
static int lend(struct tendon__io *io)
{
    struct tendon__io **place = place_of(io->client, NULL);
    int fd = place && !io->lent && !io->paused && io->state == TENDON__IO_IS_OPEN
                 ? fcntl(io->transport.fd, F_DUPFD_CLOEXEC, 0)
                 : -1;
    if (fd < 0)
        return -1;
    *place = io;
    io->was_lent = true;
    io->lent = ++io->client->next_token;
    tendon__io_watch(io, io->transport.fd, tendon__io_open_events(io));
    return fd;
}

int tendon_client_lend(tendon_client *client, uint64_t *out_loan)
{
    int fd = -1;
    if (!out_loan || tendon__host_enter(client) != TENDON_OK)
        return -1;
    if (tendon__host_take(client)) {
        struct tendon__io *usual =
            place_of(client, NULL) ? tendon__driver_take_usual(client) : NULL;
        fd = usual ? lend(usual) : -1;
        if (fd >= 0)
            *out_loan = usual->lent;
        tendon__host_leave(client);
    }
    tendon__client_leave(client);
    return fd;
}

tendon_status tendon_client_read(tendon_client *client, uint64_t loan, int64_t *out_next_ms)
{
    tendon_status status = tendon__host_enter(client);
    if (status != TENDON_OK)
        return status;
    int64_t due_ms = 0;
    if (tendon__host_take(client)) {
        tendon__driver_drain(client);
        tendon__driver_read_lent(client, loan);
        due_ms = tendon__host_next_ms(client);
        if (!tendon__io_of_loan(client, loan))
            status = TENDON_ERROR_DISCONNECTED;
        tendon__host_leave(client);
    }
    if (out_next_ms)
        *out_next_ms = due_ms;
    tendon__client_leave(client);
    return status;
}

tendon_status tendon_client_take_back(tendon_client *client, uint64_t loan)
{
    tendon_status status = tendon__host_enter(client);
    if (status != TENDON_OK)
        return status;
    tendon__client_lock(client);
    struct tendon__io *io = tendon__io_of_loan(client, loan);
    if (io) {
        tendon__io_forget_loan(io);
        tendon__io_watch_anew(io);
    }
    tendon__client_unlock(client);
    tendon__client_leave(client);
    return TENDON_OK;
}
