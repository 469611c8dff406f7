"""
What each command's reply becomes in Python: redis-py's types, whatever the wire.

A callback takes the decoded reply and the options that the method passed. Replies of commands that
are not listed stay as they came: bytes (or str), int, float, list, dict, None. As in redis-py there
are three sets: the usual one, that of an explicit ``protocol=3`` and the unified one of
``legacy_responses=False``. Aggregates may come in the form of RESP2 (flat lists, numbers as text)
or of RESP3 (maps, pairs, doubles). How texts are read is in _texts.py.
"""

from __future__ import annotations

import datetime
from typing import Any, Callable, Dict, Iterable, List, Optional, Tuple

from tendon import _texts
from tendon._texts import as_text

__all__ = ["Callbacks", "LEGACY", "RESP3", "UNIFIED", "as_text"]

Callback = Callable[..., Any]
LEGACY, RESP3, UNIFIED = "legacy", "resp3", "unified"


def _is_ok(reply: Any, **_: Any) -> bool:
    return bool(as_text(reply) == "OK")


def _is_true(reply: Any, **_: Any) -> bool:
    return bool(reply)


def _always(_reply: Any, **_: Any) -> bool:
    return True


def _number(reply: Any, **_: Any) -> Optional[float]:
    return None if reply is None else float(reply)


def _integer(reply: Any, **_: Any) -> Any:
    return int(reply) if isinstance(reply, bool) else reply


def _integers(reply: Any, **_: Any) -> Any:
    return [int(item) for item in reply]


def _set(reply: Any, get: bool = False, **_: Any) -> Any:
    return reply if get or reply is None else _is_ok(reply)


def _text(reply: Any, **_: Any) -> Any:
    return as_text(reply)


def _texts_of(reply: Any, **_: Any) -> List[Any]:
    return [as_text(item) for item in reply]


def _dict(reply: Any, **_: Any) -> Dict[Any, Any]:
    if isinstance(reply, dict):
        return reply
    items = iter(reply or ())
    return dict(zip(items, items))


def _facts(reply: Any, **_: Any) -> Dict[str, Any]:
    """A dict with str keys."""
    return {as_text(name): value for name, value in _dict(reply).items()}


def _list_of_facts(reply: Any, **_: Any) -> List[Dict[str, Any]]:
    return [_facts(item) for item in reply]


def _dicts(reply: Any, **_: Any) -> List[Dict[Any, Any]]:
    return [_dict(item) for item in reply]


def _flat(reply: Any, **_: Any) -> Any:
    return [part for pair in reply.items() for part in pair] if isinstance(reply, dict) else reply


def _flats(reply: Any, **_: Any) -> Any:
    return [_flat(item) for item in reply]


def _flat_facts(reply: Any, **_: Any) -> List[Any]:
    """A flat list in which names are str."""
    flat = _flat(reply)
    return [part if index % 2 else as_text(part) for index, part in enumerate(flat)]


def _members(reply: Any, **_: Any) -> Any:
    return set(reply or ())


def _tuple(reply: Any, **_: Any) -> Any:
    return None if reply is None else tuple(reply)


def _booleans(reply: Any, **_: Any) -> List[bool]:
    return [bool(item) for item in reply]


def _timestamp(reply: Any, **_: Any) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(int(reply))


def _time(reply: Any, **_: Any) -> Tuple[int, int]:
    return int(reply[0]), int(reply[1])


# Sorted sets. A score that is cast by the user's function comes as float there, too.


def _pairs(reply: Any) -> Iterable[Tuple[Any, Any]]:
    """(member, score), also from a flat list or from one pair alone."""
    if reply and isinstance(reply[0], list):
        return [(pair[0], pair[1]) for pair in reply]
    items = iter(reply or ())
    return zip(items, items)


def _score_text(score: Any) -> bytes:
    """A score as RESP2 writes it."""
    if isinstance(score, bytes):
        return score
    return score.encode() if isinstance(score, str) else format(score, ".17g").encode()


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


def _scored_flat(reply: Any, withscores: bool = False, **_: Any) -> Any:
    if not withscores or not reply:
        return reply
    return [part for member, score in _pairs(reply) for part in (member, _score_text(score))]


def _popped(reply: Any, **_: Any) -> List[Tuple[Any, float]]:
    return _scored(reply, withscores=True) or []


def _popped_lists(reply: Any, **_: Any) -> List[List[Any]]:
    return [list(pair) for pair in _popped(reply)]


def _popped_from(reply: Any, **_: Any) -> Any:
    """ZMPOP: scores as RESP2 has them."""
    if not reply:
        return reply
    return [reply[0], [[member, _score_text(score)] for member, score in _pairs(reply[1])]]


