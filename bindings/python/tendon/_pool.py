"""What blocking and asyncio pools have in common: the options, and everything but waiting."""

from __future__ import annotations

from typing import Any, Callable, Dict, Optional, Tuple, Type, TypeVar

from tendon._encoder import Encoder
from tendon._keywords import DEFAULTS
from tendon._options import resolve
from tendon._retry import BaseRetry
from tendon._url import parse_url

_MAX_CONNECTIONS = 100  # redis-py's default
P = TypeVar("P", bound="BasePool")
_SHOWN = ("host", "port", "path", "db", "client_name")  # in repr(); never a secret


class BasePool:
    """What blocking and asyncio pools have in common: the options, and everything but waiting."""

    _wait_ms = 0
    _classes: Tuple[type, type, type]  # plain, TLS, Unix socket
    _core_class: Any
    disconnect: Callable[..., Any]

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

    def set_retry(self, retry: BaseRetry) -> None:
        raise NotImplementedError(
            "the core's options are fixed once made; pass retry to the pool's constructor"
        )

    def disconnect_free_connections(self) -> Any:
        """Closes the connections that nobody uses."""
        return self.disconnect(inuse_connections=False)

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
