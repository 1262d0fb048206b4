"""Namespaces, rooms and broadcasts, as npm's clients see them (scenarios/rooms.mjs)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Play = Callable[[str], list[object]]

UNDEFINED = {"undefined": True}
TWO = {"two": {"binary": "02"}}

with_both_parsers = pytest.mark.parametrize("setup", ["json", "msgpack"])

# Most of these scenarios end with what the sockets a, b and c received, as [name, arguments].


@with_both_parsers
def test_room(play: Play) -> None:
    """To those who are in the room when it is said; bytes too."""
    assert play("room") == [
        [[["news", [1, TWO]]], [["news", [1, TWO]]], []],
        [[["more news", []]], [], []],
    ]


def test_rooms_of_a_socket(play: Play) -> None:
    """Joining twice is joining once; leaving what was not joined is nothing."""
    assert play("roomsOfASocket") == [[[]], [["one", "two"]], [["two"]]]


def test_several_rooms_deliver_once(play: Play) -> None:
    """Who is in both rooms gets it once."""
    assert play("severalRoomsDeliverOnce") == [[[["once", []]], [["once", []]], []]]


def test_except_a_room(play: Play) -> None:
    """Rule 77: rooms and ids can be excepted."""
    assert play("exceptARoom") == [
        [[["not to b", []], ["to a alone", []]], [], [["not to b", []]]],
    ]


def test_to_a_socket_by_id(play: Play) -> None:
    """Rule 77: a socket is in a room of its own id."""
    assert play("toASocketById") == [[[], [["private", []]], []]]


def test_room_without_members(play: Play) -> None:
    """Rule 77: it reaches nobody, and not everybody."""
    assert play("roomWithoutMembers") == [[[], []]]


@with_both_parsers
def test_broadcast(play: Play) -> None:
    """To all but the sender."""
    event = ["to others", [1, {"binary": "01"}]]
    assert play("broadcast") == [[[], [event], [event]]]


def test_others_in_a_room(play: Play) -> None:
    """To the room, without the sender who is in it."""
    assert play("othersInARoom") == [[[], [["to b alone", []]], []]]


def test_rooms_forget_who_left(play: Play) -> None:
    """Security rule T13: nothing of a socket stays behind in a room."""
    assert play("roomsForgetWhoLeft") == [[[], []]]


@with_both_parsers
def test_broadcast_is_acknowledged(play: Play) -> None:
    """Rule 73: one question to all, one answer of each."""
    assert play("broadcastIsAcknowledged") == [["all", ["of a", "of b"]]]


def test_broadcast_is_acknowledged_by_some(play: Play) -> None:
    """Rule 73: at the timeout, the answers that came."""
    assert play("broadcastIsAcknowledgedBySome") == [["some", ["of a"]]]


@with_both_parsers
def test_namespaces_share_a_connection(play: Play) -> None:
    """Rule 57: each with a socket, an id and attachments of its own."""
    names = ["/", "/chat", "/news"]
    assert play("namespacesShareAConnection") == [
        ["/chat"],
        ["/news"],
        3,
        *([name, name] for name in names),
    ]


def test_namespaces_are_separate(play: Play) -> None:
    """What is said in one is not heard in another."""
    assert play("namespacesAreSeparate") == [[[]]]


@with_both_parsers
def test_unknown_namespace(play: Play) -> None:
    """Rule 59: refused with its message, and the connection stays."""
    names = ["/unknown", "/chat/", "/Chat", "/chat?query"]
    assert play("unknownNamespace") == [
        *([name, "Invalid namespace", UNDEFINED] for name in names),
        ["the others live"],
    ]


@with_both_parsers
def test_leave_one_namespace(play: Play) -> None:
    """Rule 67: the others stay, and the one left can be joined again."""
    assert play("leaveOneNamespace") == [
        "io client disconnect",
        "client namespace disconnect",
        ["the others live"],
        ["/chat"],
    ]


def test_server_ends_one_namespace(play: Play) -> None:
    """Rule 67: the others stay."""
    assert play("serverEndsOneNamespace") == ["io server disconnect", ["the others live"]]


def test_middleware_of_a_namespace(play: Play) -> None:
    """Each namespace has its own, and its own auth."""
    assert play("middlewareOfANamespace") == [["admins only", UNDEFINED], ["/admin"]]
