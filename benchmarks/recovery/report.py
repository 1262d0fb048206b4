"""What is printed of a crowd that has got over its outages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from .crowd import Crowd


def lines(title: str, crowd: Crowd) -> Iterator[str]:
    """A line on the whole, and one for each outage."""
    events = sum(member.emitted for member in crowd.members)
    yield (
        f"{title}: {len(crowd.members)} clients, {events} events,"
        f" {crowd.again} of them received more than once"
    )
    for number, recovery in enumerate(crowd.recoveries, 1):
        yield (
            f"  outage {number}: {recovery.under_way} events under way; listens again after"
            f" {recovery.away:.2f} s; clients connected after {spread(recovery.connected)} s;"
            f" all theirs acknowledged after {spread(recovery.acknowledged)} s"
        )


def spread(seconds: Sequence[float]) -> str:
    """The least, the median and the most."""
    return " / ".join(f"{value:.2f}" for value in (min(seconds), median(seconds), max(seconds)))
