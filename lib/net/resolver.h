/*
 * Host names to addresses on helper threads, because getaddrinfo cannot be bounded or cancelled. At
 * most TENDON__RESOLVER_THREADS run; equal questions under way share one lookup; a thread stuck in
 * a lookup outlives the resolver harmlessly (shared state is counted). Results are taken by the
 * owner after `wake` was called.
 */
#ifndef TENDON_NET_RESOLVER_H
#define TENDON_NET_RESOLVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/fault.h"
#include "base/memory.h"

#define TENDON__RESOLVER_THREADS 4
#define TENDON__ADDRESSES_MAX    32 /* of one name; more are ignored */

struct tendon__address {
    struct sockaddr_storage storage;
    socklen_t size;
};

struct tendon__resolved {
    uint64_t token;
    struct tendon__fault fault; /* TENDON_OK, or TENDON_ERROR_RESOLVE with the resolver's reason */
    uint32_t count;
    struct tendon__address addresses[TENDON__ADDRESSES_MAX];
};

struct tendon__resolver;

/* `wake(context)` is called whenever a result can be taken: on a helper thread, or inside ask when
   the answer is known at once. It must only signal, and call no function of the resolver. One
   thread at a time may call the resolver. */
tendon_status tendon__resolver_create(struct tendon__memory *memory, void (*wake)(void *context),
                                      void *context, struct tendon__resolver **out);
/* Never blocks on a lookup. `wake` is not called after it returns. In a forked child only frees. */
void tendon__resolver_destroy(struct tendon__resolver *resolver);

/* Asks; the result comes with `token` (not 0). family is AF_UNSPEC, AF_INET or AF_INET6. Literal
   addresses are answered without a thread, also by tendon__resolver_take. TENDON_ERROR_ARGUMENT:
   the host is empty or longer than a name can be; _RESOLVE: too many questions wait; _SYSTEM: no
   thread could be started; _NO_MEMORY. */
tendon_status tendon__resolver_ask(struct tendon__resolver *resolver, uint64_t token,
                                   const char *host, uint16_t port, int family);
/* The result of `token` is no longer wanted. */
void tendon__resolver_forget(struct tendon__resolver *resolver, uint64_t token);
/* One result per call; false when there is none. Families alternate and are shuffled within. */
bool tendon__resolver_take(struct tendon__resolver *resolver, struct tendon__resolved *out);

#endif
