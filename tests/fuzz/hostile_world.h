/* The hostile world of fuzz_engine: wires, calls, leases and what must hold between operations. */
#ifndef TENDON_FUZZ_HOSTILE_WORLD_H
#define TENDON_FUZZ_HOSTILE_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "client/engine.h"

#define FUZZ_WIRES  8 /* that a script can name; the oldest come first */
#define FUZZ_ALIVE  40
#define FUZZ_CALLS  48
#define FUZZ_LEASES 4
#define FUZZ_SECRET "hunter2"
#define FUZZ_MAP                                                                                   \
    "*3\r\n*3\r\n:0\r\n:5460\r\n*2\r\n$2\r\nn0\r\n:6379\r\n"                                       \
    "*3\r\n:5461\r\n:10922\r\n*2\r\n$2\r\nn1\r\n:6379\r\n"                                         \
    "*4\r\n:10923\r\n:16383\r\n*2\r\n$2\r\nn2\r\n:6379\r\n*2\r\n$2\r\nn3\r\n:6379\r\n"

/* The bits of the first byte. */
#define WORLD_CLUSTER    1u   /* mode=cluster */
#define WORLD_STANDALONE 2u   /* mode=standalone; neither: auto */
#define WORLD_POLITE     4u   /* dials succeed and handshakes are answered properly */
#define WORLD_MAPPED     8u   /* the first question for the map as well */
#define WORLD_TIGHT      16u  /* few connections, small limits */
#define WORLD_DARING     32u  /* retries what may have been executed, after short time-outs */
#define WORLD_SECRET     64u  /* logs in, reads from replicas, RESP2 */
#define WORLD_PATIENT    128u /* at the end time passes instead of a close */

struct fuzz_world;

/* One connection as the server has it. */
struct fuzz_wire {
    struct tendon__link link;
    struct fuzz_world *world;
    struct tendon__channel *channel; /* NULL when the engine has closed it */
    bool open;
    bool greeted;
};

struct fuzz_call {
    struct tendon__sink sink;
    struct fuzz_world *world;
    uint32_t outcomes;
    int64_t deadline_ns;
};

struct fuzz_world {
    struct tendon__memory memory; /* first: the table is the struct */
    long blocks;
    uint32_t refuse_in;    /* allocations until one fails; 0 never */
    uint32_t refuse_count; /* how many fail from now on */
    uint8_t kind;          /* WORLD_* */
    uint32_t writing;      /* 0 all is taken, 1 some, 2 nothing */
    bool tells_secret;     /* the input holds the password, so that texts may */
    struct tendon__options options;
    struct tendon__engine *engine;
    struct tendon__random random;
    int64_t now_ns;
    struct tendon__sink queue; /* of every second call; the others have a sink of their own */
    struct tendon__link wires;
    uint32_t alive;
    struct fuzz_call calls[FUZZ_CALLS];
    uint32_t call_count;
    uint32_t completed;
    struct tendon_lease *leases[FUZZ_LEASES];
};

struct fuzz_world *fuzz_world_make(uint8_t kind, uint8_t seed);
/* Ends everything and checks the balance. */
void fuzz_world_end(struct fuzz_world *world);

/* A command of words; those of a group are separated by '|'. */
void fuzz_ask(struct fuzz_world *world, const char *command, struct tendon_lease *lease);
void fuzz_lease(struct fuzz_world *world);
struct tendon_lease *fuzz_lease_at(struct fuzz_world *world, uint32_t index);
void fuzz_lease_close(struct fuzz_world *world, uint32_t index, bool discard);

/* The n-th living wire, counted round; NULL when there is none. */
struct fuzz_wire *fuzz_wire_at(struct fuzz_world *world, uint32_t index);
void fuzz_dialled(struct fuzz_wire *wire, bool succeeded);
void fuzz_say(struct fuzz_wire *wire, const uint8_t *bytes, size_t size);
void fuzz_cut(struct fuzz_wire *wire);

/* Everything that is due now happens; then checks what must hold. */
void fuzz_settle(struct fuzz_world *world);
/* Time passes, each deadline at its moment. */
void fuzz_advance(struct fuzz_world *world, int64_t ms);

#endif
