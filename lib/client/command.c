/* Looks a command up by name and applies the rules that depend on its arguments. */
#include "client/command.h"

#include <string.h>

#define HASH_FACTOR UINT64_C(0x9e3779b97f4a7c15)
#define INDEX_MASK  (TENDON__COMMAND_INDEX_SIZE - 1u)

static unsigned char upper(unsigned char byte)
{
    return byte >= 'a' && byte <= 'z' ? byte - 32 : byte;
}

bool tendon__word_is(tendon_bytes arg, const char *word)
{
    const unsigned char *text = arg.data;
    for (size_t i = 0; i < arg.size; i++)
        if (!word[i] || upper(text[i]) != (unsigned char)word[i])
            return false;
    return !word[arg.size];
}

/* A name in upper case, eight letters to a word, the first in the lowest byte: fast to hash and
 * compare. */
struct packed_name {
    uint64_t words[TENDON__COMMAND_NAME_MAX / 8];
    uint32_t count;
};

static inline uint64_t load_8(const unsigned char *at)
{
    return (uint64_t)at[0] | (uint64_t)at[1] << 8 | (uint64_t)at[2] << 16 | (uint64_t)at[3] << 24 |
           (uint64_t)at[4] << 32 | (uint64_t)at[5] << 40 | (uint64_t)at[6] << 48 |
           (uint64_t)at[7] << 56;
}

static uint64_t load_4(const unsigned char *at)
{
    return (uint64_t)at[0] | (uint64_t)at[1] << 8 | (uint64_t)at[2] << 16 | (uint64_t)at[3] << 24;
}

/* 1 to 7 bytes, by two loads that overlap. */
static inline uint64_t load_few(const unsigned char *at, size_t size)
{
    if (size >= 4)
        return load_4(at) | load_4(at + size - 4) << (size - 4) * 8;
    return (uint64_t)at[0] | (uint64_t)at[size / 2] << size / 2 * 8 |
           (uint64_t)at[size - 1] << (size - 1) * 8;
}

/* Eight bytes at once: bit 7 of a byte is set in `lower` when it is a to z, and 0x80 >> 2 is the
 * distance. */
static inline uint64_t upper_8(uint64_t word)
{
    uint64_t low = word & 0x7f7f7f7f7f7f7f7fu;
    uint64_t from_a = low + 0x1f1f1f1f1f1f1f1fu;
    uint64_t above_z = low + 0x0505050505050505u;
    uint64_t lower = (from_a ^ above_z) & ~word & 0x8080808080808080u;
    return word - (lower >> 2);
}

/* The same as name_hash in tools/gen/commands.py. */
static uint64_t hash_word(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * HASH_FACTOR;
    return hash ^ hash >> 32;
}

/* `name` has 1 to TENDON__COMMAND_NAME_MAX - 1 bytes. */
static uint64_t pack(tendon_bytes name, uint64_t hash, struct packed_name *out)
{
    const unsigned char *at = name.data;
    size_t left = name.size;
    out->count = 0;
    for (; left >= 8; left -= 8, at += 8) {
        out->words[out->count] = upper_8(load_8(at));
        hash = hash_word(hash, out->words[out->count++]);
    }
    if (left) {
        out->words[out->count] = upper_8(load_few(at, left));
        hash = hash_word(hash, out->words[out->count++]);
    }
    return hash;
}

static bool row_is(const struct tendon__command_row *row, size_t size,
                   const struct packed_name *name)
{
    if (row->name_size != size || (row->flags & TENDON__COMMAND_SUBCOMMAND))
        return false;
    /* The table pads names with zeros up to a whole word. */
    for (uint32_t i = 0; i < name->count; i++)
        if (load_8((const unsigned char *)row->name + i * 8) != name->words[i])
            return false;
    return true;
}

