"""How long a client waits before it tries again (rules 83 and 84)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fake_engine import MIDDLE, uniform_entropy

from sansocket.sansio.socketio.client.backoff import Backoff


def test_delays_double_up_to_the_longest() -> None:
    """Rule 83, without its jitter."""
    backoff = Backoff(1.0, 5.0, 0.5, lambda size: MIDDLE)
    assert [backoff.next_delay() for _ in range(5)] == [1.0, 2.0, 4.0, 5.0, 5.0]
    assert backoff.attempts == 5


@pytest.mark.parametrize(
    ("entropy", "first", "last"), [(b"\0" * 4, 0.5, 2.5), (b"\xff" * 4, 1.5, 5.0)]
)
def test_jitter(entropy: bytes, first: float, last: float) -> None:
    """Rule 83: up to half of the delay less or more, and never more than the longest."""
    backoff = Backoff(1.0, 5.0, 0.5, lambda size: entropy)
    assert backoff.next_delay() == pytest.approx(first)
    assert [backoff.next_delay() for _ in range(9)][-1] == pytest.approx(last)


@given(st.integers(0, 2**32), st.floats(0.001, 10), st.floats(1, 100), st.floats(0, 1))
def test_a_thousand_failures_and_more(seed: int, least: float, times: float, jitter: float) -> None:
    """Rule 83: the reference's delays become zero after about 1,014 failures; ours never do."""
    backoff = Backoff(least, least * times, jitter, uniform_entropy(seed))
    backoff.attempts = 1_010
    for _ in range(100):
        delay = backoff.next_delay()
        assert least * times * (1 - jitter) * 0.999 <= delay <= least * times


def test_clients_that_have_failed_often_do_not_come_back_together() -> None:
    """Rule 83: the jitter is there at the longest delay too."""
    delays: set[float] = set()
    for seed in range(50):
        backoff = Backoff(1.0, 5.0, 0.5, uniform_entropy(seed))
        backoff.attempts = 20
        delays.add(backoff.next_delay())
    assert len(delays) > 20


def test_reset() -> None:
    """Rule 84: after a success it begins anew."""
    backoff = Backoff(1.0, 5.0, 0.5, lambda size: MIDDLE)
    backoff.next_delay()
    backoff.next_delay()
    backoff.reset()
    assert (backoff.attempts, backoff.next_delay()) == (0, 1.0)
