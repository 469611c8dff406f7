"""
What each command's reply becomes in Python: redis-py's types, whatever the wire.

The core gives every known reply the form that it has over RESP3. A callback takes that, decoded,
and the options that the method passed; spec/surface/python-replies.txt says which a command has.
Replies of other commands stay as they came: bytes (or str), int, float, list, dict, None. As in
redis-py there are three sets: the usual one, that of an explicit ``protocol=3`` and the unified one
of ``legacy_responses=False``. How texts are read is in _texts.py.
"""

from __future__ import annotations

import datetime
from typing import Any, Callable, Dict, List, Optional, Tuple

from tendon import _tables, _texts
from tendon._texts import as_text

__all__ = ["Callbacks", "LEGACY", "RESP3", "UNIFIED", "as_text"]

Callback = Callable[..., Any]
Cast = Callable[[float], Any]
LEGACY, RESP3, UNIFIED = "legacy", "resp3", "unified"


def _is_ok(reply: Any, **_: Any) -> bool:
    return bool(as_text(reply) == "OK")


def _is_true(reply: Any, **_: Any) -> bool:
    return bool(reply)


def _always(_reply: Any, **_: Any) -> bool:
    return True


def _number(reply: Any, **_: Any) -> Optional[float]:
    return None if reply is None else float(reply)


def _integer(reply: Any, **_: Any) -> int:
    return int(reply)


def _integers(reply: Any, **_: Any) -> List[int]:
    return [*map(int, reply)]


def _booleans(reply: Any, **_: Any) -> List[bool]:
    return [*map(bool, reply)]


def _set(reply: Any, get: bool = False, **_: Any) -> Any:
    return reply if get or reply is None else _is_ok(reply)


def _text(reply: Any, **_: Any) -> Any:
    return as_text(reply)


def _texts_of(reply: Any, **_: Any) -> List[Any]:
    return [*map(as_text, reply)]


def _dict(flat: Any, **_: Any) -> Dict[Any, Any]:
    items = iter(flat or ())
    return dict(zip(items, items))


def _facts(reply: Any, **_: Any) -> Dict[str, Any]:
    """A dict with str keys."""
    return {as_text(name): value for name, value in reply.items()}


def _list_of_facts(reply: Any, **_: Any) -> List[Dict[str, Any]]:
    return [*map(_facts, reply)]


def _flat(reply: Any, **_: Any) -> Any:
    return [part for pair in reply.items() for part in pair] if isinstance(reply, dict) else reply


def _flats(reply: Any, **_: Any) -> List[Any]:
    return [*map(_flat, reply)]


def _flat_facts(reply: Any, **_: Any) -> List[Any]:
    return [part for name, value in reply.items() for part in (as_text(name), value)]


def _tracking(reply: Any, **_: Any) -> Dict[str, Any]:
    lists = ("flags", "prefixes")
    return {
        name: _texts_of(value) if name in lists else value for name, value in _facts(reply).items()
    }


def _members(reply: Any, **_: Any) -> Any:
    return set(reply or ())


def _tuple(reply: Any, **_: Any) -> Any:
    return None if reply is None else tuple(reply)


def _timestamp(reply: Any, **_: Any) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(int(reply))


def _time(reply: Any, **_: Any) -> Tuple[int, int]:
    return int(reply[0]), int(reply[1])


# Sorted sets.


def _score_text(score: Any) -> bytes:
    """A score as RESP2 writes it."""
    return format(score, ".17g").encode()


def _scored(reply: Any, withscores: bool = False, score_cast_func: Cast = float, **_: Any) -> Any:
    if not withscores or not reply:
        return reply
    return [(member, score_cast_func(score)) for member, score in reply]


def _scored_lists(reply: Any, withscores: bool = False, **options: Any) -> Any:
    if not withscores or not reply:
        return reply
    return [*map(list, _scored(reply, withscores=True, **options))]


def _scored_flat(reply: Any, withscores: bool = False, **_: Any) -> Any:
    if not withscores or not reply:
        return reply
    return [part for member, score in reply for part in (member, _score_text(score))]


def _popped_lists(reply: Any, **_: Any) -> List[List[Any]]:
    """ZPOPMIN: without count there is one pair alone."""
    return [reply] if reply and not isinstance(reply[0], list) else reply


def _popped(reply: Any, **_: Any) -> List[Tuple[Any, float]]:
    return [(member, score) for member, score in _popped_lists(reply)]


def _popped_from(reply: Any, **_: Any) -> Any:
    """ZMPOP: scores as RESP2 has them."""
    if not reply:
        return reply
    return [reply[0], [[member, _score_text(score)] for member, score in reply[1]]]


def _zadd(reply: Any, as_score: bool = False, **_: Any) -> Any:
    return _number(reply) if as_score else reply


def _ranked(reply: Any, withscore: bool = False, score_cast_func: Cast = float, **_: Any) -> Any:
    return [reply[0], score_cast_func(reply[1])] if withscore and reply else reply


def _drawn(reply: Any, withvalues: bool = False, **_: Any) -> Any:
    """HRANDFIELD: each value behind its field."""
    return [part for pair in reply for part in pair] if withvalues and reply else reply


# Cursors.


def _scan(reply: Any, **_: Any) -> Tuple[int, List[Any]]:
    return int(reply[0]), reply[1]


