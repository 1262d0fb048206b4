"""What counts as left over."""

from __future__ import annotations

from sansocket.sansio.socketio.socket import Socket
from sansocket.sansio.testing import Simulation
from sansocket.sansio.testing.leftovers import left_in_client, left_in_server


def test_tables() -> None:
    """A client that is there stands in every table, and in none once it has gone."""
    simulation = Simulation(1)

    def set_up(io: object) -> None:
        """No handlers."""

    server = simulation.server("http://a.example", set_up)
    client = simulation.client("http://a.example")
    socket = simulation.run(client.connect())
    [other] = server.app.sockets.values()
    assert isinstance(other, Socket)
    other.join("room")
    simulation.advance(30)
    names = [line.partition(" ")[2] for line in left_in_server(server.app)]
    assert names == ["sessions", "timers", "sockets of /", "rooms of /"]
    names = [line.partition(" ")[2] for line in left_in_client(client)]
    assert names == ["sockets", "connections", "timers"]
    assert len(simulation.leftovers()) == 7
    assert simulation.leftovers()[0] == "a.example: 1 sessions"
    socket.emit("late")
    simulation.run(client.aclose())
    simulation.advance(200)
    assert simulation.leftovers() == left_in_client(client) == left_in_server(server.app) == []


def test_acknowledgements_that_are_still_awaited() -> None:
    """Those too, of a client that has not gone."""
    simulation = Simulation(1)
    server = simulation.server("http://a.example", lambda io: None)
    client = simulation.client("http://a.example")
    simulation.run(client.connect()).emit("x", ack=print)
    assert server.running
    assert "1 acknowledgements of /" in left_in_client(client)
