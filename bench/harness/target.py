"""The server that is measured against: one process with a TCP, a TLS and a Unix socket."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

import certs
import resp
from console import Failure, end_with_parent

from . import machine

FIRST_PORT = 15900
START_SECONDS = 10
# Clients whose usual replies are texts must be able to give the same values as the others.
LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
PRINTABLE = bytes(LETTERS[number % len(LETTERS)] for number in range(256))


class Target:
    """Starts the server, fills its keys, moves it between cores, stops it."""

    def __init__(self, folder, engine, urgent):
        self.folder = pathlib.Path(folder)
        self.engine = engine
        self.urgent = urgent
        self.process = None
        self.filled = None
        self.version = "?"
        self.values = self.folder / "values.bin"
        self.socket = self.folder / "bench.sock"
        self.ca = self.folder / "tls" / "ca.crt"

    def start(self):
        binary = shutil.which(f"{self.engine}-server")
        if not binary:
            raise Failure(f"there is no {self.engine}-server")
        certs.make(self.folder / "tls")
        self.port, self.tls_port = free_ports()
        tls = self.folder / "tls"
        words = ["--port", self.port, "--tls-port", self.tls_port, "--bind", "127.0.0.1"]
        words += ["--tls-cert-file", tls / "server.crt", "--tls-key-file", tls / "server.key"]
        words += ["--tls-ca-cert-file", self.ca, "--tls-auth-clients", "no"]
        words += ["--unixsocket", self.socket, "--save", "", "--appendonly", "no"]
        words += ["--dir", self.folder, "--daemonize", "no", "--maxclients", "4000"]
        with open(self.folder / "server.log", "wb") as log:
            self.process = subprocess.Popen(
                [binary, *[str(word) for word in words]],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=self.before,
            )
        self.wait_for_answer()

    def before(self):
        """Runs in the server before it is one."""
        end_with_parent()
        if self.urgent:
            machine.hurry()

    def wait_for_answer(self):
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                with resp.Connection(self.port) as connection:
                    about = resp.info(connection, "server")
                    self.version = about.get("valkey_version") or about.get("redis_version", "?")
                    return
            except (OSError, resp.ServerError):
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise Failure(f"no answer; see {self.folder / 'server.log'}") from None
                time.sleep(0.05)

    def fill(self, value_bytes, keys):
        """Random values: the value of key i is the file's bytes from i on."""
        if self.filled == (value_bytes, keys):
            return
        size = value_bytes + keys
        if not self.values.exists() or self.values.stat().st_size < size:
            random = os.urandom(max(size, 1 << 16))
            self.values.write_bytes(random.translate(PRINTABLE))
        values = self.values.read_bytes()
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            for first in range(0, keys, 100):
                batch = range(first, min(first + 100, keys))
                connection.sendall(b"".join(set_command(values, i, value_bytes) for i in batch))
                left = 5 * len(batch)
                while left > 0:
                    left -= len(connection.recv(left)) or left
        self.filled = (value_bytes, keys)

    def place(self, cpus):
        """Puts every thread of the server on these cores."""
        for task in os.listdir(f"/proc/{self.process.pid}/task"):
            try:
                os.sched_setaffinity(int(task), cpus)
            except ProcessLookupError:
                continue

    def words(self, transport):
        """What a driver is told about the server."""
        port = self.tls_port if transport == "tls" else self.port
        return [
            "host=127.0.0.1",
            f"port={port}",
            f"socket={self.socket if transport == 'unix' else ''}",
            f"ca={self.ca if transport == 'tls' else ''}",
            f"values={self.values}",
        ]

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def set_command(values, key, size):
    name, value = b"key:%012d" % key, values[key : key + size]
    return b"*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n" % (len(name), name, size, value)


def free_ports():
    """Two free ports beside each other, from the harness's own range on."""
    first = int(os.environ.get("TENDON_BASE_PORT") or FIRST_PORT) + 60
    for port in range(first, first + 400, 2):
        try:
            for number in (port, port + 1):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", number))
            return port, port + 1
        except OSError:
            continue
    raise Failure("found no free port for the measured server")
