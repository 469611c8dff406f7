/*
 * A server whose every word is decided here, for what only shows when bytes, ends and signals come
 * at a chosen moment: no reply is lost, and no call outlives its deadline.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <dlfcn.h>
#include <errno.h>

#include "support/check.h"

#define LINES_MAX 64

struct stage;

/* What to do with the `count`-th command (from 1, without the handshake) of a connection; false
 * ends it. */
typedef bool play(struct stage *stage, int fd, int line, unsigned count);

struct stage {
    int port;
    int listener;
    play *play;
    unsigned lines;
    unsigned stop; /* atomic */
    pthread_t thread;
    pthread_t threads[LINES_MAX];
    int fds[LINES_MAX];
    char names[LINES_MAX][32]; /* of the command that is being answered */
};

struct line {
    struct stage *stage;
    int fd;
    int index;
};

/* Milliseconds by which the next blocking send of this thread comes late, as if its thread had lost
 * the processor before. */
static __thread int late_ms;
/* Whether the next send of this thread that may not wait finds its connection lost. */
static __thread bool lost;

ssize_t send(int fd, const void *bytes, size_t size, int flags)
{
    static ssize_t (*real)(int, const void *, size_t, int);
    if (!__atomic_load_n(&real, __ATOMIC_ACQUIRE)) {
        void *found = dlsym(RTLD_NEXT, "send");
        __atomic_store_n((void **)&real, found, __ATOMIC_RELEASE);
    }
    if (late_ms && !(flags & MSG_DONTWAIT)) {
        sleep_ms(late_ms);
        late_ms = 0;
    }
    if (lost && (flags & MSG_DONTWAIT)) {
        lost = false;
        errno = ECONNRESET;
        return -1;
    }
    return real(fd, bytes, size, flags);
}

static bool say(int fd, const char *text)
{
    return send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text);
}

/* Reads one command; true when it belongs to a handshake. The words are thrown away. */
static bool read_command(FILE *from, char *name, size_t room)
{
    char text[128];
    if (!fgets(text, sizeof text, from) || text[0] != '*')
        return false;
    long words = strtol(text + 1, NULL, 10);
    for (long i = 0; i < words; i++) {
        if (!fgets(text, sizeof text, from))
            return false;
        size_t size = (size_t)strtoul(text + 1, NULL, 10);
        char *word = malloc(size + 3);
        bool read = fread(word, 1, size + 2, from) == size + 2;
        word[size] = '\0';
        if (i == 0)
            snprintf(name, room, "%s", word);
        free(word);
        if (!read)
            return false;
    }
    return true;
}

static void *serve(void *argument)
{
    struct line line = *(struct line *)argument;
    free(argument);
    FILE *from = fdopen(dup(line.fd), "r");
    char *name = line.stage->names[line.index];
    unsigned count = 0;
    bool on = true;
    while (on && read_command(from, name, sizeof line.stage->names[0])) {
        if (!strcmp(name, "HELLO"))
            on = say(line.fd, "-ERR unknown command 'HELLO'\r\n");
        else if (!strcmp(name, "CLIENT") || !strcmp(name, "SELECT"))
            on = say(line.fd, "+OK\r\n");
        else
            on = line.stage->play(line.stage, line.fd, line.index, ++count);
    }
    fclose(from);
    shutdown(line.fd, SHUT_RDWR);
    return NULL;
}

static void *accept_all(void *argument)
{
    struct stage *stage = argument;
    int fd;
    while (stage->lines < LINES_MAX && (fd = accept(stage->listener, NULL, NULL)) >= 0) {
        struct line *line = malloc(sizeof *line);
        *line = (struct line){stage, fd, (int)stage->lines};
        stage->fds[stage->lines] = fd;
        pthread_create(&stage->threads[stage->lines++], NULL, serve, line);
    }
    return NULL;
}

static bool stage_open(struct stage *stage, play *played)
{
    struct sockaddr_in name = {.sin_family = AF_INET};
    socklen_t size = sizeof name;
    *stage = (struct stage){.play = played};
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    stage->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool open = bind(stage->listener, (struct sockaddr *)&name, sizeof name) == 0 &&
                listen(stage->listener, 16) == 0 &&
                getsockname(stage->listener, (struct sockaddr *)&name, &size) == 0;
    stage->port = ntohs(name.sin_port);
    return CHECK(open && !pthread_create(&stage->thread, NULL, accept_all, stage), "a server");
}

