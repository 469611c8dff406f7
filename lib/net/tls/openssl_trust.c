/* Whom a client trusts: certificates of a file, of a text, of the system and of directories. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "net/errno_text.h"
#include "net/tls/openssl_anchors.h"
#include "net/tls/openssl_parts.h"

/* Where systems keep their bundle. A statically linked OpenSSL knows only the place of the machine
 * it was built on. */
static const char *const system_bundles[] = {
    "/etc/ssl/certs/ca-certificates.crt",                /* Debian, Alpine */
    "/etc/pki/tls/certs/ca-bundle.crt",                  /* Amazon Linux, Fedora */
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* Red Hat */
    "/etc/ssl/ca-bundle.pem",                            /* SUSE */
    "/etc/ssl/cert.pem",                                 /* BSD, macOS */
};

/* What is found on the way, until the store gets it. */
struct trust {
    unsigned count;
    struct tendon__anchors *list[TENDON__ANCHORS_MAX];
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

static bool read_pem(X509_STORE *store, const char *pem, int *out_count)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *certificate = NULL;
    bool is_good = bio != NULL;
    *out_count = 0;
    while (is_good && (certificate = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL)) != NULL) {
        is_good = X509_STORE_add_cert(store, certificate) == 1;
        X509_free(certificate);
        ++*out_count;
    }
    BIO_free(bio);
    /* The end of the text is reported as a missing start line; anything else is damage. */
    return is_good && *out_count > 0 &&
           ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
}

static tendon_status load_pem(struct trust *trust, const char *pem, struct tendon__fault *fault)
{
    int count = 0;
    X509_STORE *store = X509_STORE_new();
    struct tendon__anchors *anchors = NULL;
    if (store && read_pem(store, pem, &count)) {
        ERR_clear_error();
        anchors = tendon__anchors_store(store);
    }
    X509_STORE_free(store);
    if (!anchors)
        return tendon__fault_set(fault, TENDON_ERROR_TLS_CONFIG,
                                 "certificate %d of tls_ca_pem cannot be used: %s", count + 1,
                                 tendon__openssl_reason());
    trust->list[trust->count++] = anchors;
    return TENDON_OK;
}

static tendon_status load_file(struct trust *trust, const char *path, struct tendon__fault *fault)
{
    tendon_status status = check_file("tls_ca_file", path, fault);
    if (status != TENDON_OK)
        return status;
    struct tendon__anchors *anchors = tendon__anchors_file(path);
    if (!anchors)
        return bad_file(fault, "tls_ca_file", path, tendon__openssl_reason());
    trust->list[trust->count++] = anchors;
    return TENDON_OK;
}

/* A bundle that is missing or damaged is no fault: the handshake tells. */
static bool load_bundle(struct trust *trust, const char *path)
{
    struct tendon__anchors *anchors = access(path, R_OK) == 0 ? tendon__anchors_file(path) : NULL;
    ERR_clear_error();
    if (anchors)
        trust->list[trust->count++] = anchors;
    return anchors != NULL;
}

static void load_system_bundle(struct trust *trust)
{
    if (load_bundle(trust, tendon__anchors_system_path()))
        return;
    if (access(X509_get_default_cert_file(), R_OK) == 0 ||
        access(X509_get_default_cert_dir(), R_OK) == 0)
        return;
    for (size_t i = 0; i < sizeof system_bundles / sizeof *system_bundles; i++)
        if (load_bundle(trust, system_bundles[i]))
            return;
    /* SSL_CERT_DIR may have named one; the handshake tells. */
}

static tendon_status gather(const struct tendon__tls_options *options, struct trust *trust,
                            struct tendon__fault *fault)
{
    tendon_status status = TENDON_OK;
    if (given(options->ca_file))
        status = load_file(trust, options->ca_file, fault);
    if (status == TENDON_OK && given(options->ca_pem))
        status = load_pem(trust, options->ca_pem, fault);
    if (status == TENDON_OK && options->system_ca)
        load_system_bundle(trust);
    return status;
}

/* What OpenSSL looks for in the file system during a handshake. With the bundle, these are the
 * places of SSL_CTX_set_default_verify_paths. */
static tendon_status add_directories(SSL_CTX *ssl_ctx, const struct tendon__tls_options *options,
                                     struct tendon__fault *fault)
{
    tendon_status status = TENDON_OK;
    if (given(options->ca_dir))
        status = check_directory("tls_ca_dir", options->ca_dir, fault);
    if (status == TENDON_OK && given(options->ca_dir) &&
        SSL_CTX_load_verify_dir(ssl_ctx, options->ca_dir) != 1)
        status = bad_file(fault, "tls_ca_dir", options->ca_dir, tendon__openssl_reason());
    if (status == TENDON_OK && options->system_ca &&
        (SSL_CTX_set_default_verify_dir(ssl_ctx) != 1 ||
         SSL_CTX_set_default_verify_store(ssl_ctx) != 1))
        status = tendon__fault_set(fault, TENDON_ERROR_TLS_CONFIG,
                                   "the system's CA store cannot be used: %s; set tls_ca_file",
                                   tendon__openssl_reason());
    return status;
}

tendon_status tendon__openssl_trust_load(SSL_CTX *ssl_ctx,
                                         const struct tendon__tls_options *options,
                                         struct tendon__fault *fault)
{
    struct trust trust = {.count = 0};
    tendon_status status = gather(options, &trust, fault);
    if (status != TENDON_OK) {
        for (unsigned i = 0; i < trust.count; i++)
            tendon__anchors_unref(trust.list[i]);
        return status;
    }
    /* OpenSSL asks in the order in which it was told: a directory that is read first costs more
     * than the rest of a handshake. */
    if (trust.count &&
        !tendon__anchors_serve(SSL_CTX_get_cert_store(ssl_ctx), trust.list, trust.count))
        return tendon__fault_set(fault, TENDON_ERROR_NO_MEMORY, "out of memory for TLS");
    status = add_directories(ssl_ctx, options, fault);
    if (status != TENDON_OK)
        return status;
    bool has_any = given(options->ca_file) || given(options->ca_dir) || given(options->ca_pem) ||
                   options->system_ca || options->insecure_skip_verify;
    return has_any ? TENDON_OK
                   : tendon__fault_set(fault, TENDON_ERROR_TLS_CONFIG,
                                       "no CA to trust: set tls_ca_file, tls_ca_dir or tls_ca_pem, "
                                       "or let tls_system_ca be auto");
}
