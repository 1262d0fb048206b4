"""Modifiers of an emission of a client (row 168, rules 72, 74 and 78)."""

from __future__ import annotations

from typing import Any

import pytest
from support.fake_engine import Rig

from sansocket.sansio.errors import AckTimeout


def test_modifiers_reach_the_packet() -> None:
    rig = Rig()
    socket = rig.joined()
    socket.volatile.compress(False).emit("a")
    socket.compress(False).send("b")
    socket.timeout(1).emit("c", ack=lambda *args: None)
    assert rig.engine.take() == ['2["a"]', '2["message","b"]', '20["c"]']


def test_a_callback_that_fails() -> None:
    """It is reported as from a listener, and does no harm."""
    rig = Rig()
    socket = rig.joined()
    reported: list[tuple[Any, ...]] = []
    rig.client.on_error(lambda *args: reported.append(args))

    def fails(*args: object) -> None:
        raise ValueError(args)

    socket.emit("x", ack=fails)
    socket.timeout(1).emit("y", ack=fails)
    rig.receive("30[1]", "31[2]")
    assert [(type(error), event, args) for error, _, event, args in reported] == [
        (ValueError, "x", (1,)),
        (ValueError, "y", (None, 2)),
    ]
    assert socket.connected


def test_emit_with_ack() -> None:
    """What the server acknowledges, or the timeout of the loop or of the client."""
    rig = Rig(ack_timeout=1.0)
    socket = rig.joined()
    task = rig.task(socket.compress(False).emit_with_ack("x"))
    rig.receive("30[1,2]")
    assert task.result == (1, 2)
    task = rig.task(socket.compress(False).emit_with_ack("x"))
    rig.advance(1)
    with pytest.raises(AckTimeout):
        _ = task.result
