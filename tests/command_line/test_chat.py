"""The chat's handlers, asked as no page would ask: what is wrong is answered, and never an error.

The `program` fixture fails a test after which the program's log is not empty.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from command_line.program import Program, run_node
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ADA = {"name": "Ada", "room": "lobby"}


def ask(program: Program, *requests: object) -> list[dict[str, Any]]:
    """Send events, each a list of its name and arguments; return what each was answered.

    A string between them is the secret of a page that connects and sends what follows.
    """
    lines = "\n".join(json.dumps(request) for request in requests)
    answers = run_node("requests.mjs", program.url, stdin=lines)
    return [json.loads(line) for line in answers.splitlines()]


def test_wrong_requests_are_refused(program: Program) -> None:
    requests: list[list[object]] = [
        ["message", {"key": "1", "text": "before joining"}],
        ["typing", True],
        ["join"],
        ["join", None],
        ["join", "Ada", "lobby"],
        ["join", ADA, ADA],
        ["join", {"name": "Ada"}],
        ["join", {"name": 1, "room": "lobby"}],
        ["join", {"name": "Ada", "room": ["lobby"]}],
        ["join", {"name": " ", "room": "lobby"}],
        ["join", {"name": "A" * 25, "room": "lobby"}],
        ["join", {"name": "A\u202eda", "room": "lobby"}],
        ["join", {"name": "Ada", "room": "\u0000"}],
    ]
    for request, answer in zip(requests, ask(program, *requests), strict=True):
        assert answer["ok"] is False, request
        assert answer["error"], request


def test_wrong_messages_are_refused(program: Program) -> None:
    requests: list[list[object]] = [
        ["join", ADA],
        ["message", "text"],
        ["message", {"key": "1"}],
        ["message", {"key": "1", "text": 1}],
        ["message", {"key": "", "text": "no key"}],
        ["message", {"key": "k" * 65, "text": "long key"}],
        ["message", {"key": "1", "text": "\n "}],
        ["message", {"key": "1", "text": "x" * 2001}],
        ["typing", 1],
        ["typing"],
        ["typing", True, False],
    ]
    joined, *answers = ask(program, *requests)
    assert joined["ok"] is True
    assert [answer["ok"] for answer in answers] == [False] * 10


def nested(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    """Put JSON values into a list or an object, such as a request."""
    keys = st.sampled_from(["name", "room", "key", "text", "other"])
    return st.lists(inner, max_size=3) | st.dictionaries(keys, inner)


NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(st.none() | st.booleans() | NUMBERS | st.text(), nested, max_leaves=5)
EVENTS = st.sampled_from(["join", "message", "typing"])


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(requests=st.lists(st.tuples(EVENTS, st.lists(JSON, max_size=2)), max_size=200))
def test_every_request_is_answered(
    program: Program, requests: list[tuple[str, list[object]]]
) -> None:
    """Whatever arrives is answered with `ok`, true or false."""
    answers = ask(program, *([event, *args] for event, args in requests))
    assert len(answers) == len(requests)
    assert {type(answer["ok"]) for answer in answers} <= {bool}


def test_a_message_sent_again_is_said_once(program: Program) -> None:
    """A page repeats what was not acknowledged; the key tells that it is the same."""
    said = ["message", {"key": "1", "text": " hello "}]
    joined, first, again, rejoined = ask(program, ["join", ADA], said, said, ["join", ADA])
    assert joined == {
        "ok": True,
        "name": "Ada",
        "room": "lobby",
        "people": ["Ada"],
        "history": [],
    }
    assert first["message"]["text"] == "hello"
    assert again == first
    assert rejoined["history"] == [first["message"]]


def test_history_is_bounded(program: Program) -> None:
    said = [["message", {"key": str(number), "text": str(number)}] for number in range(60)]
    *_, rejoined = ask(program, ["join", ADA], *said, ["join", ADA])
    assert [message["text"] for message in rejoined["history"]] == [str(n) for n in range(10, 60)]


def test_rooms_are_bounded(program: Program) -> None:
    """The oldest room in which nobody is makes place for a new one; the lobby stays."""
    said = ["message", {"key": "1", "text": "remember me"}]
    visits = [["join", {"name": "Ada", "room": str(number)}] for number in range(110)]
    first = visits[0]
    answers = ask(
        program, ["join", ADA], said, first, said, first, *visits[1:], first, ["join", ADA]
    )
    assert all(answer["ok"] for answer in answers)
    *_, before, after, lobby = (answers[4], answers[-2], answers[-1])
    assert [len(room["history"]) for room in (before, after, lobby)] == [1, 0, 1]


@pytest.mark.parametrize(("page", "name"), [("same", "Ada"), ("other", "Ada 2")])
def test_who_comes_back_keeps_the_name(program: Program, page: str, name: str) -> None:
    """The page's secret shows whether an old connection is its own or somebody else's."""
    _, answer = ask(program, "same", ["join", ADA], page, ["join", ADA])
    assert answer["name"] == name


def test_names_differ_by_more_than_case(program: Program) -> None:
    wishes = [["join", {"name": name, "room": "lobby"}] for name in ("Ada", "ADA", "aDa")]
    requests = [part for number, wish in enumerate(wishes) for part in (str(number), wish)]
    answers = ask(program, *requests)
    assert [answer["name"] for answer in answers] == ["Ada", "ADA 2", "aDa 3"]
    assert answers[-1]["people"] == ["Ada", "ADA 2", "aDa 3"]
