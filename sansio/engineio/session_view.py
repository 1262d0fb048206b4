"""What an application sees of a session, whatever stands on it.

This module does not know what a session carries, nor who else looks at it.
"""

from __future__ import annotations

from typing import Final

from ..config import Transport
from ..errors import Reason
from ..observable import Observable
from ..observers import Observers
from ..request import Request
from .session import Session


class SessionView(Observable):
    """One client's session as far as anybody may see it and end it.

    Its events are `SESSION_EVENTS`, for plain functions that are called at once; what they
    raise is logged.
    """

    __slots__ = ("_session",)

    protocol: Final = 4
    """The revision of Engine.IO that it speaks."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def _registered(self) -> Observers:
        return self._session.own_observers

    @property
    def transport(self) -> Transport:
        """What carries it now, or carried it last: "polling" or "websocket"."""
        return self._session.transport

    @property
    def request(self) -> Request:
        """The request of its handshake, without a body."""
        return self._session.request

    @property
    def connected(self) -> bool:
        """Whether it is not over, so that messages still come and go."""
        return not self._session.over

    def close(self) -> None:
        """End it, after what was sent; no effect once it is over."""
        self._session.close(Reason.FORCED_CLOSE)
