"""What waits to be sent and to be handled, against its bounds."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from sansocket.sansio.client_config import EngineClientConfig
from sansocket.sansio.engineio.client.outbox import ClientOutbox
from sansocket.sansio.engineio.encoded import Encoded, encode_message


def outbox(**options: int) -> ClientOutbox:
    return ClientOutbox(EngineClientConfig(**options))  # type: ignore[arg-type]  # all numbers


def messages(taken: list[Encoded]) -> list[str | bytes]:
    return [message for encoded in taken for message in encoded.messages]


def test_pull_takes_about_so_many_bytes() -> None:
    box = outbox()
    for text in ("abc", "", "de"):
        box.append(encode_message([text]))
    box.append(encode_message([b""]))
    assert box.size == 4 + 1 + 3 + 0
    assert messages(box.pull(5)) == ["4abc", "4"]
    assert len(box) == 2
    assert messages(box.pull(100)) == ["4de", b""]
    assert (box.size, box.pull(1)) == (0, [])


def test_take_takes_one_even_if_it_is_empty() -> None:
    box = outbox()
    assert box.take() is None
    for _ in range(2):
        box.append(encode_message([b""]))
    taken = box.take()
    assert taken is not None
    assert taken.messages == [b""]
    assert len(box) == 1


@pytest.mark.parametrize("option", ["max_backlog", "max_backlog_messages"])
def test_bounds(option: str) -> None:
    """Rule 98: exactly so much passes."""
    box = outbox(**{option: 3})
    one = encode_message([""])
    assert [box.append(one) for _ in range(4)] == [True, True, True, False]


def test_congested_and_lagging() -> None:
    box = outbox(pause_backlog=2, max_inbound=2)
    states: list[tuple[bool, bool]] = []
    for _ in range(2):
        box.append(encode_message([""]))
        box.hold(1, 5)
        states.append((box.congested, box.lagging))
    assert states == [(False, False), (True, True)]
    box.release(2, 10)
    box.clear()
    assert not box.congested
    assert not box.lagging
    assert len(box) == 0


@pytest.mark.parametrize(("count", "size"), [(1, 0), (0, 10)])
def test_full(count: int, size: int) -> None:
    """Rule 98: the second bound, in messages and in bytes."""
    box = outbox(max_inbound=2, max_surplus=1, max_inbound_bytes=20, max_surplus_bytes=10)
    states: list[tuple[bool, bool]] = []
    for _ in range(3):
        box.hold(count, size)
        states.append((box.lagging, box.full))
    assert states == [(False, False), (True, False), (True, True)]
    box.release(count, size)
    assert not box.full


def test_who_waits_is_called_back_once() -> None:
    calls: list[int] = []
    box = outbox()
    acts: list[Callable[[], object]] = [
        lambda: box.pull(9),
        box.take,
        lambda: box.release(1, 5),
        box.clear,
    ]
    for number, act in enumerate(acts):
        box.append(encode_message(["x"]))
        box.hold(1, 5)
        box.when_relieved(partial(calls.append, number))
        act()
        act()
    assert calls == [0, 1, 2, 3]
