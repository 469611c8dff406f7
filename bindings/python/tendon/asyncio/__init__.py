"""
tendon for asyncio: redis.asyncio's interface on libtendon, driven by the event loop itself.

``import tendon.asyncio as redis`` is meant to be the whole migration. What differs: DIFFERENCES.md.
"""

from tendon.asyncio.client import Redis, StrictRedis
from tendon.asyncio.cluster import RedisCluster
from tendon.asyncio.connection import (
    BlockingConnectionPool,
    Connection,
    ConnectionPool,
    SSLConnection,
    UnixDomainSocketConnection,
)
from tendon.asyncio.utils import from_url
from tendon.backoff import default_backoff
from tendon.credentials import CredentialProvider, UsernamePasswordCredentialProvider
from tendon.exceptions import *  # noqa: F401,F403 - every exception, as redis-py has them here
from tendon.exceptions import __all__ as _exceptions
from tendon.typing import Subscription

# fmt: off
__all__ = [
    "BlockingConnectionPool", "Connection", "ConnectionPool", "CredentialProvider", "Redis",
    "RedisCluster", "SSLConnection", "StrictRedis", "Subscription", "UnixDomainSocketConnection",
    "UsernamePasswordCredentialProvider", "default_backoff", "from_url", *_exceptions,
]
# fmt: on
