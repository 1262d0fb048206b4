"""The plot: bars of the ratios to the reference, a group for each case, as SVG.

The bar ends at the median, a thin line spans the rounds, and a mark shows the target.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final
from xml.sax.saxutils import escape

from .report import Result, Row, figure

WIDTH: Final = 900
LEFT: Final = 150  # where the bars begin
RIGHT: Final = 130  # what the figures beside the bars need
BAR: Final = 18
GAP: Final = 40  # before a group, for its title
LONGEST: Final = 6.0  # ratio; a longer bar is cut there, and its figure says how long it is

MET: Final = "#2f855a"  # the target
MISSED: Final = "#c53030"
OTHERS: Final = "#a0aec0"  # who has no target
INK: Final = "#1a202c"


def svg(results: Sequence[Result], caption: str) -> str:
    """Return the plot of all results that have ratios."""
    shown = [result for result in results if any(row.ratio for row in result.rows)]
    longest = max(
        (row.ratio.high for result in shown for row in result.rows if row.ratio), default=1.0
    )
    scale = (WIDTH - LEFT - RIGHT) / min(LONGEST, max(longest, 1.2))
    lines: list[str] = []
    y = 50
    for result in shown:
        y += GAP
        subject = result.subject
        title = f"{subject.name}: {subject.title} ({subject.unit}; 1 is {subject.reference})"
        lines.append(text(10, y - 8, title, weight="bold"))
        top = y
        for row in result.rows:
            lines += bar(row, y, scale)
            y += BAR
        lines.append(line(LEFT + scale, top, LEFT + scale, y, INK, dashed=True))
    height = y + 30
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}"'
        f' viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12">\n'
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>'
    )
    title = "Cost in ratio to the reference (dashed): shorter is better"
    return "\n".join(
        [head, text(10, 22, title, weight="bold"), text(10, 40, caption), *lines, "</svg>\n"]
    )


def bar(row: Row, y: int, scale: float) -> Iterator[str]:
    """Draw one server: its name, its bar with the spread and the target, its figures."""
    middle = y + BAR / 2
    yield text(LEFT - 8, middle + 4, row.server, anchor="end")
    if row.ratio is None:
        yield text(LEFT + 8, middle + 4, f"{figure(row.value.median)} (no ratio)")
        return
    colour = MISSED if row.meets is False else OTHERS if row.meets is None else MET
    low, median, high = (
        min(value, LONGEST) * scale for value in (row.ratio.low, row.ratio.median, row.ratio.high)
    )
    yield (
        f'<rect x="{LEFT}" y="{y + 2}" width="{median:.1f}" height="{BAR - 5}" fill="{colour}"/>'
    )
    yield line(LEFT + low, middle, LEFT + high, middle, INK)
    if row.target is not None:
        at = LEFT + row.target * scale
        yield line(at, y, at, y + BAR, INK, width=3)
    figures = f"{row.ratio.median:.2f} ({figure(row.value.median)})"
    yield text(LEFT + max(median, high) + 6, middle + 4, figures)


def text(x: float, y: float, content: str, *, anchor: str = "start", weight: str = "normal") -> str:
    """Return a line of text."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{INK}" text-anchor="{anchor}"'
        f' font-weight="{weight}">{escape(content)}</text>'
    )


def line(
    x1: float,
    y1: float,
    x2: float,
    y2: float,
    colour: str,
    *,
    width: int = 1,
    dashed: bool = False,
) -> str:
    """Return a straight line."""
    dashes = ' stroke-dasharray="4 3"' if dashed else ""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
        f' stroke="{colour}" stroke-width="{width}"{dashes}/>'
    )
