/*
 * Sockets that the core lends to the loop. To hear of a busy connection through the core's own
 * descriptor, libuv's epoll would have to ask one inside it, for each answer; a socket that was
 * lent it watches itself.
 */
#include "addon.h"

#include <stdlib.h>
#include <unistd.h>

struct tendon__node_loan {
    uv_poll_t poll;
    tendon__node_client *client;
    tendon__node_loan *next; /* in client->loans until it has ended */
    uint64_t id;
    int fd;
};

/* The loop has let go. */
static void on_closed(uv_handle_t *handle)
{
    tendon__node_loan *loan = handle->data;
    tendon__node_env *state = loan->client->env;
    tendon__node_client_release(loan->client);
    free(loan);
    tendon__node_loop_handle_closed(state);
}

static void end(tendon__node_loan *loan)
{
    tendon__node_loan **link = &loan->client->loans;
    while (*link != loan)
        link = &(*link)->next;
    *link = loan->next;
    (void)uv_poll_stop(&loan->poll); /* after this the descriptor may be closed */
    uv_close((uv_handle_t *)&loan->poll, on_closed);
    close(loan->fd);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)events;
    tendon__node_loan *loan = poll->data;
    tendon__node_client *client = loan->client;
    uint64_t id = loan->id;
    bool is_over = tendon_client_read(client->core, id, NULL) != TENDON_OK;
    /* The server has reset the connection, maybe behind words that are still to be read. The loop
     * tells of that once and watches it no more. */
    if (status < 0 && !is_over)
        (void)tendon_client_take_back(client->core, id);
    if (is_over || status < 0)
        end(loan);
    tendon__node_loop_deliver(client, id);
}

static bool watch(tendon__node_client *client, int fd, uint64_t id)
{
    tendon__node_loan *loan = calloc(1, sizeof *loan);
    if (loan == NULL || uv_poll_init(client->poll.loop, &loan->poll, fd) != 0) {
        free(loan);
        return false;
    }
    loan->poll.data = loan;
    loan->client = client;
    loan->id = id;
    loan->fd = fd;
    loan->next = client->loans;
    client->loans = loan;
    client->owners++;
    client->env->handle_count++;
    /* Cannot fail on a handle just made. */
    (void)uv_poll_start(&loan->poll, UV_READABLE, on_readable);
    uv_unref((uv_handle_t *)&loan->poll);
    return true;
}

void tendon__node_loan_ask(tendon__node_client *client)
{
    uint64_t id = 0;
    int fd = tendon_client_lend(client->core, &id);
    if (fd < 0 || watch(client, fd, id))
        return;
    close(fd);
    (void)tendon_client_take_back(client->core, id);
}

void tendon__node_loan_end_all(tendon__node_client *client)
{
    while (client->loans != NULL)
        end(client->loans);
}
