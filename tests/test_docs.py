"""The documents: every block of code in them runs, and what is generated is up to date."""

from __future__ import annotations

import contextlib
import importlib.util
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
INTEROP = ROOT / "tests" / "interop"
PATIENCE = 60  # seconds: a machine with other work is slow
SERVE_ON_TRIO = 'trio.run(io.serve, "127.0.0.1", 3000)'
SERVE_ON_ASYNCIO = 'asyncio.run(io.serve("127.0.0.1", 3000))'

# What a client in Python says, and no server does.
IS_CLIENT = re.compile(r"async with (connect|Client)\(")

# What stands around a client's code: it ends a moment after it has printed what it should.
CLIENT = """
import {{ io }} from "socket.io-client";
const print = console.log;
let expected = {lines};
console.log = (...values) => {{
  print(...values);
  if (--expected === 0) setTimeout(() => process.exit(), 50);
}};
{code}
"""


class Example(NamedTuple):
    """A block of Python; where one of JavaScript and one of text follow, its client's output.

    Of a client in Python the text is its own output.
    """

    python: str
    javascript: str
    output: str


def examples(page: str) -> Iterator[Example]:
    """The examples of a page: all blocks of Python, with the two that may follow each."""
    blocks: list[tuple[str, str]] = [*BLOCK.findall(page), ("", ""), ("", "")]
    for (language, code), second, third in zip(blocks, blocks[1:], blocks[2:], strict=False):
        if language == "python":
            is_client = (second[0], third[0]) == ("javascript", "text")
            if IS_CLIENT.search(code):
                yield Example(code, "", second[1] if second[0] == "text" else "")
                continue
            yield Example(code, second[1], third[1]) if is_client else Example(code, "", "")


def client_on_asyncio(code: str) -> str:
    """A client in Python for asyncio."""
    code = code.replace("sansocket.trio_backend", "sansocket.asyncio_backend")
    return code.replace("import trio\n", "import asyncio\n").replace(
        "trio.run(main)", "asyncio.run(main())"
    )


def on_asyncio(example: Example) -> Example | None:
    """The same for asyncio, or None where it uses more of Trio than its way to serve."""
    code = example.python.replace("sansocket.trio_backend", "sansocket.asyncio_backend")
    code = code.replace("import trio\n", "import asyncio\n").replace(
        SERVE_ON_TRIO, SERVE_ON_ASYNCIO
    )
    return None if code == example.python or "trio" in code else example._replace(python=code)


def named_examples() -> Iterator[tuple[str, Example]]:
    """Every example, and the same on asyncio where two lines are all the difference."""
    for page in PAGES:
        for number, example in enumerate(examples(page.read_text(encoding="utf-8")), 1):
            if IS_CLIENT.search(example.python):
                continue  # it needs its server: see below
            name = f"{page.relative_to(ROOT)}:{number}"
            yield name, example
            if (other := on_asyncio(example)) is not None:
                yield f"{name}-asyncio", other


