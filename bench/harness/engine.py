"""The C engine's cells: ratios to hiredis, and what only small programs of their own can count."""

import json
import os
import re
import shutil
import subprocess

from console import Failure

from . import charts, results

WORKLOADS = "L1 L1.tls L1.unix L1-lease T8 T64 A1000-get P100 P1000 M100".split()
PEER = "hiredis"
HOST = "tendon, drive=host"

OPS, CPU = "ops_per_second", "client_cpu_us"
# cell, workload, figure, whom tendon is divided by (None: absolute), relation, target
RATIOS = [
    ("blocking GET, one thread, same core: throughput", "L1", OPS, PEER, ">=", 1.0),
    ("blocking GET, one thread, same core: client CPU", "L1", CPU, PEER, "<=", 1.0),
    ("blocking GET, one thread, same core, TLS: throughput", "L1.tls", OPS, PEER, ">=", 1.0),
    ("blocking GET, one thread, same core, TLS: client CPU", "L1.tls", CPU, PEER, "<=", 1.0),
    ("blocking GET, one thread, same core, Unix: throughput", "L1.unix", OPS, PEER, ">=", 1.0),
    ("GET on a lease, same core: throughput", "L1-lease", OPS, PEER, ">=", 1.0),
    ("8 blocking threads: throughput", "T8", OPS, PEER, ">=", 1.0),
    ("64 blocking threads: throughput", "T64", OPS, PEER, ">=", 1.8),
    ("64 blocking threads: client CPU", "T64", CPU, PEER, "<=", 0.4),
    ("1000 in flight: client CPU per GET, µs", "A1000-get", CPU, None, "<=", 0.15),
    ("1000 in flight: client CPU", "A1000-get", CPU, PEER, "<=", 1.0),
    ("1000 in flight: client CPU", "A1000-get", CPU, "bare C", "", None),
    ("1000 in flight, µs CPU per GET: tendon, drive=host", "A1000-get", CPU, None, "<=", 0.15),
    ("1000 in flight, client CPU: tendon, drive=host", "A1000-get", CPU, PEER, "<=", 1.0),
    ("pipeline of 100: throughput", "P100", OPS, PEER, ">=", 1.05),
    ("pipeline of 100: client CPU", "P100", CPU, PEER, "<=", 0.67),
    ("pipeline of 1000: throughput", "P1000", OPS, PEER, ">=", 1.25),
    ("pipeline of 1000: client CPU", "P1000", CPU, PEER, "<=", 0.33),
    ("MGET of 100: throughput", "M100", OPS, PEER, ">=", 1.0),
    ("MGET of 100: client CPU", "M100", CPU, PEER, "<=", 1.0),
]
ALLOCATIONS = [
    ("tendon_call", "tendon", ["mode=blocking"]),
    ("a batch of 100", "tendon", ["mode=batch", "batch=100"]),
    ("submit and poll, 100 in flight", "tendon", ["mode=async", "concurrency=100"]),
    ("the same with drive=host", "tendon", ["mode=async-host", "concurrency=100"]),
    ("a call on a lease", "tendon", ["mode=lease"]),
    ("hiredis, one command", "hiredis", ["mode=blocking"]),
]
ALLOCATIONS_MAX = 0.005  # prints as 0.00
PARSE_TIMES = 5.0
INSTRUCTIONS_MAX = 500
IDLE_KIB_MAX = 1024
SHORT, LONG = 1000, 3000


def holds(value, relation, target):
    if value is None or target is None:
        return None
    return value >= target if relation == ">=" else value <= target


def row(cell, measured, relation="", target=None, value=None):
    wanted = f"{relation} {target:g}" if target is not None else ""
    return {
        "cell": cell,
        "measured": measured,
        "wanted": wanted,
        "value": value,
        "holds": holds(value, relation, target),
    }


def mark(*cells):
    return " *" if any(cell["disturbed"] for cell in cells) else ""


def ratio_row(cells, entry):
    cell, workload, figure, peer, relation, target = entry
    ours = results.find(cells, workload, HOST if HOST in cell else "tendon")
    if peer is None and ours:
        spread = ours["figures"][figure]
        shown = f"{spread['median']:.3f} [{spread['min']:.3f}..{spread['max']:.3f}]"
        return row(cell, shown + mark(ours), relation, target, spread["median"])
    other = results.find(cells, workload, peer)
    ratio = results.ratio(ours, other, figure)
    label = f"{cell} / {peer}"
    if not ratio:
        return row(label, "not measured", relation, target)
    shown = (
        f"{ratio['ratio']:.2f} [{ratio['min']:.2f}..{ratio['max']:.2f}]  "
        f"({charts.number(ours['figures'][figure]['median'])} and "
        f"{charts.number(other['figures'][figure]['median'])})"
    )
    return row(label, shown + mark(ours, other), relation, target, ratio["ratio"])


