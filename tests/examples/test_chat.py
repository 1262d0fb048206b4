"""The chat: two people in a room, and what happens when one of them goes away."""

from __future__ import annotations

import pytest
from examples.puppets import Puppets


def granted(value: object) -> dict[str, object]:
    return {"ok": True, "value": value}


@pytest.fixture
def lobby(puppets: Puppets, place: str) -> Puppets:
    """Ada and Bob, in the lobby, which is in another place in each test."""
    for name in ("Ada", "Bob"):
        assert puppets.connect(name, {"name": name}) is None
    assert puppets.ask("Ada", "join", place) == granted(["Ada"])
    assert puppets.ask("Bob", "join", place) == granted(["Ada", "Bob"])
    assert puppets.next("Ada", "joined") == [place, "Bob"]
    return puppets


def test_what_is_said_reaches_the_others_in_the_room(lobby: Puppets, place: str) -> None:
    lobby.connect("Eve", {"name": "Eve"})
    lobby.ask("Eve", "join", f"not {place}")
    assert lobby.ask("Ada", "message", place, "to the lobby") == granted(None)
    assert lobby.next("Bob", "message") == [place, "Ada", "to the lobby"]
    lobby.ask("Bob", "join", f"not {place}")
    lobby.ask("Bob", "message", f"not {place}", "elsewhere")
    assert lobby.next("Eve", "message") == [f"not {place}", "Bob", "elsewhere"]


def test_everybody_hears_what_is_said_in_one_order(lobby: Puppets, place: str) -> None:
    """Ada and Bob speak at the same time, and Eve and Dan hear the same."""
    for name in ("Eve", "Dan"):
        lobby.connect(name, {"name": name})
        lobby.ask(name, "join", place)
    said = [
        (name, "message", place, str(number)) for number in range(10) for name in ("Ada", "Bob")
    ]
    lobby.ask_at_once(*said)
    heard = [[lobby.next(name, "message") for _ in said] for name in ("Eve", "Dan")]
    assert heard[0] == heard[1]
    for name in ("Ada", "Bob"):
        assert [text for _, by, text in heard[0] if by == name] == [str(n) for n in range(10)]


def test_who_leaves_is_missed(lobby: Puppets, place: str) -> None:
    assert lobby.ask("Bob", "leave", place) == granted(None)
    assert lobby.next("Ada", "left") == [place, "Bob"]
    assert lobby.ask("Bob", "message", place, "still here?")["ok"] is False
    assert lobby.ask("Ada", "join", place) == granted(["Ada"])


def test_who_loses_the_connection_has_left_and_joins_again(lobby: Puppets, place: str) -> None:
    lobby.lose("Bob")
    assert lobby.next("Ada", "left") == [place, "Bob"]
    lobby.restore("Bob", {"name": "Bob"})
    assert lobby.ask("Bob", "join", place) == granted(["Ada", "Bob"])
    assert lobby.next("Ada", "joined") == [place, "Bob"]


@pytest.mark.parametrize("auth", [None, {"name": 1}, {"name": ""}, {"name": "A" * 25}])
def test_who_has_no_name_is_refused(puppets: Puppets, auth: object) -> None:
    assert puppets.connect("Eve", auth) is not None


def test_wrong_requests_are_refused(lobby: Puppets, place: str) -> None:
    requests: list[tuple[str, *tuple[object, ...]]] = [
        ("join",),
        ("join", None),
        ("join", "\n"),
        ("join", f"{place}\n"),
        ("join", place, place),
        ("message", place),
        ("message", place, ""),
        ("message", place, "x" * 2_001),
        ("message", "nowhere", "hi"),
        ("leave", [place]),
    ]
    for request in requests:
        assert lobby.ask("Ada", *request)["ok"] is False, request


def test_rooms_of_one_person_are_bounded(lobby: Puppets, place: str) -> None:
    answers = lobby.ask_at_once(*(("Ada", "join", str(number)) for number in range(12)))
    assert [answer["ok"] for answer in answers] == [True] * 9 + [False] * 3
