/* A subscription as a test sees it. */
#include "listener.h"

#include <stdio.h>
#include <string.h>

#include "servers.h"

struct listener listen_with(const char *options)
{
    struct listener listener = {.client = open_client("%s", options)};
    CHECK(tendon_queue_create(&listener.queue) == TENDON_OK, "a queue");
    CHECK(tendon_subscription_open(listener.client, listener.queue, NULL, 77,
                                   &listener.subscription) == TENDON_OK,
          "a subscription");
    listener.is_driven = strstr(options, "drive=host") != NULL;
    return listener;
}

struct listener listen_to(int port, const char *more)
{
    char options[256];
    snprintf(options, sizeof options, "host=localhost port=%d %s", port, more);
    return listen_with(options);
}

void end_listener(struct listener *listener)
{
    tendon_subscription_close(listener->subscription);
    tendon_client_destroy(listener->client);
    tendon_queue_destroy(listener->queue);
}

uint64_t say(struct listener *listener, uint64_t tag, int64_t timeout_ms, const char *line)
{
    static char words[1 << 20];
    static tendon_bytes args[40000];
    uint32_t count = 0;
    uint64_t id = 0;
    snprintf(words, sizeof words, "%s", line);
    for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
        args[count++] = (tendon_bytes){word, strlen(word)};
    tendon_request request = {.struct_size = sizeof request,
                              .args = args,
                              .arg_count = count,
                              .tag = tag,
                              .timeout_ms = timeout_ms};
    CHECK(tendon_subscription_submit(listener->subscription, &request, &id) == TENDON_OK, "%.40s",
          line);
    return id;
}

const char *next_within(struct listener *listener, double limit_ms)
{
    static char text[4096];
    static const char *const events[] = {[TENDON_EVENT_CLOSED] = "closed",
                                         [TENDON_EVENT_FAILED] = "failed",
                                         [TENDON_EVENT_RECONNECTING] = "reconnecting",
                                         [TENDON_EVENT_GAP] = "gap"};
    tendon_completion done;
    size_t got = 0;
    for (double limit = now_ms() + limit_ms; !got && now_ms() < limit;) {
        got = tendon_queue_poll(listener->queue, &done, sizeof done, 1,
                                listener->is_driven ? 0 : (int64_t)limit_ms);
        if (!got && listener->is_driven)
            CHECK(tendon_client_process(listener->client, 20, NULL) == TENDON_OK, "process");
    }
    if (!got)
        return "";
    size_t used = 0;
    if (done.kind != TENDON_COMPLETION_EVENT) {
        struct answer answer = answer_of(done.reply, done.error);
        snprintf(text, sizeof text, "%lu: %s%s", (unsigned long)done.tag,
                 answer.error ? answer.fault.message : answer.text,
                 answer.error && answer.fault.executed == TENDON_EXECUTED_NO ? " (no)" : "");
        forget(&answer);
        return text;
    }
    CHECK(done.tag == 77, "the subscription's tag, not %lu", (unsigned long)done.tag);
    if (done.event != TENDON_EVENT_MESSAGE) {
        snprintf(text, sizeof text, "%s", events[done.event]);
    } else if (done.nodes[0].type == TENDON_NODE_STATUS) {
        snprintf(text, sizeof text, "line %.*s", (int)done.nodes[0].size,
                 (const char *)done.data + done.nodes[0].value.offset);
    } else {
        CHECK(done.nodes[0].type == TENDON_NODE_PUSH, "type %d", done.nodes[0].type);
        for (uint64_t i = 1; i < done.node_count; i++) {
            const tendon_node *node = &done.nodes[i];
            if (node->type == TENDON_NODE_INTEGER)
                used += (size_t)snprintf(text + used, sizeof text - used, " %ld",
                                         (long)node->value.integer);
            else if (node->type == TENDON_NODE_NULL)
                used += (size_t)snprintf(text + used, sizeof text - used, " null");
            else
                used +=
                    (size_t)snprintf(text + used, sizeof text - used, "%s%.*s", i > 1 ? " " : "",
                                     (int)(node->size < 100 ? node->size : 100),
                                     (const char *)done.data + node->value.offset);
        }
        if (done.delay_ms)
            snprintf(text + used, sizeof text - used, " again");
    }
    tendon_reply_destroy(done.reply);
    tendon_error_destroy(done.error);
    return text;
}

bool expect(struct listener *listener, const char *text)
{
    const char *got = next_within(listener, WAIT_MS);
    return CHECK(!strcmp(got, text), "\"%s\" instead of \"%s\"", got, text);
}

bool expect_after(struct listener *listener, const char *skipped, const char *text)
{
    const char *got = next_within(listener, WAIT_MS);
    while (*got && strstr(skipped, got))
        got = next_within(listener, WAIT_MS);
    return CHECK(!strcmp(got, text), "\"%s\" instead of \"%s\"", got, text);
}

void publish(tendon_client *client, const char *channel, const char *payload, int receivers)
{
    char text[16];
    snprintf(text, sizeof text, "%d", receivers);
    expect_text(ask(client, "PUBLISH", channel, payload, NULL), text);
}

static char options_text[256];

const char *standalone(const char *more)
{
    snprintf(options_text, sizeof options_text, "host=localhost port=%d %s",
             server_number("standalone.port"), more);
    return options_text;
}
