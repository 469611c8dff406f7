/* The error handle: a fault, frozen into one allocation that outlives the call. */
#ifndef TENDON_CLIENT_ERROR_H
#define TENDON_CLIENT_ERROR_H

#include <stdint.h>

#include <tendon/error.h>

#include "base/fault.h"
#include "base/memory.h"

struct tendon__status_row; /* generated/status_table.h */

struct tendon_error {
    struct tendon__memory *memory; /* NULL: static, never freed */
    int32_t status;
    uint32_t error_class;
    uint32_t executed;
    uint32_t attempts;
    uint64_t elapsed_us;
    const char *message; /* the three texts follow the struct */
    const char *prefix;
    const char *node;
};

/*
 * Never NULL: when memory runs out it is a static error that says so. `executed` 0 becomes NO, an
 * empty text becomes the text of the status. `memory` must live until the error is destroyed.
 */
tendon_error *tendon__error_make(struct tendon__memory *memory, const struct tendon__fault *fault,
                                 uint32_t attempts, uint64_t elapsed_us);

void tendon__error_free(tendon_error *error);

/* The row of a status; NULL for TENDON_OK and for a number that is none. */
const struct tendon__status_row *tendon__status_find(tendon_status status);

#endif
