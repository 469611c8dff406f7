"""One run from its arguments to its report."""

import fcntl
import json
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

from . import clusters, counts, goals, machine, plan, report, results, rounds

PLACEMENT = (
    "split: client on core {0}, server on core {1}; same-core: both on core {1}, where waking the "
    "other side costs least; free: neither is pinned"
)

USUAL = {"rounds": 5, "seconds": 1.0, "warmup": 0.3}
FAILOVER_ROUNDS_MAX = 3
QUICK = {"rounds": 2, "seconds": 0.4, "warmup": 0.1}


def show_list():
    for work in plan.load_workloads().values():
        print(f"{work.name:19} {work.title}")
    for client in plan.load_clients(plan.LANGUAGES):
        print(f"{client.language:8} {client.name}")
    return 0


def choose(arguments):
    """The workloads and clients of this run."""
    known = plan.load_workloads()
    languages = plan.chosen(arguments.lang, plan.LANGUAGES, "language") or plan.LANGUAGES
    names = plan.chosen(arguments.workload, known, "workload") or list(known)
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


def gather(arguments, timing, works, cells, targets, lacking, counted):
    figures = [results.of_cell(cell) for cell in cells]
    return judged(
        {
            "version": 2,
            "date": time.strftime("%Y-%m-%d"),
            "tendon": builds.version(),
            "commit": commit(),
            "machine": {**machine.describe(), **versions()},
            "server": f"{targets.engine} {targets.version()}",
            "run": {
                "rounds": arguments.rounds,
                "other_rounds": arguments.other_rounds,
                **timing,
                "gate": not (arguments.no_gate or arguments.urgent),
                "urgent": arguments.urgent,
                "rejected": sum(cell["rejected"] for cell in figures),
                "disturbed": sum(cell["disturbed"] for cell in figures),
                "placement": PLACEMENT.format(*machine.cores()),
            },
            "unavailable": lacking,
            "counts": counted,
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
            "cells": figures,
        }
    )


def judged(data):
    """Adds what is computed from the cells."""
    cells = data["cells"]
    return {
        **data,
        "goals": goals.rows(cells),
        "standing": goals.standing(cells, data["workloads"]),
        "comparisons": results.comparisons(cells),
    }


def joined(arguments):
    """One report of several runs. A workload that a later run measured again in a language is as
    that has it, with all its clients: no ratio is of two runs."""
    parts = [json.loads(pathlib.Path(name).read_text()) for name in arguments.join]
    measured, works = {}, {}
    for part in parts:
        measured.update(by_workload(part["cells"]))
        works.update({work["name"]: work for work in part["workloads"]})
    cells = [cell for rows in measured.values() for cell in rows]
    known = [work for work in plan.load_workloads() if work in works]
    data = {
        **parts[0],
        "date": max(part["date"] for part in parts),
        "commit": ", ".join(sorted({part["commit"] for part in parts})),
        "unavailable": [line for part in parts for line in part["unavailable"]],
        "counts": [row for part in parts for row in part["counts"]],
        "workloads": [works[name] for name in known],
        "cells": cells,
    }
    data["run"] = {
        **data["run"],
        **{name: sum(part["run"][name] for part in parts) for name in ("rejected", "disturbed")},
        "rounds_told": told_of_parts(parts),
        "gate": all(part["run"]["gate"] for part in parts),
        "urgent": any(part["run"]["urgent"] for part in parts),
    }
    return finish(arguments, judged(data))


def by_workload(cells):
    """(language, workload) -> the cells of its clients."""
    found = {}
    for cell in cells:
        found.setdefault((cell["language"], cell["workload"]), []).append(cell)
    return found


def told_of_parts(parts):
    """What each run did, when they did not all do the same."""
    told, seen = {}, set()
    for part in parts:
        names = {}
        for language, workload in by_workload(part["cells"]):
            names.setdefault(language, []).append(workload)
        for language, workloads in names.items():
            again = f"{language} {' '.join(workloads)}"
            name = again if language in seen else language
            told.setdefault(report.rounds_told(part["run"]), []).append(name)
        seen |= set(names)
    if len(told) == 1:
        return next(iter(told))
    return "; ".join(f"{', '.join(languages)}: {text}" for text, languages in told.items())


