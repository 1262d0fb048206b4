"""Who closes the connection of a WebSocket, and when, on every backend, in plain and with TLS."""

from __future__ import annotations

import select
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from backends.hosts import PATIENCE, Host
from support.tls import make_contexts
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Event, Request, TextMessage

from sansocket.sansio.socketio.socket import Socket

Serve = Callable[..., Host]

LARGE = 3_000_000
"""Characters that no kernel takes at once."""


class Client:
    """A WebSocket that answers the close and leaves the closing of TCP to the server."""

    def __init__(self, host: Host, context: ssl.SSLContext | None) -> None:
        self.socket = socket.create_connection(("127.0.0.1", host.port), PATIENCE)
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_hostname="127.0.0.1")
        self._protocol = WSConnection(ConnectionType.CLIENT)
        self.events = self._read()
        target = host.address.target(transport="websocket")
        self.send(Request(host=f"127.0.0.1:{host.port}", target=target))
        assert isinstance(next(self.events), AcceptConnection)
        self.message()  # the handshake

    def send(self, event: Event) -> None:
        """Send it."""
        self.socket.sendall(self._protocol.send(event))

    def message(self) -> str:
        """The next message, which has to be text."""
        text = ""
        for event in self.events:
            assert isinstance(event, TextMessage)
            text += event.data
            if event.message_finished:
                return text
        raise AssertionError("the server has ended")

    def _read(self) -> Iterator[Event]:
        # A server that closes without a word of TLS is as good, once WebSocket has said its own.
        with suppress(ssl.SSLEOFError):
            while data := self.socket.recv(65_536):
                self._protocol.receive_data(data)
                yield from self._protocol.events()


def server_has_closed(sock: socket.socket) -> bool:
    """Whether the server's whole connection is gone: it answers bytes with a reset."""
    reset = select.poll()
    reset.register(sock, 0)
    deadline = time.monotonic() + PATIENCE
    with suppress(ConnectionError, ssl.SSLError):
        while time.monotonic() < deadline:
            sock.send(b"x")
            # A byte that came before the close is not answered; then the next one is.
            if reset.poll(50):
                return True
        return False
    return True


@pytest.fixture(params=["plain", "tls"])
def open_client(request: pytest.FixtureRequest, serve: Serve) -> Iterator[tuple[Host, Client]]:
    """A client in the main namespace of a server that would wait for ever."""
    host = serve(close_timeout=100_000.0)
    context = None
    if request.param == "tls":
        contexts = make_contexts("127.0.0.1")
        host.ssl_context, context = contexts.server, contexts.client

    @host.io.on("large")
    def large(socket: Socket) -> None:
        socket.emit("large", "x" * LARGE)

    host.start()
    client = Client(host, context)
    client.send(TextMessage("40"))
    client.message()
    yield host, client
    client.socket.close()


def test_client_begins(open_client: tuple[Host, Client]) -> None:
    """RFC 6455, section 7.1.1: it gets its answer, and then the server closes TCP."""
    _, client = open_client
    client.send(CloseConnection(1000))
    assert [type(event) for event in client.events] == [CloseConnection]
    assert server_has_closed(client.socket)


def test_server_begins(open_client: tuple[Host, Client]) -> None:
    """The same when the client answers; security rule T6 is for those that do not."""
    host, client = open_client
    host.run(lambda: host.engine.close())
    (close,) = [event for event in [next(client.events)] if isinstance(event, CloseConnection)]
    client.send(close.response())
    assert list(client.events) == []
    assert server_has_closed(client.socket)


def test_all_is_written_before(open_client: tuple[Host, Client]) -> None:
    """What was under way when the close came is not cut off, nor is the answer to it."""
    host, client = open_client
    client.send(TextMessage('42["large"]'))
    first = next(client.events)
    assert isinstance(first, TextMessage)
    client.send(CloseConnection(1000))
    host.see(lambda: len(host.engine.sessions), 0)
    received = len(first.data)
    for event in client.events:
        if isinstance(event, CloseConnection):
            break
        assert isinstance(event, TextMessage)
        received += len(event.data)
    else:
        raise AssertionError("no close has come")
    assert received == len('42["large",""]') + LARGE
    assert server_has_closed(client.socket)
