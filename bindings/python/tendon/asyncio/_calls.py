"""
What the native helper does for asyncio (src/session.c, src/awaitable.c), through ctypes: for
interpreters without the helper.
"""

from __future__ import annotations

import ctypes
from asyncio import AbstractEventLoop, Future
from ctypes import byref, c_uint64, c_void_p
from typing import Any, Dict, List, Optional, Sequence

from tendon import _native as native
from tendon._batch import _REQUEST_BYTES, Batch, Command, outcome
from tendon._encoder import Encoder
from tendon._native import lib
from tendon._reply import Decode, check, take_error

_COLLECTED_MAX = 64
_TAG_BITS = 32  # the low half of a tag counts the commands of one call


class Call:
    """What was asked for together: one future that wakes the task, and the outcomes."""

    def __init__(self, future: "Future[None]", decode: Decode, count: int) -> None:
        self.future, self.decode, self.missing = future, decode, count
        self.values: List[Any] = [None] * count
        self.ids = (c_uint64 * count)()
        self.lease = c_void_p()

    def wake(self) -> None:
        if not self.future.done() and not self.future.get_loop().is_closed():
            self.future.set_result(None)


class Session:
    """One client of one event loop, which drives it. Only the loop's thread comes in here."""

    def __init__(self, address: int, loop: AbstractEventLoop) -> None:
        self.address, self._client, self.loop = address, c_void_p(address), loop
        self._queue = c_void_p()
        check(lib.tendon_queue_create(byref(self._queue)))
        self._calls: Dict[int, Call] = {}
        self._number = 0
        self._ticking = self._collecting = self._closing = False

    def _schedule(self) -> None:
        if not self._ticking:
            self.loop.call_soon(self.tick)
            self._ticking = True

    def _made(self, decode: Decode, count: int) -> Call:
        self._number += 1
        return Call(self.loop.create_future(), decode, count)

    def _taken(self, call: Call, status: int) -> Call:
        """The core has the call, and writes it in the next tick; or has refused it as a whole."""
        if status == native.OK:
            self._calls[self._number] = call
            self._schedule()
        else:
            call.values = [take_error(c_void_p(), status)] * call.missing
            call.missing = 0
            call.wake()
        return call

    def add(self, decode: Decode, **of_batch: Any) -> Call:
        """Takes commands."""
        call = self._made(decode, len(of_batch["commands"]))
        batch = Batch(tag=self._number << _TAG_BITS, **of_batch)
        status = lib.tendon_submit(
            self._client, self._queue, batch.requests, _REQUEST_BYTES, batch.count, call.ids
        )
        return self._taken(call, status)

    def borrow(self, key: Optional[bytes]) -> Call:
        """Asks for a connection."""
        call = self._made(None, 1)
        options = native.LeaseOptions(struct_size=ctypes.sizeof(native.LeaseOptions))
        if key is not None:
            options.key = native.Bytes(key, len(key))
        tag = self._number << _TAG_BITS
        status = lib.tendon_lease_submit(
            self._client, self._queue, byref(options), tag, byref(call.lease), call.ids
        )
        return self._taken(call, status)

    def cancel(self, call: Call) -> None:
        """Ends what nobody waits for any more."""
        if call.missing and self.address:
            for number in call.ids:
                lib.tendon_cancel(self._client, number)
            if not self.loop.is_closed():
                self._schedule()

    def tick(self) -> None:
        """Sends what was asked for; scheduled by itself."""
        self._ticking = False
        if self.address and not self._collecting:
            lib.tendon_client_flush(self._client)
            self._collect()

    def turn(self) -> None:
        """Everything that is due, for a caller that is a task itself."""
        self.tick()
        self.process()

    def process(self) -> None:
        """To be called when the descriptor is readable."""
        if self.address and not self._collecting:
            lib.tendon_client_process(self._client, 0, None)
            self._collect()

    def _collect(self) -> None:
        done = (native.Completion * _COLLECTED_MAX)()
        size, count = ctypes.sizeof(native.Completion), _COLLECTED_MAX
        self._collecting = True
        while count == _COLLECTED_MAX:
            count = lib.tendon_queue_poll(self._queue, done, size, _COLLECTED_MAX, 0)
            for found in done[:count]:
                self._take(found)
        self._collecting = False
        if self._closing:
            self.close()

    def _take(self, done: Any) -> None:
        number, index = done.tag >> _TAG_BITS, done.tag & (1 << _TAG_BITS) - 1
        call = self._calls[number]
        call.values[index] = outcome(done.reply, done.error, call.decode)
        call.missing -= 1
        if not call.missing:
            del self._calls[number]
            call.wake()

    def close(self) -> None:
        """Ends every call under way; idempotent."""
        self._closing = self._collecting
        if not self.address or self._collecting:
            return
        lib.tendon_client_close(self._client)
        self._collect()
        self._release()
        lib.tendon_queue_destroy(self._queue)

    def abandon(self) -> None:
        """Lets go of everything, in a forked child."""
        if self.address:
            self._release()

    def _release(self) -> None:
        self.address = 0
        lib.tendon_client_destroy(self._client)
        self._calls.clear()


class Caller:
    """What the calls of one client share."""

    def __init__(self, encoder: Encoder, decode: Decode, timeout_ms: int) -> None:
        self._encoder, self._decode, self._timeout_ms = encoder, decode, timeout_ms

    async def request(self, core: Any, callbacks: Any, command: Any) -> Any:
        name, argv = self._encoder.pack(command)
        values = await self.requests(core, [argv], None, False, 0, 0)
        if isinstance(values[0], Exception):
            raise values[0]
        callback = callbacks.get(name.capitals) if callbacks is not None else None
        return values[0] if callback is None else callback(values[0])

    async def requests(
        self,
        core: Any,
        commands: Sequence[Command],
        nodes: Optional[Sequence[bytes]],
        atomic: bool,
        lease: int,
        flags: int,
    ) -> List[Any]:
        pack = self._encoder.pack
        session = core.session()
        call = session.add(
            self._decode,
            commands=[c if isinstance(c, list) else pack(c)[1] for c in commands],
            timeout_ms=self._timeout_ms,
            lease=c_void_p(lease),
            nodes=nodes,
            atomic=atomic,
            flags=flags,
        )
        try:
            await call.future
        except BaseException:
            session.cancel(call)
            raise
        values: List[Any] = call.values
        return values

    async def lease(self, core: Any, key: Optional[bytes]) -> int:
        session = core.session()
        call = session.borrow(key)
        try:
            await call.future
            if isinstance(call.values[0], Exception):
                raise call.values[0]
        except BaseException:
            session.cancel(call)
            lib.tendon_lease_close(call.lease)
            raise
        return call.lease.value or 0
