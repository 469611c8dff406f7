"""The connection of a blocking PubSub or Monitor. asyncio/_stream.py is the same to be awaited."""

from __future__ import annotations

import threading
import time
from typing import Any, Dict, List, Optional

from tendon._core import Core, Handle
from tendon._events import Events
from tendon._reply import raised
from tendon.exceptions import PubSubError

# How long a wait stays in C before it lets Python look for Ctrl-C, and others for their outcomes.
_SLICE_MS = 100


class Stream(Events):
    """Any thread may send and wait; each message is handed out once."""

    def __init__(self, core: Core, handle: Handle, node: Optional[bytes]) -> None:
        self._handle = handle
        self._polling = threading.Lock()
        self._outcomes: Dict[int, Any] = {}
        super().__init__(core, handle.pointer, node)

    @property
    def usable(self) -> bool:
        """Whether its client still is: not closed, and not another process's."""
        alive = self._open and not self._stale and not self._handle.closed
        return alive and self._pid == self._core.pid  # which is another in a forked child

    def _settle(self, tag: int, value: Any) -> None:
        self._outcomes[tag] = value

    def _renew(self, cause: Any) -> bool:
        return bool(self._core._renew(self._handle, cause))

    def request(self, argv: List[bytes]) -> Any:
        """Sends a command and returns its value; raises a failure or the server's error."""
        tag = self._submit(argv, wanted=True)
        while tag not in self._outcomes:
            if not self._open:
                raise PubSubError("the connection was closed by another thread")
            self._wait(_SLICE_MS)
        return raised(self._outcomes.pop(tag))

    def put(self, item: Any) -> None:
        """Lets next() hand it out after what has arrived."""
        self.arrived.append(item)

    def next(self, timeout: Optional[float]) -> Any:
        """What arrived next; None when nothing did within `timeout` seconds, or it was closed."""
        try:
            return self._next()
        except IndexError:
            pass
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            left = _SLICE_MS if end is None else round((end - time.monotonic()) * 1000)
            if not self.usable:
                return None
            self._wait(max(0, min(left, _SLICE_MS)))
            try:
                return self._next()
            except IndexError:
                if end is not None and left <= 0:
                    return None

    def _wait(self, wait_ms: int) -> None:
        """Collects, unless another thread does."""
        if self._polling.acquire(timeout=wait_ms / 1000):
            try:
                if self._open:
                    self._collect(wait_ms)
            finally:
                self._polling.release()

    def close(self) -> None:
        """Idempotent; what waits in other threads ends."""
        with self._polling:
            self._release()


def open_stream(core: Core, node: Optional[bytes] = None) -> Stream:
    return Stream(core, core.handle(), node)
