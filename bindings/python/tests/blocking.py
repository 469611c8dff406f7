"""
An asyncio client that looks like a blocking one, so that the same tests run through both: each call
is awaited in a loop of its own.
"""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import tendon.asyncio
from tendon._client import BaseClient
from tendon._pipeline import BasePipeline
from tests.support import SERVERS, Case


class Blocking:
    def __init__(self, target: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._target, self._loop = target, loop

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, {"close": "aclose"}.get(name, name))
        if not callable(found):
            return found
        return lambda *args, **options: self._loop.run_until_complete(
            self._call(found, args, options)
        )

    async def _call(self, function: Any, args: Any, options: Any) -> Any:
        found = function(*args, **options)
        if found is self._target:
            return self
        if isinstance(found, (BaseClient, BasePipeline)):
            return Blocking(found, self._loop)
        if hasattr(found, "__aiter__"):
            return [item async for item in found]
        return await found if inspect.isawaitable(found) else found

    def __enter__(self) -> "Blocking":
        self._loop.run_until_complete(self._target.__aenter__())
        return self

    def __exit__(self, *_: Any) -> None:
        self._loop.run_until_complete(self._target.__aexit__())

    def __len__(self) -> int:
        return len(self._target)

    def __bool__(self) -> bool:
        return bool(self._target)

    def __repr__(self) -> str:
        return repr(self._target)


class BlockingCase(Case):
    """Runs the tests it is mixed into through asyncio."""

    def setUp(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.addCleanup(self.loop.close)
        super().setUp()

    def _over(self, made: Any) -> Blocking:
        over = Blocking(made, self.loop)
        self.addCleanup(over.close)
        return over

    def client(self, name: str = "standalone", **options: Any) -> Any:
        server = SERVERS[name]
        return self._over(tendon.asyncio.Redis(host=server["host"], port=server["port"], **options))

    def cluster(self, **options: Any) -> Any:
        return self._over(tendon.asyncio.RedisCluster(**options))
