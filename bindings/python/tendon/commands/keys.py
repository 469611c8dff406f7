"""Commands on keys of any type and on strings; to be generated from spec/commands."""

from __future__ import annotations

from typing import Any, Iterator, List, Mapping, Optional, Tuple

from tendon.commands._arguments import (
    KeyT,
    EncodableT,
    ExpiryT,
    AbsExpiryT,
    Text,
    KeysT,
    list_of,
    seconds,
    milliseconds,
    at,
    one_of,
    expiry,
    matching,
    flat,
    flags,
    Base,
)


class KeyCommands(Base):
    """Keys of any type, and strings."""

    def append(self, key: KeyT, value: EncodableT) -> int:
        """Appends to a string; its new length in bytes."""
        return self.execute_command("APPEND", key, value)

    def copy(
        self,
        source: str,
        destination: str,
        destination_db: Optional[str] = None,
        replace: bool = False,
    ) -> bool:
        """Copies a value; whether it was copied."""
        pieces: List[Any] = ["DB", destination_db] if destination_db is not None else []
        return self.execute_command(
            "COPY", source, destination, *pieces, *(["REPLACE"] if replace else [])
        )

    def decr(self, name: KeyT, amount: int = 1) -> int:
        return self.decrby(name, amount)

    def decrby(self, name: KeyT, amount: int = 1) -> int:
        """Subtracts; the new value."""
        return self.execute_command("DECRBY", name, amount)

    def delete(self, *names: KeyT) -> int:
        """How many keys existed and are deleted."""
        return self.execute_command("DEL", *names)

    def dump(self, name: KeyT) -> Optional[bytes]:
        """The serialised value, always bytes, or None."""
        return self.execute_command("DUMP", name, NEVER_DECODE=True)

    def exists(self, *names: KeyT) -> int:
        """How many of the names exist; a name given twice counts twice."""
        return self.execute_command("EXISTS", *names)

    def expire(
        self,
        name: KeyT,
        time: ExpiryT,
        nx: bool = False,
        xx: bool = False,
        gt: bool = False,
        lt: bool = False,
    ) -> bool:
        """Sets the time to live in seconds; whether it was set."""
        return self.execute_command(
            "EXPIRE", name, seconds(time), *flags(nx=nx, xx=xx, gt=gt, lt=lt)
        )

    def expireat(
        self,
        name: KeyT,
        when: AbsExpiryT,
        nx: bool = False,
        xx: bool = False,
        gt: bool = False,
        lt: bool = False,
    ) -> bool:
        """Sets the end of life in Unix seconds; whether it was set."""
        return self.execute_command("EXPIREAT", name, at(when), *flags(nx=nx, xx=xx, gt=gt, lt=lt))

    def get(self, name: KeyT) -> Optional[Text]:
        """The value as text, or None."""
        return self.execute_command("GET", name)

    def getdel(self, name: KeyT) -> Optional[Text]:
        """The value, which is deleted, or None."""
        return self.execute_command("GETDEL", name)

    def getex(
        self,
        name: KeyT,
        ex: Optional[ExpiryT] = None,
        px: Optional[ExpiryT] = None,
        exat: Optional[AbsExpiryT] = None,
        pxat: Optional[AbsExpiryT] = None,
        persist: bool = False,
    ) -> Optional[Text]:
        """
        The value or None; sets its expiry (``ex`` seconds, ``px`` milliseconds) or removes
        it.
        """
        return self.execute_command("GETEX", name, *expiry(ex, px, exat, pxat, persist=persist))

    def getrange(self, key: KeyT, start: int, end: int) -> Text:
        """Bytes ``start`` to ``end``, both included, negative from the end."""
        return self.execute_command("GETRANGE", key, start, end)

    def getset(self, name: KeyT, value: EncodableT) -> Optional[Text]:
        """Sets and returns the old value or None."""
        return self.execute_command("GETSET", name, value)

    def incr(self, name: KeyT, amount: int = 1) -> int:
        return self.incrby(name, amount)

    def incrby(self, name: KeyT, amount: int = 1) -> int:
        """Adds; the new value."""
        return self.execute_command("INCRBY", name, amount)

    def incrbyfloat(self, name: KeyT, amount: float = 1.0) -> float:
        """Adds; the new value."""
        return self.execute_command("INCRBYFLOAT", name, amount)

    def keys(self, pattern: KeyT = "*", **kwargs: Any) -> List[Text]:
        """All names that match, in a cluster on the default node alone; O(number of keys)."""
        return self.execute_command("KEYS", pattern, **kwargs)

    def mget(self, keys: KeysT, *args: KeyT) -> List[Optional[Text]]:
        """The values in order, None where there is no string; [] for no keys."""
        names = list_of(keys, args)
        if not names:
            return self.execute_command("MGET", EMPTY_RESPONSE=[])
        return self.execute_command("MGET", *names)

    def mset(self, mapping: Mapping[KeyT, EncodableT]) -> bool:
        """Sets all; True."""
        return self.execute_command("MSET", *flat(mapping))

    def msetnx(self, mapping: Mapping[KeyT, EncodableT]) -> bool:
        """Sets all if none exists; whether it did."""
        return self.execute_command("MSETNX", *flat(mapping))

    def persist(self, name: KeyT) -> bool:
        """Removes the time to live; whether there was one."""
        return self.execute_command("PERSIST", name)

    def pexpire(
        self,
        name: KeyT,
        time: ExpiryT,
        nx: bool = False,
        xx: bool = False,
        gt: bool = False,
        lt: bool = False,
    ) -> bool:
        """Sets the time to live in milliseconds; whether it was set."""
        return self.execute_command(
            "PEXPIRE", name, milliseconds(time), *flags(nx=nx, xx=xx, gt=gt, lt=lt)
        )

    def psetex(self, name: KeyT, time_ms: ExpiryT, value: EncodableT) -> bool:
        """Sets with a time to live in milliseconds; True."""
        return self.execute_command("PSETEX", name, milliseconds(time_ms), value)

    def pttl(self, name: KeyT) -> int:
        """Milliseconds to live; -1 without expiry, -2 without key."""
        return self.execute_command("PTTL", name)

    def randomkey(self, **kwargs: Any) -> Optional[Text]:
        return self.execute_command("RANDOMKEY", **kwargs)

    def rename(self, src: KeyT, dst: KeyT) -> bool:
        """True; ResponseError when ``src`` does not exist."""
        return self.execute_command("RENAME", src, dst)

    def renamenx(self, src: KeyT, dst: KeyT) -> bool:
        """Renames unless ``dst`` exists; whether it did."""
        return self.execute_command("RENAMENX", src, dst)

    def scan(
        self,
        cursor: int = 0,
        match: Optional[KeyT] = None,
        count: Optional[int] = None,
        _type: Optional[str] = None,
        **kwargs: Any,
    ) -> Tuple[int, List[Text]]:
        """One step over the key space: (next cursor, names); ends with cursor 0."""
        return self.execute_command("SCAN", cursor, *matching(match, count, _type), **kwargs)

    def scan_iter(
        self,
        match: Optional[KeyT] = None,
        count: Optional[int] = None,
        _type: Optional[str] = None,
        **kwargs: Any,
    ) -> Iterator[Text]:
        """All names, step by step; a name may come twice."""
        return self._scanned(lambda cursor: self.scan(cursor, match, count, _type, **kwargs))

    def set(
        self,
        name: KeyT,
        value: EncodableT,
        ex: Optional[ExpiryT] = None,
        px: Optional[ExpiryT] = None,
        nx: bool = False,
        xx: bool = False,
        keepttl: bool = False,
        get: bool = False,
        exat: Optional[AbsExpiryT] = None,
        pxat: Optional[AbsExpiryT] = None,
        ifeq: Any = None,
        ifne: Any = None,
        ifdeq: Any = None,
        ifdne: Any = None,
    ) -> Any:
        """
        True, or None when a condition (nx, xx, if...) fails; with ``get`` the old value or
        None. ``ex`` is in seconds, ``px`` in milliseconds, both also timedelta; ``exat``
        and ``pxat`` also datetime.
        """
        conditions = {"ifeq": ifeq, "ifne": ifne, "ifdeq": ifdeq, "ifdne": ifdne}
        chosen: List[Any] = one_of(nx=nx, xx=xx, **conditions)
        if chosen and chosen[0].lower() in conditions:
            chosen.append(conditions[chosen[0].lower()])
        pieces = expiry(ex, px, exat, pxat, keepttl=keepttl) + chosen
        if get:
            return self.execute_command("SET", name, value, *pieces, "GET", get=True)
        return self.execute_command("SET", name, value, *pieces)

    def setex(self, name: KeyT, time: ExpiryT, value: EncodableT) -> bool:
        """Sets with a time to live in seconds; True."""
        return self.execute_command("SETEX", name, seconds(time), value)

    def setnx(self, name: KeyT, value: EncodableT) -> bool:
        """Sets if it does not exist; whether it did."""
        return self.execute_command("SETNX", name, value)

    def setrange(self, name: KeyT, offset: int, value: EncodableT) -> int:
        """Overwrites from a byte offset; the new length."""
        return self.execute_command("SETRANGE", name, offset, value)

    def strlen(self, name: KeyT) -> int:
        return self.execute_command("STRLEN", name)

    def touch(self, *args: KeyT) -> int:
        return self.execute_command("TOUCH", *args)

    def ttl(self, name: KeyT) -> int:
        """Seconds to live; -1 without expiry, -2 without key."""
        return self.execute_command("TTL", name)

    def type(self, name: KeyT) -> Text:
        """ "string", "list", "set", "zset", "hash", "stream" or "none" as text."""
        return self.execute_command("TYPE", name)

    def unlink(self, *names: KeyT) -> int:
        """As delete, freeing in the background."""
        return self.execute_command("UNLINK", *names)
