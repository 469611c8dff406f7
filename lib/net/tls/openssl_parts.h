/* What the files of the OpenSSL backend share; nobody else includes it. */
#ifndef TENDON_NET_TLS_OPENSSL_PARTS_H
#define TENDON_NET_TLS_OPENSSL_PARTS_H

#include <pthread.h>
#include <stdatomic.h>

#include <openssl/ssl.h>

#include "base/list.h"
#include "net/tls/tls.h"

/* Enough to show the first line of whatever answered instead of TLS. */
#define TENDON__TLS_FIRST_MAX 48

/* Counted: the owner holds one reference and each session one, so that certificates can be replaced
   while connections of the old context go on. */
struct tendon__tls_context {
    struct tendon__memory *memory;
    SSL_CTX *ssl_ctx;
    BIO_METHOD *bio_method;
    atomic_uint references;
    bool verifies_host;
    bool resumes;
    bool has_certificate;
    char server_name[TENDON__FAULT_NODE_MAX]; /* "" unless overridden */
    pthread_mutex_t lock;                     /* of the two below */
    struct tendon__link tickets;              /* most recently used first */
    uint32_t ticket_count;
};

struct tendon__tls_session {
    struct tendon__tls_context *context;
    SSL *ssl;
    int fd;
    uint16_t port;
    bool is_up;         /* the handshake is done */
    bool is_broken;     /* OpenSSL allows nothing but freeing */
    bool is_starved;    /* the last read used up every complete record */
    bool is_flooded;    /* the last recv filled all the room it had: there may be more */
    bool write_pending; /* a record is half sent */
    bool peer_ended;    /* FIN, seen by our BIO */
    int reset_number;   /* errno of a write that met a reset connection; told by the next read */
    int error_number;   /* errno of the last call of our BIO, 0 when it was none */
    int refusal_status; /* TENDON_OK, or why the certificate was refused, with the text below */
    char refusal[TENDON__FAULT_TEXT_MAX];
    char name[TENDON__FAULT_NODE_MAX]; /* that is verified */
    unsigned char *sealed;             /* where records go instead of into the socket; else NULL */
    size_t sealed_room;
    size_t sealed_size;
    const unsigned char *fed; /* what was received by somebody else */
    size_t fed_size;
    size_t first_size;
    unsigned char first[TENDON__TLS_FIRST_MAX]; /* the first bytes the peer sent */
};

/* openssl_context.c */
tendon_status tendon__openssl_context_create(struct tendon__memory *memory,
                                             const struct tendon__tls_options *options,
                                             struct tendon__tls_context **out,
                                             struct tendon__fault *fault);
void tendon__openssl_context_unref(struct tendon__tls_context *context);

/* openssl_trust.c: whom the client trusts. */
tendon_status tendon__openssl_trust_load(SSL_CTX *ssl_ctx,
                                         const struct tendon__tls_options *options,
                                         struct tendon__fault *fault);

/* openssl_identity.c: the client's own certificate and key, if there are any. */
tendon_status tendon__openssl_identity_load(struct tendon__tls_context *context,
                                            const struct tendon__tls_options *options,
                                            struct tendon__fault *fault);

/* openssl_bio.c: the socket as OpenSSL sees it, without SIGPIPE. */
BIO_METHOD *tendon__openssl_bio_method(void);
bool tendon__openssl_bio_attach(struct tendon__tls_session *session);

/* openssl_tickets.c: sessions to resume, by name and port. */
int tendon__openssl_ticket_keep(SSL *ssl, SSL_SESSION *ticket); /* OpenSSL's new-session callback */
void tendon__openssl_ticket_offer(struct tendon__tls_session *session);
void tendon__openssl_ticket_drop(struct tendon__tls_session *session);
void tendon__openssl_tickets_deinit(struct tendon__tls_context *context);

/* openssl_fault.c: words for what went wrong. */
int tendon__openssl_verify(int accepted, X509_STORE_CTX *store); /* OpenSSL's verify callback */
/* The newest reason in OpenSSL's queue. */
const char *tendon__openssl_reason(void);
bool tendon__openssl_not_tls(const struct tendon__tls_session *session);
/* Both fill the fault and return its status: of a handshake, and of a session that was up. */
tendon_status tendon__openssl_handshake_failed(const struct tendon__tls_session *session,
                                               struct tendon__fault *fault);
tendon_status tendon__openssl_stream_failed(const struct tendon__tls_session *session,
                                            struct tendon__fault *fault);

#endif
