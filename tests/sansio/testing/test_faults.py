"""What a network may suffer."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest

from sansocket.sansio.testing.faults import CALM, RATES, STORMY, Faults


@pytest.mark.parametrize(
    "wrong",
    [
        {"split": 1.5},
        {"refused": -0.1},
        {"cut": -1.0},
        {"jitter": -1.0},
        {"pause": float("nan")},
        {"latency": (2.0, 1.0)},
        {"latency": (-1.0, 1.0)},
    ],
    ids=str,
)
def test_what_makes_no_sense(wrong: dict[str, Any]) -> None:
    """Said at once."""
    with pytest.raises(ValueError, match=f"{next(iter(wrong))}: expected"):
        Faults(**wrong)


def test_calm() -> None:
    """Nothing befalls a connection."""
    assert CALM.next(Random(1)) is None


def test_rates() -> None:
    """Each comes as often as its rate says."""
    random = Random(1)
    drawn = [STORMY.next(random) for _ in range(20_000)]
    counts = Counter(name for each in drawn if each is not None for name in each[1:])
    total = sum(getattr(STORMY, name) for name in RATES)
    for name in RATES:
        assert counts[name] / 20_000 == pytest.approx(getattr(STORMY, name) / total, abs=0.02)
    seconds = [each[0] for each in drawn if each is not None]
    assert sum(seconds) / len(seconds) == pytest.approx(1 / total, rel=0.05)
