/*
 * What every integration program needs: checks that report in TAP, and the C ABI in a form that is
 * short to write. It uses the public headers only, as a user would.
 */
#ifndef SUPPORT_CHECK_H
#define SUPPORT_CHECK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <tendon/tendon.h>

/* What a call may take beyond its deadline on a machine that is not busy. Sanitizers slow the whole
 * process down. */
#if defined(__SANITIZE_THREAD__)
#define SLACK_MS 2000
#elif defined(__SANITIZE_ADDRESS__)
#define SLACK_MS 600
#else
#define SLACK_MS 200
#endif

/* No outcome of a call comes so late, however busy the machine is. */
#define PATIENCE_MS 30000

/* Reports a failed condition with a printf text, and says whether it held: `if (!CHECK(...))
 * return;`. */
#define CHECK(condition, ...) check_that((condition), __FILE__, __LINE__, #condition, __VA_ARGS__)

/* One outcome of a call, with its root node as text. End it with forget(). */
struct answer {
    tendon_status status;
    tendon_reply *reply;
    tendon_error *error;
    tendon_reply_view view;
    tendon_error_view fault; /* strings are never NULL */
    double ms;               /* how long the call took */
    char text[512];          /* "OK", "17", "(null)", "(array 3)"; cut at the end */
};

/* How to ask beyond the words. */
struct manner {
    int64_t timeout_ms;
    uint32_t flags;
    uint32_t route;
    uint32_t slot;
    const char *node;
    tendon_lease *lease;
};

bool check_that(bool holds, const char *file, int line, const char *condition, const char *format,
                ...) __attribute__((format(printf, 5, 6)));
/* Runs one test and prints its TAP line. */
void run_test(const char *name, void (*body)(void));
/* A line of its own for what this machine cannot test. */
void skip_test(const char *name, const char *why);
/* Prints the plan; the exit code of main. */
int finish_tests(void);

double now_ms(void);
void sleep_ms(double ms);
/* A key of this run and program alone: prefix:pid:name. Valid until 16 more were asked for. */
const char *key_of(const char *name);

/* `options` is printf text of "name=value" words; a word with "://" is a URL. NULL after a failed
 * CHECK. */
tendon_client *open_client(const char *options, ...) __attribute__((format(printf, 1, 2)));
/* As open_client, but hands out the status and, when not NULL, the error. */
tendon_status try_client(tendon_client **out_client, struct answer *out_answer, const char *options,
                         ...) __attribute__((format(printf, 3, 4)));

/* A command of words, up to NULL. */
struct answer ask(tendon_client *client, const char *word, ...) __attribute__((sentinel));
struct answer ask_by(tendon_client *client, struct manner manner, const char *word, ...)
    __attribute__((sentinel));
struct answer ask_bytes(tendon_client *client, struct manner manner, const tendon_bytes *args,
                        uint32_t count);
void forget(struct answer *answer);

/* Takes over a reply or error, as from an outcome or completion. */
struct answer answer_of(tendon_reply *reply, tendon_error *error);
/* Checks for a reply with this text, and forgets the answer. */
bool expect_text(struct answer answer, const char *text);
/* Checks for a failure with this status whose message holds `word`, and forgets the answer. */
bool expect_fault(struct answer answer, tendon_status status, const char *word);
bool expect_executed(const struct answer *answer, uint32_t executed);
/* What is allowed beyond a deadline to what took `took_ms` until now: SLACK_MS, and more on a
 * machine that was busy with others meanwhile, by the measure of a thread that only sleeps. */
double slack_ms(double took_ms);
/* Waits until `condition` holds, for as long as nothing takes that does not hang. */
#define UNTIL(condition)                                                                           \
    do {                                                                                           \
        double until_ms = now_ms() + PATIENCE_MS;                                                  \
        while (!(condition) && now_ms() < until_ms)                                                \
            sleep_ms(2);                                                                           \
        CHECK(condition, "not within %d ms", PATIENCE_MS);                                         \
    } while (0)
/* Within `limit_ms` + slack_ms and not before `least_ms`. */
bool expect_time(const struct answer *answer, double least_ms, double limit_ms);
tendon_stats stats_of(tendon_client *client);
/* Whether the server of `client` holds commands of `count` connections that are named `name`. */
bool server_holds(tendon_client *client, const char *name, int count);

#endif
