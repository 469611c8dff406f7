"""What blocking and asyncio streams have in common: a subscription of the core, and its queue."""

from __future__ import annotations

import ctypes
import logging
from collections import deque
from ctypes import byref, c_void_p
from typing import Any, Deque, List, NamedTuple, Optional, Set

from tendon import _helper
from tendon import _native as native
from tendon._batch import Batch, outcome
from tendon._core import BaseCore
from tendon._native import lib
from tendon._reply import check, take_error, take_reply
from tendon.exceptions import AuthenticationError

_log = logging.getLogger("tendon.pubsub")
_COLLECTED_MAX = 64


class Gap(NamedTuple):
    """Stands among what arrived where messages may be missing: after a reconnect."""

    seconds: float


class Events:
    """
    One connection for messages (in a cluster perhaps several), with the commands that belong to it.
    """

    def __init__(self, core: BaseCore, client: c_void_p, node: Optional[bytes]) -> None:
        self._core: Any = core
        self._decode, self._timeout_ms = core.encoder.decoder, core.timeout_ms
        self._pid, self._tag = core.pid, 0
        self._pending: Set[int] = set()  # commands whose outcome somebody waits for
        self._failures = 0  # to connect, in a row
        self._stale = False  # whether another client has better credentials
        self._open = False
        caller = core._caller(self._decode) if _helper.Caller is not None else None
        self._take_many = None if caller is None else caller.collect
        self._queue, self._pointer = c_void_p(), c_void_p()
        self.arrived: Deque[Any] = deque()  # replies, and Gap
        options = native.SubscriptionOptions(
            struct_size=ctypes.sizeof(native.SubscriptionOptions),
            route=native.ROUTE_AUTO if node is None else native.ROUTE_NODE,
        )
        if node is not None:
            options.node = native.Bytes(node, len(node))
        status = lib.tendon_queue_create(byref(self._queue))
        if status == native.OK:
            status = lib.tendon_subscription_open(
                client, self._queue, byref(options), 0, byref(self._pointer)
            )
        if status != native.OK:
            lib.tendon_queue_destroy(self._queue)
            raise take_error(c_void_p(), status)
        self._open = True

    def send(self, argv: List[bytes]) -> None:
        """Hands a command over whose outcome nobody wants."""
        self._submit(argv)

    def _submit(self, argv: List[bytes], wanted: bool = False) -> int:
        """Hands a command over; the tag under which its outcome will be, if it is wanted."""
        self._tag += 1
        if wanted:
            self._pending.add(self._tag)
            self._failures = 0
        batch = Batch([argv], self._timeout_ms, tag=self._tag)
        check(lib.tendon_subscription_submit(self._pointer, batch.requests, None))
        return self._tag

    def _collect(self, wait_ms: int) -> None:
        """Takes what is there, or comes within `wait_ms`."""
        take = self._take_many
        count = _COLLECTED_MAX
        while count == _COLLECTED_MAX and self._open:
            if take is not None:
                count = take(self._queue.value, wait_ms, self.arrived.append, self._end, self._note)
            else:
                count = self._take_some(wait_ms)
            wait_ms = 0

    def _take_some(self, wait_ms: int) -> int:
        """What the helper's collect() does."""
        done = (native.Completion * _COLLECTED_MAX)()
        size = ctypes.sizeof(native.Completion)
        count = int(lib.tendon_queue_poll(self._queue, done, size, _COLLECTED_MAX, wait_ms))
        for found in done[:count]:
            self._take(found)
        return count

    def _take(self, done: Any) -> None:
        if done.kind != native.COMPLETION_EVENT:
            self._end(done.tag, outcome(done.reply, done.error, self._decode))
        elif done.event == native.EVENT_MESSAGE:
            self.arrived.append(self._read(done.reply))
        else:
            if done.reply:
                lib.tendon_reply_destroy(done.reply)
            cause = take_error(c_void_p(done.error), 0) if done.error else None
            self._note(done.event, done.delay_ms, cause)

    def _read(self, reply: Any) -> Any:
        """The value, or why it has none: not the text that it should be."""
        try:
            return take_reply(reply, self._decode)
        except Exception as failure:
            return failure

    def _note(self, event: int, delay_ms: int, cause: Any) -> None:
        if event == native.EVENT_GAP:
            self.arrived.append(Gap(delay_ms / 1000))
        elif event == native.EVENT_CLOSED:
            _log.info("the connection of a subscription was lost: %s", cause)
        elif event == native.EVENT_FAILED:
            self._failed(cause)

    def _failed(self, cause: Any) -> None:
        """
        The core tries for as long as a command may take. Who waits for one is told after as many
        tries as the client's retry allows, and at once what trying does not help.
        """
        self._failures += 1
        refused = isinstance(cause, AuthenticationError)
        self._stale = self._stale or (refused and self._renew(cause))
        limit = int(self._core.option("max_retries", "0"))
        if refused or 0 <= limit < self._failures:
            for tag in list(self._pending):
                self._end(tag, cause)
        _log.warning("the connection of a subscription could not be made: %s", cause)

    def _renew(self, cause: Any) -> bool:
        """Whether a client with other credentials may be able to connect."""
        raise NotImplementedError

    def _end(self, tag: int, value: Any) -> None:
        if tag in self._pending:
            self._pending.discard(tag)
            self._failures = 0
            self._settle(tag, value)

    def _settle(self, tag: int, value: Any) -> None:
        """Tells who waits."""
        raise NotImplementedError

    def _next(self) -> Any:
        found = self.arrived.popleft()
        if isinstance(found, Exception):
            raise found
        return found

    def _release(self) -> None:
        self._open = False
        pointer, self._pointer = self._pointer, c_void_p()
        queue, self._queue = self._queue, c_void_p()
        lib.tendon_subscription_close(pointer)
        lib.tendon_queue_destroy(queue)
