/*
 * What mode `failover` reports of each call: how many failed or took too long, when that began and
 * ended, and by which errors. Figures begin with the measuring.
 */
#ifndef TENDON_BENCH_TROUBLE_H
#define TENDON_BENCH_TROUBLE_H

#include <stdint.h>

#include "job.h"

#define RETRY_NS (10 * 1000000L) /* how long a caller waits after a failure */

/* Of one call: `kind` is NULL when it succeeded, else the name of its error. */
void trouble_note(const struct tally *tally, int64_t begin_ns, int64_t end_ns, const char *kind);

/* The name of what a server refused with, for trouble_note: its first word. */
const char *trouble_first_word(const char *text, size_t size);

/* Prints its members of `extra`, each after a comma; nothing in other modes. */
void trouble_print(const struct job *job);

/* Callers that wait after a failure, in their order; they are told apart by small numbers. */
struct patience {
    uint32_t count, room, first;
    struct patient {
        uint32_t place;
        int64_t due_ns;
    } * patients;
};

void patience_init(struct patience *patience, uint32_t room);
void patience_deinit(struct patience *patience);
void patience_add(struct patience *patience, uint32_t place);
/* Takes one whose wait is over. */
bool patience_take(struct patience *patience, int64_t now_ns, uint32_t *out_place);
/* How long until one is due, rounded up; -1 when nobody waits. */
int patience_left_ms(const struct patience *patience);

#endif
