"""
tendon for Python: redis-py's interface on libtendon, for ElastiCache, Redis and Valkey.

``import tendon as redis`` is meant to be the whole migration. What differs: DIFFERENCES.md.
"""

from typing import TYPE_CHECKING, Any

from tendon import crc, exceptions
from tendon._native import lib as _lib
from tendon._options import __version__
from tendon.backoff import default_backoff
from tendon.client import Redis, StrictRedis
from tendon.cluster import RedisCluster
from tendon.connection import (
    BlockingConnectionPool,
    Connection,
    ConnectionPool,
    SSLConnection,
    UnixDomainSocketConnection,
)
from tendon.credentials import CredentialProvider, UsernamePasswordCredentialProvider
from tendon.driver_info import DriverInfo
from tendon.exceptions import *  # noqa: F401,F403 - every exception, as redis-py has them here
from tendon.exceptions import __all__ as _exceptions
from tendon.typing import Subscription
from tendon.utils import from_url

if TYPE_CHECKING:
    from tendon import asyncio

VERSION = tuple(int(part) for part in __version__.split("."))


def core_version() -> str:
    """The version of the loaded libtendon and its TLS library."""
    return f"{_lib.tendon_version().decode()} ({_lib.tendon_tls_version().decode()})"


def __getattr__(name: str) -> Any:
    if name == "asyncio":  # a program that blocks need not pay for it
        import tendon.asyncio

        return tendon.asyncio
    raise AttributeError(f"module 'tendon' has no attribute {name!r}")


# fmt: off
__all__ = [
    "BlockingConnectionPool", "Connection", "ConnectionPool", "CredentialProvider", "DriverInfo",
    "Redis", "RedisCluster", "SSLConnection", "StrictRedis", "Subscription",
    "UnixDomainSocketConnection",
    "UsernamePasswordCredentialProvider", "VERSION", "core_version", "crc", "default_backoff",
    "exceptions", "from_url", *_exceptions,
]
# fmt: on
