"""A client's session against a server of our own: open, upgrade, messages, heartbeat."""

from __future__ import annotations

from typing import Any

import pytest
from support.engineio import only_socket, record
from support.engineio_client import ALL_WAYS, BOTH, Join, Network, send
from support.transcript import engineio

from sansocket.sansio.engineio.app import EngineApp, EngineSocket
from sansocket.sansio.engineio.client.states import ClientState
from sansocket.sansio.errors import LocalProtocolError, Reason, TransportError


def echo(app: EngineApp) -> None:
    """Let the server send back what comes."""

    @app.on("message")
    def message(socket: EngineSocket, data: str | bytes) -> None:
        socket.send(data)


@ALL_WAYS
def test_messages_both_ways(join: Join, options: dict[str, Any]) -> None:
    """In their order, and each once; binary ones too."""
    network, app = join(per_message_deflate=True)
    echo(app)
    client, receiver = network.open(**options)
    assert receiver.opened_at == [0.0]
    assert client.is_open
    assert client.id == next(iter(app.engine.sessions))
    assert client.max_payload == 1_000_000
    assert (client.ping_interval, client.ping_timeout) == (25.0, 20.0)
    sent: list[str | bytes] = ["h\xe4", "", b"\x00\x1e", b"", "x" * 2000]
    for data in sent:
        send(client, data)
    send(client, "head", b"one", b"two")
    network.settle()
    assert receiver.messages == [*sent, "head", b"one", b"two"]
    assert receiver.ends == []
    client.abort(Reason.FORCED_CLOSE)


@pytest.mark.parametrize(
    ("options", "server", "transport"),
    [
        ({}, {}, "websocket"),
        ({"upgrade": False}, {}, "polling"),
        ({"transports": ("polling",)}, {}, "polling"),
        ({}, {"allow_upgrades": False}, "polling"),
        ({}, {"transports": ("polling",)}, "polling"),
        ({"transports": ("websocket", "polling")}, {}, "websocket"),
        ({"remember_upgrade": True, "websocket_first": True}, {}, "websocket"),
    ],
)
def test_the_transport_that_carries_it(
    join: Join, options: dict[str, Any], server: dict[str, Any], transport: str
) -> None:
    """Rows 44 and 46: each of them, and the upgrade where both sides want it."""
    network, app = join(**server)
    client, _ = network.open(**options)
    assert client.transport == transport
    assert only_socket(app).transport == transport
    assert client.websocket_worked is (transport == "websocket")
    client.abort(Reason.FORCED_CLOSE)


@pytest.mark.parametrize("remember", [False, True])
def test_remember_upgrade(join: Join, remember: bool) -> None:
    """Row 47: after a session that could use WebSocket the next begins so, if that is asked for."""
    network, _ = join()
    before, _ = network.open(remember_upgrade=remember)
    after, _ = network.client(remember_upgrade=remember, websocket_first=before.websocket_worked)
    after.open(0.0)
    assert after.transport == ("websocket" if remember else "polling")
    for client in (before, after):
        client.abort(Reason.FORCED_CLOSE)


@pytest.mark.parametrize("all_of_them", [False, True])
def test_try_all_transports(join: Join, all_of_them: bool) -> None:
    """Row 48: the next one is tried where the first cannot, if that is asked for."""
    network, _ = join(transports=("polling",))
    client, receiver = network.open(
        transports=("websocket", "polling"), try_all_transports=all_of_them
    )
    if all_of_them:
        assert client.transport == "polling"
        assert receiver.opened_at == [0.0]
        client.abort(Reason.FORCED_CLOSE)
    else:
        error = receiver.failure
        assert isinstance(error, TransportError)
        assert (error.message, error.status) == ("websocket error", 400)
        assert "'Transport unknown' (code 0)" in error.description


def test_messages_keep_their_order_across_the_upgrade(join: Join) -> None:
    """Protocol rules 33 and 34, from both sides, whenever they are sent."""
    network, app = join()
    events = record(app)
    client, receiver = network.client()
    client.open(0.0)
    for number in range(200):
        send(client, f"{number}")
        network.step()
        for socket in app.sockets.values():
            socket.send(f"{number}")
    network.settle()
    assert client.transport == "websocket"
    messages = [event[1] for event in events if event[0] == "message"]
    assert messages == [f"{number}" for number in range(200)]
    heard = [int(data) for data in receiver.messages]
    assert heard == list(range(heard[0], 200))
    client.abort(Reason.FORCED_CLOSE)


