/*
 * Opens a stream: walks the addresses of a name, connects without blocking and runs the TLS
 * handshake, all under one absolute deadline. It reads no clock: the caller says what time it is.
 */
#include "net/transport.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/errno_text.h"

#define NS_PER_MS INT64_C(1000000)
/* A share below this would give up on addresses that are merely on another continent. */
#define SHARE_NS_MIN (250 * NS_PER_MS)
/* A Unix socket with a full backlog gives no event when there is room again, so it is asked this
 * often. */
#define UNIX_RETRY_NS (5 * NS_PER_MS)
/* "[" IPv6 address, "%", interface name, "]:" port, or the path of a Unix socket, then " (host)".
 */
#define PEER_TEXT_MAX 512

enum progress {
    PROGRESS_WAIT,   /* for an event or step_ns */
    PROGRESS_GO_ON,  /* the state changed */
    PROGRESS_FAILED, /* this address failed; its fault was kept or outranked */
};

/* How far an address came. The fault of the address that came furthest is the one that helps. */
enum rank {
    RANK_NONE,
    RANK_REFUSED,
    RANK_TIMEOUT,
    RANK_TLS_TIMEOUT,
    RANK_TLS,
    RANK_IDENTITY, /* TLS answered, but with a certificate that was refused */
    RANK_SYSTEM,   /* our own process cannot open sockets; no address can help */
};

bool tendon__address_unix(struct tendon__address *out, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof address.sun_path)
        return false;
    memcpy(address.sun_path, path, length + 1);
    memset(out, 0, sizeof *out);
    memcpy(&out->storage, &address, sizeof address);
    out->size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
    return true;
}

static const struct tendon__address *current(const struct tendon__dial *dial)
{
    return &dial->addresses[dial->address_index];
}

/* The bare address, without port; "" when it has none that can be printed. */
static void numeric_text(const struct tendon__address *address, char *out, socklen_t size)
{
    out[0] = '\0';
    const void *storage = &address->storage;
    if (address->storage.ss_family == AF_INET)
        (void)inet_ntop(AF_INET, &((const struct sockaddr_in *)storage)->sin_addr, out, size);
    else if (address->storage.ss_family == AF_INET6)
        (void)inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)storage)->sin6_addr, out, size);
}

/* "10.0.0.1:6379 (name)", "[::1]:6379" or the path: what the user must look at. */
static void peer_text(const struct tendon__dial *dial, char *out, size_t size)
{
    const struct tendon__address *address = current(dial);
    if (address->storage.ss_family == AF_UNIX) {
        snprintf(out, size, "%s",
                 ((const struct sockaddr_un *)(const void *)&address->storage)->sun_path);
        return;
    }
    char numeric[INET6_ADDRSTRLEN];
    numeric_text(address, numeric, sizeof numeric);
    bool is_v6 = address->storage.ss_family == AF_INET6;
    bool is_literal = strcmp(dial->host, numeric) == 0;
    snprintf(out, size, "%s%s%s:%u%s%s%s", is_v6 ? "[" : "", numeric, is_v6 ? "]" : "",
             (unsigned)dial->port, is_literal ? "" : " (", is_literal ? "" : dial->host,
             is_literal ? "" : ")");
}

/* Takes `fault` as the answer unless an earlier address came further. */
static void keep_fault(struct tendon__dial *dial, enum rank rank, const struct tendon__fault *fault)
{
    if ((uint32_t)rank < dial->fault_rank)
        return;
    dial->fault_rank = rank;
    dial->fault = *fault;
    dial->fault.executed = TENDON_EXECUTED_NO;
    bool is_unix = dial->address_count && current(dial)->storage.ss_family == AF_UNIX;
    bool is_v6 = strchr(dial->host, ':') != NULL;
    if (is_unix)
        snprintf(dial->fault.node, sizeof dial->fault.node, "%s", dial->host);
    else
        snprintf(dial->fault.node, sizeof dial->fault.node, "%s%.256s%s:%u", is_v6 ? "[" : "",
                 dial->host, is_v6 ? "]" : "", (unsigned)dial->port);
}

/* What errno of a connect means to the person who reads it: text before and after the peer's
 * address. */
struct cause {
    int error;
    const char *before;
    const char *after;
};

