"""PubSub for asyncio."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any, Callable, Optional

from tendon.asyncio._pubsub import BaseClusterPubSub, BasePubSub

__all__ = ["ClusterPubSub", "PubSub"]


class PubSub(BasePubSub):
    """What ``redis.pubsub()`` gives. Handlers may be coroutine functions. One task at a time."""

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


class ClusterPubSub(BaseClusterPubSub, PubSub):
    """
    The same for a cluster. Channels and patterns go to the node of the first name's slot, or to
    ``node`` (``host`` and ``port``); sharded channels to the primaries of their slots, and after
    them when slots move.
    """
