"""`sansocket connect` and `emit` that are interrupted, by a signal or because nobody reads."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
from command_line.clients import EchoServer, environment, objects
from command_line.program import PATIENCE

LEFT = {
    "type": "disconnect",
    "namespace": "/",
    "reason": "io client disconnect",
    "details": None,
    "again": False,
}


@pytest.fixture(scope="module")
def echo() -> Iterator[EchoServer]:
    """Our server."""
    server = EchoServer()
    server.start()
    yield server
    server.stop()


@pytest.mark.parametrize("command", [("connect",), ("emit",)])
def test_interrupted_while_it_connects(command: tuple[str, ...]) -> None:
    """To a server that says nothing: there was something to wait for."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with subprocess.Popen(
            [sys.executable, "-m", "sansocket", *command, url, *["x"] * (command == ("emit",))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
        ) as program:
            connection, _ = silent.accept()
            with connection:
                assert connection.recv(1)
                program.send_signal(signal.SIGINT)
                assert program.wait(PATIENCE) == 130
            assert program.stdout is not None
            assert program.stderr is not None
            assert (program.stdout.read(), program.stderr.read()) == ("", "")


def test_a_second_signal_ends_it_at_once() -> None:
    """The first one waits for a server that does not answer any more."""
    server = EchoServer("packed")
    server.start()
    command = [sys.executable, "-m", "sansocket", "connect", server.url, "--json"]
    try:
        with subprocess.Popen(
            [*command, "--parser", "msgpack", "--transport", "websocket"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
        ) as program:
            assert program.stdout is not None
            assert program.stderr is not None
            assert json.loads(program.stdout.readline())["type"] == "connect"
            server.freeze()
            program.send_signal(signal.SIGINT)
            assert objects(program.stdout.readline()) == [LEFT]
            program.send_signal(signal.SIGINT)
            assert program.wait(PATIENCE) == 130
            assert program.stderr.read() == ""
    finally:
        server.stop()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(("once", "code"), [(False, 0), (True, 130)])
def test_signals_end_it_in_good_order(
    echo: EchoServer, number: signal.Signals, once: bool, code: int
) -> None:
    """It is an error only for who waits for something."""
    command = [sys.executable, "-m", "sansocket", "connect", echo.url, "--json"]
    with subprocess.Popen(
        command + ["--once"] * once,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as program:
        assert program.stdout is not None
        assert program.stderr is not None
        assert json.loads(program.stdout.readline())["type"] == "connect"
        program.send_signal(number)
        assert objects(program.stdout.read()) == [LEFT]
        assert program.stderr.read() == ""
        assert program.wait(PATIENCE) == code


def test_it_ends_when_nobody_reads_any_more(echo: EchoServer) -> None:
    command = [sys.executable, "-m", "sansocket", "connect", echo.url, "--json"]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        assert program.stderr is not None
        program.stdout.readline()
        program.stdout.close()
        program.stdin.write('{"event": "echo"}\n')
        program.stdin.flush()
        assert program.wait(PATIENCE) == 0
        assert program.stderr.read() == ""
