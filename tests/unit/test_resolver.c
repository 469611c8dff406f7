/* The resolver against a getaddrinfo of our own that can be slow, stuck or generous. */
#define _GNU_SOURCE /* for RTLD_NEXT */
#include <criterion/criterion.h>
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/lookup.h"
#include "net/resolver.h"
#include "net_peer.h"

static atomic_int lookups; /* that reached a thread */
static atomic_int running;
static atomic_int running_max;
static atomic_int unblocked; /* look-ups that a signal could have interrupted */
static atomic_bool no_hosts_file;
static sem_t gate; /* each look-up of "slow*.test" waits for one post */

typedef int resolve_function(const char *, const char *, const struct addrinfo *,
                             struct addrinfo **);

static int literal(const char *text, struct addrinfo **out)
{
    static resolve_function *real;
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
    return real(text, NULL, &hints, out);
}

/* One list of the literals of a family; freeaddrinfo of the C library frees node by node. */
static int literals(int family, int v4_count, int v6_count, struct addrinfo **out)
{
    struct addrinfo **end = out;
    char text[64];
    for (int i = 1; i <= v6_count && family != AF_INET; i++, end = &(*end)->ai_next) {
        snprintf(text, sizeof text, "2001:db8::%x", (unsigned)i);
        cr_assert(literal(text, end) == 0);
    }
    for (int i = 1; i <= v4_count && family != AF_INET6; i++, end = &(*end)->ai_next) {
        snprintf(text, sizeof text, "10.0.0.%d", i);
        cr_assert(literal(text, end) == 0);
    }
    return 0;
}

static void observe(void)
{
    sigset_t blocked;
    pthread_sigmask(SIG_BLOCK, NULL, &blocked);
    if (!sigismember(&blocked, SIGTERM) || !sigismember(&blocked, SIGUSR1))
        unblocked++;
    int now = ++running;
    int seen = running_max;
    while (now > seen && !atomic_compare_exchange_weak(&running_max, &seen, now))
        ;
    lookups++;
}

static int answer(const char *host, const struct addrinfo *hints, struct addrinfo **out)
{
    if (strncmp(host, "slow", 4) == 0) {
        while (sem_wait(&gate) != 0)
            ;
        return literals(hints->ai_family, 1, 1, out);
    }
    if (strcmp(host, "both.test") == 0)
        return literals(hints->ai_family, 5, 3, out);
    if (strcmp(host, "many.test") == 0)
        return literals(hints->ai_family, 30, 30, out);
    if (strcmp(host, "loopback6.test") == 0)
        return hints->ai_flags & AI_ADDRCONFIG ? EAI_ADDRFAMILY : literal("::1", out);
    if (strcmp(host, "silent.test") == 0)
        return EAI_AGAIN;
    if (strcmp(host, "localhost") == 0 && !no_hosts_file)
        return literal("127.0.0.1", out);
    return EAI_NONAME;
}

/* Takes the place of the C library's in this program. */
int getaddrinfo(const char *restrict host, const char *restrict service,
                const struct addrinfo *restrict hints, struct addrinfo **restrict out)
{
    (void)service;
    *out = NULL;
    if (hints->ai_flags & AI_NUMERICHOST)
        return literal(host, out);
    observe();
    int error = answer(host, hints, out);
    running--;
    return error;
}

struct fixture {
    struct counting counting;
    struct tendon__resolver *resolver;
    sem_t woken;
    atomic_int wakes;
};

static void wake(void *context)
{
    struct fixture *fixture = context;
    fixture->wakes++;
    sem_post(&fixture->woken);
}

static void open_fixture(struct fixture *fixture)
{
    memset(fixture, 0, sizeof *fixture);
    counting_init(&fixture->counting);
    sem_init(&fixture->woken, 0, 0);
    sem_init(&gate, 0, 0);
    cr_assert(tendon__resolver_create(&fixture->counting.memory, wake, fixture,
                                      &fixture->resolver) == TENDON_OK);
}

static void close_fixture(struct fixture *fixture)
{
    tendon__resolver_destroy(fixture->resolver);
    cr_assert(fixture->counting.blocks == 0, "%d blocks leaked", fixture->counting.blocks);
}

static struct tendon__resolved take(struct fixture *fixture)
{
    static struct tendon__resolved out;
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 10;
    while (!tendon__resolver_take(fixture->resolver, &out))
        cr_assert(sem_timedwait(&fixture->woken, &until) == 0, "no result came");
    return out;
}

static void ask(struct fixture *fixture, uint64_t token, const char *host, uint16_t port,
                int family)
{
    cr_assert(tendon__resolver_ask(fixture->resolver, token, host, port, family) == TENDON_OK);
}

