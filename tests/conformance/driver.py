"""Starts the drivers and lets them execute programs."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import threading

import console
import wire

HERE = pathlib.Path(__file__).resolve().parent
BUILD = HERE.parents[1] / "build" / "conformance"
# A program whose driver says nothing for so long hangs, which no program may.
PROGRAM_SECONDS = 120
START_SECONDS = 60
SAID_MAX = 20000
# In which a driver that hangs may tell where its threads are.
LAST_WORDS_SECONDS = 5


class Stuck(Exception):
    """A driver ended, hung or said something wrong."""


class Driver:
    """One driver process, started when it is first needed, and again after it failed."""

    def __init__(self, entry, folder, environ=None, number=0):
        self.name = entry["name"]
        self.is_peer = entry.get("peer", False)
        self.number = number
        self.argv = [word.replace("{out}", str(BUILD / folder)) for word in entry["argv"]]
        self.environ = environ
        self.process = None

    def start(self):
        BUILD.mkdir(parents=True, exist_ok=True)
        self.log = open(BUILD / f"{self.name}.{os.getpid()}.{self.number}.log", "w+b")
        self.process = subprocess.Popen(
            self.argv,
            cwd=HERE,
            env=self.environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            preexec_fn=console.end_with_parent,
        )
        timer = threading.Timer(START_SECONDS, self.process.kill)
        timer.start()
        try:
            wire.read_frame(self.process.stdout)
        except wire.Broken as error:
            text = self.said()
            self.process = None
            raise Stuck(f"{self.name} did not start: {text}") from error
        finally:
            timer.cancel()

    def said(self):
        """What it wrote for people."""
        self.process.kill()
        self.process.wait()
        self.log.seek(0)
        text = self.log.read().decode(errors="replace").strip()
        return text[-SAID_MAX:] or f"nothing; exit code {self.process.returncode}"

    def run(self, program):
        """(thread, index) -> native value. Raises Stuck."""
        if self.process is None:
            self.start()
        timer = threading.Timer(PROGRAM_SECONDS, end_stuck, [self.process])
        timer.start()
        try:
            self.process.stdin.write(wire.program_bytes(program))
            self.process.stdin.flush()
            results = {}
            while (words := wire.read_frame(self.process.stdout)) != [b"done"]:
                if words[:1] != [b"result"] or len(words) < 4:
                    raise wire.Broken(f"no result: {words[:4]!r}")
                results[int(words[1]), int(words[2])] = wire.value_of(words[3:])
            return results
        except (wire.Broken, OSError) as error:
            text = self.said()
            self.process = None
            raise Stuck(f"{self.name}: {error}; it wrote: {text}") from error
        finally:
            timer.cancel()

    def stop(self):
        if self.process is None:
            return
        try:
            self.process.stdin.write(wire.frame([b"quit"]))
            self.process.stdin.close()
            self.process.wait(10)
        except (OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.log.close()
        self.process = None


def end_stuck(process):
    """Go, Java and Python write where their threads are when they get this signal."""
    process.send_signal(signal.SIGQUIT)
    try:
        process.wait(LAST_WORDS_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


def rank(driver):
    """The order in which drivers are compared: the first is what the others are held against."""
    return driver.is_peer, driver.name != "python", driver.name


class Crew:
    """Drivers that several programs share, each of which takes the one that is free.

    A process ends with the thread that started it: those threads must live until `stop`.
    """

    def __init__(self, drivers):
        self.idle = list(drivers)
        self.changed = threading.Condition()
        self.kinds = {}  # one of each name, in their order
        for each in self.idle:
            self.kinds.setdefault(each.name, each)

    def in_turn(self, names):
        """Lends one driver of each name, in the order in which they are free."""
        left = set(names)
        while left:
            with self.one_of(left) as driver:
                left.discard(driver.name)
                yield driver

    @contextlib.contextmanager
    def one_of(self, names):
        with self.changed:
            while not (fit := [each for each in self.idle if each.name in names]):
                self.changed.wait()
            driver = next((each for each in fit if each.process), fit[0])
            self.idle.remove(driver)
        try:
            yield driver
        finally:
            with self.changed:
                self.idle.append(driver)
                self.changed.notify_all()

    def stop(self):
        for each in self.idle:
            each.stop()


def entries():
    """(folder, entry) of every driver that driver.json files name."""
    for path in sorted(HERE.glob("drivers/*/driver.json")):
        for entry in json.loads(path.read_text())["drivers"]:
            yield path.parent.name, entry


def available(entry, folder):
    """Whether what it is started with has been built: a peer may not have been to be had."""
    out = str(BUILD / folder)
    parts = [part for word in entry["argv"] for part in word.replace("{out}", out).split(":")]
    return all(os.path.exists(part.rstrip("/*")) for part in parts if part.startswith(out))
