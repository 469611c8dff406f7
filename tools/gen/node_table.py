"""Reads spec/surface/node.txt: rows, and the types of results as small trees.

A tree is a tuple whose first item names it: ("int",), ("list", tree), ("nullable", tree), ("tuple",
[(label, tree, is_rest), ...]), ("union", [tree, ...]), ("object", tree), ("map", tree), ("literal",
text); the other words of the table stand alone.
"""

import pathlib
import re

PATH = "spec/surface/node.txt"
WORDS = {
    "int",
    "ok",
    "text",
    "double",
    "any",
    "null",
    "pair",
    "pairs",
    "pairs2",
    "fields",
    "streams",
}
TOKEN = re.compile(r"\.\.\.|'[^']*'|[A-Za-z][A-Za-z0-9]*|[\[\](){}<>?|,:~]")


class Row:
    """One method, or one subcommand of it."""

    def __init__(self, section, method, subcommand):
        self.section, self.method, self.subcommand = section, method, subcommand
        self.result, self.cases = None, []  # tree; [(set of sets of words, tree)]
        self.is_unknown = False  # declared unknown
        self.hand = None  # file that has it written by hand
        self.parameters = None  # [[word, ...], ...] instead of the facts'
        self.values = None  # arguments of its test
        self.error = None  # how the error of its test begins
        self.is_alone = False  # its test needs a server of its own

    @property
    def command(self):
        name = self.method.upper()
        return f"{name}|{self.subcommand}" if self.subcommand else name


class Reader:
    """A recursive-descent parser of one result."""

    def __init__(self, text):
        self.tokens, self.at = TOKEN.findall(text), 0

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def take(self, wanted=None):
        token = self.peek()
        if token is None or (wanted is not None and token != wanted):
            raise ValueError(f"expected {wanted or 'more'} at {self.at} of {self.tokens}")
        self.at += 1
        return token

    def accept(self, wanted):
        if self.peek() != wanted:
            return False
        self.at += 1
        return True

    def union(self):
        parts = [self.suffixed()]
        while self.accept("|"):
            parts.append(self.suffixed())
        return parts[0] if len(parts) == 1 else ("union", parts)

    def suffixed(self):
        tree = self.atom()
        while True:
            if self.accept("?"):
                tree = ("nullable", tree)
            elif self.peek() == "[" and self.tokens[self.at + 1 : self.at + 2] == ["]"]:
                self.at += 2
                tree = ("list", tree)
            else:
                return tree

    def atom(self):
        token = self.take()
        if token == "(":
            tree = self.union()
            self.take(")")
            return tree
        if token == "{":
            tree = ("map", self.union())
            self.take("}")
            return tree
        if token == "object":
            self.take("<")
            tree = ("object", self.union())
            self.take(">")
            return tree
        if token == "[":
            return self.members()
        if token.startswith("'"):
            return ("literal", token)
        if token not in WORDS:
            raise ValueError(f"unknown result {token!r}")
        return (token,)

    def members(self):
        found = []
        while True:
            is_rest = self.accept("...")
            label = None
            if self.tokens[self.at + 1] == ":":
                label = self.take()
                self.take(":")
            found.append((label, self.union(), is_rest))
            if not self.accept(","):
                break
        self.take("]")
        return ("tuple", found)


def parse_type(text):
    reader = Reader(text)
    tree = reader.union()
    if reader.peek() is not None:
        raise ValueError(f"{reader.peek()!r} is left over of {text!r}")
    return tree


def parse_case(text):
    """NX.INCR|XX.INCR double? -> ([{NX, INCR}, {XX, INCR}], tree)"""
    words, result = text.split(None, 1)
    return [set(part.split(".")) for part in words.split("|")], parse_type(result)


def parse_row(section, line):
    line, _, error = line.partition(" !! ")
    line, _, values = line.partition(" -- ")
    line, _, parameters = line.partition(" <- ")
    head, *cases = line.split(" ; ")
    words = head.split()
    is_container = len(words) > 2 and re.fullmatch(r"[A-Z-]+", words[1])
    row = Row(section, words[0], words[1] if is_container else None)
    rest = words[2 if is_container else 1 :]
    row.error = error.strip() or None
    if rest[-1] == "@alone":
        row.is_alone = True
        rest.pop()
    if rest[0] == "hand":
        row.hand = rest[1]
        return row
    result = " ".join(rest)
    row.is_unknown = result.startswith("~")
    row.result = parse_type(result.lstrip("~"))
    row.cases = [parse_case(case.strip().replace("~", "")) for case in cases]
    if parameters:
        row.parameters = [form.split() for form in parameters.strip().split(" | ")]
    if values:
        row.values = values.split()
    return row


