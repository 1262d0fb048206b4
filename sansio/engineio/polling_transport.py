"""The polling transport: GET brings packets to the client, POST brings them from it.

This module does not know whose HTTP server it stands behind: a request comes in,
and the answer goes out at once or when `ready` is called.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ..errors import Reason, RemoteProtocolError
from . import cors
from .encoded import NOOP
from .handshake import Code, RequestRefused, open_packet, refusal, set_cookie, verify
from .http import Request, Response
from .packet import decode_payload
from .session import Peer, Session
from .states import State

if TYPE_CHECKING:
    from .server import Engine

TEXT: Final = (
    ("Content-Type", "text/plain; charset=UTF-8"),
    ("Cache-Control", "no-store"),
)
OK: Final = (("Content-Type", "text/html"), ("Cache-Control", "no-store"))


class PollingTransport:
    """The requests of one connection, one after the other.

    `handle` answers at once or returns None; then `ready` is called when `answer`
    has the answer. `lost` tells that nobody waits for it any more.
    """

    __slots__ = ("_engine", "_peer", "_polled", "_posting", "_ready", "_request", "due")

    def __init__(self, engine: Engine, ready: Callable[[], None], peer: Peer) -> None:
        self._engine = engine
        self._ready = ready
        self._peer = peer
        self._request: Request
        self._polled: Session | None = None
        self._posting: Session | None = None
        self.due = False
        """Whether `answer` has something to give."""

    # A request

    def announce(self, request: Request) -> None:
        """The head of a request whose body is still to come: a POST is claimed by it.

        Raises RemoteProtocolError for a request that will be refused whatever its body.
        """
        self._request = request
        session = verify(request, self._engine.config, self._engine.sessions)
        if session is not None and request.method == "POST":
            self._claim(session)

    def handle(self, request: Request, now: float) -> Response | None:
        """Answer a request, or return None for one that waits."""
        self._request = request
        try:
            return self._handle(request, now)
        except RemoteProtocolError as error:
            return self.refuse(error)

    def refuse(self, error: RemoteProtocolError) -> Response:
        """The answer to the request that broke the protocol."""
        self.release()
        return refusal(error, cors.headers(self._request, self._engine.config))

    def _handle(self, request: Request, now: float) -> Response | None:
        config = self._engine.config
        if request.method == "OPTIONS":
            preflight = cors.preflight(request, config)
            if preflight is not None:
                return preflight
        session = verify(request, config, self._engine.sessions)
        if session is None:
            return self._open(request, now)
        if request.method == "GET":
            return self._poll(session)
        return self._post(session, request.body, now)

    def _open(self, request: Request, now: float) -> Response:
        session = self._engine.open_session(State.POLLING, request, self._peer, now)
        response = self._text(open_packet(session, self._engine.config).polling)
        cookie = self._engine.config.cookie
        if cookie is None:
            return response
        return Response(200, (*response.headers, set_cookie(cookie, session)), response.body)

    def _poll(self, session: Session) -> Response | None:
        if session.carrier is not None:
            session.abort(Reason.TRANSPORT_ERROR)
            raise RequestRefused(Code.BAD_REQUEST)
        self._polled = session
        session.carrier = self
        if session.state is State.CLOSING:
            session.abort(Reason.FORCED_CLOSE)
        elif session.outbox:
            self.due = True
        elif session.state is State.PROBING:
            session.outbox.append(NOOP)
            self.due = True
        return self.answer() if self.due else None

    def _post(self, session: Session, body: bytes, now: float) -> Response | None:
        self._claim(session)
        try:
            if body.count(b"\x1e") >= self._engine.config.max_packets:
                raise RemoteProtocolError("too many packets in a payload")
            for packet in decode_payload(decode_text(body)):
                session.receive_packet(packet, now)
        except RemoteProtocolError as error:
            session.abort(error.reason)
            raise
        if session.congested and not session.over:
            session.when_relieved(self._relieved)
            return None
        self.release()
        return self._ok()

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
        if self._posting is not None:
            self.release()
            return self._ok()
        session, self._polled = self._polled, None
        packets = [NOOP]
        if session is not None and session.carrier is self:
            packets = session.pull()
            session.carrier = None
        return self._text(b"\x1e".join([encoded.polling for encoded in packets]))

    def _text(self, body: bytes) -> Response:
        return Response(200, (*TEXT, *cors.headers(self._request, self._engine.config)), body)

    def _ok(self) -> Response:
        return Response(200, (*OK, *cors.headers(self._request, self._engine.config)), b"ok")

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
