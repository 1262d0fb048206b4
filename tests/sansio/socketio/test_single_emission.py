"""Modifiers of an emission, whoever's socket it is made on (protocol rule 74)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from support.runtime import LoopFree, Task

from sansocket.sansio.socketio.acks import Pending, Values
from sansocket.sansio.socketio.single_emission import SingleEmission


class Sink:
    """A socket that keeps what it is asked to send."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Values, bool, float | None, bool]] = []
        self.pending: list[Pending | None] = []

    def emit_packet(
        self,
        event: str,
        args: Values,
        pending: Pending | None = None,
        *,
        volatile: bool = False,
        timeout: float | None = None,
        compress: bool = True,
    ) -> int | None:
        self.sent.append((event, args, volatile, timeout, compress))
        self.pending.append(pending)
        return None

    async def answer(
        self,
        event: str,
        args: Values,
        timeout: float | None,
        *,
        volatile: bool = False,
        compress: bool = True,
    ) -> Any:
        self.sent.append((event, args, volatile, timeout, compress))
        return "answer"


class Emission(SingleEmission[Sink]):
    """One whose callbacks are simply called."""

    def _call_back(self, event: str, callback: Callable[..., None], *args: Any) -> None:
        callback(*args)


def test_each_modifier_makes_a_new_one() -> None:
    """Rule 74: what was said of one emission is said of no other."""
    sink = Sink()
    plain = Emission(sink)
    plain.volatile.timeout(3.0).compress(False).emit("all", 1)
    plain.timeout(3.0).send("x")
    plain.compress(False).volatile.emit("two")
    plain.emit("none")
    assert sink.sent == [
        ("all", (1,), True, 3.0, False),
        ("message", ("x",), False, 3.0, True),
        ("two", (), True, None, False),
        ("none", (), False, None, True),
    ]
    assert sink.pending == [None] * 4


def test_a_callback_gets_the_error_first() -> None:
    """None and the values, or the error alone."""
    sink = Sink()
    calls: list[tuple[Any, ...]] = []
    Emission(sink).timeout(1.0).emit("x", ack=lambda *args: calls.append(args))
    [pending] = sink.pending
    assert pending is not None
    error = TimeoutError()
    pending.answered((1, 2))
    pending.failed(error)
    assert calls == [(None, 1, 2), (error,)]


def test_emit_with_ack() -> None:
    """It waits for the socket's answer, with all that was said before."""
    sink = Sink()
    emission = Emission(sink).volatile.timeout(2.0).compress(False)
    assert Task(LoopFree(), emission.emit_with_ack("x", 1)).result == "answer"
    assert sink.sent == [("x", (1,), True, 2.0, False)]


def test_every_kind_says_how_it_calls_back() -> None:
    """The base knows no application to report to."""
    sink = Sink()
    SingleEmission(sink).emit("x", ack=print)
    [pending] = sink.pending
    assert pending is not None
    with pytest.raises(NotImplementedError):
        pending.answered(())
