"""Peers of a server that speak for themselves: HTTP and WebSocket over a real TCP connection.

They share no code with what they test: HTTP is read and written by hand here, WebSocket is
wsproto's. Waiting is bounded, and whatever comes too late fails the test.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Final, NamedTuple
from urllib.parse import urlencode

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    RejectConnection,
    Request,
    TextMessage,
)

PATIENCE: Final = 60.0  # seconds until what does not come is an error


class Address(NamedTuple):
    """Where a server listens, and the path that it serves."""

    port: int
    path: str

    def target(self, **query: str) -> str:
        """The path with a query; EIO is 4 unless given, and an empty parameter is left out."""
        parameters = {"EIO": "4", **query}
        return f"{self.path}?{urlencode({name: v for name, v in parameters.items() if v})}"

    def request(self, method: str, target: str, body: str = "") -> bytes:
        """An HTTP request to it."""
        data = body.encode()
        head = (
            f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
            f"Content-Type: text/plain;charset=UTF-8\r\nContent-Length: {len(data)}\r\n\r\n"
        )
        return head.encode() + data


class Answer(NamedTuple):
    """An HTTP response."""

    status: int
    text: str


class Http:
    """One connection for HTTP requests, which may be sent before the answers are read."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._socket = socket.create_connection(("127.0.0.1", address.port), PATIENCE)
        self._file = self._socket.makefile("rb")

    def send(self, *requests: bytes) -> None:
        """Send requests, all in one segment."""
        self._socket.sendall(b"".join(requests))

    def answer(self) -> Answer:
        """The next response."""
        status = int(self._file.readline().split()[1])
        length = 0
        while (line := self._file.readline().rstrip()) != b"":
            name, value = line.lower().split(b":", 1)
            if name == b"content-length":
                length = int(value)
        return Answer(status, self._file.read(length).decode())

    def request(self, method: str, target: str, body: str = "") -> Answer:
        """Send a request and return the response."""
        self.send(self.address.request(method, target, body))
        return self.answer()

    def hang_up(self) -> None:
        """End our side of the connection, and wait until the server has ended its own."""
        self._socket.shutdown(socket.SHUT_WR)
        while self._file.read(4096):
            pass

    def close(self) -> None:
        """Close the connection."""
        self._file.close()
        self._socket.close()


class Polling:
    """A session by long-polling."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._connections = [Http(address), Http(address)]
        self._reader, self._writer = self._connections
        opened = self._reader.request("GET", address.target(transport="polling"))
        assert opened.status == 200
        assert opened.text[0] == "0"
        self.handshake: dict[str, object] = json.loads(opened.text[1:])
        self.target = address.target(transport="polling", sid=str(self.handshake["sid"]))

    def get(self) -> Answer:
        """Poll, and wait for what comes."""
        return self._reader.request("GET", self.target)

    def post(self, body: str) -> Answer:
        """Send a payload."""
        return self._writer.request("POST", self.target, body)

    def parked_poll(self) -> Http:
        """A connection on which a poll waits in the server for sure.

        The poll comes in one segment with another request before it, whose answer proves
        that the server has read both.
        """
        connection = Http(self.address)
        self._connections.append(connection)
        handshake = self.address.request("GET", self.address.target(transport="polling"))
        connection.send(handshake, self.address.request("GET", self.target))
        assert connection.answer().status == 200
        return connection

    def close(self) -> None:
        """Close the connections."""
        for connection in self._connections:
            connection.close()


class WebSocket:
    """A WebSocket, on which Engine.IO packets are messages."""

    def __init__(self, address: Address, target: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", address.port), PATIENCE)
        self._protocol = WSConnection(ConnectionType.CLIENT)
        self._ended = False
        self._events = self._read()
        self._send(Request(host=f"127.0.0.1:{address.port}", target=target))
        self.accepted = isinstance(next(self._events, None), AcceptConnection)

    def send(self, *messages: str | bytes) -> None:
        """Send messages, all in one segment."""
        data = b"".join(
            self._protocol.send(
                TextMessage(message) if isinstance(message, str) else BytesMessage(message)
            )
            for message in messages
        )
        self._socket.sendall(data)

    def receive(self) -> str | bytes | None:
        """The next message, or None when the server has closed instead."""
        text, data = "", b""
        for event in self._events:
            if isinstance(event, TextMessage):
                text += event.data
                if event.message_finished:
                    return text
            elif isinstance(event, BytesMessage):
                data += bytes(event.data)
                if event.message_finished:
                    return data
            else:
                assert isinstance(event, CloseConnection | RejectConnection)
                return None
        return None

    def receive_after_pings(self) -> str | bytes | None:
        """The next message that is no Engine.IO ping; those are answered."""
        while (message := self.receive()) == "2":
            self.send("3")
        return message

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _send(self, event: Event) -> None:
        self._socket.sendall(self._protocol.send(event))

    def _read(self) -> Iterator[Event]:
        while data := self._socket.recv(65_536):
            self._protocol.receive_data(data)
            for event in self._protocol.events():
                if isinstance(event, Ping | CloseConnection):
                    self._send(event.response())
                if not isinstance(event, Ping):
                    yield event
