"""Questions to many, in portions: equal to asking all of them at once, whatever happens between."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from support.runtime import LoopFree, counting_entropy
from support.socketio import Member
from support.transcript import Driver, socketio
from wsproto.events import TextMessage

from sansocket.sansio.errors import AckTimeout, LocalProtocolError
from sansocket.sansio.portions import AT_ONCE
from sansocket.sansio.socketio.adapter import Selection
from sansocket.sansio.socketio.app import App
from sansocket.sansio.socketio.question import ANSWERED

COUNT = 7


class Stepping(Driver):
    """Takes one turn only when it is told to."""

    stepping = False

    def settle(self) -> None:
        if self.stepping:
            self.core.deliver()
        else:
            super().settle()

    def turn(self) -> None:
        """One turn of a loop."""
        deadline = self.core.engine.next_deadline()
        if deadline is not None and deadline <= self.now:
            self.core.engine.handle_timeout(self.now)
        self.core.deliver()


class Side:
    """A server with its clients, and everything that can be seen of both."""

    def __init__(self, at_once: int) -> None:
        runtime = LoopFree()
        self.app = App(runtime, entropy=counting_entropy(), max_pending_acks=3)
        self.app.engine.portions.at_once = at_once
        self.driver = Stepping(self.app, runtime)
        self.members = [Member(self.driver, self.app) for _ in range(COUNT)]
        self.sockets = [member.socket for member in self.members]
        for socket in self.sockets:
            socket.connection.wait(5)  # so that it shows who owes
        self.driver.settle()
        self.driver.stepping = True
        self.got: list[list[str]] = [[] for _ in range(COUNT)]
        self.told: list[list[str]] = [[] for _ in range(COUNT)]
        self.outcomes: list[tuple[str, object]] = []
        self.forgets: list[Any] = []
        self.lost: set[int] = set()
        self.app.on_any_outgoing(
            lambda socket, event, *args: self.told[self.sockets.index(socket)].append(event)
        )

    def take(self) -> None:
        """Let the clients look at what has come."""
        for got, member in zip(self.got, self.members, strict=True):
            got += [str(message) for message in member.websocket.take()]

    def owed(self, member: int) -> list[int]:
        """The numbers of the acknowledgements that a client may send."""
        found = (re.match(r"42(\d+)\[", message) for message in self.got[member])
        return [int(number[1]) for number in found if number]

    def ask(self, name: str, seconds: float | None) -> None:
        """Ask everybody."""
        app = self.app if seconds is None else self.app.timeout(seconds)

        def done(error: Exception | None, answers: list[Any]) -> None:
            self.outcomes.append((f"{name} {type(error).__name__}", sorted(map(str, answers))))

        self._try(name, lambda: app.emit(name, ack=done))

    def collect(self, name: str) -> None:
        """The same, by what a cluster calls; it may be forgotten."""

        def done(result: list[Any] | Exception) -> None:
            self.outcomes.append((name, str(result)))

        def ask() -> None:
            self.forgets.append(self.app.adapter.collect(Selection(), name, (), done))

        self._try(name, ask)

    def ask_one(self, member: int, name: str) -> None:
        """Ask one."""
        self._try(
            name,
            lambda: self.sockets[member].emit(
                name, ack=lambda *values: self.outcomes.append((name, values))
            ),
        )

    def _try(self, name: str, act: Any) -> None:
        try:
            act()
        except LocalProtocolError:
            self.outcomes.append((name, "too many"))


class Questions(RuleBasedStateMachine):
    """Two servers: one does all at once, the other for two sockets in a turn."""

    def __init__(self) -> None:
        super().__init__()
        self.plain, self.many = self.both = Side(10_000), Side(2)
        self.names = 0

    @property
    def name(self) -> str:
        """A new name for an event."""
        self.names += 1
        return f"event {self.names}"

    @rule(seconds=st.sampled_from([None, 1.0, 2.0]))
    def ask(self, seconds: float | None) -> None:
        name = self.name
        for side in self.both:
            side.ask(name, seconds)

    @rule()
    def collect(self) -> None:
        name = self.name
        for side in self.both:
            side.collect(name)

    @rule(which=st.integers(0, 9))
    def forget(self, which: int) -> None:
        for side in self.both:
            if which < len(side.forgets):
                side.forgets[which]()

    @rule()
    def emit(self) -> None:
        name = self.name
        for side in self.both:
            side.app.emit(name)

    @rule(member=st.integers(0, COUNT - 1), ack=st.booleans())
    def emit_to_one(self, member: int, ack: bool) -> None:
        name = self.name
        for side in self.both:
            if ack:
                side.ask_one(member, name)
            else:
                side.sockets[member].emit(name)

    @rule(member=st.integers(0, COUNT - 1), which=st.integers(0, 9))
    def answer(self, member: int, which: int) -> None:
        self.many.take()
        owed = self.many.owed(member)
        if owed and self.many.sockets[member].connected:
            number = owed[which % len(owed)]
            for side in self.both:
                side.members[member].websocket.send(f'43{number}["{member}"]')

    @rule(member=st.integers(0, COUNT - 1), how=st.sampled_from(["server", "client", "lost"]))
    def disconnect(self, member: int, how: str) -> None:
        for side in self.both:
            if not side.sockets[member].connected:
                continue
            if how == "server":
                side.sockets[member].disconnect()
            elif how == "client":
                side.members[member].websocket.send("41")
            else:
                side.members[member].websocket.pipe.lose()
                side.lost.add(member)

    @rule()
    def turn(self) -> None:
        for side in self.both:
            side.driver.turn()

    @rule()
    def pass_time(self) -> None:
        for side in self.both:
            side.driver.now += 1.0
            side.driver.turn()

    @invariant()
    def the_same_has_come_of_it(self) -> None:
        """Answers, timeouts and refusals are the same at any moment."""
        assert self.many.outcomes == self.plain.outcomes

    @invariant()
    def never_out_of_order(self) -> None:
        """What one client gets, and its listeners hear, is a beginning of what it will."""
        for side in self.both:
            side.take()
        for member in range(COUNT):
            for late, early in (
                (self.many.got[member], self.plain.got[member]),
                (self.many.told[member], self.plain.told[member]),
            ):
                assert late == early[: len(late)]

    def teardown(self) -> None:
        for side in self.both:
            while side.app.engine.portions:
                side.driver.turn()
            side.driver.stepping = False
            side.driver.settle()
        self.never_out_of_order()
        self.the_same_has_come_of_it()
        assert len(self.many.app.unsettled) == 0
        for member in range(COUNT):
            plain, many = (side.sockets[member] for side in self.both)
            if member not in self.plain.lost:
                assert self.many.got[member] == self.plain.got[member]
            if plain.connected:
                assert self.many.told[member] == self.plain.told[member]
            assert len(many.acks) == len(plain.acks)
            assert many.session.inbound == plain.session.inbound


TestQuestions = Questions.TestCase
TestQuestions.settings = settings(deadline=None)


def test_whoever_is_asked_is_worked_on_in_portions() -> None:
    """No turn enters more in books, strikes out more, or wakes more than it may."""
    count = 2 * AT_ONCE + 1
    app, driver = socketio()
    members = [Member(driver, app) for _ in range(count)]
    for member in members:
        member.websocket.take()
    sockets = [member.socket for member in members]
    came: list[object] = []
    app.timeout(1.0).emit("x", ack=lambda error, answers: came.append(error))
    changes: list[tuple[int, int]] = []

    def look() -> tuple[int, int]:
        written = sum(1 for member in members if member.websocket.pipe.output)
        return written, sum(len(socket.acks) for socket in sockets)

    def turns() -> None:
        before = look()
        while app.unsettled:
            app.engine.handle_timeout(driver.now)
            after = look()
            changes.append((after[0] - before[0], abs(after[1] - before[1])))
            before = after

    assert look() == (0, 0)
    turns()
    assert look() == (count, count)
    assert max(written for written, _ in changes) == AT_ONCE // ANSWERED
    assert all(written * ANSWERED + entered <= AT_ONCE for written, entered in changes)
    changes.clear()
    driver.now += 1.0
    app.engine.handle_timeout(driver.now)
    [error] = came
    assert isinstance(error, AckTimeout)
    turns()
    assert look() == (count, 0)
    assert max(struck for _, struck in changes) == AT_ONCE


def test_a_client_that_is_written_to_before_its_portion_may_answer() -> None:
    app, driver = socketio()
    members = [Member(driver, app) for _ in range(3)]
    app.engine.portions.at_once = 1
    for member in members:
        member.websocket.take()
    came: list[object] = []
    app.emit("x", ack=lambda error, answers: came.append(answers))
    members[2].socket.emit("wakes it")
    assert [len(member.socket.acks) for member in members] == [0, 0, 0]
    assert members[2].events() == [["x"], ["wakes it"]]
    members[2].websocket.pipe.wire.receive_data(
        members[2].websocket.client.send(TextMessage("430[2]")), driver.now
    )
    assert [len(member.socket.acks) for member in members] == [0, 0, 0]
    driver.settle()
    assert [len(member.socket.acks) for member in members] == [1, 1, 0]
    members[0].websocket.send("430[0]")
    members[1].websocket.send("430[1]")
    assert came == [[2, 0, 1]]


def test_whoever_owes_an_answer_is_read_from() -> None:
    """Its portion lets it go on, and when nobody wants the answer it is held again."""
    app, driver = socketio(max_inbound=1)
    members = [Member(driver, app) for _ in range(3)]
    app.engine.portions.at_once = 1
    members[2].socket.connection.wait(5)
    assert members[2].socket.session.congested
    forget = app.adapter.collect(Selection(), "x", (), lambda result: None)
    assert members[2].socket.session.congested
    driver.settle()
    assert not members[2].socket.session.congested
    forget()
    driver.settle()
    assert members[2].socket.session.congested


def test_the_bound_is_one_of_each_socket_at_any_moment() -> None:
    """A question that is not in its books yet counts; nobody is asked where one owes too many."""
    app, driver = socketio(max_pending_acks=2)
    members = [Member(driver, app) for _ in range(3)]
    app.engine.portions.at_once = 1
    app.emit("first", ack=print)
    members[1].socket.emit("own", ack=print)
    with pytest.raises(LocalProtocolError, match="2 acknowledgements"):
        members[1].socket.emit("one too many", ack=print)
    with pytest.raises(LocalProtocolError, match="2 acknowledgements"):
        app.emit("one too many", ack=print)
    app.to(members[0].id, members[2].id).emit("second", ack=print)
    driver.settle()
    assert [len(member.socket.acks) for member in members] == [2, 2, 2]
    assert [name for name, *_ in members[0].events()] == ["first", "second"]


@pytest.mark.parametrize("asked", [0, 1])
def test_forgotten_before_it_was_sent(asked: int) -> None:
    """As where another part of it could not be asked; also by those whose books have been seen."""
    app, driver = socketio()
    members = [Member(driver, app) for _ in range(3)]
    app.engine.portions.at_once = 1
    question = app.adapter.ask(Selection(), "x", (), print)
    if asked:
        members[0].socket.emit("own", ack=print)
        assert len(members[0].socket.acks) == 2
    question.forget()
    question.forget()
    driver.settle()
    assert [len(member.socket.acks) for member in members] == [asked, 0, 0]
    assert len(app.unsettled) == 0
