"""An example as its reader runs it, on each backend, and clients that talk to it."""

from __future__ import annotations

import secrets
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from examples.puppets import Puppets
from interop.programs import Program

EXAMPLES = Path(__file__).parents[2] / "examples"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture(scope="module", params=["trio", "asyncio"])
def program(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Puppets]:
    """The example that the test module is named after, and who talks to it; neither complains."""
    example = Path(request.path).stem.removeprefix("test_")
    port = free_port()
    logs = tmp_path_factory.mktemp(example)
    command = [sys.executable, "-W", "error", str(EXAMPLES / f"{example}_{request.param}.py")]
    server = Program([*command, str(port)], logs / "server")
    puppets = Puppets(f"http://127.0.0.1:{port}", logs / "client")
    yield puppets
    puppets.stop()
    assert server.runs
    server.stop()
    assert server.complaints() == ""
    assert puppets.complaints() == ""


@pytest.fixture
def puppets(program: Puppets) -> Iterator[Puppets]:
    """Clients of the example, which leave at the end of the test; the server remembers it."""
    yield program
    program.leave()


@pytest.fixture
def place() -> str:
    """The name of a room, or of a document, that no other test was in."""
    return secrets.token_hex(8)
