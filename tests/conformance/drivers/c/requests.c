/* Commands are submitted without waiting; whoever takes an entry of the stack waits for it. */
#include <stdlib.h>
#include <string.h>

#include "program.h"

void *keep(struct thread *thread, void *memory)
{
    thread->kept = realloc(thread->kept, (thread->kept_count + 1) * sizeof *thread->kept);
    if (!thread->kept)
        give_up("no memory");
    return thread->kept[thread->kept_count++] = memory;
}

static struct entry *push_entry(struct thread *thread)
{
    if (thread->depth == thread->room) {
        thread->room = 2 * thread->room + 16;
        thread->stack = realloc(thread->stack, thread->room * sizeof *thread->stack);
        if (!thread->stack)
            give_up("no memory");
    }
    struct entry *entry = &thread->stack[thread->depth++];
    *entry = (struct entry){.index = thread->index};
    return entry;
}

/* A new entry, whose value is to be added to the text. */
struct text *push(struct thread *thread)
{
    return &push_entry(thread)->text;
}

/* Takes one completion out of the queue and gives it to the outcome that waits for it. */
static void collect(struct thread *thread)
{
    tendon_completion done;
    if (!tendon_queue_poll(thread->queue, &done, sizeof done, 1, -1))
        return;
    struct part *part = (void *)(uintptr_t)done.tag; /* NOLINT: it was made from this address */
    if (done.kind == TENDON_COMPLETION_REPLY)
        text_add_node(&part->text, done.nodes, done.data, 0);
    else
        text_add_error(&part->text, done.error);
    part->outcome->waiting--;
    tendon_reply_destroy(done.reply);
    tendon_error_destroy(done.error);
}

/* Makes the value of an entry out of its outcome. */
static void wait_for(struct thread *thread, struct entry *entry)
{
    struct outcome *outcome = entry->outcome;
    if (!outcome)
        return;
    while (outcome->waiting)
        collect(thread);
    if (outcome->result == RESULT_LIST)
        text_add_count(&entry->text, '*', outcome->count);
    for (size_t i = 0; i < outcome->count; i++) {
        if (outcome->result == RESULT_LIST || i == outcome->count - 1)
            text_add_words(&entry->text, &outcome->parts[i].text);
        text_free(&outcome->parts[i].text);
    }
    free(outcome);
    entry->outcome = NULL;
}

struct entry take(struct thread *thread)
{
    if (!thread->depth)
        give_up("instruction %zu of thread %ld finds the stack empty", thread->index,
                thread->number);
    struct entry *entry = &thread->stack[--thread->depth];
    wait_for(thread, entry);
    return *entry;
}

/* Waits for everything under way, as a driver that blocks would have done. */
void settle(struct thread *thread)
{
    for (size_t i = 0; i < thread->depth; i++)
        wait_for(thread, &thread->stack[i]);
}

/* Submits commands together and pushes their outcome. As the last result counts, the commands are a
 * transaction if there are several: a group, which is neither split nor mixed with others. */
void submit(struct thread *thread, const struct client *client, const struct command *commands,
            size_t count, enum result result, uint64_t *out_id)
{
    struct outcome *outcome = allocate(sizeof *outcome + count * sizeof *outcome->parts);
    *outcome = (struct outcome){.waiting = count, .count = count, .result = result};
    tendon_request *requests = allocate(count * sizeof *requests);
    for (size_t i = 0; i < count; i++) {
        outcome->parts[i].outcome = outcome;
        requests[i] = (tendon_request){.struct_size = sizeof *requests,
                                       .args = commands[i].args,
                                       .arg_count = commands[i].count,
                                       .tag = (uintptr_t)&outcome->parts[i],
                                       .lease = client->lease};
        if (result == RESULT_LAST && count > 1)
            requests[i].flags = TENDON_REQUEST_ATOMIC;
    }
    if (result == RESULT_LAST && count > 1)
        requests[count - 1].flags |= TENDON_REQUEST_ATOMIC_END;
    struct entry *entry = push_entry(thread);
    tendon_status status = count ? tendon_submit(client->handle, thread->queue, requests,
                                                 sizeof *requests, count, out_id)
                                 : TENDON_OK;
    free(requests);
    if (status == TENDON_OK) {
        entry->outcome = outcome;
        return;
    }
    text_add_status(&entry->text, status);
    free(outcome);
}

/* Takes the top of the stack as an argument. */
static tendon_bytes taken_argument(struct thread *thread)
{
    struct entry entry = take(thread);
    tendon_bytes argument = text_argument(&entry.text);
    keep(thread, entry.text.bytes);
    return argument;
}

/* The arguments that value operands stand for. */
struct command read_command(struct thread *thread, const tendon_bytes *operands, size_t count)
{
    struct command command = {keep(thread, allocate((count + 1) * sizeof(tendon_bytes))),
                              (uint32_t)count};
    for (size_t i = 0; i < count; i++) {
        const char *operand = operands[i].data;
        if (!operands[i].size || !strchr("=:,^", *operand))
            give_up("no operand: %s", operand);
        command.args[i] = *operand == '^' ? taken_argument(thread)
                                          : (tendon_bytes){operand + 1, operands[i].size - 1};
    }
    return command;
}
