"""A Socket.IO client on either transport: what it sends and gets are packets of Socket.IO.

It knows no more of them than that the text of a CONNECT begins with `0`. With another
parser than JSON the frames are bytes, and a test reads them itself.
"""

from __future__ import annotations

import base64
import gc
import json
from typing import Any

from sansocket.sansio.config import Transport
from sansocket.sansio.engineio.session import Session
from sansocket.sansio.socketio.app import App
from sansocket.sansio.socketio.broadcast import Broadcast
from sansocket.sansio.socketio.namespace import Namespace
from sansocket.sansio.socketio.socket import Socket
from support.runtime import Task
from support.transcript import Driver, Pipe, socketio


class SocketIOClient:
    """One session; by polling, a GET waits whenever `take` has returned."""

    def __init__(self, driver: Driver, transport: Transport = "websocket") -> None:
        self.driver = driver
        self.transport = transport
        self.over = False
        """Whether the server has closed the session, as far as `take` has seen."""
        self.sid = ""
        """The id of the session."""
        if transport == "websocket":
            self.websocket = driver.websocket()
            [opened] = self.websocket.take()
            assert isinstance(opened, str)
            self.sid = json.loads(opened[1:])["sid"]
        else:
            self.sid = driver.poll_handshake()
            self.poll = driver.get(self.sid)

    @property
    def pipe(self) -> Pipe:
        """The connection that brings what the server sends."""
        return self.websocket.pipe if self.transport == "websocket" else self.poll

    def send(self, *frames: str | bytes) -> None:
        """Send packets in one piece: texts without the `4` before them, and attachments."""
        if self.transport == "websocket":
            self.websocket.send(*(f"4{f}" if isinstance(f, str) else f for f in frames))
        else:
            packets = [f"4{f}" if isinstance(f, str) else base64_form(f) for f in frames]
            self.send_raw(*packets)

    def send_raw(self, *packets: str) -> None:
        """Send packets of Engine.IO in one piece."""
        if self.transport == "websocket":
            self.websocket.send(*packets)
        else:
            self.driver.post(self.sid, "\x1e".join(packets))

    def take(self) -> list[str | bytes]:
        """What has come since the last time, without the packets of Engine.IO."""
        packets = self._take_websocket() if self.transport == "websocket" else self._take_poll()
        return [
            packet[1:] if isinstance(packet, str) else packet
            for packet in packets
            if isinstance(packet, bytes) or packet[0] == "4"
        ]

    def _take_websocket(self) -> list[str | bytes]:
        packets = self.websocket.take()
        self.over = self.over or self.websocket.close_code is not None
        return packets

    def _take_poll(self) -> list[str | bytes]:
        found: list[str | bytes] = []
        while not self.over and (answer := self.poll.answer()) is not None:
            if answer.status != 200:
                self.over = True
                break
            for packet in answer.body.split("\x1e"):
                binary = packet.startswith("b")
                found.append(base64.b64decode(packet[1:]) if binary else packet)
                self.over = self.over or packet == "1"
            self.poll = self.driver.get(self.sid)
        return found

    def connect(self, namespace: str = "/", auth: dict[str, Any] | None = None) -> str:
        """Join a namespace; the id of the socket."""
        prefix = "" if namespace == "/" else namespace + ","
        self.send("0" + prefix + ("" if auth is None else json.dumps(auth)))
        [answer] = self.take()
        assert isinstance(answer, str)
        assert answer.startswith("0" + prefix), answer
        socket_id: str = json.loads(answer[1 + len(prefix) :])["sid"]
        return socket_id

    def leave(self) -> None:
        """Break the connection; by polling, that of a GET that waits."""
        self.take()
        self.pipe.lose()


def base64_form(data: bytes) -> str:
    """An attachment as a packet of a polling payload."""
    return "b" + base64.b64encode(data).decode()


def record(namespace: Namespace, *events: str) -> list[tuple[Any, ...]]:
    """Register a handler for each of the events; what they were told, as (event, *arguments)."""
    told: list[tuple[Any, ...]] = []

    def register(event: str) -> None:
        def handler(socket: Socket, *args: Any) -> None:
            told.append((event, *args))

        namespace.on(event, handler)

    for event in events:
        register(event)
    return told


def rooms_of(namespace: Namespace) -> frozenset[str]:
    """Every room of a namespace that has a member."""
    return namespace.adapter.rooms()


def reached_by(driver: Driver, broadcast: Broadcast) -> list[Socket]:
    """Those whom a broadcast reaches now."""
    return Task(driver.runtime, broadcast.fetch_sockets()).result


def assert_gone(app: App, client: SocketIOClient) -> None:
    """The session was closed, and no entry of it is left (rule 95, security rule T13)."""
    client.take()
    assert client.over
    assert not app.engine.sessions
    assert not app.sockets
    assert not rooms_of(app)


def connected(**options: Any) -> tuple[App, Driver, SocketIOClient, Socket]:
    """A server with one client by WebSocket, and its socket."""
    app, driver = socketio(**options)
    client = SocketIOClient(driver)
    return app, driver, client, app.sockets[client.connect()]


def join(
    app: App, driver: Driver, transport: Transport = "websocket", *rooms: str
) -> tuple[SocketIOClient, Socket]:
    """One client more, in these rooms."""
    client = SocketIOClient(driver, transport)
    socket = app.sockets[client.connect()]
    for room in rooms:
        socket.join(room)
    return client, socket


def sessions_and_sockets() -> list[Session | Socket]:
    """All that there are; those of tests that failed are kept with their tracebacks."""
    gc.collect()
    return [thing for thing in gc.get_objects() if isinstance(thing, Session | Socket)]
