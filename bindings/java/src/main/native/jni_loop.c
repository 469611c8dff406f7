/*
 * The native methods of NativeClient.java that send without waiting: a thread of Java's, the
 * leader, calls loopTurn again and again, others may call the rest.
 */
#include <jni.h>

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "jni_frame.h"
#include "jni_tape.h"

/* Taken from the queue at a time: bounds what waits in Java while callbacks run. */
#define COMPLETIONS_MAX 512

METHOD(jlong, loopCreate)(JNIEnv *env, jclass class, jlong client);
METHOD(jint, loopSubmit)(JNIEnv *env, jclass class, jlong loop, jlong buffer, jint capacity);
METHOD(void, loopFlush)(JNIEnv *env, jclass class, jlong loop);
METHOD(jint, loopTurn)
(JNIEnv *env, jclass class, jlong loop, jlong buffer, jint capacity, jboolean sleep);
METHOD(void, loopCancel)(JNIEnv *env, jclass class, jlong loop, jlong id);
METHOD(void, loopWake)(JNIEnv *env, jclass class, jlong loop);
METHOD(jlong, loopLease)
(JNIEnv *env, jclass class, jlong loop, jlong timeout_ms, jlong tag, jlong buffer, jint capacity);
METHOD(void, loopDestroy)(JNIEnv *env, jclass class, jlong loop);

struct tendon_jni_loop {
    tendon_client *client; /* the caller's, who destroys it after this */
    tendon_queue *queue;
    bool driven; /* option drive=host: a turn drives the client too */
    int wake_fd;
    /* What a submitter found in the queue: it cannot be put back, and the leader may be asleep. */
    pthread_mutex_t lock;
    bool has_early;
    tendon_completion early;
    /* The leader's alone. */
    size_t taken;
    size_t count;
    tendon_completion done[COMPLETIONS_MAX];
};

METHOD(jlong, loopCreate)(JNIEnv *env, jclass class, jlong client)
{
    (void)env, (void)class;
    struct tendon_jni_loop *loop = calloc(1, sizeof *loop);
    if (!loop)
        return 0;
    loop->client = HANDLE(tendon_client, client);
    loop->driven = tendon_client_fd(loop->client) >= 0;
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->wake_fd < 0 || tendon_queue_create(&loop->queue) != TENDON_OK) {
        if (loop->wake_fd >= 0)
            close(loop->wake_fd);
        free(loop);
        return 0;
    }
    pthread_mutex_init(&loop->lock, NULL);
    return (jlong)(uintptr_t)loop;
}

static void wake(const struct tendon_jni_loop *loop)
{
    const uint64_t one = 1;
    ssize_t written = write(loop->wake_fd, &one, sizeof one);
    (void)written; /* a full counter wakes as well */
}

/* What a submit or flush completed at once makes no descriptor readable. */
static void tell_leader(struct tendon_jni_loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    if (!loop->has_early)
        loop->has_early =
            tendon_queue_poll(loop->queue, &loop->early, sizeof loop->early, 1, 0) == 1;
    bool early = loop->has_early;
    pthread_mutex_unlock(&loop->lock);
    if (early)
        wake(loop);
}

/*
 * Submits the commands of a frame and replaces their tags by their ids. Negative, with an error in
 * the buffer, when none was accepted. Who is not the leader calls loopFlush then.
 */
METHOD(jint, loopSubmit)(JNIEnv *env, jclass class, jlong handle, jlong buffer, jint capacity)
{
    (void)env, (void)class;
    struct tendon_jni_loop *loop = HANDLE(struct tendon_jni_loop, handle);
    struct tendon_jni_buffer out = {HANDLE(uint8_t, buffer), (size_t)capacity};
    struct tendon_jni_frame frame = tendon_jni_frame_open(out.data);
    tendon_request few[16];
    uint64_t few_ids[16];
    bool many = frame.count > 16;
    tendon_request *requests = many ? malloc(frame.count * sizeof *requests) : few;
    uint64_t *ids = many ? malloc(frame.count * sizeof *ids) : few_ids;
    tendon_status status = TENDON_ERROR_NO_MEMORY;
    if (requests && ids) {
        for (uint32_t i = 0; i < frame.count; i++)
            requests[i] = tendon_jni_frame_next(&frame, i);
        status =
            tendon_submit(loop->client, loop->queue, requests, sizeof *requests, frame.count, ids);
    }
    for (uint32_t i = 0; status == TENDON_OK && i < frame.count; i++)
        frame.commands[i].tag = ids[i];
    if (many) {
        free(requests);
        free(ids);
    }
    size_t written;
    return status == TENDON_OK ? status : tendon_jni_write_error(out, status, NULL, &written);
}

METHOD(void, loopFlush)(JNIEnv *env, jclass class, jlong handle)
{
    (void)env, (void)class;
    struct tendon_jni_loop *loop = HANDLE(struct tendon_jni_loop, handle);
    if (!loop->driven)
        return;
    if (tendon_client_flush(loop->client) == TENDON_OK)
        tell_leader(loop);
}

