"""Threads, fork, closing, Ctrl-C and servers that go away in the middle."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from typing import Any, Callable, List

import tendon
from tests.support import (
    HOST,
    ONCE,
    PATIENCE,
    PORT,
    SOON,
    Case,
    Expendable,
    client,
    dead_port,
    server_that,
    wait_until,
)


def in_threads(count: int, work: Callable[[int], None]) -> List[BaseException]:
    """Runs work(0) … work(count - 1) at once; what they raised."""
    failures: List[BaseException] = []

    def run(number: int) -> None:
        try:
            work(number)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


class ThreadTest(Case):
    def test_fifty_threads_never_mix_values(self) -> None:
        def work(number: int) -> None:
            key = f"py:thread:{number}"
            for turn in range(50):
                value = f"{number}:{turn}:" + "x" * (number * 37 % 3000)
                self.redis.set(key, value)
                assert self.redis.get(key) == value.encode()
                assert self.redis.echo(value) == value.encode()
                results = self.redis.pipeline(turn % 2 == 0).get(key).strlen(key).execute()
                assert results == [value.encode(), len(value)]

        began = time.monotonic()
        self.assertEqual(in_threads(50, work), [])
        self.assertLess(time.monotonic() - began, 180)
        self.assertLessEqual(self.redis.stats()["open"], 100)

    def test_watching_threads_lose_no_increment(self) -> None:
        self.redis.set("py:count", 0)

        def add(pipe: Any) -> None:
            value = int(pipe.get("py:count"))
            pipe.multi()
            pipe.set("py:count", value + 1)

        failures = in_threads(
            8, lambda _: [self.redis.transaction(add, "py:count") for _ in range(10)] and None
        )
        self.assertEqual((failures, self.redis.get("py:count")), ([], b"80"))

    def test_a_pool_of_one_serves_many_threads(self) -> None:
        pool = tendon.ConnectionPool(host=HOST, port=PORT, max_connections=1)
        with tendon.Redis.from_pool(pool) as redis:
            self.assertEqual(
                in_threads(10, lambda n: [redis.set(f"py:{n}", n) for _ in range(50)] and None), []
            )
            self.assertEqual(pool.stats()["open"], 1)

    def test_a_waiting_command_delays_nobody(self) -> None:
        waiter = threading.Thread(target=self.redis.blpop, args=("py:list", PATIENCE))
        waiter.start()
        for _ in range(20):
            self.redis.ping()
        self.assertTrue(waiter.is_alive())
        self.redis.rpush("py:list", "x")
        waiter.join()

    def test_waiting_is_longer_than_the_read_timeout(self) -> None:
        with client(socket_timeout=1, retry=ONCE) as redis:
            began = time.monotonic()
            self.assertIsNone(redis.blpop("py:none", timeout=3))
            self.assertGreater(time.monotonic() - began, 2.9)


class SingleConnectionTest(Case):
    def test_one_connection_for_all_commands(self) -> None:
        with client(single_connection_client=True) as redis:
            self.assertEqual(len({redis.client_id() for _ in range(5)}), 1)
            other = redis.client()
            self.assertNotEqual(other.client_id(), redis.client_id())
            self.redis.execute_command("CLIENT", "KILL", "ID", redis.client_id())
            time.sleep(0.1)
            self.assertTrue(redis.ping(), "connected again")
            other.close()

    def test_borrowed_connections(self) -> None:
        pool = tendon.ConnectionPool(host=HOST, port=PORT)
        connection = pool.get_connection()
        self.assertTrue(pool.owns_connection(connection))
        connection.send_command("SELECT", 5)
        self.assertEqual(connection.read_response(), b"OK")
        connection.send_command("NOSUCH")
        with self.fails(tendon.ResponseError):
            connection.read_response()
        pool.release(connection)
        line = tendon.Redis(connection_pool=pool).execute_command("CLIENT", "INFO").decode()
        self.assertIn("db=0", line, "what a borrower left is reset")
        pool.close()


class CloseTest(Case):
    def test_as_in_redis_py_the_next_command_connects_again(self) -> None:
        redis = client()
        first = redis.client_id()
        redis.close()
        redis.close()
        self.assertNotEqual(redis.client_id(), first)
        with redis:
            redis.ping()
        pool = tendon.ConnectionPool(host=HOST, port=PORT)
        shared = tendon.Redis(connection_pool=pool)
        first = shared.client_id()
        shared.close()
        self.assertEqual(shared.client_id(), first, "a pool of another is left alone")
        pool.disconnect(inuse_connections=False)
        self.assertNotEqual(shared.client_id(), first)
        pool.disconnect()

    def test_closing_ends_waiting_commands(self) -> None:
        redis = client(client_name="py-waits")
        errors: List[Any] = []

        def wait() -> None:
            try:
                redis.blpop("py:none", 20)
            except tendon.RedisError as error:
                errors.append(error)

        waiter = threading.Thread(target=wait)
        waiter.start()
        wait_until(lambda: blocks(self.redis, "py-waits"))
        redis.close()
        waiter.join(PATIENCE)
        self.assertFalse(waiter.is_alive())
        self.assertIs(type(errors[0]), tendon.ClientClosedError)
        self.assertIn("closed", str(errors[0]))
        self.assertEqual((errors[0].executed, errors[0].status_code), ("unknown", "CLOSED"))

    def test_connections_end_with_their_clients(self) -> None:
        redis = client(client_name="py-gone")
        redis.ping()
        del redis
        wait_until(lambda: not [c for c in self.redis.client_list() if c["name"] == "py-gone"])


class ForkTest(Case):
    def test_parent_and_child_both_work(self) -> None:
        redis = client()
        self.addCleanup(redis.close)
        pipe = redis.pipeline()
        pipe.watch("py:a")
        parent = redis.client_id()
        child = os.fork()
        if child == 0:
            try:
                assert redis.client_id() != parent
                redis.set("py:child", "done")
                assert redis.pipeline().get("py:child").execute() == [b"done"]
                pipe.reset()
                os._exit(0)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
        _, status = os.waitpid(child, 0)
        self.assertEqual(os.waitstatus_to_exitcode(status), 0)
        self.assertEqual((redis.get("py:child"), redis.client_id()), (b"done", parent))
        pipe.multi()
        self.assertEqual(pipe.set("py:a", 1).execute(), [True], "the child left the watch alone")

    def test_with_threads_under_way(self) -> None:
        redis, stop = client(), threading.Event()

        def hammer() -> None:
            while not stop.is_set():
                redis.incr("py:hammer")

        threads = [threading.Thread(target=hammer) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(10):
                child = os.fork()
                if child == 0:
                    try:
                        redis.set("py:child", os.getpid())
                        os._exit(0)
                    except BaseException:
                        os._exit(1)
                self.assertEqual(os.waitpid(child, 0)[1], 0)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        redis.close()


class SlowServerTest(Case):
    """The main thread waits by itself for a moment only, then in a way that Ctrl-C ends."""

    def slowly(self, peer: socket.socket) -> None:
        time.sleep(0.3)
        with socket.create_connection((HOST, PORT)) as server:
            while True:
                for source in select.select([peer, server], [], [])[0]:
                    data = source.recv(65536)
                    if not data:
                        return
                    (server if source is peer else peer).sendall(data)

    def test_a_connection_that_takes_its_time(self) -> None:
        for options in ({}, {"socket_timeout": PATIENCE}, {"socket_timeout": None}):
            with self.subTest(**options), server_that(self.slowly) as port:
                with tendon.Redis(host="127.0.0.1", port=port, **options) as redis:
                    self.assertTrue(redis.ping())
                    self.assertEqual(redis.stats()["created"], 1)


class InterruptTest(Case):
    PROGRAM = """
