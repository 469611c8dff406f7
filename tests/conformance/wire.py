"""Frames, tokens and the text form of programs, as PROTOCOL.md describes them.

A program is a dict: number of a thread -> list of instructions; an instruction is a list of byte
strings. As text it has one instruction a line, words apart by spaces, bytes that are not printable
escaped as `\\xNN`, and a line `thread N` before each thread but the first.
"""

import re

PLAIN = frozenset(range(0x21, 0x7F)) - {ord("\\")}


class Broken(Exception):
    """The driver said something that is no frame, or ended."""


def frame(words):
    parts = [b"%d\n" % len(words)]
    for word in words:
        parts += [b"%d\n" % len(word), word, b"\n"]
    return b"".join(parts)


def number(stream):
    line = stream.readline()
    if not line.endswith(b"\n") or not line[:-1].isdigit():
        raise Broken(f"a number was expected, not {line!r}")
    return int(line)


def word(stream):
    length = number(stream)
    text = stream.read(length + 1)
    if len(text) != length + 1 or text[-1:] != b"\n":
        raise Broken(f"a word of {length} bytes was expected, not {text[:60]!r}")
    return text[:-1]


def read_frame(stream):
    return [word(stream) for _ in range(number(stream))]


class Failure(tuple):
    """An error as a driver reports it."""

    def __new__(cls, name, code, executed, message):
        return super().__new__(cls, (name, code, executed, message))

    def __repr__(self):
        name, code, executed, message = self
        return f"!{name}({code}, executed {executed or '-'}: {message})"


class Pairs(tuple):
    """A map: its (key, value) pairs in the order in which they came."""

    def __repr__(self):
        return "{" + ", ".join(f"{key!r}: {value!r}" for key, value in self) + "}"


class Members(tuple):
    """A set: its members in the order in which they came."""

    def __repr__(self):
        return "{" + ", ".join(map(repr, self)) + "}"


class Odd(str):
    """A value of a type that no driver should give."""


def take_value(tokens):
    """The value that begins at the next token of an iterator of tokens."""
    token = next(tokens)
    kind, text = token[:1], token[1:]
    if kind == b"$":
        return text
    if kind == b":":
        return int(text)
    if kind == b",":
        return float(text)
    if kind == b"_":
        return None
    if kind in (b"T", b"F"):
        return kind == b"T"
    if kind == b"*":
        return [take_value(tokens) for _ in range(int(text))]
    if kind == b"%":
        return Pairs((take_value(tokens), take_value(tokens)) for _ in range(int(text)))
    if kind == b"~":
        return Members(take_value(tokens) for _ in range(int(text)))
    if kind == b"!":
        return Failure(*(next(tokens).decode(errors="replace") for _ in range(4)))
    if kind == b"?":
        return Odd(text.decode(errors="replace"))
    raise Broken(f"no token: {token[:60]!r}")


def value_of(tokens):
    """The value that a result's tokens spell."""
    source = iter(tokens)
    try:
        value = take_value(source)
    except (StopIteration, ValueError) as error:
        raise Broken(f"tokens that spell no value: {tokens[:8]!r}") from error
    if next(source, None) is not None:
        raise Broken(f"tokens behind a value: {tokens[:8]!r}")
    return value


def escaped(text):
    return "".join(chr(byte) if byte in PLAIN else f"\\x{byte:02x}" for byte in text)


def unescaped(text):
    parts = re.split(r"\\x([0-9a-f]{2})", text)
    return b"".join(
        bytes([int(part, 16)]) if index % 2 else part.encode() for index, part in enumerate(parts)
    )


def to_text(program):
    lines = []
    for thread in sorted(program):
        if thread:
            lines.append(f"thread {thread}")
        lines += [" ".join(map(escaped, words)) for words in program[thread]]
    return "\n".join(lines) + "\n"


def from_text(text):
    program = {0: []}
    thread = 0
    for line in text.splitlines():
        words = [unescaped(part) for part in line.split()]
        if not words or words[0].startswith(b"#"):
            continue
        if words[0] == b"thread":
            thread = int(words[1])
            program[thread] = []
        else:
            program[thread].append(words)
    return program


def program_bytes(program):
    """Everything that makes a driver execute a program."""
    parts = []
    for thread in sorted(program):
        parts.append(frame([b"thread", b"%d" % thread]))
        parts += [frame(words) for words in program[thread]]
    parts.append(frame([b"run"]))
    return b"".join(parts)
