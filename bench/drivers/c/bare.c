/*
 * No library: the least work a program can do for GET on one TCP or Unix connection. It knows the
 * replies it expects and is a bound for the others, not a client.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "job.h"

#define IN_BYTES    (2u << 20) /* more than the largest reply */
#define TIMED_EVERY 16         /* as the tendon driver does */

struct wire {
    int fd;
    char *out;
    size_t out_size;
    char *in;
    size_t in_size;
    size_t in_used;
};

static int dial(const struct job *job)
{
    struct sockaddr_un path = {.sun_family = AF_UNIX};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)job->port)};
    address.sin_addr.s_addr = inet_addr(job->host);
    strncpy(path.sun_path, job->socket, sizeof path.sun_path - 1);
    bool local = *job->socket;
    int fd = socket(local ? AF_UNIX : AF_INET, SOCK_STREAM, 0);
    const int one = 1;
    if (local ? connect(fd, (struct sockaddr *)&path, sizeof path)
              : connect(fd, (struct sockaddr *)&address, sizeof address))
        job_die("connect", strerror(errno));
    if (!local)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static void put_get(const struct job *job, struct wire *wire, uint32_t key)
{
    static const char head[] = "*2\r\n$3\r\nGET\r\n$16\r\n";
    char *at = wire->out + wire->out_size;
    memcpy(at, head, sizeof head - 1);
    memcpy(at + sizeof head - 1, job->key_text[key], KEY_BYTES);
    memcpy(at + sizeof head - 1 + KEY_BYTES, "\r\n", 2);
    wire->out_size += sizeof head - 1 + KEY_BYTES + 2;
}

static void send_all(struct wire *wire)
{
    for (size_t done = 0; done < wire->out_size;) {
        ssize_t sent = write(wire->fd, wire->out + done, wire->out_size - done);
        if (sent < 0)
            job_die("write", strerror(errno));
        done += (size_t)sent;
    }
    wire->out_size = 0;
}

static void receive(struct wire *wire)
{
    wire->in_size -= wire->in_used;
    memmove(wire->in, wire->in + wire->in_used, wire->in_size);
    wire->in_used = 0;
    ssize_t got = read(wire->fd, wire->in + wire->in_size, IN_BYTES - wire->in_size);
    if (got <= 0)
        job_die("read", "the server has closed");
    wire->in_size += (size_t)got;
}

/* The next value, or NULL when it is not complete. */
static const char *next_value(struct wire *wire, size_t *out_size)
{
    const char *at = wire->in + wire->in_used, *end = wire->in + wire->in_size;
    size_t size = 0;
    if (at == end || *at++ != '$')
        return NULL;
    for (; at < end && *at != '\r'; at++)
        size = size * 10 + (size_t)(*at - '0');
    if ((size_t)(end - at) < size + 4)
        return NULL;
    wire->in_used = (size_t)(at + size + 4 - wire->in);
    *out_size = size;
    return at + 2;
}

static void wire_init(const struct job *job, struct wire *wire, uint32_t depth)
{
    *wire = (struct wire){.fd = dial(job)};
    wire->out = malloc((size_t)depth * 64);
    wire->in = malloc(IN_BYTES);
    if (!wire->out || !wire->in || job->op[0] != 'g' || *job->ca)
        job_refuse(job);
}

/* `depth` commands at once, then their replies: depth 1 is the blocking call. */
static void rounds(const struct job *job, struct tally *tally, uint32_t depth)
{
    struct wire wire;
    wire_init(job, &wire, depth);
    while (job_phase(tally) != PHASE_END) {
        uint32_t first = tally->turn % job->keys;
        size_t size;
        int64_t begin_ns = now_ns();
        for (uint32_t i = 0; i < depth; i++)
            put_get(job, &wire, job_next_key(job, tally));
        send_all(&wire);
        for (uint32_t i = 0; i < depth; i++) {
            const char *value;
            while (!(value = next_value(&wire, &size)))
                receive(&wire);
            job_value(job, tally, (first + i) % job->keys, value, size);
        }
        job_latency(tally, now_ns() - begin_ns);
    }
    close(wire.fd);
    free(wire.in);
    free(wire.out);
}

static void blocking(const struct job *job, void *unused, struct tally *tally, uint32_t index)
{
    (void)unused;
    (void)index;
    rounds(job, tally, 1);
}

static void batches(const struct job *job, void *unused, struct tally *tally, uint32_t index)
{
    (void)unused;
    (void)index;
    rounds(job, tally, job->batch);
}

/* epoll, read what has come, answer each reply with the next command, one write. */
static void in_flight(const struct job *job, void *unused, struct tally *tally, uint32_t index)
{
    struct wire wire;
    uint32_t depth = job->concurrency, reading;
    int64_t *begin_ns = calloc(depth, sizeof *begin_ns);
    (void)unused;
    (void)index;
    wire_init(job, &wire, depth);
    int poller = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN};
    epoll_ctl(poller, EPOLL_CTL_ADD, wire.fd, &event);
    reading = tally->turn % job->keys;
    for (uint32_t i = 0; i < depth; i++)
        put_get(job, &wire, job_next_key(job, tally));
    send_all(&wire);
    for (uint32_t at = 0; job_phase(tally) != PHASE_END;) {
        const char *value;
        size_t size;
        epoll_wait(poller, &event, 1, -1);
        receive(&wire);
        int64_t read_ns = now_ns();
        while ((value = next_value(&wire, &size))) {
            job_value(job, tally, reading, value, size);
            reading = (reading + 1) % job->keys;
            int64_t *since_ns = &begin_ns[at++ % depth];
            if (*since_ns)
                job_latency(tally, read_ns - *since_ns);
            put_get(job, &wire, job_next_key(job, tally));
            *since_ns = tally->turn % TIMED_EVERY ? 0 : read_ns;
        }
        send_all(&wire);
    }
    close(poller);
    close(wire.fd);
    free(wire.in);
    free(wire.out);
    free(begin_ns);
}

int main(int argc, char **argv)
{
    struct job job;
    job_read(&job, argc, argv);
    if (!strcmp(job.mode, "blocking"))
        return job_run(&job, blocking, NULL, job.concurrency, "bare C", "write and read");
    if (!strcmp(job.mode, "batch"))
        return job_run(&job, batches, NULL, 1, "bare C", "write and read");
    if (!strcmp(job.mode, "async"))
        return job_run(&job, in_flight, NULL, 1, "bare C", "epoll, read, write");
    job_refuse(&job);
}
