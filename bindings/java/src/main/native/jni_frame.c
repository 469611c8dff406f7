/* How commands cross from Java: many in one buffer, see Wire.java. */
#include "jni_frame.h"

#include <string.h>

#define HEAD_BYTES 16
#define FLAGS      (TENDON_JNI_ROUTE_SLOT - 1) /* those of the core */

struct tendon_jni_frame tendon_jni_frame_open(void *data)
{
    uint8_t *at = data;
    struct tendon_jni_frame frame = {.commands = (void *)(at + HEAD_BYTES)};
    memcpy(&frame.count, at, sizeof frame.count);
    memcpy(&frame.timeout_ms, at + 8, sizeof frame.timeout_ms);
    uint64_t arg_count = 0;
    for (uint32_t i = 0; i < frame.count; i++)
        arg_count += frame.commands[i].arg_count;
    frame.sizes = (const void *)(frame.commands + frame.count);
    frame.args = (const void *)(frame.sizes + arg_count);
    return frame;
}

tendon_request tendon_jni_frame_next(struct tendon_jni_frame *frame, uint32_t index)
{
    const struct tendon_jni_command *command = &frame->commands[index];
    tendon_request request = {
        .struct_size = sizeof request,
        .flags = command->flags & FLAGS,
        .packed = frame->args,
        .packed_sizes = frame->sizes,
        .arg_count = command->arg_count,
        .tag = command->tag,
        .timeout_ms = frame->timeout_ms,
        .lease = HANDLE(tendon_lease, command->lease),
    };
    if (command->flags & TENDON_JNI_ROUTE_SLOT) {
        request.route = TENDON_ROUTE_SLOT;
        request.slot = command->flags >> TENDON_JNI_ROUTE_SHIFT;
    }
    for (uint32_t i = 0; i < command->arg_count; i++)
        frame->args += frame->sizes[i];
    frame->sizes += command->arg_count;
    return request;
}
