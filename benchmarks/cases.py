"""The cases: what each one does to a server, and what it measures.

A case is given a server that has just been started, and returns one sample. It knows nothing of
rounds, of other servers and of the report.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Final

from . import frames, load
from .connections import Address, Connections, ServerFailed
from .contestants import Running
from .machine import Meter

CONNECTIONS: Final = 100
NEVER: Final = 300.0  # seconds between pings where heartbeats would only disturb
USUAL: Final = 25.0
WORD: Final = "x" * 32


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


@dataclass(frozen=True)
class Case:
    """A kind of load by its name."""

    name: str
    title: str
    unit: str
    measure: Callable[[Running, Effort], Sample]
    ping_interval: float = NEVER
    bare: bool = True
    """Whether it means something for a server of bare WebSocket."""
    default: bool = True
    """Whether it runs unless it is asked for by name."""


def requests(
    request: bytes, answers: int = 1, connections: int = CONNECTIONS
) -> Callable[[Running, Effort], Sample]:
    """Send a request, whose answer has so many frames, over each of the connections."""

    def measure(server: Running, effort: Effort) -> Sample:
        address = Address(server.port, server.contestant.bare)
        with Connections(address) as opened:
            opened.open(connections)
            length = load.answer_length(opened, request, answers)
            with closing(load.RequestLoop(opened, request, length)) as loop:
                return steady(server, effort, loop.run)

    return measure


def steady(server: Running, effort: Effort, run: Callable[[float], int]) -> Sample:
    """Load the server, and measure when it is warm: CPU microseconds for each that is counted."""
    run(effort.warm_up)
    meter = Meter(server.pid)
    count = run(effort.seconds)
    usage = meter.read()
    if not count:
        raise ServerFailed(f"nothing was done in {effort.seconds} s")
    details = {"per_second": count / usage.wall, "server_core": usage.cpu / usage.wall}
    return Sample(usage.cpu / count * 1e6, usage.foreign, details)


def broadcast(recipients: int) -> Callable[[Running, Effort], Sample]:
    """One event to all, one at a time; counted are the deliveries."""
    request = frames.text(f'42["broadcast","{WORD}"]')

    def measure(server: Running, effort: Effort) -> Sample:
        address = Address(server.port, server.contestant.bare)
        with Connections(address) as opened:
            opened.open(1)
            length = load.answer_length(opened, request, 1)
            opened.open(recipients - 1)
            with closing(load.BroadcastLoop(opened, request, length)) as loop:
                return steady(server, effort, loop.run)

    return measure


def binary(size: int) -> Callable[[Running, Effort], Sample]:
    """An event with one attachment of so many bytes, echoed."""
    packet = '451-["echo",{"_placeholder":true,"num":0}]'
    return requests(frames.text(packet) + frames.frame(frames.BINARY, b"x" * size), answers=2)


CASES: Final = {
    case.name: case
    for case in (
        Case(
            "echo",
            f"echo of one event, {CONNECTIONS} connections",
            "CPU µs a message",
            requests(frames.text(f'42["echo","{WORD}"]')),
        ),
        Case(
            "ack",
            f"acknowledgement of one event, {CONNECTIONS} connections",
            "CPU µs a message",
            requests(frames.text(f'421["ack","{WORD}"]')),
            bare=False,
        ),
        *(
            Case(f"broadcast-{n}", f"broadcast to {n:,}", "CPU µs a delivery", broadcast(n))
            for n in (10, 200, 2_000)
        ),
        *(
            Case(
                f"binary-{size}",
                f"echo of an event with {size:,} bytes of binary data",
                "CPU µs a message",
                binary(size),
            )
            for size in (32, 1_024, 65_536)
        ),
    )
}
