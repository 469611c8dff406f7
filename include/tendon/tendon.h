/**
 * tendon: one native connection core for ElastiCache, Redis and Valkey.
 *
 * This is the whole public interface. The rules that hold for all of it:
 *
 * Threads. Every function may be called from any thread at any time unless its text says otherwise.
 * A client starts one thread of its own at its first command, or when it is created with
 * pool_min_idle; it runs none of the caller's code.
 * Signals are blocked in it, SIGPIPE is never raised.
 *
 * Ownership. The caller frees only what a create, open, call or poll gave it, and only with the
 * matching function (destroy or close). Those accept NULL. What a function is given is borrowed
 * until it returns.
 *
 * Arguments. The handle first, then inputs, then outputs named `out_…`. An output is written on
 * success only, except `out_error`, which is written on failure only and may always be NULL. Text
 * is UTF-8 and NUL-terminated where it is `const char *`, any bytes where it is `tendon_bytes`.
 * Times are milliseconds where a name ends in `_ms`. Structs begin with `struct_size`, which the
 * caller sets; unknown larger structs with non-zero additions are refused with
 * TENDON_ERROR_ARGUMENT.
 *
 * Errors. Functions that can fail return a tendon_status, 0 or negative. A NULL handle is
 * TENDON_ERROR_ARGUMENT, never a crash. See <tendon/error.h>.
 *
 * Outcomes. Every call ends by its deadline with exactly one outcome: a reply, or an error that
 * says whether the command was executed. Only commands that were provably not executed, or that are
 * read-only or idempotent, are sent again.
 *
 * Fork. A child may not use its parent's handles: every call returns TENDON_ERROR_FORKED, and
 * destroy closes the child's copies of the descriptors without a word to the servers; the
 * connections of the parent go on. Make new clients in the child.
 *
 * Versions. Symbols and struct fields are only ever appended within one TENDON_ABI_MAJOR. Link with
 * pkg-config name "tendon".
 *
 * A first program:
 *
 *     tendon_config *config = NULL;
 *     tendon_client *client = NULL;
 *     tendon_error *error = NULL;
 *     if (tendon_config_create(&config) != TENDON_OK ||
 *         tendon_config_set_url(config, "redis://localhost:6379/0", &error) != TENDON_OK ||
 *         tendon_client_create(config, &client, &error) != TENDON_OK)
 *         return report(error);
 *     tendon_bytes args[] = {{"GET", 3}, {"key", 3}};
 *     tendon_request request = {.struct_size = sizeof request, .args = args, .arg_count = 2};
 *     tendon_reply *reply = NULL;
 *     if (tendon_call(client, &request, &reply, &error) != TENDON_OK)
 *         return report(error);
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TENDON_H
#define TENDON_H

#include <tendon/client.h>
#include <tendon/config.h>
#include <tendon/error.h>
#include <tendon/lease.h>
#include <tendon/queue.h>
#include <tendon/reply.h>
#include <tendon/request.h>
#include <tendon/stats.h>
#include <tendon/status.h>
#include <tendon/subscription.h>
#include <tendon/types.h>
#include <tendon/version.h>

#endif
