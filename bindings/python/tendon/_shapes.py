"""
What each command's reply becomes in Python: redis-py's types, the same over RESP2 and RESP3.

A callback takes the decoded reply and the options the method passed. Replies of commands that are
not listed stay as they came: bytes (or str), int, list, dict, None.
"""

from __future__ import annotations

import datetime
from typing import Any, Callable, Dict, Iterable, List, Optional, Tuple, Union

Callback = Callable[..., Any]


def as_text(value: Any) -> Any:
    """bytes as str; everything else unchanged."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _is_ok(reply: Any, **_: Any) -> bool:
    return bool(as_text(reply) == "OK")


def _is_true(reply: Any, **_: Any) -> bool:
    return bool(reply)


def _always(_reply: Any, **_: Any) -> bool:
    return True


def _number(reply: Any, **_: Any) -> Optional[float]:
    return None if reply is None else float(reply)


def _set(reply: Any, get: bool = False, **_: Any) -> Any:
    return reply if get or reply is None else _is_ok(reply)


def _dict(reply: Any, **_: Any) -> Dict[Any, Any]:
    if isinstance(reply, dict):
        return reply
    items = iter(reply or ())
    return dict(zip(items, items))


def _members(reply: Any, **_: Any) -> Any:
    return set(reply) if reply is not None else set()


def _pairs(reply: List[Any]) -> Iterable[Tuple[Any, Any]]:
    """(member, score) from RESP2's flat list or RESP3's list of lists."""
    if reply and isinstance(reply[0], list):
        return [(pair[0], pair[1]) for pair in reply]
    items = iter(reply)
    return zip(items, items)


def _scored(
    reply: Any, withscores: bool = False, score_cast_func: Callable[[float], Any] = float, **_: Any
) -> Any:
    if not withscores or not reply:
        return reply
    return [(member, score_cast_func(float(score))) for member, score in _pairs(reply)]


def _scored_lists(reply: Any, withscores: bool = False, **options: Any) -> Any:
    if not withscores or not reply:
        return reply
    return [list(pair) for pair in _scored(reply, withscores=True, **options)]


def _popped(reply: Any, **_: Any) -> List[Tuple[Any, float]]:
    return [(member, float(score)) for member, score in _pairs(reply or [])]


def _zadd(reply: Any, as_score: bool = False, **_: Any) -> Any:
    return _number(reply) if as_score else reply


def _scores(reply: Any, **_: Any) -> Any:
    return [_number(score) for score in reply]


def _ranked(reply: Any, **_: Any) -> Any:
    return [reply[0], float(reply[1])] if isinstance(reply, list) else reply


def _scan(reply: Any, **_: Any) -> Tuple[int, List[Any]]:
    return int(reply[0]), reply[1]


def _hscan(reply: Any, no_values: bool = False, **_: Any) -> Tuple[int, Any]:
    return int(reply[0]), reply[1] if no_values else _dict(reply[1])


def _zscan(
    reply: Any, score_cast_func: Callable[[float], Any] = float, **_: Any
) -> Tuple[int, List[Any]]:
    return int(reply[0]), [
        (member, score_cast_func(float(score))) for member, score in _pairs(reply[1])
    ]


def _tuple(reply: Any, **_: Any) -> Any:
    return None if reply is None else tuple(reply)


def _blocking_zpop(reply: Any, **_: Any) -> Any:
    return None if reply is None else (reply[0], reply[1], float(reply[2]))


def _config(reply: Any, **_: Any) -> Dict[Any, Any]:
    return {as_text(name): as_text(value) for name, value in _dict(reply).items()}


def _time(reply: Any, **_: Any) -> Tuple[int, int]:
    return int(reply[0]), int(reply[1])


def _timestamp(reply: Any, **_: Any) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(int(reply))


def _cast(text: str) -> Union[int, float, str]:
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        return text


def _info_value(text: str) -> Any:
    """A number, a text, or a dict for "a=1,b=2"."""
    if "," not in text and "=" not in text:
        return _cast(text)
    if "=" not in text:
        return [_cast(part) for part in text.split(",")]
    found: Dict[str, Any] = {}
    for part in text.split(","):
        name, equals, value = part.rpartition("=")
        if not equals:
            return text
        found[name] = _cast(value)
    return found


def _info(reply: Any, **_: Any) -> Dict[str, Any]:
    found: Dict[str, Any] = {}
    for line in as_text(reply).splitlines():
        if not line or line.startswith("#"):
            continue
        name, colon, value = line.partition(":")
        if not colon:
            found.setdefault("__raw__", []).append(line)
        elif name in ("cmdstat_host", "redis_version", "valkey_version"):
            found[name] = value
        else:
            found[name] = _info_value(value)
    return found


def _client(line: str) -> Dict[str, str]:
    found = {}
    for part in line.split(" "):
        name, _, value = part.partition("=")
        found[name] = value
    return found


def _client_list(reply: Any, **_: Any) -> List[Dict[str, str]]:
    return [_client(line) for line in as_text(reply).splitlines()]


def _client_info(reply: Any, **_: Any) -> Dict[str, Any]:
    return {name: _cast(value) for name, value in _client(as_text(reply)).items()}


def _booleans(reply: Any, **_: Any) -> List[bool]:
    return [bool(item) for item in reply]


def _entries(reply: Any, **_: Any) -> Any:
    if reply is None:
        return None
    return [(None, None) if fields is None else (name, _dict(fields)) for name, fields in reply]


def _streams(reply: Any, **_: Any) -> Any:
    pairs = reply.items() if isinstance(reply, dict) else reply or []
    return [[stream, _entries(entries)] for stream, entries in pairs]


def _stream_map(reply: Any, **_: Any) -> Any:
    return {stream: [entries] for stream, entries in _streams(reply)}


def _ping(reply: Any, **_: Any) -> bool:
    return bool(as_text(reply) == "PONG")


# fmt: off
_GROUPS: Dict[Callback, str] = {
    _is_ok: "ASKING FLUSHALL FLUSHDB HMSET LSET LTRIM MSET PFMERGE PSETEX READONLY READWRITE "
            "RENAME SAVE SELECT SETEX SWAPDB UNWATCH WATCH",
    _is_true: "AUTH COPY EXPIRE EXPIREAT HEXISTS MOVE MSETNX PERSIST PEXPIRE PEXPIREAT RENAMENX "
              "SETNX SMOVE",
    _always: "BGREWRITEAOF BGSAVE",
    _number: "GEODIST HINCRBYFLOAT INCRBYFLOAT ZINCRBY ZSCORE",
    _dict: "HGETALL",
    _members: "SDIFF SINTER SMEMBERS SUNION",
    _scored: "ZDIFF ZINTER ZRANGE ZRANGEBYSCORE ZREVRANGE ZREVRANGEBYSCORE ZUNION",
    _popped: "ZPOPMAX ZPOPMIN",
    _ranked: "ZRANK ZREVRANK",
    _scan: "SCAN SSCAN",
    _tuple: "BLPOP BRPOP",
    _blocking_zpop: "BZPOPMAX BZPOPMIN",
    _entries: "XRANGE XREVRANGE",
    _streams: "XREAD XREADGROUP",
}
# fmt: on
# With an explicit protocol=3 redis-py leaves these as the server sends them.
_RESP2_ONLY = ("BLPOP", "BRPOP", "BZPOPMAX", "BZPOPMIN", "ZPOPMAX", "ZPOPMIN")

# fmt: off
_SINGLE: Dict[str, Callback] = {
    "CLIENT GETNAME": lambda reply, **_: as_text(reply),
    "CLIENT LIST": _client_list,
    "CLIENT INFO": _client_info,
    "CLIENT SETNAME": _is_ok,
    "CONFIG GET": _config,
    "CONFIG RESETSTAT": _is_ok,
    "CONFIG SET": _is_ok,
    "HSCAN": _hscan,
    "INFO": _info,
    "LASTSAVE": _timestamp,
    "PING": _ping,
    "SCRIPT EXISTS": _booleans,
    "SCRIPT FLUSH": _is_ok,
    "SCRIPT KILL": _is_ok,
    "SCRIPT LOAD": lambda reply, **_: as_text(reply),
    "SET": _set,
    "TIME": _time,
    "ZADD": _zadd,
    "ZMSCORE": _scores,
    "ZSCAN": _zscan,
}
# fmt: on


class Callbacks(Dict[str, Callback]):
    """Response callbacks by command name, in capitals; lookups ignore case as redis-py's do."""

    def __init__(self, resp3_shapes: bool = False) -> None:
        super().__init__(_SINGLE)
        for callback, names in _GROUPS.items():
            self.update(dict.fromkeys(names.split(), callback))
        if resp3_shapes:
            for name in _RESP2_ONLY:
                del self[name]
            self.update(dict.fromkeys(_GROUPS[_scored].split(), _scored_lists))
            self.update(dict.fromkeys(_GROUPS[_streams].split(), _stream_map))

    def __setitem__(self, name: str, callback: Callback) -> None:
        super().__setitem__(name.upper(), callback)
