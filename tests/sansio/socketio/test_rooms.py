"""Who is in which room (protocol rule 77, security rule T13)."""

from __future__ import annotations

import gc
import weakref

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from sansocket.sansio.socketio.rooms import Rooms


class Member:
    """Somebody who can be watched going away."""


def test_a_member_of_two_rooms_is_found_once() -> None:
    """Protocol rule 77."""
    rooms: Rooms[str] = Rooms()
    for who, room in [("ann", "a"), ("ann", "b"), ("bob", "b")]:
        rooms.join(who, room)
    assert rooms.members(["a", "b", "a"]) == {"ann", "bob"}
    assert rooms.members(iter(["a"])) == {"ann"}


def test_a_room_that_does_not_exist_has_no_members() -> None:
    """Protocol rule 77; and to ask for it does not make it."""
    rooms: Rooms[str] = Rooms()
    assert rooms.members(["nowhere"]) == set()
    assert rooms.members([]) == set()
    assert rooms.names() == frozenset()


def test_whom_nobody_knows() -> None:
    """Security rule T13: who has never been in a room leaves nothing behind."""
    rooms: Rooms[str] = Rooms()
    rooms.leave("ann", "a")
    rooms.forget("ann")
    assert rooms.of("ann") == frozenset()
    assert rooms.count("ann") == 0
    rooms.join("ann", "a")
    rooms.leave("ann", "b")
    rooms.leave("bob", "a")
    assert rooms.of("ann") == {"a"}


def test_answers_do_not_change_afterwards() -> None:
    """A broadcast goes to those who were there when it began."""
    rooms: Rooms[str] = Rooms()
    rooms.join("ann", "a")
    members, names, own = rooms.members(["a"]), rooms.names(), rooms.of("ann")
    rooms.join("bob", "a")
    rooms.join("ann", "b")
    assert members == {"ann"}
    assert names == own == {"a"}
    members.clear()
    assert rooms.members(["a"]) == {"ann", "bob"}


def test_who_left_is_not_kept() -> None:
    """Security rule T13: neither those who were forgotten nor those who left every room."""
    rooms: Rooms[Member] = Rooms()
    forgotten, left = Member(), Member()
    watched = [weakref.ref(forgotten), weakref.ref(left)]
    for room in ("a", "b"):
        rooms.join(forgotten, room)
        rooms.join(left, room)
    rooms.forget(forgotten)
    rooms.leave(left, "a")
    rooms.leave(left, "b")
    del forgotten, left
    gc.collect()
    assert [reference() for reference in watched] == [None, None]
    assert rooms.names() == frozenset()


WHO = st.integers(0, 4)
ROOM = st.sampled_from(["a", "b", "c", ""])


class AgainstPairs(RuleBasedStateMachine):
    """Rooms, held against the plainest model: a set of pairs."""

    def __init__(self) -> None:
        super().__init__()
        self.rooms: Rooms[int] = Rooms()
        self.pairs: set[tuple[int, str]] = set()

    @rule(who=WHO, room=ROOM)
    def join(self, who: int, room: str) -> None:
        self.rooms.join(who, room)
        self.pairs.add((who, room))

    @rule(who=WHO, room=ROOM)
    def leave(self, who: int, room: str) -> None:
        self.rooms.leave(who, room)
        self.pairs.discard((who, room))

    @rule(whos=st.lists(WHO), rooms=st.frozensets(ROOM))
    def join_all(self, whos: list[int], rooms: frozenset[str]) -> None:
        self.rooms.join_all(whos, rooms)
        self.pairs |= {(who, room) for who in whos for room in rooms}

    @rule(whos=st.lists(WHO, unique=True), rooms=st.frozensets(ROOM))
    def leave_all(self, whos: list[int], rooms: frozenset[str]) -> None:
        self.rooms.leave_all(whos, rooms)
        self.pairs -= {(who, room) for who in whos for room in rooms}

    @rule(who=WHO)
    def forget(self, who: int) -> None:
        self.rooms.forget(who)
        self.pairs = {pair for pair in self.pairs if pair[0] != who}

    @rule(asked=st.lists(ROOM))
    def members(self, asked: list[str]) -> None:
        assert self.rooms.members(asked) == {who for who, room in self.pairs if room in asked}

    @invariant()
    def agree(self) -> None:
        assert self.rooms.names() == {room for _, room in self.pairs}
        for who in range(5):
            own = {room for member, room in self.pairs if member == who}
            assert self.rooms.of(who) == own
            assert self.rooms.count(who) == len(own)
            for room in ("a", "b", "c", ""):
                assert self.rooms.has(room, who) == (room in own)
                assert self.rooms.exists(room) == (room in self.rooms.names())


TestAgainstPairs = AgainstPairs.TestCase
TestAgainstPairs.settings = settings(stateful_step_count=30, deadline=None)
