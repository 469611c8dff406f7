/* What every C driver shares; it must cost little beside the client it measures. */
#include "job.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "trouble.h"

/* One worker runs in the process's first thread, which then has to look at the clock itself: a
 * second thread would cost the client the C library's single-threaded paths. */
static bool alone;
static _Atomic uint32_t current_phase;

/* There only when allocations.c is preloaded. */
extern uint64_t bench_allocation_count(void) __attribute__((weak));

static struct job_times {
    int64_t begin_ns, end_ns;
    int64_t cpu_begin_us, cpu_end_us;
    int64_t warm_until_ns, until_ns;
    int64_t switches;
    int64_t allocations; /* -1: not counted */
    double seconds;
} times;

int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void job_die(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(3);
}

void job_refuse(const struct job *job)
{
    fprintf(stderr, "mode %s, op %s is not for this client\n", job->mode, job->op);
    exit(4);
}

static void load_values(struct job *job, const char *path)
{
    size_t size = (size_t)job->value_bytes + job->keys;
    uint8_t *values = malloc(size);
    FILE *file = fopen(path, "rb");
    if (!values || !file || fread(values, 1, size, file) != size)
        job_die("cannot read the values", path);
    fclose(file);
    job->values = values;
    job->key_text = malloc((size_t)job->keys * KEY_BYTES);
    for (uint32_t i = 0; i < job->keys; i++) {
        char text[KEY_BYTES + 1];
        snprintf(text, sizeof text, "key:%012u", i);
        memcpy(job->key_text[i], text, KEY_BYTES);
    }
}

static const char *word(int argc, char **argv, const char *name, const char *fallback)
{
    size_t size = strlen(name);
    for (int i = 1; i < argc; i++)
        if (!strncmp(argv[i], name, size) && argv[i][size] == '=')
            return argv[i] + size + 1;
    return fallback;
}

static uint32_t number(int argc, char **argv, const char *name, const char *fallback)
{
    return (uint32_t)strtoul(word(argc, argv, name, fallback), NULL, 10);
}

void job_read(struct job *job, int argc, char **argv)
{
    job->host = word(argc, argv, "host", "127.0.0.1");
    job->port = (int)number(argc, argv, "port", "6379");
    job->socket = word(argc, argv, "socket", "");
    job->ca = word(argc, argv, "ca", "");
    job->cluster = !strcmp(word(argc, argv, "cluster", ""), "yes");
    job->resumes = !strcmp(word(argc, argv, "resume", ""), "yes");
    job->mode = word(argc, argv, "mode", "blocking");
    job->op = word(argc, argv, "op", "get");
    job->value_bytes = number(argc, argv, "value_bytes", "100");
    job->concurrency = number(argc, argv, "concurrency", "1");
    job->batch = number(argc, argv, "batch", "1");
    job->keys = number(argc, argv, "keys", "1000");
    job->warmup = strtod(word(argc, argv, "warmup", "0.2"), NULL);
    job->seconds = strtod(word(argc, argv, "seconds", "1"), NULL);
    load_values(job, word(argc, argv, "values", ""));
}

uint32_t job_next_key(const struct job *job, struct tally *tally)
{
    uint32_t key = tally->turn++ % job->keys;
    return key;
}

bool job_writes(const struct job *job, const struct tally *tally)
{
    return job->op[0] == 's' || (job->op[1] == 'i' && tally->turn % 5 == 0);
}

void job_error(struct tally *tally, const char *text)
{
    if (tally->errors++ == 0)
        snprintf(tally->complaint, sizeof tally->complaint, "%s", text);
}

void job_value(const struct job *job, struct tally *tally, uint32_t key, const void *data,
               size_t size)
{
    tally->ops++;
    if (!data || size != job->value_bytes)
        job_error(tally, "a value has the wrong length");
    else if (tally->ops % CONTENT_EVERY == 1 && memcmp(data, job->values + key, size) != 0)
        job_error(tally, "a value has the wrong content");
}

