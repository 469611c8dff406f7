/* Checks in TAP, and short forms of the calls of the C ABI. */
#include "check.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define WORDS_MAX   64
#define OPTIONS_MAX 4096

/* A call is handed from thread to thread and to a server: each may have to wait for a processor. */
#define HANDS       10
#define NAP_MS      2
#define MARK_MS     100 /* for so long one mark of the yardstick stands */
#define MARKS_COUNT 1200

static int tests_run, tests_failed, checks_failed;
/* By how many microseconds the yardstick woke up late at the most, in each MARK_MS; atomic. */
static unsigned marks[MARKS_COUNT];
static unsigned long naps_end_us; /* when the nap under way should end; atomic */

bool check_that(bool holds, const char *file, int line, const char *condition, const char *format,
                ...)
{
    if (holds)
        return true;
    __atomic_add_fetch(&checks_failed, 1, __ATOMIC_RELAXED);
    char text[1024];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    for (char *at = text; *at; at++) /* a line of its own would be no comment any more */
        *at = *at == '\n' || *at == '\r' ? ' ' : *at;
    printf("# %s:%d: %s: %s\n", file, line, condition, text);
    fflush(stdout);
    return false;
}

static unsigned long clock_us(void)
{
    return (unsigned long)(now_ms() * 1e3);
}

static unsigned *mark_at(unsigned long us)
{
    return &marks[us / (MARK_MS * 1000ul) % MARKS_COUNT];
}

/* Sleeps for a moment again and again, and notes how late it wakes up. */
static void *yardstick(void *nothing)
{
    unsigned long last_us = clock_us();
    for (;;) {
        __atomic_store_n(&naps_end_us, clock_us() + NAP_MS * 1000ul, __ATOMIC_RELAXED);
        sleep_ms(NAP_MS);
        unsigned long us = clock_us(), late_us = us - naps_end_us;
        if (mark_at(us) != mark_at(last_us))
            __atomic_store_n(mark_at(us), 0, __ATOMIC_RELAXED);
        if (late_us > *mark_at(us))
            __atomic_store_n(mark_at(us), (unsigned)late_us, __ATOMIC_RELAXED);
        last_us = us;
    }
    return nothing;
}

