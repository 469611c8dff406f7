"""
The article's best practice "Handle connection failures gracefully": the functions of article.py in
front of a slow database. This program starts a server of its own, kills it in the middle and starts
it again; the application goes on, slower.
"""

import logging
import os
import socket
import subprocess
import time
from typing import Any, Dict, List, Tuple

import tendon as redis

DATABASE_S = 0.02  # what one question to the database takes
PORTS = range(15340, 15380)


def free_port() -> int:
    for port in PORTS:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise SystemExit(f"no free port in {PORTS}")


def start_server(port: int) -> "subprocess.Popen[bytes]":
    server = subprocess.Popen(
        ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", ""],
        stdout=subprocess.DEVNULL,
    )
    while True:  # ready means answering
        with socket.socket() as probe:
            if not probe.connect_ex(("127.0.0.1", port)):
                return server
        if server.poll() is not None:
            raise SystemExit("redis-server did not start")
        time.sleep(0.02)


def phase(app: "Application", title: str) -> Tuple[int, int, float]:
    """Asks for ten users, three times each, and tells who answered and how long it took."""
    errors, reads, began = len(app.warnings), app.db.reads, time.monotonic()
    for _ in range(3):
        for number in range(10):
            assert app.get_user(number) == {"id": number, "name": f"user {number}"}
    took, reads = time.monotonic() - began, app.db.reads - reads
    errors = len(app.warnings) - errors
    print(
        f"{title}: 30 right answers, {30 - reads} from the cache, {reads} from the database, ",
        end="",
    )
    print(f"{errors} errors logged, {took * 1000:.0f} ms")
    return reads, errors, took


class Log(logging.Handler):
    """Keeps the texts."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: List[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


class Application:
    """The article's module, with a database that takes its time and a log that is kept."""

    def __init__(self) -> None:
        import article

        class Slow(article.Database):
            def fetch_user(self, user_id: int) -> Dict[str, Any]:
                time.sleep(DATABASE_S)
                return super().fetch_user(user_id)

        self.db = article.db = Slow()
        self.get_user = article.get_user
        log = Log()
        self.warnings = log.texts
        article.logger.addHandler(log)
        article.logger.propagate = False
        self.client, self.close = article.redis_client, article.redis_pool.close

    def await_cache(self) -> None:
        """Until the pool has connected again."""
        for _ in range(600):
            try:
                self.client.ping()
                return
            except redis.RedisError:
                time.sleep(0.05)


def main() -> None:
    port = free_port()
    os.environ.update(REDIS_HOST="127.0.0.1", REDIS_PORT=str(port))
    server = start_server(port)
    app = Application()
    try:
        reads, errors, _ = phase(app, "server up     ")
        assert (reads, errors) == (10, 0)
        server.kill()
        server.wait()
        reads, errors, took = phase(app, "server killed ")
        assert reads == 30 and errors >= 29
        assert took < 30 * DATABASE_S + 20, "slower, but no caller waits for a timeout"
        print("  the last error:", app.warnings[-1])
        server = start_server(port)
        app.await_cache()
        reads, errors, _ = phase(app, "server up again")
        assert reads <= 11 and errors <= 1
    finally:
        app.close()
        server.kill()
        server.wait()


if __name__ == "__main__":
    main()
