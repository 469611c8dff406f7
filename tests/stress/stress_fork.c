/*
 * A program with threads in calls forks, again and again: the child's calls end at once with
 * FORKED, destroying works there, a client of its own works, and the parent's calls go on as if
 * nothing had been. Not under ThreadSanitizer, which cannot follow a fork of several threads: what
 * it would look for here, use of the parent's locks in the child, shows as a hang instead.
 */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crew.h"
#include "support/servers.h"

#define FORKS         50
#define CHILD_SECONDS 20 /* then its alarm ends it, which the parent reports */

struct family {
    struct crew crew;
    const char *url;
    tendon_client *client;
    tendon_queue *queue;
};

static void *caller(void *argument)
{
    struct family *family = argument;
    while (!crew_stopping(&family->crew)) {
        struct answer answer = ask(family->client, "ECHO", "called", NULL);
        crew_judge(&family->crew, "a call", &answer, "called");
        tendon_lease *lease = NULL;
        if (some_number() % 4 || tendon_lease_open(family->client, NULL, &lease, NULL) != TENDON_OK)
            continue;
        answer = ask_by(family->client, (struct manner){.lease = lease}, "ECHO", "lent", NULL);
        crew_judge(&family->crew, "on a lease", &answer, "lent");
        tendon_lease_close(lease);
    }
    return NULL;
}

static void *submitter(void *argument)
{
    struct family *family = argument;
    while (!crew_stopping(&family->crew)) {
        if (submit_words(family->client, family->queue, NULL, 0, 0, NULL, "ECHO", "submitted",
                         NULL) != TENDON_OK)
            crew_failed(&family->crew, "submit", &(struct answer){.fault.message = ""});
        (void)collect(&family->crew, family->queue, 1000, "submitted");
    }
    return NULL;
}

/* Clients come and go: whatever locks it takes to make one, over TLS above all, a fork meets them
 * taken. */
static void *founder(void *argument)
{
    struct family *family = argument;
    while (!crew_stopping(&family->crew)) {
        tendon_client *client = open_client("%s", family->url);
        if (!client)
            break;
        struct answer answer = ask(client, "ECHO", "founded", NULL);
        crew_judge(&family->crew, "a new client", &answer, "founded");
        tendon_client_destroy(client);
    }
    return NULL;
}

/* A client of the child's own; the number of the first thing that went wrong. */
static int own_client(const char *url)
{
    tendon_bytes words[] = {{"ECHO", 4}, {"child", 5}};
    tendon_request request = {.struct_size = sizeof request, .args = words, .arg_count = 2};
    tendon_reply *reply = NULL;
    tendon_config *config = NULL;
    tendon_client *own = NULL;
    if (tendon_config_create(&config) != TENDON_OK ||
        tendon_config_set_url(config, url, NULL) != TENDON_OK ||
        tendon_client_create(config, &own, NULL) != TENDON_OK)
        return 11;
    if (tendon_call(own, &request, &reply, NULL) != TENDON_OK)
        return 12;
    tendon_reply_destroy(reply);
    tendon_client_destroy(own);
    tendon_config_destroy(config);
    return 0;
}

/* In the child. It makes no use of stdio, whose locks the parent's threads may have held. */
static int child_of(const struct family *family, tendon_lease *lease, const char *url)
{
    tendon_bytes words[] = {{"ECHO", 4}, {"child", 5}};
    tendon_request request = {.struct_size = sizeof request, .args = words, .arg_count = 2};
    tendon_reply *reply = NULL;
    tendon_stats stats = {.struct_size = sizeof stats};
    alarm(CHILD_SECONDS);
    if (tendon_call(family->client, &request, &reply, NULL) != TENDON_ERROR_FORKED)
        return 1;
    if (tendon_submit(family->client, family->queue, &request, sizeof request, 1, NULL) !=
        TENDON_ERROR_FORKED)
        return 2;
    if (tendon_client_stats(family->client, &stats) != TENDON_ERROR_FORKED ||
        tendon_cancel(family->client, 1) != TENDON_ERROR_FORKED)
        return 3;
    request.lease = lease;
    if (tendon_call(family->client, &request, &reply, NULL) != TENDON_ERROR_FORKED)
        return 4;
    tendon_lease_close(lease);
    tendon_client_close(family->client);
    tendon_client_destroy(family->client);
#ifdef __SANITIZE_ADDRESS__
    (void)own_client; /* AddressSanitizer's malloc, unlike glibc's, may be left locked by a fork */
    (void)url;
    return 0;
#else
    return own_client(url);
#endif
}

static void forks_under_load(const char *url)
{
    struct family *family = calloc(1, sizeof *family);
    tendon_lease *lease = NULL;
    watch_over(120, "forking under load");
    family->url = url;
    family->client = open_client("%s", url);
    if (!family->client || !CHECK(tendon_queue_create(&family->queue) == TENDON_OK, "a queue"))
        return;
    crew_add(&family->crew, 4, caller, family);
    crew_add(&family->crew, 2, submitter, family);
    crew_add(&family->crew, 4, founder, family);
    CHECK(tendon_lease_open(family->client, NULL, &lease, NULL) == TENDON_OK, "a lease");
    for (int i = 0; i < FORKS; i++) {
        sleep_ms(3);
        fflush(stdout);
        pid_t pid = fork();
        if (pid == 0)
            _exit(child_of(family, lease, url));
        int state = 0;
        waitpid(pid, &state, 0);
        if (!CHECK(WIFEXITED(state) && WEXITSTATUS(state) == 0, "child %d ended with %d, signal %d",
                   i, WEXITSTATUS(state), WTERMSIG(state)))
            break;
        struct answer answer =
            ask_by(family->client, (struct manner){.lease = lease}, "ECHO", "lent", NULL);
        CHECK(answer.status == TENDON_OK, "the parent's lease: %s", answer.fault.message);
        crew_judge(&family->crew, "the parent's lease", &answer, "lent");
    }
    crew_join(&family->crew);
    CHECK(family->crew.failures == 0, "%d failures", family->crew.failures);
    tendon_stats stats = stats_of(family->client);
    CHECK(stats.closed_peer == 0 && stats.closed_error == 0, "connections were lost: %lu %lu",
          (unsigned long)stats.closed_peer, (unsigned long)stats.closed_error);
    tendon_lease_close(lease);
    tendon_client_destroy(family->client);
    tendon_queue_destroy(family->queue);
    free(family);
}

static void plain(void)
{
    char url[256];
    snprintf(url, sizeof url, "redis://localhost:%d?" PATIENT_URL,
             server_number("standalone.port"));
    forks_under_load(url);
}

static void secure(void)
{
    char url[1024];
    snprintf(url, sizeof url,
             "rediss://localhost:%d?" PATIENT_URL "&tls_ca_file=%s&tls_system_ca=yes",
             server_number("tls.port"), server_text("ca_file"));
    forks_under_load(url);
}

int main(void)
{
    if (!servers_load())
        return 77;
#ifdef __SANITIZE_THREAD__
    (void)plain;
    (void)secure;
    skip_test("fork with threads in calls", "not under ThreadSanitizer");
#else
    run_test("fork with threads in calls", plain);
    run_test("fork with threads in calls over TLS", secure);
#endif
    return finish_tests();
}
