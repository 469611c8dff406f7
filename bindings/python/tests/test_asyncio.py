"""tendon.asyncio: what only asyncio clients have."""

from __future__ import annotations

import asyncio
import gc
import unittest
import warnings
from typing import Any

import tendon
import tendon.asyncio
from tests.support import HOST, ONCE, PORT, SERVERS, Case, dead_port
from tests.test_cluster import SEED


class AsyncCase(Case, unittest.IsolatedAsyncioTestCase):
    """A test in an event loop, with `self.r` for asyncio beside the blocking `self.redis`."""

    async def asyncSetUp(self) -> None:
        asyncio.get_running_loop().set_debug(False)  # as programs run; it is a lot slower
        self.r = self.make()
        self.addAsyncCleanup(self.r.aclose)

    def make(self, name: str = "standalone", **options: Any) -> tendon.asyncio.Redis:
        server = SERVERS[name]
        return tendon.asyncio.Redis(host=server["host"], port=server["port"], **options)


class AwaitTest(AsyncCase):
    async def test_ways_to_wait(self) -> None:
        r = self.r
        self.assertIs(await r.set("py:a", 1), True)
        self.assertEqual(await asyncio.gather(*(r.incr("py:a") for _ in range(3))), [2, 3, 4])
        task = asyncio.create_task(r.get("py:a"))
        self.assertEqual(await task, b"4")
        self.assertEqual(await asyncio.wait_for(r.get("py:a"), 5), b"4")
        self.assertEqual(await asyncio.shield(r.get("py:a")), b"4")
        done, _ = await asyncio.wait({asyncio.ensure_future(r.get("py:a"))})
        self.assertEqual([one.result() for one in done], [b"4"])
        first = await next(asyncio.as_completed([r.get("py:a")]))
        self.assertEqual(first, b"4")
        self.assertTrue(asyncio.iscoroutine(ping := r.ping()))
        self.assertIs(await ping, True)

    async def test_nothing_is_sent_before_it_is_awaited(self) -> None:
        late = self.r.set("py:a", "late")
        await self.r.set("py:a", "early")
        await asyncio.sleep(0.05)
        self.assertEqual(await self.r.get("py:a"), b"early")
        await late
        self.assertEqual(await self.r.get("py:a"), b"late")

    async def test_what_is_never_awaited_is_told(self) -> None:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            self.r.set("py:a", 1)
            gc.collect()
        self.assertEqual([one.category for one in told], [RuntimeWarning])
        self.assertIn("never awaited", str(told[0].message))
        self.assertIsNone(await self.r.get("py:a"))

    async def test_an_awaitable_serves_once(self) -> None:
        once = self.r.ping()
        await once
        with self.fails(RuntimeError, "already awaited"):
            await once

    async def test_two_tasks_cannot_share_an_awaitable(self) -> None:
        async def wait(one: Any) -> Any:
            return await one

        once = self.r.blpop("py:list", 30)
        first = asyncio.create_task(wait(once))
        await asyncio.sleep(0.05)
        with self.fails(RuntimeError, "await"):
            await asyncio.create_task(wait(once))
        await self.r.rpush("py:list", "x")
        self.assertEqual(await asyncio.wait_for(first, 10), (b"py:list", b"x"))

    async def test_errors_come_where_it_is_awaited(self) -> None:
        wrong = self.r.set("py:a", None)
        with self.fails(tendon.DataError, "NoneType"):
            await wrong
        await self.r.set("py:a", "text")
        with self.fails(tendon.ResponseError, "not an integer") as it:
            await self.r.incr("py:a")
        self.assertEqual(it.error.executed, "unknown")
        with self.fails(tendon.DataError):
            await self.r.execute_command()
        r = self.make(decode_responses=True)
        await r.set("py:a", b"\xff")
        with self.fails(UnicodeDecodeError):
            await r.get("py:a")
        self.assertIs(await r.ping(), True)
        await r.aclose()

    async def test_a_callback_that_raises_hits_its_own_call(self) -> None:
        def callback(reply: Any, **_: Any) -> Any:
            raise ZeroDivisionError(reply)

        self.r.set_response_callback("GET", callback)
        others = [asyncio.create_task(self.r.echo(str(n))) for n in range(10)]
        with self.assertRaises(ZeroDivisionError):
            await self.r.get("py:a")
        self.assertEqual(await asyncio.gather(*others), [b"%d" % n for n in range(10)])

    async def test_values_of_every_size(self) -> None:
        for size in (0, 1, 100, 16384, 1 << 20, 20 << 20):
            value = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
            await self.r.set("py:a", value)
            self.assertTrue(await self.r.get("py:a") == value, size)


