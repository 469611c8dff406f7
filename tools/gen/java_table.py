"""Reads spec/surface/java.txt: one Method per line, and what Java text follows from it."""

import re
import shlex
from typing import NamedTuple

import surface

# One row: result name(parameters) what is sent [-> BUILDER] [;; values for its test]
ROW = re.compile(
    r"(?P<result>\S+) (?P<name>\w+)\((?P<params>.*?)\) (?P<sent>.+?)"
    r"(?: -> (?P<builder>\w+))?(?: ;; (?P<test>.+))?$"
)
PARAM = re.compile(r"((?:[\w.\[\]]|<.*?>+)+(?:\.\.\.)?) (\w+)(?:, )?")
FACES = ("Jedis", "Unified", "Pipeline", "Async")
BOXES = {"long": "Long", "int": "Integer", "double": "Double", "boolean": "Boolean"}
# Parameters that are keys, by name; those that are made by a command come second.
KEYS = {"key", "keys", "srcKey", "srckey", "srcKeys", "src", "source", "oldkey", "keyA", "keyB"}
KEYS |= {"sourcekeys", "sets"}
DESTINATIONS = {"dstKey", "dstkey", "destKey", "destkey", "dest", "destination", "newkey"}
COLLECTED = {"Map<S,Double>": "addScores", "Map<S,GeoCoordinate>": "addPlaces"}
STREAMS = ("Map<String,StreamEntryID>", "Map<byte[],StreamEntryID>", "Map.Entry<byte[],byte[]>...")


class Group(NamedTuple):
    """The methods of one interface, and the clients that have it."""

    name: str
    about: str
    faces: tuple
    methods: list


class Method:
    """One row of the table."""

    def __init__(self, line, known, params_classes):
        found = ROW.match(line)
        if not found:
            raise SystemExit(f"spec/surface/java.txt: cannot read {line!r}")
        forms = found["result"].split("~")
        self.results = [form.rstrip("-") for form in (forms[0], forms[-1])]
        self.nullable = [form.endswith("-") for form in (forms[0], forms[-1])]
        self.name, self.builder = found["name"], found["builder"]
        self.params = PARAM.findall(found["params"])
        self.kinds = {name: kind for kind, name in self.params}
        self.params_classes = params_classes
        words = found["sent"].split()
        self.command = surface.command_of(known, [word for word in words if word[0] != "@"])
        self.fact = known.get(self.command, {})
        self.first, self.words = words[0], words[1:]
        if not any(self.is_parameter(w) or len(w) > 3 and w[0] == "=" for w in self.words):
            self.words += [name for _, name in self.params]
        self.test = shlex.split(found["test"] or "")

    def is_parameter(self, word):
        return re.split(r"[?|]", word.lstrip("#@"))[0] in self.kinds

    def twins(self):
        """0 for the form with String, 1 for that with byte[]."""
        text = " ".join(kind for kind, _ in self.params)
        return (0, 1) if re.search(r"\b[SI]\b", text) else (0,)

    def is_binary(self, twin):
        """Whether Objects of the result hold byte[]."""
        kinds = " ".join(self.kinds.values())
        return twin == 1 or "Binary" in self.name or "byte[]" in kinds and "String" not in kinds

    @staticmethod
    def typed(text, twin):
        text = re.sub(r"\bS\b", ("String", "byte[]")[twin], text)
        return re.sub(r"\bI\b", ("StreamEntryID", "byte[]")[twin], text).replace(",", ", ")

    def result(self, twin):
        return self.typed(self.results[twin], twin)

    def arguments(self):
        """The calls that add what is sent, after the command's first word."""
        for word in self.words:
            yield from self.added(word)

    def added(self, word):
        if word.startswith("="):
            yield f".add({word[1:]})"
        elif word == "params" and "keyCount" in self.kinds:
            yield ".keysAndArguments(keyCount, params)"
        elif word.startswith("@"):
            yield f".route({word[1:]})"
        elif not self.is_parameter(word):
            yield f'.add("{word}")'
        elif "?" in word:
            name, literal = word.split("?")
            yes, _, no = literal.partition(":")
            yield f'.add({name} ? "{yes}" : "{no}")' if no else f'.addIf({name}, "{yes}")'
        elif word.startswith("#"):
            size = "size()" if self.kinds[word[1:]].startswith(("List", "Map")) else "length"
            yield f".add({word[1:]}.{size})"
        elif "|" in word:
            name, literal = word.split("|")
            yield f'.addOr({name}, "{literal}")'
        else:
            yield f".{self.key_adder(word) or self.adder(self.kinds[word])}({word})"

    def key_adder(self, name):
        """How a parameter that is a key is added; None for others."""
        if name == "keysvalues":
            return "keysAndValues"
        if name not in KEYS | DESTINATIONS:
            return None
        kind = self.kinds[name]
        return "keys" if kind.endswith("...") or kind.startswith("List<") else "key"

    def adder(self, kind):
        if kind in STREAMS:
            return "addStreams"
        if kind.endswith("...") or kind.startswith("List<") or kind == "CommandArguments":
            return "addAll"
        if kind.startswith("Map"):
            return COLLECTED.get(kind, "addPairs")
        return "addParams" if kind in self.params_classes else "add"


def read(root, known, params_classes):
    groups = []
    for line in (root / "spec/surface/java.txt").read_text().splitlines():
        if line.startswith("["):
            head, about = line[1:].split("] ")
            name, _, faces = head.partition(": ")
            groups.append(Group(name, about, tuple(faces.split() or FACES), []))
        elif line and not line.startswith("#"):
            groups[-1].methods.append(Method(line, known, params_classes))
    return groups


def fold(before, inner, after, indent=16):
    """One line, or several below 100 columns, broken at commas and before dots."""
    line = before + inner + after
    if len(line) <= 100:
        return line + "\n"
    out, line = [], before
    for piece in re.split(r"(?<=, )|(?=\.(?:add|key|route))", inner):
        if len(line) + len(piece) > 98:
            out.append(line.rstrip())
            line = " " * indent
        line += piece
    out.append(line + after)
    return "\n".join(out) + "\n"


def wrapped(sentences, indent):
    """A Javadoc comment of these sentences."""
    text = " ".join(sentences)
    pad = " " * indent
    if len(text) + indent + 7 <= 100:
        return f"{pad}/** {text} */\n"
    lines, line = [], ""
    for word in re.findall(r"\{@code [^}]*\}\S*|\S+", text):
        if line and len(line) + len(word) + indent + 4 > 100:
            lines.append(line)
            line = ""
        line += (" " if line else "") + word
    lines.append(line)
    return f"{pad}/**\n" + "".join(f"{pad} * {one}\n" for one in lines) + f"{pad} */\n"
