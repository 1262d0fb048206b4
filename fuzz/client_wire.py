"""A client never raises, whatever its server sends, and ends once; then nothing of it is left.

The first byte of the input says how the client is set up; the rest, cut at the separator, goes
to its connections in the order in which they were made.
"""

from __future__ import annotations

from itertools import count

from sansocket.sansio.client_config import EngineClientConfig
from sansocket.sansio.config import Transport
from sansocket.sansio.engineio.client.client import EngineClient
from sansocket.sansio.engineio.client.cookies import CookieJar
from sansocket.sansio.engineio.client.events import client_observers
from sansocket.sansio.engineio.client.states import ClientState
from sansocket.sansio.engineio.client.url import parse_url
from sansocket.sansio.engineio.client.wire import ClientWire
from sansocket.sansio.engineio.encoded import encode_message
from sansocket.sansio.errors import Reason
from sansocket.sansio.timers import Timers

from .frames import SEPARATOR

TRANSPORTS: tuple[tuple[Transport, ...], ...] = (
    ("polling",),
    ("websocket",),
    ("polling", "websocket"),
    ("websocket", "polling"),
)


class Counting:
    """Counts how often it is told of the end."""

    def __init__(self) -> None:
        self.ends = 0

    def opened(self, now: float) -> None:
        """Nothing to do."""

    def message(self, data: str | bytes, now: float) -> None:
        """Nothing comes after the end."""
        assert self.ends == 0

    def pinged(self) -> None:
        """Nothing to do."""

    def closed(self, reason: Reason, error: Exception | None) -> None:
        """Count."""
        self.ends += 1


def one_input(data: bytes) -> None:
    """Let the server send the bytes in one chunk, and one by one."""
    parts = data[1:].split(SEPARATOR)
    receive(data[:1], [[part] for part in parts])
    receive(data[:1], [[part[i : i + 1] for i in range(len(part))] for part in parts])


def receive(setup: bytes, answers: list[list[bytes]]) -> None:
    """A client's whole life: its attempt, what comes, and the time until nothing is due."""
    number = setup[0] if setup else 0
    numbers = count(1)
    timers = Timers(lambda: None)
    wires: list[ClientWire] = []
    receiver = Counting()
    client = EngineClient(
        parse_url("http://server.example"),
        EngineClientConfig(
            transports=TRANSPORTS[number % 4],
            try_all_transports=bool(number & 4),
            per_message_deflate=bool(number & 8),
            max_payload=1000,
        ),
        receiver,
        timers=timers,
        dial=wires.append,
        cookies=CookieJar(),
        entropy=lambda size: next(numbers).to_bytes(size, "big"),
        observers=client_observers(lambda message, error: None),
    )
    client.open(0.0)
    client.send(encode_message(["early"]))
    for at, chunks in enumerate(answers):
        if at == len(wires):
            break
        wire = wires[at]
        wire.connected(0.0)
        for chunk in chunks:
            wire.data_to_send()
            wire.receive_data(chunk, 0.0)
            timers.fire(0.0)
    now = 0.0
    while (deadline := timers.next_deadline()) is not None:
        now = max(now, deadline)
        timers.fire(now)
        assert now < 10_000_000
        if client.state is ClientState.OPENING:
            client.close()
    for wire in wires:
        wire.lost()
    client.abort(Reason.FORCED_CLOSE)
    timers.fire(now)
    assert receiver.ends == 1
    assert len(timers) == 0
