"""What the tests share: the servers of TENDON_SERVERS, keys of their own, small broken servers."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest
from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterator, List

import tendon

PREFIX = "py:"
# Whoever takes so long hangs, however busy the machine is.
PATIENCE = 60.0
# For what ends by a time-out of at most two seconds, which a busy machine may notice late.
SOON = 20.0  # retrying would take longer than this, too
ROOT = os.environ.get("TENDON_ROOT") or os.path.abspath(os.path.join(__file__, "../../../.."))


def servers() -> Dict[str, Any]:
    path = os.environ.get("TENDON_SERVERS")
    if not path:
        raise RuntimeError('TENDON_SERVERS is not set; run: eval "$(./dev env)"')
    with open(path, encoding="utf-8") as file:
        return json.load(file)


SERVERS = servers()
HOST: str = SERVERS["standalone"]["host"]
PORT: int = SERVERS["standalone"]["port"]
CA_FILE: str = SERVERS["ca_file"]
# Fails at the first trouble instead of trying eleven times: for tests that want to see the error.
ONCE = tendon.retry.Retry(tendon.backoff.NoBackoff(), 0)


def client(name: str = "standalone", **options: Any) -> tendon.Redis:
    server = SERVERS[name]
    return tendon.Redis(host=server["host"], port=server["port"], **options)


def impatient(name: str = "standalone", **options: Any) -> tendon.Redis:
    return client(name, retry=ONCE, **options)


class Case(unittest.TestCase):
    """
    A test with a client of the standalone server; keys that begin with "py:" vanish before it.
    """

    longMessage = True

    def client(self, name: str = "standalone", **options: Any) -> Any:
        """A client of one of the servers; asyncio tests give one that stands in for it."""
        return client(name, **options)

    def cluster(self, **options: Any) -> Any:
        return tendon.RedisCluster(**options)

    def setUp(self) -> None:
        self.redis = self.client()
        self.clear(self.redis)
        self.addCleanup(self.redis.close)

    def clear(self, redis: Any) -> None:
        for key in list(redis.scan_iter(PREFIX + "*", count=1000)):
            redis.delete(key)

    def fails(self, kind: type, *words: str, within: float = SOON) -> "Failing":
        return Failing(self, kind, words, within)


class Failing:
    """`with self.fails(kind, word, ...) as it:` wants exactly `kind`, its text, and in time."""

    def __init__(self, case: Case, kind: type, words: Any, within: float) -> None:
        self.case, self.kind, self.words, self.within = case, kind, words, within
        self.error: Any = None

    def __enter__(self) -> "Failing":
        self.began = time.monotonic()
        return self

    def __exit__(self, kind: Any, error: Any, _: Any) -> bool:
        took = time.monotonic() - self.began
        self.case.assertIsNotNone(kind, f"{self.kind.__name__} was not raised")
        if not issubclass(kind, Exception):
            return False
        self.case.assertIs(kind, self.kind, f"{kind.__name__}: {error}")
        for word in self.words:
            self.case.assertIn(word.lower(), str(error).lower())
        self.case.assertLess(took, self.within, "took too long")
        self.error = error
        return True


@contextmanager
def server_that(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server on a free port that does `answer` with each connection; gives the port."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=16)
    open_sockets: List[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            open_sockets.append(peer)
            threading.Thread(target=quietly, args=(peer,), daemon=True).start()

    def quietly(peer: socket.socket) -> None:
        try:
            answer(peer)
        except OSError:
            pass

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for peer in open_sockets:
            peer.close()


def dead_port() -> int:
    """A port where nobody listens, now or later: it is kept bound."""
    holder = socket.socket()
    holder.bind(("127.0.0.1", 0))
    port = int(holder.getsockname()[1])
    holder.detach()  # until the process ends
    return port


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def answers(client: Any) -> bool:
    try:
        return bool(client.ping())
    except tendon.RedisError:
        return False


def own_server(case: unittest.TestCase, *settings: str) -> int:
    """A server that ends with the test; gives its port."""
    port = free_port()
    folder = tempfile.TemporaryDirectory()
    case.addCleanup(folder.cleanup)
    path = os.path.join(folder.name, "redis.conf")
    lines = ["bind 127.0.0.1", f"port {port}", f"dir {folder.name}", 'save ""', *settings]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    null, command = subprocess.DEVNULL, SERVERS["standalone"]["command"][0]
    process = subprocess.Popen([command, path], stdout=null, stderr=null)
    case.addCleanup(process.wait)
    case.addCleanup(process.kill)
    with tendon.Redis(port=port, retry=ONCE) as probe:
        wait_until(lambda: answers(probe))
    return port


class Expendable:
    """The server that may be frozen and killed; always running again afterwards."""

    def __init__(self) -> None:
        self.info = SERVERS["expendable"]
        self.port: int = self.info["port"]
        self.started = 0

    def __enter__(self) -> "Expendable":
        if not self.answers():
            self.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.thaw()
        if not self.answers():
            self.start()

    @property
    def pid(self) -> int:
        """
        The server's own word: the harness may have started it again since the file was
        written.
        """
        with tendon.Redis(port=self.port) as redis:
            return int(redis.info("server")["process_id"])

    def answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 5) as peer:
                peer.sendall(b"PING\r\n")
                return peer.recv(5) == b"+PONG"
        except OSError:
            return False

    def freeze(self) -> None:
        self.frozen = self.pid
        os.kill(self.frozen, signal.SIGSTOP)

    def thaw(self) -> None:
        frozen, self.frozen = getattr(self, "frozen", 0), 0
        if frozen:
            os.kill(frozen, signal.SIGCONT)

    def kill(self) -> None:
        pid = self.pid
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: has_ended(pid))
        if self.started:  # ours to reap
            os.waitpid(self.started, 0)
            self.started = 0

    def start(self) -> None:
        command = self.info["command"]
        null = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)]
        self.started = os.posix_spawnp(
            command[0], command, os.environ, file_actions=null, setsid=True
        )
        wait_until(self.answers)


def has_ended(pid: int) -> bool:
    """Also of one whose parent has not noticed yet: its port is free."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def wait_until(done: Callable[[], bool], seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise AssertionError(f"did not happen within {seconds} s: {done}")
        time.sleep(0.02)
