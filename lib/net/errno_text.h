/* The system's words for an errno, without the shared buffer of strerror. */
#ifndef TENDON_NET_ERRNO_TEXT_H
#define TENDON_NET_ERRNO_TEXT_H

#include <stdio.h>
#include <string.h>

#define TENDON__ERRNO_TEXT_MAX 96

/* Returns `buffer`. It is the POSIX strerror_r, which _GNU_SOURCE would replace. */
static inline const char *tendon__errno_text(int error, char buffer[TENDON__ERRNO_TEXT_MAX])
{
    if (strerror_r(error, buffer, TENDON__ERRNO_TEXT_MAX) != 0)
        snprintf(buffer, TENDON__ERRNO_TEXT_MAX, "error %d", error);
    return buffer;
}

#endif
