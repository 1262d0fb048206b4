"""`sansocket connect` for scripts: piped input, `--json`, `--once`, and its exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line.clients import EchoServer, environment, objects, run
from command_line.program import PATIENCE
from interop.programs import HERE, SERVERS, Server, node


@pytest.fixture(scope="module")
def echo() -> Iterator[EchoServer]:
    """Our server."""
    server = EchoServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module", params=["reference", "asyncio"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with what the interop tests want: npm's, and ours."""
    if request.param == "reference":
        command = node(HERE / "reference_server.mjs")
    else:
        command = [sys.executable, str(SERVERS / "interop.py"), "--backend", request.param]
    server = Server(command, tmp_path_factory.mktemp(request.param) / "stderr")
    yield f"http://127.0.0.1:{server.ports['json']}"
    server.stop()


def connected(namespace: str = "/", transport: str = "websocket") -> dict[str, Any]:
    return {
        "type": "connect",
        "namespace": namespace,
        "transport": transport,
        "recovered": False,
    }


def event(name: str, *args: object, namespace: str = "/", number: int | None = None) -> Any:
    return {
        "type": "event",
        "namespace": namespace,
        "event": name,
        "args": [*args],
        "number": number,
    }


def left(namespace: str = "/", reason: str = "io client disconnect") -> dict[str, Any]:
    return {
        "type": "disconnect",
        "namespace": namespace,
        "reason": reason,
        "details": None,
        "again": False,
    }


def sent(name: str, number: int, *args: object, namespace: str = "/") -> list[dict[str, Any]]:
    """That an acknowledgement is asked for, and comes."""
    both = {"namespace": namespace, "event": name, "number": number}
    return [{"type": "sent", **both}, {"type": "ack", **both, "args": [*args]}]


def test_events_and_acknowledgements(url: str) -> None:
    """Lines of JSON in, lines of JSON out, in the order in which things happen."""
    binary = {"$base64": "AQID"}
    lines: list[object] = [
        {"event": "echo", "args": [{"a": [1, None]}, binary]},
        {"event": "acknowledge", "args": ["x", binary], "ack": True},
        {"event": "ask", "args": ["question", 5]},
    ]
    done = run(
        *("connect", url, "--json", "--once", "--transport", "websocket", "--auth", '{"a": 1}'),
        stdin="".join(json.dumps(line) + "\n" for line in lines),
    )
    seen = objects(done.stdout)
    assert seen[0] == connected()
    # The events and what is said of our own lines come side by side.
    told = seen[1:-1]
    assert event("auth", {"a": 1}) in told
    asked, acknowledged = sent("acknowledge", 1, "x", binary)
    assert acknowledged in told
    assert asked in told
    assert event("echo back", {"a": [1, None]}, binary) in told
    assert seen[-1] == left()
    assert done.stderr == ""


def test_what_a_person_would_type_is_piped(url: str) -> None:
    done = run(
        *("connect", url, "--transport", "polling"),
        stdin='echo {"a": 1} word b64:AQID\nacknowledge 1 "x" ?\n',
    )
    shown = [line.partition(" ")[2] for line in done.stdout.splitlines()]
    assert shown[0].endswith(" over polling")
    assert '← "echo back" {"a": 1} "word" b64:AQID' in shown
    assert any(line.startswith('✓ acknowledge 1 "x" [ack 1, ') for line in shown)
    assert "\x1b" not in done.stdout


def test_namespaces(url: str) -> None:
    """Those of the arguments, one more by a command, and one that does not exist."""
    lines: list[object] = [
        {"event": "echo", "args": [1], "namespace": "/news"},
        {"command": "/namespace /chat"},
        {"command": "/leave /news"},
        {"command": "/namespace /nowhere"},
        {"event": "transport", "namespace": "/", "ack": True},
    ]
    done = run(
        *("connect", url, "--json", "--once", "--transport", "websocket"),
        *("--namespace", "/", "--namespace", "/news"),
        stdin="".join(json.dumps(line) + "\n" for line in lines),
    )
    seen = objects(done.stdout)
    for expected in (
        connected("/news"),
        event("welcome", "/news", namespace="/news"),
        left("/news"),
        sent("transport", 1, "websocket")[1],
    ):
        assert expected in seen
    assert done.stderr == ""


