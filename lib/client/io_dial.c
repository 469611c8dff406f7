/* How a channel's socket comes to be: resolving its node's name, dialling, TLS. */
#include <sys/epoll.h>

#include "client/error.h"
#include "client/io.h"

static uint32_t wanted_events(uint32_t want)
{
    return (want & TENDON__WANT_READ ? EPOLLIN : 0u) | (want & TENDON__WANT_WRITE ? EPOLLOUT : 0u);
}

void tendon__io_end_dial(struct tendon__io *io)
{
    tendon__memory_free(io->client->memory, io->dial);
    io->dial = NULL;
}

void tendon__io_report_failure(struct tendon__io *io, const struct tendon__fault *fault,
                               int64_t now_ns)
{
    tendon__engine_open_failed(io->client->engine, io->channel, fault, now_ns);
}

static void report_open(struct tendon__io *io, int64_t now_ns)
{
    io->transport = io->dial->transport;
    tendon__io_end_dial(io);
    io->state = TENDON__IO_IS_OPEN;
    tendon__list_remove(&io->link);
    if (io->client->options.drive == TENDON__DRIVE_THREAD)
        tendon__transport_let_wait(&io->transport, TENDON__DIRECT_SLICE_MS);
    tendon__io_watch(io, io->transport.fd, tendon__io_open_events(io));
    tendon__engine_opened(io->client->engine, io->channel, io->transport.tls_resumed, now_ns);
}

void tendon__io_step_dial(struct tendon__io *io, int64_t now_ns)
{
    int before = io->dial->transport.fd;
    enum tendon__dial_state state = tendon__dial_step(io->dial, now_ns);
    if (before != io->dial->transport.fd && before >= 0 && before == io->watched_fd) {
        tendon__io_forget_fd(io->client, before);
        io->watched_fd = -1;
    }
    switch (state) {
    case TENDON__DIAL_CONNECTING:
    case TENDON__DIAL_TLS:
        tendon__io_watch(io, io->dial->transport.fd, wanted_events(io->dial->transport.want));
        break;
    case TENDON__DIAL_DONE:
        report_open(io, now_ns);
        break;
    case TENDON__DIAL_FAILED: {
        struct tendon__fault fault = io->dial->fault;
        tendon__io_report_failure(io, &fault, now_ns);
        break;
    }
    }
}

static void start_dial(struct tendon__io *io, const struct tendon__address *addresses,
                       uint32_t count, int64_t now_ns)
{
    struct tendon_client *client = io->client;
    const struct tendon__node *node = io->channel->node;
    struct tendon__fault fault;
    io->dial = tendon__memory_make(client->memory, sizeof *io->dial);
    if (!io->dial) {
        tendon__fault_set(&fault, TENDON_ERROR_NO_MEMORY, "no memory for a connection");
        tendon__io_report_failure(io, &fault, now_ns);
        return;
    }
    io->state = TENDON__IO_IS_DIALED;
    tendon__dial_start(io->dial, client->memory, node->host, node->port, addresses, count,
                       client->tls, &client->tcp, now_ns, io->deadline_ns);
    tendon__io_step_dial(io, now_ns);
}

static struct tendon__io *find_token(struct tendon_client *client, uint64_t token)
{
    for (struct tendon__link *link = client->ios.next; link != &client->ios; link = link->next) {
        struct tendon__io *io = TENDON__OWNER(link, struct tendon__io, link);
        if (io->state == TENDON__IO_IS_RESOLVING && io->token == token)
            return io;
    }
    return NULL;
}

void tendon__io_resolved(struct tendon_client *client)
{
    struct tendon__resolved resolved;
    while (tendon__resolver_take(client->resolver, &resolved)) {
        struct tendon__io *io = find_token(client, resolved.token);
        if (!io)
            continue;
        if (resolved.fault.status != TENDON_OK)
            tendon__io_report_failure(io, &resolved.fault, client->engine->now_ns);
        else
            start_dial(io, resolved.addresses, resolved.count, client->engine->now_ns);
    }
}

void tendon__io_start_unix(struct tendon__io *io, int64_t now_ns)
{
    struct tendon__address address;
    struct tendon__fault fault;
    if (tendon__address_unix(&address, io->client->options.unix_socket)) {
        start_dial(io, &address, 1, now_ns);
        return;
    }
    tendon__fault_set(&fault, TENDON_ERROR_CONFIG,
                      "option unix_socket is longer than the system's 107 bytes");
    tendon__io_report_failure(io, &fault, now_ns);
}
