"""One message for many sessions: queued for all of them at once, and sent in portions.

A broadcast to ten thousand clients would otherwise hold the event loop while it wakes ten
thousand connections. This module does not know who broadcasts, or what.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from ..config import EngineConfig
from ..portions import Portions
from .encoded import Encoded
from .events import tell_all_created
from .session import Session
from .states import State

OBSERVED: Final = 3
"""As how many one counts that observers are told of: its connection goes the longer way."""


class Fanout:
    """What queues a message for many, and tells their carriers afterwards.

    Each session has it in its outbox when `send` returns, so whatever is sent later comes later.
    """

    __slots__ = ("_config", "_portions")

    def __init__(self, config: EngineConfig, portions: Portions) -> None:
        self._config = config
        self._portions = portions

    def send(self, sessions: Iterable[Session], encoded: Encoded, weight: int = 1) -> None:
        """Do for each what `Session.send` does, but tell the carriers of many in portions.

        These are smaller where each delivery has a `weight`: because it brings an answer.
        """
        # 0.5 us for one recipient of 10,000, instead of 1.0 with `Session.send` (CPython 3.11).
        # test_fanout.py holds both equal.
        size = encoded.size
        max_backlog, max_messages = self._config.max_backlog, self._config.max_backlog_messages
        untold: list[Session] = []
        observed: list[Session] = []
        for session in sessions:
            if session.over:
                continue
            outbox = session.outbox
            if not outbox:
                # Otherwise its carrier has been told, or is about to be.
                untold.append(session)
            outbox.append(encoded)
            session.backlog = backlog = session.backlog + size
            if backlog > max_backlog or len(outbox) > max_messages:
                session.overflow()
            elif session.observers.functions:
                observed.append(session)
        if observed:
            weight *= OBSERVED
            tell_all_created(observed, encoded)
        if len(untold) * weight <= self._portions.at_once:
            tell(untold)
        else:
            self._portions.do(tell, untold, weight)


def tell(sessions: Sequence[Session]) -> None:
    """Tell their carriers, of those sessions that still have something to send."""
    for session in sessions:
        if session.outbox and session.carrier is not None and session.state is not State.CLOSED:
            session.carrier.ready()