def test_the_namespace_of_the_url(url: str) -> None:
    done = run("connect", f"{url}/chat", "--json", "--once")
    assert event("welcome", "/chat", namespace="/chat") in objects(done.stdout)


def test_an_event_is_answered_by_its_number(echo: EchoServer) -> None:
    command = [sys.executable, "-m", "sansocket", "connect", echo.url, "--json"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment()
    ) as program:
        assert program.stdin is not None
        assert program.stdout is not None

        def tell(line: object) -> None:
            assert program.stdin is not None
            program.stdin.write(json.dumps(line) + "\n")
            program.stdin.flush()

        def heard(kind: str) -> dict[str, Any]:
            assert program.stdout is not None
            for line in program.stdout:
                if (found := json.loads(line))["type"] == kind:
                    return dict(found)
            raise AssertionError(f"no {kind}")

        tell({"event": "ask", "args": ["how?"]})
        asked = heard("event")
        assert (asked["event"], asked["args"], asked["number"]) == ("question", ["how?"], 1)
        tell({"ack": 1, "args": ["so", "and so"]})
        assert heard("event")["args"] == [["so", "and so"]]
        tell({"ack": 1})
        assert heard("problem")["text"] == "no event waits for ack 1"
        tell({"command": "/quit"})
        assert heard("disconnect")["reason"] == "io client disconnect"
        assert program.wait(PATIENCE) == 2, "a line could not be followed"


def test_header_and_auth_from_a_file(echo: EchoServer, tmp_path: Path) -> None:
    (tmp_path / "auth.json").write_text('{"token": "right"}\n')
    done = run(
        *("connect", echo.url, "--json", "--once", "--header", "X-Test: yes"),
        *("--auth", f"@{tmp_path / 'auth.json'}", "--transport", "polling"),
        stdin='{"event": "seen", "ack": true}',
    )
    assert sent("seen", 1, "polling", {"token": "right"}, "yes")[1] in objects(done.stdout)


def test_what_a_server_sends_cannot_steer_a_terminal(echo: EchoServer) -> None:
    """Security rule 34, also where stdout is none."""
    for arguments, stdin in ((), "steer\n"), (("--json",), '{"event": "steer"}\n'):
        done = run("connect", echo.url, "--once", *arguments, stdin=stdin)
        assert "\\u001b[2Jtitle" in done.stdout
        assert all(line.isprintable() for line in done.stdout.splitlines())


def test_the_server_throws_us_out(echo: EchoServer) -> None:
    """What has come before the end is told before it, and the script hears of the end."""
    # By polling all of it comes in one answer.
    options = ("--json", "--transport", "polling")
    command = [sys.executable, "-m", "sansocket", "connect", echo.url, *options]
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
        program.stdin.write('{"event": "bye"}\n')
        program.stdin.flush()
        # Its input stays open: it ends by itself.
        seen = objects(program.stdout.read())
        assert seen[1:-1] == [event("last", number) for number in range(20)]
        assert seen[-1] == left(reason="io server disconnect")
        assert program.stderr.read() == "sansocket: disconnected: io server disconnect\n"
        assert program.wait(PATIENCE) == 6


