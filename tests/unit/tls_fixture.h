/* What the tests of TLS begin and end with: certificates, a server, a client's context and a dial.
 */
#ifndef TENDON_TESTS_TLS_FIXTURE_H
#define TENDON_TESTS_TLS_FIXTURE_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "net_tls_server.h"

static struct counting counting;
static struct tendon__dial dial;
static struct tendon__fault fault;
static struct tls_server server;
static struct tendon__tls_context *context;
static char folder[32];
static char ca_file[64];
static int fds;

static inline void begin(void)
{
    counting_init(&counting);
    certificates_open(folder);
    snprintf(ca_file, sizeof ca_file, "%s/ca.crt", folder);
    certificate_make(folder, "server", "ca", "DNS:cache.test,DNS:*.nodes.test,IP:127.0.0.1", 2);
    fds = fd_count();
}

static inline void end(void)
{
    tendon__tls_backend()->context_destroy(context);
    context = NULL;
    cr_assert(counting.blocks == 0, "%d blocks leaked", counting.blocks);
    cr_assert(fd_count() == fds, "%d descriptors leaked", fd_count() - fds);
    certificates_close(folder);
}

static inline void use(const struct tendon__tls_options *options)
{
    tendon__tls_backend()->context_destroy(context);
    context = NULL;
    cr_assert(tendon__tls_backend()->context_create(&counting.memory, options, &context, &fault) ==
                  TENDON_OK,
              "%s", fault.text);
}

static inline enum tendon__dial_state dial_server(const char *host)
{
    return dial_to(&dial, &counting, host, server.peer.port, &server.peer.address, 1, context,
                   5000);
}

static inline void check_failed(tendon_status status, const char *part)
{
    cr_assert(dial.state == TENDON__DIAL_FAILED && dial.transport.fd == -1);
    cr_assert(dial.fault.status == status, "%d: %s", dial.fault.status, dial.fault.text);
    cr_assert(strstr(dial.fault.text, part), "'%s' lacks '%s'", dial.fault.text, part);
    cr_assert(dial.fault.executed == TENDON_EXECUTED_NO && dial.fault.node[0]);
}

static inline void check_echo(void)
{
    char bytes[5];
    cr_assert(write_all(&dial.transport, "hello", 5, &fault) == 5, "%s", fault.text);
    cr_assert(read_all(&dial.transport, bytes, 5, &fault) == 5, "%s", fault.text);
    cr_assert(memcmp(bytes, "hello", 5) == 0);
}

/* One dial that must succeed, an echo and a close; true when the session was resumed. */
static inline bool visit(const char *host, bool abrupt)
{
    cr_assert(dial_server(host) == TENDON__DIAL_DONE, "%s", dial.fault.text);
    bool resumed = dial.transport.tls_resumed;
    check_echo();
    tendon__transport_close(&dial.transport, abrupt);
    return resumed;
}

#endif
