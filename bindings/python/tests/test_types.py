"""mypy --strict on the package, on programs that use it, and on what it must refuse."""

from __future__ import annotations

import os
import subprocess
import tempfile
import unittest
from typing import List

from tests.support import ROOT

MYPY = os.environ.get("TENDON_MYPY", "")

USE = """
import asyncio
import datetime
from typing import List, Optional, Set, Tuple, Union

import tendon as redis
import tendon.asyncio as aredis
from tendon.cluster import ClusterNode, RedisCluster
from tendon.lock import Lock

client = redis.Redis(host="localhost", decode_responses=True)
number: int = client.incr("a")
text: Optional[Union[bytes, str]] = client.get("a")
members: Set[Union[bytes, str]] = client.smembers("s")
done: bool = client.expire("a", datetime.timedelta(seconds=5), nx=True)
when: Tuple[int, int] = client.time()
client.zadd("z", {"a": 1, "b": 2.5})
with client.pipeline() as pipe:
    pipe.incr("a").expire("a", 5)
    pipe.watch("a")
    now = int(pipe.get("a"))
    pipe.multi()
    results: List[object] = pipe.execute()
for name in client.scan_iter("a*"):
    print(name)
lock: Lock = client.lock("l", timeout=5)
with lock:
    pass
cluster = RedisCluster(startup_nodes=[ClusterNode("localhost", 7000)])
cluster.ping(target_nodes=RedisCluster.PRIMARIES)
try:
    client.xadd("s", {"a": 1})
except redis.RedisError as error:
    print(error.executed)


async def main() -> None:
    async with aredis.Redis() as other:
        count: int = await other.incr("a")
        async for key in other.scan_iter():
            print(key, count)
        async with other.pipeline() as pipe:
            await pipe.incr("a").execute()


asyncio.run(main())
"""
REFUSED = """
import tendon

client = tendon.Redis()
text: str = client.incr("a")
client.set("a")
client.expire("a", "soon")
client.no_such_method()
tendon.asyncio.Redis().get("a").decode()
"""


@unittest.skipUnless(MYPY, "TENDON_MYPY is not set; run-tests sets it")
class TypesTest(unittest.TestCase):
    def mypy(self, *words: str) -> List[str]:
        """The errors it finds."""
        package = os.path.join(ROOT, "bindings/python")
        cache = os.path.join(os.path.dirname(MYPY), "..", "cache")
        command = [MYPY, "--strict", "--no-error-summary", "--cache-dir", cache, *words]
        environment = {**os.environ, "MYPYPATH": f"{package}:{ROOT}/examples/python"}
        done = subprocess.run(
            command, cwd=package, env=environment, capture_output=True, text=True, check=False
        )
        self.assertFalse(done.stderr, done.stderr)
        return done.stdout.splitlines()

    def test_the_package(self) -> None:
        self.assertEqual(self.mypy("-p", "tendon"), [])

    def test_the_examples(self) -> None:
        folder = os.path.join(ROOT, "examples/python")
        names = sorted(name for name in os.listdir(folder) if name.endswith(".py"))
        self.assertEqual(self.mypy(*(os.path.join(folder, name) for name in names)), [])

    def program(self, text: str) -> List[str]:
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "program.py")
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            return self.mypy(path)

    def test_programs(self) -> None:
        self.assertEqual(self.program(USE), [])

    def test_what_is_refused(self) -> None:
        found = [line for line in self.program(REFUSED) if "error:" in line]
        self.assertEqual(
            [line.split(":")[1] for line in found], ["5", "6", "7", "8", "9"], "\n".join(found)
        )
