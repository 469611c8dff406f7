/**
 * Which ABI and which release this is.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TENDON_VERSION_H
#define TENDON_VERSION_H

#include <tendon/types.h>

/** The soname's number. Changes only when an existing symbol, struct field or meaning changes. */
#define TENDON_ABI_MAJOR 1
/** Grows by one whenever something is appended to the ABI. */
#define TENDON_ABI_MINOR 0
/** The release, semantic versioning. */
#define TENDON_VERSION "0.1.0"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The ABI of the loaded library: `major << 16 | minor`. A binding compares it with the constants
 * above when it loads the library, and refuses another major or a smaller minor. Never blocks, any
 * thread. Since 0.1.
 */
TENDON_API uint32_t tendon_abi_version(void);

/** The release of the loaded library, a static NUL-terminated string like "0.1.0". Since 0.1. */
TENDON_API const char *tendon_version(void);

/**
 * The TLS library this build talks through, a static string like "OpenSSL 3.0.17", or "none". Since
 * 0.1.
 */
TENDON_API const char *tendon_tls_version(void);

#ifdef __cplusplus
}
#endif

#endif
