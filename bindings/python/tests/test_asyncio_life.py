"""tendon.asyncio under load: cancelling, closing, fork, several loops, servers that go away."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import subprocess
import sys
import threading
import time
import traceback
import warnings
from typing import Any, List

import tendon
import tendon.asyncio
from tests.support import HOST, ONCE, PATIENCE, PORT, Case, Expendable, server_that, wait_until
from tests.test_asyncio import AsyncCase


def threads() -> int:
    return len(os.listdir("/proc/self/task"))


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


class LoadTest(AsyncCase):
    async def test_five_thousand_tasks_on_few_threads(self) -> None:
        before, most = threads(), 0

        async def work(number: int) -> None:
            nonlocal most
            key = f"py:task:{number}"
            value = f"{number}:" + "x" * (number * 37 % 2000)
            assert await self.r.set(key, value, ex=60) is True
            most = max(most, threads())
            assert await self.r.get(key) == value.encode()
            assert await self.r.echo(value) == value.encode()
            assert await self.r.delete(key) == 1

        await asyncio.gather(*(work(number) for number in range(5000)))
        self.assertLessEqual(most - before, 4, "threads that the clients brought")
        self.assertLessEqual(self.r.stats()["open"], 10)

    async def test_more_than_the_core_takes(self) -> None:
        async with self.make(tendon_options={"max_pending": 100}) as r:
            found = await asyncio.gather(
                *(r.echo(str(n)) for n in range(500)), return_exceptions=True
            )
        refused = [one for one in found if isinstance(one, tendon.RedisError)]
        self.assertEqual(len(refused), 400)
        self.assertEqual(
            {(one.executed, one.status_code) for one in refused}, {("no", "QUEUE_FULL")}
        )
        for number, one in enumerate(found):
            self.assertTrue(one in refused or one == b"%d" % number)

    async def test_600_megabytes(self) -> None:
        big = bytes(600_000_000)
        for use in (
            lambda: self.r.set("py:a", big),
            lambda: self.r.pipeline(transaction=False).set("py:a", big).execute(),
        ):
            with self.fails(tendon.DataError, within=PATIENCE) as it:
                await use()
            self.assertEqual((it.error.executed, it.error.status_code), ("no", "LIMIT"))
        self.assertIs(await self.r.ping(), True)


class CancelTest(AsyncCase):
    async def storm(self, number: int, turns: int) -> None:
        """Cancels about half of its own calls; what is answered must be its own."""
        chance = random.Random(number)
        for turn in range(turns):
            value = f"{number}:{turn}"
            task = asyncio.ensure_future(self.one(chance, value))
            for _ in range(chance.randrange(6)):
                await asyncio.sleep(0)
            if chance.random() < 0.5:
                task.cancel()
            try:
                found = await task
            except asyncio.CancelledError:
                self.cancelled += 1
            else:
                self.answered += 1
                if found != value.encode():
                    self.mixed.append(f"{value} got {found!r}")

    async def one(self, chance: random.Random, value: str) -> Any:
        kind = chance.randrange(4)
        if kind == 0:
            self.begun += 1
            await self.r.incr("py:storm")
            self.counted += 1
        if kind == 1:
            results = (
                await self.r.pipeline(chance.random() < 0.5).echo(value).incr("py:n").execute()
            )
            return results[0]
        if kind == 2:
            async with self.r.pipeline() as pipe:
                await pipe.watch(f"py:w{value}")
                return await pipe.echo(value)
        return await self.r.echo(value)

    async def test_a_storm(self) -> None:
        self.cancelled = self.answered = self.begun = self.counted = 0
        self.mixed: List[str] = []
        await asyncio.gather(*(self.storm(number, 60) for number in range(100)))
        self.assertEqual(self.mixed, [])
        self.assertGreater(self.cancelled, 500)
        self.assertGreater(self.answered, 500)
        total = int(await self.r.get("py:storm") or 0)
        self.assertTrue(self.counted <= total <= self.begun, (self.counted, total, self.begun))
        stats = self.r.stats()
        self.assertEqual((stats["pending"], stats["leased"], stats["waiting"]), (0, 0, 0))

    async def test_before_it_was_sent(self) -> None:
        await self.r.ping()
        task = asyncio.create_task(self.r.set("py:a", "task"))
        task.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await task
        calls: List[Any] = [self.r.set("py:a", f"{number}") for number in range(4)]
        for call in calls:
            call.send(None)
        for call in calls[:3]:
            call.close()
        await asyncio.sleep(0.05)
        self.assertEqual(await self.r.get("py:a"), b"3", "the others were left out")
        calls[3].close()

    async def test_timeouts_of_asyncio(self) -> None:
        began = time.monotonic()
        with self.assertRaises(asyncio.TimeoutError):
            await asyncio.wait_for(self.r.blpop("py:none", 2 * PATIENCE), 0.1)
        self.assertLess(time.monotonic() - began, PATIENCE)
        self.assertIs(await self.r.ping(), True)
        await self.r.rpush("py:none", "x")
        await asyncio.sleep(0.1)
        self.assertEqual(await self.r.llen("py:none"), 1, "nobody waits for it any more")

    async def test_borrowing(self) -> None:
        pool = tendon.asyncio.BlockingConnectionPool(
            host=HOST, port=PORT, max_connections=1, timeout=30
        )
        connection = await pool.get_connection()
        others = [asyncio.create_task(pool.get_connection()) for _ in range(3)]
        await asyncio.sleep(0.05)
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await pool.release(connection)
        again = await asyncio.wait_for(pool.get_connection(), PATIENCE)
        await pool.release(again)
        self.assertEqual(pool.stats()["leased"], 0)
        await pool.aclose()


class CloseTest(AsyncCase):
    async def test_with_requests_in_flight(self) -> None:
        with Expendable() as server:
            r = self.make("expendable")
            await r.ping()
            server.freeze()  # so that no answer comes before the end
            tasks = [asyncio.create_task(r.blpop("py:none", 30)) for _ in range(20)]
            tasks += [asyncio.create_task(r.get("py:a")) for _ in range(200)]
            for _ in range(3):
                await asyncio.sleep(0)
            late = asyncio.create_task(r.get("py:a"))
            await asyncio.sleep(0)
            await r.aclose()
            ended = asyncio.gather(*tasks, late, return_exceptions=True)
            found = await asyncio.wait_for(ended, PATIENCE)
            self.assertEqual({type(one) for one in found}, {tendon.ClientClosedError})
            self.assertEqual({one.executed for one in found}, {"no", "unknown"})
            server.thaw()
            self.assertIs(await r.ping(), True, "connects again")
            await r.aclose()

    async def test_watching_pipelines(self) -> None:
        pipe = self.r.pipeline()
        await pipe.watch("py:a")
        await self.r.aclose()
        pipe.multi()
        pipe.set("py:a", 1)
        with self.fails(tendon.WatchError, "closed"):
            await pipe.execute()
        await pipe.reset()

    async def test_many_clients_leave_nothing(self) -> None:
        async def use() -> None:
            async with self.make() as r:
                await r.ping()
                await r.pipeline().get("py:a").execute()

        await use()
        before = descriptors()
        await asyncio.gather(*(use() for _ in range(20)))
        wait_until(lambda: descriptors() <= before)  # a thread may still be looking a name up


class LoopTest(Case):
    def make(self) -> tendon.asyncio.Redis:
        return tendon.asyncio.Redis(host=HOST, port=PORT)

    def test_one_client_in_one_loop_after_the_other(self) -> None:
        r, before = self.make(), descriptors()
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            for number in range(5):
                self.assertTrue(asyncio.run(r.set("py:a", number)))
                self.assertEqual(asyncio.run(r.get("py:a")), b"%d" % number)
            self.assertLess(descriptors() - before, 8, "what closed loops left is freed")
            asyncio.run(r.aclose())
        self.assertEqual({one.category for one in told}, {ResourceWarning})
        gc.collect()
        wait_until(lambda: descriptors() <= before)

    def test_a_loop_that_was_closed_early(self) -> None:
        before = descriptors()
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            loop, r = asyncio.new_event_loop(), self.make()

            async def begin() -> Any:
                return [asyncio.ensure_future(r.blpop("py:none", 30)), await r.ping()]

            waiting = loop.run_until_complete(begin())
            loop.close()
            del waiting, loop, begin
            r = None
            gc.collect()
        self.assertIn(ResourceWarning, {one.category for one in told})
        wait_until(lambda: descriptors() <= before)

    def test_a_closed_client_says_nothing(self) -> None:
        async def use() -> None:
            async with self.make() as r:
                await asyncio.gather(*(r.ping() for _ in range(10)))

        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            asyncio.run(use())
            gc.collect()
        self.assertEqual([str(one.message) for one in told], [])

    def in_loops(self, count: int, work: Any) -> List[BaseException]:
        failures: List[BaseException] = []

        def run(number: int) -> None:
            try:
                asyncio.run(work(number))
            except BaseException as error:
                traceback.print_exc()
                failures.append(error)

        runners = [threading.Thread(target=run, args=(number,)) for number in range(count)]
        for runner in runners:
            runner.start()
        for runner in runners:
            runner.join(2 * PATIENCE)
        self.assertFalse(any(runner.is_alive() for runner in runners))
        return failures

    def test_one_client_in_loops_of_several_threads(self) -> None:
        shared, done = self.make(), threading.Barrier(3)

        async def work(number: int) -> None:
            async def ask(turn: int) -> None:
                value = f"{number}:{turn}"
                for _ in range(10):
                    assert await shared.echo(value) == value.encode()
                found = await shared.pipeline(turn % 2 == 0).echo(value).execute()
                assert found == [value.encode()]

            await asyncio.gather(*(ask(turn) for turn in range(100)))
            while done.n_waiting + 1 < done.parties and not number:
                await asyncio.sleep(0.01)
            done.wait(30) if number else await shared.aclose()
            if not number:
                done.wait(30)

        self.assertEqual(self.in_loops(3, work), [])
        asyncio.run(shared.aclose())

    def test_a_client_of_its_own_in_each_thread(self) -> None:
        async def work(number: int) -> None:
            async with self.make() as r:
                values = [f"{number}:{turn}" for turn in range(500)]
                found = await asyncio.gather(*(r.echo(value) for value in values))
                assert found == [value.encode() for value in values]

        self.assertEqual(self.in_loops(4, work), [])

    def test_without_a_loop(self) -> None:
        r = self.make()
        call = r.ping()
        with self.fails(RuntimeError, "no running event loop"):
            call.send(None)  # type: ignore[attr-defined]
        self.assertIs(asyncio.run(self.pinged(r)), True)

    async def pinged(self, r: Any) -> Any:
        async with r:
            return await r.ping()

    def test_other_loops(self) -> None:
        try:
            import uvloop
        except ImportError:
            self.skipTest("uvloop is not installed")
        loop = uvloop.new_event_loop()
        try:
            self.assertIs(loop.run_until_complete(self.pinged(self.make())), True)
        finally:
            loop.close()


class ForkTest(AsyncCase):
    async def test_in_a_running_loop(self) -> None:
        parent = await self.r.client_id()
        busy = [asyncio.create_task(self.r.blpop("py:list", 30)) for _ in range(3)]
        await asyncio.sleep(0.05)
        child = os.fork()
        if child == 0:
            try:

                async def use() -> None:
                    assert await self.r.client_id() != parent
                    assert await self.r.set("py:child", "done")
                    assert await self.r.pipeline().get("py:child").execute() == [b"done"]
                    await self.r.aclose()

                asyncio.run(use())
                os._exit(0)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
        status = (await asyncio.to_thread(os.waitpid, child, 0))[1]
        self.assertEqual(os.waitstatus_to_exitcode(status), 0)
        self.assertEqual(
            (await self.r.get("py:child"), await self.r.client_id()), (b"done", parent)
        )
        await self.r.rpush("py:list", 1, 2, 3)
        found = await asyncio.wait_for(asyncio.gather(*busy), PATIENCE)
        self.assertEqual(sorted(value for _, value in found), [b"1", b"2", b"3"])


class ExitTest(Case):
    def run_program(self, body: str, *options: str) -> "subprocess.CompletedProcess[str]":
        program = f"import asyncio, sys, tendon.asyncio\nPORT = {PORT}\n{body}"
        return subprocess.run(
            [sys.executable, *options, "-c", program],
            capture_output=True,
            text=True,
            timeout=2 * PATIENCE,
        )

    def test_with_requests_in_flight(self) -> None:
        done = self.run_program(
            """
