"""The cases: each kind of load by its name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from . import crowds, frames, messages
from .contestants import Contestant
from .samples import Measure

NEVER: Final = 300.0  # seconds between pings where heartbeats would only disturb
USUAL: Final = 25.0

Runs = Literal["always", "thorough", "asked"]
"""Also in a quick run, not in a quick one, or only when it is asked for by name."""


@dataclass(frozen=True)
class Case:
    """A kind of load by its name."""

    name: str
    title: str
    unit: str
    measure: Measure
    ping_interval: float = NEVER
    """What the server is told, in seconds."""
    bare: bool = True
    """Whether it means something for a server of bare WebSocket."""
    to_all: bool = False
    """Whether one client's event is to reach all the others, which needs a single process."""
    runs: Runs = "always"
    most_rounds: int = 1_000
    """More rounds would tell nothing new."""

    def suits(self, server: Contestant) -> bool:
        """Can it be asked of this server?"""
        return (self.bare or not server.bare) and (not self.to_all or server.workers == 1)


# Recipients, bytes and connections.
BROADCASTS: Final[list[tuple[int, Runs]]] = [
    (10, "thorough"),
    (200, "always"),
    (2_000, "always"),
]
BINARIES: Final[list[tuple[int, Runs]]] = [
    (32, "always"),
    (1_024, "thorough"),
    (65_536, "always"),
]
CROWDS: Final[list[tuple[int, Runs]]] = [(1_000, "always"), (10_000, "thorough")]

CASES: Final = {
    case.name: case
    for case in (
        Case(
            "echo",
            f"an event with 32 bytes, echoed; {messages.CONNECTIONS} connections",
            "CPU µs a message",
            messages.requests(messages.ECHO),
        ),
        Case(
            "ack",
            f"an event with 32 bytes, acknowledged; {messages.CONNECTIONS} connections",
            "CPU µs a message",
            messages.requests(frames.text(f'421["ack","{messages.WORD}"]')),
            bare=False,
        ),
        *(
            Case(
                f"broadcast-{count}",
                f"an event with 32 bytes to {count:,} connections",
                "CPU µs a delivery",
                messages.broadcast(count),
                to_all=True,
                runs=runs,
            )
            for count, runs in BROADCASTS
        ),
        *(
            Case(
                f"binary-{size}",
                f"an event with {size:,} bytes of binary data, echoed",
                "CPU µs a message",
                messages.binary(size),
                runs=runs,
            )
            for size, runs in BINARIES
        ),
        Case(
            "connect",
            "open a WebSocket, connect to the main namespace, close",
            "CPU µs a connection",
            crowds.connect,
        ),
        Case(
            "polling",
            f"handshakes by long-polling over {messages.POLLERS} kept TCP connections",
            "CPU µs a request",
            messages.polling,
            ping_interval=USUAL,  # or the sessions, whose clients are gone, would all stay
            bare=False,
        ),
        *(
            Case(
                f"memory-{count}",
                f"{count:,} idle connections",
                "KiB of resident memory a connection",
                crowds.memory(count),
                runs=runs,
                most_rounds=2,
            )
            for count, runs in CROWDS
        ),
        Case(
            "latency",
            "echo at 50 % of the server's own capacity",
            "ms at the 99th percentile",
            messages.latency,
        ),
        Case(
            "idle-10000",
            f"10,000 idle connections, pings every {crowds.REAL_INTERVAL:.0f} s",
            "% of a core",
            crowds.idle(10_000),
            ping_interval=crowds.SHORT_INTERVAL,
            bare=False,
            runs="asked",
            most_rounds=2,
        ),
    )
}
