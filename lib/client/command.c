/* Looks a command up by name and applies the rules that depend on its arguments. */
#include "client/command.h"

#include <string.h>

#define HASH_START 5381u

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

/* The same as name_hash in tools/gen/commands.py. */
static uint32_t hash_more(uint32_t hash, tendon_bytes text)
{
    const unsigned char *bytes = text.data;
    for (size_t i = 0; i < text.size; i++)
        hash = (hash * 33) ^ (bytes[i] & 0xDFu);
    return hash;
}

/* `name` and, when `sub` is not NULL, "|" and the subcommand. */
static bool row_is(const struct tendon__command_row *row, tendon_bytes name,
                   const tendon_bytes *sub)
{
    size_t size = sub ? name.size + 1 + sub->size : name.size;
    const unsigned char *bytes = name.data;
    if (row->name_size != size || (sub != NULL) != ((row->flags & TENDON__COMMAND_SUBCOMMAND) != 0))
        return false;
    for (size_t i = 0; i < name.size; i++)
        if (upper(bytes[i]) != (unsigned char)row->name[i])
            return false;
    return !sub ||
           (row->name[name.size] == '|' && tendon__word_is(*sub, row->name + name.size + 1));
}

static const struct tendon__command_row *find(uint32_t hash, tendon_bytes name,
                                              const tendon_bytes *sub)
{
    uint32_t at = (hash ^ hash >> 15) & (TENDON__COMMAND_INDEX_SIZE - 1);
    /* The index is at most half full, so there is always a free place that ends the loop. */
    for (uint32_t number; (number = tendon__command_index[at]) != 0;) {
        const struct tendon__command_row *row = &tendon__command_table[number - 1];
        if (row_is(row, name, sub))
            return row;
        at = (at + 1) & (TENDON__COMMAND_INDEX_SIZE - 1);
    }
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

bool tendon__command_look(const tendon_bytes *args, uint32_t count, struct tendon__command *out)
{
    *out = (struct tendon__command){0};
    if (count == 0 || too_long(args[0]))
        return false;
    uint32_t hash = hash_more(HASH_START, args[0]);
    const struct tendon__command_row *row = find(hash, args[0], NULL);
    if (!row)
        return false;
    if ((row->flags & TENDON__COMMAND_CONTAINER) && count > 1) {
        hash = (hash * 33) ^ ('|' & 0xDFu);
        row = too_long(args[1]) ? NULL : find(hash_more(hash, args[1]), args[0], &args[1]);
        if (!row)
            return false;
    }
    out->row = row;
    out->known = true;
    out->flags = row->flags;
    out->state = (enum tendon__command_state)row->state;
    if (row->condition &&
        condition_holds(&tendon__command_conditions[row->condition - 1], args, count))
        out->flags |= TENDON__COMMAND_IDEMPOTENT;
    if (row->block == TENDON__BLOCK_OPTION && !block_option(args, count))
        out->flags &= ~TENDON__COMMAND_BLOCKING;
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
