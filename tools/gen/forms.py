"""Writes lib/generated/form_table.{h,c}: what of a reply over RESP2 has to become another type."""

from replies import PLAIN


class Forms:
    """The tables of lib/generated/form_table.c: what of a form has to be changed on RESP2's wire.

    A form is numbered; 0 is any, which is left alone. Equal ones are shared.
    """

    def __init__(self, replies):
        self.replies = replies
        self.rows, self.parts, self.names = [("ANY", False, 0, 0)], [], []
        self.known, self.open = {}, {}
        self.rules = []  # (kind, start, word, form) of each condition, the last of a command none

    def part(self, form, name=""):
        if name and name not in self.names:
            self.names.append(name)
        return (form, self.names.index(name) + 1 if name else 0)

    def add(self, kind, parts, rest=False):
        key = (kind, rest, tuple(parts))
        if key not in self.known:
            self.rows.append((kind, rest, len(parts), len(self.parts)))
            self.parts += parts
            self.known[key] = len(self.rows) - 1
        return self.known[key]

    def named(self, name):
        """A shape that contains itself has its number before its parts are known."""
        if name in self.open:
            return self.open[name]
        self.open[name] = len(self.rows)
        self.rows.append(None)
        inner = self.number(self.replies.shapes[name])
        self.rows[self.open[name]] = self.rows[inner]
        self.open[name] = self.open[name] if inner else 0
        return self.open[name]

    def number(self, form):
        kind = form[0]
        if kind in ("double", "verbatim"):
            return self.add(kind.upper(), [])
        if kind == "maybe":
            return self.number(form[1])
        if kind == "named":
            return self.named(form[1])
        if kind == "or":
            return self.choice([self.replies.resolve(one) for one in form[1]])
        if kind in ("list", "tuple", "set", "no-set", "map", "record"):
            return getattr(self, "number_" + kind.replace("-", "_"))(form)
        return 0

    def number_list(self, form):
        item = self.replies.resolve(form[1])
        inner = self.number(form[1])
        scalar = {"string", "integer", "double"}
        is_pair = item[0] == "tuple" and len(item[1]) == 2
        if is_pair and {one[0] for one in item[1]} <= scalar:
            whole = inner or self.add("TUPLE", [self.part(0), self.part(0)])
            return self.add("PAIRS", [self.part(whole)])
        return self.add("LIST", [self.part(inner)]) if inner else 0

    def number_tuple(self, form):
        parts = [self.part(self.number(one)) for one in form[1]]
        if form[2]:
            parts.append(self.part(self.number(form[2])))
        changed = any(number for number, _ in parts)
        return self.add("TUPLE", parts, form[2] is not None) if changed else 0

    def number_set(self, form):
        return self.add("SET", [self.part(self.number(form[1]))])

    def number_no_set(self, _):
        return self.add("SET", [self.part(0)])

    def number_map(self, form):
        return self.add("MAP", [self.part(self.number(form[2]))])

    def number_record(self, form):
        numbers = {name: self.number(one) for name, one in form[1].items()}
        parts = [self.part(number, name) for name, number in numbers.items() if number]
        return self.add("RECORD", parts) if parts else self.add("MAP", [self.part(0)])

    def choice(self, forms):
        """Which one is meant is seen by the wire: a scalar, an aggregate, or an empty one."""
        empty = [one for one in forms if one == ("no-set",) or one == ("tuple", [], None)]
        forms = [one for one in forms if one not in empty]
        scalars = [one for one in forms if one[0] in PLAIN]
        others = [one for one in forms if one[0] not in PLAIN]
        scalar = max([self.number(one) for one in scalars] + [0])
        other = self.number(others[0]) if others else 0
        if len(others) > 1 or len(empty) > 1:
            raise SystemExit(f"replies.json: {forms} cannot be told apart on the wire")
        none = self.number(empty[0]) if empty else other
        if not (scalar or other or none):
            return 0
        return self.add("CHOICE", [self.part(scalar), self.part(other), self.part(none)])

    def place(self, name, texts):
        """1 + the first rule of a command, or 0 when its replies are left alone."""
        rules = self.replies.commands.get(name, [])
        numbers = [self.number(rule.form) for rule in rules]
        if not any(numbers):
            return 0
        first = len(self.rules) + 1
        for rule, number in zip(rules, numbers):
            when = rule.when
            word = texts.intern(when.word) if when.word else 0
            kind = "WORD" if when.start else "BEHIND_KEYS" if word else "ALWAYS"
            kind = "MORE_THAN" if when.more_than else kind
            self.rules.append((kind, when.start or when.more_than, word, number))
        return first


