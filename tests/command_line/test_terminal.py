"""`sansocket connect` as somebody at a terminal uses it: keys are typed, and the screen is read."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command_line.clients import EchoServer
from command_line.terminal import Terminal

PROGRAM = ("-m", "sansocket", "connect")
# As it is without the extra.
PLAIN = (
    "-c",
    "import sys; sys.modules['prompt_toolkit'] = None;"
    " from sansocket.__main__ import main; sys.exit(main())",
    "connect",
)
CONTROL_C, CONTROL_D, CONTROL_U = "\x03", "\x04", "\x15"
UP = "\x1b[A"

Open = Callable[..., Terminal]


@pytest.fixture(scope="module")
def echo() -> Iterator[EchoServer]:
    """Our server."""
    server = EchoServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["prompt_toolkit", "plain"])
def program(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """With the extra, and without."""
    if request.param == "plain":
        return PLAIN
    pytest.importorskip("prompt_toolkit")
    return PROGRAM


@pytest.fixture
def open_terminal(program: tuple[str, ...], tmp_path: Path) -> Iterator[Open]:
    """Opens terminals in which somebody is a client."""
    opened: list[Terminal] = []

    def open_terminal(*arguments: str, **changes: str) -> Terminal:
        history = str(tmp_path / "history")
        terminal = Terminal(*program, *arguments, SANSOCKET_HISTORY=history, **changes)
        opened.append(terminal)
        return terminal

    yield open_terminal
    for terminal in opened:
        terminal.close()


def prompted(lines: list[str]) -> bool:
    """Whether the program waits for a line."""
    return lines[-1:] == [">"]


def test_a_conversation(open_terminal: Open, echo: EchoServer) -> None:
    """Events, acknowledgements in both directions, mistakes, help, and the end."""
    terminal = open_terminal(echo.url)
    terminal.until_shown("● connected as ")
    terminal.until(prompted)
    terminal.type('echo {"a": 1} word\r')
    terminal.until_shown('← "echo back" {"a": 1} "word"')
    terminal.type("echo 5 ?\r")
    terminal.until_shown("✓ echo 5 [ack 1, ")
    terminal.type("ask how\r")
    terminal.until_shown('← question "how" [/ack 1]')
    terminal.type('/ack 1 "so"\r')
    terminal.until_shown('← answered "so"')
    terminal.type("echo {\r")
    terminal.until_shown("✗ column 7: expected JSON")
    terminal.type("/nonsense\r")
    terminal.until_shown("✗ expected one of /ack, /namespace")
    terminal.type("/help\r")
    terminal.until_shown("/disconnect          leave all")
    terminal.type("/transport\r")
    terminal.until(lambda lines: lines[-2] in ("polling", "websocket"))
    terminal.type("/quit\r")
    assert terminal.end() == 0
    assert terminal.attributes == terminal.before


def test_namespaces(open_terminal: Open, echo: EchoServer) -> None:
    """The prompt says where a line goes."""
    terminal = open_terminal(echo.url)
    terminal.until(prompted)
    terminal.type("/namespace /admin\r")
    terminal.until_shown("● /admin connected as ")
    terminal.type("echo 1\r")
    terminal.until_shown('← /admin "echo back" 1')
    terminal.type("/namespace\r")
    terminal.until_shown("* /admin (connected)")
    terminal.type("/namespace /nowhere\r")
    terminal.until_shown("✗ /nowhere refused: Invalid namespace")
    terminal.until_shown("what you type goes to /admin now")
    terminal.type("/leave\r")
    terminal.until_shown("what you type goes to / now")
    terminal.type("/disconnect\r")
    terminal.until_shown("○ disconnected: io client disconnect")
    terminal.type("/leave\r")
    terminal.until_shown("✗ /leave: '/' is not joined")
    terminal.type("/connect\r")
    terminal.until(lambda lines: sum("● connected as" in line for line in lines) == 2)
    terminal.type(CONTROL_D)
    assert terminal.end() == 0


@pytest.mark.parametrize("way", ["control-d", "control-c", "SIGINT", "SIGTERM"])
def test_every_way_to_end_restores_the_terminal(
    open_terminal: Open, echo: EchoServer, way: str
) -> None:
    terminal = open_terminal(echo.url)
    terminal.until_shown("connected as")
    terminal.until(prompted)
    if way.startswith("SIG"):
        terminal.signal(signal.Signals[way])
    else:
        terminal.type(CONTROL_D if way == "control-d" else CONTROL_C)
    assert terminal.end() == 0
    assert terminal.attributes == terminal.before
    assert terminal.lines[-1].endswith("○ disconnected: io client disconnect")


def test_a_server_that_goes_and_comes(open_terminal: Open) -> None:
    """What is being typed stays, under what is shown."""
    server = EchoServer()
    server.start()
    try:
        terminal = open_terminal(server.url)
        terminal.until_shown("connected as")
        terminal.until(prompted)
        terminal.type("echo 1")
        terminal.until(lambda lines: lines[-1] == "> echo 1")
        server.stop()
        terminal.until_shown("○ disconnected: transport ")
        terminal.until_shown("… attempt 1 in ")
        terminal.until_shown("✗ no connection: ")
        terminal.type("\r")
        terminal.until_shown("… not connected: echo waits until it is")
        terminal.type("echo 3 ?\r")
        terminal.until(lambda lines: sum("echo waits until it is" in line for line in lines) == 2)
        assert any("· waiting for ack 1 of echo" in line for line in terminal.lines)
        terminal.type("echo 1")
        terminal.until(lambda lines: lines[-1] == "(not connected) > echo 1")
        server.start()
        terminal.until_shown("● reconnected at attempt ")
        terminal.until_shown('← "echo back" 1')
        terminal.until_shown("✓ echo 3 [ack 1, ")
        terminal.until(lambda lines: lines[-1].endswith("> echo 1"))
        terminal.type("2\r")
        terminal.until_shown('← "echo back" 12')
        assert sum("echo waits until it is" in line for line in terminal.lines) == 2
    finally:
        server.stop()


def test_history_and_completion(open_terminal: Open, echo: EchoServer) -> None:
    """Lines come back in the next session; names of events and commands are completed."""
    first = open_terminal(echo.url)
    first.until(prompted)
    first.type("echo 17\r")
    first.until_shown('"echo back" 17')
    # A key that is pressed while no line is asked for is no command to an editor.
    first.until(prompted)
    first.type('"ec\t')
    first.until_shown('> "echo back"')
    first.type(CONTROL_U)
    first.until(prompted)
    first.type("/tr\t")
    first.until_shown("> /transport")
    first.type("\r")
    first.until(lambda lines: lines[-2] in ("polling", "websocket"))
    first.type(CONTROL_D)
    assert first.end() == 0
    second = open_terminal(echo.url)
    second.until(prompted)
    second.type(UP + UP + "0\r")
    second.until_shown('"echo back" 170')


def test_colours_are_for_who_wants_them(open_terminal: Open, echo: EchoServer) -> None:
    """And none with NO_COLOR, nor in what the server has sent (security rule 34)."""
    seen: dict[str, bytes] = {}
    for choice in ("", "1"):
        terminal = open_terminal(echo.url, NO_COLOR=choice)
        terminal.until(prompted)
        terminal.type("steer\r")
        terminal.until_shown("\\u001b[2Jtitle")
        terminal.type(CONTROL_D)
        terminal.end()
        assert b"owned\x07" not in terminal.written
        seen[choice] = terminal.written
    colours = re.compile(rb"\x1b\[[0-9;]*3[1-6]m")
    assert colours.search(seen[""])
    assert not colours.search(seen["1"])


def test_control_c_empties_a_line_first(echo: EchoServer, tmp_path: Path) -> None:
    pytest.importorskip("prompt_toolkit")
    terminal = Terminal(*PROGRAM, echo.url, SANSOCKET_HISTORY=str(tmp_path / "history"))
    try:
        terminal.until(prompted)
        terminal.type("half a line")
        terminal.until_shown("> half a line")
        terminal.type(CONTROL_C)
        terminal.until(prompted)
        terminal.type("echo 1\r")
        terminal.until_shown('← "echo back" 1')
        terminal.type(CONTROL_C)
        assert terminal.end() == 0
    finally:
        terminal.close()


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (("http://u:word@127.0.0.1:1",), 3, "sansocket: cannot reach http://u:***@127.0.0.1:1: "),
        (("{url}", "--auth", '{"token": "wrong"}'), 4, "sansocket: refused: not authorized"),
    ],
)
def test_what_fails_at_once_is_one_line(
    open_terminal: Open, echo: EchoServer, arguments: tuple[str, ...], code: int, complaint: str
) -> None:
    terminal = open_terminal(*(argument.replace("{url}", echo.url) for argument in arguments))
    assert terminal.end() == code
    assert terminal.lines[0].startswith(complaint)
    assert not [line for line in terminal.lines if "✗" in line or "Traceback" in line]
    assert terminal.attributes == terminal.before