void job_hash_text(uint32_t hash, char text[HASH_BYTES + 1])
{
    snprintf(text, HASH_BYTES + 1, "hash:%012u", hash);
}

void job_field(const struct job *job, struct tally *tally, uint32_t hash, const char *field,
               size_t field_size, const void *data, size_t size)
{
    static const char name[] = "field:";
    uint32_t number = 0;
    for (size_t i = sizeof name - 1; i < field_size; i++)
        number = number * 10 + (uint32_t)(field[i] - '0');
    if (field_size < sizeof name + 2 || memcmp(field, name, sizeof name - 1) != 0 ||
        number >= job->batch)
        job_error(tally, "a field has the wrong name");
    else
        job_value(job, tally, hash + number, data, size);
}

void job_stored(struct tally *tally, bool ok)
{
    tally->ops++;
    if (!ok)
        job_error(tally, "SET did not answer OK");
}

/* The top seven bits of a number, and how far they were shifted. */
static uint32_t step_of(uint64_t ns)
{
    uint32_t power = ns < 128 ? 0 : 57 - (uint32_t)__builtin_clzll(ns);
    uint32_t step = power * 64 + (uint32_t)(ns >> power);
    return step < HISTOGRAM_SIZE ? step : HISTOGRAM_SIZE - 1;
}

static uint64_t ns_of(uint32_t step)
{
    uint32_t power = step < 128 ? 0 : step / 64 - 1;
    return (uint64_t)(step - power * 64) << power;
}

void job_latency(struct tally *tally, int64_t ns)
{
    tally->latency[step_of((uint64_t)(ns > 0 ? ns : 0))]++;
}

static int64_t cpu_us(int64_t *out_switches)
{
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    *out_switches = use.ru_nvcsw + use.ru_nivcsw;
    return (int64_t)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000000 + use.ru_utime.tv_usec +
           use.ru_stime.tv_usec;
}

static int64_t allocations(void)
{
    return bench_allocation_count ? (int64_t)bench_allocation_count() : -1;
}

/* The peak of this program alone: ru_maxrss begins with what the runner held when it forked. */
static long peak_kib(void)
{
    char line[128];
    long kib = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "VmHWM: %ld", &kib) == 1)
            break;
    if (file)
        fclose(file);
    return kib;
}

int64_t job_begin_ns(void)
{
    return times.begin_ns;
}

/* The runner reads the server's clocks when it sees this line. */
static void begin_measuring(void)
{
    int64_t switches;
    puts("begin");
    fflush(stdout);
    times.cpu_begin_us = cpu_us(&switches);
    times.switches = -switches;
    times.allocations = allocations();
    times.begin_ns = now_ns();
    times.until_ns = times.begin_ns + (int64_t)(times.seconds * 1e9);
    atomic_store(&current_phase, PHASE_MEASURE);
}

static void end_measuring(void)
{
    int64_t switches;
    atomic_store(&current_phase, PHASE_END);
    times.end_ns = now_ns();
    times.cpu_end_us = cpu_us(&switches);
    times.switches += switches;
    if (times.allocations >= 0)
        times.allocations = allocations() - times.allocations;
    puts("end");
    fflush(stdout);
}

enum phase job_phase(struct tally *tally)
{
    uint32_t phase = atomic_load_explicit(&current_phase, memory_order_relaxed);
    if (alone && phase != PHASE_END &&
        now_ns() >= (phase == PHASE_WARM_UP ? times.warm_until_ns : times.until_ns)) {
        if (phase == PHASE_WARM_UP)
            begin_measuring();
        else
            end_measuring();
        phase++;
    }
    /* Also for one that never had its turn while it was measured: its warm-up does not count. */
    if (phase != PHASE_WARM_UP && tally->phase == PHASE_WARM_UP) {
        tally->ops = tally->errors = 0;
        memset(tally->latency, 0, sizeof tally->latency);
    }
    tally->phase = phase;
    return (enum phase)phase;
}

