"""The native clients of one pool: one for each event loop that uses it, driven by that loop."""

from __future__ import annotations

import asyncio
import threading
import warnings
from asyncio import AbstractEventLoop
from ctypes import c_void_p
from typing import Any, Awaitable, Dict, List, Optional, Set, Tuple

from tendon import _helper
from tendon import _native as native
from tendon._batch import Plan
from tendon._core import BaseCore, Handle
from tendon._native import lib
from tendon._options import Options
from tendon._reply import Decode, raised
from tendon.asyncio import _calls
from tendon.exceptions import AuthenticationError, ClientClosedError

_Session: Any = _helper.Session or _calls.Session
# How long commands under way with refused credentials may go on.
_RETIRED_S = 60


def _finished(loop: AbstractEventLoop) -> "asyncio.Future[None]":
    future: "asyncio.Future[None]" = asyncio.Future(loop=loop)
    future.set_result(None)
    return future


_helper.lend(asyncio.get_running_loop, asyncio.CancelledError, _finished)


class AsyncCore(BaseCore):
    """
    What every pool and cluster client calls. Each loop has a native client of its own, made at the
    first command there; loops in several threads may share one core.
    """

    def __init__(self, options: Options) -> None:
        super().__init__(options._replace(core={**options.core, "drive": "host"}))
        self._make_callers()

    def _make_callers(self) -> None:
        self.caller = self._caller(self.encoder.decoder)
        self._raw_caller = self._caller(None)

    def _caller(self, decode: Decode) -> Any:
        if _helper.Caller is None:
            return _calls.Caller(self.encoder, decode, self._options.timeout_ms)
        return super()._caller(decode)

    def _forget(self) -> None:
        super()._forget()
        for session in getattr(self, "_open", {}).values():
            session.abandon()
        self._open: Dict[AbstractEventLoop, Any] = {}
        self._retired: List[Tuple[AbstractEventLoop, Any]] = []  # what renew() replaced
        self._reached: Set[AbstractEventLoop] = set()  # where a connection has been ready
        self._attempts: Dict[AbstractEventLoop, "asyncio.Task[None]"] = {}  # of connect()
        self._lock = threading.Lock()

    def session(self) -> Any:
        """The running loop's session; opens one if there is none. RuntimeError outside a loop."""
        loop = asyncio.get_running_loop()
        session = self._open.get(loop)
        if session is None:
            with self._lock:
                self._bury()
                session = self._open[loop] = self._drive(loop)
        return session

    def _drive(self, loop: AbstractEventLoop) -> Any:
        if self._closed_for_good:
            raise ClientClosedError("this client is closed; make a new one", status_code="CLOSED")
        session = _Session(Handle(self._config).release(), loop)
        loop.add_reader(_descriptor(session), session.process)
        return session

    def _bury(self) -> None:
        """Frees what loops left behind that were closed before this client was."""
        for loop in [loop for loop in self._open if loop.is_closed()]:
            self._open.pop(loop).close()
            self._reached.discard(loop)
            _warn_unclosed(self)

    @property
    def asks_for_credentials(self) -> bool:
        """Whether ``prepare`` must be awaited before the next command."""
        provider = self._options.credential_provider
        return provider is not None and asyncio.get_running_loop() not in self._open

    def renew(self, failure: BaseException, old: Any = None) -> bool:
        """
        Whether other credentials may help: the provider is asked again by prepare() when the server
        refused what it gave. What still runs with the old ones is not ended by that.
        """
        loop = asyncio.get_running_loop()
        if self._provider is None or not isinstance(failure, AuthenticationError):
            return False
        with self._lock:
            if old is not None and self._open.get(loop) is not old:
                return True  # somebody did so already
            session = self._open.pop(loop, None)
            self._reached.discard(loop)
            self._make_callers()  # which remember the session
        if session is not None:
            self._retired.append((loop, session))
            loop.call_later(_RETIRED_S, self._end_retired, loop, session)
        return True

    def _end_retired(self, loop: AbstractEventLoop, session: Any) -> None:
        if (loop, session) in self._retired:
            self._retired.remove((loop, session))
            _end(loop, session)

    async def prepare(self) -> None:
        """Asks the credential provider, which may wait."""
        if self.asks_for_credentials:
            self._set_credentials(await self._options.credential_provider.get_credentials_async())
            self.session()

    def request(self, plan: Plan, lease: int = 0, flags: int = 0) -> Awaitable[List[Any]]:
        """What batch() awaits, perhaps on a lease: the commands are sent as they are."""
        caller = self._raw_caller if plan.decode is None else self.caller
        found: Awaitable[List[Any]]
        found = caller.requests(self, plan.commands, plan.nodes, plan.atomic, lease, flags)
        return found

    async def batch(self, plan: Plan) -> List[Any]:
        """
        Sends all commands together. The values in order, an exception in place of each failure.
        The credential provider is asked before, and again if the server refuses what it gave.
        """
        await self.prepare()
        values = await self.request(plan)
        refused = all(isinstance(value, AuthenticationError) for value in values)
        if values and refused and self.renew(values[0]):
            await self.prepare()
            values = await self.request(plan)
        return values

    async def call(self, argv: List[bytes], decode: Decode, blocking: bool = False) -> Any:
        """Sends one command and returns its value; raises a failure or the server's error."""
        return raised((await self.batch(Plan([argv], decode)))[0])

    async def connect(self) -> None:
        """
        Waits until a connection is ready. Who asks meanwhile waits for the same attempt, and all go
        on in the order in which they came.
        """
        loop = asyncio.get_running_loop()
        attempt = self._attempts.get(loop)
        if attempt is None:
            attempt = self._attempts[loop] = loop.create_task(self._connect())
            attempt.add_done_callback(self._attempted)
        await asyncio.shield(attempt)

    def _attempted(self, attempt: "asyncio.Task[None]") -> None:
        self._attempts.pop(attempt.get_loop(), None)
        if not attempt.cancelled():
            attempt.exception()  # who waited for it may have been cancelled: nobody is told twice

    async def _connect(self) -> None:
        await self.prepare()
        raised((await self.request(Plan([[]], None), flags=native.REQUEST_CONNECT))[0])
        self._reached.add(asyncio.get_running_loop())

    def reached(self) -> bool:
        """Whether connect() has succeeded in the running loop."""
        return _running() in self._reached

    async def lease(self, key: Optional[bytes] = None) -> "Lease":
        """
        Borrows a connection, in a cluster to the node of `key`. Raises MaxConnectionsError
        and others.
        """
        await self.prepare()
        try:
            address = await self.caller.lease(self, key)
        except AuthenticationError as error:
            if not self.renew(error):
                raise
            await self.prepare()
            address = await self.caller.lease(self, key)
        return Lease(self, address)

    def _current(self) -> Any:
        return self.session()

    def _all(self) -> List[Any]:
        return list(self._open.values())

    def close(self, for_good: bool = False) -> None:
        """
        Closes the native clients; calls under way fail. Unless `for_good`, the next command makes
        another. A loop that runs in another thread does its part there.
        """
        with self._lock:
            self._closed_for_good = self._closed_for_good or for_good
            known, self._open = self._open, {}
            self._reached.clear()
            retired, self._retired = self._retired, []
        for loop, session in (*known.items(), *retired):
            _end(loop, session)

    def __del__(self) -> None:
        if getattr(self, "_open", None) or getattr(self, "_retired", None):
            self.close()
            _warn_unclosed(self)


