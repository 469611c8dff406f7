/* Words for what went wrong in TLS: the cause in the library's terms, and what a person can do
 * about it. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "net/errno_text.h"
#include "net/tls/openssl_parts.h"

#define SUBJECT_MAX 128
#define NAMES_MAX   160
#define TIME_MAX    48

const char *tendon__openssl_reason(void)
{
    unsigned long code = ERR_peek_last_error();
    if (!code)
        return "no reason given";
    const char *text = ERR_reason_error_string(code);
    return text ? text : "an error of the system";
}

/* The peer chose these bytes; only what is safe on a terminal is shown. */
static void append(char *out, size_t size, const char *kind, const void *bytes, size_t count)
{
    size_t length = strlen(out);
    int added = snprintf(out + length, size - length, "%s%s", length ? ", " : "", kind);
    if (added < 0 || (size_t)added >= size - length)
        return;
    length += (size_t)added;
    for (size_t i = 0; i < count && length + 1 < size; i++) {
        unsigned char byte = ((const unsigned char *)bytes)[i];
        out[length++] = (char)(byte > ' ' - 1 && byte < 0x7f ? byte : '?');
    }
    out[length] = '\0';
}

static void bio_text(BIO *bio, char *out, size_t size)
{
    int count = bio ? BIO_read(bio, out, (int)size - 1) : 0;
    out[count > 0 ? count : 0] = '\0';
    BIO_free(bio);
}

static void subject_text(X509 *certificate, char out[SUBJECT_MAX])
{
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio)
        X509_NAME_print_ex(bio, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
    bio_text(bio, out, SUBJECT_MAX);
}

static void time_text(const ASN1_TIME *time, char out[TIME_MAX])
{
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio)
        ASN1_TIME_print(bio, time);
    bio_text(bio, out, TIME_MAX);
}

static void append_name(const GENERAL_NAME *name, char out[NAMES_MAX])
{
    char text[INET6_ADDRSTRLEN];
    if (name->type == GEN_DNS) {
        append(out, NAMES_MAX, "", ASN1_STRING_get0_data(name->d.dNSName),
               (size_t)ASN1_STRING_length(name->d.dNSName));
    } else if (name->type == GEN_IPADD) {
        int family = ASN1_STRING_length(name->d.iPAddress) == 4 ? AF_INET : AF_INET6;
        bool is_whole = family == AF_INET || ASN1_STRING_length(name->d.iPAddress) == 16;
        if (is_whole &&
            inet_ntop(family, ASN1_STRING_get0_data(name->d.iPAddress), text, sizeof text))
            append(out, NAMES_MAX, "address ", text, strlen(text));
    }
}

/* Whom a certificate is for: its alternative names, or its subject when it has none. */
static void names_text(X509 *certificate, char out[NAMES_MAX])
{
    out[0] = '\0';
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
        append_name(sk_GENERAL_NAME_value(names, i), out);
    GENERAL_NAMES_free(names);
    char subject[SUBJECT_MAX];
    if (out[0])
        return;
    subject_text(certificate, subject);
    append(out, NAMES_MAX, "", subject, strlen(subject));
}

static bool is_untrusted(int error)
{
    return error == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT ||
           error == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN ||
           error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT ||
           error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
           error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE ||
           error == X509_V_ERR_CERT_UNTRUSTED;
}

static void describe_refusal(struct tendon__tls_session *session, X509 *certificate, int error)
{
    char subject[SUBJECT_MAX];
    char time[TIME_MAX];
    char *out = session->refusal;
    size_t size = sizeof session->refusal;
    const char *reason = X509_verify_cert_error_string(error);
    subject_text(certificate, subject);
    if (error == X509_V_ERR_CERT_HAS_EXPIRED) {
        time_text(X509_get0_notAfter(certificate), time);
        snprintf(out, size,
                 "the server's certificate '%s' expired on %s; renew it, or check this "
                 "machine's clock",
                 subject, time);
    } else if (error == X509_V_ERR_CERT_NOT_YET_VALID) {
        time_text(X509_get0_notBefore(certificate), time);
        snprintf(out, size,
                 "the server's certificate '%s' is not valid before %s; check the clocks "
                 "of both machines",
                 subject, time);
    } else if (is_untrusted(error)) {
        snprintf(out, size,
                 "the server's certificate is not trusted: %s ('%s'); set tls_ca_file to "
                 "the CA that issued it",
                 reason, subject);
    } else {
        snprintf(out, size, "the server's certificate '%s' was refused: %s", subject, reason);
    }
}

