"""A whole server and its clients in virtual time, driven by Hypothesis.

Whatever clients do, in whatever order: what is sent arrives once and in order, also across an
upgrade (rules 34, 37); every socket is disconnected exactly once (rule 95); nothing is left
behind (security rule T13); no deadline lies in the past.
"""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule
from support.clients import Client
from support.transcript import socketio

from sansocket.sansio.socketio.socket import Socket


class ServerMachine(RuleBasedStateMachine):
    """One server, and clients that poll, upgrade, misbehave and die."""

    clients = Bundle("clients")

    def __init__(self) -> None:
        super().__init__()
        self.app, self.driver = socketio()
        self.all: list[Client] = []
        self.received: dict[str, list[int]] = defaultdict(list)
        self.sent: dict[str, list[int]] = defaultdict(list)
        self.connected: set[str] = set()
        self.gone: Counter[str] = Counter()
        self.number = 0
        self.app.on("connect", self._on_connect)
        self.app.on("up", self._on_up)
        self.app.on("disconnect", self._on_disconnect)

    def _on_connect(self, socket: Socket) -> None:
        self.connected.add(socket.id)

    async def _on_up(self, socket: Socket, number: int) -> None:
        self.received[socket.id].append(number)

    def _on_disconnect(self, socket: Socket, reason: str) -> None:
        self.gone[socket.id] += 1

    # What clients do

    @rule(target=clients, transport=st.sampled_from(["polling", "websocket"]))
    def connect(self, transport: str) -> Client:
        client = Client(self.driver, transport)
        self.all.append(client)
        return client

    @rule(client=clients)
    def client_emits(self, client: Client) -> None:
        if client.open:
            client.emit()

    @rule(client=clients)
    def client_polls(self, client: Client) -> None:
        if client.open:
            client.start_poll()

    @rule(client=clients)
    def client_collects(self, client: Client) -> None:
        if client.open:
            client.collect()

    @rule(client=clients)
    def client_begins_an_upgrade(self, client: Client) -> None:
        if client.open and client.websocket is None and client.prober is None:
            client.begin_upgrade()

    @rule(client=clients)
    def client_finishes_its_upgrade(self, client: Client) -> None:
        if client.open:
            client.finish_upgrade()

    @rule(client=clients, wrong_packet=st.booleans())
    def client_abandons_its_upgrade(self, client: Client, wrong_packet: bool) -> None:
        if client.open:
            client.abandon_upgrade(wrong_packet)

    @rule(client=clients)
    def a_second_websocket_comes(self, client: Client) -> None:
        """It is closed at once, and the session knows nothing of it (rule 35)."""
        if client.open and (client.prober is not None or client.websocket is not None):
            second = self.driver.websocket(client.sid)
            assert second.status != 101 or second.close_code is not None or not second.take()

    @rule(client=clients)
    def client_stops_reading(self, client: Client) -> None:
        if client.open and client.websocket is not None:
            client.websocket.pipe.writable = False

    @rule(client=clients)
    def client_reads_again(self, client: Client) -> None:
        if client.open and client.websocket is not None:
            client.websocket.pipe.writable = True
            client.websocket.pipe.pull()

    @rule(client=clients, how=st.sampled_from(["goodbye", "vanish", "silence"]))
    def client_dies(self, client: Client, how: str) -> None:
        if client.open:
            if how == "goodbye":
                client.say_goodbye()
            elif how == "vanish":
                client.vanish()
            else:
                client.fall_silent()

    # What the server does

    @rule(client=clients)
    def server_emits(self, client: Client) -> None:
        socket = self.app.sockets.get(client.socket_id)
        if socket is not None:
            self.sent[socket.id].append(self.number)
            socket.emit("down", self.number)
            self.number += 1
            self.driver.settle()

    @rule()
    def server_broadcasts(self) -> None:
        for socket_id in self.app.sockets:
            self.sent[socket_id].append(self.number)
        self.app.emit("down", self.number)
        self.number += 1
        self.driver.settle()

    @rule(client=clients, close=st.booleans())
    def server_disconnects(self, client: Client, close: bool) -> None:
        socket = self.app.sockets.get(client.socket_id)
        if socket is not None:
            socket.disconnect(close)
            self.driver.settle()

    @rule(seconds=st.floats(0.0, 12.0))
    def time_passes(self, seconds: float) -> None:
        """Those who live answer their pings in time, if they have not stopped reading."""
        self.driver.advance(seconds)
        for client in self.all:
            if client.open:
                client.collect()

    # What holds

    @invariant()
    def what_arrives_is_in_order_and_once(self) -> None:
        for client in self.all:
            assert client.got == self.sent[client.socket_id][: len(client.got)]
            received = self.received[client.socket_id]
            assert received == list(range(len(received)))

    @invariant()
    def nobody_is_disconnected_twice(self) -> None:
        assert all(times == 1 for times in self.gone.values())
        assert self.connected - self.gone.keys() == self.app.sockets.keys()

    @invariant()
    def no_deadline_lies_in_the_past(self) -> None:
        deadline = self.app.engine.next_deadline()
        assert deadline is None or deadline > self.driver.now

    @invariant()
    def a_session_is_probed_while_there_is_a_prober(self) -> None:
        """A failed upgrade leaves nothing behind (rule 37)."""
        for session in self.app.engine.sessions.values():
            probed = session.state.name.endswith(("OFFERED", "PROBING"))
            assert probed == (session.prober is not None)

    @invariant()
    def nobody_saw_an_exception(self) -> None:
        assert not self.driver.runtime.logged

    def teardown(self) -> None:
        """Those who live get all that was sent; then all die, and nothing is left."""
        for client in self.all:
            if client.open and client.websocket is not None:
                client.websocket.pipe.writable = True
                client.websocket.pipe.pull()
        for client in self.all:
            for _ in range(3):
                if client.open:
                    client.finish_upgrade()
                    client.collect()
            if client.open:
                assert client.got == self.sent[client.socket_id]
                assert self.received[client.socket_id] == list(range(client.sent))
        for client in self.all:
            if client.alive:
                client.vanish()
        for pipe in self.driver.pipes:
            pipe.lose()
        self.driver.advance(100)
        assert not self.app.engine.sessions
        assert not self.app.sockets
        assert not self.app.adapter.rooms()
        assert self.gone.keys() == self.connected
        assert len(self.app.engine.timers) == 0
        assert not self.driver.runtime.tasks
        assert not self.driver.runtime.logged


TestServerMachine = pytest.mark.filterwarnings("error")(ServerMachine.TestCase)
TestServerMachine.settings = settings(max_examples=200, stateful_step_count=60, deadline=None)
