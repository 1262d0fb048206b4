"""What somebody types: every line is read, or refused with what was expected."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sansocket.command_line.line_grammar import (
    Command,
    Emission,
    LineError,
    parse_arguments,
    parse_line,
    parse_word,
    write_line,
)

NUMBERS = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
LEAVES = st.none() | st.booleans() | NUMBERS | st.text()
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10
)
EMISSIONS = st.builds(
    Emission, st.text(), st.lists(JSON | st.binary()).map(tuple), wants_ack=st.booleans()
)


def files(path: str) -> bytes:
    """A folder with one file."""
    if path in ("picture", "my picture"):
        return b"\xff\x00"
    raise FileNotFoundError(2, "No such file or directory", path)


@pytest.mark.parametrize(
    ("line", "emission"),
    [
        ("ping", Emission("ping")),
        ("  ping \t 1  ", Emission("ping", (1,))),
        ('event {"json": 1} "args"', Emission("event", ({"json": 1}, "args"))),
        ('say {"a": [1, 2]} [3, "x y"]', Emission("say", ({"a": [1, 2]}, [3, "x y"]))),
        ("say hello world", Emission("say", ("hello", "world"))),
        ("say 'it is \"raw\" {'", Emission("say", ('it is "raw" {',))),
        ("say true false null -1.5e3", Emission("say", (True, False, None, -1500.0))),
        ('say "true" "5" "?"', Emission("say", ("true", "5", "?"))),
        ("say 01 1. +1 NaN 5x", Emission("say", ("01", "1.", "+1", "NaN", "5x"))),
        ("get ?", Emission("get", (), wants_ack=True)),
        ("get 1 ?", Emission("get", (1,), wants_ack=True)),
        ("say ? yes", Emission("say", ("?", "yes"))),
        ("say why?", Emission("say", ("why?",))),
        ('"two words" 1', Emission("two words", (1,))),
        ("'two words' 1", Emission("two words", (1,))),
        ('"/slash"', Emission("/slash")),
        ("5 @", Emission("5", ("@",))),
        ("up b64:AQID b64:", Emission("up", (b"\1\2\3", b""))),
        ('up @picture @"my picture"', Emission("up", (b"\xff\0", b"\xff\0"))),
        ('up "@picture"', Emission("up", ("@picture",))),
        ('say "\\ud83d\\ude00 \\ud800"', Emission("say", ("\U0001f600 \ud800",))),
    ],
)
def test_an_event_is_read(line: str, emission: Emission) -> None:
    found = parse_line(line, files)
    assert found == emission
    assert isinstance(found, Emission)
    assert [type(value) for value in found.args] == [type(value) for value in emission.args]


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("/help", Command("help")),
        ("  /namespace  /chat ", Command("namespace", "/chat")),
        ('/ack 3 {"a": 1}', Command("ack", '3 {"a": 1}')),
        ("/", Command("")),
    ],
)
def test_a_command_is_read(line: str, command: Command) -> None:
    assert parse_line(line, files) == command


def test_an_empty_line_says_nothing() -> None:
    assert parse_line(" \t ", files) is None


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("say {", "column 6: expected JSON"),
        ('say {"a": NaN}', "NaN is no JSON"),
        ("say [1e999]", "too large"),
        ("say 1e999", "too large"),
        ('say "open', "column 5: expected JSON (unterminated string"),
        ("say 'open", "column 5: expected a single quote"),
        ('say "a"b', "column 8: expected a blank between arguments, got 'b'"),
        ("say {}{}", "column 7: expected a blank"),
        ("{} 1", "expected the name of an event first"),
        ("?", "expected the name of an event first"),
        ("up b64:A", "expected base64"),
        ("up b64:#AQI", "expected base64"),
        ("up @nowhere", "cannot read 'nowhere': No such file"),
        ('say "a\tb"', "expected JSON"),
        ("say " + "[" * 100_000, "expected JSON"),
        ("say " + "9" * 5_000, "expected JSON"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(line: str, complaint: str) -> None:
    with pytest.raises(LineError) as caught:
        parse_line(line, files)
    assert complaint in str(caught.value)
    assert str(caught.value).isprintable()


@given(emission=EMISSIONS)
@example(emission=Emission("?"))
@example(emission=Emission("", ("?", b"")))
@example(emission=Emission("/x", ("\x1b[2J\u202e",), wants_ack=True))
def test_a_written_line_reads_back(emission: Emission) -> None:
    """And has nothing that a terminal would obey (security rule 34)."""
    line = write_line(emission)
    assert line.isprintable()
    assert parse_line(line, files) == emission


@given(line=st.text() | st.text(alphabet=" \t\"'{}[]:,?/@b64=\\u0aeE+-.\ud800"))
def test_any_line_is_read_or_refused(line: str) -> None:
    with suppress(LineError):
        parse_line(line, files)


def test_an_acknowledgement_has_arguments_alone() -> None:
    assert parse_arguments(' "ok" 1 ', files) == ("ok", 1)
    assert parse_arguments("", files) == ()
    with pytest.raises(LineError, match="cannot ask"):
        parse_arguments("1 ?", files)


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("two words", "two words"),
        ("'quoted'", "'quoted'"),
        ("5", 5),
        ('"5"', "5"),
        ('{"a": 1}', {"a": 1}),
        ("?", "?"),
        ("", ""),
        ("b64:AQ==", b"\1"),
        ("@picture", b"\xff\0"),
    ],
)
def test_a_word_of_a_shell_is_read(word: str, value: Any) -> None:
    assert parse_word(word, files) == value


@pytest.mark.parametrize("word", ["{", "[1] 2", '"open'])
def test_a_word_that_begins_as_json_is_json(word: str) -> None:
    with pytest.raises(LineError):
        parse_word(word, files)
