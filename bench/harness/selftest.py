"""What must hold of the benchmark before anything is measured: tables, arithmetic, report.

Part of the check suite, so that a client or workload that cannot work is found before a long run.
"""

import pathlib
import sys
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tools" / "dev")]

from harness import charts, counts, goals, plan, report, results, sample  # noqa: E402

MODES = {"blocking", "lease", "async", "batch", "mget"}
MODES |= {"hash", "connect", "subscribe", "failover"}
OPS = {"get", "set", "mixed"}
TRANSPORTS = {"tcp", "unix", "tls", "cluster"}
PLACEMENTS = {"split", "same-core", "free"}
PLACES = dict.fromkeys(("out", "here", "python", "root", "tendon_out"), "/place")


def workload_findings(works):
    for work in works.values():
        known = work.mode in MODES and work.op in OPS and work.transport in TRANSPORTS
        if not known or work.placement not in PLACEMENTS:
            yield f"workloads.json: {work.name} has an unknown mode, op, transport or placement"
        suffix = work.name.partition(".")[2].partition("-")[0]
        if suffix and suffix != work.transport:
            yield f"workloads.json: {work.name} ends in another transport than it has"


def client_findings(clients, works):
    for client in clients:
        where = f"{client.language}/clients.json: {client.name}"
        if set(client.modes) - MODES or set(client.ops) - OPS:
            yield f"{where} names an unknown mode or op"
        if set(client.transports) - TRANSPORTS or set(client.only or []) - set(works):
            yield f"{where} names an unknown transport or workload"
        if not any(client.can(work) for work in works.values()):
            yield f"{where} can do no workload"
        try:
            [part.format(**PLACES) for part in client.command]
        except (KeyError, ValueError):
            yield f"{where} has a command with an unknown {{place}}"


def folder_findings():
    for path in sorted((plan.BENCH / "drivers").glob("*/clients.json")):
        if path.parent.name not in plan.LANGUAGES:
            yield f"drivers/{path.parent.name} is no known language"
        if not (path.parent / "build").exists():
            yield f"drivers/{path.parent.name} has no build"


def cell(works, client, rates):
    """A cell with made-up samples."""
    made = plan.Cell(works["L1"], client)
    for rate in rates:
        answer = {"ops": rate, "seconds": 1.0, "cpu_us": 2 * rate, "p50_us": None, "rss_kib": 1}
        answer["kill_ms"] = None
        made.samples.append(sample.Sample({**answer, "version": "1"}, 3.0 * rate, 0.0, 0.0))
    return results.of_cell(made)


def arithmetic_findings(works):
    ours = plan.Client("c", "tendon", {"command": [], "modes": {"blocking": []}, "ours": True})
    peer = plan.Client("c", "hiredis", {"command": [], "modes": {"blocking": []}})
    cells = [cell(works, ours, [90, 100, 300]), cell(works, peer, [50, 40, 60])]
    row = results.comparisons(cells)[0]
    worse = {"comparisons": [{**row, "client_cpu": {"ratio": 0.5, "min": 0.4, "max": 0.6}}]}
    if len(goals.changes({"comparisons": [row]}, worse)) != 1:
        yield "a CPU ratio that became worse is not told"
    if row["throughput"] != {"ratio": 2.0, "min": 1.8, "max": 5.0}:
        yield f"a ratio of medians 100 and 50 is {row['throughput']}"
    if row["client_cpu"]["ratio"] != 1.0 or row["server_cpu"]["ratio"] != 1.0:
        yield "CPU is not compared per operation"
    missed, met = (
        next(goals.rows_of(cells, "c", "L1", figure, "best", 1.5))
        for figure in ("client_cpu_us", "ops_per_second")
    )
    if missed["holds"] is not False or counts.holds(None, ">=", 1) is not None:
        yield "a missed target is told as met"
    if met["holds"] is not True or met["peer"] != "the best: hiredis":
        yield f"a target that is met is told as {met}"
    work = {"name": "L1", "mode": "blocking"}
    if goals.standing(cells, [work])[0]["explanation"]:
        yield "a cell that is faster than the best peer is explained"
    picture = charts.bars("a < b & c", "unit", cells, "ops_per_second")
    xml.etree.ElementTree.fromstring(picture)
    if "tendon" not in report.workload_section(vars(works["L1"]) | works["L1"].numbers, cells):
        yield "a client is missing in its section"


def goal_findings(works, clients):
    known = {(client.language, client.name) for client in clients}
    for language, names, _, peers, _ in goals.GOALS:
        for name in set(names.split()) - set(works):
            yield f"goals: no workload {name}"
        for peer in [] if peers == goals.BEST else peers.split("; "):
            if (language, peer) not in known:
                yield f"goals: {language} has no client {peer}"


def explanation_findings(works):
    for language, name, figure in goals.explanations():
        known = language in plan.LANGUAGES and name in works and figure in goals.NAMES.values()
        if not known:
            yield f"explanations.json: {language} {name}, {figure} is no cell"


def main():
    works = plan.load_workloads()
    clients = plan.load_clients(plan.LANGUAGES)
    findings = [
        *workload_findings(works),
        *client_findings(clients, works),
        *folder_findings(),
        *arithmetic_findings(works),
        *goal_findings(works, clients),
        *explanation_findings(works),
    ]
    print("\n".join(findings) or f"bench: {len(works)} workloads, {len(clients)} clients hold")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
