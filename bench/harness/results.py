"""From samples to figures: medians with their range, and ratios within one run."""

import statistics


def spread(values):
    values = [value for value in values if value is not None]
    if not values:
        return None
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def figures(taken):
    """The numbers of one sample that are compared."""
    answer = taken.answer
    extra = answer.get("extra") or {}
    return {
        "ops_per_second": answer["ops"] / answer["seconds"],
        "client_cpu_us": answer["cpu_us"] / answer["ops"],
        "server_cpu_us": taken.server_us / answer["ops"],
        "p50_us": answer.get("p50_us"),
        "p99_us": answer.get("p99_us"),
        "p999_us": answer.get("p999_us"),
        "rss_kib": answer.get("rss_kib"),
        "allocations": per_operation(extra.get("allocations"), answer["ops"]),
        "allocated_bytes": per_operation(extra.get("allocated_bytes"), answer["ops"]),
        **trouble(answer, extra),
    }


def per_operation(count, operations):
    return None if count is None else count / operations


def trouble(answer, extra):
    """What the callers saw of a failover; times count from the moment of the kill."""
    kill = answer.get("kill_ms")
    if not kill:
        return {}
    last = extra.get("last_trouble_ms")
    return {
        "recovered_ms": max(0.0, last - kill) if last is not None else 0.0,
        "failed_calls": extra.get("failed"),
        "slow_calls": extra.get("slow"),
        "slowest_ms": extra.get("slowest_ms"),
    }


def of_cell(cell):
    """A cell as it is written to the results file."""
    samples = [figures(taken) for taken in cell.samples]
    names = samples[0] if samples else []
    return {
        "workload": cell.workload.name,
        "language": cell.client.language,
        "client": cell.client.name,
        "version": cell.samples[-1].answer.get("version", "") if cell.samples else "",
        "ours": cell.client.ours,
        "reference": cell.client.reference,
        "figures": {name: spread([sample[name] for sample in samples]) for name in names},
        "extra": cell.samples[-1].answer.get("extra", {}) if cell.samples else {},
        "samples": [
            {**sample, "foreign": round(taken.foreign, 3), "stolen": round(taken.stolen, 3)}
            for sample, taken in zip(samples, cell.samples)
        ],
        "disturbed": sum(taken.disturbed for taken in cell.samples),
        "rejected": cell.rejected,
        "failure": cell.failure,
    }


def find(cells, workload, client, language="c"):
    for cell in cells:
        place = (cell["workload"], cell["client"], cell["language"])
        if place == (workload, client, language) and cell["samples"]:
            return cell
    return None


def ratio(ours, other, figure):
    """Ours by the other's: of the medians, and the range of the rounds' own ratios."""
    if not ours or not other:
        return None
    top, bottom = ours["figures"].get(figure), other["figures"].get(figure)
    if not top or not bottom or not bottom["median"]:
        return None
    rounds = [
        one[figure] / two[figure]
        for one, two in zip(ours["samples"], other["samples"])
        if one[figure] and two[figure]
    ]
    value = top["median"] / bottom["median"]
    return {"ratio": value, "min": min(rounds, default=value), "max": max(rounds, default=value)}


def comparisons(cells):
    """Our clients against each peer of the same language and workload."""
    rows = []
    for ours in (cell for cell in cells if cell["ours"] and cell["samples"]):
        for peer in cells:
            same = peer["workload"] == ours["workload"] and peer["language"] == ours["language"]
            if not same or peer["ours"] or not peer["samples"]:
                continue
            rows.append(
                {
                    "workload": ours["workload"],
                    "language": ours["language"],
                    "client": ours["client"],
                    "peer": peer["client"],
                    "reference": peer["reference"],
                    "throughput": ratio(ours, peer, "ops_per_second"),
                    "client_cpu": ratio(ours, peer, "client_cpu_us"),
                    "server_cpu": ratio(ours, peer, "server_cpu_us"),
                    "disturbed": bool(ours["disturbed"] or peer["disturbed"]),
                }
            )
    return rows
