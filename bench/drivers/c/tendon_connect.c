/* Connections made and closed again and again, and messages: the tendon driver's part of those. */
#include <stdlib.h>

#include "tendon_driver.h"

static void ping(tendon_client *client, struct tally *tally)
{
    tendon_bytes args[] = {{"PING", 4}};
    tendon_request request = {.struct_size = sizeof request, .args = args, .arg_count = 1};
    tendon_reply *reply;
    tendon_error *error = NULL;
    tendon_reply_view view = {.struct_size = sizeof view};
    if (tendon_call(client, &request, &reply, &error) != TENDON_OK)
        die("PING", error);
    if (tendon_reply_look(reply, &view) != TENDON_OK || view.nodes->type != TENDON_NODE_STATUS ||
        view.nodes->size != 4)
        job_error(tally, "PING did not answer PONG");
    tendon_reply_destroy(reply);
    tally->ops++;
}

/* A client for each connection: its TLS context and its thread are made each time. */
void connect_anew(const struct job *job, void *unused, struct tally *tally, uint32_t index)
{
    (void)unused;
    (void)index;
    while (job_phase(tally) != PHASE_END) {
        int64_t begin_ns = now_ns();
        tendon_client *client = make_client(job);
        ping(client, tally);
        tendon_client_destroy(client);
        job_latency(tally, now_ns() - begin_ns);
    }
}

static tendon_stats stats_of(tendon_client *client)
{
    tendon_stats stats = {.struct_size = sizeof stats};
    if (tendon_client_stats(client, &stats) != TENDON_OK)
        job_die("tendon_client_stats", "failed");
    return stats;
}

/* One client whose connection is closed each time; its sessions are resumed, unless the job wants
 * whole handshakes. */
void connect_again(const struct job *job, void *client, struct tally *tally, uint32_t index)
{
    uint64_t turns = 0;
    (void)index;
    for (; job_phase(tally) != PHASE_END; turns++) {
        int64_t begin_ns = now_ns();
        ping(client, tally);
        if (tendon_client_disconnect(client) != TENDON_OK)
            job_die("tendon_client_disconnect", "failed");
        job_latency(tally, now_ns() - begin_ns);
    }
    tendon_stats stats = stats_of(client);
    if (stats.created != turns)
        job_die("connect", "a connection was used twice");
    if (stats.tls_resumed != (job->resumes ? turns - 1 : 0))
        job_die("connect", "a session was resumed that should not be, or the other way round");
}

static void await_subscription(tendon_queue *queue)
{
    tendon_completion done = {.kind = TENDON_COMPLETION_EVENT};
    while (done.kind == TENDON_COMPLETION_EVENT) {
        if (!tendon_queue_poll(queue, &done, sizeof done, 1, -1))
            continue;
        tendon_reply_destroy(done.reply);
        tendon_error_destroy(done.error);
    }
    if (done.kind != TENDON_COMPLETION_REPLY)
        job_die("SUBSCRIBE", "failed");
}

static tendon_subscription *listen_to(tendon_client *client, tendon_queue *queue)
{
    tendon_bytes args[] = {{"SUBSCRIBE", 9}, {"bench", 5}};
    tendon_request request = {.struct_size = sizeof request, .args = args, .arg_count = 2};
    tendon_subscription *subscription;
    if (tendon_subscription_open(client, queue, NULL, 1, &subscription) != TENDON_OK ||
        tendon_subscription_submit(subscription, &request, NULL) != TENDON_OK)
        job_die("SUBSCRIBE", "refused");
    await_subscription(queue);
    return subscription;
}

struct publisher {
    tendon_bytes (*args)[3];
    tendon_request *requests;
    tendon_outcome *outcomes;
};

static void publisher_init(const struct job *job, struct publisher *publisher)
{
    publisher->args = calloc(job->batch, sizeof *publisher->args);
    publisher->requests = calloc(job->batch, sizeof *publisher->requests);
    publisher->outcomes = calloc(job->batch, sizeof *publisher->outcomes);
    if (!publisher->args || !publisher->requests || !publisher->outcomes)
        job_die("subscribe", "no memory");
    for (uint32_t i = 0; i < job->batch; i++) {
        tendon_bytes *args = publisher->args[i];
        args[0] = (tendon_bytes){"PUBLISH", 7};
        args[1] = (tendon_bytes){"bench", 5};
        publisher->requests[i] =
            (tendon_request){.struct_size = sizeof(tendon_request), .args = args, .arg_count = 3};
    }
}

static void publisher_deinit(struct publisher *publisher)
{
    free(publisher->args);
    free(publisher->requests);
    free(publisher->outcomes);
}

static void publish(const struct job *job, tendon_client *client, struct tally *tally,
                    struct publisher *publisher)
{
    for (uint32_t i = 0; i < job->batch; i++)
        publisher->args[i][2] =
            (tendon_bytes){job->values + job_next_key(job, tally), job->value_bytes};
    if (tendon_call_batch(client, publisher->requests, sizeof(tendon_request), job->batch,
                          publisher->outcomes) != TENDON_OK)
        job_die("tendon_call_batch", "failed");
    for (uint32_t i = 0; i < job->batch; i++) {
        tendon_outcome *outcome = &publisher->outcomes[i];
        tendon_reply_view view = {.struct_size = sizeof view};
        if (!outcome->reply || tendon_reply_look(outcome->reply, &view) != TENDON_OK ||
            view.nodes->type != TENDON_NODE_INTEGER || view.nodes->value.integer != 1)
            job_error(tally, "PUBLISH did not answer 1");
        tendon_reply_destroy(outcome->reply);
        tendon_error_destroy(outcome->error);
    }
}

static void receive(const struct job *job, tendon_queue *queue, struct tally *tally, uint32_t first)
{
    static tendon_completion done[POLL_MAX];
    for (uint32_t got = 0; got < job->batch;) {
        size_t count = tendon_queue_poll(queue, done, sizeof *done, POLL_MAX, -1);
        for (size_t i = 0; i < count; i++, got++) {
            if (done[i].event != TENDON_EVENT_MESSAGE || done[i].node_count != 4)
                job_die("subscribe", "something else than a message came");
            take(job, tally, (first + got) % job->keys, false, &done[i].nodes[3], done[i].data);
            tendon_reply_destroy(done[i].reply);
        }
    }
}

void subscribe(const struct job *job, void *client, struct tally *tally, uint32_t index)
{
    struct publisher publisher;
    tendon_queue *queue;
    (void)index;
    publisher_init(job, &publisher);
    if (tendon_queue_create(&queue) != TENDON_OK)
        job_die("tendon_queue_create", "refused");
    tendon_subscription *subscription = listen_to(client, queue);
    while (job_phase(tally) != PHASE_END) {
        uint32_t first = tally->turn % job->keys;
        int64_t begin_ns = now_ns();
        publish(job, client, tally, &publisher);
        receive(job, queue, tally, first);
        job_latency(tally, now_ns() - begin_ns);
    }
    tendon_subscription_close(subscription);
    tendon_queue_destroy(queue);
    publisher_deinit(&publisher);
}
