"""Redis for asyncio: the client of one server, and what it shares with the cluster client."""

from __future__ import annotations

import asyncio
import inspect
import warnings
from typing import Any, Awaitable, Callable, Dict, Generator, Optional, Tuple, Type
from typing import TypeVar, Union

from tendon._reply import Decode
from tendon.asyncio._core import AsyncCore, Lease
from tendon.asyncio.commands import AsyncCoreCommands
from tendon.asyncio.connection import ConnectionPool
from tendon.asyncio.lock import Lock
from tendon.asyncio.monitor import Monitor
from tendon.asyncio.pipeline import Pipeline
from tendon.asyncio.pubsub import PubSub
from tendon.asyncio.script import AsyncScript
from tendon.client import EMPTY_RESPONSE, NEVER_DECODE, BaseClient, BaseRedis
from tendon.exceptions import ConnectionError, RedisError, ResponseError, TimeoutError, WatchError
from tendon.typing import KeyT

__all__ = ["AsyncClient", "Monitor", "Pipeline", "PubSub", "Redis", "StrictRedis"]

C = TypeVar("C", bound="AsyncClient")


class AsyncClient(BaseClient, AsyncCoreCommands):
    """What every asyncio client has. Every command method returns an awaitable of its result."""

    _core: AsyncCore
    _direct: bool  # an ordinary command needs nothing to be waited for before it
    _request: Callable[..., Awaitable[Any]]  # of the core's caller
    _users = 0  # of nested `async with` blocks

    def execute_command(self, *args: Any, **options: Any) -> Awaitable[Any]:
        """
        Runs any command of the server: ``await execute_command("GET", "key")``, ``("CLIENT
        LIST")``. The result has redis-py's type where the command (the first argument) has one,
        else it comes as the server sent it. Nothing is sent before it is awaited; cancelling the
        task ends the command. Raises ResponseError, ConnectionError, TimeoutError, DataError.
        """
        if self._direct and not options and args:
            return self._request(self._core, self.response_callbacks, args)
        return self._execute(args, options)

    async def _execute(self, args: Tuple[Any, ...], options: Dict[str, Any]) -> Any:
        name = self._encoder.pack(args)[
            0
        ]  # refuses what cannot be sent before anything is waited for
        decode = None if options.pop(NEVER_DECODE, False) else self._encoder.decoder
        try:
            value = await self._answer(args, decode)
        except ResponseError:
            if EMPTY_RESPONSE in options:
                return options[EMPTY_RESPONSE]
            raise
        options.pop(EMPTY_RESPONSE, None)
        callback = self.response_callbacks.get(name.capitals)
        return value if callback is None else callback(value, **options)

    async def _answer(self, args: Tuple[Any, ...], decode: Decode) -> Any:
        await self._prepare()
        value = (await self._core.answers([args], decode))[0]
        if isinstance(value, Exception):
            raise value
        return value

    async def _prepare(self) -> None:
        """What has to be waited for before a command can be sent."""
        await self._core.prepare()

    def lock(
        self,
        name: KeyT,
        timeout: Optional[float] = None,
        sleep: float = 0.1,
        blocking: bool = True,
        blocking_timeout: Optional[float] = None,
        lock_class: Optional[Type[Lock]] = None,
        thread_local: bool = True,
        raise_on_release_error: bool = True,
    ) -> Lock:
        """A lock named ``name`` in the server, not acquired yet; see its class."""
        kind = lock_class or Lock
        return kind(
            self,
            name,
            timeout=timeout,
            sleep=sleep,
            blocking=blocking,
            blocking_timeout=blocking_timeout,
            thread_local=thread_local,
            raise_on_release_error=raise_on_release_error,
        )

    def register_script(self, script: Union[str, bytes]) -> AsyncScript:
        """A callable that runs the Lua script; nothing is sent before it is called."""
        return AsyncScript(self, script)

    def watch(self, *names: KeyT) -> None:
        """Of no use on a client: pipeline() has it."""
        warnings.warn("call watch() of a pipeline", DeprecationWarning, stacklevel=2)

    def unwatch(self) -> None:
        warnings.warn("call unwatch() of a pipeline", DeprecationWarning, stacklevel=2)

    async def shutdown(self, *args: Any, **kwargs: Any) -> None:
        """Ends the server; options as the server has them. RedisError when it goes on."""
        try:
            await super().shutdown(*args, **kwargs)
        except ConnectionError as error:
            if error.executed == "no":
                raise
            return
        raise RedisError("SHUTDOWN seems to have failed.")

    def pipeline(self, transaction: bool = True) -> Pipeline:
        """Queues commands until ``await execute()``."""
        return Pipeline(self, transaction)

    async def transaction(
        self,
        func: Callable[[Pipeline], Any],
        *watches: Any,
        shard_hint: Optional[str] = None,
        value_from_callable: bool = False,
        watch_delay: Optional[float] = None,
    ) -> Any:
        """
        Watches keys, calls ``func(pipe)`` (and awaits what it returns), executes, and does it again
        while a watched key changes. Returns the results, or what ``func`` gave with
        ``value_from_callable``.
        """
        async with self.pipeline(True) as pipe:
            while True:
                try:
                    if watches:
                        await pipe.watch(*watches)
                    returned = func(pipe)
                    if inspect.isawaitable(returned):
                        returned = await returned
                    results = await pipe.execute()
                    return returned if value_from_callable else results
                except WatchError:
                    if watch_delay:
                        await asyncio.sleep(watch_delay)

    async def initialize(self: C) -> C:
        """Does what can be done before the first command; the client itself."""
        return self

    async def aclose(self, close_connection_pool: Optional[bool] = None) -> None:
        raise NotImplementedError

    async def close(self, close_connection_pool: Optional[bool] = None) -> None:
        """The old name of aclose."""
        await self.aclose(close_connection_pool)

    def __await__(self: C) -> Generator[Any, None, C]:
        return self.initialize().__await__()

    async def __aenter__(self: C) -> C:
        self._users += 1
        try:
            return await self.initialize()
        except BaseException:
            self._users -= 1
            raise

    async def __aexit__(self, *_: Any) -> None:
        self._users -= 1
        if not self._users:
            await self.aclose()