static void stage_end(struct stage *stage)
{
    __atomic_store_n(&stage->stop, 1, __ATOMIC_RELEASE);
    shutdown(stage->listener, SHUT_RDWR);
    pthread_join(stage->thread, NULL);
    for (unsigned i = 0; i < stage->lines; i++)
        shutdown(stage->fds[i], SHUT_RDWR);
    for (unsigned i = 0; i < stage->lines; i++) {
        pthread_join(stage->threads[i], NULL);
        close(stage->fds[i]);
    }
    close(stage->listener);
}

static tendon_client *client_of(const struct stage *stage, const char *more)
{
    return open_client("host=127.0.0.1 port=%d mode=standalone %s", stage->port, more);
}

static bool answers_the_first(struct stage *stage, int fd, int line, unsigned count)
{
    (void)stage, (void)line;
    return count > 1 || say(fd, "$3\r\none\r\n");
}

static void take_signal(int number)
{
    (void)number;
}

/* A profiler's timer goes off more often than a wait in the socket looks at its deadline. */
static void signals_do_not_extend_a_deadline(void)
{
    struct stage stage;
    if (!stage_open(&stage, answers_the_first))
        return;
    tendon_client *client = client_of(&stage, "read_timeout_ms=0");
    struct sigaction action = {.sa_handler = take_signal, .sa_flags = SA_RESTART}, before;
    struct itimerval often = {{0, 5000}, {0, 5000}}, never = {{0, 0}, {0, 0}};
    expect_text(ask(client, "GET", "k", NULL), "one");
    sigaction(SIGALRM, &action, &before);
    setitimer(ITIMER_REAL, &often, NULL);
    struct answer answer = ask_by(client, (struct manner){.timeout_ms = 400}, "GET", "k", NULL);
    setitimer(ITIMER_REAL, &never, NULL);
    sigaction(SIGALRM, &before, NULL);
    expect_time(&answer, 400, 2000);
    expect_fault(answer, TENDON_ERROR_TIMEOUT, "400 ms");
    tendon_client_destroy(client);
    stage_end(&stage);
}

static unsigned asked; /* commands on any connection of the stage; atomic */

/* The second command is never answered. */
static bool falls_silent(struct stage *stage, int fd, int line, unsigned count)
{
    (void)stage, (void)line, (void)count;
    unsigned number = __atomic_add_fetch(&asked, 1, __ATOMIC_ACQ_REL);
    return number == 2 || say(fd, number == 1 ? "$3\r\none\r\n" : "$3\r\ntwo\r\n");
}

static bool opens_silent_stage(struct stage *stage)
{
    __atomic_store_n(&asked, 0, __ATOMIC_RELEASE);
    return stage_open(stage, falls_silent);
}

/* Who has much time waits without a timer: his deadline, and a try's, are told by the stream's end.
 */
static void a_long_deadline_ends_a_wait(void)
{
    struct stage stage;
    if (!opens_silent_stage(&stage))
        return;
    tendon_client *client = client_of(&stage, "");
    struct sigaction action = {.sa_handler = take_signal, .sa_flags = SA_RESTART}, before;
    struct itimerval often = {{0, 5000}, {0, 5000}}, never = {{0, 0}, {0, 0}};
    expect_text(ask(client, "GET", "k", NULL), "one");
    sigaction(SIGALRM, &action, &before);
    setitimer(ITIMER_REAL, &often, NULL);
    struct answer answer = ask_by(client, (struct manner){.timeout_ms = 2400}, "GET", "k", NULL);
    setitimer(ITIMER_REAL, &never, NULL);
    sigaction(SIGALRM, &before, NULL);
    expect_time(&answer, 2400, 4000);
    expect_executed(&answer, TENDON_EXECUTED_UNKNOWN);
    expect_fault(answer, TENDON_ERROR_TIMEOUT, "2400 ms");
    expect_text(ask_by(client, (struct manner){.timeout_ms = PATIENCE_MS}, "GET", "k", NULL),
                "two");
    tendon_client_destroy(client);
    stage_end(&stage);
}

static void a_long_try_ends_a_wait(void)
{
    struct stage stage;
    if (!opens_silent_stage(&stage))
        return;
    tendon_client *client = client_of(&stage, "read_timeout_ms=1900 retry_on_timeout=yes");
    expect_text(ask(client, "GET", "k", NULL), "one");
    struct answer answer =
        ask_by(client, (struct manner){.timeout_ms = PATIENCE_MS}, "GET", "k", NULL);
    expect_time(&answer, 1900, 4000);
    expect_text(answer, "two");
    tendon_client_destroy(client);
    stage_end(&stage);
}

