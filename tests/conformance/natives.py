"""What counts as the same: from the native values of a language to one canonical form.

The canonical form is the model's (model_base.py). Which form a reply should have, its shape,
follows from the command alone; here are the shapes, what each may look like in some language, and
the classes of errors. Which of these looks each driver really has, is recorded in natives.json:
a value
of a kind that its driver never gave before is a difference, too (kinds.py).
"""

import collections

import wire
from model_base import ANY, LONG, OK, Fault

# Canonical errors: kind is SERVER with the server's code, or what the client says by itself.
Error = collections.namedtuple("Error", "kind code executed")
SERVER = "server"
# What the model expects of a client itself: an error of this kind.
Local = collections.namedtuple("Local", "kind")
GIVEN_UP = "given up"

STATUS = "SET SETEX MSET RENAME LSET LTRIM PSETEX FLUSHALL SELECT"
FLAG = "EXPIRE PEXPIRE PERSIST SETNX MSETNX HSETNX HEXISTS SISMEMBER SMOVE COPY"
DOUBLE = "ZSCORE ZINCRBY GEODIST INCRBYFLOAT HINCRBYFLOAT"
SET = "SMEMBERS SINTER SUNION SDIFF HKEYS KEYS"
TTL = "TTL PTTL"
INT = (
    "DEL UNLINK EXISTS TOUCH STRLEN APPEND SETRANGE INCR DECR INCRBY DECRBY GETBIT SETBIT BITCOUNT"
    " HSET HDEL HLEN HSTRLEN HINCRBY LPUSH RPUSH RPUSHX LLEN LREM SADD SREM SCARD ZADD ZREM ZCARD"
    " ZRANK ZCOUNT"
)
SHAPES = {
    name.encode(): shape
    for names, shape in (
        (STATUS, "status"),
        (FLAG, "flag"),
        (DOUBLE, "double"),
        (SET, "set"),
        (TTL, "ttl"),
        (INT, "int"),
        ("SMISMEMBER", "flags"),
        ("ZMSCORE", "doubles"),
        ("HGETALL", "map"),
        ("ZRANGE_WITHSCORES", "pairs"),
        ("GET GETDEL GETSET HGET ECHO LINDEX GETRANGE TYPE PING LMOVE", "text"),
        ("PUBLISH SPUBLISH", "any"),
    )
    for name in names.split()
}
# Classes of errors by what they tell, in the names of all languages; those of C are its statuses.
CLASSES = {
    "argument": "ARGUMENT CONFIG DataError ConfigurationError ConfigError IllegalArgumentException"
    " TypeError",
    "closed": "CLOSED ClientClosedError ClosedError ErrClosed",
    "cancelled": "CANCELLED CancelledError AbortError AbortedError Canceled CancellationException",
    "timeout": "TIMEOUT CONNECT_TIMEOUT TimeoutError CommandTimeoutError ConnectTimeoutError"
    " JedisTimeoutException ErrDeadlineExceeded DeadlineExceeded",
    "network": "DISCONNECTED CONNECT ConnectionError DisconnectedError ConnectError"
    " JedisConnectionException EOF OpError MaxRetriesPerRequestError",
    "crossslot": "CROSSSLOT CrossSlotError ClusterCrossSlotError JedisClusterOperationException",
    "aborted": "ExecAbortError WatchError AbortedTransactionException",
}
KIND_OF_CLASS = {name: kind for kind, names in CLASSES.items() for name in names.split()}
# Errors whose class tells too little.
TEXTS = [
    ("CROSSSLOT", "crossslot"),
    ("map to different slots", "crossslot"),
    ("Connection is closed", "closed"),
    ("client is closed", "closed"),
    ("client has been closed", "closed"),
    ("client or lease has been closed", "closed"),
]
# A driver's own errors: the client, lease or subscription could not be made before.
NOT_MADE = ("Missing", "Unsupported", "NoSuchElementException", "UnsupportedOperationException")
# Codes of a server that a client may find out by itself.
LOCAL_CODES = {"CROSSSLOT": "crossslot", "EXECABORT": "aborted"}


class Mismatch(Exception):
    """A native value that is not of its shape."""


def shape_of(words):
    """The shape of a command's reply."""
    name = words[0].upper()
    options = [word.upper() for word in words[1:]]
    if name == b"ZRANGE" and b"WITHSCORES" in options:
        return "pairs"
    if name == b"SET" and b"GET" in options:
        return "text"
    return SHAPES.get(name, "plain")


def as_error(failure):
    name, code, executed, message = failure
    if name in NOT_MADE:
        return Error("missing", "", "no")
    kind = LOCAL_CODES.get(code) or next((kind for text, kind in TEXTS if text in message), None)
    # A class that nobody has named is shown with what it says.
    kind = kind or (SERVER if code else KIND_OF_CLASS.get(name, f"{name}: {message[:100]}"))
    return Error(kind, code if kind == SERVER else "", executed)


