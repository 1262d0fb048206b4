"""Every fuzz target holds for its corpus, for what random changes make of it, and under atheris.

A smoke only: `python -m fuzz NAME` runs one for as long as you like.
"""

from __future__ import annotations

import importlib
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TARGETS = sorted(path.name for path in (ROOT / "fuzz/corpus").iterdir())


def target(name: str) -> Callable[[bytes], None]:
    one_input: Callable[[bytes], None] = importlib.import_module(f"fuzz.{name}").one_input
    return one_input


def corpus(name: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted((ROOT / "fuzz/corpus" / name).iterdir())]


def mutate(data: bytes, chance: random.Random) -> bytes:
    """Change a few bytes, cut, repeat or join: what a fuzzer does, without its guidance."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(changed) + 1)
        match chance.randrange(4):
            case 0:
                changed[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del changed[at : at + chance.randint(1, 8)]
            case 2:
                changed[at:at] = changed[: chance.randint(0, 16)]
            case _:
                changed[at:at] = chance.choice([b"\x00\xff", b"\x1e", b'{"', b"999", b"\r\n", b"-"])
    return bytes(changed)


@pytest.mark.parametrize("name", TARGETS)
def test_it_holds_for_the_corpus_and_its_mutations(name: str) -> None:
    """Security rules T1 and T2: nothing but the documented error, and the target's sentence."""
    one_input = target(name)
    chance = random.Random(name)
    for seed in corpus(name):
        one_input(seed)
        for _ in range(40):
            one_input(mutate(seed, chance))


@pytest.mark.parametrize("name", TARGETS)
def test_it_runs_under_atheris(name: str) -> None:
    """The command that the package's docstring names works."""
    run = subprocess.run(
        [sys.executable, "-m", "fuzz", name, "-runs=300", "-seed=1", "-max_len=2000"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    assert "Done 300 runs" in run.stderr


def test_every_target_has_a_corpus() -> None:
    """A module of the package with a `one_input` is found by its folder of inputs."""
    modules = {
        path.stem
        for path in (ROOT / "fuzz").glob("*.py")
        if "def one_input" in path.read_text(encoding="utf-8")
    }
    assert modules == set(TARGETS)
