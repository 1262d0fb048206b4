"""How a person sees what happens."""

from __future__ import annotations

import io
import re
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sansocket.command_line import reports
from sansocket.command_line.presentation import Presentation, takes_colours, takes_marks
from sansocket.command_line.reports import Report

EVIL = "\x1b[2J\x07\x9b\r\n\u202e"


def shown(report: Report, *, colours: bool = False, marks: bool = True) -> str:
    presentation = Presentation(
        colours=colours, marks=marks, now=lambda: datetime(2026, 1, 2, 3, 4, 5, 6_789)
    )
    return presentation.line(report)


@pytest.mark.parametrize(
    ("report", "line"),
    [
        (
            reports.Connected("/", "abc", "websocket", recovered=False),
            "● connected as abc over websocket",
        ),
        (
            reports.Connected("/a", "abc", "polling", recovered=True),
            "● /a connected as abc over polling, the session goes on",
        ),
        (
            reports.EventCame("/", "e", ({"a": [1, None]}, "x", b"\1\2\3"), None),
            '← e {"a": [1, null]} "x" b64:AQID',
        ),
        (reports.EventCame("/a", "two words", (), 3), '← /a "two words" [/ack 3]'),
        (reports.Asked("/", "e", 1), "· waiting for ack 1 of e"),
        (reports.Kept("/", "e"), "… not connected: e waits until it is"),
        (reports.Kept("/a", "two words"), '… /a not connected: "two words" waits until it is'),
        (reports.AckCame("/", "e", 1, ("ok",), 0.0125), '✓ e "ok" [ack 1, 12 ms]'),
        (reports.AckCame("/", "e", 1, (), 2.04), "✓ e [ack 1, 2.0 s]"),
        (reports.AckFailed("/", "e", 1, "none"), "✗ no ack 1 of e: none"),
        (
            reports.Disconnected("/", "transport close", "the peer", again=True),
            "○ disconnected: transport close (the peer)",
        ),
        (
            reports.ConnectFailed("/a", True, "no", {"code": 401}, again=False),
            '✗ /a refused: no {"code": 401}',
        ),
        (reports.ConnectFailed("/", False, "down", None, again=True), "✗ no connection: down"),
        (reports.Retrying(2, 1.26), "… attempt 2 in 1.3 s"),
        (reports.Reconnected(2), "● reconnected at attempt 2"),
        (reports.GaveUp(), "✗ there will be no other attempt"),
    ],
)
def test_a_report_is_a_line_with_the_time(report: Report, line: str) -> None:
    assert shown(report) == f"03:04:05.006 {line}"


def test_answers_and_problems_have_no_time() -> None:
    assert shown(reports.Remark("one\ntwo")) == "one\ntwo"
    assert shown(reports.Problem("what?")) == "✗ what?"
    assert shown(reports.Problem("what?"), marks=False) == "! what?"


@pytest.mark.parametrize(
    "report",
    [
        reports.Connected(f"/{EVIL}", EVIL, "polling", recovered=False),
        reports.EventCame(f"/{EVIL}", EVIL, (EVIL, {EVIL: [EVIL]}), 1),
        reports.Asked("/", EVIL, 1),
        reports.Kept(f"/{EVIL}", EVIL),
        reports.AckCame("/", EVIL, 1, (EVIL,), 1.0),
        reports.AckFailed("/", EVIL, 1, EVIL),
        reports.Disconnected("/", EVIL, EVIL + "x", again=False),
        reports.ConnectFailed("/", True, EVIL, EVIL, again=False),
        reports.ConnectFailed("/", False, EVIL, None, again=True),
    ],
)
@pytest.mark.parametrize("colours", [False, True])
def test_what_a_server_says_cannot_steer_the_terminal(report: Report, colours: bool) -> None:
    """Security rule 34: what is left are our own colours."""
    line = re.sub(r"\x1b\[[0-9]+m", "", shown(report, colours=colours))
    assert line.isprintable()
    assert "\\u001b[2J" in line


@given(text=st.text())
def test_no_text_can(text: str) -> None:
    """Security rule 34, for every text."""
    assert shown(reports.EventCame("/", text, (text,), None)).isprintable()


def test_colours_are_around_and_change_nothing_else() -> None:
    report = reports.EventCame("/a", "e", ({"k": [1, "s", True, b"b"]},), 1)
    coloured = shown(report, colours=True)
    assert "\x1b[32m" in coloured
    assert re.sub(r"\x1b\[[0-9]+m", "", coloured) == shown(report)
    assert coloured.count("\x1b[0m") * 2 == coloured.count("\x1b[")


def test_what_is_long_is_cut_and_that_is_said() -> None:
    line = shown(reports.EventCame("/", "e", ("x" * 10_000_000,), None))
    assert len(line) < 1_500
    assert line.endswith("(cut here; --json has all of it)")
    line = shown(reports.EventCame("/", "e", (b"x" * 10_000_000, 5), None))
    assert len(line) < 200
    assert line.endswith("… (10000000 bytes) 5")


class Stream(io.StringIO):
    """A stream that is a terminal or not, of some encoding."""

    def __init__(self, terminal: bool, encoding: str = "utf-8") -> None:
        super().__init__()
        self._terminal = terminal
        self._encoding = encoding

    def isatty(self) -> bool:
        return self._terminal

    @property
    def encoding(self) -> str:  # type: ignore[override]  # StringIO has an attribute of that name
        return self._encoding


@pytest.mark.parametrize(
    ("terminal", "environment", "takes"),
    [
        (True, {"TERM": "xterm"}, True),
        (False, {"TERM": "xterm"}, False),
        (True, {"TERM": "dumb"}, False),
        (True, {"TERM": "xterm", "NO_COLOR": "1"}, False),
        (True, {"TERM": "xterm", "NO_COLOR": ""}, True),
    ],
)
def test_colours_are_for_terminals(
    terminal: bool, environment: dict[str, str], takes: bool
) -> None:
    assert takes_colours(Stream(terminal), environment) is takes


def test_marks_are_for_encodings_that_have_them() -> None:
    assert takes_marks(Stream(True))
    assert not takes_marks(Stream(True, "ascii"))
    assert not takes_marks(Stream(True, "no such encoding"))
    assert shown(reports.EventCame("/", "e", (), None), marks=False) == "03:04:05.006 < e"
