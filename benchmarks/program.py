"""The program: cases, rounds and servers in their order, and what is written at the end.

In each round of a case every server is started, loaded and stopped, one after another: so what
disturbs the machine for a while disturbs them all, and a ratio is taken within its round.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from . import plot, report
from .cases import CASES, Case, Effort, Sample
from .connections import ServerFailed
from .contestants import CONTESTANTS, Contestant, Unavailable, running
from .machine import allow_many_files, this_machine, two_cores

QUICK: Final = (3, 0.5)  # rounds, seconds
THOROUGH: Final = (5, 2.0)


class WrongArguments(Exception):
    """A case or a server was named that there is not; the text says which there are."""


@dataclass(frozen=True)
class Options:
    """What is to be done."""

    cases: Sequence[str]
    """By name; none for all that run by default. `broadcast` means each `broadcast-…`."""
    servers: Sequence[str]
    """By name; none for all."""
    rounds: int
    seconds: float
    """How long a sample is measured."""
    output: Path
    """The folder for results.json and results.svg."""
    check: bool = False
    """Whether a target that is missed makes the program fail."""


def run(options: Options) -> int:
    """Measure, print and write; return the exit code. Raises WrongArguments."""
    cases = chosen_cases(options.cases)
    servers = chosen_servers(options.servers)
    machine = this_machine()
    date = datetime.now(UTC).strftime("%Y-%m-%d")
    print(f"{date}, {machine}")
    allow_many_files()
    begun = time.perf_counter()
    cores = two_cores()
    everywhere = os.sched_getaffinity(0)
    if cores is None:
        print("There is one core alone: servers and load disturb each other.")
    results: list[report.Result] = []
    gc.collect()
    gc.freeze()
    try:
        if cores is not None:
            os.sched_setaffinity(0, {cores[1]})
        for case in cases:
            result = measure(case, servers, options, everywhere if cores is None else {cores[0]})
            results.append(result)
            print(f"\n{report.table(result)}", flush=True)
    except KeyboardInterrupt:
        print("\nInterrupted: what was measured until now is written all the same.")
    finally:
        gc.unfreeze()
        os.sched_setaffinity(0, everywhere)
    duration = time.perf_counter() - begun
    print(f"\n{report.remark(results)}".rstrip())
    print(f"Measured in {duration:.0f} s.")
    options.output.mkdir(parents=True, exist_ok=True)
    document = report.document(results, machine, date, duration)
    (options.output / "results.json").write_text(json.dumps(document, indent=1) + "\n")
    (options.output / "results.svg").write_text(plot.svg(results, f"{date}, {machine}"))
    print(f"Written: {options.output / 'results.json'}, {options.output / 'results.svg'}")
    missed = report.missed(results)
    for line in missed:
        print(f"Missed: {line}", file=sys.stderr if options.check else sys.stdout)
    return 1 if options.check and missed else 0


def measure(
    case: Case, servers: Sequence[Contestant], options: Options, cores: set[int]
) -> report.Result:
    """Run all rounds of a case; who fails in one is out for the rest."""
    effort = Effort(warm_up=max(0.3, options.seconds / 2), seconds=options.seconds)
    failures: dict[str, str] = {}
    rounds: list[dict[str, Sample]] = []
    for number in range(options.rounds):
        rounds.append({})
        for server in servers:
            if server.name in failures or (server.bare and not case.bare):
                continue
            progress(f"{case.name}, round {number + 1} of {options.rounds}: {server.name}")
            try:
                with running(server, cores, case.ping_interval) as process:
                    rounds[-1][server.name] = case.measure(process, effort)
            except (Unavailable, ServerFailed, OSError) as error:
                failures[server.name] = str(error) or type(error).__name__
    progress("")
    return report.summarise(case, rounds, failures)


def progress(text: str) -> None:
    """Show on a terminal what is being done, in place of what was shown before."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def chosen_cases(names: Sequence[str]) -> list[Case]:
    """Find the cases of these names, or with these names before a hyphen."""
    if not names:
        return [case for case in CASES.values() if case.default]
    for name in names:
        if not any(matches(case, name) for case in CASES):
            raise WrongArguments(f"no case {name!r}; there are {', '.join(CASES)}")
    return [case for case in CASES.values() if any(matches(case.name, name) for name in names)]


def matches(case: str, name: str) -> bool:
    """Is the case meant by this name?"""
    return case == name or case.startswith(f"{name}-")


def chosen_servers(names: Sequence[str]) -> list[Contestant]:
    """Find the servers of these names, in the order in which they are always run."""
    for name in names:
        if name not in CONTESTANTS:
            raise WrongArguments(f"no server {name!r}; there are {', '.join(CONTESTANTS)}")
    return [one for one in CONTESTANTS.values() if not names or one.name in names]


def listing() -> str:
    """Return the names of the cases and of the servers, for a terminal."""
    width = max(map(len, CASES))
    cases = [f"  {case.name.ljust(width)}  {case.title}, {case.unit}" for case in CASES.values()]
    return "\n".join(["cases", *cases, "servers", *(f"  {name}" for name in CONTESTANTS)])
