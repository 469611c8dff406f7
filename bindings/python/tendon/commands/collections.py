"""Commands on hashes, lists, sets and sorted sets; to be generated from spec/commands."""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from tendon.commands._arguments import KeyT, EncodableT, Text, KeysT, list_of, matching, flat, Base
from tendon.exceptions import DataError


class HashCommands(Base):
    def hdel(self, name: KeyT, *keys: EncodableT) -> int:
        """How many fields existed and are deleted."""
        return self.execute_command("HDEL", name, *keys)

    def hexists(self, name: KeyT, key: EncodableT) -> bool:
        return self.execute_command("HEXISTS", name, key)

    def hget(self, name: KeyT, key: EncodableT) -> Optional[Text]:
        """The field's value as text, or None."""
        return self.execute_command("HGET", name, key)

    def hgetall(self, name: KeyT) -> Dict[Text, Text]:
        """All fields; {} without key."""
        return self.execute_command("HGETALL", name)

    def hincrby(self, name: KeyT, key: EncodableT, amount: int = 1) -> int:
        return self.execute_command("HINCRBY", name, key, amount)

    def hincrbyfloat(self, name: KeyT, key: EncodableT, amount: float = 1.0) -> float:
        return self.execute_command("HINCRBYFLOAT", name, key, amount)

    def hkeys(self, name: KeyT) -> List[Text]:
        return self.execute_command("HKEYS", name)

    def hlen(self, name: KeyT) -> int:
        return self.execute_command("HLEN", name)

    def hmget(self, name: KeyT, keys: Any, *args: EncodableT) -> List[Optional[Text]]:
        """The fields' values in order, None where there is none."""
        return self.execute_command("HMGET", name, *list_of(keys, args))

    def hscan(
        self,
        name: KeyT,
        cursor: int = 0,
        match: Optional[KeyT] = None,
        count: Optional[int] = None,
        no_values: Optional[bool] = None,
    ) -> Tuple[int, Any]:
        """One step: (next cursor, {field: value}), or fields alone with ``no_values``."""
        pieces = matching(match, count) + (["NOVALUES"] if no_values else [])
        return self.execute_command("HSCAN", name, cursor, *pieces, no_values=bool(no_values))

    def hscan_iter(
        self,
        name: KeyT,
        match: Optional[KeyT] = None,
        count: Optional[int] = None,
        no_values: Optional[bool] = None,
    ) -> Iterator[Any]:
        """All (field, value), or fields."""
        return self._scanned(
            lambda cursor: self.hscan(name, cursor, match, count, no_values),
            iter if no_values else dict.items,
        )

    def hset(
        self,
        name: KeyT,
        key: Optional[EncodableT] = None,
        value: Optional[EncodableT] = None,
        mapping: Optional[Mapping[EncodableT, EncodableT]] = None,
        items: Optional[Sequence[EncodableT]] = None,
    ) -> int:
        """Sets one field, a mapping, or a flat list of fields and values; how many are new."""
        if key is None and not mapping and not items:
            raise DataError("'hset' with no key value pairs; pass key and value, mapping or items")
        if value is None and key is not None:
            raise DataError("'hset' with a field but no value; None cannot be stored")
        pieces = list(items or ()) + ([key, value] if key is not None else []) + flat(mapping or {})
        return self.execute_command("HSET", name, *pieces)

    def hsetnx(self, name: KeyT, key: EncodableT, value: EncodableT) -> int:
        """Sets the field if it does not exist; 1 if it did, else 0."""
        return self.execute_command("HSETNX", name, key, value)

    def hvals(self, name: KeyT) -> List[Text]:
        return self.execute_command("HVALS", name)


