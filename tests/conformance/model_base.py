"""An in-memory server for the commands it knows: what a reply must be.

`execute(words)` gives the reply in canonical form (below) and changes the data. A command it
does not know, or options that it does not, give ANY, and everything about the keys it named is
unknown from then on.

Canonical form: bytes, int, float and None for themselves; OK for a status; a list for an array, a
dict for a map, a frozenset for a set; Fault(code) for an error of the server.
"""

import collections
import math

import slots


class Any:
    """A reply about which the model says nothing."""

    def __repr__(self):
        return "anything"


ANY = Any()
OK = "OK"
Fault = collections.namedtuple("Fault", "code")
WRONG_TYPE, SYNTAX, CROSS_SLOT = Fault("WRONGTYPE"), Fault("ERR"), Fault("CROSSSLOT")
INT_MIN, INT_MAX = -(2**63), 2**63 - 1
# A time to live in seconds or milliseconds that no program outlives.
LONG = 100
COMMANDS = {}


class Refused(Exception):
    """The reply is an error."""

    def __init__(self, code="ERR"):
        super().__init__(code)
        self.code = code


class Unknown(Exception):
    """The model does not know what this does."""


class Text(bytearray):
    """A string of the server."""


class Sorted(dict):
    """A sorted set: member -> score."""

    def ordered(self):
        return sorted(self.items(), key=lambda item: (item[1], item[0]))


def command(keys, arity, splits=False):
    """Registers a method as the command of its name. `keys`: (first, last, step) as COMMAND INFO
    has them; `arity`: at least (negative) or exactly so many words."""

    def register(function):
        COMMANDS[function.__name__[1:].upper().encode()] = (function, keys, arity, splits)
        return function

    return register


NONE, ONE, TWO, ALL = (0, 0, 0), (1, 1, 1), (1, 2, 1), (1, -1, 1)


def integer(word):
    text = word.decode("latin-1")
    digits = text[1:] if text[:1] == "-" else text
    plain = digits.isascii() and digits.isdigit() and (digits == "0" or digits[0] != "0")
    if not plain or text == "-0" or not INT_MIN <= int(text) <= INT_MAX:
        raise Refused()
    return int(text)


def double(word):
    try:
        value = float(word)
    except ValueError:
        raise Refused() from None
    if math.isnan(value) or b"_" in word or word != word.strip():
        raise Refused()
    return value


def in_range(value):
    if not INT_MIN <= value <= INT_MAX:
        raise Refused()
    return value


def span(length, start, stop):
    """The half-open Python range that inclusive, maybe negative bounds mean."""
    start = max(start + length, 0) if start < 0 else start
    stop = stop + length if stop < 0 else min(stop, length - 1)
    return (start, stop + 1) if start <= stop and start < length else (0, 0)


class Base:
    """The data of one server or cluster."""

    def __init__(self, cluster=False):
        self.cluster = cluster
        self.data = {}
        self.lifetimes = {}  # keys that will expire, but not within a program
        self.clouded = set()  # keys about which nothing is known

    def copy(self):
        twin = type(self)(self.cluster)
        twin.data = {key: type(value)(value) for key, value in self.data.items()}
        twin.lifetimes = dict(self.lifetimes)
        twin.clouded = set(self.clouded)
        return twin

    def keys_of(self, words):
        """The keys of a command, or None when the model doesn't know it."""
        known = COMMANDS.get(words[0].upper())
        if not known:
            return None
        first, last, step = known[1]
        return (
            words[first : last + 1 if last > 0 else len(words) + last + 1 : step or 1]
            if first
            else []
        )

    def parts_of(self, words):
        """The commands, one for each slot, that a command for several slots is sent as."""
        known = COMMANDS.get(words[0].upper())
        if not (self.cluster and known and known[3]):
            return [words]
        step = known[1][2]
        parts = {}
        for at in range(1, len(words), step):
            parts.setdefault(slots.slot(words[at]), [words[0]]).extend(words[at : at + step])
        return list(parts.values())

    def has_wrong_arity(self, words):
        known = COMMANDS.get(words[0].upper())
        arity = known[2] if known else -1
        return len(words) != arity if arity > 0 else len(words) < -arity

    def execute(self, words):
        """The canonical reply."""
        known = COMMANDS.get(words[0].upper())
        if words[0].upper() == b"NOSUCH":
            return Fault("ERR")
        if not known:
            return ANY
        function, _, _, splits = known
        if self.has_wrong_arity(words):
            return Fault("ERR")
        keys = self.keys_of(words)
        if self.cluster and not splits and len({slots.slot(key) for key in keys}) > 1:
            return CROSS_SLOT
        if self.clouded.intersection(keys):
            return self.execute_in_clouds(function, keys, words)
        try:
            return function(self, *words[1:])
        except Refused as refused:
            return Fault(refused.code)
        except Unknown:
            self.cloud(keys)
            return ANY

    def execute_in_clouds(self, function, keys, words):
        """Some commands make a key known again."""
        if function.__name__ in ("_set", "_mset", "_setex", "_del", "_unlink") and len(words) < 4:
            for key in keys:
                self.forget(key)
            reply = function(self, *words[1:])
            return ANY if isinstance(reply, int) else reply
        self.cloud(keys)
        return ANY

    def cloud(self, keys):
        self.clouded.update(keys)

    def forget(self, key):
        """The key does not exist."""
        self.clouded.discard(key)
        self.lifetimes.pop(key, None)
        return self.data.pop(key, None)

    def get(self, key, kind):
        """The value of a key, None when it does not exist."""
        value = self.data.get(key)
        if value is not None and type(value) is not kind:
            raise Refused("WRONGTYPE")
        return value

    def make(self, key, kind):
        value = self.get(key, kind)
        if value is None:
            value = self.data[key] = kind()
        return value

    def tidy(self, key):
        """What has become empty does not exist."""
        if not self.data.get(key) and not isinstance(self.data.get(key), Text):
            self.forget(key)

    def number_at(self, key):
        value = self.get(key, Text)
        return integer(bytes(value)) if value is not None else 0
