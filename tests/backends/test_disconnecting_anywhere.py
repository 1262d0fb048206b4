"""Clients come, wait in every kind of await, and go at any moment; the tables are compared.

Middleware, handlers, `call` and `drain`: whatever a client is waited for in when it goes, no entry
of it stays behind (security rule T13). After every step the server's tables are what the model
says, on every backend.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from backends.hosts import Backend, Gate, host_on
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    rule,
    run_state_machine_as_test,
)
from interop.peers import WebSocket

from sansocket.sansio.errors import Disconnected
from sansocket.sansio.socketio.socket import Socket


@dataclass(eq=False)
class Client:
    """A client, and what the model knows of it."""

    websocket: WebSocket
    in_middleware: bool
    waiting: str = ""
    """The event whose handler waits, if one does."""


class Anywhere(RuleBasedStateMachine):
    """One server; every rule ends when the server's tables are those of the model."""

    backend: Backend
    clients = Bundle("clients")

    def __init__(self) -> None:
        super().__init__()
        self.host = host_on(self.backend)
        self.middleware_gate = Gate(self.host.io)
        self.handler_gate = Gate(self.host.io)
        self.alive: list[Client] = []
        self.orphans = 0
        """Handlers that finish although their client has gone: those at the gate."""
        self.in_handlers = 0
        self.arrived = self.awaited = 0
        """Clients that have come to the middleware's gate, and those that are to come."""
        self.connects = self.disconnects = 0
        io = self.host.io
        io.use(self._middleware)
        io.on("connect", self._connected)
        io.on("gate", self._at_the_gate)
        io.on("call", self._in_call)
        io.on("drain", self._in_drain)
        io.on("disconnect", self._disconnected)
        self.host.start()

    # The application

    async def _middleware(self, socket: Socket, auth: dict[str, Any]) -> None:
        if auth.get("wait"):
            self.arrived += 1
            await self.middleware_gate.wait()

    async def _connected(self, socket: Socket) -> None:
        self.connects += 1
        socket.join("everyone")

    async def _at_the_gate(self, socket: Socket) -> None:
        self.in_handlers += 1
        await self.handler_gate.wait()
        self.in_handlers -= 1

    async def _in_call(self, socket: Socket) -> None:
        self.in_handlers += 1
        try:
            await socket.call("question")
        except Disconnected:
            pass
        finally:
            self.in_handlers -= 1

    async def _in_drain(self, socket: Socket) -> None:
        self.in_handlers += 1
        try:
            for _ in range(24):
                socket.emit("data", b"x" * 500_000)
            await socket.drain()
        except Disconnected:
            pass
        finally:
            self.in_handlers -= 1

    async def _disconnected(self, socket: Socket, reason: str) -> None:
        self.disconnects += 1

    # What happens

    @rule(target=clients, waits=st.booleans())
    def comes(self, waits: bool) -> Client:
        client = Client(self.host.websocket(), waits)
        client.websocket.send('40{"wait":true}' if waits else "40")
        if not waits:
            assert str(client.websocket.receive()).startswith("40")
        self.awaited += waits
        self.host.see(lambda: self.arrived, self.awaited)
        self.alive.append(client)
        self._compare()
        return client

    @rule(client=clients, event=st.sampled_from(["gate", "call", "drain"]))
    def sends(self, client: Client, event: str) -> None:
        if not client.in_middleware and not client.waiting:
            client.waiting = event
            client.websocket.send(f'42["{event}"]')
            self._compare()

    @rule()
    def middleware_goes_on(self) -> None:
        self.host.run(self.middleware_gate.open)
        self.middleware_gate = Gate(self.host.io)
        for client in self.alive:
            if client.in_middleware:
                client.in_middleware = False
                assert str(client.websocket.receive()).startswith("40")
        self._compare()

    @rule()
    def handlers_go_on(self) -> None:
        self.host.run(self.handler_gate.open)
        self.handler_gate = Gate(self.host.io)
        self.orphans = 0
        for client in self.alive:
            if client.waiting == "gate":
                client.waiting = ""
        self._compare()

    @rule(client=consumes(clients), politely=st.booleans())
    def goes(self, client: Client, politely: bool) -> None:
        if politely:
            client.websocket.send("1")
        client.websocket.close()
        self.alive.remove(client)
        if client.waiting == "gate":
            self.orphans += 1
        self._compare()

    # What holds

    def _tables(self) -> tuple[int, int, int, int]:
        io = self.host.io
        everyone = [socket for socket in io.sockets.values() if "everyone" in socket.rooms]
        return (
            len(self.host.engine.sessions),
            len(io.sockets),
            len(everyone),
            self.in_handlers,
        )

    def _compare(self) -> None:
        connected = sum(not client.in_middleware for client in self.alive)
        waiting = sum(bool(client.waiting) for client in self.alive)
        expected = (len(self.alive), connected, connected, waiting + self.orphans)
        self.host.see(self._tables, expected)

    def teardown(self) -> None:
        for client in self.alive:
            client.websocket.close()
        self.host.run(self.middleware_gate.open)
        self.host.run(self.handler_gate.open)
        self.host.see(self._tables, (0, 0, 0, 0))
        self.host.see(lambda: self.connects - self.disconnects, 0)
        assert self.host.run(self.host.io.adapter.rooms) == frozenset()
        self.host.see(lambda: len(self.host.engine.timers), 0)
        self.host.stop()


def test_no_entry_of_a_client_stays_behind(backend: Backend) -> None:
    """Security rule T13."""
    machine = type("Anywhere", (Anywhere,), {"backend": backend})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=15,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=(HealthCheck.too_slow,),
        ),
    )


def test_the_model_notices_what_stays_behind(backend: Backend, monkeypatch: Any) -> None:
    """A server that forgets to leave its tables fails the comparison."""
    monkeypatch.setattr("backends.hosts.PATIENCE", 0.5)
    machine = type("Anywhere", (Anywhere,), {"backend": backend})()
    client = machine.comes(False)
    monkeypatch.setattr(type(machine.host.io), "forget", lambda self, socket: None)
    with pytest.raises(AssertionError, match="expected"):
        machine.goes(client, False)
    machine.host.stop()