static bool row_is_sub(const struct tendon__command_row *row, tendon_bytes name, tendon_bytes sub)
{
    const unsigned char *bytes = name.data;
    if (row->name_size != name.size + 1 + sub.size || !(row->flags & TENDON__COMMAND_SUBCOMMAND))
        return false;
    for (size_t i = 0; i < name.size; i++)
        if (upper(bytes[i]) != (unsigned char)row->name[i])
            return false;
    return row->name[name.size] == '|' && tendon__word_is(sub, row->name + name.size + 1);
}

/* The index is at most half full, so there is always a free place that ends the search. */
static const struct tendon__command_row *find(uint64_t hash, size_t size,
                                              const struct packed_name *name)
{
    for (uint32_t at = hash & INDEX_MASK, number; (number = tendon__command_index[at]) != 0;
         at = (at + 1) & INDEX_MASK)
        if (row_is(&tendon__command_table[number - 1], size, name))
            return &tendon__command_table[number - 1];
    return NULL;
}

/* The same for names of one word, which nearly all are: no loop over words, nothing in memory. */
static inline const struct tendon__command_row *find_short(uint64_t hash, size_t size,
                                                           uint64_t word)
{
    for (uint32_t at = hash & INDEX_MASK, number; (number = tendon__command_index[at]) != 0;
         at = (at + 1) & INDEX_MASK) {
        const struct tendon__command_row *row = &tendon__command_table[number - 1];
        if (load_8((const unsigned char *)row->name) == word && row->name_size == size)
            return row->flags & TENDON__COMMAND_SUBCOMMAND ? NULL : row;
    }
    return NULL;
}

static const struct tendon__command_row *find_sub(uint64_t hash, tendon_bytes name,
                                                  tendon_bytes sub)
{
    for (uint32_t at = hash & INDEX_MASK, number; (number = tendon__command_index[at]) != 0;
         at = (at + 1) & INDEX_MASK)
        if (row_is_sub(&tendon__command_table[number - 1], name, sub))
            return &tendon__command_table[number - 1];
    return NULL;
}

/* Longer text is no command, and need not be hashed to know it. */
static bool too_long(tendon_bytes text)
{
    return text.size == 0 || text.size >= TENDON__COMMAND_NAME_MAX;
}

static bool is_number(tendon_bytes arg)
{
    const char *digits = arg.data;
    for (size_t i = 0; i < arg.size; i++)
        if (digits[i] < '0' || digits[i] > '9')
            return false;
    return arg.size > 0;
}

static bool listed(const struct tendon__command_condition *condition, tendon_bytes arg)
{
    for (uint32_t i = 0; i < condition->word_count; i++)
        if (tendon__word_is(arg, tendon__command_words[condition->words[i]]))
            return true;
    return false;
}

static bool condition_holds(const struct tendon__command_condition *condition,
                            const tendon_bytes *args, uint32_t count)
{
    bool only = condition->kind == TENDON__CONDITION_ONLY;
    for (uint32_t i = condition->from; i < count; i++) {
        if (only ? !listed(condition, args[i]) && !is_number(args[i]) : listed(condition, args[i]))
            return false;
    }
    return true;
}

/* Index of the milliseconds behind BLOCK, 0 when there are none. Steps over the values of other
 * options. */
static uint32_t block_option(const tendon_bytes *args, uint32_t count)
{
    uint32_t i = 1;
    while (i + 1 < count && !tendon__word_is(args[i], "STREAMS")) {
        if (tendon__word_is(args[i], "BLOCK"))
            return i + 1;
        if (tendon__word_is(args[i], "GROUP"))
            i += 3;
        else if (tendon__word_is(args[i], "COUNT"))
            i += 2;
        else
            i++;
    }
    return 0;
}

/* The row of a container with a subcommand, or of a name longer than one word. */
static const struct tendon__command_row *find_long(const tendon_bytes *args, uint32_t count)
{
    struct packed_name name;
    uint64_t hash = pack(args[0], 0, &name);
    const struct tendon__command_row *row = find(hash, args[0].size, &name);
    if (!row || !(row->flags & TENDON__COMMAND_CONTAINER) || count < 2)
        return row;
    return too_long(args[1]) ? NULL : find_sub(pack(args[1], hash, &name), args[0], args[1]);
}

