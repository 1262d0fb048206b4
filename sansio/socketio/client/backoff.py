"""How long a client waits before it tries again (rules 83 and 84).

This module knows no clock and no chance of its own: entropy comes in, seconds go out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

MOST_DOUBLINGS: Final = 60
"""No delay is doubled more often: the reference's arithmetic ends in NaN, and a delay of zero,
after about a thousand failures (rule 83)."""


class Backoff:
    """Delays that double from `least` to `most` seconds, each up to `jitter` of itself off.

    The delay is capped before its jitter and after it: capped after it alone, as in the
    reference, all clients that have failed often enough would come back in the same instant.
    """

    __slots__ = ("_entropy", "attempts", "jitter", "least", "most")

    def __init__(
        self, least: float, most: float, jitter: float, entropy: Callable[[int], bytes]
    ) -> None:
        self.least: float = least
        self.most: float = most
        self.jitter: float = jitter
        self._entropy = entropy
        self.attempts: int = 0
        """How many delays there have been since the last success."""

    def next_delay(self) -> float:
        """Count one attempt more; how long (seconds) to wait for it."""
        delay = min(self.least * 2.0 ** min(self.attempts, MOST_DOUBLINGS), self.most)
        self.attempts += 1
        chance = int.from_bytes(self._entropy(4), "big") / 2**32
        return min(delay * (1 + self.jitter * (2 * chance - 1)), self.most)

    def reset(self) -> None:
        """The connection is there, or was until now."""
        self.attempts = 0
