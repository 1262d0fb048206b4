"""What a client has sent and its server has not taken yet, and what it has not handled yet.

This module knows no transport and no state: it counts, against the bounds of the options.
"""

from __future__ import annotations

from collections import deque

from ...client_config import EngineClientConfig
from ..encoded import Encoded
from ..flow import Flow


class ClientOutbox(Flow[EngineClientConfig]):
    """The messages that wait, in their order, and who waits for them to go."""

    __slots__ = ("_messages", "size")

    def __init__(self, config: EngineClientConfig) -> None:
        super().__init__(config)
        self._messages: deque[Encoded] = deque()
        self.size: int = 0
        """The bytes that wait."""

    def __len__(self) -> int:
        return len(self._messages)

    def append(self, encoded: Encoded) -> bool:
        """Add a message; whether the bounds still hold (rule 98)."""
        self._messages.append(encoded)
        self.size += encoded.size
        limit = self._config.max_backlog_messages
        return self.size <= self._config.max_backlog and len(self._messages) <= limit

    def take(self) -> Encoded | None:
        """Take one message off, if there is one."""
        if not self._messages:
            return None
        taken = self._messages.popleft()
        self.size -= taken.size
        if self.relieved:
            self.relieve()
        return taken

    def pull(self, size: float) -> list[Encoded]:
        """Take messages off until they are `size` bytes or more, or none is left."""
        taken: list[Encoded] = []
        while self._messages and size > 0:
            taken.append(self._messages.popleft())
            size -= taken[-1].size
            self.size -= taken[-1].size
        if taken and self.relieved:
            self.relieve()
        return taken

    def clear(self) -> None:
        """Nothing of it will be sent."""
        self._messages.clear()
        self.size = 0
        self.relieve()

    @property
    def congested(self) -> bool:
        """Whether `pause_backlog` bytes or more wait."""
        return self.size >= self._config.pause_backlog

    @property
    def full(self) -> bool:
        """Whether they lag so far behind that nothing more is read at all."""
        config = self._config
        return (
            self.inbound >= config.max_inbound + config.max_surplus
            or self.inbound_bytes >= config.max_inbound_bytes + config.max_surplus_bytes
        )
