/*
 * Commands in flight: the tendon driver's part with submit and poll. Of the commands every
 * so-manieth is timed, because two clock readings cost as much as the rest of the work.
 */
#include <stdlib.h>

#include "tendon_driver.h"
#include "trouble.h"

#define TIMED_EVERY 16

/* Commands in flight. A tag is the place of a command: which key it asks for, and since when. */
struct flight {
    uint32_t key;
    bool write;
    int64_t begin_ns; /* 0: not timed */
};

struct window {
    tendon_queue *queue;
    struct flight *flights;
    tendon_request *requests;
    tendon_bytes (*args)[3];
    tendon_completion *done;
    uint32_t *places; /* which are to be submitted next */
    uint32_t each;    /* commands handed over by one tendon_submit */
    bool timed;       /* each of them */
    bool host;        /* this thread drives the client itself */
};

static void submit(const struct job *job, tendon_client *client, struct window *window,
                   struct tally *tally, uint32_t count)
{
    int64_t begin_ns = now_ns();
    for (uint32_t i = 0; i < count; i++) {
        struct flight *flight = &window->flights[window->places[i]];
        flight->key = job_next_key(job, tally);
        flight->write = job_writes(job, tally);
        flight->begin_ns = window->timed || tally->turn % TIMED_EVERY == 0 ? begin_ns : 0;
        fill(job, &window->requests[i], window->args[i], flight->key, flight->write);
        window->requests[i].tag = window->places[i];
    }
    for (uint32_t i = 0; i < count; i += window->each) {
        uint32_t some = count - i < window->each ? count - i : window->each;
        if (tendon_submit(client, window->queue, window->requests + i, sizeof *window->requests,
                          some, NULL) != TENDON_OK)
            job_die("tendon_submit", "refused");
    }
}

static uint32_t collect(const struct job *job, tendon_client *client, struct window *window,
                        struct tally *tally)
{
    if (window->host && tendon_client_process(client, -1, NULL) != TENDON_OK)
        job_die("tendon_client_process", "failed");
    size_t count = tendon_queue_poll(window->queue, window->done, sizeof *window->done, POLL_MAX,
                                     window->host ? 0 : -1);
    int64_t end_ns = now_ns();
    for (size_t i = 0; i < count; i++) {
        tendon_completion *done = &window->done[i];
        struct flight *flight = &window->flights[done->tag];
        window->places[i] = (uint32_t)done->tag;
        if (done->kind == TENDON_COMPLETION_REPLY)
            take(job, tally, flight->key, flight->write, done->nodes, done->data);
        else
            job_error(tally, "a submitted command failed");
        if (flight->begin_ns)
            job_latency(tally, end_ns - flight->begin_ns);
        tendon_reply_destroy(done->reply);
        tendon_error_destroy(done->error);
    }
    return (uint32_t)count;
}

static void window_init(const struct job *job, struct window *window)
{
    size_t depth = job->concurrency;
    window->flights = calloc(depth, sizeof *window->flights);
    window->requests = calloc(depth, sizeof *window->requests);
    window->args = calloc(depth, sizeof *window->args);
    window->done = calloc(POLL_MAX, sizeof *window->done);
    window->places = calloc(depth < POLL_MAX ? POLL_MAX : depth, sizeof *window->places);
    if (!window->flights || !window->requests || !window->args || !window->done || !window->places)
        job_die("memory", "none left");
    if (tendon_queue_create(&window->queue) != TENDON_OK)
        job_die("tendon_queue_create", "refused");
    for (uint32_t i = 0; i < depth; i++)
        window->places[i] = i;
}

static void window_deinit(struct window *window)
{
    tendon_queue_destroy(window->queue);
    free(window->flights);
    free(window->requests);
    free(window->args);
    free(window->done);
    free(window->places);
}

static void in_flight(const struct job *job, void *client, struct tally *tally,
                      struct window window)
{
    uint32_t flying = job->concurrency;
    uint64_t counted = 0;
    window_init(job, &window);
    submit(job, client, &window, tally, flying);
    while (flying) {
        uint32_t count = collect(job, client, &window, tally);
        if (job_phase(tally) != PHASE_END) {
            submit(job, client, &window, tally, count);
            counted = tally->ops;
        } else {
            flying -= count;
        }
    }
    tally->ops = counted; /* those that came in after the end do not count */
    window_deinit(&window);
}

void async(const struct job *job, void *client, struct tally *tally, uint32_t index)
{
    (void)index;
    in_flight(job, client, tally, (struct window){.each = UINT32_MAX});
}

void async_single(const struct job *job, void *client, struct tally *tally, uint32_t index)
{
    (void)index;
    in_flight(job, client, tally, (struct window){.each = 1});
}

void async_host(const struct job *job, void *client, struct tally *tally, uint32_t index)
{
    (void)index;
    in_flight(job, client, tally, (struct window){.each = UINT32_MAX, .host = true});
}

/* The name of what went wrong with a call, or NULL. */
static const char *kind_of(const tendon_completion *done)
{
    if (done->kind != TENDON_COMPLETION_REPLY)
        return tendon_status_name(done->status);
    if (done->nodes->type != TENDON_NODE_ERROR)
        return NULL;
    return trouble_first_word((const char *)done->data + done->nodes->value.offset,
                              done->nodes->size);
}

/* As collect, but every call is timed and may fail; who failed waits. */
static uint32_t collect_some(const struct job *job, struct window *window, struct tally *tally,
                             struct patience *patience)
{
    uint32_t ready = 0;
    size_t count = tendon_queue_poll(window->queue, window->done, sizeof *window->done, POLL_MAX,
                                     patience_left_ms(patience));
    int64_t end_ns = now_ns();
    for (size_t i = 0; i < count; i++) {
        tendon_completion *done = &window->done[i];
        struct flight *flight = &window->flights[done->tag];
        const char *kind = kind_of(done);
        trouble_note(tally, flight->begin_ns, end_ns, kind);
        job_latency(tally, end_ns - flight->begin_ns);
        if (kind) {
            patience_add(patience, (uint32_t)done->tag);
        } else {
            take(job, tally, flight->key, flight->write, done->nodes, done->data);
            window->places[ready++] = (uint32_t)done->tag;
        }
        tendon_reply_destroy(done->reply);
        tendon_error_destroy(done->error);
    }
    return ready;
}

void failover(const struct job *job, void *client, struct tally *tally, uint32_t index)
{
    struct window window = {.each = UINT32_MAX, .timed = true};
    struct patience patience;
    uint32_t ready = job->concurrency;
    (void)index;
    window_init(job, &window);
    patience_init(&patience, job->concurrency);
    while (job_phase(tally) != PHASE_END) {
        submit(job, client, &window, tally, ready);
        ready = collect_some(job, &window, tally, &patience);
        while (patience_take(&patience, now_ns(), &window.places[ready]))
            ready++;
    }
    patience_deinit(&patience);
    window_deinit(&window);
}
