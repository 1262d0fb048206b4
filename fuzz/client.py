"""A Socket.IO client never raises, whatever its server says, and nothing of it is left then.

The first byte of the input says how the client is set up; the rest, cut at the separator, is what
the answers to its polls have in them. What carries them is in order: for what is not, there is
`client_wire`.
"""

from __future__ import annotations

from itertools import count
from typing import Any

from sansocket.sansio.engineio.client.wire import ClientWire
from sansocket.sansio.socketio.client.app import ClientApp

from .frames import SEPARATOR
from .server_wire import NoLoop

OPEN = b'0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000}'
PARSERS = ("json", "msgpack")
NAMES = ("connect", "connect_error", "disconnect", "x")


class Dialler(NoLoop):
    """Keeps the connections that are asked for."""

    def __init__(self) -> None:
        self.asked: list[ClientWire] = []

    def dial(self, wire: ClientWire) -> None:
        """Keep it."""
        self.asked.append(wire)


class Server:
    """Answers every request as HTTP wants it: a POST with "ok", and the polls with the input."""

    def __init__(self, app: ClientApp, runtime: Dialler, said: list[bytes]) -> None:
        self._app = app
        self._runtime = runtime
        self._said = said
        self._wires: list[ClientWire] = []

    def serve(self, now: float) -> None:
        """Answer what is asked, until nothing is, or nothing is left to say."""
        while True:
            self._app.handle_timeout(now)
            for wire in self._runtime.asked:
                wire.connected(now)
            self._wires += self._runtime.asked
            self._runtime.asked.clear()
            answered = [self._answer(wire, now) for wire in self._wires]
            if not any(answered):
                return

    def _answer(self, wire: ClientWire, now: float) -> bool:
        """Whether the wire had a request that is answered."""
        request = b"".join(wire.data_to_send())
        if wire.closing:
            wire.lost()
        if request.startswith(b"POST"):
            body = b"ok"
        elif request.startswith(b"GET") and self._said:
            body = self._said.pop(0)
        else:
            return False
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        wire.receive_data(head + body, now)
        self._app.deliver()
        return True

    def vanish(self) -> None:
        """Lose every connection."""
        for wire in self._wires + self._runtime.asked:
            wire.lost()


def told(*args: Any) -> None:
    """A listener of everything."""


def asked(*args: Any) -> tuple[Any, ...]:
    """A listener that acknowledges."""
    return args


def one_input(data: bytes) -> None:
    """A client's whole life: two namespaces, what comes, and the time until nothing is due."""
    setup = data[0] if data else 0
    numbers = count(1)
    runtime = Dialler()
    app = ClientApp(
        runtime,
        "http://server.example",
        entropy=lambda size: (next(numbers) % 256**size).to_bytes(size, "big"),
        parser=PARSERS[setup & 1],
        transports=("polling",),
        reconnection=bool(setup & 2),
        reconnection_attempts=2,
        retries=2 if setup & 4 else 0,
        ack_timeout=3.0,
        max_receive_buffer=5,
        max_receive_buffer_bytes=200,
    )
    sockets = [app.socket(namespace) for namespace in ("/", "/a")]
    for socket in sockets:
        for name in NAMES:
            socket.on(name, told)
        socket.on("ask", asked)
        socket.connect()
        socket.emit("x", b"early", ack=told)
    server = Server(app, runtime, [OPEN, *data[1:].split(SEPARATOR)])
    now = 0.0
    server.serve(now)
    while (deadline := app.next_deadline()) is not None and now < 300.0:
        now = max(now, deadline)
        server.serve(now)
        app.deliver()
    app.abandon()
    app.deliver()
    server.vanish()
    while (deadline := app.next_deadline()) is not None:
        now = max(now, deadline)
        assert now < 10_000_000
        app.handle_timeout(now)
        app.deliver()
    assert not any(socket.active for socket in sockets)
    assert not app.links
    assert not app.sockets
