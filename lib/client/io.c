/* The engine's world on real sockets: resolving, dialling, reading, writing and closing, driven by
 * epoll. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "client/error.h"
#include "client/io.h"
#include "client/subscription.h"

#define READS_PER_EVENT  16 /* one busy connection must not starve the others */
#define WRITES_PER_FLUSH 64
#define EPOLL_ENDS       (EPOLLRDHUP | EPOLLHUP | EPOLLERR)

/* A caller writes without the token: what others have for the same stream must come behind it. */
enum saying {
    SAYING_NOTHING,
    SAYING,      /* not yet written, or not to its end */
    SAYING_HELD, /* and somebody waits for that; who ends it sends what they have */
};

static void remember_fd(struct tendon_client *client, int fd)
{
    int expected = -1;
    for (int i = 0; i < TENDON__FD_TABLE; i++, expected = -1)
        if (atomic_compare_exchange_strong(&client->fds[i], &expected, fd))
            return;
}

void tendon__io_forget_fd(struct tendon_client *client, int fd)
{
    int expected = fd;
    for (int i = 0; i < TENDON__FD_TABLE; i++, expected = fd)
        if (atomic_compare_exchange_strong(&client->fds[i], &expected, -1))
            return;
}

static void unwatch(struct tendon__io *io)
{
    if (io->watched_fd < 0)
        return;
    epoll_ctl(io->client->epoll_fd, EPOLL_CTL_DEL, io->watched_fd, NULL);
    tendon__io_forget_fd(io->client, io->watched_fd);
    io->watched_fd = -1;
}

/* Who watches the client's descriptor for changes is not told of what is there already when it is
 * only asked for: epoll keeps in its list what it told of last, and wakes for nothing that is
 * listed. What is added is not. */
static void unlist(struct tendon__io *io, uint32_t events)
{
    bool anew = !io->watched || events & ~io->watched & EPOLLOUT;
    if (anew && io->client->options.drive == TENDON__DRIVE_HOST)
        unwatch(io);
}

