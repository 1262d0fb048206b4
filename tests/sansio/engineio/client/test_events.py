"""What happens to a client's session is told at once (row 174)."""

from __future__ import annotations

from typing import Any

import pytest
from support.engineio_client import ALL_WAYS, BOTH, Join, Network, send
from support.scripted_server import Scripted, ScriptedWebSocket

from sansocket.sansio.engineio.client.events import CLIENT_EVENTS, client_observers
from sansocket.sansio.engineio.events import SESSION_EVENTS
from sansocket.sansio.engineio.packet import Packet, Type
from sansocket.sansio.errors import Reason, TransportError


def observe(observed: Network | Scripted, *events: str) -> list[tuple[Any, ...]]:
    """What is told of these events, or of all, as (event, *arguments)."""
    told: list[tuple[Any, ...]] = []

    def register(event: str) -> None:
        def function(*args: Any) -> None:
            told.append((event, *args))

        observed.observers.add(event, function)

    for event in events or CLIENT_EVENTS:
        register(event)
    return told


def test_the_names_are_those_of_a_server() -> None:
    """What both sides have is called the same."""
    assert SESSION_EVENTS.items() <= CLIENT_EVENTS.items()


def test_a_function_gets_no_session() -> None:
    """A client has one engine: whoever asked it knows."""
    told: list[object] = []
    observers = client_observers(lambda message, error: None)
    observers.add("upgrade", told.append)
    observers.tell("upgrade", "a session", "websocket")
    assert told == ["websocket"]


def test_an_upgrade_in_its_order(join: Join) -> None:
    network, _ = join()
    told = observe(network, "open", "upgrading", "upgrade", "close", "upgrade_error")
    client, _ = network.open()
    client.close()
    network.settle()
    assert told == [
        ("open",),
        ("upgrading", "websocket"),
        ("upgrade", "websocket"),
        ("close", "forced close"),
    ]


@ALL_WAYS
def test_packets_both_ways(join: Join, options: dict[str, Any]) -> None:
    """Each as it is, with its attachments as packets of their own."""
    network, app = join()
    app.on("message", lambda socket, data: socket.send(data))
    client, receiver = network.open(**options)
    told = observe(network)
    send(client, "h\xe4", b"\x01")
    network.settle()
    packets = [Packet(Type.MESSAGE, "h\xe4"), Packet(Type.MESSAGE, b"\x01")]
    assert [each for each in told if each[0] != "packet"] == [
        *[("packet_create", packet) for packet in packets],
        ("flush", packets),
        ("drain",),
    ]
    assert [each[1] for each in told if each[0] == "packet"] == packets
    assert receiver.messages == ["h\xe4", b"\x01"]
    client.abort(Reason.FORCED_CLOSE)


@BOTH
def test_what_is_sent_in_one_go_is_flushed_as_one(join: Join, options: dict[str, Any]) -> None:
    """By polling too, where each message is taken by itself."""
    network, _ = join()
    client, _ = network.open(**options)
    told = observe(network, "flush", "drain")
    for number in range(3):
        send(client, str(number))
    network.settle()
    packets = [Packet(Type.MESSAGE, str(number)) for number in range(3)]
    assert told == [("flush", packets), ("drain",)]
    client.abort(Reason.FORCED_CLOSE)


@BOTH
def test_a_heartbeat(join: Join, options: dict[str, Any]) -> None:
    """A ping is a packet and a heartbeat, its answer is created and flushed."""
    network, _ = join(ping_interval=25.0)
    client, receiver = network.open(**options)
    told = observe(network)
    network.advance(25.0)
    assert told == [
        ("packet", Packet(Type.PING)),
        ("packet_create", Packet(Type.PONG)),
        ("heartbeat",),
        ("flush", [Packet(Type.PONG)]),
        ("drain",),
    ]
    assert receiver.pings == 1
    client.abort(Reason.FORCED_CLOSE)


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda server: server.wires[1].failed(OSError("no way"), 0.0), "no way"),
        (lambda server: server.advance(10.0), "no upgrade within 10.0 seconds"),
        (lambda server: ScriptedWebSocket(server, 1).send("4no"), "'4no'"),
        (lambda server: ScriptedWebSocket(server, 1).send(b"no"), "b'no'"),
        (lambda server: ScriptedWebSocket(server, 1).close(), "closed"),
    ],
)
def test_an_upgrade_that_fails_says_why(act: Any, words: str) -> None:
    """Rules 37 and 38: polling goes on, and an error says what was in the way."""
    server = Scripted().open_polling(upgrades=["websocket"])
    told = observe(server, "upgrade", "upgrade_error", "close")
    act(server)
    server.advance(0.0)
    [(name, error)] = told
    assert name == "upgrade_error"
    assert isinstance(error, TransportError)
    assert error.description is not None
    assert words in error.description
    assert server.client.is_open


def test_a_function_may_close_the_session(join: Join) -> None:
    """At any of the events: it is called in the midst of things, and does no harm to them."""
    for event in CLIENT_EVENTS:
        network, _ = join()
        client, receiver = network.client()
        network.observers.add(event, lambda *args, client=client: client.abort(Reason.FORCED_CLOSE))
        client.open(network.now)
        network.settle()
        send(client, "x")
        network.advance(60.0)
        client.abort(Reason.FORCED_CLOSE)
        assert len(receiver.ends) == 1
        assert client.backlog == 0
        assert network.complaints == []


def test_nothing_is_told_after_the_end() -> None:
    """What comes behind a close packet is ignored, and no packet of the session."""
    server = Scripted().open_polling()
    told = observe(server, "packet", "close")
    server.answer("1\x1e4late", 0)
    assert told == [("packet", Packet(Type.CLOSE)), ("close", "transport close")]


def test_what_a_function_raises_is_logged(join: Join) -> None:
    network, _ = join()

    def fails() -> None:
        raise ValueError

    network.observers.add("open", fails)
    client, receiver = network.open()
    assert receiver.opened_at == [0.0]
    [(message, error)] = network.complaints
    assert "'open'" in message
    assert isinstance(error, ValueError)
    client.abort(Reason.FORCED_CLOSE)


def test_an_attempt_that_fails_is_no_close(join: Join) -> None:
    """The receiver is told why; there was no session."""
    network, _ = join()
    told = observe(network)
    network.refuse = OSError("nobody")
    network.open()
    assert told == []
