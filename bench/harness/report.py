"""The results file, the HTML report that needs no other file, and the SVGs."""

import html
import json

from . import charts, goals, plan

STYLE = """
body { font: 14px/1.45 sans-serif; max-width: 1000px; margin: 2em auto; padding: 0 1em }
table { border-collapse: collapse; margin: .6em 0 1.6em }
td, th { padding: 3px 9px; text-align: right; border-bottom: 1px solid #ddd }
th { background: #f4f6f8 }
td:first-child, th:first-child, td.text, th.text { text-align: left }
tr.ours td { font-weight: bold } tr.why td { color: #666; border: 0 }
.good { color: #0b6e4f }
.bad { color: #b3261e } small { color: #666 } h2 { margin-top: 2em }
"""
OVERVIEW = "L1 T64 A100 A1000 T100.tls A100.tls P100 A100.cluster M100 subscribe".split()
METHOD = (
    "Every figure is a median of interleaved rounds in random order, the clients of a workload one "
    "after the other; in brackets the lowest and "
    "the highest. Ratios are tendon divided by the peer within this run: throughput above 1 and "
    "CPU below 1 are in tendon's favour. Figures of different runs are never compared. A sample "
    "during which other processes used more than 12 % of a core was taken again; where that did "
    "not help it is counted as disturbed and marked *."
)


def cell_text(text, is_text=False):
    return f'<td class="text">{html.escape(str(text))}</td>' if is_text else f"<td>{text}</td>"


def table(head, rows, text_columns=1):
    lines = ["<table>", "<tr>"]
    lines += [
        f'<th class="text">{name}</th>' if at < text_columns else f"<th>{name}</th>"
        for at, name in enumerate(head)
    ]
    lines.append("</tr>")
    for row, style in rows:
        lines.append(f'<tr class="{style}">')
        lines += [cell_text(value, at < text_columns) for at, value in enumerate(row)]
        lines.append("</tr>")
    return "\n".join([*lines, "</table>"])


def spread_text(value):
    if not value:
        return "–"
    number = charts.number
    return (
        f"{number(value['median'])} <small>[{number(value['min'])}..{number(value['max'])}]</small>"
    )


def ratio_text(value, more_is_better):
    if not value:
        return "–"
    good = value["ratio"] >= 1 if more_is_better else value["ratio"] <= 1
    return (
        f'<span class="{"good" if good else "bad"}">{value["ratio"]:.2f}</span> '
        f"<small>[{value['min']:.2f}..{value['max']:.2f}]</small>"
    )


def comparison_table(rows):
    head = ["work", "client", "peer", "throughput", "client CPU", "server CPU"]
    return table(
        head,
        [
            (
                [
                    row["workload"],
                    row["client"],
                    row["peer"] + (" *" if row["disturbed"] else ""),
                    ratio_text(row["throughput"], True),
                    ratio_text(row["client_cpu"], False),
                    ratio_text(row["server_cpu"], False),
                ],
                "",
            )
            for row in rows
        ],
        3,
    )


def workload_section(work, cells):
    head = ["client", "ops/s", "client CPU µs/op", "server CPU µs/op", "p50 µs", "p99 µs"]
    head += ["p99.9 µs", "RSS MiB", "allocations", "allocated bytes", "samples"]
    names = ["ops_per_second", "client_cpu_us", "server_cpu_us", "p50_us", "p99_us", "p999_us"]
    rows = []
    for cell in cells:
        name = f"{cell['client']} ({cell['language']}) {cell['version']}"
        if cell["failure"]:
            rows.append(([name, f"failed: {html.escape(cell['failure'])}"] + [""] * 9, ""))
            continue
        rss = cell["figures"].get("rss_kib")
        row = [name] + [spread_text(cell["figures"].get(figure)) for figure in names]
        row.append(f"{rss['median'] / 1024:.1f}" if rss else "–")
        for figure in ("allocations", "allocated_bytes"):
            value = cell["figures"].get(figure)
            row.append(charts.number(value["median"]) if value else "–")
        count = f"{len(cell['samples'])}" + (
            f", {cell['disturbed']} *" if cell["disturbed"] else ""
        )
        rows.append((row + [count], "ours" if cell["ours"] else ""))
    title = f"{work['name']}: {work['title']}"
    pictures = [
        charts.bars(title, "operations per second", cells, "ops_per_second"),
        charts.bars(title, "client CPU, µs per operation (less is better)", cells, "client_cpu_us"),
    ]
    about = ", ".join(f"{word} {work[word]}" for word in ("mode", "op", "placement", "transport"))
    numbers = ", ".join(
        f"{word.replace('_', ' ')} {work[word]}" for word in ("value_bytes", "concurrency", "batch")
    )
    return "\n".join(
        [
            f"<h2>{html.escape(work['name'])}: {html.escape(work['title'])}</h2>",
            f"<p><small>{about}, {numbers}</small></p>",
            *pictures,
            table(head, rows),
        ]
    )


