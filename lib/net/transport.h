/*
 * One byte stream to a server: TCP or Unix socket, plain or TLS, always non-blocking. Opening is a
 * dial that walks through the addresses of a name and the TLS handshake under one absolute
 * deadline, each address with a fair share of what is left. The owner polls `fd` for `want` and
 * calls step, read and write.
 */
#ifndef TENDON_NET_TRANSPORT_H
#define TENDON_NET_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/fault.h"
#include "base/memory.h"
#include "net/resolver.h"
#include "net/tls/tls.h"

#define TENDON__WANT_READ  1u
#define TENDON__WANT_WRITE 2u

struct tendon__tcp_options {
    bool keepalive;
    uint32_t keepalive_idle_s;
    uint32_t keepalive_interval_s;
    uint32_t keepalive_count;
    uint32_t user_timeout_ms; /* 0: leave it */
};

/* Results of read and write beside a positive count. */
#define TENDON__IO_AGAIN  0  /* nothing now; `want` of the transport says what to wait for */
#define TENDON__IO_CLOSED -1 /* the peer ended the stream in order (FIN, or close_notify) */
#define TENDON__IO_FAILED -2 /* anything else; the fault says what */
#define TENDON__IO_UNSENT -3 /* of say only: failed, and no byte has left */

struct tendon__transport {
    struct tendon__memory *memory;
    int fd;        /* -1 when closed */
    uint32_t want; /* what a pending call waits for, TENDON__WANT_*; TLS may want the other one */
    struct tendon__tls_session *tls; /* NULL when plain */
    bool tls_resumed;
    bool is_unix;
    bool waits;      /* a thread may wait in the socket, see tendon__transport_wait */
    int64_t wait_ms; /* for so long at a time; 0: for ever */
};

/* Up to `size` bytes. May return less although more is there. */
ssize_t tendon__transport_read(struct tendon__transport *transport, void *out, size_t size,
                               struct tendon__fault *fault);
/* Raises no SIGPIPE. A TLS write that returned AGAIN must be repeated with the same bytes at its
 * start. */
ssize_t tendon__transport_write(struct tendon__transport *transport, const void *bytes, size_t size,
                                struct tendon__fault *fault);
/*
 * Waiting in the socket itself, for a thread that has nothing else to watch: saves the system call
 * that asks whether there is something to read. let_wait prepares a stream for it, false when it
 * cannot be; read and write go on not to wait. wait needs the descriptor alone, so that the thread
 * may wait while others use the transport to write; AGAIN after what limit_wait said last, 0 for
 * never. end_wait, by another thread, ends a wait and with it the stream; `politely` only when
 * nothing is half said.
 */
bool tendon__transport_let_wait(struct tendon__transport *transport, int64_t slice_ms);
bool tendon__transport_limit_wait(struct tendon__transport *transport, int64_t slice_ms);
ssize_t tendon__transport_wait(int fd, void *out, size_t size, struct tendon__fault *fault);
/* Sends all of a small message on an idle stream; what does not go within `slice_ms` is FAILED, and
 * UNSENT when nothing of it went. */
ssize_t tendon__transport_say(int fd, const void *bytes, size_t size, struct tendon__fault *fault);
void tendon__transport_end_wait(const struct tendon__transport *transport, bool politely);
/*
 * With TLS such a thread says and receives records. wrap gives what has to be said for `*size`
 * bytes to arrive, and puts the size of that there: plain the bytes themselves, else their record,
 * made in `room`. NULL when that cannot be; the next write says why. It must be said before
 * anything else is written. What wait brings goes to tendon__tls_feed.
 */
const void *tendon__transport_wrap(struct tendon__transport *transport, const void *bytes,
                                   size_t *size, void *room, size_t room_bytes);
/* True when TLS holds bytes for read that poll does not know of. */
bool tendon__transport_buffered(const struct tendon__transport *transport);
/* Closes and zeroes. `abrupt` (forked child, broken stream) sends nothing; else TLS says
 * close_notify if it can at once. */
void tendon__transport_close(struct tendon__transport *transport, bool abrupt);

enum tendon__dial_state {
    TENDON__DIAL_CONNECTING, /* TCP or Unix connect under way */
    TENDON__DIAL_TLS,
    TENDON__DIAL_DONE,
    TENDON__DIAL_FAILED,
};

struct tendon__dial {
    struct tendon__transport transport; /* taken over by the owner on DONE */
    enum tendon__dial_state state;
    int64_t deadline_ns;             /* absolute, of everything */
    int64_t step_ns;                 /* when step must be called even without an event */
    struct tendon__tls_context *tls; /* NULL: plain */
    const struct tendon__tcp_options *tcp;
    char host[TENDON__FAULT_NODE_MAX]; /* logical name: SNI, verification, messages */
    uint16_t port;
    struct tendon__address addresses[TENDON__ADDRESSES_MAX];
    uint32_t address_count;
    uint32_t address_index;
    struct tendon__fault fault; /* of the address that came furthest; after FAILED the answer */
    uint32_t fault_rank;        /* how far that was; dial.c's own */
    int64_t attempt_start_ns;   /* of the connect or TLS handshake with the current address */
    int64_t attempt_end_ns;
};

/* Starts a dial; look at `state` afterwards, it may be DONE or FAILED already. `tls` and `tcp` must
   outlive it, `tcp` may be NULL. For a Unix socket pass its path as host and one AF_UNIX address.
 */
void tendon__dial_start(struct tendon__dial *dial, struct tendon__memory *memory, const char *host,
                        uint16_t port, const struct tendon__address *addresses, uint32_t count,
                        struct tendon__tls_context *tls, const struct tendon__tcp_options *tcp,
                        int64_t now_ns, int64_t deadline_ns);
/* Goes on after an event on transport.fd or at step_ns; may also be called early. The fd may have
   changed afterwards, and is -1 while a Unix socket with a full backlog waits for step_ns. Returns
   state. */
enum tendon__dial_state tendon__dial_step(struct tendon__dial *dial, int64_t now_ns);
/* Gives up; closes what is open. Does nothing after DONE, when the transport belongs to the owner.
 */
void tendon__dial_abort(struct tendon__dial *dial);
/* An AF_UNIX address; false when the path is too long. */
bool tendon__address_unix(struct tendon__address *out, const char *path);

#endif
