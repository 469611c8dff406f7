"""Counts instructions of named paths and compares them with guard.json.

A path that takes more than 2 % more than committed fails; one that takes less passes and says so.
Counts are exact but belong to a compiler and a C library: with others than those of guard.json
everything is skipped (exit code 77).

  guard.py            compare; the last line is `N passed, N failed`
  guard.py --write    measure and write guard.json, deliberately, in a commit that says why
"""

import concurrent.futures
import json
import os
import pathlib
import platform
import re
import socket
import subprocess
import sys
import tempfile
import threading

FILE = pathlib.Path(__file__).with_name("guard.json")
TOLERANCE = 0.02
MORE_TRIES = 2
SKIPPED = 77
VALUE = b"$100\r\n" + b"x" * 100 + b"\r\n"
GREETING = (
    b"%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n$5\r\nproto\r\n:3\r\n"
    b"$2\r\nid\r\n:1\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n"
    b"$7\r\nmodules\r\n*0\r\n"
)
# Path: turns of the short run, commands per turn, what one is.
PATHS = {
    "encode": (2000, 1, "encode GET with a key of 16 bytes"),
    "decode": (2000, 1, "decode a string of 100 bytes"),
    "decode-array": (300, 1, "decode an array of 100 strings of 10 bytes"),
    "call": (1000, 1, "tendon_call of one GET, reply destroyed"),
    "batch": (30, 100, "one GET of a tendon_call_batch of 100"),
    "submit-poll": (1000, 1, "one GET by submit, process and poll, drive=host"),
    "submit-poll-100": (30, 100, "one GET of 100 by submit, process and poll, drive=host"),
}


class Peer:
    """A server on a Unix socket that knows the handshake and one value."""

    def __init__(self, path):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(16)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection = self.listener.accept()[0]
            threading.Thread(target=serve, args=(connection,), daemon=True).start()


def serve(connection):
    """Answers whole commands only, those that came together in one write."""
    waiting = b""
    while True:
        try:
            got = connection.recv(1 << 20)
        except OSError:
            return
        if not got:
            return
        replies, waiting = answer(waiting + got)
        if replies:
            connection.sendall(replies)


def answer(data):
    """The replies to the whole commands at the front of `data`, and what is left of it."""
    replies, at = [], 0
    while True:
        words, end = command(data, at)
        if words is None:
            return b"".join(replies), data[at:]
        name = words[0].upper()
        replies.append(VALUE if name == b"GET" else GREETING if name == b"HELLO" else b"+OK\r\n")
        at = end


def command(data, at):
    """The words of the command at a position and where it ends; None when it is not whole."""
    line = data.find(b"\r\n", at)
    if line < 0:
        return None, at
    words, end = [], line + 2
    for _ in range(int(data[at + 1 : line])):
        line = data.find(b"\r\n", end)
        if line < 0:
            return None, at
        size = int(data[end + 1 : line])
        if len(data) < line + 4 + size:
            return None, at
        words.append(data[line + 2 : line + 2 + size])
        end = line + 4 + size
    return words, end


def toolchain():
    """What the counts depend on."""
    gcc = subprocess.run(["gcc", "-dumpfullversion"], capture_output=True, text=True).stdout
    return {
        "compiler": f"gcc {gcc.strip()}",
        "libc": "-".join(platform.libc_ver()),
        "machine": platform.machine(),
        "build": "debugoptimized, as ./dev test builds it",
    }


def collected(program, name, turns, path):
    done = subprocess.run(
        [
            "valgrind",
            "--tool=callgrind",
            "--callgrind-out-file=/dev/null",
            program,
            name,
            str(turns),
            path,
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or not found:
        raise SystemExit(f"guard: {name} did not run: {done.stderr.strip()[-500:]}")
    return int(found.group(1))


def count(program, path, name):
    """Instructions per command: the difference of two lengths, so that start-up is left out."""
    turns, each, _ = PATHS[name]
    short, long = (collected(program, name, length, path) for length in (turns, 3 * turns))
    return round((long - short) / (2 * turns * each), 1)


def measure(program, path, names):
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(names, pool.map(lambda name: count(program, path, name), names)))


def worse(count_now, wanted):
    return wanted is None or count_now > wanted * (1 + TOLERANCE)


def measure_patiently(program, path, committed):
    """A machine that stops us for milliseconds makes the client look at its clocks more often, so
    what seems worse is counted again and the best counts.
    """
    counts = measure(program, path, list(PATHS))
    for _ in range(MORE_TRIES):
        again = [name for name in counts if worse(counts[name], committed.get(name))]
        for name, value in measure(program, path, again).items():
            counts[name] = min(value, counts[name])
    return counts


def compare(counts, committed):
    """Prints a line per path. Returns how many failed."""
    failed = 0
    for name, now in counts.items():
        wanted = committed.get(name)
        bad = worse(now, wanted)
        verdict = f"{now / wanted - 1:+.1%} against {wanted:g}" if wanted else "not in guard.json"
        if not bad and now < wanted * (1 - TOLERANCE):
            verdict += "; keep it so: bench/guard/run-tests --write"
        failed += bad
        print(f"{'not ok' if bad else 'ok'} {name:16} {now:8.1f}  {verdict}")
    return failed


def main():
    program = str(pathlib.Path(os.environ["TENDON_BUILD"]) / "bench" / "guard")
    now = toolchain()
    committed = json.loads(FILE.read_text()) if FILE.exists() else {"toolchain": now, "paths": {}}
    write = "--write" in sys.argv[1:]
    if not write and committed["toolchain"] != now:
        print(f"guard: the counts are those of {committed['toolchain']}, here is {now}")
        return SKIPPED
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/peer.sock"
        Peer(path)
        counts = measure_patiently(program, path, {} if write else committed["paths"])
    if write:
        about = {name: fields[2] for name, fields in PATHS.items()}
        text = {"toolchain": now, "unit": "instructions", "about": about, "paths": counts}
        FILE.write_text(json.dumps(text, indent=2) + "\n")
        print(f"wrote {FILE.name}: {counts}")
        return 0
    failed = compare(counts, committed["paths"])
    print(f"{len(counts) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
