"""The documents: every block of code in them runs, and what is generated is up to date."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCKS = [
    pytest.param(block, id=f"{page.relative_to(ROOT)}:{number}")
    for page in PAGES
    for number, block in enumerate(BLOCK.findall(page.read_text(encoding="utf-8")), 1)
]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def handshake(port: int, program: subprocess.Popen[str]) -> bytes:
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


@pytest.mark.parametrize("block", BLOCKS)
def test_every_block_of_code_runs(block: str) -> None:
    """A block that serves on port 3000 is served a handshake; any other runs to its end."""
    serves = "3000)" in block
    port = free_port()
    program = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", block.replace("3000)", f"{port})")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    answer = b""
    try:
        if serves:
            answer = handshake(port, program)
            program.send_signal(signal.SIGINT)
        output, errors = program.communicate(timeout=30)
    finally:
        program.kill()
    if serves:
        assert b" 200 " in answer.partition(b"\r\n")[0], (answer, output, errors)
        assert b'"upgrades":["websocket"]' in answer
    else:
        assert program.returncode == 0, errors


def test_the_documents_have_code() -> None:
    """The pattern above finds the blocks: with none found, the test above would pass too."""
    assert len(BLOCKS) >= 3


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
