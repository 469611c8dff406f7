"""Arguments that no command takes: answered as redis-py answers them, before they are sent."""

from __future__ import annotations

import asyncio
import datetime
from typing import Any

import tendon
import tendon.asyncio
from tests import support
from tests.support import SERVERS, Case

# Options that exclude each other, or need each other, and values that a method refuses itself.
REFUSED = (
    ("set", ("py:a", 1), {"ex": 1, "px": 1}),
    ("set", ("py:a", 1), {"ex": 1, "keepttl": True}),
    ("set", ("py:a", 1), {"exat": datetime.datetime.now(), "pxat": 5}),
    ("set", ("py:a", 1), {"nx": True, "xx": True}),
    ("set", ("py:a", 1), {"nx": True, "ifeq": "x"}),
    ("set", ("py:a", 1), {"ex": 1.5}),
    ("set", ("py:a", 1), {"px": "soon"}),
    ("getex", ("py:a",), {"ex": 1, "persist": True}),
    ("bitcount", ("py:a",), {"start": 1}),
    ("bitpos", ("py:a", 2), {}),
    ("bitpos", ("py:a", 1), {"end": 1}),
    ("sort", ("py:a",), {"start": 1}),
    ("sort", ("py:a",), {"groups": True, "get": "x"}),
    ("hset", ("py:a",), {}),
    ("hset", ("py:a", "field"), {}),
    ("hmset", ("py:a", {}), {}),
    ("hsetex", ("py:a",), {"items": ["a"]}),
    ("hgetex", ("py:a",), {}),
    ("hexpire", ("py:a", 5, "f"), {"nx": True, "xx": True}),
    ("zadd", ("py:a", {}), {}),
    ("zadd", ("py:a", {"a": 1}), {"nx": True, "xx": True}),
    ("zadd", ("py:a", {"a": 1}), {"nx": True, "gt": True}),
    ("zadd", ("py:a", {"a": 1}), {"gt": True, "lt": True}),
    ("zadd", ("py:a", {"a": 1, "b": 2}), {"incr": True}),
    ("zrange", ("py:a", 0, 1), {"byscore": True, "bylex": True}),
    ("zrange", ("py:a", 0, 1), {"byscore": True, "offset": 1}),
    ("zrange", ("py:a", "-", "+"), {"bylex": True, "withscores": True}),
    ("zrangebyscore", ("py:a", 0, 1), {"num": 1}),
    ("zmpop", (1, ["py:a"]), {}),
    ("zmpop", (1, ["py:a"]), {"min": True, "max": True}),
    ("zmscore", ("py:a", []), {}),
    ("zinter", (["py:a"],), {"aggregate": "AVERAGE"}),
    ("xadd", ("py:a", {}), {}),
    ("xadd", ("py:a", {"a": 1}), {"maxlen": 1, "minid": "1"}),
    ("xadd", ("py:a", {"a": 1}), {"maxlen": -1}),
    ("xtrim", ("py:a",), {}),
    ("xread", ({},), {}),
    ("xread", ({"py:a": 0},), {"block": -1}),
    ("xread", ({"py:a": 0},), {"count": 0}),
    ("xreadgroup", ("g", "c", {}), {}),
    ("xclaim", ("py:a", "g", "c", -1, ["1"]), {}),
    ("xclaim", ("py:a", "g", "c", 1, []), {}),
    ("xpending_range", ("py:a", "g", None, "+", 1), {}),
    ("geoadd", ("py:a", (1, 2)), {}),
    ("xadd", ("py:a", {"a": 1}), {"idmp": ["p", b"1"]}),
    ("xadd", ("py:a", {"a": 1}), {"idmp": ("p",)}),
    ("xadd", ("py:a", {"a": 1}), {"idmp": "ab"}),
    ("xadd", ("py:a", {"a": 1}), {"idmp": 5}),
    ("xadd", ("py:a", {"a": 1}), {"idmp": ("p", b"1"), "idmpauto": "p"}),
    ("xadd", ("py:a", {"a": 1}), {"idmp": ("p", b"1"), "id": "1-1"}),
    ("geoadd", ("py:a", (1, 2, "a")), {"nx": True, "xx": True}),
    ("geodist", ("py:a", "a", "b", "miles"), {}),
    ("geosearch", ("py:a",), {"radius": 1}),
    ("geosearch", ("py:a", "a"), {"longitude": 1, "latitude": 2, "radius": 1}),
    ("geosearch", ("py:a", "a"), {"radius": 1, "width": 1, "height": 1}),
    ("geosearch", ("py:a", "a"), {"radius": 1, "any": True}),
    ("geosearch", ("py:a", "a"), {"radius": 1, "sort": "UP"}),
    ("georadius", ("py:a", 1, 2, 3), {"store": "a", "store_dist": "b"}),
    ("restore", ("py:a", 0, b"x"), {"idletime": "x"}),
    ("migrate", ("h", 1, [], 0, 1), {}),
    ("client_kill_filter", (), {}),
    ("client_kill_filter", (), {"skipme": "yes"}),
    ("client_list", (), {"_type": "nobody"}),
    ("client_pause", ("soon",), {}),
    ("client_reply", ("MAYBE",), {}),
    ("acl_genpass", (5000,), {}),
    ("acl_setuser", ("py",), {"nopass": True, "passwords": "+x"}),
    ("acl_setuser", ("py",), {"passwords": "x"}),
    ("acl_setuser", ("py",), {"commands": ["get"]}),
    ("script_flush", ("LATER",), {}),
    ("shutdown", (), {"save": True, "nosave": True}),
)
# What cannot be an argument at all, wherever it stands.
NO_ARGUMENTS = (None, True, [1], {"a": 1}, (1,), object(), 1j)


