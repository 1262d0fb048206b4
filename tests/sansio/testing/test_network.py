"""Each fault, alone, until it has happened; and what servers and clients make of it."""

from __future__ import annotations

from typing import Any

import pytest

from sansocket.sansio.errors import TransportError
from sansocket.sansio.socketio.client.socket import ClientSocket
from sansocket.sansio.testing import Faults, SimulatedServer, Simulation
from sansocket.sansio.testing.faults import CHANCES, RATES
from sansocket.sansio.testing.network import GIVEN_UP

URL = "http://a.example"


def joined(seed: int = 1, **options: Any) -> tuple[Simulation, SimulatedServer, ClientSocket]:
    """A client that is connected; `options` are its own."""
    simulation = Simulation(seed)
    server = simulation.server(URL, lambda io: io.on("x", lambda socket: "answer"))
    client = simulation.client(URL, **options)
    return simulation, server, simulation.run(client.connect())


@pytest.mark.parametrize("name", [*CHANCES, *RATES])
def test_each_fault_happens(name: str) -> None:
    """And all is well again, once it happens no more."""
    simulation, server, socket = joined()
    changes, lines = list[str](), list[str]()
    simulation.transcript.write = lines.append
    socket.on("disconnect", changes.append)
    value = 0.1 if name in RATES else 0.4
    chosen: dict[str, Any] = {"cut": 0.1 if name in CHANCES else 0.0, name: value}
    simulation.network.faults = Faults(**chosen)
    for _ in range(60):
        if socket.connected:
            socket.emit("x")
        simulation.advance(5)
    if name == "split":
        assert any(" bytes of " in line for line in lines)
    elif name != "reset":
        assert simulation.network.counts[name] > 1
    assert changes or name in ("stall", "freeze")
    simulation.network.faults = Faults()
    simulation.advance(180)
    assert simulation.run(socket.call("x")) == "answer"
    assert [each.id for each in server.app.sockets.values()] == [socket.id]
    assert simulation.logged == []
    simulation.run(socket.client.aclose())
    simulation.advance(200)
    assert simulation.leftovers() == []


def test_cut() -> None:
    """Both sides are told at once."""
    simulation, server, socket = joined(transports=("websocket",))
    [connection] = simulation.network.of(simulation.process(socket.client))
    connection.cut()
    simulation.settle()
    assert not socket.connected
    assert not server.app.sockets


def test_silence() -> None:
    """Nobody is told; both find out by their heartbeats, and the client comes back."""
    simulation, server, socket = joined(transports=("websocket",))
    [connection] = simulation.network.of(simulation.process(socket.client))
    before = socket.id
    connection.silence()
    simulation.advance(15)
    assert socket.connected
    assert server.app.sockets
    simulation.advance(60)
    assert socket.connected
    assert socket.id != before
    assert len(server.app.sockets) == 1


def test_half_cut() -> None:
    """One side is told, and the other finds out."""
    simulation, server, socket = joined(transports=("websocket",))
    [connection] = simulation.network.of(simulation.process(socket.client))
    connection.half_cut(server=False)
    simulation.advance(15)
    assert len(server.app.sockets) == 2  # it is back, and the first not known dead
    simulation.advance(60)
    assert len(server.app.sockets) == 1


def test_duplicated() -> None:
    """The server has a session more, until nobody answers its pings."""
    simulation = Simulation(1, faults=Faults(duplicated=1.0))
    server = simulation.server(URL, lambda io: None)
    socket = simulation.run(simulation.client(URL).connect())
    simulation.advance(1)
    assert len(server.engine.sessions) == 2
    simulation.advance(200)
    assert len(server.engine.sessions) == 1
    assert socket.connected


def test_nobody_there() -> None:
    """Refused at once; not answered, after two minutes."""
    simulation = Simulation(1)
    client = simulation.client(URL)
    with pytest.raises(TransportError, match="nobody listens there"):
        simulation.run(client.connect())
    simulation.network.faults = Faults(unreachable=1.0)
    client = simulation.client(URL, timeout=1000.0)
    begun = simulation.now
    with pytest.raises(TransportError, match="no answer"):
        simulation.run(client.connect())
    assert simulation.now == begun + GIVEN_UP
