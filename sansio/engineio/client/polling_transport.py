"""The polling transport of a client: one GET that waits for packets, one POST that sends them.

Rule 1. There is one GET and one POST at a time, each on a connection of its own.
Rule 2. A POST has what waits, up to `maxPayload` (rule 18), and the next one goes out when it
        has its answer: so packets arrive in their order.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from ...errors import RemoteProtocolError, TransportError
from ...timers import Timer
from ..packet import decode_payload
from .http import Answer
from .requests import refused
from .wire import ClientWire

if TYPE_CHECKING:
    from .client import EngineClient

MAX_PACKETS: Final = 16
"""Of one POST: python-socketio's server refuses more."""

CLOSE: Final = b"1"


class ClientPollingTransport:
    """The requests of one session."""

    __slots__ = (
        "_getting",
        "_leaving",
        "_parts",
        "_patience",
        "_posting",
        "_requests",
        "_session",
        "_wires",
    )

    def __init__(self, session: EngineClient) -> None:
        self._session: EngineClient | None = session
        self._requests = session.requests("polling")
        self._getting: Getting | None = None
        self._posting: Posting | None = None
        self._parts: deque[bytes] = deque()
        """What is left of a message whose packets did not fit into one POST."""
        self._wires: dict[str, ClientWire] = {}
        self._leaving: EngineClient | None = None
        """The session that is over, while its server is being told."""
        self._patience: Timer | None = None

    @property
    def quiet(self) -> bool:
        """Whether nothing is under way: the time to go on elsewhere (rule 33)."""
        return self._getting is None and not self.sending

    @property
    def sending(self) -> bool:
        """Whether a POST is under way, or half of a message waits for one."""
        return self._posting is not None or bool(self._parts)

    def poll(self, now: float) -> None:
        """Ask for packets, unless that was done already."""
        session = self._session
        if session is not None and self._getting is None:
            self._getting = Getting(self)
            request = self._requests.get(session.id, now)
            self._wire("GET", session).request(request, self._getting)

    def flush(self, now: float, *, rest: bool = False) -> None:
        """Send what waits, or the `rest` of a message alone, unless a POST is under way."""
        session = self._session
        if session is None or self._posting is not None:
            return
        body = self._payload(session, rest=rest)
        if body:
            self._post(session, body, now)

    def finish(self, *, farewell: bool) -> None:
        """Nothing more is asked for: close the connections, or tell the server before that.

        The farewell goes out after the POST that is under way, and both have `close_timeout`;
        then the session's `parted` is called.
        """
        session, self._session = self._session, None
        if session is None or not farewell:
            self._close()
            return
        self._leaving = session
        self._patience = session.timers.after(session.config.close_timeout, lambda _: self.parted())
        if self._posting is None:
            session.timers.after(0.0, self._part)

    def _part(self, now: float) -> None:
        session = self._leaving
        if session is not None:
            request = self._requests.post(session.id, CLOSE, now)
            self._wire("POST", session).request(request, Parting(self))

    def parted(self) -> None:
        """The server has been told that this is the end, or cannot be: close the connections."""
        self._close()
        self._let_go()

    def _let_go(self) -> None:
        session, self._leaving = self._leaving, None
        if self._patience is not None:
            self._patience.cancel()
        if session is not None:
            session.parted()

    def _close(self) -> None:
        for wire in self._wires.values():
            wire.close()

    def abort(self) -> None:
        """Close the connections at once: the server does not answer, or nobody has time."""
        self._session = None
        for wire in self._wires.values():
            wire.abort()
        self._let_go()

    # What becomes of the requests

    def got(self, answer: Answer, now: float) -> None:
        """The GET has its answer."""
        self._getting = None
        session = self._session
        if session is None:
            return
        self._requests.keep(answer, now)
        if answer.status != 200:
            session.polling_failed(refused("xhr poll error", answer), sending=False)
            return
        try:
            for packet in decode_payload(decode(answer.body)):
                session.receive_packet(packet, now)
        except RemoteProtocolError as error:
            session.fail(error)
        else:
            session.progress(now)

    def posted(self, answer: Answer, now: float) -> None:
        """The POST has its answer."""
        self._posting = None
        session = self._session
        if session is None:
            if answer.status == 200:
                self._part(now)
            else:
                self.parted()
            return
        self._requests.keep(answer, now)
        if answer.status == 200:
            session.progress(now)
        else:
            session.polling_failed(refused("xhr post error", answer), sending=True)

    def broken(self, error: Exception, *, sending: bool) -> None:
        """A request will have no answer."""
        if sending:
            self._posting = None
        else:
            self._getting = None
        if self._session is not None:
            message = "xhr post error" if sending else "xhr poll error"
            failure = TransportError(message, str(error) or repr(error), context=error)
            failure.__cause__ = error
            self._session.polling_failed(failure, sending=sending)
        elif sending:
            self.parted()

    def _post(self, session: EngineClient, body: bytes, now: float) -> None:
        self._posting = Posting(self)
        request = self._requests.post(session.id, body, now)
        self._wire("POST", session).request(request, self._posting)

    def _wire(self, method: str, session: EngineClient) -> ClientWire:
        wire = self._wires.get(method)
        if wire is None or not wire.available:
            wire = self._wires[method] = session.new_wire("polling")
        return wire

    def _payload(self, session: EngineClient, *, rest: bool) -> bytes:
        """The packets of the next POST, at least one if there is any (rule 18).

        The close packet is alone: the reference's server would act on it before the messages
        beside it, and not learn that a namespace was left.
        """
        packets: list[bytes] = []
        size = -1
        while len(packets) < MAX_PACKETS:
            if not self._parts:
                encoded = None if rest else session.take()
                if encoded is None:
                    break
                self._parts.extend(encoded.polling.split(b"\x1e"))
            size += 1 + len(self._parts[0])
            if packets and (size > session.max_payload or self._parts[0] == CLOSE):
                break
            packets.append(self._parts.popleft())
        return b"\x1e".join(packets)


class Getting:
    """The GET that is under way."""

    __slots__ = ("_transport",)

    def __init__(self, transport: ClientPollingTransport) -> None:
        self._transport = transport

    def answered(self, answer: Answer, now: float) -> None:
        """Packets have come."""
        self._transport.got(answer, now)

    def broken(self, error: Exception) -> None:
        """It will have no answer."""
        self._transport.broken(error, sending=False)


class Posting:
    """The POST that is under way."""

    __slots__ = ("_transport",)

    def __init__(self, transport: ClientPollingTransport) -> None:
        self._transport = transport

    def answered(self, answer: Answer, now: float) -> None:
        """The server has the packets, or says why not."""
        self._transport.posted(answer, now)

    def broken(self, error: Exception) -> None:
        """It will have no answer."""
        self._transport.broken(error, sending=True)


class Parting:
    """The last POST, which only says goodbye; then the connections close."""

    __slots__ = ("_transport",)

    def __init__(self, transport: ClientPollingTransport) -> None:
        self._transport = transport

    def answered(self, answer: Answer, now: float) -> None:
        """The server knows."""
        self._transport.parted()

    def broken(self, error: Exception) -> None:
        """The server will find out by itself."""
        self._transport.parted()


def decode(body: bytes) -> str:
    """The text of an answer; raises RemoteProtocolError for what is no UTF-8."""
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise RemoteProtocolError("the answer to a poll is not UTF-8") from error
