"""`sansocket simulate`: many seeds, one of them, and a thousand in these tests."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from sansocket.command_line import main, simulate
from sansocket.sansio.testing.chaos import SMALL, Size

SMALLER = Size(clients=3, seconds=20.0)
"""Of the thousand: each takes less than 0.1 s."""

JOBS = len(os.sched_getaffinity(0))


@pytest.mark.parametrize("first", [0, 250, 500, None], ids=["0", "250", "500", "fresh"])
def test_a_thousand_seeds(first: int | None) -> None:
    """On a fixed list, and fresh ones; which one has failed stands in the message."""
    first = simulate.fresh_seed() if first is None else first
    failure = simulate.try_all(range(first, first + 250), SMALLER, JOBS)
    assert failure is None, failure


def digest(seed: int, hash_seed: int) -> str:
    """The last word about one seed, in an interpreter of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "sansocket", "simulate", "--seed", str(seed)],
        env={**os.environ, "PYTHONHASHSEED": str(hash_seed)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()[-2]


def test_a_seed_is_the_same_everywhere(capsys: pytest.CaptureFixture[str]) -> None:
    """The whole transcript, whatever the hashes and the addresses in memory are."""
    for seed in (1, 2):
        assert main(["simulate", "--seed", str(seed)]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) > 300
        assert lines[-2].startswith(f"seed {seed}: nothing wrong; transcript ")
        assert digest(seed, 1) == digest(seed, 2) == lines[-2]


def test_seeds(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """So many from the first on; the progress goes to stderr."""
    monkeypatch.setattr(simulate, "REPORT", 0.0)
    arguments = ["--seeds", "2", "--first", "7", "--clients", "1", "--seconds", "5"]
    assert main(["simulate", *arguments]) == 0
    out, err = capsys.readouterr()
    assert out == "2 seeds from 7 on: nothing wrong\n"
    assert [line.partition(" ")[0] for line in err.splitlines()] == ["1", "2"]
    assert main(["simulate", "--seeds", "1", "--clients", "1", "--seconds", "5"]) == 0


def test_a_seed_that_fails(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one ends it; what is printed repeats it."""
    monkeypatch.setattr(
        "sansocket.sansio.socketio.client.backoff.Backoff.next_delay", lambda self: 1e9
    )
    size = ["--clients", "3", "--seconds", "30"]
    assert main(["simulate", "--seeds", "50", "--first", "0", *size]) == 1
    *transcript, wrong, again = capsys.readouterr().out.splitlines()
    assert len(transcript) > 50
    assert "not everybody is connected again" in wrong
    command = again.removeprefix("again: sansocket ").split()
    assert command[3:] == size
    assert main(command) == 1
    assert capsys.readouterr().out.splitlines()[-2:] == [wrong, again]


def test_command() -> None:
    """Short, where nothing is unusual."""
    assert simulate.command(7, SMALL) == "sansocket simulate --seed 7"
    assert simulate.command(7, Size(servers=3)) == "sansocket simulate --seed 7 --servers 3"


def test_wrong_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    """Said as argparse does."""
    with pytest.raises(SystemExit):
        main(["simulate", "--seed", "-1"])
    assert "a number from 0 on is expected" in capsys.readouterr().err