static uint16_t port_of(const struct tendon__address *address)
{
    return ntohs(((const struct sockaddr_in *)(const void *)&address->storage)->sin_port);
}

static int thread_count(void)
{
    DIR *directory = opendir("/proc/self/task");
    int count = -2;
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

static void wait_until(atomic_int *value, int least)
{
    for (int i = 0; i < 5000 && *value < least; i++)
        usleep(1000);
    cr_assert(*value >= least);
}

Test(resolver, answers_literals_without_a_thread)
{
    struct fixture fixture;
    open_fixture(&fixture);
    int threads = thread_count();
    ask(&fixture, 7, "127.0.0.1", 6379, AF_UNSPEC);
    ask(&fixture, 8, "::1", 6380, AF_UNSPEC);
    ask(&fixture, 9, "::1", 1, AF_INET);
    struct tendon__resolved out = take(&fixture);
    cr_assert(out.token == 7 && out.fault.status == TENDON_OK && out.count == 1);
    cr_assert(out.addresses[0].storage.ss_family == AF_INET && port_of(&out.addresses[0]) == 6379);
    cr_assert(out.addresses[0].size == sizeof(struct sockaddr_in));
    out = take(&fixture);
    cr_assert(out.token == 8 && out.count == 1);
    cr_assert(out.addresses[0].storage.ss_family == AF_INET6 && port_of(&out.addresses[0]) == 6380);
    out = take(&fixture);
    cr_assert(out.token == 9 && out.count == 0 && out.fault.status == TENDON_ERROR_RESOLVE);
    cr_assert(strstr(out.fault.text, "not an IPv4 address"));
    cr_assert(lookups == 0 && thread_count() == threads && fixture.wakes == 3);
    close_fixture(&fixture);
}

Test(resolver, knows_localhost_with_and_without_a_hosts_file)
{
    struct fixture fixture;
    open_fixture(&fixture);
    ask(&fixture, 1, "localhost", 6379, AF_UNSPEC);
    struct tendon__resolved out = take(&fixture);
    cr_assert(out.token == 1 && out.count == 1 && out.fault.status == TENDON_OK);
    no_hosts_file = true;
    ask(&fixture, 2, "localhost", 6379, AF_UNSPEC);
    out = take(&fixture);
    cr_assert(out.count == 2 && out.fault.status == TENDON_OK);
    ask(&fixture, 3, "LOCALHOST", 6379, AF_INET6);
    out = take(&fixture);
    cr_assert(out.count == 1 && out.addresses[0].storage.ss_family == AF_INET6);
    close_fixture(&fixture);
}

Test(resolver, finds_loopback_names_on_a_machine_without_an_address)
{
    struct fixture fixture;
    open_fixture(&fixture);
    ask(&fixture, 1, "loopback6.test", 6379, AF_UNSPEC);
    struct tendon__resolved out = take(&fixture);
    cr_assert(out.count == 1 && out.addresses[0].storage.ss_family == AF_INET6);
    close_fixture(&fixture);
}

Test(resolver, shares_one_lookup_between_equal_questions)
{
    struct fixture fixture;
    open_fixture(&fixture);
    for (uint16_t i = 1; i <= 5; i++)
        ask(&fixture, i, i % 2 ? "slow.test" : "SLOW.test", (uint16_t)(6000 + i), AF_UNSPEC);
    ask(&fixture, 6, "slow.test", 6006, AF_INET);
    sem_post(&gate);
    sem_post(&gate);
    unsigned seen = 0;
    for (int i = 0; i < 6; i++) {
        struct tendon__resolved out = take(&fixture);
        cr_assert(out.fault.status == TENDON_OK && out.count == (out.token == 6 ? 1 : 2));
        cr_assert(port_of(&out.addresses[0]) == 6000 + out.token);
        seen |= 1u << out.token;
    }
    cr_assert(seen == 0x7e && lookups == 2);
    struct tendon__resolved none;
    cr_assert(!tendon__resolver_take(fixture.resolver, &none));
    close_fixture(&fixture);
}

Test(resolver, runs_few_threads_with_signals_blocked)
{
    struct fixture fixture;
    char host[32];
    open_fixture(&fixture);
    int threads = thread_count();
    for (int i = 1; i <= 30; i++) {
        snprintf(host, sizeof host, "slow%d.test", i);
        ask(&fixture, (uint64_t)i, host, 1, AF_UNSPEC);
        cr_assert(thread_count() <= threads + TENDON__RESOLVER_THREADS);
    }
    wait_until(&running, TENDON__RESOLVER_THREADS);
    for (int i = 0; i < 30; i++)
        sem_post(&gate);
    for (int i = 0; i < 30; i++)
        cr_assert(take(&fixture).count == 2);
    cr_assert(running_max == TENDON__RESOLVER_THREADS && lookups == 30 && unblocked == 0);
    close_fixture(&fixture);
}

Test(resolver, threads_end_when_idle_and_start_again)
{
    struct fixture fixture;
    open_fixture(&fixture);
    int threads = thread_count();
    ask(&fixture, 1, "both.test", 1, AF_UNSPEC);
    take(&fixture);
    cr_assert(thread_count() == threads + 1);
    for (int i = 0; i < 100 && thread_count() > threads; i++)
        usleep(100000);
    cr_assert(thread_count() == threads);
    ask(&fixture, 2, "both.test", 1, AF_UNSPEC);
    cr_assert(take(&fixture).token == 2);
    close_fixture(&fixture);
}

/* The look-ups here never came to the C library, as those of a thread that ends before its first.
 */
Test(resolver, threads_that_end_close_nobodys_descriptor)
{
    struct fixture fixture;
    int zero = open("/dev/null", O_RDONLY);
    cr_assert(dup2(zero, 0) == 0);
    open_fixture(&fixture);
    ask(&fixture, 1, "both.test", 1, AF_UNSPEC);
    take(&fixture);
    close_fixture(&fixture);
    cr_assert(fcntl(0, F_GETFD) != -1);
}

Test(resolver, forgets)
{
    struct fixture fixture;
    char host[32];
    open_fixture(&fixture);
    for (int i = 1; i <= 6; i++) {
        snprintf(host, sizeof host, "slow%d.test", i);
        ask(&fixture, (uint64_t)i, host, 1, AF_UNSPEC);
    }
    wait_until(&running, TENDON__RESOLVER_THREADS);
    ask(&fixture, 7, "127.0.0.1", 1, AF_UNSPEC);
    for (uint64_t i = 1; i <= 7; i++)
        if (i != 4)
            tendon__resolver_forget(fixture.resolver, i);
    tendon__resolver_forget(fixture.resolver, 99);
    for (int i = 0; i < 4; i++)
        sem_post(&gate);
    cr_assert(take(&fixture).token == 4);
    cr_assert(lookups == 4);
    close_fixture(&fixture);
}

Test(resolver, forgotten_running_lookup_can_be_asked_again)
{
    struct fixture fixture;
    open_fixture(&fixture);
    ask(&fixture, 1, "slow.test", 1, AF_UNSPEC);
    wait_until(&running, 1);
    tendon__resolver_forget(fixture.resolver, 1);
    ask(&fixture, 2, "slow.test", 2, AF_UNSPEC);
    sem_post(&gate);
    struct tendon__resolved out = take(&fixture);
    cr_assert(out.token == 2 && out.count == 2 && lookups == 1);
    close_fixture(&fixture);
}

Test(resolver, destroy_leaves_stuck_threads_behind)
{
    struct fixture fixture;
    char host[32];
    open_fixture(&fixture);
    int threads = thread_count();
    for (int i = 1; i <= 8; i++) {
        snprintf(host, sizeof host, "slow%d.test", i);
        ask(&fixture, (uint64_t)i, host, 1, AF_UNSPEC);
    }
    wait_until(&running, TENDON__RESOLVER_THREADS);
    int64_t start_ns = clock_ns();
    close_fixture(&fixture);
    cr_assert(clock_ns() - start_ns < INT64_C(5000000000));
    int wakes = fixture.wakes;
    for (int i = 0; i < 8; i++)
        sem_post(&gate);
    for (int i = 0; i < 5000 && thread_count() > threads; i++)
        usleep(1000);
    cr_assert(thread_count() == threads && fixture.wakes == wakes && lookups == 4);
}

Test(resolver, alternates_families_and_shuffles_within)
{
    struct fixture fixture;
    open_fixture(&fixture);
    unsigned firsts = 0;
    for (uint64_t i = 1; i <= 100; i++) {
        ask(&fixture, i, "both.test", 6379, AF_UNSPEC);
        struct tendon__resolved out = take(&fixture);
        cr_assert(out.count == 8);
        unsigned seen_v4 = 0, seen_v6 = 0;
        for (uint32_t j = 0; j < 8; j++) {
            const void *address = &out.addresses[j].storage;
            bool is_v6 = out.addresses[j].storage.ss_family == AF_INET6;
            cr_assert(is_v6 == (j == 0 || j == 2 || j == 4), "v6 came first and there are three");
            if (is_v6)
                seen_v6 |= 1u << ((const struct sockaddr_in6 *)address)->sin6_addr.s6_addr[15];
            else
                seen_v4 |=
                    1u << (ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) & 15);
            cr_assert(port_of(&out.addresses[j]) == 6379);
        }
        cr_assert(seen_v4 == 0x3e && seen_v6 == 0xe, "every address once");
        const void *first = &out.addresses[0].storage;
        firsts |= 1u << ((const struct sockaddr_in6 *)first)->sin6_addr.s6_addr[15];
    }
    cr_assert(firsts == 0xe, "each of the three comes first at times");
    ask(&fixture, 101, "many.test", 1, AF_UNSPEC);
    cr_assert(take(&fixture).count == TENDON__ADDRESSES_MAX);
    close_fixture(&fixture);
}

