/*
 * Brings a reply that came over RESP2 into the one form of its command: that of Redis 7 over RESP3.
 * Works on tapes only. What does not look as expected is copied as it is, so that no reply of an
 * older or newer server is lost.
 */
#ifndef TENDON_RESP_FORM_H
#define TENDON_RESP_FORM_H

#include <stddef.h>
#include <stdint.h>

#include "generated/form_table.h"
#include "resp/tape.h"

/* How many nodes the form of a tape of so many can have. */
size_t tendon__form_room(uint32_t node_count);

/*
 * Writes `tape` in form number `form` to `out`, which has room for tendon__form_room nodes, and
 * returns how many there are. `data` is the tape's, writable: the four bytes in front of a string
 * that becomes verbatim text, its length on the wire, become its format.
 */
uint32_t tendon__form_apply(uint16_t form, const struct tendon__tape *tape, uint8_t *data,
                            tendon_node *out);

/* The same for an array of `count` replies, each in its own form: what EXEC answers. An array of
 * another size is copied. */
uint32_t tendon__form_apply_each(const uint16_t *forms, uint32_t count,
                                 const struct tendon__tape *tape, uint8_t *data, tendon_node *out);

#endif
