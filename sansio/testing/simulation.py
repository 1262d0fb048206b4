"""Servers and clients in one process, in virtual time, and a network between them.

Everything that happens follows from the seed: the same code and the same seed give the same
transcript, line by line. This module does not know what servers and clients say.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from random import Random
from typing import Any, Final, TypeVar, Unpack

from ..backend import abandon, shut_down
from ..config import ServerOptions
from ..engineio.client.url import parse_url
from ..engineio.server import Engine
from ..runtime import Resolve
from ..socketio.app import App
from ..socketio.client.app import ClientApp
from ..socketio.client.config import ClientOptions
from ..socketio.parser import Parser
from .clock import Clock
from .errors import SimulationError
from .faults import CALM, Faults
from .leftovers import left_in_client, left_in_server
from .network import Network
from .process import Process, VirtualRuntime, World
from .tasks import Tasks
from .transcript import Transcript

T = TypeVar("T")

GRACE: Final = 10.0
"""For how many seconds a server that is stopped waits for its clients."""

AT_ONCE: Final = 200_000
"""How many steps may happen without that any time passes."""


class AppMachine:
    """A server, as it is driven."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.next_deadline: Callable[[], float | None] = app.engine.next_deadline
        self.handle_timeout: Callable[[float], None] = app.engine.handle_timeout
        self.deliver: Callable[[], None] = app.deliver


class SimulatedServer:
    """A host with a server on it, which can be stopped, killed and started anew.

    Made by `Simulation.server`, where it says what the arguments are; it is running then.
    """

    def __init__(
        self,
        simulation: Simulation,
        url: str,
        set_up: Callable[[App], object],
        parser: str | Parser,
        options: ServerOptions,
    ) -> None:
        target = parse_url(url).target
        self._simulation = simulation
        self._name = target.authority
        self._address = (target.host, target.port)
        self._set_up = set_up
        self._parser = parser
        self._options = options
        self._started = 0
        self.start()

    def __repr__(self) -> str:
        return f"<SimulatedServer {self._name}>"

    @property
    def app(self) -> App:
        """The server that was started last: a new one after each `start`."""
        return self._app

    @property
    def engine(self) -> Engine:
        """Its engine."""
        return self._app.engine

    @property
    def running(self) -> bool:
        """Whether it takes connections."""
        return self._simulation.network.listeners.get(self._address) is self

    def start(self) -> None:
        """Start a new server there; raises ValueError when one is running."""
        if self.running:
            raise ValueError(f"{self._name} is running already")
        simulation = self._simulation
        self._started += 1
        name = self._name if self._started == 1 else f"{self._name}/{self._started}"
        self.process: Process = Process(simulation.world, name, simulation.network)
        runtime = VirtualRuntime(self.process)
        self._app = App(
            runtime, entropy=simulation.new_entropy(), parser=self._parser, **self._options
        )
        self.process.machine = AppMachine(self._app)
        self._set_up(self._app)
        simulation.network.listeners[self._address] = self
        simulation.servers[self.process] = self._app
        simulation.world.note(f"{name} starts")

    def stop(self) -> None:
        """Take no more connections, and tell the clients; after ten seconds it is gone.

        No effect when it is not running.
        """
        if self.running:
            del self._simulation.network.listeners[self._address]
            app, process = self._app, self.process
            self._simulation.world.note(f"{process.name} stops")
            shut_down(app)
            process.touch()
            self._simulation.world.clock.after(GRACE, lambda: self._give_up(app, process))

    def kill(self) -> None:
        """End it without a word; its connections are reset. No effect when it is not running."""
        if self.running:
            del self._simulation.network.listeners[self._address]
            self._simulation.kill(self.process)
            self._simulation.servers.pop(self.process, None)

    def _give_up(self, app: App, process: Process) -> None:
        if process.alive:
            abandon(app, process)
            for end in list(process.ends):
                end.close()
            for task in self._simulation.world.tasks.of(process):
                task.cancel()
            process.touch()


