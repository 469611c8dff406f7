"""Bar charts as SVG, without a library."""

import html
import math

WIDTH = 760
LABEL_WIDTH = 210
RATIO_LABEL_WIDTH = 330
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


def ratios(title, unit, rows):
    """One bar per row (label, value), from 1 on; equal factors are equally long."""
    if not rows:
        return ""
    reach = max([math.log2(2), *(abs(math.log2(value)) for _, value in rows)])
    left, right = RATIO_LABEL_WIDTH, WIDTH - 60
    middle = left + (right - left) * (1 if min(v for _, v in rows) < 0.95 else 0) / 4
    scale = (right - middle) / reach
    height = TOP + len(rows) * (BAR_HEIGHT + GAP) + 4
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="4" y="16" font-size="14" font-weight="bold">{html.escape(title)}</text>',
        f'<text x="{WIDTH - 4}" y="16" text-anchor="end" fill="#555">{html.escape(unit)}</text>',
    ]
    for place, (label, value) in enumerate(rows):
        top = TOP + place * (BAR_HEIGHT + GAP)
        end = max(left, middle + math.log2(value) * scale)
        first, width = min(middle, end), max(1.0, abs(end - middle))
        color = COLORS["ours"] if value >= 1 else "#b3261e"
        parts += [
            f'<text x="{left - 8}" y="{top + 13}" text-anchor="end">{html.escape(label)}</text>',
            f'<rect x="{first:.1f}" y="{top}" width="{width:.1f}" height="{BAR_HEIGHT}" '
            f'fill="{color}"/>',
            f'<text x="{max(middle, end) + 6:.1f}" y="{top + 13}">{value:.2f}</text>',
        ]
    parts.append(
        f'<line x1="{middle:.1f}" x2="{middle:.1f}" y1="{TOP - 6}" y2="{height}" stroke="#222"/>'
    )
    return "\n".join([*parts, "</svg>"])


def number(value):
    """Three significant figures, with separators for large ones."""
    if value is None:
        return "–"
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"
