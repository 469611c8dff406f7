/*
 * The conformance machine (../../PROTOCOL.md) for the C library: commands are submitted to a queue
 * of their thread, so that they travel together (requests.c), and subscriptions (names.c), leases
 * and statistics (instructions.c) are used as <tendon/tendon.h> has them. C has no methods: a
 * method is its command.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "program.h"

/* ---- the stack ---- */

static void do_push(struct thread *thread, const struct frame *words)
{
    const char *operand = words->words[1].data;
    struct command value = read_command(thread, words->words + 1, 1);
    text_add(push(thread), *operand == ':' || *operand == ',' ? *operand : '$', value.args[0].data,
             value.args[0].size);
}

static void do_dup(struct thread *thread, const struct frame *words)
{
    (void)words;
    struct entry entry = take(thread);
    size_t index = thread->index;
    thread->index = entry.index;
    *push(thread) = entry.text;
    thread->index = index;
    text_add_words(push(thread), &entry.text);
}

static void do_swap(struct thread *thread, const struct frame *words)
{
    (void)words;
    if (thread->depth < 2)
        give_up("swap finds less than two entries");
    struct entry *top = &thread->stack[thread->depth - 1], entry = *top;
    *top = top[-1];
    top[-1] = entry;
}

static void report(struct thread *thread, struct entry *entry)
{
    char numbers[2][32];
    struct text *results = &thread->results;
    int length = snprintf(numbers[0], sizeof numbers[0], "%zu\n", entry->text.words + 3);
    text_add_bytes(results, numbers[0], (size_t)length);
    text_add(results, 0, "result", strlen("result"));
    snprintf(numbers[0], sizeof numbers[0], "%ld", thread->number);
    snprintf(numbers[1], sizeof numbers[1], "%zu", entry->index);
    text_add(results, 0, numbers[0], strlen(numbers[0]));
    text_add(results, 0, numbers[1], strlen(numbers[1]));
    text_add_words(results, &entry->text);
    text_free(&entry->text);
}

static void do_pop(struct thread *thread, const struct frame *words)
{
    (void)words;
    struct entry entry = take(thread);
    report(thread, &entry);
}

static void do_concat(struct thread *thread, const struct frame *words)
{
    (void)words;
    struct entry b = take(thread), a = take(thread);
    tendon_bytes left = text_argument(&a.text), right = text_argument(&b.text);
    char *joined = allocate(left.size + right.size);
    memcpy(joined, left.data, left.size);
    memcpy(joined + left.size, right.data, right.size);
    text_add(push(thread), '$', joined, left.size + right.size);
    free(joined);
    text_free(&a.text);
    text_free(&b.text);
}

/* ---- threads ---- */

static struct thread *find_thread(struct program *program, long number)
{
    struct thread *thread = program->threads;
    while (thread && thread->number != number)
        thread = thread->next;
    return thread;
}

static struct thread *add_thread(struct program *program, long number)
{
    struct thread *thread = allocate(sizeof *thread);
    *thread = (struct thread){.next = program->threads, .program = program, .number = number};
    if (tendon_queue_create(&thread->queue) != TENDON_OK)
        give_up("no queue");
    program->threads = thread;
    return thread;
}

static void execute(struct thread *thread);

static void *run_thread(void *thread)
{
    execute(thread);
    return NULL;
}

static void do_start(struct thread *thread, const struct frame *words)
{
    struct thread *started = find_thread(thread->program, number_of(words->words[1]));
    if (!started)
        give_up("no such thread");
    if (pthread_create(&started->id, NULL, run_thread, started) != 0)
        give_up("a thread could not be started");
    started->started = true;
}

static void join(struct thread *thread)
{
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += PATIENCE_S;
    if (!thread->started || thread->joined)
        return;
    if (pthread_timedjoin_np(thread->id, NULL, &end) != 0)
        give_up("thread %ld has not ended within %d s", thread->number, PATIENCE_S);
    thread->joined = true;
}

static void do_wait(struct thread *thread, const struct frame *words)
{
    struct thread *other = find_thread(thread->program, number_of(words->words[1]));
    if (!other || !other->started)
        give_up("a thread is waited for that was never started");
    join(other);
}

static void do_sleep(struct thread *thread, const struct frame *words)
{
    (void)thread;
    pause_ms(number_of(words->words[1]));
}

/* ---- programs ---- */

/* What each instruction is called, how many words it has at least, and whether it waits for what is
 * under way because it may use another connection. */
