"""Connections that go to another worker, on every loop, with a neighbour that is a stand-in."""

from __future__ import annotations

import gc
import os
import socket
from collections.abc import Callable, Sequence
from typing import Final

import pytest
from backends.hosts import Host
from interop.peers import Http

from sansocket.sansio.engineio.neighbours import Arrival, decode_handover, encode_handover
from sansocket.sansio.engineio.peer import Peer
from sansocket.sansio.engineio.static import StaticFile
from sansocket.sansio.engineio.wire import ServerWire

Serve = Callable[..., Host]

FOREIGN: Final = "AAAAAAAAAAAAAAAAAAAA.2"


class StandIn:
    """The other workers: it keeps what it is given, and gives what a test has prepared."""

    name = "1"

    def __init__(self, *verdicts: bool) -> None:
        self.given: list[tuple[socket.socket, bytes]] = []
        self.waiting: list[Arrival] = []
        self.closed = False
        self._verdicts = [*verdicts]
        self._bell = os.eventfd(0)

    def choose(self) -> str:
        """Nobody but this one."""
        return self.name

    def hand_over(self, to: str, connection: int, message: bytes) -> bool:
        """Take it or not, as the verdicts say; without one left there is no such worker."""
        assert to == "2"
        if not self._verdicts:
            raise FileNotFoundError("no such worker")
        if taken := self._verdicts.pop(0):
            self.given.append((socket.socket(fileno=os.dup(connection)), message))
        return taken

    def fileno(self) -> int:
        """What the loop waits for."""
        return -1 if self.closed else self._bell

    def receive(self) -> Sequence[Arrival]:
        """What the test has rung for."""
        os.eventfd_read(self._bell)
        arrivals, self.waiting = self.waiting, []
        return arrivals

    def close(self) -> None:
        """The server takes no more."""
        if not self.closed:
            self.closed = True
            os.close(self._bell)

    def ring(self, *arrivals: Arrival) -> None:
        """Let connections come."""
        self.waiting += arrivals
        os.eventfd_write(self._bell, 1)


def start(serve: Serve, *verdicts: bool) -> tuple[Host, StandIn]:
    """A server with that neighbour."""
    host, neighbours = serve(), StandIn(*verdicts)
    host.engine.neighbours = neighbours
    host.start()
    return host, neighbours


def poll(host: Host, sid: str = FOREIGN) -> bytes:
    """A request for a session, which the other worker has."""
    return host.address.request("GET", host.address.target(transport="polling", sid=sid))


def wires() -> list[ServerWire]:
    """All wires that there are; nobody else keeps a list of them."""
    return [wire for wire in gc.get_objects() if isinstance(wire, ServerWire)]


def adopted(host: Host, data: bytes) -> tuple[socket.socket, Arrival]:
    """Our end of a connection, and its arrival at the server with these bytes."""
    ours, theirs = socket.socketpair()
    ours.settimeout(20)
    return ours, Arrival(theirs.detach(), encode_handover(Peer("192.0.2.7", True, 5.0), data))


def test_it_leaves_whole(serve: Serve) -> None:
    """The connection is the other's alone then: it stays open, and what is written arrives."""
    host, neighbours = start(serve, True)
    client = Http(host.address)
    request = poll(host)
    client.send(request + b"more")
    host.see(lambda: len(neighbours.given), 1)
    ((connection, message),) = neighbours.given
    peer, data = decode_handover(message, None)
    assert (peer.address, peer.secure, data) == ("127.0.0.1", False, request + b"more")
    with connection:
        connection.setblocking(True)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        assert client.answer() == (200, "hi")
    client.close()
    host.see(lambda: len(host.engine.timers), 0)


def test_what_came_before_is_written_first(serve: Serve) -> None:
    """However long its client takes to read it: the other worker would write in between."""
    host, neighbours = serve(), StandIn(True)
    host.engine.neighbours = neighbours
    host.io.static["/large"] = StaticFile(bytes(20_000_000), "application/octet-stream")
    host.start()
    client = Http(host.address)
    client.send(host.address.request("GET", "/large") + poll(host))
    host.see(lambda: any(wire.destination for wire in wires()), True)
    assert neighbours.given == []
    assert len(client.answer().text) == 20_000_000
    host.see(lambda: len(neighbours.given), 1)
    neighbours.given[0][0].close()
    client.close()


def test_a_neighbour_that_is_busy_is_asked_again(serve: Serve) -> None:
    """Nothing is lost and nobody is refused for that."""
    host, neighbours = start(serve, False, False, False, True)
    client = Http(host.address)
    client.send(poll(host))
    host.see(lambda: len(neighbours.given), 1)
    neighbours.given[0][0].close()
    client.close()


@pytest.mark.parametrize("busy", [0, 2])
def test_without_that_neighbour_it_stays(serve: Serve, busy: int) -> None:
    """Rule 2; and the connection goes on with the next request."""
    host, _ = start(serve, *[False] * busy)
    client = Http(host.address)
    for _ in range(3):
        client.send(poll(host))
        answer = client.answer()
        assert (answer.status, answer.text) == (400, '{"code":1,"message":"Session ID unknown"}')
    handshake = host.address.target(transport="polling")
    assert client.request("GET", handshake).status == 200
    client.close()


def test_a_client_that_goes_meanwhile(serve: Serve) -> None:
    """It is noticed at the latest when the other worker has it, and leaves nothing behind."""
    host, neighbours = start(serve, *[False] * 10, True)
    client = Http(host.address)
    client.send(poll(host))
    client.close()
    host.see(lambda: len(neighbours.given), 1)
    neighbours.given[0][0].close()
    host.see(lambda: len(host.engine.timers), 0)


def test_one_that_comes_is_served(serve: Serve) -> None:
    """As if it had come here, and from where the other worker says."""
    host, neighbours = start(serve)
    handshake = host.address.request("GET", host.address.target(transport="polling"))
    ours, arrival = adopted(host, handshake[:30])
    with ours:
        neighbours.ring(arrival)
        ours.sendall(handshake[30:])
        assert ours.recv(65_536).startswith(b"HTTP/1.1 200 ")
        (session,) = host.run(lambda: [*host.engine.sessions.values()])
        assert session.id.endswith(".1")
        assert session.peer.address == "192.0.2.7"
        assert session.peer.secure


def test_what_is_no_handover_harms_nobody(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """Security rule T35: it is logged and closed; what comes with it and after it is served."""
    host, neighbours = start(serve)
    handshake = host.address.request("GET", host.address.target(transport="polling"))
    bad, nonsense = adopted(host, b"")
    good, arrival = adopted(host, handshake)
    with bad, good:
        no_socket = os.open(os.devnull, os.O_RDONLY)
        neighbours.ring(
            Arrival(nonsense.connection, b"nonsense"),
            Arrival(no_socket, nonsense.message),
            arrival,
        )
        assert good.recv(65_536).startswith(b"HTTP/1.1 200 ")
        assert bad.recv(1) == b""
    assert caplog.text.count("connection failed") == 2
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(no_socket)


def test_at_the_end_no_more_is_taken(serve: Serve) -> None:
    """To the others there is no such worker any more."""
    host, neighbours = start(serve)
    host.stop()
    assert neighbours.closed
