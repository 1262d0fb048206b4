"""The upgrade under load, and size, with npm's client (scenarios/transport.mjs)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Play = Callable[[str], list[object]]


def test_upgrade_in_flight(play: Play, transports: str) -> None:
    """Rule 34 and security rule T24: hundreds of events cross it in order, each once."""
    carriers = ["polling", "websocket"] if transports == "upgrade" else [transports]
    assert play("upgradeInFlight") == [
        {"sent": carriers, "received": carriers},
        {"pushed": [True, True]},
        {"numbers": [True, True]},
    ]


def test_asked_during_the_upgrade(play: Play, transports: str) -> None:
    """Rule 33: questions and answers go on at every step of it."""
    carrier = "polling" if transports == "polling" else "websocket"
    assert play("askedDuringTheUpgrade") == [True, [carrier]]


def test_large_text(play: Play) -> None:
    """Security rule T4: 900,000 bytes pass, of one or of three bytes a character."""
    assert play("largeText") == [True, True, True]


def test_large_binary(play: Play) -> None:
    """Security rule T4: 900,000 bytes pass, and as many as base64 makes 933,336 of."""
    assert play("largeBinary") == [True, True]


def test_large_from_the_server(play: Play) -> None:
    """The limit is the server's, for what it receives; it may send more."""
    assert play("largeFromTheServer") == [
        ["text", 900_000],
        ["binary", 900_000],
        ["text", 3_000_000],
    ]


def test_many_large_texts(play: Play) -> None:
    """Rule 18: the client splits its payloads by the size that the handshake told it."""
    assert play("manyLargeTexts") == [True]


def test_over_the_limit(play: Play, transports: str) -> None:
    """Rule 19 and security rule T4: beyond 1,000,000 bytes, by either transport, it ends."""
    ends = ["transport error", "transport close"]
    client, server = ends if transports == "polling" else reversed(ends)
    assert play("overTheLimit") == [client, server, ["the server lives"]]


@pytest.mark.parametrize("setup", ["msgpack"])
def test_upgrade_in_flight_with_msgpack(play: Play, transports: str) -> None:
    """The same, where every packet is one binary frame."""
    test_upgrade_in_flight(play, transports)