def _popped_floats_from(reply: Any, **_: Any) -> Any:
    if not reply:
        return reply
    return [reply[0], [[member, float(score)] for member, score in _pairs(reply[1])]]


def _blocking_zpop(reply: Any, **_: Any) -> Any:
    return None if not reply else (reply[0], reply[1], float(reply[2]))


def _blocking_zpop_list(reply: Any, **_: Any) -> Any:
    return None if not reply else [reply[0], reply[1], float(reply[2])]


def _zadd(reply: Any, as_score: bool = False, **_: Any) -> Any:
    return _number(reply) if as_score else reply


def _scores(reply: Any, **_: Any) -> Any:
    return [_number(score) for score in reply]


def _ranked(
    reply: Any, withscore: bool = False, score_cast_func: Callable[[float], Any] = float, **_: Any
) -> Any:
    return (
        [reply[0], score_cast_func(float(reply[1]))]
        if withscore and isinstance(reply, list)
        else reply
    )


def _drawn(reply: Any, withvalues: bool = False, **_: Any) -> Any:
    """HRANDFIELD: each value behind its field."""
    if not withvalues or not reply or not isinstance(reply[0], list):
        return reply
    return [part for pair in reply for part in pair]


def _drawn_lists(reply: Any, withvalues: bool = False, **_: Any) -> Any:
    if not withvalues or not reply:
        return reply
    return [list(pair) for pair in _pairs(reply)]


# Cursors.


def _scan(reply: Any, **_: Any) -> Tuple[int, List[Any]]:
    return int(reply[0]), reply[1]


def _hscan(reply: Any, no_values: Optional[bool] = None, **_: Any) -> Tuple[int, Any]:
    return int(reply[0]), reply[1] if no_values else _dict(reply[1])


def _zscan(reply: Any, **options: Any) -> Tuple[int, List[Any]]:
    return int(reply[0]), _scored(reply[1], withscores=True, **options) or []


def _zscan_lists(reply: Any, **options: Any) -> Tuple[int, List[Any]]:
    return int(reply[0]), _scored_lists(reply[1], withscores=True, **options) or []


# Streams.


def _entries(reply: Any, claim_min_idle_time: Any = None, **_: Any) -> Any:
    if reply is None:
        return None
    return [
        (None, None)
        if entry is None
        else (entry[0], _dict(entry[1]), *(entry[2:] if claim_min_idle_time is not None else ()))
        for entry in reply
    ]


def _streams(reply: Any, **options: Any) -> Any:
    pairs = reply.items() if isinstance(reply, dict) else reply or []
    return [[stream, _entries(entries, **options)] for stream, entries in pairs]


def _stream_map(reply: Any, **options: Any) -> Any:
    return dict(_streams(reply, **options))


def _stream_lists(reply: Any, **options: Any) -> Any:
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
    found["groups"] = _list_of_facts(found["groups"])
    for group in found["groups"]:
        group["consumers"] = _list_of_facts(group["consumers"])
    return found


# Places.


def _places(reply: Any, withdist: bool = False, withcoord: bool = False, **options: Any) -> Any:
    """GEOSEARCH: [member, distance, hash, (longitude, latitude)] of what was asked for."""
    if not isinstance(reply, list) or not (withdist or withcoord or options.get("withhash")):
        return reply
    return [
        [
            item[0],
            *([float(item[1])] if withdist else []),
            *(int(part) for part in item[1 + withdist :] if not isinstance(part, list)),
            *(_point(part) for part in item[1 + withdist :] if isinstance(part, list)),
        ]
        for item in reply
    ]


def _point(pair: Any) -> Tuple[float, float]:
    return float(pair[0]), float(pair[1])


def _positions(reply: Any, **_: Any) -> List[Optional[Tuple[float, float]]]:
    return [None if pair is None else _point(pair) for pair in reply]


def _position_lists(reply: Any, **_: Any) -> List[Optional[List[float]]]:
    return [None if pair is None else list(_point(pair)) for pair in reply]


def _matches(reply: Any, **_: Any) -> Any:
    """LCS with IDX."""
    return _flat(reply)


def _match_map(reply: Any, **_: Any) -> Any:
    return _dict(reply) if isinstance(reply, (list, dict)) else reply


def _match_facts(reply: Any, **_: Any) -> Any:
    return _facts(reply) if isinstance(reply, (list, dict)) else reply


def _sorted(reply: Any, groups: int = 0, **_: Any) -> Any:
    if not reply or not groups:
        return reply
    return list(zip(*[reply[start::groups] for start in range(groups)]))


def _subscribers(reply: Any, **_: Any) -> List[Tuple[Any, int]]:
    return list(_dict(reply).items())


# Functions.


