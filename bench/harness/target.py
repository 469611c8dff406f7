"""The servers that are measured against: one with a TCP, a TLS and a Unix socket, and clusters."""

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
# A cluster's bus has to stay below the ephemeral range.
CLUSTER_PORT_ABOVE = 4000
HASHES = 10
VALUES_BYTES = 2 << 20
# Clients whose usual replies are texts must be able to give the same values as the others.
LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
PRINTABLE = bytes(LETTERS[number % len(LETTERS)] for number in range(256))


class Node:
    """One server process."""

    def __init__(self, folder, engine, urgent, port, words=()):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.binary = shutil.which(f"{engine}-server")
        if not self.binary:
            raise Failure(f"there is no {engine}-server")
        self.urgent = urgent
        self.port = port
        self.argv = [self.binary, "--port", port, "--bind", "127.0.0.1", "--save", ""]
        self.argv += ["--appendonly", "no", "--dir", self.folder, "--daemonize", "no"]
        self.argv += ["--maxclients", "4000", *words]
        self.process = None
        self.version = "?"

    def start(self):
        with open(self.folder / "server.log", "ab") as log:
            self.process = subprocess.Popen(
                [str(word) for word in self.argv],
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
                about = resp.info(self.connect(), "server")
                self.version = about.get("valkey_version") or about.get("redis_version", "?")
                return
            except (OSError, resp.ServerError):
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise Failure(f"no answer; see {self.folder / 'server.log'}") from None
                time.sleep(0.05)

    def connect(self):
        return resp.Connection(self.port, timeout_s=START_SECONDS).__enter__()

    def call(self, *words):
        with resp.Connection(self.port, timeout_s=START_SECONDS) as connection:
            return connection.call(*words)

    def send(self, commands, replies_bytes):
        """Sends encoded commands whose replies are so many bytes, none of them an error."""
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.sendall(b"".join(commands))
            left = replies_bytes
            while left > 0:
                piece = connection.recv(left)
                if not piece or piece.startswith(b"-"):
                    raise Failure(f"the server on port {self.port} took no values: {piece[:80]!r}")
                left -= len(piece)

    def place(self, cpus):
        """Puts every thread of the server on these cores."""
        for task in os.listdir(f"/proc/{self.process.pid}/task"):
            try:
                os.sched_setaffinity(int(task), cpus)
            except ProcessLookupError:
                continue

    def seconds(self):
        return machine.process_seconds(self.process.pid)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.kill()


class Values:
    """Random letters: the value of key i is the file's bytes from i on. They are the same for the
    whole run, because a server keeps what it was filled with."""

    def __init__(self, path):
        self.path = path
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_bytes(os.urandom(VALUES_BYTES).translate(PRINTABLE))

    def of_size(self, size):
        if size > VALUES_BYTES:
            raise Failure(f"there are values of {VALUES_BYTES} bytes, not of {size}")
        return self.path.read_bytes()


class Standalone:
    """One server with every transport."""

    kills_after = None

    def __init__(self, folder, engine, urgent, values):
        self.folder = folder
        self.values = values
        self.ca = folder / "tls" / "ca.crt"
        self.socket = folder / "bench.sock"
        self.filled = None
        certs.make(folder / "tls")
        port, self.tls_port = free_ports(2)
        tls = folder / "tls"
        words = ["--tls-port", self.tls_port, "--tls-auth-clients", "no"]
        words += ["--tls-cert-file", tls / "server.crt", "--tls-key-file", tls / "server.key"]
        words += ["--tls-ca-cert-file", self.ca, "--unixsocket", self.socket]
        self.node = Node(folder, engine, urgent, port, words)
        self.nodes = [self.node]
        self.node.start()

    def prepare(self, work):
        """The keys, and the hashes for those who read them."""
        wanted = (work.numbers["value_bytes"], work.numbers["keys"])
        if self.filled != wanted:
            fill([self.node], self.values, *wanted)
            self.filled = wanted
        if work.mode == "hash":
            self.fill_hashes(work.numbers["batch"], work.numbers["value_bytes"])

    def fill_hashes(self, fields, size):
        text = self.values.of_size(size + fields + HASHES)
        for number in range(HASHES):
            words = [b"HSET", b"hash:%012d" % number]
            for field in range(fields):
                at = number + field
                words += [b"field:%03d" % field, text[at : at + size]]
            self.node.call("DEL", words[1].decode())
            self.node.send([encoded(words)], len(b":%d\r\n" % fields))

    def words(self, work):
        """What a driver is told about the server."""
        tls, unix = work.transport == "tls", work.transport == "unix"
        return [
            "host=127.0.0.1",
            f"port={self.tls_port if tls else self.node.port}",
            f"socket={self.socket if unix else ''}",
            f"ca={self.ca if tls else ''}",
        ]

    def begun(self):
        """A driver has begun to count."""

    def stop(self):
        self.node.stop()


def fill(nodes, values, size, keys, node_of=lambda _key: 0):
    """Writes every key to its node."""
    text = values.of_size(size + keys)
    commands = [[] for _ in nodes]
    for key in range(keys):
        name = b"key:%012d" % key
        commands[node_of(name)].append(encoded([b"SET", name, text[key : key + size]]))
    for node, mine in zip(nodes, commands):
        for first in range(0, len(mine), 100):
            some = mine[first : first + 100]
            node.send(some, len(b"+OK\r\n") * len(some))


def encoded(words):
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)


def free_ports(count, above=0):
    """Free ports beside each other, from the harness's own range on; with `above` those of a
    cluster, whose buses are 10000 higher.
    """
    first = int(os.environ.get("TENDON_BASE_PORT") or FIRST_PORT) + 60 + above
    for port in range(first, first + 400, count):
        numbers = range(port, port + count)
        if all(map(is_free, [*numbers, *(number + 10000 for number in numbers if above)])):
            return list(numbers)
    raise Failure("found no free port for the measured server")


def is_free(port):
    try:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True