HOLDS = {True: "holds", False: '<span class="bad">does not hold</span>', None: "–"}


def favour_text(ratio, least=1.0):
    """A ratio that is better the higher it is."""
    if not ratio:
        return "not measured"
    style = "good" if ratio["ratio"] >= least else "bad"
    return (
        f'<span class="{style}">{ratio["ratio"]:.2f}</span> '
        f"<small>[{ratio['min']:.2f}..{ratio['max']:.2f}]</small>"
    )


def goals_section(rows):
    if not rows:
        return ""
    head = ["language", "work", "figure", "against", "times better", "wanted", ""]
    shown = []
    for row in rows:
        mark = " *" if row["disturbed"] else ""
        cells = [row["language"], row["workload"] + mark, row["figure"], row["peer"]]
        cells += [favour_text(row["ratio"], row["least"]), f"{row['least']:g}", HOLDS[row["holds"]]]
        shown.append((cells, ""))
        if row["explanation"]:
            shown.append((["", f"↳ {row['explanation']}", "", "", "", "", ""], "why"))
    return "<h2>Targets</h2>" + table(head, shown, 4)


def standing_section(rows):
    """The one table of ratios: tendon against the peer that is hardest to beat, cell by cell."""
    if not rows:
        return ""
    parts = ["<h2>Against the best peer of each language</h2>"]
    for language in dict.fromkeys(row["language"] for row in rows):
        parts.append(standing_chart(rows, language))
    head = ["language", "work", "fastest peer", "most thrifty peer", "throughput", "client CPU"]
    shown = []
    for row in rows:
        mark = " *" if row["disturbed"] else ""
        cells = [row["language"], row["workload"] + mark, row["peer"], row["thrifty"]]
        cells += [favour_text(row["throughput"]), favour_text(row["client_cpu"])]
        shown.append((cells, ""))
        if row["explanation"]:
            shown.append((["", f"↳ {row['explanation']}", "", "", "", ""], "why"))
    return "\n".join([*parts, table(head, shown, 4)])


def standing_chart(rows, language):
    mine = [row for row in rows if row["language"] == language and row["throughput"]]
    title = f"{language}: throughput by the fastest peer's"
    bars = [(f"{row['workload']}: {row['peer']}", row["throughput"]["ratio"]) for row in mine]
    return charts.ratios(title, "times, more is better", bars)


def overview_chart(data):
    """A few workloads of each language in one picture: what a reader looks for first."""
    titles = {work["name"]: work["title"] for work in data["workloads"]}
    rows = [row for row in data["standing"] if row["workload"] in OVERVIEW and row["throughput"]]
    rows.sort(key=lambda row: plan.LANGUAGES.index(row["language"]))
    bars = [
        (f"{row['language']}: {titles[row['workload']]}", row["throughput"]["ratio"])
        for row in rows
    ]
    return charts.ratios("throughput by the fastest peer's", "times, more is better", bars)


def counts_section(rows):
    if not rows:
        return ""
    head = ["the C library", "measured", "wanted", ""]
    shown = [
        (
            [
                row["cell"],
                html.escape(row["measured"]),
                html.escape(row["wanted"]),
                HOLDS[row["holds"]],
            ],
            "",
        )
        for row in rows
    ]
    return "<h2>Counted</h2>" + table(head, shown)