import signal, sys, time, tendon
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored below a shell's background job
redis = tendon.Redis(host=sys.argv[1], port=int(sys.argv[2]), socket_timeout=None)
try:
    print("ready", flush=True)
    {command}
except KeyboardInterrupt:
    print("interrupted", redis.{after}, flush=True)
"""

    def interrupt(self, command: str, port: int, after: str) -> None:
        program = self.PROGRAM.format(command=command, after=after)
        child = subprocess.Popen([sys.executable, "-c", program, HOST, str(port)],
                                 stdout=subprocess.PIPE, text=True)  # fmt: skip
        try:
            assert child.stdout
            self.assertEqual(child.stdout.readline(), "ready\n")
            time.sleep(0.4)
            child.send_signal(signal.SIGINT)
            found = child.communicate(timeout=PATIENCE)[0]
            self.assertTrue(found.startswith("interrupted"), found)
            self.assertEqual(child.returncode, 0)
        finally:
            child.kill()
            child.wait()

    def test_ctrl_c_ends_a_blocking_command(self) -> None:
        self.interrupt("redis.ping(); redis.blpop('py:none')", PORT, "ping()")

    def test_ctrl_c_ends_a_blocking_command_of_one_connection(self) -> None:
        self.interrupt("redis.client().blpop('py:none')", PORT, "ping()")

    def test_ctrl_c_ends_connecting(self) -> None:
        connect = "tendon.Redis(port=redis.connection_pool.connection_kwargs['port']).ping()"
        for command in (connect, "[redis.ping() for _ in range(99)]"):
            self.interrupt(command, dead_port(), "close()")

    def test_ctrl_c_ends_a_command_without_deadline(self) -> None:
        with Expendable() as server:
            server.freeze()
            self.interrupt("redis.ping()", server.port, "close()")


class OutageTest(Case):
    """The server is stopped, frozen and killed in the middle."""

    def test_killed_and_started_again(self) -> None:
        with Expendable() as server:
            redis = tendon.Redis(port=server.port, retry=ONCE, socket_timeout=1)
            redis.set("py:a", 1)
            server.kill()
            with self.fails(tendon.ConnectionError, within=SOON):
                for _ in range(3):
                    redis.get("py:a")
            with self.fails(tendon.ConnectionError, "refused", within=SOON) as it:
                redis.set("py:a", 2)
            self.assertEqual(it.error.executed, "no")
            with self.fails(tendon.ConnectionError, within=SOON):
                redis.pipeline().set("py:a", 2).get("py:a").execute(raise_on_error=False)
            server.start()
            wait_until(lambda: _works(redis))
            self.assertTrue(redis.set("py:a", 3))
            self.assertEqual(redis.pipeline().get("py:a").execute(), [b"3"])
            redis.close()

    def test_retries_bridge_a_restart(self) -> None:
        with Expendable() as server:
            redis = tendon.Redis(port=server.port)
            redis.set("py:a", 1)
            server.kill()
            starter = threading.Timer(0.5, server.start)
            starter.start()
            self.assertTrue(redis.set("py:a", 2), "waited and tried again by itself")
            starter.join()
            redis.close()

    def test_watching_connection_is_lost(self) -> None:
        with Expendable() as server:
            redis = tendon.Redis(port=server.port, retry=ONCE)
            pipe = redis.pipeline()
            pipe.watch("py:a")
            server.kill()
            pipe.multi()
            with self.fails(tendon.WatchError, "ConnectionError", "watching"):
                pipe.set("py:a", 1).execute()
            redis.close()

    def test_threads_get_their_own_answers_through_an_outage(self) -> None:
        with Expendable() as server:
            redis = tendon.Redis(port=server.port, retry=ONCE, socket_timeout=1)
            wrong: List[str] = []
            stop = threading.Event()

            def work(number: int) -> None:
                while not stop.is_set():
                    try:
                        found = redis.echo(f"{number}")
                        if found != b"%d" % number:
                            wrong.append(f"{number} got {found!r}")
                    except tendon.RedisError:
                        time.sleep(0.02)

            threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
            for thread in threads:
                thread.start()
            for _ in range(2):
                time.sleep(0.2)
                server.kill()
                time.sleep(0.2)
                server.start()
            time.sleep(0.3)
            stop.set()
            for thread in threads:
                thread.join(PATIENCE)
            self.assertEqual(wrong, [])
            self.assertFalse(any(thread.is_alive() for thread in threads))
            wait_until(lambda: _works(redis))
            redis.close()


def blocks(redis: tendon.Redis, name: str) -> bool:
    """Whether the server holds a command of a client of this name."""
    return any(one["name"] == name and one["flags"] == "b" for one in redis.client_list())


def _works(redis: tendon.Redis) -> bool:
    try:
        return redis.ping()
    except tendon.RedisError:
        return False
