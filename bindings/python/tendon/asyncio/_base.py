"""What command methods call, for asyncio. tendon/commands/_base.py is generated from this file."""

from __future__ import annotations

from typing import Any, AsyncIterator, Awaitable, Callable, Iterable, Tuple  # asyncio
#: from typing import Any, Callable, Iterable, Iterator


class AsyncBase:
    """Clients and pipelines say how commands are sent."""

    def execute_command(self, *args: Any, **options: Any) -> Awaitable[Any]:
        raise NotImplementedError

    async def _scanned(
        self,
        step: Callable[[int], Awaitable[Tuple[int, Any]]],  # asyncio
        #: step: Callable[[int], Any],
        each: Callable[[Any], Iterable[Any]] = iter,
    ) -> AsyncIterator[Any]:
        """
        All elements of a SCAN-like command: ``step`` takes a cursor, ``each`` the elements of one
        step.
        """
        cursor, found = await step(0)
        for element in each(found):
            yield element
        while cursor:
            cursor, found = await step(cursor)
            for element in each(found):
                yield element
