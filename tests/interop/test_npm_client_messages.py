"""npm's client and our server exchange events (scenarios/messages.mjs)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Play = Callable[[str], list[object]]

with_both_parsers = pytest.mark.parametrize("setup", ["json", "msgpack"])


def binary(*numbers: int) -> object:
    """Bytes, as client.mjs prints them."""
    return {"binary": bytes(numbers).hex()}


def ends(transports: str) -> set[str]:
    """What a client calls the end of a connection that its own packet has brought about.

    The reference says "ok" to the POST that carried the packet, and ends the poll. We refuse
    the POST as well (rule 13), so the client hears of it twice, in either order.
    """
    only_refused = {"transport error"} if transports == "polling" else set[str]()
    return {"transport close"} | only_refused


@with_both_parsers
def test_arguments_of_every_kind(play: Play) -> None:
    """None, one and many arguments; a placeholder in a plain event is nothing special."""
    assert play("argumentsOfEveryKind") == [
        [],
        [None],
        [True, False, 0, -1, 1.5, 2**53 - 1, -(2**31), 1e-7, "", "text"],
        [[], {}, [[]], {"": {"a": [1, {"b": None}]}}, {"_placeholder": True, "num": 0}],
        list(range(50)),
    ]


def test_values_of_javascript_alone(play: Play) -> None:
    """Rule 54: they arrive as the nearest that JSON has; no number is lost on the way back."""
    assert play("valuesOfJavaScriptAlone") == [
        [None, None, None, 0, "1970-01-01T00:00:00.000Z", {}, {}],
        [18446744073709552000, 1e21, 5e-324, 1.7976931348623157e308],
    ]


@with_both_parsers
def test_unicode(play: Play) -> None:
    """Rule 54: in values, keys and names; U+2028 and control characters are ordinary."""
    assert play("unicode") == [
        ["héllo wörld €", "日本語", "🎉👩‍👩‍👧", "\x00\x01\x7f\x85\ufeff\uffff"],
        ["a\u2028b\u2029c", 'quotes " and \\ and /', "\t\r\n", "\x1e"],
        [{"clé 🔑": "valeur"}],
        ["named"],
    ]


def test_lone_surrogates(play: Play) -> None:
    """Rule 54: they travel escaped, both ways."""
    assert play("loneSurrogates") == [
        ["\ud800", "a\udc00b", "\udc00\ud800", {"\udfff": "🎉\ud83c"}]
    ]


@with_both_parsers
def test_message(play: Play) -> None:
    """`send` is the event `message`."""
    assert play("message") == [["one", 2]]


@with_both_parsers
def test_many_in_order(play: Play) -> None:
    """600 events of one moment: none lost, none twice, none before another."""
    assert play("manyInOrder") == [list(range(300)), list(range(300))]


@with_both_parsers
def test_binary(play: Play) -> None:
    """Rule 49: of every type, empty, and nested anywhere."""
    assert play("binary") == [
        [binary(1, 2, 3)],
        [binary(*range(256))],
        [binary(4, 5), binary()],
        [binary(*range(250, 256)), "text", binary(*"é".encode()), None],
        [{"deep": [{"er": binary(6)}, [[binary(7)]]], "plain": [1]}],
    ]


def test_ten_attachments(play: Play) -> None:
    """Rule 50: ten are allowed."""
    assert play("tenAttachments") == [[binary(number) for number in range(10)], ["still here"]]


def test_eleven_attachments(play: Play, transports: str) -> None:
    """Rule 50 and security rule T5: one more closes the connection."""
    [end] = play("elevenAttachments")
    assert end in ends(transports)


def test_binary_between_text(play: Play) -> None:
    """Rule 75: attachments stay with their header, whatever else is on its way."""
    assert play("binaryBetweenText") == [list(range(60))]


@with_both_parsers
def test_volatile(play: Play) -> None:
    """Rule 72: what may be lost arrives where nothing stands in its way."""
    assert play("volatile") == [[{"from": "server"}], ["after"]]


def test_failing_handler(play: Play) -> None:
    """Security rule T1: an error of a handler ends neither a connection nor the server."""
    assert play("failingHandler") == [
        ["the same connection"],
        ["another connection"],
        ["acknowledged"],
    ]


def test_unknown_event(play: Play) -> None:
    """An event that nobody listens to is no error."""
    assert play("unknownEvent") == [["still here"]]


def test_reserved_names_are_not_sent(play: Play) -> None:
    """Rule 43: npm's client refuses them by itself."""
    names = ["connect", "connect_error", "disconnect", "disconnecting", "newListener"]
    assert play("reservedNamesAreNotSent") == [
        *(f'"{name}" is a reserved event name' for name in names),
        ["other names are not reserved"],
    ]


def test_reserved_name_from_the_wire(play: Play, transports: str) -> None:
    """Rule 92: a forged lifecycle event closes the connection."""
    names = ["connect", "disconnect", "connect_error", "disconnecting"]
    seen = play("reservedNameFromTheWire")
    possible = [[[name, end] for end in ends(transports)] for name in names]
    assert all(one in several for one, several in zip(seen, possible, strict=True)), seen