class ListCommands(Base):
    def blpop(self, keys: KeysT, timeout: Optional[float] = 0) -> Any:
        """
        Waits up to ``timeout`` seconds (0: for ever) for a first element: (key, value) or
        None.
        """
        return self.execute_command("BLPOP", *list_of(keys), timeout or 0)

    def brpop(self, keys: KeysT, timeout: Optional[float] = 0) -> Any:
        """As blpop, for the last element."""
        return self.execute_command("BRPOP", *list_of(keys), timeout or 0)

    def lindex(self, name: KeyT, index: int) -> Optional[Text]:
        return self.execute_command("LINDEX", name, index)

    def llen(self, name: KeyT) -> int:
        return self.execute_command("LLEN", name)

    def lpop(self, name: KeyT, count: Optional[int] = None) -> Any:
        """The first element as text or None; a list (or None) with ``count``."""
        return self.execute_command("LPOP", name, *(() if count is None else (count,)))

    def lpush(self, name: KeyT, *values: EncodableT) -> int:
        """The list's new length."""
        return self.execute_command("LPUSH", name, *values)

    def lrange(self, name: KeyT, start: int, end: int) -> List[Text]:
        """Elements ``start`` to ``end``, both included, negative from the end."""
        return self.execute_command("LRANGE", name, start, end)

    def lrem(self, name: KeyT, count: int, value: EncodableT) -> int:
        return self.execute_command("LREM", name, count, value)

    def lset(self, name: KeyT, index: int, value: EncodableT) -> bool:
        return self.execute_command("LSET", name, index, value)

    def ltrim(self, name: KeyT, start: int, end: int) -> bool:
        return self.execute_command("LTRIM", name, start, end)

    def rpop(self, name: KeyT, count: Optional[int] = None) -> Any:
        """The last element as text or None; a list (or None) with ``count``."""
        return self.execute_command("RPOP", name, *(() if count is None else (count,)))

    def rpush(self, name: KeyT, *values: EncodableT) -> int:
        """The list's new length."""
        return self.execute_command("RPUSH", name, *values)


class SetCommands(Base):
    def sadd(self, name: KeyT, *values: EncodableT) -> int:
        """How many are new."""
        return self.execute_command("SADD", name, *values)

    def scard(self, name: KeyT) -> int:
        return self.execute_command("SCARD", name)

    def sismember(self, name: KeyT, value: EncodableT) -> int:
        """1 or 0."""
        return self.execute_command("SISMEMBER", name, value)

    def smembers(self, name: KeyT) -> Any:
        """A Python set of text; empty without key."""
        return self.execute_command("SMEMBERS", name)

    def spop(self, name: KeyT, count: Optional[int] = None) -> Any:
        """One removed member or None; a list with ``count``."""
        return self.execute_command("SPOP", name, *(() if count is None else (count,)))

    def srem(self, name: KeyT, *values: EncodableT) -> int:
        """How many were members."""
        return self.execute_command("SREM", name, *values)

    def sscan(
        self, name: KeyT, cursor: int = 0, match: Optional[KeyT] = None, count: Optional[int] = None
    ) -> Tuple[int, List[Text]]:
        return self.execute_command("SSCAN", name, cursor, *matching(match, count))

    def sscan_iter(
        self, name: KeyT, match: Optional[KeyT] = None, count: Optional[int] = None
    ) -> Iterator[Text]:
        return self._scanned(lambda cursor: self.sscan(name, cursor, match, count))