def number(value, kinds):
    """An int or float of one of the native kinds; text of it counts where `kinds` has bytes."""
    if isinstance(value, bool):
        if bool in kinds:
            return int(value)
    elif isinstance(value, bytes):
        if bytes in kinds:
            try:
                return float(value) if float in kinds else int(value)
            except ValueError:
                pass
    elif isinstance(value, tuple(kind for kind in kinds if kind is not bool)):
        return float(value) if float in kinds else value
    raise Mismatch(value)


def as_plain(value):
    """Whatever came, elements and all, without a shape to hold it against."""
    if isinstance(value, wire.Failure):
        return as_error(value)
    if isinstance(value, wire.Odd):
        raise Mismatch(value)
    if isinstance(value, list):
        return [as_plain(item) for item in value]
    if isinstance(value, wire.Pairs):
        return {hashable(as_plain(key)): as_plain(item) for key, item in value}
    if isinstance(value, wire.Members):
        return frozenset(hashable(as_plain(item)) for item in value)
    return OK if value == b"OK" else value


def hashable(value):
    return tuple(map(hashable, value)) if isinstance(value, list) else value


def as_map(value):
    if isinstance(value, wire.Pairs):
        return dict(value)
    if isinstance(value, list) and all(isinstance(pair, list) for pair in value):
        return dict(value)
    if isinstance(value, list) and len(value) % 2 == 0:
        return dict(zip(value[::2], value[1::2]))
    raise Mismatch(value)


def as_pairs(value):
    """Members with scores: pairs, or one behind the other."""
    if isinstance(value, wire.Pairs):
        value = [list(pair) for pair in value]
    if not isinstance(value, list):
        raise Mismatch(value)
    if value and not isinstance(value[0], list):
        value = [list(pair) for pair in zip(value[::2], value[1::2])]
    return [[member, number(score, (int, float, bytes))] for member, score in value]


def as_status(value):
    if value is True or value == b"OK":
        return OK
    raise Mismatch(value)


def as_list(value):
    if isinstance(value, (list, wire.Members)):
        return list(value)
    raise Mismatch(value)


def as_list_of(shapes, value):
    """The results of a batch; what is no list is an error or the nil of a broken watch."""
    if not isinstance(value, list) or len(value) != len(shapes):
        raise Mismatch(value)
    return [canonical(shape, item) for shape, item in zip(shapes, value)]


def as_ended(value):
    """How a given up command ended; drivers without a way to give up say so."""
    if value == b"unsupported":
        return GIVEN_UP
    raise Mismatch(value)


CONVERSIONS = {
    "status": as_status,
    "int": lambda value: number(value, (int, bytes)),
    "given up": as_ended,
    "flag": lambda value: number(value, (int, bool)),
    "flags": lambda value: [number(item, (int, bool)) for item in as_list(value)],
    "double": lambda value: number(value, (int, float, bytes)),
    "doubles": lambda value: [
        None if item is None else number(item, (int, float, bytes)) for item in as_list(value)
    ],
    "set": lambda value: frozenset(as_list(value)),
    "ttl": lambda value: LONG if number(value, (int,)) >= 0 else number(value, (int,)),
    "map": as_map,
    "pairs": as_pairs,
    "any": lambda value: None,
    "text": lambda value: value,
    "plain": as_plain,
}


def canonical(shape, value):
    """The canonical form of what a driver reported."""
    if value is None:
        return None
    if isinstance(value, wire.Failure):
        error = as_error(value)
        gave_up = shape == "given up" and error.kind in ("cancelled", "timeout")
        return GIVEN_UP if gave_up else error
    try:
        if isinstance(shape, list):
            return as_list_of(shape, value)
        return CONVERSIONS[shape](value)
    except (TypeError, ValueError) as error:
        raise Mismatch(value) from error


def same(expected, got):
    """Whether a canonical reply is the one the model expects; errors by their code alone."""
    if expected is ANY:
        return True
    if isinstance(expected, Local):
        if expected.kind == "aborted" and isinstance(got, list):  # each command's own error
            return all(isinstance(item, Error) for item in got)
        refused = expected.kind == "aborted" and isinstance(got, Error) and got.kind == SERVER
        return refused or isinstance(got, Error) and got.kind == expected.kind
    if isinstance(expected, Fault):
        if not isinstance(got, Error):
            return False
        kind = LOCAL_CODES.get(expected.code, SERVER)
        return got.kind == kind and (kind != SERVER or got.code == expected.code)
    if isinstance(expected, list) and isinstance(got, list):
        return len(expected) == len(got) and all(map(same, expected, got))
    if isinstance(expected, float) or isinstance(got, float):
        return isinstance(got, (int, float)) and expected == got
    return type(expected) is type(got) and expected == got
