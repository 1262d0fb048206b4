"""Packets of a server, whatever carries them."""

from __future__ import annotations

import pytest
from support.scripted_server import HANDSHAKE, Scripted, open_packet

from sansocket.sansio.engineio.client.states import ClientInput, ClientState
from sansocket.sansio.engineio.packet import Packet, Type
from sansocket.sansio.errors import Reason, RemoteProtocolError


def opened() -> Scripted:
    return Scripted(transports=("polling",)).open_polling()


@pytest.mark.parametrize("data", ["0{}", "3", "3probe", "5", "7", "x", "", "b!", "\u0664hi"])
def test_what_no_server_may_send(data: str) -> None:
    """Protocol rules 10, 12, 15 and 21; nothing has happened then."""
    server = opened()
    with pytest.raises(RemoteProtocolError):
        server.client.receive(data, 0.0)
    assert server.client.state is ClientState.POLLING
    assert server.receiver.messages == []
    server.nothing_is_left()


@pytest.mark.parametrize("data", ["4", "4a", "42", b"", b"4a", "b", "bYQ=="])
def test_messages_are_told_from_one_character_as_in_a_packet(data: str | bytes) -> None:
    """The quick way and the packet's are equal."""
    quick, slow = opened(), opened()
    quick.client.receive(data, 0.0)
    expected = {"b": b"", "bYQ==": b"a"}.get(
        str(data), data if isinstance(data, bytes) else data[1:]
    )
    slow.client.receive_packet(Packet(Type.MESSAGE, expected), 0.0)
    assert quick.receiver.messages == slow.receiver.messages == [expected]


def test_a_noop_is_nothing() -> None:
    server = opened()
    server.client.receive("6", 0.0)
    assert server.client.backlog == 0
    assert server.receiver.ends == []


def test_a_ping_is_answered_and_moves_the_deadline() -> None:
    """Protocol rule 23: messages do not move it, pings do."""
    server = opened()
    for at in (40.0, 80.0):
        server.advance(40.0)
        server.client.receive("4x", at)
        server.client.receive("2", at)
        server.client.receive("4x", at)
    assert server.client.backlog == 1  # the other is in a POST that has no answer
    server.advance(44.9)
    assert server.receiver.ends == []
    server.advance(0.1)
    assert server.receiver.ends == [(Reason.PING_TIMEOUT, None)]


def test_a_close_packet_ends_it() -> None:
    """Over WebSocket too, where the reference's client ignores it."""
    server = opened()
    server.client.receive("1", 0.0)
    server.client.receive("4x", 0.0)
    assert server.receiver.ends == [(Reason.TRANSPORT_CLOSE, None)]
    assert server.receiver.messages == []


def test_the_state_changes_by_the_table_alone() -> None:
    server = opened()
    with pytest.raises(RemoteProtocolError, match="UPGRADE in state POLLING"):
        server.client.step(ClientInput.UPGRADE)


def test_what_the_handshake_says() -> None:
    server = Scripted().open_polling(upgrades=["webtransport"], pingInterval=1000)
    client = server.client
    assert (client.id, client.upgrades) == (HANDSHAKE["sid"], ("webtransport",))
    assert (client.ping_interval, client.ping_timeout, client.max_payload) == (1.0, 20.0, 1000)
    assert len(server.wires) == 1


@pytest.mark.parametrize("data", [open_packet(sid=""), "0", "4x", "6", "x", ""])
def test_a_handshake_that_is_none(data: str) -> None:
    server = Scripted().begin()
    with pytest.raises(RemoteProtocolError):
        server.client.receive(data, 0.0)
    assert server.client.state is ClientState.OPENING
