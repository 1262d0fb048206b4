"""A client's session as far as packets go: its states, its heartbeat, what it holds.

This module does not know transports; `client.py` adds them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from math import inf
from typing import Final

from ...client_config import EngineClientConfig
from ...errors import Reason, RemoteProtocolError
from ...observers import Observers
from ...timers import Timer, Timers
from ...transitions import next_state
from ..encoded import Encoded, encode_control
from ..events import tell_created, tell_flushed
from ..packet import Packet, Type, decode_packet
from .ends import EngineReceiver
from .handshake import ServerHandshake
from .outbox import ClientOutbox
from .states import TRANSITIONS, ClientInput, ClientState

PONG: Final = encode_control(Packet(Type.PONG))
POLLED: Final = (ClientState.POLLING, ClientState.PROBING)
OPEN: Final = (*POLLED, ClientState.PAUSING, ClientState.WEBSOCKET, ClientState.CLOSING)


class ClientSession(ABC):
    """What a session is whatever carries it."""

    def __init__(
        self,
        config: EngineClientConfig,
        receiver: EngineReceiver,
        timers: Timers,
        observers: Observers,
    ) -> None:
        self.config = config
        self.timers = timers
        self.id: str = ""
        """The session's secret id; empty before it is open (rule 97)."""
        self.state: ClientState = ClientState.IDLE
        self.upgrades: tuple[str, ...] = ()
        """The transports to which the server would let the session go."""
        self.ping_interval: float = 0.0
        self.ping_timeout: float = 0.0
        self.max_payload: float = inf
        """The largest POST that the server takes, in bytes."""
        self.observers: Observers = observers
        """Who is told what happens to it."""
        self._receiver = receiver
        self._taken: list[Encoded] = []
        self._outbox = ClientOutbox(config)
        self._heartbeat: Timer | None = None
        self._search: Timer | None = None
        """While handlers lag: when the next ping is due, and is looked for behind what waits."""
        self._searching = False

    def adopt(self, handshake: ServerHandshake) -> None:
        """Be the session that the server has opened, on its terms."""
        self.id = handshake.id
        self.upgrades = handshake.upgrades
        self.ping_interval, self.ping_timeout = handshake.ping_interval, handshake.ping_timeout
        if handshake.max_payload is not None:
            self.max_payload = handshake.max_payload

    def step(self, what: ClientInput) -> None:
        """Change the state by the table, the one assignment to it; raises RemoteProtocolError."""
        self.state = next_state(TRANSITIONS, self.state, what, RemoteProtocolError)

    @property
    def is_open(self) -> bool:
        """Whether the server has shaken hands, and the session is not over."""
        return self.state in OPEN

    # What it holds

    @property
    def backlog(self) -> int:
        """The bytes that wait to be sent."""
        return self._outbox.size

    @property
    def congested(self) -> bool:
        """Whether `pause_backlog` bytes or more wait to be sent."""
        return self._outbox.congested

    def when_relieved(self, callback: Callable[[], None]) -> None:
        """Call back once, when some of the backlog has gone, a message is handled, or all is over.

        The caller looks for itself whether that was what it waited for. One callback waits
        once, however often it is given, and until `revoke`.
        """
        self._outbox.when_relieved(callback)

    def revoke(self, callback: Callable[[], None]) -> None:
        """Call back no more; no effect on one that does not wait."""
        self._outbox.revoke(callback)

    def hold(self, count: int = 1, size: int = 0) -> None:
        """So many messages, of so many bytes, wait for their handlers.

        At `max_inbound` or `max_inbound_bytes` nothing more is read, but for a ping that is
        due: a server that gets no answer to one would take us for dead.
        """
        self._outbox.hold(count, size)
        if self._search is None and self._outbox.lagging:
            self._await_ping()

    def release(self, count: int = 1, size: int = 0) -> None:
        """So many that were held have been handled, or are to be held no longer."""
        was_overrun = self.overrun
        self._outbox.release(count, size)
        if self._search is not None and not self._outbox.lagging:
            self._search.cancel()
            self._search = None
            self._searching = False
        if was_overrun and not self.overrun:
            self.timers.after(0.0, self.progress)

    @property
    def overrun(self) -> bool:
        """Whether the handlers lag so far behind that nothing more is read."""
        return self._outbox.lagging and (not self._searching or self._outbox.full)

    def _await_ping(self) -> None:
        """Look for the next ping, when it is due, behind all that waits."""
        self._searching = False
        if self._heartbeat is not None and self.is_open:
            due = self._heartbeat.deadline - self.ping_timeout
            self._search = self.timers.at(due, self._read_on)

    def _read_on(self, now: float) -> None:
        self._searching = True
        self._outbox.relieve()
        self.progress(now)

    @abstractmethod
    def progress(self, now: float) -> None:
        """Polling can go on: a request has its answer, or the handlers have caught up."""

    # Packets out

    @abstractmethod
    def _flush(self) -> None:
        """Let the transport take what waits."""

    @abstractmethod
    def abort(self, reason: Reason, error: Exception | None = None) -> None:
        """End it at once, whatever its state; idempotent."""

    def _queue(self, encoded: Encoded) -> None:
        if self.observers.functions:
            tell_created(self.observers, self, encoded)
            if self.state is ClientState.CLOSED:
                return
        if self._outbox.append(encoded):
            self._flush()
        else:
            self.abort(Reason.SEND_BUFFER_FULL)

    def take(self) -> Encoded | None:
        """Take one message off the outbox."""
        taken = self._outbox.take()
        if taken is not None and self.observers.functions:
            self._flushed([taken])
        return taken

    def _flushed(self, taken: list[Encoded]) -> None:
        """These go to the connection: it is told when all that goes now has gone."""
        if not self._taken:
            self.timers.after(0.0, self._tell_flushed)
        self._taken += taken

    def _tell_flushed(self, now: float) -> None:
        taken, self._taken = self._taken, []
        tell_flushed(self.observers, self, taken, drained=not self._outbox)

    @abstractmethod
    def pull(self, size: float) -> list[Encoded]:
        """Take messages off the outbox until they are `size` bytes or more, or none is left."""

    # Packets in

    @abstractmethod
    def _opened(self, data: str | bytes, now: float) -> None:
        """The server has shaken hands with this; raises RemoteProtocolError."""

    def receive(self, data: str | bytes, now: float) -> None:
        """Take one packet in its WebSocket form; ignored once the session is over.

        Raises RemoteProtocolError for a packet that no server may send.
        """
        # A message is by far the commonest packet: told from one character.
        if self.state not in OPEN or self.observers.functions:
            self.receive_packet(decode_packet(data), now)
        elif isinstance(data, bytes):
            self._receiver.message(data, now)
        elif data[:1] == "4":
            self._receiver.message(data[1:], now)
        else:
            self.receive_packet(decode_packet(data), now)

    def receive_packet(self, packet: Packet, now: float) -> None:
        """Take one packet; ignored once the session is over.

        Raises RemoteProtocolError for a packet that no server may send.
        """
        if self.observers.functions and self.state is not ClientState.CLOSED:
            self.observers.tell("packet", self, packet)
        if self.state is ClientState.CLOSED:
            return
        if self.state is ClientState.OPENING:
            if packet.type is not Type.OPEN:
                raise RemoteProtocolError(f"expected a handshake, got {packet.type.name}")
            self._opened(packet.data, now)
        elif packet.type is Type.MESSAGE:
            self._receiver.message(packet.data, now)
        elif packet.type is Type.PING:
            if self._heartbeat is not None:
                self._heartbeat.move(now + self._patience)
            if self._search is not None:
                self._search.cancel()
                self._await_ping()
            self._receiver.pinged()
            self._queue(PONG)
            self.observers.tell("heartbeat", self)
        elif packet.type is Type.CLOSE:
            self.abort(Reason.TRANSPORT_CLOSE)
        elif packet.type is not Type.NOOP:
            raise RemoteProtocolError(f"a server may not send {packet.type.name}")

    # Heartbeat

    @property
    def _patience(self) -> float:
        return self.ping_interval + self.ping_timeout

    def _beat(self, now: float) -> None:
        if self.overrun:
            # The ping may be waiting unread, because we do not read: not the server's fault.
            self._heartbeat = self.timers.at(now + self.ping_timeout, self._beat)
        else:
            self.abort(Reason.PING_TIMEOUT)
