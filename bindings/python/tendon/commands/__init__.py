"""
The commands as methods: redis-py's names, arguments and results. One list, to be generated from
spec/commands.

Names and values are bytes, str, int or float (see Encoder). "text" below is bytes, or str with
decode_responses. Every method raises ResponseError for the server's error, DataError for wrong
arguments before anything is sent, and ConnectionError or TimeoutError; see tendon.exceptions. In a
pipeline every method queues its command and returns the pipeline. Shapes are specified in the
redis-py compatibility tables.
"""

from __future__ import annotations

from tendon.commands._arguments import KeyT, list_of
from tendon.commands._missing import mark_missing
from tendon.commands.collections import HashCommands, ListCommands, SetCommands, SortedSetCommands
from tendon.commands.keys import KeyCommands
from tendon.commands.server import ServerCommands

__all__ = ["Commands", "KeyT", "list_of"]


class Commands(
    KeyCommands, HashCommands, ListCommands, SetCommands, SortedSetCommands, ServerCommands
):
    """Every command method."""


mark_missing(Commands)