def stem(arguments):
    """The day, and what was measured if it was not everything."""
    chosen = [arguments.lang, arguments.workload, arguments.client]
    words = "-".join("".join(c if c.isalnum() else "-" for c in text) for text in chosen if text)
    return time.strftime("%Y-%m-%d") + (f"-{words[:60]}" if words else "")


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


def rounds_of(cell, arguments):
    most = FAILOVER_ROUNDS_MAX if cell.workload.mode == "failover" else arguments.rounds
    promised = goals.is_promised(cell.client.language, cell.workload.name)
    return min(most, arguments.rounds if promised else arguments.other_rounds)


def measure(arguments, cells, targets, timing, outs, env):
    """All rounds; failovers come last, because a cluster that heals disturbs whoever comes next."""
    gate = rounds.Gate(not (arguments.no_gate or arguments.urgent))
    for cell in cells:
        cell.rounds = rounds_of(cell, arguments)
    usual = [cell for cell in cells if cell.workload.mode != "failover"]
    rest = [cell for cell in cells if cell.workload.mode == "failover"]
    rounds.tell(f"{len(cells)} cells, about {rounds.minutes(cells, timing):.0f} minutes")
    rounds.run(usual, gate, targets, timing, outs, env)
    rounds.run(rest, rounds.Gate(False), targets, timing, outs, env)


def run(arguments):
    if arguments.join:
        return joined(arguments)
    usual = QUICK if arguments.quick else USUAL
    for name, value in usual.items():
        if getattr(arguments, name) is None:
            setattr(arguments, name, value)
    if arguments.other_rounds is None:
        arguments.other_rounds = arguments.rounds
    works, clients = choose(arguments)
    timing = {"seconds": arguments.seconds, "warmup": arguments.warmup}
    packages.require("core", "servers", "bench", arguments.engine)
    if {client.language for client in clients} - {"c"}:
        packages.require("bindings")
    builds.build("bench")
    outs, env, lacking = build_drivers(sorted({client.language for client in clients}))
    cells = plan.cells(works, without(clients, lacking))
    folder = console.BUILD / "bench" / "server"
    targets = clusters.Targets(folder, arguments.engine, arguments.urgent)
    wait_for_my_turn()
    try:
        measure(arguments, cells, targets, timing, outs, env)
        counted = []
        if "c" in outs and not arguments.quick and not arguments.workload:
            counted = counts.table(targets, plan.load_workloads()["L1"], outs["c"], env)
        data = gather(arguments, timing, works, cells, targets, lacking, counted)
    finally:
        targets.stop()
    return finish(arguments, data)


def finish(arguments, data):
    keep = not (arguments.quick or arguments.client or arguments.no_save)
    folder = plan.BENCH / "results" if keep else console.BUILD / "bench" / "report"
    page = report.write(data, folder, arguments.name or stem(arguments))
    print("\n".join(report.comparison_lines(data["comparisons"])))
    print()
    print("\n".join([*goals.lines(data["goals"], data["standing"]), *counts.lines(data["counts"])]))
    failed = [cell for cell in data["cells"] if cell["failure"]]
    for cell in failed:
        print(f"failed: {cell['workload']} {cell['client']}: {cell['failure']}")
    for line in data["unavailable"]:
        print(f"not measured: {line}")
    if data["run"]["disturbed"]:
        print(f"* {data['run']['disturbed']} samples were disturbed by other work on this machine")
    print(f"\n{page}")
    sys.stdout.flush()
    changed = []
    if arguments.against:
        changed = goals.changes(data, json.loads(pathlib.Path(arguments.against).read_text()))
        print("\n".join(changed) or f"no CPU ratio is worse than in {arguments.against}")
    return 1 if failed or changed else 0
