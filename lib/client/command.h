/* What a command is: may it be repeated, does it block, what does it leave behind, where are its
 * keys. */
#ifndef TENDON_CLIENT_COMMAND_H
#define TENDON_CLIENT_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include <tendon/types.h>

#include "generated/command_table.h"
#include "generated/form_table.h"

/*
 * enum tendon__command_state says what a command leaves on its connection:
 *   MULTI, WATCH, SELECT     undone by DISCARD, UNWATCH, SELECT of the first database
 *   EXEC, DISCARD, UNWATCH   end MULTI and WATCH; UNWATCH inside MULTI is only queued
 *   RESET                    ends everything, the login and RESP3 included
 *   QUIT                     the server closes the connection after its answer
 *   IDENTITY                 AUTH, HELLO: another user or protocol
 *   SUBSCRIBE                (un)subscribing: several answers or none, and pushes
 *   MONITOR                  the stream is no longer made of answers
 *   REPLY                    CLIENT REPLY: answers may stay away
 *   SETTING                  names, tracking, READONLY and the like: silently different from then
 * on After one of those from RESET on, a connection is not fit for anybody else.
 */

struct tendon__command {
    const struct tendon__command_row *row; /* NULL when the name is unknown */
    uint32_t flags;                        /* TENDON__COMMAND_*, as they apply to these arguments */
    enum tendon__command_state state;
    bool known; /* false: of an unknown command neither keys nor effects are known */
};

/*
 * Fills `out` for a command of `count` arguments, the name included, and returns out->known. A
 * subcommand that is unknown leaves known=false. BLOCKING and IDEMPOTENT depend on the arguments
 * (XREAD without BLOCK, SET NX).
 */
bool tendon__command_look(const tendon_bytes *args, uint32_t count, struct tendon__command *out);

/* Index of the first key, 0 when there is none. */
uint32_t tendon__command_first_key(const tendon_bytes *args, uint32_t count,
                                   const struct tendon__command *command);

/* Index of the first argument behind all keys, 1 when there are none. */
uint32_t tendon__command_behind_keys(const tendon_bytes *args, uint32_t count,
                                     const struct tendon__command *command);

/* The form of the reply: an index into tendon__forms, 0 when it is left as it comes. */
uint16_t tendon__command_form(const tendon_bytes *args, uint32_t count,
                              const struct tendon__command *command);

/* Indexes of the keys in order of the server's specifications, `max` at most. Returns how many were
 * stored. */
uint32_t tendon__command_keys(const tendon_bytes *args, uint32_t count,
                              const struct tendon__command *command, uint32_t *out, uint32_t max);

enum tendon__slot_found {
    TENDON__SLOT_NO_KEY, /* any node; also when the arguments make no sense: the server says so
                            better */
    TENDON__SLOT_ONE,
    TENDON__SLOT_CROSS, /* the keys map to different slots */
};

/* The slot of all keys; *out_slot is set with ONE. Channels of SPUBLISH and SSUBSCRIBE count as
 * keys. */
enum tendon__slot_found tendon__command_slot(const tendon_bytes *args, uint32_t count,
                                             const struct tendon__command *command,
                                             uint32_t *out_slot);

/*
 * How long the server may hold the answer: true with *out_ms, -1 for ever; 0 when the argument
 * makes no sense, because then the server answers at once. False when it does not block.
 */
bool tendon__command_block_ms(const tendon_bytes *args, uint32_t count,
                              const struct tendon__command *command, int64_t *out_ms);

/* Whether an argument is this upper-case word, in letters of either case. */
bool tendon__word_is(tendon_bytes arg, const char *word);

#endif
