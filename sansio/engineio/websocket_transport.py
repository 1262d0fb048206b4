"""The WebSocket transport: messages of one WebSocket, for a new session or as a probe.

This module does not know who frames the messages: a wire of ours, a connection of
trio-websocket, an ASGI server.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ..errors import LocalProtocolError, Reason, RemoteProtocolError
from ..request import Request
from ..runtime import Call
from . import cors
from .admission import Ticket
from .encoded import PONG_PROBE, Encoded
from .handshake import verify
from .peer import Peer
from .session import Session
from .states import State

if TYPE_CHECKING:
    from .server import Engine

PROTOCOL_ERROR: Final = 1002
PULL: Final = 262_144
"""Bytes that a connection is given to write at once; a single message may be larger."""

POLICY_VIOLATION: Final = 1008
MESSAGE_TOO_BIG: Final = 1009


class WebSocketTransport:
    """One WebSocket, from its handshake on.

    `ready` is called when `outgoing` or `close_code` has something for the peer.
    """

    __slots__ = (
        "_engine",
        "_out",
        "_peer",
        "_probing",
        "_session",
        "_ticket",
        "close_code",
        "ready",
    )

    def __init__(self, engine: Engine, ready: Callable[[], None], peer: Peer) -> None:
        self._engine = engine
        self.ready: Call = ready
        """Also what its session calls, when its outbox has something, which `outgoing` gives."""
        self._peer = peer
        self._session: Session | None = None
        self._ticket: Ticket | None = None
        self._probing = False
        self._out: list[Encoded] = []
        self.close_code: int | None = None
        """Set when the WebSocket is to be closed, after what `outgoing` still has."""

    def admit(self, request: Request, now: float, decided: Callable[[float], None]) -> bool:
        """Ask the application about the request; whether `verify` can be called now.

        If not, `decided` is called with the time when it can, and `lost` ends the waiting.
        """
        self._ticket = self._engine.admission.ask(request, self._peer.home, now, decided)
        return self._ticket.settled

    def verify(self, request: Request) -> Session | None:
        """The session that the request wants to take over, or None for a new one.

        Raises RemoteProtocolError for a request that may not become a WebSocket (rule 4), and
        LocalProtocolError before `admit` has told that the application has decided.
        """
        if self._ticket is None or not self._ticket.settled:
            raise LocalProtocolError("the application has to be asked first")
        self._ticket.check()
        return verify(request, self._engine.config, self._engine.sessions)

    def headers(self, request: Request, session: Session | None) -> cors.Headers:
        """What the application adds to the answer that accepts the WebSocket."""
        return self._engine.headers(request, self.added, initial=session is None)

    @property
    def added(self) -> cors.Headers:
        """The headers of the middleware, also for the answer that refuses it."""
        return () if self._ticket is None else self._ticket.headers

    def open(self, request: Request, session: Session | None, now: float) -> None:
        """The handshake is done: open a session, or become the prober of this one.

        A second WebSocket for a session is closed at once, and the session knows
        nothing of it (rule 35, security rule T24).
        """
        if session is None:
            session = self._engine.open_session(State.WEBSOCKET, request, self._peer, now)
            self._session = session
            self._out += self._engine.greeting(session)
            session.carrier = self
            self.ready()
            if self._engine.observers.functions:
                self._engine.observers.tell("connection", session)
            return
        try:
            session.offer(self, now)
        except RemoteProtocolError:
            self._close(POLICY_VIOLATION)
        else:
            self._session = session
            self._probing = True

    def receive(self, data: str | bytes, now: float) -> None:
        """Take one message; what breaks the protocol ends the session or the probe."""
        session = self._session
        if session is None:
            return
        try:
            if self._probing:
                self._probe(session, data)
            else:
                session.receive(data, now)
        except RemoteProtocolError as error:
            self.fail(error)

    def receive_bounded(self, data: str | bytes, now: float) -> None:
        """Take one message from a connection that has no bound of its own (security rule T4)."""
        limit = self._engine.config.max_payload
        if len(data) > limit or (isinstance(data, str) and len(data.encode()) > limit):
            self.fail(
                RemoteProtocolError(
                    "message too large", reason=Reason.TRANSPORT_ERROR, close_code=MESSAGE_TOO_BIG
                )
            )
        else:
            self.receive(data, now)

    def _probe(self, session: Session, data: str | bytes) -> None:
        """`2probe`, then `5`, and nothing else (security rule T24)."""
        if data == "2probe":
            session.probe()
            self._out.append(PONG_PROBE)
            self.ready()
        elif data == "5":
            session.upgrade(self)
            self._probing = False
        else:
            raise RemoteProtocolError("expected a probe", close_code=PROTOCOL_ERROR)

    def outgoing(self) -> list[Encoded]:
        """What the peer is to be sent next; call it until it returns nothing.

        About `PULL` bytes at once: what waits longer is the session's backlog, and bounded.
        """
        session = self._session
        out = self._out
        if out:
            self._out = []
        if session is not None and session.outbox and session.carrier is self:
            out = out + session.pull(PULL)
        return out

    @property
    def carried(self) -> Session | None:
        """Its session, while it has nothing to do but to carry that one's messages."""
        session = self._session
        plain = session is not None and session.carrier is self and self.close_code is None
        return session if plain and not self._out else None

    @property
    def drained(self) -> bool:
        """Whether `outgoing` has nothing more: the time to close, where `close_code` says so."""
        session = self._session
        return session is None or not session.outbox or session.carrier is not self

    @property
    def congested(self) -> bool:
        """Whether the peer should not be read from."""
        session = self._session
        return session is not None and not self._probing and not session.over and session.congested

    def when_relieved(self, callback: Callable[[], None]) -> None:
        """Call back when `congested` may have changed; the session is there while it is true."""
        if self._session is not None:
            self._session.when_relieved(callback)

    # As the carrier or the prober of a session

    def finish(self, close_code: int) -> None:
        """The session is over: what its outbox holds is the last, then the close."""
        self._close(close_code)

    def withdraw(self) -> None:
        """The session goes on without this WebSocket."""
        self._session = None
        self._probing = False
        self._close(PROTOCOL_ERROR)

    def _close(self, code: int) -> None:
        if self.close_code is None:
            self.close_code = code
        self.ready()

    # The end

    def fail(self, error: RemoteProtocolError) -> None:
        """The peer broke the protocol: its session ends, or its probe alone."""
        session = self._session
        # Before the session ends: it closes us too, and knows less of the cause.
        self.close_code = self.close_code or error.close_code
        if session is None:
            self.ready()
        elif self._probing:
            session.withdraw()
        else:
            session.abort(error.reason)

    def lost(self, reason: Reason = Reason.TRANSPORT_CLOSE) -> None:
        """The connection is gone, or the peer has closed the WebSocket; idempotent."""
        if self._ticket is not None:
            self._ticket.cancel()
        session, self._session = self._session, None
        if session is None:
            return
        if self._probing:
            self._probing = False
            session.withdraw()
        elif session.carrier is self:
            session.carrier = None
            session.abort(reason)