class Simulation:
    """A virtual clock, a network, and the servers and clients on it.

    `seed` decides everything that is left to chance. `write`, where it is given, gets each line
    of the transcript. `command` is how to run it again, for the message of an error.
    """

    def __init__(
        self,
        seed: int,
        *,
        faults: Faults = CALM,
        write: Callable[[str], None] | None = None,
        command: str | None = None,
    ) -> None:
        self.seed = seed
        self.random: Random = Random(seed)
        """For whatever a test of your own leaves to chance."""
        self.watch: Callable[[], None] | None = None
        """Called after every step: what it raises ends the simulation."""
        self._command = command
        clock, lots = Clock(), Random(self.random.getrandbits(64))
        self.world: World = World(clock, Tasks(clock, lots), lots, Transcript(write), {}, [])
        self.network: Network = Network(self.world, faults)
        self.servers: dict[Process, App] = {}
        """Every server that has been started, and not been killed."""
        self.clients: dict[ClientApp, Process] = {}
        """Every client that has been made, and not been killed."""
        self._nobody = Process(self.world, "test", self.network)
        self._names = 0

    @property
    def now(self) -> float:
        """The time, in seconds from the beginning of the simulation."""
        return self.world.clock.now

    @property
    def transcript(self) -> Transcript:
        """What has happened."""
        return self.world.transcript

    @property
    def logged(self) -> list[tuple[str, str, Exception | None]]:
        """What servers and clients have logged: who, what, and with which exception."""
        return self.world.logged

    def note(self, what: str) -> None:
        """Write a line of your own into the transcript."""
        self.world.note(what)

    def new_entropy(self) -> Callable[[int], bytes]:
        """Bytes that follow from the seed."""
        return Random(self.random.getrandbits(64)).randbytes

    def failure(self, message: str) -> SimulationError:
        """An error that tells the seed, the last lines of the transcript and how to repeat it."""
        return SimulationError(
            message, seed=self.seed, lines=self.transcript.last, command=self._command
        )

    # Servers and clients

    def server(
        self,
        url: str,
        set_up: Callable[[App], object],
        *,
        parser: str | Parser = "json",
        **options: Unpack[ServerOptions],
    ) -> SimulatedServer:
        """Start a server; `set_up` registers its handlers, each time that it is started anew.

        Clients reach it by the host and the port of `url`. The options are those of `App`.
        Raises ValueError where a server is running there already.
        """
        return SimulatedServer(self, url, set_up, parser, options)

    def client(
        self, url: str, *, parser: str | Parser = "json", **options: Unpack[ClientOptions]
    ) -> ClientApp:
        """A client that has not begun yet. The options are those of `ClientApp`."""
        self._names += 1
        process = Process(self.world, f"client{self._names}", self.network)
        client = ClientApp(
            VirtualRuntime(process), url, entropy=self.new_entropy(), parser=parser, **options
        )
        process.machine = client
        self.clients[client] = process
        return client

    def process(self, of: ClientApp | SimulatedServer) -> Process:
        """What a client or a server runs in: to let it stand still, for example."""
        return of.process if isinstance(of, SimulatedServer) else self.clients[of]

    def kill_client(self, client: ClientApp, *, silently: bool = False) -> None:
        """End a client without a word; with `silently` its connections are not even reset."""
        self.kill(self.clients.pop(client), silently=silently)

    def kill(self, process: Process, *, silently: bool = False) -> None:
        """End a process without a word; with `silently` its connections are not even reset."""
        self.world.note(f"{process.name} is killed, silently={silently}")
        connections = self.network.of(process)
        process.kill()
        for connection in connections:
            if silently:
                connection.silence()
            for end in (connection.client, connection.server):
                if end is None or end.over:
                    continue
                if end.process is process:
                    end.over = True
                elif not silently:
                    self.world.clock.after(connection.latency, partial(end.lose, "reset"))

    # Time

    async def sleep(self, seconds: float) -> None:
        """Wait for so much virtual time, in a handler or in the test itself."""

        def start(resolve: Resolve[None]) -> Callable[[], None]:
            return self.world.clock.after(seconds, lambda: resolve(None)).cancel

        await VirtualRuntime(self._nobody).wait(start, None)

    def run(self, main: Coroutine[Any, Any, T], *, limit: float = 3600.0) -> T:
        """Run a coroutine to its end, and return what it returns; raises what it raises.

        Raises SimulationError when that takes more than `limit` seconds of virtual time, when
        it waits for what can never come, or when the network never comes to rest.
        """
        results: list[T] = []

        async def run() -> None:
            results.append(await main)

        task = self.world.tasks.spawn(run, self._nobody)
        try:
            if not self._until(lambda: task.over, self.now + limit):
                stuck = self.world.clock.next() is None
                reason = "nothing can happen any more" if stuck else f"{limit} s are over"
                raise self.failure(f"what was run has not ended, and {reason}")
        finally:
            task.kill()
        return results[0]

    def spawn(self, function: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a coroutine beside the others; what it raises ends the simulation."""
        self.world.tasks.spawn(function, self._nobody)

    def advance(self, seconds: float) -> None:
        """Let so much virtual time pass."""
        end = self.now + seconds
        self._until(lambda: False, end)
        self.world.clock.now = end

    def settle(self) -> None:
        """Let everything happen that can happen without time."""
        tasks, touched = self.world.tasks, self.world.touched
        for _ in range(AT_ONCE):
            if touched:
                process = next(iter(touched))
                del touched[process]
                process.settle()
            elif tasks.ready:
                tasks.step()
            else:
                return
        raise self.failure("the processes never come to rest")

    def _until(self, done: Callable[[], bool], end: float) -> bool:
        """Let time pass until something is done, or `end`; whether it was done."""
        clock = self.world.clock
        steps, since = 0, clock.now
        self.settle()
        while not done():
            when = clock.next()
            if when is None or when > end:
                return False
            steps = steps + 1 if when == since else 0
            since = when
            if steps > AT_ONCE:
                raise self.failure("time does not pass any more")
            clock.step()
            self.settle()
            if self.watch is not None:
                self.watch()
        return True

    # What is left

    def leftovers(self) -> list[str]:
        """What stands in the tables of servers and clients: a line each, with whose it is.

        Once every client has been closed, and time has passed for connections to come to their
        end (some 200 s), it should be empty.
        """
        found = [
            f"{process.name}: {line}"
            for process, app in self.servers.items()
            for line in left_in_server(app)
        ]
        found += [
            f"{process.name}: {line}"
            for client, process in self.clients.items()
            for line in left_in_client(client)
        ]
        return found
