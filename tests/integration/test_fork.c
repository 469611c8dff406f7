/* Fork: the child learns at once that the client is not its own, and the parent's connections stay
 * whole. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/check.h"
#include "support/servers.h"

#define CHILD_SECONDS 40 /* then its alarm ends it, which the parent reports */

/* What the child tries; its exit code is the number of the first thing that went wrong. */
static int child_of(tendon_client *client, tendon_lease *lease, tendon_queue *queue,
                    tendon_reply *kept)
{
    tendon_bytes words[] = {{"PING", 4}};
    tendon_request request = {.struct_size = sizeof request, .args = words, .arg_count = 1};
    tendon_reply *reply = NULL;
    tendon_error *error = NULL;
    tendon_outcome outcome;
    tendon_lease *other = NULL;
    tendon_stats stats = {.struct_size = sizeof stats};
    const tendon_status forked = TENDON_ERROR_FORKED;
    if (tendon_call(client, &request, &reply, &error) != forked)
        return 1;
    tendon_error_view view = {.struct_size = sizeof view};
    if (tendon_error_look(error, &view) != TENDON_OK || !strstr(view.message, "fork") ||
        view.executed != TENDON_EXECUTED_NO)
        return 2;
    tendon_error_destroy(error);
    if (tendon_call_batch(client, &request, sizeof request, 1, &outcome) != forked)
        return 3;
    if (tendon_submit(client, queue, &request, sizeof request, 1, NULL) != forked)
        return 4;
    if (tendon_lease_open(client, NULL, &other, NULL) != forked)
        return 5;
    if (tendon_client_stats(client, &stats) != forked || tendon_cancel(client, 1) != forked)
        return 6;
    if (tendon_client_disconnect(client) != forked || tendon_client_reconnect(client, 0) != forked)
        return 7;
    if (tendon_client_watch(client, queue, 0, 0) != forked ||
        tendon_client_nodes(client, &reply, NULL) != forked)
        return 8;
    request.lease = lease;
    if (tendon_call(client, &request, &reply, NULL) != forked)
        return 9;
    tendon_reply_destroy(kept);
    tendon_lease_close(lease);
    tendon_client_close(client);
    tendon_client_destroy(client);
    return 0;
}

/* The child makes a client of its own. */
static int fresh_child(const char *options)
{
    alarm(CHILD_SECONDS);
    tendon_client *client = open_client("%s", options);
    bool good = client && expect_text(ask(client, "PING", NULL), "PONG");
    tendon_client_destroy(client);
    return good ? 0 : 20;
}

static void fork_with(const char *options)
{
    tendon_client *client = open_client("%s", options);
    tendon_queue *queue = NULL;
    tendon_lease *lease = NULL;
    CHECK(tendon_queue_create(&queue) == TENDON_OK, "a queue");
    struct answer before = ask(client, "CLIENT", "ID", NULL);
    CHECK(tendon_lease_open(client, NULL, &lease, NULL) == TENDON_OK, "a lease");
    struct answer leased = ask_by(client, (struct manner){.lease = lease}, "CLIENT", "ID", NULL);
    for (int i = 0; i < 5; i++) {
        fflush(stdout);
        pid_t pid = fork();
        if (pid == 0) {
            int wrong = child_of(client, lease, queue, before.reply);
            _exit(wrong ? wrong : fresh_child(options));
        }
        int state = 0;
        waitpid(pid, &state, 0);
        CHECK(WIFEXITED(state) && WEXITSTATUS(state) == 0,
              "the child ended with %d (signal %d) and %s", WEXITSTATUS(state), WTERMSIG(state),
              options);
        struct answer after = ask(client, "CLIENT", "ID", NULL);
        CHECK(!strcmp(after.text, before.text), "connection %s became %s: %s", before.text,
              after.text, after.fault.message);
        forget(&after);
        expect_text(ask_by(client, (struct manner){.lease = lease}, "CLIENT", "ID", NULL),
                    leased.text);
    }
    tendon_lease_close(lease);
    forget(&before);
    forget(&leased);
    tendon_client_destroy(client);
    tendon_queue_destroy(queue);
}

static void plain(void)
{
    char options[256];
    snprintf(options, sizeof options, "host=localhost port=%d", server_number("standalone.port"));
    fork_with(options);
}

static void secure(void)
{
    char options[1024];
    snprintf(options, sizeof options, "host=localhost port=%d tls=yes tls_ca_file=%s",
             server_number("tls.port"), server_text("ca_file"));
    fork_with(options);
}

static void a_child_may_end_normally(void)
{
    tendon_client *client = open_client("host=localhost port=%d", server_number("standalone.port"));
    expect_text(ask(client, "PING", NULL), "PONG");
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        tendon_client_destroy(client);
        _exit(0);
    }
    int state = 0;
    waitpid(pid, &state, 0);
    CHECK(WIFEXITED(state) && WEXITSTATUS(state) == 0, "the child ended with %d", state);
    expect_text(ask(client, "PING", NULL), "PONG");
    CHECK(stats_of(client).created == 1, "created %lu", stats_of(client).created);
    tendon_client_destroy(client);
}

#ifndef __SANITIZE_ADDRESS__ /* its malloc, unlike glibc's, may be left locked by a fork */
static atomic_bool looks_up;

/* Makes clients, each of which looks the name up anew. */
static void *look_up(void *argument)
{
    (void)argument;
    while (atomic_load(&looks_up)) {
        tendon_client *client =
            open_client("host=localhost port=%d", server_number("standalone.port"));
        struct answer answer = ask(client, "PING", NULL);
        forget(&answer);
        tendon_client_destroy(client);
    }
    return NULL;
}

/* A child that was forked while another thread was inside getaddrinfo must be able to look up. */
static void in_the_middle_of_a_look_up(void)
{
    char options[64];
    pthread_t threads[3];
    snprintf(options, sizeof options, "host=localhost port=%d", server_number("standalone.port"));
    atomic_store(&looks_up, true);
    for (int i = 0; i < 3; i++)
        CHECK(pthread_create(&threads[i], NULL, look_up, NULL) == 0, "a thread");
    for (int i = 0; i < 100; i++) {
        fflush(stdout);
        pid_t pid = fork();
        if (pid == 0)
            _exit(fresh_child(options));
        int state = 0;
        waitpid(pid, &state, 0);
        if (!CHECK(WIFEXITED(state) && WEXITSTATUS(state) == 0, "child %d ended with %d, signal %d",
                   i, WEXITSTATUS(state), WTERMSIG(state)))
            break;
    }
    atomic_store(&looks_up, false);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
}
#endif

int main(void)
{
    if (!servers_load())
        return 77;
    run_test("fork with a plain client", plain);
    run_test("fork with a TLS client", secure);
    run_test("destroy in a child", a_child_may_end_normally);
#ifndef __SANITIZE_ADDRESS__
    run_test("fork in the middle of a look-up", in_the_middle_of_a_look_up);
#endif
    return finish_tests();
}