def read(root):
    rows, section = [], ""
    for number, line in enumerate((pathlib.Path(root) / PATH).read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("["):
            section = line.strip("[]")
            continue
        try:
            rows.append(parse_row(section, line))
        except (ValueError, IndexError) as error:
            raise SystemExit(f"{PATH}:{number}: {error}") from error
    return rows


def contains(tree, words):
    """Whether one of `words` is somewhere in a tree."""
    kind = tree[0]
    if kind in words:
        return True
    if kind in ("list", "nullable", "map", "object"):
        return contains(tree[1], words)
    if kind == "union":
        return any(contains(part, words) for part in tree[1])
    return kind == "tuple" and any(contains(part, words) for _, part, _ in tree[1])


class Typescript:
    """A tree as a TypeScript type; `text` is string or Buffer, `is_resp3` the mapping."""

    def __init__(self, text, is_resp3):
        self.text, self.is_resp3 = text, is_resp3

    def member(self):
        return f"[member: {self.text}, score: {'number' if self.is_resp3 else self.text}]"

    def word(self, kind):
        text, nested = self.text, self.is_resp3
        entries = f"Array<[id: {text}, fields: {text}[]]>"
        return {
            "int": "number",
            "ok": "'OK'",
            "text": text,
            "double": "number" if nested else text,
            "any": "unknown",
            "null": "null",
            "pair": f"{self.member()} | []" if nested else f"{text}[]",
            "pairs": f"Array<{self.member()}>" if nested else f"{text}[]",
            "pairs2": f"Array<{self.member()}>",
            "fields": f"Array<[field: {text}, value: {text}]>" if nested else f"{text}[]",
            "streams": (
                f"Record<string, {entries}>"
                if nested
                else f"Array<[key: {text}, items: {entries}]>"
            ),
        }[kind]

    def __call__(self, tree):
        kind = tree[0]
        if kind == "literal":
            return tree[1] if self.text == "string" else self.text
        if kind == "nullable":
            return f"{self(tree[1])} | null"
        if kind == "list":
            inner = self(tree[1])
            return f"Array<{inner}>" if " | " in inner or inner.startswith("[") else f"{inner}[]"
        if kind == "object":
            return f"Record<string, {self(tree[1])}>"
        if kind == "map":
            if self.is_resp3:
                return f"Record<string, {self(tree[1])}>"
            return "unknown[]" if tree[1] == ("any",) else f"{self.text}[]"
        if kind == "union":
            return " | ".join(self(part) for part in tree[1])
        if kind == "tuple":
            return "[" + ", ".join(self.element(*member) for member in tree[1]) + "]"
        return self.word(kind)

    def element(self, label, tree, is_rest):
        text = self(tree)
        if is_rest:
            return f"...{text}[]"
        return f"{label}: {text}" if label else text


SHAPED = {"double", "pair", "pairs", "fields", "streams", "map"}


def typescript(tree, text, is_unknown=False):
    """The declared type; of two when it depends on the mapping of replies."""
    if is_unknown:
        return "unknown"
    legacy = Typescript(text, False)(tree)
    if not contains(tree, SHAPED):
        return legacy
    return f"Shaped<{legacy}, {Typescript(text, True)(tree)}, Context>"


def has_twin(tree):
    """Whether the Buffer twin gives anything else: pure numbers and OK are the same in both."""
    return contains(
        tree,
        {"text", "double", "any", "pair", "pairs", "pairs2", "fields", "streams", "map", "object"},
    )


def shape(tree):
    """The tree as the tests' checker reads it: nested lists."""
    kind = tree[0]
    if kind == "tuple":
        return [kind, *([shape(part), is_rest] for _, part, is_rest in tree[1])]
    if kind == "union":
        return [kind, *(shape(part) for part in tree[1])]
    if kind == "literal":
        return [kind, tree[1].strip("'")]
    return [kind, shape(tree[1])] if len(tree) > 1 else kind