/* Answers the first command of a connection together with its end; later connections answer all. */
static bool answers_and_ends(struct stage *stage, int fd, int line, unsigned count)
{
    (void)stage;
    int on = 1;
    if (line)
        return say(fd, "$3\r\ntwo\r\n");
    if (count == 1) {
        setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof on);
        return say(fd, "$3\r\none\r\n");
    }
    shutdown(fd, SHUT_WR); /* reply and FIN leave in one segment */
    return true;
}

/* With different flags, or they would travel as one. */
static void ask_two(tendon_client *client, tendon_outcome outcomes[2], int64_t timeout_ms)
{
    tendon_bytes words[] = {{"GET", 3}, {"k", 1}};
    tendon_request requests[2];
    for (int i = 0; i < 2; i++)
        requests[i] = (tendon_request){.struct_size = sizeof *requests,
                                       .args = words,
                                       .arg_count = 2,
                                       .flags = i ? TENDON_REQUEST_IDEMPOTENT : 0,
                                       .timeout_ms = timeout_ms};
    CHECK(tendon_call_batch(client, requests, sizeof *requests, 2, outcomes) == TENDON_OK, "batch");
}

static void an_end_behind_a_reply_is_seen(void)
{
    struct stage stage;
    if (!stage_open(&stage, answers_and_ends))
        return;
    tendon_client *client = client_of(&stage, "read_timeout_ms=0 max_retries=3");
    tendon_outcome outcomes[2];
    double start = now_ms();
    ask_two(client, outcomes, 20000);
    CHECK(now_ms() - start < 10000, "after %.0f ms", now_ms() - start);
    expect_text(answer_of(outcomes[0].reply, outcomes[0].error), "one");
    expect_text(answer_of(outcomes[1].reply, outcomes[1].error), "two");
    tendon_client_destroy(client);
    stage_end(&stage);
}

static bool answers(struct stage *stage, int fd, int line, unsigned count)
{
    (void)stage, (void)line, (void)count;
    return say(fd, "$3\r\none\r\n");
}

/* Everything fails while it is sent, when nothing else is left that could end the wait. */
static void a_batch_that_fails_when_it_is_sent_is_not_waited_for(void)
{
    struct stage stage;
    if (!stage_open(&stage, answers))
        return;
    tendon_client *client = client_of(&stage, "max_retries=0");
    tendon_outcome outcomes[2];
    expect_text(ask(client, "GET", "k", NULL), "one");
    lost = true;
    double start = now_ms();
    ask_two(client, outcomes, 2000);
    CHECK(!lost, "nothing was sent");
    CHECK(now_ms() - start < 1500, "after %.0f ms", now_ms() - start);
    for (int i = 0; i < 2; i++)
        expect_fault(answer_of(outcomes[i].reply, outcomes[i].error), TENDON_ERROR_DISCONNECTED,
                     "");
    tendon_client_destroy(client);
    stage_end(&stage);
}

/* As before, but the one that waits is alone in the socket: the end is found before the next. */
static bool answers_once(struct stage *stage, int fd, int line, unsigned count)
{
    int on = 1;
    (void)stage, (void)count;
    if (line)
        return say(fd, "$3\r\ntwo\r\n");
    setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof on);
    say(fd, "$3\r\none\r\n");
    shutdown(fd, SHUT_WR);
    return true;
}

static void an_end_behind_the_only_reply_is_seen(void)
{
    struct stage stage;
    if (!stage_open(&stage, answers_once))
        return;
    tendon_client *client = client_of(&stage, "read_timeout_ms=0 max_retries=3");
    expect_text(ask_by(client, (struct manner){.timeout_ms = 20000}, "INCR", "k", NULL), "one");
    sleep_ms(30);
    /* Not idempotent: on the dead connection it would fail with an unknown outcome. */
    expect_text(ask_by(client, (struct manner){.timeout_ms = 20000}, "INCR", "k", NULL), "two");
    tendon_client_destroy(client);
    stage_end(&stage);
}

/* Reads a long while, says nothing before the 4000th command, then answers them all. */
static bool answers_at_last(struct stage *stage, int fd, int line, unsigned count)
{
    (void)stage, (void)line;
    bool on = true;
    if (count == 4000)
        for (int i = 0; i < 4000 && on; i++)
            on = say(fd, "+OK\r\n");
    return on;
}

