/**
 * The words every other header uses: status, byte strings, and the export macro.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TENDON_TYPES_H
#define TENDON_TYPES_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define TENDON_API      __attribute__((visibility("default")))
#define TENDON_MUST_USE __attribute__((warn_unused_result))
#else
#define TENDON_API
#define TENDON_MUST_USE
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** 0 is success, every negative value is a failure named in <tendon/status.h>. */
typedef int32_t tendon_status;

/**
 * A byte string: a pointer and a length in bytes. Never NUL-terminated by promise, may hold any
 * byte. `data` may be NULL only when `size` is 0.
 */
typedef struct tendon_bytes {
    const void *data;
    size_t size;
} tendon_bytes;

/** Opaque handles. Each is described in the header of its own name. */
typedef struct tendon_config tendon_config;
typedef struct tendon_client tendon_client;
typedef struct tendon_lease tendon_lease;
typedef struct tendon_queue tendon_queue;
typedef struct tendon_subscription tendon_subscription;
typedef struct tendon_reply tendon_reply;
typedef struct tendon_error tendon_error;

#ifdef __cplusplus
}
#endif

#endif