@BOTH
def test_heartbeat(join: Join, options: dict[str, Any]) -> None:
    """Protocol rules 21 to 23: the server pings, and both sides stay."""
    network, app = join()
    events = record(app)
    client, receiver = network.open(**options)
    network.advance(300.0)
    assert receiver.ends == []
    assert events == [("connection",)]
    client.abort(Reason.FORCED_CLOSE)


@BOTH
def test_a_server_that_cannot_be_reached(join: Join, options: dict[str, Any]) -> None:
    network, _ = join()
    network.refuse = ConnectionRefusedError(111, "Connection refused")
    client, receiver = network.open(**options)
    error = receiver.failure
    assert isinstance(error, TransportError)
    assert error.message in ("xhr poll error", "websocket error")
    assert "Connection refused" in error.description
    assert error.context is error.__cause__ is network.refuse
    assert receiver.reason is Reason.TRANSPORT_ERROR
    assert client.state is ClientState.CLOSED


@BOTH
def test_writable(join: Join, options: dict[str, Any]) -> None:
    """Protocol rule 72: what a volatile message asks."""
    network, _ = join()
    client, _ = network.client(**options)
    assert not client.writable
    client.open(0.0)
    assert not client.writable
    network.settle()
    assert client.writable
    send(client, "x")
    assert not client.writable
    network.settle()
    assert client.writable
    client.close()
    assert not client.writable


@BOTH
def test_handlers_that_lag(join: Join, options: dict[str, Any]) -> None:
    """At `max_inbound` nothing is read, and no ping is missed for it."""
    network, app = join(max_inbound=10_000)
    client, receiver = network.open(**options, max_inbound=2)
    socket = only_socket(app)
    for _ in range(2):
        client.hold()
    socket.send("first")
    network.settle()
    known = len(receiver.messages)
    socket.send("second")
    network.settle()
    assert len(receiver.messages) == known
    network.advance(40.0)
    assert receiver.ends == []
    client.release()
    network.settle()
    assert receiver.messages == ["first", "second"]
    client.abort(Reason.FORCED_CLOSE)


@BOTH
def test_a_ping_behind_what_is_not_read(join: Join, options: dict[str, Any]) -> None:
    """It is looked for when it is due, and answered; then nothing is read until the next one."""
    network, app = join()
    client, receiver = network.open(**options, max_inbound=2)
    socket = only_socket(app)
    client.hold(2, 20)
    socket.send("answers the poll that is parked")
    network.advance(20.0)
    for beat in range(8):
        known = len(receiver.messages)
        for number in range(3):
            socket.send(f"{number} of {beat}")
        network.settle()
        assert len(receiver.messages) == known
        network.advance(10.0)
        assert receiver.messages[-3:] == [f"{number} of {beat}" for number in range(3)]
        network.advance(15.0)
    assert socket.connected
    assert receiver.ends == []
    client.release(2, 20)
    socket.send("read again")
    network.settle()
    assert receiver.messages[-1] == "read again"
    client.close()
    network.advance(30.0)
    assert len(network.timers) == 0


@BOTH
def test_no_ping_is_looked_for_beyond_the_second_bound(join: Join, options: dict[str, Any]) -> None:
    """Rule 98: the server decides then what becomes of the session."""
    network, app = join()
    client, receiver = network.open(**options, max_inbound=2, max_surplus=1)
    socket = only_socket(app)
    client.hold(3)
    socket.send("first")
    network.advance(24.0)
    socket.send("second")
    network.advance(20.0)
    assert "second" not in receiver.messages
    network.advance(20.0)
    assert not socket.connected
    client.abort(Reason.FORCED_CLOSE)


def test_wrong_use() -> None:
    _, driver = engineio()
    client, receiver = Network(driver).client()
    client.open(0.0)
    with pytest.raises(LocalProtocolError, match="opened before"):
        client.open(0.0)
    with pytest.raises(LocalProtocolError, match=r"U\+001E"):
        send(client, "a\x1eb")
    client.abort(Reason.FORCED_CLOSE, TransportError("forced close"))
    client.abort(Reason.PARSE_ERROR)
    client.close()
    send(client, "x")
    assert client.backlog == 0
    assert len(receiver.ends) == 1


def test_messages_sent_before_it_is_open_wait(join: Join) -> None:
    network, app = join()
    events = record(app)
    client, receiver = network.client()
    receiver.when_opened = lambda: send(client, "opened")
    send(client, "early")
    client.open(0.0)
    network.settle()
    assert events == [("connection",), ("message", "early"), ("message", "opened")]
    client.abort(Reason.FORCED_CLOSE)