def _libraries(reply: Any, **_: Any) -> Any:
    return [
        {
            name: _dicts(value) if as_text(name) == "functions" else value
            for name, value in _dict(library).items()
        }
        for library in reply
    ]


def _flat_libraries(reply: Any, **_: Any) -> Any:
    return [
        [
            part
            for name, value in library.items()
            for part in (name, _flats(value) if as_text(name) == "functions" else value)
        ]
        for library in _libraries(reply)
    ]


def _memory(reply: Any, **_: Any) -> Dict[str, Any]:
    found = _facts(reply)
    return {
        name: _facts(value) if name.startswith("db.") else value for name, value in found.items()
    }


# fmt: off
_GROUPS: Dict[Callback, str] = {
    _is_ok: "ASKING FLUSHALL FLUSHDB HMSET LSET LTRIM MSET PFMERGE PSETEX READONLY READWRITE "
            "RENAME SAVE SELECT SETEX SHUTDOWN SLAVEOF SWAPDB UNWATCH WATCH QUIT",
    _is_true: "AUTH COPY EXPIRE EXPIREAT HEXISTS MOVE MSETNX PERSIST PEXPIRE PEXPIREAT RENAMENX "
              "SETNX SMOVE",
    _integer: "SISMEMBER HSETNX",
    _integers: "SMISMEMBER",
    _always: "BGREWRITEAOF BGSAVE",
    _number: "GEODIST HINCRBYFLOAT INCRBYFLOAT ZINCRBY ZSCORE",
    _dict: "HGETALL",
    _members: "SDIFF SINTER SMEMBERS SUNION",
    _scored: "ZINTER ZRANGE ZRANGEBYSCORE ZREVRANGE ZREVRANGEBYSCORE ZUNION",
    _scored_flat: "ZDIFF ZRANDMEMBER",
    _popped: "ZPOPMAX ZPOPMIN",
    _popped_from: "ZMPOP BZMPOP",
    _ranked: "ZRANK ZREVRANK",
    _scan: "SCAN SSCAN",
    _tuple: "BLPOP BRPOP",
    _blocking_zpop: "BZPOPMAX BZPOPMIN",
    _entries: "XRANGE XREVRANGE",
    _streams: "XREAD XREADGROUP",
    _places: "GEORADIUS GEORADIUSBYMEMBER GEOSEARCH",
    _sorted: "SORT SORT_RO",
}
_NAMED: Dict[Callback, str] = {
    _is_ok: "ACL LOAD,ACL SAVE,ACL SETUSER,CLIENT PAUSE,CLIENT SETINFO,CLIENT SETNAME,"
            "CLUSTER ADDSLOTS,CLUSTER ADDSLOTSRANGE,CLUSTER DELSLOTS,CLUSTER DELSLOTSRANGE,"
            "CLUSTER FAILOVER,CLUSTER FORGET,CLUSTER MEET,CLUSTER REPLICATE,CLUSTER RESET,"
            "CLUSTER SAVECONFIG,CLUSTER SET-CONFIG-EPOCH,CLUSTER SETSLOT,CONFIG RESETSTAT,"
            "CONFIG SET,FUNCTION DELETE,FUNCTION FLUSH,FUNCTION RESTORE,MEMORY PURGE,MODULE LOAD,"
            "MODULE UNLOAD,SCRIPT FLUSH,SCRIPT KILL,SLOWLOG RESET,XGROUP CREATE,XGROUP SETID",
    _is_true: "CLIENT UNBLOCK,XGROUP DESTROY",
    _booleans: "SCRIPT EXISTS",
    _text: "ACL GENPASS,ACL WHOAMI,CLIENT GETNAME,RESET,SCRIPT LOAD",
    _texts_of: "ACL CAT,ACL HELP,ACL LIST,ACL USERS,CLUSTER GETKEYSINSLOT,COMMAND GETKEYS,GEOHASH",
    _list_of_facts: "XINFO CONSUMERS,XINFO GROUPS",
    _subscribers: "PUBSUB NUMSUB,PUBSUB SHARDNUMSUB",
    _texts.cluster_nodes: "CLUSTER NODES,CLUSTER REPLICAS,CLUSTER SLAVES",
}
_SINGLE: Dict[str, Callback] = {
    "ACL GETUSER": _texts.acl_user, "ACL LOG": _texts.acl_log,
    "CLIENT INFO": _texts.client_info, "CLIENT KILL": _texts.client_kill,
    "CLIENT LIST": _texts.client_list, "CLIENT TRACKINGINFO": _flat_facts,
    "CLUSTER INFO": _texts.cluster_info, "CLUSTER LINKS": _flats,
    "COMMAND": _texts.commands, "CONFIG GET": _texts.config, "DEBUG OBJECT": _texts.debug_object,
    "FUNCTION LIST": _flat_libraries, "GEOPOS": _positions, "HRANDFIELD": _drawn,
    "HSCAN": _hscan, "INFO": _texts.info, "LASTSAVE": _timestamp, "LCS": _matches,
    "MEMORY STATS": _memory, "MODULE LIST": _dicts, "PING": _texts.ping, "SET": _set,
    "SLOWLOG GET": _texts.slowlog, "TIME": _time, "XAUTOCLAIM": _autoclaimed, "XCLAIM": _claimed,
    "XINFO STREAM": _stream_facts, "XPENDING": _pending, "ZADD": _zadd, "ZMSCORE": _scores,
    "ZSCAN": _zscan,
}
# What only cluster clients convert.
_CLUSTER: Dict[str, Callback] = {
    "CLUSTER SLOTS": _texts.cluster_slots, "CLUSTER SHARDS": _texts.cluster_shards,
}