static void a_server_that_answers_at_the_end_gets_everything(void)
{
    struct stage stage;
    if (!stage_open(&stage, answers_at_last))
        return;
    tendon_client *client = client_of(&stage, "read_timeout_ms=0");
    char *value = calloc(1, 4000);
    tendon_bytes words[] = {{"SET", 3}, {"k", 1}, {value, 4000}};
    tendon_request *requests = calloc(4000, sizeof *requests);
    tendon_outcome *outcomes = calloc(4000, sizeof *outcomes);
    for (int i = 0; i < 4000; i++)
        requests[i] = (tendon_request){
            .struct_size = sizeof *requests, .args = words, .arg_count = 3, .timeout_ms = 30000};
    double start = now_ms();
    CHECK(tendon_call_batch(client, requests, sizeof *requests, 4000, outcomes) == TENDON_OK, " ");
    CHECK(now_ms() - start < 15000, "after %.0f ms", now_ms() - start);
    unsigned failures = 0;
    for (int i = 0; i < 4000; i++) {
        failures += outcomes[i].error != NULL;
        tendon_reply_destroy(outcomes[i].reply);
        tendon_error_destroy(outcomes[i].error);
    }
    CHECK(!failures, "%u failures", failures);
    free(requests);
    free(outcomes);
    free(value);
    tendon_client_destroy(client);
    stage_end(&stage);
}

/* The first is taken back before it is sent; the second waited only for its room. */
static void room_that_was_not_used_goes_to_the_next(void)
{
    struct stage stage;
    if (!stage_open(&stage, answers))
        return;
    tendon_client *client = client_of(&stage, "max_in_flight=1 drive=host");
    tendon_queue *queue = NULL;
    CHECK(tendon_queue_create(&queue) == TENDON_OK, "a queue");
    tendon_bytes words[] = {{"GET", 3}, {"k", 1}};
    tendon_request request = {
        .struct_size = sizeof request, .args = words, .arg_count = 2, .timeout_ms = 20000};
    tendon_completion done;
    uint64_t id = 0;
    double limit = now_ms() + 10000;
    CHECK(tendon_submit(client, queue, &request, sizeof request, 1, NULL) == TENDON_OK, "submit");
    while (!tendon_queue_poll(queue, &done, sizeof done, 1, 0) && now_ms() < limit)
        tendon_client_process(client, 100, NULL);
    expect_text(answer_of(done.reply, done.error), "one");
    CHECK(tendon_submit(client, queue, &request, sizeof request, 1, &id) == TENDON_OK, "submit");
    CHECK(tendon_submit(client, queue, &request, sizeof request, 1, NULL) == TENDON_OK, "submit");
    CHECK(tendon_cancel(client, id) == TENDON_OK, "cancel");
    CHECK(tendon_queue_poll(queue, &done, sizeof done, 1, 0) == 1, "cancelled");
    expect_fault(answer_of(done.reply, done.error), TENDON_ERROR_CANCELLED, "");
    size_t got = 0;
    for (limit = now_ms() + 10000; !got && now_ms() < limit;) {
        tendon_client_process(client, 100, NULL);
        got = tendon_queue_poll(queue, &done, sizeof done, 1, 0);
    }
    if (CHECK(got == 1, "the second waits for nothing"))
        expect_text(answer_of(done.reply, done.error), "one");
    tendon_client_destroy(client);
    tendon_queue_destroy(queue);
    stage_end(&stage);
}

struct hot {
    tendon_client *client;
    bool stop; /* atomic */
    unsigned failures;
    tendon_status first;
    long calls;
};

static void *call_on(void *argument)
{
    struct hot *hot = argument;
    while (!__atomic_load_n(&hot->stop, __ATOMIC_ACQUIRE)) {
        struct answer answer = ask(hot->client, "GET", "k", NULL);
        if (answer.status != TENDON_OK && !hot->failures++)
            hot->first = answer.status;
        hot->calls++;
        forget(&answer);
    }
    return NULL;
}

/* Whoever has its outcome does not count as pending, so that it may call again at once. */
static void callers_as_many_as_may_be_pending(void)
{
    enum { CALLERS = 16 };
    struct stage stage;
    if (!stage_open(&stage, answers))
        return;
    struct hot hot[CALLERS] = {0};
    pthread_t threads[CALLERS];
    tendon_client *client = client_of(&stage, "max_pending=16");
    for (int i = 0; i < CALLERS; i++) {
        hot[i].client = client;
        pthread_create(&threads[i], NULL, call_on, &hot[i]);
    }
    sleep_ms(500);
    for (int i = 0; i < CALLERS; i++)
        __atomic_store_n(&hot[i].stop, true, __ATOMIC_RELEASE);
    for (int i = 0; i < CALLERS; i++) {
        pthread_join(threads[i], NULL);
        CHECK(!hot[i].failures, "%u of %ld failed with %s", hot[i].failures, hot[i].calls,
              tendon_status_name(hot[i].first));
    }
    tendon_client_destroy(client);
    stage_end(&stage);
}

