"""One TCP connection of a client: bytes in, bytes out.

It carries one HTTP request after another, or becomes a WebSocket. Here the server's errors
end, as far as they are errors of HTTP and of frames: whoever has sent the request is told.

A request is never sent twice: the server may have done what it says, and its messages would
arrive twice. So a connection that has been idle for `KEEP_ALIVE` is not used again, for a
server may be about to close it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ...client_config import EngineClientConfig
from ...errors import LocalProtocolError, RemoteProtocolError
from ...timers import Timer, Timers
from ..websocket_transport import PULL
from .ends import WebSocketUser, WireUser
from .http import Answer, HttpClient, HttpRequest
from .url import Target
from .websocket import ClientWebSocket, check_answer

KEEP_ALIVE: Final = 4.0
"""Seconds for which an idle connection is kept: Node closes its own after five."""


def nothing() -> None:
    """Nobody listens yet, or any more."""


class ClientWire:
    """Bytes of one connection to and from the core.

    A driver is given it by `dial`: it sets `wake`, connects to `target` and calls `connected`
    or `failed`. From then on it is as with a `ServerWire`: the driver feeds what it reads to
    `receive_data`, and writes what `data_to_send` returns whenever `wake` was called and it
    can write, until that is nothing. After each of these, and whenever it is woken, it looks
    at `closing` (write the rest, tell the server that nothing more comes, read on), `closed`
    (close now, or stop connecting) and `paused` (do not read until woken). It calls `lost`
    when the connection is gone, whoever closed it.
    """

    __slots__ = (
        "_awake",
        "_config",
        "_connected",
        "_ending",
        "_entropy",
        "_http",
        "_key",
        "_request",
        "_timer",
        "_timers",
        "_user",
        "_websocket",
        "_websocket_user",
        "closed",
        "closing",
        "target",
        "wake",
    )

    destination: Final = None
    """It never leaves for another worker."""
    successor: Final = None
    """It carries its connection to the end."""
    calm: Final = False
    """Something always has to be looked at."""

    def __init__(
        self,
        target: Target,
        config: EngineClientConfig,
        timers: Timers,
        entropy: Callable[[int], bytes],
    ) -> None:
        self.target: Target = target
        """What to connect to."""
        self.wake: Callable[[], None] = nothing
        """Set by the driver; may be called at any time, and may not call back into the core
        but for `data_to_send`."""
        self.closing: bool = False
        """Nothing comes after what `data_to_send` returns next."""
        self.closed: bool = False
        """The connection is to be closed now, whatever waits."""
        self._config = config
        self._timers = timers
        self._entropy = entropy
        self._http = HttpClient(max_body=config.max_payload)
        self._request: HttpRequest | None = None
        self._user: WireUser | None = None
        self._key = ""
        self._websocket: ClientWebSocket | None = None
        self._websocket_user: WebSocketUser | None = None
        self._timer: Timer | None = None
        self._connected = False
        self._awake = False
        self._ending = False

    # For the driver

    def connected(self, now: float) -> None:
        """The connection has been made, with TLS where the target asks for it."""
        self._timers.catch_up(now)
        self._connected = True
        if self._request is not None:
            self.notify()

    def failed(self, error: Exception, now: float) -> None:
        """The connection could not be made; `error` says why."""
        self._timers.catch_up(now)
        self._break(error)
        self.lost()

    def receive_data(self, data: bytes, now: float) -> None:
        """Take bytes that were read, at `now` (seconds); never raises for what they are.

        What is due by then happens first, however late the driver's own timer is.
        """
        self._timers.catch_up(now)
        if self._websocket is not None:
            self._receive_frames(self._websocket, data, now)
        elif not self.closing:
            try:
                self._http.receive_data(data)
                answer = self._http.next_answer()
                if answer is not None:
                    self._answered(answer, now)
            except RemoteProtocolError as error:
                self._break(error)
            if not self._http.reusable and self._user is None and self._websocket is None:
                self.close()

    def data_to_send(self) -> list[bytes]:
        """The bytes to write next, in pieces: all there are, or `PULL` bytes and more of them."""
        self._awake = False
        websocket, user = self._websocket, self._websocket_user
        if websocket is not None and user is not None:
            return self._frames_to_send(websocket, user)
        request = self._request
        if request is None or not self._connected:
            return []
        self._request = None
        return [self._http.send(request)]

    @property
    def paused(self) -> bool:
        """Whether the connection should not be read from; `wake` tells when to look again."""
        user = self._websocket_user
        if user is None or self.closing or not user.congested:
            return False
        user.when_relieved(self.wake)
        return True

    @property
    def complete(self) -> bool:
        """Whether the connection can be closed without waiting for the peer to do so.

        Never for a client: after the closing handshake of a WebSocket it is the server that
        closes (RFC 6455, section 7.1.1), and it has `close_timeout` for that.
        """
        return False

    def finish(self) -> None:
        """Send what there is and close it: the driver comes to its end."""
        self.close()

    def lost(self) -> None:
        """The connection is gone; idempotent."""
        self.closing = self.closed = True
        self._awake = self._ending = True
        self._stop_timer()
        self.wake = nothing
        user = self._websocket_user
        if self._websocket is not None and user is not None:
            self._websocket_user = None
            user.disconnected()
        else:
            self._break(ConnectionError("the connection was closed before the answer had come"))

    # For the transports

    @property
    def available(self) -> bool:
        """Whether it can take a request."""
        free = self._user is None and self._websocket is None and not self.closing
        return free and self._http.reusable

    @property
    def switched(self) -> bool:
        """Whether it has become a WebSocket."""
        return self._websocket is not None

    def request(self, request: HttpRequest, user: WireUser) -> None:
        """Send a request as soon as there is a connection; raises LocalProtocolError if busy."""
        if not self.available:
            raise LocalProtocolError("the wire cannot take a request now")
        self._request, self._user = request, user
        self._stop_timer()
        if self._config.request_timeout is not None:
            self._timer = self._timers.after(self._config.request_timeout, self._timed_out)
        if self._connected:
            self.notify()

    def upgrade(self, request: HttpRequest, key: str, user: WebSocketUser) -> None:
        """Become a WebSocket; `key` is the Sec-WebSocket-Key of the request."""
        self.request(request, user)
        self._key = key
        self._websocket_user = user

    def notify(self) -> None:
        """There is something to send, or to look at."""
        user = self._websocket_user
        if self._websocket is not None and user is not None and user.close_code is not None:
            self._end()
        if not self._awake:
            self._awake = True
            self.wake()

    def close(self) -> None:
        """Close it; whoever waits for an answer is not told."""
        self._request = self._user = self._websocket_user = None
        if self.closing:
            return
        self.closing = True
        if not self._connected:
            self.closed = True
        self._end()
        self.notify()

    def abort(self) -> None:
        """Close it now, whatever waits: the server does not answer."""
        self.close()
        self.closed = True
        self._stop_timer()
        self.wake()

    # HTTP

    def _answered(self, answer: Answer, now: float) -> None:
        user, self._user = self._user, None
        self._stop_timer()
        if self._http.switched and self._websocket_user is not None:
            self._switch(answer, self._websocket_user, now)
            return
        self._websocket_user = None
        if user is not None:
            user.answered(answer, now)
        if self.available and self._request is None:
            self._stop_timer()
            self._timer = self._timers.at(now + KEEP_ALIVE, lambda now: self.close())

    def _timed_out(self, now: float) -> None:
        self._break(TimeoutError(f"no answer within {self._config.request_timeout} s"))

    def _break(self, error: Exception) -> None:
        """Tell whoever waits for an answer that none will come."""
        user = self._user
        self.close()
        if user is not None:
            user.broken(error)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # The end

    def _end(self) -> None:
        """From here on the connection has `close_timeout` to come to its end."""
        if not self._ending:
            self._ending = True
            self._stop_timer()
            self._timer = self._timers.after(self._config.close_timeout, self._expire)

    def _expire(self, now: float) -> None:
        self._timer = None
        self.closing = self.closed = True
        self.wake()

    # WebSocket

    def _switch(self, answer: Answer, user: WebSocketUser, now: float) -> None:
        """Become a WebSocket; raises RemoteProtocolError for an answer that is no agreement."""
        deflate = self._config.deflate
        try:
            agreed = check_answer(
                answer.headers,
                self._key.encode("ascii"),
                protocols=self._config.protocols,
                offered=deflate is not None,
            )
        except RemoteProtocolError as error:
            self.close()
            user.broken(error)
            return
        self._websocket = ClientWebSocket(
            max_message=self._config.max_payload,
            entropy=self._entropy,
            deflate=deflate if agreed.deflates else None,
            base64=self._config.force_base64,
        )
        user.switched(agreed, now)
        self._receive_frames(self._websocket, self._http.trailing_data(), now)

    def _frames_to_send(self, websocket: ClientWebSocket, user: WebSocketUser) -> list[bytes]:
        out = websocket.data_to_send() if websocket.pending else []
        open_ = websocket.peer_close is None and websocket.failure is None
        if open_:
            size = 0
            # Compressed, what was pulled may be a small part of `PULL`.
            while size < PULL and (messages := user.outgoing()):
                for encoded in messages:
                    frames = websocket.frames(encoded)
                    size += sum(map(len, frames))
                    out += frames
        if user.close_code is not None and (not open_ or user.drained):
            if close := websocket.close(user.close_code):
                out.append(close)
            if not open_:
                self.closing = True
        return out

    def _receive_frames(self, websocket: ClientWebSocket, data: bytes, now: float) -> None:
        if websocket.failure is not None or websocket.peer_close is not None:
            return  # its user has been told
        for message in websocket.receive_data(data):
            if self._websocket_user is None:
                return
            self._websocket_user.receive(message, now)
        user = self._websocket_user
        if user is None:
            return
        if websocket.failure is not None:
            user.broken(websocket.failure)
        elif websocket.peer_close is not None:
            user.disconnected()
        if websocket.pending or websocket.failure or websocket.peer_close:
            self.notify()
