/* Options as values. Knows the table, not what any single option means. */
#include "client/options.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SHOWN_MAX      40 /* bytes of a refused value that an error quotes */
#define NAME_MAX_BYTES 40 /* longer than every option, so longer input is no typing error */

static void *field(struct tendon__options *options, const struct tendon__option_row *row)
{
    return (char *)options + row->offset;
}

static const void *look(const struct tendon__options *options, const struct tendon__option_row *row)
{
    return (const char *)options + row->offset;
}

static const char *text_of(const struct tendon__options *options,
                           const struct tendon__option_row *row)
{
    return *(const char *const *)look(options, row);
}

/* Length of a text without its NUL. */
static size_t size_of(const struct tendon__options *options, const struct tendon__option_row *row)
{
    if (row->size_offset)
        return *(const size_t *)(const void *)((const char *)options + row->size_offset);
    return strlen(text_of(options, row));
}

static void put_text(struct tendon__options *options, const struct tendon__option_row *row,
                     const char *text, size_t size)
{
    *(const char **)field(options, row) = text;
    if (row->size_offset)
        *(size_t *)(void *)((char *)options + row->size_offset) = size;
}

/* Frees the value of a text option. Defaults are static and told from others by their address. */
static void drop_text(struct tendon__options *options, const struct tendon__option_row *row,
                      struct tendon__memory *memory)
{
    char *text = (char *)(uintptr_t)text_of(options, row);
    if (text == row->initial)
        return;
    if (row->secret)
        tendon__memory_wipe(text, size_of(options, row));
    tendon__memory_free(memory, text);
}

static bool same_word(tendon_bytes bytes, const char *word)
{
    const char *text = bytes.data;
    size_t size = strlen(word);
    if (bytes.size != size)
        return false;
    for (size_t i = 0; i < size; i++)
        if ((text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i]) != word[i])
            return false;
    return true;
}

static bool parse_bool(tendon_bytes value, bool *out)
{
    if (same_word(value, "yes") || same_word(value, "true") || same_word(value, "1")) {
        *out = true;
        return true;
    }
    *out = false;
    return same_word(value, "no") || same_word(value, "false") || same_word(value, "0");
}

static bool parse_int(tendon_bytes value, const struct tendon__option_row *row, int64_t *out)
{
    const char *digits = value.data;
    bool negative = value.size > 1 && digits[0] == '-';
    size_t first = negative ? 1 : 0;
    int64_t number = 0;
    if (value.size == first || value.size > first + 18) /* 18 digits cannot overflow */
        return false;
    for (size_t i = first; i < value.size; i++) {
        if (digits[i] < '0' || digits[i] > '9')
            return false;
        number = number * 10 + (digits[i] - '0');
    }
    *out = negative ? -number : number;
    return *out >= row->min && *out <= row->max;
}

