"""A socket as an application has it: calling, draining, listening and iterating."""

from __future__ import annotations

from typing import Any

import pytest
from support.fake_engine import Rig, record
from support.runtime import Task

from sansocket.sansio.errors import Disconnected, NotSent, Reason
from sansocket.sansio.socketio.client.events import Event
from sansocket.sansio.socketio.client.socket import ClientSocket

# call


@pytest.mark.parametrize(
    ("answer", "value"), [("30[]", None), ("30[1]", 1), ("30[1,2]", (1, 2)), ("30[null]", None)]
)
def test_call(answer: str, value: object) -> None:
    rig = Rig()
    socket = rig.joined()
    task = rig.task(socket.call("x", 1))
    assert rig.engine.take() == ['20["x",1]']
    rig.receive(answer)
    assert task.result == value


def test_call_while_not_connected() -> None:
    """It waits for the connection; cancelled before, its event is not sent (rule 87)."""
    rig = Rig()
    socket = rig.client.socket()
    task = rig.task(socket.call("x"))
    with pytest.raises(Disconnected, match="not active"):
        _ = task.result
    socket.connect()
    cancelled = rig.task(socket.call("cancelled"))
    task = rig.task(socket.call("x"))
    cancelled.cancel()
    rig.open()
    assert rig.accept() == ['21["x"]']
    rig.receive('31["ok"]')
    assert task.result == "ok"
    task = rig.task(socket.volatile.emit_with_ack("x"))
    rig.lose()
    dropped = rig.task(socket.volatile.emit_with_ack("x"))
    with pytest.raises(NotSent):
        _ = dropped.result
    with pytest.raises(Disconnected, match="transport close"):
        _ = task.result


def test_call_has_the_deadline_of_its_caller() -> None:
    """`ack_timeout` does not end it before."""
    rig = Rig(ack_timeout=1.0)
    socket = rig.joined()
    task = rig.task(socket.call("x", timeout=60.0))
    rig.advance(5)
    rig.receive("30[1]")
    assert task.result == 1


# drain


def test_drain() -> None:
    """Until less than 64 KiB wait."""
    rig = Rig()
    socket = rig.joined()
    assert rig.task(socket.drain()).done
    rig.engine.backlog = 65_536
    task, cancelled = rig.task(socket.drain()), rig.task(socket.drain())
    cancelled.cancel()
    rig.engine.relieve()
    rig.settle()
    assert not task.done
    rig.engine.backlog = 65_535
    rig.engine.relieve()
    rig.settle()
    assert task.result is None


def test_drain_while_not_connected() -> None:
    """It waits for the connection, and for what waits for that."""
    rig = Rig()
    socket = rig.client.socket()
    with pytest.raises(Disconnected):
        _ = rig.task(socket.drain()).result
    socket.connect()
    socket.emit("x")
    task = rig.task(socket.drain())
    rig.open()
    assert not task.done
    rig.accept()
    assert task.result is None


def test_drain_while_it_is_refused() -> None:
    """Nothing can go out any more, and nobody waits for that for ever."""
    rig = Rig()
    socket = rig.client.socket()
    socket.connect()
    task = rig.task(socket.drain())
    rig.open()
    rig.receive('4{"message":"no"}')
    rig.settle()
    with pytest.raises(Disconnected):
        _ = task.result


def test_drain_with_retries() -> None:
    """Rule 88: what is sent again until it is acknowledged has not gone before."""
    rig = Rig(retries=1, ack_timeout=1.0)
    socket = rig.joined()
    socket.emit("x")
    socket.emit("y")
    task = rig.task(socket.drain())
    rig.receive("30[]")
    assert not task.done
    rig.advance(2)
    assert task.result is None


@pytest.mark.parametrize("how", ["lost", "left"])
def test_drain_while_it_is_disconnected(how: str) -> None:
    """What was not sent is lost, and that is no success."""
    rig = Rig()
    socket = rig.joined()
    rig.engine.backlog = 100_000
    task = rig.task(socket.drain())
    rig.engine.backlog = 0
    if how == "lost":
        rig.lose()
    else:
        socket.disconnect()
        rig.settle()
    with pytest.raises(Disconnected):
        _ = task.result


# Listening


def test_events_that_come_before_the_first_listener() -> None:
    """They wait for it, and for those that are registered beside it."""
    rig = Rig()
    socket = rig.joined()
    socket.on("disconnect", lambda reason: None)
    assert rig.receive('20["a",1]', '2["b",2]', '2["c"]', '2["a",3]') == []
    told = record(socket, "a", "b")
    rig.settle()
    assert told == [("a", 1), ("b", 2), ("a", 3)]
    assert rig.engine.take() == ["30[]"]
    record(socket, "c")
    rig.receive('2["a",4]')
    assert told[3:] == [("a", 4)]


def test_catch_all_listeners_are_listeners() -> None:
    rig = Rig()
    socket = rig.joined()
    rig.receive('2["a",1]')
    told: list[tuple[Any, ...]] = []
    socket.on_any(lambda *args: told.append(args))
    rig.settle()
    assert told == [("a", 1)]


# Iterating


