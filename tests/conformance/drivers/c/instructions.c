/* The instructions about clients, their commands and subscriptions. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "program.h"

/* ---- clients ---- */

static void missing(struct text *text, tendon_bytes name)
{
    char message[100];
    snprintf(message, sizeof message, "there is nothing of the name %.*s", (int)name.size,
             (const char *)name.data);
    text_add_failure(text, "Missing", message);
}

long number_of(tendon_bytes bytes)
{
    return strtol(bytes.data, NULL, 10); /* words that were read end with a NUL */
}

static void set(tendon_config *config, const char *name, tendon_bytes value)
{
    if (tendon_config_set_bytes(config, name, value, NULL) != TENDON_OK)
        give_up("option %s was refused", name);
}

static void set_options(tendon_config *config, const struct frame *words)
{
    set(config, "mode", words->words[2]);
    set(config, "host", words->words[3]);
    set(config, "port", words->words[4]);
    for (size_t i = 5; i + 1 < words->count; i += 2) {
        tendon_bytes option = words->words[i], value = words->words[i + 1];
        if (bytes_are(option, "protocol"))
            set(config, "protocol", value);
        if (bytes_are(option, "timeout_ms"))
            set(config, "command_timeout_ms", value);
        if (bytes_are(option, "tls_ca")) {
            set(config, "tls", bytes_of("yes"));
            set(config, "tls_ca_file", value);
        }
    }
}

void do_connect(struct thread *thread, const struct frame *words)
{
    tendon_config *config = NULL;
    tendon_client *client = NULL;
    tendon_error *error = NULL;
    if (tendon_config_create(&config) != TENDON_OK)
        give_up("no config");
    set_options(config, words);
    if (tendon_client_create(config, &client, &error) == TENDON_OK)
        add_client(thread->program, words->words[1], client, NULL);
    else
        text_add_error(push(thread), error);
    tendon_error_destroy(error);
    tendon_config_destroy(config);
}

void do_close(struct thread *thread, const struct frame *words)
{
    struct client *client = find_client(thread->program, words->words[1]);
    if (client)
        tendon_client_close(client->handle);
    else
        missing(push(thread), words->words[1]);
}

void do_statistics(struct thread *thread, const struct frame *words)
{
    struct client *client = find_client(thread->program, words->words[1]);
    struct text *text = push(thread);
    tendon_stats stats = {.struct_size = sizeof stats};
    tendon_status status = client ? tendon_client_stats(client->handle, &stats) : TENDON_OK;
    if (!client)
        missing(text, words->words[1]);
    else if (status == TENDON_OK)
        text_add(text, '$', "statistics", strlen("statistics"));
    else
        text_add_status(text, status);
}

/* Borrows a connection, in a cluster to the node of a key; NULL with the failure. */
static tendon_lease *borrow(struct thread *thread, tendon_bytes name, tendon_bytes key,
                            struct text *failure)
{
    struct client *client = find_client(thread->program, name);
    tendon_lease_options options = {.struct_size = sizeof options, .key = key};
    tendon_lease *lease = NULL;
    tendon_error *error = NULL;
    if (!client)
        missing(failure, name);
    else if (tendon_lease_open(client->handle, &options, &lease, &error) != TENDON_OK)
        text_add_error(failure, error);
    tendon_error_destroy(error);
    return lease;
}

void do_lease(struct thread *thread, const struct frame *words)
{
    struct text failure = {0};
    tendon_lease *lease = borrow(thread, words->words[2], (tendon_bytes){0}, &failure);
    if (lease)
        add_client(thread->program, words->words[1],
                   find_client(thread->program, words->words[2])->handle, lease);
    else
        *push(thread) = failure;
}

void do_release(struct thread *thread, const struct frame *words)
{
    struct client *lease = find_client(thread->program, words->words[1]);
    if (lease)
        remove_client(thread->program, lease);
}

/* ---- commands ---- */

static struct batch *find_batch(struct thread *thread, tendon_bytes name)
{
    for (size_t i = 0; i < BATCHES_MAX; i++) {
        struct batch *batch = &thread->batches[i];
        if (batch->open && batch->name.size == name.size &&
            memcmp(batch->name.data, name.data, name.size) == 0)
            return batch;
    }
    return NULL;
}

