"""JSON as Socket.IO speaks it (protocol rules 16, 49, 53, 54; security rules T2, 3, T19)."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sansocket.sansio.errors import LocalProtocolError, RemoteProtocolError
from sansocket.sansio.socketio.json import MAX_DEPTH, Attachments, deeper_than, dumps, loads, plain


class Pair(NamedTuple):
    """A tuple that orjson does not know."""

    left: object
    right: object


@dataclass
class Point:
    """What orjson knows how to write by itself."""

    x: object


class Kind(Enum):
    """And this too."""

    PLAIN = "plain"


class Text(str):
    """A subclass, to be written as what it is."""


class Ratio(float):
    """A subclass that orjson does not know."""


PLACEHOLDER = '{"_placeholder":true,"num":%d}'

# Characters as both JavaScript and Python have them: lone surrogates too, but never a high
# one before a low one, which JavaScript could not tell from the character they spell.
characters = st.characters() | st.characters(min_codepoint=0xD800, max_codepoint=0xDBFF)
texts = st.text(characters, max_size=8)
numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
leaves = st.none() | st.booleans() | numbers | texts
values: st.SearchStrategy[Any] = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
# Text that is JSON, nearly JSON, or nothing of the kind.
fragments = st.sampled_from(
    [
        *("[", "]", "{", "}", ",", ":", '"', "\\", "\\ud800", "\\u00", "null", "true", "NaN", "-"),
        *("0", "1", "9" * 25, "1e400", "-0.0", ".5", "e1", " ", "\n", "\x00", "\ufeff", "\u0661"),
        '"a":1',
    ]
)
scraps = st.lists(fragments, max_size=8).map("".join) | st.text() | values.map(json.dumps)


def write(value: object) -> tuple[str, list[bytes]]:
    """Write `value`, and return the text and what was binary."""
    attachments = Attachments()
    return dumps(value, attachments), list(attachments)


def nested(depth: int, inside: object = 1) -> object:
    """Make a value of `depth` levels, lists and objects in turn."""
    value = inside
    for level in range(depth):
        value = [value] if level % 2 else {"a": value}
    return value


def read_or_refuse(text: str) -> object:
    """Read `text`, with the types of numbers and no -0.0; None when it is refused."""
    try:
        return repr(loads(text))
    except RemoteProtocolError:
        return None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (["a", 1, None, True, {"b": [2.5]}], '["a",1,null,true,{"b":[2.5]}]'),
        ((1, (2,)), "[1,[2]]"),
        (Pair(1, Pair(2, 3)), "[1,[2,3]]"),
        # rule 54
        ([math.nan, math.inf, -math.inf], "[null,null,null]"),
        (["\ud800", math.nan, -math.inf], '["\\ud800",null,null]'),
        (-0.0, "0"),
        ({"-0.0": [-0.05, -0.0]}, '{"-0.0":[-0.05,0]}'),
        ("\u2028é\x7f€😀", '"\u2028é\x7f€😀"'),
        ("\ud800\u2028é\x7f€😀\n", '"\\ud800\u2028é\x7f€😀\\n"'),
        ({"\udfff": 1}, '{"\\udfff":1}'),
        ([2**64, -(2**63) - 1], "[18446744073709551616,-9223372036854775809]"),
        ([2**64 - 1, -(2**63)], "[18446744073709551615,-9223372036854775808]"),
        # what orjson knows, also when it is the standard library that writes
        ([Kind.PLAIN, Text("a")], '["plain","a"]'),
        ([Kind.PLAIN, Text("a"), Ratio(1.5), -0.0], '["plain","a",1.5,0]'),
        ({Text("a"): Point(-0.0)}, '{"a":{"x":0}}'),
        (
            datetime(2009, 2, 13, 23, 31, 30, 123000, tzinfo=UTC),
            '"2009-02-13T23:31:30.123000+00:00"',
        ),
        ([UUID(int=0), "\ud800"], '["00000000-0000-0000-0000-000000000000","\\ud800"]'),
    ],
    ids=ascii,
)
def test_written(value: object, text: str) -> None:
    assert write(value) == (text, [])


@pytest.mark.parametrize(
    "value",
    [
        {1, 2},
        object(),
        {1: 2},
        {"a": [{None: 1}]},
        {b"a": 1},
        10**400,
        -(10**400),
        ["\ud800", object()],
        ["\ud800", {1: 1}],
        Point("\ud800"),
        Point({1}),
    ],
    ids=ascii,
)
def test_not_written(value: object) -> None:
    with pytest.raises(LocalProtocolError):
        write(value)


def test_memory_that_is_gone() -> None:
    view = memoryview(b"abc")
    view.release()
    with pytest.raises(LocalProtocolError, match="released"):
        write([view])


@pytest.mark.parametrize("slow", ["", "\ud800"], ids=["fast", "slow"])
def test_binary_is_collected_in_order(slow: str) -> None:
    """Protocol rule 49: bytes, bytearray and memoryview, copied, the first one first."""
    changing = bytearray(b"two")
    text, attachments = write([b"one", {"a": changing, "b": [memoryview(b"t-h-r-e-e")[::2]]}, slow])
    changing[:] = b"new"
    first, second, third = (PLACEHOLDER % index for index in range(3))
    written = slow.replace("\ud800", "\\ud800")
    assert text == f'[{first},{{"a":{second},"b":[{third}]}},"{written}"]'
    assert attachments == [b"one", b"two", b"three"]
    assert {type(attachment) for attachment in attachments} == {bytes}


def test_binary_inside_of_what_orjson_knows() -> None:
    placeholder = PLACEHOLDER % 0
    assert write([Point(b"a")]) == (f'[{{"x":{placeholder}}}]', [b"a"])
    assert write([Point(b"a"), -0.0]) == (f'[{{"x":{placeholder}}},0]', [b"a"])


@pytest.mark.parametrize("slow", ["", "\ud800"], ids=["fast", "slow"])
def test_a_lookalike_beside_binary(slow: str) -> None:
    """Security rule 14: the peer never sees more placeholders than attachments."""
    lookalike = {"_placeholder": True, "num": 0}
    with pytest.raises(LocalProtocolError, match="placeholder"):
        write([lookalike, b"a", slow])
    with pytest.raises(LocalProtocolError, match="placeholder"):
        write([{"deep": [{"_placeholder": True}]}, b"a", slow])
    assert write([lookalike])[1] == []
    innocent = [{"_placeholder": 1}, {"_placeholder": False}, '"_placeholder":true', b"a", slow]
    assert write(innocent)[1] == [b"a"]


@pytest.mark.parametrize("more", [[], ["\ud800"]], ids=["fast", "slow"])
def test_depth_of_what_is_written(more: list[object]) -> None:
    """Security rule T2: 128 levels, and a placeholder is one of them."""
    write([nested(MAX_DEPTH - 1), *more])
    write([nested(MAX_DEPTH - 2, b"a"), *more])
    endless: list[object] = []
    endless.append(endless)
    for deep in (nested(MAX_DEPTH), nested(MAX_DEPTH - 1, b"a"), nested(100_000), endless):
        with pytest.raises(LocalProtocolError, match="128 levels"):
            write([deep, *more])
    with pytest.raises(LocalProtocolError, match="128 levels"):
        write([Point(nested(MAX_DEPTH - 1)), *more])


def test_brackets_are_no_depth() -> None:
    many: list[object] = [[]] * 1000
    write(["[" * 1000, many])
    assert loads('["' + "[{" * 1000 + '"]') == ["[{" * 1000]
    assert loads("[" + ",".join(["[]"] * 1000) + "]") == many


@given(values)
def test_round_trip(value: object) -> None:
    text, attachments = write(value)
    assert loads(text) == value
    assert attachments == []
    json.loads(text.encode())  # UTF-8, and JSON to others as well


@given(values)
@example([0.0, 1.0, 1e22, 5e-324])
def test_both_writers_say_the_same(value: object) -> None:
    """The text "-0.0" has the standard library write what orjson would have written."""
    fast, _ = write([value, "x"])
    slow, _ = write([value, "-0.0"])
    assert loads(fast)[0] == loads(slow)[0] == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (' [1 ,\t"a"\r\n] ', [1, "a"]),
        ('{"a":1,"b":2,"a":3}', {"a": 3, "b": 2}),
        ('"\\ud83d\\ude00"', "😀"),
        ('["\\ud83d\\ude00","\\ud800",{"\\uDFFF":-0.5}]', ["😀", "\ud800", {"\udfff": -0.5}]),
        ('"\\uD800"', "\ud800"),
        ('"\\\\ud800"', "\\ud800"),
        ("18446744073709551616", 2.0**64),
        ('["\\ud800",18446744073709551616]', ["\ud800", 2.0**64]),
        ("1e308", 1e308),
        ("1e-400", 0.0),
        ('"\x7f\u2028"', "\x7f\u2028"),
    ],
)
def test_read(text: str, value: object) -> None:
    assert loads(text) == value


REFUSED = [
    *("", " ", "NaN", "Infinity", "-Infinity", "nul", "undefined", "'a'", "/**/1", "1 2"),
    *("\ufeff1", "1e400", "-1e400", "1" * 400, "01", "+1", "1.", ".5", "0x1", "-", "\u0661"),
    *("[1,]", "{,}", '{"a"}', "{a:1}", "[", '"', '"\n"', '"\x00"', '"\\x41"', '"\\u12"', "\x0b1"),
    *('"\ud800"', '"\\ud8 0"', "1\x00", "[" * 1_000, "[" * 100_000, '{"a":' * 100_000),
]


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: ascii(text)[:30])
def test_refused(text: str) -> None:
    """Security rule T19, and protocol rule 16 for what is deep; with either reader."""
    for surrounded in (text, f"[0,{text}]", f'["\\ud800",{text}]'):
        with pytest.raises(RemoteProtocolError):
            loads(surrounded)


@pytest.mark.parametrize("string", ['"a"', '"\\ud800"'], ids=["fast", "slow"])
def test_depth_of_what_is_read(string: str) -> None:
    """Security rule T2: 128 levels pass, the next one does not."""

    def text(depth: int) -> str:
        return (
            '[{"a":' * (depth // 2)
            + "[" * (depth % 2)
            + string
            + "]" * (depth % 2)
            + ("}]" * (depth // 2))
        )

    loads(text(MAX_DEPTH))
    loads("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    with pytest.raises(RemoteProtocolError):
        loads("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))
    for depth in (MAX_DEPTH + 1, MAX_DEPTH + 2, 1000, 5000):
        with pytest.raises(RemoteProtocolError):
            loads(text(depth))


@given(scraps)
@example("18446744073709551615")
@example("18446744073709551616")
@example("1" * 21)
@example("-" + "9" * 19)
@example("-9223372036854775809")
@example("1" * 309)
def test_both_readers_read_the_same(scrap: str) -> None:
    """The escape of a lone surrogate has the standard library read what orjson would have."""
    fast = read_or_refuse(f'["_ud800",{scrap}]')
    slow = read_or_refuse(f'["\\ud800",{scrap}]')
    assert (fast is None) == (slow is None)
    if isinstance(fast, str) and isinstance(slow, str):
        assert slow.replace("\\ud800", "_ud800", 1) == fast


@given(scraps)
def test_a_reader_refuses_or_reads(scrap: str) -> None:
    """Any text is a value or a RemoteProtocolError, and a value can be written again."""
    try:
        value = loads(scrap)
    except RemoteProtocolError:
        return
    text, attachments = write(value)
    assert loads(text) == value
    assert attachments == []


@given(values)
def test_depth_is_measured(value: Any) -> None:
    brackets = re.sub(r'"(\\.|[^"\\])*"', "", json.dumps(value))
    depth = deepest = 0
    for character in brackets:
        depth += (character in "[{") - (character in "]}")
        deepest = max(deepest, depth)
    assert not deeper_than(value, deepest)
    assert deepest == 0 or deeper_than(value, deepest - 1)


@given(values)
def test_a_plain_copy(value: object) -> None:
    copy = plain(value, lambda leaf: leaf)
    assert copy == value
    assert copy is not value or not isinstance(value, list | dict)
