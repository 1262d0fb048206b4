"""The engine under a client, as an application may see it: one session after another.

This module does not know when an attempt is made, nor what stands on the session.
"""

from __future__ import annotations

from collections.abc import Callable

from ...client_config import EngineClientConfig
from ...config import Transport
from ...observable import Observable
from ...observers import Observers
from ...runtime import Log
from ...timers import Timers
from .client import EngineClient
from .cookies import CookieJar
from .ends import EngineReceiver
from .events import client_observers
from .url import ServerAddress
from .wire import ClientWire


class ClientEngine(Observable):
    """What carries a client: its session of now, and who is told what happens to any of them.

    Its events are `CLIENT_EVENTS`, of this session and of all that come after it, for plain
    functions that are called at once; what they raise is logged.
    """

    def __init__(
        self,
        address: ServerAddress | None = None,
        *,
        timers: Timers,
        dial: Callable[[ClientWire], None],
        entropy: Callable[[int], bytes],
        log: Log,
    ) -> None:
        self.address: ServerAddress | None = address
        """The server; None until `move` says where it is."""
        self.cookies: CookieJar = CookieJar()
        """What it has set, kept over all sessions."""
        self.session: EngineClient | None = None
        """That of the last attempt; None before the first."""
        self._timers = timers
        self._dial = dial
        self._entropy = entropy
        self._observers = client_observers(log)

    def __repr__(self) -> str:
        state = "open" if self.connected else "closed"
        return f"<{type(self).__name__} {self.transport} {state}>"

    def _registered(self) -> Observers:
        return self._observers

    # For the application

    @property
    def id(self) -> str:
        """The id of the session, a secret (rule 97); empty where none has been opened."""
        return "" if self.session is None else self.session.id

    @property
    def transport(self) -> Transport | None:
        """What carries the session: "polling" or "websocket"; None before the first attempt."""
        return None if self.session is None else self.session.transport

    @property
    def subprotocol(self) -> str | None:
        """That of the WebSocket that carries it, as the server has chosen it from `protocols`."""
        return None if self.session is None else self.session.subprotocol

    @property
    def connected(self) -> bool:
        """Whether the server has shaken hands, and the session is not over."""
        return self.session is not None and self.session.is_open

    @property
    def backlog(self) -> int:
        """The bytes that wait for the server: see `max_backlog`."""
        return 0 if self.session is None else self.session.backlog

    def close(self) -> None:
        """End the session after what was sent, with "forced close"; no effect without one.

        It is a connection that was lost, for the client on it.
        """
        if self.session is not None:
            self.session.close()

    # For the client

    def move(self, address: ServerAddress) -> None:
        """The server of the next session; what another one has set is none of its business."""
        if self.address is not None and self.address.target != address.target:
            self.cookies = CookieJar()
        self.address = address

    def new_session(self, config: EngineClientConfig, receiver: EngineReceiver) -> EngineClient:
        """The session of one attempt more, with the options as they are now."""
        assert self.address is not None
        before = self.session
        self.session = EngineClient(
            self.address,
            config,
            receiver,
            timers=self._timers,
            dial=self._dial,
            cookies=self.cookies,
            entropy=self._entropy,
            observers=self._observers,
            websocket_first=before is not None and before.websocket_worked,
        )
        return self.session
