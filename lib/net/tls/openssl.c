/* TLS by OpenSSL 3: the life of one session. Certificates and policy are in openssl_context.c. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "net/fork_gate.h"
#include "net/tls/openssl_parts.h"
#include "net/transport.h"

static const char *backend_version(void)
{
    return OpenSSL_version(OPENSSL_VERSION);
}

/* The name to verify: the override or the dialled one, without the root's dot or an interface's
 * name. */
static void choose_name(struct tendon__tls_session *session, const char *host)
{
    const char *override = session->context->server_name;
    snprintf(session->name, sizeof session->name, "%s", *override ? override : host);
    size_t length = strlen(session->name);
    char *zone = strchr(session->name, '%');
    if (zone)
        *zone = '\0';
    else if (length > 1 && session->name[length - 1] == '.')
        session->name[length - 1] = '\0';
}

static bool is_address(const char *name)
{
    ASN1_OCTET_STRING *address = a2i_IPADDRESS(name);
    ASN1_OCTET_STRING_free(address);
    return address != NULL;
}

/* Says who must answer. RFC 6066 knows no addresses in SNI, and servers refuse them. */
static bool set_name(struct tendon__tls_session *session)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(session->ssl);
    if (is_address(session->name))
        return !session->context->verifies_host ||
               X509_VERIFY_PARAM_set1_ip_asc(param, session->name) == 1;
    bool is_path = session->name[0] == '/';
    if (!is_path && SSL_set_tlsext_host_name(session->ssl, session->name) != 1)
        return false;
    if (!session->context->verifies_host)
        return true;
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_host(param, session->name, 0) == 1;
}

static void take_leave(struct tendon__tls_session *session)
{
    ERR_clear_error();
    if (session->is_up && !session->is_broken && !session->write_pending)
        (void)SSL_shutdown(session->ssl);
    ERR_clear_error();
}

