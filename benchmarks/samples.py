"""What a measurement is: how long it takes, what it gives, and the steady load that most are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Final

from .connections import ServerFailed
from .contestants import Running
from .machine import Meter, cpu_seconds

PATIENT: Final = 5


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
    """How long a sample takes, before it is measured and while it is: seconds that the server runs.

    Not seconds that pass: on a busy machine it would be cold still when it is measured.
    """

    warm_up: float
    seconds: float


Measure = Callable[[Running, Effort], Sample]
"""Loads a server that has just been started. Raises ServerFailed."""


def steady(server: Running, effort: Effort, run: Callable[[float], int]) -> Sample:
    """Load the server, and measure when it is warm: CPU microseconds for each that is counted.

    `run` goes on for so many seconds and returns how many there were. Raises ServerFailed.
    """
    busily(server, effort.warm_up, run)
    meter = Meter(server.pid)
    count = busily(server, effort.seconds, run)
    usage = meter.read()
    if not count:
        raise ServerFailed(f"nothing was done in {usage.wall:.1f} s")
    details = {"per second": count / usage.wall, "server's core": usage.cpu / usage.wall}
    return Sample(usage.cpu / count * 1e6, usage.foreign, details)


def busily(server: Running, seconds: float, run: Callable[[float], int]) -> int:
    """Go on until the server has run for so many seconds; return how many there were.

    What others leave of its core, and what the load can do, sets how long that takes: PATIENT
    times as long at most.
    """
    end = perf_counter() + PATIENT * seconds
    begin = cpu_seconds(server.pid)
    count = 0
    while (left := seconds - cpu_seconds(server.pid) + begin) > 0 and perf_counter() < end:
        count += run(max(left, seconds / 20))
    return count
