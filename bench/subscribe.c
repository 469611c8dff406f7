/*
 * What one subscription delivers: messages per second and CPU per message, of tendon with a thread,
 * of tendon in a loop, and of hiredis. `bench_subscribe PORT MESSAGES [ROUNDS]`; the server must be
 * on loopback and plain. A child process publishes by a script, a thousand messages at once, and is
 * not counted.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <hiredis/hiredis.h>
#include <tendon/tendon.h>

#define PAYLOAD_BYTES 100
#define PER_SCRIPT    1000
#define POLLED        256

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double cpu_s(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void publish_all(int port, long messages)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    char script[256];
    char command[512];
    char answer[64];
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        exit(1);
    snprintf(script, sizeof script,
             "local p = string.rep('x', %d) for i = 1, %d do redis.call('PUBLISH', 'bench', p) end",
             PAYLOAD_BYTES, PER_SCRIPT);
    int size = snprintf(command, sizeof command, "*3\r\n$4\r\nEVAL\r\n$%zu\r\n%s\r\n$1\r\n0\r\n",
                        strlen(script), script);
    for (long done = 0; done < messages; done += PER_SCRIPT)
        if (write(fd, command, (size_t)size) != size || read(fd, answer, sizeof answer) <= 0)
            exit(1);
    close(fd);
}

static pid_t start_publisher(int port, long messages)
{
    pid_t child = fork();
    if (child == 0) {
        publish_all(port, messages);
        _exit(0);
    }
    return child;
}

static void tell(const char *who, long messages, double seconds, double cpu)
{
    printf("%-14s %9.0f messages/s   %6.2f us of CPU each\n", who, (double)messages / seconds,
           cpu * 1e6 / (double)messages);
    fflush(stdout);
}

static long take(tendon_queue *queue, int64_t timeout_ms)
{
    static tendon_completion done[POLLED];
    size_t count = tendon_queue_poll(queue, done, sizeof done[0], POLLED, timeout_ms);
    long messages = 0;
    for (size_t i = 0; i < count; i++) {
        messages += done[i].event == TENDON_EVENT_MESSAGE && done[i].nodes[1].size == 7;
        tendon_reply_destroy(done[i].reply);
        tendon_error_destroy(done[i].error);
    }
    return messages;
}

static void run_tendon(int port, long messages, bool by_loop)
{
    char text[16];
    tendon_config *config;
    tendon_client *client;
    tendon_queue *queue;
    tendon_subscription *subscription;
    snprintf(text, sizeof text, "%d", port);
    if (tendon_config_create(&config) != TENDON_OK ||
        tendon_config_set(config, "port", text, NULL) != TENDON_OK ||
        tendon_config_set(config, "drive", by_loop ? "host" : "thread", NULL) != TENDON_OK ||
        tendon_client_create(config, &client, NULL) != TENDON_OK ||
        tendon_queue_create(&queue) != TENDON_OK ||
        tendon_subscription_open(client, queue, NULL, 1, &subscription) != TENDON_OK)
        exit(1);
    tendon_bytes args[] = {{"SUBSCRIBE", 9}, {"bench", 5}};
    tendon_request request = {.struct_size = sizeof request, .args = args, .arg_count = 2};
    tendon_completion done = {.kind = TENDON_COMPLETION_EVENT};
    if (tendon_subscription_submit(subscription, &request, NULL) != TENDON_OK)
        exit(1);
    while (done.kind == TENDON_COMPLETION_EVENT) { /* until its outcome */
        if (by_loop)
            (void)tendon_client_process(client, 100, NULL);
        if (tendon_queue_poll(queue, &done, sizeof done, 1, by_loop ? 0 : 5000))
            tendon_reply_destroy(done.reply);
    }
    pid_t child = start_publisher(port, messages);
    double begin = now_s();
    double begin_cpu = cpu_s();
    for (long got = 0; got < messages;) {
        if (by_loop)
            (void)tendon_client_process(client, 1000, NULL);
        long some = take(queue, by_loop ? 0 : 5000);
        for (; by_loop && some; some = take(queue, 0))
            got += some;
        got += some;
    }
    tell(by_loop ? "tendon, loop" : "tendon, thread", messages, now_s() - begin,
         cpu_s() - begin_cpu);
    waitpid(child, NULL, 0);
    tendon_subscription_close(subscription);
    tendon_client_destroy(client);
    tendon_queue_destroy(queue);
    tendon_config_destroy(config);
}

static void run_hiredis(int port, long messages)
{
    redisContext *context = redisConnect("127.0.0.1", port);
    void *reply = context ? redisCommand(context, "SUBSCRIBE bench") : NULL;
    if (!reply)
        exit(1);
    freeReplyObject(reply);
    pid_t child = start_publisher(port, messages);
    double begin = now_s();
    double begin_cpu = cpu_s();
    for (long got = 0; got < messages; got++) {
        if (redisGetReply(context, &reply) != REDIS_OK)
            exit(1);
        freeReplyObject(reply);
    }
    tell("hiredis", messages, now_s() - begin, cpu_s() - begin_cpu);
    waitpid(child, NULL, 0);
    redisFree(context);
}

int main(int count, char **words)
{
    int port = count > 1 ? atoi(words[1]) : 6379;
    long messages = count > 2 ? atol(words[2]) : 300000;
    int rounds = count > 3 ? atoi(words[3]) : 3;
    for (int i = 0; i < rounds; i++) {
        run_hiredis(port, messages);
        run_tendon(port, messages, false);
        run_tendon(port, messages, true);
    }
    return 0;
}