/* Signals are for the threads of the test. */
static void lay_yardstick(void)
{
    static bool laid;
    pthread_t thread;
    sigset_t all, before;
    if (laid)
        return;
    laid = true;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    if (!pthread_create(&thread, NULL, yardstick, NULL))
        pthread_detach(thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

double slack_ms(double took_ms)
{
    unsigned long now_us = clock_us(), end_us = __atomic_load_n(&naps_end_us, __ATOMIC_RELAXED);
    unsigned long since_us = now_us - (unsigned long)(took_ms * 1e3);
    unsigned long late_us = end_us && now_us > end_us ? now_us - end_us : 0;
    if (took_ms > MARK_MS * (MARKS_COUNT - 1))
        since_us = now_us - MARK_MS * (MARKS_COUNT - 1) * 1000ul;
    for (unsigned long us = since_us; us < now_us + MARK_MS * 1000ul; us += MARK_MS * 1000ul) {
        unsigned marked = __atomic_load_n(mark_at(us < now_us ? us : now_us), __ATOMIC_RELAXED);
        late_us = marked > late_us ? marked : late_us;
    }
    return SLACK_MS + HANDS * (double)late_us / 1e3;
}

void run_test(const char *name, void (*body)(void))
{
    lay_yardstick();
    const char *only = getenv("TENDON_TEST_ONLY"); /* for work by hand on one test */
    if (only && !strstr(name, only))
        return;
    checks_failed = 0;
    double began = now_ms();
    body();
    tests_run++;
    tests_failed += checks_failed != 0;
    printf("%s %d - %s # %.0f ms\n", checks_failed ? "not ok" : "ok", tests_run, name,
           now_ms() - began);
    fflush(stdout);
}

void skip_test(const char *name, const char *why)
{
    printf("ok %d - %s # SKIP %s\n", ++tests_run, name, why);
}

int finish_tests(void)
{
    printf("1..%d\n", tests_run);
    return tests_failed ? 1 : 0;
}

double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

void sleep_ms(double ms)
{
    struct timespec wait = {(time_t)(ms / 1e3), 0};
    wait.tv_nsec = (long)((ms - (double)wait.tv_sec * 1e3) * 1e6);
    nanosleep(&wait, NULL);
}

const char *key_of(const char *name)
{
    static char room[16][96];
    static unsigned next;
    char *key = room[__atomic_fetch_add(&next, 1, __ATOMIC_RELAXED) % 16];
    snprintf(key, sizeof room[0], "c-it:%d:%s", (int)getpid(), name);
    return key;
}

static tendon_status apply(tendon_config *config, char *words, tendon_error **out_error)
{
    char *rest = NULL;
    for (char *word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        tendon_status status;
        char *equals = strchr(word, '=');
        if (strstr(word, "://")) {
            status = tendon_config_set_url(config, word, out_error);
        } else if (equals) {
            *equals = '\0';
            status = tendon_config_set(config, word, equals + 1, out_error);
        } else {
            status = TENDON_ERROR_ARGUMENT;
        }
        if (status != TENDON_OK)
            return status;
    }
    return TENDON_OK;
}

__attribute__((format(printf, 3, 0))) static tendon_status
make(tendon_client **out_client, tendon_error **out_error, const char *options, va_list list)
{
    char words[OPTIONS_MAX];
    tendon_config *config;
    vsnprintf(words, sizeof words, options, list);
    tendon_status status = tendon_config_create(&config);
    if (status != TENDON_OK)
        return status;
    status = apply(config, words, out_error);
    if (status == TENDON_OK)
        status = tendon_client_create(config, out_client, out_error);
    tendon_config_destroy(config);
    return status;
}

tendon_client *open_client(const char *options, ...)
{
    tendon_client *client = NULL;
    tendon_error *error = NULL;
    va_list list;
    va_start(list, options);
    tendon_status status = make(&client, &error, options, list);
    va_end(list);
    struct answer answer = answer_of(NULL, error);
    CHECK(status == TENDON_OK && client, "%s with %s: %s", tendon_status_name(status), options,
          answer.fault.message);
    forget(&answer);
    return client;
}

tendon_status try_client(tendon_client **out_client, struct answer *out_answer, const char *options,
                         ...)
{
    tendon_error *error = NULL;
    va_list list;
    va_start(list, options);
    *out_client = NULL;
    tendon_status status = make(out_client, &error, options, list);
    va_end(list);
    *out_answer = answer_of(NULL, error);
    out_answer->status = status;
    return status;
}

static void describe_root(struct answer *answer)
{
    const tendon_node *root = answer->view.nodes;
    switch (root->type) {
    case TENDON_NODE_NULL:
        snprintf(answer->text, sizeof answer->text, "(null)");
        break;
    case TENDON_NODE_INTEGER:
    case TENDON_NODE_BOOLEAN:
        snprintf(answer->text, sizeof answer->text, "%" PRId64, root->value.integer);
        break;
    case TENDON_NODE_DOUBLE:
        snprintf(answer->text, sizeof answer->text, "%g", root->value.number);
        break;
    case TENDON_NODE_ARRAY:
    case TENDON_NODE_MAP:
    case TENDON_NODE_SET:
    case TENDON_NODE_PUSH:
        snprintf(answer->text, sizeof answer->text, "(%s %" PRIu32 ")",
                 root->type == TENDON_NODE_ARRAY ? "array"
                 : root->type == TENDON_NODE_MAP ? "map"
                 : root->type == TENDON_NODE_SET ? "set"
                                                 : "push",
                 root->size);
        break;
    default:
        snprintf(answer->text, sizeof answer->text, "%.*s",
                 root->size < 500 ? (int)root->size : 500,
                 (const char *)answer->view.data + root->value.offset);
        break;
    }
}

struct answer answer_of(tendon_reply *reply, tendon_error *error)
{
    struct answer answer = {.reply = reply, .error = error};
    answer.view.struct_size = sizeof answer.view;
    answer.fault.struct_size = sizeof answer.fault;
    answer.fault.message = answer.fault.prefix = answer.fault.node = "";
    if (error && CHECK(tendon_error_look(error, &answer.fault) == TENDON_OK, "a look at an error"))
        answer.status = answer.fault.status;
    if (reply && CHECK(tendon_reply_look(reply, &answer.view) == TENDON_OK, "a look at a reply"))
        describe_root(&answer);
    return answer;
}

struct answer ask_bytes(tendon_client *client, struct manner manner, const tendon_bytes *args,
                        uint32_t count)
{
    tendon_request request = {.struct_size = sizeof request,
                              .flags = manner.flags,
                              .args = args,
                              .arg_count = count,
                              .route = manner.route,
                              .slot = manner.slot,
                              .timeout_ms = manner.timeout_ms,
                              .lease = manner.lease};
    if (manner.node)
        request.node = (tendon_bytes){manner.node, strlen(manner.node)};
    tendon_reply *reply = NULL;
    tendon_error *error = NULL;
    double began = now_ms();
    tendon_status status = tendon_call(client, &request, &reply, &error);
    double took = now_ms() - began;
    struct answer answer = answer_of(reply, error);
    CHECK((status == TENDON_OK) == (reply != NULL) && (status != TENDON_OK) == (error != NULL),
          "status %s with reply %p and error %p", tendon_status_name(status), (void *)reply,
          (void *)error);
    CHECK(!error || answer.fault.status == status, "returned %s, the error says %s",
          tendon_status_name(status), tendon_status_name(answer.fault.status));
    answer.status = status;
    answer.ms = took;
    return answer;
}

static uint32_t words_of(tendon_bytes *args, const char *word, va_list list)
{
    uint32_t count = 0;
    for (; word && count < WORDS_MAX; word = va_arg(list, const char *))
        args[count++] = (tendon_bytes){word, strlen(word)};
    return count;
}

struct answer ask(tendon_client *client, const char *word, ...)
{
    tendon_bytes args[WORDS_MAX];
    va_list list;
    va_start(list, word);
    uint32_t count = words_of(args, word, list);
    va_end(list);
    return ask_bytes(client, (struct manner){0}, args, count);
}

struct answer ask_by(tendon_client *client, struct manner manner, const char *word, ...)
{
    tendon_bytes args[WORDS_MAX];
    va_list list;
    va_start(list, word);
    uint32_t count = words_of(args, word, list);
    va_end(list);
    return ask_bytes(client, manner, args, count);
}

void forget(struct answer *answer)
{
    tendon_reply_destroy(answer->reply);
    tendon_error_destroy(answer->error);
    answer->reply = NULL;
    answer->error = NULL;
}

bool expect_text(struct answer answer, const char *text)
{
    bool good =
        CHECK(answer.status == TENDON_OK, "%s instead of \"%s\": %s",
              tendon_status_name(answer.status), text, answer.fault.message) &&
        CHECK(strcmp(answer.text, text) == 0, "\"%s\" instead of \"%s\"", answer.text, text);
    forget(&answer);
    return good;
}

bool expect_fault(struct answer answer, tendon_status status, const char *word)
{
    bool good =
        CHECK(answer.status == status, "%s (%s%s) instead of %s", tendon_status_name(answer.status),
              answer.text, answer.fault.message, tendon_status_name(status)) &&
        CHECK(strcasestr(answer.fault.message, word), "\"%s\" does not name \"%s\"",
              answer.fault.message, word);
    forget(&answer);
    return good;
}

bool expect_executed(const struct answer *answer, uint32_t executed)
{
    static const char *const names[] = {"unset", "no", "yes", "unknown"};
    return CHECK(answer->error && answer->fault.executed == executed,
                 "executed %s instead of %s: %s %s", names[answer->fault.executed & 3],
                 names[executed & 3], tendon_status_name(answer->status), answer->fault.message);
}

bool expect_time(const struct answer *answer, double least_ms, double limit_ms)
{
    double slack = slack_ms(answer->ms);
    return CHECK(answer->ms >= least_ms - 2 && answer->ms <= limit_ms + slack,
                 "took %.0f ms, not between %.0f and %.0f + %.0f: %s", answer->ms, least_ms,
                 limit_ms, slack, answer->fault.message);
}

tendon_stats stats_of(tendon_client *client)
{
    tendon_stats stats = {.struct_size = sizeof stats};
    CHECK(tendon_client_stats(client, &stats) == TENDON_OK, "statistics");
    return stats;
}

bool server_holds(tendon_client *client, const char *name, int count)
{
    struct answer answer = ask(client, "CLIENT", "LIST", NULL);
    char named[96];
    snprintf(named, sizeof named, " name=%s ", name);
    char *list = NULL; /* a string in RESP2, verbatim text in RESP3 */
    if (answer.status == TENDON_OK && answer.view.nodes[0].type != TENDON_NODE_ERROR)
        list = strndup((const char *)answer.view.data + answer.view.nodes[0].value.offset,
                       answer.view.nodes[0].size);
    int found = 0;
    char *rest = list;
    for (char *line; (line = strsep(&rest, "\n"));)
        found += strstr(line, named) && strstr(line, " flags=b ");
    free(list);
    forget(&answer);
    return found == count;
}