# What differs with an explicit protocol=3, where redis-py leaves most as the server sends it, and
# with legacy_responses=False. None takes a callback away.
_UNLIKE: Dict[str, Dict[Optional[Callback], str]] = {
    LEGACY: {},
    RESP3: {
        None: "ACL CAT,ACL GENPASS,ACL HELP,ACL LIST,ACL USERS,ACL WHOAMI,BGREWRITEAOF,BGSAVE,"
              "BLPOP,BRPOP,CLIENT GETNAME,CLUSTER GETKEYSINSLOT,CLUSTER SHARDS,COMMAND GETKEYS,"
              "DEBUG OBJECT,GEOHASH,RESET",
        _dict: "CLIENT TRACKINGINFO",
        _dicts: "CLUSTER LINKS",
        _scored_lists: "ZDIFF,ZINTER,ZRANGE,ZRANGEBYSCORE,ZRANDMEMBER,ZREVRANGE,ZREVRANGEBYSCORE,"
                       "ZUNION",
        _texts.popped_raw: "ZPOPMAX,ZPOPMIN",
        _popped_floats_from: "ZMPOP,BZMPOP",
        _blocking_zpop_list: "BZPOPMAX,BZPOPMIN",
        _drawn_lists: "HRANDFIELD",
        _stream_lists: "XREAD,XREADGROUP",
        _position_lists: "GEOPOS",
        _match_map: "LCS",
        _libraries: "FUNCTION LIST",
        _texts.acl_log_raw: "ACL LOG",
        _texts.acl_user_maps: "ACL GETUSER",
        _texts.commands_with_sets: "COMMAND",
    },
    UNIFIED: {
        None: "BGREWRITEAOF,BGSAVE,BLPOP,BRPOP,CLUSTER GETKEYSINSLOT,COMMAND GETKEYS,DEBUG OBJECT",
        _facts: "CLIENT TRACKINGINFO",
        _list_of_facts: "CLUSTER LINKS",
        _scored_lists: "ZDIFF,ZINTER,ZRANGE,ZRANGEBYSCORE,ZRANDMEMBER,ZREVRANGE,ZREVRANGEBYSCORE,"
                       "ZUNION",
        _popped_lists: "ZPOPMAX,ZPOPMIN",
        _popped_floats_from: "ZMPOP,BZMPOP",
        _blocking_zpop_list: "BZPOPMAX,BZPOPMIN",
        _drawn_lists: "HRANDFIELD",
        _stream_map: "XREAD,XREADGROUP",
        _position_lists: "GEOPOS",
        _match_facts: "LCS",
        _libraries: "FUNCTION LIST",
        _texts.acl_user_maps: "ACL GETUSER",
        _texts.commands_with_sets: "COMMAND",
        _texts.cluster_shards_facts: "CLUSTER SHARDS",
        _zscan_lists: "ZSCAN",
    },
}
# fmt: on


class Callbacks(Dict[str, Callback]):
    """Response callbacks by command name, in capitals; lookups ignore case as redis-py's do."""

    def __init__(self, shapes: str = LEGACY, cluster: bool = False) -> None:
        super().__init__(_SINGLE)
        for callback, names in _GROUPS.items():
            self.update(dict.fromkeys(names.split(), callback))
        for callback, names in _NAMED.items():
            self.update(dict.fromkeys(names.split(","), callback))
        if cluster:
            self.update(_CLUSTER)
        for changed, names in _UNLIKE[shapes].items():
            for name in names.split(","):
                if changed is None:
                    self.pop(name, None)
                elif cluster or name not in _CLUSTER:
                    self[name] = changed

    def __setitem__(self, name: str, callback: Callback) -> None:
        super().__setitem__(name.upper(), callback)
