"""Pipelines and transactions: redis-py's results, errors and watching."""

from __future__ import annotations

from typing import Any

import tendon
from tests.support import Case


class PipelineTest(Case):
    def test_results_have_native_types(self) -> None:
        for transaction in (True, False):
            for protocol in (2, 3):
                with self.subTest(transaction=transaction, protocol=protocol):
                    redis = self.client(protocol=protocol, decode_responses=True)
                    self.clear(redis)
                    pipe = redis.pipeline(transaction=transaction)
                    self.assertIs(pipe.set("py:a", 1), pipe)
                    pipe.incr("py:a").get("py:a").hset("py:h", mapping={"x": 1}).hgetall("py:h")
                    pipe.zadd("py:z", {"m": 1}).zrange("py:z", 0, -1, withscores=True).get(
                        "py:none"
                    )
                    pipe.sadd("py:s", "e").smembers("py:s").expire("py:a", 10)
                    self.assertEqual((len(pipe), bool(pipe)), (11, True))
                    scored = ["m", 1.0] if protocol == 3 else ("m", 1.0)
                    wanted = [True, 2, "2", 1, {"x": "1"}, 1, [scored], None, 1, {"e"}, True]
                    self.assertEqual(pipe.execute(), wanted)
                    self.assertEqual((len(pipe), bool(pipe)), (0, True))
                    self.assertEqual(pipe.execute(), [])
                    redis.close()

    def test_a_thousand_commands(self) -> None:
        for transaction in (True, False):
            pipe = self.redis.pipeline(transaction)
            for number in range(1000):
                pipe.set(f"py:{number}", number)
                pipe.get(f"py:{number}")
            results = pipe.execute()
            self.assertEqual(results[1::2], [str(number).encode() for number in range(1000)])

    def test_error_in_the_middle(self) -> None:
        text = r"Command # 2 (LPUSH py:a x) of pipeline caused error: WRONGTYPE"
        for transaction in (True, False):
            with self.subTest(transaction=transaction):
                pipe = (
                    self.redis.pipeline(transaction).set("py:a", 1).lpush("py:a", "x").get("py:a")
                )
                with self.fails(tendon.ResponseError, text) as it:
                    pipe.execute()
                said = it.error.status_code, it.error.executed
                self.assertEqual(said, ("WRONGTYPE", "unknown"))
                pipe.set("py:a", 2).lpush("py:a", "x").get("py:a")
                first, error, last = pipe.execute(raise_on_error=False)
                self.assertEqual((first, last), (True, b"2"))
                self.assertIsInstance(error, tendon.ResponseError)

    def test_refused_while_queueing(self) -> None:
        pipe = self.redis.pipeline().set("py:a", 1).execute_command("NOSUCH").set("py:b", 1)
        with self.fails(
            tendon.ResponseError, "Command # 2 (NOSUCH) of pipeline caused error: unknown"
        ):
            pipe.execute()
        self.assertEqual(self.redis.exists("py:a", "py:b"), 0, "nothing of it was executed")

    def test_wrong_argument_sends_nothing(self) -> None:
        for transaction in (True, False):
            pipe = self.redis.pipeline(transaction).set("py:a", 1).set("py:b", None)
            with self.fails(tendon.DataError, "NoneType"):
                pipe.execute()
            self.assertEqual((self.redis.exists("py:a", "py:b"), len(pipe)), (0, 0))

    def test_dump_stays_bytes_among_text(self) -> None:
        redis = self.client(decode_responses=True)
        self.addCleanup(redis.close)
        for transaction in (True, False):
            _, dumped, text = (
                redis.pipeline(transaction).set("py:a", "ä").dump("py:a").get("py:a").execute()
            )
            self.assertIsInstance(dumped, bytes)
            self.assertEqual(text, "ä")

    def test_long_commands_are_cut_in_the_error(self) -> None:
        self.redis.set("py:a", 1)
        with self.fails(tendon.ResponseError, "...) of pipeline") as it:
            self.redis.pipeline().lpush("py:a", *["word"] * 100).execute()
        self.assertLess(len(str(it.error)), 300)

    def test_with_resets(self) -> None:
        with self.redis.pipeline() as pipe:
            pipe.set("py:a", 1)
        self.assertEqual((len(pipe), self.redis.exists("py:a")), (0, 0))


class WatchTest(Case):
    def test_unchanged(self) -> None:
        self.redis.set("py:a", 1)
        with self.redis.pipeline() as pipe:
            self.assertIs(pipe.watch("py:a"), True)
            value = int(pipe.get("py:a"))  # at once
            pipe.multi()
            pipe.set("py:a", value + 1)
            self.assertEqual(pipe.execute(), [True])
        self.assertEqual(self.redis.get("py:a"), b"2")

    def test_changed_by_another(self) -> None:
        with self.redis.pipeline() as pipe:
            pipe.watch("py:a")
            self.redis.set("py:a", "other")
            pipe.multi()
            pipe.set("py:a", "mine")
            with self.fails(tendon.WatchError, "Watched variable changed"):
                pipe.execute()
            pipe.set("py:a", "mine")
            self.assertEqual(pipe.execute(), [True], "usable again, without the watch")

    def test_unwatch(self) -> None:
        with self.redis.pipeline() as pipe:
            pipe.watch("py:a")
            self.redis.set("py:a", "other")
            self.assertIs(pipe.unwatch(), True)
            self.assertEqual(pipe.set("py:a", "mine").execute(), [True])

    def test_watching_leaves_nothing_behind(self) -> None:
        with self.client(max_connections=2) as redis:
            for _ in range(10):
                with redis.pipeline() as pipe:
                    pipe.watch("py:a")
                    redis.set("py:a", "other")
            with redis.pipeline() as pipe:
                pipe.watch("py:b")
                redis.set("py:a", "other")
                pipe.multi()
                self.assertEqual(pipe.set("py:b", 1).execute(), [True])
            self.assertLessEqual(redis.stats()["open"], 2)

    def test_misuse(self) -> None:
        with self.redis.pipeline() as pipe:
            pipe.multi()
            for misuse in (pipe.multi, lambda: pipe.watch("py:a")):
                with self.fails(tendon.RedisError):
                    misuse()
        with self.redis.pipeline() as pipe:
            pipe.set("py:a", 1)
            with self.fails(tendon.RedisError, "initial WATCH"):
                pipe.multi()

    def test_transaction_tries_again(self) -> None:
        self.redis.set("py:a", 1)
        tries = []

        def double(pipe: Any) -> str:
            tries.append(int(pipe.get("py:a")))
            if len(tries) == 1:
                self.redis.set("py:a", 10)
            pipe.multi()
            pipe.set("py:a", tries[-1] * 2)
            return "returned"

        self.assertEqual(self.redis.transaction(double, "py:a"), [True])
        self.assertEqual((tries, self.redis.get("py:a")), ([1, 10], b"20"))
        found = self.redis.transaction(double, "py:a", value_from_callable=True)
        self.assertEqual(found, "returned")
