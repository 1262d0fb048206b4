"""One session without its server: a carrier, a prober and a receiver that note what they get."""

from __future__ import annotations

from typing import Any

from sansocket.sansio.config import EngineConfig
from sansocket.sansio.engineio.encoded import Encoded, encode_message
from sansocket.sansio.engineio.events import ENGINE_EVENTS
from sansocket.sansio.engineio.http import Request
from sansocket.sansio.engineio.session import Peer, Session
from sansocket.sansio.engineio.states import State
from sansocket.sansio.errors import Reason, RemoteProtocolError
from sansocket.sansio.observers import Observers
from sansocket.sansio.portions import Portions
from sansocket.sansio.timers import Timers

POLLED = [State.POLLING, State.OFFERED, State.PROBING]
OPEN = [*POLLED, State.WEBSOCKET]
CLOSING = {
    State.POLLING: State.CLOSING,
    State.OFFERED: State.CLOSING_OFFERED,
    State.PROBING: State.CLOSING_PROBING,
}
"""What becomes of a session that closes while no poll waits that could say so."""


class FakeCarrier:
    """A connection that takes nothing until it is asked to."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.calls = 0
        self.close_codes: list[int] = []

    def ready(self) -> None:
        """Count the calls."""
        self.calls += 1

    def finish(self, close_code: int) -> None:
        """Note how it ends."""
        self.close_codes.append(close_code)

    def take(self) -> list[str | bytes]:
        """What the session has for its peer."""
        return messages(self.session)


class FakeProber:
    """A WebSocket that would like to take over."""

    def __init__(self) -> None:
        self.withdrawn = 0

    def withdraw(self) -> None:
        """Count the calls."""
        self.withdrawn += 1


class FakeReceiver:
    """What stands on the session; raises `error`, if there is one, for every message."""

    def __init__(self) -> None:
        self.messages: list[str | bytes] = []
        self.reasons: list[Reason] = []
        self.error: RemoteProtocolError | None = None

    def short_message(self, text: bytes) -> bool:
        """Have no shorter way than `message`."""
        return False

    def message(self, data: str | bytes, now: float) -> None:
        """Note the message."""
        if self.error is not None:
            raise self.error
        self.messages.append(data)

    def closed(self, reason: Reason) -> None:
        """Note the end."""
        self.reasons.append(reason)


class Bench:
    """A session in any state, with its own timers; `options` are those of `EngineConfig`."""

    def __init__(self, state: State = State.POLLING, **options: Any) -> None:
        self.now = 0.0
        self.config = EngineConfig(**options)
        self.timers = Timers(rearm=lambda: None)
        self.forgotten: list[Session] = []
        self.receiver = FakeReceiver()
        self.session = Session(
            "secret",
            state,
            Request("GET", self.config.path, {}, ()),
            config=self.config,
            timers=self.timers,
            observers=Observers(ENGINE_EVENTS, lambda message, error: None, Portions(self.timers)),
            forget=self.forgotten.append,
            peer=Peer(),
            now=self.now,
        )
        self.session.receiver = self.receiver

    def carrier(self) -> FakeCarrier:
        """Let a new carrier carry it: a parked poll, or in its state the WebSocket."""
        carrier = FakeCarrier(self.session)
        self.session.carrier = carrier
        return carrier

    def offer(self) -> FakeProber:
        """Let a WebSocket come for it."""
        prober = FakeProber()
        self.session.offer(prober, self.now)
        return prober

    def receive(self, data: str | bytes) -> None:
        """Let its client send one packet."""
        self.session.receive(data, self.now)

    def advance(self, seconds: float) -> None:
        """Let time pass, stopping at every deadline on the way."""
        end = self.now + seconds
        while (deadline := self.timers.next_deadline()) is not None and deadline <= end:
            self.now = max(self.now, deadline)
            self.timers.fire(self.now)
        self.now = end


def messages(session: Session) -> list[str | bytes]:
    """Pull all that waits in a session, as WebSocket messages."""
    return [message for encoded in session.pull() for message in encoded.messages]


def text(data: str) -> Encoded:
    """A message of text, ready to be sent."""
    return encode_message([data])
