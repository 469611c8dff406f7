"""One run from its arguments to its report."""

import fcntl
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile
import time

import builds
import console
import packages

from . import engine, machine, plan, report, results, rounds
from .target import Target

PLACEMENT = (
    "split: client on core {0}, server on core {1}; same-core: both on core {1}, where waking the "
    "other side costs least; free: neither is pinned"
)

USUAL = {"rounds": 5, "seconds": 1.0, "warmup": 0.3}
QUICK = {"rounds": 2, "seconds": 0.4, "warmup": 0.1}


def show_list():
    for work in plan.load_workloads().values():
        print(f"{work.name:12} {work.title}")
    for client in plan.load_clients(plan.LANGUAGES):
        print(f"{client.language:8} {client.name}")
    return 0


def choose(arguments):
    """The workloads and clients of this run."""
    known = plan.load_workloads()
    languages = plan.chosen(arguments.lang, plan.LANGUAGES, "language") or plan.LANGUAGES
    names = plan.chosen(arguments.workload, known, "workload") or list(known)
    if arguments.table:
        languages = ["c"]
        names = plan.chosen(arguments.workload, known, "workload") or engine.WORKLOADS
    clients = plan.load_clients(languages)
    wanted = plan.chosen(arguments.client, [client.name for client in clients], "client")
    if wanted:
        clients = [client for client in clients if client.name in wanted]
    return [known[name] for name in names], clients


def build_drivers(languages):
    """Runs each language's build. Returns its output folders, environment and what it lacks."""
    outs, lacking = {}, []
    env = builds.environment("bench", "bench", console.BUILD / "bench" / "none")
    for language in languages:
        outs[language] = console.BUILD / "bench" / "drivers" / language
        outs[language].mkdir(parents=True, exist_ok=True)
        result = console.must(
            f"build the {language} drivers",
            [plan.BENCH / "drivers" / language / "build"],
            env={**os.environ, **env, "BENCH_OUT": str(outs[language])},
        )
        prefix = "unavailable "
        lacking += [
            f"{language}: {line[len(prefix) :]}"
            for line in result.text().splitlines()
            if line.startswith(prefix)
        ]
    return outs, env, lacking


def without(clients, lacking):
    """The clients that could be built."""
    missing = {tuple(line.split(": ")[:2]) for line in lacking}
    return [client for client in clients if (client.language, client.name) not in missing]


def commit():
    if not shutil.which("git"):
        return "?"
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=12"],
        cwd=console.ROOT,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip() or "?"


def versions():
    done = subprocess.run(["gcc", "--version"], capture_output=True, text=True)
    return {"gcc": (done.stdout.splitlines() or ["?"])[0], "python": platform.python_version()}


def gather(arguments, timing, works, cells, target, lacking, rows):
    figures = [results.of_cell(cell) for cell in cells]
    return {
        "version": 1,
        "date": time.strftime("%Y-%m-%d"),
        "tendon": builds.version(),
        "commit": commit(),
        "machine": {**machine.describe(), **versions()},
        "server": f"{target.engine} {target.version}",
        "run": {
            "rounds": arguments.rounds,
            **timing,
            "gate": not (arguments.no_gate or arguments.urgent),
            "urgent": arguments.urgent,
            "rejected": sum(cell["rejected"] for cell in figures),
            "disturbed": sum(cell["disturbed"] for cell in figures),
            "placement": PLACEMENT.format(*machine.cores()),
        },
        "unavailable": lacking,
        "engine": rows,
        "workloads": [
            {
                "name": work.name,
                "title": work.title,
                "mode": work.mode,
                "op": work.op,
                "placement": work.placement,
                "transport": work.transport,
                **work.numbers,
            }
            for work in works
        ],
        "comparisons": results.comparisons(figures),
        "cells": figures,
    }


def stem(arguments):
    """A name without the machine's."""
    what = arguments.table or (arguments.lang or "all").replace(",", "-")
    cpu = "".join(c if c.isalnum() else "-" for c in machine.cpu_name().lower()).strip("-")
    return (
        f"{time.strftime('%Y-%m-%d')}-{what}-{'-'.join(cpu.split('-')[:2])}-{os.cpu_count()}cores"
    )


def wait_for_my_turn():
    """One run at a time on a machine, whoever's clone it is: two would measure each other."""
    handle = open(pathlib.Path(tempfile.gettempdir()) / "tendon-bench.lock", "a")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        console.say("another ./dev bench is measuring on this machine; waiting for it")
        fcntl.flock(handle, fcntl.LOCK_EX)
    os.set_inheritable(handle.fileno(), False)
    console.LOCKS.append(handle)


def run(arguments):
    usual = QUICK if arguments.quick else USUAL
    for name, value in usual.items():
        if getattr(arguments, name) is None:
            setattr(arguments, name, value)
    works, clients = choose(arguments)
    timing = {"seconds": arguments.seconds, "warmup": arguments.warmup}
    packages.require("core", "servers", "bench", arguments.engine)
    if {client.language for client in clients} - {"c"}:
        packages.require("bindings")
    builds.build("bench")
    outs, env, lacking = build_drivers(sorted({client.language for client in clients}))
    cells = plan.cells(works, without(clients, lacking))
    target = Target(console.BUILD / "bench" / "server", arguments.engine, arguments.urgent)
    target.folder.mkdir(parents=True, exist_ok=True)
    wait_for_my_turn()
    try:
        target.start()
        gate = rounds.Gate(not (arguments.no_gate or arguments.urgent))
        rounds.run(cells, arguments.rounds, gate, target, timing, outs, env)
        rows = []
        if arguments.table == "engine":
            rows = engine.table([results.of_cell(cell) for cell in cells], target, outs["c"], env)
        data = gather(arguments, timing, works, cells, target, lacking, rows)
    finally:
        target.stop()
    return finish(arguments, data)


def finish(arguments, data):
    folder = plan.BENCH / "results" if arguments.save else console.BUILD / "bench" / "report"
    page = report.write(data, folder, stem(arguments))
    print("\n".join(report.comparison_lines(data["comparisons"])))
    if data["engine"]:
        print()
        print("\n".join(engine.lines(data["engine"])))
    failed = [cell for cell in data["cells"] if cell["failure"]]
    for cell in failed:
        print(f"failed: {cell['workload']} {cell['client']}: {cell['failure']}")
    for line in data["unavailable"]:
        print(f"not measured: {line}")
    if data["run"]["disturbed"]:
        print(f"* {data['run']['disturbed']} samples were disturbed by other work on this machine")
    print(f"\n{page}")
    sys.stdout.flush()
    return 1 if failed else 0
