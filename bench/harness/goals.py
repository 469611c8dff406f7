"""What is promised of each language against its peers, and what came of it in one run.

Every value is in tendon's favour: throughput is ours divided by theirs, CPU and memory are theirs
divided by ours.
"""

import json

from . import plan, results

BEST = "best"
OPS, CPU, SERVER, MEMORY = "ops_per_second", "client_cpu_us", "server_cpu_us", "rss_kib"
MORE_IS_BETTER = {OPS}
NAMES = {OPS: "throughput", CPU: "CPU", SERVER: "server CPU", MEMORY: "peak memory"}
# Cells worse than the best peer by more than this need an explanation.
SLOWER_MAX = 0.95
# A ratio of two CPUs per operation may be so many times that of a committed run.
WORSE_MAX = 1.15
NOT_EXPLAINED = "not explained yet"
EXPLANATIONS = plan.BENCH / "explanations.json"

# language, workloads, figure, peers (each of them), at least
GOALS = [
    ("c", "L1 L1.tls", OPS, "hiredis; libvalkey", 1.03),
    ("c", "P1000", OPS, "libvalkey", 1.25),
    ("c", "P1000", CPU, "libvalkey", 3),
    ("c", "T64 T64-free", OPS, "hiredis", 1.8),
    ("c", "T64 T64-free", CPU, "hiredis", 2.5),
    ("c", "T64 T64-free", SERVER, "hiredis", 6),
    ("python", "L1 L1-set", OPS, "redis-py with hiredis", 3),
    ("python", "L1 L1-set", CPU, "redis-py with hiredis", 4),
    ("python", "P100", OPS, "redis-py with hiredis", 3),
    ("python", "A100", OPS, "redis-py with hiredis", 12),
    ("python", "A1000", OPS, "redis-py with hiredis", 30),
    ("python", "A100 A100-free", OPS, "valkey-glide; coredis", 5),
    ("node", "L1", OPS, BEST, 1.3),
    ("node", "A100 A100-free", OPS, BEST, 3.5),
    ("node", "A1000 A1000-free", OPS, BEST, 7),
    ("node", "P100", OPS, "node-redis", 1.7),
    ("node", "P100", CPU, "node-redis", 2.5),
    ("java", "L1", OPS, "Jedis", 1.15),
    ("java", "T64 T64-free", OPS, "Jedis; Lettuce; valkey-glide", 2),
    ("java", "T64 T64-free", CPU, "Jedis; Lettuce; valkey-glide", 2.5),
    ("java", "A100 A100-free", OPS, "Lettuce; valkey-glide", 3),
    ("java", "A1000 A1000-free", OPS, "Lettuce; valkey-glide", 5),
    ("go", "L1", OPS, "rueidis", 1.03),
    ("go", "L1", OPS, "go-redis", 1.08),
    ("go", "A100 A100-free A1000 A1000-free", OPS, "rueidis", 3),
    ("go", "A100 A100-free", OPS, "rueidis, MaxFlushDelay 20 µs", 1.15),
    ("go", "A1000 A1000-free", OPS, "rueidis, MaxFlushDelay 20 µs", 1.3),
    ("go", "A100 A100-free", OPS, "go-redis, AutoPipeline", 1.5),
    ("go", "A1000 A1000-free", OPS, "go-redis, AutoPipeline", 1.25),
    # Concurrency in C is threads, elsewhere what the language has for it.
    ("c", "T10 T10-free", OPS, BEST, 1.0),
    ("c", "T100.tls T100.tls-free", OPS, BEST, 2),
    ("c", "T1000", MEMORY, BEST, 1.0),
    *[(language, "A10 A10-free", OPS, BEST, 1.0) for language in plan.LANGUAGES if language != "c"],
    *[
        (language, "A100.tls A100.tls-free", OPS, BEST, 1.3 if language == "go" else 2)
        for language in plan.LANGUAGES
        if language != "c"
    ],
    *[(language, "A1000", MEMORY, BEST, 1.0) for language in plan.LANGUAGES if language != "c"],
]


def is_promised(language, workload):
    """Whether anything is promised of a workload in a language."""
    return any(goal[0] == language and workload in goal[1].split() for goal in GOALS)


def peers_of(cells, language, workload):
    return [
        cell
        for cell in cells
        if (cell["language"], cell["workload"]) == (language, workload)
        and cell["samples"]
        and not cell["ours"]
        and not cell["reference"]
    ]


def favour(ours, peer, figure):
    """How many times better ours is: the ratio and its range over the rounds, or None."""
    pair = (ours, peer) if figure in MORE_IS_BETTER else (peer, ours)
    return results.ratio(*pair, figure)


def best_peer(cells, language, workload, figure):
    """The peer that is hardest to beat."""
    found = [peer for peer in peers_of(cells, language, workload) if peer["figures"].get(figure)]
    sign = 1 if figure in MORE_IS_BETTER else -1
    return max(found, key=lambda peer: sign * peer["figures"][figure]["median"], default=None)


