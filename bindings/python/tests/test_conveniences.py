"""What redis-py has beside commands: locks, scripts, mapping, providers, nodes of a cluster."""

from __future__ import annotations

import asyncio
import time
import warnings
from typing import Any, Set, Tuple

import tendon
import tendon.asyncio
from tests import support
from tests.support import SERVERS, Case

SCRIPT = "return {KEYS[1], ARGV[1]}"


def cluster(**options: Any) -> tendon.RedisCluster:
    node = SERVERS["cluster"]["nodes"][0]
    return tendon.RedisCluster(host=node["host"], port=node["port"], **options)


class LockTest(Case):
    def test_one_holder(self) -> None:
        with self.redis.lock("py:lock", timeout=60) as lock:
            self.assertTrue(lock.locked() and lock.owned())
            other = self.redis.lock("py:lock", blocking_timeout=0.1, sleep=0.02)
            self.assertFalse(other.acquire())
            self.assertFalse(other.owned())
            self.assertFalse(self.redis.lock("py:lock").acquire(blocking=False))
            with self.fails(tendon.exceptions.LockError, "Unable to acquire") as it, other:
                pass
            self.assertEqual(it.error.lock_name, "py:lock")
        self.assertFalse(lock.locked())

    def test_its_time(self) -> None:
        lock = self.redis.lock("py:lock", timeout=60)
        self.assertTrue(lock.acquire(token="mine"))
        self.assertEqual(self.redis.get("py:lock"), b"mine")
        self.assertTrue(lock.extend(60))
        self.assertGreater(self.redis.pttl("py:lock"), 60000)
        self.assertTrue(lock.extend(50, replace_ttl=True))
        self.assertLessEqual(self.redis.pttl("py:lock"), 50000)
        self.assertTrue(lock.reacquire())
        self.assertGreater(self.redis.pttl("py:lock"), 50000)

    def test_lost(self) -> None:
        lock = self.redis.lock("py:lock", timeout=60)
        lock.acquire()
        self.redis.set("py:lock", "another's")
        for call in (lambda: lock.extend(1), lock.reacquire, lock.release):
            with self.fails(tendon.exceptions.LockNotOwnedError, "no longer owned"):
                call()
        self.assertEqual(self.redis.get("py:lock"), b"another's")
        with self.fails(tendon.exceptions.LockError, "not owned"):
            lock.release()

    def test_what_it_refuses(self) -> None:
        lock = self.redis.lock("py:lock")
        with self.fails(tendon.exceptions.LockError, "unlocked"):
            lock.extend(1)
        lock.acquire()
        with self.fails(tendon.exceptions.LockError, "no timeout"):
            lock.reacquire()

    def test_release_error_that_is_only_logged(self) -> None:
        with self.assertLogs("tendon.lock", "WARNING"):
            with self.redis.lock("py:lock", timeout=60, raise_on_release_error=False):
                self.redis.delete("py:lock")

    def test_in_a_cluster_and_decoded(self) -> None:
        with cluster(decode_responses=True) as redis, redis.lock("py:lock", timeout=60) as lock:
            self.assertTrue(lock.owned())

    def test_asyncio(self) -> None:
        async def run() -> None:
            async with tendon.asyncio.Redis(host=support.HOST, port=support.PORT) as redis:
                async with redis.lock("py:lock", timeout=60) as lock:
                    self.assertTrue(await lock.owned())
                    other = redis.lock("py:lock", blocking=False)
                    self.assertFalse(await other.acquire())
                    self.assertTrue(await lock.extend(10))
                self.assertFalse(await lock.locked())

        asyncio.run(run())


