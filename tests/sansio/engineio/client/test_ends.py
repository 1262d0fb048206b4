"""What stands on a client's session is a matter of type checkers; here it can be written."""

from __future__ import annotations

from sansocket.sansio.engineio.client.ends import EngineReceiver
from sansocket.sansio.errors import Reason


class Silent:
    """Takes everything."""

    def opened(self, now: float) -> None:
        """Nothing to do."""

    def message(self, data: str | bytes, now: float) -> None:
        """Nothing to do."""

    def pinged(self) -> None:
        """Nothing to do."""

    def closed(self, reason: Reason, error: Exception | None) -> None:
        """Nothing to do."""


def test_a_receiver_is_four_functions() -> None:
    receiver: EngineReceiver = Silent()
    receiver.opened(0.0)
    receiver.message("", 0.0)
    receiver.pinged()
    receiver.closed(Reason.FORCED_CLOSE, None)