def failover_section(work, cells):
    head = ["client", "ms until all was well", "calls that failed", "calls over 100 ms"]
    head += ["longest call, ms", "ops/s", "errors", "samples"]
    names = ["recovered_ms", "failed_calls", "slow_calls", "slowest_ms", "ops_per_second"]
    rows = []
    for cell in cells:
        name = f"{cell['client']} ({cell['language']}) {cell['version']}"
        if cell["failure"]:
            rows.append(([name, f"failed: {html.escape(cell['failure'])}"] + [""] * 6, ""))
            continue
        kinds = cell["extra"].get("kinds") or {}
        told = "; ".join(f"{html.escape(str(kind))} {count}" for kind, count in kinds.items())
        row = [name] + [spread_text(cell["figures"].get(figure)) for figure in names]
        rows.append((row + [told[:200], len(cell["samples"])], "ours" if cell["ours"] else ""))
    about = (
        "Six nodes, node time-out 1 s; 2 s into the work a primary is killed (SIGKILL). A caller "
        "whose call failed waits 10 ms and goes on."
    )
    return f"<h2>{html.escape(work['title'])}</h2><p>{about}</p>" + table(head, rows)


def rounds_told(run):
    """How long and how often each cell was measured."""
    if run.get("rounds_told"):
        return run["rounds_told"]
    count = run.get("other_rounds", run["rounds"])
    others = f" ({count} of workloads without a target)" if count != run["rounds"] else ""
    many = f"{run['rounds']} round{'s' * (run['rounds'] > 1)}"
    length = f"{run['seconds']} s after {run['warmup']} s of warm-up"
    return f"{many}{others} of {length}"


def page(data):
    machine = data["machine"]
    facts = ", ".join(f"{name}: {value}" for name, value in machine.items())
    run = data["run"]
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><title>tendon measured</title>",
        f"<style>{STYLE}</style><h1>tendon {html.escape(data['tendon'])} measured</h1>",
        f"<p>{html.escape(data['date'])}, commit {html.escape(data['commit'])}. "
        f"{html.escape(facts)}. Server: {html.escape(data['server'])}. "
        f"{rounds_told(run)}"
        f"{'' if run['gate'] else '; <b>the gate was open: other work may have disturbed it</b>'}"
        f"{'; client and server ran with priority over all other work' if run['urgent'] else ''}; "
        f"{run['rejected']} samples taken again, {run['disturbed']} disturbed ones kept.</p>",
        f"<p>{METHOD} Placement: {html.escape(run['placement'])}.</p>",
    ]
    if data["unavailable"]:
        parts.append("<p>Not measured:</p><ul>")
        parts += [f"<li>{html.escape(line)}</li>" for line in data["unavailable"]]
        parts.append("</ul>")
    parts.append(standing_section(data["standing"]))
    parts.append(goals_section(data["goals"]))
    parts.append(counts_section(data["counts"]))
    for work in data["workloads"]:
        cells = [cell for cell in data["cells"] if cell["workload"] == work["name"]]
        if cells and work["mode"] == "failover":
            parts.append(failover_section(work, cells))
        elif cells:
            parts.append(workload_section(work, cells))
    if data["comparisons"]:
        parts += ["<h2>Every client against every peer</h2>", comparison_table(data["comparisons"])]
    return "\n".join(parts) + "\n</html>\n"


def write(data, folder, stem):
    """Writes STEM.json, STEM.html, STEM-<language>.svg and STEM-overview.svg. Returns the page's
    path."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{stem}.json").write_text(json.dumps(data, separators=(",", ":")) + "\n")
    for language in dict.fromkeys(row["language"] for row in data["standing"]):
        picture = standing_chart(data["standing"], language)
        (folder / f"{stem}-{language}.svg").write_text(picture + "\n")
    (folder / f"{stem}-overview.svg").write_text(overview_chart(data) + "\n")
    path = folder / f"{stem}.html"
    path.write_text(page(data))
    return path


def comparison_lines(rows):
    """The ratios for a terminal."""
    lines = [f"{'work':19} {'client':24} {'against':28} {'throughput':>22} {'client CPU':>22}"]
    for row in rows:
        shown = [plain_ratio(row["throughput"]), plain_ratio(row["client_cpu"])]
        mark = " *" if row["disturbed"] else ""
        lines.append(
            f"{row['workload']:19} {row['client']:24} {row['peer']:28} "
            f"{shown[0]:>22} {shown[1]:>22}{mark}"
        )
    return lines


def plain_ratio(value):
    if not value:
        return "-"
    return f"{value['ratio']:.2f} [{value['min']:.2f}..{value['max']:.2f}]"
