"""How options of command methods become words; the functions that spec/surface/python.txt names."""

from __future__ import annotations

import datetime
import enum
from typing import Any, Callable, Iterable, List, Mapping, Optional, Sequence, Tuple, Union

from tendon.exceptions import DataError

_UNITS = ("m", "km", "mi", "ft")
Tags = Union[str, bytes, Iterable[Any], None]


class HashDataPersistOptions(enum.Enum):
    """Whether hsetex() sets only fields that exist, or only those that do not."""

    FNX = "FNX"
    FXX = "FXX"


class BitFieldOperation:
    """A chain of BITFIELD operations on one key; execute() runs them and gives their results."""

    def __init__(self, client: Any, key: Any, default_overflow: Optional[str] = None) -> None:
        self.client, self.key = client, key
        self._default_overflow = default_overflow
        self.reset()

    def reset(self) -> None:
        """Forgets the operations."""
        self.operations: List[Tuple[Any, ...]] = []
        self._last_overflow = "WRAP"
        if self._default_overflow:
            self.overflow(self._default_overflow)

    def overflow(self, overflow: str) -> "BitFieldOperation":
        """What later incrby() do out of range: "WRAP", "SAT" or "FAIL" (their result is None)."""
        overflow = overflow.upper()
        if overflow != self._last_overflow:
            self._last_overflow = overflow
            self.operations.append(("OVERFLOW", overflow))
        return self

    def incrby(
        self, fmt: str, offset: Union[int, str], increment: int, overflow: Optional[str] = None
    ) -> "BitFieldOperation":
        if overflow is not None:
            self.overflow(overflow)
        self.operations.append(("INCRBY", fmt, offset, increment))
        return self

    def get(self, fmt: str, offset: Union[int, str]) -> "BitFieldOperation":
        self.operations.append(("GET", fmt, offset))
        return self

    def set(self, fmt: str, offset: Union[int, str], value: int) -> "BitFieldOperation":
        self.operations.append(("SET", fmt, offset, value))
        return self

    @property
    def command(self) -> List[Any]:
        words = [word for operation in self.operations for word in operation]
        return ["BITFIELD", self.key, *words]

    def execute(self) -> Any:
        """The results in order; forgets the operations."""
        command = self.command
        self.reset()
        return self.client.execute_command(*command)


def list_of(keys: Any, args: Sequence[Any] = ()) -> List[Any]:
    """One key, or any iterable of keys, and more keys, as one list."""
    if type(keys) is list or not _is_one(keys):
        return [*keys, *args]
    return [keys, *args]


def _is_one(keys: Any) -> bool:
    """Whether it is no iterable of keys: what is no key either, the encoder refuses by its type."""
    return isinstance(keys, (str, bytes, bytearray, memoryview)) or not hasattr(keys, "__iter__")


def several(values: Any) -> Any:
    """What must be an iterable of values: one text would be sent letter by letter."""
    if _is_one(values):
        raise TypeError(f"several values are wanted, in a list, not {type(values).__name__}")
    return values


def flat(mapping: Mapping[Any, Any]) -> List[Any]:
    return [part for pair in mapping.items() for part in pair]


def scores_first(mapping: Mapping[Any, Any]) -> List[Any]:
    if len(mapping) == 1:
        ((member, score),) = mapping.items()
        return [score, member]
    found: List[Any] = []
    for member, score in mapping.items():
        found += (score, member)
    return found


def counted(values: List[Any]) -> List[Any]:
    """How many there are, and they themselves."""
    return [len(values), *values]


