/* How long a call may take, as its caller and the options have it. */
#include "client/request_build.h"

/* The deadline of a call that named none: what its attempts, waits and connects may take together.
 */
int64_t tendon__request_default_timeout(const struct tendon__options *options)
{
    if (options->command_timeout_ms)
        return options->command_timeout_ms * TENDON__MS;
    if (!options->read_timeout_ms)
        return TENDON__NO_TIME;
    int64_t tries = options->max_retries < 0 ? 10 : options->max_retries + 1;
    int64_t ms = options->connect_timeout_ms +
                 tries * (options->read_timeout_ms + options->retry_backoff_max_ms);
    return ms * TENDON__MS;
}

int64_t tendon__request_timeout(const struct tendon__options *options, const tendon_request *asked,
                                bool blocking, int64_t block_ms)
{
    if (asked->timeout_ms > 0)
        return asked->timeout_ms < INT64_MAX / TENDON__MS / 4 ? asked->timeout_ms * TENDON__MS
                                                              : TENDON__NO_TIME;
    if (asked->timeout_ms < 0)
        return TENDON__NO_TIME;
    int64_t timeout_ns = tendon__request_default_timeout(options);
    if (!blocking)
        return timeout_ns;
    if (block_ms < 0 || timeout_ns == TENDON__NO_TIME || block_ms > INT64_MAX / TENDON__MS / 4)
        return TENDON__NO_TIME;
    return timeout_ns + (block_ms + options->blocking_grace_ms) * TENDON__MS;
}
