/* A TLS server in the test's own process, with certificates made by the openssl program in a
 * temporary folder. */
#ifndef TENDON_TESTS_NET_TLS_SERVER_H
#define TENDON_TESTS_NET_TLS_SERVER_H

#include <stdatomic.h>

#include <openssl/ssl.h>

#include "net_peer.h"

enum serve_mode {
    SERVE_ECHO,     /* until the client ends, then the TLS goodbye */
    SERVE_UPDATE,   /* echo with new keys, and a request for new ones of the client, each time */
    SERVE_GOODBYE,  /* the goodbye at once */
    SERVE_TRUNCATE, /* "half", then FIN without goodbye */
    SERVE_RESET,    /* RST after the handshake */
    SERVE_HALVES,   /* half a record, the rest when `is_released`, then FIN */
};

struct tls_server {
    struct peer peer;
    SSL_CTX *ssl_ctx;
    enum serve_mode mode;
    atomic_bool is_released;
    atomic_int handshakes;
    atomic_int resumptions;
    atomic_int goodbyes; /* close_notify received */
    int version;         /* of the last session */
    char sni[256];       /* of the last session, "" when none was sent */
};

/* A new folder with ca.crt and ca.key. */
void certificates_open(char folder[32]);
void certificates_close(const char *folder);
/* `name`.crt and `name`.key for the alternative names `names` ("DNS:a,IP:b"), signed by `issuer`.
 */
void certificate_make(const char *folder, const char *name, const char *issuer, const char *names,
                      int days);
/* Another CA, self-signed. */
void authority_make(const char *folder, const char *name);
/* Runs a shell command in `folder`. */
void run_in(const char *folder, const char *command);

/* Serves `rounds` connections with `certificate`; `version` 0 allows all; asks clients for one of
 * ca.crt. */
void tls_server_start(struct tls_server *server, const char *folder, const char *certificate,
                      int version, bool wants_client, enum serve_mode mode, int rounds);
void tls_server_stop(struct tls_server *server);

#endif
