/* A TLS server in the test's own process; nothing here is product code. */
#include "net_tls_server.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void run_in(const char *folder, const char *command)
{
    char line[2048];
    snprintf(line, sizeof line, "cd %s && { %s ; } >log 2>&1", folder, command);
    if (system(line) == 0)
        return;
    snprintf(line, sizeof line, "cat %s/log >&2", folder);
    cr_assert(system(line) == 0);
    cr_assert(false, "failed: %s", command);
}

void authority_make(const char *folder, const char *name)
{
    char line[1024];
    snprintf(
        line, sizeof line,
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3 -subj "
        "'/CN=Test CA %s' -keyout %s.key -out %s.crt",
        name, name, name);
    run_in(folder, line);
}

void certificates_open(char folder[32])
{
    snprintf(folder, 32, "/tmp/tendon-tls-XXXXXX");
    cr_assert(mkdtemp(folder));
    authority_make(folder, "ca");
}

void certificates_close(const char *folder)
{
    char line[64];
    snprintf(line, sizeof line, "rm -r %s", folder);
    cr_assert(system(line) == 0);
}

void certificate_make(const char *folder, const char *name, const char *issuer, const char *names,
                      int days)
{
    char line[1536];
    snprintf(
        line, sizeof line,
        "echo subjectAltName=%s >%s.ext && openssl req -newkey ec -pkeyopt "
        "ec_paramgen_curve:prime256v1 -nodes -subj /CN=%s -keyout %s.key -out %s.csr && openssl "
        "x509 -req "
        "-in %s.csr -CA %s.crt -CAkey %s.key -CAcreateserial -days %d -extfile %s.ext -out %s.crt",
        names, name, name, name, name, name, issuer, issuer, days, name, name);
    run_in(folder, line);
}

static void echo(struct tls_server *server, SSL *ssl)
{
    static char bytes[65536];
    int count;
    while ((count = SSL_read(ssl, bytes, sizeof bytes)) > 0) {
        if (server->mode == SERVE_UPDATE)
            SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED);
        if (SSL_write(ssl, bytes, count) != count)
            return;
    }
    if (SSL_get_error(ssl, count) != SSL_ERROR_ZERO_RETURN)
        return;
    server->goodbyes++;
    SSL_shutdown(ssl);
}

static void send_halves(struct tls_server *server, SSL *ssl, int fd)
{
    char *record = NULL;
    BIO *memory = BIO_new(BIO_s_mem());
    SSL_set0_wbio(ssl, memory);
    SSL_write(ssl, "hello", 5);
    size_t size = (size_t)BIO_get_mem_data(memory, &record);
    send(fd, record, size / 2, MSG_NOSIGNAL);
    while (!server->is_released)
        usleep(1000);
    send(fd, record + size / 2, size - size / 2, MSG_NOSIGNAL);
}

static void serve(int fd, void *context)
{
    struct tls_server *server = context;
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    /* OpenSSL's own socket BIO raises SIGPIPE here, in this thread, while the client under test
     * must not. */
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    SSL *ssl = SSL_new(server->ssl_ctx);
    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) == 1) {
        const char *sni = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
        snprintf(server->sni, sizeof server->sni, "%s", sni ? sni : "");
        server->version = SSL_version(ssl);
        server->resumptions += SSL_session_reused(ssl);
        server->handshakes++;
        if (server->mode == SERVE_ECHO || server->mode == SERVE_UPDATE)
            echo(server, ssl);
        else if (server->mode == SERVE_GOODBYE)
            SSL_shutdown(ssl);
        else if (server->mode == SERVE_TRUNCATE)
            SSL_write(ssl, "half", 4);
        else if (server->mode == SERVE_HALVES)
            send_halves(server, ssl, fd);
        else
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    }
    SSL_free(ssl);
    close(fd);
}

void tls_server_start(struct tls_server *server, const char *folder, const char *certificate,
                      int version, bool wants_client, enum serve_mode mode, int rounds)
{
    char path[96];
    memset(server, 0, sizeof *server);
    server->mode = mode;
    server->ssl_ctx = SSL_CTX_new(TLS_server_method());
    if (version) {
        SSL_CTX_set_min_proto_version(server->ssl_ctx, version);
        SSL_CTX_set_max_proto_version(server->ssl_ctx, version);
    }
    snprintf(path, sizeof path, "%s/%s.crt", folder, certificate);
    cr_assert(SSL_CTX_use_certificate_chain_file(server->ssl_ctx, path) == 1);
    snprintf(path, sizeof path, "%s/%s.key", folder, certificate);
    cr_assert(SSL_CTX_use_PrivateKey_file(server->ssl_ctx, path, SSL_FILETYPE_PEM) == 1);
    if (wants_client) {
        snprintf(path, sizeof path, "%s/ca.crt", folder);
        cr_assert(SSL_CTX_load_verify_locations(server->ssl_ctx, path, NULL) == 1);
        SSL_CTX_set_verify(server->ssl_ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                           NULL);
        SSL_CTX_set_session_id_context(server->ssl_ctx, (const unsigned char *)"test", 4);
    }
    peer_start(&server->peer, rounds, serve, server);
}

void tls_server_stop(struct tls_server *server)
{
    peer_stop(&server->peer);
    SSL_CTX_free(server->ssl_ctx);
}
