/* Watches the connections of one thread with poll. */
#include "peer_loop.h"

#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>

#define WATCHES_MAX 64

struct watch {
    peer_async *connection; /* NULL: free */
    bool reads, writes;
};

struct peer_loop {
    struct watch watches[WATCHES_MAX];
    int count; /* one more than the last that is or was in use */
};

struct peer_loop *peer_loop_create(void)
{
    return calloc(1, sizeof(struct peer_loop));
}

void peer_loop_destroy(struct peer_loop *loop)
{
    free(loop);
}

static void add_read(void *watch)
{
    ((struct watch *)watch)->reads = true;
}

static void del_read(void *watch)
{
    ((struct watch *)watch)->reads = false;
}

static void add_write(void *watch)
{
    ((struct watch *)watch)->writes = true;
}

static void del_write(void *watch)
{
    ((struct watch *)watch)->writes = false;
}

static void cleanup(void *watch)
{
    *(struct watch *)watch = (struct watch){.connection = NULL};
}

int peer_loop_attach(peer_async *connection, void *data)
{
    struct peer_loop *loop = data;
    int place = 0;
    while (place < loop->count && loop->watches[place].connection)
        place++;
    if (place == WATCHES_MAX || connection->ev.data)
        return -1;
    struct watch *watch = &loop->watches[place];
    loop->count += place == loop->count;
    watch->connection = connection;
    connection->ev.data = watch;
    connection->ev.addRead = add_read;
    connection->ev.delRead = del_read;
    connection->ev.addWrite = add_write;
    connection->ev.delWrite = del_write;
    connection->ev.cleanup = cleanup;
    return 0;
}

/* Asking poll first whether there is room would cost a call, and there nearly always is. */
static void write_all(struct peer_loop *loop)
{
    for (int i = 0; i < loop->count; i++)
        if (loop->watches[i].connection && loop->watches[i].writes)
            peer_async_write(loop->watches[i].connection);
}

void peer_loop_turn(struct peer_loop *loop, int timeout_ms)
{
    struct pollfd ready[WATCHES_MAX];
    write_all(loop);
    int count = loop->count;
    for (int i = 0; i < count; i++) {
        const struct watch *watch = &loop->watches[i];
        ready[i] = (struct pollfd){.fd = watch->connection ? watch->connection->c.fd : -1};
        ready[i].events = (short)((watch->reads ? POLLIN : 0) | (watch->writes ? POLLOUT : 0));
    }
    if (poll(ready, (nfds_t)count, timeout_ms) <= 0)
        return;
    for (int i = 0; i < count; i++) {
        /* What is handled may free this connection or others. */
        struct watch *watch = &loop->watches[i];
        if (watch->connection && watch->reads && ready[i].revents & ~POLLOUT)
            peer_async_read(watch->connection);
        if (watch->connection && watch->writes && ready[i].revents & ~POLLIN)
            peer_async_write(watch->connection);
    }
}
