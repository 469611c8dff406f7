"""
Wrong options, unreachable and broken servers, wrong sizes: a specific error, in time, and nothing
is lost.
"""

from __future__ import annotations

import socket
import time

import tendon
from tests.support import (
    HOST,
    ONCE,
    PATIENCE,
    PORT,
    SERVERS,
    SOON,
    Case,
    Expendable,
    client,
    dead_port,
    impatient,
    server_that,
    wait_until,
)


class OptionTest(Case):
    def test_wrong_names(self) -> None:
        with self.fails(TypeError, "hosst"):
            tendon.Redis(hosst="x")
        with self.fails(
            TypeError, "ConnectionPool()", "'socket_timout'", "did you mean 'socket_timeout'"
        ):
            tendon.ConnectionPool(socket_timout=5)
        with self.fails(tendon.ConfigurationError, "pool_maxx", "pool_max"):
            tendon.Redis(tendon_options={"pool_maxx": 1})

    def test_wrong_values(self) -> None:
        for options in (
            {"port": "abc"},
            {"port": 0},
            {"port": 70000},
            {"db": -1},
            {"db": "x"},
            {"socket_timeout": "soon"},
            {"socket_connect_timeout": -1},
            {"health_check_interval": "x"},
            {"client_name": "two words"},
            {"retry_on_error": [KeyError]},
            {"redis_connect_func": print},
            {"socket_keepalive_options": {999: 1}},
            {"retry": tendon.retry.Retry(object(), 1)},
        ):
            with self.subTest(options=options):
                with self.fails(tendon.ConfigurationError, next(iter(options)).split("_")[0]) as it:
                    tendon.Redis(**options).ping()
                self.assertIsInstance(it.error, (ValueError, tendon.DataError))
                self.assertEqual(it.error.executed, "no")
        with self.fails(ValueError, "max_connections"):
            tendon.ConnectionPool(max_connections=-1)
        with self.fails(tendon.ConnectionError, "protocol"):
            tendon.Redis(protocol=4)
        with self.fails(TypeError, "connection_class"):
            tendon.ConnectionPool(connection_class=dict)

    def test_malformed_urls(self) -> None:
        for url, word in (
            ("http://host", "redis://, rediss://, unix://"),
            ("host:6379", "schemes"),
            ("", "schemes"),
            ("redis://host:bad", "port"),
            ("redis://host/x", "db"),
            ("redis://:%zz@host", "percent"),
            ("redis://[::1", ""),
            ("redis://host?socket_timeout=soon", "socket_timeout"),
            ("redis://host:99999", "port"),
        ):
            with self.subTest(url=url), self.fails(tendon.ConfigurationError, word) as it:
                tendon.from_url(url)
            self.assertIsInstance(it.error, ValueError)
        with self.fails(TypeError, "socket_timout"):
            tendon.from_url("redis://host?socket_timout=1")


class ServerTest(Case):
    def tearDown(self) -> None:
        self.assertTrue(self.redis.set("py:after", 1), "another client still works")

    def check(self, it: object, executed: str, status: str) -> None:
        error = it.error  # type: ignore[attr-defined]
        self.assertEqual((error.executed, error.status_code), (executed, status), str(error))

    def test_wrong_password(self) -> None:
        acl = SERVERS["acl"]
        for options, word in (
            ({"password": "wrong"}, "WRONGPASS"),
            ({}, "NOAUTH"),
            ({"username": "nobody", "password": "x"}, "WRONGPASS"),
            (
                {"username": acl["username"], "password": acl["password"] + "x"},
                "username and password",
            ),
        ):
            with self.fails(tendon.AuthenticationError, word, "password") as it:
                client("acl", **options).ping()
            self.check(it, "no", "AUTH")
            self.assertNotIn(acl["password"], str(it.error))

    def test_refused_at_once(self) -> None:
        port = dead_port()
        with self.fails(tendon.ConnectionError, "refused", str(port), "running") as it:
            tendon.Redis(connection_pool=tendon.ConnectionPool(port=port)).ping()
        self.check(it, "no", "CONNECT")

    def test_unresolvable(self) -> None:
        # Two dots in a row are no name, so no name server is asked, who may be slow or away.
        with self.fails(tendon.ConnectionError, "no..such.invalid", "resolve") as it:
            tendon.Redis(host="no..such.invalid", retry=ONCE).ping()
        self.check(it, "no", "RESOLVE")

    def test_unreachable_host(self) -> None:
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        queued = [
            socket.socket() for _ in range(4)
        ]  # fills the backlog: further SYNs stay unanswered
        for one in queued:
            one.setblocking(False)
            one.connect_ex(address)
        time.sleep(0.1)
        redis = tendon.Redis(port=address[1], retry=ONCE, socket_connect_timeout=0.5)
        with self.fails(tendon.TimeoutError, "connect", within=SOON) as it:
            redis.ping()
        self.check(it, "no", "CONNECT_TIMEOUT")
        redis.close()
        for one in [listener, *queued]:
            one.close()

    def test_a_server_that_says_nothing(self) -> None:
        with server_that(lambda peer: time.sleep(5)) as port:
            redis = tendon.Redis(port=port, retry=ONCE, socket_connect_timeout=0.5)
            with self.fails(tendon.TimeoutError, within=SOON) as it:
                redis.ping()
            self.check(it, "no", "CONNECT_TIMEOUT")
            redis.close()

    def test_a_server_that_answers_garbage(self) -> None:
        for garbage in (
            b"HTTP/1.1 200 OK\r\n\r\n",
            b"\x00\xff" * 40,
            b"$-7\r\n",
            b"*99999999999999999999\r\n",
        ):
            with self.subTest(garbage=garbage[:10]):
                with server_that(lambda peer: (peer.recv(10), peer.sendall(garbage))) as port:
                    redis = tendon.Redis(port=port, retry=ONCE)
                    with self.fails(tendon.InvalidResponse, "port", within=SOON) as it:
                        redis.ping()
                    self.check(it, "no", "PROTOCOL")
                    redis.close()

    def test_garbage_after_the_handshake(self) -> None:
        def answer(peer: socket.socket) -> None:
            greeted = False
            while True:
                asked = peer.recv(65536)
                if not asked:
                    return
                if greeted or b"py:a" in asked:
                    peer.sendall(b"?what\r\n")
                    continue
                greeted = True
                peer.sendall(b"%1\r\n+proto\r\n:3\r\n" + b"+OK\r\n" * (asked.count(b"\r\n*")))

        with server_that(answer) as port:
            redis = tendon.Redis(port=port, retry=ONCE)
            with self.fails(tendon.InvalidResponse, within=SOON) as it:
                redis.set("py:a", 1)
            self.check(it, "unknown", "PROTOCOL")
            redis.close()

    def test_a_server_that_hangs_up(self) -> None:
        with server_that(lambda peer: peer.close()) as port:
            redis = tendon.Redis(port=port, retry=ONCE)
            with self.fails(tendon.ConnectionError, within=SOON) as it:
                redis.ping()
            self.check(it, "no", "CONNECT")
            redis.close()

    def test_read_timeout(self) -> None:
        with Expendable() as server:
            redis = tendon.Redis(port=server.port, retry=ONCE, socket_timeout=1)
            redis.set("py:a", "kept")
            server.freeze()
            with self.fails(tendon.TimeoutError, within=SOON) as it:
                redis.set("py:a", "lost?")
            self.check(it, "unknown", "TIMEOUT")
            server.thaw()
            wait_until(server.answers)
            self.assertIn(redis.get("py:a"), (b"kept", b"lost?"))
            redis.close()


