"""Small conveniences beside the clients."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Iterator

from tendon._options import __version__

if TYPE_CHECKING:
    from tendon.client import Redis
    from tendon.pipeline import Pipeline


def from_url(url: str, **kwargs: Any) -> "Redis":
    """
    A client of its own pool from ``redis://``, ``rediss://`` or ``unix://``; see
    ConnectionPool.from_url.
    """
    from tendon.client import Redis

    return Redis.from_url(url, **kwargs)


def str_if_bytes(value: Any) -> str:
    """bytes as text; anything else as str() has it."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def get_lib_version() -> str:
    return __version__


@contextmanager
def pipeline(redis_obj: "Redis") -> Iterator["Pipeline"]:
    """A pipeline that is executed at the end of the ``with`` block."""
    pipe = redis_obj.pipeline()
    yield pipe
    pipe.execute()
