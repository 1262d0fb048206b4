"""npm's client connects to our server, leaves and comes back (scenarios/connection.mjs)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Play = Callable[[str], list[object]]

UNDEFINED = {"undefined": True}

with_both_parsers = pytest.mark.parametrize("setup", ["json", "msgpack"])
with_quick_pings = pytest.mark.parametrize("setup", ["heartbeat"])


def lost(transports: str) -> str:
    """What both sides call the sudden end of their connection."""
    return "transport error" if transports == "polling" else "transport close"


@with_both_parsers
def test_connect_with_auth(play: Play) -> None:
    """Rules 57 and 58: the server has what the client gave as auth, the client 20 characters."""
    assert play("connectWithAuth") == [
        [{"token": "secret", "nested": {"list": [1, "é"]}}],
        True,
        UNDEFINED,
    ]


@with_both_parsers
def test_connect_without_auth(play: Play) -> None:
    """No auth is an empty one."""
    assert play("connectWithoutAuth") == [[{}]]


def test_handshake(play: Play) -> None:
    """The server sees the query and the headers of the first request."""
    assert play("handshake") == [["fr é&=", "npm", "/"]]


def test_transport_of_a_socket(play: Play, transports: str) -> None:
    """After the upgrade both sides agree that they are on WebSocket."""
    carrier = "polling" if transports == "polling" else "websocket"
    assert play("transportOfASocket") == [[carrier], carrier]


@with_both_parsers
def test_refused_with_data(play: Play) -> None:
    """Rule 60: message and data, and no reconnection (rule 84)."""
    assert play("refusedWithData") == [["not authorized", {"code": 401}], [False, False]]


def test_refused_without_data(play: Play) -> None:
    """Rule 60: data is left out, not null."""
    assert play("refusedWithoutData") == [["go away", UNDEFINED]]


def test_refused_then_accepted(play: Play) -> None:
    """Who was refused may try again on the same connection."""
    assert play("refusedThenAccepted") == [[{"token": "right"}]]


@with_both_parsers
def test_server_disconnects(play: Play) -> None:
    """Rule 85: the client does not reconnect by itself, but may."""
    assert play("serverDisconnects") == [
        "io server disconnect",
        "server namespace disconnect",
        False,
        ["connected again"],
    ]


def test_server_disconnects_and_closes(play: Play) -> None:
    """Rule 69: every namespace is told before the connection closes."""
    assert play("serverDisconnectsAndCloses") == [
        ["io server disconnect", "io server disconnect"],
        ["server namespace disconnect", "server namespace disconnect"],
    ]


def test_server_disconnects_at_once(play: Play) -> None:
    """Rules 69 and 85: the client is told why before the connection closes, and stays away."""
    assert play("serverDisconnectsAtOnce") == [
        ["io server disconnect", "server namespace disconnect"],
        False,
    ]


def test_server_disconnects_soon(play: Play) -> None:
    """Rules 33, 39 and 69: 0 to 5 ms after the connect, which is in the midst of an upgrade.

    What was sent before comes, once and in order, and then every client knows why it ends.
    """
    assert play("serverDisconnectsSoon") == [[["io server disconnect", [0, 1, 2, 3], False]]] * 12


@with_both_parsers
def test_client_disconnects(play: Play) -> None:
    """A DISCONNECT packet is what the server's handler is told of."""
    assert play("clientDisconnects") == ["io client disconnect", "client namespace disconnect"]


def test_client_closes_its_engine(play: Play) -> None:
    """An Engine.IO close without a word to the namespace."""
    assert play("clientClosesItsEngine") == ["forced close", "transport close"]


def test_client_leaves_at_once(play: Play) -> None:
    """Rule 39: also in the midst of an upgrade."""
    assert play("clientLeavesAtOnce") == ["io client disconnect", "client namespace disconnect"]


def test_network_is_cut(play: Play, transports: str) -> None:
    """Rule 32 and security rule T23: the server notices at once, not by the heartbeat."""
    client, server = play("networkIsCut")
    assert client == lost(transports)
    # A client that polls still says goodbye on a new connection, which may be the faster news.
    assert server in {lost(transports), "transport close"}


def test_reconnection(play: Play, transports: str) -> None:
    """Rule 86: connected anew, with auth asked for again, and what was said meanwhile sent."""
    assert play("reconnection") == [
        [{"attempt": 1}],
        lost(transports),
        [1],
        [{"attempt": 2}],
        ["said while away"],
        True,
    ]


@with_quick_pings
def test_heartbeat(play: Play) -> None:
    """Rules 21 and 22: ping and pong, over several intervals."""
    assert play("heartbeat") == [["still here"]]


@with_quick_pings
def test_client_falls_silent(play: Play) -> None:
    """Security rule 25: a client that does not pong is closed."""
    assert play("clientFallsSilent") == ["ping timeout"]


@with_quick_pings
def test_server_falls_silent(play: Play) -> None:
    """Rule 23: the client keeps time as the handshake told it."""
    assert play("serverFallsSilent") == ["ping timeout"]
