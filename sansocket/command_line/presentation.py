"""How a person sees what a session reports: a line for each, with the time, and colours.

What the server has sent is escaped before it gets here (`values.py`), or here; colours are only
where the terminal has them. This module does not know where the lines go.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final, TextIO

from . import reports
from .line_grammar import write_name
from .reports import Report
from .values import Fragment, escaped, fragments

MOST_CHARACTERS: Final = 1_200
"""More of one event is not shown to a person."""
MOST_BYTES: Final = 48
"""More of one binary value is not."""

# The parameters of SGR, by what is shown so.
COLOURS: Final = {
    "time": "2",
    "punctuation": "2",
    "key": "34",
    "string": "32",
    "number": "36",
    "constant": "35",
    "binary": "33",
    "name": "1",
    "good": "32",
    "bad": "31",
    "wait": "33",
    "dim": "2",
}
MARKS: Final = {"in": "←", "ack": "✓", "up": "●", "down": "○", "bad": "✗", "wait": "…", "note": "·"}
PLAIN_MARKS: Final = dict(zip(MARKS, "<=+-!~#", strict=True))


def takes_colours(stream: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether colours may be written there: to a terminal that has them, unless NO_COLOR is set."""
    dumb = environment.get("TERM", "") in ("", "dumb") and os.name != "nt"
    return stream.isatty() and not dumb and not environment.get("NO_COLOR")


def takes_marks(stream: TextIO) -> bool:
    """Whether the encoding of a stream has our marks."""
    try:
        "".join(MARKS.values()).encode(stream.encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True


class Presentation:
    """Turns reports into lines; `now` gives the time of day.

    The namespace is named where it is not `/`.
    """

    def __init__(
        self, *, colours: bool, marks: bool = True, now: Callable[[], datetime] = datetime.now
    ) -> None:
        self._colours = colours
        self._marks = MARKS if marks else PLAIN_MARKS
        self._now = now

    def line(self, report: Report) -> str:
        """The line for a report, without its end; what was asked for may have several."""
        match report:
            case reports.Connected(id=id, transport=transport, recovered=recovered):
                went_on = ", the session goes on" if recovered else ""
                what = f"connected as {escaped(id)} over {transport}{went_on}"
                return self._note("up", "good", what, report.namespace)
            case reports.EventCame(namespace, event, args, number):
                asks = None if number is None else f"[/ack {number}]"
                return self._event("in", "good", namespace, event, args, asks)
            case reports.Asked(namespace, event, number):
                what = f"waiting for ack {number} of {write_name(event)}"
                return self._note("note", "dim", what, namespace)
            case reports.Kept(namespace, event):
                what = f"not connected: {write_name(event)} waits until it is"
                return self._note("wait", "wait", what, namespace)
            case reports.AckCame(namespace, event, number, args, seconds):
                took = f"[ack {number}, {duration(seconds)}]"
                return self._event("ack", "good", namespace, event, args, took)
            case reports.AckFailed(namespace, event, number, reason):
                what = f"no ack {number} of {write_name(event)}: {escaped(reason)}"
                return self._note("bad", "bad", what, namespace)
            case reports.Disconnected(namespace, reason, details):
                why = f" ({escaped(details)})" if details and details != reason else ""
                what = f"disconnected: {escaped(reason)}{why}"
                return self._note("down", "bad", what, namespace)
            case reports.ConnectFailed():
                return self._connect_failed(report)
            case reports.Retrying(attempt, seconds):
                what = f"attempt {attempt} in {duration(seconds)}"
                return self._note("wait", "wait", what)
            case reports.Reconnected(attempt):
                return self._note("up", "good", f"reconnected at attempt {attempt}")
            case reports.GaveUp():
                return self._note("bad", "bad", "there will be no other attempt")
            case reports.Remark(text):
                return text
            case reports.Problem(text):
                return self._paint("bad", f"{self._marks['bad']} {text}")

    def _connect_failed(self, report: reports.ConnectFailed) -> str:
        what = "refused" if report.refused else "no connection"
        line = self._note("bad", "bad", f"{what}: {escaped(report.message)}", report.namespace)
        if report.data is None:
            return line
        return f"{line} {self._painted(fragments(report.data, MOST_BYTES))}"

    def _event(
        self,
        mark: str,
        colour: str,
        namespace: str,
        event: str,
        args: Iterable[Any],
        behind: str | None,
    ) -> str:
        parts = [self._time(), self._paint(colour, self._marks[mark])]
        if namespace != "/":
            parts.append(self._paint("dim", escaped(namespace)))
        parts.append(self._paint("name", cut(write_name(event))))
        parts.append(self._painted(joined(args)))
        parts.append("" if behind is None else self._paint("dim", behind))
        return " ".join(part for part in parts if part)

    def _note(self, mark: str, colour: str, what: str, namespace: str = "/") -> str:
        where = "" if namespace == "/" else f"{escaped(namespace)} "
        return f"{self._time()} {self._paint(colour, f'{self._marks[mark]} {where}{cut(what)}')}"

    def _time(self) -> str:
        return self._paint("time", self._now().strftime("%H:%M:%S.%f")[:-3])

    def _paint(self, colour: str, text: str) -> str:
        return f"\x1b[{COLOURS[colour]}m{text}\x1b[0m" if self._colours and text else text

    def _painted(self, parts: Iterable[Fragment]) -> str:
        """The parts of values, until there are too many."""
        found: list[str] = []
        left = MOST_CHARACTERS
        for kind, text in parts:
            if len(text) > left:
                found.append(self._paint(kind, text[:left]))
                found.append(self._paint("wait", "… (cut here; --json has all of it)"))
                break
            left -= len(text)
            found.append(self._paint(kind, text))
        return "".join(found)


def joined(args: Iterable[Any]) -> Iterable[Fragment]:
    """The parts of several values, with a blank between them."""
    for number, value in enumerate(args):
        yield "punctuation", " " if number else ""
        yield from fragments(value, MOST_BYTES)


def cut(text: str) -> str:
    """A text that is not too long to be shown."""
    return text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS] + "…"


def duration(seconds: float) -> str:
    """Seconds, or milliseconds where it is short."""
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"
