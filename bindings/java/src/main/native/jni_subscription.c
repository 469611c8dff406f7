/*
 * The native methods of NativeClient.java for subscriptions: one queue and one subscription, whose
 * outcomes and events one thread of Java's takes one by one while others submit.
 */
#include <jni.h>

#include <stdlib.h>

#include "jni_frame.h"
#include "jni_tape.h"

METHOD(jlong, subscriptionOpen)
(JNIEnv *env, jclass class, jlong client, jlong buffer, jint capacity);
METHOD(jint, subscriptionSubmit)
(JNIEnv *env, jclass class, jlong subscription, jlong buffer, jint capacity);
METHOD(jlong, subscriptionTake)
(JNIEnv *env, jclass class, jlong subscription, jlong timeout_ms, jlong buffer, jint capacity);
METHOD(void, subscriptionWake)(JNIEnv *env, jclass class, jlong subscription);
METHOD(void, subscriptionClose)(JNIEnv *env, jclass class, jlong subscription);

struct tendon_jni_subscription {
    tendon_queue *queue;
    tendon_subscription *subscription;
    tendon_reply *reply; /* what Java may still be reading in place */
};

METHOD(jlong, subscriptionOpen)
(JNIEnv *env, jclass class, jlong client, jlong buffer, jint capacity)
{
    (void)env, (void)class;
    struct tendon_jni_subscription *made = calloc(1, sizeof *made);
    tendon_status status = made ? tendon_queue_create(&made->queue) : TENDON_ERROR_NO_MEMORY;
    if (status == TENDON_OK)
        status = tendon_subscription_open(HANDLE(tendon_client, client), made->queue, NULL, 0,
                                          &made->subscription);
    if (status == TENDON_OK)
        return (jlong)(uintptr_t)made;
    if (made)
        tendon_queue_destroy(made->queue);
    free(made);
    size_t written;
    tendon_jni_write_error((struct tendon_jni_buffer){HANDLE(uint8_t, buffer), (size_t)capacity},
                           status, NULL, &written);
    return 0;
}

/* Submits the only command of a frame. */
METHOD(jint, subscriptionSubmit)
(JNIEnv *env, jclass class, jlong handle, jlong buffer, jint capacity)
{
    (void)env, (void)class;
    struct tendon_jni_subscription *own = HANDLE(struct tendon_jni_subscription, handle);
    struct tendon_jni_buffer out = {HANDLE(uint8_t, buffer), (size_t)capacity};
    struct tendon_jni_frame frame = tendon_jni_frame_open(out.data);
    tendon_request request = tendon_jni_frame_next(&frame, 0);
    tendon_status status = tendon_subscription_submit(own->subscription, &request, NULL);
    size_t written;
    return status == TENDON_OK ? status : tendon_jni_write_error(out, status, NULL, &written);
}

static const tendon_node nothing = {.type = TENDON_NODE_NULL};

/*
 * Takes one outcome or event and writes it as a record (jni_tape.h), which is valid until the next
 * call. Returns its event in the lower half, 0 for an outcome, and its delay_ms in the upper half;
 * -1 when nothing came in time.
 */
METHOD(jlong, subscriptionTake)
(JNIEnv *env, jclass class, jlong handle, jlong timeout_ms, jlong buffer, jint capacity)
{
    (void)env, (void)class;
    struct tendon_jni_subscription *own = HANDLE(struct tendon_jni_subscription, handle);
    tendon_reply_destroy(own->reply);
    own->reply = NULL;
    tendon_completion done;
    if (tendon_queue_poll(own->queue, &done, sizeof done, 1, timeout_ms) == 0)
        return -1;
    own->reply = done.reply;
    struct tendon_jni_tape tape = {done.reply, done.nodes,      done.node_count,
                                   done.data,  done.data_bytes, false};
    if (!done.reply && !done.error) {
        tape.nodes = &nothing;
        tape.node_count = 1;
    }
    if (done.reply && done.error) { /* an event about a node, with its cause: the cause counts */
        tape.node_count = 0;
    }
    tendon_jni_write_record((struct tendon_jni_buffer){HANDLE(uint8_t, buffer), (size_t)capacity},
                            done.tag, &tape, done.error);
    return (jlong)((uint64_t)done.delay_ms << 32 | done.event);
}

/* Ends the wait of subscriptionTake. */
METHOD(void, subscriptionWake)(JNIEnv *env, jclass class, jlong handle)
{
    (void)env, (void)class;
    tendon_queue_wake(HANDLE(struct tendon_jni_subscription, handle)->queue);
}

/* Nobody is inside subscriptionTake, nor will be. */
METHOD(void, subscriptionClose)(JNIEnv *env, jclass class, jlong handle)
{
    (void)env, (void)class;
    struct tendon_jni_subscription *own = HANDLE(struct tendon_jni_subscription, handle);
    tendon_subscription_close(own->subscription);
    tendon_reply_destroy(own->reply);
    tendon_queue_destroy(own->queue);
    free(own);
}