static double percentile_us(const uint64_t *latency, double share)
{
    uint64_t total = 0, seen = 0;
    for (uint32_t i = 0; i < HISTOGRAM_SIZE; i++)
        total += latency[i];
    for (uint32_t i = 0; i < HISTOGRAM_SIZE; i++) {
        seen += latency[i];
        if (total && (double)seen >= share * (double)total)
            return (double)ns_of(i) / 1000;
    }
    return 0;
}

static int answer(const struct job *job, const struct tally *tallies, uint32_t count,
                  const char *client, const char *version)
{
    static uint64_t latency[HISTOGRAM_SIZE];
    uint64_t ops = 0, errors = 0;
    const char *complaint = "";
    for (uint32_t i = 0; i < count; i++) {
        ops += tallies[i].ops;
        errors += tallies[i].errors;
        if (tallies[i].errors && !*complaint)
            complaint = tallies[i].complaint;
        for (uint32_t step = 0; step < HISTOGRAM_SIZE; step++)
            latency[step] += tallies[i].latency[step];
    }
    printf("{\"client\": \"%s\", \"version\": \"%s\", \"mode\": \"%s\", \"ops\": %llu, "
           "\"seconds\": %.6f, \"errors\": %llu, \"complaint\": \"%s\", \"p50_us\": %.2f, "
           "\"p99_us\": %.2f, \"p999_us\": %.2f, \"cpu_us\": %lld, \"rss_kib\": %ld, "
           "\"extra\": {\"switches\": %lld, \"allocations\": %lld",
           client, version, job->mode, (unsigned long long)ops,
           (double)(times.end_ns - times.begin_ns) / 1e9, (unsigned long long)errors, complaint,
           percentile_us(latency, 0.5), percentile_us(latency, 0.99), percentile_us(latency, 0.999),
           (long long)(times.cpu_end_us - times.cpu_begin_us), peak_kib(),
           (long long)times.switches, (long long)times.allocations);
    trouble_print(job);
    printf("}}\n");
    return fflush(stdout) || errors ? 2 : 0;
}

struct worker {
    const struct job *job;
    job_work *work;
    void *context;
    struct tally *tally;
    uint32_t index;
};

static void *work_in_thread(void *argument)
{
    const struct worker *worker = argument;
    worker->work(worker->job, worker->context, worker->tally, worker->index);
    return NULL;
}

static void run_threads(struct worker *workers, uint32_t count)
{
    pthread_t *threads = calloc(count, sizeof *threads);
    for (uint32_t i = 0; threads && i < count; i++)
        if (pthread_create(&threads[i], NULL, work_in_thread, &workers[i]))
            job_die("pthread_create", "refused");
    usleep((useconds_t)(workers->job->warmup * 1e6));
    begin_measuring();
    usleep((useconds_t)(workers->job->seconds * 1e6));
    end_measuring();
    for (uint32_t i = 0; threads && i < count; i++)
        pthread_join(threads[i], NULL);
    free(threads);
}

int job_run(const struct job *job, job_work *work, void *context, uint32_t count,
            const char *client, const char *version)
{
    struct tally *tallies = calloc(count, sizeof *tallies);
    struct worker *workers = calloc(count, sizeof *workers);
    if (!tallies || !workers)
        job_die("memory", "none left");
    alone = count == 1;
    times.seconds = job->seconds;
    times.warm_until_ns = now_ns() + (int64_t)(job->warmup * 1e9);
    for (uint32_t i = 0; i < count; i++) {
        tallies[i].turn = i * 37;
        workers[i] = (struct worker){job, work, context, &tallies[i], i};
    }
    if (alone)
        work_in_thread(workers);
    else
        run_threads(workers, count);
    int code = answer(job, tallies, count, client, version);
    free(workers);
    free(tallies);
    return code;
}
