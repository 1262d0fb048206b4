"""`sansocket serve` as a program: its arguments, its files, its exit codes."""

from __future__ import annotations

import importlib.resources
import signal
import socket
import subprocess
import sys
import urllib.request
from unittest.mock import Mock

import pytest
from command_line.program import PATIENCE, Program

from sansocket.command_line import main, serve
from sansocket.command_line.serve import static_files, url


def test_help_names_the_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["serve", "--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in ("--host", "127.0.0.1", "--port", "3000", "--client"))


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "COMMAND"),
        (["unknown"], "unknown"),
        (["serve", "--port", "65536"], "0 to 65535"),
        (["serve", "--port", "-1"], "0 to 65535"),
        (["serve", "--port", "http"], "0 to 65535"),
        (["serve", "--port", "٣"], "0 to 65535"),
        (["serve", "--client", "no/such/client"], "no/such/client"),
        (["serve", "extra"], "module:attribute"),
        (["serve", "a:b", "--workers", "0"], "1 to 9999"),
        (["serve", "a:b", "--workers", "two"], "1 to 9999"),
    ],
)
def test_wrong_arguments(
    capsys: pytest.CaptureFixture[str], arguments: list[str], complaint: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize(
    "pressed", [KeyboardInterrupt(), BaseExceptionGroup("of a nursery", [KeyboardInterrupt()])]
)
def test_ctrl_c_at_any_other_time_is_no_error_either(
    monkeypatch: pytest.MonkeyPatch, pressed: BaseException
) -> None:
    monkeypatch.setattr(serve, "run", Mock(side_effect=pressed))
    assert main(["serve"]) == 0


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("127.0.0.1", "http://127.0.0.1:80/"),
        ("localhost", "http://localhost:80/"),
        ("0.0.0.0", "http://127.0.0.1:80/"),
        ("::1", "http://[::1]:80/"),
        ("::", "http://[::1]:80/"),
    ],
)
def test_url_is_one_that_a_browser_can_open(host: str, shown: str) -> None:
    assert url(host, 80) == shown


def test_the_page_asks_for_nothing_that_is_not_served() -> None:
    """Each file that the page names is in the table, and the page is all that is at `/`."""
    files = static_files({})
    assert sorted(files) == ["/", "/chat.css", "/chat.js"]
    page = importlib.resources.files("sansocket.command_line") / "chat" / "chat.html"
    assert 'href="chat.css"' in page.read_text()
    assert 'src="chat.js"' in page.read_text()


def test_serves_the_page_and_the_browser_client(program: Program) -> None:
    for path, content_type, beginning in (
        ("", "text/html", b"<!doctype html>"),
        ("chat.css", "text/css", b"/*"),
        ("chat.js", "text/javascript", b"//"),
        ("socket.io/socket.io.js", "text/javascript", b"/*!\n * Socket.IO v4"),
        ("socket.io/socket.io.min.js", "text/javascript", b"/*!\n * Socket.IO v4"),
        ("socket.io/socket.io.esm.min.js", "text/javascript", b"/*!\n * Socket.IO v4"),
        ("socket.io/socket.io.msgpack.min.js", "text/javascript", b"/*!\n * Socket.IO v4"),
        ("socket.io/socket.io.min.js.map", "application/json", b'{"version":3'),
    ):
        with urllib.request.urlopen(program.url + path, timeout=PATIENCE) as response:
            assert response.headers["Content-Type"] == f"{content_type}; charset=utf-8"
            assert response.read().startswith(beginning), path


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ends_in_peace(program: Program, number: signal.Signals) -> None:
    """One line is all that it says, and Ctrl-C is no error."""
    program.process.send_signal(number)
    rest, _ = program.process.communicate(timeout=PATIENCE)
    assert program.process.returncode == 0
    assert program.line == f"Open {program.url} in two browser tabs and chat. Ctrl-C stops it.\n"
    assert rest == ""


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run Python until it ends."""
    return subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, timeout=PATIENCE, check=False
    )


def test_a_taken_port_is_one_line_on_stderr() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = str(taken.getsockname()[1])
        done = run("-m", "sansocket", "serve", "--port", number)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"sansocket: cannot listen on 127.0.0.1, port {number}: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("missing", ["trio", "trio_websocket"])
def test_a_missing_extra_is_one_line_on_stderr(missing: str) -> None:
    without = f"import sys; sys.modules[{missing!r}] = None; sys.argv[1:] = ['serve']"
    done = run("-c", f"{without}; from sansocket.__main__ import main; sys.exit(main())")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"sansocket: serve needs {missing}: pip install 'sansocket[trio]'\n"
