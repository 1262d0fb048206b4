"""A server of the core, driven by hand: bytes and the time go in, bytes come out.

No loop, no clock, no port. `Driver` does what a backend does; a `Pipe` is one connection to it.
"""

from __future__ import annotations

import base64
import json
from typing import Any, Protocol

import h11
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Ping, Pong, TextMessage

from sansocket.sansio.engineio.app import EngineApp
from sansocket.sansio.engineio.server import Engine
from sansocket.sansio.engineio.session import Peer
from sansocket.sansio.socketio.app import App
from support.runtime import LoopFree, counting_entropy


class Core(Protocol):
    """An `App` or an `EngineApp`."""

    @property
    def engine(self) -> Engine: ...

    def deliver(self) -> None: ...


class Driver:
    """A backend without a loop: it holds the time, and passes on what wakes it.

    `bytewise` True lets what a client sends come one byte at a time.
    """

    def __init__(self, core: Core, runtime: LoopFree) -> None:
        self.core = core
        self.runtime = runtime
        self.now = 0.0
        self.bytewise = False
        self.pipes: list[Pipe] = []

    def connect(self, peer: Peer = Peer("192.0.2.1")) -> Pipe:  # noqa: B008 - it is frozen
        """Open a connection."""
        pipe = Pipe(self, peer)
        self.pipes.append(pipe)
        return pipe

    def settle(self) -> None:
        """Deliver events, step handlers and fire what is due, until nothing more happens."""
        for _ in range(100):
            self.core.deliver()
            self.runtime.run()
            self.core.deliver()
            deadline = self.core.engine.next_deadline()
            if deadline is None or deadline > self.now:
                return
            self.core.engine.handle_timeout(self.now)
        raise AssertionError("the server never comes to rest")

    def advance(self, seconds: float) -> None:
        """Let time pass, stopping at every deadline on the way."""
        end = self.now + seconds
        while True:
            self.settle()
            deadline = self.core.engine.next_deadline()
            if deadline is None or deadline > end:
                break
            self.now = max(self.now, deadline)
            self.core.engine.handle_timeout(self.now)
        self.now = end
        self.settle()

    # Short ways for a client

    def poll_handshake(self, **headers: str) -> str:
        """Open a session by polling; its id."""
        body = self.connect().request("GET", query="EIO=4&transport=polling", **headers).body
        sid: str = json.loads(body[1:])["sid"]
        return sid

    def get(self, sid: str, pipe: Pipe | None = None) -> Pipe:
        """Send a GET for the session; look at the pipe for the answer, which may be parked."""
        pipe = pipe or self.connect()
        pipe.send(request_bytes("GET", query=f"EIO=4&transport=polling&sid={sid}"))
        return pipe

    def post(self, sid: str, body: str | bytes, pipe: Pipe | None = None) -> Answer:
        """Send a POST for the session and take its answer."""
        pipe = pipe or self.connect()
        return pipe.request("POST", query=f"EIO=4&transport=polling&sid={sid}", body=body)

    def websocket(self, sid: str | None = None, **headers: str) -> WebSocketPipe:
        """Open a WebSocket: for a new session, or for the one to be upgraded."""
        query = "EIO=4&transport=websocket" + ("" if sid is None else f"&sid={sid}")
        pipe = self.connect()
        pipe.send(websocket_request_bytes(query=query, **headers))
        return WebSocketPipe(pipe)


class Answer:
    """An HTTP answer."""

    def __init__(self, status: int, headers: dict[str, str], body: str) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)


class Pipe:
    """One connection: what is sent goes to the wire, what it has to send is pulled at once.

    `writable` False is a peer that does not read: nothing is pulled.
    """

    def __init__(self, driver: Driver, peer: Peer) -> None:
        self.driver = driver
        self.writable = True
        self.output = bytearray()
        self.wire = driver.core.engine.open(self._wake, driver.now, peer)
        self._http = h11.Connection(h11.CLIENT)

    def _wake(self) -> None:
        if self.writable:
            self.pull()

    def pull(self) -> None:
        """Take what the wire has to send."""
        while pieces := self.wire.data_to_send():
            self.output += b"".join(pieces)

    def send(self, data: bytes) -> None:
        """Send bytes, and let the server do what follows."""
        size = 1 if self.driver.bytewise else max(len(data), 1)
        for start in range(0, len(data), size):
            self.wire.receive_data(data[start : start + size], self.driver.now)
        self.driver.settle()

    def take(self) -> bytes:
        """The bytes that have come since the last time."""
        data = bytes(self.output)
        self.output.clear()
        return data

    def lose(self) -> None:
        """The connection breaks."""
        self.wire.lost()
        self.driver.settle()

    def request(
        self, method: str, *, query: str = "", body: str | bytes = b"", **headers: str
    ) -> Answer:
        """Send a request that is answered at once, and take the answer."""
        self.send(request_bytes(method, query=query, body=body, **headers))
        answer = self.answer(method)
        assert answer is not None, "no answer has come"
        return answer

    def answer(self, method: str = "GET") -> Answer | None:
        """The next answer that has come, or None."""
        data = bytes(self.output)
        if not data:
            return None
        client = h11.Connection(h11.CLIENT)
        client.send(h11.Request(method=method, target="/", headers=[("Host", "x")]))
        client.send(h11.EndOfMessage())
        client.receive_data(data)
        head = client.next_event()
        assert isinstance(head, h11.Response)
        body = b""
        while isinstance(event := client.next_event(), h11.Data):
            body += event.data
        assert isinstance(event, h11.EndOfMessage)
        del self.output[: len(data) - len(client.trailing_data[0])]
        headers = {name.decode(): value.decode() for name, value in head.headers}
        return Answer(head.status_code, headers, body.decode())


