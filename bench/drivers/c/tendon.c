/*
 * tendon as its public header offers it, with its default options: blocking calls of threads that
 * share one client, a lease per thread, batches. tendon_flight.c has submit and poll,
 * tendon_connect.c connections and messages.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tendon_driver.h"

_Noreturn void die(const char *what, tendon_error *error)
{
    tendon_error_view view = {.struct_size = sizeof view};
    bool told = error && tendon_error_look(error, &view) == TENDON_OK;
    job_die(what, told ? view.message : "failed");
}

tendon_client *make_client(const struct job *job)
{
    char url[200];
    tendon_config *config;
    tendon_client *client;
    tendon_error *error = NULL;
    if (*job->socket)
        snprintf(url, sizeof url, "unix://%s", job->socket);
    else
        snprintf(url, sizeof url, "redis%s://%s:%d", *job->ca ? "s" : "", job->host, job->port);
    tendon_status status = tendon_config_create(&config);
    if (status == TENDON_OK)
        status = tendon_config_set_url(config, url, &error);
    if (status == TENDON_OK && *job->ca)
        status = tendon_config_set(config, "tls_ca_file", job->ca, &error);
    if (status == TENDON_OK && strstr(job->mode, "-host"))
        status = tendon_config_set(config, "drive", "host", &error);
    if (status == TENDON_OK && !strcmp(job->mode, "connect-again") && !job->resumes)
        status = tendon_config_set(config, "tls_resumption", "no", &error);
    if (status == TENDON_OK && !strcmp(job->mode, "lease") && job->concurrency > 24)
        status = tendon_config_set(config, "pool_max", "1000", &error); /* a connection each */
    if (status == TENDON_OK)
        status = tendon_client_create(config, &client, &error);
    if (status != TENDON_OK)
        die("connect", error);
    tendon_config_destroy(config);
    return client;
}

void fill(const struct job *job, tendon_request *request, tendon_bytes *args, uint32_t key,
          bool write)
{
    memset(request, 0, sizeof *request);
    request->struct_size = sizeof *request;
    request->args = args;
    request->arg_count = write ? 3 : 2;
    args[0] = write ? (tendon_bytes){"SET", 3} : (tendon_bytes){"GET", 3};
    args[1] = (tendon_bytes){job->key_text[key], KEY_BYTES};
    args[2] = (tendon_bytes){job->values + key, job->value_bytes};
}

void take(const struct job *job, struct tally *tally, uint32_t key, bool write,
          const tendon_node *node, const uint8_t *data)
{
    const void *text = node->type == TENDON_NODE_STRING ? data + node->value.offset : NULL;
    if (write)
        job_stored(tally, node->type == TENDON_NODE_STATUS);
    else
        job_value(job, tally, key, text, node->size);
}

static void call(const struct job *job, tendon_client *client, tendon_lease *lease,
                 struct tally *tally)
{
    tendon_bytes args[3];
    tendon_request request;
    tendon_reply *reply;
    tendon_reply_view view = {.struct_size = sizeof view};
    uint32_t key = job_next_key(job, tally);
    bool write = job_writes(job, tally);
    fill(job, &request, args, key, write);
    request.lease = lease;
    int64_t begin_ns = now_ns();
    if (tendon_call(client, &request, &reply, NULL) != TENDON_OK ||
        tendon_reply_look(reply, &view) != TENDON_OK) {
        job_error(tally, "tendon_call failed");
        return;
    }
    job_latency(tally, now_ns() - begin_ns);
    take(job, tally, key, write, view.nodes, view.data);
    tendon_reply_destroy(reply);
}

static void blocking(const struct job *job, void *context, struct tally *tally, uint32_t index)
{
    (void)index;
    while (job_phase(tally) != PHASE_END)
        call(job, context, NULL, tally);
}

static void leased(const struct job *job, void *context, struct tally *tally, uint32_t index)
{
    tendon_lease *lease;
    tendon_error *error = NULL;
    (void)index;
    tendon_status status = tendon_lease_open(context, NULL, &lease, &error);
    if (status != TENDON_OK)
        die("lease", error);
    while (job_phase(tally) != PHASE_END)
        call(job, context, lease, tally);
    tendon_lease_close(lease);
}