EXAMPLES = dict(named_examples())


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def handshake(port: int, program: subprocess.Popen[bytes]) -> bytes:
    """Try until the program listens; the answer to an Engine.IO handshake."""
    request = (
        b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    while program.poll() is None:
        with (
            contextlib.suppress(ConnectionRefusedError),
            socket.create_connection(("127.0.0.1", port), timeout=10) as client,
        ):
            client.sendall(request)
            answer = b""
            while piece := client.recv(65_536):
                answer += piece
            return answer
        with contextlib.suppress(subprocess.TimeoutExpired):
            program.wait(0.01)
    return b""


def answered(client: str, output: str, port: int) -> str:
    """Run the client's code with npm's client, until it has printed as much as expected."""
    node = shutil.which("node")
    if node is None or not (INTEROP / "node_modules").is_dir():
        pytest.skip("node and the npm packages are not installed: `make test` sets them up")
    code = CLIENT.format(lines=len(output.splitlines()), code=at(client, port))
    done = subprocess.run(
        [node, "--input-type=module", "--eval", code],
        cwd=INTEROP,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return done.stdout


def at(code: str, port: int) -> str:
    """The same code on another port."""
    return re.sub(r"\b3000\b", str(port), code)


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
def test_every_block_of_code_runs(example: Example, tmp_path: Path) -> None:
    """What serves on port 3000 answers a handshake; its client prints what the page says.

    It runs until it is interrupted; where it closes itself, by `aclose`, it ends without an
    error. Any other block runs to its end.
    """
    code, client, output = example
    serves = "3000)" in code
    port = free_port()
    errors = tmp_path / "stderr"
    with errors.open("w") as stderr:
        program = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", at(code, port) if serves else code],
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        )
    try:
        answer = handshake(port, program) if serves else b""
        assert answer or not serves, errors.read_text()
        if serves and not client:
            assert b" 200 " in answer.partition(b"\r\n")[0], (answer, errors.read_text())
            assert b'"upgrades":["websocket"]' in answer
        if client:
            assert answered(client, output, port) == output, errors.read_text()
        if not serves or "aclose" in code:
            if "SIGTERM" in code:
                program.send_signal(signal.SIGTERM)
            assert program.wait(PATIENCE) == 0, errors.read_text()
        assert errors.read_text() == ""
    finally:
        program.kill()
        program.wait()


@pytest.mark.parametrize("page", ["README.md", "docs/guides/client.md"])
def test_clients_in_python_print_what_the_page_says(page: str, tmp_path: Path) -> None:
    """On Trio and on asyncio, with the first server of the page."""
    found = list(examples((ROOT / page).read_text(encoding="utf-8")))
    clients = [example for example in found if IS_CLIENT.search(example.python)]
    [server_code, *_] = [each.python for each in found if SERVE_ON_TRIO in each.python]
    assert any(client.output for client in clients)
    port = free_port()
    errors = tmp_path / "stderr"
    with errors.open("w") as stderr:
        server = subprocess.Popen([sys.executable, "-c", at(server_code, port)], stderr=stderr)
    try:
        assert handshake(port, server), errors.read_text()
        for code, _, output in clients:
            for version in (code, client_on_asyncio(code)):
                done = subprocess.run(
                    [sys.executable, "-W", "error", "-c", at(version, port)],
                    capture_output=True,
                    text=True,
                    timeout=PATIENCE,
                    check=False,
                )
                assert (done.returncode, done.stderr) == (0, ""), version
                assert not output or done.stdout == output, version
        assert errors.read_text() == ""
    finally:
        server.kill()
        server.wait()


def alike(output: str) -> str:
    """What a client prints, without what differs from run to run."""
    for pattern, same in (
        (r'("time": ")[^"]+', r"\1now"),
        (r'("id": ")[^"]+', r"\1id"),
        (r'("seconds": )[0-9.e-]+', r"\1few"),
        (r"^\d\d:\d\d:\d\d\.\d{3}", "now"),
        (r"(connected as )\S+", r"\1id"),
        (r"\d+ ms\]", "few ms]"),
    ):
        output = re.sub(pattern, same, output, flags=re.MULTILINE)
    return output


def test_the_commands_of_the_command_line_print_what_the_page_says(tmp_path: Path) -> None:
    """Each `$ command` in a block of `console`, against the server of the page."""
    page = (ROOT / "docs/guides/command-line.md").read_text(encoding="utf-8")
    blocks = BLOCK.findall(page)
    (code,) = (code for language, code in blocks if language == "python")
    port = free_port()
    errors = tmp_path / "stderr"
    with errors.open("w") as stderr:
        server = subprocess.Popen([sys.executable, "-c", at(code, port)], stderr=stderr)
    try:
        assert handshake(port, server), errors.read_text()
        commands = 0
        for language, block in blocks:
            if language != "console":
                continue
            for example in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                command, _, expected = at(example, port).partition("\n")
                function = f'sansocket() {{ {sys.executable} -m sansocket "$@"; }}'
                done = subprocess.run(
                    ["bash", "-c", f"{function}; {command}"],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    encoding="utf-8",
                    timeout=PATIENCE,
                    check=False,
                )
                assert alike(done.stdout) == alike(expected), command
                commands += 1
        assert commands >= 6
    finally:
        server.kill()
        server.wait()


def test_the_documents_have_code() -> None:
    """The pattern finds the blocks: with none found, the test above would pass too."""
    assert len(EXAMPLES) > 20
    assert any(SERVE_ON_ASYNCIO in example.python for example in EXAMPLES.values())
    assert any(example.output for example in EXAMPLES.values())


def test_the_states_are_those_of_the_tables() -> None:
    """docs/states.md is what `python docs/make_states.py` writes."""
    spec = importlib.util.spec_from_file_location("make_states", ROOT / "docs/make_states.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (ROOT / "docs/states.md").read_text(encoding="utf-8") == module.page()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(page: Path) -> None:
    """A relative link names a file that is there."""
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target
