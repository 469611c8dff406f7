"""Connection pools: the options of one server, and the native client that keeps its connections."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple, Type, TypeVar

from tendon._core import Core, Lease
from tendon._encoder import Encoder
from tendon._options import DEFAULTS, resolve
from tendon._url import parse_url
from tendon.exceptions import ConnectionError, TimeoutError
from tendon.retry import Retry

_MAX_CONNECTIONS = 100  # redis-py's default
P = TypeVar("P", bound="BasePool")
_SHOWN = ("host", "port", "path", "db", "client_name")  # in repr(); never a secret


class Connection:
    """
    One connection of a pool, from ``pool.get_connection()`` until ``pool.release(connection)``.

    ``send_command`` sends and waits; ``read_response`` hands out the outcome. A subclass of
    your own cannot run in the core and is refused by the pool.
    """

    def __init__(self, pool: "ConnectionPool") -> None:
        self._pool = pool
        self._lease: Optional[Lease] = pool._core.lease()
        self._outcomes: List[Any] = []

    def send_command(self, *args: Any, **_: Any) -> None:
        encoder = self._pool.get_encoder()
        name, argv = encoder.pack(args)
        if self._lease is None:
            self._lease = self._pool._core.lease()
        try:
            self._outcomes.append(self._lease.call(argv, encoder.decoder, name.blocking))
        except (ConnectionError, TimeoutError):
            self.disconnect()
            raise
        except Exception as error:
            self._outcomes.append(error)

    def read_response(self, **_: Any) -> Any:
        outcome = self._outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def disconnect(self, *_: Any) -> None:
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


class BasePool:
    """What blocking and asyncio pools have in common: the options, and everything but waiting."""

    _wait_ms = 0
    _classes: Tuple[type, type, type]  # plain, TLS, Unix socket
    _core_class: Any

    def __init__(
        self,
        connection_class: Any = None,
        max_connections: Optional[int] = None,
        cache_factory: Any = None,
        maint_notifications_config: Any = None,
        **connection_kwargs: Any,
    ) -> None:
        connection_class = connection_class or self._classes[0]
        limit = max_connections or _MAX_CONNECTIONS
        if not isinstance(limit, int) or isinstance(limit, bool) or limit < 0:
            raise ValueError('"max_connections" must be a positive integer')
        if connection_class not in self._classes:
            raise TypeError(
                f"connection_class: {connection_class!r} is not one of "
                f"{[kind.__name__ for kind in self._classes]}"
            )
        self.connection_class = connection_class
        self.connection_kwargs: Dict[str, Any] = connection_kwargs
        self.max_connections = limit
        if connection_class is self._classes[1]:
            connection_kwargs = {**connection_kwargs, "ssl": True}
        options = resolve(f"{type(self).__name__}()", connection_kwargs)
        options.core.setdefault("pool_max", str(limit))
        options.core.setdefault("pool_wait_ms", str(self._wait_ms))
        self._shapes = options.shapes
        self._core = self._core_class(options)
        self._encoder: Encoder = self._core.encoder

    @classmethod
    def from_url(cls: Type[P], url: str, **kwargs: Any) -> P:
        """
        A pool from ``redis://[[user]:password@]host[:port][/db][?option=value]``,
        ``rediss://`` for TLS or ``unix://[[user]:password@]/path[?db=n]``. The URL wins
        over ``kwargs``. Raises ValueError.
        """
        found = parse_url(url)
        if found.pop("ssl", False):
            kwargs["connection_class"] = cls._classes[1]
        elif "path" in found:
            kwargs["connection_class"] = cls._classes[2]
        kwargs.update(found)
        return cls(**kwargs)

    @property
    def pid(self) -> int:
        return int(self._core.pid)

    def get_encoder(self) -> Encoder:
        return self._encoder

    def get_protocol(self) -> Any:
        return self.connection_kwargs.get("protocol")

    def owns_connection(self, connection: Any) -> bool:
        return connection._pool is self

    def set_retry(self, retry: Retry) -> None:
        raise NotImplementedError(
            "the core's options are fixed once made; pass retry to the pool's constructor"
        )

    def disconnect_free_connections(self) -> Any:
        """Closes the connections that nobody uses."""
        return self.disconnect(inuse_connections=False)

    def disconnect(self, inuse_connections: bool = True) -> Any:
        raise NotImplementedError

    def stats(self) -> Dict[str, int]:
        """The core's counters and gauges (include/tendon/stats.h); only tendon has this method."""
        found: Dict[str, int] = self._core.stats()
        return found

    def _shown(self) -> str:
        values = {**DEFAULTS, **self.connection_kwargs}
        return ",".join(f"{name}={values[name]}" for name in _SHOWN if values[name] is not None)

    def __repr__(self) -> str:
        kind, inner = type(self), self.connection_class
        shown = f"<{inner.__module__}.{inner.__name__}({self._shown()})>"
        return f"<{kind.__module__}.{kind.__name__}({shown})>"


class ConnectionPool(BasePool):
    """
    The connections to one server, shared by any number of clients and threads.

    Takes redis-py's connection options (see _options.DEFAULTS) and, beyond redis-py,
    ``ssl=True`` and ``tendon_options`` (a dict of the core's own options, docs/options.md).
    Names and values are checked at once: TypeError for an unknown name, ConfigurationError (a
    ValueError) for a wrong value. Nothing connects before the first command. Ordinary commands
    share pipelined connections; watching pipelines and blocking commands borrow one of
    ``max_connections``.
    """

    _classes = (Connection, SSLConnection, UnixDomainSocketConnection)
    _core_class = Core
    _core: Core

    def get_connection(self, *_: Any, **__: Any) -> Connection:
        """
        Borrows a connection; raises MaxConnectionsError when all are lent, or what
        connecting raises.
        """
        found: Connection = self.connection_class(self)
        return found

    def release(self, connection: Connection) -> None:
        """Gives a connection back; state left on it is reset before anybody else gets it."""
        connection._give_back()

    def disconnect(self, inuse_connections: bool = True) -> None:
        """
        Closes the connections, idle ones alone without ``inuse_connections``; the next
        command connects.
        """
        if inuse_connections:
            self._core.close()
        else:
            self._core.disconnect()

    def close(self) -> None:
        """
        Closes the connections; commands under way fail with ClientClosedError. The pool
        stays usable.
        """
        self._core.close()

    reset = close

    def __enter__(self) -> "ConnectionPool":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()


def wait_ms(timeout: Optional[float]) -> int:
    """How long a BlockingConnectionPool waits, as the core has it."""
    return -1 if timeout is None else max(0, round(timeout * 1000))


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
        self._wait_ms = wait_ms(timeout)
        super().__init__(connection_class, max_connections, **connection_kwargs)
