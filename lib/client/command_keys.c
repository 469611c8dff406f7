/* Finds the keys among the arguments of a command. Whatever the arguments say, only they are looked
 * at. */
#include "client/command.h"
#include "cluster/slots.h"

struct key_range {
    uint32_t first; /* 0: none */
    uint32_t last;  /* inclusive, below the number of arguments */
    uint32_t step;
};

/* Index behind the word the specification names, 0 when there is none. */
static uint32_t behind_keyword(const struct tendon__key_spec *spec, const tendon_bytes *args,
                               uint32_t count)
{
    const char *word = tendon__command_words[spec->word];
    for (uint32_t i = (uint32_t)spec->begin_at; i + 1 < count; i++)
        if (tendon__word_is(args[i], word))
            return i + 1;
    return 0;
}

/* The same, stepping over the values of options, which may look like the word. */
static uint32_t behind_word(const struct tendon__key_spec *spec, const tendon_bytes *args,
                            uint32_t count)
{
    const char *word = tendon__command_words[spec->word];
    uint32_t found = 0;
    for (uint32_t i = (uint32_t)spec->begin_at; i + 1 < count; i++) {
        if (tendon__word_is(args[i], word)) {
            found = ++i;
            if (spec->first)
                return found;
            continue;
        }
        for (uint32_t j = 0; j < spec->skip_count; j++) {
            if (tendon__word_is(args[i], tendon__command_words[spec->skips[j].word])) {
                i += spec->skips[j].count;
                break;
            }
        }
    }
    return found;
}

/* A number of keys; 0 for anything else, and for more than there are arguments. */
static uint32_t parse_count(tendon_bytes arg, uint32_t max)
{
    const char *digits = arg.data;
    uint64_t number = 0;
    if (arg.size == 0 || arg.size > 10)
        return 0;
    for (size_t i = 0; i < arg.size; i++) {
        if (digits[i] < '0' || digits[i] > '9')
            return 0;
        number = number * 10 + (uint64_t)(digits[i] - '0');
    }
    return number <= max ? (uint32_t)number : 0;
}

static struct key_range counted(const struct tendon__key_spec *spec, const tendon_bytes *args,
                                uint32_t count, uint32_t begin)
{
    struct key_range none = {0};
    uint32_t count_at = begin + spec->count_at;
    uint32_t first = begin + spec->first_at;
    if (count_at >= count || first >= count)
        return none;
    uint32_t room = (count - first - 1) / (uint32_t)spec->step + 1;
    uint32_t keys = parse_count(args[count_at], room);
    if (keys == 0)
        return none;
    return (struct key_range){first, first + (keys - 1) * (uint32_t)spec->step,
                              (uint32_t)spec->step};
}

static struct key_range find_range(const struct tendon__key_spec *spec, const tendon_bytes *args,
                                   uint32_t count)
{
    uint32_t begin = (uint32_t)spec->begin_at;
    if (spec->begin == TENDON__KEYS_KEYWORD)
        begin = behind_keyword(spec, args, count);
    else if (spec->begin == TENDON__KEYS_WORD)
        begin = behind_word(spec, args, count);
    if (begin == 0 || begin >= count || (spec->skip_empty && args[begin].size == 0))
        return (struct key_range){0};
    if (spec->find == TENDON__KEYS_KEYNUM)
        return counted(spec, args, count, begin);
    int64_t left = (count - begin) / (spec->limit ? spec->limit : 1u);
    int64_t last = begin + (spec->last >= 0 ? (int64_t)spec->last : left + spec->last);
    if (last < begin)
        return (struct key_range){0};
    if (last >= count)
        last = count - 1;
    return (struct key_range){begin, (uint32_t)last, (uint32_t)spec->step};
}

uint32_t tendon__command_keys(const tendon_bytes *args, uint32_t count,
                              const struct tendon__command *command, uint32_t *out, uint32_t max)
{
    uint32_t found = 0;
    for (uint32_t i = 0; command->row && i < command->row->key_count; i++) {
        struct key_range range =
            find_range(&tendon__key_table[command->row->keys + i], args, count);
        /* 64 bits, so that the last step past the end cannot wrap around. */
        for (uint64_t at = range.first; range.first && at <= range.last && found < max;
             at += range.step)
            out[found++] = (uint32_t)at;
    }
    return found;
}

uint32_t tendon__command_first_key(const tendon_bytes *args, uint32_t count,
                                   const struct tendon__command *command)
{
    uint32_t first = 0;
    return tendon__command_keys(args, count, command, &first, 1) ? first : 0;
}

uint32_t tendon__command_behind_keys(const tendon_bytes *args, uint32_t count,
                                     const struct tendon__command *command)
{
    uint32_t behind = 1;
    for (uint32_t i = 0; command->row && i < command->row->key_count; i++) {
        struct key_range range =
            find_range(&tendon__key_table[command->row->keys + i], args, count);
        if (range.first && range.last >= behind)
            behind = range.last + 1;
    }
    return behind;
}

enum tendon__slot_found tendon__command_slot(const tendon_bytes *args, uint32_t count,
                                             const struct tendon__command *command,
                                             uint32_t *out_slot)
{
    bool any = false;
    uint32_t slot = 0;
    for (uint32_t i = 0; command->row && i < command->row->key_count; i++) {
        struct key_range range =
            find_range(&tendon__key_table[command->row->keys + i], args, count);
        for (uint64_t at = range.first; range.first && at <= range.last; at += range.step) {
            uint32_t other = tendon__key_slot(args[at].data, args[at].size);
            if (any && other != slot)
                return TENDON__SLOT_CROSS;
            slot = other;
            any = true;
        }
    }
    if (!any)
        return TENDON__SLOT_NO_KEY;
    *out_slot = slot;
    return TENDON__SLOT_ONE;
}
