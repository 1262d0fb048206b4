"""A state machine over clients, a server and a network that fails, in virtual time.

Whatever happens, in whichever order: each event arrives at most once and in order, each
acknowledgement comes at most once, every socket that nobody disconnected is connected again
when the network is well, and nothing is left when everybody has gone.
"""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from support.engineio_client import WAYS
from support.socketio_network import SocketNetwork

from sansocket.sansio.socketio.client.socket import ClientSocket
from sansocket.sansio.socketio.client.states import ClientState
from sansocket.sansio.socketio.socket import Socket

NAMESPACES = ("/", "/a")
LEFT = ("io server disconnect", "io client disconnect")
which = st.integers(0, 3)


class Player:
    """One socket of a client: what it has sent and got, by numbers."""

    def __init__(self, socket: ClientSocket) -> None:
        self.socket = socket
        self.sent = 0
        self.got: list[int] = []
        self.answers: list[int] = []
        self.failed: list[int] = []
        socket.on("down", self.got.append)
        socket.connect()

    def emit(self) -> None:
        """Send the next number, and expect it back."""
        number = self.sent
        self.sent += 1

        def answered(error: Exception | None, *values: Any) -> None:
            if error is None:
                self.answers.append(number)
                assert values == (number,)
            else:
                self.failed.append(number)

        self.socket.timeout(30).emit("up", number, b"x" * (number % 3), ack=answered)


class Machine(RuleBasedStateMachine):
    """Two clients with two namespaces each."""

    @initialize(ways=st.lists(st.sampled_from(WAYS), min_size=2, max_size=2))
    def begin(self, ways: list[dict[str, Any]]) -> None:
        self.network = SocketNetwork()
        self.arrived: dict[str, list[int]] = {}
        self.players: list[Player] = []
        for name in NAMESPACES:
            namespace = self.network.app.of(name)
            namespace.on("up", self.up)
        for place, options in enumerate(ways):
            client = self.network.new_client(**options)
            for name in NAMESPACES:
                auth = {"player": str(len(self.players))}
                self.players.append(Player(client.socket(name, auth=auth)))
            assert place < 2
        self.down = 0

    def up(self, socket: Socket, number: int, data: bytes) -> int:
        """An event has arrived at the server."""
        self.arrived.setdefault(socket.handshake.auth["player"], []).append(number)
        return number

    # What an application does

    @rule(times=st.integers(1, 4), together=st.booleans())
    def emit(self, times: int, together: bool) -> None:
        for _ in range(times):
            for player in self.players:
                player.emit()
            if not together:
                self.network.step()

    @rule(times=st.integers(1, 4), together=st.booleans())
    def broadcast(self, times: int, together: bool) -> None:
        for _ in range(times):
            for name in NAMESPACES:
                self.network.app.of(name).emit("down", self.down)
            self.down += 1
            if not together:
                self.network.step()

    @rule(which=which, again=st.booleans())
    def disconnect(self, which: int, again: bool) -> None:
        self.players[which].socket.disconnect()
        if again:
            self.players[which].socket.connect()

    @rule()
    def connect(self) -> None:
        for player in self.players:
            player.socket.connect()

    @rule(which=which, close=st.booleans())
    def server_disconnects(self, which: int, close: bool) -> None:
        for name in NAMESPACES:
            for socket in list(self.network.app.of(name).sockets.values()):
                if socket.handshake.auth["player"] == str(which):
                    socket.disconnect(close=close)

    # What the network does

    @rule(which=st.integers(0, 9))
    def cut(self, which: int) -> None:
        links = self.network.links
        if links:
            links[which % len(links)].cut()

    @rule(weather=st.sampled_from(["well", "refused", "unreachable"]))
    def weather(self, weather: str) -> None:
        self.network.refuse = ConnectionRefusedError() if weather == "refused" else None
        self.network.unreachable = weather == "unreachable"
        for link in self.network.links:
            link.held = False

    @rule(which=st.integers(0, 9))
    def hold(self, which: int) -> None:
        links = self.network.links
        if links:
            links[which % len(links)].held = True

    @rule(bytewise=st.booleans(), steps=st.integers(1, 5))
    def steps(self, bytewise: bool, steps: int) -> None:
        self.network.bytewise = bytewise
        for _ in range(steps):
            self.network.step()

    @rule(seconds=st.sampled_from([0.0, 0.4, 1.0, 3.0, 30.0]))
    def time(self, seconds: float) -> None:
        self.network.bytewise = False
        self.network.advance(seconds)

    @rule()
    def all_is_well(self) -> None:
        self.weather("well")
        self.time(10.0)
        self.connect()
        self.time(10.0)

    # What holds always

    @invariant()
    def at_most_once_and_in_order(self) -> None:
        for place, player in enumerate(self.players):
            for numbers in (self.arrived.get(str(place), []), player.got):
                assert numbers == sorted(set(numbers))
            settled = player.answers + player.failed
            assert len(settled) == len(set(settled))

    @invariant()
    def the_states_agree(self) -> None:
        """Rule 3 of the tables of states, and a connected socket has a connection."""
        for client, _ in self.network.clients:
            assert (client.state is ClientState.CLOSED) is not bool(client.members)
            for member in client.members.values():
                assert member.active
                assert not member.connected or client.state is ClientState.OPEN

    def teardown(self) -> None:
        network = self.network
        network.bytewise = False
        self.weather("well")
        network.advance(120)
        for player in self.players:
            socket = player.socket
            assert socket.connected is socket.active
            assert socket.active or socket.reason in LEFT
            if socket.active:
                assert len(player.answers) + len(player.failed) == player.sent
        for client, _ in network.clients:
            network.task(client, client.aclose())
        network.advance(120)
        self.at_most_once_and_in_order()
        assert network.nothing_is_left()
        assert not network.app.of("/a").sockets
        assert network.logged() == []


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
