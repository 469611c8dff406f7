/* Options as values: set by name with checks, copied, wiped, and checked against each other. */
#ifndef TENDON_CLIENT_OPTIONS_H
#define TENDON_CLIENT_OPTIONS_H

#include <stddef.h>

#include <tendon/config.h>

#include "base/fault.h"
#include "base/memory.h"
#include "generated/options.h"

/* One value; a bundle of every public CA has a quarter of it. */
#define TENDON__OPTION_TEXT_MAX 1048576

/* What the public config handle is. Texts at their default are static, all others belong to
 * `memory`. */
struct tendon_config {
    struct tendon__memory *memory;
    struct tendon__options options;
    char shown[32]; /* the number tendon_config_get gave out last */
};

/* Every option at its default. Allocates nothing. */
void tendon__options_init(struct tendon__options *options);
/* Wipes secrets, frees texts and leaves the defaults. */
void tendon__options_free(struct tendon__options *options, struct tendon__memory *memory);
/* `out` is uninitialised before; on TENDON_ERROR_NO_MEMORY it holds the defaults. */
tendon_status tendon__options_copy(struct tendon__options *out, const struct tendon__options *from,
                                   struct tendon__memory *memory);

/* NULL when there is none of that name. */
const struct tendon__option_row *tendon__option_find(const char *name, size_t size);

/*
 * Sets one option from text. TENDON_ERROR_CONFIG with a text that names the nearest option or the
 * range; TENDON_ERROR_NO_MEMORY. A secret's value is never quoted. On failure nothing has changed.
 */
tendon_status tendon__options_set(struct tendon__options *options, struct tendon__memory *memory,
                                  tendon_bytes name, tendon_bytes value,
                                  struct tendon__fault *fault);

/* As text; numbers are written to `scratch`. NULL for an unknown name, "***" for a secret that is
 * set. */
const char *tendon__options_show(const struct tendon__options *options, const char *name,
                                 char *scratch, size_t scratch_size);

/* TENDON_ERROR_CONFIG when two options contradict each other, with a text that names both. */
tendon_status tendon__options_check(const struct tendon__options *options,
                                    struct tendon__fault *fault);

#endif
