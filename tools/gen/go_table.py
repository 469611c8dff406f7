"""Reads spec/surface/go.txt, whose head describes its grammar."""

import pathlib
import re
from typing import NamedTuple

NAME = "surface/go.txt"
GO_TYPES = {"any": "interface{}", "Duration": "time.Duration", "Time": "time.Time"}
ROW = re.compile(r"(?P<result>\w+) (?P<name>\w+)\((?P<params>.*?)\) ?= (?P<sent>.+)$")
WORD = re.compile(r"\{[^}]*\}|\[[^\]]*\]|!\w+ \w+|\S+")


class Field(NamedTuple):
    """A field of a struct or a parameter; `wire` is its name or place in a reply."""

    name: str
    type: str
    comment: str = ""
    wire: str = ""


class Struct(NamedTuple):
    name: str
    about: str
    lines: list  # lists of fields that are declared together; a name without type is embedded
    words: list  # what is sent, of an `args` struct

    def fields(self):
        return [field for line in self.lines for field in line]


class Result(NamedTuple):
    name: str
    types: list
    places: list  # where in the reply each of several values is
    constructor: str
    params: str  # of the New function, where it takes more than the words that are sent
    words: list  # what is sent for them
    decoder: str
    about: str


class Method(NamedTuple):
    result: str
    name: str
    params: list
    signature: str
    words: list
    test: str
    marks: dict
    note: str

    def by_hand(self):
        return self.words[0] == "hand"

    def command(self):
        """The upper-case words it begins with: the command and its subcommand, if it has one."""
        literal = []
        for word in self.words[self.by_hand() :]:
            if not re.fullmatch(r"[A-Z_-]+", word):
                break
            literal.append(word)
        return literal


class Group(NamedTuple):
    name: str
    receiver: str
    about: str
    methods: list


class Table(NamedTuple):
    results: dict
    args: dict
    replies: dict
    pairs: dict  # those of the replies that come in pairs
    flags: dict  # name -> what it is about and the words for its bits
    enums: dict  # name -> the prefix of its values, what it is about, the lines of its values
    accessors: list  # how a text is read as something else: name, type, function, what it is
    predicates: list  # functions that know an error by its prefixes: name, prefixes, what it says
    groups: list


def go_type(text):
    return re.sub(r"\b(any|Duration|Time)\b(?!\.)(?<!time\.Time)(?<!time\.Duration)", _named, text)


def _named(found):
    return GO_TYPES[found[0]]


def entries(text):
    """The lines of the table without comments, each with the indented lines that belong to it."""
    entry = []
    for line in text.splitlines():
        if line.startswith("#") or not line.strip():
            continue
        if not line.startswith("  ") and entry:
            yield entry
            entry = []
        entry.append(line.strip())
    yield entry


def cut(text, mark):
    head, found, tail = text.partition(f" {mark} ")
    return head.strip(), tail.strip()


def parameters(text):
    """`key, value string` as a list of fields, each with its type."""
    found = []
    waiting = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, _, kind = part.partition(" ")
        waiting.append(name)
        if kind:
            found += [Field(one, kind) for one in waiting]
            waiting = []
    return found


def marks_of(text):
    found = {}
    for word, value in re.findall(r'(\w+)(?: "([^"]*)")?', text):
        found[word] = value or True
    return found


def method(entry):
    line, note = cut(" ".join(entry), "--")
    line, marks = cut(line, "!")
    line, test = cut(line, "@")
    found = ROW.match(line)
    if not found:
        raise SystemExit(f"{NAME}: cannot read {line!r}")
    params = parameters(found["params"])
    words = WORD.findall(found["sent"])
    if not any(re.search("[a-z]", word) for word in words):
        words += [param.name for param in params]
    return Method(
        found["result"], found["name"], params, go_type(found["params"]), words, test,
        marks_of(marks), note,
    )  # fmt: skip


def struct(entry):
    kind, name, about = entry[0].split(" ", 2)
    lines, words = [], []
    for line in entry[1:]:
        if line.startswith("= "):
            words = WORD.findall(line[2:])
            continue
        line, comment = cut(line, "--")
        lines.append(field_line(line, comment, kind != "args"))
    return Struct(name, about, lines, words)


def field_line(line, comment, of_reply):
    wire = ""
    if of_reply and " " in line:
        line, _, wire = line.rpartition(" ")
    names, _, kind = line.rpartition(" ")
    if not names:
        return [Field(kind, "", comment)]
    return [Field(name.strip(), kind, comment, wire) for name in names.split(",")]


def result(entry):
    line, about = cut(" ".join(entry), "--")
    line, decoder = cut(line, "=")
    _, name, rest = line.split(" ", 2)
    rest, _, made = rest.partition(" new(")
    params, _, sent = made.partition(") ")
    kind, _, constructor = rest.rpartition(" ")
    kinds, places = [kind], []
    if kind.startswith("("):
        kinds, places = zip(*(one.rsplit(" ", 1) for one in kind[1:-1].split(", ")))
    kinds = [go_type(one) for one in kinds]
    return Result(name, kinds, places, constructor, params, WORD.findall(sent), decoder, about)


def accessor(line):
    """`as Name type function -- what it is`"""
    line, about = cut(line, "--")
    return (*line.split(" ")[1:], about)


def predicate(line):
    """`is Name "PREFIX" ... -- what it says`"""
    line, about = cut(line, "--")
    return line.split(" ")[1], re.findall('"([^"]*)"', line), about


def read(root):
    table = Table({}, {}, {}, {}, {}, {}, [], [], [])
    for entry in entries((pathlib.Path(root) / "spec" / NAME).read_text()):
        kind = entry[0].split(" ", 1)[0]
        if kind == "cmd":
            made = result(entry)
            table.results[made.name] = made
        elif kind == "flags":
            _, name, about = entry[0].split(" ", 2)
            table.flags[name] = about, " ".join(entry[1:]).split()
        elif kind == "enum":
            _, name, prefix, about = entry[0].split(" ", 3)
            table.enums[name] = prefix, about, [cut(line, "--") for line in entry[1:]]
        elif kind == "as":
            table.accessors.append(accessor(entry[0]))
        elif kind == "is":
            table.predicates.append(predicate(" ".join(entry)))
        elif kind in ("args", "reply", "pair"):
            made = struct(entry)
            (table.args if kind == "args" else table.replies)[made.name] = made
            if kind == "pair":
                table.pairs[made.name] = made
        elif kind.startswith("["):
            name, receiver, about = re.match(r"\[(\w+)\] (?:\((\w+)\) )?(.*)", entry[0]).groups()
            table.groups.append(Group(name, receiver or "cmdable", about, []))
        else:
            table.groups[-1].methods.append(method(entry))
    return table
