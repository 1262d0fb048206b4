"""Handlers that may overlap, and handlers that are cancelled when their socket disconnects."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.runtime import Gate, LoopFree, Pause
from support.socketio import Member
from support.transcript import socketio

from sansocket.sansio.mailbox import Mailbox
from sansocket.sansio.socketio.socket import Socket


class Overlap:
    """A dispatcher of (number, limit) that knows who is inside."""

    def __init__(self) -> None:
        self.inside: list[tuple[int, int]] = []
        self.begun: list[int] = []
        self.ended = 0
        self.dropped = 0

    def waits(self, event: tuple[int, int]) -> bool:
        return True

    def concurrency(self, event: tuple[int, int]) -> int:
        return event[1]

    def done(self, event: tuple[int, int]) -> None:
        self.dropped += 1

    def last(self, event: tuple[int, int]) -> bool:
        return False

    async def handle(self, event: tuple[int, int]) -> None:
        self.inside.append(event)
        self.begun.append(event[0])
        assert len(self.inside) <= min(limit for _, limit in self.inside)
        for _ in range(event[0] % 3):
            await Pause()
        self.inside.remove(event)
        self.ended += 1


@given(st.lists(st.integers(1, 4), max_size=30), st.booleans())
def test_no_more_overlap_than_every_one_inside_allows(limits: list[int], cancellable: bool) -> None:
    """They begin in their order, whatever their limits, and all of them end."""
    overlap, runtime = Overlap(), LoopFree()
    box: Mailbox[tuple[int, int]] = Mailbox(overlap, runtime, None, cancellable=cancellable)
    for number, limit in enumerate(limits):
        box.put((number, limit))
        runtime.run()
    while runtime.tasks:
        runtime.run()
    assert overlap.begun == list(range(len(limits)))
    assert overlap.ended == overlap.dropped == len(limits)


@pytest.mark.parametrize("where", ["handler", "namespace"])
def test_concurrency_is_of_a_handler_or_of_a_namespace(where: str) -> None:
    app, driver = socketio()
    gates = {1: Gate(), 2: Gate(), 3: Gate()}
    begun: list[int] = []

    @app.on("slow", concurrency=2 if where == "handler" else 1)
    async def slow(socket: Socket, number: int) -> int:
        begun.append(number)
        await gates[number].wait()
        return number

    app.concurrency = 2 if where == "namespace" else 1
    member = Member(driver, app)
    for number in gates:
        member.emit("slow", number, ack=number)
    assert begun == [1, 2]
    gates[2].open()
    driver.settle()
    assert member.websocket.take() == ["432[2]"]
    assert begun == [1, 2, 3]
    for gate in gates.values():
        gate.open()
    driver.settle()
    assert sorted(map(str, member.websocket.take())) == ["431[1]", "433[3]"]


def test_disconnect_waits_for_all_handlers_before_it() -> None:
    """Issue of order: `disconnect` comes once, and last."""
    app, driver = socketio()
    gate, order = Gate(), list[Any]()

    @app.on("slow", concurrency=5)
    async def slow(socket: Socket, number: int) -> None:
        await gate.wait()
        order.append(number)

    app.on("disconnect", lambda socket, reason: order.append(reason))
    member = Member(driver, app)
    for number in range(3):
        member.emit("slow", number)
    member.websocket.pipe.lose()
    assert order == []
    gate.open()
    driver.settle()
    assert order == [0, 1, 2, "transport close"]


def test_handlers_are_cancelled_at_the_disconnect_when_it_is_said_so() -> None:
    """The running ones end where they wait, the waiting ones are not called (`on_disconnect`)."""
    app, driver = socketio(on_disconnect="cancel", max_inbound=3)
    gate, order = Gate(), list[Any]()

    @app.on("slow")
    async def slow(socket: Socket, number: int) -> None:
        try:
            await gate.wait()
        finally:
            order.append(f"{number} ends")

    app.on("disconnect", lambda socket, reason: order.append(reason))
    member = Member(driver, app)
    for number in range(3):
        member.emit("slow", number)
    [session] = app.engine.sessions.values()
    assert session.congested
    member.socket.disconnect()
    driver.settle()
    assert order == ["0 ends", "server namespace disconnect"]
    assert not session.congested
    assert driver.runtime.tasks == []
