/* TLS behind one const table per library; the only headers of a TLS library are in the file of its
 * backend. */
#ifndef TENDON_NET_TLS_TLS_H
#define TENDON_NET_TLS_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/fault.h"
#include "base/memory.h"

struct tendon__tls_options {
    const char *ca_file; /* "" or NULL: none; the same for every text below */
    const char *ca_dir;
    const char *ca_pem;
    bool system_ca;
    const char *cert_file; /* wins over cert_pem; PEM may hold the chain, too */
    const char *cert_pem;
    const char *key_file; /* wins over key_pem; neither: the key is beside the certificate */
    const char *key_pem;
    const char *key_password;
    const char *server_name; /* overrides the dialled name for SNI and verification */
    const char *ciphers;
    bool min_version_13;
    bool resumption;
    bool insecure_skip_verify;
    bool insecure_skip_hostname;
};

struct tendon__tls_context; /* certificates, policy and session cache of a client */
struct tendon__tls_session; /* one connection */

struct tendon__tls_backend {
    const char *(*version)(void);
    tendon_status (*context_create)(struct tendon__memory *memory,
                                    const struct tendon__tls_options *options,
                                    struct tendon__tls_context **out, struct tendon__fault *fault);
    void (*context_destroy)(struct tendon__tls_context *context);
    /* A session over a connected non-blocking `fd` to the logical `host`:`port`. */
    tendon_status (*session_open)(struct tendon__tls_context *context, int fd, const char *host,
                                  uint16_t port, struct tendon__tls_session **out,
                                  struct tendon__fault *fault);
    /* 1 done, 0 with *want, or a TENDON_ERROR_TLS*; *resumed on 1. */
    int (*handshake)(struct tendon__tls_session *session, uint32_t *want, bool *resumed,
                     struct tendon__fault *fault);
    /* As tendon__transport_read and _write. */
    ssize_t (*read)(struct tendon__tls_session *session, void *out, size_t size, uint32_t *want,
                    struct tendon__fault *fault);
    ssize_t (*write)(struct tendon__tls_session *session, const void *bytes, size_t size,
                     uint32_t *want, struct tendon__fault *fault);
    /* Frees; tells the peer first unless abrupt. */
    void (*session_close)(struct tendon__tls_session *session, bool abrupt);
};

/* The backend this build was configured with; NULL with -Dtls=none. */
const struct tendon__tls_backend *tendon__tls_backend(void);
/* Bytes that read would find without waiting, though the socket may not be readable. */
bool tendon__tls_buffered(const struct tendon__tls_session *session);

/*
 * For a thread that moves the bytes itself, while others may use the session. seal encrypts all of
 * `bytes` into `out` instead of sending them, and says how much that is; with
 * TENDON__TLS_SEAL_BYTES more room it succeeds unless the session is over: 0, and the next write
 * says why. feed hands over what was received; read takes it before it asks the socket. It must
 * stay where it is until fed is false or the session closed.
 */
#define TENDON__TLS_SEAL_BYTES                                                                     \
    1024 /* a record's head and padding, and an answer to a key update                             \
          */
size_t tendon__tls_seal(struct tendon__tls_session *session, const void *bytes, size_t size,
                        void *out, size_t room);
void tendon__tls_feed(struct tendon__tls_session *session, const void *bytes, size_t size);
bool tendon__tls_fed(const struct tendon__tls_session *session);
/* Tells the peer that nothing more comes; the session is closed later. */
void tendon__tls_take_leave(struct tendon__tls_session *session);
/* The last call of a thread of the client's own: what the backend keeps of it is given back now,
 * not at its very end, where a fork would find a lock taken. */
void tendon__tls_thread_ends(void);

#endif
