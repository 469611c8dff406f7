/* The native methods of NativeClient.java that send commands: one and wait, or many and wait. */
#include <jni.h>

#include <stdlib.h>
#include <string.h>

#include "jni_tape.h"

#define HANDLE(type, number) ((type *)(uintptr_t)(number))
#define METHOD(type, name)   JNIEXPORT type JNICALL Java_io_tendon_jedis_NativeClient_##name

METHOD(jint, call)
(JNIEnv *env, jclass class, jlong client, jlong lease, jlong buffer, jint capacity);
METHOD(jlong, batch)
(JNIEnv *env, jclass class, jlong client, jlong lease, jlong buffer, jint capacity);
METHOD(jint, batchTake)(JNIEnv *env, jclass class, jlong batch, jlong buffer, jint capacity);
METHOD(void, batchDestroy)(JNIEnv *env, jclass class, jlong batch);
METHOD(void, replyDestroy)(JNIEnv *env, jclass class, jlong reply);

/* What Java writes in front of the arguments, once for each command; see Exchange.java. */
struct command_head {
    uint32_t arg_count;
    uint32_t flags;
};

/* The buffer holds: u32 count, u32 0, i64 timeout_ms, the heads, all argument sizes, all arguments.
 */
#define CALL_HEAD_BYTES 16

struct cursor {
    const uint32_t *sizes;
    const uint8_t *args;
};

/* The outcomes of a batch until Java has taken the last of them. */
struct tendon_jni_batch {
    uint32_t count;
    uint32_t taken;
    tendon_outcome outcomes[];
};

static uint64_t count_of_args(const struct command_head *heads, uint32_t count)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += heads[i].arg_count;
    return sum;
}

static struct cursor first_of(const uint8_t *data, uint32_t count)
{
    const struct command_head *heads = (const void *)(data + CALL_HEAD_BYTES);
    const uint32_t *sizes = (const void *)(heads + count);
    return (struct cursor){sizes, (const uint8_t *)(sizes + count_of_args(heads, count))};
}

static tendon_request next_request(struct cursor *cursor, const struct command_head *head,
                                   jlong lease, int64_t timeout_ms)
{
    tendon_request request = {
        .struct_size = sizeof request,
        .flags = head->flags,
        .packed = cursor->args,
        .packed_sizes = cursor->sizes,
        .arg_count = head->arg_count,
        .timeout_ms = timeout_ms,
        .lease = HANDLE(tendon_lease, lease),
    };
    for (uint32_t i = 0; i < head->arg_count; i++)
        cursor->args += cursor->sizes[i];
    cursor->sizes += head->arg_count;
    return request;
}

static int64_t timeout_of(const uint8_t *data)
{
    int64_t timeout_ms;
    memcpy(&timeout_ms, data + 8, sizeof timeout_ms);
    return timeout_ms;
}

METHOD(jint, call)
(JNIEnv *env, jclass class, jlong client, jlong lease, jlong buffer, jint capacity)
{
    (void)env, (void)class;
    size_t written;
    struct tendon_jni_buffer out = {HANDLE(uint8_t, buffer), (size_t)capacity};
    struct cursor cursor = first_of(out.data, 1);
    tendon_request request = next_request(&cursor, (const void *)(out.data + CALL_HEAD_BYTES),
                                          lease, timeout_of(out.data));
    tendon_reply *reply = NULL;
    tendon_error *error = NULL;
    tendon_status status = tendon_call(HANDLE(tendon_client, client), &request, &reply, &error);
    if (status != TENDON_OK)
        return tendon_jni_write_error(out, status, error, &written);
    int32_t node_count = tendon_jni_write_reply(out, reply, &written);
    if (node_count)
        tendon_reply_destroy(reply);
    return node_count;
}

METHOD(jlong, batch)
(JNIEnv *env, jclass class, jlong client, jlong lease, jlong buffer, jint capacity)
{
    (void)env, (void)class;
    size_t written;
    struct tendon_jni_buffer out = {HANDLE(uint8_t, buffer), (size_t)capacity};
    uint32_t count;
    memcpy(&count, out.data, sizeof count);
    tendon_request *requests = calloc(count, sizeof *requests);
    struct tendon_jni_batch *batch = calloc(1, sizeof *batch + count * sizeof(tendon_outcome));
    tendon_status status = TENDON_ERROR_NO_MEMORY;
    if (requests && batch) {
        const struct command_head *heads = (const void *)(out.data + CALL_HEAD_BYTES);
        struct cursor cursor = first_of(out.data, count);
        for (uint32_t i = 0; i < count; i++)
            requests[i] = next_request(&cursor, &heads[i], lease, timeout_of(out.data));
        batch->count = count;
        status = tendon_call_batch(HANDLE(tendon_client, client), requests, sizeof *requests, count,
                                   batch->outcomes);
    }
    free(requests);
    if (status == TENDON_OK)
        return (jlong)(uintptr_t)batch;
    free(batch);
    tendon_jni_write_error(out, status, NULL, &written);
    return 0;
}

/* One record: i32 size of the record, i32 what call() would return, then what call() would have
 * written. */
static size_t take_one(struct tendon_jni_batch *batch, struct tendon_jni_buffer out)
{
    tendon_outcome *outcome = &batch->outcomes[batch->taken];
    struct tendon_jni_buffer body = {out.data + 8, out.size - 8};
    size_t written = 0;
    int32_t kind;
    if (outcome->reply)
        kind = tendon_jni_write_reply(body, outcome->reply, &written);
    else
        kind = tendon_jni_write_error(body, TENDON_ERROR_NO_MEMORY, outcome->error, &written);
    uint32_t head[2] = {(uint32_t)(8 + written), (uint32_t)kind};
    memcpy(out.data, head, sizeof head);
    if (kind) {
        tendon_reply_destroy(outcome->reply);
        outcome->reply = NULL;
    }
    outcome->error = NULL; /* written and destroyed */
    return 8 + written;
}

/*
 * Writes the next outcomes and returns how many. A reply too large for the buffer comes alone; Java
 * reads it in place before it takes the next ones, and batchDestroy frees it.
 */
METHOD(jint, batchTake)(JNIEnv *env, jclass class, jlong handle, jlong buffer, jint capacity)
{
    (void)env, (void)class;
    struct tendon_jni_batch *batch = HANDLE(struct tendon_jni_batch, handle);
    struct tendon_jni_buffer out = {HANDLE(uint8_t, buffer), (size_t)capacity};
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

METHOD(void, batchDestroy)(JNIEnv *env, jclass class, jlong handle)
{
    (void)env, (void)class;
    struct tendon_jni_batch *batch = HANDLE(struct tendon_jni_batch, handle);
    for (uint32_t i = 0; i < batch->count; i++) {
        tendon_reply_destroy(batch->outcomes[i].reply);
        tendon_error_destroy(batch->outcomes[i].error);
    }
    free(batch);
}

METHOD(void, replyDestroy)(JNIEnv *env, jclass class, jlong reply)
{
    (void)env, (void)class;
    tendon_reply_destroy(HANDLE(tendon_reply, reply));
}
