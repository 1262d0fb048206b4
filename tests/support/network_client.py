"""Clients of a server on a network, whichever loop carries their bytes: HTTP by h11.

This module does not know trio, asyncio or sockets: a stream sends and receives.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Final, Protocol

import h11

HOST: Final = "127.0.0.1"


class ByteStream(Protocol):
    """A connection to the server."""

    async def send_all(self, data: bytes) -> None:
        """Send all of it."""

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """What has come, or wait for it; empty at the end."""
        ...


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    body: str


class HttpClient:
    """Requests on one connection; h11 judges what the server answers."""

    def __init__(self, stream: ByteStream) -> None:
        self.stream = stream
        self._http = h11.Connection(h11.CLIENT)

    async def request(
        self, method: str, query: str = "", body: str | bytes = b"", path: str = "/socket.io/"
    ) -> Answer:
        """Send a request and read its answer."""
        await self.send(method, query, body, path)
        return await self.answer()

    async def send(
        self, method: str, query: str = "", body: str | bytes = b"", path: str = "/socket.io/"
    ) -> None:
        """Send a request."""
        data = body.encode() if isinstance(body, str) else body
        if self._http.our_state is h11.DONE:
            self._http.start_next_cycle()
        headers = [("Host", HOST), ("Content-Length", str(len(data)))]
        request = h11.Request(method=method, target=f"{path}?{query}", headers=headers)
        pieces = [self._http.send(request)]
        pieces += [self._http.send(event) for event in (h11.Data(data=data), h11.EndOfMessage())]
        await self.stream.send_all(b"".join(piece or b"" for piece in pieces))

    async def answer(self) -> Answer:
        """Read the answer to the request that was sent."""
        head = await self._event()
        assert isinstance(head, h11.Response)
        body = b""
        while isinstance(event := await self._event(), h11.Data):
            body += event.data
        assert isinstance(event, h11.EndOfMessage)
        headers = {name.decode(): value.decode() for name, value in head.headers}
        return Answer(head.status_code, headers, body.decode())

    async def _event(self) -> object:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            self._http.receive_data(bytes(await self.stream.receive_some(65_536)))
        return event


class Poller:
    """An Engine.IO session by polling: one connection for its GETs, another for its POSTs."""

    def __init__(self, gets: HttpClient, posts: HttpClient, path: str) -> None:
        self.gets = gets
        self.posts = posts
        self.sid = ""
        self._path = path

    @property
    def query(self) -> str:
        """The query of its requests."""
        return "EIO=4&transport=polling" + (f"&sid={self.sid}" if self.sid else "")

    async def open(self) -> None:
        """Shake hands."""
        self.sid = json.loads((await self.get())[1:])["sid"]

    async def park(self) -> None:
        """Send a GET without waiting for its answer."""
        await self.gets.send("GET", self.query, path=self._path)

    async def get(self) -> str:
        """The payload that the next GET brings."""
        answer = await self.gets.request("GET", self.query, path=self._path)
        assert answer.status == 200, answer
        return answer.body

    async def post(self, payload: str) -> Answer:
        """Send packets."""
        return await self.posts.request("POST", self.query, payload, path=self._path)

    async def join(self) -> str:
        """Connect to the main namespace; the socket's id."""
        await self.post("40")
        sid: str = json.loads((await self.get())[2:])["sid"]
        return sid


class MessageClient(ABC):
    """A Socket.IO client on messages that come whole, as a WebSocket brings them."""

    @abstractmethod
    async def send(self, *messages: str | bytes) -> None:
        """Send messages as they are."""

    @abstractmethod
    async def receive(self) -> str | bytes:
        """The next message; a ping is answered on the way."""

    async def emit(self, event: str, *args: Any, ack: int | str = "") -> None:
        """Send an event of the main namespace, without attachments."""
        await self.send(f"42{ack}{json.dumps([event, *args])}")

    async def event(self) -> list[Any]:
        """The next event of the main namespace: its name and its arguments."""
        message = await self.receive()
        assert isinstance(message, str)
        assert message.startswith("42["), message
        event: list[Any] = json.loads(message[2:])
        return event

    async def join(self, namespace: str = "/", auth: object = None) -> str:
        """Connect to a namespace; the socket's id."""
        name = "" if namespace == "/" else f"{namespace},"
        await self.send(f"40{name}" + ("" if auth is None else json.dumps(auth)))
        answer = await self.receive()
        assert isinstance(answer, str)
        assert answer.startswith(f"40{name}{{"), answer
        sid: str = json.loads(answer.removeprefix(f"40{name}"))["sid"]
        return sid
