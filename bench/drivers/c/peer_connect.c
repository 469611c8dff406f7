/* Connections made and closed again and again, and messages: the peers' part of those. */
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "peer_driver.h"

static void ping(peer_context *context, struct tally *tally)
{
    static const char *list[] = {"PING"};
    static const size_t sizes[] = {4};
    peer_reply *reply = peer_command_argv(context, 1, list, sizes);
    if (!reply || reply->type != PEER_STATUS || strcmp(reply->str, "PONG") != 0)
        job_error(tally, "PING did not answer PONG");
    peer_free_reply(reply);
    tally->ops++;
}

void connect_anew(const struct job *job, void *unused, struct tally *tally, uint32_t index)
{
    (void)unused;
    (void)index;
    while (job_phase(tally) != PHASE_END) {
        int64_t begin_ns = now_ns();
        peer_context *context = dial(job);
        ping(context, tally);
        peer_free(context);
        job_latency(tally, now_ns() - begin_ns);
    }
}

/* The libraries keep no sessions; whoever wants to resume hands over an SSL object of OpenSSL. */
static SSL_SESSION *ticket;

static int keep_ticket(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    SSL_SESSION_free(ticket);
    ticket = session;
    return 1; /* the reference is ours */
}

static SSL_CTX *make_context(const struct job *job)
{
    SSL_CTX *made = SSL_CTX_new(TLS_client_method());
    if (!made || SSL_CTX_load_verify_locations(made, job->ca, NULL) != 1)
        job_die("TLS", "cannot use the CA file");
    SSL_CTX_set_verify(made, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_min_proto_version(made, TLS1_2_VERSION);
    SSL_CTX_set_session_cache_mode(made, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(made, keep_ticket);
    return made;
}

void connect_again(const struct job *job, void *unused, struct tally *tally, uint32_t index)
{
    SSL_CTX *made = make_context(job);
    (void)unused;
    (void)index;
    while (job_phase(tally) != PHASE_END) {
        int64_t begin_ns = now_ns();
        peer_context *context = peer_connect(job->host, job->port);
        SSL *ssl = SSL_new(made);
        if (!context || context->err || !ssl)
            job_die("connect", context ? context->errstr : "no memory");
        bool resumes = ticket && SSL_set_session(ssl, ticket) == 1;
        if (peer_tls_begin_own(context, ssl))
            job_die("TLS", context->errstr);
        if (resumes && !SSL_session_reused(ssl))
            job_error(tally, "a session was not resumed");
        ping(context, tally);
        /* The libraries send no goodbye; OpenSSL would take that for a reason not to resume. */
        SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        peer_free(context); /* with the SSL object */
        job_latency(tally, now_ns() - begin_ns);
    }
    if (!ticket)
        job_die("TLS", "the server gave no session");
    SSL_SESSION_free(ticket);
    SSL_CTX_free(made);
}

static void publish(const struct job *job, peer_context *publisher, struct tally *tally)
{
    const char *list[] = {"PUBLISH", "bench", NULL};
    const size_t sizes[] = {7, 5, job->value_bytes};
    for (uint32_t i = 0; i < job->batch; i++) {
        list[2] = (const char *)job->values + job_next_key(job, tally);
        if (peer_append_argv(publisher, 3, list, sizes))
            job_die("append", publisher->errstr);
    }
    for (uint32_t i = 0; i < job->batch; i++) {
        void *reply = NULL;
        if (peer_get_reply(publisher, &reply))
            job_die("get reply", publisher->errstr);
        const peer_reply *told = reply;
        if (told->type != PEER_INTEGER || told->integer != 1)
            job_error(tally, "PUBLISH did not answer 1");
        peer_free_reply(reply);
    }
}

static void receive(const struct job *job, peer_context *subscriber, struct tally *tally,
                    uint32_t first)
{
    for (uint32_t i = 0; i < job->batch; i++) {
        void *reply = NULL;
        if (peer_get_reply(subscriber, &reply))
            job_die("get reply", subscriber->errstr);
        const peer_reply *message = reply;
        if (message->type != PEER_ARRAY || message->elements != 3)
            job_die("subscribe", "something else than a message came");
        take(job, tally, (first + i) % job->keys, false, message->element[2]);
        peer_free_reply(reply);
    }
}

void subscribe(const struct job *job, void *unused, struct tally *tally, uint32_t index)
{
    static const char *list[] = {"SUBSCRIBE", "bench"};
    static const size_t sizes[] = {9, 5};
    peer_context *publisher = dial(job), *subscriber = dial(job);
    (void)unused;
    (void)index;
    peer_free_reply(peer_command_argv(subscriber, 2, list, sizes));
    while (job_phase(tally) != PHASE_END) {
        uint32_t first = tally->turn % job->keys;
        int64_t begin_ns = now_ns();
        publish(job, publisher, tally);
        receive(job, subscriber, tally, first);
        job_latency(tally, now_ns() - begin_ns);
    }
    peer_free(subscriber);
    peer_free(publisher);
}
