"""Servers and clients in virtual time."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from sansocket.sansio.errors import Disconnected
from sansocket.sansio.socketio.app import App
from sansocket.sansio.socketio.socket import Socket
from sansocket.sansio.testing import STORMY, SimulatedServer, Simulation, SimulationError

URL = "http://a.example"


def echo(io: App) -> None:
    """Answer what is asked."""
    io.on("echo", lambda socket, value: value)


def transcript(seed: int, play: Callable[[Simulation], None]) -> list[str]:
    """The lines of one run."""
    lines: list[str] = []
    play(Simulation(seed, faults=STORMY, write=lines.append))
    return lines


def play(simulation: Simulation) -> None:
    """Some clients that talk for a while."""
    simulation.server(URL, echo)
    sockets = [simulation.client(URL).socket() for _ in range(5)]
    for socket in sockets:
        socket.connect()
    for _ in range(100):
        simulation.random.choice(sockets).emit("echo", simulation.random.randbytes(99))
        simulation.advance(simulation.random.random())


def test_the_seed_decides_everything() -> None:
    """The same lines again; with another seed, others."""
    lines = transcript(1, play)
    assert len(lines) > 500
    assert transcript(1, play) == lines
    assert transcript(2, play) != lines


def test_chance_has_a_seed() -> None:
    """Nothing of the simulator draws from a generator that it has not seeded itself."""
    folder = Path(__file__).parents[3] / "sansio" / "testing"
    imported = {
        line
        for path in folder.glob("*.py")
        for line in re.findall(r"^\s*(.*\brandom\b.*)$", path.read_text(), re.MULTILINE)
        if "import" in line.split()
    }
    assert imported == {"from random import Random"}


def test_run() -> None:
    """What it returns and raises; hours pass in no time."""
    simulation = Simulation(1)

    async def sleep() -> float:
        await simulation.sleep(3000)
        return simulation.now

    async def fail() -> None:
        raise KeyError("x")

    assert simulation.run(sleep()) == 3000.0
    with pytest.raises(KeyError):
        simulation.run(fail())
    assert simulation.run(sleep()) == 6000.0


def test_what_never_ends() -> None:
    """It is said so, with the seed and the last lines."""
    simulation = Simulation(17, command="run it")
    with pytest.raises(SimulationError, match="seed 17: what was run has not ended, and 10") as it:
        simulation.run(simulation.sleep(20), limit=10)
    assert str(it.value).endswith("again: run it")
    client = simulation.client(URL, reconnection=False)
    with pytest.raises(SimulationError, match="nothing can happen any more"):
        simulation.run(client.runtime.wait(lambda resolve: lambda: None, None))
    simulation.note("the last line")

    async def never_rests() -> None:
        while True:
            await simulation.sleep(0)

    with pytest.raises(SimulationError, match="time does not pass any more") as raised:
        simulation.run(never_rests())
    assert raised.value.lines[-1].endswith("the last line")


def test_watch() -> None:
    """Called after every step: what it raises ends the simulation."""
    simulation = Simulation(1)
    told: list[float] = []

    def watch() -> None:
        told.append(simulation.now)
        if simulation.now > 5:
            raise simulation.failure("too late")

    simulation.watch = watch

    async def sleep() -> None:
        for _ in range(10):
            await simulation.sleep(1)

    with pytest.raises(SimulationError, match="too late"):
        simulation.run(sleep())
    assert told == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]


def test_spawn() -> None:
    """Tasks beside what is run."""
    simulation = Simulation(1)
    told: list[str] = []

    async def beside() -> None:
        await simulation.sleep(1)
        told.append("beside")

    simulation.spawn(beside)
    simulation.advance(2)
    assert (told, simulation.now) == (["beside"], 2.0)


@pytest.mark.parametrize("how", [SimulatedServer.stop, SimulatedServer.kill])
def test_a_server_is_started_anew(how: Callable[[SimulatedServer], None]) -> None:
    """Its clients come back to the new one, which knows nothing of the old one."""
    simulation = Simulation(1)
    server = simulation.server(URL, echo)
    first = server.app
    socket = simulation.run(simulation.client(URL).connect())
    reasons: list[str] = []
    socket.on("disconnect", reasons.append)
    with pytest.raises(ValueError, match=re.escape("a.example is running already")):
        server.start()
    how(server)
    how(server)
    assert not server.running
    simulation.advance(30)
    assert not socket.connected
    assert len(reasons) == 1
    server.start()
    assert server.running
    assert server.app is not first
    simulation.advance(30)
    assert simulation.run(socket.call("echo", b"x")) == b"x"
    simulation.run(socket.client.aclose())
    simulation.advance(200)
    assert simulation.leftovers() == []


def test_a_server_that_is_stopped_gives_up_its_handlers() -> None:
    """After ten seconds, as `aclose` of the backends does."""
    simulation = Simulation(1)
    told: list[str] = []

    def set_up(io: App) -> None:
        @io.on("slow")
        async def slow(socket: Socket) -> None:
            try:
                await simulation.sleep(1000)
            finally:
                told.append("ended")

    server = simulation.server(URL, set_up)
    socket = simulation.run(simulation.client(URL).connect())
    socket.emit("slow")
    simulation.advance(1)
    server.stop()
    simulation.advance(9)
    assert told == []
    simulation.advance(2)
    assert told == ["ended"]
    simulation.advance(200)
    assert simulation.leftovers()[0].startswith("client1:")


@pytest.mark.parametrize("silently", [False, True])
def test_a_client_is_killed(silently: bool) -> None:
    """The server finds out, sooner or later."""
    simulation = Simulation(1)
    server = simulation.server(URL, echo)
    client = simulation.client(URL, transports=("websocket",))
    socket = simulation.run(client.connect())
    [other] = server.app.sockets.values()
    simulation.kill_client(client, silently=silently)
    simulation.advance(5)
    assert other.connected is silently
    simulation.advance(60)
    assert not other.connected
    assert socket.connected  # it cannot know
    simulation.advance(200)
    assert simulation.leftovers() == []


def test_servers_have_hosts_and_ports() -> None:
    """Each client finds its own."""
    simulation = Simulation(1)
    servers = [simulation.server(url, echo) for url in (URL, URL + ":3000", "https://b.example")]
    for url in (URL, URL + ":3000", URL + ":3000", "https://b.example"):
        simulation.run(simulation.client(url).connect())
    assert [len(server.app.sockets) for server in servers] == [1, 2, 1]
    assert repr(servers[1]) == "<SimulatedServer a.example:3000>"


def test_both_sides_wait_for_each_other() -> None:
    """Handlers and callers, on one clock."""
    simulation = Simulation(1)

    def set_up(io: App) -> None:
        @io.on("ask")
        async def ask(socket: Socket) -> object:
            await simulation.sleep(10)
            return await socket.call("back", timeout=5)

    simulation.server(URL, set_up)
    client = simulation.client(URL)

    async def main() -> None:
        socket = await client.connect()

        @socket.on("back")
        async def back() -> str:
            await simulation.sleep(2)
            return "answer"

        begun = simulation.now
        assert await socket.call("ask") == "answer"
        assert 12 < simulation.now - begun < 14
        with pytest.raises(TimeoutError):
            await socket.call("ask", timeout=1.0)
        socket.disconnect()
        with pytest.raises(Disconnected):
            await socket.call("ask")

    simulation.run(main())