async def main():
    r = tendon.asyncio.Redis(port=PORT)
    waiting = [asyncio.ensure_future(r.blpop("py:none", 30)) for _ in range(50)]
    await asyncio.sleep(0.1)
    sys.exit(3)
asyncio.run(main())
"""
        )
        self.assertEqual((done.returncode, done.stderr), (3, ""))

    def test_a_client_of_the_module(self) -> None:
        for helper_of_cycles in ("", "cycle = [r]; cycle.append(cycle)\n"):
            done = self.run_program(
                "r = tendon.asyncio.Redis(port=PORT)\nprint(asyncio.run(r.ping()))\n"
                "loop = asyncio.new_event_loop()\nprint(loop.run_until_complete(r.ping()))\n"
                + helper_of_cycles
            )
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "True\nTrue\n", ""))


class OutageTest(AsyncCase):
    async def test_own_answers_through_an_outage(self) -> None:
        with Expendable() as server:
            r = tendon.asyncio.Redis(port=server.port, retry=ONCE, socket_timeout=1)
            wrong: List[str] = []
            stop, answers, errors = False, 0, 0

            async def work(number: int) -> None:
                nonlocal answers, errors
                while not stop:
                    try:
                        found = await r.echo(f"{number}")
                        answers += 1
                        if found != b"%d" % number:
                            wrong.append(f"{number} got {found!r}")
                    except tendon.RedisError:
                        errors += 1
                        await asyncio.sleep(0.02)

            tasks = [asyncio.create_task(work(number)) for number in range(100)]
            for _ in range(2):
                await asyncio.sleep(0.2)
                await asyncio.to_thread(server.kill)
                await asyncio.sleep(0.2)
                await asyncio.to_thread(server.start)
            seen = answers
            deadline = time.monotonic() + PATIENCE
            while answers <= seen + 1000 and time.monotonic() < deadline:
                await asyncio.sleep(0.02)
            stop = True
            await asyncio.wait_for(asyncio.gather(*tasks), PATIENCE)
            self.assertEqual(wrong, [])
            self.assertGreater(answers, seen + 1000, "works again")
            self.assertGreater(errors, 0)
            await r.aclose()

    async def test_retries_bridge_a_restart(self) -> None:
        with Expendable() as server:
            async with tendon.asyncio.Redis(port=server.port) as r:
                await r.set("py:a", 1)
                await asyncio.to_thread(server.kill)
                starting = asyncio.create_task(asyncio.to_thread(server.start))
                self.assertIs(await r.set("py:a", 2), True, "waited and tried again by itself")
                await starting

    async def test_deadlines(self) -> None:
        with Expendable() as server:
            options: Any = {"port": server.port, "retry": ONCE, "socket_timeout": 1}
            async with tendon.asyncio.Redis(**options) as r:
                await r.set("py:a", "before")
                server.freeze()
                began = time.monotonic()
                found = await asyncio.gather(
                    r.get("py:a"), *(r.incr("py:n") for _ in range(50)), return_exceptions=True
                )
                self.assertLess(time.monotonic() - began, PATIENCE)
                self.assertEqual({type(one) for one in found}, {tendon.TimeoutError})
                self.assertEqual({one.executed for one in found[1:]}, {"unknown"})
                server.thaw()
                await asyncio.to_thread(wait_until, server.answers)
                for number in range(50):
                    try:
                        self.assertEqual(await r.echo(str(number)), b"%d" % number)
                    except tendon.RedisError:  # the connection is found dead on the way
                        await asyncio.sleep(0.02)

    async def test_a_server_that_talks_nonsense(self) -> None:
        def nonsense(peer: Any) -> None:
            peer.recv(1000)
            peer.sendall(b"?what\r\n")

        with server_that(nonsense) as port:
            async with tendon.asyncio.Redis(port=port, retry=ONCE) as r:
                found = await asyncio.gather(*(r.ping() for _ in range(10)), return_exceptions=True)
                self.assertEqual({type(one) for one in found}, {tendon.exceptions.InvalidResponse})