static const struct cause tcp_causes[] = {
    {ECONNREFUSED, "connection refused by ", "; is the server running?"},
    {EHOSTUNREACH, "no route to ", "; check the address, the network and the security group"},
    {ENETUNREACH, "no route to ", "; check the address, the network and the security group"},
    {ECONNRESET, "connection reset by ", " while connecting; is a proxy or firewall between?"},
    {EACCES, "the system forbids connecting to ", "; check the local firewall"},
    {EPERM, "the system forbids connecting to ", "; check the local firewall"},
    {EADDRNOTAVAIL, "no local port or address left to connect to ", "; too many connections"},
    {EAFNOSUPPORT, "this machine lacks the address family of ", "; set address_family"},
};

static const struct cause unix_causes[] = {
    {ECONNREFUSED, "connection refused by Unix socket ", "; is the server running?"},
    {ENOENT, "no Unix socket at ", "; check the path and the server's unixsocket setting"},
    {EACCES, "no permission for Unix socket ", "; check unixsocketperm and its folders"},
    {EPERM, "no permission for Unix socket ", "; check unixsocketperm and its folders"},
};

static const struct cause *find_cause(const struct cause *causes, size_t count, int error)
{
    for (size_t i = 0; i < count; i++)
        if (causes[i].error == error)
            return &causes[i];
    return NULL;
}

static enum progress connect_failed(struct tendon__dial *dial, int error)
{
    struct tendon__fault fault = {0};
    char peer[PEER_TEXT_MAX];
    char buffer[TENDON__ERRNO_TEXT_MAX];
    peer_text(dial, peer, sizeof peer);
    if (error == ETIMEDOUT) {
        tendon__fault_set(
            &fault, TENDON_ERROR_CONNECT_TIMEOUT,
            "no answer from %s to the TCP connect; check host, port and security group", peer);
        keep_fault(dial, RANK_TIMEOUT, &fault);
        return PROGRESS_FAILED;
    }
    const struct cause *cause =
        dial->transport.is_unix
            ? find_cause(unix_causes, sizeof unix_causes / sizeof *unix_causes, error)
            : find_cause(tcp_causes, sizeof tcp_causes / sizeof *tcp_causes, error);
    if (cause)
        tendon__fault_set(&fault, TENDON_ERROR_CONNECT, "%s%s%s", cause->before, peer,
                          cause->after);
    else
        tendon__fault_set(&fault, TENDON_ERROR_CONNECT, "cannot connect to %s: %s", peer,
                          tendon__errno_text(error, buffer));
    keep_fault(dial, RANK_REFUSED, &fault);
    return PROGRESS_FAILED;
}

static enum progress socket_failed(struct tendon__dial *dial, int error)
{
    if (error == EAFNOSUPPORT)
        return connect_failed(dial, error);
    struct tendon__fault fault = {0};
    char buffer[TENDON__ERRNO_TEXT_MAX];
    const char *remedy = error == EMFILE   ? "; raise ulimit -n"
                         : error == ENFILE ? "; raise fs.file-max"
                                           : "";
    tendon__fault_set(&fault, TENDON_ERROR_SYSTEM, "cannot open a socket: %s%s",
                      tendon__errno_text(error, buffer), remedy);
    keep_fault(dial, RANK_SYSTEM, &fault);
    return PROGRESS_FAILED;
}

static enum progress timed_out(struct tendon__dial *dial, int64_t now_ns)
{
    struct tendon__fault fault = {0};
    char peer[PEER_TEXT_MAX];
    peer_text(dial, peer, sizeof peer);
    long long waited_ms = (long long)((now_ns - dial->attempt_start_ns) / NS_PER_MS);
    if (dial->state == TENDON__DIAL_TLS)
        tendon__fault_set(
            &fault, TENDON_ERROR_CONNECT_TIMEOUT,
            "the TLS handshake with %s did not finish within %lld ms; the port may not "
            "speak TLS, or the server hangs",
            peer, waited_ms);
    else
        tendon__fault_set(&fault, TENDON_ERROR_CONNECT_TIMEOUT,
                          "no answer from %s to the connect within %lld ms; check host, port and "
                          "security group",
                          peer, waited_ms);
    keep_fault(dial, dial->state == TENDON__DIAL_TLS ? RANK_TLS_TIMEOUT : RANK_TIMEOUT, &fault);
    return PROGRESS_FAILED;
}