class ClientTest(AsyncCase):
    async def test_contexts_are_counted(self) -> None:
        async with self.make() as r:
            first = await r.client_id()
            async with r as same:
                self.assertIs(same, r)
            self.assertEqual(await r.client_id(), first, "the outer block goes on")
        self.assertNotEqual(await r.client_id(), first, "closed, and connected again")
        await r.aclose()
        await r.aclose()
        r = await self.make()
        self.assertIs(await r.ping(), True)
        await r.close()

    async def test_pools(self) -> None:
        pool = tendon.asyncio.ConnectionPool.from_url(f"redis://{HOST}:{PORT}/3?client_name=py-p")
        r = tendon.asyncio.Redis(connection_pool=pool)
        self.assertEqual(await r.client_getname(), "py-p")
        first = await r.client_id()
        await r.aclose()
        self.assertEqual(await r.client_id(), first, "a pool of another is left alone")
        connection = await pool.get_connection()
        await connection.send_command("SELECT", 5)
        self.assertEqual(await connection.read_response(), b"OK")
        await connection.send_command("NOSUCH")
        with self.fails(tendon.ResponseError):
            await connection.read_response()
        await pool.release(connection)
        self.assertIn("ConnectionPool", repr(pool))
        await r.aclose(close_connection_pool=True)
        self.assertNotEqual(await r.client_id(), first)
        await pool.disconnect()
        async with tendon.asyncio.from_url(f"redis://{HOST}:{PORT}") as owner:
            self.assertIs(await owner.ping(), True)

    async def test_a_pool_of_one(self) -> None:
        pool = tendon.asyncio.ConnectionPool(host=HOST, port=PORT, max_connections=1)
        async with tendon.asyncio.Redis.from_pool(pool) as r:
            results = await asyncio.gather(*(r.set(f"py:{n}", n) for n in range(50)))
            self.assertEqual(results, [True] * 50)
            self.assertEqual(pool.stats()["open"], 1)

    async def test_waiting_for_a_connection(self) -> None:
        options = {"host": HOST, "port": PORT, "max_connections": 1}
        async with tendon.asyncio.ConnectionPool(**options) as pool:
            connection = await pool.get_connection()
            with self.fails(tendon.exceptions.MaxConnectionsError):
                await pool.get_connection()
            await pool.release(connection)
        async with tendon.asyncio.BlockingConnectionPool(timeout=10, **options) as pool:
            connection = await pool.get_connection()
            other = asyncio.create_task(pool.get_connection())
            await asyncio.sleep(0.05)
            self.assertFalse(other.done())
            await pool.release(connection)
            await pool.release(await other)
        async with tendon.asyncio.BlockingConnectionPool(timeout=1, **options) as pool:
            connection = await pool.get_connection()
            with self.fails(tendon.ConnectionError):
                await pool.get_connection()
            await pool.release(connection)

    async def test_one_connection(self) -> None:
        async with self.make(single_connection_client=True) as r:
            ids = await asyncio.gather(*(r.client_id() for _ in range(5)))
            self.assertEqual(len(set(ids)), 1)
            async with r.client() as other:
                self.assertNotEqual(await other.client_id(), ids[0])
            await self.r.execute_command("CLIENT", "KILL", "ID", ids[0])
            await asyncio.sleep(0.1)
            self.assertIs(await r.ping(), True, "connected again")

    async def test_blocking_commands_delay_nobody(self) -> None:
        waiting = asyncio.create_task(self.r.blpop("py:list", 20))
        for _ in range(20):
            await self.r.ping()
        self.assertFalse(waiting.done())
        await self.r.rpush("py:list", "x")
        self.assertEqual(await waiting, (b"py:list", b"x"))

    async def test_credentials(self) -> None:
        acl = SERVERS["acl"]

        class Slow(tendon.CredentialProvider):
            asked = 0

            async def get_credentials_async(self) -> Any:
                await asyncio.sleep(0.01)
                Slow.asked += 1
                return acl["username"], acl["password"]

        fast = tendon.UsernamePasswordCredentialProvider(acl["username"], acl["password"])
        for provider in (Slow(), fast):
            async with self.make("acl", credential_provider=provider) as r:
                self.assertIs(await r.ping(), True)
                self.assertEqual(await r.pipeline().echo("x").execute(), [b"x"])
        self.assertEqual(Slow.asked, 1)
        async with self.make("acl", password="wrong", retry=ONCE) as r:
            with self.fails(tendon.AuthenticationError):
                await r.ping()

    async def test_tls(self) -> None:
        async with self.make("tls", ssl=True, ssl_ca_certs=SERVERS["ca_file"]) as r:
            values = await asyncio.gather(*(r.echo(str(n)) for n in range(200)))
        self.assertEqual(values, [b"%d" % n for n in range(200)])

    async def test_options_are_those_of_the_blocking_client(self) -> None:
        with self.fails(TypeError):
            tendon.asyncio.Redis(hots="x")
        with self.fails(TypeError, "did you mean 'socket_timeout'"):
            tendon.asyncio.ConnectionPool(socket_timeot=1)
        with self.fails(tendon.ConfigurationError):
            tendon.asyncio.ConnectionPool(socket_timeout=-1)
        with self.fails(tendon.ConnectionError, "refused"):
            async with tendon.asyncio.Redis(port=dead_port(), retry=ONCE) as r:
                await r.ping()