def _hscan(reply: Any, no_values: Optional[bool] = None, **_: Any) -> Tuple[int, Any]:
    return int(reply[0]), reply[1] if no_values else _dict(reply[1])


def _zscan(reply: Any, score_cast_func: Cast = float, **_: Any) -> Tuple[int, List[Any]]:
    items = iter(reply[1])
    return int(reply[0]), [
        (member, score_cast_func(float(score))) for member, score in zip(items, items)
    ]


def _zscan_lists(reply: Any, **options: Any) -> Tuple[int, List[Any]]:
    cursor, found = _zscan(reply, **options)
    return cursor, [*map(list, found)]


# Streams.


def _entries(reply: Any, claim_min_idle_time: Any = None, **_: Any) -> Any:
    more = 2 if claim_min_idle_time is not None else 0
    return [
        (None, None) if entry is None else (entry[0], _dict(entry[1]), *entry[2 : 2 + more])
        for entry in reply or ()
    ]


def _streams(reply: Any, **options: Any) -> List[Any]:
    return [[stream, _entries(entries, **options)] for stream, entries in (reply or {}).items()]


def _stream_map(reply: Any, **options: Any) -> Dict[Any, Any]:
    return dict(_streams(reply, **options))


def _stream_lists(reply: Any, **options: Any) -> Dict[Any, Any]:
    return {stream: [entries] for stream, entries in _streams(reply, **options)}


def _claimed(reply: Any, parse_justid: bool = False, **_: Any) -> Any:
    return reply if parse_justid else _entries(reply)


def _autoclaimed(reply: Any, parse_justid: bool = False, **_: Any) -> Any:
    return reply[1] if parse_justid else [reply[0], _entries(reply[1]), *reply[2:]]


def _pending(reply: Any, parse_detail: bool = False, **_: Any) -> Any:
    if parse_detail:
        names = ("message_id", "consumer", "time_since_delivered", "times_delivered")
        return [dict(zip(names, item)) for item in reply]
    if len(reply) != 4 or isinstance(reply[0], list):  # sent with a range, by execute_command
        return reply
    consumers = [{"name": name, "pending": int(count)} for name, count in reply[3] or []]
    return {"pending": reply[0], "min": reply[1], "max": reply[2], "consumers": consumers}


def _stream_facts(reply: Any, full: bool = False, **_: Any) -> Dict[str, Any]:
    found = _facts(reply)
    if not full:
        for name in ("first-entry", "last-entry"):
            entry = found.get(name)
            found[name] = (entry[0], _dict(entry[1])) if entry else entry
        return found
    found["entries"] = {number: _dict(values) for number, values in found["entries"]}
    found["groups"] = _list_of_facts(found["groups"])  # those of consumers keep their names
    return found


# Places.


def _point(pair: Any) -> Tuple[float, float]:
    return float(pair[0]), float(pair[1])


def _places(reply: Any, withdist: bool = False, withcoord: bool = False, **options: Any) -> Any:
    """GEOSEARCH: [member, distance, hash, (longitude, latitude)] of what was asked for."""
    if not isinstance(reply, list) or not (withdist or withcoord or options.get("withhash")):
        return reply

    def part(value: Any) -> Any:
        kinds: Dict[type, Callback] = {list: _point, int: int}
        return kinds.get(type(value), float)(value)

    return [[item[0], *map(part, item[1:])] for item in reply]


def _positions(reply: Any, **_: Any) -> List[Optional[Tuple[float, float]]]:
    return [None if pair is None else _point(pair) for pair in reply]


def _match_facts(reply: Any, **_: Any) -> Any:
    """LCS with IDX."""
    return _facts(reply) if isinstance(reply, dict) else reply


def _sorted(reply: Any, groups: int = 0, **_: Any) -> Any:
    if not reply or not groups:
        return reply
    return [*zip(*[reply[start::groups] for start in range(groups)])]


def _subscribers(reply: Any, **_: Any) -> List[Tuple[Any, int]]:
    return [*(reply if isinstance(reply, dict) else _dict(reply)).items()]


def _flat_libraries(reply: Any, **_: Any) -> List[Any]:
    """FUNCTION LIST, with what is within."""
    return [
        [_flats(part) if isinstance(part, list) else part for part in _flat(library)]
        for library in reply
    ]


def _memory(reply: Any, **_: Any) -> Dict[str, Any]:
    return {
        name: _facts(value) if isinstance(value, dict) else value
        for name, value in _facts(reply).items()
    }


def _function(name: str) -> Callback:
    found: Callback = getattr(_texts, name, None) or globals()[f"_{name}"]
    return found


class Callbacks(Dict[str, Callback]):
    """Response callbacks by command name, in capitals; lookups ignore case as redis-py's do."""

    def __init__(self, shapes: str = LEGACY, cluster: bool = False) -> None:
        names: Dict[str, str] = {**_tables.REPLIES, **(_tables.REPLIES_CLUSTER if cluster else {})}
        unlike = {LEGACY: {}, RESP3: _tables.REPLIES_RESP3, UNIFIED: _tables.REPLIES_UNIFIED}
        names.update(unlike[shapes])
        if not cluster:
            for name in _tables.REPLIES_CLUSTER:
                names.pop(name, None)
        super().__init__({name: _function(made) for name, made in names.items() if made != "none"})

    def __setitem__(self, name: str, callback: Callback) -> None:
        super().__setitem__(name.upper(), callback)
