"""One Engine.IO session: it outlives the connections that carry it.

This module does not know HTTP or WebSocket: a session is carried by whatever can
take its packets now.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import msgspec

from ..config import EngineConfig, Transport
from ..errors import Reason, RemoteProtocolError
from ..timers import Timer, Timers
from .encoded import CLOSE, NOOP, PING, Encoded
from .packet import Packet, Type, decode_packet
from .states import OVER, TRANSITIONS, Input, State

if TYPE_CHECKING:
    from .http import Request


class Peer(msgspec.Struct, frozen=True):
    """What the driver knows of the other end of a connection."""

    address: str = ""
    """The address that the connection came from; no header has a say in it."""
    secure: bool = False
    """Whether the connection is encrypted."""
    since: float = 0.0
    """When the connection was made, in seconds since 1970."""
    home: object = None
    """Whatever the driver wants to find again with the session."""


class Carrier(Protocol):
    """A connection that can take a session's packets: a parked poll, or the WebSocket."""

    def ready(self) -> None:
        """The outbox has something; it will be pulled when the connection can take it."""

    def finish(self, close_code: int) -> None:
        """The session is over; what the outbox holds is the last."""


class Prober(Protocol):
    """The WebSocket that may take a session over."""

    def withdraw(self) -> None:
        """It may not any more, and closes."""


class Receiver(Protocol):
    """What stands on a session: a Socket.IO client, or an application's Engine.IO socket."""

    def message(self, data: str | bytes, now: float) -> None:
        """A message has come; raises RemoteProtocolError for one that breaks the protocol."""

    def closed(self, reason: Reason) -> None:
        """The session is over; called once, and nothing comes after it."""


