"""What scripts read and write."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sansocket.command_line import reports
from sansocket.command_line.json_lines import (
    Addressed,
    Answer,
    dump,
    from_json,
    parse_json_line,
)
from sansocket.command_line.json_reports import TYPES, json_report
from sansocket.command_line.line_grammar import Command, Emission, LineError

LEAVES = st.none() | st.booleans() | st.integers() | st.text() | st.binary()
KEYS = st.text() | st.sampled_from(["$base64", "$$base64", "$", "base64"])
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=10
)


@given(value=VALUES)
@example(value={"$base64": "AQ=="})
@example(value={"$base64": {"$$base64": b"\1"}})
@example(value="\x1b[2J\u202e\ud800\x9b")
def test_every_value_reads_back(value: Any) -> None:
    """Binary and all, in one line that has nothing a terminal would obey (security rule 34)."""
    line = dump(value)
    assert line.isprintable()
    assert from_json(json.loads(line)) == value


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"event": "a"}', Emission("a")),
        ('{"event": "a", "args": [1, {"$base64": "AQ=="}]}', Emission("a", (1, b"\1"))),
        ('{"event": "a", "ack": true}', Emission("a", (), wants_ack=True)),
        ('{"event": "a", "namespace": "/b"}', Addressed("/b", Emission("a"))),
        ('{"ack": 3, "args": ["ok"]}', Answer(3, ("ok",))),
        ('{"ack": 3}', Answer(3)),
        ('{"command": "/namespace /b"}', Command("namespace", "/b")),
        ("  ", None),
    ],
)
def test_input_is_read(line: str, said: object) -> None:
    assert parse_json_line(line) == said


@pytest.mark.parametrize(
    "line",
    [
        *("{", "[]", "event 1", "5", "{} {}", "{}", '{"event": 1}', '{"event": "a", "x": 1}'),
        *('{"event": "a", "args": 1}', '{"event": "a", "ack": 1}', '{"ack": true}'),
        *('{"ack": 1, "ack2": 2}', '{"command": "help"}', '{"command": "/a", "b": 1}'),
        '{"event": "a", "namespace": 1}',
        '{"event": "a", "args": [{"$base64": "#"}]}',
        '{"event": "a", "args": [{"$base64": 1}]}',
    ],
)
def test_other_input_is_refused(line: str) -> None:
    with pytest.raises(LineError, match="expected"):
        parse_json_line(line)


@given(line=st.text())
def test_any_input_is_read_or_refused(line: str) -> None:
    with suppress(LineError):
        parse_json_line(line)


def test_a_report_is_one_object() -> None:
    report = reports.EventCame("/", "e", (1, b"\1"), 3)
    line = json_report(report, lambda: datetime(2026, 1, 2, 3, 4, 5, 678_900, UTC))
    assert json.loads(line) == {
        "time": "2026-01-02T03:04:05.678Z",
        "type": "event",
        "namespace": "/",
        "event": "e",
        "args": [1, {"$base64": "AQ=="}],
        "number": 3,
    }


def test_every_report_has_a_type_of_its_own() -> None:
    assert len(set(TYPES.values())) == len(TYPES)
    assert set(TYPES) == set(reports.Report.__args__)
