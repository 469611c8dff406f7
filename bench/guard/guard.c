/*
 * Walks one named path so many times, for callgrind to count its instructions. Those that need a
 * server talk to the peer of guard.py on a Unix socket, which answers each GET with 100 bytes.
 *
 *   guard PATH TURNS [SOCKET]
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tendon/tendon.h>

#include "resp/decoder.h"
#include "resp/encoder.h"

#define VALUE_BYTES  100
#define STRINGS      100
#define STRING_BYTES 10
#define TOGETHER     100
#define KEY          "key:000000000001"
#define REPLY_BYTES  4096
#define WAIT_FOREVER (-1)

static const tendon_bytes get_words[] = {{"GET", 3}, {KEY, sizeof KEY - 1}};

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "guard: %s failed\n", what);
    exit(1);
}

static void encode(long turns, const char *socket)
{
    uint8_t frame[64];
    (void)socket;
    while (turns--) {
        size_t size = tendon__encode_size(get_words, 2);
        if (size > sizeof frame || tendon__encode(frame, get_words, 2) != frame + size)
            die("encode");
    }
}

static void decode_many(uint8_t *reply, size_t size, uint32_t nodes, long turns)
{
    const struct tendon__decode_limits limits = {
        .bytes_max = 1 << 20, .nodes_max = 1 << 16, .depth_max = 32};
    struct tendon__decoder decoder;
    tendon__decoder_init(&decoder, &limits, tendon__memory_system());
    while (turns--) {
        if (tendon__decoder_feed(&decoder, reply, size) != TENDON__DECODE_DONE ||
            decoder.node_count != nodes)
            die("decode");
        tendon__decoder_next(&decoder);
    }
    tendon__decoder_deinit(&decoder);
}

static void decode(long turns, const char *socket)
{
    uint8_t reply[REPLY_BYTES];
    (void)socket;
    int size =
        snprintf((char *)reply, sizeof reply, "$%d\r\n%0*d\r\n", VALUE_BYTES, VALUE_BYTES, 0);
    decode_many(reply, (size_t)size, 1, turns);
}

static void decode_array(long turns, const char *socket)
{
    char reply[REPLY_BYTES];
    (void)socket;
    int size = snprintf(reply, sizeof reply, "*%d\r\n", STRINGS);
    for (int i = 0; i < STRINGS; i++)
        size += snprintf(reply + size, sizeof reply - (size_t)size, "$%d\r\n%0*d\r\n", STRING_BYTES,
                         STRING_BYTES, i);
    decode_many((uint8_t *)reply, (size_t)size, STRINGS + 1, turns);
}

static tendon_client *make_client(const char *socket, const char *drive)
{
    tendon_config *config;
    tendon_client *client;
    char url[200];
    snprintf(url, sizeof url, "unix://%s?drive=%s", socket, drive);
    if (tendon_config_create(&config) != TENDON_OK ||
        tendon_config_set_url(config, url, NULL) != TENDON_OK ||
        tendon_client_create(config, &client, NULL) != TENDON_OK)
        die("creating a client");
    tendon_config_destroy(config);
    return client;
}

static void fill(tendon_request *requests, size_t count)
{
    for (size_t i = 0; i < count; i++)
        requests[i] = (tendon_request){
            .struct_size = sizeof requests[i], .args = get_words, .arg_count = 2, .tag = i};
}

static void check(tendon_reply *reply)
{
    tendon_reply_view view = {.struct_size = sizeof view};
    if (!reply || tendon_reply_look(reply, &view) != TENDON_OK || view.node_count != 1 ||
        view.nodes[0].size != VALUE_BYTES)
        die("GET");
    tendon_reply_destroy(reply);
}

static void call(long turns, const char *socket)
{
    tendon_client *client = make_client(socket, "thread");
    tendon_request request;
    while (turns--) {
        tendon_reply *reply = NULL;
        fill(&request, 1);
        if (tendon_call(client, &request, &reply, NULL) != TENDON_OK)
            die("tendon_call");
        check(reply);
    }
    tendon_client_destroy(client);
}

static void batch(long turns, const char *socket)
{
    tendon_client *client = make_client(socket, "thread");
    tendon_request requests[TOGETHER];
    tendon_outcome outcomes[TOGETHER];
    while (turns--) {
        fill(requests, TOGETHER);
        if (tendon_call_batch(client, requests, sizeof *requests, TOGETHER, outcomes) != TENDON_OK)
            die("tendon_call_batch");
        for (int i = 0; i < TOGETHER; i++)
            check(outcomes[i].reply);
    }
    tendon_client_destroy(client);
}

/* Without a thread of the client, so that every turn is the same. */
static void submit_and_poll(long turns, const char *socket, size_t count)
{
    tendon_client *client = make_client(socket, "host");
    tendon_queue *queue;
    tendon_request requests[TOGETHER];
    tendon_completion done[TOGETHER];
    if (tendon_queue_create(&queue) != TENDON_OK)
        die("creating a queue");
    while (turns--) {
        fill(requests, count);
        if (tendon_submit(client, queue, requests, sizeof *requests, count, NULL) != TENDON_OK)
            die("tendon_submit");
        for (size_t left = count; left;) {
            if (tendon_client_process(client, WAIT_FOREVER, NULL) != TENDON_OK)
                die("tendon_client_process");
            size_t got = tendon_queue_poll(queue, done, sizeof *done, left, 0);
            for (size_t i = 0; i < got; i++)
                check(done[i].reply);
            left -= got;
        }
    }
    tendon_client_destroy(client);
    tendon_queue_destroy(queue);
}

static void submit_one(long turns, const char *socket)
{
    submit_and_poll(turns, socket, 1);
}

static void submit_many(long turns, const char *socket)
{
    submit_and_poll(turns, socket, TOGETHER);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*walk)(long turns, const char *socket);
    } paths[] = {{"encode", encode},
                 {"decode", decode},
                 {"decode-array", decode_array},
                 {"call", call},
                 {"batch", batch},
                 {"submit-poll", submit_one},
                 {"submit-poll-100", submit_many}};
    for (size_t i = 0; argc > 2 && i < sizeof paths / sizeof *paths; i++) {
        if (strcmp(argv[1], paths[i].name) != 0)
            continue;
        paths[i].walk(strtol(argv[2], NULL, 10), argc > 3 ? argv[3] : "");
        return 0;
    }
    fprintf(stderr, "guard PATH TURNS [SOCKET]\n");
    return 2;
}