@pytest.mark.parametrize(
    ("stdin", "arguments", "code", "complaint"),
    [
        ("echo {", (), 2, "a line of input could not be followed"),
        ("echo {\n/nope\n", (), 2, "2 lines of input could not be followed"),
        ("silent ?", ("--timeout", "0.3"), 5, "no acknowledgement came in time"),
        ("", ("--timeout", "0.3"), 5, "no event came within 0.3 s"),
        ("", ("--auth", '{"token": "wrong"}'), 4, 'refused: not authorized {"code": 401}'),
        ("", ("--namespace", "/nowhere"), 4, "refused: Invalid namespace"),
    ],
)
def test_exit_codes(
    echo: EchoServer, stdin: str, arguments: tuple[str, ...], code: int, complaint: str
) -> None:
    done = run("connect", echo.url, "--once", *arguments, stdin=stdin, check=code)
    assert done.stderr == f"sansocket: {complaint}\n"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("http://",), "url: expected a host name"),
        (("ftp://x",), "url: expected http, https, ws or wss"),
        (("x", "--auth", "{"), "--auth: column 2: expected JSON"),
        (("x", "--auth", "[]"), "--auth: expected one JSON object"),
        (("x", "--auth", "@/no/such/file"), "--auth: cannot read '/no/such/file'"),
        (("x", "--header", "no colon"), "--header: expected 'Name: value'"),
        (("x", "--header", "Host: a\x01"), "extra_headers"),
        (("x", "--namespace", "chat"), "namespace: "),
        (("x", "--namespace", "/a,b"), "namespace: "),
        (("x", "--ca", "/no/such/file"), "--ca: cannot read '/no/such/file'"),
        (("x", "--path", "no slash"), "path: expected a URL path"),
    ],
)
def test_wrong_arguments_are_one_line(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], complaint: str
) -> None:
    from sansocket.command_line import main

    assert main(["emit", *arguments, "event"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"sansocket: {complaint}")
    assert said.count("\n") == 1


def test_nobody_listens() -> None:
    done = run("connect", "http://127.0.0.1:1", stdin="", check=3)
    assert done.stderr == (
        "sansocket: cannot reach http://127.0.0.1:1: connection refused: nobody listens there\n"
    )
    assert done.stdout == ""


def test_a_name_that_nobody_has() -> None:
    done = run("connect", "http://server.invalid", stdin="", check=3)
    assert done.stderr.startswith("sansocket: cannot reach http://server.invalid: ")
    assert "Errno" not in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_lost_connection_is_told_and_made_again() -> None:
    """With the number and the delay of each attempt."""
    server = EchoServer()
    server.start()
    command = [sys.executable, "-m", "sansocket", "connect", server.url, "--json"]
    try:
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment()
        ) as program:
            assert program.stdin is not None
            assert program.stdout is not None

            def until(kind: str) -> list[dict[str, Any]]:
                assert program.stdout is not None
                seen: list[dict[str, Any]] = []
                while not seen or seen[-1]["type"] != kind:
                    seen.append(json.loads(program.stdout.readline()))
                return seen

            until("connect")
            server.stop()
            lost, wait, failed = until("connect_error")
            assert (lost["type"], lost["again"]) == ("disconnect", True)
            assert (wait["type"], wait["attempt"]) == ("reconnect_wait", 1)
            assert 0.5 <= wait["seconds"] <= 1.5
            assert (failed["refused"], failed["again"]) == (False, True)
            # What is said meanwhile waits, and that is told.
            program.stdin.write('{"event": "echo", "args": ["late"], "ack": true}\n')
            program.stdin.flush()
            kept = until("kept")[-1]
            assert (kept["namespace"], kept["event"]) == ("/", "echo")
            server.start()
            seen = until("ack")
            assert "reconnect" in [line["type"] for line in seen]
            program.stdin.close()
            assert program.wait(PATIENCE) == 0
    finally:
        server.stop()


def test_the_end_of_a_connection_may_be_the_end() -> None:
    """`--no-reconnect`: exit code 6."""
    server = EchoServer()
    server.start()
    command = [sys.executable, "-m", "sansocket", "connect", server.url, "--no-reconnect"]
    try:
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env=environment(),
        ) as program:
            assert program.stdout is not None
            assert program.stderr is not None
            assert " connected as " in program.stdout.readline()
            server.stop()
            assert program.wait(PATIENCE) == 6
            assert program.stderr.read().startswith("sansocket: disconnected: transport ")
    finally:
        server.stop()