static struct batch *open_batch(struct thread *thread, tendon_bytes name)
{
    struct batch *batch = thread->batches;
    while (batch < thread->batches + BATCHES_MAX && batch->open)
        batch++;
    if (batch == thread->batches + BATCHES_MAX)
        give_up("more than %d batches at once", BATCHES_MAX);
    *batch = (struct batch){.open = true, .name = name};
    return batch;
}

void end_batch(struct batch *batch)
{
    tendon_lease_close(batch->lease); /* which forgets a watch */
    text_free(&batch->failure);
    free(batch->commands);
    *batch = (struct batch){0};
}

static void queue_command(struct batch *batch, struct command command)
{
    batch->commands = realloc(batch->commands, (batch->count + 1) * sizeof *batch->commands);
    if (!batch->commands)
        give_up("no memory");
    batch->commands[batch->count++] = command;
}

/* Commands that wait have connections of their own, where only waiting keeps the program's order.
 */
static bool is_waiting(tendon_bytes name)
{
    static const char *const names[] = {"BLPOP",  "BRPOP",      "BLMOVE", "BRPOPLPUSH",
                                        "BLMPOP", "BZPOPMIN",   "BZMPOP", "BZPOPMAX",
                                        "XREAD",  "XREADGROUP", "WAIT"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (name.size == strlen(names[i]) && strncasecmp(name.data, names[i], name.size) == 0)
            return true;
    return false;
}

/* Sends commands, or gives the failure of the batch they are in. What is alone on a connection is
 * waited for before and after: only commands of one client keep their order by themselves. */
static void send(struct thread *thread, tendon_bytes name, const struct batch *batch,
                 const struct command *commands, size_t count, enum result result, bool alone)
{
    struct client *client = find_client(thread->program, name);
    if (batch && batch->failure.words) {
        text_add_words(push(thread), &batch->failure);
        return;
    }
    if (!client) {
        missing(push(thread), name);
        return;
    }
    bool other = name.size != thread->last_client.size ||
                 memcmp(name.data, thread->last_client.data, name.size) != 0;
    if (alone || other)
        settle(thread);
    thread->last_client = name;
    struct client watched = *client;
    if (batch && batch->lease)
        watched.lease = batch->lease;
    submit(thread, &watched, commands, count, result, NULL);
    if (alone)
        settle(thread);
}

static void give_command(struct thread *thread, tendon_bytes name, struct command command)
{
    struct batch *batch = find_batch(thread, name);
    if (batch && batch->queues)
        queue_command(batch, command);
    else
        send(thread, name, batch, &command, 1, RESULT_LAST, batch || is_waiting(command.args[0]));
}

void do_command(struct thread *thread, const struct frame *words)
{
    give_command(thread, words->words[1], read_command(thread, words->words + 2, words->count - 2));
}

void do_method(struct thread *thread, const struct frame *words)
{
    struct command given = read_command(thread, words->words + 3, words->count - 3);
    struct command command = {keep(thread, allocate((given.count + 2) * sizeof(tendon_bytes))),
                              given.count + 1};
    memcpy(command.args + 1, given.args, given.count * sizeof *given.args);
    command.args[0] = words->words[2];
    if (bytes_are(words->words[2], "zrange_withscores")) {
        command.args[0] = bytes_of("zrange");
        command.args[command.count++] = bytes_of("WITHSCORES");
    }
    give_command(thread, words->words[1], command);
}

void do_batch(struct thread *thread, const struct frame *words)
{
    open_batch(thread, words->words[1])->queues = true;
}

void do_transaction(struct thread *thread, const struct frame *words)
{
    static tendon_bytes multi[] = {{"MULTI", 5}};
    struct batch *batch = find_batch(thread, words->words[1]); /* the one that watches */
    if (!batch)
        batch = open_batch(thread, words->words[1]);
    batch->queues = batch->transaction = true;
    queue_command(batch, (struct command){multi, 1});
}

void do_batch_end(struct thread *thread, const struct frame *words)
{
    static tendon_bytes exec[] = {{"EXEC", 4}};
    struct batch *batch = find_batch(thread, words->words[1]);
    if (!batch || !batch->queues)
        give_up("no batch of this client is open");
    if (batch->transaction)
        queue_command(batch, (struct command){exec, 1});
    send(thread, words->words[1], batch, batch->commands, batch->count,
         batch->transaction ? RESULT_LAST : RESULT_LIST, batch->lease != NULL);
    end_batch(batch);
}

void do_watch(struct thread *thread, const struct frame *words)
{
    struct command keys = read_command(thread, words->words + 2, words->count - 2);
    struct command watch = {keep(thread, allocate((keys.count + 1) * sizeof(tendon_bytes))),
                            keys.count + 1};
    watch.args[0] = bytes_of("WATCH");
    memcpy(watch.args + 1, keys.args, keys.count * sizeof *keys.args);
    struct batch *batch = open_batch(thread, words->words[1]);
    batch->lease = borrow(thread, words->words[1], keys.args[0], &batch->failure);
    send(thread, words->words[1], batch, &watch, 1, RESULT_LAST, true);
    struct entry answer = take(thread);
    if (strncmp(answer.text.bytes, "1\n!", 3) == 0) {
        text_add_words(push(thread), &answer.text);
        text_free(&batch->failure);
        batch->failure = answer.text;
    } else {
        text_free(&answer.text);
    }
}

void do_unwatch(struct thread *thread, const struct frame *words)
{
    struct batch *batch = find_batch(thread, words->words[1]);
    if (batch)
        end_batch(batch);
}

void pause_ms(long milliseconds)
{
    struct timespec pause = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

void do_cancel(struct thread *thread, const struct frame *words)
{
    struct command command = read_command(thread, words->words + 3, words->count - 3);
    struct client *client = find_client(thread->program, words->words[1]);
    uint64_t id = 0;
    if (!client) {
        missing(push(thread), words->words[1]);
        return;
    }
    submit(thread, client, &command, 1, RESULT_LAST, &id);
    pause_ms(number_of(words->words[2]));
    tendon_cancel(client->handle, id);
    settle(thread);
}

/* ---- subscriptions ---- */

static void change(struct thread *thread, struct subscription *subscription, const char *word,
                   tendon_bytes kind, const tendon_bytes *operands, size_t count)
{
    struct command names = read_command(thread, operands, count);
    char *name = keep(thread, allocate(strlen(word) + 2));
    const char *prefix = bytes_are(kind, "pattern") ? "P" : bytes_are(kind, "sharded") ? "S" : "";
    strcat(strcpy(name, prefix), word);
    struct command command = {keep(thread, allocate((count + 1) * sizeof(tendon_bytes))),
                              names.count + 1};
    command.args[0] = bytes_of(name);
    memcpy(command.args + 1, names.args, count * sizeof *names.args);
    struct text failure = {0};
    change_subscription(subscription, &command, &failure);
    if (failure.words)
        *push(thread) = failure;
}

void do_subscribe(struct thread *thread, const struct frame *words)
{
    struct subscription *subscription = find_subscription(thread->program, words->words[1]);
    struct client *client = find_client(thread->program, words->words[2]);
    struct text failure = {0};
    if (!subscription && client)
        subscription = add_subscription(thread->program, words->words[1], client->handle, &failure);
    else if (!subscription)
        missing(&failure, words->words[2]);
    if (subscription)
        change(thread, subscription, "SUBSCRIBE", words->words[3], words->words + 4,
               words->count - 4);
    else
        *push(thread) = failure;
}

void do_unsubscribe(struct thread *thread, const struct frame *words)
{
    struct subscription *subscription = find_subscription(thread->program, words->words[1]);
    if (subscription)
        change(thread, subscription, "UNSUBSCRIBE", words->words[2], words->words + 3,
               words->count - 3);
    else
        missing(push(thread), words->words[1]);
}

void do_poll(struct thread *thread, const struct frame *words)
{
    struct subscription *subscription = find_subscription(thread->program, words->words[1]);
    struct text *text = push(thread);
    if (subscription)
        poll_subscription(subscription, number_of(words->words[2]), text);
    else
        missing(text, words->words[1]);
}

void do_unsubscribe_all(struct thread *thread, const struct frame *words)
{
    struct subscription *subscription = find_subscription(thread->program, words->words[1]);
    if (subscription)
        remove_subscription(thread->program, subscription);
}
