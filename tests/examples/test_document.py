"""The shared document: one order of operations, presence, and who comes back after a while."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from examples.puppets import Puppets


@dataclass
class Author:
    """Somebody with a copy of the document, which is kept as document.py says."""

    puppets: Puppets
    document: str
    name: str
    key: str = ""
    epoch: str = ""
    version: int = 0
    text: str = ""
    edits: int = 0
    seen: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def auth(self, **changes: object) -> dict[str, object]:
        """What the server is told at a connection."""
        own = {"document": self.document, "name": self.name, "key": self.key or self.name * 10}
        return {**own, "epoch": self.epoch, "version": self.version, **changes}

    def open(self) -> Author:
        """Connect, and get the whole text."""
        assert self.puppets.connect(self.name, self.auth()) is None
        self.get_whole()
        return self

    def get_whole(self) -> None:
        """Take the whole text from the server."""
        [whole] = self.puppets.next(self.name, "document")
        self.epoch, self.version, self.text = whole["epoch"], whole["version"], whole["text"]

    def edit(self, start: int, end: int, text: str) -> list[object]:
        """The request of an edit, for `Puppets.ask_at_once`."""
        self.edits += 1
        operation = {"version": self.version, "start": start, "end": end, "text": text}
        return [self.name, "edit", self.edits, operation]

    def make(self, start: int, end: int, text: str) -> None:
        """Edit, and do what the server made of it."""
        [answer] = self.puppets.ask_at_once(self.edit(start, end, text))
        assert answer["ok"], answer
        self.apply(answer["value"])

    def apply(self, operation: dict[str, Any]) -> None:
        """Do an operation to the copy; its version has to be the next."""
        assert operation["version"] == self.version
        self.version += 1
        self.seen.append(operation)
        self.text = (
            self.text[: operation["start"]] + operation["text"] + self.text[operation["end"] :]
        )

    def receive(self, count: int) -> None:
        """Do what others have done."""
        for _ in range(count):
            [operation] = self.puppets.next(self.name, "operation")
            self.apply(operation)


@pytest.fixture
def ada(puppets: Puppets, place: str) -> Author:
    return Author(puppets, place, "Ada").open()


@pytest.fixture
def bob(puppets: Puppets, ada: Author) -> Author:
    return Author(puppets, ada.document, "Bob").open()


def test_concurrent_edits_come_to_everybody_in_one_order(ada: Author, bob: Author) -> None:
    """Each is sent for a version that the edits of the other change; neither loses a letter."""
    ada.make(0, 0, "--")
    bob.receive(1)
    for _ in range(10):
        answers = ada.puppets.ask_at_once(ada.edit(1, 1, "a"), bob.edit(1, 1, "b"))
        ours, theirs = (answer["value"] for answer in answers)
        if ours["version"] < theirs["version"]:
            ada.apply(ours)
            ada.receive(1)
            bob.receive(1)
            bob.apply(theirs)
        else:
            bob.apply(theirs)
            bob.receive(1)
            ada.receive(1)
            ada.apply(ours)
    assert ada.text == bob.text
    assert ada.seen[1:] == bob.seen[1:]
    assert sorted(ada.text) == sorted("--" + 10 * "ab")
    assert Author(ada.puppets, ada.document, "Eve").open().text == ada.text


@pytest.mark.parametrize(
    ("first", "second", "result"),
    [
        ((0, 5, ""), (6, 11, "there"), " there"),
        ((6, 11, "there"), (0, 5, "Hi"), "Hi there"),
        ((0, 5, "Bye"), (0, 5, "Hi"), "ByeHi world"),
        ((2, 8, ""), (4, 4, "X"), "HeXrld"),
        ((4, 4, "X"), (2, 8, ""), "Herld"),
        ((0, 6, "A"), (3, 11, "B"), "AB"),
        ((3, 11, "B"), (0, 6, "A"), "AB"),
        ((5, 5, "!"), (5, 5, "?"), "Hello!? world"),
        ((0, 0, "🎉é"), (5, 5, "!"), "🎉éHello! world"),
    ],
)
def test_an_edit_is_moved_behind_one_that_it_did_not_know(
    ada: Author,
    bob: Author,
    first: tuple[int, int, str],
    second: tuple[int, int, str],
    result: str,
) -> None:
    ada.make(0, 0, "Hello world")
    bob.receive(1)
    ada.make(*first)
    [answer] = ada.puppets.ask_at_once(bob.edit(*second))
    bob.receive(1)
    bob.apply(answer["value"])
    ada.receive(1)
    assert ada.text == bob.text == result


def test_who_is_here_is_told(ada: Author, bob: Author) -> None:
    puppets = ada.puppets
    assert [*puppets.next("Ada", "people")[0].values()] == ["Ada"]
    [people] = puppets.next("Ada", "people")
    assert [*people.values()] == ["Ada", "Bob"]
    assert puppets.ask("Bob", "cursor", 7) == {"ok": True, "value": None}
    who, position = puppets.next("Ada", "cursor")
    assert (people[who], position) == ("Bob", 7)
    puppets.lose("Bob")
    assert [*puppets.next("Ada", "people")[0].values()] == ["Ada"]


def test_documents_do_not_mix(ada: Author) -> None:
    ada.make(0, 0, "notes")
    eve = Author(ada.puppets, f"not {ada.document}", "Eve").open()
    eve.make(0, 0, "other")
    assert [*ada.puppets.next("Ada", "people")[0].values()] == ["Ada"]
    ada.make(5, 5, "!")
    assert (ada.text, eve.text) == ("notes!", "other")


def test_who_comes_back_gets_what_was_missed(ada: Author, bob: Author) -> None:
    ada.make(0, 0, "one")
    bob.receive(1)
    bob.puppets.lose("Bob")
    ada.make(3, 3, " two")
    ada.make(7, 7, " three")
    bob.puppets.restore("Bob", bob.auth())
    bob.receive(2)
    assert bob.text == ada.text == "one two three"


def test_who_comes_back_to_another_epoch_gets_the_whole(ada: Author, bob: Author) -> None:
    """As after a restart of the server, when the same version is another text."""
    ada.make(0, 0, "one")
    bob.receive(1)
    bob.puppets.lose("Bob")
    bob.puppets.restore("Bob", bob.auth(epoch="another"))
    bob.get_whole()
    assert (bob.version, bob.text) == (1, "one")


def test_who_was_away_too_long_gets_the_whole(ada: Author, bob: Author) -> None:
    bob.puppets.lose("Bob")
    for number in range(501):
        ada.make(0, ada.version and 1, str(number % 10))
    assert bob.puppets.connect("Bob", bob.auth()) is None
    bob.get_whole()
    assert (bob.version, bob.text) == (501, "0")
    late = {"version": 0, "start": 0, "end": 0, "text": "late"}
    assert bob.puppets.ask("Bob", "edit", 1, late)["ok"] is False


def test_an_edit_that_is_sent_again_is_made_once(ada: Author, bob: Author) -> None:
    """Its acknowledgement was lost with the connection; what it was answered, it is again."""
    request = ada.edit(0, 0, "once")
    [first] = ada.puppets.ask_at_once(request)
    ada.puppets.lose("Ada")
    bob.receive(1)
    bob.make(4, 4, "!")
    ada.puppets.restore("Ada", ada.auth())
    assert ada.puppets.ask_at_once(request) == [first]
    ada.receive(2)
    assert ada.text == bob.text == "once!"
    ada.make(0, 0, "Only ")
    assert ada.text == "Only once!"


def test_who_is_back_before_the_server_knew_is_here_once(ada: Author, bob: Author) -> None:
    """The old connection ends, and is not told of as somebody who left."""
    Author(ada.puppets, ada.document, "Ada again", key=ada.name * 10).open()
    assert ada.puppets.next("Ada", "disconnect")[0] == "io server disconnect"
    names = [[*bob.puppets.next("Bob", "people")[0].values()] for _ in range(2)]
    assert names == [["Ada", "Bob"], ["Ada again", "Bob"]]


def test_who_does_not_say_what_is_needed_is_refused(puppets: Puppets, place: str) -> None:
    right = Author(puppets, place, "Eve").auth()
    wrong: dict[str, object] = {"document": "", "name": 1, "key": "short", "version": -1}
    for auth in [None, *({**right, name: value} for name, value in wrong.items())]:
        assert puppets.connect("Eve", auth) is not None, auth


def test_wrong_edits_are_refused(ada: Author) -> None:
    ada.make(0, 0, "text")
    right = {"version": 1, "start": 0, "end": 4, "text": ""}
    wrong: list[list[object]] = [
        [],
        [2],
        [2, None],
        [-1, right],
        [True, right],
        [4, right],
        [2, right, right],
        [2, {**right, "start": 5}],
        [2, {**right, "end": 5}],
        [2, {**right, "version": 2}],
        [2, {**right, "version": 1.5}],
        [2, {**right, "text": "x" * 2_001}],
        [2, {**right, "text": "\ud83d"}],
    ]
    for request in wrong:
        assert ada.puppets.ask("Ada", "edit", *request)["ok"] is False, request
    ada.make(0, 4, "new")
    assert ada.text == "new"


def test_a_document_does_not_grow_for_ever(ada: Author) -> None:
    for _ in range(50):
        ada.make(0, 0, "x" * 2_000)
    assert ada.puppets.ask_at_once(ada.edit(0, 0, "x"))[0]["ok"] is False
    ada.edits -= 1
    ada.make(0, 1, "")
    assert len(ada.text) == 99_999
