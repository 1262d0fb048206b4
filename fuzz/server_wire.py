"""A wire never raises, whatever bytes come; when it is lost, its server is as empty as before."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

from sansocket.sansio.runtime import Begin, TaskFunction
from sansocket.sansio.socketio.app import App
from sansocket.sansio.socketio.socket import Socket


class NoLoop:
    """A runtime for plain handlers."""

    def rearm(self) -> None:
        """Nothing to do: no time passes."""

    def spawn(self, function: Begin, home: object) -> None:
        """No handler waits."""
        raise AssertionError("no handler waits")

    def workers(self, home: object) -> None:
        """Nobody is lent."""

    def spawn_cancellable(
        self, function: TaskFunction, home: object, done: Callable[[], None]
    ) -> Callable[[], None]:
        """No handler waits."""
        raise AssertionError("no handler waits")

    def log(self, message: str, error: Exception | None) -> None:
        """What a client sends is no reason for an error in the log."""
        assert error is None, message

    async def wait(self, start: Any, timeout: float | None) -> Any:
        """Nothing waits."""
        raise AssertionError("nothing waits")


def one_input(data: bytes) -> None:
    """Receive the bytes in one chunk, and one by one."""
    receive([data])
    receive([data[i : i + 1] for i in range(len(data))])


def receive(chunks: list[bytes]) -> None:
    """A server's whole life: one connection, and the time until nothing is due any more."""
    numbers = count(1)
    app = App(NoLoop(), entropy=lambda size: next(numbers).to_bytes(size, "big"))
    app.on("echo", echo)
    engine = app.engine
    wire = engine.open(lambda: None, 0.0)
    for chunk in chunks:
        wire.receive_data(chunk, 0.0)
        engine.handle_timeout(0.0)
        app.deliver()
        wire.data_to_send()
    wire.lost()
    now = 0.0
    while (deadline := engine.next_deadline()) is not None:
        assert deadline >= now or now == 0.0
        now = max(now, deadline)
        engine.handle_timeout(now)
        app.deliver()
    assert not engine.sessions
    assert not app.sockets
    assert len(engine.timers) == 0


def echo(socket: Socket, *args: object) -> tuple[object, ...]:
    """Acknowledge with the arguments."""
    socket.emit("echo", *args)
    return args
