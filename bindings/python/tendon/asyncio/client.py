"""Redis, for asyncio: the client of one server. tendon/client.py is generated from this file."""

from __future__ import annotations

import asyncio
import inspect  # asyncio

#: import time
import warnings
from typing import Any, Callable, List, Optional, Type, Union

#: from tendon._client import BaseRedis, Sending
from tendon._client import BaseRedis  # asyncio
from tendon.asyncio._sending import AsyncSending  # asyncio
from tendon.asyncio.connection import ConnectionPool
from tendon.asyncio.lock import Lock
from tendon.asyncio.monitor import Monitor
from tendon.asyncio.pipeline import Pipeline
from tendon.asyncio.pubsub import PubSub  # asyncio

#: from tendon.pubsub import PubSub, PubSubWorkerThread
from tendon.asyncio.script import AsyncScript
from tendon.exceptions import ConnectionError, RedisError, TimeoutError, WatchError
from tendon.typing import KeyT

__all__ = ["AsyncClient", "Monitor", "Pipeline", "PubSub", "Redis", "StrictRedis"]  # asyncio
#: __all__ = [
#:     "Client", "Monitor", "Pipeline", "PubSub", "PubSubWorkerThread", "Redis", "StrictRedis",
#: ]


class AsyncClient(AsyncSending):
    """What the clients of one server and of a cluster have."""

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
        Watches keys, runs ``await func(pipe)``, executes, and does it again while a watched key
        changes. Returns the results, or what ``func`` gave with ``value_from_callable``.
        """
        async with self.pipeline(True) as pipe:
            while True:
                try:
                    if watches:
                        await pipe.watch(*watches)
                    returned = func(pipe)
                    if inspect.isawaitable(returned):  # asyncio
                        returned = await returned
                    results = await pipe.execute()
                    return returned if value_from_callable else results
                except WatchError:
                    if watch_delay:
                        await asyncio.sleep(watch_delay)


class Redis(BaseRedis, AsyncClient):
    """
    The client of one server; options as in redis-py, times in seconds.

    Any number of threads, or of tasks in any event loop, share it; each loop has connections of its
    own. Never connects before the first command, but in a blocking client with
    ``single_connection_client``. With ``connection_pool`` the pool's options count and all others
    are ignored. ``await aclose()`` or ``async with`` ends it; as in redis-py the next command
    connects again.
    """

    _pool_class = ConnectionPool

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

    async def initialize(self) -> "Redis":  # asyncio
        """With ``single_connection_client`` borrows the connection; the client itself."""
        if self.single_connection_client:
            self._turn = self._turn or asyncio.Lock()
            async with self._turn:
                self._lease = self._lease or await self._core.lease()
        return self

    async def _send(self, argv: List[bytes], decode: Any, blocking: bool) -> Any:
        if not self.single_connection_client:
            return await self._core.call(argv, decode, blocking)
        self._turn = self._turn or asyncio.Lock()  # asyncio
        async with self._turn:
            if self._lease is not None:
                try:
                    return await self._lease.call(argv, decode, blocking)
                except (ConnectionError, TimeoutError) as error:
                    self._lease.discard()
                    self._lease = None
                    if error.executed != "no":
                        raise
            self._lease = await self._core.lease()
            return await self._lease.call(argv, decode, blocking)

    async def aclose(self, close_connection_pool: Optional[bool] = None) -> None:
        """
        Closes the connections of a pool of its own; with ``close_connection_pool`` also of another.
        Commands under way fail with ClientClosedError. As in redis-py, the next command connects
        again.
        """
        self._turn = None  # asyncio
        lease, self._lease = self._lease, None
        if lease is not None:
            lease.close()
        close = close_connection_pool
        if self.auto_close_connection_pool if close is None else close:
            await self.connection_pool.aclose()


StrictRedis = Redis
