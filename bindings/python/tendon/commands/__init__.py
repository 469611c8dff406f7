"""
The commands as methods: redis-py's names, arguments and results, generated from
spec/surface/python.txt.

Names and values are bytes, str, int or float (see Encoder). "text" is bytes, or str with
decode_responses. Every method raises ResponseError for the server's error, DataError for wrong
arguments before anything is sent, and ConnectionError or TimeoutError; see tendon.exceptions. In a
pipeline every method queues its command and returns the pipeline.
"""

from __future__ import annotations

from tendon.commands._arguments import BitFieldOperation, HashDataPersistOptions, list_of
from tendon.commands._missing import mark_missing
from tendon.commands.core import CoreCommands, RedisClusterCommands
from tendon.typing import KeyT

__all__ = [
    "BitFieldOperation",
    "CoreCommands",
    "HashDataPersistOptions",
    "KeyT",
    "RedisClusterCommands",
    "list_of",
    "list_or_args",
]

list_or_args = list_of
mark_missing(CoreCommands)
