"""Clients of the core against a server of the core, in one process: no loop, no clock, no port.

`Network` holds the time and the connections. What one side sends reaches the other at once,
or a byte at a time; a test may refuse connections, cut them, or hold bytes back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sansocket.sansio.client_config import EngineClientConfig
from sansocket.sansio.engineio.app import EngineApp
from sansocket.sansio.engineio.client.client import EngineClient
from sansocket.sansio.engineio.client.cookies import CookieJar
from sansocket.sansio.engineio.client.events import client_observers
from sansocket.sansio.engineio.client.url import parse_url
from sansocket.sansio.engineio.client.wire import ClientWire
from sansocket.sansio.engineio.encoded import encode_message
from sansocket.sansio.engineio.peer import Peer
from sansocket.sansio.engineio.wire import ServerWire
from sansocket.sansio.errors import Reason, RemoteProtocolError
from sansocket.sansio.timers import Timers
from support.runtime import counting_entropy
from support.transcript import Driver

WAYS: list[dict[str, Any]] = [
    {"transports": ("polling",)},
    {"transports": ("websocket",)},
    {},
    {"force_base64": True},
    {"transports": ("websocket",), "per_message_deflate": True},
]
ALL_WAYS = pytest.mark.parametrize("options", WAYS, ids=str)
BOTH = pytest.mark.parametrize("options", WAYS[:2], ids=["polling", "websocket"])


class Noted:
    """A receiver that notes what it is told; `error`, if there is one, is raised for messages."""

    def __init__(self) -> None:
        self.opened_at: list[float] = []
        self.messages: list[str | bytes] = []
        self.pings = 0
        self.ends: list[tuple[Reason, Exception | None]] = []
        self.error: RemoteProtocolError | None = None
        self.when_opened: Callable[[], None] = lambda: None

    def opened(self, now: float) -> None:
        """Note it."""
        self.opened_at.append(now)
        self.when_opened()

    def message(self, data: str | bytes, now: float) -> None:
        """Note the message."""
        assert not self.ends, "a message after the end"
        if self.error is not None:
            raise self.error
        self.messages.append(data)

    def pinged(self) -> None:
        """Count it."""
        self.pings += 1

    def closed(self, reason: Reason, error: Exception | None) -> None:
        """Note the end."""
        self.ends.append((reason, error))

    @property
    def reason(self) -> Reason | None:
        """Why it ended, once it has."""
        return self.ends[0][0] if self.ends else None

    @property
    def failure(self) -> Exception:
        """What broke it."""
        error = self.ends[0][1]
        assert error is not None
        return error


class Link:
    """One connection between a client's wire and a server's."""

    def __init__(self, network: Network, wire: ClientWire) -> None:
        self.network = network
        self.client = wire
        self.server: ServerWire | None = None
        self.to_server = bytearray()
        self.to_client = bytearray()
        self.sent = bytearray()
        """All that the client has sent."""
        self.held = False
        """Whether bytes stay where they are."""
        self.over = False
        wire.wake = lambda: None

    def connect(self) -> None:
        """The connection is made."""
        engine = self.network.driver.core.engine
        self.server = engine.open(lambda: None, self.network.now, Peer("192.0.2.1"))
        self.client.connected(self.network.now)

    def carry(self) -> bool:
        """Move what can be moved; whether anything was."""
        if self.over:
            return False
        if self.client.closed:
            self.cut()
            return True
        if self.server is None or self.held:
            return False
        moved = False
        if not self.client.closing or not self.to_server:
            while pieces := self.client.data_to_send():
                self.to_server += b"".join(pieces)
        while pieces := self.server.data_to_send():
            self.to_client += b"".join(pieces)
        if self.to_server:
            data = self.taken(self.to_server)
            self.sent += data
            self.server.receive_data(data, self.network.now)
            moved = True
        if self.to_client and not self.client.paused:
            self.client.receive_data(self.taken(self.to_client), self.network.now)
            moved = True
        if not moved and not self.to_client and self.ended:
            self.cut()
            moved = True
        return moved

    @property
    def ended(self) -> bool:
        """Whether a side has said that nothing more comes from it; then the other closes too."""
        assert self.server is not None
        return self.client.closing or self.server.closing or self.server.closed

    def taken(self, buffer: bytearray) -> bytes:
        """The bytes that travel next."""
        data = bytes(buffer[:1] if self.network.bytewise else buffer)
        del buffer[: len(data)]
        return data

    def cut(self) -> None:
        """The connection breaks, for both."""
        if not self.over:
            self.over = True
            self.client.lost()
            if self.server is not None:
                self.server.lost()


class Network:
    """A server, its clients, and what is between them; `driver` is that of the server."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.timers = Timers(lambda: None)
        self.cookies = CookieJar()
        self.entropy = counting_entropy()
        self.complaints: list[tuple[str, Exception | None]] = []
        self.observers = client_observers(
            lambda message, error: self.complaints.append((message, error))
        )
        self.links: list[Link] = []
        self.bytewise = False
        self.refuse: Exception | None = None
        """What every further connection fails with."""
        self.unreachable = False
        """Whether further connections neither come about nor fail."""

    @property
    def now(self) -> float:
        """The time, for all."""
        return self.driver.now

    def client(
        self, url: str = "http://server.example", **options: Any
    ) -> tuple[EngineClient, Noted]:
        """A client that has not begun yet; `options` are those of `EngineClientConfig`."""
        receiver = Noted()
        first: bool = options.pop("websocket_first", False)
        client = EngineClient(
            parse_url(url),
            EngineClientConfig(**options),
            receiver,
            timers=self.timers,
            dial=self.dial,
            cookies=self.cookies,
            entropy=self.entropy,
            observers=self.observers,
            websocket_first=first,
        )
        return client, receiver

    def dial(self, wire: ClientWire) -> None:
        """A client wants a connection."""
        self.links.append(Link(self, wire))

    def open(self, **options: Any) -> tuple[EngineClient, Noted]:
        """A client whose attempt has come to its end, and its upgrade too if it has one."""
        client, receiver = self.client(**options)
        client.open(self.now)
        self.settle()
        return client, receiver

    def settle(self) -> None:
        """Let everything happen that can happen now."""
        for _ in range(100_000):
            if not self.step():
                return
        raise AssertionError("the network never comes to rest")

    def step(self) -> bool:
        """One round; whether anything happened."""
        moved = False
        for link in list(self.links):
            if link.over:
                self.links.remove(link)
            elif link.server is None and not link.client.closed:
                if self.refuse is not None:
                    link.over = moved = True
                    link.client.failed(self.refuse, self.now)
                elif not self.unreachable:
                    moved = True
                    link.connect()
            moved = link.carry() or moved
        self.driver.settle()
        deadline = self.timers.next_deadline()
        if deadline is not None and deadline <= self.now:
            self.timers.fire(self.now)
            moved = True
        return moved

    def advance(self, seconds: float) -> None:
        """Let time pass, stopping at every deadline on the way."""
        end = self.now + seconds
        while True:
            self.settle()
            engine = self.driver.core.engine
            deadlines = [self.timers.next_deadline(), engine.next_deadline()]
            deadline = min((at for at in deadlines if at is not None), default=end)
            if deadline >= end:
                break
            self.driver.now = max(self.now, deadline)
            engine.handle_timeout(self.now)
            self.timers.fire(self.now)
        self.driver.now = end
        engine.handle_timeout(end)
        self.timers.fire(end)
        self.settle()


Join = Callable[..., tuple[Network, EngineApp]]
"""Makes a server, with the options of `EngineApp`, and its network."""


def send(client: EngineClient, *frames: str | bytes) -> None:
    """Send one message, with its attachments."""
    client.send(encode_message(frames))
