"""How bad a simulated network is. Nothing here happens by itself: the network draws lots."""

from __future__ import annotations

from dataclasses import dataclass, fields
from random import Random
from typing import Final

CHANCES: Final = ("split", "refused", "unreachable", "duplicated", "reset")
RATES: Final = ("cut", "half_cut", "silence", "one_way", "stall", "freeze")


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """What connections suffer; without any arguments, a network that is only not instant.

    Chances are from 0 to 1. Rates are events per second of one connection's life, and each
    connection suffers at most one of `cut`, `half_cut`, `silence` and `one_way`, which end it.
    Times are in seconds. Raises ValueError for what is out of its range.
    """

    latency: tuple[float, float] = (0.001, 0.1)
    """Between which times a connection's own delay lies: so requests on different connections
    overtake one another."""
    jitter: float = 0.5
    """By how much of the delay each arrival may be later."""
    split: float = 0.0
    """Chance that what arrives arrives in parts, cut anywhere."""
    refused: float = 0.0
    """Chance that a connection is refused."""
    unreachable: float = 0.0
    """Chance that a connection neither comes about nor fails, for two minutes."""
    duplicated: float = 0.0
    """Chance that the first request of a connection, where it is one for a session, reaches
    the server twice, over another connection whose answers nobody reads."""
    reset: float = 0.0
    """Chance that a side which closes a connection with bytes unread loses what it sent last."""
    cut: float = 0.0
    """Rate of connections that break, which both sides are told of."""
    half_cut: float = 0.0
    """Rate of connections that break, which one side is told of and the other is not."""
    silence: float = 0.0
    """Rate of connections that carry nothing from then on, without a word to either side."""
    one_way: float = 0.0
    """Rate of connections that carry nothing in one direction from then on, without a word."""
    stall: float = 0.0
    """Rate at which a connection rests in one direction, for up to `pause`."""
    freeze: float = 0.0
    """Rate at which the client or the server stands still, as a suspended laptop does."""
    pause: float = 10.0
    """How long a stall or a standstill lasts at most."""

    def __post_init__(self) -> None:
        least, most = self.latency
        if not 0 <= least <= most:
            raise ValueError(f"latency: expected two times in their order, got {self.latency!r}")
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in CHANCES and not 0 <= value <= 1:
                raise ValueError(f"{field.name}: expected a chance, got {value!r}")
            if field.name != "latency" and not value >= 0:
                raise ValueError(f"{field.name}: expected no less than zero, got {value!r}")

    def next(self, random: Random) -> tuple[float, str] | None:
        """In how many seconds a connection suffers something, and which of `RATES`; or None."""
        rates: list[float] = [getattr(self, name) for name in RATES]
        total = sum(rates)
        if not total:
            return None
        [name] = random.choices(RATES, rates)
        return random.expovariate(total), name


CALM: Final = Faults()
"""Delays, and nothing else."""

STORMY: Final = Faults(
    latency=(0.001, 0.4),
    jitter=1.0,
    split=0.2,
    refused=0.1,
    unreachable=0.03,
    duplicated=0.05,
    reset=0.5,
    cut=0.02,
    half_cut=0.01,
    silence=0.005,
    one_way=0.01,
    stall=0.05,
    freeze=0.005,
)
"""All of it, often."""
