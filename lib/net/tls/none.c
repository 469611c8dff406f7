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