Test(resolver, says_why)
{
    struct fixture fixture;
    open_fixture(&fixture);
    ask(&fixture, 1, "missing.test", 1, AF_UNSPEC);
    struct tendon__resolved out = take(&fixture);
    cr_assert(out.count == 0 && out.fault.status == TENDON_ERROR_RESOLVE);
    cr_assert(strstr(out.fault.text, "cannot resolve 'missing.test': "), "%s", out.fault.text);
    cr_assert(lookups == 2, "once more without the filter on address families");
    ask(&fixture, 2, "silent.test", 1, AF_UNSPEC);
    out = take(&fixture);
    cr_assert(strstr(out.fault.text, "name servers do not answer"), "%s", out.fault.text);
    close_fixture(&fixture);
}

Test(resolver, bounds_names_and_questions)
{
    struct fixture fixture;
    char host[TENDON__HOST_MAX + 2];
    open_fixture(&fixture);
    cr_assert(tendon__resolver_ask(fixture.resolver, 1, "", 1, AF_UNSPEC) == TENDON_ERROR_ARGUMENT);
    memset(host, 'a', sizeof host);
    host[TENDON__HOST_MAX + 1] = '\0';
    cr_assert(tendon__resolver_ask(fixture.resolver, 1, host, 1, AF_UNSPEC) ==
              TENDON_ERROR_ARGUMENT);
    host[TENDON__HOST_MAX] = '\0';
    ask(&fixture, 1, host, 1, AF_UNSPEC);
    cr_assert(take(&fixture).fault.status == TENDON_ERROR_RESOLVE);
    int accepted = 0;
    tendon_status status = TENDON_OK;
    while (status == TENDON_OK && accepted < 10000) {
        snprintf(host, sizeof host, "slow%d.test", accepted);
        status = tendon__resolver_ask(fixture.resolver, (uint64_t)accepted + 2, host, 1, AF_UNSPEC);
        accepted += status == TENDON_OK;
    }
    cr_assert(status == TENDON_ERROR_RESOLVE && accepted >= 4096 && accepted <= 4100, "%d",
              accepted);
    close_fixture(&fixture);
}

