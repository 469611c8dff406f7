/* Clients, leases and subscriptions by the names that a program gives them. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "program.h"

enum { TAG_EVENT = 1, TAG_COMMAND = 2 };

static bool same(tendon_bytes a, tendon_bytes b)
{
    return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

struct client *find_client(struct program *program, tendon_bytes name)
{
    pthread_mutex_lock(&program->names);
    struct client *client = program->clients;
    while (client && !same(client->name, name))
        client = client->next;
    pthread_mutex_unlock(&program->names);
    return client;
}

void add_client(struct program *program, tendon_bytes name, tendon_client *handle,
                tendon_lease *lease)
{
    struct client *client = allocate(sizeof *client);
    *client = (struct client){.name = name, .handle = handle, .lease = lease};
    pthread_mutex_lock(&program->names);
    client->next = program->clients;
    program->clients = client;
    pthread_mutex_unlock(&program->names);
}

void remove_client(struct program *program, struct client *client)
{
    pthread_mutex_lock(&program->names);
    struct client **link = &program->clients;
    while (*link != client)
        link = &(*link)->next;
    *link = client->next;
    pthread_mutex_unlock(&program->names);
    if (client->lease)
        tendon_lease_close(client->lease);
    else
        tendon_client_destroy(client->handle);
    free(client);
}

struct subscription *find_subscription(struct program *program, tendon_bytes name)
{
    pthread_mutex_lock(&program->names);
    struct subscription *found = program->subscriptions;
    while (found && !same(found->name, name))
        found = found->next;
    pthread_mutex_unlock(&program->names);
    return found;
}

/* NULL with the failure if it could not be made. */
struct subscription *add_subscription(struct program *program, tendon_bytes name,
                                      tendon_client *client, struct text *failure)
{
    struct subscription *made = allocate(sizeof *made);
    made->name = name;
    tendon_status status = tendon_queue_create(&made->queue);
    if (status == TENDON_OK)
        status = tendon_subscription_open(client, made->queue, NULL, TAG_EVENT, &made->handle);
    if (status != TENDON_OK) {
        text_add_status(failure, status);
        tendon_queue_destroy(made->queue);
        free(made);
        return NULL;
    }
    pthread_mutex_lock(&program->names);
    made->next = program->subscriptions;
    program->subscriptions = made;
    pthread_mutex_unlock(&program->names);
    return made;
}

void remove_subscription(struct program *program, struct subscription *subscription)
{
    pthread_mutex_lock(&program->names);
    struct subscription **link = &program->subscriptions;
    while (*link != subscription)
        link = &(*link)->next;
    *link = subscription->next;
    pthread_mutex_unlock(&program->names);
    tendon_subscription_close(subscription->handle);
    tendon_queue_destroy(subscription->queue);
    for (size_t i = 0; i < subscription->message_count; i++)
        text_free(&subscription->messages[i]);
    free(subscription->messages);
    free(subscription);
}

/* Keeps a message as [kind, pattern or nil, channel, data]; confirmations and gaps are no messages.
 */
static void keep_message(struct subscription *subscription, const tendon_completion *event)
{
    const tendon_node *nodes = event->nodes;
    if (event->event != TENDON_EVENT_MESSAGE || nodes[0].type != TENDON_NODE_PUSH)
        return;
    tendon_bytes kind = {event->data + nodes[1].value.offset, nodes[1].size};
    bool has_pattern = bytes_are(kind, "pmessage");
    if (!has_pattern && !bytes_are(kind, "message") && !bytes_are(kind, "smessage"))
        return;
    size_t count = subscription->message_count++;
    subscription->messages =
        realloc(subscription->messages, (count + 1) * sizeof *subscription->messages);
    if (!subscription->messages)
        give_up("no memory");
    struct text *message = &subscription->messages[count];
    *message = (struct text){0};
    text_add_count(message, '*', 4);
    text_add_node(message, nodes, event->data, 1);
    if (!has_pattern)
        text_add(message, '_', NULL, 0);
    for (size_t i = 2; i <= nodes[0].size; i++)
        text_add_node(message, nodes, event->data, i);
}

/* Takes the next completion of a subscription, if one comes in time. True with that of a command.
 */
static bool next_completion(struct subscription *subscription, int64_t timeout_ms,
                            struct text *failure)
{
    tendon_completion done;
    if (!tendon_queue_poll(subscription->queue, &done, sizeof done, 1, timeout_ms))
        return false;
    bool ends_command = done.tag == TAG_COMMAND;
    if (!ends_command)
        keep_message(subscription, &done);
    else if (done.kind == TENDON_COMPLETION_ERROR)
        text_add_error(failure, done.error);
    else if (done.nodes[0].type == TENDON_NODE_ERROR)
        text_add_node(failure, done.nodes, done.data, 0);
    tendon_reply_destroy(done.reply);
    tendon_error_destroy(done.error);
    return ends_command;
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void change_subscription(struct subscription *subscription, const struct command *command,
                         struct text *failure)
{
    tendon_request request = {.struct_size = sizeof request,
                              .args = command->args,
                              .arg_count = command->count,
                              .tag = TAG_COMMAND};
    tendon_status status = tendon_subscription_submit(subscription->handle, &request, NULL);
    if (status != TENDON_OK) {
        text_add_status(failure, status);
        return;
    }
    int64_t end = now_ms() + PATIENCE_S * 1000;
    while (!next_completion(subscription, 100, failure))
        if (now_ms() > end)
            give_up("a subscription was not confirmed");
}

void poll_subscription(struct subscription *subscription, int64_t timeout_ms, struct text *out)
{
    int64_t end = now_ms() + timeout_ms, left = timeout_ms;
    do {
        next_completion(subscription, subscription->message_count ? 0 : left, out);
        left = end - now_ms();
    } while (!subscription->message_count && left > 0);
    if (!subscription->message_count) {
        text_add(out, '_', NULL, 0);
        return;
    }
    text_add_words(out, subscription->messages);
    text_free(subscription->messages);
    memmove(subscription->messages, subscription->messages + 1,
            --subscription->message_count * sizeof *subscription->messages);
}