def _warn_unclosed(core: AsyncCore) -> None:
    warnings.warn(
        "unclosed tendon.asyncio client or pool; await its aclose() while its loop runs",
        ResourceWarning,
        source=core,
        stacklevel=3,
    )


def _end(loop: AbstractEventLoop, session: Any) -> None:
    if loop.is_closed():
        session.close()
    elif not loop.is_running() or _running() is loop:
        _end_here(loop, session)
    else:
        try:
            loop.call_soon_threadsafe(_end_here, loop, session)
        except RuntimeError:  # closed in this moment
            session.close()


def _end_here(loop: AbstractEventLoop, session: Any) -> None:
    if session.address:
        loop.remove_reader(_descriptor(session))
        session.close()


def _descriptor(session: Any) -> int:
    return int(lib.tendon_client_fd(c_void_p(session.address)))


def _running() -> Optional[AbstractEventLoop]:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


class Lease:
    """One connection for one borrower, until close() or discard(); it belongs to one loop."""

    def __init__(self, core: AsyncCore, address: int) -> None:
        self._core, self._session, self._address = core, core.session(), address

    async def call(self, argv: List[bytes], decode: Decode, blocking: bool = False) -> Any:
        """As AsyncCore.call, on this connection."""
        return raised((await self.batch(Plan([argv], decode)))[0])

    async def batch(self, plan: Plan) -> List[Any]:
        """As AsyncCore.batch, on this connection."""
        if not self._session.address:
            text = "this connection was closed with its client"
            return [ClientClosedError(text, status_code="CLOSED")] * len(plan.commands)
        if self._core.session() is not self._session:
            raise RuntimeError("this connection belongs to another event loop")
        return await self._core.request(plan, self._address)

    def _end(self, give_back: Any) -> None:
        address, self._address = self._address, 0
        if address:
            here = _running() is self._session.loop and self._session.address
            if here:
                self._session.turn()  # what waits for its turn still names the lease
            give_back(c_void_p(address))
            if here:
                self._session.turn()

    def end(self, watching: bool) -> None:
        """As close(): the core takes a watch off before anybody else gets the connection."""
        self.close()

    def close(self) -> None:
        """Gives the connection back; state left on it is reset. Idempotent."""
        self._end(lib.tendon_lease_close)

    def discard(self) -> None:
        """Closes the connection instead. Idempotent."""
        self._end(lib.tendon_lease_discard)

    __del__ = close
