/* How commands cross from Java: many in one buffer, see Wire.java. */
#ifndef TENDON_JNI_FRAME_H
#define TENDON_JNI_FRAME_H

#include <stdint.h>

#include <tendon/tendon.h>

/* Handles are pointers in a Java long; 0 is NULL and every function of the core accepts or refuses
 * that. */
#define HANDLE(type, number) ((type *)(uintptr_t)(number))
#define METHOD(type, name)   JNIEXPORT type JNICALL Java_io_tendon_jedis_NativeClient_##name

/* In `flags`, beside the core's: the command goes to the owner of the slot in the upper half. */
#define TENDON_JNI_ROUTE_SLOT  0x8000u
#define TENDON_JNI_ROUTE_SHIFT 16

/* What Java writes in front of the arguments, once for each command. */
struct tendon_jni_command {
    uint32_t arg_count;
    uint32_t flags;
    uint64_t tag;
    uint64_t lease;
};

/* A frame: u32 count, u32 0, i64 timeout_ms, the commands, all argument sizes, all arguments. */
struct tendon_jni_frame {
    uint32_t count;
    int64_t timeout_ms;
    struct tendon_jni_command *commands;
    const uint32_t *sizes; /* of the command that comes next */
    const uint8_t *args;
};

struct tendon_jni_frame tendon_jni_frame_open(void *data);

/* Makes the request of command `index`; to be called for each in order. It borrows the frame. */
tendon_request tendon_jni_frame_next(struct tendon_jni_frame *frame, uint32_t index);

#endif
