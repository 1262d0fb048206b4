"""The plot: bars of the ratios to the reference, a group for each case, as SVG.

The bar ends at the median, a whisker spans the rounds, and a mark shows the target. Figures stand
in columns of their own, where nothing is drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count, takewhile
from typing import Final
from xml.sax.saxutils import escape

from .report import Result, Row, figure

WIDTH: Final = 1000
LEFT: Final = 130  # where the bars begin
END: Final = 720  # where they end at the latest
RATIO: Final = 800  # where the ratios end; their spread begins there
VALUE: Final = 990  # where the figures end
BAR: Final = 20
GAP: Final = 56  # before a group, for its title and the headings of the columns
LONGEST: Final = 3.2  # ratio; a longer bar is cut there, or short ones would be too short
STEPS: Final = ((1.6, 0.25), (LONGEST, 0.5))  # up to a ratio, from tick to tick

MET: Final = "#7cc49a"  # the target
MISSED: Final = "#ee9090"
OTHERS: Final = "#c3cad5"  # who has no target
INK: Final = "#1a202c"
FAINT: Final = "#dde2ea"
QUIET: Final = "#5a6577"


def svg(results: Sequence[Result], caption: str) -> str:
    """Return the plot of all results that have ratios."""
    shown = [result for result in results if any(row.ratio for row in result.rows)]
    reach = furthest(shown)
    scale = (END - LEFT) / reach
    step = next(step for most, step in STEPS if reach <= most)
    lines: list[str] = list(legend(66))
    y = 70
    for result in shown:
        y += GAP
        lines += group(result, y, scale)
        bottom = y + BAR * len(result.rows)
        for tick in takewhile(lambda tick: tick <= reach, count(0.0, step)):
            x = LEFT + tick * scale
            lines.insert(0, line(x, y, x, bottom, FAINT))
            lines.append(text(x, bottom + 13, f"{tick:g}", anchor="middle", size=10, colour=QUIET))
        lines.append(line(LEFT + scale, y, LEFT + scale, bottom, INK, dashed=True))
        y = bottom + 14
    height = y + 16
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}"'
        f' viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12">\n'
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>'
    )
    title = "Cost in ratio to the reference: shorter is better"
    return "\n".join(
        [head, text(10, 22, title, bold=True), text(10, 40, caption), *lines, "</svg>\n"]
    )


def furthest(results: Sequence[Result]) -> float:
    """The highest ratio that is drawn: of a bar, its whisker or a target."""
    ratios = [1.0]
    for row in (row for result in results for row in result.rows):
        ratios += [] if row.ratio is None else [row.ratio.high]
        ratios += [] if row.target is None else [row.target]
    return min(LONGEST, 1.05 * max(ratios))


def legend(y: float) -> Iterator[str]:
    """Say what is what, in one line."""
    x = 10.0
    for colour, meaning in (
        (MET, "meets its target"),
        (MISSED, "misses it"),
        (OTHERS, "has none"),
    ):
        yield (
            f'<path d="M{x:.0f} {y - 10} h18 v12 h-18 z" fill="{colour}"/>'
            f"{text(x + 24, y, meaning)}"
        )
        x += 44 + 6 * len(meaning)
    yield from (line(x + 4, y - 11, x + 4, y + 3, INK, width=3), text(x + 14, y, "target"))
    x += 76
    yield from (*whisker(x, x + 28, y - 4), text(x + 36, y, "lowest to highest of the rounds"))
    x += 225
    yield from (line(x, y - 11, x, y + 3, INK, dashed=True), text(x + 8, y, "the reference"))


def group(result: Result, y: int, scale: float) -> Iterator[str]:
    """Draw one case: its title, the headings of the columns, its servers."""
    subject = result.subject
    yield text(10, y - 24, f"{subject.name}: {subject.title}", bold=True)
    heading = f"ratio to {subject.reference} (lowest to highest)"
    yield text(END + 20, y - 6, heading, size=10, colour=QUIET)
    yield text(VALUE, y - 24, subject.unit, anchor="end", size=10, colour=QUIET)
    for number, row in enumerate(result.rows):
        yield from bar(row, y + number * BAR, scale)


def bar(row: Row, y: int, scale: float) -> Iterator[str]:
    """Draw one server: its name, its bar with the spread and the target, its figures."""
    middle = y + BAR / 2
    yield text(LEFT - 8, middle + 4, row.server, anchor="end")
    yield text(VALUE, middle + 4, figure(row.value.median), anchor="end")
    if row.ratio is None:
        yield text(RATIO, middle + 4, "no ratio", colour=QUIET)
        return
    colour = MISSED if row.meets is False else OTHERS if row.meets is None else MET
    low, median, high = (
        LEFT + min(value * scale, END - LEFT)
        for value in (row.ratio.low, row.ratio.median, row.ratio.high)
    )
    size = f'width="{median - LEFT:.1f}" height="{BAR - 6}"'
    yield f'<rect x="{LEFT}" y="{y + 3}" {size} fill="{colour}"/>'
    if row.ratio.median * scale > END - LEFT:
        yield text(END - 14, middle + 4, "»", bold=True)
    elif low < high:
        yield from whisker(low, high, middle)
    if row.target is not None:
        at = LEFT + min(row.target * scale, END - LEFT)
        yield line(at, y + 1, at, y + BAR - 1, INK, width=3)
    yield text(RATIO - 30, middle + 4, f"{row.ratio.median:.2f}", anchor="end", bold=True)
    spread = f"({row.ratio.low:.2f} to {row.ratio.high:.2f})"
    yield text(RATIO - 22, middle + 4, spread, colour=QUIET)


def whisker(low: float, high: float, y: float) -> Iterator[str]:
    """Draw a line from the lowest to the highest, with an end to each."""
    yield line(low, y, high, y, INK)
    for x in (low, high):
        yield line(x, y - 3, x, y + 3, INK)


def text(
    x: float,
    y: float,
    content: str,
    *,
    anchor: str = "start",
    bold: bool = False,
    size: int = 12,
    colour: str = INK,
) -> str:
    """Return a line of text."""
    weight = "bold" if bold else "normal"
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}"'
        f' font-weight="{weight}" font-size="{size}">{escape(content)}</text>'
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
