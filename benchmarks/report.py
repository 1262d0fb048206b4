"""The report: from samples to medians, ratios, a table and JSON.

It computes and writes text; it measures nothing.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from .machine import Machine
from .samples import Sample
from .targets import target

DISTURBING: Final = 0.1  # cores kept busy by others, from which on a figure is in doubt


@dataclass(frozen=True)
class Spread:
    """Several values of one thing: the one in the middle, the lowest and the highest."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Summarise; at least one value."""
        return cls(statistics.median(values), min(values), max(values))

    def __str__(self) -> str:
        return f"{figure(self.median)} ({figure(self.low)} to {figure(self.high)})"


@dataclass(frozen=True)
class Row:
    """One server in one case."""

    server: str
    value: Spread
    ratio: Spread | None
    """To the reference, each within its round; None where that was not measured."""
    target: float | None
    """What the ratio may be at most."""
    foreign: float
    """Cores that others kept busy meanwhile, in the middle."""
    details: Mapping[str, float]
    samples: Sequence[Sample]

    @property
    def meets(self) -> bool | None:
        """Whether the target is met; None where none is set. What was not measured is not met."""
        if self.target is None:
            return None
        return self.ratio is not None and self.ratio.median <= self.target


@dataclass(frozen=True)
class Subject:
    """What is measured."""

    name: str
    title: str
    unit: str
    reference: str
    """The server to which the ratios are."""
    columns: Mapping[str, str] = field(default_factory=dict[str, str])
    """By server, the column of the targets that it is held against."""

    def target(self, server: str) -> float | None:
        """What the ratio of a server may be at most; None where there is no target."""
        return target(self.name, self.columns.get(server, ""))


@dataclass(frozen=True)
class Result:
    """What came out: a row for each server, and why servers are missing, by name."""

    subject: Subject
    rows: Sequence[Row]
    failures: Mapping[str, str] = field(default_factory=dict[str, str])


def summarise(
    subject: Subject, rounds: Sequence[Mapping[str, Sample]], failures: Mapping[str, str]
) -> Result:
    """Make a result from its rounds: in each the samples, by server."""
    servers = list(dict.fromkeys(server for one in rounds for server in one))
    rows: list[Row] = []
    for server in servers:
        samples = [one[server] for one in rounds if server in one]
        ratios = [
            one[server].value / one[subject.reference].value
            for one in rounds
            if server in one and one.get(subject.reference, Sample(0.0)).value > 0
        ]
        names = samples[0].details
        details = {n: statistics.median(sample.details[n] for sample in samples) for n in names}
        rows.append(
            Row(
                server,
                Spread.of([sample.value for sample in samples]),
                Spread.of(ratios) if ratios else None,
                subject.target(server),
                statistics.median(sample.foreign for sample in samples),
                details,
                samples,
            )
        )
    return Result(subject, rows, dict(failures))


def figure(value: float) -> str:
    """Write a number with three digits that count."""
    if value == 0:
        return "0"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"


def table(result: Result) -> str:
    """Return the table of one case, for a terminal."""
    subject = result.subject
    rows = [("server", subject.unit, f"ratio to {subject.reference}", "target", "")]
    for row in result.rows:
        verdict = {None: "", True: "meets it", False: "MISSES IT"}[row.meets]
        details = ", ".join(f"{name} {figure(value)}" for name, value in row.details.items())
        rows.append(
            (
                row.server,
                str(row.value),
                str(row.ratio) if row.ratio else "",
                "" if row.target is None else f"<= {row.target:.2f} {verdict}",
                details,
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [f"{subject.name}: {subject.title}"]
    lines += [
        "  " + "  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).rstrip() for r in rows
    ]
    lines += [f"  {server}: {why}" for server, why in result.failures.items()]
    lines += [f"  {said}"] if (said := remark(result)) else []
    return "\n".join(lines)


def remark(result: Result) -> str:
    """Say how far the figures can be trusted, by what else the machine had to do."""
    load = statistics.median([row.foreign for row in result.rows] or [0.0])
    if load < DISTURBING:
        return ""
    return (
        f"Others kept {load:.2f} cores busy meanwhile: trust the ratios, each within its round,"
        " more than the figures, and latencies little."
    )


def document(
    results: Sequence[Result], machine: Machine, date: str, duration: float
) -> dict[str, Any]:
    """Return everything that was measured, for JSON; the duration is in seconds."""
    return {
        "date": date,
        "duration": round(duration, 1),
        "machine": asdict(machine),
        "cases": [
            {
                "name": result.subject.name,
                "title": result.subject.title,
                "unit": result.subject.unit,
                "reference": result.subject.reference,
                "servers": [{**asdict(row), "meets": row.meets} for row in result.rows],
                "failures": dict(result.failures),
            }
            for result in results
        ],
    }


def missed(results: Sequence[Result]) -> list[str]:
    """Name the targets that are not met, and those that nothing was measured for."""
    found: list[str] = []
    for result in results:
        for row in result.rows:
            if row.meets is False:
                ratio = "not known" if row.ratio is None else f"{row.ratio.median:.3f}"
                found.append(f"{result.subject.name}, {row.server}: {ratio}, not {row.target:.2f}")
        for server in result.failures:
            if result.subject.target(server) is not None:
                found.append(f"{result.subject.name}, {server}: not measured")
    return found
