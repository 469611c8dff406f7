"""
The commands as methods: redis-py's names, arguments and results, generated from
spec/surface/python.txt.

Names and values are bytes, str, int or float (see Encoder). "text" is bytes, or str with
decode_responses. Every method raises ResponseError for the server's error, DataError for wrong
arguments before anything is sent, and ConnectionError or TimeoutError; see tendon.exceptions. In a
pipeline every method queues its command and returns the pipeline.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tendon.commands._arguments import BitFieldOperation, HashDataPersistOptions, list_of
from tendon.commands._missing import mark_missing
from tendon.commands.core import CoreCommands, RedisClusterCommands
from tendon.typing import KeyT

if TYPE_CHECKING:
    from tendon.asyncio.commands import AsyncCoreCommands, AsyncRedisClusterCommands

__all__ = [
    "AsyncCoreCommands",
    "AsyncRedisClusterCommands",
    "BitFieldOperation",
    "CoreCommands",
    "HashDataPersistOptions",
    "KeyT",
    "RedisClusterCommands",
    "list_of",
    "list_or_args",
]

list_or_args = list_of


def __getattr__(name: str) -> Any:
    if name in ("AsyncCoreCommands", "AsyncRedisClusterCommands"):
        from tendon.asyncio import commands

        return getattr(commands, name)
    raise AttributeError(f"module 'tendon.commands' has no attribute {name!r}")


mark_missing(CoreCommands)
