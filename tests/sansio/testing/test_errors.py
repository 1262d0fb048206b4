"""The error of a simulation says all that is needed to repeat it."""

from __future__ import annotations

import pickle

from sansocket.sansio.testing.errors import SimulationError


def test_message() -> None:
    """The seed, the last lines and the command; also when another process has raised it."""
    error = SimulationError("lost", seed=7, lines=["one", "two"], command="run it")
    assert str(error) == "\none\ntwo\nseed 7: lost\nagain: run it"
    again = pickle.loads(pickle.dumps(error))
    assert isinstance(again, SimulationError)
    assert (str(again), again.seed, again.message) == (str(error), 7, "lost")


def test_without_a_command() -> None:
    """Whoever writes a test of his own knows how to run it."""
    assert str(SimulationError("lost", seed=7, lines=[])) == "\n\nseed 7: lost"
