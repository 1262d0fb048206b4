"""How much more a delivery of a broadcast costs at 2,000 recipients than at 200, and where.

`python -m benchmarks.floor [SERVER ...]`: beside our servers, `bare-sockets` shows what it costs
to do nothing but call `send` in a loop. The kernel's time is sampled 250 times a second or so:
many rounds tell it from the program's own.
"""

from __future__ import annotations

import argparse
import gc
import os
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from statistics import median
from typing import Final

from . import load, machine, messages
from .connections import Address, Connections
from .contestants import CONTESTANTS, Contestant, running
from .samples import busily

FEW: Final = 200
MANY: Final = 2_000
NEVER: Final = 300.0  # seconds between pings


@dataclass(frozen=True)
class Delivery:
    """What one costs: CPU microseconds."""

    program: float
    kernel: float

    @property
    def whole(self) -> float:
        """Both together."""
        return self.program + self.kernel

    def __str__(self) -> str:
        return f"{self.whole:.2f} (kernel {self.kernel:.2f})"


def measure(contestant: Contestant, cores: set[int], recipients: int, seconds: float) -> Delivery:
    """Start a server, and broadcast to so many until it has run for so many seconds.

    Raises Unavailable or ServerFailed.
    """
    with (
        running(contestant, cores, NEVER) as server,
        Connections(Address(server.port, contestant.bare)) as opened,
    ):
        opened.open(1)
        length = load.answer_length(opened, messages.BROADCAST, 1)
        opened.open(recipients - 1)
        with closing(load.BroadcastLoop(opened, messages.BROADCAST, length)) as loop:
            busily(server, seconds / 2, loop.run)
            cpu = machine.cpu_seconds(server.pid)
            kernel = machine.kernel_seconds(server.pid)
            count = busily(server, seconds, loop.run)
            kernel = (machine.kernel_seconds(server.pid) - kernel) / count * 1e6
            cpu = (machine.cpu_seconds(server.pid) - cpu) / count * 1e6
    return Delivery(cpu - kernel, kernel)


def middle(deliveries: Sequence[Delivery]) -> Delivery:
    """The medians."""
    return Delivery(
        median(each.program for each in deliveries), median(each.kernel for each in deliveries)
    )


def line(name: str, few: Delivery, many: Delivery) -> str:
    """What is printed of a server."""
    more = 100 * (many.whole / few.whole - 1)
    return (
        f"{name:12} {few!s:20} {many!s:20} {more:+4.0f} %:"
        f" program {many.program - few.program:+.2f}, kernel {many.kernel - few.kernel:+.2f}"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("server", nargs="*", default=["bare-sockets", "uvloop", "trio"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="that a server runs each time")
    parser.add_argument("--recipients", type=int, nargs=2, default=[FEW, MANY])
    options = parser.parse_args(arguments)
    names: list[str] = options.server
    sizes: list[int] = options.recipients
    everywhere = os.sched_getaffinity(0)
    server_core, load_core = machine.two_cores() or (min(everywhere), min(everywhere))
    machine.allow_many_files()
    found: dict[tuple[str, int], list[Delivery]] = {}
    gc.freeze()
    os.sched_setaffinity(0, {load_core})
    try:
        for _ in range(options.rounds):
            for name in names:
                for size in sizes:
                    sample = measure(CONTESTANTS[name], {server_core}, size, options.seconds)
                    found.setdefault((name, size), []).append(sample)
    finally:
        os.sched_setaffinity(0, everywhere)
        gc.unfreeze()
    print(f"{time.strftime('%Y-%m-%d')}, {machine.this_machine()}")
    print(f"CPU us a delivery, to {sizes[0]:,} and to {sizes[1]:,}, medians of {options.rounds}")
    for name in names:
        few, many = (middle(found[name, size]) for size in sizes)
        print(line(name, few, many))


if __name__ == "__main__":
    main()