def output(argv, env=None):
    done = subprocess.run(
        [str(word) for word in argv], capture_output=True, text=True, env=env, timeout=120
    )
    if done.returncode != 0:
        raise Failure(f"{argv[0]}: {done.stderr.strip()[-300:]}")
    return done.stdout


def answer(text):
    return json.loads([line for line in text.splitlines() if line.startswith("{")][-1])


def allocation_rows(out, target, env):
    rows = []
    preload = {**os.environ, **env, "LD_PRELOAD": str(out / "liballocations.so")}
    for name, program, words in ALLOCATIONS:
        common = [*target.words("tcp"), "warmup=0.3", "seconds=0.5"]
        found = answer(output([out / program, *common, *words], preload))
        value = found["extra"]["allocations"] / found["ops"]
        wanted = ("<=", ALLOCATIONS_MAX) if program == "tendon" else ("", None)
        rows.append(row(f"allocations per command: {name}", f"{value:.2f}", *wanted, value))
    return rows


def instructions(argv, env=None):
    """User instructions of one turn: the difference of two run lengths, so start-up cancels out."""
    counts = []
    for turns in (SHORT, LONG):
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *argv, str(turns)],
            capture_output=True,
            text=True,
            env=env,
        )
        found = re.search(r"Collected : (\d+)", done.stderr)
        if done.returncode != 0 or not found:
            raise Failure(f"callgrind of {argv[0]} failed: {done.stderr.strip()[-200:]}")
        counts.append(int(found.group(1)))
    return (counts[1] - counts[0]) / (LONG - SHORT)


def parse_rows(out):
    readers = ("tendon", PEER, "libvalkey")
    ns = {name: answer(output([out / f"parse-{name}"]))["ns"] for name in readers}
    rows = [
        row(
            f"reading an array of 100 strings: time of {name} / tendon",
            f"{ns[name] / ns['tendon']:.2f}  ({ns[name]:.0f} and {ns['tendon']:.0f} ns)",
            ">=",
            PARSE_TIMES,
            ns[name] / ns["tendon"],
        )
        for name in (PEER, "libvalkey")
    ]
    if not shutil.which("valgrind"):
        return rows
    counts = {name: instructions([str(out / f"parse-{name}")]) for name in ns}
    for name in (PEER, "libvalkey"):
        value = counts[name] / counts["tendon"]
        shown = f"{value:.2f}  ({counts[name]:.0f} and {counts['tendon']:.0f})"
        label = f"reading an array of 100 strings: instructions of {name} / tendon"
        rows.append(row(label, shown, ">=", PARSE_TIMES, value))
    return rows


def instruction_rows(env):
    if not shutil.which("valgrind"):
        return []
    value = instructions([env["TENDON_BUILD"] + "/bench/instructions"])
    label = "GET: instructions to encode it and decode its reply of 100 bytes"
    return [row(label, f"{value:.0f}", "<=", INSTRUCTIONS_MAX, value)]


def idle_rows(out, target, env):
    found = answer(output([out / "idle", *target.words("tcp")], {**os.environ, **env}))
    name = f"memory of an idle client with {found['connections']} connections, KiB"
    return [
        row(f"{name}: resident", f"{found['rss_kib']}", "<=", IDLE_KIB_MAX, found["rss_kib"]),
        row(f"{name}: heap", f"{found['heap_kib']}", "<=", IDLE_KIB_MAX, found["heap_kib"]),
    ]


def table(cells, target, out, env):
    """All rows: cell, measured, wanted, holds."""
    target.fill(100, 1000)
    rows = [ratio_row(cells, entry) for entry in RATIOS]
    for more in (
        lambda: allocation_rows(out, target, env),
        lambda: parse_rows(out),
        lambda: idle_rows(out, target, env),
        lambda: instruction_rows(env),
    ):
        rows += more()
    return rows


def lines(rows):
    """The table for a terminal."""
    told = {True: "holds", False: "DOES NOT HOLD", None: ""}
    return [
        f"{one['cell']:74} {one['measured']:44} {one['wanted']:8} {told[one['holds']]}".rstrip()
        for one in rows
    ]