HEADER = """{head}/* The form of replies, from spec/commands/replies.json for lib/resp/form.c. */
#ifndef TENDON_GENERATED_FORM_TABLE_H
#define TENDON_GENERATED_FORM_TABLE_H

#include <stdbool.h>
#include <stdint.h>

enum tendon__form_kind {{
    TENDON__FORM_ANY,      /* left alone */
    TENDON__FORM_DOUBLE,   /* a text becomes a double */
    TENDON__FORM_VERBATIM, /* a string becomes verbatim text */
    TENDON__FORM_LIST,     /* one part: the form of each item */
    TENDON__FORM_PAIRS,    /* one part, a tuple of two: RESP2 sends them one after the other */
    TENDON__FORM_TUPLE,    /* a part for each item; with `rest` the last for all that follow */
    TENDON__FORM_SET,      /* one part: the form of each member */
    TENDON__FORM_MAP,      /* one part: the form of each value */
    TENDON__FORM_RECORD,   /* a part for each name whose value has a form */
    TENDON__FORM_CHOICE,   /* three parts: of a scalar, of an aggregate, of an empty one */
}};

#define TENDON__FORM_COUNT {count}

struct tendon__form {{
    uint8_t kind; /* enum tendon__form_kind */
    bool rest;
    uint16_t count; /* parts */
    uint16_t first;
}};

struct tendon__form_part {{
    uint16_t form; /* index into tendon__forms; 0 is any */
    uint16_t name; /* of a RECORD's value: index into tendon__form_names */
}};

extern const struct tendon__form tendon__forms[TENDON__FORM_COUNT];
extern const struct tendon__form_part tendon__form_parts[];
extern const char *const tendon__form_names[];

#define TENDON__WHEN_ALWAYS      0u
#define TENDON__WHEN_WORD        1u /* `word` is among the arguments from index `start` on */
#define TENDON__WHEN_BEHIND_KEYS 2u /* `word` is among the arguments behind the last key */
#define TENDON__WHEN_MORE_THAN   3u /* there are more than `start` arguments */

/* The rules of a command follow each other; the first that holds counts, the last is ALWAYS. */
struct tendon__form_rule {{
    uint8_t when;
    uint8_t start;
    uint8_t word; /* index into tendon__command_words */
    uint16_t form;
}};

extern const struct tendon__form_rule tendon__form_rules[];

#endif
"""


def header(forms, head):
    return HEADER.format(head=head, count=len(forms.rows))


def table(forms, head):
    lines = ["/* clang-format off */", '#include "generated/form_table.h"', ""]
    lines += ["const struct tendon__form tendon__forms[TENDON__FORM_COUNT] = {"]
    for kind, rest, count, first in forms.rows:
        lines.append(f"    {{TENDON__FORM_{kind}, {str(rest).lower()}, {count}, {first}}},")
    lines += ["};", "", "const struct tendon__form_part tendon__form_parts[] = {"]
    lines += [f"    {{{form}, {name}}}," for form, name in forms.parts]
    lines += ["};", "", "const char *const tendon__form_names[] = {", '    "",']
    lines += [f'    "{name}",' for name in forms.names]
    lines += ["};", "", "const struct tendon__form_rule tendon__form_rules[] = {"]
    lines += [f"    {{TENDON__WHEN_{k}, {s}, {w}, {f}}}," for k, s, w, f in forms.rules]
    return head + "\n".join(lines + ["};", ""])
