"""What waits for handlers, and who is called back when there is less of it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from sansocket.sansio.engineio.flow import Flow


@dataclass(frozen=True)
class Bounds:
    """Options that say how much may wait."""

    max_inbound: int = 3
    max_inbound_bytes: int = 30


@pytest.mark.parametrize(("count", "size"), [(1, 0), (0, 10), (1, 10)])
def test_lagging(count: int, size: int) -> None:
    """Protocol rule 98: while so many messages wait, or so many bytes."""
    flow = Flow(Bounds())
    seen: list[bool] = []
    for _ in range(3):
        flow.hold(count, size)
        seen.append(flow.lagging)
    assert seen == [False, False, True]
    flow.release(count, size)
    assert not flow.lagging
    assert (flow.inbound, flow.inbound_bytes) == (2 * count, 2 * size)


def test_when_relieved() -> None:
    """Once what was held is released, and once for each time that it is asked."""
    flow = Flow(Bounds())
    calls: list[str] = []

    def again() -> None:
        calls.append("again")
        flow.when_relieved(lambda: calls.append("next"))

    flow.hold()
    flow.when_relieved(lambda: calls.append("once"))
    flow.when_relieved(again)
    assert calls == []
    flow.release()
    assert calls == ["once", "again"]
    flow.relieve()
    flow.relieve()
    assert calls == ["once", "again", "next"]


def test_waiting_is_revoked() -> None:
    """Protocol rule 98: who waits no more leaves nothing behind, and is not called."""
    flow = Flow(Bounds())
    calls: list[str] = []

    def second() -> None:
        calls.append("second")

    def third() -> None:
        calls.append("third")

    flow.when_relieved(second)
    flow.revoke(second)
    flow.when_relieved(lambda: flow.revoke(third))
    flow.when_relieved(third)
    flow.relieve()
    flow.revoke(third)
    assert calls == []
    assert not flow.relieved


def test_waiting_twice_is_waiting_once() -> None:
    """Protocol rule 98: however often a driver looks whether it may read on."""
    flow = Flow(Bounds())
    calls: list[str] = []

    def once() -> None:
        calls.append("once")

    for _ in range(1000):
        flow.when_relieved(once)
    flow.relieve()
    assert calls == ["once"]
