/* The socket as OpenSSL sees it: its own socket BIO uses write(), which raises SIGPIPE in the host
 * program. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "net/tls/openssl_parts.h"

/* A number of our own; BIO_get_new_index would use up one of 127 for every context. */
#define BIO_TYPE_TENDON (BIO_TYPE_SOURCE_SINK | 0x7e)

static int keep_sealed(struct tendon__tls_session *session, const char *bytes, size_t size,
                       size_t *out_count)
{
    if (size > session->sealed_room - session->sealed_size) {
        session->error_number = ENOBUFS;
        return 0;
    }
    memcpy(session->sealed + session->sealed_size, bytes, size);
    session->sealed_size += size;
    *out_count = size;
    return 1;
}

static int bio_write(BIO *bio, const char *bytes, size_t size, size_t *out_count)
{
    struct tendon__tls_session *session = BIO_get_data(bio);
    ssize_t count;
    BIO_clear_retry_flags(bio);
    if (session->sealed)
        return keep_sealed(session, bytes, size, out_count);
    do
        count = send(session->fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (count < 0 && errno == EINTR);
    if (count >= 0) {
        *out_count = (size_t)count;
        return 1;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
        BIO_set_retry_write(bio);
    } else if (session->is_up && !session->reset_number &&
               (errno == ECONNRESET || errno == EPIPE)) {
        /*
         * What the server said before it reset the connection, such as the alert that it wants a
         * certificate, can still be read, but not by a session whose write has failed. So the first
         * such write only seems blocked, and the read that follows tells the reason.
         */
        session->reset_number = errno;
        BIO_set_retry_write(bio);
    } else {
        session->error_number = errno;
    }
    return 0;
}

static void remember_first(struct tendon__tls_session *session, const char *bytes, size_t size)
{
    size_t room = sizeof session->first - session->first_size;
    if (size > room)
        size = room;
    memcpy(session->first + session->first_size, bytes, size);
    session->first_size += size;
}

static int take_fed(struct tendon__tls_session *session, char *out, size_t size, size_t *out_count)
{
    if (size > session->fed_size)
        size = session->fed_size;
    memcpy(out, session->fed, size);
    session->fed += size;
    session->fed_size -= size;
    *out_count = size;
    return 1;
}

static int bio_read(BIO *bio, char *out, size_t size, size_t *out_count)
{
    struct tendon__tls_session *session = BIO_get_data(bio);
    ssize_t count;
    BIO_clear_retry_flags(bio);
    if (session->fed_size)
        return take_fed(session, out, size, out_count);
    do
        count = recv(session->fd, out, size, MSG_DONTWAIT);
    while (count < 0 && errno == EINTR);
    session->is_flooded = count == (ssize_t)size;
    if (count > 0) {
        *out_count = (size_t)count;
        if (session->first_size < sizeof session->first)
            remember_first(session, out, (size_t)count);
        return 1;
    }
    if (count == 0 && session->reset_number)
        session->error_number = session->reset_number;
    else if (count == 0)
        session->peer_ended = true;
    else if (errno == EAGAIN || errno == EWOULDBLOCK)
        BIO_set_retry_read(bio);
    else
        session->error_number = errno;
    return 0;
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
    const struct tendon__tls_session *session = BIO_get_data(bio);
    (void)number;
    (void)pointer;
    if (command == BIO_CTRL_FLUSH)
        return 1;
    if (command == BIO_CTRL_EOF)
        return session->peer_ended;
    return 0;
}

BIO_METHOD *tendon__openssl_bio_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_TENDON, "tendon socket");
    if (method && BIO_meth_set_write_ex(method, bio_write) &&
        BIO_meth_set_read_ex(method, bio_read) && BIO_meth_set_ctrl(method, bio_control))
        return method;
    BIO_meth_free(method);
    return NULL;
}

bool tendon__openssl_bio_attach(struct tendon__tls_session *session)
{
    BIO *bio = BIO_new(session->context->bio_method);
    if (!bio)
        return false;
    BIO_set_data(bio, session);
    BIO_set_init(bio, 1);
    SSL_set_bio(session->ssl, bio, bio);
    return true;
}
