"""One TCP connection to a server: bytes in, bytes out.

It speaks HTTP until a request upgrades it; from then on it is a `WebSocketWire`. Here, and
there, the peer's errors end: they are answered, and the connection closes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from ..config import PerMessageDeflate
from ..errors import RemoteProtocolError
from ..request import Request
from . import cors
from .handshake import refusal
from .http import HttpConnection, Phase, Response
from .neighbours import encode_handover
from .peer import Peer
from .permessage_deflate import negotiate
from .plain_handshake import read_plain_handshake
from .polling_transport import PollingTransport
from .sharing import Sharing
from .websocket import check_handshake
from .websocket_transport import WebSocketTransport
from .websocket_wire import WebSocketWire

if TYPE_CHECKING:
    from .server import Engine

NOT_FOUND: Final = Response(404, (("Content-Type", "text/plain; charset=UTF-8"),), b"Not Found")
REQUEST_TIMEOUT: Final = RemoteProtocolError("the request took too long", status=408)


class ServerWire:
    """Bytes of one connection to and from the core.

    The driver feeds what it reads to `receive_data`, and writes what `data_to_send`
    returns whenever `wake` was called and it can write; that pull is the demand, so
    what is not pulled is the backlog. When it has been woken it looks at `closing`
    (write the rest, then tell the peer that nothing more comes), `closed` (close the
    connection) and `paused` (do not read until woken) as well. Among several workers it looks at
    `destination` too: write the rest, then give the connection to that worker. It may go on
    with `successor` alone, once there is one.
    """

    __slots__ = (
        "_awake",
        "_closed",
        "_closing",
        "_ending",
        "_engine",
        "_out",
        "_parser",
        "_peer",
        "_phase",
        "_polling",
        "_timer",
        "_upgrading",
        "_wake",
        "destination",
        "successor",
    )

    def __init__(self, engine: Engine, wake: Callable[[], None], now: float, peer: Peer) -> None:
        self._engine = engine
        self._wake = wake
        self._peer = peer
        self._parser: HttpConnection | None = None
        self._phase = Phase.IDLE
        self._polling: PollingTransport | None = None
        self._upgrading: tuple[Request, WebSocketTransport] | None = None
        self._out: list[bytes] = []
        self._awake = False
        self._ending = False
        self._timer = engine.timers.at(now + engine.config.head_timeout, self._timed_out)
        self._closing = False
        self._closed = False
        self.successor: WebSocketWire | None = None
        """What this is once it has become a WebSocket: a driver may go on with that instead."""
        self.destination: str | None = None
        """The worker that this connection has to go to: see `handover`."""

    # For the driver

    def receive_data(self, data: bytes, now: float) -> None:
        """Take bytes that were read, at `now` (seconds); never raises for what they are.

        What is due by then happens first, however late the driver's own timer is.
        """
        if self.successor is not None:
            self.successor.receive_data(data, now)
            return
        self._engine.timers.catch_up(now)
        if not self._closing:
            if self._parser is None and self._switch_plainly(data, now):
                return
            try:
                self._http.receive_data(data)
                self._pump(now)
            except RemoteProtocolError as error:
                self._refuse(error)

    def data_to_send(self) -> list[bytes]:
        """The bytes to write next, in pieces: all there are, or `PULL` bytes and more of them."""
        self._awake = False
        if self._polling is not None and self._polling.due:
            self._answer(self._polling)
        out, self._out = self._out, []
        return out if self.successor is None else out + self.successor.data_to_send()

    @property
    def closing(self) -> bool:
        """Nothing comes after what `data_to_send` returns next."""
        return self._closing if self.successor is None else self.successor.closing

    @property
    def closed(self) -> bool:
        """The connection is to be closed now, whatever waits."""
        return self._closed if self.successor is None else self.successor.closed

    calm: Final = False
    """See `WebSocketWire`: here something always has to be looked at."""

    @property
    def complete(self) -> bool:
        """Whether the peer has nothing more to say either, and the connection can be closed."""
        return self.successor is not None and self.successor.complete

    @property
    def paused(self) -> bool:
        """Whether the connection should not be read from; `wake` tells when to look again."""
        if self.successor is not None:
            return self.successor.paused
        return self.destination is not None

    @property
    def handover(self) -> bytes:
        """What goes with the connection to `destination`, once all is written.

        When it has gone there, it is lost to us; otherwise there is `keep`.
        """
        return encode_handover(self._peer, self._http.stray)

    def keep(self, now: float) -> None:
        """There is no way to `destination`: the connection stays, and its request is answered.

        No effect where that has been decided already.
        """
        if self.destination is not None:
            self.destination = None
            self._http.keep()
            self._resume(now)

    def lost(self) -> None:
        """The connection is gone; idempotent."""
        if self.successor is not None:
            self.successor.lost()
            return
        self._closing = self._closed = True
        self.destination = None
        # Nobody is there to be woken, and there is no end to wait for.
        self._awake = self._ending = True
        self._timer.cancel()
        self._abandon()

    def finish(self) -> None:
        """Serve nothing more: what is due is sent, and then the connection closes.

        A WebSocket closes with its session, and is left alone here.
        """
        if self.successor is None and not self._closing:
            if self._polling is not None and self._polling.due:
                self._answer(self._polling)
            self._abandon()
            self._finish()
            self._notify()

    def _abandon(self) -> None:
        """The request that waits will not be answered."""
        if self._polling is not None:
            self._polling.lost()
        if self._upgrading is not None:
            _, transport = self._upgrading
            self._upgrading = None
            transport.lost()

    def _notify(self) -> None:
        if not self._awake:
            self._awake = True
            self._wake()

    # HTTP

    @property
    def _http(self) -> HttpConnection:
        """What reads requests, made for the first that is not plain."""
        if self._parser is None:
            strays = None
            if self._engine.neighbours is not None:
                sharing = Sharing(self._engine.neighbours, secure=self._peer.secure)
                strays = partial(self._strays, sharing)
            self._parser = HttpConnection(max_body=self._engine.config.max_payload, strays=strays)
        return self._parser

    def _pump(self, now: float) -> None:
        """Serve the requests that have come; raises RemoteProtocolError for a bad one."""
        while (request := self._http.next_request()) is not None:
            self._phase = Phase.ANSWERING
            self._timer.move(now + self._engine.config.keep_alive_timeout)
            self._serve(request, now)
            if self.successor is not None:
                return
        self._out += self._http.data_to_send()
        if self._out or self.destination is not None:
            self._notify()
        self._watch(now)

    def _strays(self, sharing: Sharing, request: Request) -> bool:
        """Whether the connection has to go to another worker for a request."""
        name = sharing.destination(request) if self._engine.serves(request.path) else None
        if name is None:
            return False
        self.destination = name
        return True

    def _serve(self, request: Request, now: float) -> None:
        response: Response | None = NOT_FOUND
        if self._engine.serves(request.path):
            if request.upgrade:
                self._upgrade(request, now)
                return
            response = self._polls().handle(request, now)
        elif (file := self._engine.static.get(request.path)) is not None:
            response = file.respond(request)
        if response is not None:
            self._respond(response)

    def _respond(self, response: Response) -> None:
        self._out.append(self._http.respond(response))
        if self._http.closing:
            self._finish()

    def _polls(self) -> PollingTransport:
        """Its polling transport; most WebSockets never have one."""
        if self._polling is None:
            self._polling = PollingTransport(self._engine, self._notify, self._peer)
        return self._polling

    def _answer(self, polling: PollingTransport) -> None:
        """The request that waited has its answer; the next one may have come meanwhile."""
        response = polling.answer()
        if response is not None and not self._closing:
            self._respond(response)
            if not self._closing and self._http.phase is not Phase.IDLE:
                self._engine.timers.after(0.0, self._resume)

    def _resume(self, now: float) -> None:
        """Go on with what was pipelined behind the request that waited."""
        if not self._closing:
            try:
                self._pump(now)
            except RemoteProtocolError as error:
                self._refuse(error)

    def _watch(self, now: float) -> None:
        """Set the deadline of what the connection is about to do (security rule 10)."""
        phase, before = self._http.phase, self._phase
        self._phase = phase
        if phase is Phase.BODY:
            if before is not Phase.BODY:
                head = self._http.head
                if head is not None and self._engine.serves(head.path):
                    self._polls().announce(head)
            self._timer.move(now + self._engine.config.body_timeout)
        elif phase in (Phase.HEAD, Phase.STRAYED) and before is not phase:
            self._timer.move(now + self._engine.config.head_timeout)

    def _timed_out(self, now: float) -> None:
        config = self._engine.config
        if self._closing or self._ending or self._http.phase is Phase.IDLE:
            self._closing = self._closed = True
            # A driver whose write is stuck has not pulled since it was woken last.
            self._wake()
        elif self._http.phase is Phase.ANSWERING:
            self._timer = self._engine.timers.at(now + config.keep_alive_timeout, self._timed_out)
        else:
            self._refuse(REQUEST_TIMEOUT)

    def _refuse(self, error: RemoteProtocolError) -> None:
        """Answer a request that broke HTTP, or whose head is refused, and close."""
        head = self._http.head
        headers: cors.Headers = ()
        if head is not None and self._engine.serves(head.path):
            headers = cors.headers(head, self._engine.config)
            self._engine.refused(head, error)
        if error.status != 413:
            self._abandon()
        elif self._polling is not None:
            self._polling.release()
        self._answer_last(error, headers)

    def _answer_last(self, error: RemoteProtocolError, headers: cors.Headers) -> None:
        self._out.append(self._http.refuse(refusal(error, headers)))
        self._finish()
        self._notify()

    def _finish(self) -> None:
        """Close after what is to be sent, but give the peer the time to read it.

        A connection closed with bytes unread is reset, and the peer may lose the answer.
        """
        self._closing = True
        self.destination = None
        self._end()

    def _end(self) -> None:
        """From here on the connection has `close_timeout` to come to its end."""
        if not self._ending:
            self._ending = True
            self._timer.cancel()
            self._timer = self._engine.timers.after(
                self._engine.config.close_timeout, self._timed_out
            )

    # WebSocket

    def _switch_plainly(self, data: bytes, now: float) -> bool:
        """Become a WebSocket at once, where that takes no questions; what is refused never does."""
        if not self._engine.asks_nobody or (plain := read_plain_handshake(data)) is None:
            return False
        request, answer = plain
        if not self._engine.serves(request.path):
            return False
        transport = WebSocketTransport(self._engine, self._notify, self._peer)
        try:
            transport.open(request, None, now)
        except RemoteProtocolError:
            return False
        self._out.append(answer)
        self._become(transport, None)
        return True

    def _become(
        self, transport: WebSocketTransport, deflate: PerMessageDeflate | None
    ) -> WebSocketWire:
        self._timer.cancel()
        self.successor = WebSocketWire(self._engine, transport, self._wake, deflate)
        self._notify()
        return self.successor

    def _upgrade(self, request: Request, now: float) -> None:
        """A request to become a WebSocket, about which the application is asked first."""
        transport = WebSocketTransport(self._engine, self._notify, self._peer)
        self._upgrading = (request, transport)
        if transport.admit(request, now, self._switch):
            self._switch(now)

    def _switch(self, now: float) -> None:
        """Become a WebSocket, or refuse to before that (rule 4)."""
        assert self._upgrading is not None
        request, transport = self._upgrading
        self._upgrading = None
        try:
            session = transport.verify(request)
            accept = check_handshake(request.headers)
            transport.open(request, session, now)
        except RemoteProtocolError as error:
            self._engine.refused(request, error)
            self._answer_last(error, transport.added)
            return
        deflate = self._engine.config.deflate
        agreed = None if deflate is None else negotiate(request.headers)
        headers: cors.Headers = (
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Accept", accept.decode("ascii")),
        )
        if agreed is not None:
            headers = (*headers, ("Sec-WebSocket-Extensions", agreed))
        headers = (*headers, *transport.headers(request, session))
        self._out.append(self._http.switch_protocols(headers))
        successor = self._become(transport, None if agreed is None else deflate)
        successor.receive_data(self._http.trailing_data(), now)
