"""Socket.IO clients of the core against a server of the core, in one process.

No loop, no clock, no port: `SocketNetwork` holds the time and the connections.
"""

from __future__ import annotations

from typing import Any

from sansocket.sansio.engineio.client.wire import ClientWire
from sansocket.sansio.socketio.app import App
from sansocket.sansio.socketio.client.app import ClientApp
from sansocket.sansio.socketio.client.socket import ClientSocket
from support.engineio_client import Network
from support.runtime import LoopFree, Task, counting_entropy
from support.transcript import socketio


class Dialing(LoopFree):
    """A client's runtime, whose connections are those of a network."""

    def __init__(self, network: SocketNetwork) -> None:
        super().__init__()
        self._network = network

    def dial(self, wire: ClientWire) -> None:
        """Connect."""
        self._network.dial(wire)


class SocketNetwork(Network):
    """A server, its clients, and what is between them; `options` are those of `App`."""

    def __init__(self, **options: Any) -> None:
        self.app, driver = socketio(**options)
        super().__init__(driver)
        self.clients: list[tuple[ClientApp, Dialing]] = []

    def new_client(self, **options: Any) -> ClientApp:
        """A client that has not begun yet."""
        runtime = Dialing(self)
        client = ClientApp(runtime, "http://server.example", entropy=counting_entropy(), **options)
        self.clients.append((client, runtime))
        return client

    def joined(self, namespace: str = "/", **options: Any) -> ClientSocket:
        """The socket of a new client, connected; the upgrade has come to its end too."""
        client = self.new_client(**options)
        socket = self.task(client, client.connect(namespace)).result
        assert isinstance(socket, ClientSocket)
        return socket

    def task(self, client: ClientApp, coroutine: Any) -> Task[Any]:
        """A task of an application."""
        [runtime] = [runtime for each, runtime in self.clients if each is client]
        task: Task[Any] = Task(runtime, coroutine)
        self.settle()
        return task

    def settle(self) -> None:
        """Let everything happen that can happen now; what tasks send shows in the next round."""
        quiet = 0
        for _ in range(100_000):
            quiet = 0 if self.step() else quiet + 1
            if quiet == 3:
                return
        raise AssertionError("the network never comes to rest")

    def step(self) -> bool:
        """One round; whether anything happened."""
        moved = super().step()
        for client, runtime in self.clients:
            client.deliver()
            runtime.run()
            client.deliver()
            deadline = client.next_deadline()
            if deadline is not None and deadline <= self.now:
                client.handle_timeout(self.now)
                moved = True
        return moved

    def advance(self, seconds: float) -> None:
        """Let time pass, stopping at every deadline on the way."""
        end = self.now + seconds
        engine = self.driver.core.engine
        while True:
            self.settle()
            deadlines = [client.next_deadline() for client, _ in self.clients]
            deadlines.append(engine.next_deadline())
            deadline = min((at for at in deadlines if at is not None), default=end)
            self.driver.now = max(self.now, min(deadline, end))
            engine.handle_timeout(self.now)
            for client, _ in self.clients:
                client.handle_timeout(self.now)
            if deadline >= end:
                break
        self.settle()

    def cut(self) -> None:
        """Every connection breaks."""
        for link in list(self.links):
            link.cut()
        self.settle()

    def logged(self) -> list[tuple[str, Exception | None]]:
        """What either side has logged."""
        logs = [self.driver.runtime.logged, *(runtime.logged for _, runtime in self.clients)]
        return [entry for log in logs for entry in log]

    def nothing_is_left(self) -> bool:
        """Whether no table of either side has an entry, once everybody has gone."""
        server: App = self.app
        return (
            not server.engine.sessions
            and not server.sockets
            and not server.adapter.rooms()
            and all(
                not client.members and not client.links and not len(client.timers)
                for client, _ in self.clients
            )
        )
