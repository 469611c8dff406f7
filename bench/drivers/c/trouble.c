/* Failed and slow calls of mode `failover`, and the callers that wait after them. */
#include "trouble.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOW_NS    (100 * 1000000L)
#define KINDS_MAX  16
#define KIND_BYTES 32

/* One thread does all work of this mode. */
static struct {
    uint64_t failed, slow;
    int64_t slowest_ns;
    int64_t first_ns, last_ns; /* 0: none */
    uint32_t kind_count;
    struct {
        char name[KIND_BYTES];
        uint64_t count;
    } kinds[KINDS_MAX];
} all;

static void count_kind(const char *name)
{
    uint32_t i = 0;
    while (i < all.kind_count && strncmp(all.kinds[i].name, name, KIND_BYTES - 1) != 0)
        i++;
    if (i == KINDS_MAX)
        name = all.kinds[--i].name; /* the last one gathers the rest */
    if (i == all.kind_count)
        snprintf(all.kinds[all.kind_count++].name, KIND_BYTES, "%.*s", KIND_BYTES - 1, name);
    all.kinds[i].count++;
}

void trouble_note(const struct tally *tally, int64_t begin_ns, int64_t end_ns, const char *kind)
{
    int64_t took_ns = end_ns - begin_ns;
    if (tally->phase != PHASE_MEASURE)
        return;
    all.slowest_ns = took_ns > all.slowest_ns ? took_ns : all.slowest_ns;
    all.slow += took_ns > SLOW_NS;
    all.failed += kind != NULL;
    if (kind)
        count_kind(kind);
    if (!kind && took_ns <= SLOW_NS)
        return;
    all.first_ns = all.first_ns && all.first_ns < begin_ns ? all.first_ns : begin_ns;
    all.last_ns = end_ns;
}

const char *trouble_first_word(const char *text, size_t size)
{
    static char word[KIND_BYTES];
    size_t length = 0;
    while (length < size && length < sizeof word - 1 && text[length] > ' ' && text[length] != '"')
        length++;
    memcpy(word, text, length);
    word[length] = '\0';
    return word;
}

static void print_moment(const char *name, int64_t at_ns)
{
    if (at_ns)
        printf(", \"%s\": %.1f", name, (double)(at_ns - job_begin_ns()) / 1e6);
    else
        printf(", \"%s\": null", name);
}

void trouble_print(const struct job *job)
{
    if (strncmp(job->mode, "failover", 8) != 0)
        return;
    printf(", \"failed\": %llu, \"slow\": %llu, \"slowest_ms\": %.1f",
           (unsigned long long)all.failed, (unsigned long long)all.slow,
           (double)all.slowest_ns / 1e6);
    print_moment("first_trouble_ms", all.first_ns);
    print_moment("last_trouble_ms", all.last_ns);
    printf(", \"kinds\": {");
    for (uint32_t i = 0; i < all.kind_count; i++)
        printf("%s\"%s\": %llu", i ? ", " : "", all.kinds[i].name,
               (unsigned long long)all.kinds[i].count);
    putchar('}');
}

void patience_init(struct patience *patience, uint32_t room)
{
    *patience = (struct patience){.room = room};
    patience->patients = calloc(room, sizeof *patience->patients);
    if (!patience->patients)
        job_die("memory", "none left");
}

void patience_deinit(struct patience *patience)
{
    free(patience->patients);
}

void patience_add(struct patience *patience, uint32_t place)
{
    uint32_t last = (patience->first + patience->count++) % patience->room;
    patience->patients[last] = (struct patient){place, now_ns() + RETRY_NS};
}

bool patience_take(struct patience *patience, int64_t now_ns, uint32_t *out_place)
{
    const struct patient *next = &patience->patients[patience->first];
    if (!patience->count || next->due_ns > now_ns)
        return false;
    *out_place = next->place;
    patience->first = (patience->first + 1) % patience->room;
    patience->count--;
    return true;
}

int patience_left_ms(const struct patience *patience)
{
    if (!patience->count)
        return -1;
    int64_t left_ns = patience->patients[patience->first].due_ns - now_ns();
    return left_ns > 0 ? (int)((left_ns + 999999) / 1000000) : 0;
}