class PipelineTest(AsyncCase):
    async def test_transaction_tries_again(self) -> None:
        await self.r.set("py:a", 1)
        tries = []

        async def double(pipe: Any) -> str:
            tries.append(int(await pipe.get("py:a")))
            if len(tries) == 1:
                await self.r.set("py:a", 10)
            pipe.multi()
            pipe.set("py:a", tries[-1] * 2)
            return "returned"

        self.assertEqual(await self.r.transaction(double, "py:a"), [True])
        self.assertEqual((tries, await self.r.get("py:a")), ([1, 10], b"20"))
        found = await self.r.transaction(double, "py:a", value_from_callable=True)
        self.assertEqual(found, "returned")
        self.assertEqual(
            await self.r.transaction(lambda pipe: pipe.multi() or pipe.get("py:a"), "py:a"), [b"40"]
        )

    async def test_awaiting_a_queued_command_is_harmless(self) -> None:
        pipe = self.r.pipeline()
        self.assertIs(await pipe.set("py:a", 1), pipe)
        self.assertEqual(await pipe.execute(), [True])

    async def test_watching_tasks_lose_no_increment(self) -> None:
        await self.r.set("py:count", 0)

        async def add(pipe: Any) -> None:
            value = int(await pipe.get("py:count"))
            pipe.multi()
            pipe.set("py:count", value + 1)

        async def work() -> None:
            for _ in range(10):
                await self.r.transaction(add, "py:count")

        await asyncio.gather(*(work() for _ in range(8)))
        self.assertEqual(await self.r.get("py:count"), b"80")

    async def test_cancelled_while_watching(self) -> None:
        async def watch() -> None:
            async with self.r.pipeline() as pipe:
                await pipe.watch("py:a")
                await pipe.blpop("py:none", 30)

        for _ in range(5):
            task = asyncio.create_task(watch())
            while not self.r.stats()["leased"]:
                await asyncio.sleep(0.01)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
        self.assertEqual(self.r.stats()["leased"], 0, "every connection was given back")


class ClusterTest(AsyncCase):
    async def test_transactions(self) -> None:
        async with tendon.asyncio.RedisCluster(**SEED, decode_responses=True) as rc:
            async with rc.pipeline(transaction=True) as pipe:
                pipe.set("py:{t}a", 1).incr("py:{t}a").get("py:{t}b")
                self.assertEqual(await pipe.execute(), [True, 2, None])
                pipe.set("py:a", 1).set("py:b", 1)
                with self.fails(tendon.CrossSlotTransactionError, "same slot"):
                    await pipe.execute()

            async def double(pipe: Any) -> None:
                value = int(await pipe.get("py:{t}a"))
                pipe.multi()
                pipe.set("py:{t}a", value * 2)

            self.assertEqual(await rc.transaction(double, "py:{t}a"), [True])
            self.assertEqual(await rc.get("py:{t}a"), "4")
            await rc.delete("py:{t}a")

    async def test_unreachable(self) -> None:
        quick: Any = {"cluster_error_retry_attempts": 0, "socket_connect_timeout": 2}
        rc = tendon.asyncio.RedisCluster(host="localhost", port=dead_port(), **quick)
        self.assertIn("not connected", repr(rc))
        for use in (rc.initialize, lambda: rc.get("py:a"), rc.pipeline().get("py:a").execute):
            with self.fails(tendon.ClusterUnavailableError, "Redis Cluster cannot be connected"):
                await use()
        await rc.aclose()
        rc = tendon.asyncio.RedisCluster(host="localhost", port=PORT, **quick)
        with self.fails(tendon.ClusterUnavailableError, "cluster support disabled"):
            await rc.ping()
        await rc.aclose()

    async def test_the_first_commands_keep_their_order(self) -> None:
        for _ in range(5):
            async with tendon.asyncio.RedisCluster.from_url(
                f"redis://{SEED['host']}:{SEED['port']}/0"
            ) as rc:
                tasks = [
                    asyncio.create_task(rc.rpush("py:order", number)) for number in range(50)
                ]
                await asyncio.gather(*tasks)
                found = await rc.lrange("py:order", 0, -1)
                self.assertEqual(found, [b"%d" % number for number in range(50)])
                await rc.delete("py:order")

    async def test_many_tasks_begin_at_once(self) -> None:
        async with tendon.asyncio.RedisCluster.from_url(
            f"redis://{SEED['host']}:{SEED['port']}/0"
        ) as rc:
            names = [f"py:{number}" for number in range(300)]
            self.assertEqual(
                await asyncio.gather(*(rc.set(name, name, ex=60) for name in names)), [True] * 300
            )
            found = await asyncio.gather(*(rc.get(name) for name in names))
            self.assertEqual(found, [name.encode() for name in names])
            self.assertEqual(await rc.delete(*names), 300)
