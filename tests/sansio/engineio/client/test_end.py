"""How a client's session ends, and what each side is told of it."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from support.engineio import only_socket, record
from support.engineio_client import ALL_WAYS, BOTH, WAYS, Join, send
from support.scripted_server import Scripted

from sansocket.sansio.engineio.client.states import ClientState
from sansocket.sansio.errors import Reason, RemoteProtocolError, TransportError


@ALL_WAYS
def test_close(join: Join, options: dict[str, Any]) -> None:
    """What was sent before goes out; the server is told, and both sides end."""
    network, app = join()
    events = record(app)
    client, receiver = network.open(**options)
    for number in range(30):
        send(client, f"{number}")
    client.close()
    client.close()
    send(client, "late")
    network.settle()
    assert receiver.ends == [(Reason.FORCED_CLOSE, None)]
    assert [event[1] for event in events if event[0] == "message"] == list(map(str, range(30)))
    assert events[-1] == ("close", "transport close")
    assert network.links == []


def test_close_waits_for_the_upgrade(join: Join) -> None:
    """Protocol rule 39, at every moment of the attempt."""
    for moment in range(40):
        network, app = join()
        network.bytewise = False
        events = record(app)
        client, receiver = network.client()
        client.open(0.0)
        for _ in range(moment):
            network.step()
        if client.is_open:
            send(client, "last")
        was_open = client.is_open
        client.close()
        network.settle()
        network.advance(60.0)
        assert len(receiver.ends) == 1
        assert receiver.reason is Reason.FORCED_CLOSE
        if was_open:
            assert ("message", "last") in events
            assert events[-1] == ("close", "transport close")
        assert network.links == []


@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_close_of_an_attempt(transport: str) -> None:
    """It ends at once, and so does its connection: the server may never answer."""
    server = Scripted(transports=(transport,)).begin()
    wire = server.connect()
    server.taken()
    server.client.close()
    assert server.receiver.reason is Reason.FORCED_CLOSE
    assert isinstance(server.receiver.failure, TransportError)
    assert wire.closed
    server.nothing_is_left()


def test_close_gives_up_after_a_while(join: Join) -> None:
    network, _ = join()
    client, receiver = network.open(transports=("polling",), close_timeout=3.0)
    network.unreachable = True
    send(client, "x")
    client.close()
    network.advance(2.9)
    assert receiver.ends == []
    network.advance(0.1)
    assert receiver.reason is Reason.FORCED_CLOSE


@BOTH
def test_an_attempt_that_is_closed(join: Join, options: dict[str, Any]) -> None:
    network, _ = join()
    for opened in (False, True):
        client, receiver = network.client(**options)
        if opened:
            client.open(0.0)
        client.close()
        [(reason, error)] = receiver.ends
        assert reason is Reason.FORCED_CLOSE
        assert isinstance(error, TransportError)
    network.settle()
    assert network.links == []


@BOTH
def test_the_server_ends_it(join: Join, options: dict[str, Any]) -> None:
    network, app = join()
    _, receiver = network.open(**options)
    only_socket(app).close()
    network.settle()
    assert receiver.reason is Reason.TRANSPORT_CLOSE


@pytest.mark.parametrize(
    ("options", "reason"),
    [(WAYS[0], Reason.TRANSPORT_ERROR), (WAYS[1], Reason.TRANSPORT_CLOSE)],
    ids=["polling", "websocket"],
)
def test_a_connection_that_breaks(join: Join, options: dict[str, Any], reason: Reason) -> None:
    """As the reference's client names it."""
    network, _ = join()
    _, receiver = network.open(**options)
    for link in network.links:
        link.cut()
    assert receiver.reason is reason
    assert isinstance(receiver.failure, TransportError)


@BOTH
def test_what_stands_on_it_refuses_a_message(join: Join, options: dict[str, Any]) -> None:
    """The session ends with "parse error", and the server is told that it has ended."""
    network, app = join()
    events = record(app)
    _, receiver = network.open(**options)
    receiver.error = RemoteProtocolError("no")
    only_socket(app).send("x")
    only_socket(app).send("y")
    network.settle()
    assert receiver.ends == [(Reason.PARSE_ERROR, receiver.error)]
    assert events[-1] == ("close", "transport close")


@BOTH
def test_the_backlog_is_bounded(join: Join, options: dict[str, Any]) -> None:
    """Rule 98: what the bound is exceeded by closes the session."""
    network, app = join()
    events = record(app)
    client, receiver = network.open(**options, max_backlog=100, pause_backlog=50)
    relieved: list[bool] = []
    for link in network.links:
        link.held = True
    send(client, "x" * 49)
    assert (client.backlog, client.congested, client.writable) == (50, True, False)
    client.when_relieved(lambda: relieved.append(True))
    send(client, "x" * 49)
    assert receiver.ends == []
    send(client, "")
    assert receiver.reason is Reason.SEND_BUFFER_FULL
    assert relieved == [True]
    assert client.backlog == 0
    for link in network.links:
        link.held = False
    network.settle()
    assert events[-1] == ("close", "transport close")


@BOTH
def test_ping_timeout(join: Join, options: dict[str, Any]) -> None:
    """Row 64, protocol rule 23: interval and timeout after the last ping; messages do not count."""
    network, _ = join()
    client, receiver = network.open(**options)
    network.advance(30.0)
    for link in network.links:
        link.held = True
    network.advance(39.0)
    assert receiver.ends == []
    network.advance(1.0)
    assert receiver.ends == [(Reason.PING_TIMEOUT, None)]
    assert client.state is ClientState.CLOSED
    network.settle()
    assert network.links == []


@BOTH
def test_a_suspended_computer_learns_of_it_when_it_sends(
    join: Join, options: dict[str, Any]
) -> None:
    """Row 64, protocol rule 23: also on emit; the driver is asked to tell the time."""
    network, _ = join()
    client, receiver = network.open(**options)
    network.timers.fire(network.now)
    network.driver.now = 1000.0
    send(client, "x")
    assert network.timers.next_deadline() == 0.0  # that is: do not wait for a deadline
    network.timers.fire(network.now)
    assert receiver.reason is Reason.PING_TIMEOUT
    network.driver.core.engine.handle_timeout(1000.0)


def test_a_receiver_that_closes_at_once(join: Join) -> None:
    """Also where the handshake and the first message come together."""
    for end in ("close", "abort"):
        network, _ = join(initial_packet="hello")
        client, receiver = network.client()
        abort = partial(client.abort, Reason.FORCED_CLOSE)
        receiver.when_opened = client.close if end == "close" else abort
        client.open(0.0)
        network.settle()
        assert receiver.reason is Reason.FORCED_CLOSE
        assert network.links == []
