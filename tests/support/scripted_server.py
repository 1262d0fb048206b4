"""A client of the core whose server is the test: it reads the requests and writes the answers."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Ping, Pong, TextMessage
from wsproto.utilities import generate_accept_token

from sansocket.sansio.client_config import EngineClientConfig
from sansocket.sansio.engineio.client.client import EngineClient
from sansocket.sansio.engineio.client.cookies import CookieJar
from sansocket.sansio.engineio.client.events import client_observers
from sansocket.sansio.engineio.client.url import parse_url
from sansocket.sansio.engineio.client.wire import ClientWire
from sansocket.sansio.timers import Timers
from support.engineio_client import Noted
from support.runtime import counting_entropy

HANDSHAKE: dict[str, Any] = {
    "sid": "abc",
    "upgrades": [],
    "pingInterval": 25000,
    "pingTimeout": 20000,
    "maxPayload": 1000,
}


def open_packet(**changes: Any) -> str:
    """What opens a session."""
    return "0" + json.dumps(HANDSHAKE | changes)


def answer_bytes(body: str | bytes, status: int = 200, **headers: str) -> bytes:
    """A whole answer; headers as keyword arguments."""
    if isinstance(body, str):
        body = body.encode()
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


class SentRequest:
    """A request that the client has sent."""

    def __init__(self, data: bytes) -> None:
        head, _, self.body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        self.method, target, _ = first.split(" ")
        parts = urlsplit(target)
        self.path = parts.path
        self.query = dict(parse_qsl(parts.query, keep_blank_values=True))
        self.headers = [tuple(line.split(": ", 1)) for line in lines]

    def header(self, name: str) -> str | None:
        """The one header of this name."""
        values = [pair[1] for pair in self.headers if pair[0].lower() == name.lower()]
        assert len(values) < 2
        return values[0] if values else None


class Scripted:
    """A client and the connections that it asks for; `wires` has them in their order."""

    def __init__(self, url: str = "http://server.example", **options: Any) -> None:
        self.now = 0.0
        self.timers = Timers(lambda: None)
        self.wires: list[ClientWire] = []
        self.receiver = Noted()
        self.cookies = CookieJar()
        self.complaints: list[tuple[str, Exception | None]] = []
        self.observers = client_observers(
            lambda message, error: self.complaints.append((message, error))
        )
        self.client = EngineClient(
            parse_url(url),
            EngineClientConfig(**options),
            self.receiver,
            timers=self.timers,
            dial=self.wires.append,
            cookies=self.cookies,
            entropy=counting_entropy(),
            observers=self.observers,
        )

    def begin(self) -> Scripted:
        """Begin the attempt."""
        self.client.open(self.now)
        return self

    def advance(self, seconds: float) -> None:
        """Let time pass, stopping at every deadline on the way."""
        end = self.now + seconds
        while (deadline := self.timers.next_deadline()) is not None and deadline <= end:
            self.now = max(self.now, deadline)
            self.timers.fire(self.now)
        self.now = end

    def connect(self, number: int = -1) -> ClientWire:
        """Make one of the connections."""
        self.advance(0.0)
        self.wires[number].connected(self.now)
        return self.wires[number]

    def taken(self, number: int = -1) -> bytes:
        """All that the client sends there."""
        self.advance(0.0)
        data = b""
        while pieces := self.wires[number].data_to_send():
            data += b"".join(pieces)
        return data

    def request(self, number: int = -1) -> SentRequest:
        """The request that the client sends there."""
        return SentRequest(self.taken(number))

    def answer(self, body: str | bytes, number: int = -1, **options: Any) -> None:
        """Answer it."""
        self.give(answer_bytes(body, **options), number)

    def give(self, data: bytes, number: int = -1) -> None:
        """Send bytes."""
        self.wires[number].receive_data(data, self.now)
        self.advance(0.0)

    def open_polling(self, **changes: Any) -> Scripted:
        """Open a session by polling; the next GET has been sent."""
        self.begin()
        self.connect(0)
        self.request(0)
        self.answer(open_packet(**changes), 0)
        self.request(0)
        return self

    def nothing_is_left(self) -> None:
        """Lose every connection, and find nothing (security rule T13)."""
        for wire in self.wires:
            wire.lost()
        self.advance(0.0)
        self.client.close()
        self.advance(1000.0)
        for wire in self.wires:
            wire.lost()
        self.advance(1000.0)
        assert len(self.receiver.ends) == 1
        assert len(self.timers) == 0


class ScriptedWebSocket:
    """The server's end of a WebSocket, framed by wsproto."""

    def __init__(self, server: Scripted, number: int = -1, **headers: str) -> None:
        self.server = server
        self.wire = server.wires[number]
        self.number = server.wires.index(self.wire)
        server.connect(self.number)
        self.request = server.request(self.number)
        key = self.request.header("Sec-WebSocket-Key")
        assert key is not None
        assert re.fullmatch(r"[A-Za-z0-9+/]{22}==", key)
        lines = [
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade",
            b"Sec-WebSocket-Accept: " + generate_accept_token(key.encode()),
            *(f"{name.replace('_', '-')}: {value}".encode() for name, value in headers.items()),
        ]
        self.connection = Connection(ConnectionType.SERVER)
        server.give(b"\r\n".join(lines) + b"\r\n\r\n", self.number)

    def send(self, *messages: str | bytes) -> None:
        """Send messages."""
        for message in messages:
            if isinstance(message, str):
                self.give(self.connection.send(TextMessage(message)))
            else:
                self.give(self.connection.send(BytesMessage(message)))

    def ping(self, payload: bytes) -> None:
        """Send a ping frame."""
        self.give(self.connection.send(Ping(payload)))

    def close(self, code: int = 1000) -> None:
        """Send a close frame."""
        self.give(self.connection.send(CloseConnection(code)))

    def give(self, data: bytes) -> None:
        """Send bytes."""
        self.server.give(data, self.number)

    def take(self) -> list[str | bytes | int]:
        """The messages that have come; of a close its code, of a pong b"pong"."""
        self.connection.receive_data(self.server.taken(self.number))
        found: list[str | bytes | int] = []
        for event in self.connection.events():
            match event:
                case TextMessage():
                    found.append(event.data)
                case BytesMessage():
                    found.append(bytes(event.data))
                case CloseConnection():
                    found.append(int(event.code))
                case Pong():
                    found.append(b"pong" + bytes(event.payload))
                case _:
                    raise AssertionError(event)
        return found
