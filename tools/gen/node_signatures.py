"""The TypeScript overloads of one method, from the arguments the servers' facts give it.

Options of a command become one tuple type in which each may be there or not; up to three in a row
may come in any order, as the server takes them. What follows a list of values is
not told apart from them.
"""

import itertools
import re

import node_table

NUMBERS = {"integer", "double", "unix-time"}
RESERVED = {"function", "default", "in", "new", "delete", "type"}
ORDERED_MAX = 3


class Element:
    """One argument: its name for TypeScript, its type, whether it stands for any number of them."""

    def __init__(self, label, kind, is_rest=False):
        self.label, self.kind, self.is_rest = label, kind, is_rest

    @property
    def text(self):
        return (
            f"...{self.label}: Flat<{self.kind}>[]"
            if self.is_rest
            else f"{self.label}: {self.kind}"
        )


class Item:
    """One position of a command's syntax: alternatives, each (set of words, [Element, ...]). An
    option may stand among the others in any order; it is optional unless the case at hand needs it.
    """

    def __init__(self, alternatives, is_optional, is_option=None):
        self.alternatives, self.is_optional = alternatives, is_optional
        self.is_option = is_optional if is_option is None else is_option

    def choices(self):
        return self.alternatives + ([(set(), [])] if self.is_optional else [])


def label_of(name):
    name = name.lower() if name.isupper() else name
    parts = [part for part in re.split(r"[^A-Za-z0-9]+", name) if part]
    label = parts[0].lower() + "".join(part[:1].upper() + part[1:] for part in parts[1:])
    return f"{label}Name" if label in RESERVED else label


def kind_of(argument):
    if argument["type"] == "key":
        return "RedisKey"
    return "Num" if argument["type"] in NUMBERS else "Value"


def joined(choices):
    """Alternatives of several positions side by side: every combination."""
    for combination in itertools.product(*choices):
        words = set().union(*(words for words, _ in combination))
        yield words, [element for _, elements in combination for element in elements]


def alternatives_of(argument):
    """Every way one argument of the facts may be written."""
    name, token = argument["name"], argument.get("token")
    kind = argument["type"]
    if kind == "pure-token":
        if not token:
            return [({name}, [])]
        return [({token, name}, [Element(label_of(name), f"'{token}'")])]
    if kind == "oneof":
        found = [each for inner in argument["arguments"] for each in alternatives_of(inner)]
    elif kind == "block":
        found = list(joined([item_of(inner).choices() for inner in argument["arguments"]]))
    else:
        found = [({name}, [Element(label_of(name), kind_of(argument))])]
    if argument.get("multiple"):
        found = [many(argument, found)]
    if token and not argument.get("multiple_token"):
        head = Element(label_of(token) + "Token", f"'{token}'")
        found = [(words | {token}, [head, *elements]) for words, elements in found]
    return found


def many(argument, found):
    """One list instead of `found`: of its type when it is one value, else of any values."""
    words = set().union(*(words for words, _ in found))
    elements = found[0][1]
    if len(found) == 1 and len(elements) == 1 and not argument.get("multiple_token"):
        only = elements[0]
        return words, [
            Element(only.label if only.label.endswith("s") else f"{only.label}s", only.kind, True)
        ]
    return words, [Element("values", "Value", True)]


def item_of(argument):
    return Item(alternatives_of(argument), bool(argument.get("optional")))


def element_of_word(word):
    """One parameter of a row: key, count:n, ...values, TOKEN, ON|OFF."""
    name, _, kind = word.lstrip(".").partition(":")
    if re.fullmatch(r"[A-Z|-]+", name):
        literal = " | ".join(f"'{token}'" for token in name.split("|"))
        return Element(label_of(name.split("|")[0]) + "Token", literal)
    if name == "fields" and not word.startswith("."):
        return Element("fields", "object")
    is_key = kind == "k" or name in ("destination", "keys") or name.lower().endswith("key")
    types = {"n": "Num", "k": "RedisKey"}
    return Element(
        label_of(name), types.get(kind, "RedisKey" if is_key else "Value"), word.startswith("...")
    )


def forms(row, facts):
    """The syntaxes of a row: [[Item, ...], ...]."""
    head = []
    if row.subcommand:
        head = [Item([({row.subcommand}, [Element("subcommand", f"'{row.subcommand}'")])], False)]
    if row.parameters is None:
        arguments = facts.get(row.command, {}).get("arguments", [])
        return [head + [item_of(argument) for argument in arguments]]
    return [
        head
        + [
            Item([({word.lstrip(".").split(":")[0]}, [element_of_word(word)])], False)
            for word in form
        ]
        for form in row.parameters
    ]


def merged(alternatives):
    """Alternatives that differ in one token only, as one."""
    found = []
    for words, elements in alternatives:
        for index, (other_words, others) in enumerate(found):
            pairs = list(zip(elements, others))
            differing = [(a, b) for a, b in pairs if a.kind != b.kind]
            if len(elements) != len(others) or any(a.is_rest or b.is_rest for a, b in pairs):
                continue
            if len(differing) == 1 and all(
                element.kind.startswith("'") for element in differing[0]
            ):
                both = [
                    Element(b.label, b.kind if a.kind == b.kind else f"{b.kind} | {a.kind}")
                    for a, b in pairs
                ]
                found[index] = (other_words | words, both)
                break
        else:
            found.append((words, elements))
    return found


def narrowed(items, wanted, refused):
    """`items` for one case: one alternative has all of `wanted`, none one of `refused` sets."""
    result, left = [], set(wanted)
    for item in items:
        every = {word for words, _ in item.alternatives for word in words}
        here = left & every
        alternatives = (
            [each for each in item.alternatives if here <= each[0]] if here else item.alternatives
        )
        singles = {next(iter(words)) for words in refused if len(words) == 1} - set(wanted)
        alternatives = [each for each in alternatives if not each[0] & singles]
        left -= here
        if alternatives or not item.is_optional and not item.alternatives:
            result.append(Item(merged(alternatives), item.is_optional and not here, item.is_option))
        elif not item.is_optional:
            return None
    return result if not left else None