class BadArgumentTest(Case):
    def requests(self) -> int:
        return int(self.redis.stats()["requests"])

    def test_refused_before_anything_is_sent(self) -> None:
        self.redis.ping()
        before = self.requests()
        for name, args, options in REFUSED:
            with self.subTest(name, args=args, **options):
                with self.assertRaises(tendon.DataError) as it:
                    getattr(self.redis, name)(*args, **options)
                self.assertEqual(it.exception.executed, "no")
                self.assertTrue(str(it.exception))
        self.assertEqual(self.requests(), before)

    def test_refused_with_asyncio_and_in_pipelines(self) -> None:
        async def run() -> None:
            async with tendon.asyncio.Redis(host=support.HOST, port=support.PORT) as redis:
                for name, args, options in REFUSED:
                    with self.subTest(name, **options), self.assertRaises(tendon.DataError):
                        await getattr(redis, name)(*args, **options)

        asyncio.run(run())
        pipe = self.redis.pipeline()
        for name, args, options in REFUSED:
            if name != "shutdown":
                with self.subTest(name, **options), self.assertRaises(tendon.DataError):
                    getattr(pipe, name)(*args, **options)
        self.assertEqual(len(pipe), 0)

    def test_one_text_is_no_list_of_members(self) -> None:
        self.redis.zadd("py:z", {"text": 2, "t": 1})
        for members in ("text", b"text", 5):
            with self.assertRaises(TypeError):
                self.redis.zmscore("py:z", members)
        self.assertEqual(self.redis.zmscore("py:z", ("text", "x")), [2.0, None])

    def test_flags_that_exclude_each_other_by_redis_pys_class(self) -> None:
        for name in ("hexpire", "hpexpire", "hexpireat", "hpexpireat"):
            with self.subTest(name), self.assertRaises(ValueError):
                getattr(self.redis, name)("py:a", 5, "f", nx=True, gt=True)

    def test_a_flag_that_is_false_in_any_way_is_not_sent(self) -> None:
        for no in (False, 0, None, "", []):
            with self.subTest(no=no), self.redis.pipeline(False) as pipe:
                pipe.set("py:a", 1, nx=no, ex=5, keepttl=no).getex("py:a", ex=5, persist=no)
                pipe.hexpire("py:h", 5, "f", nx=no, xx=True)
                self.assertEqual(pipe.execute(raise_on_error=False)[0], True)
        self.redis.delete("py:a")

    def test_no_keys(self) -> None:
        for value in (None, object(), 1j):
            for name in ("mget", "sinter", "blpop", "sunion"):
                with self.subTest(name, value=value), self.assertRaises(tendon.DataError):
                    getattr(self.redis, name)(value)

    def test_no_arguments(self) -> None:
        self.redis.ping()
        before = self.requests()
        for value in NO_ARGUMENTS:
            for call in (
                lambda value=value: self.redis.get(value),
                lambda value=value: self.redis.set("py:a", value),
                lambda value=value: self.redis.hset("py:h", "f", value),
                lambda value=value: self.redis.rpush("py:l", "a", value),
                lambda value=value: self.redis.zadd("py:z", {"a": value}),
                lambda value=value: self.redis.execute_command("SET", "py:a", value),
                lambda value=value: self.redis.pipeline().set("py:a", value).execute(),
            ):
                with self.subTest(value=value), self.assertRaises(tendon.DataError):
                    call()
        self.assertEqual(self.requests(), before)
        self.assertEqual(self.redis.exists("py:a", "py:h", "py:l", "py:z"), 0)

    def test_arity(self) -> None:
        for call in (
            lambda: self.redis.get(),
            lambda: self.redis.set("py:a"),
            lambda: self.redis.get("py:a", "py:b"),
            lambda: self.redis.set("py:a", 1, expires=5),
        ):
            with self.assertRaises(TypeError):
                call()
        for call in (
            lambda: self.redis.delete(),
            lambda: self.redis.sadd("py:s"),
            lambda: self.redis.mset({}),
            lambda: self.redis.execute_command("GET"),
            lambda: self.redis.execute_command("GET", "py:a", "py:b"),
        ):
            with self.fails(tendon.ResponseError, "wrong number of arguments"):
                call()
        with self.fails(tendon.ResponseError, "unknown command"):
            self.redis.execute_command("PY.NOSUCH", 1)

    def test_numbers(self) -> None:
        self.redis.set("py:n", 2**64)
        self.assertEqual(self.redis.get("py:n"), b"18446744073709551616")
        with self.fails(tendon.ResponseError, "not an integer or out of range"):
            self.redis.incr("py:n")
        self.redis.set("py:n", 2**63 - 1)
        self.assertEqual(int(self.redis.incrby("py:n", 0)), 2**63 - 1)
        with self.fails(tendon.ResponseError, "overflow"):
            self.redis.incr("py:n")
        with self.fails(tendon.ResponseError, "not an integer"):
            self.redis.incrby("py:m", 2**64)
        self.redis.zadd("py:z", {"low": float("-inf"), "high": float("inf"), "exact": 0.1})
        self.assertEqual(self.redis.zscore("py:z", "high"), float("inf"))
        self.assertEqual(self.redis.zscore("py:z", "exact"), 0.1)
        with self.fails(tendon.ResponseError, "float"):
            self.redis.zadd("py:z", {"a": float("nan")})
        with self.fails(tendon.ResponseError, "not an integer"):
            self.redis.expire("py:n", "soon")

    def test_texts_and_keys(self) -> None:
        with self.assertRaises(UnicodeEncodeError):
            self.redis.set("py:\ud800", 1)
        self.redis.set("py:b", b"\xff\xfe")
        with support.client(decode_responses=True) as redis:
            with self.assertRaises(UnicodeDecodeError):
                redis.get("py:b")
            self.assertTrue(redis.ping(), "the connection goes on")
        with support.client(decode_responses=True, encoding_errors="replace") as redis:
            self.assertEqual(redis.get("py:b"), "\ufffd\ufffd")
        self.assertTrue(self.redis.set("", "empty"))
        self.assertEqual(self.redis.get(""), b"empty")
        self.redis.delete("")

    def test_slots(self) -> None:
        node = SERVERS["cluster"]["nodes"][0]
        with tendon.RedisCluster(host=node["host"], port=node["port"]) as redis:
            redis.delete("py:a", "py:b")
            for call in (
                lambda: redis.msetnx({"py:a": 1, "py:b": 2}),
                lambda: redis.rename("py:a", "py:b"),
                lambda: redis.sunion("py:a", "py:b"),
                lambda: redis.eval("return 1", 2, "py:a", "py:b"),
                lambda: redis.bitop("AND", "py:a", "py:b"),
            ):
                with self.assertRaises(tendon.RedisClusterException) as it:
                    call()
                self.assertEqual(it.exception.executed, "no")  # type: ignore[attr-defined]
            self.assertEqual(redis.exists("py:a", "py:b"), 0)

    def test_wrong_types_of_keys(self) -> None:
        self.redis.set("py:string", "x")
        calls: Any = (
            lambda: self.redis.lpush("py:string", 1),
            lambda: self.redis.hgetall("py:string"),
            lambda: self.redis.zadd("py:string", {"a": 1}),
            lambda: self.redis.xadd("py:string", {"a": 1}),
        )
        for call in calls:
            with self.fails(tendon.ResponseError, "WRONGTYPE"):
                call()
