/* Trust and policy of a client: what can be wrong before a connection is made, except for its own
 * certificate. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "net/errno_text.h"
#include "net/tls/openssl_parts.h"

/* ECDHE for forward secrecy, AEAD against padding oracles; TLS 1.3 has nothing else anyway. */
#define CIPHERS                                                                                    \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"                                   \
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"                                   \
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
#define GROUPS "X25519:P-256:P-384"

/* Where systems keep their bundle. A statically linked OpenSSL knows only the place of the machine
 * it was built on. */
static const char *const system_bundles[] = {
    "/etc/ssl/certs/ca-certificates.crt",                /* Debian, Alpine */
    "/etc/pki/tls/certs/ca-bundle.crt",                  /* Amazon Linux, Fedora */
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* Red Hat */
    "/etc/ssl/ca-bundle.pem",                            /* SUSE */
    "/etc/ssl/cert.pem",                                 /* BSD, macOS */
};

static bool given(const char *text)
{
    return text && *text;
}

static tendon_status bad_file(struct tendon__fault *fault, const char *option, const char *path,
                              const char *reason)
{
    return tendon__fault_set(fault, TENDON_ERROR_TLS_CONFIG, "%s '%s' cannot be used: %s", option,
                             path, reason);
}

/* OpenSSL's own report of a missing file is three errors long and does not say "no such file". */
static tendon_status check_file(const char *option, const char *path, struct tendon__fault *fault)
{
    char buffer[TENDON__ERRNO_TEXT_MAX];
    FILE *file = fopen(path, "re");
    if (!file)
        return bad_file(fault, option, path, tendon__errno_text(errno, buffer));
    fclose(file);
    return TENDON_OK;
}

static tendon_status check_directory(const char *option, const char *path,
                                     struct tendon__fault *fault)
{
    char buffer[TENDON__ERRNO_TEXT_MAX];
    DIR *directory = opendir(path);
    if (!directory)
        return bad_file(fault, option, path, tendon__errno_text(errno, buffer));
    closedir(directory);
    return TENDON_OK;
}

static tendon_status load_pem(SSL_CTX *ssl_ctx, const char *pem, struct tendon__fault *fault)
{
    X509_STORE *store = SSL_CTX_get_cert_store(ssl_ctx);
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *certificate = NULL;
    int count = 0;
    bool is_good = bio != NULL;
    while (is_good && (certificate = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL)) != NULL) {
        is_good = X509_STORE_add_cert(store, certificate) == 1;
        X509_free(certificate);
        count++;
    }
    BIO_free(bio);
    /* The end of the text is reported as a missing start line; anything else is damage. */
    bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    if (is_good && count > 0 && at_end) {
        ERR_clear_error();
        return TENDON_OK;
    }
    return tendon__fault_set(fault, TENDON_ERROR_TLS_CONFIG,
                             "certificate %d of tls_ca_pem cannot be used: %s", count + 1,
                             tendon__openssl_reason());
}

static tendon_status load_system(SSL_CTX *ssl_ctx, struct tendon__fault *fault)
{
    if (SSL_CTX_set_default_verify_paths(ssl_ctx) != 1)
        return tendon__fault_set(fault, TENDON_ERROR_TLS_CONFIG,
                                 "the system's CA store cannot be used: %s; set tls_ca_file",
                                 tendon__openssl_reason());
    if (access(X509_get_default_cert_file(), R_OK) == 0 ||
        access(X509_get_default_cert_dir(), R_OK) == 0)
        return TENDON_OK;
    for (size_t i = 0; i < sizeof system_bundles / sizeof *system_bundles; i++)
        if (access(system_bundles[i], R_OK) == 0 &&
            SSL_CTX_load_verify_file(ssl_ctx, system_bundles[i]) == 1)
            return TENDON_OK;
    ERR_clear_error();
    return TENDON_OK; /* SSL_CERT_FILE may have named one; the handshake tells */
}

static tendon_status load_trust(SSL_CTX *ssl_ctx, const struct tendon__tls_options *options,
                                struct tendon__fault *fault)
{
    tendon_status status = TENDON_OK;
    if (given(options->ca_file)) {
        status = check_file("tls_ca_file", options->ca_file, fault);
        if (status == TENDON_OK && SSL_CTX_load_verify_file(ssl_ctx, options->ca_file) != 1)
            status = bad_file(fault, "tls_ca_file", options->ca_file, tendon__openssl_reason());
    }
    if (status == TENDON_OK && given(options->ca_dir)) {
        status = check_directory("tls_ca_dir", options->ca_dir, fault);
        if (status == TENDON_OK && SSL_CTX_load_verify_dir(ssl_ctx, options->ca_dir) != 1)
            status = bad_file(fault, "tls_ca_dir", options->ca_dir, tendon__openssl_reason());
    }
    if (status == TENDON_OK && given(options->ca_pem))
        status = load_pem(ssl_ctx, options->ca_pem, fault);
    if (status == TENDON_OK && options->system_ca)
        status = load_system(ssl_ctx, fault);
    if (status != TENDON_OK)
        return status;
    bool has_any = given(options->ca_file) || given(options->ca_dir) || given(options->ca_pem) ||
                   options->system_ca || options->insecure_skip_verify;
    return has_any ? TENDON_OK
                   : tendon__fault_set(fault, TENDON_ERROR_TLS_CONFIG,
                                       "no CA to trust: set tls_ca_file, tls_ca_dir or tls_ca_pem, "
                                       "or let tls_system_ca be auto");
}

