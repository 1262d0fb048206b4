"""npm's client and our server acknowledge each other's events (scenarios/acknowledgements.mjs)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Play = Callable[[str], list[object]]

with_both_parsers = pytest.mark.parametrize("setup", ["json", "msgpack"])


@with_both_parsers
def test_server_acknowledges(play: Play) -> None:
    """Rule 48: none, one or several values; a list is one value."""
    assert play("serverAcknowledges") == [
        [1, "two", {"three": [3]}],
        [],
        ["one"],
        [["a", "list"]],
        [{"an": "object"}],
        [None],
        [],
        "first",
        "within the time",
    ]


@with_both_parsers
def test_server_acknowledges_with_binary(play: Play) -> None:
    """Rule 53: an acknowledgement may carry attachments."""
    assert play("serverAcknowledgesWithBinary") == [
        [{"binary": "0102"}],
        [{"a": [{"binary": "03"}]}, "b", {"binary": "04"}],
    ]


@with_both_parsers
def test_server_acknowledges_once(play: Play) -> None:
    """Rule 47: a second call is ignored."""
    assert play("serverAcknowledgesOnce") == [["value", "first"], ["after"]]


def test_many_acknowledgements_in_flight(play: Play) -> None:
    """Each answer finds its question."""
    assert play("manyAcknowledgementsInFlight") == [list(range(100))]


def test_an_event_without_handler_is_not_acknowledged(play: Play) -> None:
    """The client's patience ends, the connection does not."""
    assert play("unansweredInTime") == ["operation has timed out", ["still here"]]


@with_both_parsers
def test_client_acknowledges(play: Play) -> None:
    """Rule 48, the other way: none, one or several values."""
    question = ["how", {"many": 1}]
    assert play("clientAcknowledges") == [
        question,
        [[]],
        question,
        [["one"]],
        question,
        [[1, "two", [3]]],
        question,
        [[["a", "list"]]],
        question,
        [[{"an": "object"}]],
    ]


@with_both_parsers
def test_client_acknowledges_with_binary(play: Play) -> None:
    """Rule 53, the other way."""
    assert play("clientAcknowledgesWithBinary") == [
        {"binary": "0908"},
        [[{"nested": [{"binary": "0102"}]}, {"binary": "03"}]],
    ]


def test_client_acknowledges_out_of_order(play: Play) -> None:
    """Rule 46: the number tells which event is acknowledged."""
    assert play("clientAcknowledgesOutOfOrder") == [[[["answer 1"], ["answer 2"]]]]


def test_client_acknowledges_too_late(play: Play) -> None:
    """Rules 47 and 78: what comes after the timeout is ignored."""
    assert play("clientAcknowledgesTooLate") == [[None], ["still here"]]


def test_client_leaves_instead_of_answering(play: Play) -> None:
    """Security rule 28: what waits for the acknowledgement ends with the socket."""
    assert play("clientLeavesInsteadOfAnswering") == [
        "client namespace disconnect",
        ["the server lives"],
    ]
