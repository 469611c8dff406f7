/* The program: runs worlds by seed, tells what failed so that it can be replayed, and counts what
 * was covered. */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sim.h"

#define WORLD_S_MAX  30 /* real seconds of one world: more is a loop without end */
#define FAILURES_MAX 5  /* more of them tell nothing new; option --failures */

struct arguments {
    uint64_t from;
    uint64_t worlds;
    uint64_t step; /* between seeds, so that several processes share a range */
    double seconds;
    uint64_t failures;
    const char *seeds;
    bool trace;
    bool verify;
    bool coverage;
};

static volatile uint64_t current_seed;
static uint32_t covered[SIM_COVERS];
static uint64_t calls_made;

/* A crash must not take the seed with it. */
static void on_crash(int number)
{
    char text[96];
    int size = snprintf(text, sizeof text, "\nsim: signal %d in the world of seed %llu\n", number,
                        (unsigned long long)current_seed);
    ssize_t written = write(STDOUT_FILENO, text, (size_t)size);
    (void)written;
    signal(number, SIG_DFL);
    raise(number);
}

static struct sim *make_world(bool tracing, bool printing)
{
    struct sim *sim = calloc(1, sizeof *sim);
    if (!sim)
        abort();
    sim->cover = covered;
    sim->tracing = tracing;
    sim->printing = printing;
    sim->trace_hash = 0xcbf29ce484222325u;
    if (tracing)
        sim->trace = calloc(SIM_TRACE_LINES, sizeof *sim->trace);
    return sim;
}

static void free_shell(struct sim *sim)
{
    calls_made += sim->call_count;
    free(sim->trace);
    free(sim);
}

static void tell_failure(uint64_t seed)
{
    struct sim *sim = make_world(true, false);
    bool again = !sim_run(sim, seed);
    printf("\nseed %llu: %s\n", (unsigned long long)seed,
           again ? sim->complaint : "failed, but not when it was run again with a trace");
    sim_trace_show(sim);
    printf("seed %llu: %s\n", (unsigned long long)seed, sim->complaint);
    printf("replay: ./dev sim --seed %llu    (the whole trace: add --trace)\n",
           (unsigned long long)seed);
    fflush(stdout);
    free_shell(sim);
}

static bool run_one(uint64_t seed)
{
    current_seed = seed;
    struct sim *sim = make_world(false, false);
    alarm(WORLD_S_MAX);
    bool good = sim_run(sim, seed);
    alarm(0);
    free_shell(sim);
    if (!good)
        tell_failure(seed);
    return good;
}