/* Slow enough that two callers at once need two connections. */
static bool answers_slowly(struct stage *stage, int fd, int line, unsigned count)
{
    (void)stage, (void)count;
    if (line)
        sleep_ms(20);
    return say(fd, "$3\r\none\r\n");
}

static void *ask_once(void *argument)
{
    struct answer answer = ask(argument, "GET", "k", NULL);
    forget(&answer);
    return NULL;
}

/* Callers who never pause must not hide that a server has closed an idle connection. */
static void a_busy_client_notices_closed_connections(void)
{
    struct stage stage;
    if (!stage_open(&stage, answers_slowly))
        return;
    tendon_client *client = client_of(&stage, "");
    struct hot hot = {.client = client};
    pthread_t busy, crew[3];
    expect_text(ask(client, "GET", "k", NULL), "one");
    pthread_create(&busy, NULL, call_on, &hot);
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 3; i++)
            pthread_create(&crew[i], NULL, ask_once, client);
        for (int i = 0; i < 3; i++)
            pthread_join(crew[i], NULL);
        unsigned lines = __atomic_load_n(&stage.lines, __ATOMIC_ACQUIRE);
        for (unsigned i = 1; i < lines; i++)
            shutdown(stage.fds[i], SHUT_RDWR);
        sleep_ms(20);
        struct answer answer = ask(client, "INCR", "k", NULL);
        CHECK(answer.status == TENDON_OK, "round %d: %s", round, answer.fault.message);
        forget(&answer);
        if (lines > LINES_MAX - 4)
            break;
    }
    __atomic_store_n(&hot.stop, true, __ATOMIC_RELEASE);
    pthread_join(busy, NULL);
    tendon_client_destroy(client);
    stage_end(&stage);
}

/* Answers with the number of the command on its connection, and keeps what it was asked. */
static bool answers_by_name(struct stage *stage, int fd, int line, unsigned count)
{
    (void)line, (void)count;
    char reply[64];
    snprintf(reply, sizeof reply, "+%s\r\n", stage->names[line]);
    return say(fd, reply);
}

static void *ask_late(void *argument)
{
    for (int i = 0; i < 5; i++) {
        late_ms = i ? 60 : 0;
        expect_text(ask_by(argument, (struct manner){.timeout_ms = 20000}, "FIRST", NULL), "FIRST");
    }
    late_ms = 0;
    return NULL;
}

/* One that sends by itself and others on the same connection: each gets the reply to its own. */
static void nobody_overtakes_who_sends_by_itself(void)
{
    struct stage stage;
    tendon_queue *queue = NULL;
    if (!stage_open(&stage, answers_by_name))
        return;
    tendon_client *client = client_of(&stage, "direct_lanes=1");
    CHECK(tendon_queue_create(&queue) == TENDON_OK, "a queue");
    pthread_t late;
    expect_text(ask(client, "WARM", NULL), "WARM");
    pthread_create(&late, NULL, ask_late, client);
    sleep_ms(25);
    for (int i = 0; i < 5; i++) {
        tendon_bytes words[] = {{"SECOND", 6}};
        tendon_request request = {
            .struct_size = sizeof request, .args = words, .arg_count = 1, .timeout_ms = 20000};
        tendon_completion done;
        CHECK(tendon_submit(client, queue, &request, sizeof request, 1, NULL) == TENDON_OK,
              "submit");
        if (CHECK(tendon_queue_poll(queue, &done, sizeof done, 1, 20000) == 1, "an outcome"))
            expect_text(answer_of(done.reply, done.error), "SECOND");
        sleep_ms(30);
    }
    pthread_join(late, NULL);
    tendon_client_destroy(client);
    tendon_queue_destroy(queue);
    stage_end(&stage);
}

int main(void)
{
    run_test("signals do not extend a deadline", signals_do_not_extend_a_deadline);
    run_test("a batch that fails when it is sent",
             a_batch_that_fails_when_it_is_sent_is_not_waited_for);
    run_test("a long deadline ends a wait", a_long_deadline_ends_a_wait);
    run_test("a long try ends a wait", a_long_try_ends_a_wait);
    run_test("an end behind a reply is seen", an_end_behind_a_reply_is_seen);
    run_test("an end behind the only reply is seen", an_end_behind_the_only_reply_is_seen);
    run_test("a server that answers at the end gets everything",
             a_server_that_answers_at_the_end_gets_everything);
    run_test("room that was not used goes to the next", room_that_was_not_used_goes_to_the_next);
    run_test("callers as many as may be pending", callers_as_many_as_may_be_pending);
    run_test("a busy client notices closed connections", a_busy_client_notices_closed_connections);
    run_test("nobody overtakes who sends by itself", nobody_overtakes_who_sends_by_itself);
    return finish_tests();
}