static const struct {
    const char *name;
    size_t words;
    bool settles;
    instruction *execute;
} instructions[] = {
    {"push", 2, false, do_push},
    {"dup", 1, false, do_dup},
    {"swap", 1, false, do_swap},
    {"pop", 1, false, do_pop},
    {"concat", 1, false, do_concat},
    {"connect", 5, true, do_connect},
    {"command", 3, false, do_command},
    {"method", 3, false, do_method},
    {"batch", 2, false, do_batch},
    {"batch-end", 2, false, do_batch_end},
    {"transaction", 2, false, do_transaction},
    {"transaction-end", 2, false, do_batch_end},
    {"watch", 3, true, do_watch},
    {"unwatch", 2, true, do_unwatch},
    {"lease", 3, true, do_lease},
    {"release", 2, true, do_release},
    {"subscribe", 5, true, do_subscribe},
    {"unsubscribe", 3, true, do_unsubscribe},
    {"poll", 3, true, do_poll},
    {"unsubscribe-all", 2, true, do_unsubscribe_all},
    {"cancel", 4, true, do_cancel},
    {"statistics", 2, true, do_statistics},
    {"sleep", 2, true, do_sleep},
    {"close", 2, true, do_close},
    {"start", 2, true, do_start},
    {"wait", 2, true, do_wait},
};

static void execute_one(struct thread *thread, const struct frame *words)
{
    for (size_t i = 0; i < sizeof instructions / sizeof *instructions; i++)
        if (words->count >= instructions[i].words &&
            bytes_are(words->words[0], instructions[i].name)) {
            if (instructions[i].settles)
                settle(thread);
            instructions[i].execute(thread, words);
            return;
        }
    give_up("no instruction of %zu words: %s", words->count, (const char *)words->words[0].data);
}

/* Executes a thread; what is left on its stack is reported, bottom first. */
static void execute(struct thread *thread)
{
    for (thread->index = 0; thread->index < thread->count; thread->index++)
        execute_one(thread, &thread->instructions[thread->index]);
    settle(thread);
    for (size_t i = 0; i < thread->depth; i++)
        report(thread, &thread->stack[i]);
    for (size_t i = 0; i < BATCHES_MAX; i++)
        end_batch(&thread->batches[i]);
}

static void free_thread(struct thread *thread)
{
    for (size_t i = 0; i < thread->count; i++)
        frame_free(&thread->instructions[i]);
    for (size_t i = 0; i < thread->kept_count; i++)
        free(thread->kept[i]);
    free(thread->instructions);
    free(thread->kept);
    free(thread->stack);
    text_free(&thread->results);
    tendon_queue_destroy(thread->queue);
    free(thread);
}

/* Executes a program, writes its results, closes what is open and forgets the program. */
static void run(struct program *program)
{
    struct thread *main_thread = find_thread(program, 0);
    if (main_thread)
        execute(main_thread);
    for (struct thread *thread = program->threads; thread; thread = thread->next)
        join(thread);
    while (program->subscriptions)
        remove_subscription(program, program->subscriptions);
    while (program->clients) /* the newest first: leases before the clients they came from */
        remove_client(program, program->clients);
    for (struct thread *next, *thread = program->threads; thread; thread = next) {
        next = thread->next;
        fwrite(thread->results.bytes, 1, thread->results.size, stdout);
        free_thread(thread);
    }
    program->threads = NULL;
    fputs("1\n4\ndone\n", stdout);
    fflush(stdout);
}

static void add_instruction(struct thread *thread, struct frame words)
{
    if (!thread)
        give_up("an instruction belongs to no thread");
    thread->instructions =
        realloc(thread->instructions, (thread->count + 1) * sizeof *thread->instructions);
    if (!thread->instructions)
        give_up("no memory");
    thread->instructions[thread->count++] = words;
}

int main(void)
{
    struct program program = {.names = PTHREAD_MUTEX_INITIALIZER};
    struct thread *current = NULL;
    struct frame words;
    fputs("2\n5\nhello\n1\nc\n", stdout);
    fflush(stdout);
    bool quits = false;
    while (!quits && frame_read(stdin, &words)) {
        tendon_bytes word = words.count ? words.words[0] : bytes_of("");
        quits = bytes_are(word, "quit");
        if (bytes_are(word, "run")) {
            run(&program);
            current = NULL;
        } else if (bytes_are(word, "thread") && words.count == 2) {
            long number = number_of(words.words[1]);
            current = find_thread(&program, number);
            if (!current)
                current = add_thread(&program, number);
        } else if (!quits) {
            add_instruction(current, words);
            continue;
        }
        frame_free(&words);
    }
    return 0;
}