static void mget(const struct job *job, void *context, struct tally *tally, uint32_t index)
{
    tendon_bytes *args = calloc(job->batch + 1, sizeof *args);
    tendon_request request = {
        .struct_size = sizeof request, .args = args, .arg_count = job->batch + 1};
    (void)index;
    args[0] = (tendon_bytes){"MGET", 4};
    while (job_phase(tally) != PHASE_END) {
        tendon_reply *reply;
        tendon_reply_view view = {.struct_size = sizeof view};
        uint32_t first = tally->turn % job->keys;
        for (uint32_t i = 0; i < job->batch; i++)
            args[i + 1] = (tendon_bytes){job->key_text[job_next_key(job, tally)], KEY_BYTES};
        int64_t begin_ns = now_ns();
        if (tendon_call(context, &request, &reply, NULL) != TENDON_OK ||
            tendon_reply_look(reply, &view) != TENDON_OK) {
            job_error(tally, "tendon_call failed");
            continue;
        }
        job_latency(tally, now_ns() - begin_ns);
        if (view.node_count != job->batch + 1)
            job_error(tally, "MGET answered another number of values");
        for (uint32_t i = 0; i + 1 < view.node_count; i++)
            take(job, tally, (first + i) % job->keys, false, &view.nodes[i + 1], view.data);
        tendon_reply_destroy(reply);
    }
    free(args);
}

static void hash(const struct job *job, void *context, struct tally *tally, uint32_t index)
{
    char name[HASH_BYTES + 1];
    tendon_bytes args[] = {{"HGETALL", 7}, {name, HASH_BYTES}};
    tendon_request request = {.struct_size = sizeof request, .args = args, .arg_count = 2};
    (void)index;
    while (job_phase(tally) != PHASE_END) {
        tendon_reply *reply;
        tendon_reply_view view = {.struct_size = sizeof view};
        uint32_t which = tally->turn++ % HASHES;
        job_hash_text(which, name);
        int64_t begin_ns = now_ns();
        if (tendon_call(context, &request, &reply, NULL) != TENDON_OK ||
            tendon_reply_look(reply, &view) != TENDON_OK) {
            job_error(tally, "tendon_call failed");
            continue;
        }
        job_latency(tally, now_ns() - begin_ns);
        if (view.nodes->type != TENDON_NODE_MAP || view.node_count != 2 * job->batch + 1)
            job_error(tally, "HGETALL answered another number of fields");
        for (uint32_t i = 1; i + 1 < view.node_count; i += 2) {
            const tendon_node *field = &view.nodes[i], *value = &view.nodes[i + 1];
            job_field(job, tally, which, (const char *)view.data + field->value.offset, field->size,
                      view.data + value->value.offset, value->size);
        }
        tendon_reply_destroy(reply);
    }
}

static void batches(const struct job *job, void *context, struct tally *tally, uint32_t index)
{
    uint32_t count = job->batch;
    tendon_bytes(*args)[3] = calloc(count, sizeof *args);
    tendon_request *requests = calloc(count, sizeof *requests);
    tendon_outcome *outcomes = calloc(count, sizeof *outcomes);
    (void)index;
    while (job_phase(tally) != PHASE_END) {
        uint32_t first = tally->turn % job->keys;
        bool write = job_writes(job, tally);
        for (uint32_t i = 0; i < count; i++)
            fill(job, &requests[i], args[i], job_next_key(job, tally), write);
        int64_t begin_ns = now_ns();
        if (tendon_call_batch(context, requests, sizeof *requests, count, outcomes) != TENDON_OK) {
            job_error(tally, "tendon_call_batch failed");
            continue;
        }
        job_latency(tally, now_ns() - begin_ns);
        for (uint32_t i = 0; i < count; i++) {
            tendon_reply_view view = {.struct_size = sizeof view};
            if (!outcomes[i].reply || tendon_reply_look(outcomes[i].reply, &view) != TENDON_OK)
                job_error(tally, "a command of the batch failed");
            else
                take(job, tally, (first + i) % job->keys, write, view.nodes, view.data);
            tendon_reply_destroy(outcomes[i].reply);
            tendon_error_destroy(outcomes[i].error);
        }
    }
    free(args);
    free(requests);
    free(outcomes);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        job_work *work;
        bool threads;
    } modes[] = {{"blocking", blocking, true},
                 {"lease", leased, true},
                 {"mget", mget, false},
                 {"hash", hash, false},
                 {"batch", batches, false},
                 {"async", async, false},
                 {"async-single", async_single, false},
                 {"async-host", async_host, false},
                 {"connect", connect_anew, false},
                 {"connect-again", connect_again, false},
                 {"subscribe", subscribe, false},
                 {"failover", failover, false}};
    struct job job;
    job_read(&job, argc, argv);
    if (job.resumes)
        job.mode = "connect-again";
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        if (strcmp(modes[i].name, job.mode) != 0)
            continue;
        tendon_client *client = modes[i].work == connect_anew ? NULL : make_client(&job);
        int code = job_run(&job, modes[i].work, client, modes[i].threads ? job.concurrency : 1,
                           "tendon", tendon_version());
        tendon_client_destroy(client);
        return code;
    }
    job_refuse(&job);
}