int tendon__openssl_verify(int accepted, X509_STORE_CTX *store)
{
    if (accepted)
        return 1;
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tendon__tls_session *session = SSL_get_app_data(ssl);
    X509 *certificate = X509_STORE_CTX_get_current_cert(store);
    int error = X509_STORE_CTX_get_error(store);
    bool is_name = error == X509_V_ERR_HOSTNAME_MISMATCH || error == X509_V_ERR_IP_ADDRESS_MISMATCH;
    session->refusal_status = is_name ? TENDON_ERROR_TLS_HOSTNAME : TENDON_ERROR_TLS_CERTIFICATE;
    if (!certificate) {
        snprintf(session->refusal, sizeof session->refusal,
                 "the server's certificate was refused: %s", X509_verify_cert_error_string(error));
    } else if (is_name) {
        char names[NAMES_MAX];
        names_text(certificate, names);
        snprintf(
            session->refusal, sizeof session->refusal,
            "the server's certificate is not for '%.100s' but for %s; connect by that name or set "
            "tls_server_name",
            session->name, names);
    } else {
        describe_refusal(session, certificate, error);
    }
    return 0;
}

/* Every TLS stream begins with an alert or a handshake record; 20 and 23 are the other two kinds
 * there are. */
bool tendon__openssl_not_tls(const struct tendon__tls_session *session)
{
    return session->first_size > 0 && (session->first[0] < 20 || session->first[0] > 23);
}

/* Reasons that a person can act on; for the others the library's own words must do. */
static const char *hint(const struct tendon__tls_session *session, int reason)
{
    bool has_certificate = session->context->has_certificate;
    switch (reason) {
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
        return "; the server wants a client certificate: set tls_cert_file and tls_key_file, or "
               "tls_cert_pem and tls_key_pem";
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
        return has_certificate
                   ? "; the server shares no cipher with us or refused the client certificate"
                   : "; the server shares no cipher with us or wants a client certificate";
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_TLSV1_ALERT_DECRYPT_ERROR:
        return "; the server refused our client certificate: check tls_cert_file or "
               "tls_cert_pem";
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
    case SSL_R_UNSUPPORTED_PROTOCOL:
        return "; the server speaks other TLS versions: check tls_min_version and the server";
    case SSL_R_TLSV1_UNRECOGNIZED_NAME:
        return "; the server does not know the name we sent: check the host or tls_server_name";
    default:
        return "";
    }
}

tendon_status tendon__openssl_handshake_failed(const struct tendon__tls_session *session,
                                               struct tendon__fault *fault)
{
    char buffer[TENDON__ERRNO_TEXT_MAX];
    const char *name = session->name;
    unsigned port = session->port;
    if (session->refusal_status != TENDON_OK)
        return tendon__fault_set(fault, session->refusal_status, "%s", session->refusal);
    if (tendon__openssl_not_tls(session)) {
        char answer[TENDON__TLS_FIRST_MAX + 1] = "";
        append(answer, sizeof answer, "", session->first, session->first_size);
        return tendon__fault_set(fault, TENDON_ERROR_TLS,
                                 "the port does not speak TLS: %.200s:%u answered \"%s\"; use "
                                 "redis:// or the TLS port",
                                 name, port, answer);
    }
    if (session->error_number == ECONNRESET || session->error_number == EPIPE ||
        (session->peer_ended && session->error_number == 0))
        return tendon__fault_set(
            fault, TENDON_ERROR_TLS,
            "%.200s:%u %s the connection during the TLS handshake; the port may "
            "not speak TLS, or the server is at maxclients",
            name, port, session->error_number ? "reset" : "closed");
    if (session->error_number)
        return tendon__fault_set(fault, TENDON_ERROR_TLS,
                                 "the TLS handshake with %.200s:%u failed: %s", name, port,
                                 tendon__errno_text(session->error_number, buffer));
    return tendon__fault_set(
        fault, TENDON_ERROR_TLS, "the TLS handshake with %.200s:%u failed: %s%s", name, port,
        tendon__openssl_reason(), hint(session, ERR_GET_REASON(ERR_peek_last_error())));
}

tendon_status tendon__openssl_stream_failed(const struct tendon__tls_session *session,
                                            struct tendon__fault *fault)
{
    char buffer[TENDON__ERRNO_TEXT_MAX];
    unsigned long code = ERR_peek_last_error();
    int error = session->error_number;
    if (error == ECONNRESET || error == EPIPE)
        return tendon__fault_set(fault, TENDON_ERROR_DISCONNECTED,
                                 "the server reset the TLS connection; it may have restarted or "
                                 "failed over");
    if (error == ETIMEDOUT)
        return tendon__fault_set(fault, TENDON_ERROR_DISCONNECTED,
                                 "the server's host stopped acknowledging data, so the system gave "
                                 "the connection up");
    if (error)
        return tendon__fault_set(fault, TENDON_ERROR_DISCONNECTED, "the TLS connection failed: %s",
                                 tendon__errno_text(error, buffer));
    if (session->peer_ended)
        return tendon__fault_set(
            fault, TENDON_ERROR_DISCONNECTED,
            "the connection ended without TLS close_notify; data may have been "
            "cut off");
    if (!code)
        return tendon__fault_set(fault, TENDON_ERROR_DISCONNECTED,
                                 "the TLS connection failed before and cannot be used");
    return tendon__fault_set(fault, TENDON_ERROR_TLS, "TLS failed: %s%s", tendon__openssl_reason(),
                             hint(session, ERR_GET_REASON(code)));
}