static void session_close(struct tendon__tls_session *session, bool abrupt)
{
    if (!session)
        return;
    session->fed_size = 0;
    if (session->ssl) {
        if (!abrupt)
            take_leave(session);
        /* Otherwise OpenSSL would take the missing goodbye for a reason not to resume. */
        SSL_set_shutdown(session->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        SSL_free(session->ssl);
    }
    ERR_clear_error();
    struct tendon__tls_context *context = session->context;
    tendon__memory_free(context->memory, session);
    tendon__openssl_context_unref(context);
}

static tendon_status session_open(struct tendon__tls_context *context, int fd, const char *host,
                                  uint16_t port, struct tendon__tls_session **out,
                                  struct tendon__fault *fault)
{
    struct tendon__tls_session *session = tendon__memory_make(context->memory, sizeof *session);
    if (!session)
        return tendon__fault_set(fault, TENDON_ERROR_NO_MEMORY, "out of memory for a TLS session");
    atomic_fetch_add(&context->references, 1);
    session->context = context;
    session->fd = fd;
    session->port = port;
    choose_name(session, host);
    ERR_clear_error();
    session->ssl = SSL_new(context->ssl_ctx);
    if (!session->ssl || !tendon__openssl_bio_attach(session))
        goto failed;
    if (!SSL_set_app_data(session->ssl, session) || !set_name(session))
        goto failed;
    SSL_set_connect_state(session->ssl);
    if (context->resumes)
        tendon__openssl_ticket_offer(session);
    *out = session;
    return TENDON_OK;
failed:
    tendon__fault_set(fault, TENDON_ERROR_TLS, "cannot begin TLS with '%s': %s", session->name,
                      tendon__openssl_reason());
    session_close(session, true);
    return TENDON_ERROR_TLS;
}

/* Whether to wait, and for what; false when the session is over. */
static bool wants(struct tendon__tls_session *session, int error, uint32_t *want)
{
    if (error == SSL_ERROR_WANT_READ)
        *want = TENDON__WANT_READ;
    else if (error == SSL_ERROR_WANT_WRITE)
        *want = TENDON__WANT_WRITE;
    else
        session->is_broken = true;
    return !session->is_broken;
}

static int handshake(struct tendon__tls_session *session, uint32_t *want, bool *resumed,
                     struct tendon__fault *fault)
{
    ERR_clear_error();
    session->error_number = 0;
    int result = SSL_do_handshake(session->ssl);
    if (result == 1) {
        session->is_up = true;
        *resumed = SSL_session_reused(session->ssl) == 1;
        return 1;
    }
    /* A peer that sent "OK" and now waits is no TLS server, although OpenSSL still hopes for the
     * rest of a record. */
    if (wants(session, SSL_get_error(session->ssl, result), want) &&
        !tendon__openssl_not_tls(session))
        return 0;
    session->is_broken = true;
    tendon_status status = tendon__openssl_handshake_failed(session, fault);
    if (session->context->resumes)
        tendon__openssl_ticket_drop(session);
    ERR_clear_error();
    return status;
}

/* To clear a queue takes OpenSSL hundreds of instructions, also when nothing is in it. */
static void forget_errors(void)
{
    if (ERR_peek_error())
        ERR_clear_error();
}

static ssize_t stream_failed(struct tendon__tls_session *session, struct tendon__fault *fault)
{
    (void)tendon__openssl_stream_failed(session, fault);
    ERR_clear_error();
    return TENDON__IO_FAILED;
}

static ssize_t session_read(struct tendon__tls_session *session, void *out, size_t size,
                            uint32_t *want, struct tendon__fault *fault)
{
    size_t count = 0;
    if (session->is_broken)
        return stream_failed(session, fault);
    forget_errors();
    session->error_number = 0;
    int result = SSL_read_ex(session->ssl, out, size, &count);
    session->is_starved = result != 1;
    if (result == 1)
        return (ssize_t)count;
    int error = SSL_get_error(session->ssl, result);
    if (error == SSL_ERROR_ZERO_RETURN)
        return TENDON__IO_CLOSED;
    return wants(session, error, want) ? TENDON__IO_AGAIN : stream_failed(session, fault);
}

static ssize_t session_write(struct tendon__tls_session *session, const void *bytes, size_t size,
                             uint32_t *want, struct tendon__fault *fault)
{
    size_t count = 0;
    if (session->is_broken)
        return stream_failed(session, fault);
    forget_errors();
    session->error_number = 0;
    int result = SSL_write_ex(session->ssl, bytes, size, &count);
    session->write_pending = result != 1;
    if (result == 1)
        return (ssize_t)count;
    int error = SSL_get_error(session->ssl, result);
    return wants(session, error, want) ? TENDON__IO_AGAIN : stream_failed(session, fault);
}

static size_t seal(struct tendon__tls_session *session, const void *bytes, size_t size, void *out,
                   size_t room)
{
    size_t count = 0;
    if (session->is_broken || session->write_pending)
        return 0;
    forget_errors();
    session->error_number = 0;
    session->sealed = out;
    session->sealed_room = room;
    session->sealed_size = 0;
    int result = SSL_write_ex(session->ssl, bytes, size, &count);
    session->sealed = NULL;
    if (result == 1 && count == size)
        return session->sealed_size;
    session->is_broken = true; /* what was sealed already is lost, and with it the order */
    return 0;
}

/* With read-ahead OpenSSL may hold half a record, which is nothing to come back for before the
 * socket is readable. */
bool tendon__tls_buffered(const struct tendon__tls_session *session)
{
    if (session->is_broken)
        return false;
    return session->is_flooded || session->fed_size || SSL_pending(session->ssl) > 0 ||
           (!session->is_starved && SSL_has_pending(session->ssl) == 1);
}

void tendon__tls_feed(struct tendon__tls_session *session, const void *bytes, size_t size)
{
    session->fed = bytes;
    session->fed_size = size;
}

bool tendon__tls_fed(const struct tendon__tls_session *session)
{
    return session->fed_size > 0;
}

/* What follows is all that others call. OpenSSL has locks of the whole process, which fork would
 * leave locked in the child; so each entry goes through fork's gate. None waits for a peer inside.
 */

static tendon_status enter_create(struct tendon__memory *memory,
                                  const struct tendon__tls_options *options,
                                  struct tendon__tls_context **out, struct tendon__fault *fault)
{
    tendon__fork_gate_enter(TENDON__FORK_GATE_TLS);
    tendon_status status = tendon__openssl_context_create(memory, options, out, fault);
    tendon__fork_gate_leave(TENDON__FORK_GATE_TLS);
    return status;
}

static void enter_destroy(struct tendon__tls_context *context)
{
    tendon__fork_gate_enter(TENDON__FORK_GATE_TLS);
    tendon__openssl_context_unref(context);
    tendon__fork_gate_leave(TENDON__FORK_GATE_TLS);
}

static tendon_status enter_open(struct tendon__tls_context *context, int fd, const char *host,
                                uint16_t port, struct tendon__tls_session **out,
                                struct tendon__fault *fault)
{
    tendon__fork_gate_enter(TENDON__FORK_GATE_TLS);
    tendon_status status = session_open(context, fd, host, port, out, fault);
    tendon__fork_gate_leave(TENDON__FORK_GATE_TLS);
    return status;
}

static int enter_handshake(struct tendon__tls_session *session, uint32_t *want, bool *resumed,
                           struct tendon__fault *fault)
{
    tendon__fork_gate_enter(TENDON__FORK_GATE_TLS);
    int result = handshake(session, want, resumed, fault);
    tendon__fork_gate_leave(TENDON__FORK_GATE_TLS);
    return result;
}

static ssize_t enter_read(struct tendon__tls_session *session, void *out, size_t size,
                          uint32_t *want, struct tendon__fault *fault)
{
    tendon__fork_gate_enter(TENDON__FORK_GATE_TLS);
    ssize_t count = session_read(session, out, size, want, fault);
    tendon__fork_gate_leave(TENDON__FORK_GATE_TLS);
    return count;
}

static ssize_t enter_write(struct tendon__tls_session *session, const void *bytes, size_t size,
                           uint32_t *want, struct tendon__fault *fault)
{
    tendon__fork_gate_enter(TENDON__FORK_GATE_TLS);
    ssize_t count = session_write(session, bytes, size, want, fault);
    tendon__fork_gate_leave(TENDON__FORK_GATE_TLS);
    return count;
}

static void enter_close(struct tendon__tls_session *session, bool abrupt)
{
    tendon__fork_gate_enter(TENDON__FORK_GATE_TLS);
    session_close(session, abrupt);
    tendon__fork_gate_leave(TENDON__FORK_GATE_TLS);
}

size_t tendon__tls_seal(struct tendon__tls_session *session, const void *bytes, size_t size,
                        void *out, size_t room)
{
    tendon__fork_gate_enter(TENDON__FORK_GATE_TLS);
    size_t sealed = seal(session, bytes, size, out, room);
    tendon__fork_gate_leave(TENDON__FORK_GATE_TLS);
    return sealed;
}

void tendon__tls_take_leave(struct tendon__tls_session *session)
{
    tendon__fork_gate_enter(TENDON__FORK_GATE_TLS);
    take_leave(session);
    tendon__fork_gate_leave(TENDON__FORK_GATE_TLS);
}

void tendon__tls_thread_ends(void)
{
    tendon__fork_gate_enter(TENDON__FORK_GATE_TLS);
    OPENSSL_thread_stop();
    tendon__fork_gate_leave(TENDON__FORK_GATE_TLS);
}

static const struct tendon__tls_backend backend = {
    .version = backend_version,
    .context_create = enter_create,
    .context_destroy = enter_destroy,
    .session_open = enter_open,
    .handshake = enter_handshake,
    .read = enter_read,
    .write = enter_write,
    .session_close = enter_close,
};

const struct tendon__tls_backend *tendon__tls_backend(void)
{
    return &backend;
}
