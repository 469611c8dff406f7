"""PubSub for asyncio."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any, Callable, Optional

from tendon.asyncio._pubsub import BasePubSub

__all__ = ["ClusterPubSub", "PubSub"]


class PubSub(BasePubSub):
    """What ``redis.pubsub()`` gives. Handlers may be coroutine functions. One task at a time."""

    async def _handled(self, handler: Callable[..., Any], given: Any) -> None:
        done = handler(given)
        if inspect.isawaitable(done):
            await done

    async def connect(self) -> None:
        """Opens the connection, if there is none."""
        await self._connected()

    async def run(
        self,
        *,
        exception_handler: Optional[Callable[[BaseException, "PubSub"], Any]] = None,
        poll_timeout: float = 1.0,
    ) -> None:
        """Hands messages to their handlers until its task is cancelled."""
        self._check_handlers()
        await self.connect()
        while True:
            try:
                await self.get_message(ignore_subscribe_messages=True, timeout=poll_timeout)
            except asyncio.CancelledError:
                raise
            except BaseException as error:
                if exception_handler is None:
                    raise
                told = exception_handler(error, self)
                if inspect.isawaitable(told):
                    await told
            await asyncio.sleep(0)  # others may run, however many messages there are

    async def aclose(self) -> None:
        """Closes the connection and forgets what was subscribed; it may be used again."""
        self._end()

    close = reset = aclose

    async def __aenter__(self) -> "PubSub":
        return self

    async def __aexit__(self, *_: Any) -> None:
        self._end()


class ClusterPubSub(PubSub):
    """
    The same for a cluster. Channels and patterns go to the node of the first name's slot, or to
    ``node``; sharded channels to the primaries of their slots, and after them when slots move.
    """

    def __init__(self, redis_cluster: Any, node: Any = None, **kwargs: Any) -> None:
        super().__init__(redis_cluster, **kwargs)
        self.cluster, self.node = redis_cluster, node
        self._node = None if node is None else node.name.encode()

    def get_pubsub_node(self) -> Any:
        """The node that was asked for, else that of the first channel; None before any."""
        if self.node is None and self.channels:
            return self.cluster.get_node_from_key(next(iter(self.channels)))
        return self.node
