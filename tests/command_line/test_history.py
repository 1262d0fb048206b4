"""The lines that were typed, and what completes one."""

from __future__ import annotations

from pathlib import Path

from sansocket.command_line.completion import MOST_NAMES, Completion
from sansocket.command_line.history import MOST_LINES, History, default_path


def test_lines_are_there_the_next_time(tmp_path: Path) -> None:
    path = tmp_path / "state" / "history"
    history = History(path)
    for line in ("one", " two ", "two", "", "ü\ud800", "x" * 20_000):
        history.add(line)
    assert History(path).lines == ["one", "two", "ü?"]


def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    """Lines may hold secrets."""
    path = tmp_path / "state" / "history"
    History(path).add("login secret")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_it_keeps_the_last_lines(tmp_path: Path) -> None:
    path = tmp_path / "history"
    history = History(path)
    for number in range(MOST_LINES + 5):
        history.add(str(number))
    assert history.lines == [str(number) for number in range(5, MOST_LINES + 5)]
    assert History(path).lines == history.lines
    assert len(path.read_text().splitlines()) == MOST_LINES


def test_without_a_file_nothing_fails(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (None, tmp_path, tmp_path / "file" / "history"):
        history = History(path)
        history.add("one")
        assert history.lines == ["one"]


def test_where_the_file_is() -> None:
    assert default_path({"SANSOCKET_HISTORY": "/a/b"}) == Path("/a/b")
    assert default_path({"XDG_STATE_HOME": "/a"}) == Path("/a/sansocket/history")
    assert default_path({}) == Path.home() / ".local/state/sansocket/history"


def test_completion_knows_commands_namespaces_and_events() -> None:
    completion = Completion(["namespace", "quit"])
    for event in ("chat", "chat message", "check", "chat"):
        completion.saw(event)
    completion.namespaces.add("/admin")
    assert completion.matching("ch") == ["chat", "check"]
    assert completion.matching('"ch') == ['"chat message"']
    assert completion.matching("/n") == ["/namespace", "/namespace /admin"]
    assert completion.matching("chat x") == []


def test_completion_is_bounded_and_harmless() -> None:
    """What a server sends is neither kept without a bound nor typed as control characters."""
    completion = Completion([])
    completion.saw("\x1b[2J")
    completion.saw("x" * 1_000)
    assert completion.matching("") == ['"\\u001b[2J"']
    for number in range(MOST_NAMES + 1):
        completion.saw(f"event{number}")
    assert len(completion.matching("")) == MOST_NAMES
    assert "event0" not in completion.matching("")
