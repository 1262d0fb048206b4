"""Connections between clients and servers in one process, and what befalls them.

Bytes arrive later than they were sent, in their order or not at all; which of it is drawn by
lot, by the `Faults`. This module knows wires, and nothing of what they carry.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from ..engineio.client.url import Target
from ..engineio.client.wire import ClientWire
from ..engineio.peer import Peer
from ..engineio.server import Engine
from .end import CarriedWire, End, Waker
from .faults import CALM, Faults
from .pipe import Pipe
from .process import Process, World

GIVEN_UP: Final = 120.0
"""After how many seconds a connection is given up to a host that does not answer."""

GHOST: Final = 60.0
"""For how many seconds at most the duplicate of a connection stays."""


class Ghost:
    """The client's side of a duplicated connection: it sends once, and reads without looking."""

    closing = closed = paused = False

    def __init__(self, data: bytes) -> None:
        self._data = [data]

    def receive_data(self, data: bytes, now: float) -> None:
        """Nobody looks at it."""

    def data_to_send(self) -> list[bytes]:
        """The request."""
        data, self._data = self._data, []
        return data

    def lost(self) -> None:
        """Nobody minds."""


class Listener(Protocol):
    """A server that takes connections, as far as the network knows one."""

    @property
    def process(self) -> Process: ...

    @property
    def engine(self) -> Engine: ...


class Connection:
    """One connection, from the wish for it on."""

    def __init__(self, network: Network, client: Process, wire: CarriedWire, number: int) -> None:
        random = network.world.random
        self.network = network
        self.latency: float = random.uniform(*network.faults.latency)
        self.up: Pipe = Pipe(network.world, lambda: network.faults, self.latency)
        self.down: Pipe = Pipe(network.world, lambda: network.faults, self.latency)
        self.client: End = self._end(client, wire, number, self.down, self.up)
        self.server: End | None = None

    def _end(
        self, process: Process, wire: CarriedWire, number: int, incoming: Pipe, outgoing: Pipe
    ) -> End:
        network = self.network
        return End(
            process,
            wire,
            number,
            incoming,
            outgoing,
            lambda: network.faults,
            lambda data: network.written(number, process, data),
        )

    @property
    def over(self) -> bool:
        """Whether it is, for both sides."""
        return self.client.over and (self.server is None or self.server.over)

    def establish(self, listener: Listener) -> None:
        """Make the connection."""
        world, process = self.network.world, listener.process
        proxy = Waker()
        peer = Peer(f"192.0.2.{self.client.number % 250 + 1}", False, world.clock.now, process)
        wire = listener.engine.open(proxy, world.clock.now, peer)
        self.server = self._end(process, wire, self.client.number, self.up, self.down)
        proxy.end = self.server
        self.server.peer, self.client.peer = self.client, self.server
        self.server.connected = self.client.connected = True
        world.note(f"{self.client} connected to {process.name}")
        if isinstance(self.client.wire, ClientWire):
            self.client.wire.connected(world.clock.now)
        self.client.process.deliver()
        self.client.flush()
        process.touch()

    def fail(self, error: OSError) -> None:
        """The connection could not be made."""
        end = self.client
        if end.over:
            return
        if end.process.frozen:
            self.network.world.clock.at(end.process.resumes_at, lambda: self.fail(error))
            return
        if isinstance(end.wire, ClientWire):
            end.wire.failed(error, self.network.world.clock.now)
        end.forget(f"fails: {type(error).__name__}")

    def cut(self) -> None:
        """Break it; both sides are told."""
        self.up.drop()
        self.down.drop()
        self.client.lose("is cut")
        if self.server is not None:
            self.server.lose("is cut")

    def half_cut(self, *, server: bool) -> None:
        """Break it; the server's side is told, or the client's, and the other is not."""
        self.silence()
        end = self.server if server else self.client
        if end is not None:
            end.lose("is cut, untold to the other side")

    def silence(self, *, up: bool = True, down: bool = True) -> None:
        """Carry nothing any more in these directions; nobody is told."""
        for pipe, wanted in ((self.up, up), (self.down, down)):
            if wanted:
                pipe.silence()
        self.network.world.note(f"{self.client} falls silent, up={up} down={down}")


