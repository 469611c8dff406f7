"""
Turns what the library hands out into Python: the tape of a reply into values, an error into an
exception.
"""

from __future__ import annotations

import ctypes
import struct
from ctypes import byref, c_void_p
from typing import Any, Callable, List, Optional, Tuple

from tendon import _native as native

# fmt: off
from tendon._abi import (
    NODE_ARRAY, NODE_BIG_NUMBER, NODE_BOOLEAN, NODE_DOUBLE, NODE_ERROR, NODE_INTEGER, NODE_MAP,
    NODE_NULL, NODE_PUSH, NODE_STATUS, NODE_STRING, NODE_VERBATIM, TAPE_VERSION,
)
# fmt: on
from tendon._failures import from_reply, from_status
from tendon._native import lib
from tendon._outcome import Outcome
from tendon.exceptions import InvalidResponse, RedisError

Decode = Optional[Callable[[bytes], Any]]  # bytes to what the user wants; None leaves bytes

# One tendon_node: type, size, and the union as integer, offset or span.
_NODE = struct.Struct("=B3xIq")
_STRING_NODE = struct.Struct("=4xIq")
_VIEW = struct.Struct("=IIQQQQ")
# From this many bytes per node on, strings are copied one by one, not all at once and again each.
_SPARSE_BYTES = 1024

_copy = native.copy_bytes


def read_reply(view: Any, decode: Decode) -> Any:
    """
    The value of the reply that `view` (bytes of a ReplyView) describes. Raises a server's
    error.
    """
    _, version, nodes, count, data, size = _VIEW.unpack(view)
    if version != TAPE_VERSION:
        raise InvalidResponse(
            f"the library's tape has version {version}, this package reads {TAPE_VERSION}"
        )
    kind, length, value = _NODE.unpack(_copy(nodes, 16))
    if kind == NODE_STRING or kind == NODE_STATUS:
        text = _copy(data + value, length)
        return text if decode is None else decode(text)
    if kind == NODE_INTEGER:
        return value
    if kind == NODE_NULL:
        return None
    if kind == NODE_ERROR:
        raise server_error(_copy(data + value, length))
    tape = _copy(nodes, 16 * count)
    flat = kind == NODE_ARRAY and count == length + 1 and tape[16::16].count(NODE_STRING) == length
    if flat and size < count * _SPARSE_BYTES:
        return _strings(tape[16:], _copy(data, size), decode)
    return _walk(tape, count, data, size, decode)


def _strings(nodes: bytes, block: bytes, decode: Decode) -> List[Any]:
    """A flat list of strings, the commonest aggregate by far."""
    found = [block[at : at + length] for length, at in _STRING_NODE.iter_unpack(nodes)]
    return found if decode is None else [*map(decode, found)]


def _walk(nodes: bytes, count: int, data: int, size: int, decode: Decode) -> Any:
    """Builds any value from a tape: a stack of the aggregates that still lack children."""
    if size < count * _SPARSE_BYTES:
        block = _copy(data, size)
    else:
        block = None
    stack: List[Tuple[int, List[Any], int]] = []
    kind, items, missing = NODE_ARRAY, [], 1  # type: int, List[Any], int
    for node, length, value in _NODE.iter_unpack(nodes):
        if node == NODE_STRING or node == NODE_STATUS or node == NODE_VERBATIM:
            text = (
                block[value : value + length] if block is not None else _copy(data + value, length)
            )
            item = text if decode is None else decode(text)
        elif node == NODE_INTEGER:
            item = value
        elif node == NODE_ARRAY or NODE_MAP <= node <= NODE_PUSH:
            if length:
                stack.append((kind, items, missing))
                kind, items, missing = node, [], length
                continue
            item = _finish(node, [])
        else:
            item = _scalar(node, length, value, data)
        items.append(item)
        missing -= 1
        while not missing and stack:
            item = _finish(kind, items)
            kind, items, missing = stack.pop()
            items.append(item)
            missing -= 1
    return items[0]


def _scalar(node: int, length: int, value: int, data: int) -> Any:
    """The kinds of node that are rare enough to stand apart."""
    if node == NODE_NULL:
        return None
    if node == NODE_DOUBLE:
        return struct.unpack("=d", struct.pack("=q", value))[0]
    if node == NODE_BOOLEAN:
        return bool(value)
    if node == NODE_BIG_NUMBER:
        return int(_copy(data + value, length))
    if node == NODE_ERROR:
        return server_error(_copy(data + value, length))
    raise unknown_node(node)


def unknown_node(node: int) -> RedisError:
    return InvalidResponse(
        f"the library's tape has a node of type {node}, which this package does not know"
    )


def _finish(kind: int, items: List[Any]) -> Any:
    if kind != NODE_MAP:
        return items
    keys = iter(items)
    try:
        return dict(zip(keys, keys))
    except TypeError:  # a key that is itself a list or map
        return dict(zip(map(_hashable, items[::2]), items[1::2]))


def _hashable(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(map(_hashable, value))
    if isinstance(value, dict):
        return tuple((_hashable(key), _hashable(item)) for key, item in value.items())
    return value


def server_error(text: bytes) -> RedisError:
    """The exception for the text of an error reply."""
    return from_reply(text.decode("utf-8", "replace"))


def raised(value: Any) -> Any:
    """The value, unless it is an exception that stands for one."""
    if isinstance(value, BaseException):
        raise value
    return value


def take_error(error: c_void_p, status: int) -> Outcome:
    """
    Turns a tendon_error into an exception and frees it; `status` stands in when there is none.
    """
    view = native.ErrorView(struct_size=ctypes.sizeof(native.ErrorView))
    if not error or lib.tendon_error_look(error, byref(view)) != native.OK:
        return from_status(status, lib.tendon_status_text(status).decode())
    try:
        executed = native.EXECUTED.get(view.executed, "unknown")
        text = view.message.decode("utf-8", "replace")
        made = from_status(view.status, text, view.prefix.decode("utf-8", "replace"), executed)
        made.node, made.attempts = view.node.decode("utf-8", "replace"), view.attempts
        return made
    finally:
        lib.tendon_error_destroy(error)


def check(status: int, error: Optional[c_void_p] = None) -> None:
    """Raises what a function of the library failed with, if it has."""
    if status != native.OK:
        raise take_error(error or c_void_p(), status)


def take_reply(reply: Any, decode: Decode, view: Optional[native.ReplyView] = None) -> Any:
    """
    The value of a tendon_reply, which is freed. Raises a server's error. `view` is room to use.
    """
    view = view or native.ReplyView(struct_size=ctypes.sizeof(native.ReplyView))
    try:
        if lib.tendon_reply_look(reply, byref(view)) != native.OK:
            raise InvalidResponse(
                "the library handed out a reply that it cannot read; please report this"
            )
        return read_reply(view, decode)
    finally:
        lib.tendon_reply_destroy(reply)