class Redis(BaseRedis, AsyncClient):
    """
    The client of one server for asyncio; options as in tendon.Redis, times in seconds.

    Any number of tasks share it. Each event loop that uses it has connections of its own. Never
    connects before the first command. ``await aclose()`` or ``async with`` ends it; as in redis-py
    the next command connects again.
    """

    _core: AsyncCore
    _pool_class = ConnectionPool

    def _begin(self, single: bool) -> None:
        self.single_connection_client = single
        self._direct = not single and self._core._options.credential_provider is None
        self._request = self._core.caller.request
        self._lease: Optional[Lease] = None
        self._turn: Optional[asyncio.Lock] = None  # made in the loop, to which it belongs

    def pipeline(self, transaction: bool = True, shard_hint: Optional[str] = None) -> Pipeline:
        """
        Queues commands until ``await execute()``: one MULTI/EXEC, or a plain batch with
        ``transaction=False``.
        """
        return Pipeline(self, transaction)

    def pubsub(self, **kwargs: Any) -> PubSub:
        """Subscriptions on a connection of their own; options as in PubSub."""
        return PubSub(self.connection_pool, **kwargs)

    def monitor(self) -> Monitor:
        """Every command that the server runs; see its class."""
        return Monitor(self._core)

    def client(self) -> "Redis":
        """A client of the same pool that keeps one connection for itself."""
        return type(self)(connection_pool=self.connection_pool, single_connection_client=True)

    async def initialize(self) -> "Redis":
        """With ``single_connection_client`` borrows the connection; the client itself."""
        if self.single_connection_client:
            self._turn = self._turn or asyncio.Lock()
            async with self._turn:
                self._lease = self._lease or await self._core.lease()
        return self

    async def _answer(self, args: Tuple[Any, ...], decode: Decode) -> Any:
        if not self.single_connection_client:
            return await super()._answer(args, decode)
        argv = self._encoder.pack(args)[1]
        self._turn = self._turn or asyncio.Lock()
        async with self._turn:
            if self._lease is not None:
                try:
                    return await self._lease.call(argv, decode)
                except (ConnectionError, TimeoutError) as error:
                    self._lease.discard()
                    self._lease = None
                    if error.executed != "no":
                        raise
            self._lease = await self._core.lease()
            return await self._lease.call(argv, decode)

    async def aclose(self, close_connection_pool: Optional[bool] = None) -> None:
        """
        Closes the connections of a pool of its own; with ``close_connection_pool`` also of another.
        Commands under way fail with ClientClosedError. As in redis-py, the next command connects
        again.
        """
        lease, self._lease, self._turn = self._lease, None, None
        if lease is not None:
            lease.close()
        if close_connection_pool or (
            close_connection_pool is None and self.auto_close_connection_pool
        ):
            await self.connection_pool.aclose()


StrictRedis = Redis
