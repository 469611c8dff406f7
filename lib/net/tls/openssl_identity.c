/* What a client shows of itself: its certificate, those between it and its authority, and the key,
 * each from a file or from text. A fault names the option and never quotes the text. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "net/errno_text.h"
#include "net/tls/openssl_parts.h"

/* Where a certificate or a key comes from. */
struct source {
    const char *option;
    const char *text; /* a path, or the PEM text itself; "" or NULL: not given */
    bool is_path;
};

/* What the password callback is told and says. */
struct password {
    const char *text;
    bool was_asked;
};

static bool given(const struct source *source)
{
    return source->text && *source->text;
}

static struct source choose(struct source first, struct source second)
{
    return given(&first) ? first : second;
}

static tendon_status refuse(const struct source *source, const char *reason,
                            struct tendon__fault *fault)
{
    if (source->is_path)
        return tendon__fault_set(fault, TENDON_ERROR_TLS_CONFIG, "%s '%s' cannot be used: %s",
                                 source->option, source->text, reason);
    return tendon__fault_set(fault, TENDON_ERROR_TLS_CONFIG, "%s cannot be used: %s",
                             source->option, reason);
}

/* We open files ourselves, because OpenSSL's report of a missing one does not say so. */
static tendon_status open_source(const struct source *source, BIO **out,
                                 struct tendon__fault *fault)
{
    char buffer[TENDON__ERRNO_TEXT_MAX];
    FILE *file = NULL;
    if (source->is_path) {
        file = fopen(source->text, "re");
        if (!file)
            return refuse(source, tendon__errno_text(errno, buffer), fault);
    }
    BIO *bio = file ? BIO_new_fp(file, BIO_CLOSE) : BIO_new_mem_buf(source->text, -1);
    if (bio) {
        *out = bio;
        return TENDON_OK;
    }
    if (file)
        fclose(file);
    return refuse(source, tendon__openssl_reason(), fault);
}

/* Always given, because without one OpenSSL asks on the terminal. */
static int give_password(char *out, int size, int for_writing, void *context)
{
    struct password *password = context;
    (void)for_writing;
    password->was_asked = true;
    size_t length = password->text ? strlen(password->text) : 0;
    if (length == 0 || length > (size_t)size)
        return -1;
    memcpy(out, password->text, length);
    return (int)length;
}

/* The client's own certificate comes first, then those that lead to its authority. */
static bool read_chain(SSL_CTX *ssl_ctx, BIO *bio)
{
    struct password none = {.text = NULL};
    X509 *certificate = PEM_read_bio_X509_AUX(bio, NULL, give_password, &none);
    bool is_good = certificate && SSL_CTX_use_certificate(ssl_ctx, certificate) == 1;
    X509_free(certificate);
    while (is_good) {
        certificate = PEM_read_bio_X509(bio, NULL, give_password, &none);
        if (!certificate)
            break;
        is_good = SSL_CTX_add0_chain_cert(ssl_ctx, certificate) == 1;
        if (!is_good)
            X509_free(certificate);
    }
    /* The end of the text is reported as a missing start line; anything else is damage. */
    if (!is_good || ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        return false;
    ERR_clear_error();
    return true;
}

static tendon_status load_chain(SSL_CTX *ssl_ctx, const struct source *source,
                                struct tendon__fault *fault)
{
    BIO *bio = NULL;
    tendon_status status = open_source(source, &bio, fault);
    if (status != TENDON_OK)
        return status;
    bool is_loaded = read_chain(ssl_ctx, bio);
    BIO_free(bio);
    if (is_loaded)
        return TENDON_OK;
    if (ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE)
        return refuse(source, "it holds no certificate in PEM form, with line breaks", fault);
    return refuse(source, tendon__openssl_reason(), fault);
}

static tendon_status refuse_key(const struct source *source, const struct password *password,
                                struct tendon__fault *fault)
{
    bool has_password = password->text && *password->text;
    if (password->was_asked)
        return refuse(source,
                      has_password ? "tls_key_password is wrong"
                                   : "the key is encrypted; set tls_key_password",
                      fault);
    if (ERR_GET_REASON(ERR_peek_last_error()) == ERR_R_UNSUPPORTED)
        return refuse(source,
                      "it holds no private key in PEM form, with line breaks, or a damaged "
                      "one",
                      fault);
    return refuse(source, tendon__openssl_reason(), fault);
}

/* The certificate must be in `ssl_ctx`, because the key is compared with it. */
static tendon_status load_key(SSL_CTX *ssl_ctx, const struct source *source,
                              const struct source *certificate, const char *password_text,
                              struct tendon__fault *fault)
{
    BIO *bio = NULL;
    struct password password = {.text = password_text};
    tendon_status status = open_source(source, &bio, fault);
    if (status != TENDON_OK)
        return status;
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, give_password, &password);
    BIO_free(bio);
    if (!key)
        return refuse_key(source, &password, fault);
    bool is_used = SSL_CTX_use_PrivateKey(ssl_ctx, key) == 1;
    bool is_matching = is_used && SSL_CTX_check_private_key(ssl_ctx) == 1;
    EVP_PKEY_free(key);
    if (is_matching)
        return TENDON_OK;
    int reason = ERR_GET_REASON(ERR_peek_last_error());
    if (!is_used && reason != X509_R_KEY_VALUES_MISMATCH && reason != X509_R_KEY_TYPE_MISMATCH)
        return refuse(source, tendon__openssl_reason(), fault);
    char text[64];
    snprintf(text, sizeof text, "the key does not belong to %s", certificate->option);
    return refuse(source, text, fault);
}

tendon_status tendon__openssl_identity_load(struct tendon__tls_context *context,
                                            const struct tendon__tls_options *options,
                                            struct tendon__fault *fault)
{
    struct source certificate = choose((struct source){"tls_cert_file", options->cert_file, true},
                                       (struct source){"tls_cert_pem", options->cert_pem, false});
    struct source key = choose((struct source){"tls_key_file", options->key_file, true},
                               (struct source){"tls_key_pem", options->key_pem, false});
    context->has_certificate = given(&certificate);
    if (!given(&certificate) && !given(&key))
        return TENDON_OK;
    if (!given(&certificate))
        return refuse(&key, "it needs its certificate in tls_cert_file or tls_cert_pem", fault);
    ERR_clear_error(); /* the last reason must be one of ours */
    tendon_status status = load_chain(context->ssl_ctx, &certificate, fault);
    if (status != TENDON_OK)
        return status;
    /* One file often holds both. */
    struct source *holder = given(&key) ? &key : &certificate;
    return load_key(context->ssl_ctx, holder, &certificate, options->key_password, fault);
}
