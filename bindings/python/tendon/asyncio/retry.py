"""When a command is tried again, for asyncio. tendon/retry.py is generated from this file."""

from __future__ import annotations

import asyncio
import inspect  # asyncio

#: import time
from typing import Any, Awaitable, Callable, TypeVar  # asyncio
#: from typing import Any, Callable, TypeVar

from tendon._retry import BaseRetry

T = TypeVar("T")


class Retry(BaseRetry):
    """
    ``retries`` more attempts after the first, with the waits of ``backoff``; below 0 means for
    ever.

    Given to a client, it becomes core options: the core retries what was provably not executed, or
    is read-only or idempotent. ``call_with_retry`` is for work of your own.
    """

    async def call_with_retry(
        self,
        do: Callable[[], Awaitable[T]],  # asyncio
        #: do: Callable[[], T],
        fail: Callable[[Exception], Any],
    ) -> T:
        """
        Returns ``await do()``; on a supported error calls fail(error), waits and tries again, then
        raises it.
        """
        failures = 0
        self._backoff.reset()
        while True:
            try:
                return await do()
            except self._supported_errors as error:
                failures += 1
                #: fail(error)  # type: ignore[arg-type]
                told = fail(error)  # type: ignore[arg-type]  # asyncio
                if inspect.isawaitable(told):  # asyncio
                    await told
                if 0 <= self._retries < failures:
                    raise
            await asyncio.sleep(max(0.0, self._backoff.compute(failures)))