class SizeTest(Case):
    def test_600_megabytes(self) -> None:
        self.redis.set("py:a", "kept")
        big = bytes(600_000_000)
        for use in (
            lambda: self.redis.set("py:a", big),
            lambda: self.redis.pipeline(transaction=False).set("py:a", big).execute(),
        ):
            with self.fails(tendon.DataError, "max_request_bytes", within=PATIENCE) as it:
                use()
            self.assertEqual((it.error.executed, it.error.status_code), ("no", "LIMIT"))
            self.assertEqual(self.redis.get("py:a"), b"kept")

    def test_a_reply_above_the_limit(self) -> None:
        redis = client(tendon_options={"max_reply_bytes": 100_000})
        self.redis.set("py:big", bytes(200_000))
        with self.fails(tendon.InvalidResponse, "limit") as it:
            redis.get("py:big")
        self.assertEqual(it.error.status_code, "LIMIT")
        self.assertEqual(redis.exists("py:big"), 1)
        redis.close()

    def test_large_values_arrive_whole(self) -> None:
        for size in (0, 1, 65535, 65536, 65537, 20_000_000):
            value = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
            self.assertTrue(self.redis.set("py:a", value))
            self.assertTrue(self.redis.get("py:a") == value, size)

    def test_any_bytes_are_a_key(self) -> None:
        key, value = b"py:\x00\r\n\xff $5", b"\x00" * 10 + b"\r\n+OK\r\n"
        self.assertTrue(self.redis.set(key, value))
        self.assertEqual(self.redis.get(key), value)
        self.assertEqual(list(self.redis.scan_iter("py:*")), [key])
        self.assertEqual(self.redis.delete(key), 1)

    def test_text_that_is_none(self) -> None:
        self.redis.set("py:a", b"\xff")
        redis = client(decode_responses=True)
        with self.fails(UnicodeDecodeError):
            redis.get("py:a")
        self.assertEqual(redis.set("py:b", "ok"), True)
        self.assertEqual(redis.get("py:b"), "ok")
        with client(decode_responses=True, encoding_errors="replace") as lenient:
            self.assertEqual(lenient.get("py:a"), "\ufffd")
        redis.close()

    def test_too_many_connections(self) -> None:
        pool = tendon.ConnectionPool(host=HOST, port=PORT, max_connections=2)
        lent = [pool.get_connection() for _ in range(2)]
        with self.fails(tendon.MaxConnectionsError, "2 connections") as it:
            pool.get_connection()
        self.assertEqual((it.error.executed, it.error.status_code), ("no", "POOL_EXHAUSTED"))
        for connection in lent:
            pool.release(connection)
        pool.close()
        waiting = tendon.BlockingConnectionPool(1, timeout=1, host=HOST, port=PORT)
        held = waiting.get_connection()
        with self.fails(tendon.ConnectionError, "raise max_connections", within=SOON) as it:
            waiting.get_connection()
        self.assertEqual(it.error.status_code, "POOL_TIMEOUT")
        waiting.release(held)
        waiting.close()

    def test_commands_that_would_disturb_others(self) -> None:
        for command in (["SELECT", 1], ["MULTI"], ["SUBSCRIBE", "x"], ["MONITOR"], ["QUIT"]):
            with self.subTest(command=command):
                try:
                    self.redis.execute_command(*command)
                except tendon.RedisError as error:
                    self.assertEqual(error.executed, "no", str(error))
                self.redis.set("py:a", 1)
                with impatient() as other:
                    self.assertEqual(
                        other.get("py:a"), b"1", "in database 0, outside a transaction"
                    )