Test(resolver, survives_every_failing_allocation)
{
    for (int fail_at = 1;; fail_at++) {
        struct counting counting;
        struct fixture fixture = {0};
        struct tendon__resolver *resolver = NULL;
        counting_init(&counting);
        sem_init(&fixture.woken, 0, 0);
        counting.fail_at = fail_at;
        tendon_status status = tendon__resolver_create(&counting.memory, wake, &fixture, &resolver);
        if (status == TENDON_OK)
            status = tendon__resolver_ask(resolver, 1, "127.0.0.1", 1, AF_UNSPEC);
        if (status == TENDON_OK)
            status = tendon__resolver_ask(resolver, 2, "both.test", 1, AF_UNSPEC);
        cr_assert(status == TENDON_OK || status == TENDON_ERROR_NO_MEMORY);
        tendon__resolver_destroy(resolver);
        cr_assert(counting.blocks == 0);
        if (status == TENDON_OK)
            break;
    }
}

Test(resolver, forked_child_only_frees)
{
    struct fixture fixture;
    open_fixture(&fixture);
    ask(&fixture, 1, "slow.test", 1, AF_UNSPEC);
    wait_until(&running, 1);
    pid_t child = fork();
    if (child == 0) {
        alarm(10);
        tendon__resolver_destroy(fixture.resolver);
        _exit(fixture.counting.blocks == 0 ? 0 : 1);
    }
    int status = -1;
    cr_assert(waitpid(child, &status, 0) == child && status == 0);
    sem_post(&gate);
    cr_assert(take(&fixture).token == 1);
    close_fixture(&fixture);
}

Test(resolver, destroy_accepts_null)
{
    tendon__resolver_destroy(NULL);
}
