"""What a client acknowledges, and what waits for it: callbacks, `call`, `drain`."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from support.runtime import LoopFree, Task, counting_entropy
from support.socketio_client import SocketIOClient, connected, record
from support.transcript import Driver

from sansocket.sansio.errors import Disconnected, LocalProtocolError
from sansocket.sansio.runtime import Start
from sansocket.sansio.socketio.app import App

T = TypeVar("T")


class Patient(LoopFree):
    """A runtime that remembers how long it was asked to wait, and whom it would have told."""

    def __init__(self) -> None:
        super().__init__()
        self.timeouts: list[float | None] = []
        self.resolvers: list[weakref.ref[Callable[..., None]]] = []

    async def wait(self, start: Start[T], timeout: float | None) -> T:
        """Wait as before."""
        self.timeouts.append(timeout)

        def watched(resolve: Callable[[T | Exception], None]) -> Callable[[], None]:
            def told(result: T | Exception) -> None:
                resolve(result)

            self.resolvers.append(weakref.ref(told))
            return start(told)

        return await super().wait(watched, timeout)


# Acknowledgements


def test_an_acknowledgement() -> None:
    """Protocol rules 46 to 48: numbers from 0, positional values, each once."""
    _, driver, client, socket = connected()
    told: list[tuple[Any, ...]] = []
    for name in ("first", "second", "third"):
        socket.emit(name, ack=lambda *values: told.append(values))
    assert client.take() == ['20["first"]', '21["second"]', '22["third"]']
    client.send("32[]", '30[1,"two",null]', "30[9]", "399[9]")
    client.send('61-1[{"_placeholder":true,"num":0}]', b"bytes")
    assert told == [(), (1, "two", None), (b"bytes",)]
    assert driver.runtime.logged == []


def test_an_acknowledgement_of_another_client() -> None:
    """Security rule 28: the numbers are those of one socket."""
    _, driver, client, socket = connected()
    other = SocketIOClient(driver)
    other.connect()
    told: list[object] = []
    socket.emit("x", ack=told.append)
    assert client.take() == ['20["x"]']
    other.send('30["not mine"]')
    assert told == []
    client.send('30["mine"]')
    assert told == ["mine"]


def test_the_bound_on_acknowledgements() -> None:
    """Protocol rule 98: an error, and nothing is sent."""
    _, _, client, socket = connected(max_pending_acks=2)
    for _ in range(2):
        socket.emit("x", ack=lambda: None)
    client.take()
    with pytest.raises(LocalProtocolError, match="2 acknowledgements"):
        socket.emit("too many", ack=lambda: None)
    assert client.take() == []
    client.send("30[]")
    socket.emit("one more", ack=lambda: None)


@pytest.mark.parametrize("emission", ["emit", "timeout"])
def test_a_callback_that_fails(emission: str) -> None:
    """Security rule T1: it is reported like a handler; no peer and no timer is taken down."""
    app, driver, client, socket = connected()
    told = record(app, "x")

    def fail(*values: object) -> None:
        raise RuntimeError("secret")

    if emission == "emit":
        socket.emit("asked", ack=fail)
    else:
        socket.timeout(5.0).emit("asked", ack=fail)
    client.send("30[]", '21["x"]')
    [(message, error)] = driver.runtime.logged
    assert isinstance(error, RuntimeError)
    assert "'asked'" in message
    assert client.take() == ['20["asked"]', "31[]"]
    assert told == [("x",)]


def test_a_callback_that_takes_other_values() -> None:
    """Security rule 34: the client alone has caused it, so it is logged as INFO."""
    _, driver, client, socket = connected()
    socket.emit("asked", ack=lambda: None)
    client.send('30["more","than","asked"]')
    [(message, error)] = driver.runtime.logged
    assert error is None
    assert "'asked'" in message
    client.take()
    assert not client.over


def test_a_callback_goes_to_the_hook() -> None:
    """What concerns a socket goes to `on_error`, with the values as arguments."""
    app, driver, client, socket = connected()
    told: list[tuple[object, ...]] = []

    @app.on_error
    def hook(*args: object) -> None:
        told.append(args)

    problem = RuntimeError("no")

    def fail(value: object) -> None:
        raise problem

    socket.emit("asked", ack=fail)
    client.send("30[5]")
    assert told == [(problem, socket, "asked", (5,))]
    assert driver.runtime.logged == []


# What waits


@pytest.mark.parametrize(
    ("answer", "value"), [("30[]", None), ("30[5]", 5), ("30[[1]]", [1]), ("30[1,2]", (1, 2))]
)
def test_call(answer: str, value: object) -> None:
    """Protocol rule 48: the value, a tuple of several, None for none."""
    _, driver, client, socket = connected()
    task = Task(driver.runtime, socket.call("x", 1))
    assert client.take() == ['20["x",1]']
    assert not task.done
    client.send(answer)
    assert task.result == value


def test_call_and_the_client_goes() -> None:
    """It raises the reason; and at once where there is no one to ask any more."""
    _, driver, client, socket = connected()
    task = Task(driver.runtime, socket.call("x"))
    client.leave()
    with pytest.raises(Disconnected, match="transport close"):
        _ = task.result
    with pytest.raises(Disconnected):
        _ = Task(driver.runtime, socket.call("x")).result


def test_call_is_cancelled() -> None:
    """Protocol rule 78: the acknowledgement is forgotten; the event stays sent."""
    _, driver, client, socket = connected(max_pending_acks=1)
    for number in range(3):
        task = Task(driver.runtime, socket.call("x"))
        assert client.take() == [f'2{number}["x"]']
        task.cancel()
    client.send("30[]", "31[]", "32[]")
    assert driver.runtime.logged == []


def test_call_of_what_cannot_be_sent() -> None:
    """As with `emit`."""
    _, driver, client, socket = connected()
    with pytest.raises(LocalProtocolError):
        _ = Task(driver.runtime, socket.call("disconnect")).result
    assert client.take() == []


def test_the_loop_keeps_the_time_of_a_call() -> None:
    """So that each loop raises its own error, and cancellation forgets the acknowledgement."""
    runtime = Patient()
    app = App(runtime, entropy=counting_entropy())
    client = SocketIOClient(Driver(app, runtime))
    socket = app.sockets[client.connect()]
    Task(runtime, socket.call("x")).cancel()
    Task(runtime, socket.call("x", timeout=2.5)).cancel()
    Task(runtime, socket.timeout(3.5).emit_with_ack("x")).cancel()
    assert runtime.timeouts == [None, 2.5, 3.5]


def test_a_server_may_have_a_timeout_for_all_calls() -> None:
    """Feature 75: `ack_timeout` holds where a call says nothing else."""
    runtime = Patient()
    app = App(runtime, entropy=counting_entropy(), ack_timeout=7.5)
    client = SocketIOClient(Driver(app, runtime))
    socket = app.sockets[client.connect()]
    Task(runtime, socket.call("x")).cancel()
    Task(runtime, socket.call("x", timeout=2.5)).cancel()
    Task(runtime, socket.volatile.emit_with_ack("x")).cancel()
    assert runtime.timeouts == [7.5, 2.5, 7.5]


def test_drain() -> None:
    """It waits until less than 64 KiB wait for the client."""
    _, driver, client, socket = connected()
    assert Task(driver.runtime, socket.drain()).done
    client.pipe.writable = False
    socket.emit("x", "y" * 65_535)
    task = Task(driver.runtime, socket.drain())
    client.send('2["nothing changes"]')
    assert not task.done
    client.pipe.pull()
    driver.runtime.run()
    assert task.result is None


@pytest.mark.parametrize("end", ["lost", "silent", "left", "disconnected", "full"])
def test_drain_and_the_client_goes(end: str) -> None:
    """It raises; what an outbox lost at the end was never sent."""
    _, driver, client, socket = connected(max_backlog=1_000_000)
    client.pipe.writable = False
    socket.emit("x", "y" * 100_000)
    task = Task(driver.runtime, socket.drain())
    if end == "lost":
        client.pipe.lose()
    elif end == "silent":
        driver.advance(46.0)
    elif end == "left":
        client.send("1")
    elif end == "disconnected":
        socket.disconnect()
    else:
        socket.emit("x", "y" * 950_000)
    driver.settle()
    with pytest.raises(Disconnected):
        _ = task.result
    with pytest.raises(Disconnected):
        _ = Task(driver.runtime, socket.drain()).result


def test_drain_is_cancelled() -> None:
    """Protocol rule 98: nobody is kept who does not wait any more."""
    runtime = Patient()
    app = App(runtime, entropy=counting_entropy())
    client = SocketIOClient(Driver(app, runtime))
    socket = app.sockets[client.connect()]
    client.pipe.writable = False
    socket.emit("x", "y" * 100_000)
    for _ in range(3):
        Task(runtime, socket.drain()).cancel()
    # At once, not when the client has been relieved next, which may take long.
    gc.collect()
    assert [resolver() for resolver in runtime.resolvers] == [None] * 3