def pairs_counted(values: List[Any]) -> List[Any]:
    return [len(values) // 2, *values]


def each(word: str, values: Iterable[Any]) -> List[Any]:
    return [part for value in values for part in (word, value)]


def yes_no(value: bool) -> str:
    return "YES" if value else "NO"


def seconds(value: Any) -> Any:
    return int(value.total_seconds()) if isinstance(value, datetime.timedelta) else value


def milliseconds(value: Any) -> Any:
    return int(value.total_seconds() * 1000) if isinstance(value, datetime.timedelta) else value


def at(value: Any) -> Any:
    return int(value.timestamp()) if isinstance(value, datetime.datetime) else value


def at_ms(value: Any) -> Any:
    return int(value.timestamp() * 1000) if isinstance(value, datetime.datetime) else value


def is_whole(value: Any, least: int = 0) -> bool:
    return isinstance(value, int) and value >= least


def whole(what: str, value: Any, least: int = 0) -> Any:
    """`value`, which must be an int of at least `least`."""
    if not is_whole(value, least):
        kind = "a positive integer" if least > 0 else "a non-negative integer"
        raise DataError(f"{what} must be {kind}, not {value!r}")
    return value


class ExclusiveError(DataError, ValueError):
    """Flags that exclude each other. redis-py raises ValueError for HEXPIRE's, else DataError."""


def one_of(**flags: Any) -> List[str]:
    """The name, in capitals, of the flag that is set; ExclusiveError when two are."""
    chosen = [name for name, value in flags.items() if value]
    if len(chosen) > 1:
        raise ExclusiveError(
            f"``{'`` and ``'.join(chosen)}`` are mutually exclusive; pass at most one of them"
        )
    return [name.upper() for name in chosen]


def seconds_of(ex: Any) -> Any:
    """A time to live as redis-py takes it."""
    return ex if type(ex) is int else _time("ex", ex, seconds)


def milliseconds_of(px: Any) -> Any:
    return px if type(px) is int else _time("px", px, milliseconds)


def _time(name: str, value: Any, unit: Callable[[Any], Any]) -> Any:
    if isinstance(value, datetime.timedelta):
        return unit(value)
    if isinstance(value, int) or (isinstance(value, str) and value.isdigit()):
        return value
    raise DataError(f"{name} must be datetime.timedelta or int")


def expiry(ex: Any, px: Any, exat: Any, pxat: Any, **last: bool) -> List[Any]:
    """The expiry part of HGETEX and HSETEX."""
    times = {"ex": ex, "px": px, "exat": exat, "pxat": pxat}
    chosen = one_of(**{name: value is not None for name, value in times.items()}, **last)
    pieces: List[Any] = []
    for name in chosen:
        pieces.append(name)
        if name in ("EX", "PX"):
            pieces.append(seconds_of(ex) if name == "EX" else milliseconds_of(px))
        elif name in ("EXAT", "PXAT"):
            pieces.append(at(exat) if name == "EXAT" else at_ms(pxat))
    return pieces


def fields(what: str, key: Any, value: Any, mapping: Any, items: Any) -> List[Any]:
    """What HSET and HSETEX set."""
    if key is not None and value is not None and not mapping and not items:
        return [key, value]
    if key is None and not mapping and not items:
        raise DataError(f"'{what}' with no key value pairs; pass key and value, mapping or items")
    if value is None and key is not None:
        raise DataError(f"'{what}' with a field but no value; None cannot be stored")
    return list(items or ()) + ([key, value] if key is not None else []) + flat(mapping or {})


def bitfield_gets(items: Optional[Sequence[Tuple[str, Any]]]) -> List[Any]:
    return [word for encoding, offset in items or () for word in ("GET", encoding, offset)]


def sort_gets(get: Any) -> List[Any]:
    if get is None:
        return []
    return each("GET", [get] if isinstance(get, (bytes, str)) else get)


def weighted(keys: Any) -> List[Any]:
    """The keys of ZUNION and its kin, with their weights if there are any."""
    names = list_of(keys)
    weights = ["WEIGHTS", *keys.values()] if isinstance(keys, dict) else []
    return [len(names), *names, *weights]


def aggregated(aggregate: Optional[str]) -> List[Any]:
    if not aggregate:
        return []
    if aggregate.upper() not in ("SUM", "MIN", "MAX", "COUNT"):
        raise DataError('aggregate can be "SUM", "MIN", "MAX" or "COUNT"')
    return ["AGGREGATE", aggregate]


def trimming(maxlen: Any, minid: Any, approximate: bool, limit: Optional[int]) -> List[Any]:
    """How XADD and XTRIM trim."""
    if maxlen is not None:
        whole("maxlen", maxlen)
    pieces: List[Any] = []
    if maxlen is not None or minid is not None:
        pieces = ["MAXLEN" if maxlen is not None else "MINID", *(["~"] if approximate else [])]
        pieces.append(maxlen if maxlen is not None else minid)
    return pieces + ([] if limit is None else ["LIMIT", limit])


def geo_area(
    member: Any, longitude: Any, latitude: Any, unit: Any, radius: Any, width: Any, height: Any
) -> List[Any]:
    """Where GEOSEARCH looks."""
    given = longitude is not None and latitude is not None
    if member is None and not given:
        raise DataError("GEOSEARCH must have member or longitude and latitude")
    if member is not None and (longitude is not None or latitude is not None):
        raise DataError("GEOSEARCH member and longitude or latitude can't be set together")
    if radius is None and (width is None or height is None):
        raise DataError("GEOSEARCH must have radius or width and height")
    if radius is not None and (width is not None or height is not None):
        raise DataError("GEOSEARCH radius and width or height can't be set together")
    if unit is None or unit.lower() not in _UNITS:
        raise DataError("GEOSEARCH invalid unit" if unit else "GEOSEARCH must have unit")
    place = ["FROMLONLAT", longitude, latitude] if member is None else ["FROMMEMBER", member]
    size = ["BYBOX", width, height] if radius is None else ["BYRADIUS", radius]
    return [*place, *size, unit]


def geo_order(sort: Optional[str], count: Optional[int], any: bool) -> List[Any]:
    if sort and sort.upper() not in ("ASC", "DESC"):
        raise DataError("GEOSEARCH invalid sort")
    if any and not count:
        raise DataError("GEOSEARCH ``any`` can't be provided without count")
    pieces: List[Any] = [sort.upper()] if sort else []
    return pieces + (["COUNT", count, *(["ANY"] if any else [])] if count else [])


def owner_of(client: Any, slot: Any) -> Any:
    """The primary of a cluster's slot."""
    return client._owner_of(int(slot))


def _bytes(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else bytes(value)


def _turned(what: str, values: Tags, signs: Tuple[bytes, bytes]) -> List[Any]:
    """ "+x" and "-x" with the signs that ACL SETUSER has for them."""
    found = []
    given = [values] if isinstance(values, (str, bytes)) else values or ()
    for index, value in enumerate(map(_bytes, given)):
        if value[:1] not in (b"+", b"-"):
            raise DataError(f'{what} {index} must be prefixed with a "+" to add or a "-" to remove')
        rest = value[2:] if value[1:2] == b"@" and b"@" in signs[0] else value[1:]
        found.append(signs[value[:1] == b"-"] + rest)
    return found


def _signed(value: Any) -> bytes:
    command = _bytes(value)
    if command[:1] not in (b"+", b"-"):
        raise DataError(f'Command "{command.decode()}" must be prefixed with "+" or "-"')
    return command


def _key_pattern(value: Any) -> bytes:
    key = _bytes(value)
    return key if key[:1] in (b"%", b"~") else b"~" + key


def acl_rules(
    enabled: bool,
    nopass: bool,
    passwords: Tags,
    hashed_passwords: Tags,
    categories: Tags,
    commands: Optional[Iterable[Any]],
    keys: Optional[Iterable[Any]],
    channels: Optional[Iterable[Any]],
    selectors: Optional[Iterable[Tuple[Any, Any]]],
) -> List[Any]:
    """The rules of ACL SETUSER behind the resets."""
    if (passwords or hashed_passwords) and nopass:
        raise DataError("Cannot set 'nopass' and supply 'passwords' or 'hashed_passwords'")
    pieces: List[Any] = [b"on" if enabled else b"off"]
    pieces += _turned("Password", passwords, (b">", b"<"))
    pieces += _turned("Hashed password", hashed_passwords, (b"#", b"!"))
    pieces += [b"nopass"] if nopass else []
    pieces += _turned("Category", categories, (b"+@", b"-@"))
    pieces += [_signed(command) for command in commands or ()]
    pieces += [_key_pattern(key) for key in keys or ()]
    pieces += [b"&" + _bytes(channel) for channel in channels or ()]
    pieces += [b"(%s %s)" % (_signed(one), _key_pattern(key)) for one, key in selectors or ()]
    return pieces