/* The parts of IDEMPOTENT and BLOCKING that depend on the arguments. */
static uint32_t conditional_flags(const struct tendon__command_row *row, const tendon_bytes *args,
                                  uint32_t count)
{
    uint32_t flags = row->flags;
    if (row->condition &&
        condition_holds(&tendon__command_conditions[row->condition - 1], args, count))
        flags |= TENDON__COMMAND_IDEMPOTENT;
    if (row->block == TENDON__BLOCK_OPTION && !block_option(args, count))
        flags &= ~TENDON__COMMAND_BLOCKING;
    return flags;
}

bool tendon__command_look(const tendon_bytes *args, uint32_t count, struct tendon__command *out)
{
    const struct tendon__command_row *row = NULL;
    *out = (struct tendon__command){0};
    if (count == 0 || too_long(args[0]))
        return false;
    if (args[0].size < 8) {
        uint64_t word = upper_8(load_few(args[0].data, args[0].size));
        row = find_short(hash_word(0, word), args[0].size, word);
        if (row && (row->flags & TENDON__COMMAND_CONTAINER) && count > 1)
            row = find_long(args, count);
    } else {
        row = find_long(args, count);
    }
    if (!row)
        return false;
    out->row = row;
    out->known = true;
    out->state = (enum tendon__command_state)row->state;
    out->flags = row->condition || row->block ? conditional_flags(row, args, count) : row->flags;
    return true;
}

/*
 * A decimal number as the server reads it, with fraction and exponent, of units of `scale`
 * milliseconds. Rounded up. False for anything else, and for what the server would refuse as too
 * large. Not strtod, whose decimal point depends on the locale of the host program.
 */
static bool parse_ms(tendon_bytes text, double scale, int64_t *out)
{
    const char *at = text.data;
    const char *end = at ? at + text.size : at;
    double value = 0;
    double place = 1;
    bool digits = false;
    bool fraction = false;
    if (text.size > 40) /* no number of milliseconds needs more */
        return false;
    for (; at < end && ((*at >= '0' && *at <= '9') || (*at == '.' && !fraction)); at++) {
        if (*at == '.') {
            fraction = true;
            continue;
        }
        digits = true;
        place = fraction ? place / 10 : place;
        value = fraction ? value + (*at - '0') * place : value * 10 + (*at - '0');
    }
    if (digits && at < end && (*at == 'e' || *at == 'E')) {
        bool negative = ++at < end && *at == '-';
        if (at < end && (*at == '-' || *at == '+'))
            at++;
        int32_t exponent = 0;
        for (digits = false; at < end && *at >= '0' && *at <= '9' && exponent < 400;
             at++, digits = true)
            exponent = exponent * 10 + (*at - '0');
        for (; exponent > 0; exponent--)
            value = negative ? value / 10 : value * 10;
    }
    value *= scale;
    if (!digits || at != end || !(value < 9e15))
        return false;
    *out = (int64_t)value;
    *out += (double)*out < value;
    return true;
}

bool tendon__command_block_ms(const tendon_bytes *args, uint32_t count,
                              const struct tendon__command *command, int64_t *out_ms)
{
    const struct tendon__command_row *row = command->row;
    uint32_t at = 0;
    if (!row || !(command->flags & TENDON__COMMAND_BLOCKING))
        return false;
    if (row->block == TENDON__BLOCK_OPTION)
        at = block_option(args, count);
    else if (row->block_at >= 0)
        at = (uint32_t)row->block_at;
    else if (count > (uint32_t)-row->block_at)
        at = count - (uint32_t)-row->block_at;
    int64_t ms = 0;
    bool seconds = row->block == TENDON__BLOCK_SECONDS;
    if (at == 0 || at >= count || !parse_ms(args[at], seconds ? 1000.0 : 1.0, &ms)) {
        *out_ms = 0;
        return true;
    }
    *out_ms = ms == 0 ? -1 : ms;
    return true;
}
