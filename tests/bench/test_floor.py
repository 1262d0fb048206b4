"""The floor of a broadcast is measured as the servers are; no figure is held against a limit."""

from __future__ import annotations

import os

import pytest

from benchmarks import floor
from benchmarks.floor import Delivery


def test_servers_are_measured_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    """One line for each, of few recipients and of many."""
    short = ["--rounds", "1", "--seconds", "0.05", "--recipients", "3", "9"]
    floor.main(["bare-sockets", "asyncio", *short])
    lines = capsys.readouterr().out.splitlines()
    assert "to 3 and to 9, medians of 1" in lines[1]
    assert [line.split()[0] for line in lines[2:]] == ["bare-sockets", "asyncio"]


def test_the_core_is_given_back() -> None:
    """The program that measures sits on one core, and no longer than it measures."""
    before = os.sched_getaffinity(0)
    with pytest.raises(KeyError):
        floor.main(["nonsense", "--rounds", "1"])
    assert os.sched_getaffinity(0) == before


def test_what_is_told() -> None:
    """How much more it is in all, and how much of that is whose."""
    told = floor.line("x", Delivery(1.0, 3.0), Delivery(1.5, 4.5))
    assert told.split(maxsplit=1)[1] == (
        "4.00 (kernel 3.00)   6.00 (kernel 4.50)    +50 %: program +0.50, kernel +1.50"
    )
    assert floor.middle([Delivery(1, 9), Delivery(3, 8), Delivery(2, 7)]) == Delivery(2, 8)