class Session:
    """One client's session, from its handshake to its one close.

    `outbox` is the backlog: what has been sent and no carrier has pulled yet. It
    is bounded by `EngineConfig.max_backlog` and `max_backlog_messages`; at the
    bound the session is closed with "send buffer full" (rule 98).
    """

    __slots__ = (
        "_awaiting_pong",
        "_config",
        "_forget",
        "_inbound",
        "_relieved",
        "_timer",
        "_timers",
        "_upgrade_timer",
        "backlog",
        "carrier",
        "id",
        "outbox",
        "over",
        "peer",
        "posting",
        "prober",
        "receiver",
        "request",
        "state",
        "transport",
    )

    def __init__(
        self,
        session_id: str,
        state: State,
        request: Request,
        *,
        config: EngineConfig,
        timers: Timers,
        forget: Callable[[Session], None],
        peer: Peer,
        now: float,
    ) -> None:
        self.id = session_id
        """The secret by which its client is known (rule 97): for no log and no other client."""
        self.state = state
        self.over = False
        """Whether it has ended for the application: what the table makes of its state."""
        self.transport: Transport = "websocket" if state is State.WEBSOCKET else "polling"
        """The transport that carries it now, or carried it last."""
        self.request = request
        """The request of its handshake."""
        self.peer = peer
        """The other end of the connection that opened it."""
        self.outbox: deque[Encoded] = deque()
        self.backlog = 0
        """The bytes in the outbox."""
        self.carrier: Carrier | None = None
        self.prober: Prober | None = None
        self.posting: object | None = None
        """The connection whose POST is under way: one at a time (rule 28)."""
        self.receiver: Receiver
        self._config = config
        self._timers = timers
        self._forget = forget
        self._inbound = 0
        self._relieved: list[Callable[[], None]] = []
        self._awaiting_pong = False
        self._timer = timers.at(now + config.ping_interval, self._beat)
        self._upgrade_timer: Timer | None = None

    def step(self, what: Input) -> None:
        """Change the state by the table: the one assignment to it.

        Raises RemoteProtocolError for an input that the state does not have.
        """
        try:
            self.state = TRANSITIONS[self.state][what]
        except KeyError:
            raise RemoteProtocolError(f"{what.name} in state {self.state.name}") from None
        self.over = self.state in OVER

    # Packets out

    def send(self, encoded: Encoded) -> None:
        """Queue a message; no effect on a session that is over.

        At the bound of the backlog the session is closed instead.
        """
        if self.over:
            return
        outbox = self.outbox
        outbox.append(encoded)
        self.backlog += encoded.size
        if (
            self.backlog > self._config.max_backlog
            or len(outbox) > self._config.max_backlog_messages
        ):
            outbox.clear()
            self.backlog = 0
            self.abort(Reason.SEND_BUFFER_FULL, close_code=1008)
        elif self.carrier is not None:
            self.carrier.ready()

    def pull(self) -> list[Encoded]:
        """Empty the outbox: the carrier's connection can take all of it now."""
        taken = list(self.outbox)
        self.outbox.clear()
        self.backlog = 0
        if self._relieved:
            self._relieve()
        return taken

    @property
    def writable(self) -> bool:
        """Whether what is sent now goes out now: what a volatile emit asks (rule 72)."""
        return self.carrier is not None and not self.outbox

    # Flow control

    @property
    def congested(self) -> bool:
        """Whether its client should not be read from: its handlers or its own reading lag."""
        return (
            self._inbound >= self._config.max_inbound or self.backlog >= self._config.pause_backlog
        )

    def hold(self) -> None:
        """A message of this client waits for its handler."""
        self._inbound += 1

    def release(self) -> None:
        """A message that was held has been handled."""
        self._inbound -= 1
        if self._relieved:
            self._relieve()

    def when_relieved(self, callback: Callable[[], None]) -> None:
        """Call back once, when the outbox is pulled, a message is handled, or all is over.

        The caller looks for itself whether that was what it waited for.
        """
        self._relieved.append(callback)

    def _relieve(self) -> None:
        callbacks, self._relieved = self._relieved, []
        for callback in callbacks:
            callback()

    # Packets in

    def receive(self, data: str | bytes, now: float) -> None:
        """Take one packet in its WebSocket form; ignored once the session is over.

        Raises RemoteProtocolError for a packet that no client may send.
        """
        if self.over:
            return
        # A message is by far the commonest packet: told from one character, without
        # a Packet in between. test_session.py holds this equal to the way below.
        if isinstance(data, bytes):
            self.receiver.message(data, now)
        elif data[:1] == "4":
            self.receiver.message(data[1:], now)
        else:
            self.receive_packet(decode_packet(data), now)

    def receive_packet(self, packet: Packet, now: float) -> None:
        """Take one packet; ignored once the session is over.

        Raises RemoteProtocolError for a packet that no client may send: the server
        pings, so a PING is the wrong way round (rule 21).
        """
        if self.over:
            return
        if packet.type is Type.MESSAGE:
            self.receiver.message(packet.data, now)
        elif packet.type is Type.PONG:
            self._pong(now)
        elif packet.type is Type.CLOSE:
            self.abort(Reason.TRANSPORT_CLOSE, farewell=NOOP)
        elif packet.type is Type.PING:
            raise RemoteProtocolError("invalid heartbeat direction", reason=Reason.TRANSPORT_ERROR)
        else:
            raise RemoteProtocolError(f"a client may not send {packet.type.name}")

    # Heartbeat

    def _beat(self, now: float) -> None:
        if not self._awaiting_pong:
            self._awaiting_pong = True
            self._timer = self._timers.at(now + self._config.ping_timeout, self._beat)
            self.send(PING)
        elif self._inbound >= self._config.max_inbound:
            # The pong may be waiting unread, because we do not read: not the peer's fault.
            self._timer = self._timers.at(now + self._config.ping_timeout, self._beat)
        else:
            self.abort(Reason.PING_TIMEOUT)

    def _pong(self, now: float) -> None:
        """Only the answer to a ping counts; others are dropped (security rule 11)."""
        if self._awaiting_pong:
            self._awaiting_pong = False
            self._timer.move(now + self._config.ping_interval)

    # Upgrade

    def offer(self, prober: Prober, now: float) -> None:
        """A WebSocket has come for this session; it has `upgrade_timeout` to take over.

        Raises RemoteProtocolError where there is one already (rule 35, security rule T24).
        """
        self.step(Input.OFFER)
        self.prober = prober
        self._upgrade_timer = self._timers.at(
            now + self._config.upgrade_timeout, lambda _: self.withdraw()
        )

    def probe(self) -> None:
        """The WebSocket has probed: free the parked poll, or the client waits for it (rule 33).

        Raises RemoteProtocolError for a second probe.
        """
        self.step(Input.PROBE)
        if self.carrier is not None and not self.outbox:
            self.outbox.append(NOOP)
            self.carrier.ready()

    def upgrade(self, carrier: Carrier) -> None:
        """The WebSocket takes over, with all that waits in the outbox (rule 34).

        Raises RemoteProtocolError where it has not probed (security rule T24).
        """
        self.step(Input.UPGRADE)
        self.transport = "websocket"
        self.prober = None
        if self._upgrade_timer is not None:
            self._upgrade_timer.cancel()
        poll, self.carrier = self.carrier, carrier
        if poll is not None:
            poll.ready()
        if self.outbox:
            carrier.ready()

    def withdraw(self) -> None:
        """The WebSocket will not take over; polling goes on as before (rule 37)."""
        self.step(Input.WITHDRAW)
        self._dismiss()

    def _dismiss(self) -> None:
        if self._upgrade_timer is not None:
            self._upgrade_timer.cancel()
        prober, self.prober = self.prober, None
        if prober is not None:
            prober.withdraw()

    # The end

    def close(self, reason: Reason) -> None:
        """End it in good order: what was sent is delivered before; idempotent.

        By polling with no GET parked, the next one within `linger_timeout` brings
        the rest and the close packet (rule 31).
        """
        if self.over:
            return
        if self.carrier is not None:
            self.abort(reason)
            return
        self.step(Input.CLOSE)
        self._dismiss()
        self._timer.cancel()
        self._timer = self._timers.after(self._config.linger_timeout, self._linger_over)
        self.outbox.append(CLOSE)
        self._relieve()
        self.receiver.closed(reason)

    def _linger_over(self, now: float) -> None:
        self.abort(Reason.FORCED_CLOSE)

    def abort(self, reason: Reason, *, farewell: Encoded = CLOSE, close_code: int = 1000) -> None:
        """End it at once, whatever its state; idempotent.

        A parked poll is answered with `farewell`, a WebSocket closes with `close_code`.
        """
        if self.state is State.CLOSED:
            return
        lingering = self.state is State.CLOSING
        polling = self.state is not State.WEBSOCKET
        self.step(Input.END)
        self._timer.cancel()
        self._dismiss()
        self._forget(self)
        if self.carrier is None:
            self.outbox.clear()
            self.backlog = 0
        else:
            if polling and not lingering:
                self.outbox.append(farewell)
            self.carrier.finish(close_code)
        self._relieve()
        if not lingering:
            self.receiver.closed(reason)
