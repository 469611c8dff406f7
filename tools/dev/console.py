"""Running programs as timed, logged steps. Nothing started here outlives its step."""

import ctypes
import fcntl
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time

import failures

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
LOGS = BUILD / "logs"

# A step that says nothing for this long looks hung to a person, so it says that it is alive.
HEARTBEAT_SECONDS = 30
# Enough of a failing log to see the cause; the whole log is named below it.
TAIL_LINES = 60
# How long a step that is told to end may take before it is killed.
END_SECONDS = 5
# From linux/prctl.h.
PR_SET_PDEATHSIG = 1

STARTED = time.monotonic()
# Held until this process ends.
LOCKS = []
# Steps under way: several threads may run one each.
RUNNING = set()


class Failure(Exception):
    """Something a person has to read; the message says what to do."""


class Result:
    """How a step ended: its exit code (None after a time-out), seconds and log."""

    def __init__(self, code, seconds, log):
        self.code = code
        self.seconds = seconds
        self.log = log

    def text(self):
        return self.log.read_text(errors="replace")


def exit_on_signals():
    """Turns termination into SystemExit, so that every `finally` stops what it started."""

    def leave(number, _frame):
        raise SystemExit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)


def only_one():
    """One test or demo at a time in a clone: they share build directories and servers."""
    BUILD.mkdir(exist_ok=True)
    handle = open(BUILD / "dev.lock", "w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise Failure(
            "another ./dev test, demo or conformance is running in this clone; wait for it"
        ) from None
    os.set_inheritable(handle.fileno(), False)
    LOCKS.append(handle)


def say(text):
    # In one piece, because several threads may speak.
    sys.stdout.write(f"[{time.monotonic() - STARTED:6.1f}s] {text}\n")
    sys.stdout.flush()


def log_path(label):
    LOGS.mkdir(parents=True, exist_ok=True)
    return LOGS / (re.sub(r"[^A-Za-z0-9_.+-]+", "-", label).strip("-") + ".log")


def end_with_parent():
    """Runs in the child: the kernel ends it when the harness was killed without cleaning up."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def end_group(process):
    """Ends a step and all it started: they share a process group that only the step is in."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except (ProcessLookupError, PermissionError):
            return
        deadline = time.monotonic() + END_SECONDS
        while time.monotonic() < deadline:
            process.poll()
            try:
                os.killpg(process.pid, 0)
            except (ProcessLookupError, PermissionError):
                return
            time.sleep(0.05)


def end_running():
    """Ends the steps of all threads; each thread then sees its own end."""
    for process in list(RUNNING):
        end_group(process)


def wait_with_heartbeat(process, label, timeout_s):
    """Waits for the process. Returns its exit code, or None when it took longer than timeout_s."""
    deadline = time.monotonic() + timeout_s
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            return None
        try:
            return process.wait(min(HEARTBEAT_SECONDS, left))
        except subprocess.TimeoutExpired:
            if deadline - time.monotonic() > 0:
                say(f"{label} … still running")


def copy_lines(source, log_file, show):
    for line in iter(source.readline, b""):
        log_file.write(line)
        log_file.flush()
        if show:
            sys.stdout.buffer.write(b"    " + line)
            sys.stdout.flush()


def run(label, argv, cwd=ROOT, env=None, timeout_s=1800, show=False, quiet=False):
    """Runs one step to its end, returns a Result. Output goes to a log; show prints it as well."""
    path = log_path(label)
    started = time.monotonic()
    if not quiet:
        say(f"{label} …")
    with open(path, "wb") as log_file:
        process = subprocess.Popen(
            [str(part) for part in argv],
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=end_with_parent,
        )
        reader = threading.Thread(
            target=copy_lines, args=(process.stdout, log_file, show), daemon=True
        )
        reader.start()
        RUNNING.add(process)
        try:
            code = wait_with_heartbeat(process, label, timeout_s)
        finally:
            end_group(process)
            RUNNING.discard(process)
        reader.join(END_SECONDS)
        if code is None:
            log_file.write(
                f"\n{label}: no end after {timeout_s} s, stopped by the harness\n".encode()
            )
    result = Result(code, time.monotonic() - started, path)
    if not quiet or code != 0:
        state = "ok" if code == 0 else "TIME-OUT" if code is None else f"FAILED (exit {code})"
        say(f"{label}: {state} ({result.seconds:.1f} s)")
    return result


def show_failure(result):
    """Prints what failed, from anywhere in the log, then its end. Returns what failed by name."""
    text = result.text()
    for line in failures.excerpt(text):
        print(f"    | {line}".rstrip())
    print("    | … the end of the log:")
    show_tail(result)
    return failures.titles(text)


def show_tail(result):
    """Prints the end of a failing log and where the rest is."""
    for line in result.text().splitlines()[-TAIL_LINES:]:
        print(f"    | {line}")
    print(f"    | whole log: {result.log}", flush=True)


def must(label, argv, **options):
    """As run, but a failure shows its output and ends the command."""
    result = run(label, argv, **options)
    if result.code != 0:
        if not options.get("show"):
            show_tail(result)
        raise Failure(f"{label} failed")
    return result
