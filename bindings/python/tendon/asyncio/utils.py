"""Small conveniences, for asyncio. tendon/utils.py is generated from this file."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, AsyncIterator

#: from tendon._options import get_lib_version
#: from tendon._texts import str_if_bytes
#:
if TYPE_CHECKING:
    from tendon.asyncio.client import Redis
    from tendon.asyncio.pipeline import Pipeline

__all__ = ["from_url", "pipeline"]  # asyncio
#: __all__ = ["from_url", "get_lib_version", "pipeline", "str_if_bytes"]


def from_url(url: str, **kwargs: Any) -> "Redis":
    """
    A client of its own pool from ``redis://``, ``rediss://`` or ``unix://``; see
    ConnectionPool.from_url.
    """
    from tendon.asyncio.client import Redis

    return Redis.from_url(url, **kwargs)


@asynccontextmanager
async def pipeline(redis_obj: "Redis") -> AsyncIterator["Pipeline"]:
    """A pipeline that is executed at the end of the ``async with`` block."""
    pipe = redis_obj.pipeline()
    yield pipe
    await pipe.execute()
