/* The native methods of NativeClient.java that send commands: one and wait, or many and wait. */
#include <jni.h>

#include <stdlib.h>
#include <string.h>

#include "jni_frame.h"
#include "jni_tape.h"

METHOD(jint, call)
(JNIEnv *env, jclass class, jlong client, jlong buffer, jint capacity);
METHOD(jint, batch)
(JNIEnv *env, jclass class, jlong client, jlong frame, jlong buffer, jint capacity);
METHOD(jint, batchTake)(JNIEnv *env, jclass class, jlong batch, jlong buffer, jint capacity);
METHOD(void, batchDestroy)(JNIEnv *env, jclass class, jlong batch);
METHOD(void, replyDestroy)(JNIEnv *env, jclass class, jlong reply);

/* The outcomes of a batch until Java has taken the last of them. */
struct tendon_jni_batch {
    uint32_t count;
    uint32_t taken;
    tendon_outcome outcomes[];
};

METHOD(jint, call)
(JNIEnv *env, jclass class, jlong client, jlong buffer, jint capacity)
{
    (void)env, (void)class;
    size_t written;
    struct tendon_jni_buffer out = {HANDLE(uint8_t, buffer), (size_t)capacity};
    struct tendon_jni_frame frame = tendon_jni_frame_open(out.data);
    tendon_request request = tendon_jni_frame_next(&frame, 0);
    tendon_reply *reply = NULL;
    tendon_error *error = NULL;
    tendon_status status = tendon_call(HANDLE(tendon_client, client), &request, &reply, &error);
    if (status != TENDON_OK)
        return tendon_jni_write_error(out, status, error, &written);
    tendon_reply_view view = {.struct_size = sizeof view};
    if (tendon_reply_look(reply, &view) != TENDON_OK)
        return tendon_jni_write_error(out, TENDON_ERROR_NO_MEMORY, NULL, &written);
    struct tendon_jni_tape tape = {reply,     view.nodes,      view.node_count,
                                   view.data, view.data_bytes, false};
    int32_t node_count = tendon_jni_write_tape(out, &tape, &written);
    if (!tape.kept)
        tendon_reply_destroy(reply);
    return node_count;
}

/* Sends the commands of a frame and waits. NULL and the status when nothing was sent. */
static struct tendon_jni_batch *send_batch(tendon_client *client, void *data,
                                           tendon_status *out_status)
{
    struct tendon_jni_frame frame = tendon_jni_frame_open(data);
    uint32_t count = frame.count;
    tendon_request *requests = malloc(count * sizeof *requests);
    struct tendon_jni_batch *batch = malloc(sizeof *batch + count * sizeof(tendon_outcome));
    *out_status = TENDON_ERROR_NO_MEMORY;
    if (requests && batch) {
        for (uint32_t i = 0; i < count; i++)
            requests[i] = tendon_jni_frame_next(&frame, i);
        batch->count = count;
        batch->taken = 0;
        *out_status = tendon_call_batch(client, requests, sizeof *requests, count, batch->outcomes);
    }
    free(requests);
    if (*out_status == TENDON_OK)
        return batch;
    free(batch);
    return NULL;
}

static size_t take_one(struct tendon_jni_batch *batch, struct tendon_jni_buffer out)
{
    tendon_outcome *outcome = &batch->outcomes[batch->taken];
    tendon_reply_view view = {.struct_size = sizeof view};
    if (outcome->reply && tendon_reply_look(outcome->reply, &view) != TENDON_OK)
        view.node_count = 0;
    struct tendon_jni_tape tape = {outcome->reply, view.nodes,      view.node_count,
                                   view.data,      view.data_bytes, false};
    size_t written = tendon_jni_write_record(out, batch->taken, &tape, outcome->error);
    outcome->error = NULL; /* written and destroyed */
    if (!tape.kept) {
        tendon_reply_destroy(outcome->reply);
        outcome->reply = NULL;
    }
    return written;
}

/*
 * Writes the next outcomes and returns how many. A reply too large for the buffer comes alone; Java
 * reads it in place before it takes the next ones, and destroy_batch frees it.
 */
static jint take_some(struct tendon_jni_batch *batch, struct tendon_jni_buffer out)
{
    jint taken = 0;
    while (batch->taken < batch->count && out.size >= TENDON_JNI_BUFFER_BYTES_MIN) {
        size_t used = take_one(batch, out);
        bool large = batch->outcomes[batch->taken].reply;
        if (large && taken)
            break; /* it is written again, into a whole buffer */
        batch->taken++;
        taken++;
        if (large || used + TENDON_JNI_BUFFER_BYTES_MIN > out.size)
            break;
        out = (struct tendon_jni_buffer){out.data + used, out.size - used};
    }
    return taken;
}

/* Whether all is written, and nothing of it read in place. */
static bool is_over(const struct tendon_jni_batch *batch)
{
    return batch->taken == batch->count &&
           (!batch->count || !batch->outcomes[batch->count - 1].reply);
}

/* What is before `begun` has been written and destroyed. */
static void destroy_batch(struct tendon_jni_batch *batch, uint32_t begun)
{
    for (uint32_t i = begun; i < batch->count; i++) {
        tendon_reply_destroy(batch->outcomes[i].reply);
        tendon_error_destroy(batch->outcomes[i].error);
    }
    free(batch);
}

/*
 * Sends, waits, and takes what fits into the buffer: a u64, the batch for batchTake and
 * batchDestroy or 0 when nothing is left, and the records. Returns their number; negative with an
 * error in the buffer when nothing was sent. The frame may be in the buffer.
 */
METHOD(jint, batch)
(JNIEnv *env, jclass class, jlong client, jlong frame, jlong buffer, jint capacity)
{
    (void)env, (void)class;
    tendon_status status;
    size_t written;
    struct tendon_jni_buffer out = {HANDLE(uint8_t, buffer), (size_t)capacity};
    struct tendon_jni_batch *batch =
        send_batch(HANDLE(tendon_client, client), HANDLE(void, frame), &status);
    if (!batch)
        return tendon_jni_write_error(out, status, NULL, &written);
    uint64_t left = (uintptr_t)batch;
    struct tendon_jni_buffer records = {out.data + sizeof left, out.size - sizeof left};
    jint taken = take_some(batch, records);
    if (is_over(batch)) {
        destroy_batch(batch, batch->count);
        left = 0;
    }
    memcpy(out.data, &left, sizeof left);
    return taken;
}

METHOD(jint, batchTake)(JNIEnv *env, jclass class, jlong batch, jlong buffer, jint capacity)
{
    (void)env, (void)class;
    return take_some(HANDLE(struct tendon_jni_batch, batch),
                     (struct tendon_jni_buffer){HANDLE(uint8_t, buffer), (size_t)capacity});
}

METHOD(void, batchDestroy)(JNIEnv *env, jclass class, jlong batch)
{
    (void)env, (void)class;
    destroy_batch(HANDLE(struct tendon_jni_batch, batch), 0);
}

METHOD(void, replyDestroy)(JNIEnv *env, jclass class, jlong reply)
{
    (void)env, (void)class;
    tendon_reply_destroy(HANDLE(tendon_reply, reply));
}