void tendon__io_watch(struct tendon__io *io, int fd, uint32_t events)
{
    if (fd == io->watched_fd && events == io->watched)
        return;
    if (fd == io->watched_fd)
        unlist(io, events);
    struct epoll_event event = {.events = events, .data.ptr = io};
    if (fd != io->watched_fd) {
        io->watched_fd = -1; /* a closed descriptor has left epoll by itself */
        if (fd < 0 || epoll_ctl(io->client->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
            return;
        remember_fd(io->client, fd);
    } else if (epoll_ctl(io->client->epoll_fd, EPOLL_CTL_MOD, fd, &event) != 0) {
        return;
    }
    io->watched_fd = fd;
    io->watched = events;
}

/* A stream in which callers may wait is watched for edges, so that whoever drives is not woken
 * again and again by what a caller in the socket is about to read. */
uint32_t tendon__io_open_events(const struct tendon__io *io)
{
    uint32_t writes = io->write_blocked ? EPOLLOUT : 0u;
    if (io->paused)
        return EPOLLET | writes; /* the end is told whatever is asked, and must be told only once */
    if (io->lent)
        return EPOLLRDHUP | writes; /* the host, which is told of changes only, may miss the end */
    return (io->transport.waits ? EPOLLET | EPOLLRDHUP : 0u) | EPOLLIN | writes;
}

void tendon__io_watch_anew(struct tendon__io *io)
{
    io->watched = 0;
    tendon__io_watch(io, io->transport.fd, tendon__io_open_events(io));
}

static tendon_status open_channel(void *world, struct tendon__channel *channel)
{
    struct tendon_client *client = world;
    struct tendon__io *io = tendon__memory_make(client->memory, sizeof *io);
    if (!io)
        return TENDON_ERROR_NO_MEMORY;
    io->client = client;
    io->channel = channel;
    io->watched_fd = -1;
    io->transport.fd = -1;
    io->state = TENDON__IO_IS_RESOLVING;
    io->deadline_ns = channel->opened_ns + client->options.connect_timeout_ms * TENDON__MS;
    io->token = ++client->next_token;
    if (!client->options.unix_socket[0]) {
        static const int families[] = {AF_UNSPEC, AF_INET,
                                       AF_INET6}; /* in the order of the option's values */
        tendon_status status =
            tendon__resolver_ask(client->resolver, io->token, channel->node->host,
                                 channel->node->port, families[client->options.address_family]);
        if (status != TENDON_OK) {
            tendon__memory_free(client->memory, io);
            return status;
        }
    }
    channel->io = io;
    tendon__list_push(&client->ios, &io->link);
    return TENDON_OK;
}

static void close_channel(void *world, struct tendon__channel *channel)
{
    struct tendon_client *client = world;
    struct tendon__io *io = channel->io;
    if (client->usual == io)
        client->usual = NULL;
    unwatch(io);
    if (io->state == TENDON__IO_IS_RESOLVING)
        tendon__resolver_forget(client->resolver, io->token);
    if (io->dial)
        tendon__dial_abort(io->dial);
    tendon__io_end_dial(io);
    channel->io = NULL;
    io->channel = NULL;
    tendon__list_remove(&io->link);
    if (io->has_reader) {
        /* The reader closes it, or another file could get the number he reads from. */
        io->state = TENDON__IO_IS_CLOSED;
        tendon__transport_end_wait(&io->transport, atomic_load(&io->saying) == SAYING_NOTHING);
        return;
    }
    if (io->was_lent)
        tendon__io_end_loan(io);
    if (io->state == TENDON__IO_IS_OPEN)
        tendon__transport_close(&io->transport, false);
    io->state = TENDON__IO_IS_CLOSED;
    tendon__list_push(&client->dead_ios, &io->link);
}

void tendon__io_bury(struct tendon_client *client)
{
    struct tendon__link *link;
    while ((link = tendon__list_shift(&client->dead_ios)))
        tendon__memory_free(client->memory, TENDON__OWNER(link, struct tendon__io, link));
}

/* What the TLS library has read already makes no descriptor readable; nor is a host told a second
 * time of what is left over. */
static void read_soon(struct tendon__io *io)
{
    bool is_host = io->client->options.drive == TENDON__DRIVE_HOST;
    if ((is_host || tendon__transport_buffered(&io->transport)) && !tendon__list_linked(&io->link))
        tendon__list_push(&io->client->ios, &io->link);
}

static void pause_channel(void *world, struct tendon__channel *channel, bool paused)
{
    struct tendon__io *io = channel->io;
    (void)world;
    if (paused && io->lent)
        tendon__io_forget_loan(io); /* its host is told when something comes all the same */
    io->paused = paused;
    tendon__io_watch_anew(io);
    if (!paused)
        read_soon(io);
}

const struct tendon__world_ops tendon__world_ops = {
    .open = open_channel,
    .close = close_channel,
    .event = tendon__tell_event,
    .tell = tendon__tell_subscription,
    .pause = pause_channel,
};

static void lose(struct tendon__io *io, ssize_t result, struct tendon__fault *fault, int64_t now_ns)
{
    if (result == TENDON__IO_CLOSED)
        tendon__fault_set(fault, TENDON_ERROR_DISCONNECTED, "%s closed the connection",
                          io->channel->node->name);
    tendon__engine_lost(io->client->engine, io->channel, fault, now_ns);
}

/* One read, and what it brings. False when there is nothing more to read now, or no stream. */
static bool read_once(struct tendon__io *io, int64_t now_ns)
{
    struct tendon__fault fault;
    uint8_t *space;
    size_t room = tendon__conn_space(&io->channel->conn, &space);
    if (!room) {
        tendon__fault_set(&fault, TENDON_ERROR_NO_MEMORY, "no memory to receive into");
        tendon__engine_lost(io->client->engine, io->channel, &fault, now_ns);
        return false;
    }
    ssize_t result = tendon__transport_read(&io->transport, space, room, &fault);
    if (result == TENDON__IO_AGAIN) {
        /* TLS must answer the peer before it reads on, and cannot now. */
        if (io->transport.want == TENDON__WANT_WRITE) {
            io->write_blocked = true;
            tendon__io_watch_anew(io);
        }
        return false;
    }
    if (result < 0) {
        lose(io, result, &fault, now_ns);
        return false;
    }
    tendon__engine_received(io->client->engine, io->channel, (size_t)result, now_ns);
    tendon__tell_held(io->client);
    return io->state == TENDON__IO_IS_OPEN &&
           ((size_t)result == room || io->is_ending || tendon__transport_buffered(&io->transport));
}

static void read_some(struct tendon__io *io, int64_t now_ns)
{
    for (int reads = 0; reads < READS_PER_EVENT; reads++)
        if (io->state != TENDON__IO_IS_OPEN || io->paused || !read_once(io, now_ns))
            return;
    if (io->state != TENDON__IO_IS_OPEN || io->paused)
        return;
    if (io->transport.waits)
        tendon__io_watch_anew(io);
    read_soon(io);
}

/* True when nobody may write now because a caller does; he is told that more is to be sent. */
static bool is_held(struct tendon__io *io)
{
    unsigned saying = SAYING;
    return atomic_compare_exchange_strong(&io->saying, &saying, SAYING_HELD) ||
           saying == SAYING_HELD;
}

static void write_some(struct tendon__io *io, int64_t now_ns)
{
    struct tendon__fault fault;
    if (io->has_reader && is_held(io))
        return;
    io->write_blocked = false;
    for (int writes = 0; writes < WRITES_PER_FLUSH; writes++) {
        const uint8_t *bytes;
        size_t size = tendon__conn_peek_out(&io->channel->conn, &bytes);
        if (!size)
            break;
        ssize_t result = tendon__transport_write(&io->transport, bytes, size, &fault);
        if (result < 0) {
            /* The server's last words may explain it, for example that it has too many clients. */
            if (!io->transport.tls && !io->has_reader)
                read_some(io, now_ns);
            if (io->state == TENDON__IO_IS_OPEN)
                lose(io, result, &fault, now_ns);
            return;
        }
        if (result == TENDON__IO_AGAIN) {
            io->write_blocked = true;
            break;
        }
        tendon__conn_sent(&io->channel->conn, (size_t)result);
        io->client->engine->stats.bytes_sent += (uint64_t)result;
        if (writes + 1 == WRITES_PER_FLUSH) {
            /* It can still be written, which is no edge. */
            io->write_blocked = true;
            tendon__io_watch_anew(io);
            return;
        }
    }
    tendon__io_watch(io, io->transport.fd, tendon__io_open_events(io));
}

void tendon__io_flush(struct tendon_client *client)
{
    struct tendon__link *link;
    int64_t now_ns = client->engine->now_ns;
    while ((link = tendon__list_shift(&client->engine->flush))) {
        struct tendon__io *io = TENDON__OWNER(link, struct tendon__channel, flush)->io;
        if (io && io->state == TENDON__IO_IS_OPEN && !io->write_blocked)
            write_some(io, now_ns);
    }
}

void tendon__io_event(struct tendon_client *client, void *handle, uint32_t events)
{
    struct tendon__io *io = handle;
    int64_t now_ns = client->engine->now_ns;
    if (io->state == TENDON__IO_IS_DIALED) {
        client->unsure = true;
        tendon__io_step_dial(io, now_ns);
        return;
    }
    if (io->state == TENDON__IO_IS_OPEN && io->paused && events & EPOLL_ENDS)
        return; /* who goes on reading finds it */
    if (io->state == TENDON__IO_IS_OPEN && events & (EPOLLIN | EPOLL_ENDS)) {
        io->is_ending = io->is_ending || events & EPOLL_ENDS;
        io->missed_edge = io->has_reader;
        if (!io->has_reader)
            read_some(io, now_ns);
    }
    if (io->state == TENDON__IO_IS_OPEN && events & EPOLLOUT) {
        if (io->transport.tls && !io->has_reader)
            read_some(io, now_ns); /* it may be what reading waited for */
        if (io->state == TENDON__IO_IS_OPEN)
            write_some(io, now_ns);
    }
}

struct tendon__io *tendon__io_begin_direct(struct tendon__channel *channel,
                                           struct tendon__direct *direct)
{
    struct tendon__io *io = channel->io;
    if (!io || io->state != TENDON__IO_IS_OPEN || !io->transport.waits || io->has_reader ||
        io->write_blocked)
        return NULL;
    /* The one frame counts as sent from now on: nobody may send it anew while its caller does. */
    const uint8_t *bytes;
    size_t size = tendon__conn_peek_out(&channel->conn, &bytes);
    struct tendon__exchange *exchange =
        TENDON__OWNER(channel->conn.fifo.next, struct tendon__exchange, link);
    if (size != exchange->frame_bytes ||
        !tendon__transport_limit_wait(&io->transport, direct->slice_ms))
        return NULL;
    direct->words_bytes = size;
    direct->words = tendon__transport_wrap(&io->transport, exchange->frame, &direct->words_bytes,
                                           direct->bytes, sizeof direct->bytes);
    if (!direct->words)
        return NULL;
    direct->fd = io->transport.fd;
    tendon__conn_sent(&channel->conn, size);
    tendon__list_remove(&channel->flush); /* or a flush would hold what is not there */
    channel->engine->stats.bytes_sent += size;
    io->has_reader = true;
    /* Nobody else looks at it before the token is given up. */
    atomic_store_explicit(&io->saying, SAYING, memory_order_relaxed);
    tendon__engine_direct(channel->engine, channel, true);
    return io;
}

bool tendon__io_said(struct tendon__io *io)
{
    return atomic_exchange(&io->saying, SAYING_NOTHING) != SAYING_HELD;
}

void tendon__io_send_held(struct tendon__io *io)
{
    if (io->state == TENDON__IO_IS_OPEN)
        tendon__channel_flush(io->channel);
}

/* Hands over what was read without the token. Any of it may close the connection. */
static void take_bytes(struct tendon__io *io, const uint8_t *bytes, size_t size, int64_t now_ns)
{
    struct tendon__fault fault;
    while (size && io->state == TENDON__IO_IS_OPEN) {
        uint8_t *space;
        size_t room = tendon__conn_space(&io->channel->conn, &space);
        if (!room) {
            tendon__fault_set(&fault, TENDON_ERROR_NO_MEMORY, "no memory to receive into");
            tendon__engine_lost(io->client->engine, io->channel, &fault, now_ns);
            return;
        }
        size_t part = size < room ? size : room;
        memcpy(space, bytes, part);
        tendon__engine_received(io->client->engine, io->channel, part, now_ns);
        bytes += part;
        size -= part;
    }
}

/* The same with TLS. */
static void take_records(struct tendon__io *io, const uint8_t *bytes, size_t size, int64_t now_ns)
{
    struct tendon__fault fault;
    tendon__tls_feed(io->transport.tls, bytes, size);
    while (read_once(io, now_ns) && tendon__tls_fed(io->transport.tls))
        ;
    if (io->state != TENDON__IO_IS_OPEN || !tendon__tls_fed(io->transport.tls))
        return;
    tendon__fault_set(&fault, TENDON_ERROR_DISCONNECTED,
                      "the server does not read what TLS must tell it");
    tendon__engine_lost(io->client->engine, io->channel, &fault, now_ns);
}

void tendon__io_end_direct(struct tendon__io *io, struct tendon__direct *direct)
{
    ssize_t result = direct->result;
    int64_t now_ns = io->client->engine->now_ns;
    io->has_reader = false;
    /* Still there only when it failed, and ends here. */
    atomic_store_explicit(&io->saying, SAYING_NOTHING, memory_order_relaxed);
    if (io->state == TENDON__IO_IS_CLOSED) {
        tendon__transport_close(&io->transport, false);
        tendon__list_push(&io->client->dead_ios, &io->link);
        return;
    }
    tendon__engine_direct(io->client->engine, io->channel, false);
    if (result == TENDON__IO_UNSENT)
        tendon__conn_unsent(&io->channel->conn);
    if (result < 0)
        lose(io, result, &direct->fault, now_ns);
    else if (result > 0 && io->transport.tls)
        take_records(io, direct->bytes, (size_t)result, now_ns);
    else if (result > 0)
        take_bytes(io, direct->bytes, (size_t)result, now_ns);
    if (io->state == TENDON__IO_IS_OPEN && (io->missed_edge || io->channel->conn.fifo_count ||
                                            tendon__transport_buffered(&io->transport)))
        read_some(io, now_ns);
    io->missed_edge = false;
}

static void tick_one(struct tendon__io *io, int64_t now_ns)
{
    struct tendon__fault fault;
    if (io->state == TENDON__IO_IS_OPEN) {
        tendon__list_remove(&io->link);
        read_some(io, now_ns);
    } else if (io->state == TENDON__IO_IS_DIALED && now_ns >= io->dial->step_ns) {
        tendon__io_step_dial(io, now_ns);
    } else if (io->state == TENDON__IO_IS_RESOLVING && io->client->options.unix_socket[0]) {
        tendon__io_start_unix(io, now_ns);
    } else if (io->state == TENDON__IO_IS_RESOLVING && now_ns >= io->deadline_ns) {
        tendon__fault_set(&fault, TENDON_ERROR_CONNECT_TIMEOUT,
                          "resolving %.200s took longer than %lld ms (option connect_timeout_ms); "
                          "check the resolver",
                          io->channel->node->host,
                          (long long)io->client->options.connect_timeout_ms);
        tendon__io_report_failure(io, &fault, now_ns);
    }
}

void tendon__io_tick(struct tendon_client *client, int64_t now_ns)
{
    /* A step may close connections and open others, which go to the end of the list. */
    size_t count = 0;
    for (struct tendon__link *link = client->ios.next; link != &client->ios; link = link->next)
        count++;
    struct tendon__link *link = client->ios.next;
    while (count-- && link != &client->ios) {
        struct tendon__link *next = link->next;
        tick_one(TENDON__OWNER(link, struct tendon__io, link), now_ns);
        if (next != &client->ios && !tendon__list_linked(next))
            return; /* it went with this one; the next turn comes at once */
        link = next;
    }
}

int64_t tendon__io_deadline(const struct tendon_client *client)
{
    int64_t when_ns = TENDON__NO_TIME;
    for (struct tendon__link *link = client->ios.next; link != &client->ios; link = link->next) {
        const struct tendon__io *io = TENDON__OWNER(link, struct tendon__io, link);
        int64_t at_ns = io->state == TENDON__IO_IS_DIALED ? io->dial->step_ns : io->deadline_ns;
        if (io->state == TENDON__IO_IS_OPEN ||
            (io->state == TENDON__IO_IS_RESOLVING && client->options.unix_socket[0]))
            at_ns = 0;
        if (at_ns < when_ns)
            when_ns = at_ns;
    }
    return when_ns;
}

/* In a forked child: the descriptors go, nothing is said to anybody. */
void tendon__io_abandon_all(struct tendon_client *client)
{
    for (int i = 0; i < TENDON__FD_TABLE; i++) {
        int fd = atomic_exchange(&client->fds[i], -1);
        if (fd >= 0)
            close(fd);
    }
}
