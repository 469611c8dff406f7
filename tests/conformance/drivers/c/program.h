/* A program of the conformance machine while it is executed. */
#ifndef CONFORMANCE_PROGRAM_H
#define CONFORMANCE_PROGRAM_H

#include <pthread.h>

#include "frames.h"

enum { PATIENCE_S = 30 }; /* for what comes in milliseconds unless something is broken */

/* A client by its name; a lease is one whose commands go to one connection of another's pool. */
struct client {
    struct client *next;
    tendon_bytes name;
    tendon_client *handle;
    tendon_lease *lease;
};

/* A subscription by its name, and the messages that came before somebody polled. */
struct subscription {
    struct subscription *next;
    tendon_bytes name;
    tendon_subscription *handle;
    tendon_queue *queue;
    struct text *messages; /* a message is one value */
    size_t message_count;
};

/* What all threads of a program share. */
struct program {
    struct thread *threads;
    pthread_mutex_t names; /* guards both lists, not what is in them */
    struct client *clients;
    struct subscription *subscriptions;
};

/* Which of the replies to what was submitted together is the result. */
enum result { RESULT_LIST, RESULT_LAST };

/* The outcome of requests that were submitted together. The tag of each is the address of its part.
 */
struct outcome {
    size_t waiting, count;
    enum result result;
    struct part {
        struct outcome *outcome;
        struct text text;
    } parts[];
};

/* What is on a stack: a value, or the outcome that will become one. */
struct entry {
    size_t index;
    struct outcome *outcome;
    struct text text;
};

struct command {
    tendon_bytes *args;
    uint32_t count;
};

/* The commands of one client between batch, transaction or watch, and its end. */
struct batch {
    bool open, queues, transaction;
    tendon_bytes name;
    tendon_lease *lease; /* while it watches */
    struct text failure; /* why there is no connection or client for it */
    struct command *commands;
    size_t count;
};

enum { BATCHES_MAX = 16 }; /* clients with an open batch in one thread; the programs have few */

struct thread {
    struct thread *next;
    struct program *program;
    long number;
    struct frame *instructions;
    size_t count, index;
    pthread_t id;
    bool started, joined;
    struct entry *stack;
    size_t depth, room;
    tendon_queue *queue;
    tendon_bytes last_client; /* whose commands are under way */
    struct batch batches[BATCHES_MAX];
    void **kept; /* memory that lasts as long as the thread */
    size_t kept_count;
    struct text results;
};

/* requests.c: commands and their outcomes. */
void *keep(struct thread *thread, void *memory);
struct text *push(struct thread *thread);
struct entry take(struct thread *thread);
void settle(struct thread *thread);
void submit(struct thread *thread, const struct client *client, const struct command *commands,
            size_t count, enum result result, uint64_t *out_id);
struct command read_command(struct thread *thread, const tendon_bytes *operands, size_t count);

/* names.c: what programs give names. */
struct client *find_client(struct program *program, tendon_bytes name);
void add_client(struct program *program, tendon_bytes name, tendon_client *handle,
                tendon_lease *lease);
void remove_client(struct program *program, struct client *client);
struct subscription *find_subscription(struct program *program, tendon_bytes name);
struct subscription *add_subscription(struct program *program, tendon_bytes name,
                                      tendon_client *client, struct text *failure);
void remove_subscription(struct program *program, struct subscription *subscription);
/* Subscribes or unsubscribes; a failure is added to `failure`. */
void change_subscription(struct subscription *subscription, const struct command *command,
                         struct text *failure);
void poll_subscription(struct subscription *subscription, int64_t timeout_ms, struct text *out);

/* instructions.c: what they do, and what they have in common with others. */
typedef void instruction(struct thread *thread, const struct frame *words);
instruction do_connect, do_close, do_statistics, do_lease, do_release, do_command, do_method,
    do_batch, do_transaction, do_batch_end, do_watch, do_unwatch, do_cancel, do_subscribe,
    do_unsubscribe, do_poll, do_unsubscribe_all;
void end_batch(struct batch *batch);
void pause_ms(long milliseconds);
long number_of(tendon_bytes bytes);

#endif