class Network:
    """Every connection of a simulation, and what befalls them from now on."""

    def __init__(self, world: World, faults: Faults = CALM) -> None:
        self.world = world
        self._faults = faults
        self.listeners: dict[tuple[str, int], Listener] = {}
        """The servers that listen, by host and port."""
        self.connections: dict[int, Connection] = {}
        """Those that are not over, by their numbers."""
        self.counts: dict[str, int] = {}
        """How often each fault has happened."""
        self._made = 0
        self._nobody = Process(world, "ghost", self)

    @property
    def faults(self) -> Faults:
        """What connections suffer; it may be set at any time, for those too that there are."""
        return self._faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._faults = faults
        for connection in self._living():
            self._plan(connection)

    def of(self, process: Process) -> list[Connection]:
        """The connections of a server or a client."""
        return [
            each
            for each in self._living()
            if each.client.process is process
            or (each.server is not None and each.server.process is process)
        ]

    def dial(self, process: Process, wire: ClientWire) -> None:
        """A client wants a connection."""
        connection = self._new(process, wire)
        wire.wake = connection.client.wake
        random, faults, clock = self.world.random, self.faults, self.world.clock
        delay = connection.latency * (1 + faults.jitter * random.random())
        target = wire.target
        self.world.note(f"{connection.client} dials {target.authority}")
        if random.random() < faults.unreachable:
            self._count("unreachable")
            clock.after(GIVEN_UP, lambda: connection.fail(TimeoutError("no answer")))
        elif random.random() < faults.refused:
            self._count("refused")
            clock.after(delay, lambda: connection.fail(ConnectionRefusedError("by lot")))
        else:
            clock.after(delay, lambda: self._connect(connection, target))

    def _connect(self, connection: Connection, target: Target) -> None:
        process = connection.client.process
        if connection.client.over or not process.alive:
            return
        if process.frozen:
            self.world.clock.at(process.resumes_at, lambda: self._connect(connection, target))
            return
        listener = self.listeners.get((target.host, target.port))
        if listener is None:
            connection.fail(ConnectionRefusedError("nobody listens there"))
        else:
            connection.establish(listener)
            self._plan(connection)

    def written(self, number: int, process: Process, data: bytes) -> None:
        """What a client has written may reach the server twice, where that can be."""
        connection = self.connections.get(number)
        if connection is None or connection.client.process is not process:
            return
        if not data.startswith(b"GET "):
            return
        head, random = data.partition(b"\r\n")[0], self.world.random
        if b"sid=" in head or random.random() >= self.faults.duplicated:
            return
        wire = connection.client.wire
        listener = (
            self.listeners.get((wire.target.host, wire.target.port))
            if isinstance(wire, ClientWire)
            else None
        )
        if listener is not None:
            self._count("duplicated")
            ghost = self._new(self._nobody, Ghost(data))
            self.world.clock.after(
                random.uniform(0, 2 * connection.latency), lambda: self._haunt(ghost, listener)
            )

    def _haunt(self, ghost: Connection, listener: Listener) -> None:
        if not listener.process.alive:
            return
        ghost.establish(listener)
        self.world.clock.after(self.world.random.uniform(0, GHOST), ghost.cut)

    def _new(self, process: Process, wire: CarriedWire) -> Connection:
        self._made += 1
        if self._made % 64 == 0:
            self._living()
        connection = Connection(self, process, wire, self._made)
        self.connections[self._made] = connection
        return connection

    def _living(self) -> list[Connection]:
        living = {number: each for number, each in self.connections.items() if not each.over}
        self.connections = living
        return list(living.values())

    def _count(self, name: str) -> None:
        self.counts[name] = self.counts.get(name, 0) + 1

    # What befalls a connection

    def _plan(self, connection: Connection) -> None:
        faults = self.faults
        planned = faults.next(self.world.random)
        if planned is not None and connection.server is not None:
            seconds, name = planned
            self.world.clock.after(seconds, lambda: self._befall(connection, name, faults))

    def _befall(self, connection: Connection, name: str, faults: Faults) -> None:
        if connection.over or faults is not self.faults:
            return
        self._count(name)
        random = self.world.random
        seconds = random.uniform(0, faults.pause)
        up = random.random() < 0.5
        suffer: dict[str, Callable[[], None]] = {
            "cut": connection.cut,
            "half_cut": lambda: connection.half_cut(server=up),
            "silence": connection.silence,
            "one_way": lambda: connection.silence(up=up, down=not up),
            "stall": lambda: (connection.up if up else connection.down).rest(seconds),
            "freeze": lambda: self._freeze(connection, seconds, server=up),
        }
        if name == "stall":
            self.world.note(f"{connection.client} rests, up={up} for {seconds:.1f} s")
        suffer[name]()
        if name in ("stall", "freeze"):
            self._plan(connection)

    def _freeze(self, connection: Connection, seconds: float, *, server: bool) -> None:
        end = connection.server if server else connection.client
        if end is not None:
            end.process.freeze(seconds)
