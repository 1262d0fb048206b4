"""One wire of a client without its session: a driver, and a user that notes what it is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wsproto.utilities import generate_accept_token

from sansocket.sansio.client_config import EngineClientConfig
from sansocket.sansio.engineio.client.http import Answer, HttpRequest
from sansocket.sansio.engineio.client.url import Target
from sansocket.sansio.engineio.client.websocket import Agreed
from sansocket.sansio.engineio.client.wire import ClientWire
from sansocket.sansio.engineio.encoded import Encoded
from sansocket.sansio.timers import Timers
from support.runtime import counting_entropy

GET = HttpRequest("GET", "/", (("Host", "h"),))
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
UPGRADE = HttpRequest(
    "GET", "/", (("Host", "h"), ("Upgrade", "websocket"), ("Connection", "Upgrade"))
)
SWITCH = (
    b"HTTP/1.1 101 Go\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
    + generate_accept_token(KEY.encode())
    + b"\r\n\r\n"
)


class User:
    """Notes what it is told; as the user of a WebSocket it sends what is in `out`."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.out: list[Encoded] = []
        self.close_code: int | None = None
        self.congested = False
        self.callbacks: list[Callable[[], None]] = []

    def answered(self, answer: Answer, now: float) -> None:
        self.told.append((answer.status, answer.body))

    def broken(self, error: Exception) -> None:
        self.told.append(error)

    def switched(self, agreed: Agreed, now: float) -> None:
        self.told.append("switched")

    def receive(self, data: str | bytes, now: float) -> None:
        self.told.append(data)

    def outgoing(self) -> list[Encoded]:
        out, self.out = self.out, []
        return out

    @property
    def drained(self) -> bool:
        return not self.out

    def when_relieved(self, callback: Callable[[], None]) -> None:
        self.callbacks.append(callback)

    def disconnected(self) -> None:
        self.told.append("disconnected")
        self.close_code = self.close_code or 1000


class WireBench:
    """A wire, its time, and how often its driver was woken."""

    def __init__(self, **options: Any) -> None:
        self.now = 0.0
        self.timers = Timers(lambda: None)
        config = EngineClientConfig(**options)
        self.wire = ClientWire(Target("h", 80, False), config, self.timers, counting_entropy())
        self.woken = 0
        self.wire.wake = self.wake
        self.user = User()

    def wake(self) -> None:
        self.woken += 1

    def advance(self, seconds: float) -> None:
        end = self.now + seconds
        while (deadline := self.timers.next_deadline()) is not None and deadline <= end:
            self.now = max(self.now, deadline)
            self.timers.fire(self.now)
        self.now = end

    def request(self) -> bytes:
        self.wire.request(GET, self.user)
        return self.pull()

    def pull(self) -> bytes:
        data = b""
        while pieces := self.wire.data_to_send():
            data += b"".join(pieces)
        return data

    def give(self, data: bytes) -> None:
        self.wire.receive_data(data, self.now)

    def switch(self) -> User:
        """Become a WebSocket."""
        self.wire.upgrade(UPGRADE, KEY, self.user)
        self.wire.connected(self.now)
        self.pull()
        self.give(SWITCH)
        assert self.user.told == ["switched"]
        self.user.told.clear()
        return self.user
