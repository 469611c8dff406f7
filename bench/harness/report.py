"""The results file, the HTML report that needs no other file, and the SVGs."""

import html
import json

from . import charts

STYLE = """
body { font: 14px/1.45 sans-serif; max-width: 1000px; margin: 2em auto; padding: 0 1em }
table { border-collapse: collapse; margin: .6em 0 1.6em }
td, th { padding: 3px 9px; text-align: right; border-bottom: 1px solid #ddd }
th { background: #f4f6f8 }
td:first-child, th:first-child, td.text, th.text { text-align: left }
tr.ours td { font-weight: bold }
.good { color: #0b6e4f }
.bad { color: #b3261e } small { color: #666 } h2 { margin-top: 2em }
"""
METHOD = (
    "Every figure is a median of interleaved rounds in random order; in brackets the lowest and "
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
    head += ["p99.9 µs", "RSS MiB", "samples"]
    names = ["ops_per_second", "client_cpu_us", "server_cpu_us", "p50_us", "p99_us", "p999_us"]
    rows = []
    for cell in cells:
        name = f"{cell['client']} ({cell['language']}) {cell['version']}"
        if cell["failure"]:
            rows.append(([name, f"failed: {html.escape(cell['failure'])}"] + [""] * 7, ""))
            continue
        rss = cell["figures"].get("rss_kib")
        row = [name] + [spread_text(cell["figures"].get(figure)) for figure in names]
        row.append(f"{rss['median'] / 1024:.1f}" if rss else "–")
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


def engine_section(rows):
    if not rows:
        return ""
    head = ["cell", "measured", "wanted", ""]
    return "<h2>The engine's cells</h2>" + table(
        head,
        [
            (
                [
                    row["cell"],
                    html.escape(row["measured"]),
                    html.escape(row["wanted"]),
                    {True: "holds", False: "does not hold", None: "–"}[row["holds"]],
                ],
                "",
            )
            for row in rows
        ],
    )


def page(data):
    machine = data["machine"]
    facts = ", ".join(f"{name}: {value}" for name, value in machine.items())
    run = data["run"]
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><title>tendon measured</title>",
        f"<style>{STYLE}</style><h1>tendon {html.escape(data['tendon'])} measured</h1>",
        f"<p>{html.escape(data['date'])}, commit {html.escape(data['commit'])}. "
        f"{html.escape(facts)}. Server: {html.escape(data['server'])}. "
        f"{run['rounds']} rounds of {run['seconds']} s after {run['warmup']} s of warm-up"
        f"{'' if run['gate'] else '; <b>the gate was open: other work may have disturbed it</b>'}"
        f"{'; client and server ran with priority over all other work' if run['urgent'] else ''}; "
        f"{run['rejected']} samples taken again, {run['disturbed']} disturbed ones kept.</p>",
        f"<p>{METHOD} Placement: {html.escape(run['placement'])}.</p>",
    ]
    if data["unavailable"]:
        parts.append("<p>Not measured:</p><ul>")
        parts += [f"<li>{html.escape(line)}</li>" for line in data["unavailable"]]
        parts.append("</ul>")
    parts.append(engine_section(data["engine"]))
    if data["comparisons"]:
        parts += ["<h2>Ratios</h2>", comparison_table(data["comparisons"])]
    for work in data["workloads"]:
        cells = [cell for cell in data["cells"] if cell["workload"] == work["name"]]
        if cells:
            parts.append(workload_section(work, cells))
    return "\n".join(parts) + "\n</html>\n"


def write(data, folder, stem):
    """Writes STEM.json, STEM.html and STEM-<workload>-<figure>.svg. Returns the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{stem}.json").write_text(json.dumps(data, indent=1) + "\n")
    for work in data["workloads"]:
        cells = [cell for cell in data["cells"] if cell["workload"] == work["name"]]
        for figure, unit in (("ops_per_second", "ops/s"), ("client_cpu_us", "µs CPU per op")):
            picture = charts.bars(f"{work['name']}: {work['title']}", unit, cells, figure)
            if picture:
                (folder / f"{stem}-{work['name']}-{figure}.svg").write_text(picture + "\n")
    path = folder / f"{stem}.html"
    path.write_text(page(data))
    return path


def comparison_lines(rows):
    """The ratios for a terminal."""
    lines = [f"{'work':11} {'client':24} {'against':26} {'throughput':>22} {'client CPU':>22}"]
    for row in rows:
        shown = [plain_ratio(row["throughput"]), plain_ratio(row["client_cpu"])]
        mark = " *" if row["disturbed"] else ""
        lines.append(
            f"{row['workload']:11} {row['client']:24} {row['peer']:26} "
            f"{shown[0]:>22} {shown[1]:>22}{mark}"
        )
    return lines


def plain_ratio(value):
    if not value:
        return "-"
    return f"{value['ratio']:.2f} [{value['min']:.2f}..{value['max']:.2f}]"
