"""Reads spec/surface/python.txt: the methods of Python's clients, as its head explains them."""

import pathlib
import re

TABLE = "spec/surface/python.txt"
OPEN, CLOSE = "([{", ")]}"


class Parameter:
    def __init__(self, name, kind, type_, default):
        self.name, self.kind, self.type, self.default = name, kind, type_, default

    @property
    def optional(self):
        return self.default is not None

    def written(self):
        """As a signature has it."""
        if self.kind == "":
            default = f" = {self.default}" if self.optional else ""
            return f"{self.name}: {self.type}{default}"
        return f"{self.kind}{self.name}: {self.type}"


class Method:
    """One row. `sent` are pieces (condition or "", [arguments]); `does` is what stands instead."""

    def __init__(self, section, head):
        self.section = section
        found = re.fullmatch(r"(\w+)\((.*)\) -> (.*)", head)
        if not found:
            raise ValueError(f"{TABLE}: cannot read {head!r}")
        self.name = found[1]
        self.parameters = [parameter(text) for text in split(found[2], ",") if text]
        self.results = results(found[3])
        self.sent, self.options, self.option_condition = [], [], ""
        self.does = self.iterates = self.refused = self.untested = ""
        self.quick = []  # (condition, arguments) of what is sent before anything is checked
        self.alone = self.clustered = False
        self.source = self  # the method whose command is sent
        self.checks, self.doc, self.tests = [], "", []

    @property
    def words(self):
        """The words in capitals at the beginning of what is sent."""
        found = []
        for condition, arguments in self.sent:
            for argument in arguments:
                if condition or not argument.startswith('"'):
                    return found
                found.append(argument.strip('"'))
        return found

    def names(self):
        return [one.name for one in self.parameters]


class Section:
    def __init__(self, name, group, cluster):
        self.name, self.group, self.cluster = name, group, cluster
        self.methods = []


def split(text, separator):
    """The parts between separators that are in no brackets and no quotes."""
    parts, depth, quote, start = [], 0, "", 0
    for at, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif letter in OPEN:
            depth += 1
        elif letter in CLOSE:
            depth -= 1
        elif letter == separator and not depth:
            parts.append(text[start:at].strip())
            start = at + 1
    parts.append(text[start:].strip())
    return parts


def type_of(text):
    """T? as typing writes it, also inside brackets."""
    text = text.strip()
    while "?" in text:
        end = text.index("?")
        start, depth = end, 0
        while start > 0:
            letter = text[start - 1]
            depth += (letter == "]") - (letter == "[")
            if depth < 0 or (not depth and letter in ", "):
                break
            start -= 1
        text = f"{text[:start]}Optional[{text[start:end]}]{text[end + 1:]}"
    return text


def parameter(text):
    if text.startswith("**"):
        return Parameter(text[2:], "**", "Any", None)
    if text.startswith("*"):
        name, _, kind = text[1:].partition(":")
        return Parameter(name.strip(), "*", type_of(kind), None)
    before, equals, default = text.partition(" = ")
    name, _, kind = before.partition(":")
    kind = kind.strip()
    if kind == "flag":
        return Parameter(name, "", "bool", "False")
    if not equals and kind.endswith("?"):
        default, equals = "None", "="
        kind = kind if not kind.startswith("Union[") or "None]" not in kind else kind[:-1]
    return Parameter(name, "", type_of(kind), default.strip() if equals else None)


def results(text):
    """The result's types: by default, with protocol=3, with legacy_responses=False."""
    first, *others = [part.strip() for part in text.split(" ; ")]
    known = {"": first}
    for other in others:
        key, _, kind = other.partition(" ")
        known[key] = kind
    return [type_of(known.get(key, first)) for key in ("", "3", "U")]


def argument(text):
    """One token of a template as an expression."""
    if re.fullmatch(r"[A-Z][A-Z0-9_-]*", text):
        return f'"{text}"'
    if text.startswith("(") and text.endswith(")"):
        return text[1:-1]
    return text


def optional(text, method):
    """[...] as (condition, arguments)."""
    inner = text[1:-1]
    if inner.startswith("if "):
        condition, _, rest = inner[3:].partition(": ")
        return condition, [argument(part) for part in split(rest, " ")]
    if re.fullmatch(r"[\w-]+:\w+", inner):
        word, _, name = inner.partition(":")
        return name, [f'"{word}"']
    if re.fullmatch(r"[A-Z]+", inner):
        return inner.lower(), [f'"{inner}"']
    names = [word for word in re.findall(r"\w+", inner) if word in method.names()]
    if not names:
        raise ValueError(f"{TABLE}: {method.name}: no parameter in {text}")
    return f"{names[0]} is not None", [argument(part) for part in split(inner, " ")]


def template(method, line):
    sent, *options = split(line, "|")
    for token in split(sent, " "):
        if token.startswith("["):
            method.sent.append(optional(token, method))
        elif method.sent and not method.sent[-1][0]:
            method.sent[-1][1].append(argument(token))
        else:
            method.sent.append(("", [argument(token)]))
    if options:
        condition, asks, names = options[0].partition(" ? ")
        pairs = [pair.partition("=") for pair in split(names if asks else condition, " ")]
        method.options = [(name, value if equals else name) for name, equals, value in pairs]
        method.option_condition = condition.strip() if asks else method.options[0][1]
        if not asks and any(" " in value for _, value in method.options):
            raise ValueError(f"{TABLE}: {method.name}: {options[0]}")


def test(method, text):
    """`test [error "text"] name=value ...` as (error or None, {name: value as written})."""
    error = None
    if text.startswith("error "):
        error, text = re.fullmatch(r'error "([^"]*)" ?(.*)', text).groups()
    values = dict(part.split("=", 1) for part in split(text, " ") if part)
    method.tests.append((error, values))


def line_of(method, line):
    word, _, rest = line.partition(" ")
    if word == "=":
        method.does = rest
    elif word == "~":
        method.iterates = rest
    elif word == "refused:":
        method.refused = rest
    elif word == "untested:":
        method.untested = rest
    elif word == "if":
        method.checks.append(tuple(part.strip() for part in rest.split(": ", 1)))
    elif word == '"':
        method.doc = rest
    elif word == "test":
        test(method, rest)
    elif word == "quick":
        condition, _, sent = rest.partition(": ")
        method.quick.append((condition, [argument(token) for token in split(sent, " ")]))
    elif line in ("alone", "clustered"):
        setattr(method, line, True)
    else:
        template(method, line)


def sections(root):
    found = []
    for line in (pathlib.Path(root) / TABLE).read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("== "):
            words = line.split()[1:]
            found.append(Section(words[0], words[1], "cluster" in words[2:]))
        elif line.startswith("  "):
            line_of(found[-1].methods[-1], line.strip())
        else:
            found[-1].methods.append(Method(found[-1], line))
    find_sources(found)
    return found


def find_sources(found):
    rows = {method.name: method for section in found for method in section.methods}
    for method in rows.values():
        other = re.match(r"\w+", method.does or method.iterates)
        method.source = rows.get(other[0], method) if other else method
