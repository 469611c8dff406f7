"""What errors say to a user of redis-py: the remedy in its words, its classes, its option names."""

from __future__ import annotations

import copy
import gc
import pickle
import socket
import sys
import time
from typing import Any, List
from unittest import mock

import tendon
from tendon import _failures, exceptions
from tendon._words import in_python_words
from tendon.backoff import ConstantBackoff
from tendon.retry import Retry
from tests.support import PORT, Case, client, impatient, server_that

# A command that would change everybody's connection, and what its refusal has to say.
REFUSED = (
    (("SELECT", 1), tendon.RedisError, "pass db="),
    (("AUTH", "secret"), tendon.RedisError, "pass username="),
    (("HELLO", 3), tendon.RedisError, "pass protocol="),
    (("MULTI",), tendon.RedisError, "use pipeline()"),
    (("WATCH", "py:a"), tendon.RedisError, "use pipeline()"),
    (("EXEC",), tendon.RedisError, "use pipeline()"),
    (("QUIT",), tendon.RedisError, "close()"),
    (("RESET",), tendon.RedisError, "single_connection_client=True"),
    (("SUBSCRIBE", "x"), tendon.ConfigurationError, "use pubsub()"),
    (("MONITOR",), tendon.ConfigurationError, "use monitor()"),
    (("SYNC",), tendon.ConfigurationError, "redis-py beside tendon"),
)


class RefusedCommandTest(Case):
    def test_the_remedy_comes_every_time(self) -> None:
        for command, kind, remedy in REFUSED:
            with self.subTest(command=command), client() as redis:
                for when in ("first", "second", "connected", "connected again"):
                    with self.fails(kind, str(command[0]), remedy) as it:
                        redis.execute_command(*command)
                    self.assertEqual(it.error.executed, "no", when)
                    self.assertNotIn("secret", str(it.error))
                    if when == "second":
                        redis.ping()

    def test_the_remedy_without_a_deadline(self) -> None:
        """Such calls go through a queue, so that Ctrl-C can end them."""
        with client(socket_timeout=None) as redis:
            for command, kind, remedy in REFUSED:
                with self.subTest(command=command), self.fails(kind, remedy):
                    redis.execute_command(*command)

    def test_pipelines_say_which_command(self) -> None:
        for transaction in (False, True):
            for command, kind, remedy in REFUSED:
                if command[0] == "WATCH":  # runs at once, as in redis-py
                    continue
                with self.subTest(command=command, transaction=transaction):
                    self.redis.delete("py:a")
                    pipe = self.redis.pipeline(transaction=transaction)
                    pipe.set("py:a", 1)
                    pipe.execute_command(*command)
                    with self.fails(kind, "Command # 2", remedy) as it:
                        pipe.execute()
                    self.assertEqual(it.error.executed, "no")
                    if transaction:
                        self.assertIsNone(self.redis.get("py:a"), "nothing was sent")

    def test_a_connection_of_ones_own_takes_them(self) -> None:
        with client(single_connection_client=True) as redis:
            self.assertTrue(redis.execute_command("SELECT", 1))
            self.assertTrue(redis.execute_command("SELECT", 0))

    def test_what_has_no_method(self) -> None:
        for owner in (self.redis, self.redis.pipeline()):
            self.assertFalse(hasattr(owner, "xackdel"))
            with self.assertRaisesRegex(AttributeError, "xackdel.*Redis 8.*execute_command"):
                owner.xackdel


class NameTest(Case):
    def test_names_of_options(self) -> None:
        for status, said, wanted in (
            ("TLS", "set tls_cert_file and tls_key_file", "set ssl_certfile and ssl_keyfile"),
            ("CONNECT", "expects TLS? (option tls)", "expects TLS? (option ssl)"),
            ("TIMEOUT", "200 ms (option read_timeout_ms)", "200 ms (option socket_timeout)"),
            ("TLS_CONFIG", "tls_ca_file '/etc/tls_ca_file'", "ssl_ca_certs '/etc/tls_ca_file'"),
            ("TLS_CONFIG", "'tls_ca_file/x' and pool_max.pem", "'tls_ca_file/x' and pool_max.pem"),
            ("CONFIG", "option 'host' is empty", "option 'host' is empty"),
            ("URL", "redis://h?pool_max=x", "redis://h?pool_max=x"),
            ("STATE", "X is not allowed now", "X is not allowed now"),
        ):
            self.assertEqual(in_python_words(status, said), wanted)

    def test_pool_limits(self) -> None:
        with self.fails(tendon.ConfigurationError, "pool_max is max_connections"):
            client(max_connections=70000)
        pool = tendon.ConnectionPool(port=PORT, max_connections=1)
        held = pool.get_connection()
        with self.fails(tendon.MaxConnectionsError, "raise max_connections"):
            pool.get_connection()
        pool.release(held)
        pool.close()

    def test_server_errors_stay_verbatim(self) -> None:
        error = _failures.from_status(-24, "LOADING tls_ca_file; use a lease", "LOADING")
        self.assertEqual(str(error), "LOADING tls_ca_file; use a lease")

    def test_a_database_that_is_not_there(self) -> None:
        for redis in (client(db=99), impatient(db=99)):
            with self.fails(tendon.ResponseError) as it:
                redis.get("py:a")
            self.assertEqual(str(it.error), "DB index is out of range")
            self.assertEqual((it.error.executed, it.error.status_code), ("no", "ERR"))
            redis.close()


class CopyTest(Case):
    def test_a_deep_copy_is_refused_without_noise(self) -> None:
        noise: List[Any] = []
        with mock.patch.object(sys, "unraisablehook", noise.append):
            for work in (copy.deepcopy, pickle.dumps):
                for thing in (self.redis, self.redis.connection_pool):
                    with self.assertRaisesRegex(TypeError, "cannot be copied"):
                        work(thing)
            gc.collect()
        self.assertEqual(noise, [])
        self.assertTrue(copy.copy(self.redis).ping(), "a shallow copy shares the pool")


class WaitTest(Case):
    def test_constant_backoff_is_constant(self) -> None:
        """A server that is loading is asked again after the same wait each time."""
        asked: List[float] = []

        def answer(peer: socket.socket) -> None:
            while True:
                words = peer.recv(65536)
                if not words:
                    return
                if b"py:a" in words:
                    asked.append(time.monotonic())
                    peer.sendall(b"-LOADING not yet\r\n")
                else:  # the handshake
                    peer.sendall(b"%1\r\n+proto\r\n:3\r\n" + b"+OK\r\n" * words.count(b"\r\n*"))

        with server_that(answer) as port:
            redis = tendon.Redis(port=port, retry=Retry(ConstantBackoff(0.2), 3))
            with self.fails(tendon.BusyLoadingError):
                redis.get("py:a")
            redis.close()
        waits = [later - earlier for earlier, later in zip(asked, asked[1:])]
        self.assertEqual(len(waits), 3)
        for wait in waits:
            self.assertGreaterEqual(wait, 0.199)
