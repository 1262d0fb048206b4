"""One Engine.IO session: it outlives the connections that carry it.

This module does not know HTTP or WebSocket: a session is carried by whatever can
take its packets now.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from ..config import EngineConfig, Transport
from ..errors import Reason, RemoteProtocolError
from ..observable import Observable
from ..observers import Observers
from ..request import Request
from ..timers import Timer, Timers
from ..transitions import next_state
from .encoded import CLOSE, NOOP, Encoded
from .ends import NOBODY, Carrier, Prober, Receiver
from .events import SESSION_EVENTS, tell_all_created, tell_later_flushed
from .heartbeat import Heartbeat
from .packet import Packet, Type, decode_packet
from .peer import Peer as Peer
from .states import OVER, TRANSITIONS, Input, State


class Session(Heartbeat, Observable):
    """One client's session, from its handshake to its one close.

    `outbox` is the backlog: what has been sent and no carrier has pulled yet. Beyond `max_backlog`
    and `max_backlog_messages` the session is closed with "send buffer full" (rule 98). Its
    events are `SESSION_EVENTS`, for plain functions that are called at once.
    """

    __slots__ = (
        "_forget",
        "_upgrade_timer",
        "backlog",
        "carrier",
        "id",
        "observers",
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
        observers: Observers,
        forget: Callable[[Session], None],
        peer: Peer,
        now: float,
    ) -> None:
        # By name: `super` would make connecting 0.3 % dearer (CPython 3.11).
        Heartbeat.__init__(self, config, timers, now)
        self.id: str = session_id
        """The secret by which its client is known (rule 97): for no log and no other client."""
        self.state: State = state
        self.over: bool = False
        """Whether it has ended for the application: what the table makes of its state."""
        self.transport: Transport = "websocket" if state is State.WEBSOCKET else "polling"
        """The transport that carries it now, or carried it last."""
        self.request: Request = request
        """The request of its handshake."""
        self.peer: Peer = peer
        """The other end of the connection that opened it."""
        self.outbox: list[Encoded] = []  # empty 56 bytes; a deque takes 1,300
        self.backlog: int = 0
        """The bytes in the outbox."""
        self.carrier: Carrier | None = None
        self.prober: Prober | None = None
        self.posting: object | None = None
        """The connection whose POST is under way: one at a time (rule 28)."""
        self.receiver: Receiver
        self.observers: Observers = observers
        """Who is told what happens to it: those of the engine, and before them its own."""
        self._forget = forget
        self._upgrade_timer: Timer | None = None

    def step(self, what: Input) -> None:
        """Change the state by the table, the one assignment to it; raises RemoteProtocolError."""
        self.state = next_state(TRANSITIONS, self.state, what, RemoteProtocolError)
        self.over = self.state in OVER

    @property
    def own_observers(self) -> Observers:
        """Those of this session alone; from now on they are told before those of the engine."""
        self.observers = self.observers.below(SESSION_EVENTS)
        return self.observers

    def _registered(self) -> Observers:
        return self.own_observers

    # Packets out

    def send(self, encoded: Encoded) -> None:
        """Queue a message; no effect once it is over. Beyond the bounds it closes instead."""
        if self.over:
            return
        outbox = self.outbox
        outbox.append(encoded)
        self.backlog = backlog = self.backlog + encoded.size
        config = self._config
        if backlog > config.max_backlog or len(outbox) > config.max_backlog_messages:
            self.overflow()
            return
        if self.observers.functions:
            tell_all_created([self], encoded)
            if not self.outbox or self.state is State.CLOSED:
                return
        if self.carrier is not None:
            self.carrier.ready()

    def overflow(self) -> None:
        """More waits than the bounds of the backlog allow: it closes (rule 98)."""
        self.outbox.clear()
        self.backlog = 0
        self.abort(Reason.SEND_BUFFER_FULL, close_code=1008)

    def pull(self, size: float = inf) -> list[Encoded]:
        """Empty the outbox, or take messages off it until they are `size` bytes or more."""
        if self.backlog <= size:
            taken, self.outbox = self.outbox, []
            self.backlog = 0
        else:
            count = 0
            while size > 0:
                size -= self.outbox[count].size
                self.backlog -= self.outbox[count].size
                count += 1
            taken = self.outbox[:count]
            del self.outbox[:count]
        if taken and self.observers.functions:
            # As soon as it is safe to send: the carrier is about to take these.
            tell_later_flushed(self, taken, drained=not self.outbox)
        if self.relieved:
            self.relieve()
        return taken

    @property
    def writable(self) -> bool:
        """Whether what is sent now goes out now: what a volatile emit asks (rule 72)."""
        return self.carrier is not None and not self.outbox

    # Flow control

    @property
    def congested(self) -> bool:
        """Whether its client should not be read from: its handlers or its own reading lag."""
        return self.lagging or (self.backlog >= self._config.pause_backlog and not self._reprieved)

    # Packets in

    def receive(self, data: str | bytes, now: float) -> None:
        """Take one packet in its WebSocket form; otherwise as `receive_packet`."""
        if self.over:
            return
        # A message is by far the commonest packet: told from one character, without
        # a Packet in between. test_session.py holds this equal to the way below.
        if self.observers.functions:
            self.receive_packet(decode_packet(data), now)
        elif data[:1] == "4":
            self.receiver.message(data[1:], now)
        elif isinstance(data, bytes):
            self.receiver.message(data, now)
        else:
            self.receive_packet(decode_packet(data), now)

    def receive_packet(self, packet: Packet, now: float) -> None:
        """Take one packet; ignored once the session is over.

        Raises RemoteProtocolError for one that no client may send, as a PING (rule 21).
        """
        if self.over:
            return
        if self.observers.functions:
            self.observers.tell("packet", self, packet)
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
        """It has probed: free the parked poll (rule 33); twice is a RemoteProtocolError."""
        self.step(Input.PROBE)
        if self.carrier is not None and not self.outbox:
            self.outbox.append(NOOP)
            self.carrier.ready()
        if not self.over:
            self.observers.tell("upgrading", self, "websocket")

    def upgrade(self, carrier: Carrier) -> None:
        """The WebSocket takes over, with all that waits in the outbox (rule 34).

        That of a session which is closing brings this, and closes. Raises
        RemoteProtocolError where it has not probed (security rule T24).
        """
        closing = self.over
        self.step(Input.UPGRADE)
        self.transport = "websocket"
        self.prober = None
        if self._upgrade_timer is not None:
            self._upgrade_timer.cancel()
        poll, self.carrier = self.carrier, carrier
        if poll is not None:
            poll.ready()
        if closing:
            self._finish(1000)
            return
        if self.outbox:
            carrier.ready()
        self.observers.tell("upgrade", self, "websocket")

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

        By polling the close packet is alone in its payload, for the reference's client looks
        at it first. So it waits, up to `linger_timeout`, for the GET after the one that brings
        the rest (rule 31), or for a WebSocket on its way: polling may have stopped (rule 39).
        """
        if self.over:
            return
        parked = self.carrier is not None and not self.outbox
        if parked or self.state is State.WEBSOCKET:
            self.abort(reason)
            return
        self.step(Input.CLOSE)
        self._timer.cancel()
        self._timer = self._timers.after(
            self._config.linger_timeout, lambda _: self.abort(Reason.FORCED_CLOSE)
        )
        self.relieve()
        self._tell_closed(reason)

    def abort(self, reason: Reason, *, farewell: Encoded = CLOSE, close_code: int = 1000) -> None:
        """End it at once, whatever its state; idempotent.

        A parked poll is answered with `farewell`, a WebSocket closes with `close_code`.
        """
        if self.state is State.CLOSED:
            return
        closing = self.over
        polling = self.state is not State.WEBSOCKET
        self.step(Input.END)
        self._dismiss()
        if self.carrier is None:
            self.outbox.clear()
            self.backlog = 0
        elif polling:
            self.outbox.append(farewell)
        self._finish(close_code)
        if not closing:
            self._tell_closed(reason)

    def _finish(self, close_code: int) -> None:
        self._timer.cancel()
        self._forget(self)
        if self.carrier is not None:
            self.carrier.finish(close_code)
        self.relieve()

    def _tell_closed(self, reason: Reason) -> None:
        receiver, self.receiver = self.receiver, NOBODY
        receiver.closed(reason)
        self.observers.tell("close", self, str(reason))
