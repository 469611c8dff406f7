/* What went wrong, as a value: filled on the stack, carried by copy, turned into a tendon_error at
 * the API. */
#ifndef TENDON_BASE_FAULT_H
#define TENDON_BASE_FAULT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <tendon/error.h>

#define TENDON__FAULT_TEXT_MAX   384 /* cause and remedy; longer text is cut */
#define TENDON__FAULT_PREFIX_MAX 32  /* first word of a server error */
#define TENDON__FAULT_NODE_MAX   272 /* a DNS name has at most 253 characters */

struct tendon__fault {
    tendon_status status;
    uint32_t executed; /* TENDON_EXECUTED_*; 0 until known */
    char text[TENDON__FAULT_TEXT_MAX];
    char prefix[TENDON__FAULT_PREFIX_MAX];
    char node[TENDON__FAULT_NODE_MAX];
};

/* Sets status and text (printf form) and clears the rest. Returns `status`. NULL fault is accepted.
 */
tendon_status tendon__fault_set(struct tendon__fault *fault, tendon_status status,
                                const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Fills text from the first bytes of a server's error reply, and prefix from its first word. */
tendon_status tendon__fault_server(struct tendon__fault *fault, tendon_status status,
                                   const void *reply, size_t size);

#endif
