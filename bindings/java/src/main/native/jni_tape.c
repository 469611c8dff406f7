/* How replies and errors cross to Java: packed into a buffer whose address Java hands over. */
#include "jni_tape.h"

#include <string.h>

/* The fixed part of an error, as Wire.java reads it. */
#define ERROR_HEAD_BYTES 36

#define RECORD_HEAD_BYTES 16

static size_t put(struct tendon_jni_buffer out, size_t at, const void *bytes, size_t size)
{
    if (size)
        memcpy(out.data + at, bytes, size);
    return at + size;
}

static size_t put_u32(struct tendon_jni_buffer out, size_t at, uint32_t number)
{
    return put(out, at, &number, sizeof number);
}

static size_t put_u64(struct tendon_jni_buffer out, size_t at, uint64_t number)
{
    return put(out, at, &number, sizeof number);
}

int32_t tendon_jni_write_tape(struct tendon_jni_buffer out, struct tendon_jni_tape *tape,
                              size_t *out_written)
{
    size_t node_bytes = tape->node_count * sizeof(tendon_node);
    tape->kept = node_bytes > out.size || tape->data_bytes > out.size - node_bytes;
    if (!tape->kept) {
        put(out, put(out, 0, tape->nodes, node_bytes), tape->data, tape->data_bytes);
        *out_written = node_bytes + tape->data_bytes;
        return (int32_t)tape->node_count;
    }
    size_t at = put_u64(out, 0, (uintptr_t)tape->reply);
    at = put_u64(out, at, (uintptr_t)tape->nodes);
    at = put_u64(out, at, tape->node_count);
    at = put_u64(out, at, (uintptr_t)tape->data);
    *out_written = put_u64(out, at, tape->data_bytes);
    return 0;
}

size_t tendon_jni_write_record(struct tendon_jni_buffer out, uint64_t tag,
                               struct tendon_jni_tape *tape, tendon_error *error)
{
    struct tendon_jni_buffer body = {out.data + RECORD_HEAD_BYTES, out.size - RECORD_HEAD_BYTES};
    size_t written = 0;
    int32_t kind = tape->node_count
                       ? tendon_jni_write_tape(body, tape, &written)
                       : tendon_jni_write_error(body, TENDON_ERROR_NO_MEMORY, error, &written);
    written = (RECORD_HEAD_BYTES + written + 7) & ~(size_t)7;
    put_u64(out, put_u32(out, put_u32(out, 0, (uint32_t)written), (uint32_t)kind), tag);
    return written;
}

static size_t length_below(const char *text, size_t limit)
{
    return strnlen(text, limit);
}

int32_t tendon_jni_write_error(struct tendon_jni_buffer out, tendon_status status,
                               tendon_error *error, size_t *out_written)
{
    tendon_error_view view = {.struct_size = sizeof view};
    if (!error || tendon_error_look(error, &view) != TENDON_OK) {
        view.status = status;
        view.executed =
            TENDON_EXECUTED_NO; /* calls that hand out no error fail before anything is sent */
        view.message = tendon_status_text(status);
        view.prefix = view.node = "";
    }
    size_t room = out.size - ERROR_HEAD_BYTES;
    size_t prefix_bytes = length_below(view.prefix, 64);
    size_t node_bytes = length_below(view.node, 300);
    size_t message_bytes = length_below(view.message, room - prefix_bytes - node_bytes);
    size_t at = put_u32(out, 0, (uint32_t)view.status);
    at = put_u32(out, at, view.error_class);
    at = put_u32(out, at, view.executed);
    at = put_u32(out, at, view.attempts);
    at = put_u64(out, at, view.elapsed_us);
    at = put_u32(out, at, (uint32_t)message_bytes);
    at = put_u32(out, at, (uint32_t)prefix_bytes);
    at = put_u32(out, at, (uint32_t)node_bytes);
    at = put(out, at, view.message, message_bytes);
    at = put(out, at, view.prefix, prefix_bytes);
    *out_written = put(out, at, view.node, node_bytes);
    tendon_error_destroy(error);
    return status;
}
