"""Subscriptions and MONITOR with asyncio."""

from __future__ import annotations

import asyncio
import unittest
from typing import Any, List

import tendon
import tendon.asyncio
from tests import support
from tests.support import SERVERS
from tests.test_pubsub import message


def client(**options: Any) -> tendon.asyncio.Redis:
    return tendon.asyncio.Redis(host=support.HOST, port=support.PORT, **options)


def cluster(**options: Any) -> tendon.asyncio.RedisCluster:
    node = SERVERS["cluster"]["nodes"][0]
    return tendon.asyncio.RedisCluster(host=node["host"], port=node["port"], **options)


async def until(done: Any) -> None:
    """Waits until the coroutine function says True."""
    for _ in range(int(support.PATIENCE / 0.02)):
        if await done():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("did not happen")


async def following(pubsub: Any) -> Any:
    return await pubsub.get_message(timeout=support.PATIENCE)


class PubSubTest(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        self.redis = client()
        self.addAsyncCleanup(self.redis.aclose)

    async def test_channels_and_patterns(self) -> None:
        async with self.redis.pubsub() as p:
            await p.subscribe("py:one", b"py:two")
            await p.psubscribe("py:t*")
            self.assertEqual(await following(p), message("subscribe", b"py:one", 1))
            self.assertEqual(await following(p), message("subscribe", b"py:two", 2))
            self.assertEqual(await following(p), message("psubscribe", b"py:t*", 3))
            self.assertEqual(await self.redis.publish("py:two", "hello"), 2)
            self.assertEqual(await following(p), message("message", b"py:two", b"hello"))
            found = await following(p)
            self.assertEqual(found, message("pmessage", b"py:two", b"hello", b"py:t*"))
            self.assertIsNone(await p.get_message())
            self.assertTrue(await p.ping("there?"))
            self.assertEqual(await following(p), message("pong", None, b"there?"))
            await p.unsubscribe()
            await p.punsubscribe()
            kinds = [one["type"] async for one in p.listen()]
            self.assertEqual(kinds, ["unsubscribe", "unsubscribe", "punsubscribe"])

    async def test_a_task_that_listens(self) -> None:
        found: List[Any] = []

        async def listen() -> None:
            async for one in p.listen():
                found.append(one)

        p = self.redis.pubsub(ignore_subscribe_messages=True)
        await p.subscribe("py:one")
        task = asyncio.create_task(listen())
        for number in range(100):
            await self.redis.publish("py:one", number)

        async def all_there() -> bool:
            return len(found) == 100

        await until(all_there)
        self.assertEqual([one["data"] for one in found], [b"%d" % n for n in range(100)])
        task.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await task
        await self.redis.publish("py:one", "kept")
        self.assertEqual((await following(p))["data"], b"kept", "cancelling loses nothing")
        await p.aclose()

    async def test_run(self) -> None:
        found: List[Any] = []

        async def slow(one: Any) -> None:
            await asyncio.sleep(0)
            found.append(one["data"])

        def fails(_: Any) -> None:
            raise ZeroDivisionError

        p = self.redis.pubsub()
        await p.subscribe("py:one")
        with self.assertRaises(tendon.PubSubError):
            await p.run()
        await p.subscribe(**{"py:one": slow, "py:two": fails})
        told: List[Any] = []
        task = asyncio.create_task(p.run(exception_handler=lambda error, _: told.append(error)))
        await self.redis.publish("py:two", "1")
        await self.redis.publish("py:one", "2")

        async def both() -> bool:
            return bool(found and told)

        await until(both)
        self.assertEqual((found, type(told[0])), ([b"2"], ZeroDivisionError))
        task.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await task
        await p.aclose()

    async def test_before_anything_is_subscribed(self) -> None:
        p = self.redis.pubsub()
        with self.assertRaisesRegex(RuntimeError, "did you forget"):
            await p.get_message(timeout=0.1)
        await p.aclose()

    async def test_again_after_a_lost_connection(self) -> None:
        gaps: List[float] = []

        async def note(seconds: float) -> None:
            gaps.append(seconds)

        p = self.redis.pubsub(on_gap=note)
        await p.subscribe("py:lost")
        self.assertEqual((await following(p))["type"], "subscribe")
        await self.redis.client_kill_filter(_type="pubsub", skipme=True)
        self.assertEqual(await following(p), message("subscribe", b"py:lost", 1))

        async def heard() -> bool:
            return bool(await self.redis.publish("py:lost", "back"))

        await until(heard)
        self.assertEqual((await following(p))["data"], b"back")
        self.assertEqual((len(gaps), p.gaps), (1, 1))
        await p.aclose()

    async def test_a_client_that_is_closed(self) -> None:
        p = self.redis.pubsub()
        await p.subscribe("py:one")
        await following(p)
        task = asyncio.create_task(following(p))
        await asyncio.sleep(0)
        await self.redis.aclose()
        self.assertEqual((await task)["type"], "subscribe", "connected again, as in redis-py")
        await p.aclose()

    async def test_refused(self) -> None:
        async with tendon.asyncio.Redis(port=support.dead_port(), retry=support.ONCE) as redis:
            async with redis.pubsub() as p:
                with self.assertRaises(tendon.ConnectionError):
                    await p.subscribe("py:nowhere")
                self.assertFalse(p.subscribed or p.channels)

    async def test_sharded_channels(self) -> None:
        async with cluster() as redis:
            async with redis.pubsub(ignore_subscribe_messages=True) as p:
                names = [f"py:shard:{number}" for number in range(10)]
                await p.ssubscribe(*names)
                for name in names:
                    self.assertEqual(await redis.spublish(name, name), 1)
                found = set()
                while len(found) < 10:
                    one = await following(p)
                    if one is not None:
                        found.add(one["data"].decode())
                self.assertEqual(found, set(names))

    async def test_monitor(self) -> None:
        async with self.redis.monitor() as monitor:
            await self.redis.set("py:monitor", 1)
            async for found in monitor.listen():
                if "py:monitor" in found["command"]:
                    break
        self.assertEqual(found["command"], "SET py:monitor 1")
