"""Connections and their pools, for asyncio. tendon/connection.py is generated from this file."""

from __future__ import annotations

from typing import Any, List, Optional, Type

from tendon._pool import BasePool
from tendon._url import parse_url
from tendon.asyncio._core import AsyncCore, Lease
from tendon.exceptions import ConnectionError, TimeoutError

__all__ = [
    "BlockingConnectionPool",
    "Connection",
    "ConnectionPool",
    "SSLConnection",
    "UnixDomainSocketConnection",
    "parse_url",
]


class Connection:
    """
    One connection of a pool, from ``await pool.get_connection()`` until ``await
    pool.release(connection)``. ``send_command`` sends and waits; ``read_response`` hands out the
    outcome. A subclass of your own cannot run in the core and is refused by the pool.
    """

    def __init__(self, pool: "ConnectionPool") -> None:
        self._pool = pool
        self._lease: Optional[Lease] = None
        self._outcomes: List[Any] = []

    async def connect(self) -> None:
        """Borrows a connection if there is none, as send_command does by itself."""
        if self._lease is None:
            self._lease = await self._pool._core.lease()

    async def send_command(self, *args: Any, **_: Any) -> None:
        encoder = self._pool.get_encoder()
        name, argv = encoder.pack(args)
        await self.connect()
        assert self._lease is not None
        try:
            self._outcomes.append(await self._lease.call(argv, encoder.decoder, name.blocking))
        except (ConnectionError, TimeoutError):
            await self.disconnect()
            raise
        except Exception as error:
            self._outcomes.append(error)

    async def read_response(self, **_: Any) -> Any:
        outcome = self._outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def disconnect(self, *_: Any, **__: Any) -> None:
        """Closes the connection; the next command opens another."""
        lease, self._lease = self._lease, None
        if lease is not None:
            lease.discard()

    def _give_back(self) -> None:
        lease, self._lease = self._lease, None
        if lease is not None:
            lease.close()

    def __repr__(self) -> str:
        return f"<{type(self).__module__}.{type(self).__name__}({self._pool._shown()})>"


class SSLConnection(Connection):
    """Marks a pool as TLS: ``ConnectionPool(connection_class=SSLConnection, ssl_ca_certs=...)``."""


class UnixDomainSocketConnection(Connection):
    """Marks a pool as using the Unix socket ``path``."""


class ConnectionPool(BasePool):
    """
    The connections to one server, shared by any number of clients, threads and event loops.

    Takes redis-py's connection options (spec/options/python.txt) and, beyond redis-py,
    ``ssl=True`` and ``tendon_options`` (a dict of the core's own options, docs/options.md). Names
    and values are checked at once: TypeError for an unknown name, ConfigurationError (a ValueError)
    for a wrong value. Nothing connects before the first command. Ordinary commands share pipelined
    connections; watching pipelines and blocking commands borrow one of ``max_connections``. Each
    event loop has connections of its own; ``await aclose()`` while it runs.
    """

    _classes = (Connection, SSLConnection, UnixDomainSocketConnection)
    _core_class = AsyncCore
    _core: AsyncCore

    async def get_connection(self, *_: Any, **__: Any) -> Connection:
        """
        Borrows a connection; raises MaxConnectionsError when all are lent, or what connecting
        raises.
        """
        connection: Connection = self.connection_class(self)
        await connection.connect()
        return connection

    async def release(self, connection: Connection) -> None:
        """Gives a connection back; state left on it is reset before anybody else gets it."""
        connection._give_back()

    async def disconnect(self, inuse_connections: bool = True) -> None:
        """
        Closes the connections, idle ones alone without ``inuse_connections``; the next command
        connects.
        """
        if inuse_connections:
            self._core.close()
        else:
            self._core.disconnect()

    async def aclose(self) -> None:
        """
        Closes the connections; commands under way fail with ClientClosedError. The pool stays
        usable.
        """
        self._core.close()

    def reset(self) -> None:
        """As aclose, at once."""
        self._core.close()

    async def __aenter__(self) -> "ConnectionPool":
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.aclose()


class BlockingConnectionPool(ConnectionPool):
    """
    A pool that waits up to ``timeout`` seconds (None: as long as the call may) for a free
    connection.
    """

    def __init__(
        self,
        max_connections: int = 50,
        timeout: Optional[float] = 20,
        connection_class: Type[Connection] = Connection,
        queue_class: Any = None,
        **connection_kwargs: Any,
    ) -> None:
        self.timeout = timeout
        self._wait_ms = -1 if timeout is None else max(0, round(timeout * 1000))
        super().__init__(connection_class, max_connections, **connection_kwargs)
