"""Subscriptions and MONITOR, of blocking clients."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any, Dict, List

import tendon
from tests import support
from tests.support import SERVERS, Case


def cluster(**options: Any) -> tendon.RedisCluster:
    node = SERVERS["cluster"]["nodes"][0]
    return tendon.RedisCluster(host=node["host"], port=node["port"], **options)


def message(kind: str, channel: Any, data: Any, pattern: Any = None) -> Dict[str, Any]:
    return {"type": kind, "pattern": pattern, "channel": channel, "data": data}


class PubSubTest(Case):
    def setUp(self) -> None:
        super().setUp()
        self.pubsub = self.redis.pubsub()
        self.addCleanup(self.pubsub.close)

    def next(self, pubsub: Any = None) -> Any:
        return (pubsub or self.pubsub).get_message(timeout=support.PATIENCE)

    def test_channels_and_patterns(self) -> None:
        p = self.pubsub
        p.subscribe("py:one", b"py:two")
        p.psubscribe("py:t*")
        self.assertEqual(self.next(), message("subscribe", b"py:one", 1))
        self.assertEqual(self.next(), message("subscribe", b"py:two", 2))
        self.assertEqual(self.next(), message("psubscribe", b"py:t*", 3))
        self.assertEqual(self.redis.publish("py:two", "hello"), 2)
        self.assertEqual(self.next(), message("message", b"py:two", b"hello"))
        self.assertEqual(self.next(), message("pmessage", b"py:two", b"hello", b"py:t*"))
        self.assertEqual(
            (p.channels, p.patterns), ({b"py:one": None, b"py:two": None}, {b"py:t*": None})
        )
        self.assertTrue(p.subscribed)
        self.assertIsNone(p.get_message())

    def test_many_at_once_and_one_that_is_no_text(self) -> None:
        text = self.client(decode_responses=True)
        p = text.pubsub(ignore_subscribe_messages=True)
        self.addCleanup(p.close)
        p.subscribe("py:many")
        p.get_message(timeout=support.PATIENCE)
        pipe = self.redis.pipeline(transaction=False)
        for number in range(300):
            pipe.publish("py:many", b"\xff" if number == 150 else str(number))
        pipe.execute()
        for number in range(300):
            if number == 150:
                with self.assertRaises(UnicodeDecodeError):
                    self.next(p)
            else:
                self.assertEqual(self.next(p), message("message", "py:many", str(number)))
        self.assertIsNone(p.get_message())

    def test_giving_up(self) -> None:
        p = self.redis.pubsub(ignore_subscribe_messages=True)
        p.subscribe("py:one", "py:two")
        p.unsubscribe("py:one")
        p.unsubscribe()
        self.assertEqual([found for found in p.listen()], [], "listen ends by itself")
        self.assertFalse(p.subscribed)
        self.assertEqual(self.redis.publish("py:one", "x"), 0)
        p.subscribe("py:three")
        self.redis.publish("py:three", "again")
        self.assertIsNone(p.get_message(timeout=support.PATIENCE), "the confirmation is ignored")
        self.assertEqual(self.next(p), message("message", b"py:three", b"again"))
        p.close()
        self.assertIsNone(p.get_message(timeout=0.01))

    def test_handlers(self) -> None:
        found: List[Any] = []
        handler = found.append
        p = self.redis.pubsub(ignore_subscribe_messages=True)
        p.subscribe(tendon.Subscription("py:sub", handler), **{"py:kw": handler})
        for channel in ("py:sub", "py:kw"):
            self.redis.publish(channel, channel)
        while len(found) < 2:
            self.assertIsNone(p.get_message(timeout=support.PATIENCE))
        self.assertEqual([one["channel"] for one in found], [b"py:sub", b"py:kw"])
        p.close()

    def test_decoded(self) -> None:
        with support.client(decode_responses=True) as redis, redis.pubsub() as p:
            p.subscribe("py:ü")
            self.assertEqual(self.next(p), message("subscribe", "py:ü", 1))
            redis.publish("py:ü", "grün")
            self.assertEqual(self.next(p), message("message", "py:ü", "grün"))
            self.redis.publish("py:ü", b"\xff")
            with self.assertRaises(UnicodeDecodeError):
                self.next(p)
            self.redis.publish("py:ü", b"fine")
            self.assertEqual(self.next(p)["data"], "fine")

    def test_both_wires(self) -> None:
        for protocol in (2, 3):
            with support.client(protocol=protocol) as redis, redis.pubsub() as p:
                p.subscribe("py:one")
                self.assertEqual(self.next(p), message("subscribe", b"py:one", 1))
                self.assertTrue(p.ping("there?"))
                self.assertEqual(self.next(p), message("pong", None, b"there?"))

    def test_binary_and_many(self) -> None:
        self.pubsub.subscribe(b"py:\x00\xff")
        self.next()
        for start in range(0, 5000, 500):
            pipe = self.redis.pipeline(transaction=False)
            for number in range(start, start + 500):
                pipe.publish(b"py:\x00\xff", number)
            pipe.execute()
        wanted = [str(number).encode() for number in range(5000)]
        self.assertEqual([self.next()["data"] for _ in wanted], wanted)

    def test_a_thread(self) -> None:
        found: List[Any] = []
        p = self.redis.pubsub()
        p.subscribe(**{"py:one": found.append})
        thread = p.run_in_thread(sleep_time=0.01, daemon=True)
        p.subscribe(**{"py:two": found.append})
        self.redis.publish("py:one", "1")
        self.redis.publish("py:two", "2")
        support.wait_until(lambda: len(found) == 2)
        thread.stop()
        thread.join(support.PATIENCE)
        self.assertFalse(thread.is_alive())
        self.assertEqual([one["data"] for one in found], [b"1", b"2"])
        support.wait_until(lambda: self.redis.pubsub_numsub("py:one") == [(b"py:one", 0)])

    def test_a_thread_and_exceptions(self) -> None:
        told: List[Any] = []

        def fail(_: Any) -> None:
            raise ZeroDivisionError

        p = self.redis.pubsub()
        p.subscribe("py:one")
        with self.fails(tendon.PubSubError, "no handler"):
            p.run_in_thread()
        p.subscribe(**{"py:one": fail})
        thread = p.run_in_thread(exception_handler=lambda *given: told.append(given), daemon=True)
        self.redis.publish("py:one", "1")
        support.wait_until(lambda: len(told) == 1)
        self.assertIsInstance(told[0][0], ZeroDivisionError)
        self.assertIs(told[0][1], p)
        thread.stop()
        thread.join(support.PATIENCE)

    def test_waiting_before_anything_is_subscribed(self) -> None:
        self.assertIsNone(self.pubsub.get_message(timeout=0.05))
        with self.assertRaisesRegex(RuntimeError, "did you forget"):
            self.pubsub.parse_response()
        found: List[Any] = []
        thread = threading.Thread(target=lambda: found.append(self.next()))
        thread.start()
        self.pubsub.subscribe("py:late")
        thread.join(support.PATIENCE)
        self.assertEqual(found, [message("subscribe", b"py:late", 1)])

    def test_bad_input(self) -> None:
        for given in ((), (None,), (True,), ([],), (["py:a", None],)):
            with self.subTest(given), self.assertRaises(tendon.DataError):
                self.pubsub.subscribe(*given)
        with self.fails(tendon.exceptions.ConfigurationError, "publish"):
            self.pubsub.execute_command("PUBLISH", "a", "b")
        self.assertEqual(self.pubsub.channels, {})

    def test_refused(self) -> None:
        acl = SERVERS["acl"]
        given = dict(host=acl["host"], port=acl["port"], username=acl["readonly_username"])
        with tendon.Redis(**given, password=acl["readonly_password"]) as redis:
            p = redis.pubsub()
            with self.fails(tendon.exceptions.NoPermissionError, "permissions"):
                p.subscribe("py:secret")
            self.assertFalse(p.subscribed or p.channels)
            p.close()
        with tendon.Redis(port=support.dead_port(), retry=support.ONCE) as redis:
            p = redis.pubsub()
            with self.fails(tendon.ConnectionError):
                p.subscribe("py:nowhere")
            self.assertFalse(p.subscribed or p.channels)
            p.close()

    def test_again_after_a_lost_connection(self) -> None:
        gaps: List[float] = []
        p = self.redis.pubsub(on_gap=gaps.append)
        p.subscribe("py:one")
        p.psubscribe("py:p*")
        names = [self.next(p), self.next(p)]
        with self.assertLogs("tendon.pubsub", "WARNING"):
            self.redis.client_kill_filter(_type="pubsub", skipme=True)
            again = [self.next(p), self.next(p)]
            support.wait_until(lambda: self.redis.publish("py:one", "back") == 1)
            self.assertEqual(self.next(p)["data"], b"back")
        self.assertEqual([one["channel"] for one in again], [one["channel"] for one in names])
        self.assertEqual((len(gaps), p.gaps), (1, 1))
        p.close()

    def test_a_server_that_is_killed(self) -> None:
        with support.Expendable() as server, tendon.Redis(port=server.port) as redis:
            p = redis.pubsub()
            p.subscribe("py:one")
            self.next(p)
            server.kill()
            self.assertIsNone(p.get_message(timeout=0.2))
            server.start()
            self.assertEqual(self.next(p), message("subscribe", b"py:one", 1))
            redis.publish("py:one", "back")
            self.assertEqual(self.next(p)["data"], b"back")
            self.assertEqual(p.gaps, 1)
            p.close()

    def test_a_client_that_is_closed(self) -> None:
        with support.client() as redis:
            p = redis.pubsub()
            p.subscribe("py:one")
            self.next(p)
            redis.close()
            self.assertEqual(self.next(p)["type"], "subscribe", "connected again, as in redis-py")
            redis.publish("py:one", "1")
            self.assertEqual(self.next(p)["data"], b"1")
            p.close()

    def test_ctrl_c(self) -> None:
        # Below a shell's background job it is ignored.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        self.addCleanup(signal.signal, signal.SIGINT, before)
        self.pubsub.subscribe("py:one")
        self.next()
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        with self.assertRaises(KeyboardInterrupt):
            self.pubsub.get_message(timeout=support.PATIENCE)
        self.redis.publish("py:one", "still")
        self.assertEqual(self.next()["data"], b"still")

    def test_a_forked_child(self) -> None:
        self.pubsub.subscribe("py:fork")
        self.next()
        child = os.fork()
        if not child:
            code = 1
            try:
                with self.redis.pubsub() as own:  # must not touch the parent's connection
                    own.subscribe("py:child")
                    code = int(self.next(own) != message("subscribe", b"py:child", 1))
                self.redis.publish("py:fork", "from the child")
            finally:
                os._exit(code)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        self.assertEqual(self.next()["data"], b"from the child")

    def test_given_up_without_close(self) -> None:
        p = self.redis.pubsub()
        p.subscribe("py:dropped")
        del p
        support.wait_until(lambda: self.redis.pubsub_numsub("py:dropped") == [(b"py:dropped", 0)])


class ClusterPubSubTest(Case):
    def test_channels(self) -> None:
        with cluster() as redis, redis.pubsub() as p:
            p.subscribe("py:one", "py:other")
            self.assertEqual(p.get_message(timeout=support.PATIENCE)["type"], "subscribe")
            self.assertEqual(p.get_message(timeout=support.PATIENCE)["type"], "subscribe")
            self.assertEqual(p.get_pubsub_node(), redis.get_node_from_key("py:one"))
            redis.publish("py:other", "1")
            self.assertEqual(p.get_message(timeout=support.PATIENCE)["data"], b"1")

    def test_a_node(self) -> None:
        with cluster() as redis:
            node = redis.get_replicas()[0]
            for given in ({"node": node}, {"host": node.host, "port": node.port}):
                with redis.pubsub(**given) as p:
                    p.subscribe("py:one")
                    wanted = [(b"py:one", 1)]
                    support.wait_until(
                        lambda: redis.pubsub_numsub("py:one", target_nodes=node) == wanted
                    )
                    self.assertEqual(p.get_pubsub_node(), node)
            with self.fails(tendon.RedisClusterException, "doesn't exist"):
                redis.pubsub(host="nowhere", port=1)
            with self.fails(tendon.DataError, "port"):
                redis.pubsub(host="nowhere")

    def test_sharded_channels(self) -> None:
        with cluster() as redis, redis.pubsub(ignore_subscribe_messages=True) as p:
            names = [f"py:shard:{number}" for number in range(20)]
            p.ssubscribe(*names)
            self.assertEqual(len(p.shard_channels), 20)
            for name in names:
                self.assertEqual(redis.spublish(name, name), 1)
            found = set()
            while len(found) < 20:
                one = p.get_sharded_message(timeout=support.PATIENCE)
                if one is not None:
                    self.assertEqual((one["type"], one["channel"]), ("smessage", one["data"]))
                    found.add(one["data"].decode())
            self.assertEqual(found, set(names))
            p.sunsubscribe()
            self.assertEqual(list(p.listen()), [])
            self.assertEqual(redis.spublish(names[0], "x"), 0)

    def test_sharded_channels_of_one_server(self) -> None:
        with self.redis.pubsub() as p:
            p.ssubscribe("py:shard")
            self.assertEqual(p.get_message(timeout=support.PATIENCE)["type"], "ssubscribe")
            self.redis.spublish("py:shard", "1")
            found = p.get_message(timeout=support.PATIENCE)
            self.assertEqual(found, message("smessage", b"py:shard", b"1"))


class MonitorTest(Case):
    def test_commands(self) -> None:
        with self.redis.monitor() as monitor:
            self.redis.set("py:monitor", 'a "quoted" value')
            for found in monitor.listen():
                if "py:monitor" in found["command"]:
                    break
        self.assertEqual(found["command"], 'SET py:monitor a "quoted" value')
        self.assertEqual((found["db"], found["client_type"]), (0, "tcp"))
        self.assertIn(found["client_address"], ("127.0.0.1", "[::1]"))
        self.assertTrue(found["client_port"].isdigit())
        self.assertLess(abs(found["time"] - time.time()), 3600)

    def test_lua(self) -> None:
        with self.redis.monitor() as monitor:
            self.redis.eval("return redis.call('get', KEYS[1])", 1, "py:lua")
            kinds = {}
            while "lua" not in kinds:
                found = monitor.next_command()
                kinds[found["client_type"]] = found
        self.assertEqual(kinds["lua"]["command"], "get py:lua")

    def test_a_node_of_a_cluster(self) -> None:
        with cluster() as redis:
            node = redis.get_node_from_key("py:monitor")
            with redis.monitor(target_node=node) as monitor:
                redis.set("py:monitor", 1)
                while "py:monitor" not in monitor.next_command()["command"]:
                    pass