class WebSocketPipe:
    """A WebSocket on a pipe, framed by wsproto as an independent client."""

    def __init__(self, pipe: Pipe) -> None:
        self.pipe = pipe
        self.client = Connection(ConnectionType.CLIENT)
        self.close_code: int | None = None
        self.pongs: list[bytes] = []
        head, _, rest = pipe.take().partition(b"\r\n\r\n")
        self.status = int(head.split(b" ")[1])
        self.refusal = rest if self.status != 101 else b""
        self._messages: list[str | bytes] = []
        if self.status == 101:
            self._read(rest)

    def send(self, *messages: str | bytes) -> None:
        """Send messages in one chunk; nothing once the server has closed."""
        self._read(self.pipe.take())
        if self.close_code is not None:
            return
        data = b""
        for message in messages:
            if isinstance(message, str):
                data += self.client.send(TextMessage(message))
            else:
                data += self.client.send(BytesMessage(message))
        self.pipe.send(data)

    def ping(self, payload: bytes = b"") -> None:
        """Send a ping frame."""
        self.pipe.send(self.client.send(Ping(payload)))

    def close(self, code: int = 1000) -> None:
        """Send a close frame."""
        self.pipe.send(self.client.send(CloseConnection(code)))

    def take(self) -> list[str | bytes]:
        """The messages that have come since the last time."""
        self._read(self.pipe.take())
        messages, self._messages = self._messages, []
        return messages

    def _read(self, data: bytes) -> None:
        self.client.receive_data(data)
        for event in self.client.events():
            if isinstance(event, TextMessage | BytesMessage):
                assert event.message_finished
                self._messages.append(
                    event.data if isinstance(event, TextMessage) else bytes(event.data)
                )
            elif isinstance(event, CloseConnection):
                self.close_code = int(event.code)
            elif isinstance(event, Pong):
                self.pongs.append(bytes(event.payload))


def request_bytes(
    method: str, *, query: str = "", body: str | bytes = b"", path: str = "", **headers: str
) -> bytes:
    """A request; `path` is that of Socket.IO unless given, headers as keyword arguments."""
    if isinstance(body, str):
        body = body.encode()
    lines = [f"{method} {path or '/socket.io/'}?{query} HTTP/1.1", "Host: server.example"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if body or method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


def websocket_request_bytes(*, query: str = "", path: str = "", **headers: str) -> bytes:
    """A request for a WebSocket."""
    return request_bytes(
        "GET",
        query=query,
        path=path,
        Upgrade="websocket",
        Connection="Upgrade",
        Sec_WebSocket_Key=base64.b64encode(bytes(16)).decode(),
        Sec_WebSocket_Version="13",
        **headers,
    )


def socketio(**options: Any) -> tuple[App, Driver]:
    """A Socket.IO server and its driver; `options` are those of `App`."""
    runtime = LoopFree()
    app = App(runtime, entropy=counting_entropy(), **options)
    return app, Driver(app, runtime)


def engineio(**options: Any) -> tuple[EngineApp, Driver]:
    """An Engine.IO server on `/socket.io/`, unless told otherwise, and its driver."""
    runtime = LoopFree()
    options = {"path": "/socket.io/"} | options
    app = EngineApp(runtime, entropy=counting_entropy(), **options)
    return app, Driver(app, runtime)


def masked_text(text: str) -> bytes:
    """A whole text frame of a client, of less than 126 bytes; its mask is zero."""
    payload = text.encode()
    return bytes((0x81, 0x80 | len(payload), 0, 0, 0, 0)) + payload


def masked_binary(payload: bytes) -> bytes:
    """The same for a binary frame."""
    return bytes((0x82, 0x80 | len(payload), 0, 0, 0, 0)) + payload
