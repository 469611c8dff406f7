"""Clusters that are measured against: three primaries, and six nodes of which one is killed."""

import binascii
import random
import threading
import time

from console import Failure

from . import target

SLOTS = 16384
PRIMARIES = 3
NODE_TIMEOUT_MS = 1000
READY_SECONDS = 60
KILL_AFTER_SECONDS = 2.0


def slot(name):
    return binascii.crc_hqx(name, 0) % SLOTS


class Cluster:
    """Three primaries without replicas, which share the server's core."""

    replicas = 0
    kills_after = None

    def __init__(self, folder, engine, urgent, values):
        self.values = values
        self.filled = None
        words = ["--cluster-enabled", "yes", "--cluster-node-timeout", NODE_TIMEOUT_MS]
        ports = target.free_ports(PRIMARIES * (1 + self.replicas), target.CLUSTER_PORT_ABOVE)
        self.nodes = []
        for number, port in enumerate(ports):
            place = folder / f"{type(self).__name__.lower()}-{number}"
            for left in ("nodes.conf", "dump.rdb"):  # of an earlier run
                (place / left).unlink(missing_ok=True)
            self.nodes.append(target.Node(place, engine, urgent, port, words))
            self.nodes[-1].start()
        self.join()

    def join(self):
        for number, node in enumerate(self.nodes):
            node.call("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            if number < PRIMARIES:
                first, end = number * SLOTS // PRIMARIES, (number + 1) * SLOTS // PRIMARIES
                node.call("CLUSTER", "ADDSLOTSRANGE", first, end - 1)
            if number:
                node.call("CLUSTER", "MEET", "127.0.0.1", self.nodes[0].port)
        until(lambda: all(self.knows_all(node) for node in self.nodes), "meet")
        for number in range(PRIMARIES, len(self.nodes)):
            primary = self.nodes[number % PRIMARIES].call("CLUSTER", "MYID")
            self.nodes[number].call("CLUSTER", "REPLICATE", primary)
        until(self.is_whole, "become whole")

    def knows_all(self, node):
        return f"cluster_known_nodes:{len(self.nodes)}" in node.call("CLUSTER", "INFO")

    def primaries(self):
        return [node for node in self.nodes if node.call("ROLE")[0] == "master"]

    def is_whole(self):
        """Every node sees the slots served, and each primary has its replicas in step."""
        states = [node.call("CLUSTER", "INFO") for node in self.nodes]
        roles = [node.call("ROLE") for node in self.nodes]
        primaries = [role for role in roles if role[0] == "master"]
        return (
            all("cluster_state:ok" in state for state in states)
            and len(primaries) == PRIMARIES
            and all(len(role[2]) == self.replicas for role in primaries)
            and all(role[0] == "master" or role[3] == "connected" for role in roles)
        )

    def prepare(self, work):
        wanted = (work.numbers["value_bytes"], work.numbers["keys"])
        if self.filled == wanted:
            return
        owners = self.primaries()
        ranges = [
            (row[0], row[1], row[2][1]) for row in self.nodes[0].call("CLUSTER", "SLOTS")
        ]
        ports = [node.port for node in owners]

        def node_of(name):
            number = slot(name)
            port = next(port for first, last, port in ranges if first <= number <= last)
            return ports.index(port)

        target.fill(owners, self.values, *wanted, node_of)
        self.filled = wanted

    def words(self, _work):
        return ["host=127.0.0.1", f"port={self.nodes[0].port}", "socket=", "ca=", "cluster=yes"]

    def begun(self):
        """A driver has begun to count."""

    def stop(self):
        for node in self.nodes:
            node.stop()


class FailoverCluster(Cluster):
    """Six nodes; while a driver counts, one primary is killed."""

    replicas = 1
    kills_after = KILL_AFTER_SECONDS

    def prepare(self, work):
        for node in self.nodes:
            if node.process.poll() is not None:
                node.start()
        until(self.is_whole, "become whole again")
        super().prepare(work)

    def begun(self):
        victim = random.choice([node for node in self.primaries() if node is not self.nodes[0]])
        killer = threading.Timer(KILL_AFTER_SECONDS, victim.kill)
        killer.daemon = True
        killer.start()


def until(holds, what):
    deadline = time.monotonic() + READY_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise Failure(f"the measured cluster did not {what} within {READY_SECONDS} s")
        time.sleep(0.05)


class Targets:
    """Every server of a run, started when the first workload needs it."""

    def __init__(self, folder, engine, urgent):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.engine = engine
        self.urgent = urgent
        self.values = target.Values(folder / "values.bin")
        self.started = {}

    def of(self, work):
        kind = target.Standalone
        if work.transport == "cluster":
            kind = FailoverCluster if work.mode == "failover" else Cluster
        if kind not in self.started:
            self.started[kind] = kind(self.folder, self.engine, self.urgent, self.values)
        return self.started[kind]

    def version(self):
        for each in self.started.values():
            return each.nodes[0].version
        return "?"

    def stop(self):
        for each in self.started.values():
            each.stop()
