/* The TLS context of a client and its policy: what it agrees to speak. Whom it trusts is in
 * openssl_trust.c, its own certificate in openssl_identity.c. */
#include <string.h>

#include <openssl/err.h>

#include "net/tls/openssl_parts.h"

/* ECDHE for forward secrecy, AEAD against padding oracles; TLS 1.3 has nothing else anyway. */
#define CIPHERS                                                                                    \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"                                   \
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"                                   \
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
#define GROUPS "X25519:P-256:P-384"

static bool given(const char *text)
{
    return text && *text;
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
        status = tendon__openssl_trust_load(context->ssl_ctx, options, fault);
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
