"""One Engine.IO session of a client, from its attempt to its one end.

The mirror image of `session.py`: it opens connections through its driver, and outlives them.
This module knows neither HTTP nor WebSocket.
"""

from __future__ import annotations

from collections.abc import Callable

from ..client_config import EngineClientConfig
from ..config import Transport
from ..errors import Reason
from ..timers import Timers
from .client_ends import EngineReceiver
from .client_states import ClientState
from .client_wire import ClientWire
from .cookies import CookieJar
from .encoded import Encoded
from .url import ServerAddress


class EngineClient:
    """One attempt to open a session, and that session.

    `dial` is given every connection that is to be made; it may not call back into the core
    before it returns. `entropy` makes masks, keys and timestamps. With `websocket_first` the
    session begins with WebSocket, whatever the order of the transports: what
    `remember_upgrade` asks for when `websocket_worked` was true of the session before.
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
        websocket_first: bool = False,
    ) -> None:
        self.id = ""
        """The session's secret id; empty before it is open (rule 97)."""
        self.state = ClientState.IDLE
        self.transport: Transport = "polling"
        """What carries it now, or is tried now."""
        self.max_payload = config.max_payload
        """The largest message that the server takes, in bytes."""
        self.backlog = 0
        """The bytes that wait to be sent."""
        self.websocket_worked = False
        """Whether a WebSocket reached the server: `websocket_first` of the next session."""

    def open(self, now: float) -> None:
        """Begin the attempt, at `now` (seconds); raises LocalProtocolError the second time."""
        raise NotImplementedError

    def send(self, encoded: Encoded) -> None:
        """Queue a message; no effect on a session that is being closed, or is over.

        Before the session is open it waits. Beyond the bounds of the backlog the session is
        closed with "send buffer full" (rule 98). Raises LocalProtocolError for text with
        U+001E in it, which polling cannot carry.
        """
        raise NotImplementedError

    def close(self) -> None:
        """End it in good order; idempotent.

        What was sent before goes out, and an upgrade that is under way comes to its end
        (rule 39); then the receiver is told "forced close", after `close_timeout` at the
        latest. Until then messages still come in. An attempt ends at once.
        """
        raise NotImplementedError

    def abort(self, reason: Reason, error: Exception | None = None) -> None:
        """End it at once, whatever its state; idempotent."""
        raise NotImplementedError

    @property
    def writable(self) -> bool:
        """Whether what is sent now goes out now: what a volatile emit asks (rule 72)."""
        raise NotImplementedError

    @property
    def congested(self) -> bool:
        """Whether `pause_backlog` bytes or more wait to be sent."""
        raise NotImplementedError

    def when_relieved(self, callback: Callable[[], None]) -> None:
        """Call back once, when some of the backlog has gone, or all is over."""
        raise NotImplementedError

    def hold(self) -> None:
        """A message waits for its handler; at `max_inbound` the server is not read from."""
        raise NotImplementedError

    def release(self) -> None:
        """A message that was held has been handled."""
        raise NotImplementedError
