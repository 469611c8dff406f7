/* The exported functions of <tendon/version.h>, and the one pure function of <tendon/client.h>. */
#include <tendon/version.h>

#include <tendon/client.h>

#include "cluster/slots.h"
#include "net/tls/tls.h"

uint32_t tendon_abi_version(void)
{
    return (uint32_t)TENDON_ABI_MAJOR << 16 | TENDON_ABI_MINOR;
}

const char *tendon_version(void)
{
    return TENDON_VERSION;
}

const char *tendon_tls_version(void)
{
    const struct tendon__tls_backend *backend = tendon__tls_backend();
    return backend ? backend->version() : "none";
}

uint32_t tendon_key_slot(tendon_bytes key)
{
    return tendon__key_slot(key.data, key.size);
}
