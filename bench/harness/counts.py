"""What programs of their own count of the C library: instructions, allocations, memory, size."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from console import Failure

PEER = "hiredis"
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
ENCODE_PARSE_TIMES = 7.0
SIZE_MB_MAX = 0.6
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


def output(argv, env=None):
    done = subprocess.run(
        [str(word) for word in argv], capture_output=True, text=True, env=env, timeout=120
    )
    if done.returncode != 0:
        raise Failure(f"{argv[0]}: {done.stderr.strip()[-300:]}")
    return done.stdout


def answer(text):
    return json.loads([line for line in text.splitlines() if line.startswith("{")][-1])


def allocation_rows(out, told, env):
    rows = []
    preload = {**os.environ, **env, "LD_PRELOAD": str(out / "liballocations.so")}
    for name, program, words in ALLOCATIONS:
        common = [*told, "warmup=0.3", "seconds=0.5"]
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


def instruction_rows(out, env):
    """Encoding GET and reading its reply of 100 bytes into a reply that is the caller's own."""
    if not shutil.which("valgrind"):
        return []
    ours = instructions([env["TENDON_BUILD"] + "/bench/instructions"])
    label = "GET: instructions to encode it and decode its reply of 100 bytes"
    rows = [row(label, f"{ours:.0f}", "<=", INSTRUCTIONS_MAX, ours)]
    for name in (PEER, "libvalkey"):
        program = out / f"encode-parse-{name}"
        if program.exists():
            theirs = instructions([str(program)])
            shown = f"{theirs / ours:.2f}  ({theirs:.0f} and {ours:.0f})"
            wanted = (">=", ENCODE_PARSE_TIMES, theirs / ours)
            rows.append(row(f"the same: instructions of {name} / tendon", shown, *wanted))
    return rows


def idle_rows(out, told, env):
    found = answer(output([out / "idle", *told], {**os.environ, **env}))
    name = f"memory of an idle client with {found['connections']} connections, KiB"
    return [
        row(f"{name}: resident", f"{found['rss_kib']}", "<=", IDLE_KIB_MAX, found["rss_kib"]),
        row(f"{name}: heap", f"{found['heap_kib']}", "<=", IDLE_KIB_MAX, found["heap_kib"]),
    ]


def size_row(env):
    """The library of a release build, stripped; OpenSSL is the system's."""
    library = pathlib.Path(env["TENDON_BUILD"]) / "lib" / "libtendon.so"
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / "libtendon.so"
        subprocess.run(["strip", "-o", copy, library.resolve()], check=True)
        megabytes = copy.stat().st_size / 1e6
    return row("the stripped library, MB", f"{megabytes:.2f}", "<=", SIZE_MB_MAX, megabytes)


def table(targets, work, out, env):
    """All rows: what, measured, wanted, whether it holds. `work` is a GET over TCP."""
    place = targets.of(work)
    place.prepare(work)
    told = [*place.words(work), f"values={targets.values.path}"]
    return [
        size_row(env),
        *instruction_rows(out, env),
        *parse_rows(out),
        *allocation_rows(out, told, env),
        *idle_rows(out, told, env),
    ]


def lines(rows):
    """The table for a terminal."""
    told = {True: "holds", False: "DOES NOT HOLD", None: ""}
    return [
        f"{one['cell']:74} {one['measured']:44} {one['wanted']:8} {told[one['holds']]}".rstrip()
        for one in rows
    ]
