"""Makes clusters of the test servers and waits until all of them answer. Polls replies; never
sleeps for luck.
"""

import time

import console
import resp
from testbed import CLUSTER_NODES, CLUSTER_PRIMARIES, HOST

POLL_SECONDS = 0.05
READY_SECONDS = 60
SLOT_COUNT = 16384
# A cluster is formed sooner with a short node time-out (testbed.py). Afterwards nobody fails over:
# a node that a busy machine keeps waiting must not be taken for a dead one; roles would change.
FORMED_TIMEOUT_MS = 15000


def connect(server):
    return resp.Connection(server.port, server.tls, server.password)


def wait_until(what, check):
    """Polls `check` until it returns None; it returns the reason why not yet."""
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            reason = check()
        except (OSError, resp.ServerError) as error:
            reason = str(error)
        if reason is None:
            return
        if time.monotonic() > deadline:
            raise console.Failure(f"{what} is not ready after {READY_SECONDS} s: {reason}")
        time.sleep(POLL_SECONDS)


def ping(server):
    with connect(server) as connection:
        return None if connection.call("PING") == "PONG" else "no PONG"


def replicating(server):
    with connect(server) as connection:
        state = resp.info(connection, "replication").get("master_link_status")
    return None if state == "up" else f"master_link_status is {state}"


def wait_for_singles(servers):
    for server in servers:
        wait_until(server.name, lambda: ping(server))
    for server in servers:
        if server.primary_port:
            wait_until(server.name, lambda: replicating(server))


def make_cluster(nodes):
    """Joins six empty servers: three primaries that share the slots, one replica each."""
    for node in nodes:
        wait_until(node.name, lambda: ping(node))
    ids = []
    for index, node in enumerate(nodes):
        with connect(node) as connection:
            ids.append(connection.call("CLUSTER", "MYID"))
            connection.call("CLUSTER", "SET-CONFIG-EPOCH", index + 1)
            if index < CLUSTER_PRIMARIES:
                first = index * SLOT_COUNT // CLUSTER_PRIMARIES
                last = (index + 1) * SLOT_COUNT // CLUSTER_PRIMARIES - 1
                connection.call("CLUSTER", "ADDSLOTSRANGE", first, last)
    with connect(nodes[0]) as connection:
        for node in nodes[1:]:
            connection.call("CLUSTER", "MEET", "127.0.0.1", node.port)
    for node in nodes:
        wait_until(node.name, lambda: knows_all(node))
    for index in range(CLUSTER_PRIMARIES, CLUSTER_NODES):
        wait_until(
            nodes[index].name, lambda: replicate(nodes[index], ids[index - CLUSTER_PRIMARIES])
        )


def knows_all(node):
    with connect(node) as connection:
        table = connection.call("CLUSTER", "NODES").splitlines()
    settled = [line for line in table if "handshake" not in line and "noaddr" not in line]
    return (
        None if len(settled) == CLUSTER_NODES else f"knows {len(settled)} of {CLUSTER_NODES} nodes"
    )


def replicate(node, primary_id):
    with connect(node) as connection:
        connection.call("CLUSTER", "REPLICATE", primary_id)


def write_keys(nodes):
    """A replica is listed in CLUSTER SLOTS once it has an offset, so each primary gets a write."""
    for node in nodes[:CLUSTER_PRIMARIES]:
        with connect(node) as connection:
            for number in range(64):
                try:
                    connection.call("SET", f"tendon:ready:{number}", "x", "EX", 5)
                    break
                except resp.ServerError as error:
                    if not str(error).startswith("MOVED"):
                        raise


def cluster_settled(node):
    with connect(node) as connection:
        state = dict(line.split(":", 1) for line in connection.call("CLUSTER", "INFO").splitlines())
        rows = connection.call("CLUSTER", "SLOTS")
    if state.get("cluster_state") != "ok":
        return f"cluster_state is {state.get('cluster_state')}"
    if sum(row[1] - row[0] + 1 for row in rows) != SLOT_COUNT:
        return "some slots have no node"
    if sum(len(row) - 2 for row in rows) != CLUSTER_NODES:
        return "CLUSTER SLOTS does not list every replica yet"
    if node.tls and any(entry[0] != HOST for row in rows for entry in row[2:]):
        return "the announced host names have not spread yet"
    return None


def wait_for_cluster(nodes):
    wait_until(nodes[0].name, lambda: write_keys(nodes))
    for node in nodes:
        wait_until(node.name, lambda: cluster_settled(node))
    for node in nodes[CLUSTER_PRIMARIES:]:
        wait_until(node.name, lambda: replicating(node))
    for node in nodes:
        with connect(node) as connection:
            connection.call("CONFIG", "SET", "cluster-node-timeout", FORMED_TIMEOUT_MS)
