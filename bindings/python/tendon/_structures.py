"""
Results that take more than an expression, and what the expressions use; those are in
spec/surface/python-shapes.txt.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterator, List, Tuple

from tendon._texts import facts


def pairs(flat: Any) -> Iterator[Tuple[Any, Any]]:
    """Of what comes one behind the other."""
    items = iter(flat or ())
    return zip(items, items)


def dict_of(flat: Any) -> Dict[Any, Any]:
    return dict(pairs(flat))


def pieces(found: Dict[Any, Any]) -> List[Any]:
    """Each value behind its name."""
    return [part for pair in found.items() for part in pair]


def score_text(score: Any) -> bytes:
    """A score as RESP2 writes it."""
    return format(score, ".17g").encode()


def entries(reply: Any, claim_min_idle_time: Any = None, **_: Any) -> Any:
    more = 2 if claim_min_idle_time is not None else 0
    return [
        (None, None) if entry is None else (entry[0], dict_of(entry[1]), *entry[2 : 2 + more])
        for entry in reply or ()
    ]


def pending(reply: Any, parse_detail: bool = False, **_: Any) -> Any:
    if parse_detail:
        names = ("message_id", "consumer", "time_since_delivered", "times_delivered")
        return [dict(zip(names, item)) for item in reply]
    if len(reply) != 4 or isinstance(reply[0], list):  # sent with a range, by execute_command
        return reply
    consumers = [{"name": name, "pending": int(count)} for name, count in reply[3] or []]
    return {"pending": reply[0], "min": reply[1], "max": reply[2], "consumers": consumers}


def stream_facts(reply: Any, full: bool = False, **_: Any) -> Dict[str, Any]:
    found = facts(reply)
    if not full:
        for name in ("first-entry", "last-entry"):
            entry = found.get(name)
            found[name] = (entry[0], dict_of(entry[1])) if entry else entry
        return found
    found["entries"] = {number: dict_of(values) for number, values in found["entries"]}
    found["groups"] = [*map(facts, found["groups"])]  # those of consumers keep their names
    return found


def point(pair: Any) -> Tuple[float, float]:
    return float(pair[0]), float(pair[1])


def places(reply: Any, withdist: bool = False, withcoord: bool = False, **options: Any) -> Any:
    """GEOSEARCH: [member, distance, hash, (longitude, latitude)] of what was asked for."""
    if not isinstance(reply, list) or not (withdist or withcoord or options.get("withhash")):
        return reply

    def part(value: Any) -> Any:
        kinds: Dict[type, Callable[..., Any]] = {list: point, int: int}
        return kinds.get(type(value), float)(value)

    return [[item[0], *map(part, item[1:])] for item in reply]
