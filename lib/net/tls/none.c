/* A build without TLS: there is no backend, and the client refuses TLS options. */
#include "net/tls/tls.h"

const struct tendon__tls_backend *tendon__tls_backend(void)
{
    return NULL;
}

bool tendon__tls_buffered(const struct tendon__tls_session *session)
{
    (void)session;
    return false;
}

size_t tendon__tls_seal(struct tendon__tls_session *session, const void *bytes, size_t size,
                        void *out, size_t room)
{
    (void)session;
    (void)bytes;
    (void)size;
    (void)out;
    (void)room;
    return 0;
}

void tendon__tls_feed(struct tendon__tls_session *session, const void *bytes, size_t size)
{
    (void)session;
    (void)bytes;
    (void)size;
}

bool tendon__tls_fed(const struct tendon__tls_session *session)
{
    (void)session;
    return false;
}

void tendon__tls_thread_ends(void)
{
}

void tendon__tls_take_leave(struct tendon__tls_session *session)
{
    (void)session;
}
