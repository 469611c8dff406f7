"""
Python values to the bytes of arguments, bytes of replies to text, and what each command's name
stands for.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, NamedTuple, Sequence, Tuple

from tendon._tables import BLOCKING
from tendon.exceptions import DataError

_NAMES_MAX = 1000  # names a program may make up; beyond, they are worked out each time


class Name(NamedTuple):
    """
    A command's name: its words as arguments, in capitals for lookups, and whether the server
    may wait.
    """

    words: List[bytes]
    capitals: str
    blocking: bool


_names: Dict[Any, Name] = {}


def command_name(given: Any) -> Name:
    """`given` as the user wrote it: str or bytes in any case, two words in one allowed."""
    known = _names.get(given)
    if known is not None:
        return known
    if isinstance(given, (bytes, bytearray, memoryview)):
        text = bytes(given).decode("latin-1")
    elif isinstance(given, str):
        text = given
    else:
        raise DataError(f"the command's name must be str or bytes, not {type(given).__name__}")
    if not text.strip():
        raise DataError("the command's name is empty; pass it as the first argument")
    capitals = text.upper()
    name = Name(
        [word.encode("latin-1" if isinstance(given, bytes) else "utf-8") for word in text.split()],
        capitals,
        capitals in BLOCKING,
    )
    if len(_names) < _NAMES_MAX and isinstance(given, (str, bytes)):
        _names[given] = name
    return name


class Encoder:
    """
    Encodes arguments: bytes, bytearray and memoryview as they are, str by `encoding`, int and
    float by repr. Anything else, None and bool among it, is a DataError: the server has no such
    types.
    """

    def __init__(self, encoding: str, encoding_errors: str, decode_responses: bool) -> None:
        self.encoding = encoding
        self.encoding_errors = encoding_errors
        self.decode_responses = decode_responses
        self.plain = (encoding.lower(), encoding_errors) == ("utf-8", "strict")
        decoder: Callable[[bytes], Any] = bytes.decode if self.plain else self._decode
        self.decoder = decoder if decode_responses else None

    def _decode(self, value: bytes) -> str:
        return value.decode(self.encoding, self.encoding_errors)

    def encode(self, value: Any) -> bytes:
        if isinstance(value, str):
            return value.encode(self.encoding, self.encoding_errors)
        if isinstance(value, (bytes, bytearray, memoryview)):
            return bytes(value)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return repr(value).encode()
        raise DataError(
            f"Invalid input of type: '{type(value).__name__}'. Convert to a bytes, string, int "
            "or float first."
        )

    def decode(self, value: Any, force: bool = False) -> Any:
        if isinstance(value, memoryview):
            value = value.tobytes()
        return (
            self._decode(value)
            if isinstance(value, bytes) and (force or self.decode_responses)
            else value
        )

    def decode_deep(self, value: Any) -> Any:
        """Decodes inside lists and maps too."""
        if isinstance(value, list):
            return [self.decode_deep(item) for item in value]
        if isinstance(value, dict):
            return {self.decode_deep(key): self.decode_deep(item) for key, item in value.items()}
        return self.decode(value)

    def pack(self, args: Sequence[Any]) -> Tuple[Name, List[bytes]]:
        """A command's name and all its arguments, the name's words first."""
        if not args:
            raise DataError("no command given; pass its name and arguments")
        name = command_name(args[0])
        packed = name.words.copy()
        encoding, errors = self.encoding, self.encoding_errors
        for value in args[1:]:
            kind = type(value)
            if kind is str:
                packed.append(value.encode(encoding, errors))
            elif kind is bytes:
                packed.append(value)
            else:
                packed.append(self.encode(value))
        return name, packed
