"""The report, from samples that were made up."""

from __future__ import annotations

import json
from collections.abc import Mapping
from xml.etree import ElementTree

import pytest

from benchmarks import parsers, plot, report
from benchmarks.cases import CASES
from benchmarks.contestants import CONTESTANTS
from benchmarks.machine import Machine
from benchmarks.samples import Sample
from benchmarks.targets import TARGETS

MACHINE = Machine("A <fast> & cheap one", 2, "6.1", "3.11", "20.1")
SUBJECT = report.Subject(
    "echo", "an event, echoed", "CPU µs", "socket.io", {"uvloop": "uvloop", "trio": "trio"}
)


def rounds(*values: Mapping[str, float], foreign: float = 0.0) -> list[dict[str, Sample]]:
    """Samples of rounds, by server."""
    return [{name: Sample(v, foreign, {"extra": v}) for name, v in one.items()} for one in values]


RESULT = report.summarise(
    SUBJECT,
    rounds(
        {"socket.io": 10.0, "uvloop": 5.0, "trio": 30.0, "other": 1.0},
        {"socket.io": 20.0, "uvloop": 14.0, "trio": 40.0, "other": 1.0},
        {"socket.io": 10.0, "uvloop": 6.0, "trio": 10.0},
    ),
    {"other": "broke <it>"},
)


def row(result: report.Result, server: str) -> report.Row:
    return next(row for row in result.rows if row.server == server)


def test_ratios_are_taken_within_a_round() -> None:
    """Whatever slows a whole round down leaves its ratios alone."""
    assert row(RESULT, "uvloop").value == report.Spread(6.0, 5.0, 14.0)
    assert row(RESULT, "uvloop").ratio == report.Spread(0.6, 0.5, 0.7)
    assert row(RESULT, "socket.io").ratio == report.Spread(1.0, 1.0, 1.0)
    assert row(RESULT, "trio").details == {"extra": 30.0}


def test_targets() -> None:
    assert [row(RESULT, name).meets for name in ("socket.io", "uvloop", "trio")] == [
        None,
        True,
        False,
    ]
    assert report.missed([RESULT]) == ["echo, trio: 2.000, not 1.50"]


def test_what_was_not_measured_meets_no_target() -> None:
    broken = report.summarise(SUBJECT, rounds({"uvloop": 1.0}), {"socket.io": "", "trio": "no"})
    assert row(broken, "uvloop").ratio is None
    assert report.missed([broken]) == [
        "echo, uvloop: not known, not 0.75",
        "echo, trio: not measured",
    ]


def test_the_table_says_what_was_found() -> None:
    text = report.table(RESULT)
    assert "6.00 (5.00 to 14.0)" in text
    assert "<= 0.75 meets it" in text
    assert "<= 1.50 MISSES IT" in text
    assert "other: broke <it>" in text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (0.061, "0.06"), (9.876, "9.88"), (12.34, "12.3"), (1234.5, "1,234")],
)
def test_figures(value: float, text: str) -> None:
    assert report.figure(value) == text


def test_a_disturbed_run_says_so() -> None:
    assert report.remark(RESULT) == ""
    assert report.remark(report.summarise(SUBJECT, [], {})) == ""
    disturbed = report.summarise(SUBJECT, rounds({"uvloop": 1.0}, foreign=0.5), {})
    assert "0.50 cores" in report.table(disturbed)


def test_the_document_is_json() -> None:
    document = json.loads(json.dumps(report.document([RESULT], MACHINE, "2026-01-02", 3.21)))
    assert document["machine"]["cpu"] == MACHINE.cpu
    (case,) = document["cases"]
    assert case["failures"] == {"other": "broke <it>"}
    uvloop = next(server for server in case["servers"] if server["server"] == "uvloop")
    assert uvloop["ratio"] == {"median": 0.6, "low": 0.5, "high": 0.7}
    assert uvloop["meets"] is True
    assert [sample["value"] for sample in uvloop["samples"]] == [5.0, 14.0, 6.0]


SVG = "{http://www.w3.org/2000/svg}"
LONG = report.summarise(SUBJECT, rounds({"socket.io": 1.0, "a<b": 500.0}), {})


def test_the_plot_is_well_formed() -> None:
    alone = report.summarise(SUBJECT, rounds({"trio": 1.0}), {})
    root = ElementTree.fromstring(plot.svg([RESULT, LONG, alone], str(MACHINE)))
    texts = ["".join(element.itertext()) for element in root.iter(f"{SVG}text")]
    assert {str(MACHINE), "0.60", "(0.50 to 0.70)", "6.00", "500.00", "500", "»"} <= set(texts)
    assert {"meets its target", "misses it", "has none", "target"} <= set(texts)
    bars = [*root.iter(f"{SVG}rect")][1:]
    assert len(bars) == 4 + 2  # `alone` has no ratio, so it is not shown


def test_nothing_is_drawn_over_figures() -> None:
    """Bars, whiskers, targets and ticks end where the columns of figures begin."""
    root = ElementTree.fromstring(plot.svg([RESULT, LONG], str(MACHINE)))
    edges = [
        *(
            float(bar.attrib["x"]) + float(bar.attrib["width"])
            for bar in [*root.iter(f"{SVG}rect")][1:]
        ),
        *(float(one.attrib[x]) for one in root.iter(f"{SVG}line") for x in ("x1", "x2")),
    ]
    assert max(edges) <= plot.END
    figures = [
        float(element.attrib["x"])
        for element in root.iter(f"{SVG}text")
        if element.text in ("0.60", "500.00", "6.00", "500")
    ]
    assert len(figures) >= 4
    assert min(figures) > plot.END + 40


def test_a_target_beyond_the_bars_is_shown() -> None:
    """A bar far shorter than its target does not push the mark off the plot."""
    subject = report.Subject("polling", "", "", "socket.io", {"trio": "trio"})
    short = report.summarise(subject, rounds({"socket.io": 1.0, "trio": 0.1}), {})
    root = ElementTree.fromstring(plot.svg([short], ""))
    marks = [one for one in root.iter(f"{SVG}line") if one.attrib["stroke-width"] == "3"][1:]
    scale = (plot.END - plot.LEFT) / plot.furthest([short])
    [at] = [float(mark.attrib["x1"]) for mark in marks]
    assert at == pytest.approx(plot.LEFT + 2.8 * scale, abs=0.1)
    assert at < plot.END


def test_an_empty_plot_is_well_formed() -> None:
    ElementTree.fromstring(plot.svg([], ""))


def test_targets_name_cases() -> None:
    codecs = {f"{parsers.NAME}-{t}{end}" for t in parsers.TASKS for end in ("", "-python")}
    assert set(TARGETS) <= set(CASES) | codecs
    columns = {column for targets in TARGETS.values() for column in targets}
    assert columns == {c.target for c in CONTESTANTS.values() if c.target} | {"codec"}
