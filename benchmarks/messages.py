"""Measurements over connections that stay open: messages that come back, and broadcasts."""

from __future__ import annotations

from contextlib import closing
from typing import Final

from . import frames, load
from .connections import Address, Connections
from .contestants import Running
from .machine import Meter
from .samples import Effort, Measure, Sample, busily, steady

CONNECTIONS: Final = 100
WORD: Final = "x" * 32
POLLERS: Final = 20
ECHO: Final = frames.text(f'42["echo","{WORD}"]')
BROADCAST: Final = frames.text(f'42["broadcast","{WORD}"]')


def requests(request: bytes, answers: int = 1) -> Measure:
    """Send a request, whose answer has so many frames, over each of the connections."""

    def measure(server: Running, effort: Effort) -> Sample:
        with Connections(Address(server.port, server.contestant.bare)) as opened:
            opened.open(CONNECTIONS)
            length = load.answer_length(opened, request, answers)
            with closing(load.RequestLoop(opened, request, length)) as loop:
                return steady(server, effort, loop.run)

    return measure


def binary(size: int) -> Measure:
    """Echo an event with one attachment of so many bytes."""
    packet = '451-["echo",{"_placeholder":true,"num":0}]'
    return requests(frames.text(packet) + frames.frame(frames.BINARY, b"x" * size), answers=2)


def broadcast(recipients: int) -> Measure:
    """Send one event to all, one at a time; counted are the deliveries."""

    def measure(server: Running, effort: Effort) -> Sample:
        with Connections(Address(server.port, server.contestant.bare)) as opened:
            opened.open(1)
            length = load.answer_length(opened, BROADCAST, 1)
            opened.open(recipients - 1)
            with closing(load.BroadcastLoop(opened, BROADCAST, length)) as loop:
                return steady(server, effort, loop.run)

    return measure


def polling(server: Running, effort: Effort) -> Sample:
    """Shake hands by long-polling, over TCP connections that are kept."""
    with Connections(Address(server.port)) as opened:
        opened.open_unasked(POLLERS)
        length = load.response_length(opened, frames.POLLING)
        with closing(load.RequestLoop(opened, frames.POLLING, length)) as loop:
            return steady(server, effort, loop.run)


def latency(server: Running, effort: Effort) -> Sample:
    """Echo at half of what the server can do: milliseconds from the due moment to the answer."""
    with Connections(Address(server.port, server.contestant.bare)) as opened:
        opened.open(CONNECTIONS)
        length = load.answer_length(opened, ECHO, 1)
        with closing(load.RequestLoop(opened, ECHO, length)) as full:
            busily(server, effort.warm_up, full.run)
            capacity = full.run(effort.seconds) / effort.seconds
            full.finish()
        with closing(load.OpenLoop(opened, ECHO, length)) as loop:
            meter = Meter(server.pid)
            latencies, delays = loop.run(effort.seconds, capacity / 2)
            usage = meter.read()
    details = {f"p{rank:g}": at(latencies, rank) for rank in (50, 90, 99, 99.9)}
    details |= {"sent late p99": at(delays, 99), "per second": len(latencies) / usage.wall}
    return Sample(details["p99"], usage.foreign, details)


def at(seconds: list[float], rank: float) -> float:
    """Return the value below which so many percent of the others lie, in milliseconds."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(len(ordered) * rank / 100))] * 1000