/* The token of the client is free meanwhile: others may submit and flush. */
static void sleep_until_ready(const struct tendon_jni_loop *loop)
{
    struct pollfd polled[2] = {
        {loop->driven ? tendon_client_fd(loop->client) : tendon_queue_fd(loop->queue), POLLIN, 0},
        {loop->wake_fd, POLLIN, 0},
    };
    if (poll(polled, 2, -1) > 0 && polled[1].revents) {
        uint64_t count;
        ssize_t got = read(loop->wake_fd, &count, sizeof count);
        (void)got;
    }
}

static void refill(struct tendon_jni_loop *loop)
{
    loop->taken = loop->count = 0;
    pthread_mutex_lock(&loop->lock);
    if (loop->has_early)
        loop->done[loop->count++] = loop->early;
    loop->has_early = false;
    pthread_mutex_unlock(&loop->lock);
    loop->count += tendon_queue_poll(loop->queue, loop->done + loop->count, sizeof *loop->done,
                                     COMPLETIONS_MAX - loop->count, 0);
}

/* A reply that Java read in place, or that was written. */
static void end_taken(struct tendon_jni_loop *loop)
{
    for (size_t i = 0; i < loop->taken; i++) {
        tendon_reply_destroy(loop->done[i].reply);
        loop->done[i].reply = NULL;
    }
}

/* What a lease that is ready answers. */
static const tendon_node nothing = {.type = TENDON_NODE_NULL};

static size_t write_one(const tendon_completion *done, struct tendon_jni_buffer out)
{
    struct tendon_jni_tape tape = {done->reply, done->nodes,      done->node_count,
                                   done->data,  done->data_bytes, false};
    if (done->kind == TENDON_COMPLETION_REPLY && !done->reply) {
        tape.nodes = &nothing;
        tape.node_count = 1;
    }
    return tendon_jni_write_record(out, done->tag, &tape, done->error);
}

static jint write_done(struct tendon_jni_loop *loop, struct tendon_jni_buffer out)
{
    jint written = 0;
    while (loop->taken < loop->count && out.size >= TENDON_JNI_BUFFER_BYTES_MIN) {
        tendon_completion *done = &loop->done[loop->taken++];
        size_t used = write_one(done, out);
        done->error = NULL; /* written and destroyed */
        written++;
        if (used > out.size)
            break;
        out = (struct tendon_jni_buffer){out.data + used, out.size - used};
    }
    return written;
}

/*
 * Does what is due and writes outcomes as records (jni_tape.h); returns how many. With `sleep` it
 * waits first. Large replies are read in place before the next turn.
 */
METHOD(jint, loopTurn)
(JNIEnv *env, jclass class, jlong handle, jlong buffer, jint capacity, jboolean sleep)
{
    (void)env, (void)class;
    struct tendon_jni_loop *loop = HANDLE(struct tendon_jni_loop, handle);
    end_taken(loop);
    if (loop->taken == loop->count) {
        if (sleep)
            sleep_until_ready(loop);
        if (loop->driven)
            (void)!tendon_client_process(loop->client, 0, NULL); /* a closed client has outcomes */
        refill(loop);
    }
    return write_done(loop, (struct tendon_jni_buffer){HANDLE(uint8_t, buffer), (size_t)capacity});
}

METHOD(void, loopCancel)(JNIEnv *env, jclass class, jlong handle, jlong id)
{
    (void)env, (void)class;
    struct tendon_jni_loop *loop = HANDLE(struct tendon_jni_loop, handle);
    if (tendon_cancel(loop->client, (uint64_t)id) == TENDON_OK)
        wake(loop);
}

METHOD(void, loopWake)(JNIEnv *env, jclass class, jlong handle)
{
    (void)env, (void)class;
    wake(HANDLE(struct tendon_jni_loop, handle));
}

/* A lease to use and to end at once, which is ready when the outcome with `tag` says so; or 0. */
METHOD(jlong, loopLease)
(JNIEnv *env, jclass class, jlong handle, jlong timeout_ms, jlong tag, jlong buffer, jint capacity)
{
    (void)env, (void)class;
    struct tendon_jni_loop *loop = HANDLE(struct tendon_jni_loop, handle);
    tendon_lease_options options = {.struct_size = sizeof options, .timeout_ms = timeout_ms};
    tendon_lease *lease = NULL;
    tendon_status status =
        tendon_lease_submit(loop->client, loop->queue, &options, (uint64_t)tag, &lease, NULL);
    if (status == TENDON_OK)
        return (jlong)(uintptr_t)lease;
    size_t written;
    tendon_jni_write_error((struct tendon_jni_buffer){HANDLE(uint8_t, buffer), (size_t)capacity},
                           status, NULL, &written);
    return 0;
}

METHOD(void, loopDestroy)(JNIEnv *env, jclass class, jlong handle)
{
    (void)env, (void)class;
    struct tendon_jni_loop *loop = HANDLE(struct tendon_jni_loop, handle);
    for (size_t i = 0; i < loop->count; i++) {
        tendon_reply_destroy(loop->done[i].reply);
        tendon_error_destroy(loop->done[i].error);
    }
    if (loop->has_early) {
        tendon_reply_destroy(loop->early.reply);
        tendon_error_destroy(loop->early.error);
    }
    tendon_queue_destroy(loop->queue);
    close(loop->wake_fd);
    pthread_mutex_destroy(&loop->lock);
    free(loop);
}
