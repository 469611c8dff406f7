"""Bar charts as SVG, without a library."""

import html

WIDTH = 760
LABEL_WIDTH = 210
BAR_HEIGHT = 18
GAP = 8
TOP = 34
COLORS = {"ours": "#0b6e4f", "peer": "#7a8aa0", "reference": "#c9d0da"}


def kind(cell):
    return "ours" if cell["ours"] else "reference" if cell["reference"] else "peer"


def bars(title, unit, cells, figure):
    """One horizontal bar per client with its range as a line; longer is more."""
    rows = [cell for cell in cells if cell["figures"].get(figure)]
    if not rows:
        return ""
    top = max(cell["figures"][figure]["max"] for cell in rows) or 1
    scale = (WIDTH - LABEL_WIDTH - 110) / top
    height = TOP + len(rows) * (BAR_HEIGHT + GAP) + 4
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12">',
        f'<text x="0" y="16" font-size="14" font-weight="bold">{html.escape(title)}</text>',
        f'<text x="{WIDTH}" y="16" text-anchor="end" fill="#555">{html.escape(unit)}</text>',
    ]
    for number, cell in enumerate(rows):
        parts += bar(cell, cell["figures"][figure], TOP + number * (BAR_HEIGHT + GAP), scale)
    return "\n".join([*parts, "</svg>"])


def bar(cell, value, top, scale):
    middle = top + BAR_HEIGHT / 2
    name = html.escape(cell["client"] + (" *" if cell["disturbed"] else ""))
    length = value["median"] * scale
    low, high = (LABEL_WIDTH + value[end] * scale for end in ("min", "max"))
    return [
        f'<text x="{LABEL_WIDTH - 8}" y="{middle + 4}" text-anchor="end">{name}</text>',
        f'<rect x="{LABEL_WIDTH}" y="{top}" width="{length:.1f}" height="{BAR_HEIGHT}" '
        f'fill="{COLORS[kind(cell)]}"/>',
        f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{middle}" y2="{middle}" stroke="#222"/>',
        f'<text x="{high + 6:.1f}" y="{middle + 4}">{number(value["median"])}</text>',
    ]


def number(value):
    """Three significant figures, with separators for large ones."""
    if value is None:
        return "–"
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"