static tendon_status set_policy(SSL_CTX *ssl_ctx, const struct tendon__tls_options *options,
                                struct tendon__fault *fault)
{
    SSL_CTX_set_options(ssl_ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(ssl_ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    /* One recv per record instead of one for its head and one for its body. */
    SSL_CTX_set_read_ahead(ssl_ctx, 1);
    int least = options->min_version_13 ? TLS1_3_VERSION : TLS1_2_VERSION;
    if (SSL_CTX_set_min_proto_version(ssl_ctx, least) != 1 ||
        SSL_CTX_set1_groups_list(ssl_ctx, GROUPS) != 1)
        return tendon__fault_set(fault, TENDON_ERROR_TLS_CONFIG, "OpenSSL refuses our policy: %s",
                                 tendon__openssl_reason());
    const char *ciphers = given(options->ciphers) ? options->ciphers : CIPHERS;
    if (SSL_CTX_set_cipher_list(ssl_ctx, ciphers) != 1)
        return tendon__fault_set(fault, TENDON_ERROR_TLS_CONFIG, "tls_ciphers '%s' is refused: %s",
                                 ciphers, tendon__openssl_reason());
    SSL_CTX_set_verify(ssl_ctx, options->insecure_skip_verify ? SSL_VERIFY_NONE : SSL_VERIFY_PEER,
                       options->insecure_skip_verify ? NULL : tendon__openssl_verify);
    if (options->resumption) {
        SSL_CTX_set_session_cache_mode(ssl_ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(ssl_ctx, tendon__openssl_ticket_keep);
    } else {
        SSL_CTX_set_session_cache_mode(ssl_ctx, SSL_SESS_CACHE_OFF);
    }
    return TENDON_OK;
}

static tendon_status fill(struct tendon__tls_context *context,
                          const struct tendon__tls_options *options, struct tendon__fault *fault)
{
    const char *name = given(options->server_name) ? options->server_name : "";
    if (strlen(name) >= sizeof context->server_name)
        return tendon__fault_set(fault, TENDON_ERROR_TLS_CONFIG,
                                 "tls_server_name is longer than a name can be");
    memcpy(context->server_name, name, strlen(name) + 1);
    context->verifies_host = !options->insecure_skip_verify && !options->insecure_skip_hostname;
    context->resumes = options->resumption;
    context->bio_method = tendon__openssl_bio_method();
    context->ssl_ctx = SSL_CTX_new(TLS_client_method());
    if (!context->bio_method || !context->ssl_ctx)
        return tendon__fault_set(fault, TENDON_ERROR_TLS_CONFIG, "OpenSSL cannot start: %s",
                                 tendon__openssl_reason());
    tendon_status status = set_policy(context->ssl_ctx, options, fault);
    if (status == TENDON_OK)
        status = load_trust(context->ssl_ctx, options, fault);
    if (status == TENDON_OK)
        status = tendon__openssl_identity_load(context, options, fault);
    return status;
}

tendon_status tendon__openssl_context_create(struct tendon__memory *memory,
                                             const struct tendon__tls_options *options,
                                             struct tendon__tls_context **out,
                                             struct tendon__fault *fault)
{
    /* Without this, OpenSSL cleans up in an exit handler while threads of the host may still be
     * using it. */
    if (OPENSSL_init_ssl(OPENSSL_INIT_NO_ATEXIT, NULL) != 1)
        return tendon__fault_set(fault, TENDON_ERROR_TLS_CONFIG, "OpenSSL cannot be initialised");
    struct tendon__tls_context *context = tendon__memory_make(memory, sizeof *context);
    if (!context)
        return tendon__fault_set(fault, TENDON_ERROR_NO_MEMORY, "out of memory for TLS");
    context->memory = memory;
    atomic_init(&context->references, 1);
    tendon__list_init(&context->tickets);
    if (pthread_mutex_init(&context->lock, NULL) != 0) {
        tendon__memory_free(memory, context);
        return tendon__fault_set(fault, TENDON_ERROR_SYSTEM, "the system has no mutex left");
    }
    ERR_clear_error();
    tendon_status status = fill(context, options, fault);
    ERR_clear_error();
    if (status != TENDON_OK) {
        tendon__openssl_context_unref(context);
        return status;
    }
    *out = context;
    return TENDON_OK;
}

void tendon__openssl_context_unref(struct tendon__tls_context *context)
{
    if (!context || atomic_fetch_sub(&context->references, 1) != 1)
        return;
    tendon__openssl_tickets_deinit(context);
    SSL_CTX_free(context->ssl_ctx);
    BIO_meth_free(context->bio_method);
    pthread_mutex_destroy(&context->lock);
    tendon__memory_free(context->memory, context);
}