def rows_of(cells, language, workload, figure, peers, least):
    ours = results.find(cells, workload, "tendon", language)
    if not ours:
        return
    for name in [BEST] if peers == BEST else peers.split("; "):
        if name == BEST:
            peer = best_peer(cells, language, workload, figure)
        else:
            peer = results.find(cells, workload, name, language)
        ratio = favour(ours, peer, figure)
        told = name if name != BEST else f"the best: {peer['client'] if peer else 'none measured'}"
        yield {
            "language": language,
            "workload": workload,
            "figure": NAMES[figure],
            "peer": told,
            "least": least,
            "ratio": ratio,
            "holds": ratio["ratio"] >= least if ratio else None,
            "disturbed": bool(ours["disturbed"] or (peer and peer["disturbed"])),
            "explanation": "",
        }


def rows(cells):
    """Every goal of the languages that were measured."""
    found = [
        row
        for language, workloads, figure, peers, least in GOALS
        for workload in workloads.split()
        for row in rows_of(cells, language, workload, figure, peers, least)
    ]
    known = explanations()
    for row in found:
        if row["holds"] is False:
            place = (row["language"], row["workload"], row["figure"])
            row["explanation"] = known.get(place) or NOT_EXPLAINED
    return found


def standing(cells, works):
    """Each of our cells against the best peer of its language: throughput and client CPU. Not of a
    failover: its rate says how long the servers needed; a table of its own says what callers saw.
    """
    failovers = {work["name"] for work in works if work["mode"] == "failover"}
    found = []
    for ours in cells:
        if ours["client"] != "tendon" or not ours["samples"] or ours["workload"] in failovers:
            continue
        place = (ours["language"], ours["workload"])
        peer = best_peer(cells, *place, OPS)
        thrifty = best_peer(cells, *place, CPU)
        if peer:
            found.append(
                {
                    "language": place[0],
                    "workload": place[1],
                    "peer": peer["client"],
                    "throughput": favour(ours, peer, OPS),
                    "thrifty": thrifty["client"] if thrifty else "",
                    "client_cpu": favour(ours, thrifty, CPU),
                    "disturbed": bool(ours["disturbed"] or peer["disturbed"]),
                    "explanation": "",
                }
            )
    return explained(found)


def explanations():
    """The lines of explanations.json by language, workload and figure. A key names a language, one
    or more workloads, and after a comma the figure if that is not the throughput."""
    known = {}
    for place, why in json.loads(EXPLANATIONS.read_text()).items():
        cells, _, figure = place.partition(", ")
        language, *names = cells.split()
        known |= {(language, name, figure or NAMES[OPS]): why for name in names}
    return known


def explained(rows):
    """Adds the line of explanations.json to cells that are slower than the best peer."""
    known = explanations()
    for row in rows:
        if row["throughput"] and row["throughput"]["ratio"] < SLOWER_MAX:
            place = (row["language"], row["workload"], NAMES[OPS])
            row["explanation"] = known.get(place) or NOT_EXPLAINED
    return rows


def changes(data, before):
    """CPU per operation against peers, where it is worse than in a committed run by more than the
    rounds of both differ: one line each. Only ratios can be compared between runs."""
    known = {
        (row["language"], row["workload"], row["client"], row["peer"]): row["client_cpu"]
        for row in before["comparisons"]
    }
    found = []
    for row in data["comparisons"]:
        place = (row["language"], row["workload"], row["client"], row["peer"])
        now, then = row["client_cpu"], known.get(place)
        if now and then and now["ratio"] > WORSE_MAX * then["ratio"] and now["min"] > then["max"]:
            found.append(
                f"worse: {' '.join(place[:2])}, {place[2]} by {place[3]}: CPU {text_of(now)}, "
                f"it was {text_of(then)}"
            )
    return found


def text_of(ratio):
    if not ratio:
        return "not measured"
    return f"{ratio['ratio']:.2f} [{ratio['min']:.2f}..{ratio['max']:.2f}]"


def lines(goals, cells_standing):
    """Both tables for a terminal."""
    told = {True: "holds", False: "DOES NOT HOLD", None: ""}
    shown = []
    for row in goals:
        mark = " *" if row["disturbed"] else ""
        shown.append(
            f"{row['language']:7} {row['workload']:13} {row['figure']:11} {row['peer']:42} "
            f"{text_of(row['ratio']) + mark:24} >= {row['least']:<5g} {told[row['holds']]}".rstrip()
        )
    for row in cells_standing:
        if row["explanation"]:
            shown.append(
                f"{row['language']} {row['workload']} is slower than {row['peer']} "
                f"({text_of(row['throughput'])}): {row['explanation']}"
            )
    return shown
