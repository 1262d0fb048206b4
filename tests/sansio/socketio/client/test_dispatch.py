"""From what happens to the listeners of a socket (rules 47, 48 and 92, security rule T1)."""

from __future__ import annotations

from typing import Any

import pytest
from support.fake_engine import Rig, record
from support.runtime import Gate

from sansocket.sansio.errors import AckTimeout
from sansocket.sansio.socketio.acks import Ack

ERROR = '30[{"message":"Internal server error"}]'


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        (None, ["30[]"]),
        ((None,), ["30[null]"]),
        ("text", ['30["text"]']),
        ((1, b"x"), ['61-0[1,{"_placeholder":true,"num":0}]', b"x"]),
        ({1, 2}, [ERROR]),
    ],
)
def test_what_a_listener_returns(value: object, answer: list[str | bytes]) -> None:
    """Rule 48: as on a server."""
    rig = Rig()
    socket = rig.joined()
    rig.client.on_error(lambda *args: None)
    socket.on("x", lambda: value)
    assert rig.receive('20["x"]') == answer
    assert rig.receive('2["x"]') == []
    assert rig.engine.held == 0


def test_an_ack_parameter() -> None:
    rig = Rig()
    socket = rig.joined()

    @socket.on("x")
    def listener(number: int, ack: Ack) -> None:
        ack(number, "by hand")

    assert rig.receive('25["x",7]') == ['35[7,"by hand"]']


def test_a_listener_that_fails() -> None:
    """Security rule T1: reported with its socket, and answered with an error."""
    rig = Rig()
    socket = rig.joined()
    reported: list[tuple[Any, ...]] = []

    @socket.on("x")
    def fails(number: int) -> None:
        raise ValueError(number)

    assert rig.receive('20["x",1]') == [ERROR]
    assert [type(error) for _, error in rig.runtime.logged] == [ValueError]
    rig.client.on_error(lambda *args: reported.append(args))
    assert rig.receive('20["x",1]', '20["x"]') == [ERROR, ERROR]
    assert [args[1:] for args in reported] == [(socket, "x", (1,)), (socket, "x", ())]
    assert socket.connected


def test_order_and_concurrency() -> None:
    """One at a time, unless a listener allows more."""
    rig = Rig()
    socket = rig.joined()
    gate, told = Gate(), list[tuple[str, int]]()

    async def listener(name: str, number: int) -> None:
        told.append((name, number))
        await gate.wait()

    @socket.on("slow")
    async def slow(number: int) -> None:
        await listener("slow", number)

    @socket.on("many", concurrency=2)
    async def many(number: int) -> None:
        await listener("many", number)

    rig.receive('2["slow",1]', '2["slow",2]')
    assert told == [("slow", 1)]
    assert rig.engine.held == 2
    gate.open()
    rig.settle()
    gate.is_open = False
    rig.receive('2["many",1]', '2["many",2]', '2["many",3]')
    assert told[2:] == [("many", 1), ("many", 2)]
    gate.open()
    rig.settle()
    assert len(told) == 5
    assert rig.engine.held == 0


def test_catch_all_listeners() -> None:
    """Row 169: before those of the event, and they answer nothing."""
    rig = Rig()
    socket = rig.joined()
    told: list[tuple[Any, ...]] = []
    socket.on("x", lambda *args: told.append(("x", *args)))
    socket.on_any(lambda *args: told.append(("any", *args)))
    assert rig.receive('20["x",1]', '21["y",2]') == ["30[]"]
    assert told == [("any", "x", 1), ("x", 1), ("any", "y", 2)]


def test_the_arguments_of_disconnect() -> None:
    """Row 172: details for who takes them."""
    rig = Rig()
    socket = rig.joined()
    reasons, both = list[str](), list[tuple[str, object]]()
    socket.on("disconnect", reasons.append)
    socket.once("disconnect", lambda reason, details=None: both.append((reason, details)))
    error = ValueError()
    rig.lose(error=error)
    rig.advance(1)
    rig.rejoin()
    rig.lose()
    assert reasons == ["transport close"] * 2
    assert both == [("transport close", error)]


@pytest.mark.parametrize(
    ("event", "listener"),
    [
        ("connect", lambda one: None),
        ("connect_error", lambda: None),
        ("disconnect", lambda: None),
        ("disconnect", lambda one, two, three: None),
    ],
)
def test_listeners_that_cannot_be_called(event: str, listener: Any) -> None:
    with pytest.raises(TypeError, match=event):
        Rig().client.socket().on(event, listener)


@pytest.mark.parametrize("event", ["disconnecting", "newListener", "removeListener"])
def test_events_that_never_happen(event: str) -> None:
    """Rule 92: reserved names."""
    with pytest.raises(ValueError, match=event):
        Rig().client.socket().on(event, print)


def test_lifecycle_listeners_wait_for_those_before_them() -> None:
    """`disconnect` comes after the events that came before it."""
    rig = Rig()
    socket = rig.joined()
    gate, told = Gate(), list[str]()

    @socket.on("x")
    async def slow() -> None:
        await gate.wait()
        told.append("x")

    @socket.on("connect")
    async def again() -> None:
        told.append("connect")

    @socket.on("disconnect")
    async def gone(reason: str) -> None:
        told.append(reason)

    rig.receive('2["x"]')
    rig.lose()
    rig.advance(1)
    rig.rejoin()
    assert told == []
    gate.open()
    rig.settle()
    assert told == ["x", "transport close", "connect"]


def test_a_listener_may_call() -> None:
    """Rule 47: its answer comes while it waits, and its event is answered then."""
    rig = Rig(ack_timeout=9.0)
    socket = rig.joined()

    @socket.on("x")
    async def listener(number: int) -> Any:
        try:
            return await socket.call("y", number)
        except AckTimeout:
            return "too late"

    assert rig.receive('20["x",1]') == ['20["y",1]']
    assert rig.receive('30["answer"]') == ['30["answer"]']
    assert rig.receive('21["x",2]') == ['21["y",2]']
    rig.advance(9)
    assert rig.engine.take() == ['31["too late"]']


def test_a_plain_function_that_returns_something_to_await() -> None:
    """It is awaited in a task, as on a server; what comes next waits for it."""
    rig = Rig()
    socket = rig.joined()
    gate, told = Gate(), list[str]()

    async def wait(name: str) -> str:
        await gate.wait()
        told.append(name)
        return name

    socket.on("x", lambda: wait("x"))
    socket.on("connect", lambda: wait("connect"))
    socket.on("y", lambda: told.append("y"))
    assert rig.receive('20["x"]', '2["y"]') == []
    rig.lose()
    rig.advance(1)
    rig.rejoin()
    assert told == []
    gate.open()
    rig.settle()
    assert told == ["x", "y", "connect"]


def test_once() -> None:
    rig = Rig()
    socket = rig.joined()
    told: list[int] = []
    socket.once("x", told.append)
    rig.receive('2["x",1]', '2["x",2]')
    assert told == [1]


def test_listeners_are_forgotten() -> None:
    rig = Rig()
    socket = rig.joined()
    told = record(socket, "x", "disconnect")
    socket.off("x")
    rig.receive('2["x"]')
    socket.off()
    rig.lose()
    assert told == []