/* Tuning only: a system that refuses one of these still gives a usable connection. */
static void tune(int fd, const struct tendon__tcp_options *tcp)
{
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (!tcp)
        return;
    if (tcp->keepalive) {
        int idle = (int)tcp->keepalive_idle_s;
        int interval = (int)tcp->keepalive_interval_s;
        int count = (int)tcp->keepalive_count;
        (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
        (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
        (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
        (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
    }
    /* Keepalive is silent while data is unacknowledged; this is the timer for that case. */
    if (tcp->user_timeout_ms) {
        unsigned timeout_ms = tcp->user_timeout_ms;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof timeout_ms);
    }
}

/*
 * Bounds the current address. A connect gets an even share of what is left. Once a server has
 * accepted, it gets half: it is likelier to be slow than dead, but a frozen server accepts too.
 */
static void begin_attempt(struct tendon__dial *dial, int64_t now_ns, bool accepted)
{
    int64_t left_ns = dial->deadline_ns - now_ns;
    uint32_t others = dial->address_count - dial->address_index - 1;
    int64_t share_ns = accepted ? left_ns / 2 : left_ns / (others + 1);
    if (share_ns < SHARE_NS_MIN)
        share_ns = SHARE_NS_MIN;
    if (others == 0 || share_ns > left_ns)
        share_ns = left_ns;
    dial->attempt_start_ns = now_ns;
    dial->attempt_end_ns = now_ns + share_ns;
    dial->step_ns = dial->attempt_end_ns;
}

/*
 * A connect to a free local port of the ephemeral range can meet itself: TCP then joins the socket
 * to its own other end, and everything sent comes back as if a server had answered.
 */
static bool connected_to_self(int fd)
{
    struct sockaddr_storage own = {0};
    struct sockaddr_storage peer = {0};
    socklen_t own_size = sizeof own;
    socklen_t peer_size = sizeof peer;
    if (getsockname(fd, (struct sockaddr *)&own, &own_size) != 0 ||
        getpeername(fd, (struct sockaddr *)&peer, &peer_size) != 0)
        return false;
    return own_size == peer_size && memcmp(&own, &peer, own_size) == 0;
}

static enum progress connected(struct tendon__dial *dial, int64_t now_ns)
{
    struct tendon__transport *transport = &dial->transport;
    if (!transport->is_unix && connected_to_self(transport->fd))
        return connect_failed(dial, ECONNREFUSED);
    if (!dial->tls) {
        transport->want = TENDON__WANT_READ;
        dial->state = TENDON__DIAL_DONE;
        return PROGRESS_GO_ON;
    }
    struct tendon__fault fault = {0};
    if (tendon__tls_backend()->session_open(dial->tls, transport->fd, dial->host, dial->port,
                                            &transport->tls, &fault) != TENDON_OK) {
        keep_fault(dial, RANK_SYSTEM, &fault);
        return PROGRESS_FAILED;
    }
    dial->state = TENDON__DIAL_TLS;
    begin_attempt(dial, now_ns, true);
    return PROGRESS_GO_ON;
}

static void close_attempt(struct tendon__dial *dial)
{
    struct tendon__memory *memory = dial->transport.memory;
    tendon__transport_close(&dial->transport, true);
    dial->transport.memory = memory;
}

static enum progress begin_connect(struct tendon__dial *dial, int64_t now_ns)
{
    const struct tendon__address *address = current(dial);
    struct tendon__transport *transport = &dial->transport;
    transport->is_unix = address->storage.ss_family == AF_UNIX;
    transport->fd =
        socket(address->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (transport->fd < 0)
        return socket_failed(dial, errno);
    if (!transport->is_unix)
        tune(transport->fd, dial->tcp);
    transport->want = TENDON__WANT_WRITE;
    if (connect(transport->fd, (const struct sockaddr *)&address->storage, address->size) == 0)
        return connected(dial, now_ns);
    if (errno == EINPROGRESS || errno == EINTR) {
        dial->step_ns = dial->attempt_end_ns;
        return PROGRESS_WAIT;
    }
    if (errno != EAGAIN || !transport->is_unix)
        return connect_failed(dial, errno);
    if (now_ns >= dial->attempt_end_ns)
        return timed_out(dial, now_ns);
    close_attempt(dial);
    int64_t retry_ns = now_ns + UNIX_RETRY_NS;
    dial->step_ns = retry_ns < dial->attempt_end_ns ? retry_ns : dial->attempt_end_ns;
    return PROGRESS_WAIT;
}

/* SO_ERROR is 0 both before and after success, so readiness is asked for first: the caller may come
 * early. */
static enum progress step_connect(struct tendon__dial *dial, int64_t now_ns)
{
    if (dial->transport.fd < 0)
        return begin_connect(dial, now_ns);
    struct pollfd item = {.fd = dial->transport.fd, .events = POLLOUT};
    if (poll(&item, 1, 0) <= 0) {
        if (now_ns >= dial->attempt_end_ns)
            return timed_out(dial, now_ns);
        return PROGRESS_WAIT;
    }
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(dial->transport.fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        error = errno;
    return error ? connect_failed(dial, error) : connected(dial, now_ns);
}

static enum progress step_tls(struct tendon__dial *dial, int64_t now_ns)
{
    struct tendon__transport *transport = &dial->transport;
    struct tendon__fault fault = {0};
    int result = tendon__tls_backend()->handshake(transport->tls, &transport->want,
                                                  &transport->tls_resumed, &fault);
    if (result > 0) {
        transport->want = TENDON__WANT_READ;
        dial->state = TENDON__DIAL_DONE;
        return PROGRESS_GO_ON;
    }
    if (result == 0)
        return now_ns >= dial->attempt_end_ns ? timed_out(dial, now_ns) : PROGRESS_WAIT;
    bool is_identity =
        result == TENDON_ERROR_TLS_CERTIFICATE || result == TENDON_ERROR_TLS_HOSTNAME;
    keep_fault(dial, is_identity ? RANK_IDENTITY : RANK_TLS, &fault);
    return PROGRESS_FAILED;
}

static void give_up(struct tendon__dial *dial)
{
    dial->state = TENDON__DIAL_FAILED;
    size_t length = strlen(dial->fault.text);
    uint32_t tried =
        dial->address_index < dial->address_count ? dial->address_index + 1 : dial->address_count;
    if (tried > 1)
        snprintf(dial->fault.text + length, sizeof dial->fault.text - length,
                 " (%u of %u addresses tried)", (unsigned)tried, (unsigned)dial->address_count);
}

static void next_address(struct tendon__dial *dial, int64_t now_ns)
{
    close_attempt(dial);
    if (dial->address_index + 1 >= dial->address_count || now_ns >= dial->deadline_ns) {
        give_up(dial);
        return;
    }
    dial->address_index++;
    dial->state = TENDON__DIAL_CONNECTING;
    begin_attempt(dial, now_ns, false);
}

enum tendon__dial_state tendon__dial_step(struct tendon__dial *dial, int64_t now_ns)
{
    enum progress progress = PROGRESS_GO_ON;
    while (progress != PROGRESS_WAIT &&
           (dial->state == TENDON__DIAL_CONNECTING || dial->state == TENDON__DIAL_TLS)) {
        progress =
            dial->state == TENDON__DIAL_TLS ? step_tls(dial, now_ns) : step_connect(dial, now_ns);
        if (progress == PROGRESS_FAILED)
            next_address(dial, now_ns);
    }
    return dial->state;
}

void tendon__dial_start(struct tendon__dial *dial, struct tendon__memory *memory, const char *host,
                        uint16_t port, const struct tendon__address *addresses, uint32_t count,
                        struct tendon__tls_context *tls, const struct tendon__tcp_options *tcp,
                        int64_t now_ns, int64_t deadline_ns)
{
    memset(dial, 0, sizeof *dial);
    dial->transport.memory = memory;
    dial->transport.fd = -1;
    dial->deadline_ns = deadline_ns;
    dial->tls = tls;
    dial->tcp = tcp;
    dial->port = port;
    snprintf(dial->host, sizeof dial->host, "%s", host);
    if (count > TENDON__ADDRESSES_MAX)
        count = TENDON__ADDRESSES_MAX;
    if (count == 0) {
        dial->state = TENDON__DIAL_FAILED;
        tendon__fault_set(&dial->fault, TENDON_ERROR_CONNECT, "%s has no address to connect to",
                          dial->host);
        dial->fault.executed = TENDON_EXECUTED_NO;
        return;
    }
    memcpy(dial->addresses, addresses, count * sizeof *addresses);
    dial->address_count = count;
    dial->state = TENDON__DIAL_CONNECTING;
    begin_attempt(dial, now_ns, false);
    (void)tendon__dial_step(dial, now_ns);
}

void tendon__dial_abort(struct tendon__dial *dial)
{
    if (dial->state != TENDON__DIAL_CONNECTING && dial->state != TENDON__DIAL_TLS)
        return;
    close_attempt(dial);
    dial->state = TENDON__DIAL_FAILED;
}
