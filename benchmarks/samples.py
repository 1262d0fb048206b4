"""What a measurement is: how long it takes, what it gives, and the steady load that most are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .connections import ServerFailed
from .contestants import Running
from .machine import Meter


@dataclass(frozen=True)
class Sample:
    """One measurement of one server."""

    value: float
    """In the unit of the case."""
    foreign: float = 0.0
    """Cores that others kept busy meanwhile."""
    details: Mapping[str, float] = field(default_factory=dict[str, float])
    """What else was seen, by name."""


@dataclass(frozen=True)
class Effort:
    """How long a sample takes, in seconds: before it is measured, and while it is."""

    warm_up: float
    seconds: float


Measure = Callable[[Running, Effort], Sample]
"""Loads a server that has just been started. Raises ServerFailed."""


def steady(server: Running, effort: Effort, run: Callable[[float], int]) -> Sample:
    """Load the server, and measure when it is warm: CPU microseconds for each that is counted.

    `run` goes on for so many seconds and returns how many there were. Raises ServerFailed.
    """
    run(effort.warm_up)
    meter = Meter(server.pid)
    count = run(effort.seconds)
    usage = meter.read()
    if not count:
        raise ServerFailed(f"nothing was done in {effort.seconds} s")
    details = {"per second": count / usage.wall, "server's core": usage.cpu / usage.wall}
    return Sample(usage.cpu / count * 1e6, usage.foreign, details)
