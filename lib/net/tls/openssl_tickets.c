/*
 * Sessions to resume. The key is the verified name and the port, never an address: a ticket proves
 * an identity that was checked under that name. OpenSSL's own cache is keyed by session number and
 * useless to a client.
 */
#include <string.h>
#include <strings.h>

#include "net/tls/openssl_parts.h"

/* About 2 KB each; a cluster of the largest size ElastiCache allows has 500 nodes. */
#define TICKETS_MAX 1024

struct ticket {
    struct tendon__link link;
    SSL_SESSION *ticket;
    uint16_t port;
    char name[]; /* NUL-terminated */
};

static struct ticket *find(struct tendon__tls_context *context, const char *name, uint16_t port)
{
    struct tendon__link *list = &context->tickets;
    for (struct tendon__link *link = list->next; link != list; link = link->next) {
        struct ticket *entry = TENDON__OWNER(link, struct ticket, link);
        if (entry->port == port && strcasecmp(entry->name, name) == 0)
            return entry;
    }
    return NULL;
}

static void release(struct tendon__tls_context *context, struct ticket *entry)
{
    tendon__list_remove(&entry->link);
    context->ticket_count--;
    SSL_SESSION_free(entry->ticket);
    tendon__memory_free(context->memory, entry);
}

/* A new entry without a ticket, in place of the one that was unused for longest when there is no
 * room. */
static struct ticket *add(struct tendon__tls_context *context, const char *name, uint16_t port)
{
    size_t length = strlen(name);
    struct ticket *entry = tendon__memory_make(context->memory, sizeof *entry + length + 1);
    if (!entry)
        return NULL;
    memcpy(entry->name, name, length + 1);
    entry->port = port;
    if (context->ticket_count == TICKETS_MAX)
        release(context, TENDON__OWNER(context->tickets.prev, struct ticket, link));
    context->ticket_count++;
    return entry;
}

/* Called during the handshake by TLS 1.2 and after it, while reading, by TLS 1.3. Returns 1 when
 * `ticket` was taken. */
int tendon__openssl_ticket_keep(SSL *ssl, SSL_SESSION *ticket)
{
    struct tendon__tls_session *session = SSL_get_app_data(ssl);
    struct tendon__tls_context *context = session->context;
    if (!SSL_SESSION_is_resumable(ticket))
        return 0;
    pthread_mutex_lock(&context->lock);
    struct ticket *entry = find(context, session->name, session->port);
    if (!entry)
        entry = add(context, session->name, session->port);
    if (entry) {
        SSL_SESSION_free(entry->ticket);
        entry->ticket = ticket;
        tendon__list_remove(&entry->link);
        tendon__list_push_front(&context->tickets, &entry->link);
    }
    pthread_mutex_unlock(&context->lock);
    return entry != NULL;
}

/* A failure here costs a full handshake and nothing else. */
void tendon__openssl_ticket_offer(struct tendon__tls_session *session)
{
    struct tendon__tls_context *context = session->context;
    SSL_SESSION *copy = NULL;
    pthread_mutex_lock(&context->lock);
    struct ticket *entry = find(context, session->name, session->port);
    if (entry) {
        tendon__list_remove(&entry->link);
        tendon__list_push_front(&context->tickets, &entry->link);
        /* A copy, because OpenSSL marks the one in use as spent when its connection breaks. */
        copy = SSL_SESSION_dup(entry->ticket);
    }
    pthread_mutex_unlock(&context->lock);
    if (copy)
        (void)SSL_set_session(session->ssl, copy);
    SSL_SESSION_free(copy);
}

void tendon__openssl_ticket_drop(struct tendon__tls_session *session)
{
    struct tendon__tls_context *context = session->context;
    pthread_mutex_lock(&context->lock);
    struct ticket *entry = find(context, session->name, session->port);
    if (entry)
        release(context, entry);
    pthread_mutex_unlock(&context->lock);
}

void tendon__openssl_tickets_deinit(struct tendon__tls_context *context)
{
    while (!tendon__list_empty(&context->tickets))
        release(context, TENDON__OWNER(context->tickets.next, struct ticket, link));
}