/* The same seed twice gives the same trace, byte for byte. */
static bool verify_one(uint64_t seed)
{
    uint64_t hashes[2];
    uint32_t lines[2];
    current_seed = seed;
    for (uint32_t i = 0; i < 2; i++) {
        struct sim *sim = make_world(true, false);
        sim_run(sim, seed);
        hashes[i] = sim->trace_hash;
        lines[i] = sim->trace_count;
        free_shell(sim);
    }
    if (hashes[0] == hashes[1] && lines[0] == lines[1])
        return true;
    printf("seed %llu: two runs differ: %u and %u lines\n", (unsigned long long)seed, lines[0],
           lines[1]);
    return false;
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int show_coverage(bool required)
{
    int missing = 0;
    for (uint32_t i = 0; i < SIM_COVERS; i++) {
        printf("%s%-26s %9u", i % 3 ? "   " : "", sim_cover_name(i), covered[i]);
        if (i % 3 == 2 || i + 1 == SIM_COVERS)
            printf("\n");
    }
    for (uint32_t i = 0; required && i < SIM_COVERS; i++)
        if (!covered[i]) {
            printf("sim: never happened: %s\n", sim_cover_name(i));
            missing++;
        }
    return missing;
}

/* Committed seeds, one a line; '#' begins a comment. */
static bool run_file(const char *path, uint64_t *passed, uint64_t *failed)
{
    char line[256];
    FILE *file = fopen(path, "r");
    if (!file) {
        printf("sim: cannot read %s\n", path);
        return false;
    }
    while (fgets(line, sizeof line, file)) {
        char *end;
        uint64_t seed = strtoull(line, &end, 10);
        if (end == line)
            continue;
        if (run_one(seed))
            ++*passed;
        else
            ++*failed;
    }
    fclose(file);
    return true;
}

static int trace_one(const struct arguments *arguments)
{
    struct sim *sim = make_world(true, true);
    current_seed = arguments->from;
    bool good = sim_run(sim, arguments->from);
    printf("seed %llu: %s, trace %016llx\n", (unsigned long long)arguments->from,
           good ? "good" : sim->complaint, (unsigned long long)sim->trace_hash);
    return good ? 0 : 1;
}

static int run_many(const struct arguments *arguments)
{
    uint64_t passed = 0, failed = 0, seed = arguments->from;
    double begin_s = now_s();
    bool readable = true;
    if (arguments->seeds)
        readable = run_file(arguments->seeds, &passed, &failed);
    for (uint64_t i = 0; i < arguments->worlds && failed < arguments->failures; i++) {
        if (arguments->seconds > 0 && now_s() - begin_s > arguments->seconds)
            break;
        bool good = arguments->verify ? verify_one(seed) : run_one(seed);
        passed += good;
        failed += !good;
        seed += arguments->step;
    }
    double took_s = now_s() - begin_s;
    if (arguments->coverage)
        failed += (uint64_t)show_coverage(true);
    printf("sim: %llu worlds, %llu calls in %.1f s, %.0f worlds a minute\n",
           (unsigned long long)passed, (unsigned long long)calls_made, took_s,
           (double)passed * 60 / (took_s > 0.001 ? took_s : 0.001));
    printf("%llu passed, %llu failed\n", (unsigned long long)passed, (unsigned long long)failed);
    fflush(stdout);
    return failed || !readable ? 1 : 0;
}

static bool parse(int count, char **words, struct arguments *out)
{
    for (int i = 1; i < count; i++) {
        const char *word = words[i];
        const char *value = i + 1 < count ? words[i + 1] : "";
        bool takes_value = true;
        if (!strcmp(word, "--seed"))
            out->from = strtoull(value, NULL, 10), out->worlds = 1;
        else if (!strcmp(word, "--from"))
            out->from = strtoull(value, NULL, 10);
        else if (!strcmp(word, "--worlds"))
            out->worlds = strtoull(value, NULL, 10);
        else if (!strcmp(word, "--step"))
            out->step = strtoull(value, NULL, 10);
        else if (!strcmp(word, "--seconds"))
            out->seconds = strtod(value, NULL);
        else if (!strcmp(word, "--failures"))
            out->failures = strtoull(value, NULL, 10);
        else if (!strcmp(word, "--seeds"))
            out->seeds = value;
        else
            takes_value = false;
        out->trace |= !strcmp(word, "--trace");
        out->verify |= !strcmp(word, "--verify");
        out->coverage |= !strcmp(word, "--coverage");
        if (!takes_value && strcmp(word, "--trace") && strcmp(word, "--verify") &&
            strcmp(word, "--coverage"))
            return false;
        i += takes_value;
    }
    return true;
}

int main(int count, char **words)
{
    struct arguments arguments = {.from = 1, .worlds = 100, .step = 1, .failures = FAILURES_MAX};
    if (!parse(count, words, &arguments)) {
        printf("usage: sim [--seed N [--trace]] [--from N] [--worlds N] [--step N] [--seconds S] "
               "[--seeds FILE] [--failures N] [--verify] [--coverage]\n");
        return 2;
    }
    mallopt(M_PERTURB,
            0xdb); /* what is used after it was freed, or before it was written, is seen */
    signal(SIGSEGV, on_crash);
    signal(SIGALRM, on_crash);
    signal(SIGABRT, on_crash);
    return arguments.trace ? trace_one(&arguments) : run_many(&arguments);
}
