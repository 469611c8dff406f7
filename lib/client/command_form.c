/* Which form the reply of a command has, by the rules of the table and the command's arguments. */
#include "client/command.h"

static bool has_word(const tendon_bytes *args, uint32_t count, uint32_t from, uint8_t word)
{
    for (uint32_t i = from; i < count; i++)
        if (tendon__word_is(args[i], tendon__command_words[word]))
            return true;
    return false;
}

static bool rule_holds(const struct tendon__form_rule *rule, const tendon_bytes *args,
                       uint32_t count, const struct tendon__command *command)
{
    switch (rule->when) {
    case TENDON__WHEN_WORD:
        return has_word(args, count, rule->start, rule->word);
    case TENDON__WHEN_BEHIND_KEYS:
        return has_word(args, count, tendon__command_behind_keys(args, count, command), rule->word);
    case TENDON__WHEN_MORE_THAN:
        return count > rule->start;
    default:
        return true;
    }
}

uint16_t tendon__command_form(const tendon_bytes *args, uint32_t count,
                              const struct tendon__command *command)
{
    if (!command->row || !command->row->forms)
        return 0;
    const struct tendon__form_rule *rule = &tendon__form_rules[command->row->forms - 1];
    while (!rule_holds(rule, args, count, command))
        rule++;
    return rule->form;
}