class SortedSetCommands(Base):
    def zadd(
        self,
        name: KeyT,
        mapping: Mapping[KeyT, float],
        nx: bool = False,
        xx: bool = False,
        ch: bool = False,
        incr: bool = False,
        gt: bool = False,
        lt: bool = False,
    ) -> Any:
        """
        Adds {member: score}; how many are new (changed with ``ch``); with ``incr`` the
        score or None.
        """
        if not mapping:
            raise DataError("ZADD requires at least one element/score pair")
        if nx and (xx or gt or lt) or gt and lt:
            raise DataError("ZADD allows 'nx' alone, or 'xx' with one of 'gt' and 'lt'")
        if incr and len(mapping) != 1:
            raise DataError(
                "ZADD option 'incr' only works when passing a single element/score pair"
            )
        flags = {"NX": nx, "XX": xx, "GT": gt, "LT": lt, "CH": ch, "INCR": incr}
        pieces: List[Any] = [name_ for name_, on in flags.items() if on]
        for member, score in mapping.items():
            pieces += [score, member]
        return self.execute_command("ZADD", name, *pieces, as_score=incr)

    def zcard(self, name: KeyT) -> int:
        return self.execute_command("ZCARD", name)

    def zcount(self, name: KeyT, min: EncodableT, max: EncodableT) -> int:
        return self.execute_command("ZCOUNT", name, min, max)

    def zincrby(self, name: KeyT, amount: float, value: EncodableT) -> float:
        return self.execute_command("ZINCRBY", name, amount, value)

    def zrange(
        self,
        name: KeyT,
        start: EncodableT,
        end: EncodableT,
        desc: bool = False,
        withscores: bool = False,
        score_cast_func: Callable[[float], Any] = float,
        byscore: bool = False,
        bylex: bool = False,
        offset: Optional[int] = None,
        num: Optional[int] = None,
    ) -> List[Any]:
        """Members in order as text; with ``withscores`` (member, score) tuples."""
        if byscore and bylex:
            raise DataError("``byscore`` and ``bylex`` can not be specified together.")
        if (offset is None) != (num is None):
            raise DataError("``offset`` and ``num`` must both be specified.")
        flags = {"BYSCORE": byscore, "BYLEX": bylex, "REV": desc}
        pieces: List[Any] = [name_ for name_, on in flags.items() if on]
        if offset is not None:
            pieces += ["LIMIT", offset, num]
        return self._scored("ZRANGE", name, [start, end, *pieces], withscores, score_cast_func)

    def zrangebyscore(
        self,
        name: KeyT,
        min: EncodableT,
        max: EncodableT,
        start: Optional[int] = None,
        num: Optional[int] = None,
        withscores: bool = False,
        score_cast_func: Callable[[float], Any] = float,
    ) -> List[Any]:
        """Members with scores in the range; shapes as zrange."""
        if (start is None) != (num is None):
            raise DataError("``start`` and ``num`` must both be specified")
        pieces = [min, max] + ([] if start is None else ["LIMIT", start, num])
        return self._scored("ZRANGEBYSCORE", name, pieces, withscores, score_cast_func)

    def zrevrange(
        self,
        name: KeyT,
        start: int,
        end: int,
        withscores: bool = False,
        score_cast_func: Callable[[float], Any] = float,
    ) -> List[Any]:
        return self._scored("ZREVRANGE", name, [start, end], withscores, score_cast_func)

    def _scored(
        self, command: str, name: KeyT, pieces: List[Any], withscores: bool, cast: Any
    ) -> List[Any]:
        tail = ["WITHSCORES"] if withscores else []
        return self.execute_command(
            command, name, *pieces, *tail, withscores=withscores, score_cast_func=cast
        )

    def zrank(self, name: KeyT, value: EncodableT, withscore: bool = False) -> Any:
        """The index from 0, or None; [index, score] with ``withscore``."""
        return self.execute_command("ZRANK", name, value, *(["WITHSCORE"] if withscore else []))

    def zrem(self, name: KeyT, *values: EncodableT) -> int:
        return self.execute_command("ZREM", name, *values)

    def zscan(
        self,
        name: KeyT,
        cursor: int = 0,
        match: Optional[KeyT] = None,
        count: Optional[int] = None,
        score_cast_func: Callable[[float], Any] = float,
    ) -> Tuple[int, List[Any]]:
        pieces = matching(match, count)
        return self.execute_command("ZSCAN", name, cursor, *pieces, score_cast_func=score_cast_func)

    def zscan_iter(
        self,
        name: KeyT,
        match: Optional[KeyT] = None,
        count: Optional[int] = None,
        score_cast_func: Callable[[float], Any] = float,
    ) -> Iterator[Tuple[Text, Any]]:
        return self._scanned(lambda cursor: self.zscan(name, cursor, match, count, score_cast_func))

    def zscore(self, name: KeyT, value: EncodableT) -> Optional[float]:
        """The member's score, or None."""
        return self.execute_command("ZSCORE", name, value)
