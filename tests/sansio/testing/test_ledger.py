"""The rules of delivery: each of them broken once."""

from __future__ import annotations

import pytest

from sansocket.sansio.testing.ledger import Increasing, Questions, Sequence


def arrivals(*arrived: tuple[int, str], again: bool = False, sent: int = 9) -> list[str]:
    """What is wrong with these arrivals."""
    wrong: list[str] = []
    sequence = Sequence("x", wrong.append, again=again)
    for _ in range(sent):
        sequence.count()
    for number, stay in arrived:
        sequence.arrive(number, stay)
    return wrong


@pytest.mark.parametrize(
    ("arrived", "again", "wrong"),
    [
        ([(0, "a"), (1, "a"), (2, "a")], False, None),
        ([(0, "a"), (1, "a"), (4, "b"), (5, "b")], False, None),  # 2 and 3 were lost with a stay
        ([(4, "b"), (0, "a"), (1, "a"), (5, "b")], False, None),  # a stay that is still heard of
        ([(0, "a"), (2, "a")], False, "2 has arrived after 0 in one stay"),
        ([(1, "a"), (0, "a")], False, "0 has arrived after 1 in one stay"),
        ([(0, "a"), (0, "b")], False, "0 has arrived twice"),
        ([(9, "a")], False, "9 has arrived, which was never sent"),
        ([(0, "a"), (0, "a"), (0, "b"), (1, "b"), (0, "a"), (2, "b")], True, None),
        ([(0, "a"), (2, "b")], True, "2 has arrived before 1"),
        ([(1, "a")], True, "1 has arrived before 0"),
    ],
    ids=str,
)
def test_sequence(arrived: list[tuple[int, str]], again: bool, wrong: str | None) -> None:
    """At most once and without a gap in a stay; with `again`, first arrivals in order."""
    assert arrivals(*arrived, again=again) == ([] if wrong is None else [f"x: {wrong}"])


def test_complete() -> None:
    """With `again` all that was sent; else what was sent last, in the stay that there is."""
    for again in (False, True):
        sequence = Sequence("x", lambda wrong: None, again=again)
        assert sequence.complete("a")
        sequence.count()
        assert not sequence.complete("a")
        sequence.arrive(0, "a")
        assert sequence.complete("a")
        assert sequence.complete("b") is again


def test_questions() -> None:
    """An answer comes once, and is what was asked."""
    wrong: list[str] = []
    questions = Questions(wrong.append)
    numbers = [questions.ask("me") for _ in range(3)]
    assert questions.open == 3
    questions.answer(numbers[0], numbers[0])
    assert (wrong, questions.open, questions.answered) == ([], 2, 1)
    questions.answer(numbers[0], numbers[0])
    questions.answer(numbers[1], numbers[2])
    questions.answer(numbers[2])
    assert wrong == [
        "question 1 was answered twice",
        "me: question 2 was answered with (3,)",
        "me: question 3 was answered with ()",
    ]


def test_increasing() -> None:
    """Gaps are nothing; to come again is."""
    wrong: list[str] = []
    news = Increasing("news", wrong.append)
    for number in (0, 5, 6):
        news.arrive(number)
    assert wrong == []
    news.arrive(6)
    assert wrong == ["news: 6 has arrived after 6"]