class ScriptTest(Case):
    def test_loaded_when_it_must_be(self) -> None:
        script = self.redis.register_script(f"{SCRIPT} -- {time.time_ns()}")
        self.assertEqual(self.redis.script_exists(script.sha), [False])
        self.assertEqual(script(keys=["py:a"], args=[1]), [b"py:a", b"1"])
        self.assertEqual(self.redis.script_exists(script.sha), [True])
        with support.client(decode_responses=True) as other:
            self.assertEqual(script(keys=["py:a"], args=[1], client=other), ["py:a", "1"])

    def test_in_pipelines(self) -> None:
        for transaction in (True, False):
            script = self.redis.register_script(f"{SCRIPT} -- {time.time_ns()}")
            with self.redis.pipeline(transaction=transaction) as pipe:
                pipe.set("py:a", 1)
                script(keys=["py:a"], args=[2], client=pipe)
                self.assertEqual(pipe.execute(), [True, [b"py:a", b"2"]])

    def test_while_watching(self) -> None:
        script = self.redis.register_script(f"{SCRIPT} -- {time.time_ns()}")
        with self.redis.pipeline() as pipe:
            pipe.watch("py:a")
            self.assertEqual(script(keys=["py:a"], args=[3], client=pipe), [b"py:a", b"3"])

    def test_in_a_cluster(self) -> None:
        with cluster() as redis:
            script = redis.register_script(f"{SCRIPT} -- {time.time_ns()}")
            for key in ("py:a", "py:b", "py:c"):
                self.assertEqual(script(keys=[key], args=[1]), [key.encode(), b"1"])

    def test_asyncio(self) -> None:
        async def run() -> None:
            async with tendon.asyncio.Redis(host=support.HOST, port=support.PORT) as redis:
                script = redis.register_script(f"{SCRIPT} -- {time.time_ns()}")
                self.assertEqual(await script(keys=["py:a"], args=[1]), [b"py:a", b"1"])
                script = redis.register_script(f"{SCRIPT} -- {time.time_ns()}")
                async with redis.pipeline() as pipe:
                    await script(keys=["py:a"], args=[2], client=pipe)
                    self.assertEqual(await pipe.execute(), [[b"py:a", b"2"]])

        asyncio.run(run())


class Rotating(tendon.CredentialProvider):
    def __init__(self) -> None:
        self.password, self.asked = "first", 0

    def get_credentials(self) -> Tuple[str, str]:
        self.asked += 1
        return "py-rotating", self.password


class ProviderTest(Case):
    """Credentials that change, as those of IAM do: the provider is asked again."""

    def setUp(self) -> None:
        acl = SERVERS["acl"]
        where = {"host": acl["host"], "port": acl["port"]}
        self.admin = tendon.Redis(**where, username=acl["username"], password=acl["password"])
        self.addCleanup(self.admin.close)
        self.addCleanup(self.admin.acl_deluser, "py-rotating")
        self.where = where
        self.change("first")
        self.provider = Rotating()

    def change(self, password: str) -> None:
        self.admin.acl_setuser(
            "py-rotating",
            enabled=True,
            reset=True,
            passwords=["+" + password],
            categories=["+@all"],
            keys=["*"],
            channels=["*"],
        )
        self.admin.client_kill_filter(user="py-rotating")

    def test_blocking(self) -> None:
        with tendon.Redis(**self.where, credential_provider=self.provider) as redis:
            self.assertEqual(redis.acl_whoami(), "py-rotating")
            for password, use in (
                ("second", redis.ping),
                ("third", lambda: redis.pipeline().ping().execute()),
                ("fourth", lambda: redis.client().ping()),
            ):
                self.provider.password = password  # before anybody connects again
                self.change(password)
                use()
            self.change("fifth")
            with self.fails(tendon.AuthenticationError):
                for _ in range(20):  # the first may still find the lost connection
                    redis.ping()
        self.assertGreaterEqual(self.provider.asked, 4)

    def test_subscriptions(self) -> None:
        with tendon.Redis(**self.where, credential_provider=self.provider) as redis:
            p = redis.pubsub(ignore_subscribe_messages=True)
            for password in ("second", "third"):
                self.provider.password = password
                self.change(password)
                p.subscribe("py:" + password)
            self.provider.password = "fourth"
            self.change("fourth")
            support.wait_until(lambda: heard(self.admin, p))
            p.close()

    def test_asyncio(self) -> None:
        async def run() -> None:
            async with tendon.asyncio.Redis(
                **self.where, credential_provider=self.provider
            ) as redis:
                self.assertEqual(await redis.acl_whoami(), "py-rotating")
                for password, use in (
                    ("second", redis.ping),
                    ("third", lambda: redis.pipeline().ping().execute()),
                    ("fourth", lambda: redis.client().initialize()),
                ):
                    self.change(password)
                    self.provider.password = password
                    await use()

        asyncio.run(run())
        self.assertEqual(self.provider.asked, 4)

    def test_streaming_is_refused(self) -> None:
        class Streaming(tendon.credentials.StreamingCredentialProvider):
            def is_streaming(self) -> bool:
                return True

        with self.fails(tendon.exceptions.ConfigurationError, "streaming"):
            tendon.Redis(credential_provider=Streaming())


def heard(redis: Any, pubsub: Any) -> bool:
    """Whether a message gets through."""
    redis.publish("py:second", "x")
    found = pubsub.get_message(timeout=0.1)
    return found is not None and found["type"] == "message"


