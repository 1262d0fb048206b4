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

from . import parsers, plot, report
from .cases import CASES, Case
from .connections import ServerFailed
from .contestants import CONTESTANTS, REFERENCE, Contestant, Unavailable, running
from .machine import allow_many_files, this_machine, two_cores
from .samples import Effort, Sample

QUICK: Final = (3, 0.3)  # rounds, seconds
THOROUGH: Final = (5, 1.0)
WARM_UP: Final = 1.0  # seconds at least, until node has compiled what is used most


class WrongArguments(Exception):
    """A case or a server was named that there is not; the text says which there are."""


@dataclass(frozen=True)
class Options:
    """What is to be done."""

    cases: Sequence[str]
    """By name; none for all that run by default. `broadcast` means each `broadcast-…`."""
    servers: Sequence[str]
    """By name; none for all that run by default."""
    rounds: int
    seconds: float
    """For how much of the server's CPU time a sample is measured."""
    output: Path
    """The folder for results.json and results.svg."""
    quick: bool = False
    """Whether the cases that take long are left out."""
    check: bool = False
    """Whether a target that is missed makes the program fail."""


def run(options: Options) -> int:
    """Measure, print and write; return the exit code. Raises WrongArguments."""
    cases = chosen_cases(options.cases, quick=options.quick)
    servers = chosen_servers(options.servers)
    machine = this_machine()
    date = datetime.now(UTC).strftime("%Y-%m-%d")
    print(f"{date}, {machine}")
    allow_many_files()
    begun = time.perf_counter()
    cores = two_cores()
    everywhere = os.sched_getaffinity(0)
    server_cores = everywhere if cores is None else {cores[0]}
    if cores is None:
        print("There is one core alone: servers and load disturb each other.")
    results: list[report.Result] = []
    gc.collect()
    gc.freeze()
    try:
        if cores is not None:
            os.sched_setaffinity(0, {cores[1]})
        for case in cases:
            result = measure(case, servers, options, server_cores)
            results.append(result)
            print(f"\n{report.table(result)}", flush=True)
        if with_codecs(options):
            progress("codecs")
            results += parsers.measure(options.rounds, options.seconds, server_cores)
            progress("")
            for result in results[-len(parsers.TASKS) * 2 :]:
                print(f"\n{report.table(result)}", flush=True)
    except KeyboardInterrupt:
        print("\nInterrupted: what was measured until now is written all the same.")
    finally:
        gc.unfreeze()
        os.sched_setaffinity(0, everywhere)
    duration = time.perf_counter() - begun
    print(f"\nMeasured in {duration:.0f} s.")
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
    effort = Effort(warm_up=max(WARM_UP, options.seconds / 2), seconds=options.seconds)
    failures: dict[str, str] = {}
    rounds: list[dict[str, Sample]] = []
    count = min(options.rounds, case.most_rounds)
    for number in range(count):
        rounds.append({})
        for server in servers:
            if server.name in failures or not case.suits(server):
                continue
            progress(f"{case.name}, round {number + 1} of {count}: {server.name}")
            try:
                with running(server, cores, case.ping_interval) as process:
                    rounds[-1][server.name] = case.measure(process, effort)
            except (Unavailable, ServerFailed, OSError) as error:
                failures[server.name] = str(error) or type(error).__name__
    progress("")
    columns = {server.name: server.target for server in servers}
    subject = report.Subject(case.name, case.title, case.unit, REFERENCE, columns)
    return report.summarise(subject, rounds, failures)


def progress(text: str) -> None:
    """Show on a terminal what is being done, in place of what was shown before."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def chosen_cases(names: Sequence[str], *, quick: bool) -> list[Case]:
    """Find the cases of these names, or with these names before a hyphen."""
    if not names:
        runs = ("always",) if quick else ("always", "thorough")
        return [case for case in CASES.values() if case.runs in runs]
    known = [*CASES, parsers.NAME]
    for name in names:
        if not any(matches(case, name) for case in known):
            raise WrongArguments(f"no case {name!r}; there are {', '.join(known)}")
    return [case for case in CASES.values() if any(matches(case.name, name) for name in names)]


def matches(case: str, name: str) -> bool:
    """Is the case meant by this name?"""
    return case == name or case.startswith(f"{name}-")


def with_codecs(options: Options) -> bool:
    """Are the codecs meant too? They are no servers: who names servers has to name them."""
    return parsers.NAME in options.cases or not (options.cases or options.servers)


def chosen_servers(names: Sequence[str]) -> list[Contestant]:
    """Find the servers of these names, in the order in which they are always run."""
    for name in names:
        if name not in CONTESTANTS:
            raise WrongArguments(f"no server {name!r}; there are {', '.join(CONTESTANTS)}")
    return [one for one in CONTESTANTS.values() if one.name in names or not (names or one.asked)]


def listing() -> str:
    """Return the names of the cases and of the servers, for a terminal."""
    width = max(map(len, CASES))
    cases = [f"  {case.name.ljust(width)}  {case.title}: {case.unit}" for case in CASES.values()]
    cases.append(f"  {parsers.NAME.ljust(width)}  encode and decode {parsers.TITLE}")
    return "\n".join(["cases", *cases, "servers", *(f"  {name}" for name in CONTESTANTS)])
