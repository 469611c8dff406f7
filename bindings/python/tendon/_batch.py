"""
Several commands in one crossing into libtendon, as one blocking call or as a wait that Ctrl-C can
end.
"""

from __future__ import annotations

import ctypes
import struct
from array import array
from ctypes import byref, c_char_p, c_uint64, c_void_p, cast
from typing import Any, List, NamedTuple, Optional, Sequence, Tuple, Union

from tendon import _native as native
from tendon._native import lib
from tendon._reply import Decode, check, take_error, take_reply

# The arguments as the caller wrote them, in a tuple; or encoded, as a list of bytes.
Command = Union[Tuple[Any, ...], List[bytes]]

# One tendon_request; the fields are those of native.Request.
_REQUEST = struct.Struct("=IIQQQIIQqQQQII")
_REQUEST_BYTES = _REQUEST.size
_OUTCOME = struct.Struct("=QQ")  # a tendon_outcome: reply, error
# How long a wait stays in C before it lets Python look for Ctrl-C.
_SLICE_MS = 100


class Plan(NamedTuple):
    """Commands that travel together, and how."""

    commands: Sequence[Command]
    decode: Decode  # of their replies; None leaves bytes
    atomic: bool = False  # one group
    nodes: Optional[Sequence[bytes]] = None  # "host:port" of each, where it is not its keys'


class Batch:
    """Requests for tendon_call_batch or tendon_submit, and the memory they point to."""

    def __init__(
        self,
        commands: Sequence[List[bytes]],
        timeout_ms: int,
        lease: Optional[c_void_p] = None,
        nodes: Optional[Sequence[bytes]] = None,
        atomic: bool = False,
        flags: int = 0,
        tag: int = 0,
    ) -> None:
        """
        `nodes` names one "host:port" per command; `atomic` makes all of them one group; `tag` is
        that of the first, the others count up.
        """
        self.count, self.tag = len(commands), tag
        pieces = [piece for command in commands for piece in command]
        names = list(nodes or ())
        self._block = c_char_p(b"".join(pieces + names))
        self._sizes = array("I", map(len, pieces))
        position = cast(self._block, c_void_p).value or 0
        name_position = position + sum(self._sizes)
        sizes = self._sizes.buffer_info()[0]
        flags |= native.REQUEST_ATOMIC if atomic else 0
        route = native.ROUTE_NODE if names else native.ROUTE_AUTO
        requests = bytearray(_REQUEST_BYTES * self.count)
        for index, command in enumerate(commands):
            if atomic and index == self.count - 1:
                flags |= native.REQUEST_ATOMIC_END
            name_size = len(names[index]) if names else 0
            _REQUEST.pack_into(
                requests,
                index * _REQUEST_BYTES,
                _REQUEST_BYTES,
                flags,
                0,
                position,
                sizes,
                len(command),
                route,
                tag + index,
                timeout_ms,
                lease.value or 0 if lease else 0,
                name_position if names else 0,
                name_size,
                0,
                0,
            )
            position += sum(map(len, command))
            sizes += 4 * len(command)
            name_position += name_size
        self.requests = (ctypes.c_char * len(requests)).from_buffer(requests)

    def run(self, client: c_void_p, decode: Decode) -> List[Any]:
        """
        Waits in C for all outcomes. The values in order, an exception in place of each
        failure.
        """
        outcomes = (ctypes.c_char * (_OUTCOME.size * self.count))()
        check(lib.tendon_call_batch(client, self.requests, _REQUEST_BYTES, self.count, outcomes))
        view = native.ReplyView(struct_size=ctypes.sizeof(native.ReplyView))
        return [
            outcome(reply, error, decode, view) for reply, error in _OUTCOME.iter_unpack(outcomes)
        ]

    def run_interruptibly(self, client: c_void_p, decode: Decode) -> List[Any]:
        """As run(), but KeyboardInterrupt cancels the commands and comes through within 100 ms."""
        queue, ids = c_void_p(), (c_uint64 * self.count)()
        check(lib.tendon_queue_create(byref(queue)))
        try:
            check(lib.tendon_submit(client, queue, self.requests, _REQUEST_BYTES, self.count, ids))
            return self._collect(queue, decode)
        except BaseException:
            for number in ids:
                lib.tendon_cancel(client, number)
            raise
        finally:
            lib.tendon_queue_destroy(queue)

    def _collect(self, queue: c_void_p, decode: Decode) -> List[Any]:
        values: List[Any] = [None] * self.count
        missing = self.count
        done = native.Completion()
        while missing:
            if lib.tendon_queue_poll(queue, byref(done), ctypes.sizeof(done), 1, _SLICE_MS):
                values[done.tag] = outcome(done.reply, done.error, decode)
                missing -= 1
        return values


def outcome(
    reply: Optional[int],
    error: Optional[int],
    decode: Decode,
    view: Optional[native.ReplyView] = None,
) -> Any:
    """The reply's value, or the exception to raise in its place."""
    if error:
        return take_error(c_void_p(error), 0)
    try:
        return take_reply(reply, decode, view)
    except Exception as failure:
        return failure
