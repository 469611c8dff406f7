"""MONITOR, for asyncio. tendon/monitor.py is generated from this file."""

from __future__ import annotations

import re
from typing import Any, AsyncIterator, Dict, Optional

from tendon._events import Gap
from tendon._texts import as_text
from tendon.asyncio._stream import Stream, open_stream
from tendon.exceptions import PubSubError

_LINE = re.compile(r"(\d+\.\d+) \[(\d+) (.*?)\] (.*)", re.DOTALL)
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)


class Monitor:
    """
    Every command that a server runs, as dicts of time, db, client_address, client_port, client_type
    ("tcp", "unix" or "lua") and command. ``async with redis.monitor() as monitor`` begins. It slows
    the server down.
    """

    def __init__(self, core: Any, node: Optional[bytes] = None) -> None:
        self._core, self._node = core, node
        self._stream: Optional[Stream] = None

    async def connect(self) -> None:
        """Begins, if it has not."""
        if self._stream is None:
            self._stream = await open_stream(self._core, self._node)
            await self._stream.request([b"MONITOR"])

    async def __aenter__(self) -> "Monitor":
        await self.connect()
        return self

    async def __aexit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        """Ends it; idempotent."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    async def next_command(self) -> Dict[str, Any]:
        """Waits for the next command; PubSubError when the client was closed."""
        await self.connect()
        stream = self._stream
        while stream is not None:
            line = await stream.next(None)
            if line is None:
                break
            if not isinstance(line, Gap):
                return parsed(as_text(line))
        raise PubSubError("the client of this monitor was closed")

    async def listen(self) -> AsyncIterator[Dict[str, Any]]:
        """All commands, one after the other."""
        while True:
            yield await self.next_command()

    def __del__(self) -> None:
        self.close()


def parsed(line: str) -> Dict[str, Any]:
    """What a line of MONITOR says."""
    found = _LINE.fullmatch(line)
    if found is None:
        raise PubSubError(f"this is not a line of MONITOR: {line!r}")
    moment, database, client, words = found.groups()
    command = " ".join(_WORD.findall(words)).replace('\\"', '"')
    kind = "tcp" if client else "unknown"
    address, _, port = client.rpartition(":")
    if client == "lua":
        kind, address, port = "lua", "lua", ""
    elif client.startswith("unix:"):
        kind, address, port = "unix", "unix", client[5:]
    return {
        "time": float(moment),
        "db": int(database),
        "client_address": address,
        "client_port": port,
        "client_type": kind,
        "command": command,
    }
