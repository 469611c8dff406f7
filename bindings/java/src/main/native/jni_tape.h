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

/*
 * Writes nodes and then data. Returns the number of nodes, or 0 when they do not fit: then five
 * 64-bit numbers are written instead (the reply, the address and count of its nodes, the address
 * and size of its data) and the reply stays alive, for Java to read in place and to destroy.
 */
int32_t tendon_jni_write_reply(struct tendon_jni_buffer out, const tendon_reply *reply,
                               size_t *out_written);

/* Writes an error and destroys it. NULL means that only `status` is known. Returns the status,
 * negative. */
int32_t tendon_jni_write_error(struct tendon_jni_buffer out, tendon_status status,
                               tendon_error *error, size_t *out_written);

/* Least size of a buffer that an error or the numbers of a large reply fit into. Java never has a
 * smaller one. */
#define TENDON_JNI_BUFFER_BYTES_MIN 1024

#endif
