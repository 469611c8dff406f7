/* How replies and errors cross to Java: packed into a buffer whose address Java hands over. */
#ifndef TENDON_JNI_TAPE_H
#define TENDON_JNI_TAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tendon/tendon.h>

/* A place to write to. All numbers in it are in native byte order; nothing in it is aligned by
 * promise. */
struct tendon_jni_buffer {
    uint8_t *data;
    size_t size;
};

/* What a reply consists of, as tendon_reply_look and a completion tell it. */
struct tendon_jni_tape {
    const tendon_reply *reply;
    const tendon_node *nodes;
    uint64_t node_count;
    const uint8_t *data;
    uint64_t data_bytes;
    bool kept; /* out: too large for the buffer, see below */
};

/*
 * Writes nodes and then data. Returns the number of nodes, or 0 when they do not fit: then five
 * 64-bit numbers are written instead (the reply, the address and count of its nodes, the address
 * and size of its data) and the reply must stay alive while Java reads it in place; `kept` says so.
 */
int32_t tendon_jni_write_tape(struct tendon_jni_buffer out, struct tendon_jni_tape *tape,
                              size_t *out_written);

/* Writes an error and destroys it. NULL means that only `status` is known. Returns the status,
 * negative. */
int32_t tendon_jni_write_error(struct tendon_jni_buffer out, tendon_status status,
                               tendon_error *error, size_t *out_written);

/*
 * One outcome among several: u32 size of the record, i32 what write_tape or write_error returned,
 * u64 tag, then what that wrote. Returns the size, a multiple of 8. Destroys the error.
 */
size_t tendon_jni_write_record(struct tendon_jni_buffer out, uint64_t tag,
                               struct tendon_jni_tape *tape, tendon_error *error);

/* Least size of a buffer that an error or the numbers of a large reply fit into. Java never has a
 * smaller one. */
#define TENDON_JNI_BUFFER_BYTES_MIN 1024

#endif
