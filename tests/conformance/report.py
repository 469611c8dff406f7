"""One page: language x environment x area, how much was compared and what differed."""

import html
import pathlib
import time

from driver import BUILD

STYLE = """
body { font: 15px/1.45 sans-serif; margin: 2em auto; max-width: 80em; padding: 0 1em }
table { border-collapse: collapse; margin: 1em 0; display: block; overflow-x: auto }
th, td { padding: .2em .6em; text-align: right; border: 1px solid #ddd }
th:first-child { text-align: left } .none { color: #999 } .good { background: #e7f5e7 }
.bad { background: #f9d6d5; font-weight: bold }
"""


def cell(count, wrong):
    if not count:
        return '<td class="none">-</td>'
    kind, text = ("bad", f"{wrong} of {count}") if wrong else ("good", str(count))
    return f'<td class="{kind}">{text}</td>'


def table(session, environment):
    rows = {key: count for key, count in session.checked.items() if key[1] == environment}
    areas = sorted({area for _, _, area in rows})
    yield f"<h2>{html.escape(environment)}</h2><p>{session.programs[environment]} programs</p>"
    yield "<table>"
    yield "<tr><th>driver</th>" + "".join(
        f"<th>{html.escape(area)}</th>" for area in areas
    ) + "</tr>"
    for name in sorted({name for name, _, _ in rows}):
        keys = [(name, environment, area) for area in areas]
        cells = (cell(rows.get(key, 0), session.differences[key]) for key in keys)
        yield f"<tr><th>{html.escape(name)}</th>{''.join(cells)}</tr>"
    yield "</table>"


def page(session, faults):
    yield "<!doctype html><meta charset=utf-8><title>tendon: conformance</title>"
    yield f"<style>{STYLE}</style>"
    yield f"<h1>Conformance</h1><p>{time.strftime('%Y-%m-%d %H:%M')}:"
    yield f"{session.passed} programs passed,"
    yield f" {session.failed} failed."
    yield "A cell says how many results were compared, and how many differed.</p>"
    for environment in session.programs:
        yield from table(session, environment)
    yield "<h2>Faults</h2><ul>"
    for name, counts in faults.items():
        yield f"<li>{html.escape(name)}: {html.escape(str(dict(sorted(counts.items()))))}</li>"
    yield "</ul><h2>Known differences</h2><ul>"
    for (name, reason), count in sorted(session.accepted.items()):
        yield f"<li>{html.escape(name)}, {count} times: {html.escape(reason)}</li>"
    yield "</ul>"


def write(session, faults):
    path = pathlib.Path(BUILD) / "report.html"
    path.write_text("\n".join(page(session, faults)) + "\n", encoding="utf-8")
    return path
