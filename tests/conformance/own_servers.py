"""Servers of the suite's own: one by itself, and three that tell each other and their clients the
ports of proxies, a cluster behind a faulty network."""

import pathlib
import shutil
import subprocess
import tempfile
import time

import console
import resp
from proxy import Proxy

NODES = 3
BUS = 10000  # a node's port for other nodes is so much higher
SLOTS = 16384
READY_SECONDS = 60
SINGLE = """\
bind 127.0.0.1 -::1
protected-mode no
save ""
appendonly no
enable-debug-command yes
dir {folder}
logfile {folder}/{port}.log
"""
PLAIN = "port {port}\n"
ENCRYPTED = """\
port 0
tls-port {port}
tls-ca-cert-file {folder}/ca.crt
tls-cert-file {folder}/server.crt
tls-key-file {folder}/server.key
tls-auth-clients no
"""
CLUSTERED = """\
cluster-enabled yes
cluster-config-file nodes-{port}.conf
cluster-node-timeout 15000
cluster-announce-ip 127.0.0.1
cluster-announce-port {announced}
cluster-announce-bus-port {bus}
"""


class Server:
    """One server by itself. `with` ends it. tls: how a client reaches it, if by TLS."""

    def __init__(self, server, port, more="", tls=None):
        self.port, self.tls = port, tls
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tendon-conformance-"))
        path = self.folder / "server.conf"
        text = SINGLE.format(port=port, folder=self.folder) + more
        if tls:
            text += ENCRYPTED.format(port=port, folder=pathlib.Path(tls["ca"]).parent)
        else:
            text += PLAIN.format(port=port)
        path.write_text(text)
        self.process = subprocess.Popen(
            [server, str(path)], stdout=subprocess.DEVNULL, preexec_fn=console.end_with_parent
        )

    def __enter__(self):
        connected(self.port, time.monotonic() + READY_SECONDS, self.tls).__exit__()
        return self

    def __exit__(self, *_reason):
        self.process.terminate()
        self.process.wait(10)
        shutil.rmtree(self.folder)


class FaultyCluster:
    """The servers of a cluster, and a proxy for each. `with` ends them."""

    def __init__(self, server, ports):
        self.ports = ports
        self.proxies = [Proxy(port) for port in self.ports]
        self.servers = [
            Server(
                server,
                port,
                CLUSTERED.format(port=port, announced=proxy.port, bus=port + BUS),
            )
            for port, proxy in zip(self.ports, self.proxies)
        ]

    def __enter__(self):
        deadline = time.monotonic() + READY_SECONDS
        connections = [connected(port, deadline) for port in self.ports]
        share = SLOTS // NODES + 1
        for index, connection in enumerate(connections):
            last = min(SLOTS, (index + 1) * share) - 1
            connection.call("CLUSTER", "ADDSLOTSRANGE", index * share, last)
            connection.call("CLUSTER", "SET-CONFIG-EPOCH", index + 1)
            bus = self.ports[0] + BUS
            if index:
                connection.call("CLUSTER", "MEET", "127.0.0.1", self.ports[0], bus)
        while not all(self.is_ready(connection) for connection in connections):
            if time.monotonic() > deadline:
                raise RuntimeError("the cluster for faults does not become ready")
            time.sleep(0.05)
        for connection in connections:
            connection.__exit__()
        return self

    def is_ready(self, connection):
        text = connection.call("CLUSTER", "INFO")
        known = connection.call("CLUSTER", "SLOTS")
        announced = {proxy.port for proxy in self.proxies}
        return "cluster_state:ok" in text and {row[2][1] for row in known} == announced

    def __exit__(self, *reason):
        for server in self.servers:
            server.__exit__(*reason)


def connected(port, deadline, tls=None):
    """A connection to a server that has just been started."""
    while True:
        try:
            return resp.Connection(port, tls, timeout_s=30)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
