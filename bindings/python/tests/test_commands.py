"""
Every command method against a real server: redis-py's native types, over RESP2 and RESP3, bytes and
str.
"""

from __future__ import annotations

import datetime
import time
from typing import Any

import tendon
from tests.support import HOST, PORT, Case, client


class CommandTest(Case):
    """Over RESP3 chosen by the core; the subclasses below run the same over explicit protocols."""

    options: Any = {}

    def setUp(self) -> None:
        super().setUp()
        self.redis = self.client(**self.options)
        self.addCleanup(self.redis.close)

    def text(self, value: str) -> Any:
        return value if self.options.get("decode_responses") else value.encode()

    def scored(self, *pairs: Any) -> Any:
        """
        (member, score) as this protocol has them: redis-py gives lists with an explicit
        protocol=3.
        """
        kind = list if self.options.get("protocol") == 3 else tuple
        return [kind(pair) for pair in pairs]

    def check(self, found: Any, wanted: Any) -> None:
        self.assertEqual(found, wanted)
        self.assertIs(type(found), type(wanted))

    def test_strings(self) -> None:
        r, t = self.redis, self.text
        self.check(r.ping(), True)
        self.check(r.set("py:a", "1"), True)
        self.check(r.get("py:a"), t("1"))
        self.check(r.get("py:none"), None)
        self.check(r.setex("py:b", 100, "x"), True)
        self.check(r.psetex("py:c", datetime.timedelta(seconds=100), "x"), True)
        self.check(r.setnx("py:a", "2"), False)
        self.check(r.setnx("py:d", "2"), True)
        self.check(r.mset({"py:e": 1, "py:f": 2.5}), True)
        self.check(r.msetnx({"py:e": 1, "py:g": 2}), False)
        self.check(r.mget("py:e", "py:f", "py:none"), [t("1"), t("2.5"), None])
        self.check(r.mget(["py:e"], "py:f"), [t("1"), t("2.5")])
        self.check(r.mget([]), [])
        self.check(r.append("py:e", "23"), 3)
        self.check(r.strlen("py:e"), 3)
        self.check(r.getrange("py:e", 0, 1), t("12"))
        self.check(r.setrange("py:e", 1, "9"), 3)
        self.check(r.getset("py:e", "5"), t("193"))
        self.check(r.getdel("py:e"), t("5"))
        self.check(r.getex("py:f", ex=100), t("2.5"))
        self.check(r.incr("py:n"), 1)
        self.check(r.incrby("py:n", 5), 6)
        self.check(r.decr("py:n"), 5)
        self.check(r.decrby("py:n", 2), 3)
        self.check(r.incrbyfloat("py:n", 0.5), 3.5)

    def test_set_with_every_option(self) -> None:
        r, t, day = self.redis, self.text, datetime.timedelta(days=1)
        self.check(r.set("py:a", "1", ex=100, nx=True), True)
        self.check(r.set("py:a", "2", nx=True), None)
        self.check(r.set("py:none", "2", xx=True), None)
        self.check(r.set("py:a", "3", keepttl=True, get=True), t("1"))
        self.assertGreater(r.ttl("py:a"), 90)
        self.check(r.set("py:fresh", "3", get=True), None)
        self.check(r.set("py:a", "4", px=day), True)
        self.assertGreater(r.pttl("py:a"), 86_000_000)
        self.check(r.set("py:a", "5", exat=datetime.datetime.now() + day), True)
        self.assertGreater(r.ttl("py:a"), 86_000)
        self.check(r.set("py:a", "6", pxat=int(time.time() * 1000) + 50_000), True)
        self.assertLess(r.ttl("py:a"), 51)
        for wrong in (
            {"ex": 1, "px": 1},
            {"nx": True, "xx": True},
            {"ex": 1.5},
            {"ex": 1, "keepttl": True},
        ):
            with self.fails(tendon.DataError):
                r.set("py:a", "7", **wrong)
        self.check(r.get("py:a"), t("6"))

    def test_keys(self) -> None:
        r, t = self.redis, self.text
        r.mset({"py:a": 1, "py:b": 2})
        self.check(r.exists("py:a", "py:b", "py:a", "py:none"), 3)
        self.check(r.expire("py:a", 100), True)
        self.check(r.expire("py:a", datetime.timedelta(minutes=1), gt=True), False)
        self.check(r.expire("py:none", 100), False)
        self.check(r.pexpire("py:a", 100_000), True)
        self.check(r.expireat("py:a", datetime.datetime.now() + datetime.timedelta(hours=1)), True)
        self.assertIn(r.ttl("py:a"), range(3590, 3601))
        self.check(r.persist("py:a"), True)
        self.check((r.ttl("py:a"), r.ttl("py:none"), r.pttl("py:none")), (-1, -2, -2))
        self.check(r.type("py:a"), t("string"))
        self.check(r.type("py:none"), t("none"))
        self.check(sorted(r.keys("py:*")), [t("py:a"), t("py:b")])
        self.check(r.rename("py:a", "py:c"), True)
        self.check(r.renamenx("py:c", "py:b"), False)
        self.check(r.copy("py:c", "py:d"), True)
        self.check(r.touch("py:c", "py:none"), 1)
        self.check(r.unlink("py:c"), 1)
        self.check(r.delete("py:b", "py:d", "py:none"), 2)
        self.assertIsInstance(r.dump("py:none"), type(None))
        r.set("py:a", "\u00e4")
        self.assertIsInstance(r.dump("py:a"), bytes)

    def test_scans(self) -> None:
        r, t = self.redis, self.text
        names = {f"py:scan:{number}" for number in range(150)}
        r.mset(dict.fromkeys(names, 1))
        cursor, found = r.scan(match="py:scan:*", count=10)
        self.assertIsInstance(cursor, int)
        self.assertIsInstance(found, list)
        self.check(set(r.scan_iter("py:scan:*", count=20)), {t(name) for name in names})
        self.check(list(r.scan_iter("py:scan:*", _type="hash")), [])
        r.hset("py:h", mapping={"a": 1, "b": 2})
        self.check(r.hscan("py:h"), (0, {t("a"): t("1"), t("b"): t("2")}))
        self.check(sorted(r.hscan_iter("py:h")), [(t("a"), t("1")), (t("b"), t("2"))])
        r.sadd("py:s", "x")
        self.check(r.sscan("py:s"), (0, [t("x")]))
        r.zadd("py:z", {"m": 1.5})
        self.check(r.zscan("py:z"), (0, [(t("m"), 1.5)]))
        self.check(list(r.zscan_iter("py:z")), [(t("m"), 1.5)])

    def test_hashes(self) -> None:
        r, t = self.redis, self.text
        self.check(r.hset("py:h", "a", 1), 1)
        self.check(r.hset("py:h", mapping={"a": 2, "b": 3}), 1)
        self.check(r.hset("py:h", items=["c", 4]), 1)
        self.check(r.hget("py:h", "a"), t("2"))
        self.check(r.hget("py:h", "none"), None)
        self.check(r.hgetall("py:h"), {t("a"): t("2"), t("b"): t("3"), t("c"): t("4")})
        self.check(r.hgetall("py:none"), {})
        self.check(r.hmget("py:h", ["a", "none"]), [t("2"), None])
        self.check((r.hlen("py:h"), r.hexists("py:h", "a"), r.hsetnx("py:h", "a", 1)), (3, True, 0))
        self.check((r.hincrby("py:h", "a"), r.hincrbyfloat("py:h", "a", 0.5)), (3, 3.5))
        self.check(sorted(r.hkeys("py:h")), [t("a"), t("b"), t("c")])
        self.check(sorted(r.hvals("py:h")), [t("3"), t("3.5"), t("4")])
        self.check(r.hdel("py:h", "a", "none"), 1)
        with self.fails(tendon.DataError):
            r.hset("py:h")

    def test_lists(self) -> None:
        r, t = self.redis, self.text
        self.check(r.rpush("py:l", "a", "b", 3), 3)
        self.check(r.lpush("py:l", "z"), 4)
        self.check(r.lrange("py:l", 0, -1), [t("z"), t("a"), t("b"), t("3")])
        self.check(r.lrange("py:none", 0, -1), [])
        self.check((r.lindex("py:l", 0), r.llen("py:l")), (t("z"), 4))
        self.check((r.lset("py:l", 0, "y"), r.ltrim("py:l", 0, 2)), (True, True))
        self.check((r.lrem("py:l", 0, "none"), r.lpop("py:l"), r.rpop("py:l")), (0, t("y"), t("b")))
        self.check((r.lpop("py:none"), r.rpop("py:none")), (None, None))
        r.rpush("py:l", "c")
        self.check(r.lpop("py:l", 2), [t("a"), t("c")])
        r.rpush("py:l", "c")
        popped = r.blpop(["py:none", "py:l"], timeout=1)
        self.check(
            popped,
            [t("py:l"), t("c")] if self.options.get("protocol") == 3 else (t("py:l"), t("c")),
        )
        self.check(r.brpop("py:none", timeout=0.1), None)

    def test_sets(self) -> None:
        r, t = self.redis, self.text
        self.check(r.sadd("py:s", "a", "b", "a"), 2)
        self.check(r.smembers("py:s"), {t("a"), t("b")})
        self.check(r.smembers("py:none"), set())
        self.check((r.scard("py:s"), r.sismember("py:s", "a"), r.sismember("py:s", "c")), (2, 1, 0))
        self.check(r.srem("py:s", "a", "c"), 1)
        self.check((r.spop("py:s"), r.spop("py:s"), r.spop("py:none", 2)), (t("b"), None, []))

    def test_sorted_sets(self) -> None:
        r, t = self.redis, self.text
        self.check(r.zadd("py:z", {"a": 1, "b": 2.5, "c": 3}), 3)
        self.check(r.zadd("py:z", {"a": 2}, ch=True, gt=True), 1)
        self.check(r.zadd("py:z", {"a": 1.5}, incr=True), 3.5)
        self.check(r.zadd("py:z", {"a": 1}, incr=True, nx=True), None)
        self.check(r.zrange("py:z", 0, -1), [t("b"), t("c"), t("a")])
        scored = self.scored((t("b"), 2.5), (t("c"), 3.0), (t("a"), 3.5))
        self.check(r.zrange("py:z", 0, -1, withscores=True), scored)
        self.check(
            r.zrange("py:z", 3, "(3.5", byscore=True, withscores=True, score_cast_func=int),
            self.scored((t("c"), 3)),
        )
        self.check(
            r.zrange("py:z", "+inf", "-inf", desc=True, byscore=True, offset=0, num=1), [t("a")]
        )
        self.check(r.zrevrange("py:z", 0, 0, withscores=True), scored[-1:])
        self.check(r.zrangebyscore("py:z", "-inf", 3, withscores=True), scored[:2])
        self.check((r.zscore("py:z", "b"), r.zscore("py:z", "none")), (2.5, None))
        self.check((r.zcard("py:z"), r.zcount("py:z", 0, 3), r.zrank("py:z", "b")), (3, 2, 0))
        self.check(r.zincrby("py:z", 1, "b"), 3.5)
        self.check(r.zrem("py:z", "b", "none"), 1)
        for wrong in ({"nx": True, "xx": True}, {"gt": True, "lt": True}):
            with self.fails(tendon.DataError):
                r.zadd("py:z", {"a": 1}, **wrong)

    def test_server(self) -> None:
        r, t = self.redis, self.text
        self.check(r.echo("x"), t("x"))
        seconds, micros = r.time()
        self.assertAlmostEqual(seconds + micros / 1e6, time.time(), delta=60)
        info = r.info()
        self.assertIsInstance(info["redis_version"], str)
        self.assertIsInstance(info["uptime_in_seconds"], int)
        self.assertIn("used_memory", r.info("memory"))
        self.assertGreater(r.client_id(), 0)
        self.check(r.client_getname(), None if not self.options.get("client_name") else "x")
        self.assertTrue(
            any(one["lib-name"] == "tendon-py" for one in r.client_list() if "lib-name" in one)
            or "lib-name" not in r.client_list()[0]
        )
        before = r.config_get("slowlog-max-len")
        self.check(r.config_set("slowlog-max-len", 77), True)
        self.check(r.config_get("slowlog-max-len"), {"slowlog-max-len": "77"})
        r.config_set("slowlog-max-len", before["slowlog-max-len"])
        self.check(
            r.eval("return {KEYS[1], ARGV[1], 7, false}", 1, "py:a", "x"),
            [t("py:a"), t("x"), 7, None],
        )
        sha = r.script_load("return 5")
        self.assertIsInstance(sha, str)
        self.check(r.evalsha(sha, 0), 5)
        with self.fails(tendon.exceptions.NoScriptError):
            r.evalsha("0" * 40, 0)
        self.check(r.publish("py:channel", "x"), 0)

    def test_databases_and_flushing(self) -> None:
        with self.client(**{**self.options, "db": 9}) as ninth:
            ninth.set("py:a", 1)
            self.check(ninth.dbsize(), 1)
            self.check(self.redis.get("py:a"), None)
            self.check(ninth.flushdb(), True)
            ninth.set("py:a", 1)
            self.check(ninth.flushdb(asynchronous=True), True)
            self.check(ninth.dbsize(), 0)

    def test_any_command(self) -> None:
        r, t = self.redis, self.text
        self.check(r.execute_command("set", "py:a", 1), True)
        self.check(r.execute_command(b"GET", "py:a"), t("1"))
        self.check(r.execute_command("OBJECT ENCODING", "py:a"), t("int"))
        self.check(r.execute_command("OBJECT", "ENCODING", "py:a"), t("int"))
        self.check(r.execute_command("BITCOUNT", "py:a"), 3)
        self.assertIsInstance(r.execute_command("CONFIG GET", "maxmemory"), dict)
        r.set_response_callback("bitcount", lambda reply, **_: f"{reply} bits")
        self.check(r.execute_command("BITCOUNT", "py:a"), "3 bits")
        with self.fails(tendon.ResponseError, "unknown command") as it:
            r.execute_command("NOSUCH", "x")
        self.assertEqual((it.error.status_code, it.error.executed), ("ERR", "unknown"))
        with self.fails(tendon.ResponseError, "WRONGTYPE"):
            r.lpush("py:a", 1)

    def test_as_a_mapping(self) -> None:
        r = self.redis
        r["py:a"] = "1"
        self.check(r["py:a"], self.text("1"))
        self.assertIn("py:a", r)
        del r["py:a"]
        self.assertNotIn("py:a", r)
        with self.assertRaises(KeyError):
            r["py:a"]

    def test_streams_through_any_command(self) -> None:
        r, t = self.redis, self.text
        r.execute_command("XADD", "py:x", "1-0", "f", "v")
        self.check(r.execute_command("XRANGE", "py:x", "-", "+"), [(t("1-0"), {t("f"): t("v")})])
        entries = [(t("1-0"), {t("f"): t("v")})]
        wanted: Any = [[t("py:x"), entries]]
        if self.options.get("protocol") == 3:
            wanted = {t("py:x"): [entries]}
        self.check(r.execute_command("XREAD", "COUNT", 1, "STREAMS", "py:x", "0"), wanted)


