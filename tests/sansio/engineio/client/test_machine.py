"""A client and a server of the core, the network between them, and the time.

Hypothesis makes the story: it moves single pieces, cuts, refuses and holds connections, and lets
both sides send and close whenever it likes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from support.engineio import nothing_is_left
from support.engineio_client import WAYS, Link, Network, Noted, send
from support.transcript import engineio

from sansocket.sansio.engineio.app import EngineSocket
from sansocket.sansio.engineio.client.client import EngineClient
from sansocket.sansio.engineio.client.states import TRANSITIONS, ClientState
from sansocket.sansio.errors import Reason, TransportError

seen: set[ClientState] = set()
"""The states that the stories have come to."""


class ClientMachine(RuleBasedStateMachine):
    """One attempt of a client, whatever becomes of it."""

    @initialize(way=st.sampled_from(WAYS), bytewise=st.booleans())
    def begin(self, way: dict[str, Any], bytewise: bool) -> None:
        """Client and server are there, and nothing has happened."""
        self.app, self.driver = engineio(max_payload=400)
        self.network = Network(self.driver)
        self.network.bytewise = bytewise
        self.client: EngineClient
        self.receiver: Noted
        self.client, self.receiver = self.network.client(**way)
        self.before = self.client.state
        self.to_server: list[str] = []
        self.to_client: list[str] = []
        self.at_server: list[str | bytes] = []
        self.broken = False

        @self.app.on("message")
        def message(socket: EngineSocket, data: str | bytes) -> None:
            self.at_server.append(data)

    @precondition(lambda self: self.client.state is ClientState.IDLE)
    @rule()
    def open(self) -> None:
        self.client.open(self.network.now)

    @rule(size=st.sampled_from([0, 0, 150, 500]))
    def send(self, size: int) -> None:
        """More than the server's `maxPayload` alone ends the session by its refusal."""
        if not self.client.is_open:
            size = 0
        self.broken = self.broken or size > 400
        if self.client.state not in (ClientState.CLOSING, ClientState.CLOSED):
            self.to_server.append(f"{len(self.to_server)}".ljust(size))
            send(self.client, self.to_server[-1])

    @rule()
    def answer(self) -> None:
        for socket in list(self.app.sockets.values()):
            self.to_client.append(f"{len(self.to_client)}")
            socket.send(self.to_client[-1])

    @rule(rounds=st.sampled_from([1, 1, 3, 10, 300]))
    def run(self, rounds: int) -> None:
        for _ in range(rounds):
            if not self.network.step():
                break

    def on_a_link(self, number: int, act: Callable[[Link], None]) -> None:
        if self.network.links:
            act(self.network.links[number % len(self.network.links)])

    @rule(number=st.integers(0, 3))
    def cut(self, number: int) -> None:
        self.on_a_link(number, Link.cut)
        self.broken = True

    @rule(number=st.integers(0, 3), held=st.booleans())
    def hold(self, number: int, held: bool) -> None:
        def act(link: Link) -> None:
            link.held = held

        self.on_a_link(number, act)

    @rule(refuse=st.booleans())
    def refuse(self, refuse: bool) -> None:
        self.network.refuse = OSError("unreachable") if refuse else None
        self.broken = self.broken or refuse

    @rule(unreachable=st.booleans())
    def unreachable(self, unreachable: bool) -> None:
        self.network.unreachable = unreachable

    @rule(seconds=st.sampled_from([0.0, 1.0, 5.0, 10.0, 25.0, 46.0]))
    def advance(self, seconds: float) -> None:
        self.network.advance(seconds)

    @rule()
    def close(self) -> None:
        self.client.close()

    @rule()
    def server_closes(self) -> None:
        for socket in list(self.app.sockets.values()):
            socket.close()

    @precondition(lambda self: len(self.to_server) > 3)
    @rule()
    def abort(self) -> None:
        self.client.abort(Reason.FORCED_CLOSE, TransportError("forced close"))

    @invariant()
    def ends_once(self) -> None:
        """Rule 95; and an attempt that fails says why."""
        seen.add(self.client.state)
        assert len(self.receiver.ends) == (self.client.state is ClientState.CLOSED)
        assert len(self.receiver.opened_at) <= 1
        if self.receiver.ends and not self.receiver.opened_at:
            assert isinstance(self.receiver.failure, TransportError)

    @invariant()
    def goes_by_the_table(self) -> None:
        """Several steps may have been made."""
        found = {self.before}
        while more := {to for state in found for to in TRANSITIONS[state].values()} - found:
            found |= more
        assert self.client.state in found
        self.before = self.client.state

    @invariant()
    def delivers_each_once_and_in_order(self) -> None:
        """Rule 34: nothing twice, nothing out of order, and nothing missing in between."""
        assert self.at_server == self.to_server[: len(self.at_server)]
        heard = self.receiver.messages
        assert heard == self.to_client[: len(heard)]

    @invariant()
    def keeps_few_connections(self) -> None:
        """Three for an upgrade; those that close may still be there."""
        open_ = [link for link in self.network.links if not link.client.closing]
        assert len(open_) <= 3

    def teardown(self) -> None:
        """In a network that works again all comes to its end, and nothing is left."""
        if not hasattr(self, "client"):
            return
        for link in self.network.links:
            link.held = False
        self.network.refuse, self.network.unreachable = None, False
        if self.client.is_open and not self.broken and not self.receiver.ends:
            self.network.settle()
            if not self.receiver.ends:
                assert self.at_server == self.to_server
        self.client.close()
        self.network.advance(60.0)
        assert len(self.receiver.ends) == 1
        assert not self.network.links
        self.network.advance(100.0)
        assert len(self.network.timers) == 0
        nothing_is_left(self.app, self.driver)


TestClientMachine = ClientMachine.TestCase