class NodeTest(Case):
    def test_a_client_of_one_node(self) -> None:
        with cluster() as redis:
            primaries = redis.get_primaries()
            names: Set[bytes] = set()
            for node in primaries:
                one = redis.get_redis_connection(node)
                self.assertTrue(one.ping())
                self.assertEqual(one.info("replication")["role"], "master")
                one.set(own_key(redis, node), "1")
                names.update(one.scan_iter("py:node:*"))
            self.assertEqual(len(names), len(primaries))

    def test_default_node(self) -> None:
        with cluster() as redis:
            before = redis.get_default_node()
            redis.replace_default_node()
            self.assertNotEqual(redis.get_default_node(), before)
            redis.replace_default_node(before)
            self.assertEqual(redis.get_default_node(), before)
            self.assertIn(redis.get_random_primary_node(), redis.get_primaries())

    def test_crc(self) -> None:
        self.assertEqual(tendon.crc.key_slot(b"{user}.a"), tendon.crc.key_slot(b"user"))
        self.assertEqual(tendon.crc.key_slot(b"foo"), 12182)


def own_key(redis: Any, node: Any) -> str:
    """A key of the node."""
    return next(
        key
        for key in (f"py:node:{n}" for n in range(10000))
        if redis.get_node_from_key(key) == node
    )


def _refusing(_reply: Any) -> Any:
    raise tendon.ConnectionError("not what was hoped for")


class OthersTest(Case):
    def test_mapping(self) -> None:
        self.redis["py:a"] = "1"
        self.assertEqual(self.redis["py:a"], b"1")
        self.assertIn("py:a", self.redis)
        del self.redis["py:a"]
        self.assertNotIn("py:a", self.redis)
        with self.assertRaises(KeyError):
            self.redis["py:a"]

    def test_bitfield(self) -> None:
        chain = self.redis.bitfield("py:bits").set("u8", 0, 255).get("u8", 0)
        chain.incrby("u8", 0, 1, "SAT").overflow("FAIL").incrby("u8", 0, 1)
        self.assertEqual(chain.execute(), [0, 255, 255, None])

    def test_own_connection_stays(self) -> None:
        with support.client(single_connection_client=True) as redis:
            own = redis.client_id()
            self.assertEqual([redis.client_id() for _ in range(3)], [own] * 3)
            with self.assertRaises(tendon.ResponseError):
                redis.execute_command("GET")
            self.assertEqual(redis.client_id(), own, "an error of the server costs no connection")
            redis.set_response_callback("ECHO", _refusing)
            with self.assertRaises(tendon.ConnectionError):
                redis.echo("x")
            self.assertEqual(redis.client_id(), own, "nor does a callback's")

    def test_own_connection(self) -> None:
        with support.client(single_connection_client=True) as redis:
            self.assertTrue(redis.client_setname("py-own"))
            self.assertEqual(redis.client_getname(), "py-own")
            self.assertEqual(redis.client_no_evict("ON"), b"OK")
            self.assertEqual(redis.client_tracking(True, bcast=True, prefix=["py:"]), b"OK")
            self.assertEqual(redis.client_tracking_off(), b"OK")
            self.assertEqual(redis.client_tracking_on(noloop=True), b"OK")
            self.assertIn(b"noloop", redis.client_trackinginfo()[1])
            for call in (  # commands of later servers than 7.0
                lambda: redis.client_no_touch("ON"),
                lambda: redis.client_setinfo("LIB-NAME", "py-own"),
            ):
                try:
                    self.assertIn(call(), (True, b"OK"))
                except tendon.ResponseError as error:
                    self.assertIn("unknown subcommand", str(error).lower())

    def test_move(self) -> None:
        self.redis.set("py:a", 1)
        self.assertTrue(self.redis.move("py:a", 1))
        with support.client(db=1) as other:
            self.assertEqual(other.delete("py:a"), 1)

    def test_response_callbacks(self) -> None:
        self.redis.set_response_callback("get", lambda reply, **options: ("got", reply))
        self.redis.set("py:a", 1)
        self.assertEqual(self.redis.get("py:a"), ("got", b"1"))

    def test_watch_of_a_client(self) -> None:
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            self.redis.watch("py:a")
            self.redis.unwatch()
        self.assertEqual([one.category for one in found], [DeprecationWarning] * 2)

    def test_driver_info(self) -> None:
        info = (
            tendon.DriverInfo().add_upstream_driver("celery", "5.4").add_upstream_driver("a", "1")
        )
        self.assertEqual(info.formatted_name, "tendon-py(a_v1;celery_v5.4)")
        with self.assertRaises(ValueError):
            info.add_upstream_driver("has space", "1")

    def test_modules_of_redis_py(self) -> None:
        self.assertIs(tendon.asyncio.Redis, tendon.asyncio.client.Redis)
        self.assertEqual(repr(tendon.ConnectionError()), "network:ConnectionError")
