"""The polling transport: GET brings packets to the client, POST brings them from it.

This module does not know whose HTTP server it stands behind: a request comes in,
and the answer goes out at once or when `ready` is called.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ..errors import Reason, RemoteProtocolError
from ..request import Request
from . import cors
from .admission import Ticket
from .compression import compress
from .encoded import NOOP, Encoded
from .handshake import Code, RequestRefused, refusal, set_cookie, verify
from .http import Response
from .packet import Type, decode_payload
from .peer import Peer
from .session import Session
from .states import State

if TYPE_CHECKING:
    from .server import Engine

TEXT: Final = (
    ("Content-Type", "text/plain; charset=UTF-8"),
    ("Cache-Control", "no-store"),
)
OK: Final = (("Content-Type", "text/html"), ("Cache-Control", "no-store"))

LATE: Final = 1.0
"""Seconds that the refusal of a POST waits for its client to learn that the session has ended."""


class PollingTransport:
    """The requests of one connection, one after the other.

    `handle` answers at once or returns None; then `ready` is called when `answer`
    has the answer. `lost` tells that nobody waits for it any more.
    """

    __slots__ = (
        "_decided",
        "_engine",
        "_peer",
        "_polled",
        "_posting",
        "_ready",
        "_request",
        "_ticket",
        "due",
    )

    def __init__(self, engine: Engine, ready: Callable[[], None], peer: Peer) -> None:
        self._engine = engine
        self._ready = ready
        self._peer = peer
        self._request: Request
        self._polled: Session | None = None
        self._posting: Session | None = None
        self._ticket: Ticket | None = None
        self._decided: Response | None = None
        self.due: bool = False
        """Whether `answer` has something to give."""

    # A request

    def announce(self, request: Request) -> None:
        """The head of a request whose body is still to come: a POST is claimed by it.

        Raises RemoteProtocolError for a request that will be refused whatever its body; where
        there is middleware, that sees it first, when it is whole.
        """
        self._request = request
        try:
            session = verify(request, self._engine.config, self._engine.sessions)
        except RequestRefused:
            if self._engine.admission.has_middleware:
                return
            raise
        if session is not None and request.method == "POST":
            self._claim(session)

    def handle(self, request: Request, now: float) -> Response | None:
        """Answer a request, or return None for one that waits."""
        self._request = request
        ticket = self._engine.admission.ask(request, self._peer.home, now, self._go_on)
        self._ticket = ticket
        return self._admitted(ticket, now) if ticket.settled else None

    def _go_on(self, now: float) -> None:
        """The application had to be waited for, and has decided."""
        assert self._ticket is not None
        self._decided = self._admitted(self._ticket, now)
        if self._decided is not None:
            self.ready()

    def _admitted(self, ticket: Ticket, now: float) -> Response | None:
        try:
            ticket.check()
            return self._handle(self._request, now)
        except RemoteProtocolError as error:
            return self.refuse(error)

    def refuse(self, error: RemoteProtocolError) -> Response:
        """The answer to the request that broke the protocol."""
        self.release()
        self._engine.refused(self._request, error)
        return refusal(error, self._added())

    def _handle(self, request: Request, now: float) -> Response | None:
        config = self._engine.config
        if request.method == "OPTIONS":
            preflight = cors.preflight(request, config)
            if preflight is not None:
                return replace(preflight, headers=(*preflight.headers, *self._middleware()))
        session = verify(request, config, self._engine.sessions)
        if session is None:
            return self._open(request, now)
        if request.method == "GET":
            return self._poll(session)
        return self._post(session, request.body, now)

    def _open(self, request: Request, now: float) -> Response:
        session = self._engine.open_session(State.POLLING, request, self._peer, now)
        cookie = self._engine.config.session_cookie
        cookies = () if cookie is None else (set_cookie(cookie, session),)
        response = self._payload(self._engine.greeting(session), cookies, initial=True)
        self._engine.observers.tell("connection", session)
        return response

    def _poll(self, session: Session) -> Response | None:
        if session.carrier is not None:
            session.abort(Reason.TRANSPORT_ERROR)
            raise RequestRefused(Code.BAD_REQUEST)
        self._polled = session
        session.carrier = self
        if session.outbox:
            self.due = True
        elif session.over:
            session.abort(Reason.FORCED_CLOSE)
        elif session.state is State.PROBING:
            session.outbox.append(NOOP)
            self.due = True
        return self.answer() if self.due else None

    def _post(self, session: Session, body: bytes, now: float) -> Response | None:
        self._claim(session)
        closing = session.over
        try:
            if body.count(b"\x1e") >= self._engine.config.max_packets:
                raise RemoteProtocolError("too many packets in a payload")
            packets = decode_payload(decode_text(body))
            for packet in packets:
                session.receive_packet(packet, now)
        except RemoteProtocolError as error:
            session.abort(error.reason)
            raise
        if closing:
            types = {packet.type for packet in packets}
            if Type.CLOSE in types:
                session.abort(Reason.TRANSPORT_CLOSE, farewell=NOOP)
            if Type.MESSAGE in types:
                return self._late(session)
        if session.congested and not session.over:
            session.when_relieved(self._relieved)
            return None
        self.release()
        return self._ok()

    def _late(self, session: Session) -> Response | None:
        """The answer to messages that nobody takes any more, for the session is closing.

        They are refused (rule 94), but not before the client knows of the end: the reference's
        client would take the refusal for the end, and see none of what waits for it. One that
        upgrades polls no more before it has its answer, and is told by the WebSocket (rule 39).
        """
        refusal = RequestRefused(Code.BAD_REQUEST, name="SESSION_CLOSING")
        if session.state is State.CLOSED:
            raise refusal
        if session.prober is not None:
            self.release()
            return self._ok()

        def look() -> None:
            if session.state is State.CLOSED:
                refuse(0.0)
            else:
                session.when_relieved(look)

        def refuse(now: float) -> None:
            timer.cancel()
            session.revoke(look)
            if self._posting is session:
                self._decided = self.refuse(refusal)
                self.ready()

        timer = self._engine.timers.after(LATE, refuse)
        look()
        return None

    def _claim(self, session: Session) -> None:
        """One POST at a time; a second one ends the session (rule 28)."""
        if session.posting not in (None, self):
            session.abort(Reason.TRANSPORT_ERROR)
            raise RequestRefused(Code.BAD_REQUEST)
        session.posting = self
        self._posting = session

    def release(self) -> None:
        """The POST is over, one way or the other."""
        if self._posting is not None:
            self._posting.posting = None
            self._posting = None

    def _relieved(self) -> None:
        """The answer to a POST was held back while its messages waited for their handlers."""
        session = self._posting
        if session is None:
            return
        if session.congested and not session.over:
            session.when_relieved(self._relieved)
            return
        self.due = True
        self._ready()

    # The answer

    def answer(self) -> Response | None:
        """The answer to the request that waits, once it is due."""
        if not self.due:
            return None
        self.due = False
        if self._decided is not None:
            decided, self._decided = self._decided, None
            return decided
        if self._posting is not None:
            self.release()
            return self._ok()
        session, self._polled = self._polled, None
        packets = [NOOP]
        if session is not None and session.carrier is self:
            packets = session.pull()
            session.carrier = None
        return self._payload(packets)

    def _payload(
        self, packets: list[Encoded], cookies: cors.Headers = (), *, initial: bool = False
    ) -> Response:
        response = Response(
            200,
            self._headers((*TEXT, *cookies), initial=initial),
            b"\x1e".join([encoded.polling for encoded in packets]),
        )
        config = self._engine.config
        if config.http_compression and any(encoded.compress for encoded in packets):
            accepted = self._request.header(b"accept-encoding") or ""
            response = compress(response, accepted, config.http_compression_threshold)
        return response

    def _ok(self) -> Response:
        return Response(200, self._headers(OK), b"ok")

    def _headers(self, headers: cors.Headers, *, initial: bool = False) -> cors.Headers:
        headers = (*headers, *self._added())
        return self._engine.headers(self._request, headers, initial=initial)

    def _added(self) -> cors.Headers:
        """What an answer has because of where its request came from, and of the middleware."""
        return (*cors.headers(self._request, self._engine.config), *self._middleware())

    def _middleware(self) -> cors.Headers:
        return () if self._ticket is None else self._ticket.headers

    # As the carrier of a session

    def ready(self) -> None:
        """The session's outbox has something for the parked GET."""
        self.due = True
        self._ready()

    def finish(self, close_code: int) -> None:
        """The session is over: the parked GET is answered with what the outbox has."""
        self.ready()

    def lost(self) -> None:
        """The client no longer waits for an answer: its session is over (rule 32)."""
        if self._ticket is not None:
            self._ticket.cancel()
        session, self._polled = self._polled, None
        if session is not None and session.carrier is self:
            session.carrier = None
            session.abort(Reason.TRANSPORT_ERROR)
        posting = self._posting
        self.release()
        if posting is not None:
            posting.abort(Reason.TRANSPORT_ERROR)


def decode_text(body: bytes) -> str:
    """A polling body as text: whatever its declared type, it is UTF-8 (rule 11).

    Raises RemoteProtocolError for one that is not.
    """
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise RemoteProtocolError("a payload is UTF-8") from error
