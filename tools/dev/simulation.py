"""Runs the simulated world (tests/sim): a fixed set of seeds, new ones, and planted defects."""

import hashlib
import os
import re
import shutil
import subprocess
import time

import builds
import console

SEEDS = console.ROOT / "tests" / "sim" / "seeds.txt"
TARGET = "tests/sim/sim"
FIXED_WORLDS = 1200
VERIFIED_WORLDS = 25
NEW_SECONDS = 30
# More worlds than any machine runs in the time there is.
MANY = 1_000_000
# A run is bounded by itself; this is for one that hangs.
GRACE_SECONDS = 300


def program(build_name="test"):
    return builds.folder(build_name) / TARGET


def new_seed():
    """Where new seeds begin: another place for every commit, the same one for the same commit, so
    that a failure comes back when the tests run again. Without git: another one every day.
    """
    found = None
    if shutil.which("git"):
        found = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=console.ROOT, capture_output=True, text=True
        )
    known = found is not None and found.returncode == 0
    text = found.stdout.strip() if known else time.strftime("%Y-%m-%d")
    return int(hashlib.sha256(text.encode()).hexdigest()[:12], 16)


def worlds_of(text):
    """How many worlds a run says it saw good."""
    found = re.findall(r"^sim: (\d+) worlds", text, re.MULTILINE)
    return sum(int(number) for number in found)


def run_part(label, arguments, seconds):
    result = console.run(label, [program(), *arguments], timeout_s=seconds + GRACE_SECONDS)
    if result.code != 0:
        console.show_tail(result)
    return result.code == 0, worlds_of(result.text())


def run_new(seconds):
    """New seeds on every core at once; each process takes every n-th seed. Returns a list of
    (good, worlds).
    """
    cores = min(os.cpu_count() or 1, 8)
    begin = new_seed()
    console.say(f"simulated worlds from seed {begin} for {seconds} s on {cores} cores …")
    logs = [console.log_path(f"sim new {index}") for index in range(cores)]
    running = []
    for index, log in enumerate(logs):
        argv = [program(), "--from", begin + index, "--step", cores]
        argv += ["--worlds", MANY, "--seconds", seconds]
        with open(log, "wb") as output:
            running.append(
                subprocess.Popen(
                    [str(word) for word in argv],
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    stdin=subprocess.DEVNULL,
                    preexec_fn=console.end_with_parent,
                )
            )
    return [wait_for(process, log, seconds) for process, log in zip(running, logs)]


def wait_for(process, log, seconds):
    try:
        code = process.wait(seconds + GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        code = None
    text = log.read_text(errors="replace")
    if code != 0:
        print("\n".join(f"    | {line}" for line in text.splitlines()[-console.TAIL_LINES :]))
        print(f"    | whole log: {log}", flush=True)
    return code == 0, worlds_of(text)


def run():
    """The whole runner. Returns (passed, failed, skipped, note); each part counts as one test."""
    parts = [
        run_part("sim: committed seeds", ["--seeds", SEEDS, "--worlds", 0], 60),
        run_part(
            "sim: the same trace twice",
            ["--from", 1, "--worlds", VERIFIED_WORLDS, "--verify"],
            60,
        ),
        run_part(
            "sim: fixed worlds and what they cover",
            ["--from", 1, "--worlds", FIXED_WORLDS, "--coverage"],
            120,
        ),
        *run_new(NEW_SECONDS),
    ]
    good = sum(1 for part in parts if part[0])
    worlds = sum(part[1] for part in parts)
    return good, len(parts) - good, 0, f"{worlds} worlds"
