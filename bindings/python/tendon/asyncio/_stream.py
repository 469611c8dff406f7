"""The connection of an asyncio PubSub or Monitor, driven by the loop that opened it."""

from __future__ import annotations

import asyncio
from ctypes import c_void_p
from typing import Any, Dict, List, Optional

from tendon._events import Events
from tendon._native import lib
from tendon._reply import raised
from tendon.asyncio._core import AsyncCore
from tendon.exceptions import PubSubError

# How often a wait looks whether its client was closed meanwhile.
_LOOK_S = 1.0


class Stream(Events):
    """Belongs to one loop."""

    def __init__(self, core: AsyncCore, node: Optional[bytes]) -> None:
        self._session = core.session()
        self._loop = asyncio.get_running_loop()
        self._waiting: Dict[int, "asyncio.Future[Any]"] = {}
        self._arrival = asyncio.Event()
        client = c_void_p(self._session.address)
        super().__init__(core, client, node)
        self._loop.add_reader(lib.tendon_queue_fd(self._queue), self._ready)

    @property
    def usable(self) -> bool:
        """Whether its client still is, in the running loop."""
        here = asyncio.get_running_loop() is self._loop
        return self._open and here and not self._stale and bool(self._session.address)

    def _renew(self, cause: Any) -> bool:
        return bool(self._core.renew(cause, self._session))

    def _ready(self) -> None:
        self._collect(0)
        if self.arrived:
            self._arrival.set()

    def _settle(self, tag: int, value: Any) -> None:
        future = self._waiting.pop(tag, None)
        if future is not None and not future.done():
            future.set_result(value)

    def send(self, argv: List[bytes]) -> None:
        super().send(argv)
        self._session.turn()

    async def request(self, argv: List[bytes]) -> Any:
        """Sends a command and returns its value; raises a failure or the server's error."""
        future: "asyncio.Future[Any]" = self._loop.create_future()
        self._waiting[self._submit(argv, wanted=True)] = future
        self._session.turn()
        return raised(await future)

    def put(self, item: Any) -> None:
        """Lets next() hand it out after what has arrived."""
        self.arrived.append(item)
        self._arrival.set()

    async def next(self, timeout: Optional[float]) -> Any:
        """What arrived next; None when nothing did within `timeout` seconds, or it was closed."""
        end = None if timeout is None else self._loop.time() + timeout
        while not self.arrived:
            left = _LOOK_S if end is None else min(_LOOK_S, end - self._loop.time())
            if left <= 0 or not self.usable:
                return None
            self._arrival.clear()
            try:
                await asyncio.wait_for(self._arrival.wait(), left)
            except asyncio.TimeoutError:
                pass
        return self._next()

    def close(self) -> None:
        """Idempotent; what waits ends."""
        if not self._open:
            return
        if not self._loop.is_closed():
            self._loop.remove_reader(lib.tendon_queue_fd(self._queue))
        self._release()
        self._arrival.set()
        for tag in list(self._waiting):
            self._settle(tag, PubSubError("the connection was closed by another task"))
        if self._session.address and not self._loop.is_closed():
            self._session.turn()


async def open_stream(core: AsyncCore, node: Optional[bytes] = None) -> Stream:
    await core.prepare()
    return Stream(core, node)
