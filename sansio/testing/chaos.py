"""A scenario that tries whatever can go wrong: clients and servers that come, go and fail.

Clients and servers talk through a stormy network; then the storm is over, and everybody has to
be connected again, everything has to arrive, and nothing may be left in any table. What may
arrive is the ledger's matter; this module does what the members of the cast do to each other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any, Final

from ..socketio.client.app import ClientApp
from ..socketio.client.config import ClientOptions
from .errors import SimulationError
from .faults import CALM, STORMY, Faults
from .hosts import NAMESPACES, Hosts
from .ledger import Questions
from .leftovers import left_in_client
from .member import Member
from .process import Process
from .simulation import SimulatedServer, Simulation

PATIENCE: Final = 75.0
"""For how many seconds of calm whoever is dead may go unnoticed: longer than any heartbeat."""
RECOVERY: Final = 600.0
"""After how many further seconds everybody has to be connected, and everything delivered."""
AFTERWARDS: Final = 400.0
"""After how many seconds nothing may be left of anybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much of everything there is."""

    clients: int = 5
    servers: int = 2
    seconds: float = 40.0
    """Of storm."""
    pace: float = 1.0
    """How many seconds lie between two acts of one client."""


SMALL: Final = Size()


class Chaos:
    """One run of the scenario; `run` raises a SimulationError where something is wrong."""

    def __init__(self, simulation: Simulation, size: Size = SMALL, storm: Faults = STORMY) -> None:
        self.simulation = simulation
        self.random: Random = simulation.random
        self.size = size
        self.questions: Questions = Questions(self.fail)
        self.members: dict[str, Member] = {}
        """Of all clients that live, by their names."""
        self.servers: list[SimulatedServer] = []
        self.waiting: dict[int, object] = {}
        """The processes of those who wait for an answer, by the questions."""
        self.deliveries = 0
        self._parser = simulation.random.choice(("json", "json", "msgpack"))
        self._hosts = Hosts(self)
        self._storm = storm
        self.storming: bool = True
        self._acting = 0
        self._wrong: str | None = None
        self._seen = 0

    def fail(self, message: str) -> None:
        """Something is wrong; it is raised outside of whatever handler has seen it."""
        self._wrong = self._wrong or message

    def watch(self) -> None:
        """Raise what is wrong; called after every step."""
        logged = self.simulation.logged
        while self._seen < len(logged):
            who, message, error = logged[self._seen]
            self._seen += 1
            if error is not None:
                raise self.simulation.failure(f"{who} logs: {message}: {error!r}") from error
        if self._wrong is not None:
            raise self.simulation.failure(self._wrong)

    def ballast(self) -> list[Any]:
        """Further arguments, of all kinds and sizes."""
        random = self.random
        size = random.choice((10, 10, 10, 1_000, 100_000))
        return random.choice(
            (
                [],
                ["é\u2028" * (size // 5)],
                [random.randbytes(size)],
                [{"a": random.randbytes(9), "b": [random.randbytes(size // 10)]}],
            )
        )

    def run(self) -> None:
        """Storm, calm, and the end of all."""
        simulation = self.simulation
        simulation.watch = self.watch
        simulation.network.faults = self._storm
        try:
            simulation.run(self._play(), limit=100_000.0)
        except SimulationError:
            raise
        except Exception as error:
            raise simulation.failure(f"{type(error).__name__}: {error}") from error

    async def _play(self) -> None:
        simulation, random, size = self.simulation, self.random, self.size
        options: dict[str, Any] = {
            "ping_interval": random.choice((3.0, 10.0, 25.0)),
            "ping_timeout": random.choice((2.0, 5.0, 20.0)),
            "on_disconnect": random.choice(("finish", "cancel")),
            "per_message_deflate": random.random() < 0.3,
            "max_inbound": random.choice((3, 1_000)),
            "pause_backlog": random.choice((20_000, 4_000_000)),
        }
        self.servers = [
            simulation.server(
                f"http://{name}.example", self._hosts.set_up, parser=self._parser, **options
            )
            for name in "abcdefgh"[: size.servers]
        ]
        for number in range(size.clients):
            self._begin(partial(self._live, number))
        for server in self.servers:
            self._begin(partial(self._shake, server))
        await simulation.sleep(size.seconds)
        self.storming = False
        await self._until("whoever acts has not come to an end", lambda: not self._acting)
        simulation.note("the storm is over")
        simulation.network.faults = CALM
        await simulation.sleep(PATIENCE)
        await self._until("not everybody is connected again", self._connected)
        await self._exchange()
        for client in list(simulation.clients):
            if not client.is_shut:
                await client.aclose()
        self._forget(list(self.members.values()))
        self.members.clear()
        await simulation.sleep(AFTERWARDS)
        if left := simulation.leftovers():
            raise simulation.failure("left over: " + "; ".join(left))
        for number, home in self.waiting.items():
            if isinstance(home, Process) and home.alive:
                raise simulation.failure(f"{home.name} waits for an answer to {number} for ever")

    def _forget(self, members: list[Member]) -> None:
        """Their client has gone, in good order: nothing is awaited but for what was not sent."""
        for member in members:
            outbound = member.socket.membership.outbound
            if outbound.awaited > outbound.waiting:
                self.fail(f"{member.name} awaits {outbound.awaited} acknowledgements for ever")

    def _begin(self, function: Callable[[], Any]) -> None:
        self._acting += 1

        async def run() -> None:
            await function()
            self._acting -= 1

        self.simulation.spawn(run)

    async def _until(self, problem: str, done: Callable[[], bool]) -> None:
        end = self.simulation.now + RECOVERY
        while not done():
            if self.simulation.now > end:
                states = "; ".join(
                    f"{member.name} {member.socket.membership.state.name}"
                    for member in self.members.values()
                )
                raise self.simulation.failure(f"{problem} ({states})")
            await self.simulation.sleep(0.5)

    # Clients

    async def _live(self, number: int) -> None:
        """One client after another, each of which lives for a while."""
        simulation, random = self.simulation, self.random
        life = 0
        while self.storming:
            life += 1
            url = random.choice(self._urls())
            client = simulation.client(url, parser=self._parser, **self._options())
            name = f"{number}.{life}"
            names = random.choice((NAMESPACES, NAMESPACES[:1], NAMESPACES[1:]))
            members = [Member(self, client, name, each) for each in names]
            self.members |= {member.name: member for member in members}
            end = simulation.now + random.uniform(5, 2 * self.size.seconds)
            while self.storming and simulation.now < end:
                await simulation.sleep(random.expovariate(1 / self.size.pace))
                random.choice(members).act()
                self._check_bounds(client)
            if self.storming:
                await self._die(client, members)

    async def _die(self, client: ClientApp, members: list[Member]) -> None:
        for member in members:
            del self.members[member.name]
        lot = self.random.random()
        if lot < 0.5:
            await client.aclose(self.random.choice((0.5, 10.0)))
            left = [line for line in left_in_client(client) if "timers" not in line]
            if left:
                self.fail(f"after aclose {left}")
            self._forget(members)
        else:
            self.simulation.kill_client(client, silently=lot < 0.75)
        await self.simulation.sleep(self.random.expovariate(0.5))

    def _urls(self) -> list[str]:
        return [f"http://{name}.example" for name in "abcdefgh"[: self.size.servers]]

    def _options(self) -> ClientOptions:
        random = self.random
        options: ClientOptions = {
            "remember_upgrade": random.random() < 0.3,
            "try_all_transports": random.random() < 0.3,
            "force_base64": random.random() < 0.2,
            "per_message_deflate": random.random() < 0.2,
            "max_inbound": random.choice((3, 1_000)),
            "timeout": random.choice((3.0, 20.0)),
            "upgrade_timeout": random.choice((1.0, 10.0)),
        }
        options["transports"] = random.choice(
            (("polling", "websocket"), ("polling", "websocket"), ("polling",), ("websocket",))
        )
        if random.random() < 0.3:
            options["retries"] = 1_000_000
            options["ack_timeout"] = random.choice((1.0, 5.0))
        return options

    def _check_bounds(self, client: ClientApp) -> None:
        for member in client.members.values():
            if member.outbound.waiting > client.config.max_send_buffer:
                self.fail(f"{member.outbound.waiting} events wait to be sent")
        for process, app in self.simulation.servers.items():
            limits = 20 * (len(process.ends) + len(app.engine.sessions)) + 2 * self.questions.open
            if len(app.engine.timers) > limits + 100:
                self.fail(f"{process.name} has {len(app.engine.timers)} timers")

    # Servers

    async def _shake(self, server: SimulatedServer) -> None:
        """Stop a server, or kill it, and start it anew: again and again."""
        random, simulation = self.random, self.simulation
        while self.storming:
            await simulation.sleep(random.expovariate(1 / 30))
            if not self.storming:
                break
            (server.stop if random.random() < 0.5 else server.kill)()
            await simulation.sleep(random.expovariate(1 / 5))
            server.start()

    # When the storm is over

    def _connected(self) -> bool:
        """Whether all are; whoever is not active asks again."""
        for member in self.members.values():
            if not member.socket.active:
                member.join()
        return all(member.socket.connected for member in self.members.values())

    async def _exchange(self) -> None:
        """Whatever is sent now arrives: nobody is told that he is connected who is not."""
        for member in self.members.values():
            for _ in range(3):
                member.socket.emit("up", member.up.next())
                member.up.count()
        await self._until("not everything has arrived", self._heard)
        sockets = [
            socket
            for server in self.servers
            for name in NAMESPACES
            for socket in list(server.app.of(name).sockets.values())
        ]
        for socket in sockets:
            self._hosts.send_down(socket)
        names = sorted(str(socket.data["member"]) for socket in sockets)
        if names != sorted(self.members):
            raise self.simulation.failure(
                f"the servers have {names}, the clients are {sorted(self.members)}"
            )
        await self._until(
            "not everything has arrived from the servers",
            lambda: all(
                self.members[socket.data["member"]].down[socket.id].complete(socket.id)
                for socket in sockets
                if socket.connected
            ),
        )

    def _heard(self) -> bool:
        return all(
            member.up.complete(member.socket.id or "")
            and not member.socket.membership.outbound.waiting
            for member in self.members.values()
        )
