"""One connection that has become a WebSocket: frames in, frames out.

What a `ServerWire` becomes when a request has upgraded it; it has the same face for the
driver. This module does not know HTTP.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ..config import PerMessageDeflate
from ..errors import RemoteProtocolError
from ..timers import Timer
from .session import Session
from .websocket import WebSocket
from .websocket_frames import read_short_text, read_whole_frames
from .websocket_transport import PULL, WebSocketTransport

if TYPE_CHECKING:
    from .server import Engine

NORMAL_CLOSURE: Final = 1000


def nobody() -> None:
    """Is woken when the connection is gone."""


class WebSocketWire:
    """Bytes of a WebSocket to and from the core; see `ServerWire`.

    `deflate` is what permessage-deflate has been agreed to with, if it has.
    """

    __slots__ = (
        "_awake",
        "_deflate",
        "_engine",
        "_out",
        "_session",
        "_timer",
        "_transport",
        "_wake",
        "_websocket",
        "calm",
        "closed",
        "closing",
    )

    destination: Final = None
    """A WebSocket stays with its worker."""
    successor: Final = None
    """It stays what it is."""

    def __init__(
        self,
        engine: Engine,
        transport: WebSocketTransport,
        wake: Callable[[], None],
        deflate: PerMessageDeflate | None,
    ) -> None:
        self._engine = engine
        self._transport = transport
        self._wake = wake
        self._deflate = deflate
        self._websocket = WebSocket(
            max_message=engine.config.max_payload, inflates=deflate is not None
        )
        self._session: Session | None = None
        """Whose messages it carries while there is nothing else to do: the fast path."""
        self._out: list[bytes] = []
        self._awake = False
        self._timer: Timer | None = None
        self.calm: bool = False
        """Whether neither `closing`, `closed` nor `paused` has to be looked at after a pull."""
        self.closing: bool = False
        """Nothing comes after what `data_to_send` returns next."""
        self.closed: bool = False
        """The connection is to be closed now, whatever waits."""
        transport.ready = self._notify

    def receive_data(self, data: bytes, now: float) -> None:
        """Take bytes that were read, at `now` (seconds): see `ServerWire.receive_data`."""
        timers = self._engine.timers
        if timers.due < now:
            timers.fire(now)
        session = self._session
        if session is None or not self._websocket.between:
            self._receive_frames(data, now)
            return
        # Most of what is read is one short event: an echo takes 0.6 us less so than by way of
        # `_receive_messages` (CPython 3.11). test_websocket_wire.py holds the two ways equal.
        text = read_short_text(data, self._engine.config.max_payload)
        if text is None or session.observers.functions or not session.receiver.short_message(text):
            self._receive_messages(session, data, now)
        # Most has been handled by now, and nothing waits.
        if session.inbound and session.lagging:
            self._notify()  # for now it is `paused`

    def data_to_send(self) -> list[bytes]:
        """The bytes to write next, in pieces: all there are, or `PULL` bytes and more of them."""
        self._awake = False
        session = self._session
        if session is not None:
            outbox = session.outbox
            if len(outbox) == 1 and not session.relieved and not session.observers.functions:
                # The same as `pull` does with one message, which nearly all pulls are.
                session.backlog = 0
                self.calm = not (session.inbound and session.lagging)
                encoded = outbox.pop()
                return [encoded.websocket_form or encoded.websocket]
            self.calm = False
            return [encoded.websocket for encoded in session.pull(PULL)] if outbox else []
        self.calm = False
        out: list[bytes] = []
        websocket, transport, deflate = self._websocket, self._transport, self._deflate
        if websocket.pending:
            out += websocket.data_to_send()
        if websocket.peer_close is None:
            size = 0
            # Compressed, what was pulled may be a small part of `PULL`.
            while size < PULL and (messages := transport.outgoing()):
                for encoded in messages:
                    frame = encoded.websocket if deflate is None else encoded.deflated(deflate)
                    size += len(frame)
                    out.append(frame)
        if transport.close_code is not None and (
            websocket.peer_close is not None or transport.drained
        ):
            if close := websocket.close(transport.close_code):
                out.append(close)
            if websocket.closed or websocket.failure is not None:
                self.closing = True
        if deflate is None:
            self._session = transport.carried
        return out

    @property
    def complete(self) -> bool:
        """Whether the peer has nothing more to say either, where `closing` says that we have not.

        After the closing handshake of a WebSocket it is the server that closes the
        connection, and at once (RFC 6455, section 7.1.1): many a client waits for that.
        """
        return self.closing and self._websocket.closed

    @property
    def paused(self) -> bool:
        """Whether the connection should not be read from; `wake` tells when to look again."""
        if not self._transport.congested:
            return False
        # Not by way of `_notify`: a driver that is still writing has not pulled since it was
        # woken last, and is woken all the same to read on.
        self._transport.when_relieved(self._wake)
        return True

    def lost(self) -> None:
        """The connection is gone; idempotent."""
        self.closing = self.closed = True
        self._awake = True
        self._session = None
        # Nobody is there to be woken; and what refers to itself is left to the collector.
        self._wake = self._transport.ready = nobody
        if self._timer is not None:
            self._timer.cancel()
        self._transport.lost()

    def finish(self) -> None:
        """It closes with its session, and is left alone here."""

    def _receive_messages(self, session: Session, data: bytes, now: float) -> None:
        """Take whole messages of an undisturbed session, and leave the rest to the plain way."""
        # 0.9 us less than `_receive_frames` takes for one (CPython 3.11).
        messages: list[str | bytes] = []
        end = read_whole_frames(data, 0, self._engine.config.max_payload, messages)
        try:
            for message in messages:
                session.receive(message, now)
        except RemoteProtocolError as error:
            self._session = None
            self._transport.fail(error)
        if end < len(data):
            self._receive_frames(data[end:], now)

    def _receive_frames(self, data: bytes, now: float) -> None:
        websocket, transport = self._websocket, self._transport
        for message in websocket.receive_data(data):
            transport.receive(message, now)
        if websocket.failure is not None:
            transport.fail(websocket.failure)
        elif websocket.peer_close is not None:
            transport.lost()
            transport.close_code = NORMAL_CLOSURE
        if websocket.pending or websocket.failure or websocket.peer_close:
            self._session = None
            if transport.close_code is not None and self._timer is None:
                # As `_end` does; but where the time is known nobody has to tell it.
                deadline = now + self._engine.config.close_timeout
                self._timer = self._engine.timers.at(deadline, self._timed_out)
            self._notify()
        elif transport.congested:
            self._notify()

    def _notify(self) -> None:
        if self._transport.close_code is not None:
            self._session = None
            self._end()
        if not self._awake:
            self._awake = True
            self._wake()

    def _end(self) -> None:
        """From here on the connection has `close_timeout` to come to its end."""
        if self._timer is None and not self.closed:
            timeout = self._engine.config.close_timeout
            self._timer = self._engine.timers.after(timeout, self._timed_out)

    def _timed_out(self, now: float) -> None:
        self.closing = self.closed = True
        # A driver whose write is stuck has not pulled since it was woken last.
        self._wake()
