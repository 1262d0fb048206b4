"""One Engine.IO session of a client, from its attempt to its one end.

The mirror image of `session.py`: it opens connections through its driver, and outlives them.
This module knows neither HTTP nor WebSocket.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ...client_config import EngineClientConfig
from ...config import Transport
from ...errors import LocalProtocolError, Reason, RemoteProtocolError, TransportError
from ...observers import Observers
from ...timers import Timer, Timers
from ..encoded import CLOSE, Encoded
from .cookies import CookieJar
from .ends import EngineReceiver
from .handshake import read_handshake
from .polling_transport import ClientPollingTransport
from .requests import Requests
from .session import OPEN, POLLED, ClientSession
from .states import ClientInput, ClientState
from .url import ServerAddress
from .websocket_transport import NORMAL_CLOSURE, ClientWebSocketTransport
from .wire import ClientWire

FAREWELL: Final = (
    *(Reason.PARSE_ERROR, Reason.SEND_BUFFER_FULL, Reason.RECEIVE_BUFFER_FULL),
    Reason.FORCED_CLOSE,
)
"""Ends that the server would not know of by itself."""


class EngineClient(ClientSession):
    """One attempt to open a session, and that session.

    `dial` is given every connection that is to be made; it may not call back into the core
    before it returns. `entropy` makes masks, keys and timestamps. Where `remember_upgrade`
    is asked for, `websocket_first` is `websocket_worked` of the session before. `observers` are
    told of `CLIENT_EVENTS`.
    """

    def __init__(
        self,
        address: ServerAddress,
        config: EngineClientConfig,
        receiver: EngineReceiver,
        *,
        timers: Timers,
        dial: Callable[[ClientWire], None],
        cookies: CookieJar,
        entropy: Callable[[int], bytes],
        observers: Observers,
        websocket_first: bool = False,
    ) -> None:
        super().__init__(config, receiver, timers, observers)
        self.address = address
        self.entropy = entropy
        self._cookies = cookies
        self.websocket_worked = False
        """Whether a WebSocket reached the server: `websocket_first` of the next session."""
        self._dial = dial
        self._transports: list[Transport] = list(config.transports)
        if config.remember_upgrade and websocket_first and "websocket" in self._transports:
            self._transports.remove("websocket")
            self._transports.insert(0, "websocket")
        self.transport: Transport = self._transports[0]
        """What carries it now, or is tried now."""
        self._polling: ClientPollingTransport | None = None
        self._websocket: ClientWebSocketTransport | None = None
        self._flushing = False
        self._leaving = False
        self._upgrade_timer: Timer | None = None
        self._close_timer: Timer | None = None
        self._parting: ClientPollingTransport | None = None
        """What still tells the server that this session is over."""
        self._parted: list[Callable[[], None]] = []

    # For what stands on it

    def open(self, now: float) -> None:
        """Begin the attempt, at `now` (seconds); raises LocalProtocolError the second time."""
        if self.state is not ClientState.IDLE:
            raise LocalProtocolError("the session has been opened before")
        self.step(ClientInput.START)
        self._attempt(now)

    def send(self, encoded: Encoded) -> None:
        """Queue a message; no effect on a session that is being closed, or is over.

        Before the session is open it waits. Beyond the bounds of the backlog the session is
        closed with "send buffer full" (rule 98). Raises LocalProtocolError for text with
        U+001E in it, which polling cannot carry.
        """
        if encoded.text is not None and b"\x1e" in encoded.text:
            raise LocalProtocolError("text with U+001E in it cannot travel by polling")
        if not self._leaving and self.state is not ClientState.CLOSED:
            # Whoever was suspended for long learns of it now, before it waits for an answer:
            # the driver tells the time, and the heartbeat is overdue (rule 23).
            self.timers.soon()
            self._queue(encoded)

    def close(self) -> None:
        """End it in good order; idempotent.

        What was sent before goes out, and an upgrade that is under way comes to its end
        (rule 39); then the receiver is told "forced close", after `close_timeout` at the
        latest. Until then messages still come in. An attempt ends at once.
        """
        if self.state in (ClientState.IDLE, ClientState.OPENING):
            error = TransportError("forced close", "it was closed before it was open")
            self.abort(Reason.FORCED_CLOSE, error)
        elif not self._leaving and self.state is not ClientState.CLOSED:
            self._leaving = True
            self._close_timer = self.timers.after(
                self.config.close_timeout, lambda _: self.abort(Reason.FORCED_CLOSE)
            )
            self._leave()

    def abort(self, reason: Reason, error: Exception | None = None) -> None:
        """End it at once, whatever its state; idempotent."""
        before = self.state
        if before is ClientState.CLOSED:
            return
        self.step(ClientInput.END)
        self._leaving = True
        for timer in (self._heartbeat, self._search, self._upgrade_timer, self._close_timer):
            if timer is not None:
                timer.cancel()
        if reason is Reason.PING_TIMEOUT or before is ClientState.OPENING:
            # Of an attempt the server has nothing to learn, and it may never answer.
            self._abort_transports()
        else:
            polled = before in (*POLLED, ClientState.PAUSING)
            code = error.close_code if isinstance(error, RemoteProtocolError) else NORMAL_CLOSURE
            self._finish_transports(code, farewell=polled and reason in FAREWELL)
        self._outbox.clear()
        self._receiver.closed(reason, error)
        if before in OPEN:
            self.observers.tell("close", self, str(reason))

    def when_parted(self, callback: Callable[[], None]) -> None:
        """Call back once, when the server has been told of the end, as far as it can be.

        For a session that is over: at once, but where it was carried by polling and the server
        would not know by itself; then within `close_timeout`.
        """
        if self._parting is None:
            callback()
        else:
            self._parted.append(callback)

    def parted(self) -> None:
        """The farewell has been said, or has failed."""
        self._parting = None
        parted, self._parted = self._parted, []
        for callback in parted:
            callback()

    def cut(self) -> None:
        """Say no farewell, nor wait for the answer to one; no effect before it is over."""
        if self._parting is not None:
            self._parting.abort()

    @property
    def writable(self) -> bool:
        """Whether what is sent now goes out now: what a volatile emit asks (rule 72)."""
        if self._outbox or self._leaving:
            return False
        if self.state is ClientState.WEBSOCKET:
            return True
        return self.state in POLLED and self._polling is not None and not self._polling.sending

    @property
    def subprotocol(self) -> str | None:
        """That of the WebSocket that carries it, as the server has chosen it from `protocols`."""
        websocket = self._websocket
        return None if websocket is None or websocket.probing else websocket.protocol

    # The attempt

    def _attempt(self, now: float) -> None:
        self.transport = self._transports.pop(0)
        if self.transport == "polling":
            self._polling = ClientPollingTransport(self)
            self._polling.poll(now)
        else:
            self._websocket = ClientWebSocketTransport(self, probing=False, now=now)

    def _opened(self, data: str | bytes, now: float) -> None:
        handshake = read_handshake(data)
        polling = self.transport == "polling"
        self.step(ClientInput.OPEN_POLLING if polling else ClientInput.OPEN_WEBSOCKET)
        self.adopt(handshake)
        self._heartbeat = self.timers.at(now + self._patience, self._beat)
        self._receiver.opened(now)
        if self.is_open:
            self.observers.tell("open", self)
        wanted = self.config.upgrade and "websocket" in self.config.transports
        if self.state is ClientState.POLLING and wanted and "websocket" in self.upgrades:
            self._probe(now)
        self._flush()

    # Packets out

    def _flush(self) -> None:
        """Let the transport take what waits; by polling all that is sent in one go together."""
        if not self._outbox:
            return
        if self._websocket is not None and not self._websocket.probing:
            self._websocket.ready()
        elif self._polling is not None and not self._flushing:
            self._flushing = True
            self.timers.after(0.0, self._post)

    def _post(self, now: float) -> None:
        self._flushing = False
        if self._polling is not None and self.state in (*POLLED, ClientState.CLOSING):
            self._polling.flush(now)

    def pull(self, size: float) -> list[Encoded]:
        """Take messages off the outbox until they are `size` bytes or more, or none is left."""
        taken = self._outbox.pull(size)
        if taken and self.observers.functions:
            self._flushed(taken)
        if self.state is ClientState.CLOSING and not self._outbox and self._polling is None:
            self.timers.after(0.0, lambda _: self.abort(Reason.FORCED_CLOSE))
        return taken

    # For the transports

    def requests(self, transport: Transport) -> Requests:
        """What writes the requests of one transport."""
        config = self.config.for_transport(transport)
        return Requests(self.address, config, self._cookies, self.entropy)

    def new_wire(self, transport: Transport) -> ClientWire:
        """A connection, which the driver begins to make."""
        config = self.config.for_transport(transport)
        wire = ClientWire(self.address.target, config, self.timers, self.entropy)
        self._dial(wire)
        return wire

    def progress(self, now: float) -> None:
        """Polling can go on: a request has its answer, or the handlers have caught up."""
        polling = self._polling
        if polling is None:
            return
        if self.state in POLLED:
            polling.flush(now)
            if not self.overrun:
                polling.poll(now)
        elif self.state is ClientState.PAUSING:
            polling.flush(now, rest=True)
            if polling.quiet:
                self._upgrade()
        elif self.state is ClientState.CLOSING:
            polling.flush(now)
            if not polling.sending:
                self.abort(Reason.FORCED_CLOSE)

    def polling_failed(self, error: TransportError, *, sending: bool) -> None:
        """A request has failed; while we close, the GET is of no interest any more."""
        if self.state is not ClientState.CLOSING:
            self.transport_failed(Reason.TRANSPORT_ERROR, error)
        elif sending:
            self.abort(Reason.FORCED_CLOSE, error)

    def transport_failed(self, reason: Reason, error: TransportError) -> None:
        """What carries the session is gone; an attempt may go on with the next transport."""
        if (
            self.state is ClientState.OPENING
            and self._transports
            and self.config.try_all_transports
        ):
            self._finish_transports(NORMAL_CLOSURE, farewell=False)
            self.timers.after(0.0, self._try_next)
        elif self._leaving and self.state is not ClientState.OPENING:
            self.abort(Reason.FORCED_CLOSE, error)
        else:
            self.abort(Reason.TRANSPORT_ERROR if not self.is_open else reason, error)

    def _try_next(self, now: float) -> None:
        if self.state is ClientState.OPENING:
            self._attempt(now)

    def fail(self, error: RemoteProtocolError) -> None:
        """The server broke the protocol, or what stands on the session says so."""
        if self.is_open:
            self.abort(error.reason, error)
        else:
            failure = TransportError("server error", str(error), context=error)
            failure.__cause__ = error
            self._finish_transports(error.close_code, farewell=False)
            self.abort(error.reason, failure)

    # Upgrade

    @property
    def probing(self) -> bool:
        """Whether the answer to a probe is awaited."""
        return self.state is ClientState.PROBING

    def _probe(self, now: float) -> None:
        self.step(ClientInput.PROBE)
        self._websocket = ClientWebSocketTransport(self, probing=True, now=now)
        self._upgrade_timer = self.timers.at(
            now + self.config.upgrade_timeout, lambda _: self._late()
        )

    def pause(self, now: float) -> None:
        """The probe was answered: begin no request, and take over when none is under way."""
        self.step(ClientInput.PAUSE)
        self.observers.tell("upgrading", self, "websocket")
        self.progress(now)

    def _upgrade(self) -> None:
        polling, self._polling = self._polling, None
        websocket = self._websocket
        assert polling is not None
        assert websocket is not None
        self.step(ClientInput.UPGRADE)
        self.transport = "websocket"
        if self._upgrade_timer is not None:
            self._upgrade_timer.cancel()
        polling.finish(farewell=False)
        websocket.upgrade()
        self.observers.tell("upgrade", self, "websocket")
        if self._leaving:
            self._leave()

    def _late(self) -> None:
        seconds = self.config.upgrade_timeout
        self.withdraw(TransportError("timeout", f"no upgrade within {seconds} seconds"))

    def withdraw(self, error: TransportError) -> None:
        """The WebSocket will not take over; polling goes on (rules 37 and 38)."""
        self.step(ClientInput.WITHDRAW)
        websocket, self._websocket = self._websocket, None
        if self._upgrade_timer is not None:
            self._upgrade_timer.cancel()
        if websocket is not None:
            websocket.finish()
        self.timers.after(0.0, self.progress)
        self.observers.tell("upgrade_error", self, error)
        if self._leaving:
            self._leave()

    # The end

    def _leave(self) -> None:
        """Close in good order, unless an upgrade is under way."""
        if self.state in (ClientState.POLLING, ClientState.WEBSOCKET):
            self.step(ClientInput.CLOSE)
            if self._websocket is None:
                self._queue(CLOSE)
            elif not self._outbox:
                self.abort(Reason.FORCED_CLOSE)

    def _finish_transports(self, close_code: int, *, farewell: bool) -> None:
        websocket, self._websocket = self._websocket, None
        polling, self._polling = self._polling, None
        if websocket is not None:
            websocket.finish(close_code)
        if polling is not None:
            self._parting = polling if farewell else None
            polling.finish(farewell=farewell)

    def _abort_transports(self) -> None:
        """The server does not answer: close at once."""
        for transport in (self._websocket, self._polling):
            if transport is not None:
                transport.abort()
        self._websocket = self._polling = None
