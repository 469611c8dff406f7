"""What clients have in common, and how blocking ones send; asyncio/_sending.py is the other way."""

from __future__ import annotations

import threading
from typing import Any, Callable, Dict, List, Optional, Tuple, Type, TypeVar

from tendon._core import Core, Lease, not_at_once
from tendon._encoder import Encoder
from tendon._keywords import RedisKeywords
from tendon._options import default_retry
from tendon._retry import BaseRetry
from tendon._shapes import Callbacks
from tendon.commands import CoreCommands
from tendon.exceptions import ConnectionError, ResponseError, TimeoutError

# Options that stay in Python: never results of a command, so no callback may see them.
EMPTY_RESPONSE = "EMPTY_RESPONSE"
NEVER_DECODE = "NEVER_DECODE"
C = TypeVar("C", bound="Sending")
R = TypeVar("R", bound="BaseRedis")


class BaseClient:
    """What blocking and asyncio clients have: a core, an encoder, callbacks."""

    _core: Any
    _encoder: Encoder
    response_callbacks: Callbacks

    def set_response_callback(self, command: str, callback: Callable[..., Any]) -> None:
        """``callback(reply, **options)`` makes the result of ``command`` from now on."""
        self.response_callbacks[command] = callback

    def get_encoder(self) -> Encoder:
        return self._encoder

    def stats(self) -> Dict[str, int]:
        """The core's counters and gauges (include/tendon/stats.h); only tendon has this method."""
        found: Dict[str, int] = self._core.stats()
        return found


class BaseRedis(RedisKeywords, BaseClient):
    """What the blocking and the asyncio client of one server have in common."""

    _pool_class: Any
    _begin: Callable[[bool], None]  # sets up what only blocking or only asyncio clients have

    def _set_up(self, given: Dict[str, Any]) -> None:
        """What the constructor does with its arguments."""
        single, pool = given.pop("single_connection_client"), given.pop("connection_pool")
        limit = given.pop("max_connections")
        self.single_connection_client = single
        self.auto_close_connection_pool = pool is None
        self.connection_pool = _own_pool(self._pool_class, given, limit) if pool is None else pool
        self._core, self._encoder = self.connection_pool._core, self.connection_pool.get_encoder()
        self.response_callbacks = Callbacks(self.connection_pool._shapes)
        self._begin(single)

    @classmethod
    def from_url(
        cls: Type[R], url: str, single_connection_client: bool = False, **kwargs: Any
    ) -> R:
        """A client with a pool of its own from a URL; see ConnectionPool.from_url."""
        return cls.from_pool(cls._pool_class.from_url(url, **kwargs), single_connection_client)

    @classmethod
    def from_pool(cls: Type[R], connection_pool: Any, single_connection_client: bool = False) -> R:
        """A client that owns ``connection_pool``: close() closes it."""
        client = cls(
            connection_pool=connection_pool, single_connection_client=single_connection_client
        )
        client.auto_close_connection_pool = True
        return client

    def get_connection_kwargs(self) -> Dict[str, Any]:
        found: Dict[str, Any] = self.connection_pool.connection_kwargs
        return found

    def get_retry(self) -> Optional[BaseRetry]:
        return self.get_connection_kwargs().get("retry")

    def set_retry(self, retry: BaseRetry) -> None:
        self.connection_pool.set_retry(retry)

    def __repr__(self) -> str:
        return f"<{type(self).__module__}.{type(self).__name__}({self.connection_pool!r})>"


class Sending(BaseClient, CoreCommands):
    """How blocking clients send, and dict-like access to keys."""

    _core: Core
    _at_once: Callable[[Any, Tuple[Any, ...]], Any]  # Core.call_at_once, if that may be used
    _lease: Optional[Lease] = None  # with single_connection_client, guarded by _turn
    _turn: Any = None

    def _begin(self, single: bool) -> None:
        self._turn = threading.RLock() if single else None
        self._at_once = self._at_once_on_lease if single else self._core.call_at_once
        self._lease = self._core.lease() if single else None

    def _send(self, argv: List[bytes], decode: Any, blocking: bool) -> Any:
        return self._core.call(argv, decode, blocking)

    def _at_once_on_lease(self, callbacks: Any, command: Tuple[Any, ...]) -> Any:
        with self._turn:
            lease = self._lease
            if lease is None:
                return NotImplemented
            try:
                return lease.at_once(callbacks, command)
            except (ConnectionError, TimeoutError) as error:
                if lease.works:  # so a callback has raised it
                    raise
                lease.discard()
                self._lease = None
                if error.executed != "no":
                    raise
        return NotImplemented

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """
        Runs any command of the server: ``execute_command("GET", "key")``, ``("CLIENT
        LIST")``. The result has redis-py's type where the command (the first argument) has
        one, else it comes as the server sent it. Raises ResponseError, ConnectionError,
        TimeoutError, DataError.
        """
        if not options:
            value = self._at_once(self.response_callbacks, args)
            if value is not NotImplemented:
                return value
        name, argv = self._encoder.pack(args)
        callback = self.response_callbacks.get(name.capitals)
        if not options:
            value = self._send(argv, self._encoder.decoder, name.blocking)
            return value if callback is None else callback(value)
        decode = None if options.pop(NEVER_DECODE, False) else self._encoder.decoder
        try:
            value = self._send(argv, decode, name.blocking)
        except ResponseError:
            if EMPTY_RESPONSE in options:
                return options[EMPTY_RESPONSE]
            raise
        options.pop(EMPTY_RESPONSE, None)
        return value if callback is None else callback(value, **options)

    def close(self) -> None:
        raise NotImplementedError

    def __enter__(self: C) -> C:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __getitem__(self, name: Any) -> Any:
        value = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def __setitem__(self, name: Any, value: Any) -> None:
        self.set(name, value)

    def __delitem__(self, name: Any) -> None:
        self.delete(name)

    def __contains__(self, name: Any) -> bool:
        return bool(self.exists(name))

    # `in` and [] make Python believe in iteration by index; there is none.
    __iter__ = None


def _own_pool(kind: Any, given: Dict[str, Any], max_connections: Optional[int]) -> Any:
    """The pool of a Redis() that was given none."""
    connection_class, tls, unix = kind._classes
    path = given.pop("unix_socket_path")
    if path is not None:
        given["path"] = path
        connection_class = unix
    if given.pop("ssl"):
        connection_class = tls
    else:  # as in redis-py, TLS options without ssl=True say nothing
        given = {name: value for name, value in given.items() if not name.startswith("ssl_")}
    if given["retry"] is None:
        given["retry"] = default_retry()
    return kind(connection_class, max_connections, **given)
