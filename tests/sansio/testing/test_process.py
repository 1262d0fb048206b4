"""A server or a client, and its runtime."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from sansocket.sansio.runtime import Resolve
from sansocket.sansio.socketio.app import App
from sansocket.sansio.socketio.socket import Socket
from sansocket.sansio.testing import Simulation
from sansocket.sansio.testing.process import Process, VirtualRuntime

URL = "http://a.example"


def runtime(simulation: Simulation) -> tuple[Process, VirtualRuntime]:
    process = Process(simulation.world, "p", simulation.network)
    return process, VirtualRuntime(process)


def test_wait() -> None:
    """For a value, an exception, or in vain; it is forgotten in each case."""
    simulation = Simulation(1)
    _, waiting = runtime(simulation)
    forgotten: list[str] = []

    def start_with(result: str | Exception | None) -> Callable[[Resolve[str]], Callable[[], None]]:
        def start(resolve: Resolve[str]) -> Callable[[], None]:
            if result is not None:
                simulation.world.clock.after(1.0, partial(resolve, result))
                simulation.world.clock.after(1.5, partial(resolve, "too late"))
            return lambda: forgotten.append(str(result))

        return start

    assert simulation.run(waiting.wait(start_with("a"), 5.0)) == "a"
    with pytest.raises(KeyError):
        simulation.run(waiting.wait(start_with(KeyError("b")), None))
    with pytest.raises(TimeoutError):
        simulation.run(waiting.wait(start_with(None), 2.0))
    assert forgotten == ["a", "'b'", "None"]
    assert simulation.now == 4.0


def test_log() -> None:
    """It is kept, with who has logged it."""
    simulation = Simulation(1)
    _, logging = runtime(simulation)
    error = KeyError("x")
    logging.log("failed", error)
    assert simulation.logged == [("p", "failed", error)]
    assert "p logs failed: KeyError('x')" in simulation.transcript.last[-1]


def test_standing_still() -> None:
    """No handler runs, no timer fires, and nothing is read until it goes on."""
    simulation = Simulation(1)
    told: list[float] = []
    server = simulation.server(URL, lambda io: io.on("x", lambda socket: told.append(0)))
    socket = simulation.run(simulation.client(URL, transports=("websocket",)).connect())
    simulation.process(server).freeze(15.0)
    socket.emit("x")
    simulation.advance(14)
    assert told == []
    assert simulation.process(server).frozen
    simulation.advance(2)
    assert told == [0]


def test_killed() -> None:
    """Its handlers end where they wait, and nothing of it is heard again."""
    simulation = Simulation(1)
    told: list[str] = []

    def set_up(io: App) -> None:
        @io.on("slow")
        async def slow(socket: Socket) -> None:
            try:
                await simulation.sleep(10)
                told.append("slept")
            finally:
                told.append("ended")

    server = simulation.server(URL, set_up)
    socket = simulation.run(simulation.client(URL).connect())
    socket.emit("slow")
    simulation.advance(5)
    server.kill()
    assert told == ["ended"]
    simulation.advance(60)
    assert told == ["ended"]
    assert not socket.connected
