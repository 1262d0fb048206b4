"""`sansocket simulate`: clients and servers through faults in virtual time, seed by seed.

The scenario is `sansocket.sansio.testing.chaos`; here are the processes that work on it, the seeds
that are fresh, and what is printed.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Iterable
from functools import partial
from typing import Final

from sansocket.sansio.testing import Simulation, SimulationError
from sansocket.sansio.testing.chaos import SMALL, Chaos, Size

NAME: Final = "simulate"
HELP: Final = "drive clients and servers through faults in virtual time, and check what arrives"

REPORT: Final = 10.0
"""Seconds between two lines of progress."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments of the command."""
    parser.add_argument("--seed", type=natural, help="run this one, and print its transcript")
    parser.add_argument(
        "--seeds", type=natural, default=100, help="how many to run (default: %(default)s)"
    )
    parser.add_argument(
        "--first", type=natural, help="the first of them (default: one that nobody has tried)"
    )
    parser.add_argument(
        "--jobs", type=natural, default=1, help="how many processes work (default: %(default)s)"
    )
    parser.add_argument("--clients", type=natural, default=SMALL.clients, help="in each simulation")
    parser.add_argument("--servers", type=natural, default=SMALL.servers, help="in each simulation")
    parser.add_argument(
        "--seconds", type=natural, default=int(SMALL.seconds), help="of storm, in virtual time"
    )


def natural(text: str) -> int:
    """Read a number from 0 on."""
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError("a number from 0 on is expected")
    return int(text)


def run(arguments: argparse.Namespace) -> int:
    """Run the seeds until one fails; the exit code is 1 then."""
    size = Size(
        clients=arguments.clients, servers=arguments.servers, seconds=float(arguments.seconds)
    )
    if arguments.seed is not None:
        return show(arguments.seed, size)
    first = fresh_seed() if arguments.first is None else arguments.first
    seeds = range(first, first + arguments.seeds)
    failure = try_all(seeds, size, arguments.jobs)
    if failure is not None:
        print(failure)
        return 1
    print(f"{len(seeds)} seeds from {first} on: nothing wrong")
    return 0


def fresh_seed() -> int:
    """A seed that nobody has tried, short enough to be typed."""
    return int.from_bytes(os.urandom(5), "big")


def show(seed: int, size: Size) -> int:
    """Run one seed, and print all that happens."""
    simulation = Simulation(seed, write=print, command=command(seed, size))
    try:
        Chaos(simulation, size).run()
    except SimulationError as error:
        print(error)
        return 1
    print(f"seed {seed}: nothing wrong; transcript {simulation.transcript.digest}")
    print(", ".join(f"{name} {count}" for name, count in sorted(simulation.network.counts.items())))
    return 0


def try_all(seeds: Iterable[int], size: Size, jobs: int) -> str | None:
    """Run the seeds, in so many processes; what is wrong with the first that fails, or None."""
    attempt = partial(try_one, size=size)
    if jobs <= 1:
        return watched(map(attempt, seeds))
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        return watched(pool.imap_unordered(attempt, seeds, chunksize=8))


def try_one(seed: int, size: Size) -> str | None:
    """Run one seed; what is wrong with it, or None."""
    try:
        Chaos(Simulation(seed, command=command(seed, size)), size).run()
    except SimulationError as error:
        return str(error)
    return None


def watched(results: Iterable[str | None]) -> str | None:
    """Tell of the progress on stderr, every ten seconds; the first that is wrong, or None."""
    begun = told = time.monotonic()
    for count, wrong in enumerate(results, 1):
        if wrong is not None:
            return wrong
        now = time.monotonic()
        if now - told >= REPORT:
            told = now
            print(f"{count} seeds, {count / (now - begun):.1f} a second", file=sys.stderr)
    return None


def command(seed: int, size: Size) -> str:
    """How this seed is run again."""
    parts = [f"sansocket simulate --seed {seed}"]
    for name in ("clients", "servers", "seconds"):
        value = int(getattr(size, name))
        if value != getattr(SMALL, name):
            parts.append(f"--{name} {value}")
    return " ".join(parts)