static bool parse_enum(tendon_bytes value, const struct tendon__option_row *row, uint32_t *out)
{
    for (uint32_t i = 0; i < row->value_count; i++) {
        if (strlen(row->values[i]) == value.size &&
            memcmp(row->values[i], value.data, value.size) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

/* A value as it may be shown: cut, and without bytes that would disturb a terminal or a log. */
static const char *quote(tendon_bytes value, char out[SHOWN_MAX + 4])
{
    size_t size = value.size < SHOWN_MAX ? value.size : SHOWN_MAX;
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = ((const unsigned char *)value.data)[i];
        out[i] = byte < ' ' || byte >= 127 ? '?' : (char)byte;
    }
    memcpy(out + size, "...", 4);
    if (value.size <= SHOWN_MAX)
        out[size] = '\0';
    return out;
}

/* The number of letters to insert, remove or replace; names longer than the bound are far from
 * everything. */
static uint32_t distance(tendon_bytes name, const char *other)
{
    uint32_t row[NAME_MAX_BYTES + 1];
    size_t size = strlen(other);
    if (name.size > NAME_MAX_BYTES || size > NAME_MAX_BYTES)
        return UINT32_MAX;
    for (uint32_t j = 0; j <= size; j++)
        row[j] = j;
    for (uint32_t i = 1; i <= name.size; i++) {
        uint32_t diagonal = row[0];
        row[0] = i;
        for (uint32_t j = 1; j <= size; j++) {
            uint32_t best = diagonal + (((const char *)name.data)[i - 1] != other[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[size];
}

static tendon_status refuse_name(tendon_bytes name, struct tendon__fault *fault)
{
    const char *nearest = NULL;
    /* Two letters or a third of them may be wrong, but never all. */
    size_t bound = (name.size / 3 < 2 ? 2 : name.size / 3) + 1;
    uint32_t least = (uint32_t)(bound < name.size ? bound : name.size);
    for (size_t i = 0; i < TENDON__OPTION_COUNT; i++) {
        uint32_t steps = distance(name, tendon__option_table[i].name);
        if (steps < least) {
            least = steps;
            nearest = tendon__option_table[i].name;
        }
    }
    char shown[SHOWN_MAX + 4];
    quote(name, shown);
    if (nearest)
        return tendon__fault_set(fault, TENDON_ERROR_CONFIG,
                                 "unknown option '%s'; did you mean '%s'?", shown, nearest);
    return tendon__fault_set(fault, TENDON_ERROR_CONFIG,
                             "unknown option '%s'; docs/options.md lists every option", shown);
}

static tendon_status refuse_value(const struct tendon__option_row *row, tendon_bytes value,
                                  struct tendon__fault *fault)
{
    char shown[SHOWN_MAX + 4];
    char wanted[200] = "yes or no";
    quote(value, shown);
    if (row->type == TENDON__OPTION_INT)
        snprintf(wanted, sizeof wanted, "an integer from %" PRId64 " to %" PRId64, row->min,
                 row->max);
    if (row->type == TENDON__OPTION_ENUM) {
        size_t size = (size_t)snprintf(wanted, sizeof wanted, "one of %s", row->values[0]);
        for (uint32_t i = 1; i < row->value_count && size < sizeof wanted; i++)
            size += (size_t)snprintf(wanted + size, sizeof wanted - size, ", %s", row->values[i]);
    }
    return tendon__fault_set(fault, TENDON_ERROR_CONFIG, "option '%s' wants %s, got '%s'",
                             row->name, wanted, shown);
}

static tendon_status set_text(struct tendon__options *options, struct tendon__memory *memory,
                              const struct tendon__option_row *row, tendon_bytes value,
                              struct tendon__fault *fault)
{
    if (value.size > TENDON__OPTION_TEXT_MAX)
        return tendon__fault_set(fault, TENDON_ERROR_CONFIG,
                                 "option '%s' wants at most %d bytes, got %zu", row->name,
                                 TENDON__OPTION_TEXT_MAX, value.size);
    if (!row->size_offset && value.size && memchr(value.data, '\0', value.size))
        return tendon__fault_set(fault, TENDON_ERROR_CONFIG,
                                 "option '%s' wants text without NUL bytes", row->name);
    char *copy = tendon__memory_text(memory, value.data, value.size);
    if (!copy)
        return tendon__fault_set(fault, TENDON_ERROR_NO_MEMORY,
                                 "memory ran out while setting option '%s'", row->name);
    drop_text(options, row, memory);
    put_text(options, row, copy, value.size);
    return TENDON_OK;
}

void tendon__options_init(struct tendon__options *options)
{
    *options = (struct tendon__options){0};
    for (size_t i = 0; i < TENDON__OPTION_COUNT; i++) {
        const struct tendon__option_row *row = &tendon__option_table[i];
        tendon_bytes initial = {row->initial, strlen(row->initial)};
        if (row->type == TENDON__OPTION_INT)
            (void)parse_int(initial, row, field(options, row));
        else if (row->type == TENDON__OPTION_BOOL)
            (void)parse_bool(initial, field(options, row));
        else if (row->type == TENDON__OPTION_ENUM)
            (void)parse_enum(initial, row, field(options, row));
        else
            put_text(options, row, row->initial, initial.size);
    }
}

void tendon__options_free(struct tendon__options *options, struct tendon__memory *memory)
{
    for (size_t i = 0; i < TENDON__OPTION_COUNT; i++)
        if (tendon__option_table[i].type == TENDON__OPTION_TEXT)
            drop_text(options, &tendon__option_table[i], memory);
    tendon__options_init(options);
}

tendon_status tendon__options_copy(struct tendon__options *out, const struct tendon__options *from,
                                   struct tendon__memory *memory)
{
    *out = *from;
    bool failed = false;
    /* Every borrowed text is replaced, also after a failure, so that free finds only its own. */
    for (size_t i = 0; i < TENDON__OPTION_COUNT; i++) {
        const struct tendon__option_row *row = &tendon__option_table[i];
        if (row->type != TENDON__OPTION_TEXT || text_of(from, row) == row->initial)
            continue;
        size_t size = size_of(from, row);
        char *copy = failed ? NULL : tendon__memory_text(memory, text_of(from, row), size);
        failed = failed || !copy;
        put_text(out, row, copy ? copy : row->initial, copy ? size : strlen(row->initial));
    }
    if (!failed)
        return TENDON_OK;
    tendon__options_free(out, memory);
    return TENDON_ERROR_NO_MEMORY;
}

const struct tendon__option_row *tendon__option_find(const char *name, size_t size)
{
    for (size_t i = 0; i < TENDON__OPTION_COUNT; i++) {
        const char *candidate = tendon__option_table[i].name;
        if (strlen(candidate) == size && memcmp(candidate, name, size) == 0)
            return &tendon__option_table[i];
    }
    return NULL;
}

tendon_status tendon__options_set(struct tendon__options *options, struct tendon__memory *memory,
                                  tendon_bytes name, tendon_bytes value,
                                  struct tendon__fault *fault)
{
    const struct tendon__option_row *row =
        name.size ? tendon__option_find(name.data, name.size) : NULL;
    int64_t number = 0;
    uint32_t index = 0;
    bool flag = false;
    if (!row)
        return refuse_name(name, fault);
    switch (row->type) {
    case TENDON__OPTION_INT:
        if (!parse_int(value, row, &number))
            return refuse_value(row, value, fault);
        *(int64_t *)field(options, row) = number;
        return TENDON_OK;
    case TENDON__OPTION_BOOL:
        if (!parse_bool(value, &flag))
            return refuse_value(row, value, fault);
        *(bool *)field(options, row) = flag;
        return TENDON_OK;
    case TENDON__OPTION_ENUM:
        if (!parse_enum(value, row, &index))
            return refuse_value(row, value, fault);
        *(uint32_t *)field(options, row) = index;
        return TENDON_OK;
    default:
        return set_text(options, memory, row, value, fault);
    }
}

const char *tendon__options_show(const struct tendon__options *options, const char *name,
                                 char *scratch, size_t scratch_size)
{
    const struct tendon__option_row *row = tendon__option_find(name, strlen(name));
    if (!row)
        return NULL;
    switch (row->type) {
    case TENDON__OPTION_INT:
        snprintf(scratch, scratch_size, "%" PRId64, *(const int64_t *)look(options, row));
        return scratch;
    case TENDON__OPTION_BOOL:
        return *(const bool *)look(options, row) ? "yes" : "no";
    case TENDON__OPTION_ENUM:
        return row->values[*(const uint32_t *)look(options, row)];
    default:
        return row->secret ? "***" : text_of(options, row);
    }
}
