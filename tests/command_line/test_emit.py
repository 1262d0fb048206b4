"""`sansocket emit`: one event, its acknowledgement, and an exit code for each way to fail."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
from command_line.clients import EchoServer, environment, run
from command_line.program import PATIENCE
from interop.programs import HERE, Server, node


@pytest.fixture(scope="module")
def echo() -> Iterator[EchoServer]:
    """Our server."""
    server = EchoServer()
    server.start()
    yield server
    server.stop()


@pytest.mark.parametrize(
    ("args", "output"),
    [
        ((), ""),
        (("word",), '"word"\n'),
        (('{"a":[1,null]}', "5", '"5"', "-1.5"), '{"a": [1, null]}\n5\n"5"\n-1.5\n'),
        (("null",), "null\n"),
        (("b64:AQID",), '{"$base64": "AQID"}\n'),
        (("two words", "?"), '"two words"\n"?"\n'),
    ],
)
@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_the_acknowledgement_is_printed(
    echo: EchoServer, args: tuple[str, ...], output: str, transport: str
) -> None:
    done = run("emit", "--transport", transport, echo.url, "echo", *args)
    assert (done.stdout, done.stderr) == (output, "")


def test_npm(tmp_path_factory: pytest.TempPathFactory) -> None:
    """And the upgrade, for no transport is named."""
    reference = Server(node(HERE / "reference_server.mjs"), tmp_path_factory.mktemp("npm") / "err")
    try:
        url = f"http://127.0.0.1:{reference.ports['json']}"
        assert run("emit", url, "acknowledge", "a", "b64:AQ==").stdout == (
            '"a"\n{"$base64": "AQ=="}\n'
        )
        assert run("emit", url, "echo", "--no-ack").stdout == ""
        refused = run("emit", url, "x", "--auth", '{"token": "wrong"}', check=4)
        assert refused.stderr == 'sansocket: refused: not authorized {"code": 401}\n'
        late = run("emit", url, "no such event", "--timeout", "0.5", check=5)
        assert late.stderr == "sansocket: no acknowledgement came within 0.5 s\n"
    finally:
        reference.stop()


def test_without_an_acknowledgement(echo: EchoServer) -> None:
    done = run("emit", echo.url, "silent", "--no-ack")
    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (("no such event", "--timeout", "0.3"), 5, "no acknowledgement came within 0.3 s"),
        (("bye",), 6, "disconnected: io server disconnect"),
        (("x", "--namespace", "/nowhere"), 4, "refused: Invalid namespace"),
        (("x", "{"), 2, "column 2: expected JSON"),
        (("connect",), 2, ""),
        (("x", "--namespace", "/a", "--namespace", "/b"), 2, "--namespace: an event goes to one"),
    ],
)
def test_exit_codes(
    echo: EchoServer, arguments: tuple[str, ...], code: int, complaint: str
) -> None:
    done = run("emit", echo.url, *arguments, check=code)
    assert done.stdout == ""
    assert done.stderr.startswith(f"sansocket: {complaint}")
    assert done.stderr.count("\n") == 1


def test_what_is_no_server_of_socketio_is_unreachable() -> None:
    """One that says nothing, too: within the timeout."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        done = run("emit", url, "x", "--timeout", "0.5", check=3)
    assert done.stderr.startswith(f"sansocket: cannot reach {url}: ")
    assert done.stderr.count("\n") == 1


def test_interrupted(echo: EchoServer) -> None:
    """There was no acknowledgement, so it is no success."""
    command = [sys.executable, "-m", "sansocket", "emit", echo.url, "ask", "x", "--timeout", "60"]
    # Its question comes to another client's ears, which tells us that it waits.
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    ) as program:
        with pytest.raises(subprocess.TimeoutExpired):
            program.wait(2)
        program.send_signal(signal.SIGINT)
        assert program.wait(PATIENCE) == 130
        assert program.stderr is not None
        assert program.stderr.read() == ""