def flattened(items):
    """The same with what cannot be told apart merged into the list before it."""
    result, rest, rest_at = [], None, 0
    for item in items:
        has_rest = any(element.is_rest for _, elements in item.alternatives for element in elements)
        if rest is not None and (item.is_optional or has_rest) and item.alternatives:
            rest.label, rest.kind = "values", "Value"
            del result[rest_at:]
            continue
        if has_rest and (item.is_optional or len(item.alternatives) > 1):
            rest = Element("values", "Value", True)
            if len(item.alternatives) == 1 and len(item.alternatives[0][1]) == 1:
                rest = Element(
                    item.alternatives[0][1][0].label, item.alternatives[0][1][0].kind, True
                )
            item = Item([(set(), [rest])], False)
        elif has_rest:
            elements = [Element(e.label, e.kind, e.is_rest) for e in item.alternatives[0][1]]
            rest = next(element for element in elements if element.is_rest)
            after = elements[elements.index(rest) + 1 :]
            if any(element.is_rest for element in after):
                rest.label, rest.kind = "values", "Value"
                elements = elements[: elements.index(rest) + 1]
            item = Item([(item.alternatives[0][0], elements)], False)
        result.append(item)
        if has_rest:
            rest_at = len(result)
    return result


def tuple_text(elements):
    return "[" + ", ".join(element.text for element in elements) + "]"


def options_text(run, number):
    """Optional positions side by side, as one spread element."""
    unions = [
        " | ".join(tuple_text(elements) for _, elements in reversed(item.choices())) for item in run
    ]
    if len(run) == 1:
        return [f"...{label_of('options' + number)}: {unions[0]}"]
    if len(run) <= ORDERED_MAX:
        return [f"...options{number}: AnyOrder{len(run)}<{', '.join(unions)}>"]
    return [f"...options{number}{index}: {union}" for index, union in enumerate(unions)]


def tuple_parts(items):
    parts, run = [], []
    for item in [*items, None]:
        if item is not None and item.is_option:
            run.append(item)
            continue
        if len(run) == 1 and not run[0].is_optional and len(run[0].alternatives) == 1:
            parts += [element.text for element in run[0].alternatives[0][1]]
        elif run:
            parts += options_text(
                run, str(len(parts)) if parts and any("options" in p for p in parts) else ""
            )
        run = []
        if item is None:
            break
        if len(item.alternatives) == 1:
            parts += [element.text for element in item.alternatives[0][1]]
        else:
            union = " | ".join(tuple_text(elements) for _, elements in item.alternatives)
            parts.append(f"...form{len(parts)}: {union}")
    return parts


def expanded(items):
    """Parameter lists without options, when at most one position has a choice; else None."""
    if (
        sum(len(item.choices()) > 1 for item in items) > 1
        or sum(item.is_option for item in items) > 1
    ):
        return None
    choices = [[(set(), [])] * item.is_optional + item.alternatives for item in items]
    return [elements for _, elements in joined(choices)]


def unique(elements):
    """Labels of one parameter list are different."""
    seen = {}
    for element in elements:
        seen[element.label] = seen.get(element.label, 0) + 1
        number = seen[element.label]
        yield (
            element
            if number == 1
            else Element(f"{element.label}{number}", element.kind, element.is_rest)
        )


def lines_of(name, items, result):
    """The overloads of one case: `result` for these positions."""
    items = flattened(items)
    callback = f"Callback<{result}>"
    end = f"): Result<{result}, Context>;"
    lists = expanded(items)
    if lists is None:
        parts = tuple_parts(items)
        if any("Flat<" in part and part.startswith("...") for part in parts):
            yield f"{name}(...args: [{', '.join([*parts, f'callback: {callback}'])}]{end}"
            yield f"{name}(...args: [{', '.join(parts)}]{end}"
        else:
            yield f"{name}(...args: [{', '.join([*parts, f'callback?: {callback}'])}]{end}"
        return
    for elements in lists:
        parts = [element.text for element in unique(elements)]
        if any(element.is_rest for element in elements):
            yield f"{name}(...args: [{', '.join([*parts, f'callback: {callback}'])}]{end}"
            yield f"{name}(...args: [{', '.join(parts)}]{end}"
        else:
            yield f"{name}({', '.join([*parts, f'callback?: {callback}'])}{end}"


def cases_of(row):
    """[(sets of words, tree, sets of words of another case)], the most special first."""
    trees = [([set()], row.result), *row.cases]
    found = []
    for index, (wanted, tree) in enumerate(trees):
        refused = [words for later, _ in trees[index + 1 :] for words in later]
        found.append((wanted, tree, refused))
    return sorted(found, key=lambda case: -max(len(words) for words in case[0]) // 2)


def overloads(row, facts):
    """Every overload of a row: text ones, then those of the Buffer twin."""
    every = [row.result, *(tree for _, tree in row.cases)]
    twins = any(node_table.has_twin(tree) for tree in every)
    for text, suffix in (("string", ""), ("Buffer", "Buffer"))[: 2 if twins else 1]:
        name = f"{row.method}{suffix}"
        name = f"'{name}'" if "-" in name else name
        for items in forms(row, facts):
            for wanted, tree, refused in cases_of(row):
                result = node_table.typescript(tree, text, row.is_unknown)
                for words in wanted:
                    fitting = narrowed(items, words, refused)
                    if fitting is not None:
                        yield from lines_of(name, fitting, result)
