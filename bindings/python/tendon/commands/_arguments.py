"""What the command methods share: types of arguments, and how options become words."""

from __future__ import annotations

import datetime
from typing import Any, Callable, Iterable, Iterator, List, Mapping, Sequence, Tuple, Union

from tendon.exceptions import DataError

KeyT = Union[bytes, bytearray, memoryview, str]
EncodableT = Union[KeyT, int, float]
ExpiryT = Union[int, datetime.timedelta]
AbsExpiryT = Union[int, datetime.datetime]
Text = Union[bytes, str]
KeysT = Union[KeyT, Iterable[KeyT]]


def list_of(keys: Any, args: Sequence[Any] = ()) -> List[Any]:
    """One key, or any iterable of keys, and more keys, as one list."""
    found = (
        [keys] if isinstance(keys, (bytes, bytearray, memoryview, str, int, float)) else list(keys)
    )
    return found + list(args)


def seconds(value: ExpiryT) -> Any:
    return int(value.total_seconds()) if isinstance(value, datetime.timedelta) else value


def milliseconds(value: ExpiryT) -> Any:
    return int(value.total_seconds() * 1000) if isinstance(value, datetime.timedelta) else value


def at(value: AbsExpiryT) -> Any:
    return int(value.timestamp()) if isinstance(value, datetime.datetime) else value


def at_ms(value: AbsExpiryT) -> Any:
    return int(value.timestamp() * 1000) if isinstance(value, datetime.datetime) else value


def flags(**given: bool) -> List[str]:
    """
    The names, in capitals, of the flags that are set; which go together is the server's affair.
    """
    return [name.upper() for name, value in given.items() if value]


def one_of(**flags: Any) -> List[str]:
    """The name, in capitals, of the flag that is set; DataError when two are."""
    chosen = [name for name, value in flags.items() if value is not None and value is not False]
    if len(chosen) > 1:
        raise DataError(
            f"``{'`` and ``'.join(chosen)}`` are mutually exclusive; pass at most one of them"
        )
    return [name.upper() for name in chosen]


def expiry(ex: Any, px: Any, exat: Any, pxat: Any, **last: bool) -> List[Any]:
    """The expiry part of SET and GETEX."""
    for name, value in (("ex", ex), ("px", px)):
        if (
            value is not None
            and not isinstance(value, (int, datetime.timedelta))
            and not (isinstance(value, str) and value.isdigit())
        ):
            raise DataError(f"{name} must be datetime.timedelta or int")
    chosen = one_of(ex=ex, px=px, exat=exat, pxat=pxat, **last)
    values = {"EX": seconds(ex), "PX": milliseconds(px), "EXAT": at(exat), "PXAT": at_ms(pxat)}
    return chosen + [values[name] for name in chosen if name in values]


def matching(match: Any, count: Any, _type: Any = None) -> List[Any]:
    """The options that SCAN and its kin share."""
    pieces: List[Any] = []
    for name, value in (("MATCH", match), ("COUNT", count), ("TYPE", _type)):
        if value is not None:
            pieces += [name, value]
    return pieces


def flat(mapping: Mapping[Any, Any]) -> List[Any]:
    return [part for pair in mapping.items() for part in pair]


class Base:
    """What the command methods call; clients and pipelines, blocking or not, say how."""

    def execute_command(self, *args: Any, **options: Any) -> Any:
        raise NotImplementedError

    def _scanned(
        self, step: Callable[[int], Any], each: Callable[[Any], Iterable[Any]] = iter
    ) -> Iterator[Any]:
        """
        All elements of a SCAN-like command: ``step`` takes a cursor, ``each`` the elements of one
        step.
        """
        cursor, found = step(0)
        yield from each(found)
        while cursor:
            cursor, found = step(cursor)
            yield from each(found)
