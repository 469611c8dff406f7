/* Reading, writing and closing one open stream, plain or TLS. Opening one is dial.c. */
#include "net/transport.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "net/errno_text.h"

static ssize_t io_failed(struct tendon__fault *fault, int error)
{
    char buffer[TENDON__ERRNO_TEXT_MAX];
    if (error == ECONNRESET || error == EPIPE)
        tendon__fault_set(fault, TENDON_ERROR_DISCONNECTED,
                          "the server reset the connection; it may have restarted, failed over or "
                          "expect TLS on this port");
    else if (error == ETIMEDOUT)
        tendon__fault_set(fault, TENDON_ERROR_DISCONNECTED,
                          "the server's host stopped acknowledging data, so the system gave the "
                          "connection up");
    else
        tendon__fault_set(fault, TENDON_ERROR_DISCONNECTED, "the connection failed: %s",
                          tendon__errno_text(error, buffer));
    return TENDON__IO_FAILED;
}

ssize_t tendon__transport_read(struct tendon__transport *transport, void *out, size_t size,
                               struct tendon__fault *fault)
{
    if (size == 0)
        return TENDON__IO_AGAIN;
    if (transport->tls)
        return tendon__tls_backend()->read(transport->tls, out, size, &transport->want, fault);
    ssize_t count;
    do
        count = recv(transport->fd, out, size, MSG_DONTWAIT);
    while (count < 0 && errno == EINTR);
    if (count > 0)
        return count;
    if (count == 0)
        return TENDON__IO_CLOSED;
    if (errno != EAGAIN && errno != EWOULDBLOCK)
        return io_failed(fault, errno);
    transport->want = TENDON__WANT_READ;
    return TENDON__IO_AGAIN;
}

ssize_t tendon__transport_write(struct tendon__transport *transport, const void *bytes, size_t size,
                                struct tendon__fault *fault)
{
    if (size == 0)
        return TENDON__IO_AGAIN;
    if (transport->tls)
        return tendon__tls_backend()->write(transport->tls, bytes, size, &transport->want, fault);
    ssize_t count;
    do
        count = send(transport->fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (count < 0 && errno == EINTR);
    if (count >= 0)
        return count;
    if (errno != EAGAIN && errno != EWOULDBLOCK)
        return io_failed(fault, errno);
    transport->want = TENDON__WANT_WRITE;
    return TENDON__IO_AGAIN;
}

static bool limit(int fd, int option, int64_t slice_ms)
{
    struct timeval slice = {.tv_sec = slice_ms / 1000, .tv_usec = slice_ms % 1000 * 1000};
    return setsockopt(fd, SOL_SOCKET, option, &slice, sizeof slice) == 0;
}

bool tendon__transport_limit_wait(struct tendon__transport *transport, int64_t slice_ms)
{
    if (transport->wait_ms == slice_ms)
        return true;
    if (!limit(transport->fd, SO_RCVTIMEO, slice_ms))
        return false;
    transport->wait_ms = slice_ms;
    return true;
}

bool tendon__transport_let_wait(struct tendon__transport *transport, int64_t slice_ms)
{
    int flags = fcntl(transport->fd, F_GETFL);
    transport->waits = flags >= 0 && limit(transport->fd, SO_SNDTIMEO, slice_ms) &&
                       fcntl(transport->fd, F_SETFL, flags & ~O_NONBLOCK) == 0;
    return transport->waits;
}

ssize_t tendon__transport_wait(int fd, void *out, size_t size, struct tendon__fault *fault)
{
    ssize_t count = recv(fd, out, size, 0);
    if (count > 0)
        return count;
    if (count == 0)
        return TENDON__IO_CLOSED;
    /* A signal ends the wait: to begin it anew with each of them could last for ever. */
    return errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK ? TENDON__IO_AGAIN
                                                                     : io_failed(fault, errno);
}

ssize_t tendon__transport_say(int fd, const void *bytes, size_t size, struct tendon__fault *fault)
{
    ssize_t count;
    do
        count = send(fd, bytes, size, MSG_NOSIGNAL);
    while (count < 0 && errno == EINTR);
    if (count == (ssize_t)size)
        return count;
    ssize_t failed = io_failed(fault, count < 0 ? errno : EAGAIN);
    return count < 0 ? TENDON__IO_UNSENT : failed;
}

const void *tendon__transport_wrap(struct tendon__transport *transport, const void *bytes,
                                   size_t *size, void *room, size_t room_bytes)
{
    if (!transport->tls)
        return bytes;
    *size = tendon__tls_seal(transport->tls, bytes, *size, room, room_bytes);
    return *size ? room : NULL;
}

void tendon__transport_end_wait(const struct tendon__transport *transport, bool politely)
{
    if (transport->tls && politely)
        tendon__tls_take_leave(transport->tls);
    (void)shutdown(transport->fd, SHUT_RDWR);
}

bool tendon__transport_buffered(const struct tendon__transport *transport)
{
    return transport->tls && tendon__tls_buffered(transport->tls);
}

void tendon__transport_close(struct tendon__transport *transport, bool abrupt)
{
    if (transport->tls)
        tendon__tls_backend()->session_close(transport->tls, abrupt);
    /* Never shutdown(): after a fork the parent shares this socket and must keep it. */
    if (transport->fd >= 0)
        (void)close(transport->fd);
    memset(transport, 0, sizeof *transport);
    transport->fd = -1;
}
