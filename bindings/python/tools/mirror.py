"""
Writes spec/surface/mirror-python.txt: the public names of the installed redis-py.

    python3 -m venv /tmp/mirror && /tmp/mirror/bin/pip install redis==8.1.0
    /tmp/mirror/bin/python bindings/python/tools/mirror.py > spec/surface/mirror-python.txt

First the methods of clients, each with the classes that have it; then those of other classes; then
what the modules offer that users import.
"""

from __future__ import annotations

import importlib
import threading
from typing import Any, Dict, Iterable, List

import redis
import redis.asyncio

CLIENTS = {
    "Redis": redis.Redis,
    "RedisCluster": redis.RedisCluster,
    "asyncio.Redis": redis.asyncio.Redis,
    "asyncio.RedisCluster": redis.asyncio.RedisCluster,
}
CLASSES = """client.Pipeline client.PubSub client.Monitor client.PubSubWorkerThread
cluster.ClusterPipeline cluster.ClusterPubSub cluster.ClusterNode connection.ConnectionPool
connection.BlockingConnectionPool lock.Lock commands.core.Script commands.core.BitFieldOperation
retry.Retry asyncio.client.Pipeline asyncio.client.PubSub asyncio.client.Monitor
asyncio.cluster.ClusterPipeline asyncio.connection.ConnectionPool asyncio.lock.Lock
asyncio.retry.Retry commands.core.AsyncScript""".split()
MODULES = """client cluster connection exceptions backoff retry lock utils crc credentials typing
commands asyncio asyncio.client asyncio.cluster asyncio.connection asyncio.lock asyncio.retry
asyncio.utils""".split()


def public(owner: Any) -> Iterable[str]:
    """Its names but constants, and what a thread has anyway."""
    inherited = set(dir(threading.Thread))
    return [
        name
        for name in dir(owner)
        if not name.startswith("_") and not name.isupper() and name not in inherited
    ]


def defined(module: Any) -> List[str]:
    """What a module is imported for: the classes and functions that it defines itself, or lists."""
    listed = getattr(module, "__all__", None)
    if listed:
        return sorted(listed)
    return [
        name
        for name in public(module)
        if getattr(getattr(module, name), "__module__", "").startswith(module.__name__)
    ]


def main() -> None:
    print(f"# The public names of redis-py {redis.__version__}, written by")
    print("# bindings/python/tools/mirror.py: name, and for clients' methods the classes with it.")
    found: Dict[str, List[str]] = {}
    for label, kind in CLIENTS.items():
        for name in public(kind):
            found.setdefault(name, []).append(label)
    for name in sorted(found):
        print(name, " ".join(found[name]))
    print()
    for path in CLASSES:
        module, _, name = path.rpartition(".")
        owner = getattr(importlib.import_module(f"redis.{module}"), name)
        for member in sorted(set(public(owner)) - found.keys()):
            print(f"{path}.{member}")
    print()
    for name in sorted(redis.__all__):
        print(f"redis:{name}")
    for path in MODULES:
        for name in defined(importlib.import_module(f"redis.{path}")):
            print(f"redis.{path}:{name}")


main()
