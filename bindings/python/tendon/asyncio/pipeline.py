"""Pipelines and transactions, for asyncio. tendon/pipeline.py is generated from this file."""

from __future__ import annotations

from typing import Any, Dict, Generator, List, Optional, Sequence  # asyncio
#: from typing import Any, Dict, List, Optional, Sequence

from tendon._pipeline import BasePipeline
from tendon.asyncio._core import AsyncCore, Lease
from tendon.asyncio.script import load_missing
from tendon.exceptions import ConnectionError, RedisError, TimeoutError


class Pipeline(BasePipeline):
    """
    Every method queues its command and returns the pipeline at once; ``await execute()`` sends all
    and returns the results in order. After ``await watch()`` commands run at once, until
    ``multi()``. One thread or task at a time. ``async with`` gives the watching connection back.
    """

    _core: AsyncCore
    _lease: Optional[Lease]

    async def _run_now(self, first: str, args: Sequence[Any], options: Dict[str, Any]) -> Any:
        name, argv = self._encoder.pack(args)
        if self._lease is None:
            await self._client._prepare()  # asyncio
            key = argv[1] if first == "WATCH" and len(argv) > 1 else None
            self._lease = await self._core.lease(key)
        try:
            value = await self._lease.call(argv, self._encoder.decoder, name.blocking)
        except (ConnectionError, TimeoutError) as error:
            raise self._watch_lost(error) from error
        if first in ("WATCH", "UNWATCH"):
            self.watching = first == "WATCH"
        return self._shape(args, options, value)

    async def watch(self, *names: Any) -> bool:
        """
        Watches keys: execute() fails with WatchError if one changes. Commands run at once, and not
        when execute() is called, until multi().
        """
        if self.explicit_transaction:
            raise RedisError("Cannot issue a WATCH after a MULTI; call watch() first")
        return bool(await self.execute_command("WATCH", *names))

    async def unwatch(self) -> bool:
        """Forgets the watched keys; commands are queued again."""
        return bool(await self.execute_command("UNWATCH")) if self.watching else True

    async def execute(self, raise_on_error: bool = True) -> List[Any]:
        """
        Sends what is queued and returns the results in order. The first error is raised once
        everything is read, or stays in its place with ``raise_on_error=False``. The pipeline is
        empty afterwards.
        """
        stack = self.command_stack
        if not stack and not self.watching:
            return []
        try:
            if self.scripts:
                await load_missing(self._client, self.scripts)
            plan = self._plan(stack)
            if self._lease is None:
                await self._client._prepare()  # asyncio
                values = await self._core.batch(plan)
            else:
                values = await self._lease.batch(plan)
            return self._results(stack, plan, values, raise_on_error)
        finally:
            self._reset()

    def _reset(self) -> None:
        lease, self._lease = self._lease, None
        watching = self.watching
        self._clear()
        if lease is not None:
            lease.end(watching)

    async def reset(self) -> None:
        """Forgets what is queued and gives the watching connection back."""
        self._reset()

    aclose = discard = reset

    def __await__(self) -> Generator[Any, None, "Pipeline"]:  # asyncio
        return self
        yield  # so that awaiting a queued command is harmless, as in redis-py

    async def __aenter__(self) -> "Pipeline":
        return self

    async def __aexit__(self, *_: Any) -> None:
        self._reset()

    #: def __setitem__(self, name: Any, value: Any) -> None:
    #:     self.set(name, value)
    #:
    #: def __delitem__(self, name: Any) -> None:
    #:     self.delete(name)