class Iteration:
    """A task that iterates over a socket; what it has got."""

    def __init__(self, rig: Rig, socket: ClientSocket) -> None:
        self.socket = socket
        self.got: list[Event] = []
        self.task: Task[None] = rig.task(self._run())

    async def _run(self) -> None:
        async for event in self.socket:
            self.got.append(event)

    @property
    def names(self) -> list[str]:
        """The names of what it has got."""
        return [event.name for event in self.got]


def test_iteration() -> None:
    """Names, arguments, and the acknowledgement of those who ask for one."""
    rig = Rig()
    socket = rig.joined()
    iteration = Iteration(rig, socket)
    rig.receive('2["a",1,"two"]', '25["b"]')
    [first, second] = iteration.got
    assert (first.name, first.args, first.ack.wanted) == ("a", (1, "two"), False)
    assert (second.name, second.args, second.ack.wanted) == ("b", (), True)
    second.ack("ok")
    second.ack("twice")
    assert rig.engine.take() == ['35["ok"]']
    assert rig.engine.held == 0


def test_listeners_beside_an_iteration() -> None:
    """Events with a listener go to it, the others to the iteration; also those before both."""
    rig = Rig()
    socket = rig.joined()
    rig.receive('2["early a"]', '2["early b"]')
    told = record(socket, "early a", "a")
    any_told: list[str] = []
    socket.on_any(lambda name, *args: any_told.append(name))
    iteration = Iteration(rig, socket)
    rig.receive('2["a"]', '2["b"]')
    assert told == [("early a",), ("a",)]
    assert iteration.names == ["early b", "b"]
    assert any_told == ["early a", "early b", "a", "b"]


def test_an_iteration_that_lags_holds_the_server() -> None:
    """Rule 98: no event is lost, and the server is not read from."""
    rig = Rig()
    socket = rig.joined()
    iterator = aiter(socket)
    rig.receive(*['2["x"]'] * 5)
    assert rig.engine.held == 5
    for held in (4, 3):
        assert rig.task(anext(iterator)).result.name == "x"
        assert rig.engine.held == held


def test_cancelled_it_loses_nothing() -> None:
    """Also when the event has come, and the task has not been told yet."""
    rig = Rig()
    socket = rig.joined()
    iterator = aiter(socket)
    task = rig.task(anext(iterator))
    rig.engine.receiver.message('2["x"]', rig.now)
    rig.client.deliver()
    task.cancel()
    assert rig.task(anext(iterator)).result.name == "x"


def test_it_goes_on_over_a_lost_connection_and_ends_with_the_socket() -> None:
    """After the events that came before; `reason` says why."""
    rig = Rig()
    socket = rig.joined()
    iteration = Iteration(rig, socket)
    rig.receive('2["a"]')
    rig.lose()
    rig.advance(1)
    rig.rejoin()
    rig.receive('2["b"]', "1")
    assert iteration.task.done
    assert iteration.task.result is None
    assert iteration.names == ["a", "b"]
    assert socket.reason == "io server disconnect"
    again = Iteration(rig, socket)
    assert again.task.done


@pytest.mark.parametrize("how", ["left", "left while waiting", "given up", "refused"])
def test_every_end_ends_it(how: str) -> None:
    rig = Rig(reconnection=how != "given up")
    socket = rig.client.socket()
    socket.connect()
    iteration = Iteration(rig, socket)
    rig.open()
    assert not iteration.task.done
    if how == "refused":
        rig.receive('4"no"')
    elif how == "given up":
        rig.accept()
        rig.lose(Reason.PING_TIMEOUT)
        assert socket.reason == "ping timeout"
    else:
        if how == "left":
            rig.accept()
        socket.disconnect()
        rig.settle()
        assert socket.reason == "io client disconnect"
    assert iteration.task.done


def test_connected_again_by_a_listener_it_goes_on() -> None:
    rig = Rig()
    socket = rig.joined()
    socket.on("disconnect", lambda reason: socket.connect())
    iteration = Iteration(rig, socket)
    rig.receive("1")
    rig.open()
    rig.accept()
    rig.receive('2["x"]')
    assert not iteration.task.done
    assert iteration.names == ["x"]


def test_two_tasks_share_an_iteration() -> None:
    """Each event is for one of them."""
    rig = Rig()
    socket = rig.joined()
    one, other = Iteration(rig, socket), Iteration(rig, socket)
    for number in range(6):
        rig.receive(f'2["{number}"]')
    assert sorted(one.names + other.names) == [str(number) for number in range(6)]
    socket.disconnect()
    rig.settle()
    assert one.task.done
    assert other.task.done


def test_events_out_are_told() -> None:
    """Row 169; a listener that fails is reported, and its event goes."""
    rig = Rig()
    socket = rig.joined()
    told: list[tuple[Any, ...]] = []

    def fails(*args: object) -> None:
        told.append(args)
        raise ValueError

    socket.on_any_outgoing(fails)
    socket.emit("x", 1)
    assert rig.engine.take() == ['2["x",1]']
    assert told == [("x", 1)]
    assert [type(error) for _, error in rig.runtime.logged] == [ValueError]
