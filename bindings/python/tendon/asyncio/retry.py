"""How often and when a command is tried again, for asyncio clients."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any, Awaitable, Callable, TypeVar

from tendon import retry

T = TypeVar("T")


class Retry(retry.Retry):
    """As tendon.retry.Retry; ``call_with_retry`` awaits."""

    async def call_with_retry(  # type: ignore[override]
        self, do: Callable[[], Awaitable[T]], fail: Callable[[Exception], Any]
    ) -> T:
        """
        Returns await do(); on a supported error calls fail(error), waits and tries again, then
        raises it.
        """
        failures = 0
        self._backoff.reset()
        while True:
            try:
                return await do()
            except self._supported_errors as error:
                failures += 1
                told = fail(error)  # type: ignore[arg-type]
                if inspect.isawaitable(told):
                    await told
                if 0 <= self._retries < failures:
                    raise
            await asyncio.sleep(max(0.0, self._backoff.compute(failures)))
