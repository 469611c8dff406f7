/* One blocking look-up through getaddrinfo. Knows nothing of threads, tokens or ports. */
#include "net/lookup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <string.h>
#include <strings.h>

#include "net/errno_text.h"
#include "net/fork_gate.h"

static bool known(const struct tendon__answers *answers, const struct addrinfo *info)
{
    for (uint32_t i = 0; i < answers->count; i++)
        if (answers->addresses[i].size == info->ai_addrlen &&
            memcmp(&answers->addresses[i].storage, info->ai_addr, info->ai_addrlen) == 0)
            return true;
    return false;
}

static void copy(struct tendon__answers *out, const struct addrinfo *list)
{
    for (const struct addrinfo *info = list; info; info = info->ai_next) {
        if (out->count == TENDON__ADDRESSES_MAX)
            return;
        bool is_ip = info->ai_family == AF_INET || info->ai_family == AF_INET6;
        if (!is_ip || info->ai_addrlen > sizeof(struct sockaddr_storage) || known(out, info))
            continue;
        struct tendon__address *address = &out->addresses[out->count++];
        memset(address, 0, sizeof *address);
        memcpy(&address->storage, info->ai_addr, info->ai_addrlen);
        address->size = info->ai_addrlen;
    }
}

static int ask(const char *host, int family, int flags, struct tendon__answers *out)
{
    /* One socket type, or every address would come once per type. */
    struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM, .ai_flags = flags};
    struct addrinfo *list = NULL;
    tendon__fork_gate_enter(TENDON__FORK_GATE_LOOKUP);
    int error = getaddrinfo(host, NULL, &hints, &list);
    int system_error = errno;
    tendon__fork_gate_leave(TENDON__FORK_GATE_LOOKUP);
    errno = system_error;
    if (error)
        return error;
    copy(out, list);
    freeaddrinfo(list);
    return out->count ? 0 : EAI_NONAME;
}

bool tendon__lookup_literal(const char *host, int family, struct tendon__answers *out)
{
    memset(out, 0, sizeof *out);
    if (ask(host, AF_UNSPEC, AI_NUMERICHOST, out) != 0)
        return false;
    if (family == AF_UNSPEC || out->addresses[0].storage.ss_family == family)
        return true;
    out->count = 0;
    tendon__fault_set(&out->fault, TENDON_ERROR_RESOLVE,
                      "'%s' is not an %s address; change the host or address_family", host,
                      family == AF_INET ? "IPv4" : "IPv6");
    return true;
}

/* RFC 6761: localhost is the loopback, whatever files and servers say or lack. */
static bool loopback(const char *host, int family, struct tendon__answers *out)
{
    if (strcasecmp(host, "localhost") != 0 && strcasecmp(host, "localhost.") != 0)
        return false;
    if (family != AF_INET6)
        (void)ask("127.0.0.1", AF_INET, AI_NUMERICHOST, out);
    if (family != AF_INET)
        (void)ask("::1", AF_INET6, AI_NUMERICHOST, out);
    return out->count > 0;
}

static const char *reason(int error, int system_error, char buffer[TENDON__ERRNO_TEXT_MAX])
{
    if (error == EAI_SYSTEM)
        return tendon__errno_text(system_error, buffer);
    if (error == EAI_AGAIN)
        return "the name servers do not answer";
    return gai_strerror(error);
}

/* Systems have several words for "no such name"; trouble on the way to the answer has these. */
static bool says_no_address(int error)
{
    return error != 0 && error != EAI_AGAIN && error != EAI_FAIL && error != EAI_MEMORY &&
           error != EAI_SYSTEM;
}

void tendon__lookup_name(const char *host, int family, struct tendon__answers *out)
{
    memset(out, 0, sizeof *out);
    /*
     * AI_ADDRCONFIG spares the question for IPv6 on a machine without it, but takes loopback for no
     * address at all: "localhost" as ::1 would not exist there. Hence a second, unfiltered try
     * before saying no.
     */
    int error = ask(host, family, AI_ADDRCONFIG, out);
    if (says_no_address(error))
        error = ask(host, family, 0, out);
    int system_error = errno;
    if (error == 0 || loopback(host, family, out))
        return;
    char buffer[TENDON__ERRNO_TEXT_MAX];
    tendon__fault_set(&out->fault, TENDON_ERROR_RESOLVE,
                      "cannot resolve '%s': %s; check the name and the machine's resolver", host,
                      reason(error, system_error, buffer));
}

/* What glibc keeps of resolv.conf for each thread it gives back when the thread ends, under a lock
 * and beyond fork's gate. Given back here, and with no server named, it finds nothing to do then.
 */
void tendon__lookup_thread_ends(void)
{
#ifdef __GLIBC__
    /* All zeros: nothing was looked up. To close that would close descriptor 0, whoever's it is. */
    if (_res.nscount == 0)
        return;
    tendon__fork_gate_enter(TENDON__FORK_GATE_LOOKUP);
    res_nclose(&_res);
    _res.nscount = 0;
    tendon__fork_gate_leave(TENDON__FORK_GATE_LOOKUP);
#endif
}