class Resp2Test(CommandTest):
    options = {"protocol": 2}


class Resp3Test(CommandTest):
    options = {"protocol": 3}


class TextTest(CommandTest):
    options = {"decode_responses": True}


class TextResp2Test(CommandTest):
    options = {"decode_responses": True, "protocol": 2}


class OptionTest(Case):
    def test_names_reach_the_server(self) -> None:
        with client(client_name="py-name", db=3) as redis:
            self.assertEqual(redis.client_getname(), "py-name")
            mine = [one for one in redis.client_list() if one["name"] == "py-name"]
            self.assertEqual(mine[0]["db"], "3")

    def test_protocol_is_spoken(self) -> None:
        for protocol, wanted in ((2, "2"), (3, "3"), (None, "3")):
            with client(client_name="py-proto", protocol=protocol) as redis:
                line = [one for one in redis.client_list() if one["name"] == "py-proto"][0]
                self.assertEqual(line["resp"], wanted)

    def test_urls(self) -> None:
        with tendon.from_url(
            f"redis://{HOST}:{PORT}/4?decode_responses=yes&client_name=u"
        ) as redis:
            self.assertTrue(redis.set("py:a", "ä"))
            self.assertEqual((redis.get("py:a"), redis.client_getname()), ("ä", "u"))
            redis.delete("py:a")
        kwargs = tendon.ConnectionPool.from_url(
            "REDIS://us%40er:p%3Aw@[::1]:7000/2?db=5&socket_timeout=1.5", db=9
        ).connection_kwargs
        wanted = {
            "username": "us@er",
            "password": "p:w",
            "host": "::1",
            "port": 7000,
            "db": 5,
            "socket_timeout": 1.5,
        }
        self.assertEqual({name: kwargs[name] for name in wanted}, wanted)

    def test_unix_socket(self) -> None:
        from tests.support import SERVERS

        path = SERVERS["unix_socket"]
        with tendon.Redis(unix_socket_path=path) as redis:
            self.assertTrue(redis.ping())
        with tendon.from_url(f"unix://{path}?db=2") as redis:
            self.assertTrue(redis.ping())

    def test_credentials(self) -> None:
        from tests.support import SERVERS

        acl = SERVERS["acl"]
        provider = tendon.UsernamePasswordCredentialProvider(acl["username"], acl["password"])
        for options in (
            {"username": acl["username"], "password": acl["password"]},
            {"password": acl["default_password"]},
            {"credential_provider": provider},
        ):
            with client("acl", **options) as redis:
                self.assertTrue(redis.ping())
        with self.fails(tendon.DataError):
            client("acl", credential_provider=provider, password="x")
        with client(
            "acl", username=acl["readonly_username"], password=acl["readonly_password"]
        ) as redis:
            with self.fails(tendon.exceptions.NoPermissionError):
                redis.set("app:a", 1)

    def test_secrets_are_not_shown(self) -> None:
        secret = "geheim-4711"
        pool = tendon.ConnectionPool(password=secret, username="u", ssl_password=secret)
        for thing in (pool, tendon.Redis(connection_pool=pool), tendon.Redis(password=secret)):
            self.assertNotIn(secret, repr(thing))
        with self.fails(tendon.ConfigurationError) as it:
            tendon.from_url(f"redis://u:{secret}@host:bad/")
        self.assertNotIn(secret, str(it.error))
        self.assertIsInstance(it.error, ValueError)
