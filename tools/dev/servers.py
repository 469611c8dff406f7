"""Starts, shows and stops the test servers of one folder.

A server is ours when its first argument is a configuration file inside that folder; that is what
`stop` looks for in /proc, so it can't hit another's server, and finds one that a test has started
again as well.
"""

import contextlib
import fcntl
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time

import certs
import console
import packages
import ready
import resp
from testbed import CLUSTER_NODES, Testbed

DEFAULT_BASE_PORT = 15000
DEFAULT_CLUSTER_PORT = 17000
# When the default ports are taken, these blocks are tried; all of them and their buses stay below
# the ephemeral range.
OTHER_BLOCKS = [(16000 - 100 * number, 21000 - 200 * number) for number in range(1, 10)]
PORT_MAX = 21999
END_SECONDS = 5
# A server that does not answer for so long between two runners is down.
PATIENCE_SECONDS = 20


def default_folder():
    return pathlib.Path(os.environ.get("TENDON_SERVERS_DIR") or console.BUILD / "servers").resolve()


def config_path(folder, name):
    return folder / name / "server.conf"


@contextlib.contextmanager
def locked(folder):
    """One start or stop at a time per folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def processes(folder):
    """The running servers of a folder: configuration file -> pid."""
    found = {}
    prefix = f"{folder}/"
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            words = (
                pathlib.Path("/proc", entry, "cmdline")
                .read_bytes()
                .decode(errors="replace")
                .split("\0")
            )
        except OSError:
            continue
        if len(words) > 1 and words[1].startswith(prefix) and words[1].endswith("/server.conf"):
            found[words[1]] = int(entry)
    return found


def load(folder):
    """What servers.json says, or None when the servers were not started or not by this version."""
    try:
        state = json.loads((folder / "servers.json").read_text())
    except (OSError, ValueError):
        return None
    return state if state.get("version") == 1 else None


def bed_of(folder, state):
    """The Testbed that a servers.json came from, passwords included."""
    bed = Testbed(folder, state["base_port"], state["cluster_port"])
    acl = state["acl"]
    bed.passwords.update(
        default=acl["default_password"], app=acl["password"], reader=acl["readonly_password"]
    )
    bed.servers = bed.single_servers() + bed.cluster_servers(False) + bed.cluster_servers(True)
    return bed


def answer(server, timeout_s=2.0):
    """Asks one server. Returns (answers, text for a person)."""
    try:
        with resp.Connection(server.port, server.tls, server.password, timeout_s) as connection:
            if connection.call("PING") != "PONG":
                return False, "answers nonsense"
            role = resp.info(connection, "replication").get("role", "?")
            return True, {"master": "primary", "slave": "replica"}.get(role, role)
    except (OSError, resp.ServerError) as error:
        return False, f"no answer: {error}"


def answers_in_time(server):
    """A server that a test has left busy, on a machine that is busy too, is not down."""
    deadline = time.monotonic() + (0 if server.name == "expendable" else PATIENCE_SECONDS)
    while not answer(server)[0]:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def port_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def choose_bed(folder, base_port, cluster_port):
    """A Testbed whose ports are free. Ports that were asked for by number are not replaced by
    others.
    """
    base_port = base_port or int(os.environ.get("TENDON_BASE_PORT") or 0)
    cluster_port = cluster_port or int(os.environ.get("TENDON_CLUSTER_PORT") or 0)
    asked = bool(base_port or cluster_port)
    blocks = [(base_port or DEFAULT_BASE_PORT, cluster_port or DEFAULT_CLUSTER_PORT)]
    taken = []
    for base, cluster in blocks if asked else blocks + OTHER_BLOCKS:
        bed = Testbed(folder, base, cluster)
        if min(base, cluster) < 1024 or max(server.port for server in bed.servers) > PORT_MAX:
            raise console.Failure(
                f"ports must lie between 1024 and {PORT_MAX}: the cluster bus is 10000 higher and "
                "has to "
                "stay below the ephemeral range"
            )
        taken = [port for port in bed.ports() if not port_free(port)]
        if not taken:
            return bed
    raise console.Failure(
        f"port {taken[0]} is in use by another program; "
        "choose others with --base-port and --cluster-port"
    )


def spawn(command, folder, name, bound=False):
    with open(folder / name / "output.log", "ab") as log:
        return subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder / name,
            start_new_session=True,
            preexec_fn=console.end_with_parent if bound else None,
        )


def engine_binary(engine):
    binary = shutil.which(f"{engine}-server")
    text = subprocess.run([binary, "--version"], stdout=subprocess.PIPE, check=True).stdout.decode()
    return binary, re.search(r"v=([0-9.]+)", text).group(1)


def healthy(folder, engine):
    """True when the servers of a folder run with this engine and all answer."""
    state = load(folder)
    if (
        state is None
        or state["engine"] != engine
        or len(processes(folder)) != len(bed_of(folder, state).servers)
    ):
        return False
    return all(answer(server)[0] for server in bed_of(folder, state).servers)


def start(folder, engine="redis", base_port=0, cluster_port=0, bound=False):
    """Starts everything and returns True, or False when it was running already. bound: they end
    with this process.
    """
    packages.require("servers", engine)
    with locked(folder):
        if healthy(folder, engine):
            return False
        stop_all(folder)
        bed = choose_bed(folder, base_port, cluster_port)
        console.say(
            f"servers: {len(bed.servers)} of {engine}-server, "
            f"ports from {bed.base_port} and {bed.cluster_port} …"
        )
        certs.make(bed.certificates)
        try:
            start_all(bed, engine, bound)
        except BaseException:
            stop_all(folder)
            raise
        return True


def start_all(bed, engine, bound):
    binary, version = engine_binary(engine)
    described = {}
    for server in bed.servers:
        path = config_path(bed.folder, server.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(server.config_text(path.parent))
        path.chmod(0o600)
        command = [binary, str(path)]
        described[server.name] = {
            "pid": spawn(command, bed.folder, server.name, bound).pid,
            "command": command,
        }
    clusters = [bed.servers[-2 * CLUSTER_NODES : -CLUSTER_NODES], bed.servers[-CLUSTER_NODES:]]
    for nodes in clusters:
        ready.make_cluster(nodes)
    ready.wait_for_singles(bed.servers[: -2 * CLUSTER_NODES])
    for nodes in clusters:
        ready.wait_for_cluster(nodes)
    state = {
        "version": 1,
        "engine": engine,
        "engine_version": version,
        "dir": str(bed.folder),
        "base_port": bed.base_port,
        "cluster_port": bed.cluster_port,
        **bed.describe(described),
    }
    write_state(bed.folder, state)


def write_state(folder, state):
    staged = folder / "servers.json.new"
    staged.touch(mode=0o600)
    staged.write_text(json.dumps(state, indent=1) + "\n")
    staged.replace(folder / "servers.json")


def gone(pid):
    """True when a process has ended; one that waits for its parent to notice has ended too."""
    try:
        text = pathlib.Path("/proc", str(pid), "stat").read_text()
    except OSError:
        return True
    return text.rpartition(")")[2].split()[0] == "Z"


def stop_all(folder):
    """Ends every server of the folder and removes what they wrote. Returns how many there were."""
    (folder / "servers.json").unlink(missing_ok=True)
    pids = list(processes(folder).values())
    for number in (signal.SIGCONT, signal.SIGTERM, signal.SIGKILL):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                if not gone(pid):
                    os.kill(pid, number)
        deadline = time.monotonic() + (0 if number == signal.SIGCONT else END_SECONDS)
        while time.monotonic() < deadline and not all(gone(pid) for pid in pids):
            time.sleep(0.02)
    for path in folder.glob("*/server.conf"):
        shutil.rmtree(path.parent)
    for path in folder.glob("*.sock"):
        path.unlink()
    return len(pids)


def stop(folder):
    if not folder.is_dir():
        return 0
    with locked(folder):
        return stop_all(folder)


def status(folder):
    """One line per server. Returns 0 when all answer, 1 otherwise."""
    state = load(folder)
    if state is None:
        print(f"no servers are running from {folder}")
        return 1
    running = processes(folder)
    failed = 0
    for server in bed_of(folder, state).servers:
        alive, text = answer(server)
        failed += not alive
        pid = running.get(str(config_path(folder, server.name)), "-")
        kind = "tls" if server.tls else "plain"
        print(f"{server.name:14} localhost:{server.port:<6} {kind:6} pid {pid:<8} {text}")
    print(f"{state['engine']} {state['engine_version']}, described in {folder / 'servers.json'}")
    return 1 if failed else 0


def repair(folder, bound):
    """Between runners: starts servers again that are down or frozen, and writes the pids anew.

    Returns the names of those that were down, but for the expendable one.
    """
    state = load(folder)
    bed = bed_of(folder, state)
    broken = []
    for server in bed.servers:
        if answers_in_time(server):
            continue
        path = config_path(folder, server.name)
        pid = processes(folder).get(str(path))
        if pid:
            os.kill(pid, signal.SIGKILL)
            while not gone(pid):
                time.sleep(0.02)
        spawn([engine_binary(state["engine"])[0], path], folder, server.name, bound)
        ready.wait_until(server.name, lambda: ready.ping(server))
        if server.name != "expendable":
            broken.append(server.name)
    running = processes(folder)
    binary = engine_binary(state["engine"])[0]
    described = {}
    for server in bed.servers:
        path = str(config_path(folder, server.name))
        described[server.name] = {"pid": running.get(path), "command": [binary, path]}
    write_state(folder, dict(state, **bed.describe(described)))
    return broken
